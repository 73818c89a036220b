/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/mem.h"

#define SIZE_FIRST ((size_t)64)

void ebb_buf_init(struct ebb_buf *b, size_t cap)
{
	*b = EBB_BUF_INIT(cap);
}

void ebb_buf_release(struct ebb_buf *b)
{
	free(b->data);
	*b = (struct ebb_buf){0};
}

void ebb_buf_clear(struct ebb_buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

int ebb_buf_reserve(struct ebb_buf *b, size_t extra)
{
	size_t need = ebb_mem_add(ebb_mem_add(b->len, extra), 1);
	size_t most = ebb_mem_add(b->cap, 1);

	if (need <= b->size)
		return 0;
	if (need > most || need == SIZE_MAX)
		return -EBB_ENOMEM;

	size_t size = ebb_mem_mul(b->size, 2);
	if (size < SIZE_FIRST)
		size = SIZE_FIRST;
	if (size > most)
		size = most;
	if (size < need)
		size = need;

	char *data = realloc(b->data, size);
	if (!data)
		return -EBB_ENOMEM;
	b->data = data;
	b->size = size;
	b->data[b->len] = '\0';
	return 0;
}

int ebb_buf_add(struct ebb_buf *b, const void *p, size_t len)
{
	int r = ebb_buf_reserve(b, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(b->data + b->len, p, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int ebb_buf_adds(struct ebb_buf *b, const char *s)
{
	return ebb_buf_add(b, s, strlen(s));
}

int ebb_buf_addc(struct ebb_buf *b, char c)
{
	return ebb_buf_add(b, &c, 1);
}

int ebb_buf_vaddf(struct ebb_buf *b, const char *fmt, va_list ap)
{
	size_t room = b->size - b->len;
	va_list again;
	int r = 0;

	va_copy(again, ap);
	/* mostly it fits, and formatting is what rows of plans spend most time on */
	int len = vsnprintf(room ? b->data + b->len : NULL, room, fmt, ap);
	if (len < 0 || (size_t)len >= room) {
		if (room)
			b->data[b->len] = '\0';
		r = len < 0 ? -EBB_ENOMEM : ebb_buf_reserve(b, (size_t)len);
		if (r == 0)
			vsnprintf(b->data + b->len, (size_t)len + 1, fmt, again);
	}
	if (r == 0)
		b->len += (size_t)len;
	va_end(again);
	return r;
}

int ebb_buf_addf(struct ebb_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int r = ebb_buf_vaddf(b, fmt, ap);
	va_end(ap);
	return r;
}

char *ebb_buf_detach(struct ebb_buf *b)
{
	if (ebb_buf_reserve(b, 0) < 0)
		return NULL;

	char *data = b->data;
	ebb_buf_init(b, b->cap);
	return data;
}
