/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * LZ4 frames (lz4_Frame_format.md, version 1.6.x) by liblz4.
 *
 * Blocks are independent, as those of the lz4 tool: what a block becomes depends on its bytes
 * alone, so the output is the same however the input was cut. A block is 4 MiB, or the smallest
 * size that holds an object announced as less.
 *
 * Encoding is single-threaded: at its default level lz4 keeps up with most storage, and objects
 * are encoded in parallel anyway.
 *
 * Memory of an encoder: two blocks and 300 KiB, at most 8.5 MiB. Of a decoder: two blocks of the
 * frame, at most 8.5 MiB.
 */
#include "compress/codec.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>

/* Input goes to liblz4 in pieces of this size, so that one call's output has a small bound. */
#define PIECE ((size_t)64 * 1024)

struct encoder {
	struct ebb_codec_stream base;
	LZ4F_cctx *ctx;
	LZ4F_preferences_t prefs;
	uint8_t *held;		/* output that waits for room */
	size_t size;		/* of held: the bound of any one call */
	size_t pos, len;	/* held[pos..len) waits */
	bool begun, ended;	/* header made; footer made */
};

struct decoder {
	struct ebb_codec_stream base;
	LZ4F_dctx *ctx;
	bool within;	/* a frame is begun and not over */
	bool any;	/* a frame is over */
	bool held;	/* amid a frame the last call filled the output: there may be more */
};

static int fail(size_t code, const char *what, struct ebb_err *err)
{
	const char *name = LZ4F_getErrorName(code);
	bool memory = strcmp(name, "ERROR_allocation_failed") == 0;

	return ebb_err_set(err, memory ? EBB_ENOMEM : EBB_ECORRUPT, "%s: %s", what, name);
}

/* Give held output, as much as fits. */
static void encoder_give(struct encoder *e, struct ebb_codec_io *io)
{
	size_t n = e->len - e->pos;

	if (n > io->out_len)
		n = io->out_len;
	if (!n)
		return;
	memcpy(io->out, e->held + e->pos, n);
	e->pos += n;
	io->out += n;
	io->out_len -= n;
}

/* Make the next output, with nothing held: header, or a piece of input, or the footer. */
static size_t encoder_make(struct encoder *e, struct ebb_codec_io *io)
{
	if (!e->begun) {
		e->begun = true;
		return LZ4F_compressBegin(e->ctx, e->held, e->size, &e->prefs);
	}
	if (!io->in_len) {
		e->ended = true;
		return LZ4F_compressEnd(e->ctx, e->held, e->size, NULL);
	}

	size_t n = io->in_len < PIECE ? io->in_len : PIECE;
	size_t r = LZ4F_compressUpdate(e->ctx, e->held, e->size, io->in, n, NULL);
	io->in += n;
	io->in_len -= n;
	return r;
}

static int encoder_step(struct ebb_codec_stream *s, struct ebb_codec_io *io, bool end,
			struct ebb_err *err)
{
	struct encoder *e = (struct encoder *)s;

	for (;;) {
		encoder_give(e, io);
		if (e->pos < e->len)
			return 0;
		if (e->ended)
			return 1;
		if (!io->in_len && !end)
			return 0;

		size_t r = encoder_make(e, io);
		if (LZ4F_isError(r))
			return fail(r, "lz4 encoder", err);
		e->pos = 0;
		e->len = r;
	}
}

static void encoder_free(struct ebb_codec_stream *s)
{
	struct encoder *e = (struct encoder *)s;

	LZ4F_freeCompressionContext(e->ctx);
	free(e->held);
	free(e);
}

static LZ4F_blockSizeID_t block_size(int64_t size)
{
	if (size < 0 || size > 1024 * 1024)
		return LZ4F_max4MB;
	if (size > 256 * 1024)
		return LZ4F_max1MB;
	return size > 64 * 1024 ? LZ4F_max256KB : LZ4F_max64KB;
}

static int encoder_new(const struct ebb_codec_params *p, struct ebb_codec_stream **ret,
		       struct ebb_err *err)
{
	struct encoder *e = calloc(1, sizeof(*e));

	if (!e)
		return ebb_err_set(err, EBB_ENOMEM, "lz4 encoder: no memory");
	e->base = (struct ebb_codec_stream){.step = encoder_step, .free = encoder_free};
	e->prefs = (LZ4F_preferences_t){
		.frameInfo = {.blockSizeID = block_size(p->size),
			      .blockMode = LZ4F_blockIndependent,
			      .contentChecksumFlag = LZ4F_contentChecksumEnabled,
			      .contentSize = p->size > 0 ? (unsigned long long)p->size : 0},
		.compressionLevel = p->level,
	};
	e->size = LZ4F_compressBound(PIECE, &e->prefs);
	if (e->size < LZ4F_HEADER_SIZE_MAX)
		e->size = LZ4F_HEADER_SIZE_MAX;
	e->held = malloc(e->size);
	if (!e->held || LZ4F_isError(LZ4F_createCompressionContext(&e->ctx, LZ4F_VERSION))) {
		encoder_free(&e->base);
		return ebb_err_set(err, EBB_ENOMEM, "lz4 encoder: no memory");
	}
	*ret = &e->base;
	return 0;
}

static int decoder_step(struct ebb_codec_stream *s, struct ebb_codec_io *io, bool end,
			struct ebb_err *err)
{
	struct decoder *d = (struct decoder *)s;

	while (io->out_len && (io->in_len || d->held)) {
		size_t in = io->in_len, out = io->out_len;
		size_t r = LZ4F_decompress(d->ctx, io->out, &out, io->in, &in, NULL);

		if (LZ4F_isError(r))
			return fail(r, "lz4 decoder", err);
		if (in) {
			io->in += in;
			io->in_len -= in;
		}
		io->out += out;
		io->out_len -= out;
		d->held = r != 0 && !io->out_len;
		d->within = r != 0;
		d->any |= r == 0;
	}
	if (!end || io->in_len || !io->out_len)
		return 0;
	if (d->within || !d->any)
		return ebb_err_set(err, EBB_ECORRUPT,
				   "lz4 decoder: the input ends within a frame");
	return 1;
}

static void decoder_free(struct ebb_codec_stream *s)
{
	struct decoder *d = (struct decoder *)s;

	LZ4F_freeDecompressionContext(d->ctx);
	free(d);
}

static int decoder_new(struct ebb_codec_stream **ret, struct ebb_err *err)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return ebb_err_set(err, EBB_ENOMEM, "lz4 decoder: no memory");
	d->base = (struct ebb_codec_stream){.step = decoder_step, .free = decoder_free};
	if (LZ4F_isError(LZ4F_createDecompressionContext(&d->ctx, LZ4F_VERSION))) {
		decoder_free(&d->base);
		return ebb_err_set(err, EBB_ENOMEM, "lz4 decoder: no memory");
	}
	*ret = &d->base;
	return 0;
}

const struct ebb_codec ebb_codec_lz4 = {
	.name = "lz4",
	.suffix = ".lz4",
	.level_min = 1,
	.level_max = 12,
	.level_default = 1,
	.caps = EBB_CODEC_CAP_STOCK,
	.encoder = encoder_new,
	.decoder = decoder_new,
};
