/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/relief.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/cmd_plan.h"
#include "agent/cmd_trash.h"
#include "agent/night.h"
#include "agent/out.h"
#include "agent/pending.h"
#include "agent/session.h"
#include "agent/subset.h"
#include "core/units.h"

#define PPM 1000000

struct relief {
	struct ebb_nightlog *n;
	const struct ebb_config_store *store;
	dev_t dev;
	int64_t need;			/* bytes to free */
	const struct ebb_planhead *head;
	int64_t *by_rule;		/* what each rule of the header frees here at once */
	size_t last;			/* rule with which it is enough */
	int64_t rest;			/* that this rule has still to free */
	int64_t *room;			/* of config->stores: bytes until its high watermark */
	int64_t chosen, freed;		/* actions, and bytes that they free here */
	int64_t later, later_bytes;	/* those that would free something, but not at once */
};

/* --- How full ---------------------------------------------------------------------------------------------- */

int ebb_relief_look(const struct ebb_config_store *s, struct ebb_relief_space *ret, struct ebb_err *err)
{
	struct statvfs v;

	if (statvfs(s->open.path, &v)) {
		ebb_err_sys(err, errno, "store '%s': cannot look how full '%s' is", s->open.name, s->open.path);
		if (err)
			err->code = EBB_ESTORE;
		return -EBB_ESTORE;
	}
	int64_t unit = (int64_t)v.f_frsize;
	ret->used = (int64_t)(v.f_blocks - v.f_bfree) * unit;
	ret->total = ret->used + (int64_t)v.f_bavail * unit;
	ret->ppm = ret->total ? (int)((double)ret->used / (double)ret->total * PPM) : 0;
	return 0;
}

static int64_t share(int64_t total, int ppm)
{
	return total / PPM * ppm + total % PPM * ppm / PPM;
}

static bool is_full(const struct ebb_config_store *s, struct ebb_relief_space *space)
{
	return s->watermark_high && ebb_relief_look(s, space, NULL) == 0 && space->ppm > s->watermark_high;
}

bool ebb_relief_needed(const struct ebb_config *c, char *ret_why, size_t size)
{
	struct ebb_relief_space space;

	for (size_t i = 0; i < c->nstores; i++)
		if (is_full(&c->stores[i], &space)) {
			snprintf(ret_why, size, "%s %d%%", c->stores[i].open.name, space.ppm / 10000);
			return true;
		}
	return false;
}

/* "91.3 % of 10.0 GiB in use" */
static const char *in_use(const struct ebb_relief_space *s, char *ret, size_t size)
{
	char a[EBB_OUT_TEXT_MAX];

	snprintf(ret, size, "%d.%d %% of %s in use", s->ppm / 10000, s->ppm / 1000 % 10, ebb_out_bytes((uint64_t)s->total, a));
	return ret;
}

/* --- What to do -------------------------------------------------------------------------------------------- */

static const struct ebb_config_store *store_at(const struct relief *r, const char *name, size_t *ret_i)
{
	const struct ebb_config *c = r->n->app->config;

	for (size_t i = 0; name && i < c->nstores; i++)
		if (strcmp(c->stores[i].open.name, name) == 0) {
			*ret_i = i;
			return &c->stores[i];
		}
	return NULL;
}

/* Does what goes to this store leave the filesystem? */
static bool leaves(const struct relief *r, const char *to)
{
	size_t i;
	const struct ebb_config_store *s = store_at(r, to, &i);
	struct stat st;

	if (!s || !s->open.path)
		return s != NULL;
	return stat(s->open.path, &st) == 0 && st.st_dev != r->dev;
}

/* Bytes that an action frees here as soon as it is done. */
static int64_t frees(const struct relief *r, const struct ebb_planrow *row)
{
	if (strcmp(row->store, r->store->open.name) != 0 || row->freed <= 0)
		return 0;
	switch (row->action) {
	case EBB_ACTION_DELETE:
		return row->purge ? row->freed : 0;
	case EBB_ACTION_TIER:
	case EBB_ACTION_ARCHIVE:
		return leaves(r, row->to_store) ? row->freed : 0;
	case EBB_ACTION_COMPRESS:
		return row->freed;
	case EBB_ACTION_DEDUP:
		return row->how == EBB_ACTION_REFLINK ? row->freed : 0;
	default:
		return 0;
	}
}

static size_t rule_of(const struct relief *r, const struct ebb_planrow *row)
{
	size_t i = 0;

	while (i < r->head->nrules && strcmp(r->head->rules[i].rule, row->rule) != 0)
		i++;
	return i;
}

/* Which rules are needed, and how much of the last. */
static int measure(struct relief *r, struct ebb_planfile *plan, struct ebb_err *err)
{
	struct ebb_planrow row;
	int rc;

	while ((rc = ebb_planfile_next(plan, &row, err)) == 1) {
		int64_t n = frees(r, &row);
		size_t rule = rule_of(r, &row);

		if (rule < r->head->nrules)
			r->by_rule[rule] += n;
		r->later += n == 0;
		r->later_bytes += n == 0 ? row.freed : 0;
	}
	if (rc < 0)
		return rc;
	int64_t need = r->need;
	for (r->last = 0; r->last < r->head->nrules && r->by_rule[r->last] < need; r->last++)
		need -= r->by_rule[r->last];
	r->rest = need;
	return 0;
}

static bool fits(struct relief *r, const struct ebb_planrow *row)
{
	size_t i;

	if (!row->to_store || !store_at(r, row->to_store, &i))
		return true;
	if (r->room[i] < row->obj.f[EBB_F_SIZE])
		return false;
	r->room[i] -= row->obj.f[EBB_F_SIZE];
	return true;
}

static bool wanted(void *ctx, struct ebb_planrow *row)
{
	static char why[1024]; /* until the row is written */
	struct relief *r = ctx;
	int64_t n = frees(r, row);
	size_t rule = rule_of(r, row);

	if (n == 0 || rule > r->last || (rule == r->last && r->rest <= 0) || !fits(r, row))
		return false;
	if (rule == r->last)
		r->rest -= n;
	r->chosen++;
	r->freed += n;
	snprintf(why, sizeof(why), "%s; watermark of %s", row->why, r->store->open.name);
	row->why = why;
	return true;
}

static void measure_rooms(struct relief *r)
{
	const struct ebb_config *c = r->n->app->config;

	for (size_t i = 0; i < c->nstores; i++) {
		const struct ebb_config_store *s = &c->stores[i];
		struct ebb_relief_space space;

		r->room[i] = INT64_MAX;
		if (s->watermark_high && ebb_relief_look(s, &space, NULL) == 0)
			r->room[i] = share(space.total, s->watermark_high) - space.used;
	}
}

static int choose(struct relief *r, const char *from, const char *to, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *plan = NULL;
	EBB_CLEANUP(ebb_mem_freep) int64_t *by_rule = NULL, *room = NULL;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], d[EBB_OUT_TEXT_MAX];
	int rc = ebb_planfile_open(from, &plan, err);

	if (rc < 0)
		return rc;
	r->head = ebb_planfile_head(plan);
	r->by_rule = by_rule = calloc(r->head->nrules + 1, sizeof(*by_rule));
	r->room = room = calloc(r->n->app->config->nstores, sizeof(*room));
	if (!by_rule || !room)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	measure_rooms(r);
	if ((rc = measure(r, plan, err)) < 0 || (rc = ebb_subset_write(plan, to, wanted, r, err)) < 0)
		return rc;
	ebb_nightlog_step(r->n, "choose", r->store->open.name, 0,
			  json_pack("{s:I, s:I, s:I, s:I}", "need_bytes", (json_int_t)r->need, "chosen", (json_int_t)r->chosen,
				    "freed_bytes", (json_int_t)r->freed, "left_out", (json_int_t)r->later),
			  "%s of the plan free %s; left out: %s that free nothing here at once, and %s later",
			  ebb_out_things((uint64_t)r->chosen, "action", a), ebb_out_bytes((uint64_t)r->freed, b),
			  ebb_out_things((uint64_t)r->later, "action", c), ebb_out_bytes((uint64_t)r->later_bytes, d));
	return 0;
}

/* Make the plan of the store, choose from it, do that. */
static int by_rules(struct relief *r, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *whole = NULL, *part = NULL;
	const char *const name = r->store->open.name, *names[1];
	const char **scanned = calloc(r->n->app->config->nstores, sizeof(*scanned));
	size_t ok = 0;
	int rc = scanned ? ebb_night_scan(r->n, "scan", name, scanned, &ok, err) : -EBB_ENOMEM;

	free(scanned);
	if (rc < 0 || ok == 0)
		return rc;
	names[0] = name;
	if ((rc = ebb_pending_path(r->n->app->index_dir, "all.jsonl", &whole, err)) < 0 ||
	    (rc = ebb_pending_path(r->n->app->index_dir, "part.jsonl", &part, err)) < 0 ||
	    (rc = ebb_cmd_plan_make(r->n->app, names, 1, whole, 0, err)) < 0)
		return rc;
	rc = choose(r, whole, part, err);
	unlink(whole);
	return rc < 0 ? rc : ebb_night_plan_done(r->n, part, err);
}

/* --- A store ----------------------------------------------------------------------------------------------- */

static int expire(struct ebb_nightlog *n)
{
	struct ebb_journal_counts c = {0};
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	struct ebb_err why = {0};
	int r = ebb_cmd_trash_empty(n->app, NULL, false, &c, &why);

	n->done += (uint64_t)c.done;
	ebb_nightlog_step(n, "trash", "", r, NULL, "expired: removed %s for good, %s%s%s",
			  ebb_out_things((uint64_t)c.done, "object", a), ebb_out_bytes((uint64_t)c.bytes, b), *why.msg ? "; " : "",
			  why.msg);
	return r == -EBB_ECANCELLED ? r : 0;
}

static int relieve(struct relief *r, const struct ebb_relief_space *before, struct ebb_err *err)
{
	const struct ebb_config_store *s = r->store;
	struct ebb_relief_space space = *before;
	char a[64], b[EBB_OUT_TEXT_MAX];
	struct stat st;
	int rc;

	r->need = space.used - share(space.total, s->watermark_low);
	ebb_nightlog_step(r->n, "space", s->open.name, 0,
			  json_pack("{s:I, s:I}", "used", (json_int_t)space.used, "total", (json_int_t)space.total),
			  "%s, above the high watermark: %s to free", in_use(&space, a, sizeof(a)),
			  ebb_out_bytes((uint64_t)r->need, b));
	if (r->n->dry)
		return 0;
	if (stat(s->open.path, &st))
		return ebb_err_sys(err, errno, "cannot look at '%s'", s->open.path);
	r->dev = st.st_dev;
	uint64_t done = r->n->done;
	if ((rc = expire(r->n)) < 0 || (rc = ebb_relief_look(s, &space, err)) < 0)
		return rc;
	r->need = space.used - share(space.total, s->watermark_low);
	if (r->need > 0 && (rc = by_rules(r, err)) < 0)
		return rc;
	if (r->n->done > done && (rc = ebb_night_scan(r->n, "rescan", NULL, NULL, NULL, err)) < 0)
		return rc;
	if ((rc = ebb_relief_look(s, &space, err)) < 0)
		return rc;
	bool enough = space.used <= share(space.total, s->watermark_low);
	ebb_nightlog_step(r->n, "space", s->open.name, enough ? 0 : -EBB_EALERT,
			  json_pack("{s:I, s:I}", "used", (json_int_t)space.used, "total", (json_int_t)space.total), "%s%s",
			  in_use(&space, a, sizeof(a)), enough ? "" : ": still above the low watermark, and the rules free no more now");
	return 0;
}

static int stores(struct ebb_nightlog *n, struct ebb_err *err)
{
	const struct ebb_config *c = n->app->config;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->nstores; i++) {
		struct relief one = {.n = n, .store = &c->stores[i]};
		struct ebb_relief_space space;

		if (is_full(one.store, &space))
			r = relieve(&one, &space, err);
	}
	return r;
}

int ebb_relief_run(struct ebb_app *app, bool dry, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(ebb_nightlog_release) struct ebb_nightlog n = {0};
	struct ebb_err why = {0};
	char which[EBB_INDEX_NAME_MAX + 32];
	int r = ebb_app_config(app, err);

	if (r < 0 || !ebb_relief_needed(app->config, which, sizeof(which)))
		return r;
	if (!dry && (r = ebb_session_begin(app, "ebb run --watermarks", &lock, err)) < 0)
		return r;
	if ((r = ebb_nightlog_begin(&n, app, "watermark", dry, err)) < 0)
		return r;
	app->locked = !dry;
	r = stores(&n, &why);
	app->locked = false;
	if (r < 0)
		ebb_nightlog_step(&n, "stopped", "", r, NULL, "%s", *why.msg ? why.msg : "interrupted");
	return ebb_nightlog_end(&n, err);
}
