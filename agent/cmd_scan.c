/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb scan: bring the index up to date. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli.h"
#include "agent/cmd_scan.h"
#include "agent/etags.h"
#include "agent/factbook.h"
#include "agent/hash_tell.h"
#include "agent/listing.h"
#include "agent/out.h"
#include "agent/plan_packs.h"
#include "agent/realised.h"
#include "agent/scan.h"
#include "agent/scan_inventory.h"
#include "agent/showback.h"
#include "core/units.h"

static int print_json(struct ebb_app *app, const struct ebb_config_store *cs,
		      const struct ebb_scan_result *s, struct ebb_err *err)
{
	const struct ebb_merge_stats *m = &s->stats;
	struct ebb_money cost;
	json_t *o = json_pack("{ss sI sI sI sI sI sI sI sI sI ss sb sI}", "store", cs->open.name,
			      "objects", (json_int_t)m->objects, "bytes", (json_int_t)m->bytes, "added",
			      (json_int_t)m->added, "changed", (json_int_t)m->changed, "same",
			      (json_int_t)m->same, "gone", (json_int_t)m->gone, "gone_bytes",
			      (json_int_t)m->gone_bytes, "kept_unseen", (json_int_t)m->kept,
			      "unreadable", (json_int_t)s->unreadable, "evidence",
			      ebb_record_evidence_name(s->evidence), "resumed", s->resumed, "elapsed_ms",
			      (json_int_t)(s->elapsed / 1000000));

	if (s->versions.state != EBB_NONCURRENT_UNKNOWN)
		json_object_set_new(o, "versions", json_string(ebb_noncurrent_name(s->versions.state)));
	if (s->requests)
		json_object_set_new(o, "requests", json_integer((json_int_t)s->requests));
	if (ebb_listing_cost(app->config, cs, s->requests, &cost, NULL) == 1)
		json_object_set_new(o, "requests_nano", json_integer(cost.nano));
	if (s->evidence_since != INT64_MIN)
		ebb_out_json_time(o, "evidence_since", s->evidence_since);
	return ebb_out_json(app->out, o, err);
}

static const char *const evidence_text[EBB_EVIDENCE_COUNT] = {
	"nothing is known of reads",
	"the mount does not record reads (noatime): idle times are known only as \"at most since the last change\"",
	"reads are known to the day (relatime)",
	"every read is recorded (strictatime)",
	"the provider's access tiers tell since when there was no read",
	"reads are known from access logs, which may have lost some",
};

/* Whether what goes from a bucket goes. */
static void tell_versions(FILE *f, const struct ebb_noncurrent *v)
{
	int64_t days = ebb_noncurrent_days(v, NULL, 0);

	if (v->state < EBB_NONCURRENT_SUSPENDED)
		return;
	fputs(v->state == EBB_NONCURRENT_ENABLED ? "\n  keeps versions: what is deleted stays, noncurrent and billed as before, until it is removed"
						 : "\n  kept versions, which is suspended now: those from before stay, and are billed",
	      f);
	if (v->mfa_delete)
		fputs("; none is removed without a second factor (MFA Delete)", f);
	else if (v->unread)
		fputs("; its lifecycle rules cannot be read (s3:GetLifecycleConfiguration)", f);
	else if (days >= 0)
		fprintf(f, "; lifecycle rules remove some after %" PRId64 " d", days);
}

static void print_text(struct ebb_app *app, const struct ebb_config_store *cs,
		       const struct ebb_scan_result *s)
{
	const struct ebb_merge_stats *m = &s->stats;
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];
	struct ebb_money cost;
	double seconds = (double)s->elapsed / 1e9;

	fprintf(app->out, "%s%s%s: %s, %s, in %.1f s", ebb_out_bold(app->out), cs->open.name,
		ebb_out_plain(app->out), ebb_out_things(m->objects, "object", a), ebb_out_bytes(m->bytes, b), seconds);
	if (m->objects >= 1000 && seconds > 0 && !s->resumed)
		fprintf(app->out, " (%s/s)", ebb_out_count((uint64_t)((double)m->objects / seconds), c));
	if (s->resumed)
		fputs("; went on with an interrupted scan", app->out);
	if (m->old_objects)
		fprintf(app->out, "\n  %s added, %s changed, %s gone", ebb_out_count(m->added, a),
			ebb_out_count(m->changed, b), ebb_out_count(m->gone, c));
	if (s->requests)
		fprintf(app->out, "\n  %s", ebb_out_things(s->requests, "listing request", a));
	if (s->requests && ebb_listing_cost(app->config, cs, s->requests, &cost, NULL) == 1)
		fprintf(app->out, ", %s", ebb_out_money(&cost, b));
	tell_versions(app->out, &s->versions);
	fprintf(app->out, "\n  %s", cs->open.bucket && s->evidence < EBB_EVIDENCE_TIER
						     ? "a bucket does not tell of reads: ebb ingest adds what access logs tell"
						     : evidence_text[s->evidence]);
	if (s->evidence_since != INT64_MIN) {
		fprintf(app->out, ", since %s only", ebb_units_exact_time(s->evidence_since, a));
	}
	fputc('\n', app->out);
}

static void tell_unreadable(struct ebb_app *app, const struct ebb_config_store *cs,
			    const struct ebb_scan_result *s)
{
	char a[EBB_OUT_TEXT_MAX];

	for (size_t i = 0; i < s->nnamed; i++) {
		fprintf(app->err, "ebb: %s: cannot read ", cs->open.name);
		ebb_out_name(app->err, s->named[i], strlen(s->named[i]));
		fputc('\n', app->err);
	}
	if (s->unreadable > s->nnamed)
		fprintf(app->err, "ebb: %s: and %s more\n", cs->open.name,
			ebb_out_count(s->unreadable - s->nnamed, a));
	if (s->unreadable)
		fprintf(app->err,
			"ebb: %s: %s could not be read; what the index held below stays, and no rule "
			"changes it\n",
			cs->open.name, ebb_out_things(s->unreadable, "folder", a));
}

/* What there is to say of a store for whoever asked. */
static void sum_up(struct ebb_cmd_scan_told *told, const struct ebb_scan_result *s, int status, const char *why)
{
	const struct ebb_merge_stats *m = &s->stats;

	*told = (struct ebb_cmd_scan_told){
		.store = told->store, .status = status, .objects = m->objects, .bytes = m->bytes, .added = m->added,
		.changed = m->changed, .gone = m->gone, .unreadable = s->unreadable,
	};
	snprintf(told->why, sizeof(told->why), "%s", why);
}

/* One store; a failure is told at once, so that the others get their turn. */
static int scan_one(struct ebb_app *app, struct ebb_index *ix, struct ebb_cmd_scan_told *told,
		    const struct ebb_scan_opts *o, struct ebb_err *err)
{
	const struct ebb_config_store *cs = told->store;
	EBB_CLEANUP(ebb_scan_result_release) struct ebb_scan_result s = {0};
	struct ebb_err e = {0};
	int r = o->manifest ? ebb_scan_inventory(app, ix, cs, o, &s, &e)
			    : ebb_scan_store(app, ix, cs, o, &s, &e);

	sum_up(told, &s, r, e.msg);
	if (r == -EBB_ECANCELLED)
		return ebb_err_set(err, EBB_ECANCELLED,
				   "interrupted; the next 'ebb scan' goes on from here");
	if (r) {
		fprintf(app->err, "ebb: %s\n", e.msg);
		return r;
	}
	tell_unreadable(app, cs, &s);
	struct ebb_factbook_stats facts = {0};
	if ((r = ebb_factbook_learn(app, ix, cs, !o->manifest, &s.versions, &facts, err)))
		return r;
	if (facts.bad)
		ebb_app_note(app, "%s: %llu of %llu files that say what others are for cannot be understood; what they may be about stays",
			     cs->open.name, (unsigned long long)facts.bad, (unsigned long long)facts.files);
	if ((r = ebb_showback_record(app, ix, cs->open.name, err)) || (r = ebb_plan_packs_learn(app, ix, cs->open.name, err)))
		return r;
	if (app->json)
		r = print_json(app, cs, &s, err);
	else
		print_text(app, cs, &s);
	if (!r)
		r = ebb_out_flush(app->out, err);
	return r ? r : s.unreadable ? -EBB_EPARTIAL : 0;
}

/* The stores named, or all. -EBB_EUSAGE for a name that is none. */
static int choose(const struct ebb_config *c, const struct ebb_cli_args *args,
		  struct ebb_cmd_scan_told *ret, size_t *ret_n, struct ebb_err *err)
{
	size_t n = 0;

	for (int i = 0; i < ebb_cli_argc(args); i++) {
		ret[n].store = ebb_config_store(c, ebb_cli_arg(args, i));
		if (!ret[n++].store)
			return ebb_err_set(err, EBB_EUSAGE, "no store is called '%s' in '%s'",
					   ebb_cli_arg(args, i), c->path);
	}
	for (size_t i = 0; i < c->nstores && !ebb_cli_argc(args); i++)
		ret[n++].store = &c->stores[i];
	*ret_n = n;
	return 0;
}

int ebb_cmd_scan_stores(struct ebb_app *app, struct ebb_index *ix, const struct ebb_scan_opts *o,
			struct ebb_cmd_scan_told *told, size_t n, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) const char **names = calloc(n + 1, sizeof(*names));
	int worst = 0, r = names ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	for (size_t i = 0; i < n && !r; i++) {
		int one = scan_one(app, ix, &told[i], o, err);

		names[i] = told[i].store->open.name;

		if (one && (!worst || worst == -EBB_EPARTIAL))
			worst = one;
		if (err && err->code)
			r = one;
	}
	if (!r)
		r = ebb_realised_scanned(app, ix, names, n, err);
	return r ? r : worst;
}

static int scan_all(struct ebb_app *app, struct ebb_index *ix, const struct ebb_cli_args *args,
		    struct ebb_err *err)
{
	const struct ebb_config *c = app->config;
	size_t n = (size_t)ebb_cli_argc(args) + c->nstores;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_cmd_scan_told *cs = calloc(n + 1, sizeof(*cs));
	struct ebb_scan_opts o = {
		.restart = ebb_cli_flag(args, "restart"),
		.manifest = ebb_cli_string(args, "from-inventory"),
		.accept_new_root = ebb_cli_flag(args, "accept-new-root"),
		.accept_losses = ebb_cli_flag(args, "accept-losses"),
		.cross_filesystems = ebb_cli_flag(args, "cross-file-systems"),
		.threads = (unsigned)ebb_cli_number(args, "threads", 0),
		.max_requests = (uint64_t)ebb_cli_number(args, "max-requests", 0),
	};

	o.nexclude = ebb_cli_list(args, "exclude", &o.exclude);
	if (!cs)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int r = choose(c, args, cs, &n, err);
	if (!r && o.manifest && n != 1)
		r = ebb_err_set(err, EBB_EUSAGE, "--from-inventory: name the one store that it is of");
	return r ? r : ebb_cmd_scan_stores(app, ix, &o, cs, n, err);
}

int ebb_cmd_scan_hash(struct ebb_app *app, struct ebb_index *ix, const struct ebb_cli_args *args, bool all,
		      struct ebb_err *err)
{
	EBB_CLEANUP(ebb_hash_result_release) struct ebb_hash_result res = {0};
	EBB_CLEANUP(ebb_reach_release) struct ebb_reach reach = {0};
	struct ebb_hash_opts opts = {.all = all};
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];
	int r = ebb_reach_open(app, ix, NULL, true, &reach, err);

	for (size_t i = 0; r == 0 && ebb_cli_argc(args) && all && i < reach.n; i++) {
		reach.v[i].whole = false;
		for (int k = 0; k < ebb_cli_argc(args); k++)
			reach.v[i].whole |= strcmp(reach.v[i].st.name, ebb_cli_arg(args, k)) == 0;
	}
	if (r == 0)
		r = ebb_hash_run(app, ix, &reach, &opts, &res, err);
	if (r == 0)
		r = ebb_etags_run(app, ix, &reach, &opts, &res, err);
	if (r == -EBB_ECANCELLED)
		return ebb_err_set(err, EBB_ECANCELLED, "interrupted; what was read is kept");
	if (r < 0)
		return r;
	if (!app->json)
		fprintf(app->out, "  read %s, %s, to compare them, in %.1f s\n",
			ebb_out_things(res.sampled + res.whole, "object", a), ebb_out_bytes(res.bytes, b),
			(double)res.elapsed / 1e9);
	return ebb_hash_tell(app, &res);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *how = ebb_cli_string(args, "hash");
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	int r = ebb_app_config(app, err);

	if (!r)
		r = ebb_app_lock(app, "ebb scan", &lock, err);
	if (!r)
		r = ebb_app_index(app, false, &ix, err);
	if (!r)
		r = scan_all(app, ix, args, err);
	if ((r && r != -EBB_EPARTIAL) || !how || strcmp(how, "none") == 0)
		return r;
	int h = ebb_cmd_scan_hash(app, ix, args, strcmp(how, "all") == 0, err);
	return h ? h : r;
}

static const struct ebb_cli_option options[] = {
	{"exclude", 'x', EBB_CLI_LIST, "GLOB", "leave out keys that match; may be given again"},
	{"cross-file-systems", 0, EBB_CLI_FLAG, NULL, "enter other filesystems that are mounted below"},
	{"hash", 0, EBB_CLI_CHOICE, "none|candidates|all",
	 "read files for their digests: those that may be duplicates, or all (default: none)"},
	{"threads", 't', EBB_CLI_COUNT, "N", "folders read, or requests made, at the same time (default: chosen)"},
	{"max-requests", 0, EBB_CLI_COUNT, "N", "stop listing a bucket after so many requests; the next scan goes on there"},
	{"from-inventory", 0, EBB_CLI_STRING, "MANIFEST", "take the objects of a bucket from a report of S3 Inventory (its manifest.json)"},
	{"restart", 0, EBB_CLI_FLAG, NULL, "begin again instead of going on with an interrupted scan"},
	{"accept-new-root", 0, EBB_CLI_FLAG, NULL, "the root folder is another one than last time, and that is meant"},
	{"accept-losses", 0, EBB_CLI_FLAG, NULL, "most objects are gone since last time, and that is meant"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"store", "string", "name of the store; one object per store"},
	{"objects, bytes", "number", "in the index now; bytes count each inode once"},
	{"added, changed, same, gone", "number", "objects, against the last scan"},
	{"gone_bytes", "number", "bytes of those gone"},
	{"unreadable", "number", "folders that could not be read"},
	{"kept_unseen", "number", "objects below them, carried over from the last scan"},
	{"evidence", "string", "what the mount tells of reads: none, mtime, relatime, atime"},
	{"evidence_since", "string", "and since when; absent: always"},
	{"versions", "string", "whether a bucket keeps versions: none, suspended, enabled; absent where it did not say"},
	{"requests", "number", "pages of the listing that were asked for, where a bucket was scanned"},
	{"requests_nano", "number", "what they cost, in billionths of the currency; absent without a price"},
	{"resumed", "boolean", "whether an interrupted scan was gone on with"},
	{"elapsed_ms", "number", "milliseconds it took"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb scan", "scan every store",
	"ebb scan scratch --exclude '**/.git/**'", "scan one store and leave something out this time",
	NULL,
};

const struct ebb_cli_command ebb_cmd_scan = {
	.name = "scan",
	.summary = "bring the index up to date with the stores",
	.usage = "[STORE...]",
	.description =
		"Walks the stores, all or those named, and brings the index up to date: what is new, what changed, what is\n"
		"gone.\nFiles are looked at, not opened unless --hash asks for it, and no access time changes.\n"
		"\n"
		"Symlinks are recorded and not followed, other filesystems below are not entered unless asked.\n"
		"ebb's own trash, temporaries and index are left out.\n"
		"An interrupted scan is gone on with by the next.\n"
		"\n"
		"With --hash files are then read for digests of their content, which stay in the index while the files stay the\n"
		"same: candidates are those that share their size with others, in whatever store, as ebb-dupes would read them.\n"
		"\n"
		"A scan is refused, and the index stays as it was, when the root folder is not the one of the last scan or is\n"
		"empty, or when more than half of at least 100 objects are gone: most often a mount is missing.\n"
		"The options --accept-new-root and --accept-losses say that it is meant.\n"
		"\n"
		"Folders that cannot be read are named, and what the index held below them stays; the exit status is 1 then.\n"
		"One store's failure does not keep the others from being scanned.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = -1,
	.run = run,
};
