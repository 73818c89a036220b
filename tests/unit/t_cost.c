/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What actions on objects of a provider cost, from the books that ship. */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/date.h"
#include "core/err.h"
#include "core/mem.h"
#include "policies/cost.h"
#include "policies/cost_move.h"
#include "policies/cost_requests.h"
#include "tests/support/shipped.h"
#include "tests/support/unit.h"

#define GIB (INT64_C(1) << 30)

static struct ebb_shipped s;

/* An action and everything it needs; the object is a GiB of nothing in particular. */
struct case_of {
	struct ebb_record rec;
	struct ebb_action a;
	struct ebb_cost_ends ends;
	struct ebb_bill bill;
	char why[512];
};

static const struct ebb_price_class *aws(const char *region, const char *class)
{
	return ebb_price_find(s.books, "aws", region, class);
}

static void start(struct case_of *c, enum ebb_action_id id, const char *from, const char *to)
{
	*c = (struct case_of){.rec = {.key = "a", .key_len = 1}};
	ebb_record_set(&c->rec, EBB_F_SIZE, GIB);
	c->a = (struct ebb_action){.id = id, .store = "here", .obj = &c->rec, .purge = true};
	c->ends = (struct ebb_cost_ends){.from = aws("us-east-1", from),
					 .to = to ? aws("us-east-1", to) : NULL,
					 .currency = "USD"};
}

static void price(struct case_of *c)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf why = EBB_BUF_INIT(500);
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_buf_reserve(&why, 1), 0);
	ck_assert_msg(ebb_cost_action(&c->ends, &c->a, &c->bill, &why, &err) == 0, "%s", err.msg);
	snprintf(c->why, sizeof(c->why), "%s", why.data);
}

START_TEST(a_class_change_in_place_is_a_transition)
{
	struct case_of c;

	start(&c, EBB_ACTION_TIER, "STANDARD", "GLACIER_IR");
	price(&c);
	ck_assert(c.a.priced);
	ck_assert_int_eq(c.a.one_off.nano, 20000);
	ck_assert_int_eq(c.a.saving.nano, 19000000);
	ck_assert_uint_eq(c.bill.n, 3);
	ck_assert_str_eq(c.bill.line[0].what, "transition requests");
}
END_TEST

START_TEST(a_move_up_reads_and_writes)
{
	struct case_of c;

	start(&c, EBB_ACTION_TIER, "GLACIER_IR", "STANDARD");
	c.ends.age_ns = 100 * EBB_DATE_DAY_NS;
	price(&c);
	/* GET 0.00001 + retrieval 0.03 + PUT 0.000005 */
	ck_assert_int_eq(c.a.one_off.nano, 30015000);
	ck_assert_int_eq(c.a.saving.nano, -19000000);
	/* compared byte by byte: GET and retrieval once more */
	start(&c, EBB_ACTION_TIER, "GLACIER_IR", "STANDARD");
	c.ends.age_ns = 100 * EBB_DATE_DAY_NS;
	c.a.verify = EBB_ACTION_BYTES;
	price(&c);
	ck_assert_int_eq(c.a.one_off.nano, 60025000);
}
END_TEST

START_TEST(leaving_early_pays_the_rest)
{
	struct case_of c;

	start(&c, EBB_ACTION_DELETE, "STANDARD_IA", NULL);
	c.ends.age_ns = 10 * EBB_DATE_DAY_NS;
	price(&c);
	ck_assert_int_eq(c.a.one_off.nano, 8333333);
	ck_assert_int_eq(c.a.saving.nano, 12500000);
	/* not known: the whole of it */
	c.ends.age_ns = 0;
	price(&c);
	ck_assert_int_eq(c.a.one_off.nano, 12500000);
	/* lifecycle moves of Google are exempt, rewrites are not */
	struct ebb_cost_move m = {.from = ebb_price_find(s.books, "gcp", "us-east1", "NEARLINE"),
				  .to = ebb_price_find(s.books, "gcp", "us-east1", "ARCHIVE"),
				  .load = ebb_cost_load(1, GIB),
				  .thaw = EBB_COST_THAW};
	ebb_bill_clear(&c.bill);
	ebb_cost_move(&c.bill, &m);
	ck_assert_uint_eq(c.bill.n, 1);
	m.rewritten = true;
	ebb_bill_clear(&c.bill);
	ebb_cost_move(&c.bill, &m);
	ck_assert_str_eq(c.bill.line[0].what, "early deletion");
}
END_TEST

/* Compressing costs time of a core, and later reads fetch less. */
START_TEST(compressing_pays_the_processor_and_reads_fetch_less)
{
	struct case_of c;
	int64_t without, saving;

	start(&c, EBB_ACTION_COMPRESS, "STANDARD_IA", "STANDARD_IA");
	c.rec.key = "a.log";
	c.rec.key_len = 5;
	c.a.codec = "zstd";
	c.a.level = 19;
	c.ends.age_ns = 100 * EBB_DATE_DAY_NS;
	price(&c);
	without = c.a.one_off.nano;
	saving = c.a.saving.nano;
	/* 2^30 bytes at 2 MB/s and back at 500: 539.02 s of 0.0425 USD an hour */
	c.ends.cpu = ebb_price_service(s.books, "aws", "cpu");
	price(&c);
	ck_assert_int_eq(c.a.one_off.nano - without, 6363412);
	ck_assert_int_eq(c.a.saving.nano, saving);
	/* the lowest level costs a tenth and less of it */
	c.a.level = 1;
	price(&c);
	ck_assert_int_lt(c.a.one_off.nano - without, 636341);
	/* read twice in ten days: six times a month, 0.65 GiB less of 0.01 USD each */
	c.ends.now = 1000 * EBB_DATE_DAY_NS;
	ebb_record_set(&c.rec, EBB_F_READS, 2);
	ebb_record_set(&c.rec, EBB_F_WINDOW, 990 * EBB_DATE_DAY_NS);
	price(&c);
	ck_assert_int_gt(c.a.saving.nano - saving, 38000000);
	ck_assert_int_lt(c.a.saving.nano - saving, 39000000);
	/* where evidence covers less than a day nothing is assumed */
	ebb_record_set(&c.rec, EBB_F_WINDOW, 1000 * EBB_DATE_DAY_NS - 1000);
	price(&c);
	ck_assert_int_eq(c.a.saving.nano, saving);
}
END_TEST

START_TEST(another_region_is_paid_for)
{
	struct case_of c;

	start(&c, EBB_ACTION_TIER, "STANDARD", "STANDARD");
	c.a.to_store = "there";
	c.ends.to = aws("eu-west-1", "STANDARD_IA");
	c.ends.egress = ebb_price_egress(s.books, "aws", "us-east-1", "aws", "eu-west-1");
	c.ends.back = ebb_price_egress(s.books, "aws", "eu-west-1", "aws", "us-east-1");
	c.ends.checked = true;
	c.a.verify = EBB_ACTION_CHECKSUM;
	price(&c);
	/* GET 0.0000004 + way 0.02 + PUT 0.00001 */
	ck_assert_int_eq(c.a.one_off.nano, 20010400);
	ck_assert_int_eq(c.a.wire, GIB);
	c.a.verify = EBB_ACTION_SIZE;
	c.ends.checked = false;
	price(&c);
	ck_assert_int_eq(c.a.one_off.nano, 20010400);
	/* read back: GET 0.000001 + retrieval 0.01 + way 0.02; also where a store compares nothing by itself */
	c.a.verify = EBB_ACTION_DIGEST;
	price(&c);
	ck_assert_int_eq(c.a.one_off.nano, 20010400 + 30001000);
	c.a.verify = EBB_ACTION_CHECKSUM;
	price(&c);
	ck_assert_int_eq(c.a.one_off.nano, 20010400 + 30001000);
	/* and the original once more: GET and way again */
	c.a.verify = EBB_ACTION_BYTES;
	price(&c);
	ck_assert_int_eq(c.a.one_off.nano, 20010400 + 30001000 + 20000400);
	/* what is not priced on the way back is not free */
	c.ends.back = NULL;
	price(&c);
	ck_assert(!c.a.priced);
}
END_TEST

START_TEST(compressing_rewrites)
{
	struct case_of c;

	start(&c, EBB_ACTION_COMPRESS, "STANDARD_IA", "STANDARD_IA");
	c.rec.key = "a.log";
	c.rec.key_len = 5;
	c.ends.age_ns = 29 * EBB_DATE_DAY_NS;
	price(&c);
	/* a day of 30 left 0.000416667, GET 0.000001, retrieval 0.01, PUT 0.00001; read back: GET, and 35 % of the retrieval */
	ck_assert_int_eq(c.a.one_off.nano, 416667 + 1000 + 10000000 + 10000 + 1000 + 3500000);
	/* 65 % of the storage */
	ck_assert_int_ge(c.a.saving.nano, 8124999);
	ck_assert_int_le(c.a.saving.nano, 8125001);
}
END_TEST

/* Written twice, looked at, and compared with its copy: only what is in one piece by its tag. */
START_TEST(under_its_own_key_it_is_written_twice)
{
	struct case_of c;
	int64_t beside;

	start(&c, EBB_ACTION_COMPRESS, "STANDARD", "STANDARD");
	c.rec.f[EBB_F_SIZE] = 1 << 20;
	price(&c);
	beside = c.a.one_off.nano;
	c.a.keep_key = true;
	price(&c);
	/* one PUT for it, four for lists and tags, 48 GET */
	ck_assert_int_eq(c.a.one_off.nano - beside, 5 * 5000 + 48 * 400);
	ck_assert_ptr_nonnull(strstr(c.why, "under its own key (Content-Encoding: zstd)"));
	start(&c, EBB_ACTION_COMPRESS, "STANDARD_IA", "STANDARD_IA");
	price(&c);
	beside = c.a.one_off.nano;
	c.a.keep_key = true;
	price(&c);
	/* 0.6 GiB read back once more from there */
	ck_assert_int_gt(c.a.one_off.nano - beside, 6000000);
}
END_TEST

START_TEST(what_has_no_price_is_named)
{
	struct case_of c;

	start(&c, EBB_ACTION_DELETE, "STANDARD_IA", NULL);
	c.ends.from = aws("mars-1", "STANDARD");
	price(&c);
	ck_assert(!c.a.priced);
	ck_assert_ptr_nonnull(strstr(c.why, "; unpriced: no price for the class that it is in"));
	start(&c, EBB_ACTION_TIER, "STANDARD", "STANDARD");
	c.a.to_store = "there";
	price(&c);
	ck_assert_ptr_nonnull(strstr(c.why, "no price for the way to the other store"));
	start(&c, EBB_ACTION_TIER, "STANDARD", "REDUCED_REDUNDANCY");
	price(&c);
	ck_assert(!c.a.priced);
	ck_assert_ptr_nonnull(strstr(c.why, "no price for requests of REDUCED_REDUNDANCY"));
}
END_TEST

START_TEST(what_is_not_sure_is_named)
{
	struct case_of c;

	start(&c, EBB_ACTION_TIER, "STANDARD", "GLACIER_IR");
	price(&c);
	ck_assert_ptr_null(strstr(c.why, "not sure"));
	c.ends.from = ebb_price_find(s.books, "azure", "westeurope", "HOT");
	c.ends.to = ebb_price_find(s.books, "azure", "westeurope", "COOL");
	price(&c);
	ck_assert(c.a.priced);
	ck_assert_ptr_nonnull(strstr(c.why, "; not sure (low): the price of "));
}
END_TEST

START_TEST(large_objects_go_up_in_parts)
{
	struct ebb_bill b;

	ebb_bill_clear(&b);
	ebb_cost_requests_write(&b, EBB_BILL_ONCE, aws("us-east-1", "DEEP_ARCHIVE"),
				ebb_cost_load(1, 10 * GIB));
	ck_assert_uint_eq(b.n, 2);
	/* parts are billed as plain PUTs, whatever the class */
	ck_assert(b.line[1].figure == &aws("us-east-1", "DEEP_ARCHIVE")->item[EBB_PRICE_PART]);
	ck_assert(b.line[1].quantity == 160 + 2);
	ebb_bill_clear(&b);
	ebb_cost_requests_list(&b, EBB_BILL_ONCE, aws("us-east-1", "GLACIER"), 10001);
	ck_assert(b.line[0].quantity == 11);
	ck_assert_str_eq(b.line[0].class->name, "STANDARD");
}
END_TEST

START_TEST(small_objects_of_self_tiering_classes_stay)
{
	const struct ebb_price_class *it = aws("us-east-1", "INTELLIGENT_TIERING");
	struct ebb_bill b;

	ebb_bill_clear(&b);
	ebb_cost_storage_settled(&b, EBB_BILL_AFTER, it, ebb_cost_load(1000, 131071), 0);
	ck_assert_uint_eq(b.n, 1);
	ck_assert(b.line[0].figure == &it->item[EBB_PRICE_STORAGE]);
	/* never read: all in the last place that needs no asking for, and watched */
	ebb_bill_clear(&b);
	ebb_cost_storage_settled(&b, EBB_BILL_AFTER, it, ebb_cost_load(1000, 131072), 0);
	ck_assert_uint_eq(b.n, 2);
	ck_assert(b.line[0].figure == &it->sink[1].storage);
	ck_assert_str_eq(b.line[1].what, "monitoring");
	/* twice a month: 15 days between reads, all in the first */
	ebb_bill_clear(&b);
	ebb_cost_storage_settled(&b, EBB_BILL_AFTER, it, ebb_cost_load(1, 30 * GIB), 2000000);
	ck_assert(b.line[0].quantity == (__int128)30 * GIB * 30000000);
	/* every 60 days: half in the first, half in the second */
	ebb_bill_clear(&b);
	ebb_cost_storage_settled(&b, EBB_BILL_AFTER, it, ebb_cost_load(1, 30 * GIB), 500000);
	ck_assert_uint_eq(b.n, 3);
	ck_assert(b.line[0].quantity == b.line[1].quantity);
}
END_TEST

/* Both copies are read before one goes, and nothing else is paid; a file of one's own costs nothing to read. */
START_TEST(deduplicating_reads_both)
{
	const struct ebb_price_figure *out = ebb_price_egress(s.books, "aws", "us-east-1", "aws", "eu-west-1");
	const struct ebb_price_figure *back = ebb_price_egress(s.books, "aws", "eu-west-1", "aws", "us-east-1");
	struct case_of c;

	start(&c, EBB_ACTION_DEDUP, "STANDARD_IA", NULL);
	c.ends.age_ns = 100 * EBB_DATE_DAY_NS;
	c.a.how = EBB_ACTION_DROP;
	c.a.store = c.a.with_store = "one";
	c.a.with = &c.rec;
	price(&c);
	ck_assert(!c.a.priced);
	c.ends.with = c.ends.from;
	c.ends.apart[0] = c.ends.apart[1] = ebb_price_egress(s.books, "aws", "us-east-1", "aws", "us-east-1");
	price(&c);
	ck_assert(c.a.priced);
	/* twice a GiB at 0.01 USD and a GET at 0.001 USD a thousand */
	ck_assert_int_eq(c.a.one_off.nano, 2 * (10000000 + 1000));
	ck_assert_int_eq(c.a.saving.nano, 12500000);
	/* between regions the way of both is paid, 0.02 USD a GiB each */
	c.a.with_store = "two";
	c.ends.with = aws("eu-west-1", "STANDARD_IA");
	c.ends.apart[0] = out;
	c.ends.apart[1] = back;
	price(&c);
	ck_assert_int_eq(c.a.one_off.nano, 2 * (10000000 + 1000) + 2 * 20000000);
	c.a.how = EBB_ACTION_REFLINK;
	price(&c);
	ck_assert_int_eq(c.a.one_off.nano, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_class_change_in_place_is_a_transition,
		a_move_up_reads_and_writes,
		leaving_early_pays_the_rest,
		another_region_is_paid_for,
		compressing_rewrites,
		under_its_own_key_it_is_written_twice,
		compressing_pays_the_processor_and_reads_fetch_less,
		deduplicating_reads_both,
		what_has_no_price_is_named,
		what_is_not_sure_is_named,
		large_objects_go_up_in_parts,
		small_objects_of_self_tiering_classes_stay,
	};

	ebb_shipped_load(&s);
	return ebb_unit_run("cost", tests, EBB_ARRAY_LEN(tests));
}
