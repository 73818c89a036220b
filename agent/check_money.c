/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/check_money.h"

#include <string.h>

#include "agent/out.h"
#include "core/units.h"
#include "policies/alloc.h"

static void title(struct ebb_app *app, const char *text)
{
	fprintf(app->out, "\n%s%s%s\n", ebb_out_bold(app->out), text, ebb_out_plain(app->out));
}

static void print_budgets(struct ebb_app *app)
{
	const struct ebb_config_alerts *c = &app->config->alerts;
	char a[EBB_OUT_TEXT_MAX], b[EBB_UNITS_TEXT];

	if (c->nbudgets)
		title(app, "Budgets of a calendar month");
	for (size_t i = 0; i < c->nbudgets; i++) {
		const struct ebb_budget *x = &c->budgets[i];

		fprintf(app->out, "  %s: %s for %s%s%s, alerts at", x->name, ebb_out_money(&x->month, a),
			x->dim ? x->dim : "everything", x->dim ? " " : "", x->dim ? x->value : "");
		for (size_t k = 0; k < x->nwarn; k++)
			fprintf(app->out, "%s %s", k ? "," : "", ebb_units_exact_percent(x->warn_ppm[k], b));
		if (x->forecast_ppm)
			fprintf(app->out, ", and when %s are expected", ebb_units_exact_percent(x->forecast_ppm, b));
		fputc('\n', app->out);
	}
}

static void print_shared(struct ebb_app *app)
{
	const struct ebb_config_alerts *c = &app->config->alerts;
	char a[EBB_UNITS_TEXT];

	if (c->nshared)
		title(app, "Shared costs");
	for (size_t i = 0; i < c->nshared; i++) {
		const struct ebb_shared_rule *x = &c->shared[i];

		fprintf(app->out, "  %s %s: %s", x->label, *x->of ? x->of : "(nobody)", ebb_shared_name(x->split));
		fputs(x->nparts ? " among" : " among all others", app->out);
		for (size_t k = 0; k < x->nparts; k++)
			fprintf(app->out, "%s %s%s%s", k ? "," : "", x->parts[k].value, x->parts[k].ppm ? " " : "",
				x->parts[k].ppm ? ebb_units_exact_percent(x->parts[k].ppm, a) : "");
		fputc('\n', app->out);
	}
}

int ebb_check_money_text(struct ebb_app *app, struct ebb_err *err)
{
	const struct ebb_config_alerts *c = &app->config->alerts;

	print_budgets(app);
	print_shared(app);
	if (c->command || c->webhook)
		title(app, "Alerts go to");
	if (c->command)
		fprintf(app->out, "  the command %s\n", c->command[0]);
	if (c->webhook)
		fprintf(app->out, "  %s%s%s\n", c->webhook, c->webhook_token ? ", with the token in $" : "",
			c->webhook_token ? c->webhook_token : "");
	return ebb_out_flush(app->out, err);
}

int ebb_check_money_json(struct ebb_app *app, struct ebb_err *err)
{
	const struct ebb_config_alerts *c = &app->config->alerts;
	int r = 0;

	for (size_t i = 0; i < c->nbudgets && r == 0; i++) {
		const struct ebb_budget *x = &c->budgets[i];
		json_t *o = json_pack("{ss ss ss* ss*}", "is", "budget", "name", x->name, "label", x->dim, "value", x->value);

		ebb_out_json_money(o, "month", &x->month);
		json_object_set_new(o, "currency", json_string(x->month.currency));
		r = ebb_out_json(app->out, o, err);
	}
	for (size_t i = 0; i < c->nshared && r == 0; i++) {
		const struct ebb_shared_rule *x = &c->shared[i];

		r = ebb_out_json(app->out, json_pack("{ss ss ss ss}", "is", "shared", "label", x->label, "of", x->of, "split",
						     ebb_shared_name(x->split)), err);
	}
	return r;
}

static int missing(struct ebb_app *app, struct ebb_alloc *a, const char *what, const char *label,
		   ebb_check_money_warn_fn *fn, struct ebb_err *err)
{
	char text[400];

	if (ebb_alloc_dim_find(a, label) >= 0)
		return 0;
	snprintf(text, sizeof(text), "%s asks for the label '%.100s', which no dataset and no mapping gives", what, label);
	return fn(app, text, err);
}

int ebb_check_money_warn(struct ebb_app *app, ebb_check_money_warn_fn *fn, struct ebb_err *err)
{
	const struct ebb_config_alerts *c = &app->config->alerts;
	EBB_CLEANUP(ebb_alloc_freep) struct ebb_alloc *a = NULL;
	char what[200];
	int r = ebb_alloc_new(app->config->rules, NULL, NULL, c->labels, 0, &a, err);

	for (size_t i = 0; i < c->nbudgets && r == 0; i++) {
		snprintf(what, sizeof(what), "budget '%.100s'", c->budgets[i].name);
		r = c->budgets[i].dim ? missing(app, a, what, c->budgets[i].dim, fn, err) : 0;
	}
	for (size_t i = 0; i < c->nshared && r == 0; i++) {
		snprintf(what, sizeof(what), "line %d (shared)", c->shared[i].line);
		r = missing(app, a, what, c->shared[i].label, fn, err);
	}
	return r;
}
