/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quiet times of datasets: the estimate against numbers worked out by hand, and what `class: auto` makes of it. */
#include "policies/habits.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "policies/decide.h"
#include "tests/support/flow.h"
#include "tests/support/unit.h"

#define DAY (INT64_C(86400) * 1000000000)
#define NOW (20000 * DAY)
#define GIB (INT64_C(1) << 30)

static struct ebb_arena arena;
static const struct ebb_rules_store stores[] = {{.name = "lake", .class = "STANDARD", .provider = "aws", .region = "r"}};

#define BOOK                                                                                       \
	"{version: 1, name: t, provider: aws, date: 2024-01-01, currency: USD, source: test, "      \
	"confidence: list, regions: {r: {"                                                          \
	"STANDARD: {storage: 0.023/GiB-month, put: 0.005/1k, get: 0.0004/1k, retrieval: 0}, "      \
	"STANDARD_IA: {storage: 0.0125/GiB-month, put: 0.01/1k, get: 0.001/1k, transition: "       \
	"0.01/1k, retrieval: 0.01/GiB, min_days: 30, min_bytes: 128KiB}}}}"

static const struct ebb_tree_node *tree(const char *text)
{
	struct ebb_err err = {0};
	const struct ebb_tree_node *t = ebb_flow_parse(&arena, "ebb.yaml", text, &err);

	ck_assert_msg(t != NULL, "%s", err.msg);
	return t;
}

static struct ebb_rules *rules_of(const char *text)
{
	struct ebb_rules *rules = NULL;
	struct ebb_err err = {0};

	ck_assert_msg(ebb_rules_compile(&arena, tree(text), tree("[{match: \"a/**\", kind: a}, {match: \"b/**\", kind: b}]"), stores, 1,
					&rules, &err) == 0, "%s", err.msg);
	return rules;
}

/* An object that logs cover for 200 days: read on the day @idle days ago, and @before days before that (0: never). */
static struct ebb_record object(const char *key, int idle, int before)
{
	struct ebb_record r = {.key = key, .key_len = (uint32_t)strlen(key)};

	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, 100 * GIB);
	ebb_record_set(&r, EBB_F_MTIME, NOW - 900 * DAY);
	ebb_record_set(&r, EBB_F_FLAGS, 0);
	ebb_record_set(&r, EBB_F_WINDOW, NOW - 200 * DAY);
	ebb_record_set(&r, EBB_F_UNTIL, NOW);
	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_LOG);
	ebb_record_set(&r, EBB_F_ATIME, NOW - idle * DAY);
	ebb_record_set(&r, EBB_F_READS, before ? 2 : 1);
	ebb_record_set(&r, EBB_F_RBYTES, before ? 200 * GIB : 100 * GIB);
	ebb_record_set(&r, EBB_F_DAYS, (int64_t)(1 | (before && before < 64 ? UINT64_C(1) << before : 0)));
	return r;
}

/* Put @n records into @h as one block. Their keys get a number behind them. */
static void learn(struct ebb_habits *h, const struct ebb_record *recs, size_t n)
{
	static char keys[EBB_BLOCK_MAX][32];
	static struct ebb_block_iter iter;
	struct ebb_block_builder *bb = ebb_block_builder_new();
	struct ebb_buf out = EBB_BUF_INIT(1 << 20);
	struct ebb_err err = {0};
	struct ebb_block b;

	for (size_t i = 0; i < n; i++) {
		struct ebb_record r = recs[i];

		r.key_len = (uint32_t)snprintf(keys[i], sizeof(keys[i]), "%.*s%04zu", (int)r.key_len, recs[i].key, i);
		r.key = keys[i];
		ck_assert_msg(ebb_block_builder_add(bb, &r, &err) == 0, "%s", err.msg);
	}
	ck_assert_int_eq(ebb_block_builder_encode(bb, &out, &err), 0);
	ck_assert_int_eq(ebb_block_open(&b, out.data, out.len, &err), 0);
	ck_assert_msg(ebb_habits_learn(h, "lake", &b, &iter, &err) == 0, "%s", err.msg);
	ebb_block_builder_free(bb);
	ebb_buf_release(&out);
}

static int32_t ahead(const struct ebb_habits *h, const char *key, int32_t idle)
{
	int64_t times = 0;

	return ebb_habits_ahead(h, "lake", key, strlen(key), idle, 365, &times);
}

START_TEST(by_hand)
{
	struct ebb_habits *h = ebb_habits_new(&arena, rules_of("[]"), NOW);
	struct ebb_record recs[80];

	/*
	 * 40 times that ended after 10 days, 40 after 20; 80 that last since 30 days. Of 160 that reach day 10 a quarter end there,
	 * of 120 that reach day 20 a third: half are left. The risk ends at 30, where 80 stood.
	 */
	for (int i = 0; i < 80; i++)
		recs[i] = object("a/", 30, i < 40 ? 10 : 20);
	learn(h, recs, 80);
	/* from 0: 9 whole days, 10 of 3/4, 11 of 1/2, and half for 30 days more */
	ck_assert_int_eq(ahead(h, "a/x", 0), (9 * 4 + 10 * 3 + 11 * 2 + 2 * 30) / 4);
	/* from 10: 9 whole, 11 of 2/3, and 2/3 of 30 */
	ck_assert_int_eq(ahead(h, "a/x", 10), (9 * 3 + 11 * 2 + 2 * 30) / 3);
	/* from 20: ten whole, and 30 more */
	ck_assert_int_eq(ahead(h, "a/x", 20), 40);
	/* nobody was quiet for longer */
	ck_assert_int_eq(ahead(h, "a/x", 30), -1);
	/* others say nothing of b */
	ck_assert_int_eq(ahead(h, "b/x", 10), -1);
	ck_assert_int_eq(ahead(h, "c", 10), -1);
}
END_TEST

START_TEST(too_few_say_nothing)
{
	struct ebb_habits *h = ebb_habits_new(&arena, rules_of("[]"), NOW);
	struct ebb_record recs[20];

	for (int i = 0; i < 20; i++)
		recs[i] = object("a/", 40, 0);
	/* what came before their reads is not known */
	for (int i = 0; i < 20; i++)
		ebb_record_set(&recs[i], EBB_F_WINDOW, NOW - 90 * DAY);
	learn(h, recs, 19);
	ck_assert_int_eq(ahead(h, "a/x", 10), -1);
	learn(h, recs, 1);
	ck_assert_int_eq(ahead(h, "a/x", 10), 30 + 40);
}
END_TEST

/* A time that ended later than is remembered counts as one that lasts; one that began before the logs only when it is so long. */
START_TEST(what_is_not_seen_whole)
{
	struct ebb_habits *h = ebb_habits_new(&arena, rules_of("[]"), NOW);
	struct ebb_record recs[40];

	for (int i = 0; i < 40; i++)
		recs[i] = object("a/", 5, i < 20 ? 90 : 0);
	/* the window began 10 days ago: the first read came after at least 5, which is not counted */
	for (int i = 20; i < 40; i++)
		ebb_record_set(&recs[i], EBB_F_WINDOW, NOW - 10 * DAY);
	learn(h, recs, 40);
	ck_assert_int_eq(ahead(h, "a/x", 5), 58 + 63);
	ck_assert_int_eq(ahead(h, "a/x", 62), 1 + 63);
	ck_assert_int_eq(ahead(h, "a/x", 63), -1);
}
END_TEST

static struct ebb_action decide(const struct ebb_habits *h, const struct ebb_rules *rules, const struct ebb_record *rec,
				enum ebb_decide_refusal expect)
{
	struct ebb_price_books *books = ebb_price_books_new(&arena, NOW);
	enum ebb_decide_refusal refusal = EBB_REFUSE_COUNT;
	struct ebb_decide *d = NULL;
	struct ebb_action a = {0};
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_price_books_add(books, tree(BOOK), &err), 0);
	ck_assert_int_eq(ebb_decide_new(&arena, rules, books, NOW, &d, &err), 0);
	ebb_decide_use_habits(d, h);
	ck_assert_msg(ebb_decide_one(d, 0, "lake", rec, &a, &refusal, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(ebb_decide_refusal_name(refusal), ebb_decide_refusal_name(expect));
	a.why = a.why ? ebb_arena_strdup(&arena, a.why) : NULL;
	ebb_decide_free(d);
	return a;
}

/* What is read every 40 days stays however quiet it is; what nobody comes back to goes after 12 days, not after 60. */
START_TEST(auto_believes_the_dataset)
{
	struct ebb_rules *rules = rules_of("[{name: q, store: lake, do: tier, class: auto, trust: logs}]");
	struct ebb_habits *h = ebb_habits_new(&arena, rules, NOW);
	struct ebb_record recs[100], r;

	ck_assert(ebb_habits_wanted(rules));
	ck_assert(!ebb_habits_wanted(rules_of("[{name: k, store: lake, match: \"a/**\", do: keep}]")));
	for (int i = 0; i < 100; i++)
		recs[i] = object("a/", i % 40, 40);
	learn(h, recs, 100);
	for (int i = 0; i < 100; i++)
		recs[i] = object("b/", 10 + i % 50, 0);
	learn(h, recs, 100);

	r = object("b/x", 12, 0);
	r.known &= ~(EBB_KNOWN(EBB_F_RBYTES));
	decide(NULL, rules, &r, EBB_REFUSE_CHEAPEST);
	struct ebb_action a = decide(h, rules, &r, EBB_REFUSE_NONE);
	ck_assert_str_eq(a.to_class, "STANDARD_IA");
	ck_assert_msg(strstr(a.why, "others of its dataset"), "%s", a.why);

	r = object("a/x", 39, 40);
	r.known &= ~(EBB_KNOWN(EBB_F_RBYTES));
	decide(h, rules, &r, EBB_REFUSE_CHEAPEST);
}
END_TEST

EBB_UNIT_MAIN("habits", by_hand, too_few_say_nothing, what_is_not_seen_whole, auto_believes_the_dataset)
