/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the instance reader share (policies/xfer_read.h), for them alone. */
#ifndef EBB_POLICIES_XFER_FIELD_H
#define EBB_POLICIES_XFER_FIELD_H

#include "core/arena.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/tree.h"
#include "policies/xfer.h"

/* A site by its id. */
struct ebb_xfer_field_name {
	const char *id;
	uint32_t at;
};

struct ebb_xfer_field {
	struct ebb_arena *arena;
	struct ebb_xfer *x;
	struct ebb_xfer_slot *slots;
	struct ebb_xfer_site *sites;
	struct ebb_xfer_pool *pools;
	struct ebb_xfer_link *links;
	struct ebb_xfer_group *groups;
	const char **site_ids, **pool_ids;
	const struct ebb_xfer_field_name *by_id;	/* sites in order of their ids */
	bool *linked;			/* sites x sites */
	ebb_xfer_num worst;		/* no plan can cost more */
	struct ebb_err *err;
};

/*
 * Each returns 0, -EBB_ECONFIG with the place, or -EBB_ENOMEM. Members that are absent or null leave *ret alone, unless said
 * otherwise.
 */
int ebb_xfer_field_memory(struct ebb_xfer_field *r);	/* -EBB_ENOMEM, with its message */

/* A number from 0 to @max, in 10^-12. */
int ebb_xfer_field_number(struct ebb_xfer_field *r, const struct ebb_tree_node *n, ebb_xfer_num max,
			  ebb_xfer_num *ret);

/* Members: a price (to a million), a volume, true or false, a whole number, text ("" when absent), an id (must be there). */
int ebb_xfer_field_price(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key,
			 int64_t *ret);
int ebb_xfer_field_volume(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key,
			  ebb_xfer_num *ret);
int ebb_xfer_field_bool(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key,
			bool *ret);
int ebb_xfer_field_count(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key,
			 int64_t least, int64_t *ret);
int ebb_xfer_field_text(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key,
			const char **ret);
int ebb_xfer_field_id(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char **ret);

/* The site that the member names, which must be there. */
int ebb_xfer_field_site(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key,
			uint32_t *ret);

/* The list @key of @map, whose elements are maps, and its length; empty when it may be missing. */
int ebb_xfer_field_list(struct ebb_xfer_field *r, const struct ebb_tree_node *map, const char *key,
			bool needed, const struct ebb_tree_node **ret, size_t *ret_n);

/* -EBB_ECONFIG: there is no @what of that name; these are. */
int ebb_xfer_field_unknown(struct ebb_xfer_field *r, const struct ebb_tree_node *n, const char *what,
			   const char *word, const char *const *words, size_t n_words);

/* Order of names, for qsort and bsearch. */
int ebb_xfer_field_by_name(const void *a, const void *b);

/* The map has only these keys, and `note`. */
#define EBB_XFER_FIELD_KEYS(r, map, ...)                                                           \
	ebb_tree_unknown_keys(map, (const char *const[]){__VA_ARGS__, "note"},                     \
			      EBB_ARRAY_LEN(((const char *const[]){__VA_ARGS__, "note"})), (r)->err)

/* The groups of the document: policies/xfer_field_group.c. */
int ebb_xfer_field_group(struct ebb_xfer_field *r, const struct ebb_tree_node *doc);

#endif
