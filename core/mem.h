/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory: saturating sizes and cleanup attributes. Arenas are in core/arena.h, growing buffers in
 * core/buf.h.
 *
 * Nothing here aborts: a saturated size makes the allocation that follows fail, and allocation
 * failures come back as NULL or -EBB_ENOMEM.
 * Threads: every function may be called from any thread.
 */
#ifndef EBB_CORE_MEM_H
#define EBB_CORE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* Run @f(&variable) when the variable leaves its scope. */
#define EBB_CLEANUP(f) __attribute__((cleanup(f)))

/* Define NAMEp, the cleanup twin of a `void NAME(TYPE *)`: calls it unless the pointer is NULL. */
#define EBB_CLEANUP_PTR(type, name)                                                                \
	static inline void name##p(type **p)                                                       \
	{                                                                                          \
		if (*p)                                                                            \
			name(*p);                                                                  \
	}                                                                                          \
	struct ebb_swallow_semicolon

/* Number of elements of an array (not of a pointer). */
#define EBB_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Sum that stops at SIZE_MAX instead of wrapping round. */
static inline size_t ebb_mem_add(size_t a, size_t b)
{
	size_t r;
	return __builtin_add_overflow(a, b, &r) ? SIZE_MAX : r;
}

/* Product that stops at SIZE_MAX instead of wrapping round. */
static inline size_t ebb_mem_mul(size_t a, size_t b)
{
	size_t r;
	return __builtin_mul_overflow(a, b, &r) ? SIZE_MAX : r;
}

/*
 * free() for EBB_CLEANUP: `EBB_CLEANUP(ebb_mem_freep) char *s = NULL`. NULL is freed as free() does
 * it. The argument is void * so that it fits the address of any pointer. errno stays as it was.
 */
void ebb_mem_freep(void *pointer_to_pointer);

/*
 * close() for EBB_CLEANUP: `EBB_CLEANUP(ebb_mem_closep) int fd = -1`. A negative descriptor is left
 * alone; what close() says is dropped (write paths close by hand and look). errno stays as it was.
 */
void ebb_mem_closep(int *fd);

#endif
