/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Members of packs as libarchive's entries, both ways. pax headers: names of any length and bytes, times
 * to the nanosecond, attributes as SCHILY.xattr, ACLs as SCHILY.acl (GNU tar restores both with --xattrs
 * --acls), holes as GNU.sparse.
 *
 * libarchive takes names through the locale; every function here works in C.UTF-8 whatever the program's
 * is, so that names come through as the bytes they are.
 *
 * Threads: any; one locale is made at the first use and kept for good.
 */
#ifndef EBB_COMPRESS_PACK_TAR_H
#define EBB_COMPRESS_PACK_TAR_H

#include "compress/pack.h"

struct archive;
struct archive_entry;

/* What a thread's locale was; see ebb_pack_tar_enter. */
struct ebb_pack_tar_locale {
	void *was;	/* NULL: it was left alone */
};

/* Set this thread's locale for libarchive; put it back with leave. */
struct ebb_pack_tar_locale ebb_pack_tar_enter(void);
void ebb_pack_tar_leave(struct ebb_pack_tar_locale *l);

/*
 * Fill a new libarchive entry.
 *
 * @return  0; -EBB_ENOTSUP: what tar cannot carry (an attribute with '=' in its name, an ACL that does not
 *          parse); -EBB_EINVAL for a key that is none; -EBB_ENOMEM.
 */
int ebb_pack_tar_put(struct archive_entry *e, const struct ebb_pack_entry *m, struct ebb_err *err);

/* What ebb_pack_tar_get gives: the entry and what it borrows. */
struct ebb_pack_tar_owned {
	struct ebb_pack_entry entry;
	struct ebb_pack_xattr *xattrs;	/* entry.xattrs */
	uint8_t acl[2 + 32 * 1024];	/* value of the ACL */
};

/*
 * Read an entry back. It is borrowed from @e and *ret, to be released either way.
 *
 * @return  0; -EBB_ECORRUPT: no regular file (links, devices and folders are not written by packs), or a
 *          name that leads elsewhere; -EBB_ENOMEM.
 */
int ebb_pack_tar_get(struct archive_entry *e, struct ebb_pack_tar_owned *ret, struct ebb_err *err);
void ebb_pack_tar_release(struct ebb_pack_tar_owned *o);

#endif
