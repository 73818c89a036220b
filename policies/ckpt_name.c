/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/ckpt_name.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* More digits than any trainer writes, and never an overflow. */
#define STEP_DIGITS 18

bool ebb_ckpt_name_step(const char *p, size_t len, int64_t *ret)
{
	int64_t v = 0;

	if (len == 0 || len > STEP_DIGITS)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (p[i] - '0');
	}
	*ret = v;
	return true;
}

bool ebb_ckpt_name_figure(const char *p, size_t len, double *ret)
{
	char buf[64], *end;

	if (len == 0 || len >= sizeof(buf))
		return false;
	memcpy(buf, p, len);
	buf[len] = '\0';
	if (strspn(buf, "+-.0123456789eE") != len)
		return false;
	double v = strtod(buf, &end);
	if (*end || !isfinite(v))
		return false;
	*ret = v;
	return true;
}

/* Add to the family's name; what is longer than any key is cut off, which no key reaches. */
static void add(struct ebb_ckpt_name *n, size_t *at, const char *p, size_t len)
{
	if (len > sizeof(n->family) - 1 - *at)
		len = sizeof(n->family) - 1 - *at;
	memcpy(n->family + *at, p, len);
	*at += len;
	n->family[*at] = '\0';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* --- Names known ----------------------------------------------------------------------------------------- */

/* A word, separators that may stand behind it ('0': none), before the number. */
static const struct {
	const char *word, *separators;
} words[] = {
	{"checkpoint", "-_"}, {"global_step", "0_"}, {"iter", "_"}, {"step", "-_=0"}, {"ckpt", "-_"}, {"epoch", "-_"},
};

/* Digits at @at, to the end of the component or an extension that is the file's. @ret_end: behind the digits. */
static bool number_at(const char *c, size_t len, size_t at, bool last, int64_t *step, size_t *ret_end)
{
	size_t end = at;

	while (end < len && digit(c[end]))
		end++;
	if (!ebb_ckpt_name_step(c + at, end - at, step) || (end < len && !(last && c[end] == '.' && end + 1 < len && !digit(c[end + 1]))))
		return false;
	*ret_end = end;
	return true;
}

/* WORD SEPARATOR DIGITS. */
static bool plain(const char *c, size_t len, bool last, struct ebb_ckpt_name *n, size_t *at)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(words); i++) {
		size_t w = strlen(words[i].word), end;

		if (len <= w || memcmp(c, words[i].word, w) != 0)
			continue;
		if (!digit(c[w]) && !strchr(words[i].separators, c[w]))
			continue;
		if (digit(c[w]) && !strchr(words[i].separators, '0'))
			continue;
		w += !digit(c[w]);
		if (!number_at(c, len, w, last, &n->step, &end))
			continue;
		add(n, at, c, w);
		add(n, at, "*", 1);
		add(n, at, c + end, len - end);
		return true;
	}
	return false;
}

/* Bytes of a number from @p on: digits, a point and digits, an exponent. */
static size_t figure_len(const char *p, size_t len)
{
	size_t i = len && (*p == '-' || *p == '+');
	size_t digits = i;

	while (i < len && digit(p[i]))
		i++;
	if (i + 1 < len && p[i] == '.' && digit(p[i + 1]))
		for (i++; i < len && digit(p[i]);)
			i++;
	if (i == digits)
		return 0;
	if (i + 1 < len && (p[i] == 'e' || p[i] == 'E')) {
		size_t e = i + 1 + (p[i + 1] == '-' || p[i + 1] == '+');

		if (e < len && digit(p[e]))
			for (i = e; i < len && digit(p[i]);)
				i++;
	}
	return i;
}

/* One NAME=VALUE of a Lightning name. Returns its bytes, 0 when it is none. */
static size_t pair(const char *p, size_t len, struct ebb_ckpt_name *n, bool *step, bool *epoch, size_t *at)
{
	const char *eq = memchr(p, '=', len);
	size_t name = eq ? (size_t)(eq - p) : 0, v = eq ? figure_len(eq + 1, len - name - 1) : 0;
	struct ebb_ckpt_name_metric *m = &n->metrics[n->nmetrics];
	int64_t whole = 0;

	if (!v || name == 0 || name >= sizeof(m->name) || memchr(p, '.', name))
		return 0;
	bool is_step = name >= 4 && memcmp(eq - 4, "step", 4) == 0, is_epoch = name >= 5 && memcmp(eq - 5, "epoch", 5) == 0;
	if ((is_step || (is_epoch && !*step)) && ebb_ckpt_name_step(eq + 1, v, &whole))
		n->step = whole;
	*step |= is_step;
	*epoch |= is_epoch;
	if (!is_step && !is_epoch && n->nmetrics < EBB_CKPT_NAME_METRICS &&
	    ebb_ckpt_name_figure(eq + 1, v, &m->value)) {
		memcpy(m->name, p, name);
		m->name[name] = '\0';
		n->nmetrics++;
	}
	add(n, at, p, name + 1);
	add(n, at, "*", 1);
	return name + 1 + v;
}

/* epoch=E-step=S-NAME=VALUE, in any order. */
static bool lightning(const char *c, size_t len, bool last, struct ebb_ckpt_name *n, size_t *at)
{
	size_t i = 0, got = 0, before = *at;
	bool step = false, epoch = false;

	n->nmetrics = 0;
	for (;;) {
		got = pair(c + i, len - i, n, &step, &epoch, at);
		if (!got)
			break;
		i += got;
		if (i + 2 >= len || c[i] != '-' || (c[i + 1] == 'v' && digit(c[i + 2])))
			break;
		add(n, at, "-", 1);
		i++;
	}
	bool ends = i == len || (last && c[i] == '.') || (i + 2 < len && c[i] == '-' && c[i + 1] == 'v' && digit(c[i + 2]));
	if (got && ends && (step || epoch)) {
		const char *dot = memchr(c + i, '.', len - i);

		if (dot)
			add(n, at, dot, len - (size_t)(dot - c));
		return true;
	}
	*at = before;
	n->family[before] = '\0';
	n->nmetrics = 0;
	return false;
}

bool ebb_ckpt_name_known(const char *key, size_t len, struct ebb_ckpt_name *ret)
{
	for (size_t i = 0; i < len;) {
		const char *slash = memchr(key + i, '/', len - i);
		size_t end = slash ? (size_t)(slash - key) : len, at = 0;
		bool last = end == len;

		ret->nmetrics = 0;
		ret->family[0] = '\0';
		/* most components are none: look before anything is copied */
		if (end > i && (memchr(key + i, '=', end - i) || digit(key[end - 1]) || last)) {
			add(ret, &at, key, i);
			if (plain(key + i, end - i, last, ret, &at) || lightning(key + i, end - i, last, ret, &at)) {
				ret->path_len = end;
				ret->file = last;
				return true;
			}
		}
		i = end + 1;
	}
	return false;
}

/* --- Patterns -------------------------------------------------------------------------------------------- */

bool ebb_ckpt_name_asks(const struct ebb_glob *g)
{
	for (size_t i = 0; g && i < ebb_glob_captures(g); i++)
		if (strcmp(ebb_glob_capture_name(g, i), "step") == 0)
			return true;
	return false;
}

/* Does a capture of that name differ between checkpoints of one family? */
static bool varies(const char *name, const char *metric)
{
	return strcmp(name, "step") == 0 || strcmp(name, "epoch") == 0 || (metric && strcmp(name, metric) == 0);
}

bool ebb_ckpt_name_by(const struct ebb_glob *g, const char *metric, const char *key, size_t len, struct ebb_ckpt_name *ret)
{
	struct ebb_glob_span spans[EBB_GLOB_WILDCARDS];
	size_t end = 0, at = 0, from = 0;
	bool has_step = false;

	if (!ebb_ckpt_name_asks(g) || !ebb_glob_capture(g, key, len, spans))
		return false;
	ret->nmetrics = 0;
	for (size_t i = 0; i < ebb_glob_captures(g); i++) {
		const char *name = ebb_glob_capture_name(g, i);
		struct ebb_ckpt_name_metric *m = &ret->metrics[0];
		size_t behind = (size_t)(spans[i].p - key) + spans[i].len;

		if (strcmp(name, "step") == 0 && !(has_step = ebb_ckpt_name_step(spans[i].p, spans[i].len, &ret->step)))
			return false;
		if ((strcmp(name, "step") == 0 || strcmp(name, "run") == 0) && behind > end)
			end = behind;
		if (metric && strcmp(name, metric) == 0 && strlen(name) < sizeof(m->name) &&
		    ebb_ckpt_name_figure(spans[i].p, spans[i].len, &m->value)) {
			strcpy(m->name, name);
			ret->nmetrics = 1;
		}
	}
	const char *slash = memchr(key + end, '/', len - end);
	ret->path_len = slash ? (size_t)(slash - key) : len;
	ret->file = !slash;
	for (size_t i = 0; i < ebb_glob_captures(g); i++) {
		size_t begin = (size_t)(spans[i].p - key);

		if (!varies(ebb_glob_capture_name(g, i), metric) || begin < from || begin + spans[i].len > ret->path_len)
			continue;
		add(ret, &at, key + from, begin - from);
		add(ret, &at, "*", 1);
		from = begin + spans[i].len;
	}
	add(ret, &at, key + from, ret->path_len - from);
	return true;
}
