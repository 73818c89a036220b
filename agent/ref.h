/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Readers of files that say something about other files: which shards a checkpoint has, what a cache, a table or an image refers to.
 *
 * A reader is one file, agent/ref_NAME.c, with one const struct ebb_ref and one line in the table of ref.c. It gets a whole file, bounded in
 * size, and tells facts (policies/facts.h). It trusts nothing: what it does not understand it calls bad, and then nothing that the file may
 * refer to is touched.
 *
 * Readers are pure. Threads: any.
 */
#ifndef EBB_AGENT_REF_H
#define EBB_AGENT_REF_H

#include "core/arena.h"
#include "core/record.h"
#include "policies/facts.h"

/* Larger files are not read; they are bad. */
#define EBB_REF_CAP (INT64_C(16) << 20)

/* Most facts of one file; one that says more is bad. */
#define EBB_REF_FACTS 500000

/* Where facts go. Failures of memory are kept and told at the end. */
struct ebb_ref_out {
	struct ebb_arena *arena;
	struct ebb_facts_fact *facts;	/* malloc'd; texts live in the arena */
	size_t n, room;
	bool bad_memory;
};

/* Release what out->facts holds. */
void ebb_ref_out_release(struct ebb_ref_out *out);

/* Tell a fact; texts are copied. */
void ebb_ref_tell(struct ebb_ref_out *out, enum ebb_facts_type type, const char *text);
void ebb_ref_tell_len(struct ebb_ref_out *out, enum ebb_facts_type type, const char *text, size_t len);
void ebb_ref_tell_metric(struct ebb_ref_out *out, const char *name, double value, int64_t step);
void ebb_ref_tell_hold(struct ebb_ref_out *out, const char *prefix, size_t len, const char *why);

/* What is read. */
struct ebb_ref_file {
	const char *key;		/* NUL-terminated */
	size_t key_len;
	const char *bytes;		/* content, or target of a symlink; not NUL-terminated */
	size_t len;
};

struct ebb_ref {
	const char *name;
	const char *covers;		/* one line: what it understands, and what not */
	enum ebb_record_kind kind;	/* of the records that it reads: files or symlinks */

	/* By key alone. */
	bool (*wants)(const char *key, size_t len);

	/* NULL, or whether a file that it wants is none of its by its size, so that it need not be read. */
	bool (*skips)(const char *key, size_t len, int64_t size);

	/*
	 * Tell the facts of a file that it wants. Returns NULL, or why it is not understood (constant text). What was told before such a failure
	 * does not count, but EBB_FACTS_FAMILY and EBB_FACTS_HOLD do, so these come first.
	 */
	const char *(*read)(const struct ebb_ref_file *f, struct ebb_ref_out *out);
};

/* The reader of a record, or NULL. */
const struct ebb_ref *ebb_ref_of(const char *key, size_t len, int64_t kind);

/* All rows, for docs and tests: number @i, NULL behind the last. */
const struct ebb_ref *ebb_ref_row(size_t i);

/* Helpers for readers. */

/* Length of the prefix of the hub-cache repository ("models--org--name/") that a key lies in, 0: none. ref_hf.c */
size_t ebb_ref_hf_repo(const char *key, size_t len);

/* Length of the folder part of a key with its '/'; 0 at the root. */
size_t ebb_ref_dir(const char *key, size_t len);

/* Does the last component of the key equal @name? */
bool ebb_ref_named(const char *key, size_t len, const char *name);
bool ebb_ref_ends(const char *p, size_t len, const char *with);

/*
 * Position behind the first component of the key that equals @component ("a/.dvc/b", ".dvc": at "b"); 0 when there is none. @from: where to
 * begin, the start of a component.
 */
size_t ebb_ref_behind(const char *key, size_t len, size_t from, const char *component);

#endif
