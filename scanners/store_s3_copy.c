/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copies on the server's side, onto itself (another class, other metadata) or to another key. A copy is a new object: stores give it
 * a new time of last modification and the default access list. So the time goes along as user metadata, the list is put
 * back, and all of it is read back.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compress/etag.h"
#include "core/arena.h"
#include "scanners/s3_xml.h"
#include "scanners/store_s3.h"

#define COPY_IDLE 600	/* seconds: some stores say nothing until they are done */
#define DOC_MAX ((size_t)4 << 20)
#define PARTS_MAX 10000

/* --- Access lists --- */

/* What a list grants, as text to compare: "GRANTEE PERMISSION\n" each. */
struct grants {
	struct ebb_buf text;
	char owner[200], grantee[300];
	unsigned n;
	bool all_owners;	/* each grant is full control for the owner */
};

static int on_grant(void *ctx, const char *parent, const char *name, const char *text, size_t len)
{
	struct grants *g = ctx;

	(void)len;
	if (strcmp(parent, "Owner") == 0 && strcmp(name, "ID") == 0)
		snprintf(g->owner, sizeof(g->owner), "%s", text);
	if (strcmp(parent, "Grantee") == 0 && (strcmp(name, "ID") == 0 || strcmp(name, "URI") == 0 ||
					       strcmp(name, "EmailAddress") == 0))
		snprintf(g->grantee, sizeof(g->grantee), "%s", text);
	if (strcmp(parent, "Grant") != 0 || strcmp(name, "Permission") != 0)
		return 0;
	g->n++;
	g->all_owners = g->all_owners && strcmp(g->grantee, g->owner) == 0 && strcmp(text, "FULL_CONTROL") == 0;
	return ebb_buf_addf(&g->text, "%s %s\n", g->grantee, text);
}

/*
 * The access list of an object: the document into @doc, what it grants into @g (released by the caller).
 *
 * @return  1; 0 where there are no access lists.
 */
static int get_acl(struct ebb_store_s3 *s, const char *full, struct ebb_buf *doc, struct grants *g,
		   struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	const struct ebb_s3_xml_events events = {.ctx = g, .leaf = on_grant};
	struct ebb_err why = {0};

	*g = (struct grants){.text = EBB_BUF_INIT(DOC_MAX), .all_owners = true};
	ebb_s3_call_init(&call, EBB_S3_GET_CONFIG, "GET", full);
	ebb_s3_call_query(&call, "acl", "");
	int rc = ebb_s3_do(s->s3, &call, &why);
	if (rc == -EBB_ENOTSUP)
		return 0;
	if (rc < 0)
		return ebb_err_set(err, -rc, "cannot see the access list that a copy must keep: %s", why.msg);
	rc = ebb_s3_xml_parse(call.http.answer.data, call.http.answer.len, &events, err);
	if (rc == 0 && ebb_buf_add(doc, call.http.answer.data, call.http.answer.len) < 0)
		rc = ebb_err_set(err, EBB_ENOMEM, "no memory for an access list");
	return rc < 0 ? rc : 1;
}

static int restore_acl(struct ebb_store_s3 *s, const char *full, const struct ebb_buf *doc, const struct grants *was,
		       struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf now_doc = EBB_BUF_INIT(DOC_MAX);
	struct grants now;

	ebb_s3_call_init(&call, EBB_S3_PUT_CONFIG, "PUT", full);
	ebb_s3_call_query(&call, "acl", "");
	call.body = doc->data;
	call.body_len = doc->len;
	int rc = ebb_s3_do(s->s3, &call, err);
	if (rc < 0)
		return rc;
	rc = get_acl(s, full, &now_doc, &now, err);
	if (rc == 1 && (now.text.len != was->text.len || memcmp(now.text.data, was->text.data, now.text.len) != 0))
		rc = ebb_err_set(err, EBB_EMISMATCH, "the access list of '%s' came back different", full);
	ebb_buf_release(&now.text);
	return rc < 0 ? rc : 0;
}

/* --- Copying the bytes --- */

struct job {
	struct ebb_store_s3 *s;		/* where the copy is to be */
	const struct ebb_store_s3 *source;	/* the same, or another bucket of its place */
	const struct ebb_store_s3_object *o;
	const struct ebb_store_s3_meta *meta;
	const char *class;
	int64_t part;			/* bytes of a part; 0: what the limits say */
	const char *over;		/* entity tag of what it may take the place of, where the store looks at that; or NULL */
	char from[EBB_STORE_S3_KEY], to[EBB_STORE_S3_KEY];
};

/* Where from, and only if it is still that. Ceph reads the precondition under a name without "source", AWS the other. */
static int add_source(const struct job *j, struct ebb_s3_call *call, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf source = EBB_BUF_INIT(DOC_MAX);
	int rc = ebb_buf_addf(&source, "/%s/", ebb_s3_bucket(j->source->s3));

	rc = rc ? rc : ebb_sigv4_encode(&source, j->from, strlen(j->from), true);
	if (rc == 0 && *j->o->version) {
		rc = ebb_buf_adds(&source, "?versionId=");
		rc = rc ? rc : ebb_sigv4_encode(&source, j->o->version, strlen(j->o->version), false);
	}
	if (rc < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to copy '%s'", j->from);
	ebb_s3_call_header(call, "x-amz-copy-source", source.data);
	if (*j->o->etag) {
		ebb_s3_call_headerf(call, "x-amz-copy-source-if-match", "\"%s\"", j->o->etag);
		ebb_s3_call_headerf(call, "x-amz-copy-if-match", "\"%s\"", j->o->etag);
	}
	call->idle = COPY_IDLE;
	return 0;
}

/* The encryption of the source, or what the store is configured for. */
static void add_form(const struct job *j, struct ebb_s3_call *call)
{
	if (!*j->o->sse || j->source != j->s) {	/* another bucket has its own */
		ebb_store_s3_write_headers(j->s, j->class, call);
		return;
	}
	ebb_s3_call_header(call, "x-amz-storage-class", j->class);
	ebb_s3_call_header(call, "x-amz-server-side-encryption", j->o->sse);
	if (*j->o->sse_key)
		ebb_s3_call_header(call, "x-amz-server-side-encryption-aws-kms-key-id", j->o->sse_key);
}

static int copy_whole(const struct job *j, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};

	ebb_s3_call_init(&call, EBB_S3_COPY, "PUT", j->to);
	ebb_s3_call_header(&call, "x-amz-metadata-directive", "REPLACE");
	add_form(j, &call);
	ebb_s3_call_header(&call, "x-amz-tagging-directive", "REPLACE");
	if (j->over)
		ebb_s3_call_headerf(&call, "if-match", "\"%s\"", j->over);
	int rc = add_source(j, &call, err);
	rc = rc ? rc : ebb_store_s3_meta_send(j->meta, &call, err);
	return rc ? rc : ebb_s3_do(j->s->s3, &call, err);
}

static int create_upload(const struct job *j, struct ebb_buf *id, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};

	ebb_s3_call_init(&call, EBB_S3_UPLOAD_CREATE, "POST", j->to);
	ebb_s3_call_query(&call, "uploads", "");
	add_form(j, &call);
	call.body = "";
	int rc = ebb_store_s3_meta_send(j->meta, &call, err);
	rc = rc ? rc : ebb_s3_do(j->s->s3, &call, err);
	if (rc == 0 && (!ebb_s3_xml_find(call.http.answer.data, call.http.answer.len, "InitiateMultipartUploadResult",
					 "UploadId", id) || !id->len))
		rc = ebb_err_set(err, EBB_ECORRUPT, "the store gives no id for a copy to '%s'", j->to);
	return rc;
}

static int copy_part(const struct job *j, const char *id, unsigned number, int64_t off, int64_t len,
		     struct ebb_buf *parts, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf etag = EBB_BUF_INIT(200);
	char text[16];

	ebb_s3_call_init(&call, EBB_S3_UPLOAD_COPY, "PUT", j->to);
	snprintf(text, sizeof(text), "%u", number);
	ebb_s3_call_query(&call, "partNumber", text);
	ebb_s3_call_query(&call, "uploadId", id);
	ebb_s3_call_headerf(&call, "x-amz-copy-source-range", "bytes=%" PRId64 "-%" PRId64, off, off + len - 1);
	int rc = add_source(j, &call, err);
	rc = rc ? rc : ebb_s3_do(j->s->s3, &call, err);
	if (rc < 0)
		return rc;
	if (!ebb_s3_xml_find(call.http.answer.data, call.http.answer.len, "CopyPartResult", "ETag", &etag) || !etag.len)
		return ebb_err_set(err, EBB_ECORRUPT, "the store gives no tag for part %u of '%s'", number, j->to);
	rc = ebb_buf_addf(parts, "<Part><PartNumber>%u</PartNumber><ETag>", number);
	rc = rc ? rc : ebb_s3_xml_escape(parts, etag.data, etag.len);
	rc = rc ? rc : ebb_buf_adds(parts, "</ETag></Part>");
	return rc < 0 ? ebb_err_set(err, EBB_ENOMEM, "no memory to copy '%s'", j->from) : 0;
}

static int copy_all_parts(const struct job *j, const char *id, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf doc = EBB_BUF_INIT(DOC_MAX);
	int64_t size = j->o->rec.f[EBB_F_SIZE], part = j->part ? j->part : j->s->limits.copy_part, off = 0;
	int rc = ebb_buf_adds(&doc, "<CompleteMultipartUpload>");

	if (part < (size + PARTS_MAX - 1) / PARTS_MAX)
		part = (size + PARTS_MAX - 1) / PARTS_MAX;
	for (unsigned n = 1; rc == 0 && off < size; n++, off += part)
		rc = copy_part(j, id, n, off, size - off < part ? size - off : part, &doc, err);
	rc = rc ? rc : ebb_buf_adds(&doc, "</CompleteMultipartUpload>");
	if (rc < 0)
		return rc;
	ebb_s3_call_init(&call, EBB_S3_UPLOAD_COMPLETE, "POST", j->to);
	ebb_s3_call_query(&call, "uploadId", id);
	if (j->over)
		ebb_s3_call_headerf(&call, "if-match", "\"%s\"", j->over);
	call.body = doc.data;
	call.body_len = doc.len;
	call.idle = COPY_IDLE;
	return ebb_s3_do(j->s->s3, &call, err);
}

static int copy_in_parts(const struct job *j, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf id = EBB_BUF_INIT(EBB_RECORD_ID_MAX);
	int rc = create_upload(j, &id, err);

	if (rc < 0)
		return rc;
	rc = copy_all_parts(j, id.data, err);
	if (rc < 0) {
		EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};

		ebb_s3_call_init(&call, EBB_S3_UPLOAD_ABORT, "DELETE", j->to);
		ebb_s3_call_query(&call, "uploadId", id.data);
		ebb_s3_do(j->s->s3, &call, NULL);
	}
	return rc;
}

/* --- Reading back --- */

/* Ceph drops tags when metadata is replaced, whatever it is told about them. 1: they were lost, and are there again. */
static int check_meta(const struct job *j, const char *key, struct ebb_s3_call *head, struct ebb_store_s3_object *o,
		      struct ebb_err *err)
{
	struct ebb_store_s3_meta now;
	int rc = ebb_store_s3_meta_read(j->s, key, head, o, &now, err);

	if (rc == 0 && !ebb_store_s3_meta_same_tags(&j->meta->m, &now.m)) {
		rc = ebb_store_s3_meta_tags(j->s, key, &j->meta->m, err);
		rc = rc < 0 ? rc : 1;
	} else if (rc == 0) {
		rc = ebb_meta_compare(&j->meta->m, &now.m, j->meta->has | EBB_META_XATTRS, err);
	}
	ebb_meta_release(&now.m);
	return rc;
}

/* @tags: ask for them, whatever the store says of their number. Returns as check_meta. */
static int look_at_copy(const struct job *j, const char *key, bool tags, struct ebb_store_s3_object *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call;
	int rc = ebb_store_s3_head(j->s, key, NULL, &call, ret, err);

	if (rc < 0)
		return rc;
	if (ret->rec.f[EBB_F_SIZE] != j->o->rec.f[EBB_F_SIZE] ||
	    (ret->md5 && j->o->md5 && strcmp(ret->etag, j->o->etag) != 0))
		return ebb_err_set(err, EBB_EMISMATCH, "the copy at '%s' has other bytes", key);
	if (j->class && strcmp(ret->class, j->class) != 0)
		return ebb_err_set(err, EBB_EMISMATCH, "the store put '%s' into class %s instead of %s", key, ret->class,
				   j->class);
	if (j->source != j->s && j->s->sse && strcmp(j->s->sse, ret->sse) != 0)
		return ebb_err_set(err, EBB_EMISMATCH, "the store did not encrypt '%s' with %s as it was told", key, j->s->sse);
	if (j->source == j->s && *j->o->sse && strcmp(j->o->sse, ret->sse) != 0)
		return ebb_err_set(err, EBB_EMISMATCH, "the copy at '%s' is not encrypted as its source was", key);
	if (j->o->customer_key && !ret->customer_key)
		return ebb_err_set(err, EBB_EMISMATCH, "the copy at '%s' is not encrypted with the customer's key", key);
	if (tags)
		ret->tags = 1;
	rc = ebb_store_s3_guard_object(j->s, key, ret, err);
	return rc < 0 ? rc : check_meta(j, key, &call, ret, err);
}

/* Whoever puts tags back changes the object, so it is looked at anew. */
static int check_copy(const struct job *j, const char *key, struct ebb_store_s3_object *ret, struct ebb_err *err)
{
	int rc = look_at_copy(j, key, false, ret, err);

	if (rc == 1)
		rc = look_at_copy(j, key, true, ret, err);
	return rc == 1 ? ebb_err_set(err, EBB_EMISMATCH, "the store does not keep the tags of '%s'", key) : rc;
}

/* Onto itself in a bucket with versions the old bytes stay, as a noncurrent version that costs as before. */
static int drop_old(const struct job *j, const struct ebb_store_s3_object *made, struct ebb_err *err)
{
	if (!*j->o->version || strcmp(j->from, j->to) != 0 || strcmp(j->o->version, made->version) == 0)
		return 0;
	return ebb_store_s3_version_drop(j->s, j->from, j->o->version, err);
}

int ebb_store_s3_copy_object(struct ebb_store_s3 *s, const char *from, const struct ebb_store_s3_object *o,
			     const char *to, const char *class, const struct ebb_store_s3_meta *meta,
			     struct ebb_store_s3_object *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf acl = EBB_BUF_INIT(DOC_MAX);
	struct job j = {.s = s, .source = s, .o = o, .meta = meta, .class = class};
	struct grants was = {0};
	int rc = ebb_store_s3_key(s, from, j.from, err);

	rc = rc ? rc : ebb_store_s3_key(s, to, j.to, err);
	if (rc == 0 && o->customer_key && !s->customer_key)
		rc = ebb_err_set(err, EBB_ENOTSUP, "'%s' is encrypted with a key of the customer's own", from);
	if (rc == 0 && o->locked)
		rc = ebb_err_set(err, EBB_ENOTSUP, "'%s' is locked, and a copy would not be", from);
	if (rc == 0 && strcmp(j.from, j.to) == 0)
		rc = ebb_store_s3_version_spares(s, from, o, err);
	if (rc == 0)
		rc = get_acl(s, j.from, &acl, &was, err);
	bool restore = rc == 1 && !(was.n == 1 && was.all_owners);
	if (rc >= 0)
		rc = o->rec.f[EBB_F_SIZE] > s->limits.copy ? copy_in_parts(&j, err) : copy_whole(&j, err);
	if (rc == 0 && restore)
		rc = restore_acl(s, j.to, &acl, &was, err);
	if (rc == 0)
		rc = check_copy(&j, to, ret, err);
	if (rc == 0)
		rc = drop_old(&j, ret, err);
	ebb_buf_release(&was.text);
	return rc;
}

/* --- In the place of another object --- */

/*
 * The access list goes to the source of the copy first, so that whoever finishes this after a kill finds it there; it was the key's alone
 * until then.
 */
struct replacement {
	struct ebb_store_s3 *s;
	const char *key, *from;
	struct ebb_store_s3_object was, o;	/* what stands under the key, and what is to stand there */
	struct ebb_store_s3_meta meta;		/* of the latter */
	char full[EBB_STORE_S3_KEY], full_from[EBB_STORE_S3_KEY];
};

static int look_at_both(struct replacement *p, const struct ebb_record *expect, const struct ebb_record *from_rec,
			struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call key_call = {0};
	int rc = ebb_store_s3_key(p->s, p->key, p->full, err);

	rc = rc ? rc : ebb_store_s3_key(p->s, p->from, p->full_from, err);
	rc = rc ? rc : ebb_store_s3_head(p->s, p->from, from_rec, &call, &p->o, err);
	rc = rc ? rc : ebb_store_s3_head(p->s, p->key, expect, &key_call, &p->was, err);
	if (rc == 0 && (p->was.locked || p->o.locked))
		rc = ebb_err_set(err, EBB_ENOTSUP, "'%s' is locked: retention or legal hold", p->was.locked ? p->key : p->from);
	if (rc == 0 && p->was.customer_key && !p->o.customer_key)
		rc = ebb_err_set(err, EBB_ENOTSUP, "'%s' is encrypted with a key of the customer's own", p->key);
	rc = rc < 0 ? rc : ebb_store_s3_version_spares(p->s, p->key, &p->was, err);
	rc = rc < 0 ? rc : ebb_store_s3_meta_read(p->s, p->from, &call, &p->o, &p->meta, err);
	p->meta.has |= EBB_META_TIMES;	/* as old as its content */
	return rc;
}

/* The access list of @from for @to, unless it is the one that everything has. */
static int hand_acl(struct ebb_store_s3 *s, const char *from, const char *to, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf acl = EBB_BUF_INIT(DOC_MAX);
	struct grants was = {0};
	int rc = get_acl(s, from, &acl, &was, err);

	if (rc == 1)
		rc = was.n == 1 && was.all_owners ? 0 : restore_acl(s, to, &acl, &was, err);
	ebb_buf_release(&was.text);
	return rc;
}

static int put_over(struct replacement *p, struct ebb_store_s3_object *made, struct ebb_err *err)
{
	struct job j = {
		.s = p->s, .source = p->s, .o = &p->o, .meta = &p->meta, .class = p->was.class,
		.over = p->s->conditions && *p->was.etag ? p->was.etag : NULL,
	};
	bool large = p->o.rec.f[EBB_F_SIZE] > p->s->limits.copy;
	struct ebb_err why = {0};

	memcpy(j.from, p->full_from, sizeof(j.from));
	memcpy(j.to, p->full, sizeof(j.to));
	int rc = hand_acl(p->s, p->full, p->full_from, err);
	if (rc < 0)
		return rc;
	rc = large ? copy_in_parts(&j, &why) : copy_whole(&j, &why);
	if (rc == -EBB_ENOTSUP && j.over) {	/* no conditional copies there: it was looked at just before */
		j.over = NULL;
		ebb_err_clear(&why);
		rc = large ? copy_in_parts(&j, &why) : copy_whole(&j, &why);
	}
	if (rc < 0)
		return ebb_err_set(err, -rc, "%s", why.msg);
	rc = hand_acl(p->s, p->full_from, p->full, err);
	return rc < 0 ? rc : check_copy(&j, p->key, made, err);
}

/* What was cut short. Its bytes were compared by whoever asks; a copy in parts has another tag than its source. */
static int tidy_up(struct replacement *p, struct ebb_store_s3_object *made, struct ebb_err *err)
{
	const struct job j = {.s = p->s, .source = p->s, .o = &p->was, .meta = &p->meta, .class = p->was.class};
	int rc = hand_acl(p->s, p->full_from, p->full, err);

	return rc < 0 ? rc : check_copy(&j, p->key, made, err);
}

int ebb_store_s3_copy_replace(struct ebb_store *base, const char *key, const struct ebb_record *expect, bool again,
			      const char *from, const struct ebb_record *from_rec, struct ebb_record *ret, struct ebb_err *err)
{
	struct replacement p = {.s = (struct ebb_store_s3 *)base, .key = key, .from = from};
	struct ebb_store_s3_object made;
	int rc = look_at_both(&p, again ? NULL : expect, from_rec, err);

	if (rc == 0)
		rc = again ? tidy_up(&p, &made, err) : put_over(&p, &made, err);
	ebb_meta_release(&p.meta.m);
	/* the old bytes would stay as a noncurrent version, which costs as before */
	if (rc == 0 && again && *made.version)
		rc = ebb_store_s3_version_drop_second(p.s, key, made.version, expect, err);
	if (rc == 0 && !again && *p.was.version && strcmp(p.was.version, made.version) != 0)
		rc = ebb_store_s3_version_drop(p.s, p.full, p.was.version, err);
	if (rc == 0 && ret)
		*ret = made.rec;
	return rc;
}

/* --- From another bucket of the same place --- */

bool ebb_store_s3_copy_can_take(const struct ebb_store *to, const struct ebb_store *from)
{
	const struct ebb_store_s3 *a = (const struct ebb_store_s3 *)to, *b = (const struct ebb_store_s3 *)from;

	return ebb_s3_same_place(a->s3, b->s3) && !a->customer_key && !b->customer_key &&
	       !(a->sse && strcmp(a->sse, "aws:kms") == 0);	/* its tags are no checksums */
}

/* Something else came of it than was asked for. */
static void take_away(const struct job *j, const struct ebb_store_s3_object *made)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};

	ebb_s3_call_init(&call, EBB_S3_DELETE, "DELETE", j->to);
	if (*made->version)
		ebb_s3_call_query(&call, "versionId", made->version);
	ebb_s3_do(j->s->s3, &call, NULL);
}

/*
 * Cut as the source was, by what its tag tells of its parts, the copy has the same tag: that is its proof. Where nobody knows how it was
 * cut, or the tag is no checksum, it takes somebody who reads. So it does where one who may write here may not read there.
 */
static int across(struct job *j, const char *key, struct ebb_store_s3_object *made, struct ebb_err *err)
{
	int64_t size = j->o->rec.f[EBB_F_SIZE], parts = j->o->rec.f[EBB_F_PARTS], sizes[EBB_ETAG_SIZES];
	bool tag = ebb_record_has(&j->o->rec, EBB_F_PARTS) && parts >= 0 && strncmp(j->o->sse, "aws:kms", 7) != 0;
	struct ebb_err why = {0};

	if (!tag || (parts == 0 && size > j->s->limits.copy) || (parts && !ebb_etag_part_sizes(size, parts, sizes)))
		return ebb_err_set(err, EBB_ENOTSUP, "a copy of '%s' could not be told from another", j->from);
	j->part = parts ? sizes[0] : 0;
	int rc = parts ? copy_in_parts(j, &why) : copy_whole(j, &why);
	if (rc < 0)
		return ebb_err_set(err, rc == -EBB_EACCES ? EBB_ENOTSUP : -rc, "%s", why.msg);
	rc = check_copy(j, key, made, err);
	if (rc == 0 && strcmp(made->etag, j->o->etag) != 0)
		rc = ebb_err_set(err, EBB_ENOTSUP, "the copy at '%s' is cut in another way than its source", key);
	if (rc < 0)
		take_away(j, made);
	return rc;
}

int ebb_store_s3_copy_take(struct ebb_store *to, const char *to_key, struct ebb_store *from, const char *key,
			   const struct ebb_record *expect, const struct ebb_store_write_opts *opts, struct ebb_record *ret,
			   struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call;
	struct ebb_store_s3_object o, made = {0};
	struct ebb_store_s3_meta meta = {.has = opts->meta ? opts->what : 0};
	struct job j = {
		.s = (struct ebb_store_s3 *)to, .source = (struct ebb_store_s3 *)from, .o = &o, .meta = &meta, .class = opts->class,
	};
	struct ebb_record rec;
	struct ebb_err why = {0};
	int rc = ebb_store_s3_head((struct ebb_store_s3 *)from, key, expect, &call, &o, &why);

	if (rc < 0)
		return ebb_err_set(err, -rc, "%s", why.msg);
	if (o.customer_key || o.locked)
		return ebb_err_set(err, EBB_ENOTSUP, "'%s' is locked or has a key of its own", key);
	rc = ebb_store_head(to, to_key, &rec, &why);
	if (rc == 0)
		return ebb_err_set(err, EBB_EEXIST, "cannot copy '%s': '%s' exists already", key, to_key);
	if (rc != -EBB_ENOENT)
		return ebb_err_set(err, -rc, "%s", why.msg);
	if ((rc = ebb_store_s3_key(j.source, key, j.from, err)) < 0 || (rc = ebb_store_s3_key(j.s, to_key, j.to, err)) < 0)
		return rc;
	ebb_meta_init(&meta.m);
	rc = meta.has ? ebb_meta_copy(&meta.m, opts->meta, err) : 0;
	if (rc == 0)
		rc = across(&j, to_key, &made, err);
	ebb_meta_release(&meta.m);
	if (rc == 0)
		*ret = made.rec;
	return rc;
}

/* --- Operations --- */

static int copy(struct ebb_store_s3 *s, const char *from, const char *to, const char *class,
		const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call;
	struct ebb_store_s3_object o, made;
	struct ebb_store_s3_meta meta;
	struct ebb_err why = {0};
	int rc = ebb_store_s3_head(s, from, expect, &call, &o, &why);

	if (rc < 0)
		return ebb_err_set(err, -rc, "%s", why.msg);
	if (from == to && strcmp(class, o.class) == 0) {	/* nothing to do */
		if (ret)
			*ret = o.rec;
		return 0;
	}
	rc = ebb_store_s3_meta_read(s, from, &call, &o, &meta, err);
	meta.has |= EBB_META_TIMES;	/* as old as its content */
	if (rc == 0)
		rc = ebb_store_s3_copy_object(s, from, &o, to, class ? class : o.class, &meta, &made, err);
	ebb_meta_release(&meta.m);
	if (rc == 0 && ret)
		*ret = made.rec;
	return rc;
}

int ebb_store_s3_copy(struct ebb_store *base, const char *from, const char *to, const char *class,
		      const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err)
{
	struct ebb_record rec;
	struct ebb_err why = {0};
	int rc = ebb_store_head(base, to, &rec, &why);

	if (rc == 0)
		return ebb_err_set(err, EBB_EEXIST, "cannot copy '%s': '%s' exists already", from, to);
	if (rc != -EBB_ENOENT)
		return ebb_err_set(err, -rc, "%s", why.msg);
	return copy((struct ebb_store_s3 *)base, from, to, class, expect, ret, err);
}

int ebb_store_s3_copy_class(struct ebb_store *base, const char *key, const char *class,
			    const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err)
{
	return copy((struct ebb_store_s3 *)base, key, key, class, expect, ret, err);
}
