/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/ckpt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/ckpt_keep.h"
#include "policies/ckpt_name.h"
#include "policies/ckpt_whole.h"
#include "policies/rules_ast.h"

/* Names of checkpoints together. */
#define ARENA_CAP ((size_t)8 << 30)

struct ebb_ckpts {
	const struct ebb_rules *rules;
	int64_t now;
	bool everything;
	ebb_ckpt_live_fn *live;
	void *live_ctx;
	struct ebb_arena arena;
	struct ebb_ckpt **all;		/* in the order met; sorted by finish */
	struct ebb_ckpt **by_path;	/* by store, path */
	size_t n, room;
	/* while blocks come */
	struct ebb_rules_decide_work *work;
	struct ebb_block_iter *iter;
	struct ebb_ckpt_whole whole;
	struct ebb_ckpt_name *name;
	struct ebb_ckpt *open;		/* the checkpoint at hand */
	const struct ebb_facts *facts;
	char last[EBB_KEY_MAX];		/* key of the last file that was of no checkpoint */
	size_t last_len;
	uint16_t rule[EBB_BLOCK_MAX], unknown[EBB_BLOCK_MAX];
};

bool ebb_ckpt_wanted(const struct ebb_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->rules[i].pub.retain)
			return true;
	return false;
}

struct ebb_ckpts *ebb_ckpt_new(const struct ebb_rules *rules, int64_t now, bool everything, ebb_ckpt_live_fn *live, void *ctx)
{
	struct ebb_ckpts *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->rules = rules;
	c->now = now;
	c->everything = everything;
	c->live = live;
	c->live_ctx = ctx;
	ebb_arena_init(&c->arena, ARENA_CAP);
	c->work = ebb_rules_decide_new(rules);
	c->iter = malloc(sizeof(*c->iter));
	c->name = malloc(sizeof(*c->name));
	if (!c->work || !c->iter || !c->name) {
		ebb_ckpt_free(c);
		return NULL;
	}
	return c;
}

void ebb_ckpt_free(struct ebb_ckpts *c)
{
	if (!c)
		return;
	ebb_rules_decide_free(c->work);
	ebb_ckpt_whole_release(&c->whole);
	ebb_arena_release(&c->arena);
	free(c->iter);
	free(c->name);
	free(c->all);
	free(c->by_path);
	free(c);
}

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "no memory for checkpoints");
}

/* --- Which checkpoint a key is of ------------------------------------------------------------------------ */

static const char *metric_of(const struct ebb_rules *rules, uint16_t rule)
{
	return rule == EBB_RULES_NONE ? NULL : rules->rules[rule].pub.retain->keep_best;
}

/* By the rule's pattern, the dataset's, or the names known. */
static bool recognise(const struct ebb_rules *rules, uint16_t rule, const char *key, size_t len, struct ebb_ckpt_name *ret)
{
	const struct ebb_rules_set *set;

	if (rule != EBB_RULES_NONE && ebb_ckpt_name_asks(rules->rules[rule].glob))
		return ebb_ckpt_name_by(rules->rules[rule].glob, metric_of(rules, rule), key, len, ret);
	set = (const struct ebb_rules_set *)(const void *)ebb_rules_dataset(rules, key, len);
	if (set && ebb_ckpt_name_asks(set->glob))
		return ebb_ckpt_name_by(set->glob, metric_of(rules, rule), key, len, ret);
	return ebb_ckpt_name_known(key, len, ret);
}

static bool within(const struct ebb_ckpt *k, const char *key, size_t len)
{
	return k->file ? len == k->path_len && memcmp(key, k->path, len) == 0
		       : len > k->path_len && key[k->path_len] == '/' && memcmp(key, k->path, k->path_len) == 0;
}

/* --- Collecting ------------------------------------------------------------------------------------------ */

static int grow(struct ebb_ckpts *c, struct ebb_err *err)
{
	size_t room = c->room ? 2 * c->room : 256;
	struct ebb_ckpt **all;

	if (c->n < c->room)
		return 0;
	if (!(all = reallocarray(c->all, room, sizeof(*all))))
		return no_memory(err);
	c->all = all;
	c->room = room;
	return 0;
}

/* The checkpoint at hand is at its end: is it whole? */
static int shut(struct ebb_ckpts *c, struct ebb_err *err)
{
	struct ebb_ckpt *k = c->open;
	const char *metric;

	if (!k)
		return 0;
	ebb_ckpt_whole_judge(&c->whole, c->facts, k);
	if ((metric = metric_of(c->rules, k->rule)))
		ebb_ckpt_whole_figure(c->facts, metric, k);
	k->latest = ebb_ckpt_whole_latest(c->facts, k);
	k->best = ebb_ckpt_whole_best(c->facts, k);
	ebb_ckpt_whole_clear(&c->whole);
	c->open = NULL;
	int r = grow(c, err);
	if (r == 0)
		c->all[c->n++] = k;
	return r;
}

static int start(struct ebb_ckpts *c, const char *store, uint16_t rule, const char *key, struct ebb_err *err)
{
	const struct ebb_ckpt_name *n = c->name;
	struct ebb_ckpt *k = ebb_arena_calloc(&c->arena, 1, sizeof(*k));
	const char *metric = metric_of(c->rules, rule);

	if (!k)
		return no_memory(err);
	*k = (struct ebb_ckpt){
		.store = store, .path = ebb_arena_memdup(&c->arena, key, n->path_len), .path_len = n->path_len,
		.family = ebb_arena_strdup(&c->arena, n->family), .rule = rule, .file = n->file, .step = n->step, .newest = INT64_MIN,
	};
	if (!k->path || !k->family)
		return no_memory(err);
	for (size_t i = 0; metric && i < n->nmetrics; i++)
		if (strcmp(n->metrics[i].name, metric) == 0) {
			k->has_figure = true;
			k->figure = n->metrics[i].value;
		}
	/* keys come in order: a file of it that another rule met can only stand right before */
	k->foreign = within(k, c->last, c->last_len);
	c->open = k;
	return 0;
}

static bool is_tagged(const struct ebb_rules_retain *t, const char *name, size_t len)
{
	for (size_t i = 0; i < t->ntags; i++)
		if (ebb_glob_match(t->tags[i], name, len))
			return true;
	return false;
}

static void look_for_tags(const struct ebb_ckpts *c, struct ebb_ckpt *k, const char *rest, size_t len)
{
	const struct ebb_rules_retain *t = k->rule == EBB_RULES_NONE ? NULL : c->rules->rules[k->rule].pub.retain;
	const char *own = strrchr(k->path, '/');

	if (!t || k->tagged)
		return;
	own = own ? own + 1 : k->path;
	k->tagged = is_tagged(t, own, strlen(own)) || (!k->file && !memchr(rest, '/', len) && is_tagged(t, rest, len));
}

/* A file of the checkpoint at hand. */
static int take(struct ebb_ckpts *c, const struct ebb_record *rec, bool changeable, struct ebb_err *err)
{
	struct ebb_ckpt *k = c->open;
	const char *why = c->live ? c->live(c->live_ctx, k->store, rec) : NULL;
	size_t skip = k->file ? 0 : k->path_len + 1;

	if (why && !k->live) {
		k->live = true;
		snprintf(k->doubt, sizeof(k->doubt), "%s", why);
	}
	k->unsure |= !changeable || !ebb_record_has(rec, EBB_F_SIZE) || !ebb_record_has(rec, EBB_F_MTIME);
	k->objects++;
	if (!(rec->f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN) && __builtin_add_overflow(k->bytes, rec->f[EBB_F_SIZE], &k->bytes))
		k->bytes = INT64_MAX;
	if (rec->f[EBB_F_MTIME] > k->newest)
		k->newest = rec->f[EBB_F_MTIME];
	look_for_tags(c, k, rec->key + skip, rec->key_len - skip);
	return ebb_ckpt_whole_add(&c->whole, rec->key + skip, rec->key_len - skip, rec->f[EBB_F_SIZE]) < 0 ? no_memory(err) : 0;
}

static int row(struct ebb_ckpts *c, const char *store, const struct ebb_record *rec, uint32_t i, struct ebb_err *err)
{
	uint16_t rule = c->rule[i];
	bool ours = rule != EBB_RULES_NONE && c->rules->rules[rule].pub.retain;
	bool changeable = ebb_rules_changeable(rec->known, rec->f[EBB_F_KIND], rec->f[EBB_F_FLAGS]);
	bool in = c->open && within(c->open, rec->key, rec->key_len);
	int r = 0;

	if (c->open && !in)
		r = shut(c, err);
	if (r < 0)
		return r;
	if (!ours)
		rule = EBB_RULES_NONE;
	if (!in && (ours || c->everything) && !ebb_rules_reserved(rec->key, rec->key_len) && recognise(c->rules, rule, rec->key, rec->key_len, c->name)) {
		r = start(c, store, rule, rec->key, err);
		in = r == 0;
	}
	if (in && c->open->rule != rule) {
		c->open->foreign = true;
		if (c->open->rule == EBB_RULES_NONE)
			c->open->rule = rule;
	}
	if (in)
		return take(c, rec, changeable, err);
	memcpy(c->last, rec->key, rec->key_len);
	c->last_len = rec->key_len;
	return r;
}

int ebb_ckpt_block(struct ebb_ckpts *c, const char *store, const struct ebb_facts *facts, const struct ebb_block *b, struct ebb_err *err)
{
	struct ebb_record rec;
	int r = 0;

	if (c->facts != facts || (c->open && strcmp(c->open->store, store) != 0)) {
		r = shut(c, err);
		c->last_len = 0;
	}
	c->facts = facts;
	if (r == 0)
		r = ebb_rules_decide(c->rules, c->work, b, store, c->now, c->rule, c->unknown, err);
	if (r < 0 || (r == 0 && !c->everything && !c->open))
		return r;
	ebb_block_iter_init(c->iter, b);
	for (uint32_t i = 0; i < b->n && (r = ebb_block_iter_next(c->iter, &rec, err)) == 1; i++) {
		if (!ebb_record_has(&rec, EBB_F_KIND) || rec.f[EBB_F_KIND] != EBB_KIND_FILE)
			continue;
		if ((r = row(c, store, &rec, i, err)) < 0)
			break;
	}
	return r < 0 ? r : 0;
}

/* --- Deciding -------------------------------------------------------------------------------------------- */

static int cmp_family(const struct ebb_ckpt *a, const struct ebb_ckpt *b)
{
	int c = strcmp(a->store, b->store);

	if (c == 0)
		c = (a->rule > b->rule) - (a->rule < b->rule);
	return c ? c : strcmp(a->family, b->family);
}

static int by_family(const void *pa, const void *pb)
{
	const struct ebb_ckpt *a = *(struct ebb_ckpt *const *)pa, *b = *(struct ebb_ckpt *const *)pb;
	int c = cmp_family(a, b);

	if (c == 0)
		c = (a->step > b->step) - (a->step < b->step);
	return c ? c : strcmp(a->path, b->path);
}

static int by_path(const void *pa, const void *pb)
{
	const struct ebb_ckpt *a = *(struct ebb_ckpt *const *)pa, *b = *(struct ebb_ckpt *const *)pb;
	int c = strcmp(a->store, b->store);

	return c ? c : ebb_record_key_cmp(a->path, a->path_len, b->path, b->path_len);
}

/* What the trainer's files say, from the last checkpoint that has them. */
static void family(struct ebb_ckpts *c, size_t from, size_t n)
{
	struct ebb_ckpt **k = c->all + from;

	ebb_ckpt_keep_siblings(k, n);
	if (k[0]->rule == EBB_RULES_NONE) {
		for (size_t i = 0; i < n; i++)
			k[i]->kept = EBB_CKPT_RULELESS;
		return;
	}
	ebb_ckpt_keep_family(k, n, c->rules->rules[k[0]->rule].pub.retain, c->now, k[0]->latest, k[n - 1]->best);
}

int ebb_ckpt_finish(struct ebb_ckpts *c, struct ebb_err *err)
{
	int r = shut(c, err);

	if (r < 0)
		return r;
	free(c->by_path);
	c->by_path = c->n ? malloc(c->n * sizeof(*c->by_path)) : NULL;
	if (c->n && !c->by_path)
		return no_memory(err);
	if (c->n) {
		memcpy(c->by_path, c->all, c->n * sizeof(*c->by_path));
		qsort(c->by_path, c->n, sizeof(*c->by_path), by_path);
		qsort(c->all, c->n, sizeof(*c->all), by_family);
	}
	for (size_t from = 0, to; from < c->n; from = to) {
		for (to = from + 1; to < c->n && cmp_family(c->all[from], c->all[to]) == 0;)
			to++;
		family(c, from, to - from);
	}
	return 0;
}

/* --- Asking ---------------------------------------------------------------------------------------------- */

size_t ebb_ckpt_count(const struct ebb_ckpts *c)
{
	return c->n;
}

const struct ebb_ckpt *ebb_ckpt_get(const struct ebb_ckpts *c, size_t i)
{
	return c->all[i];
}

const struct ebb_ckpt *ebb_ckpt_of(const struct ebb_ckpts *c, const char *store, uint16_t rule, const char *key, size_t len)
{
	size_t lo = 0, hi = c->n;

	if (!recognise(c->rules, rule, key, len, c->name))
		return NULL;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct ebb_ckpt *k = c->by_path[mid];
		int d = strcmp(k->store, store);

		if (d == 0)
			d = ebb_record_key_cmp(k->path, k->path_len, key, c->name->path_len);
		if (d == 0)
			return k->rule == rule && k->file == c->name->file ? k : NULL;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static const char *const reason_names[EBB_CKPT_REASONS] = {
	"newest", "latest", "last", "every", "best", "tagged", "young", "writing", "alone", "doubt", "live", "ruleless",
};

const char *ebb_ckpt_reason_name(int bit)
{
	return bit < 0 || bit >= EBB_CKPT_REASONS ? NULL : reason_names[bit];
}

const char *ebb_ckpt_state_name(enum ebb_ckpt_state s)
{
	static const char *const names[] = {"complete", "incomplete", "unknown"};

	return names[s];
}

const char *ebb_ckpt_why(const struct ebb_ckpts *c, const struct ebb_ckpt *k, char *buf, size_t size)
{
	static const char *const texts[EBB_CKPT_REASONS] = {
		"the newest", "where its trainer goes on", "", "", "the best", "tagged", "younger than min_age", "may be in the making",
		"its run has none that is complete", "in doubt", "in use", "no retain rule meets it",
	};
	const struct ebb_rules_retain *t = k->rule == EBB_RULES_NONE ? NULL : c->rules->rules[k->rule].pub.retain;
	size_t at = 0;

	snprintf(buf, size, "%s", k->state == EBB_CKPT_INCOMPLETE ? "incomplete, and newer ones are complete" : "newer ones are kept");
	for (int i = 0; k->kept && i < EBB_CKPT_REASONS && at < size; i++) {
		const char *comma = at ? ", " : "";

		if (!(k->kept & 1u << i))
			continue;
		if (1 << i == EBB_CKPT_LAST)
			at += (size_t)snprintf(buf + at, size - at, "%samong the last %lld", comma, (long long)t->keep_last);
		else if (1 << i == EBB_CKPT_EVERY)
			at += (size_t)snprintf(buf + at, size - at, "%severy %lld", comma, (long long)t->keep_every);
		else if (1 << i == EBB_CKPT_DOUBT || 1 << i == EBB_CKPT_LIVE)
			at += (size_t)snprintf(buf + at, size - at, "%s%s: %s", comma, texts[i], k->doubt);
		else
			at += (size_t)snprintf(buf + at, size - at, "%s%s", comma, texts[i]);
	}
	return buf;
}
