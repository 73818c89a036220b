/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading objects. A reader is one GET whose body waits in a window of bounded size until it is taken; a connection that breaks is
 * replaced by a GET of the rest, with the same entity tag as precondition. When a whole object has been read and its entity tag is an
 * MD5, the bytes must have it.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compress/digest.h"
#include "scanners/store_s3.h"

#define WINDOW ((size_t)2 << 20)
#define RANGE_SLACK ((size_t)64 << 10)	/* for error documents */
#define RESUMES 5	/* in a row without a byte between them */

struct reader {
	struct ebb_store_reader base;
	struct ebb_s3_call call;
	struct ebb_store_s3_object o;
	struct ebb_digest md5;
	int64_t pos;		/* of the next byte that is handed out */
	unsigned resumes;
	bool finished;		/* the digest has been compared */
	pthread_mutex_t mutex;	/* protects what follows */
	pthread_cond_t cond;
	struct ebb_buf window;
	size_t taken;		/* bytes of the window that are gone */
	bool known;		/* the header has been looked at */
	bool done, closed, paused;
	int rc;
	struct ebb_err err;
	char key[];		/* the store's */
};

static struct ebb_store_s3 *store_of(const struct reader *r)
{
	return (struct ebb_store_s3 *)r->base.store;
}

/* --- On the HTTP loop's thread; the lock is held --- */

/* An answer that is not what was asked for is not read: it may be much, and it costs. */
static int check_answer(struct reader *r, struct ebb_s3_call *call)
{
	struct ebb_store_s3_object now;
	char range[100], want[64];

	int rc = ebb_store_s3_object(call, r->key, &now, &call->err);
	if (rc < 0)
		return rc;
	snprintf(want, sizeof(want), "bytes %" PRId64 "-", r->pos);
	ebb_s3_call_got(call, "content-range", range, sizeof(range));
	if (r->pos == 0 ? call->http.status != 200
			: call->http.status != 206 || strncmp(range, want, strlen(want)) != 0)
		return ebb_err_set(&call->err, EBB_ECORRUPT, "the store answers with other bytes than asked for");
	if (r->pos && (strcmp(now.etag, r->o.etag) != 0 || now.rec.f[EBB_F_SIZE] != r->o.rec.f[EBB_F_SIZE]))
		return ebb_err_set(&call->err, EBB_ECHANGED, "'%s' has changed while it was read", r->key);
	if (r->pos == 0)
		r->o = now;
	r->known = true;
	return 0;
}

static int take(struct reader *r, struct ebb_s3_call *call, const void *p, size_t len)
{
	size_t left = r->window.len - r->taken;
	int rc = r->known ? 0 : check_answer(r, call);

	if (r->closed)
		rc = ebb_err_set(&call->err, EBB_ECANCELLED, "closed");
	if (rc < 0)
		return rc;
	if (left && left + len > WINDOW) {
		r->paused = true;
		return EBB_HTTP_PAUSE;
	}
	if (left && r->taken)
		memmove(r->window.data, r->window.data + r->taken, left);
	r->window.len = left;
	r->taken = 0;
	return ebb_buf_add(&r->window, p, len) < 0 ? ebb_err_set(&call->err, EBB_ENOMEM, "no memory to read '%s'", r->key)
						  : 0;
}

static int sink(struct ebb_s3_call *call, const void *p, size_t len)
{
	struct reader *r = call->ctx;

	pthread_mutex_lock(&r->mutex);
	int rc = take(r, call, p, len);
	pthread_cond_signal(&r->cond);
	pthread_mutex_unlock(&r->mutex);
	return rc;
}

static void on_done(struct ebb_s3_call *call)
{
	struct reader *r = call->ctx;

	pthread_mutex_lock(&r->mutex);
	r->rc = call->rc;
	r->err = call->err;
	if (r->rc == 0 && !r->known) {	/* an object without a byte: no sink was called */
		r->rc = check_answer(r, call);
		r->err = call->err;
	}
	r->done = true;
	pthread_cond_signal(&r->cond);
	pthread_mutex_unlock(&r->mutex);
}

/* --- On the reader's thread --- */

/* Ask for everything from the position on. */
static int ask(struct reader *r, struct ebb_err *err)
{
	char full[EBB_STORE_S3_KEY];
	int rc = ebb_store_s3_key(store_of(r), r->key, full, err);

	if (rc < 0)
		return rc;
	ebb_s3_call_release(&r->call);
	ebb_s3_call_init(&r->call, EBB_S3_GET, "GET", full);
	if (r->pos) {
		ebb_s3_call_headerf(&r->call, "range", "bytes=%" PRId64 "-", r->pos);
		ebb_s3_call_headerf(&r->call, "if-match", "\"%s\"", r->o.etag);
	}
	r->call.sink = sink;
	r->call.done = on_done;
	r->call.ctx = r;
	r->known = r->done = r->paused = false;
	r->rc = 0;
	ebb_s3_start(store_of(r)->s3, &r->call);
	return 0;
}

/* Wait until there are bytes, or the header is known and @header is all that is wanted, or it is over. */
static void await(struct reader *r, bool header)
{
	pthread_mutex_lock(&r->mutex);
	while (!r->done && !(header && r->known) && r->window.len == r->taken)
		pthread_cond_wait(&r->cond, &r->mutex);
	pthread_mutex_unlock(&r->mutex);
}

/* What is not read from its beginning is known by HEAD, and asked for with its entity tag. */
static int look_first(struct reader *r, const struct ebb_record *expect, int64_t off, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call;
	struct ebb_err why = {0};
	int rc = ebb_store_s3_head(store_of(r), r->key, expect, &call, &r->o, &why);

	if (rc < 0)
		return ebb_err_set(err, -rc, "%s", why.msg);
	if (off >= r->o.rec.f[EBB_F_SIZE] || !*r->o.etag)
		return ebb_err_set(err, EBB_ENOTSUP, "cannot go on reading '%s' at byte %" PRId64, r->key, off);
	r->pos = off;
	r->o.md5 = false;	/* of all bytes, which are not read here */
	return 0;
}

int ebb_store_s3_read_open(struct ebb_store *base, const char *key, const struct ebb_record *expect,
			   struct ebb_store_reader **ret, struct ebb_err *err)
{
	return ebb_store_s3_read_from(base, key, expect, 0, ret, err);
}

int ebb_store_s3_read_from(struct ebb_store *base, const char *key, const struct ebb_record *expect, int64_t off,
			   struct ebb_store_reader **ret, struct ebb_err *err)
{
	size_t klen = strlen(key);
	struct reader *r = calloc(1, sizeof(*r) + klen + 1);
	struct ebb_err why = {0};

	if (!r || ebb_digest_init(&r->md5, &ebb_digest_md5, NULL) < 0) {
		free(r);
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read '%s'", key);
	}
	memcpy(r->key, key, klen + 1);
	r->base.store = base;
	ebb_buf_init(&r->window, 2 * WINDOW);
	pthread_mutex_init(&r->mutex, NULL);
	pthread_cond_init(&r->cond, NULL);
	int rc = off ? look_first(r, expect, off, err) : 0;
	if (rc == 0)
		rc = ask(r, err);
	if (rc < 0) {
		r->done = true;
	} else {
		await(r, true);
		if (!r->known)	/* what breaks off behind the header is for read to mend */
			rc = ebb_err_set(err, -r->rc, "%s", r->err.msg);
		else if ((rc = ebb_store_expect(&r->o.rec, expect, &why)) < 0)
			ebb_err_set(err, -rc, "'%s' %s", key, why.msg);
	}
	if (rc < 0) {
		ebb_store_s3_read_close(&r->base);
		return rc;
	}
	*ret = &r->base;
	return 0;
}

/* Bytes from the window; 0 when it is empty. */
static size_t drain(struct reader *r, void *buf, size_t len)
{
	pthread_mutex_lock(&r->mutex);
	size_t n = r->window.len - r->taken;
	if (n > len)
		n = len;
	if (n)
		memcpy(buf, r->window.data + r->taken, n);
	r->taken += n;
	bool resume = r->paused && r->window.len - r->taken <= WINDOW / 2;
	if (resume)
		r->paused = false;
	pthread_mutex_unlock(&r->mutex);
	if (resume)
		ebb_s3_resume(store_of(r)->s3, &r->call);
	return n;
}

/* All has come: are these the bytes that were stored? */
static int finish(struct reader *r, struct ebb_err *err)
{
	uint8_t sum[16];
	char hex[33];

	if (r->finished)
		return 0;
	if (r->pos != r->o.rec.f[EBB_F_SIZE])
		return ebb_err_set(err, EBB_ETRANSIENT, "'%s' ended at byte %" PRId64 " of %" PRId64, r->key, r->pos,
				   r->o.rec.f[EBB_F_SIZE]);
	int rc = ebb_digest_final(&r->md5, sum, err);
	if (rc < 0)
		return rc;
	ebb_digest_hex(sum, sizeof(sum), hex);
	if (r->o.md5 && strcmp(hex, r->o.etag) != 0)
		return ebb_err_set(err, EBB_ECORRUPT, "'%s' has other bytes than were stored: MD5 %s, entity tag %s",
				   r->key, hex, r->o.etag);
	r->finished = true;
	return 0;
}

int64_t ebb_store_s3_read_some(struct ebb_store_reader *base, void *buf, size_t len, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;

	if (len == 0)
		return 0;
	for (;;) {
		size_t n;

		await(r, false);
		n = drain(r, buf, len);
		if (n) {
			r->resumes = 0;
			r->pos += (int64_t)n;
			if (!r->finished)
				ebb_digest_update(&r->md5, buf, n);
			return (int64_t)n;
		}
		if (r->rc == 0)
			return finish(r, err);
		if (r->rc != -EBB_ETRANSIENT || ++r->resumes > RESUMES || !*r->o.etag)
			return ebb_err_set(err, -r->rc, "%s", r->err.msg);
		int rc = ask(r, err);
		if (rc < 0)
			return rc;
	}
}

int ebb_store_s3_read_hole(struct ebb_store_reader *base, int64_t *ret_hole, struct ebb_err *err)
{
	(void)base;
	(void)err;
	*ret_hole = 0;
	return 0;
}

int ebb_store_s3_read_verify(struct ebb_store_reader *base, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call;
	struct ebb_store_s3_object now;
	struct ebb_err why = {0};
	int rc = ebb_store_s3_head(store_of(r), r->key, &r->o.rec, &call, &now, &why);

	if (rc == -EBB_ENOENT)
		return ebb_err_set(err, EBB_ECHANGED, "'%s' has changed: it is gone", r->key);
	if (rc == 0 && strcmp(now.version, r->o.version) != 0)
		return ebb_err_set(err, EBB_ECHANGED, "'%s' has changed: it is another version", r->key);
	return rc < 0 ? ebb_err_set(err, -rc, "%s", why.msg) : 0;
}

void ebb_store_s3_read_close(struct ebb_store_reader *base)
{
	struct reader *r = (struct reader *)base;

	pthread_mutex_lock(&r->mutex);
	r->closed = true;
	bool under_way = !r->done;
	pthread_mutex_unlock(&r->mutex);
	if (under_way)
		ebb_s3_cancel(store_of(r)->s3, &r->call);
	pthread_mutex_lock(&r->mutex);
	while (!r->done)
		pthread_cond_wait(&r->cond, &r->mutex);
	pthread_mutex_unlock(&r->mutex);
	pthread_cond_destroy(&r->cond);
	pthread_mutex_destroy(&r->mutex);
	ebb_s3_call_release(&r->call);
	ebb_digest_release(&r->md5);
	ebb_buf_release(&r->window);
	free(r);
}

/* --- Parts --- */

static int check_range(const struct ebb_s3_call *call, const char *key, const struct ebb_record *expect,
		       int64_t off, size_t len, struct ebb_err *err)
{
	struct ebb_store_s3_object now;
	struct ebb_err why = {0};
	char range[100], want[100];
	int rc = ebb_store_s3_object(call, key, &now, err);

	if (rc < 0)
		return rc;
	rc = ebb_store_expect(&now.rec, expect, &why);
	if (rc < 0)
		return ebb_err_set(err, -rc, "'%s' %s", key, why.msg);
	snprintf(want, sizeof(want), "bytes %" PRId64 "-%" PRId64 "/", off, off + (int64_t)len - 1);
	ebb_s3_call_got(call, "content-range", range, sizeof(range));
	if (call->http.status != 206 || strncmp(range, want, strlen(want)) != 0 || call->http.answer.len != len)
		return ebb_err_set(err, EBB_ECORRUPT, "'%s': the store answers '%s' when asked for %s", key, range, want);
	return 0;
}

/*
 * The answer is buffered and not handed on as it comes, so that it can be asked for again; what is longer than asked for
 * (stores that ignore ranges) ends the request there.
 */
int ebb_store_s3_read_range(struct ebb_store *base, const char *key, const struct ebb_record *expect, int64_t off,
			    void *buf, size_t len, struct ebb_err *err)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	struct ebb_err why = {0};
	char full[EBB_STORE_S3_KEY];
	int rc = ebb_store_s3_key(s, key, full, err);

	if (rc < 0)
		return rc;
	if (len == 0)
		return ebb_store_check(base, key, expect, err);
	ebb_s3_call_init(&call, EBB_S3_GET, "GET", full);
	ebb_s3_call_headerf(&call, "range", "bytes=%" PRId64 "-%" PRId64, off, off + (int64_t)len - 1);
	call.limit = len > RANGE_SLACK ? len : RANGE_SLACK;
	rc = ebb_s3_do(s->s3, &call, &why);
	if (rc < 0)
		return ebb_err_set(err, rc == -EBB_ERANGE ? EBB_ECORRUPT : -rc, "%s", why.msg);
	rc = check_range(&call, key, expect, off, len, err);
	if (rc == 0)
		memcpy(buf, call.http.answer.data, len);
	return rc;
}
