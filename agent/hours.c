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

int ebb_hours_parse(const char *text, struct ebb_hours *ret, struct ebb_err *err)
{
	struct ebb_hours h = {.days = 0x7f, .from = 0, .to = DAY};
	const char *p = text;

	if (isalpha((unsigned char)*p)) {
		int bits = days(&p);
		if (bits < 0)
			return bad(text, err);
		h.days = (uint8_t)bits;
	}
	while (*p == ' ')
		p++;
	if (*p) {
		h.from = minutes(&p);
		if (h.from < 0 || *p++ != '-')
			return bad(text, err);
		h.to = minutes(&p);
	}
	if (h.to < 0 || *p || !*text || h.from == DAY || h.from == h.to)
		return bad(text, err);
	*ret = h;
	return 0;
}

bool ebb_hours_contain(const struct ebb_hours *h, int64_t now)
{
	const int64_t second = 1000000000;
	time_t t = (time_t)(now / second - (now % second < 0));
	struct tm tm;

	localtime_r(&t, &tm);
	int m = tm.tm_hour * 60 + tm.tm_min, yesterday = (tm.tm_wday + 6) % 7;
	if (h->to > h->from)
		return (h->days >> tm.tm_wday & 1) && m >= h->from && m < h->to;
	return ((h->days >> tm.tm_wday & 1) && m >= h->from) ||
	       ((h->days >> yesterday & 1) && m < h->to);
}
