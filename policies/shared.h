/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shared costs: what one value of a label costs is split among the others, so that they see all that they cause.
 *
 *	shared:
 *	  - {label: team, of: platform, split: by-cost}             # among all others, by what each costs itself
 *	  - {label: team, of: backups, split: even, among: [research, vision]}
 *	  - {label: team, of: licences, split: {research: 60%, vision: 40%}}
 *
 * Splits are `even`, `by-cost`, `by-bytes`, or shares that add up to 100 %. What nobody has ("") and what is shared itself gets nothing, so
 * no split depends on another and their order does not matter. `of: ""` shares what has no value. A cost that nobody can take (no others, or
 * all of them with nothing to go by) stays where it is.
 *
 * Amounts are split to the nano-unit by largest remainders, ties to the earlier row: rows add up to what they added up to before.
 *
 * Pure. Threads: plain data.
 */
#ifndef EBB_POLICIES_SHARED_H
#define EBB_POLICIES_SHARED_H

#include "core/arena.h"
#include "core/tree.h"

enum ebb_shared_split {
	EBB_SHARED_EVEN,
	EBB_SHARED_BY_COST,
	EBB_SHARED_BY_BYTES,
	EBB_SHARED_FIXED
};

struct ebb_shared_part {
	const char *value;
	int64_t ppm;		/* FIXED: its share, parts per million; otherwise 0 */
};

struct ebb_shared_rule {
	const char *label, *of;
	enum ebb_shared_split split;
	const struct ebb_shared_part *parts;	/* FIXED: all of them; otherwise those named by `among`, NULL: all others */
	size_t nparts;
	int line;
};

/*
 * Read `shared:` (NULL: none).
 *
 * @return  0; -EBB_ECONFIG with file, line, column and remedy; -EBB_ENOMEM.
 */
int ebb_shared_read(struct ebb_arena *arena, const struct ebb_tree_node *node, struct ebb_shared_rule **ret,
		    size_t *ret_n, struct ebb_err *err);

/* A value of the label before and after. */
struct ebb_shared_row {
	const char *value;
	int64_t bytes, own;	/* own: nano-units a month */
	int64_t moved;		/* nano-units that came from others; negative: that went to them */
};

/* Does any rule share costs of @label? */
bool ebb_shared_any(const struct ebb_shared_rule *rules, size_t n, const char *label);

/* Most recipients of one rule. */
#define EBB_SHARED_PARTS 64

/* Most rows that ebb_shared_apply may add. */
size_t ebb_shared_more(const struct ebb_shared_rule *rules, size_t nrules);

/*
 * Split by the @nrules rules that are about @label. Sets `moved` of every row. Recipients with fixed shares that own nothing are added behind
 * the rows.
 *
 * @rows    *n of them with value, bytes, own; room for ebb_shared_more() further ones.
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_shared_apply(const struct ebb_shared_rule *rules, size_t nrules, const char *label,
		     struct ebb_shared_row *rows, size_t *n, struct ebb_err *err);

/* "even", "by-cost", "by-bytes", "fixed". Constant. */
const char *ebb_shared_name(enum ebb_shared_split s);

#endif
