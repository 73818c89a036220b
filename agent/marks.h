/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far copies had come that were cut short: what the journal says of their marks (scanners/store.h), so that the next attempt goes on
 * inside the object. A mark is in the journal before its bytes need have arrived; what is there is for the store to find out.
 *
 * Memory: 64 bytes a mark, at most 10,000 of an object (S3), and the state of the digest at the last 16.
 *
 * Threads: belongs to one thread; what find gives may be read by many while nothing is added.
 */
#ifndef EBB_AGENT_MARKS_H
#define EBB_AGENT_MARKS_H

#include "compress/digest.h"
#include "scanners/store.h"

/* Marks of which the state of the digest is kept: more than a store has parts on their way. */
#define EBB_MARKS_STATES 16

struct ebb_marks {
	int64_t n;			/* number of the action */
	char *to_store, *to_key;	/* where it was copied to; owned */
	char *id;			/* of the temporary, owned; that of all marks */
	struct ebb_store_mark *v;	/* ascending */
	size_t len, room;
	int64_t wire;			/* bytes that attempts which ended have counted already */
	uint8_t (*states)[EBB_DIGEST_STATE];	/* of mark i at i % EBB_MARKS_STATES */
};

struct ebb_marks_set {
	struct ebb_marks *v;
	size_t n;
};

/* Add the mark @m of action @n. Marks that it replaces (of another upload, or not before it) are forgotten. 0, -EBB_ENOMEM. */
int ebb_marks_add(struct ebb_marks_set *s, int64_t n, const char *to_store, const char *to_key,
		  const struct ebb_store_mark *m, const uint8_t state[EBB_DIGEST_STATE], struct ebb_err *err);

/* An attempt ended without an end of the action, having read @wire bytes. */
void ebb_marks_count(struct ebb_marks_set *s, int64_t n, int64_t wire);

/* The action has ended. */
void ebb_marks_drop(struct ebb_marks_set *s, int64_t n);

/* Of action @n, or NULL. */
const struct ebb_marks *ebb_marks_find(const struct ebb_marks_set *s, int64_t n);

/* State of the digest of the first @at bytes, EBB_DIGEST_STATE bytes; NULL when it is not known. */
const uint8_t *ebb_marks_state(const struct ebb_marks *m, int64_t at);

/* Bytes that were read by an attempt that left no other word than its marks. */
int64_t ebb_marks_unsaid(const struct ebb_marks *m);

void ebb_marks_release(struct ebb_marks_set *s);

#endif
