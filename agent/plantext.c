/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/plantext.h"

#include <inttypes.h>
#include <string.h>

#include "agent/out.h"
#include "core/units.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

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

const char *ebb_plantext_does(const char *action, bool purge, int64_t trash_ns, char buf[64])
{
	const struct ebb_action_kind *kind = ebb_action_by_name(action);
	char t[EBB_UNITS_TEXT];

	if (!kind || !kind->destructive)
		snprintf(buf, 64, "%s", action);
	else if (purge)
		snprintf(buf, 64, "%s for good", action);
	else
		snprintf(buf, 64, "%s (trash %s)", action, ebb_units_exact_duration(trash_ns, t));
	return buf;
}

/* --- Samples --- */

void ebb_plantext_use(const struct ebb_config *c, bool *used, const char *store, const char *to)
{
	for (size_t i = 0; i < c->nstores; i++) {
		const char *name = c->stores[i].open.name;

		used[i] |= strcmp(name, store) == 0 || (to && strcmp(name, to) == 0);
	}
}

/* A loss, or a payback too late, was found with the prices of the source and the destination. */
static void use_refused(const struct ebb_config *c, const struct ebb_planhead *h,
			const struct ebb_planhead_rule *row, bool *used)
{
	if (!row->refused[EBB_REFUSE_LOSS].objects && !row->refused[EBB_REFUSE_PAYBACK].objects)
		return;
	for (size_t i = 0; i < ebb_rules_count(c->rules); i++) {
		const struct ebb_rule *rule = ebb_rules_get(c->rules, i);

		if (strcmp(rule->name, row->rule) != 0)
			continue;
		for (size_t k = 0; k < h->nstores; k++)
			if (rule->store ? strcmp(rule->store, h->stores[k].name) == 0
					: h->stores[k].generation > 0)
				ebb_plantext_use(c, used, h->stores[k].name, rule->to);
	}
}

/* Has one of the stores before @i been named for this class? */
static bool is_named(const struct ebb_config *c, const bool *used, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (used[k] && c->stores[k].class && strcmp(c->stores[k].class, c->stores[i].class) == 0)
			return true;
	return false;
}

int ebb_plantext_samples(const struct ebb_config *c, const struct ebb_planhead *h, bool *used,
			 struct ebb_buf *out, struct ebb_err *err)
{
	int bad = ebb_buf_reserve(out, 1);

	for (size_t i = 0; i < h->nrules; i++)
		use_refused(c, h, &h->rules[i], used);
	for (size_t i = 0; i < c->nstores && !bad; i++) {
		const struct ebb_price_class *price = c->stores[i].price;

		if (!used[i] || !price || is_named(c, used, i) ||
		    price->item[EBB_PRICE_STORAGE].confidence < EBB_PRICE_SAMPLE)
			continue;
		bad |= ebb_buf_addf(out, "%s%s", out->len ? ", " : "", c->stores[i].class);
	}
	return bad ? ebb_err_set(err, EBB_ENOMEM, "out of memory") : 0;
}

/* --- Tables --- */

/* When the cost has come back, for a saving that begins after @trash_ns. */
static void payback_cell(struct ebb_out_table *t, const struct ebb_planhead_sum *s, int64_t trash_ns)
{
	bool priced = s->unpriced < s->objects;
	char a[EBB_UNITS_TEXT];

	if (!priced || (s->saving <= 0 && s->one_off > 0))
		ebb_out_cell(t, "%s", priced ? "never" : "");
	else if (s->one_off <= 0 && trash_ns)
		ebb_out_cell(t, "after %s", ebb_units_exact_duration(trash_ns, a));
	else if (s->one_off <= 0)
		ebb_out_cell(t, "at once");
	else
		ebb_out_cell(t, "%" PRId64 " d",
			     (int64_t)(((__int128)s->one_off * 30 + s->saving - 1) / s->saving) +
				     trash_ns / DAY_NS);
}

static void sum_row(struct ebb_out_table *t, const char *rule, const char *action,
		    const struct ebb_planhead_sum *s, int64_t trash_ns, const char *currency)
{
	char a[EBB_OUT_TEXT_MAX];

	ebb_out_cell_name(t, rule, strlen(rule));
	ebb_out_cell(t, "%s", action);
	ebb_out_cell(t, "%s", ebb_out_count(natural(s->objects), a));
	ebb_out_cell(t, "%s", ebb_out_bytes(natural(s->bytes), a));
	ebb_out_cell(t, "%s", ebb_out_bytes(natural(s->freed), a));
	ebb_out_cell(t, "%s", ebb_plantext_money(s, s->one_off, currency, a));
	ebb_out_cell(t, "%s", ebb_plantext_money(s, s->saving, currency, a));
	payback_cell(t, s, trash_ns);
}

static int print_rules(FILE *f, const struct ebb_plantext *p, struct ebb_err *err)
{
	const struct ebb_planhead *h = p->head;
	int64_t longest = 0;
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(by_rule, EBB_ARRAY_LEN(by_rule));

	for (size_t i = 0; t && i < h->nrules; i++) {
		const struct ebb_plantext_rule *how = &p->rules[i];
		int64_t trash_ns = how->purge ? 0 : how->trash_ns;
		char does[64];

		if (!h->rules[i].sum.objects)
			continue;
		ebb_plantext_does(h->rules[i].action, how->purge, how->trash_ns, does);
		sum_row(t, h->rules[i].rule, does, &h->rules[i].sum, trash_ns, h->currency);
		longest = trash_ns > longest ? trash_ns : longest;
	}
	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	ebb_out_rule(t);
	sum_row(t, "total", "", &h->all, longest, h->currency);
	return ebb_out_table_print(t, f, 2, err);
}

/* Where a rule said otherwise than by digest. */
static void print_verify(FILE *f, const struct ebb_planhead_rule *rule)
{
	static const char *const words[EBB_ACTION_VERIFIES] = {
		[EBB_ACTION_SIZE] = "by size alone: nothing is read back before originals go",
		[EBB_ACTION_CHECKSUM] = "by the checksums that their store compared while they were written, else by digest",
		[EBB_ACTION_BYTES] = "byte by byte against their originals, which are read once more",
	};

	if (!rule->sum.objects || !words[rule->verify])
		return;
	fputs("  ", f);
	ebb_out_name(f, rule->rule, strlen(rule->rule));
	fprintf(f, ": copies are verified %s\n", words[rule->verify]);
}

/* What samples said of a rule's objects, and how far what it frees may be wrong by that. */
static void print_sampled(FILE *f, const struct ebb_planhead_rule *rule)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	for (size_t i = 0; i < rule->nsampled; i++) {
		const struct ebb_shrink_kind *k = &rule->sampled[i];

		fputs("  ", f);
		ebb_out_name(f, rule->rule, strlen(rule->rule));
		fputs(", ", f);
		if (*k->ext) {
			fputs(".", f);
			ebb_out_name(f, k->ext, strlen(k->ext));
		} else {
			fputs("no extension", f);
		}
		fprintf(f, ": %d samples of %s, ", k->samples, ebb_out_bytes(natural(k->read), a));
		if (k->permille == 1000)
			fputs("would not shrink\n", f);
		else
			fprintf(f, "%d.%d %% +- %d.%d of %s is left\n", k->permille / 10, k->permille % 10, k->margin / 10,
				k->margin % 10, ebb_out_bytes(natural(k->bytes), b));
	}
	if (!rule->nsampled || !rule->sum.objects)
		return;
	fputs("  ", f);
	ebb_out_name(f, rule->rule, strlen(rule->rule));
	fprintf(f, ": frees %s +- %s (95 %%, by samples)\n", ebb_out_bytes(natural(rule->sum.freed), a),
		ebb_out_bytes(natural(ebb_shrink_margin(rule->sampled, rule->nsampled)), b));
}

/* What the amounts do not say by themselves, a line each. */
/* Where what goes is not gone: buckets that keep versions, and what lies below objects that go. @later: something goes into a trash. */
static void print_versions(FILE *f, const struct ebb_planhead *h, bool later)
{
	const struct ebb_planhead_sum *o = &h->older;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], money[64];

	for (size_t i = 0; i < h->nstores; i++) {
		const struct ebb_planhead_store *s = &h->stores[i];

		if (s->versions == EBB_NONCURRENT_ENABLED && s->mfa_delete)
			fprintf(f, "  %s removes no version without a second factor (MFA Delete): deleting there hides, and frees nothing\n", s->name);
		else if (s->versions == EBB_NONCURRENT_ENABLED && later)
			fprintf(f, "  %s keeps versions: until then what is deleted there lies below a delete marker, billed as before\n", s->name);
	}
	if (o->objects)
		fprintf(f, "  %s of what goes stay%s, %s%s%s%s, unless the bucket's own rules remove them (versions: noncurrent)\n",
			ebb_out_things(natural(o->objects), "older version", a), o->objects == 1 ? "s" : "",
			ebb_out_bytes(natural(o->bytes), b), o->unpriced < o->objects ? " for " : "",
			o->unpriced < o->objects ? ebb_plantext_money(o, o->saving, h->currency, money) : "",
			o->unpriced < o->objects ? " a month" : "");
}

static void print_notes(FILE *f, const struct ebb_plantext *p)
{
	const char *samples = p->samples ? p->samples : "";
	bool one = !strchr(samples, ',');
	int64_t later = 0;
	char a[EBB_OUT_TEXT_MAX];

	for (size_t i = 0; i < p->head->nrules; i++)
		if (p->rules[i].hidden) {
			fputs("  ", f);
			ebb_out_name(f, p->head->rules[i].rule, strlen(p->head->rules[i].rule));
			fputs(": what a bucket keeps out of sight is for the bucket itself to delete, see 'ebb export'\n", f);
		}
	for (size_t i = 0; i < p->head->nrules; i++)
		print_verify(f, &p->head->rules[i]);
	for (size_t i = 0; i < p->head->nrules; i++)
		print_sampled(f, &p->head->rules[i]);
	for (size_t i = 0; i < p->head->nrules; i++)
		if (!p->rules[i].purge && p->rules[i].trash_ns &&
		    __builtin_add_overflow(later, p->head->rules[i].sum.freed, &later))
			later = INT64_MAX;
	if (later > 0)
		fprintf(f, "  %s of it are free, and save, when the trash expires and 'ebb trash --empty' has run\n",
			ebb_out_bytes(natural(later), a));
	print_versions(f, p->head, later > 0);
	if (*samples)
		fprintf(f, "  price%s of %s %s: replace %s, see 'ebb check'\n", one ? "" : "s", samples,
			one ? "is a sample" : "are samples", one ? "it" : "them");
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

/* Objects that are not moved one by one: what that would have cost, and what packs would. */
static void print_packed(FILE *f, const struct ebb_planhead *h)
{
	for (size_t i = 0; i < h->nrules; i++) {
		const struct ebb_planhead_packed *p = &h->rules[i].packed;
		struct ebb_planhead_sum s = h->rules[i].refused[EBB_REFUSE_LOSS];
		const struct ebb_planhead_sum *late = &h->rules[i].refused[EBB_REFUSE_PAYBACK];
		char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], d[EBB_OUT_TEXT_MAX];

		if (!p->objects || __builtin_add_overflow(s.one_off, late->one_off, &s.one_off) ||
		    __builtin_add_overflow(s.saving, late->saving, &s.saving))
			continue;
		fputs("\n  ", f);
		ebb_out_name(f, h->rules[i].rule, strlen(h->rules[i].rule));
		fprintf(f, ": one by one, %s once and %s saved a month; ", ebb_plantext_money(&s, s.one_off, h->currency, a),
			ebb_plantext_money(&s, s.saving, h->currency, b));
		fprintf(f, "in %s, %s once and %s a month\n", ebb_out_things(natural(p->packs), "pack", d),
			ebb_plantext_money(&s, p->one_off, h->currency, c),
			ebb_plantext_money(&s, p->saving, h->currency, a));
	}
}

int ebb_plantext_print(FILE *f, const struct ebb_plantext *p, struct ebb_err *err)
{
	const struct ebb_planhead *h = p->head;
	char a[EBB_OUT_TEXT_MAX];
	int r = 0;

	if (h->all.objects == 0)
		fputs("  nothing to do\n", f);
	else
		r = print_rules(f, p, err);
	if (r == 0)
		print_notes(f, p);
	if (r == 0)
		r = print_left_alone(f, h, err);
	if (r == 0)
		print_packed(f, h);
	if (r == 0 && h->all.unpriced)
		fprintf(f, "\n  %s objects have no price and are not in the amounts: give their classes prices (ebb check)\n",
			ebb_out_count(natural(h->all.unpriced), a));
	return r;
}
