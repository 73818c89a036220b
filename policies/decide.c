/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/decide.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "policies/cost.h"
#include "policies/decide_ends.h"
#include "policies/reclass.h"
#include "policies/residency.h"

/* Room for the reasons of one action; what is longer is cut. */
#define WHY_CAP 4096

/* Objects that do not pay one by one; those between the classes of the first. */
struct small {
	const struct ebb_price_class *from, *to;
	int64_t objects, bytes;
};

/* The pack that the next object may still go into. */
struct pack {
	int64_t number;			/* 0: none so far */
	bool open;			/* the last action went into it */
	size_t rule;
	const struct ebb_rules_store *store;
	const struct ebb_rules_dataset *set;
	int64_t members, bytes;
	size_t folder_len;		/* of the last member */
	char folder[EBB_KEY_MAX];
};

/* The object that the last action takes from under its key; versions below it come next. */
struct taken {
	const char *store;		/* NULL: none */
	size_t len;
	char key[EBB_KEY_MAX];
};

struct ebb_decide {
	const struct ebb_rules *rules;
	const struct ebb_price_books *prices;
	int64_t now;
	ebb_decide_copy_fn *copies;	/* or NULL */
	void *copies_ctx;
	const struct ebb_ckpts *ckpts;	/* or NULL */
	const struct ebb_allof *allof;	/* or NULL */
	ebb_decide_guard_fn *guard;	/* or NULL */
	void *guard_ctx;
	ebb_decide_versions_fn *versions;	/* or NULL */
	void *versions_ctx;
	struct taken taken;
	struct ebb_decide_totals totals;
	struct ebb_rules_decide_work *work;
	struct ebb_block_iter *iter;
	struct ebb_buf why;
	struct ebb_bill bill;		/* of the action at hand */
	struct ebb_reclass *reclass;
	const struct ebb_habits *habits;	/* or NULL */
	const struct ebb_shrink *shrink;	/* or NULL */
	ebb_decide_encoded_fn *encoded;		/* or NULL */
	void *encoded_ctx;
	struct ebb_decide_ends ends;
	struct small *small;		/* by rule */
	struct pack pack;
	uint16_t rule[EBB_BLOCK_MAX], unknown[EBB_BLOCK_MAX];
};

int ebb_decide_new(struct ebb_arena *arena, const struct ebb_rules *rules,
		   const struct ebb_price_books *prices, int64_t now, struct ebb_decide **ret,
		   struct ebb_err *err)
{
	struct ebb_decide *d = ebb_arena_alloc(arena, sizeof(*d));
	size_t n = ebb_rules_count(rules);

	if (!d)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to decide");
	d->rules = rules;
	d->prices = prices;
	d->now = now;
	d->ends = (struct ebb_decide_ends){.rules = rules, .prices = prices, .now = now};
	ebb_buf_init(&d->why, WHY_CAP);
	d->totals.by_rule = ebb_arena_calloc(arena, n, sizeof(*d->totals.by_rule));
	d->totals.refused = ebb_arena_calloc(arena, n, sizeof(*d->totals.refused));
	d->small = ebb_arena_calloc(arena, n, sizeof(*d->small));
	d->work = ebb_rules_decide_new(rules);
	d->iter = malloc(sizeof(*d->iter));
	d->reclass = ebb_reclass_new(arena, prices);
	if (!d->reclass || !d->small || !d->totals.by_rule || !d->totals.refused || !d->work || !d->iter ||
	    ebb_buf_reserve(&d->why, WHY_CAP) < 0) {
		ebb_decide_free(d);
		return ebb_err_set(err, EBB_ENOMEM, "no memory to decide");
	}
	*ret = d;
	return 0;
}

void ebb_decide_free(struct ebb_decide *d)
{
	if (!d)
		return;
	ebb_rules_decide_free(d->work);
	free(d->iter);
	ebb_buf_release(&d->why);
}

void ebb_decide_use_copies(struct ebb_decide *d, ebb_decide_copy_fn *fn, void *ctx)
{
	d->copies = fn;
	d->copies_ctx = ctx;
}

void ebb_decide_use_habits(struct ebb_decide *d, const struct ebb_habits *habits)
{
	d->habits = habits;
}

void ebb_decide_use_shrink(struct ebb_decide *d, const struct ebb_shrink *s)
{
	d->shrink = s;
}

void ebb_decide_use_encoded(struct ebb_decide *d, ebb_decide_encoded_fn *fn, void *ctx)
{
	d->encoded = fn;
	d->encoded_ctx = ctx;
}

void ebb_decide_use_ckpts(struct ebb_decide *d, const struct ebb_ckpts *c)
{
	d->ckpts = c;
}

void ebb_decide_use_allof(struct ebb_decide *d, const struct ebb_allof *a)
{
	d->allof = a;
}

void ebb_decide_use_guard(struct ebb_decide *d, ebb_decide_guard_fn *fn, void *ctx)
{
	d->guard = fn;
	d->guard_ctx = ctx;
}

void ebb_decide_use_versions(struct ebb_decide *d, ebb_decide_versions_fn *fn, void *ctx)
{
	d->versions = fn;
	d->versions_ctx = ctx;
}

const struct ebb_decide_totals *ebb_decide_totals(const struct ebb_decide *d)
{
	return &d->totals;
}

bool ebb_decide_resides(const struct ebb_rules *rules, const char *key, size_t len, const char *store)
{
	const struct ebb_rules_dataset *set = ebb_rules_dataset(rules, key, len);
	const struct ebb_rules_store *to = ebb_rules_store(rules, store);

	if (!set || !set->residency)
		return true;
	for (const char *const *j = set->residency; to && to->jurisdiction && *j; j++)
		if (strcmp(*j, to->jurisdiction) == 0)
			return true;
	return false;
}

/* What `auto` says of an object: its class, and what it is expected to save, when it should move. */
static int choose_class(struct ebb_decide *d, const struct ebb_rule *rule, struct ebb_action *a,
			struct ebb_money *saving, enum ebb_decide_refusal *ret, struct ebb_err *err)
{
	static const enum ebb_decide_refusal why_not[] = {
		[EBB_RECLASS_MOVE] = EBB_REFUSE_NONE,
		[EBB_RECLASS_STAY] = EBB_REFUSE_CHEAPEST,
		[EBB_RECLASS_UNKNOWN] = EBB_REFUSE_UNKNOWN,
		[EBB_RECLASS_UNPRICED] = EBB_REFUSE_UNPRICED,
	};
	enum ebb_trust trust = rule->trust_logs ? EBB_TRUST_LIKELY : EBB_TRUST_CERTAIN;
	const struct ebb_rules_store *store = ebb_rules_store(d->rules, a->store);
	const struct ebb_price_class *to = NULL;
	struct ebb_reclass_object o = {
		.store = store,
		.from = ebb_decide_ends_class(&d->ends, store, a->obj),
		.rec = a->obj,
		.in_class_ns = ebb_decide_ends_age(&d->ends, store, a->obj),
		.idle_ns = ebb_record_idle(a->obj, d->now, trust).lo,
		.now = d->now,
		.habits = d->habits,
	};
	int r = ebb_reclass_auto(d->reclass, &o, &to, saving, err);

	if (r < 0)
		return r;
	*ret = why_not[r];
	a->to_class = to ? to->name : NULL;
	return 0;
}

/* Would it break something? Says what. */
static enum ebb_decide_refusal in_use(struct ebb_decide *d, struct ebb_action *a)
{
	const char *why = d->guard ? d->guard(d->guard_ctx, a) : NULL;

	if (!why)
		return EBB_REFUSE_NONE;
	ebb_buf_clear(&d->why);
	ebb_buf_adds(&d->why, why);
	a->why = d->why.data;
	return EBB_REFUSE_LIVE;
}

/* Where the bucket keeps versions: would it free something, and would the trash keep its word? Says what not. */
static enum ebb_decide_refusal kept(struct ebb_decide *d, size_t rule, struct ebb_action *a)
{
	const struct ebb_noncurrent *v = d->versions ? d->versions(d->versions_ctx, a->store) : NULL;
	bool whole = ebb_rules_get(d->rules, rule)->retain;
	enum ebb_decide_refusal r = ebb_noncurrent_forbids(v, a)	   ? EBB_REFUSE_VERSIONS
				    : ebb_noncurrent_hurries(v, a, whole) ? EBB_REFUSE_HURRIED
									   : EBB_REFUSE_NONE;

	if (r == EBB_REFUSE_HURRIED) {
		ebb_buf_clear(&d->why);
		ebb_buf_addf(&d->why, "its bucket removes noncurrent versions after %lld d, before the trash lets go of them",
			     (long long)ebb_noncurrent_days(v, whole ? NULL : a->obj->key, a->obj->key_len));
		a->why = d->why.data;
	}
	return r;
}

/* Both ends, and what the bucket makes of it. */
static struct ebb_cost_ends ends_of(struct ebb_decide *d, const struct ebb_action *a)
{
	const struct ebb_noncurrent *v = d->versions ? d->versions(d->versions_ctx, a->store) : NULL;
	struct ebb_cost_ends ends = ebb_decide_ends_of(&d->ends, a);

	if (ebb_noncurrent_hides(v, a))
		ends.hidden = v->mfa_delete ? EBB_COST_HIDDEN_FOR_GOOD : EBB_COST_HIDDEN;
	return ends;
}

/*
 * A file of a checkpoint. Whether it goes is said of the whole, so no gate about this file alone may split it: what deleting costs is told
 * and not a reason to stay.
 */
static int price_retained(struct ebb_decide *d, size_t rule, struct ebb_action *a, enum ebb_decide_refusal *ret, struct ebb_err *err)
{
	const struct ebb_ckpt *k = d->ckpts ? ebb_ckpt_of(d->ckpts, a->store, (uint16_t)rule, a->obj->key, a->obj->key_len) : NULL;
	char why[512];

	ebb_buf_clear(&d->why);
	if (!k)
		ebb_buf_adds(&d->why, "is of no checkpoint that is known");
	else
		ebb_buf_addf(&d->why, "step %lld of %s: %s", (long long)k->step, k->family, ebb_ckpt_why(d->ckpts, k, why, sizeof(why)));
	a->why = d->why.data;
	*ret = !k || (k->kept & (EBB_CKPT_DOUBT | EBB_CKPT_LIVE)) ? EBB_REFUSE_DOUBT : k->kept ? EBB_REFUSE_RETAINED : EBB_REFUSE_NONE;
	if (*ret != EBB_REFUSE_NONE)
		return 0;
	struct ebb_cost_ends ends = ends_of(d, a);
	int r = ebb_cost_action(&ends, a, &d->bill, &d->why, err);
	a->why = d->why.data;
	return r;
}

/* Fill the amounts and the reasons, and say whether the action stands. */
static int price_action(struct ebb_decide *d, size_t rule, struct ebb_action *a,
			enum ebb_decide_refusal *ret, struct ebb_err *err)
{
	bool chosen = a->to_class && strcmp(a->to_class, EBB_RECLASS_AUTO) == 0;
	struct ebb_money saving = {0};
	struct ebb_cost_ends ends;
	int r = 0;

	*ret = ebb_decide_refusal_possible(d->rules, a);
	if (*ret == EBB_REFUSE_RESIDENCY)
		a->why = ebb_residency_forbids(d->rules, a->id, a->obj->key, a->obj->key_len, a->to_store);
	if (*ret == EBB_REFUSE_NONE && ebb_rules_get(d->rules, rule)->all_of &&
	    !(d->allof && ebb_allof_holds(d->allof, rule, a->store, a->obj->key, a->obj->key_len)))
		*ret = EBB_REFUSE_PART;
	if (*ret == EBB_REFUSE_NONE)
		*ret = in_use(d, a);
	if (*ret == EBB_REFUSE_NONE)
		*ret = kept(d, rule, a);
	if (*ret == EBB_REFUSE_NONE && ebb_rules_get(d->rules, rule)->retain)
		return price_retained(d, rule, a, ret, err);
	if (*ret == EBB_REFUSE_NONE && chosen)
		r = choose_class(d, ebb_rules_get(d->rules, rule), a, &saving, ret, err);
	if (r < 0 || *ret != EBB_REFUSE_NONE)
		return r;
	ebb_buf_clear(&d->why);
	ebb_rules_explain_why(d->rules, rule, a->obj, a->store, d->now, &d->why, NULL);
	if (chosen)
		ebb_reclass_why(d->reclass, &d->why);
	ends = ends_of(d, a);
	if (a->keep_key && d->encoded && d->encoded(d->encoded_ctx, a->store, a->obj)) {
		*ret = EBB_REFUSE_POINTLESS;
		return 0;
	}
	if (a->id == EBB_ACTION_COMPRESS)
		ends.shrink = ebb_shrink_find(d->shrink, rule, a->obj->key, a->obj->key_len);
	if (ends.shrink && ends.shrink->permille == EBB_COST_POINTLESS) {
		*ret = EBB_REFUSE_POINTLESS;
		return 0;
	}
	r = ebb_cost_action(&ends, a, &d->bill, &d->why, err);
	if (r < 0)
		return r;
	a->why = d->why.data;
	if (a->to_class && !a->to_store)
		a->freed = 0;
	if (chosen && a->priced)
		a->saving = saving;
	*ret = ebb_decide_refusal_worth(ebb_rules_get(d->rules, rule), a);
	return 0;
}

int ebb_decide_one(struct ebb_decide *d, size_t i, const char *store, const struct ebb_record *rec,
		   struct ebb_action *ret, enum ebb_decide_refusal *ret_refusal,
		   struct ebb_err *err)
{
	const struct ebb_rule *rule = ebb_rules_get(d->rules, i);
	enum ebb_decide_refusal refusal;
	struct ebb_action a = {
		.id = rule->retain ? EBB_ACTION_DELETE : rule->action->id,
		.rule = rule->name,
		.store = store,
		.obj = rec,
		.to_store = rule->to,
		.to_class = rule->class,
		.codec = rule->codec,
		.level = rule->level,
		.window = rule->window,
		.keep_key = rule->keep_key,
		.verify = rule->verify,
		.purge = rule->purge,
		.trash_ns = rule->trash_ns,
		.how = rule->how,
	};
	bool asks = a.id == EBB_ACTION_DEDUP || (a.id == EBB_ACTION_DELETE && ebb_rules_floor(d->rules, rec->key, rec->key_len));
	int r = asks && d->copies ? d->copies(d->copies_ctx, store, rec, &a.with_store, &a.with, err) : 0;

	if (r >= 0)
		r = price_action(d, i, &a, &refusal, err);
	if (r < 0)
		return r;
	*ret = a;
	*ret_refusal = refusal;
	return 0;
}

int ebb_decide_price_gone(struct ebb_decide *d, const char *store, const struct ebb_record *rec, struct ebb_action *ret,
			  struct ebb_err *err)
{
	struct ebb_action a = {.id = EBB_ACTION_DELETE, .rule = "", .store = store, .obj = rec};
	struct ebb_cost_ends ends = ebb_decide_ends_of(&d->ends, &a);
	int r;

	ebb_buf_clear(&d->why);
	if ((r = ebb_cost_action(&ends, &a, &d->bill, &d->why, err)) == 0)
		*ret = a;
	return r;
}

/* Note an object that would be moved at a loss. */
static void note_small(struct ebb_decide *d, size_t i, const struct ebb_action *a)
{
	struct ebb_cost_ends ends = ebb_decide_ends_of(&d->ends, a);
	struct small *s = &d->small[i];

	if (s->objects == 0) {
		s->from = ends.from;
		s->to = ends.to;
	}
	if (a->id != EBB_ACTION_TIER || !s->from || !s->to || ends.from != s->from || ends.to != s->to ||
	    __builtin_add_overflow(s->bytes, a->obj->f[EBB_F_SIZE], &s->bytes))
		return;
	s->objects++;
}

int ebb_decide_offer(const struct ebb_decide *d, size_t rule, struct ebb_bundle *ret,
		     struct ebb_err *err)
{
	const struct small *s = &d->small[rule];

	return s->objects ? ebb_bundle_price(s->from, s->to, s->objects, s->bytes,
					     ebb_price_currency(d->prices), ret, err)
			  : 0;
}

/* Length of the folder of a key, its '/' included. */
static size_t folder(const struct ebb_record *r)
{
	const char *slash = memrchr(r->key, '/', r->key_len);

	return slash ? (size_t)(slash - r->key) + 1 : 0;
}

/* What is read together lies in one folder: a pack that is three quarters full ends with it. */
static bool ends_here(const struct ebb_decide *d, const struct pack *p, size_t rule, const struct ebb_record *r)
{
	int64_t most = ebb_rules_get(d->rules, rule)->pack_bytes;
	bool late = p->members >= EBB_ACTION_PACK_MEMBERS / 4 * 3 || p->bytes >= most / 4 * 3;
	size_t n = folder(r);

	return late && (n != p->folder_len || memcmp(r->key, p->folder, n) != 0);
}

/*
 * Which pack an object goes into: that of the object before it, while the same rule takes it from the same store and dataset and there
 * is room. The first member bears what the pack costs by itself.
 */
static int join_pack(struct ebb_decide *d, size_t i, struct ebb_action *a, struct ebb_err *err)
{
	const struct ebb_rules_store *store = ebb_rules_store(d->rules, a->store);
	const struct ebb_rules_dataset *set = ebb_rules_dataset(d->rules, a->obj->key, a->obj->key_len);
	struct pack *p = &d->pack;
	int64_t size = a->obj->f[EBB_F_SIZE];

	if (!p->open || p->rule != i || p->store != store || p->set != set ||
	    p->members >= EBB_ACTION_PACK_MEMBERS || size > ebb_rules_get(d->rules, i)->pack_bytes - p->bytes || ends_here(d, p, i, a->obj)) {
		struct ebb_cost_ends ends = ebb_decide_ends_of(&d->ends, a);
		int r = a->priced ? ebb_cost_pack(&ends, a, err) : 0;

		if (r < 0)
			return r;
		*p = (struct pack){.number = p->number + 1, .open = true, .rule = i, .store = store, .set = set};
	}
	p->members++;
	p->bytes += size;
	p->folder_len = folder(a->obj);
	memcpy(p->folder, a->obj->key, p->folder_len);
	a->pack = p->number;
	return 0;
}

/* Hand over an action that no gate refused. */
static int take(struct ebb_decide *d, size_t i, const struct ebb_action *a, ebb_decide_fn *fn, void *ctx,
		struct ebb_err *err)
{
	int r = ebb_decide_sum_action(&d->totals.by_rule[i], a, err);

	if (r == 0)
		r = ebb_decide_sum_action(&d->totals.all, a, err);
	return r < 0 ? r : fn(ctx, a, err);
}

/* Does the key stand for nothing, or something else, once it is done? */
static void note_taken(struct ebb_decide *d, const char *store, const struct ebb_action *a)
{
	bool stays = a->id == EBB_ACTION_TIER && !a->to_store;

	d->taken.store = stays ? NULL : store;
	d->taken.len = a->obj->key_len;
	memcpy(d->taken.key, a->obj->key, a->obj->key_len);
}

/* A version below an object that goes: nobody names it, so it stays, and is paid for. */
static int add_older(struct ebb_decide *d, const char *store, const struct ebb_record *rec, struct ebb_err *err)
{
	struct ebb_action gone;
	int r;

	if (!d->taken.store || strcmp(d->taken.store, store) != 0 ||
	    ebb_record_plain_len(rec->key, rec->key_len) != d->taken.len || memcmp(rec->key, d->taken.key, d->taken.len) != 0)
		return 0;
	r = ebb_decide_price_gone(d, store, rec, &gone, err);
	return r < 0 ? r : ebb_decide_sum_action(&d->totals.older, &gone, err);
}

static int act(struct ebb_decide *d, size_t i, const char *store, const struct ebb_record *rec,
	       ebb_decide_fn *fn, void *ctx, struct ebb_err *err)
{
	enum ebb_decide_refusal refusal;
	struct ebb_action a;
	int r = ebb_decide_one(d, i, store, rec, &a, &refusal, err);

	if (r < 0)
		return r;
	if (a.priced && (refusal == EBB_REFUSE_LOSS || refusal == EBB_REFUSE_PAYBACK))
		note_small(d, i, &a);
	if (refusal != EBB_REFUSE_NONE && !a.priced)
		return ebb_decide_sum_objects(&d->totals.refused[i][refusal], 1, ebb_decide_sum_bytes(rec), err);
	if (refusal != EBB_REFUSE_NONE)
		return ebb_decide_sum_action(&d->totals.refused[i][refusal], &a, err);
	if (a.id == EBB_ACTION_ARCHIVE)
		r = join_pack(d, i, &a, err);
	else
		d->pack.open = false;
	note_taken(d, store, &a);
	return r < 0 ? r : take(d, i, &a, fn, ctx, err);
}

/* Where an object that gets no action is counted. */
static struct ebb_decide_sum *sum_of(struct ebb_decide *d, uint32_t i, const struct ebb_record *rec)
{
	if (d->unknown[i] != EBB_RULES_NONE)
		return &d->totals.refused[d->unknown[i]][EBB_REFUSE_UNKNOWN];
	if (d->rule[i] != EBB_RULES_NONE)
		return &d->totals.kept;
	if (rec->f[EBB_F_FLAGS] & (EBB_FLAG_UNSEEN | EBB_FLAG_CHANGING))
		return &d->totals.held;
	return &d->totals.unmatched;
}

/* No record of the block met a rule, and all are plain files: count them by their columns. */
static int count_plain(struct ebb_decide *d, const struct ebb_block *b, struct ebb_err *err)
{
	int64_t *size = d->iter->col[EBB_F_SIZE];
	int r = 0;

	ebb_block_values(b, EBB_F_SIZE, size);
	for (uint32_t i = 0; r == 0 && i < b->n; i++)
		r = ebb_decide_sum_objects(&d->totals.unmatched, 1, size[i], err);
	return r;
}

static int strike(struct ebb_decide *d, size_t i, const char *store, const struct ebb_record *rec,
		  const struct ebb_decide_pack *pack, int64_t coded, ebb_decide_fn *fn, void *ctx,
		  struct ebb_err *err)
{
	const struct ebb_rule *rule = ebb_rules_get(d->rules, i);
	struct ebb_action a = {
		.id = EBB_ACTION_STRIKE, .rule = rule->name, .store = pack->store, .obj = pack->rec,
		.to_store = pack->store, .with_store = store, .with = rec,
		.trash_ns = rule->purge ? 0 : rule->trash_ns, .freed = coded,
	};
	const struct ebb_rules_store *where = ebb_rules_store(d->rules, pack->store);
	struct ebb_cost_ends ends = {.from = ebb_decide_ends_class(&d->ends, where, pack->rec), .to = ebb_decide_ends_class(&d->ends, where, NULL),
				     .currency = ebb_price_currency(d->prices)};

	ebb_buf_clear(&d->why);
	ebb_rules_explain_why(d->rules, i, rec, store, d->now, &d->why, NULL);
	int r = ebb_cost_strike(&ends, &a, &d->bill, &d->why, err);
	a.why = d->why.data;
	return r < 0 ? r : take(d, i, &a, fn, ctx, err);
}

int ebb_decide_members(struct ebb_decide *d, const char *store, const struct ebb_block *b,
		       const struct ebb_decide_pack *pack, const int64_t *coded, ebb_decide_fn *fn, void *ctx,
		       struct ebb_err *err)
{
	struct ebb_record rec;
	int r;

	d->pack.open = false;
	ebb_rules_decide_packed(d->work, true);
	r = ebb_rules_decide(d->rules, d->work, b, store, d->now, d->rule, d->unknown, err);
	ebb_rules_decide_packed(d->work, false);
	if (r <= 0)
		return r;
	ebb_block_iter_init(d->iter, b);
	for (uint32_t i = 0; i < b->n; i++) {
		uint16_t rule = d->rule[i], unknown = d->unknown[i];

		r = ebb_block_iter_next(d->iter, &rec, err);
		if (r == 1 && rule != EBB_RULES_NONE && ebb_rules_floor(d->rules, rec.key, rec.key_len))
			r = ebb_decide_sum_objects(&d->totals.refused[rule][EBB_REFUSE_FLOOR], 1, ebb_decide_sum_bytes(&rec), err);
		else if (r == 1 && rule != EBB_RULES_NONE && ebb_rules_get(d->rules, rule)->action->changes)
			r = strike(d, rule, store, &rec, pack, coded[i], fn, ctx, err);
		else if (r == 1 && unknown != EBB_RULES_NONE)
			r = ebb_decide_sum_objects(&d->totals.refused[unknown][EBB_REFUSE_UNKNOWN], 1, ebb_decide_sum_bytes(&rec), err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The first rule that repacks what lies in @store, or NULL. */
static const struct ebb_rule *repacks(const struct ebb_decide *d, const char *store, size_t *ret)
{
	for (size_t i = 0; i < ebb_rules_count(d->rules); i++) {
		const struct ebb_rule *rule = ebb_rules_get(d->rules, i);

		*ret = i;
		if (rule->action->id == EBB_ACTION_REPACK && (!rule->store || strcmp(rule->store, store) == 0))
			return rule;
	}
	return NULL;
}

int ebb_decide_pack(struct ebb_decide *d, const struct ebb_decide_pack *pack, ebb_decide_fn *fn, void *ctx,
		    struct ebb_err *err)
{
	size_t i = 0;
	const struct ebb_rule *rule = repacks(d, pack->store, &i);
	const struct ebb_rules_store *where = ebb_rules_store(d->rules, pack->store);
	struct ebb_action a = {
		.id = EBB_ACTION_REPACK, .store = pack->store, .obj = pack->rec,
		.to_store = pack->live ? pack->store : NULL, .freed = pack->garbage,
	};

	if (!rule || pack->garbage <= 0 ||
	    (__int128)pack->garbage * 1000000 < (__int128)pack->coded * rule->garbage_ppm)
		return 0;
	a.rule = rule->name;
	struct ebb_cost_ends ends = {.from = ebb_decide_ends_class(&d->ends, where, pack->rec), .to = ebb_decide_ends_class(&d->ends, where, pack->rec),
				     .age_ns = where ? ebb_decide_ends_age(&d->ends, where, pack->rec) : 0,
				     .currency = ebb_price_currency(d->prices)};
	ebb_buf_clear(&d->why);
	ebb_buf_addf(&d->why, "%lld of %lld objects are deleted, %lld %% of its bytes", (long long)(pack->members - pack->live),
		     (long long)pack->members, (long long)(pack->garbage * (__int128)100 / pack->coded));
	int r = ebb_cost_repack(&ends, &a, &d->bill, &d->why, err);
	a.why = d->why.data;
	if (r < 0)
		return r;
	enum ebb_decide_refusal refusal = kept(d, i, &a);
	refusal = refusal ? refusal : ebb_decide_refusal_worth(rule, &a);
	if (refusal != EBB_REFUSE_NONE)
		return ebb_decide_sum_action(&d->totals.refused[i][refusal], &a, err);
	return take(d, i, &a, fn, ctx, err);
}

static bool is_plain(const struct ebb_block *b)
{
	const struct ebb_block_column *kind = &b->col[EBB_F_KIND], *flags = &b->col[EBB_F_FLAGS];

	return (b->known_all & EBB_KNOWN(EBB_F_KIND)) && kind->min == EBB_KIND_FILE &&
	       kind->max == EBB_KIND_FILE && flags->min == 0 && flags->max == 0;
}

int ebb_decide_block(struct ebb_decide *d, const char *store, const struct ebb_block *b,
		     ebb_decide_fn *fn, void *ctx, struct ebb_err *err)
{
	struct ebb_record rec;
	int r = ebb_rules_decide(d->rules, d->work, b, store, d->now, d->rule, d->unknown, err);

	if (r < 0)
		return r;
	if (r == 0 && is_plain(b))
		return count_plain(d, b, err);
	ebb_block_iter_init(d->iter, b);
	for (uint32_t i = 0; i < b->n; i++) {
		uint16_t rule = d->rule[i];

		r = ebb_block_iter_next(d->iter, &rec, err);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		if (ebb_record_has(&rec, EBB_F_KIND) && rec.f[EBB_F_KIND] == EBB_KIND_VERSION &&
		    (r = add_older(d, store, &rec, err)) < 0)
			return r;
		if (!ebb_record_has(&rec, EBB_F_KIND) || rec.f[EBB_F_KIND] != EBB_KIND_FILE)
			continue;
		if (rule != EBB_RULES_NONE && ebb_rules_get(d->rules, rule)->action->changes)
			r = act(d, rule, store, &rec, fn, ctx, err);
		else
			r = ebb_decide_sum_objects(sum_of(d, i, &rec), 1, ebb_decide_sum_bytes(&rec), err);
		if (r < 0)
			return r;
	}
	return 0;
}
