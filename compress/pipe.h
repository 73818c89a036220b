/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pipe: move one object from a source to a sink, encode or decode it on the way, and take
 * the digest of the raw side. Copying, compressing, restoring and verifying are all this one call:
 *
 *   copy      no codec, a sink
 *   compress  EBB_PIPE_ENCODE, a sink
 *   restore   EBB_PIPE_DECODE, a sink
 *   verify    EBB_PIPE_DECODE (or no codec), no sink: then compare ret->raw_digest
 *
 * "Raw" is the content as users see it, "coded" what stands behind a codec; without a codec both
 * are the same.
 *
 * Memory: EBB_PIPE_MEMORY and what the codec states.
 * Threads: calls share nothing; callbacks run in the caller's thread. Blocks where they do.
 */
#ifndef EBB_COMPRESS_PIPE_H
#define EBB_COMPRESS_PIPE_H

#include <stddef.h>
#include <stdint.h>

#include "compress/codec.h"
#include "core/err.h"
#include "core/record.h"

/* Bytes of one buffer. Larger ones gained nothing: they fall out of the processor's cache (b_codec). */
#define EBB_PIPE_BUFFER ((size_t)256 * 1024)

/* Most bytes one call holds beside its codec: one buffer, two with a codec, and the digest. */
#define EBB_PIPE_MEMORY (2 * EBB_PIPE_BUFFER + 4096)

/*
 * Up to @len bytes of the source into @buf: bytes read, 0 at the end, negative code. Short reads
 * are fine.
 */
typedef int64_t ebb_pipe_read_fn(void *ctx, void *buf, size_t len, struct ebb_err *err);

/* Take all @len bytes, at least 1; 0 or negative code. */
typedef int ebb_pipe_write_fn(void *ctx, const void *buf, size_t len, struct ebb_err *err);

/*
 * Told after every piece how far both sides are (source bytes, sink bytes); a negative code stops
 * the pipe.
 */
typedef int ebb_pipe_progress_fn(void *ctx, int64_t read, int64_t written, struct ebb_err *err);

enum ebb_pipe_mode {
	EBB_PIPE_COPY,		/* codec is not looked at */
	EBB_PIPE_ENCODE,
	EBB_PIPE_DECODE
};

struct ebb_pipe {
	ebb_pipe_read_fn *read;
	void *read_ctx;
	ebb_pipe_write_fn *write;	/* NULL: no sink, bytes are only counted and digested */
	void *write_ctx;
	ebb_pipe_progress_fn *progress;	/* may be NULL */
	void *progress_ctx;
	enum ebb_pipe_mode mode;
	const struct ebb_codec *codec;
	int level;			/* encode: 0 is the codec's default */
	int window;			/* encode: as in struct ebb_codec_params */
	unsigned threads;		/* encode: 0 counts as 1 */
	int64_t raw_size;		/* raw bytes expected, -1: any number; ends bombs, too */
};

struct ebb_pipe_result {
	int64_t raw_size, coded_size;			/* bytes */
	uint8_t raw_digest[EBB_DIGEST_LEN];		/* XXH3-128; what records carry */
};

/*
 * Run until the source ends. What the sink took before a failure is the caller's to throw away.
 *
 * @return  0 with every field of *ret set; what a callback returned; -EBB_EMISMATCH when raw_size
 *          is given and another number of bytes came (told before a byte too many reaches the
 *          sink); -EBB_ECORRUPT: the source does not decode; -EBB_EINVAL: no such level;
 *          -EBB_ENOMEM.
 */
int ebb_pipe_run(const struct ebb_pipe *p, struct ebb_pipe_result *ret, struct ebb_err *err);

#endif
