/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report for people on a terminal. */
#include <string.h>

#include "agent/out.h"
#include "agent/owner.h"
#include "agent/report.h"
#include "agent/report_money.h"

static const struct ebb_out_col cols[] = {
	{"", false}, {"size", true}, {"files", true}, {"share", true}, {"", false},
};

static void row(struct ebb_out_table *t, const char *name, const struct ebb_tally_sum *s,
		uint64_t whole)
{
	char a[EBB_OUT_TEXT_MAX];

	ebb_out_cell_name(t, name, strlen(name));
	ebb_out_cell(t, "%s", ebb_out_bytes(s->bytes, a));
	ebb_out_cell(t, "%s", ebb_out_count(s->objects, a));
	ebb_out_cell(t, "%s", ebb_out_share(s->bytes, whole, a));
	ebb_out_cell(t, "%s", ebb_out_bar(s->bytes, whole, a));
}

static void title(const struct ebb_report *r, const char *text)
{
	FILE *f = r->app->out;

	fprintf(f, "\n%s%s%s\n", ebb_out_bold(f), text, ebb_out_plain(f));
}

static int print_table(const struct ebb_report *r, struct ebb_out_table *t, struct ebb_err *err)
{
	return t ? ebb_out_table_print(t, r->app->out, 2, err)
		 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int print_ages(const struct ebb_report *r, struct ebb_err *err)
{
	const struct ebb_tally *t = r->t;
	uint64_t whole = t->kind[EBB_KIND_FILE].bytes;
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *idle =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *written =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	int n;

	if (!idle || !written)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (int i = 0; i < EBB_TALLY_AGES; i++) {
		if (t->idle[i].objects)
			row(idle, ebb_tally_age_name(i), &t->idle[i], whole);
		if (t->written[i].objects)
			row(written, ebb_tally_age_name(i), &t->written[i], whole);
	}
	for (int i = 0; i < EBB_TALLY_UNKNOWNS; i++)
		if (t->unknown[i].objects) {
			char name[80];

			snprintf(name, sizeof(name), "unknown (%d)", i + 1);
			row(idle, name, &t->unknown[i], whole);
		}
	title(r, "By time since last access");
	n = print_table(r, idle, err);
	for (int i = 0; i < EBB_TALLY_UNKNOWNS && !n; i++)
		if (t->unknown[i].objects)
			fprintf(r->app->out, "  unknown (%d): %s\n", i + 1, ebb_tally_unknown_text(i));
	if (n)
		return n;
	title(r, "By time since last change");
	return print_table(r, written, err);
}

static int print_sizes(const struct ebb_report *r, struct ebb_err *err)
{
	const struct ebb_tally *t = r->t;
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *o =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));

	for (int i = 0; o && i < EBB_TALLY_SIZES; i++)
		if (t->size[i].objects)
			row(o, ebb_tally_size_name(i), &t->size[i], t->kind[EBB_KIND_FILE].bytes);
	title(r, "By size of file");
	return print_table(r, o, err);
}

static int print_groups(const struct ebb_report *r, const char *what, const struct ebb_tally_group *g,
			size_t n, const struct ebb_tally_sum *others, size_t more, bool owner,
			struct ebb_err *err)
{
	uint64_t whole = r->t->kind[EBB_KIND_FILE].bytes;
	char name[EBB_OWNER_MAX];
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *o =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));

	for (size_t i = 0; o && i < n; i++) {
		if (owner)
			ebb_owner_name(g[i].uid, name);
		else if (*g[i].name)
			snprintf(name, sizeof(name), ".%s", g[i].name);
		else
			snprintf(name, sizeof(name), "(none)");
		row(o, name, &g[i].sum, whole);
	}
	if (o && more) {
		snprintf(name, sizeof(name), "%zu others", more);
		row(o, name, others, whole);
	}
	title(r, what);
	return print_table(r, o, err);
}

static void cost_cell(struct ebb_out_table *t, const struct ebb_report_store *s)
{
	char a[EBB_OUT_TEXT_MAX];

	if (s->priced)
		ebb_out_cell(t, "%s", ebb_out_money(&s->month, a));
	else
		ebb_out_cell(t, s->class ? "not priced" : "no class");
}

/* The classes of the report whose prices are samples, on one line. */
static void print_samples(const struct ebb_report *r)
{
	FILE *f = r->app->out;
	int n = 0;

	for (size_t i = 0; i < r->nstores; i++) {
		const struct ebb_report_store *s = &r->stores[i];
		bool before = false;

		if (!s->priced || !s->price ||
		    s->price->item[EBB_PRICE_STORAGE].confidence < EBB_PRICE_SAMPLE)
			continue;
		for (size_t k = 0; k < i; k++)
			before |= r->stores[k].priced && strcmp(r->stores[k].class, s->class) == 0;
		if (!before)
			fprintf(f, "%s%s", n++ ? ", " : "  sample prices, to be replaced: ", s->class);
	}
	if (n)
		fputs("; see 'ebb check'\n", f);
}

/* What the next scans of buckets cost. */
static void print_scans(const struct ebb_report *r)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	for (size_t i = 0; i < r->nstores; i++)
		if (r->stores[i].requests)
			fprintf(r->app->out, "  a scan of %s takes some %s%s%s\n", r->stores[i].name,
				ebb_out_things(r->stores[i].requests, "request", a), r->stores[i].scan_priced ? ", " : "",
				r->stores[i].scan_priced ? ebb_out_money(&r->stores[i].scan, b) : "");
}

static int print_stores(const struct ebb_report *r, struct ebb_err *err)
{
	static const struct ebb_out_col c[] = {
		{"store", false}, {"class", false}, {"size", true}, {"on disk", true},
		{"objects", true}, {"a month", true}, {"scanned", false},
	};
	char a[EBB_OUT_TEXT_MAX];
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(c, EBB_ARRAY_LEN(c));

	for (size_t i = 0; t && i < r->nstores; i++) {
		const struct ebb_report_store *s = &r->stores[i];

		ebb_out_cell(t, "%s", s->name);
		ebb_out_cell(t, "%s", s->class ? s->class : "-");
		ebb_out_cell(t, "%s", ebb_out_bytes(s->sum.bytes, a));
		ebb_out_cell(t, "%s", ebb_out_bytes(s->sum.alloc, a));
		ebb_out_cell(t, "%s", ebb_out_count(s->sum.objects, a));
		cost_cell(t, s);
		ebb_out_cell(t, "%s", ebb_out_ago(s->finished, r->now, a));
	}
	if (t && r->nstores > 1) {
		struct ebb_tally_sum sum = r->t->total;

		ebb_out_rule(t);
		ebb_out_cell(t, "total");
		ebb_out_cell(t, "%s", "");
		ebb_out_cell(t, "%s", ebb_out_bytes(sum.bytes, a));
		ebb_out_cell(t, "%s", ebb_out_bytes(sum.alloc, a));
		ebb_out_cell(t, "%s", ebb_out_count(sum.objects, a));
		ebb_out_cell(t, "%s", r->priced ? ebb_out_money(&r->month, a) : "");
		ebb_out_cell(t, "%s", "");
	}
	title(r, "Stores");
	int n = print_table(r, t, err);
	if (!n && r->priced && r->unpriced)
		fprintf(r->app->out, "  %s lie in stores without a price; they are not in the amounts\n",
			ebb_out_bytes(r->unpriced, a));
	if (!n) {
		print_samples(r);
		print_scans(r);
	}
	return n;
}

/* What listings of a bucket do not show, and what that costs. */
static void print_unlisted(const struct ebb_report *r)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];

	for (size_t i = 0; i < r->nstores; i++) {
		const struct ebb_report_store *s = &r->stores[i];

		if (s->hidden_objects)
			fprintf(r->app->out, "  %s: %s of old versions, delete markers and unfinished uploads, %s%s%s\n",
				s->name, ebb_out_things((uint64_t)s->hidden_objects, "record", a),
				ebb_out_bytes((uint64_t)s->hidden_bytes, b), s->priced ? ", a month " : "",
				s->priced ? ebb_out_money(&s->hidden_month, c) : "");
	}
}

static void print_hidden(const struct ebb_report *r)
{
	const struct ebb_tally *t = r->t;
	FILE *f = r->app->out;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];

	bool unlisted = false;

	for (size_t i = 0; i < r->nstores; i++)
		unlisted |= r->stores[i].hidden_objects > 0;
	if (!t->sparse.objects && !t->twins.objects && !t->unseen.objects && !unlisted)
		return;
	title(r, "What sizes hide");
	print_unlisted(r);
	if (t->sparse.objects)
		fprintf(f, "  %s %s sparse or compressed by the filesystem: %s of content in %s on disk\n",
			ebb_out_things(t->sparse.objects, "file", a), t->sparse.objects == 1 ? "is" : "are", ebb_out_bytes(t->sparse.bytes, b),
			ebb_out_bytes(t->sparse.alloc, c));
	if (t->twins.objects)
		fprintf(f, "  %s %s counted once: %s that exist only once\n",
			ebb_out_things(t->twins.objects, "name", a),
			t->twins.objects == 1 ? "is a further hard link to a file"
					      : "are further hard links to files", ebb_out_bytes(t->twins.bytes, b));
	if (t->unseen.objects)
		fprintf(f, "  %s (%s) %s carried over, because a folder could not be read in the last scan\n",
			ebb_out_things(t->unseen.objects, "object", a), ebb_out_bytes(t->unseen.bytes, b),
			t->unseen.objects == 1 ? "was" : "were");
}

int ebb_report_text(const struct ebb_report *r, struct ebb_err *err)
{
	const struct ebb_tally *t = r->t;
	char a[4][EBB_OUT_TEXT_MAX];
	int n;

	fprintf(r->app->out, "%s and %s, %s (%s on disk)\n",
		ebb_out_things(t->kind[EBB_KIND_FILE].objects, "file", a[0]),
		ebb_out_things(t->kind[EBB_KIND_DIR].objects, "folder", a[1]), ebb_out_bytes(t->total.bytes, a[2]),
		ebb_out_bytes(t->total.alloc, a[3]));
	if (t->kind[EBB_KIND_SYMLINK].objects + t->kind[EBB_KIND_SPECIAL].objects)
		fprintf(r->app->out, "beside %s and %s\n",
			ebb_out_things(t->kind[EBB_KIND_SYMLINK].objects, "symlink", a[0]),
			ebb_out_things(t->kind[EBB_KIND_SPECIAL].objects, "special file", a[1]));
	n = print_stores(r, err);
	if (!n)
		n = print_ages(r, err);
	if (!n)
		n = print_sizes(r, err);
	if (!n)
		n = print_groups(r, "By extension", r->ext, r->next, &r->other_ext, r->more_ext, false, err);
	if (!n)
		n = print_groups(r, "By owner", r->owner, r->nowner, &r->other_owner, r->more_owner, true,
				 err);
	if (!n)
		print_hidden(r);
	return n ? n : ebb_report_money_print(r, err);
}
