/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quantities as people write them: bytes, durations, percentages, counts, times.
 *
 * Parsers take the whole string, fill *ret only on success, and return 0, -EBB_EINVAL when the text
 * is malformed (the message says what would be right) or -EBB_ERANGE when the value does not fit
 * int64_t. Nothing is negative. Decimals are allowed where the result is a whole number: "1.5GiB"
 * is, "0.1KiB" is not. One space may stand between number and unit. Letter case matters.
 *
 * Formatters write into @out (EBB_UNITS_TEXT bytes), return it, and take any int64_t. "exact" forms
 * parse back to the same value; the others are for people.
 *
 * Threads: every function may be called from any thread.
 */
#ifndef EBB_CORE_UNITS_H
#define EBB_CORE_UNITS_H

#include <stdint.h>

struct ebb_err;

#define EBB_UNITS_TEXT 48

/*
 * --- Bytes ---
 * B, KiB MiB GiB TiB PiB EiB (1024), KB kB MB GB TB PB EB (1000); a bare number is bytes.
 */

int ebb_units_parse_bytes(const char *s, int64_t *ret, struct ebb_err *err);

/* Binary, one digit behind the point, rounded to nearest, ties to even: "512 B", "1.5 GiB". */
const char *ebb_units_format_bytes(int64_t bytes, char out[EBB_UNITS_TEXT]);

/* The largest unit, binary or decimal, that divides the value: "256KiB", "10GB", "1023B". */
const char *ebb_units_exact_bytes(int64_t bytes, char out[EBB_UNITS_TEXT]);

/*
 * --- Durations, in nanoseconds ---
 * s min h d w mo y, alone or combined with falling units: 1d12h. A day is 24 h, w = 7 d, mo = 30 d,
 * y = 365 d: rules mean a span of time, not a place in the calendar. "m" alone is refused, because
 * half of its readers would take it for the other thing. The longest is 292 years.
 */

int ebb_units_parse_duration(const char *s, int64_t *ret, struct ebb_err *err);

/* The two largest parts of y d h min s, the rest cut off: "1y 35d", "5min", "0.25s". */
const char *ebb_units_format_duration(int64_t ns, char out[EBB_UNITS_TEXT]);

/* All of it, of d h min s: "90d", "1d12h", "0.000000001s". */
const char *ebb_units_exact_duration(int64_t ns, char out[EBB_UNITS_TEXT]);

/*
 * --- Percentages, in millionths ---
 * "5%" is 50,000. More than 100% is possible. The sign is required.
 */

#define EBB_UNITS_PERCENT INT64_C(10000)	/* millionths in 1% */

int ebb_units_parse_percent(const char *s, int64_t *ret, struct ebb_err *err);

/* "5%", "0.25%" */
const char *ebb_units_exact_percent(int64_t millionths, char out[EBB_UNITS_TEXT]);

/* --- Counts: digits only --- */

int ebb_units_parse_count(const char *s, int64_t *ret, struct ebb_err *err);

/* "1,234,567" */
const char *ebb_units_format_count(int64_t n, char out[EBB_UNITS_TEXT]);

/*
 * --- Times, in nanoseconds since 1970-01-01T00:00:00Z ---
 * Read: RFC 3339 with any offset ("2024-02-29T23:59:60.5+04:00"; t, z and a space for T are fine),
 * or a day alone ("2024-02-29": its midnight UTC). Digits behind the nanosecond are cut off. A leap
 * second is the first second of the next minute. From 1677-09-21 to 2262-04-11, elsewhere
 * -EBB_ERANGE.
 */

int ebb_units_parse_time(const char *s, int64_t *ret, struct ebb_err *err);

/* RFC 3339 in UTC, a fraction only when there is one: "2024-02-29T12:00:00Z", "...:00.25Z". */
const char *ebb_units_exact_time(int64_t ns, char out[EBB_UNITS_TEXT]);

/* The day in UTC: "2024-02-29". */
const char *ebb_units_format_date(int64_t ns, char out[EBB_UNITS_TEXT]);

#endif
