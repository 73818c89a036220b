/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON written piece by piece: for exact decimals, since jansson keeps fractions as binary floats, and for plans and journals, since
 * a tree of values for each of ten million lines takes five times as long. The bytes are those of jansson's compact form. Names of
 * members are constants of the program and are written as they stand.
 *
 * Failures (memory) are kept in `bad` and told at the end. Threads: one at a time.
 */
#ifndef EBB_AGENT_JSONPUT_H
#define EBB_AGENT_JSONPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/buf.h"
#include "core/err.h"

struct ebb_jsonput {
	struct ebb_buf b;	/* begin with EBB_JSONPUT_INIT */
	int bad;
	bool comma;		/* something stands before in this object or array */
};

#define EBB_JSONPUT_INIT {.b = EBB_BUF_INIT((size_t)1 << 30)}

/* The name of a member (NULL: an element of an array), before its value. */
void ebb_jsonput_begin(struct ebb_jsonput *j, const char *name);

/* An object or an array: '{' and '[', closed by '}' and ']'. */
void ebb_jsonput_open(struct ebb_jsonput *j, const char *name, char c);
void ebb_jsonput_shut(struct ebb_jsonput *j, char c);

/* A value behind ebb_jsonput_begin(): a string of UTF-8 (of others it fails); a text that is JSON already, such as a decimal. */
void ebb_jsonput_quote(struct ebb_jsonput *j, const char *s);
void ebb_jsonput_raw(struct ebb_jsonput *j, const char *text);

/* Members: a string, a text that is JSON already, an integer. */
void ebb_jsonput_string(struct ebb_jsonput *j, const char *name, const char *s);
void ebb_jsonput_number(struct ebb_jsonput *j, const char *name, const char *text);
void ebb_jsonput_int(struct ebb_jsonput *j, const char *name, int64_t n);

/* The same where a value may be missing: null then. */
void ebb_jsonput_string_or_null(struct ebb_jsonput *j, const char *name, const char *s);
void ebb_jsonput_int_or_null(struct ebb_jsonput *j, const char *name, bool known, int64_t n);

/* Any bytes, in base64. */
void ebb_jsonput_base64(struct ebb_jsonput *j, const char *name, const void *p, size_t len);

/* Any bytes: a string NAME when they are UTF-8, else base64 under NAME_b64. */
void ebb_jsonput_bytes(struct ebb_jsonput *j, const char *name, const void *p, size_t len);

/* The same for a text; NULL: nothing is written. */
void ebb_jsonput_text(struct ebb_jsonput *j, const char *name, const char *s);

/*
 * Where j->b began as a copy of *out: give the bytes to @out, without a newline. On failure @out has the length that it had.
 * 0, -EBB_ENOMEM, -EBB_EINVAL for a string that is not UTF-8.
 */
int ebb_jsonput_append(struct ebb_jsonput *j, struct ebb_buf *out, struct ebb_err *err);

/* Write what there is as a line, and release it. 0, -EBB_ENOMEM, or as ebb_out_flush(). */
int ebb_jsonput_end(struct ebb_jsonput *j, FILE *out, struct ebb_err *err);

#endif
