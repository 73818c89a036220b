/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/content.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "compress/digest.h"
#include "scanners/store_memory.h"
#include "tests/support/store_suite.h"
#include "tests/support/unit.h"

#define expect ebb_store_suite_expect
#define STORE EBB_CLEANUP(ebb_store_closep) struct ebb_store
#define CONTENT EBB_CLEANUP(ebb_content_freep) struct ebb_content

#define BIG (3 * 1024 * 1024 + 77)
static uint8_t bytes[BIG];
static struct ebb_err err;

static struct ebb_store *memory(void)
{
	const struct ebb_store_config cfg = {.name = "m", .type = "memory"};
	struct ebb_store *s = NULL;

	expect(ebb_store_open(&cfg, &s, &err), 0, &err);
	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (uint8_t)(i * i >> 7);
	return s;
}

static struct ebb_record put(struct ebb_store *s, const char *key, size_t len)
{
	struct ebb_record rec;

	expect(ebb_store_memory_put(s, key, bytes, len, &err), 0, &err);
	expect(ebb_store_head(s, key, &rec, &err), 0, &err);
	return rec;
}

START_TEST(digests_are_of_all_bytes)
{
	STORE *s = memory();
	CONTENT *c = ebb_content_new();
	const size_t lens[] = {1, 100, 65536, 1024 * 1024, BIG, 0};
	uint8_t got[EBB_DIGEST_LEN], want[EBB_DIGEST_LEN];

	for (size_t i = 0; i < EBB_ARRAY_LEN(lens); i++) {
		struct ebb_record rec = put(s, "o", lens[i]);
		expect(ebb_content_digest(c, s, &rec, NULL, got, &err), 0, &err);
		expect(ebb_digest_of(&ebb_digest_xxh128, bytes, lens[i], want, &err), 0, &err);
		ck_assert_mem_eq(got, want, EBB_DIGEST_LEN);
		ebb_store_suite_purge(s, "o");
	}
}
END_TEST

/* Bytes in the three pieces change the sample, others do not. */
START_TEST(samples_are_of_three_pieces)
{
	STORE *s = memory();
	CONTENT *c = ebb_content_new();
	const struct {
		size_t at;
		bool seen;
	} cases[] = {{0, true}, {4095, true}, {4096, false}, {BIG / 2, true}, {BIG / 2 - 2049, false},
		     {BIG / 2 + 2047, true}, {BIG / 2 + 2048, false}, {BIG - 4097, false},
		     {BIG - 4096, true}, {BIG - 1, true}};
	uint8_t first[EBB_DIGEST_LEN], got[EBB_DIGEST_LEN];
	struct ebb_record rec = put(s, "o", BIG);

	expect(ebb_content_sample(c, s, &rec, first, &err), 0, &err);
	for (size_t i = 0; i < EBB_ARRAY_LEN(cases); i++) {
		ebb_store_suite_purge(s, "o");
		bytes[cases[i].at] ^= 1;
		rec = put(s, "o", BIG);
		bytes[cases[i].at] ^= 1;
		expect(ebb_content_sample(c, s, &rec, got, &err), 0, &err);
		ck_assert_msg((memcmp(first, got, EBB_DIGEST_LEN) != 0) == cases[i].seen, "byte %zu",
			      cases[i].at);
	}
}
END_TEST

START_TEST(what_changed_has_no_digest)
{
	STORE *s = memory();
	CONTENT *c = ebb_content_new();
	atomic_bool cancel = true;
	uint8_t got[EBB_DIGEST_LEN] = {0}, zero[EBB_DIGEST_LEN] = {0};
	struct ebb_record rec = put(s, "o", BIG), old = rec;

	rec.f[EBB_F_SIZE]--;
	expect(ebb_content_digest(c, s, &rec, NULL, got, &err), EBB_ECHANGED, &err);
	expect(ebb_content_sample(c, s, &rec, got, &err), EBB_ECHANGED, &err);
	expect(ebb_content_digest(c, s, &old, &cancel, got, &err), EBB_ECANCELLED, &err);
	ebb_store_suite_purge(s, "o");
	expect(ebb_content_digest(c, s, &old, NULL, got, &err), EBB_ENOENT, &err);
	ck_assert_mem_eq(got, zero, EBB_DIGEST_LEN);
}
END_TEST

EBB_UNIT_MAIN("content", digests_are_of_all_bytes, samples_are_of_three_pieces, what_changed_has_no_digest)
