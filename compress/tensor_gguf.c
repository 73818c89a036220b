/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GGUF, versions 2 and 3, little-endian (ggml, docs/gguf.md): magic, version, counts; key-value pairs;
 * one description per tensor; padding to the alignment; tensors. Quantised tensors are left to be found
 * out: their blocks have no element width.
 */
#include <inttypes.h>
#include <string.h>

#include "compress/tensor_map.h"
#include "core/le.h"

#define DEPTH_MAX 4	/* arrays within arrays */
#define DIMS_MAX 8
#define ALIGNMENT_DEFAULT 32
#define ALIGNMENT_KEY "general.alignment"

enum { T_UINT32 = 4, T_STRING = 8, T_ARRAY = 9 };

/* Bytes of a value of each type; 0: its own encoding. */
static const uint8_t value_size[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/* Reading on; `need` is set once they did not suffice, to how many there must be. */
struct in {
	const uint8_t *p;
	uint64_t len, at, need;
};

/* Are @n more bytes there? */
static bool have(struct in *in, uint64_t n)
{
	if (n <= in->len - in->at)
		return true;
	if (!in->need)
		in->need = n > UINT64_MAX - in->at ? UINT64_MAX : in->at + n;
	return false;
}

static bool skip(struct in *in, uint64_t n)
{
	bool ok = have(in, n);

	if (ok)
		in->at += n;
	return ok;
}

static bool get32(struct in *in, uint32_t *ret)
{
	if (!have(in, 4))
		return false;
	*ret = ebb_le_get32(in->p + in->at);
	in->at += 4;
	return true;
}

static bool get64(struct in *in, uint64_t *ret)
{
	if (!have(in, 8))
		return false;
	*ret = ebb_le_get64(in->p + in->at);
	in->at += 8;
	return true;
}

static bool skip_string(struct in *in)
{
	uint64_t n;

	return get64(in, &n) && skip(in, n);
}

static int lies(struct ebb_err *err, const char *what)
{
	return ebb_err_set(err, EBB_ENOTSUP, "gguf: %s", what);
}

/* Skip a value: 1, 0 (more bytes are needed), negative. */
static int skip_value(struct in *in, uint32_t type, int depth, struct ebb_err *err)
{
	uint32_t of;
	uint64_t n;

	if (type >= sizeof(value_size))
		return lies(err, "a value of an unknown type");
	if (type == T_STRING)
		return skip_string(in);
	if (type != T_ARRAY)
		return skip(in, value_size[type]);
	if (depth == DEPTH_MAX)
		return lies(err, "arrays nested too deep");
	if (!get32(in, &of) || !get64(in, &n))
		return 0;
	if (of < sizeof(value_size) && value_size[of])
		return skip(in, n > UINT64_MAX / 8 ? UINT64_MAX : n * value_size[of]);
	for (uint64_t i = 0; i < n; i++) {
		int r = skip_value(in, of, depth + 1, err);

		if (r != 1)
			return r;
	}
	return 1;
}

/* Skip the pairs, except for the alignment. */
static int read_pairs(struct in *in, uint64_t n, uint32_t *alignment, struct ebb_err *err)
{
	for (uint64_t i = 0; i < n; i++) {
		uint64_t len;
		uint32_t type;

		if (!get64(in, &len) || !have(in, len))
			return 0;
		bool mine = len == sizeof(ALIGNMENT_KEY) - 1 &&
			    memcmp(in->p + in->at, ALIGNMENT_KEY, len) == 0;
		in->at += len;
		if (!get32(in, &type))
			return 0;
		int r = mine && type == T_UINT32 ? get32(in, alignment) :
						   skip_value(in, type, 0, err);
		if (r != 1)
			return r;
	}
	if (*alignment == 0 || *alignment > 1 << 20 || (*alignment & (*alignment - 1)))
		return lies(err, "an alignment that is no power of two");
	return 1;
}

/* Element width of a ggml type without blocks; 0 for the others. */
static struct ebb_tensor_hint hint_of(uint32_t type)
{
	switch (type) {
	case 0:		/* F32 */
		return (struct ebb_tensor_hint){4, true};
	case 1:		/* F16 */
	case 30:	/* BF16 */
		return (struct ebb_tensor_hint){2, true};
	case 28:	/* F64 */
		return (struct ebb_tensor_hint){8, true};
	case 24:	/* I8 to I64 */
	case 25:
	case 26:
	case 27:
		return (struct ebb_tensor_hint){(uint8_t)(1u << (type - 24)), false};
	default:
		return (struct ebb_tensor_hint){0};
	}
}

/* One description; its range, relative to where the tensors begin, goes into the map. */
static int read_tensor(struct in *in, uint32_t alignment, struct ebb_tensor_map *m,
		       struct ebb_err *err)
{
	uint32_t dims, type;
	uint64_t elements = 1, dim, offset, bytes;

	if (!skip_string(in) || !get32(in, &dims))
		return 0;
	if (dims > DIMS_MAX)
		return lies(err, "a tensor of too many dimensions");
	for (uint32_t i = 0; i < dims; i++) {
		if (!get64(in, &dim))
			return 0;
		if (__builtin_mul_overflow(elements, dim, &elements))
			return lies(err, "a tensor larger than any object");
	}
	if (!get32(in, &type) || !get64(in, &offset))
		return 0;
	struct ebb_tensor_hint hint = hint_of(type);
	if (__builtin_mul_overflow(elements, hint.width, &bytes) || bytes > INT64_MAX / 2 ||
	    offset > INT64_MAX / 2)
		return lies(err, "a tensor larger than any object");
	if (offset % alignment)
		return lies(err, "a tensor off the alignment");
	int r = hint.width ? ebb_tensor_map_add(m, offset, offset + bytes, hint, err) : 0;
	return r < 0 ? r : 1;
}

static bool looks(const uint8_t *p, size_t len)
{
	(void)len;
	return memcmp(p, "GGUF", 4) == 0 && (ebb_le_get32(p + 4) == 2 || ebb_le_get32(p + 4) == 3);
}

static int read(const uint8_t *p, size_t len, struct ebb_tensor_map *m, uint64_t *ret_need,
		struct ebb_err *err)
{
	struct in in = {.p = p, .len = len, .at = 8};
	uint64_t tensors, pairs;
	uint32_t alignment = ALIGNMENT_DEFAULT;
	int r = get64(&in, &tensors) && get64(&in, &pairs);

	if (r == 1)
		r = read_pairs(&in, pairs, &alignment, err);
	for (uint64_t i = 0; r == 1 && i < tensors; i++)
		r = read_tensor(&in, alignment, m, err);
	if (r == 1) {
		uint64_t begin = (in.at + alignment - 1) / alignment * alignment;

		for (size_t i = 0; i < m->n; i++) {
			m->ranges[i].begin += begin;
			m->ranges[i].end += begin;
		}
	}
	*ret_need = in.need;
	return r;
}

const struct ebb_tensor_kind ebb_tensor_gguf = {"gguf", looks, read};
