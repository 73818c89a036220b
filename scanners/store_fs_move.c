/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scanners/store_fs.h"

#define PLACE EBB_CLEANUP(ebb_store_fs_path_release) struct ebb_store_fs_path

/*
 * The fallback for filesystems that refuse RENAME_NOREPLACE (NFS, CIFS, some FUSE). linkat fails on
 * an existing name as atomically as renameat2 would. A plain renameat after a look would not: what
 * appears in between is lost. Killed between link and unlink both names stand for the same file,
 * which loses nothing.
 */
int ebb_store_fs_move_by_link(const struct ebb_store_fs_path *from,
			      const struct ebb_store_fs_path *to)
{
	struct stat st;

	if (fstatat(from->dir, from->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (linkat(from->dir, from->name, to->dir, to->name, 0) < 0)
		return errno;
	return unlinkat(from->dir, from->name, 0) < 0 ? errno : 0;
}

int ebb_store_fs_move(const struct ebb_store_fs_path *from, const struct ebb_store_fs_path *to)
{
	if (renameat2(from->dir, from->name, to->dir, to->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return errno;
	return ebb_store_fs_move_by_link(from, to);
}

/* Hold what stands at the place and check that it is what was expected. */
static int hold(const struct ebb_store_fs_path *p, const char *key, const struct ebb_record *expect,
		int *ret_fd, struct statx *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd =
		openat(p->dir, p->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct ebb_record now;
	struct statx st;

	if (fd < 0)
		return ebb_store_fs_path_fail(err, errno, "open", key);
	int rc = ebb_store_fs_path_fstat(fd, key, &st, err);
	if (rc < 0)
		return rc;
	ebb_store_fs_path_record(&st, key, &now);
	rc = ebb_store_expect(&now, expect, err);
	if (rc < 0)
		return rc;
	*ret = st;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static bool same_inode(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
	       a->stx_dev_minor == b->stx_dev_minor;
}

int ebb_store_fs_move_arrived(const struct ebb_store_fs_path *from,
			      const struct ebb_store_fs_path *to, const char *from_key,
			      const char *to_key, const struct statx *held, struct ebb_err *err)
{
	struct statx st;
	int rc = ebb_store_fs_path_stat(to, to_key, &st, err);

	if (rc < 0)
		return rc;
	if (same_inode(&st, held))
		return 0;
	if (ebb_store_fs_move(to, from) != 0)
		return ebb_err_set(err, EBB_ECHANGED,
				   "'%s' was replaced while it was moved; what replaced it is at '%s'",
				   from_key, to_key);
	return ebb_err_set(err, EBB_ECHANGED, "'%s' was replaced while it was moved", from_key);
}

int ebb_store_fs_move_rename(struct ebb_store *store, const char *from_key, const char *to_key,
			     const struct ebb_record *expect, struct ebb_err *err)
{
	const struct ebb_store_fs *s = (const struct ebb_store_fs *)store;
	PLACE from = EBB_STORE_FS_PATH_INIT;
	PLACE to = EBB_STORE_FS_PATH_INIT;
	EBB_CLEANUP(ebb_mem_closep) int held = -1;
	struct statx st;

	int rc = ebb_store_fs_path_init(s, from_key, O_RDONLY, &from, err);
	if (rc == 0)
		rc = ebb_store_fs_path_init(s, to_key, O_RDONLY, &to, err);
	if (rc == 0)
		rc = hold(&from, from_key, expect, &held, &st, err);
	if (rc < 0)
		return rc;

	int sys = ebb_store_fs_move(&from, &to);
	if (sys == EXDEV || sys == EISDIR)
		return ebb_err_set(err, EBB_ENOTSUP, "cannot move '%s' to '%s': %s", from_key, to_key,
				   sys == EXDEV ? "another filesystem is mounted there"
						: "this filesystem cannot do it safely");
	if (sys != 0)
		return ebb_err_sys(err, sys, "cannot move '%s' to '%s'", from_key, to_key);
	rc = ebb_store_fs_move_arrived(&from, &to, from_key, to_key, &st, err);
	/* The new name first: a power cut between the two may show both names, never none. */
	int synced = ebb_store_fs_path_sync(to.dir, to_key, err);
	if (synced == 0)
		synced = ebb_store_fs_path_sync(from.dir, from_key, err);
	return rc < 0 ? rc : synced;
}

/* linkat with the name, not with what is held, which would take a privilege: what arrived is compared with it. */
int ebb_store_fs_move_link(struct ebb_store *store, const char *from_key, const char *to_key,
			   const struct ebb_record *expect, struct ebb_err *err)
{
	const struct ebb_store_fs *s = (const struct ebb_store_fs *)store;
	PLACE from = EBB_STORE_FS_PATH_INIT;
	PLACE to = EBB_STORE_FS_PATH_INIT;
	EBB_CLEANUP(ebb_mem_closep) int held = -1;
	struct statx st, there;

	int rc = ebb_store_fs_path_init(s, from_key, O_RDONLY, &from, err);
	if (rc == 0)
		rc = ebb_store_fs_path_init(s, to_key, O_RDONLY, &to, err);
	if (rc == 0)
		rc = hold(&from, from_key, expect, &held, &st, err);
	if (rc < 0)
		return rc;
	if (linkat(from.dir, from.name, to.dir, to.name, 0) < 0)
		return errno == EMLINK || errno == EXDEV || errno == EPERM
			       ? ebb_err_set(err, EBB_ENOTSUP, "cannot give '%s' the name '%s': %s", from_key,
					     to_key, strerrordesc_np(errno))
			       : ebb_err_sys(err, errno, "cannot give '%s' the name '%s'", from_key, to_key);
	rc = ebb_store_fs_path_stat(&to, to_key, &there, err);
	if (rc == 0 && !same_inode(&there, &st)) {
		unlinkat(to.dir, to.name, 0); /* a name that we made of a stranger, who has his own */
		return ebb_err_set(err, EBB_ECHANGED, "'%s' was replaced while it got another name", from_key);
	}
	return rc < 0 ? rc : ebb_store_fs_path_sync(to.dir, to_key, err);
}

/* The window between the look and the unlink is discussed in DESIGN.md. */
int ebb_store_fs_move_remove(struct ebb_store *store, const char *key, const struct ebb_record *expect,
			     struct ebb_err *err)
{
	const struct ebb_store_fs *s = (const struct ebb_store_fs *)store;
	PLACE p = EBB_STORE_FS_PATH_INIT;
	EBB_CLEANUP(ebb_mem_closep) int held = -1;
	struct statx st;

	int rc = ebb_store_fs_path_init(s, key, O_RDONLY, &p, err);
	if (rc == 0)
		rc = hold(&p, key, expect, &held, &st, err);
	if (rc < 0)
		return rc;
	if (unlinkat(p.dir, p.name, 0) < 0)
		return ebb_store_fs_path_fail(err, errno, "remove", key);
	return ebb_store_fs_path_sync(p.dir, key, err);
}
