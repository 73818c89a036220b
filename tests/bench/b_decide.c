/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planning: ten million records of a bucket through ten rules, `class: auto` among them, at the prices that ship; decided, priced and
 * written as rows of a plan, on one core. Blocks lie in memory and are decided over and over. Prints a table; judges nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/planrow.h"
#include "core/buf.h"
#include "core/mem.h"
#include "policies/decide.h"
#include "tests/support/bench.h"
#include "tests/support/flow.h"
#include "tests/support/prng.h"
#include "tests/support/shipped.h"

#define RECORDS 10000000
#define BLOCKS 500
#define DAY (INT64_C(86400) * 1000000000)
#define NOW EBB_SHIPPED_NOW

static struct ebb_arena arena;
static struct ebb_shipped shipped;
static struct ebb_block blocks[BLOCKS];
static size_t records;
static const struct ebb_rules_store stores[] = {
	{.name = "lake", .class = "STANDARD", .provider = "aws", .region = "us-east-1"},
};

#define RULES                                                                                      \
	"[{name: prod, match: \"models/prod/**\", do: keep},"                                       \
	"{name: hot, when: \"idle < 7d\", do: keep},"                                               \
	"{name: tmp, match: \"tmp/**\", when: \"age > 30d\", do: delete},"                          \
	"{name: logs, match: \"**.log\", when: \"age > 14d\", do: compress},"                       \
	"{name: large, match: \"raw/**\", when: \"size > 1GiB\", do: tier, class: GLACIER_IR},"     \
	"{name: old, match: \"archive/**\", when: \"age > 1y\", do: tier, class: DEEP_ARCHIVE},"    \
	"{name: names, when: \"age > 2y and name matches \\\"*.pt\\\"\", do: keep},"                \
	"{name: bak, match: \"**/*.bak\", do: delete},"                                             \
	"{name: paying, match: \"data/**\", do: tier, class: auto, require: {payback: 90d}},"       \
	"{name: rest, do: tier, class: auto}]"

static void die(const char *what)
{
	fprintf(stderr, "b_decide: %s\n", what);
	exit(1);
}

static void make_record(struct ebb_prng *r, size_t i, struct ebb_record *rec, char *key)
{
	static const char *const names[] = {"model.safetensors", "optimizer.pt", "events.log", "config.json"};

	*rec = (struct ebb_record){.key = key};
	rec->key_len = (uint32_t)sprintf(key, "runs/vision/run-%05zu/checkpoint-%06zu/%zu-%s", i / 400,
					 i % 400 / 4, i % 4, names[i % 4]);
	ebb_record_set(rec, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(rec, EBB_F_SIZE, (int64_t)(ebb_prng_next(r) >> (24 + ebb_prng_below(r, 24))));
	ebb_record_set(rec, EBB_F_MTIME, NOW - (int64_t)ebb_prng_below(r, 900 * (uint64_t)DAY));
	ebb_record_set(rec, EBB_F_ATIME, NOW - (int64_t)ebb_prng_below(r, 400 * (uint64_t)DAY));
	ebb_record_set(rec, EBB_F_EVIDENCE, EBB_EVIDENCE_ATIME);
	ebb_record_set(rec, EBB_F_FLAGS, 0);
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

/* A row of the plan, as `ebb plan` writes it. */
static int write_row(void *ctx, const struct ebb_action *a, struct ebb_err *err)
{
	struct ebb_buf *out = ctx;
	struct ebb_planrow row = {
		.n = 1, .rule = a->rule, .store = a->store, .action = a->id, .obj = *a->obj,
		.to_class = a->to_class, .codec = a->codec, .level = a->level, .trash_ns = a->trash_ns,
		.priced = a->priced, .one_off = a->one_off.nano, .saving = a->saving.nano, .why = a->why,
	};

	ebb_buf_clear(out);
	return ebb_planrow_write(out, &row, err);
}

static int count(void *ctx, const struct ebb_action *a, struct ebb_err *err)
{
	(void)ctx;
	(void)a;
	(void)err;
	return 0;
}

static void plan(const char *what, ebb_decide_fn *fn)
{
	struct ebb_buf out = EBB_BUF_INIT(1 << 20);
	struct ebb_decide *d = NULL;
	struct ebb_rules *rules;
	struct ebb_err err = {0};
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "bench", RULES, &err);
	size_t done = 0;

	if (!doc || ebb_rules_compile(&arena, doc, NULL, stores, 1, &rules, &err) < 0 ||
	    ebb_decide_new(&arena, rules, shipped.books, NOW, &d, &err) < 0)
		die(err.msg);

	double start = ebb_bench_now();
	for (size_t n = 0; done < RECORDS; n = (n + 1) % BLOCKS) {
		if (ebb_decide_block(d, "lake", &blocks[n], fn, &out, &err) < 0)
			die(err.msg);
		done += blocks[n].n;
	}

	double took = ebb_bench_now() - start;
	printf("%-28s %9zu records %9lld actions %6.1f s\n", what, done,
	       (long long)ebb_decide_totals(d)->all.objects, took);
	ebb_decide_free(d);
	ebb_buf_release(&out);
}

int main(void)
{
	ebb_shipped_load(&shipped);
	make_blocks();
	plan("decided and priced", count);
	plan("and written as a plan", write_row);
	ebb_shipped_release(&shipped);
	ebb_arena_release(&arena);
	return 0;
}
