/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blocks: up to EBB_BLOCK_MAX consecutive records packed into one value of the index.
 *
 * Fields are columns (each with its least value, its greatest value and as few bytes a record as the
 * difference needs: none for a constant), keys are front-coded. So one predicate over a block reads a few
 * KiB, a block whose least and greatest values cannot match is skipped unread, and a record costs
 * 50 to 70 bytes. Encoding is deterministic: the same records give the same bytes. The format is described
 * byte by byte in core/DESIGN.md. Decoding trusts nothing: any bytes either open or fail with EBB_ECORRUPT.
 *
 * Threads: a builder belongs to one thread; an opened block is read-only and may be shared.
 */
#ifndef EBB_CORE_BLOCK_H
#define EBB_CORE_BLOCK_H

#include "core/buf.h"
#include "core/err.h"
#include "core/record.h"

/* Most records in one block. */
#define EBB_BLOCK_MAX 1024

/* A builder stops taking records when its keys reach this many bytes, so that blocks stay near 64 KiB. */
#define EBB_BLOCK_KEY_BYTES (32 * 1024)

struct ebb_block_builder;

/* New empty builder (about 200 KiB); NULL when memory is short. */
struct ebb_block_builder *ebb_block_builder_new(void);
void ebb_block_builder_free(struct ebb_block_builder *b);

/* Empty it for the next block. */
void ebb_block_builder_clear(struct ebb_block_builder *b);

/* Records in the builder, and whether it takes no more. */
uint32_t ebb_block_builder_count(const struct ebb_block_builder *b);
bool ebb_block_builder_full(const struct ebb_block_builder *b);

/*
 * Append a record; its key must be greater than the one before, and the builder not full. The record is copied.
 *
 * @return  0; -EBB_EINVAL for a key that is empty, too long or out of order; -EBB_ENOMEM.
 */
int ebb_block_builder_add(struct ebb_block_builder *b, const struct ebb_record *r,
			  struct ebb_err *err);

/* First and last key of a non-empty builder; valid until the next call that changes it. */
void ebb_block_builder_range(const struct ebb_block_builder *b, const char **ret_first,
			     size_t *ret_first_len, const char **ret_last, size_t *ret_last_len);

/*
 * Encode the records into @out (cleared first). The builder keeps them until clear.
 *
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_block_builder_encode(struct ebb_block_builder *b, struct ebb_buf *out, struct ebb_err *err);

/* One column of an opened block. */
struct ebb_block_column {
	int64_t min, max;	/* of the known and unknown values together (unknown counts as 0) */
	int64_t unit;		/* values are min + unit * stored */
	const uint8_t *data;	/* n values of `width` bytes, little-endian, unsigned */
	uint8_t width;		/* 0 to 8 bytes */
};

/* An opened block. Borrows the bytes it was opened on. Members are read-only for callers. */
struct ebb_block {
	uint32_t n;				/* records, 1 to EBB_BLOCK_MAX */
	uint32_t known_all;			/* bits known in every record */
	uint32_t known_any;			/* bits known in at least one record */
	struct ebb_block_column known;		/* the masks themselves */
	struct ebb_block_column col[EBB_F_COUNT];
	const uint8_t *digests;			/* n * EBB_DIGEST_LEN bytes, or NULL when none is known */
	const uint8_t *keys, *keys_end;		/* front-coded keys */
	const char *first;			/* first key, in full */
	size_t first_len;
};

/*
 * Open encoded bytes; checks every bound, so that the functions below cannot leave them.
 * @data must outlive the block, with EBB_BLOCK_PAD readable bytes behind it (the encoder puts them there).
 *
 * @return  0 or -EBB_ECORRUPT.
 */
#define EBB_BLOCK_PAD 8
int ebb_block_open(struct ebb_block *ret, const void *data, size_t len, struct ebb_err *err);

/* Decode a column into @out (room for block->n values; EBB_BLOCK_MAX always suffices). Unknown values are 0. */
void ebb_block_values(const struct ebb_block *b, enum ebb_field f, int64_t *out);

/* Decode the known masks into @out. */
void ebb_block_known(const struct ebb_block *b, uint32_t *out);

/*
 * Walk the keys without decoding columns.
 */
struct ebb_block_keys {
	const struct ebb_block *b;
	const uint8_t *at;
	uint32_t next;			/* number of the record that next() will give */
	uint32_t len;			/* length of the key given last */
	char key[EBB_KEY_MAX + 1];	/* the key given last, NUL behind it */
};

void ebb_block_keys_init(struct ebb_block_keys *it, const struct ebb_block *b);

/* Advance. Returns 1 with it->key set, 0 at the end, -EBB_ECORRUPT. */
int ebb_block_keys_next(struct ebb_block_keys *it, struct ebb_err *err);

/*
 * Walk whole records. About 130 KiB: allocate, do not put on a small stack.
 */
struct ebb_block_iter {
	struct ebb_block_keys keys;
	uint32_t known[EBB_BLOCK_MAX];
	int64_t col[EBB_F_COUNT][EBB_BLOCK_MAX];
};

/* Decode all columns of @b, which must outlive the walk. */
void ebb_block_iter_init(struct ebb_block_iter *it, const struct ebb_block *b);

/* Next record. @rec->key is borrowed from the iterator until the next call. Returns 1, 0 at the end, -EBB_ECORRUPT. */
int ebb_block_iter_next(struct ebb_block_iter *it, struct ebb_record *rec, struct ebb_err *err);

#endif
