/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plans that wait for somebody's yes: INDEX/pending/NAME.jsonl is the plan, NAME.json what is known of it, NAME the first 12 digits of its id.
 *
 *   {"plan":"<64 hex>","made":"2026-11-28T02:30:00Z","above":"bytes: 2.0 TiB, more than 1.0 TiB","state":"waiting",
 *    "by":null,"reason":null,"decided":null}
 *
 * Every decision is also in the audit log, with the plan's id. Whoever changes something here holds the run lock, so that no run takes up a plan
 * while somebody decides on it.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_PENDING_H
#define EBB_AGENT_PENDING_H

#include "agent/app.h"
#include "agent/planfile.h"

/* How long an approval holds: a plan is of one night, and the tree goes on. */
#define EBB_PENDING_DAYS 7

enum ebb_pending_state { EBB_PENDING_WAITING, EBB_PENDING_APPROVED };

struct ebb_pending {
	char plan[EBB_PLANFILE_ID_LEN];
	char *path;			/* of the plan; owned */
	enum ebb_pending_state state;
	int64_t made, decided;		/* ns since the epoch; decided: of an approved one */
	char above[512];		/* which limits it is above, for people */
	char by[128], reason[512];	/* of an approved one */
};

struct ebb_pendings {
	struct ebb_pending *v;		/* oldest first */
	size_t n;
};

/* All that wait or are approved. A file that cannot be read is -EBB_EJOURNAL naming it. Released with ebb_pending_free in both cases. */
int ebb_pending_list(const char *index_dir, struct ebb_pendings *ret, struct ebb_err *err);
void ebb_pending_free(struct ebb_pendings *p);

/* INDEX/pending made when missing; path of a file in it into @ret, which the caller frees. */
int ebb_pending_path(const char *index_dir, const char *name, char **ret, struct ebb_err *err);

/* Let the plan at @path, a file in INDEX/pending, wait; it gets its name there. @above: which limits it is above. */
int ebb_pending_add(const char *index_dir, const char *path, const char *plan, int64_t now, const char *above,
		    struct ebb_err *err);

/* Approve, by @by, who says why. Durable on return. */
int ebb_pending_approve(const char *index_dir, struct ebb_pending *p, const char *by, const char *reason, int64_t now,
			struct ebb_err *err);

/* Take a plan away, because it was rejected, applied, or replaced. */
int ebb_pending_remove(const char *index_dir, const struct ebb_pending *p, struct ebb_err *err);

#endif
