/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config_night.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/hours.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/units.h"

#define MINUTE (60 * EBB_CLOCK_SECOND)

const char *ebb_config_night_format(const char *path)
{
	static const struct {
		const char *end, *format;
	} formats[] = {
		{".focus.csv", "focus"}, {".csv", "csv"}, {".html", "html"}, {".json", "json"},
		{".md", "md"},		 {".prom", "prom"}, {".txt", "text"},
	};
	size_t n = strlen(path);

	for (size_t i = 0; i < EBB_ARRAY_LEN(formats); i++) {
		size_t k = strlen(formats[i].end);

		if (n > k && strcmp(path + n - k, formats[i].end) == 0)
			return formats[i].format;
	}
	return NULL;
}

/* --- run --- */

static int read_report(struct ebb_arena *arena, const struct ebb_tree_node *n, const char *config, const char **ret,
		       struct ebb_err *err)
{
	const char *name, *slash = strrchr(config, '/');
	int r = ebb_tree_text(n, &name, err);

	if (r < 0)
		return r;
	if (!ebb_config_night_format(name))
		return ebb_tree_error(n, err,
				      "'%s' tells no format: let it end in .html, .md, .json, .csv, .focus.csv, .prom or .txt",
				      name);
	if (strlen(name) > PATH_MAX / 2)
		return ebb_tree_error(n, err, "the path is too long");
	*ret = *name == '/' || !slash ? name
				      : ebb_arena_printf(arena, "%.*s/%s", (int)(slash - config), config, name);
	return *ret ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int read_reports(struct ebb_arena *arena, const struct ebb_tree_node *seq, const char *config,
			const char *const **ret, struct ebb_err *err)
{
	size_t k = 0;
	int r = ebb_tree_expect(seq, EBB_TREE_SEQ, err);

	if (r < 0)
		return r;
	const char **v = ebb_arena_calloc(arena, seq->n_children + 1, sizeof(*v));
	if (!v)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	EBB_TREE_EACH(child, seq)
		if (r == 0)
			r = read_report(arena, child, config, &v[k++], err);
	*ret = v;
	return r;
}

static int read_run(struct ebb_arena *arena, const struct ebb_tree_node *map, const char *config,
		    struct ebb_config_night *ret, struct ebb_err *err)
{
	static const char *const keys[] = {"hash", "empty_trash", "reports"};
	static const char *const hashes[] = {"none", "candidates", "all"};
	const struct ebb_tree_node *n;
	size_t which = 0;
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	if (!r && (n = ebb_tree_get(map, "hash")))
		r = ebb_tree_choice(n, hashes, EBB_ARRAY_LEN(hashes), &which, err);
	ret->hash = hashes[which];
	if (!r && (n = ebb_tree_get(map, "empty_trash")))
		r = ebb_tree_bool(n, &ret->empty_trash, err);
	if (!r && (n = ebb_tree_get(map, "reports")))
		r = read_reports(arena, n, config, &ret->reports, err);
	return r;
}

/* --- schedule --- */

static int read_at(const struct ebb_tree_node *n, struct ebb_schedule *s, struct ebb_err *err)
{
	struct ebb_err e = {0};
	const char *text;
	int r = ebb_tree_text(n, &text, err);

	if (r < 0)
		return r;
	if (s->n == EBB_SCHEDULE_MAX)
		return ebb_tree_error(n, err, "more than %d times a day", EBB_SCHEDULE_MAX);
	return ebb_hours_clock(text, &s->at[s->n++], &e) ? ebb_tree_error(n, err, "'at': %s", e.msg) : 0;
}

/* One time, or a list of them. */
static int read_times(const struct ebb_tree_node *n, struct ebb_schedule *s, struct ebb_err *err)
{
	int r = 0;

	if (n->kind != EBB_TREE_SEQ)
		return read_at(n, s, err);
	if (!n->n_children)
		return ebb_tree_error(n, err, "'at' names no time");
	EBB_TREE_EACH(child, n)
		if (r == 0)
			r = read_at(child, s, err);
	return r;
}

static int read_zone(const struct ebb_tree_node *n, const char **ret, struct ebb_err *err)
{
	const char *dir = getenv("TZDIR");
	char path[PATH_MAX];
	int r = ebb_tree_text(n, ret, err);

	if (r < 0 || strcmp(*ret, "UTC") == 0)
		return r;
	dir = dir && *dir ? dir : "/usr/share/zoneinfo";
	/* The C library takes what it does not know for UTC, without a word. */
	if (!**ret || **ret == '/' || strstr(*ret, "..") ||
	    snprintf(path, sizeof(path), "%s/%s", dir, *ret) >= (int)sizeof(path) || access(path, R_OK))
		return ebb_tree_error(n, err, "no time zone called '%s' is in %s: take UTC or a name such as Europe/Berlin (package tzdata)",
				      *ret, dir);
	return 0;
}

static int read_span(const struct ebb_tree_node *n, int64_t least, int64_t most, int64_t *ret, struct ebb_err *err)
{
	char a[EBB_UNITS_TEXT], b[EBB_UNITS_TEXT];
	int r = ebb_tree_duration(n, ret, err);

	if (!r && (*ret < least || *ret > most))
		r = ebb_tree_error(n, err, "'%s' lies between %s and %s", n->key, ebb_units_exact_duration(least, a),
				   ebb_units_exact_duration(most, b));
	return r;
}

static int read_schedule(const struct ebb_tree_node *map, struct ebb_config_night *ret, struct ebb_err *err)
{
	static const char *const keys[] = {"at", "days", "zone", "jitter", "watch"};
	struct ebb_schedule *s = &ret->schedule;
	const struct ebb_tree_node *n;
	struct ebb_err e = {0};
	const char *text;
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	ret->scheduled = true;
	if (!r)
		r = (n = ebb_tree_need(map, "at", err)) ? read_times(n, s, err) : -EBB_ECONFIG;
	if (!r && (n = ebb_tree_get(map, "days")) && !(r = ebb_tree_text(n, &text, err)) &&
	    ebb_hours_days(text, &s->days, &e))
		r = ebb_tree_error(n, err, "%s", e.msg);
	if (!r && (n = ebb_tree_get(map, "zone")))
		r = read_zone(n, &ret->zone, err);
	if (!r && (n = ebb_tree_get(map, "jitter")))
		r = read_span(n, 0, 12 * 60 * MINUTE, &s->jitter, err);
	if (!r && (n = ebb_tree_get(map, "watch")))
		r = read_span(n, EBB_CLOCK_SECOND, 24 * 60 * MINUTE, &ret->watch, err);
	return r;
}

int ebb_config_night_read(struct ebb_arena *arena, const struct ebb_tree_node *root, const char *path,
			  struct ebb_config_night *ret, struct ebb_err *err)
{
	const struct ebb_tree_node *run = ebb_tree_get(root, "run"), *schedule = ebb_tree_get(root, "schedule");
	int r = 0;

	*ret = (struct ebb_config_night){.hash = "none", .watch = MINUTE, .schedule = {.days = 0x7f}};
	if (run)
		r = read_run(arena, run, path, ret, err);
	if (!r && schedule)
		r = read_schedule(schedule, ret, err);
	return r;
}

int ebb_config_night_watermark(const struct ebb_tree_node *map, int *ret_high, int *ret_low, struct ebb_err *err)
{
	static const char *const keys[] = {"high", "low"};
	const struct ebb_tree_node *high, *low;
	int64_t h = 0, l = 0;
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	if (r || !(high = ebb_tree_need(map, "high", err)) || !(low = ebb_tree_need(map, "low", err)))
		return -EBB_ECONFIG;
	if ((r = ebb_tree_percent(high, &h, err)) || (r = ebb_tree_percent(low, &l, err)))
		return r;
	if (l < EBB_UNITS_PERCENT || h > 99 * EBB_UNITS_PERCENT || l >= h)
		return ebb_tree_error(map, err, "a watermark needs a 'low' from 1%% on that is below 'high', and 'high' at most 99%%");
	*ret_high = (int)h;
	*ret_low = (int)l;
	return 0;
}
