/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/decide_sum.h"

/* The object that an action is about: what lies in a pack is not the pack. */
static const struct ebb_record *subject(const struct ebb_action *a)
{
	return a->id == EBB_ACTION_STRIKE ? a->with : a->obj;
}

int64_t ebb_decide_sum_bytes(const struct ebb_record *r)
{
	return r->f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN ? 0 : r->f[EBB_F_SIZE];
}

int ebb_decide_sum_objects(struct ebb_decide_sum *s, int64_t objects, int64_t bytes,
		       struct ebb_err *err)
{
	if (__builtin_add_overflow(s->objects, objects, &s->objects) ||
	    __builtin_add_overflow(s->bytes, bytes, &s->bytes))
		return ebb_err_set(err, EBB_ERANGE,
				   "the sizes of all objects together do not fit 64 bits");
	return 0;
}

int ebb_decide_sum_action(struct ebb_decide_sum *s, const struct ebb_action *a, struct ebb_err *err)
{
	int r = ebb_decide_sum_objects(s, 1, ebb_decide_sum_bytes(subject(a)), err);

	if (r < 0)
		return r;
	if (__builtin_add_overflow(s->freed, a->freed, &s->freed) ||
	    __builtin_add_overflow(s->wire, a->wire, &s->wire))
		return ebb_err_set(err, EBB_ERANGE,
				   "the sizes of all actions together do not fit 64 bits");
	if (!a->priced) {
		s->unpriced++;
		return 0;
	}
	r = ebb_money_add(s->one_off, a->one_off, &s->one_off, err);
	return r < 0 ? r : ebb_money_add(s->saving, a->saving, &s->saving, err);
}
