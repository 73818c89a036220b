/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/repack.h"

#include <stdlib.h>
#include <string.h>

#include "agent/packs.h"
#include "compress/pack_write.h"
#include "scanners/proof_pack.h"

/* Bytes compared at a time. */
#define PIECE ((size_t)1 << 20)

/* The old pack, open, with what is known of its line. */
struct old {
	struct ebb_arena arena;
	struct ebb_proof_pack *pack;
	struct ebb_pack_index x;
	struct ebb_packs_pack line;	/* its tombstones */
	int64_t now;
};

static void release(struct old *o)
{
	ebb_proof_pack_close(o->pack);
	ebb_pack_read_release(&o->x);
	ebb_arena_release(&o->arena);
}

static int open_old(struct ebb_steps_ctx *c, struct old *o, struct ebb_err *err)
{
	const struct ebb_op *op = c->op;

	ebb_arena_init(&o->arena, 0);
	o->now = c->now;
	int r = ebb_packs_follow(c->from, op->key, &o->arena, &o->line, err);
	if (r == 0)
		return ebb_err_set(err, EBB_ECHANGED, "'%s' is no pack any more", op->key);
	if (r > 0)
		r = ebb_proof_pack_open(c->from, op->key, &op->obj, &o->pack, err);
	return r < 0 ? r : ebb_pack_read_index(ebb_proof_pack_range, o->pack, op->obj.f[EBB_F_SIZE], &o->x, err);
}

/* Deleted, and past its time. */
static bool may_drop(const struct old *o, const char *member)
{
	const struct ebb_packs_tombstone *t = ebb_packs_struck(&o->line, member, strlen(member));

	return t && t->expires <= o->now;
}

static int sink(void *ctx, const void *buf, size_t len, struct ebb_err *err)
{
	return ebb_store_write(ctx, buf, len, err);
}

static int cancelled(const struct ebb_steps_ctx *c, struct ebb_err *err)
{
	bool stop = c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed);

	return stop ? ebb_err_set(err, EBB_ECANCELLED, "interrupted") : 0;
}

static int write_all(struct ebb_steps_ctx *c, const struct old *o, struct ebb_store_writer *out, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pack_write_freep) struct ebb_pack_writer *w = NULL;
	int r = ebb_pack_write_new(0, sink, out, &w, err);
	size_t n = 0;

	for (size_t i = 0; r == 0 && i < o->x.n; i++) {
		if (may_drop(o, o->x.members[i].key))
			continue;
		r = cancelled(c, err);
		if (r == 0)
			r = ebb_pack_write_copy(w, &o->x.members[i], ebb_proof_pack_range, o->pack, NULL, err);
		n++;
	}
	if (r == 0 && n == 0)
		return ebb_err_set(err, EBB_ECHANGED, "nothing is left in it any more");
	if (r == 0 && n == o->x.n)
		return ebb_err_set(err, EBB_ECHANGED, "nothing of it is deleted and past its time in the trash any more");
	return r < 0 ? r : ebb_pack_write_finish(w, err);
}

int ebb_repack_write(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct old o = {0};
	EBB_CLEANUP(ebb_store_write_abortp) struct ebb_store_writer *out = NULL;
	const struct ebb_store_write_opts opts = {.size_hint = -1, .tag = c->tag, .class = ebb_steps_class(c)};
	struct ebb_err why = {0};

	if (c->gone)
		return 0;
	int r = ebb_steps_arrived(c, &c->result->to, err);
	if (r == 1 && !c->again)
		return ebb_err_set(err, EBB_EEXIST, "something stands at '%s'", c->op->to_key);
	if (r != 0)
		return r < 0 ? r : 0;
	if ((r = open_old(c, &o, err)) < 0 ||
	    (r = ebb_store_write_open(c->to, c->op->to_key, &opts, &out, err)) < 0 || (r = write_all(c, &o, out, err)) < 0)
		return r;
	struct ebb_store_writer *done = out;
	out = NULL; /* commit closes it either way */
	r = ebb_store_write_commit(done, NULL, 0, &c->result->to, &why);
	c->made = r == 0;
	if (r < 0 && r != -EBB_EEXIST && ebb_steps_arrived(c, &c->result->to, NULL) == 1)
		c->made = true;
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

/* --- Comparing ------------------------------------------------------------------------------------------- */

/* Members of the old pack, asked about in their order. */
struct compared {
	const struct old *o;
	const bool *stands;	/* in the new pack, read back */
	size_t at;
};

static int stands(void *ctx, const char *key, struct ebb_err *err)
{
	struct compared *m = ctx;
	size_t i = m->at++;

	(void)err;
	return i < m->o->x.n && strcmp(m->o->x.members[i].key, key) == 0 && (m->stands[i] || may_drop(m->o, key));
}

static bool same_row(const struct ebb_pack_member *a, const struct ebb_pack_member *b)
{
	return strcmp(a->key, b->key) == 0 && a->size == b->size && a->raw == b->raw && a->coded == b->coded &&
	       a->mtime == b->mtime && memcmp(a->digest, b->digest, EBB_DIGEST_LEN) == 0;
}

static int same_frames(struct ebb_proof_pack *a, const struct ebb_pack_member *in_a, struct ebb_proof_pack *b,
		       const struct ebb_pack_member *in_b, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) uint8_t *buf = malloc(2 * PIECE);
	int r = buf ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	for (int64_t at = 0; r == 0 && at < in_a->coded; at += (int64_t)PIECE) {
		size_t n = in_a->coded - at < (int64_t)PIECE ? (size_t)(in_a->coded - at) : PIECE;

		r = ebb_range_read(ebb_proof_pack_range, a, in_a->offset + at, buf, n, err);
		if (r == 0)
			r = ebb_range_read(ebb_proof_pack_range, b, in_b->offset + at, buf + PIECE, n, err);
		if (r == 0 && memcmp(buf, buf + PIECE, n) != 0)
			r = ebb_err_set(err, EBB_EMISMATCH, "'%s' in the new pack differs", in_a->key);
	}
	return r;
}

/* Each member of the new pack, in the order of the old one. */
static int compare(struct ebb_steps_ctx *c, const struct old *o, struct ebb_proof_pack *pack,
		   const struct ebb_pack_index *x, bool *ok, struct ebb_err *err)
{
	size_t k = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->x.n; i++) {
		const struct ebb_pack_member *m = &o->x.members[i];

		if (k == x->n || !same_row(m, &x->members[k]))
			continue;
		if ((r = cancelled(c, err)) < 0 ||
		    (r = ebb_pack_read_member(ebb_proof_pack_range, pack, &x->members[k], m->digest, NULL, err)) < 0)
			return r;
		r = same_frames(o->pack, m, pack, &x->members[k], err);
		ok[i] = r == 0;
		k++;
	}
	if (r == 0 && k != x->n)
		return ebb_err_set(err, EBB_EMISMATCH, "'%s' in the new pack is not in the old one", x->members[k].key);
	return r;
}

static int compare_new(struct ebb_steps_ctx *c, const struct old *o, bool *ok, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_proof_pack_closep) struct ebb_proof_pack *pack = NULL;
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	struct ebb_record *rec = &c->result->to;

	rec->key = c->op->to_key;
	rec->key_len = (uint32_t)strlen(rec->key);
	int r = ebb_proof_pack_open(c->to, rec->key, rec, &pack, err);
	if (r == 0)
		r = ebb_pack_read_index(ebb_proof_pack_range, pack, rec->f[EBB_F_SIZE], &x, err);
	return r < 0 ? r : compare(c, o, pack, &x, ok, err);
}

/* The new pack is encrypted as the old one is; one that is not goes again. */
static int compare_seals(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta old = {0};
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta new = {0};

	if ((ebb_store_caps(c->to) & EBB_CAP_DIRS) || !(ebb_store_caps(c->to) & EBB_CAP_META))
		return 0;
	ebb_meta_init(&old);
	ebb_meta_init(&new);
	int r = ebb_store_get_meta(c->from, c->op->key, &old, err);
	if (r == 0)
		r = ebb_store_get_meta(c->to, c->op->to_key, &new, err);
	if (r < 0)
		return r;
	r = ebb_meta_sealed_as(&old, &new, err);
	if (r == 0 && new.seal == EBB_META_OPEN && (ebb_store_caps(c->to) & EBB_CAP_SEALED))
		r = ebb_err_set(err, EBB_EMISMATCH, "the new pack must be encrypted, and store '%s' says nothing of it", c->op->to_store);
	c->made |= r < 0;
	return r;
}

int ebb_repack_verify(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct old o = {0};
	EBB_CLEANUP(ebb_mem_freep) bool *ok = NULL;
	struct compared m = {.o = &o};
	struct ebb_err why = {0};

	if (c->gone)
		return 0;
	int r = open_old(c, &o, err);
	if (r < 0)
		return r;
	m.stands = ok = calloc(o.x.n + 1, sizeof(*ok));
	if (!ok)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (c->op->to_key && ((r = compare_seals(c, err)) < 0 || (r = compare_new(c, &o, ok, err)) < 0))
		return r;
	r = ebb_proof_pack_emptied(o.pack, stands, &m, &c->proof, &why);
	if (r == -EBB_EMISMATCH) /* somebody took a tombstone away */
		return ebb_err_set(err, EBB_ECHANGED, "%s", why.msg);
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

/* --- What is left over ----------------------------------------------------------------------------------- */

int ebb_repack_sweep(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	struct ebb_record rec = c->result->to;

	(void)err;
	rec.key = c->op->to_key;
	if (!rec.key || ebb_packs_index(NULL, c->op->to_store, &rec, c->to, &x, NULL) == 0)
		ebb_packs_sweep(c->from, c->op->key, &x, c->now);
	return 0;
}

/* Does the old pack have it? */
static int in_old(void *ctx, const char *key, struct ebb_err *err)
{
	const struct old *o = ctx;

	(void)err;
	return ebb_pack_read_find(&o->x, key) != NULL;
}

int ebb_repack_remove(struct ebb_steps_ctx *c, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct old o = {0};
	EBB_CLEANUP(ebb_proof_pack_closep) struct ebb_proof_pack *pack = NULL;
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	struct ebb_record *rec = &c->result->to;
	int r = open_old(c, &o, err);

	rec->key = c->op->to_key;
	if (r == 0)
		r = ebb_proof_pack_open(c->to, c->op->to_key, rec, &pack, err);
	if (r == 0)
		r = ebb_proof_pack_emptied(pack, in_old, &o, &proof, err);
	return r < 0 ? r : ebb_store_remove(c->to, c->op->to_key, proof, err);
}
