/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/proof.h"

#include <stdlib.h>
#include <string.h>

#include "compress/pipe.h"
#include "scanners/meta.h"
#include "scanners/proof_new.h"
#include "scanners/store.h"

struct ebb_proof {
	const struct ebb_store *store;
	bool replaced;		/* the object is no more; its place may be tidied up */
	struct ebb_record rec;	/* its key is the one below */
	char key[];
};

/* A record that could not tell a changed object from an unchanged one makes no proof. */
int ebb_proof_check_record(const char *key, const struct ebb_record *rec, struct ebb_err *err)
{
	if (rec && ebb_record_has(rec, EBB_F_SIZE) && ebb_record_has(rec, EBB_F_MTIME))
		return 0;
	return ebb_err_set(err, EBB_EINVAL, "size and modification time of '%s' are not known", key);
}

int ebb_proof_new(const struct ebb_store *s, const char *key, const struct ebb_record *rec,
		     struct ebb_proof **ret, struct ebb_err *err)
{
	size_t len = strlen(key);
	struct ebb_proof *p = malloc(sizeof(*p) + len + 1);

	if (!p)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a proof about '%s'", key);
	memcpy(p->key, key, len + 1);
	p->store = s;
	p->replaced = false;
	p->rec = *rec;
	p->rec.key = p->key;
	p->rec.key_len = (uint32_t)len;
	*ret = p;
	return 0;
}

/* Overlapping stores, or a hard link: the "copy" would go with the original. */
static int check_distinct(const struct ebb_proof_copy *c, struct ebb_err *err)
{
	struct ebb_record src, dst;

	if (c->src == c->dst && strcmp(c->src_key, c->dst_key) == 0)
		return ebb_err_set(err, EBB_EINVAL, "'%s' is no copy of itself", c->src_key);
	int rc = ebb_store_head(c->src, c->src_key, &src, err);
	if (rc == 0)
		rc = ebb_store_head(c->dst, c->dst_key, &dst, err);
	if (rc < 0)
		return rc;
	const uint32_t inode = EBB_KNOWN(EBB_F_DEV) | EBB_KNOWN(EBB_F_INO);
	if ((src.known & dst.known & inode) == inode && src.f[EBB_F_DEV] == dst.f[EBB_F_DEV] &&
	    src.f[EBB_F_INO] == dst.f[EBB_F_INO])
		return ebb_err_set(err, EBB_EMISMATCH, "'%s' and its copy '%s' are the same file",
				   c->src_key, c->dst_key);
	return 0;
}

/* Access times are left out: reading either side, by us or anyone, moves them. */
static int check_meta(const struct ebb_proof_copy *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta src = {0};
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta dst = {0};
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta src_there = {0};
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta dst_there = {0};
	const bool dirs = ebb_store_caps(c->dst) & EBB_CAP_DIRS;
	struct ebb_err why = {0};

	if (c->meta == 0)
		return 0;
	int rc = ebb_store_get_meta(c->src, c->src_key, &src, err);
	if (rc == 0)
		rc = ebb_store_get_meta(c->dst, c->dst_key, &dst, err);
	if (rc < 0)
		return rc;
	dst.atime = src.atime;
	rc = ebb_meta_for(&src_there, &src, dirs, err);
	if (rc == 0)
		rc = ebb_meta_for(&dst_there, &dst, dirs, err);
	if (rc < 0)
		return rc;
	rc = ebb_meta_compare(&src_there, &dst_there, c->meta, &why);
	if (rc < 0)
		return ebb_err_set(err, -rc, "copy '%s' of '%s': %s", c->dst_key, c->src_key,
				   why.msg);
	return 0;
}

static int64_t read_piece(void *ctx, void *buf, size_t len, struct ebb_err *err)
{
	return ebb_store_read(ctx, buf, len, err);
}

/* The source, read beside its copy. */
struct twin {
	const struct ebb_proof_copy *c;
	struct ebb_store_reader *src;
	char buf[64 * 1024];
};

static int differs(const struct ebb_proof_copy *c, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_EMISMATCH, "copy '%s' of '%s': the content differs", c->dst_key, c->src_key);
}

static int compare_piece(void *ctx, const void *data, size_t len, struct ebb_err *err)
{
	struct twin *t = ctx;
	const char *p = data;

	while (len > 0) {
		size_t most = len < sizeof(t->buf) ? len : sizeof(t->buf);
		int64_t n = ebb_store_read(t->src, t->buf, most, err);

		if (n < 0)
			return (int)n;
		if (n == 0 || memcmp(p, t->buf, (size_t)n) != 0)
			return differs(t->c, err);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The source ends where its copy ends, and is what it was. */
static int end_of_twin(struct twin *t, struct ebb_err *err)
{
	int64_t n = ebb_store_read(t->src, t->buf, 1, err);

	if (n != 0)
		return n < 0 ? (int)n : differs(t->c, err);
	return ebb_store_read_verify(t->src, err);
}

/* Without reading: the copy is what was committed. Transformed bytes, or a store that checks nothing, cannot be shown so. */
static int check_standing(const struct ebb_proof_copy *c, struct ebb_err *err)
{
	bool checked = c->level == EBB_PROOF_CHECKED;

	if (c->codec || !c->dst_rec || !ebb_record_has(c->dst_rec, EBB_F_SIZE) ||
	    (checked && !(ebb_store_caps(c->dst) & EBB_CAP_CHECKED)))
		return ebb_err_set(err, EBB_EINVAL, "copy '%s' of '%s' must be read back", c->dst_key, c->src_key);
	if (c->dst_rec->f[EBB_F_SIZE] != c->src_rec->f[EBB_F_SIZE])
		return ebb_err_set(err, EBB_EMISMATCH, "copy '%s' of '%s': the size differs", c->dst_key, c->src_key);
	return ebb_store_check(c->dst, c->dst_key, c->dst_rec, err);
}

/*
 * The size bounds what a damaged copy may decode to. A plain copy may be larger: the source
 * decoded.
 */
static int check_content(const struct ebb_proof_copy *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *src = NULL;
	EBB_CLEANUP(ebb_mem_freep) struct twin *twin = NULL;
	struct ebb_pipe_result result;
	struct ebb_err why = {0};

	if (c->level == EBB_PROOF_SIZE || c->level == EBB_PROOF_CHECKED)
		return check_standing(c, err);
	int rc = ebb_store_read_open(c->dst, c->dst_key, NULL, &r, err);
	if (rc == 0 && c->level == EBB_PROOF_BYTES) {
		rc = ebb_store_read_open(c->src, c->src_key, c->src_rec, &src, err);
		if (rc == 0 && !(twin = malloc(sizeof(*twin))))
			rc = ebb_err_set(err, EBB_ENOMEM, "no memory to compare");
		if (rc == 0) {
			twin->c = c;
			twin->src = src;
		}
	}
	if (rc < 0)
		return rc;
	const struct ebb_pipe pipe = {.read = read_piece, .read_ctx = r,
				      .write = twin ? compare_piece : NULL, .write_ctx = twin,
				      .mode = c->codec ? EBB_PIPE_DECODE : EBB_PIPE_COPY,
				      .codec = c->codec,
				      .raw_size = c->codec ? c->src_rec->f[EBB_F_SIZE] : -1};
	rc = ebb_pipe_run(&pipe, &result, &why);
	if (rc < 0)
		return ebb_err_set(err, -rc, "copy '%s' of '%s': %s", c->dst_key, c->src_key,
				   why.msg);
	if (memcmp(result.raw_digest, c->src_digest, EBB_DIGEST_LEN) != 0)
		return differs(c, err);
	rc = ebb_store_read_verify(r, err);
	return rc == 0 && twin ? end_of_twin(twin, err) : rc;
}

int ebb_proof_verified(const struct ebb_proof_copy *c, struct ebb_proof **ret, struct ebb_err *err)
{
	int rc = ebb_proof_check_record(c->src_key, c->src_rec, err);

	if (rc == 0)
		rc = check_distinct(c, err);
	if (rc == 0)
		rc = check_content(c, err);
	if (rc == 0)
		rc = check_meta(c, err);
	if (rc == 0)	/* last: it covers the time that reading took */
		rc = ebb_store_check(c->src, c->src_key, c->src_rec, err);
	return rc < 0 ? rc : ebb_proof_new(c->src, c->src_key, c->src_rec, ret, err);
}

static int digest_of(struct ebb_store *s, const char *key, uint8_t ret[EBB_DIGEST_LEN],
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	struct ebb_pipe_result result;

	int rc = ebb_store_read_open(s, key, NULL, &r, err);
	if (rc < 0)
		return rc;
	const struct ebb_pipe pipe = {.read = read_piece, .read_ctx = r, .raw_size = -1};
	rc = ebb_pipe_run(&pipe, &result, err);
	if (rc < 0)
		return rc;
	memcpy(ret, result.raw_digest, EBB_DIGEST_LEN);
	return ebb_store_read_verify(r, err);
}

/* 1 when the store's own checksums say that both have the same content, 0 when they do not tell. */
static bool same_checksum(const struct ebb_record *a, const struct ebb_record *b)
{
	static const enum ebb_field tag[] = {EBB_F_ETAG_HI, EBB_F_ETAG_LO, EBB_F_PARTS};

	for (size_t i = 0; i < EBB_ARRAY_LEN(tag); i++)
		if (!ebb_record_has(a, tag[i]) || !ebb_record_has(b, tag[i]) ||
		    a->f[tag[i]] != b->f[tag[i]])
			return false;
	return a->f[EBB_F_PARTS] >= 0; /* an opaque tag may be anything */
}

static int check_duplicate(struct ebb_store *s, const char *key, const char *dst_key, struct ebb_err *err)
{
	uint8_t src_digest[EBB_DIGEST_LEN], dst_digest[EBB_DIGEST_LEN];
	struct ebb_record src, dst;
	int rc = ebb_store_head(s, key, &src, err);

	if (rc == 0)
		rc = ebb_store_head(s, dst_key, &dst, err);
	if (rc < 0)
		return rc;
	if (src.f[EBB_F_SIZE] != dst.f[EBB_F_SIZE])
		return ebb_err_set(err, EBB_EMISMATCH, "copy '%s' of '%s': the size differs", dst_key, key);
	if (same_checksum(&src, &dst))
		return 0;
	rc = digest_of(s, key, src_digest, err);
	if (rc == 0)
		rc = digest_of(s, dst_key, dst_digest, err);
	if (rc == 0 && memcmp(src_digest, dst_digest, EBB_DIGEST_LEN) != 0)
		rc = ebb_err_set(err, EBB_EMISMATCH, "copy '%s' of '%s': the content differs", dst_key, key);
	return rc;
}

int ebb_proof_duplicate(struct ebb_store *s, const char *key, const struct ebb_record *rec,
			const char *dst_key, struct ebb_proof **ret, struct ebb_err *err)
{
	const struct ebb_proof_copy c = {
		.src = s, .src_key = key, .src_rec = rec, .dst = s, .dst_key = dst_key,
		.meta = ebb_store_caps(s) & EBB_CAP_META
				? EBB_META_OWNER | EBB_META_MODE | EBB_META_XATTRS : 0,
	};
	int rc = ebb_proof_check_record(key, rec, err);

	if (rc == 0)
		rc = check_distinct(&c, err);
	if (rc == 0)
		rc = check_duplicate(s, key, dst_key, err);
	if (rc == 0)
		rc = check_meta(&c, err);
	if (rc == 0)
		rc = ebb_store_check(s, key, rec, err);
	return rc < 0 ? rc : ebb_proof_new(s, key, rec, ret, err);
}

int ebb_proof_purge(struct ebb_store *s, const char *key, const struct ebb_record *rec,
		    const char *words, struct ebb_proof **ret, struct ebb_err *err)
{
	if (!words || strcmp(words, EBB_PROOF_PURGE_WORDS) != 0)
		return ebb_err_set(err, EBB_EINVAL, "deleting '%s' without trash takes the words '%s'",
				   key, EBB_PROOF_PURGE_WORDS);
	int rc = ebb_proof_check_record(key, rec, err);
	return rc < 0 ? rc : ebb_proof_new(s, key, rec, ret, err);
}

int ebb_proof_expired(struct ebb_store *s, const char *key, const struct ebb_record *rec,
		      int64_t expires, int64_t now, struct ebb_proof **ret, struct ebb_err *err)
{
	static const char trash[] = EBB_PROOF_TRASH;

	if (strncmp(key, trash, sizeof(trash) - 1) != 0 ||
	    ((ebb_store_caps(s) & EBB_CAP_DIRS) && !ebb_store_key_ok(key)))
		return ebb_err_set(err, EBB_EINVAL, "'%s' is not in the trash", key);
	if (now < expires)
		return ebb_err_set(err, EBB_EINVAL, "'%s' has not expired", key);
	int rc = ebb_proof_check_record(key, rec, err);
	return rc < 0 ? rc : ebb_proof_new(s, key, rec, ret, err);
}

int ebb_proof_hidden(struct ebb_store *s, const char *key, const struct ebb_record *rec,
		     int64_t expires, int64_t now, struct ebb_proof **ret, struct ebb_err *err)
{
	if (now < expires)
		return ebb_err_set(err, EBB_EINVAL, "'%s' has not expired", key);
	int rc = ebb_proof_check_record(key, rec, err);
	if (rc == 0 && (rc = ebb_store_hidden(s, key, rec, err)) == 0)
		rc = ebb_err_set(err, EBB_ECHANGED, "'%s' is not hidden", key);
	return rc < 0 ? rc : ebb_proof_new(s, key, rec, ret, err);
}

int ebb_proof_original(struct ebb_store *s, const char *key, const struct ebb_record *rec,
		       struct ebb_store *src, const char *src_key, const struct ebb_record *src_rec,
		       struct ebb_proof **ret, struct ebb_err *err)
{
	const struct ebb_proof_copy c = {.src = src, .src_key = src_key, .dst = s, .dst_key = key};
	int rc = ebb_proof_check_record(key, rec, err);

	if (rc == 0)
		rc = ebb_proof_check_record(src_key, src_rec, err);
	if (rc == 0 && rec->f[EBB_F_SIZE] != src_rec->f[EBB_F_SIZE])
		rc = ebb_err_set(err, EBB_EMISMATCH, "copy '%s' of '%s': the size differs", key, src_key);
	if (rc == 0)
		rc = check_distinct(&c, err);
	if (rc == 0)
		rc = ebb_store_check(s, key, rec, err);
	if (rc == 0)
		rc = ebb_store_check(src, src_key, src_rec, err);
	return rc < 0 ? rc : ebb_proof_new(s, key, rec, ret, err);
}

int ebb_proof_linked(struct ebb_store *s, const char *key, const char *other, struct ebb_proof **ret,
		     struct ebb_err *err)
{
	const uint32_t inode = EBB_KNOWN(EBB_F_DEV) | EBB_KNOWN(EBB_F_INO);
	struct ebb_record a, b;
	int rc = ebb_store_head(s, key, &a, err);

	if (rc == 0)
		rc = ebb_store_head(s, other, &b, err);
	if (rc < 0)
		return rc;
	if (strcmp(key, other) == 0 || (a.known & b.known & inode) != inode ||
	    a.f[EBB_F_DEV] != b.f[EBB_F_DEV] || a.f[EBB_F_INO] != b.f[EBB_F_INO])
		return ebb_err_set(err, EBB_ECHANGED, "'%s' is no other name of '%s'", key, other);
	a.known &= ~EBB_KNOWN(EBB_F_CTIME); /* it moves when further names come and go */
	rc = ebb_proof_check_record(key, &a, err);
	return rc < 0 ? rc : ebb_proof_new(s, key, &a, ret, err);
}

int ebb_proof_replaced(const struct ebb_proof_copy *c, struct ebb_proof **ret, struct ebb_err *err)
{
	struct ebb_proof_copy content = *c, meta = *c;
	int rc = ebb_proof_check_record(c->src_key, c->src_rec, err);

	content.level = EBB_PROOF_DIGEST;
	meta.meta = ebb_store_caps(c->src) & EBB_CAP_META ? EBB_META_OWNER | EBB_META_MODE | EBB_META_XATTRS : 0;
	if (rc == 0 && c->src != c->dst)
		rc = ebb_err_set(err, EBB_EINVAL, "nothing can be replaced from another store");
	if (rc == 0)
		rc = check_distinct(c, err);
	if (rc == 0)
		rc = check_content(&content, err);
	if (rc == 0)
		rc = check_duplicate(c->src, c->dst_key, c->src_key, err);
	if (rc == 0)
		rc = check_meta(&meta, err);
	if (rc == 0)
		rc = ebb_proof_new(c->src, c->src_key, c->src_rec, ret, err);
	if (rc == 0)
		(*ret)->replaced = true;
	return rc;
}

const struct ebb_store *ebb_proof_store(const struct ebb_proof *p)
{
	return p->store;
}

const char *ebb_proof_key(const struct ebb_proof *p)
{
	return p->key;
}

const struct ebb_record *ebb_proof_record(const struct ebb_proof *p)
{
	return &p->rec;
}

bool ebb_proof_is_replaced(const struct ebb_proof *p)
{
	return p->replaced;
}

void ebb_proof_free(struct ebb_proof *p)
{
	free(p);
}
