/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fs store: a directory tree below a root. This header is shared by the store_fs*.c files alone
 * (and their test); others use scanners/store.h.
 *
 * Invariants. Everything is relative to the descriptor of the root, opened once: moving the root or
 * mounting over it changes nothing. A key becomes the directory that holds it, opened by one
 * openat2(2) that follows no symlink and cannot leave the root, and a last component, which is only
 * handed to calls that do not follow symlinks either. From then on the directory is held by its
 * descriptor, whatever happens to its path.
 *
 * Threads: as store.h says; the struct is constant after open.
 */
#ifndef EBB_SCANNERS_STORE_FS_H
#define EBB_SCANNERS_STORE_FS_H

#include <limits.h>
#include <sys/stat.h>

#include "scanners/store.h"

extern const struct ebb_store_ops ebb_store_fs_ops;

struct ebb_store_fs {
	struct ebb_store base;
	int root;	/* open for reading, so that it can be synced */
	int64_t step;	/* bytes between marks of a writer */
};

#define EBB_STORE_FS_STEP ((int64_t)64 << 20)

/* Other steps, for tests. */
static inline void ebb_store_fs_set_step(struct ebb_store *s, int64_t step)
{
	((struct ebb_store_fs *)s)->step = step;
}

/* --- store_fs_path.c: from keys to descriptors --- */

/* A last component and the directory it stands in. */
struct ebb_store_fs_path {
	int dir;		/* owned */
	char name[NAME_MAX + 1];	/* ends in no '/', which would make calls follow a symlink */
};

#define EBB_STORE_FS_PATH_INIT {.dir = -1}

/*
 * Resolve @key to its place. The place need not hold anything.
 *
 * @flags  O_PATH to look things up; O_RDONLY where entries will change, since only such a
 *         descriptor can be synced.
 * @return  0; -EBB_ENOENT when the directory does not exist or a symlink leads to it.
 */
int ebb_store_fs_path_init(const struct ebb_store_fs *s, const char *key, int flags,
			   struct ebb_store_fs_path *ret, struct ebb_err *err);
void ebb_store_fs_path_release(struct ebb_store_fs_path *p);

/*
 * Record a failed system call on @key: "cannot VERB 'KEY': reason". Symlinks in the way count as
 * ENOENT.
 */
int ebb_store_fs_path_fail(struct ebb_err *err, int sys, const char *verb, const char *key);

/*
 * What stands at the place, asked of the filesystem and not of a cache. -EBB_ENOENT also when it is
 * a directory and @key does not end in '/', or the other way round.
 */
int ebb_store_fs_path_stat(const struct ebb_store_fs_path *p, const char *key, struct statx *ret,
			   struct ebb_err *err);

/* The same about an open descriptor. */
int ebb_store_fs_path_fstat(int fd, const char *key, struct statx *ret, struct ebb_err *err);

/*
 * Open a regular file or directory for reading, without touching its access time where that is
 * allowed; anything else is -EBB_ENOTSUP and is not opened, since opening a device or a pipe can
 * have effects.
 */
int ebb_store_fs_path_open(const struct ebb_store_fs *s, const char *key, int *ret_fd,
			   struct statx *ret, struct ebb_err *err);

/*
 * Open @name in @dir, beneath it and through no symlink: openat2(2). Returns a descriptor or -1
 * with errno.
 */
int ebb_store_fs_path_openat2(int dir, const char *name, int flags);

/* Record of @key from @st. */
void ebb_store_fs_path_record(const struct statx *st, const char *key, struct ebb_record *ret);

/* Make changed entries of a directory durable. */
int ebb_store_fs_path_sync(int dir, const char *key, struct ebb_err *err);

/* --- store_fs_move.c: names that change --- */

/*
 * Give what is at @from the name @to, never replacing anything: renameat2(RENAME_NOREPLACE), or by
 * link where the filesystem lacks that.
 *
 * @return  0 or errno.
 */
int ebb_store_fs_move(const struct ebb_store_fs_path *from, const struct ebb_store_fs_path *to);

/* The same by linkat(2) and unlinkat(2): for a moment both names stand. EISDIR for directories. */
int ebb_store_fs_move_by_link(const struct ebb_store_fs_path *from,
			      const struct ebb_store_fs_path *to);

/*
 * See, after a move, that what arrived is what was checked before it, @held. In between somebody may
 * have put another object under the name; such a stranger is moved back. The caller holds the inode
 * open, so that its number is not given to a new file meanwhile.
 *
 * @return  0; -EBB_ECHANGED, with a message that says where the stranger is when its name is taken.
 */
int ebb_store_fs_move_arrived(const struct ebb_store_fs_path *from,
			      const struct ebb_store_fs_path *to, const char *from_key,
			      const char *to_key, const struct statx *held, struct ebb_err *err);

int ebb_store_fs_move_rename(struct ebb_store *s, const char *from, const char *to,
			     const struct ebb_record *expect, struct ebb_err *err);
int ebb_store_fs_move_link(struct ebb_store *s, const char *from, const char *to,
			   const struct ebb_record *expect, struct ebb_err *err);
int ebb_store_fs_move_remove(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			     struct ebb_err *err);

/* --- store_fs_dir.c: directories --- */

int ebb_store_fs_dir_list(struct ebb_store *s, const char *prefix, const char *after,
			  ebb_store_list_fn *fn, void *ctx, struct ebb_err *err);
int ebb_store_fs_dir_make(struct ebb_store *s, const char *dir, uint32_t mode,
			  ebb_store_made_fn *fn, void *ctx, struct ebb_err *err);
int ebb_store_fs_dir_remove(struct ebb_store *s, const char *dir, struct ebb_err *err);
/* Whether the root holds nothing but what ebb and mkfs put there. */
int ebb_store_fs_dir_empty(const struct ebb_store_fs *s, bool *ret, struct ebb_err *err);

/* --- store_fs_meta.c: metadata --- */

/* Metadata behind an open descriptor, into an initialised @ret. */
int ebb_store_fs_meta_read(int fd, const char *key, struct ebb_meta *ret, struct ebb_err *err);
/* Set the parts @what and see that they hold. */
int ebb_store_fs_meta_apply(int fd, const char *key, const struct ebb_meta *meta, uint32_t what,
			    struct ebb_err *err);
int ebb_store_fs_meta_get(struct ebb_store *s, const char *key, struct ebb_meta *ret,
			  struct ebb_err *err);
int ebb_store_fs_meta_set(struct ebb_store *s, const char *key, const struct ebb_meta *meta,
			  uint32_t what, struct ebb_err *err);

/* --- store_fs_read.c --- */

int ebb_store_fs_read_open(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			   struct ebb_store_reader **ret, struct ebb_err *err);
int ebb_store_fs_read_next(struct ebb_store *s, struct ebb_store_tour *t, const char *key,
			   const struct ebb_record *expect, struct ebb_store_reader **ret,
			   struct ebb_err *err);
int ebb_store_fs_read_seek(struct ebb_store_reader *r, int64_t off, struct ebb_err *err);
int64_t ebb_store_fs_read_bytes(struct ebb_store_reader *r, void *buf, size_t len,
				struct ebb_err *err);
int ebb_store_fs_read_hole(struct ebb_store_reader *r, int64_t *ret_hole, struct ebb_err *err);
int ebb_store_fs_read_verify(struct ebb_store_reader *r, struct ebb_err *err);
void ebb_store_fs_read_close(struct ebb_store_reader *r);
int ebb_store_fs_read_range(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			    int64_t off, void *buf, size_t len, struct ebb_err *err);

/* --- store_fs_share.c: files in the same blocks --- */

/* Whether the filesystem of the root is of a kind that can. */
bool ebb_store_fs_share_known(int root);
int ebb_store_fs_share_extents(struct ebb_store *s, const char *key, uint64_t *ret,
			       struct ebb_err *err);
int ebb_store_fs_share_blocks(struct ebb_store *s, const char *from, const struct ebb_record *from_rec,
			      const char *to, const struct ebb_record *to_rec, struct ebb_err *err);

/* --- store_fs_write.c --- */

int ebb_store_fs_write_open(struct ebb_store *s, const char *key,
			    const struct ebb_store_write_opts *opts, struct ebb_store_writer **ret,
			    struct ebb_err *err);
int ebb_store_fs_write_bytes(struct ebb_store_writer *w, const void *buf, size_t len,
			     struct ebb_err *err);
int ebb_store_fs_write_hole(struct ebb_store_writer *w, int64_t len, struct ebb_err *err);
int ebb_store_fs_write_commit(struct ebb_store_writer *w, const struct ebb_meta *meta,
			      uint32_t what, struct ebb_record *ret, struct ebb_err *err);
void ebb_store_fs_write_abort(struct ebb_store_writer *w);
int ebb_store_fs_write_mark(struct ebb_store_writer *w, struct ebb_store_mark *ret, struct ebb_err *err);
void ebb_store_fs_write_leave(struct ebb_store_writer *w);
int ebb_store_fs_write_sweep(struct ebb_store *s, const char *key, const char *tag,
			     struct ebb_err *err);

#endif
