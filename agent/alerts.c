/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/out.h"
#include "core/date.h"
#include "core/units.h"

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static struct ebb_alerts_row *new_row(struct ebb_alerts *a)
{
	if (a->n == a->room) {
		size_t room = a->room ? 2 * a->room : 16;
		void *p = reallocarray(a->rows, room, sizeof(*a->rows));

		if (!p)
			return NULL;
		a->rows = p;
		a->room = room;
	}
	return &a->rows[a->n++];
}

void ebb_alerts_release(struct ebb_alerts *a)
{
	free(a->rows);
	free(a->budgets);
	*a = (struct ebb_alerts){0};
}

/* The day behind @from, three at most, on which the series fell most (@sign 1) or rose most (-1): there a scan saw what a run did. */
static int64_t moved_on(const struct ebb_history_day *d, int64_t n, int64_t from, int sign)
{
	int64_t best = from, most = INT64_MIN;

	for (int64_t i = from - d[0].day; i < n && i <= from - d[0].day + 3; i++)
		if (i > 0 && sign * (d[i - 1].cost - d[i].cost) > most) {
			most = sign * (d[i - 1].cost - d[i].cost);
			best = d[i].day;
		}
	return best;
}

/* What a run took out of a series; false when nobody knows. Lines of earlier versions know of everything alone. */
static bool moved(const struct ebb_savings *s, const char *dim, const char *value, int64_t *ret)
{
	struct ebb_savings_row sum = ebb_savings_sum(s);

	if (ebb_savings_moved(s, dim, value, ret))
		return true;
	*ret = sum.real_month + sum.waiting_month; /* the trash is out of the series too: no scan looks into it */
	return !dim && !s->nmoved;
}

int ebb_alerts_moves(const struct ebb_savings_list *savings, const char *currency, const char *dim, const char *value,
		     const struct ebb_history_day *d, int64_t n, struct ebb_alerts_move **ret, struct ebb_err *err)
{
	struct ebb_alerts_move *moves = calloc(savings->n + 1, sizeof(*moves));
	int k = 0;

	if (!moves)
		return no_memory(err);
	for (size_t i = 0; i < savings->n && n > 0; i++) {
		const struct ebb_savings *s = &savings->all[i];
		int64_t day = s->time / EBB_DATE_DAY_NS, amount;

		if (*s->run && s->measured && strcmp(s->currency, currency) == 0 && day >= d[0].day && day <= d[n - 1].day &&
		    moved(s, dim, value, &amount) && amount)
			moves[k++] = (struct ebb_alerts_move){moved_on(d, n, day, amount > 0 ? 1 : -1), amount};
	}
	*ret = moves;
	return k;
}

int ebb_alerts_forecast(const struct ebb_history_day *d, int64_t n, size_t days, const struct ebb_alerts_move *moves,
			size_t nmoves, struct ebb_forecast *ret, struct ebb_err *err)
{
	double *y = calloc((size_t)n + 1, sizeof(*y)), all = 0;

	if (!y)
		return no_memory(err);
	for (int64_t i = 0; i < n; i++)
		y[i] = d[i].cost > 0 ? (double)d[i].cost : 0;
	for (size_t k = 0; k < nmoves; k++) {
		for (int64_t i = 0; i < n; i++)
			y[i] += d[i].day >= moves[k].day ? (double)moves[k].amount : 0;
		all += (double)moves[k].amount;
	}
	for (int64_t i = 0; i < n; i++)
		y[i] = y[i] > 0 ? y[i] : 0;
	int r = ebb_forecast_make(y, (size_t)n, days, ret);
	free(y);
	for (size_t i = 0; r == 0 && i < ret->n; i++) {
		double *v[] = {&ret->day[i].value, &ret->day[i].lo80, &ret->day[i].hi80, &ret->day[i].lo95, &ret->day[i].hi95};

		for (size_t k = 0; k < EBB_ARRAY_LEN(v); k++)
			*v[k] = *v[k] > all ? *v[k] - all : 0;
	}
	return r < 0 ? ebb_err_set(err, -r, "no forecast of %lld days", (long long)n) : 0;
}

/* --- Budgets --- */

static int judge(const struct ebb_budget *b, const struct ebb_history *h, const struct ebb_savings_list *savings,
		 const struct ebb_history_day *d, int64_t n, struct ebb_alerts_budget *ret, struct ebb_err *err)
{
	struct ebb_budget_day *days = calloc((size_t)n + 1, sizeof(*days));
	struct ebb_forecast *f = malloc(sizeof(*f));
	struct ebb_alerts_move *moves = NULL;
	int r = days && f ? 0 : no_memory(err), nmoves = 0;

	for (int64_t i = 0; r == 0 && i < n; i++)
		days[i] = (struct ebb_budget_day){d[i].day, d[i].cost};
	if (r == 0 && savings)
		r = nmoves = ebb_alerts_moves(savings, ebb_history_currency(h), b->dim, b->value, d, n, &moves, err);
	if (r >= 0)
		r = ebb_alerts_forecast(d, n, 31, moves, (size_t)nmoves, f, err);
	if (r == 0)
		r = ebb_budget_judge(b, days, (size_t)n, f, &ret->state, err);
	ret->known = r == 0;
	if (r == 0)
		ret->method = f->method;
	free(days);
	free(moves);
	free(f);
	return r;
}

static int find_budgets(const struct ebb_config_alerts *c, const struct ebb_history *h, const struct ebb_savings_list *savings,
			int64_t today, struct ebb_alerts *a, struct ebb_err *err)
{
	int r = 0;

	a->budgets = calloc(c->nbudgets + 1, sizeof(*a->budgets));
	if (!a->budgets)
		return no_memory(err);
	for (size_t i = 0; r == 0 && i < c->nbudgets; i++) {
		const struct ebb_budget *b = &c->budgets[i];
		struct ebb_alerts_budget *at = &a->budgets[a->nbudgets++];
		struct ebb_history_day *d = NULL;
		int64_t n = ebb_history_series(h, NULL, b->dim, b->value, today, &d, err);

		*at = (struct ebb_alerts_budget){.budget = b};
		r = n < 0 ? (int)n : n ? judge(b, h, savings, d, n, at, err) : 0;
		free(d);
		for (int kind = EBB_ALERTS_BUDGET; r == 0 && kind <= EBB_ALERTS_FORECAST; kind++) {
			if (!(kind == EBB_ALERTS_BUDGET ? at->state.passed_ppm > 0 : at->state.will_pass))
				continue;
			struct ebb_alerts_row *row = new_row(a);
			if (!row)
				return no_memory(err);
			*row = (struct ebb_alerts_row){.kind = (enum ebb_alerts_kind)kind, .budget = b,
						       .state = at->state, .dim = b->dim, .value = b->value};
		}
	}
	return r;
}

/* --- Anomalies --- */

/* Most anomalies of one series that are told. */
#define ANOMALIES 64

/* Share of everything's cost by which a part must deviate. */
#define NOTICED 0.01

struct search {
	struct ebb_anomaly_opts anomaly;
	const struct ebb_history *h;
	int64_t today, since;
	struct ebb_alerts *a;
};

/* Is it the last look at its store? */
static bool is_last(const struct ebb_history *h, size_t i)
{
	for (size_t k = i + 1; k < ebb_history_count(h); k++)
		if (strcmp(ebb_history_get(h, k)->store, ebb_history_get(h, i)->store) == 0)
			return false;
	return true;
}

static int find_in(const struct search *s, const char *dim, const char *value, struct ebb_err *err)
{
	struct ebb_anomaly found[ANOMALIES];
	struct ebb_history_day *d = NULL;
	int64_t n = ebb_history_series(s->h, NULL, dim, value, s->today, &d, err);
	struct ebb_anomaly_point *p = n > 0 ? calloc((size_t)n, sizeof(*p)) : NULL;
	size_t k = 0;

	if (n <= 0 || !p) {
		free(d);
		return n > 0 ? no_memory(err) : (int)n;
	}
	/* a day that nobody saw says nothing */
	for (int64_t i = 0; i < n; i++)
		if (!d[i].carried)
			p[k++] = (struct ebb_anomaly_point){d[i].day, (double)d[i].cost};
	int r = ebb_anomaly_find(p, k, s->since, &s->anomaly, found, ANOMALIES);
	for (int i = 0; i < r && i < ANOMALIES; i++) {
		struct ebb_alerts_row *row = new_row(s->a);

		if (!row) {
			r = -EBB_ENOMEM;
			break;
		}
		*row = (struct ebb_alerts_row){.kind = EBB_ALERTS_ANOMALY, .dim = dim, .value = value,
					       .anomaly = found[i]};
	}
	free(p);
	free(d);
	return r == -EBB_ENOMEM ? no_memory(err) : 0;
}

/* Was the series looked at already, for an earlier store? */
static bool is_told(const struct ebb_alerts *a, const char *dim, const char *value)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->rows[i].kind == EBB_ALERTS_ANOMALY && a->rows[i].dim && strcmp(a->rows[i].dim, dim) == 0 &&
		    strcmp(a->rows[i].value, value) == 0)
			return true;
	return false;
}

/*
 * The values of a look's dimension. One that is nearly everything is told as everything; ages move by themselves.
 *
 * @all  cost of everything.
 */
static int find_in_dim(const struct search *s, const struct ebb_history_dim *d, int64_t all, struct ebb_err *err)
{
	int r = 0;

	for (size_t v = 0; v < d->n && r == 0 && strcmp(d->name, "age") != 0; v++)
		if (d->rows[v].cost < all - all / 10 && !is_told(s->a, d->name, d->rows[v].value))
			r = find_in(s, d->name, d->rows[v].value, err);
	return r;
}

/* Everything, then each value of each dimension that a store's last look has. */
static int find_anomalies(struct search *s, struct ebb_err *err)
{
	size_t n = ebb_history_count(s->h);
	int64_t all = 0;
	int r = find_in(s, NULL, NULL, err);

	for (size_t i = 0; i < n; i++)
		all += is_last(s->h, i) ? ebb_history_get(s->h, i)->cost : 0;
	/* a part is worth an alert when everything would notice */
	if (s->anomaly.min_amount < (double)all * NOTICED)
		s->anomaly.min_amount = (double)all * NOTICED;
	for (size_t i = 0; i < n && r == 0; i++) {
		const struct ebb_history_look *l = ebb_history_get(s->h, i);

		for (size_t d = 0; is_last(s->h, i) && d < l->ndims && r == 0; d++)
			r = find_in_dim(s, &l->dims[d], all, err);
	}
	return r;
}

int ebb_alerts_find(const struct ebb_config_alerts *c, const struct ebb_history *h,
		    const struct ebb_savings_list *savings, int64_t today, int64_t since_day, struct ebb_alerts *ret,
		    struct ebb_err *err)
{
	struct search s = {c->anomaly, h, today, since_day, ret};
	int r = find_budgets(c, h, savings, today, ret, err);

	return r < 0 ? r : find_anomalies(&s, err);
}

/* --- Words --- */

const char *ebb_alerts_name(const struct ebb_alerts_row *row)
{
	switch (row->kind) {
	case EBB_ALERTS_BUDGET:
		return "budget";
	case EBB_ALERTS_FORECAST:
		return "forecast";
	default:
		return ebb_anomaly_name(row->anomaly.kind);
	}
}

static const char *money(double nano, const char *currency, char buf[EBB_OUT_TEXT_MAX])
{
	struct ebb_money m = {.nano = (int64_t)nano};

	memcpy(m.currency, currency, strnlen(currency, 3));
	return ebb_out_money(&m, buf);
}

static const char *about(const struct ebb_alerts_row *r, char *buf, size_t size)
{
	if (!r->dim)
		snprintf(buf, size, "everything");
	else
		snprintf(buf, size, "%s %s", r->dim, *r->value ? r->value : "(none)");
	return buf;
}

const char *ebb_alerts_text(const struct ebb_alerts_row *row, const char *currency, char *out, size_t size)
{
	char what[160], a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	const struct ebb_budget_state *s = &row->state;
	const struct ebb_anomaly *x = &row->anomaly;
	struct ebb_date d = ebb_date_of(x->day * EBB_DATE_DAY_NS);

	about(row, what, sizeof(what));
	if (row->kind == EBB_ALERTS_BUDGET)
		snprintf(out, size, "budget '%s' (%s): %s spent this month, %d %% of %s", row->budget->name, what,
			 money((double)s->spent, currency, a), s->spent_ppm / 10000,
			 money((double)row->budget->month.nano, currency, b));
	else if (row->kind == EBB_ALERTS_FORECAST)
		snprintf(out, size, "budget '%s' (%s): %s expected by the end of the month, %d %% of %s",
			 row->budget->name, what, money((double)s->expected, currency, a), s->expected_ppm / 10000,
			 money((double)row->budget->month.nano, currency, b));
	else if (x->kind == EBB_ANOMALY_SPIKE)
		snprintf(out, size, "%s: %s a month on %04d-%02d-%02d, usual on %s is %s (z %.1f over %zu days)", what,
			 money(x->value, currency, a), d.year, d.month, d.day,
			 x->weekday ? "that weekday" : "such a day", money(x->expected, currency, b), x->score,
			 x->history);
	else
		snprintf(out, size, "%s: drifts %s since %04d-%02d-%02d: %s a month where %s was to be expected", what,
			 x->value > x->expected ? "up" : "down", d.year, d.month, d.day, money(x->value, currency, a),
			 money(x->expected, currency, b));
	return out;
}
