/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/run_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent/lower.h"
#include "agent/recover.h"
#include "compress/pack_write.h"
#include "scanners/store_fs.h"
#include "tests/support/scratch.h"
#include "tests/support/snapshot.h"

const struct ebb_planhead_limits ebb_run_kit_unlimited = {-1, -1, -1, -1, -1, -1, NULL};

static struct ebb_clock the_clock(void)
{
	return ebb_clock_fixed(INT64_C(1795460400000000000));
}

static void die(const char *what, const struct ebb_err *err)
{
	fprintf(stderr, "run_kit: %s: %s\n", what, err ? err->msg : "");
	abort();
}

/* --- Trees ----------------------------------------------------------------------------------------------- */

static const struct {
	const char *key;
	enum ebb_action_id action;	/* KEEP: stays */
	size_t size;
	mode_t mode;
	bool xattr, sparse;
	const char *with;		/* the same content and times as that file, which stays */
	enum ebb_action_how how;
} files[] = {
	{"copy/over", EBB_ACTION_COPY, 300000, 0640, true, false, NULL, 0},	/* and from there back, under another key */
	{"deep/er/cold.bin", EBB_ACTION_TIER, 70000, 0640, true, false, NULL, 0},
	{"deep/er/keep", EBB_ACTION_KEEP, 3, 0644, false, false, NULL, 0},
	{"deep/holes", EBB_ACTION_TIER, 400000, 0600, false, true, NULL, 0},
	{"del/a", EBB_ACTION_DELETE, 10, 0644, false, false, NULL, 0},
	{"del/b\xff\n", EBB_ACTION_DELETE, 0, 04755, true, false, NULL, 0},
	{"dup/first", EBB_ACTION_KEEP, 20000, 0640, true, false, NULL, 0},
	{"dup/linked", EBB_ACTION_DEDUP, 20000, 0640, true, false, "dup/first", EBB_ACTION_HARDLINK},
	{"dup/twin", EBB_ACTION_DEDUP, 20000, 0600, false, false, "dup/first", EBB_ACTION_DROP},
	{"keep", EBB_ACTION_KEEP, 9, 0644, false, false, NULL, 0},
	{"logs/one.log", EBB_ACTION_COMPRESS, 200000, 0400, true, false, NULL, 0},
	{"logs/two.log", EBB_ACTION_COMPRESS, 5000, 0666, false, false, NULL, 0},
	{"pack/one", EBB_ACTION_ARCHIVE, 20000, 0640, true, false, NULL, 0},
	{"pack/sub/empty", EBB_ACTION_ARCHIVE, 0, 0600, false, false, NULL, 0},
	{"pack/two\xff", EBB_ACTION_ARCHIVE, 70, 04755, false, false, NULL, 0},
	{"top", EBB_ACTION_DELETE, 100, 0600, false, false, NULL, 0},
	{"top2", EBB_ACTION_TIER, 1, 0777, false, false, NULL, 0},
};

/* Number of the file whose content and times file @i has. */
static size_t model_of(size_t i)
{
	size_t k = 0;

	while (files[i].with && strcmp(files[k].key, files[i].with) != 0)
		k++;
	return files[i].with ? k : i;
}

static void make_dirs(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = 0;
		mkdir(path, 0750);
		*p = '/';
	}
}

static void make_file(const struct ebb_run_kit *k, size_t i)
{
	char path[8192], *data = malloc(files[i].size + 1);
	size_t model = model_of(i);

	snprintf(path, sizeof(path), "%s/a/%s", k->dir, files[i].key);
	make_dirs(path);
	int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
	for (size_t n = 0; n < files[i].size; n++)
		data[n] = (char)("line of a log\n"[(n + model) % 14]);
	if (files[i].sparse && ftruncate(fd, (off_t)files[i].size) == 0)
		files[i].size > 100 && pwrite(fd, data, 50, 200000) < 0 ? abort() : (void)0;
	else if (write(fd, data, files[i].size) < 0)
		abort();
	if (files[i].xattr)
		fsetxattr(fd, "user.note", "caf\xc3\xa9\0x", 7, 0); /* where it is supported */
	if (fchmod(fd, files[i].mode) < 0)
		abort();
	close(fd);
	free(data);
}

static void set_times(const char *path, long s, long ns)
{
	const struct timespec t[2] = {{s + 5, ns + 1}, {s, ns}};

	if (utimensat(AT_FDCWD, path, t, AT_SYMLINK_NOFOLLOW) < 0)
		abort();
}

/* A pack that stands already; some of its members are struck off. */
#define PACK ".ebb-packs/a/20250101T000000Z/000001.tar.zst"
static const char *const packed[] = {"old/one", "old/two\xff", "old/three", NULL};

static void make_trees(struct ebb_run_kit *k)
{
	static const char *const dirs[] = {"copy", "deep/er", "deep", "del", "dup", "logs", "pack/sub", "pack", ""};
	char path[8192];

	umask(022);
	for (const char *const *d = (const char *const[]){"a", "b", "index", NULL}; *d; d++) {
		snprintf(path, sizeof(path), "%s/%s", k->dir, *d);
		mkdir(path, 0755);
	}
	for (size_t i = 0; i < EBB_ARRAY_LEN(files); i++)
		make_file(k, i);
	for (size_t i = 0; i < EBB_ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/a/%s", k->dir, files[i].key);
		set_times(path, 1600000000 + (long)model_of(i), 123456000 + (long)model_of(i));
	}
	for (size_t i = 0; i < EBB_ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof(path), "%s/a/%s", k->dir, dirs[i]);
		set_times(path, 1500000000 + (long)i, 7);
	}
	ebb_run_kit_pack(k, PACK, packed);
	snprintf(path, sizeof(path), "%s/b", k->dir);
	set_times(path, 1400000000, 9);
}

/* --- Packs ----------------------------------------------------------------------------------------------- */

static int pack_sink(void *ctx, const void *p, size_t len, struct ebb_err *err)
{
	(void)err;
	return fwrite(p, 1, len, ctx) == len ? 0 : -EBB_EIO;
}

void ebb_run_kit_pack(const struct ebb_run_kit *k, const char *key, const char *const *members)
{
	struct ebb_pack_writer *w = NULL;
	struct ebb_err err = {0};
	char path[8192];

	snprintf(path, sizeof(path), "%s/b/%s", k->dir, key);
	make_dirs(path);
	FILE *f = fopen(path, "wb");
	if (!f || ebb_pack_write_new(0, pack_sink, f, &w, &err) < 0)
		die(key, &err);
	for (; *members; members++) {
		const struct ebb_pack_entry e = {
			.key = *members, .size = (int64_t)strlen(*members), .mode = 0640, .mtime = INT64_C(1600000000123456789),
		};

		if (ebb_pack_write_begin(w, &e, &err) < 0 || ebb_pack_write_data(w, *members, strlen(*members), &err) < 0 ||
		    ebb_pack_write_end(w, NULL, &err) < 0)
			die(*members, &err);
	}
	if (ebb_pack_write_finish(w, &err) < 0 || fclose(f) != 0)
		die(key, &err);
	ebb_pack_write_free(w);
	set_times(path, 1450000000, 11);
}

/* An object of the pack that is deleted from it. */
static void put_strike(struct ebb_planfile_writer *w, struct ebb_store *b, const char *member)
{
	struct ebb_planrow row = {
		.rule = "r", .store = "b", .action = EBB_ACTION_STRIKE, .trash_ns = 86400 * INT64_C(1000000000),
		.payback_days = -1, .why = "test", .with_store = "a",
		.with = {.key = member, .key_len = (uint32_t)strlen(member)},
	};
	struct ebb_err err = {0};

	ebb_record_set(&row.with, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&row.with, EBB_F_SIZE, (int64_t)strlen(member));
	ebb_record_set(&row.with, EBB_F_MTIME, INT64_C(1600000000123456789));
	if (ebb_store_head(b, PACK, &row.obj, &err) < 0 || ebb_planfile_put(w, &row, &err) < 0)
		die(member, &err);
}

/* --- The plan -------------------------------------------------------------------------------------------- */

static void put_row(struct ebb_planfile_writer *w, struct ebb_store *a, size_t i)
{
	struct ebb_planrow row = {
		.rule = "r", .store = "a", .action = files[i].action, .trash_ns = 86400 * INT64_C(1000000000),
		.payback_days = -1, .why = "test",
		.to_store = files[i].action == EBB_ACTION_TIER || files[i].action == EBB_ACTION_ARCHIVE ||
					    files[i].action == EBB_ACTION_COPY ? "b" : NULL,
		.codec = files[i].action == EBB_ACTION_COMPRESS ? "zstd" : NULL,
	};
	struct ebb_arena arena;
	struct ebb_err err = {0};

	ebb_arena_init(&arena, 0);
	if (ebb_store_head(a, files[i].key, &row.obj, &err) < 0)
		die(files[i].key, &err);
	row.how = files[i].how;
	row.with_store = files[i].with ? "a" : NULL;
	if (files[i].with && ebb_store_head(a, files[i].with, &row.with, &err) < 0)
		die(files[i].with, &err);
	row.with.known &= ~EBB_KNOWN(EBB_F_CTIME);
	row.to_key = files[i].action == EBB_ACTION_ARCHIVE
			     ? ".ebb-packs/a/20260101T000000Z/000011.tar.zst"
			     : ebb_lower_of(row.action)->target(&arena, files[i].key, row.codec);
	if (ebb_planfile_put(w, &row, &err) < 0)
		die("put", &err);
	if (row.action == EBB_ACTION_COPY) { /* the second hop, of what is not there yet */
		row.store = "b";
		row.to_store = "a";
		row.to_key = "copied";
		row.after = 1;
		row.obj.known &= EBB_KNOWN(EBB_F_KIND) | EBB_KNOWN(EBB_F_SIZE) | EBB_KNOWN(EBB_F_MTIME);
		if (ebb_planfile_put(w, &row, &err) < 0)
			die("put", &err);
	}
	ebb_arena_release(&arena);
}

void ebb_run_kit_plan(struct ebb_run_kit *k, ebb_run_kit_rows_fn *rows, void *ctx)
{
	struct ebb_storeset *set = ebb_run_kit_stores(k, NULL, NULL);
	struct ebb_planhead_store stores[2];
	struct ebb_planhead_rule copies = {.rule = "r", .action = "copy"};	/* hops may follow each other */
	struct ebb_planhead head = {
		.currency = "USD", .stores = stores, .nstores = 2, .limits = ebb_run_kit_unlimited, .rules = &copies, .nrules = 1,
	};
	struct ebb_planfile_writer *w = NULL;
	struct ebb_err err = {0};
	char path[8192], id[EBB_PLANFILE_ID_LEN];

	snprintf(path, sizeof(path), "%s/plan", k->dir);
	unlink(path);
	if (ebb_planfile_create(path, &w, &err) < 0)
		die("plan", &err);
	for (size_t i = 0; i < 2; i++) {
		static const char *const names[] = {"a", "b"};
		struct ebb_store_identity is;

		ebb_store_identify(ebb_storeset_find(set, names[i]), &is, &err);
		stores[i] = (struct ebb_planhead_store){.name = names[i], .generation = 1, .dev = is.dev, .ino = is.ino, .fsid = "", .objects = 100};
	}
	k->actions = rows(ctx, w, ebb_storeset_find(set, "a"), ebb_storeset_find(set, "b"));
	if (ebb_planfile_commit(w, &head, id, &err) < 0)
		die("commit", &err);
	ebb_storeset_free(set);
}

static int64_t all_rows(void *ctx, struct ebb_planfile_writer *w, struct ebb_store *a, struct ebb_store *b)
{
	int64_t n = 0;

	(void)ctx;
	for (size_t i = 0; i < EBB_ARRAY_LEN(files); i++) {
		if (files[i].action == EBB_ACTION_KEEP)
			continue;
		put_row(w, a, i);
		n += files[i].action == EBB_ACTION_COPY ? 2 : 1;
	}
	put_strike(w, b, packed[0]);
	put_strike(w, b, packed[1]);
	return n + 2;
}

void ebb_run_kit_init(struct ebb_run_kit *k)
{
	static const char *base;
	static pid_t owner;
	static int kits;

	*k = (struct ebb_run_kit){0};
	if (owner != getpid()) { /* each process its own folder, for all its kits */
		base = ebb_scratch_new();
		owner = getpid();
	}
	snprintf(k->dir, sizeof(k->dir), "%.4000s/%d", base, ++kits);
	if (mkdir(k->dir, 0755) < 0)
		die(k->dir, NULL);
	make_trees(k);
	ebb_run_kit_plan(k, all_rows, NULL);
	k->a = ebb_run_kit_snapshot(k, "a");
	k->b = ebb_run_kit_snapshot(k, "b");
}

void ebb_run_kit_release(struct ebb_run_kit *k)
{
	free(k->a);
	free(k->b);
	*k = (struct ebb_run_kit){0};
}

char *ebb_run_kit_snapshot(const struct ebb_run_kit *k, const char *store)
{
	char path[8192];

	snprintf(path, sizeof(path), "%s/%s", k->dir, store);
	return ebb_snapshot_of(path);
}

/* --- Runs ------------------------------------------------------------------------------------------------ */

static void add_store(const struct ebb_run_kit *k, struct ebb_storeset *set, const char *name,
		      const struct ebb_store_faulty_script *script)
{
	char path[8192];
	const struct ebb_store_config cfg = {.name = name, .type = "fs", .path = path};
	struct ebb_store *s = NULL;
	struct ebb_err err = {0};

	snprintf(path, sizeof(path), "%s/%s", k->dir, name);
	if (ebb_store_open(&cfg, &s, &err) == 0)
		ebb_store_fs_set_step(s, 70000);
	if (!s ||
	    (script && ebb_store_faulty_wrap(s, script, &s, &err) < 0) ||
	    ebb_storeset_add(set, s, &err) < 0)
		die(name, &err);
}

struct ebb_storeset *ebb_run_kit_stores(const struct ebb_run_kit *k,
					const struct ebb_store_faulty_script *a,
					const struct ebb_store_faulty_script *b)
{
	struct ebb_storeset *set = ebb_storeset_new(NULL);

	add_store(k, set, "a", a);
	add_store(k, set, "b", b);
	return set;
}

static int recover(const struct ebb_run_kit *k, struct ebb_storeset *stores, struct ebb_run *run,
		   struct ebb_err *err)
{
	struct ebb_clock clock = the_clock();
	struct ebb_recover told;
	char index[8192];
	int r;

	snprintf(index, sizeof(index), "%s/index", k->dir);
	r = ebb_run_find(index, "last", run, err);
	if (r == 0 && (r = ebb_recover_run(run, stores, ebb_clock_now(&clock), &told, err)) == 1) {
		ebb_run_release(run);
		r = ebb_run_find(index, "last", run, err);
	}
	return r;
}

static int begin(const struct ebb_run_kit *k, struct ebb_storeset *stores, struct ebb_run *run,
		 struct ebb_journal **j, struct ebb_err *err)
{
	struct ebb_clock clock = the_clock();
	struct ebb_planfile *plan = NULL;
	struct ebb_err why = {0};
	char path[8192];
	int r = recover(k, stores, run, &why);

	if (r == 0)
		return ebb_journal_append_to(run->journal, j, err);
	if (r != -EBB_ENOENT)
		return ebb_err_set(err, -r, "%s", why.msg);
	snprintf(path, sizeof(path), "%s/plan", k->dir);
	if ((r = ebb_planfile_open(path, &plan, err)) < 0)
		return r;
	snprintf(path, sizeof(path), "%s/index", k->dir);
	r = ebb_run_create(path, plan, ebb_clock_now(&clock), run, j, err);
	ebb_planfile_close(plan);
	return r;
}

int ebb_run_kit_apply(const struct ebb_run_kit *k, struct ebb_storeset *stores,
		      const struct ebb_planhead_limits *limits, struct ebb_apply_done *ret,
		      struct ebb_err *err)
{
	struct ebb_clock clock = the_clock();
	const struct ebb_apply a = {
		.stores = stores, .limits = limits ? *limits : ebb_run_kit_unlimited, .clock = &clock,
	};
	struct ebb_apply_done done = {0};
	struct ebb_run run = {0};
	struct ebb_journal *j = NULL;
	struct ebb_planfile *plan = NULL;
	int r = begin(k, stores, &run, &j, err);

	if (r == 0 && run.closed && strcmp(run.outcome, "complete") == 0)
		done.complete = true;
	else if (r == 0 && (r = ebb_planfile_open(run.plan_path, &plan, err)) == 0)
		r = ebb_apply_run(&a, &run, plan, j, &done, err);
	ebb_planfile_close(plan);
	ebb_journal_close(j);
	ebb_run_release(&run);
	if (ret)
		*ret = done;
	return r;
}

int ebb_run_kit_undo(const struct ebb_run_kit *k, struct ebb_storeset *stores,
		     struct ebb_journal_counts *ret, struct ebb_err *err)
{
	struct ebb_clock clock = the_clock();
	const struct ebb_undo u = {.stores = stores, .clock = &clock};
	struct ebb_run run = {0};
	int r = recover(k, stores, &run, err);

	if (r == 0)
		r = ebb_undo_run(&u, &run, ret, err);
	ebb_run_release(&run);
	return r;
}
