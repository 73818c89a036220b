/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The S3 store: a bucket, or what lies below a prefix of one.
 *
 * Promises of servers differ, so nothing is believed that can be read back: the class, the size and the entity tag of what was
 * written or copied, access lists and tags after a copy, the marker of a hidden object. What a server cannot keep is refused.
 *
 * Metadata. get_meta and set_meta carry what a file has in user metadata of the object (x-amz-meta-ebb-mtime, -ebb-atime, -ebb-mode,
 * -ebb-uid, -ebb-gid, -ebb-xattrs) and show what an object has as attributes:
 *   s3.content-type, s3.cache-control, s3.content-disposition, s3.content-encoding, s3.content-language, s3.expires
 *   s3.meta.NAME    other user metadata        s3.tag.NAME    tags
 * Writers leave their tag (-ebb-tag), to know their own object again. User metadata ends at 2 KiB; what does not fit is refused. Parts that an object does not carry read as 0 (owner, mode) or as the time
 * of last modification.
 *
 * Threads: as store.h says.
 */
#ifndef EBB_SCANNERS_STORE_S3_H
#define EBB_SCANNERS_STORE_S3_H

#include "scanners/s3.h"
#include "scanners/store.h"

extern const struct ebb_store_ops ebb_store_s3_ops;

/* The client of a store of this type, for what stores do not do (tags, lifecycle, listings); NULL for others. */
struct ebb_s3 *ebb_store_s3_client(struct ebb_store *s);

/* What keys of the store have in front of them in the bucket: "" or "data/". */
const char *ebb_store_s3_prefix(const struct ebb_store *s);

/* Whether a bucket keeps versions, as it said when the store was opened. */
enum ebb_store_s3_versions {
	EBB_STORE_S3_UNKNOWN,	/* it does not say, or not to us */
	EBB_STORE_S3_NEVER,
	EBB_STORE_S3_SUSPENDED,	/* it did: what was written then still has versions; writes and deletes replace the version "null" */
	EBB_STORE_S3_ENABLED	/* EBB_CAP_VERSIONS */
};

/* *ret_mfa: no version goes for good without a second factor (MFA Delete), which ebb has not. */
enum ebb_store_s3_versions ebb_store_s3_versioning(const struct ebb_store *s, bool *ret_mfa);

/* Sizes at which requests change form. Zero leaves one as it is. For tests: no server is asked whether it agrees. */
struct ebb_store_s3_limits {
	int64_t part;		/* bytes of an uploaded part; less is one PUT. 16 MiB */
	int64_t copy;		/* most bytes of one CopyObject. 5 GiB */
	int64_t copy_part;	/* bytes of a copied part. 1 GiB */
};
void ebb_store_s3_set_limits(struct ebb_store *s, const struct ebb_store_s3_limits *limits);

/* --- For store_s3_*.c --- */

struct ebb_store_s3 {
	struct ebb_store base;
	struct ebb_s3 *s3;
	char *prefix;		/* "" or ends in '/' */
	char *sse, *sse_key;	/* may be NULL */
	bool customer_key;	/* everything is encrypted with a key that the client has; sse is NULL */
	struct ebb_store_s3_limits limits;
	bool must_be_private, must_be_encrypted;
	enum ebb_store_s3_versions versions;
	bool mfa_delete;
	bool conditions;	/* the store is known to honour if-none-match in buckets with versions (AWS; Ceph does not) */
};

/* A key with its NUL, as the bucket has it. */
#define EBB_STORE_S3_KEY (EBB_STORE_OBJECT_KEY_MAX + 1)

/* The bucket's key of a store's key. -EBB_EINVAL when it is too long with the prefix, or not UTF-8. */
int ebb_store_s3_key(const struct ebb_store_s3 *s, const char *key, char out[EBB_STORE_S3_KEY],
		     struct ebb_err *err);

/* What is known of one object, from the header of an answer to HEAD or GET. */
struct ebb_store_s3_object {
	struct ebb_record rec;
	char etag[128];		/* without quotes */
	char version[128];	/* "" when the bucket has no versions */
	char class[64];
	char sse[32], sse_key[300];
	int64_t tags;		/* how many, as far as the server says */
	bool md5;		/* the entity tag is the MD5 of the content */
	bool locked;		/* retention or legal hold */
	bool customer_key;	/* encrypted with a key that the server does not keep */
};

/* Fill it in from the header of @call; the record's key is @key. -EBB_ECORRUPT without size. */
int ebb_store_s3_object(const struct ebb_s3_call *call, const char *key, struct ebb_store_s3_object *ret,
			struct ebb_err *err);

/*
 * HEAD. @call (uninitialised before, to be released after, also on failure) keeps the header for ebb_store_s3_meta_read.
 *
 * @expect  as for ebb_store_check.
 */
int ebb_store_s3_head(struct ebb_store_s3 *s, const char *key, const struct ebb_record *expect,
		      struct ebb_s3_call *call, struct ebb_store_s3_object *ret, struct ebb_err *err);

/* Metadata of an object, and which parts of it the object carries itself (enum ebb_meta_parts). */
struct ebb_store_s3_meta {
	struct ebb_meta m;
	uint32_t has;
};

/* Read it from a header (tags are asked for when the header says that there are any). @ret is initialised here; release ret->m. */
int ebb_store_s3_meta_read(struct ebb_store_s3 *s, const char *key, const struct ebb_s3_call *header,
			   const struct ebb_store_s3_object *o, struct ebb_store_s3_meta *ret, struct ebb_err *err);

/* Add the headers that make an object have it, tags among them. -EBB_ENOTSUP for what cannot be carried. */
int ebb_store_s3_meta_send(const struct ebb_store_s3_meta *m, struct ebb_s3_call *call, struct ebb_err *err);

/* Set the tags of an object to those of @m. */
int ebb_store_s3_meta_tags(struct ebb_store_s3 *s, const char *key, const struct ebb_meta *m, struct ebb_err *err);

/* Do two have the same tags? */
bool ebb_store_s3_meta_same_tags(const struct ebb_meta *a, const struct ebb_meta *b);

/* What the configuration requires of the bucket, and of an object just written: 0, -EBB_ESTORE; -EBB_EMISMATCH. */
int ebb_store_s3_guard_bucket(struct ebb_store_s3 *s, struct ebb_err *err);
int ebb_store_s3_guard_seal(struct ebb_store *s, enum ebb_meta_seal *ret, struct ebb_err *err);
int ebb_store_s3_guard_object(const struct ebb_store_s3 *s, const char *key, const struct ebb_store_s3_object *o, struct ebb_err *err);

/* Headers about class and encryption of what is written. */
void ebb_store_s3_write_headers(const struct ebb_store_s3 *s, const char *class, struct ebb_s3_call *call);

/*
 * Copy an object, on the server's side, onto itself or to another key, and read back what became of it.
 *
 * @from   as it was seen; *@o its HEAD.
 * @meta   what the copy is to carry.
 * @class  of the copy.
 */
int ebb_store_s3_copy_object(struct ebb_store_s3 *s, const char *from, const struct ebb_store_s3_object *o,
			     const char *to, const char *class, const struct ebb_store_s3_meta *meta,
			     struct ebb_store_s3_object *ret, struct ebb_err *err);

/*
 * Of an object just written with version @id: does another one lie directly below it, that was there before?
 *
 * @return  1 or 0.
 */
int ebb_store_s3_version_second(struct ebb_store_s3 *s, const char *key, const char *id, struct ebb_err *err);

/*
 * While versioning is suspended a write or a delete marker takes the place of the version "null", wherever among the versions of its key it
 * stands. Would one that nobody named be lost so, below the object *@o? Asks nothing in other buckets.
 *
 * @return  0; -EBB_ENOTSUP: it would.
 */
int ebb_store_s3_version_spares(struct ebb_store_s3 *s, const char *key, const struct ebb_store_s3_object *o, struct ebb_err *err);

/* Remove one version for good, of a key as the bucket has it. */
int ebb_store_s3_version_drop(struct ebb_store_s3 *s, const char *full, const char *id, struct ebb_err *err);

/* The same for the version directly below version @id of a key, if it is what @expect says; 0 also when it is not. */
int ebb_store_s3_version_drop_second(struct ebb_store_s3 *s, const char *key, const char *id,
				     const struct ebb_record *expect, struct ebb_err *err);

/* Operations of the table in store_s3.c. */
int ebb_store_s3_meta_get(struct ebb_store *s, const char *key, struct ebb_meta *ret, struct ebb_err *err);
int ebb_store_s3_meta_set(struct ebb_store *s, const char *key, const struct ebb_meta *meta, uint32_t what,
			  struct ebb_err *err);
int ebb_store_s3_read_open(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			   struct ebb_store_reader **ret, struct ebb_err *err);
int ebb_store_s3_read_from(struct ebb_store *s, const char *key, const struct ebb_record *expect, int64_t off,
			   struct ebb_store_reader **ret, struct ebb_err *err);
int64_t ebb_store_s3_read_some(struct ebb_store_reader *r, void *buf, size_t len, struct ebb_err *err);
int ebb_store_s3_read_hole(struct ebb_store_reader *r, int64_t *ret_hole, struct ebb_err *err);
int ebb_store_s3_read_verify(struct ebb_store_reader *r, struct ebb_err *err);
void ebb_store_s3_read_close(struct ebb_store_reader *r);
int ebb_store_s3_read_range(struct ebb_store *s, const char *key, const struct ebb_record *expect, int64_t off,
			    void *buf, size_t len, struct ebb_err *err);
int ebb_store_s3_write_open(struct ebb_store *s, const char *key, const struct ebb_store_write_opts *opts,
			    struct ebb_store_writer **ret, struct ebb_err *err);
int ebb_store_s3_write_some(struct ebb_store_writer *w, const void *buf, size_t len, struct ebb_err *err);
int ebb_store_s3_write_hole(struct ebb_store_writer *w, int64_t len, struct ebb_err *err);
int ebb_store_s3_write_commit(struct ebb_store_writer *w, const struct ebb_meta *meta, uint32_t what,
			      struct ebb_record *ret, struct ebb_err *err);
int ebb_store_s3_write_mark(struct ebb_store_writer *w, struct ebb_store_mark *ret, struct ebb_err *err);
void ebb_store_s3_write_leave(struct ebb_store_writer *w);
void ebb_store_s3_write_abort(struct ebb_store_writer *w);
int ebb_store_s3_write_sweep(struct ebb_store *s, const char *key, const char *tag, struct ebb_err *err);
int ebb_store_s3_copy(struct ebb_store *s, const char *from, const char *to, const char *class,
		      const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err);
int ebb_store_s3_copy_replace(struct ebb_store *s, const char *key, const struct ebb_record *expect, bool again,
			      const char *from, const struct ebb_record *from_rec, struct ebb_record *ret, struct ebb_err *err);
bool ebb_store_s3_copy_can_take(const struct ebb_store *to, const struct ebb_store *from);
int ebb_store_s3_copy_take(struct ebb_store *to, const char *to_key, struct ebb_store *from, const char *key,
			   const struct ebb_record *expect, const struct ebb_store_write_opts *opts, struct ebb_record *ret,
			   struct ebb_err *err);
int ebb_store_s3_copy_class(struct ebb_store *s, const char *key, const char *class,
			    const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err);
int ebb_store_s3_thaw_state(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			    enum ebb_store_sleep *ret, struct ebb_store_rest *ret_rest, struct ebb_err *err);
int ebb_store_s3_thaw_ask(struct ebb_store *s, const char *key, const char *speed, unsigned days, struct ebb_err *err);
int ebb_store_s3_version_hide(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			      struct ebb_err *err);
int ebb_store_s3_version_show(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			      struct ebb_err *err);
int ebb_store_s3_version_hidden(struct ebb_store *s, const char *key, const struct ebb_record *expect,
				struct ebb_err *err);
int ebb_store_s3_version_remove(struct ebb_store *s, const char *key, const struct ebb_record *expect,
				struct ebb_err *err);

#endif
