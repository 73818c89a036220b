/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zstandard (RFC 8878) by libzstd.
 *
 * Determinism. libzstd cuts input into jobs whose size depends on the level only, so the number
 * of workers does not show in the output; its single-threaded mode gives other bytes. So one
 * thread means one worker, as with the zstd tool. (Objects announced as 512 KiB or less libzstd
 * compresses without workers, whatever their number.) Input is never pushed together with the
 * end: libzstd would take a shortcut that depends on how the input was cut.
 *
 * Levels end at 19: the "ultra" ones above need windows up to 128 MiB and jobs of 512 MiB per
 * thread, which no scheduled job should take without being asked.
 *
 * Long-distance matching: a window of up to 128 MiB, which `zstd -d` takes without being told, is held once, and jobs are then
 * small.
 *
 * Memory of an encoder: jobs are 4 windows (level 3: 8 MiB; 19: 32 MiB) and at most threads + 2
 * of them are held with their output, beside the match finders' tables. DESIGN.md has what was
 * measured. Of a decoder: the frame's window, at most EBB_CODEC_WINDOW_MAX, and 300 KiB.
 */
#include "compress/codec.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

struct encoder {
	struct ebb_codec_stream base;
	ZSTD_CCtx *ctx;
};

struct decoder {
	struct ebb_codec_stream base;
	ZSTD_DCtx *ctx;
	bool within;	/* a frame is begun and not over */
	bool any;	/* a frame is over */
	/*
	 * Amid a frame the last call filled the output, so there may be more without input. Else
	 * libzstd must not be asked without input: it takes 16 such calls for a failure.
	 */
	bool held;
};

static int fail(size_t code, const char *what, struct ebb_err *err)
{
	switch (ZSTD_getErrorCode(code)) {
	case ZSTD_error_memory_allocation:
		return ebb_err_set(err, EBB_ENOMEM, "%s: no memory", what);
	case ZSTD_error_prefix_unknown:
		return ebb_err_set(err, EBB_ECORRUPT,
				   "%s: bytes that do not begin a zstd frame", what);
	default:
		return ebb_err_set(err, EBB_ECORRUPT, "%s: %s", what, ZSTD_getErrorName(code));
	}
}

/* Move @io over what a call took and gave; NULL buffers of no bytes stay as they are. */
static void advance(struct ebb_codec_io *io, size_t taken, size_t given)
{
	if (taken) {
		io->in += taken;
		io->in_len -= taken;
	}
	if (given) {
		io->out += given;
		io->out_len -= given;
	}
}

/* One call of the encoder. Returns what libzstd returns; @io is advanced. */
static size_t encode_some(struct encoder *e, struct ebb_codec_io *io, ZSTD_EndDirective what)
{
	ZSTD_inBuffer in = {io->in, io->in_len, 0};
	ZSTD_outBuffer out = {io->out, io->out_len, 0};
	size_t r = ZSTD_compressStream2(e->ctx, &out, &in, what);

	advance(io, in.pos, out.pos);
	return r;
}

static int encoder_step(struct ebb_codec_stream *s, struct ebb_codec_io *io, bool end,
			struct ebb_err *err)
{
	struct encoder *e = (struct encoder *)s;
	size_t r;

	while (io->in_len && io->out_len) {
		r = encode_some(e, io, ZSTD_e_continue);
		if (ZSTD_isError(r))
			return fail(r, "zstd encoder", err);
	}
	if (!end || io->in_len)
		return 0;
	while (io->out_len) {
		r = encode_some(e, io, ZSTD_e_end);
		if (ZSTD_isError(r))
			return fail(r, "zstd encoder", err);
		if (r == 0)
			return 1;
	}
	return 0;
}

static void encoder_free(struct ebb_codec_stream *s)
{
	struct encoder *e = (struct encoder *)s;

	ZSTD_freeCCtx(e->ctx);
	free(e);
}

static size_t encoder_setup(ZSTD_CCtx *ctx, const struct ebb_codec_params *p)
{
	ZSTD_inBuffer in = {NULL, 0, 0};
	ZSTD_outBuffer out = {NULL, 0, 0};
	size_t r = ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, p->level);

	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	/* A libzstd built without threads refuses workers: then it works in ours. */
	if (!ZSTD_isError(r))
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_nbWorkers, (int)p->threads);
	if (!ZSTD_isError(r) && p->window)
		r = ZSTD_CCtx_setParameter(ctx, ZSTD_c_enableLongDistanceMatching, 1);
	if (!ZSTD_isError(r) && p->window)
		r = ZSTD_CCtx_setParameter(ctx, ZSTD_c_windowLog, p->window);
	if (!ZSTD_isError(r) && p->size >= 0)
		r = ZSTD_CCtx_setPledgedSrcSize(ctx, (unsigned long long)p->size);
	/*
	 * Start now, without the end: a first call that says the end would announce a size by
	 * itself.
	 */
	if (!ZSTD_isError(r))
		r = ZSTD_compressStream2(ctx, &out, &in, ZSTD_e_continue);
	return r;
}

static int encoder_new(const struct ebb_codec_params *p, struct ebb_codec_stream **ret,
		       struct ebb_err *err)
{
	struct encoder *e = calloc(1, sizeof(*e));
	ZSTD_CCtx *ctx = ZSTD_createCCtx();

	if (!e || !ctx) {
		ZSTD_freeCCtx(ctx);
		free(e);
		return ebb_err_set(err, EBB_ENOMEM, "zstd encoder: no memory");
	}
	e->base = (struct ebb_codec_stream){.step = encoder_step, .free = encoder_free};
	e->ctx = ctx;

	size_t r = encoder_setup(ctx, p);
	if (ZSTD_isError(r)) {
		encoder_free(&e->base);
		return fail(r, "zstd encoder", err);
	}
	*ret = &e->base;
	return 0;
}

static int too_wide(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ECORRUPT, "zstd decoder: a frame needs a window above %llu MiB",
			   (unsigned long long)(EBB_CODEC_WINDOW_MAX >> 20));
}

/*
 * Does the frame that begins here ask for too wide a window? libzstd does not look when it can
 * decode a frame in one go; what is refused must not depend on how the input was cut. Byte 4 has
 * the single segment flag (no window but the content itself), byte 5 the exponent above 10 and
 * eighths of the window (RFC 8878, 3.1.1.1).
 */
static bool is_wide(const struct ebb_codec_io *io)
{
	if (io->in_len < 6 || memcmp(io->in, "\x28\xb5\x2f\xfd", 4) != 0 || io->in[4] & 0x20)
		return false;

	unsigned log = 10u + (io->in[5] >> 3);
	return log > EBB_CODEC_WINDOW_LOG_MAX || (log == EBB_CODEC_WINDOW_LOG_MAX && io->in[5] & 7);
}

static int decoder_step(struct ebb_codec_stream *s, struct ebb_codec_io *io, bool end,
			struct ebb_err *err)
{
	struct decoder *d = (struct decoder *)s;

	while (io->out_len && (io->in_len || d->held)) {
		ZSTD_inBuffer in = {io->in, io->in_len, 0};
		ZSTD_outBuffer out = {io->out, io->out_len, 0};

		if (!d->within && is_wide(io))
			return too_wide(err);
		size_t r = ZSTD_decompressStream(d->ctx, &out, &in);
		if (ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge)
			return too_wide(err);
		if (ZSTD_isError(r))
			return fail(r, "zstd decoder", err);
		advance(io, in.pos, out.pos);
		d->held = r != 0 && !io->out_len;
		d->within = r != 0;
		d->any |= r == 0;
	}
	if (!end || io->in_len || !io->out_len)
		return 0;
	if (d->within || !d->any)
		return ebb_err_set(err, EBB_ECORRUPT,
				   "zstd decoder: the input ends within a frame");
	return 1;
}

static void decoder_free(struct ebb_codec_stream *s)
{
	struct decoder *d = (struct decoder *)s;

	ZSTD_freeDCtx(d->ctx);
	free(d);
}

static int decoder_new(struct ebb_codec_stream **ret, struct ebb_err *err)
{
	struct decoder *d = calloc(1, sizeof(*d));
	ZSTD_DCtx *ctx = ZSTD_createDCtx();

	if (!d || !ctx) {
		ZSTD_freeDCtx(ctx);
		free(d);
		return ebb_err_set(err, EBB_ENOMEM, "zstd decoder: no memory");
	}
	d->base = (struct ebb_codec_stream){.step = decoder_step, .free = decoder_free};
	d->ctx = ctx;

	size_t r = ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, EBB_CODEC_WINDOW_LOG_MAX);
	if (ZSTD_isError(r)) {
		decoder_free(&d->base);
		return fail(r, "zstd decoder", err);
	}
	*ret = &d->base;
	return 0;
}

const struct ebb_codec ebb_codec_zstd = {
	.name = "zstd",
	.suffix = ".zst",
	.level_min = -7,
	.level_max = 19,
	.level_default = 3,
	.caps = EBB_CODEC_CAP_THREADS | EBB_CODEC_CAP_STOCK,
	.encoder = encoder_new,
	.decoder = decoder_new,
};
