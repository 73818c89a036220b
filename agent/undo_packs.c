/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/undo_packs.h"

#include <stdio.h>
#include <string.h>

#include "scanners/proof_pack.h"

struct emptying {
	const struct ebb_replay *replay;
	const struct ebb_replay_segment *seg;
	const struct ebb_executor_op *ops;	/* the way back, in the opposite order */
	size_t n;
	int64_t pack;
	size_t at;				/* in seg->ops: where the last member was found */
};

static bool in_pack(const struct ebb_executor_op *o)
{
	return o->op.pack && o->result.outcome == EBB_OP_DONE && o->result.member.coded;
}

static bool came_back(const struct emptying *e, int64_t n)
{
	if (ebb_replay_is_away(e->replay, n))
		return true;
	for (size_t i = 0; i < e->n; i++)
		if (e->ops[i].op.n == n)
			return e->ops[i].result.outcome == EBB_OP_DONE;
	return false;
}

/* Did it come back, or never go? Members lie in the order of the actions. */
static int stands(void *ctx, const char *key, struct ebb_err *err)
{
	struct emptying *e = ctx;

	(void)err;
	for (size_t k = 0; k < e->seg->nops; k++) {
		const struct ebb_executor_op *o = &e->seg->ops[(e->at + k) % e->seg->nops];

		if (o->op.pack != e->pack || strcmp(o->op.key, key) != 0)
			continue;
		e->at = (e->at + k + 1) % e->seg->nops;
		return o->result.outcome != EBB_OP_DONE || came_back(e, o->op.n);
	}
	return 0;
}

static int remove_pack(struct emptying *e, struct ebb_store *s, const char *key, const struct ebb_record *rec,
		       struct ebb_err *err)
{
	static const struct ebb_pack_index none = {0};
	EBB_CLEANUP(ebb_proof_pack_closep) struct ebb_proof_pack *pack = NULL;
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	int r = ebb_proof_pack_open(s, key, rec, &pack, err);

	if (r == 0)
		r = ebb_proof_pack_emptied(pack, stands, e, &proof, err);
	if (r == 0)
		r = ebb_store_remove(s, key, proof, err);
	if (r == 0)
		ebb_packs_sweep(s, key, &none, INT64_MAX);
	return r;
}

/* The pack as the run left it, or as it was packed anew. */
static int go_to_pack(struct emptying *e, struct ebb_store *s, const struct ebb_executor_op *o, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena = {0};
	struct ebb_packs_pack now;
	int r = ebb_store_check(s, o->op.to_key, &o->result.to, NULL);

	if (r == 0)
		return remove_pack(e, s, o->op.to_key, &o->result.to, err);
	if (r != -EBB_ENOENT)
		return 0;
	ebb_arena_init(&arena, 0);
	r = ebb_packs_follow(s, o->op.to_key, &arena, &now, err);
	return r <= 0 ? r : remove_pack(e, s, now.key, &now.rec, err);
}

void ebb_undo_packs_trail_release(struct ebb_undo_packs_trail *t)
{
	ebb_pack_read_release(&t->x);
	ebb_arena_release(&t->arena);
}

/* Look where the pack is now, once for all its members. */
static int find_trail(struct ebb_undo_packs_trail *t, struct ebb_store *s, const struct ebb_op *op, struct ebb_err *err)
{
	struct ebb_record rec;
	struct ebb_err why = {0};

	if (t->store == s && strcmp(t->was, op->key) == 0)
		return 0;
	ebb_undo_packs_trail_release(t);
	*t = (struct ebb_undo_packs_trail){.store = s};
	ebb_arena_init(&t->arena, 0);
	int r = ebb_store_head(s, op->key, &rec, &why);
	if (r == -EBB_ENOENT && (r = ebb_packs_follow(s, op->key, &t->arena, &t->now, err)) == 1) {
		t->moved = true;
		r = ebb_packs_index(NULL, op->store, &t->now.rec, s, &t->x, err);
	} else if (r < 0 && why.code) {
		return ebb_err_set(err, -r, "%s", why.msg);
	}
	if (r == 0)
		snprintf(t->was, sizeof(t->was), "%s", op->key);
	return r < 0 ? r : 0;
}

int ebb_undo_packs_follow(struct ebb_undo_packs_trail *t, const struct ebb_storeset *stores, struct ebb_arena *arena,
			  struct ebb_op *op, struct ebb_err *err)
{
	struct ebb_store *s = ebb_storeset_find(stores, op->store);
	const struct ebb_pack_member *m;
	int r = s && op->member.coded ? find_trail(t, s, op, err) : 0;

	if (r < 0 || !s || !op->member.coded || !t->moved)
		return r;
	m = ebb_pack_read_find(&t->x, op->to_key);
	if (!m || memcmp(m->digest, op->digest, EBB_DIGEST_LEN) != 0)
		return ebb_err_set(err, EBB_ENOTSUP, "was deleted from its pack, and its time in the trash was over");
	op->key = ebb_arena_strdup(arena, t->now.key);
	if (!op->key)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	op->obj = t->now.rec;
	op->obj.key = op->key;
	op->obj.key_len = (uint32_t)strlen(op->key);
	op->member = (struct ebb_op_member){m->offset, m->coded, m->raw, m->size};
	return 0;
}

int ebb_undo_packs(const struct ebb_storeset *stores, const struct ebb_replay *replay,
		   const struct ebb_replay_segment *seg, const struct ebb_executor_op *ops, size_t n,
		   struct ebb_err *err)
{
	struct emptying e = {.replay = replay, .seg = seg, .ops = ops, .n = n};

	for (size_t i = 0; i < seg->nops; i++) {
		const struct ebb_executor_op *o = &seg->ops[i];
		struct ebb_store *s = o->op.to_store ? ebb_storeset_find(stores, o->op.to_store) : NULL;
		struct ebb_err why = {0};

		if (!in_pack(o) || o->op.pack == e.pack || !s)
			continue;
		e.pack = o->op.pack;
		e.at = i;
		/* of one that was packed anew the first may be gone for good */
		if (!came_back(&e, o->op.n) && ebb_store_check(s, o->op.to_key, &o->result.to, NULL) == 0)
			continue;
		int r = go_to_pack(&e, s, o, &why);
		/* some have not come back, or it is damaged: it stays */
		if (r < 0 && r != -EBB_EMISMATCH && r != -EBB_ECORRUPT && r != -EBB_ECHANGED)
			return ebb_err_set(err, -r, "%s", why.msg);
	}
	return 0;
}
