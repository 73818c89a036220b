/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of storage classes: records hold codes (ebb_record_class_code), this says what they are called.
 *
 * The index keeps each name that a scan met once, under its code (database `names`); a table holds them in memory, a few dozen at most.
 * Codes are hashes, so two names might share one: the second is refused when it is met, never taken for the first.
 *
 * Threads: a table that nobody adds to may be shared.
 */
#ifndef EBB_CORE_NAMES_H
#define EBB_CORE_NAMES_H

#include "core/index.h"

struct ebb_snap;
struct MDB_txn;

/* Longest name in bytes, and most names of one index. What comes from a server is bounded here. */
#define EBB_NAMES_LEN 63
#define EBB_NAMES_MAX 1024

struct ebb_names;

/* An empty table; NULL when memory is short. */
struct ebb_names *ebb_names_new(void);
void ebb_names_free(struct ebb_names *n);
EBB_CLEANUP_PTR(struct ebb_names, ebb_names_free);

/*
 * Enter @name (copied) and tell its code.
 *
 * @return  1 when it is new, 0 when it was there; -EBB_EINVAL: empty, longer than EBB_NAMES_LEN, with control bytes, or its code is that of
 *          another name; -EBB_ERANGE: more than EBB_NAMES_MAX; -EBB_ENOMEM.
 */
int ebb_names_add(struct ebb_names *n, const char *name, int64_t *ret_code, struct ebb_err *err);

/* The name of a code; lives as long as the table. NULL when it is unknown, or @n is. */
const char *ebb_names_get(const struct ebb_names *n, int64_t code);

/* All names that a snapshot knows, in a table that outlives it. Returns 0, -EBB_ENOMEM, -EBB_EINDEX. */
int ebb_names_read(struct ebb_snap *s, struct ebb_names **ret, struct ebb_err *err);

/* For merge.c: add what the index holds to @n, and enter a name in both. As ebb_names_add, and what the index returns. */
int ebb_names_load(struct ebb_names *n, struct ebb_index *ix, struct MDB_txn *txn,
		   struct ebb_err *err);
int ebb_names_save(struct ebb_names *n, struct ebb_index *ix, struct MDB_txn *txn, const char *name,
		   int64_t *ret_code, struct ebb_err *err);

#endif
