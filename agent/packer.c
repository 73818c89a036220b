/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/packer.h"

#include <stdlib.h>
#include <string.h>

#include "agent/packer_write.h"
#include "agent/packs.h"
#include "agent/steps.h"
#include "compress/pack_read.h"
#include "scanners/content.h"
#include "scanners/proof_pack.h"

void ebb_packer_drop(struct ebb_packer *p, size_t i, int code, const struct ebb_err *why)
{
	struct ebb_op_result *res = &p->m[i].o->result;

	*res = (struct ebb_op_result){.outcome = ebb_op_outcome_of(code), .why = *why};
	p->m[i].out = true;
}

/* What happened to the object is told of it alone; other failures would meet all members. */
static bool is_own(int r)
{
	return ebb_op_outcome_of(r) != EBB_OP_BACK;
}

static size_t members_left(const struct ebb_packer *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += !p->m[i].out;
	return n;
}

/* --- What stands already --------------------------------------------------------------------------------- */

static struct ebb_pack_member row_of(const struct ebb_executor_op *o)
{
	const struct ebb_op_result *res = &o->copied;
	struct ebb_pack_member row = {
		.key = o->op.key, .offset = res->member.at, .coded = res->member.coded,
		.raw = res->member.raw, .size = res->member.size,
	};

	memcpy(row.digest, res->digest, EBB_DIGEST_LEN);
	return row;
}

/* The original is not what it was: gone, by us, when the journal knows the pack, or changed by somebody. */
static void settle_gone(struct ebb_packer *p, size_t i, int code, const struct ebb_err *why)
{
	struct ebb_executor_op *o = p->m[i].o;

	if (code != -EBB_ENOENT || !o->has_copied ||
	    (ebb_store_check(p->to, p->key, &o->copied.to, NULL) < 0 &&
	     !(o->op.class && ebb_steps_in_class(o->op.class, &o->copied.to, &p->rec)))) {
		ebb_packer_drop(p, i, code, why);
		return;
	}
	o->result = o->copied;
	o->result.outcome = EBB_OP_DONE;
	p->m[i].out = true;
}

/* Rows of those that are left: from the journal, or from the pack's index. */
static int find_rows(struct ebb_packer *p, struct ebb_proof_pack *pack, struct ebb_pack_index *x,
		     struct ebb_err *err)
{
	struct ebb_err why = {0};
	size_t at = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct packer_member *m = &p->m[i];
		const struct ebb_op *op = &m->o->op;

		if (m->out)
			continue;
		int r = ebb_store_check(p->from, op->key, &op->obj, &why);
		if (r == -EBB_ENOENT || r == -EBB_ECHANGED)
			settle_gone(p, i, r, &why);
		else if (r < 0)
			return ebb_err_set(err, -r, "%s", why.msg);
		if (m->out)
			continue;
		if (m->o->has_copied) {
			m->row = row_of(m->o);
			continue;
		}
		if (!x->members) {
			r = ebb_pack_read_index(ebb_proof_pack_range, pack, p->rec.f[EBB_F_SIZE], x, err);
			if (r < 0)
				return r;
		}
		while (at < x->n && strcmp(x->members[at].key, op->key) != 0)
			at++; /* both are in the order in which they were written */
		if (at < x->n) {
			m->row = x->members[at++];
			continue;
		}
		at = 0;
		ebb_err_clear(&why);
		ebb_err_set(&why, EBB_ECHANGED, "is not in pack '%s'", p->key);
		ebb_packer_drop(p, i, -EBB_ECHANGED, &why);
	}
	return 0;
}

/* --- Proofs ---------------------------------------------------------------------------------------------- */

/* The content as it was read for the pack; when that was before a crash, as it is. */
static int digest_now(struct ebb_packer *p, struct packer_member *m, struct ebb_content *content,
		      uint8_t *ret, struct ebb_err *err)
{
	if (p->made) {
		memcpy(ret, m->row.digest, EBB_DIGEST_LEN);
		return 0;
	}
	return ebb_content_digest(content, p->from, &m->o->op.obj, p->x->cancel, ret, err);
}

static int prove_one(struct ebb_packer *p, struct packer_member *m, struct ebb_proof_pack *pack,
		     struct ebb_content *content, struct ebb_err *err)
{
	const struct ebb_op *op = &m->o->op;
	struct ebb_proof_pack_member what = {
		.src = p->from, .src_key = op->key, .src_rec = &op->obj, .row = &m->row,
		.meta = !(ebb_store_caps(p->from) & EBB_CAP_META) ? 0
			: ebb_meta_bare(&op->meta) ? EBB_META_TIMES | EBB_META_XATTRS : EBB_META_ALL,
	};
	int r = digest_now(p, m, content, what.src_digest, err);

	return r < 0 ? r : ebb_proof_pack_holds(pack, &what, &m->proof, err);
}

static int prove(struct ebb_packer *p, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_proof_pack_closep) struct ebb_proof_pack *pack = NULL;
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	EBB_CLEANUP(ebb_content_freep) struct ebb_content *content = ebb_content_new();
	int r = ebb_proof_pack_open(p->to, p->key, &p->rec, &pack, err);

	if (r == 0 && !content)
		r = ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (r == 0 && !p->made)
		r = find_rows(p, pack, &x, err);
	for (size_t i = 0; r == 0 && i < p->n; i++) {
		struct ebb_err why = {0};

		if (p->m[i].out)
			continue;
		int e = prove_one(p, &p->m[i], pack, content, &why);
		p->m[i].row.key = p->m[i].o->op.key; /* the index goes */
		if (e < 0 && is_own(e))
			ebb_packer_drop(p, i, e, &why);
		else if (e < 0)
			r = ebb_err_set(err, -e, "%s", why.msg);
	}
	return r;
}

/* --- The rest -------------------------------------------------------------------------------------------- */

static int record(struct ebb_packer *p, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n; i++) {
		struct packer_member *m = &p->m[i];
		struct ebb_op_result *res = &m->o->result;

		if (m->out)
			continue;
		*res = (struct ebb_op_result){
			.outcome = EBB_OP_BACK, .to = p->rec, .has_digest = true,
			.member = {m->row.offset, m->row.coded, m->row.raw, m->row.size},
		};
		memcpy(res->digest, m->row.digest, EBB_DIGEST_LEN);
		const struct ebb_journal_rec rec = {
			.type = EBB_JOURNAL_COPIED, .n = m->o->op.n, .result = *res,
		};
		if (p->x->journal)
			r = ebb_journal_put(p->x->journal, &rec, err);
	}
	return r < 0 || !p->x->journal ? r : ebb_journal_sync(p->x->journal, err);
}

/* What stands in the pack and in the journal goes; one that cannot go now is left open. */
static void remove_all(struct ebb_packer *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct packer_member *m = &p->m[i];
		struct ebb_err why = {0};

		if (m->out)
			continue;
		int r = ebb_store_remove(p->from, m->o->op.key, m->proof, &why);
		/* failing late it may have happened */
		if (r < 0 && ebb_store_check(p->from, m->o->op.key, NULL, NULL) != -EBB_ENOENT) {
			ebb_packer_drop(p, i, r, &why);
			m->o->again = m->o->result.outcome == EBB_OP_BACK;
			continue;
		}
		m->o->result.outcome = EBB_OP_DONE;
	}
}

/* Whether all that the pack is for has come to its end: an original that is still to be removed takes a look into it. */
static bool is_ready(const struct ebb_packer *p)
{
	bool any = false;

	for (size_t i = 0; i < p->n; i++) {
		if (p->m[i].o->result.outcome == EBB_OP_BACK)
			return false;
		any |= p->m[i].o->result.outcome == EBB_OP_DONE;
	}
	return any;
}

/*
 * Archive classes cannot be read at once, so the pack goes there last, when nothing will have to be read in it. A store that refuses the class
 * makes it dearer, no failure; one that went away is asked again.
 */
static void settle(struct ebb_packer *p)
{
	const char *class = p->m[0].o->op.class;
	struct ebb_record now;
	struct ebb_err why = {0};
	int r = 0;

	if (!class || !(ebb_store_caps(p->to) & EBB_CAP_CLASS) || !is_ready(p))
		return;
	if (!ebb_record_has(&p->rec, EBB_F_CLASS) || p->rec.f[EBB_F_CLASS] != ebb_record_class_code(class)) {
		r = ebb_store_set_class(p->to, p->key, class, &p->rec, &now, &why);
		/* failing late it may have happened */
		if (r == 0 || (ebb_store_head(p->to, p->key, &now, NULL) == 0 && ebb_steps_in_class(class, &p->rec, &now))) {
			p->rec = now;
			p->rec.key = p->key;
			r = 0;
		}
	}
	for (size_t i = 0; i < p->n; i++) {
		struct ebb_executor_op *o = p->m[i].o;

		if (o->result.outcome != EBB_OP_DONE)
			continue;
		if (r < 0 && !is_own(r)) {
			ebb_packer_drop(p, i, r, &why);
			o->again = true;
		} else {
			o->result.to = p->rec;
		}
	}
}

static int stands_here(void *ctx, const char *key, struct ebb_err *err)
{
	struct ebb_packer *p = ctx;
	struct ebb_record rec;
	int r = ebb_store_head(p->from, key, &rec, err);

	if (r == -EBB_ENOENT)
		return 0;
	return r < 0 ? r : 1;
}

/* A pack that this attempt made and that is no use goes again, if all that is in it still stands. */
static int take_away(struct ebb_packer *p, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_proof_pack_closep) struct ebb_proof_pack *pack = NULL;
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	int r = ebb_proof_pack_open(p->to, p->key, &p->rec, &pack, err);

	if (r == 0)
		r = ebb_proof_pack_emptied(pack, stands_here, p, &proof, err);
	return r < 0 ? r : ebb_store_remove(p->to, p->key, proof, err);
}

/* What is in it goes into the catalogue while it can be read. */
static void learn(struct ebb_packer *p)
{
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};

	if (p->x->index)
		ebb_packs_index(p->x->index, p->m[0].o->op.to_store, &p->rec, p->to, &x, NULL);
}

/* --- Encryption ------------------------------------------------------------------------------------------ */

/* What a directory's disk does nobody can see; from bucket to bucket a pack is encrypted as its members are. */
static bool seals(const struct ebb_packer *p)
{
	uint32_t caps = ebb_store_caps(p->from) | ebb_store_caps(p->to);

	return !(caps & EBB_CAP_DIRS) && (caps & EBB_CAP_META);
}

/* How a member is encrypted: as apply has read it, which no journal keeps. */
static int seal_of(const struct ebb_packer *p, const struct packer_member *m, struct ebb_meta *ret, struct ebb_err *err)
{
	if (m->o->again)
		return ebb_store_get_meta(p->from, m->o->op.key, ret, err);
	ret->seal = m->o->op.meta.seal;
	memcpy(ret->seal_key, m->o->op.meta.seal_key, sizeof(ret->seal_key));
	return 0;
}

/*
 * How many members @pack is too weak for, or has another key than; @drop: they are out. @keys: those of the pack are known, otherwise only
 * how strong it is. Negative: asking failed.
 */
static int64_t too_weak(struct ebb_packer *p, const struct ebb_meta *pack, bool keys, bool drop, struct ebb_err *err)
{
	int64_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		EBB_CLEANUP(ebb_meta_release) struct ebb_meta m = {0};
		struct ebb_err why = {0};

		if (p->m[i].out)
			continue;
		ebb_meta_init(&m);
		int r = seal_of(p, &p->m[i], &m, &why);
		if (r == -EBB_ENOENT)
			continue; /* whether that was us is found later */
		if (r < 0)
			return ebb_err_set(err, -r, "%s", why.msg);
		r = keys ? ebb_meta_sealed_as(&m, pack, &why) : ebb_meta_compare(&m, pack, EBB_META_SEAL, &why);
		if (r < 0 && drop)
			ebb_packer_drop(p, i, r, &why);
		n += r < 0;
	}
	return n;
}

static int pack_seal(const struct ebb_packer *p, struct ebb_meta *ret, struct ebb_err *err)
{
	ebb_meta_init(ret);
	return ebb_store_get_meta(p->to, p->key, ret, err);
}

/* A pack that an earlier attempt left, of which nothing is in the journal yet: whether it is encrypted as it must be. 1, 0, negative. */
static int found_weak(struct ebb_packer *p, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta pack = {0};
	int r = seals(p) ? pack_seal(p, &pack, err) : 0;

	if (r < 0 || !seals(p))
		return r;
	for (size_t i = 0; i < p->n; i++)
		if (p->m[i].o->has_copied)
			return 0; /* it was looked at before that was written */
	if (pack.seal == EBB_META_OPEN && (ebb_store_caps(p->to) & EBB_CAP_SEALED))
		return 1;
	int64_t n = too_weak(p, &pack, true, false, err);
	return n < 0 ? (int)n : n > 0;
}

/* Write it with those alone that lose nothing by it. What a key is called is only known of what stands. */
static int write_sealed(struct ebb_packer *p, struct ebb_err *err)
{
	struct ebb_meta will = {0};
	int64_t n = 0;
	int r = 0;

	if (!seals(p))
		return ebb_packer_write(p, err);
	if ((r = ebb_store_seal(p->to, &will.seal, err)) == 0)
		n = too_weak(p, &will, false, true, err);
	while (r == 0 && n >= 0) {
		EBB_CLEANUP(ebb_meta_release) struct ebb_meta pack = {0};

		r = ebb_packer_write(p, err);
		p->rec.key = p->key;
		if (r < 0 || !p->made || (r = pack_seal(p, &pack, err)) < 0)
			return r;
		if ((n = too_weak(p, &pack, true, true, err)) == 0)
			return 0;
		if (n > 0 && (r = take_away(p, err)) == 0)
			p->made = false;
	}
	return n < 0 ? (int)n : r;
}

/* Everything up to the journal; the originals are not touched. */
static int prepare(struct ebb_packer *p, struct ebb_err *err)
{
	struct ebb_err why = {0};
	int r = ebb_store_head(p->to, p->key, &p->rec, &why);

	if (r == 0 && !p->m[0].o->again)
		return ebb_err_set(err, EBB_EEXIST, "something stands at '%s' in store '%s'", p->key,
				   p->m[0].o->op.to_store);
	if (r < 0 && r != -EBB_ENOENT)
		return ebb_err_set(err, -r, "%s", why.msg);
	p->rec.key = p->key;
	if (r == 0) {
		int weak = found_weak(p, err);

		if (weak < 0 || (weak == 1 && (r = take_away(p, err)) < 0))
			return weak < 0 ? weak : r;
		r = weak == 1 ? -EBB_ENOENT : 0;
	}
	if (r == -EBB_ENOENT && (r = write_sealed(p, err)) < 0)
		return r;
	p->rec.key = p->key;
	if (members_left(p) == 0 && !p->made)
		return 0;
	if ((r = prove(p, err)) < 0)
		return r;
	if (members_left(p) == 0)
		return 0;
	learn(p);
	return record(p, err);
}

static int begin(struct ebb_packer *p, struct ebb_executor_op *ops, size_t n, struct ebb_err *err)
{
	const struct ebb_op *op = NULL;

	p->m = calloc(n, sizeof(*p->m));
	if (!p->m)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (!ops[i].settled)
			p->m[p->n++].o = &ops[i];
	if (p->n == 0)
		return 0;
	op = &p->m[0].o->op;
	p->key = op->to_key;
	p->from = ebb_storeset_find(p->x->stores, op->store);
	p->to = ebb_storeset_find(p->x->stores, op->to_store);
	if (!p->from || !p->to)
		return ebb_err_set(err, EBB_EINVAL, "operation on a store that is not open");
	ebb_executor_tag(p->x->run, op, p->tag);
	return p->x->dirs ? ebb_dirs_why(p->x->dirs, p->to, p->key, err) : 0;
}

static void release(struct ebb_packer *p)
{
	for (size_t i = 0; i < p->n; i++)
		ebb_proof_free(p->m[i].proof);
	free(p->m);
}

void ebb_packer_run(struct ebb_executor *x, struct ebb_executor_op *ops, size_t n)
{
	EBB_CLEANUP(release) struct ebb_packer p = {.x = x};
	struct ebb_err why = {0}, left = {0};
	int r = begin(&p, ops, n, &why);

	if (r == 0 && p.n)
		r = prepare(&p, &why);
	bool stays = p.made && (r < 0 || members_left(&p) == 0) && take_away(&p, &left) < 0;
	if (stays && r < 0) {
		struct ebb_err first = why;

		ebb_err_clear(&why);
		ebb_err_set(&why, first.code, "%s; the pack stays at '%s': %s", first.msg, p.key, left.msg);
	}
	for (size_t i = 0; r < 0 && i < p.n; i++) {
		if (p.m[i].out)
			continue;
		ebb_packer_drop(&p, i, r, &why);
		p.m[i].o->again |= stays; /* recovery takes it up there */
	}
	if (r == 0)
		remove_all(&p);
	if (r == 0 && p.n)
		settle(&p);
}
