/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/alloc.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/support/flow.h"
#include "tests/support/unit.h"

#define DAY (INT64_C(86400) * 1000000000)
#define NOW (20780 * DAY)

static struct ebb_arena arena;
static struct ebb_err err;
static struct ebb_names *names;	/* of the test's process */
static const struct ebb_rules_store stores[] = {
	{.name = "disk", .class = "HDD", .jurisdiction = "AE"},
	{.name = "lake", .class = "STANDARD"},
	{.name = "odd"},
};

static struct ebb_rules *rules(void)
{
	struct ebb_rules *r = NULL;
	const struct ebb_tree_node *sets = ebb_flow_parse(&arena, "ebb.yaml",
		"[{match: \"runs/{project}/**\", team: research}, {match: \"logs/**\", labels: {env: prod}}]", &err);

	ck_assert_msg(sets && ebb_rules_compile(&arena, NULL, sets, stores, 3, &r, &err) == 0, "%s", err.msg);
	return r;
}

static struct ebb_price_books *books(void)
{
	struct ebb_price_books *b = ebb_price_books_new(&arena, NOW);
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "p.yaml",
		"{version: 1, name: site, date: 2026-11-01, currency: USD, source: test, confidence: list, classes: {"
		"HDD: {storage_gib_month: 0.01}, STANDARD: {storage_gib_month: 0.023},"
		"COLD: {storage_gib_month: 0.004, min_bytes: 128KiB}}}", &err);

	ck_assert_msg(doc && ebb_price_books_add(b, doc, &err) == 0, "%s", err.msg);
	return b;
}

struct object {
	const char *key;
	int64_t size, kind, flags, age_days;
	const char *class;
};

/* Allocate objects of one store as one block. */
static void count(struct ebb_alloc *a, const char *store, const struct object *o, size_t n)
{
	struct ebb_block_builder *b = ebb_block_builder_new();
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf bytes = EBB_BUF_INIT(1 << 20);
	struct ebb_block block;

	for (size_t i = 0; i < n; i++) {
		struct ebb_record r = {.key = o[i].key, .key_len = (uint32_t)strlen(o[i].key)};

		ebb_record_set(&r, EBB_F_KIND, o[i].kind);
		ebb_record_set(&r, EBB_F_SIZE, o[i].size);
		ebb_record_set(&r, EBB_F_FLAGS, o[i].flags);
		ebb_record_set(&r, EBB_F_MTIME, NOW - o[i].age_days * DAY);
		if (o[i].class)
			ebb_record_set(&r, EBB_F_CLASS, ebb_record_class_code(o[i].class));
		ck_assert_int_ge(ebb_block_builder_add(b, &r, &err), 0);
	}
	ck_assert_int_eq(ebb_block_builder_encode(b, &bytes, &err), 0);
	ck_assert_int_eq(ebb_block_open(&block, bytes.data, bytes.len, &err), 0);
	ck_assert_msg(ebb_alloc_block(a, store, &block, "", &err) == 0, "%s", err.msg);
	ebb_block_builder_free(b);
}

static struct ebb_alloc_row row(struct ebb_alloc *a, const char *dim, const char *value)
{
	struct ebb_alloc_row *rows, found = {.value = NULL};
	size_t n;
	int d = ebb_alloc_dim_find(a, dim);

	ck_assert_int_ge(d, 0);
	ck_assert_int_eq(ebb_alloc_rows(a, (size_t)d, &rows, &n, &err), 0);
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].value, value) == 0)
			found = rows[i];
	free(rows);
	return found;
}

static const struct object disk[] = {
	{"logs/a", 1 << 30, EBB_KIND_FILE, 0, 5, NULL},
	{"runs/alpha/x", 2 << 20, EBB_KIND_FILE, 0, 100, NULL},
	{"runs/beta/y", 1 << 20, EBB_KIND_FILE, EBB_FLAG_LINKED_TWIN, 100, NULL},
	{"runs/beta/z", 3 << 20, EBB_KIND_FILE, 0, 1000, NULL},
	{"top", 7, EBB_KIND_FILE, 0, 0, NULL},
};
static const struct object lake[] = {
	{"a", 1000, EBB_KIND_FILE, 0, 1, "COLD"},
	{"b", 1000, EBB_KIND_VERSION, 0, 1, NULL},
	{"c", 5000, EBB_KIND_UPLOAD, 0, 1, NULL},
	{"d/", 0, EBB_KIND_MARKER, 0, 1, NULL},
	{"runs/alpha/w", 1 << 20, EBB_KIND_FILE, 0, 1, "GLACIER"},
};

static struct ebb_alloc *usual(const struct ebb_labels *labels)
{
	struct ebb_alloc *a = NULL;
	int64_t code;

	names = ebb_names_new();
	ck_assert_int_ge(ebb_names_add(names, "COLD", &code, &err), 0);
	ck_assert_int_ge(ebb_names_add(names, "GLACIER", &code, &err), 0);
	ck_assert_int_eq(ebb_alloc_new(rules(), books(), names, labels, NOW, &a, &err), 0);
	count(a, "disk", disk, EBB_ARRAY_LEN(disk));
	count(a, "lake", lake, EBB_ARRAY_LEN(lake));
	return a;
}

START_TEST(every_byte_has_its_row)
{
	EBB_CLEANUP(ebb_alloc_freep) struct ebb_alloc *a = usual(NULL);

	ck_assert_int_eq(row(a, "store", "disk").objects, 4); /* the twin is no second copy */
	ck_assert_int_eq(row(a, "store", "lake").objects, 4); /* markers hold nothing */
	ck_assert_int_eq(row(a, "type", "version").bytes, 1000);
	ck_assert_int_eq(row(a, "type", "upload").bytes, 5000);
	ck_assert_int_eq(row(a, "team", "research").bytes, (2 << 20) + (3 << 20) + (1 << 20));
	ck_assert_int_eq(row(a, "project", "beta").bytes, 3 << 20);
	ck_assert_int_eq(row(a, "env", "prod").bytes, 1 << 30);
	ck_assert_int_eq(row(a, "jurisdiction", "AE").objects, 4);
	ck_assert_int_eq(row(a, "folder", "disk:runs/alpha/").bytes, 2 << 20);
	ck_assert_int_eq(row(a, "folder", "disk:").bytes, 7);
	ck_assert_int_eq(row(a, "age", "over 2 y").bytes, 3 << 20);
	ck_assert_int_eq(row(a, "class", "HDD").objects, 4);
}
END_TEST

START_TEST(hidden_bytes_are_told_by_store)
{
	EBB_CLEANUP(ebb_alloc_freep) struct ebb_alloc *a = usual(NULL);
	struct ebb_alloc_row hidden;

	ck_assert_int_eq(ebb_alloc_hidden(a, "lake", &hidden, &err), 0);
	ck_assert_int_eq(hidden.objects, 3); /* the marker too, which holds nothing */
	ck_assert_int_eq(hidden.bytes, 6000);
	ck_assert_int_eq(hidden.cost, (int64_t)(0.023e9 * 6000 / (1 << 30) + 0.5));
	ck_assert_int_eq(ebb_alloc_hidden(a, "disk", &hidden, &err), 0);
	ck_assert(hidden.objects == 0 && hidden.bytes == 0 && hidden.cost == 0);
}
END_TEST

/* Parts of an upload lie in the provider's plain class, whatever they are for. */
START_TEST(uploads_lie_in_the_plain_class)
{
	static const struct ebb_rules_store where = {.name = "b", .class = "STANDARD", .provider = "x", .region = "r"};
	static const struct object parts[] = {{"u", 1 << 30, EBB_KIND_UPLOAD, 0, 1, "GLACIER"}};
	struct ebb_price_books *b = ebb_price_books_new(&arena, NOW);
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "p.yaml",
		"{version: 1, name: x, provider: x, date: 2026-11-01, currency: USD, source: test, confidence: list, classes: {STANDARD: {}, GLACIER: {}},"
		" regions: {r: {STANDARD: {storage_gib_month: 0.023}, GLACIER: {storage_gib_month: 0.0036}}}}", &err);
	EBB_CLEANUP(ebb_alloc_freep) struct ebb_alloc *a = NULL;
	struct ebb_rules *r = NULL;
	int64_t code;

	names = ebb_names_new();
	ck_assert_int_ge(ebb_names_add(names, "GLACIER", &code, &err), 0);
	ck_assert_msg(doc && ebb_price_books_add(b, doc, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(ebb_rules_compile(&arena, NULL, NULL, &where, 1, &r, &err), 0);
	ck_assert_int_eq(ebb_alloc_new(r, b, names, NULL, NOW, &a, &err), 0);
	count(a, "b", parts, 1);
	ck_assert_int_eq(row(a, "store", "b").cost, 23000000);
}
END_TEST

START_TEST(prices_are_those_of_the_object)
{
	EBB_CLEANUP(ebb_alloc_freep) struct ebb_alloc *a = usual(NULL);

	ck_assert_int_eq(row(a, "env", "prod").cost, 10000000);
	/* 1,000 bytes are billed as 128 KiB */
	ck_assert_int_eq(row(a, "folder", "lake:").cost, (int64_t)(0.004e9 / 8192 + 0.023e9 * 6000 / (1 << 30) + 0.5));
	ck_assert_int_eq(row(a, "folder", "lake:runs/alpha/").unpriced, 1 << 20);
	ck_assert_int_eq(row(a, "folder", "lake:runs/alpha/").cost, 0);
}
END_TEST

START_TEST(all_dimensions_add_up_to_the_total)
{
	EBB_CLEANUP(ebb_alloc_freep) struct ebb_alloc *a = usual(NULL);
	struct ebb_alloc_total total;

	ck_assert_int_eq(ebb_alloc_total(a, &total, &err), 0);
	ck_assert_int_eq(total.objects, 8);
	ck_assert_str_eq(total.cost.currency, "USD");
	for (size_t d = 0; d < ebb_alloc_dims(a); d++) {
		struct ebb_alloc_row *rows;
		size_t n;
		int64_t objects = 0, bytes = 0, cost = 0, unpriced = 0;

		ck_assert_int_eq(ebb_alloc_rows(a, d, &rows, &n, &err), 0);
		for (size_t i = 0; i < n; i++) {
			objects += rows[i].objects;
			bytes += rows[i].bytes;
			cost += rows[i].cost;
			unpriced += rows[i].unpriced;
			ck_assert(i < 2 || rows[i - 1].cost >= rows[i].cost);
			ck_assert(i == 0 || *rows[i].value); /* what has none stands first */
		}
		ck_assert_int_eq(objects, total.objects);
		ck_assert_int_eq(bytes, total.bytes);
		ck_assert_int_eq(cost, total.cost.nano);
		ck_assert_int_eq(unpriced, total.unpriced);
		free(rows);
	}
}
END_TEST

START_TEST(a_mapping_fills_what_datasets_leave)
{
	static const char text[] = "by,value,label,is\nstore,disk,team,platform\nstore,lake,owner,ops\n";
	struct ebb_labels *l;

	ck_assert_int_eq(ebb_labels_parse(&arena, text, strlen(text), "m.csv", &l, &err), 0);
	EBB_CLEANUP(ebb_alloc_freep) struct ebb_alloc *a = usual(l);
	ck_assert_int_eq(row(a, "team", "platform").bytes, (1 << 30) + 7);
	ck_assert_int_eq(row(a, "team", "research").bytes, 6 << 20);
	ck_assert_int_eq(row(a, "owner", "ops").objects, 4);
}
END_TEST

START_TEST(nothing_is_priced_without_books)
{
	struct ebb_alloc *a = NULL;
	struct ebb_alloc_total total;

	ck_assert_int_eq(ebb_alloc_new(NULL, NULL, NULL, NULL, NOW, &a, &err), 0);
	count(a, "disk", disk, EBB_ARRAY_LEN(disk));
	ck_assert_int_eq(ebb_alloc_total(a, &total, &err), 0);
	ck_assert_int_eq(total.unpriced, total.bytes);
	ck_assert_str_eq(total.cost.currency, "");
	ebb_alloc_free(a);
}
END_TEST

START_TEST(too_many_values_end_in_others)
{
	EBB_CLEANUP(ebb_alloc_freep) struct ebb_alloc *a = NULL;

	ck_assert_int_eq(ebb_alloc_new(rules(), books(), NULL, NULL, NOW, &a, &err), 0);
	for (int i = 0; i < EBB_ALLOC_VALUES + 100; i += 500) {
		static char keys[500][32];
		static struct object o[500];

		for (int k = 0; k < 500; k++) {
			snprintf(keys[k], sizeof(keys[k]), "runs/p%07d/x", i + k);
			o[k] = (struct object){keys[k], 1, EBB_KIND_FILE, 0, 0, NULL};
		}
		count(a, "disk", o, 500);
	}
	ck_assert_int_gt(row(a, "project", EBB_ALLOC_OTHERS).objects, 0);
	ck_assert_int_eq(row(a, "project", "p0000000").objects, 1);
}
END_TEST

EBB_UNIT_MAIN("alloc", every_byte_has_its_row, hidden_bytes_are_told_by_store, uploads_lie_in_the_plain_class, prices_are_those_of_the_object,
	      all_dimensions_add_up_to_the_total, a_mapping_fills_what_datasets_leave,
	      nothing_is_priced_without_books, too_many_values_end_in_others)
