/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The objects of the memory store: a sorted array with the rules of a filesystem (parents exist, a
 * name is a directory or an object and never both). store_memory.c alone uses it, and holds its
 * lock around every call.
 *
 * Invariants: sorted by key, no key twice; every change takes the next tick of the clock.
 */
#ifndef EBB_SCANNERS_MEMORY_TREE_H
#define EBB_SCANNERS_MEMORY_TREE_H

#include "core/buf.h"
#include "core/record.h"
#include "scanners/meta.h"

struct ebb_memory_object {
	char *key;		/* directories end in '/' */
	struct ebb_buf data;
	struct ebb_meta meta;
	int64_t ino, ctime;
};

/*
 * Zero-initialised it is empty; objects are owned and stay where they are until they are removed.
 */
struct ebb_memory_tree {
	struct ebb_memory_object **objects;
	size_t n, size;
	int64_t clock, last_ino;	/* last ones given out */
};

void ebb_memory_tree_release(struct ebb_memory_tree *t);

/* Whether a key names a directory. */
bool ebb_memory_tree_is_dir(const char *key);

/* Where @key stands in the array, or would. */
size_t ebb_memory_tree_place(const struct ebb_memory_tree *t, const char *key);

/* The object of that key, or NULL. */
struct ebb_memory_object *ebb_memory_tree_find(const struct ebb_memory_tree *t, const char *key);

/* Record that @key does not exist. Returns -EBB_ENOENT. */
int ebb_memory_tree_missing(const char *key, struct ebb_err *err);

/* Whether the name is taken, be it by an object or by a directory. */
bool ebb_memory_tree_taken(const struct ebb_memory_tree *t, const char *key);

/* 0 when the directory of @key exists, or -EBB_ENOENT. */
int ebb_memory_tree_check_parent(const struct ebb_memory_tree *t, const char *key,
				 struct ebb_err *err);

/* New empty object or directory under a key that is free. Returns 0 or -EBB_ENOMEM. */
int ebb_memory_tree_create(struct ebb_memory_tree *t, const char *key, uint32_t mode,
			   struct ebb_memory_object **ret, struct ebb_err *err);

/* Record of an object, its key borrowed from @key. */
void ebb_memory_tree_record(const struct ebb_memory_object *o, const char *key,
			    struct ebb_record *ret);

/* Find the object of @key in the state @expect. Returns 0, -EBB_ENOENT, -EBB_ECHANGED. */
int ebb_memory_tree_expect(const struct ebb_memory_tree *t, const char *key,
			   const struct ebb_record *expect, struct ebb_memory_object **ret,
			   struct ebb_err *err);

/* Set parts of an object's metadata. Returns 0, or -EBB_ENOMEM with nothing changed. */
int ebb_memory_tree_apply(struct ebb_memory_tree *t, struct ebb_memory_object *o,
			  const struct ebb_meta *meta, uint32_t what, struct ebb_err *err);

/* Remove the object of that key, if there is one. */
void ebb_memory_tree_remove(struct ebb_memory_tree *t, const char *key);

/* Give the object at @from the free key @to. Returns 0, or -EBB_ENOMEM with nothing changed. */
int ebb_memory_tree_move(struct ebb_memory_tree *t, const char *from, const char *to,
			 struct ebb_err *err);

/* Give the directory @from and all below it the key @to. On -EBB_ENOMEM some may have moved. */
int ebb_memory_tree_move_all(struct ebb_memory_tree *t, const char *from, const char *to,
			     struct ebb_err *err);

#endif
