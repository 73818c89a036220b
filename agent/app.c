/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/app.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/cli.h"
#include "agent/out.h"
#include "core/units.h"

static atomic_bool cancel;

/* The first signal asks the run to stop at the next object, the second ends it at once; the journal copes with both. */
static void on_signal(int sig)
{
	(void)sig;
	if (atomic_exchange(&cancel, true))
		_exit(EBB_EXIT_INTERRUPTED);
}

static void take_signals(void)
{
	struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigemptyset(&stop.sa_mask);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	/* A reader that went away shows as a write error; it must not kill a run that changes stores. */
	sigaction(SIGPIPE, &ignore, NULL);
}

static char *default_index(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *dir = NULL;
	int n;

	if (state && *state == '/')
		n = asprintf(&dir, "%s/ebb", state);
	else
		n = asprintf(&dir, "%s/.local/state/ebb", home && *home ? home : "");
	return n < 0 ? NULL : dir;
}

/* What the file says that EBB_CLOCK names, or what it said before while it is being written. */
static int64_t read_clock(const struct ebb_clock *clock)
{
	static atomic_llong last;
	char text[64] = "";
	int64_t ns;

	(void)clock;
	EBB_CLEANUP(ebb_mem_closep) int fd = open(getenv("EBB_CLOCK"), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? strcspn(text, "\n") : 0] = 0;
	if (ebb_units_parse_time(text, &ns, NULL) == 0)
		last = ns;
	return last;
}

/* EBB_NOW fixes the clock, EBB_CLOCK lets tests move it. */
static int set_clock(struct ebb_app *app, struct ebb_err *err)
{
	const char *now = getenv("EBB_NOW"), *file = getenv("EBB_CLOCK");
	int64_t ns = 0;

	app->clock = &ebb_clock_real;
	if (file && *file) {
		app->fixed = (struct ebb_clock){.now = read_clock};
		app->clock = &app->fixed;
		return 0;
	}
	if (!now || !*now)
		return 0;
	if (ebb_units_parse_time(now, &ns, err)) {
		ebb_err_wrap(err, "EBB_NOW");
		if (err)
			err->code = EBB_EUSAGE;
		return -EBB_EUSAGE;
	}
	app->fixed = ebb_clock_fixed(ns);
	app->clock = &app->fixed;
	return 0;
}

static void to_stderr(void *context, enum ebb_log_level level, const char *line, size_t len)
{
	(void)context;
	(void)level;
	fwrite(line, 1, len, stderr);
}

static void set_log(struct ebb_app *app, const struct ebb_cli_args *args)
{
	ebb_log_init(&app->log_stderr, ebb_cli_flag(args, "verbose") ? EBB_LOG_DEBUG : EBB_LOG_WARN,
		     ebb_cli_flag(args, "log-json") ? EBB_LOG_JSON : EBB_LOG_TEXT, app->clock, to_stderr,
		     NULL);
	app->log = &app->log_stderr;
}

int ebb_app_init(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *config = ebb_cli_string(args, "config"), *index = ebb_cli_string(args, "index");

	*app = (struct ebb_app){
		.config_path = config ? config : "ebb.yaml",
		.config_named = config != NULL,
		.json = ebb_cli_flag(args, "json"),
		.quiet = ebb_cli_flag(args, "quiet"),
		.out = ebb_out_standard(),
		.err = stderr,
		.cancel = &cancel,
	};
	take_signals();
	app->index_dir = index ? strdup(index) : default_index();
	if (!app->index_dir)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int r = set_clock(app, err);
	if (!r)
		set_log(app, args);
	return r;
}

void ebb_app_release(struct ebb_app *app)
{
	if (app->log)
		ebb_log_release(app->log);
	ebb_config_free(app->config);
	ebb_names_free(app->names);
	free(app->index_dir);
	app->log = NULL;
	app->config = NULL;
	app->names = NULL;
	app->index_dir = NULL;
}

/* A failed system call told of a file: what it means to the program is another code. */
static int as(int code, struct ebb_err *err)
{
	if (err)
		err->code = code;
	return -code;
}

static void log_file(const struct ebb_app *app, const char *msg, const char *key, const char *path)
{
	ebb_log_write(app->log, EBB_LOG_INFO, msg, (struct ebb_log_field[]){ebb_log_str(key, path)}, 1);
}

/* Windows and the schedule mean the same hours, in every command. */
void ebb_app_zone(const struct ebb_app *app)
{
	static char *machine;	/* TZ as it was, "" for none */
	const char *zone = app->config->night.zone, *tz = getenv("TZ");

	if (!zone && !machine)
		return;
	if (!machine && !(machine = strdup(tz ? tz : "")))
		return;
	if (zone || *machine)
		setenv("TZ", zone ? zone : machine, 1);
	else
		unsetenv("TZ");
	tzset();
}

int ebb_app_config(struct ebb_app *app, struct ebb_err *err)
{
	if (app->config)
		return 0;
	int r = ebb_config_load(app->config_path, ebb_app_now(app), &app->config, err);
	if (r == -EBB_ENOENT && err) {
		err->code = EBB_ECONFIG;
		if (strlen(err->msg) < sizeof(err->msg) - 80)
			strcat(err->msg, "; 'ebb init DIR > ebb.yaml' makes one");
		return -EBB_ECONFIG;
	}
	if (r == 0)
		log_file(app, "configuration loaded", "path", app->config_path);
	if (r == 0)
		ebb_app_zone(app);
	/* A file that cannot be read is as bad as one that is missing. */
	return r == 0 || r == -EBB_ENOMEM ? r : as(EBB_ECONFIG, err);
}

int ebb_app_config_optional(struct ebb_app *app, struct ebb_err *err)
{
	if (!app->config_named && access(app->config_path, F_OK) && errno == ENOENT)
		return 0;
	return ebb_app_config(app, err);
}

int ebb_app_index_dir(const struct ebb_app *app, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = strdup(app->index_dir);

	if (!path)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (char *p = path + 1; *path; p++) {
		if (*p && *p != '/')
			continue;
		char c = *p;
		*p = 0;
		if (mkdir(path, 0700) && errno != EEXIST) {
			ebb_err_sys(err, errno, "cannot make the folder of the index, '%s'", path);
			return as(EBB_EINDEX, err);
		}
		*p = c;
		if (!c)
			break;
	}
	return 0;
}

int ebb_app_index(struct ebb_app *app, bool readonly, struct ebb_index **ret, struct ebb_err *err)
{
	struct ebb_index_opts opts = {.readonly = readonly};
	struct ebb_err e = {0};
	int r = readonly ? 0 : ebb_app_index_dir(app, err);

	if (r)
		return r;
	r = ebb_index_open(app->index_dir, &opts, ret, &e);
	if (r == -EBB_ENOENT && e.sys != ENOTDIR)
		return ebb_err_set(err, EBB_EINDEX, "there is no index in '%s': run 'ebb scan'",
				   app->index_dir);
	if (r == -EBB_ENOENT || r == -EBB_EACCES || r == -EBB_EIO || r == -EBB_ENOSPC)
		e.code = EBB_EINDEX;
	if (r == 0)
		log_file(app, readonly ? "index opened to read" : "index opened to write", "dir", app->index_dir);
	return r ? ebb_err_set(err, e.code, "%s", e.msg) : 0;
}

int ebb_app_snap(struct ebb_app *app, struct ebb_index *ix, struct ebb_snap **ret,
		 struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *s = NULL;
	struct ebb_names *names = NULL;
	int r = ebb_snap_open(ix, &s, err);

	if (!r)
		r = ebb_names_read(s, &names, err);
	if (r)
		return r;
	if (app->config)
		ebb_rules_use_names(app->config->rules, names);
	ebb_names_free(app->names);
	app->names = names;
	*ret = s;
	s = NULL;
	return 0;
}

int ebb_app_lock(struct ebb_app *app, const char *command, struct ebb_lock **ret,
		 struct ebb_err *err)
{
	if (app->locked) {
		*ret = NULL;
		return 0;
	}
	int r = ebb_app_index_dir(app, err);

	if (r)
		return r;
	r = ebb_lock_take(app->index_dir, command, ebb_app_now(app), ret, err);
	if (r == 0)
		log_file(app, "lock taken", "command", command);
	return r == 0 || r == -EBB_ELOCKED || r == -EBB_ENOMEM ? r : as(EBB_EINDEX, err);
}

int64_t ebb_app_now(const struct ebb_app *app)
{
	return ebb_clock_now(app->clock);
}

void ebb_app_note(const struct ebb_app *app, const char *fmt, ...)
{
	va_list ap;

	if (app->quiet)
		return;
	va_start(ap, fmt);
	fputs("ebb: ", app->err);
	vfprintf(app->err, fmt, ap);
	fputc('\n', app->err);
	va_end(ap);
}

int ebb_app_cancelled(const struct ebb_app *app, struct ebb_err *err)
{
	return atomic_load_explicit(app->cancel, memory_order_relaxed)
		       ? ebb_err_set(err, EBB_ECANCELLED, "interrupted")
		       : 0;
}
