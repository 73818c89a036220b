/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/yaml.h"
#include "core/mem.h"
#include "tests/support/unit.h"

static int parse(struct ebb_arena *a, const char *text, struct ebb_tree_node **ret, struct ebb_err *err)
{
	return ebb_yaml_parse(a, "f.yaml", text, strlen(text), ret, err);
}

static void expect_error(const char *text, const char *message)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena a;
	struct ebb_tree_node *root = NULL;
	struct ebb_err err = {0};

	ebb_arena_init(&a, 0);
	ck_assert_int_eq(parse(&a, text, &root, &err), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, message);
	ck_assert_ptr_null(root);
}

START_TEST(builds_the_tree_with_places)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena a;
	struct ebb_tree_node *root = NULL;

	ebb_arena_init(&a, 0);
	ck_assert_int_eq(parse(&a, "# c\na: 1\nb:\n  - x\n  - {k: 'v'}\nempty:\n", &root, NULL), 0);
	ck_assert_int_eq(root->kind, EBB_TREE_MAP);
	ck_assert_uint_eq(root->n_children, 3);
	const struct ebb_tree_node *n = ebb_tree_get(root, "a");
	ck_assert_str_eq(n->text, "1");
	ck_assert_uint_eq(n->line, 2);
	ck_assert_uint_eq(n->column, 4);
	ck_assert_uint_eq(n->key_column, 1);
	ck_assert(!n->quoted);
	n = ebb_tree_get(root, "b");
	ck_assert_int_eq(n->kind, EBB_TREE_SEQ);
	ck_assert_str_eq(n->first->text, "x");
	n = ebb_tree_get(n->first->next, "k");
	ck_assert_str_eq(n->text, "v");
	ck_assert(n->quoted);
	ck_assert_uint_eq(n->line, 5);
	ck_assert(ebb_tree_is_null(ebb_tree_get(root, "empty")));
}
END_TEST

START_TEST(what_surprises_is_refused)
{
	expect_error("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: key 'a' stands twice, first in line 1");
	expect_error("a: &x 1\n", "f.yaml:1:4: anchors ('&x') are not supported: write the value out");
	expect_error("a: *x\n", "f.yaml:1:4: aliases ('*x') are not supported: write the value out");
	expect_error("a: !!int 1\n", "f.yaml:1:4: tags ('tag:yaml.org,2002:int') are not supported");
	expect_error("<<: {a: 1}\n", "f.yaml:1:1: merge keys ('<<') are not supported: write the keys out");
	expect_error("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here: one file holds one");
	expect_error("[a]: 1\n", "f.yaml:1:1: a key must be a word, not a map or a list");
	expect_error("just text\n", "f.yaml:1:1: expected a map of settings, as in 'version: 1'");
	expect_error("", "f.yaml:1:1: the file is empty");
	expect_error("# nothing\n", "f.yaml:1:1: the file is empty");
}
END_TEST

START_TEST(syntax_errors_have_a_place)
{
	struct ebb_err err = {0};
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena a;
	struct ebb_tree_node *root = NULL;

	ebb_arena_init(&a, 0);
	ck_assert_int_eq(parse(&a, "a: [1, 2\nb: 3\n", &root, &err), -EBB_ECONFIG);
	ck_assert_int_eq(strncmp(err.msg, "f.yaml:2:", 9), 0);
	ebb_err_clear(&err);
	ck_assert_int_eq(parse(&a, "a: 1\n\tb: 2\n", &root, &err), -EBB_ECONFIG);
	ck_assert_int_eq(strncmp(err.msg, "f.yaml:2:", 9), 0);
	ebb_err_clear(&err);
	ck_assert_int_eq(parse(&a, "a: 1\nb: \xff\n", &root, &err), -EBB_ECONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "f.yaml:2:4: the file is not UTF-8 text"));
	ebb_err_clear(&err);
	ck_assert_int_eq(parse(&a, "\"a\\0b\": 1\n", &root, &err), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, "f.yaml:1:1: a key holds a NUL byte");
}
END_TEST

START_TEST(depth_is_bounded)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena a;
	struct ebb_tree_node *root = NULL;
	struct ebb_err err = {0};
	char text[4096] = "";

	ebb_arena_init(&a, 0);
	for (int i = 0; i < 1000; i++)
		strcat(text, "[");
	ck_assert_int_eq(parse(&a, text, &root, &err), -EBB_ECONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "f.yaml:1:"));
}
END_TEST

START_TEST(memory_is_bounded)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena a;
	struct ebb_tree_node *root = NULL;
	char *text = malloc(400001);

	ebb_arena_init(&a, 65536);
	for (int i = 0; i < 100000; i++)
		memcpy(text + 4 * i, "- a\n", 4);
	text[400000] = 0;
	ck_assert_int_eq(parse(&a, text, &root, NULL), -EBB_ENOMEM);
	free(text);
}
END_TEST

START_TEST(files_are_loaded_with_their_bytes)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena a;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(EBB_YAML_MAX);
	struct ebb_tree_node *root = NULL;
	struct ebb_err err = {0};
	FILE *f = fopen("load.yaml", "w");

	ebb_arena_init(&a, 0);
	fputs("a: 1\n", f);
	fclose(f);
	ck_assert_int_eq(ebb_yaml_load(&a, "load.yaml", &b, &root, &err), 0);
	ck_assert_str_eq(b.data, "a: 1\n");
	ck_assert_str_eq(ebb_tree_file(root), "load.yaml");
	ck_assert_int_eq(ebb_yaml_load(&a, "none.yaml", &b, &root, &err), -EBB_ENOENT);
	ck_assert_str_eq(err.msg, "cannot open 'none.yaml': No such file or directory");
	ebb_err_clear(&err);
	ck_assert_int_eq(ebb_yaml_load(&a, ".", &b, &root, &err), -EBB_ECONFIG);
	unlink("load.yaml");
}
END_TEST

EBB_UNIT_MAIN("yaml", builds_the_tree_with_places, what_surprises_is_refused, syntax_errors_have_a_place,
	      depth_is_bounded, memory_is_bounded, files_are_loaded_with_their_bytes)
