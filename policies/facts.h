/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Facts: the little that was learned from the content of files which say something about other files (index files of checkpoints,
 * references of caches, targets of symlinks). What reads them is agent/ref.h; here they are plain data, so that decisions stay pure.
 *
 * Facts are of one scan of a store. A file that should have facts and has none was not read, and nothing is
 * concluded from it.
 *
 * Threads: plain data, read-only.
 */
#ifndef EBB_POLICIES_FACTS_H
#define EBB_POLICIES_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/noncurrent.h"

/* What a fact says. The order is part of the format of the facts file: append only. */
enum ebb_facts_type {
	EBB_FACTS_BAD,		/* text: why the file could not be understood; nothing else it says counts */
	EBB_FACTS_SHARD,	/* text: name of a file beside it that belongs to the whole */
	EBB_FACTS_STEP,		/* text: step that it speaks of, in decimal */
	EBB_FACTS_METRIC,	/* name, text: a figure at @step (-1: at whatever step the file is about) */
	EBB_FACTS_BEST,		/* text: last component of the path of the checkpoint that its trainer calls best */
	EBB_FACTS_LATEST,	/* text: name or step of the checkpoint that was completed last */
	EBB_FACTS_REF,		/* text: key of the same store that is referred to */
	EBB_FACTS_BELOW,	/* text: everything of the same store below this prefix is referred to */
	EBB_FACTS_PATH,		/* text: absolute path that is referred to */
	EBB_FACTS_FAMILY,	/* text: prefix of what must stay as it is when a reference of this file leads nowhere */
	EBB_FACTS_HOLD,		/* text: prefix of what must stay as it is; name: why */
	EBB_FACTS_LINK,		/* text: target of a symlink, as it stands there */
	EBB_FACTS_HASH,		/* text: hash in lower-case hex of a content that is referred to, in whatever cache (guard.h) */
	EBB_FACTS_WHOLE,	/* text: below this prefix lies a cache all of whose references are in sight */
	EBB_FACTS_TYPES
};

struct ebb_facts_fact {
	enum ebb_facts_type type;
	const char *name;	/* or NULL */
	const char *text;
	int64_t step;		/* METRIC; otherwise -1 */
};

/* What one file says. */
struct ebb_facts_file {
	const char *key;	/* NUL-terminated */
	size_t key_len;
	int64_t size, mtime;	/* as the index had it; with ctime and ino it is known again */
	int64_t ctime, ino;
	const char *reader;	/* name of what read it */
	const struct ebb_facts_fact *facts;
	size_t n;
};

/* Facts of one store, by key. */
struct ebb_facts {
	const char *store;
	int64_t scanned;	/* start of the scan that they are of, ns since the epoch */
	const struct ebb_facts_file *files;
	size_t n;
	struct ebb_noncurrent versions;	/* what the bucket keeps of them */
};

/* What the file with that key says, or NULL. */
const struct ebb_facts_file *ebb_facts_find(const struct ebb_facts *f, const char *key, size_t len);

/* First fact of that type, or NULL. */
const struct ebb_facts_fact *ebb_facts_first(const struct ebb_facts_file *file, enum ebb_facts_type type);

/* As in the facts file: "shard". NULL when out of range. Constant. */
const char *ebb_facts_name(int type);
int ebb_facts_by_name(const char *name);	/* -1: none */

#endif
