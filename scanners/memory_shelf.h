/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a memory bucket (store_memory_bucket.h, which alone uses it) holds: versions of objects and delete markers, by key, the newest of a key first.
 *
 * Threads: none of its own; whoever owns a shelf locks it.
 */
#ifndef EBB_SCANNERS_MEMORY_SHELF_H
#define EBB_SCANNERS_MEMORY_SHELF_H

#include "core/buf.h"
#include "scanners/store.h"

/* A version of an object, or a delete marker. */
struct ebb_memory_shelf_version {
	char *key;
	char *class;
	bool marker;
	struct ebb_buf data;
	char etag[33];
	struct ebb_meta meta;
	int64_t time;		/* last modified */
	int64_t ready, expires;	/* a temporary copy of what sleeps; 0: none was asked for */
	enum ebb_store_tier tier;	/* where its class has put it away; ready: when it is back from there */
};

struct ebb_memory_shelf {
	struct ebb_memory_shelf_version **all;
	size_t n, size;
	int64_t clock;		/* ns; a second goes by with every change */
	const char *name;	/* for messages; borrowed */
};

/* Empty, in @class (NULL: "STANDARD"). NULL when memory is short. */
struct ebb_memory_shelf_version *ebb_memory_shelf_version_new(const char *key, const char *class);
void ebb_memory_shelf_version_free(struct ebb_memory_shelf_version *v);
EBB_CLEANUP_PTR(struct ebb_memory_shelf_version, ebb_memory_shelf_version_free);

/* Entity tag of its data. 0 or -EBB_ENOMEM. */
int ebb_memory_shelf_tag(struct ebb_memory_shelf_version *v, struct ebb_err *err);

/* First place whose key is not less than @key. */
size_t ebb_memory_shelf_place(const struct ebb_memory_shelf *s, const char *key);

/* The newest thing under @key, be it a marker; the same unless it is one; what lies below a marker that is the newest. NULL: nothing such. */
struct ebb_memory_shelf_version *ebb_memory_shelf_newest(const struct ebb_memory_shelf *s, const char *key);
struct ebb_memory_shelf_version *ebb_memory_shelf_current(const struct ebb_memory_shelf *s, const char *key);
struct ebb_memory_shelf_version *ebb_memory_shelf_hidden(const struct ebb_memory_shelf *s, const char *key);

/* Put it before older ones of its key; the clock moves. @v is the shelf's from now on, also when this fails: -EBB_ENOMEM. */
int ebb_memory_shelf_insert(struct ebb_memory_shelf *s, struct ebb_memory_shelf_version *v, struct ebb_err *err);

/* Take it out and free it. */
void ebb_memory_shelf_drop(struct ebb_memory_shelf *s, struct ebb_memory_shelf_version *v);

/* As stores tell of it; the key of *ret is @key. */
void ebb_memory_shelf_record(const struct ebb_memory_shelf_version *v, const char *key, struct ebb_record *ret);

/* -EBB_ENOENT, set. */
int ebb_memory_shelf_missing(const char *key, struct ebb_err *err);

/* Is it there (@v is not NULL), and what @expect says (NULL: anything)? 0, -EBB_ENOENT, -EBB_ECHANGED. */
int ebb_memory_shelf_check(const struct ebb_memory_shelf_version *v, const char *key, const struct ebb_record *expect, struct ebb_err *err);

#endif
