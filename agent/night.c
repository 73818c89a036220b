/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/night.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/audit.h"
#include "agent/cmd_alerts.h"
#include "agent/cmd_apply.h"
#include "agent/cmd_plan.h"
#include "agent/cmd_report.h"
#include "agent/cmd_scan.h"
#include "agent/cmd_trash.h"
#include "agent/hours.h"
#include "agent/out.h"
#include "agent/pending.h"
#include "agent/session.h"
#include "core/date.h"
#include "core/units.h"

static const char command[] = "ebb run";
static const char again[] = "the next 'ebb run'";

/* --- Scan ------------------------------------------------------------------------------------------------- */

static void scan_told(struct ebb_nightlog *n, const char *step, const struct ebb_cmd_scan_told *t)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], d[EBB_OUT_TEXT_MAX], e[EBB_OUT_TEXT_MAX];
	const char *name = t->store->open.name;
	json_t *facts;

	if (t->status) {
		ebb_nightlog_step(n, step, name, t->status, NULL, "%s", t->why);
		return;
	}
	facts = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "objects", (json_int_t)t->objects, "bytes", (json_int_t)t->bytes,
			  "added", (json_int_t)t->added, "changed", (json_int_t)t->changed, "gone", (json_int_t)t->gone,
			  "unreadable", (json_int_t)t->unreadable);
	ebb_nightlog_step(n, step, name, t->unreadable ? -EBB_EPARTIAL : 0, facts,
			  "%s, %s; %s added, %s changed, %s gone%s", ebb_out_things(t->objects, "object", a),
			  ebb_out_bytes(t->bytes, b), ebb_out_count(t->added, c), ebb_out_count(t->changed, d),
			  ebb_out_count(t->gone, e), t->unreadable ? "; some folders could not be read" : "");
}

int ebb_night_scan(struct ebb_nightlog *n, const char *step, const char *only, const char **ret_names, size_t *ret_n,
		   struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	const struct ebb_config *c = n->app->config;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_cmd_scan_told *told = calloc(c->nstores, sizeof(*told));
	const struct ebb_scan_opts opts = {0};
	const char *hash = c->night.hash;
	size_t count = 0, ok = 0;

	if (!told)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < c->nstores; i++)
		if (!only || strcmp(only, c->stores[i].open.name) == 0)
			told[count++].store = &c->stores[i];
	int r = ebb_app_index(n->app, false, &ix, err);
	if (r == 0)
		r = ebb_cmd_scan_stores(n->app, ix, &opts, told, count, err);
	/* what stopped all has a message; the failure of one store has been kept for it */
	if (r < 0 && err->code)
		return r;
	for (size_t i = 0; i < count; i++) {
		scan_told(n, step, &told[i]);
		if (told[i].status == 0 && ret_names)
			ret_names[ok++] = told[i].store->open.name;
	}
	if (ret_n)
		*ret_n = ok;
	if (!ret_names || only || strcmp(hash, "none") == 0)
		return 0;
	r = ebb_cmd_scan_hash(n->app, ix, NULL, strcmp(hash, "all") == 0, err);
	if (r < 0 && err->code && r != -EBB_EPARTIAL)
		return r;
	ebb_nightlog_step(n, "hash", "", r, NULL, r ? "some objects could not be read" : "digests are known");
	return 0;
}

/* --- Apply ------------------------------------------------------------------------------------------------ */

/* Whether the hours of the configuration allow work now; says so otherwise. */
static bool open_now(struct ebb_nightlog *n, const char *step)
{
	const char *window = n->app->config->limits.window;
	int64_t now = ebb_app_now(n->app), next;
	struct ebb_hours h;
	char at[EBB_UNITS_TEXT];

	if (!window || ebb_hours_parse(window, &h, NULL) < 0 || ebb_hours_contain(&h, now))
		return true;
	next = ebb_hours_next(&h, now);
	ebb_nightlog_step(n, step, "", -EBB_ELIMIT, NULL, "not begun: it is not within %s%s%s", window,
			  next == INT64_MAX ? "" : ", which opens at ", next == INT64_MAX ? "" : ebb_units_exact_time(next, at));
	return false;
}

static void applied(struct ebb_nightlog *n, int r, const struct ebb_cmd_apply_told *t, const char *why)
{
	const struct ebb_journal_counts *c = &t->counts;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], d[EBB_OUT_TEXT_MAX], e[EBB_OUT_TEXT_MAX];
	json_t *facts = json_pack("{s:s?, s:I, s:I, s:I, s:I}", "run", *t->run ? t->run : NULL, "done", (json_int_t)c->done,
				  "skipped", (json_int_t)c->skipped, "failed", (json_int_t)c->failed, "bytes",
				  (json_int_t)c->bytes);

	if (!n->dry)
		n->done += (uint64_t)c->done;
	ebb_nightlog_step(n, "apply", "", r, facts, "%s%s%s%s %s, %s; %s skipped, %s failed%s%s", *t->run ? "run " : "",
			  t->run, *t->run ? ": " : "", ebb_out_count((uint64_t)c->done, a), n->dry ? "would be done" : "done",
			  ebb_out_bytes((uint64_t)c->bytes, b), ebb_out_count((uint64_t)c->skipped, d),
			  ebb_out_count((uint64_t)c->failed, e), *why ? "; " : "", why);
}

static int apply(struct ebb_nightlog *n, const char *path, struct ebb_cmd_apply_told *told)
{
	const struct ebb_cmd_apply_opts opts = {
		.dry = n->dry, .max_objects = -1, .max_bytes = -1, .command = command, .again = again,
		.skip_asleep = true, /* nobody is there who could agree to a price */
	};
	struct ebb_err why = {0};
	int r = ebb_cmd_apply_file(n->app, path, &opts, told, &why);

	applied(n, r, told, why.msg);
	return r;
}

/* --- Approved plans --------------------------------------------------------------------------------------- */

/* Why a plan may not be applied any more, or NULL. */
static const char *stale(struct ebb_nightlog *n, const struct ebb_pending *p)
{
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *plan = NULL;
	const struct ebb_config *c = n->app->config;
	const struct ebb_planhead *h;

	if (ebb_planfile_open(p->path, &plan, NULL) < 0)
		return "its file cannot be read";
	h = ebb_planfile_head(plan);
	if (strcmp(ebb_planfile_id(plan), p->plan) != 0)
		return "its file is another plan";
	if (memcmp(h->rules_digest, c->rules_digest, sizeof(h->rules_digest)) != 0)
		return "the configuration has changed since";
	if (memcmp(h->prices_digest, c->prices_digest, sizeof(h->prices_digest)) != 0)
		return "prices have changed since";
	if (ebb_app_now(n->app) - p->made > EBB_PENDING_DAYS * EBB_DATE_DAY_NS)
		return "it is older than 7 days";
	return NULL;
}

/* Do what was approved, before anything is scanned anew. A plan that was not finished stays for the next night. */
static int approved(struct ebb_nightlog *n, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pending_free) struct ebb_pendings all = {0};
	int r = ebb_pending_list(n->app->index_dir, &all, err);

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		const struct ebb_pending *p = &all.v[i];
		struct ebb_cmd_apply_told told;
		const char *why;

		if (p->state != EBB_PENDING_APPROVED)
			continue;
		if ((why = stale(n, p))) {
			ebb_nightlog_step(n, "approved", "", 0, NULL, "plan %.12s, approved by %s, is not applied: %s", p->plan,
					  p->by, why);
			r = n->dry ? 0 : ebb_pending_remove(n->app->index_dir, p, err);
			continue;
		}
		if (!n->dry && !open_now(n, "approved"))
			continue;
		ebb_nightlog_step(n, "approved", "", 0, NULL, "plan %.12s, approved by %s: %s", p->plan, p->by,
				  *p->reason ? p->reason : "no reason given");
		int did = apply(n, p->path, &told);
		if (did == -EBB_ECANCELLED)
			return did;
		if (told.complete && !n->dry)
			r = ebb_pending_remove(n->app->index_dir, p, err);
	}
	return r;
}

/* A newer plan takes the place of those that nobody has approved. */
static int replace_waiting(struct ebb_nightlog *n, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pending_free) struct ebb_pendings all = {0};
	int r = ebb_pending_list(n->app->index_dir, &all, err);

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		if (all.v[i].state != EBB_PENDING_WAITING)
			continue;
		ebb_nightlog_step(n, "pending", "", 0, NULL, "plan %.12s waited in vain; tonight's takes its place",
				  all.v[i].plan);
		r = n->dry ? 0 : ebb_pending_remove(n->app->index_dir, &all.v[i], err);
	}
	return r;
}

/* --- Plan ------------------------------------------------------------------------------------------------- */

/* Objects that a plan deletes. */
static int count_deletions(struct ebb_planfile *plan, int64_t *ret, struct ebb_err *err)
{
	struct ebb_planrow row;
	int64_t n = 0;
	int r;

	while ((r = ebb_planfile_next(plan, &row, err)) == 1)
		n += row.action == EBB_ACTION_DELETE;
	*ret = n;
	return r;
}

/* Which limits of `approve_above` a plan is above, into @b: "" for none. */
static int above(struct ebb_nightlog *n, struct ebb_planfile *plan, struct ebb_buf *b, struct ebb_err *err)
{
	const struct ebb_config_limits *l = &n->app->config->limits;
	const struct ebb_planhead *h = ebb_planfile_head(plan);
	struct ebb_money cost = {.nano = h->all.one_off}, most = {.nano = l->approve_cost};
	char x[EBB_OUT_TEXT_MAX], y[EBB_OUT_TEXT_MAX];
	int64_t deletions = 0;
	int bad = ebb_buf_reserve(b, 1);
	int r = l->approve_deletions < 0 ? 0 : count_deletions(plan, &deletions, err);

	if (r < 0)
		return r;
	snprintf(cost.currency, sizeof(cost.currency), "%s", h->currency);
	most = cost;
	most.nano = l->approve_cost;
	if (l->approve_cost >= 0 && cost.nano > most.nano)
		bad |= ebb_buf_addf(b, "costs %s once, more than %s; ", ebb_out_money(&cost, x), ebb_out_money(&most, y));
	if (l->approve_cost >= 0 && h->all.unpriced)
		bad |= ebb_buf_addf(b, "%s of its actions have no price; ", ebb_out_count((uint64_t)h->all.unpriced, x));
	if (l->approve_bytes >= 0 && h->all.bytes > l->approve_bytes)
		bad |= ebb_buf_addf(b, "works on %s, more than %s; ", ebb_out_bytes((uint64_t)h->all.bytes, x),
				    ebb_out_bytes((uint64_t)l->approve_bytes, y));
	if (deletions > l->approve_deletions && l->approve_deletions >= 0)
		bad |= ebb_buf_addf(b, "deletes %s, more than %s; ", ebb_out_things((uint64_t)deletions, "object", x),
				    ebb_out_count((uint64_t)l->approve_deletions, y));
	if (bad)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (b->len)
		b->data[b->len -= 2] = 0;
	return 0;
}

static void plan_told(struct ebb_nightlog *n, struct ebb_planfile *plan)
{
	const struct ebb_planhead *h = ebb_planfile_head(plan);
	struct ebb_money once = {.nano = h->all.one_off}, month;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], d[EBB_OUT_TEXT_MAX], e[EBB_OUT_TEXT_MAX];
	json_t *facts = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "plan", ebb_planfile_id(plan), "objects",
				  (json_int_t)h->all.objects, "bytes", (json_int_t)h->all.bytes, "freed_bytes",
				  (json_int_t)h->all.freed, "one_off_nano", (json_int_t)h->all.one_off, "saving_month_nano",
				  (json_int_t)h->all.saving, "currency", h->currency);

	snprintf(once.currency, sizeof(once.currency), "%s", h->currency);
	month = once;
	month.nano = h->all.saving;
	if (h->all.objects == 0)
		ebb_nightlog_step(n, "plan", "", 0, facts, "nothing to do");
	else
		ebb_nightlog_step(n, "plan", "", 0, facts, "%s on %s, frees %s, costs %s once, saves %s a month",
				  ebb_out_things((uint64_t)h->all.objects, "action", a), ebb_out_bytes((uint64_t)h->all.bytes, b),
				  ebb_out_bytes((uint64_t)h->all.freed, c), ebb_out_money(&once, d), ebb_out_money(&month, e));
}

/* Let it wait for a yes, and say so. */
static int wait_for_approval(struct ebb_nightlog *n, const char *path, const char *id, const char *why, struct ebb_err *err)
{
	int r = replace_waiting(n, err);

	if (r == 0 && !n->dry)
		r = ebb_pending_add(n->app->index_dir, path, id, ebb_app_now(n->app), why, err);
	if (r == 0)
		ebb_nightlog_step(n, "apply", "", -EBB_ELIMIT, json_pack("{s:s}", "waiting", id),
				  "plan %.12s %s: 'ebb approve %.12s' lets the next run do it", id,
				  n->dry ? "would have to wait for approval" : "waits for approval", id);
	if (r == 0)
		ebb_nightlog_step(n, "pending", "", -EBB_ELIMIT, NULL, "%s", why);
	return r;
}

static int judge(struct ebb_nightlog *n, const char *path, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *plan = NULL;
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf why = EBB_BUF_INIT(4096);
	struct ebb_cmd_apply_told told;
	int r = ebb_planfile_open(path, &plan, err);

	if (r < 0)
		return r;
	plan_told(n, plan);
	if (ebb_planfile_count(plan) == 0)
		return replace_waiting(n, err);
	if ((r = above(n, plan, &why, err)) < 0)
		return r;
	if (why.len)
		return wait_for_approval(n, path, ebb_planfile_id(plan), why.data, err);
	if ((r = replace_waiting(n, err)) < 0 || (!n->dry && !open_now(n, "apply")))
		return r;
	r = apply(n, path, &told);
	return r == -EBB_ECANCELLED ? r : 0;
}

int ebb_night_plan_done(struct ebb_nightlog *n, const char *path, struct ebb_err *err)
{
	int r = judge(n, path, err);

	if (unlink(path) && errno != ENOENT && r == 0)
		r = ebb_err_sys(err, errno, "cannot remove '%s'", path);
	return r;
}

static int plan(struct ebb_nightlog *n, const char *const *stores, size_t count, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	char template[] = "/tmp/ebb-plan-XXXXXX";
	int r = 0;

	if (count == 0) {
		ebb_nightlog_step(n, "plan", "", 0, NULL, "not made: no store could be scanned");
		return 0;
	}
	/* a dry night must not touch the folder of the index */
	if (n->dry) {
		if (!mkdtemp(template) || asprintf(&path, "%s/plan.jsonl", template) < 0)
			return ebb_err_sys(err, errno, "cannot create '%s'", template);
	} else {
		r = ebb_pending_path(n->app->index_dir, "new.jsonl", &path, err);
	}
	if (r == 0)
		r = ebb_cmd_plan_make(n->app, stores, count, path, n->dry ? 0 : EBB_CMD_PLAN_KEEP, err);
	ebb_nightlog_hush(n);
	if (r == 0)
		r = ebb_night_plan_done(n, path, err);
	if (n->dry)
		rmdir(template);
	return r;
}

/* --- Trash, report, alerts -------------------------------------------------------------------------------- */

static int trash(struct ebb_nightlog *n, struct ebb_err *err)
{
	struct ebb_journal_counts c = {0};
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	struct ebb_err why = {0};

	if (!n->app->config->night.empty_trash || (!n->dry && !open_now(n, "trash")))
		return 0;
	int r = ebb_cmd_trash_empty(n->app, NULL, n->dry, &c, &why);
	n->done += n->dry ? 0 : (uint64_t)c.done;
	ebb_nightlog_step(n, "trash", "", r,
			  json_pack("{s:I, s:I, s:I, s:I}", "done", (json_int_t)c.done, "skipped", (json_int_t)c.skipped, "failed",
				    (json_int_t)c.failed, "bytes", (json_int_t)c.bytes),
			  "%s %s for good, %s%s%s", ebb_out_count((uint64_t)c.done, a), n->dry ? "would be removed" : "removed",
			  ebb_out_bytes((uint64_t)c.bytes, b), *why.msg ? "; " : "", why.msg);
	return r == -EBB_ECANCELLED ? ebb_err_set(err, EBB_ECANCELLED, "%s", why.msg) : 0;
}

/* Folders of @path are made, {date} is put in. */
static char *report_path(const char *pattern, int64_t now)
{
	char day[EBB_UNITS_TEXT], *path = NULL;
	const char *at = strstr(pattern, "{date}");
	int len = at ? (int)(at - pattern) : (int)strlen(pattern);

	ebb_units_format_date(now, day);
	if (asprintf(&path, "%.*s%s%s", len, pattern, at ? day : "", at ? at + strlen("{date}") : "") < 0)
		return NULL;
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(path, 0777); /* a folder that cannot be made shows when the file is opened */
		*p = '/';
	}
	return path;
}

/* Written beside it first, so that whoever reads it never finds half a report. */
static int report(struct ebb_nightlog *n, const char *path, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *tmp = NULL;
	FILE *before = n->app->out, *f;
	int r;

	if (asprintf(&tmp, "%s.tmp", path) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (!(f = fopen(tmp, "we")))
		return ebb_err_sys(err, errno, "cannot write '%s'", tmp);
	n->app->out = f;
	r = ebb_cmd_report_write(n->app, NULL, ebb_config_night_format(path), NULL, err);
	n->app->out = before;
	if (r == 0 && fflush(f))
		r = ebb_err_sys(err, errno, "cannot write '%s'", tmp);
	fclose(f);
	if (r == 0 && rename(tmp, path))
		r = ebb_err_sys(err, errno, "cannot rename '%s' to '%s'", tmp, path);
	if (r < 0)
		unlink(tmp);
	return r;
}

static void reports(struct ebb_nightlog *n)
{
	const char *const *v = n->app->config->night.reports;

	for (; v && *v && !n->dry; v++) {
		EBB_CLEANUP(ebb_mem_freep) char *path = report_path(*v, ebb_app_now(n->app));
		struct ebb_err why = {0};
		int r = path ? report(n, path, &why) : ebb_err_set(&why, EBB_ENOMEM, "out of memory");

		/* a report that could not be written changes no store: some of the work failed */
		ebb_nightlog_step(n, "report", "", r ? -EBB_EPARTIAL : 0, NULL, "%s", r ? why.msg : path);
	}
}

static void alerts(struct ebb_nightlog *n)
{
	struct ebb_err why = {0};
	size_t found = 0;
	int r = ebb_cmd_alerts_tell(n->app, EBB_DATE_DAY_NS / EBB_DATE_DAY_NS, n->dry, &found, &why);

	ebb_nightlog_step(n, "alerts", "", r, json_pack("{s:I}", "alerts", (json_int_t)found), "%s%s%s",
			  found ? "there are alerts: 'ebb alerts' tells them" : r ? "" : "none", found && *why.msg ? "; " : "",
			  why.msg);
}

/* --- The whole -------------------------------------------------------------------------------------------- */

/* Stores that have a finished scan, for a night that must not scan. */
static int known(struct ebb_nightlog *n, const char **names, size_t *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	const struct ebb_config *c = n->app->config;
	int r = ebb_app_index(n->app, true, &ix, err);

	if (r == 0)
		r = ebb_app_snap(n->app, ix, &snap, err);
	for (size_t i = 0; r == 0 && i < c->nstores; i++) {
		const char *name = c->stores[i].open.name;
		struct ebb_index_store st;

		if (ebb_snap_store(snap, name, &st, NULL) == 0 && st.generation && !st.building)
			names[(*ret)++] = name;
		else
			ebb_nightlog_step(n, "scan", name, -EBB_ESTALE, NULL, "there is no finished scan of it");
	}
	return r;
}

static int steps(struct ebb_nightlog *n, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) const char **names = calloc(n->app->config->nstores, sizeof(*names));
	size_t count = 0;
	uint64_t seen;
	int r = names ? approved(n, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	seen = n->done;
	if (r == 0)
		r = n->dry ? known(n, names, &count, err) : ebb_night_scan(n, "scan", NULL, names, &count, err);
	if (r == 0)
		r = plan(n, names, count, err);
	if (r == 0)
		r = trash(n, err);
	/* the index must know what was done, or the report tells of yesterday */
	if (r == 0 && n->done > seen)
		r = ebb_night_scan(n, "rescan", NULL, NULL, NULL, err);
	if (r < 0)
		return r;
	reports(n);
	alerts(n);
	return 0;
}

int ebb_night_run(struct ebb_app *app, bool dry, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(ebb_nightlog_release) struct ebb_nightlog n = {0};
	struct ebb_err why = {0};
	int r = dry ? ebb_app_config(app, err) : ebb_session_begin(app, command, &lock, err);

	if (r < 0 || (r = ebb_nightlog_begin(&n, app, "run", dry, err)) < 0)
		return r;
	app->locked = !dry;
	r = steps(&n, &why);
	app->locked = false;
	if (r < 0)
		ebb_nightlog_step(&n, "stopped", "", r, NULL, "%s", *why.msg ? why.msg : "interrupted");
	return ebb_nightlog_end(&n, err);
}
