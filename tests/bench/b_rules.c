/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Deciding: records a second on one core, over blocks that lie in memory (their decoding is part of
 * it). Conditions by columns, globs over keys, whole rule sets, and globs alone. Medians of ROUNDS
 * rounds after one that does not count. Prints a table; judges nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "policies/expr_block.h"
#include "policies/glob.h"
#include "policies/rules.h"
#include "tests/support/bench.h"
#include "tests/support/flow.h"
#include "tests/support/prng.h"

#define ROUNDS 7
#define BLOCKS 2000
#define DAY (INT64_C(86400) * 1000000000)
#define NOW (20000 * DAY)

static struct ebb_arena arena;
static struct ebb_block blocks[BLOCKS];
static size_t records, key_bytes;
static const struct ebb_rules_store stores[] = {{.name = "fast", .class = "NVME"},
						{.name = "cold", .class = "HDD"}};

static void die(const char *what)
{
	fprintf(stderr, "b_rules: %s\n", what);
	exit(1);
}

/* Key number @i of a tree of runs, as a training cluster leaves it. */
static void make_record(struct ebb_prng *r, size_t i, struct ebb_record *rec, char *key)
{
	static const char *const names[] = {"model.safetensors", "optimizer.pt", "events.log",
					    "config.json"};

	*rec = (struct ebb_record){.key = key};
	rec->key_len = (uint32_t)sprintf(key, "runs/vision/run-%05zu/checkpoint-%06zu/%zu-%s",
					 i / 400, i % 400 / 4, i % 4, names[i % 4]);
	ebb_record_set(rec, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(rec, EBB_F_SIZE,
		       (int64_t)(ebb_prng_next(r) >> (34 + ebb_prng_below(r, 20))));
	ebb_record_set(rec, EBB_F_ALLOC, (rec->f[EBB_F_SIZE] + 4095) & ~INT64_C(4095));
	ebb_record_set(rec, EBB_F_MTIME, NOW - (int64_t)ebb_prng_below(r, 400 * (uint64_t)DAY));
	ebb_record_set(rec, EBB_F_ATIME, NOW - (int64_t)ebb_prng_below(r, 400 * (uint64_t)DAY));
	ebb_record_set(rec, EBB_F_CTIME, rec->f[EBB_F_MTIME]);
	ebb_record_set(rec, EBB_F_EVIDENCE, EBB_EVIDENCE_RELATIME);
	ebb_record_set(rec, EBB_F_MODE, 0100644);
	ebb_record_set(rec, EBB_F_UID, 1000);
	ebb_record_set(rec, EBB_F_GID, 1000);
	ebb_record_set(rec, EBB_F_NLINK, 1);
	ebb_record_set(rec, EBB_F_INO, (int64_t)i + 100);
	ebb_record_set(rec, EBB_F_DEV, 1);
	ebb_record_set(rec, EBB_F_FLAGS, 0);
	key_bytes += rec->key_len;
}

static void make_blocks(void)
{
	struct ebb_block_builder *b = ebb_block_builder_new();
	struct ebb_buf bytes = EBB_BUF_INIT(1 << 20);
	struct ebb_prng r = {1};

	for (size_t n = 0; n < BLOCKS; n++) {
		char key[128];
		char *copy;

		ebb_block_builder_clear(b);
		while (!ebb_block_builder_full(b)) {
			struct ebb_record rec;
			make_record(&r, records++, &rec, key);
			if (ebb_block_builder_add(b, &rec, NULL) < 0)
				die("cannot build");
		}
		if (ebb_block_builder_encode(b, &bytes, NULL) < 0)
			die("cannot encode");
		copy = ebb_arena_memdup(&arena, bytes.data, bytes.len);
		if (!copy || ebb_block_open(&blocks[n], copy, bytes.len, NULL) < 0)
			die("cannot open");
	}
	ebb_block_builder_free(b);
	ebb_buf_release(&bytes);
}

static void row(const char *what, double seconds, size_t hits)
{
	printf("%-58s %8.1f M records/s %10zu hits\n", what, (double)records / seconds / 1e6, hits);
}

static void bench_condition(const char *text)
{
	static const struct ebb_expr_place place = {"bench", 1, 1};
	struct ebb_expr_block *w = ebb_expr_block_new();
	struct ebb_expr_env env = {.now = NOW, .store = "fast"};
	struct ebb_expr *e;
	uint8_t truth[EBB_BLOCK_MAX];
	double took[ROUNDS];
	size_t hits = 0;

	if (ebb_expr_compile(&arena, text, &place, NULL, 0, &e, NULL) < 0)
		die(text);
	for (int round = -1; round < ROUNDS; round++) {
		double start = ebb_bench_now();

		hits = 0;
		for (size_t n = 0; n < BLOCKS; n++) {
			ebb_expr_block_use(w, &blocks[n], NOW);
			ebb_expr_block_eval(w, e, &env, truth);
			for (uint32_t i = 0; i < blocks[n].n; i++)
				hits += truth[i] == EBB_TRUE;
		}
		if (round >= 0)
			took[round] = ebb_bench_now() - start;
	}
	ebb_expr_block_free(w);
	row(text, ebb_bench_median(took, ROUNDS), hits);
}

static void bench_rules(const char *what, const char *config)
{
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "bench", config, NULL);
	struct ebb_rules *r;
	struct ebb_rules_decide_work *w;
	uint16_t rule[EBB_BLOCK_MAX], unknown[EBB_BLOCK_MAX];
	double took[ROUNDS];
	size_t hits = 0;

	if (!doc || ebb_rules_compile(&arena, doc, NULL, stores, 2, &r, NULL) < 0)
		die(what);
	w = ebb_rules_decide_new(r);
	for (int round = -1; round < ROUNDS; round++) {
		double start = ebb_bench_now();

		hits = 0;
		for (size_t n = 0; n < BLOCKS; n++) {
			if (ebb_rules_decide(r, w, &blocks[n], "fast", NOW, rule, unknown, NULL) <
			    0)
				die("cannot decide");
			for (uint32_t i = 0; i < blocks[n].n; i++)
				hits += rule[i] != EBB_RULES_NONE;
		}
		if (round >= 0)
			took[round] = ebb_bench_now() - start;
	}
	ebb_rules_decide_free(w);
	row(what, ebb_bench_median(took, ROUNDS), hits);
}

static void bench_glob(const char *pattern)
{
	char(*keys)[128] = calloc(4096, sizeof(*keys));
	struct ebb_prng r = {1};
	struct ebb_glob *g;
	double took[ROUNDS];
	size_t hits = 0, lens[4096];

	if (!keys || ebb_glob_compile(&arena, pattern, &g, NULL) < 0)
		die(pattern);
	for (size_t i = 0; i < 4096; i++) {
		struct ebb_record rec;
		make_record(&r, i * 97, &rec, keys[i]);
		lens[i] = rec.key_len;
	}
	for (int round = -1; round < ROUNDS; round++) {
		double start = ebb_bench_now();

		hits = 0;
		for (size_t i = 0; i < records; i++)
			hits += ebb_glob_match(g, keys[i & 4095], lens[i & 4095]);
		if (round >= 0)
			took[round] = ebb_bench_now() - start;
	}
	free(keys);
	row(pattern, ebb_bench_median(took, ROUNDS), hits);
}

int main(void)
{
	make_blocks();
	printf("%zu records, %zu bytes a key\n", records, key_bytes / records);
	bench_condition("idle > 90d and size > 1MiB");
	bench_condition("idle > 500d and size > 1MiB");
	bench_condition("age > 14d or uid in [1, 2, 3]");
	bench_rules("one rule, columns alone",
		    "[{name: a, when: \"idle > 90d and size > 1MiB\", do: delete}]");
	bench_rules("keep by prefix elsewhere, then columns",
		    "[{name: k, match: \"models/prod/**\", do: keep},"
		    "{name: a, when: \"idle > 90d and size > 1MiB\", do: delete}]");
	bench_rules(
		"five rules, globs and columns",
		"[{name: k, match: \"models/prod/**\", do: keep},{name: s, match: "
		"\"**/*.safetensors\", do: keep},"
		"{name: a, match: \"runs/**\", when: \"idle > 90d and size > 1MiB\", do: delete},"
		"{name: b, match: \"**.log\", when: \"age > 14d\", do: compress},"
		"{name: c, when: \"idle > 30d\", do: tier, to: cold}]");
	bench_rules("a condition over names",
		    "[{name: a, when: \"idle > 90d and name matches \\\"*.pt\\\"\", do: delete}]");
	bench_glob("runs/**");
	bench_glob("**.log");
	bench_glob("runs/*/run-*/checkpoint-*/0-*");
	bench_glob("runs/{project}/{run}/checkpoint-{step}/**");
	ebb_arena_release(&arena);
	return 0;
}
