/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compress/codec.h"
#include "core/buf.h"
#include "tests/support/unit.h"

#define MIB ((size_t)1 << 20)
#define CAP ((size_t)64 << 20)

/* The tests of one codec run for each row of the table. */
#define FOR_EACH_STOCK_CODEC(c)                                                                    \
	FOR_EACH_CODEC(c)                                                                          \
		if (c->caps & EBB_CODEC_CAP_STOCK)
#define FOR_EACH_CODEC(c)                                                                          \
	for (size_t row_ = 0; ebb_codec_at(row_); row_++)                                          \
		for (const struct ebb_codec *c = ebb_codec_at(row_); c; c = NULL)

enum kind { ZEROS, NOISE, TEXT };

/* TEXT is random words: something for every codec to find. */
static void fill(uint8_t *p, size_t len, enum kind kind)
{
	static const char words[] = "checkpoint gradient  optimizer attention tokenizer embedding ";
	uint64_t x = 88172645463325252ULL;

	for (size_t i = 0; i < len; i++) {
		if (kind == NOISE || i % 10 == 0) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
		p[i] = kind == NOISE ? (uint8_t)(x >> 24) : (uint8_t)words[x % 6 * 10 + i % 10];
		if (kind == ZEROS)
			p[i] = 0;
	}
}

/* Run a stream over all of @in, in pieces of @piece bytes, output @room bytes at a time. */
static int run(struct ebb_codec_stream *s, const uint8_t *in, size_t len, size_t piece, size_t room,
	       struct ebb_buf *out, struct ebb_err *err)
{
	uint8_t *room_p = malloc(room);
	size_t at = 0;
	int r = 0;

	ebb_buf_clear(out);
	ebb_buf_reserve(out, 0);
	while (r == 0) {
		size_t n = len - at < piece ? len - at : piece;
		struct ebb_codec_io io = {in ? in + at : NULL, n, room_p, room};

		r = ebb_codec_step(s, &io, at + n == len, err);
		if (r == 0 && io.in_len && io.out_len)
			ck_abort_msg("a step stopped early");
		at += n - io.in_len;
		if (ebb_buf_add(out, room_p, room - io.out_len) < 0)
			ck_abort_msg("no memory");
	}
	free(room_p);
	return r;
}

static void encode(const struct ebb_codec *c, struct ebb_codec_params p, const uint8_t *in,
		   size_t len, size_t piece, struct ebb_buf *out)
{
	EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;

	ck_assert_int_eq(ebb_codec_encoder_new(c, &p, &s, NULL), 0);
	ck_assert_int_eq(run(s, in, len, piece, 65536, out, NULL), 1);
}

static int decode(const struct ebb_codec *c, const void *in, size_t len, struct ebb_buf *out,
		  struct ebb_err *err)
{
	EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;

	ck_assert_int_eq(ebb_codec_decoder_new(c, &s, NULL), 0);
	return run(s, in, len, 100000, 65536, out, err);
}

static void round_trip(const struct ebb_codec *c, int level, size_t len, enum kind kind)
{
	EBB_CLEANUP(ebb_mem_freep) uint8_t *in = malloc(len + 1);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(CAP);

	size_t overhead = c->caps & EBB_CODEC_CAP_STOCK ? 64 : 300;

	fill(in, len, kind);
	for (int known = 0; known < 2; known++) {
		struct ebb_codec_params p = {level, 2, known ? (int64_t)len : -1, 0};

		encode(c, p, in, len, 65536, &coded);
		ck_assert_int_eq(decode(c, coded.data, coded.len, &back, NULL), 1);
		ck_assert_uint_eq(back.len, len);
		ck_assert(memcmp(back.data, in, len) == 0);
		ck_assert_uint_lt(coded.len, len + len / 100 + overhead);
		if (kind != NOISE && len > 1000)
			ck_assert_uint_lt(coded.len, len * 3 / 4);
	}
}

START_TEST(round_trips_of_sizes)
{
	static const size_t sizes[] = {0,     1,       100, 65535,   65536,
				       65537, MIB - 1, MIB, MIB + 1, 5 * MIB + 7};

	FOR_EACH_CODEC(c) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			for (int kind = ZEROS; kind <= TEXT; kind++)
				round_trip(c, 0, sizes[i], (enum kind)kind);
		}
	}
}
END_TEST

START_TEST(round_trips_of_levels)
{
	FOR_EACH_CODEC(c) {
		for (int level = c->level_min; level <= c->level_max; level += 3)
			round_trip(c, level, 300001, TEXT);
		round_trip(c, c->level_max, MIB, TEXT);
	}
}
END_TEST

START_TEST(levels_outside_are_refused)
{
	FOR_EACH_CODEC(c) {
		const int bad[] = {c->level_min - 1, c->level_max + 1, 1000000, -1000000};

		for (size_t i = 0; i < 4; i++) {
			struct ebb_codec_params p = {bad[i], 1, -1, 0};
			struct ebb_codec_stream *s = NULL;
			struct ebb_err err = {0};

			if (bad[i] == 0) /* means default */
				continue;
			ck_assert_int_eq(ebb_codec_encoder_new(c, &p, &s, &err), -EBB_EINVAL);
			ck_assert_ptr_null(s);
			ck_assert(strstr(err.msg, "has no level") != NULL);
		}
	}
}
END_TEST

START_TEST(table_and_names)
{
	size_t n = 0;

	for (const struct ebb_codec *c; (c = ebb_codec_at(n)); n++) {
		ck_assert_ptr_eq(ebb_codec_find(c->name), c);
		ck_assert_int_eq(c->suffix[0], '.');
		ck_assert_int_le(c->level_min, c->level_default);
		ck_assert_int_ge(c->level_max, c->level_default);
		ck_assert_int_ne(c->level_default, 0);
	}
	ck_assert_uint_eq(n, 3);
	ck_assert_ptr_null(ebb_codec_at(n));
	ck_assert_ptr_null(ebb_codec_find("gzip"));
	ck_assert_ptr_eq(ebb_codec_of_key("logs/a.zst", 10), &ebb_codec_zstd);
	ck_assert_ptr_eq(ebb_codec_of_key("a.lz4 and more", 5), &ebb_codec_lz4);
	ck_assert_ptr_null(ebb_codec_of_key(".zst", 4));
	ck_assert_ptr_null(ebb_codec_of_key("a.zstd", 6));
	ck_assert_ptr_null(ebb_codec_of_key("", 0));
}
END_TEST

/* The same bytes however they are pushed and however many threads work. */
START_TEST(output_is_deterministic)
{
	size_t len = 7 * MIB + 12345;
	EBB_CLEANUP(ebb_mem_freep) uint8_t *in = malloc(len);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf a = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(CAP);

	fill(in, len, TEXT);
	FOR_EACH_CODEC(c) {
		for (int known = 0; known < 2; known++) {
			struct ebb_codec_params p = {1, 1, known ? (int64_t)len : -1, 0};

			encode(c, p, in, len, len, &a);
			for (p.threads = 0; p.threads < 4; p.threads++) {
				encode(c, p, in, len, 99991 * (p.threads + 1), &b);
				ck_assert_uint_eq(a.len, b.len);
				ck_assert(memcmp(a.data, b.data, a.len) == 0);
			}
			p.size = known ? 300000 : -1;
			encode(c, p, in, 300000, 300000, &a);
			encode(c, p, in, 300000, 17, &b);
			ck_assert_uint_eq(a.len, b.len);
			ck_assert(memcmp(a.data, b.data, a.len) == 0);
		}
	}
}
END_TEST

START_TEST(announced_size_is_held_to)
{
	FOR_EACH_CODEC(c) {
		for (int64_t announced = 0; announced < 20; announced += 9) {
			EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(CAP);
			struct ebb_codec_params p = {0, 1, announced, 0};
			struct ebb_codec_stream *s = NULL;
			struct ebb_err err = {0};

			ck_assert_int_eq(ebb_codec_encoder_new(c, &p, &s, NULL), 0);
			ck_assert_int_eq(
				run(s, (const uint8_t *)"0123456789", 10, 3, 10, &out, &err),
				-EBB_EMISMATCH);
			ck_assert(strstr(err.msg, announced < 10 ? "more than" : "fewer than"));
			ebb_codec_stream_free(s);
		}
	}
}
END_TEST

START_TEST(a_stream_stays_ended_or_failed)
{
	FOR_EACH_CODEC(c) {
		EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;
		EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *e = NULL;
		const struct ebb_codec_params p = {0, 1, -1, 0};
		uint8_t room[100];
		struct ebb_codec_io io = {(const uint8_t *)"no such frame at all", 20, room, 100};

		ck_assert_int_eq(ebb_codec_decoder_new(c, &s, NULL), 0);
		ck_assert_int_eq(ebb_codec_step(s, &io, false, NULL), -EBB_ECORRUPT);
		ck_assert_int_eq(ebb_codec_step(s, &io, true, NULL), -EBB_ECORRUPT);

		io = (struct ebb_codec_io){NULL, 0, room, 100};
		ck_assert_int_eq(ebb_codec_encoder_new(c, &p, &e, NULL), 0);
		ck_assert_int_eq(ebb_codec_step(e, &io, true, NULL), 1);
		ck_assert_int_eq(ebb_codec_step(e, &io, true, NULL), -EBB_EINVAL);
	}
	ebb_codec_stream_free(NULL);
}
END_TEST

/* Free at any point, with workers busy. */
START_TEST(free_in_the_middle)
{
	size_t len = 12 * MIB;
	EBB_CLEANUP(ebb_mem_freep) uint8_t *in = malloc(len);
	uint8_t room[1000];

	fill(in, len, TEXT);
	FOR_EACH_CODEC(c) {
		struct ebb_codec_params p = {5, 3, -1, 0};
		struct ebb_codec_io io = {in, len, room, sizeof(room)};
		struct ebb_codec_stream *s = NULL;

		ck_assert_int_eq(ebb_codec_encoder_new(c, &p, &s, NULL), 0);
		ck_assert_int_eq(ebb_codec_step(s, &io, false, NULL), 0);
		ebb_codec_stream_free(s);
	}
}
END_TEST

START_TEST(empty_pushes_do_no_harm)
{
	FOR_EACH_CODEC(c) {
		EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = EBB_BUF_INIT(CAP);
		const struct ebb_codec_params p = {0, 1, -1, 0};
		uint8_t room[100];

		encode(c, p, (const uint8_t *)"0123456789", 10, 10, &coded);
		ck_assert_int_eq(ebb_codec_decoder_new(c, &s, NULL), 0);
		struct ebb_codec_io io = {(const uint8_t *)coded.data, 9, room, sizeof(room)};
		for (int i = 0; i < 50; i++)
			ck_assert_int_eq(ebb_codec_step(s, &io, false, NULL), 0);
		io.in_len = coded.len - 9;
		ck_assert_int_eq(ebb_codec_step(s, &io, true, NULL), 1);
		ck_assert(memcmp(room, "0123456789", 10) == 0);
	}
}
END_TEST

/* Room that ends where the content, or a frame of it, ends: one more call says so. */
START_TEST(output_room_may_fit_exactly)
{
	FOR_EACH_STOCK_CODEC(c) {
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf two = EBB_BUF_INIT(CAP);
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf one = EBB_BUF_INIT(CAP);
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(CAP);

		encode(c, (struct ebb_codec_params){0, 1, -1, 0}, (const uint8_t *)"0123456789", 10,
		       10, &one);
		ebb_buf_add(&two, one.data, one.len);
		ebb_buf_add(&two, one.data, one.len);
		for (size_t room = 1; room < 25; room++) {
			for (size_t piece = 1; piece <= two.len; piece++) {
				EBB_CLEANUP(ebb_codec_stream_freep)
				struct ebb_codec_stream *s = NULL;

				ck_assert_int_eq(ebb_codec_decoder_new(c, &s, NULL), 0);
				ck_assert_int_eq(run(s, (const uint8_t *)two.data, two.len, piece,
						     room, &back, NULL),
						 1);
				ck_assert_str_eq(back.data, "01234567890123456789");
			}
		}
	}
}
END_TEST

/* Every proper prefix, and every kind of tail, is refused. */
START_TEST(truncation_and_garbage_are_refused)
{
	FOR_EACH_CODEC(c) {
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = EBB_BUF_INIT(CAP);
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(CAP);
		struct ebb_codec_params p = {0, 1, -1, 0};
		struct ebb_err err = {0};
		uint8_t in[3000];

		fill(in, sizeof(in), TEXT);
		encode(c, p, in, sizeof(in), sizeof(in), &coded);
		for (size_t len = 0; len < coded.len; len++)
			ck_assert_int_eq(decode(c, coded.data, len, &back, NULL), -EBB_ECORRUPT);
		decode(c, coded.data, coded.len - 1, &back, &err);
		ck_assert(strstr(err.msg, "the input ends within") != NULL);

		size_t whole = coded.len;
		for (size_t tail = 1; tail < 20; tail++) {
			ck_assert_int_eq(ebb_buf_addc(&coded, tail == 3 ? '\0' : 'x'), 0);
			ck_assert_int_eq(decode(c, coded.data, whole + tail, &back, NULL),
					 -EBB_ECORRUPT);
		}
	}
}
END_TEST

START_TEST(frames_follow_each_other)
{
	static const char skip[] = "\x53\x2a\x4d\x18\x05\0\0\0hello";
	static const char skip_none[] = "\x50\x2a\x4d\x18\0\0\0\0";

	FOR_EACH_STOCK_CODEC(c) {
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf all = EBB_BUF_INIT(CAP);
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf one = EBB_BUF_INIT(CAP);
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(CAP);
		struct ebb_codec_params p = {0, 1, -1, 0};

		ebb_buf_add(&all, skip, sizeof(skip) - 1);
		ck_assert_int_eq(decode(c, all.data, all.len, &back, NULL), 1);
		ck_assert_uint_eq(back.len, 0);
		encode(c, p, (const uint8_t *)"one ", 4, 4, &one);
		ebb_buf_add(&all, one.data, one.len);
		ebb_buf_add(&all, skip_none, sizeof(skip_none) - 1);
		encode(c, p, NULL, 0, 1, &one);
		ebb_buf_add(&all, one.data, one.len);
		encode(c, p, (const uint8_t *)"two", 3, 3, &one);
		ebb_buf_add(&all, one.data, one.len);
		ebb_buf_add(&all, skip, sizeof(skip) - 1);
		ck_assert_int_eq(decode(c, all.data, all.len, &back, NULL), 1);
		ck_assert_str_eq(back.data, "one two");
		ck_assert_int_eq(decode(c, all.data, all.len - 1, &back, NULL), -EBB_ECORRUPT);
	}
}
END_TEST

/* Frames that ask for 128, 144 and 256 MiB of window (RFC 8878, 3.1.1.1.2); one raw block each. */
START_TEST(zstd_window_is_bounded)
{
	static const uint8_t ok[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x09, 0, 0, 'x'};
	static const uint8_t more[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x89, 0x09, 0, 0, 'x'};
	static const uint8_t wide[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x90, 0x09, 0, 0, 'x'};
	/* Size known (256), one run of 'x': libzstd alone would let this pass. */
	static const uint8_t run_of[] = {0x28, 0xb5, 0x2f, 0xfd, 0x40, 0x90,
					 0,    0,    0x03, 0x08, 0,    'x'};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(CAP);
	struct ebb_err err = {0};

	ck_assert_int_eq(decode(&ebb_codec_zstd, ok, sizeof(ok), &back, NULL), 1);
	ck_assert_str_eq(back.data, "x");
	ck_assert_int_eq(decode(&ebb_codec_zstd, more, sizeof(more), &back, NULL), -EBB_ECORRUPT);
	ck_assert_int_eq(decode(&ebb_codec_zstd, wide, sizeof(wide), &back, &err), -EBB_ECORRUPT);
	ck_assert_str_eq(err.msg, "zstd decoder: a frame needs a window above 128 MiB");
	for (size_t piece = 1; piece <= sizeof(run_of); piece++) {
		EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;

		ck_assert_int_eq(ebb_codec_decoder_new(&ebb_codec_zstd, &s, NULL), 0);
		ck_assert_int_eq(run(s, run_of, sizeof(run_of), piece, 1000, &back, NULL),
				 -EBB_ECORRUPT);
	}
}
END_TEST

START_TEST(frames_have_checksum_and_known_size)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(CAP);
	struct ebb_codec_params p = {0, 1, 5, 0};

	/*
	 * zstd: Content_Checksum_flag is bit 2, single segment bit 5; one byte of size (RFC 8878
	 * 3.1.1.1).
	 */
	encode(&ebb_codec_zstd, p, (const uint8_t *)"hello", 5, 5, &out);
	ck_assert_uint_eq((uint8_t)out.data[4], 0x24);
	ck_assert_uint_eq((uint8_t)out.data[5], 5);
	/* lz4: version 01, independent, no block checksum, content size, content checksum. */
	encode(&ebb_codec_lz4, p, (const uint8_t *)"hello", 5, 5, &out);
	ck_assert_uint_eq((uint8_t)out.data[4], 0x6c);
	ck_assert_uint_eq((uint8_t)out.data[6], 5);
	p.size = -1;
	encode(&ebb_codec_lz4, p, (const uint8_t *)"hello", 5, 5, &out);
	ck_assert_uint_eq((uint8_t)out.data[4], 0x64);
}
END_TEST

/*
 * --- The formats' own tools
 * ------------------------------------------------------------------------------
 */

static char dir[] = "t_codec.XXXXXX";

static void save(const char *name, const void *p, size_t len)
{
	FILE *f = fopen(name, "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(p, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
}

static void load(const char *name, struct ebb_buf *out)
{
	FILE *f = fopen(name, "rb");
	char piece[65536];
	size_t n;

	ck_assert_ptr_nonnull(f);
	ebb_buf_clear(out);
	while ((n = fread(piece, 1, sizeof(piece), f)))
		ck_assert_int_eq(ebb_buf_add(out, piece, n), 0);
	fclose(f);
}

/* True when the tool runs; says so when not. */
static bool have(const char *tool)
{
	char cmd[100];

	snprintf(cmd, sizeof(cmd), "%s --version >/dev/null 2>&1", tool);
	if (system(cmd) == 0)
		return true;
	fprintf(stderr, "skipped: no %s here\n", tool);
	return false;
}

static void both_ways(const struct ebb_codec *c, const uint8_t *in, size_t len, const char *opts)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(CAP);
	char cmd[200];

	encode(c, (struct ebb_codec_params){0, 2, opts[0] ? (int64_t)len : -1, 0}, in, len, 65536,
	       &coded);
	save("ours", coded.data, coded.len);
	snprintf(cmd, sizeof(cmd), "%s -dqc <ours >plain", c->name);
	ck_assert_int_eq(system(cmd), 0);
	load("plain", &back);
	ck_assert_uint_eq(back.len, len);
	ck_assert(len == 0 || memcmp(back.data, in, len) == 0);

	save("plain", in, len);
	snprintf(cmd, sizeof(cmd), "%s %s -qqc <plain >theirs 2>said", c->name, opts);
	ck_assert_int_eq(system(cmd), 0);
	load("theirs", &coded);
	ck_assert_int_eq(decode(c, coded.data, coded.len, &back, NULL), 1);
	ck_assert_uint_eq(back.len, len);
	ck_assert(len == 0 || memcmp(back.data, in, len) == 0);
}

START_TEST(stock_tools_read_ours_and_we_read_theirs)
{
	static const size_t sizes[] = {0, 1, 70000, 5 * MIB + 1};
	static const char *const opts[][3] = {{"", "-19 --no-check", "--fast=5"},
					      {"", "-9 -BD", "-B4 -BX"}};
	EBB_CLEANUP(ebb_mem_freep) uint8_t *in = malloc(5 * MIB + 1);
	size_t row = 0;

	fill(in, 5 * MIB + 1, TEXT);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	FOR_EACH_STOCK_CODEC(c) {
		for (size_t i = 0; have(c->name) && i < 4; i++) {
			for (size_t k = 0; k < (i < 3 ? 3 : 1); k++)
				both_ways(c, in, sizes[i], opts[row][k]);
		}
		row++;
	}
	unlink("ours");
	unlink("theirs");
	unlink("plain");
	unlink("said");
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* The same noise again, beyond the window of the level. */
START_TEST(a_window_finds_what_is_far_apart)
{
	const size_t len = 6 * MIB;
	EBB_CLEANUP(ebb_mem_freep) uint8_t *in = malloc(len);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf near = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf far = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(CAP);
	struct ebb_codec_params p = {.level = 1, .threads = 2, .size = (int64_t)len};
	struct ebb_codec_stream *s = NULL;

	fill(in, len / 2, NOISE);
	memcpy(in + len / 2, in, len / 2);
	encode(&ebb_codec_zstd, p, in, len, 1 << 20, &near);
	p.window = 23;
	encode(&ebb_codec_zstd, p, in, len, 1 << 20, &far);
	ck_assert_uint_gt(near.len, len - len / 100);
	ck_assert_uint_lt(far.len, len / 2 + len / 100);
	ck_assert_int_eq(decode(&ebb_codec_zstd, far.data, far.len, &back, NULL), 1);
	ck_assert_uint_eq(back.len, len);
	ck_assert(memcmp(back.data, in, len) == 0);

	p.window = EBB_CODEC_WINDOW_LOG_MAX + 1;
	ck_assert_int_eq(ebb_codec_encoder_new(&ebb_codec_zstd, &p, &s, NULL), -EBB_EINVAL);
	p.window = 20;
	ck_assert_int_eq(ebb_codec_encoder_new(&ebb_codec_lz4, &p, &s, NULL), -EBB_EINVAL);
}
END_TEST

EBB_UNIT_MAIN("codec", a_window_finds_what_is_far_apart, round_trips_of_sizes, round_trips_of_levels, levels_outside_are_refused,
	      table_and_names, output_is_deterministic, announced_size_is_held_to,
	      a_stream_stays_ended_or_failed, free_in_the_middle, empty_pushes_do_no_harm,
	      output_room_may_fit_exactly,
	      truncation_and_garbage_are_refused, frames_follow_each_other, zstd_window_is_bounded,
	      frames_have_checksum_and_known_size, stock_tools_read_ours_and_we_read_theirs)
