/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/store_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scanners/inode.h"

/*
 * glibc of Debian 12 has no wrapper. Magic links of /proc are symlinks too, so NO_SYMLINKS covers
 * them.
 */
int ebb_store_fs_path_openat2(int dir, const char *name, int flags)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

	return (int)TEMP_FAILURE_RETRY(syscall(SYS_openat2, dir, name, &how, sizeof(how)));
}

int ebb_store_fs_path_fail(struct ebb_err *err, int sys, const char *verb, const char *key)
{
	if (sys == ELOOP)
		return ebb_err_set(err, EBB_ENOENT, "cannot %s '%s': a symlink stands in the way",
				   verb, key);
	return ebb_err_sys(err, sys, "cannot %s '%s'", verb, key);
}

/* Length of @key without the '/' that marks directories. */
static size_t bare_len(const char *key)
{
	size_t len = strlen(key);

	return key[len - 1] == '/' ? len - 1 : len;
}

int ebb_store_fs_path_init(const struct ebb_store_fs *s, const char *key, int flags,
			   struct ebb_store_fs_path *ret, struct ebb_err *err)
{
	char parent[EBB_KEY_MAX + 1] = ".";
	size_t len = bare_len(key);
	const char *slash = memrchr(key, '/', len);
	const char *name = slash ? slash + 1 : key;
	size_t nlen = len - (size_t)(name - key);

	if (nlen > NAME_MAX)
		return ebb_store_fs_path_fail(err, ENAMETOOLONG, "open", key);
	if (nlen == 0) {	/* EBB_STORE_ROOT */
		name = ".";
		nlen = 1;
	}
	if (slash) {
		memcpy(parent, key, (size_t)(slash - key));
		parent[slash - key] = '\0';
	}

	int dir = ebb_store_fs_path_openat2(s->root, parent, flags | O_DIRECTORY);
	if (dir < 0)
		return ebb_store_fs_path_fail(err, errno, "open the directory of", key);
	ret->dir = dir;
	memcpy(ret->name, name, nlen);
	ret->name[nlen] = '\0';
	return 0;
}

void ebb_store_fs_path_release(struct ebb_store_fs_path *p)
{
	ebb_mem_closep(&p->dir);
	p->dir = -1;
}

/* FORCE_SYNC: a network filesystem must ask its server, not answer from its cache. */
static int stat_fresh(int fd, const char *name, const char *key, struct statx *ret,
		      struct ebb_err *err)
{
	struct statx st;
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_FORCE_SYNC |
		    (*name ? 0 : AT_EMPTY_PATH);
	bool dir = key[strlen(key) - 1] == '/';

	if (statx(fd, name, flags, EBB_INODE_MASK, &st) < 0)
		return ebb_store_fs_path_fail(err, errno, "look at", key);
	if (dir != S_ISDIR(st.stx_mode))
		return ebb_store_fs_path_fail(err, dir ? ENOTDIR : ENOENT, "look at", key);
	*ret = st;
	return 0;
}

int ebb_store_fs_path_stat(const struct ebb_store_fs_path *p, const char *key, struct statx *ret,
			   struct ebb_err *err)
{
	return stat_fresh(p->dir, p->name, key, ret, err);
}

int ebb_store_fs_path_fstat(int fd, const char *key, struct statx *ret, struct ebb_err *err)
{
	return stat_fresh(fd, "", key, ret, err);
}

static int refuse_unreadable(const struct statx *st, const char *key, struct ebb_err *err)
{
	if (S_ISREG(st->stx_mode) || S_ISDIR(st->stx_mode))
		return 0;
	return ebb_err_set(err, EBB_ENOTSUP, "cannot open '%s': it is a %s", key,
			   S_ISLNK(st->stx_mode) ? "symlink" : "special file");
}

int ebb_store_fs_path_open(const struct ebb_store_fs *s, const char *key, int *ret_fd,
			   struct statx *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_fs_path_release)
	struct ebb_store_fs_path p = EBB_STORE_FS_PATH_INIT;
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	/* NONBLOCK and NOCTTY: should a pipe or terminal slip in between, opening it does no harm. */
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct statx st;

	int rc = ebb_store_fs_path_init(s, key, O_PATH, &p, err);
	if (rc == 0)
		rc = ebb_store_fs_path_stat(&p, key, &st, err);
	if (rc == 0)
		rc = refuse_unreadable(&st, key, err);
	if (rc < 0)
		return rc;

	fd = TEMP_FAILURE_RETRY(openat(p.dir, p.name, flags | O_NOATIME));
	if (fd < 0 && errno == EPERM)	/* neither owner nor root */
		fd = TEMP_FAILURE_RETRY(openat(p.dir, p.name, flags));
	if (fd < 0)
		return ebb_store_fs_path_fail(err, errno, "open", key);
	rc = ebb_store_fs_path_fstat(fd, key, &st, err);
	if (rc == 0)
		rc = refuse_unreadable(&st, key, err);
	if (rc < 0)
		return rc;
	*ret = st;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

void ebb_store_fs_path_record(const struct statx *st, const char *key, struct ebb_record *ret)
{
	ebb_inode_record(st, ret);
	ret->key = key;
	ret->key_len = (uint32_t)strlen(key);
}

/*
 * EINVAL: the filesystem has no such operation on directories; then its entries are as durable as
 * it makes them.
 */
int ebb_store_fs_path_sync(int dir, const char *key, struct ebb_err *err)
{
	if (TEMP_FAILURE_RETRY(fsync(dir)) < 0 && errno != EINVAL)
		return ebb_store_fs_path_fail(err, errno, "sync the directory of", key);
	return 0;
}
