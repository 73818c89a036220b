/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/pack_tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/le.h"

#define ACL_NAME "system.posix_acl_access"
#define ACL_VERSION 2	/* linux/posix_acl_xattr.h */
#define ACL_HEAD 4
#define ACL_ROW 8
#define NS INT64_C(1000000000)

/* The kernel's tags and libarchive's. */
static const struct {
	uint16_t kernel;
	int archive;
} tags[] = {
	{0x01, ARCHIVE_ENTRY_ACL_USER_OBJ},  {0x02, ARCHIVE_ENTRY_ACL_USER},
	{0x04, ARCHIVE_ENTRY_ACL_GROUP_OBJ}, {0x08, ARCHIVE_ENTRY_ACL_GROUP},
	{0x10, ARCHIVE_ENTRY_ACL_MASK},	     {0x20, ARCHIVE_ENTRY_ACL_OTHER},
};

/* One locale for all threads and for good: making and freeing one a member costs, and has glibc's lists change under readers. */
static locale_t utf8;
static pthread_once_t utf8_once = PTHREAD_ONCE_INIT;

static void make_utf8(void)
{
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

struct ebb_pack_tar_locale ebb_pack_tar_enter(void)
{
	pthread_once(&utf8_once, make_utf8);
	/* Without that locale only names beyond ASCII suffer: libarchive refuses them. */
	return (struct ebb_pack_tar_locale){utf8 ? uselocale(utf8) : NULL};
}

void ebb_pack_tar_leave(struct ebb_pack_tar_locale *l)
{
	if (l->was)
		uselocale(l->was);
}

/* Floor of ns to seconds, and the rest. */
static void split(int64_t ns, int64_t *sec, long *rest)
{
	*sec = ns / NS - (ns % NS < 0);
	*rest = (long)(ns - *sec * NS);
}

/* An ACL as the kernel gives it (linux/posix_acl_xattr.h): version, then tag, permissions and id. */
static int put_acl(struct archive_entry *e, const struct ebb_pack_xattr *x, struct ebb_err *err)
{
	const uint8_t *p = x->value;
	bool ok = x->len >= ACL_HEAD && (x->len - ACL_HEAD) % ACL_ROW == 0 &&
		  ebb_le_get32(p) == ACL_VERSION;

	for (size_t at = ACL_HEAD; ok && at < x->len; at += ACL_ROW) {
		uint16_t tag = ebb_le_get16(p + at), perm = ebb_le_get16(p + at + 2);
		uint32_t id = ebb_le_get32(p + at + 4);
		size_t i = 0;

		while (i < EBB_ARRAY_LEN(tags) && tags[i].kernel != tag)
			i++;
		ok = i < EBB_ARRAY_LEN(tags) && perm <= 7 &&
		     archive_entry_acl_add_entry(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, perm, tags[i].archive,
						 id == UINT32_MAX ? -1 : (int)id, NULL) == ARCHIVE_OK;
	}
	return ok ? 0 : ebb_err_set(err, EBB_ENOTSUP, "an ACL that tar cannot carry");
}

static int put_xattrs(struct archive_entry *e, const struct ebb_pack_entry *m, struct ebb_err *err)
{
	for (size_t i = 0; i < m->nxattrs; i++) {
		const struct ebb_pack_xattr *x = &m->xattrs[i];
		int r = 0;

		if (strchr(x->name, '='))
			r = ebb_err_set(err, EBB_ENOTSUP, "tar cannot carry an attribute named '%s'",
					x->name);
		else if (strcmp(x->name, ACL_NAME) == 0)
			r = put_acl(e, x, err);
		else
			archive_entry_xattr_add_entry(e, x->name, x->value, x->len);
		if (r < 0)
			return r;
	}
	return 0;
}

int ebb_pack_tar_put(struct archive_entry *e, const struct ebb_pack_entry *m, struct ebb_err *err)
{
	int64_t sec;
	long ns;

	if (!ebb_pack_key_ok(m->key))
		return ebb_err_set(err, EBB_EINVAL, "no name for a member of a pack: '%s'", m->key);
	archive_entry_clear(e);
	archive_entry_set_pathname(e, m->key);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, m->mode);
	archive_entry_set_uid(e, m->uid);
	archive_entry_set_gid(e, m->gid);
	archive_entry_set_size(e, m->size);
	split(m->mtime, &sec, &ns);
	archive_entry_set_mtime(e, sec, ns);
	split(m->atime, &sec, &ns);
	archive_entry_set_atime(e, sec, ns);
	for (size_t i = 0; i < m->nextents; i++)
		archive_entry_sparse_add_entry(e, m->extents[i].off, m->extents[i].len);
	return put_xattrs(e, m, err);
}

void ebb_pack_tar_release(struct ebb_pack_tar_owned *o)
{
	free(o->xattrs);
	o->xattrs = NULL;
}

/* The kernel's value of the entry's ACL; its length, 0 for none, -1: too long. */
static ssize_t get_acl(struct archive_entry *e, uint8_t *p, size_t room, uint32_t *mode)
{
	int type, perm, tag, id;
	const char *name;
	size_t at = ACL_HEAD;

	if (archive_entry_acl_reset(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS) <= 3)
		return 0; /* no more than the mode says */
	ebb_le_put32(p, ACL_VERSION);
	while (archive_entry_acl_next(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, &type, &perm, &tag, &id, &name) ==
	       ARCHIVE_OK) {
		size_t i = 0;

		while (i < EBB_ARRAY_LEN(tags) && tags[i].archive != tag)
			i++;
		if (i == EBB_ARRAY_LEN(tags) || at + ACL_ROW > room)
			return -1;
		bool named = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;
		ebb_le_put32(p + at, (uint32_t)tags[i].kernel | (uint32_t)(perm & 7) << 16);
		ebb_le_put32(p + at + 4, named ? (uint32_t)id : UINT32_MAX);
		/* With a mask the kernel shows it as the group's bits of the mode. */
		if (tag == ARCHIVE_ENTRY_ACL_MASK)
			*mode = (*mode & ~070u) | (uint32_t)(perm & 7) << 3;
		at += ACL_ROW;
	}
	return (ssize_t)at;
}

/* The kernel keeps rows by tag, then by id; libarchive puts the three of the mode first. */
static int by_tag(const void *a, const void *b)
{
	const uint8_t *x = a, *y = b;
	uint16_t s = ebb_le_get16(x), t = ebb_le_get16(y);
	uint32_t i = ebb_le_get32(x + 4), j = ebb_le_get32(y + 4);

	return s != t ? (s > t) - (s < t) : (i > j) - (i < j);
}

static int by_name(const void *a, const void *b)
{
	const struct ebb_pack_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int get_xattrs(struct archive_entry *e, struct ebb_pack_tar_owned *o, struct ebb_err *err)
{
	ssize_t acl = get_acl(e, o->acl, sizeof(o->acl), &o->entry.mode);
	size_t n = (size_t)archive_entry_xattr_reset(e), got = 0;

	if (acl < 0)
		return ebb_err_set(err, EBB_ECORRUPT, "pack: a member's ACL makes no sense");
	o->xattrs = calloc(n + 1, sizeof(*o->xattrs));
	if (!o->xattrs)
		return ebb_err_set(err, EBB_ENOMEM, "pack: no memory");
	for (struct ebb_pack_xattr *x = o->xattrs; got < n; x++, got++) {
		if (archive_entry_xattr_next(e, &x->name, &x->value, &x->len) != ARCHIVE_OK)
			break;
	}
	if (acl > 0) {
		qsort(o->acl + ACL_HEAD, ((size_t)acl - ACL_HEAD) / ACL_ROW, ACL_ROW, by_tag);
		o->xattrs[got++] = (struct ebb_pack_xattr){ACL_NAME, o->acl, (size_t)acl};
	}
	qsort(o->xattrs, got, sizeof(*o->xattrs), by_name);
	o->entry.xattrs = o->xattrs;
	o->entry.nxattrs = got;
	return 0;
}

/* Nanoseconds, within what fits. */
static int64_t join(int64_t sec, long ns)
{
	int64_t r;

	if (__builtin_mul_overflow(sec, NS, &r) || __builtin_add_overflow(r, (int64_t)ns, &r))
		return sec < 0 ? INT64_MIN : INT64_MAX;
	return r;
}

int ebb_pack_tar_get(struct archive_entry *e, struct ebb_pack_tar_owned *ret, struct ebb_err *err)
{
	const char *key = archive_entry_pathname(e);

	ret->xattrs = NULL;
	if (!key || !ebb_pack_key_ok(key))
		return ebb_err_set(err, EBB_ECORRUPT,
				   "pack: a member's name is empty, absolute, or leads out with '..'");
	if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) ||
	    archive_entry_size(e) < 0)
		return ebb_err_set(err, EBB_ECORRUPT, "pack: member '%s' is no plain file", key);
	ret->entry = (struct ebb_pack_entry){
		.key = key, .size = archive_entry_size(e), .mode = archive_entry_perm(e),
		.uid = (uint32_t)archive_entry_uid(e), .gid = (uint32_t)archive_entry_gid(e),
		.mtime = join(archive_entry_mtime(e), archive_entry_mtime_nsec(e)),
		.atime = join(archive_entry_atime(e), archive_entry_atime_nsec(e)),
	};
	return get_xattrs(e, ret, err);
}
