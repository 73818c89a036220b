/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/subset.h"

#include <string.h>

static void count(struct ebb_planhead *h, const struct ebb_planrow *row)
{
	const struct ebb_planhead_sum one = {
		.objects = 1, .bytes = row->obj.f[EBB_F_SIZE], .freed = row->freed, .wire = row->wire,
		.unpriced = !row->priced, .one_off = row->priced ? row->one_off : 0, .saving = row->priced ? row->saving : 0,
	};

	ebb_planhead_add(&h->all, &one);
	for (size_t i = 0; i < h->nrules; i++)
		if (strcmp(h->rules[i].rule, row->rule) == 0)
			ebb_planhead_add(&h->rules[i].sum, &one);
}

int ebb_subset_write(struct ebb_planfile *plan, const char *path, ebb_subset_fn *wanted, void *ctx, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_abortp) struct ebb_planfile_writer *w = NULL;
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	struct ebb_planhead h = *ebb_planfile_head(plan);
	char id[EBB_PLANFILE_ID_LEN];
	struct ebb_planrow row;
	int r;

	ebb_arena_init(&arena, 0);
	h.all = h.older = (struct ebb_planhead_sum){0};
	h.rules = ebb_arena_calloc(&arena, h.nrules + 1, sizeof(*h.rules));
	if (!h.rules)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < h.nrules; i++) {
		h.rules[i] = ebb_planfile_head(plan)->rules[i];
		h.rules[i].sum = (struct ebb_planhead_sum){0};
	}
	if ((r = ebb_planfile_seek(plan, 1, err)) < 0 || (r = ebb_planfile_create(path, &w, err)) < 0)
		return r;
	while ((r = ebb_planfile_next(plan, &row, err)) == 1) {
		if (!wanted(ctx, &row))
			continue;
		count(&h, &row);
		if ((r = ebb_planfile_put(w, &row, err)) < 0)
			break;
	}
	if (r < 0)
		return r;
	r = ebb_planfile_commit(w, &h, id, err);
	w = NULL;
	return r;
}
