/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Layout of an encoded block, little-endian (core/DESIGN.md has the same table with the reasons):
 *
 *   0   u32  magic "EBK1"
 *   4   u16  n, records
 *   6   u16  columns: EBB_F_COUNT of the writer, and one more for the masks, which comes first
 *   8   u32  offset of the digests, 0: none
 *   12  u32  offset of the keys
 *   16  u32  length of the keys
 *   20  columns * 24 bytes: i64 min, i64 max, u32 offset, u8 width, u8 unit, u16 zero
 *   ..  column data, digests, keys, EBB_BLOCK_PAD zero bytes
 *
 * Keys: for each record varint shared, varint rest, `rest` bytes; `shared` bytes come from the key before.
 */
#include "core/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are copied as they lie in memory");

#define MAGIC UINT32_C(0x314b4245)
#define HEADER 20
#define DESC 24
#define COLUMNS (EBB_F_COUNT + 1)
#define BLOCK_CAP (64u << 20)

/* Units tried for columns; the code is the index. */
static const int64_t units[] = {1, 512, 1000000000};

struct ebb_block_builder {
	uint32_t n;
	bool digests;
	uint32_t known[EBB_BLOCK_MAX];
	int64_t col[EBB_F_COUNT][EBB_BLOCK_MAX];
	uint8_t digest[EBB_BLOCK_MAX][EBB_DIGEST_LEN];
	struct ebb_buf keys;
	char first[EBB_KEY_MAX + 1], last[EBB_KEY_MAX + 1];
	size_t first_len, last_len;
};

struct ebb_block_builder *ebb_block_builder_new(void)
{
	struct ebb_block_builder *b = malloc(sizeof(*b));

	if (!b)
		return NULL;
	ebb_buf_init(&b->keys, EBB_BLOCK_KEY_BYTES + EBB_KEY_MAX + 16);
	ebb_block_builder_clear(b);
	return b;
}

void ebb_block_builder_free(struct ebb_block_builder *b)
{
	if (!b)
		return;
	ebb_buf_release(&b->keys);
	free(b);
}

void ebb_block_builder_clear(struct ebb_block_builder *b)
{
	b->n = 0;
	b->digests = false;
	b->first_len = b->last_len = 0;
	ebb_buf_clear(&b->keys);
}

uint32_t ebb_block_builder_count(const struct ebb_block_builder *b)
{
	return b->n;
}

bool ebb_block_builder_full(const struct ebb_block_builder *b)
{
	return b->n == EBB_BLOCK_MAX || b->keys.len >= EBB_BLOCK_KEY_BYTES;
}

/* Bytes that both strings begin with. */
static size_t shared_prefix(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t n = alen < blen ? alen : blen, i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t x, y;
		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		if (x != y)
			return i + ((unsigned)__builtin_ctzll(x ^ y) >> 3);
	}
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

static uint8_t *put_varint(uint8_t *p, size_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

/* Append the key, front-coded against the last one. */
static int add_key(struct ebb_block_builder *b, const char *key, size_t len, struct ebb_err *err)
{
	size_t shared = 0;
	uint8_t head[16], *p = head;

	if (len == 0 || len > EBB_KEY_MAX)
		return ebb_err_set(err, EBB_EINVAL, "a key has %zu bytes; 1 to %d are possible", len,
				   EBB_KEY_MAX);
	if (b->n) {
		shared = shared_prefix(b->last, b->last_len, key, len);
		if (shared == len ||
		    (shared < b->last_len && (uint8_t)key[shared] < (uint8_t)b->last[shared]))
			return ebb_err_set(err, EBB_EINVAL, "keys do not ascend: '%.*s' after '%s'",
					   (int)len, key, b->last);
	}
	p = put_varint(p, shared);
	p = put_varint(p, len - shared);
	if (ebb_buf_reserve(&b->keys, (size_t)(p - head) + len - shared) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a block of records");
	ebb_buf_add(&b->keys, head, (size_t)(p - head));
	ebb_buf_add(&b->keys, key + shared, len - shared);
	memcpy(b->last + shared, key + shared, len - shared);
	b->last[len] = '\0';
	b->last_len = len;
	return 0;
}

int ebb_block_builder_add(struct ebb_block_builder *b, const struct ebb_record *r,
			  struct ebb_err *err)
{
	int rc;

	if (ebb_block_builder_full(b))
		return ebb_err_set(err, EBB_EINVAL, "the block is full");
	rc = add_key(b, r->key, r->key_len, err);
	if (rc < 0)
		return rc;
	if (b->n == 0) {
		memcpy(b->first, r->key, r->key_len);
		b->first[r->key_len] = '\0';
		b->first_len = r->key_len;
	}
	b->known[b->n] = r->known;
	for (int f = 0; f < EBB_F_COUNT; f++)
		b->col[f][b->n] = r->f[f];
	if (r->known & EBB_KNOWN_DIGESTS) {
		if (!b->digests)
			memset(b->digest, 0, sizeof(b->digest));
		b->digests = true;
		memcpy(b->digest[b->n], r->digest, EBB_DIGEST_LEN);
	}
	b->n++;
	return 0;
}

void ebb_block_builder_range(const struct ebb_block_builder *b, const char **ret_first,
			     size_t *ret_first_len, const char **ret_last, size_t *ret_last_len)
{
	*ret_first = b->first;
	*ret_first_len = b->first_len;
	*ret_last = b->last;
	*ret_last_len = b->last_len;
}

/* Code of the unit that all differences to @min divide by, for the fields where that is usual. */
static uint8_t pick_unit(int field, const int64_t *v, uint32_t n, int64_t min)
{
	uint8_t code = 0;

	if (field == EBB_F_ALLOC)
		code = 1;
	else if (field == EBB_F_MTIME || field == EBB_F_ATIME || field == EBB_F_CTIME)
		code = 2;
	for (uint32_t i = 0; code && i < n; i++)
		if (((uint64_t)v[i] - (uint64_t)min) % (uint64_t)units[code] != 0)
			code = 0;
	return code;
}

static uint8_t width_of(uint64_t greatest)
{
	return greatest ? (uint8_t)((64 - __builtin_clzll(greatest) + 7) / 8) : 0;
}

/* Encode one column behind @out and fill its descriptor. Room was reserved. */
static void put_column(struct ebb_buf *out, size_t desc, int field, const int64_t *v, uint32_t n)
{
	int64_t min = v[0], max = v[0];
	uint32_t off = (uint32_t)out->len;
	uint8_t unit, width;

	for (uint32_t i = 1; i < n; i++) {
		min = v[i] < min ? v[i] : min;
		max = v[i] > max ? v[i] : max;
	}
	unit = pick_unit(field, v, n, min);
	width = width_of(((uint64_t)max - (uint64_t)min) / (uint64_t)units[unit]);
	memcpy(out->data + desc, &min, 8);
	memcpy(out->data + desc + 8, &max, 8);
	memcpy(out->data + desc + 16, &off, 4);
	out->data[desc + 20] = (char)width;
	out->data[desc + 21] = (char)unit;
	if (width) {
		char *p = out->data + out->len;
		for (uint32_t i = 0; i < n; i++, p += width) {
			uint64_t d = (uint64_t)v[i] - (uint64_t)min;
			if (unit)
				d /= (uint64_t)units[unit];
			memcpy(p, &d, 8); /* up to 7 bytes too many; the next value or the pad covers them */
		}
		out->len += (size_t)n * width;
	}
}

int ebb_block_builder_encode(struct ebb_block_builder *b, struct ebb_buf *out, struct ebb_err *err)
{
	size_t head = HEADER + COLUMNS * DESC;
	size_t most = head + (size_t)b->n * (8 * COLUMNS + EBB_DIGEST_LEN) + b->keys.len + 16;
	uint32_t word[3] = {0, 0, (uint32_t)b->keys.len}, magic = MAGIC;
	uint16_t n = (uint16_t)b->n, columns = COLUMNS;
	int64_t *known = b->col[0];
	int64_t masks[EBB_BLOCK_MAX];

	ebb_buf_clear(out);
	if (ebb_buf_reserve(out, most) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to encode a block");
	memset(out->data, 0, head);
	out->len = head;
	for (uint32_t i = 0; i < b->n; i++)
		masks[i] = b->known[i];
	put_column(out, HEADER, -1, masks, b->n);
	for (int f = 0; f < EBB_F_COUNT; f++, known += EBB_BLOCK_MAX)
		put_column(out, HEADER + (size_t)(f + 1) * DESC, f, known, b->n);
	if (b->digests) {
		word[0] = (uint32_t)out->len;
		memcpy(out->data + out->len, b->digest, (size_t)b->n * EBB_DIGEST_LEN);
		out->len += (size_t)b->n * EBB_DIGEST_LEN;
	}
	word[1] = (uint32_t)out->len;
	memcpy(out->data + out->len, b->keys.data, b->keys.len);
	out->len += b->keys.len;
	memset(out->data + out->len, 0, EBB_BLOCK_PAD);
	out->len += EBB_BLOCK_PAD;
	out->data[out->len] = '\0';
	memcpy(out->data, &magic, 4);
	memcpy(out->data + 4, &n, 2);
	memcpy(out->data + 6, &columns, 2);
	memcpy(out->data + 8, word, 12);
	return 0;
}

static int corrupt(struct ebb_err *err, const char *what)
{
	return ebb_err_set(err, EBB_ECORRUPT, "a block of the index is damaged (%s); scan again with --restart",
			   what);
}

/* Read a descriptor; the data must lie between @from and @len - EBB_BLOCK_PAD. */
static bool open_column(struct ebb_block_column *c, const uint8_t *data, size_t desc, size_t from,
			size_t len, uint32_t n)
{
	uint32_t off;
	uint8_t unit = data[desc + 21];

	memcpy(&c->min, data + desc, 8);
	memcpy(&c->max, data + desc + 8, 8);
	memcpy(&off, data + desc + 16, 4);
	c->width = data[desc + 20];
	if (c->width > 8 || unit >= sizeof(units) / sizeof(units[0]) || c->min > c->max)
		return false;
	c->unit = units[unit];
	c->data = data + off;
	return off >= from && off <= len - EBB_BLOCK_PAD &&
	       (size_t)n * c->width <= len - EBB_BLOCK_PAD - off;
}

/* The first key stands in full at the head of the keys. */
static bool open_first(struct ebb_block *b)
{
	struct ebb_block_keys it;
	const uint8_t *p = b->keys;

	ebb_block_keys_init(&it, b);
	if (ebb_block_keys_next(&it, NULL) != 1)
		return false;
	while (*p++ & 0x80)
		;
	while (*p++ & 0x80)
		;
	b->first = (const char *)p;
	b->first_len = it.len;
	return true;
}

static void open_masks(struct ebb_block *b)
{
	b->known_all = b->known_any = (uint32_t)b->known.min;
	if (b->known.min != b->known.max) {
		uint32_t masks[EBB_BLOCK_MAX];
		ebb_block_known(b, masks);
		for (uint32_t i = 0; i < b->n; i++) {
			b->known_all &= masks[i];
			b->known_any |= masks[i];
		}
	}
}

int ebb_block_open(struct ebb_block *ret, const void *data, size_t len, struct ebb_err *err)
{
	const uint8_t *p = data;
	struct ebb_block b = {0};
	uint32_t magic, word[3];
	uint16_t n, columns;
	size_t head;

	if (len < HEADER + EBB_BLOCK_PAD || len > BLOCK_CAP)
		return corrupt(err, "length");
	memcpy(&magic, p, 4);
	memcpy(&n, p + 4, 2);
	memcpy(&columns, p + 6, 2);
	memcpy(word, p + 8, 12);
	head = HEADER + (size_t)columns * DESC;
	if (magic != MAGIC || n == 0 || n > EBB_BLOCK_MAX || columns == 0 ||
	    head > len - EBB_BLOCK_PAD)
		return corrupt(err, "header");
	b.n = n;
	if (!open_column(&b.known, p, HEADER, head, len, n))
		return corrupt(err, "masks");
	for (int f = 0; f < EBB_F_COUNT; f++) {
		b.col[f] = (struct ebb_block_column){.unit = 1, .data = p};
		if (f + 1 < columns &&
		    !open_column(&b.col[f], p, HEADER + (size_t)(f + 1) * DESC, head, len, n))
			return corrupt(err, "columns");
	}
	if (word[0]) {
		if (word[0] < head || (size_t)word[0] + (size_t)n * EBB_DIGEST_LEN > len - EBB_BLOCK_PAD)
			return corrupt(err, "digests");
		b.digests = p + word[0];
	}
	if (word[1] < head || (size_t)word[1] + word[2] > len - EBB_BLOCK_PAD)
		return corrupt(err, "keys");
	b.keys = p + word[1];
	b.keys_end = b.keys + word[2];
	if (!open_first(&b))
		return corrupt(err, "first key");
	open_masks(&b);
	*ret = b;
	return 0;
}

#define DECODE(type)                                                                               \
	for (uint32_t i = 0; i < n; i++) {                                                         \
		type x;                                                                            \
		memcpy(&x, p + (size_t)i * sizeof(x), sizeof(x));                                  \
		out[i] = (int64_t)((uint64_t)min + (uint64_t)x * unit);                            \
	}                                                                                          \
	break

static void decode(const struct ebb_block_column *c, uint32_t n, int64_t *out)
{
	const uint8_t *p = c->data;
	uint64_t unit = (uint64_t)c->unit, mask = (UINT64_C(1) << (c->width * 8 % 64)) - 1;
	int64_t min = c->min;

	switch (c->width) {
	case 0:
		for (uint32_t i = 0; i < n; i++)
			out[i] = min;
		break;
	case 1:
		DECODE(uint8_t);
	case 2:
		DECODE(uint16_t);
	case 4:
		DECODE(uint32_t);
	case 8:
		DECODE(uint64_t);
	default: /* reads up to 7 bytes behind the last value: EBB_BLOCK_PAD */
		for (uint32_t i = 0; i < n; i++) {
			uint64_t x;
			memcpy(&x, p + (size_t)i * c->width, 8);
			out[i] = (int64_t)((uint64_t)min + (x & mask) * unit);
		}
	}
}

void ebb_block_values(const struct ebb_block *b, enum ebb_field f, int64_t *out)
{
	decode(&b->col[f], b->n, out);
}

void ebb_block_known(const struct ebb_block *b, uint32_t *out)
{
	int64_t masks[EBB_BLOCK_MAX];

	decode(&b->known, b->n, masks);
	for (uint32_t i = 0; i < b->n; i++)
		out[i] = (uint32_t)masks[i];
}

void ebb_block_keys_init(struct ebb_block_keys *it, const struct ebb_block *b)
{
	it->b = b;
	it->at = b->keys;
	it->next = 0;
	it->len = 0;
	it->key[0] = '\0';
}

/* Read a varint of at most 16 bits; NULL when it is longer or leaves the keys. */
static const uint8_t *get_varint(const uint8_t *p, const uint8_t *end, uint32_t *ret)
{
	uint32_t v = 0;

	for (int shift = 0; shift < 21 && p < end; shift += 7) {
		v |= (uint32_t)(*p & 0x7f) << shift;
		if (!(*p++ & 0x80)) {
			*ret = v;
			return p;
		}
	}
	return NULL;
}

int ebb_block_keys_next(struct ebb_block_keys *it, struct ebb_err *err)
{
	const uint8_t *p = it->at, *end = it->b->keys_end;
	uint32_t shared, rest;

	if (it->next == it->b->n)
		return 0;
	p = get_varint(p, end, &shared);
	if (p)
		p = get_varint(p, end, &rest);
	if (!p || shared > it->len || rest == 0 || rest > (size_t)(end - p) ||
	    shared + rest > EBB_KEY_MAX)
		return corrupt(err, "a key");
	memcpy(it->key + shared, p, rest);
	it->len = shared + rest;
	it->key[it->len] = '\0';
	it->at = p + rest;
	it->next++;
	return 1;
}

void ebb_block_iter_init(struct ebb_block_iter *it, const struct ebb_block *b)
{
	ebb_block_keys_init(&it->keys, b);
	ebb_block_known(b, it->known);
	for (int f = 0; f < EBB_F_COUNT; f++)
		ebb_block_values(b, f, it->col[f]);
}

int ebb_block_iter_next(struct ebb_block_iter *it, struct ebb_record *rec, struct ebb_err *err)
{
	uint32_t i = it->keys.next;
	int rc = ebb_block_keys_next(&it->keys, err);

	if (rc != 1)
		return rc;
	rec->key = it->keys.key;
	rec->key_len = it->keys.len;
	rec->known = it->known[i];
	for (int f = 0; f < EBB_F_COUNT; f++)
		rec->f[f] = it->col[f][i];
	if ((rec->known & EBB_KNOWN_DIGESTS) && it->keys.b->digests)
		memcpy(rec->digest, it->keys.b->digests + (size_t)i * EBB_DIGEST_LEN, EBB_DIGEST_LEN);
	else
		memset(rec->digest, 0, EBB_DIGEST_LEN);
	return 1;
}
