/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/tensor_read.h"

#include <stdlib.h>
#include <string.h>

#include "compress/tensor_block.h"
#include "compress/tensor_format.h"
#include "core/le.h"

struct ebb_tensor_reader {
	ebb_range_fn *read;
	void *ctx;
	struct ebb_tensor_format_foot foot;
	struct ebb_tensor_coder *coder;
	uint8_t *rows;		/* of the index; one more closes the last block */
	uint32_t blocks;
	uint8_t *coded;		/* a block with its header */
	struct ebb_tensor_format_block block;	/* decoded last, in the coder */
	uint32_t at;		/* its number; blocks: none yet */
};

void ebb_tensor_read_close(struct ebb_tensor_reader *r)
{
	if (!r)
		return;
	ebb_tensor_block_free(r->coder);
	free(r->rows);
	free(r->coded);
	free(r);
}

static int corrupt(struct ebb_err *err, const char *what)
{
	return ebb_err_set(err, EBB_ECORRUPT, "tensor container: %s", what);
}

static uint64_t raw_at(const struct ebb_tensor_reader *r, uint32_t i)
{
	return ebb_le_get64(r->rows + (size_t)i * EBB_TENSOR_FORMAT_INDEX_ROW);
}

static uint64_t coded_at(const struct ebb_tensor_reader *r, uint32_t i)
{
	return ebb_le_get64(r->rows + (size_t)i * EBB_TENSOR_FORMAT_INDEX_ROW + 8);
}

/* Do the rows go up in steps that blocks can have? */
static bool rows_ok(const struct ebb_tensor_reader *r)
{
	size_t most = EBB_TENSOR_FORMAT_BLOCK_HEAD + ebb_tensor_format_bound();

	if (raw_at(r, 0) != 0 || coded_at(r, 0) != EBB_TENSOR_FORMAT_HEAD)
		return false;
	for (uint32_t i = 0; i < r->blocks; i++) {
		uint64_t raw = raw_at(r, i + 1) - raw_at(r, i);
		uint64_t coded = coded_at(r, i + 1) - coded_at(r, i);

		if (raw == 0 || raw > EBB_TENSOR_FORMAT_BLOCK ||
		    coded <= EBB_TENSOR_FORMAT_BLOCK_HEAD || coded > most)
			return false;
	}
	return true;
}

/* Read the index, @len bytes with its header. */
static int read_index(struct ebb_tensor_reader *r, size_t len, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) uint8_t *p = malloc(len);
	struct ebb_tensor_format_index x;
	int e = p ? ebb_range_read(r->read, r->ctx, (int64_t)r->foot.index, p, len, err) :
		    ebb_err_set(err, EBB_ENOMEM, "tensor container: no memory");

	if (e < 0 || (e = ebb_tensor_format_get_index(p, &x, err)) < 0)
		return e;
	if (x.coded != len - EBB_TENSOR_FORMAT_INDEX_HEAD)
		return corrupt(err, "the index does not end at the foot");
	size_t size = (size_t)x.blocks * EBB_TENSOR_FORMAT_INDEX_ROW;
	r->rows = malloc(size + EBB_TENSOR_FORMAT_INDEX_ROW);
	if (!r->rows)
		return ebb_err_set(err, EBB_ENOMEM, "tensor container: no memory");
	e = ebb_tensor_block_unindex(r->coder, p + EBB_TENSOR_FORMAT_INDEX_HEAD, x.coded, r->rows, size,
				     err);
	if (e < 0)
		return e;
	r->blocks = r->at = x.blocks;
	ebb_le_put64(r->rows + size, r->foot.raw);
	ebb_le_put64(r->rows + size + 8, r->foot.index);
	return rows_ok(r) ? 0 : corrupt(err, "the index makes no sense");
}

static int open_parts(struct ebb_tensor_reader *r, int64_t size, struct ebb_err *err)
{
	const int64_t least = EBB_TENSOR_FORMAT_HEAD + EBB_TENSOR_FORMAT_INDEX_HEAD +
			      EBB_TENSOR_FORMAT_FOOT;
	uint8_t head[EBB_TENSOR_FORMAT_HEAD], foot[EBB_TENSOR_FORMAT_FOOT];
	int e;

	if (size < least)
		return corrupt(err, "too short");
	if ((e = ebb_range_read(r->read, r->ctx, 0, head, sizeof(head), err)) < 0 ||
	    (e = ebb_tensor_format_get_head(head, err)) < 0 ||
	    (e = ebb_range_read(r->read, r->ctx, size - (int64_t)sizeof(foot), foot, sizeof(foot),
				err)) < 0 ||
	    (e = ebb_tensor_format_get_foot(foot, &r->foot, err)) < 0)
		return e;
	int64_t len = size - (int64_t)sizeof(foot) - (int64_t)r->foot.index;
	if ((int64_t)r->foot.index > size || len < EBB_TENSOR_FORMAT_INDEX_HEAD ||
	    len > EBB_TENSOR_FORMAT_INDEX_HEAD + INT64_C(2) * EBB_TENSOR_FORMAT_INDEX_ROW *
						  EBB_TENSOR_FORMAT_BLOCKS_MAX)
		return corrupt(err, "the foot makes no sense");
	return read_index(r, (size_t)len, err);
}

int ebb_tensor_read_open(ebb_range_fn *read, void *ctx, int64_t size, struct ebb_tensor_reader **ret,
			 struct ebb_err *err)
{
	EBB_CLEANUP(ebb_tensor_read_closep) struct ebb_tensor_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return ebb_err_set(err, EBB_ENOMEM, "tensor container: no memory");
	r->read = read;
	r->ctx = ctx;
	r->coded = malloc(EBB_TENSOR_FORMAT_BLOCK_HEAD + ebb_tensor_format_bound());
	if (!r->coded)
		return ebb_err_set(err, EBB_ENOMEM, "tensor container: no memory");
	int e = ebb_tensor_block_coder(0, &r->coder, err);
	if (e == 0)
		e = open_parts(r, size, err);
	if (e < 0)
		return e;
	*ret = r;
	r = NULL;
	return 0;
}

int64_t ebb_tensor_read_size(const struct ebb_tensor_reader *r)
{
	return (int64_t)r->foot.raw;
}

/* Number of the block that holds byte @off, which is within the object. */
static uint32_t find(const struct ebb_tensor_reader *r, uint64_t off)
{
	uint32_t low = 0, high = r->blocks;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (raw_at(r, mid) <= off)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* Decode block @i, unless it is there. */
static int load(struct ebb_tensor_reader *r, uint32_t i, struct ebb_err *err)
{
	size_t len = (size_t)(coded_at(r, i + 1) - coded_at(r, i));
	struct ebb_tensor_format_block b;
	int e;

	if (r->at == i)
		return 0;
	r->at = r->blocks;
	if ((e = ebb_range_read(r->read, r->ctx, (int64_t)coded_at(r, i), r->coded, len, err)) < 0 ||
	    (e = ebb_tensor_format_get_block(r->coded, &b, err)) < 0)
		return e;
	if (b.offset != raw_at(r, i) || b.raw != raw_at(r, i + 1) - raw_at(r, i) ||
	    ebb_tensor_format_coded(&b) != len - EBB_TENSOR_FORMAT_BLOCK_HEAD)
		return corrupt(err, "a block is not what the index says");
	e = ebb_tensor_block_decode(r->coder, &b, r->coded + EBB_TENSOR_FORMAT_BLOCK_HEAD, err);
	if (e == 0) {
		r->block = b;
		r->at = i;
	}
	return e;
}

int64_t ebb_tensor_read(struct ebb_tensor_reader *r, int64_t off, void *buf, size_t len,
			struct ebb_err *err)
{
	size_t done = 0;

	if (off < 0)
		return ebb_err_set(err, EBB_EINVAL, "tensor container: byte %lld", (long long)off);
	while (done < len && (uint64_t)off + done < r->foot.raw) {
		uint64_t at = (uint64_t)off + done;
		uint32_t i = find(r, at);
		int e = load(r, i, err);

		if (e < 0)
			return e;
		size_t skip = (size_t)(at - raw_at(r, i));
		size_t n = (size_t)(raw_at(r, i + 1) - at);
		n = n < len - done ? n : len - done;
		ebb_tensor_block_take(r->coder, &r->block, skip, n, (uint8_t *)buf + done);
		done += n;
	}
	return (int64_t)done;
}
