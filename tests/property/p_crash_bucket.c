/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P4 P5 P14
 *
 * P4, P5, P14 on buckets: stopped dead at any change that it makes to a store, before or after the change, an apply or undo converges
 * to the same end. Deletes (into a trash by copies, or by delete markers where versions are kept), changes of class, compression, moves
 * to a directory and from one, and keys that are no paths.
 *
 * The victim is a thread that stops for ever at its n-th change, since a bucket in memory does not outlive its process; nothing that it
 * holds is touched again, and what it wrote to its journal stands, as after a kill.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/apply.h"
#include "agent/lower.h"
#include "agent/recover.h"
#include "agent/undo.h"
#include "scanners/store_faulty.h"
#include "scanners/store_memory_bucket.h"
#include "tests/support/scratch.h"
#include "tests/support/seed.h"

#define NOW INT64_C(1795460400000000000)

static const struct {
	const char *key;
	enum ebb_action_id action;
	size_t size;
	const char *to, *to_class;
} objects[] = {
	{"//\n", EBB_ACTION_DELETE, 5, NULL, NULL},
	{"/lead", EBB_ACTION_TIER, 7, NULL, "GLACIER"},
	{"a/../b", EBB_ACTION_DELETE, 0, NULL, NULL},
	{"cold/x", EBB_ACTION_TIER, 70000, "b", NULL},
	{"keep", EBB_ACTION_KEEP, 9, NULL, NULL},
	{"logs/one.log", EBB_ACTION_COMPRESS, 200000, NULL, NULL},
	{"pack/here1", EBB_ACTION_ARCHIVE, 30000, "a", "DEEP_ARCHIVE"},
	{"pack/here2", EBB_ACTION_ARCHIVE, 0, "a", "DEEP_ARCHIVE"},
	{"pack//no", EBB_ACTION_ARCHIVE, 5, "a", "DEEP_ARCHIVE"},
	{"pack/there1", EBB_ACTION_ARCHIVE, 400, "b", NULL},
	{"pack/there2", EBB_ACTION_ARCHIVE, 90000, "b", NULL},
	{"refused//path", EBB_ACTION_TIER, 3, "b", NULL},
	{"tail/", EBB_ACTION_TIER, 20, NULL, "DEEP_ARCHIVE"},
	{"to/dir", EBB_ACTION_TIER, 1, "b", NULL},
};

struct kit {
	char dir[4096];
	struct ebb_store *bucket;
	struct ebb_store_ops lasting;	/* of the bucket, without closing it */
	char *begin;			/* what it held */
};

#define must(r, err) EBB_SEED_CHECK((r) >= 0, "%s", (err).msg)

/* --- The bucket ------------------------------------------------------------------------------------------ */

static void stay_open(struct ebb_store *s)
{
	(void)s;
}

static int describe(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	static const char trash[] = ".ebb-trash/";
	char etag[EBB_RECORD_ETAG_TEXT] = "";
	const char *key = rec->key, *in_trash = rec->key_len > sizeof(trash) && strncmp(key, trash, sizeof(trash) - 1) == 0
							? strchr(key + sizeof(trash), '/') : NULL;

	ebb_record_etag_text(rec, etag);
	/* runs have names of their own */
	return ebb_buf_addf(ctx, "%s%s %lld %lld %s\n", in_trash ? "TRASH" : "", in_trash ? in_trash : key,
			    (long long)rec->f[EBB_F_SIZE], (long long)rec->f[EBB_F_CLASS], etag) < 0
		       ? ebb_err_set(err, EBB_ENOMEM, "out of memory")
		       : 0;
}

/* A pack's bytes hold the times of its members, which every bucket has of its own. */
static int name_of(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	(void)err;
	return ebb_buf_addf(ctx, "\nb:%.*s", (int)rec->key_len, rec->key) < 0 ? -EBB_ENOMEM : 0;
}

static void open_dir(const struct kit *k, struct ebb_store **ret)
{
	char path[4200];
	const struct ebb_store_config cfg = {.name = "b", .type = "fs", .path = path};
	struct ebb_err err = {0};

	snprintf(path, sizeof(path), "%s/b", k->dir);
	must(ebb_store_open(&cfg, ret, &err), err);
}

/* All that stands, as text: the bucket, then files of the directory. */
static char *snapshot(const struct kit *k)
{
	struct ebb_buf text = EBB_BUF_INIT(1 << 20);
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *b = NULL;
	struct ebb_err err = {0};

	must(ebb_store_list(k->bucket, NULL, NULL, describe, &text, &err), err);
	for (size_t i = 0; i < EBB_ARRAY_LEN(objects); i++)
		ebb_buf_addf(&text, "%d ", objects[i].action == EBB_ACTION_DELETE &&
			     (ebb_store_caps(k->bucket) & EBB_CAP_VERSIONS) ? 0 : (int)ebb_store_memory_bucket_versions(k->bucket, objects[i].key) > 0);
	open_dir(k, &b);
	static const char *const names[] = {"cold/x", "to/dir"};
	for (size_t i = 0; i < EBB_ARRAY_LEN(names); i++) {
		struct ebb_record rec;
		if (ebb_store_head(b, names[i], &rec, NULL) == 0)
			ebb_buf_addf(&text, "\nb:%s %lld", names[i], (long long)rec.f[EBB_F_SIZE]);
	}
	must(ebb_store_list(b, ".ebb-packs/", NULL, name_of, &text, &err), err);
	return ebb_buf_detach(&text);
}

static void fill(struct kit *k)
{
	struct ebb_err err = {0};
	char *data = malloc(200000);

	for (size_t n = 0; n < 200000; n++)
		data[n] = "line of a log\n"[n % 14];
	for (size_t i = 0; i < EBB_ARRAY_LEN(objects); i++)
		must(ebb_store_memory_bucket_put(k->bucket, objects[i].key, data, objects[i].size, NULL, &err), err);
	free(data);
}

/* --- Runs ------------------------------------------------------------------------------------------------ */

static struct ebb_storeset *stores(const struct kit *k, const struct ebb_store_faulty_script *a,
				   const struct ebb_store_faulty_script *b)
{
	struct ebb_storeset *set = ebb_storeset_new(NULL);
	struct ebb_store *s = k->bucket, *dir = NULL;
	struct ebb_err err = {0};

	if (a)
		must(ebb_store_faulty_wrap(s, a, &s, &err), err);
	must(ebb_storeset_add(set, s, &err), err);
	open_dir(k, &dir);
	if (b)
		must(ebb_store_faulty_wrap(dir, b, &dir, &err), err);
	must(ebb_storeset_add(set, dir, &err), err);
	return set;
}

static void put_row(struct ebb_planfile_writer *w, const struct kit *k, size_t i, int64_t n)
{
	struct ebb_planrow row = {
		.n = n, .rule = "r", .store = "a", .action = objects[i].action, .payback_days = -1, .why = "test",
		.trash_ns = 86400 * INT64_C(1000000000), .to_store = objects[i].to,
		.to_class = objects[i].to_class, .class = "STANDARD",
		.codec = objects[i].action == EBB_ACTION_COMPRESS ? "zstd" : NULL,
	};
	struct ebb_arena arena;
	struct ebb_err err = {0};

	ebb_arena_init(&arena, 0);
	must(ebb_store_head(k->bucket, objects[i].key, &row.obj, &err), err);
	if (row.action == EBB_ACTION_ARCHIVE)
		row.to_key = ebb_arena_printf(&arena, ".ebb-packs/a/20260101T000000Z/to-%s", row.to_store);
	else if (!row.to_class)
		row.to_key = ebb_lower_of(row.action)->target(&arena, objects[i].key, row.codec);
	must(ebb_planfile_put(w, &row, &err), err);
	ebb_arena_release(&arena);
}

static void make_plan(const struct kit *k)
{
	static const struct ebb_planhead_limits unlimited = {-1, -1, -1, -1, -1, -1, NULL};
	struct ebb_storeset *set = stores(k, NULL, NULL);
	struct ebb_planhead_store heads[2];
	struct ebb_planhead head = {.currency = "USD", .stores = heads, .nstores = 2, .limits = unlimited};
	struct ebb_planfile_writer *w = NULL;
	struct ebb_err err = {0};
	char path[4200], id[EBB_PLANFILE_ID_LEN];

	snprintf(path, sizeof(path), "%s/plan", k->dir);
	must(ebb_planfile_create(path, &w, &err), err);
	for (size_t i = 0; i < 2; i++) {
		static const char *const names[] = {"a", "b"};
		static struct ebb_store_identity is[2];

		must(ebb_store_identify(ebb_storeset_find(set, names[i]), &is[i], &err), err);
		heads[i] = (struct ebb_planhead_store){.name = names[i], .generation = 1, .dev = is[i].dev, .ino = is[i].ino,
						       .fsid = is[i].fsid, .objects = 100};
	}
	int64_t n = 0;
	for (size_t i = 0; i < EBB_ARRAY_LEN(objects); i++)
		if (objects[i].action != EBB_ACTION_KEEP)
			put_row(w, k, i, ++n);
	must(ebb_planfile_commit(w, &head, id, &err), err);
	ebb_storeset_free(set);
}

static void kit_init(struct kit *k, bool versions)
{
	const struct ebb_store_config cfg = {.name = "a", .type = "memory-bucket"};
	struct ebb_err err = {0};
	static const char *base;
	static int kits;
	char path[4200];

	*k = (struct kit){0};
	if (!base)
		base = ebb_scratch_new();
	snprintf(k->dir, sizeof(k->dir), "%.4000s/%d", base, ++kits);
	for (const char *const *d = (const char *const[]){"", "b", "index", NULL}; *d; d++) {
		snprintf(path, sizeof(path), "%s/%s", k->dir, *d);
		mkdir(path, 0755);
	}
	must(ebb_store_open(&cfg, &k->bucket, &err), err);
	if (!versions)
		k->bucket->caps &= ~(uint32_t)EBB_CAP_VERSIONS;
	k->lasting = *k->bucket->ops;
	k->lasting.close = stay_open;
	k->bucket->ops = &k->lasting;
	fill(k);
	make_plan(k);
	k->begin = snapshot(k);
}

static void kit_release(struct kit *k)
{
	ebb_store_memory_bucket_ops.close(k->bucket);
	free(k->begin);
}

/* As the program does: recover, then begin or go on, or take back. */
static int run(const struct kit *k, bool undo, struct ebb_storeset *set, struct ebb_err *err)
{
	struct ebb_clock clock = ebb_clock_fixed(NOW);
	const struct ebb_apply a = {.stores = set, .limits = {-1, -1, -1, -1, -1, -1, NULL}, .clock = &clock, .jobs = 1};
	const struct ebb_undo u = {.stores = set, .clock = &clock, .jobs = 1};
	EBB_CLEANUP(ebb_run_release) struct ebb_run r = {0};
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *plan = NULL;
	struct ebb_journal *j = NULL;
	struct ebb_journal_counts counts;
	struct ebb_recover told;
	struct ebb_apply_done done;
	struct ebb_err none = {0};
	char index[4200], path[4200];
	int rc;

	snprintf(index, sizeof(index), "%s/index", k->dir);
	snprintf(path, sizeof(path), "%s/plan", k->dir);
	rc = ebb_run_find(index, "last", &r, &none);
	if (rc == 0 && (rc = ebb_recover_run(&r, set, NOW, &told, err)) == 1) {
		ebb_run_release(&r);
		rc = ebb_run_find(index, "last", &r, err);
	}
	if (rc < 0 && rc != -EBB_ENOENT)
		return rc;
	if (undo)
		return ebb_undo_run(&u, &r, &counts, err);
	if (rc == 0 && r.closed && strcmp(r.outcome, "complete") == 0)
		return 0;
	if ((rc = ebb_planfile_open(rc == 0 ? r.plan_path : path, &plan, err)) < 0)
		return rc;
	rc = r.journal ? ebb_journal_append_to(r.journal, &j, err)
		       : ebb_run_create(index, plan, NOW, &r, &j, err);
	if (rc == 0)
		rc = ebb_apply_run(&a, &r, plan, j, &done, err);
	ebb_journal_close(j);
	return rc;
}

/* --- Victims --------------------------------------------------------------------------------------------- */

struct victim {
	const struct kit *k;
	bool undo, dir, after;
	uint64_t nth;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum { WORKING, STOPPED, ENDED } state;
};

static void tell(struct victim *v, int state)
{
	pthread_mutex_lock(&v->lock);
	v->state = state;
	pthread_cond_signal(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

static void stop_for_ever(void *ctx)
{
	tell(ctx, STOPPED);
	for (;;)
		pause();
}

static void *live(void *arg)
{
	struct victim *v = arg;
	const struct ebb_store_faulty_fault fault = {
		.op = EBB_FAULTY_CHANGE, .nth = v->nth, .after = v->after, .hook = stop_for_ever, .hook_ctx = v,
	};
	const struct ebb_store_faulty_script script = {.faults = &fault, .nfaults = 1};
	struct ebb_storeset *set = stores(v->k, v->dir ? NULL : &script, v->dir ? &script : NULL);
	struct ebb_err err = {0};

	must(run(v->k, v->undo, set, &err), err);
	ebb_storeset_free(set);
	tell(v, ENDED);
	return NULL;
}

/* True when it was stopped on the way; it stays where it is. */
static bool stopped(const struct kit *k, bool undo, bool dir, bool after, uint64_t nth)
{
	static struct victim *all[4096];	/* the stopped ones still look at theirs */
	static size_t n;
	struct victim *v = all[n++] = calloc(1, sizeof(*v));
	pthread_t thread;

	*v = (struct victim){.k = k, .undo = undo, .dir = dir, .after = after, .nth = nth};
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->changed, NULL);
	pthread_create(&thread, NULL, live, v);
	pthread_mutex_lock(&v->lock);
	while (v->state == WORKING)
		pthread_cond_wait(&v->changed, &v->lock);
	bool was = v->state == STOPPED;
	pthread_mutex_unlock(&v->lock);
	if (was)
		pthread_detach(thread);
	else
		pthread_join(thread, NULL);
	return was;
}

static void go_on(const struct kit *k, bool undo)
{
	struct ebb_storeset *set = stores(k, NULL, NULL);
	struct ebb_err err = {0};

	must(run(k, undo, set, &err), err);
	ebb_storeset_free(set);
}

static void same(const struct kit *k, const char *should, const char *when)
{
	char *is = snapshot(k);

	EBB_SEED_CHECK(strcmp(is, should) == 0, "%s it is\n%s\nand should be\n%s", when, is, should);
	free(is);
}

static int all_points(bool versions, bool undo, bool dir, bool after, const char *applied)
{
	for (uint64_t nth = 1;; nth++) {
		struct kit *k = calloc(1, sizeof(*k));
		char when[100];

		snprintf(when, sizeof(when), "stopped %s change %d of %s during %s, versions %d:", after ? "after" : "before",
			 (int)nth, dir ? "b" : "a", undo ? "undo" : "apply", versions);
		kit_init(k, versions);
		if (undo)
			go_on(k, false);
		if (!stopped(k, undo, dir, after, nth)) {
			kit_release(k);
			free(k);
			return (int)nth - 1;
		}
		if (!undo) {
			go_on(k, false);
			same(k, applied, when);
		}
		go_on(k, true);
		same(k, k->begin, when);
	}
}

int main(void)
{
	int n = 0;

	ebb_seed_start();
	for (int versions = 0; versions < 2; versions++) {
		struct kit k;

		kit_init(&k, versions);
		go_on(&k, false);
		char *applied = snapshot(&k);
		EBB_SEED_CHECK(strcmp(applied, k.begin) != 0, "nothing was done: %s", applied);
		for (int i = 0; i < 8; i++)
			n += all_points(versions, i & 4, i & 2, i & 1, applied);
		if (!versions)
			printf("%s\n", applied);
		free(applied);
		kit_release(&k);
	}
	printf("%d points\n", n);
	/* those that were stopped look at what they hold for ever */
	fflush(NULL);
	exit(n > 60 ? EXIT_SUCCESS : EXIT_FAILURE);
}
