/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "compress/digest.h"
#include "compress/pipe.h"
#include "core/buf.h"
#include "tests/support/unit.h"

/* A source in memory that gives at most `piece` bytes a call and fails at `fail_at`. */
struct source {
	const char *p;
	size_t len, at, piece;
	size_t fail_at;
};

static int64_t source_read(void *ctx, void *buf, size_t len, struct ebb_err *err)
{
	struct source *s = ctx;
	size_t n = s->len - s->at;

	if (s->fail_at && s->at >= s->fail_at)
		return ebb_err_set(err, EBB_ETRANSIENT, "the source is gone");
	n = n < len ? n : len;
	n = n < s->piece ? n : s->piece;
	memcpy(buf, s->p + s->at, n);
	s->at += n;
	return (int64_t)n;
}

static int sink_write(void *ctx, const void *buf, size_t len, struct ebb_err *err)
{
	ck_assert_uint_gt(len, 0);
	if (ebb_buf_add(ctx, buf, len) < 0)
		return ebb_err_set(err, EBB_ENOSPC, "the sink is full");
	return 0;
}

/* Bytes that compress a little. */
static char *content(size_t len)
{
	char *p = malloc(len);

	for (size_t i = 0; i < len; i++)
		p[i] = (char)(i * i / 1000 % 251);
	return p;
}

static void check_digest(const uint8_t *got, const void *p, size_t len)
{
	uint8_t want[EBB_DIGEST_MAX];

	ck_assert_int_eq(ebb_digest_of(&ebb_digest_xxh128, p, len, want, NULL), 0);
	ck_assert_mem_eq(got, want, EBB_DIGEST_LEN);
}

static int run(enum ebb_pipe_mode mode, const struct ebb_codec *codec, const char *p, size_t len,
	       int64_t raw_size, struct ebb_buf *sink, struct ebb_pipe_result *ret,
	       struct ebb_err *err)
{
	struct source source = {.p = p, .len = len, .piece = 300007};
	const struct ebb_pipe pipe = {
		.read = source_read, .read_ctx = &source,
		.write = sink ? sink_write : NULL, .write_ctx = sink,
		.mode = mode, .codec = codec, .threads = 2, .raw_size = raw_size,
	};

	return ebb_pipe_run(&pipe, ret, err);
}

START_TEST(copy_gives_bytes_and_digest)
{
	static const size_t sizes[] = {0, 1, EBB_PIPE_BUFFER - 1, EBB_PIPE_BUFFER,
				       3 * EBB_PIPE_BUFFER + 1};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		EBB_CLEANUP(ebb_mem_freep) char *p = content(sizes[i]);
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(100 << 20);
		struct ebb_pipe_result ret;

		ck_assert_int_eq(
			run(EBB_PIPE_COPY, NULL, p, sizes[i], (int64_t)sizes[i], &out, &ret, NULL),
			0);
		ck_assert_int_eq(ret.raw_size, (int64_t)sizes[i]);
		ck_assert_int_eq(ret.coded_size, (int64_t)sizes[i]);
		ck_assert_uint_eq(out.len, sizes[i]);
		ck_assert(sizes[i] == 0 || memcmp(out.data, p, sizes[i]) == 0);
		check_digest(ret.raw_digest, p, sizes[i]);
	}
}
END_TEST

START_TEST(encode_then_decode_then_verify)
{
	size_t len = 5 * EBB_PIPE_BUFFER + 17;
	EBB_CLEANUP(ebb_mem_freep) char *p = content(len);

	for (size_t i = 0; ebb_codec_at(i); i++) {
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = EBB_BUF_INIT(100 << 20);
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(100 << 20);
		const struct ebb_codec *c = ebb_codec_at(i);
		struct ebb_pipe_result enc, dec, ver;

		ck_assert_int_eq(run(EBB_PIPE_ENCODE, c, p, len, (int64_t)len, &coded, &enc, NULL),
				 0);
		ck_assert_int_eq(enc.raw_size, (int64_t)len);
		ck_assert_int_eq(enc.coded_size, (int64_t)coded.len);
		check_digest(enc.raw_digest, p, len);

		ck_assert_int_eq(
			run(EBB_PIPE_DECODE, c, coded.data, coded.len, -1, &back, &dec, NULL), 0);
		ck_assert_uint_eq(back.len, len);
		ck_assert(memcmp(back.data, p, len) == 0);
		ck_assert_mem_eq(&dec, &enc, sizeof(dec));

		ck_assert_int_eq(run(EBB_PIPE_DECODE, c, coded.data, coded.len, (int64_t)len, NULL,
				     &ver, NULL),
				 0);
		ck_assert_mem_eq(&ver, &enc, sizeof(ver));
	}
}
END_TEST

START_TEST(raw_size_is_held_to_in_every_mode)
{
	EBB_CLEANUP(ebb_mem_freep) char *p = content(100000);

	for (int off = -1; off <= 1; off += 2) {
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = EBB_BUF_INIT(1 << 20);
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(1 << 20);
		const struct ebb_codec *c = &ebb_codec_zstd;
		struct ebb_pipe_result ret = {.raw_size = 77};

		ck_assert_int_eq(run(EBB_PIPE_ENCODE, c, p, 100000, -1, &coded,
				     &(struct ebb_pipe_result){0}, NULL),
				 0);
		ck_assert_int_eq(
			run(EBB_PIPE_COPY, NULL, p, 100000, 100000 + off, &out, &ret, NULL),
			-EBB_EMISMATCH);
		ebb_buf_clear(&out);
		ck_assert_int_eq(run(EBB_PIPE_ENCODE, c, p, 100000, 100000 + off, &out, &ret, NULL),
				 -EBB_EMISMATCH);
		ebb_buf_clear(&out);
		ck_assert_int_eq(run(EBB_PIPE_DECODE, c, coded.data, coded.len, 100000 + off, &out,
				     &ret, NULL),
				 -EBB_EMISMATCH);
		ck_assert_uint_le(out.len, 100000 + (size_t)(off + 1));
		ck_assert_int_eq(ret.raw_size, 77);
	}
}
END_TEST

/* A few KiB that decode to 1 GiB stop at the size they should have. */
START_TEST(bombs_stop_at_the_expected_size)
{
	size_t len = 32 << 20;
	EBB_CLEANUP(ebb_mem_freep) char *zeros = calloc(1, len);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = EBB_BUF_INIT(1 << 20);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(1000);
	struct ebb_pipe_result ret;
	struct ebb_err err = {0};

	ck_assert_int_eq(run(EBB_PIPE_ENCODE, &ebb_codec_zstd, zeros, len, -1, &coded, &ret, NULL),
			 0);
	ck_assert_int_eq(run(EBB_PIPE_DECODE, &ebb_codec_zstd, coded.data, coded.len, 1000, &out,
			     &ret, &err),
			 -EBB_EMISMATCH);
	ck_assert_str_eq(err.msg, "more than the expected 1000 bytes");
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(damage_is_told)
{
	EBB_CLEANUP(ebb_mem_freep) char *p = content(100000);

	for (size_t i = 0; ebb_codec_at(i); i++) {
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = EBB_BUF_INIT(1 << 20);
		const struct ebb_codec *c = ebb_codec_at(i);
		struct ebb_pipe_result ret;

		ck_assert_int_eq(run(EBB_PIPE_ENCODE, c, p, 100000, -1, &coded, &ret, NULL), 0);
		ck_assert_int_eq(
			run(EBB_PIPE_DECODE, c, coded.data, coded.len - 1, -1, NULL, &ret, NULL),
			-EBB_ECORRUPT);
		ck_assert_int_eq(run(EBB_PIPE_DECODE, c, "", 0, -1, NULL, &ret, NULL),
				 -EBB_ECORRUPT);
		coded.data[coded.len / 2] ^= 1;
		ck_assert_int_eq(
			run(EBB_PIPE_DECODE, c, coded.data, coded.len, -1, NULL, &ret, NULL),
			-EBB_ECORRUPT);
	}
}
END_TEST

START_TEST(levels_are_checked)
{
	const struct ebb_pipe pipe = {
		.mode = EBB_PIPE_ENCODE, .codec = &ebb_codec_lz4, .level = 99};
	struct ebb_pipe_result ret;

	ck_assert_int_eq(ebb_pipe_run(&pipe, &ret, NULL), -EBB_EINVAL);
}
END_TEST

START_TEST(failing_callbacks_are_passed_on)
{
	EBB_CLEANUP(ebb_mem_freep) char *p = content(100000);

	for (int mode = EBB_PIPE_COPY; mode <= EBB_PIPE_ENCODE; mode++) {
		struct source source = {.p = p, .len = 100000, .piece = 1000, .fail_at = 50000};
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf sink = EBB_BUF_INIT(10);
		struct ebb_pipe pipe = {
			.read = source_read, .read_ctx = &source, .raw_size = -1,
			.mode = (enum ebb_pipe_mode)mode, .codec = &ebb_codec_zstd,
		};
		struct ebb_pipe_result ret;
		struct ebb_err err = {0};

		ck_assert_int_eq(ebb_pipe_run(&pipe, &ret, &err), -EBB_ETRANSIENT);
		ck_assert_str_eq(err.msg, "the source is gone");

		source.at = source.fail_at = 0;
		pipe.write = sink_write;
		pipe.write_ctx = &sink;
		ck_assert_int_eq(ebb_pipe_run(&pipe, &ret, NULL), -EBB_ENOSPC);
	}
}
END_TEST

struct watch {
	int calls, stop_at;
	int64_t read, written;
};

static int watch_fn(void *ctx, int64_t read, int64_t written, struct ebb_err *err)
{
	struct watch *w = ctx;

	ck_assert_int_ge(read, w->read);
	ck_assert_int_ge(written, w->written);
	w->read = read;
	w->written = written;
	if (++w->calls == w->stop_at)
		return ebb_err_set(err, EBB_ECANCELLED, "interrupted");
	return 0;
}

/*
 * Progress never goes back, ends with the totals, and can stop the pipe; also amid a long run of
 * output.
 */
START_TEST(progress_tells_and_cancels)
{
	size_t len = 8 * EBB_PIPE_BUFFER;
	EBB_CLEANUP(ebb_mem_freep) char *zeros = calloc(1, len);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = EBB_BUF_INIT(1 << 20);
	struct source source = {.p = zeros, .len = len, .piece = EBB_PIPE_BUFFER};
	struct watch w = {0};
	struct ebb_pipe pipe = {
		.read = source_read, .read_ctx = &source, .write = sink_write, .write_ctx = &coded,
		.progress = watch_fn, .progress_ctx = &w, .raw_size = -1,
		.mode = EBB_PIPE_ENCODE, .codec = &ebb_codec_zstd,
	};
	struct ebb_pipe_result ret;

	ck_assert_int_eq(ebb_pipe_run(&pipe, &ret, NULL), 0);
	ck_assert_int_ge(w.calls, 9);
	ck_assert_int_eq(w.read, ret.raw_size);
	ck_assert_int_eq(w.written, ret.coded_size);

	w = (struct watch){.stop_at = 4};
	source.at = 0;
	ebb_buf_clear(&coded);
	ck_assert_int_eq(ebb_pipe_run(&pipe, &ret, NULL), -EBB_ECANCELLED);
	ck_assert_uint_eq(source.at, 4 * EBB_PIPE_BUFFER);

	source.at = 0;
	pipe.progress = NULL;
	ebb_buf_clear(&coded);
	ck_assert_int_eq(ebb_pipe_run(&pipe, &ret, NULL), 0);
	w = (struct watch){.stop_at = 2};
	source = (struct source){.p = coded.data, .len = coded.len, .piece = coded.len};
	pipe.progress = watch_fn;
	pipe.mode = EBB_PIPE_DECODE;
	pipe.write = NULL;
	ck_assert_int_eq(ebb_pipe_run(&pipe, &ret, NULL), -EBB_ECANCELLED);
	ck_assert_int_eq(w.written, 2 * (int64_t)EBB_PIPE_BUFFER);
}
END_TEST

EBB_UNIT_MAIN("pipe", copy_gives_bytes_and_digest, encode_then_decode_then_verify,
	      raw_size_is_held_to_in_every_mode, bombs_stop_at_the_expected_size, damage_is_told,
	      levels_are_checked, failing_callbacks_are_passed_on, progress_tells_and_cancels)
