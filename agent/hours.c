/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/hours.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DAY (24 * 60)

static int bad(const char *text, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ECONFIG,
			   "window '%s' is not of the form \"Mon-Fri 20:00-06:00\"", text);
}

/* Number of the day that @p begins with, advancing it; -1. */
static int day(const char **p)
{
	static const char names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

	for (int i = 0; i < 7; i++) {
		if (strncasecmp(*p, names[i], 3) != 0)
			continue;
		*p += 3;
		return i;
	}
	return -1;
}

/* "Mon", "Mon-Fri", "Sat,Sun": bits, or -1. */
static int days(const char **p)
{
	int bits = 0;

	do {
		int from = day(p), to = from;

		if (from >= 0 && **p == '-') {
			++*p;
			to = day(p);
		}
		if (from < 0 || to < 0)
			return -1;
		for (int d = from;; d = (d + 1) % 7) {
			bits |= 1 << d;
			if (d == to)
				break;
		}
	} while (**p == ',' && *++*p);
	return bits;
}

/* "HH:MM" as minutes, 24:00 included; -1. */
static int minutes(const char **p)
{
	const char *s = *p;

	if (!isdigit((unsigned char)s[0]) || !isdigit((unsigned char)s[1]) || s[2] != ':' ||
	    !isdigit((unsigned char)s[3]) || !isdigit((unsigned char)s[4]))
		return -1;
	int h = (s[0] - '0') * 10 + s[1] - '0', m = (s[3] - '0') * 10 + s[4] - '0';
	if (m > 59 || h * 60 + m > DAY)
		return -1;
	*p += 5;
	return h * 60 + m;
}

/* One span between semicolons, of @len bytes. Returns whether it is one. */
static bool parse_span(const char *text, size_t len, struct ebb_hours_span *ret)
{
	struct ebb_hours_span h = {.days = 0x7f, .from = 0, .to = DAY};
	char copy[64];
	const char *p = copy;

	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	if (strncasecmp(p, "not ", 4) == 0) {
		h.not = true;
		p += 4 + strspn(p + 4, " ");
	}
	if (!*p)
		return false;
	if (isalpha((unsigned char)*p)) {
		int bits = days(&p);
		if (bits < 0)
			return false;
		h.days = (uint8_t)bits;
	}
	p += strspn(p, " ");
	if (*p) {
		h.from = minutes(&p);
		if (h.from < 0 || *p++ != '-')
			return false;
		h.to = minutes(&p);
	}
	if (h.to < 0 || *p || h.from == DAY || h.from == h.to)
		return false;
	*ret = h;
	return true;
}

int ebb_hours_parse(const char *text, struct ebb_hours *ret, struct ebb_err *err)
{
	struct ebb_hours h = {.n = 0};

	for (const char *p = text;;) {
		p += h.n ? strspn(p, " ") : 0;
		size_t len = strcspn(p, ";");

		if (h.n == EBB_HOURS_MAX)
			return ebb_err_set(err, EBB_ECONFIG, "window '%s' has more than %d parts", text, EBB_HOURS_MAX);
		size_t end = len;
		while (p[len] && end && p[end - 1] == ' ')
			end--;
		if (!parse_span(p, end, &h.v[h.n++]))
			return bad(text, err);
		p += len;
		if (!*p++)
			break;
	}
	*ret = h;
	return 0;
}

int ebb_hours_days(const char *text, uint8_t *ret, struct ebb_err *err)
{
	const char *p = text;
	int bits = days(&p);

	if (bits < 0 || *p)
		return ebb_err_set(err, EBB_ECONFIG, "days '%s' are not of the form \"Mon-Fri\" or \"Sat,Sun\"", text);
	*ret = (uint8_t)bits;
	return 0;
}

int ebb_hours_clock(const char *text, int *ret, struct ebb_err *err)
{
	const char *p = text;
	int m = minutes(&p);

	if (m < 0 || m >= DAY || *p)
		return ebb_err_set(err, EBB_ECONFIG, "time '%s' is not of the form \"02:30\"", text);
	*ret = m;
	return 0;
}

static bool within(const struct ebb_hours_span *h, const struct tm *tm)
{
	int m = tm->tm_hour * 60 + tm->tm_min, yesterday = (tm->tm_wday + 6) % 7;

	if (h->to > h->from)
		return (h->days >> tm->tm_wday & 1) && m >= h->from && m < h->to;
	return ((h->days >> tm->tm_wday & 1) && m >= h->from) ||
	       ((h->days >> yesterday & 1) && m < h->to);
}

bool ebb_hours_contain(const struct ebb_hours *h, int64_t now)
{
	const int64_t second = 1000000000;
	time_t t = (time_t)(now / second - (now % second < 0));
	bool any = false, in = false, out = false;
	struct tm tm;

	localtime_r(&t, &tm);
	for (size_t i = 0; i < h->n; i++) {
		bool here = within(&h->v[i], &tm);

		any |= !h->v[i].not;
		in |= here && !h->v[i].not;
		out |= here && h->v[i].not;
	}
	return (in || !any) && !out;
}

int64_t ebb_hours_next(const struct ebb_hours *h, int64_t now)
{
	const int64_t minute = INT64_C(60) * 1000000000;

	if (ebb_hours_contain(h, now))
		return now;
	for (int64_t i = 1, t = now - now % minute; i <= 9 * DAY; i++)
		if (ebb_hours_contain(h, t + i * minute))
			return t + i * minute;
	return INT64_MAX;
}
