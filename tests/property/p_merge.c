/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The index against a model: random sets of records are scanned in, changed, interrupted at random points, resumed, refused and
 * published; after each step the index must hold exactly what a sorted array holds, and share what did not change.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cursor.h"
#include "core/merge.h"

#define MOST 6000

struct item {
	char key[600];
	size_t len;
	int64_t size, ino, nlink;
	bool dir;
	uint8_t digest; /* 0: unknown */
};

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

static int by_key(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	return ebb_record_key_cmp(x->key, x->len, y->key, y->len);
}

/* A key: few distinct parts, some very long, some not UTF-8, so that prefixes collide. */
static void random_item(struct item *it)
{
	int parts = 1 + (int)(rnd() % 4);

	it->len = 0;
	for (int p = 0; p < parts; p++) {
		size_t n = rnd() % 50 == 0 ? 120 : 1 + rnd() % 6;
		if (p)
			it->key[it->len++] = '/';
		for (size_t i = 0; i < n; i++)
			it->key[it->len++] = "ab\xff\n-.z0"[rnd() % 8];
	}
	it->key[it->len] = '\0';
	it->dir = rnd() % 10 == 0;
	if (it->dir) {
		it->key[it->len++] = '/';
		it->key[it->len] = '\0';
	}
	it->size = (int64_t)(rnd() % 100000);
	it->ino = (int64_t)(rnd() % 5000);
	it->nlink = rnd() % 8 == 0 ? 2 : 1;
	it->digest = rnd() % 3 == 0 ? (uint8_t)(1 + rnd() % 255) : 0;
}

static size_t unique(struct item *v, size_t n)
{
	size_t out = 0;

	qsort(v, n, sizeof(*v), by_key);
	for (size_t i = 0; i < n; i++)
		if (out == 0 || by_key(&v[out - 1], &v[i]) != 0)
			v[out++] = v[i];
	return out;
}

/* Drop some, change some, add some. */
static size_t mutate(struct item *v, size_t n)
{
	size_t out = 0, add;
	unsigned drop = (unsigned)(rnd() % 3 == 0 ? rnd() % 400 : rnd() % 3);

	for (size_t i = 0; i < n; i++) {
		if (rnd() % 1000 < drop)
			continue;
		v[out] = v[i];
		if (rnd() % 1000 < 2) {
			v[out].size++;
			v[out].digest = 0;
		}
		out++;
	}
	add = rnd() % 3 == 0 ? rnd() % 1500 : rnd() % 4;
	while (add-- && out < MOST)
		random_item(&v[out++]);
	return unique(v, out);
}

static struct ebb_record record_of(const struct item *it, bool with_digest)
{
	struct ebb_record r = {.key = it->key, .key_len = (uint32_t)it->len};

	ebb_record_set(&r, EBB_F_KIND, it->dir ? EBB_KIND_DIR : EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, it->size);
	ebb_record_set(&r, EBB_F_MTIME, it->size * 1000000007);
	ebb_record_set(&r, EBB_F_INO, it->ino);
	ebb_record_set(&r, EBB_F_DEV, 1);
	ebb_record_set(&r, EBB_F_NLINK, it->nlink);
	ebb_record_set(&r, EBB_F_FLAGS, 0);
	if (with_digest && it->digest) {
		memset(r.digest, it->digest, sizeof(r.digest));
		r.known |= EBB_KNOWN_DIGEST;
	}
	return r;
}

/* Scan the model into the index, with interruptions. @digests: the scan brings them; else they must be carried over. */
static struct ebb_merge_stats scan(struct ebb_index *ix, const struct item *v, size_t n, bool digests)
{
	struct ebb_merge_opts opts = {.store = "s", .now = 5, .batch = 1 + rnd() % 60000};
	struct ebb_merge_stats stats;
	struct ebb_err err = {0};
	struct ebb_merge *m;
	size_t i = 0;

	if (ebb_merge_begin(ix, &opts, &m, &err) < 0)
		die("begin", &err);
	while (i < n) {
		struct ebb_record r = record_of(&v[i], digests);
		if (ebb_merge_put(m, &r, &err) < 0)
			die("put", &err);
		i++;
		if (rnd() % 2000 == 0) {
			ebb_merge_abandon(m, false);
			if (ebb_merge_begin(ix, &opts, &m, &err) < 0)
				die("begin again", &err);
			const char *last = ebb_merge_resume_key(m, NULL);
			for (i = 0; i < n && ebb_record_key_cmp(v[i].key, v[i].len, last, strlen(last)) <= 0;)
				i++;
		}
	}
	if (ebb_merge_finish(m, &stats, &err) < 0)
		die("finish", &err);
	if (rnd() % 10 == 0) { /* refused: all again */
		ebb_merge_abandon(m, true);
		return scan(ix, v, n, digests);
	}
	struct ebb_merge_facts facts = {.finished = 6, .root_fsid = "f"};
	if (ebb_merge_publish(m, &facts, &err) < 0)
		die("publish", &err);
	return stats;
}

static void compare(struct ebb_index *ix, const struct item *v, size_t n)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_block_iter *it = malloc(sizeof(*it));
	uint8_t *met = calloc(5000, 1);
	struct ebb_index_store st;
	struct ebb_err err = {0};
	struct ebb_block b;
	struct ebb_record r;
	size_t i = 0;

	if (ebb_snap_open(ix, &snap, &err) < 0 || ebb_snap_store(snap, "s", &st, &err) < 0 ||
	    ebb_cursor_open(snap, &st, NULL, &c, &err) < 0)
		die("open", &err);
	while (ebb_cursor_next(c, &b, &err) == 1) {
		ebb_block_iter_init(it, &b);
		while (ebb_block_iter_next(it, &r, &err) == 1) {
			if (i == n)
				die("more records than the model", NULL);
			struct ebb_record want = record_of(&v[i], true);
			bool twin = r.f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN;
			if (v[i].nlink == 2 && !v[i].dir) { /* names of one inode come in pairs */
				if (twin != (bool)met[v[i].ino])
					die("twin flag", NULL);
				met[v[i].ino] ^= 1;
			} else if (twin) {
				die("twin flag on a single name", NULL);
			}
			want.f[EBB_F_FLAGS] = r.f[EBB_F_FLAGS];
			if (by_key(&v[i], &(struct item){.len = 0}) == 0 || want.key_len != r.key_len ||
			    memcmp(want.key, r.key, r.key_len) || want.known != r.known ||
			    memcmp(want.f, r.f, sizeof(r.f)) || memcmp(want.digest, r.digest, 16))
				die("record differs", NULL);
			i++;
		}
	}
	if (err.code || i != n || st.objects != n)
		die("records missing", &err);
	for (int k = 0; k < 20 && n; k++) {
		const struct item *x = &v[rnd() % n];
		if (ebb_snap_get(snap, &st, x->key, &r, &err) < 0 || r.f[EBB_F_SIZE] != x->size)
			die("get", &err);
	}
	free(met);
}

int main(void)
{
	const char *seed = getenv("EBB_SEED"), *tmp = getenv("TMPDIR");
	char dir[4096];
	struct item *v = calloc(MOST + 2, sizeof(*v));
	struct ebb_index *ix;
	struct ebb_err err = {0};
	struct ebb_index_opts opts = {.map_size = 1 << 20}; /* must grow */
	size_t n = 0;

	state = seed ? strtoull(seed, NULL, 0) : 20261123;
	printf("seed %llu\n", (unsigned long long)state);
	snprintf(dir, sizeof(dir), "%s/p_merge.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || ebb_index_open(dir, &opts, &ix, &err) < 0)
		die("open", &err);
	for (int round = 0; round < 60; round++) {
		n = mutate(v, n);
		scan(ix, v, n, true);
		compare(ix, v, n);
		/* The same again without digests: nothing changed, everything is shared, digests are carried over. */
		struct ebb_merge_stats s = scan(ix, v, n, false);
		if (s.same != n || s.added || s.changed || s.gone || s.blocks_shared != s.blocks)
			printf("of %zu: same %zu added %zu changed %zu gone %zu blocks %zu shared %zu\n", n,
			       (size_t)s.same, (size_t)s.added, (size_t)s.changed, (size_t)s.gone,
			       (size_t)s.blocks, (size_t)s.blocks_shared),
			die("unchanged scan is not all shared", NULL);
		compare(ix, v, n);
		if (round % 10 == 9) { /* everything lives in the file, not in memory */
			ebb_index_close(ix);
			if (ebb_index_open(dir, &opts, &ix, &err) < 0)
				die("open again", &err);
		}
	}
	ebb_index_close(ix);
	free(v);
	char cmd[4200];
	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	return system(cmd) != 0;
}
