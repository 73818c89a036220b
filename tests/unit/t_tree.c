/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <string.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/money.h"
#include "core/tree.h"
#include "tests/support/unit.h"

static struct ebb_arena arena;
static struct ebb_tree_node *root;	/* of "t.yaml", a map */

static struct ebb_tree_pos pos(unsigned line, unsigned column)
{
	return (struct ebb_tree_pos){line, column};
}

static void begin(void)
{
	ebb_arena_init(&arena, 0);
	root = ebb_tree_new(&arena, "t.yaml", EBB_TREE_MAP, pos(1, 1));
	ck_assert_ptr_nonnull(root);
}

/* Add `key: text` to the root, in the next line, the value in column 8. */
static struct ebb_tree_node *scalar(const char *key, const char *text, bool quoted)
{
	unsigned line = (unsigned)root->n_children + 2;
	struct ebb_tree_node *child;

	ck_assert_int_eq(ebb_tree_add(root, key, pos(line, 3), EBB_TREE_SCALAR, pos(line, 8),
		&child, NULL), 0);
	ck_assert_int_eq(ebb_tree_set_text(child, text, strlen(text), quoted, NULL), 0);
	return child;
}

START_TEST(children_keep_order_and_place)
{
	begin();
	scalar("b", "2", false);
	scalar("a", "1", true);
	struct ebb_tree_node *list, *item;
	ck_assert_int_eq(ebb_tree_add(root, "list", pos(4, 3), EBB_TREE_SEQ, pos(5, 5), &list,
		NULL), 0);
	ck_assert_int_eq(ebb_tree_add(list, NULL, pos(0, 0), EBB_TREE_SCALAR, pos(5, 7), &item,
		NULL), 0);
	ck_assert_int_eq(ebb_tree_add(list, NULL, pos(0, 0), EBB_TREE_MAP, pos(6, 7), NULL, NULL),
		0);

	char order[10] = "";
	EBB_TREE_EACH(child, root)
		strcat(order, child->key);
	ck_assert_str_eq(order, "balist");
	ck_assert_uint_eq(root->n_children, 3);
	ck_assert_uint_eq(list->n_children, 2);
	ck_assert_uint_eq(list->line, 5);
	ck_assert_uint_eq(list->column, 5);
	ck_assert_uint_eq(list->key_line, 4);
	ck_assert_uint_eq(list->key_column, 3);
	ck_assert_ptr_null(item->key);
	ck_assert_ptr_eq(ebb_tree_get(root, "a")->text, root->first->next->text);
	ck_assert(ebb_tree_get(root, "a")->quoted);
	ck_assert_str_eq(ebb_tree_file(item), "t.yaml");
	EBB_TREE_EACH(child, item)
		ck_abort_msg("a scalar has no children");
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(duplicate_keys_are_refused)
{
	struct ebb_err err = {0};

	begin();
	scalar("size", "1", false);
	ck_assert_int_eq(ebb_tree_add(root, "size", pos(9, 3), EBB_TREE_SCALAR, pos(9, 9), NULL,
		&err),
			 -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, "t.yaml:9:3: key 'size' stands twice, first in line 2");
	ck_assert_uint_eq(root->n_children, 1);
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(depth_is_limited)
{
	struct ebb_err err = {0};
	struct ebb_tree_node *at;
	int r = 0, depth = 1;

	begin();
	at = root;
	while (!r) {
		r = ebb_tree_add(at, at == root ? "k" : NULL, pos(1, 1), EBB_TREE_SEQ, pos(1, 2),
			&at, &err);
		depth += !r;
	}
	ck_assert_int_eq(r, -EBB_ECONFIG);
	ck_assert_int_eq(depth, 64);
	ck_assert_str_eq(err.msg, "t.yaml:1:2: nested deeper than 64");
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(memory_is_capped)
{
	struct ebb_err err = {0};
	int r = 0;

	ebb_arena_init(&arena, 8192);
	root = ebb_tree_new(&arena, "t.yaml", EBB_TREE_SEQ, pos(1, 1));
	while (!r)
		r = ebb_tree_add(root, NULL, pos(0, 0), EBB_TREE_SCALAR, pos(1, 1), NULL, &err);
	ck_assert_int_eq(r, -EBB_ENOMEM);
	ck_assert_str_eq(err.msg, "'t.yaml' is too large to read");
	ebb_arena_release(&arena);
	ebb_arena_init(&arena, 8);
	ck_assert_ptr_null(ebb_tree_new(&arena, "t.yaml", EBB_TREE_SEQ, pos(1, 1)));
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(text_must_be_text)
{
	struct ebb_err err = {0};

	begin();
	struct ebb_tree_node *node = scalar("k", "v", false);
	ck_assert_int_eq(ebb_tree_set_text(node, "a\0b", 3, false, &err), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, "t.yaml:2:8: a NUL byte in text");
	ebb_err_clear(&err);
	ck_assert_int_eq(ebb_tree_set_text(node, "\377", 1, false, &err), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, "t.yaml:2:8: text is not UTF-8");
	ck_assert_str_eq(node->text, "v");
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(get_and_need)
{
	struct ebb_err err = {0};

	begin();
	const struct ebb_tree_node *node = scalar("k", "v", false);
	ck_assert_ptr_eq(ebb_tree_get(root, "k"), node);
	ck_assert_ptr_null(ebb_tree_get(root, "x"));
	ck_assert_ptr_null(ebb_tree_get(node, "x"));
	ck_assert_ptr_eq(ebb_tree_need(root, "k", &err), node);
	ck_assert_int_eq(err.code, 0);
	ck_assert_ptr_null(ebb_tree_need(root, "x", &err));
	ck_assert_str_eq(err.msg, "t.yaml:1:1: key 'x' is missing");
	ebb_err_clear(&err);
	ck_assert_ptr_null(ebb_tree_need(node, "x", &err));
	ck_assert_str_eq(err.msg, "t.yaml:2:8: 'k': must be a map, not a value");
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(expects_a_kind)
{
	struct ebb_err err = {0};

	begin();
	ck_assert_int_eq(ebb_tree_expect(root, EBB_TREE_MAP, &err), 0);
	ck_assert_int_eq(ebb_tree_expect(root, EBB_TREE_SEQ, &err), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, "t.yaml:1:1: must be a list, not a map");
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(null_is_unquoted)
{
	begin();
	ck_assert(ebb_tree_is_null(scalar("a", "", false)));
	ck_assert(ebb_tree_is_null(scalar("b", "~", false)));
	ck_assert(ebb_tree_is_null(scalar("c", "null", false)));
	ck_assert(!ebb_tree_is_null(scalar("d", "", true)));
	ck_assert(!ebb_tree_is_null(scalar("e", "~", true)));
	ck_assert(!ebb_tree_is_null(scalar("f", "nil", false)));
	ck_assert(!ebb_tree_is_null(root));
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(unknown_keys)
{
	static const char *const allowed[] = {"size", "age"};
	struct ebb_err err = {0};

	begin();
	const struct ebb_tree_node *node = scalar("size", "1", false);
	ck_assert_int_eq(ebb_tree_unknown_keys(root, allowed, 2, &err), 0);
	scalar("sise", "1", false);
	ck_assert_int_eq(ebb_tree_unknown_keys(root, allowed, 2, &err), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, "t.yaml:3:3: unknown key 'sise'; did you mean 'size'?");
	ebb_err_clear(&err);
	ck_assert_int_eq(ebb_tree_unknown_keys(root, allowed + 1, 1, &err), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, "t.yaml:2:3: unknown key 'size'; valid are age");
	ck_assert_int_eq(ebb_tree_unknown_keys(node, allowed, 2, NULL), -EBB_ECONFIG);
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(reads_values)
{
	static const char *const words[] = {"keep", "delete"};
	const char *text;
	int64_t n;
	bool yes;
	size_t which;
	struct ebb_money m;

	begin();
	ck_assert_int_eq(ebb_tree_text(scalar("a", "hello", false), &text, NULL), 0);
	ck_assert_str_eq(text, "hello");
	ck_assert_int_eq(ebb_tree_text(scalar("b", "", true), &text, NULL), 0);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(ebb_tree_bool(scalar("c", "true", false), &yes, NULL), 0);
	ck_assert(yes);
	ck_assert_int_eq(ebb_tree_choice(scalar("d", "delete", false), words, 2, &which, NULL), 0);
	ck_assert_uint_eq(which, 1);
	ck_assert_int_eq(ebb_tree_count(scalar("e", "3", false), &n, NULL), 0);
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(ebb_tree_bytes(scalar("f", "1KiB", false), &n, NULL), 0);
	ck_assert_int_eq(n, 1024);
	ck_assert_int_eq(ebb_tree_duration(scalar("g", "1s", true), &n, NULL), 0);
	ck_assert_int_eq(n, 1000000000);
	ck_assert_int_eq(ebb_tree_percent(scalar("h", "5%", false), &n, NULL), 0);
	ck_assert_int_eq(n, 50000);
	ck_assert_int_eq(ebb_tree_time(scalar("i", "1970-01-02", false), &n, NULL), 0);
	ck_assert_int_eq(n, INT64_C(86400000000000));
	ck_assert_int_eq(ebb_tree_money(scalar("j", "5 USD", false), &m, NULL), 0);
	ck_assert_int_eq(m.nano, INT64_C(5000000000));
	ebb_arena_release(&arena);
}
END_TEST

#define REFUSED(call, message)                                                                     \
	do {                                                                                       \
		struct ebb_err err = {0};                                                          \
		ck_assert_int_eq(call, -EBB_ECONFIG);                                              \
		ck_assert_str_eq(err.msg, message);                                                \
	} while (0)

START_TEST(refuses_values_with_their_place)
{
	static const char *const words[] = {"keep", "delete"};
	const char *text;
	int64_t n = 7;
	bool yes;
	size_t which;
	struct ebb_money m;

	begin();
	REFUSED(ebb_tree_text(scalar("a", "~", false), &text, &err),
		"t.yaml:2:8: 'a': a value is missing");
	REFUSED(ebb_tree_text(root, &text, &err), "t.yaml:1:1: must be a value, not a map");
	REFUSED(ebb_tree_bool(scalar("b", "true", true), &yes, &err),
		"t.yaml:3:8: 'b': must be true or false, without quotes");
	REFUSED(ebb_tree_bool(scalar("c", "yes", false), &yes, &err),
		"t.yaml:4:8: 'c': unknown word 'yes'; valid are false, true");
	REFUSED(ebb_tree_choice(scalar("d", "delet", false), words, 2, &which, &err),
		"t.yaml:5:8: 'd': unknown word 'delet'; did you mean 'delete'?");
	REFUSED(ebb_tree_duration(scalar("e", "5m", false), &n, &err),
		"t.yaml:6:8: 'e': '5m' is not a duration: write 5min or 5mo");
	REFUSED(ebb_tree_bytes(scalar("f", "8EiB", false), &n, &err),
		"t.yaml:7:8: 'f': '8EiB' does not fit");
	REFUSED(ebb_tree_money(scalar("g", "5", false), &m, &err),
		"t.yaml:8:8: 'g': '5' is not money: write it as 12.50 USD");
	ck_assert_int_eq(n, 7);
	ebb_arena_release(&arena);
}
END_TEST

START_TEST(complaints_say_where)
{
	struct ebb_err err = {0};

	begin();
	const struct ebb_tree_node *node = scalar("a", "x", false);
	ck_assert_int_eq(ebb_tree_error(node, &err, "no %s", "good"), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, "t.yaml:2:8: no good");
	ebb_err_clear(&err);
	ck_assert_int_eq(ebb_tree_key_error(node, &err, "no good"), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, "t.yaml:2:3: no good");
	ck_assert_int_eq(ebb_tree_error(node, NULL, "x"), -EBB_ECONFIG);
	ebb_arena_release(&arena);
}
END_TEST

EBB_UNIT_MAIN("tree", children_keep_order_and_place, duplicate_keys_are_refused, depth_is_limited,
	memory_is_capped, text_must_be_text, get_and_need, expects_a_kind, null_is_unquoted,
	unknown_keys, reads_values, refuses_values_with_their_place, complaints_say_where)
