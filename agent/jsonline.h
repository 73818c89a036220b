/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One JSON object of a file of lines, read with suspicion: each getter checks type and range, and the first failure is kept with
 * FILE:LINE and the member's name, so that a reader gets all members and looks once.
 *
 * Threads: belongs to one thread.
 */
#ifndef EBB_AGENT_JSONLINE_H
#define EBB_AGENT_JSONLINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/record.h"

struct ebb_jsonline {
	json_t *o;		/* the object; owned at the top, borrowed below it */
	const char *file;	/* borrowed, for messages */
	int64_t line;
	int code;		/* enum ebb_err_code of every failure */
	struct ebb_err *err;	/* borrowed */
	int r;			/* 0, or the first failure */
};

/* Parse @text. Sets every field; returns l->r. Released with ebb_jsonline_release in both cases. */
int ebb_jsonline_parse(struct ebb_jsonline *l, const char *text, size_t len, const char *file,
		       int64_t line, int code, struct ebb_err *err);
void ebb_jsonline_release(struct ebb_jsonline *l);

/* Record a failure of this line unless there is one already; returns l->r. */
int ebb_jsonline_bad(struct ebb_jsonline *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* An object or array within @l as a line of its own: borrows; failures are told to @l by ebb_jsonline_join. */
struct ebb_jsonline ebb_jsonline_sub(struct ebb_jsonline *l, json_t *o);
void ebb_jsonline_join(struct ebb_jsonline *l, const struct ebb_jsonline *sub);

/* Members. After a failure the value is 0, NULL or @missing. Strings are borrowed from the object and hold no NUL. */
int64_t ebb_jsonline_int(struct ebb_jsonline *l, const char *name, int64_t min, int64_t max);
int64_t ebb_jsonline_int_or(struct ebb_jsonline *l, const char *name, int64_t min, int64_t max,
			    int64_t missing);
bool ebb_jsonline_bool(struct ebb_jsonline *l, const char *name);	/* absent: false */
const char *ebb_jsonline_str(struct ebb_jsonline *l, const char *name);
const char *ebb_jsonline_str_or(struct ebb_jsonline *l, const char *name);	/* absent or null: NULL */
json_t *ebb_jsonline_array(struct ebb_jsonline *l, const char *name);
json_t *ebb_jsonline_object(struct ebb_jsonline *l, const char *name);

/* Hex digits of exactly @len bytes. */
void ebb_jsonline_hex(struct ebb_jsonline *l, const char *name, uint8_t *ret, size_t len);

/* Bytes as NAME (when they are UTF-8) or NAME_b64, copied into @arena with a NUL behind; at most @cap. NULL when both are absent. */
char *ebb_jsonline_bytes(struct ebb_jsonline *l, struct ebb_arena *arena, const char *name,
			 size_t cap, size_t *ret_len);

/* A key under NAME or NAME_b64: as bytes, 1 to EBB_KEY_MAX without NUL, no empty, "." or ".." component. NULL when absent. */
char *ebb_jsonline_key(struct ebb_jsonline *l, struct ebb_arena *arena, const char *name,
		       size_t *ret_len);

/* Append @o (stolen; NULL: -EBB_ENOMEM) to @out as compact JSON without a newline. */
int ebb_jsonline_dump(struct ebb_buf *out, json_t *o, struct ebb_err *err);

#endif
