/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Codecs: objects become stock compressed files and come back.
 *
 * A codec is one file with one const struct ebb_codec and one line in the table of codec.c. Of
 * those with EBB_CODEC_CAP_STOCK, what an encoder writes, the format's own tool reads (zstd -d,
 * lz4 -d), now and without ebb; what that tool writes, a decoder reads. There are no private
 * extensions. The others are containers of ebb's own (tensor: tensor_format.h): one per object,
 * with a decoder of their own in contrib/.
 *
 * Encoders write one frame with a checksum of the content, and with the content's size when it
 * was announced. The same bytes, size, level and library version give the same output, however
 * the input is cut into pieces and however many threads work on it.
 *
 * Decoders trust nothing. Stock ones accept any number of concatenated frames and skippable frames, at
 * least one in all, and refuse with -EBB_ECORRUPT: input that ends within a frame, input without
 * a frame, anything after a frame that does not begin another one, a wrong checksum, and frames
 * that need a window above EBB_CODEC_WINDOW_MAX.
 *
 * Memory is bounded whatever the input; each codec's file states by how much.
 *
 * Threads: codecs are constant; a stream belongs to one thread at a time. Nothing blocks, except
 * on a stream's own worker threads.
 */
#ifndef EBB_COMPRESS_CODEC_H
#define EBB_COMPRESS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

/*
 * Largest window a decoder allocates, in bytes: 128 MiB, what `zstd -d` takes without being told
 * more.
 */
#define EBB_CODEC_WINDOW_LOG_MAX 27
#define EBB_CODEC_WINDOW_MAX (UINT64_C(1) << EBB_CODEC_WINDOW_LOG_MAX)

/* Repeats within so many bytes (log2) are found by zstd's default level without a wider window. */
#define EBB_CODEC_NEAR_LOG 21

/* Most threads one encoder uses; more are silently not used. */
#define EBB_CODEC_THREADS_MAX 64

enum ebb_codec_caps {
	EBB_CODEC_CAP_THREADS = 1 << 0,	/* encoding uses more than one thread when allowed */
	EBB_CODEC_CAP_STOCK = 1 << 1	/* the format's own tool reads it; frames may follow each other */
};

/* What an encoder is to do. */
struct ebb_codec_params {
	int level;		/* 0: the codec's default */
	unsigned threads;	/* 0 counts as 1 */
	int64_t size;		/* bytes that will come, or -1: not known */
	int window;		/* zstd: look for repeats so far back, log2 of bytes, 10 to
				 * EBB_CODEC_WINDOW_LOG_MAX; 0: as the level does. Others: 0 */
};

/* Buffers of one step; both are advanced over what was taken and given. */
struct ebb_codec_io {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
};

struct ebb_codec_stream;

struct ebb_codec {
	const char *name;	/* as in rules: "zstd" */
	const char *suffix;	/* what keys of encoded objects end in: ".zst" */
	int level_min, level_max, level_default;	/* inclusive */
	uint32_t caps;		/* enum ebb_codec_caps, or-ed */
	/*
	 * Callers use ebb_codec_encoder_new and ebb_codec_decoder_new; here @p is checked and level
	 * is never 0.
	 */
	int (*encoder)(const struct ebb_codec_params *p, struct ebb_codec_stream **ret,
		       struct ebb_err *err);
	int (*decoder)(struct ebb_codec_stream **ret, struct ebb_err *err);
};

extern const struct ebb_codec ebb_codec_zstd;
extern const struct ebb_codec ebb_codec_lz4;
extern const struct ebb_codec ebb_codec_tensor;

/* Row @i of the table, from 0; NULL behind the last one. */
const struct ebb_codec *ebb_codec_at(size_t i);

/* Codec of that name, or NULL. */
const struct ebb_codec *ebb_codec_find(const char *name);

/*
 * Codec whose suffix ends the key (@len bytes, no NUL needed), or NULL. The suffix alone is no such
 * key.
 */
const struct ebb_codec *ebb_codec_of_key(const char *key, size_t len);

/*
 * Bytes that an encoder of zstd with two threads takes, as measured (DESIGN.md), rounded up.
 *
 * @window  as in struct ebb_codec_params.
 */
int64_t ebb_codec_memory(int level, int window);

/*
 * New encoder of one object.
 *
 * @return  0; -EBB_EINVAL for a level outside the codec's range; -EBB_ENOMEM.
 */
int ebb_codec_encoder_new(const struct ebb_codec *c, const struct ebb_codec_params *p,
			  struct ebb_codec_stream **ret, struct ebb_err *err);

/*
 * New decoder of one object.
 *
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_codec_decoder_new(const struct ebb_codec *c, struct ebb_codec_stream **ret,
			  struct ebb_err *err);

/*
 * Push input, pull output. On return 0 the input is used up, or the output is full, or both:
 * refill what is, call again. @end says that nothing comes after io->in; once said, it is said in
 * every further call. Room for output is needed to reach the end.
 *
 * @return  0: call again; 1: the end was said, all input is taken, all output given (only
 *          ebb_codec_stream_free may follow); -EBB_ECORRUPT: the input does not decode, see
 *          above; -EBB_EMISMATCH: more or fewer bytes came than were announced to the encoder;
 *          -EBB_ENOMEM; -EBB_EINVAL: called again after the end. After a failure every call fails
 *          the same way, and what was given out before must not be used.
 */
int ebb_codec_step(struct ebb_codec_stream *s, struct ebb_codec_io *io, bool end,
		   struct ebb_err *err);

/* Destroy a stream at any point; NULL is a no-op. Waits for the stream's worker threads. */
void ebb_codec_stream_free(struct ebb_codec_stream *s);
EBB_CLEANUP_PTR(struct ebb_codec_stream, ebb_codec_stream_free);

/*
 * What a codec's streams begin with; `step` and `free` are the codec's, the rest belongs to
 * codec.c.
 */
struct ebb_codec_stream {
	int (*step)(struct ebb_codec_stream *s, struct ebb_codec_io *io, bool end,
		    struct ebb_err *err);	/* as ebb_codec_step, without the bookkeeping */
	void (*free)(struct ebb_codec_stream *s);
	int64_t size;		/* bytes announced to an encoder, or -1 */
	int64_t taken;		/* bytes of input so far */
	int state;		/* 0: working, 1: done, negative: failed */
};

#endif
