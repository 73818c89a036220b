/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/pipe.h"

#include <inttypes.h>
#include <stdlib.h>

#include "compress/digest.h"

/* One end of the pipe. */
struct side {
	struct ebb_digest digest;	/* of the raw side only */
	int64_t bytes;
	int64_t limit;	/* bytes expected, -1: any number */
};

struct run {
	const struct ebb_pipe *p;
	struct side source, sink;
	struct ebb_codec_stream *stream;	/* NULL: copy */
	uint8_t *in, *out;			/* EBB_PIPE_BUFFER each; out NULL without a codec */
};

static void run_release(struct run *r)
{
	ebb_digest_release(&r->source.digest);
	ebb_digest_release(&r->sink.digest);
	ebb_codec_stream_free(r->stream);
	free(r->in);
	free(r->out);
}

static int run_open_codec(struct run *r, struct ebb_err *err)
{
	const struct ebb_pipe *p = r->p;

	if (p->mode == EBB_PIPE_COPY)
		return 0;
	r->out = malloc(EBB_PIPE_BUFFER);
	if (!r->out)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a buffer");
	if (p->mode == EBB_PIPE_DECODE)
		return ebb_codec_decoder_new(p->codec, &r->stream, err);

	struct ebb_codec_params params = {.level = p->level, .window = p->window, .threads = p->threads,
					  .size = p->raw_size};
	return ebb_codec_encoder_new(p->codec, &params, &r->stream, err);
}

static int run_open(struct run *r, struct ebb_err *err)
{
	bool decode = r->p->mode == EBB_PIPE_DECODE;

	r->source.limit = decode ? -1 : r->p->raw_size;
	r->sink.limit = decode ? r->p->raw_size : -1;
	r->in = malloc(EBB_PIPE_BUFFER);
	if (!r->in)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a buffer");

	int e = ebb_digest_init(decode ? &r->sink.digest : &r->source.digest, &ebb_digest_xxh128, err);
	return e < 0 ? e : run_open_codec(r, err);
}

/* Count bytes that pass a side, and digest raw ones. */
static int side_pass(struct side *s, const uint8_t *p, size_t len, struct ebb_err *err)
{
	s->bytes += (int64_t)len;
	if (s->limit >= 0 && s->bytes > s->limit)
		return ebb_err_set(err, EBB_EMISMATCH, "more than the expected %" PRId64 " bytes",
				   s->limit);
	if (s->digest.state)
		ebb_digest_update(&s->digest, p, len);
	return 0;
}

static int side_end(const struct side *s, struct ebb_err *err)
{
	if (s->limit >= 0 && s->bytes != s->limit)
		return ebb_err_set(err, EBB_EMISMATCH,
				   "%" PRId64 " bytes instead of the expected %" PRId64, s->bytes,
				   s->limit);
	return 0;
}

/* Bytes for the sink. */
static int run_give(struct run *r, const uint8_t *p, size_t len, struct ebb_err *err)
{
	if (len == 0)
		return 0;

	int e = side_pass(&r->sink, p, len, err);
	if (e == 0 && r->p->write)
		e = r->p->write(r->p->write_ctx, p, len, err);
	return e;
}

static int run_progress(const struct run *r, struct ebb_err *err)
{
	if (!r->p->progress)
		return 0;
	return r->p->progress(r->p->progress_ctx, r->source.bytes, r->sink.bytes, err);
}

/* Bytes of the source through the codec; @end: they are the last ones. */
static int run_code(struct run *r, const uint8_t *p, size_t len, bool end, struct ebb_err *err)
{
	struct ebb_codec_io io = {.in = p, .in_len = len};
	int done;

	do {
		io.out = r->out;
		io.out_len = EBB_PIPE_BUFFER;
		done = ebb_codec_step(r->stream, &io, end, err);
		if (done < 0)
			return done;

		int e = run_give(r, r->out, EBB_PIPE_BUFFER - io.out_len, err);
		if (e == 0 && io.out_len == 0)
			e = run_progress(r, err);
		if (e < 0)
			return e;
	} while (io.in_len || io.out_len == 0 || (end && !done));
	return 0;
}

static int run_pump(struct run *r, struct ebb_err *err)
{
	for (;;) {
		int64_t n = r->p->read(r->p->read_ctx, r->in, EBB_PIPE_BUFFER, err);

		if (n < 0)
			return (int)n;
		int e = side_pass(&r->source, r->in, (size_t)n, err);
		if (e == 0 && r->stream)
			e = run_code(r, r->in, (size_t)n, n == 0, err);
		else if (e == 0)
			e = run_give(r, r->in, (size_t)n, err);
		if (e == 0)
			e = run_progress(r, err);
		if (e < 0 || n == 0)
			return e;
	}
}

int ebb_pipe_run(const struct ebb_pipe *p, struct ebb_pipe_result *ret, struct ebb_err *err)
{
	EBB_CLEANUP(run_release) struct run r = {.p = p};
	struct ebb_pipe_result out = {0};
	struct side *raw = p->mode == EBB_PIPE_DECODE ? &r.sink : &r.source;
	struct side *coded = p->mode == EBB_PIPE_DECODE ? &r.source : &r.sink;
	int e = run_open(&r, err);

	if (e == 0)
		e = run_pump(&r, err);
	if (e == 0)
		e = side_end(raw, err);
	if (e == 0)
		e = ebb_digest_final(&raw->digest, out.raw_digest, err);
	if (e < 0)
		return e;

	out.raw_size = raw->bytes;
	out.coded_size = coded->bytes;
	*ret = out;
	return 0;
}
