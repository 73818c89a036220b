/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What could go, and no rule says so yet: things that the index shows when it looks at more than one object.
 *
 *   stale dataset       every file of it was idle for so long; datasets are told apart by their captures
 *   two formats         PyTorch weights (.bin, .pt, .pth) in a folder that has .safetensors as well
 *   unpacked archive    an archive beside a folder of its name that is not empty
 *   abandoned run       a run without a complete checkpoint, untouched for so long
 *   empty folder        no file below it
 *
 * Each is what somebody should look at; none is acted upon.
 *
 * Memory follows the findings' candidates (weights, archives, datasets), not the objects. Threads: main thread.
 */
#ifndef EBB_AGENT_FINDINGS_H
#define EBB_AGENT_FINDINGS_H

#include "agent/app.h"
#include "policies/ckpt.h"
#include "policies/decide.h"

enum ebb_findings_kind {
	EBB_FINDINGS_STALE,
	EBB_FINDINGS_FORMATS,
	EBB_FINDINGS_UNPACKED,
	EBB_FINDINGS_ABANDONED,
	EBB_FINDINGS_EMPTY,
	EBB_FINDINGS_KINDS
};

struct ebb_findings_row {
	enum ebb_findings_kind kind;
	const char *store;
	const char *name;		/* key of the folder or archive, or name of the dataset; NUL-terminated */
	int64_t objects, bytes;		/* that could go */
	int64_t idle;			/* ns since anything of it was used (STALE) or written; -1: does not matter */
	bool priced;
	struct ebb_money saving;	/* a month, if it went */
};

struct ebb_findings {
	struct ebb_arena arena;
	struct ebb_findings_row *rows;	/* by kind, then what is largest first */
	size_t n, room;
};

/* Stable name for JSON ("stale_dataset"), and a sentence fragment for people. Constant. */
const char *ebb_findings_name(enum ebb_findings_kind k);
const char *ebb_findings_text(enum ebb_findings_kind k);

/*
 * Look at stores of the index.
 *
 * @d      prices what would go.
 * @ckpts  finished, with everything.
 * @idle   ns: stale and abandoned from here on.
 * @return 0; -EBB_EINDEX, -EBB_ECORRUPT, -EBB_ENOMEM, -EBB_ERANGE, -EBB_ECANCELLED. *ret is released by the caller in every case.
 */
int ebb_findings_look(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_index_store *stores, size_t n, struct ebb_decide *d,
		      const struct ebb_ckpts *ckpts, int64_t idle, struct ebb_findings *ret, struct ebb_err *err);
void ebb_findings_release(struct ebb_findings *f);

#endif
