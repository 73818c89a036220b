/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Replay: what a trace of reads would have cost under each of several policies.
 *
 * Every object begins in STANDARD on the day it was created, and is kept until the last day of the
 * trace. A policy sees yesterday, never today: it moves an object at the start of a day. Days cost
 * what tariff.h says. The policies are rows of a table in sim.c.
 *
 * Memory: some 3 KiB an object, nothing a read. Pure. Threads: belongs to one thread.
 */
#ifndef EBB_POLICIES_SIM_H
#define EBB_POLICIES_SIM_H

#include "core/mem.h"
#include "policies/tariff.h"

enum ebb_sim_policy {
	EBB_SIM_STANDARD,		/* always there */
	EBB_SIM_STANDARD_IA,		/* from the first day */
	EBB_SIM_GLACIER_IR,		/* from the first day */
	EBB_SIM_AGE,			/* STANDARD_IA 30 days after creation, GLACIER_IR after 90 */
	EBB_SIM_IDLE,			/* the same by days without a read; back on the day after one */
	EBB_SIM_IDLE_STICKY,		/* the same, never back */
	EBB_SIM_INTELLIGENT_TIERING,	/* from the first day */
	EBB_SIM_AUTO,			/* auto.h */
	EBB_SIM_CLAIRVOYANT,		/* sim_best.h: knows the future */
	EBB_SIM_POLICIES
};

/* Stable name for JSON, and a sentence fragment for people. Constant. */
const char *ebb_sim_name(enum ebb_sim_policy p);
const char *ebb_sim_text(enum ebb_sim_policy p);

struct ebb_sim_object {
	int64_t size;		/* bytes, up to EBB_TARIFF_BYTES */
	int32_t created;	/* day, counted from any day */
};

struct ebb_sim;

/*
 * @t        borrowed; must have STANDARD (as number 0), STANDARD_IA, GLACIER_IR and
 *           INTELLIGENT_TIERING.
 * @objects  borrowed.
 * @return   0; -EBB_ECONFIG naming the class without a price; -EBB_ENOMEM. Free with ebb_sim_free.
 */
int ebb_sim_new(const struct ebb_tariff *t, const struct ebb_sim_object *objects, size_t n,
		struct ebb_sim **ret, struct ebb_err *err);
void ebb_sim_free(struct ebb_sim *s);
EBB_CLEANUP_PTR(struct ebb_sim, ebb_sim_free);

/*
 * @bytes (>= 0) of object @i were read on @day. Days must not go back, and none lies before the
 * object's creation. Reads of one day add up.
 */
void ebb_sim_read(struct ebb_sim *s, size_t i, int32_t day, int64_t bytes);

/* The last day is over. Before ebb_sim_cost, once. */
void ebb_sim_end(struct ebb_sim *s);

/* What a policy cost over all objects. Returns 0 or -EBB_ERANGE. */
int ebb_sim_cost(const struct ebb_sim *s, enum ebb_sim_policy p, struct ebb_money *ret,
		 struct ebb_err *err);

#endif
