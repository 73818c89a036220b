/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: a configuration in flow style with `rules` and `datasets`. Compiling must not crash and
 * errors must name a place; rules that compile decide a few records as a block and one by one, with
 * the same result.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "policies/rules.h"
#include "tests/support/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW (INT64_C(1700000000) * 1000000000)

static const char *const keys[] = {".ebb-trash/x", "a.log", "logs/web1/x",
				   "runs/v/1/checkpoint-3/w", "z/"};
static const struct ebb_rules_store stores[] = {{.name = "fast", .class = "NVME"},
						{.name = "cold"}};

static struct ebb_record record(size_t i)
{
	struct ebb_record r = {.key = keys[i], .key_len = (uint32_t)strlen(keys[i])};

	ebb_record_set(&r, EBB_F_KIND, i == 4 ? EBB_KIND_DIR : EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, (int64_t)1 << (10 * i));
	ebb_record_set(&r, EBB_F_MTIME, NOW / 2);
	ebb_record_set(&r, EBB_F_ATIME, NOW / 4 * 3);
	if (i != 1)
		ebb_record_set(&r, EBB_F_EVIDENCE, (int64_t)i & 3);
	return r;
}

static void decide(struct ebb_arena *arena, const struct ebb_rules *r)
{
	struct ebb_block_builder *builder = ebb_block_builder_new();
	struct ebb_rules_decide_work *w = ebb_rules_decide_new(r);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf bytes = EBB_BUF_INIT(1 << 20);
	struct ebb_rules_verdict *verdicts =
		ebb_arena_calloc(arena, ebb_rules_count(r), sizeof(*verdicts));
	uint16_t rule[EBB_BLOCK_MAX], unknown[EBB_BLOCK_MAX];
	struct ebb_record recs[EBB_ARRAY_LEN(keys)];
	const struct ebb_rules_dataset *set;
	struct ebb_block b;

	for (size_t i = 0; i < EBB_ARRAY_LEN(keys); i++) {
		recs[i] = record(i);
		ebb_block_builder_add(builder, &recs[i], NULL);
	}
	if (ebb_block_builder_encode(builder, &bytes, NULL) < 0 ||
	    ebb_block_open(&b, bytes.data, bytes.len, NULL) < 0 ||
	    ebb_rules_decide(r, w, &b, "fast", NOW, rule, unknown, NULL) < 0)
		abort();
	for (size_t i = 0; verdicts && i < EBB_ARRAY_LEN(keys); i++) {
		int one = ebb_rules_explain(r, &recs[i], "fast", NOW, arena, verdicts, &set, NULL);

		if (one != rule[i] && one != -EBB_ENOMEM)
			abort();
	}
	ebb_rules_decide_free(w);
	ebb_block_builder_free(builder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	const struct ebb_tree_node *doc;
	struct ebb_arena arena;
	struct ebb_err err = {0};
	struct ebb_rules *r;

	memcpy(text, data, size);
	text[size] = '\0';
	ebb_arena_init(&arena, 64u << 20);
	doc = ebb_flow_parse(&arena, "f", text, NULL);
	if (doc) {
		if (ebb_rules_compile(&arena, ebb_tree_get(doc, "rules"),
				      ebb_tree_get(doc, "datasets"), stores, 2, &r, &err) == 0)
			decide(&arena, r);
		else if (err.code == EBB_ECONFIG && strncmp(err.msg, "f:", 2) != 0)
			abort();
	}
	ebb_arena_release(&arena);
	free(text);
	return 0;
}
