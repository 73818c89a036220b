/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Objects added up into groups: what has the same replicas, lacks the same destinations and meets the same terms is planned as
 * one, because costs are so much a GB and so much an object. Objects of different size are kept apart (by powers of four): a
 * relay pays above some hundred kB, so a mean over all sizes would choose wrongly for most.
 *
 * Content that stands at a destination already, under whatever key, is to be reported by its `have`; it then needs nothing there.
 *
 * Pure. Threads: a sum belongs to one thread; sums of several threads are joined by adding their groups.
 */
#ifndef EBB_POLICIES_XFER_SUM_H
#define EBB_POLICIES_XFER_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

struct ebb_xfer_sum_row {
	uint64_t have;		/* sites with a replica, by bit: at most 64 sites */
	uint64_t want;		/* destinations that need bytes: those asked for without those that have it */
	uint32_t terms;		/* the caller's number for residency, ratio, deadline, retrieval */
	uint32_t size_class;	/* 0: empty, else 1 + log4 of the size */
	int64_t bytes, objects;
};

struct ebb_xfer_sum;

/* @cap: most groups. NULL: no memory. */
struct ebb_xfer_sum *ebb_xfer_sum_new(size_t cap);
void ebb_xfer_sum_free(struct ebb_xfer_sum *s);
EBB_CLEANUP_PTR(struct ebb_xfer_sum, ebb_xfer_sum_free);

/*
 * Add @objects objects of together @bytes, about equally large.
 *
 * @return  0; -EBB_ELIMIT: more groups than the cap; -EBB_ERANGE: a sum does not fit; -EBB_EINVAL: negative; -EBB_ENOMEM. After
 *          a failure the sum is what it was.
 */
int ebb_xfer_sum_add(struct ebb_xfer_sum *s, uint64_t have, uint64_t want, uint32_t terms,
		     int64_t bytes, int64_t objects, struct ebb_err *err);

/* The groups, in an order that does not depend on that of adding. Borrowed until the next call. */
const struct ebb_xfer_sum_row *ebb_xfer_sum_rows(struct ebb_xfer_sum *s, size_t *ret_n);

#endif
