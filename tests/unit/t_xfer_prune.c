/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which relays others stand in for. That plans stay the cheapest is held by p_xfer, p_xfer_time and p_xfer_milp. */
#include "policies/xfer_prune.h"

#include "tests/support/unit.h"

enum { N = 4, LINKS = N * (N - 1) };

static struct ebb_xfer_site sites[N];
static struct ebb_xfer_link links[LINKS];
static int64_t prices[LINKS], room[LINKS];
static ebb_xfer_num rooms[LINKS];
static struct ebb_xfer_slot slot = {"", EBB_XFER_ONE};
static struct ebb_xfer x = {
	.slots = &slot, .sites = sites, .links = links, .n_slots = 1, .n_sites = N, .n_links = LINKS,
};

/* What leaves a site has one price. */
static void grid(const int64_t leave[N])
{
	size_t l = 0;

	for (uint32_t a = 0; a < N; a++) {
		sites[a] = (struct ebb_xfer_site){.id = "s", .relay = true, .compress = -1, .decompress = -1};
		for (uint32_t b = 0; b < N; b++) {
			if (a == b)
				continue;
			prices[l] = leave[a];
			rooms[l] = EBB_XFER_MAX;
			room[l] = 0;
			links[l] = (struct ebb_xfer_link){a, b, EBB_XFER_NONE, &prices[l], &rooms[l], NULL};
			l++;
		}
	}
}

/* Asked anew, whatever was asked before. */
static void expect(const uint32_t want[N], const int64_t *room_price, bool any_time)
{
	struct ebb_xfer_prune *p = ebb_xfer_prune_new(&x);
	const uint32_t *by = ebb_xfer_prune_ask(p, NULL, room_price, any_time);

	for (int i = 0; i < N; i++)
		ck_assert_uint_eq(by[i], want[i]);
	ck_assert_ptr_eq(ebb_xfer_prune_ask(p, NULL, room_price, any_time), by);
	ebb_xfer_prune_free(p);
}

#define NONE EBB_XFER_NONE

START_TEST(the_cheapest_stands_in)
{
	grid((const int64_t[N]){30, 20, 40, 25});
	expect((const uint32_t[N]){1, NONE, 0, 1}, NULL, false);
}
END_TEST

START_TEST(of_equals_the_first)
{
	grid((const int64_t[N]){20, 20, 20, 20});
	expect((const uint32_t[N]){NONE, 0, 0, 0}, NULL, false);
}
END_TEST

START_TEST(only_relays_stand_in)
{
	grid((const int64_t[N]){30, 20, 40, 25});
	sites[1].relay = false;
	expect((const uint32_t[N]){3, NONE, 0, NONE}, NULL, false);
}
END_TEST

START_TEST(requests_and_fees_count)
{
	grid((const int64_t[N]){30, 20, 40, 25});
	sites[1].put = 1;
	expect((const uint32_t[N]){3, NONE, 0, NONE}, NULL, false);
	sites[1].put = 0;
	sites[1].relay_fee = 1;
	expect((const uint32_t[N]){3, NONE, 0, NONE}, NULL, false);
}
END_TEST

START_TEST(a_closed_link_is_the_dearest)
{
	grid((const int64_t[N]){30, 20, 40, 25});
	rooms[1 * (N - 1) + 2] = 0;	/* from 1 to 3: neither stands in for 0 any more */
	expect((const uint32_t[N]){NONE, NONE, 0, 1}, NULL, false);
	expect((const uint32_t[N]){1, NONE, 0, 1}, NULL, true);
}
END_TEST

START_TEST(the_price_of_room_counts)
{
	grid((const int64_t[N]){30, 20, 40, 25});
	room[1 * (N - 1) + 2] = 100;
	expect((const uint32_t[N]){NONE, NONE, 0, 1}, room, false);
}
END_TEST

START_TEST(another_question_is_answered_anew)
{
	struct ebb_xfer_prune *p;

	grid((const int64_t[N]){30, 20, 40, 25});
	p = ebb_xfer_prune_new(&x);
	ck_assert_uint_eq(ebb_xfer_prune_ask(p, NULL, NULL, false)[0], 1);
	room[1 * (N - 1) + 2] = 100;
	ck_assert_uint_eq(ebb_xfer_prune_ask(p, NULL, room, false)[0], NONE);
	ck_assert_uint_eq(ebb_xfer_prune_ask(p, NULL, NULL, false)[0], 1);
	ebb_xfer_prune_free(p);
}
END_TEST

EBB_UNIT_MAIN("xfer_prune", the_cheapest_stands_in, of_equals_the_first, only_relays_stand_in, requests_and_fees_count,
	      a_closed_link_is_the_dearest, the_price_of_room_counts, another_question_is_answered_anew)
