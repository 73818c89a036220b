/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/mem.h"

#define SEASON EBB_FORECAST_SEASON
/* Origins of a backtest, and the least history that one is worth. */
#define TRIALS 12
#define TRIAL_MIN 14
/* Farthest day that a backtest looks at. */
#define TRIAL_DAYS 28

const char *ebb_forecast_name(enum ebb_forecast_method m)
{
	static const char *const names[] = {"naive", "seasonal", "holt", "holt-winters"};

	return (unsigned)m < EBB_FORECAST_METHODS ? names[m] : "unknown";
}

size_t ebb_forecast_needs(enum ebb_forecast_method method)
{
	static const size_t needs[] = {1, SEASON, 2, 2 * SEASON};

	return needs[method];
}

/* --- Methods --- */

static void seasonal_begin(struct ebb_forecast_state *s, const double *y)
{
	double first = 0, second = 0;

	for (size_t i = 0; i < SEASON; i++) {
		first += y[i] / SEASON;
		second += y[i + SEASON] / SEASON;
	}
	s->trend = (second - first) / SEASON;
	/* the level at the end of the first season; each weekday against the line through it */
	s->level = first + s->trend * (SEASON - 1) / 2.0;
	for (size_t i = 0; i < SEASON; i++)
		s->season[i] = y[i] - (first + s->trend * ((double)i - (SEASON - 1) / 2.0));
	s->seen = SEASON;
}

static void step(struct ebb_forecast_state *s, double y, const struct ebb_forecast_weights *w)
{
	double *season = &s->season[s->seen % SEASON], before = s->level;
	bool winters = s->method == EBB_FORECAST_HOLT_WINTERS;
	double plain = winters ? y - *season : y;

	s->level = w->alpha * plain + (1 - w->alpha) * (before + s->trend);
	s->trend = w->beta * (s->level - before) + (1 - w->beta) * s->trend;
	if (winters)
		*season = w->gamma * (y - s->level) + (1 - w->gamma) * *season;
	s->seen++;
}

struct ebb_forecast_state ebb_forecast_run(enum ebb_forecast_method method, const double *y, size_t n,
					   const struct ebb_forecast_weights *w)
{
	struct ebb_forecast_state s = {.method = method, .seen = n};

	switch (method) {
	case EBB_FORECAST_NAIVE:
		s.level = y[n - 1];
		break;
	case EBB_FORECAST_SEASONAL:
		for (size_t i = n - SEASON; i < n; i++)
			s.season[i % SEASON] = y[i];
		break;
	case EBB_FORECAST_HOLT:
		s.level = y[0];
		s.trend = y[1] - y[0];
		for (s.seen = 1; s.seen < n;)
			step(&s, y[s.seen], w);
		break;
	default:
		seasonal_begin(&s, y);
		while (s.seen < n)
			step(&s, y[s.seen], w);
	}
	return s;
}

double ebb_forecast_at(const struct ebb_forecast_state *s, size_t h)
{
	return s->level + (double)h * s->trend + s->season[(s->seen + h - 1) % SEASON];
}

/* --- Fitting --- */

/* Sum of squared errors one day ahead. */
static double one_ahead(enum ebb_forecast_method m, const double *y, size_t n,
			const struct ebb_forecast_weights *w)
{
	size_t begin = ebb_forecast_needs(m);
	struct ebb_forecast_state s = ebb_forecast_run(m, y, begin, w);
	double sum = 0;

	for (size_t i = begin; i < n; i++) {
		double off = y[i] - ebb_forecast_at(&s, 1);

		sum += off * off;
		step(&s, y[i], w);
	}
	return sum;
}

/* Weights of a coarse grid with the least error one day ahead; the first of equals. */
static struct ebb_forecast_weights fit(enum ebb_forecast_method m, const double *y, size_t n)
{
	static const double alphas[] = {0.1, 0.3, 0.5, 0.7, 0.9}, betas[] = {0, 0.05, 0.2, 0.5},
			    gammas[] = {0, 0.1, 0.3};
	struct ebb_forecast_weights best = {0, 0, 0};
	double least = INFINITY;

	if (m < EBB_FORECAST_HOLT)
		return best;
	for (size_t i = 0; i < EBB_ARRAY_LEN(alphas) * EBB_ARRAY_LEN(betas) * EBB_ARRAY_LEN(gammas); i++) {
		struct ebb_forecast_weights w = {
			alphas[i % EBB_ARRAY_LEN(alphas)],
			betas[i / EBB_ARRAY_LEN(alphas) % EBB_ARRAY_LEN(betas)],
			gammas[i / EBB_ARRAY_LEN(alphas) / EBB_ARRAY_LEN(betas)],
		};
		if (m == EBB_FORECAST_HOLT && w.gamma > 0)
			break;
		double e = one_ahead(m, y, n, &w);
		if (e < least) {
			least = e;
			best = w;
		}
	}
	return best;
}

/* --- Backtest --- */

struct trial {
	double error;				/* sum of absolute errors */
	double square[TRIAL_DAYS];		/* sums of squared errors by distance */
	size_t count[TRIAL_DAYS];
};

static double not_negative(double x)
{
	return x > 0 ? x : 0;
}

/* Forecast from origin @n and compare with up to @ahead days behind it. */
static void try_from(enum ebb_forecast_method m, const double *y, size_t n, size_t ahead, struct trial *t)
{
	struct ebb_forecast_weights w = fit(m, y, n);
	struct ebb_forecast_state s = ebb_forecast_run(m, y, n, &w);

	for (size_t h = 0; h < ahead; h++) {
		double off = y[n + h] - not_negative(ebb_forecast_at(&s, h + 1));

		t->error += fabs(off);
		t->square[h] += off * off;
		t->count[h]++;
	}
}

/* Try every method from the same origins; which wins. */
static enum ebb_forecast_method backtest(const double *y, size_t n, size_t h, struct ebb_forecast *f,
					 struct trial trial[EBB_FORECAST_METHODS])
{
	enum ebb_forecast_method best = EBB_FORECAST_NAIVE;
	size_t first = n / 2 > TRIAL_MIN ? n / 2 : TRIAL_MIN;
	size_t stride = (n - first + TRIALS - 1) / TRIALS;
	double actual = 0;

	for (size_t origin = first; origin < n; origin += stride, f->trials++) {
		size_t ahead = n - origin < h ? n - origin : h;

		if (ahead > TRIAL_DAYS)
			ahead = TRIAL_DAYS;
		for (size_t i = 0; i < ahead; i++)
			actual += y[origin + i];
		for (int m = 0; m < EBB_FORECAST_METHODS; m++)
			try_from((enum ebb_forecast_method)m, y, origin, ahead, &trial[m]);
	}
	for (int m = 0; m < EBB_FORECAST_METHODS; m++) {
		f->error[m] = actual > 0 ? trial[m].error / actual : 0;
		if (trial[m].error < trial[best].error)
			best = (enum ebb_forecast_method)m;
	}
	return best;
}

/*
 * Standard errors by distance: what the backtest saw, never less than nearer ones. Beyond what it looked at they grow as those of a
 * random walk, with the root of the distance.
 */
static void spread(const struct trial *t, struct ebb_forecast *f)
{
	double sigma = 0;
	size_t far = 0;

	for (size_t h = 0; h < f->n; h++) {
		struct ebb_forecast_day *d = &f->day[h];
		double here = sigma;

		if (h < TRIAL_DAYS && t->count[h]) {
			here = fmax(sigma, sqrt(t->square[h] / (double)t->count[h]));
			sigma = here;
			far = h + 1;
		} else {
			here = sigma * sqrt((double)(h + 1) / (double)far);
		}
		d->lo80 = not_negative(d->value - 1.2816 * here);
		d->hi80 = d->value + 1.2816 * here;
		d->lo95 = not_negative(d->value - 1.96 * here);
		d->hi95 = d->value + 1.96 * here;
	}
}

int ebb_forecast_make(const double *y, size_t n, size_t h, struct ebb_forecast *ret)
{
	struct trial trial[EBB_FORECAST_METHODS] = {0};

	if (n == 0 || h == 0 || h > EBB_FORECAST_MAX)
		return -EBB_EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!isfinite(y[i]) || y[i] < 0)
			return -EBB_EINVAL;
	*ret = (struct ebb_forecast){.n = h};
	for (int m = 0; m < EBB_FORECAST_METHODS; m++)
		ret->error[m] = -1;
	if (n >= TRIAL_MIN + SEASON)
		ret->method = backtest(y, n, h, ret, trial);
	ret->weights = fit(ret->method, y, n);
	struct ebb_forecast_state s = ebb_forecast_run(ret->method, y, n, &ret->weights);
	for (size_t i = 0; i < h; i++)
		ret->day[i].value = not_negative(ebb_forecast_at(&s, i + 1));
	ret->known = ret->trials > 0;
	if (ret->known)
		spread(&trial[ret->method], ret);
	return 0;
}
