/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb agent: the daemon, and whether it lives. */
#include "agent/beat.h"
#include "agent/cli.h"
#include "agent/daemon.h"
#include "agent/out.h"

static int health(struct ebb_app *app, struct ebb_err *err)
{
	struct ebb_beat b;
	char a[EBB_OUT_TEXT_MAX];

	if (!ebb_beat_read(app->index_dir, &b)) {
		fprintf(app->out, "no agent has run on index '%s'\n", app->index_dir);
		return -EBB_EPARTIAL;
	}
	int64_t now = ebb_app_now(app);
	bool alive = ebb_beat_alive(&b, now);
	if (!alive)
		fprintf(app->out, "no agent lives; the last was %s %s\n", b.state, ebb_out_ago(b.beat, now, a));
	else
		fprintf(app->out, "agent %ld: %s%s%s\n", b.pid, b.state, *b.error ? "; configuration kept, since " : "", b.error);
	int r = ebb_out_flush(app->out, err);
	return r < 0 ? r : alive && !*b.error ? 0 : -EBB_EPARTIAL;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	return ebb_cli_flag(args, "health") ? health(app, err) : ebb_daemon_run(app, err);
}

static const struct ebb_cli_option options[] = {
	{"health", 0, EBB_CLI_FLAG, NULL, "say whether an agent lives and uses the configuration on disk; exits with 1 when not"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const char *const examples[] = {
	"ebb agent", "run in the foreground; systemd, runit or a container keep it",
	"ebb agent --health", "for a probe",
	"systemctl reload ebb-agent", "read the configuration again (SIGHUP)",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_agent;
const struct ebb_cli_command ebb_cmd_agent = {
	.name = "agent",
	.summary = "daemon: runs by the schedule, frees what is too full",
	.usage = "",
	.description =
		"Waits in the foreground and does what ebb-run does at the times of the configuration:\n"
		"\n"
		"     schedule: {at: \"02:30\", days: Mon-Fri, zone: Asia/Dubai, jitter: 10min}\n"
		"\n"
		"Between them it looks at the filesystems of stores with `watermark: {high: 90%, low: 80%}`, every minute or as\n"
		"`schedule: {watch: ...}` says, and does what `ebb run --watermarks` does when one is too full.\n"
		"One that the rules cannot free is tried again after an hour.\n"
		"\n"
		"Without a zone, times are those of the machine.\n"
		"A time that the clocks leave out in spring is an hour later that day; one that comes twice in autumn counts once.\n"
		"What was due while no agent ran, or was killed amid its work, is caught up once.\n"
		"\n"
		"SIGHUP reads the configuration again; when it is bad the old one stays, and the status and the log say so.\n"
		"SIGTERM ends the agent: at rest at once, amid a run when the object at hand is done.\n"
		"\n"
		"INDEX/agent/status.json says how it is; ebb-status and --health read it.\n"
		"Under systemd (Type=notify) it tells when it is ready, reloads and stops, and answers the watchdog.\n"
		"A run's exit status stands in the status file; the agent's own is 0 when it was told to stop.",
	.options = options,
	.examples = examples,
	.max_args = 0,
	.run = run,
};
