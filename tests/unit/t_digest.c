/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "compress/digest.h"
#include "compress/hmac.h"
#include "core/record.h"
#include "tests/support/unit.h"

/* Digest of @p in hex, taken in pieces of @piece bytes. */
static const char *hex_of(const struct ebb_digest_algo *algo, const void *p, size_t len,
			  size_t piece)
{
	static char hex[2 * EBB_DIGEST_MAX + 1];
	uint8_t out[EBB_DIGEST_MAX];
	struct ebb_digest d;

	ck_assert_int_eq(ebb_digest_init(&d, algo, NULL), 0);
	for (size_t at = 0; at < len; at += piece)
		ebb_digest_update(&d, (const char *)p + at, len - at < piece ? len - at : piece);
	ck_assert_int_eq(ebb_digest_final(&d, out, NULL), 0);
	ebb_digest_release(&d);
	ebb_digest_hex(out, algo->len, hex);
	return hex;
}

/* Vectors of xxHash's own sanity check (xsum_sanity_check.c), and its generator of test bytes. */
START_TEST(xxh128_published_vectors)
{
	static const struct {
		size_t len;
		const char *hex;
	} vectors[] = {
		{0, "99aa06d3014798d86001c324468d497f"},
		{1, "a6cd5e9392000f6ac44bdff4074eecdb"},
		{6, "082afe0b8162d12a3e7039bdda43cfc6"},
		{12, "6e3efd8fc7802b18061a192713f69ad9"},
		{24, "0ce966e4678d37611e7044d28b1b901d"},
		{48, "a002ac4e5478227ef942219aed80f67b"},
		{2048, "f736557fd47073a5dd59e2c3a5f038e0"},
	};
	uint8_t bytes[2048];
	uint64_t state = 2654435761;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(state >> 56);
		state *= 11400714785074694797ULL;
	}
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		ck_assert_str_eq(hex_of(&ebb_digest_xxh128, bytes, vectors[i].len, 2048),
				 vectors[i].hex);
		ck_assert_str_eq(hex_of(&ebb_digest_xxh128, bytes, vectors[i].len, 7),
				 vectors[i].hex);
	}
}
END_TEST

/* FIPS 180-2, appendix B, and the digest of nothing. */
/* RFC 1321, A.5. */
START_TEST(md5_published_vectors)
{
	ck_assert_str_eq(hex_of(&ebb_digest_md5, "", 0, 1), "d41d8cd98f00b204e9800998ecf8427e");
	ck_assert_str_eq(hex_of(&ebb_digest_md5, "abc", 3, 2), "900150983cd24fb0d6963f7d28e17f72");
}
END_TEST

START_TEST(xxh128_goes_on_from_a_state)
{
	static const size_t lens[] = {0, 1, 63, 64, 240, 241, 256, 1023, 1024, 5000};
	uint8_t bytes[6000], state[EBB_DIGEST_STATE], whole[EBB_DIGEST_LEN], got[EBB_DIGEST_LEN];
	struct ebb_digest a = {0}, b = {0};

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * i >> 3);
	ebb_digest_of(&ebb_digest_xxh128, bytes, sizeof(bytes), whole, NULL);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		ck_assert_int_eq(ebb_digest_init(&a, &ebb_digest_xxh128, NULL), 0);
		ck_assert_int_eq(ebb_digest_init(&b, &ebb_digest_xxh128, NULL), 0);
		ebb_digest_update(&a, bytes, lens[i]);
		ebb_digest_update(&b, bytes, 77);	/* forgotten */
		ck_assert_int_eq(ebb_digest_save(&a, state, NULL), 0);
		ebb_digest_release(&a);
		ck_assert_int_eq(ebb_digest_load(&b, state, NULL), 0);
		ebb_digest_update(&b, bytes + lens[i], sizeof(bytes) - lens[i]);
		ck_assert_int_eq(ebb_digest_final(&b, got, NULL), 0);
		ck_assert_mem_eq(got, whole, sizeof(got));
		ebb_digest_release(&b);
	}
}
END_TEST

START_TEST(a_strange_state_is_refused)
{
	uint8_t state[EBB_DIGEST_STATE];
	struct ebb_digest d = {0};

	ck_assert_int_eq(ebb_digest_init(&d, &ebb_digest_xxh128, NULL), 0);
	ck_assert_int_eq(ebb_digest_save(&d, state, NULL), 0);
	state[0] ^= 1;	/* another version of the library */
	ck_assert_int_eq(ebb_digest_load(&d, state, NULL), -EBB_ENOTSUP);
	ebb_digest_release(&d);
	ck_assert_int_eq(ebb_digest_init(&d, &ebb_digest_sha256, NULL), 0);
	ck_assert_int_eq(ebb_digest_save(&d, state, NULL), -EBB_ENOTSUP);
	ebb_digest_release(&d);
}
END_TEST

/* RFC 4231, 4.3 and 4.7. */
START_TEST(hmac_published_vectors)
{
	char long_key[131], hex[2 * EBB_HMAC_LEN + 1];
	uint8_t sum[EBB_HMAC_LEN];

	ck_assert_int_eq(ebb_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, sum, NULL), 0);
	ebb_digest_hex(sum, sizeof(sum), hex);
	ck_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(long_key, 0xaa, sizeof(long_key));
	ck_assert_int_eq(ebb_hmac_sha256(long_key, sizeof(long_key),
					 "Test Using Larger Than Block-Size Key - Hash Key First", 54, sum, NULL),
			 0);
	ebb_digest_hex(sum, sizeof(sum), hex);
	ck_assert_str_eq(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

START_TEST(sha256_published_vectors)
{
	const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char *million = malloc(1000000);

	memset(million, 'a', 1000000);
	ck_assert_str_eq(hex_of(&ebb_digest_sha256, "", 0, 1),
			 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ck_assert_str_eq(hex_of(&ebb_digest_sha256, "abc", 3, 3),
			 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_str_eq(hex_of(&ebb_digest_sha256, two, 56, 5),
			 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	ck_assert_str_eq(hex_of(&ebb_digest_sha256, million, 1000000, 4097),
			 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}
END_TEST

START_TEST(clear_starts_again_also_after_final)
{
	const struct ebb_digest_algo *const algos[] = {&ebb_digest_xxh128, &ebb_digest_sha256, &ebb_digest_md5};

	for (size_t i = 0; i < 2; i++) {
		uint8_t want[EBB_DIGEST_MAX], got[EBB_DIGEST_MAX];
		struct ebb_digest d;

		ck_assert_int_eq(ebb_digest_of(algos[i], "abc", 3, want, NULL), 0);
		ck_assert_int_eq(ebb_digest_init(&d, algos[i], NULL), 0);
		ebb_digest_update(&d, "rubbish", 7);
		for (int round = 0; round < 2; round++) {
			ebb_digest_clear(&d);
			ebb_digest_update(&d, "abc", 3);
			ck_assert_int_eq(ebb_digest_final(&d, got, NULL), 0);
			ck_assert_mem_eq(got, want, algos[i]->len);
		}
		ebb_digest_release(&d);
	}
}
END_TEST

START_TEST(release_accepts_zeroed_and_update_accepts_nothing)
{
	struct ebb_digest d = {0};
	uint8_t out[EBB_DIGEST_MAX];

	ebb_digest_release(&d);
	ck_assert_int_eq(ebb_digest_init(&d, &ebb_digest_sha256, NULL), 0);
	ebb_digest_update(&d, NULL, 0);
	ck_assert_int_eq(ebb_digest_final(&d, out, NULL), 0);
	ebb_digest_release(&d);
}
END_TEST

static int broken(void *state, const void *p, size_t len)
{
	(void)state;
	(void)p;
	(void)len;
	return -1;
}

START_TEST(final_tells_a_failure_on_the_way)
{
	struct ebb_digest_algo algo = ebb_digest_sha256;
	uint8_t out[EBB_DIGEST_MAX] = {7};
	struct ebb_err err = {0};
	struct ebb_digest d;

	algo.update = broken;
	ck_assert_int_eq(ebb_digest_init(&d, &algo, NULL), 0);
	ebb_digest_update(&d, "x", 1);
	ck_assert_int_eq(ebb_digest_final(&d, out, &err), -EBB_EIO);
	ck_assert_str_eq(err.msg, "the sha256 digest failed");
	ck_assert_int_eq(out[0], 7);
	ebb_digest_release(&d);
}
END_TEST

START_TEST(find_knows_names)
{
	ck_assert_ptr_eq(ebb_digest_find("xxh128"), &ebb_digest_xxh128);
	ck_assert_ptr_eq(ebb_digest_find("sha256"), &ebb_digest_sha256);
	ck_assert_ptr_null(ebb_digest_find("md4"));
	ck_assert_ptr_null(ebb_digest_find(""));
	ck_assert_uint_eq(ebb_digest_xxh128.len, EBB_DIGEST_LEN);
}
END_TEST

START_TEST(hex_both_ways)
{
	const uint8_t bytes[] = {0x00, 0x7f, 0x80, 0xff, 0xa5};
	uint8_t back[5] = {0};
	char hex[11];

	ebb_digest_hex(bytes, 5, hex);
	ck_assert_str_eq(hex, "007f80ffa5");
	ck_assert_int_eq(ebb_digest_unhex(hex, 5, back, NULL), 0);
	ck_assert_mem_eq(back, bytes, 5);
	ck_assert_int_eq(ebb_digest_unhex("007F80FfA5", 5, back, NULL), 0);
	ck_assert_mem_eq(back, bytes, 5);
	ebb_digest_hex(bytes, 0, hex);
	ck_assert_str_eq(hex, "");
}
END_TEST

START_TEST(unhex_refuses_everything_else)
{
	static const char *const bad[] = {"", "0", "00", "00000", "000g", " 000", "0x00", "00 0"};
	uint8_t back[2] = {7, 7};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ebb_err err = {0};

		ck_assert_int_eq(ebb_digest_unhex(bad[i], 2, back, &err), -EBB_EINVAL);
		ck_assert(strstr(err.msg, "is not a digest of 4 hex digits") != NULL);
	}
	ck_assert_uint_eq(back[0], 7);
	ck_assert_uint_eq(back[1], 7);
}
END_TEST

EBB_UNIT_MAIN("digest", xxh128_published_vectors, xxh128_goes_on_from_a_state, a_strange_state_is_refused, md5_published_vectors, hmac_published_vectors,
	      sha256_published_vectors,
	      clear_starts_again_also_after_final,
	      release_accepts_zeroed_and_update_accepts_nothing, final_tells_a_failure_on_the_way,
	      find_knows_names, hex_both_ways, unhex_refuses_everything_else)
