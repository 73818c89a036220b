/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Content-defined chunks: where to cut bytes so that equal stretches give equal chunks whatever stands before them, and an estimate of what
 * storing each chunk once would save.
 *
 * Cuts are FastCDC with normalized chunking (Xia et al., USENIX ATC 2016): a gear hash over the last 64 bytes, a stricter mask
 * before the average length than behind it. Deterministic: the table comes from splitmix64.
 *
 * The estimate keeps a sample of distinct chunks, chosen by their hash, so that all occurrences of a chunk are in it or none; when
 * the sample is full its share is halved (Gibbons, distinct sampling, VLDB 2001). Memory is bounded by the sample. The error is that
 * of a ratio estimator over clusters (Cochran, Sampling Techniques, ch. 6).
 *
 * Threads: cuts are pure; a sum belongs to one thread, several are merged.
 */
#ifndef EBB_COMPRESS_CDC_H
#define EBB_COMPRESS_CDC_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

/* Lengths of chunks in bytes: least (but for the last of an object), usual, most. */
#define EBB_CDC_MIN 4096
#define EBB_CDC_USUAL 16384
#define EBB_CDC_MAX 65536

/* Length of the first chunk of @p: 0 for none. @len is at least EBB_CDC_MAX, or all that is left of the object. */
size_t ebb_cdc_cut(const uint8_t *p, size_t len);

struct ebb_cdc_sum;

/* @distinct: chunks in the sample at most, a power of two; 32 bytes each. NULL when memory is short. */
struct ebb_cdc_sum *ebb_cdc_sum_new(size_t distinct);
void ebb_cdc_sum_free(struct ebb_cdc_sum *s);
EBB_CLEANUP_PTR(struct ebb_cdc_sum, ebb_cdc_sum_free);

/* Count one chunk of 1 to EBB_CDC_MAX bytes. */
void ebb_cdc_sum_add(struct ebb_cdc_sum *s, const void *chunk, size_t len);

/* Count in @s what @other has counted; @other stays as it is. */
void ebb_cdc_sum_merge(struct ebb_cdc_sum *s, const struct ebb_cdc_sum *other);

struct ebb_cdc_estimate {
	uint64_t chunks, bytes;	/* counted, exact */
	double saved;		/* share of the bytes that stand in chunks counted before: estimate */
	double error;		/* half the width of its 95 % interval; 0: everything was in the sample */
};

struct ebb_cdc_estimate ebb_cdc_sum_estimate(const struct ebb_cdc_sum *s);

#endif
