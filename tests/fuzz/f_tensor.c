/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arbitrary bytes as the header of a tensor file: the map keeps its invariants, and what the codec makes of
 * the bytes decodes back to them, whole and by ranges. The same bytes as a container: an error, or the
 * same by ranges as by decoding from the beginning (f_codec decodes).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compress/codec.h"
#include "compress/tensor_map.h"
#include "compress/tensor_read.h"
#include "core/buf.h"

#define LIMIT ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct object {
	const uint8_t *p;
	size_t len;
};

static int64_t object_read(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	const struct object *o = ctx;
	size_t left = off >= 0 && (size_t)off < o->len ? o->len - (size_t)off : 0;

	(void)err;
	len = len < left ? len : left;
	if (len)
		memcpy(buf, o->p + off, len);
	return (int64_t)len;
}

/* 1, or an error; 0: more output than LIMIT. */
static int code(bool encode, const uint8_t *p, size_t len, struct ebb_buf *out)
{
	EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;
	const struct ebb_codec_params params = {0, 1, (int64_t)len, 0};
	static uint8_t room[1 << 16];
	struct ebb_codec_io io = {.in = p, .in_len = len};
	int r = encode ? ebb_codec_encoder_new(&ebb_codec_tensor, &params, &s, NULL) :
			 ebb_codec_decoder_new(&ebb_codec_tensor, &s, NULL);

	while (r == 0) {
		io.out = room;
		io.out_len = sizeof(room);
		r = ebb_codec_step(s, &io, true, NULL);
		if (ebb_buf_add(out, room, sizeof(room) - io.out_len) < 0)
			return 0;
	}
	return r;
}

static void check_map(const uint8_t *p, size_t len)
{
	struct ebb_tensor_map m = {0};

	if (ebb_tensor_map(p, len, (int64_t)len, true, &m, NULL) != 1)
		return;
	for (size_t i = 0; i < m.n; i++) {
		const struct ebb_tensor_range *r = &m.ranges[i];

		if (r->begin >= r->end || (i && r->begin < m.ranges[i - 1].end) ||
		    (r->end != EBB_TENSOR_MAP_END && r->end > len))
			abort();
	}
	ebb_tensor_map_release(&m);
}

/* Read a container in pieces and compare with what it decodes to (@raw, NULL: it does not). */
static void check_ranges(const uint8_t *p, size_t len, const struct ebb_buf *raw)
{
	EBB_CLEANUP(ebb_tensor_read_closep) struct ebb_tensor_reader *r = NULL;
	struct object o = {p, len};
	static uint8_t buf[70001];

	if (ebb_tensor_read_open(object_read, &o, (int64_t)len, &r, NULL) < 0) {
		if (raw)
			abort();
		return;
	}
	for (int64_t at = 0; at < ebb_tensor_read_size(r) && at < (int64_t)LIMIT;) {
		int64_t n = ebb_tensor_read(r, at, buf, sizeof(buf), NULL);

		if (n <= 0 && raw)
			abort();
		if (n <= 0)
			return;
		if (raw && ((size_t)(at + n) > raw->len || memcmp(raw->data + at, buf, (size_t)n) != 0))
			abort();
		at += n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = EBB_BUF_INIT(LIMIT);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(LIMIT);

	check_map(data, size);
	check_ranges(data, size, NULL);
	if (code(true, data, size, &coded) != 1)
		return 0;
	if (code(false, (const uint8_t *)coded.data, coded.len, &back) != 1 || back.len != size ||
	    (size && memcmp(back.data, data, size) != 0))
		abort();
	check_ranges((const uint8_t *)coded.data, coded.len, &back);
	return 0;
}
