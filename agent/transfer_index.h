/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the index knows that a transfer needs: every content that is asked for, where it stands in all stores, and which keys are
 * missing at which destination.
 *
 * Contents are equal when their digests are, or else their entity tags of equal numbers of parts, and their sizes. An object of which
 * neither is known is a content of its own. Stores are numbered as in the configuration, and sites of the planner like them.
 *
 * Memory: bounded; members are sorted in a temporary file beside the index. Those of one content must fit. Threads: main thread.
 */
#ifndef EBB_AGENT_TRANSFER_INDEX_H
#define EBB_AGENT_TRANSFER_INDEX_H

#include "agent/app.h"
#include "agent/target.h"
#include "policies/xfer_book.h"

struct ebb_transfer_index;

struct ebb_transfer_member {
	int64_t size;
	int64_t parts;		/* of an entity tag; -1: a digest, -2: nothing is known, it is like no other */
	uint8_t id[EBB_DIGEST_LEN];
	uint64_t place;		/* in its store (core/place.h) */
	uint64_t missing, taken;	/* destinations where nothing stands under its key; where something else does, by bit */
	uint16_t site;
	uint16_t class, bounds;	/* private */
	bool wanted;		/* the transfer is about it */
	bool asked;		/* its key is: no store before has another object with it that is wanted as well */
	bool readable;		/* not archived */
	bool sleeps;		/* archived, and a price book says what thawing costs */
};

/* A key that a destination lacks. */
struct ebb_transfer_missing {
	uint32_t site;		/* the destination */
	size_t member;		/* whose key it is */
};

struct ebb_transfer_content {
	int64_t size;
	uint64_t have;		/* sites where it can be read, by bit */
	uint64_t asleep;	/* further sites where it can be read once it is thawed */
	uint64_t want;		/* destinations that need its bytes */
	uint32_t terms;		/* number of ebb_transfer_index_terms */
	const struct ebb_transfer_member *v;	/* by site */
	size_t n;
	const struct ebb_transfer_member *const *source;	/* per site: what is read there, the cheapest to read; NULL: nothing is */
	const struct ebb_transfer_missing *missing;	/* by site */
	size_t nmissing;
};

/* What was left alone. Objects, and those per destination. */
struct ebb_transfer_left {
	int64_t present;	/* stand at a destination under their key */
	int64_t taken;		/* their key holds something else, or nothing proves that it is the same */
	int64_t scarce;		/* contents that can stand at fewer destinations than there are to be copies */
	int64_t archived;	/* are archived wherever they are, and thawing has no price */
};

/*
 * Read the index. Every store of the configuration whose last scan came to its end counts; sources and destinations must be such.
 *
 * @targets  what is to be transferred; borrowed.
 * @dests    destinations, by bit.
 * @return   0; -EBB_ESTALE naming the store to scan; -EBB_ELIMIT: more stores than EBB_XFER_BOOK_PLACES; -EBB_EINDEX; -EBB_ENOSPC;
 *           -EBB_ENOMEM; -EBB_ECANCELLED.
 */
int ebb_transfer_index_open(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_target *targets, size_t ntargets,
			    uint64_t dests, struct ebb_transfer_index **ret, struct ebb_err *err);
void ebb_transfer_index_free(struct ebb_transfer_index *t);
EBB_CLEANUP_PTR(struct ebb_transfer_index, ebb_transfer_index_free);

/* Each content with a key that is missing somewhere, always in the same order. @c is borrowed for the call. A negative return stops. */
typedef int ebb_transfer_index_fn(void *ctx, const struct ebb_transfer_content *c, struct ebb_err *err);
int ebb_transfer_index_each(struct ebb_transfer_index *t, ebb_transfer_index_fn *fn, void *ctx, struct ebb_err *err);

/* What compressing leaves of objects with such a key, in thousandths; 0: they are not compressed. Asked for the first wanted key of a content. */
typedef int ebb_transfer_index_packed_fn(void *ctx, const char *key, size_t len);
void ebb_transfer_index_set_packed(struct ebb_transfer_index *t, ebb_transfer_index_packed_fn *fn, void *ctx);

/*
 * So many destinations are enough for each content (at most EBB_XFER_CHOICES destinations then). Those that have all its keys count; then
 * those that have it under other keys, which get the missing ones; of the rest the plan chooses. Where a key is taken nothing is put. 0: all.
 */
void ebb_transfer_index_set_copies(struct ebb_transfer_index *t, uint32_t copies);

/* Cut contents of the same terms into so many parts, by what they are (row.part of the terms). */
void ebb_transfer_index_set_parts(struct ebb_transfer_index *t, uint32_t parts);

/* The terms of all contents that each has shown so far. Borrowed until the next each. */
const struct ebb_xfer_book_terms *ebb_transfer_index_terms(const struct ebb_transfer_index *t);

/* What the last each left alone. */
const struct ebb_transfer_left *ebb_transfer_index_left(const struct ebb_transfer_index *t);

/* The store of a site as the index has it; generation 0: not scanned. */
const struct ebb_index_store *ebb_transfer_index_store(const struct ebb_transfer_index *t, uint32_t site);

/* The record of a member, key NUL-terminated, in @arena. As ebb_place_record. */
int ebb_transfer_index_record(struct ebb_transfer_index *t, const struct ebb_transfer_member *m, struct ebb_arena *arena,
			      struct ebb_record *ret, struct ebb_err *err);

#endif
