/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ebb transfer plan` as a whole, from an index of EBB_BENCH_RECORDS (10 million) synthetic objects of three buckets: seven in ten are at home
 * and asked for at both others; of those, one has a part of them under the same keys, the other one under other keys. CPU seconds and
 * memory of the process. Needs EBB (the program).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/merge.h"
#include "tests/support/bench.h"
#include "tests/support/prng.h"

#define DAY (INT64_C(86400) * 1000000000)
#define NOW (INT64_C(1795392000) * 1000000000)

static const char config[] =
	"version: 1\nstores:\n"
	"  home: {type: s3, bucket: the-home, provider: aws, region: us-east-1, class: STANDARD}\n"
	"  eu: {type: s3, bucket: the-eu, provider: aws, region: eu-west-1, class: STANDARD}\n"
	"  ap: {type: s3, bucket: the-ap, provider: aws, region: ap-south-1, class: STANDARD}\n"
	"prices: [aws]\nrules: []\n";

static void die(const char *what)
{
	fprintf(stderr, "b_transfer: %s\n", what);
	exit(1);
}

/* Object @i has the same content in every store. */
static void make_record(size_t i, const char *top, struct ebb_record *rec, char *key)
{
	static const char *const names[] = {"model.safetensors", "optimizer.pt", "events.log", "config.json"};
	static const char *const classes[] = {"STANDARD", "STANDARD", "STANDARD_IA", "GLACIER_IR", "DEEP_ARCHIVE"};
	struct ebb_prng r = {i * 2654435761u + 1};

	*rec = (struct ebb_record){.key = key};
	rec->key_len = (uint32_t)sprintf(key, "%s/run-%06zu/checkpoint-%06zu/%zu-%s", top, i / 400, i % 400 / 4, i % 4, names[i % 4]);
	ebb_record_set(rec, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(rec, EBB_F_SIZE, (int64_t)(ebb_prng_next(&r) >> (24 + ebb_prng_below(&r, 24))));
	ebb_record_set(rec, EBB_F_MTIME, NOW - (int64_t)ebb_prng_below(&r, 900 * (uint64_t)DAY));
	ebb_record_set(rec, EBB_F_ETAG_HI, (int64_t)ebb_prng_next(&r));
	ebb_record_set(rec, EBB_F_ETAG_LO, (int64_t)ebb_prng_next(&r));
	ebb_record_set(rec, EBB_F_PARTS, 0);
	ebb_record_set(rec, EBB_F_CLASS, ebb_record_class_code(classes[i / 5000 % 5]));
	ebb_record_set(rec, EBB_F_FLAGS, 0);
}

/* Every @step-th of @n objects. */
static void fill(struct ebb_index *ix, const char *store, size_t n, size_t step, const char *top)
{
	struct ebb_merge_opts opts = {.store = store, .now = NOW};
	struct ebb_merge_facts facts = {.finished = NOW};
	struct ebb_merge_stats stats;
	struct ebb_merge *m = NULL;
	struct ebb_err err = {0};
	char key[128];

	if (ebb_merge_begin(ix, &opts, &m, &err) < 0)
		die(err.msg);
	for (size_t i = 0; i < n; i += step) {
		struct ebb_record rec;

		make_record(i, top, &rec, key);
		if (ebb_merge_put(m, &rec, &err) < 0)
			die(err.msg);
	}
	if (ebb_merge_finish(m, &stats, &err) < 0 || ebb_merge_publish(m, &facts, &err) < 0)
		die(err.msg);
}

int main(void)
{
	const char *env = getenv("EBB_BENCH_RECORDS"), *tmp = getenv("TMPDIR"), *ebb = getenv("EBB");
	size_t n = (env ? (size_t)atol(env) : 10000000) / 10 * 7;
	struct ebb_index_opts open = {0};
	struct ebb_index *ix = NULL;
	struct ebb_err err = {0};
	char dir[256], index[300], yaml[300], cmd[300];

	snprintf(dir, sizeof(dir), "%s/b_transfer.XXXXXX", tmp ? tmp : "/tmp");
	if (!ebb || !mkdtemp(dir) || setenv("EBB_NOW", "2026-11-23T00:00:00Z", 1))
		die("set EBB to the program");
	snprintf(index, sizeof(index), "%s/index", dir);
	snprintf(yaml, sizeof(yaml), "%s/ebb.yaml", dir);
	FILE *f = fopen(yaml, "w");
	if (!f || fputs(config, f) < 0 || fclose(f) || mkdir(index, 0700) || ebb_index_open(index, &open, &ix, &err) < 0)
		die("cannot make index and configuration");
	fill(ix, "home", n, 1, "runs");
	fill(ix, "eu", n, 4, "runs");
	fill(ix, "ap", n, 6, "other");
	ebb_index_close(ix);

	const char *const argv[] = {ebb, "--quiet", "--config", yaml, "--index", index, "transfer", "plan", "home", "--to", "eu,ap", "--json", NULL};
	struct ebb_bench_run run = ebb_bench_run(argv);
	if (run.status != 0)
		die("ebb transfer plan failed");
	printf("%zu records: %.1f s CPU, %.1f s by the clock, %.1f MiB\n", n + (n + 3) / 4 + (n + 5) / 6, run.cpu, run.wall, run.anon_mib);
	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	return system(cmd) != 0;
}
