/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Charts as inline SVG for html.h: each with a title for screen readers, legible on a phone, in the colours of the page's style sheet.
 * What a chart shows also stands on the page as text; that is the caller's part.
 *
 * Values are doubles, since they become places on a screen; labels are text made by whoever knows the exact amounts.
 *
 * Threads: a FILE belongs to one thread.
 */
#ifndef EBB_AGENT_CHART_H
#define EBB_AGENT_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A day of a line; days ascend and may have gaps, in which the line goes straight on. */
struct ebb_chart_point {
	int64_t day;		/* days since the epoch */
	double value;		/* not negative */
	double lo, hi;		/* forecast: interval around it; equal when unknown */
};

/* A day to mark. */
struct ebb_chart_mark {
	int64_t day;
	double value;
	const char *text;
};

struct ebb_chart_line {
	const char *title;			/* what it shows, in words, for screen readers */
	const struct ebb_chart_point *past, *next;	/* what was, and what may come (may be none) */
	size_t npast, nnext;
	const struct ebb_chart_point *with;	/* what may come instead, of days of `next` (may be none) */
	size_t nwith;
	const struct ebb_chart_mark *marks;
	size_t nmarks;
	bool binary;	/* values are bytes: steps are round in KiB, MiB ... */
	/* Text of a value for the axis, into @buf of 32 bytes. */
	void (*label)(void *ctx, double value, char *buf);
	void *ctx;
};

/* A line over days with its forecast. Nothing with fewer than two days. */
void ebb_chart_line(FILE *f, const struct ebb_chart_line *c);

/* A part of a whole. */
struct ebb_chart_part {
	const char *name;
	const char *text;	/* its amount */
	double value;		/* > 0 */
	unsigned group;		/* parts of one group share a colour */
};

#define EBB_CHART_PARTS 128

/*
 * A treemap: areas are proportional to values. Source of the layout: Bruls, Huizing and van Wijk, Squarified Treemaps, 2000.
 *
 * @parts  at most EBB_CHART_PARTS, largest first.
 */
void ebb_chart_treemap(FILE *f, const char *title, const struct ebb_chart_part *parts, size_t n);

/* A bar of @value in @most as a table cell's content. */
void ebb_chart_bar(FILE *f, double value, double most);

/* Largest of 1, 2, 5 times a power of ten that divides the way from 0 to @most into 3 to 6 steps; 1 for 0. */
double ebb_chart_step(double most);

#endif
