/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/planstore.h"

#include "scanners/store.h"

struct ebb_planhead_store ebb_planstore_scanned(const struct ebb_index_store *st)
{
	return (struct ebb_planhead_store){
		.name = st->name, .generation = st->generation, .dev = st->root_dev,
		.ino = st->root_ino, .fsid = st->root_fsid, .objects = (int64_t)st->objects,
	};
}

/* A store that was never scanned: what stands there now is what apply will expect. */
static int looked_at(const struct ebb_config_store *cs, struct ebb_arena *arena, struct ebb_planhead_store *ret,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = NULL;
	struct ebb_store_identity is;
	int r = ebb_store_open(&cs->open, &s, err);

	if (r < 0 || (r = ebb_store_identify(s, &is, err)) < 0)
		return r;
	*ret = (struct ebb_planhead_store){
		.name = cs->open.name, .dev = is.dev, .ino = is.ino, .fsid = ebb_arena_strdup(arena, is.fsid),
	};
	return ret->fsid ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

int ebb_planstore_find(struct ebb_snap *snap, const struct ebb_config_store *cs, struct ebb_arena *arena,
		       struct ebb_planhead_store *ret, struct ebb_err *err)
{
	struct ebb_index_store *st = ebb_arena_alloc(arena, sizeof(*st));

	if (!st)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (ebb_snap_store(snap, cs->open.name, st, NULL) < 0 || !st->generation)
		return looked_at(cs, arena, ret, err);
	*ret = ebb_planstore_scanned(st);
	return 0;
}
