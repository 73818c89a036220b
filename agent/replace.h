/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps for what is encoded, or decoded, under its own key (EBB_OP_REPLACE): op->key is what is replaced, op->to_key where its other form lies
 * until then, below the trash of the run. The key always holds one of both forms.
 *
 * Threads: as steps.h.
 */
#ifndef EBB_AGENT_REPLACE_H
#define EBB_AGENT_REPLACE_H

#include "agent/steps.h"

/* What says that an object is encoded: the header Content-Encoding, as ebb_store_get_meta tells it. */
#define EBB_REPLACE_ATTR "s3.content-encoding"

/* The encoding that @meta tells of, into @buf (cut at its end); "" when there is none. */
const char *ebb_replace_encoding(const struct ebb_meta *meta, char *buf, size_t size);

/* -EBB_ENOTSUP when nothing may be encoded there: it is already, by whatever, or it is locked. By the metadata of the operation. */
int ebb_replace_fit(const struct ebb_steps_ctx *c, struct ebb_err *err);

/* Add to @meta what the other form of the object has besides. 0 or -EBB_ENOMEM. */
int ebb_replace_meta(const struct ebb_op *op, struct ebb_meta *meta, struct ebb_err *err);

/*
 * Again, and what stands under the key is not what it was, for which @code and @why speak: was it we who replaced it? Then c->replaced (something
 * may be left to do) or c->gone (nothing is), and 0. Otherwise they stand.
 */
int ebb_replace_look(struct ebb_steps_ctx *c, int code, const struct ebb_err *why, struct ebb_err *err);

/* Replace it, with the proof; then the proof is about the other form at c->to, which stands twice by now. */
int ebb_replace_put(struct ebb_steps_ctx *c, struct ebb_err *err);

/* The other form goes from c->to, with that proof. */
int ebb_replace_tidy(struct ebb_steps_ctx *c, struct ebb_err *err);

#endif
