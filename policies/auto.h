/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `class: auto`: where an object costs least, decided from the past alone.
 *
 * Two questions are kept apart.
 *
 * When is it quiet enough to move? A colder class saves some storage a day and charges for what is
 * read. A day on which less is read than the saving pays for speaks for the colder class; a day with
 * more ends the quiet. After as many quiet days as a return would cost in lost savings, moving is
 * right whatever comes next, up to a factor of two (ski rental): that is the patience of the class.
 * A return costs retrieval of the whole object twice, once for the burst that ends the quiet and
 * once for leaving, and the fees. In the colder class, what is fetched adds up until it has cost as
 * much as leaving; then the object goes back.
 *
 * Whom to believe? Patience assumes nothing, so it gives away what the past knows. Therefore each
 * object carries a few candidates that live on paper beside it: staying at the base, waiting for a
 * class as above, being there from the first day. What each would have cost this object so far,
 * and what it would have cost the whole population for a year, are added; who would have been
 * cheapest by more than a return is followed. A candidate pays for the return that it has not made
 * yet, which keeps the few days of a new object from deciding.
 *
 * The base is the class that tiers by itself where there is one and watching the object is worth
 * its fee, otherwise class 0. DESIGN.md has the bounds, the sources, and what was measured.
 *
 * Everything is an integer; the same past gives the same decision on every machine.
 * Pure. Threads: belongs to one thread.
 */
#ifndef EBB_POLICIES_AUTO_H
#define EBB_POLICIES_AUTO_H

#include "core/mem.h"
#include "policies/tariff.h"

/* Days of the population's experience that stand beside an object's own. */
#define EBB_AUTO_PRIOR_DAYS 365

/* The class where an object of this size waits: what tiers by itself, if its fee can be earned. */
int ebb_auto_base(const struct ebb_tariff *t, int64_t size);

/* Can an object of this size be moved from @base to @class at all, to be cheaper there? */
bool ebb_auto_colder(const struct ebb_tariff *t, int base, int class, int64_t size);

/* Bytes that may be read in a day without ending the quiet: what the saving of the day pays for. */
int64_t ebb_auto_quiet_bytes(const struct ebb_tariff *t, int base, int class, int64_t size);

/* Quiet days after which to move. INT32_MAX: never. */
int32_t ebb_auto_patience(const struct ebb_tariff *t, int base, int class, int64_t size);

struct ebb_auto;

/* For @objects objects under @t, which is borrowed. NULL when memory is short. */
struct ebb_auto *ebb_auto_new(const struct ebb_tariff *t, size_t objects);
void ebb_auto_free(struct ebb_auto *a);
EBB_CLEANUP_PTR(struct ebb_auto, ebb_auto_free);

/* Object @i is there from today on. Before any other call for it. */
void ebb_auto_begin(struct ebb_auto *a, size_t i, int64_t size);

/* The class in which object @i should spend today, from what was seen until yesterday. */
int ebb_auto_class(struct ebb_auto *a, size_t i);

/* What today brought object @i: bytes read, -1 when it was not. After ebb_auto_class. */
void ebb_auto_learn(struct ebb_auto *a, size_t i, int64_t bytes);

/* The day is over for all objects: from now on the population knows it. */
void ebb_auto_next_day(struct ebb_auto *a);

#endif
