/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An operation: one action of a run, lowered, in one of its ways. It says everything that is needed to do it, to finish it
 * after a crash, and to take it back, so that an intent in the journal stands on its own.
 *
 * Threads: plain data; read-only while the executor works on it.
 */
#ifndef EBB_AGENT_OP_H
#define EBB_AGENT_OP_H

#include "core/err.h"
#include "core/record.h"
#include "policies/action.h"
#include "scanners/meta.h"

enum ebb_op_way {
	EBB_OP_APPLY,	/* do it */
	EBB_OP_UNDO,	/* take it back */
	EBB_OP_EXPIRE,	/* let go for good what lies in the trash */
	EBB_OP_WAYS
};

/* How an object is taken out of sight, and given back, by what its store can do. */
enum ebb_op_how {
	EBB_OP_RENAME,	/* to another key, by one change */
	EBB_OP_COPY,	/* to another key, copied by the store and then removed */
	EBB_OP_TAKE,	/* to another store, which takes it from there by itself, if it can */
	EBB_OP_HIDE,	/* nowhere: a delete marker hides it, its content stays as a version */
	EBB_OP_REPLACE,	/* nowhere: its place is taken by its other form, which lies at the other key until then */
	EBB_OP_HOWS
};

/* Where an object lies in a pack: a row of the pack's index, without its key and digest. */
struct ebb_op_member {
	int64_t at, coded, raw, size;	/* as in struct ebb_pack_member; coded 0: in none */
};

struct ebb_op {
	int64_t n;			/* number of the action in its plan */
	enum ebb_action_id action;
	enum ebb_op_way way;
	const char *store, *key;	/* what is worked on */
	struct ebb_record obj;		/* what it must still be; obj.key is key */
	const char *to_store, *to_key;	/* where it goes; NULL: nowhere, it is removed for good or stays where it is */
	enum ebb_op_how how;		/* into the trash and back; in place */
	const char *class;		/* storage class at `to`, or in place when there is none; NULL: as it comes */
	const char *old_class;		/* what it was in before, or NULL: nobody knows */
	struct ebb_meta meta;		/* metadata that `to` ends up with, when has_meta */
	bool has_meta;
	const char *codec;		/* or NULL */
	bool decode;			/* false: the codec encodes on the way, true: decodes */
	int level;
	int window;			/* of zstd, log2 of bytes; 0: as the level does */
	enum ebb_action_verify verify;	/* apply: how the copy is verified */
	int64_t pack;			/* archive: number of the first action of this window that goes into the same pack; otherwise 0 */
	struct ebb_op_member member;	/* archive, back: what is read of `key`, which is a pack */
	bool purge;			/* the rule said the words for a delete without trash */
	enum ebb_action_how dedup;	/* dedup: how */
	const char *with_store, *with_key;	/* dedup: the copy that stays; otherwise NULL */
	struct ebb_record with;		/* what it must still be; with.key is with_key */
	int64_t expires;		/* end of its time in the trash, ns since the epoch; 0: not into the trash */
	bool has_digest;		/* digest of the decoded content is known, and what comes out must have it */
	uint8_t digest[EBB_DIGEST_LEN];
};

/* What it is about: of what lies in a pack, the object, not the pack. */
static inline const struct ebb_record *ebb_op_subject(const struct ebb_op *op)
{
	return op->action == EBB_ACTION_STRIKE ? &op->with : &op->obj;
}

/* Store and key of that. */
static inline const char *ebb_op_subject_store(const struct ebb_op *op)
{
	return op->action == EBB_ACTION_STRIKE ? op->with_store : op->store;
}
static inline const char *ebb_op_subject_key(const struct ebb_op *op)
{
	return op->action == EBB_ACTION_STRIKE ? op->with_key : op->key;
}

enum ebb_op_outcome {
	EBB_OP_DONE,
	EBB_OP_SKIPPED,		/* changed, in the way, or pointless: nothing was touched */
	EBB_OP_FAILED,		/* tried, and everything is as before */
	EBB_OP_BACK,		/* not begun, or rolled back: to be done again when the run goes on */
	EBB_OP_OUTCOMES
};

struct ebb_op_result {
	enum ebb_op_outcome outcome;
	struct ebb_err why;		/* SKIPPED, FAILED */
	struct ebb_record to;		/* DONE: what stands at `to`, without its key; nothing known when removed */
	struct ebb_op_member member;	/* archive: where it lies in `to`, which is a pack */
	bool has_digest;
	uint8_t digest[EBB_DIGEST_LEN];	/* DONE: of the decoded content, when it was read */
	int64_t wire;			/* bytes that were read from `store` by this attempt, whatever came of it */
};

/* Free the metadata; strings are borrowed. */
void ebb_op_release(struct ebb_op *op);

/* Stable words for journals and JSON: "apply", "done". "unknown" when out of range. Constant. */
const char *ebb_op_way_name(int way);
const char *ebb_op_outcome_name(int outcome);
const char *ebb_op_how_name(int how);

/*
 * What a failed step makes of its operation: SKIPPED for what happened to the object, FAILED for what happened to us, BACK for what
 * would happen to every other one as well (no room, a store that went away) and may be remedied.
 */
enum ebb_op_outcome ebb_op_outcome_of(int code);

#endif
