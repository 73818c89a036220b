/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NumPy's .npy (NEP 1, numpy.lib.format): magic, version, length of a Python dictionary that names
 * the type as '<f4'; the array follows to the end of the file.
 */
#include <string.h>

#include "compress/tensor_map.h"
#include "core/le.h"

static bool looks(const uint8_t *p, size_t len)
{
	(void)len;
	return memcmp(p, "\x93NUMPY", 6) == 0 && p[6] >= 1 && p[6] <= 3;
}

/* The hint of a descriptor such as "<f4" ('|' and '=' have no order to speak of). */
static struct ebb_tensor_hint hint_of(char order, char kind, char digit)
{
	struct ebb_tensor_hint h = {.width = (uint8_t)(digit - '0'), .floats = kind == 'f'};

	/* Complex numbers are pairs of floats, times are int64, structures and strings anything. */
	if (!strchr("fiuMmbc", kind) || (h.width != 1 && h.width != 2 && h.width != 4 && h.width != 8))
		return (struct ebb_tensor_hint){0};
	if (kind == 'c')
		h = (struct ebb_tensor_hint){.width = h.width / 2, .floats = true};
	if (order == '>')
		h.floats = false; /* the exponent is no longer at the top */
	return h;
}

static int read(const uint8_t *p, size_t len, struct ebb_tensor_map *m, uint64_t *ret_need,
		struct ebb_err *err)
{
	static const char key[] = "'descr':";
	size_t head = p[6] == 1 ? 10 : 12;
	struct ebb_tensor_hint hint = {0};

	if (len < 12) {
		*ret_need = 12;
		return 0;
	}
	uint64_t begin = head + (p[6] == 1 ? ebb_le_get16(p + 8) : ebb_le_get32(p + 8));
	if (len < begin) {
		*ret_need = begin;
		return 0;
	}
	const uint8_t *d = memmem(p + head, begin - head, key, sizeof(key) - 1);
	if (!d)
		return ebb_err_set(err, EBB_ENOTSUP, "npy: the header names no type");
	for (d += sizeof(key) - 1; d < p + begin && *d == ' '; d++)
		;
	/* A quoted type of one digit; structures are lists. */
	if (d + 5 <= p + begin && d[0] == '\'' && d[4] == '\'' && d[3] >= '1' && d[3] <= '8')
		hint = hint_of((char)d[1], (char)d[2], (char)d[3]);
	return ebb_tensor_map_add(m, begin, EBB_TENSOR_MAP_END, hint, err) < 0 ? -EBB_ENOMEM : 1;
}

const struct ebb_tensor_kind ebb_tensor_npy = {"npy", looks, read};
