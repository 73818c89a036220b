/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * P1, P4, P5 for packing anew: killed at any change that it makes to a store, before or after the change, it converges to one pack that holds
 * everything that was not past its time, byte for byte, and at no point is anything of that in no pack.
 *
 * Three lines: one of which a part is past its time (and another part deleted, but not yet), one that is past it altogether, and one of which
 * nothing is.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/packs.h"
#include "tests/support/run_kit.h"

#define DIR ".ebb-packs/a/20250102T000000Z/"
#define NOW INT64_C(1795460400000000000)
#define DAY (INT64_C(86400) * 1000000000)

enum { GOES_ON = 0, FAILED = 1, AT_END = 2 };

static const char *const parts[] = {"p/gone", "p/later", "p/stays", "p/stays too", NULL};
static const char *const none[] = {"n/one", "n/two", NULL};
static const char *const whole[] = {"w/one", "w/two", NULL};

static void tombstone(const struct ebb_run_kit *k, const char *line, const char *member, int64_t expires)
{
	struct ebb_arena a;
	char path[8192], dir[8192];

	ebb_arena_init(&a, 0);
	snprintf(dir, sizeof(dir), "%s/b/%s.gone", k->dir, line);
	mkdir(dir, 0755);
	snprintf(path, sizeof(path), "%s/b/%s", k->dir,
		 ebb_packname_tombstone(&a, line, strlen(line), member, strlen(member), expires));
	FILE *f = fopen(path, "wb");
	if (!f || fclose(f) != 0)
		abort();
	ebb_arena_release(&a);
}

static int64_t rows(void *ctx, struct ebb_planfile_writer *w, struct ebb_store *a, struct ebb_store *b)
{
	static const char *const packs[][2] = {
		{DIR "n.tar.zst", NULL}, {DIR "p.tar.zst", DIR "p.r1.tar.zst"}, {DIR "w.tar.zst", DIR "w.r1.tar.zst"},
	};

	(void)ctx;
	(void)a;
	for (size_t i = 0; i < 3; i++) {
		struct ebb_planrow row = {
			.rule = "r", .store = "b", .action = EBB_ACTION_REPACK, .payback_days = -1, .why = "test",
			.to_store = packs[i][1] ? "b" : NULL, .to_key = packs[i][1],
		};

		if (ebb_store_head(b, packs[i][0], &row.obj, NULL) < 0 || ebb_planfile_put(w, &row, NULL) < 0)
			abort();
	}
	return 3;
}

static void prepare(struct ebb_run_kit *k)
{
	ebb_run_kit_init(k);
	ebb_run_kit_pack(k, DIR "p.tar.zst", parts);
	ebb_run_kit_pack(k, DIR "n.tar.zst", none);
	ebb_run_kit_pack(k, DIR "w.tar.zst", whole);
	tombstone(k, DIR "p", "p/gone", NOW - DAY);
	tombstone(k, DIR "p", "p/later", NOW + DAY);
	tombstone(k, DIR "n", "n/one", NOW - DAY);
	tombstone(k, DIR "n", "n/two", NOW);
	tombstone(k, DIR "w", "w/one", NOW + DAY);
	ebb_run_kit_plan(k, rows, NULL);
}

/* --- What must hold -------------------------------------------------------------------------------------- */

struct reading {
	struct ebb_store *s;
	const struct ebb_record *rec;
};

static int64_t read_range(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	const struct reading *r = ctx;
	int64_t left = r->rec->f[EBB_F_SIZE] - off;

	len = (int64_t)len < left ? len : (size_t)left;
	int e = ebb_store_read_range(r->s, r->rec->key, r->rec, off, buf, len, err);
	return e < 0 ? e : (int64_t)len;
}

struct found {
	struct ebb_store *s;
	const char *line;
	const char *const *members;	/* that must be there */
	bool all;			/* they were */
	size_t n;			/* in the newest pack */
	int generation, older;
	size_t stones;
};

static int on_pack(void *ctx, const struct ebb_packs_pack *p, struct ebb_err *err)
{
	struct found *f = ctx;
	struct reading rd = {f->s, &p->rec};
	struct ebb_pack_index x = {0};

	if (p->name.line != strlen(f->line) || memcmp(p->key, f->line, p->name.line) != 0)
		return 0;
	f->generation = p->name.generation;
	f->older = p->older;
	f->stones = p->ntombstones;
	if (ebb_pack_read_index(read_range, &rd, p->rec.f[EBB_F_SIZE], &x, err) < 0)
		return -EBB_ECORRUPT;
	f->all = true;
	f->n = x.n;
	for (const char *const *m = f->members; *m; m++) {
		const struct ebb_pack_member *row = ebb_pack_read_find(&x, *m);

		f->all &= row && ebb_pack_read_member(read_range, &rd, row, row->digest, NULL, err) == 0;
	}
	ebb_pack_read_release(&x);
	return 0;
}

static struct found look(const struct ebb_run_kit *k, const char *line, const char *const *members)
{
	struct ebb_storeset *set = ebb_run_kit_stores(k, NULL, NULL);
	struct found f = {.s = ebb_storeset_find(set, "b"), .line = line, .members = members, .generation = -1};

	if (ebb_packs_in_store(f.s, NULL, on_pack, &f, NULL) < 0)
		abort();
	ebb_storeset_free(set);
	return f;
}

/* What is not past its time stands in the newest pack of its line, at any time. */
static bool nothing_lost(const struct ebb_run_kit *k)
{
	return look(k, DIR "p", parts + 1).all && look(k, DIR "w", whole).all;
}

static bool at_the_end(const struct ebb_run_kit *k)
{
	struct found p = look(k, DIR "p", parts + 1), n = look(k, DIR "n", none), w = look(k, DIR "w", whole);
	char path[8192];

	snprintf(path, sizeof(path), "%s/b/" DIR "n.gone", k->dir);
	bool ok = p.all && p.n == 3 && p.generation == 1 && p.older == 0 && p.stones == 1 && n.generation == -1 &&
		  access(path, F_OK) != 0 && w.all && w.n == 2 && w.generation == 0 && w.older == 0 && w.stones == 1;

	if (!ok)
		fprintf(stderr, "p: %zu members, generation %d, %d older, %zu tombstones; n: generation %d; w: %zu, %d\n", p.n,
			p.generation, p.older, p.stones, n.generation, w.n, w.generation);
	return ok;
}

/* --- Points ---------------------------------------------------------------------------------------------- */

static void drop_dead(void *ctx)
{
	(void)ctx;
	kill(getpid(), SIGKILL);
}

static int apply(const struct ebb_run_kit *k, const struct ebb_store_faulty_script *b)
{
	struct ebb_storeset *set = ebb_run_kit_stores(k, NULL, b);
	struct ebb_err err = {0};
	int r = ebb_run_kit_apply(k, set, NULL, NULL, &err);

	if (r < 0)
		fprintf(stderr, "%s\n", err.msg);
	ebb_storeset_free(set);
	return r;
}

static bool victim(const struct ebb_run_kit *k, uint64_t nth, bool after)
{
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_CHANGE, .nth = nth, .after = after, .hook = drop_dead};
	const struct ebb_store_faulty_script script = {.faults = &fault, .nfaults = 1};
	int status;

	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(apply(k, &script) < 0);
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status) && WEXITSTATUS(status) != 0)
		abort();
	return WIFSIGNALED(status);
}

static int try_point(uint64_t nth, bool after)
{
	struct ebb_run_kit k;

	prepare(&k);
	bool killed = victim(&k, nth, after);
	bool ok = nothing_lost(&k) && apply(&k, NULL) == 0 && at_the_end(&k);
	ebb_run_kit_release(&k);
	return !ok ? FAILED : killed ? GOES_ON : AT_END;
}

static int all_points(bool after)
{
	for (uint64_t nth = 1;; nth++) {
		int status;

		fflush(NULL);
		pid_t pid = fork();
		if (pid == 0)
			exit(try_point(nth, after));
		waitpid(pid, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == AT_END)
			return (int)nth - 1;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != GOES_ON) {
			fprintf(stderr, "killed %s change %d\n", after ? "after" : "before", (int)nth);
			exit(EXIT_FAILURE);
		}
	}
}

int main(void)
{
	int n = all_points(false) + all_points(true);

	printf("%d crash points\n", n);
	return n > 8 ? EXIT_SUCCESS : EXIT_FAILURE;
}
