/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/browse.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent/chart.h"
#include "agent/html.h"
#include "agent/out.h"
#include "agent/page_dims.h"
#include "agent/page_money.h"
#include "agent/report.h"
#include "agent/tally_dir.h"
#include "core/cursor.h"
#include "core/snap.h"

/* Folders of a page, and how many are read before the smallest are dropped. */
#define SHOWN 200
#define ROOM 100000

struct folder {
	char *key;
	struct ebb_tally_sum sum;
};

struct listing {
	struct folder *f;
	size_t n, room;
	uint64_t dropped;		/* folders beyond ROOM */
	struct ebb_tally_sum whole;
};

static void release(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->f[i].key);
	free(l->f);
}

static int on_folder(void *ctx, const char *key, size_t len, int depth, const struct ebb_tally_sum *sum,
		     struct ebb_err *err)
{
	struct listing *l = ctx;

	if (depth == 0) {
		l->whole = *sum;
		return 0;
	}
	if (l->n == ROOM) {
		l->dropped++;
		return 0;
	}
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		void *p = reallocarray(l->f, room, sizeof(*l->f));

		if (!p)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		l->f = p;
		l->room = room;
	}
	l->f[l->n] = (struct folder){strndup(key, len), *sum};
	return l->f[l->n].key ? (int)(l->n++, 0) : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int by_bytes(const void *pa, const void *pb)
{
	const struct folder *a = pa, *b = pb;

	if (a->sum.bytes != b->sum.bytes)
		return a->sum.bytes > b->sum.bytes ? -1 : 1;
	return strcmp(a->key, b->key);
}

static int walk(struct ebb_snap *snap, const struct ebb_index_store *st, const char *prefix, struct listing *l,
		struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	EBB_CLEANUP(ebb_tally_dir_freep) struct ebb_tally_dir *d = ebb_tally_dir_new(prefix, 1, on_folder, l);
	struct ebb_block b;
	int r = d ? ebb_cursor_open(snap, st, prefix, &c, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	while (r >= 0 && (r = ebb_cursor_next(c, &b, err)) == 1)
		r = ebb_tally_dir_block(d, &b, err);
	if (r == 0)
		r = ebb_tally_dir_finish(d, err);
	if (r == 0 && l->n)
		qsort(l->f, l->n, sizeof(*l->f), by_bytes);
	return r;
}

/* --- Pages --- */

static void link_to(FILE *f, const char *store, const char *prefix, const char *text)
{
	fputs("<a href=\"/browse?store=", f);
	ebb_html_query(f, store);
	fputs("&amp;prefix=", f);
	ebb_html_query(f, prefix);
	fputs("\">", f);
	ebb_html_text(f, text);
	fputs("</a>", f);
}

static void row(FILE *f, const char *store, const char *prefix, const char *text, const struct ebb_tally_sum *s,
		uint64_t most)
{
	char a[EBB_OUT_TEXT_MAX];

	fputs("<tr><td>", f);
	link_to(f, store, prefix, text);
	fputs("</td><td class=\"bar\">", f);
	ebb_chart_bar(f, (double)s->bytes, (double)most);
	fprintf(f, "</td><td class=\"num\">%s</td>", ebb_out_bytes(s->bytes, a));
	fprintf(f, "<td class=\"num\">%s</td></tr>\n", ebb_out_count(s->objects, a));
}

/* Every folder above, as links. */
static void path_above(FILE *f, const char *store, const char *prefix)
{
	char *part = strdup(prefix);

	fputs("<p class=\"sub\"><a href=\"/\">report</a> / <a href=\"/browse\">stores</a> / ", f);
	link_to(f, store, "", store);
	for (size_t i = 0, from = 0; part && prefix[i]; i++) {
		if (prefix[i] != '/')
			continue;
		part[i + 1] = 0;
		fputs(" / ", f);
		link_to(f, store, part, part + from);
		part[i + 1] = prefix[i + 1];
		from = i + 1;
	}
	fputs("</p>\n", f);
	free(part);
}

static void page(FILE *f, const char *store, const char *prefix, const struct listing *l)
{
	static const char *const heads[] = {"folder", "", "data", "objects"};
	char text[160], a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	size_t plen = strlen(prefix);

	snprintf(text, sizeof(text), "%s in %s", ebb_out_bytes(l->whole.bytes, a),
		 ebb_out_things(l->whole.objects, "object", b));
	ebb_html_begin(f, "ebb: folders", NULL);
	path_above(f, store, prefix);
	ebb_html_section(f, text, 1);
	ebb_html_table(f, "lbrr", heads);
	for (size_t i = 0; i < l->n && i < SHOWN; i++)
		row(f, store, l->f[i].key, l->f[i].key + plen, &l->f[i].sum, l->f[0].sum.bytes);
	ebb_html_table_end(f);
	if (l->n + l->dropped > SHOWN) {
		snprintf(text, sizeof(text), "%zu smaller folders are not shown.", l->n - SHOWN + (size_t)l->dropped);
		ebb_html_para(f, "note", text);
	}
	ebb_html_section_end(f);
	ebb_html_end(f, "As of the last scan.");
}

static void json(FILE *f, const char *store, const char *prefix, const struct listing *l)
{
	json_t *o = json_object(), *a = json_array();

	ebb_out_json_bytes(o, "store", store, strlen(store));
	ebb_out_json_bytes(o, "prefix", prefix, strlen(prefix));
	json_object_set_new(o, "objects", json_integer((json_int_t)l->whole.objects));
	json_object_set_new(o, "bytes", json_integer((json_int_t)l->whole.bytes));
	for (size_t i = 0; i < l->n && i < SHOWN; i++) {
		json_t *row = json_pack("{sI sI}", "objects", (json_int_t)l->f[i].sum.objects, "bytes",
					(json_int_t)l->f[i].sum.bytes);

		ebb_out_json_key(row, l->f[i].key, strlen(l->f[i].key));
		json_array_append_new(a, row);
	}
	json_object_set_new(o, "folders", a);
	ebb_out_json(f, o, NULL);
}

static int each_store(void *ctx, const struct ebb_index_store *st, struct ebb_err *err)
{
	FILE *f = ctx;
	struct ebb_tally_sum sum = {.objects = st->objects, .bytes = st->bytes};

	(void)err;
	if (st->generation && *st->name != '@')
		row(f, st->name, "", st->name, &sum, st->bytes);
	return 0;
}

static int stores(FILE *f, struct ebb_snap *snap)
{
	static const char *const heads[] = {"store", "", "data", "objects"};

	ebb_html_begin(f, "ebb: stores", NULL);
	fputs("<p class=\"sub\"><a href=\"/\">report</a></p>\n", f);
	ebb_html_section(f, "Stores", 1);
	ebb_html_table(f, "lbrr", heads);
	int r = ebb_snap_stores(snap, each_store, f, NULL);
	ebb_html_table_end(f);
	ebb_html_section_end(f);
	ebb_html_end(f, "As of the last scan.");
	return r < 0 ? 500 : 200;
}

static int folders(const struct ebb_browse *w, const char *store, const char *prefix, bool as_json, FILE *f)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(release) struct listing l = {0};
	struct ebb_index_store st;

	if (ebb_snap_open(w->ix, &snap, NULL) < 0)
		return 500;
	if (!store)
		return stores(f, snap);
	if (strlen(prefix) > EBB_KEY_MAX || ebb_snap_store(snap, store, &st, NULL) < 0 || !st.generation)
		return 404;
	if (walk(snap, &st, prefix, &l, NULL) < 0)
		return 500;
	if (l.whole.objects == 0 && *prefix)
		return 404;
	if (as_json)
		json(f, store, prefix, &l);
	else
		page(f, store, prefix, &l);
	return 200;
}

/* --- By label --- */

struct summing {
	struct ebb_alloc *alloc;
	struct ebb_snap *snap;
};

static int sum_store(void *ctx, const struct ebb_index_store *st, struct ebb_err *err)
{
	struct summing *s = ctx;
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_block b;
	int r = *st->name == '@' || !st->generation ? 0 : ebb_cursor_open(s->snap, st, "", &c, err);

	while (r >= 0 && c && (r = ebb_cursor_next(c, &b, err)) == 1)
		r = ebb_alloc_block(s->alloc, st->name, &b, "", err);
	return r < 0 ? r : 0;
}

static json_t *dim_json(struct ebb_alloc *a, size_t dim)
{
	json_t *list = json_array();
	struct ebb_alloc_row *rows;
	size_t n;

	if (ebb_alloc_rows(a, dim, &rows, &n, NULL) < 0)
		return list;
	for (size_t i = 0; i < n && i < SHOWN; i++) {
		json_t *o = json_pack("{sI sI sI}", "objects", (json_int_t)rows[i].objects, "bytes", (json_int_t)rows[i].bytes,
				      "cost_month_nano", (json_int_t)rows[i].cost);

		ebb_out_json_bytes(o, "value", rows[i].value, strlen(rows[i].value));
		json_array_append_new(list, o);
	}
	free(rows);
	return list;
}

static int label_json(FILE *f, const char *label, const char *value, struct ebb_report *r)
{
	json_t *o = json_object(), *by = json_object();

	ebb_out_json_bytes(o, "label", label, strlen(label));
	ebb_out_json_bytes(o, "value", value, strlen(value));
	json_object_set_new(o, "objects", json_integer(r->total.objects));
	json_object_set_new(o, "bytes", json_integer(r->total.bytes));
	json_object_set_new(o, "cost_month_nano", json_integer(r->total.cost.nano));
	json_object_set_new(o, "currency", json_string(r->total.cost.currency));
	for (size_t d = 0; d < ebb_alloc_dims(r->money.alloc); d++)
		json_object_set_new(by, ebb_alloc_dim_name(r->money.alloc, d), dim_json(r->money.alloc, d));
	json_object_set_new(o, "by", by);
	return ebb_out_json(f, o, NULL) < 0 ? 500 : 200;
}

static int label_page(FILE *f, const char *label, const char *value, struct ebb_report *r)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], text[300];
	int rc;

	snprintf(text, sizeof(text), "%s in %s, %s a month.", ebb_out_bytes((uint64_t)r->total.bytes, a),
		 ebb_out_things((uint64_t)r->total.objects, "object", b), ebb_page_money_text(r, r->total.cost.nano, c));
	ebb_html_begin(f, "ebb: by label", NULL);
	fputs("<p class=\"sub\"><a href=\"/\">report</a> / ", f);
	ebb_html_text(f, label);
	fputs(" / ", f);
	ebb_html_text(f, *value ? value : "(none)");
	fputs("</p>\n", f);
	ebb_html_para(f, NULL, text);
	fputs("<div class=\"grid\">\n", f);
	rc = ebb_page_dims_one(r, EBB_ALLOC_FOLDER, "By folder", NULL);
	if (rc == 0)
		rc = ebb_page_dims_all(r, NULL);
	if (rc == 0)
		rc = ebb_page_dims_one(r, EBB_ALLOC_AGE, "By time since last change", NULL);
	fputs("</div>\n", f);
	ebb_html_end(f, "As of the last scan. Shared costs are not split here.");
	return rc < 0 ? 500 : 200;
}

static int by_label(const struct ebb_browse *w, const char *label, const char *value, bool as_json, FILE *f)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_names_freep) struct ebb_names *names = NULL;
	EBB_CLEANUP(ebb_alloc_freep) struct ebb_alloc *alloc = NULL;
	struct ebb_config *c = w->app->config, bare;
	struct ebb_app app = {.clock = w->app->clock, .cancel = w->app->cancel, .err = w->app->err, .out = f};
	struct ebb_report r = {.app = &app, .live = true};

	if (!c || ebb_snap_open(w->ix, &snap, NULL) < 0 || ebb_names_read(snap, &names, NULL) < 0 ||
	    ebb_alloc_new(c->rules, c->prices, names, c->alerts.labels, ebb_app_now(&app), &alloc, NULL) < 0)
		return c ? 500 : 404;
	int dim = ebb_alloc_dim_find(alloc, label);
	if (dim < EBB_ALLOC_DIMS)
		return 404;
	ebb_alloc_only(alloc, (size_t)dim, value);
	struct summing s = {alloc, snap};
	if (ebb_snap_stores(snap, sum_store, &s, NULL) < 0 || ebb_alloc_total(alloc, &r.total, NULL) < 0)
		return 500;
	if (r.total.objects == 0)
		return 404;
	if (r.total.unpriced == r.total.bytes)
		*r.total.cost.currency = 0;
	r.money.alloc = alloc;
	/* a part does not share what the whole does */
	bare = *c;
	bare.alerts.nshared = 0;
	app.config = &bare;
	return as_json ? label_json(f, label, value, &r) : label_page(f, label, value, &r);
}

/* --- Requests --- */

const char *const ebb_browse_paths[] = {"/browse", "/by", NULL};

static int answer(struct ebb_browse *w, const char *path, ebb_serve_query_fn *value, void *query, bool as_json, FILE *f)
{
	const char *store = value(query, "store"), *prefix = value(query, "prefix");
	const char *label = value(query, "label"), *is = value(query, "value");

	if (strcmp(path, "/browse") == 0)
		return folders(w, store, prefix ? prefix : "", as_json, f);
	return label ? by_label(w, label, is ? is : "", as_json, f) : 404;
}

int ebb_browse_ask(void *ctx, const char *path, ebb_serve_query_fn *value, void *query, char **ret_body,
		   size_t *ret_len, const char **ret_type)
{
	bool as_json = value(query, "json") != NULL;
	char *body = NULL;
	FILE *f = open_memstream(&body, ret_len);

	if (!f)
		return 500;
	int status = answer(ctx, path, value, query, as_json, f);
	if (fclose(f) != 0)
		status = 500;
	if (status == 200)
		*ret_body = body;
	else
		free(body);
	if (as_json)
		*ret_type = "application/json";
	return status;
}
