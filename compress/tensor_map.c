/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/tensor_map.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/mem.h"

#define TINY 4096 /* bytes of a range that is not worth a block */
#define ENOUGH 10 /* bytes by which every format can be told */

static const struct ebb_tensor_kind *const kinds[] = {
	&ebb_tensor_safetensors,
	&ebb_tensor_gguf,
	&ebb_tensor_npy,
};

void ebb_tensor_map_release(struct ebb_tensor_map *m)
{
	free(m->ranges);
	*m = (struct ebb_tensor_map){0};
}

int ebb_tensor_map_add(struct ebb_tensor_map *m, uint64_t begin, uint64_t end,
		       struct ebb_tensor_hint hint, struct ebb_err *err)
{
	if (begin >= end)
		return 0;
	if (m->n == EBB_TENSOR_MAP_RANGES)
		return ebb_err_set(err, EBB_ENOTSUP, "%s: more than %zu tensors", m->format,
				   EBB_TENSOR_MAP_RANGES);
	if (m->n == m->size) {
		size_t size = m->size ? 2 * m->size : 64;
		struct ebb_tensor_range *r = realloc(m->ranges, size * sizeof(*r));

		if (!r)
			return ebb_err_set(err, EBB_ENOMEM, "%s: no memory", m->format);
		m->ranges = r;
		m->size = size;
	}
	m->ranges[m->n++] = (struct ebb_tensor_range){begin, end, hint};
	return 0;
}

static int by_begin(const void *a, const void *b)
{
	const struct ebb_tensor_range *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

/*
 * Sort, find lies, join neighbours of one kind. What is left of tiny tensors between others is forgotten:
 * each range ends a block, and a block has a header.
 */
static int settle(struct ebb_tensor_map *m, int64_t size, struct ebb_err *err)
{
	size_t n = 0;

	if (m->n)
		qsort(m->ranges, m->n, sizeof(*m->ranges), by_begin);
	for (size_t i = 0; i < m->n; i++) {
		struct ebb_tensor_range *r = &m->ranges[i], *last = n ? &m->ranges[n - 1] : NULL;

		if (size >= 0 && r->end != EBB_TENSOR_MAP_END && r->end > (uint64_t)size)
			return ebb_err_set(err, EBB_ENOTSUP,
					   "%s: the header places a tensor up to byte %" PRIu64
					   " of an object of %" PRId64, m->format, r->end, size);
		if (last && r->begin < last->end)
			return ebb_err_set(err, EBB_ENOTSUP, "%s: tensors overlap at byte %" PRIu64,
					   m->format, r->begin);
		if (last && r->begin == last->end && r->hint.width == last->hint.width &&
		    r->hint.floats == last->hint.floats)
			last->end = r->end;
		else
			m->ranges[n++] = *r;
	}
	m->n = 0;
	for (size_t i = 0; i < n; i++) {
		if (m->ranges[i].end - m->ranges[i].begin >= TINY)
			m->ranges[m->n++] = m->ranges[i];
	}
	return 0;
}

static const struct ebb_tensor_kind *kind_of(const uint8_t *p, size_t len)
{
	for (size_t i = 0; len >= ENOUGH && i < EBB_ARRAY_LEN(kinds); i++) {
		if (kinds[i]->looks(p, len))
			return kinds[i];
	}
	return NULL;
}

int ebb_tensor_map(const uint8_t *p, size_t len, int64_t size, bool all, struct ebb_tensor_map *ret,
		   struct ebb_err *err)
{
	const struct ebb_tensor_kind *kind = kind_of(p, len);
	struct ebb_tensor_map m = {.format = kind ? kind->name : "raw"};
	uint64_t need = 0;
	int r = 1;

	if (len < ENOUGH && !all)
		return 0;
	if (kind)
		r = kind->read(p, len, &m, &need, err);
	if (r == 0 && (all || (size >= 0 && need > (uint64_t)size)))
		r = ebb_err_set(err, EBB_ENOTSUP, "%s: the object ends within its header", m.format);
	if (r == 0 && (len >= EBB_TENSOR_MAP_HEADER || need > EBB_TENSOR_MAP_HEADER))
		r = ebb_err_set(err, EBB_ENOTSUP, "%s: a header of more than %zu MiB", m.format,
				EBB_TENSOR_MAP_HEADER >> 20);
	if (r == 1) {
		int e = settle(&m, size, err);

		r = e < 0 ? e : 1;
	}
	if (r == 1)
		*ret = m;
	else
		ebb_tensor_map_release(&m);
	return r;
}
