/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P1 P4 P5 P6 P14
 *
 * A mixed plan of every action on files and on a bucket whose archives sleep is killed at every request to a store, before it and after its effect, and at every
 * write, sync and cut of its journal, before, amid and after it: while it is thawed for and applied, taken back, and while its trash is let go. At each point:
 * no content is lost (P1, P5) and nothing has happened that the journal does not name (P6), as things stand then; it goes on to the same end
 * as an undisturbed run (P4); and undo gives back what there was (P14).
 *
 * By default a part of the points is tried, another one for each EBB_SEED; EBB_POINTS=all tries all of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/diskfault.h"
#include "tests/support/mix_kit.h"
#include "tests/support/seed.h"

EBB_DISKFAULT_INTERPOSE

/* Of so many points one is tried. */
#define STRIDE 23

struct point {
	bool versions;
	enum ebb_mix_kit_phase phase;
	int store;	/* EBB_MIX_KIT_STORES: the journal */
	int when;	/* enum ebb_diskfault_when */
	uint64_t nth;
};

static const char *const phases[] = {"apply", "undo", "letting go"};
static const char *const whens[] = {"before", "amid", "after"};

static void say(char *to, size_t size, const struct point *p)
{
	static const char *const stores[] = {"a request to b", "a request to d", "a request to e", "a change of the journal"};

	snprintf(to, size, "killed %s %s (%d) during %s, versions %d", whens[p->when], stores[p->store], (int)p->nth,
		 phases[p->phase], p->versions);
}

static void die(void *ctx)
{
	atomic_store(&((struct ebb_store_faulty_death *)ctx)->dead, true);
}

/* True when it was killed on the way. */
static bool victim(const struct ebb_mix_kit *k, const struct point *p, struct ebb_store_faulty_death *death)
{
	const struct ebb_store_faulty_fault fault = {
		.op = EBB_FAULTY_ANY, .nth = p->nth, .after = p->when == EBB_DISKFAULT_AFTER, .code = EBB_EIO,
		.hook = die, .hook_ctx = death,
	};
	const struct ebb_store_faulty_script lives = {.death = death},
					     dies = {.death = death, .faults = &fault, .nfaults = 1};
	ebb_mix_kit_scripts scripts = {&lives, &lives, &lives};
	struct ebb_err err = {0};

	ebb_diskfault = (struct ebb_diskfault){.below = "/index/runs/", .death = death};
	if (p->store < EBB_MIX_KIT_STORES) {
		scripts[p->store] = &dies;
	} else {
		ebb_diskfault.nth = p->nth;
		ebb_diskfault.when = (enum ebb_diskfault_when)p->when;
		ebb_diskfault.kill = true;
	}
	int r = ebb_mix_kit_run(k, p->phase, scripts, &err);
	ebb_diskfault = (struct ebb_diskfault){0};
	if (!atomic_load(&death->dead))
		EBB_SEED_CHECK(r == 0, "%s without a fault: %s", phases[p->phase], err.msg);
	return atomic_load(&death->dead);
}

static void go_on(const struct ebb_mix_kit *k, enum ebb_mix_kit_phase phase, const char *when)
{
	struct ebb_err err = {0};
	int r = ebb_mix_kit_run(k, phase, NULL, &err);

	EBB_SEED_CHECK(r == 0, "%s: %s does not go on: %s", when, phases[phase], err.msg);
}

static void same(const struct ebb_mix_kit *k, const char *should, bool dirs, const char *when)
{
	char *is = ebb_mix_kit_snapshot(k, dirs);

	if (dirs)
		ebb_mix_kit_returning(is);
	EBB_SEED_CHECK(strcmp(is, should) == 0, "%s, afterwards it is\n%s\nand should be\n%s", when, is, should);
	free(is);
}

/* What undisturbed runs leave: nothing done; applied; taken back; let go. */
struct ends {
	char *applied, *undone, *expired;
};

static void check_now(const struct ebb_mix_kit *k, const struct point *p, const char *when)
{
	const char *key = ebb_mix_kit_lost(k, p->phase == EBB_MIX_KIT_EXPIRE);

	EBB_SEED_CHECK(!key, "%s: the content of '%s' is lost", when, key);
	key = p->phase == EBB_MIX_KIT_APPLY ? ebb_mix_kit_unannounced(k) : NULL;
	EBB_SEED_CHECK(!key, "%s: '%s' was changed without an intent in the journal", when, key);
}

static void check_end(const struct ebb_mix_kit *k, const struct point *p, const struct ends *e, const char *when)
{
	bool let_go = p->phase == EBB_MIX_KIT_EXPIRE;

	if (p->phase != EBB_MIX_KIT_UNDO) {
		go_on(k, p->phase, when);
		same(k, let_go ? e->expired : e->applied, false, when);
	}
	if (!let_go) {
		go_on(k, EBB_MIX_KIT_UNDO, when);
		same(k, e->undone, true, when);
	}
	EBB_SEED_CHECK(ebb_mix_kit_temporaries(k) == 0, "%s: temporaries stay", when);
	EBB_SEED_CHECK(!ebb_mix_kit_lost(k, let_go), "%s: content is lost at the end", when);
}

/* False when the run came to its end before the point. */
static bool try_point(const struct point *p, const struct ends *e)
{
	struct ebb_store_faulty_death death = {0};
	struct ebb_mix_kit k;
	char when[200];

	say(when, sizeof(when), p);
	ebb_mix_kit_init(&k, p->versions);
	if (p->phase != EBB_MIX_KIT_APPLY)
		go_on(&k, EBB_MIX_KIT_APPLY, when);
	bool killed = victim(&k, p, &death);
	if (killed) {
		check_now(&k, p, when);
		check_end(&k, p, e, when);
	}
	ebb_store_faulty_bury(&death);
	ebb_mix_kit_release(&k);
	return killed;
}

static void undisturbed(bool versions, struct ends *e)
{
	struct ebb_mix_kit k;

	ebb_mix_kit_init(&k, versions);
	char *begin = ebb_mix_kit_returning(ebb_mix_kit_snapshot(&k, true));
	go_on(&k, EBB_MIX_KIT_APPLY, "undisturbed");
	go_on(&k, EBB_MIX_KIT_UNDO, "undisturbed");
	e->undone = ebb_mix_kit_returning(ebb_mix_kit_snapshot(&k, true));
	EBB_SEED_CHECK(strcmp(begin, e->undone) == 0, "undone it is\n%s\nand was\n%s", e->undone, begin);
	ebb_mix_kit_release(&k);
	ebb_mix_kit_init(&k, versions);
	go_on(&k, EBB_MIX_KIT_APPLY, "undisturbed");
	e->applied = ebb_mix_kit_snapshot(&k, false);
	go_on(&k, EBB_MIX_KIT_EXPIRE, "undisturbed");
	e->expired = ebb_mix_kit_snapshot(&k, false);
	EBB_SEED_CHECK(strcmp(e->applied, e->undone) && strcmp(e->applied, e->expired), "nothing was done");
	free(begin);
	ebb_mix_kit_release(&k);
}

static void forget(struct ends *e)
{
	free(e->applied);
	free(e->undone);
	free(e->expired);
}

int main(void)
{
	struct ebb_prng rng = ebb_seed_start();
	const char *all = getenv("EBB_POINTS");
	uint64_t stride = all && strcmp(all, "all") == 0 ? 1 : STRIDE, points = 0, there = 0;

	for (int versions = 0; versions < 2; versions++) {
		struct ends e;

		undisturbed(versions, &e);
		for (int phase = 0; phase < EBB_MIX_KIT_PHASES; phase++)
			for (int store = 0; store <= EBB_MIX_KIT_STORES; store++)
				for (int when = 0; when <= EBB_DISKFAULT_AFTER; when++) {
					struct point p = {versions, (enum ebb_mix_kit_phase)phase, store, when,
							  1 + ebb_prng_below(&rng, stride)};

					if (store < EBB_MIX_KIT_STORES && when == EBB_DISKFAULT_TORN)
						continue;
					for (; try_point(&p, &e); p.nth += stride)
						points++;
					there += p.nth;
				}
		forget(&e);
	}
	printf("%d of about %d points: 0 violations\n", (int)points, (int)there);
	return points > 60 ? EXIT_SUCCESS : EXIT_FAILURE;
}
