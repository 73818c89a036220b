/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/quote_out.h"

#include <ctype.h>
#include <inttypes.h>

#include "agent/jsonput.h"
#include "agent/out.h"
#include "core/mem.h"

#define MILLION INT64_C(1000000)

static __int128 saving(const struct ebb_bill *b)
{
	return ebb_bill_sum(b, EBB_BILL_BEFORE) - ebb_bill_sum(b, EBB_BILL_AFTER);
}

/* Millionths with as few digits as it takes. */
static const char *millionths(int64_t n, char out[EBB_DECIMAL_TEXT])
{
	struct ebb_decimal d = {.mant = n, .scale = 6};

	for (; d.scale > 0 && d.mant % 10 == 0; d.scale--)
		d.mant /= 10;
	return ebb_decimal_format(d, out);
}

/* --- For programs --- */

/* "one_off_usd": the name of an amount in its currency. */
static void amount(struct ebb_jsonput *j, const char *name, const char *currency, __int128 value)
{
	char full[64], text[EBB_DECIMAL_TEXT];
	int n = snprintf(full, sizeof(full) - 4, "%s_", name);

	for (int i = 0; i < 3; i++)
		full[n + i] = (char)tolower((unsigned char)currency[i]);
	full[n + 3] = 0;
	ebb_jsonput_number(j, full, ebb_bill_text(value, text));
}

static int line(struct ebb_jsonput *j, const struct ebb_bill_line *l, const char *currency)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(4096);
	int bad = ebb_quote_arithmetic(l, &text);

	ebb_jsonput_open(j, NULL, '{');
	ebb_jsonput_string(j, "side", ebb_bill_side_name(l->side));
	ebb_jsonput_string(j, "what", l->what);
	if (l->class)
		ebb_jsonput_string(j, "class", l->class->name);
	ebb_jsonput_string(j, "text", bad ? "" : text.data);
	amount(j, "amount", currency, l->amount);
	ebb_jsonput_string(j, "confidence", ebb_price_confidence_name(l->figure->confidence));
	ebb_jsonput_string(j, "source", l->figure->source ? l->figure->source : "");
	ebb_jsonput_shut(j, '}');
	return bad;
}

static void put_note(void *ctx, const char *text)
{
	struct ebb_jsonput *j = ctx;

	ebb_jsonput_string(j, NULL, text);
}

int ebb_quote_out_json(FILE *out, const struct ebb_quote *q, const struct ebb_bill *b,
		       const char *currency, struct ebb_err *err)
{
	struct ebb_jsonput j = EBB_JSONPUT_INIT;
	char text[EBB_DECIMAL_TEXT];
	int64_t months = 0;

	ebb_jsonput_open(&j, NULL, '{');
	amount(&j, "one_off", currency, ebb_bill_sum(b, EBB_BILL_ONCE));
	amount(&j, "monthly_before", currency, ebb_bill_sum(b, EBB_BILL_BEFORE));
	amount(&j, "monthly_after", currency, ebb_bill_sum(b, EBB_BILL_AFTER));
	amount(&j, "monthly_saving", currency, saving(b));
	ebb_jsonput_number(&j, "break_even_months",
			   ebb_bill_break_even(b, &months) ? millionths(months, text) : "null");
	ebb_jsonput_string(&j, "currency", currency);
	ebb_jsonput_string(&j, "from", q->from->name);
	if (q->to)
		ebb_jsonput_string(&j, "to", q->to->name);
	ebb_jsonput_open(&j, "lines", '[');
	for (size_t i = 0; i < b->n; i++)
		j.bad |= line(&j, &b->line[i], currency);
	ebb_jsonput_shut(&j, ']');
	ebb_jsonput_open(&j, "notes", '[');
	ebb_quote_notes(q, b, put_note, &j);
	ebb_jsonput_shut(&j, ']');
	ebb_jsonput_shut(&j, '}');
	return ebb_jsonput_end(&j, out, err);
}

/* --- For people --- */

static const char *human(__int128 value, const char *currency, char out[EBB_MONEY_TEXT])
{
	struct ebb_money m;

	if (ebb_bill_money(value, currency, &m, NULL) < 0)
		return "more than can be shown";
	return ebb_money_human(m, out);
}

static void print_head(FILE *out, const struct ebb_quote *q, const char *currency)
{
	char n[EBB_OUT_TEXT_MAX], size[EBB_OUT_TEXT_MAX], reads[EBB_DECIMAL_TEXT];
	uint64_t objects = (uint64_t)q->load.objects;

	fprintf(out, "%s of %s, %s", ebb_out_things(objects, "object", n),
		ebb_out_bytes(objects ? (uint64_t)(q->load.bytes / q->load.objects) : 0, size),
		q->from->name);
	if (*q->from->provider)
		fprintf(out, " (%s %s)", q->from->provider, q->from->region);
	if (!q->to)
		fputs(", deleted", out);
	else if (q->to != q->from)
		fprintf(out, " to %s", q->to->name);
	if (q->to && q->egress)
		fprintf(out, " (%s %s)", q->to->provider, q->to->region);
	fprintf(out, ", read %s times a month; %s\n", millionths(q->reads, reads), currency);
}

static int print_side(FILE *out, const struct ebb_bill *b, enum ebb_bill_side side,
		      const char *title, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"", false}, {"", false}, {"", false}, {"", false},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t =
		ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	int bad = 0, rows = 0;

	for (size_t i = 0; t && i < b->n; i++) {
		const struct ebb_bill_line *l = &b->line[i];
		EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(4096);

		if (l->side != side)
			continue;
		bad |= ebb_quote_arithmetic(l, &text);
		ebb_out_cell(t, "%s", l->what);
		ebb_out_cell(t, "%s", l->class ? l->class->name : "");
		ebb_out_cell(t, "%s", text.data ? text.data : "");
		ebb_out_cell(t, "%s", l->figure->confidence == EBB_PRICE_LIST
					      ? ""
					      : ebb_price_confidence_name(l->figure->confidence));
		rows++;
	}
	if (!t || bad)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (!rows)
		return 0;
	fprintf(out, "\n%s\n", title);
	return ebb_out_table_print(t, out, 2, err);
}

static void print_sums(FILE *out, const struct ebb_bill *b, const char *currency)
{
	char once[EBB_MONEY_TEXT], before[EBB_MONEY_TEXT], after[EBB_MONEY_TEXT];
	char less[EBB_MONEY_TEXT], text[EBB_DECIMAL_TEXT];
	int64_t months;
	bool ever = ebb_bill_break_even(b, &months);

	fprintf(out, "\nonce        %s\na month     %s before, %s after",
		human(ebb_bill_sum(b, EBB_BILL_ONCE), currency, once),
		human(ebb_bill_sum(b, EBB_BILL_BEFORE), currency, before),
		human(ebb_bill_sum(b, EBB_BILL_AFTER), currency, after));
	fprintf(out, ": saves %s\npays back   ", human(saving(b), currency, less));
	if (!ever)
		fputs("never\n", out);
	else if (!months)
		fputs("at once\n", out);
	else
		fprintf(out, "after %s months (%" PRId64 " days)\n", millionths(months, text),
			(int64_t)(((__int128)months * 30 + MILLION - 1) / MILLION));
}

static void print_note(void *ctx, const char *text)
{
	fprintf(ctx, "note: %s\n", text);
}

int ebb_quote_out_text(FILE *out, const struct ebb_quote *q, const struct ebb_bill *b,
		       const char *currency, struct ebb_err *err)
{
	int r;

	print_head(out, q, currency);
	r = print_side(out, b, EBB_BILL_ONCE, "Once", err);
	if (!r)
		r = print_side(out, b, EBB_BILL_BEFORE, "Each month, as it is", err);
	if (!r)
		r = print_side(out, b, EBB_BILL_AFTER, "Each month, then", err);
	if (r)
		return r;
	print_sums(out, b, currency);
	ebb_quote_notes(q, b, print_note, out);
	return ebb_out_flush(out, err);
}
