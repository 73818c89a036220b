/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P8
 *
 * Random objects under a fixed rule set: the totals are the sums of the actions to the last
 * nano-unit, every file is counted exactly once, what explain says of an object is what happens to
 * it, and deciding twice gives the same.
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
#define MONTH (30 * DAY)
#define RULES 5

static const char config[] =
	"{datasets: [{match: \"p/{run}/**\", kind: runs, residency: [AE]}],\n"
	"rules: [{name: keep, match: \"**/k*\", when: \"idle < 30d\", do: keep},\n"
	"{name: old, when: \"idle > 90d and size < 1GiB\", do: delete, trash: 7d},\n"
	"{name: far, kind: runs, when: \"age > 60d and run != \\\"r1\\\"\", do: tier, to: "
	"abroad},\n"
	"{name: cold, match: \"q/**\", when: \"idle > 10d\", do: tier, to: cold, require: "
	"{payback: 9d}},\n"
	"{name: logs, match: \"**.log\", do: compress}]}";

static const char book[] =
	"{version: 1, name: t, date: 2026-11-01, currency: USD, source: test, confidence: sample,\n"
	"classes: {NVME: {storage_gib_month: 0.0873}, HDD: {storage_gib_month: 0.0131}}}";

static const struct ebb_rules_store stores[] = {
	{.name = "fast", .class = "NVME", .jurisdiction = "AE"},
	{.name = "cold", .class = "HDD", .jurisdiction = "AE"},
	{.name = "abroad", .class = "HDD", .jurisdiction = "DE"},
};

/* What the receiver adds up, and the text of all actions in order. */
struct tally {
	struct ebb_decide_sum all, by_rule[RULES];
	const struct ebb_rules *rules;
	struct ebb_arena *arena;
	struct ebb_buf log;
};

static void tally_add(struct ebb_decide_sum *s, const struct ebb_action *a)
{
	s->objects++;
	s->bytes += a->obj->f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN ? 0 : a->obj->f[EBB_F_SIZE];
	s->freed += a->freed;
	s->wire += a->wire;
	s->unpriced += !a->priced;
	s->one_off.nano += a->one_off.nano;
	s->saving.nano += a->saving.nano;
}

static int take(void *ctx, const struct ebb_action *a, struct ebb_err *err)
{
	struct tally *t = ctx;
	struct ebb_rules_verdict verdicts[RULES];
	const struct ebb_rules_dataset *set;
	int rule = ebb_rules_explain(t->rules, a->obj, "fast", NOW, t->arena, verdicts, &set, err);

	EBB_SEED_CHECK(rule >= 0 && rule < RULES, "'%s' gets an action without a rule",
		       a->obj->key);
	EBB_SEED_CHECK(strcmp(verdicts[rule].rule->name, a->rule) == 0, "%s, not %s", a->rule,
		       verdicts[rule].rule->name);
	EBB_SEED_CHECK(verdicts[rule].likely == EBB_TRUE, "%s fires though it is not true", a->rule);
	EBB_SEED_CHECK(verdicts[rule].cond == EBB_TRUE || a->id != EBB_ACTION_DELETE,
		       "%s deletes what may have been read", a->rule);
	EBB_SEED_CHECK(a->saving.nano >= 0 && a->freed >= 0, "%s loses", a->rule);
	EBB_SEED_CHECK(!a->priced || (__int128)a->one_off.nano * MONTH <= (__int128)a->saving.nano * EBB_DECIDE_LIFE_NS,
		       "%s costs more than doing nothing", a->rule);
	tally_add(&t->all, a);
	tally_add(&t->by_rule[rule], a);
	ebb_buf_addf(&t->log, "%s %s %lld %s\n", a->obj->key, a->rule, (long long)a->saving.nano,
		     a->why);
	return 0;
}

static void check_sum(const char *what, const struct ebb_decide_sum *got,
		      const struct ebb_decide_sum *want)
{
	EBB_SEED_CHECK(got->objects == want->objects && got->bytes == want->bytes &&
			       got->freed == want->freed && got->wire == want->wire &&
			       got->unpriced == want->unpriced &&
			       got->one_off.nano == want->one_off.nano &&
			       got->saving.nano == want->saving.nano,
		       "totals of %s are not the sums of its actions", what);
}

static void random_record(struct ebb_prng *r, struct ebb_record *rec)
{
	static const enum ebb_field times[] = {EBB_F_MTIME, EBB_F_ATIME, EBB_F_CTIME};

	rec->known = 0;
	memset(rec->f, 0, sizeof(rec->f));
	ebb_record_set(rec, EBB_F_KIND, ebb_prng_below(r, 8) ? EBB_KIND_FILE : EBB_KIND_DIR);
	ebb_record_set(rec, EBB_F_SIZE, (int64_t)ebb_prng_below(r, UINT64_C(3) << 30));
	ebb_record_set(rec, EBB_F_ALLOC, rec->f[EBB_F_SIZE] >> (ebb_prng_below(r, 8) == 0));
	for (size_t i = 0; i < EBB_ARRAY_LEN(times); i++)
		ebb_record_set(rec, times[i], NOW - (int64_t)ebb_prng_below(r, 200) * DAY);
	ebb_record_set(rec, EBB_F_EVIDENCE, (int64_t)ebb_prng_below(r, EBB_EVIDENCE_COUNT));
	ebb_record_set(rec, EBB_F_NLINK, 1 + (ebb_prng_below(r, 8) == 0));
	if (ebb_prng_below(r, 8) == 0)
		ebb_record_set(rec, EBB_F_FLAGS, 1 << ebb_prng_below(r, 3));
}

static void fill_block(struct ebb_prng *r, struct ebb_block_builder *b)
{
	uint32_t n = 1 + (uint32_t)ebb_prng_below(r, 300);
	struct ebb_err err = {0};

	ebb_block_builder_clear(b);
	for (uint32_t i = 0; i < n; i++) {
		char key[64];
		struct ebb_record rec = {.key = key};

		sprintf(key, "%c/r%u/%06u%s%s", "opqz"[i * 4 / n], (unsigned)(i * 32 / n % 8), i,
			ebb_prng_below(r, 4) ? "" : "/k", ebb_prng_below(r, 3) ? "" : ".log");
		rec.key_len = (uint32_t)strlen(key);
		random_record(r, &rec);
		EBB_SEED_CHECK(ebb_block_builder_add(b, &rec, &err) == 0, "%s", err.msg);
	}
}

static int64_t files_in(const struct ebb_block *b)
{
	static int64_t kind[EBB_BLOCK_MAX];
	int64_t n = 0;

	ebb_block_values(b, EBB_F_KIND, kind);
	for (uint32_t i = 0; i < b->n; i++)
		n += kind[i] == EBB_KIND_FILE;
	return n;
}

static const struct ebb_tree_node *tree(struct ebb_arena *arena, const char *text)
{
	struct ebb_err err = {0};
	const struct ebb_tree_node *t = ebb_flow_parse(arena, "p.yaml", text, &err);

	EBB_SEED_CHECK(t != NULL, "%s", err.msg);
	return t;
}

/* Decide the blocks made from @seed; the log of all actions comes back for comparison. */
static char *run(struct ebb_prng seed)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena = {0};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf bytes = EBB_BUF_INIT(1 << 20);
	struct tally t = {.arena = &arena, .log = EBB_BUF_INIT((size_t)256 << 20)};
	const struct ebb_tree_node *doc = tree(&arena, config);
	struct ebb_price_books *prices = ebb_price_books_new(&arena, NOW);
	struct ebb_block_builder *builder = ebb_block_builder_new();
	const struct ebb_decide_totals *totals;
	struct ebb_decide *d;
	struct ebb_rules *rules;
	struct ebb_err err = {0};
	int64_t files = 0, counted;
	char *log;

	EBB_SEED_CHECK(ebb_price_books_add(prices, tree(&arena, book), &err) == 0, "%s", err.msg);
	EBB_SEED_CHECK(ebb_rules_compile(&arena, ebb_tree_get(doc, "rules"),
					 ebb_tree_get(doc, "datasets"), stores, 3, &rules,
					 &err) == 0,
		       "%s", err.msg);
	EBB_SEED_CHECK(ebb_decide_new(&arena, rules, prices, NOW, &d, &err) == 0, "%s", err.msg);
	t.rules = rules;
	for (int i = 0; i < 60; i++) {
		struct ebb_block b;

		fill_block(&seed, builder);
		EBB_SEED_CHECK(ebb_block_builder_encode(builder, &bytes, &err) == 0, "%s", err.msg);
		EBB_SEED_CHECK(ebb_block_open(&b, bytes.data, bytes.len, &err) == 0, "%s", err.msg);
		EBB_SEED_CHECK(ebb_decide_block(d, "fast", &b, take, &t, &err) == 0, "%s", err.msg);
		files += files_in(&b);
	}
	totals = ebb_decide_totals(d);
	check_sum("all", &totals->all, &t.all);
	counted = totals->all.objects + totals->kept.objects + totals->unmatched.objects +
		  totals->held.objects;
	for (int i = 0; i < RULES; i++) {
		check_sum(ebb_rules_get(rules, (size_t)i)->name, &totals->by_rule[i],
			  &t.by_rule[i]);
		for (int k = 0; k < EBB_REFUSE_COUNT; k++)
			counted += totals->refused[i][k].objects;
	}
	EBB_SEED_CHECK(counted == files, "%lld of %lld files counted", (long long)counted,
		       (long long)files);
	EBB_SEED_CHECK(totals->all.objects > 0 && totals->kept.objects > 0, "nothing was decided");
	EBB_SEED_CHECK(totals->refused[2][EBB_REFUSE_RESIDENCY].objects > 0, "nothing was refused");
	log = ebb_buf_detach(&t.log);
	ebb_decide_free(d);
	ebb_block_builder_free(builder);
	ebb_buf_release(&t.log);
	return log;
}

int main(void)
{
	struct ebb_prng r = ebb_seed_start();

	for (int i = 0; i < 4; i++) {
		struct ebb_prng seed = {ebb_prng_next(&r)};
		char *first = run(seed), *second = run(seed);

		EBB_SEED_CHECK(strcmp(first, second) == 0, "deciding twice gives two results");
		free(first);
		free(second);
	}
	return 0;
}
