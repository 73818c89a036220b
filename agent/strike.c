/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/strike.h"

#include <string.h>

#include "agent/jsonput.h"
#include "scanners/proof_pack.h"

/* For whoever looks at it without ebb; ebb reads its name alone. */
static int body(const struct ebb_op *op, struct ebb_buf *out, struct ebb_err *err)
{
	struct ebb_jsonput j = {.b = *out};

	ebb_jsonput_open(&j, NULL, '{');
	ebb_jsonput_string(&j, "is", "deleted from its pack");
	ebb_jsonput_string(&j, "store", op->with_store);
	ebb_jsonput_bytes(&j, "path", op->with_key, strlen(op->with_key));
	ebb_jsonput_text(&j, "pack", op->key);
	ebb_jsonput_shut(&j, '}');
	ebb_jsonput_raw(&j, "\n");
	return ebb_jsonput_append(&j, out, err);
}

int ebb_strike_write(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_write_abortp) struct ebb_store_writer *out = NULL;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(EBB_PROOF_PACK_TOMBSTONE);
	struct ebb_record there;
	struct ebb_err why = {0};

	if (c->gone)
		return 0;
	int r = ebb_steps_arrived(c, &there, err);
	if (r == 1 && !c->again)
		return ebb_err_set(err, EBB_EEXIST, "is deleted from its pack already");
	if (r == 1)
		c->result->to = there;
	if (r != 0)
		return r < 0 ? r : 0;
	if ((r = body(c->op, &b, err)) < 0)
		return r;
	const struct ebb_store_write_opts opts = {.size_hint = (int64_t)b.len, .tag = c->tag};
	if ((r = ebb_store_write_open(c->to, c->op->to_key, &opts, &out, err)) < 0 ||
	    (r = ebb_store_write(out, b.data, b.len, err)) < 0)
		return r;
	struct ebb_store_writer *done = out;
	out = NULL; /* commit closes it either way */
	r = ebb_store_write_commit(done, NULL, 0, &c->result->to, &why);
	/* failing late it may have had its effect */
	if (r < 0 && r != -EBB_EEXIST && ebb_steps_arrived(c, &c->result->to, NULL) == 1)
		return 0;
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

int ebb_strike_proof(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	return c->gone ? 0 : ebb_proof_pack_tombstone(c->from, c->op->key, &c->op->obj, &c->proof, err);
}
