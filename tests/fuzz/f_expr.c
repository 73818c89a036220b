/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: a condition. Compiling must not crash, an error must name the place, and what compiles is
 * evaluated on a record of which all is known and on one of which nothing is: the second may only
 * be surer where it must be.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "policies/expr.h"
#include "policies/expr_explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const labels[] = {"team", "kind", "step"};

static void check(const struct ebb_expr *e)
{
	static const struct ebb_expr_text values[] = {{"ops", 3}, {NULL, 0}, {"", 0}};
	struct ebb_expr_env env = {.now = INT64_C(1700000000) * 1000000000, .labels = values};
	struct ebb_record full = {.key = "a/b.c", .key_len = 5}, empty = full;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf line = EBB_BUF_INIT(1 << 20);
	enum ebb_truth t, u;

	for (int f = 0; f < EBB_F_COUNT; f++)
		ebb_record_set(&full, (enum ebb_field)f, f);
	ebb_record_set(&full, EBB_F_MTIME, env.now / 2);
	t = ebb_expr_eval(e, &env, &full);
	u = ebb_expr_eval(e, &env, &empty);
	if (t > EBB_TRUE || (u != EBB_UNKNOWN && u != t) || (ebb_expr_always(e) && t == EBB_FALSE))
		abort();
	if (ebb_expr_explain_line(e, &env, labels, &full, &line, NULL) < 0 &&
	    line.len < line.cap / 2)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ebb_expr_place place = {"f", 1, 1};
	char *text = malloc(size + 1);
	struct ebb_arena arena;
	struct ebb_err err = {0};
	struct ebb_expr *e;

	memcpy(text, data, size);
	text[size] = '\0';
	ebb_arena_init(&arena, 16u << 20);
	if (ebb_expr_compile(&arena, text, &place, labels, EBB_ARRAY_LEN(labels), &e, &err) == 0)
		check(e);
	else if (err.code == EBB_ECONFIG && strncmp(err.msg, "f:1:", 4) != 0)
		abort();
	ebb_arena_release(&arena);
	free(text);
	return 0;
}
