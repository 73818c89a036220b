/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Access evidence from logs: however a log is cut into overlapping pieces, and however often those come, the index ends with the same
 * records, which are those of a plain count. And losing log lines never makes an object colder with full confidence: no proven idle time
 * grows, and no rule that wants certainty fires that did not fire before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/access_in.h"
#include "core/cursor.h"
#include "core/merge.h"
#include "policies/rules.h"
#include "tests/support/flow.h"
#include "tests/support/scratch.h"
#include "tests/support/seed.h"

#define HOUR (INT64_C(3600) * 1000000000)
#define DAY (24 * HOUR)
#define NOW (20000 * DAY + 5 * HOUR)
#define KEYS 12
#define LINES 400

struct line {
	int64_t time, bytes;
	uint64_t id;
	int key;	/* -1: a line of something else */
};

static struct ebb_err err;

#define MUST(call) EBB_SEED_CHECK((call) >= 0, "%s: %s", #call, err.msg)

static const char *scratch;

static struct ebb_index *open_index(void)
{
	static int number;
	struct ebb_index *ix;
	char dir[512];

	snprintf(dir, sizeof(dir), "%s/%d", scratch, number++);
	EBB_SEED_CHECK(mkdir(dir, 0700) == 0, "%s", dir);
	MUST(ebb_index_open(dir, &(struct ebb_index_opts){.map_size = 1 << 20}, &ix, &err));
	return ix;
}

/* Lines of the last 60 days in order of time, at least one every 20 hours. */
static size_t random_log(struct ebb_prng *r, struct line *line)
{
	int64_t at = NOW - 60 * DAY;
	size_t n = 0;

	while (n < LINES && at < NOW - HOUR) {
		line[n] = (struct line){at, (int64_t)ebb_prng_below(r, 1000), ebb_prng_next(r),
					(int)ebb_prng_below(r, KEYS + 2) - 2};
		n++;
		at += (int64_t)ebb_prng_below(r, 20) * HOUR / (ebb_prng_below(r, 3) ? 4 : 1);
	}
	return n;
}

static const char *key_name(int k, char text[16])
{
	snprintf(text, 16, "dir/%02d", k);
	return text;
}

static void ingest(struct ebb_index *ix, const struct line *line, size_t n, bool apply)
{
	struct ebb_access_stats stats;
	struct ebb_access_in *in;
	char key[16];

	MUST(ebb_access_in_begin(ix, "lake", scratch, 0, &in, &err));
	for (size_t i = 0; i < n; i++) {
		struct ebb_access_read read = {.key = key_name(line[i].key, key), .key_len = 6, .time = line[i].time,
					       .bytes = line[i].bytes, .id = line[i].id};
		if (line[i].key >= 0)
			MUST(ebb_access_in_read(in, &read, &err));
		else
			MUST(ebb_access_in_hour(in, line[i].time, &err));
	}
	MUST(ebb_access_in_end(in, &stats, &err));
	ebb_access_in_free(in);
	if (apply)
		MUST(ebb_access_in_apply(ix, "lake", &err));
}

/* Objects written 30 to 90 days ago, that nothing is known of. */
static void scan(struct ebb_index *ix)
{
	struct ebb_merge_stats stats;
	struct ebb_merge *m;
	char key[16];

	MUST(ebb_merge_begin(ix, &(struct ebb_merge_opts){.store = "lake", .now = NOW}, &m, &err));
	for (int k = 0; k < KEYS; k++) {
		struct ebb_record r = {.key = key_name(k, key), .key_len = 6};

		ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
		ebb_record_set(&r, EBB_F_SIZE, 1 << 20);
		ebb_record_set(&r, EBB_F_MTIME, NOW - (30 + 5 * k) * DAY);
		MUST(ebb_merge_put(m, &r, &err));
	}
	MUST(ebb_merge_finish(m, &stats, &err));
	MUST(ebb_merge_publish(m, &(struct ebb_merge_facts){.finished = NOW}, &err));
}

/* The store's records; keys are by position. Returns their block's truth of rules too. */
static void look(struct ebb_index *ix, const struct ebb_rules *rules, struct ebb_record rec[KEYS], uint16_t fired[KEYS])
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *s = NULL;
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_block_iter *it = malloc(sizeof(*it));
	struct ebb_rules_decide_work *w = ebb_rules_decide_new(rules);
	static uint16_t rule[EBB_BLOCK_MAX], unknown[EBB_BLOCK_MAX];
	struct ebb_index_store st;
	struct ebb_block b;

	MUST(ebb_snap_open(ix, &s, &err));
	MUST(ebb_snap_store(s, "lake", &st, &err));
	MUST(ebb_cursor_open(s, &st, NULL, &c, &err));
	EBB_SEED_CHECK(ebb_cursor_next(c, &b, &err) == 1 && b.n == KEYS, "%s", err.msg);
	MUST(ebb_rules_decide(rules, w, &b, "lake", NOW, rule, unknown, &err));
	ebb_block_iter_init(it, &b);
	for (int k = 0; k < KEYS; k++) {
		EBB_SEED_CHECK(ebb_block_iter_next(it, &rec[k], &err) == 1, "%s", err.msg);
		rec[k].key = NULL;
		fired[k] = rule[k];
	}
	free(it);
	ebb_rules_decide_free(w);
}

/* A plain count of all lines against what the index says. */
static void check_count(const struct line *line, size_t n, const struct ebb_record rec[KEYS])
{
	for (int k = 0; k < KEYS; k++) {
		int64_t reads = 0, bytes = 0, last = INT64_MIN;
		uint64_t days = 0;

		for (size_t i = 0; i < n; i++)
			if (line[i].key == k) {
				reads++;
				bytes += line[i].bytes;
				last = line[i].time;
			}
		for (size_t i = 0; i < n; i++)
			if (line[i].key == k)
				days |= UINT64_C(1) << (last / DAY - line[i].time / DAY);
		EBB_SEED_CHECK(rec[k].f[EBB_F_READS] == reads && rec[k].f[EBB_F_RBYTES] == bytes &&
				       (uint64_t)rec[k].f[EBB_F_DAYS] == days,
			       "key %d: %lld reads of %lld bytes on %llx, not %lld of %lld on %llx", k,
			       (long long)rec[k].f[EBB_F_READS], (long long)rec[k].f[EBB_F_RBYTES],
			       (unsigned long long)rec[k].f[EBB_F_DAYS], (long long)reads, (long long)bytes,
			       (unsigned long long)days);
		EBB_SEED_CHECK(ebb_record_has(&rec[k], EBB_F_ATIME) == (reads > 0) && (!reads || rec[k].f[EBB_F_ATIME] == last),
			       "key %d: last read", k);
		EBB_SEED_CHECK(rec[k].f[EBB_F_EVIDENCE] == EBB_EVIDENCE_LOG &&
				       rec[k].f[EBB_F_WINDOW] == line[0].time / HOUR * HOUR &&
				       rec[k].f[EBB_F_UNTIL] == line[n - 1].time / HOUR * HOUR + HOUR,
			       "key %d: window", k);
	}
}

static void check_same(const struct ebb_record *a, const struct ebb_record *b)
{
	EBB_SEED_CHECK(a->known == b->known && memcmp(a->f, b->f, sizeof(a->f)) == 0, "records differ");
}

/* The log in pieces that overlap, each once or twice, each connected to what came before; the scan comes somewhere between. */
static void in_pieces(struct ebb_prng *r, struct ebb_index *ix, const struct line *line, size_t n)
{
	size_t begin = 0, end = 0, scan_at = ebb_prng_below(r, n + 1);
	bool scanned = false;

	while (end < n) {
		size_t len = 1 + ebb_prng_below(r, n / 2);

		begin = end - ebb_prng_below(r, end + 1) / 2;
		end = begin + len < n ? begin + len : n;
		if (!scanned && end >= scan_at) {
			scan(ix);
			scanned = true;
		}
		for (uint64_t times = 1 + ebb_prng_below(r, 2); times > 0; times--)
			ingest(ix, line + begin, end - begin, scanned);
	}
	ingest(ix, line, n, true);
}

static void drop_lines(struct ebb_prng *r, const struct line *line, size_t n, struct line *less, size_t *ret_n)
{
	uint64_t keep = ebb_prng_below(r, 10);

	*ret_n = 0;
	for (size_t i = 0; i < n; i++)
		if (ebb_prng_below(r, 10) <= keep)
			less[(*ret_n)++] = line[i];
}

static void check_dropped(const struct ebb_rules *rules, const struct ebb_record full[KEYS],
			  const struct ebb_record less[KEYS], const uint16_t fired[KEYS], const uint16_t fired_less[KEYS])
{
	for (int k = 0; k < KEYS; k++) {
		struct ebb_span a = ebb_record_idle(&full[k], NOW, EBB_TRUST_CERTAIN);
		struct ebb_span b = ebb_record_idle(&less[k], NOW, EBB_TRUST_CERTAIN);

		EBB_SEED_CHECK(b.lo <= a.lo, "key %d: proven idle for longer with lines lost", k);
		EBB_SEED_CHECK(b.hi >= a.hi, "key %d: surely read later with lines lost", k);
		if (fired_less[k] == EBB_RULES_NONE || !ebb_rules_get(rules, fired_less[k])->action->destructive)
			continue;
		EBB_SEED_CHECK(fired[k] == fired_less[k], "key %d: '%s' fires because lines were lost", k,
			       ebb_rules_get(rules, fired_less[k])->name);
	}
}

static void round_of(struct ebb_prng *r, const struct ebb_rules *rules)
{
	struct line line[LINES], less[LINES];
	struct ebb_record whole[KEYS] = {{0}}, pieces[KEYS] = {{0}}, lossy[KEYS] = {{0}};
	uint16_t fired[KEYS], fired_pieces[KEYS], fired_lossy[KEYS];
	size_t n = random_log(r, line), n_less;
	struct ebb_index *ix = open_index();

	ingest(ix, line, n, false);
	scan(ix);
	look(ix, rules, whole, fired);
	check_count(line, n, whole);
	ingest(ix, line, n, true);	/* the same log again */
	look(ix, rules, pieces, fired_pieces);
	for (int k = 0; k < KEYS; k++)
		check_same(&whole[k], &pieces[k]);
	ebb_index_close(ix);

	ix = open_index();
	in_pieces(r, ix, line, n);
	look(ix, rules, pieces, fired_pieces);
	for (int k = 0; k < KEYS; k++)
		check_same(&whole[k], &pieces[k]);
	ebb_index_close(ix);

	ix = open_index();
	drop_lines(r, line, n, less, &n_less);
	if (n_less)
		ingest(ix, less, n_less, false);
	scan(ix);
	look(ix, rules, lossy, fired_lossy);
	check_dropped(rules, whole, lossy, fired, fired_lossy);
	ebb_index_close(ix);
}

int main(void)
{
	static const char text[] =
		"{rules: [{name: hot, when: \"idle < 3d\", do: keep},"
		" {name: busy, when: \"idle > 20d and idle < 25d\", do: compress},"
		" {name: cold, when: \"idle > 40d\", do: delete},"
		" {name: old, when: \"age > 60d\", do: delete},"
		" {name: cool, when: \"idle > 5d\", do: compress}]}";
	static const struct ebb_rules_store stores[] = {{.name = "lake"}};
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena = {0};
	struct ebb_prng r = ebb_seed_start();
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "p.yaml", text, &err);
	struct ebb_rules *rules;

	scratch = ebb_scratch_new();
	EBB_SEED_CHECK(doc, "%s", err.msg);
	MUST(ebb_rules_compile(&arena, ebb_tree_get(doc, "rules"), NULL, stores, 1, &rules, &err));
	for (int i = 0; i < 6; i++)
		round_of(&r, rules);
	return 0;
}
