/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/undo_packs.h"

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

static int remove_pack(struct emptying *e, struct ebb_store *s, const struct ebb_executor_op *o,
		       struct ebb_err *err)
{
	EBB_CLEANUP(ebb_proof_pack_closep) struct ebb_proof_pack *pack = NULL;
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	int r = ebb_proof_pack_open(s, o->op.to_key, &o->result.to, &pack, err);

	if (r == 0)
		r = ebb_proof_pack_emptied(pack, stands, e, &proof, err);
	return r < 0 ? r : ebb_store_remove(s, o->op.to_key, proof, err);
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
		if (!came_back(&e, o->op.n) || ebb_store_check(s, o->op.to_key, &o->result.to, NULL) < 0)
			continue;
		int r = remove_pack(&e, s, o, &why);
		/* some have not come back, or it is damaged: it stays */
		if (r < 0 && r != -EBB_EMISMATCH && r != -EBB_ECORRUPT && r != -EBB_ECHANGED)
			return ebb_err_set(err, -r, "%s", why.msg);
	}
	return 0;
}
