/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "compress/sample.h"
#include "core/mem.h"
#include "tests/support/unit.h"

struct object {
	uint8_t *p;
	int64_t len;
	int64_t bytes_read;
	int fail;
};

static int64_t object_read(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	struct object *o = ctx;

	if (o->fail)
		return ebb_err_set(err, o->fail, "cannot read");
	ck_assert_int_ge(off, 0);
	if (off >= o->len)
		return 0;
	if ((int64_t)len > o->len - off)
		len = (size_t)(o->len - off);
	memcpy(buf, o->p + off, len);
	o->bytes_read += (int64_t)len;
	return (int64_t)len;
}

/* Noise in which each byte is below @limit: entropy of log2(limit) / 8. */
static void noise(uint8_t *p, size_t len, unsigned limit)
{
	uint64_t x = 88172645463325252ULL;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (uint8_t)((x >> 20) % limit);
	}
}

static struct ebb_sample guess(struct object *o)
{
	struct ebb_sample s;

	ck_assert_int_eq(ebb_sample_guess(object_read, o, o->len, &s, NULL), 0);
	return s;
}

START_TEST(noise_is_not_worth_it)
{
	static const int64_t sizes[] = {5000, 8192, 8193, 32768, 32769, 100000, 3000000};
	EBB_CLEANUP(ebb_mem_freep) uint8_t *p = malloc(3000000);

	noise(p, 3000000, 256);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct object o = {.p = p, .len = sizes[i]};
		struct ebb_sample s = guess(&o);

		ck_assert_int_eq(s.verdict, EBB_SAMPLE_NOISE);
		ck_assert_int_eq(s.permille, 1000);
		ck_assert_ptr_null(s.format);
		ck_assert_int_le(o.bytes_read, 32768);
	}
}
END_TEST

START_TEST(low_entropy_shrinks)
{
	static const int64_t sizes[] = {8193, 40000, 3000000};
	EBB_CLEANUP(ebb_mem_freep) uint8_t *p = malloc(3000000);

	noise(p, 3000000, 16);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct object o = {.p = p, .len = sizes[i]};
		struct ebb_sample s = guess(&o);

		ck_assert_int_eq(s.verdict, EBB_SAMPLE_SHRINKS);
		ck_assert_int_ge(s.permille, 480);
		ck_assert_int_le(s.permille, 500);
	}
	memset(p, 0, 3000000);
	struct object zeros = {.p = p, .len = 3000000};
	ck_assert_int_eq(guess(&zeros).verdict, EBB_SAMPLE_SHRINKS);
	ck_assert_int_eq(guess(&zeros).permille, 0);
}
END_TEST

/*
 * Entropy of 0.90 to 0.98: zstd decides. Short repeats of noise shrink, flat noise of 200 values
 * hardly.
 */
START_TEST(doubt_is_settled_by_zstd)
{
	EBB_CLEANUP(ebb_mem_freep) uint8_t *p = malloc(400000);
	struct object o = {.p = p, .len = 400000};

	noise(p, 400000, 190);
	for (size_t i = 0; i + 64 <= 400000; i += 64) /* each half a copy of the other */
		memcpy(p + i + 32, p + i, 32);
	ck_assert_int_gt(ebb_sample_entropy(p, 4096), 900);
	ck_assert_int_lt(ebb_sample_entropy(p, 4096), 980);
	ck_assert_int_eq(guess(&o).verdict, EBB_SAMPLE_SHRINKS);
	ck_assert_int_lt(guess(&o).permille, 800);

	noise(p, 400000, 215);
	ck_assert_int_gt(ebb_sample_entropy(p, 4096), 950);
	ck_assert_int_lt(ebb_sample_entropy(p, 4096), 980);
	ck_assert_int_eq(guess(&o).verdict, EBB_SAMPLE_NOISE);
}
END_TEST

START_TEST(samples_cover_the_whole)
{
	EBB_CLEANUP(ebb_mem_freep) uint8_t *p = malloc(3000000);
	struct object o = {.p = p, .len = 3000000};

	noise(p, 3000000, 256);
	memset(p + 1500000, 'x', 1500000); /* second half plain */
	struct ebb_sample s = guess(&o);
	ck_assert_int_eq(s.verdict, EBB_SAMPLE_SHRINKS);
	ck_assert_int_ge(s.permille, 450);
	ck_assert_int_le(s.permille, 550);
}
END_TEST

START_TEST(formats_by_magic)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *format;
	} rows[] = {
		{"\x28\xb5\x2f\xfd....", 8, "zstd"},
		{"\x04\x22\x4d\x18....", 8, "lz4"},
		{"\x1f\x8b\x08.....", 8, "gzip"},
		{"BZh91AY&SY", 10, "bzip2"},
		{"BZhello, world", 14, NULL},
		{"\xfd" "7zXZ\0", 6, "xz"},
		{"PK\x03\x04\x14\0\0\0\x08\0", 10, "zip"},
		{"PK\x03\x04\x14\0\0\0\0\0", 10, NULL},	/* stored: .npz, checkpoints */
		{"PK\x03\x04\x14\0\0", 7, NULL},
		{"\x89PNG\r\n\x1a\n", 8, "png"},
		{"GIF89a", 6, "gif"},
		{"GIF8 text", 9, NULL},
		{"RIFF....WEBP", 12, "webp"},
		{"RIFF....WAVE", 12, NULL},
		{"\0\0\0\x20" "ftypisom", 12, "mp4"},
		{"ID3\x03\0", 5, "mp3"},
		{"ID3 is an algorithm", 19, NULL},
		{"plain text", 10, NULL},
		{"\x28\xb5\x2f", 3, NULL},
		{"", 0, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = ebb_sample_format((const uint8_t *)rows[i].bytes, rows[i].len);

		if (rows[i].format) {
			ck_assert_ptr_nonnull(got);
			ck_assert_str_eq(got, rows[i].format);
		} else {
			ck_assert_ptr_null(got);
		}
	}
}
END_TEST

/* A known format is told after the first sample; nothing else is read. */
START_TEST(packed_formats_are_not_read_further)
{
	EBB_CLEANUP(ebb_mem_freep) uint8_t *p = calloc(1, 1000000);
	struct object o = {.p = p, .len = 1000000};

	memcpy(p, "\x1f\x8b\x08", 3);
	struct ebb_sample s = guess(&o);
	ck_assert_int_eq(s.verdict, EBB_SAMPLE_PACKED);
	ck_assert_str_eq(s.format, "gzip");
	ck_assert_int_eq(s.permille, 1000);
	ck_assert_int_le(o.bytes_read, 8192);
}
END_TEST

START_TEST(empty_and_tiny)
{
	uint8_t byte = 'x';
	struct object o = {.p = &byte, .len = 0};

	ck_assert_int_eq(guess(&o).verdict, EBB_SAMPLE_NOISE);
	ck_assert_int_eq(o.bytes_read, 0);
	o.len = 1;
	ck_assert_int_eq(guess(&o).verdict, EBB_SAMPLE_NOISE);
	ck_assert_int_eq(o.bytes_read, 1);
}
END_TEST

START_TEST(failures_are_passed_on)
{
	uint8_t bytes[100] = {0};
	struct object o = {.p = bytes, .len = 100, .fail = EBB_EACCES};
	struct ebb_sample s = {.permille = 7};
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_sample_guess(object_read, &o, 100, &s, &err), -EBB_EACCES);
	ck_assert_str_eq(err.msg, "cannot read");
	o.fail = 0;
	ck_assert_int_eq(ebb_sample_guess(object_read, &o, 101, &s, NULL), -EBB_ECHANGED);
	ck_assert_int_eq(s.permille, 7);
}
END_TEST

START_TEST(entropy_of_known_bytes)
{
	uint8_t all[256], two[] = {0, 1, 0, 1};

	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	ck_assert_int_eq(ebb_sample_entropy(all, 256), 1000);
	ck_assert_int_eq(ebb_sample_entropy(all, 16), 500);
	ck_assert_int_eq(ebb_sample_entropy(two, 4), 125);
	ck_assert_int_eq(ebb_sample_entropy(two, 1), 0);
	ck_assert_int_eq(ebb_sample_entropy(NULL, 0), 0);
	/* 3 symbols: log2(3) / 8 = 0.19812 */
	ck_assert_int_eq(ebb_sample_entropy((const uint8_t *)"abcabcabc", 9), 198);
}
END_TEST

/* Stretches of noise and of four-bit noise, so that half to all is left: the truth lies within the margin. */
START_TEST(estimates_hold_their_margin)
{
	const size_t len = 12000000, stretch = 700000;
	EBB_CLEANUP(ebb_mem_freep) uint8_t *p = malloc(len);
	EBB_CLEANUP(ebb_mem_freep) uint8_t *out = malloc(ZSTD_compressBound(128 * 1024));
	struct object o = {p, (int64_t)len, 0, 0};
	struct ebb_sample_estimate e;

	for (unsigned every = 1; every < 6; every++) {
		noise(p, len, 256);
		for (size_t i = 0; i < len; i++)
			p[i] &= i / stretch % every == 0 ? 15 : 255;
		o.bytes_read = 0;
		ck_assert_int_eq(ebb_sample_estimate(object_read, &o, o.len, 3, &e, NULL), 0);
		ck_assert_int_eq(e.read, o.bytes_read);
		size_t coded = 0, piece = 128 * 1024;
		for (size_t at = 0; at < len; at += piece)
			coded += ZSTD_compress(out, ZSTD_compressBound(piece), p + at,
					       len - at < piece ? len - at : piece, 3);
		int truth = (int)(coded * 1000 / len);
		ck_assert_msg(abs(truth - e.permille) <= e.margin + 1, "%d, estimated %d +- %d", truth,
			      e.permille, e.margin);
		ck_assert_int_eq(every == 1, e.margin < 5);
	}
}
END_TEST

START_TEST(estimates_of_small_objects_are_exact)
{
	EBB_CLEANUP(ebb_mem_freep) uint8_t *p = malloc(100000);
	struct object o = {p, 100000, 0, 0};
	struct ebb_sample_estimate e;

	noise(p, 100000, 16);
	ck_assert_int_eq(ebb_sample_estimate(object_read, &o, o.len, 3, &e, NULL), 0);
	ck_assert_int_eq(e.margin, 0);
	ck_assert_int_ge(e.permille, 499);
	ck_assert_int_le(e.permille, 520);
	ck_assert_int_eq(ebb_sample_estimate(object_read, &o, 0, 3, &e, NULL), 0);
	ck_assert_int_eq(e.permille, 1000);
	ck_assert_int_eq(ebb_sample_estimate(object_read, &o, o.len + 1, 3, &e, NULL), -EBB_ECHANGED);
	o.fail = EBB_EIO;
	ck_assert_int_eq(ebb_sample_estimate(object_read, &o, o.len, 3, &e, NULL), -EBB_EIO);
}
END_TEST

EBB_UNIT_MAIN("sample", noise_is_not_worth_it, low_entropy_shrinks, doubt_is_settled_by_zstd,
	      samples_cover_the_whole, formats_by_magic, packed_formats_are_not_read_further,
	      empty_and_tiny, failures_are_passed_on, entropy_of_known_bytes,
	      estimates_hold_their_margin, estimates_of_small_objects_are_exact)
