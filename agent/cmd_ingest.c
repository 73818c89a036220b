/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb ingest: what access logs tell of reads. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/cli.h"
#include "agent/ingest.h"
#include "agent/out.h"
#include "agent/progress.h"
#include "core/units.h"

/* Damaged records that are named. */
#define NAMED 5

/* Folders below folders of logs. */
#define DEPTH_MAX 16

struct ingesting {
	struct ebb_app *app;
	struct ebb_ingest *g;
	const struct ebb_accesslog_format *format;
	const char *file;		/* being read */
	uint64_t files, failed, named;
	struct ebb_accesslog_stats stats;
	struct ebb_progress progress;
};

static void on_damaged(void *ctx, uint64_t line)
{
	struct ingesting *in = ctx;

	if (in->named++ < NAMED)
		fprintf(in->app->err, "ebb: %s:%llu: cannot read this record\n", in->file, (unsigned long long)line);
}

static int on_event(void *ctx, const struct ebb_accesslog_event *e, struct ebb_err *err)
{
	struct ingesting *in = ctx;

	return ebb_ingest_event(in->g, e, err);
}

/* A file that cannot be read is told, and the others get their turn; what the index says ends the run. */
static int read_fd(struct ingesting *in, int fd, const char *name, struct ebb_err *err)
{
	const struct ebb_accesslog_fns fns = {.event = on_event, .damaged = on_damaged, .ctx = in};
	struct ebb_err e = {0};
	int r;

	in->file = name;
	in->files++;
	ebb_progress_tick(&in->progress, in->stats.records, 0, 0);
	r = ebb_accesslog_read(fd, in->format, &fns, &in->stats, &e);
	if (r == 0)
		return 0;
	if (r != -EBB_EINVAL && r != -EBB_ECORRUPT && r != -EBB_EIO)
		return ebb_err_set(err, e.code, "%s", e.msg);
	fprintf(in->app->err, "ebb: '%s': %s\n", name, e.msg);
	in->failed++;
	return 0;
}

static int read_path(struct ingesting *in, const char *path, int depth, struct ebb_err *err);

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* All files of a folder, by name. */
static int read_folder(struct ingesting *in, const char *path, int depth, struct ebb_err *err)
{
	struct dirent **list;
	int n = depth < DEPTH_MAX ? scandir(path, &list, visible, alphasort) : 0;
	int r = 0;

	if (n < 0) {
		fprintf(in->app->err, "ebb: cannot read folder '%s': %s\n", path, strerror(errno));
		in->failed++;
		return 0;
	}
	for (int i = 0; i < n; i++) {
		char *inner = NULL;

		if (r == 0 && asprintf(&inner, "%s/%s", path, list[i]->d_name) < 0)
			r = ebb_err_set(err, EBB_ENOMEM, "out of memory");
		if (r == 0)
			r = read_path(in, inner, depth + 1, err);
		free(inner);
		free(list[i]);
	}
	if (n > 0)
		free(list);
	return r;
}

static int read_path(struct ingesting *in, const char *path, int depth, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	struct stat st;
	int r = ebb_app_cancelled(in->app, err);

	if (r)
		return r;
	if (strcmp(path, "-") == 0 && depth == 0)
		return read_fd(in, STDIN_FILENO, "(stdin)", err);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		fprintf(in->app->err, "ebb: cannot read '%s': %s\n", path, strerror(errno));
		in->failed++;
		return 0;
	}
	return S_ISDIR(st.st_mode) ? read_folder(in, path, depth, err) : read_fd(in, fd, path, err);
}

static int print_json(struct ebb_app *app, const char *store, const struct ebb_access_stats *s, bool applied,
		      struct ebb_err *err)
{
	json_t *o = json_pack("{ss sI sI sI sI sb sb sb}", "store", store, "reads", (json_int_t)s->counted, "known",
			      (json_int_t)s->known, "uncounted", (json_int_t)s->uncounted, "keys",
			      (json_int_t)s->keys, "hole", s->hole, "changed", s->changed, "applied", applied);

	if (s->window) {
		ebb_out_json_time(o, "since", s->since);
		ebb_out_json_time(o, "until", s->until);
	}
	return ebb_out_json(app->out, o, err);
}

static int on_store(void *ctx, const char *store, const struct ebb_access_stats *s, bool applied,
		    struct ebb_err *err)
{
	struct ingesting *in = ctx;
	FILE *f = in->app->out;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], since[EBB_UNITS_TEXT], until[EBB_UNITS_TEXT];

	if (in->app->json)
		return print_json(in->app, store, s, applied, err);
	fprintf(f, "%s%s%s: %s of %s", ebb_out_bold(f), store, ebb_out_plain(f),
		ebb_out_things(s->counted, "read", a), ebb_out_things(s->keys, "object", b));
	if (s->known)
		fprintf(f, ", %s counted before", ebb_out_count(s->known, a));
	if (s->uncounted)
		fprintf(f, ", %s too old to be counted", ebb_out_count(s->uncounted, a));
	if (s->window)
		fprintf(f, "\n  logs cover %s to %s", ebb_units_exact_time(s->since, since),
			ebb_units_exact_time(s->until, until));
	if (s->hole)
		fputs("\n  a hole in the logs ends what was known before: reads are counted anew behind it", f);
	if (!applied)
		fprintf(f, "\n  not scanned to the end yet: the next 'ebb scan %s' applies it", store);
	fputc('\n', f);
	return ebb_out_flush(f, err);
}

static int print_totals(struct ingesting *in, struct ebb_err *err)
{
	const struct ebb_ingest_totals *t = ebb_ingest_totals(in->g);
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	if (in->app->json)
		return ebb_out_json(in->app->out,
				    json_pack("{sI sI sI sI sI sI}", "files", (json_int_t)in->files, "failed",
					      (json_int_t)in->failed, "records", (json_int_t)in->stats.records,
					      "damaged", (json_int_t)in->stats.damaged, "own", (json_int_t)t->own,
					      "unmapped", (json_int_t)t->unmapped),
				    err);
	if (in->stats.damaged)
		fprintf(in->app->err, "ebb: %s of %s could not be read\n", ebb_out_count(in->stats.damaged, a),
			ebb_out_things(in->stats.records + in->stats.damaged, "record", b));
	if (t->own)
		ebb_app_note(in->app, "%s by ebb itself left out", ebb_out_things(t->own, "read", a));
	if (t->unmapped)
		ebb_app_note(in->app, "%s of no store left out; --map SOURCE/PATH=STORE says what is one",
			     ebb_out_things(t->unmapped, "read", a));
	return 0;
}

static int ingest(struct ingesting *in, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *const *maps;
	size_t nmaps = ebb_cli_list(args, "map", &maps);
	int r = ebb_ingest_map_stores(in->g, err);

	for (size_t i = 0; i < nmaps && !r; i++)
		r = ebb_ingest_map(in->g, maps[i], err);
	ebb_progress_start(&in->progress, in->app->err, in->app->quiet, "ingest", "records");
	for (int i = 0; i < ebb_cli_argc(args) && !r; i++)
		r = read_path(in, ebb_cli_arg(args, i), 0, err);
	ebb_progress_end(&in->progress);
	if (!r)
		r = ebb_ingest_end(in->g, on_store, in, err);
	if (!r)
		r = print_totals(in, err);
	return r ? r : in->failed ? -EBB_EPARTIAL : 0;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_ingest_freep) struct ebb_ingest *g = NULL;
	const char *format = ebb_cli_string(args, "format");
	struct ingesting in = {.app = app, .format = format ? ebb_accesslog_find(format) : NULL};
	int r = ebb_app_config(app, err);

	if (!r)
		r = ebb_app_lock(app, "ebb ingest", &lock, err);
	if (!r)
		r = ebb_app_index(app, false, &ix, err);
	if (r)
		return r;
	in.g = g = ebb_ingest_new(app, ix, ebb_cli_number(args, "gap", 0));
	return g ? ingest(&in, args, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static const struct ebb_cli_option options[] = {
	{"format", 'f', EBB_CLI_CHOICE, "s3|cloudtrail|rgw|web", "what the logs are (default: found)"},
	{"map", 'm', EBB_CLI_LIST, "SOURCE/PATH=STORE",
	 "what a log calls SOURCE/PATH... is an object of a store; may be given again"},
	{"gap", 'g', EBB_CLI_DURATION, "DURATION", "longest pause in the logs that is no hole (default: 1d)"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"store", "string", "name of a store; one object per store that the logs tell of"},
	{"reads, known, uncounted", "number", "reads that are new, that were counted before, that are too old to be counted"},
	{"keys", "number", "objects that were read"},
	{"since, until", "string", "what the logs cover, all that were ever ingested together"},
	{"hole", "boolean", "whether a hole ended what was covered before"},
	{"changed", "boolean", "whether the logs told anything new"},
	{"applied", "boolean", "whether the records of the index know it already; else the next scan tells them"},
	{"files, failed", "number", "in the last object: logs read, and logs that could not be read"},
	{"records, damaged", "number", "records read, and records that could not be read"},
	{"own, unmapped", "number", "reads by ebb itself, and of no store"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb ingest /var/log/s3/2026-11-26/", "a day of S3 server access logs",
	"ebb ingest --map cdn.example.com/files/=scratch access.log access.log.1.gz", "a web server in front of a folder",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_ingest;
const struct ebb_cli_command ebb_cmd_ingest = {
	.name = "ingest",
	.summary = "add what access logs tell of reads",
	.usage = "LOG...",
	.description =
		"Reads access logs and remembers when each object was last read, how often, and what time the logs cover.\n"
		"S3 server access logs, CloudTrail data events, operation logs of Ceph RGW and web-server logs (common, combined)\n"
		"are told apart by themselves; gzip too.\nLOG is a file, a folder of files, or - for stdin.\n"
		"\n"
		"A bucket of the configuration is found by its name.\nWhat a web server calls an object is said by --map: with\n"
		"/files/=scratch, GET /files/a/b is a read of a/b in store scratch; with host/files/=scratch only on that host, and\n"
		"with =scratch:runs/ it is a read of runs/a/b.\n"
		"\n"
		"A successful GET is a read, in part too; HEAD, listings and writes are not, nor what ebb itself reads.\n"
		"The same line counts once, however often and in whatever files it comes.\n"
		"Records that cannot be read are counted, and the first of them named.\n"
		"\n"
		"Logs may lose lines.\nSo they prove when an object was read, and never that it was idle: rules that can be taken\n"
		"back (tier, compress) act on what they say, delete only with trust: logs.\n"
		"\n"
		"A pause in the logs longer than --gap is a hole: what was counted before it is forgotten, last reads are not.\n"
		"Old logs are ingested first: lines more than 90 days older than the newest are dated, not counted.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
