/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules inside: what compiling leaves for deciding and explaining. Internal to the rules modules.
 */
#ifndef EBB_POLICIES_RULES_AST_H
#define EBB_POLICIES_RULES_AST_H

#include "policies/glob.h"
#include "policies/rules.h"

/* Where a dataset gets the value of a label from: a constant, or one of its captures. */
struct ebb_rules_source {
	struct ebb_expr_text constant;	/* p NULL: not constant */
	int capture;			/* number, or -1: the dataset does not have this label */
};

struct ebb_rules_set {
	struct ebb_rules_dataset pub;	/* first, so that it can be handed out */
	const struct ebb_glob *glob;
	struct ebb_rules_source *sources;	/* one for each label of the rules */
};

struct ebb_rules_rule {
	struct ebb_rule pub;
	const struct ebb_glob *glob;	/* NULL: every key */
	size_t captures;		/* of glob; their names come first in pub.labels, then
					 * those of all rules */
	bool cond_key, cond_labels;	/* what the condition needs */
};

struct ebb_rules {
	const struct ebb_rules_store *stores;
	size_t nstores;
	struct ebb_rules_set *sets;
	size_t nsets;
	const char **labels;		/* "team", "kind", and whatever datasets bring */
	size_t nlabels;
	struct ebb_rules_rule *rules;
	size_t n;
	size_t most_labels;		/* of any rule, its captures among them */
	const struct ebb_names *names;	/* borrowed, or NULL */
	const char *here;		/* jurisdiction that the program runs in, or NULL: unknown */
};

/* True for keys that no rule may meet. */
bool ebb_rules_reserved(const char *key, size_t len);

/* May rules that change something meet this object: a file, seen whole? */
bool ebb_rules_changeable(uint32_t known, int64_t kind, int64_t flags);

/*
 * Does a rule that is met, or may be met, do its action? Given the truth of its condition (certain, likely; neither false) and whether only
 * logs speak against an earlier rule. If not, nothing changes the object.
 */
bool ebb_rules_fires(const struct ebb_rule *rule, enum ebb_truth certain, enum ebb_truth likely,
		     bool doubted);

/*
 * Values of the labels that the condition of @rule may ask for, in the order of rule->pub.labels.
 *
 * @set     dataset of the key, or NULL.
 * @values  room for rules->most_labels.
 */
void ebb_rules_labels(const struct ebb_rules *r, const struct ebb_rules_rule *rule,
		      const struct ebb_rules_set *set, const char *key, size_t len,
		      struct ebb_expr_text *values);

/*
 * Read what a rule with `do: retain` keeps; NULL into *ret for other actions, which may say none of it. rules_retain.c
 *
 * @return  0, -EBB_ECONFIG, -EBB_ENOMEM.
 */
int ebb_rules_retain_compile(struct ebb_arena *arena, const struct ebb_tree_node *node, const struct ebb_rule *rule,
			     const struct ebb_rules_retain **ret, struct ebb_err *err);

/* Compile the datasets; fills the labels too. rules_sets.c */
int ebb_rules_sets_compile(struct ebb_arena *arena, const struct ebb_tree_node *datasets,
			   struct ebb_rules *r, struct ebb_err *err);

#endif
