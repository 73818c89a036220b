/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gates that an action passes before it enters a plan, and why a matched object does not get its action. Pure. Threads: any.
 */
#ifndef EBB_POLICIES_DECIDE_REFUSAL_H
#define EBB_POLICIES_DECIDE_REFUSAL_H

#include "policies/action.h"
#include "policies/rules.h"

/*
 * How long an object is taken to live on. What has not paid back by then is a loss, unless the rule
 * says in words that it may take longer (`require: {payback: 10y}`).
 */
#define EBB_DECIDE_LIFE_NS (INT64_C(1095) * 86400 * 1000000000)

/* Why a matched object does not get its action. */
enum ebb_decide_refusal {
	EBB_REFUSE_NONE,
	EBB_REFUSE_UNKNOWN,	/* the condition, or the size, is unknown: not enough evidence */
	EBB_REFUSE_LINKED,	/* shares its inode with other names; the action would split them */
	EBB_REFUSE_SPARSE,	/* holes would not survive */
	EBB_REFUSE_LOSS,	/* net saving is negative, or does not bring back what is paid once
				 * within EBB_DECIDE_LIFE_NS, or the payback that the rule allows */
	EBB_REFUSE_PAYBACK,	/* pays back later than the rule requires, never, or has no price
				 * to tell */
	EBB_REFUSE_RESIDENCY,	/* destination is outside the dataset's jurisdictions, or unknown */
	EBB_REFUSE_POINTLESS,	/* already compressed, empty, within one block of 4 KiB (what
				 * is compressed frees whole blocks only), or already there */
	EBB_REFUSE_ALONE,	/* dedup: no copy that may stay is known, or so many must stay */
	EBB_REFUSE_CHEAPEST,	/* class: auto, and it costs least where it is */
	EBB_REFUSE_RETAINED,	/* retain, and its checkpoint is one that stays */
	EBB_REFUSE_DOUBT,	/* retain, and too little is known of its checkpoint, or it is of none */
	EBB_REFUSE_PART,	/* all_of: dataset, and the rule does not meet all of it */
	EBB_REFUSE_LIVE,	/* something refers to it, or has it open: the action would break that */
	EBB_REFUSE_PLACE,	/* keep_key, and its store cannot put one object in the place of another */
	EBB_REFUSE_UNPRICED,	/* class: auto, and there are no prices to decide by */
	EBB_REFUSE_VERSIONS,	/* its bucket lets nobody remove versions, so it would be paid for twice, or as before */
	EBB_REFUSE_FLOOR,	/* its dataset keeps copies, and without it too few would be left, or how many is not known */
	EBB_REFUSE_HURRIED,	/* its bucket would empty the trash before its time */
	EBB_REFUSE_COUNT
};

/* Stable lower-case name for JSON, and a sentence fragment for people. Constant. */
const char *ebb_decide_refusal_name(enum ebb_decide_refusal r);
const char *ebb_decide_refusal_text(enum ebb_decide_refusal r);

/* Can the action be done to its object at all, and may it, as far as the object, its names and residency tell? EBB_REFUSE_NONE: yes. */
enum ebb_decide_refusal ebb_decide_refusal_possible(const struct ebb_rules *rules, const struct ebb_action *a);

/* Does an action that was priced pay, by itself and by what @rule requires? EBB_REFUSE_NONE: yes, or nobody can tell. */
enum ebb_decide_refusal ebb_decide_refusal_worth(const struct ebb_rule *rule, const struct ebb_action *a);

#endif
