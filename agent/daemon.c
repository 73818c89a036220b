/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/daemon.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/beat.h"
#include "agent/night.h"
#include "agent/notify.h"
#include "agent/out.h"
#include "agent/relief.h"
#include "core/units.h"

#define MINUTE (60 * EBB_CLOCK_SECOND)

/* A filesystem that the rules cannot free is not tried again before this. */
#define RELIEF_PAUSE (60 * MINUTE)

/* A job that crashes so often is given up until it is due again. */
#define ATTEMPTS 3

enum job { NONE, NIGHT, RELIEF };

struct agent {
	struct ebb_app *app;
	struct ebb_lock *lock;		/* of INDEX/agent: one agent at a time */
	struct ebb_beat beat;
	uint64_t seed;			/* of this machine, for the jitter */
	int fd;				/* signals */
	enum job job;			/* that runs in */
	pid_t child;
	int64_t due;			/* of the night that runs */
	int attempts;			/* of it that crashed */
	int64_t not_before;		/* a night waits, after the run lock kept it out */
	int64_t watch_next;		/* next look at watermarks */
	int64_t watchdog;		/* ns between signs of life, 0: none wanted */
	bool stopping;
};

static int64_t now(const struct agent *a)
{
	return ebb_app_now(a->app);
}

static const struct ebb_config_night *conf(const struct agent *a)
{
	return &a->app->config->night;
}

static bool watches(const struct ebb_config *c)
{
	bool any = false;

	for (size_t i = 0; i < c->nstores; i++)
		any |= c->stores[i].watermark_high != 0;
	return any;
}

/* --- What others see --- */

static const char *state(const struct agent *a)
{
	return a->stopping ? a->job ? "stopping" : "stopped" : a->job ? "running" : "resting";
}

static void beat(struct agent *a)
{
	char text[512], at[EBB_UNITS_TEXT];
	struct ebb_err err = {0};

	a->beat.pid = (long)getpid();
	a->beat.beat = now(a);
	a->beat.next = conf(a)->scheduled ? ebb_schedule_after(&conf(a)->schedule, a->seed, a->beat.beat) : INT64_MAX;
	snprintf(a->beat.state, sizeof(a->beat.state), "%s", state(a));
	if (ebb_beat_write(a->app->index_dir, &a->beat, &err) < 0)
		ebb_app_note(a->app, "%s", err.msg);
	snprintf(text, sizeof(text), "WATCHDOG=1\nSTATUS=%s%s%s%s\n", a->beat.state, a->beat.next == INT64_MAX ? "" : "; next run ",
		 a->beat.next == INT64_MAX ? "" : ebb_units_exact_time(a->beat.next - a->beat.next % EBB_CLOCK_SECOND, at),
		 *a->beat.error ? "; the configuration on disk is bad" : "");
	ebb_notify_send(text);
}

static void note_next(struct agent *a)
{
	char at[EBB_UNITS_TEXT];
	int64_t next = conf(a)->scheduled ? ebb_schedule_after(&conf(a)->schedule, a->seed, now(a)) : INT64_MAX;

	if (next != INT64_MAX)
		ebb_app_note(a->app, "agent: next run at %s", ebb_units_exact_time(next - next % EBB_CLOCK_SECOND, at));
	if (watches(a->app->config))
		ebb_app_note(a->app, "agent: watermarks are looked at every %s", ebb_units_exact_duration(conf(a)->watch, at));
}

/* --- Configuration --- */

static int check(const struct ebb_config *c, struct ebb_err *err)
{
	return c->night.scheduled || watches(c)
		       ? 0
		       : ebb_err_set(err, EBB_ECONFIG,
				     "'%s' has no 'schedule' and no store with a 'watermark': there is nothing for an agent to do", c->path);
}

/* The last time at which a night was due, INT64_MIN without a schedule. */
static int64_t last_due(const struct agent *a)
{
	return conf(a)->scheduled ? ebb_schedule_before(&conf(a)->schedule, a->seed, now(a)) : INT64_MIN;
}

static void use(struct agent *a, struct ebb_config *c)
{
	bool owing = last_due(a) > a->beat.done_due;

	ebb_config_free(a->app->config);
	a->app->config = c;
	ebb_app_zone(a->app);
	/* a new schedule is about what comes: its times of this morning were not missed */
	if (!owing && last_due(a) > a->beat.done_due)
		a->beat.done_due = last_due(a);
	a->beat.loaded = now(a);
	a->beat.error[0] = 0;
}

static void reload(struct agent *a)
{
	struct ebb_config *c = NULL;
	struct ebb_err err = {0};
	struct timespec t;
	char text[128];

	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld\n", (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	ebb_notify_send(text);
	int r = ebb_config_load(a->app->config_path, now(a), &c, &err);
	if (r == 0 && (r = check(c, &err)) < 0)
		ebb_config_free(c);
	if (r < 0) {
		ebb_app_note(a->app, "agent: the configuration stays as it was: %s", err.msg);
		snprintf(a->beat.error, sizeof(a->beat.error), "%s", err.msg);
	} else {
		use(a, c);
		ebb_app_note(a->app, "agent: configuration reloaded");
		note_next(a);
	}
	ebb_notify_send("READY=1\n");
}

/* In the child: the same file anew, for the prices of today. One that was changed without a SIGHUP is not used. */
static void refresh(struct ebb_app *app)
{
	struct ebb_config *c = NULL;

	if (ebb_config_load(app->config_path, ebb_app_now(app), &c, NULL) < 0)
		return;
	if (memcmp(c->rules_digest, app->config->rules_digest, sizeof(c->rules_digest)) != 0) {
		ebb_app_note(app, "agent: '%s' was changed since it was loaded; SIGHUP makes the agent use it", c->path);
		ebb_config_free(c);
		return;
	}
	ebb_config_free(app->config);
	app->config = c;
}

/* --- Jobs --- */

_Noreturn static void be_job(struct agent *a, enum job job, pid_t parent, const sigset_t *signals)
{
	struct ebb_err err = {0};

	ebb_lock_forget(a->lock);
	close(a->fd);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigprocmask(SIG_UNBLOCK, signals, NULL);
	if (getppid() != parent) /* it died before the line above */
		_exit(EBB_EXIT_INTERRUPTED);
	refresh(a->app);
	int r = job == NIGHT ? ebb_night_run(a->app, false, &err) : ebb_relief_run(a->app, false, &err);
	if (r < 0 && *err.msg)
		fprintf(a->app->err, "ebb: %s\n", err.msg);
	fflush(NULL);
	_exit(ebb_err_exit_of(r));
}

static void signals_of(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGHUP);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGCHLD);
}

static void start(struct agent *a, enum job job)
{
	pid_t parent = getpid();
	sigset_t signals;

	signals_of(&signals);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		be_job(a, job, parent, &signals);
	if (pid < 0) {
		ebb_app_note(a->app, "agent: cannot start a process: %s", strerror(errno));
		a->not_before = a->watch_next = now(a) + MINUTE;
		return;
	}
	a->child = pid;
	a->job = job;
	snprintf(a->beat.kind, sizeof(a->beat.kind), "%s", job == NIGHT ? "run" : "watermark");
	a->beat.started = now(a);
	a->beat.ended = 0;
	a->beat.exit = 0;
	beat(a);
}

/* What the end of a night means for the next one. */
static void night_ended(struct agent *a, int status)
{
	bool crashed = status > 128 && status != EBB_EXIT_INTERRUPTED;

	if (status == EBB_EXIT_INTERRUPTED) /* it is caught up by the next agent, or by this one when somebody else stopped it */
		a->not_before = now(a) + MINUTE;
	else if (status == EBB_EXIT_LOCKED || (crashed && ++a->attempts < ATTEMPTS))
		a->not_before = now(a) + MINUTE;
	else
		a->beat.done_due = a->due;
	if (!crashed)
		a->attempts = 0;
	if (a->beat.done_due != a->due && !a->stopping)
		ebb_app_note(a->app, "agent: the run %s; it is tried again in a minute",
			     crashed ? "crashed" : status == EBB_EXIT_LOCKED ? "was kept out by another" : "was interrupted");
}

static void reap(struct agent *a)
{
	int w;

	if (!a->child || waitpid(a->child, &w, WNOHANG) != a->child)
		return;
	int status = WIFEXITED(w) ? WEXITSTATUS(w) : 128 + WTERMSIG(w);
	enum job job = a->job;
	a->child = 0;
	a->job = NONE;
	a->beat.ended = now(a);
	a->beat.exit = status;
	if (job == NIGHT)
		night_ended(a, status);
	else if (status)
		a->watch_next = now(a) + (status == EBB_EXIT_LOCKED ? MINUTE : RELIEF_PAUSE);
	beat(a);
}

/* Start what is due, if anything. */
static void look(struct agent *a)
{
	char which[EBB_INDEX_NAME_MAX + 32], at[EBB_UNITS_TEXT];
	int64_t t = now(a);
	int64_t due = last_due(a);

	if (a->job || a->stopping)
		return;
	if (due > a->beat.done_due && t >= a->not_before) {
		if (due != a->due)
			a->attempts = 0;
		a->due = due;
		ebb_app_note(a->app, "agent: the run that was due at %s begins",
			     ebb_units_exact_time(due - due % EBB_CLOCK_SECOND, at));
		start(a, NIGHT);
	} else if (t >= a->watch_next) {
		a->watch_next = t + conf(a)->watch;
		if (ebb_relief_needed(a->app->config, which, sizeof(which))) {
			ebb_app_note(a->app, "agent: above the watermark: %s", which);
			start(a, RELIEF);
		}
	}
}

/* --- Waiting --- */

static void handle(struct agent *a, uint32_t sig)
{
	if (sig == SIGHUP) {
		reload(a);
		beat(a);
	} else if (sig == SIGTERM || sig == SIGINT) {
		a->stopping = true;
		ebb_notify_send("STOPPING=1\n");
		if (a->child) {
			ebb_app_note(a->app, "agent: stops when the %s has come to the end of an object", a->beat.kind);
			kill(a->child, SIGTERM);
		}
		beat(a);
	}
}

/* ns until something is to be done, at most a minute. A clock that tests move is asked often. */
static int64_t rest(const struct agent *a)
{
	int64_t t = now(a), most = a->app->clock == &ebb_clock_real ? MINUTE : EBB_CLOCK_SECOND / 20;
	int64_t next = conf(a)->scheduled ? ebb_schedule_after(&conf(a)->schedule, a->seed, t) : INT64_MAX;

	if (a->watchdog && a->watchdog < most)
		most = a->watchdog;
	if (a->job)
		return most;
	if (watches(a->app->config) && a->watch_next < next)
		next = a->watch_next;
	if (a->not_before > t && a->not_before < next)
		next = a->not_before;
	int64_t left = next - t;
	return left < EBB_CLOCK_SECOND / 100 ? EBB_CLOCK_SECOND / 100 : left < most ? left : most;
}

static void loop(struct agent *a)
{
	int64_t told = ebb_clock_monotonic();

	while (!a->stopping || a->child) {
		struct pollfd p = {.fd = a->fd, .events = POLLIN};
		struct signalfd_siginfo s;

		look(a);
		int64_t ns = rest(a);
		struct timespec t = {.tv_sec = ns / EBB_CLOCK_SECOND, .tv_nsec = ns % EBB_CLOCK_SECOND};
		int n = ppoll(&p, 1, &t, NULL);
		while (n > 0 && read(a->fd, &s, sizeof(s)) == (ssize_t)sizeof(s))
			handle(a, s.ssi_signo);
		reap(a);
		/* with the machine's clock every round is a beat: there is one a minute */
		if (ebb_clock_monotonic() - told >= (a->watchdog && a->watchdog < MINUTE ? a->watchdog / 2 : MINUTE / 2)) {
			told = ebb_clock_monotonic();
			beat(a);
		}
	}
}

/* --- The whole --- */

static int prepare(struct agent *a, struct ebb_err *err)
{
	char dir[4096], host[65] = "", cwd_path[4096];
	struct ebb_beat before;
	sigset_t signals;

	if (snprintf(dir, sizeof(dir), "%s/agent", a->app->index_dir) >= (int)sizeof(dir))
		return ebb_err_set(err, EBB_EINDEX, "the path of the index is too long");
	int r = ebb_app_index_dir(a->app, err);
	if (r < 0)
		return r;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return ebb_err_sys(err, errno, "cannot create '%s'", dir);
	if ((r = ebb_lock_take(dir, "ebb agent", now(a), &a->lock, err)) < 0)
		return r;
	gethostname(host, sizeof(host) - 1);
	a->seed = ebb_schedule_seed(host);
	a->beat.done_due = INT64_MIN;
	if (ebb_beat_read(a->app->index_dir, &before))
		a->beat.done_due = before.done_due;
	/* the first agent of an index has nothing to catch up */
	if (a->beat.done_due == INT64_MIN)
		a->beat.done_due = conf(a)->scheduled ? last_due(a) : now(a);
	snprintf(a->beat.config, sizeof(a->beat.config), "%s",
		 realpath(a->app->config_path, cwd_path) ? cwd_path : a->app->config_path);
	a->beat.loaded = a->watch_next = now(a);
	a->watchdog = ebb_notify_watchdog();
	signals_of(&signals);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) || (a->fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return ebb_err_sys(err, errno, "cannot wait for signals");
	return 0;
}

int ebb_daemon_run(struct ebb_app *app, struct ebb_err *err)
{
	struct agent a = {.app = app, .fd = -1};
	int r = ebb_app_config(app, err);

	if (r == 0)
		r = check(app->config, err);
	if (r == 0)
		r = prepare(&a, err);
	if (r == 0) {
		ebb_app_note(app, "agent: ready, process %ld", (long)getpid());
		note_next(&a);
		beat(&a);
		ebb_notify_send("READY=1\n");
		loop(&a);
		beat(&a);
		ebb_app_note(app, "agent: stopped");
	}
	if (a.fd >= 0)
		close(a.fd);
	ebb_lock_release(a.lock);
	return r;
}
