/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random runs under retain rules, with shards that are missing, index files that were not read or are damaged, figures here and there, files that
 * others refer to, files that other rules meet: what goes never meets what is referred to, goes whole or not at all, is never what the
 * rule keeps, and every run that had a complete checkpoint has one afterwards. Against a model that is told how each checkpoint was made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "policies/decide.h"
#include "tests/support/flow.h"
#include "tests/support/seed.h"

#define DAY (INT64_C(86400) * 1000000000)
#define NOW (20000 * DAY)
#define FAMILIES 12
#define STEPS 9
#define SHARDS 3
#define FILES (SHARDS + 3)

static const struct ebb_rules_store stores[] = {{.name = "s", .class = "NVME"}};

/* A checkpoint as it was made. */
struct made {
	int64_t step, age_days;
	bool there, complete, known, live, foreign, tagged, has_figure, figure_known;
	double figure;
	int files, gone;
};

struct family {
	struct made c[STEPS];
};

struct file {
	char key[64];
	int family, step;
	bool live;
	struct ebb_record rec;
};

struct world {
	struct family f[FAMILIES];
	struct file *files;
	size_t n;
	struct ebb_facts_file *facts;
	size_t nfacts;
	struct ebb_arena *arena;
	int64_t last, every, best, age;
	bool max;
};

static void fact_add(struct world *w, struct ebb_facts_file *f, enum ebb_facts_type type, const char *text, const char *name, int64_t step)
{
	struct ebb_facts_fact *all = ebb_arena_calloc(w->arena, f->n + 1, sizeof(*all));

	if (f->n)
		memcpy(all, f->facts, f->n * sizeof(*all));
	all[f->n++] = (struct ebb_facts_fact){type, name, ebb_arena_strdup(w->arena, text), step};
	f->facts = all;
}

static struct ebb_facts_file *facts_of(struct world *w, const char *key)
{
	struct ebb_facts_file *f = &w->facts[w->nfacts++];

	*f = (struct ebb_facts_file){.key = ebb_arena_strdup(w->arena, key), .key_len = strlen(key), .reader = "test"};
	return f;
}

static void file_add(struct world *w, struct ebb_prng *r, int fam, int step, const char *name, int64_t size)
{
	struct made *m = &w->f[fam].c[step];
	struct file *f = &w->files[w->n++];

	snprintf(f->key, sizeof(f->key), "runs/f%02d/checkpoint-%lld/%s", fam, (long long)m->step, name);
	f->family = fam;
	f->step = step;
	f->live = ebb_prng_below(r, 60) == 0;
	m->live |= f->live;
	m->files++;
	f->rec = (struct ebb_record){0};
	ebb_record_set(&f->rec, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&f->rec, EBB_F_SIZE, size);
	ebb_record_set(&f->rec, EBB_F_MTIME, NOW - m->age_days * DAY);
	ebb_record_set(&f->rec, EBB_F_NLINK, 1);
}

/* Index file, shards, trainer_state.json, each as chance has it. */
static void make(struct world *w, struct ebb_prng *r, int fam, int step)
{
	struct made *m = &w->f[fam].c[step];
	bool read = ebb_prng_below(r, 8) != 0, damaged = ebb_prng_below(r, 12) == 0, said = ebb_prng_below(r, 6) != 0;
	char name[64], key[96], text[32];
	struct ebb_facts_file *index, *state;

	*m = (struct made){.there = true, .step = 100 * (step + 1), .age_days = 3 * (STEPS - step) + (int64_t)ebb_prng_below(r, 3), .complete = true};
	m->known = read && !damaged;
	if (ebb_prng_below(r, 15) == 0) {
		file_add(w, r, fam, step, ".keep", 0);
		m->tagged = true;
	}
	if (ebb_prng_below(r, 15) == 0) {
		file_add(w, r, fam, step, "mine.txt", 5);
		m->foreign = true;
	}
	file_add(w, r, fam, step, "model.safetensors.index.json", 300);
	snprintf(key, sizeof(key), "runs/f%02d/checkpoint-%lld/model.safetensors.index.json", fam, (long long)m->step);
	index = read ? facts_of(w, key) : NULL;
	if (damaged && index)
		fact_add(w, index, EBB_FACTS_BAD, "not JSON", NULL, -1);
	for (int s = 0; s < SHARDS; s++) {
		bool missing = ebb_prng_below(r, 25) == 0, empty = ebb_prng_below(r, 25) == 0;

		snprintf(name, sizeof(name), "w%d.safetensors", s);
		if (!missing)
			file_add(w, r, fam, step, name, empty ? 0 : 1000);
		m->complete &= !missing && !empty;
		if (index && !damaged)
			fact_add(w, index, EBB_FACTS_SHARD, name, NULL, -1);
	}
	m->figure = (double)ebb_prng_below(r, 20) / 4;
	file_add(w, r, fam, step, "trainer_state.json", 90);
	if (!said)
		return;
	snprintf(key, sizeof(key), "runs/f%02d/checkpoint-%lld/trainer_state.json", fam, (long long)m->step);
	state = facts_of(w, key);
	m->figure_known = true;
	m->has_figure = ebb_prng_below(r, 5) != 0;
	snprintf(text, sizeof(text), "%.17g", m->figure);
	if (m->has_figure)
		fact_add(w, state, EBB_FACTS_METRIC, text, "score", m->step);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->key, ((const struct file *)b)->key);
}

static int by_fact(const void *a, const void *b)
{
	return strcmp(((const struct ebb_facts_file *)a)->key, ((const struct ebb_facts_file *)b)->key);
}

static struct file *find(struct world *w, const struct ebb_record *rec)
{
	char key[64];

	snprintf(key, sizeof(key), "%.*s", (int)rec->key_len, rec->key);
	struct file *f = bsearch(key, w->files, w->n, sizeof(*f), by_key);
	EBB_SEED_CHECK(f, "'%s' was never made", key);
	return f;
}

static const char *live(void *ctx, const char *store, const struct ebb_record *rec)
{
	(void)store;
	return find(ctx, rec)->live ? "somebody refers to it" : NULL;
}

static const char *guard(void *ctx, const struct ebb_action *a)
{
	return live(ctx, a->store, a->obj);
}

static int take(void *ctx, const struct ebb_action *a, struct ebb_err *err)
{
	struct world *w = ctx;
	struct file *f = find(w, a->obj);

	(void)err;
	EBB_SEED_CHECK(a->id == EBB_ACTION_DELETE, "'%s' is not deleted but %d", f->key, (int)a->id);
	EBB_SEED_CHECK(!f->live, "'%s' goes though something refers to it", f->key);
	w->f[f->family].c[f->step].gone++;
	return 0;
}

/* What the rule promises about one checkpoint that went. */
static void check_gone(const struct world *w, const struct family *f, int i)
{
	const struct made *m = &f->c[i];
	int64_t newer_complete = 0, better = 0;
	bool newest = true;

	for (int o = 0; o < STEPS; o++) {
		newest &= !f->c[o].there || o <= i;
		newer_complete += o > i && f->c[o].there && f->c[o].known && f->c[o].complete;
		better += o != i && f->c[o].there && f->c[o].known && f->c[o].complete && f->c[o].has_figure &&
			  (w->max ? f->c[o].figure > m->figure : f->c[o].figure < m->figure);
	}
	EBB_SEED_CHECK(m->gone == m->files, "%d of %d files of step %lld go", m->gone, m->files, (long long)m->step);
	EBB_SEED_CHECK(!m->live && !m->foreign && !m->tagged && m->known, "step %lld goes in doubt", (long long)m->step);
	EBB_SEED_CHECK(!newest && newer_complete > 0, "step %lld goes and is the newest", (long long)m->step);
	EBB_SEED_CHECK(m->age_days >= w->age, "step %lld goes and is young", (long long)m->step);
	EBB_SEED_CHECK(!w->every || m->step % w->every, "step %lld goes and is one of every %lld", (long long)m->step, (long long)w->every);
	EBB_SEED_CHECK(!m->complete || newer_complete >= w->last, "step %lld goes and is among the last", (long long)m->step);
	EBB_SEED_CHECK(!w->best || !m->complete || (m->figure_known && (!m->has_figure || better >= w->best)),
		       "step %lld goes and is or may be the best", (long long)m->step);
}

static int64_t check(const struct world *w)
{
	int64_t gone = 0;

	for (int i = 0; i < FAMILIES; i++) {
		const struct family *f = &w->f[i];
		bool had = false, has = false;

		for (int c = 0; c < STEPS; c++) {
			const struct made *m = &f->c[c];

			had |= m->there && m->known && m->complete;
			has |= m->there && m->known && m->complete && !m->gone;
			if (m->gone)
				check_gone(w, f, c);
			gone += m->gone > 0;
		}
		EBB_SEED_CHECK(!had || has, "family %d has lost its last complete checkpoint", i);
		for (int c = 0; c < STEPS; c++)
			EBB_SEED_CHECK(had || !f->c[c].gone, "family %d has nothing complete and loses something", i);
	}
	return gone;
}

static const struct ebb_rules *rules_of(struct world *w, struct ebb_prng *r)
{
	char text[512], what[256] = "";
	struct ebb_rules *rules;
	struct ebb_err err = {0};

	w->last = (int64_t)ebb_prng_below(r, 4);
	w->every = ebb_prng_below(r, 2) ? 100 * (int64_t)(2 + ebb_prng_below(r, 3)) : 0;
	w->best = ebb_prng_below(r, 2) ? 1 + (int64_t)ebb_prng_below(r, 3) : 0;
	w->max = ebb_prng_below(r, 2);
	w->age = (int64_t)ebb_prng_below(r, 12);
	if (!w->last && !w->every && !w->best)
		w->last = 1;
	if (w->last)
		sprintf(what + strlen(what), ", keep_last: %d", (int)w->last);
	if (w->every)
		sprintf(what + strlen(what), ", keep_every: %d", (int)w->every);
	if (w->best)
		sprintf(what + strlen(what), ", keep_best: score, keep_best_count: %d, mode: %s", (int)w->best, w->max ? "max" : "min");
	snprintf(text, sizeof(text),
		 "{rules: [{name: mine, match: \"**/mine.txt\", do: keep},\n{name: r, do: retain, keep_tagged: [.keep], min_age: %dd%s}]}",
		 (int)w->age, what);
	const struct ebb_tree_node *doc = ebb_flow_parse(w->arena, "p.yaml", text, &err);
	EBB_SEED_CHECK(doc && ebb_rules_compile(w->arena, ebb_tree_get(doc, "rules"), NULL, stores, 1, &rules, &err) == 0, "%s: %s", text,
		       err.msg);
	return rules;
}

/* Blocks of a few files each, so that checkpoints lie across their ends. */
static void blocks(struct world *w, struct ebb_prng seed, struct ebb_ckpts *ckpts, struct ebb_decide *d, const struct ebb_facts *facts)
{
	struct ebb_block_builder *b = ebb_block_builder_new();
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf bytes = EBB_BUF_INIT(1 << 20);
	struct ebb_err err = {0};
	struct ebb_block open;

	for (size_t i = 0; i < w->n;) {
		ebb_block_builder_clear(b);
		for (uint64_t k = 1 + ebb_prng_below(&seed, 40); k > 0 && i < w->n; k--, i++) {
			w->files[i].rec.key = w->files[i].key;
			w->files[i].rec.key_len = (uint32_t)strlen(w->files[i].key);
			EBB_SEED_CHECK(ebb_block_builder_add(b, &w->files[i].rec, &err) == 0, "%s", err.msg);
		}
		EBB_SEED_CHECK(ebb_block_builder_encode(b, &bytes, &err) == 0 && ebb_block_open(&open, bytes.data, bytes.len, &err) == 0, "%s",
			       err.msg);
		if (ckpts)
			EBB_SEED_CHECK(ebb_ckpt_block(ckpts, "s", facts, &open, &err) == 0, "%s", err.msg);
		else
			EBB_SEED_CHECK(ebb_decide_block(d, "s", &open, take, w, &err) == 0, "%s", err.msg);
	}
	ebb_block_builder_free(b);
}

static int64_t run(struct ebb_prng *r)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena = {0};
	struct world w = {.arena = &arena};
	struct ebb_prng seed = {ebb_prng_next(r)};
	struct ebb_err err = {0};
	struct ebb_decide *d;

	w.files = calloc((size_t)FAMILIES * STEPS * FILES + 1, sizeof(*w.files));
	w.facts = calloc((size_t)FAMILIES * STEPS * 2 + 1, sizeof(*w.facts));
	for (int f = 0; f < FAMILIES; f++)
		for (int s = 0; s < STEPS; s++)
			if (ebb_prng_below(r, 6))
				make(&w, r, f, s);
	qsort(w.files, w.n, sizeof(*w.files), by_key);
	qsort(w.facts, w.nfacts, sizeof(*w.facts), by_fact);
	const struct ebb_rules *rules = rules_of(&w, r);
	struct ebb_facts facts = {.store = "s", .files = w.facts, .n = w.nfacts};
	struct ebb_ckpts *c = ebb_ckpt_new(rules, NOW, ebb_prng_below(r, 2), live, &w);
	struct ebb_price_books *prices = ebb_price_books_new(&arena, NOW);

	blocks(&w, seed, c, NULL, &facts);
	EBB_SEED_CHECK(ebb_ckpt_finish(c, &err) == 0, "%s", err.msg);
	EBB_SEED_CHECK(ebb_decide_new(&arena, rules, prices, NOW, &d, &err) == 0, "%s", err.msg);
	ebb_decide_use_ckpts(d, c);
	ebb_decide_use_guard(d, guard, &w);
	blocks(&w, seed, NULL, d, NULL);
	int64_t gone = check(&w);
	ebb_decide_free(d);
	ebb_ckpt_free(c);
	free(w.files);
	free(w.facts);
	return gone;
}

int main(void)
{
	struct ebb_prng r = ebb_seed_start();
	int64_t gone = 0;

	for (int i = 0; i < 300; i++)
		gone += run(&r);
	printf("%lld checkpoints went\n", (long long)gone);
	EBB_SEED_CHECK(gone > 300, "only %lld checkpoints went, so nothing was tried", (long long)gone);
	return 0;
}
