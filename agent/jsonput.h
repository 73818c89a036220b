/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON with exact decimals, written piece by piece: jansson keeps fractions as binary floats. Names of members are constants of
 * the program and are written as they stand.
 *
 * Failures (memory) are kept in `bad` and told at the end. Threads: one at a time.
 */
#ifndef EBB_AGENT_JSONPUT_H
#define EBB_AGENT_JSONPUT_H

#include <stdbool.h>
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

/* A value behind ebb_jsonput_begin(): a string; a text that is JSON already, such as a decimal. */
void ebb_jsonput_quote(struct ebb_jsonput *j, const char *s);
void ebb_jsonput_raw(struct ebb_jsonput *j, const char *text);

/* Members: a string, a text that is JSON already. */
void ebb_jsonput_string(struct ebb_jsonput *j, const char *name, const char *s);
void ebb_jsonput_number(struct ebb_jsonput *j, const char *name, const char *text);

/* Write what there is as a line, and release it. 0, -EBB_ENOMEM, or as ebb_out_flush(). */
int ebb_jsonput_end(struct ebb_jsonput *j, FILE *out, struct ebb_err *err);

#endif
