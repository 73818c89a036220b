/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a condition saw: the facts it uses, as people read them.
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_POLICIES_EXPR_EXPLAIN_H
#define EBB_POLICIES_EXPR_EXPLAIN_H

#include "core/arena.h"
#include "core/buf.h"
#include "policies/expr.h"

/* One fact with its value for a record. */
struct ebb_expr_explain_fact {
	const char *name;
	const char *value;	/* "41d", "between 40d and 41d", "at most 41d", "1.5 GiB",
				 * "unknown" */
	const char *evidence;	/* where it comes from; constant */
};

/*
 * The facts an expression uses, each once, in the order written.
 *
 * @ret     out: array in the arena.
 * @labels  the names given at compile time; NULL when there were none.
 * @return  number of facts, or -EBB_ENOMEM.
 */
int ebb_expr_explain(const struct ebb_expr *e, const struct ebb_expr_env *env,
		     const char *const *labels, const struct ebb_record *r, struct ebb_arena *arena,
		     struct ebb_expr_explain_fact **ret, struct ebb_err *err);

/*
 * The same as one line, "idle 200d, size 1.5 GiB", added to @out; facts of the key are left out,
 * since whoever reads the line sees the key.
 *
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_expr_explain_line(const struct ebb_expr *e, const struct ebb_expr_env *env,
			  const char *const *labels, const struct ebb_record *r,
			  struct ebb_buf *out, struct ebb_err *err);

#endif
