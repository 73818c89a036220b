/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/rules.h"

#include <stdio.h>
#include <string.h>

#include "policies/rules_ast.h"

const char *ebb_rules_hidden_name(int hidden)
{
	static const char *const names[EBB_RULES_HIDDEN] = {
		[EBB_RULES_NONCURRENT] = "noncurrent", [EBB_RULES_MARKERS] = "markers", [EBB_RULES_UPLOADS] = "uploads",
	};

	return hidden < 0 || hidden >= EBB_RULES_HIDDEN ? NULL : names[hidden];
}

size_t ebb_rules_count(const struct ebb_rules *r)
{
	return r->n;
}

const struct ebb_rule *ebb_rules_get(const struct ebb_rules *r, size_t i)
{
	return &r->rules[i].pub;
}

const struct ebb_rules_store *ebb_rules_store(const struct ebb_rules *r, const char *name)
{
	for (size_t i = 0; i < r->nstores; i++)
		if (strcmp(r->stores[i].name, name) == 0)
			return &r->stores[i];
	return NULL;
}

void ebb_rules_use_names(struct ebb_rules *r, const struct ebb_names *names)
{
	r->names = names;
}

/* A wildcard always finds its spans anew: patterns are short, and conditions that ask for captures
 * are few. */
static void fill_captures(const struct ebb_glob *glob, const char *key, size_t len,
			  struct ebb_glob_span spans[EBB_GLOB_WILDCARDS])
{
	if (!ebb_glob_capture(glob, key, len, spans))
		memset(spans, 0, EBB_GLOB_WILDCARDS * sizeof(*spans));
}

bool ebb_rules_dataset_name(const struct ebb_rules *r, const char *key, size_t len, char *buf, size_t size)
{
	const struct ebb_rules_set *set = (const struct ebb_rules_set *)(const void *)ebb_rules_dataset(r, key, len);
	struct ebb_glob_span spans[EBB_GLOB_WILDCARDS];
	size_t at;

	if (!set)
		return false;
	at = (size_t)snprintf(buf, size, "%s", set->pub.match);
	fill_captures(set->glob, key, len, spans);
	for (size_t i = 0; i < ebb_glob_captures(set->glob) && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, " %s=%.*s", ebb_glob_capture_name(set->glob, i), (int)spans[i].len,
				       spans[i].p ? spans[i].p : "");
	return true;
}

const struct ebb_rules_dataset *ebb_rules_pinned(const struct ebb_rules *r)
{
	for (size_t i = 0; i < r->nsets; i++)
		if (r->sets[i].pub.residency)
			return &r->sets[i].pub;
	return NULL;
}

void ebb_rules_use_here(struct ebb_rules *r, const char *jurisdiction)
{
	r->here = jurisdiction;
}

const char *ebb_rules_class(const struct ebb_rules *r, const char *store,
			    const struct ebb_record *rec)
{
	const struct ebb_rules_store *s = store ? ebb_rules_store(r, store) : NULL;

	if (rec && ebb_record_has(rec, EBB_F_CLASS))
		return ebb_names_get(r->names, rec->f[EBB_F_CLASS]);
	return s ? s->class : NULL;
}

const struct ebb_rules_dataset *ebb_rules_dataset(const struct ebb_rules *r, const char *key,
						  size_t key_len)
{
	for (size_t i = 0; i < r->nsets; i++)
		if (ebb_glob_match(r->sets[i].glob, key, key_len))
			return &r->sets[i].pub;
	return NULL;
}

size_t ebb_rules_datasets(const struct ebb_rules *r)
{
	return r->nsets;
}

bool ebb_rules_has_floors(const struct ebb_rules *r)
{
	for (size_t i = 0; i < r->nsets; i++)
		if (r->sets[i].pub.copies)
			return true;
	return false;
}

const struct ebb_rules_dataset *ebb_rules_floor(const struct ebb_rules *r, const char *key, size_t key_len)
{
	if (!ebb_rules_has_floors(r) || ebb_rules_reserved(key, key_len))
		return NULL;
	const struct ebb_rules_dataset *set = ebb_rules_dataset(r, key, key_len);
	return set && set->copies ? set : NULL;
}

bool ebb_rules_reserved(const char *key, size_t len)
{
	return ebb_record_key_has_prefix(key, len, EBB_RULES_RESERVED_PREFIX,
					 sizeof(EBB_RULES_RESERVED_PREFIX) - 1) ||
	       ebb_record_key_has_prefix(key, len, EBB_RULES_PACKS_PREFIX,
					 sizeof(EBB_RULES_PACKS_PREFIX) - 1);
}

bool ebb_rules_changeable(uint32_t known, int64_t kind, int64_t flags)
{
	return (known & EBB_KNOWN(EBB_F_KIND)) && kind == EBB_KIND_FILE &&
	       !(flags & (EBB_FLAG_UNSEEN | EBB_FLAG_CHANGING));
}

bool ebb_rules_fires(const struct ebb_rule *rule, enum ebb_truth certain, enum ebb_truth likely,
		     bool doubted)
{
	if (!rule->action->changes)
		return true;
	return rule->trust_logs ? likely == EBB_TRUE : certain == EBB_TRUE && !doubted;
}

void ebb_rules_labels(const struct ebb_rules *r, const struct ebb_rules_rule *rule,
		      const struct ebb_rules_set *set, const char *key, size_t len,
		      struct ebb_expr_text *values)
{
	struct ebb_glob_span spans[EBB_GLOB_WILDCARDS];

	if (rule->captures)
		fill_captures(rule->glob, key, len, spans);
	for (size_t i = 0; i < rule->captures; i++)
		*values++ = (struct ebb_expr_text){spans[i].p, spans[i].len};
	if (set)
		fill_captures(set->glob, key, len, spans);
	for (size_t i = 0; i < r->nlabels; i++) {
		struct ebb_expr_text v = {NULL, 0};

		if (set)
			v = set->sources[i].constant;
		if (set && !v.p && set->sources[i].capture >= 0)
			v = (struct ebb_expr_text){spans[set->sources[i].capture].p,
						   spans[set->sources[i].capture].len};
		values[i] = v;
	}
}
