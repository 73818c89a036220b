/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdint.h>
#include <stdio.h>

#include "core/mem.h"
#include "policies/holding.h"
#include "tests/support/shipped.h"
#include "tests/support/unit.h"

#define GIB (INT64_C(1) << 30)

static struct ebb_shipped s;
static struct ebb_holding h;

static void add(const char *class, int64_t kind, int64_t size)
{
	struct ebb_record r = {.key = "k", .key_len = 1};

	ebb_record_set(&r, EBB_F_KIND, kind);
	ebb_record_set(&r, EBB_F_SIZE, size);
	ebb_holding_add(&h, class, &r);
}

static struct ebb_holding_sum price(unsigned kinds)
{
	return ebb_holding_price(&h, s.books, "aws", "us-east-1", kinds);
}

static int64_t nano(__int128 atto)
{
	struct ebb_money m;

	ck_assert_int_eq(ebb_bill_money(atto, "USD", &m, NULL), 0);
	return m.nano;
}

START_TEST(sizes_are_priced_as_objects_are)
{
	const struct ebb_price_class *ia = ebb_price_find(s.books, "aws", "us-east-1", "STANDARD_IA");
	__int128 each = 0;

	ebb_holding_clear(&h);
	for (int64_t size = 1000; size < 400000; size += 1111) {
		struct ebb_bill b;

		add("STANDARD_IA", EBB_KIND_FILE, size);
		ebb_bill_clear(&b);
		ebb_cost_storage(&b, EBB_BILL_BEFORE, ia, ebb_cost_load(1, size), EBB_COST_MONTH);
		each += ebb_bill_sum(&b, EBB_BILL_BEFORE);
	}
	ck_assert_int_eq(nano(price(EBB_HOLDING_SEEN).month), nano(each));
}
END_TEST

START_TEST(hidden_things_are_apart)
{
	struct ebb_holding_sum seen, hidden;

	ebb_holding_clear(&h);
	add("STANDARD", EBB_KIND_FILE, GIB);
	add("STANDARD", EBB_KIND_VERSION, 2 * GIB);
	add("GLACIER", EBB_KIND_UPLOAD, GIB);
	add("STANDARD", EBB_KIND_MARKER, 0);
	seen = price(EBB_HOLDING_SEEN);
	hidden = price(EBB_HOLDING_HIDDEN);
	ck_assert_int_eq(seen.all.objects, 1);
	ck_assert_int_eq(nano(seen.month), 23000000);
	ck_assert_int_eq(hidden.all.objects, 3);
	/* parts of an upload lie in STANDARD, whatever they are for */
	ck_assert_int_eq(nano(hidden.month), 3 * 23000000);
	ck_assert_int_eq(hidden.unpriced.objects, 0);
}
END_TEST

START_TEST(what_has_no_price_is_counted)
{
	struct ebb_holding_sum seen;

	ebb_holding_clear(&h);
	add("STANDARD", EBB_KIND_FILE, GIB);
	add("NO_SUCH", EBB_KIND_FILE, GIB);
	add(NULL, EBB_KIND_FILE, GIB);
	seen = price(EBB_HOLDING_SEEN);
	ck_assert_int_eq(seen.all.objects, 3);
	ck_assert_int_eq(seen.unpriced.objects, 2);
	ck_assert_int_eq(nano(seen.month), 23000000);
}
END_TEST

START_TEST(classes_beyond_the_table_are_unpriced)
{
	static char names[EBB_HOLDING_ROWS + 2][16];

	ebb_holding_clear(&h);
	for (int i = 0; i < EBB_HOLDING_ROWS + 2; i++) {
		snprintf(names[i], sizeof(names[i]), "C%d", i);
		add(names[i], EBB_KIND_FILE, 5);
	}
	ck_assert_int_eq(price(EBB_HOLDING_SEEN).all.objects, EBB_HOLDING_ROWS + 2);
	ck_assert_int_eq(price(EBB_HOLDING_SEEN).unpriced.objects, EBB_HOLDING_ROWS + 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		sizes_are_priced_as_objects_are,
		hidden_things_are_apart,
		what_has_no_price_is_counted,
		classes_beyond_the_table_are_unpriced,
	};

	ebb_shipped_load(&s);
	return ebb_unit_run("holding", tests, EBB_ARRAY_LEN(tests));
}
