/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sorting more records than fit into memory: sorted runs in a nameless temporary file, merged as they are taken.
 *
 * Records are plain structs of one size. Add all of them, then take them in order. Memory: the buffer given at the
 * beginning while adding, one read buffer a run while taking; with a key, 32 bytes a record of the buffer more, and that again when all
 * fits into it.
 *
 * Threads: a sorter belongs to one thread.
 */
#ifndef EBB_CORE_SORT_H
#define EBB_CORE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* As for qsort(3); records that compare equal come in no special order, so compare whole records. */
typedef int ebb_sort_cmp(const void *a, const void *b);

/* A number by which the order of records goes first: where two differ, ebb_sort_cmp must say the same. */
typedef uint64_t ebb_sort_key(const void *record);

struct ebb_sort_run;
struct ebb_sort_head;

/* Members are private; a zeroed struct may be released. */
struct ebb_sort {
	const char *dir;
	ebb_sort_cmp *cmp;
	ebb_sort_key *key;	/* or NULL */
	size_t size;		/* bytes of a record */
	char *mem;		/* records not yet spilled; NULL while taking */
	size_t n, room;
	bool spilled;		/* memory was full once: */
	int fd;			/* the temporary file */
	int64_t written;
	struct ebb_sort_run *runs;
	struct ebb_sort_head *heads;	/* while taking: a heap of runs by their next record */
	size_t nruns, left;	/* of them, with records to be taken */
};

/*
 * Prepare to sort records of @size bytes.
 *
 * @dir   directory for the temporary file, borrowed; nothing is made there while all fits into memory.
 * @room  records sorted in memory at a time, at least 1.
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_sort_init(struct ebb_sort *s, const char *dir, size_t size, size_t room, ebb_sort_cmp *cmp,
		  struct ebb_err *err);
void ebb_sort_release(struct ebb_sort *s);

/* Before the first record: sort by @key, which takes a fraction of the time when it tells most records apart. */
void ebb_sort_by_key(struct ebb_sort *s, ebb_sort_key *key);

/* Add a copy of a record. Returns 0; -EBB_ENOMEM; -EBB_ENOSPC and other failures of writing. */
int ebb_sort_add(struct ebb_sort *s, const void *record, struct ebb_err *err);

/* All records are added. Returns 0, -EBB_ENOMEM, or a failure of the temporary file. */
int ebb_sort_finish(struct ebb_sort *s, struct ebb_err *err);

/* The next record, copied to @ret. Returns 1, 0 at the end, or a failure of the temporary file. */
int ebb_sort_take(struct ebb_sort *s, void *ret, struct ebb_err *err);

/* Take them all again, from the first. Returns 0, -EBB_ENOMEM, or a failure of the temporary file. */
int ebb_sort_rewind(struct ebb_sort *s, struct ebb_err *err);

#endif
