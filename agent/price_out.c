/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/price_out.h"

#include <string.h>

#include "agent/out.h"
#include "core/mem.h"

static const char *text_of(const struct ebb_tree_node *doc, const char *key)
{
	const struct ebb_tree_node *n = ebb_tree_get(doc, key);

	return n && n->text ? n->text : "";
}

/* --- List --- */

int ebb_price_out_list(struct ebb_app *app, const struct ebb_price_out_book *books, size_t n,
		       struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"book", false},    {"provider", false}, {"date", false},	{"currency", false},
		{"regions", true}, {"confidence", false}, {"file", false},
	};
	static const char *const keys[] = {"name", "provider", "date", "currency", "confidence"};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	int r = 0;

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < n && !r; i++) {
		const struct ebb_tree_node *regions = ebb_tree_get(books[i].doc, "regions");
		size_t count = regions ? regions->n_children : 0;

		if (app->json) {
			json_t *o = json_pack("{ss sI}", "file", books[i].path, "regions",
					      (json_int_t)count);

			for (size_t k = 0; k < EBB_ARRAY_LEN(keys); k++)
				json_object_set_new(o, keys[k],
						    json_string(text_of(books[i].doc, keys[k])));
			r = ebb_out_json(app->out, o, err);
			continue;
		}
		for (size_t k = 0; k < 4; k++)
			ebb_out_cell(t, "%s", text_of(books[i].doc, keys[k]));
		ebb_out_cell(t, count ? "%zu" : "all", count);
		ebb_out_cell(t, "%s", text_of(books[i].doc, "confidence"));
		ebb_out_cell(t, "%s", books[i].path);
	}
	return r || app->json ? r : ebb_out_table_print(t, app->out, 0, err);
}

/* --- Figures by name --- */

/* A name for each figure of a class, in the order that they are shown. */
struct figure {
	char name[40];
	const struct ebb_price_figure *f;
};

enum { FIGURES = EBB_PRICE_ITEMS + 2 * EBB_PRICE_SPEEDS + EBB_PRICE_SINKS };

/* Those without a price too, so that the figures of two classes stand beside each other. */
static void figures_of(const struct ebb_price_class *c, struct figure ret[FIGURES])
{
	size_t n = 0;

	for (int i = 0; i < EBB_PRICE_ITEMS; i++, n++) {
		snprintf(ret[n].name, sizeof(ret[n].name), "%s",
			 ebb_price_item_name((enum ebb_price_item)i));
		ret[n].f = &c->item[i];
	}
	for (int i = 0; i < EBB_PRICE_SPEEDS; i++, n += 2) {
		const char *speed = ebb_price_speed_name((enum ebb_price_speed)i);

		snprintf(ret[n].name, sizeof(ret[n].name), "%s restore", speed);
		ret[n].f = &c->restore[i].request;
		snprintf(ret[n + 1].name, sizeof(ret[n].name), "%s bytes", speed);
		ret[n + 1].f = &c->restore[i].retrieval;
	}
	for (size_t i = 0; i < EBB_PRICE_SINKS; i++, n++) {
		bool there = i < c->nsinks;

		snprintf(ret[n].name, sizeof(ret[n].name), "after %lld d%s",
			 (long long)(there ? c->sink[i].after_days : 0),
			 there && c->sink[i].opt_in ? ", if asked for" : "");
		ret[n].f = &c->sink[i].storage;
	}
}

/* "0.023/GiB-month, 0.022/GiB-month from 51200 GiB-month" in as much room as there is. */
static const char *tiers_text(const struct ebb_price_figure *f, char *out, size_t size)
{
	char price[EBB_PRICE_TEXT];
	size_t n = (size_t)snprintf(out, size, "%s", ebb_price_text(f, price));

	for (size_t i = 1; i < f->ntiers && n < size; i++) {
		struct ebb_price_figure one = *f;
		char from[EBB_OUT_TEXT_MAX];

		one.tiers += i;
		one.ntiers = 1;
		n += (size_t)snprintf(out + n, size - n, ", %s from %s", ebb_price_text(&one, price),
				      f->unit[0] == 'G' || f->unit[0] == 'T'
					      ? ebb_out_bytes((uint64_t)f->tiers[i].from, from)
					      : ebb_out_count((uint64_t)f->tiers[i].from, from));
	}
	return out;
}

static bool is_meant(const struct ebb_price_class *c, const struct ebb_price_out_filter *f)
{
	return ebb_price_known(&c->item[EBB_PRICE_STORAGE]) &&
	       (!f->provider || strcmp(c->provider, f->provider) == 0) &&
	       (!f->region || strcmp(c->region, f->region) == 0 || strcmp(c->region, "*") == 0) &&
	       (!f->class || strcmp(c->name, f->class) == 0);
}

/* --- Show --- */

static int json_class(struct ebb_app *app, const struct ebb_price_class *c, struct ebb_err *err)
{
	struct figure figures[FIGURES];
	char text[1024];
	json_t *prices = json_object();
	json_t *o = json_pack("{ss ss ss sI sI sI sI so}", "provider", c->provider, "region",
			      c->region, "class", c->name, "min_days", (json_int_t)c->min_days,
			      "min_bytes", (json_int_t)c->min_bytes, "overhead",
			      (json_int_t)c->overhead, "overhead_standard",
			      (json_int_t)c->overhead_standard, "prices", prices);

	figures_of(c, figures);
	for (size_t i = 0; o && i < FIGURES; i++)
		if (ebb_price_known(figures[i].f))
			json_object_set_new(
				prices, figures[i].name,
				json_pack("{ss ss ss}", "price",
					  tiers_text(figures[i].f, text, sizeof(text)), "confidence",
					  ebb_price_confidence_name(figures[i].f->confidence),
					  "source",
					  figures[i].f->source ? figures[i].f->source : ""));
	return ebb_out_json(app->out, o, err);
}

static void print_terms(FILE *out, const struct ebb_price_class *c)
{
	char a[EBB_OUT_TEXT_MAX];

	fprintf(out, "%s%s%s%s%s", c->provider, *c->provider ? " " : "",
		strcmp(c->region, "*") ? c->region : "", strcmp(c->region, "*") ? " " : "", c->name);
	if (c->min_days)
		fprintf(out, ", at least %lld days", (long long)c->min_days);
	if (c->min_bytes)
		fprintf(out, ", billed as %s at least", ebb_out_bytes((uint64_t)c->min_bytes, a));
	if (c->overhead)
		fprintf(out, ", %s more an object", ebb_out_bytes((uint64_t)c->overhead, a));
	if (c->overhead_standard)
		fprintf(out, " and %s at the rate of %s",
			ebb_out_bytes((uint64_t)c->overhead_standard, a), c->standard->name);
	fputs(c->offline ? ", to be restored before it is read\n" : "\n", out);
}

static int print_class(struct ebb_app *app, const struct ebb_price_class *c, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"", false}, {"", false}, {"", false}, {"", false},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	struct figure figures[FIGURES];
	char text[1024];

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	print_terms(app->out, c);
	figures_of(c, figures);
	for (size_t i = 0; i < FIGURES; i++) {
		const struct ebb_price_figure *f = figures[i].f;

		if (!ebb_price_known(f))
			continue;
		ebb_out_cell(t, "%s", figures[i].name);
		ebb_out_cell(t, "%s", tiers_text(f, text, sizeof(text)));
		ebb_out_cell(t, "%s", ebb_price_confidence_name(f->confidence));
		ebb_out_cell(t, "%s", f->source ? f->source : "");
	}
	return ebb_out_table_print(t, app->out, 2, err);
}

int ebb_price_out_show(struct ebb_app *app, const struct ebb_price_books *set,
		       const struct ebb_price_out_filter *f, struct ebb_err *err)
{
	size_t shown = 0;

	for (size_t i = 0; i < ebb_price_count(set); i++) {
		const struct ebb_price_class *c = ebb_price_get(set, i);
		int r;

		if (!is_meant(c, f))
			continue;
		shown++;
		r = app->json ? json_class(app, c, err) : print_class(app, c, err);
		if (r)
			return r;
	}
	if (!shown)
		return ebb_err_set(err, EBB_ECONFIG, "no price book has that; 'ebb price list' "
				   "shows the books, 'ebb price show' all classes");
	return 0;
}

/* --- Diff --- */

static bool same_figure(const struct ebb_price_figure *a, const struct ebb_price_figure *b)
{
	if (a->ntiers != b->ntiers || (a->ntiers && (a->per != b->per || a->step != b->step)))
		return false;
	for (size_t i = 0; i < a->ntiers; i++)
		if (a->tiers[i].from != b->tiers[i].from || a->tiers[i].atto != b->tiers[i].atto)
			return false;
	return true;
}

static int diff_row(struct ebb_app *app, struct ebb_out_table *t, const struct ebb_price_class *c,
		    const char *name, const char *before, const char *after, struct ebb_err *err)
{
	if (app->json)
		return ebb_out_json(app->out,
				    json_pack("{ss ss ss ss ss ss}", "provider", c->provider,
					      "region", c->region, "class", c->name, "figure", name,
					      "before", before, "after", after),
				    err);
	ebb_out_cell(t, "%s", c->provider);
	ebb_out_cell(t, "%s", c->region);
	ebb_out_cell(t, "%s", c->name);
	ebb_out_cell(t, "%s", name);
	ebb_out_cell(t, "%s", before);
	ebb_out_cell(t, "%s", after);
	return 0;
}

/* Of a class that a set does not have. */
static const struct ebb_price_class none;

/* The row of the same name in another set, or none. */
static const struct ebb_price_class *other_of(const struct ebb_price_books *set,
					      const struct ebb_price_class *c)
{
	for (size_t i = 0; i < ebb_price_count(set); i++) {
		const struct ebb_price_class *o = ebb_price_get(set, i);

		if (strcmp(o->name, c->name) == 0 && strcmp(o->region, c->region) == 0 &&
		    strcmp(o->provider, c->provider) == 0)
			return o;
	}
	return &none;
}

static int diff_class(struct ebb_app *app, struct ebb_out_table *t, const struct ebb_price_class *c,
		      const struct ebb_price_class *a, const struct ebb_price_class *b,
		      struct ebb_err *err)
{
	struct figure before[FIGURES], after[FIGURES];
	char from[1024], to[1024];
	int r = 0;

	figures_of(a, before);
	figures_of(b, after);
	for (size_t i = 0; i < FIGURES && !r; i++)
		if (!same_figure(before[i].f, after[i].f))
			r = diff_row(app, t, c,
				     ebb_price_known(before[i].f) ? before[i].name : after[i].name,
				     tiers_text(before[i].f, from, sizeof(from)),
				     tiers_text(after[i].f, to, sizeof(to)), err);
	return r;
}

int ebb_price_out_diff(struct ebb_app *app, const struct ebb_price_books *a,
		       const struct ebb_price_books *b, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"provider", false}, {"region", false}, {"class", false},
		{"figure", false},   {"before", false}, {"after", false},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	int r = 0;

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < ebb_price_count(a) && !r; i++) {
		const struct ebb_price_class *c = ebb_price_get(a, i);

		r = diff_class(app, t, c, c, other_of(b, c), err);
	}
	for (size_t i = 0; i < ebb_price_count(b) && !r; i++) {
		const struct ebb_price_class *c = ebb_price_get(b, i);

		if (other_of(a, c) == &none)
			r = diff_class(app, t, c, &none, c, err);
	}
	return r || app->json ? r : ebb_out_table_print(t, app->out, 0, err);
}
