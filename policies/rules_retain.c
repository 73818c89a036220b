/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "core/mem.h"
#include "policies/rules_ast.h"

static const char *const keys[] = {"keep_last", "keep_every", "keep_best", "keep_best_count", "mode", "keep_tagged", "min_age"};

/* Figures whose best is known from their names; of others the rule says it. Looked for anywhere in the name. */
static const char *const small[] = {"loss", "perplexity", "ppl", "error", "wer", "cer", "rmse", "mae"};
static const char *const large[] = {"acc", "f1", "bleu", "rouge", "auc", "precision", "recall", "reward"};

static bool holds(const char *name, const char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(name, words[i]))
			return true;
	return false;
}

static int read_best(const struct ebb_tree_node *node, struct ebb_rules_retain *t, struct ebb_err *err)
{
	static const char *const modes[] = {"min", "max"};
	const struct ebb_tree_node *best = ebb_tree_get(node, "keep_best"), *count = ebb_tree_get(node, "keep_best_count");
	const struct ebb_tree_node *mode = ebb_tree_get(node, "mode");
	size_t which = 0;
	int r;

	if (!best && (count || mode))
		return ebb_tree_key_error(count ? count : mode, err, "'%s' belongs to 'keep_best'", count ? "keep_best_count" : "mode");
	if (!best)
		return 0;
	if ((r = ebb_tree_text(best, &t->keep_best, err)) < 0)
		return r;
	t->best_count = 1;
	if (count && (r = ebb_tree_count(count, &t->best_count, err)) < 0)
		return r;
	if (t->best_count < 1)
		return ebb_tree_error(count, err, "'keep_best_count' is at least 1");
	if (mode) {
		r = ebb_tree_choice(mode, modes, EBB_ARRAY_LEN(modes), &which, err);
		t->best_is_max = which == 1;
		return r;
	}
	bool low = holds(t->keep_best, small, EBB_ARRAY_LEN(small)), high = holds(t->keep_best, large, EBB_ARRAY_LEN(large));
	if (low == high)
		return ebb_tree_error(best, err, "is a small or a large '%s' the best? Write mode: min or mode: max", t->keep_best);
	t->best_is_max = high;
	return 0;
}

static int read_tags(struct ebb_arena *arena, const struct ebb_tree_node *node, struct ebb_rules_retain *t, struct ebb_err *err)
{
	const struct ebb_glob **list;
	int r;

	if (!node)
		return 0;
	if ((r = ebb_tree_expect(node, EBB_TREE_SEQ, err)) < 0)
		return r;
	list = ebb_arena_calloc(arena, node->n_children + 1, sizeof(*list));
	if (!list)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for rules");
	EBB_TREE_EACH(child, node)
	{
		struct ebb_err why = {0};
		struct ebb_glob *glob;
		const char *text;

		if ((r = ebb_tree_text(child, &text, err)) < 0)
			return r;
		r = ebb_glob_compile(arena, text, &glob, &why);
		if (r < 0)
			return r == -EBB_ECONFIG ? ebb_tree_error(child, err, "%s", why.msg) : ebb_err_set(err, -r, "%s", why.msg);
		list[t->ntags++] = glob;
	}
	t->tags = list;
	return 0;
}

/* A count that, where it is asked for, is not nothing. */
static int read_number(const struct ebb_tree_node *node, const char *key, int64_t *ret, struct ebb_err *err)
{
	const struct ebb_tree_node *n = ebb_tree_get(node, key);
	int r = n ? ebb_tree_count(n, ret, err) : 0;

	return r == 0 && n && *ret < 1 ? ebb_tree_error(n, err, "'%s' is at least 1", key) : r;
}

int ebb_rules_retain_compile(struct ebb_arena *arena, const struct ebb_tree_node *node, const struct ebb_rule *rule,
			     const struct ebb_rules_retain **ret, struct ebb_err *err)
{
	const struct ebb_tree_node *age = ebb_tree_get(node, "min_age");
	struct ebb_rules_retain *t;
	int r;

	for (size_t i = 0; !rule->action->families && i < EBB_ARRAY_LEN(keys); i++)
		if (ebb_tree_get(node, keys[i]))
			return ebb_tree_key_error(ebb_tree_get(node, keys[i]), err, "'%s' belongs to 'retain', not to '%s'", keys[i],
						  rule->action->name);
	if (!rule->action->families)
		return 0;
	if (!(t = ebb_arena_calloc(arena, 1, sizeof(*t))))
		return ebb_err_set(err, EBB_ENOMEM, "no memory for rules");
	t->min_age_ns = EBB_RULES_RETAIN_AGE_NS;
	if ((r = read_number(node, "keep_last", &t->keep_last, err)) < 0 ||
	    (r = read_number(node, "keep_every", &t->keep_every, err)) < 0 || (r = read_best(node, t, err)) < 0 ||
	    (r = read_tags(arena, ebb_tree_get(node, "keep_tagged"), t, err)) < 0 ||
	    (age && (r = ebb_tree_duration(age, &t->min_age_ns, err)) < 0))
		return r;
	if (!t->keep_last && !t->keep_every && !t->keep_best)
		return ebb_tree_error(node, err, "rule '%s': 'retain' needs to know what stays: keep_last, keep_every or keep_best",
				      rule->name);
	if (rule->when)
		return ebb_tree_key_error(ebb_tree_get(node, "when"), err, "'retain' decides about whole checkpoints, so it has no "
					  "'when'; min_age says how old they must be");
	*ret = t;
	return 0;
}
