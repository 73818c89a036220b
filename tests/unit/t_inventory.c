/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compress/digest.h"
#include "core/mem.h"
#include "core/units.h"
#include "scanners/inventory_csv.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#define DAY (INT64_C(86400) * 1000000000)
#define CREATED INT64_C(1514944800000)

static struct ebb_record got[64];
static char keys[64][200];
static size_t n;
static struct ebb_err err;
static const char *scratch;

static int on_class(void *ctx, const char *name, int64_t *ret, struct ebb_err *e)
{
	(void)ctx;
	(void)e;
	*ret = ebb_record_class_code(name);
	return 0;
}

static int on_record(void *ctx, const struct ebb_record *r, struct ebb_err *e)
{
	(void)ctx;
	(void)e;
	ck_assert_uint_lt(n, 64);
	got[n] = *r;
	memcpy(keys[n], r->key, r->key_len);
	keys[n][r->key_len] = '\0';
	n++;
	return 0;
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[600];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void sum_of(const char *text, char out[33])
{
	uint8_t sum[16];

	ck_assert_int_eq(ebb_digest_of(&ebb_digest_md5, text, strlen(text), sum, NULL), 0);
	ebb_digest_hex(sum, sizeof(sum), out);
}

/* A report with two data files, as AWS lays it out; returns the path of its manifest. */
static const char *report(const char *schema, const char *a, const char *b, bool wrong_sum)
{
	static char path[600];
	static int number;
	char dir[300], manifest[4096], name[512], sa[33], sb[33], checksum[33];

	scratch = scratch ? scratch : ebb_scratch_new();
	snprintf(dir, sizeof(dir), "%s/%d", scratch, number++);
	mkdir(dir, 0700);

	snprintf(name, sizeof(name), "%s/data", dir);
	mkdir(name, 0700);
	snprintf(name, sizeof(name), "%s/2018-01-03T02-00Z", dir);
	mkdir(name, 0700);
	put(dir, "data/a.csv", a);
	put(dir, "data/b.csv", b);
	sum_of(a, sa);
	sum_of(wrong_sum ? "other" : b, sb);
	snprintf(manifest, sizeof(manifest),
		 "{\"sourceBucket\":\"lake\",\"destinationBucket\":\"arn:aws:s3:::inv\",\"version\":\"2016-11-30\",\"creationTimestamp\":"
		 "\"1514944800000\",\"fileFormat\":\"CSV\",\"fileSchema\":\"%s\",\"files\":[{\"key\":\"x/lake/cfg/data/a.csv\",\"size\":1,"
		 "\"MD5checksum\":\"%s\"},{\"key\":\"x/lake/cfg/data/b.csv\",\"size\":2,\"MD5checksum\":\"%s\"}]}",
		 schema, sa, sb);
	put(name, "manifest.json", manifest);
	sum_of(manifest, checksum);
	put(name, "manifest.checksum", checksum);
	snprintf(path, sizeof(path), "%s/manifest.json", name);
	return path;
}

static int read_report(const char *manifest, const char *prefix)
{
	const struct ebb_inventory_opts o = {.manifest = manifest, .bucket = "lake", .prefix = prefix, .tmp = scratch, .memory = 1 << 20};
	const struct ebb_inventory_fns fns = {.class = on_class, .record = on_record};
	struct ebb_inventory_result res = {0};

	n = 0;
	err = (struct ebb_err){0};
	return ebb_inventory_read(&o, &fns, &res, &err);
}

#define SCHEMA "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, IntelligentTieringAccessTier"

START_TEST(rows_become_records_in_key_order)
{
	const char *m = report(SCHEMA,
			       "\"lake\",\"b+c%2B%C3%A9\",\"v2\",\"true\",\"false\",\"10\",\"2017-12-01T00:00:00.000Z\","
			       "\"d41d8cd98f00b204e9800998ecf8427e\",\"INTELLIGENT_TIERING\",\"INFREQUENT\"\n"
			       "\"lake\",\"b+c%2B%C3%A9\",\"v1\",\"false\",\"false\",\"9\",\"2017-11-01T00:00:00.000Z\",\"x\",\"STANDARD\",\"\"\n",
			       "\"lake\",\"a\",\"m\",\"true\",\"true\",\"\",\"2017-12-02T00:00:00.000Z\",\"\",\"\",\"\"\r\n"
			       "\"lake\",\"a\"\"q\",\"v\",\"true\",\"false\",\"0\",\"2017-12-02T00:00:00.000Z\",\"\",\"STANDARD\",\"FREQUENT\"",
			       false);
	int64_t when;

	ck_assert_msg(read_report(m, NULL) == 0, "%s", err.msg);
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(got[0].f[EBB_F_KIND], EBB_KIND_MARKER);
	ck_assert_str_eq(keys[0], "a"); /* and, behind a NUL, its version */
	ck_assert_str_eq(keys[1], "a\"q");
	ck_assert_str_eq(keys[2], "b c+\xc3\xa9");
	ck_assert_int_eq(got[2].f[EBB_F_KIND], EBB_KIND_FILE);
	ck_assert_int_eq(got[2].f[EBB_F_SIZE], 10);
	ck_assert_int_eq(got[2].f[EBB_F_PARTS], 0);
	ck_assert_int_eq(got[2].f[EBB_F_CLASS], ebb_record_class_code("INTELLIGENT_TIERING"));
	ck_assert_int_eq(ebb_units_parse_time("2017-12-01T00:00:00Z", &when, NULL), 0);
	ck_assert_int_eq(got[2].f[EBB_F_MTIME], when);
	ck_assert_int_eq(got[2].f[EBB_F_EVIDENCE], EBB_EVIDENCE_TIER);
	ck_assert_int_eq(got[2].f[EBB_F_UNTIL], CREATED * 1000000);
	ck_assert_int_eq(got[2].f[EBB_F_ATIME], CREATED * 1000000 - 30 * DAY);
	ck_assert_int_eq(ebb_record_idle(&got[2], CREATED * 1000000 + DAY, EBB_TRUST_CERTAIN).lo, 30 * DAY);
	ck_assert_int_eq(got[3].f[EBB_F_KIND], EBB_KIND_VERSION);
	ck_assert_int_eq(got[3].f[EBB_F_EVIDENCE], EBB_EVIDENCE_MTIME);
	ck_assert_int_eq(ebb_record_idle(&got[1], CREATED * 1000000, EBB_TRUST_CERTAIN).lo, 0); /* frequent: nothing is said */
}
END_TEST

START_TEST(a_prefix_is_cut_off)
{
	const char *m = report("Bucket, Key, Size", "lake,p/a,1\nlake,p/,1\n", "lake,q,1\nlake,p%2Fb,2\n", false);

	ck_assert_int_eq(read_report(m, "p/"), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(keys[0], "a");
	ck_assert_str_eq(keys[1], "b");
	ck_assert(!ebb_record_has(&got[0], EBB_F_MTIME));
}
END_TEST

static void refuses(const char *manifest, const char *why)
{
	ck_assert_int_eq(read_report(manifest, NULL), -EBB_ESTORE);
	ck_assert_msg(strstr(err.msg, why) != NULL, "%s", err.msg);
}

START_TEST(what_is_wrong_is_refused)
{
	refuses(report("Bucket, Key", "lake,a\n", "lake,b\n", true), "has MD5");
	refuses(report("Bucket, Key", "lake,a\nlake\n", "", false), "a.csv:2: this row cannot be read");
	refuses(report("Bucket, Key", "lake,a\nlake,%zz\n", "", false), "a.csv:2: this row cannot be read");
	refuses(report("Bucket, Key", "pond,a\n", "", false), "another bucket");
	refuses(report("Bucket, Key", "lake,a\n", "lake,a\n", false), "'a' stands there twice");
	refuses(report("Key, Size", "a,1\n", "", false), "columns");
	char *m = strdup(report("Bucket, Key", "lake,a\n", "", false));
	FILE *f = fopen(m, "a");

	fputs(" ", f);
	fclose(f);
	refuses(m, "manifest.checksum");
	free(m);
}
END_TEST

/* A manifest is somebody's word: no file elsewhere is opened for it, and nothing that would wait. */
START_TEST(a_key_leads_nowhere_else)
{
	static const char manifest[] =
		"{\"sourceBucket\":\"lake\",\"creationTimestamp\":\"1514944800000\",\"fileFormat\":\"CSV\",\"fileSchema\":\"Bucket, Key\","
		"\"files\":[{\"key\":\"%s\",\"size\":1}]}";
	char dir[600], path[700], text[900];

	snprintf(dir, sizeof(dir), "%s", report("Bucket, Key", "", "", false));
	*strrchr(dir, '/') = '\0';
	snprintf(path, sizeof(path), "%s/manifest.checksum", dir);
	unlink(path);
	put(scratch, "secret", "lake,x\n");
	snprintf(path, sizeof(path), "%s/manifest.json", dir);
	for (const char *const *key = (const char *const[]){"a/../../../secret", "../../secret", "..", NULL}; *key; key++) {
		snprintf(text, sizeof(text), manifest, *key);
		put(dir, "manifest.json", text);
		refuses(path, "is neither beside it nor");
	}
	snprintf(text, sizeof(text), "%s/pipe", dir);
	ck_assert_int_eq(mkfifo(text, 0600), 0);
	snprintf(text, sizeof(text), manifest, "pipe");
	put(dir, "manifest.json", text);
	refuses(path, "is neither beside it nor");
}
END_TEST

START_TEST(tiers_by_name)
{
	static const struct {
		const char *name;
		int days;
	} tiers[] = {{"FREQUENT", 0}, {"INFREQUENT", 30}, {"ARCHIVE_INSTANT_ACCESS", 90}, {"ARCHIVE", 90}, {"DEEP_ARCHIVE", 180}, {"NEW", -1}};

	for (size_t i = 0; i < EBB_ARRAY_LEN(tiers); i++)
		ck_assert_int_eq(ebb_inventory_csv_tier_days((struct ebb_inventory_csv_text){tiers[i].name, strlen(tiers[i].name)}), tiers[i].days);
}
END_TEST

EBB_UNIT_MAIN("inventory", rows_become_records_in_key_order, a_prefix_is_cut_off, what_is_wrong_is_refused, a_key_leads_nowhere_else, tiers_by_name)
