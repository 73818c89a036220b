/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "scanners/inode.h"
#include "scanners/store_fs.h"

/*
 * XFS shows POSIX ACLs twice to root: as system.posix_acl_* and under the names it stores them by.
 * The second are no attributes of their own: setting them elsewhere would make a stray, removing
 * them would drop the ACL.
 */
static bool is_shadow(const char *name)
{
	static const char xfs[] = "trusted.SGI_ACL_";

	return strncmp(name, xfs, sizeof(xfs) - 1) == 0;
}

static int read_one(int fd, const char *key, const char *name, void *value, struct ebb_meta *ret,
		    struct ebb_err *err)
{
	ssize_t len = fgetxattr(fd, name, value, XATTR_SIZE_MAX);

	if (len < 0 && errno == ENODATA)	/* went since it was listed */
		return 0;
	if (len < 0)
		return ebb_err_sys(err, errno, "cannot read attribute '%s' of '%s'", name, key);
	return ebb_meta_add(ret, name, value, (size_t)len, err);
}

/* The kernel bounds names and values (xattr(7)), so two buffers of that size fit everything. */
static int read_xattrs(int fd, const char *key, struct ebb_meta *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *names = malloc(XATTR_LIST_MAX);
	EBB_CLEANUP(ebb_mem_freep) void *value = malloc(XATTR_SIZE_MAX);

	if (!names || !value)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for attributes of '%s'", key);
	ssize_t len = flistxattr(fd, names, XATTR_LIST_MAX);
	if (len < 0 && errno == EOPNOTSUPP)
		return 0;
	if (len < 0)
		return ebb_err_sys(err, errno, "cannot list attributes of '%s'", key);
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		int rc = is_shadow(name) ? 0 : read_one(fd, key, name, value, ret, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int ebb_store_fs_meta_read(int fd, const char *key, struct ebb_meta *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta m = {0};
	struct statx st;

	int rc = ebb_store_fs_path_fstat(fd, key, &st, err);
	if (rc == 0)
		rc = read_xattrs(fd, key, &m, err);
	if (rc < 0)
		return rc;
	m.uid = st.stx_uid;
	m.gid = st.stx_gid;
	m.mode = st.stx_mode & 07777;
	m.mtime = ebb_inode_ns(&st.stx_mtime);
	m.atime = ebb_inode_ns(&st.stx_atime);
	ebb_meta_release(ret);
	*ret = m;
	ebb_meta_init(&m);
	return 0;
}

static int apply_owner(int fd, const char *key, const struct ebb_meta *meta,
		       const struct ebb_meta *now, struct ebb_err *err)
{
	if (meta->uid == now->uid && meta->gid == now->gid)
		return 0;
	if (fchown(fd, meta->uid, meta->gid) < 0)
		return ebb_err_sys(err, errno,
				   "cannot keep owner %" PRIu32 ":%" PRIu32 " on '%s'", meta->uid,
				   meta->gid, key);
	return 0;
}

/* ENOSPC here says that one inode has no room for it, not that the store is full. */
static int xattr_fail(struct ebb_err *err, int sys, const char *verb, const char *name,
		      const char *key)
{
	if (sys == EOPNOTSUPP || sys == ENOSPC || sys == E2BIG || sys == ERANGE)
		return ebb_err_set(err, EBB_ENOTSUP, "cannot %s attribute '%s' on '%s': %s", verb,
				   name, key,
				   sys == EOPNOTSUPP ? "the filesystem does not support it"
						     : "the filesystem has no room for it");
	return ebb_err_sys(err, sys, "cannot %s attribute '%s' on '%s'", verb, name, key);
}

static bool same_value(const struct ebb_meta_xattr *a, const struct ebb_meta_xattr *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->value, b->value, a->len) == 0);
}

/*
 * Others go first (an ACL inherited from the directory), and what is right already is left alone.
 */
static int apply_xattrs(int fd, const char *key, const struct ebb_meta *meta,
			const struct ebb_meta *now, struct ebb_err *err)
{
	for (size_t i = 0; i < now->nxattrs; i++) {
		const char *name = now->xattrs[i].name;

		if (!ebb_meta_find(meta, name) && fremovexattr(fd, name) < 0 && errno != ENODATA)
			return xattr_fail(err, errno, "remove", name, key);
	}
	for (size_t i = 0; i < meta->nxattrs; i++) {
		const struct ebb_meta_xattr *x = &meta->xattrs[i];
		const struct ebb_meta_xattr *y = ebb_meta_find(now, x->name);

		if (y && same_value(x, y))
			continue;
		if (fsetxattr(fd, x->name, x->value ? x->value : "", x->len, 0) < 0)
			return xattr_fail(err, errno, "keep", x->name, key);
	}
	return 0;
}

static struct timespec timespec_of(int64_t ns)
{
	const int64_t second = 1000000000;
	int64_t rest = ns % second;

	/* division rounds towards zero: a time before 1970 belongs to the second before */
	return (struct timespec){.tv_sec = ns / second - (rest < 0),
				 .tv_nsec = rest < 0 ? rest + second : rest};
}

/* Where inode.c stops: the true time is unknown. */
static bool is_beyond(int64_t ns)
{
	return ns == INT64_MIN || ns == INT64_MAX;
}

static int apply_times(int fd, const char *key, const struct ebb_meta *meta, struct ebb_err *err)
{
	const struct timespec times[2] = {timespec_of(meta->atime), timespec_of(meta->mtime)};

	if (is_beyond(meta->atime) || is_beyond(meta->mtime))
		return ebb_err_set(err, EBB_ENOTSUP,
				   "cannot keep times on '%s': they lie beyond what 64 bits of "
				   "nanoseconds hold", key);
	if (futimens(fd, times) < 0)
		return ebb_err_sys(err, errno, "cannot keep times on '%s'", key);
	return 0;
}

/*
 * Some systems take a value and store another one: chmod drops set-group-id silently, coarse clocks
 * round.
 */
static int see_that_it_holds(int fd, const char *key, const struct ebb_meta *meta, uint32_t what,
			     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta now = {0};
	struct ebb_err why = {0};

	int rc = ebb_store_fs_meta_read(fd, key, &now, err);
	if (rc < 0)
		return rc;
	rc = ebb_meta_compare(meta, &now, what, &why);
	if (rc < 0)
		return ebb_err_set(err, -rc, "'%s' does not keep its metadata: %s", key, why.msg);
	return 0;
}

/*
 * The order matters: a new owner clears set-user-id and file capabilities, an ACL rewrites the
 * mode, and all of these leave the times alone.
 */
int ebb_store_fs_meta_apply(int fd, const char *key, const struct ebb_meta *meta, uint32_t what,
			    struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta now = {0};

	if (what == 0)
		return 0;
	int rc = ebb_store_fs_meta_read(fd, key, &now, err);
	if (rc == 0 && (what & EBB_META_OWNER))
		rc = apply_owner(fd, key, meta, &now, err);
	if (rc == 0 && (what & EBB_META_OWNER))
		rc = ebb_store_fs_meta_read(fd, key, &now, err);
	if (rc == 0 && (what & EBB_META_XATTRS))
		rc = apply_xattrs(fd, key, meta, &now, err);
	if (rc == 0 && (what & EBB_META_MODE) && fchmod(fd, meta->mode & 07777) < 0)
		rc = ebb_err_sys(err, errno, "cannot keep mode %04" PRIo32 " on '%s'", meta->mode,
				 key);
	if (rc == 0 && (what & EBB_META_TIMES))
		rc = apply_times(fd, key, meta, err);
	return rc < 0 ? rc : see_that_it_holds(fd, key, meta, what, err);
}

int ebb_store_fs_meta_get(struct ebb_store *s, const char *key, struct ebb_meta *ret,
			  struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	struct statx st;
	int rc = ebb_store_fs_path_open((const struct ebb_store_fs *)s, key, &fd, &st, err);

	return rc < 0 ? rc : ebb_store_fs_meta_read(fd, key, ret, err);
}

int ebb_store_fs_meta_set(struct ebb_store *s, const char *key, const struct ebb_meta *meta,
			  uint32_t what, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	struct statx st;
	int rc = ebb_store_fs_path_open((const struct ebb_store_fs *)s, key, &fd, &st, err);

	if (rc == 0)
		rc = ebb_store_fs_meta_apply(fd, key, meta, what, err);
	if (rc < 0)
		return rc;
	return TEMP_FAILURE_RETRY(fsync(fd)) < 0 ? ebb_store_fs_path_fail(err, errno, "sync", key)
						 : 0;
}
