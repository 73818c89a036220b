/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/anomaly.h"

#include <math.h>
#include <stdlib.h>

#include "core/err.h"
#include "core/mem.h"
#include "policies/robust.h"

#define WEEKS 8
#define RECENT_DAYS 28
#define SAME_WEEKDAYS_MIN 4
#define RECENT_MIN 10
/* The drift's line goes through days BASE_LAST to BASE_FIRST ago; what came after is put on the chart. */
#define BASE_FIRST 56
#define BASE_LAST 15
#define BASE_MIN 21
/* How large a drift is, is the median of so many days. */
#define DRIFT_DAYS 5

const struct ebb_anomaly_opts ebb_anomaly_defaults = {
	.z = 3.5, .lambda = 0.2, .limit = 3, .min_share = 0.15, .min_amount = 0,
};

/* Everything a search needs; too large for a stack. */
struct find {
	const struct ebb_anomaly_point *p;
	size_t n;
	const struct ebb_anomaly_opts *opts;
	double x[EBB_ROBUST_LINE], t[EBB_ROBUST_LINE], work[EBB_ROBUST_LINE_WORK];
	double weekday[7];		/* what a weekday adds to the line */
};

static int64_t weekday(int64_t day)
{
	return (day % 7 + 7) % 7;
}

static bool worth_it(const struct find *f, double off, double expected)
{
	off = fabs(off);
	return off >= f->opts->min_share * fabs(expected) && off >= f->opts->min_amount && off > 0;
}

/* Values before point @at, not older than @days, only its weekday if @same; newest first. */
static size_t history(struct find *f, size_t at, int64_t days, bool same)
{
	int64_t day = f->p[at].day;
	size_t k = 0;

	for (size_t i = at; i-- > 0 && f->p[i].day >= day - days && k < EBB_ROBUST_LINE;)
		if (!same || weekday(f->p[i].day) == weekday(day)) {
			f->t[k] = (double)(f->p[i].day - day);
			f->x[k++] = f->p[i].value;
		}
	return k;
}

/* Bring earlier values to the day asked about, along the line through them: what grows steadily is expected to have grown. */
static void detrend(struct find *f, size_t k)
{
	struct ebb_robust_line line = ebb_robust_line_of(f->t, f->x, k, f->work);

	for (size_t i = 0; i < k; i++)
		f->x[i] -= line.slope * f->t[i];
}

static bool find_spike(struct find *f, size_t at, struct ebb_anomaly *ret)
{
	bool same = true;
	size_t k = history(f, at, 7 * WEEKS, true);

	if (k < SAME_WEEKDAYS_MIN) {
		same = false;
		k = history(f, at, RECENT_DAYS, false);
		if (k < RECENT_MIN)
			return false;
	}
	detrend(f, k);
	struct ebb_robust usual = ebb_robust_of(f->x, k, f->work);
	double value = f->p[at].value, z = ebb_robust_z(&usual, value);
	if (fabs(z) <= f->opts->z || !worth_it(f, value - usual.median, usual.median))
		return false;
	*ret = (struct ebb_anomaly){EBB_ANOMALY_SPIKE, f->p[at].day, value, usual.median, z, k, same};
	return true;
}

/* What the line leaves, by weekday: its median where three days or more tell. */
static void learn_weekdays(struct find *f, const struct ebb_robust_line *line, size_t k)
{
	for (int w = 0; w < 7; w++) {
		size_t m = 0;

		for (size_t i = 0; i < k; i++)
			if (weekday((int64_t)f->t[i]) == w)
				f->work[m++] = f->x[i] - line->at0 - line->slope * f->t[i];
		f->weekday[w] = m >= 3 ? ebb_robust_median(f->work, m) : 0;
	}
}

/* Spread of what line and weekdays leave, as a standard deviation. */
static double spread(struct find *f, const struct ebb_robust_line *line, size_t k)
{
	for (size_t i = 0; i < k; i++)
		f->x[i] -= line->at0 + line->slope * f->t[i] + f->weekday[weekday((int64_t)f->t[i])];
	struct ebb_robust r = ebb_robust_of(f->x, k, f->work);
	/* Fitting seven weekdays and a line to the same days makes what they leave look smaller. */
	double shrunk = k > 9 ? sqrt((double)k / (double)(k - 9)) : 1;
	return shrunk * (r.mad > 0 ? r.mad / 0.6745 : 1.253314 * r.mean_ad);
}

/* The chart of the days since the line ended, up to point @at. */
static bool find_drift(struct find *f, size_t at, struct ebb_anomaly *ret)
{
	int64_t day = f->p[at].day;
	const struct ebb_anomaly_opts *o = f->opts;
	size_t k = 0, first = at, steps = 0;
	double chart = 0, decay = 1;

	while (first > 0 && f->p[first - 1].day > day - BASE_LAST)
		first--;
	for (size_t i = first; i-- > 0 && f->p[i].day >= day - BASE_FIRST; k++) {
		f->t[k] = (double)f->p[i].day;
		f->x[k] = f->p[i].value;
	}
	if (k < BASE_MIN)
		return false;
	struct ebb_robust_line line = ebb_robust_line_of(f->t, f->x, k, f->work);
	learn_weekdays(f, &line, k);
	double sigma = spread(f, &line, k), expected = 0;
	for (size_t i = first; i <= at; i++, steps++) {
		expected = line.at0 + line.slope * (double)f->p[i].day + f->weekday[weekday(f->p[i].day)];
		f->x[steps] = f->p[i].value - expected;
		/* One wild day is a spike: it must not carry the chart alone. */
		double some = sigma > 0 ? fmax(fmin(f->x[steps], o->limit * sigma), -o->limit * sigma)
					: f->x[steps];
		chart = o->lambda * some + (1 - o->lambda) * chart;
		decay *= (1 - o->lambda) * (1 - o->lambda);
	}
	double limit = o->limit * sigma * sqrt(o->lambda / (2 - o->lambda) * (1 - decay));
	if (steps < DRIFT_DAYS || fabs(chart) <= limit)
		return false;
	double size = ebb_robust_median(f->x + steps - DRIFT_DAYS, DRIFT_DAYS);
	*ret = (struct ebb_anomaly){EBB_ANOMALY_DRIFT, day, expected + size, expected,
				    limit > 0 ? chart / limit : copysign(INFINITY, chart), k, true};
	return size * chart > 0 && worth_it(f, size, expected);
}

static int check(const struct ebb_anomaly_point *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(p[i].value) || (i && p[i].day <= p[i - 1].day))
			return -EBB_EINVAL;
	return 0;
}

int ebb_anomaly_find(const struct ebb_anomaly_point *p, size_t n, int64_t since,
		     const struct ebb_anomaly_opts *opts, struct ebb_anomaly *ret, size_t max)
{
	bool drifting = false;
	int found = 0, r = check(p, n);

	if (r < 0)
		return r;
	struct find *f = malloc(sizeof(*f));
	if (!f)
		return -EBB_ENOMEM;
	*f = (struct find){.p = p, .n = n, .opts = opts};
	for (size_t i = 0; i < n; i++) {
		struct ebb_anomaly a[2];

		/* the day before tells whether a drift began earlier */
		if (p[i].day < since && (i + 1 == n || p[i + 1].day < since))
			continue;
		int k = find_spike(f, i, &a[0]);
		bool drift = find_drift(f, i, &a[k]);

		k += drift && !drifting;
		drifting = drift;
		for (int j = 0; j < k && p[i].day >= since; j++, found++)
			if ((size_t)found < max)
				ret[found] = a[j];
	}
	free(f);
	return found;
}

const char *ebb_anomaly_name(enum ebb_anomaly_kind kind)
{
	return kind == EBB_ANOMALY_DRIFT ? "drift" : "spike";
}
