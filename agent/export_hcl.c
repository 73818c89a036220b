/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/export_hcl.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/units.h"

/* A quoted template: what HCL would read as its own is escaped. */
static void quote(struct ebb_buf *b, const char *s)
{
	ebb_buf_addc(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			ebb_buf_addc(b, '\\');
		if ((*s == '$' || *s == '%') && s[1] == '{')
			ebb_buf_addc(b, *s);
		if (*s == '\n')
			ebb_buf_adds(b, "\\n");
		else
			ebb_buf_addc(b, *s);
	}
	ebb_buf_addc(b, '"');
}

static void text(struct ebb_buf *b, const char *indent, const char *name, const char *s)
{
	ebb_buf_addf(b, "%s%s = ", indent, name);
	quote(b, s);
	ebb_buf_addc(b, '\n');
}

static void number(struct ebb_buf *b, const char *indent, const char *name, int64_t n, int64_t missing)
{
	if (n != missing)
		ebb_buf_addf(b, "%s%s = %" PRId64 "\n", indent, name, n);
}

static void when(struct ebb_buf *b, const char *days_name, const struct ebb_lifecycle_when *w)
{
	char t[EBB_UNITS_TEXT];

	number(b, "      ", days_name, w->days, -1);
	if (w->date >= 0)
		text(b, "      ", "date", ebb_units_exact_time(w->date, t));
}

static void filter(struct ebb_buf *b, const struct ebb_lifecycle_rule *r)
{
	size_t n = (*r->prefix != 0) + (r->over >= 0) + (r->under >= 0) + r->ntags;
	const char *in = n > 1 ? "        " : "      ";

	ebb_buf_adds(b, "    filter {\n");
	if (n > 1)
		ebb_buf_adds(b, "      and {\n");
	if (*r->prefix || n == 0)
		text(b, in, "prefix", r->prefix);
	number(b, in, "object_size_greater_than", r->over, -1);
	number(b, in, "object_size_less_than", r->under, -1);
	if (r->ntags && n == 1) {
		ebb_buf_adds(b, "      tag {\n");
		text(b, "        ", "key", r->tags[0].key);
		text(b, "        ", "value", r->tags[0].value);
		ebb_buf_adds(b, "      }\n");
	} else if (r->ntags) {
		ebb_buf_adds(b, "        tags = {\n");
		for (size_t i = 0; i < r->ntags; i++) {
			ebb_buf_adds(b, "          ");
			quote(b, r->tags[i].key);
			ebb_buf_adds(b, " = ");
			quote(b, r->tags[i].value);
			ebb_buf_addc(b, '\n');
		}
		ebb_buf_adds(b, "        }\n");
	}
	ebb_buf_adds(b, n > 1 ? "      }\n    }\n" : "    }\n");
}

static void moves(struct ebb_buf *b, const struct ebb_lifecycle_move *m, size_t n, bool old)
{
	for (size_t i = 0; i < n; i++) {
		ebb_buf_addf(b, "    %s {\n", old ? "noncurrent_version_transition" : "transition");
		when(b, old ? "noncurrent_days" : "days", &m[i].when);
		number(b, "      ", "newer_noncurrent_versions", m[i].newer, 0);
		text(b, "      ", "storage_class", m[i].class);
		ebb_buf_adds(b, "    }\n");
	}
}

static void expirations(struct ebb_buf *b, const struct ebb_lifecycle_rule *r)
{
	if (r->expires || r->expire_marker) {
		ebb_buf_adds(b, "    expiration {\n");
		if (r->expires)
			when(b, "days", &r->expire);
		if (r->expire_marker)
			ebb_buf_adds(b, "      expired_object_delete_marker = true\n");
		ebb_buf_adds(b, "    }\n");
	}
	if (r->old_expires) {
		ebb_buf_adds(b, "    noncurrent_version_expiration {\n");
		when(b, "noncurrent_days", &r->old_expire.when);
		number(b, "      ", "newer_noncurrent_versions", r->old_expire.newer, 0);
		ebb_buf_adds(b, "    }\n");
	}
	if (r->abort_days >= 0)
		ebb_buf_addf(b, "    abort_incomplete_multipart_upload {\n      days_after_initiation = %" PRId64
			     "\n    }\n", r->abort_days);
}

static void rule(struct ebb_buf *b, const struct ebb_lifecycle_rule *r, size_t i)
{
	char id[32];

	snprintf(id, sizeof(id), "rule-%zu", i + 1);
	ebb_buf_adds(b, "\n  rule {\n");
	text(b, "    ", "id", *r->id ? r->id : id);
	text(b, "    ", "status", r->enabled ? "Enabled" : "Disabled");
	filter(b, r);
	moves(b, r->moves, r->nmoves, false);
	moves(b, r->old_moves, r->nold_moves, true);
	expirations(b, r);
	ebb_buf_adds(b, "  }\n");
}

/* A name that Terraform takes, from one that a bucket has. */
static void resource_name(struct ebb_buf *b, const char *bucket)
{
	if (!isalpha((unsigned char)*bucket))
		ebb_buf_addc(b, '_');
	for (; *bucket; bucket++)
		ebb_buf_addc(b, isalnum((unsigned char)*bucket) || *bucket == '-' ? *bucket : '_');
}

int ebb_export_hcl(struct ebb_buf *out, const struct ebb_lifecycle *lc, const char *bucket,
		   struct ebb_err *err)
{
	ebb_buf_adds(out, "resource \"aws_s3_bucket_lifecycle_configuration\" \"");
	resource_name(out, bucket);
	ebb_buf_adds(out, "\" {\n");
	text(out, "  ", "bucket", bucket);
	if (lc->by_class)
		text(out, "  ", "transition_default_minimum_object_size", "varies_by_storage_class");
	for (size_t i = 0; i < lc->n; i++)
		rule(out, &lc->rules[i], i);
	/* the last byte fails when any before it did: the buffer is full then */
	return ebb_buf_adds(out, "}\n") < 0 ? ebb_err_set(err, EBB_ENOMEM, "no memory for the configuration") : 0;
}
