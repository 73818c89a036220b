/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb dupes: what is stored more than once. */
#include <stdlib.h>
#include <string.h>

#include "agent/chunks.h"
#include "agent/cli.h"
#include "agent/etags.h"
#include "agent/fetch.h"
#include "agent/groups.h"
#include "agent/hash_tell.h"
#include "agent/out.h"
#include "compress/digest.h"

#define LIMIT 20	/* groups shown to people */

struct dupes {
	struct ebb_app *app;
	struct ebb_reach reach;
	struct ebb_snap *snap;
	struct ebb_groups *groups;
	struct ebb_place *places;
	const char *currency;
	int64_t min_size;
	struct ebb_fetch_budget budget;
	bool links;
};

static void release(struct dupes *d)
{
	ebb_groups_free(d->groups);
	ebb_place_close(d->places);
	ebb_snap_close(d->snap);
	ebb_reach_release(&d->reach);
}

/* --- What is missing is read first --- */

static void tell_fetched(struct dupes *d, const struct ebb_fetch_result *r)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	if (r->objects)
		ebb_app_note(d->app, "downloaded %s from buckets with %s", ebb_out_bytes(r->bytes, a),
			     ebb_out_things(r->objects, "request", b));
	if (r->over)
		ebb_app_note(d->app, "%s beyond --max-download or --max-requests not compared", ebb_out_things(r->over, "object", a));
	if (r->dear)
		ebb_app_note(d->app, "%s not compared: reading costs more than a year of keeping, or nobody knows what",
			     ebb_out_things(r->dear, "object", a));
}

/* Returns 0, -EBB_EPARTIAL when some objects could not be compared, or why it could not be done. */
static int hash(struct dupes *d, struct ebb_index *ix, unsigned threads, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_hash_result_release) struct ebb_hash_result res = {0};
	struct ebb_hash_opts opts = {.min_size = d->min_size, .links = d->links, .threads = threads};
	struct ebb_fetch_result fetched = {0};
	int rc = ebb_hash_run(d->app, ix, &d->reach, &opts, &res, err);

	if (rc == 0)
		rc = ebb_etags_run(d->app, ix, &d->reach, &opts, &res, err);
	if (rc == 0)
		rc = ebb_fetch_run(d->app, ix, &d->reach, d->min_size, d->budget, &res, &fetched, err);
	tell_fetched(d, &fetched);
	if (rc == -EBB_ECANCELLED)
		return ebb_err_set(err, EBB_ECANCELLED, "interrupted; what was read is kept");
	return rc < 0 ? rc : ebb_hash_tell(d->app, &res);
}

/* --- For programs --- */

static int json_member(struct dupes *d, const struct ebb_group_member *m, bool first, struct ebb_err *err)
{
	const struct ebb_index_store *st = &d->reach.v[m->store].st;
	FILE *f = d->app->out;
	const char *key, *id;
	size_t len, id_len;
	int rc = ebb_place_key(d->places, st, m->place, &key, &len, err);

	if (rc < 0)
		return rc;
	fprintf(f, "%s{\"store\":\"%s\",", first ? "" : ",", st->name);
	id = ebb_record_hidden_id(key, len, &id_len);
	rc = ebb_out_json_put_key(f, key, ebb_record_plain_len(key, len), err);
	if (rc == 0 && id) {
		json_t *text = json_stringn_nocheck(id, id_len);

		fputs(",\"id\":", f);
		if (!text || json_dumpf(text, f, JSON_ENCODE_ANY) < 0)
			rc = ebb_err_set(err, EBB_ENOMEM, "out of memory");
		json_decref(text);
	}
	fprintf(f, ",\"alloc\":%lld,\"linked\":%s,\"shared\":%s}", (long long)m->alloc,
		m->linked ? "true" : "false", m->shared ? "true" : "false");
	if (rc == 0 && ferror(f))
		rc = ebb_out_failed(f, err);
	return rc;
}

/* A group may have millions of members, so the object is not made as a whole. */
static int json_group(struct dupes *d, const struct ebb_group *g, struct ebb_err *err)
{
	char digest[2 * EBB_DIGEST_LEN + 1];
	struct ebb_group_member m;
	int rc = 0, n = 0;

	ebb_digest_hex(g->digest, EBB_DIGEST_LEN, digest);
	fprintf(d->app->out,
		"{\"size_bytes\":%lld,\"digest\":\"%s\",\"digest_is\":\"%s\",\"names\":%llu,\"copies\":%llu,"
		"\"redundant_bytes\":%lld,",
		(long long)g->size, digest, g->parts < 0 ? "xxh128" : "etag", (unsigned long long)g->members, (unsigned long long)g->inodes,
		(long long)g->redundant);
	if (g->priced)
		fprintf(d->app->out, "\"redundant_month_nano\":%lld,\"currency\":\"%s\",", (long long)g->saving,
			d->currency);
	else
		fputs("\"redundant_month_nano\":null,\"currency\":null,", d->app->out);
	fputs("\"members\":[", d->app->out);
	while (ebb_groups_member(d->groups, &m))
		if ((rc = json_member(d, &m, n++ == 0, err)) < 0)
			return rc;
	fputs("]}\n", d->app->out);
	return 0;
}

static int json_totals(struct dupes *d, struct ebb_err *err)
{
	const struct ebb_groups_totals *t = ebb_groups_totals(d->groups);

	return ebb_out_json(d->app->out,
			    json_pack("{sI sI sI sI sI sI ss}", "groups", (json_int_t)t->groups, "names",
				      (json_int_t)t->members, "redundant_copies", (json_int_t)t->copies,
				      "redundant_bytes", (json_int_t)t->redundant, "redundant_month_nano",
				      (json_int_t)t->saving, "unpriced_groups", (json_int_t)t->unpriced,
				      "currency", d->currency),
			    err);
}

/* --- For people --- */

/* Which version it is, of a noncurrent one. */
static void text_version(FILE *f, const char *key, size_t len)
{
	size_t n;
	const char *id = ebb_record_hidden_id(key, len, &n);

	if (!id)
		return;
	fputs("  (version ", f);
	ebb_out_name(f, id, n);
	fputc(')', f);
}

static int text_group(struct dupes *d, const struct ebb_group *g, struct ebb_err *err)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX], e[EBB_OUT_TEXT_MAX];
	FILE *f = d->app->out;
	struct ebb_money cost = {.nano = g->saving};
	struct ebb_group_member m;

	memcpy(cost.currency, d->currency, sizeof(cost.currency) - 1);
	fprintf(f, "%s%s%s redundant, %s a month: %s of %s", ebb_out_bold(f), ebb_out_bytes((uint64_t)g->redundant, a),
		ebb_out_plain(f), g->priced ? ebb_out_money(&cost, b) : "unpriced",
		g->inodes == 1 ? "1 copy" : ebb_out_count(g->inodes, c), ebb_out_bytes((uint64_t)g->size, e));
	fputc('\n', f);
	while (ebb_groups_member(d->groups, &m)) {
		const struct ebb_index_store *st = &d->reach.v[m.store].st;
		const char *key;
		size_t len;
		int rc = ebb_place_key(d->places, st, m.place, &key, &len, err);

		if (rc < 0)
			return rc;
		fprintf(f, "  %s:", st->name);
		ebb_out_name(f, key, ebb_record_plain_len(key, len));
		text_version(f, key, len);
		fputs(m.linked ? "  (hard link)\n" : m.shared ? "  (shares its blocks)\n" : "\n", f);
	}
	return 0;
}

static int text_totals(struct dupes *d, uint64_t shown)
{
	const struct ebb_groups_totals *t = ebb_groups_totals(d->groups);
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], c[EBB_OUT_TEXT_MAX];
	struct ebb_money cost = {.nano = t->saving};
	FILE *f = d->app->out;

	memcpy(cost.currency, d->currency, sizeof(cost.currency) - 1);
	if (t->groups == 0) {
		fputs("no duplicates\n", f);
		return 0;
	}
	if (shown && shown < t->groups)
		fprintf(f, "%s are not shown; --limit 0 shows all\n", ebb_out_things(t->groups - shown, "group", a));
	fprintf(f, "%s, %s redundant in %s", ebb_out_things(t->groups, "group", a),
		ebb_out_bytes((uint64_t)t->redundant, b), t->copies == 1 ? "1 copy" : ebb_out_count(t->copies, c));
	fputs(t->copies == 1 ? "" : " copies", f);
	if (t->unpriced < t->groups)
		fprintf(f, ", %s a month", ebb_out_money(&cost, a));
	if (t->unpriced)
		fprintf(f, "%s%s without a price", t->unpriced < t->groups ? " and " : "; ",
			ebb_out_things(t->unpriced, "group", a));
	fputc('\n', f);
	return 0;
}

/* --- Chunks --- */

static int chunks(struct dupes *d, struct ebb_index *ix, unsigned threads, struct ebb_err *err)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], e[EBB_OUT_TEXT_MAX];
	struct ebb_chunks c;
	int rc = ebb_snap_open(ix, &d->snap, err);

	if (rc == 0)
		rc = ebb_chunks_count(d->app, d->snap, &d->reach, d->min_size, threads, &c, err);
	if (rc < 0)
		return rc;
	double bytes = (double)c.sum.bytes;
	if (d->app->json)
		rc = ebb_out_json(d->app->out,
				  json_pack("{sI sI sI sI sI sI}", "files", (json_int_t)c.files, "skipped",
					    (json_int_t)c.skipped, "bytes", (json_int_t)c.sum.bytes, "chunks",
					    (json_int_t)c.sum.chunks, "saved_bytes",
					    (json_int_t)(bytes * c.sum.saved), "error_bytes",
					    (json_int_t)(bytes * c.sum.error)),
				  err);
	else
		fprintf(d->app->out,
			"storing equal chunks once would save %.1f %% (+- %.1f) of %s in %s: about %s, whole duplicates included\n",
			100 * c.sum.saved, 100 * c.sum.error, ebb_out_bytes(c.sum.bytes, a),
			ebb_out_things(c.files, "file", b), ebb_out_bytes((uint64_t)(bytes * c.sum.saved), e));
	if (rc == 0)
		rc = ebb_out_flush(d->app->out, err);
	if (rc == 0 && c.skipped)
		ebb_app_note(d->app, "%s changed or could not be read", ebb_out_things(c.skipped, "object", a));
	return rc == 0 && c.skipped ? -EBB_EPARTIAL : rc;
}

/* --- The command --- */

static int show(struct dupes *d, bool summary, uint64_t limit, struct ebb_err *err)
{
	struct ebb_group g;
	uint64_t shown = 0;
	int rc = 0;

	while (!summary && (limit == 0 || shown < limit) && (rc = ebb_groups_next(d->groups, &g, err)) == 1) {
		rc = d->app->json ? json_group(d, &g, err) : text_group(d, &g, err);
		if (rc < 0 || (rc = ebb_app_cancelled(d->app, err)) < 0)
			return rc;
		shown++;
	}
	if (rc < 0)
		return rc;
	if (!d->app->json)
		rc = text_totals(d, shown);
	else if (summary)
		rc = json_totals(d, err);
	return rc < 0 ? rc : ebb_out_flush(d->app->out, err);
}

static int group(struct dupes *d, struct ebb_index *ix, struct ebb_err *err)
{
	int rc = ebb_snap_open(ix, &d->snap, err);

	if (rc == 0)
		rc = ebb_place_open(d->snap, &d->places, err);
	return rc < 0 ? rc : ebb_groups_find(d->app, d->snap, &d->reach, d->min_size, d->links, &d->groups, err);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(release) struct dupes d = {.app = app, .currency = ""};
	bool cut = ebb_cli_flag(args, "chunks"), known = ebb_cli_flag(args, "known") || cut;
	unsigned threads = (unsigned)ebb_cli_number(args, "threads", 0);
	int partial = 0, rc = ebb_app_config_optional(app, err);

	d.min_size = ebb_cli_number(args, "min-size", 1);
	d.budget = (struct ebb_fetch_budget){ebb_cli_number(args, "max-download", 0), ebb_cli_number(args, "max-requests", INT64_MAX)};
	d.links = ebb_cli_flag(args, "hard-links");
	known |= !app->config;
	if (app->config)
		d.currency = ebb_price_currency(app->config->prices);
	if (rc == 0)
		rc = ebb_app_index(app, true, &ix, err);
	if (rc == 0 && !known) { /* an index that is missing was told; from here on it is written to */
		ebb_index_close(ix);
		ix = NULL;
		rc = ebb_app_lock(app, "ebb dupes", &lock, err);
	}
	if (rc == 0 && !known)
		rc = ebb_app_index(app, false, &ix, err);
	if (rc == 0)
		rc = ebb_reach_open(app, ix, args, app->config != NULL, &d.reach, err);
	if (rc == 0 && !known)
		partial = rc = hash(&d, ix, threads, err);
	if (rc == 0 && cut)
		return chunks(&d, ix, threads, err);
	if (rc == 0 || rc == -EBB_EPARTIAL)
		rc = group(&d, ix, err);
	if (rc == 0)
		rc = show(&d, ebb_cli_flag(args, "summary"),
			  (uint64_t)ebb_cli_number(args, "limit", app->json ? 0 : LIMIT), err);
	return rc < 0 ? rc : partial;
}

static const struct ebb_cli_option options[] = {
	{"min-size", 'm', EBB_CLI_BYTES, "SIZE", "leave out smaller objects (default: empty ones)"},
	{"limit", 'l', EBB_CLI_COUNT, "N", "show the N dearest groups (default: 20, with --json all); 0: all"},
	{"summary", 's', EBB_CLI_FLAG, NULL, "show only the totals"},
	{"hard-links", 'H', EBB_CLI_FLAG, NULL, "also show groups of names of one inode, which hold nothing redundant"},
	{"known", 'k', EBB_CLI_FLAG, NULL, "read nothing: only what the index knows already"},
	{"max-download", 0, EBB_CLI_BYTES, "SIZE", "read objects of buckets that tags cannot tell apart, so much at most (default: none)"},
	{"max-requests", 0, EBB_CLI_COUNT, "N", "with --max-download: read at most N of them, by a request each (default: all)"},
	{"chunks", 0, EBB_CLI_FLAG, NULL,
	 "estimate what storing equal chunks of files once would save; reads everything"},
	{"threads", 't', EBB_CLI_COUNT, "N", "objects read at the same time (default: chosen)"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"size_bytes", "number", "content of each copy; one object a group, dearest first"},
	{"digest", "string", "of the content, in hex"},
	{"digest_is", "string", "xxh128: XXH3-128, read by ebb; etag: the entity tag that a bucket gives, without its number of parts"},
	{"names, copies", "number", "members, and objects behind them: names of one inode are one copy"},
	{"redundant_bytes", "number", "allocated to all copies but the one that costs least, shared blocks once"},
	{"redundant_month_nano", "number", "what those bytes cost a month, in billionths; null without a price"},
	{"currency", "string", "of the amounts; null without a price"},
	{"members", "array", "store, path or path_b64, id (of a noncurrent version), alloc (bytes), linked (another name of the inode before it), shared (its blocks are "
			     "another member's)"},
	{"groups, redundant_copies, unpriced_groups", "number", "with --summary: one object with the totals, also names, redundant_bytes, "
								"redundant_month_nano and currency"},
	{"files, skipped, bytes, chunks", "number", "with --chunks: one object with what was read and cut"},
	{"saved_bytes, error_bytes", "number", "with --chunks: estimated saving, and half the width of its 95 % interval"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb dupes", "what is stored more than once, over all stores",
	"ebb dupes --min-size 1MiB /data/runs", "among the larger files of one folder",
	"ebb dupes --json | jq -r '.members[1:][].path'", "every redundant name, for a program",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_dupes;
const struct ebb_cli_command ebb_cmd_dupes = {
	.name = "dupes",
	.summary = "find what is stored more than once, and what that costs",
	.usage = "[STORE[:PREFIX]|PATH...]",
	.description =
		"Groups the objects of the index whose content is equal, across all stores or among those named, dearest first.\n"
		"The index is as of the last scan.\n"
		"Objects that share their size and whose content is not known yet are read first, under the run lock: small ones\n"
		"whole, larger ones in three places, and all of those that still look alike.\n"
		"What was learned stays in the index, so the next time only what is new or changed is read.\n"
		"Reading does not change access times where the system allows.\n"
		"\n"
		"Names of one inode are one copy, and so are files that share their blocks (reflinks), on filesystems that\n"
		"tell: btrfs, xfs, bcachefs and ocfs2.\n"
		"A copy counts what is allocated for it, so holes cost nothing.\n"
		"The copy that costs least to keep is not redundant.\n"
		"Noncurrent versions of buckets are copies like others; rules with 'versions: noncurrent' delete them.\n"
		"Symlinks and empty files are left out.\n"
		"\n"
		"With --chunks all files are read and cut into chunks of 4 to 64 KiB by their content, so that equal stretches of\n"
		"checkpoints and versions of datasets are found wherever they begin.\n"
		"The saving is estimated from a sample of distinct chunks, with its error; small sets are counted whole.\n"
		"\n"
		"Objects of buckets are not read unless --max-download says how much: their entity tags are compared with each other, and with those\n"
		"that a file of the same size would get, whole or in parts of the usual sizes.\n"
		"\n"
		"Equal digests propose; nothing is changed.\n"
		"Objects that changed since the scan or cannot be read are named and left out; the exit status is 1 then.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = -1,
	.run = run,
};
