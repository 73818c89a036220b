/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/habit_scan.h"

#include <stdlib.h>

#include "core/cursor.h"
#include "core/mem.h"

static int learn_store(struct ebb_habits *h, struct ebb_snap *snap, const struct ebb_index_store *st,
		       struct ebb_block_iter *iter, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	uint64_t step = st->objects / EBB_HABIT_SCAN_OBJECTS + 1;
	struct ebb_block b;
	int r = ebb_cursor_open(snap, st, NULL, &c, err);

	for (uint64_t i = 0; r >= 0 && (r = ebb_cursor_next(c, &b, err)) == 1; i++)
		if (i % step == 0)
			r = ebb_habits_learn(h, st->name, &b, iter, err);
	return r;
}

int ebb_habit_scan_tell(struct ebb_arena *arena, struct ebb_snap *snap, const struct ebb_index_store *stores, size_t n,
			const struct ebb_rules *rules, int64_t now, struct ebb_decide *d, struct ebb_err *err)
{
	struct ebb_block_iter *iter;
	struct ebb_habits *h;
	int r = 0;

	if (!ebb_habits_wanted(rules))
		return 0;
	iter = malloc(sizeof(*iter));
	h = ebb_habits_new(arena, rules, now);
	if (!iter || !h)
		r = ebb_err_set(err, EBB_ENOMEM, "no memory for the habits of datasets");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = learn_store(h, snap, &stores[i], iter, err);
	free(iter);
	if (r == 0)
		ebb_decide_use_habits(d, h);
	return r;
}
