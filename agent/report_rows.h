/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the formats that are lists of rows share: going through all dimensions, and writing values and amounts.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_REPORT_ROWS_H
#define EBB_AGENT_REPORT_ROWS_H

#include "agent/report.h"

/* A row of a dimension: what it costs itself, and what other values of the label share with it. */
struct ebb_report_rows_row {
	struct ebb_alloc_row own;
	int64_t moved;		/* nano-units a month that came to it; negative: that went to others (policies/shared.h) */
};

/*
 * The rows of dimension @dim, "" first where there is one.
 *
 * @ret         allocated, freed by the caller with free(); strings live as long as the report.
 * @ret_shared  whether costs of this dimension are shared at all.
 * @return      0 or what the allocation failed with.
 */
int ebb_report_rows_get(const struct ebb_report *r, size_t dim, struct ebb_report_rows_row **ret, size_t *ret_n,
			bool *ret_shared, struct ebb_err *err);

/* A row: number @i of the @n of dimension @dim. */
typedef void ebb_report_rows_fn(const struct ebb_report *r, const void *ctx, const char *dim, size_t i, size_t n,
				const struct ebb_report_rows_row *row);

/* Call @fn for every row of every dimension but folders, then flush the output. Returns 0 or what either failed with. */
int ebb_report_rows_each(const struct ebb_report *r, ebb_report_rows_fn *fn, const void *ctx, struct ebb_err *err);

/* Does the report's configuration share costs of this dimension? */
bool ebb_report_rows_shared(const struct ebb_report *r, const char *dim);

/* A value of any bytes as UTF-8, bytes of @special behind a backslash (or doubled), newlines as \n, what is no text as '?'. */
void ebb_report_rows_value(FILE *f, const char *s, const char *special, bool doubled);

/* An amount of the report's currency as a plain exact decimal, into @out, which is returned. */
const char *ebb_report_rows_amount(const struct ebb_report *r, int64_t nano, char out[EBB_MONEY_TEXT]);

#endif
