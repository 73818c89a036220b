/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/stream.h"

#include <string.h>
#include <unistd.h>

#include "agent/replace.h"
#include "compress/codec.h"
#include "compress/digest.h"
#include "compress/pipe.h"

/*
 * Objects run in parallel; one as large as this would run on when the others are done, so it gets threads of its own. What is
 * written does not depend on them.
 */
#define LARGE (INT64_C(64) * 1024 * 1024)
#define LARGE_THREADS 4

/* After this many bytes, and a whole window, that hardly shrank, compressing is given up. */
#define HOPELESS (INT64_C(64) * 1024 * 1024)

struct stream {
	struct ebb_steps_ctx *c;
	struct ebb_store_reader *in;
	struct ebb_store_writer *out;	/* NULL: digest only */
	int64_t hole;			/* bytes of a hole still to be given as zeros */
	size_t zeros;			/* the last piece was this many bytes of a hole, 0: data */
	int64_t step;			/* bytes between marks; 0: none are made */
	int64_t at;			/* bytes of the object that are written, when marks are made */
	int64_t size;			/* of the object, then */
	bool marked;			/* what is written so far is worth keeping */
	struct ebb_digest digest;	/* then: of all bytes, by earlier attempts as well */
};

static int cancelled(const struct stream *s, struct ebb_err *err)
{
	if (!s->c->cancel || !atomic_load_explicit(s->c->cancel, memory_order_relaxed))
		return 0;
	return ebb_err_set(err, EBB_ECANCELLED, "interrupted");
}

static int64_t read_some(void *ctx, void *buf, size_t len, struct ebb_err *err)
{
	struct stream *s = ctx;
	int64_t r = cancelled(s, err);

	if (r < 0)
		return r;
	if (s->hole == 0 && (r = ebb_store_read_hole(s->in, &s->hole, err)) < 0)
		return r;
	s->zeros = 0;
	if (s->step && s->step - s->at % s->step < (int64_t)len) /* a piece ends where a mark is made */
		len = (size_t)(s->step - s->at % s->step);
	if (s->hole == 0) {
		r = ebb_store_read(s->in, buf, len, err);
		s->c->result->wire += r > 0 ? r : 0;
		return r;
	}
	s->zeros = (int64_t)len < s->hole ? len : (size_t)s->hole;
	memset(buf, 0, s->zeros);
	s->hole -= (int64_t)s->zeros;
	return (int64_t)s->zeros;
}

/* Tell the journal how far the copy is, so that whoever goes on after a kill goes on here. */
static int put_mark(struct stream *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_digest_release) struct ebb_digest now = {0};
	uint8_t state[EBB_DIGEST_STATE];
	struct ebb_journal_rec rec = {.type = EBB_JOURNAL_MARK, .n = s->c->op->n, .state = state};
	int r;

	if ((r = ebb_store_write_mark(s->out, &rec.mark, err)) < 0 || (r = ebb_digest_save(&s->digest, state, err)) < 0 ||
	    (r = ebb_digest_init(&now, &ebb_digest_xxh128, err)) < 0 || (r = ebb_digest_load(&now, state, err)) < 0 ||
	    (r = ebb_digest_final(&now, rec.mark.digest, err)) < 0 || (r = ebb_journal_put(s->c->journal, &rec, err)) < 0)
		return r;
	s->marked = true;
	return ebb_journal_sync(s->c->journal, err);
}

static int passed(struct stream *s, const void *buf, size_t len, struct ebb_err *err)
{
	ebb_digest_update(&s->digest, buf, len);
	s->at += (int64_t)len;
	return s->at % s->step == 0 && s->at < s->size ? put_mark(s, err) : 0;
}

/* A piece that was a hole becomes one again. Were pieces ever merged on the way, they would be written as data. */
static int write_some(void *ctx, const void *buf, size_t len, struct ebb_err *err)
{
	struct stream *s = ctx;

	int r = s->zeros == len && !s->c->op->codec ? ebb_store_write_hole(s->out, (int64_t)len, err)
						    : ebb_store_write(s->out, buf, len, err);

	return r == 0 && s->step ? passed(s, buf, len, err) : r;
}

static int not_smaller(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOTSUP, "would not shrink");
}

static int watch(void *ctx, int64_t nread, int64_t written, struct ebb_err *err)
{
	const struct stream *s = ctx;
	/* what is coded to cross a link is decoded behind it, whether it has shrunk or not */
	bool encode = s->out && s->c->op->codec && !s->c->op->decode && s->c->op->action != EBB_ACTION_COPY;

	if (encode && nread >= HOPELESS && nread >> s->c->op->window && written > nread / 100 * 98)
		return not_smaller(err);
	return 0;
}

/* As many as there are processors, up to LARGE_THREADS. */
static unsigned threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > LARGE_THREADS ? LARGE_THREADS : (unsigned)n;
}

static int run_pipe(struct stream *s, struct ebb_pipe_result *ret, struct ebb_err *err)
{
	const struct ebb_op *op = s->c->op;
	struct ebb_pipe p = {
		.read = read_some, .read_ctx = s,
		.write = s->out ? write_some : NULL, .write_ctx = s,
		.progress = watch, .progress_ctx = s,
		.codec = op->codec ? ebb_codec_find(op->codec) : NULL,
		.level = op->level,
		.window = op->window,
		.raw_size = -1,
	};

	if (op->codec && !p.codec)
		return ebb_err_set(err, EBB_ENOTSUP, "codec '%s' is not built in", op->codec);
	if (op->codec && op->decode)
		p.mode = EBB_PIPE_DECODE;
	else if (op->codec && s->out)
		p.mode = EBB_PIPE_ENCODE;
	if (p.mode != EBB_PIPE_DECODE && ebb_record_has(&op->obj, EBB_F_SIZE))
		p.raw_size = op->obj.f[EBB_F_SIZE] - s->at;
	if (p.raw_size >= LARGE)
		p.threads = threads();
	struct ebb_err why = {0};
	int r = ebb_pipe_run(&p, ret, &why);
	/* bytes that do not fit, because somebody is writing them, are a change and no damage */
	if (r == 0 || r == -EBB_EMISMATCH || r == -EBB_ECORRUPT) {
		int changed = ebb_store_read_verify(s->in, err);
		if (changed < 0)
			return changed;
	}
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

/* What went through is what the journal expects, and worth keeping. */
static int accept(const struct ebb_op *op, const struct ebb_pipe_result *got, struct ebb_err *err)
{
	if (op->has_digest && memcmp(op->digest, got->raw_digest, EBB_DIGEST_LEN) != 0)
		return ebb_err_set(err, EBB_EMISMATCH, "content is not what the journal says it was");
	if (op->codec && !op->decode && got->coded_size >= got->raw_size && op->action != EBB_ACTION_COPY)
		return not_smaller(err);
	return 0;
}

static void release(struct stream *s)
{
	ebb_store_read_close(s->in);
	ebb_store_write_abort(s->out);
	ebb_digest_release(&s->digest);
}

/*
 * Whether the copy can be cut short and gone on with: bytes go through as they are, and can be read from anywhere. One attempt's metadata
 * are the next one's, since both stand in the plan or with the object that is compared with it.
 */
static bool can_go_on(const struct ebb_steps_ctx *c)
{
	return !c->op->codec && c->op->way == EBB_OP_APPLY && c->journal && ebb_record_has(&c->op->obj, EBB_F_SIZE) &&
	       (ebb_store_caps(c->from) & EBB_CAP_RANGE) && (ebb_store_caps(c->to) & EBB_CAP_RESUME);
}

/* The writer, with what an earlier attempt left for it. */
static int open_writer(struct stream *s, struct ebb_store_write_opts *opts, struct ebb_err *err)
{
	const struct ebb_steps_ctx *c = s->c;
	const uint8_t *state = NULL;
	int r;

	opts->marks = c->marks ? c->marks->v : NULL;
	opts->nmarks = c->marks ? c->marks->len : 0;
	if ((r = ebb_store_write_open(c->to, c->op->to_key, opts, &s->out, err)) < 0)
		return r;
	s->at = ebb_store_write_taken(s->out);
	if (s->at)
		state = ebb_marks_state(c->marks, s->at);
	if (s->at == 0 || (state && ebb_digest_load(&s->digest, state, NULL) == 0)) {
		s->marked = s->at > 0;
		return 0;
	}
	/* nobody knows the digest of what is there (a newer library): anew */
	ebb_store_write_abort(s->out);
	s->out = NULL;
	s->at = 0;
	opts->marks = NULL;
	opts->nmarks = 0;
	ebb_digest_clear(&s->digest);
	return ebb_store_write_open(c->to, c->op->to_key, opts, &s->out, err);
}

static int open_ends(struct stream *s, struct ebb_store_write_opts *opts, struct ebb_err *err)
{
	const struct ebb_steps_ctx *c = s->c;
	int r;

	if (!can_go_on(c)) {
		if ((r = ebb_store_read_open(c->from, c->op->key, &c->op->obj, &s->in, err)) < 0)
			return r;
		return ebb_store_write_open(c->to, c->op->to_key, opts, &s->out, err);
	}
	s->size = c->op->obj.f[EBB_F_SIZE];
	if ((r = ebb_digest_init(&s->digest, &ebb_digest_xxh128, err)) < 0 || (r = open_writer(s, opts, err)) < 0)
		return r;
	if (ebb_store_write_step(s->out) && ebb_store_write_step(s->out) < s->size)
		s->step = ebb_store_write_step(s->out);
	return ebb_store_read_from(c->from, c->op->key, &c->op->obj, s->at, &s->in, err);
}

/* What is to be done again goes on with what is there. */
static int close_early(struct stream *s, int r)
{
	if (s->marked && ebb_op_outcome_of(r) == EBB_OP_BACK) {
		ebb_store_write_leave(s->out);
		s->out = NULL;
	}
	return r;
}

int ebb_stream_copy(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta there = {0}; /* borrowed by the writer: released after it */
	const struct ebb_op *op = c->op;
	struct ebb_store_write_opts opts = {.size_hint = -1, .tag = c->tag, .class = ebb_steps_class(c)};
	struct ebb_pipe_result got;
	bool meta = op->has_meta && (ebb_store_caps(c->to) & EBB_CAP_META);
	int r;

	if (!op->codec && ebb_record_has(&op->obj, EBB_F_SIZE))
		opts.size_hint = op->obj.f[EBB_F_SIZE];
	/* holes need no room */
	if (ebb_record_has(&op->obj, EBB_F_ALLOC) && op->obj.f[EBB_F_ALLOC] < opts.size_hint)
		opts.size_hint = op->obj.f[EBB_F_ALLOC];
	if (meta) {
		if ((r = ebb_meta_for(&there, &op->meta, ebb_store_caps(c->to) & EBB_CAP_DIRS, err)) < 0 ||
		    (r = ebb_replace_meta(op, &there, err)) < 0)
			return r;
		opts.meta = &there;
		opts.what = ebb_steps_meta_parts(c);
	}
	EBB_CLEANUP(release) struct stream s = {.c = c};
	if ((r = open_ends(&s, &opts, err)) < 0 || (r = run_pipe(&s, &got, err)) < 0)
		return close_early(&s, r);
	if (s.step && (r = ebb_digest_final(&s.digest, got.raw_digest, err)) < 0)
		return r;
	if ((r = accept(op, &got, err)) < 0)
		return r;
	if (op->codec && !op->decode && op->action == EBB_ACTION_COPY) /* the link is behind the codec */
		c->result->wire += got.coded_size - got.raw_size;
	struct ebb_store_writer *out = s.out;
	s.out = NULL; /* commit closes it either way */
	c->result->has_digest = true;
	memcpy(c->result->digest, got.raw_digest, EBB_DIGEST_LEN);
	return ebb_store_write_commit(out, meta ? &there : NULL, opts.what, &c->result->to, err);
}

int ebb_stream_digest(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *in = NULL;
	struct ebb_pipe_result got;
	int r = ebb_store_read_open(c->from, c->op->key, &c->op->obj, &in, err);

	if (r < 0)
		return r;
	struct stream s = {.c = c, .in = in};
	r = run_pipe(&s, &got, err);
	if (r < 0)
		return r;
	c->result->has_digest = true;
	memcpy(c->result->digest, got.raw_digest, EBB_DIGEST_LEN);
	return 0;
}
