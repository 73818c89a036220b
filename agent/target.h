/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Targets: what the user means by STORE, STORE:KEY, a bucket's URL or a path.
 *
 *	lake            a whole store
 *	lake:runs/a     keys of a store that begin so
 *	s3://lake/runs  the same of the store that holds that bucket and key
 *	/data/runs/a    that file or folder, in the store that holds it; also ./a, a/, ..
 *
 * A word is a path when it holds a '/' before any ':', or is "." or "..", or stands on disk and is no store's name.
 * Symlinks in its folders are followed to find the store, the last part is not.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_TARGET_H
#define EBB_AGENT_TARGET_H

#include "agent/app.h"
#include "agent/cli.h"
#include "core/snap.h"

struct ebb_target {
	char store[EBB_INDEX_NAME_MAX + 1];
	char *key;	/* owned; prefix of keys, "" for the whole store */
	bool exact;	/* from a path that is no folder: only this key, and what lies below KEY/ */
};

void ebb_target_release(struct ebb_target *t);

/*
 * @return  0; -EBB_EUSAGE, also for a path that lies in no store, or whose folder does not exist; -EBB_ECONFIG when a path needs
 *          the configuration; -EBB_ENOMEM.
 */
int ebb_target_parse(struct ebb_app *app, const char *word, struct ebb_target *ret,
		     struct ebb_err *err);

/* True when @key is meant. */
bool ebb_target_has(const struct ebb_target *t, const char *key, size_t len);

/* A target with the store it is in, while a command walks over it. */
struct ebb_target_at {
	const struct ebb_target *target;
	const struct ebb_index_store *store;
	struct ebb_cursor *cursor;
	const char *class;	/* declared class of the store, or NULL */
};

/*
 * Call @fn for each argument of @args, or for every store of the index when there is none, in order. A store that the index does not
 * know is -EBB_EUSAGE; one that was never scanned to the end -EBB_ENOENT when named, otherwise skipped; an empty index is -EBB_ENOENT with the remedy.
 */
typedef int ebb_target_fn(void *ctx, const struct ebb_target_at *at, struct ebb_err *err);
int ebb_target_each(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_cli_args *args,
		    ebb_target_fn *fn, void *ctx, struct ebb_err *err);

/* For sums: -EBB_ENOENT when there are no @objects although keys below a prefix were asked for. */
int ebb_target_found(const struct ebb_target_at *at, uint64_t objects, struct ebb_err *err);

#endif
