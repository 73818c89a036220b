/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Conditions inside: facts, the tree, and the steps that all evaluators share.
 *
 * Internal to the expr modules. Every comparison of numbers becomes "the value lies in one of these
 * ranges", in the domain where the fact is stored: `age > 30d` is a range of mtime once `now` is
 * known. So the evaluator for single records and the one for blocks differ in how they fetch
 * values, not in what they compare.
 */
#ifndef EBB_POLICIES_EXPR_AST_H
#define EBB_POLICIES_EXPR_AST_H

#include "policies/expr.h"
#include "policies/glob.h"

enum ebb_expr_type {
	EBB_EXPR_BYTES,
	EBB_EXPR_DURATION,	/* ns */
	EBB_EXPR_TIME,		/* ns since the epoch */
	EBB_EXPR_NUMBER,
	EBB_EXPR_OCTAL,
	EBB_EXPR_WORD,		/* one of a list, stored as its number */
	EBB_EXPR_TEXT
};

/* How a fact is fetched. */
enum ebb_expr_source {
	EBB_EXPR_FIELD,		/* a field of the record */
	EBB_EXPR_MODE,		/* the permission bits of MODE */
	EBB_EXPR_SINCE,		/* now - field, not below 0 */
	EBB_EXPR_IDLE,		/* interval */
	EBB_EXPR_ACCESS,	/* now - idle */
	EBB_EXPR_DEPTH,		/* from the key, as all that follow but STORE and CLASS */
	EBB_EXPR_PATH,
	EBB_EXPR_NAME,
	EBB_EXPR_EXT,
	EBB_EXPR_DIR,
	EBB_EXPR_STORE,
	EBB_EXPR_CLASS,
	EBB_EXPR_LABEL
};

struct ebb_expr_fact {
	const char *name;
	enum ebb_expr_type type;
	enum ebb_expr_source source;
	enum ebb_field field;		/* FIELD, SINCE */
	const char *(*word)(int64_t);	/* WORD: name of a number */
	int nwords;
};

/* lo to hi, both in it. */
struct ebb_expr_range {
	int64_t lo, hi;
};

/*
 * One comparison. Exactly one of ranges, texts, glob is used, by the type of the fact and the
 * operator.
 */
struct ebb_expr_leaf {
	const struct ebb_expr_fact *fact;
	size_t label;			/* LABEL: number of the label */
	struct ebb_expr_range *ranges;	/* in the domain of the type; those that are empty left
					 * out */
	struct ebb_expr_text *texts;
	size_t n;			/* of ranges or texts */
	const struct ebb_glob *glob;
	bool negate;			/* != and `not in` */
};

enum ebb_expr_op { EBB_EXPR_CONST, EBB_EXPR_LEAF, EBB_EXPR_NOT, EBB_EXPR_AND, EBB_EXPR_OR };

struct ebb_expr_node {
	enum ebb_expr_op op;
	enum ebb_truth value;			/* CONST */
	struct ebb_expr_leaf leaf;		/* LEAF */
	struct ebb_expr_node *first, *next;	/* NOT: one child; AND, OR: two or more */
};

struct ebb_expr {
	struct ebb_expr_node *root;
	const struct ebb_expr_leaf **leaves;	/* in the order written */
	size_t nleaves;
};

/* --- expr_lex.c --- */

enum ebb_expr_token {
	EBB_EXPR_T_END,
	EBB_EXPR_T_WORD,	/* name or keyword */
	EBB_EXPR_T_VALUE,	/* begins with a digit */
	EBB_EXPR_T_STRING,
	EBB_EXPR_T_OP,		/* == != < <= > >= */
	EBB_EXPR_T_MARK		/* ( ) [ ] , */
};

struct ebb_expr_lex {
	struct ebb_arena *arena;
	const char *start, *p;
	struct ebb_expr_place place;
	struct ebb_err *err;
	enum ebb_expr_token token;	/* the current one */
	const char *text;		/* its text; of a STRING what stands between the quotes,
					 * unescaped */
	size_t at;			/* its offset from start */
};

/* Go to the next token. Returns 0, -EBB_ECONFIG, -EBB_ENOMEM. */
int ebb_expr_lex_next(struct ebb_expr_lex *lx);

/* A failure at the current token: "file:line:col: ...". Returns -EBB_ECONFIG. */
int ebb_expr_lex_fail(const struct ebb_expr_lex *lx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* --- expr_parse.c --- */

/* Parse and check types. As ebb_expr_compile. */
int ebb_expr_parse(struct ebb_expr_lex *lx, const char *const *labels, size_t nlabels,
		   struct ebb_expr *e);

/* --- expr_fact.c --- */

/* Fact by name, or NULL. A label has the fact ebb_expr_fact_label(). */
const struct ebb_expr_fact *ebb_expr_fact_find(const char *name);
const struct ebb_expr_fact *ebb_expr_fact_label(void);

/* Names of the built-in facts, in the order of the table. */
const char *const *ebb_expr_fact_names(size_t *ret_n);

/* What a literal for the fact looks like: "a size such as 1MiB". */
const char *ebb_expr_fact_wants(const struct ebb_expr_fact *f);

/* Read a literal. On failure err holds what is wrong with it, without place. */
int ebb_expr_fact_literal(const struct ebb_expr_fact *f, const char *text, int64_t *ret,
			  struct ebb_err *err);

/*
 * A range of the fact as a range of what is stored: other for SINCE and ACCESS. May come back empty
 * (lo > hi).
 */
struct ebb_expr_range ebb_expr_fact_stored(const struct ebb_expr_fact *f, struct ebb_expr_range r,
					   int64_t now);

/* Class of an object whose own has this code; p is NULL when the name is unknown. */
struct ebb_expr_text ebb_expr_fact_class(const struct ebb_expr_env *env, int64_t code);

/* Text of a fact; p is NULL when unknown. @r: NULL for facts that do not differ between objects of a store. */
struct ebb_expr_text ebb_expr_fact_text(const struct ebb_expr_leaf *l,
					const struct ebb_expr_env *env, const struct ebb_record *r);

/* Number of components of a key. */
int64_t ebb_expr_fact_depth(const char *key, size_t len);


/* --- expr.c --- */

/* A value somewhere in @v, asked whether it lies in the leaf's ranges; negation not applied. */
enum ebb_truth ebb_expr_in_ranges(const struct ebb_expr_leaf *l, struct ebb_span v, int64_t now);

/* A text asked whether it meets the leaf; negation not applied. */
enum ebb_truth ebb_expr_text_meets(const struct ebb_expr_leaf *l, struct ebb_expr_text t);

#endif
