/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Log lines that were counted already, by 64-bit numbers that identify them, so that no line counts twice however logs overlap.
 *
 * Kept per store and day of the line, as sorted lists that are only ever added. A list belongs to the generation of the side table
 * (access.h) that counts its lines: it holds when that generation has been published, so lines and counts become known together, and what an
 * ingestion that was killed left is dropped by the next. 8 bytes a line; old days are dropped by who ingests.
 *
 * Threads: one writer, as merge.h; no other transaction of the process is open.
 */
#ifndef EBB_CORE_SEEN_H
#define EBB_CORE_SEEN_H

#include "core/index.h"

/* Lines of one day. @id sorted, each once. */
struct ebb_seen_lines {
	int32_t day;
	const uint64_t *id;
	size_t n;
};

/* Drop lists of generations after @published: nobody counted them. @table: name of the side table. */
int ebb_seen_drop_after(struct ebb_index *ix, const char *table, uint32_t published, struct ebb_err *err);

/* Drop the lists of days before @day. */
int ebb_seen_drop_before(struct ebb_index *ix, const char *table, int32_t day, struct ebb_err *err);

/*
 * Find which lines of @n days were seen, and enter the others under @generation, in one transaction.
 *
 * @ret_known  for each line of each day, in order, whether it was.
 * @return     0, -EBB_ENOMEM, -EBB_ENOSPC, -EBB_EINDEX.
 */
int ebb_seen_add(struct ebb_index *ix, const char *table, uint32_t generation, const struct ebb_seen_lines *days,
		 size_t n, bool *ret_known, struct ebb_err *err);

#endif
