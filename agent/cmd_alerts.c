/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb alerts: budgets and surprises, from the history. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/alerts.h"
#include "agent/app.h"
#include "agent/cli.h"
#include "agent/cmd_alerts.h"
#include "agent/out.h"
#include "agent/webhook.h"
#include "core/date.h"

/* Days whose anomalies are told unless the option says more. */
#define SINCE_DAYS 1

static int64_t day_of(int64_t ns)
{
	return ns / EBB_DATE_DAY_NS;
}

static json_t *row_json(const struct ebb_alerts_row *r, const char *currency)
{
	char text[512], day[16];
	struct ebb_date d = ebb_date_of(r->anomaly.day * EBB_DATE_DAY_NS);
	json_t *o = json_pack("{ss ss}", "alert", ebb_alerts_name(r), "text",
			      ebb_alerts_text(r, currency, text, sizeof(text)));

	if (r->dim)
		json_object_set_new(o, r->dim, json_string(r->value));
	if (r->kind != EBB_ALERTS_ANOMALY) {
		json_object_set_new(o, "budget", json_string(r->budget->name));
		json_object_set_new(o, "budget_nano", json_integer(r->budget->month.nano));
		json_object_set_new(o, "spent_nano", json_integer(r->state.spent));
		json_object_set_new(o, "expected_nano", json_integer(r->state.expected));
		return o;
	}
	snprintf(day, sizeof(day), "%04d-%02d-%02d", d.year, d.month, d.day);
	json_object_set_new(o, "day", json_string(day));
	json_object_set_new(o, "value_nano", json_integer((json_int_t)r->anomaly.value));
	json_object_set_new(o, "expected_nano", json_integer((json_int_t)r->anomaly.expected));
	json_object_set_new(o, "score", json_real(r->anomaly.score));
	json_object_set_new(o, "history_days", json_integer((json_int_t)r->anomaly.history));
	return o;
}

static json_t *budget_json(const struct ebb_alerts_budget *b)
{
	json_t *o = json_pack("{ss sI sb}", "budget", b->budget->name, "budget_nano",
			      (json_int_t)b->budget->month.nano, "known", b->known);

	if (!b->known)
		return o;
	json_object_set_new(o, "spent_nano", json_integer(b->state.spent));
	json_object_set_new(o, "spent_ppm", json_integer(b->state.spent_ppm));
	json_object_set_new(o, "unknown_days", json_integer(b->state.unknown_days));
	json_object_set_new(o, "expected_nano", json_integer(b->state.expected));
	json_object_set_new(o, "expected_low_nano", json_integer(b->state.expected_lo));
	json_object_set_new(o, "expected_high_nano", json_integer(b->state.expected_hi));
	json_object_set_new(o, "method", json_string(ebb_forecast_name(b->method)));
	return o;
}

static json_t *all_json(const struct ebb_alerts *a, const struct ebb_history *h)
{
	json_t *o = json_object(), *alerts = json_array(), *budgets = json_array();

	for (size_t i = 0; i < a->n; i++)
		json_array_append_new(alerts, row_json(&a->rows[i], ebb_history_currency(h)));
	for (size_t i = 0; i < a->nbudgets; i++)
		json_array_append_new(budgets, budget_json(&a->budgets[i]));
	json_object_set_new(o, "currency", json_string(ebb_history_currency(h)));
	json_object_set_new(o, "alerts", alerts);
	json_object_set_new(o, "budgets", budgets);
	return o;
}

static const struct ebb_out_col cols[] = {
	{"budget", false}, {"a month", true}, {"spent", true}, {"", true}, {"expected", true}, {"", true},
	{"by", false},
};

static const char *percent(int ppm, char buf[EBB_OUT_TEXT_MAX])
{
	snprintf(buf, EBB_OUT_TEXT_MAX, "%d %%", ppm / 10000);
	return buf;
}

static int print_budgets(struct ebb_app *app, const struct ebb_alerts *a, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	char text[EBB_OUT_TEXT_MAX];

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < a->nbudgets; i++) {
		const struct ebb_alerts_budget *b = &a->budgets[i];
		struct ebb_money m = b->budget->month;

		ebb_out_cell(t, "%s", b->budget->name);
		ebb_out_cell(t, "%s", ebb_out_money(&m, text));
		m.nano = b->state.spent;
		ebb_out_cell(t, "%s", b->known ? ebb_out_money(&m, text) : "not known");
		ebb_out_cell(t, "%s", b->known ? percent(b->state.spent_ppm, text) : "");
		m.nano = b->state.expected;
		ebb_out_cell(t, "%s", b->known ? ebb_out_money(&m, text) : "");
		ebb_out_cell(t, "%s", b->known ? percent(b->state.expected_ppm, text) : "");
		ebb_out_cell(t, "%s", b->known ? ebb_forecast_name(b->method) : "no history yet");
	}
	return a->nbudgets ? ebb_out_table_print(t, app->out, 0, err) : 0;
}

static int print(struct ebb_app *app, const struct ebb_alerts *a, const struct ebb_history *h,
		 struct ebb_err *err)
{
	char text[512];
	int r;

	if (app->json)
		return ebb_out_json(app->out, all_json(a, h), err);
	r = print_budgets(app, a, err);
	for (size_t i = 0; i < a->n; i++)
		fprintf(app->out, "%s: %s\n", ebb_alerts_name(&a->rows[i]),
			ebb_alerts_text(&a->rows[i], ebb_history_currency(h), text, sizeof(text)));
	if (a->n == 0)
		ebb_app_note(app, "no alerts");
	return r;
}

/* Hand the alerts to the command of the configuration, as JSON on its standard input. */
static int notify(const char *const *command, json_t *o, struct ebb_err *err)
{
	int fd[2], status;
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	if (!text || pipe2(fd, 0) < 0) {
		free(text);
		return ebb_err_set(err, EBB_ENOMEM, "cannot hand alerts to '%s'", command[0]);
	}
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[0], STDIN_FILENO);
		close(fd[0]);
		close(fd[1]);
		signal(SIGPIPE, SIG_DFL);
		execvp(command[0], (char *const *)(uintptr_t)command);
		_exit(127);
	}
	close(fd[0]);
	for (size_t at = 0, len = strlen(text); pid > 0 && at < len;) {
		ssize_t n = write(fd[1], text + at, len - at);

		if (n <= 0 && errno != EINTR)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	close(fd[1]);
	free(text);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return ebb_err_sys(err, errno, "cannot run '%s'", command[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return ebb_err_set(err, EBB_EPARTIAL, "'%s' did not take the alerts (status %d)", command[0],
				   WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

/* The same by POST. The secret is asked of the environment only now, and stands nowhere else. */
static int post(const struct ebb_config_alerts *c, json_t *o, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_secret_freep) struct ebb_secret *token = NULL;
	const char *value = c->webhook_token ? getenv(c->webhook_token) : NULL;
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int r = text ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	json_decref(o);
	if (r == 0 && c->webhook_token && (!value || !*value))
		r = ebb_err_set(err, EBB_ECONFIG, "the environment variable %s, which holds the token of the webhook, is not set",
				c->webhook_token);
	if (r == 0 && value && !(token = ebb_secret_new(value, strlen(value))))
		r = ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (r == 0)
		r = ebb_webhook_post(c->webhook, token, text, strlen(text), 0, err);
	free(text);
	return r;
}

/* To whoever the configuration names; a failure of one does not keep the other from being told. */
static int hand_over(const struct ebb_config_alerts *c, const struct ebb_alerts *a, const struct ebb_history *h, struct ebb_err *err)
{
	int r = c->command ? notify(c->command, all_json(a, h), err) : 0;
	int w = c->webhook ? post(c, all_json(a, h), r < 0 ? NULL : err) : 0;

	return r < 0 ? r : w;
}

int ebb_cmd_alerts_tell(struct ebb_app *app, int64_t back, bool dry, size_t *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_history_freep) struct ebb_history *h = NULL;
	EBB_CLEANUP(ebb_savings_release) struct ebb_savings_list savings = {.n = 0};
	EBB_CLEANUP(ebb_alerts_release) struct ebb_alerts a = {0};
	int64_t now = ebb_app_now(app), today = day_of(now);
	int r = ebb_app_config(app, err);

	if (r == 0)
		r = ebb_history_load(app->index_dir, today - EBB_ALERTS_DAYS, now, &h, err);
	if (r == 0 && ebb_history_count(h) == 0)
		return ebb_err_set(err, EBB_EINDEX, "there is no history yet: each ebb scan adds a day to it");
	if (r < 0)
		return r;
	if (ebb_history_bad(h))
		ebb_app_note(app, "%llu lines of the history cannot be read and were left out",
			     (unsigned long long)ebb_history_bad(h));
	if (ebb_history_future(h))
		ebb_app_note(app, "%llu lines of the history lie in the future and were left out",
			     (unsigned long long)ebb_history_future(h));
	if ((r = ebb_savings_load(app->index_dir, now - EBB_ALERTS_DAYS * EBB_DATE_DAY_NS, now, &savings, err)) < 0)
		return r;
	r = ebb_alerts_find(&app->config->alerts, h, &savings, today, today - back + 1, &a, err);
	if (r == 0)
		r = print(app, &a, h, err);
	if (r == 0 && a.n && !dry)
		r = hand_over(&app->config->alerts, &a, h, err);
	*ret = a.n;
	/* the alerts were told: the status says that there are some */
	return r < 0 ? r : a.n ? -EBB_EALERT : 0;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	int64_t back = ebb_cli_number(args, "since", SINCE_DAYS * EBB_DATE_DAY_NS) / EBB_DATE_DAY_NS;
	size_t n;

	return ebb_cmd_alerts_tell(app, back, ebb_cli_flag(args, "dry-run"), &n, err);
}

static const struct ebb_cli_option options[] = {
	{"since", 0, EBB_CLI_DURATION, "TIME", "tell anomalies of so many days (default: 1d, today)"},
	{"dry-run", 'n', EBB_CLI_FLAG, NULL, "do not run the command, or call the webhook, of the configuration"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"currency", "string", "of all amounts, which are in billionths"},
	{"alerts", "array", "what is wrong: alert (budget, forecast, spike or drift), text, the label it is about, and its numbers"},
	{"budgets", "array", "how each budget stands: spent_nano, spent_ppm, unknown_days, expected_nano with its 80 % interval, method of the forecast"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb scan && ebb alerts", "for cron: status 8 says that there are alerts",
	"ebb alerts --since 30d", "the anomalies of a month",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_alerts;
const struct ebb_cli_command ebb_cmd_alerts = {
	.name = "alerts",
	.summary = "hold the history against budgets, find anomalies in it",
	.usage = "",
	.description =
		"Reads the history that scans leave, judges the budgets of the configuration by what was spent this month and by\n"
		"what the forecast adds, and looks for days whose cost is unusual and for slow drifts, of everything and of\n"
		"each value of each label.\n"
		"\n"
		"Exits with 8 when there are alerts.\nWith `alerts: {command: [...]}` in the configuration they are handed to that command\n"
		"as JSON on its standard input, with `alerts: {webhook: {url: ..., token_env: NAME}}` to that address by POST, with what the\n"
		"environment variable NAME holds as a bearer token.\nWhat may succeed later is tried four times.\n"
		"\n"
		"A day costs a 30th of what a month like it would.\nA day without a scan is taken to be like the one before.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = 0,
	.run = run,
};
