/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Actions: what a rule wants done with one object, decided and priced, not yet done.
 *
 * The table of action kinds in action.c is the extension point: one row is one kind. A kind says
 * what it needs from a rule and how it changes storage; the executor knows none of them, only the
 * steps they are lowered to.
 *
 * Pure: no I/O, no clock, no globals that change.
 */
#ifndef EBB_POLICIES_ACTION_H
#define EBB_POLICIES_ACTION_H

#include "core/money.h"
#include "core/record.h"

enum ebb_action_id {
	EBB_ACTION_KEEP,	/* leave it; ends the search */
	EBB_ACTION_DELETE,	/* into the store's trash, or gone for good (purge) */
	EBB_ACTION_TIER,	/* to another store or class, leaving nothing behind */
	EBB_ACTION_COMPRESS,	/* to KEY.zst or KEY.lz4 beside it, or under its own key */
	EBB_ACTION_DEDUP,	/* one of several equal files no longer takes room of its own */
	EBB_ACTION_ARCHIVE,	/* into a pack with others, in another store or the same */
	EBB_ACTION_COPY,	/* to another store as well; the original stays */
	EBB_ACTION_RETAIN,	/* which checkpoints of a family stay; the others are deleted: plans have deletes only */
	EBB_ACTION_STRIKE,	/* an object in a pack counts as deleted: a tombstone beside the pack says so */
	EBB_ACTION_REPACK,	/* a pack without what was deleted from it, in place of it */
	EBB_ACTION_COUNT
};

/* Most objects in a pack: they are done in one window, which bounds memory and what a crash leaves open. */
#define EBB_ACTION_PACK_MEMBERS 4096

/* What a kind is, for rules, plans and messages. */
struct ebb_action_kind {
	enum ebb_action_id id;
	const char *name;	/* as in `do:` and in plans */
	const char *summary;	/* one line for help and the schema */
	bool changes;		/* touches stores; such rules never fire on "unknown" */
	bool destructive;	/* takes bytes out of reach: such rules may say trash and purge, and
				 * are refused when they restrict nothing, unless they say so */
	bool needs_to;		/* the rule must name a destination store */
	bool takes_codec;	/* the rule may say codec and level */
	bool unruled;		/* no rule may ask for it: transfers plan it (ebb transfer plan) */
	bool trashes;		/* puts what it takes away into the trash: the rule may say trash */
	bool families;		/* decides about whole checkpoints: the rule may say keep_last and its kin */
	bool packs;		/* several objects go into one: the rule may say pack */
	const char *past;	/* for reports: "deleted", "compressed" */
};

/* Row of the table; NULL when @id is out of range. */
const struct ebb_action_kind *ebb_action_kind(enum ebb_action_id id);

/* Row by name ("move" is another word for "tier"); NULL when there is none. */
const struct ebb_action_kind *ebb_action_by_name(const char *name);

/* How a duplicate ceases to take room. */
enum ebb_action_how {
	EBB_ACTION_REFLINK,	/* it lies in the blocks of the copy that stays; both remain files of their own */
	EBB_ACTION_HARDLINK,	/* its name becomes another name of the copy that stays */
	EBB_ACTION_DROP,	/* it goes into the trash ("delete") */
	EBB_ACTION_HOWS
};

/* What of a copy must be shown before its original may go. */
enum ebb_action_verify {
	EBB_ACTION_DIGEST,	/* it was read back, and has the digest of what was read from the original */
	EBB_ACTION_SIZE,	/* it stands as it was written, with the size of the original; nothing is read back */
	EBB_ACTION_CHECKSUM,	/* its store compared checksums while it was written; where it did not: as DIGEST */
	EBB_ACTION_BYTES,	/* it was read back beside the original, which is read once more, and no byte differs */
	EBB_ACTION_VERIFIES
};

/* As in `verify:` and in plans: "digest", "size", "checksum", "bytes". NULL when out of range. Constant. */
const char *ebb_action_verify_name(int verify);

/* As in `how:` and in plans: "reflink", "hardlink", "delete". NULL when out of range. Constant. */
const char *ebb_action_how_name(int how);

/* Number by name, or -1. */
int ebb_action_how_by_name(const char *name);

/*
 * One decided action. Strings are borrowed from the rules, the record that it was decided from and
 * the decision's own buffer; whoever keeps an action copies them.
 */
struct ebb_action {
	enum ebb_action_id id;
	const char *rule;		/* name of the rule */
	const char *store;		/* name of the object's store */
	const struct ebb_record *obj;	/* identity and preconditions: key, size, mtime, ctime,
					 * inode */
	const char *to_store;		/* destination store, or NULL: the same */
	const char *to_class;		/* class to go into: in the same store, or of the pack; or NULL */
	const char *codec;		/* "zstd", "lz4", or NULL */
	int level;			/* codec level, 0: its default */
	int window;			/* compress: as in struct ebb_rule */
	bool keep_key;			/* compress: as in struct ebb_rule */
	enum ebb_action_verify verify;	/* tier, compress: how the copy is verified */
	bool purge;			/* delete for good, not into the trash */
	int64_t trash_ns;		/* delete, dedup: how long the trash keeps it */
	enum ebb_action_how how;	/* dedup */
	const char *with_store;		/* dedup, and delete where a dataset keeps copies: where one that stays is; otherwise NULL */
	const struct ebb_record *with;	/* dedup, delete: that copy; strike: the object as it was, in store with_store, while `obj` is its pack */
	int64_t pack;			/* archive: number of the pack that it goes into, from 1; otherwise 0 */
	/* money; all amounts in the plan's currency */
	bool priced;			/* false: no price for a class involved, the amounts are
					 * 0 and mean nothing */
	struct ebb_money one_off;	/* cost of doing it */
	struct ebb_money saving;	/* saved per month of 30 days once done; negative: costs
					 * more */
	int64_t freed;			/* bytes freed on the object's store (allocated bytes),
					 * estimate for compress */
	int64_t wire;			/* bytes read from one store and written to another */
	const char *why;		/* one line for people: the facts that decided, and what
					 * is special */
};

#endif
