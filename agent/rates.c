/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/rates.h"

#include <stdio.h>
#include <string.h>

#include "core/units.h"

static int bad(const char *text, bool bytes, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ECONFIG, "'%s' is not of the form \"08:00-18:00 %s; otherwise %s\"", text, bytes ? "50MB/s" : "20/s",
			   bytes ? "500MB/s" : "200/s");
}

/* "50MB/s", "200/s" */
static int parse_rate(const char *word, bool bytes, int64_t *ret)
{
	char number[40];
	size_t n = strlen(word);

	if (n < 3 || n >= sizeof(number) || strcmp(word + n - 2, "/s") != 0)
		return -EBB_ECONFIG;
	snprintf(number, sizeof(number), "%.*s", (int)n - 2, word);
	int r = bytes ? ebb_units_parse_bytes(number, ret, NULL) : ebb_units_parse_count(number, ret, NULL);
	return r < 0 || *ret < 1 ? -EBB_ECONFIG : 0;
}

/* One span: what stands before the last word is when. */
static int parse_span(char *span, bool bytes, struct ebb_rates *ret)
{
	span += strspn(span, " ");
	for (size_t n = strlen(span); n && span[n - 1] == ' ';)
		span[--n] = '\0';
	char *rate = strrchr(span, ' ');

	if (ret->n == EBB_RATES_MAX || (ret->n && ret->v[ret->n - 1].always))
		return -EBB_ECONFIG;
	ret->v[ret->n].always = !rate;
	if (rate) {
		*rate++ = '\0';
		ret->v[ret->n].always = strcmp(span, "otherwise") == 0;
		if (!ret->v[ret->n].always && ebb_hours_parse(span, &ret->v[ret->n].hours, NULL) < 0)
			return -EBB_ECONFIG;
	}
	return parse_rate(rate ? rate : span, bytes, &ret->v[ret->n++].rate);
}

int ebb_rates_parse(const char *text, bool bytes, struct ebb_rates *ret, struct ebb_err *err)
{
	struct ebb_rates all = {0};
	char copy[400], *rest = copy, *span;

	if (strlen(text) >= sizeof(copy))
		return bad(text, bytes, err);
	memcpy(copy, text, strlen(text) + 1);
	while ((span = strsep(&rest, ";")))
		if (parse_span(span, bytes, &all) < 0)
			return bad(text, bytes, err);
	*ret = all;
	return 0;
}

int64_t ebb_rates_at(const struct ebb_rates *r, int64_t now)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].always || ebb_hours_contain(&r->v[i].hours, now))
			return r->v[i].rate;
	return 0;
}
