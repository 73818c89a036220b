/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Conditions: a small typed expression language over the facts of an object, with three truth
 * values.
 *
 *     idle > 180d and size > 1MiB and not name matches "*.keep"
 *
 *   cond   := and { "or" and }      and := not { "and" not }      not := { "not" } prim
 *   prim   := "(" cond ")" | "true" | "false" | fact op literal | fact "matches" string
 *           | fact [ "not" ] "in" "[" literal { "," literal } "]"
 *   op     := "==" | "!=" | "<" | "<=" | ">" | ">="
 *
 *   fact                       type       literals
 *   size, alloc                bytes      1MiB, 500 KB needs no space: 500KB
 *   idle, age, changed         duration   30d, 12h (never `m`: minute or month?)
 *   mtime, atime, ctime        time       2026-01-31, 2026-01-31T12:00:00Z
 *   nlink, uid, gid, depth     number     3
 *   mode                       number     permission bits in octal: 0644
 *   type, evidence             word       "file", "relatime": == != in only
 *   path, name, ext, dir       text       "a string": == != in matches
 *   store, class               text: class is the object's own, or what its store is declared to be
 *   team, kind, labels and     text       (given to ebb_expr_compile)
 *   captures {x} of globs
 *
 * `age` and `changed` are the times since mtime and ctime; times in the future count as now.
 * `atime` is the last access by the best evidence, and `idle` the time since: both are intervals
 * (core/record.h), so `idle > 90d` can be unknown. `name` is the last component of the key, `ext`
 * what follows its last '.' ("" without one, or when it is the first byte), `dir` what stands
 * before the name, "" or ending in '/'; `depth` counts components. `matches` takes a glob (glob.h)
 * that matches the whole text. There is no `user`: names of users are not the index's business; use
 * `uid`.
 *
 * Certain and likely. `env.trust` says which idle times count: those that evidence proves, or also those that hold if access logs lost
 * nothing. What is likely lies within what is certain, so a truth that is certain stays when trust is added.
 *
 * Unknown facts give unknown; `and`, `or`, `not` are Kleene's. So a condition that is true or false
 * stays that when more becomes known.
 *
 * Pure. Threads: a compiled condition is read-only and may be shared.
 */
#ifndef EBB_POLICIES_EXPR_H
#define EBB_POLICIES_EXPR_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/names.h"
#include "core/record.h"

enum ebb_truth { EBB_FALSE = 0, EBB_UNKNOWN = 1, EBB_TRUE = 2 };

/* Deepest nesting of parentheses, and most literals in one list. */
#define EBB_EXPR_NESTING 32
#define EBB_EXPR_LIST 256

struct ebb_expr;

/* Where a condition stands, for its errors. */
struct ebb_expr_place {
	const char *file;
	int line, col;		/* of the first character of the text */
};

/*
 * Compile @text.
 *
 * @labels    names that are text facts besides the built-in ones, or NULL; borrowed for as long as
 *            the result. Where a name stands twice, the first counts.
 * @return    0; -EBB_ECONFIG with file, line and column of the very word, what was expected, and
 *            the nearest valid word; -EBB_ENOMEM.
 */
int ebb_expr_compile(struct ebb_arena *arena, const char *text, const struct ebb_expr_place *place,
		     const char *const *labels, size_t nlabels, struct ebb_expr **ret,
		     struct ebb_err *err);

/* Bytes, not NUL-terminated. p is NULL when unknown. */
struct ebb_expr_text {
	const char *p;
	size_t len;
};

/* What evaluation needs beside the records. */
struct ebb_expr_env {
	int64_t now;				/* ns since the epoch, not negative */
	const char *store, *class;		/* of the objects; NULL: unknown */
	const struct ebb_names *names;		/* of classes that objects have themselves; NULL: unknown */
	enum ebb_trust trust;			/* idle and atime: certain, or also what logs make likely */
	const struct ebb_expr_text *labels;	/* one for each name given at compile time; NULL:
						 * all unknown */
};

/* True when evaluation needs the key or labels, not fields and the store alone. */
bool ebb_expr_needs_key(const struct ebb_expr *e);

/* True when it needs labels. */
bool ebb_expr_needs_labels(const struct ebb_expr *e);

/*
 * True when the condition restricts nothing: it is true for every object of which all is known
 * ("true", "size >= 0B").
 */
bool ebb_expr_always(const struct ebb_expr *e);

/* Evaluate for one record. */
enum ebb_truth ebb_expr_eval(const struct ebb_expr *e, const struct ebb_expr_env *env,
			     const struct ebb_record *r);

#endif
