/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders against qsort: every file once, ascending and descending, in one run in memory and in many on disk, new after a scan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/merge.h"
#include "core/order.h"

static uint64_t state;
static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return (state ^= state << 17) * UINT64_C(0x2545F4914F6CDD1D);
}

static void die(const char *what, struct ebb_err *err)
{
	printf("FAILED: %s: %s\n", what, err ? err->msg : "");
	exit(1);
}

struct item {
	int64_t size;
	int key;
};

static int by_size(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return a->key - b->key;
}

static int64_t random_size(void)
{
	switch (rnd() % 4) {
	case 0:
		return (int64_t)(rnd() % 3);
	case 1:
		return -(int64_t)(rnd() % 1000); /* any field can be ordered, times before 1970 too */
	default:
		return (int64_t)(rnd() >> (1 + rnd() % 60));
	}
}

static size_t scan(struct ebb_index *ix, int n, struct item *v)
{
	struct ebb_merge_opts opts = {.store = "s", .now = 1};
	struct ebb_merge_facts facts = {.finished = 2};
	struct ebb_merge_stats stats;
	struct ebb_merge *m;
	struct ebb_err err = {0};
	size_t files = 0;
	char key[32];

	if (ebb_merge_begin(ix, &opts, &m, &err) < 0)
		die("begin", &err);
	for (int i = 0; i < n; i++) {
		bool dir = rnd() % 9 == 0;
		struct ebb_record r = {.key = key};
		r.key_len = (uint32_t)snprintf(key, sizeof(key), "k%07d%s", i, dir ? "/" : "");
		ebb_record_set(&r, EBB_F_KIND, dir ? EBB_KIND_DIR : EBB_KIND_FILE);
		ebb_record_set(&r, EBB_F_SIZE, random_size());
		if (!dir)
			v[files++] = (struct item){r.f[EBB_F_SIZE], i};
		if (ebb_merge_put(m, &r, &err) < 0)
			die("put", &err);
	}
	if (ebb_merge_finish(m, &stats, &err) < 0 || ebb_merge_publish(m, &facts, &err) < 0)
		die("publish", &err);
	return files;
}

static void compare(struct ebb_index *ix, const struct item *v, size_t n, bool descending)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_order_closep) struct ebb_order *o = NULL;
	struct ebb_index_store st;
	struct ebb_record r;
	struct ebb_err err = {0};
	size_t i = 0;

	if (ebb_snap_open(ix, &snap, &err) < 0 || ebb_snap_store(snap, "s", &st, &err) < 0 ||
	    ebb_order_open(snap, &st, EBB_F_SIZE, descending, &o, &err) < 0)
		die("open", &err);
	while (ebb_order_next(o, &r, &err) == 1) {
		const struct item *want = &v[descending ? n - 1 - i : i];
		if (i++ >= n || r.f[EBB_F_SIZE] != want->size || atoi(r.key + 1) != want->key)
			die("order differs", NULL);
	}
	if (err.code || i != n)
		die("postings are missing", &err);
}

int main(void)
{
	const char *seed = getenv("EBB_SEED"), *tmp = getenv("TMPDIR");
	struct item *v = calloc(20000, sizeof(*v));
	struct ebb_index_opts opts = {.map_size = 1 << 20};
	struct ebb_err err = {0};
	struct ebb_index *ix;
	struct ebb_snap *snap;
	struct ebb_index_store st;
	struct ebb_order *o;
	char dir[4096], cmd[4200];

	state = seed ? strtoull(seed, NULL, 0) : 20261124;
	printf("seed %llu\n", (unsigned long long)state);
	snprintf(dir, sizeof(dir), "%s/p_order.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || ebb_index_open(dir, &opts, &ix, &err) < 0)
		die("open", &err);
	for (int round = 0; round < 8; round++) {
		int n = round == 0 ? 0 : (int)(rnd() % 12000);
		size_t files = scan(ix, n, v);
		if (ebb_snap_open(ix, &snap, &err) < 0 || ebb_snap_store(snap, "s", &st, &err) < 0)
			die("snap", &err);
		if (ebb_order_open(snap, &st, EBB_F_SIZE, false, &o, &err) != -EBB_ENOENT)
			die("an order of an older scan was given", NULL);
		err = (struct ebb_err){0};
		ebb_snap_close(snap);
		qsort(v, files, sizeof(*v), by_size);
		for (int again = 0; again < 2; again++) /* the second time it is there */
			if (ebb_order_build(ix, "s", EBB_F_SIZE, dir, round % 2 ? 0 : 300, &err) < 0)
				die("build", &err);
		compare(ix, v, files, false);
		compare(ix, v, files, true);
	}
	if (ebb_order_build(ix, "nobody", EBB_F_SIZE, dir, 0, &err) != -EBB_ENOENT)
		die("an unknown store has an order", NULL);
	ebb_index_close(ix);
	free(v);
	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	return system(cmd) != 0;
}
