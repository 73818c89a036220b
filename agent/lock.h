/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The run lock: one run at a time may change an index, its journal and the stores behind it.
 *
 * An open-file-description lock (fcntl(2), F_OFD_SETLK) on the file INDEX/lock. The kernel releases it when the holder ends, however
 * it ends, so there is no stale lock to recover from and a live one cannot be stolen. What the file says (who holds
 * it) is for people: it is written after the lock is taken and emptied before it is released.
 *
 *	pid 4711
 *	host node1
 *	started 2026-11-23T19:00:00Z
 *	command ebb scan lake
 *
 * Threads: a lock belongs to the process; take and release may be called from any thread. Nothing blocks.
 */
#ifndef EBB_AGENT_LOCK_H
#define EBB_AGENT_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

struct ebb_lock;

/* Who holds a lock. Strings are "" when the file does not say. */
struct ebb_lock_holder {
	long pid;		/* 0: unknown */
	char host[65];
	char started[32];	/* RFC 3339 */
	char command[256];
};

/*
 * Take the lock of the index in the existing directory @dir.
 *
 * @command  what the run is, for whoever is kept out.
 * @now      ns since the epoch.
 * @return   0; -EBB_ELOCKED with a message that names the holder; -EBB_EACCES; -EBB_ENOENT; -EBB_EIO.
 */
int ebb_lock_take(const char *dir, const char *command, int64_t now, struct ebb_lock **ret,
		  struct ebb_err *err);
void ebb_lock_release(struct ebb_lock *l);

/* In a child process: let go of what was inherited, so that the lock is its parent's alone. */
void ebb_lock_forget(struct ebb_lock *l);
EBB_CLEANUP_PTR(struct ebb_lock, ebb_lock_release);

/*
 * Look without taking. Returns 1 when a run holds the lock (*ret says which), 0 when none does (*ret untouched),
 * -EBB_EIO, -EBB_EACCES.
 */
int ebb_lock_look(const char *dir, struct ebb_lock_holder *ret, struct ebb_err *err);

#endif
