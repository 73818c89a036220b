/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/allof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/rules_ast.h"

#define ARENA_CAP ((size_t)4 << 30)

/* Names longer than this are cut: then groups become one, and fewer rules hold. */
#define NAME_MAX_LEN 2048

/* What the files of a dataset met: one rule, always the same, or not. */
struct group {
	const char *name;	/* STORE:NAME */
	uint16_t rule;		/* that all of them met so far, or EBB_RULES_NONE */
};

struct ebb_allof {
	const struct ebb_rules *rules;
	int64_t now;
	struct ebb_arena arena;
	struct group *v;
	size_t n, room;
	struct ebb_rules_decide_work *work;
	struct ebb_block_iter *iter;
	uint16_t rule[EBB_BLOCK_MAX], unknown[EBB_BLOCK_MAX];
};

bool ebb_allof_wanted(const struct ebb_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->rules[i].pub.all_of)
			return true;
	return false;
}

struct ebb_allof *ebb_allof_new(const struct ebb_rules *rules, int64_t now)
{
	struct ebb_allof *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->rules = rules;
	a->now = now;
	ebb_arena_init(&a->arena, ARENA_CAP);
	a->work = ebb_rules_decide_new(rules);
	a->iter = malloc(sizeof(*a->iter));
	if (!a->work || !a->iter) {
		ebb_allof_free(a);
		return NULL;
	}
	return a;
}

void ebb_allof_free(struct ebb_allof *a)
{
	if (!a)
		return;
	ebb_rules_decide_free(a->work);
	ebb_arena_release(&a->arena);
	free(a->iter);
	free(a->v);
	free(a);
}

static bool name_of(const struct ebb_rules *rules, const char *store, const char *key, size_t len, char *name)
{
	int n = snprintf(name, NAME_MAX_LEN, "%s:", store);

	return ebb_rules_dataset_name(rules, key, len, name + n, NAME_MAX_LEN - (size_t)n);
}

static int add(struct ebb_allof *a, const char *name, uint16_t rule)
{
	/* neighbours are mostly of one dataset */
	for (size_t i = a->n; i > 0 && a->n - i < 4; i--)
		if (strcmp(a->v[i - 1].name, name) == 0) {
			if (a->v[i - 1].rule != rule)
				a->v[i - 1].rule = EBB_RULES_NONE;
			return 0;
		}
	if (a->n == a->room) {
		size_t room = a->room ? 2 * a->room : 256;
		struct group *v = reallocarray(a->v, room, sizeof(*v));

		if (!v)
			return -EBB_ENOMEM;
		a->v = v;
		a->room = room;
	}
	a->v[a->n] = (struct group){ebb_arena_strdup(&a->arena, name), rule};
	return a->v[a->n++].name ? 0 : -EBB_ENOMEM;
}

int ebb_allof_block(struct ebb_allof *a, const char *store, const struct ebb_block *b, struct ebb_err *err)
{
	char name[NAME_MAX_LEN];
	struct ebb_record rec;
	int r = ebb_rules_decide(a->rules, a->work, b, store, a->now, a->rule, a->unknown, err);

	if (r < 0)
		return r;
	ebb_block_iter_init(a->iter, b);
	for (uint32_t i = 0; i < b->n && (r = ebb_block_iter_next(a->iter, &rec, err)) == 1; i++) {
		if (rec.f[EBB_F_KIND] != EBB_KIND_FILE || ebb_rules_reserved(rec.key, rec.key_len) ||
		    !name_of(a->rules, store, rec.key, rec.key_len, name))
			continue;
		if (add(a, name, a->rule[i]) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "no memory for datasets");
	}
	return r < 0 ? r : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct group *)a)->name, ((const struct group *)b)->name);
}

void ebb_allof_seal(struct ebb_allof *a)
{
	size_t kept = 0;

	if (a->n)
		qsort(a->v, a->n, sizeof(*a->v), by_name);
	for (size_t i = 0; i < a->n; i++) {
		if (kept && strcmp(a->v[kept - 1].name, a->v[i].name) == 0) {
			if (a->v[kept - 1].rule != a->v[i].rule)
				a->v[kept - 1].rule = EBB_RULES_NONE;
		} else {
			a->v[kept++] = a->v[i];
		}
	}
	a->n = kept;
}

bool ebb_allof_holds(const struct ebb_allof *a, size_t rule, const char *store, const char *key, size_t len)
{
	char name[NAME_MAX_LEN];
	struct group want = {.name = name};

	if (!a->n || !name_of(a->rules, store, key, len, name))
		return false;
	const struct group *g = bsearch(&want, a->v, a->n, sizeof(*a->v), by_name);
	return g && g->rule == rule;
}
