/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The index with many synthetic records (EBB_BENCH_RECORDS, 10 million): bytes a record, building, and one predicate
 * over all of them, against the memory bandwidth of one core.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cursor.h"
#include "core/merge.h"
#include "policies/expr_block.h"
#include "tests/support/bench.h"

static uint64_t state = 88172645463325252u;
static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void die(const struct ebb_err *err)
{
	fprintf(stderr, "b_index: %s\n", err->msg);
	exit(1);
}

/* Keys as data platforms have them: about 60 bytes, 1,000 files a directory, three parts that differ. */
static void make_record(struct ebb_record *r, char *key, size_t size, long i)
{
	static const char *const ext[] = {".parquet", ".json", ".safetensors", ".log"};
	const int64_t now = INT64_C(1763900000) * 1000000000, year = INT64_C(31536000) * 1000000000;
	int64_t age = (int64_t)(rnd() % (uint64_t)(3 * year));

	r->key_len = (uint32_t)snprintf(key, size, "datasets/team-%02ld/run-%05ld/part-%06ld-%08llx%s",
					i / 1000000, i / 1000, i, (unsigned long long)rnd() & 0xffffffff,
					ext[rnd() % 4]);
	ebb_record_set(r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(r, EBB_F_SIZE, (int64_t)(rnd() >> (24 + rnd() % 36)));
	ebb_record_set(r, EBB_F_ALLOC, (r->f[EBB_F_SIZE] + 4095) & ~INT64_C(4095));
	ebb_record_set(r, EBB_F_MTIME, now - age);
	ebb_record_set(r, EBB_F_CTIME, now - age);
	ebb_record_set(r, EBB_F_ATIME, now - (int64_t)(rnd() % (uint64_t)(age + 1)));
	ebb_record_set(r, EBB_F_MODE, 0100644);
	ebb_record_set(r, EBB_F_UID, 1000 + (int64_t)(rnd() % 20));
	ebb_record_set(r, EBB_F_GID, 100);
	ebb_record_set(r, EBB_F_NLINK, 1);
	ebb_record_set(r, EBB_F_INO, 1000000 + (i ^ 0x55));
	ebb_record_set(r, EBB_F_DEV, 2049);
	ebb_record_set(r, EBB_F_FLAGS, 0);
	ebb_record_set(r, EBB_F_EVIDENCE, EBB_EVIDENCE_RELATIME);
}

/* Seconds to make the records alone, to be taken off the build. */
static double time_making(long n)
{
	struct ebb_record r = {0};
	char key[256];
	double t = ebb_bench_now();

	for (long i = 0; i < n; i++)
		make_record(&r, key, sizeof(key), i);
	return ebb_bench_now() - t;
}

static double build(struct ebb_index *ix, long n)
{
	struct ebb_merge_opts opts = {.store = "s", .now = 1};
	struct ebb_merge_facts facts = {.finished = 2};
	struct ebb_merge_stats stats;
	struct ebb_merge *m;
	struct ebb_err err = {0};
	char key[256];
	struct ebb_record r = {.key = key};
	double t = ebb_bench_now();

	if (ebb_merge_begin(ix, &opts, &m, &err) < 0)
		die(&err);
	for (long i = 0; i < n; i++) {
		make_record(&r, key, sizeof(key), i);
		if (ebb_merge_put(m, &r, &err) < 0)
			die(&err);
	}
	if (ebb_merge_finish(m, &stats, &err) < 0 || ebb_merge_publish(m, &facts, &err) < 0)
		die(&err);
	return ebb_bench_now() - t;
}

static double predicate(struct ebb_index *ix, const char *text, size_t *ret_hits)
{
	static uint8_t truth[EBB_BLOCK_MAX];
	struct ebb_expr_place place = {"bench", 1, 1};
	struct ebb_expr_env env = {.now = INT64_C(1763900000) * 1000000000};
	struct ebb_expr_block *work = ebb_expr_block_new();
	struct ebb_arena arena;
	struct ebb_err err = {0};
	struct ebb_index_store st;
	struct ebb_cursor *c = NULL;
	struct ebb_snap *snap = NULL;
	struct ebb_expr *e;
	struct ebb_block b;
	size_t hits = 0;

	ebb_arena_init(&arena, 0);
	if (ebb_expr_compile(&arena, text, &place, NULL, 0, &e, &err) < 0 ||
	    ebb_snap_open(ix, &snap, &err) < 0 || ebb_snap_store(snap, "s", &st, &err) < 0 ||
	    ebb_cursor_open(snap, &st, NULL, &c, &err) < 0)
		die(&err);
	double t = ebb_bench_now();
	while (ebb_cursor_next(c, &b, &err) == 1) {
		ebb_expr_block_use(work, &b, env.now);
		ebb_expr_block_eval(work, e, &env, truth);
		for (uint32_t i = 0; i < b.n; i++)
			hits += truth[i] == EBB_TRUE;
	}
	t = ebb_bench_now() - t;
	ebb_cursor_close(c);
	ebb_snap_close(snap);
	ebb_expr_block_free(work);
	ebb_arena_release(&arena);
	*ret_hits = hits;
	return t;
}

int main(void)
{
	const char *env = getenv("EBB_BENCH_RECORDS"), *tmp = getenv("TMPDIR");
	static const char *const texts[] = {"idle > 90d and size > 1MiB", "size > 1GiB",
					    "age > 400d or (idle > 30d and size < 4KiB)"};
	long n = env ? atol(env) : 10000000;
	char dir[256], cmd[300];
	struct ebb_index_opts opts = {0};
	struct ebb_index *ix = NULL;
	struct ebb_err err = {0};

	snprintf(dir, sizeof(dir), "%s/b_index.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || ebb_index_open(dir, &opts, &ix, &err) < 0)
		die(&err);
	double making = time_making(n), all = build(ix, n);
	snprintf(cmd, sizeof(cmd), "stat -c %%s '%s/index.mdb'", dir);
	FILE *p = popen(cmd, "r");
	long bytes = 0;
	if (!p || fscanf(p, "%ld", &bytes) != 1)
		return 1;
	pclose(p);
	double memory = ebb_bench_memory();
	printf("%ld records\n", n);
	printf("  %-46s %8.1f B/record\n", "index on disk", (double)bytes / (double)n);
	printf("  %-46s %8.2f M records/s  (%.2f s, less %.2f s to make them)\n", "build, committed and published",
	       (double)n / (all - making) / 1e6, all, making);
	printf("  %-46s %8.2f GB/s\n", "floor: one core reads memory", memory / 1e9);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		double t[5];
		size_t hits = 0;
		for (int k = 0; k < 5; k++)
			t[k] = predicate(ix, texts[i], &hits);
		double m = ebb_bench_median(t, 5);
		printf("  %-46s %8.4f s          (%.0f M records/s, %zu true; floor at 16 B/record %.4f s)\n",
		       texts[i], m, (double)n / m / 1e6, hits, (double)n * 16 / memory);
	}
	ebb_index_close(ix);
	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	return system(cmd) != 0;
}
