/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Objects that sleep in archive classes and are wanted awake: collected, looked at, priced, asked for, waited for.
 *
 * The store is believed, nothing else: how each stands is asked, so whoever was killed amid asking asks again what still sleeps.
 * Memory: a few hundred bytes for each object of an archive class that is wanted.
 *
 * Threads: belongs to one thread; look and ask start workers of their own.
 */
#ifndef EBB_AGENT_THAW_H
#define EBB_AGENT_THAW_H

#include <stdatomic.h>

#include "agent/config.h"
#include "agent/op.h"
#include "agent/storeset.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/money.h"

struct ebb_thaw_item {
	const char *store, *key, *class;	/* in the arena, or constant */
	bool tiers;				/* its class puts objects away by itself: only a look tells whether it has */
	struct ebb_record rec;			/* what it must be */
	int64_t size;
	enum ebb_store_sleep state;		/* after a look; AWAKE for what is gone or changed, too: that is for others to tell */
	struct ebb_store_rest rest;		/* THAWED: when its copy goes; no time: it is back for good */
};

struct ebb_thaw {
	struct ebb_arena arena;
	struct ebb_thaw_item *items;
	size_t n, room;
	struct ebb_thaw *doubtful;	/* added, but their class tiers by itself, and nobody has looked; or NULL */
};

/* Zeroed is empty. */
void ebb_thaw_release(struct ebb_thaw *t);

/* Archive class of an object by what is known of it, or one that tiers by itself; NULL: it cannot sleep. Constant. */
const char *ebb_thaw_class(const struct ebb_store *s, const struct ebb_record *rec);

/*
 * Add an object if its class is such a one; strings are copied. Those of tiering classes count once a look or sift has found that they sleep.
 * 0 or -EBB_ENOMEM.
 */
int ebb_thaw_add(struct ebb_thaw *t, const struct ebb_store *s, const char *key, const struct ebb_record *rec,
		 struct ebb_err *err);

/* The same, to be kept whatever a look will find: it was asked for. */
int ebb_thaw_add_asked(struct ebb_thaw *t, const struct ebb_store *s, const char *key, const struct ebb_record *rec, struct ebb_err *err);

/*
 * Add what an operation reads: its object, and the copy that stays. Stores that are not open are passed over.
 *
 * @return  0 or -EBB_ENOMEM; as ebb_thaw_sift.
 */
int ebb_thaw_add_op(struct ebb_thaw *t, const struct ebb_storeset *stores, const struct ebb_op *op, struct ebb_err *err);

/*
 * Look at those of tiering classes, once some thousands were added, and drop what is awake: nearly all of such a bucket are, and memory must
 * not follow them.
 *
 * @all     now, however few.
 * @return  0; what looking returns.
 */
int ebb_thaw_sift(struct ebb_thaw *t, const struct ebb_storeset *stores, bool all, const atomic_bool *cancel, struct ebb_err *err);

/*
 * Sift, and look how each stands, several at a time; each is kept once.
 *
 * @return  0; -EBB_ECANCELLED; what the first look that failed returned.
 */
int ebb_thaw_look(struct ebb_thaw *t, const struct ebb_storeset *stores, const atomic_bool *cancel, struct ebb_err *err);

struct ebb_thaw_counts {
	int64_t objects[EBB_STORE_THAWED + 1], bytes[EBB_STORE_THAWED + 1];	/* by state */
	int64_t expires;	/* of the thawed ones: the first that goes; 0: none */
};
void ebb_thaw_count(const struct ebb_thaw *t, struct ebb_thaw_counts *ret);

/* What thawing all that is asleep costs at a speed. */
struct ebb_thaw_quote {
	bool offered;		/* for every class among them */
	bool priced;		/* every class has a price; otherwise the amounts and hours mean nothing */
	int64_t hours;		/* until the last is ready, at most */
	struct ebb_money all, copies;	/* everything; of that, what the temporary copies cost */
	struct ebb_money tiers;	/* of that, what objects back in faster tiers are billed there until they are put away again, at most */
	int64_t tier_days;	/* until then, the longest; 0: no such objects */
};

/*
 * Price it.
 *
 * @days   that the copies are kept.
 * @return 0 or -EBB_ERANGE, -EBB_ENOMEM.
 */
int ebb_thaw_price(const struct ebb_thaw *t, const struct ebb_config *c, int days,
		   struct ebb_thaw_quote ret[EBB_PRICE_SPEEDS], struct ebb_err *err);

/*
 * Ask for every object that is asleep, several at a time; those become THAWING. Stops at the first failure; what was asked for stays so.
 *
 * @return  0; -EBB_ECANCELLED; what the store returned.
 */
int ebb_thaw_ask(struct ebb_thaw *t, const struct ebb_storeset *stores, const char *speed, unsigned days,
		 const atomic_bool *cancel, struct ebb_err *err);

/* How time passes between two looks: @ns later, or earlier when asked to stop. */
typedef void ebb_thaw_pause_fn(void *ctx, int64_t ns);

/* The machine's: @ctx is an atomic_bool that stops it, or NULL. */
void ebb_thaw_pause(void *ctx, int64_t ns);

/* First and longest pause between two looks. */
#define EBB_THAW_PAUSE (60 * EBB_CLOCK_SECOND)
#define EBB_THAW_PAUSE_MAX (30 * 60 * EBB_CLOCK_SECOND)

/*
 * Wait until everything that is being thawed can be read. Looks at the first of them only, a few at a time, with pauses that double while
 * nothing happens.
 *
 * @return  0; -EBB_ECANCELLED; -EBB_EASLEEP when one sleeps again; what looking returns.
 */
int ebb_thaw_wait(struct ebb_thaw *t, const struct ebb_storeset *stores, ebb_thaw_pause_fn *pause, void *ctx,
		  const atomic_bool *cancel, struct ebb_err *err);

#endif
