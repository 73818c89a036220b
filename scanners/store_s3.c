/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/store_s3.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compress/digest.h"
#include "core/clock.h"
#include "core/text.h"
#include "core/units.h"
#include "core/utf8.h"
#include "scanners/s3_list.h"
#include "scanners/s3_xml.h"

#define PART ((int64_t)16 << 20)
#define COPY_MAX ((int64_t)5 << 30)	/* S3 API Reference, CopyObject */
#define COPY_PART ((int64_t)1 << 30)

struct ebb_s3 *ebb_store_s3_client(struct ebb_store *s)
{
	return s->ops == &ebb_store_s3_ops ? ((struct ebb_store_s3 *)s)->s3 : NULL;
}

enum ebb_store_s3_versions ebb_store_s3_versioning(const struct ebb_store *s, bool *ret_mfa)
{
	const struct ebb_store_s3 *s3 = s->ops == &ebb_store_s3_ops ? (const struct ebb_store_s3 *)s : NULL;

	*ret_mfa = s3 && s3->mfa_delete;
	return s3 ? s3->versions : EBB_STORE_S3_UNKNOWN;
}

const char *ebb_store_s3_prefix(const struct ebb_store *s)
{
	return ((const struct ebb_store_s3 *)s)->prefix;
}

void ebb_store_s3_set_limits(struct ebb_store *base, const struct ebb_store_s3_limits *l)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;

	s->limits.part = l->part ? l->part : s->limits.part;
	s->limits.copy = l->copy ? l->copy : s->limits.copy;
	s->limits.copy_part = l->copy_part ? l->copy_part : s->limits.copy_part;
}

int ebb_store_s3_key(const struct ebb_store_s3 *s, const char *key, char out[EBB_STORE_S3_KEY],
		     struct ebb_err *err)
{
	char shown[EBB_TEXT_QUOTED];

	if ((size_t)snprintf(out, EBB_STORE_S3_KEY, "%s%s", s->prefix, key) >= EBB_STORE_S3_KEY)
		return ebb_err_set(err, EBB_EINVAL, "'%s%s' is longer than the %d bytes of a key", s->prefix, key,
				   EBB_STORE_OBJECT_KEY_MAX);
	if (!ebb_utf8_valid(out, strlen(out)))
		return ebb_err_set(err, EBB_EINVAL, "'%s' is not UTF-8, as the keys of a bucket have to be",
				   ebb_text_quotes(out, shown, sizeof(shown)));
	return 0;
}

/* --- Looking --- */

static int64_t number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s) && strlen(s) < 19 ? atoll(s) : -1;
}

/* Of a ranged answer the size of the whole: "bytes 0-9/100". */
static int64_t size_of(const struct ebb_s3_call *call)
{
	char text[128];
	const char *slash = strchr(ebb_s3_call_got(call, "content-range", text, sizeof(text)), '/');

	return number(slash ? slash + 1 : ebb_s3_call_got(call, "content-length", text, sizeof(text)));
}

static void read_etag(const struct ebb_s3_call *call, struct ebb_store_s3_object *o)
{
	char text[sizeof(o->etag) + 2];
	size_t len = strlen(ebb_s3_call_got(call, "etag", text, sizeof(text)));
	const char *start = text;

	if (len >= 2 && text[0] == '"' && text[len - 1] == '"')
		start++, len -= 2;
	snprintf(o->etag, sizeof(o->etag), "%.*s", (int)len, start);
	if (*o->etag)
		ebb_record_etag(&o->rec, o->etag, strlen(o->etag));
}

static void read_protection(const struct ebb_s3_call *call, struct ebb_store_s3_object *o)
{
	char text[64];

	ebb_s3_call_got(call, "x-amz-server-side-encryption", o->sse, sizeof(o->sse));
	ebb_s3_call_got(call, "x-amz-server-side-encryption-aws-kms-key-id", o->sse_key, sizeof(o->sse_key));
	o->customer_key = *ebb_s3_call_got(call, "x-amz-server-side-encryption-customer-algorithm", text,
					   sizeof(text));
	o->locked = *ebb_s3_call_got(call, "x-amz-object-lock-mode", text, sizeof(text)) ||
		    strcmp(ebb_s3_call_got(call, "x-amz-object-lock-legal-hold", text, sizeof(text)), "ON") == 0;
	/* S3 API Reference, Object: with SSE-KMS and SSE-C the tag is no MD5 */
	o->md5 = ebb_record_has(&o->rec, EBB_F_PARTS) && o->rec.f[EBB_F_PARTS] == 0 && !o->customer_key &&
		 strncmp(o->sse, "aws:kms", 7) != 0;
}

int ebb_store_s3_object(const struct ebb_s3_call *call, const char *key, struct ebb_store_s3_object *o,
			struct ebb_err *err)
{
	char text[128];
	int64_t size = size_of(call), kept;

	if (size < 0)
		return ebb_err_set(err, EBB_ECORRUPT, "the store does not tell the size of '%s'", key);
	*o = (struct ebb_store_s3_object){.rec = {.key = key, .key_len = (uint32_t)strlen(key)}};
	ebb_record_set(&o->rec, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&o->rec, EBB_F_SIZE, size);
	int64_t time = ebb_http_date(ebb_s3_call_got(call, "last-modified", text, sizeof(text)));
	if (time) {
		ebb_record_set(&o->rec, EBB_F_CTIME, time);
		ebb_record_set(&o->rec, EBB_F_MTIME, time);
	}
	ebb_s3_call_got(call, "x-amz-meta-ebb-mtime", text, sizeof(text));
	if (*text && ebb_units_parse_time(text, &kept, NULL) == 0)
		ebb_record_set(&o->rec, EBB_F_MTIME, kept);
	ebb_s3_call_got(call, "x-amz-storage-class", o->class, sizeof(o->class));
	if (!*o->class)
		snprintf(o->class, sizeof(o->class), "STANDARD");	/* for which AWS says nothing */
	ebb_record_set(&o->rec, EBB_F_CLASS, ebb_record_class_code(o->class));
	ebb_s3_call_got(call, "x-amz-version-id", o->version, sizeof(o->version));
	o->tags = number(ebb_s3_call_got(call, "x-amz-tagging-count", text, sizeof(text)));
	read_etag(call, o);
	read_protection(call, o);
	return 0;
}

int ebb_store_s3_head(struct ebb_store_s3 *s, const char *key, const struct ebb_record *expect,
		      struct ebb_s3_call *call, struct ebb_store_s3_object *ret, struct ebb_err *err)
{
	char full[EBB_STORE_S3_KEY];
	struct ebb_err why = {0};

	*call = (struct ebb_s3_call){0};
	int rc = ebb_store_s3_key(s, key, full, err);
	if (rc < 0)
		return rc;
	ebb_s3_call_init(call, EBB_S3_HEAD, "HEAD", full);
	rc = ebb_s3_do(s->s3, call, err);
	if (rc == 0)
		rc = ebb_store_s3_object(call, key, ret, err);
	if (rc < 0)
		return rc;
	rc = ebb_store_expect(&ret->rec, expect, &why);
	return rc < 0 ? ebb_err_set(err, -rc, "'%s' %s", key, why.msg) : 0;
}

static int s3_head(struct ebb_store *base, const char *key, struct ebb_record *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call;
	struct ebb_store_s3_object o;
	int rc = ebb_store_s3_head((struct ebb_store_s3 *)base, key, NULL, &call, &o, err);

	if (rc == 0)
		*ret = o.rec;
	return rc;
}

/* --- Listing --- */

static int tell(struct ebb_store_s3 *s, const struct ebb_s3_page *page, ebb_store_list_fn *fn, void *ctx,
		struct ebb_err *err)
{
	size_t skip = strlen(s->prefix);
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < page->n; i++) {
		struct ebb_record rec;

		if (page->entries[i].key_len == skip)
			continue;	/* the prefix itself, which some tools make an object of */
		ebb_s3_page_record(&page->entries[i], &rec);
		rec.key += skip;
		rec.key_len -= (uint32_t)skip;
		rc = fn(ctx, &rec, err);
	}
	return rc;
}

static int s3_list(struct ebb_store *base, const char *prefix, const char *after, ebb_store_list_fn *fn, void *ctx,
		   struct ebb_err *err)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;
	EBB_CLEANUP(ebb_s3_list_release) struct ebb_s3_list l = {0};
	char full[EBB_STORE_S3_KEY], at[EBB_STORE_S3_KEY];
	int rc = ebb_store_s3_key(s, prefix, full, err);

	if (rc == 0)
		rc = ebb_store_s3_key(s, after, at, err);
	if (rc < 0)
		return rc;
	l.prefix = full;
	l.after = *after ? at : NULL;
	do {
		rc = ebb_s3_list_do(s->s3, &l, err);
		if (rc == 0)
			rc = tell(s, &l.page, fn, ctx, err);
		if (rc < 0 || !l.more)
			break;
		snprintf(at, sizeof(at), "%s", l.next);
		l.after = at;
	} while (true);
	return rc < 0 ? rc : 0;
}

/* --- Stores --- */

static int not_ours(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	static const char *const ours[] = {EBB_PROOF_TRASH, "lost+found/"};
	bool *empty = ctx;

	for (size_t i = 0; i < EBB_ARRAY_LEN(ours); i++)
		if (ebb_record_key_has_prefix(rec->key, rec->key_len, ours[i], strlen(ours[i])))
			return 0;
	*empty = false;
	return ebb_err_set(err, EBB_ECANCELLED, "seen enough");
}

static int s3_identify(struct ebb_store *base, struct ebb_store_identity *ret, struct ebb_err *err)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(4096);
	struct ebb_err why = {0};
	bool empty = true;
	char endpoint[600];
	uint8_t sum[16];

	int rc = s3_list(base, "", "", not_ours, &empty, &why);
	if (rc < 0 && empty)
		return ebb_err_set(err, -rc, "%s", why.msg);
	ebb_s3_endpoint(s->s3, endpoint, sizeof(endpoint));
	if (ebb_buf_addf(&text, "%s %s %s", endpoint, ebb_s3_bucket(s->s3), s->prefix) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to identify store '%s'", base->name);
	rc = ebb_digest_of(&ebb_digest_md5, text.data, text.len, sum, err);
	if (rc < 0)
		return rc;
	*ret = (struct ebb_store_identity){.kind = "s3", .empty = empty};
	ebb_digest_hex(sum, sizeof(sum), ret->fsid);
	return 0;
}

static bool says(const void *doc, size_t len, const char *name, const char *word)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(64);

	return ebb_s3_xml_find(doc, len, "VersioningConfiguration", name, &text) && text.len && strcmp(text.data, word) == 0;
}

static void read_versioning(struct ebb_store_s3 *s, const void *doc, size_t len)
{
	s->versions = says(doc, len, "Status", "Enabled")     ? EBB_STORE_S3_ENABLED
		      : says(doc, len, "Status", "Suspended") ? EBB_STORE_S3_SUSPENDED
							      : EBB_STORE_S3_NEVER;
	s->mfa_delete = says(doc, len, "MfaDelete", "Enabled");
	if (s->versions == EBB_STORE_S3_ENABLED)
		s->base.caps |= EBB_CAP_VERSIONS;
}

/* Is there such a bucket, and does it keep versions? A store that does not know the question keeps none. */
static int probe(struct ebb_store_s3 *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	struct ebb_err why = {0};

	ebb_s3_call_init(&call, EBB_S3_GET_CONFIG, "GET", NULL);
	ebb_s3_call_query(&call, "versioning", "");
	int rc = ebb_s3_do(s->s3, &call, &why);
	if (rc == 0)
		read_versioning(s, call.http.answer.data, call.http.answer.len);
	if (rc == 0 || rc == -EBB_ENOTSUP || rc == -EBB_EACCES)
		return 0;
	return ebb_err_set(err, rc == -EBB_ENOENT ? EBB_ESTORE : -rc, "store '%s': %s", s->base.name, why.msg);
}

static void s3_close(struct ebb_store *base)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;

	ebb_s3_free(s->s3);
	free(s->prefix);
	free(s->sse);
	free(s->sse_key);
	free(s->base.name);
	free(s);
}

static bool is_customer(const struct ebb_store_config *cfg)
{
	return cfg->sse && strcmp(cfg->sse, "customer") == 0;
}

static int fill(struct ebb_store_s3 *s, const struct ebb_store_config *cfg, struct ebb_err *err)
{
	const char *prefix = cfg->prefix ? cfg->prefix : "";
	size_t len = strlen(prefix);

	if (len && prefix[len - 1] != '/')
		return ebb_err_set(err, EBB_ECONFIG, "store '%s': the prefix '%s' does not end in '/'", cfg->name, prefix);
	s->customer_key = is_customer(cfg);
	if (cfg->sse && !s->customer_key && strcmp(cfg->sse, "AES256") != 0 && strcmp(cfg->sse, "aws:kms") != 0)
		return ebb_err_set(err, EBB_ECONFIG, "store '%s': unknown encryption '%s' (there is AES256, aws:kms, customer)",
				   cfg->name, cfg->sse);
	if (s->customer_key && cfg->endpoint && strncmp(cfg->endpoint, "https:", 6) != 0)
		return ebb_err_set(err, EBB_ECONFIG, "store '%s': a customer's key goes over https only, not to %s", cfg->name,
				   cfg->endpoint);
	if (s->customer_key && !cfg->sse_key)
		return ebb_err_set(err, EBB_ECONFIG, "store '%s': 'sse: customer' needs 'sse_key', env:NAME or file:PATH", cfg->name);
	s->base.name = strdup(cfg->name);
	s->prefix = strdup(prefix);
	s->sse = cfg->sse && !s->customer_key ? strdup(cfg->sse) : NULL;
	s->sse_key = s->sse && cfg->sse_key ? strdup(cfg->sse_key) : NULL;
	if (!s->base.name || !s->prefix ||
	    (!s->customer_key && ((cfg->sse && !s->sse) || (cfg->sse_key && !s->sse_key))))
		return ebb_err_set(err, EBB_ENOMEM, "no memory for store '%s'", cfg->name);
	s->base.ops = &ebb_store_s3_ops;
	s->base.caps = EBB_CAP_READ | EBB_CAP_WRITE | EBB_CAP_REMOVE | EBB_CAP_META | EBB_CAP_RANGE | EBB_CAP_COPY | EBB_CAP_CHECKED |
		       EBB_CAP_CLASS | EBB_CAP_THAW | EBB_CAP_RESUME;
	s->must_be_private = cfg->must_be_private;
	s->must_be_encrypted = cfg->must_be_encrypted;
	s->base.caps |= s->must_be_encrypted ? (uint32_t)EBB_CAP_SEALED : 0;
	s->conditions = !cfg->endpoint;
	s->limits = (struct ebb_store_s3_limits){.part = PART, .copy = COPY_MAX, .copy_part = COPY_PART};
	return 0;
}

static int s3_open(const struct ebb_store_config *cfg, struct ebb_store **ret, struct ebb_err *err)
{
	const struct ebb_s3_config client = {
		.bucket = cfg->bucket, .region = cfg->region, .endpoint = cfg->endpoint, .profile = cfg->profile,
		.ca_file = cfg->ca_file, .path_style = cfg->path_style, .requester_pays = cfg->requester_pays,
		.connections = cfg->connections,
		.customer_key = is_customer(cfg) ? cfg->sse_key : NULL,
	};
	struct ebb_store_s3 *s = calloc(1, sizeof(*s));

	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for store '%s'", cfg->name);
	int rc = fill(s, cfg, err);
	if (rc == 0) {
		struct ebb_err why = {0};

		rc = ebb_s3_open(&client, &s->s3, &why);
		if (rc < 0)
			ebb_err_set(err, -rc, "store '%s': %s", cfg->name, why.msg);
	}
	if (rc == 0)
		rc = probe(s, err);
	if (rc == 0)
		rc = ebb_store_s3_guard_bucket(s, err);
	if (rc < 0) {
		s3_close(&s->base);
		return rc;
	}
	*ret = &s->base;
	return 0;
}

const struct ebb_store_ops ebb_store_s3_ops = {
	.type = "s3",
	.summary = "a bucket of an S3-compatible object store",
	.open = s3_open,
	.close = s3_close,
	.identify = s3_identify,
	.list = s3_list,
	.head = s3_head,
	.get_meta = ebb_store_s3_meta_get,
	.set_meta = ebb_store_s3_meta_set,
	.read_open = ebb_store_s3_read_open,
	.read_from = ebb_store_s3_read_from,
	.read = ebb_store_s3_read_some,
	.read_hole = ebb_store_s3_read_hole,
	.read_verify = ebb_store_s3_read_verify,
	.read_close = ebb_store_s3_read_close,
	.read_range = ebb_store_s3_read_range,
	.write_open = ebb_store_s3_write_open,
	.write = ebb_store_s3_write_some,
	.write_hole = ebb_store_s3_write_hole,
	.write_commit = ebb_store_s3_write_commit,
	.write_mark = ebb_store_s3_write_mark,
	.write_leave = ebb_store_s3_write_leave,
	.write_abort = ebb_store_s3_write_abort,
	.write_sweep = ebb_store_s3_write_sweep,
	.copy = ebb_store_s3_copy,
	.replace = ebb_store_s3_copy_replace,
	.can_take = ebb_store_s3_copy_can_take,
	.take = ebb_store_s3_copy_take,
	.set_class = ebb_store_s3_copy_class,
	.seal = ebb_store_s3_guard_seal,
	.sleep = ebb_store_s3_thaw_state,
	.thaw = ebb_store_s3_thaw_ask,
	.hide = ebb_store_s3_version_hide,
	.show = ebb_store_s3_version_show,
	.hidden = ebb_store_s3_version_hidden,
	.remove = ebb_store_s3_version_remove,
};
