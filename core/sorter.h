/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sorting more than memory holds: items of a key and a payload, in the order of keys as the index compares them.
 *
 * Items are gathered in a fixed piece of memory; when it is full they are sorted and written to a temporary file as a run, and in the
 * end the runs are merged. The file has no name and cannot be left behind. Items of equal keys come out in the order they came in.
 *
 * Memory: what init is given, and as much again while merging. Threads: a sorter belongs to one thread.
 */
#ifndef EBB_CORE_SORTER_H
#define EBB_CORE_SORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

/* Longest payload in bytes. */
#define EBB_SORTER_PAYLOAD_MAX 65535

/* One item. Borrowed until the next call. */
struct ebb_sorter_item {
	const char *key;
	uint32_t key_len;
	uint32_t len;		/* of the payload */
	const void *payload;	/* not aligned */
};

struct ebb_sorter;

/*
 * @dir   where the temporary file goes, borrowed.
 * @memory  bytes, at least 1 MiB.
 * @return  NULL when memory is short.
 */
struct ebb_sorter *ebb_sorter_new(const char *dir, size_t memory);
void ebb_sorter_free(struct ebb_sorter *s);
EBB_CLEANUP_PTR(struct ebb_sorter, ebb_sorter_free);

/* Add an item (copied). -EBB_EINVAL for a key over EBB_KEY_MAX or a payload over its limit; -EBB_ENOSPC, -EBB_EIO. */
int ebb_sorter_add(struct ebb_sorter *s, const char *key, size_t key_len, const void *payload, size_t len,
		   struct ebb_err *err);

/* All items are in. Then ebb_sorter_next gives them, from the first. */
int ebb_sorter_sort(struct ebb_sorter *s, struct ebb_err *err);

/* Next item in order: 1, 0 at the end, -EBB_EIO. */
int ebb_sorter_next(struct ebb_sorter *s, struct ebb_sorter_item *ret, struct ebb_err *err);

#endif
