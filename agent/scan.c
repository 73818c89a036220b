/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/scan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "agent/keeping.h"
#include "agent/progress.h"
#include "agent/run.h"
#include "core/buf.h"
#include "policies/glob.h"
#include "scanners/list_bucket.h"
#include "scanners/mounts.h"
#include "scanners/store_s3.h"
#include "scanners/walk.h"
#include "core/snap.h"

/* Everything one scan needs in its callbacks. */
struct scan {
	struct ebb_app *app;
	const struct ebb_config_store *store;
	const struct ebb_scan_opts *opts;
	struct ebb_scan_result *ret;
	struct ebb_store_identity id;
	struct ebb_index_store before;	/* generation 0: never scanned */
	struct ebb_store *opened;	/* a bucket, while it is listed */
	struct ebb_list_bucket *bucket;
	int64_t begun;			/* by the real clock, whatever EBB_NOW says */
	struct ebb_merge *merge;
	struct ebb_progress progress;
	uint64_t done;
	struct ebb_arena arena;
	struct ebb_glob **glob;		/* what to leave out */
	size_t nglobs;
	char **inner;			/* folders, as keys, that are stores of their own or the index */
	size_t ninner;
};

void ebb_scan_result_release(struct ebb_scan_result *r)
{
	for (size_t i = 0; i < r->nnamed; i++)
		free(r->named[i]);
	r->nnamed = 0;
	ebb_arena_release(&r->arena);
}

/* --- What is left out --- */

/* Temporaries of ebb's own writers, wherever they are. */
static bool is_temporary(const char *key, size_t len)
{
	static const char prefix[] = ".ebb-tmp.";
	const char *slash = memrchr(key, '/', len);
	const char *base = slash ? slash + 1 : key;

	return ebb_record_key_has_prefix(base, len - (size_t)(base - key), prefix,
					 sizeof(prefix) - 1);
}

static bool exclude(void *ctx, const char *key, size_t len)
{
	const struct scan *s = ctx;

	if (ebb_record_key_has_prefix(key, len, EBB_PROOF_TRASH, strlen(EBB_PROOF_TRASH)) ||
	    is_temporary(key, len))
		return true;
	for (size_t i = 0; i < s->ninner; i++)
		if (ebb_record_key_has_prefix(key, len, s->inner[i], strlen(s->inner[i])))
			return true;
	for (size_t i = 0; i < s->nglobs; i++)
		if (ebb_glob_match(s->glob[i], key, len))
			return true;
	return false;
}

static int add_glob(struct scan *s, const char *text, struct ebb_err *err)
{
	struct ebb_glob **g = realloc(s->glob, (s->nglobs + 1) * sizeof(struct ebb_glob *));
	int r;

	if (!g)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	s->glob = g;
	r = ebb_glob_compile(&s->arena, text, &g[s->nglobs], err);
	if (r)
		return r;
	s->nglobs++;
	return 0;
}

/* Leave the folder @path out when it lies in the store, which is @root. */
static int add_inner(struct scan *s, const char *root, const char *path, struct ebb_err *err)
{
	size_t n = strlen(root);
	char real[PATH_MAX], *key = NULL;

	n = n == 1 ? 0 : n;
	if (!realpath(path, real) || strncmp(real, root, n) || real[n] != '/' || !real[n + 1])
		return 0;
	char **p = realloc(s->inner, (s->ninner + 1) * sizeof(*p));
	if (p)
		s->inner = p;
	if (!p || asprintf(&key, "%s/", real + n + 1) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	p[s->ninner++] = key;
	return 0;
}

/* Leave out what is a store of its own behind a longer prefix of the same bucket. */
static int add_inner_bucket(struct scan *s, const struct ebb_store_config *other, struct ebb_err *err)
{
	const struct ebb_store_config *own = &s->store->open;
	const char *prefix = own->prefix ? own->prefix : "", *longer = other->prefix ? other->prefix : "";
	size_t n = strlen(prefix);

	if (!other->bucket || strcmp(other->bucket, own->bucket) != 0 || strncmp(longer, prefix, n) != 0 ||
	    !longer[n] || (own->endpoint && other->endpoint && strcmp(own->endpoint, other->endpoint) != 0))
		return 0;
	char **p = realloc(s->inner, (s->ninner + 1) * sizeof(*p));
	if (p)
		s->inner = p;
	if (!p || !(p[s->ninner] = strdup(longer + n)))
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	s->ninner++;
	return 0;
}

/* Globs as they were given; other stores, whose objects would count twice; the index, which changes as it is written. */
static int prepare_exclude(struct scan *s, struct ebb_err *err)
{
	const struct ebb_config *c = s->app->config;
	char root[PATH_MAX];
	int r = 0;

	for (size_t i = 0; s->store->exclude && s->store->exclude[i] && !r; i++)
		r = add_glob(s, s->store->exclude[i], err);
	for (size_t i = 0; i < s->opts->nexclude && !r; i++)
		r = add_glob(s, s->opts->exclude[i], err);
	for (size_t i = 0; s->store->open.bucket && i < c->nstores && !r; i++)
		r = add_inner_bucket(s, &c->stores[i].open, err);
	if (r || !s->store->open.path || !realpath(s->store->open.path, root))
		return r;
	r = add_inner(s, root, s->app->index_dir, err);
	for (size_t i = 0; i < c->nstores && !r; i++)
		if (c->stores[i].open.path)
			r = add_inner(s, root, c->stores[i].open.path, err);
	return r;
}

/* --- Doubts --- */

/* Device numbers may change when a machine starts, filesystem ids do not. */
bool ebb_scan_same_root(const struct ebb_index_store *b, const struct ebb_store_identity *id)
{
	if (b->root_ino != id->ino)
		return false;
	if (*b->root_fsid && *id->fsid)
		return strcmp(b->root_fsid, id->fsid) == 0;
	return b->root_dev == id->dev;
}

struct taken {
	int64_t since;
	uint64_t objects;
};

/* An action takes at most one object away, so a run's actions bound what it took, killed or not. */
static int add_taken(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct taken *t = ctx;

	(void)err;
	if (!run->closed || run->ended >= t->since)
		t->objects += (uint64_t)run->actions;
	return 0;
}

/* Objects that runs of ebb may have taken since the last scan. */
static int taken_by_us(const struct ebb_app *app, const struct ebb_index_store *before, uint64_t *ret, struct ebb_err *err)
{
	struct taken own = {.since = before->finished};
	int r = ebb_run_each(app->index_dir, add_taken, &own, err);

	*ret = own.objects;
	return r;
}

static int check_root(const struct scan *s, struct ebb_err *err)
{
	const struct ebb_index_store *b = &s->before;
	const char *name = s->store->open.name, *path = s->store->location;
	uint64_t own = 0;
	int r = s->id.empty && b->generation && ebb_scan_same_root(b, &s->id) ? taken_by_us(s->app, b, &own, err) : 0;

	if (!b->generation || r < 0)
		return r;
	if (s->id.empty && b->objects > own && !s->opts->accept_losses)
		return ebb_err_set(err, EBB_ESTORE,
				   "store '%s': '%s' is empty, but the index holds %llu objects of it; if a mount is missing, mount "
				   "it; if all is really gone, scan with --accept-losses%s",
				   name, path, (unsigned long long)b->objects,
				   ebb_scan_same_root(b, &s->id) ? "" : " --accept-new-root");
	if (!ebb_scan_same_root(b, &s->id) && !s->opts->accept_new_root)
		return ebb_err_set(err, EBB_ESTORE,
				   "store '%s': '%s' is not the folder that the last scan saw (another filesystem, or a missing "
				   "mount); if that is meant, scan with --accept-new-root",
				   name, path);
	return 0;
}

int ebb_scan_check_losses(const struct ebb_app *app, const struct ebb_index_store *before, const struct ebb_merge_stats *st,
			  bool accept, struct ebb_err *err)
{
	const char *store = before->name;
	uint64_t own = 0;

	if (st->old_objects < EBB_SCAN_LOSS_MIN || st->gone <= st->old_objects / 2 || accept)
		return 0;
	int r = taken_by_us(app, before, &own, err);
	if (r < 0 || st->gone <= own || st->gone - own <= st->old_objects / 2)
		return r;
	return ebb_err_set(err, EBB_ESTORE,
			   "store '%s': %llu of %llu objects are gone since the last scan, which looks like a fault; the index "
			   "stays as it was; if they are really gone, scan with --accept-losses",
			   store, (unsigned long long)st->gone, (unsigned long long)st->old_objects);
}

/* --- Evidence --- */

int64_t ebb_scan_evidence_since(const struct ebb_index_store *before, enum ebb_evidence now,
				int64_t started)
{
	if (!before->generation)
		return INT64_MIN;
	/* Relatime is never more than a day behind strict atime: no reason to forget what it has seen. */
	if (before->evidence >= EBB_EVIDENCE_RELATIME || before->evidence >= now)
		return before->evidence_since;
	return started;
}

static void log_begin(const struct scan *s, const struct ebb_mount *m)
{
	const struct ebb_log_field f[] = {
		ebb_log_str("store", s->store->open.name),
		ebb_log_str("root", s->store->location),
		ebb_log_str("mount", m->fstype),
		ebb_log_str("evidence", ebb_record_evidence_name(m->evidence)),
		ebb_log_int("threads", s->opts->threads), /* last: 0 is for the walk to choose */
	};

	ebb_log_write(s->app->log, EBB_LOG_INFO, "scan begun", f,
		      EBB_ARRAY_LEN(f) - (s->opts->threads ? 0 : 1));
}

static int find_evidence(struct scan *s, struct ebb_err *err)
{
	struct ebb_mount m = {.evidence = EBB_EVIDENCE_MTIME};

	if (s->store->open.bucket) { /* buckets tell of writes, never of reads */
		snprintf(m.fstype, sizeof(m.fstype), "%s", s->store->open.type);
		log_begin(s, &m);
		s->ret->evidence = m.evidence;
		s->ret->evidence_since = INT64_MIN;
		return 0;
	}
	int r = ebb_mounts_at(s->store->open.path, &m, err);

	if (r)
		return r;
	log_begin(s, &m);
	s->ret->evidence = m.evidence;
	s->ret->evidence_since =
		ebb_scan_evidence_since(&s->before, m.evidence, ebb_merge_started(s->merge));
	return 0;
}

/* --- Walking --- */

static int on_record(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	struct scan *s = ctx;
	struct ebb_record copy;

	if ((++s->done & 1023) == 0)
		ebb_progress_tick(&s->progress, s->done, s->before.objects, 0);
	if (s->ret->evidence_since == INT64_MIN)
		return ebb_merge_put(s->merge, rec, err);
	copy = *rec;
	ebb_record_set(&copy, EBB_F_WINDOW, s->ret->evidence_since);
	return ebb_merge_put(s->merge, &copy, err);
}

static int on_unreadable(void *ctx, const char *key, size_t len, const char *why,
			 struct ebb_err *err)
{
	struct scan *s = ctx;
	struct ebb_scan_result *ret = s->ret;

	ret->unreadable++;
	if (ret->nnamed < EBB_SCAN_NAMED) {
		char *text = NULL;

		if (asprintf(&text, "%.*s: %s", (int)len, key, why) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		ret->named[ret->nnamed++] = text;
	}
	return ebb_merge_keep(s->merge, key, len, err);
}

/* A record of a listing: its class gets a name in the index; what was changed while the scan ran is marked. */
static int on_listed(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	struct scan *s = ctx;
	struct ebb_record r = *rec;
	const char *class = ebb_record_has(rec, EBB_F_CLASS)
				    ? ebb_list_bucket_class(s->bucket, rec->f[EBB_F_CLASS]) : NULL;

	if (exclude(s, rec->key, ebb_record_plain_len(rec->key, rec->key_len)))
		return 0;
	int rc = class ? ebb_merge_class(s->merge, class, &r.f[EBB_F_CLASS], err) : 0;
	if (rc < 0)
		return rc;
	if (ebb_record_has(&r, EBB_F_CTIME) && r.f[EBB_F_CTIME] >= s->begun)
		ebb_record_set(&r, EBB_F_FLAGS, EBB_FLAG_CHANGING);
	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_MTIME);
	return on_record(s, &r, err);
}

static int list(struct scan *s, struct ebb_err *err)
{
	struct ebb_list_opts o = {
		.requests = s->opts->threads, .max_requests = s->opts->max_requests,
		.cancel = s->app->cancel,
	};
	struct ebb_list_stats stats = {0};
	int r;

	ebb_arena_init(&s->ret->arena, 16 * 1024 * 1024);
	if ((r = ebb_keeping_ask(s->opened, &s->ret->arena, &s->ret->versions, err)) < 0 ||
	    (r = ebb_list_bucket_new(ebb_store_s3_client(s->opened), ebb_store_s3_prefix(s->opened),
				     s->ret->versions.state >= EBB_NONCURRENT_SUSPENDED, &s->bucket, err)) < 0)
		return r;
	o.after = ebb_merge_resume_key(s->merge, &o.after_len);
	s->ret->resumed = o.after_len != 0;
	const struct ebb_list_source source = ebb_list_bucket_source(s->bucket);
	struct ebb_err why = {0};
	r = ebb_list_run(&source, &o, on_listed, s, &stats, &why);
	s->ret->requests = stats.requests;
	ebb_progress_end(&s->progress);
	return r < 0 ? ebb_err_set(err, -r, "store '%s': %s%s", s->store->open.name, why.msg,
				   r == -EBB_ELIMIT ? "; the next scan goes on from here" : "")
		     : 0;
}

static int walk(struct scan *s, struct ebb_err *err)
{
	const char *after = ebb_merge_resume_key(s->merge, NULL);
	struct ebb_walk_opts o = {
		.root = s->store->open.path,
		.threads = s->opts->threads,
		.cross_filesystems = s->opts->cross_filesystems || !s->store->one_file_system,
		.after = after,
		.started = s->begun,
		.exclude = exclude,
		.exclude_ctx = s,
		.cancel = s->app->cancel,
	};
	struct ebb_walk_fns fns = {.record = on_record, .unreadable = on_unreadable, .ctx = s};
	s->ret->resumed = after && *after;
	int r = ebb_walk_run(&o, &fns, NULL, err);
	ebb_progress_end(&s->progress);
	return r;
}

/* The walk is done: count, doubt, publish. The merge is gone in every case. */
static int publish(struct scan *s, struct ebb_err *err)
{
	struct ebb_merge *m = s->merge;
	int r = ebb_merge_finish(m, &s->ret->stats, err);

	s->merge = NULL;
	if (r) {
		ebb_merge_abandon(m, false);
		return r;
	}
	r = ebb_scan_check_losses(s->app, &s->before, &s->ret->stats, s->opts->accept_losses, err);
	if (r) {
		ebb_merge_abandon(m, true);
		return r;
	}
	struct ebb_merge_facts facts = {
		.finished = ebb_app_now(s->app),
		.evidence = (uint16_t)s->ret->evidence,
		.evidence_since = s->ret->evidence_since,
		.root_dev = s->id.dev,
		.root_ino = s->id.ino,
		.root_fsid = s->id.fsid,
		.unreadable = s->ret->unreadable,
	};
	return ebb_merge_publish(m, &facts, err);
}

/* What the index says of the store before this scan; a store it does not know has generation 0. */
static int look_before(struct scan *s, struct ebb_index *ix, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	struct ebb_err e = {0};
	int r = ebb_snap_open(ix, &snap, err);

	if (r)
		return r;
	r = ebb_snap_store(snap, s->store->open.name, &s->before, &e);
	if (r && r != -EBB_ENOENT)
		return ebb_err_set(err, e.code, "%s", e.msg);
	return 0;
}

static int identify(struct scan *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *store = NULL;
	const struct ebb_config *c = s->app->config;
	int r = ebb_store_open(&s->store->open, &store, err);
	size_t len = err ? strlen(err->msg) : 0;

	if (r == -EBB_ESTORE && err)
		snprintf(err->msg + len, sizeof(err->msg) - len, " (%s:%d)", c->path,
			 c->rule_stores[s->store - c->stores].line);
	r = r ? r : ebb_store_identify(store, &s->id, err);
	if (r == 0 && ebb_store_s3_client(store)) {
		s->opened = store;
		store = NULL;
	}
	return r;
}

static void log_end(const struct scan *s)
{
	const struct ebb_log_field f[] = {
		ebb_log_str("store", s->store->open.name),
		ebb_log_int("objects", (int64_t)s->ret->stats.objects),
		ebb_log_int("bytes", (int64_t)s->ret->stats.bytes),
		ebb_log_int("unreadable", (int64_t)s->ret->unreadable),
	};

	ebb_log_write(s->app->log, EBB_LOG_INFO, "scan ended", f, EBB_ARRAY_LEN(f));
}

static int run(struct scan *s, struct ebb_index *ix, struct ebb_err *err)
{
	int r = prepare_exclude(s, err);

	if (!r)
		r = identify(s, err);
	if (!r)
		r = look_before(s, ix, err);
	if (!r)
		r = check_root(s, err);
	if (r)
		return r;
	struct ebb_merge_opts mo = {
		.store = s->store->open.name,
		.restart = s->opts->restart,
		.now = ebb_app_now(s->app),
	};
	r = ebb_merge_begin(ix, &mo, &s->merge, err);
	if (!r)
		r = find_evidence(s, err);
	if (!r)
		r = s->opened ? list(s, err) : walk(s, err);
	if (!r)
		r = publish(s, err);
	if (!r)
		log_end(s);
	return r;
}

int ebb_scan_store(struct ebb_app *app, struct ebb_index *ix, const struct ebb_config_store *store,
		   const struct ebb_scan_opts *opts, struct ebb_scan_result *ret,
		   struct ebb_err *err)
{
	struct scan s = {.app = app, .store = store, .opts = opts, .ret = ret,
			 .begun = ebb_clock_now(&ebb_clock_real)};
	char what[EBB_INDEX_NAME_MAX + 8];

	snprintf(what, sizeof(what), "scan %s", store->open.name);
	ebb_progress_start(&s.progress, app->err, app->quiet, what, "objects");
	ebb_arena_init(&s.arena, 16 * 1024 * 1024);
	int r = run(&s, ix, err);
	ebb_merge_abandon(s.merge, false);
	ret->elapsed = ebb_progress_elapsed(&s.progress);
	ebb_list_bucket_free(s.bucket);
	ebb_store_close(s.opened);
	ebb_arena_release(&s.arena);
	free(s.glob);
	for (size_t i = 0; i < s.ninner; i++)
		free(s.inner[i]);
	free(s.inner);
	return r;
}
