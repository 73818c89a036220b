/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "policies/expr_block.h"
#include "policies/rules_ast.h"

/* A rule that may meet a record of the block. */
struct candidate {
	uint16_t rule;
	const uint8_t
		*truth; /* of its condition for each record, as far as columns tell; NULL: true */
	const uint8_t *likely; /* the same if access logs lost nothing; NULL: the same as truth */
};

/* Rules are asked about one row after the other; what several rules need of a row is found once. */
struct row {
	const char *key; /* NULL unless keys are walked */
	size_t len;
	const struct ebb_record *rec; /* NULL unless whole records are walked */
	const struct ebb_rules_set *set;
	bool set_ready;
	bool changeable;
};

struct ebb_rules_decide_work {
	struct ebb_expr_block *columns;
	uint8_t *truth; /* twice EBB_BLOCK_MAX for each rule: certain, likely */
	struct candidate *candidates;
	size_t n;
	bool packed; /* the objects lie in packs */
	bool needs_key, needs_record; /* of the candidates */
	struct ebb_expr_text *labels;
	uint8_t changeable[EBB_BLOCK_MAX];
	uint32_t known[EBB_BLOCK_MAX];
	int64_t kind[EBB_BLOCK_MAX], flags[EBB_BLOCK_MAX];
	struct ebb_block_iter iter; /* iter.keys alone when only keys are walked */
};

struct ebb_rules_decide_work *ebb_rules_decide_new(const struct ebb_rules *r)
{
	struct ebb_rules_decide_work *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->columns = ebb_expr_block_new();
	w->truth = calloc(r->n + 1, 2 * EBB_BLOCK_MAX);
	w->candidates = calloc(r->n + 1, sizeof(*w->candidates));
	w->labels = calloc(r->most_labels + 1, sizeof(*w->labels));
	if (!w->columns || !w->truth || !w->candidates || !w->labels) {
		ebb_rules_decide_free(w);
		return NULL;
	}
	return w;
}

void ebb_rules_decide_free(struct ebb_rules_decide_work *w)
{
	if (!w)
		return;
	ebb_expr_block_free(w->columns);
	free(w->truth);
	free(w->candidates);
	free(w->labels);
	free(w);
}

void ebb_rules_decide_packed(struct ebb_rules_decide_work *w, bool packed)
{
	w->packed = packed;
}

static void find_changeable(struct ebb_rules_decide_work *w, const struct ebb_block *b)
{
	const struct ebb_block_column *kind = &b->col[EBB_F_KIND], *flags = &b->col[EBB_F_FLAGS];

	if (kind->min == kind->max && flags->min == flags->max &&
	    (b->known_all & EBB_KNOWN(EBB_F_KIND))) {
		memset(w->changeable, ebb_rules_changeable(b->known_all, kind->min, flags->min),
		       b->n);
		return;
	}
	ebb_block_known(b, w->known);
	ebb_block_values(b, EBB_F_KIND, w->kind);
	ebb_block_values(b, EBB_F_FLAGS, w->flags);
	for (uint32_t i = 0; i < b->n; i++)
		w->changeable[i] = ebb_rules_changeable(w->known[i], w->kind[i], w->flags[i]);
}

/* Can a key of a dataset of that kind stand in the block? */
static bool kind_reaches(const struct ebb_rules *r, const char *kind, const struct ebb_block *b)
{
	for (size_t i = 0; i < r->nsets; i++) {
		const struct ebb_rules_set *s = &r->sets[i];

		if (s->pub.kind && strcmp(s->pub.kind, kind) == 0 &&
		    ebb_glob_reaches(s->glob, b->first, b->first_len))
			return true;
	}
	return false;
}

/* Can the rule meet an object of the block, as far as store and keys tell without decoding? */
static bool selects(const struct ebb_rules *r, const struct ebb_rules_rule *rule, bool packed,
		    const struct ebb_block *b, const char *store)
{
	bool meets = packed ? rule->pub.packed || !rule->pub.action->changes : ebb_rules_plain(&rule->pub);

	if (!meets || (rule->pub.store && strcmp(rule->pub.store, store) != 0))
		return false;
	if (rule->glob && !ebb_glob_reaches(rule->glob, b->first, b->first_len))
		return false;
	return !rule->pub.kind || kind_reaches(r, rule->pub.kind, b);
}

static bool all_false(const uint8_t *truth, uint32_t n)
{
	unsigned any = 0;

	for (uint32_t i = 0; i < n; i++)
		any |= truth[i];
	return any == EBB_FALSE;
}

/* Leave the rules that may meet a record of the block, in their order. */
static void find_candidates(const struct ebb_rules *r, struct ebb_rules_decide_work *w,
			    const struct ebb_block *b, const struct ebb_expr_env *env)
{
	bool doubtful = ebb_expr_block_doubtful(b);
	struct ebb_expr_env likely = *env;

	likely.trust = EBB_TRUST_LIKELY;
	w->n = 0;
	w->needs_key = w->needs_record = false;
	ebb_expr_block_use(w->columns, b, env->now);
	for (size_t i = 0; i < r->n; i++) {
		const struct ebb_rules_rule *rule = &r->rules[i];
		struct candidate *c = &w->candidates[w->n];
		uint8_t *truth = w->truth + 2 * i * EBB_BLOCK_MAX;

		if (!selects(r, rule, w->packed, b, env->store))
			continue;
		*c = (struct candidate){.rule = (uint16_t)i};
		if (rule->pub.cond) {
			ebb_expr_block_eval(w->columns, rule->pub.cond, env, truth);
			if (all_false(truth, b->n))
				continue;
			c->truth = truth;
			if (doubtful) {
				c->likely = truth + EBB_BLOCK_MAX;
				ebb_expr_block_eval(w->columns, rule->pub.cond, &likely,
						    truth + EBB_BLOCK_MAX);
			}
		}
		w->needs_key |= (rule->glob && !ebb_glob_matches_all(rule->glob)) || rule->pub.kind;
		w->needs_record |= rule->cond_key;
		w->n++;
	}
}

static const struct ebb_rules_set *row_set(const struct ebb_rules *r, struct row *row)
{
	if (!row->set_ready)
		row->set = (const struct ebb_rules_set *)(const void *)ebb_rules_dataset(
			r, row->key, row->len);
	row->set_ready = true;
	return row->set;
}

static bool row_selected(const struct ebb_rules *r, const struct ebb_rules_rule *rule,
			 struct row *row)
{
	const struct ebb_rules_set *set;

	if (rule->pub.action->changes && !row->changeable)
		return false;
	if (rule->glob && !ebb_glob_matches_all(rule->glob) &&
	    !ebb_glob_match(rule->glob, row->key, row->len))
		return false;
	if (!rule->pub.kind)
		return true;
	set = row_set(r, row);
	return set && set->pub.kind && strcmp(set->pub.kind, rule->pub.kind) == 0;
}

/* What columns left unknown, asked again with key and labels. */
static enum ebb_truth row_truth(const struct ebb_rules *r, struct ebb_rules_decide_work *w,
				const struct ebb_rules_rule *rule, struct ebb_expr_env *env,
				enum ebb_trust trust, struct row *row)
{
	if (!rule->cond_key)
		return EBB_UNKNOWN;
	env->trust = trust;
	env->labels = NULL;
	if (rule->cond_labels) {
		ebb_rules_labels(r, rule, row_set(r, row), row->key, row->len, w->labels);
		env->labels = w->labels;
	}
	return ebb_expr_eval(rule->pub.cond, env, row->rec);
}

/* Truth of a candidate's condition for row @i: certain, or likely. */
static enum ebb_truth truth_of(const struct ebb_rules *r, struct ebb_rules_decide_work *w,
			       const struct candidate *c, struct ebb_expr_env *env, enum ebb_trust trust,
			       struct row *row, uint32_t i)
{
	const uint8_t *column = trust == EBB_TRUST_LIKELY && c->likely ? c->likely : c->truth;
	enum ebb_truth t = column ? (enum ebb_truth)column[i] : EBB_TRUE;

	return t == EBB_UNKNOWN ? row_truth(r, w, &r->rules[c->rule], env, trust, row) : t;
}

/*
 * First match wins; an unknown keep protects, any other unknown ends the search without a match. A rule that only logs speak against is
 * passed, but what wants certainty does not follow it.
 */
static void decide_row(const struct ebb_rules *r, struct ebb_rules_decide_work *w,
		       struct ebb_expr_env *env, struct row *row, uint32_t i, uint16_t *rule,
		       uint16_t *unknown)
{
	bool doubted = false;

	for (size_t k = 0; k < w->n; k++) {
		const struct candidate *c = &w->candidates[k];
		const struct ebb_rules_rule *one = &r->rules[c->rule];
		enum ebb_truth t, likely;

		if ((c->truth && c->truth[i] == EBB_FALSE) || !row_selected(r, one, row))
			continue;
		t = likely = truth_of(r, w, c, env, EBB_TRUST_CERTAIN, row, i);
		if (t == EBB_UNKNOWN && c->likely)
			likely = truth_of(r, w, c, env, EBB_TRUST_LIKELY, row, i);
		if (likely == EBB_FALSE) {
			doubted |= t != EBB_FALSE;
			continue;
		}
		if (ebb_rules_fires(&one->pub, t, likely, doubted))
			rule[i] = c->rule;
		else
			unknown[i] = c->rule;
		return;
	}
}

/* Walk on to the next key, or record. */
static int next_row(struct ebb_rules_decide_work *w, struct ebb_record *rec, struct row *row,
		    struct ebb_err *err)
{
	int r;

	if (w->needs_record) {
		r = ebb_block_iter_next(&w->iter, rec, err);
		row->key = rec->key;
		row->len = rec->key_len;
		row->rec = rec;
	} else {
		r = ebb_block_keys_next(&w->iter.keys, err);
		row->key = w->iter.keys.key;
		row->len = w->iter.keys.len;
	}
	if (r == 0)
		return ebb_err_set(err, EBB_ECORRUPT,
				   "a block of the index has fewer keys than records");
	return r;
}

/* Keys are needed to see which are reserved, but only where such keys can stand; packs come before the trash. */
static bool may_be_reserved(const struct ebb_block *b)
{
	static const char prefix[] = EBB_RULES_RESERVED_PREFIX;
	size_t n = sizeof(prefix) - 1;

	return memcmp(b->first, prefix, b->first_len < n ? b->first_len : n) <= 0;
}

static int decide_rows(const struct ebb_rules *r, struct ebb_rules_decide_work *w,
		       const struct ebb_block *b, struct ebb_expr_env *env, uint16_t *rule,
		       uint16_t *unknown, struct ebb_err *err)
{
	bool keys = w->needs_key || w->needs_record || may_be_reserved(b);
	struct ebb_record rec;
	unsigned any = 0;

	if (w->needs_record)
		ebb_block_iter_init(&w->iter, b);
	else if (keys)
		ebb_block_keys_init(&w->iter.keys, b);
	for (uint32_t i = 0; i < b->n; i++) {
		struct row row = {.changeable = w->changeable[i]};
		int rc = keys ? next_row(w, &rec, &row, err) : 1;

		if (rc < 0)
			return rc;
		if (!keys || !ebb_rules_reserved(row.key, row.len))
			decide_row(r, w, env, &row, i, rule, unknown);
		any |= (rule[i] != EBB_RULES_NONE) | (unknown[i] != EBB_RULES_NONE);
	}
	return (int)any;
}

int ebb_rules_decide(const struct ebb_rules *r, struct ebb_rules_decide_work *w,
		     const struct ebb_block *b, const char *store, int64_t now, uint16_t *rule,
		     uint16_t *unknown, struct ebb_err *err)
{
	struct ebb_expr_env env = {
		.now = now,
		.store = store,
		.class = ebb_rules_class(r, store, NULL),
		.names = r->names,
	};

	for (uint32_t i = 0; i < b->n; i++)
		rule[i] = unknown[i] = EBB_RULES_NONE;
	find_candidates(r, w, b, &env);
	if (w->n == 0)
		return 0;
	find_changeable(w, b);
	return decide_rows(r, w, b, &env, rule, unknown, err);
}
