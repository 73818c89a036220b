/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Globs taken apart: a pattern becomes a list of parts, in the shortest form that means the same.
 *
 * Invariants: no two literals are neighbours; no wildcard stands beside another that already covers
 * it (two stars beside one star are two stars; directories before a star or two stars are two
 * stars).
 *
 * Internal to the glob modules. Pure.
 */
#ifndef EBB_POLICIES_GLOB_PARSE_H
#define EBB_POLICIES_GLOB_PARSE_H

#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"

enum ebb_glob_part_kind {
	EBB_GLOB_LITERAL,	/* text */
	EBB_GLOB_ONE,		/* one byte of set: also '?' */
	EBB_GLOB_STAR,		/* any bytes but '/' */
	EBB_GLOB_DEEP,		/* any bytes */
	EBB_GLOB_DIRS,		/* nothing, or any bytes and a '/' */
	EBB_GLOB_CAPTURE	/* one or more bytes but '/' */
};

struct ebb_glob_part {
	enum ebb_glob_part_kind kind;
	const char *text;	/* LITERAL: the bytes, unescaped; CAPTURE: its name,
				 * NUL-terminated */
	size_t len;		/* LITERAL: how many */
	uint64_t set[4];	/* ONE: a bit for each byte value */
};

/* True when @c is in the set of a ONE part. */
static inline int ebb_glob_parse_in_set(const struct ebb_glob_part *p, unsigned char c)
{
	return (int)(p->set[c >> 6] >> (c & 63) & 1);
}

/*
 * Take @pattern apart.
 *
 * @ret  array of *ret_n parts in the arena, followed by one zeroed part.
 * @return  0, -EBB_ECONFIG, -EBB_ENOMEM.
 */
int ebb_glob_parse(struct ebb_arena *arena, const char *pattern, struct ebb_glob_part **ret,
		   size_t *ret_n, struct ebb_err *err);

#endif
