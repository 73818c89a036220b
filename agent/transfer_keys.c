/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/transfer_keys.h"

#include <stdlib.h>

#include "core/cursor.h"

/* A block that is being read; the walk over it points to it, so it does not move. */
struct open {
	struct ebb_block block;
	struct ebb_block_iter it;
};

/* A store on the way. */
struct lane {
	uint32_t site;
	struct ebb_cursor *cursor;
	struct open *open;
	struct ebb_record rec;
	uint64_t place;		/* of the record behind this one */
	uint64_t blocks;	/* begun so far */
	bool begun;		/* a block is open */
};

struct walk {
	struct lane v[EBB_XFER_BOOK_PLACES];
	size_t n;		/* lanes that are not at their end */
	size_t all;		/* to be released */
};

static void release(struct walk *w)
{
	for (size_t i = 0; i < w->all; i++) {
		ebb_cursor_close(w->v[i].cursor);
		free(w->v[i].open);
	}
}

/* The next record of a lane: 1, 0 at its end. */
static int step(struct lane *l, struct ebb_err *err)
{
	int r;

	for (;;) {
		if (l->begun && (r = ebb_block_iter_next(&l->open->it, &l->rec, err)) != 0) {
			l->place++;
			return r;
		}
		if ((r = ebb_cursor_next(l->cursor, &l->open->block, err)) != 1)
			return r;
		l->place = l->blocks++ << 16;
		l->begun = true;
		ebb_block_iter_init(&l->open->it, &l->open->block);
	}
}

static int open_lane(struct walk *w, struct ebb_snap *snap, const struct ebb_index_store *st, uint32_t site, struct ebb_err *err)
{
	struct lane *l = &w->v[w->all];

	*l = (struct lane){.site = site, .open = malloc(sizeof(*l->open))};
	w->all++;
	if (!l->open)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int r = ebb_cursor_open(snap, st, NULL, &l->cursor, err);
	return r < 0 ? r : step(l, err);
}

/* Behind the lanes that go on. */
static void drop(struct walk *w, size_t i)
{
	struct lane gone = w->v[i];

	w->v[i] = w->v[--w->n];
	w->v[w->n] = gone;
}

static void gather(const struct walk *w, struct ebb_transfer_keys_at *at)
{
	at->here = 0;
	for (size_t i = 0; i < w->n; i++) {
		const struct lane *l = &w->v[i];
		int c = at->here ? ebb_record_key_cmp(l->rec.key, l->rec.key_len, at->key, at->len) : -1;

		if (c > 0)
			continue;
		if (c < 0) {
			at->here = 0;
			at->key = l->rec.key;
			at->len = l->rec.key_len;
		}
		at->here |= UINT64_C(1) << l->site;
		at->rec[l->site] = &l->rec;
		at->place[l->site] = l->place - 1;
	}
}

int ebb_transfer_keys_walk(struct ebb_snap *snap, const struct ebb_index_store *st, ebb_transfer_keys_fn *fn, void *ctx,
			   struct ebb_err *err)
{
	EBB_CLEANUP(release) struct walk w = {0};
	struct ebb_transfer_keys_at at = {0};
	int r = 0;

	for (uint32_t s = 0; r >= 0 && s < EBB_XFER_BOOK_PLACES; s++)
		if (st[s].generation) {
			r = open_lane(&w, snap, &st[s], s, err);
			if (r == 1) {
				struct lane full = w.v[w.all - 1];

				w.v[w.all - 1] = w.v[w.n];
				w.v[w.n++] = full;
			}
		}
	while (r >= 0 && w.n) {
		gather(&w, &at);
		r = fn(ctx, &at, err);
		for (size_t i = w.n; r >= 0 && i-- > 0;)
			if (at.here >> w.v[i].site & 1 && (r = step(&w.v[i], err)) == 0)
				drop(&w, i);
	}
	return r < 0 ? r : 0;
}
