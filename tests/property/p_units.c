/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the exact formatters of core/units.h write, the parsers read back to the same value; what
 * people see is never further off than half of its last digit; damaged text never gets through to
 * *ret.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/date.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/units.h"
#include "tests/support/seed.h"

#define ROUNDS 200000

typedef int parser(const char *s, int64_t *ret, struct ebb_err *err);
typedef const char *formatter(int64_t value, char out[EBB_UNITS_TEXT]);

static const struct kind {
	const char *name;
	parser *parse;
	formatter *format;
	bool negative;	/* the parser reads negative values */
} kinds[] = {
	{"bytes", ebb_units_parse_bytes, ebb_units_exact_bytes, false},
	{"duration", ebb_units_parse_duration, ebb_units_exact_duration, false},
	{"percent", ebb_units_parse_percent, ebb_units_exact_percent, false},
	{"time", ebb_units_parse_time, ebb_units_exact_time, true},
};

static void round_trip(const struct kind *kind, int64_t value)
{
	char out[EBB_UNITS_TEXT];
	struct ebb_err err = {0};
	int64_t back = 0;

	if (value < 0 && !kind->negative)
		value = value == INT64_MIN ? INT64_MAX : -value;
	kind->format(value, out);
	EBB_SEED_CHECK(!kind->parse(out, &back, &err), "%s: %s", kind->name, err.msg);
	EBB_SEED_CHECK(back == value, "%s: %" PRId64 " became %s, %" PRId64, kind->name, value, out,
		       back);
}

/*
 * Change one byte: the parser may still read it, but on failure *ret and the error must be right.
 */
static void damage(const struct kind *kind, int64_t value, struct ebb_prng *r)
{
	static const char bytes[] = "0123456789.:-+TZ %KMGTPEiBsmhdwoyn\377\n";
	char out[EBB_UNITS_TEXT];
	struct ebb_err err = {0};
	int64_t back = 77;

	kind->format(value, out);
	out[ebb_prng_below(r, strlen(out))] = bytes[ebb_prng_below(r, sizeof(bytes))];
	int code = kind->parse(out, &back, &err);
	EBB_SEED_CHECK(code == -err.code, "%s: %s: %d", kind->name, out, code);
	EBB_SEED_CHECK(!code || back == 77, "%s: %s: touched", kind->name, out);
	EBB_SEED_CHECK(code || back >= 0 || kind->negative, "%s: %s: negative", kind->name, out);
}

static void human_bytes(int64_t value)
{
	static const char units[] = "BKMGTPE";
	char out[EBB_UNITS_TEXT], unit[4];
	unsigned whole, tenths = 0;

	ebb_units_format_bytes(value, out);
	if (sscanf(out, "%u B", &whole) == 1 && !strchr(out, '.'))
		unit[0] = 'B';
	else
		EBB_SEED_CHECK(sscanf(out, "%u.%1u %3s", &whole, &tenths, unit) == 3, "%s", out);
	__int128 size = (__int128)1 << 10 * (strchr(units, unit[0]) - units);
	__int128 off = (whole * 10 + tenths) * size - (__int128)value * 10;
	EBB_SEED_CHECK(whole < 1024, "%" PRId64 " became %s", value, out);
	EBB_SEED_CHECK(2 * (off < 0 ? -off : off) <= size, "%" PRId64 " became %s", value, out);
}

static void count_without_commas(int64_t value)
{
	char out[EBB_UNITS_TEXT], plain[EBB_UNITS_TEXT];
	char *at = plain;

	ebb_units_format_count(value, out);
	for (const char *s = out; *s; s++)
		if (*s != ',')
			*at++ = *s;
	*at = '\0';
	EBB_SEED_CHECK(strtoll(plain, NULL, 10) == value, "%" PRId64 " became %s", value, out);
}

/* Dates follow each other: the day after is one day later, and weekdays go round. */
static void calendar(int64_t value)
{
	int64_t day = value / 2 - value / 2 % EBB_DATE_DAY_NS;
	struct ebb_date a = ebb_date_of(day), b = ebb_date_of(day + EBB_DATE_DAY_NS);

	EBB_SEED_CHECK(ebb_date_days(b) == ebb_date_days(a) + 1, "%" PRId64, day);
	EBB_SEED_CHECK((ebb_date_weekday(a) + 1) % 7 == ebb_date_weekday(b), "%" PRId64, day);
}

int main(void)
{
	struct ebb_prng r = ebb_seed_start();

	for (int i = 0; i < ROUNDS; i++) {
		int64_t value = ebb_prng_int64(&r);

		for (size_t k = 0; k < EBB_ARRAY_LEN(kinds); k++) {
			round_trip(&kinds[k], value);
			damage(&kinds[k], value, &r);
		}
		human_bytes(value < 0 ? -(value + 1) : value);
		count_without_commas(value);
		calendar(value);
	}
	return 0;
}
