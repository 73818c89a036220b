/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Facts on disk: INDEX/facts/STORE.jsonl holds what files say that say something of others (agent/ref.h), as of the store's last scan.
 *
 * A scan fills it (learn): the index tells which files there are, those that did not change keep what was known of them, the others are read,
 * each up to EBB_REF_CAP. Plans only read it, so the same index, facts, rules, prices and time give the same plan, and a plan needs
 * no store. A file that cannot be read has a fact that says so.
 *
 *   {"schema":"ebb.facts/1","store":"lake","scanned_ns":1795460400000000000,"versions":{..}}
 *   {"path":"runs/a/checkpoint-500/model.safetensors.index.json","size":812,"mtime_ns":..,"ctime_ns":..,"ino":..,"reader":"index",
 *    "facts":[["shard","model-00001-of-00002.safetensors"],["metric","0.25","eval_loss",500]]}
 *
 * "versions" is of buckets (keeping.h). A fact is its type, its text, and of metrics name and step; of "hold" the name. Like the index the file can be made anew by a scan.
 *
 * Threads: main thread; learning needs the run lock.
 */
#ifndef EBB_AGENT_FACTBOOK_H
#define EBB_AGENT_FACTBOOK_H

#include "agent/app.h"
#include "policies/facts.h"

struct ebb_factbook_stats {
	uint64_t files;		/* that say something */
	uint64_t read;		/* of these, read now; the others did not change */
	uint64_t bad;		/* not understood, or not to be read */
};

/*
 * Bring the facts of a store up to date with the last scan of it.
 *
 * @reach     open the store and read; otherwise only what was known stays (a bucket that an inventory told of).
 * @versions  what the scan heard of the versions that it keeps; NULL: nothing.
 * @return    0, also when files could not be read; -EBB_ECANCELLED; -EBB_EINDEX, -EBB_EIO, -EBB_ENOSPC, -EBB_ENOMEM.
 */
int ebb_factbook_learn(struct ebb_app *app, struct ebb_index *ix, const struct ebb_config_store *store, bool reach,
		       const struct ebb_noncurrent *versions, struct ebb_factbook_stats *ret, struct ebb_err *err);

/*
 * Load the facts of a store into @arena.
 *
 * @scanned  start of the scan that the index is of: facts of another one do not count.
 * @return   1; 0 when there are none of that scan (*ret is empty then); -EBB_EINDEX for a damaged file; -EBB_ENOMEM.
 */
int ebb_factbook_load(const char *index_dir, const char *store, int64_t scanned, struct ebb_arena *arena, struct ebb_facts *ret,
		      struct ebb_err *err);

#endif
