/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Price books on disk: those that ship with ebb, and those of the user.
 *
 * Books that ship lie in $EBB_PRICES, or else in share/ebb/prices beside the program's folder, or in the source tree that it was
 * built in.
 *
 * Threads: any; the arena belongs to the caller.
 */
#ifndef EBB_AGENT_BOOKS_H
#define EBB_AGENT_BOOKS_H

#include <limits.h>

#include "compress/digest.h"
#include "policies/price.h"

/* Path of the book called @name that ships with ebb. False when there is none. */
bool ebb_books_find(const char *name, char ret[PATH_MAX]);

/*
 * Read a book and add it to a set.
 *
 * @arena   holds the document, which the set refers to.
 * @digest  is fed the file's bytes; or NULL.
 * @ret     the document; may be NULL.
 * @return  0; -EBB_ECONFIG; -EBB_ENOENT, -EBB_EACCES, -EBB_EIO; -EBB_ENOMEM.
 */
int ebb_books_add(struct ebb_arena *arena, struct ebb_price_books *set, const char *path,
		  struct ebb_digest *digest, struct ebb_tree_node **ret, struct ebb_err *err);

/* The names of all books that ship, sorted: "aws", "azure" ... in @arena; ends with NULL. NULL: no memory. */
const char **ebb_books_names(struct ebb_arena *arena);

#endif
