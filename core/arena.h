/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An arena: many small allocations, freed at once. One per parse, plan or report.
 *
 * Memory is zeroed, aligned to 16 bytes, and never moves. Nothing aborts: exhausted memory, or an
 * exhausted cap, comes back as NULL, and everything allocated before stays valid.
 * Threads: each arena belongs to one thread at a time.
 */
#ifndef EBB_CORE_ARENA_H
#define EBB_CORE_ARENA_H

#include <stddef.h>

struct ebb_arena {
	struct ebb_arena_chunk *chunks;	/* newest first */
	size_t used, size;		/* in the newest chunk */
	size_t total;			/* bytes allocated from the system, with headers */
	size_t cap;			/* most bytes ever, 0: no cap */
};

/* Prepare an arena that never holds more than @cap bytes (0: no cap). Allocates nothing yet. */
void ebb_arena_init(struct ebb_arena *a, size_t cap);

/* Free everything; the arena is unusable until the next init. A zeroed arena is accepted. */
void ebb_arena_release(struct ebb_arena *a);

/*
 * @size zeroed bytes that live as long as the arena; NULL when memory or the cap is exhausted. A
 * size of 0 gives a pointer that may not be dereferenced.
 */
void *ebb_arena_alloc(struct ebb_arena *a, size_t size) __attribute__((malloc, alloc_size(2)));

/* @n zeroed elements of @size bytes each; NULL as above, also on overflow. */
void *ebb_arena_calloc(struct ebb_arena *a, size_t n, size_t size)
	__attribute__((malloc, alloc_size(2, 3)));

/* Copy of @len bytes with a NUL behind them; NULL as above. @p may be NULL when @len is 0. */
char *ebb_arena_memdup(struct ebb_arena *a, const void *p, size_t len);

/* Copy of a C string; NULL as above. */
char *ebb_arena_strdup(struct ebb_arena *a, const char *s);

/* Formatted string in the arena; NULL as above. */
char *ebb_arena_printf(struct ebb_arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
