/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb verify: stored digests once more, a share of them each day; and the copies of a run against its journal. */
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/out.h"
#include "agent/progress.h"
#include "agent/reach.h"
#include "agent/session.h"
#include "agent/undo.h"
#include "agent/verify.h"
#include "agent/verify_log.h"
#include "core/cursor.h"
#include "core/pool.h"
#include "core/units.h"

#define DAY (86400 * EBB_CLOCK_SECOND)
#define BATCH 65536			/* objects listed at a time: the index is not held while they are read */
#define AT_ONCE 256			/* of these, read before the log is told */
#define WITHIN (30 * DAY)

struct item {
	struct ebb_record rec;		/* its key is owned */
	enum ebb_verify_how how;
	int rc;
	struct ebb_err why;
};

struct sums {
	int64_t objects, bytes, bad, changed, nothing, nothing_bytes, asleep, unread;
};

struct verifying {
	struct ebb_app *app;
	struct ebb_index *ix;
	int64_t share;			/* millionths a day; -1: no limit */
	int64_t max_bytes, max_download;	/* left; INT64_MAX: no limit */
	int64_t within;
	unsigned jobs;
	struct ebb_progress progress;
	bool bad;
	bool unread;			/* something could not be read */
	/* of the store that is worked on */
	const struct ebb_reach_store *at;
	struct ebb_store *store;
	struct ebb_verify_log log;
	int64_t left;			/* bytes */
	struct sums sums;
	struct item *items;
	size_t n;
	bool end;			/* the list came to the last key */
	atomic_size_t next;
	size_t to;
	struct ebb_block_iter *it;
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static void clear(struct verifying *v)
{
	for (size_t i = 0; i < v->n; i++)
		free((void *)(uintptr_t)v->items[i].rec.key);
	v->n = 0;
}

/* Content of its own: what is counted. */
static bool is_content(const struct ebb_record *rec)
{
	return rec->f[EBB_F_KIND] == EBB_KIND_FILE && !(rec->f[EBB_F_FLAGS] & (EBB_FLAG_LINKED_TWIN | EBB_FLAG_UNSEEN));
}

static int compare(const struct ebb_record *rec, const char *key)
{
	size_t len = strlen(key), n = rec->key_len < len ? rec->key_len : len;
	int d = memcmp(rec->key, key, n);

	return d ? d : (rec->key_len > len) - (rec->key_len < len);
}

/* --- What comes next --- */

static int list_block(struct verifying *v, const struct ebb_block *b, const char *from, const char *to, struct ebb_err *err)
{
	struct ebb_record rec;
	int r = 1;

	ebb_block_iter_init(v->it, b);
	while (v->n < BATCH && (r = ebb_block_iter_next(v->it, &rec, err)) == 1) {
		if (compare(&rec, from) <= 0 || !is_content(&rec))
			continue;
		if (to && compare(&rec, to) > 0)
			return 0;
		char *key = strndup(rec.key, rec.key_len);
		if (!key)
			return no_memory(err);
		rec.key = key;
		v->items[v->n++] = (struct item){.rec = rec, .how = ebb_verify_by(v->store, &rec)};
	}
	return r < 0 ? r : 1;
}

/* Objects behind @from, up to @to (NULL: all). */
static int list(struct verifying *v, const char *from, const char *to, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_index_store st;
	struct ebb_block b;
	int r, more = 1;

	clear(v);
	if ((r = ebb_app_snap(v->app, v->ix, &snap, err)) < 0 || (r = ebb_snap_store(snap, v->at->st.name, &st, err)) < 0 ||
	    (r = ebb_cursor_open(snap, &st, NULL, &c, err)) < 0)
		return r;
	while (v->n < BATCH && more == 1 && (r = ebb_cursor_next(c, &b, err)) == 1)
		if ((more = list_block(v, &b, from, to, err)) < 0)
			return more;
	v->end = v->n < BATCH;
	return r < 0 ? r : 0;
}

/* --- Reading --- */

static int work(void *arg, struct ebb_err *err)
{
	struct verifying *v = arg;
	EBB_CLEANUP(ebb_content_freep) struct ebb_content *c = ebb_content_new();
	size_t i;

	if (!c)
		return no_memory(err);
	while ((i = atomic_fetch_add(&v->next, 1)) < v->to) {
		struct item *it = &v->items[i];

		if (it->how != EBB_VERIFY_NOTHING)
			it->rc = ebb_verify_object(c, v->store, &it->rec, it->how, v->app->cancel, &it->why);
	}
	return 0;
}

static int read_some(struct verifying *v, size_t from, size_t to, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pool_freep) struct ebb_pool *pool = NULL;
	size_t n = v->jobs < to - from ? v->jobs : to - from;

	atomic_store(&v->next, from);
	v->to = to;
	if (n <= 1)
		return work(v, err);
	int r = ebb_pool_new(n, n, &pool, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = ebb_pool_submit(pool, work, v, err);
	return r < 0 ? r : ebb_pool_wait(pool, err);
}

/* --- What came of it --- */

/* We are not let in: that says nothing of the object. */
static bool is_shut(int rc)
{
	return rc == -EBB_EACCES;
}

/* An object that is not what it was, or that could not be read. */
static int tell(struct verifying *v, const char *store, const char *key, const struct ebb_err *why, struct ebb_err *err)
{
	struct ebb_app *app = v->app;

	bool unread = is_shut(-(int)why->code);

	v->bad |= !unread;
	v->unread |= unread;
	ebb_progress_end(&v->progress);
	if (app->json) {
		json_t *o = json_pack("{s:b, s:s, s:s}", unread ? "unread" : "bad", 1, "store", store, "code", ebb_err_name(why->code));

		if (!o || ebb_out_json_key(o, key, strlen(key)) || ebb_out_json_bytes(o, "why", why->msg, strlen(why->msg))) {
			json_decref(o);
			o = NULL;
		}
		return ebb_out_json(app->out, o, err);
	}
	fprintf(app->err, unread ? "ebb: could not read %s:" : "ebb: BAD %s:", store);
	ebb_out_name(app->err, key, strlen(key));
	fprintf(app->err, ": %s\n", why->msg);
	return 0;
}

/* Somebody changed it, or it cannot be told now: nothing is known against it. */
static bool is_other(int rc)
{
	return rc == -EBB_ECHANGED || rc == -EBB_ENOENT;
}

static int settle(struct verifying *v, struct item *it, struct ebb_verify_log_range *range, struct ebb_err *err)
{
	int64_t size = it->rec.f[EBB_F_SIZE];
	int r = 0;

	if (it->how == EBB_VERIFY_NOTHING || it->rc == -EBB_ENOTSUP) {
		v->sums.nothing++;
		v->sums.nothing_bytes += size;
		return 0;
	}
	if (is_other(it->rc) || it->rc == -EBB_EASLEEP) {
		v->sums.changed += is_other(it->rc);
		v->sums.asleep += !is_other(it->rc);
		return 0;
	}
	if (it->rc == -EBB_ECANCELLED || it->rc == -EBB_ESTORE || it->rc == -EBB_ENOMEM)
		return ebb_err_set(err, -it->rc, "%s", it->why.msg);
	if (is_shut(it->rc)) {
		v->sums.unread++;
		return tell(v, v->at->st.name, it->rec.key, &it->why, err);
	}
	v->sums.objects++;
	v->sums.bytes += size;
	range->objects++;
	range->bytes += size;
	if (it->rc < 0) {
		v->sums.bad++;
		range->bad++;
		r = tell(v, v->at->st.name, it->rec.key, &it->why, err);
	}
	if (r == 0)
		r = ebb_verify_log_found(&v->log, it->rec.key, it->rc < 0 ? it->why.msg : NULL, ebb_app_now(v->app), err);
	ebb_progress_tick(&v->progress, (uint64_t)v->sums.objects, 0, (uint64_t)v->sums.bytes);
	return r;
}

/* How many of the items from @from on the budget allows now; the first of a session always. */
static size_t admit(struct verifying *v, size_t from)
{
	size_t to = from;

	while (to < v->n && to - from < AT_ONCE) {
		const struct item *it = &v->items[to];
		int64_t size = it->how == EBB_VERIFY_NOTHING ? 0 : it->rec.f[EBB_F_SIZE];
		bool first = v->sums.objects == 0 && to == from;

		if (size > v->left && !first)
			break;
		v->left -= size < v->left ? size : v->left;
		to++;
	}
	return to;
}

/* Verify behind @from up to @to, as far as the budget goes; each piece is written down. 1: came to the end of it. */
static int verify_range(struct verifying *v, const char *begin, const char *to, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *from = strdup(begin);
	struct ebb_verify_log_range range = {.ts = ebb_app_now(v->app)};
	int r = from ? list(v, from, to, err) : no_memory(err);

	for (size_t at = 0, end; r == 0; at = end) {
		if (at == v->n && v->end)
			break;
		if (at == v->n) {
			end = 0;
			if ((r = list(v, from, to, err)) < 0)
				break;
			continue;
		}
		if ((end = admit(v, at)) == at)
			return 0;
		range.objects = range.bytes = range.bad = 0;
		r = read_some(v, at, end, err);
		for (size_t i = at; r == 0 && i < end; i++)
			r = settle(v, &v->items[i], &range, err);
		if (r < 0)
			break;
		range.from = from;
		range.to = v->items[end - 1].rec.key;
		if ((r = ebb_verify_log_add(&v->log, &range, err)) < 0 ||
		    (r = ebb_verify_log_write(v->app->index_dir, v->at->st.name, &v->log, ebb_app_now(v->app), err)) < 0)
			break;
		free(from);
		from = strdup(range.to);
		r = from ? ebb_app_cancelled(v->app, err) : no_memory(err);
	}
	if (r < 0 || to)
		return r < 0 ? r : 1;
	range = (struct ebb_verify_log_range){.ts = range.ts, .from = from, .to = "", .end = true};
	r = ebb_verify_log_add(&v->log, &range, err);
	return r < 0 ? r : 1;
}

/* Ranges of one session that touch become one line, so that a log stays short. */
static void join(struct ebb_verify_log *l, size_t before)
{
	size_t n = before;

	for (size_t i = before; i < l->n; i++) {
		struct ebb_verify_log_range *last = n > before ? &l->ranges[n - 1] : NULL, r = l->ranges[i];

		if (!last || last->end || strcmp(last->to, r.from) != 0) {
			l->ranges[n++] = r;
			continue;
		}
		last->to = r.to;
		last->end = r.end;
		last->objects += r.objects;
		last->bytes += r.bytes;
		last->bad += r.bad;
		last->ts = last->ts < r.ts ? last->ts : r.ts;
	}
	l->n = n;
}

/* --- Coverage --- */

struct coverage {
	int64_t objects, bytes, covered, covered_bytes, nothing, nothing_bytes;
};

static int cover_block(struct verifying *v, const struct ebb_block *b, int64_t since, struct coverage *c, struct ebb_err *err)
{
	struct ebb_record rec;
	int r;

	ebb_block_iter_init(v->it, b);
	while ((r = ebb_block_iter_next(v->it, &rec, err)) == 1) {
		int64_t size = rec.f[EBB_F_SIZE];

		if (!is_content(&rec))
			continue;
		if (ebb_verify_by(v->store, &rec) == EBB_VERIFY_NOTHING) {
			c->nothing++;
			c->nothing_bytes += size;
			continue;
		}
		c->objects++;
		c->bytes += size;
		struct ebb_verify_log_range *range = ebb_verify_log_newest(&v->log, &rec, since);
		if (range) {
			range->now++;
			range->now_bytes += size;
		}
	}
	return r;
}

static int cover(struct verifying *v, struct coverage *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	int64_t since = ebb_app_now(v->app) - v->within;
	struct ebb_index_store st;
	struct ebb_block b;
	int r;

	*ret = (struct coverage){0};
	if ((r = ebb_app_snap(v->app, v->ix, &snap, err)) < 0 || (r = ebb_snap_store(snap, v->at->st.name, &st, err)) < 0 ||
	    (r = ebb_cursor_open(snap, &st, NULL, &c, err)) < 0)
		return r;
	while ((r = ebb_cursor_next(c, &b, err)) == 1)
		if ((r = cover_block(v, &b, since, ret, err)) < 0)
			return r;
	/* of some of what can be verified now nothing may have been known then */
	for (size_t i = 0; i < v->log.n; i++) {
		const struct ebb_verify_log_range *range = &v->log.ranges[i];

		ret->covered += range->now < range->objects ? range->now : range->objects;
		ret->covered_bytes += range->now_bytes < range->bytes ? range->now_bytes : range->bytes;
	}
	return r;
}

static int known_bad(const struct ebb_verify_log *l)
{
	int n = 0;

	for (size_t i = 0; i < l->nbad; i++)
		n += !l->bad[i].healed;
	return n;
}

static int print_store(struct verifying *v, const struct coverage *c, struct ebb_err *err)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], d[EBB_UNITS_TEXT];
	const struct sums *s = &v->sums;
	FILE *f = v->app->out;

	ebb_progress_end(&v->progress);
	if (v->app->json)
		return ebb_out_json(f, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:I, s:I}", "store", v->at->st.name,
				"verified", (json_int_t)s->objects, "verified_bytes", (json_int_t)s->bytes, "bad_found", (json_int_t)s->bad,
				"changed", (json_int_t)s->changed, "asleep", (json_int_t)s->asleep, "objects", (json_int_t)c->objects, "bytes",
				(json_int_t)c->bytes, "covered", (json_int_t)c->covered, "covered_bytes", (json_int_t)c->covered_bytes,
				"unknown", (json_int_t)c->nothing, "unknown_bytes", (json_int_t)c->nothing_bytes, "known_bad",
				known_bad(&v->log), "within_s", (json_int_t)(v->within / EBB_CLOCK_SECOND), "unread_found", (json_int_t)s->unread), err);
	fprintf(f, "%s: %s verified, %s, %lld bad", v->at->st.name, ebb_out_things((uint64_t)s->objects, "object", a),
		ebb_out_bytes((uint64_t)s->bytes, b), (long long)s->bad);
	if (s->unread)
		fprintf(f, ", %lld could not be read", (long long)s->unread);
	if (s->changed)
		fprintf(f, ", %lld changed since the scan", (long long)s->changed);
	if (s->asleep)
		fprintf(f, ", %lld asleep in archive classes", (long long)s->asleep);
	fprintf(f, "; %s of the bytes and %s of the objects within %s", ebb_out_share((uint64_t)c->covered_bytes, (uint64_t)c->bytes, a),
		ebb_out_share((uint64_t)c->covered, (uint64_t)c->objects, b), ebb_units_format_duration(v->within, d));
	if (c->nothing)
		fprintf(f, "; of %s, %s, no digest is known", ebb_out_things((uint64_t)c->nothing, "other object", a),
			ebb_out_bytes((uint64_t)c->nothing_bytes, b));
	fputc('\n', f);
	for (size_t i = 0; i < v->log.nbad; i++)
		if (!v->log.bad[i].healed) {
			fputs("  bad: ", f);
			ebb_out_name(f, v->log.bad[i].key, strlen(v->log.bad[i].key));
			fprintf(f, ", found %s\n", ebb_units_format_date(v->log.bad[i].ts, d));
		}
	return ferror(f) ? ebb_out_failed(f, err) : 0;
}

/* --- A store --- */

/* Bytes that may be read now. */
static int64_t budget(const struct verifying *v)
{
	int64_t now = ebb_app_now(v->app), passed = DAY, left = v->max_bytes;
	bool bucket = !(ebb_store_caps(v->store) & EBB_CAP_DIRS);

	if (v->share >= 0) {
		if (v->log.n && now - v->log.ranges[v->log.n - 1].ts < 7 * DAY)
			passed = now - v->log.ranges[v->log.n - 1].ts;
		else if (v->log.n)
			passed = 7 * DAY; /* what was missed for longer is not made up for at once */
		__int128 bytes = (__int128)v->at->st.bytes * v->share / 1000000 * passed / DAY;
		left = bytes < left ? (int64_t)bytes : left;
	}
	return bucket && v->max_download < left ? v->max_download : left;
}

static int verify_store(struct verifying *v, bool look, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *at = NULL;
	struct coverage c;
	int r = ebb_verify_log_read(v->app->index_dir, v->at->st.name, &v->log, err);

	v->sums = (struct sums){0};
	if (r == 0 && !look) {
		size_t before = v->log.n;

		at = strdup(ebb_verify_log_at(&v->log));
		v->left = budget(v);
		int64_t begun = v->left;
		ebb_progress_start(&v->progress, v->app->err, v->app->quiet, "verify", "objects");
		r = at ? verify_range(v, at, NULL, err) : no_memory(err);
		if (r == 1 && *at) /* round and round, each object once a session */
			r = verify_range(v, "", at, err);
		v->max_bytes -= v->max_bytes == INT64_MAX ? 0 : begun - v->left;
		v->max_download -= v->max_download == INT64_MAX || (ebb_store_caps(v->store) & EBB_CAP_DIRS) ? 0 : begun - v->left;
		join(&v->log, before);
		int kept = v->log.n > before ? ebb_verify_log_write(v->app->index_dir, v->at->st.name, &v->log, ebb_app_now(v->app), r < 0 ? NULL : err) : 0;
		r = r < 0 ? r : kept;
	}
	if (r >= 0)
		r = cover(v, &c, err);
	if (r >= 0)
		r = print_store(v, &c, err);
	v->bad |= known_bad(&v->log) > 0;
	ebb_verify_log_release(&v->log);
	clear(v);
	return r < 0 ? r : 0;
}

static int open_bucket(struct verifying *v, struct ebb_store **ret, struct ebb_err *err)
{
	*ret = NULL;
	return v->at->config ? ebb_store_open(&v->at->config->open, ret, err) : 0;
}

static int one_store(struct verifying *v, const struct ebb_reach_store *s, bool look, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *bucket = NULL;
	int r;

	v->at = s;
	v->store = s->store;
	if (!s->store && (r = open_bucket(v, &bucket, err)) < 0)
		return r;
	if (!s->store && !bucket)
		return 0;
	v->store = s->store ? s->store : bucket;
	if (!look && !(ebb_store_caps(v->store) & EBB_CAP_DIRS) && v->max_download <= 0) {
		ebb_app_note(v->app, "store '%s': buckets are read within --max-download only", s->st.name);
		return 0;
	}
	return verify_store(v, look, err);
}

/* --- A run --- */

struct of_run {
	struct verifying *v;
	struct ebb_storeset *stores;
	bool metadata, content;
	int64_t contents, metas, bad, changed, bytes, unread;
};

static int one_copy(void *ctx, const struct ebb_op *did, const struct ebb_op *back, struct ebb_err *err)
{
	struct of_run *o = ctx;
	struct ebb_store *from = ebb_storeset_find(o->stores, back->store);
	struct ebb_verify_copied got;
	struct ebb_err why = {0};

	(void)did;
	if (back->how == EBB_OP_HIDE || !from || (!back->has_digest && !back->has_meta))
		return ebb_app_cancelled(o->v->app, err);
	int r = ebb_verify_copy(from, back, o->content, o->metadata, o->v->app->cancel, &got, &why);
	if (r == -EBB_ECANCELLED || r == -EBB_ESTORE || r == -EBB_ENOMEM)
		return ebb_err_set(err, -r, "%s", why.msg);
	if (r == -EBB_ECHANGED || r == -EBB_ENOENT || r == -EBB_EASLEEP) {
		o->changed++;
		ebb_app_note(o->v->app, "%s:%s: %s", back->store, back->key, why.msg);
		return 0;
	}
	if (is_shut(r)) {
		o->unread++;
		return tell(o->v, back->store, back->key, &why, err);
	}
	o->contents += got.content;
	o->metas += got.metadata;
	o->bytes += got.content ? back->obj.f[EBB_F_SIZE] : 0;
	o->bad += r < 0;
	return r < 0 ? tell(o->v, back->store, back->key, &why, err) : ebb_app_cancelled(o->v->app, err);
}

static int verify_run(struct verifying *v, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *stores = NULL;
	EBB_CLEANUP(ebb_run_release) struct ebb_run run = {0};
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	int r = ebb_run_find(v->app->index_dir, ebb_cli_string(args, "run"), &run, err);

	if (r < 0 || (r = ebb_session_stores(v->app, &run, &stores, err)) < 0)
		return r;
	struct of_run o = {.v = v, .stores = stores, .metadata = ebb_cli_flag(args, "metadata"),
			   .content = !ebb_cli_flag(args, "metadata")};
	const struct ebb_undo u = {.stores = stores, .clock = v->app->clock, .cancel = v->app->cancel};
	r = ebb_undo_each(&u, &run, one_copy, &o, err);
	if (r < 0)
		return r;
	if (v->app->json)
		return ebb_out_json(v->app->out, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "run", run.id, "verified", (json_int_t)o.contents,
				"verified_bytes", (json_int_t)o.bytes, "metadata", (json_int_t)o.metas, "bad_found", (json_int_t)o.bad,
				"changed", (json_int_t)o.changed, "unread_found", (json_int_t)o.unread), err);
	fprintf(v->app->out, "run %s: %s compared with its journal", run.id,
		o.metadata ? ebb_out_things((uint64_t)o.metas, "copy's metadata", a) : ebb_out_things((uint64_t)o.contents, "content", a));
	if (o.content)
		fprintf(v->app->out, ", %s", ebb_out_bytes((uint64_t)o.bytes, b));
	fprintf(v->app->out, ", %lld bad", (long long)o.bad);
	if (o.unread)
		fprintf(v->app->out, ", %lld could not be read", (long long)o.unread);
	if (o.changed)
		fprintf(v->app->out, ", %lld changed, gone or asleep", (long long)o.changed);
	fputc('\n', v->app->out);
	return 0;
}

/* --- The command --- */

static int parse_share(struct verifying *v, const char *text, struct ebb_err *err)
{
	char word[64];
	size_t n = strcspn(text, "/");

	snprintf(word, sizeof(word), "%.*s", (int)n, text);
	if (n >= sizeof(word) || (text[n] && strcmp(text + n, "/day") != 0) || ebb_units_parse_percent(word, &v->share, NULL) < 0 ||
	    v->share <= 0)
		return ebb_err_set(err, EBB_EUSAGE, "--share: '%s' is no share of a day, as '2%%/day' is", text);
	return 0;
}

static int check_args(struct verifying *v, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *share = ebb_cli_string(args, "share");

	v->share = -1;
	v->max_bytes = ebb_cli_number(args, "max-bytes", INT64_MAX);
	v->max_download = ebb_cli_number(args, "max-download", 0);
	v->within = ebb_cli_number(args, "within", WITHIN);
	v->jobs = (unsigned)ebb_cli_number(args, "jobs", 4);
	if (ebb_cli_flag(args, "metadata") && !ebb_cli_string(args, "run"))
		return ebb_err_set(err, EBB_EUSAGE, "--metadata goes with --run: journals hold what metadata was");
	if (ebb_cli_string(args, "run") && ebb_cli_argc(args))
		return ebb_err_set(err, EBB_EUSAGE, "--run takes no stores");
	return share ? parse_share(v, share, err) : 0;
}

static int verify_stores(struct verifying *v, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_reach_release) struct ebb_reach reach = {0};
	int r;

	v->items = calloc(BATCH, sizeof(*v->items));
	v->it = malloc(sizeof(*v->it));
	if (!v->items || !v->it)
		return no_memory(err);
	if ((r = ebb_app_index(v->app, true, &v->ix, err)) < 0 || (r = ebb_reach_open(v->app, v->ix, args, true, &reach, err)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < reach.n; i++)
		if (reach.v[i].whole || reach.v[i].some)
			r = one_store(v, &reach.v[i], ebb_cli_flag(args, "coverage"), err);
	return r;
}

static void release(struct verifying *v)
{
	if (v->items)
		clear(v);
	free(v->items);
	free(v->it);
	ebb_verify_log_release(&v->log);
	ebb_index_close(v->ix);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct verifying v = {.app = app};
	int r = check_args(&v, args, err);

	if (r < 0 || (r = ebb_app_config(app, err)) < 0)
		return r;
	r = ebb_cli_string(args, "run") ? verify_run(&v, args, err) : verify_stores(&v, args, err);
	int flushed = ebb_out_flush(app->out, r == 0 ? err : NULL);
	if (r == 0)
		r = flushed;
	return r < 0 ? r : v.bad || v.unread ? -EBB_EPARTIAL : 0;
}

static const struct ebb_cli_option options[] = {
	{"share", 's', EBB_CLI_STRING, "SHARE/day", "read at most such a share of each store's bytes a day, as in 2%/day"},
	{"max-bytes", 0, EBB_CLI_BYTES, "SIZE", "read at most so much"},
	{"max-download", 0, EBB_CLI_BYTES, "SIZE", "read at most so much from buckets (default: nothing)"},
	{"within", 0, EBB_CLI_DURATION, "TIME", "tell what was covered within this time (default: 30d)"},
	{"coverage", 0, EBB_CLI_FLAG, NULL, "only tell that, read nothing"},
	{"run", 'r', EBB_CLI_STRING, "RUN", "the copies that a run made, against the digests in its journal"},
	{"metadata", 0, EBB_CLI_FLAG, NULL, "with --run: owner, mode, times, attributes and access lists instead of bytes"},
	{"jobs", 'j', EBB_CLI_COUNT, "N", "objects at the same time (default: 4)"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"bad, store, path, path_b64, code, why", "various", "a line for each object that is not what it was; bad is true, or unread where it could not be read"},
	{"store, verified, verified_bytes, bad_found, changed, asleep, unread_found", "various", "a line for each store: this session"},
	{"objects, bytes, covered, covered_bytes, within_s", "number", "of it: what can be verified, and what of it was, within so many seconds"},
	{"unknown, unknown_bytes", "number", "of it: objects of which no digest is known"},
	{"known_bad", "number", "of it: objects that were found bad and not found good since"},
	{"run, verified, verified_bytes, metadata, bad_found, changed, unread_found", "various", "with --run: one line"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb verify --share 2%/day", "for cron: everything within 50 days",
	"ebb verify lake --max-download 10GiB", "a part of a bucket",
	"ebb verify --coverage --within 90d", "what was verified lately",
	"ebb verify --run last --metadata", "what a run moved still has its owners, modes and times",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_verify;
const struct ebb_cli_command ebb_cmd_verify = {
	.name = "verify",
	.summary = "read objects again and compare with what is known of them",
	.usage = "[STORE...]",
	.description =
		"Reads objects and compares their bytes with the digest in the index ('ebb scan --hash all' makes them), members of packs with\n"
		"their pack's index, compressed files with the checksums of their frames, and objects of buckets with entity tags that are MD5.\n"
		"An object whose bytes changed although its size and times did not is bad: it is named, and the exit status is 1 until it is\n"
		"found good again.\n"
		"What somebody changed since the last scan is passed over.\n"
		"\n"
		"Goes through the keys round and round, so what was verified longest ago comes next; where it came to stands in INDEX/verify.\n"
		"A budget ends a session in good order; at least one object is read.\n"
		"\n"
		"With --run the copies that a run made and did not give back are compared with its journal instead.\n"
		"Nothing is changed.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 0,
	.max_args = -1,
	.run = run,
};
