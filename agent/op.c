/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/op.h"

static const char *const ways[EBB_OP_WAYS] = {"apply", "undo", "expire"};
static const char *const hows[EBB_OP_HOWS] = {"rename", "copy", "take", "hide", "replace"};
static const char *const outcomes[EBB_OP_OUTCOMES] = {"done", "skipped", "failed", "back"};

void ebb_op_release(struct ebb_op *op)
{
	ebb_meta_release(&op->meta);
	*op = (struct ebb_op){0};
}

const char *ebb_op_way_name(int way)
{
	return way < 0 || way >= EBB_OP_WAYS ? "unknown" : ways[way];
}

const char *ebb_op_outcome_name(int outcome)
{
	return outcome < 0 || outcome >= EBB_OP_OUTCOMES ? "unknown" : outcomes[outcome];
}

const char *ebb_op_how_name(int how)
{
	return how < 0 || how >= EBB_OP_HOWS ? "unknown" : hows[how];
}

enum ebb_op_outcome ebb_op_outcome_of(int code)
{
	switch (code < 0 ? -code : code) {
	case EBB_ECHANGED:
	case EBB_ENOENT:
	case EBB_EEXIST:
	case EBB_ENOTSUP:
	case EBB_EASLEEP:
		return EBB_OP_SKIPPED;
	case EBB_ECANCELLED:
	case EBB_ENOSPC:
	case EBB_ESTORE:
	case EBB_EJOURNAL:
	case EBB_ENOMEM:
		return EBB_OP_BACK;
	default:
		return EBB_OP_FAILED;
	}
}
