/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/plan_sample.h"

#include <stdlib.h>
#include <string.h>

#include "agent/progress.h"
#include "agent/storeset.h"
#include "compress/codec.h"
#include "compress/pipe.h"
#include "compress/sample.h"
#include "policies/cost.h"

/* A place that was drawn. */
struct place {
	const char *store;		/* of the configuration */
	char *key;
	struct ebb_record rec;		/* of that key */
	uint64_t draw;			/* where in the object */
};

struct kind {
	struct ebb_shrink_kind sum;
	const struct ebb_rule *rule;
	struct place place[EBB_SHRINK_SAMPLES];
};

struct ebb_plan_sample {
	struct ebb_app *app;
	struct kind *v[EBB_PLAN_SAMPLE_KINDS];
	size_t n;
	uint64_t dice;
	int lost;			/* pieces that could not be read */
};

struct ebb_plan_sample *ebb_plan_sample_new(struct ebb_app *app)
{
	struct ebb_plan_sample *s = calloc(1, sizeof(*s));

	if (s)
		s->app = app;
	return s;
}

void ebb_plan_sample_free(struct ebb_plan_sample *s)
{
	for (size_t i = 0; s && i < s->n; i++) {
		for (size_t k = 0; k < EBB_SHRINK_SAMPLES; k++)
			free(s->v[i]->place[k].key);
		free(s->v[i]);
	}
	free(s);
}

/* splitmix64, by Sebastiano Vigna (public domain). */
static uint64_t roll(struct ebb_plan_sample *s)
{
	uint64_t z = s->dice += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* One of 0 to @n - 1, each as likely as the others. */
static int64_t one_of(uint64_t draw, int64_t n)
{
	return (int64_t)(((unsigned __int128)draw * (uint64_t)n) >> 64);
}

static struct kind *kind_of(struct ebb_plan_sample *s, const struct ebb_action *a, struct ebb_err *err)
{
	const struct ebb_rules *rules = s->app->config->rules;
	struct ebb_shrink_kind want = {0};

	/* a rule's name is the rule's own string, in the action too */
	while (want.rule < ebb_rules_count(rules) && ebb_rules_get(rules, want.rule)->name != a->rule)
		want.rule++;
	ebb_shrink_ext(a->obj->key, a->obj->key_len, want.ext);
	for (size_t i = 0; i < s->n; i++)
		if (ebb_shrink_compare(&s->v[i]->sum, &want) == 0)
			return s->v[i];
	if (s->n == EBB_PLAN_SAMPLE_KINDS || want.rule == ebb_rules_count(rules))
		return NULL;
	struct kind *k = calloc(1, sizeof(*k));
	if (!k) {
		ebb_err_set(err, EBB_ENOMEM, "out of memory");
		return NULL;
	}
	k->sum = want;
	k->rule = ebb_rules_get(rules, want.rule);
	return s->v[s->n++] = k;
}

int ebb_plan_sample_note(void *ctx, const struct ebb_action *a, struct ebb_err *err)
{
	struct ebb_plan_sample *s = ctx;
	struct ebb_err why = {0};

	if (a->id != EBB_ACTION_COMPRESS || strcmp(a->codec, ebb_codec_tensor.name) == 0)
		return 0;
	struct kind *k = kind_of(s, a, &why);
	if (!k)
		return why.code ? ebb_err_set(err, EBB_ENOMEM, "out of memory") : 0;
	int64_t size = a->obj->f[EBB_F_SIZE];
	if (__builtin_add_overflow(k->sum.bytes, size, &k->sum.bytes))
		return ebb_err_set(err, EBB_ERANGE, "more bytes than 63 bits hold");
	k->sum.objects++;
	/* in each place the object stays with the probability of its share of all bytes so far (Chao, 1982, for samples of one) */
	for (size_t i = 0; i < EBB_SHRINK_SAMPLES; i++) {
		struct place *p = &k->place[i];

		if (one_of(roll(s), k->sum.bytes) >= size)
			continue;
		char *key = strndup(a->obj->key, a->obj->key_len);
		if (!key)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		free(p->key);
		*p = (struct place){.store = a->store, .key = key, .rec = *a->obj, .draw = roll(s)};
		p->rec.key = key;
	}
	return 0;
}

struct piece {
	const uint8_t *p;
	size_t len, at;
};

static int64_t read_piece(void *ctx, void *buf, size_t len, struct ebb_err *err)
{
	struct piece *piece = ctx;
	size_t n = piece->len - piece->at < len ? piece->len - piece->at : len;

	(void)err;
	memcpy(buf, piece->p + piece->at, n);
	piece->at += n;
	return (int64_t)n;
}

/* The share that its codec leaves of a piece, in thousandths. */
static int share_of(const struct kind *k, const uint8_t *p, size_t len, int *ret, struct ebb_err *err)
{
	struct piece piece = {.p = p, .len = len};
	const struct ebb_pipe pipe = {
		.read = read_piece, .read_ctx = &piece, .mode = EBB_PIPE_ENCODE, .codec = ebb_codec_find(k->rule->codec),
		.level = k->rule->level, .raw_size = (int64_t)len,
	};
	struct ebb_pipe_result done;
	int r = ebb_pipe_run(&pipe, &done, err);

	if (r < 0)
		return r;
	*ret = (int)((done.coded_size * 1000 + (int64_t)len - 1) / (int64_t)len);
	if (*ret > EBB_SAMPLE_PAYS)
		*ret = EBB_COST_POINTLESS;
	return 0;
}

/* @return  1: *ret_len bytes are in @buf; 0: they cannot be had, which tells nothing of others. */
static int fetch(struct ebb_plan_sample *s, struct ebb_store *store, const struct place *p, uint8_t *buf, size_t *ret_len,
		 struct ebb_err *err)
{
	int64_t size = p->rec.f[EBB_F_SIZE], most = (int64_t)EBB_PLAN_SAMPLE_PIECE;
	int64_t len = size < most ? size : most, off = one_of(p->draw, size) - len / 2;
	struct ebb_err why = {0};

	off = off < 0 ? 0 : off > size - len ? size - len : off;
	int r = ebb_store_read_range(store, p->rec.key, &p->rec, off, buf, (size_t)len, &why);
	if (r == -EBB_ECHANGED || r == -EBB_ENOENT || r == -EBB_EACCES || r == -EBB_EASLEEP || r == -EBB_ENOTSUP || r == -EBB_ECORRUPT) {
		if (!s->lost++)
			ebb_app_note(s->app, "a sample of '%s' is left out: %s", p->rec.key, why.msg);
		return 0;
	}
	if (r < 0)
		return ebb_err_set(err, -r, "cannot sample '%s': %s", p->rec.key, why.msg);
	*ret_len = (size_t)len;
	return 1;
}

static int look_at(struct ebb_plan_sample *s, struct ebb_storeset *stores, struct kind *k, uint8_t *buf, struct ebb_err *err)
{
	int share[EBB_SHRINK_SAMPLES];

	for (size_t i = 0; i < EBB_SHRINK_SAMPLES; i++) {
		const struct place *p = &k->place[i];
		struct ebb_store *store;
		size_t len = 0;
		int r = ebb_app_cancelled(s->app, err);

		if (r == 0)
			r = ebb_storeset_get(stores, p->store, &store, err);
		if (r == 0)
			r = fetch(s, store, p, buf, &len, err);
		if (r == 1 && (r = share_of(k, buf, len, &share[k->sum.samples], err)) == 0) {
			k->sum.samples++;
			k->sum.read += (int64_t)len;
		}
		if (r < 0)
			return r;
	}
	if (k->sum.samples >= EBB_SHRINK_SAMPLES_MIN) {
		ebb_shrink_mean(share, k->sum.samples, &k->sum.permille, &k->sum.margin);
		if (k->sum.permille > EBB_SAMPLE_PAYS)
			k->sum.permille = EBB_COST_POINTLESS;
	}
	return 0;
}

static int by_rule(const void *a, const void *b)
{
	return ebb_shrink_compare(a, b);
}

int ebb_plan_sample_read(struct ebb_plan_sample *s, struct ebb_arena *arena, struct ebb_shrink *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *stores = ebb_storeset_new(s->app->config);
	EBB_CLEANUP(ebb_mem_freep) uint8_t *buf = malloc(EBB_PLAN_SAMPLE_PIECE);
	struct ebb_shrink_kind *v = ebb_arena_calloc(arena, s->n + 1, sizeof(*v));
	struct ebb_progress progress;
	size_t n = 0;
	int r = 0;

	if (!stores || !buf || !v)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	ebb_progress_start(&progress, s->app->err, s->app->quiet, "sample", "kinds");
	for (size_t i = 0; r == 0 && i < s->n; i++) {
		r = look_at(s, stores, s->v[i], buf, err);
		if (r == 0 && s->v[i]->sum.samples >= EBB_SHRINK_SAMPLES_MIN)
			v[n++] = s->v[i]->sum;
		ebb_progress_tick(&progress, i + 1, s->n, 0);
	}
	ebb_progress_end(&progress);
	if (r < 0)
		return r;
	qsort(v, n, sizeof(*v), by_rule);
	*ret = (struct ebb_shrink){.v = v, .n = n};
	return 0;
}
