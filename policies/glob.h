/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Globs over keys.
 *
 *   *        any bytes but '/', also none          **       any bytes, also none
 *   ?        one byte but '/'                      {name}   one or more bytes but '/', captured
 *   [a-z]    one byte of the set, never '/'        \c       the byte c itself
 *   [!a-z]   one byte not of the set, nor '/'      other    itself
 *
 * A glob matches a whole key. Where two stars stand before a '/' and at the start or behind a '/',
 * they and that '/' mean whole directories, also none: a pattern of two stars, '/' and "x" matches
 * "x" and "a/b/x". Keys of directories end in '/', so "logs/" matches a directory alone, and with
 * two stars behind it the directory and all below. A ']' that stands first in a set is a member of
 * it.
 *
 * Captures are greedy: going from left to right, each wildcard takes as many bytes as let the rest
 * of the pattern match, so {a}-{b} splits x-y-z into "x-y" and "z".
 *
 * Cost. Literal bytes at both ends are compared first. What is left between is a non-deterministic
 * automaton whose states are the bits of machine words: every byte of the key moves all of them at
 * once, so matching takes length * ceil(states / 64) steps whatever the pattern and the key.
 * Captures are found, in keys that match, by backtracking that remembers for each wildcard and
 * place that it failed there: at most wildcards * length^2 / 2 comparisons.
 *
 * Pure. Threads: a compiled glob is read-only and may be shared.
 */
#ifndef EBB_POLICIES_GLOB_H
#define EBB_POLICIES_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/err.h"

/* Longest pattern in bytes, and most wildcards in one. */
#define EBB_GLOB_MAX 4096
#define EBB_GLOB_WILDCARDS 64

struct ebb_glob;

/* Bytes that a capture took, borrowed from the key. */
struct ebb_glob_span {
	const char *p;
	size_t len;
};

/*
 * Compile @pattern (copied).
 *
 * @return  0; -EBB_ECONFIG with the column (from 1) in the pattern and what to write instead;
 *          -EBB_ENOMEM.
 */
int ebb_glob_compile(struct ebb_arena *arena, const char *pattern, struct ebb_glob **ret,
		     struct ebb_err *err);

/* True when the glob matches the whole key. */
bool ebb_glob_match(const struct ebb_glob *g, const char *key, size_t len);

/*
 * The same with captures: @spans has room for ebb_glob_captures() of them, untouched when nothing
 * matches. A key longer than EBB_KEY_MAX never matches.
 */
bool ebb_glob_capture(const struct ebb_glob *g, const char *key, size_t len,
		      struct ebb_glob_span *spans);

/* Number of captures, and their names in the order of the pattern. Borrowed from the glob. */
size_t ebb_glob_captures(const struct ebb_glob *g);
const char *ebb_glob_capture_name(const struct ebb_glob *g, size_t i);

/* Bytes that every matching key begins with, possibly none. Borrowed from the glob. */
const char *ebb_glob_prefix(const struct ebb_glob *g, size_t *ret_len);

/* True when the glob matches every key without looking: it means "**". */
bool ebb_glob_matches_all(const struct ebb_glob *g);

/*
 * True when the glob restricts nothing that a person would call a restriction: it matches every
 * file of a store. For refusing rules that destroy everything.
 */
bool ebb_glob_everything(const struct ebb_glob *g);

/* False when no key from @first on can match: for skipping ranges of sorted keys. */
bool ebb_glob_reaches(const struct ebb_glob *g, const char *first, size_t first_len);

#endif
