/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Conditions: a small typed expression language over the facts of an object, with three truth values.
 *
 *     idle > 180d and size > 1MiB and not name matches "*.keep"
 *
 *   cond   := or ;  or := and { "or" and } ;  and := not { "and" not } ;  not := [ "not" ] prim
 *   prim   := "(" cond ")" | fact op literal | fact [ "not" ] "in" "[" literal { "," literal } "]"
 *           | fact "matches" string | "true" | "false" | fact-of-type-bool
 *   op     := "==" "!=" "<" "<=" ">" ">="
 *
 * Types: bytes (size, alloc), duration (idle, age, changed), time (mtime, atime, ctime), number (nlink, depth, uid,
 * gid, mode), string (name, path, ext, dir, store, class, user, team, kind, type, evidence, and every capture
 * {x} of a glob). A literal of another type is a compile error that says what was expected: `size > 30d`, `idle > 30`.
 * `m` is refused as a duration. Unknown facts give unknown; `and`, `or`, `not` are Kleene's.
 *
 * Pure. Threads: a compiled expression is read-only and may be shared.
 */
#ifndef EBB_POLICIES_EXPR_H
#define EBB_POLICIES_EXPR_H

#include "core/arena.h"
#include "core/block.h"
#include "core/err.h"
#include "core/record.h"

enum ebb_truth { EBB_FALSE = 0, EBB_UNKNOWN = 1, EBB_TRUE = 2 };

struct ebb_expr;

/* Where an expression stands, for its errors. */
struct ebb_expr_place {
	const char *file;
	int line, col;		/* of the first character of the text */
};

/* A named string that is not a field of the record: a capture or a label. NULL value: unknown. */
struct ebb_expr_label {
	const char *name;
	const char *value;
};

/*
 * Compile @text.
 *
 * @labels    names that are string facts besides the built-in ones, NULL-terminated, or NULL; borrowed during the call.
 * @return    0; -EBB_ECONFIG with file, line and column of the very word, what was expected, and the nearest
 *            valid word; -EBB_ENOMEM.
 */
int ebb_expr_compile(struct ebb_arena *arena, const char *text, const struct ebb_expr_place *place,
		     const char *const *labels, struct ebb_expr **ret, struct ebb_err *err);

/* What evaluation needs beside the records. */
struct ebb_expr_env {
	int64_t now;				/* ns since the epoch */
	const char *store, *class;		/* of the objects; NULL: unknown */
	const struct ebb_expr_label *labels;	/* of this object, for single records; or NULL */
	size_t nlabels;
	const char *(*user_name)(void *ctx, int64_t uid);	/* NULL: `user` is unknown */
	void *user_ctx;
};

/* True when evaluation needs keys or labels, not columns alone. */
bool ebb_expr_needs_key(const struct ebb_expr *e);

/* Evaluate for one record. */
enum ebb_truth ebb_expr_eval(const struct ebb_expr *e, const struct ebb_expr_env *env,
			     const struct ebb_record *r);

/* Scratch for ebb_expr_eval_block, reusable; one per thread. */
struct ebb_expr_work;
struct ebb_expr_work *ebb_expr_work_new(void);
void ebb_expr_work_free(struct ebb_expr_work *w);

/*
 * Evaluate for a whole block by columns: out[i] is the truth for record i. Only for expressions that do not need keys.
 * Columns whose least and greatest value settle a comparison are not decoded.
 */
void ebb_expr_eval_block(const struct ebb_expr *e, const struct ebb_expr_env *env,
			 struct ebb_expr_work *w, const struct ebb_block *b, uint8_t *out);

/* One fact that an expression uses, with its value for a record, for `explain`. */
struct ebb_expr_fact {
	const char *name;
	const char *value;	/* as people read it: "41 d", "between 41 d and 42 d", "unknown" */
	const char *evidence;	/* where it comes from: "atime, relatime mount", "index", "glob" */
};

/*
 * The facts an expression uses, each once, with their values.
 *
 * @return  number of facts written to *ret (an array in the arena), or -EBB_ENOMEM.
 */
int ebb_expr_facts(const struct ebb_expr *e, const struct ebb_expr_env *env,
		   const struct ebb_record *r, struct ebb_arena *arena, struct ebb_expr_fact **ret);

#endif
