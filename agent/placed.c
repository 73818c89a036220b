/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/placed.h"

#include "core/cursor.h"

static int each_of(const struct ebb_placed *p, size_t store, const struct ebb_block *b, uint64_t number, struct ebb_err *err)
{
	struct ebb_record rec;
	int rc = 1;

	if (p->cancel && atomic_load(p->cancel))
		return ebb_err_set(err, EBB_ECANCELLED, "interrupted");
	if (p->pointless && p->pointless(p->ctx, store, b))
		return 0;
	ebb_block_iter_init(p->it, b);
	for (uint32_t i = 0; rc >= 0 && (rc = ebb_block_iter_next(p->it, &rec, err)) == 1; i++)
		rc = p->fn(p->ctx, store, number << 16 | i, &rec, err);
	return rc;
}

int ebb_placed_each(const struct ebb_placed *p, size_t store, const struct ebb_index_store *st, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_block b;
	int rc = ebb_cursor_open(p->snap, st, NULL, &c, err);

	for (uint64_t n = 0; rc >= 0 && (rc = ebb_cursor_next(c, &b, err)) == 1; n++)
		rc = each_of(p, store, &b, n, err);
	return rc;
}
