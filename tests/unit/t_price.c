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

/* 2026-11-23 */
#define NOW (INT64_C(1795392000) * 1000000000)

static struct ebb_price_books *books(const char *text)
{
	struct ebb_price_books *b = ebb_price_books_new(&arena, NOW);
	struct ebb_err err = {0};
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "p.yaml", text, &err);

	ck_assert_msg(doc && ebb_price_books_add(b, doc, &err) == 0, "%s", err.msg);
	return b;
}

static void add(struct ebb_price_books *b, const char *text)
{
	struct ebb_err err = {0};
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "mine.yaml", text, &err);

	ck_assert_msg(doc && ebb_price_books_add(b, doc, &err) == 0, "%s", err.msg);
}

static struct ebb_price_books *usual(void)
{
	return books("{" HEAD
		     ", classes: {NVME: {storage_gib_month: 0.080}, HDD: {storage_gib_month: "
		     "0.010, source: x}, FREE: {storage_gib_month: 0}}}");
}

/* What @bytes cost a month in @class, in nano-units; -1 when it has no price. */
static int64_t month(const struct ebb_price_books *b, const char *class, int64_t bytes)
{
	const struct ebb_price_class *c = ebb_price_find(b, NULL, NULL, class);
	struct ebb_money m;

	if (!c)
		return -1;
	ck_assert_int_eq(ebb_bill_money(ebb_price_flat(&c->item[EBB_PRICE_STORAGE], bytes, 1),
					"USD", &m, NULL),
			 0);
	return m.nano;
}

START_TEST(storage_is_exact_and_rounded_once)
{
	struct ebb_price_books *b = usual();

	ck_assert_int_eq(month(b, "NVME", GIB), 80000000);
	ck_assert_int_eq(month(b, "NVME", 1024 * GIB), INT64_C(81920000000));
	/* 7 bytes: 0.52 nano-units; 20: 1.49 */
	ck_assert_int_eq(month(b, "NVME", 7), 1);
	ck_assert_int_eq(month(b, "NVME", 20), 1);
	ck_assert_int_eq(month(b, "NVME", 0), 0);
}
END_TEST

START_TEST(unpriced_is_not_free)
{
	struct ebb_price_books *b = usual();

	ck_assert_ptr_null(ebb_price_find(b, NULL, NULL, "TAPE"));
	ck_assert_ptr_null(ebb_price_find(b, NULL, NULL, NULL));
	ck_assert_ptr_null(ebb_price_find(b, "aws", NULL, "NVME"));
	ck_assert_ptr_nonnull(ebb_price_find(b, NULL, "anywhere", "NVME"));
	ck_assert_int_eq(month(b, "FREE", GIB), 0);
	ck_assert_str_eq(ebb_price_currency(ebb_price_books_new(&arena, NOW)), "");
}
END_TEST

START_TEST(the_last_book_wins)
{
	struct ebb_price_books *b = usual();
	const struct ebb_price_class *c;

	add(b, "{version: 1, name: mine, date: 2026-11-02, currency: USD, source: invoice, "
	       "confidence: contract, classes: {HDD: {storage: 0.5/GiB-month}}}");
	ck_assert_int_eq(month(b, "HDD", GIB), 500000000);
	c = ebb_price_find(b, NULL, NULL, "HDD");
	ck_assert_int_eq(c->item[EBB_PRICE_STORAGE].confidence, EBB_PRICE_CONTRACT);
	ck_assert_str_eq(c->item[EBB_PRICE_STORAGE].source, "invoice");
	c = ebb_price_find(b, NULL, NULL, "NVME");
	ck_assert_int_eq(c->item[EBB_PRICE_STORAGE].confidence, EBB_PRICE_SAMPLE);
}
END_TEST

#define CLOUD                                                                                      \
	"{" HEAD ", provider: p, sources: {feed: {title: Feed, date: 2026-01-02, confidence: "     \
	"list}},\n"                                                                                \
	"classes: {COLD: {min_days: 30, min_bytes: 128KiB, get: 0.001/1k}},\n"                     \
	"regions: {r1: {source: feed, COLD: {storage: 0.0125/GiB-month}},\n"                       \
	"          r2: {COLD: {storage: [[50TiB, 0.02/GiB-month], [rest, 0.01/GiB-month]]}}},\n"   \
	"groups: {near: [r1, r2]},\n"                                                              \
	"egress: [{from: r1, to: r2, price: 0.01/GiB}, {from: near, to: \"*\", price: "           \
	"0.02/GiB},\n"                                                                             \
	"  {from: \"*\", to: internet, price: [[10GiB, 0.09/GiB], [rest, 0.05/GiB]], free: 1GiB}]}"

START_TEST(classes_of_regions_inherit_rules)
{
	struct ebb_price_books *b = books(CLOUD);
	const struct ebb_price_class *c = ebb_price_find(b, "p", "r1", "COLD");

	ck_assert_int_eq(c->min_days, 30);
	ck_assert_int_eq(c->min_bytes, 131072);
	ck_assert(ebb_price_known(&c->item[EBB_PRICE_GET]));
	ck_assert(!ebb_price_known(&c->item[EBB_PRICE_PUT]));
	ck_assert_int_eq(c->item[EBB_PRICE_STORAGE].confidence, EBB_PRICE_LIST);
	ck_assert_str_eq(c->item[EBB_PRICE_STORAGE].source, "Feed, as of 2026-01-02");
	ck_assert_ptr_null(ebb_price_find(b, "p", "r3", "COLD"));
	ck_assert_ptr_null(ebb_price_find(b, "p", NULL, "COLD"));

	/* A later book changes one figure in all regions, and leaves the others. */
	add(b, "{version: 1, name: mine, provider: p, date: 2026-11-02, currency: USD, source: "
	       "invoice, confidence: contract, classes: {COLD: {get: 0.002/1k}}, regions: {}}");
	ck_assert(c->item[EBB_PRICE_GET].tiers[0].atto == INT64_C(2000000000000000));
	ck_assert_int_eq(c->item[EBB_PRICE_STORAGE].confidence, EBB_PRICE_LIST);
}
END_TEST

static int64_t micro(__int128 atto)
{
	return (int64_t)(atto / INT64_C(1000000000000));
}

START_TEST(ways)
{
	struct ebb_price_books *b = books(CLOUD);
	const struct ebb_price_figure *f = ebb_price_egress(b, "p", "r1", "p", "r2");

	ck_assert_int_eq(micro(ebb_price_flat(f, GIB, 1)), 10000);
	f = ebb_price_egress(b, "p", "r2", "p", "r1");
	ck_assert_int_eq(micro(ebb_price_flat(f, GIB, 1)), 20000);
	f = ebb_price_egress(b, "p", "r2", "p", "r2");
	ck_assert_int_eq(micro(ebb_price_flat(f, GIB, 1)), 20000);
	f = ebb_price_egress(b, "p", "r9", "p", "r9");
	ck_assert_int_eq(micro(ebb_price_flat(f, GIB, 1)), 0);
	ck_assert_ptr_null(ebb_price_egress(b, "p", "r9", "p", "r1"));
	ck_assert_ptr_null(ebb_price_egress(b, "p", NULL, "p", NULL));
	/* another cloud is reached through the internet */
	f = ebb_price_egress(b, "p", "r9", "q", "r1");
	ck_assert_ptr_eq(f, ebb_price_egress(b, "p", "r1", NULL, NULL));
	ck_assert_int_eq(micro(ebb_price_flat(f, GIB, 1)), 90000);
	/* 1 GiB free, ten at 0.09, the rest at 0.05 */
	ck_assert_int_eq(micro(ebb_price_marginal(f, 0, GIB)), 0);
	ck_assert_int_eq(micro(ebb_price_marginal(f, 0, 13 * GIB)), 900000 + 100000);
	ck_assert_int_eq(micro(ebb_price_marginal(f, 10 * GIB, 2 * GIB)), 90000 + 50000);
	/* what leaves a site of one's own costs what its book says: nothing here */
	f = ebb_price_egress(b, NULL, NULL, "p", "r1");
	ck_assert_int_eq(micro(ebb_price_flat(f, GIB, 1)), 0);
}
END_TEST

START_TEST(prices_have_days)
{
	struct ebb_price_books *b =
		books("{" HEAD ", classes: {A: {storage: [{until: 2026-06-30, price: 6/TB-month}, "
		      "{from: 2026-07-01, price: 7/TB-month}]},\n"
		      "B: {storage: {price: 1/GB-month, until: 2026-11-22}},\n"
		      "C: {storage: {price: 1/GB-month, until: 2026-11-23}}}}");

	ck_assert_int_eq(month(b, "A", INT64_C(1000000000)), 7000000);
	ck_assert_ptr_null(ebb_price_find(b, NULL, NULL, "B"));
	ck_assert_ptr_nonnull(ebb_price_find(b, NULL, NULL, "C"));
}
END_TEST

START_TEST(currencies_are_converted)
{
	struct ebb_price_books *b = usual();

	add(b, "{version: 1, name: e, date: 2026-11-02, currency: EUR, source: s, confidence: "
	       "list,\n"
	       "rates: [{from: EUR, to: USD, rate: 1.25, date: 2026-11-20, source: ecb},\n"
	       "{from: EUR, to: USD, rate: 9, date: 2026-11-24, source: to come},\n"
	       "{from: EUR, to: USD, rate: 1.5, date: 2026-10-20, source: old}],\n"
	       "classes: {EURO: {storage: 0.1/GiB-month}}}");
	ck_assert_int_eq(month(b, "EURO", GIB), 125000000);
}
END_TEST

START_TEST(discounts_and_waivers)
{
	struct ebb_price_books *b = books(CLOUD);
	const struct ebb_price_class *one = ebb_price_find(b, "p", "r1", "COLD");
	const struct ebb_price_class *two = ebb_price_find(b, "p", "r2", "COLD");
	__int128 before = two->item[EBB_PRICE_STORAGE].tiers[0].atto;

	add(b, "{" HEAD ", provider: p, discounts: [{of: storage, regions: [r1], off: 20%, source: "
	       "\"contract 7\"}],\n"
	       "waivers: [{of: egress, off: 100%, condition: leaving, granted: false},\n"
	       "{of: early_delete, regions: [r2], off: 100%, condition: agreed, granted: true}]}");
	ck_assert(one->item[EBB_PRICE_STORAGE].tiers[0].atto == INT64_C(10000000000000000));
	ck_assert_int_eq(one->item[EBB_PRICE_STORAGE].confidence, EBB_PRICE_CONTRACT);
	ck_assert_str_eq(one->item[EBB_PRICE_STORAGE].source, "contract 7");
	ck_assert(two->item[EBB_PRICE_STORAGE].tiers[0].atto == before);
	ck_assert_int_eq(one->min_days, 30);
	ck_assert_int_eq(two->min_days, 0);
	ck_assert_int_eq(micro(ebb_price_flat(ebb_price_egress(b, "p", "r1", NULL, NULL), GIB, 1)),
			 90000);
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

	check_error(b, "{version: 2}",
		    "p.yaml:1:11: version '2' of price books is unknown; this ebb reads 1");
	check_error(b,
		    "{version: 1, name: a, date: 2026-11-01, source: s, confidence: list,\n"
		    "currency: EUR, classes: {}}",
		    "p.yaml:2:11: this book is in EUR, those before it in USD, and no book has an "
		    "exchange rate");
	check_error(b, "{version: 1, name: a, date: 2026-11-01, source: s, confidence: list, "
		       "currency: usd}",
		    "p.yaml:1:80: 'usd' is no currency; write three capital letters such as USD");
	check_error(b, "{version: 1, name: a, date: 2026-11-01, source: s, confidence: list, "
		       "currency: USX}",
		    "p.yaml:1:80: 'USX' is no currency that is in use (ISO 4217)");
	check_error(b, "{" HEAD ", classes: {\nNVME: {storage_gib_month: -1}}}",
		    "p.yaml:2:27: 'storage_gib_month': a price is not negative");
	check_error(b, "{" HEAD ", classes: {\nNVME: {storage_gib_month: cheap}}}",
		    "p.yaml:2:27: 'storage_gib_month': ");
	check_error(b, "{" HEAD ", classes: {\nNVME: {stroage: 1}}}",
		    "p.yaml:2:8: unknown key 'stroage'");
	check_error(b, "{" HEAD ", classes: {\nSSD: {put: 0}}}", "p.yaml:2:6: ");
	check_error(b, "{" HEAD "}", "p.yaml:1:1: ");
}
END_TEST

#define ONE(figure) "{" HEAD ", classes: {A: {storage:\n" figure "}}}"

START_TEST(figures_that_are_refused)
{
	struct ebb_price_books *b = usual();

	check_error(b, ONE("0.0125"),
		    "p.yaml:2:1: '0.0125' has no unit: this is priced per GiB-month");
	check_error(b, ONE("0.0125/GiB"),
		    "p.yaml:2:1: '0.0125/GiB': this is priced per GiB-month");
	check_error(b, ONE("0.0125/1k"), "p.yaml:2:1: '0.0125/1k': this is priced per GiB-month");
	check_error(b, ONE("cheap/GiB-month"), "p.yaml:2:1: 'cheap' is not a number");
	check_error(b, ONE("0.0000000000000000001/GiB-month"), "p.yaml:2:1: ");
	check_error(b, ONE("99999999/GiB-month"), "p.yaml:2:1: ");
	check_error(b, ONE("[[50TiB, 2/GiB-month]]"),
		    "p.yaml:2:2: volume above the last tier has no price");
	check_error(b, ONE("[[50TiB, 2/GiB-month],\n [40TiB, 3/GiB-month], [rest, 1/GiB-month]]"),
		    "p.yaml:3:2: the tiers overlap: bounds must rise");
	check_error(b, ONE("[[50TiB, 2/GiB-month],\n [rest, 1/GB-month]]"),
		    "p.yaml:3:9: all tiers of a price have one unit, here GiB-month");
	check_error(b, ONE("[{until: 2026-06-30, price: 2/GiB-month},\n"
			   "{from: 2026-06-30, price: 1/GiB-month}]"),
		    "p.yaml:3:1: its days overlap those of line 2");
	check_error(b, ONE("[{until: 2026-06-30, price: 2/GiB-month},\n"
			   "{from: 2026-07-02, price: 1/GiB-month}]"),
		    "p.yaml:3:1: no price for the days between line 2 and this one");
	check_error(b, ONE("{price: 1/GiB-month, from: 2026-07-02, until: 2026-07-01}"),
		    "p.yaml:2:47: ends before it begins");
	check_error(b, "{" HEAD ", classes: {}, rates: [\n"
		       "{from: EUR, to: USD, rate: 1, date: 2026-01-01, source: a},\n"
		       "{from: EUR, to: USD, rate: 2, date: 2026-01-01, source: b}]}",
		    "p.yaml:3:1: there is a rate from EUR to USD for that day already");
	check_error(b, "{" HEAD ", egress: [{from: a, to: b,\nprice: 1/1k}]}",
		    "p.yaml:2:8: '1/1k': this is priced per GiB");
	check_error(b, "{" HEAD ", discounts: [{of: storage,\noff: 101%}]}",
		    "p.yaml:2:6: more than 100% cannot be off");
	check_error(b, "{" HEAD ", waivers: [\n{of: storage, off: 1%, granted: true}]}",
		    "p.yaml:2:1: ");
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
	struct ebb_price_books *b = usual();
	struct ebb_action a = {.id = id, .obj = r, .trash_ns = INT64_C(30) * 86400 * 1000000000};
	struct ebb_cost_ends ends = {.currency = "USD",
				     .from = ebb_price_find(b, NULL, NULL, "NVME")};
	struct ebb_bill bill;
	struct ebb_err err = {0};

	a.to_store = to ? "there" : NULL;
	ends.to = to ? ebb_price_find(b, NULL, NULL, to) : ends.from;
	ends.egress = ebb_price_egress(b, NULL, NULL, "", NULL);
	ebb_buf_clear(why);
	ck_assert_msg(ebb_cost_action(&ends, &a, &bill, why, &err) == 0, "%s", err.msg);
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
	      classes_of_regions_inherit_rules, ways, prices_have_days, currencies_are_converted,
	      discounts_and_waivers, errors, figures_that_are_refused,
	      compression_is_guessed_by_extension, costs_of_actions, other_names_free_nothing,
	      what_is_written_may_cost_more)
