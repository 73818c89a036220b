/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: an instance as YAML or JSON. Reading must not crash and errors must name a place; what is read and small is planned,
 * and no plan may fail the verifier.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/yaml.h"
#include "policies/xfer_plan.h"
#include "policies/xfer_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void plan(struct ebb_arena *arena, const struct ebb_xfer *x)
{
	struct ebb_xfer_plan p;
	struct ebb_err err = {0};
	size_t dests = 0;

	for (size_t i = 0; i < x->n_groups; i++)
		dests = x->groups[i].n_dests > dests ? x->groups[i].n_dests : dests;
	if (x->n_sites > 12 || x->n_groups > 4 || x->n_pools > 2 || x->n_slots > 8 || dests > 6)
		return;
	int r = ebb_xfer_plan(x, arena, &p, &err);
	if (r < 0 && r != -EBB_ENOTSUP && r != -EBB_ENOMEM)
		abort();
	if (r == 0 && p.trees && p.lower_bound > p.bill.total)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ebb_arena arena;
	struct ebb_tree_node *doc;
	const struct ebb_xfer *x;
	struct ebb_err err = {0};

	ebb_arena_init(&arena, (size_t)256 << 20);
	if (ebb_yaml_parse(&arena, "f.json", data, size, &doc, &err) == 0) {
		int r = ebb_xfer_read(&arena, doc, &x, &err);

		if (r == 0)
			plan(&arena, x);
		else if (r != -EBB_ENOMEM && strncmp(err.msg, "f.json:", 7) != 0)
			abort();
	}
	ebb_arena_release(&arena);
	return 0;
}
