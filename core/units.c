/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/units.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/date.h"
#include "core/decimal.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/text.h"

struct unit {
	const char *name;
	int64_t size;
};

#define SECOND ((uint64_t)EBB_CLOCK_SECOND)
#define SECONDS(n) ((n) * EBB_CLOCK_SECOND)

static const struct unit byte_units[] = {
	{"B", 1}, {"KiB", INT64_C(1) << 10}, {"MiB", INT64_C(1) << 20}, {"GiB", INT64_C(1) << 30},
	{"TiB", INT64_C(1) << 40}, {"PiB", INT64_C(1) << 50}, {"EiB", INT64_C(1) << 60},
	{"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000}, {"TB", INT64_C(1000000000000)},
	{"PB", INT64_C(1000000000000000)}, {"EB", INT64_C(1000000000000000000)}, {"kB", 1000},
};
#define N_BINARY 7

/* Falling, as combined durations must be. */
static const struct unit time_units[] = {
	{"y", SECONDS(365 * 86400)}, {"mo", SECONDS(30 * 86400)}, {"w", SECONDS(7 * 86400)},
	{"d", SECONDS(86400)}, {"h", SECONDS(3600)}, {"min", SECONDS(60)}, {"s", SECONDS(1)},
};

/* Fail with "'TEXT' is not a KIND: HINT". */
__attribute__((format(printf, 4, 5)))
static int malformed(struct ebb_err *err, const char *s, const char *kind, const char *fmt, ...)
{
	char quoted[EBB_TEXT_QUOTED], hint[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(hint, sizeof(hint), fmt, ap);
	va_end(ap);
	return ebb_err_set(err, EBB_EINVAL, "'%s' is not %s: %s",
			   ebb_text_quotes(s, quoted, sizeof(quoted)), kind, hint);
}

static int too_large(struct ebb_err *err, const char *s)
{
	char quoted[EBB_TEXT_QUOTED];

	return ebb_err_set(err, EBB_ERANGE, "'%s' does not fit",
			   ebb_text_quotes(s, quoted, sizeof(quoted)));
}

/*
 * Read digits [. digits] and one space at most: *s moves on.
 *
 * @return  0, -EBB_EINVAL, -EBB_ERANGE.
 */
static int read_number(const char **s, struct ebb_decimal *ret)
{
	size_t len = strspn(*s, "0123456789.");
	int r = ebb_decimal_parse_n(*s, len, ret, NULL);

	if (r < 0)
		return r;
	*s += len;
	if (**s == ' ' && (*s)[1])
		++*s;
	return 0;
}

/* d * size as an integer: 0, -EBB_EINVAL when it is not one, -EBB_ERANGE. */
static int whole_product(struct ebb_decimal d, int64_t size, int64_t *ret)
{
	struct ebb_decimal product;
	int64_t n;
	bool exact;

	if (ebb_decimal_mul(d, ebb_decimal_of(size), &product, NULL) < 0 ||
	    ebb_decimal_scaled(product, 0, &n, &exact, NULL) < 0)
		return -EBB_ERANGE;
	if (!exact)
		return -EBB_EINVAL;
	*ret = n;
	return 0;
}

/* The unit whose name is the @len bytes at @s, NULL when there is none. */
static const struct unit *find_unit(const struct unit *units, size_t n, const char *s, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(units[i].name) == len && !memcmp(units[i].name, s, len))
			return &units[i];
	return NULL;
}

int ebb_units_parse_bytes(const char *s, int64_t *ret, struct ebb_err *err)
{
	const char *at = s;
	struct ebb_decimal d;
	int r = read_number(&at, &d);

	if (r == -EBB_ERANGE)
		return too_large(err, s);
	if (r < 0)
		return malformed(err, s, "a size", "write it as 256KiB, 1.5GB or 4096");
	const struct unit *unit = &byte_units[0];
	if (*at)
		unit = find_unit(byte_units, EBB_ARRAY_LEN(byte_units), at, strlen(at));
	if (!unit)
		return malformed(err, s, "a size",
				 "units are B, KiB MiB GiB TiB PiB EiB (1024), "
				 "KB MB GB TB PB EB (1000)");
	r = whole_product(d, unit->size, ret);
	if (r == -EBB_ERANGE)
		return too_large(err, s);
	if (r < 0)
		return malformed(err, s, "a size", "it is not a whole number of bytes");
	return 0;
}

static uint64_t magnitude(int64_t n)
{
	return n < 0 ? -(uint64_t)n : (uint64_t)n;
}

static const char *sign_of(int64_t n)
{
	return n < 0 ? "-" : "";
}

const char *ebb_units_format_bytes(int64_t bytes, char out[EBB_UNITS_TEXT])
{
	uint64_t n = magnitude(bytes);
	int unit = 0;

	if (n < 1024) {
		snprintf(out, EBB_UNITS_TEXT, "%s%u B", sign_of(bytes), (unsigned)n);
		return out;
	}
	/* The unit in which it is at least 1 and, once rounded to tenths, less than 1024.0. */
	while (unit + 1 < N_BINARY &&
	       n >= (uint64_t)(byte_units[unit + 1].size - byte_units[unit].size / 20))
		unit++;

	uint64_t size = (uint64_t)byte_units[unit].size;
	uint64_t whole = n / size;
	unsigned __int128 rest = (unsigned __int128)(n % size) * 10;
	unsigned tenths = (unsigned)(rest / size);
	uint64_t over = (uint64_t)(rest % size);
	if (over > size / 2 || (over == size / 2 && tenths % 2))
		tenths++;
	if (tenths == 10) {
		tenths = 0;
		whole++;
	}
	snprintf(out, EBB_UNITS_TEXT, "%s%" PRIu64 ".%u %s", sign_of(bytes), whole, tenths,
		 byte_units[unit].name);
	return out;
}

const char *ebb_units_exact_bytes(int64_t bytes, char out[EBB_UNITS_TEXT])
{
	uint64_t n = magnitude(bytes);
	const struct unit *best = &byte_units[0];

	for (size_t i = 0; n && i < EBB_ARRAY_LEN(byte_units); i++)
		if (n % (uint64_t)byte_units[i].size == 0 && byte_units[i].size > best->size)
			best = &byte_units[i];
	snprintf(out, EBB_UNITS_TEXT, "%s%" PRIu64 "%s", sign_of(bytes), n / (uint64_t)best->size,
		 best->name);
	return out;
}

/*
 * Read one number and unit of a duration: *s moves on to the next, *unit says which unit it was.
 *
 * @whole   the text that *s is part of, for messages.
 * @return  0, -EBB_EINVAL, -EBB_ERANGE.
 */
static int read_part(const char *whole, const char **s, const struct unit **unit, int64_t *ret,
		     struct ebb_err *err)
{
	struct ebb_decimal d;
	const char *number = *s;
	int r = read_number(s, &d), len_number = (int)(*s - number);
	char hint[64];

	if (r == -EBB_ERANGE)
		return too_large(err, whole);
	if (r < 0)
		return malformed(err, whole, "a duration", "write it as 90d, 1.5h or 1d12h");

	size_t len = strcspn(*s, "0123456789. ");
	if (len == 1 && **s == 'm') {
		snprintf(hint, sizeof(hint), "write %.*smin or %.*smo", len_number, number, len_number,
			 number);
		return malformed(err, whole, "a duration", "%s", hint);
	}
	*unit = find_unit(time_units, EBB_ARRAY_LEN(time_units), *s, len);
	if (!*unit)
		return malformed(err, whole, "a duration", "units are s min h d w mo y");
	*s += len;
	if (**s == ' ' && (*s)[1])
		++*s;
	r = whole_product(d, (*unit)->size, ret);
	if (r == -EBB_ERANGE)
		return too_large(err, whole);
	if (r < 0)
		return malformed(err, whole, "a duration", "it is finer than a nanosecond");
	return 0;
}

int ebb_units_parse_duration(const char *s, int64_t *ret, struct ebb_err *err)
{
	const char *at = s;
	const struct unit *unit = NULL, *before = NULL;
	int64_t sum = 0, part;

	do {
		int r = read_part(s, &at, &unit, &part, err);
		if (r < 0)
			return r;
		if (before && unit <= before)
			return malformed(err, s, "a duration",
					 "larger units come first, each once: 1d12h");
		if (__builtin_add_overflow(sum, part, &sum))
			return too_large(err, s);
		before = unit;
	} while (*at);
	*ret = sum;
	return 0;
}

/* Print seconds with as many of nine digits behind the point as it takes. */
static size_t print_seconds(char *out, size_t size, uint64_t ns)
{
	int len = snprintf(out, size, "%" PRIu64 ".%09" PRIu64, ns / SECOND, ns % SECOND);

	while (out[len - 1] == '0')
		len--;
	if (out[len - 1] == '.')
		len--;
	out[len++] = 's';
	out[len] = '\0';
	return (size_t)len;
}

const char *ebb_units_exact_duration(int64_t ns, char out[EBB_UNITS_TEXT])
{
	uint64_t n = magnitude(ns);
	size_t len = (size_t)snprintf(out, EBB_UNITS_TEXT, "%s", sign_of(ns));

	for (size_t i = 3; i < 6; i++) {	/* d, h, min */
		uint64_t size = (uint64_t)time_units[i].size;
		if (n >= size)
			len += (size_t)snprintf(out + len, EBB_UNITS_TEXT - len, "%" PRIu64 "%s",
						n / size, time_units[i].name);
		n %= size;
	}
	if (n || !ns)
		print_seconds(out + len, EBB_UNITS_TEXT - len, n);
	return out;
}

const char *ebb_units_format_duration(int64_t ns, char out[EBB_UNITS_TEXT])
{
	static const size_t shown[] = {0, 3, 4, 5, 6};	/* y, d, h, min, s */
	uint64_t n = magnitude(ns);
	size_t len = (size_t)snprintf(out, EBB_UNITS_TEXT, "%s", sign_of(ns));
	int parts = 0;

	if (n < SECOND) {
		print_seconds(out + len, EBB_UNITS_TEXT - len, n - n % (SECOND / 100));
		return out;
	}
	for (size_t i = 0; i < EBB_ARRAY_LEN(shown) && parts < 2; i++) {
		uint64_t size = (uint64_t)time_units[shown[i]].size;
		if (n >= size) {
			len += (size_t)snprintf(out + len, EBB_UNITS_TEXT - len, "%s%" PRIu64 "%s",
						parts ? " " : "", n / size,
						time_units[shown[i]].name);
			parts++;
		}
		n %= size;
	}
	return out;
}

int ebb_units_parse_percent(const char *s, int64_t *ret, struct ebb_err *err)
{
	const char *at = s;
	struct ebb_decimal d;
	int r = read_number(&at, &d);

	if (r == -EBB_EINVAL || (!r && strcmp(at, "%") != 0))
		return malformed(err, s, "a percentage", "write it as 5%%");
	if (!r)
		r = whole_product(d, EBB_UNITS_PERCENT, ret);
	if (r == -EBB_ERANGE)
		return too_large(err, s);
	if (r < 0)
		return malformed(err, s, "a percentage", "four digits behind the point at most");
	return 0;
}

const char *ebb_units_exact_percent(int64_t millionths, char out[EBB_UNITS_TEXT])
{
	const struct ebb_decimal unit = {.mant = 1, .scale = 4};	/* 1 / EBB_UNITS_PERCENT */
	struct ebb_decimal d;
	char number[EBB_DECIMAL_TEXT];

	/* Cannot fail: 19 digits times 10^-4 fit. */
	ebb_decimal_mul(ebb_decimal_of(millionths), unit, &d, NULL);
	snprintf(out, EBB_UNITS_TEXT, "%.24s%%", ebb_decimal_format(d, number));
	return out;
}

int ebb_units_parse_count(const char *s, int64_t *ret, struct ebb_err *err)
{
	int64_t n = 0;
	size_t len = strspn(s, "0123456789");

	if (!len || s[len])
		return malformed(err, s, "a count", "write it in digits only");
	for (size_t i = 0; i < len; i++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, s[i] - '0', &n))
			return too_large(err, s);
	*ret = n;
	return 0;
}

const char *ebb_units_format_count(int64_t n, char out[EBB_UNITS_TEXT])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, magnitude(n));
	char *at = out;

	if (n < 0)
		*at++ = '-';
	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return out;
}

/* Read exactly @n digits. Returns false when there are fewer. */
static bool take_digits(const char **s, int n, int *ret)
{
	int v = 0;

	for (; n; n--, ++*s) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (**s - '0');
	}
	*ret = v;
	return true;
}

/* Read one character of @set. */
static bool take_char(const char **s, const char *set)
{
	if (!**s || !strchr(set, **s))
		return false;
	++*s;
	return true;
}

/* Read [. digits] as nanoseconds; what is finer is cut off. */
static bool take_fraction(const char **s, int *ret)
{
	int ns = 0, worth = (int)EBB_CLOCK_SECOND / 10;

	if (take_char(s, ".")) {
		if (**s < '0' || **s > '9')
			return false;
		for (; **s >= '0' && **s <= '9'; ++*s, worth /= 10)
			ns += (**s - '0') * worth;
	}
	*ret = ns;
	return true;
}

/* Read Z or +hh:mm as seconds east of UTC. */
static bool take_offset(const char **s, int *ret)
{
	int hours, minutes;
	bool west = **s == '-';

	if (take_char(s, "Zz")) {
		*ret = 0;
		return true;
	}
	if (!take_char(s, "+-") || !take_digits(s, 2, &hours) || !take_char(s, ":") ||
	    !take_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

/* Read hh:mm:ss[.f]OFFSET as seconds since midnight UTC of the day it is written under, and ns. */
static bool take_clock(const char **s, int *ret_seconds, int *ret_ns)
{
	int hour, minute, second, offset;

	if (!take_digits(s, 2, &hour) || !take_char(s, ":") || !take_digits(s, 2, &minute) ||
	    !take_char(s, ":") || !take_digits(s, 2, &second) || !take_fraction(s, ret_ns) ||
	    !take_offset(s, &offset))
		return false;
	if (hour > 23 || minute > 59 || second > (minute == 59 ? 60 : 59))
		return false;
	*ret_seconds = hour * 3600 + minute * 60 + second - offset;
	return true;
}

int ebb_units_parse_time(const char *s, int64_t *ret, struct ebb_err *err)
{
	struct ebb_date d;
	const char *at = s;
	int seconds = 0, ns = 0;

	bool ok = take_digits(&at, 4, &d.year) && take_char(&at, "-") &&
		  take_digits(&at, 2, &d.month) && take_char(&at, "-") &&
		  take_digits(&at, 2, &d.day) && ebb_date_valid(d);
	if (ok && take_char(&at, "Tt "))
		ok = take_clock(&at, &seconds, &ns);
	if (!ok || *at)
		return malformed(err, s, "a time",
				 "write it as 2024-02-29 or 2024-02-29T12:00:00Z");

	__int128 t = (__int128)(ebb_date_days(d) * 86400 + seconds) * EBB_CLOCK_SECOND + ns;
	if (t < INT64_MIN || t > INT64_MAX)
		return too_large(err, s);
	*ret = (int64_t)t;
	return 0;
}

const char *ebb_units_exact_time(int64_t ns, char out[EBB_UNITS_TEXT])
{
	int64_t rest = ns % EBB_DATE_DAY_NS;

	rest += rest < 0 ? EBB_DATE_DAY_NS : 0;
	ebb_units_format_date(ns, out);
	size_t len = strlen(out);
	int second = (int)(rest / EBB_CLOCK_SECOND);
	int fraction = (int)(rest % EBB_CLOCK_SECOND);

	len += (size_t)snprintf(out + len, EBB_UNITS_TEXT - len, "T%02d:%02d:%02d", second / 3600,
				second / 60 % 60, second % 60);
	if (fraction) {
		len += (size_t)snprintf(out + len, EBB_UNITS_TEXT - len, ".%09d", fraction);
		while (out[len - 1] == '0')
			len--;
	}
	memcpy(out + len, "Z", 2);
	return out;
}

const char *ebb_units_format_date(int64_t ns, char out[EBB_UNITS_TEXT])
{
	struct ebb_date d = ebb_date_of(ns);

	snprintf(out, EBB_UNITS_TEXT, "%04d-%02d-%02d", d.year, d.month, d.day);
	return out;
}
