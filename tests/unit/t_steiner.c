/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>

#include "policies/steiner.h"
#include "policies/steiner_branching.h"
#include "tests/support/unit.h"

static struct ebb_steiner_work *work;

static struct ebb_steiner_tree solve(uint32_t n, const struct ebb_steiner_arc *arcs, size_t n_arcs,
				     const uint32_t *terms, size_t n_terms, bool exact)
{
	const struct ebb_steiner_graph g = {
		.n = n, .arcs = arcs, .n_arcs = n_arcs, .terms = terms, .n_terms = n_terms,
	};
	struct ebb_steiner_tree t;

	if (!work)
		work = ebb_steiner_work_new();
	ck_assert_int_eq((exact ? ebb_steiner_solve : ebb_steiner_approx)(work, &g, &t, NULL), 0);
	return t;
}

START_TEST(goes_by_way_of_a_node_that_is_no_terminal)
{
	/* straight to both: 8; over node 3: 3 + 1 + 1 */
	const struct ebb_steiner_arc arcs[] = {{0, 1, 4}, {0, 2, 4}, {0, 3, 3}, {3, 1, 1}, {3, 2, 1}};
	const uint32_t terms[] = {1, 2};

	for (int exact = 0; exact < 2; exact++) {
		struct ebb_steiner_tree t = solve(4, arcs, 5, terms, 2, exact);

		ck_assert_int_eq((long)t.cost, 5);
		ck_assert_int_eq((long)t.bound, 5);
		ck_assert_uint_eq(t.n_arcs, 3);
		ck_assert_uint_eq(t.arcs[0], 2);
	}
}
END_TEST

START_TEST(what_cannot_be_reached_is_far)
{
	const struct ebb_steiner_arc arcs[] = {{0, 1, 1}, {2, 1, 1}};
	const uint32_t terms[] = {1, 2};

	for (int exact = 0; exact < 2; exact++) {
		struct ebb_steiner_tree t = solve(3, arcs, 2, terms, 2, exact);

		ck_assert(t.cost == EBB_STEINER_FAR);
		ck_assert_uint_eq(t.n_arcs, 0);
	}
}
END_TEST

START_TEST(nothing_to_reach_costs_nothing)
{
	struct ebb_steiner_tree t = solve(1, NULL, 0, NULL, 0, true);

	ck_assert(t.cost == 0 && t.bound == 0 && t.n_arcs == 0);
}
END_TEST

START_TEST(free_arcs_leave_no_superfluous_ones)
{
	const struct ebb_steiner_arc arcs[] = {{0, 1, 0}, {1, 2, 0}, {2, 1, 0}, {0, 2, 0}, {1, 3, 0}, {2, 3, 0}};
	const uint32_t terms[] = {3, 2};
	struct ebb_steiner_tree t = solve(4, arcs, 6, terms, 2, true);

	ck_assert(t.cost == 0);
	ck_assert_uint_le(t.n_arcs, 3);
}
END_TEST

START_TEST(many_terminals_have_a_bound)
{
	struct ebb_steiner_arc arcs[16 * 15];
	uint32_t terms[14];
	size_t n = 0;

	for (uint32_t i = 0; i < 16; i++)
		for (uint32_t j = 1; j < 16; j++)
			if (i != j)
				arcs[n++] = (struct ebb_steiner_arc){i, j, 5 + (i * 7 + j * 13) % 11};
	for (uint32_t i = 0; i < 14; i++)
		terms[i] = i + 1;
	struct ebb_steiner_tree t = solve(16, arcs, n, terms, 14, true);
	ck_assert(t.bound > 0 && t.bound <= t.cost && t.cost <= 14 * 15);
	ck_assert_uint_ge(t.n_arcs, 14);
}
END_TEST

START_TEST(branching_opens_cycles_where_it_is_cheapest)
{
	/* 1 and 2 feed each other for nothing; entering at 2 costs 5, at 1 costs 9 */
	const struct ebb_steiner_branching_arc arcs[] = {{0, 1, 9}, {0, 2, 5}, {1, 2, 0}, {2, 1, 0}};
	const struct ebb_steiner_branching_arc cut[] = {{1, 2, 0}, {2, 1, 0}};
	bool chosen[4];

	ck_assert_int_eq(ebb_steiner_branching(3, 0, arcs, 4, chosen), 0);
	ck_assert(!chosen[0] && chosen[1] && !chosen[2] && chosen[3]);
	ck_assert_int_eq(ebb_steiner_branching(3, 0, cut, 2, chosen), 1);
}
END_TEST

EBB_UNIT_MAIN("steiner", goes_by_way_of_a_node_that_is_no_terminal, what_cannot_be_reached_is_far,
	      nothing_to_reach_costs_nothing, free_arcs_leave_no_superfluous_ones,
	      many_terminals_have_a_bound, branching_opens_cycles_where_it_is_cheapest)
