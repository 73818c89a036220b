/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb reconcile: what the history predicts beside what a provider billed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/csvfile.h"
#include "agent/history.h"
#include "agent/out.h"
#include "core/date.h"
#include "core/text.h"
#include "policies/reconcile.h"

#define PICO_PER_NANO 1000
#define MONTHS 240

/* Months of the bill. */
struct month {
	int year, month;
	int64_t first, days;
};

/* Charges that are not compared, by why. */
struct left {
	char what[160];
	int64_t rows, first_line;
	const char *file;
	__int128 pico;
};

struct reconciling {
	struct ebb_app *app;
	const char *currency;
	const char *format;
	struct ebb_history *history;
	struct ebb_reconcile *sums;
	struct month months[MONTHS];
	size_t nmonths;
	struct left *left;
	size_t nleft;
	int64_t rows;
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* --- What was billed --- */

static int month_of(struct reconciling *x, int64_t day, struct month **ret, struct ebb_err *err)
{
	struct ebb_date d = ebb_date_of(day * EBB_DATE_DAY_NS);

	for (size_t i = 0; i < x->nmonths; i++)
		if (x->months[i].year == d.year && x->months[i].month == d.month) {
			*ret = &x->months[i];
			return 0;
		}
	if (x->nmonths == MONTHS)
		return ebb_err_set(err, EBB_ECONFIG, "the bill is of more than %d months", MONTHS);
	int64_t first = ebb_date_days((struct ebb_date){d.year, d.month, 1});
	int64_t next = ebb_date_days((struct ebb_date){d.year + (d.month == 12), d.month % 12 + 1, 1});
	*ret = &x->months[x->nmonths++];
	**ret = (struct month){d.year, d.month, first, next - first};
	return 0;
}

static int leave(struct reconciling *x, const char *file, int64_t line, __int128 pico, const char *what, struct ebb_err *err)
{
	size_t i = 0;

	while (i < x->nleft && strcmp(x->left[i].what, what) != 0)
		i++;
	if (i == x->nleft) {
		void *p = reallocarray(x->left, x->nleft + 1, sizeof(*x->left));

		if (!p)
			return no_memory(err);
		x->left = p;
		x->left[x->nleft++] = (struct left){.first_line = line, .file = file};
		snprintf(x->left[i].what, sizeof(x->left[i].what), "%s", what);
	}
	x->left[i].rows++;
	x->left[i].pico += pico;
	return 0;
}

/* Amounts in another currency by the rates of the price books. False without one. */
static bool convert(const struct reconciling *x, struct ebb_charge *c)
{
	struct ebb_money one = {.nano = 1000000000};
	double rate;

	if (strcmp(c->currency, x->currency) == 0)
		return true;
	memcpy(one.currency, c->currency, sizeof(c->currency));
	if (ebb_price_convert(x->app->config->prices, one, &one, NULL) < 0)
		return false;
	rate = (double)one.nano / 1e9;
	c->pico = (int64_t)llround((double)c->pico * rate);
	return true;
}

/* "Storage: early deletes"; the service as terminals may see it. */
static void why_left(const struct ebb_charge *c, char *out, size_t size)
{
	char service[EBB_TEXT_QUOTED];

	ebb_text_quotes(c->service, service, sizeof(service));
	snprintf(out, size, "%s: %s", *service ? service : "(no service)",
		 c->kind == EBB_CHARGE_OTHER ? "not of what is stored" : ebb_charge_kind_name(c->kind));
}

static int take(struct reconciling *x, const char *file, int64_t line, struct ebb_charge *c, struct ebb_err *err)
{
	struct month *m = NULL;
	char what[200];
	int r = month_of(x, c->from, &m, err);

	if (r < 0)
		return r;
	if (!convert(x, c)) {
		snprintf(what, sizeof(what), "in %s, for which the price books have no rate to %s", c->currency, x->currency);
		return leave(x, file, line, 0, what, err);
	}
	if (c->kind != EBB_CHARGE_STORAGE) {
		why_left(c, what, sizeof(what));
		return leave(x, file, line, c->pico, what, err);
	}
	const struct ebb_reconcile_key key = {m->year, m->month, c->provider, c->region, c->class};
	return ebb_reconcile_billed(x->sums, &key, c->service, c->pico, err);
}

static int read_rows(struct reconciling *x, const char *path, struct ebb_csvfile *f, const struct ebb_charge_columns *c,
		     struct ebb_err *err)
{
	struct ebb_charge charge;
	char *const *field;
	size_t n;
	int r;

	while ((r = ebb_csvfile_next(f, &field, &n, err)) == 1) {
		struct ebb_err why = {0};
		char what[sizeof(why.msg) + 32];

		x->rows++;
		if (ebb_charge_row(c, field, n, &charge, &why) == 0)
			r = take(x, path, ebb_csvfile_line(f), &charge, err);
		else {
			snprintf(what, sizeof(what), "not read: %s", why.msg);
			r = leave(x, path, ebb_csvfile_line(f), 0, what, err);
		}
		if (r < 0 || (r = ebb_app_cancelled(x->app, err)) < 0)
			break;
	}
	return r;
}

static int read_bill(struct reconciling *x, const char *path, enum ebb_charge_cost which, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_csvfile_closep) struct ebb_csvfile *f = NULL;
	struct ebb_charge_columns columns;
	char *const *names;
	size_t n;
	struct ebb_err why = {0};
	int r = ebb_csvfile_open(path, &f, err);

	if (r < 0)
		return r;
	r = ebb_csvfile_next(f, &names, &n, err);
	if (r == 0)
		return ebb_err_set(err, EBB_ECONFIG, "'%s' is empty", path);
	if (r < 0)
		return r;
	if (ebb_charge_heading(names, n, which, &columns, &why) < 0)
		return ebb_err_set(err, EBB_ECONFIG, "'%s' %s", path, why.msg);
	x->format = columns.format;
	return read_rows(x, path, f, &columns, err);
}

/* --- What was predicted --- */

/* One class of a store in one month: each known day costs its share of the month. */
static int predict_month(struct reconciling *x, const struct ebb_config_store *cs, const char *class, const struct month *m,
			 const struct ebb_history_day *d, int64_t n, int64_t today, struct ebb_err *err)
{
	const struct ebb_price_class *price = ebb_price_find(x->app->config->prices, cs->provider, cs->region, class);
	const char *region = price && strcmp(price->region, "*") == 0 ? "" : cs->region ? cs->region : "";
	struct ebb_reconcile_key key = {m->year, m->month, cs->provider ? cs->provider : "", region, class};
	int64_t end = m->first + m->days, unknown = 0;
	__int128 sum = 0;

	for (int64_t day = m->first; day < end && day <= today; day++) {
		int64_t i = day - d[0].day;

		if (i < 0 || i >= n)
			unknown++;
		else
			sum += d[i].cost;
	}
	if (sum == 0)
		return 0;
	return ebb_reconcile_predicted(x->sums, &key, sum * PICO_PER_NANO / m->days, (int)unknown, err);
}

static int predict_class(struct reconciling *x, const struct ebb_config_store *cs, const char *class, int64_t today,
			 struct ebb_err *err)
{
	struct ebb_history_day *d = NULL;
	int64_t n = ebb_history_series(x->history, cs->open.name, "class", class, today, &d, err);
	int r = n < 0 ? (int)n : 0;

	for (size_t i = 0; i < x->nmonths && n > 0 && r == 0; i++)
		r = predict_month(x, cs, class, &x->months[i], d, n, today, err);
	free(d);
	return r;
}

/* Did an earlier look at the store have that class? */
static bool seen_before(const struct reconciling *x, size_t at, const char *class)
{
	const char *store = ebb_history_get(x->history, at)->store;

	for (size_t i = 0; i < at; i++) {
		const struct ebb_history_look *l = ebb_history_get(x->history, i);

		for (size_t k = 0; k < l->ndims && strcmp(l->store, store) == 0; k++)
			for (size_t v = 0; strcmp(l->dims[k].name, "class") == 0 && v < l->dims[k].n; v++)
				if (strcmp(l->dims[k].rows[v].value, class) == 0)
					return true;
	}
	return false;
}

static int predict(struct reconciling *x, int64_t today, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < ebb_history_count(x->history); i++) {
		const struct ebb_history_look *l = ebb_history_get(x->history, i);
		const struct ebb_config_store *cs = ebb_config_store(x->app->config, l->store);

		for (size_t k = 0; cs && k < l->ndims; k++)
			for (size_t v = 0; r == 0 && strcmp(l->dims[k].name, "class") == 0 && v < l->dims[k].n; v++)
				if (*l->dims[k].rows[v].value && !seen_before(x, i, l->dims[k].rows[v].value))
					r = predict_class(x, cs, l->dims[k].rows[v].value, today, err);
	}
	return r;
}

/* --- Told --- */

static const char *amount(const struct reconciling *x, __int128 pico, char buf[EBB_OUT_TEXT_MAX])
{
	struct ebb_money m = {.nano = (int64_t)(pico / PICO_PER_NANO)};

	memcpy(m.currency, x->currency, strnlen(x->currency, 3));
	return ebb_out_money(&m, buf);
}

static const char *difference(const struct ebb_reconcile_row *row, char buf[EBB_OUT_TEXT_MAX])
{
	if (!row->has_predicted)
		return "not predicted";
	if (!row->has_billed)
		return "not billed";
	if (row->unknown_days) {
		snprintf(buf, EBB_OUT_TEXT_MAX, "%d days unknown", row->unknown_days);
		return buf;
	}
	if (row->billed <= 0)
		return "";
	snprintf(buf, EBB_OUT_TEXT_MAX, "%+.1f %%", (double)(row->predicted - row->billed) / (double)row->billed * 100);
	return buf;
}

static int print_rows(struct reconciling *x, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"month", false}, {"service", false}, {"region", false}, {"class", false}, {"billed", true}, {"predicted", true},
		{"error", true},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	char a[EBB_OUT_TEXT_MAX];
	size_t n;
	const struct ebb_reconcile_row *rows = ebb_reconcile_rows(x->sums, &n);

	if (!t)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		const struct ebb_reconcile_row *r = &rows[i];
		const char *service = *r->service ? r->service : *r->key.provider ? r->key.provider : "site";

		ebb_out_cell(t, "%04d-%02d", r->key.year, r->key.month);
		ebb_out_cell_name(t, service, strlen(service));
		ebb_out_cell_name(t, *r->key.region ? r->key.region : "-", strlen(*r->key.region ? r->key.region : "-"));
		ebb_out_cell_name(t, *r->key.class ? r->key.class : "(not told)", strlen(*r->key.class ? r->key.class : "(not told)"));
		ebb_out_cell(t, "%s", r->has_billed ? amount(x, r->billed, a) : "-");
		ebb_out_cell(t, "%s", r->has_predicted ? amount(x, r->predicted, a) : "-");
		ebb_out_cell(t, "%s", difference(r, a));
	}
	return n ? ebb_out_table_print(t, x->app->out, 0, err) : 0;
}

static int print_text(struct reconciling *x, struct ebb_err *err)
{
	struct ebb_reconcile_sum s = ebb_reconcile_calibration(x->sums);
	FILE *f = x->app->out;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	int r = print_rows(x, err);

	if (r < 0)
		return r;
	if (s.rows && s.billed > 0)
		fprintf(f, "\ncalibration: predicted %s, billed %s, over %s: %+.2f %% in all, %.2f %% by row (sum of absolute errors); "
			   "a factor of %.4f would close it\n",
			amount(x, s.predicted, a), amount(x, s.billed, b),
			ebb_out_things(s.rows, "row", (char[EBB_OUT_TEXT_MAX]){0}), s.bias * 100, s.error * 100, s.factor);
	else
		fputs("\ncalibration: nothing can be compared\n", f);
	if (x->nleft)
		fputs("\nin the bill, and not compared:\n", f);
	for (size_t i = 0; i < x->nleft; i++)
		fprintf(f, "  %s: %s, %s, first in %s:%lld\n", x->left[i].what, amount(x, x->left[i].pico, a),
			ebb_out_things((uint64_t)x->left[i].rows, "row", b), x->left[i].file, (long long)x->left[i].first_line);
	return ebb_out_flush(f, err);
}

static json_int_t nano(__int128 pico)
{
	return (json_int_t)(pico / PICO_PER_NANO);
}

static int print_json(struct reconciling *x, struct ebb_err *err)
{
	struct ebb_reconcile_sum s = ebb_reconcile_calibration(x->sums);
	json_t *o = json_pack("{ss ss sI}", "format", x->format, "currency", x->currency, "rows_read", (json_int_t)x->rows);
	json_t *a = json_array(), *left = json_array();
	size_t n;
	const struct ebb_reconcile_row *rows = ebb_reconcile_rows(x->sums, &n);

	for (size_t i = 0; i < n; i++) {
		const struct ebb_reconcile_row *r = &rows[i];
		char month[32];

		snprintf(month, sizeof(month), "%04d-%02d", r->key.year, r->key.month);
		json_t *row = json_pack("{ss ss sI si sb}", "month", month, "provider", r->key.provider, "rows", (json_int_t)r->charges,
					"unknown_days", r->unknown_days, "compared", ebb_reconcile_comparable(r));
		ebb_out_json_bytes(row, "service", r->service, strlen(r->service));
		ebb_out_json_bytes(row, "region", r->key.region, strlen(r->key.region));
		ebb_out_json_bytes(row, "class", r->key.class, strlen(r->key.class));
		json_object_set_new(row, "billed_nano", r->has_billed ? json_integer(nano(r->billed)) : json_null());
		json_object_set_new(row, "predicted_nano", r->has_predicted ? json_integer(nano(r->predicted)) : json_null());
		json_array_append_new(a, row);
	}
	for (size_t i = 0; i < x->nleft; i++) {
		json_t *row = json_pack("{sI sI ss sI}", "rows", (json_int_t)x->left[i].rows, "billed_nano", nano(x->left[i].pico), "file",
					x->left[i].file, "first_line", (json_int_t)x->left[i].first_line);

		ebb_out_json_bytes(row, "why", x->left[i].what, strlen(x->left[i].what));
		json_array_append_new(left, row);
	}
	json_object_set_new(o, "compared", a);
	json_object_set_new(o, "left", left);
	json_object_set_new(o, "calibration", json_pack("{sI sI sI sf sf sf}", "rows", (json_int_t)s.rows, "billed_nano", nano(s.billed),
							"predicted_nano", nano(s.predicted), "bias", s.bias, "error", s.error, "factor",
							s.factor));
	return ebb_out_json(x->app->out, o, err);
}

/* --- The command --- */

static void release(struct reconciling *x)
{
	ebb_history_free(x->history);
	ebb_reconcile_free(x->sums);
	free(x->left);
}

static const char costs[] = "billed|effective|list|contracted";

static enum ebb_charge_cost cost_of(const char *word)
{
	static const char *const words[EBB_CHARGE_COSTS] = {"billed", "effective", "list", "contracted"};
	int i = 0;

	while (i + 1 < EBB_CHARGE_COSTS && word && strcmp(words[i], word) != 0)
		i++;
	return word ? (enum ebb_charge_cost)i : EBB_CHARGE_BILLED;
}

/* Days to load: from the first month of the bill. */
static int64_t first_day(const struct reconciling *x)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < x->nmonths; i++)
		first = x->months[i].first < first ? x->months[i].first : first;
	return first;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct reconciling x = {.app = app};
	int64_t now = ebb_app_now(app);
	enum ebb_charge_cost which = cost_of(ebb_cli_string(args, "cost"));
	int r = ebb_app_config(app, err);

	if (r < 0)
		return r;
	x.currency = ebb_price_currency(app->config->prices);
	if (!*x.currency)
		return ebb_err_set(err, EBB_ECONFIG, "'%s' names no price books, so nothing was predicted", app->config->path);
	x.sums = ebb_reconcile_new();
	if (!x.sums)
		return no_memory(err);
	for (int i = 0; i < ebb_cli_argc(args) && r == 0; i++)
		r = read_bill(&x, ebb_cli_arg(args, i), which, err);
	/* a month before, since what stood at its end stands on */
	if (r == 0)
		r = ebb_history_load(app->index_dir, x.nmonths ? first_day(&x) - 400 : 0, now, &x.history, err);
	if (r == 0 && ebb_history_count(x.history) == 0)
		return ebb_err_set(err, EBB_EINDEX, "there is no history yet: each ebb scan adds a day to it");
	if (r == 0)
		r = predict(&x, now / EBB_DATE_DAY_NS, err);
	if (r < 0)
		return r;
	return app->json ? print_json(&x, err) : print_text(&x, err);
}

static const struct ebb_cli_option options[] = {
	{"cost", 0, EBB_CLI_CHOICE, costs, "which cost of the bill is compared (default: billed)"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"format, currency, rows_read", "various", "FOCUS, CUR, CUR 2.0, Google Cloud or Azure; of all amounts; rows of the bill"},
	{"compared", "array", "month, provider, service, region, class, rows, billed_nano (null: not billed), predicted_nano (null: not predicted), unknown_days (of the month, without history), compared (it counts in the calibration)"},
	{"left", "array", "charges that are not compared: why, rows, billed_nano, file and first_line"},
	{"calibration", "object", "rows, billed_nano, predicted_nano, bias (share of billed), error (sum of absolute differences, share of billed), factor (billed by predicted)"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb reconcile cur-2026-10.csv.gz", "hold last month's bill against what was predicted",
	"ebb reconcile --cost list focus.csv", "against list prices, before discounts",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_reconcile;
const struct ebb_cli_command ebb_cmd_reconcile = {
	.name = "reconcile",
	.summary = "compare what was predicted with what a provider billed",
	.usage = "FILE...",
	.description =
		"Reads cost exports (FOCUS 1.0 to 1.4, AWS cost and usage reports of both kinds, Google Cloud's billing export, Azure's exports\n"
		"of Cost Management; CSV, plain or gzipped) and compares what storage was billed with what the history predicts, by month,\n"
		"service, region and class.\n"
		"A day of a month costs its share of what the history says a month would.\n"
		"\n"
		"The calibration tells how far predictions are off in all and by row, over what can be compared: what was billed and\n"
		"predicted, in a month of which every day so far is known.\nNothing is dropped: requests, transfers, other services, and\n"
		"rows that cannot be read are added up under why they are not compared, with the first line of each.\n"
		"\n"
		"Tables of Google's export hold lists, which CSV does not; a query makes rows that do:\n"
		"SELECT usage_start_time, usage_end_time, service.description AS service_description, sku.description AS sku_description,\n"
		"location.region AS location_region, location.location AS location_location, cost, cost_at_list, currency, cost_type,\n"
		"(SELECT SUM(c.amount) FROM UNNEST(credits) c) AS credits_amount FROM TABLE.\nWhat is billed there is cost and credits.\n"
		"\n"
		"Volume tiers and discounts are in the bill and not in predictions; --cost list compares before discounts.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
