/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/lower.h"

#include <string.h>

#include "scanners/proof.h"

/* One line per action, here and below; each lies in agent/act_NAME.c. */
extern const struct ebb_lower ebb_act_delete;
extern const struct ebb_lower ebb_act_tier;
extern const struct ebb_lower ebb_act_compress;
extern const struct ebb_lower ebb_act_dedup;
extern const struct ebb_lower ebb_act_archive;
extern const struct ebb_lower ebb_act_copy;
extern const struct ebb_lower ebb_act_strike;
extern const struct ebb_lower ebb_act_repack;

static const struct ebb_lower *const table[] = {
	&ebb_act_delete,
	&ebb_act_tier,
	&ebb_act_compress,
	&ebb_act_dedup,
	&ebb_act_archive,
	&ebb_act_copy,
	&ebb_act_strike,
	&ebb_act_repack,
};

const struct ebb_lower *ebb_lower_of(enum ebb_action_id action)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(table); i++)
		if (table[i]->action == action)
			return table[i];
	return NULL;
}

static int no_way(enum ebb_action_id action, const char *what, struct ebb_err *err)
{
	const struct ebb_action_kind *kind = ebb_action_kind(action);

	return ebb_err_set(err, EBB_ENOTSUP, "'%s' cannot be %s", kind ? kind->name : "?", what);
}

int ebb_lower_apply(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		    struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err)
{
	const struct ebb_lower *l = ebb_lower_of(row->action);
	struct ebb_op op = {
		.n = row->n, .action = row->action, .way = EBB_OP_APPLY,
		.store = row->store, .key = row->obj.key, .obj = row->obj,
	};

	if (!l)
		return no_way(row->action, "done", err);
	int r = l->apply(env, row, arena, &op, err);
	if (r == 0)
		*ret = op;
	return r;
}

int ebb_lower_undo(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		   struct ebb_err *err)
{
	const struct ebb_lower *l = ebb_lower_of(did->action);
	struct ebb_op op = {0};

	if (!l)
		return no_way(did->action, "undone", err);
	int r = l->undo(did, res, &op, err);
	if (r < 0)
		ebb_op_release(&op);
	else
		*ret = op;
	return r;
}

int ebb_lower_expire(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		     struct ebb_err *err)
{
	const struct ebb_lower *l = ebb_lower_of(did->action);
	struct ebb_op op = {0};

	if (!l || !l->expire)
		return no_way(did->action, "let go from the trash", err);
	int r = l->expire(did, res, &op, err);
	if (r == 0)
		*ret = op;
	return r;
}

int ebb_lower_swap(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
		   struct ebb_err *err)
{
	*ret = (struct ebb_op){
		.n = did->n, .action = did->action, .way = EBB_OP_UNDO,
		.store = did->to_store, .key = did->to_key, .obj = res->to,
		.to_store = did->store, .to_key = did->key,
		.codec = did->codec, .decode = did->codec != NULL, .level = did->level,
		.has_meta = did->has_meta, .has_digest = res->has_digest, .how = did->how,
	};
	ret->obj.key = did->to_key;
	ret->obj.key_len = (uint32_t)strlen(did->to_key);
	memcpy(ret->digest, res->digest, EBB_DIGEST_LEN);
	ebb_meta_init(&ret->meta);
	return did->has_meta ? ebb_meta_copy(&ret->meta, &did->meta, err) : 0;
}

int ebb_lower_swap_class(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
			 struct ebb_err *err)
{
	int r = ebb_lower_swap(did, res, ret, err);

	ret->class = did->old_class;
	return r;
}

/* By what the store can do. */
static int choose_how(uint32_t caps, struct ebb_op *ret, struct ebb_err *err)
{
	if (caps & EBB_CAP_RENAME)
		ret->how = EBB_OP_RENAME;
	else if (caps & EBB_CAP_VERSIONS)
		ret->how = EBB_OP_HIDE;
	else if (caps & EBB_CAP_COPY)
		ret->how = EBB_OP_COPY;
	else
		return ebb_err_set(err, EBB_ENOTSUP, "store '%s' can keep no trash: it neither renames, nor copies, nor keeps versions",
				   ret->store);
	return 0;
}

/* Its name in the trash; where that would be too long, one by its number. */
static int trash_key(const struct ebb_lower_env *env, const struct ebb_planrow *row,
		     struct ebb_arena *arena, struct ebb_op *ret, struct ebb_err *err)
{
	bool dirs = env->caps & EBB_CAP_DIRS;
	size_t most = dirs ? EBB_KEY_MAX : EBB_STORE_OBJECT_KEY_MAX;

	if (ret->how == EBB_OP_HIDE) {
		ret->to_key = row->obj.key;
		return 0;
	}
	ret->to_key = ebb_arena_printf(arena, "%s%s/%s", EBB_PROOF_TRASH, env->run, row->obj.key);
	if (ret->to_key && strlen(ret->to_key) > most && dirs)
		return ebb_err_set(err, EBB_ENOTSUP, "its name would be too long in the trash");
	if (ret->to_key && strlen(ret->to_key) > most)
		ret->to_key = ebb_arena_printf(arena, "%s%s/.long/%lld", EBB_PROOF_TRASH, env->run,
					       (long long)row->n);
	return ret->to_key ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

int ebb_lower_trash(const struct ebb_lower_env *env, const struct ebb_planrow *row, struct ebb_arena *arena,
		    struct ebb_op *ret, struct ebb_err *err)
{
	int r;

	ret->to_store = row->store;
	if ((r = choose_how(env->caps, ret, err)) < 0 || (r = trash_key(env, row, arena, ret, err)) < 0)
		return r;
	if (__builtin_add_overflow(env->now, row->trash_ns, &ret->expires))
		ret->expires = INT64_MAX;
	return 0;
}

void ebb_lower_forget_ctime(struct ebb_record *rec)
{
	if (ebb_record_has(rec, EBB_F_INO))
		rec->known &= ~EBB_KNOWN(EBB_F_CTIME);
}

int ebb_lower_expire_trash(const struct ebb_op *did, const struct ebb_op_result *res, struct ebb_op *ret,
			   struct ebb_err *err)
{
	if (!did->to_key)
		return ebb_err_set(err, EBB_ENOTSUP, "is not in the trash");
	*ret = (struct ebb_op){
		.n = did->n, .action = did->action, .way = EBB_OP_EXPIRE,
		.store = did->to_store, .key = did->to_key, .obj = res->to,
		.expires = did->expires, .how = did->how,
	};
	ret->obj.key = did->to_key;
	ret->obj.key_len = (uint32_t)strlen(did->to_key);
	ebb_lower_forget_ctime(&ret->obj);
	return 0;
}
