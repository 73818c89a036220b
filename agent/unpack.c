/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/unpack.h"

#include <string.h>

#include "compress/pack_read.h"
#include "scanners/content.h"
#include "scanners/proof_pack.h"

static struct ebb_pack_member row_of(const struct ebb_op *op)
{
	struct ebb_pack_member row = {
		.key = op->to_key, .offset = op->member.at, .coded = op->member.coded,
		.raw = op->member.raw, .size = op->member.size,
	};

	memcpy(row.digest, op->digest, EBB_DIGEST_LEN);
	return row;
}

/* Exactly what is asked for, so that a member is one request. */
static int64_t read_range(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	struct ebb_steps_ctx *c = ctx;
	int64_t size = c->op->obj.f[EBB_F_SIZE], left = off < size ? size - off : 0;
	int r = 0;

	len = (int64_t)len < left ? len : (size_t)left;
	if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed))
		return ebb_err_set(err, EBB_ECANCELLED, "interrupted");
	if (len)
		r = ebb_store_read_range(c->from, c->op->key, &c->op->obj, off, buf, len, err);
	return r < 0 ? r : (int64_t)len;
}

static int write_some(void *ctx, const void *buf, size_t len, struct ebb_err *err)
{
	return ebb_store_write(ctx, buf, len, err);
}

static int copy_out(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta there = {0}; /* borrowed by the writer: released after it */
	EBB_CLEANUP(ebb_store_write_abortp) struct ebb_store_writer *out = NULL;
	const struct ebb_op *op = c->op;
	const struct ebb_pack_member row = row_of(op);
	bool keeps = op->has_meta && (ebb_store_caps(c->to) & EBB_CAP_META);
	struct ebb_store_write_opts opts = {.size_hint = op->member.size, .tag = c->tag, .class = ebb_steps_class(c)};
	uint32_t what = keeps ? ebb_steps_meta_parts(c) : 0;
	int r = ebb_meta_for(&there, &op->meta, ebb_store_caps(c->to) & EBB_CAP_DIRS, err);

	if (r < 0 || (r = ebb_store_write_open(c->to, op->to_key, &opts, &out, err)) < 0)
		return r;
	const struct ebb_pack_sink sink = {.data = write_some, .ctx = out};
	if ((r = ebb_pack_read_member(read_range, c, &row, op->digest, &sink, err)) < 0)
		return r;
	struct ebb_store_writer *done = out;
	out = NULL; /* commit closes it either way */
	return ebb_store_write_commit(done, keeps ? &there : NULL, what, &c->result->to, err);
}

int ebb_unpack_copy(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	struct ebb_record there;

	if (c->gone)
		return 0;
	int r = ebb_steps_arrived(c, &there, err);
	if (r < 0)
		return r;
	if (r == 1 && !c->again)
		return ebb_err_set(err, EBB_EEXIST, "something stands at '%s' in store '%s'",
				   c->op->to_key, c->op->to_store);
	c->result->has_digest = true;
	memcpy(c->result->digest, c->op->digest, EBB_DIGEST_LEN);
	if (r == 1) { /* ours if verify finds it equal */
		c->result->to = there;
		return 0;
	}
	r = copy_out(c, err);
	c->made = r == 0;
	/* a commit that failed late may have had its effect: then finish takes the copy away */
	if (r < 0 && r != -EBB_EEXIST && ebb_steps_arrived(c, &there, NULL) == 1) {
		c->result->to = there;
		c->made = true;
	}
	return r;
}

int ebb_unpack_verify(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_content_freep) struct ebb_content *content = ebb_content_new();
	struct ebb_record rec = c->result->to;
	uint8_t digest[EBB_DIGEST_LEN];
	struct ebb_err why = {0};

	if (!content)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	rec.key = c->op->to_key;
	rec.key_len = (uint32_t)strlen(c->op->to_key);
	int r = ebb_content_digest(content, c->to, &rec, c->cancel, digest, &why);
	if (r == 0 && (rec.f[EBB_F_SIZE] != c->op->member.size ||
		       memcmp(digest, c->op->digest, EBB_DIGEST_LEN) != 0))
		r = ebb_err_set(&why, EBB_EMISMATCH, "'%s' is not what pack '%s' holds", rec.key, c->op->key);
	if (r == 0)
		r = ebb_steps_compare_meta(c, &why);
	if (r == -EBB_EMISMATCH && c->again && !c->made)
		return ebb_err_set(err, EBB_EEXIST, "something else stands at '%s' in store '%s': %s",
				   c->op->to_key, c->op->to_store, why.msg);
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

int ebb_unpack_remove(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_proof_pack_closep) struct ebb_proof_pack *pack = NULL;
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	const struct ebb_op *op = c->op;
	const struct ebb_pack_member row = row_of(op);
	struct ebb_proof_pack_member what = {
		.src = c->to, .src_key = op->to_key, .src_rec = &c->result->to, .row = &row,
	};
	int r = ebb_proof_pack_open(c->from, op->key, &op->obj, &pack, err);

	memcpy(what.src_digest, op->digest, EBB_DIGEST_LEN);
	if (r == 0)
		r = ebb_proof_pack_holds(pack, &what, &proof, err);
	return r < 0 ? r : ebb_store_remove(c->to, op->to_key, proof, err);
}
