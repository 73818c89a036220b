/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/approval.h"

#include <stdlib.h>
#include <string.h>

/* Rows on their way into the allocation, as the blocks that it takes. */
struct feeding {
	struct ebb_app *app;
	struct ebb_approval *a;
	struct ebb_block_builder *builder;
	struct ebb_buf bytes;
	char store[EBB_INDEX_NAME_MAX + 1];
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

bool ebb_approval_is(enum ebb_approval_kind kind, enum ebb_action_id action)
{
	bool takes = action == EBB_ACTION_DELETE || action == EBB_ACTION_DEDUP;

	return kind == EBB_APPROVAL_ALL || (kind == EBB_APPROVAL_CLEANUP) == takes;
}

static void copy_text(char *to, size_t size, const char *s)
{
	snprintf(to, size, "%s", s ? s : "");
}

/* --- Flows --- */

static void add_flow(struct ebb_approval *a, const struct ebb_planrow *row)
{
	struct ebb_approval_flow key = {.action = row->action}, *f;
	size_t i = 0;

	copy_text(key.from, sizeof(key.from), row->store);
	copy_text(key.to, sizeof(key.to), row->to_store ? row->to_store : row->to_key || row->to_class ? row->store : NULL);
	copy_text(key.from_class, sizeof(key.from_class), row->class);
	copy_text(key.to_class, sizeof(key.to_class), row->to_class);
	while (i < a->nflows && (a->flow[i].action != key.action || strcmp(a->flow[i].from, key.from) != 0 ||
				 strcmp(a->flow[i].to, key.to) != 0 || strcmp(a->flow[i].from_class, key.from_class) != 0 ||
				 strcmp(a->flow[i].to_class, key.to_class) != 0))
		i++;
	if (i == EBB_APPROVAL_FLOWS) {
		a->more++;
		return;
	}
	f = &a->flow[i];
	if (i == a->nflows) {
		*f = key;
		a->nflows++;
	}
	f->objects++;
	f->bytes += row->obj.f[EBB_F_SIZE];
	f->wire += row->wire;
	f->freed += row->freed;
	f->once += row->one_off;
	f->saving += row->saving;
	f->unpriced += !row->priced;
}

static void add_trash(struct ebb_approval *a, const struct ebb_planrow *row)
{
	int64_t size = row->obj.f[EBB_F_SIZE];

	if (row->purge) {
		a->purged++;
		a->purged_bytes += size;
	} else if (row->trash_ns) {
		a->trash_least = !a->trash_least || row->trash_ns < a->trash_least ? row->trash_ns : a->trash_least;
		a->trash_most = row->trash_ns > a->trash_most ? row->trash_ns : a->trash_most;
		a->trashed++;
		a->trashed_bytes += size;
	}
}

/* --- The largest --- */

static int add_top(struct ebb_approval *a, const struct ebb_planrow *row, struct ebb_err *err)
{
	int64_t size = row->obj.f[EBB_F_SIZE];
	size_t at = a->ntop;

	if (a->ntop == EBB_APPROVAL_TOP && a->top[at - 1].size >= size)
		return 0;
	char *key = strndup(row->obj.key, row->obj.key_len);
	if (!key)
		return no_memory(err);
	if (a->ntop == EBB_APPROVAL_TOP)
		free(a->top[--at].key);
	else
		a->ntop++;
	for (; at > 0 && a->top[at - 1].size < size; at--)
		a->top[at] = a->top[at - 1];
	a->top[at] = (struct ebb_approval_object){.key = key, .action = row->action, .size = size, .saving = row->saving};
	copy_text(a->top[at].store, sizeof(a->top[at].store), row->store);
	copy_text(a->top[at].why, sizeof(a->top[at].why), row->why);
	return 0;
}

/* --- Whose they are --- */

static int flush(struct feeding *f, struct ebb_err *err)
{
	struct ebb_block b;
	int r;

	if (ebb_block_builder_count(f->builder) == 0)
		return 0;
	if ((r = ebb_block_builder_encode(f->builder, &f->bytes, err)) < 0 ||
	    (r = ebb_block_open(&b, f->bytes.data, f->bytes.len, err)) < 0)
		return r;
	r = ebb_alloc_block(f->a->alloc, f->store, &b, "", err);
	ebb_block_builder_clear(f->builder);
	return r;
}

/* Keys of a rule's pack or of another store do not go on rising: then a block ends. */
static int feed(struct feeding *f, const struct ebb_planrow *row, struct ebb_err *err)
{
	struct ebb_record rec = row->obj;
	int r = 0;

	if (strcmp(f->store, row->store) != 0 || ebb_block_builder_full(f->builder))
		r = flush(f, err);
	copy_text(f->store, sizeof(f->store), row->store);
	if (r == 0 && ebb_block_builder_add(f->builder, &rec, NULL) < 0) {
		r = flush(f, err);
		if (r == 0)
			r = ebb_block_builder_add(f->builder, &rec, err);
	}
	return r;
}

static int take(struct feeding *f, const struct ebb_planrow *row, struct ebb_err *err)
{
	struct ebb_approval *a = f->a;
	int r;

	if (!ebb_approval_is(a->kind, row->action)) {
		a->others++;
		return 0;
	}
	a->objects++;
	a->bytes += row->obj.f[EBB_F_SIZE];
	a->once += row->one_off;
	a->saving += row->saving;
	a->unpriced += !row->priced;
	add_flow(a, row);
	add_trash(a, row);
	if ((r = add_top(a, row, err)) < 0)
		return r;
	/* of a copy that is made on the way nothing stands yet */
	return row->after ? 0 : feed(f, row, err);
}

static int by_bytes(const void *pa, const void *pb)
{
	const struct ebb_approval_flow *a = pa, *b = pb;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return strcmp(a->from, b->from);
}

static void release(struct feeding *f)
{
	ebb_block_builder_free(f->builder);
	ebb_buf_release(&f->bytes);
}

int ebb_approval_collect(struct ebb_app *app, struct ebb_planfile *plan, enum ebb_approval_kind kind,
			 struct ebb_approval *ret, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct feeding f = {
		.app = app, .a = ret, .builder = ebb_block_builder_new(), .bytes = EBB_BUF_INIT(8 << 20),
	};
	const struct ebb_config *c = app->config;
	struct ebb_planrow row;
	int r = f.builder ? 0 : no_memory(err);

	ret->kind = kind;
	if (r == 0)
		r = ebb_alloc_new(c ? c->rules : NULL, c ? c->prices : NULL, app->names, c ? c->alerts.labels : NULL,
				  ebb_app_now(app), &ret->alloc, err);
	while (r >= 0 && (r = ebb_planfile_next(plan, &row, err)) == 1)
		if ((r = take(&f, &row, err)) < 0 || (r = ebb_app_cancelled(app, err)) < 0)
			break;
	if (r == 0)
		r = flush(&f, err);
	if (r == 0)
		r = ebb_alloc_total(ret->alloc, &ret->total, err);
	if (r < 0)
		return r;
	qsort(ret->flow, ret->nflows, sizeof(*ret->flow), by_bytes);
	return ebb_planfile_seek(plan, 1, err);
}

void ebb_approval_release(struct ebb_approval *a)
{
	for (size_t i = 0; i < a->ntop; i++)
		free(a->top[i].key);
	ebb_alloc_free(a->alloc);
	*a = (struct ebb_approval){.ntop = 0};
}
