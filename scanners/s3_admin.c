/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/s3_admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compress/digest.h"
#include "core/arena.h"
#include "core/base64.h"
#include "scanners/s3.h"
#include "scanners/s3_xml.h"

#define DOC_MAX ((size_t)4 << 20)

/* --- Lifecycle in one form --- */

struct lines {
	char **all;
	size_t n, size;
};

struct form {
	struct ebb_arena arena;
	char names[EBB_S3_XML_DEPTH][64];	/* open elements */
	unsigned depth;
	char tag[300];
	struct lines rule, rules;
	bool known;
	struct ebb_err *err;
};

static int keep(struct form *f, struct lines *l, const char *text)
{
	if (l->n == l->size) {
		size_t size = l->size ? l->size * 2 : 16;
		char **more = reallocarray(l->all, size, sizeof(*more));

		if (!more)
			return ebb_err_set(f->err, EBB_ENOMEM, "no memory for lifecycle rules");
		l->all = more;
		l->size = size;
	}
	l->all[l->n] = ebb_arena_strdup(&f->arena, text);
	return l->all[l->n++] ? 0 : ebb_err_set(f->err, EBB_ENOMEM, "no memory for lifecycle rules");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int join(struct lines *l, const char *between, struct ebb_buf *out)
{
	int rc = 0;

	if (l->n)
		qsort(l->all, l->n, sizeof(*l->all), by_text);
	for (size_t i = 0; rc == 0 && i < l->n; i++)
		rc = ebb_buf_addf(out, "%s%s", l->all[i], between);
	l->n = 0;
	return rc;
}

static int on_begin(void *ctx, const char *name, unsigned depth)
{
	struct form *f = ctx;

	f->known = f->known || (depth == 0 && strcmp(name, "LifecycleConfiguration") == 0);
	snprintf(f->names[depth], sizeof(f->names[0]), "%s", name);
	f->depth = depth + 1;
	return 0;
}

/* "Expiration/Days=3". Filter and And are left out: the same condition may stand in either, or in none. */
static int on_leaf(void *ctx, const char *parent, const char *name, const char *text, size_t len)
{
	struct form *f = ctx;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf line = EBB_BUF_INIT(DOC_MAX);
	int rc = 0;

	if (strcmp(parent, "Tag") == 0 && strcmp(name, "Key") == 0) {
		snprintf(f->tag, sizeof(f->tag), "%s", text);
		return 0;
	}
	if (len == 0 && strcmp(parent, "Tag") != 0)	/* an empty prefix is none */
		return 0;
	for (unsigned i = 2; rc == 0 && i < f->depth; i++)
		if (strcmp(f->names[i], "Filter") != 0 && strcmp(f->names[i], "And") != 0)
			rc = ebb_buf_addf(&line, "%s/", f->names[i]);
	if (rc == 0 && strcmp(parent, "Tag") == 0)
		rc = ebb_buf_addf(&line, "%s/", f->tag);
	rc = rc ? rc : ebb_buf_addf(&line, "=%s", text);
	return rc ? ebb_err_set(f->err, EBB_ENOMEM, "no memory for lifecycle rules") : keep(f, &f->rule, line.data);
}

static int on_end(void *ctx, const char *name, unsigned depth)
{
	struct form *f = ctx;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf rule = EBB_BUF_INIT(DOC_MAX);

	(void)depth;
	f->depth = depth;
	if (strcmp(name, "Rule") != 0)
		return 0;
	if (join(&f->rule, " ", &rule) < 0)
		return ebb_err_set(f->err, EBB_ENOMEM, "no memory for lifecycle rules");
	return keep(f, &f->rules, rule.len ? rule.data : "");
}

int ebb_s3_admin_lifecycle_form(const char *doc, size_t len, struct ebb_buf *out, struct ebb_err *err)
{
	struct form f = {.err = err};
	const struct ebb_s3_xml_events events = {.ctx = &f, .begin = on_begin, .leaf = on_leaf, .end = on_end};

	ebb_arena_init(&f.arena, DOC_MAX);
	int rc = ebb_s3_xml_parse(doc, len, &events, err);
	if (rc == 0 && !f.known)
		rc = ebb_err_set(err, EBB_ECORRUPT, "this is no lifecycle configuration");
	if (rc == 0 && join(&f.rules, "\n", out) < 0)
		rc = ebb_err_set(err, EBB_ENOMEM, "no memory for lifecycle rules");
	free(f.rule.all);
	free(f.rules.all);
	ebb_arena_release(&f.arena);
	return rc;
}

/* --- Lifecycle of a bucket --- */

int ebb_s3_admin_lifecycle_get(struct ebb_s3 *s, struct ebb_buf *doc, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	struct ebb_err why = {0};

	ebb_s3_call_init(&call, EBB_S3_GET_CONFIG, "GET", NULL);
	ebb_s3_call_query(&call, "lifecycle", "");
	int rc = ebb_s3_do(s, &call, &why);
	if (rc == -EBB_ENOENT)
		return 0;
	if (rc < 0)
		return ebb_err_set(err, -rc, "%s", why.msg);
	if (ebb_buf_add(doc, call.http.answer.data, call.http.answer.len) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for lifecycle rules");
	return 1;
}

static int put(struct ebb_s3 *s, const char *doc, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf md5 = EBB_BUF_INIT(64);
	uint8_t sum[16];
	int rc = ebb_digest_of(&ebb_digest_md5, doc, strlen(doc), sum, err);

	rc = rc ? rc : ebb_base64_encode(&md5, sum, sizeof(sum), err);
	if (rc < 0)
		return rc;
	ebb_s3_call_init(&call, EBB_S3_PUT_CONFIG, "PUT", NULL);
	ebb_s3_call_query(&call, "lifecycle", "");
	ebb_s3_call_header(&call, "content-md5", md5.data);	/* S3 demands it here */
	call.body = doc;
	call.body_len = strlen(doc);
	return ebb_s3_do(s, &call, err);
}

/* What was there before, or nothing: rules that mean something else must not stay. */
static void put_back(struct ebb_s3 *s, bool there, const char *before)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};

	if (there) {
		put(s, before, NULL);
		return;
	}
	ebb_s3_call_init(&call, EBB_S3_PUT_CONFIG, "DELETE", NULL);
	ebb_s3_call_query(&call, "lifecycle", "");
	ebb_s3_do(s, &call, NULL);
}

int ebb_s3_admin_lifecycle_put(struct ebb_s3 *s, const char *doc, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf before = EBB_BUF_INIT(DOC_MAX), now = EBB_BUF_INIT(DOC_MAX);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf want = EBB_BUF_INIT(DOC_MAX), have = EBB_BUF_INIT(DOC_MAX);
	int rc = ebb_s3_admin_lifecycle_form(doc, strlen(doc), &want, err);

	if (rc < 0)
		return rc;
	int there = ebb_s3_admin_lifecycle_get(s, &before, err);
	rc = there < 0 ? there : put(s, doc, err);
	if (rc < 0)
		return rc;
	rc = ebb_s3_admin_lifecycle_get(s, &now, err);
	if (rc == 1)
		rc = ebb_s3_admin_lifecycle_form(now.data, now.len, &have, err);
	if (rc == 0 && (want.len != have.len || (want.len && memcmp(want.data, have.data, want.len) != 0)))
		rc = ebb_err_set(err, EBB_EMISMATCH,
				 "bucket '%s' keeps other lifecycle rules than it was given: '%.300s' instead of '%.300s'",
				 ebb_s3_bucket(s), have.len ? have.data : "", want.len ? want.data : "");
	if (rc < 0)
		put_back(s, there == 1, before.data);
	return rc;
}

/* --- Restores --- */

int ebb_s3_admin_restore(struct ebb_s3 *s, const char *key, unsigned days, const char *tier, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf doc = EBB_BUF_INIT(4096);
	struct ebb_err why = {0};
	char kept[32] = "";

	if (days) /* Intelligent-Tiering refuses the element: what comes back stays */
		snprintf(kept, sizeof(kept), "<Days>%u</Days>", days);
	if (ebb_buf_addf(&doc, "<RestoreRequest>%s<GlacierJobParameters><Tier>%s</Tier></GlacierJobParameters>"
			 "</RestoreRequest>", kept, tier) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to restore '%s'", key);
	ebb_s3_call_init(&call, EBB_S3_RESTORE, "POST", key);
	ebb_s3_call_query(&call, "restore", "");
	call.body = doc.data;
	call.body_len = doc.len;
	int rc = ebb_s3_do(s, &call, &why);
	if (rc < 0 && strcmp(call.code, "RestoreAlreadyInProgress") == 0)
		return 0;
	/* here it says that there is nothing to restore */
	return rc < 0 ? ebb_err_set(err, rc == -EBB_EASLEEP ? EBB_ENOTSUP : -rc, "%s", why.msg) : 0;
}

enum ebb_s3_restored ebb_s3_admin_restored_of(const struct ebb_s3_call *call, int64_t *ret_expires)
{
	char text[200], *date, *end;

	/* S3 API Reference, HeadObject: ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT" */
	ebb_s3_call_got(call, "x-amz-restore", text, sizeof(text));
	*ret_expires = 0;
	if (!*text)
		return EBB_S3_AWAKE;
	if (strstr(text, "ongoing-request=\"true\""))
		return EBB_S3_RESTORING;
	date = strstr(text, "expiry-date=\"");
	if (date && (end = strchr(date += strlen("expiry-date=\""), '"'))) {
		*end = '\0';
		*ret_expires = ebb_http_date(date);
	}
	return EBB_S3_RESTORED;
}

int ebb_s3_admin_restored(struct ebb_s3 *s, const char *key, enum ebb_s3_restored *ret, int64_t *ret_expires,
			  struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};

	ebb_s3_call_init(&call, EBB_S3_HEAD, "HEAD", key);
	int rc = ebb_s3_do(s, &call, err);
	if (rc == 0)
		*ret = ebb_s3_admin_restored_of(&call, ret_expires);
	return rc;
}
