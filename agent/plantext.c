/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/plantext.h"

#include <inttypes.h>
#include <string.h>

#include "agent/out.h"
#include "core/units.h"

static const struct ebb_out_col by_rule[] = {
	{"rule", false}, {"does", false}, {"objects", true}, {"size", true}, {"frees", true},
	{"costs once", true}, {"saves a month", true}, {"pays back", true},
};

static const struct ebb_out_col left_alone[] = {
	{"left alone by", false}, {"objects", true}, {"size", true}, {"why", false},
};

static uint64_t natural(int64_t n)
{
	return n < 0 ? 0 : (uint64_t)n;
}

const char *ebb_plantext_money(const struct ebb_planhead_sum *s, int64_t nano, const char *currency,
			       char buf[64])
{
	struct ebb_money m = {.nano = nano};

	if (s->objects && s->unpriced == s->objects)
		return strcpy(buf, "unpriced");
	snprintf(m.currency, sizeof(m.currency), "%s", currency);
	return ebb_money_human(m, buf);
}

static void sum_row(struct ebb_out_table *t, const char *rule, const char *action,
		    const struct ebb_planhead_sum *s, const char *currency)
{
	char a[EBB_OUT_TEXT_MAX];
	bool priced = s->unpriced < s->objects;

	ebb_out_cell_name(t, rule, strlen(rule));
	ebb_out_cell(t, "%s", action);
	ebb_out_cell(t, "%s", ebb_out_count(natural(s->objects), a));
	ebb_out_cell(t, "%s", ebb_out_bytes(natural(s->bytes), a));
	ebb_out_cell(t, "%s", ebb_out_bytes(natural(s->freed), a));
	ebb_out_cell(t, "%s", ebb_plantext_money(s, s->one_off, currency, a));
	ebb_out_cell(t, "%s", ebb_plantext_money(s, s->saving, currency, a));
	if (!priced || (s->saving <= 0 && s->one_off > 0))
		ebb_out_cell(t, "%s", priced ? "never" : "");
	else if (s->one_off <= 0)
		ebb_out_cell(t, "at once");
	else
		ebb_out_cell(t, "%" PRId64 " d",
			     (int64_t)(((__int128)s->one_off * 30 + s->saving - 1) / s->saving));
}

static int print_rules(FILE *f, const struct ebb_planhead *h, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(by_rule, EBB_ARRAY_LEN(by_rule));

	for (size_t i = 0; t && i < h->nrules; i++)
		if (h->rules[i].sum.objects)
			sum_row(t, h->rules[i].rule, h->rules[i].action, &h->rules[i].sum, h->currency);
	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	ebb_out_rule(t);
	sum_row(t, "total", "", &h->all, h->currency);
	return ebb_out_table_print(t, f, 2, err);
}

static int refused_row(struct ebb_out_table *t, const char *who, const struct ebb_planhead_sum *s,
		       const char *why)
{
	char a[EBB_OUT_TEXT_MAX];

	if (s->objects == 0)
		return 0;
	ebb_out_cell_name(t, who, strlen(who));
	ebb_out_cell(t, "%s", ebb_out_count(natural(s->objects), a));
	ebb_out_cell(t, "%s", ebb_out_bytes(natural(s->bytes), a));
	ebb_out_cell(t, "%s", why);
	return 1;
}

static int print_left_alone(FILE *f, const struct ebb_planhead *h, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(left_alone, EBB_ARRAY_LEN(left_alone));
	int rows = 0;

	for (size_t i = 0; t && i < h->nrules; i++)
		for (int k = EBB_REFUSE_NONE + 1; k < EBB_REFUSE_COUNT; k++)
			rows += refused_row(t, h->rules[i].rule, &h->rules[i].refused[k],
					    ebb_decide_refusal_text((enum ebb_decide_refusal)k));
	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	rows += refused_row(t, "keep rules", &h->kept, "kept by a rule");
	rows += refused_row(t, "the scan", &h->held, "changing, or out of sight, during the scan");
	rows += refused_row(t, "no rule", &h->unmatched, "met no rule");
	if (rows == 0)
		return 0;
	fputc('\n', f);
	return ebb_out_table_print(t, f, 2, err);
}

int ebb_plantext_print(FILE *f, const struct ebb_planhead *h, struct ebb_err *err)
{
	char a[EBB_OUT_TEXT_MAX];
	int r = 0;

	if (h->all.objects == 0)
		fputs("  nothing to do\n", f);
	else
		r = print_rules(f, h, err);
	if (r == 0)
		r = print_left_alone(f, h, err);
	if (r == 0 && h->all.unpriced)
		fprintf(f, "\n  %s objects have no price and are not in the amounts: give their classes prices (ebb check)\n",
			ebb_out_count(natural(h->all.unpriced), a));
	return r;
}
