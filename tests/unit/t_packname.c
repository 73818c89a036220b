/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names below .ebb-packs/: what is one, what it says, and back. */
#include <check.h>
#include <string.h>

#include "agent/packname.h"
#include "core/mem.h"
#include "tests/support/unit.h"

#define LINE ".ebb-packs/hot/20260601T000000Z/000001"
#define SECOND INT64_C(1000000000)

static bool parse(const char *key, struct ebb_packname *n)
{
	return ebb_packname_parse(key, strlen(key), n);
}

START_TEST(packs_and_generations)
{
	struct ebb_packname n;
	struct ebb_arena a;

	ebb_arena_init(&a, 0);
	ck_assert(parse(LINE ".tar.zst", &n));
	ck_assert_int_eq(n.kind, EBB_PACKNAME_PACK);
	ck_assert_int_eq(n.generation, 0);
	ck_assert_uint_eq(n.line, strlen(LINE));
	ck_assert(n.store_len == 3 && memcmp(n.store, "hot", 3) == 0);
	for (int g = 0; g < 12; g++) {
		const char *key = ebb_packname_pack(&a, LINE ".r7.tar.zst", strlen(LINE), g);

		ck_assert(parse(key, &n));
		ck_assert_int_eq(n.generation, g);
		ck_assert_uint_eq(n.line, strlen(LINE));
	}
	/* a name of somebody else's is a line of its own */
	ck_assert(parse(".ebb-packs/s/x.r01.tar.zst", &n));
	ck_assert_int_eq(n.generation, 0);
	ck_assert_uint_eq(n.line, strlen(".ebb-packs/s/x.r01"));
	ebb_arena_release(&a);
}
END_TEST

START_TEST(tombstones)
{
	struct ebb_packname n;
	struct ebb_arena a;
	uint8_t hash[EBB_DIGEST_LEN];

	ebb_arena_init(&a, 0);
	const char *key = ebb_packname_tombstone(&a, LINE ".tar.zst", strlen(LINE), "a/\xff", 3, 5 * SECOND + 1);
	ck_assert(parse(key, &n));
	ck_assert_int_eq(n.kind, EBB_PACKNAME_TOMBSTONE);
	ck_assert_uint_eq(n.line, strlen(LINE));
	ck_assert_int_eq(n.expires, 6 * SECOND); /* never early */
	ebb_packname_hash("a/\xff", 3, hash);
	ck_assert_mem_eq(n.hash, hash, sizeof(hash));
	ebb_arena_release(&a);
}
END_TEST

START_TEST(others_are_none)
{
	static const char *const no[] = {
		"", "a.tar.zst", ".ebb-packs/", ".ebb-packs/x.tar.zst", ".ebb-packs//x.tar.zst", ".ebb-packs/s/.tar.zst",
		".ebb-packs/s/x.tar", ".ebb-packs/s/x.gone/", ".ebb-packs/s/x.gone/0123456789abcdef0123456789abcdef",
		".ebb-packs/s/x.gone/0123456789abcdef0123456789abcdef-", ".ebb-packs/s/x.gone/0123456789abcdef0123456789abcdeg-1",
		".ebb-packs/s/x.gone/0123456789ABCDEF0123456789abcdef-1", ".ebb-packs/s/x.gone/0123456789abcdef0123456789abcdef-01",
		".ebb-packs/s/x.gone/0123456789abcdef0123456789abcdef-9223372036854775807",
		".ebb-packs/s/x/0123456789abcdef0123456789abcdef-1", ".ebb-packs/s/.gone/0123456789abcdef0123456789abcdef-1",
	};
	struct ebb_packname n;

	for (size_t i = 0; i < EBB_ARRAY_LEN(no); i++)
		ck_assert_msg(!parse(no[i], &n), "%s", no[i]);
}
END_TEST

EBB_UNIT_MAIN("packname", packs_and_generations, tombstones, others_are_none)
