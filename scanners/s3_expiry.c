/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/s3_expiry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scanners/s3_xml.h"

struct reader {
	ebb_s3_expiry_fn *fn;
	void *ctx;
	struct ebb_s3_expiry rule;	/* days -1: it expires no versions */
	bool enabled;
	char prefix[1025];
};

static int on_begin(void *ctx, const char *name, unsigned depth)
{
	struct reader *r = ctx;

	if (depth != 1 || strcmp(name, "Rule") != 0)
		return 0;
	r->rule = (struct ebb_s3_expiry){.prefix = r->prefix, .days = -1};
	r->enabled = false;
	r->prefix[0] = '\0';
	return 0;
}

static int64_t number(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	return *text && !*end && n >= 0 ? n : 0;	/* the soonest, where it cannot be told */
}

static int on_leaf(void *ctx, const char *parent, const char *name, const char *text, size_t len)
{
	struct reader *r = ctx;
	bool expires = strcmp(parent, "NoncurrentVersionExpiration") == 0;

	if (strcmp(name, "Status") == 0)
		r->enabled = strcmp(text, "Enabled") == 0;
	else if (strcmp(name, "Prefix") == 0 && len < sizeof(r->prefix))
		memcpy(r->prefix, text, len + 1);
	else if (strcmp(parent, "Tag") == 0 || strncmp(name, "ObjectSize", 10) == 0)
		r->rule.filtered = true;
	else if (expires && strcmp(name, "NoncurrentDays") == 0)
		r->rule.days = number(text);
	else if (expires && strcmp(name, "NewerNoncurrentVersions") == 0)
		r->rule.newer = number(text);
	return 0;
}

static int on_end(void *ctx, const char *name, unsigned depth)
{
	struct reader *r = ctx;

	if (depth != 1 || strcmp(name, "Rule") != 0 || !r->enabled || r->rule.days < 0)
		return 0;
	return r->fn(r->ctx, &r->rule);
}

int ebb_s3_expiry_read(const char *doc, size_t len, ebb_s3_expiry_fn *fn, void *ctx, struct ebb_err *err)
{
	struct reader r = {.fn = fn, .ctx = ctx};
	const struct ebb_s3_xml_events events = {.ctx = &r, .begin = on_begin, .leaf = on_leaf, .end = on_end};

	return ebb_s3_xml_parse(doc, len, &events, err);
}
