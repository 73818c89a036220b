/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb run: one night, for cron. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "agent/cli.h"
#include "agent/night.h"
#include "agent/out.h"
#include "agent/relief.h"
#include "agent/schedule.h"
#include "core/date.h"

/* Wait for this machine's share of the jitter of today. The clock of tests stands still, and so does the wait for it. */
static int wait_jitter(struct ebb_app *app, int64_t jitter, struct ebb_err *err)
{
	int64_t today = ebb_app_now(app) / EBB_DATE_DAY_NS, ns;
	char host[65] = "", a[EBB_OUT_TEXT_MAX];

	gethostname(host, sizeof(host) - 1);
	ns = ebb_schedule_jitter(jitter, ebb_schedule_seed(host), today);
	ebb_app_note(app, "begins in %s", ebb_out_things((uint64_t)(ns / EBB_CLOCK_SECOND), "second", a));
	int64_t end = ebb_clock_monotonic() + ns, left;
	while ((left = end - ebb_clock_monotonic()) > 0) {
		/* short naps: a signal sets a flag and may come just before the sleep */
		int64_t nap = left < EBB_CLOCK_SECOND / 5 ? left : EBB_CLOCK_SECOND / 5;
		struct timespec t = {.tv_nsec = (long)nap};

		nanosleep(&t, NULL);
		int r = ebb_app_cancelled(app, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	bool dry = ebb_cli_flag(args, "dry-run");
	int64_t jitter = ebb_cli_number(args, "jitter", 0);
	int r = jitter ? wait_jitter(app, jitter, err) : 0;

	if (r < 0)
		return r;
	return ebb_cli_flag(args, "watermarks") ? ebb_relief_run(app, dry, err) : ebb_night_run(app, dry, err);
}

static const struct ebb_cli_option options[] = {
	{"dry-run", 'n', EBB_CLI_FLAG, NULL, "from the index as it is, say what would be done; change nothing"},
	{"watermarks", 0, EBB_CLI_FLAG, NULL, "only free filesystems that are above their high watermark"},
	{"jitter", 0, EBB_CLI_DURATION, "TIME", "wait up to so long first; how long depends on the machine and the day"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"night", "string", "id of the night: INDEX/nights/ID.json has the same, ID.log what each step had to say"},
	{"kind", "string", "run, or watermark"},
	{"started, ended", "string", "times"},
	{"exit", "number", "exit status: that of the worst step"},
	{"done", "number", "actions that were carried out"},
	{"dry_run", "boolean", "whether nothing was to be done"},
	{"elapsed_ms", "number", "milliseconds it took"},
	{"steps", "array", "step (approved, scan, hash, plan, pending, apply, trash, rescan, report, alerts), store, exit, text, and what the step counted"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb run --jitter 10min", "in a crontab: each machine at its own minute",
	"ebb run -n", "see what tonight would do",
	"ebb run --watermarks", "every few minutes, where no agent runs: act only when a disk is too full",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_run;
const struct ebb_cli_command ebb_cmd_run = {
	.name = "run",
	.summary = "one night: scan, plan, apply within limits, report; for cron",
	.usage = "",
	.description =
		"Does what was approved (ebb-approve), scans all stores, plans, applies the plan within the limits of the configuration, empties\n"
		"the trash of what has expired (`run: {empty_trash: true}`), scans again when something was done, writes the reports of\n"
		"`run: {reports: [...]}` and tells alerts.\nAll of it holds the run lock.\n"
		"\n"
		"A store that cannot be scanned is left out of the plan, and the rest goes on.\n"
		"Outside of the hours of `limits: {window: ...}` everything but changes is done.\n"
		"A plan above `limits: {approve_above: ...}` is not applied: it waits, and takes the place of one that waited before.\n"
		"\n"
		"A run may be killed at any time: the next one recovers what was under way and goes on.\n"
		"\n"
		"The worst step decides on the exit status, in this order: 130 interrupted; 5 index or journal; 3 configuration; 4 a store could not be\n"
		"scanned or worked on; 9 another run holds the lock; 6 stale plan; 7 a limit stopped it, the hours are others, or a plan waits for\n"
		"approval; 8 there are alerts; 1 some objects were skipped or failed, or a report could not be written; 0.\n"
		"\n"
		"With --watermarks nothing else is done than this: a store whose filesystem is fuller than `watermark: {high: ...}` is scanned, and of\n"
		"its plan as much is applied, rule by rule in their order, as brings it down to `low`.\n"
		"What only goes into a trash on the same filesystem frees nothing and is left out; what has expired there goes first.\n"
		"\n"
		"Price books know no prices by the hour, so no hours are cheaper to ebb: say with `window` which ones you want.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = 0,
	.run = run,
};
