/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/logword.h"

#include "core/date.h"

bool ebb_logword_next(const char **at, const char *end, struct ebb_accesslog_text *ret)
{
	const char *p = *at, *q;

	while (p < end && *p == ' ')
		p++;
	if (p == end)
		return false;
	if (*p == '"') {
		/* Servers write a quote inside as \" (nginx, Apache) or not at all (S3). */
		for (q = p + 1; q < end && *q != '"'; q++)
			if (*q == '\\' && q + 1 < end)
				q++;
		*ret = (struct ebb_accesslog_text){p + 1, (size_t)(q - p - 1)};
		*at = q < end ? q + 1 : end;
		return q < end;
	}
	if (*p == '[') {
		q = memchr(p, ']', (size_t)(end - p));
		if (!q)
			return false;
		*ret = (struct ebb_accesslog_text){p + 1, (size_t)(q - p - 1)};
		*at = q + 1;
		return true;
	}
	q = memchr(p, ' ', (size_t)(end - p));
	q = q ? q : end;
	*ret = (struct ebb_accesslog_text){p, (size_t)(q - p)};
	*at = q;
	return true;
}

static bool two_digits(const char *p, int *ret)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*ret = (p[0] - '0') * 10 + p[1] - '0';
	return true;
}

/* "06/Feb/2019" */
static bool clf_day(const char *p, int64_t *ret)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int day, century, year;
	struct ebb_date d;

	if (p[2] != '/' || p[6] != '/' || !two_digits(p, &day) || !two_digits(p + 7, &century) ||
	    !two_digits(p + 9, &year))
		return false;
	for (int m = 0; m < 12; m++)
		if (memcmp(p + 3, months + (size_t)(3 * m), 3) == 0) {
			d = (struct ebb_date){.year = century * 100 + year, .month = m + 1, .day = day};
			if (d.year < 1970 || d.year > 2200 || !ebb_date_valid(d))
				return false;
			*ret = ebb_date_days(d) * INT64_C(86400) * 1000000000;
			return true;
		}
	return false;
}

bool ebb_logword_time(struct ebb_accesslog_text t, struct ebb_accesslog_scratch *s, int64_t *ret)
{
	int h, m, sec, zh, zm;
	int64_t seconds;

	if (t.len != 26 || t.p[11] != ':' || t.p[14] != ':' || t.p[17] != ':' || t.p[20] != ' ')
		return false;
	if (memcmp(s->day, t.p, 11) != 0) {
		s->day[0] = 0;
		if (!clf_day(t.p, &s->day_ns))
			return false;
		memcpy(s->day, t.p, 11);
	}
	if (!two_digits(t.p + 12, &h) || !two_digits(t.p + 15, &m) || !two_digits(t.p + 18, &sec) ||
	    !two_digits(t.p + 22, &zh) || !two_digits(t.p + 24, &zm) || h > 23 || m > 59 || sec > 60 || zh > 23 ||
	    zm > 59 || (t.p[21] != '+' && t.p[21] != '-'))
		return false;
	seconds = h * 3600 + m * 60 + sec;
	seconds -= (t.p[21] == '-' ? -1 : 1) * (zh * 3600 + zm * 60);
	*ret = s->day_ns + seconds * 1000000000;
	return true;
}

bool ebb_logword_number(struct ebb_accesslog_text t, int64_t *ret)
{
	int64_t v = 0;

	if (t.len == 1 && t.p[0] == '-') {
		*ret = 0;
		return true;
	}
	if (t.len == 0 || t.len > 18)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		v = v * 10 + (t.p[i] - '0');
	}
	*ret = v;
	return true;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int64_t ebb_logword_unescape(struct ebb_accesslog_text t, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < t.len; i++) {
		char c = t.p[i];

		if (c == '%' && i + 2 < t.len && hex(t.p[i + 1]) >= 0 && hex(t.p[i + 2]) >= 0) {
			c = (char)(hex(t.p[i + 1]) << 4 | hex(t.p[i + 2]));
			i += 2;
		}
		if (n == cap || c == 0)
			return -1;
		out[n++] = c;
	}
	return (int64_t)n;
}

bool ebb_logword_read_ok(int64_t status)
{
	return status == 200 || status == 206 || status == 304;
}

bool ebb_logword_own(struct ebb_accesslog_text agent)
{
	return agent.len >= sizeof(EBB_ACCESSLOG_OWN) - 1 &&
	       memcmp(agent.p, EBB_ACCESSLOG_OWN, sizeof(EBB_ACCESSLOG_OWN) - 1) == 0;
}
