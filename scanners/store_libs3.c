/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/store_libs3.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libs3.h>

#include "compress/digest.h"
#include "core/base64.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/secret.h"
#include "core/text.h"
#include "scanners/creds.h"
#include "scanners/http.h"

#define KEYS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_.~-"
#define PIECE ((size_t)1 << 20)		/* bytes of one ranged request of a reader */
#define PUT_MAX ((int64_t)5 << 30)	/* S3 API Reference, PutObject */
#define ATTEMPTS 4

struct store {
	struct ebb_store base;
	char *bucket, *prefix, *host;
	bool path_style;
	struct ebb_creds creds;
};

static S3BucketContext context(const struct store *s)
{
	return (S3BucketContext){.hostName = s->host, .bucketName = s->bucket, .protocol = S3ProtocolHTTP,
				 .uriStyle = s->path_style ? S3UriStylePath : S3UriStyleVirtualHost,
				 .accessKeyId = s->creds.access_key,
				 .secretAccessKey = ebb_secret_expose(s->creds.secret, NULL)};
}

/* --- Requests --- */

/* What every request ends with, and what its header said. */
struct outcome {
	S3Status status;
	char message[200], etag[64];
	int64_t size, modified;
	struct ebb_buf *into;	/* of a GET */
	FILE *from;		/* of a PUT */
};

static S3Status on_properties(const S3ResponseProperties *p, void *ctx)
{
	struct outcome *o = ctx;
	const char *etag = p->eTag ? p->eTag : "";
	size_t len = strlen(etag);

	if (len >= 2 && etag[0] == '"' && etag[len - 1] == '"')
		etag++, len -= 2;
	snprintf(o->etag, sizeof(o->etag), "%.*s", (int)len, etag);
	o->size = (int64_t)p->contentLength;
	o->modified = p->lastModified;
	return S3StatusOK;
}

static void on_complete(S3Status status, const S3ErrorDetails *details, void *ctx)
{
	struct outcome *o = ctx;

	o->status = status;
	snprintf(o->message, sizeof(o->message), "%s%s%s", S3_get_status_name(status), details && details->message ? ": " : "",
		 details && details->message ? details->message : "");
}

static const S3ResponseHandler plain = {on_properties, on_complete};

static int code_of(S3Status status)
{
	switch (status) {
	case S3StatusOK:
		return 0;
	case S3StatusHttpErrorNotFound:
	case S3StatusErrorNoSuchKey:
		return -EBB_ENOENT;
	case S3StatusErrorNoSuchBucket:
	case S3StatusErrorInvalidAccessKeyId:
	case S3StatusErrorSignatureDoesNotMatch:
		return -EBB_ESTORE;
	case S3StatusErrorAccessDenied:
	case S3StatusHttpErrorForbidden:
		return -EBB_EACCES;
	case S3StatusErrorPreconditionFailed:
		return -EBB_ECHANGED;
	case S3StatusErrorInvalidRange:
		return -EBB_ECORRUPT;
	case S3StatusOutOfMemory:
		return -EBB_ENOMEM;
	default:
		return S3_status_is_retryable(status) ? -EBB_ETRANSIENT : -EBB_EIO;
	}
}

static int end(const struct store *s, const struct outcome *o, const char *what, const char *key, struct ebb_err *err)
{
	char shown[EBB_TEXT_QUOTED];
	int rc = code_of(o->status);

	return rc < 0 ? ebb_err_set(err, -rc, "%s of '%s' in bucket '%s': %s", what,
				    ebb_text_quotes(key, shown, sizeof(shown)), s->bucket, o->message)
		      : 0;
}

/* A component "." or "..": libcurl resolves them in what libs3 hands it. */
static bool has_dots(const char *key)
{
	for (const char *p = key;; p++) {
		size_t n = strcspn(p, "/");

		if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return true;
		p += n;
		if (!*p)
			return false;
	}
}

/* The bucket's key of a store's key, if libs3 can be trusted with it. */
static int full_key(const struct store *s, const char *key, char out[EBB_STORE_OBJECT_KEY_MAX + 1], struct ebb_err *err)
{
	char shown[EBB_TEXT_QUOTED];

	if (strspn(key, KEYS) != strlen(key) || has_dots(key))
		return ebb_err_set(err, EBB_EINVAL,
				   "'%s': the libs3 driver takes only keys of A-Z a-z 0-9 / _ . ~ - without /./ and /../ (use type s3)",
				   ebb_text_quotes(key, shown, sizeof(shown)));
	if ((size_t)snprintf(out, EBB_STORE_OBJECT_KEY_MAX + 1, "%s%s", s->prefix, key) > EBB_STORE_OBJECT_KEY_MAX)
		return ebb_err_set(err, EBB_EINVAL, "'%s' is too long behind the prefix of the store", key);
	return 0;
}

static int head(const struct store *s, const char *key, struct outcome *o, struct ebb_err *err)
{
	S3BucketContext c = context(s);
	char full[EBB_STORE_OBJECT_KEY_MAX + 1];
	int rc = full_key(s, key, full, err);

	for (int i = 0; rc == 0 && i < ATTEMPTS; i++) {
		*o = (struct outcome){0};
		S3_head_object(&c, full, NULL, &plain, o);
		if (code_of(o->status) != -EBB_ETRANSIENT)
			break;
	}
	return rc < 0 ? rc : end(s, o, "head", key, err);
}

static void record_of(const char *key, int64_t size, int64_t modified, const char *etag, struct ebb_record *ret)
{
	*ret = (struct ebb_record){.key = key, .key_len = (uint32_t)strlen(key)};
	ebb_record_set(ret, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(ret, EBB_F_SIZE, size);
	if (modified > 0) {
		ebb_record_set(ret, EBB_F_MTIME, modified * EBB_CLOCK_SECOND);
		ebb_record_set(ret, EBB_F_CTIME, modified * EBB_CLOCK_SECOND);
	}
	if (*etag)
		ebb_record_etag(ret, etag, strlen(etag));
}

static int check(const struct store *s, const char *key, const struct ebb_record *expect, struct outcome *o,
		 struct ebb_record *ret, struct ebb_err *err)
{
	struct ebb_err why = {0};
	int rc = head(s, key, o, err);

	if (rc < 0)
		return rc;
	record_of(key, o->size, o->modified, o->etag, ret);
	rc = ebb_store_expect(ret, expect, &why);
	return rc < 0 ? ebb_err_set(err, -rc, "'%s' %s", key, why.msg) : 0;
}

static int libs3_head(struct ebb_store *base, const char *key, struct ebb_record *ret, struct ebb_err *err)
{
	struct ebb_record rec;
	struct outcome o;
	int rc = check((struct store *)base, key, NULL, &o, &rec, err);

	if (rc == 0)
		*ret = rec;
	return rc;
}

/* --- Listing --- */

struct listing {
	struct outcome o;	/* first: on_complete sees it */
	const struct store *s;
	ebb_store_list_fn *fn;
	void *ctx;
	int rc;
	bool more;
	char last[EBB_STORE_OBJECT_KEY_MAX + 1];
	struct ebb_err *err;
};

static int tell(struct listing *l, const S3ListBucketContent *c)
{
	size_t skip = strlen(l->s->prefix), len = strlen(c->eTag ? c->eTag : "");
	char etag[64] = "", shown[EBB_TEXT_QUOTED];
	struct ebb_record rec;

	if (strlen(c->key) <= skip)
		return 0;
	if (strspn(c->key, KEYS) != strlen(c->key))
		return ebb_err_set(l->err, EBB_ENOTSUP, "bucket '%s' holds '%s', which the libs3 driver cannot name (use type s3)",
				   l->s->bucket, ebb_text_quotes(c->key, shown, sizeof(shown)));
	if (len >= 2)
		snprintf(etag, sizeof(etag), "%.*s", (int)len - 2, c->eTag + 1);
	snprintf(l->last, sizeof(l->last), "%s", c->key);
	record_of(l->last + skip, (int64_t)c->size, c->lastModified, etag, &rec);
	return l->fn(l->ctx, &rec, l->err);
}

static S3Status on_list(int truncated, const char *marker, int n, const S3ListBucketContent *contents, int nprefixes,
			const char **prefixes, void *ctx)
{
	struct listing *l = ctx;

	(void)marker, (void)nprefixes, (void)prefixes;
	l->more = truncated;
	for (int i = 0; i < n && l->rc >= 0; i++)
		l->rc = tell(l, &contents[i]);
	return l->rc < 0 ? S3StatusAbortedByCallback : S3StatusOK;
}

static int libs3_list(struct ebb_store *base, const char *prefix, const char *after, ebb_store_list_fn *fn, void *ctx,
		      struct ebb_err *err)
{
	struct store *s = (struct store *)base;
	const S3ListBucketHandler handler = {plain, on_list};
	struct listing l = {.s = s, .fn = fn, .ctx = ctx, .err = err};
	S3BucketContext c = context(s);
	char full[EBB_STORE_OBJECT_KEY_MAX + 1];
	int rc = full_key(s, prefix, full, err);

	if (rc == 0 && *after)
		rc = full_key(s, after, l.last, err);
	do {
		char marker[EBB_STORE_OBJECT_KEY_MAX + 1];

		if (rc < 0)
			return rc;
		memcpy(marker, l.last, sizeof(marker));
		l.more = false;
		S3_list_bucket(&c, full, *marker ? marker : NULL, NULL, 1000, NULL, &handler, &l);
		rc = l.rc < 0 ? l.rc : end(s, &l.o, "list", full, err);
		if (rc == 0 && l.more && strcmp(marker, l.last) >= 0)
			rc = ebb_err_set(err, EBB_ECORRUPT, "bucket '%s' lists nothing new and says there is more", s->bucket);
	} while (rc < 0 || l.more);
	return 0;
}

/* --- Reading: range by range, so that nothing has to wait in between --- */

struct reader {
	struct ebb_store_reader base;
	struct ebb_record rec;
	struct ebb_buf window;
	size_t taken;
	int64_t pos;		/* of the next range */
	char etag[64];
	char key[];
};

static S3Status on_data(int n, const char *p, void *ctx)
{
	struct outcome *o = ctx;

	return ebb_buf_add(o->into, p, (size_t)n) < 0 ? S3StatusAbortedByCallback : S3StatusOK;
}

/* Exactly @len bytes at @off, of the object with that tag. */
static int get(const struct store *s, const char *key, const char *etag, int64_t off, size_t len, struct ebb_buf *into,
	       struct ebb_err *err)
{
	const S3GetObjectHandler handler = {plain, on_data};
	const S3GetConditions same = {.ifModifiedSince = -1, .ifNotModifiedSince = -1, .ifMatchETag = etag};
	S3BucketContext c = context(s);
	char full[EBB_STORE_OBJECT_KEY_MAX + 1];
	struct outcome o = {0};
	int rc = full_key(s, key, full, err);

	for (int i = 0; rc == 0 && i < ATTEMPTS; i++) {
		o = (struct outcome){.into = into};
		ebb_buf_clear(into);
		S3_get_object(&c, full, &same, (uint64_t)off, len, NULL, &handler, &o);
		if (code_of(o.status) != -EBB_ETRANSIENT)
			break;
	}
	rc = rc < 0 ? rc : end(s, &o, "get", key, err);
	if (rc == 0 && into->len != len)
		rc = ebb_err_set(err, EBB_ECORRUPT, "'%s': %zu bytes came when asked for %zu", key, into->len, len);
	return rc;
}

static int libs3_read_open(struct ebb_store *base, const char *key, const struct ebb_record *expect,
			   struct ebb_store_reader **ret, struct ebb_err *err)
{
	struct store *s = (struct store *)base;
	struct ebb_record rec;
	struct outcome o;
	int rc = check(s, key, expect, &o, &rec, err);

	if (rc < 0)
		return rc;
	struct reader *r = calloc(1, sizeof(*r) + strlen(key) + 1);
	if (!r)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read '%s'", key);
	memcpy(r->key, key, strlen(key) + 1);
	memcpy(r->etag, o.etag, sizeof(r->etag));
	r->base.store = base;
	r->rec = rec;
	r->rec.key = r->key;
	ebb_buf_init(&r->window, PIECE);
	*ret = &r->base;
	return 0;
}

static int64_t libs3_read(struct ebb_store_reader *base, void *buf, size_t len, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;
	int64_t left = r->rec.f[EBB_F_SIZE] - r->pos;

	if (len && r->taken == r->window.len && left > 0) {
		size_t n = left < (int64_t)PIECE ? (size_t)left : PIECE;
		int rc = get((struct store *)base->store, r->key, r->etag, r->pos, n, &r->window, err);

		r->taken = 0;
		if (rc < 0) {
			ebb_buf_clear(&r->window);
			return rc;
		}
		r->pos += (int64_t)n;
	}
	if (len > r->window.len - r->taken)
		len = r->window.len - r->taken;
	if (len)
		memcpy(buf, r->window.data + r->taken, len);
	r->taken += len;
	return (int64_t)len;
}

static int libs3_read_hole(struct ebb_store_reader *base, int64_t *ret_hole, struct ebb_err *err)
{
	(void)base;
	(void)err;
	*ret_hole = 0;
	return 0;
}

static int libs3_read_verify(struct ebb_store_reader *base, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;
	struct ebb_record now;
	struct ebb_err why = {0};
	struct outcome o;
	int rc = check((struct store *)base->store, r->key, &r->rec, &o, &now, &why);

	return rc < 0 ? ebb_err_set(err, rc == -EBB_ENOENT ? EBB_ECHANGED : -rc, "%s", why.msg) : 0;
}

static void libs3_read_close(struct ebb_store_reader *base)
{
	struct reader *r = (struct reader *)base;

	ebb_buf_release(&r->window);
	free(r);
}

static int libs3_read_range(struct ebb_store *base, const char *key, const struct ebb_record *expect, int64_t off,
			    void *buf, size_t len, struct ebb_err *err)
{
	struct store *s = (struct store *)base;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf into = EBB_BUF_INIT(len ? len : 1);
	struct ebb_record rec;
	struct outcome o;
	int rc = check(s, key, expect, &o, &rec, err);

	if (rc == 0 && (off > o.size || (int64_t)len > o.size - off))
		rc = ebb_err_set(err, EBB_ECORRUPT, "'%s' ends before byte %" PRId64, key, off + (int64_t)len);
	if (rc == 0 && len)
		rc = get(s, key, o.etag, off, len, &into, err);
	if (rc == 0 && len)
		memcpy(buf, into.data, len);
	return rc;
}

/* --- Writing: into a file first, since libs3 wants the length before --- */

struct writer {
	struct ebb_store_writer base;
	FILE *spool;
	int64_t size;
	struct ebb_digest md5;
	const char *key;	/* the caller's */
};

static int libs3_write_open(struct ebb_store *base, const char *key, const struct ebb_store_write_opts *opts,
			    struct ebb_store_writer **ret, struct ebb_err *err)
{
	char full[EBB_STORE_OBJECT_KEY_MAX + 1];
	int rc = full_key((struct store *)base, key, full, err);

	if (rc < 0)
		return rc;
	if (opts->class)
		return ebb_err_set(err, EBB_ENOTSUP, "the libs3 driver knows no storage classes (use type s3)");
	struct writer *w = calloc(1, sizeof(*w));
	if (!w || ebb_digest_init(&w->md5, &ebb_digest_md5, err) < 0) {
		free(w);
		return ebb_err_set(err, EBB_ENOMEM, "no memory to write '%s'", key);
	}
	w->spool = tmpfile();
	if (!w->spool) {
		ebb_digest_release(&w->md5);
		free(w);
		return ebb_err_set(err, EBB_EIO, "cannot make a temporary file to write '%s'", key);
	}
	w->base.store = base;
	w->key = key;
	*ret = &w->base;
	return 0;
}

static int libs3_write(struct ebb_store_writer *base, const void *buf, size_t len, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;

	w->size += (int64_t)len;
	if (w->size > PUT_MAX)
		return ebb_err_set(err, EBB_ENOTSUP, "'%s' is larger than 5 GiB, and the libs3 driver knows no parts", w->key);
	ebb_digest_update(&w->md5, buf, len);
	return len && fwrite(buf, 1, len, w->spool) != len ? ebb_err_set(err, EBB_ENOSPC, "no room for '%s' in a temporary file",
									 w->key)
							   : 0;
}

static int libs3_write_hole(struct ebb_store_writer *base, int64_t len, struct ebb_err *err)
{
	static const char zeroes[64 << 10];
	int rc = 0;

	for (; rc == 0 && len > 0; len -= (int64_t)sizeof(zeroes))
		rc = libs3_write(base, zeroes, len < (int64_t)sizeof(zeroes) ? (size_t)len : sizeof(zeroes), err);
	return rc;
}

static void libs3_write_abort(struct ebb_store_writer *base)
{
	struct writer *w = (struct writer *)base;

	fclose(w->spool);
	ebb_digest_release(&w->md5);
	free(w);
}

static int on_send(int size, char *buffer, void *ctx)
{
	struct outcome *o = ctx;
	size_t n = fread(buffer, 1, (size_t)size, o->from);

	return n == 0 && ferror(o->from) ? -1 : (int)n;
}

static int put(struct writer *w, char hex[33], struct ebb_err *err)
{
	const struct store *s = (const struct store *)w->base.store;
	const S3PutObjectHandler handler = {plain, on_send};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf md5 = EBB_BUF_INIT(64);
	S3BucketContext c = context(s);
	char full[EBB_STORE_OBJECT_KEY_MAX + 1];
	struct outcome o = {0};
	uint8_t sum[16];
	int rc = ebb_digest_final(&w->md5, sum, err);

	rc = rc ? rc : ebb_base64_encode(&md5, sum, sizeof(sum), err);
	rc = rc ? rc : full_key(s, w->key, full, err);
	if (rc < 0)
		return rc;
	ebb_digest_hex(sum, sizeof(sum), hex);
	const S3PutProperties properties = {.md5 = md5.data, .expires = -1};
	for (int i = 0; i < ATTEMPTS; i++) {
		o = (struct outcome){.from = w->spool};
		rewind(w->spool);
		S3_put_object(&c, full, (uint64_t)w->size, &properties, NULL, &handler, &o);
		if (code_of(o.status) != -EBB_ETRANSIENT)
			break;
	}
	return end(s, &o, "put", w->key, err);
}

static int commit(struct writer *w, struct ebb_record *ret, struct ebb_err *err)
{
	const struct store *s = (const struct store *)w->base.store;
	struct ebb_err why = {0};
	struct outcome o;
	char hex[33];
	int rc = head(s, w->key, &o, &why);

	if (rc == 0)
		return ebb_err_set(err, EBB_EEXIST, "'%s' exists already", w->key);
	if (rc != -EBB_ENOENT)
		return ebb_err_set(err, -rc, "%s", why.msg);
	rc = put(w, hex, err);
	if (rc == 0)
		rc = check(s, w->key, NULL, &o, ret, err);
	if (rc == 0 && (o.size != w->size || strcmp(o.etag, hex) != 0))
		rc = ebb_err_set(err, EBB_EMISMATCH, "'%s' arrived with other bytes", w->key);
	return rc;
}

static int libs3_write_commit(struct ebb_store_writer *base, const struct ebb_meta *meta, uint32_t what,
			      struct ebb_record *ret, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	struct ebb_record rec;
	int rc = what ? ebb_err_set(err, EBB_ENOTSUP, "the libs3 driver keeps no metadata (use type s3)") : 0;

	(void)meta;
	if (rc == 0)
		rc = commit(w, &rec, err);
	if (rc == 0 && ret)
		*ret = rec;
	libs3_write_abort(base);
	return rc;
}

/* Nothing is on the store before commit. */
static int libs3_write_sweep(struct ebb_store *base, const char *key, const char *tag, struct ebb_err *err)
{
	(void)base, (void)key, (void)tag, (void)err;
	return 0;
}

static int libs3_remove(struct ebb_store *base, const char *key, const struct ebb_record *expect, struct ebb_err *err)
{
	struct store *s = (struct store *)base;
	S3BucketContext c = context(s);
	char full[EBB_STORE_OBJECT_KEY_MAX + 1];
	struct ebb_record rec;
	struct outcome o;
	int rc = check(s, key, expect, &o, &rec, err);

	rc = rc ? rc : full_key(s, key, full, err);
	if (rc < 0)
		return rc;
	o = (struct outcome){0};
	S3_delete_object(&c, full, NULL, &plain, &o);
	return end(s, &o, "delete", key, err);
}

/* --- Stores --- */

static void initialize(void)
{
	S3_initialize(EBB_HTTP_USER_AGENT, S3_INIT_ALL, NULL);
}

static void libs3_close(struct ebb_store *base)
{
	struct store *s = (struct store *)base;

	ebb_creds_release(&s->creds);
	free(s->bucket);
	free(s->prefix);
	free(s->host);
	free(s->base.name);
	free(s);
}

static int find_creds(struct store *s, const struct ebb_store_config *cfg, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_http_freep) struct ebb_http *http = NULL;
	int rc = ebb_http_open(1, &http, err);

	if (rc < 0)
		return rc;
	const struct ebb_creds_context ctx = {.http = http, .clock = &ebb_clock_real, .profile = cfg->profile,
					      .region = cfg->region};
	rc = ebb_creds_find(&ctx, &s->creds, err);
	if (rc == 0 && s->creds.token)
		rc = ebb_err_set(err, EBB_ENOTSUP, "store '%s': the libs3 driver has no session tokens (use type s3)", cfg->name);
	return rc;
}

static int check_config(const struct ebb_store_config *cfg, struct ebb_err *err)
{
	size_t len = cfg->prefix ? strlen(cfg->prefix) : 0;

	if (!cfg->bucket || !cfg->endpoint)
		return ebb_err_set(err, EBB_ECONFIG, "store '%s': the libs3 driver needs bucket and endpoint", cfg->name);
	if (strncmp(cfg->endpoint, "http://", 7) != 0 || strchr(cfg->endpoint + 7, '/'))
		return ebb_err_set(err, EBB_ECONFIG,
				   "store '%s': the libs3 driver takes http://host[:port] only, since it never verifies certificates (use type s3)",
				   cfg->name);
	if (len && (cfg->prefix[len - 1] != '/' || strspn(cfg->prefix, KEYS) != len))
		return ebb_err_set(err, EBB_ECONFIG, "store '%s': the prefix must end in '/' and consist of A-Z a-z 0-9 / _ . ~ -",
				   cfg->name);
	return 0;
}

static int libs3_open(const struct ebb_store_config *cfg, struct ebb_store **ret, struct ebb_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int rc = check_config(cfg, err);

	if (rc < 0)
		return rc;
	pthread_once(&once, initialize);
	struct store *s = calloc(1, sizeof(*s));
	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for store '%s'", cfg->name);
	s->base.ops = &ebb_store_libs3_ops;
	s->base.caps = EBB_CAP_READ | EBB_CAP_WRITE | EBB_CAP_REMOVE | EBB_CAP_RANGE;
	s->base.name = strdup(cfg->name);
	s->bucket = strdup(cfg->bucket);
	s->prefix = strdup(cfg->prefix ? cfg->prefix : "");
	s->host = strdup(cfg->endpoint + 7);
	s->path_style = cfg->path_style;
	rc = s->base.name && s->bucket && s->prefix && s->host ? find_creds(s, cfg, err)
							       : ebb_err_set(err, EBB_ENOMEM, "no memory for store '%s'", cfg->name);
	if (rc < 0) {
		libs3_close(&s->base);
		return rc;
	}
	*ret = &s->base;
	return 0;
}

static int not_ours(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	bool *empty = ctx;

	if (ebb_record_key_has_prefix(rec->key, rec->key_len, EBB_PROOF_TRASH, strlen(EBB_PROOF_TRASH)) ||
	    ebb_record_key_has_prefix(rec->key, rec->key_len, "lost+found/", 11))
		return 0;
	*empty = false;
	return ebb_err_set(err, EBB_ECANCELLED, "seen enough");
}

static int libs3_identify(struct ebb_store *base, struct ebb_store_identity *ret, struct ebb_err *err)
{
	struct store *s = (struct store *)base;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(4096);
	struct ebb_err why = {0};
	bool empty = true;
	uint8_t sum[16];
	int rc = libs3_list(base, "", "", not_ours, &empty, &why);

	if (rc < 0 && empty)
		return ebb_err_set(err, -rc, "%s", why.msg);
	if (ebb_buf_addf(&text, "%s %s %s", s->host, s->bucket, s->prefix) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to identify store '%s'", base->name);
	rc = ebb_digest_of(&ebb_digest_md5, text.data, text.len, sum, err);
	if (rc < 0)
		return rc;
	*ret = (struct ebb_store_identity){.kind = "libs3", .empty = empty};
	ebb_digest_hex(sum, sizeof(sum), ret->fsid);
	return 0;
}

const struct ebb_store_ops ebb_store_libs3_ops = {
	.type = "libs3",
	.summary = "a bucket of an old store with signatures of version 2, over http",
	.open = libs3_open,
	.close = libs3_close,
	.identify = libs3_identify,
	.list = libs3_list,
	.head = libs3_head,
	.read_open = libs3_read_open,
	.read = libs3_read,
	.read_hole = libs3_read_hole,
	.read_verify = libs3_read_verify,
	.read_close = libs3_read_close,
	.read_range = libs3_read_range,
	.write_open = libs3_write_open,
	.write = libs3_write,
	.write_hole = libs3_write_hole,
	.write_commit = libs3_write_commit,
	.write_abort = libs3_write_abort,
	.write_sweep = libs3_write_sweep,
	.remove = libs3_remove,
};
