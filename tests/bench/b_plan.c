/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ebb plan` as a whole, on an index of EBB_BENCH_RECORDS (10 million) synthetic objects of a bucket: ten rules with `class: auto` among
 * them, every row written; and objects of 20 KiB each that a rule would have in an archive class. CPU seconds, memory, rows, and for the
 * latter what the plan says. Needs EBB (the program) and EBB_SRC (for the price books).
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
#define NOW_TEXT "2026-11-23T00:00:00Z"

#define HEAD                                                                                       \
	"version: 1\nstores:\n  lake: {type: s3, bucket: lake, region: us-east-1, class: STANDARD}\nprices: [aws]\nrules:\n"

static const char mixed[] = HEAD
	"  - {name: prod, match: \"models/prod/**\", do: keep}\n"
	"  - {name: hot, when: \"idle < 7d\", do: keep}\n"
	"  - {name: tmp, match: \"tmp/**\", when: \"age > 30d\", do: delete}\n"
	"  - {name: logs, match: \"**.log\", when: \"age > 14d\", do: compress}\n"
	"  - {name: large, match: \"raw/**\", when: \"size > 1GiB\", do: tier, class: GLACIER_IR}\n"
	"  - {name: old, match: \"archive/**\", when: \"age > 1y\", do: tier, class: DEEP_ARCHIVE}\n"
	"  - {name: names, when: \"age > 2y and name matches \\\"*.pt\\\"\", do: keep}\n"
	"  - {name: bak, match: \"**/*.bak\", do: delete}\n"
	"  - {name: paying, match: \"data/**\", do: tier, class: auto, require: {payback: 90d}}\n"
	"  - {name: rest, do: tier, class: auto}\n";
static const char small[] = HEAD "  - {name: old, when: \"age > 180d\", do: tier, class: DEEP_ARCHIVE}\n";

static char dir[256];

static void die(const char *what)
{
	fprintf(stderr, "b_plan: %s\n", what);
	exit(1);
}

/* @size 0: of any size. */
static void make_record(struct ebb_prng *r, size_t i, int64_t size, struct ebb_record *rec, char *key)
{
	static const char *const names[] = {"model.safetensors", "optimizer.pt", "events.log", "config.json"};
	int64_t any = (int64_t)(ebb_prng_next(r) >> (24 + ebb_prng_below(r, 24)));

	*rec = (struct ebb_record){.key = key};
	rec->key_len = (uint32_t)sprintf(key, "runs/vision/run-%05zu/checkpoint-%06zu/%zu-%s", i / 400,
					 i % 400 / 4, i % 4, names[i % 4]);
	ebb_record_set(rec, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(rec, EBB_F_SIZE, size ? size : any);
	ebb_record_set(rec, EBB_F_MTIME, NOW - (size ? 200 * DAY : 0) - (int64_t)ebb_prng_below(r, 900 * (uint64_t)DAY));
	ebb_record_set(rec, EBB_F_ATIME, NOW - (int64_t)ebb_prng_below(r, 400 * (uint64_t)DAY));
	ebb_record_set(rec, EBB_F_EVIDENCE, EBB_EVIDENCE_ATIME);
	ebb_record_set(rec, EBB_F_FLAGS, 0);
}

static void fill(const char *path, size_t n, int64_t size)
{
	struct ebb_index_opts open = {0};
	struct ebb_merge_opts opts = {.store = "lake", .now = NOW};
	struct ebb_merge_facts facts = {.finished = NOW};
	struct ebb_merge_stats stats;
	struct ebb_index *ix = NULL;
	struct ebb_merge *m = NULL;
	struct ebb_prng r = {1};
	struct ebb_err err = {0};
	char key[128];

	if (mkdir(path, 0700))
		die("cannot make a folder");
	if (ebb_index_open(path, &open, &ix, &err) < 0 || ebb_merge_begin(ix, &opts, &m, &err) < 0)
		die(err.msg);
	for (size_t i = 0; i < n; i++) {
		struct ebb_record rec;

		make_record(&r, i, size, &rec, key);
		if (ebb_merge_put(m, &rec, &err) < 0)
			die(err.msg);
	}
	if (ebb_merge_finish(m, &stats, &err) < 0 || ebb_merge_publish(m, &facts, &err) < 0)
		die(err.msg);
	ebb_index_close(ix);
}

/* The line of the plan's summary that speaks of packs. */
static void offer(const char *ebb, const char *plan)
{
	char cmd[900], line[1024];

	snprintf(cmd, sizeof(cmd), "'%s' show '%s'", ebb, plan);
	FILE *f = popen(cmd, "r");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "one by one") || strstr(line, "more than it saves"))
			fputs(line, stdout);
	if (f)
		pclose(f);
}

static void plan(const char *ebb, const char *what, size_t n, int64_t size, const char *config)
{
	char index[300], yaml[300], out[300];

	snprintf(index, sizeof(index), "%s/%s", dir, what);
	snprintf(yaml, sizeof(yaml), "%s/%s.yaml", dir, what);
	snprintf(out, sizeof(out), "%s/%s.jsonl", dir, what);
	FILE *f = fopen(yaml, "w");
	if (!f || fputs(config, f) < 0 || fclose(f))
		die("cannot write the configuration");
	fill(index, n, size);

	const char *const argv[] = {ebb, "--quiet", "--config", yaml, "--index", index, "plan", "--output", out, NULL};
	struct ebb_bench_run run = ebb_bench_run(argv);
	if (run.status != 0)
		die("ebb plan failed");
	printf("%-8s %9zu records: %6.1f s CPU, %6.1f s by the clock, %6.1f MiB\n", what, n, run.cpu, run.wall, run.anon_mib);
	if (size)
		offer(ebb, out);
	unlink(out);
}

int main(void)
{
	const char *env = getenv("EBB_BENCH_RECORDS"), *tmp = getenv("TMPDIR"), *ebb = getenv("EBB");
	size_t n = env ? (size_t)atol(env) : 10000000;
	char cmd[300];

	snprintf(dir, sizeof(dir), "%s/b_plan.XXXXXX", tmp ? tmp : "/tmp");
	if (!ebb || !mkdtemp(dir) || setenv("EBB_NOW", NOW_TEXT, 1))
		die("set EBB to the program");
	plan(ebb, "mixed", n, 0, mixed);
	plan(ebb, "small", n, 20480, small);
	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	return system(cmd) != 0;
}
