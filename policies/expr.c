/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/expr.h"

#include <string.h>

#include "policies/expr_ast.h"

int ebb_expr_compile(struct ebb_arena *arena, const char *text, const struct ebb_expr_place *place,
		     const char *const *labels, size_t nlabels, struct ebb_expr **ret,
		     struct ebb_err *err)
{
	struct ebb_expr_lex lx = {
		.arena = arena, .start = text, .p = text, .place = *place, .err = err};
	struct ebb_expr *e = ebb_arena_alloc(arena, sizeof(*e));
	int r;

	if (!e)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a condition");
	r = ebb_expr_parse(&lx, labels, nlabels, e);
	if (r < 0)
		return r;
	*ret = e;
	return 0;
}

static bool uses(const struct ebb_expr *e, enum ebb_expr_source from, enum ebb_expr_source to,
		 bool but_store)
{
	for (size_t i = 0; i < e->nleaves; i++) {
		enum ebb_expr_source s = e->leaves[i]->fact->source;

		if (s < from || s > to)
			continue;
		if (!but_store || (s != EBB_EXPR_STORE && s != EBB_EXPR_CLASS))
			return true;
	}
	return false;
}

bool ebb_expr_needs_key(const struct ebb_expr *e)
{
	return uses(e, EBB_EXPR_DEPTH, EBB_EXPR_LABEL, true);
}

bool ebb_expr_needs_labels(const struct ebb_expr *e)
{
	return uses(e, EBB_EXPR_LABEL, EBB_EXPR_LABEL, false);
}

enum ebb_truth ebb_expr_in_ranges(const struct ebb_expr_leaf *l, struct ebb_span v, int64_t now)
{
	enum ebb_truth t = EBB_FALSE;

	for (size_t i = 0; i < l->n; i++) {
		struct ebb_expr_range r = ebb_expr_fact_stored(l->fact, l->ranges[i], now);

		if (v.lo >= r.lo && v.hi <= r.hi)
			return EBB_TRUE;
		if (v.lo <= r.hi && v.hi >= r.lo && r.lo <= r.hi)
			t = EBB_UNKNOWN;
	}
	return t;
}

enum ebb_truth ebb_expr_text_meets(const struct ebb_expr_leaf *l, struct ebb_expr_text t)
{
	if (!t.p)
		return EBB_UNKNOWN;
	if (l->glob)
		return ebb_glob_match(l->glob, t.p, t.len) ? EBB_TRUE : EBB_FALSE;
	for (size_t i = 0; i < l->n; i++)
		if (t.len == l->texts[i].len && memcmp(t.p, l->texts[i].p, t.len) == 0)
			return EBB_TRUE;
	return EBB_FALSE;
}

static enum ebb_truth eval_leaf(const struct ebb_expr_leaf *l, const struct ebb_expr_env *env,
				const struct ebb_record *r)
{
	struct ebb_span v;

	switch (l->fact->source) {
	case EBB_EXPR_FIELD:
	case EBB_EXPR_MODE:
	case EBB_EXPR_SINCE:
		if (!ebb_record_has(r, l->fact->field))
			return EBB_UNKNOWN;
		v.lo = r->f[l->fact->field];
		if (l->fact->source == EBB_EXPR_MODE)
			v.lo &= 07777;
		v.hi = v.lo;
		return ebb_expr_in_ranges(l, v, env->now);
	case EBB_EXPR_IDLE:
	case EBB_EXPR_ACCESS:
		v = ebb_record_idle(r, env->now, env->trust);
		return ebb_expr_in_ranges(l, v, env->now);
	case EBB_EXPR_DEPTH:
		v.lo = v.hi = ebb_expr_fact_depth(r->key, r->key_len);
		return ebb_expr_in_ranges(l, v, env->now);
	default:
		return ebb_expr_text_meets(l, ebb_expr_fact_text(l, env, r));
	}
}

static enum ebb_truth eval_node(const struct ebb_expr_node *n, const struct ebb_expr_env *env,
				const struct ebb_record *r)
{
	enum ebb_truth t, stop = n->op == EBB_EXPR_AND ? EBB_FALSE : EBB_TRUE;

	switch (n->op) {
	case EBB_EXPR_CONST:
		return n->value;
	case EBB_EXPR_LEAF:
		t = eval_leaf(&n->leaf, env, r);
		return n->leaf.negate ? EBB_TRUE - t : t;
	case EBB_EXPR_NOT:
		return EBB_TRUE - eval_node(n->first, env, r);
	default:
		break;
	}
	/* Kleene: `and` is the least of its parts, `or` the greatest. */
	t = EBB_TRUE - stop;
	for (const struct ebb_expr_node *c = n->first; c && t != stop; c = c->next) {
		enum ebb_truth one = eval_node(c, env, r);

		if (n->op == EBB_EXPR_AND ? one < t : one > t)
			t = one;
	}
	return t;
}

enum ebb_truth ebb_expr_eval(const struct ebb_expr *e, const struct ebb_expr_env *env,
			     const struct ebb_record *r)
{
	return eval_node(e->root, env, r);
}

/* What a comparison says of every value there is, where that can be seen. Unknown: it depends. */
static enum ebb_truth leaf_always(const struct ebb_expr_leaf *l)
{
	int64_t least = l->fact->type == EBB_EXPR_TIME ? INT64_MIN : 0;
	bool possible = false;

	if (l->glob)
		return ebb_glob_matches_all(l->glob) ? EBB_TRUE : EBB_UNKNOWN;
	if (l->texts)
		return EBB_UNKNOWN;
	for (size_t i = 0; i < l->n; i++) {
		if (l->ranges[i].lo <= least && l->ranges[i].hi == INT64_MAX)
			return EBB_TRUE;
		possible |= l->ranges[i].hi >= least;
	}
	return possible ? EBB_UNKNOWN : EBB_FALSE;
}

static enum ebb_truth node_always(const struct ebb_expr_node *n)
{
	enum ebb_truth t = n->op == EBB_EXPR_AND ? EBB_TRUE : EBB_FALSE;

	if (n->op == EBB_EXPR_CONST)
		return n->value;
	if (n->op == EBB_EXPR_NOT)
		return EBB_TRUE - node_always(n->first);
	if (n->op == EBB_EXPR_LEAF) {
		t = leaf_always(&n->leaf);
		return n->leaf.negate ? EBB_TRUE - t : t;
	}
	for (const struct ebb_expr_node *c = n->first; c; c = c->next) {
		enum ebb_truth one = node_always(c);

		if (n->op == EBB_EXPR_AND ? one < t : one > t)
			t = one;
	}
	return t;
}

bool ebb_expr_always(const struct ebb_expr *e)
{
	return node_always(e->root) == EBB_TRUE;
}
