/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/decide.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "policies/cost.h"
#include "policies/reclass.h"
#include "policies/residency.h"

/* Prices are per month of 30 days. */
#define MONTH_NS (INT64_C(30) * 86400 * 1000000000)

/* Room for the reasons of one action; what is longer is cut. */
#define WHY_CAP 4096

/* From here on a hole is a hole, not the rest of a block or a file kept in its inode. */
#define HOLE_MIN 4096

/* One block of a filesystem: a file that takes no more than this cannot take less. */
#define BLOCK_SIZE 4096

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

/* A class of a store that was looked up, by the address of its name. */
#define PRICED 16
struct priced {
	const struct ebb_rules_store *store;
	const char *class;
	const struct ebb_price_class *price;
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
	struct ebb_decide_totals totals;
	struct ebb_rules_decide_work *work;
	struct ebb_block_iter *iter;
	struct ebb_buf why;
	struct ebb_bill bill;		/* of the action at hand */
	struct ebb_reclass *reclass;
	const struct ebb_habits *habits;	/* or NULL */
	struct priced priced[PRICED];
	const struct ebb_rules_store *cpu_store;
	const struct ebb_price_figure *cpu;	/* of cpu_store */
	struct small *small;		/* by rule */
	struct pack pack;
	uint16_t rule[EBB_BLOCK_MAX], unknown[EBB_BLOCK_MAX];
};

static const struct {
	const char *name, *text;
} refusals[EBB_REFUSE_COUNT] = {
	[EBB_REFUSE_NONE] = {"none", "not refused"},
	[EBB_REFUSE_UNKNOWN] = {"unknown", "there is too little evidence for the condition"},
	[EBB_REFUSE_LINKED] = {"linked",
			       "the file has other names (hard links) that would be split off"},
	[EBB_REFUSE_SPARSE] = {"sparse", "the file is sparse and its holes would not survive"},
	[EBB_REFUSE_LOSS] = {"loss", "it would cost more than it saves"},
	[EBB_REFUSE_PAYBACK] = {"payback", "it does not pay back in the time the rule requires"},
	[EBB_REFUSE_RESIDENCY] =
		{"residency", "the destination, or this machine, is not known to lie in the dataset's jurisdictions"},
	[EBB_REFUSE_ALONE] = {"alone", "no other copy is known that would stay (ebb scan --hash candidates "
				       "finds them), or so many must stay"},
	[EBB_REFUSE_POINTLESS] = {"pointless",
				  "there is nothing to gain: empty, within one block (4 KiB), "
				  "compressed or there already"},
	[EBB_REFUSE_RETAINED] = {"retained", "they are of checkpoints that stay by this rule (ebb checkpoints shows which and why)"},
	[EBB_REFUSE_DOUBT] = {"doubt", "too little is known of their checkpoints, or they are of none (ebb checkpoints says what)"},
	[EBB_REFUSE_PART] = {"part", "the rule does not meet every file of their dataset (all_of: dataset), or they are of none"},
	[EBB_REFUSE_LIVE] = {"live", "something else refers to them, or has them open (ebb explain KEY says what)"},
	[EBB_REFUSE_CHEAPEST] = {"cheapest", "they cost least where they are"},
	[EBB_REFUSE_UNPRICED] = {"unpriced", "there are no prices to decide by: give the store "
					     "provider and region"},
};

const char *ebb_decide_refusal_name(enum ebb_decide_refusal r)
{
	return (unsigned)r < EBB_REFUSE_COUNT ? refusals[r].name : "unknown";
}

const char *ebb_decide_refusal_text(enum ebb_decide_refusal r)
{
	return (unsigned)r < EBB_REFUSE_COUNT ? refusals[r].text : "unknown";
}

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

const struct ebb_decide_totals *ebb_decide_totals(const struct ebb_decide *d)
{
	return &d->totals;
}

/* The object that an action is about: what lies in a pack is not the pack. */
static const struct ebb_record *subject(const struct ebb_action *a)
{
	return a->id == EBB_ACTION_STRIKE ? a->with : a->obj;
}

/* Bytes that count in sums: those of an inode at its first name only. */
static int64_t counted_bytes(const struct ebb_record *r)
{
	return r->f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN ? 0 : r->f[EBB_F_SIZE];
}

static int add_objects(struct ebb_decide_sum *s, int64_t objects, int64_t bytes,
		       struct ebb_err *err)
{
	if (__builtin_add_overflow(s->objects, objects, &s->objects) ||
	    __builtin_add_overflow(s->bytes, bytes, &s->bytes))
		return ebb_err_set(err, EBB_ERANGE,
				   "the sizes of all objects together do not fit 64 bits");
	return 0;
}

static int add_action(struct ebb_decide_sum *s, const struct ebb_action *a, struct ebb_err *err)
{
	int r = add_objects(s, 1, counted_bytes(subject(a)), err);

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

/* Allocated noticeably less than its size: by an eighth, and by more than a block. */
static bool is_sparse(const struct ebb_record *r)
{
	int64_t size = r->f[EBB_F_SIZE], alloc = r->f[EBB_F_ALLOC];

	return ebb_record_has(r, EBB_F_ALLOC) && alloc <= size - HOLE_MIN &&
	       alloc < size - size / 8;
}

/* Takes one block at most, so that a shorter file would free nothing. */
static bool is_small(const struct ebb_record *r)
{
	return r->f[ebb_record_has(r, EBB_F_ALLOC) ? EBB_F_ALLOC : EBB_F_SIZE] <= BLOCK_SIZE;
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

/* Is the object in the class that it should go into? */
static bool already_in(const struct ebb_decide *d, const struct ebb_action *a)
{
	const char *class = ebb_rules_class(d->rules, a->store, a->obj);

	return class && strcmp(class, a->to_class) == 0;
}

/* Can and may it be done at all? */
static enum ebb_decide_refusal possible(const struct ebb_decide *d, const struct ebb_action *a)
{
	const struct ebb_record *r = a->obj;

	if (!ebb_record_has(r, EBB_F_SIZE))
		return EBB_REFUSE_UNKNOWN;
	if (a->id == EBB_ACTION_DELETE)
		return EBB_REFUSE_NONE;
	if (a->id == EBB_ACTION_DEDUP && !a->with)
		return EBB_REFUSE_ALONE;
	if (a->id == EBB_ACTION_DEDUP)
		return a->how != EBB_ACTION_REFLINK && r->f[EBB_F_NLINK] > 1 ? EBB_REFUSE_LINKED
									     : EBB_REFUSE_NONE;
	if (a->to_store && a->id != EBB_ACTION_ARCHIVE && strcmp(a->to_store, a->store) == 0)
		return EBB_REFUSE_POINTLESS;
	if (a->to_class && !a->to_store && already_in(d, a))
		return EBB_REFUSE_POINTLESS;
	if (ebb_residency_forbids(d->rules, a->id, r->key, r->key_len, a->to_store))
		return EBB_REFUSE_RESIDENCY;
	if (r->f[EBB_F_NLINK] > 1)
		return EBB_REFUSE_LINKED;
	if (a->id == EBB_ACTION_ARCHIVE)
		return is_sparse(r) ? EBB_REFUSE_SPARSE : EBB_REFUSE_NONE;
	if (a->id != EBB_ACTION_COMPRESS)
		return EBB_REFUSE_NONE;
	if (r->f[EBB_F_SIZE] == 0 || ebb_cost_compressed(r->key, r->key_len) == EBB_COST_POINTLESS)
		return EBB_REFUSE_POINTLESS;
	if (is_sparse(r))
		return EBB_REFUSE_SPARSE;
	return is_small(r) ? EBB_REFUSE_POINTLESS : EBB_REFUSE_NONE;
}

/* one_off / saving months are not more than @ns; exact. */
static bool pays_back(const struct ebb_action *a, int64_t ns)
{
	return a->priced && a->saving.nano > 0 &&
	       (__int128)a->one_off.nano * MONTH_NS <= (__int128)a->saving.nano * ns;
}

static enum ebb_decide_refusal worthwhile(const struct ebb_rule *rule, const struct ebb_action *a)
{
	if (a->priced && (a->saving.nano < 0 ||
			  (a->one_off.nano > 0 && !rule->require_payback && !pays_back(a, EBB_DECIDE_LIFE_NS))))
		return EBB_REFUSE_LOSS;
	if (rule->require_payback && !pays_back(a, rule->payback_ns))
		return EBB_REFUSE_PAYBACK;
	return EBB_REFUSE_NONE;
}

/* What a class costs in a store. Looked up once: there are few, and millions of objects in them. */
static const struct ebb_price_class *price_of(struct ebb_decide *d, const struct ebb_rules_store *s, const char *class)
{
	struct priced *p = &d->priced[((uintptr_t)s / sizeof(*s) + (uintptr_t)class) % PRICED];

	if (p->store != s || p->class != class)
		*p = (struct priced){s, class, ebb_price_find(d->prices, s->provider, s->region, class)};
	return p->price;
}

/* What the class of an object (NULL: of what comes into the store) costs there. */
static const struct ebb_price_class *class_of(struct ebb_decide *d, const struct ebb_rules_store *s,
					      const struct ebb_record *r)
{
	return s ? price_of(d, s, ebb_rules_class(d->rules, s->name, r)) : NULL;
}

/* What an hour of processor costs beside a store. */
static const struct ebb_price_figure *cpu_of(struct ebb_decide *d, const struct ebb_rules_store *s)
{
	if (d->cpu_store != s) {
		d->cpu_store = s;
		d->cpu = ebb_price_service(d->prices, s->provider, "cpu");
	}
	return d->cpu;
}

/*
 * How long the object has been in its class. Those in the class that their store declares were
 * written into it; when others came is not known, and the dearest is assumed.
 */
static int64_t age_in_class(const struct ebb_decide *d, const struct ebb_rules_store *s,
			    const struct ebb_record *r)
{
	bool own = ebb_record_has(r, EBB_F_CLASS) &&
		   (!s->class || r->f[EBB_F_CLASS] != ebb_record_class_code(s->class));

	if (own || !ebb_record_has(r, EBB_F_MTIME) || r->f[EBB_F_MTIME] > d->now)
		return 0;
	return d->now - r->f[EBB_F_MTIME];
}

static const char *provider_of(const struct ebb_rules_store *s)
{
	return s->provider ? s->provider : "";
}

/* A copy that goes and one that stays. */
static void ends_of_copies(struct ebb_decide *d, const struct ebb_rules_store *from,
			   const struct ebb_rules_store *with, const struct ebb_record *copy,
			   struct ebb_cost_ends *ret)
{
	if (!from || !with)
		return;
	ret->with = class_of(d, with, copy);
	ret->apart[0] = ebb_price_egress(d->prices, provider_of(from), from->region, provider_of(with), with->region);
	ret->apart[1] = ebb_price_egress(d->prices, provider_of(with), with->region, provider_of(from), from->region);
}

static struct ebb_cost_ends ends_of(struct ebb_decide *d, const struct ebb_action *a)
{
	const struct ebb_rules_store *from = ebb_rules_store(d->rules, a->store);
	const struct ebb_rules_store *to =
		a->to_store ? ebb_rules_store(d->rules, a->to_store) : NULL;
	struct ebb_cost_ends ends = {
		.from = class_of(d, from, a->obj),
		.age_ns = from ? age_in_class(d, from, a->obj) : 0,
		.cpu = from ? cpu_of(d, from) : NULL,
		.now = d->now,
		.currency = ebb_price_currency(d->prices),
	};

	if (a->to_class && a->to_store)
		ends.to = to ? price_of(d, to, a->to_class) : NULL;
	else if (a->to_class && from)
		ends.to = price_of(d, from, a->to_class);
	else
		ends.to = to ? class_of(d, to, NULL) : ends.from;
	if (from && to)
		ends.egress = ebb_price_egress(d->prices, from->provider, from->region,
					       to->provider ? to->provider : "", to->region);
	if (a->id == EBB_ACTION_DEDUP && a->with)
		ends_of_copies(d, from, ebb_rules_store(d->rules, a->with_store), a->with, &ends);
	return ends;
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
		.from = class_of(d, store, a->obj),
		.rec = a->obj,
		.in_class_ns = age_in_class(d, store, a->obj),
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

	*ret = possible(d, a);
	if (*ret == EBB_REFUSE_RESIDENCY)
		a->why = ebb_residency_forbids(d->rules, a->id, a->obj->key, a->obj->key_len, a->to_store);
	if (*ret == EBB_REFUSE_NONE && ebb_rules_get(d->rules, rule)->all_of &&
	    !(d->allof && ebb_allof_holds(d->allof, rule, a->store, a->obj->key, a->obj->key_len)))
		*ret = EBB_REFUSE_PART;
	if (*ret == EBB_REFUSE_NONE)
		*ret = in_use(d, a);
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
	r = ebb_cost_action(&ends, a, &d->bill, &d->why, err);
	if (r < 0)
		return r;
	a->why = d->why.data;
	if (a->to_class && !a->to_store)
		a->freed = 0;
	if (chosen && a->priced)
		a->saving = saving;
	*ret = worthwhile(ebb_rules_get(d->rules, rule), a);
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
		.verify = rule->verify,
		.purge = rule->purge,
		.trash_ns = rule->trash_ns,
		.how = rule->how,
	};
	int r = a.id == EBB_ACTION_DEDUP && d->copies
			? d->copies(d->copies_ctx, store, rec, &a.with_store, &a.with, err)
			: 0;

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
	struct ebb_cost_ends ends = ends_of(d, &a);
	int r;

	ebb_buf_clear(&d->why);
	if ((r = ebb_cost_action(&ends, &a, &d->bill, &d->why, err)) == 0)
		*ret = a;
	return r;
}

/* Note an object that would be moved at a loss. */
static void note_small(struct ebb_decide *d, size_t i, const struct ebb_action *a)
{
	struct ebb_cost_ends ends = ends_of(d, a);
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
		struct ebb_cost_ends ends = ends_of(d, a);
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
	int r = add_action(&d->totals.by_rule[i], a, err);

	if (r == 0)
		r = add_action(&d->totals.all, a, err);
	return r < 0 ? r : fn(ctx, a, err);
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
		return add_objects(&d->totals.refused[i][refusal], 1, counted_bytes(rec), err);
	if (refusal != EBB_REFUSE_NONE)
		return add_action(&d->totals.refused[i][refusal], &a, err);
	if (a.id == EBB_ACTION_ARCHIVE)
		r = join_pack(d, i, &a, err);
	else
		d->pack.open = false;
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
		r = add_objects(&d->totals.unmatched, 1, size[i], err);
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
	struct ebb_cost_ends ends = {.from = class_of(d, where, pack->rec), .to = class_of(d, where, NULL),
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
		if (r == 1 && rule != EBB_RULES_NONE && ebb_rules_get(d->rules, rule)->action->changes)
			r = strike(d, rule, store, &rec, pack, coded[i], fn, ctx, err);
		else if (r == 1 && unknown != EBB_RULES_NONE)
			r = add_objects(&d->totals.refused[unknown][EBB_REFUSE_UNKNOWN], 1, counted_bytes(&rec), err);
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
	struct ebb_cost_ends ends = {.from = class_of(d, where, pack->rec), .to = class_of(d, where, pack->rec),
				     .age_ns = where ? age_in_class(d, where, pack->rec) : 0,
				     .currency = ebb_price_currency(d->prices)};
	ebb_buf_clear(&d->why);
	ebb_buf_addf(&d->why, "%lld of %lld objects are deleted, %lld %% of its bytes", (long long)(pack->members - pack->live),
		     (long long)pack->members, (long long)(pack->garbage * (__int128)100 / pack->coded));
	int r = ebb_cost_repack(&ends, &a, &d->bill, &d->why, err);
	a.why = d->why.data;
	if (r < 0)
		return r;
	enum ebb_decide_refusal refusal = worthwhile(rule, &a);
	if (refusal != EBB_REFUSE_NONE)
		return add_action(&d->totals.refused[i][refusal], &a, err);
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
		if (!ebb_record_has(&rec, EBB_F_KIND) || rec.f[EBB_F_KIND] != EBB_KIND_FILE)
			continue;
		if (rule != EBB_RULES_NONE && ebb_rules_get(d->rules, rule)->action->changes)
			r = act(d, rule, store, &rec, fn, ctx, err);
		else
			r = add_objects(sum_of(d, i, &rec), 1, counted_bytes(&rec), err);
		if (r < 0)
			return r;
	}
	return 0;
}
