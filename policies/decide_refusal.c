/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/decide_refusal.h"

#include <string.h>

#include "policies/cost.h"
#include "policies/residency.h"

/* Prices are per month of 30 days. */
#define MONTH_NS (INT64_C(30) * 86400 * 1000000000)

/* From here on a hole is a hole, not the rest of a block or a file kept in its inode. */
#define HOLE_MIN 4096

/* One block of a filesystem: a file that takes no more than this cannot take less. */
#define BLOCK_SIZE 4096

static const struct {
	const char *name, *text;
} refusals[EBB_REFUSE_COUNT] = {
	[EBB_REFUSE_NONE] = {"none", "not refused"},
	[EBB_REFUSE_UNKNOWN] = {"unknown", "there is too little evidence for the condition"},
	[EBB_REFUSE_LINKED] = {"linked",
			       "the file has other names (hard links) that would be split off"},
	[EBB_REFUSE_SPARSE] = {"sparse", "the file is sparse and its holes would not survive"},
	[EBB_REFUSE_LOSS] = {"loss", "it would cost more than it saves"},
	[EBB_REFUSE_PAYBACK] = {"payback", "it does not pay back in the time the rule requires"},
	[EBB_REFUSE_RESIDENCY] =
		{"residency", "the destination, or this machine, is not known to lie in the dataset's jurisdictions"},
	[EBB_REFUSE_ALONE] = {"alone", "no other copy is known that would stay (ebb scan --hash candidates "
				       "finds them), or so many must stay"},
	[EBB_REFUSE_POINTLESS] = {"pointless",
				  "there is nothing to gain: empty, within one block (4 KiB), "
				  "compressed or there already"},
	[EBB_REFUSE_RETAINED] = {"retained", "they are of checkpoints that stay by this rule (ebb checkpoints shows which and why)"},
	[EBB_REFUSE_DOUBT] = {"doubt", "too little is known of their checkpoints, or they are of none (ebb checkpoints says what)"},
	[EBB_REFUSE_PART] = {"part", "the rule does not meet every file of their dataset (all_of: dataset), or they are of none"},
	[EBB_REFUSE_LIVE] = {"live", "something else refers to them, or has them open (ebb explain KEY says what)"},
	[EBB_REFUSE_PLACE] = {"place", "their store cannot put one object in the place of another, as keep_key wants"},
	[EBB_REFUSE_CHEAPEST] = {"cheapest", "they cost least where they are"},
	[EBB_REFUSE_UNPRICED] = {"unpriced", "there are no prices to decide by: give the store "
					     "provider and region"},
	[EBB_REFUSE_VERSIONS] = {"versions", "their bucket removes no version without a second factor (MFA Delete), so it would free nothing"},
	[EBB_REFUSE_FLOOR] = {"floor", "their dataset keeps copies, and too few are known that would stay (ebb scan --hash candidates finds more)"},
	[EBB_REFUSE_HURRIED] = {"hurried", "their bucket's lifecycle rules would remove them from the trash before its time: let the rule "
					   "say a shorter one (trash: 7d), or the bucket wait longer"},
};

const char *ebb_decide_refusal_name(enum ebb_decide_refusal r)
{
	return (unsigned)r < EBB_REFUSE_COUNT ? refusals[r].name : "unknown";
}

const char *ebb_decide_refusal_text(enum ebb_decide_refusal r)
{
	return (unsigned)r < EBB_REFUSE_COUNT ? refusals[r].text : "unknown";
}

/* Allocated noticeably less than its size: by an eighth, and by more than a block. */
static bool is_sparse(const struct ebb_record *r)
{
	int64_t size = r->f[EBB_F_SIZE], alloc = r->f[EBB_F_ALLOC];

	return ebb_record_has(r, EBB_F_ALLOC) && alloc <= size - HOLE_MIN &&
	       alloc < size - size / 8;
}

/* Takes one block at most, so that a shorter file would free nothing. */
static bool is_small(const struct ebb_record *r)
{
	return r->f[ebb_record_has(r, EBB_F_ALLOC) ? EBB_F_ALLOC : EBB_F_SIZE] <= BLOCK_SIZE;
}

/* Would it be compressed where that cannot be done under its own key? */
static bool has_no_place(const struct ebb_rules *rules, const struct ebb_action *a)
{
	const struct ebb_rules_store *s = ebb_rules_store(rules, a->store);

	return a->keep_key && !(s && s->replaces);
}

/* Is the object in the class that it should go into? */
static bool already_in(const struct ebb_rules *rules, const struct ebb_action *a)
{
	const char *class = ebb_rules_class(rules, a->store, a->obj);

	return class && strcmp(class, a->to_class) == 0;
}

enum ebb_decide_refusal ebb_decide_refusal_possible(const struct ebb_rules *rules, const struct ebb_action *a)
{
	const struct ebb_record *r = a->obj;

	if (!ebb_record_has(r, EBB_F_SIZE))
		return EBB_REFUSE_UNKNOWN;
	if (a->id == EBB_ACTION_DELETE)
		return !a->with && r->f[EBB_F_SIZE] > 0 && ebb_rules_floor(rules, r->key, r->key_len) ? EBB_REFUSE_FLOOR : EBB_REFUSE_NONE;
	if (a->id == EBB_ACTION_DEDUP && !a->with)
		return EBB_REFUSE_ALONE;
	if (a->id == EBB_ACTION_DEDUP)
		return a->how != EBB_ACTION_REFLINK && r->f[EBB_F_NLINK] > 1 ? EBB_REFUSE_LINKED
									     : EBB_REFUSE_NONE;
	if (a->to_store && a->id != EBB_ACTION_ARCHIVE && strcmp(a->to_store, a->store) == 0)
		return EBB_REFUSE_POINTLESS;
	if (a->to_class && !a->to_store && already_in(rules, a))
		return EBB_REFUSE_POINTLESS;
	if (ebb_residency_forbids(rules, a->id, r->key, r->key_len, a->to_store))
		return EBB_REFUSE_RESIDENCY;
	if (r->f[EBB_F_NLINK] > 1)
		return EBB_REFUSE_LINKED;
	if (a->id == EBB_ACTION_ARCHIVE)
		return is_sparse(r) ? EBB_REFUSE_SPARSE : EBB_REFUSE_NONE;
	if (a->id != EBB_ACTION_COMPRESS)
		return EBB_REFUSE_NONE;
	if (has_no_place(rules, a))
		return EBB_REFUSE_PLACE;
	if (r->f[EBB_F_SIZE] == 0 || ebb_cost_compressed(r->key, r->key_len) == EBB_COST_POINTLESS)
		return EBB_REFUSE_POINTLESS;
	if (is_sparse(r))
		return EBB_REFUSE_SPARSE;
	return is_small(r) ? EBB_REFUSE_POINTLESS : EBB_REFUSE_NONE;
}

/* one_off / saving months are not more than @ns; exact. */
static bool pays_back(const struct ebb_action *a, int64_t ns)
{
	return a->priced && a->saving.nano > 0 &&
	       (__int128)a->one_off.nano * MONTH_NS <= (__int128)a->saving.nano * ns;
}

enum ebb_decide_refusal ebb_decide_refusal_worth(const struct ebb_rule *rule, const struct ebb_action *a)
{
	if (a->priced && (a->saving.nano < 0 ||
			  (a->one_off.nano > 0 && !rule->require_payback && !pays_back(a, EBB_DECIDE_LIFE_NS))))
		return EBB_REFUSE_LOSS;
	if (rule->require_payback && !pays_back(a, rule->payback_ns))
		return EBB_REFUSE_PAYBACK;
	return EBB_REFUSE_NONE;
}
