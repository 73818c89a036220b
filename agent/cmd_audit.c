/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb audit: what was decided and done, shown, checked and exported. */
#include <string.h>

#include "agent/app.h"
#include "agent/audit.h"
#include "agent/cli.h"
#include "agent/jsonline.h"
#include "agent/out.h"
#include "agent/run.h"
#include "core/text.h"
#include "core/units.h"

enum format { TEXT, JSONL, CSV };

struct showing {
	struct ebb_app *app;
	enum format format;
	const char *run;		/* only of runs whose id begins so, or NULL */
	int64_t since;			/* ns since the epoch */
	struct ebb_out_table *table;
	int64_t lost;			/* journals that are gone */
	int64_t bad;			/* line whose journal is not what it was, 0: none */
	char bad_run[EBB_RUN_ID_MAX];
	bool journals;
};

/* Members of a line as text; a number is written as it stands. NULL: it has none. */
static const char *text_of(json_t *o, const char *name, char buf[EBB_OUT_TEXT_MAX])
{
	json_t *v = json_object_get(o, name);

	if (!json_is_integer(v))
		return json_string_value(v);
	snprintf(buf, EBB_OUT_TEXT_MAX, "%lld", (long long)json_integer_value(v));
	return buf;
}

static const char *const columns[] = {"n", "time", "user", "host", "command", "event", "run", "plan", "outcome",
				      "done", "skipped", "failed", "bytes", "why", "journal_sha256", "sha256"};

static void csv_cell(FILE *f, const char *s, char end)
{
	fputc('"', f);
	/* a cell that begins like a formula would be one in a spreadsheet */
	if (s && strchr("=+-@\t\r", *s) && *s)
		fputc('\'', f);
	for (; s && *s; s++) {
		if (*s == '"')
			fputc('"', f);
		fputc(*s, f);
	}
	fputc('"', f);
	fputc(end, f);
}

static void show_csv(struct showing *s, json_t *o)
{
	char buf[EBB_OUT_TEXT_MAX];

	for (size_t i = 0; i < EBB_ARRAY_LEN(columns); i++)
		csv_cell(s->app->out, text_of(o, columns[i], buf), i + 1 < EBB_ARRAY_LEN(columns) ? ',' : '\n');
}

static void cell(struct ebb_out_table *t, const char *text)
{
	char quoted[256];

	ebb_out_cell(t, "%s", text ? ebb_text_quotes(text, quoted, sizeof(quoted)) : "");
}

static void show_row(struct showing *s, json_t *o)
{
	static const char *const shown[] = {"n", "time", "user", "command", "event", "run", "done", "skipped", "failed"};
	const char *outcome = json_string_value(json_object_get(o, "outcome")), *why = json_string_value(json_object_get(o, "why"));
	char buf[EBB_OUT_TEXT_MAX], both[256];

	for (size_t i = 0; i < EBB_ARRAY_LEN(shown); i++)
		cell(s->table, text_of(o, shown[i], buf));
	snprintf(both, sizeof(both), "%s%s%s", outcome ? outcome : "", outcome && why ? ": " : "", why ? why : "");
	cell(s->table, both);
}

/* The journal that an event covers may have grown since, but what it held then must still stand. */
static int check_journal(struct showing *s, int64_t n, json_t *o, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	const char *run = json_string_value(json_object_get(o, "run")), *sha = json_string_value(json_object_get(o, "journal_sha256"));
	json_t *bytes = json_object_get(o, "journal_bytes");

	if (!run || !sha || !json_is_integer(bytes) || strchr(run, '/') || s->bad)
		return 0;
	if (asprintf(&path, "%s/runs/%s/journal", s->app->index_dir, run) < 0) {
		path = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	struct ebb_err why = {0};
	int r = ebb_audit_covers(path, json_integer_value(bytes), sha, &why);
	if (r == -EBB_ENOENT)
		s->lost++;
	else if (r < 0)
		return ebb_err_set(err, -r, "%s", why.msg);
	else if (r == 0) {
		s->bad = n;
		snprintf(s->bad_run, sizeof(s->bad_run), "%s", run);
	}
	return 0;
}

static bool wanted(const struct showing *s, json_t *o)
{
	const char *run = json_string_value(json_object_get(o, "run")), *time = json_string_value(json_object_get(o, "time"));
	int64_t at = 0;

	if (s->run && (!run || strncmp(run, s->run, strlen(s->run)) != 0))
		return false;
	return !s->since || (time && ebb_units_parse_time(time, &at, NULL) == 0 && at >= s->since);
}

static int line(void *ctx, int64_t n, const char *text, size_t len, bool good, struct ebb_err *err)
{
	struct showing *s = ctx;
	struct ebb_jsonline l;
	struct ebb_err why = {0};
	int r = ebb_jsonline_parse(&l, text, len, "audit.jsonl", n, EBB_EJOURNAL, &why);

	(void)good;
	if (r == 0 && s->journals)
		r = check_journal(s, n, l.o, err);
	else if (r == 0 && wanted(s, l.o) && s->format == JSONL)
		fprintf(s->app->out, "%s\n", text);
	else if (r == 0 && wanted(s, l.o) && s->format == CSV)
		show_csv(s, l.o);
	else if (r == 0 && wanted(s, l.o))
		show_row(s, l.o);
	else if (r < 0)
		r = 0;	/* the chain says that it is broken there */
	ebb_jsonline_release(&l);
	return r;
}

static int verdict(struct ebb_app *app, const struct showing *s, const struct ebb_audit_check *c, const char *head, struct ebb_err *err)
{
	bool cut = head && !c->seen, whole = !c->broken && !s->bad && !cut;
	char a[EBB_OUT_TEXT_MAX];

	if (app->json) {
		json_t *o = json_pack("{s:b, s:I, s:I, s:I, s:b, s:I, s:s, s:s?}", "whole", whole, "lines", (json_int_t)c->lines,
				      "broken_line", (json_int_t)c->broken, "broken_journal_line", (json_int_t)s->bad, "head_missing", cut,
				      "journals_gone", (json_int_t)s->lost, "head", c->head, "why", c->broken ? c->why : NULL);
		int r = ebb_out_json(app->out, o, err);
		if (r < 0)
			return r;
	} else if (whole) {
		fprintf(app->out, "%s, each linked to the one before\nhead %s\n", ebb_out_things((uint64_t)c->lines, "event", a), c->head);
	}
	if (c->torn)
		ebb_app_note(app, "behind them stands a part of a line, which a crash left; the next event takes its place");
	if (s->lost)
		ebb_app_note(app, "%lld events name journals that are gone: what was done to each object can no longer be checked",
			     (long long)s->lost);
	if (c->broken)
		return ebb_err_set(err, EBB_EJOURNAL, "%s/audit.jsonl:%lld: %s", app->index_dir, (long long)c->broken, c->why);
	if (s->bad)
		return ebb_err_set(err, EBB_EJOURNAL, "the journal of run %s is not what it was when event %lld was written", s->bad_run,
				   (long long)s->bad);
	return cut ? ebb_err_set(err, EBB_EJOURNAL, "no event has the sha256 %s: newer events were cut off, or the log was written anew", head)
		   : 0;
}

static int show(struct showing *s, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"n", true}, {"time", false}, {"user", false}, {"command", false}, {"event", false}, {"run", false},
		{"done", true}, {"skipped", true}, {"failed", true}, {"outcome", false},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	struct ebb_audit_check c;

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	s->table = t;
	for (size_t i = 0; s->format == CSV && i < EBB_ARRAY_LEN(columns); i++)
		fprintf(s->app->out, "%s%c", columns[i], i + 1 < EBB_ARRAY_LEN(columns) ? ',' : '\n');
	int r = ebb_audit_read(s->app->index_dir, NULL, line, s, &c, err);
	if (r == 0 && s->format == TEXT && c.lines)
		r = ebb_out_table_print(t, s->app->out, 0, err);
	if (r < 0)
		return r;
	if (c.lines == 0)
		ebb_app_note(s->app, "nothing was done yet");
	if (c.broken)
		ebb_app_note(s->app, "line %lld: %s; nothing from there on can be trusted", (long long)c.broken, c.why);
	r = ebb_out_flush(s->app->out, err);
	return r == 0 && c.broken ? -EBB_EPARTIAL : r;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *format = ebb_cli_string(args, "format"), *head = ebb_cli_string(args, "head");
	bool verify = ebb_cli_flag(args, "verify");
	int64_t since = ebb_cli_number(args, "since", -1);
	struct showing s = {
		.app = app, .run = ebb_cli_string(args, "run"), .journals = verify,
		.since = since >= 0 ? ebb_app_now(app) - since : 0,
		.format = format && strcmp(format, "csv") == 0 ? CSV : app->json || (format && strcmp(format, "jsonl") == 0) ? JSONL : TEXT,
	};
	struct ebb_audit_check c;

	if (head && !verify)
		return ebb_err_set(err, EBB_EUSAGE, "--head goes with --verify");
	if (!verify)
		return show(&s, err);
	if (s.run || since >= 0 || format)
		return ebb_err_set(err, EBB_EUSAGE, "--verify looks at the whole log");
	int r = ebb_audit_read(app->index_dir, head, line, &s, &c, err);
	return r < 0 ? r : verdict(app, &s, &c, head, err);
}

static const struct ebb_cli_option options[] = {
	{"verify", 0, EBB_CLI_FLAG, NULL, "check every link and every journal, say where the first one is broken"},
	{"head", 0, EBB_CLI_STRING, "SHA256", "with --verify: this event must still be there (an earlier head, kept elsewhere)"},
	{"run", 0, EBB_CLI_STRING, "RUN", "only events of this run"},
	{"since", 0, EBB_CLI_DURATION, "TIME", "only events of so long ago or newer"},
	{"format", 0, EBB_CLI_CHOICE, "text|jsonl|csv", "for people, as the lines stand in the log, or for spreadsheets"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"n, time, user, host, pid, command, event", "number, string", "a line for each event, as in the log"},
	{"run, plan, outcome, why", "string", "where the event has them"},
	{"done, skipped, failed, bytes", "number", "of an end: actions of the session"},
	{"facts", "object", "what else belongs to it: digests of rules and prices, amounts"},
	{"journal_bytes, journal_sha256", "number, string", "the journal as it was then"},
	{"prev, sha256", "string", "the links of the chain"},
	{"whole, lines, broken_line, broken_journal_line, head_missing, journals_gone, head, why", "various", "with --verify: one line"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb audit --since 30d", "what was done this month, and by whom",
	"ebb audit --verify", "has anybody changed the log or a journal",
	"ebb audit --format csv > audit.csv", "for those who ask",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_audit;
const struct ebb_cli_command ebb_cmd_audit = {
	.name = "audit",
	.summary = "show, check and export the log of what was decided and done",
	.usage = "",
	.description =
		"Every command that changes stores writes to INDEX/audit.jsonl who began what by which plan, and how it ended; it does not begin\n"
		"when it cannot.\nLines are only ever appended; each carries the SHA-256 of the one before and of the run's journal, which says what\n"
		"was done to each object.\n"
		"\n"
		"--verify exits with 5 at the first line that does not fit.\nNo chain can tell that its newest lines were cut off: keep the head that\n"
		"--verify prints elsewhere, and give it to --head later.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = 0,
	.run = run,
};
