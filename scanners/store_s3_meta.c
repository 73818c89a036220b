/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metadata of files as user metadata of objects, and the other way round; the form is in store_s3.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base64.h"
#include "core/text.h"
#include "core/units.h"
#include "scanners/s3_xml.h"
#include "scanners/store_s3.h"

/* S3 API Reference, "User-defined object metadata": bytes of names and values, 2 KiB; less the tag that writers leave. */
#define USER_MAX (2048 - 7 - EBB_STORE_TAG_MAX)
#define TEXT_MAX ((size_t)64 << 10)
#define USER "x-amz-meta-"
#define ATTR "s3."
#define ATTR_META "s3.meta."
#define ATTR_TAG "s3.tag."

/* Headers of content that objects have as attributes of that name behind "s3.". */
static const char *const content[] = {"content-type",	  "cache-control", "content-disposition",
				      "content-encoding", "content-language", "expires"};

/* What stores say of an object that was put without a type. */
#define NO_TYPE "binary/octet-stream"

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "no memory for metadata");
}

/* --- Reading --- */

static int unhex(char c)
{
	const char *digits = "0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* One "name=value" of ebb-xattrs: the name percent-encoded, the value in base64. */
static int read_xattr(struct ebb_meta *m, const char *p, size_t len, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf name = EBB_BUF_INIT(TEXT_MAX), value = EBB_BUF_INIT(TEXT_MAX);
	const char *eq = memchr(p, '=', len), *end = p + len;
	int rc = eq ? ebb_buf_reserve(&name, len) : -EBB_ECORRUPT;

	for (; rc == 0 && p < eq; p++) {
		if (*p == '%' && eq - p > 2 && unhex(p[1]) >= 0 && unhex(p[2]) >= 0) {
			rc = ebb_buf_addc(&name, (char)(unhex(p[1]) << 4 | unhex(p[2])));
			p += 2;
		} else {
			rc = ebb_buf_addc(&name, *p);
		}
	}
	if (rc == 0)
		rc = ebb_base64_decode(&value, eq + 1, (size_t)(end - eq - 1), NULL);
	if (rc < 0 || name.len == 0)
		return ebb_err_set(err, EBB_ECORRUPT, "the attributes that ebb stored do not decode");
	return ebb_meta_add(m, name.data, value.data, value.len, err);
}

static int read_xattrs(struct ebb_meta *m, const char *p, size_t len, struct ebb_err *err)
{
	const char *end = p + len;
	int rc = 0;

	while (rc == 0 && p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;

		rc = read_xattr(m, p, (size_t)(stop - p), err);
		p = stop + 1;
	}
	return rc;
}

static int add_attr(struct ebb_meta *m, const char *prefix, const char *name, size_t nlen, const char *value,
		    size_t vlen, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf full = EBB_BUF_INIT(TEXT_MAX);

	if (ebb_buf_adds(&full, prefix) < 0 || ebb_buf_add(&full, name, nlen) < 0)
		return no_memory(err);
	for (char *p = full.data + strlen(prefix); *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
	return ebb_meta_add(m, full.data, value, vlen, err);
}

/* A number or a time that ebb stored; what is not one says nothing. */
static bool read_number(const struct ebb_s3_call *call, const char *name, int base, uint32_t *ret)
{
	char text[32], *end;

	ebb_s3_call_got(call, name, text, sizeof(text));
	unsigned long n = strtoul(text, &end, base);
	if (!*text || *end || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static bool read_time(const struct ebb_s3_call *call, const char *name, int64_t *ret)
{
	char text[64];

	ebb_s3_call_got(call, name, text, sizeof(text));
	return *text && ebb_units_parse_time(text, ret, NULL) == 0;
}

static void read_parts(const struct ebb_s3_call *call, const struct ebb_store_s3_object *o,
		       struct ebb_store_s3_meta *r)
{
	r->m.mtime = r->m.atime = o->rec.f[EBB_F_CTIME];
	if (read_number(call, USER "ebb-uid", 10, &r->m.uid) && read_number(call, USER "ebb-gid", 10, &r->m.gid))
		r->has |= EBB_META_OWNER;
	if (read_number(call, USER "ebb-mode", 8, &r->m.mode))
		r->has |= EBB_META_MODE;
	if (read_time(call, USER "ebb-mtime", &r->m.mtime)) {
		r->has |= EBB_META_TIMES;
		if (!read_time(call, USER "ebb-atime", &r->m.atime))
			r->m.atime = r->m.mtime;
	}
}

/* One line of a header: "Name: value". */
static int read_line(const char *line, size_t len, struct ebb_meta *m, struct ebb_err *err)
{
	const char *colon = memchr(line, ':', len), *end = line + len, *value = colon ? colon + 1 : end;
	size_t nlen = colon ? (size_t)(colon - line) : 0;

	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
		end--;
	size_t vlen = (size_t)(end - value);
	for (size_t i = 0; i < EBB_ARRAY_LEN(content); i++) {
		if (nlen != strlen(content[i]) || strncasecmp(line, content[i], nlen) != 0)
			continue;
		if (i == 0 && vlen == strlen(NO_TYPE) && memcmp(value, NO_TYPE, vlen) == 0)
			return 0;
		return add_attr(m, ATTR, line, nlen, value, vlen, err);
	}
	if (nlen <= strlen(USER) || strncasecmp(line, USER, strlen(USER)) != 0)
		return 0;
	line += strlen(USER), nlen -= strlen(USER);
	if (nlen == 10 && strncasecmp(line, "ebb-xattrs", 10) == 0)
		return read_xattrs(m, value, vlen, err);
	if (strncasecmp(line, "ebb-", 4) == 0)
		return 0;
	return add_attr(m, ATTR_META, line, nlen, value, vlen, err);
}

struct tags {
	struct ebb_meta *m;
	char key[300];
	struct ebb_err *err;
};

static int on_tag(void *ctx, const char *parent, const char *name, const char *text, size_t len)
{
	struct tags *t = ctx;
	char full[320];

	if (strcmp(parent, "Tag") != 0)
		return 0;
	if (strcmp(name, "Key") == 0) {
		snprintf(t->key, sizeof(t->key), "%s", text);
		return 0;
	}
	snprintf(full, sizeof(full), ATTR_TAG "%s", t->key);
	return strcmp(name, "Value") == 0 ? ebb_meta_add(t->m, full, text, len, t->err) : 0;
}

static int read_tags(struct ebb_store_s3 *s, const char *key, const char *version, struct ebb_meta *m,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	struct tags t = {.m = m, .err = err};
	const struct ebb_s3_xml_events events = {.ctx = &t, .leaf = on_tag};
	char full[EBB_STORE_S3_KEY];
	int rc = ebb_store_s3_key(s, key, full, err);

	if (rc < 0)
		return rc;
	ebb_s3_call_init(&call, EBB_S3_GET_CONFIG, "GET", full);
	ebb_s3_call_query(&call, "tagging", "");
	if (*version)
		ebb_s3_call_query(&call, "versionId", version);
	rc = ebb_s3_do(s->s3, &call, err);
	return rc < 0 ? rc : ebb_s3_xml_parse(call.http.answer.data, call.http.answer.len, &events, err);
}

int ebb_store_s3_meta_read(struct ebb_store_s3 *s, const char *key, const struct ebb_s3_call *header,
			   const struct ebb_store_s3_object *o, struct ebb_store_s3_meta *ret, struct ebb_err *err)
{
	const char *p = header->http.header.data, *end = p ? p + header->http.header.len : p;
	int rc = 0;

	*ret = (struct ebb_store_s3_meta){0};
	ebb_meta_init(&ret->m);
	read_parts(header, o, ret);
	if (o->customer_key)
		ebb_s3_call_got(header, "x-amz-server-side-encryption-customer-key-md5", ret->m.seal_key, sizeof(ret->m.seal_key));
	else
		snprintf(ret->m.seal_key, sizeof(ret->m.seal_key), "%s", o->sse_key);
	ret->m.seal = o->customer_key || strncmp(o->sse, "aws:kms", 7) == 0 ? EBB_META_KEYED : *o->sse ? EBB_META_SEALED : EBB_META_OPEN;
	ret->m.locked = o->locked;
	while (rc == 0 && p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *stop = eol ? eol : end;

		rc = read_line(p, (size_t)(stop - p), &ret->m, err);
		p = stop + 1;
	}
	return rc == 0 && o->tags > 0 ? read_tags(s, key, o->version, &ret->m, err) : rc;
}

/* --- Writing --- */

/* What a header can carry: visible ASCII and blanks inside. */
static bool fits_header(const struct ebb_meta_xattr *x)
{
	const char *v = x->value;

	for (size_t i = 0; i < x->len; i++)
		if ((unsigned char)v[i] < ' ' || (unsigned char)v[i] > '~')
			return false;
	return x->len == 0 || (v[0] != ' ' && v[x->len - 1] != ' ');
}

/* A name that is one header's and nobody else's (RFC 9110, 5.6.2), in lower case as it comes back; those behind "ebb-" are ours. */
static bool fits_name(const char *name)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";

	return *name && !name[strspn(name, token)] && !begins(name, "ebb-");
}

static int send_attr(const struct ebb_meta_xattr *x, struct ebb_s3_call *call, size_t *user, struct ebb_err *err)
{
	char shown[EBB_TEXT_QUOTED];

	if (!fits_header(x))
		return ebb_err_set(err, EBB_ENOTSUP, "the value of '%s' does not fit into a header",
				   ebb_text_quotes(x->name, shown, sizeof(shown)));
	if (begins(x->name, ATTR_META)) {
		const char *name = x->name + strlen(ATTR_META);

		if (!fits_name(name))
			return ebb_err_set(err, EBB_ENOTSUP, "the name of '%s' is none that metadata of a bucket can have",
					   ebb_text_quotes(x->name, shown, sizeof(shown)));
		const char *header = ebb_arena_printf(&call->arena, USER "%s", name);
		if (!header)
			return no_memory(err);
		*user += strlen(name) + x->len;
		ebb_s3_call_headerf(call, header, "%.*s", (int)x->len, x->len ? (char *)x->value : "");
		return 0;
	}
	for (size_t i = 0; i < EBB_ARRAY_LEN(content); i++)
		if (strcmp(x->name + strlen(ATTR), content[i]) == 0) {
			ebb_s3_call_headerf(call, content[i], "%.*s", (int)x->len, x->len ? (char *)x->value : "");
			return 0;
		}
	return ebb_err_set(err, EBB_ENOTSUP, "a bucket has no '%s'", ebb_text_quotes(x->name, shown, sizeof(shown)));
}

static int add_xattr(struct ebb_buf *out, const struct ebb_meta_xattr *x, struct ebb_err *err)
{
	int rc = out->len ? ebb_buf_addc(out, ',') : 0;

	rc = rc ? rc : ebb_sigv4_encode(out, x->name, strlen(x->name), false);
	rc = rc ? rc : ebb_buf_addc(out, '=');
	return rc ? no_memory(err) : ebb_base64_encode(out, x->value, x->len, err);
}

static int add_tag(struct ebb_buf *out, const struct ebb_meta_xattr *x)
{
	const char *name = x->name + strlen(ATTR_TAG);
	int rc = out->len ? ebb_buf_addc(out, '&') : 0;

	rc = rc ? rc : ebb_sigv4_encode(out, name, strlen(name), false);
	rc = rc ? rc : ebb_buf_addc(out, '=');
	return rc ? rc : ebb_sigv4_encode(out, x->len ? x->value : "", x->len, false);
}

static void send_parts(const struct ebb_store_s3_meta *m, struct ebb_s3_call *call, size_t *user)
{
	size_t before = call->nheaders;
	char time[EBB_UNITS_TEXT];

	if (m->has & EBB_META_OWNER) {
		ebb_s3_call_headerf(call, USER "ebb-uid", "%" PRIu32, m->m.uid);
		ebb_s3_call_headerf(call, USER "ebb-gid", "%" PRIu32, m->m.gid);
	}
	if (m->has & EBB_META_MODE)
		ebb_s3_call_headerf(call, USER "ebb-mode", "%04" PRIo32, m->m.mode);
	if (m->has & EBB_META_TIMES) {
		ebb_s3_call_header(call, USER "ebb-mtime", ebb_units_exact_time(m->m.mtime, time));
		ebb_s3_call_header(call, USER "ebb-atime", ebb_units_exact_time(m->m.atime, time));
	}
	for (size_t i = before; i < call->nheaders && !call->broken; i++)
		*user += strlen(call->headers[i].name) - strlen(USER) + strlen(call->headers[i].value);
}

int ebb_store_s3_meta_send(const struct ebb_store_s3_meta *m, struct ebb_s3_call *call, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf xattrs = EBB_BUF_INIT(TEXT_MAX), tagging = EBB_BUF_INIT(TEXT_MAX);
	size_t user = 0;
	int rc = 0;

	send_parts(m, call, &user);
	for (size_t i = 0; rc == 0 && i < m->m.nxattrs; i++) {
		const struct ebb_meta_xattr *x = &m->m.xattrs[i];

		if (begins(x->name, ATTR_TAG))
			rc = add_tag(&tagging, x) < 0 ? no_memory(err) : 0;
		else if (begins(x->name, ATTR))
			rc = send_attr(x, call, &user, err);
		else
			rc = add_xattr(&xattrs, x, err);
	}
	if (rc < 0)
		return rc;
	if (xattrs.len)
		user += strlen("ebb-xattrs") + xattrs.len;
	if (user > USER_MAX)
		return ebb_err_set(err, EBB_ENOTSUP,
				   "the metadata takes %zu bytes, and an object carries at most %d (attributes make up %zu)",
				   user, USER_MAX, xattrs.len);
	if (xattrs.len)
		ebb_s3_call_header(call, USER "ebb-xattrs", xattrs.data);
	if (tagging.len)
		ebb_s3_call_header(call, "x-amz-tagging", tagging.data);
	return 0;
}

/* --- Tags --- */

bool ebb_store_s3_meta_same_tags(const struct ebb_meta *a, const struct ebb_meta *b)
{
	size_t i = 0, j = 0;

	for (;; i++, j++) {
		while (i < a->nxattrs && !begins(a->xattrs[i].name, ATTR_TAG))
			i++;
		while (j < b->nxattrs && !begins(b->xattrs[j].name, ATTR_TAG))
			j++;
		if (i == a->nxattrs || j == b->nxattrs)
			return i == a->nxattrs && j == b->nxattrs;
		const struct ebb_meta_xattr *x = &a->xattrs[i], *y = &b->xattrs[j];
		if (strcmp(x->name, y->name) != 0 || x->len != y->len || (x->len && memcmp(x->value, y->value, x->len) != 0))
			return false;
	}
}

static int tag_document(const struct ebb_meta *m, struct ebb_buf *out)
{
	int rc = ebb_buf_adds(out, "<Tagging><TagSet>");

	for (size_t i = 0; rc == 0 && i < m->nxattrs; i++) {
		const struct ebb_meta_xattr *x = &m->xattrs[i];

		if (!begins(x->name, ATTR_TAG))
			continue;
		rc = ebb_buf_adds(out, "<Tag><Key>");
		rc = rc ? rc : ebb_s3_xml_escape(out, x->name + strlen(ATTR_TAG), strlen(x->name + strlen(ATTR_TAG)));
		rc = rc ? rc : ebb_buf_adds(out, "</Key><Value>");
		rc = rc ? rc : ebb_s3_xml_escape(out, x->len ? x->value : "", x->len);
		rc = rc ? rc : ebb_buf_adds(out, "</Value></Tag>");
	}
	return rc ? rc : ebb_buf_adds(out, "</TagSet></Tagging>");
}

int ebb_store_s3_meta_tags(struct ebb_store_s3 *s, const char *key, const struct ebb_meta *m, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf doc = EBB_BUF_INIT(TEXT_MAX);
	char full[EBB_STORE_S3_KEY];
	int rc = ebb_store_s3_key(s, key, full, err);

	if (rc == 0 && tag_document(m, &doc) < 0)
		rc = no_memory(err);
	if (rc < 0)
		return rc;
	ebb_s3_call_init(&call, EBB_S3_PUT_CONFIG, "PUT", full);
	ebb_s3_call_query(&call, "tagging", "");
	call.body = doc.data;
	call.body_len = doc.len;
	return ebb_s3_do(s->s3, &call, err);
}

/* --- Operations --- */

int ebb_store_s3_meta_get(struct ebb_store *base, const char *key, struct ebb_meta *ret, struct ebb_err *err)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call;
	struct ebb_store_s3_object o;
	struct ebb_store_s3_meta now;
	int rc = ebb_store_s3_head(s, key, NULL, &call, &o, err);

	if (rc < 0)
		return rc;
	rc = ebb_store_s3_meta_read(s, key, &call, &o, &now, err);
	if (rc == 0)
		rc = ebb_meta_copy(ret, &now.m, err);
	ebb_meta_release(&now.m);
	return rc;
}

/* The parts @what of @meta over what the object has, into @now. */
static int merge(struct ebb_store_s3_meta *now, const struct ebb_meta *meta, uint32_t what, struct ebb_err *err)
{
	struct ebb_meta m = now->m;

	if (what & EBB_META_OWNER)
		m.uid = meta->uid, m.gid = meta->gid;
	if (what & EBB_META_MODE)
		m.mode = meta->mode;
	if (what & EBB_META_TIMES)
		m.mtime = meta->mtime, m.atime = meta->atime;
	if (what & EBB_META_XATTRS)
		m.xattrs = meta->xattrs, m.nxattrs = meta->nxattrs;
	now->has |= what | EBB_META_TIMES;	/* the copy would look younger than its content */

	struct ebb_meta merged;
	ebb_meta_init(&merged);
	int rc = ebb_meta_copy(&merged, &m, err);
	ebb_meta_release(&now->m);
	now->m = merged;
	return rc;
}

static int set(struct ebb_store_s3 *s, const char *key, const struct ebb_store_s3_object *o,
	       struct ebb_store_s3_meta *now, const struct ebb_meta *meta, uint32_t what, struct ebb_err *err)
{
	struct ebb_store_s3_object after;
	int rc = merge(now, meta, what, err);

	return rc < 0 ? rc : ebb_store_s3_copy_object(s, key, o, key, o->class, now, &after, err);
}

int ebb_store_s3_meta_set(struct ebb_store *base, const char *key, const struct ebb_meta *meta, uint32_t what,
			  struct ebb_err *err)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call;
	struct ebb_store_s3_object o;
	struct ebb_store_s3_meta now;
	int rc = ebb_store_s3_head(s, key, NULL, &call, &o, err);

	if (rc < 0)
		return rc;
	rc = ebb_store_s3_meta_read(s, key, &call, &o, &now, err);
	if (rc == 0)
		rc = set(s, key, &o, &now, meta, what, err);
	ebb_meta_release(&now.m);
	return rc;
}
