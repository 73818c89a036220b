/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/packname.h"

#include <string.h>

#include "compress/digest.h"
#include "compress/pack.h"
#include "policies/rules.h"

#define GONE ".gone/"
#define SECOND INT64_C(1000000000)
#define HEX ((size_t)2 * EBB_DIGEST_LEN)
#define GENERATIONS 100000

static bool ends_with(const char *key, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && memcmp(key + len - n, end, n) == 0;
}

/* Digits up to the end of @len bytes, no leading zero; -1 when they are none. */
static int64_t number(const char *p, size_t len, int64_t most)
{
	int64_t n = 0;

	if (len == 0 || (len > 1 && *p == '0'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9' || n > most / 10)
			return -1;
		n = 10 * n + (p[i] - '0');
	}
	return n <= most ? n : -1;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hash(const char *p, uint8_t *ret)
{
	for (size_t i = 0; i < EBB_DIGEST_LEN; i++) {
		int hi = hex_digit(p[2 * i]), lo = hex_digit(p[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		ret[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

static bool parse_pack(const char *key, size_t len, struct ebb_packname *n)
{
	const char *r;

	if (!ends_with(key, len, EBB_PACK_SUFFIX))
		return false;
	n->kind = EBB_PACKNAME_PACK;
	n->line = len - strlen(EBB_PACK_SUFFIX);
	n->generation = 0;
	r = memrchr(key, '.', n->line);
	if (r && r[1] == 'r') {
		int64_t g = number(r + 2, n->line - (size_t)(r + 2 - key), GENERATIONS);

		if (g > 0) {
			n->generation = (int)g;
			n->line = (size_t)(r - key);
		}
	}
	return true;
}

static bool parse_tombstone(const char *key, size_t len, struct ebb_packname *n)
{
	const char *slash = memrchr(key, '/', len);
	size_t from = slash ? (size_t)(slash - key) + 1 : 0;

	if (!ends_with(key, from, GONE) || len - from < HEX + 2 || key[from + HEX] != '-' ||
	    !read_hash(key + from, n->hash))
		return false;
	n->kind = EBB_PACKNAME_TOMBSTONE;
	n->line = from - strlen(GONE);
	n->expires = number(key + from + HEX + 1, len - from - HEX - 1, INT64_MAX / SECOND);
	if (n->expires < 0)
		return false;
	n->expires *= SECOND;
	return true;
}

bool ebb_packname_parse(const char *key, size_t len, struct ebb_packname *ret)
{
	const size_t head = strlen(EBB_RULES_PACKS_PREFIX);
	struct ebb_packname n = {0};
	const char *slash;

	if (len <= head || memcmp(key, EBB_RULES_PACKS_PREFIX, head) != 0)
		return false;
	slash = memchr(key + head, '/', len - head);
	if (!slash || slash == key + head)
		return false;
	n.store = key + head;
	n.store_len = (size_t)(slash - n.store);
	if (!parse_pack(key, len, &n) && !parse_tombstone(key, len, &n))
		return false;
	if (n.line <= (size_t)(slash + 1 - key))
		return false;
	*ret = n;
	return true;
}

const char *ebb_packname_pack(struct ebb_arena *arena, const char *key, size_t line, int generation)
{
	return generation ? ebb_arena_printf(arena, "%.*s.r%d%s", (int)line, key, generation, EBB_PACK_SUFFIX)
			  : ebb_arena_printf(arena, "%.*s%s", (int)line, key, EBB_PACK_SUFFIX);
}

void ebb_packname_hash(const char *member, size_t len, uint8_t ret[EBB_DIGEST_LEN])
{
	ebb_digest_of(&ebb_digest_xxh128, member, len, ret, NULL);
}

const char *ebb_packname_tombstone(struct ebb_arena *arena, const char *key, size_t line, const char *member,
				   size_t member_len, int64_t expires)
{
	uint8_t hash[EBB_DIGEST_LEN];
	char hex[HEX + 1];
	int64_t s = expires / SECOND + (expires % SECOND != 0);

	ebb_packname_hash(member, member_len, hash);
	ebb_digest_hex(hash, EBB_DIGEST_LEN, hex);
	return ebb_arena_printf(arena, "%.*s%s%s-%lld", (int)line, key, GONE, hex, (long long)s);
}
