/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/find_order.h"

#include <stdlib.h>
#include <string.h>

#include "agent/lock.h"
#include "agent/target.h"
#include "core/order.h"

struct names {
	enum ebb_field field;
	struct ebb_snap *snap;
	char (*v)[EBB_INDEX_NAME_MAX + 1];	/* stores whose order is missing */
	size_t n;
};

static void release(struct names *names)
{
	free(names->v);
}

static int note_missing(void *ctx, const struct ebb_target_at *at, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_order_closep) struct ebb_order *o = NULL;
	struct names *names = ctx;
	int r = ebb_order_open(names->snap, at->store, names->field, false, &o, NULL);

	if (r != -EBB_ENOENT)
		return r < 0 ? ebb_err_set(err, -r, "cannot read an order of store '%s'", at->store->name) : 0;
	void *v = realloc(names->v, (names->n + 1) * sizeof(*names->v));
	if (!v)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	names->v = v;
	memcpy(names->v[names->n++], at->store->name, sizeof(*names->v));
	return 0;
}

static int find_missing(struct ebb_app *app, const struct ebb_cli_args *args, struct names *names,
			struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	int r = ebb_app_index(app, true, &ix, err);

	if (!r)
		r = ebb_snap_open(ix, &snap, err);
	names->snap = snap;
	return r ? r : ebb_target_each(app, snap, args, note_missing, names, err);
}

int ebb_find_order_build(struct ebb_app *app, const struct ebb_cli_args *args, enum ebb_field field,
			 struct ebb_err *err)
{
	EBB_CLEANUP(release) struct names names = {.field = field};
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	int r = find_missing(app, args, &names, err);

	if (r || names.n == 0)
		return r;
	r = ebb_lock_take(app->index_dir, "ebb find", ebb_app_now(app), &lock, err);
	if (!r)
		r = ebb_app_index(app, false, &ix, err);
	for (size_t i = 0; !r && i < names.n; i++)
		r = ebb_order_build(ix, names.v[i], field, app->index_dir, 0, err);
	return r;
}
