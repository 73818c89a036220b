/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "compress/digest.h"
#include "scanners/store_fs.h"

/* Not in linux/magic.h of Debian 12. */
#define MAGIC_BCACHEFS 0xca451a4e

/* Extents asked for in one call. */
#define EXTENTS 256

/* Bytes shared in one call: what btrfs does at most. */
#define SHARE (INT64_C(16) * 1024 * 1024)

bool ebb_store_fs_share_known(int root)
{
	struct statfs fs;

	if (fstatfs(root, &fs) < 0)
		return false;
	return (uint32_t)fs.f_type == BTRFS_SUPER_MAGIC || (uint32_t)fs.f_type == XFS_SUPER_MAGIC ||
	       (uint32_t)fs.f_type == OCFS2_SUPER_MAGIC || (uint32_t)fs.f_type == MAGIC_BCACHEFS;
}

/* Extents from @at on into @map. Returns how many, or -1 with errno. */
static int ask(int fd, uint64_t at, struct fiemap *map)
{
	memset(map, 0, sizeof(*map));
	map->fm_start = at;
	map->fm_length = FIEMAP_MAX_OFFSET - at;
	map->fm_flags = FIEMAP_FLAG_SYNC;
	map->fm_extent_count = EXTENTS;
	return ioctl(fd, FS_IOC_FIEMAP, map) < 0 ? -1 : (int)map->fm_mapped_extents;
}

/* Extents that say nothing of a place on the medium. */
#define PLACELESS                                                                                  \
	(FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_DATA_INLINE |              \
	 FIEMAP_EXTENT_NOT_ALIGNED)

/* Add the extents to the digest. Returns 1 when the last was among them, 0 when not, -1 when they say nothing. */
static int add(struct ebb_digest *d, const struct fiemap *map, int n, bool *shared, uint64_t *next)
{
	for (int i = 0; i < n; i++) {
		const struct fiemap_extent *e = &map->fm_extents[i];
		uint64_t v[3] = {e->fe_logical, e->fe_physical, e->fe_length};

		if (e->fe_flags & PLACELESS)
			return -1;
		*shared |= (e->fe_flags & FIEMAP_EXTENT_SHARED) != 0;
		*next = e->fe_logical + e->fe_length;
		ebb_digest_update(d, v, sizeof(v));
		if (e->fe_flags & FIEMAP_EXTENT_LAST)
			return 1;
	}
	return n < EXTENTS;
}

int ebb_store_fs_share_extents(struct ebb_store *s, const char *key, uint64_t *ret,
			       struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	EBB_CLEANUP(ebb_digest_release) struct ebb_digest d = {0};
	/* zeroed, as memcheck does not know what the kernel fills in */
	EBB_CLEANUP(ebb_mem_freep) struct fiemap *map =
		calloc(1, sizeof(*map) + EXTENTS * sizeof(struct fiemap_extent));
	uint8_t sum[EBB_DIGEST_MAX];
	uint64_t at = 0, id;
	bool shared = false;
	struct statx st;
	int done = 0;

	int rc = map ? ebb_store_fs_path_open((const struct ebb_store_fs *)s, key, &fd, &st, err)
		     : ebb_err_set(err, EBB_ENOMEM, "no memory to look at '%s'", key);
	if (rc == 0)
		rc = ebb_digest_init(&d, &ebb_digest_xxh128, err);
	while (rc == 0 && done == 0) {
		int n = ask(fd, at, map);

		if (n < 0)
			return ebb_store_fs_path_fail(err, errno, "find the blocks of", key);
		done = add(&d, map, n, &shared, &at);
	}
	if (rc == 0)
		rc = ebb_digest_final(&d, sum, err);
	if (rc < 0)
		return rc;
	memcpy(&id, sum, sizeof(id));
	*ret = shared && done == 1 ? id | 1 : 0;
	return 0;
}

/* Open, and see that it is what is expected. */
static int open_expected(const struct ebb_store_fs *s, const char *key, const struct ebb_record *expect,
			 int *ret, struct ebb_err *err)
{
	struct ebb_record now;
	struct statx st;
	int rc = ebb_store_fs_path_open(s, key, ret, &st, err);

	if (rc < 0)
		return rc;
	ebb_store_fs_path_record(&st, key, &now);
	return ebb_store_expect(&now, expect, err);
}

static int refused(struct ebb_err *err, int sys, const char *to)
{
	if (sys == EINVAL || sys == EXDEV || sys == EOPNOTSUPP || sys == ENOTTY)
		return ebb_err_set(err, EBB_ENOTSUP, "cannot let '%s' share blocks: %s", to,
				   sys == EXDEV ? "it lies on another filesystem"
						: "this filesystem cannot do it");
	return ebb_store_fs_path_fail(err, sys, "let share blocks", to);
}

/* One piece. Returns the bytes shared, or an error. */
static int64_t share_piece(int from, int to, int64_t at, int64_t len, const char *to_key,
			   struct ebb_err *err)
{
	union {
		struct file_dedupe_range range;
		char room[sizeof(struct file_dedupe_range) + sizeof(struct file_dedupe_range_info)];
	} u = {0};
	struct file_dedupe_range_info *info = u.range.info;

	u.range.src_offset = (uint64_t)at;
	u.range.src_length = (uint64_t)len;
	u.range.dest_count = 1;
	info->dest_fd = to;
	info->dest_offset = (uint64_t)at;
	if (TEMP_FAILURE_RETRY(ioctl(from, FIDEDUPERANGE, &u.range)) < 0)
		return refused(err, errno, to_key);
	if (info->status == FILE_DEDUPE_RANGE_DIFFERS)
		return ebb_err_set(err, EBB_EMISMATCH, "the content of '%s' differs", to_key);
	if (info->status < 0)
		return refused(err, -info->status, to_key);
	if (info->bytes_deduped == 0)
		return ebb_err_set(err, EBB_EIO, "the filesystem shares nothing of '%s'", to_key);
	return (int64_t)info->bytes_deduped;
}

int ebb_store_fs_share_blocks(struct ebb_store *base, const char *from_key,
			      const struct ebb_record *from_rec, const char *to_key,
			      const struct ebb_record *to_rec, struct ebb_err *err)
{
	const struct ebb_store_fs *s = (const struct ebb_store_fs *)base;
	EBB_CLEANUP(ebb_mem_closep) int from = -1;
	EBB_CLEANUP(ebb_mem_closep) int to = -1;
	int rc = open_expected(s, from_key, from_rec, &from, err);
	struct stat a, b;

	if (rc == 0)
		rc = open_expected(s, to_key, to_rec, &to, err);
	if (rc < 0)
		return rc;
	if (fstat(from, &a) < 0 || fstat(to, &b) < 0)
		return ebb_store_fs_path_fail(err, errno, "look at", to_key);
	if (a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return ebb_err_set(err, EBB_EINVAL, "'%s' is '%s' itself", to_key, from_key);
	if (a.st_size != b.st_size)
		return ebb_err_set(err, EBB_EMISMATCH, "the content of '%s' differs", to_key);
	for (int64_t at = 0, n; at < a.st_size; at += n) {
		n = share_piece(from, to, at, a.st_size - at < SHARE ? a.st_size - at : SHARE, to_key,
				err);
		if (n < 0)
			return (int)n;
	}
	if (TEMP_FAILURE_RETRY(fsync(to)) < 0)
		return ebb_store_fs_path_fail(err, errno, "sync", to_key);
	return 0;
}
