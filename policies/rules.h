/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules: which action meets which object. First match wins; `keep` ends the search.
 *
 * A rule is a glob over keys, an optional store or dataset kind, an optional typed condition (expr.h), and an
 * action with its parameters. Conditions are three-valued: a rule that changes anything fires only
 * when its condition is certainly true; a `keep` rule protects also when it may be true.
 *
 * Deciding works on whole blocks: blocks that no rule can match are not decoded, conditions over
 * integer facts are evaluated column by column, and keys are decoded only when a glob or a string fact needs them.
 *
 * Pure: `now` is an argument. Threads: compiled rules are read-only and may be shared; a struct
 * ebb_rules_work belongs to one thread.
 */
#ifndef EBB_POLICIES_RULES_H
#define EBB_POLICIES_RULES_H

#include "core/arena.h"
#include "core/block.h"
#include "core/tree.h"
#include "policies/action.h"
#include "policies/expr.h"

/* What rules need to know of a store. Borrowed strings. */
struct ebb_rules_store {
	const char *name;
	const char *class;		/* declared storage class, or NULL */
	const char *site;		/* or NULL */
	const char *jurisdiction;	/* ISO 3166 code, or NULL: unknown */
	int line, col;			/* where it is declared */
};

/* A named group of objects by key pattern; captures become labels and facts. */
struct ebb_rules_dataset {
	const char *match;		/* glob as written */
	const char *kind;		/* or NULL */
	const char *team;		/* or NULL */
	const char *const *residency;	/* NULL-terminated jurisdictions that are allowed, or NULL: any */
};

struct ebb_rule {
	const char *name;
	const char *match;		/* glob as written, or NULL: every key */
	const char *store;		/* only objects of this store, or NULL */
	const char *kind;		/* only objects of datasets of this kind, or NULL */
	const char *when;		/* condition as written, or NULL: always */
	const struct ebb_expr *cond;	/* compiled, or NULL */
	const struct ebb_action_kind *action;
	const char *to;			/* destination store, or NULL */
	const char *codec;		/* "zstd" or "lz4", or NULL */
	int level;			/* 0: the codec's default */
	bool purge;			/* delete: no trash */
	int64_t trash_ns;		/* delete: time in the trash */
	bool require_payback;		/* `require: {payback: ...}` was given */
	int64_t payback_ns;		/* longest payback accepted */
	int line, col;
};

struct ebb_rules;

/*
 * Compile `rules:` and `datasets:` of a configuration document (either may be absent: NULL).
 * Refuses, with file, line, column and remedy: unknown keys and words (naming the nearest valid one), unit and type
 * errors, a destination that is not a store, two rules of one name, and destructive rules that are
 * empty or match everything unless the rule says `everything: true`.
 *
 * @stores  @nstores stores, must outlive the rules.
 * @arena   holds the result.
 * @return  0, -EBB_ECONFIG, -EBB_ENOMEM.
 */
int ebb_rules_compile(struct ebb_arena *arena, const struct ebb_tree_node *rules,
		      const struct ebb_tree_node *datasets, const struct ebb_rules_store *stores,
		      size_t nstores, struct ebb_rules **ret, struct ebb_err *err);

/* Number of rules, and one of them in the order written. */
size_t ebb_rules_count(const struct ebb_rules *r);
const struct ebb_rule *ebb_rules_get(const struct ebb_rules *r, size_t i);

/* The store as given at compile time, or NULL. */
const struct ebb_rules_store *ebb_rules_store(const struct ebb_rules *r, const char *name);

/* No rule matched. */
#define EBB_RULES_NONE UINT16_MAX

/* Scratch for deciding, about 300 KiB. */
struct ebb_rules_work;
struct ebb_rules_work *ebb_rules_work_new(void);
void ebb_rules_work_free(struct ebb_rules_work *w);

/*
 * Decide a block of objects of one store.
 *
 * @store    name of their store; must be one of those compiled with.
 * @rule     out: for each record the number of its rule, or EBB_RULES_NONE; room for EBB_BLOCK_MAX.
 * @unknown  out: for each record the number of the first changing rule that would have met it had its
 *           condition not been unknown, or EBB_RULES_NONE; room for EBB_BLOCK_MAX. Only files are decided:
 *           directories, symlinks and special files, and records flagged UNSEEN or CHANGING meet `keep` at most.
 * @return   1 when some record met a rule or has an unknown, 0 when none (arrays are filled all the same),
 *           -EBB_ECORRUPT.
 */
int ebb_rules_decide(const struct ebb_rules *r, struct ebb_rules_work *w,
		     const struct ebb_block *b, const char *store, int64_t now, uint16_t *rule,
		     uint16_t *unknown, struct ebb_err *err);

/* What one rule said about one object, for `explain`. */
struct ebb_rules_verdict {
	const struct ebb_rule *rule;
	bool store_ok, kind_ok, match_ok;	/* the rule's selectors */
	enum ebb_truth cond;			/* its condition (true when there is none) */
	bool fires;				/* this is the rule that meets the object */
};

/*
 * The same decision for one record, rule by rule.
 *
 * @ret      room for ebb_rules_count() verdicts.
 * @ret_ds   out: the object's dataset, or NULL.
 * @arena    for strings.
 * @return   number of the rule that fires, EBB_RULES_NONE, or negative: -EBB_ENOMEM.
 */
int ebb_rules_explain(const struct ebb_rules *r, const struct ebb_record *rec, const char *store,
		      int64_t now, struct ebb_arena *arena, struct ebb_rules_verdict *ret,
		      const struct ebb_rules_dataset **ret_ds, struct ebb_err *err);

/* The dataset of a key in a store: the first whose pattern matches, or NULL. */
const struct ebb_rules_dataset *ebb_rules_dataset(const struct ebb_rules *r, const char *key,
						  size_t key_len);

#endif
