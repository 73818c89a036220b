/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the formats that are lists of rows share: going through all dimensions, and writing values and amounts.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_REPORT_ROWS_H
#define EBB_AGENT_REPORT_ROWS_H

#include "agent/report.h"

/* A row: number @i of the @n of dimension @dim. */
typedef void ebb_report_rows_fn(const struct ebb_report *r, const void *ctx, const char *dim, size_t i, size_t n,
				const struct ebb_alloc_row *row);

/* Call @fn for every row of every dimension but folders, then flush the output. Returns 0 or what either failed with. */
int ebb_report_rows_each(const struct ebb_report *r, ebb_report_rows_fn *fn, const void *ctx, struct ebb_err *err);

/* A value of any bytes as UTF-8, bytes of @special behind a backslash (or doubled), newlines as \n, what is no text as '?'. */
void ebb_report_rows_value(FILE *f, const char *s, const char *special, bool doubled);

/* An amount of the report's currency as a plain exact decimal, into @out, which is returned. */
const char *ebb_report_rows_amount(const struct ebb_report *r, int64_t nano, char out[EBB_MONEY_TEXT]);

#endif
