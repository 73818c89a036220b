/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transfer instances: reading, billing, planning, refusing. Certified instances are planned by tests/cli/transfer.sh. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "policies/xfer_lp.h"
#include "policies/xfer_plan.h"
#include "policies/xfer_read.h"
#include "tests/support/flow.h"
#include "tests/support/unit.h"

#define HEAD "{format: xfer-plan, version: 1, "
#define SITES                                                                                      \
	"sites: [{id: a, jurisdiction: AE, get_usd: 1e-6, put_usd: 0.00001}, {id: b, jurisdiction: "  \
	"EU, relay: true, relay_usd_per_gb: 0.5}, {id: c, jurisdiction: US}], "
#define LINKS                                                                                      \
	"links: [{from: a, to: b, usd_per_gb: 1}, {from: b, to: c, usd_per_gb: 2}, {from: a, to: c, "  \
	"usd_per_gb: 4}], "
#define GROUP "groups: [{id: g, gb: 10, objects: 1000, replicas: [{site: a}], destinations: [{site: c}]"
#define USD ((ebb_xfer_num)EBB_XFER_ONE * EBB_XFER_ONE)

static struct ebb_arena arena;

static const struct ebb_xfer *read(const char *text)
{
	struct ebb_err err = {0};
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "x.json", text, &err);
	const struct ebb_xfer *x = NULL;

	ck_assert_msg(doc && ebb_xfer_read(&arena, doc, &x, &err) == 0, "%s", err.msg);
	return x;
}

static void refused(const char *text, const char *message)
{
	struct ebb_err err = {0};
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "x.json", text, &err);
	const struct ebb_xfer *x = NULL;

	ck_assert_msg(doc, "%s", err.msg);
	ck_assert_int_eq(ebb_xfer_read(&arena, doc, &x, &err), -EBB_ECONFIG);
	ck_assert_msg(strstr(err.msg, "x.json:1:") && strstr(err.msg, message), "%s", err.msg);
	ck_assert(!x);
}

static struct ebb_xfer_plan planned(const char *text)
{
	struct ebb_xfer_plan p;
	struct ebb_err err = {0};

	ck_assert_msg(ebb_xfer_plan(read(text), &arena, &p, &err) == 0, "%s", err.msg);
	return p;
}

static void costs(const struct ebb_xfer_plan *p, const char *usd)
{
	char t[EBB_XFER_TEXT];

	ck_assert_str_eq(ebb_xfer_cost_text(p->bill.total, t), usd);
	ck_assert_int_eq(p->status, EBB_XFER_OPTIMAL);
	ck_assert(p->lower_bound == p->bill.total);
}

START_TEST(costs_are_written_exactly)
{
	char t[EBB_XFER_TEXT];

	ck_assert_str_eq(ebb_xfer_cost_text(0, t), "0");
	ck_assert_str_eq(ebb_xfer_cost_text(USD * 12, t), "12");
	ck_assert_str_eq(ebb_xfer_cost_text(USD / 8, t), "0.125");
	ck_assert_str_eq(ebb_xfer_cost_text(-(USD / 8) - USD, t), "-1.125");
	ck_assert_str_eq(ebb_xfer_cost_text(1, t), "0.000000000000000000000001");
	ck_assert_str_eq(ebb_xfer_gb_text(EBB_XFER_ONE / 2, t), "0.5");
}
END_TEST

START_TEST(pools_charge_each_gb_at_its_tier)
{
	const struct ebb_xfer_tier tiers[] = {{10 * EBB_XFER_ONE, 0}, {30 * EBB_XFER_ONE, 2}, {EBB_XFER_MAX, 1}};
	const struct ebb_xfer_pool p = {.already = 5 * EBB_XFER_ONE, .tiers = tiers, .n_tiers = 3};

	ck_assert(ebb_xfer_pool_charge(&p, 5 * EBB_XFER_ONE) == 0);
	ck_assert(ebb_xfer_pool_charge(&p, 6 * EBB_XFER_ONE) == 2 * EBB_XFER_ONE);
	ck_assert(ebb_xfer_pool_charge(&p, 35 * EBB_XFER_ONE) == 50 * EBB_XFER_ONE);
}
END_TEST

START_TEST(errors_have_a_place_and_a_remedy)
{
	refused("{format: other}", "'format' must be xfer-plan");
	refused(HEAD "sites: []}", "there are no sites");
	refused(HEAD "sitse: []}", "did you mean 'sites'?");
	refused(HEAD SITES "links: [{from: a, to: d}], groups: []}", "there is no site 'd'");
	refused(HEAD SITES "links: [{from: a, to: a}], groups: []}", "ends where it begins");
	refused(HEAD SITES "links: [{from: a, to: b}, {from: a, to: b}], groups: []}", "stands twice");
	refused(HEAD SITES "links: [{from: a, to: b, pool: p}], groups: []}", "there is no pool 'p'");
	refused(HEAD SITES "links: [{from: a, to: b, usd_per_gb: [1, 2]}], groups: []}", "2 elements for 1 slots");
	refused(HEAD SITES "links: [{from: a, to: b, usd_per_gb: -1}], groups: []}", "is negative");
	refused(HEAD SITES "links: [{from: a, to: b, usd_per_gb: cheap}], groups: []}", "must be a number");
	refused(HEAD SITES "links: [{from: a, to: b, usd_per_gb: 1e300}], groups: []}", "too large");
	refused(HEAD SITES LINKS GROUP ", compress_ratio: 0}]}", "must be more than 0");
	refused(HEAD SITES LINKS GROUP ", last_slot: 1}]}", "'last_slot' is 1, the last is 0");
	refused(HEAD SITES LINKS GROUP ", may_split: true, compress_ratio: 0.5}]}", "do not go together");
	refused(HEAD SITES LINKS GROUP "}, {id: g, gb: 1, objects: 1, replicas: [], destinations: []}]}",
		"group 'g' stands twice");
	refused(HEAD SITES LINKS "groups: [{id: g, gb: 1, objects: 1.5, replicas: [], destinations: []}]}",
		"must be a whole number");
	refused(HEAD "pools: [{id: p, tiers: [{upto_gb: 5, usd_per_gb: 1}]}], sites: []}", "needs 'upto_gb: null'");
	refused(HEAD "pools: [{id: p, tiers: [{upto_gb: 5, usd_per_gb: 1}, {upto_gb: 4, usd_per_gb: 1}]}], sites: []}",
		"must rise");
}
END_TEST

START_TEST(a_relay_is_taken_when_it_pays)
{
	/* 10 GB over b: 10 + 20 + 5 for the relay, and a GET of 1e-6 and a PUT of 0 twice; straight: 40 */
	struct ebb_xfer_plan p = planned(HEAD SITES LINKS GROUP "}]}");

	costs(&p, "35.001");
	ck_assert_uint_eq(p.trees[0].n_hops, 2);
	ck_assert(p.direct_first == 40 * USD + USD / 1000);
}
END_TEST

START_TEST(residency_takes_sites_away)
{
	struct ebb_xfer_plan p = planned(HEAD SITES LINKS GROUP ", allowed_jurisdictions: [AE, US]}]}");

	costs(&p, "40.001");
	p = planned(HEAD SITES LINKS GROUP ", allowed_jurisdictions: [AE]}]}");
	ck_assert_int_eq(p.status, EBB_XFER_INFEASIBLE);
	ck_assert_int_eq(p.reason, EBB_XFER_RESIDENCY);
	ck_assert_str_eq(p.stuck->id, "g");
	ck_assert(!p.trees);
}
END_TEST

START_TEST(no_way_is_unreachable_no_time_a_deadline)
{
	struct ebb_xfer_plan p = planned(HEAD SITES "links: [], " GROUP "}]}");

	ck_assert_int_eq(p.reason, EBB_XFER_UNREACHABLE);
	p = planned(HEAD SITES LINKS "groups: [{id: g, gb: 1, objects: 1, replicas: [{site: a, restore_hours: 5}], "
				     "destinations: [{site: c}]}]}");
	ck_assert_int_eq(p.status, EBB_XFER_INFEASIBLE);
	ck_assert_int_eq(p.reason, EBB_XFER_DEADLINE);
}
END_TEST

START_TEST(a_budget_too_small_says_what_it_takes)
{
	struct ebb_xfer_plan p = planned(HEAD "budget_usd: 35, " SITES LINKS GROUP "}]}");

	costs(&p, "35.001"); /* within half a cent */
	p = planned(HEAD "budget_usd: 34.99, " SITES LINKS GROUP "}]}");
	ck_assert_int_eq(p.status, EBB_XFER_INFEASIBLE);
	ck_assert_int_eq(p.reason, EBB_XFER_BUDGET);
	ck_assert(p.minimum_exact && p.bill.total == 35 * USD + USD / 1000);
}
END_TEST

START_TEST(an_allowance_is_used_by_what_fits)
{
	/* 10 GB are free: g takes them, h does not fit and goes the other way for 1.5 */
	struct ebb_xfer_plan p = planned(
		HEAD "pools: [{id: p, tiers: [{upto_gb: 10, usd_per_gb: 0}, {upto_gb: null, usd_per_gb: 3}]}], "
		     "sites: [{id: a}, {id: b}, {id: c}], links: [{from: a, to: c, pool: p}, {from: b, to: c, "
		     "usd_per_gb: 1.5}], groups: [{id: g, gb: 10, objects: 0, replicas: [{site: a}, {site: b}], "
		     "destinations: [{site: c}]}, {id: h, gb: 12, objects: 0, replicas: [{site: a}, {site: b}], "
		     "destinations: [{site: c}]}]}");

	costs(&p, "18"); /* h in the pool costs 6 and g beside it 15: 21; both in it: 36 */
}
END_TEST

START_TEST(the_cheapest_plan_is_laid_into_slots)
{
	const char *links = "links: [{from: a, to: c, usd_per_gb: [3, 1], gb_per_hour: 2}], ";
	char text[1024];

	snprintf(text, sizeof(text), HEAD "slots: [{id: day, hours: 4}, {id: night, hours: 5}], " SITES "%s" GROUP "}]}",
		 links);
	struct ebb_xfer_plan p = planned(text);
	costs(&p, "10.001");
	ck_assert(p.trees[0].hops[0].sent[1] == 10 * EBB_XFER_ONE && p.trees[0].hops[0].sent[0] == 0);

	/* 8 GB fit into the night, the rest goes by day */
	snprintf(text, sizeof(text), HEAD "slots: [{id: day, hours: 4}, {id: night, hours: 4}], " SITES "%s" GROUP "}]}",
		 links);
	p = planned(text);
	costs(&p, "14.001");
	ck_assert(p.trees[0].hops[0].sent[1] == 8 * EBB_XFER_ONE);

	/* neither is long enough; a group that only has the day has less */
	snprintf(text, sizeof(text), HEAD "slots: [{id: day, hours: 2}, {id: night, hours: 2}], " SITES "%s" GROUP "}]}",
		 links);
	p = planned(text);
	ck_assert_int_eq(p.status, EBB_XFER_INFEASIBLE);
	ck_assert_int_eq(p.reason, EBB_XFER_DEADLINE);
	ck_assert(!p.trees);
}
END_TEST

#define NARROW                                                                                     \
	"links: [{from: a, to: b, usd_per_gb: 1}, {from: b, to: c, usd_per_gb: 2}, {from: a, to: c, "  \
	"usd_per_gb: 3, gb_per_hour: 1}], "

START_TEST(a_group_may_be_split)
{
	/* 6 GB fit into the direct link, 4 GB go by way of b for half a dollar more */
	struct ebb_xfer_plan p =
		planned(HEAD "slots: [{id: day, hours: 6}], " SITES NARROW GROUP ", may_split: true}]}");

	if (!ebb_xfer_lp_built()) {
		/* whole, and the bound says how much splitting might save */
		ck_assert(p.status == EBB_XFER_FEASIBLE && p.lower_bound == 30 * USD + USD / 1000);
		ck_assert(p.bill.total == 35 * USD + USD / 1000);
		return;
	}
	costs(&p, "32.001");
	ck_assert_int_eq(p.status, EBB_XFER_OPTIMAL);
	ck_assert(p.trees[0].gb == 6 * EBB_XFER_ONE && p.trees[0].n_hops == 1);
	ck_assert(p.trees[0].next->gb == 4 * EBB_XFER_ONE && p.trees[0].next->n_hops == 2 && !p.trees[0].next->next);
	ck_assert(p.room_price[2] == EBB_XFER_ONE / 2 && p.room_price[0] == 0);
}
END_TEST

START_TEST(what_does_not_fit_is_named)
{
	/* 4 of 10 GB find no room, whole or not */
	struct ebb_xfer_plan p = {0};
	const struct ebb_xfer *x =
		read(HEAD "slots: [{id: day, hours: 6}], " SITES "links: [{from: a, to: c, usd_per_gb: 3, gb_per_hour: 1}], "
			  GROUP ", may_split: true}]}");
	int r = ebb_xfer_plan(x, &arena, &p, NULL);

	ck_assert_int_eq(r, ebb_xfer_lp_built() ? 0 : -EBB_ENOTSUP);
	if (r == 0) {
		ck_assert(p.status == EBB_XFER_INFEASIBLE && p.reason == EBB_XFER_DEADLINE);
		ck_assert(p.short_by == 4 * EBB_XFER_ONE);
	}
}
END_TEST

START_TEST(restoring_delays_reading)
{
	/* restored after the day, which is cheaper */
	struct ebb_xfer_plan p = planned(
		HEAD "slots: [{id: day, hours: 4}, {id: night, hours: 9}], " SITES
		     "links: [{from: a, to: c, usd_per_gb: [1, 2]}], groups: [{id: g, gb: 10, objects: 1000, replicas: "
		     "[{site: a, restore_hours: 3}], destinations: [{site: c}]}]}");

	costs(&p, "20.001");
}
END_TEST

static void rejected(const struct ebb_xfer *x, struct ebb_xfer_tree t, const char *why)
{
	struct ebb_xfer_bill b;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_xfer_check(x, &t, &b, &err), -EBB_EMISMATCH);
	ck_assert_msg(strstr(err.msg, why), "%s", err.msg);
}

START_TEST(the_verifier_rejects_what_is_no_plan)
{
	const struct ebb_xfer *x = read(HEAD SITES "links: [{from: a, to: b}, {from: b, to: c}, {from: a, to: c}, {from: c, "
					     "to: b}, {from: b, to: a}], " GROUP "}]}");
	const uint32_t a[] = {0}, b[] = {1}, twice[] = {0, 0};
	const struct ebb_xfer_hop chain[] = {{.link = 0}, {.link = 1}}, both[] = {{.link = 0}, {.link = 1}, {.link = 2}};
	const struct ebb_xfer_hop cycle[] = {{.link = 1}, {.link = 3}}, packed[] = {{.link = 2, .packed = true}};
	const struct ebb_xfer_hop into[] = {{.link = 2}, {.link = 0}, {.link = 4}};
	struct ebb_xfer_bill bill;

	ck_assert_int_eq(ebb_xfer_check(x, &(struct ebb_xfer_tree){chain, a, NULL, 2, 1, 0, 0, NULL}, &bill, NULL), 0);
	rejected(x, (struct ebb_xfer_tree){NULL, NULL, NULL, 0, 0, 0, 0, NULL}, "nothing reaches 'c'");
	rejected(x, (struct ebb_xfer_tree){NULL, b, NULL, 0, 1, 0, 0, NULL}, "not there");
	rejected(x, (struct ebb_xfer_tree){chain, twice, NULL, 2, 2, 0, 0, NULL}, "twice");
	rejected(x, (struct ebb_xfer_tree){both, a, NULL, 3, 1, 0, 0, NULL}, "'c' gets it twice");
	rejected(x, (struct ebb_xfer_tree){chain, NULL, NULL, 2, 0, 0, 0, NULL}, "has no source");
	rejected(x, (struct ebb_xfer_tree){cycle, a, NULL, 2, 1, 0, 0, NULL}, "has no source");
	rejected(x, (struct ebb_xfer_tree){packed, a, NULL, 1, 1, 0, 0, NULL}, "cannot be compressed");
	rejected(x, (struct ebb_xfer_tree){into, a, NULL, 3, 1, 0, 0, NULL}, "neither a destination nor a relay");
	rejected(x, (struct ebb_xfer_tree){chain, a, a, 2, 1, 1, 0, NULL}, "without need");
}
END_TEST

EBB_UNIT_MAIN("xfer", costs_are_written_exactly, pools_charge_each_gb_at_its_tier, errors_have_a_place_and_a_remedy,
	      a_relay_is_taken_when_it_pays, residency_takes_sites_away, no_way_is_unreachable_no_time_a_deadline,
	      a_budget_too_small_says_what_it_takes, an_allowance_is_used_by_what_fits,
	      the_cheapest_plan_is_laid_into_slots, a_group_may_be_split, what_does_not_fit_is_named, restoring_delays_reading,
	      the_verifier_rejects_what_is_no_plan)
