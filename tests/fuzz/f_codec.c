/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arbitrary bytes go through each decoder, whole and in pieces: both ways must agree, and a
 * decoder's output encodes and decodes back. The first byte says how to cut. Output beyond LIMIT
 * is not asked for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compress/codec.h"
#include "core/buf.h"

#define LIMIT ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Push all of @in in pieces; 1, an error, or 0 when there was more output than LIMIT. */
static int push(struct ebb_codec_stream *s, const uint8_t *in, size_t len, size_t piece,
		struct ebb_buf *out)
{
	static uint8_t room[1 << 16];
	int r = 0;

	while (r == 0) {
		struct ebb_codec_io io = {in, len < piece ? len : piece, room, sizeof(room)};
		size_t before = io.in_len;

		r = ebb_codec_step(s, &io, before == len, NULL);
		len -= before - io.in_len;
		in = io.in;
		if (ebb_buf_add(out, room, (size_t)(io.out - room)) < 0)
			return 0;
	}
	return r;
}

static int decode(const struct ebb_codec *c, const uint8_t *in, size_t len, size_t piece,
		  struct ebb_buf *out)
{
	EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;

	if (ebb_codec_decoder_new(c, &s, NULL) < 0)
		abort();
	return push(s, in, len, piece, out);
}

static void check(const struct ebb_codec *c, const uint8_t *in, size_t len, size_t piece)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf whole = EBB_BUF_INIT(LIMIT);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf cut = EBB_BUF_INIT(LIMIT);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf again = EBB_BUF_INIT(2 * LIMIT);
	EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;
	int r = decode(c, in, len, len + 1, &whole);

	if (r != 1)
		return;
	if (decode(c, in, len, piece, &cut) != 1 || cut.len != whole.len ||
	    (cut.len && memcmp(cut.data, whole.data, cut.len) != 0))
		abort();

	struct ebb_codec_params p = {.size = (int64_t)whole.len};
	ebb_buf_clear(&cut);
	if (ebb_codec_encoder_new(c, &p, &s, NULL) < 0 ||
	    push(s, (const uint8_t *)whole.data, whole.len, piece * 100, &again) != 1 ||
	    decode(c, (const uint8_t *)again.data, again.len, piece, &cut) != 1 ||
	    cut.len != whole.len || (cut.len && memcmp(cut.data, whole.data, cut.len) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	for (size_t i = 0; ebb_codec_at(i); i++)
		check(ebb_codec_at(i), data + 1, size - 1, 1 + data[0]);
	return 0;
}
