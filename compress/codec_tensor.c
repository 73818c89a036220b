/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tensor container (compress/tensor_format.h) as a codec: one tensor file becomes one container.
 *
 * Encoding. The header of the file is collected until it can be read (tensor_map.h); then the bytes go
 * into blocks that end where tensors end, so that a tensor can be read without its neighbours. The
 * rows of the index are kept until the end.
 *
 * Memory of an encoder: up to EBB_TENSOR_MAP_HEADER of header and 24 MiB of ranges while the header is
 * read (a usual file: its header), then 4 MiB, two zstd contexts and 16 bytes a block. Of a decoder: 2 MiB.
 */
#include "compress/codec.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "compress/tensor_block.h"
#include "compress/tensor_format.h"
#include "compress/tensor_map.h"
#include "core/buf.h"
#include "core/le.h"

#define TRY_FIRST ((size_t)16 * 1024)	/* bytes of header after which reading it is tried first */

enum phase { HEADING, BLOCKS, INDEX, DONE };

struct encoder {
	struct ebb_codec_stream base;
	struct ebb_tensor_coder *coder;
	enum phase phase;
	struct ebb_buf head;	/* HEADING: what came so far; then what of it is left */
	size_t head_at;		/* of it, taken into blocks */
	size_t try_at;		/* bytes at which the header is tried next */
	struct ebb_tensor_map map;
	size_t range;		/* first range that does not end before the offset */
	uint8_t *raw;		/* the block that is being filled */
	size_t raw_len;
	uint64_t offset;	/* of the block in the object */
	uint64_t written;	/* bytes of the container so far */
	uint8_t *out;		/* a coded block */
	const uint8_t *give;	/* what is to be given out, in `out` or `rows` */
	size_t give_len;
	struct ebb_buf rows;	/* of the index; at the end the index itself */
	uint32_t blocks;
};

static void encoder_free(struct ebb_codec_stream *s)
{
	struct encoder *e = (struct encoder *)s;

	ebb_tensor_block_free(e->coder);
	ebb_tensor_map_release(&e->map);
	ebb_buf_release(&e->head);
	ebb_buf_release(&e->rows);
	free(e->raw);
	free(e->out);
	free(e);
}

/* Hand out what is waiting; false when the output filled up first. */
static bool give(const uint8_t **p, size_t *len, struct ebb_codec_io *io)
{
	size_t n = *len < io->out_len ? *len : io->out_len;

	if (n) {
		memcpy(io->out, *p, n);
		*p += n;
		*len -= n;
		io->out += n;
		io->out_len -= n;
	}
	return *len == 0;
}

static void to_give(struct encoder *e, const void *p, size_t len)
{
	e->give = p;
	e->give_len = len;
	e->written += len;
}

/* Collect the header until it can be read. 1: it is; 0: more is needed; negative. */
static int read_head(struct encoder *e, struct ebb_codec_io *io, bool end, struct ebb_err *err)
{
	for (;;) {
		size_t n = e->try_at - e->head.len;

		n = n < io->in_len ? n : io->in_len;
		if (n && ebb_buf_add(&e->head, io->in, n) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "tensor codec: no memory");
		if (n) {
			io->in += n;
			io->in_len -= n;
		}
		bool all = end && !io->in_len;
		if (e->head.len < e->try_at && !all)
			return 0;
		int r = ebb_tensor_map((const uint8_t *)e->head.data, e->head.len, e->base.size, all,
				       &e->map, err);
		if (r != 0)
			return r;
		e->try_at = 2 * e->try_at < EBB_TENSOR_MAP_HEADER ? 2 * e->try_at :
								     EBB_TENSOR_MAP_HEADER;
	}
}

/* How far the current block may go, and what it holds. */
static size_t room(struct encoder *e, struct ebb_tensor_hint *ret)
{
	uint64_t end = UINT64_MAX;

	while (e->range < e->map.n && e->map.ranges[e->range].end <= e->offset)
		e->range++;
	*ret = (struct ebb_tensor_hint){0};
	if (e->range < e->map.n) {
		const struct ebb_tensor_range *r = &e->map.ranges[e->range];
		bool within = r->begin <= e->offset;

		end = within ? r->end : r->begin;
		if (within)
			*ret = r->hint;
	}
	uint64_t left = end - e->offset;
	return left < EBB_TENSOR_FORMAT_BLOCK ? (size_t)left : EBB_TENSOR_FORMAT_BLOCK;
}

/* Fill the block up to @most bytes from the header that was collected, then from the input. */
static void fill(struct encoder *e, struct ebb_codec_io *io, size_t most)
{
	size_t n = e->head.len - e->head_at;

	n = n < most - e->raw_len ? n : most - e->raw_len;
	if (n) {
		memcpy(e->raw + e->raw_len, e->head.data + e->head_at, n);
		e->raw_len += n;
		e->head_at += n;
		if (e->head_at == e->head.len) {
			ebb_buf_release(&e->head);
			e->head_at = 0;
		}
	}
	n = io->in_len < most - e->raw_len ? io->in_len : most - e->raw_len;
	if (n) {
		memcpy(e->raw + e->raw_len, io->in, n);
		e->raw_len += n;
		io->in += n;
		io->in_len -= n;
	}
}

/* Encode the first @len bytes of the block. */
static int flush(struct encoder *e, struct ebb_tensor_hint hint, size_t len, struct ebb_err *err)
{
	uint8_t row[EBB_TENSOR_FORMAT_INDEX_ROW];

	if (e->blocks == EBB_TENSOR_FORMAT_BLOCKS_MAX)
		return ebb_err_set(err, EBB_ENOTSUP, "tensor codec: the object has too many blocks");
	ebb_le_put64(row, e->offset);
	ebb_le_put64(row + 8, e->written);
	int64_t n = ebb_tensor_block_encode(e->coder, hint, e->offset, e->raw, len, e->out, err);
	if (n < 0)
		return (int)n;
	if (ebb_buf_add(&e->rows, row, sizeof(row)) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "tensor codec: no memory");
	to_give(e, e->out, (size_t)n);
	memmove(e->raw, e->raw + len, e->raw_len - len);
	e->raw_len -= len;
	e->offset += len;
	e->blocks++;
	return 0;
}

/* Index and foot, to be given out together. */
static int finish(struct encoder *e, struct ebb_err *err)
{
	size_t bound = ZSTD_compressBound(e->rows.len);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf rows = e->rows;
	struct ebb_tensor_format_foot foot = {e->written, e->offset};

	ebb_buf_init(&e->rows, SIZE_MAX / 2);
	if (ebb_buf_reserve(&rows, 0) < 0 ||
	    ebb_buf_reserve(&e->rows, EBB_TENSOR_FORMAT_INDEX_HEAD + bound + EBB_TENSOR_FORMAT_FOOT) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "tensor codec: no memory");
	uint8_t *p = (uint8_t *)e->rows.data;
	int64_t n = ebb_tensor_block_index(e->coder, rows.data, rows.len,
					   p + EBB_TENSOR_FORMAT_INDEX_HEAD, bound, err);
	if (n < 0)
		return (int)n;
	struct ebb_tensor_format_index index = {(uint32_t)n, e->blocks};
	ebb_tensor_format_put_index(p, &index);
	ebb_tensor_format_put_foot(p + EBB_TENSOR_FORMAT_INDEX_HEAD + n, &foot);
	to_give(e, p, EBB_TENSOR_FORMAT_INDEX_HEAD + (size_t)n + EBB_TENSOR_FORMAT_FOOT);
	return 0;
}

static int encode_blocks(struct encoder *e, struct ebb_codec_io *io, bool end, struct ebb_err *err)
{
	struct ebb_tensor_hint hint;
	size_t most = room(e, &hint);

	fill(e, io, most);
	bool last = end && !io->in_len && e->head.len == e->head_at;
	if (e->raw_len == most || (last && e->raw_len)) {
		size_t len = e->raw_len;

		/* An odd end must not keep what stands before it from being taken apart. */
		if (!hint.width && len > 8)
			len -= len % 8;
		return flush(e, hint, len, err);
	}
	if (!last)
		return 1;
	e->phase = INDEX;
	return finish(e, err);
}

static int encoder_step(struct ebb_codec_stream *s, struct ebb_codec_io *io, bool end,
			struct ebb_err *err)
{
	struct encoder *e = (struct encoder *)s;
	int r = 0;

	while (r == 0) {
		if (!give(&e->give, &e->give_len, io))
			return 0;
		if (e->phase == INDEX)
			return 1;
		if (e->phase == HEADING) {
			if ((r = read_head(e, io, end, err)) <= 0)
				return r;
			e->phase = BLOCKS;
		}
		r = encode_blocks(e, io, end, err);
	}
	return r < 0 ? r : 0;
}

static int encoder_new(const struct ebb_codec_params *p, struct ebb_codec_stream **ret,
		       struct ebb_err *err)
{
	struct encoder *e = calloc(1, sizeof(*e));

	if (!e)
		return ebb_err_set(err, EBB_ENOMEM, "tensor codec: no memory");
	e->base = (struct ebb_codec_stream){.step = encoder_step, .free = encoder_free};
	ebb_buf_init(&e->head, EBB_TENSOR_MAP_HEADER);
	ebb_buf_init(&e->rows, (size_t)EBB_TENSOR_FORMAT_BLOCKS_MAX * EBB_TENSOR_FORMAT_INDEX_ROW);
	e->try_at = TRY_FIRST;
	e->raw = malloc(EBB_TENSOR_FORMAT_BLOCK);
	e->out = malloc(EBB_TENSOR_FORMAT_BLOCK_HEAD + ebb_tensor_format_bound());
	int r = e->raw && e->out ? ebb_tensor_block_coder(p->level, &e->coder, err) :
				   ebb_err_set(err, EBB_ENOMEM, "tensor codec: no memory");
	if (r < 0) {
		encoder_free(&e->base);
		return r;
	}
	ebb_tensor_format_put_head(e->out);
	to_give(e, e->out, EBB_TENSOR_FORMAT_HEAD);
	*ret = &e->base;
	return 0;
}

/* --- Decoding ----------------------------------------------------------------------------------------- */

enum expect { HEAD, RECORD, BLOCK_HEAD, FRAMES, ROWS, FOOT, NOTHING };

struct decoder {
	struct ebb_codec_stream base;
	struct ebb_tensor_coder *coder;
	enum expect expect;
	uint8_t *in;		/* what is being collected */
	size_t in_len, need;	/* of it there, and needed in all */
	uint64_t taken;		/* bytes of the container that were understood */
	struct ebb_tensor_format_block block;
	struct ebb_tensor_format_index index;
	uint64_t index_at;
	uint32_t blocks;
	uint32_t given;		/* bytes of the decoded block that went out; block.raw: all, or there is none */
	uint64_t offset;	/* raw bytes decoded so far */
};

static int corrupt(struct ebb_err *err, const char *what)
{
	return ebb_err_set(err, EBB_ECORRUPT, "tensor container: %s", what);
}

static void next(struct decoder *d, enum expect expect, size_t need)
{
	d->expect = expect;
	d->need = need;
}

/* The block is complete. */
static int decode_block(struct decoder *d, struct ebb_err *err)
{
	int r = ebb_tensor_block_decode(d->coder, &d->block, d->in, err);

	if (r < 0)
		return r;
	d->given = 0;
	d->offset += d->block.raw;
	d->blocks++;
	next(d, RECORD, EBB_TENSOR_FORMAT_INDEX_HEAD);
	return 0;
}

/* 16 bytes are there: all of an index's header, the beginning of a block's. */
static int record(struct decoder *d, struct ebb_err *err)
{
	enum ebb_tensor_format_kind kind = ebb_tensor_format_kind(d->in);
	int r;

	if (kind == EBB_TENSOR_FORMAT_IS_BLOCK) {
		next(d, BLOCK_HEAD, EBB_TENSOR_FORMAT_BLOCK_HEAD);
		return 1; /* keep what was collected */
	}
	if ((r = ebb_tensor_format_get_index(d->in, &d->index, err)) < 0)
		return r;
	if (d->index.blocks != d->blocks)
		return corrupt(err, "blocks are missing");
	d->index_at = d->taken - EBB_TENSOR_FORMAT_INDEX_HEAD;
	next(d, ROWS, d->index.coded);
	return 0;
}

static int block_head(struct decoder *d, struct ebb_err *err)
{
	int r = ebb_tensor_format_get_block(d->in, &d->block, err);

	if (r < 0)
		return r;
	if (d->block.offset != d->offset)
		return corrupt(err, "blocks are missing or out of order");
	d->given = d->block.raw;
	next(d, FRAMES, ebb_tensor_format_coded(&d->block));
	return 0;
}

static int foot(struct decoder *d, struct ebb_err *err)
{
	struct ebb_tensor_format_foot f;
	int r = ebb_tensor_format_get_foot(d->in, &f, err);

	if (r == 0 && (f.raw != d->offset || f.index != d->index_at))
		r = corrupt(err, "the foot belongs to other blocks");
	next(d, NOTHING, 0);
	return r;
}

/* What was needed is there. 0, or 1 to keep it, or negative. */
static int understand(struct decoder *d, struct ebb_err *err)
{
	switch (d->expect) {
	case HEAD:
		next(d, RECORD, EBB_TENSOR_FORMAT_INDEX_HEAD);
		return ebb_tensor_format_get_head(d->in, err);
	case RECORD:
		return record(d, err);
	case BLOCK_HEAD:
		return block_head(d, err);
	case FRAMES:
		return decode_block(d, err);
	case ROWS:
		next(d, FOOT, EBB_TENSOR_FORMAT_FOOT);
		return 0;
	case FOOT:
		return foot(d, err);
	default:
		return corrupt(err, "bytes behind the foot");
	}
}

/* Collect what is needed, except rows, which a decoder from the beginning passes over. */
static void collect(struct decoder *d, struct ebb_codec_io *io)
{
	size_t n = d->need - d->in_len;

	n = n < io->in_len ? n : io->in_len;
	if (!n)
		return;
	if (d->expect != ROWS)
		memcpy(d->in + d->in_len, io->in, n);
	d->in_len += n;
	d->taken += n;
	io->in += n;
	io->in_len -= n;
}

/* Put the decoded block together where it is wanted; false when the output filled up first. */
static bool give_block(struct decoder *d, struct ebb_codec_io *io)
{
	size_t n = d->block.raw - d->given;

	n = n < io->out_len ? n : io->out_len;
	if (n) {
		ebb_tensor_block_take(d->coder, &d->block, d->given, n, io->out);
		d->given += (uint32_t)n;
		io->out += n;
		io->out_len -= n;
	}
	return d->given == d->block.raw;
}

static int decoder_step(struct ebb_codec_stream *s, struct ebb_codec_io *io, bool end,
			struct ebb_err *err)
{
	struct decoder *d = (struct decoder *)s;

	for (;;) {
		if (!give_block(d, io))
			return 0;
		if (d->expect == NOTHING && io->in_len)
			return corrupt(err, "bytes behind the foot");
		if (d->expect == NOTHING)
			return end ? 1 : 0;
		collect(d, io);
		if (d->in_len < d->need)
			return end ? corrupt(err, "the input ends within a block or behind the last one") : 0;
		int r = understand(d, err);
		if (r < 0)
			return r;
		if (r == 0)
			d->in_len = 0;
	}
}

static void decoder_free(struct ebb_codec_stream *s)
{
	struct decoder *d = (struct decoder *)s;

	ebb_tensor_block_free(d->coder);
	free(d->in);
	free(d);
}

static int decoder_new(struct ebb_codec_stream **ret, struct ebb_err *err)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return ebb_err_set(err, EBB_ENOMEM, "tensor codec: no memory");
	d->base = (struct ebb_codec_stream){.step = decoder_step, .free = decoder_free};
	d->in = malloc(ebb_tensor_format_bound());
	int r = d->in ? ebb_tensor_block_coder(0, &d->coder, err) :
				  ebb_err_set(err, EBB_ENOMEM, "tensor codec: no memory");
	if (r < 0) {
		decoder_free(&d->base);
		return r;
	}
	next(d, HEAD, EBB_TENSOR_FORMAT_HEAD);
	*ret = &d->base;
	return 0;
}

const struct ebb_codec ebb_codec_tensor = {
	.name = "tensor",
	.suffix = ".ebbt",
	.level_min = 1,
	.level_max = 19,
	.level_default = 1,
	.encoder = encoder_new,
	.decoder = decoder_new,
};
