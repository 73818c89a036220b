/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/plan_packs.h"

#include <stdlib.h>
#include <string.h>

#include "agent/packs.h"
#include "agent/storeset.h"
#include "compress/pack_format.h"

struct deciding {
	struct ebb_app *app;
	const char *store;		/* where the packs lie */
	struct ebb_decide *d;
	ebb_decide_fn *fn;
	void *ctx;
	struct ebb_block_builder *builder;
	struct ebb_buf bytes;		/* of a block */
	size_t *missing;
	bool acted;			/* the last decision handed out an action */
};

bool ebb_plan_packs_wanted(const struct ebb_rules *rules)
{
	for (size_t i = 0; i < ebb_rules_count(rules); i++) {
		const struct ebb_rule *r = ebb_rules_get(rules, i);

		if (r->packed || r->action->id == EBB_ACTION_REPACK)
			return true;
	}
	return false;
}

static int on_action(void *ctx, const struct ebb_action *a, struct ebb_err *err)
{
	struct deciding *p = ctx;

	p->acted = true;
	return p->fn(p->ctx, a, err);
}

/* Bytes of a member in its pack, marker included. */
static int64_t takes(const struct ebb_pack_member *m)
{
	return m->coded + EBB_PACK_FORMAT_MARKER;
}

static int by_key(const void *a, const void *b)
{
	const struct ebb_pack_member *const *x = a, *const *y = b;

	return ebb_record_key_cmp((*x)->key, strlen((*x)->key), (*y)->key, strlen((*y)->key));
}

/* What is known of an object in a pack. */
static struct ebb_record record_of(const struct ebb_pack_member *m, const struct ebb_record *pack)
{
	struct ebb_record r = {.key = m->key, .key_len = (uint32_t)strlen(m->key)};

	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, m->size);
	ebb_record_set(&r, EBB_F_MTIME, m->mtime);
	ebb_record_set(&r, EBB_F_NLINK, 1);
	if (ebb_record_has(pack, EBB_F_CLASS))
		ebb_record_set(&r, EBB_F_CLASS, pack->f[EBB_F_CLASS]);
	return r;
}

static int decide_block(struct deciding *p, const char *of, const struct ebb_decide_pack *pack, const int64_t *coded,
			struct ebb_err *err)
{
	struct ebb_block b;
	int r = ebb_block_builder_encode(p->builder, &p->bytes, err);

	if (r == 0)
		r = ebb_block_open(&b, p->bytes.data, p->bytes.len, err);
	if (r == 0)
		r = ebb_decide_members(p->d, of, &b, pack, coded, on_action, p, err);
	ebb_block_builder_clear(p->builder);
	return r;
}

/* Objects that are still there, in the order of their keys, block by block. */
static int decide_members(struct deciding *p, const char *of, const struct ebb_decide_pack *pack,
			  const struct ebb_pack_member **live, size_t n, struct ebb_err *err)
{
	int64_t coded[EBB_BLOCK_MAX];
	const char *last = NULL;
	int r = 0;

	qsort(live, n, sizeof(*live), by_key);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct ebb_record rec = record_of(live[i], pack->rec);

		if (last && strcmp(last, live[i]->key) == 0)
			continue;
		last = live[i]->key;
		coded[ebb_block_builder_count(p->builder)] = takes(live[i]);
		r = ebb_block_builder_add(p->builder, &rec, err);
		if (r == 0 && ebb_block_builder_full(p->builder))
			r = decide_block(p, of, pack, coded, err);
	}
	if (r == 0 && ebb_block_builder_count(p->builder))
		r = decide_block(p, of, pack, coded, err);
	return r;
}

static int decide_pack(struct deciding *p, const char *of, const struct ebb_packs_pack *pack,
		       const struct ebb_pack_index *x, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) const struct ebb_pack_member **live = calloc(x->n + 1, sizeof(*live));
	struct ebb_decide_pack what = {.store = p->store, .rec = &pack->rec, .members = (int64_t)x->n};
	int64_t now = ebb_app_now(p->app);
	size_t n = 0;

	if (!live)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < x->n; i++) {
		const struct ebb_pack_member *m = &x->members[i];
		const struct ebb_packs_tombstone *t = ebb_packs_struck(pack, m->key, strlen(m->key));
		bool gone = t && t->expires <= now;

		what.coded += takes(m);
		what.garbage += gone ? takes(m) : 0;
		what.live += !gone;
		if (!t)
			live[n++] = m;
	}
	p->acted = false;
	int r = ebb_decide_pack(p->d, &what, on_action, p, err);
	/* a pack that is packed anew is another one then: the next plan judges what is in it */
	return r < 0 || p->acted ? r : decide_members(p, of, &what, live, n, err);
}

static int on_pack(void *ctx, const struct ebb_packs_pack *pack, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	struct deciding *p = ctx;
	const struct ebb_rules *rules = p->app->config->rules;
	char of[256];
	int r = ebb_app_cancelled(p->app, err);

	if (r < 0 || pack->name.store_len >= sizeof(of))
		return r;
	memcpy(of, pack->name.store, pack->name.store_len);
	of[pack->name.store_len] = '\0';
	/* objects of a store that is not declared any more meet no rule */
	if (!ebb_rules_store(rules, of))
		return 0;
	if (ebb_packs_index(p->app->index_dir, p->store, &pack->rec, NULL, &x, NULL) < 0) {
		++*p->missing;
		return 0;
	}
	return decide_pack(p, of, pack, &x, err);
}

int ebb_plan_packs(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_index_store *st, struct ebb_decide *d,
		   ebb_decide_fn *fn, void *ctx, size_t *ret_missing, struct ebb_err *err)
{
	struct deciding p = {.app = app, .store = st->name, .d = d, .fn = fn, .ctx = ctx, .missing = ret_missing};

	if (!ebb_plan_packs_wanted(app->config->rules))
		return 0;
	p.builder = ebb_block_builder_new();
	if (!p.builder)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	ebb_buf_init(&p.bytes, 1 << 24);
	int r = ebb_packs_in_index(snap, st, on_pack, &p, err);
	ebb_buf_release(&p.bytes);
	ebb_block_builder_free(p.builder);
	return r;
}

struct learning {
	struct ebb_app *app;
	const char *name;
	struct ebb_store *store;
	struct ebb_storeset *stores;
};

static int learn_one(void *ctx, const struct ebb_packs_pack *pack, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	struct learning *l = ctx;
	struct ebb_err why = {0};
	int r = ebb_app_cancelled(l->app, err);

	if (r < 0 || ebb_packs_index(l->app->index_dir, l->name, &pack->rec, NULL, &x, NULL) == 0)
		return r;
	r = l->store ? 0 : ebb_storeset_get(l->stores, l->name, &l->store, &why);
	if (r == 0)
		r = ebb_packs_index(l->app->index_dir, l->name, &pack->rec, l->store, &x, &why);
	if (r == -EBB_ENOMEM)
		return ebb_err_set(err, EBB_ENOMEM, "%s", why.msg);
	if (r < 0)
		ebb_app_note(l->app, "pack '%s' of store '%s' is not known: %s", pack->key, l->name, why.msg);
	return 0;
}

int ebb_plan_packs_learn(struct ebb_app *app, struct ebb_index *ix, const char *store, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *stores = NULL;
	struct learning l = {.app = app, .name = store};
	struct ebb_index_store st;
	int r;

	if (!ebb_plan_packs_wanted(app->config->rules))
		return 0;
	l.stores = stores = ebb_storeset_new(app->config);
	if (!stores)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if ((r = ebb_app_snap(app, ix, &snap, err)) < 0 || (r = ebb_snap_store(snap, store, &st, err)) < 0)
		return r;
	return ebb_packs_in_index(snap, &st, learn_one, &l, err);
}
