/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "core/mem.h"
#include "policies/expr_ast.h"
#include "policies/rules_ast.h"

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "no memory for datasets");
}

/* Names of labels must not hide facts. */
static int check_label(const struct ebb_tree_node *at, const char *name, const char *what,
		       struct ebb_err *err)
{
	if (ebb_expr_fact_find(name) || strcmp(name, "kind") == 0)
		return ebb_tree_error(at, err,
				      "%s '%s' would hide the fact of that name; take another",
				      what, name);
	return 0;
}

/* A jurisdiction: two capital letters of ISO 3166. */
static bool is_jurisdiction(const char *s)
{
	return s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' && s[2] == '\0';
}

static int read_residency(struct ebb_arena *arena, const struct ebb_tree_node *node,
			  struct ebb_rules_dataset *set, struct ebb_err *err)
{
	const char **list;
	size_t n = 0;
	int r = ebb_tree_expect(node, EBB_TREE_SEQ, err);

	if (r < 0)
		return r;
	if (node->n_children == 0)
		return ebb_tree_error(node, err,
				      "'residency' names no jurisdiction; leave it out for any");
	list = ebb_arena_calloc(arena, node->n_children + 1, sizeof(*list));
	if (!list)
		return no_memory(err);
	EBB_TREE_EACH(child, node)
	{
		r = ebb_tree_text(child, &list[n], err);
		if (r < 0)
			return r;
		if (!is_jurisdiction(list[n++]))
			return ebb_tree_error(
				child, err,
				"'%s' is no jurisdiction; write two capital letters of ISO "
				"3166 such as AE",
				list[n - 1]);
	}
	set->residency = list;
	return 0;
}

static int read_labels(struct ebb_arena *arena, const struct ebb_tree_node *node,
		       struct ebb_rules_dataset *set, struct ebb_err *err)
{
	struct ebb_rules_label *list;
	int r = ebb_tree_expect(node, EBB_TREE_MAP, err);

	if (r < 0)
		return r;
	list = ebb_arena_calloc(arena, node->n_children, sizeof(*list));
	if (!list)
		return no_memory(err);
	EBB_TREE_EACH(child, node)
	{
		size_t len = strlen(child->key);

		if (strspn(child->key, "abcdefghijklmnopqrstuvwxyz0123456789_") != len ||
		    len == 0 || (child->key[0] >= '0' && child->key[0] <= '9'))
			return ebb_tree_key_error(child, err,
						  "a label is a name of a-z, 0-9 and '_', not '%s'",
						  child->key);
		if (strcmp(child->key, "team") == 0)
			return ebb_tree_key_error(child, err,
						  "'team' stands beside 'labels', not in it");
		r = check_label(child, child->key, "label", err);
		if (r == 0)
			r = ebb_tree_text(child, &list[set->nlabels].value, err);
		if (r < 0)
			return r;
		list[set->nlabels++].name = child->key;
	}
	set->labels = list;
	return 0;
}

static int read_match(struct ebb_arena *arena, const struct ebb_tree_node *node,
		      struct ebb_rules_set *set, struct ebb_err *err)
{
	struct ebb_err why = {0};
	struct ebb_glob *glob;
	int r = ebb_tree_text(node, &set->pub.match, err);

	if (r < 0)
		return r;
	r = ebb_glob_compile(arena, set->pub.match, &glob, &why);
	if (r == -EBB_ECONFIG)
		return ebb_tree_error(node, err, "%s", why.msg);
	if (r < 0)
		return no_memory(err);
	set->glob = glob;
	for (size_t i = 0; r == 0 && i < ebb_glob_captures(glob); i++)
		r = check_label(node, ebb_glob_capture_name(glob, i), "capture", err);
	return r;
}

static int read_set(struct ebb_arena *arena, const struct ebb_tree_node *node,
		    struct ebb_rules_set *set, struct ebb_err *err)
{
	static const char *const keys[] = {"match", "kind", "team", "residency", "copies", "labels"};
	const struct ebb_tree_node *kind, *team, *residency, *labels, *match, *copies;
	int r = ebb_tree_unknown_keys(node, keys, EBB_ARRAY_LEN(keys), err);

	if (r < 0)
		return r;
	match = ebb_tree_need(node, "match", err);
	kind = ebb_tree_get(node, "kind");
	team = ebb_tree_get(node, "team");
	residency = ebb_tree_get(node, "residency");
	labels = ebb_tree_get(node, "labels");
	copies = ebb_tree_get(node, "copies");
	r = match ? read_match(arena, match, set, err) : -EBB_ECONFIG;
	if (r == 0 && kind)
		r = ebb_tree_text(kind, &set->pub.kind, err);
	if (r == 0 && team)
		r = ebb_tree_text(team, &set->pub.team, err);
	if (r == 0 && residency)
		r = read_residency(arena, residency, &set->pub, err);
	if (r == 0 && copies)
		r = ebb_tree_count(copies, &set->pub.copies, err);
	if (r == 0 && copies && set->pub.copies < 1)
		r = ebb_tree_error(copies, err, "'copies' must be at least 1; leave it out for none");
	if (r == 0 && labels)
		r = read_labels(arena, labels, &set->pub, err);
	return r;
}

/* Enter a name into the labels once; what goes past EBB_RULES_LABELS is only counted. */
static void add_name(struct ebb_rules *r, const char *name)
{
	for (size_t i = 0; i < r->nlabels && i < EBB_RULES_LABELS; i++)
		if (strcmp(r->labels[i], name) == 0)
			return;
	if (r->nlabels < EBB_RULES_LABELS)
		r->labels[r->nlabels] = name;
	r->nlabels++;
}

static int collect_names(struct ebb_arena *arena, struct ebb_rules *r,
			 const struct ebb_tree_node *datasets, struct ebb_err *err)
{
	r->labels = ebb_arena_calloc(arena, EBB_RULES_LABELS, sizeof(*r->labels));
	if (!r->labels)
		return no_memory(err);
	add_name(r, "team");
	add_name(r, "kind");
	for (size_t i = 0; i < r->nsets; i++) {
		const struct ebb_rules_set *s = &r->sets[i];

		for (size_t k = 0; k < s->pub.nlabels; k++)
			add_name(r, s->pub.labels[k].name);
		for (size_t k = 0; k < ebb_glob_captures(s->glob); k++)
			add_name(r, ebb_glob_capture_name(s->glob, k));
	}
	if (r->nlabels > EBB_RULES_LABELS)
		return ebb_tree_error(datasets, err,
				      "datasets have more than %d labels and captures",
				      EBB_RULES_LABELS);
	return 0;
}

static const char *constant_of(const struct ebb_rules_dataset *set, const char *name)
{
	if (strcmp(name, "team") == 0)
		return set->team;
	if (strcmp(name, "kind") == 0)
		return set->kind;
	for (size_t i = 0; i < set->nlabels; i++)
		if (strcmp(set->labels[i].name, name) == 0)
			return set->labels[i].value;
	return NULL;
}

static int resolve_names(struct ebb_arena *arena, const struct ebb_rules *r,
			 struct ebb_rules_set *set, struct ebb_err *err)
{
	set->sources = ebb_arena_calloc(arena, r->nlabels, sizeof(*set->sources));
	if (!set->sources)
		return no_memory(err);
	for (size_t i = 0; i < r->nlabels; i++) {
		const char *s = constant_of(&set->pub, r->labels[i]);

		set->sources[i].constant = (struct ebb_expr_text){s, s ? strlen(s) : 0};
		set->sources[i].capture = -1;
		for (size_t k = 0; k < ebb_glob_captures(set->glob); k++)
			if (strcmp(ebb_glob_capture_name(set->glob, k), r->labels[i]) == 0)
				set->sources[i].capture = (int)k;
	}
	return 0;
}

int ebb_rules_sets_compile(struct ebb_arena *arena, const struct ebb_tree_node *datasets,
			   struct ebb_rules *r, struct ebb_err *err)
{
	int rc = 0;

	if (datasets && !ebb_tree_is_null(datasets)) {
		rc = ebb_tree_expect(datasets, EBB_TREE_SEQ, err);
		if (rc < 0)
			return rc;
		if (datasets->n_children > EBB_RULES_MAX)
			return ebb_tree_error(datasets, err, "at most %d datasets are possible",
					      EBB_RULES_MAX);
		r->sets = ebb_arena_calloc(arena, datasets->n_children, sizeof(*r->sets));
		if (!r->sets)
			return no_memory(err);
		EBB_TREE_EACH(node, datasets)
		{
			r->sets[r->nsets].pub.number = (uint16_t)r->nsets;
			rc = read_set(arena, node, &r->sets[r->nsets], err);
			if (rc < 0)
				return rc;
			r->nsets++;
		}
	}
	rc = collect_names(arena, r, datasets, err);
	for (size_t i = 0; rc == 0 && i < r->nsets; i++)
		rc = resolve_names(arena, r, &r->sets[i], err);
	return rc;
}
