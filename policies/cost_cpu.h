/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What processors cost: compressing, reading back to compare, and decoding what is read later.
 *
 * Speeds are those of one core of the slowest machine that was measured (DESIGN.md), since an estimate may be too high and not too low. Pure.
 */
#ifndef EBB_POLICIES_COST_CPU_H
#define EBB_POLICIES_COST_CPU_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Millionths of a core-second to encode @bytes once.
 *
 * @codec  as rules name it; NULL: 0.
 * @level  0: the codec's default.
 * @wide   with long-distance matching.
 */
int64_t ebb_cost_cpu_encode(const char *codec, int level, bool wide, int64_t bytes);

/* The same to decode until @bytes have come out, digested. */
int64_t ebb_cost_cpu_decode(const char *codec, int64_t bytes);

#endif
