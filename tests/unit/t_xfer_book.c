/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Instances from price books: what reading, thawing, passing through and requests cost, to the unit. */
#include <check.h>
#include <string.h>

#include "policies/xfer_book.h"
#include "policies/xfer_plan.h"
#include "tests/support/flow.h"
#include "tests/support/unit.h"

#define NANO (EBB_XFER_ONE / 1000000000)

static struct ebb_arena arena;

static const char book[] =
	"{version: 1, name: t, provider: acme, date: 2026-11-01, currency: USD, source: test, confidence: sample,"
	" classes: {COLD: {offline: true, min_days: 180, restore: {standard: {hours: 12}, bulk: {hours: 48}}}, IA: {min_days: 30}},"
	" regions: {r: {"
	"  STANDARD: {storage: 0.03/GB-month, get: 0.001/1k, put: 0.005/1k},"
	"  IA: {storage: 0.012/GB-month, get: 0.003/1k, put: 0.01/1k, retrieval: 0.01/GB},"
	"  COLD: {storage: 0.001/GB-month, get: 0.001/1k, put: 0.05/1k,"
	"   restore: {standard: {request: 0.1/1k, retrieval: 0.02/GB}, bulk: {request: 0.025/1k, retrieval: 0.004/GB}}}}},"
	" egress: [{from: r, to: r, price: 0.02/GB}]}";

static struct ebb_price_books *books(void)
{
	struct ebb_err err = {0};
	struct ebb_price_books *b = ebb_price_books_new(&arena, INT64_C(1795392000) * 1000000000);
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "book.yaml", book, &err);

	ck_assert_msg(doc && ebb_price_books_add(b, doc, &err) == 0, "%s", err.msg);
	return b;
}

/* Three places: a sleeps, b may be a relay with a minimum duration, c. One group of 2 GB in 4 objects from a to c. */
static const struct ebb_xfer *make(enum ebb_price_speed speed, const struct ebb_xfer_book_slot *slots, size_t nslots, uint64_t have,
				   uint64_t asleep, const char *written)
{
	static struct ebb_xfer_book_place places[3];
	static struct ebb_xfer_book_terms terms;
	static struct ebb_xfer_sum_row row;
	struct ebb_price_books *p = books();
	const struct ebb_xfer *x = NULL;
	struct ebb_err err = {0};

	for (int i = 0; i < 3; i++)
		places[i] = (struct ebb_xfer_book_place){.name = i == 0 ? "a" : i == 1 ? "b" : "c", .provider = "acme", .region = "r",
							 .class = i == 1 ? "IA" : i == 2 ? written : "STANDARD", .relay = i == 1, .converts = true};
	memset(&terms, 0, sizeof(terms));
	terms.asleep = asleep;
	for (int i = 0; i < 3; i++)
		terms.class[i] = ebb_price_find(p, "acme", "r", asleep >> i & 1 ? "COLD" : i == 1 ? "IA" : "STANDARD");
	row = (struct ebb_xfer_sum_row){.have = have, .want = 4, .bytes = 2000000000, .objects = 4};
	const struct ebb_xfer_book b = {
		.books = p, .places = places, .nplaces = 3, .terms = &terms, .rows = &row, .nrows = 1, .budget = -1,
		.slots = slots, .nslots = nslots, .speed = speed, .days = 2,
	};
	ck_assert_msg(ebb_xfer_book(&b, &arena, &x, &err) == 0, "%s", err.msg);
	return x;
}

static ebb_xfer_num cost(const struct ebb_xfer *x, enum ebb_xfer_status want)
{
	struct ebb_xfer_plan p;
	struct ebb_err err = {0};

	ck_assert_msg(ebb_xfer_plan(x, &arena, &p, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(p.status, want);
	return p.trees ? p.bill.total : -1;
}

/* Nano-dollars as a cost. */
static ebb_xfer_num usd(int64_t nano)
{
	return (ebb_xfer_num)nano * NANO * EBB_XFER_ONE;
}

static const struct ebb_xfer_book_slot two_days[] = {{"at once", 48 * 3600, NULL}, {"later", EBB_XFER_BOOK_ENDLESS, NULL}};

START_TEST(thawing_costs_and_takes_time)
{
	ebb_arena_init(&arena, 0);
	/* 2 GB: link 0.04, bulk 0.008, copies for 2 of 30 days 0.004; 4 objects: requests 0.0001, a read 0.000004, a write 0.00002 */
	ck_assert(cost(make(EBB_PRICE_BULK, two_days, 2, 0, 1, "STANDARD"), EBB_XFER_OPTIMAL) == usd(52124000));
	ck_assert(cost(make(EBB_PRICE_STANDARD, two_days, 2, 0, 1, "STANDARD"), EBB_XFER_OPTIMAL) == usd(84424000));
	/* no slot begins when it is awake */
	cost(make(EBB_PRICE_BULK, two_days, 1, 0, 1, "STANDARD"), EBB_XFER_INFEASIBLE);
	/* not offered: it cannot be read */
	cost(make(EBB_PRICE_EXPEDITED, two_days, 2, 0, 1, "STANDARD"), EBB_XFER_INFEASIBLE);
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(what_sleeps_at_the_destination_is_copied_there)
{
	ebb_arena_init(&arena, 0);
	const struct ebb_xfer *x = make(EBB_PRICE_BULK, two_days, 2, 1, 4, "STANDARD");
	/* 0.008 + 0.004 + 0.0001 + 0.000024 instead of 0.040024 */
	ck_assert(cost(x, EBB_XFER_OPTIMAL) == usd(12124000));
	ck_assert(x->groups[0].n_replicas == 2 && !x->groups[0].replicas[1].satisfies);
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(reading_cold_classes_has_its_price)
{
	ebb_arena_init(&arena, 0);
	/* from b: link 0.04, retrieval 0.02, reads at 0.003 a thousand, writes */
	ck_assert(cost(make(EBB_PRICE_BULK, NULL, 0, 2, 0, "STANDARD"), EBB_XFER_OPTIMAL) == usd(60032000));
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(a_minimum_duration_is_paid_by_what_passes)
{
	ebb_arena_init(&arena, 0);
	const struct ebb_xfer *x = make(EBB_PRICE_BULK, NULL, 0, 1, 0, "STANDARD");
	/* 30 of 30 days of 0.012 */
	ck_assert_int_eq(x->sites[1].relay_fee, 12000000 * NANO);
	ck_assert(x->sites[0].relay_fee == 0 && x->sites[0].decompress == 0);
	ck_assert_int_eq(x->sites[1].decompress, EBB_XFER_NEVER);
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(nothing_goes_on_from_an_archive)
{
	ebb_arena_init(&arena, 0);
	const struct ebb_xfer *x = make(EBB_PRICE_BULK, NULL, 0, 1, 0, "COLD");
	size_t leaving = 0, coming = 0;

	for (size_t i = 0; i < x->n_links; i++) {
		leaving += x->links[i].from == 2;
		coming += x->links[i].to == 2;
	}
	ck_assert(leaving == 0 && coming == 2);
	/* link 0.04, read 0.000004, write at 0.05 a thousand */
	ck_assert(cost(x, EBB_XFER_OPTIMAL) == usd(40204000));
	ebb_arena_release(&arena);
}
END_TEST

EBB_UNIT_MAIN("xfer_book", thawing_costs_and_takes_time, what_sleeps_at_the_destination_is_copied_there, reading_cold_classes_has_its_price,
	      a_minimum_duration_is_paid_by_what_passes, nothing_goes_on_from_an_archive)
