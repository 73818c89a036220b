/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "core/err.h"
#include "core/mem.h"
#include "policies/cost.h"
#include "policies/price.h"
#include "tests/support/flow.h"
#include "tests/support/unit.h"

#define HEAD                                                                                       \
	"version: 1, name: onprem, date: 2026-11-01, currency: USD, source: test, confidence: "    \
	"sample"
#define GIB (INT64_C(1) << 30)

static struct ebb_arena arena;

static struct ebb_price_books *books(const char *text)
{
	struct ebb_price_books *b = ebb_price_books_new(&arena);
	struct ebb_err err = {0};
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "p.yaml", text, &err);

	ck_assert_msg(doc && ebb_price_books_add(b, doc, &err) == 0, "%s", err.msg);
	return b;
}

static struct ebb_price_books *usual(void)
{
	return books("{" HEAD
		     ", classes: {NVME: {storage_gib_month: 0.080}, HDD: {storage_gib_month: "
		     "0.010, source: x}, FREE: {storage_gib_month: 0}}}");
}

START_TEST(storage_is_exact_and_rounded_once)
{
	struct ebb_price_books *b = usual();
	struct ebb_money m;

	ck_assert_int_eq(ebb_price_storage(b, "NVME", GIB, &m, NULL), 1);
	ck_assert_int_eq(m.nano, 80000000);
	ck_assert_str_eq(m.currency, "USD");
	ck_assert_int_eq(ebb_price_storage(b, "NVME", 1024 * GIB, &m, NULL), 1);
	ck_assert_int_eq(m.nano, INT64_C(81920000000));
	/* 7 bytes: 0.52 nano-units; 20: 1.49; ties go to the even neighbour */
	ck_assert_int_eq(ebb_price_storage(b, "NVME", 7, &m, NULL), 1);
	ck_assert_int_eq(m.nano, 1);
	ck_assert_int_eq(ebb_price_storage(b, "NVME", 20, &m, NULL), 1);
	ck_assert_int_eq(m.nano, 1);
	ck_assert_int_eq(ebb_price_storage(b, "NVME", 0, &m, NULL), 1);
	ck_assert_int_eq(m.nano, 0);
}
END_TEST

START_TEST(unpriced_is_not_free)
{
	struct ebb_price_books *b = usual();
	struct ebb_money m = {.nano = 5};

	ck_assert_int_eq(ebb_price_storage(b, "TAPE", GIB, &m, NULL), 0);
	ck_assert_int_eq(ebb_price_storage(b, NULL, GIB, &m, NULL), 0);
	ck_assert_int_eq(m.nano, 5);
	ck_assert_ptr_null(ebb_price_confidence(b, "TAPE"));
	ck_assert_int_eq(ebb_price_storage(b, "FREE", GIB, &m, NULL), 1);
	ck_assert_int_eq(m.nano, 0);
	ck_assert_str_eq(ebb_price_currency(ebb_price_books_new(&arena)), "");
}
END_TEST

START_TEST(the_last_book_wins)
{
	struct ebb_price_books *b = usual();
	struct ebb_err err = {0};
	const struct ebb_tree_node *doc =
		ebb_flow_parse(&arena, "mine.yaml",
			       "{version: 1, name: mine, date: 2026-11-02, currency: USD, source: "
			       "invoice, confidence: "
			       "contract, classes: {HDD: {storage_gib_month: 0.5}}}",
			       &err);
	struct ebb_money m;

	ck_assert_int_eq(ebb_price_books_add(b, doc, NULL), 0);
	ck_assert_int_eq(ebb_price_storage(b, "HDD", GIB, &m, NULL), 1);
	ck_assert_int_eq(m.nano, 500000000);
	ck_assert_str_eq(ebb_price_confidence(b, "HDD"), "contract");
	ck_assert_str_eq(ebb_price_confidence(b, "NVME"), "sample");
}
END_TEST

static void check_error(struct ebb_price_books *b, const char *text, const char *want)
{
	struct ebb_err err = {0};
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "p.yaml", text, &err);

	ck_assert_msg(doc != NULL, "%s", err.msg);
	ck_assert_int_eq(ebb_price_books_add(b, doc, &err), -EBB_ECONFIG);
	ck_assert_msg(strncmp(err.msg, want, strlen(want)) == 0, "got '%s'\nwant '%s'", err.msg,
		      want);
}

START_TEST(errors)
{
	struct ebb_price_books *b = usual();
	struct ebb_money m;

	check_error(b, "{version: 2}",
		    "p.yaml:1:11: version '2' of price books is unknown; this ebb reads 1");
	check_error(b,
		    "{version: 1, name: a, date: 2026-11-01, currency: EUR, source: s, confidence: "
		    "list, classes: {}}",
		    "p.yaml:1:51: this book is in EUR, those before it in USD; books of one "
		    "configuration share one currency");
	check_error(b, "{version: 1, name: a, source: s, currency: usd}",
		    "p.yaml:1:44: 'usd' is no currency; write three capital letters such as USD");
	check_error(b, "{" HEAD ", classes: {\nNVME: {storage_gib_month: -1}}}",
		    "p.yaml:2:27: 'storage_gib_month': a price is not negative");
	check_error(b, "{" HEAD ", classes: {\nNVME: {storage_gib_month: cheap}}}",
		    "p.yaml:2:27: 'storage_gib_month': ");
	check_error(b, "{" HEAD ", classes: {\nNVME: {storage: 1}}}",
		    "p.yaml:2:8: unknown key 'storage'");
	check_error(b, "{" HEAD "}", "p.yaml:1:1: ");
	ck_assert_int_eq(ebb_price_storage(b, "NVME", GIB, &m, NULL), 1);
	ck_assert_int_eq(m.nano, 80000000);
}
END_TEST

START_TEST(compression_is_guessed_by_extension)
{
	ck_assert_int_eq(ebb_cost_compressed("a/b.log", 7), 350);
	ck_assert_int_eq(ebb_cost_compressed("a/B.CSV", 7), 350);
	ck_assert_int_eq(ebb_cost_compressed("x.tar", 5), 600);
	ck_assert_int_eq(ebb_cost_compressed("log", 3), 600);
	ck_assert_int_eq(ebb_cost_compressed("x.zst", 5), EBB_COST_POINTLESS);
	ck_assert_int_eq(ebb_cost_compressed("x.tar.gz", 8), EBB_COST_POINTLESS);
}
END_TEST

static struct ebb_record file(const char *key, int64_t size, int64_t alloc, int64_t nlink)
{
	struct ebb_record r = {.key = key, .key_len = (uint32_t)strlen(key)};

	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, size);
	ebb_record_set(&r, EBB_F_ALLOC, alloc);
	ebb_record_set(&r, EBB_F_NLINK, nlink);
	return r;
}

static struct ebb_action cost(enum ebb_action_id id, const struct ebb_record *r, const char *to,
			      struct ebb_buf *why)
{
	struct ebb_action a = {.id = id, .obj = r, .trash_ns = INT64_C(30) * 86400 * 1000000000};
	struct ebb_err err = {0};

	ebb_buf_clear(why);
	ck_assert_msg(ebb_cost_action(usual(), "NVME", to, &a, why, &err) == 0, "%s", err.msg);
	return a;
}

START_TEST(costs_of_actions)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf why = EBB_BUF_INIT(1000);
	struct ebb_record r = file("a.log", GIB - 100, GIB, 1);
	struct ebb_action a = cost(EBB_ACTION_DELETE, &r, NULL, &why);

	ck_assert(a.priced);
	ck_assert_int_eq(a.saving.nano, 80000000);
	ck_assert_int_eq(a.one_off.nano, 0);
	ck_assert_int_eq(a.freed, GIB);
	ck_assert_int_eq(a.wire, 0);
	ck_assert_str_eq(why.data, "; saves once the trash expires after 30d");

	a = cost(EBB_ACTION_TIER, &r, "HDD", &why);
	ck_assert_int_eq(a.saving.nano, 70000000);
	ck_assert_int_eq(a.wire, GIB - 100);
	a = cost(EBB_ACTION_TIER, &r, "TAPE", &why);
	ck_assert(!a.priced);
	ck_assert_int_eq(a.saving.nano, 0);
	ck_assert_int_eq(a.freed, GIB);

	r = file("a.log", 1000 * GIB, 1000 * GIB, 1);
	a = cost(EBB_ACTION_COMPRESS, &r, NULL, &why);
	ck_assert_int_eq(a.freed, 650 * GIB);
	ck_assert_int_eq(a.saving.nano, INT64_C(52000000000));
	ck_assert_str_eq(why.data, "; about 650.0 GiB expected to be freed of 1000.0 GiB");
}
END_TEST

START_TEST(other_names_free_nothing)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf why = EBB_BUF_INIT(1000);
	struct ebb_record r = file("a", GIB, GIB, 2);
	struct ebb_action a = cost(EBB_ACTION_DELETE, &r, NULL, &why);

	ck_assert_int_eq(a.freed, 0);
	ck_assert_int_eq(a.saving.nano, 0);
	ck_assert_str_eq(why.data, "; frees nothing: the file has other names");
}
END_TEST

START_TEST(what_is_written_may_cost_more)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf why = EBB_BUF_INIT(1000);
	struct ebb_record r = file("sparse", 100 * GIB, GIB, 1);
	struct ebb_action a = cost(EBB_ACTION_TIER, &r, "HDD", &why);

	ck_assert_int_eq(a.saving.nano, 80000000 - 1000000000);
}
END_TEST

EBB_UNIT_MAIN("price", storage_is_exact_and_rounded_once, unpriced_is_not_free, the_last_book_wins,
	      errors, compression_is_guessed_by_extension, costs_of_actions,
	      other_names_free_nothing, what_is_written_may_cost_more)
