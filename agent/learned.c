/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/learned.h"

#include <stdlib.h>
#include <string.h>

#include "core/learn.h"

/* Records sorted in memory, and put into the index, at a time. */
#define ROOM (64 * 1024)

struct learned {
	uint64_t place;
	uint16_t store;
	uint8_t digest[EBB_DIGEST_LEN];
};

static int cmp(const void *pa, const void *pb)
{
	const struct learned *a = pa, *b = pb;

	if (a->store != b->store)
		return a->store < b->store ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

int ebb_learned_init(struct ebb_learned *l, const char *dir, struct ebb_err *err)
{
	return ebb_sort_init(&l->sort, dir, sizeof(struct learned), ROOM, cmp, err);
}

void ebb_learned_release(struct ebb_learned *l)
{
	ebb_sort_release(&l->sort);
}

int ebb_learned_add(struct ebb_learned *l, uint16_t store, uint64_t place, const uint8_t *digest,
		    struct ebb_err *err)
{
	struct learned r = {.place = place, .store = store};

	memcpy(r.digest, digest, sizeof(r.digest));
	l->n++;
	return ebb_sort_add(&l->sort, &r, err);
}

int ebb_learned_keep(struct ebb_learned *l, struct ebb_index *ix, const struct ebb_reach *reach,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) struct ebb_learn_item *items = NULL;
	struct learned r = {0};
	uint16_t store = 0;
	size_t n = 0;
	int rc, more = 1;

	if (!l->n)
		return 0;
	if (!(items = malloc(ROOM * sizeof(*items))))
		return ebb_err_set(err, EBB_ENOMEM, "no memory to keep digests");
	rc = ebb_sort_finish(&l->sort, err);
	while (rc == 0 && more == 1) {
		more = ebb_sort_take(&l->sort, &r, err);
		if (n && (more != 1 || r.store != store || n == ROOM)) {
			const struct ebb_index_store *st = &reach->v[store].st;

			rc = ebb_learn_digests(ix, st->name, st->generation, items, n, err);
			n = 0;
		}
		if (more == 1) {
			store = r.store;
			items[n] = (struct ebb_learn_item){.place = r.place, .known = EBB_KNOWN_DIGEST};
			memcpy(items[n++].digest, r.digest, sizeof(r.digest));
		}
	}
	return more < 0 ? more : rc;
}
