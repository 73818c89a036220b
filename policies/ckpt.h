/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checkpoint families: the checkpoints of each run, which of them are complete, which stay by a `retain` rule and which go.
 *
 * A checkpoint is a folder or a file (ckpt_name.h); a family is the checkpoints of a run that one rule meets. What decides:
 *   complete    every file that an index file names (*.index.json) is there and not empty; without one, no file of weights is empty, numbered
 *               parts (-00001-of-00004) are all there, a distributed one has its .metadata, and it has as many files of weights as more
 *               than half of its family. Incomplete: one of these fails. Otherwise not known.
 *   the figure  of keep_best: from the name; its trainer_state.json; metrics.jsonl, metrics.csv or trainer_state.json of the run.
 * Who stays:
 *   the newest, by step and by time, and the newest complete one; what is named by `latest` or `latest_checkpointed_iteration.txt`; incomplete ones that are newer than the newest complete
 *   one, since they may be in the making; what is younger than min_age by its newest file;
 *   the last keep_last complete ones; steps that are multiples of keep_every; the best keep_best_count complete ones, equal ones too, and what the
 *   trainer calls its best; what is tagged;
 *   in doubt: files that another rule meets or that may not be changed, sizes or times not known, completeness not known, a figure
 *   that is asked for and not known (known to be missing is known);
 *   what something else refers to.
 * A family without a complete checkpoint stays whole. All files of a checkpoint go, or none.
 *
 * Memory: some 300 bytes a checkpoint, and the file names of one. Pure. Threads: one at a time; read-only when finished.
 */
#ifndef EBB_POLICIES_CKPT_H
#define EBB_POLICIES_CKPT_H

#include "policies/facts.h"
#include "policies/rules.h"

enum ebb_ckpt_state {
	EBB_CKPT_COMPLETE,
	EBB_CKPT_INCOMPLETE,
	EBB_CKPT_UNKNOWN
};

/* Why a checkpoint stays; several may hold. */
enum ebb_ckpt_reason {
	EBB_CKPT_NEWEST = 1 << 0,
	EBB_CKPT_LATEST = 1 << 1,	/* its trainer names it as where to go on */
	EBB_CKPT_LAST = 1 << 2,		/* keep_last */
	EBB_CKPT_EVERY = 1 << 3,	/* keep_every */
	EBB_CKPT_BEST = 1 << 4,		/* keep_best, or what its trainer calls best */
	EBB_CKPT_TAGGED = 1 << 5,
	EBB_CKPT_YOUNG = 1 << 6,	/* min_age */
	EBB_CKPT_WRITING = 1 << 7,	/* incomplete, and newer than the newest complete one */
	EBB_CKPT_ALONE = 1 << 8,	/* its family has no complete one */
	EBB_CKPT_DOUBT = 1 << 9,
	EBB_CKPT_LIVE = 1 << 10,	/* something refers to a part of it */
	EBB_CKPT_RULELESS = 1 << 11	/* no retain rule meets it */
};
#define EBB_CKPT_REASONS 12

struct ebb_ckpt {
	const char *store;
	const char *path;		/* NUL-terminated; of a folder without the '/' at its end */
	size_t path_len;
	const char *family;		/* its path with '*' for step and figures */
	uint16_t rule;			/* number of the retain rule, or EBB_RULES_NONE */
	bool file;
	int64_t step;
	int64_t objects, bytes;
	int64_t newest;			/* mtime of its newest file */
	enum ebb_ckpt_state state;
	char state_why[96];		/* of INCOMPLETE and UNKNOWN */
	bool has_figure;		/* of keep_best */
	double figure;
	unsigned kept;			/* enum ebb_ckpt_reason, or-ed; 0: it goes */
	char doubt[96];			/* of DOUBT and LIVE: why */
	/* for its verdict only */
	bool foreign, unsure, live, tagged, figure_missing;
	int64_t latest;			/* what its trainer's files say: where it goes on, -1: nothing; and what it calls best, or NULL */
	const char *best;
	int64_t weights;		/* files of weights */
	bool by_index;			/* an index file says what belongs to it, or would */
};

/* Why something refers to an object, or NULL: nothing does. Constant while the guard lives. */
typedef const char *ebb_ckpt_live_fn(void *ctx, const char *store, const struct ebb_record *rec);

struct ebb_ckpts;

/*
 * @rules       borrowed.
 * @now         ns since the epoch.
 * @everything  also checkpoints that no retain rule meets, for a look at them.
 * @live        may be NULL.
 * @return      NULL when memory is short.
 */
struct ebb_ckpts *ebb_ckpt_new(const struct ebb_rules *rules, int64_t now, bool everything, ebb_ckpt_live_fn *live, void *ctx);
void ebb_ckpt_free(struct ebb_ckpts *c);
EBB_CLEANUP_PTR(struct ebb_ckpts, ebb_ckpt_free);

/*
 * The next block of @store, in key order; one store after the other. @facts: of this store and scan (NULL: none), borrowed until
 * ebb_ckpt_finish.
 *
 * @return  0, -EBB_ECORRUPT, -EBB_ENOMEM.
 */
int ebb_ckpt_block(struct ebb_ckpts *c, const char *store, const struct ebb_facts *facts, const struct ebb_block *b, struct ebb_err *err);

/* Decide, when all blocks were seen. 0 or -EBB_ENOMEM. */
int ebb_ckpt_finish(struct ebb_ckpts *c, struct ebb_err *err);

/* All of them by store, rule, family, step and path. */
size_t ebb_ckpt_count(const struct ebb_ckpts *c);
const struct ebb_ckpt *ebb_ckpt_get(const struct ebb_ckpts *c, size_t i);

/* The one that rule number @rule, a retain rule, sees in that key; NULL: none. */
const struct ebb_ckpt *ebb_ckpt_of(const struct ebb_ckpts *c, const char *store, uint16_t rule, const char *key, size_t len);

/* "the newest, every 1000th", for people: reasons of @k into @buf, which is returned; of what goes why it may. */
const char *ebb_ckpt_why(const struct ebb_ckpts *c, const struct ebb_ckpt *k, char *buf, size_t size);

/* One stable lower-case word for each reason, by number of its bit: "last". Constant. */
const char *ebb_ckpt_reason_name(int bit);
const char *ebb_ckpt_state_name(enum ebb_ckpt_state s);

/* Does the rules' list have a retain rule? */
bool ebb_ckpt_wanted(const struct ebb_rules *rules);

#endif
