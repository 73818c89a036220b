/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb find: objects that meet a condition, streamed from the index. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/find_order.h"
#include "agent/out.h"
#include "agent/target.h"
#include "core/buf.h"
#include "core/cursor.h"
#include "core/order.h"
#include "core/units.h"
#include "policies/expr_block.h"
#include "policies/glob.h"

enum { ORDERED_LIMIT = 100, ORDERED_MAX = 1000000 };

/* An object kept for printing in order. */
struct hit {
	int64_t rank;
	uint64_t seq;	/* equal ranks stay in the order of keys */
	const char *store;
	struct ebb_record rec;	/* its key is owned */
};

struct find {
	struct ebb_app *app;
	const struct ebb_expr *where;	/* or NULL */
	struct ebb_expr_block *work;
	struct ebb_expr_env env;
	struct ebb_glob *name;		/* over the last part, or NULL */
	bool count;
	int order;			/* enum order */
	bool desc;
	uint64_t limit;			/* 0: none */
	bool all;			/* every object in order: from the index's own order */
	struct ebb_snap *snap;		/* borrowed */
	uint64_t found, bytes;
	struct hit *heap;		/* the worst of the kept ones at the top */
	size_t nheap;
	struct ebb_block_iter *it;
	uint8_t truth[EBB_BLOCK_MAX];
	struct stores {
		char name[EBB_INDEX_NAME_MAX + 1];
		struct stores *next;
	} *stores;			/* names that outlive their target */
};

enum order { ORDER_NONE, ORDER_SIZE, ORDER_MTIME, ORDER_ATIME, ORDER_IDLE };

static const char *const order_names[] = {"", "size", "mtime", "atime", "idle"};

/* --- Printing --- */

static int print_json(struct find *f, const char *store, const struct ebb_record *r,
		      struct ebb_err *err)
{
	json_t *o = json_pack("{ss}", "store", store);
	struct ebb_span idle = ebb_record_idle(r, f->env.now, EBB_TRUST_CERTAIN);
	struct ebb_span likely = ebb_record_idle(r, f->env.now, EBB_TRUST_LIKELY);

	ebb_out_json_record(o, r, f->app->names);
	json_object_set_new(o, "idle_min", json_integer(idle.lo / 1000000000));
	if (idle.hi != INT64_MAX)
		json_object_set_new(o, "idle_max", json_integer(idle.hi / 1000000000));
	if (likely.lo != idle.lo)
		json_object_set_new(o, "idle_likely_min", json_integer(likely.lo / 1000000000));
	return ebb_out_json(f->app->out, o, err);
}

/* "41 d", "< 200 d" when only an upper bound is known, "?" */
static const char *idle_text(struct ebb_span idle, char buf[EBB_OUT_TEXT_MAX])
{
	const int64_t day = INT64_C(86400) * 1000000000;

	if (idle.hi == INT64_MAX)
		snprintf(buf, EBB_OUT_TEXT_MAX, idle.lo / day ? "> %lld d" : "?",
			 (long long)(idle.lo / day));
	else if (idle.hi - idle.lo > day)
		snprintf(buf, EBB_OUT_TEXT_MAX, "%lld-%lld d", (long long)(idle.lo / day),
			 (long long)(idle.hi / day));
	else
		snprintf(buf, EBB_OUT_TEXT_MAX, "%lld d", (long long)(idle.lo / day));
	return buf;
}

/* A hidden record by its key, and what it is: the key in the index is no name for people. */
static void print_name(FILE *out, const struct ebb_record *r)
{
	static const char *const what[EBB_KIND_COUNT] = {
		[EBB_KIND_VERSION] = "version", [EBB_KIND_MARKER] = "delete marker", [EBB_KIND_UPLOAD] = "unfinished upload",
	};
	size_t len = 0;
	const char *id = ebb_record_hidden_id(r->key, r->key_len, &len);

	ebb_out_name(out, r->key, ebb_record_plain_len(r->key, r->key_len));
	if (!id)
		return;
	fprintf(out, "  (%s ", what[r->f[EBB_F_KIND]]);
	ebb_out_name(out, id, len);
	fputc(')', out);
}

/* Bytes of content that the store keeps; sizes of folders and links say nothing. */
static uint64_t content(const struct ebb_record *r)
{
	int64_t kind = r->f[EBB_F_KIND];
	bool holds = kind == EBB_KIND_FILE || kind == EBB_KIND_VERSION || kind == EBB_KIND_UPLOAD;

	return holds ? (uint64_t)r->f[EBB_F_SIZE] : 0;
}

static int print_text(struct find *f, const char *store, const struct ebb_record *r,
		      struct ebb_err *err)
{
	char size[EBB_OUT_TEXT_MAX], idle[EBB_OUT_TEXT_MAX], date[16] = "?";
	time_t t = (time_t)(r->f[EBB_F_MTIME] / 1000000000);
	struct tm tm;
	FILE *out = f->app->out;

	if (ebb_record_has(r, EBB_F_MTIME) && gmtime_r(&t, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	fprintf(out, "%10s  %10s  %9s  %s:",
		content(r) || r->f[EBB_F_KIND] == EBB_KIND_FILE ? ebb_out_bytes(content(r), size) : "-",
		date, idle_text(ebb_record_idle(r, f->env.now, EBB_TRUST_LIKELY), idle), store);
	print_name(out, r);
	fputc('\n', out);
	return ferror(out) ? ebb_out_flush(out, err) : 0;
}

static int print(struct find *f, const char *store, const struct ebb_record *r, struct ebb_err *err)
{
	return f->app->json ? print_json(f, store, r, err) : print_text(f, store, r, err);
}

/* --- The N first in an order --- */

static int64_t rank(const struct find *f, const struct ebb_record *r)
{
	switch (f->order) {
	case ORDER_SIZE:
		return r->f[EBB_F_SIZE];
	case ORDER_MTIME:
		return r->f[EBB_F_MTIME];
	case ORDER_ATIME:
		return r->f[EBB_F_ATIME];
	default:
		return ebb_record_idle(r, f->env.now, EBB_TRUST_LIKELY).lo;
	}
}

/* Whether @a comes before @b in what is printed. */
static bool before(const struct find *f, const struct hit *a, const struct hit *b)
{
	if (a->rank != b->rank)
		return f->desc ? a->rank > b->rank : a->rank < b->rank;
	return a->seq < b->seq;
}

static void sift_down(struct find *f, size_t i)
{
	for (;;) {
		size_t worst = i, l = 2 * i + 1;

		if (l < f->nheap && before(f, &f->heap[worst], &f->heap[l]))
			worst = l;
		if (l + 1 < f->nheap && before(f, &f->heap[worst], &f->heap[l + 1]))
			worst = l + 1;
		if (worst == i)
			return;
		struct hit h = f->heap[i];
		f->heap[i] = f->heap[worst];
		f->heap[worst] = h;
		i = worst;
	}
}

static void sift_up(struct find *f, size_t i)
{
	while (i && before(f, &f->heap[(i - 1) / 2], &f->heap[i])) {
		struct hit h = f->heap[i];
		f->heap[i] = f->heap[(i - 1) / 2];
		f->heap[(i - 1) / 2] = h;
		i = (i - 1) / 2;
	}
}

static int keep(struct find *f, const char *store, const struct ebb_record *r, struct ebb_err *err)
{
	struct hit h = {.rank = rank(f, r), .seq = f->found, .store = store, .rec = *r};

	if (f->nheap == f->limit && !before(f, &h, &f->heap[0]))
		return 0;
	char *key = malloc((size_t)r->key_len + 1);
	if (!key)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	memcpy(key, r->key, r->key_len);
	h.rec.key = key;
	if (f->nheap < f->limit) {
		f->heap[f->nheap++] = h;
		sift_up(f, f->nheap - 1);
		return 0;
	}
	free((void *)(uintptr_t)f->heap[0].rec.key);
	f->heap[0] = h;
	sift_down(f, 0);
	return 0;
}

/* Take the worst off again and again: what is left in place is sorted. */
static int print_heap(struct find *f, struct ebb_err *err)
{
	size_t n = f->nheap;
	int r = 0;

	while (f->nheap > 1) {
		struct hit h = f->heap[0];
		f->heap[0] = f->heap[--f->nheap];
		f->heap[f->nheap] = h;
		sift_down(f, 0);
	}
	for (size_t i = 0; i < n && !r; i++)
		r = print(f, f->heap[i].store, &f->heap[i].rec, err);
	f->nheap = n;
	return r;
}

/* --- Walking --- */

/* The last part of a key, without the slash of a folder, matches the glob. */
static bool name_matches(const struct ebb_glob *glob, const char *key, size_t len)
{
	len -= len && key[len - 1] == '/';
	const char *slash = memrchr(key, '/', len);
	size_t from = slash ? (size_t)(slash - key) + 1 : 0;

	return ebb_glob_match(glob, key + from, len - from);
}

/* @truth is what the columns say: only true and false are final when the condition needs the key. */
static bool meets(struct find *f, const struct ebb_target_at *at, const struct ebb_record *r,
		  enum ebb_truth truth)
{
	if (truth == EBB_FALSE || !ebb_target_has(at->target, r->key, r->key_len))
		return false;
	if (f->name && !name_matches(f->name, r->key, r->key_len))
		return false;
	return truth == EBB_TRUE ||
	       (ebb_expr_needs_key(f->where) && ebb_expr_eval(f->where, &f->env, r) == EBB_TRUE);
}

static int hit(struct find *f, const char *store, const struct ebb_record *r, struct ebb_err *err)
{
	f->found++;
	if (!(r->f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN))
		f->bytes += content(r);
	if (f->count)
		return 0;
	return f->order && !f->all ? keep(f, store, r, err) : print(f, store, r, err);
}

/* Judge a block by its columns. Returns false when nothing in it can be meant. */
static bool judge(struct find *f, const struct ebb_block *b)
{
	if (!f->where) {
		memset(f->truth, EBB_TRUE, b->n);
		return true;
	}
	enum ebb_truth least = ebb_expr_needs_key(f->where) ? EBB_UNKNOWN : EBB_TRUE;
	ebb_expr_block_use(f->work, b, f->env.now);
	ebb_expr_block_eval(f->work, f->where, &f->env, f->truth);
	for (uint32_t i = 0; i < b->n; i++)
		if (f->truth[i] >= least)
			return true;
	return false;
}

static bool enough(const struct find *f)
{
	return f->limit && !f->order && !f->count && f->found >= f->limit;
}

static int block(struct find *f, const struct ebb_target_at *at, const char *store,
		 const struct ebb_block *b, struct ebb_err *err)
{
	struct ebb_record rec;
	int r;

	if (!judge(f, b))
		return 0;
	ebb_block_iter_init(f->it, b);
	for (uint32_t i = 0; (r = ebb_block_iter_next(f->it, &rec, err)) > 0; i++) {
		if (!meets(f, at, &rec, f->truth[i]))
			continue;
		r = hit(f, store, &rec, err);
		if (r || enough(f))
			return r;
	}
	return r;
}

/* A name that lives as long as the hits. */
static const char *remember(struct find *f, const char *name)
{
	struct stores *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	memcpy(s->name, name, sizeof(s->name));
	s->next = f->stores;
	f->stores = s;
	return s->name;
}

static enum ebb_field order_field(const struct find *f)
{
	return f->order == ORDER_SIZE ? EBB_F_SIZE : f->order == ORDER_MTIME ? EBB_F_MTIME : EBB_F_ATIME;
}

/* Every object of one store in order, as the index keeps it. */
static int walk_order(struct find *f, const struct ebb_target_at *at, const char *store,
		      struct ebb_err *err)
{
	EBB_CLEANUP(ebb_order_closep) struct ebb_order *o = NULL;
	struct ebb_record rec;
	int r = ebb_order_open(f->snap, at->store, order_field(f), f->desc, &o, err);

	while (!r && (r = ebb_order_next(o, &rec, err)) > 0) {
		enum ebb_truth t = f->where ? ebb_expr_eval(f->where, &f->env, &rec) : EBB_TRUE;

		r = meets(f, at, &rec, t == EBB_TRUE ? t : EBB_FALSE) ? hit(f, store, &rec, err) : 0;
		if (!r)
			r = ebb_app_cancelled(f->app, err);
	}
	return r;
}

static int walk(void *ctx, const struct ebb_target_at *at, struct ebb_err *err)
{
	struct find *f = ctx;
	const char *store = remember(f, at->store->name);
	struct ebb_block b;
	int r = 1;

	if (!store)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	f->env.store = store;
	f->env.class = at->class;
	if (f->all)
		return walk_order(f, at, store, err);
	while (!enough(f) && (r = ebb_cursor_next(at->cursor, &b, err)) > 0) {
		r = block(f, at, store, &b, err);
		if (!r)
			r = ebb_app_cancelled(f->app, err);
		if (r)
			return r;
	}
	return r < 0 ? r : 0;
}

/* --- The command --- */

/* "size", "size,desc", "size desc" */
static int parse_order(const char *s, struct find *f, struct ebb_err *err)
{
	size_t n = strcspn(s, ", ");

	for (int i = ORDER_SIZE; i <= ORDER_IDLE; i++)
		if (strlen(order_names[i]) == n && memcmp(order_names[i], s, n) == 0)
			f->order = i;
	f->desc = s[n] && strcmp(s + n + 1, "desc") == 0;
	if (f->order && (!s[n] || f->desc || strcmp(s + n + 1, "asc") == 0))
		return 0;
	return ebb_err_set(err, EBB_EUSAGE,
			   "--order-by: expected size, mtime, atime or idle, with ',desc' for the greatest first; got '%s'",
			   s);
}

static int prepare(struct find *f, const struct ebb_cli_args *args, struct ebb_arena *arena,
		   struct ebb_err *err)
{
	const char *where = ebb_cli_string(args, "where"), *order = ebb_cli_string(args, "order-by");
	const char *name = ebb_cli_string(args, "name");
	const struct ebb_expr_place place = {.file = "--where", .line = 1, .col = 1};
	struct ebb_expr *e = NULL;
	int r = order ? parse_order(order, f, err) : 0;

	if (r)
		return r;
	f->env = (struct ebb_expr_env){
		.now = ebb_app_now(f->app),
		.trust = ebb_cli_flag(args, "certain") ? EBB_TRUST_CERTAIN : EBB_TRUST_LIKELY,
	};
	f->count = ebb_cli_flag(args, "count");
	f->limit = (uint64_t)ebb_cli_number(args, "limit", f->order ? ORDERED_LIMIT : 0);
	f->all = f->order && !f->count && f->limit == 0;
	if (f->all && f->order == ORDER_IDLE)
		return ebb_err_set(err, EBB_EUSAGE,
				   "--limit 0: idle is judged object by object; order by atime, or name a limit");
	if (f->order && f->limit > ORDERED_MAX)
		return ebb_err_set(err, EBB_EUSAGE,
				   "--limit: with --order-by, 1 to %d objects can be shown, or all with 0",
				   ORDERED_MAX);
	f->it = malloc(sizeof(*f->it));
	f->work = ebb_expr_block_new();
	bool heap = f->order && !f->count && !f->all;
	if (heap)
		f->heap = calloc(f->limit, sizeof(*f->heap));
	if (!f->it || !f->work || (heap && !f->heap))
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (where)
		r = ebb_expr_compile(arena, where, &place, NULL, 0, &e, err);
	f->where = e;
	if (!r && name) {
		r = ebb_glob_compile(arena, name, &f->name, err);
		if (r)
			ebb_err_wrap(err, "--name");
	}
	/* What is wrong stands on the command line, not in a file. */
	if (r == -EBB_ECONFIG && err)
		err->code = EBB_EUSAGE;
	return r == -EBB_ECONFIG ? -EBB_EUSAGE : r;
}

static void release(struct find *f)
{
	for (size_t i = 0; i < f->nheap; i++)
		free((void *)(uintptr_t)f->heap[i].rec.key);
	free(f->heap);
	free(f->it);
	ebb_expr_block_free(f->work);
	while (f->stores) {
		struct stores *next = f->stores->next;

		free(f->stores);
		f->stores = next;
	}
}

static int finish(struct find *f, struct ebb_err *err)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	if (f->count && f->app->json)
		return ebb_out_json(f->app->out,
				    json_pack("{sI sI}", "objects", (json_int_t)f->found, "bytes",
					      (json_int_t)f->bytes),
				    err);
	if (f->count) {
		fprintf(f->app->out, "%s, %s\n", ebb_out_things(f->found, "object", a),
			ebb_out_bytes(f->bytes, b));
		return 0;
	}
	int r = print_heap(f, err);
	if (!r && f->order && f->limit && f->found > f->limit)
		ebb_app_note(f->app, "%s objects meet the condition; --limit N shows more",
			     ebb_out_count(f->found, a));
	return r;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	EBB_CLEANUP(ebb_index_closep) struct ebb_index *ix = NULL;
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(release) struct find f = {.app = app};

	ebb_arena_init(&arena, 16 * 1024 * 1024);
	int r = prepare(&f, args, &arena, err);
	if (!r)
		r = ebb_app_config_optional(app, err);
	if (!r && f.all)
		r = ebb_find_order_build(app, args, order_field(&f), err);
	if (!r)
		r = ebb_app_index(app, true, &ix, err);
	if (!r)
		r = ebb_app_snap(app, ix, &snap, err);
	f.snap = snap;
	f.env.names = app->names;
	if (!r)
		r = ebb_target_each(app, snap, args, walk, &f, err);
	return r ? r : finish(&f, err);
}

static const struct ebb_cli_option options[] = {
	{"where", 'w', EBB_CLI_STRING, "EXPR", "only objects for which the condition is true; what is unknown is left out"},
	{"certain", 0, EBB_CLI_FLAG, NULL, "do not believe access logs, which may have lost reads"},
	{"name", 0, EBB_CLI_STRING, "GLOB", "only objects whose last part of the name matches"},
	{"order-by", 'o', EBB_CLI_STRING, "FIELD[,desc]",
	 "sort by size, mtime, atime or idle (default: by key)"},
	{"limit", 'l', EBB_CLI_COUNT, "N",
	 "show at most N objects (default with --order-by: 100; 0: all files of each store, by an order kept in the index)"},
	{"count", 0, EBB_CLI_FLAG, NULL, "only count them and their bytes"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"store", "string", "name of the store"},
	{"path", "string", "key in the store, when it is UTF-8; folders end in /"},
	{"id", "string", "of an old version, a delete marker or an unfinished upload"},
	{"path_b64", "string", "the key in base64, when it is not UTF-8"},
	{"kind", "string", "file, dir, symlink, special, version, marker or upload"},
	{"size, alloc", "number", "bytes of content, bytes allocated on the medium"},
	{"class", "string", "storage class of the object itself, where its store tells"},
	{"mtime, atime, ctime", "string", "times as RFC 3339 in UTC"},
	{"mode", "string", "permission bits in octal"},
	{"uid, gid, nlink, ino, dev", "number", "as stat(2) gives them"},
	{"evidence", "string", "where atime comes from: none, mtime (reads are not recorded), relatime, atime"},
	{"evidence_since, evidence_until", "string", "reads have been recorded since and until then; absent: always, until the scan"},
	{"idle_min, idle_max", "number", "seconds since last access, at least and at most; idle_max is absent when unbounded"},
	{"idle_likely_min", "number", "the same if access logs lost no reads; absent when it says no more"},
	{"reads, read_bytes", "number", "reads that access logs counted since evidence_since, and the bytes they fetched"},
	{"linked_twin, unseen, changing, mount", "boolean", "present when true: another name of an inode, not seen by the last scan, modified during it, a mount point"},
	{"objects, bytes", "number", "with --count, the only fields"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb find --where 'idle > 180d and size > 1GiB' --order-by size,desc", "the largest that nobody has read for half a year",
	"ebb find /data/scratch --name '*.tmp' --count", "how many temporary files there are, and how large",
	"ebb find lake:runs/ --json | jq -r .path", "keys below a prefix, for a program",
	NULL,
};

const struct ebb_cli_command ebb_cmd_find = {
	.name = "find",
	.summary = "list objects that meet a condition",
	.usage = "[STORE[:PREFIX]|PATH...]",
	.description =
		"Lists what the index holds, as of the last scan; the stores themselves are not read.\n"
		"Without arguments every store is searched.\n"
		"\n"
		"Conditions are those of the rules in ebb.yaml, for example:\n"
		"\n"
		" idle > 180d and size > 1MiB and not name matches \"*.keep\"\n"
		" uid == 1000 and ext in [\"log\", \"csv\"]\n"
		" type == \"file\" and nlink > 1\n"
		"\n"
		"A condition about something that is not known, as idle where the mount does not record reads, is not true, and\n"
		"the object is not listed.\n"
		"\n"
		"For people a line holds four columns, without a heading: the size, - for what is no file; the day of the last\n"
		"change, in UTC; days since the last access as far as they are known (41 d; 3-200 d: between; > 90 d: at least;\n"
		"?: unknown); and STORE:KEY, which ends in / for folders.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = -1,
	.run = run,
};
