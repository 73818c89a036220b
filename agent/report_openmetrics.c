/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The report as OpenMetrics 1.0: the gauges of report_prom.c, whose text both formats share, and an end that is said, so that half an answer
 * is no answer. Source: the OpenMetrics specification (github.com/prometheus/OpenMetrics).
 */
#include "agent/out.h"
#include "agent/report.h"

int ebb_report_openmetrics(const struct ebb_report *r, struct ebb_err *err)
{
	int rc = ebb_report_prom(r, err);

	fputs("# EOF\n", r->app->out);
	return rc < 0 ? rc : ebb_out_flush(r->app->out, err);
}
