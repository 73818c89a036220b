/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/config.h"
#include "tests/support/unit.h"

/* 2026-11-23 */
#define NOW (INT64_C(1795392000) * 1000000000)

static void file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static int load(const char *text, struct ebb_config **ret, struct ebb_err *err)
{
	file("c.yaml", text);
	return ebb_config_load("c.yaml", NOW, ret, err);
}

static void expect_error(const char *text, const char *message)
{
	struct ebb_config *c = NULL;
	struct ebb_err err = {0};

	ck_assert_int_eq(load(text, &c, &err), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, message);
	ck_assert_ptr_null(c);
}

#define STORES "version: 1\nstores:\n  a: {type: fs, path: /a}\n"

START_TEST(everything_is_read)
{
	struct ebb_config *c = NULL;
	struct ebb_err err = {0};

	mkdir("sub", 0700);
	file("sub/p.yaml", "version: 1\nname: mine\ndate: 2026-11-01\ncurrency: USD\nsource: s\nconfidence: contract\n"
			   "classes: {HDD: {storage_gib_month: 0.01, source: s}}\n");
	file("sub/c.yaml",
	     "version: 1\n"
	     "stores:\n"
	     "  a: {type: fs, path: /a, class: HDD, site: s1, jurisdiction: AE, one_file_system: false}\n"
	     "  b.2: {type: fs, path: /b, exclude: ['x/**', '*.o']}\n"
	     "prices: [./p.yaml]\n"
	     "rules:\n"
	     "  - {name: r, when: 'idle > 90d', do: tier, to: b.2}\n"
	     "limits: {max_delete: 5%, max_objects: 10, max_bytes: 2GiB, max_cost: 1.5 USD, max_errors: 0, window: 'Mon-Fri 20:00-06:00'}\n");
	ck_assert_msg(ebb_config_load("sub/c.yaml", NOW, &c, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(c->nstores, 2);
	ck_assert_str_eq(c->stores[0].open.path, "/a");
	ck_assert_str_eq(c->stores[0].class, "HDD");
	ck_assert_str_eq(c->stores[0].jurisdiction, "AE");
	ck_assert(!c->stores[0].one_file_system);
	ck_assert(c->stores[1].one_file_system);
	ck_assert_str_eq(c->stores[1].exclude[1], "*.o");
	ck_assert_ptr_null(c->stores[1].exclude[2]);
	ck_assert_ptr_eq(ebb_config_store(c, "b.2"), &c->stores[1]);
	ck_assert_ptr_null(ebb_config_store(c, "b"));
	ck_assert_str_eq(c->rule_stores[0].site, "s1");
	ck_assert_int_eq(c->rule_stores[1].line, 4);
	ck_assert_uint_eq(ebb_rules_count(c->rules), 1);
	ck_assert_str_eq(ebb_price_currency(c->prices), "USD");
	ck_assert_int_eq(c->limits.max_delete, -1);
	ck_assert_int_eq(c->limits.max_delete_ppm, 50000);
	ck_assert_int_eq(c->limits.max_objects, 10);
	ck_assert_int_eq(c->limits.max_bytes, INT64_C(2) << 30);
	ck_assert_int_eq(c->limits.max_cost.nano, 1500000000);
	ck_assert_int_eq(c->limits.max_errors, 0);
	ck_assert_str_eq(c->limits.window, "Mon-Fri 20:00-06:00");
	ebb_config_free(c);
}
END_TEST

START_TEST(defaults_hold)
{
	struct ebb_config *c = NULL;

	ck_assert_int_eq(load(STORES, &c, NULL), 0);
	ck_assert_uint_eq(ebb_rules_count(c->rules), 0);
	ck_assert_str_eq(ebb_price_currency(c->prices), "");
	ck_assert_int_eq(c->limits.max_delete, -1);
	ck_assert_int_eq(c->limits.max_delete_ppm, 500000);
	ck_assert_int_eq(c->limits.max_objects, -1);
	ck_assert_int_eq(c->limits.max_bytes, -1);
	ck_assert_str_eq(c->limits.max_cost.currency, "");
	ck_assert_int_eq(c->limits.max_errors, 100);
	ck_assert_ptr_null(c->limits.window);
	ebb_config_free(c);
	ebb_config_free(NULL);
}
END_TEST

START_TEST(digests_tell_files_apart)
{
	struct ebb_config *a = NULL, *b = NULL;

	ck_assert_int_eq(load(STORES, &a, NULL), 0);
	ck_assert_int_eq(load(STORES "# other\n", &b, NULL), 0);
	ck_assert_mem_ne(a->rules_digest, b->rules_digest, 32);
	ck_assert_mem_eq(a->prices_digest, b->prices_digest, 32);
	ebb_config_free(a);
	ebb_config_free(b);
}
END_TEST

START_TEST(a_count_of_deletions_keeps_the_share)
{
	struct ebb_config *c = NULL;

	ck_assert_int_eq(load(STORES "limits: {max_delete: 7}\n", &c, NULL), 0);
	ck_assert_int_eq(c->limits.max_delete, 7);
	ck_assert_int_eq(c->limits.max_delete_ppm, 500000);
	ebb_config_free(c);
}
END_TEST

START_TEST(errors_have_place_and_remedy)
{
	expect_error(STORES "rule: []\n", "c.yaml:4:1: unknown key 'rule'; did you mean 'rules'?");
	expect_error("version: 2\nstores: {}\n",
		     "c.yaml:1:10: version 2 is not known here: this ebb reads version 1; take a newer ebb");
	expect_error("stores: {}\n", "c.yaml:1:1: key 'version' is missing");
	expect_error("version: 1\nstores: {}\n", "c.yaml:2:9: no store is declared");
	expect_error("version: 1\nstores:\n  a b: {type: fs, path: /a}\n",
		     "c.yaml:3:3: 'a b' cannot name a store: take up to 63 letters, digits, '-', '_' and '.'");
	expect_error("version: 1\nstores:\n  a: {type: fs, path: a}\n",
		     "c.yaml:3:23: 'path' must be absolute, beginning with '/', not 'a'");
	expect_error("version: 1\nstores:\n  a: {type: fs, path: /x}\n  b: {type: fs, path: /x}\n",
		     "c.yaml:4:23: store 'a' has the same path, '/x'");
	expect_error("version: 1\nstores:\n  a: {type: fs, path: /x, clas: HDD}\n",
		     "c.yaml:3:27: unknown key 'clas'; did you mean 'class'?");
	expect_error(STORES "limits: {max_delete: 101%}\n",
		     "c.yaml:4:22: 'max_delete': 101% is more than there is");
	expect_error(STORES "prices: [nosuch]\n",
		     "c.yaml:4:10: no price book called 'nosuch' ships with ebb (EBB_PRICES names their folder); a file of yours is named by its path, "
		     "'./nosuch'");
	expect_error(STORES "prices: [./nosuch.yaml]\n",
		     "c.yaml:4:10: cannot open price book './nosuch.yaml': No such file or directory");
}
END_TEST

START_TEST(units_are_checked)
{
	static const char *const bad[] = {"max_bytes: 10TeB", "max_bytes: 3d", "max_objects: 1.5",
					  "max_cost: 5", "max_errors: -1", "window: 'Mon 20:00'",
					  "max_delete: 5 %%", "max_cost: 5 usd"};
	char text[200];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ebb_config *c = NULL;
		struct ebb_err err = {0};

		snprintf(text, sizeof(text), STORES "limits: {%s}\n", bad[i]);
		ck_assert_msg(load(text, &c, &err) == -EBB_ECONFIG, "%s", bad[i]);
		ck_assert_int_eq(strncmp(err.msg, "c.yaml:4:", 9), 0);
	}
}
END_TEST

START_TEST(books_that_ship_are_found_by_name)
{
	struct ebb_config *c = NULL;

	mkdir("books", 0700);
	file("books/mine.yaml", "version: 1\nname: mine\ndate: 2026-11-01\ncurrency: EUR\nsource: s\nconfidence: sample\n"
				"classes: {HDD: {storage_gib_month: 0.01, source: s}}\n");
	setenv("EBB_PRICES", "books", 1);
	ck_assert_int_eq(load(STORES "prices: [mine]\n", &c, NULL), 0);
	ck_assert_str_eq(ebb_price_currency(c->prices), "EUR");
	ebb_config_free(c);
	expect_error(STORES "prices: [mine]\nlimits: {max_cost: 5 USD}\n",
		     "c.yaml:5:20: 'max_cost' is in USD, the prices are in EUR");
}
END_TEST

START_TEST(stores_have_the_prices_of_their_place)
{
	struct ebb_config *c = NULL;
	struct ebb_err err = {0};

	mkdir("books", 0700);
	file("books/p.yaml", "{version: 1, name: p, provider: aws, date: 2026-11-01, currency: USD, source: s, confidence: list,\n"
			     "regions: {me-central-1: {STANDARD: {storage: 0.025/GiB-month}, GLACIER: {storage: 0.004/GiB-month}}}}\n");
	setenv("EBB_PRICES", "books", 1);
	ck_assert_msg(load("version: 1\nstores:\n"
			   "  lake: {type: s3, bucket: lake, region: me-central-1}\n"
			   "  own: {type: s3, bucket: own, endpoint: 'http://h', region: me-central-1}\n"
			   "  mount: {type: fs, path: /m, provider: aws, region: me-central-1, class: GLACIER}\n"
			   "prices: [p]\n",
			   &c, &err) == 0,
		      "%s", err.msg);
	/* A bucket without endpoint is at AWS. */
	ck_assert_ptr_eq(c->stores[0].price, ebb_price_find(c->prices, "aws", "me-central-1", "STANDARD"));
	ck_assert_ptr_nonnull(c->stores[0].price);
	ck_assert_str_eq(c->rule_stores[0].provider, "aws");
	ck_assert_str_eq(c->rule_stores[0].region, "me-central-1");
	ck_assert_ptr_null(c->stores[1].price);
	ck_assert_ptr_eq(c->stores[2].price, ebb_price_find(c->prices, "aws", "me-central-1", "GLACIER"));
	ck_assert_ptr_nonnull(c->stores[2].price);
	ck_assert_str_eq(c->books[0], "books/p.yaml");
	ck_assert_ptr_null(c->books[1]);
	ebb_config_free(c);
	unsetenv("EBB_PRICES");
}
END_TEST

START_TEST(nights_are_read)
{
	struct ebb_config *c = NULL;
	struct ebb_err err = {0};

	ck_assert_msg(load("version: 1\n"
			   "stores: {a: {type: fs, path: /a, watermark: {high: 90%, low: 79.5%}}}\n"
			   "limits: {approve_above: {bytes: 1MiB, deletions: 7}}\n"
			   "run: {hash: all, empty_trash: true, reports: ['r/{date}.focus.csv', /x/ebb.prom]}\n"
			   "schedule: {at: ['02:30', '23:59'], days: 'Sat,Sun', zone: UTC, jitter: 10min, watch: 5s}\n", &c,
			   &err) == 0, "%s", err.msg);
	ck_assert_int_eq(c->stores[0].watermark_high, 900000);
	ck_assert_int_eq(c->stores[0].watermark_low, 795000);
	ck_assert_int_eq(c->limits.approve_bytes, 1 << 20);
	ck_assert_int_eq(c->limits.approve_deletions, 7);
	ck_assert_int_eq(c->limits.approve_cost, -1);
	ck_assert_str_eq(c->night.hash, "all");
	ck_assert(c->night.empty_trash && c->night.scheduled);
	ck_assert_str_eq(c->night.reports[0], "r/{date}.focus.csv");
	ck_assert_str_eq(ebb_config_night_format(c->night.reports[0]), "focus");
	ck_assert_str_eq(ebb_config_night_format(c->night.reports[1]), "prom");
	ck_assert_ptr_null(c->night.reports[2]);
	ck_assert_uint_eq(c->night.schedule.n, 2);
	ck_assert_int_eq(c->night.schedule.at[1], 23 * 60 + 59);
	ck_assert_uint_eq(c->night.schedule.days, 1 << 6 | 1 << 0);
	ck_assert_int_eq(c->night.schedule.jitter, INT64_C(600) * 1000000000);
	ck_assert_int_eq(c->night.watch, INT64_C(5) * 1000000000);
	ebb_config_free(c);
	c = NULL;
	ck_assert_int_eq(load(STORES, &c, NULL), 0);
	ck_assert(!c->night.scheduled && !c->night.empty_trash && !c->night.reports && !c->stores[0].watermark_high);
	ck_assert_str_eq(c->night.hash, "none");
	ebb_config_free(c);
}
END_TEST

START_TEST(what_is_wrong_with_a_night_is_told)
{
	expect_error(STORES "schedule: {days: Mon}\n", "c.yaml:4:11: key 'at' is missing");
	expect_error(STORES "schedule: {at: '24:00'}\n", "c.yaml:4:16: 'at': time '24:00' is not of the form \"02:30\"");
	expect_error(STORES "schedule: {at: '02:30', days: Mo}\n",
		     "c.yaml:4:31: days 'Mo' are not of the form \"Mon-Fri\" or \"Sat,Sun\"");
	expect_error(STORES "schedule: {at: '02:30', jitter: 13h}\n", "c.yaml:4:33: 'jitter' lies between 0s and 12h");
	expect_error(STORES "schedule: {at: '02:30', zone: Mars/Base}\n",
		     "c.yaml:4:31: no time zone called 'Mars/Base' is in /usr/share/zoneinfo: take UTC or a name such as Europe/Berlin (package tzdata)");
	expect_error(STORES "run: {reports: [a.pdf]}\n",
		     "c.yaml:4:17: 'a.pdf' tells no format: let it end in .html, .md, .json, .csv, .focus.csv, .prom or .txt");
	expect_error(STORES "limits: {approve_above: {cost: 5 USD}}\n",
		     "c.yaml:4:32: 'cost' is in USD, the prices are in no currency: there is no price book");
	expect_error("version: 1\nstores: {a: {type: fs, path: /a, watermark: {high: 80%, low: 80%}}}\n",
		     "c.yaml:2:45: a watermark needs a 'low' from 1% on that is below 'high', and 'high' at most 99%");
}
END_TEST

EBB_UNIT_MAIN("config", everything_is_read, defaults_hold, digests_tell_files_apart,
	      a_count_of_deletions_keeps_the_share, errors_have_place_and_remedy, units_are_checked,
	      books_that_ship_are_found_by_name, nights_are_read, what_is_wrong_with_a_night_is_told,
	      stores_have_the_prices_of_their_place)
