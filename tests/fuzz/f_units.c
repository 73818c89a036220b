/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: text that should be a quantity. Every parser gets it; whatever one accepts must come back
 * from its exact formatter as the same value, and whatever one refuses must come with a printable
 * reason.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/decimal.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/money.h"
#include "core/text.h"
#include "core/units.h"
#include "core/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int parser(const char *s, int64_t *ret, struct ebb_err *err);
typedef const char *formatter(int64_t value, char out[EBB_UNITS_TEXT]);

/* A count is not among them: its formatter is for people. */
static const struct {
	parser *parse;
	formatter *format;
} kinds[] = {
	{ebb_units_parse_bytes, ebb_units_exact_bytes},
	{ebb_units_parse_duration, ebb_units_exact_duration},
	{ebb_units_parse_percent, ebb_units_exact_percent},
	{ebb_units_parse_time, ebb_units_exact_time},
};

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_refusal(int code, const struct ebb_err *err)
{
	require(code == -EBB_EINVAL || code == -EBB_ERANGE);
	require(err->code == -code && *err->msg && ebb_utf8_valid(err->msg, strlen(err->msg)));
	for (const char *s = err->msg; *s; s++)
		require((unsigned char)*s >= ' ');
}

static void check_units(const char *text)
{
	char out[EBB_UNITS_TEXT];
	int64_t value, back;

	for (size_t i = 0; i < EBB_ARRAY_LEN(kinds); i++) {
		struct ebb_err err = {0};
		int code = kinds[i].parse(text, &value, &err);

		if (code < 0)
			check_refusal(code, &err);
		else
			require(!kinds[i].parse(kinds[i].format(value, out), &back, NULL) &&
				back == value);
	}
	struct ebb_err err = {0};
	int code = ebb_units_parse_count(text, &value, &err);
	if (code < 0)
		check_refusal(code, &err);
}

static void check_money(const char *text)
{
	struct ebb_money m, back;
	struct ebb_err err = {0};
	char out[EBB_MONEY_TEXT];
	int code = ebb_money_parse(text, &m, &err);

	if (code < 0) {
		check_refusal(code, &err);
		return;
	}
	require(!ebb_money_parse(ebb_money_format(m, out), &back, NULL) && back.nano == m.nano);
	require(!strcmp(back.currency, m.currency));
	require(!m.nano == !strpbrk(ebb_money_human(m, out), "123456789"));
}

static void check_decimal(const char *text)
{
	struct ebb_decimal d, back;
	struct ebb_err err = {0};
	char out[EBB_DECIMAL_TEXT];
	int code = ebb_decimal_parse(text, &d, &err);

	if (code < 0) {
		check_refusal(code, &err);
		return;
	}
	require(!ebb_decimal_parse(ebb_decimal_format(d, out), &back, NULL));
	require(back.mant == d.mant && back.scale == d.scale);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char quoted[EBB_TEXT_QUOTED];
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	check_units(text);
	check_money(text);
	check_decimal(text);
	ebb_text_quote(data, size, quoted, sizeof(quoted));
	require(ebb_utf8_valid(quoted, strlen(quoted)) && strlen(quoted) < sizeof(quoted));
	free(text);
	return 0;
}
