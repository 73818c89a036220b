/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing objects. What fits into one part is one PUT at commit; more is a multipart upload, of which some parts are on their way while
 * the next is filled. Bytes are protected from here to there: SHA-256 signed with every body, MD5 checked by the server, and the entity
 * tag compared with the one that these bytes must have.
 *
 * A killed writer leaves an upload. Whoever has its marks takes over the parts that have arrived and are what they should be: number, size
 * and MD5 are compared with the store's list of parts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compress/digest.h"
#include "core/base64.h"
#include "core/completion.h"
#include "scanners/s3_list.h"
#include "scanners/s3_xml.h"
#include "scanners/store_s3.h"

#define TAG "x-amz-meta-ebb-tag"
#define VERSION_MAX 128
#define PARTS_MAX 10000		/* S3 User Guide, "Multipart upload limits" */
#define FLIGHT 4		/* parts of a writer on their way at a time: memory is (FLIGHT + 1) parts */
#define GROW_EVERY 1000		/* parts after which they double, when the size is not known before */

struct part {
	struct ebb_s3_call call;
	struct ebb_buf data;
	struct ebb_completion completion;
	bool busy;
};

struct writer {
	struct ebb_store_writer base;
	struct ebb_buf data;		/* the part that is being filled */
	size_t part_size;
	bool grows;			/* the size is not known before: parts double from time to time */
	struct part parts[FLIGHT];
	unsigned nparts;		/* begun */
	uint8_t (*sums)[16];		/* MD5 of each part */
	char *class, *upload;		/* upload: id, NULL until there is one */
	struct ebb_store_s3_meta meta;	/* what the upload was created with */
	int64_t size;
	const char *key_of_caller;
	char tag[EBB_STORE_TAG_MAX + 1];
	char key[];			/* the bucket's */
};

static struct ebb_store_s3 *store_of(const struct writer *w)
{
	return (struct ebb_store_s3 *)w->base.store;
}

static int no_memory(const struct writer *w, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "no memory to write '%s'", w->key_of_caller);
}

void ebb_store_s3_write_headers(const struct ebb_store_s3 *s, const char *class, struct ebb_s3_call *call)
{
	if (class && *class)
		ebb_s3_call_header(call, "x-amz-storage-class", class);
	if (s->sse)
		ebb_s3_call_header(call, "x-amz-server-side-encryption", s->sse);
	if (s->sse && s->sse_key)
		ebb_s3_call_header(call, "x-amz-server-side-encryption-aws-kms-key-id", s->sse_key);
}

/* --- Opening and ending --- */

/* Parts that are large enough for the whole in 10,000 of them. */
static size_t part_size(const struct ebb_store_s3 *s, int64_t hint)
{
	int64_t least = hint > 0 ? (hint + PARTS_MAX - 1) / PARTS_MAX : 0;

	return (size_t)(least > s->limits.part ? least : s->limits.part);
}

/* What the object is to carry from its first moment on. */
static int carry(struct writer *w, const struct ebb_meta *meta, uint32_t what, struct ebb_err *err)
{
	struct ebb_meta wanted = *meta;

	if (!(what & EBB_META_XATTRS))
		wanted.xattrs = NULL, wanted.nxattrs = 0;
	w->meta.has = what;
	return ebb_meta_copy(&w->meta.m, &wanted, err);
}

/* With KMS and customer keys the tags of parts are not their MD5. */
static bool is_opaque(const struct ebb_store_s3 *s)
{
	return s->customer_key || (s->sse && strcmp(s->sse, "aws:kms") == 0);
}

/* One page of the parts of an upload, behind number @after. */
static int ask_parts(struct writer *w, const char *upload, unsigned after, struct ebb_s3_page *page, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	char text[16];

	ebb_s3_call_init(&call, EBB_S3_LIST_PARTS, "GET", w->key);
	ebb_s3_call_query(&call, "uploadId", upload);
	snprintf(text, sizeof(text), "%u", after);
	ebb_s3_call_query(&call, "part-number-marker", text);
	int rc = ebb_s3_do(store_of(w)->s3, &call, err);
	return rc < 0 ? rc : ebb_s3_page_parse(page, call.http.answer.data, call.http.answer.len, err);
}

/* Parts of the upload that the marks are of, from the first on, that are there as the marks tell. */
static int compare_parts(struct writer *w, const struct ebb_store_mark *m, size_t n, struct ebb_err *err)
{
	size_t fit = 0;

	for (bool more = true; more && fit < n;) {
		EBB_CLEANUP(ebb_s3_page_release) struct ebb_s3_page page;
		struct ebb_err why = {0};

		ebb_s3_page_init(&page);
		int rc = ask_parts(w, m[n - 1].id, (unsigned)fit, &page, &why);
		if (rc < 0)
			return rc == -EBB_ENOENT ? 0 : ebb_err_set(err, -rc, "%s", why.msg);
		more = page.n > 0;
		for (size_t i = 0; i < page.n && more && fit < n; i++) {
			char hex[33];

			ebb_digest_hex(m[fit].sum, 16, hex);
			more = page.entries[i].part == (int64_t)fit + 1 && page.entries[i].size == (int64_t)w->part_size &&
			       m[fit].at == (int64_t)(fit + 1) * (int64_t)w->part_size && strcmp(page.entries[i].etag, hex) == 0;
			fit += more;
		}
	}
	return (int)fit;
}

/* Go on with what a killed writer left, or take it away. */
static int take_over(struct writer *w, const struct ebb_store_write_opts *opts, struct ebb_err *err)
{
	int rc = 0;

	if (w->base.step && opts->nmarks < PARTS_MAX)
		rc = compare_parts(w, opts->marks, opts->nmarks, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return ebb_store_s3_write_sweep(w->base.store, w->key_of_caller, w->tag, err);
	w->nparts = (unsigned)rc;
	for (unsigned i = 0; i < w->nparts; i++)
		memcpy(w->sums[i], opts->marks[i].sum, sizeof(*w->sums));
	w->size = w->base.taken = opts->marks[w->nparts - 1].at;
	w->upload = strdup(opts->marks[0].id);
	return w->upload ? 0 : no_memory(w, err);
}

int ebb_store_s3_write_open(struct ebb_store *base, const char *key, const struct ebb_store_write_opts *opts,
			    struct ebb_store_writer **ret, struct ebb_err *err)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;
	char full[EBB_STORE_S3_KEY];
	int rc = ebb_store_s3_key(s, key, full, err);

	if (rc < 0)
		return rc;
	struct writer *w = calloc(1, sizeof(*w) + strlen(full) + 1);
	if (!w)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to write '%s'", key);
	memcpy(w->key, full, strlen(full) + 1);
	w->base.store = base;
	w->key_of_caller = key;
	memcpy(w->tag, opts->tag, strlen(opts->tag) + 1);
	w->part_size = part_size(s, opts->size_hint);
	w->grows = opts->size_hint < 0;
	/* where tags of parts are no MD5 nothing tells what was left there */
	if (!w->grows && !is_opaque(s))
		w->base.step = (int64_t)w->part_size;
	ebb_buf_init(&w->data, SIZE_MAX - 1);
	ebb_meta_init(&w->meta.m);
	w->class = opts->class ? strdup(opts->class) : NULL;
	w->sums = malloc(PARTS_MAX * sizeof(*w->sums));
	if ((opts->class && !w->class) || !w->sums)
		rc = no_memory(w, err);
	if (rc == 0 && opts->meta)
		rc = carry(w, opts->meta, opts->what, err);
	if (rc == 0 && opts->nmarks)
		rc = take_over(w, opts, err);
	if (rc < 0) {
		ebb_store_s3_write_abort(&w->base);
		return rc;
	}
	*ret = &w->base;
	return 0;
}

static int wait_for(struct writer *w, struct part *p, struct ebb_err *err)
{
	if (!p->busy)
		return 0;
	ebb_completion_wait(&p->completion);
	p->busy = false;
	(void)w;
	return p->call.rc < 0 ? ebb_err_set(err, -p->call.rc, "%s", p->call.err.msg) : 0;
}

static void release(struct writer *w)
{
	for (size_t i = 0; i < FLIGHT; i++) {
		wait_for(w, &w->parts[i], NULL);
		ebb_s3_call_release(&w->parts[i].call);
		ebb_buf_release(&w->parts[i].data);
	}
	ebb_buf_release(&w->data);
	ebb_meta_release(&w->meta.m);
	free(w->sums);
	free(w->class);
	free(w->upload);
	free(w);
}

static int abort_upload(struct ebb_store_s3 *s, const char *key, const char *id, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	struct ebb_err why = {0};

	ebb_s3_call_init(&call, EBB_S3_UPLOAD_ABORT, "DELETE", key);
	ebb_s3_call_query(&call, "uploadId", id);
	int rc = ebb_s3_do(s->s3, &call, &why);
	return rc < 0 && rc != -EBB_ENOENT ? ebb_err_set(err, -rc, "%s", why.msg) : 0;
}

void ebb_store_s3_write_leave(struct ebb_store_writer *base)
{
	release((struct writer *)base);
}

void ebb_store_s3_write_abort(struct ebb_store_writer *base)
{
	struct writer *w = (struct writer *)base;

	for (size_t i = 0; i < FLIGHT; i++)
		wait_for(w, &w->parts[i], NULL);	/* a part that comes after the abort would stay */
	if (w->upload)
		abort_upload(store_of(w), w->key, w->upload, NULL);
	release(w);
}

/* Uploads carry no name of ours; nobody else writes to a key that ebb is to create, so all of them go. */
int ebb_store_s3_write_sweep(struct ebb_store *base, const char *key, const char *tag, struct ebb_err *err)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;
	EBB_CLEANUP(ebb_s3_list_release) struct ebb_s3_list l = {.kind = EBB_S3_LIST_UNFINISHED};
	char full[EBB_STORE_S3_KEY];
	int rc = ebb_store_s3_key(s, key, full, err);

	(void)tag;
	l.prefix = full;
	if (rc == 0)
		rc = ebb_s3_list_do(s->s3, &l, err);
	for (size_t i = 0; rc == 0 && i < l.page.n && strcmp(l.page.entries[i].key, full) == 0; i++)
		rc = abort_upload(s, full, l.page.entries[i].id, err);
	return rc;
}

/* --- Parts --- */

static int add_md5(struct ebb_s3_call *call, const void *p, size_t len, uint8_t sum[16], struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(64);
	int rc = ebb_digest_of(&ebb_digest_md5, p, len, sum, err);

	if (rc == 0)
		rc = ebb_base64_encode(&text, sum, 16, err);
	if (rc == 0)
		ebb_s3_call_header(call, "content-md5", text.data);
	return rc;
}

static int create_upload(struct writer *w, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf id = EBB_BUF_INIT(EBB_RECORD_ID_MAX);

	ebb_s3_call_init(&call, EBB_S3_UPLOAD_CREATE, "POST", w->key);
	ebb_s3_call_query(&call, "uploads", "");
	ebb_store_s3_write_headers(store_of(w), w->class, &call);
	ebb_s3_call_header(&call, TAG, w->tag);
	int rc = ebb_store_s3_meta_send(&w->meta, &call, err);
	call.body = "";
	if (rc == 0)
		rc = ebb_s3_do(store_of(w)->s3, &call, err);
	if (rc < 0)
		return rc;
	if (!ebb_s3_xml_find(call.http.answer.data, call.http.answer.len, "InitiateMultipartUploadResult", "UploadId",
			     &id) || !id.len)
		return ebb_err_set(err, EBB_ECORRUPT, "the store gives no id for an upload of '%s'", w->key_of_caller);
	w->upload = strdup(id.data);
	return w->upload ? 0 : no_memory(w, err);
}

static void on_part(struct ebb_s3_call *call)
{
	struct part *p = call->ctx;

	ebb_completion_signal(&p->completion);
}

/* Send what has been filled, as soon as one of the parts on their way has arrived. */
static int send_part(struct writer *w, struct ebb_err *err)
{
	struct part *p = &w->parts[w->nparts % FLIGHT];
	char number[16];
	int rc = w->upload ? 0 : create_upload(w, err);

	if (rc == 0)
		rc = wait_for(w, p, err);
	if (rc < 0)
		return rc;
	if (w->nparts == PARTS_MAX)
		return ebb_err_set(err, EBB_ENOTSUP, "'%s' is too large for %d parts", w->key_of_caller, PARTS_MAX);
	struct ebb_buf full = w->data;
	w->data = p->data;
	p->data = full;
	if (!w->data.cap)
		ebb_buf_init(&w->data, SIZE_MAX - 1);
	ebb_buf_clear(&w->data);
	ebb_s3_call_release(&p->call);
	ebb_s3_call_init(&p->call, EBB_S3_UPLOAD_PART, "PUT", w->key);
	snprintf(number, sizeof(number), "%u", w->nparts + 1);
	ebb_s3_call_query(&p->call, "partNumber", number);
	ebb_s3_call_query(&p->call, "uploadId", w->upload);
	rc = add_md5(&p->call, p->data.data, p->data.len, w->sums[w->nparts], err);
	if (rc < 0)
		return rc;
	p->call.body = p->data.data;
	p->call.body_len = p->data.len;
	p->call.done = on_part;
	p->call.ctx = p;
	ebb_completion_init(&p->completion);
	p->busy = true;
	if (++w->nparts % GROW_EVERY == 0 && w->grows && w->part_size < SIZE_MAX / 4)
		w->part_size *= 2;
	ebb_s3_start(store_of(w)->s3, &p->call);
	return 0;
}

int ebb_store_s3_write_mark(struct ebb_store_writer *base, struct ebb_store_mark *ret, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	int rc = 0;

	if (!base->step || w->size == base->taken || w->size % base->step)
		return ebb_err_set(err, EBB_EINVAL, "no part of '%s' ends at byte %" PRId64, w->key_of_caller, w->size);
	if (w->data.len)
		rc = send_part(w, err);
	if (rc < 0)
		return rc;
	*ret = (struct ebb_store_mark){.at = w->size, .id = w->upload};
	memcpy(ret->sum, w->sums[w->nparts - 1], sizeof(ret->sum));
	return 0;
}

int ebb_store_s3_write_some(struct ebb_store_writer *base, const void *buf, size_t len, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	const char *p = buf;

	w->size += (int64_t)len;
	while (len) {
		size_t room = w->part_size - w->data.len, n = len < room ? len : room;
		int rc = 0;

		if (room == 0) {	/* only now is it known that there is more than one part */
			rc = send_part(w, err);
			if (rc < 0)
				return rc;
			continue;
		}
		if (ebb_buf_add(&w->data, p, n) < 0)
			return no_memory(w, err);
		p += n;
		len -= n;
	}
	return 0;
}

int ebb_store_s3_write_hole(struct ebb_store_writer *base, int64_t len, struct ebb_err *err)
{
	static const char zeroes[64 << 10];
	int rc = 0;

	while (rc == 0 && len > 0) {
		int64_t n = len < (int64_t)sizeof(zeroes) ? len : (int64_t)sizeof(zeroes);

		rc = ebb_store_s3_write_some(base, zeroes, (size_t)n, err);
		len -= n;
	}
	return rc;
}

/* --- Commit --- */

/* Nothing may stand under the key. A store that honours the precondition of the write checks once more without a window. */
static int check_free(struct writer *w, struct ebb_err *err)
{
	struct ebb_record rec;
	struct ebb_err why = {0};
	int rc = ebb_store_head(w->base.store, w->key_of_caller, &rec, &why);

	if (rc == 0)
		return ebb_err_set(err, EBB_EEXIST, "'%s' exists already", w->key_of_caller);
	return rc == -EBB_ENOENT ? 0 : ebb_err_set(err, -rc, "%s", why.msg);
}

/* A write may have arrived and only its answer been lost: then what stands there bears the writer's tag. */
static bool is_ours(struct writer *w)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call head;
	struct ebb_store_s3_object o;
	char tag[sizeof(w->tag)];

	return ebb_store_s3_head(store_of(w), w->key_of_caller, NULL, &head, &o, NULL) == 0 &&
	       strcmp(ebb_s3_call_got(&head, TAG, tag, sizeof(tag)), w->tag) == 0;
}

static bool is_md5(const struct ebb_store_s3_object *o, const char *etag)
{
	return strcmp(o->etag, etag) == 0;
}

/* Ceph takes the delete marker "null" of a bucket whose versioning is suspended for an object that exists. */
static bool mistakes_marker(struct writer *w)
{
	const struct ebb_store_s3 *s = store_of(w);

	return s->versions == EBB_STORE_S3_SUSPENDED && !s->conditions && check_free(w, NULL) == 0;
}

/* One PUT; *ret_etag is the tag that the bytes must have. */
static int put_whole(struct writer *w, bool condition, char etag[48], char version[VERSION_MAX], struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	struct ebb_err why = {0};
	uint8_t sum[16];

	ebb_s3_call_init(&call, EBB_S3_PUT, "PUT", w->key);
	ebb_store_s3_write_headers(store_of(w), w->class, &call);
	ebb_s3_call_header(&call, TAG, w->tag);
	if (condition)
		ebb_s3_call_header(&call, "if-none-match", "*");
	int rc = ebb_store_s3_meta_send(&w->meta, &call, err);
	if (rc == 0)
		rc = add_md5(&call, w->data.data, w->data.len, sum, err);
	if (rc < 0)
		return rc;
	ebb_digest_hex(sum, sizeof(sum), etag);
	call.body = w->data.data ? w->data.data : "";
	call.body_len = w->data.len;
	rc = ebb_s3_do(store_of(w)->s3, &call, &why);
	if (condition && (rc == -EBB_ENOTSUP || (rc == -EBB_ECHANGED && mistakes_marker(w))))	/* check_free has looked */
		return put_whole(w, false, etag, version, err);
	if (rc == -EBB_ECHANGED)
		return is_ours(w) ? 0 : ebb_err_set(err, EBB_EEXIST, "'%s' exists already", w->key_of_caller);
	ebb_s3_call_got(&call, "x-amz-version-id", version, VERSION_MAX);
	return rc < 0 ? ebb_err_set(err, -rc, "%s", why.msg) : 0;
}

static int list_parts(const struct writer *w, struct ebb_buf *doc)
{
	char hex[33];
	int rc = ebb_buf_adds(doc, "<CompleteMultipartUpload>");

	for (unsigned i = 0; rc == 0 && i < w->nparts; i++) {
		ebb_digest_hex(w->sums[i], 16, hex);
		rc = ebb_buf_addf(doc, "<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag></Part>", i + 1, hex);
	}
	return rc ? rc : ebb_buf_adds(doc, "</CompleteMultipartUpload>");
}

/* With KMS and customer keys the tags of parts are not their MD5: then they are asked for. */
static int list_parts_as_told(struct writer *w, struct ebb_buf *doc, struct ebb_err *err)
{
	int rc = ebb_buf_adds(doc, "<CompleteMultipartUpload>");
	unsigned seen = 0;

	while (rc == 0 && seen < w->nparts) {
		EBB_CLEANUP(ebb_s3_page_release) struct ebb_s3_page page;

		ebb_s3_page_init(&page);
		rc = ask_parts(w, w->upload, seen, &page, err);
		for (size_t i = 0; rc == 0 && i < page.n; i++, seen++)
			rc = ebb_buf_addf(doc, "<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag></Part>", seen + 1,
					  page.entries[i].etag);
		if (rc == 0 && page.n == 0)
			rc = ebb_err_set(err, EBB_ECORRUPT, "the store lost parts of '%s'", w->key_of_caller);
	}
	return rc ? rc : ebb_buf_adds(doc, "</CompleteMultipartUpload>");
}

/* The request that makes an object of the parts. */
static int ask_complete(struct writer *w, const struct ebb_buf *doc, bool condition, char version[VERSION_MAX], struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};

	ebb_s3_call_init(&call, EBB_S3_UPLOAD_COMPLETE, "POST", w->key);
	ebb_s3_call_query(&call, "uploadId", w->upload);
	if (condition)
		ebb_s3_call_header(&call, "if-none-match", "*");
	call.body = doc->data;
	call.body_len = doc->len;
	call.idle = 600;
	int rc = ebb_s3_do(store_of(w)->s3, &call, err);
	if (rc == -EBB_ECHANGED && condition && mistakes_marker(w))
		return ask_complete(w, doc, false, version, err);
	ebb_s3_call_got(&call, "x-amz-version-id", version, VERSION_MAX);
	return rc;
}

static int complete(struct writer *w, char etag[48], char version[VERSION_MAX], struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf doc = EBB_BUF_INIT((size_t)4 << 20);
	struct ebb_err why = {0};
	uint8_t sum[16];
	char hex[33];

	int rc = w->data.len ? send_part(w, err) : 0;
	for (size_t i = 0; i < FLIGHT; i++) {
		int rc2 = wait_for(w, &w->parts[i], rc ? NULL : err);

		rc = rc ? rc : rc2;
	}
	if (rc == 0)
		rc = check_free(w, err);
	if (rc < 0)
		return rc;
	if ((is_opaque(store_of(w)) ? list_parts_as_told(w, &doc, err) : list_parts(w, &doc)) < 0)
		return no_memory(w, err);
	rc = ebb_digest_of(&ebb_digest_md5, w->sums, w->nparts * sizeof(*w->sums), sum, err);
	if (rc < 0)
		return rc;
	ebb_digest_hex(sum, sizeof(sum), hex);
	snprintf(etag, 48, "%s-%u", hex, w->nparts);
	rc = ask_complete(w, &doc, true, version, &why);
	if (rc == 0 || (rc == -EBB_ENOENT && is_ours(w))) {
		free(w->upload);
		w->upload = NULL;
		return 0;
	}
	return ebb_err_set(err, rc == -EBB_ECHANGED ? EBB_EEXIST : -rc, "%s", why.msg);
}

/* Is what stands there what was sent? */
static int check_written(struct writer *w, const char *etag, const struct ebb_store_s3_object *o, struct ebb_err *err)
{
	const struct ebb_store_s3 *s = store_of(w);
	bool opaque = o->customer_key || strncmp(o->sse, "aws:kms", 7) == 0;

	if (o->rec.f[EBB_F_SIZE] != w->size || (!opaque && !is_md5(o, etag)))
		return ebb_err_set(err, EBB_EMISMATCH, "'%s' arrived with other bytes: %" PRId64 " with tag %s, not %" PRId64
				   " with %s", w->key_of_caller, o->rec.f[EBB_F_SIZE], o->etag, w->size, etag);
	if (w->class && strcmp(w->class, o->class) != 0)
		return ebb_err_set(err, EBB_EMISMATCH, "the store put '%s' into class %s instead of %s", w->key_of_caller,
				   o->class, w->class);
	if (s->sse && strcmp(s->sse, o->sse) != 0)
		return ebb_err_set(err, EBB_EMISMATCH, "the store did not encrypt '%s' with %s as it was told",
				   w->key_of_caller, s->sse);
	if (s->customer_key && !o->customer_key)
		return ebb_err_set(err, EBB_EMISMATCH, "the store did not encrypt '%s' with the customer's key", w->key_of_caller);
	return 0;
}

/* Where preconditions are not honoured two writers may both have found the key free: the first one keeps it. */
static int check_first(struct writer *w, const char *version, struct ebb_err *err)
{
	struct ebb_store_s3 *s = store_of(w);

	if (s->conditions || !*version)
		return 0;
	int rc = ebb_store_s3_version_second(s, w->key_of_caller, version, err);
	return rc == 1 ? ebb_err_set(err, EBB_EEXIST, "'%s' exists already", w->key_of_caller) : rc;
}

static int check_meta(struct writer *w, const struct ebb_s3_call *head, const struct ebb_store_s3_object *o,
		      struct ebb_err *err)
{
	struct ebb_store_s3_meta now;
	int rc = w->meta.has ? ebb_store_s3_meta_read(store_of(w), w->key_of_caller, head, o, &now, err) : 1;

	if (rc == 1)
		return 0;
	if (rc == 0)
		rc = ebb_meta_compare(&w->meta.m, &now.m, w->meta.has, err);
	ebb_meta_release(&now.m);
	return rc;
}

/* Take away what we have just written and found wrong; by its version where there are such. */
static void take_back(struct writer *w, const char *version)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};

	ebb_s3_call_init(&call, EBB_S3_DELETE, "DELETE", w->key);
	if (*version)
		ebb_s3_call_query(&call, "versionId", version);
	ebb_s3_do(store_of(w)->s3, &call, NULL);
}

static bool same_meta(const struct writer *w, const struct ebb_meta *meta, uint32_t what)
{
	return !what || (w->meta.has == what && ebb_meta_compare(&w->meta.m, meta, what, NULL) == 0);
}

static int commit(struct writer *w, const struct ebb_meta *meta, uint32_t what, struct ebb_store_s3_object *o,
		  struct ebb_err *err)
{
	struct ebb_store_s3 *s = store_of(w);
	bool whole = !w->upload;
	char etag[48] = "", version[VERSION_MAX] = "";
	int rc = 0;

	if (whole && what)	/* nothing has been sent: it can still go along */
		rc = carry(w, meta, what, err);
	if (rc == 0 && whole)
		rc = check_free(w, err);
	if (rc == 0)
		rc = whole ? put_whole(w, true, etag, version, err) : complete(w, etag, version, err);
	if (rc < 0)
		return rc;
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call;
	rc = ebb_store_s3_head(s, w->key_of_caller, NULL, &call, o, err);
	if (rc < 0)
		return rc;
	if (*version && strcmp(version, o->version) != 0) {	/* somebody was faster to write again */
		rc = check_first(w, version, err);
		if (rc < 0)
			take_back(w, version);
		return rc;
	}
	rc = check_written(w, etag, o, err);
	if (rc == 0)
		rc = ebb_store_s3_guard_object(s, w->key_of_caller, o, err);
	if (rc == 0)
		rc = check_first(w, version, err);
	if (rc == 0 && (whole || same_meta(w, meta, what))) {
		rc = check_meta(w, &call, o, err);
	} else if (rc == 0) {
		rc = ebb_store_s3_meta_set(&s->base, w->key_of_caller, meta, what, err);
		if (rc == 0)
			rc = ebb_store_head(&s->base, w->key_of_caller, &o->rec, err);
	}
	if (rc < 0)
		take_back(w, *version ? version : o->version);
	return rc;
}

int ebb_store_s3_write_commit(struct ebb_store_writer *base, const struct ebb_meta *meta, uint32_t what,
			      struct ebb_record *ret, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	struct ebb_store_s3_object o;
	int rc = commit(w, meta, what, &o, err);

	if (rc < 0) {
		ebb_store_s3_write_abort(base);
		return rc;
	}
	if (ret)
		*ret = o.rec;
	release(w);
	return 0;
}
