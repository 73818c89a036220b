/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mixed plan: every action in every way, on files and on a bucket, over stores that live as long as the kit, however often a "process"
 * that works on them dies (scanners/store_faulty.h). What the drivers of crashes and faults share.
 *
 *   b      a bucket in memory, with versions or without, whose archive classes sleep
 *   d      a directory with most of the files
 *   e      another directory, with packs only
 *   index  runs; DIR/plan the plan
 *
 * Every object has content of its own, but for duplicates, so that it can be asked afterwards where each content can still be read
 * (ebb_mix_kit_lost): by its own key, elsewhere, in the trash, hidden, encoded, or in a pack.
 *
 * Threads: one.
 */
#ifndef EBB_TESTS_SUPPORT_MIX_KIT_H
#define EBB_TESTS_SUPPORT_MIX_KIT_H

#include "agent/storeset.h"
#include "scanners/store_faulty.h"

#define EBB_MIX_KIT_STORES 3

/* Where packs are that are packed anew: that is not taken back. */
#define EBB_MIX_KIT_AGAIN ".ebb-packs/again/"

struct ebb_mix_kit {
	char dir[4096];
	bool versions;
	struct ebb_store *stores[EBB_MIX_KIT_STORES];	/* b, d, e */
	struct ebb_store_ops ops[EBB_MIX_KIT_STORES];	/* of each, without closing it */
	int64_t actions;
};

/* What is done to the run of the plan. */
enum ebb_mix_kit_phase { EBB_MIX_KIT_APPLY, EBB_MIX_KIT_UNDO, EBB_MIX_KIT_EXPIRE, EBB_MIX_KIT_PHASES };

/* Make stores and plan in a new folder. Aborts on failure. */
void ebb_mix_kit_init(struct ebb_mix_kit *k, bool versions);
/* Also takes the folder away. */
void ebb_mix_kit_release(struct ebb_mix_kit *k);

/* Scripts of the stores, NULL where a store is as it is. */
typedef const struct ebb_store_faulty_script *ebb_mix_kit_scripts[EBB_MIX_KIT_STORES];

/* The stores, each behind a wrapper when it has a script. */
struct ebb_storeset *ebb_mix_kit_set(const struct ebb_mix_kit *k, ebb_mix_kit_scripts scripts);

/*
 * As the program does: recover what is open, have thawed what sleeps and wait for it, then begin or go on with the plan, or take it back, or
 * let go what is over in the trash (a year later).
 *
 * @return  what these return; 0 when there is nothing left to do.
 */
int ebb_mix_kit_run(const struct ebb_mix_kit *k, enum ebb_mix_kit_phase phase, ebb_mix_kit_scripts scripts,
		    struct ebb_err *err);

/* All that stands, as text: names, sizes, classes, tags and metadata; times but for directories when @dirs is false. Freed by the caller. */
char *ebb_mix_kit_snapshot(const struct ebb_mix_kit *k, bool dirs);

/*
 * Of a snapshot what undo gives back: without what was purged and the folder it was in, whose time cannot come back, and without packs that
 * were packed anew. In place.
 */
char *ebb_mix_kit_returning(char *text);

/*
 * P1, P5: is there a content that cannot be read anywhere although nothing purged it?
 *
 * @expired  what was in the trash may be gone, too.
 * @return   NULL, or the key of one; constant.
 */
const char *ebb_mix_kit_lost(const struct ebb_mix_kit *k, bool expired);

/* P6: is there an object that is not as it was made, and that no intent in the journal names? NULL, or its key; constant. */
const char *ebb_mix_kit_unannounced(const struct ebb_mix_kit *k);

/* Temporaries of any writer that stand. */
size_t ebb_mix_kit_temporaries(const struct ebb_mix_kit *k);

#endif
