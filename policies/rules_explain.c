/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/rules_explain.h"

#include <string.h>

#include "core/text.h"
#include "policies/rules_ast.h"

/* Most labels of any condition. */
#define LABELS (EBB_GLOB_WILDCARDS + EBB_RULES_LABELS)

/* What the condition of @rule is evaluated with; @labels is where its labels go. */
static struct ebb_expr_env make_env(const struct ebb_rules *r, const struct ebb_rules_rule *rule,
				    const struct ebb_record *rec, const char *store, int64_t now,
				    struct ebb_expr_text labels[LABELS])
{
	const void *set = ebb_rules_dataset(r, rec->key, rec->key_len);

	ebb_rules_labels(r, rule, set, rec->key, rec->key_len, labels);
	return (struct ebb_expr_env){
		.now = now,
		.store = store,
		.class = ebb_rules_class(r, store, NULL),
		.names = r->names,
		.labels = labels,
	};
}

/* What one rule says, but for `fires` and `holds`. */
static int judge(const struct ebb_rules *r, const struct ebb_rules_rule *rule,
		 const struct ebb_record *rec, const char *store, int64_t now,
		 struct ebb_arena *arena, struct ebb_rules_verdict *v, struct ebb_err *err)
{
	const struct ebb_rules_dataset *set = ebb_rules_dataset(r, rec->key, rec->key_len);
	struct ebb_expr_text labels[LABELS];
	struct ebb_expr_env env = make_env(r, rule, rec, store, now, labels);
	struct ebb_expr_explain_fact *facts;
	int n;

	*v = (struct ebb_rules_verdict){.rule = &rule->pub, .cond = EBB_TRUE, .likely = EBB_TRUE};
	v->store_ok = !rule->pub.store || strcmp(rule->pub.store, store) == 0;
	v->match_ok = !rule->glob || ebb_glob_match(rule->glob, rec->key, rec->key_len);
	v->kind_ok =
		!rule->pub.kind || (set && set->kind && strcmp(set->kind, rule->pub.kind) == 0);
	if (!rule->pub.cond)
		return 0;
	v->cond = ebb_expr_eval(rule->pub.cond, &env, rec);
	env.trust = EBB_TRUST_LIKELY;
	v->likely = ebb_expr_eval(rule->pub.cond, &env, rec);
	n = ebb_expr_explain(rule->pub.cond, &env, rule->pub.labels, rec, arena, &facts, err);
	if (n < 0)
		return n;
	v->facts = facts;
	v->nfacts = (size_t)n;
	return 0;
}

int ebb_rules_explain(const struct ebb_rules *r, const struct ebb_record *rec, const char *store,
		      int64_t now, struct ebb_arena *arena, struct ebb_rules_verdict *ret,
		      const struct ebb_rules_dataset **ret_ds, struct ebb_err *err)
{
	bool changeable = ebb_rules_changeable(rec->known, rec->f[EBB_F_KIND], rec->f[EBB_F_FLAGS]);
	bool open = !ebb_rules_reserved(rec->key, rec->key_len), doubted = false;
	int fired = EBB_RULES_NONE;

	for (size_t i = 0; i < r->n; i++) {
		struct ebb_rules_verdict *v = &ret[i];
		bool changes = r->rules[i].pub.action->changes;
		int rc = judge(r, &r->rules[i], rec, store, now, arena, v, err);

		if (rc < 0)
			return rc;
		if (!open || !ebb_rules_plain(v->rule) || !v->store_ok || !v->match_ok || !v->kind_ok || v->cond == EBB_FALSE ||
		    (changes && !changeable))
			continue;
		if (v->likely == EBB_FALSE) {
			doubted = true;
			continue;
		}
		v->fires = ebb_rules_fires(&r->rules[i].pub, v->cond, v->likely, doubted);
		v->holds = !v->fires;
		v->doubted = v->holds && v->cond == EBB_TRUE;
		fired = v->fires ? (int)i : fired;
		open = false;
	}
	*ret_ds = ebb_rules_dataset(r, rec->key, rec->key_len);
	return fired;
}

int ebb_rules_explain_why(const struct ebb_rules *r, size_t rule, const struct ebb_record *rec,
			  const char *store, int64_t now, struct ebb_buf *out, struct ebb_err *err)
{
	const struct ebb_rules_rule *one = &r->rules[rule];
	struct ebb_expr_text labels[LABELS];
	char quoted[EBB_TEXT_QUOTED];
	size_t before = out->len;
	int rc = 0;

	if (one->pub.cond) {
		struct ebb_expr_env env = make_env(r, one, rec, store, now, labels);
		rc = ebb_expr_explain_line(one->pub.cond, &env, one->pub.labels, rec, out, err);
	}
	if (rc < 0 || out->len > before)
		return rc;
	if (one->pub.match)
		rc = ebb_buf_addf(out, "matches '%s'",
				  ebb_text_quotes(one->pub.match, quoted, sizeof(quoted)));
	else
		rc = ebb_buf_adds(out, "matches the rule");
	return rc < 0 ? ebb_err_set(err, EBB_ENOMEM, "no memory to explain a rule") : 0;
}

static bool forbids(const struct ebb_rules_dataset *set, const struct ebb_rules_store *to)
{
	for (const char *const *j = set->residency; j && *j; j++)
		if (to->jurisdiction && strcmp(*j, to->jurisdiction) == 0)
			return false;
	return set->residency != NULL;
}

/* Can no key match both? Told by what they begin with; NULL matches every key. */
static bool apart(const struct ebb_glob *a, const struct ebb_glob *b)
{
	size_t n = 0, m = 0;
	const char *p = a ? ebb_glob_prefix(a, &n) : "", *q = b ? ebb_glob_prefix(b, &m) : "";

	return memcmp(p, q, n < m ? n : m) != 0;
}

/* Does @set have every key that matches @rule? False when that is hard to tell. */
static bool covers(const struct ebb_rules_set *set, const struct ebb_rules_rule *rule)
{
	size_t n, m;
	const char *p = ebb_glob_prefix(set->glob, &n), *q;

	if (ebb_glob_everything(set->glob))
		return true;
	if (!rule->glob)
		return false;
	q = ebb_glob_prefix(rule->glob, &m);
	/* A folder with all below it, "uae/" and two stars, holds whatever begins so. */
	if (strlen(set->pub.match) == n + 2 && strcmp(set->pub.match + n, "**") == 0 && m >= n &&
	    memcmp(p, q, n) == 0)
		return true;
	return strcmp(set->pub.match, rule->pub.match) == 0;
}

const struct ebb_rules_dataset *ebb_rules_explain_forbidden(const struct ebb_rules *r, size_t rule)
{
	const struct ebb_rules_rule *inner = &r->rules[rule];
	const struct ebb_rule *one = &inner->pub;
	const struct ebb_rules_store *to = one->to ? ebb_rules_store(r, one->to) : NULL;
	const struct ebb_rules_dataset *first = NULL;

	for (size_t i = 0; to && i < r->nsets; i++) {
		const struct ebb_rules_dataset *set = &r->sets[i].pub;

		/* Objects of another kind do not meet the rule. */
		if (one->kind && (!set->kind || strcmp(set->kind, one->kind) != 0))
			continue;
		if (apart(r->sets[i].glob, inner->glob))
			continue;
		if (!forbids(set, to))
			return NULL;
		first = first ? first : set;
		/* Every object of the rule that got here has this dataset, or an earlier one. */
		if (covers(&r->sets[i], inner))
			return first;
	}
	return one->kind ? first : NULL;
}
