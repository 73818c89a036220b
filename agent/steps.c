/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/steps.h"

#include <stdlib.h>
#include <string.h>

#include "agent/repack.h"
#include "agent/replace.h"
#include "agent/same.h"
#include "agent/stream.h"
#include "agent/strike.h"
#include "agent/take.h"
#include "agent/unpack.h"
#include "compress/codec.h"
#include "compress/sample.h"
#include "scanners/proof.h"

/* How much of an object is looked at before it is compressed. */
#define SAMPLE_BYTES (64 * 1024)
#define SAMPLE_LARGE ((int64_t)1024 * 1024) /* from here on parts are read: four requests are then few */

static bool is_change(int r)
{
	return r == -EBB_ECHANGED || r == -EBB_ENOENT;
}

int ebb_steps_arrived(struct ebb_steps_ctx *c, struct ebb_record *ret, struct ebb_err *err)
{
	struct ebb_err why = {0};
	int r = ebb_store_head(c->to, c->op->to_key, ret, &why);

	if (r == -EBB_ENOENT)
		return 0;
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 1;
}

/* What a rename keeps of an object: everything but the time of the inode's change. */
static struct ebb_record moved(const struct ebb_record *rec)
{
	struct ebb_record r = *rec;

	r.known &= ~EBB_KNOWN(EBB_F_CTIME);
	return r;
}

bool ebb_steps_in_class(const char *class, const struct ebb_record *was, const struct ebb_record *now)
{
	struct ebb_record want = *was;

	want.known &= ~(EBB_KNOWN(EBB_F_CTIME) | EBB_KNOWN(EBB_F_MTIME));
	ebb_record_set(&want, EBB_F_CLASS, ebb_record_class_code(class));
	return ebb_record_has(&want, EBB_F_ETAG_HI) && ebb_store_expect(now, &want, NULL) == 0;
}

const char *ebb_steps_class(const struct ebb_steps_ctx *c)
{
	const char *class = ebb_store_caps(c->to) & EBB_CAP_CLASS ? c->op->class : NULL;

	return c->op->action != EBB_ACTION_COPY && ebb_store_may_sleep(c->to, class) ? NULL : class;
}

/* Whether the copy that the journal knows stands at `to`, in its class by now. */
static bool is_settled(struct ebb_steps_ctx *c)
{
	return c->copied && c->op->class && ebb_store_head(c->to, c->op->to_key, &c->result->to, NULL) == 0 &&
	       ebb_steps_in_class(c->op->class, &c->copied->to, &c->result->to);
}

/*
 * Again, and the original is not what it was: were it we who took it away? A rename is known by the inode at `to`, a verified
 * copy by the journal. Otherwise @why, what is wrong with the original, stands.
 */
static int check_gone(struct ebb_steps_ctx *c, int why_code, const struct ebb_err *why,
		      struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_record want = c->copied ? c->copied->to : moved(&op->obj);
	struct ebb_err other = {0};

	if (!op->to_key) {
		c->gone = why_code == -EBB_ENOENT;
		return c->gone ? 0 : ebb_err_set(err, -why_code, "%s", why->msg);
	}
	/* without an inode number a rename cannot be told from a file that somebody put there */
	if (!c->copied && (op->has_meta || !ebb_record_has(&want, EBB_F_INO)))
		return ebb_err_set(err, -why_code, "%s", why->msg);
	int r = ebb_store_check(c->to, op->to_key, &want, &other);
	if (is_change(r) && is_settled(c))
		r = 0;
	if (r < 0)
		return is_change(r) ? ebb_err_set(err, -why_code, "%s", why->msg)
				    : ebb_err_set(err, -r, "%s", other.msg);
	/* a rename by link and unlink (NFS) that was killed in between: only somebody who looks may choose */
	if (!c->copied && ebb_store_check(c->from, op->key, &want, NULL) == 0)
		return ebb_err_set(err, EBB_EEXIST, "stands under two names: also at '%s', where it was to go",
				   op->to_key);
	c->gone = true;
	if (c->copied)
		*c->result = *c->copied;
	return 0;
}

/* Under a marker it is looked at there: it is away as long as it is hidden. */
static int check_hidden(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	int r = ebb_store_hidden(c->from, op->key, &op->obj, err);

	if (r != 0)
		return r < 0 ? r : 0;
	struct ebb_err why = {0};
	r = ebb_store_check(c->from, op->key, &op->obj, &why);
	c->gone = c->again && (op->way == EBB_OP_UNDO ? r == 0 : r == -EBB_ENOENT);
	if (c->gone) {
		c->result->to = op->way == EBB_OP_UNDO ? op->obj : (struct ebb_record){0};
		return 0;
	}
	return r == 0 ? ebb_err_set(err, EBB_ECHANGED, "is not hidden any more: somebody took the delete marker away")
		      : ebb_err_set(err, -r, "%s", why.msg);
}

/* Again, and it is not what it was: did we do it, by the marker or the class? 1, 0, negative. */
static int done_in_place(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_record now;
	int r;

	if (op->how == EBB_OP_HIDE) {
		r = ebb_store_hidden(c->from, op->key, &op->obj, err);
		if (r == 1)
			c->result->to = op->obj;
		return r;
	}
	if (!op->class || op->to_key)
		return 0;
	r = ebb_store_head(c->from, op->key, &now, err);
	if (r < 0)
		return r == -EBB_ENOENT ? 0 : r;
	c->result->to = now;
	return ebb_steps_in_class(op->class, &op->obj, &now);
}

static int step_check(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	struct ebb_err why = {0};

	if (c->op->how == EBB_OP_HIDE && c->op->way != EBB_OP_APPLY)
		return check_hidden(c, err);
	int r = ebb_store_check(c->from, c->op->key, &c->op->obj, &why);

	if (c->again && is_change(r)) {
		int done = done_in_place(c, err);

		c->gone = done == 1;
		if (done != 0)
			return done < 0 ? done : 0;
	}
	if (c->again && is_change(r))
		return c->op->how == EBB_OP_REPLACE ? ebb_replace_look(c, r, &why, err) : check_gone(c, r, &why, err);
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

/* Read from a buffer, for the sample. */
struct window {
	const uint8_t *p;
	size_t len;
};

static int64_t read_window(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	const struct window *w = ctx;
	size_t left = (size_t)off < w->len ? w->len - (size_t)off : 0;
	size_t n = len < left ? len : left;

	(void)err;
	memcpy(buf, w->p + (w->len - left), n);
	return (int64_t)n;
}

/* A part of the object itself. */
static int64_t read_part(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	const struct ebb_steps_ctx *c = ctx;
	int r = ebb_store_read_range(c->from, c->op->key, &c->op->obj, off, buf, len, err);

	return r < 0 ? r : (int64_t)len;
}

/* The beginning of the object; *ret_all: that is all of it. */
static int sample_begin(struct ebb_steps_ctx *c, struct ebb_sample *ret, bool *ret_all,
			struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) uint8_t *buf = malloc(SAMPLE_BYTES);
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *in = NULL;
	struct window w = {buf, 0};
	int64_t n = 1;

	if (!buf)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int r = ebb_store_read_open(c->from, c->op->key, &c->op->obj, &in, err);
	while (r == 0 && n > 0 && w.len < SAMPLE_BYTES) {
		n = ebb_store_read(in, buf + w.len, SAMPLE_BYTES - w.len, err);
		if (n < 0)
			return (int)n;
		w.len += (size_t)n;
	}
	*ret_all = w.len < SAMPLE_BYTES;
	return r < 0 ? r : ebb_sample_guess(read_window, &w, (int64_t)w.len, ret, err);
}

/*
 * Large objects are sampled all over, where parts can be read; of others the beginning decides only what it can: a magic number,
 * or the whole of a small object. What slips through is given up by the copy when it does not shrink. Tensors are judged by the copy
 * alone: their planes shrink where their bytes look like noise.
 */
static int step_sample(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	int64_t size = ebb_record_has(&op->obj, EBB_F_SIZE) ? op->obj.f[EBB_F_SIZE] : 0;
	bool tensors = op->codec && strcmp(op->codec, ebb_codec_tensor.name) == 0, all = true;
	struct ebb_sample s;
	int r;

	if (c->gone || c->copied)
		return 0;
	if (size > SAMPLE_LARGE && (ebb_store_caps(c->from) & EBB_CAP_RANGE))
		r = ebb_sample_guess(read_part, c, size, &s, err);
	else
		r = sample_begin(c, &s, &all, err);
	if (r < 0)
		return r;
	if (s.verdict == EBB_SAMPLE_PACKED)
		return ebb_err_set(err, EBB_ENOTSUP, "is compressed already (%s)", s.format);
	/* what lies far apart no sample sees */
	if (s.verdict == EBB_SAMPLE_NOISE && all && !tensors && !(op->window && size >> EBB_CODEC_NEAR_LOG))
		return ebb_err_set(err, EBB_ENOTSUP, "would not shrink");
	return 0;
}

/* A rename that failed late (a directory that could not be synced) has happened all the same. */
static bool arrived(struct ebb_steps_ctx *c)
{
	struct ebb_record want = moved(&c->op->obj);

	return ebb_record_has(&want, EBB_F_INO) &&
	       ebb_store_check(c->from, c->op->key, &c->op->obj, NULL) == -EBB_ENOENT &&
	       ebb_store_check(c->to, c->op->to_key, &want, NULL) == 0;
}

static int step_rename(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_err why = {0};
	int r = 0;

	if (c->to != c->from)
		return ebb_err_set(err, EBB_EINVAL, "a rename cannot leave its store");
	if (!c->gone)
		r = ebb_store_rename(c->from, op->key, op->to_key, &op->obj, &why);
	if (r < 0 && !arrived(c))
		return ebb_err_set(err, -r, "%s", why.msg);
	/* it lies there by now, whether or not it can be looked at: undo must know of it */
	if (ebb_store_head(c->to, op->to_key, &c->result->to, NULL) < 0)
		c->result->to = moved(&op->obj);
	return 0;
}

static int step_hide(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_err why = {0};

	if (c->gone)
		return 0;
	int r = ebb_store_hide(c->from, op->key, &op->obj, &why);
	/* failing late it may have happened */
	if (r < 0 && ebb_store_hidden(c->from, op->key, &op->obj, NULL) != 1)
		return ebb_err_set(err, -r, "%s", why.msg);
	c->result->to = op->obj;
	return 0;
}

static int step_show(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_err why = {0};

	if (c->gone)
		return 0;
	int r = ebb_store_show(c->from, op->key, &op->obj, &why);
	if (r < 0 && ebb_store_check(c->from, op->key, &op->obj, NULL) < 0)
		return ebb_err_set(err, -r, "%s", why.msg);
	c->result->to = op->obj;
	return 0;
}

static int step_class(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_record now;
	struct ebb_err why = {0};

	if (c->gone)
		return 0;
	int r = ebb_store_set_class(c->from, op->key, op->class, &op->obj, &c->result->to, &why);
	if (r < 0 && (ebb_store_head(c->from, op->key, &now, NULL) < 0 || !ebb_steps_in_class(op->class, &op->obj, &now)))
		return ebb_err_set(err, -r, "%s", why.msg);
	if (r < 0)
		c->result->to = now;
	return 0;
}

static int step_fit(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	return ebb_replace_fit(c, err);
}

/* The store copies; what came of it is looked at, since it may fail late. */
static int copy_inside(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_err why = {0};
	int r = ebb_store_copy(c->from, op->key, op->to_key, op->class, &op->obj, &c->result->to, &why);

	c->made = r == 0;
	if (r < 0 && r != -EBB_EEXIST && ebb_steps_arrived(c, &c->result->to, NULL) == 1)
		c->made = true;
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

/* What takes over the name must have the owner, mode, times and attributes that the name had. */
static int compare_twins(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta a = {0};
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta b = {0};
	struct ebb_err why = {0};
	int r;

	ebb_meta_init(&a);
	ebb_meta_init(&b);
	if ((r = ebb_store_get_meta(c->from, c->op->key, &a, err)) < 0 ||
	    (r = ebb_store_get_meta(c->with, c->op->with_key, &b, err)) < 0)
		return r;
	b.atime = a.atime;
	r = ebb_meta_compare(&a, &b, EBB_META_ALL, &why);
	return r < 0 ? ebb_err_set(err, EBB_ENOTSUP, "cannot become another name of '%s': %s",
				   c->op->with_key, why.msg)
		     : 0;
}

static int step_compare(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	int r;

	if (c->gone)
		return 0;
	r = ebb_same_bytes(&(struct ebb_same){c->from, &op->obj, c->with, &op->with, c->cancel}, err);
	return r == 0 && op->dedup == EBB_ACTION_HARDLINK ? compare_twins(c, err) : r;
}

static int step_share(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_err why = {0};
	int r = ebb_store_share(c->from, op->with_key, &op->with, op->key, &op->obj, &why);

	if (r == -EBB_EMISMATCH) /* equal digests proposed, the bytes decide */
		return ebb_err_set(err, EBB_ENOTSUP, "is not the same as '%s'", op->with_key);
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

/* Whether the name that was taken away stands for the copy that stays by now. */
static bool is_linked(struct ebb_steps_ctx *c, const char *key)
{
	const struct ebb_record *want = &c->op->with;

	return ebb_record_has(want, EBB_F_INO) && ebb_store_check(c->from, key, want, NULL) == 0;
}

static int step_link(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	struct ebb_err why = {0};
	int r = 0, back;

	if (!(c->again && is_linked(c, c->op->key)))
		r = ebb_store_link(c->from, c->op->with_key, c->op->key, &c->op->with, &why);
	if (r == 0 || is_linked(c, c->op->key))
		return 0;
	/* the name must not be missing: what it stood for comes back from the trash */
	back = ebb_store_rename(c->from, c->op->to_key, c->op->key, &c->result->to, NULL);
	c->half = back < 0;
	return ebb_err_set(err, -r, "%s%s", why.msg, back < 0 ? "; what stood there is in the trash" : "");
}

static int step_unlink(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	const char *key = c->op->to_key;
	struct ebb_record there;
	int r;

	if (c->gone || (r = ebb_steps_arrived(c, &there, err)) == 0)
		return 0;
	if (r < 0)
		return r;
	if (!is_linked(c, key))
		return ebb_err_set(err, EBB_EEXIST, "something else stands at '%s'", key);
	r = ebb_proof_linked(c->from, key, c->op->with_key, &proof, err);
	return r < 0 ? r : ebb_store_remove(c->from, key, proof, err);
}

/* One store takes it from the other; failing late it may have happened. */
static int take(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	int r = ebb_take_copy(c, err);

	c->made = r == 0 || (r != -EBB_EEXIST && r != -EBB_ENOTSUP && ebb_steps_arrived(c, &c->result->to, NULL) == 1);
	return r;
}

static int step_copy(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	struct ebb_record there;

	if (c->gone || c->replaced)
		return 0;
	int r = ebb_steps_arrived(c, &there, err);
	if (r < 0)
		return r;
	if (r == 1 && !c->again)
		return ebb_err_set(err, EBB_EEXIST, "something stands at '%s' in store '%s'",
				   c->op->to_key, c->op->to_store);
	if (r == 1) { /* ours if verify finds it equal to the last bit */
		c->result->to = there;
		return c->op->how == EBB_OP_COPY ? 0 : ebb_stream_digest(c, err);
	}
	if (c->op->how == EBB_OP_COPY)
		return copy_inside(c, err);
	if (c->op->how == EBB_OP_TAKE && (r = take(c, err)) != -EBB_ENOTSUP)
		return r;
	ebb_err_clear(err);
	r = ebb_stream_copy(c, err);
	c->made = r == 0;
	/* a commit that failed late may have had its effect: then finish takes the copy away */
	if (r < 0 && r != -EBB_EEXIST && c->result->has_digest && ebb_steps_arrived(c, &there, NULL) == 1) {
		c->result->to = there;
		c->made = true;
	}
	return r;
}

/* Metadata that both stores can keep; what only the source keeps must not be lost. */
static int meta_parts(struct ebb_steps_ctx *c, uint32_t *ret, struct ebb_err *err)
{
	bool from = ebb_store_caps(c->from) & EBB_CAP_META, to = ebb_store_caps(c->to) & EBB_CAP_META;

	if (from && !to)
		return ebb_err_set(err, EBB_ENOTSUP, "store '%s' keeps no metadata", c->op->to_store);
	*ret = !from ? 0 : ebb_steps_meta_parts(c);
	if (c->op->way != EBB_OP_APPLY)
		*ret &= ~(uint32_t)EBB_META_TIMES;
	return 0;
}

uint32_t ebb_steps_meta_parts(const struct ebb_steps_ctx *c)
{
	bool files = ebb_store_caps(c->from) & ebb_store_caps(c->to) & EBB_CAP_DIRS;

	return !files && c->op->has_meta && ebb_meta_bare(&c->op->meta)
		       ? EBB_META_ALL & ~(EBB_META_OWNER | EBB_META_MODE) : EBB_META_ALL;
}

/* From bucket to bucket encryption is not lost on the way. What a directory's disk does nobody can see; undo goes to where it was. */
static bool seals(const struct ebb_steps_ctx *c)
{
	uint32_t caps = ebb_store_caps(c->from) | ebb_store_caps(c->to);

	return c->op->way == EBB_OP_APPLY && c->from != c->to && !(caps & EBB_CAP_DIRS) && (caps & EBB_CAP_META);
}

/* The copy must carry the metadata that the journal holds, not only what the source has now. */
int ebb_steps_compare_meta(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta now = {0};
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta want = {0};

	if (!c->op->has_meta || !(ebb_store_caps(c->to) & EBB_CAP_META))
		return 0;
	ebb_meta_init(&now);
	int r = ebb_store_get_meta(c->to, c->op->to_key, &now, err);
	if (r == 0)
		r = ebb_meta_for(&want, &c->op->meta, ebb_store_caps(c->to) & EBB_CAP_DIRS, err);
	if (r == 0)
		r = ebb_replace_meta(c->op, &want, err);
	now.atime = want.atime; /* anybody who has read it since moved that */
	return r < 0 ? r : ebb_meta_compare(&want, &now, ebb_steps_meta_parts(c) | (seals(c) ? EBB_META_SEAL : 0u), err);
}

/*
 * Where everything must be encrypted, a commit asks. A copy that an earlier attempt made may have been killed before that, and settings may
 * have changed since: it is asked here, and goes when it is not.
 */
static int check_sealed(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta now = {0};

	if (c->made || !(ebb_store_caps(c->to) & EBB_CAP_SEALED))
		return 0;
	ebb_meta_init(&now);
	int r = ebb_store_get_meta(c->to, c->op->to_key, &now, err);
	if (r < 0 || now.seal != EBB_META_OPEN)
		return r;
	c->made = true;
	return ebb_err_set(err, EBB_EMISMATCH, "its copy must be encrypted, and store '%s' says nothing of it", c->op->to_store);
}

/* What the rule wants shown. Of a copy that this attempt did not make, nothing but its bytes say whose it is. */
static enum ebb_proof_level level_of(const struct ebb_steps_ctx *c)
{
	switch (c->op->verify) {
	case EBB_ACTION_SIZE:
		return c->made ? EBB_PROOF_SIZE : EBB_PROOF_DIGEST;
	case EBB_ACTION_CHECKSUM:
		return c->made && (ebb_store_caps(c->to) & EBB_CAP_CHECKED) ? EBB_PROOF_CHECKED : EBB_PROOF_DIGEST;
	case EBB_ACTION_BYTES:
		return EBB_PROOF_BYTES;
	default:
		return EBB_PROOF_DIGEST;
	}
}

static int step_verify(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_proof_copy copy = {
		.src = c->from, .src_key = op->key, .src_rec = &op->obj,
		.dst = c->to, .dst_key = op->to_key,
		.codec = op->codec && !op->decode ? ebb_codec_find(op->codec) : NULL,
		.level = level_of(c), .dst_rec = &c->result->to,
	};
	struct ebb_err why = {0};
	int r;

	if (c->gone || c->replaced)
		return 0;
	if (op->member.coded)
		return (r = ebb_unpack_verify(c, err)) < 0 ? r : check_sealed(c, err);
	memcpy(copy.src_digest, c->result->digest, EBB_DIGEST_LEN);
	if (op->how == EBB_OP_COPY) {
		r = ebb_proof_duplicate(c->from, op->key, &op->obj, op->to_key, &c->proof, &why);
	} else {
		if ((r = meta_parts(c, &copy.meta, err)) < 0)
			return r;
		if (c->with || op->how == EBB_OP_REPLACE) /* its metadata come from elsewhere, or say more: compare_meta */
			copy.meta = 0;
		if (seals(c) || op->how == EBB_OP_REPLACE)
			copy.meta |= EBB_META_SEAL;
		r = ebb_proof_verified(&copy, &c->proof, &why);
		if (r == 0)
			r = ebb_steps_compare_meta(c, &why);
	}
	if (r == -EBB_EMISMATCH && c->again && !c->made)
		return ebb_err_set(err, EBB_EEXIST, "something else stands at '%s' in store '%s': %s",
				   op->to_key, op->to_store, why.msg);
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : check_sealed(c, err);
}

/* Reading a copy back costs what sending it did; where the store has compared checksums, looking is enough. */
static int step_confirm(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	int r;

	if (c->gone || !c->made || op->how == EBB_OP_COPY || !(ebb_store_caps(c->to) & EBB_CAP_CHECKED))
		return step_verify(c, err);
	if ((r = ebb_store_check(c->to, op->to_key, &c->result->to, err)) < 0 || (r = ebb_steps_compare_meta(c, err)) < 0)
		return r;
	return ebb_store_check(c->from, op->key, &op->obj, err);
}

static int step_original(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;

	if (c->gone)
		return 0;
	return ebb_proof_original(c->from, op->key, &op->obj, c->with, op->with_key, &op->with, &c->proof, err);
}

static int step_record(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	struct ebb_journal_rec rec = {.type = EBB_JOURNAL_COPIED, .n = c->op->n, .result = *c->result};

	if (c->gone || !c->journal)
		return 0;
	int r = ebb_journal_put(c->journal, &rec, err);
	return r < 0 ? r : ebb_journal_sync(c->journal, err);
}

static int step_purge(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;

	if (c->gone)
		return 0;
	return ebb_proof_purge(c->from, op->key, &op->obj,
			       op->purge ? EBB_PROOF_PURGE_WORDS : "", &c->proof, err);
}

static int step_expired(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;

	if (c->gone)
		return 0;
	return op->how == EBB_OP_HIDE
		       ? ebb_proof_hidden(c->from, op->key, &op->obj, op->expires, c->now, &c->proof, err)
		       : ebb_proof_expired(c->from, op->key, &op->obj, op->expires, c->now, &c->proof, err);
}

static bool still_hidden(const struct ebb_steps_ctx *c)
{
	return c->op->how == EBB_OP_HIDE &&
	       ebb_store_hidden(c->from, c->op->key, &c->op->obj, NULL) != 0;
}

static int step_remove(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	struct ebb_err why = {0};

	if (c->gone)
		return 0;
	int r = ebb_store_remove(c->from, c->op->key, c->proof, &why);
	/* failing late it may have happened */
	if (r < 0 && (ebb_store_check(c->from, c->op->key, NULL, NULL) != -EBB_ENOENT || still_hidden(c)))
		return ebb_err_set(err, -r, "%s", why.msg);
	c->made = false; /* the copy is the object now */
	return 0;
}

/*
 * The original is gone, so the operation is done wherever its copy lies: a store that refuses the class makes it dearer, no failure. But a store
 * that went away is asked again.
 */
static int step_settle(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_record now;
	struct ebb_err why = {0};

	if (!ebb_store_may_sleep(c->to, op->class) || is_settled(c))
		return 0;
	int r = ebb_store_set_class(c->to, op->to_key, op->class, &c->result->to, &now, &why);
	/* failing late it may have happened */
	if (r == 0 || (ebb_store_head(c->to, op->to_key, &now, NULL) == 0 && ebb_steps_in_class(op->class, &c->result->to, &now))) {
		c->result->to = now;
		return 0;
	}
	c->half = ebb_op_outcome_of(r) == EBB_OP_BACK;
	return c->half ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

static const struct {
	const char *name;
	int (*run)(struct ebb_steps_ctx *c, struct ebb_err *err);
} steps[EBB_STEP_COUNT] = {
	[EBB_STEP_END] = {"end", NULL},
	[EBB_STEP_CHECK] = {"check", step_check},
	[EBB_STEP_SAMPLE] = {"sample", step_sample},
	[EBB_STEP_COMPARE] = {"compare", step_compare},
	[EBB_STEP_SHARE] = {"share", step_share},
	[EBB_STEP_LINK] = {"link", step_link},
	[EBB_STEP_UNLINK] = {"unlink", step_unlink},
	[EBB_STEP_RENAME] = {"rename", step_rename},
	[EBB_STEP_HIDE] = {"hide", step_hide},
	[EBB_STEP_SHOW] = {"show", step_show},
	[EBB_STEP_CLASS] = {"class", step_class},
	[EBB_STEP_FIT] = {"fit", step_fit},
	[EBB_STEP_REPLACE] = {"replace", ebb_replace_put},
	[EBB_STEP_TIDY] = {"tidy", ebb_replace_tidy},
	[EBB_STEP_COPY] = {"copy", step_copy},
	[EBB_STEP_UNPACK] = {"unpack", ebb_unpack_copy},
	[EBB_STEP_STRIKE] = {"strike", ebb_strike_write},
	[EBB_STEP_TOMBSTONE] = {"tombstone", ebb_strike_proof},
	[EBB_STEP_REPACK] = {"repack", ebb_repack_write},
	[EBB_STEP_REPACKED] = {"repacked", ebb_repack_verify},
	[EBB_STEP_SWEEP] = {"sweep", ebb_repack_sweep},
	[EBB_STEP_VERIFY] = {"verify", step_verify},
	[EBB_STEP_CONFIRM] = {"confirm", step_confirm},
	[EBB_STEP_ORIGINAL] = {"original", step_original},
	[EBB_STEP_RECORD] = {"record", step_record},
	[EBB_STEP_PURGE] = {"purge", step_purge},
	[EBB_STEP_EXPIRED] = {"expired", step_expired},
	[EBB_STEP_REMOVE] = {"remove", step_remove},
	[EBB_STEP_SETTLE] = {"settle", step_settle},
};

int ebb_steps_run(enum ebb_step step, struct ebb_steps_ctx *c, struct ebb_err *err)
{
	if (!steps[step].run)
		return ebb_err_set(err, EBB_EINVAL, "no such step");
	return steps[step].run(c, err);
}

const char *ebb_steps_name(enum ebb_step step)
{
	return step < EBB_STEP_COUNT ? steps[step].name : "unknown";
}

/* Take away a copy that this attempt made: the proof is that its bytes stand where they came from. */
static int remove_copy(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	const struct ebb_op *op = c->op;
	struct ebb_proof_copy back = {
		.src = c->to, .src_key = op->to_key, .src_rec = &c->result->to,
		.dst = c->from, .dst_key = op->key,
		.codec = op->codec && op->decode ? ebb_codec_find(op->codec) : NULL,
	};
	int r;

	if (op->action == EBB_ACTION_REPACK)
		return ebb_repack_remove(c, err);
	if (op->member.coded)
		return ebb_unpack_remove(c, err);
	if (op->how == EBB_OP_TAKE && !c->result->has_digest && (r = ebb_stream_digest(c, err)) < 0)
		return r;
	memcpy(back.src_digest, c->result->digest, EBB_DIGEST_LEN);
	r = op->how == EBB_OP_COPY
			? ebb_proof_duplicate(c->to, op->to_key, &c->result->to, op->key, &proof, err)
			: ebb_proof_verified(&back, &proof, err);
	return r < 0 ? r : ebb_store_remove(c->to, op->to_key, proof, err);
}

int ebb_steps_finish(struct ebb_steps_ctx *c, int r, struct ebb_err *err)
{
	struct ebb_err why = {0};
	bool stays = r < 0 && c->made && remove_copy(c, &why) < 0;

	if (stays && err) {
		struct ebb_err first = *err;

		ebb_err_clear(err);
		ebb_err_set(err, first.code, "%s; the copy stays at '%s' in store '%s': %s", first.msg,
			    c->op->to_key, c->op->to_store, why.msg);
	}
	ebb_proof_free(c->proof);
	c->proof = NULL;
	return stays;
}
