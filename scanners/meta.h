/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Metadata that must survive when an object moves: owner, mode, times, extended attributes (POSIX
 * ACLs are the xattrs system.posix_acl_access and system.posix_acl_default).
 *
 * Threads: a struct ebb_meta belongs to one thread at a time.
 */
#ifndef EBB_SCANNERS_META_H
#define EBB_SCANNERS_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* Parts, for set_meta, commit and comparison. */
enum ebb_meta_parts {
	EBB_META_OWNER = 1 << 0,	/* uid, gid */
	EBB_META_MODE = 1 << 1,		/* permission bits */
	EBB_META_TIMES = 1 << 2,	/* mtime and atime */
	EBB_META_XATTRS = 1 << 3,	/* all extended attributes, ACLs among them */
	EBB_META_ALL = 15,
	EBB_META_SEAL = 1 << 4		/* compare only: the second is encrypted at least as the first is */
};

/* How a store says that an object is encrypted, the weakest first. */
enum ebb_meta_seal {
	EBB_META_OPEN,			/* not at all, or it does not say: directories */
	EBB_META_SEALED,		/* by the store, with a key of its own */
	EBB_META_KEYED			/* with a key that somebody manages: a key service's, the customer's */
};

/* Longest name of a key that is told apart, with its NUL; longer ones are cut. */
#define EBB_META_SEAL_KEY 300

struct ebb_meta_xattr {
	char *name;		/* owned */
	void *value;		/* owned, NULL when empty */
	size_t len;
};

struct ebb_meta {
	uint32_t uid, gid;
	uint32_t mode;			/* permission bits, 07777 */
	int64_t mtime, atime;		/* ns since the epoch */
	struct ebb_meta_xattr *xattrs;	/* sorted by name; owned */
	size_t nxattrs;
	enum ebb_meta_seal seal;	/* as it was read; written and kept nowhere */
	char seal_key[EBB_META_SEAL_KEY];	/* KEYED: which key, by the name that the store gives it; "" when it gives none */
	bool locked;			/* likewise: retention or legal hold */
};

/* Prepare it: everything 0, no attributes. */
void ebb_meta_init(struct ebb_meta *m);

/* Free the attributes; unusable until the next init. A zeroed struct is accepted. */
void ebb_meta_release(struct ebb_meta *m);

/* Back to what init made. */
void ebb_meta_clear(struct ebb_meta *m);

/*
 * Insert a copy of an attribute; keeps the order by name (strcmp).
 *
 * @return  0; -EBB_EINVAL when one of that name is there already; -EBB_ENOMEM.
 */
int ebb_meta_add(struct ebb_meta *m, const char *name, const void *value, size_t len,
		 struct ebb_err *err);

/*
 * Make the initialised @ret equal to @m, with copies of all attributes. Returns 0 or -EBB_ENOMEM.
 */
int ebb_meta_copy(struct ebb_meta *ret, const struct ebb_meta *m, struct ebb_err *err);

/*
 * Make the initialised @ret what @m becomes in a store with (@dirs) or without directories. What a bucket says of an object besides
 * ("s3.content-type", "s3.tag.x") are attributes of users on a filesystem ("user.s3.content-type"), and the same again in a bucket.
 *
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_meta_for(struct ebb_meta *ret, const struct ebb_meta *m, bool dirs, struct ebb_err *err);

/* True when nobody ever said owner and mode: an object of a bucket that was no file before. */
bool ebb_meta_bare(const struct ebb_meta *m);

/* The attribute of that name, or NULL. Lives until the attributes of @m change. */
const struct ebb_meta_xattr *ebb_meta_find(const struct ebb_meta *m, const char *name);

/*
 * Compare the parts @what; times are compared to the nanosecond.
 *
 * @return  0, or -EBB_EMISMATCH with the first difference in the message ("first" is @a).
 */
int ebb_meta_compare(const struct ebb_meta *a, const struct ebb_meta *b, uint32_t what,
		     struct ebb_err *err);

/*
 * Whether @b is encrypted as @a is, at least: not weaker, and by the same key when that of @a is somebody's own.
 *
 * @return  0; -EBB_ENOTSUP with the reason, of which @a is the subject.
 */
int ebb_meta_sealed_as(const struct ebb_meta *a, const struct ebb_meta *b, struct ebb_err *err);

#endif
