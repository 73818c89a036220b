/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/replace.h"

#include <stdio.h>
#include <string.h>

#include "compress/codec.h"
#include "scanners/proof.h"

const char *ebb_replace_encoding(const struct ebb_meta *meta, char *buf, size_t size)
{
	const struct ebb_meta_xattr *x = ebb_meta_find(meta, EBB_REPLACE_ATTR);

	snprintf(buf, size, "%.*s", x ? (int)x->len : 0, x && x->len ? (const char *)x->value : "");
	return buf;
}

int ebb_replace_fit(const struct ebb_steps_ctx *c, struct ebb_err *err)
{
	char coding[64];

	if (c->gone || c->replaced)
		return 0;
	if (*ebb_replace_encoding(&c->op->meta, coding, sizeof(coding)))
		return ebb_err_set(err, EBB_ENOTSUP, "is encoded already (Content-Encoding: %s)", coding);
	if (c->op->meta.locked)
		return ebb_err_set(err, EBB_ENOTSUP, "is locked: retention or legal hold");
	return 0;
}

int ebb_replace_meta(const struct ebb_op *op, struct ebb_meta *meta, struct ebb_err *err)
{
	if (op->how != EBB_OP_REPLACE || op->decode)
		return 0;
	return ebb_meta_add(meta, EBB_REPLACE_ATTR, op->codec, strlen(op->codec), err);
}

/* That what stands under the key by now is a copy of the other form. */
static int prove_replaced(struct ebb_steps_ctx *c, const struct ebb_op_result *copied, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_proof_copy copy = {
		.src = c->from, .src_key = op->key, .src_rec = &op->obj, .dst = c->to, .dst_key = op->to_key,
		.codec = op->decode ? NULL : ebb_codec_find(op->codec),
	};

	memcpy(copy.src_digest, copied->digest, EBB_DIGEST_LEN);
	ebb_proof_free(c->proof);
	c->proof = NULL;
	return ebb_proof_replaced(&copy, &c->proof, err);
}

static bool is_other(int r)
{
	return r == -EBB_EMISMATCH || r == -EBB_ECORRUPT || r == -EBB_ECHANGED || r == -EBB_ENOENT;
}

int ebb_replace_look(struct ebb_steps_ctx *c, int code, const struct ebb_err *why, struct ebb_err *err)
{
	struct ebb_record there;
	struct ebb_err other = {0};

	if (!c->copied)	/* until then nothing is replaced */
		return ebb_err_set(err, -code, "%s", why->msg);
	int r = ebb_steps_arrived(c, &there, err);
	if (r < 0)
		return r;
	*c->result = *c->copied;
	if (r == 0) {	/* it went as the last thing, behind a second record: of what stands under the key */
		r = ebb_store_check(c->from, c->op->key, &c->copied->to, &other);
		c->gone = r == 0;
	} else {
		r = prove_replaced(c, c->copied, &other);
		c->replaced = r == 0;
		c->result->to = there;
	}
	if (is_other(r))
		return ebb_err_set(err, -code, "%s", why->msg);
	return r < 0 ? ebb_err_set(err, -r, "%s", other.msg) : 0;
}

/* What the journal will put back, or has put there, is what the key has: tags may have come that no record tells of. */
static int same_meta(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta now = {0};
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta want = {0};
	const struct ebb_op form = {.how = EBB_OP_REPLACE, .decode = !c->op->decode, .codec = c->op->codec};
	struct ebb_err why = {0};
	int r;

	ebb_meta_init(&now);
	ebb_meta_init(&want);
	if (!(ebb_store_caps(c->from) & EBB_CAP_META))
		return 0;
	if ((r = ebb_meta_copy(&want, &c->op->meta, err)) < 0 || (r = ebb_replace_meta(&form, &want, err)) < 0 ||
	    (r = ebb_store_get_meta(c->from, c->op->key, &now, err)) < 0)
		return r;
	r = ebb_meta_compare(&want, &now, EBB_META_XATTRS, &why);
	return r == -EBB_EMISMATCH ? ebb_err_set(err, EBB_ECHANGED, "its metadata has changed: %s", why.msg) : r;
}

/* It failed, perhaps late: did it happen all the same? 0 when it did, and is finished by now; otherwise @code and @why stand. */
static int look_again(struct ebb_steps_ctx *c, int code, const struct ebb_err *why, struct ebb_err *err)
{
	int r;

	if (ebb_store_check(c->from, c->op->key, &c->op->obj, NULL) == 0)
		return ebb_err_set(err, -code, "%s", why->msg);
	r = prove_replaced(c, c->result, NULL);
	if (r == 0)
		r = ebb_store_replace(c->from, c->op->key, c->proof, c->op->to_key, &c->result->to, NULL, NULL);
	if (r == 0)
		return 0;
	c->half = !is_other(r);
	return ebb_err_set(err, -code, "%s", why->msg);
}

int ebb_replace_put(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;
	struct ebb_record *staged = &c->result->to;
	struct ebb_err why = {0};
	struct ebb_record now;
	int r;

	if (c->gone)
		return 0;
	/* the access list of the key goes to it on the way, which on some stores is a change */
	staged->known &= ~EBB_KNOWN(EBB_F_CTIME);
	c->made = !c->replaced; /* it was compared, and lies where nobody else puts anything: it is ours to take away */
	if (!c->replaced && (r = same_meta(c, err)) < 0)
		return r;
	r = ebb_store_replace(c->from, op->key, c->proof, op->to_key, staged, NULL, &why);
	if (r < 0 && c->replaced) {
		c->half = true;
		return ebb_err_set(err, -r, "%s", why.msg);
	}
	if (r < 0 && (r = look_again(c, r, &why, err)) < 0)
		return r;
	ebb_proof_free(c->proof);
	c->proof = NULL;
	/* looked at before it is compared, or it might be somebody else's */
	if ((r = ebb_store_head(c->from, op->key, &now, &why)) == 0)
		r = ebb_proof_duplicate(c->to, op->to_key, staged, op->key, &c->proof, &why);
	if (r < 0) {
		c->half = !is_other(r);
		return ebb_err_set(err, -r, "%s", why.msg);
	}
	now.known &= ~EBB_KNOWN(EBB_F_CTIME); /* moved by whoever sets tags or an access list */
	c->result->to = now;
	c->made = false;
	return 0;
}

int ebb_replace_tidy(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	struct ebb_err why = {0};

	if (c->gone)
		return 0;
	int r = ebb_store_remove(c->to, c->op->to_key, c->proof, &why);
	/* failing late it may have happened; staying is no harm to the object, but nobody would look for it again */
	c->half = r < 0 && ebb_store_check(c->to, c->op->to_key, NULL, NULL) != -EBB_ENOENT;
	return c->half ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}
