/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Worked examples with known results, from the books that ship through the code that prices plans.
 * Some are printed by the providers: E1 (AWS, understanding your usage report), E4e and E16 (Google
 * Cloud Storage pricing examples), E15 (Cloudflare R2 pricing). The others are sums on list prices.
 * A result agrees within one unit of its last digit.
 *
 * Not of the model: the counts of byte-hours (E1) and the share saved (E8) are sums of the test; the
 * price of E4g is that of 2012, met today in another class; the claim that E14 corrects.
 */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "core/date.h"
#include "core/err.h"
#include "core/mem.h"
#include "policies/cost_requests.h"
#include "policies/cost_retention.h"
#include "policies/quote.h"
#include "tests/support/shipped.h"
#include "tests/support/unit.h"

#define KIB (INT64_C(1) << 10)
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)
#define TIB (INT64_C(1) << 40)
#define DAY EBB_DATE_DAY_NS
#define MILLION INT64_C(1000000)

static struct ebb_shipped s;

static void setup(void)
{
	ebb_shipped_load(&s);
}

static const struct ebb_price_class *class_in(const char *provider, const char *region,
					      const char *name)
{
	const struct ebb_price_class *c = ebb_price_find(s.books, provider, region, name);

	ck_assert_msg(c != NULL, "%s %s %s has no price", provider, region, name);
	return c;
}

static const struct ebb_price_class *aws(const char *name)
{
	return class_in("aws", "us-east-1", name);
}

/* @value (10^-18) is the number that @want says, within one unit of its last digit. */
static void expect(__int128 value, const char *want, const char *what)
{
	char got[EBB_DECIMAL_TEXT];
	struct ebb_decimal d;
	__int128 unit = 1, off;

	ck_assert_int_eq(ebb_decimal_parse(want, &d, NULL), 0);
	for (const char *p = strchr(want, '.'); p && p[1]; p++)
		unit *= 10;
	unit = (__int128)MILLION * MILLION * MILLION / unit;
	for (; d.scale < EBB_PRICE_DIGITS; d.scale++)
		d.mant *= 10;
	off = value > d.mant ? value - d.mant : d.mant - value;
	ck_assert_msg(off <= unit, "%s: got %s, want %s", what, ebb_bill_text(value, got), want);
}

static __int128 whole(int64_t n)
{
	return (__int128)n * MILLION * MILLION * MILLION;
}

/* A quote of the test's own kind: from STANDARD, never read, old enough. */
static struct ebb_quote quote(int64_t objects, int64_t size, const struct ebb_price_class *from,
			      const struct ebb_price_class *to)
{
	return (struct ebb_quote){.load = ebb_cost_load(objects, size),
				  .from = from,
				  .to = to,
				  .age_ns = -1,
				  .stored = -1,
				  .thaw = EBB_COST_THAW};
}

static struct ebb_bill bill_of(struct ebb_quote q)
{
	struct ebb_bill b;

	ebb_quote_bill(&q, &b);
	ck_assert_ptr_null(b.missing);
	return b;
}

static __int128 saving(struct ebb_quote q)
{
	struct ebb_bill b = bill_of(q);

	return ebb_bill_sum(&b, EBB_BILL_BEFORE) - ebb_bill_sum(&b, EBB_BILL_AFTER);
}

static __int128 once(struct ebb_quote q)
{
	struct ebb_bill b = bill_of(q);

	return ebb_bill_sum(&b, EBB_BILL_ONCE);
}

/* Storage of a span. */
static __int128 keep(const struct ebb_price_class *c, struct ebb_cost_load load,
		     struct ebb_cost_span span)
{
	struct ebb_bill b;

	ebb_bill_clear(&b);
	ebb_cost_storage(&b, EBB_BILL_ONCE, c, load, span);
	ck_assert_ptr_null(b.missing);
	return ebb_bill_sum(&b, EBB_BILL_ONCE);
}

#define MONTHS(n) ((struct ebb_cost_span){n, 1})

START_TEST(e1_byte_hours_and_tiers)
{
	__int128 byte_hours = (__int128)100 * GIB * 15 * 24 + (__int128)100 * TIB * 16 * 24;
	struct ebb_quote q = quote(52900, GIB, aws("STANDARD"), aws("STANDARD"));
	struct ebb_bill b;

	ck_assert(byte_hours == INT64_C(42259901212262400));
	expect(whole((int64_t)(byte_hours / GIB)) / 744, "52900.0", "E1.gb_months");
	expect(ebb_cost_storage_byte_hours(aws("STANDARD"), byte_hours, 744, 0), "1215.0", "E1.usd");
	/* The same as a quote that counts tiers. */
	q.stored = 0;
	b = bill_of(q);
	expect(ebb_bill_sum(&b, EBB_BILL_BEFORE), "1215.0", "E1 as a quote");
}
END_TEST

static const struct {
	const char *class;
	int64_t size;
	const char *saving;	/* of a million objects a month */
	const char *months;	/* NULL: never */
	const char *days;
} e2[] = {
	{"STANDARD_IA", 16 * KIB, "-1.174927", NULL, NULL},
	{"STANDARD_IA", 64 * KIB, "-0.12207", NULL, NULL},
	{"STANDARD_IA", 128 * KIB, "1.281738", "7.801905", "234.0571"},
	{"STANDARD_IA", 256 * KIB, "2.563477", "3.900952", "117.0286"},
	{"STANDARD_IA", MIB, "10.253906", "0.975238", "29.2571"},
	{"STANDARD_IA", 100 * MIB, "1025.390625", "0.009752", "0.2926"},
	{"STANDARD_IA", GIB, "10500.0", "0.000952", "0.0286"},
	{"GLACIER_IR", 16 * KIB, "-0.137329", NULL, NULL},
	{"GLACIER_IR", 64 * KIB, "0.915527", "21.845333", "655.36"},
	{"GLACIER_IR", 128 * KIB, "2.319336", "8.623158", "258.6947"},
	{"GLACIER_IR", 256 * KIB, "4.638672", "4.311579", "129.3474"},
	{"GLACIER_IR", MIB, "18.554688", "1.077895", "32.3368"},
	{"GLACIER_IR", 100 * MIB, "1855.46875", "0.010779", "0.3234"},
	{"GLACIER_IR", GIB, "19000.0", "0.001053", "0.0316"},
	{"GLACIER", 16 * KIB, "0.010681", "2808.685714", "84260.5714"},
	{"GLACIER", 64 * KIB, "0.898743", "33.379966", "1001.399"},
	{"GLACIER", 128 * KIB, "2.082825", "14.403516", "432.1055"},
	{"GLACIER", 256 * KIB, "4.450989", "6.740075", "202.2023"},
	{"GLACIER", MIB, "18.659973", "1.607719", "48.2316"},
	{"GLACIER", 100 * MIB, "1894.245911", "0.015837", "0.4751"},
	{"GLACIER", GIB, "19399.714661", "0.001546", "0.0464"},
	{"DEEP_ARCHIVE", 16 * KIB, "0.130157", "384.150059", "11524.5018"},
	{"DEEP_ARCHIVE", 64 * KIB, "1.137695", "43.948498", "1318.4549"},
	{"DEEP_ARCHIVE", 128 * KIB, "2.481079", "20.152522", "604.5756"},
	{"DEEP_ARCHIVE", 256 * KIB, "5.167847", "9.67521", "290.2563"},
	{"DEEP_ARCHIVE", MIB, "21.288452", "2.348691", "70.4607"},
	{"DEEP_ARCHIVE", 100 * MIB, "2149.208374", "0.023264", "0.6979"},
	{"DEEP_ARCHIVE", GIB, "22009.794312", "0.002272", "0.0682"},
};

START_TEST(e2_break_even_by_size)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(e2); i++) {
		struct ebb_quote q = quote(MILLION, e2[i].size, aws("STANDARD"), aws(e2[i].class));
		struct ebb_bill b = bill_of(q);
		int64_t months = -1;

		expect(saving(q), e2[i].saving, e2[i].class);
		ck_assert_int_eq(ebb_bill_break_even(&b, &months), e2[i].months != NULL);
		if (!e2[i].months)
			continue;
		expect(whole(months) / MILLION, e2[i].months, e2[i].class);
		expect(whole(months) / MILLION * 30, e2[i].days, e2[i].class);
		/* One object alone says the same, to nine digits. */
		b = bill_of(quote(1, e2[i].size, aws("STANDARD"), aws(e2[i].class)));
		ck_assert(ebb_bill_break_even(&b, &months));
		expect(whole(months) / MILLION, e2[i].months, e2[i].class);
	}
}
END_TEST

/* Months until one object of @size has paid its way, in millionths; INT64_MAX: never. */
static int64_t pays(const char *class, int64_t size)
{
	struct ebb_bill b = bill_of(quote(1, size, aws("STANDARD"), aws(class)));
	int64_t months;

	return ebb_bill_break_even(&b, &months) ? months : INT64_MAX;
}

START_TEST(e2_smallest_objects)
{
	static const struct {
		const char *class;
		int64_t cheaper;	/* the smallest size whose storage costs less */
		int64_t months, within;	/* ... that repays within the minimum duration */
		int64_t within12;	/* ... within a year */
	} t[] = {
		/* 71234.78, 22795.13, 15792.82 and 10034.36 bytes, and so on: the next whole byte */
		{"STANDARD_IA", 71235, 1, 1022612, 110139},
		{"GLACIER_IR", 22796, 3, 376752, 100603},
		{"GLACIER", 15793, 3, 569268, 154162},
		{"DEEP_ARCHIVE", 10035, 6, 416570, 213303},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(t); i++) {
		const struct ebb_price_class *to = aws(t[i].class);

		ck_assert(saving(quote(1, t[i].cheaper, aws("STANDARD"), to)) > 0);
		ck_assert(saving(quote(1, t[i].cheaper - 1, aws("STANDARD"), to)) <= 0);
		ck_assert_int_le(pays(t[i].class, t[i].within), t[i].months * MILLION);
		ck_assert_int_gt(pays(t[i].class, t[i].within - 1), t[i].months * MILLION);
		ck_assert_int_le(pays(t[i].class, t[i].within12), 12 * MILLION);
		ck_assert_int_gt(pays(t[i].class, t[i].within12 - 1), 12 * MILLION);
	}
}
END_TEST

/* Reads a month (millionths) up to which a large object saves. */
static void expect_reads(const char *class, int64_t reads)
{
	struct ebb_quote q = quote(1, 5 * TIB, aws("STANDARD"), aws(class));

	q.reads = reads - 2;
	ck_assert(saving(q) > 0);
	q.reads = reads + 2;
	ck_assert(saving(q) < 0);
}

START_TEST(e2_reads_kill_it)
{
	expect_reads("STANDARD_IA", 1050000);
	expect_reads("GLACIER_IR", 633333);
}
END_TEST

/* What is left to pay when objects go @days after they came. */
static __int128 early(const struct ebb_price_class *c, int64_t bytes, int64_t days)
{
	struct ebb_quote q = quote(1, bytes, c, NULL);

	q.age_ns = days * DAY;
	return once(q);
}

START_TEST(e4_early_deletion)
{
	const struct ebb_price_class *nearline = class_in("gcp", "us-central1", "NEARLINE");

	expect(early(aws("GLACIER"), 500 * GIB, 30), "3.6", "E4.a");
	expect(early(aws("STANDARD_IA"), TIB, 10), "8.533333", "E4.b");
	expect(early(aws("DEEP_ARCHIVE"), 10 * TIB, 45), "45.6192", "E4.c");
	expect(early(aws("GLACIER_IR"), 2 * TIB, 1), "24.302933", "E4.d");
	expect(keep(nearline, ebb_cost_load(1, 1000 * GIB), ebb_cost_days(15)), "5.0", "E4.e storage");
	expect(early(nearline, 1000 * GIB, 15), "5.0", "E4.e fee");
	expect(early(class_in("azure", "us-sample", "ARCHIVE"), 1000 * GIB, 90), "6.0", "E4.f");
	/* 5,306,220 objects at the price of 2012, which is that of another class today */
	expect(once(quote(5306220, GIB, aws("STANDARD"), aws("DEEP_ARCHIVE"))), "265.311", "E4.g");
}
END_TEST

/* An hour of a core compresses at 400 MiB/s. */
static __int128 cpu(__int128 bytes)
{
	return ebb_price_flat(ebb_price_service(s.books, "aws", "cpu"), bytes, 400 * MIB);
}

START_TEST(e5_compress_then_tier)
{
	const struct ebb_price_class *standard = aws("STANDARD"), *da = aws("DEEP_ARCHIVE");
	struct ebb_cost_load all = ebb_cost_load(10240, GIB), packed = ebb_cost_load(10240, GIB / 4);
	struct ebb_cost_move m = {.from = standard,
				  .to = da,
				  .load = all,
				  .written = packed.bytes,
				  .thaw = EBB_COST_THAW};
	__int128 tier = once(quote(10240, GIB, standard, da)) + keep(da, all, MONTHS(12)), squeezed;
	struct ebb_bill b;

	expect(keep(standard, all, MONTHS(12)), "2826.24", "E5.stay_standard_12m");
	expect(tier, "122.1885", "E5.A_tier_only_12m");
	expect(cpu(all.bytes), "0.309476", "E5.cpu");
	ebb_bill_clear(&b);
	ebb_cost_move(&b, &m);
	squeezed = ebb_bill_sum(&b, EBB_BILL_ONCE) + cpu(all.bytes) + keep(da, packed, MONTHS(12));
	expect(squeezed, "31.2636", "E5.B_compress4_then_DA_12m");
	expect(tier - squeezed, "90.9248", "E5.B_saving");
}
END_TEST

/* Sum of the lines called @what. */
static __int128 lines(const struct ebb_bill *b, const char *what)
{
	__int128 sum = 0;

	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->line[i].what, what) == 0)
			sum += b->line[i].amount;
	return sum;
}

/* Compress what lies in an archive class: its bill, with the processor's time. */
static struct ebb_bill archived(int64_t days)
{
	const struct ebb_price_class *da = aws("DEEP_ARCHIVE");
	struct ebb_cost_load all = ebb_cost_load(10240, GIB), packed = ebb_cost_load(10240, GIB / 4);
	struct ebb_cost_move m = {.from = da,
				  .to = da,
				  .load = all,
				  .written = packed.bytes,
				  .age_ns = days * DAY,
				  .thaw = EBB_COST_THAW};
	struct ebb_bill b;

	ebb_bill_clear(&b);
	ebb_cost_move(&b, &m);
	ebb_bill_add(&b, EBB_BILL_ONCE, "processor", NULL, ebb_price_service(s.books, "aws", "cpu"),
		     all.bytes, 400 * MIB);
	ebb_cost_storage(&b, EBB_BILL_BEFORE, da, all, EBB_COST_MONTH);
	ebb_cost_storage(&b, EBB_BILL_AFTER, da, packed, EBB_COST_MONTH);
	ck_assert_ptr_null(b.missing);
	return b;
}

START_TEST(e5_compress_what_is_archived)
{
	struct ebb_bill b = archived(180);
	int64_t months;

	expect(lines(&b, "restore requests") + lines(&b, "bytes restored"), "25.856", "E5.C restore");
	expect(lines(&b, "restored copies"), "15.7013", "E5.C_temp_copy_2days");
	expect(ebb_bill_sum(&b, EBB_BILL_ONCE), "42.3829", "E5.C_total_no_early_delete");
	expect(ebb_bill_sum(&b, EBB_BILL_BEFORE) - ebb_bill_sum(&b, EBB_BILL_AFTER), "7.6032",
	       "E5.C_saving_month");
	ck_assert(ebb_bill_break_even(&b, &months));
	expect(whole(months) / MILLION, "5.5744", "E5.C_breakeven_months");
	b = archived(60);
	expect(lines(&b, "early deletion"), "40.5504", "E5.C_early_delete_if_day60");
	ck_assert(ebb_bill_break_even(&b, &months));
	expect(whole(months) / MILLION, "10.9077", "E5.C_breakeven_months_if_day60");
}
END_TEST

static __int128 way(const char *from, const char *to)
{
	const struct ebb_price_figure *f = ebb_price_egress(s.books, "aws", from, "aws", to);

	ck_assert_ptr_nonnull(f);
	return ebb_price_flat(f, 40 * TIB, 1);
}

START_TEST(e8_one_source_three_destinations)
{
	static const char *const eu[] = {"eu-west-1", "eu-central-1", "eu-north-1"};
	__int128 direct = 0, fan = way("sa-east-1", eu[0]), near = 0;

	for (int i = 0; i < 3; i++) {
		direct += way("sa-east-1", eu[i]);
		near += way("us-east-1", eu[i]);
		fan += i ? way(eu[0], eu[i]) : 0;
	}
	expect(direct, "16957.44", "E8.sa_to_3eu_direct");
	expect(fan, "7290.88", "E8.sa_to_3eu_multicast");
	expect((direct - fan) * 100 / (direct / MILLION / MILLION) * MILLION, "57.0048",
	       "E8.saving_pct");
	expect(near, "2457.6", "E8.use1_to_3eu_direct");
}
END_TEST

START_TEST(e14_small_objects_in_an_archive)
{
	struct ebb_bill b = bill_of(quote(1000 * MILLION, KIB, aws("STANDARD"), aws("DEEP_ARCHIVE")));
	__int128 own = 0, standard = 0;

	for (size_t i = 0; i < b.n; i++)
		if (b.line[i].side == EBB_BILL_AFTER) {
			if (b.line[i].class == aws("STANDARD"))
				standard += b.line[i].amount;
			else
				own += b.line[i].amount;
		}
	expect(own, "31.1565", "E14.da_part");
	expect(standard, "175.4761", "E14.std_part");
	expect(ebb_bill_sum(&b, EBB_BILL_AFTER), "206.6326", "E14.total_month");
	expect(ebb_bill_sum(&b, EBB_BILL_BEFORE), "21.9345", "E14.standard_month");
	expect(ebb_bill_sum(&b, EBB_BILL_ONCE), "50000.0", "E14.transition");
	/* An article says 40.61, by charging all overhead at the archive's rate. */
	ck_assert(ebb_bill_sum(&b, EBB_BILL_AFTER) > whole(4061) / 100 * 5);
}
END_TEST

START_TEST(e15_rounding_up)
{
	struct ebb_quote q = quote(1000, 1000 * MILLION, class_in("r2", NULL, "STANDARD"), NULL);
	struct ebb_bill b;

	const struct ebb_price_class *plain = class_in("r2", NULL, "STANDARD");
	const struct ebb_price_class *ia = class_in("r2", NULL, "STANDARD_IA");
	const int64_t gb = 1000 * MILLION;
	__int128 sum;

	expect(ebb_price_marginal(&plain->item[EBB_PRICE_STORAGE], 0, 1000 * gb), "14.85",
	       "E15.r2_std");
	q.stored = 0;
	b = bill_of(q);
	expect(ebb_bill_sum(&b, EBB_BILL_BEFORE), "14.85", "E15.r2_std as a quote");
	/* kept for five days, and gone */
	sum = keep(ia, ebb_cost_load(1, 1000 * gb), ebb_cost_days(5)) + early(ia, 1000 * gb, 5);
	sum += ebb_price_marginal(&ia->item[EBB_PRICE_PUT], 0, 1000);
	sum += ebb_price_marginal(&ia->item[EBB_PRICE_GET], 0, 1000);
	sum += ebb_price_marginal(&ia->item[EBB_PRICE_RETRIEVAL], 0, 1000 * gb);
	expect(sum, "29.9", "E15.r2_ia");
	expect(ebb_price_marginal(&plain->item[EBB_PRICE_GET], 0, 300 * MILLION), "104.4",
	       "E15.r2_asset");
}
END_TEST

START_TEST(e16_simple_month_of_gcs)
{
	const struct ebb_price_class *c = class_in("gcp", "us-east1", "STANDARD");
	const struct ebb_price_figure *out = ebb_price_egress(s.books, "gcp", "us-east1", NULL, NULL);
	__int128 sum = keep(c, ebb_cost_load(1, 50 * GIB), EBB_COST_MONTH);

	sum += ebb_price_marginal(&c->item[EBB_PRICE_PUT], 0, 10000);
	sum += ebb_price_marginal(&c->item[EBB_PRICE_GET], 0, 50000);
	sum += ebb_price_marginal(out, 0, GIB);
	expect(sum, "1.19", "E16.gcs_simple");
}
END_TEST

START_TEST(e19_leftovers)
{
	expect(keep(aws("STANDARD"), ebb_cost_load(1, 5 * TIB), MONTHS(6)), "706.56",
	       "E19.mpu_5TiB_6months");
	expect(keep(aws("STANDARD"), ebb_cost_load(3, 10 * TIB), EBB_COST_MONTH), "706.56",
	       "E19.noncurrent");
}
END_TEST

START_TEST(e20_units)
{
	const struct ebb_price_class *c = aws("STANDARD");
	const struct ebb_price_figure *f = &c->item[EBB_PRICE_STORAGE];
	__int128 wrong = ebb_price_flat(f, (__int128)MILLION * GIB, 1);
	__int128 right = ebb_price_flat(f, (__int128)1000 * MILLION * MILLION, 1);
	__int128 bytes = 100 * GIB;

	expect(wrong, "23000.0", "E20.1PB_decimal_as_GB_wrong");
	expect(right, "21420.42", "E20.1PB_decimal_gib_flat");
	expect(wrong * MILLION / right * MILLION * MILLION, "1.073742", "E20.ratio");
	expect(ebb_cost_storage_byte_hours(c, bytes * 28 * 24, 28 * 24, 0), "2.3", "E20.feb");
	expect(ebb_cost_storage_byte_hours(c, bytes * 30 * 24, 31 * 24, 0), "2.225806",
	       "E20.100GiB_30_of_31_days");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		e1_byte_hours_and_tiers, e2_break_even_by_size, e2_smallest_objects,
		e2_reads_kill_it, e4_early_deletion, e5_compress_then_tier,
		e5_compress_what_is_archived, e8_one_source_three_destinations,
		e14_small_objects_in_an_archive, e15_rounding_up, e16_simple_month_of_gcs,
		e19_leftovers, e20_units,
	};

	setup();
	return ebb_unit_run("examples", tests, EBB_ARRAY_LEN(tests));
}
