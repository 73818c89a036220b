/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb serve: the report as a live page, and metrics. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/browse.h"
#include "agent/cli.h"
#include "agent/out.h"
#include "agent/page_approval.h"
#include "agent/report.h"
#include "agent/serve.h"
#include "core/snap.h"

#define LISTEN "127.0.0.1:8765"
#define REFRESH_SECONDS 60
#define TOKEN_MAX 4096

static int review(const struct ebb_report *r, struct ebb_err *err)
{
	return ebb_page_approval_html(r, EBB_APPROVAL_ALL, err);
}

static int review_json(const struct ebb_report *r, struct ebb_err *err)
{
	return ebb_page_approval_json(r, EBB_APPROVAL_ALL, err);
}

/* Fixed paths and the formats that fill them; those of a plan only where there is one. */
static const struct {
	const char *path, *accept, *type;
	int (*write)(const struct ebb_report *r, struct ebb_err *err);
	bool plan;
} pages[] = {
	{"/", NULL, "text/html; charset=utf-8", ebb_report_html, false},
	{"/report.json", NULL, "application/json", ebb_report_json, false},
	{"/report.csv", NULL, "text/csv; charset=utf-8", ebb_report_csv, false},
	{"/metrics", NULL, "text/plain; version=0.0.4; charset=utf-8", ebb_report_prom, false},
	{"/metrics", "application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8",
	 ebb_report_openmetrics, false},
	{"/plan", NULL, "text/html; charset=utf-8", review, true},
	{"/plan.json", NULL, "application/json", review_json, true},
};

struct serving {
	struct ebb_app *app;
	const struct ebb_cli_args *args;
	struct ebb_index *ix;
	const char *plan;
	char shown[EBB_PLANFILE_ID_LEN];	/* id of the plan whose pages stand: they change with it alone */
};

/* Write one format of @r into memory from malloc. */
static int render(struct ebb_report *r, size_t i, char **ret, size_t *ret_len, struct ebb_err *err)
{
	struct ebb_app *app = r->app, copy = *app;
	FILE *f = open_memstream(ret, ret_len);

	if (!f)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	copy.out = f;
	r->app = &copy;
	int rc = pages[i].write(r, err);
	r->app = app;
	if (fclose(f) != 0 && rc == 0)
		rc = ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (rc < 0)
		free(*ret);
	return rc;
}

/* Make all pages from what the index holds now. */
static int refresh(struct serving *s, struct ebb_serve *server, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_report_release) struct ebb_report report = {0};
	int r = ebb_app_snap(s->app, s->ix, &snap, err);

	if (r == 0)
		r = ebb_report_collect(&report, s->app, s->ix, snap, s->args, s->plan, err);
	report.live = true;
	for (size_t i = 0; i < EBB_ARRAY_LEN(pages) && r == 0; i++) {
		char *body = NULL;
		size_t len = 0;

		if (pages[i].plan && (!report.plan || strcmp(s->shown, ebb_planfile_id(report.plan)) == 0))
			continue;
		r = render(&report, i, &body, &len, err);
		if (r == 0)
			r = ebb_serve_put(server, pages[i].path, pages[i].accept, body, len, pages[i].type, err);
	}
	if (r == 0 && report.plan)
		strcpy(s->shown, ebb_planfile_id(report.plan));
	return r;
}

static int read_token(const char *path, struct ebb_secret **ret, struct ebb_err *err)
{
	char text[TOKEN_MAX];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text), f) : 0;

	if (!f)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	fclose(f);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	*ret = n >= 16 ? ebb_secret_new(text, n) : NULL;
	explicit_bzero(text, sizeof(text));
	return *ret ? 0 : ebb_err_set(err, EBB_ECONFIG, "'%s' must hold a token of 16 characters or more", path);
}

/* Wait for the next refresh or the signal to stop. */
static void wait_for(const struct ebb_app *app, long long seconds)
{
	for (long long i = 0; i < seconds * 5 && ebb_app_cancelled(app, NULL) == 0; i++)
		poll(NULL, 0, 200);
}

/* Until the signal to stop. What cannot be made now leaves the last page standing. */
static void loop(struct serving *s, struct ebb_serve *server, long long seconds)
{
	while (ebb_app_cancelled(s->app, NULL) == 0) {
		struct ebb_err why = {0};

		wait_for(s->app, seconds);
		if (ebb_app_cancelled(s->app, NULL) == 0 && refresh(s, server, &why) < 0)
			ebb_app_note(s->app, "%s", why.msg);
	}
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_secret_freep) struct ebb_secret *token = NULL;
	EBB_CLEANUP(ebb_serve_stopp) struct ebb_serve *server = NULL;
	struct serving s = {.app = app, .args = args, .plan = ebb_cli_string(args, "plan")};
	struct ebb_browse browse = {.app = app};
	struct ebb_serve_opts opts = {.listen = ebb_cli_string(args, "listen"), .asked = ebb_browse_paths,
				      .ask = ebb_browse_ask, .ctx = &browse};
	const char *file = ebb_cli_string(args, "token-file");
	int r = ebb_app_config_optional(app, err);

	if (!opts.listen)
		opts.listen = LISTEN;
	ebb_cli_list(args, "host", &opts.hosts);
	if (r == 0 && file)
		r = read_token(file, &token, err);
	if (r == 0)
		r = ebb_app_index(app, true, &ix, err);
	opts.token = token;
	s.ix = browse.ix = ix;
	if (r == 0)
		r = ebb_serve_start(&opts, &server, err);
	if (r == 0)
		r = refresh(&s, server, err);
	if (r < 0)
		return r;
	if (ebb_serve_port(server))
		fprintf(app->out, "http://%.*s:%u/\n", (int)(strrchr(opts.listen, ':') - opts.listen), opts.listen,
			ebb_serve_port(server));
	else
		fprintf(app->out, "%s\n", opts.listen);
	fflush(app->out);
	loop(&s, server, ebb_cli_number(args, "refresh", REFRESH_SECONDS * 1000000000LL) / 1000000000LL);
	return 0;
}

static const struct ebb_cli_option options[] = {
	{"listen", 0, EBB_CLI_STRING, "ADDRESS", "127.0.0.1:PORT, [::1]:PORT or unix:/path (default: " LISTEN "); port 0 takes a free one"},
	{"token-file", 0, EBB_CLI_STRING, "FILE", "ask for the token in that file (Authorization: Bearer TOKEN); needed for addresses that are no loopback"},
	{"host", 0, EBB_CLI_LIST, "NAME", "a further name under which the page may be asked for"},
	{"refresh", 0, EBB_CLI_DURATION, "TIME", "how often the pages are made anew (default: 60s)"},
	{"plan", 0, EBB_CLI_STRING, "FILE", "show what that plan would do as well"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const char *const examples[] = {
	"ebb serve", "the page at http://" LISTEN "/",
	"ebb serve --listen unix:/run/ebb.sock", "behind a web server that knows who may look",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_serve;
const struct ebb_cli_command ebb_cmd_serve = {
	.name = "serve",
	.summary = "show the report as a live page, with metrics",
	.usage = "[STORE[:PREFIX]...]",
	.description =
		"Serves the HTML report at /, the same as /report.json and /report.csv, metrics at /metrics (OpenMetrics for whoever\n"
		"accepts it, else the older text of Prometheus), folders of the index at /browse, what has a value of a label at /by,\n"
		"and with --plan the plan for review at /plan and /plan.json.\nNothing can be changed through it.\n"
		"\n"
		"Listens on loopback unless told otherwise, and then asks for a token.\nRequests under a name that it was not told are\n"
		"refused, so that pages from elsewhere cannot read it.\nThere is no TLS: put a web server before it.\n"
		"\n"
		"Pages are made once per refresh from a snapshot of the index, so a scan may go on meanwhile, and many readers cost no more\n"
		"than one.",
	.options = options,
	.examples = examples,
	.max_args = -1,
	.run = run,
};
