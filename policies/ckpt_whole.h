/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is a checkpoint complete, and what is its figure: from the names and sizes of its files and from facts. Part of ckpt.h.
 *
 * Pure. Threads: one at a time.
 */
#ifndef EBB_POLICIES_CKPT_WHOLE_H
#define EBB_POLICIES_CKPT_WHOLE_H

#include "core/buf.h"
#include "policies/ckpt.h"

/* A file of the checkpoint at hand. */
struct ebb_ckpt_whole_file {
	size_t at, len;		/* name within `names`, relative to the checkpoint; the checkpoint's own name where it is a file */
	int64_t size;
};

struct ebb_ckpt_whole {
	struct ebb_buf names;
	struct ebb_ckpt_whole_file *files;	/* by name */
	size_t n, room;
};

/* Add a file; they come in key order. 0 or -EBB_ENOMEM. */
int ebb_ckpt_whole_add(struct ebb_ckpt_whole *w, const char *name, size_t len, int64_t size);
void ebb_ckpt_whole_clear(struct ebb_ckpt_whole *w);
void ebb_ckpt_whole_release(struct ebb_ckpt_whole *w);

/* Set state, state_why, weights, by_index of @k. */
void ebb_ckpt_whole_judge(const struct ebb_ckpt_whole *w, const struct ebb_facts *facts, struct ebb_ckpt *k);

/* Set has_figure, figure, figure_missing of @k for the metric, unless its name has it already. */
void ebb_ckpt_whole_figure(const struct ebb_facts *facts, const char *metric, struct ebb_ckpt *k);

/*
 * What the trainer's own files in the folder of a checkpoint say of its family: the step where it goes on (-1: nothing), and the last component
 * of the best one's path as of @k (NULL: nothing).
 */
int64_t ebb_ckpt_whole_latest(const struct ebb_facts *facts, const struct ebb_ckpt *k);
const char *ebb_ckpt_whole_best(const struct ebb_facts *facts, const struct ebb_ckpt *k);

/* Files that say something of checkpoints, by the last component of their key; whoever fills facts reads these. */
bool ebb_ckpt_whole_reads(const char *key, size_t len);

#endif
