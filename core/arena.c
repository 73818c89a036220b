/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define ALIGN 16u
#define CHUNK_MIN ((size_t)4096)
#define CHUNK_MAX ((size_t)1 << 20)

struct ebb_arena_chunk {
	_Alignas(ALIGN) struct ebb_arena_chunk *next;
	_Alignas(ALIGN) unsigned char data[];
};

void ebb_arena_init(struct ebb_arena *a, size_t cap)
{
	*a = (struct ebb_arena){.cap = cap};
}

void ebb_arena_release(struct ebb_arena *a)
{
	struct ebb_arena_chunk *chunk = a->chunks;

	while (chunk) {
		struct ebb_arena_chunk *next = chunk->next;
		free(chunk);
		chunk = next;
	}
	*a = (struct ebb_arena){0};
}

/* Start a chunk with room for @size bytes: as large as all before it, within bounds and the cap. */
static int grow(struct ebb_arena *a, size_t size)
{
	size_t least = ebb_mem_add(size, sizeof(struct ebb_arena_chunk));
	size_t room = a->cap ? a->cap - a->total : SIZE_MAX;
	size_t want = a->total < CHUNK_MIN ? CHUNK_MIN : a->total;

	if (least > room)
		return -1;
	if (want > CHUNK_MAX)
		want = CHUNK_MAX;
	if (want > room)
		want = room;
	if (want < least)
		want = least;

	struct ebb_arena_chunk *chunk = calloc(1, want);
	if (!chunk)
		return -1;
	chunk->next = a->chunks;
	a->chunks = chunk;
	a->used = 0;
	a->size = want - sizeof(*chunk);
	a->total += want;
	return 0;
}

void *ebb_arena_alloc(struct ebb_arena *a, size_t size)
{
	size_t need = ebb_mem_add(size, ALIGN - 1) & ~(size_t)(ALIGN - 1);

	if (need < size)
		return NULL;
	if ((!a->chunks || need > a->size - a->used) && grow(a, need) < 0)
		return NULL;

	void *p = a->chunks->data + a->used;
	a->used += need;
	return p;
}

void *ebb_arena_calloc(struct ebb_arena *a, size_t n, size_t size)
{
	return ebb_arena_alloc(a, ebb_mem_mul(n, size));
}

char *ebb_arena_memdup(struct ebb_arena *a, const void *p, size_t len)
{
	char *copy = ebb_arena_alloc(a, ebb_mem_add(len, 1));

	if (copy && len)
		memcpy(copy, p, len);
	return copy;
}

char *ebb_arena_strdup(struct ebb_arena *a, const char *s)
{
	return ebb_arena_memdup(a, s, strlen(s));
}

char *ebb_arena_printf(struct ebb_arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		return NULL;

	char *s = ebb_arena_alloc(a, (size_t)len + 1);
	if (!s)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return s;
}
