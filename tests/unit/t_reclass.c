/* SPDX-License-Identifier: GPL-3.0-or-later */
/* class: auto and class: NAME in rules: what is chosen from a summary, what is refused and why. */
#include "policies/reclass.h"

#include <string.h>

#include "core/mem.h"
#include "policies/decide.h"
#include "tests/support/flow.h"
#include "tests/support/s3_tariff.h"
#include "tests/support/unit.h"

#define DAY (INT64_C(86400) * 1000000000)
#define NOW (20000 * DAY)
#define GIB (INT64_C(1) << 30)

static struct ebb_arena arena;
static const struct ebb_rules_store stores[] = {
	{.name = "lake", .class = "STANDARD", .provider = "aws", .region = "r"},
	{.name = "disk", .class = "NVME"},
	{.name = "sea", .class = "STANDARD", .provider = "aws", .region = "s"},
};

#define BOOK                                                                                       \
	"{version: 1, name: t, provider: aws, date: 2024-01-01, currency: USD, source: test, "      \
	"confidence: list, regions: {r: {"                                                          \
	"STANDARD: {storage: 0.023/GiB-month, put: 0.005/1k, get: 0.0004/1k, retrieval: 0}, "      \
	"STANDARD_IA: {storage: 0.0125/GiB-month, put: 0.01/1k, get: 0.001/1k, transition: "       \
	"0.01/1k, retrieval: 0.01/GiB, min_days: 30, min_bytes: 128KiB}, "                          \
	"ONEZONE_IA: {storage: 0.001/GiB-month, put: 0.01/1k, get: 0.001/1k, transition: "         \
	"0.01/1k, retrieval: 0.01/GiB, min_days: 30, min_bytes: 128KiB}, "                          \
	"GLACIER_IR: {storage: 0.004/GiB-month, put: 0.02/1k, get: 0.01/1k, transition: 0.02/1k, " \
	"retrieval: 0.03/GiB, min_days: 90, min_bytes: 128KiB}, "                                   \
	"DEEP_ARCHIVE: {storage: 0.00099/GiB-month, put: 0.05/1k, get: 0.0004/1k, transition: "    \
	"0.05/1k, retrieval: 0, min_days: 180, overhead: 32KiB, overhead_standard: 8KiB, offline: "\
	"true}}, "                                                                                  \
	"s: {STANDARD: {storage: 0.023/GiB-month, put: 0.005/1k, get: 0.0004/1k, retrieval: 0}, "   \
	"INTELLIGENT_TIERING: {storage: 0.023/GiB-month, put: 0.005/1k, get: 0.0004/1k, transition: "\
	"0.01/1k, retrieval: 0, monitoring: 0.0025/1k-month, monitored_from: 128KiB, "              \
	"sinks: [{after: 30d, storage: 0.0125/GiB-month}, {after: 90d, storage: 0.004/GiB-month}]}}}}"

static const struct ebb_tree_node *tree(const char *text)
{
	struct ebb_err err = {0};
	const struct ebb_tree_node *t = ebb_flow_parse(&arena, "ebb.yaml", text, &err);

	ck_assert_msg(t != NULL, "%s", err.msg);
	return t;
}

static struct ebb_decide *decider(const char *rules_text)
{
	struct ebb_price_books *b = ebb_price_books_new(&arena, NOW);
	struct ebb_decide *d = NULL;
	struct ebb_rules *rules = NULL;
	struct ebb_err err = {0};

	ck_assert_msg(ebb_price_books_add(b, tree(BOOK), &err) == 0, "%s", err.msg);
	ck_assert_msg(ebb_rules_compile(&arena, tree(rules_text), NULL, stores,
					EBB_ARRAY_LEN(stores), &rules, &err) == 0,
		      "%s", err.msg);
	ck_assert_int_eq(ebb_decide_new(&arena, rules, b, NOW, &d, NULL), 0);
	return d;
}

static struct ebb_record object(int64_t size, int64_t idle_days)
{
	struct ebb_record r = {.key = "k", .key_len = 1};

	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, size);
	ebb_record_set(&r, EBB_F_MTIME, NOW - 900 * DAY);
	ebb_record_set(&r, EBB_F_FLAGS, 0);
	if (idle_days >= 0) {
		ebb_record_set(&r, EBB_F_ATIME, NOW - idle_days * DAY);
		ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_ATIME);
	}
	return r;
}

/* What becomes of an object under the first rule. */
static struct ebb_action of(struct ebb_decide *d, const char *store, const struct ebb_record *r,
			    enum ebb_decide_refusal expect)
{
	enum ebb_decide_refusal refusal = EBB_REFUSE_COUNT;
	struct ebb_action a = {0};
	struct ebb_err err = {0};

	ck_assert_msg(ebb_decide_one(d, 0, store, r, &a, &refusal, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(ebb_decide_refusal_name(refusal), ebb_decide_refusal_name(expect));
	return a;
}

#define AUTO "[{name: a, store: lake, do: tier, class: auto}]"

START_TEST(quiet_decides)
{
	struct ebb_decide *d = decider(AUTO);
	struct ebb_record r = object(100 * GIB, 20);
	struct ebb_action a;

	of(d, "lake", &r, EBB_REFUSE_CHEAPEST);
	/* 1.05 a month for 70 days is more than twice 1.00 and the fees; GLACIER_IR would need 6.00 */
	r = object(100 * GIB, 70);
	a = of(d, "lake", &r, EBB_REFUSE_NONE);
	ck_assert_str_eq(a.to_class, "STANDARD_IA");
	ck_assert(!a.to_store);
	ck_assert_int_eq(a.freed, 0);
	ck_assert_int_eq(a.wire, 0);
	ck_assert_int_eq(a.one_off.nano, 10000);	/* a transition */
	ck_assert_msg(strstr(a.why, "expected so for 70 days"), "%s", a.why);
	/* a year: 1.90 a month, less 6.00 for the return */
	r = object(100 * GIB, 800);
	a = of(d, "lake", &r, EBB_REFUSE_NONE);
	ck_assert_str_eq(a.to_class, "GLACIER_IR");
	ck_assert_int_gt(a.saving.nano, 1300000000);
	ck_assert_int_lt(a.saving.nano, 1900000000);
	ebb_decide_free(d);
}
END_TEST

START_TEST(what_is_read_decides)
{
	struct ebb_decide *d = decider(AUTO);
	struct ebb_record r = object(100 * GIB, 1);

	/* read yesterday, and nearly nothing of it in a year */
	ebb_record_set(&r, EBB_F_WINDOW, NOW - 365 * DAY);
	ebb_record_set(&r, EBB_F_RBYTES, GIB);
	ck_assert_str_eq(of(d, "lake", &r, EBB_REFUSE_NONE).to_class, "GLACIER_IR");
	/* all of it every other day */
	ebb_record_set(&r, EBB_F_RBYTES, 18000 * GIB);
	of(d, "lake", &r, EBB_REFUSE_CHEAPEST);
	ebb_decide_free(d);
}
END_TEST

/* A class that tiers by itself takes up what is read, however little that is and nothing that it costs. */
START_TEST(what_is_read_does_not_sink)
{
	struct ebb_decide *d = decider("[{name: a, store: sea, do: tier, class: auto}]");
	struct ebb_record r = object(100 * GIB, 0);

	ebb_record_set(&r, EBB_F_WINDOW, NOW - 200 * DAY);
	ebb_record_set(&r, EBB_F_RBYTES, 200 * 100 * GIB);
	of(d, "sea", &r, EBB_REFUSE_CHEAPEST);
	r = object(100 * GIB, 200);
	ck_assert_str_eq(of(d, "sea", &r, EBB_REFUSE_NONE).to_class, "INTELLIGENT_TIERING");
	ebb_decide_free(d);
}
END_TEST

START_TEST(without_evidence_it_stays)
{
	struct ebb_decide *d = decider(AUTO);
	struct ebb_record r = object(100 * GIB, -1);

	of(d, "lake", &r, EBB_REFUSE_UNKNOWN);
	ebb_decide_free(d);
}
END_TEST

START_TEST(small_objects_stay)
{
	struct ebb_decide *d = decider(AUTO);
	struct ebb_record r = object(20 << 10, 800);

	/* billed as 128 KiB */
	of(d, "lake", &r, EBB_REFUSE_CHEAPEST);
	ebb_decide_free(d);
}
END_TEST

START_TEST(named_classes)
{
	struct ebb_decide *d = decider("[{name: a, store: lake, do: tier, class: DEEP_ARCHIVE}]");
	struct ebb_record r = object(GIB, 800);
	struct ebb_action a = of(d, "lake", &r, EBB_REFUSE_NONE);

	ck_assert_str_eq(a.to_class, "DEEP_ARCHIVE");
	ck_assert_int_eq(a.one_off.nano, 50000);
	ebb_decide_free(d);

	d = decider("[{name: a, store: lake, do: tier, class: STANDARD}]");
	r = object(GIB, 800);
	of(d, "lake", &r, EBB_REFUSE_POINTLESS);
	ebb_decide_free(d);
}
END_TEST

START_TEST(small_objects_go_in_packs)
{
	struct ebb_decide *d = decider("[{name: a, store: lake, do: tier, class: DEEP_ARCHIVE}]");
	struct ebb_record r = object(20 << 10, 800);
	struct ebb_action a = of(d, "lake", &r, EBB_REFUSE_LOSS);
	struct ebb_bundle b = {0};

	/* 40 KiB of overhead, 8 of them at the dear rate, on 20 KiB: 0.00000021 a month for 0.00005 */
	ck_assert_int_eq(a.one_off.nano, 50000);
	ck_assert_int_gt(a.saving.nano, 200);
	ck_assert_int_lt(a.saving.nano, 230);
	ck_assert_int_eq(ebb_decide_offer(d, 0, &b, NULL), 0);

	/* ten million of them, 190.7 GiB: a GET each, a PUT a pack, read back by a GET for each 8 MiB and two a pack; 4.387 a month less 0.1888 and 0.00004 */
	struct ebb_price_books *books = ebb_price_books_new(&arena, NOW);
	ck_assert_int_eq(ebb_price_books_add(books, tree(BOOK), NULL), 0);
	ck_assert_int_eq(ebb_bundle_price(ebb_price_find(books, "aws", "r", "STANDARD"),
					  ebb_price_find(books, "aws", "r", "DEEP_ARCHIVE"), 10000000,
					  INT64_C(204800000000), "USD", &b, NULL),
			 1);
	ck_assert_int_eq(b.packs, 191);
	ck_assert_int_eq(b.one_off.nano, 4000000000 + 191 * 50000 + INT64_C(204800000000) * 400 / (8 << 20) + 191 * 2 * 400);
	ck_assert_int_gt(b.saving.nano, 4190000000);
	ck_assert_int_lt(b.saving.nano, 4200000000);
	ebb_decide_free(d);
}
END_TEST

START_TEST(no_prices_no_choice)
{
	struct ebb_decide *d = decider("[{name: a, store: disk, do: tier, class: auto}]");
	struct ebb_record r = object(GIB, 800);

	of(d, "disk", &r, EBB_REFUSE_UNPRICED);
	ebb_decide_free(d);
}
END_TEST

static void refused(const char *rules_text, const char *message)
{
	struct ebb_rules *rules = NULL;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_rules_compile(&arena, tree(rules_text), NULL, stores,
					   EBB_ARRAY_LEN(stores), &rules, &err),
			 -EBB_ECONFIG);
	ck_assert_msg(strstr(err.msg, message), "%s", err.msg);
}

START_TEST(rules_are_checked)
{
	refused("[{name: a, store: lake, do: tier, class: auto, to: disk}]",
		"'to' and 'class' exclude each other");
	refused("[{name: a, store: lake, do: compress, class: auto}]",
		"'class' belongs to 'tier', not to 'compress'");
	refused("[{name: a, store: lake, do: tier}]", "needs 'to', the store to move to, or 'class'");
	refused("[{name: a, store: lake, do: tier, class: \"\"}]", "'class' must not be empty");
}
END_TEST

EBB_UNIT_MAIN("reclass", quiet_decides, what_is_read_decides, what_is_read_does_not_sink, without_evidence_it_stays,
	      small_objects_stay, named_classes, small_objects_go_in_packs, no_prices_no_choice, rules_are_checked)
