/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Conditions over whole blocks, column by column.
 *
 * The same truth as ebb_expr_eval for each record (tests/property/p_expr.c holds them together), at
 * several hundred million records a second: a comparison that the least and the greatest value of a
 * column settle does not decode the column, others are one pass without branches; `and` and `or`
 * stop when the block is settled.
 *
 * Facts of the key and labels count as unknown here. By Kleene's rules true and false are final all
 * the same; where the answer is unknown and ebb_expr_needs_key(), ask ebb_expr_eval.
 *
 * Pure. Threads: a workspace belongs to one thread.
 */
#ifndef EBB_POLICIES_EXPR_BLOCK_H
#define EBB_POLICIES_EXPR_BLOCK_H

#include "core/block.h"
#include "policies/expr.h"

/* Decoded columns of one block, about 160 KiB. */
struct ebb_expr_block;

/* New workspace, without a block; NULL when memory is short. */
struct ebb_expr_block *ebb_expr_block_new(void);
void ebb_expr_block_free(struct ebb_expr_block *w);

/*
 * Turn to another block at time @now; what was decoded of the last is forgotten. @b must live until
 * the next one.
 */
void ebb_expr_block_use(struct ebb_expr_block *w, const struct ebb_block *b, int64_t now);

/*
 * Evaluate for every record of the block: out[i] is an enum ebb_truth. Room for EBB_BLOCK_MAX;
 * env->labels is not looked at, env->now is that of ebb_expr_block_use.
 */
void ebb_expr_block_eval(struct ebb_expr_block *w, const struct ebb_expr *e,
			 const struct ebb_expr_env *env, uint8_t *out);

/* Has the block records that logs tell of, so that what is likely may say more than what is certain? */
bool ebb_expr_block_doubtful(const struct ebb_block *b);

#endif
