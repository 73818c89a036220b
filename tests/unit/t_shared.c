/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/shared.h"

#include <check.h>
#include <string.h>

#include "core/mem.h"
#include "tests/support/flow.h"
#include "tests/support/prng.h"
#include "tests/support/unit.h"

#define ROOM 64

static struct ebb_arena arena;
static struct ebb_err err;
static struct ebb_shared_row row[ROOM];

static size_t read(const char *text, struct ebb_shared_rule **ret)
{
	size_t n;
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "ebb.yaml", text, &err);

	ck_assert_msg(doc && ebb_shared_read(&arena, doc, ret, &n, &err) == 0, "%s", err.msg);
	return n;
}

static void refused(const char *text, const char *want)
{
	struct ebb_shared_rule *s;
	size_t n;
	struct ebb_err why = {0};
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "ebb.yaml", text, &why);

	ck_assert_msg(doc != NULL, "%s", why.msg);
	ck_assert_int_eq(ebb_shared_read(&arena, doc, &s, &n, &why), -EBB_ECONFIG);
	ck_assert_msg(strstr(why.msg, want) && strstr(why.msg, "ebb.yaml:1:"), "%s", why.msg);
}

/* "", infra, research, vision with costs 100, 1000, 300, 100 and bytes 5, 6, 1, 3; returns how many rows there are then. */
static size_t apply(const char *rules)
{
	struct ebb_shared_rule *r;
	size_t nrules = read(rules, &r), n = 4;
	static const struct ebb_shared_row before[] = {
		{"", 5, 100, 0}, {"infra", 6, 1000, 0}, {"research", 1, 300, 0}, {"vision", 3, 100, 0}};

	ck_assert_uint_le(4 + ebb_shared_more(r, nrules), ROOM);
	memcpy(row, before, sizeof(before));
	ck_assert_int_eq(ebb_shared_apply(r, nrules, "team", row, &n, &err), 0);
	return n;
}

static void moved(int64_t none, int64_t infra, int64_t research, int64_t vision)
{
	ck_assert_int_eq(row[0].moved, none);
	ck_assert_int_eq(row[1].moved, infra);
	ck_assert_int_eq(row[2].moved, research);
	ck_assert_int_eq(row[3].moved, vision);
}

START_TEST(each_split_does_what_it_says)
{
	apply("[{label: team, of: infra, split: even}]");
	moved(0, -1000, 500, 500);
	apply("[{label: team, of: infra, split: by-cost}]");
	moved(0, -1000, 750, 250);
	apply("[{label: team, of: infra, split: by-bytes}]");
	moved(0, -1000, 250, 750);
	apply("[{label: team, of: infra, split: even, among: [vision]}]");
	moved(0, -1000, 0, 1000);
	ck_assert_uint_eq(apply("[{label: team, of: infra, split: {vision: 33.3%, sound: 66.7%}}]"), 5);
	moved(0, -1000, 0, 333);
	ck_assert_str_eq(row[4].value, "sound");
	ck_assert(row[4].own == 0 && row[4].moved == 667);
	apply("[{label: project, of: infra, split: even}]");
	moved(0, 0, 0, 0);
}
END_TEST

/* What has no value gets nothing unless it is what is shared; sources give nothing to each other, so the order of rules is all the same. */
START_TEST(sources_get_nothing)
{
	apply("[{label: team, of: \"\", split: by-cost}, {label: team, of: infra, split: even}]");
	moved(-100, -1000, 575, 525);
	apply("[{label: team, of: infra, split: even}, {label: team, of: \"\", split: by-cost}]");
	moved(-100, -1000, 575, 525);
}
END_TEST

START_TEST(a_cost_that_nobody_can_take_stays)
{
	apply("[{label: team, of: infra, split: even, among: [nobody]}]");
	moved(0, 0, 0, 0);
	apply("[{label: team, of: gone, split: even}]");
	moved(0, 0, 0, 0);
}
END_TEST

/* Whatever the amounts, not a nano-unit is lost or made. */
START_TEST(sums_are_exact)
{
	struct ebb_shared_rule *r;
	struct ebb_prng g = {.state = 20};
	size_t nrules = read("[{label: t, of: a, split: by-cost}, {label: t, of: b, split: by-bytes}, {label: t, of: c, split: even},"
			     " {label: t, of: d, split: {e: 14.2857%, f: 85.7143%}}]", &r);
	static const char *const names[] = {"", "a", "b", "c", "d", "e", "g", "h", "i"};

	for (int k = 0; k < 2000; k++) {
		int64_t sum = 0;
		size_t n = EBB_ARRAY_LEN(names);

		for (size_t i = 0; i < n; i++)
			row[i] = (struct ebb_shared_row){names[i], (int64_t)ebb_prng_below(&g, 1 << 20),
							 (int64_t)(ebb_prng_next(&g) >> (2 + ebb_prng_below(&g, 60))), 0};
		ck_assert_int_eq(ebb_shared_apply(r, nrules, "t", row, &n, &err), 0);
		ck_assert_uint_eq(n, EBB_ARRAY_LEN(names) + 1);
		for (size_t i = 0; i < n; i++) {
			sum += row[i].moved / 2; /* halves: no overflow on the way */
			sum += row[i].moved - row[i].moved / 2;
			ck_assert(i == 0 || i > 4 ? row[i].moved >= 0 : row[i].moved == -row[i].own || row[i].moved == 0);
		}
		ck_assert_int_eq(sum, 0);
	}
}
END_TEST

START_TEST(mistakes_name_their_place)
{
	refused("[{label: team, of: a}]", "split");
	refused("[{label: team, of: a, split: evenly}]", "even");
	refused("[{label: team, of: a, split: {b: 50%, c: 49%}}]", "add up to 99");
	refused("[{label: team, of: a, split: {a: 100%}}]", "cannot be given");
	refused("[{label: team, of: a, split: {b: 100%}, among: [b]}]", "leave 'among' out");
	refused("[{label: team, of: a, split: even, among: [b, b]}]", "twice");
	refused("[{label: team, of: a, split: even, amongst: [b]}]", "among");
	refused("[{label: team, of: a, split: even}, {label: team, of: a, split: by-cost}]", "already");
}
END_TEST

EBB_UNIT_MAIN("shared", each_split_does_what_it_says, sources_get_nothing, a_cost_that_nobody_can_take_stays, sums_are_exact,
	      mistakes_name_their_place)
