/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * compress: through a codec to KEY.zst, KEY.lz4 or KEY.ebbt beside it, with the original's metadata; the original goes once the copy was
 * read back, decoded and found equal. Back it goes into the class that it was in.
 * With keep_key it is encoded to .ebb-trash/RUN/.encoded/N first, and from there, once it was found equal, put in the place of the original;
 * back likewise.
 */
#include <string.h>

#include "agent/lower.h"
#include "compress/codec.h"
#include "scanners/proof.h"

static const char *target(struct ebb_arena *arena, const char *key, const char *codec)
{
	const struct ebb_codec *c = codec ? ebb_codec_find(codec) : NULL;

	return c ? ebb_arena_printf(arena, "%s%s", key, c->suffix) : NULL;
}

static int in_place(const struct ebb_lower_env *env, const struct ebb_planrow *row, struct ebb_arena *arena,
		    struct ebb_op *ret, struct ebb_err *err)
{
	if (!(env->caps & EBB_CAP_COPY))
		return ebb_err_set(err, EBB_ENOTSUP, "store '%s' cannot put an object in the place of another: it makes no copies by itself",
				   row->store);
	if (env->sleeps)
		return ebb_err_set(err, EBB_ENOTSUP, "is archived in class %s, where nothing can be compared in its place", row->class);
	ret->how = EBB_OP_REPLACE;
	ret->class = ret->old_class = NULL; /* its class is that of the key, which stays; until then it lies in the plain one, which has no minimum duration */
	ret->to_key = ebb_arena_printf(arena, "%s%s/.encoded/%lld", EBB_PROOF_TRASH, env->run, (long long)row->n);
	return ret->to_key ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int apply(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		 struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err)
{
	ret->to_store = row->to_store ? row->to_store : row->store;
	ret->to_key = row->to_key;
	ret->codec = row->codec;
	ret->level = row->level;
	ret->window = row->window;
	if (env->caps & EBB_CAP_CLASS) /* it stays in its class, as it was priced, and comes back there */
		ret->class = row->class;
	ret->verify = row->verify;
	ret->old_class = row->class;
	ret->has_meta = true;
	return row->keep_key ? in_place(env, row, arena, ret, err) : 0;
}

static int undo(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret, struct ebb_err *err)
{
	if (did->how != EBB_OP_REPLACE)
		return ebb_lower_swap_class(did, res, ret, err);
	int r = ebb_lower_swap(did, res, ret, err);
	ret->key = ret->obj.key = did->key;
	ret->obj.key_len = (uint32_t)strlen(did->key);
	ret->to_key = did->to_key;
	return r;
}

static const enum ebb_step *steps(const struct ebb_op *op)
{
	static const enum ebb_step pack[] = {EBB_STEP_CHECK,  EBB_STEP_SAMPLE, EBB_STEP_COPY,
					     EBB_STEP_VERIFY, EBB_STEP_RECORD, EBB_STEP_REMOVE,
					     EBB_STEP_SETTLE, EBB_STEP_END};
	static const enum ebb_step unpack[] = {EBB_STEP_CHECK,  EBB_STEP_COPY,   EBB_STEP_VERIFY,
					       EBB_STEP_RECORD, EBB_STEP_REMOVE, EBB_STEP_SETTLE,
					       EBB_STEP_END};

	/* recorded twice: where the other form lies, then what stands under the key */
	static const enum ebb_step encode[] = {EBB_STEP_CHECK,   EBB_STEP_FIT,    EBB_STEP_SAMPLE, EBB_STEP_COPY, EBB_STEP_VERIFY,
					       EBB_STEP_RECORD,  EBB_STEP_REPLACE, EBB_STEP_RECORD, EBB_STEP_TIDY, EBB_STEP_END};
	static const enum ebb_step decode[] = {EBB_STEP_CHECK,  EBB_STEP_COPY, EBB_STEP_VERIFY, EBB_STEP_RECORD, EBB_STEP_REPLACE,
					       EBB_STEP_RECORD, EBB_STEP_TIDY, EBB_STEP_END};

	if (op->how == EBB_OP_REPLACE)
		return op->way == EBB_OP_APPLY ? encode : decode;
	return op->way == EBB_OP_APPLY ? pack : unpack;
}

extern const struct ebb_lower ebb_act_compress;
const struct ebb_lower ebb_act_compress = {
	.action = EBB_ACTION_COMPRESS,
	.target = target,
	.apply = apply,
	.undo = undo,
	.steps = steps,
};
