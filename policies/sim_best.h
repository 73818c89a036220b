/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clairvoyant optimum of one object: the least that any sequence of classes could have cost,
 * given all reads. A dynamic program over class and days in it, carried forward day by day, so that
 * nothing of the trace is kept. No policy can do better; none that does not see the future can be
 * expected to come near.
 *
 * Classes with sinks do not take part: the optimum needs no watching.
 * Pure. Threads: an optimum belongs to one thread.
 */
#ifndef EBB_POLICIES_SIM_BEST_H
#define EBB_POLICIES_SIM_BEST_H

#include "core/mem.h"
#include "policies/tariff.h"

struct ebb_sim_best;

/* For objects of any number under @t, borrowed. NULL when memory is short. */
struct ebb_sim_best *ebb_sim_best_new(const struct ebb_tariff *t, size_t objects);
void ebb_sim_best_free(struct ebb_sim_best *b);
EBB_CLEANUP_PTR(struct ebb_sim_best, ebb_sim_best_free);

/*
 * The next day of object number @i, which is @size bytes long. It comes from class 0, and may leave that on its
 * first day.
 *
 * @bytes  read on that day, -1 when it was not read.
 */
void ebb_sim_best_day(struct ebb_sim_best *b, size_t i, int64_t size, int64_t bytes);

/* The least that its days so far could have cost; 0 before the first. */
ebb_tariff_num ebb_sim_best_cost(const struct ebb_sim_best *b, size_t i);

#endif
