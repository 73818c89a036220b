/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A parsed document: what a YAML or JSON file becomes before anyone asks what it means.
 *
 * Readers (which know a syntax and do I/O) build a tree; code that knows meanings (and does no I/O)
 * reads it, and tests build small ones by hand. Every node knows its line and column, so that every
 * complaint can say where: `ebb.yaml:12:7: unknown key 'sise'; did you mean 'size'?`
 *
 * Nodes lie in the arena given to ebb_tree_new() and live as long as it. Keys of a map are plain
 * scalars, in the order of the file, each once. A scalar is text: whether `5%` is a share or a name
 * is for the one who expects it to say; `quoted` tells "~" from ~.
 *
 * Threads: a tree that is being built belongs to one thread; a finished one is constant and may be
 * read by many.
 */
#ifndef EBB_CORE_TREE_H
#define EBB_CORE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ebb_arena;
struct ebb_err;
struct ebb_money;

enum ebb_tree_kind {
	EBB_TREE_MAP,
	EBB_TREE_SEQ,
	EBB_TREE_SCALAR
};

/* Read the members; the functions below change them. */
struct ebb_tree_node {
	enum ebb_tree_kind kind;
	unsigned line, column;		/* where the value begins, from 1 */
	unsigned depth;			/* the root's is 1 */
	const struct ebb_tree_file *file; /* shared by all nodes of a document */

	/* As a member of a map; NULL otherwise. */
	const char *key;
	unsigned key_line, key_column;

	/* Of a scalar; NULL and 0 otherwise. Text is NUL-terminated and holds no other NUL. */
	const char *text;
	bool quoted;

	/* Of a map or a sequence: the children, in order. */
	struct ebb_tree_node *first, *last;
	struct ebb_tree_node *next;		/* next sibling */
	size_t n_children;
};

/* Loop over the children of a map or a sequence (a scalar has none). */
#define EBB_TREE_EACH(child, parent)                                                               \
	for (const struct ebb_tree_node *child = (parent)->first; child; child = child->next)

/* --- Building --- */

/* A position in the file, from 1. */
struct ebb_tree_pos {
	unsigned line, column;
};

/*
 * Begin a document: its root, a map or a sequence.
 *
 * @name    of the file, as messages show it; copied.
 * @return  the root, NULL when memory or the arena's cap is exhausted.
 */
struct ebb_tree_node *ebb_tree_new(struct ebb_arena *arena, const char *name,
				   enum ebb_tree_kind kind, struct ebb_tree_pos pos);

/*
 * Add a child at the end of @parent, a map or a sequence. The keys of a map are compared one by
 * one: meant for files that people write.
 *
 * @key       of the member, copied, when the parent is a map; NULL when it is a sequence.
 * @key_pos   where the key stands; ignored without key.
 * @kind      of the child; a scalar is filled by ebb_tree_set_text().
 * @ret       the child; may be NULL.
 * @return    0; -EBB_ECONFIG when the map has that key already (the message names both places) or
 *            the document is nested deeper than 64; -EBB_ENOMEM.
 */
int ebb_tree_add(struct ebb_tree_node *parent, const char *key, struct ebb_tree_pos key_pos,
		 enum ebb_tree_kind kind, struct ebb_tree_pos pos, struct ebb_tree_node **ret,
		 struct ebb_err *err);

/*
 * Give a scalar its text.
 *
 * @text    @len bytes, copied.
 * @return  0; -EBB_ECONFIG when the text holds a NUL or is not UTF-8; -EBB_ENOMEM.
 */
int ebb_tree_set_text(struct ebb_tree_node *scalar, const char *text, size_t len, bool quoted,
		      struct ebb_err *err);

/* --- Asking. Failures are -EBB_ECONFIG, and the message begins with FILE:LINE:COL. --- */

/* Name of the file that the node comes from. */
const char *ebb_tree_file(const struct ebb_tree_node *node);

/* The member of a map with that key, NULL when there is none (or the node is no map). */
const struct ebb_tree_node *ebb_tree_get(const struct ebb_tree_node *map, const char *key);

/* The member of a map with that key, which must be there. NULL with @err filled. */
const struct ebb_tree_node *ebb_tree_need(const struct ebb_tree_node *map, const char *key,
				     struct ebb_err *err);

/* Is the node of that kind? Returns 0 or -EBB_ECONFIG: "'stores' must be a map, not a list". */
int ebb_tree_expect(const struct ebb_tree_node *node, enum ebb_tree_kind kind, struct ebb_err *err);

/* Is the node an empty or null scalar, not quoted: nothing, `~` or `null`? */
bool ebb_tree_is_null(const struct ebb_tree_node *node);

/*
 * Does the map hold only keys of @allowed? Else, at the key: "unknown key 'sise'; did you mean
 * 'size'?"
 *
 * @return  0 or -EBB_ECONFIG, also when the node is no map.
 */
int ebb_tree_unknown_keys(const struct ebb_tree_node *map, const char *const allowed[], size_t n,
			  struct ebb_err *err);

/*
 * Read a scalar as what is expected there. *ret is touched on success only; what is no scalar, or
 * null, or malformed is -EBB_ECONFIG: "ebb.yaml:3:9: 'max_bytes': '10TeB' is not a size: units are
 * ...".
 *   text      any scalar that is not null; the text lives as long as the tree
 *   bool      true or false, not quoted
 *   choice    one of @words: its position
 *   count     digits
 *   bytes, duration, percent, time, money   as core/units.h and core/money.h read them
 */
int ebb_tree_text(const struct ebb_tree_node *node, const char **ret, struct ebb_err *err);
int ebb_tree_bool(const struct ebb_tree_node *node, bool *ret, struct ebb_err *err);
int ebb_tree_choice(const struct ebb_tree_node *node, const char *const words[], size_t n,
		    size_t *ret, struct ebb_err *err);
int ebb_tree_count(const struct ebb_tree_node *node, int64_t *ret, struct ebb_err *err);
int ebb_tree_bytes(const struct ebb_tree_node *node, int64_t *ret, struct ebb_err *err);
int ebb_tree_duration(const struct ebb_tree_node *node, int64_t *ret, struct ebb_err *err);
int ebb_tree_percent(const struct ebb_tree_node *node, int64_t *ret, struct ebb_err *err);
int ebb_tree_time(const struct ebb_tree_node *node, int64_t *ret, struct ebb_err *err);
int ebb_tree_money(const struct ebb_tree_node *node, struct ebb_money *ret, struct ebb_err *err);

/*
 * Complain about a node, or about the key of a member: "FILE:LINE:COL: message".
 *
 * @return  -EBB_ECONFIG.
 */
int ebb_tree_error(const struct ebb_tree_node *node, struct ebb_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int ebb_tree_key_error(const struct ebb_tree_node *member, struct ebb_err *err, const char *fmt,
		       ...) __attribute__((format(printf, 3, 4)));

#endif
