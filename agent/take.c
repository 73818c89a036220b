/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/take.h"

int ebb_take_copy(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta there = {0};
	const struct ebb_op *op = c->op;
	struct ebb_store_write_opts opts = {.size_hint = -1, .tag = c->tag, .class = ebb_steps_class(c)};
	struct ebb_err why = {0};
	int r = 0;

	if (op->has_meta) {
		r = ebb_meta_for(&there, &op->meta, ebb_store_caps(c->to) & EBB_CAP_DIRS, err);
		opts.meta = &there;
		opts.what = ebb_steps_meta_parts(c);
	}
	if (r < 0)
		return r;
	r = ebb_store_take(c->to, op->to_key, c->from, op->key, &op->obj, &opts, &c->result->to, &why);
	if (r < 0)
		return ebb_err_set(err, -r, "%s", why.msg);
	c->result->wire += ebb_record_has(&op->obj, EBB_F_SIZE) ? op->obj.f[EBB_F_SIZE] : 0;
	return 0;
}
