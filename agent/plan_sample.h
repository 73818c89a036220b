/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What compressing would leave of the objects that a plan is about to compress: samples of them, read and compressed as their rules say
 * (ebb plan --sample). Without it plans go by the extension alone (policies/cost.h).
 *
 * Of each rule and extension EBB_SHRINK_SAMPLES places are drawn, every byte with the same chance, so an object in proportion to its size; what is
 * looked at is the piece of EBB_PLAN_SAMPLE_PIECE bytes around the place, or a smaller object whole. A piece that `apply` would not find
 * worth compressing counts as left whole. The draw depends on nothing but the order of the objects, so the same index gives the same plan.
 *
 * Bias: pieces cannot use what repeats further away than they are long, so large objects come out smaller than estimated, not larger.
 *
 * Memory: 32 keys for each of at most EBB_PLAN_SAMPLE_KINDS kinds, two pieces, one encoder.
 * Threads: main thread.
 */
#ifndef EBB_AGENT_PLAN_SAMPLE_H
#define EBB_AGENT_PLAN_SAMPLE_H

#include "agent/app.h"
#include "agent/planhead.h"
#include "policies/shrink.h"

#define EBB_PLAN_SAMPLE_PIECE ((size_t)1 << 20)
#define EBB_PLAN_SAMPLE_KINDS 256	/* rules times extensions; what comes later is not sampled */

struct ebb_plan_sample;

/* @app  borrowed, with its configuration. NULL when memory is short. */
struct ebb_plan_sample *ebb_plan_sample_new(struct ebb_app *app);
void ebb_plan_sample_free(struct ebb_plan_sample *s);
EBB_CLEANUP_PTR(struct ebb_plan_sample, ebb_plan_sample_free);

/* An action of the plan to be: an ebb_decide_fn. Takes those that compress, but for tensors, whose codec needs the whole. 0 or -EBB_ENOMEM. */
int ebb_plan_sample_note(void *s, const struct ebb_action *a, struct ebb_err *err);

/*
 * Read and compress. Pieces of objects that are gone, changed, asleep or not readable are left out; of a kind with too few others nothing is
 * said.
 *
 * @ret     its rows live in @arena.
 * @return  0; -EBB_ENOMEM; -EBB_ECANCELLED; what opening a store, or its network, returns.
 */
int ebb_plan_sample_read(struct ebb_plan_sample *s, struct ebb_arena *arena, struct ebb_shrink *ret, struct ebb_err *err);

#endif
