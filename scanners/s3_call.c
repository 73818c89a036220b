/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/s3_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define ARENA_CAP ((size_t)1 << 20)
#define TEXT_CAP ((size_t)1 << 20)

const char *ebb_s3_call_op_name(enum ebb_s3_op op)
{
	static const char *const names[EBB_S3_OP_COUNT] = {
		"list",		 "list-versions", "list-uploads",    "list-parts",   "head",	   "get",
		"put",		 "copy",	  "delete",	     "delete-many",  "upload-create", "upload-part",
		"upload-copy",	 "upload-complete", "upload-abort",  "get-config",   "put-config", "restore",
	};

	return op < EBB_S3_OP_COUNT ? names[op] : "unknown";
}

void ebb_s3_call_init(struct ebb_s3_call *c, enum ebb_s3_op op, const char *method, const char *key)
{
	*c = (struct ebb_s3_call){.op = op, .method = method};
	ebb_arena_init(&c->arena, ARENA_CAP);
	ebb_buf_init(&c->url, TEXT_CAP);
	ebb_buf_init(&c->lines, TEXT_CAP);
	if (key && !(c->key = ebb_arena_strdup(&c->arena, key)))
		c->broken = -EBB_ENOMEM;
}

void ebb_s3_call_release(struct ebb_s3_call *c)
{
	ebb_arena_release(&c->arena);
	ebb_buf_release(&c->url);
	ebb_buf_release(&c->lines);
	ebb_http_call_release(&c->http);
	free(c->headers);
	free(c->line);
	c->headers = NULL;
	c->line = NULL;
}

static void set_pair(struct ebb_s3_call *c, struct ebb_sigv4_pair *pair, const char *name, const char *value)
{
	pair->name = ebb_arena_strdup(&c->arena, name);
	pair->value = ebb_arena_strdup(&c->arena, value);
	if (!pair->name || !pair->value)
		c->broken = -EBB_ENOMEM;
}

void ebb_s3_call_query(struct ebb_s3_call *c, const char *name, const char *value)
{
	if (c->nquery == EBB_ARRAY_LEN(c->query))
		c->broken = -EBB_ERANGE;
	else
		set_pair(c, &c->query[c->nquery++], name, value);
}

void ebb_s3_call_header(struct ebb_s3_call *c, const char *name, const char *value)
{
	if (c->nheaders == c->headers_size) {
		size_t size = c->headers_size ? c->headers_size * 2 : 16;
		struct ebb_sigv4_pair *more = reallocarray(c->headers, size, sizeof(*more));

		if (!more) {
			c->broken = -EBB_ENOMEM;
			return;
		}
		c->headers = more;
		c->headers_size = size;
	}
	/* what would end the line would begin another one */
	if (strpbrk(value, "\r\n") || strpbrk(name, "\r\n: "))
		c->broken = -EBB_EINVAL;
	else
		set_pair(c, &c->headers[c->nheaders++], name, value);
}

void ebb_s3_call_headerf(struct ebb_s3_call *c, const char *name, const char *fmt, ...)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(TEXT_CAP);
	va_list ap;

	va_start(ap, fmt);
	if (ebb_buf_vaddf(&text, fmt, ap) < 0)
		c->broken = -EBB_ENOMEM;
	else
		ebb_s3_call_header(c, name, text.data ? text.data : "");
	va_end(ap);
}

const char *ebb_s3_call_got(const struct ebb_s3_call *c, const char *name, char *out, size_t size)
{
	size_t len = 0;
	const char *value = ebb_http_header(&c->http, name, &len);

	if (!value || len >= size)
		len = 0;
	if (len)
		memcpy(out, value, len);
	out[len] = '\0';
	return out;
}
