/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/nightlog.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/out.h"
#include "core/units.h"

/* --- Which is worse --- */

int ebb_nightlog_worse(int a, int b)
{
	/* worst first: what stopped everything, what keeps the next night from working, what somebody must decide, what is told */
	static const int order[] = {
		EBB_EXIT_INTERRUPTED, EBB_EXIT_INDEX, EBB_EXIT_CONFIG, EBB_EXIT_STORE, EBB_EXIT_LOCKED, EBB_EXIT_STALE,
		EBB_EXIT_USAGE,	      EBB_EXIT_LIMIT, EBB_EXIT_ALERT,  EBB_EXIT_PARTIAL, EBB_EXIT_OK,
	};
	int x = ebb_err_exit_of(a), y = ebb_err_exit_of(b);

	for (size_t i = 0; i < EBB_ARRAY_LEN(order); i++)
		if (x == order[i] || y == order[i])
			return x == order[i] ? a : b;
	return a ? a : b;
}

/* --- Files --- */

static int make_dir(const char *path, struct ebb_err *err)
{
	return mkdir(path, 0700) && errno != EEXIST ? ebb_err_sys(err, errno, "cannot create '%s'", path) : 0;
}

/* A name that no other night has: two within a second are numbered. */
static int name_night(struct ebb_nightlog *n, const char *dir, struct ebb_err *err)
{
	time_t t = (time_t)(n->started / EBB_CLOCK_SECOND);
	char stamp[20];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (int i = 1; i < 10000; i++) {
		char *path = NULL;

		if (i == 1)
			snprintf(n->id, sizeof(n->id), "%s", stamp);
		else
			snprintf(n->id, sizeof(n->id), "%s-%d", stamp, i);
		free(n->base);
		if (asprintf(&n->base, "%s/%s", dir, n->id) < 0) {
			n->base = NULL;
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		}
		if (asprintf(&path, "%s.log", n->base) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		n->log = n->dry ? NULL : fopen(path, "wxe");
		free(path);
		if (n->log || n->dry)
			return 0;
		if (errno != EEXIST)
			return ebb_err_sys(err, errno, "cannot write '%s.log'", n->base);
	}
	return ebb_err_set(err, EBB_EINDEX, "too many nights within one second in '%s'", dir);
}

static int is_summary(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && strcmp(e->d_name + n - 5, ".json") == 0;
}

/* Names are times, so the oldest come first. What cannot be removed stays. */
static void prune(const char *dir)
{
	struct dirent **v = NULL;
	int n = scandir(dir, &v, is_summary, alphasort);

	for (int i = 0; i < n; i++) {
		static const char *const ends[] = {"json", "log"};

		for (size_t k = 0; i + EBB_NIGHTLOG_KEEP < n && k < EBB_ARRAY_LEN(ends); k++) {
			EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
			int len = (int)strlen(v[i]->d_name) - 4;

			if (asprintf(&path, "%s/%.*s%s", dir, len, v[i]->d_name, ends[k]) < 0)
				path = NULL;
			if (path)
				unlink(path);
		}
		free(v[i]);
	}
	free(v);
}

int ebb_nightlog_begin(struct ebb_nightlog *n, struct ebb_app *app, const char *kind, bool dry, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;

	*n = (struct ebb_nightlog){
		.app = app, .kind = kind, .dry = dry, .out = app->out, .err = app->err, .json = app->json,
		.started = ebb_app_now(app), .clock = ebb_clock_monotonic(), .steps = json_array(),
	};
	if (asprintf(&dir, "%s/nights", app->index_dir) < 0 || !n->steps)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int r = dry ? 0 : make_dir(dir, err);
	if (r == 0)
		r = name_night(n, dir, err);
	if (r < 0)
		return r;
	if (!dry)
		prune(dir);
	/* a dry night shows people what the steps say; programs get the summary only */
	if (dry && app->json && !(n->log = fopen("/dev/null", "we")))
		return ebb_err_sys(err, errno, "cannot open '/dev/null'");
	if (n->log) {
		app->out = app->err = n->log;
		app->json = false;
	}
	return 0;
}

void ebb_nightlog_release(struct ebb_nightlog *n)
{
	if (n->app && n->out) {
		n->app->out = n->out;
		n->app->err = n->err;
		n->app->json = n->json;
	}
	if (n->log)
		fclose(n->log);
	json_decref(n->steps);
	free(n->base);
	*n = (struct ebb_nightlog){0};
}

/* --- Steps --- */

void ebb_nightlog_step(struct ebb_nightlog *n, const char *name, const char *what, int code, json_t *facts,
		       const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n->worst = ebb_nightlog_worse(n->worst, code);
	if (n->log) {
		fprintf(n->log, "== %s%s%s: %s\n", name, *what ? " " : "", what, text);
		fflush(n->log);
	}
	if (!n->app->quiet || (code && ebb_err_exit_of(code) != EBB_EXIT_PARTIAL))
		fprintf(n->err, "  %-8s %s%s%s\n", name, what, *what ? ": " : "", text);
	json_t *o = json_pack("{s:s, s:i}", "step", name, "exit", ebb_err_exit_of(code));
	if (o && *what)
		json_object_set_new(o, "store", json_string(what));
	if (o)
		ebb_out_json_bytes(o, "text", text, strlen(text));
	if (o && facts)
		json_object_update(o, facts);
	json_decref(facts);
	json_array_append_new(n->steps, o);
}

void ebb_nightlog_hush(struct ebb_nightlog *n)
{
	if (!n->log && (n->log = fopen("/dev/null", "we")))
		n->app->out = n->log;
}

static int write_summary(struct ebb_nightlog *n, json_t *o, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL, *tmp = NULL;

	if (asprintf(&path, "%s.json", n->base) < 0 || asprintf(&tmp, "%s.tmp", n->base) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	FILE *f = fopen(tmp, "we");
	int bad = !f || json_dumpf(o, f, JSON_COMPACT) || fputc('\n', f) == EOF;
	if (f && fclose(f))
		bad = 1;
	return bad || rename(tmp, path) ? ebb_err_sys(err, errno, "cannot write '%s'", path) : 0;
}

int ebb_nightlog_end(struct ebb_nightlog *n, struct ebb_err *err)
{
	int status = ebb_err_exit_of(n->worst), r = 0;
	double seconds = (double)(ebb_clock_monotonic() - n->clock) / 1e9;
	json_t *o = json_pack("{s:s, s:s, s:b, s:i, s:I, s:O}", "night", n->id, "kind", n->kind, "dry_run", n->dry, "exit",
			      status, "done", (json_int_t)n->done, "steps", n->steps);

	if (!o || ebb_out_json_time(o, "started", n->started) || ebb_out_json_time(o, "ended", ebb_app_now(n->app)) ||
	    json_object_set_new(o, "elapsed_ms", json_integer((json_int_t)(seconds * 1000))))
		r = ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (r == 0 && !n->dry)
		r = write_summary(n, o, err);
	if (r == 0 && n->json)
		r = ebb_out_json(n->out, json_incref(o), err);
	json_decref(o);
	if (!n->app->quiet)
		fprintf(n->err, "  ended with status %d after %.1f s%s%s%s\n", status, seconds, n->dry ? "" : "; ",
			n->dry ? "" : n->base, n->dry ? "" : ".log has it all");
	return r < 0 ? r : n->worst;
}
