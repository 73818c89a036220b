/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/showback.h"

#include <stdlib.h>

#include "agent/history.h"
#include "agent/target.h"
#include "core/cursor.h"

static int begin(struct ebb_app *app, struct ebb_snap *snap, struct ebb_showback *s, struct ebb_err *err)
{
	const struct ebb_config *c = app->config;
	int r = ebb_names_read(snap, &s->names, err);

	return r < 0 ? r
		     : ebb_alloc_new(c ? c->rules : NULL, c ? c->prices : NULL, s->names, c ? c->alerts.labels : NULL,
				     ebb_app_now(app), &s->alloc, err);
}

static int add_blocks(struct ebb_app *app, struct ebb_showback *s, const char *store, const char *prefix,
		      struct ebb_cursor *c, struct ebb_err *err)
{
	struct ebb_block b;
	int r;

	while ((r = ebb_cursor_next(c, &b, err)) == 1)
		if ((r = ebb_alloc_block(s->alloc, store, &b, prefix, err)) < 0 || (r = ebb_app_cancelled(app, err)) < 0)
			break;
	return r;
}

struct walk {
	struct ebb_app *app;
	struct ebb_showback *s;
};

static int walk(void *ctx, const struct ebb_target_at *at, struct ebb_err *err)
{
	struct walk *w = ctx;

	return add_blocks(w->app, w->s, at->store->name, at->target->key ? at->target->key : "", at->cursor, err);
}

int ebb_showback_collect(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_cli_args *args,
			 struct ebb_showback *ret, struct ebb_err *err)
{
	struct walk w = {app, ret};
	int r = begin(app, snap, ret, err);

	return r < 0 ? r : ebb_target_each(app, snap, args, walk, &w, err);
}

void ebb_showback_release(struct ebb_showback *s)
{
	ebb_alloc_free(s->alloc);
	ebb_names_free(s->names);
	*s = (struct ebb_showback){0};
}

/* --- The history --- */

/* The dimensions of an allocation as the history has them: folders are too many, and can be asked of the index. */
static int dims_of(struct ebb_alloc *a, struct ebb_history_dim *dims, size_t *ret_n, struct ebb_arena *arena,
		   struct ebb_err *err)
{
	*ret_n = 0;
	for (size_t d = 0; d < ebb_alloc_dims(a); d++) {
		struct ebb_alloc_row *rows;
		size_t n;
		int r;

		if (d == EBB_ALLOC_FOLDER || d == EBB_ALLOC_STORE)
			continue;
		if ((r = ebb_alloc_rows(a, d, &rows, &n, err)) < 0)
			return r;
		struct ebb_history_row *h = ebb_arena_calloc(arena, n + 1, sizeof(*h));
		for (size_t i = 0; h && i < n; i++)
			h[i] = (struct ebb_history_row){rows[i].value, rows[i].objects, rows[i].bytes, rows[i].cost};
		free(rows);
		if (!h)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		dims[(*ret_n)++] = (struct ebb_history_dim){ebb_alloc_dim_name(a, d), h, n};
	}
	return 0;
}

static int append(struct ebb_app *app, struct ebb_showback *s, const char *store, int64_t time,
		  struct ebb_err *err)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena = {0};
	struct ebb_history_look look = {.time = time, .store = store};
	struct ebb_alloc_total total;
	struct ebb_history_dim *dims =
		ebb_arena_calloc(&arena, ebb_alloc_dims(s->alloc), sizeof(*dims));
	int r = dims ? ebb_alloc_total(s->alloc, &total, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	if (r == 0)
		r = dims_of(s->alloc, dims, &look.ndims, &arena, err);
	if (r < 0)
		return r;
	look.currency = total.cost.currency;
	look.objects = total.objects;
	look.bytes = total.bytes;
	look.cost = total.cost.nano;
	look.unpriced_bytes = total.unpriced;
	look.dims = dims;
	return ebb_history_append(app->index_dir, &look, err);
}

int ebb_showback_record(struct ebb_app *app, struct ebb_index *ix, const char *store, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_showback_release) struct ebb_showback s = {0};
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_index_store st = {.finished = 0};
	int r = ebb_snap_open(ix, &snap, err);

	if (r == 0)
		r = begin(app, snap, &s, err);
	if (r == 0)
		r = ebb_snap_store(snap, store, &st, err);
	if (r == 0)
		r = ebb_cursor_open(snap, &st, NULL, &c, err);
	if (r == 0)
		r = add_blocks(app, &s, store, "", c, err);
	return r < 0 ? r : append(app, &s, store, st.finished, err);
}
