/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Figures of a run: metrics.jsonl (one object a line) and metrics.csv (Lightning's CSVLogger: a heading, empty cells where a row has no figure). The
 * step is `step`, `global_step` or `iteration`. Cells in quotes are not understood.
 */
#include <jansson.h>
#include <string.h>

#include "agent/ref.h"
#include "policies/ckpt_name.h"

#define COLUMNS 256

static const char *const steps[] = {"step", "global_step", "iteration"};

static bool wants(const char *key, size_t len)
{
	return ebb_ref_named(key, len, "metrics.jsonl") || ebb_ref_named(key, len, "metrics.csv");
}

static bool is_step(const char *p, size_t len)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (strlen(steps[i]) == len && memcmp(p, steps[i], len) == 0)
			return true;
	return false;
}

/* Each line of @p, without its newline, to @fn until it says what is wrong. */
static const char *each_line(const char *p, size_t len, void *ctx, const char *(*fn)(void *ctx, const char *line, size_t len))
{
	const char *why = NULL;

	while (len > 0 && !why) {
		const char *nl = memchr(p, '\n', len);
		size_t n = nl ? (size_t)(nl - p) : len, cut = n && p[n - 1] == '\r' ? n - 1 : n;

		if (cut)
			why = fn(ctx, p, cut);
		p += nl ? n + 1 : n;
		len -= nl ? n + 1 : n;
	}
	return why;
}

static const char *json_row(void *ctx, const char *line, size_t len)
{
	struct ebb_ref_out *out = ctx;
	json_t *o = json_loadb(line, len, 0, NULL), *step = NULL, *v;
	const char *name;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && !step; i++)
		step = json_object_get(o, steps[i]);
	if (json_is_integer(step))
		json_object_foreach(o, name, v)
			if (json_is_number(v) && !is_step(name, strlen(name)))
				ebb_ref_tell_metric(out, name, json_number_value(v), json_integer_value(step));
	const char *why = o ? NULL : "a line of it is not JSON";
	json_decref(o);
	return why;
}

struct csv {
	struct ebb_ref_out *out;
	struct {
		char name[64];
	} columns[COLUMNS];
	size_t n, step;
	bool heading;
};

/* The next cell of a line; false behind the last. */
static bool cell(const char **p, size_t *len, const char **ret, size_t *ret_len)
{
	const char *comma = *p ? memchr(*p, ',', *len) : NULL;

	if (!*p)
		return false;
	*ret = *p;
	*ret_len = comma ? (size_t)(comma - *p) : *len;
	*len -= *ret_len + (comma ? 1 : 0);
	*p = comma ? comma + 1 : NULL;
	return true;
}

static const char *heading(struct csv *c, const char *line, size_t len)
{
	const char *s;
	size_t n;

	c->step = COLUMNS;
	while (cell(&line, &len, &s, &n)) {
		if (c->n == COLUMNS || n >= sizeof(c->columns->name))
			return "its heading is too long";
		if (is_step(s, n))
			c->step = c->n;
		memcpy(c->columns[c->n].name, s, n);
		c->columns[c->n++].name[n] = '\0';
	}
	c->heading = true;
	return c->step < COLUMNS ? NULL : "it has no column 'step'";
}

static const char *csv_row(void *ctx, const char *line, size_t len)
{
	struct csv *c = ctx;
	const char *s, *p = line;
	size_t n, left = len, i = 0;
	int64_t step = -1;
	double v;

	if (memchr(line, '"', len))
		return "it has cells in quotes";
	if (!c->heading)
		return heading(c, line, len);
	for (; cell(&p, &left, &s, &n); i++)
		if (i == c->step && !ebb_ckpt_name_step(s, n, &step))
			return NULL;
	p = line;
	left = len;
	for (i = 0; step >= 0 && i < c->n && cell(&p, &left, &s, &n); i++)
		if (i != c->step && ebb_ckpt_name_figure(s, n, &v))
			ebb_ref_tell_metric(c->out, c->columns[i].name, v, step);
	return NULL;
}

static const char *read(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	struct csv c = {.out = out};

	return ebb_ref_ends(f->key, f->key_len, ".csv") ? each_line(f->bytes, f->len, &c, csv_row)
							: each_line(f->bytes, f->len, out, json_row);
}

extern const struct ebb_ref ebb_ref_metrics;
const struct ebb_ref ebb_ref_metrics = {
	.name = "metrics",
	.covers = "metrics.jsonl and metrics.csv of a run",
	.kind = EBB_KIND_FILE,
	.wants = wants,
	.read = read,
};
