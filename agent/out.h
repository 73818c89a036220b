/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Output: tables and numbers for people, JSON lines for programs.
 *
 * Rules. Data goes to stdout, notes to stderr. Text for people may change between versions; JSON only gains fields. One
 * object a line. Keys need not be UTF-8: JSON has `path` only when the key is valid UTF-8 and `path_b64` when it is
 * not; for people odd bytes are written as ebb_text_quote does it. Bytes and counts are JSON
 * numbers, times RFC 3339 strings in UTC, money integer nano-units (NAME_nano) beside `currency`.
 *
 * Threads: everything belongs to one thread at a time.
 */
#ifndef EBB_AGENT_OUT_H
#define EBB_AGENT_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/money.h"
#include "core/names.h"
#include "core/record.h"

/* Room for any formatted number. */
#define EBB_OUT_TEXT_MAX 64

/* True when @f is a terminal and neither NO_COLOR nor TERM=dumb forbids escape sequences. */
bool ebb_out_styled(FILE *f);

/* Begin and end of bold or dim text on @f; "" when it is not styled. Constant. */
const char *ebb_out_bold(FILE *f);
const char *ebb_out_dim(FILE *f);
const char *ebb_out_plain(FILE *f);

/*
 * Standard output, for all that commands print: buffered, by line on a terminal, and it knows why a write failed, whatever
 * was called since. Constant; never closed. Nothing else may write to stdout.
 */
FILE *ebb_out_standard(void);

/* "1,234,567" and "1.2 GiB" into @buf, which is returned. */
const char *ebb_out_count(uint64_t n, char buf[EBB_OUT_TEXT_MAX]);
const char *ebb_out_bytes(uint64_t n, char buf[EBB_OUT_TEXT_MAX]);

/* "1 object", "1,234 objects": @thing in the singular, at most 30 bytes. */
const char *ebb_out_things(uint64_t n, const char *thing, char buf[EBB_OUT_TEXT_MAX]);

/* "12.34 USD" (rounded for people; JSON has all digits), "3h ago". */
const char *ebb_out_money(const struct ebb_money *m, char buf[EBB_OUT_TEXT_MAX]);
const char *ebb_out_ago(int64_t then, int64_t now, char buf[EBB_OUT_TEXT_MAX]);

/* Share of @part in @whole as "12.3 %"; "" when @whole is 0. */
const char *ebb_out_share(uint64_t part, uint64_t whole, char buf[EBB_OUT_TEXT_MAX]);

/* A bar of at most 20 characters for @part of @whole; what shows as more than 0.0 % has at least one. */
const char *ebb_out_bar(uint64_t part, uint64_t whole, char buf[EBB_OUT_TEXT_MAX]);

/* Write a key for people: one line, whatever its bytes are. */
void ebb_out_name(FILE *f, const char *key, size_t len);

/*
 * A table: columns are as wide as their widest cell, numbers stand right. The last column is not padded.
 */
struct ebb_out_col {
	const char *title;	/* "" for none */
	bool right;
};

struct ebb_out_table;

/* @cols: @n columns, borrowed as long as the table. NULL when memory is short. */
struct ebb_out_table *ebb_out_table_new(const struct ebb_out_col *cols, size_t n);
void ebb_out_table_free(struct ebb_out_table *t);
EBB_CLEANUP_PTR(struct ebb_out_table, ebb_out_table_free);

/* Next cell, row by row from left to right. Out of memory shows when the table is printed. */
void ebb_out_cell(struct ebb_out_table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The next cell holds a key (see ebb_out_name). */
void ebb_out_cell_name(struct ebb_out_table *t, const char *key, size_t len);

/* A line across, before the rows that follow (totals). */
void ebb_out_rule(struct ebb_out_table *t);

/* Print it, each line behind @indent spaces; a heading only when a column has a title. Returns 0 or -EBB_ENOMEM. */
int ebb_out_table_print(const struct ebb_out_table *t, FILE *f, int indent, struct ebb_err *err);

/*
 * Print @o (stolen) on a line of its own. NULL, a failed allocation somewhere in it, is -EBB_ENOMEM; a closed or full output
 * is as of ebb_out_failed, so that loops end.
 */
int ebb_out_json(FILE *f, json_t *o, struct ebb_err *err);

/* Set "path" or "path_b64" of @o. Returns 0 or -1 as jansson does; a NULL object gives -1. */
int ebb_out_json_key(json_t *o, const char *key, size_t len);

/* Write `"path":"..."` or `"path_b64":"..."` to @f, for objects too large to be made as a whole. Returns 0 or -EBB_ENOMEM. */
int ebb_out_json_put_key(FILE *f, const char *key, size_t len, struct ebb_err *err);

/* The same under other names: @name, and @name with "_b64" behind it. */
int ebb_out_json_bytes(json_t *o, const char *name, const char *bytes, size_t len);

/* Set an RFC 3339 time in UTC; an amount of money as NAME_nano, in billionths of its currency. */
int ebb_out_json_time(json_t *o, const char *name, int64_t ns);
int ebb_out_json_money(json_t *o, const char *name, const struct ebb_money *m);

/* The fields of a record that are known, as every command shows them: path, kind, size, alloc, mtime ...; of hidden ones also the id. */
int ebb_out_json_record(json_t *o, const struct ebb_record *r, const struct ebb_names *names);

/*
 * A write to @f failed: -EBB_EPARTIAL (exit 1) with errno in err->sys, from errno where @f is not ebb_out_standard(). EPIPE
 * is told to nobody.
 */
int ebb_out_failed(FILE *f, struct ebb_err *err);

/* Flush @f: 0, or as ebb_out_failed when something could not be written. */
int ebb_out_flush(FILE *f, struct ebb_err *err);

#endif
