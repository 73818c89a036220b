/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forecasts of a daily series by the simplest method that predicts its own past best.
 *
 *   naive          tomorrow is like today
 *   seasonal       next Monday is like last Monday
 *   holt           level and trend
 *   holt-winters   level, trend and what each weekday adds
 *
 * Each is tried on the past (rolling origin: fitted on the days before, compared with the days behind); the one with the least absolute
 * error is taken, the simpler one of equals. Intervals come from the errors of that trial at the same distance.
 * Sources: Holt 1957; Winters 1960 (additive form); Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 5.10, 8.
 *
 * Values are doubles: a forecast is a hint, never an amount that is charged.
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_POLICIES_FORECAST_H
#define EBB_POLICIES_FORECAST_H

#include <stdbool.h>
#include <stddef.h>

/* Days of a season. */
#define EBB_FORECAST_SEASON 7

/* Farthest day that is forecast. */
#define EBB_FORECAST_MAX 92

enum ebb_forecast_method {
	EBB_FORECAST_NAIVE,
	EBB_FORECAST_SEASONAL,
	EBB_FORECAST_HOLT,
	EBB_FORECAST_HOLT_WINTERS,
	EBB_FORECAST_METHODS
};

/* "naive", "holt-winters". Constant. */
const char *ebb_forecast_name(enum ebb_forecast_method m);

/* Smoothing weights, each in 0 to 1. */
struct ebb_forecast_weights {
	double alpha, beta, gamma;	/* level, trend, season */
};

/* State of a method after the days it has seen. */
struct ebb_forecast_state {
	enum ebb_forecast_method method;
	double level, trend;
	double season[EBB_FORECAST_SEASON];	/* by days seen, modulo the season */
	size_t seen;
};

/*
 * Run @method over @n days of @y. Holt begins with level y[0] and trend y[1] - y[0]; Holt-Winters with the means of its first two
 * seasons. @n is at least ebb_forecast_needs().
 */
struct ebb_forecast_state ebb_forecast_run(enum ebb_forecast_method method, const double *y, size_t n,
					   const struct ebb_forecast_weights *w);

/* Days that a method needs to begin. */
size_t ebb_forecast_needs(enum ebb_forecast_method method);

/* What the state says of @h days on, from 1. */
double ebb_forecast_at(const struct ebb_forecast_state *s, size_t h);

struct ebb_forecast_day {
	double value;
	double lo80, hi80, lo95, hi95;	/* only when `known` */
};

struct ebb_forecast {
	enum ebb_forecast_method method;
	struct ebb_forecast_weights weights;
	size_t trials;		/* origins of the backtest; 0: too little history, the method is naive and intervals unknown */
	bool known;		/* intervals are known */
	double error[EBB_FORECAST_METHODS];	/* sum of absolute errors by sum of values in the backtest (WAPE); -1: not tried */
	size_t n;		/* days forecast */
	struct ebb_forecast_day day[EBB_FORECAST_MAX];
};

/*
 * Forecast @h days (1 to EBB_FORECAST_MAX) behind the @n days of @y, which are consecutive, finite and not negative; nor are forecasts.
 *
 * @return  0; -EBB_EINVAL for an empty or unfit series.
 */
int ebb_forecast_make(const double *y, size_t n, size_t h, struct ebb_forecast *ret);

#endif
