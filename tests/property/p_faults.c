/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P1 P5 P6 P14
 *
 * A mixed plan of every action on files and on a bucket meets, while it is applied, taken back, and while its trash is let go:
 *
 *   full     stores, or the disk of the journal, without room from some byte on
 *   error    one request that fails, before or after its effect, at each request
 *   cut      the network (or the disk) gone from one request on, at each request
 *   reads    every read of a store failing
 *   lies     a store that drops what it says it wrote, cuts objects short, flips bits of copies, answers with what was, does things twice;
 *            at each request, and always
 *
 * At no time is a content lost (P1, P5) or anything done that the journal does not name (P6). When the fault is gone the run goes on, and after
 * faults that were no lies undo gives back every object as it was (P14), with no temporary left.
 *
 * By default a part of the points is tried, another one for each EBB_SEED; EBB_POINTS=all tries all of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/diskfault.h"
#include "tests/support/mix_kit.h"
#include "tests/support/seed.h"

EBB_DISKFAULT_INTERPOSE

/* Of so many points one is tried. */
#define STRIDE 53

enum disk { NO_DISK, FULL_DISK, BAD_DISK };

/* A way to go wrong. */
static const struct way {
	const char *name;
	enum ebb_store_faulty_op op;
	int code;
	bool after;
	bool for_good;		/* cut: nothing works from there on */
	bool always;		/* every such request; one point only */
	enum ebb_store_faulty_lie lie;
	bool of_copies;		/* only where copies go: what is read of originals has no other witness */
	bool leaves;		/* copies may stay that cannot be shown to be copies; they are named */
	enum disk disk;
} ways[] = {
	{.name = "error before", .op = EBB_FAULTY_ANY, .code = EBB_EIO},
	{.name = "error after", .op = EBB_FAULTY_ANY, .code = EBB_EIO, .after = true},
	{.name = "timeout after", .op = EBB_FAULTY_CHANGE, .code = EBB_ESTORE, .after = true},
	{.name = "access denied", .op = EBB_FAULTY_ANY, .code = EBB_EACCES},
	{.name = "no room", .op = EBB_FAULTY_CHANGE, .code = EBB_ENOSPC},
	{.name = "cut", .op = EBB_FAULTY_ANY, .code = EBB_ESTORE, .for_good = true},
	{.name = "reads fail", .op = EBB_FAULTY_READ, .code = EBB_EIO, .always = true},
	{.name = "metadata cannot be read", .op = EBB_FAULTY_GET_META, .code = EBB_EIO, .always = true, .leaves = true},
	{.name = "journal: disk full", .disk = FULL_DISK},
	{.name = "journal: bad disk", .disk = BAD_DISK},
	{.name = "drops", .op = EBB_FAULTY_CHANGE, .lie = EBB_FAULTY_DROP},
	{.name = "drops always", .op = EBB_FAULTY_CHANGE, .lie = EBB_FAULTY_DROP, .always = true},
	{.name = "drops bytes", .op = EBB_FAULTY_WRITE, .lie = EBB_FAULTY_DROP},
	{.name = "cuts reads", .op = EBB_FAULTY_READ, .lie = EBB_FAULTY_CUT},
	{.name = "cuts reads always", .op = EBB_FAULTY_READ, .lie = EBB_FAULTY_CUT, .always = true},
	{.name = "flips", .op = EBB_FAULTY_READ, .lie = EBB_FAULTY_FLIP, .of_copies = true},
	{.name = "stale", .op = EBB_FAULTY_HEAD, .lie = EBB_FAULTY_STALE},
	{.name = "stale always", .op = EBB_FAULTY_HEAD, .lie = EBB_FAULTY_STALE, .always = true},
	{.name = "twice", .op = EBB_FAULTY_CHANGE, .lie = EBB_FAULTY_TWICE},
	{.name = "twice always", .op = EBB_FAULTY_CHANGE, .lie = EBB_FAULTY_TWICE, .always = true},
};

struct point {
	const struct way *way;
	bool versions;
	enum ebb_mix_kit_phase phase;
	int store;
	uint64_t nth;
};

static const char *const phases[] = {"apply", "undo", "letting go"};

struct hit {
	atomic_bool was;	/* thawing asks from several threads */
	struct ebb_store_faulty_death *cut;
};

static void note(void *ctx)
{
	struct hit *h = ctx;

	atomic_store(&h->was, true);
	if (h->cut)
		atomic_store(&h->cut->dead, true);
}

/* True when it met its fault. */
static bool disturb(const struct ebb_mix_kit *k, const struct point *p, struct ebb_store_faulty_death *cut)
{
	const struct way *w = p->way;
	struct hit hit = {false, w->for_good ? cut : NULL};
	const struct ebb_store_faulty_fault fault = {
		.op = w->op, .nth = w->always ? 0 : p->nth, .after = w->after, .code = w->code, .lie = w->lie,
		.hook = note, .hook_ctx = &hit,
	};
	const struct ebb_store_faulty_script fine = {.death = cut},
					     bad = {.death = cut, .faults = &fault, .nfaults = 1};
	ebb_mix_kit_scripts scripts = {&fine, &fine, &fine};
	struct ebb_err err = {0};

	if (w->disk) {
		ebb_diskfault = (struct ebb_diskfault){
			.below = "/index/runs/", .nth = p->nth, .when = EBB_DISKFAULT_TORN,
			.error = w->disk == FULL_DISK ? ENOSPC : EIO, .on = w->disk == FULL_DISK,
		};
	} else {
		scripts[p->store] = &bad;
	}
	ebb_mix_kit_run(k, p->phase, scripts, &err);
	bool met = w->disk ? ebb_diskfault.calls >= p->nth : atomic_load(&hit.was);
	ebb_diskfault = (struct ebb_diskfault){0};
	atomic_store(&cut->dead, false);
	ebb_store_faulty_bury(cut);
	return met;
}

static void go_on(const struct ebb_mix_kit *k, enum ebb_mix_kit_phase phase, const char *when)
{
	struct ebb_err err = {0};
	int r = ebb_mix_kit_run(k, phase, NULL, &err);

	EBB_SEED_CHECK(r == 0, "%s: %s does not go on: %s", when, phases[phase], err.msg);
}

static void check_kept(const struct ebb_mix_kit *k, bool expired, const char *when)
{
	const char *key = ebb_mix_kit_lost(k, expired);

	EBB_SEED_CHECK(!key, "%s: the content of '%s' is lost", when, key);
}

static bool has_all(const char *is, const char *lines)
{
	for (const char *end; *lines; lines = end + 1) {
		char line[8192];

		end = strchr(lines, '\n');
		snprintf(line, sizeof(line), "%.*s\n", (int)(end - lines), lines);
		if (!strstr(is, line))
			return false;
	}
	return true;
}

static void check_back(const struct ebb_mix_kit *k, const char *begin, bool leaves, const char *when)
{
	char *is = ebb_mix_kit_returning(ebb_mix_kit_snapshot(k, false));

	EBB_SEED_CHECK(leaves ? has_all(is, begin) : strcmp(is, begin) == 0, "%s, taken back it is\n%s\nand should be\n%s", when, is, begin);
	EBB_SEED_CHECK(ebb_mix_kit_temporaries(k) == 0, "%s: temporaries stay", when);
	free(is);
}

/* False when the run came to its end without the fault. */
static bool try_point(const struct point *p)
{
	struct ebb_store_faulty_death cut = {false, NULL, EBB_ESTORE};
	bool expired = p->phase == EBB_MIX_KIT_EXPIRE;
	struct ebb_mix_kit k;
	char when[200];

	snprintf(when, sizeof(when), "%s, store %d, request %d, during %s, versions %d", p->way->name, p->store, (int)p->nth,
		 phases[p->phase], p->versions);
	ebb_mix_kit_init(&k, p->versions);
	char *begin = ebb_mix_kit_returning(ebb_mix_kit_snapshot(&k, false));
	if (p->phase != EBB_MIX_KIT_APPLY)
		go_on(&k, EBB_MIX_KIT_APPLY, when);
	bool met = disturb(&k, p, &cut);
	if (met) {
		check_kept(&k, expired, when);
		const char *key = p->phase == EBB_MIX_KIT_APPLY ? ebb_mix_kit_unannounced(&k) : NULL;
		EBB_SEED_CHECK(!key, "%s: '%s' was changed without an intent in the journal", when, key);
		go_on(&k, p->phase, when);
		check_kept(&k, expired, when);
		go_on(&k, EBB_MIX_KIT_UNDO, when);
		check_kept(&k, expired, when);
		if (!expired && !p->way->lie)
			check_back(&k, begin, p->way->leaves, when);
	}
	free(begin);
	ebb_mix_kit_release(&k);
	return met;
}

/* Stores that have room for some bytes, and no more. */
static int full(bool versions, uint64_t stride)
{
	static const int64_t rooms[] = {1, 100, 5000, 9000, 20000, 40000, 60000, 90000};
	int n = 0;

	for (size_t i = 0; i < EBB_ARRAY_LEN(rooms); i += stride > 1 ? 3 : 1) {
		for (int phase = 0; phase < EBB_MIX_KIT_EXPIRE; phase++) {
			const struct ebb_store_faulty_script script = {.room = rooms[i]};
			ebb_mix_kit_scripts scripts = {&script, &script, &script};
			struct ebb_mix_kit k;
			struct ebb_err err = {0};
			char when[100];

			snprintf(when, sizeof(when), "room for %d bytes, during %s, versions %d", (int)rooms[i], phases[phase], versions);
			ebb_mix_kit_init(&k, versions);
			char *begin = ebb_mix_kit_returning(ebb_mix_kit_snapshot(&k, false));
			if (phase != EBB_MIX_KIT_APPLY)
				go_on(&k, EBB_MIX_KIT_APPLY, when);
			ebb_mix_kit_run(&k, (enum ebb_mix_kit_phase)phase, scripts, &err);
			check_kept(&k, false, when);
			go_on(&k, (enum ebb_mix_kit_phase)phase, when);
			go_on(&k, EBB_MIX_KIT_UNDO, when);
			check_kept(&k, false, when);
			check_back(&k, begin, false, when);
			free(begin);
			ebb_mix_kit_release(&k);
			n++;
		}
	}
	return n;
}

static int all_points(const struct way *w, struct ebb_prng *rng, uint64_t stride)
{
	int n = 0;

	for (int versions = 0; versions < 2; versions++)
		for (int phase = 0; phase < EBB_MIX_KIT_PHASES; phase++)
			for (int store = 0; store < (w->disk ? 1 : EBB_MIX_KIT_STORES); store++) {
				struct point p = {w, versions, (enum ebb_mix_kit_phase)phase, store, 1 + ebb_prng_below(rng, stride)};

				/* back, the copies are read: nobody else knows what was in them but the journal, whose digests tell */
				if (w->of_copies && store != 2)
					continue;
				for (; try_point(&p); p.nth += stride, n++)
					if (w->always) {
						n++;
						break;
					}
			}
	return n;
}

int main(void)
{
	struct ebb_prng rng = ebb_seed_start();
	const char *all = getenv("EBB_POINTS"), *only = getenv("EBB_WAY");
	uint64_t stride = all && strcmp(all, "all") == 0 ? 1 : STRIDE;
	int sum = 0;

	for (int versions = 0; versions < 2 && !only; versions++)
		sum += full(versions, stride);
	printf("stores without room: %d\n", sum);
	for (size_t i = 0; i < EBB_ARRAY_LEN(ways); i++) {
		if (only && strcmp(only, ways[i].name) != 0)
			continue;
		fflush(stdout);
		int n = all_points(&ways[i], &rng, stride);

		printf("%s: %d\n", ways[i].name, n);
		sum += n;
	}
	printf("%d faults: 0 violations\n", sum);
	return sum > 50 || only ? EXIT_SUCCESS : EXIT_FAILURE;
}
