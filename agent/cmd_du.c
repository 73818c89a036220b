/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb du: sums by folder, or by another property, from the index. */
#include <stdlib.h>
#include <string.h>

#include "agent/out.h"
#include "agent/owner.h"
#include "agent/tally_dir.h"
#include "agent/target.h"
#include "core/cursor.h"

enum { LIMIT = 40 };

/* A folder kept for printing by size. */
struct row {
	char *key;	/* "store:folder", owned */
	struct ebb_tally_sum sum;
};

struct du {
	struct ebb_app *app;
	int depth;
	size_t limit;			/* rows; 0: all, as they come */
	const struct ebb_target_at *at;	/* what is being walked */
	const char *store;		/* its store */
	struct row *rows;		/* room for limit + 1, largest first */
	size_t nrows;
	uint64_t hidden;		/* rows that did not fit */
	struct ebb_tally_sum total;
	struct ebb_tally *tally;	/* --by anything but dir */
};

static void sum_add(struct ebb_tally_sum *to, const struct ebb_tally_sum *s)
{
	to->objects += s->objects;
	to->bytes += s->bytes;
	to->alloc += s->alloc;
}

static void json_sum(json_t *o, const struct ebb_tally_sum *s)
{
	json_object_set_new(o, "objects", json_integer((json_int_t)s->objects));
	json_object_set_new(o, "bytes", json_integer((json_int_t)s->bytes));
	json_object_set_new(o, "alloc", json_integer((json_int_t)s->alloc));
}

static const struct ebb_out_col cols[] = {
	{"size", true}, {"on disk", true}, {"objects", true}, {"share", true}, {"", false},
};

/* The cells of a sum; the name is the caller's. */
static void cells(struct ebb_out_table *t, const struct ebb_tally_sum *s, uint64_t whole)
{
	char a[EBB_OUT_TEXT_MAX];

	ebb_out_cell(t, "%s", ebb_out_bytes(s->bytes, a));
	ebb_out_cell(t, "%s", ebb_out_bytes(s->alloc, a));
	ebb_out_cell(t, "%s", ebb_out_count(s->objects, a));
	ebb_out_cell(t, "%s", ebb_out_share(s->bytes, whole, a));
}

/* --- By folder --- */

static int json_dir(struct du *d, const char *key, size_t len, int depth,
		    const struct ebb_tally_sum *s, struct ebb_err *err)
{
	json_t *o = json_pack("{ss}", "store", d->store);

	ebb_out_json_key(o, key, len);
	json_object_set_new(o, "depth", json_integer(depth));
	json_sum(o, s);
	return ebb_out_json(d->app->out, o, err);
}

/* Keep a row if it belongs to the largest. */
static int keep_row(struct du *d, const char *key, size_t len, const struct ebb_tally_sum *s,
		    struct ebb_err *err)
{
	size_t at = d->nrows, slen = strlen(d->store);

	if (at == d->limit && d->rows[at - 1].sum.bytes > s->bytes) {
		d->hidden++;
		return 0;
	}
	char *copy = malloc(slen + len + 2);
	if (!copy)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	memcpy(copy, d->store, slen);
	copy[slen] = ':';
	memcpy(copy + slen + 1, key, len);
	copy[slen + 1 + len] = 0;
	/* of equal sums a folder comes before those in it */
	while (at && (d->rows[at - 1].sum.bytes < s->bytes ||
		      (d->rows[at - 1].sum.bytes == s->bytes && strcmp(d->rows[at - 1].key, copy) > 0)))
		at--;
	if (at >= d->limit) {
		free(copy);
		d->hidden++;
		return 0;
	}
	memmove(&d->rows[at + 1], &d->rows[at], (d->nrows - at) * sizeof(*d->rows));
	d->rows[at] = (struct row){copy, *s};
	if (d->nrows < d->limit) {
		d->nrows++;
	} else {
		free(d->rows[d->limit].key);
		d->hidden++;
	}
	return 0;
}

static int on_dir(void *ctx, const char *key, size_t len, int depth, const struct ebb_tally_sum *s,
		  struct ebb_err *err)
{
	struct du *d = ctx;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];
	int r = depth == 0 ? ebb_target_found(d->at, s->objects, err) : 0;

	if (r)
		return r;
	if (depth == 0)
		sum_add(&d->total, s);
	if (d->app->json)
		return json_dir(d, key, len, depth, s, err);
	if (d->limit)
		return keep_row(d, key, len, s, err);
	fprintf(d->app->out, "%10s  %10s  %13s  %s:", ebb_out_bytes(s->bytes, a),
		ebb_out_bytes(s->alloc, b), ebb_out_count(s->objects, c), d->store);
	ebb_out_name(d->app->out, key, len);
	fputc('\n', d->app->out);
	return ferror(d->app->out) ? ebb_out_flush(d->app->out, err) : 0;
}

static int walk_dirs(void *ctx, const struct ebb_target_at *at, struct ebb_err *err)
{
	struct du *d = ctx;
	struct ebb_block b;
	int r;

	d->at = at;
	d->store = at->store->name;
	EBB_CLEANUP(ebb_tally_dir_freep) struct ebb_tally_dir *t =
		ebb_tally_dir_new(at->target->key, d->depth, on_dir, d);
	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	while ((r = ebb_cursor_next(at->cursor, &b, err)) > 0) {
		r = ebb_tally_dir_block(t, &b, err);
		if (!r)
			r = ebb_app_cancelled(d->app, err);
		if (r)
			return r;
	}
	return r ? r : ebb_tally_dir_finish(t, err);
}

static int print_dirs(struct du *d, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	char a[EBB_OUT_TEXT_MAX];

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < d->nrows; i++) {
		cells(t, &d->rows[i].sum, d->total.bytes);
		ebb_out_cell_name(t, d->rows[i].key, strlen(d->rows[i].key));
	}
	int r = ebb_out_table_print(t, d->app->out, 0, err);
	if (!r && d->hidden)
		ebb_app_note(d->app, "%s %s not shown; --limit 0 shows all",
			     ebb_out_things(d->hidden, "smaller folder", a), d->hidden == 1 ? "is" : "are");
	return r;
}

static int by_dir(struct du *d, struct ebb_snap *snap, const struct ebb_cli_args *args,
		  struct ebb_err *err)
{
	int r;

	if (d->limit && !d->app->json) {
		d->rows = calloc(d->limit + 1, sizeof(*d->rows));
		if (!d->rows)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory for %zu rows", d->limit);
	}
	r = ebb_target_each(d->app, snap, args, walk_dirs, d, err);
	if (!r && d->rows)
		r = print_dirs(d, err);
	for (size_t i = 0; i < d->nrows; i++)
		free(d->rows[i].key);
	free(d->rows);
	return r;
}

/* --- By anything else --- */

static int walk_tally(void *ctx, const struct ebb_target_at *at, struct ebb_err *err)
{
	struct du *d = ctx;
	uint64_t before = d->tally->total.objects;
	struct ebb_block b;
	int r;

	d->tally->store_class = -1;
	r = at->class ? ebb_names_add(d->app->names, at->class, &d->tally->store_class, err) : 0;
	if (r < 0)
		return r;
	while ((r = ebb_cursor_next(at->cursor, &b, err)) > 0) {
		r = ebb_tally_block(d->tally, &b, at->target->key, err);
		if (!r)
			r = ebb_app_cancelled(d->app, err);
		if (r)
			return r;
	}
	return r ? r : ebb_target_found(at, d->tally->total.objects - before, err);
}

/* One row, as JSON at once or into the table. */
static int group_row(struct du *d, struct ebb_out_table *t, const char *by, const char *name,
		     const struct ebb_tally_sum *s, struct ebb_err *err)
{
	if (!s->objects)
		return 0;
	if (!d->app->json) {
		cells(t, s, d->tally->total.bytes);
		ebb_out_cell_name(t, name, strlen(name));
		return 0;
	}
	json_t *o = json_object();
	ebb_out_json_bytes(o, by, name, strlen(name));
	json_sum(o, s);
	return ebb_out_json(d->app->out, o, err);
}

static int top_rows(struct du *d, struct ebb_out_table *t, const char *by, unsigned dim,
		    struct ebb_err *err)
{
	size_t n = d->limit ? d->limit : EBB_TALLY_GROUPS, more;
	const char *class;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_tally_group *g = calloc(n, sizeof(*g));
	struct ebb_tally_sum others;
	char name[EBB_OWNER_MAX];
	int r = 0;

	if (!g)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	n = ebb_tally_top(d->tally, dim, n, g, &others, &more);
	for (size_t i = 0; i < n && !r; i++) {
		if (dim == EBB_TALLY_OWNER)
			ebb_owner_name(g[i].uid, name);
		else if (dim == EBB_TALLY_CLASS && (class = ebb_names_get(d->app->names, g[i].uid)))
			snprintf(name, sizeof(name), "%s", class);
		else
			snprintf(name, sizeof(name), "%s", *g[i].name ? g[i].name : "(none)");
		r = group_row(d, t, by, name, &g[i].sum, err);
	}
	return r ? r : group_row(d, t, by, "(others)", &others, err);
}

static int age_rows(struct du *d, struct ebb_out_table *t, struct ebb_err *err)
{
	int r = 0;

	for (int i = 0; i < EBB_TALLY_AGES && !r; i++)
		r = group_row(d, t, "age", ebb_tally_age_name(i), &d->tally->idle[i], err);
	for (int i = 0; i < EBB_TALLY_UNKNOWNS && !r; i++) {
		char name[80];

		snprintf(name, sizeof(name), "unknown: %s", ebb_tally_unknown_text(i));
		r = group_row(d, t, "age", name, &d->tally->unknown[i], err);
	}
	return r;
}

/* What the groups add up to: extensions, owners and ages are those of files. */
static const struct ebb_tally_sum *whole(const struct ebb_tally *t, const char *by)
{
	bool all = strcmp(by, "kind") == 0 || strcmp(by, "class") == 0;

	return all ? &t->total : &t->kind[EBB_KIND_FILE];
}

static int group_rows(struct du *d, struct ebb_out_table *t, const char *by, struct ebb_err *err)
{
	int r = 0;

	if (strcmp(by, "ext") == 0)
		return top_rows(d, t, by, EBB_TALLY_EXT, err);
	if (strcmp(by, "owner") == 0)
		return top_rows(d, t, by, EBB_TALLY_OWNER, err);
	if (strcmp(by, "class") == 0)
		return top_rows(d, t, by, EBB_TALLY_CLASS, err);
	if (strcmp(by, "age") == 0)
		return age_rows(d, t, err);
	for (int i = 0; i < EBB_KIND_COUNT && !r && strcmp(by, "kind") == 0; i++)
		r = group_row(d, t, by, ebb_record_kind_name(i), &d->tally->kind[i], err);
	return r;
}

static int by_group(struct du *d, struct ebb_snap *snap, const struct ebb_cli_args *args,
		    const char *by, struct ebb_err *err)
{
	unsigned dims = strcmp(by, "ext") == 0	   ? EBB_TALLY_EXT
			: strcmp(by, "owner") == 0 ? EBB_TALLY_OWNER
			: strcmp(by, "age") == 0   ? EBB_TALLY_AGE
			: strcmp(by, "class") == 0 ? EBB_TALLY_CLASS
						   : 0;
	EBB_CLEANUP(ebb_tally_freep) struct ebb_tally *tally =
		ebb_tally_new(dims, ebb_app_now(d->app));
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));

	if (!t || !tally)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	d->tally = tally;
	int r = ebb_target_each(d->app, snap, args, walk_tally, d, err);
	if (!r)
		r = group_rows(d, t, by, err);
	if (r || d->app->json)
		return r;
	ebb_out_rule(t);
	cells(t, whole(tally, by), 0);
	ebb_out_cell(t, "total");
	return ebb_out_table_print(t, d->app->out, 0, err);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	const char *by = ebb_cli_string(args, "by");
	struct du d = {.app = app};

	d.depth = (int)ebb_cli_number(args, "depth", 1) & 0xffff;
	d.limit = (size_t)ebb_cli_number(args, "limit", LIMIT);
	int r = ebb_app_config_optional(app, err);
	if (!r)
		r = ebb_app_index(app, true, &ix, err);
	if (!r)
		r = ebb_app_snap(app, ix, &snap, err);
	if (r)
		return r;
	if (by && strcmp(by, "dir") != 0)
		return by_group(&d, snap, args, by, err);
	return by_dir(&d, snap, args, err);
}

static const struct ebb_cli_option options[] = {
	{"by", 'b', EBB_CLI_CHOICE, "dir|owner|ext|class|kind|age", "what to sum by (default: dir)"},
	{"depth", 'd', EBB_CLI_COUNT, "N", "levels of folders to show (default: 1)"},
	{"limit", 'l', EBB_CLI_COUNT, "N",
	 "show the N largest (default: 40); 0: all folders, in the order of their names"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"store", "string", "by dir: name of the store"},
	{"path", "string", "by dir: key of the folder, empty for the store's root; only when it is UTF-8"},
	{"path_b64", "string", "by dir: the key in base64, when it is not UTF-8"},
	{"depth", "number", "by dir: levels below what was asked for"},
	{"owner, ext, class, kind, age", "string", "otherwise: the group, under the name given to --by"},
	{"objects", "number", "names: files, folders, symlinks and special files"},
	{"bytes", "number", "content of files, each inode once"},
	{"alloc", "number", "bytes allocated on the medium, each inode once"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb du --depth 2 /data/scratch", "the largest folders, two levels deep",
	"ebb du --by owner", "who has how much, over all stores",
	"ebb du --by age --json | jq .", "by time since last access, for a program",
	NULL,
};

const struct ebb_cli_command ebb_cmd_du = {
	.name = "du",
	.summary = "sum up bytes and objects by folder, owner, extension, class, kind or age",
	.usage = "[STORE[:PREFIX]|PATH...]",
	.description =
		"Sums up what the index holds, as of the last scan; the stores themselves are not read.\n"
		"Without arguments every store is counted.\n"
		"\n"
		"An inode with several names counts its bytes once, at the first of its names in the order of keys.\n"
		"Size is the length of files; on disk is what the filesystem has allocated, folders and symlinks included.\n"
		"\n"
		"By folder, the largest come first; with --limit 0 and with --json all are given in the order of their keys,\n"
		"each after the folders in it.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = -1,
	.run = run,
};
