/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Alerts: budgets that are or will be passed, and anomalies in the cost of everything and of each value of each dimension, from the
 * history alone.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_ALERTS_H
#define EBB_AGENT_ALERTS_H

#include "agent/config_alerts.h"
#include "agent/history.h"
#include "agent/savings.h"
#include "policies/anomaly.h"

enum ebb_alerts_kind {
	EBB_ALERTS_BUDGET,	/* what was spent passed a threshold */
	EBB_ALERTS_FORECAST,	/* the expected month passes its threshold */
	EBB_ALERTS_ANOMALY
};

struct ebb_alerts_row {
	enum ebb_alerts_kind kind;
	const struct ebb_budget *budget;	/* of BUDGET and FORECAST */
	struct ebb_budget_state state;
	const char *dim, *value;		/* what it is about; NULL: everything */
	struct ebb_anomaly anomaly;		/* of ANOMALY; values in nano-units a month */
};

/* How a budget stands, whether it raises an alert or not. */
struct ebb_alerts_budget {
	const struct ebb_budget *budget;
	bool known;			/* false: no history of it */
	struct ebb_budget_state state;
	enum ebb_forecast_method method;	/* of the days left */
};

struct ebb_alerts {
	struct ebb_alerts_budget *budgets;
	size_t nbudgets;
	struct ebb_alerts_row *rows;
	size_t n, room;
};

/* Days of history that are looked at. */
#define EBB_ALERTS_DAYS 400

/*
 * Judge the history at @today.
 *
 * @savings    what runs took out of the series of budgets, or NULL.
 * @since_day  anomalies of this day on are told.
 * @ret        zeroed by the caller; released with ebb_alerts_release in both cases. Borrows from @c and @h.
 * @return     0, -EBB_ENOMEM, -EBB_ERANGE.
 */
int ebb_alerts_find(const struct ebb_config_alerts *c, const struct ebb_history *h,
		    const struct ebb_savings_list *savings, int64_t today, int64_t since_day, struct ebb_alerts *ret, struct ebb_err *err);
void ebb_alerts_release(struct ebb_alerts *a);

/* "budget", "forecast", "spike", "drift". Constant. */
const char *ebb_alerts_name(const struct ebb_alerts_row *row);

/* One sentence for people, in @currency, into @out of @size bytes, which is returned. */
const char *ebb_alerts_text(const struct ebb_alerts_row *row, const char *currency, char *out, size_t size);

/* A known move: on that day a run took @amount (nano-units a month) out of the series. */
struct ebb_alerts_move {
	int64_t day, amount;
};

/*
 * The moves of runs in a series: what each took out, on the day of the three from its start on which the series fell most, which is when a scan saw
 * it; of what a run put there, the day on which it rose. What was not measured yet is no move.
 *
 * @dim, @value  whose series it is; NULL: of everything.
 * @ret          allocated, freed by the caller with free(); NULL for none.
 * @return       how many; -EBB_ENOMEM.
 */
int ebb_alerts_moves(const struct ebb_savings_list *savings, const char *currency, const char *dim, const char *value,
		     const struct ebb_history_day *d, int64_t n, struct ebb_alerts_move **ret, struct ebb_err *err);

/*
 * The forecast of a series of days, whose gaps were filled: values are nano-units a month. What moves took out is put back before, and taken from what
 * comes after: a fall that was made is no trend.
 *
 * @return  0, -EBB_EINVAL for a series that no forecast takes, -EBB_ENOMEM.
 */
int ebb_alerts_forecast(const struct ebb_history_day *d, int64_t n, size_t days, const struct ebb_alerts_move *moves,
			size_t nmoves, struct ebb_forecast *ret, struct ebb_err *err);

#endif
