/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "agent/books.h"
#include "core/err.h"
#include "core/mem.h"
#include "tests/support/shipped.h"
#include "tests/support/unit.h"

START_TEST(all_books_are_read)
{
	struct ebb_shipped s;

	ebb_shipped_load(&s);
	ck_assert_str_eq(ebb_price_currency(s.books), "USD");
	ck_assert_uint_gt(ebb_price_count(s.books), 500);
	ebb_shipped_release(&s);
}
END_TEST

START_TEST(aws_has_its_regions_and_classes)
{
	static const char *const classes[] = {"STANDARD",   "INTELLIGENT_TIERING",
					      "STANDARD_IA", "ONEZONE_IA",
					      "GLACIER_IR",  "GLACIER",
					      "DEEP_ARCHIVE"};
	struct ebb_shipped s;
	int regions = 0;

	ebb_shipped_load(&s);
	for (size_t i = 0; i < ebb_price_count(s.books); i++) {
		const struct ebb_price_class *c = ebb_price_get(s.books, i);

		if (strcmp(c->provider, "aws") != 0 || strcmp(c->name, "STANDARD") != 0 ||
		    strcmp(c->region, "*") == 0)
			continue;
		regions++;
		for (size_t k = 0; k < EBB_ARRAY_LEN(classes); k++) {
			const struct ebb_price_class *o =
				ebb_price_find(s.books, "aws", c->region, classes[k]);

			ck_assert_msg(o != NULL, "%s in %s", classes[k], c->region);
			ck_assert_ptr_eq(o->standard, c);
			ck_assert(ebb_price_known(&o->item[EBB_PRICE_PUT]));
			ck_assert(ebb_price_known(&o->item[EBB_PRICE_GET]));
			ck_assert(ebb_price_known(&o->item[EBB_PRICE_RETRIEVAL]));
			ck_assert(k == 0 || ebb_price_known(&o->item[EBB_PRICE_TRANSITION]));
			ck_assert(!o->offline ||
				  ebb_price_known(&o->restore[EBB_PRICE_BULK].retrieval));
			ck_assert(o->item[EBB_PRICE_STORAGE].source != NULL);
		}
	}
	ck_assert_int_eq(regions, 32);
	ebb_shipped_release(&s);
}
END_TEST

/* A way's price per GiB (10^-6), -1 when it has none. */
static int64_t way(const struct ebb_shipped *s, const char *provider, const char *from,
		   const char *to_provider, const char *to)
{
	const struct ebb_price_figure *f =
		ebb_price_egress(s->books, provider, from, to_provider, to);

	return f ? (int64_t)(ebb_price_flat(f, INT64_C(1) << 30, 1) / INT64_C(1000000000000)) : -1;
}

START_TEST(ways_cost_what_the_grids_say)
{
	struct ebb_shipped s;

	ebb_shipped_load(&s);
	ck_assert_int_eq(way(&s, "aws", "us-east-1", "aws", "us-east-2"), 10000);
	ck_assert_int_eq(way(&s, "aws", "us-east-1", "aws", "eu-west-1"), 20000);
	ck_assert_int_eq(way(&s, "aws", "sa-east-1", "aws", "eu-west-1"), 138000);
	ck_assert_int_eq(way(&s, "aws", "me-central-1", "aws", "ap-southeast-7"), 110500);
	ck_assert_int_eq(way(&s, "aws", "me-central-1", NULL, NULL), 110000);
	ck_assert_int_eq(way(&s, "aws", "af-south-1", "azure", "westeurope"), 154000);
	ck_assert_int_eq(way(&s, "aws", "us-east-1", "cloudfront", NULL), 0);
	ck_assert_int_eq(way(&s, "aws", "ap-southeast-4", "aws", "us-east-1"), -1);
	ck_assert_int_eq(way(&s, "gcp", "us-east1", "gcp", "europe-west1"), 50000);
	ck_assert_int_eq(way(&s, "gcp", "asia-southeast2", "gcp", "australia-southeast1"), 80000);
	ck_assert_int_eq(way(&s, "gcp", "us-east1", "internet", "australia"), 190000);
	ck_assert_int_eq(way(&s, "gcp", "us-east1", "aws", "us-east-1"), 120000);
	ck_assert_int_eq(way(&s, "azure", "eastus", "azure", "westeurope"), 50000);
	ck_assert_int_eq(way(&s, "azure", "uksouth", "azure", "westeurope"), 20000);
	ck_assert_int_eq(way(&s, "azure", "brazilsouth", NULL, NULL), 181000);
	ck_assert_int_eq(way(&s, "r2", NULL, "aws", "us-east-1"), 0);
	ebb_shipped_release(&s);
}
END_TEST

START_TEST(what_is_not_sure_is_marked)
{
	struct ebb_shipped s;
	const struct ebb_price_class *c;

	ebb_shipped_load(&s);
	c = ebb_price_find(s.books, "azure", "us-sample", "ARCHIVE");
	ck_assert_int_eq(c->item[EBB_PRICE_STORAGE].confidence, EBB_PRICE_SAMPLE);
	c = ebb_price_find(s.books, "azure", "westeurope", "COOL");
	ck_assert_int_eq(c->item[EBB_PRICE_STORAGE].confidence, EBB_PRICE_LOW);
	ck_assert_ptr_null(ebb_price_find(s.books, "azure", "westeurope", "ARCHIVE"));
	c = ebb_price_find(s.books, NULL, NULL, "NVME");
	ck_assert_int_eq(c->item[EBB_PRICE_STORAGE].confidence, EBB_PRICE_SAMPLE);
	ck_assert_int_eq(ebb_price_service(s.books, "aws", "cpu")->confidence, EBB_PRICE_LOW);
	ebb_shipped_release(&s);
}
END_TEST

EBB_UNIT_MAIN("books", all_books_are_read, aws_has_its_regions_and_classes,
	      ways_cost_what_the_grids_say, what_is_not_sure_is_marked)
