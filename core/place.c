/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/place.h"

#include <stdlib.h>
#include <string.h>

#include "core/index_db.h"

/* Keys that are kept, in bytes, and how many blocks' at most. */
#define KEPT_BYTES (16u << 20)
#define SLOTS 1024

/* The keys of one block. */
struct slot {
	uint16_t store;
	uint32_t block;		/* number in the list */
	uint32_t n;		/* 0: empty */
	uint32_t *at;		/* n + 1 offsets into keys */
	struct ebb_buf keys;	/* each with a NUL behind it */
};

struct ebb_place {
	struct ebb_snap *snap;
	/* the block that records are read from, and how far */
	struct ebb_block block;
	struct ebb_block_iter *it;
	uint16_t store;
	uint32_t number;
	bool open;
	struct slot slots[SLOTS];
	size_t kept, hand;	/* bytes in all slots; where the next that must go is looked for */
};

int ebb_place_open(struct ebb_snap *s, struct ebb_place **ret, struct ebb_err *err)
{
	struct ebb_place *p = calloc(1, sizeof(*p));

	if (!p || !(p->it = malloc(sizeof(*p->it)))) {
		free(p);
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read the index");
	}
	p->snap = s;
	*ret = p;
	return 0;
}

static void empty(struct ebb_place *p, struct slot *s)
{
	p->kept -= s->keys.size + (s->n ? (s->n + 1) * sizeof(*s->at) : 0);
	ebb_buf_release(&s->keys);
	free(s->at);
	*s = (struct slot){0};
}

void ebb_place_close(struct ebb_place *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		empty(p, &p->slots[i]);
	free(p->it);
	free(p);
}

static int open_block(struct ebb_place *p, const struct ebb_index_store *st, uint32_t number,
		      struct ebb_block *ret, struct ebb_err *err)
{
	struct ebb_index_list_key lk = ebb_index_list_key(st->id, st->generation, number);
	struct ebb_index_entry e;
	MDB_val first, data;
	int rc = ebb_index_entry(p->snap->ix, p->snap->txn, &lk, &e, &first, err);

	if (rc == -EBB_ENOENT)
		return ebb_index_result(p->snap->ix, err, MDB_CORRUPTED, "a block is missing");
	if (rc == 0)
		rc = ebb_index_block(p->snap->ix, p->snap->txn, e.block, &data, err);
	return rc < 0 ? rc : ebb_block_open(ret, data.mv_data, data.mv_size, err);
}

static int missing(struct ebb_place *p, struct ebb_err *err)
{
	return ebb_index_result(p->snap->ix, err, MDB_CORRUPTED, "a record is missing");
}

int ebb_place_record(struct ebb_place *p, const struct ebb_index_store *st, uint64_t place,
		     struct ebb_record *ret, struct ebb_err *err)
{
	uint32_t number = (uint32_t)(place >> 16), at = place & 0xffff;
	int rc = 0;

	if (!p->open || p->store != st->id || p->number != number || p->it->keys.next > at) {
		p->open = false;
		rc = open_block(p, st, number, &p->block, err);
		if (rc < 0)
			return rc;
		p->open = true;
		p->store = st->id;
		p->number = number;
		ebb_block_iter_init(p->it, &p->block);
	}
	if (at >= p->block.n)
		return missing(p, err);
	while (rc >= 0 && p->it->keys.next <= at)
		rc = ebb_block_iter_next(p->it, ret, err);
	return rc < 0 ? rc : 0;
}

/* Have room for one more block's keys. */
static void make_room(struct ebb_place *p)
{
	while (p->kept > KEPT_BYTES) {
		empty(p, &p->slots[p->hand]);
		p->hand = (p->hand + 1) % SLOTS;
	}
}

static int load(struct ebb_place *p, struct slot *s, const struct ebb_index_store *st, uint32_t number,
		struct ebb_err *err)
{
	struct ebb_block_keys *keys = &p->it->keys;
	struct ebb_block b;
	int rc = open_block(p, st, number, &b, err);

	if (rc < 0)
		return rc;
	p->open = false; /* the iterator is borrowed */
	empty(p, s);
	make_room(p);
	ebb_buf_init(&s->keys, (size_t)EBB_BLOCK_MAX * (EBB_KEY_MAX + 1));
	s->at = malloc((b.n + 1) * sizeof(*s->at));
	if (!s->at)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for keys");
	ebb_block_keys_init(keys, &b);
	while ((rc = ebb_block_keys_next(keys, err)) == 1) {
		s->at[s->n++] = (uint32_t)s->keys.len;
		if (ebb_buf_add(&s->keys, keys->key, keys->len + 1) < 0) {
			rc = ebb_err_set(err, EBB_ENOMEM, "no memory for keys");
			break;
		}
	}
	s->at[s->n] = (uint32_t)s->keys.len;
	s->store = st->id;
	s->block = number;
	p->kept += s->keys.size + (s->n ? (s->n + 1) * sizeof(*s->at) : 0);
	if (rc < 0)
		empty(p, s);
	return rc;
}

int ebb_place_key(struct ebb_place *p, const struct ebb_index_store *st, uint64_t place,
		  const char **ret, size_t *ret_len, struct ebb_err *err)
{
	uint32_t number = (uint32_t)(place >> 16), at = place & 0xffff;
	struct slot *s = &p->slots[(number + (uint32_t)st->id * 61) % SLOTS];

	if (!s->n || s->store != st->id || s->block != number) {
		int rc = load(p, s, st, number, err);
		if (rc < 0)
			return rc;
	}
	if (at >= s->n)
		return missing(p, err);
	*ret = s->keys.data + s->at[at];
	*ret_len = s->at[at + 1] - s->at[at] - 1;
	return 0;
}
