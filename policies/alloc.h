/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Allocation: every byte gets an owner and a price. Objects are added up by store, class, jurisdiction, folder, age, kind, and by every
 * label that datasets or a mapping give; each dimension has a row "" for what has no value there, so that all dimensions add up to
 * the same total.
 *
 * What counts: files, each inode once (at its first name), and the hidden bytes of buckets: noncurrent versions and unfinished uploads.
 * What is charged: a month's storage as it is, cost_storage.h, of what is allocated on filesystems and of sizes elsewhere. A class that
 * tiers by itself is charged at its first place; parts of uploads lie in the plain class, whatever they are for. What has no price is counted,
 * never free.
 *
 * Amounts of rows are rounded so that they add up to the total, which is rounded once (largest remainders, ties to the earlier row).
 *
 * Pure. Threads: an allocation belongs to one thread.
 */
#ifndef EBB_POLICIES_ALLOC_H
#define EBB_POLICIES_ALLOC_H

#include "core/names.h"
#include "policies/cost_storage.h"
#include "policies/labels.h"
#include "policies/price.h"
#include "policies/rules.h"

/* Most values of a dimension that are told apart; the rest falls into EBB_ALLOC_OTHERS. */
#define EBB_ALLOC_VALUES 16384
#define EBB_ALLOC_OTHERS "(others)"

struct ebb_alloc;

/* Dimensions that are always there, by number; those of labels follow. */
enum ebb_alloc_dim {
	EBB_ALLOC_STORE,
	EBB_ALLOC_CLASS,
	EBB_ALLOC_JURISDICTION,
	EBB_ALLOC_REGION,
	EBB_ALLOC_AGE,		/* time since the content was written, by EBB_ALLOC_AGES */
	EBB_ALLOC_TYPE,		/* "file", "version", "upload" */
	EBB_ALLOC_FOLDER,	/* STORE:FIRST/SECOND/ */
	EBB_ALLOC_DIMS
};

/* A row of a dimension. Strings live as long as the allocation. */
struct ebb_alloc_row {
	const char *value;
	int64_t objects, bytes;
	int64_t unpriced;	/* bytes among them without a price */
	int64_t cost;		/* nano-units a month of 30 days */
};

struct ebb_alloc_total {
	int64_t objects, bytes, unpriced;
	struct ebb_money cost;	/* a month of 30 days */
};

/*
 * @rules, @prices, @names  borrowed, must outlive it; NULL: none. A class whose name is not known has no price.
 * @labels                  further labels by mapping, or NULL; borrowed.
 * @return                  0 or -EBB_ENOMEM. Freed with ebb_alloc_free.
 */
int ebb_alloc_new(const struct ebb_rules *rules, const struct ebb_price_books *prices,
		  const struct ebb_names *names, const struct ebb_labels *labels, int64_t now,
		  struct ebb_alloc **ret, struct ebb_err *err);
void ebb_alloc_free(struct ebb_alloc *a);
EBB_CLEANUP_PTR(struct ebb_alloc, ebb_alloc_free);

/* Count the records of a block of @store whose keys begin with @prefix ("" for all). Returns 0, -EBB_ECORRUPT, -EBB_ENOMEM, -EBB_ERANGE. */
int ebb_alloc_block(struct ebb_alloc *a, const char *store, const struct ebb_block *b, const char *prefix,
		    struct ebb_err *err);

/*
 * Count only objects whose value of label dimension @dim (EBB_ALLOC_DIMS and above) is @value ("": that have none). Before the first block;
 * @value is borrowed.
 */
void ebb_alloc_only(struct ebb_alloc *a, size_t dim, const char *value);

/*
 * Would an object of @store count in row @value of dimension @dim ("": has none)? @rec->key is its key; @class NULL: its own by @names, else its store's. What is one of
 * EBB_ALLOC_OTHERS counts in the row of its own value.
 */
bool ebb_alloc_counts(struct ebb_alloc *a, const char *store, const struct ebb_record *rec, const char *class, size_t dim, const char *value);

/* Number of dimensions, the name of one, and its number by name (-1: none). */
size_t ebb_alloc_dims(const struct ebb_alloc *a);
const char *ebb_alloc_dim_name(const struct ebb_alloc *a, size_t dim);
int ebb_alloc_dim_find(const struct ebb_alloc *a, const char *name);

/*
 * The rows of a dimension: "" first where there is one, then by falling cost, bytes and rising value.
 *
 * @ret     allocated, freed by the caller with free().
 * @return  0, -EBB_ENOMEM, -EBB_ERANGE.
 */
int ebb_alloc_rows(struct ebb_alloc *a, size_t dim, struct ebb_alloc_row **ret, size_t *ret_n,
		   struct ebb_err *err);

/*
 * What listings of a store do not show: noncurrent versions and unfinished uploads, which its rows hold too, and delete markers, which are
 * objects without bytes and in no row. All 0 where there is nothing; `value` is @store.
 *
 * @return  0, -EBB_ERANGE.
 */
int ebb_alloc_hidden(const struct ebb_alloc *a, const char *store, struct ebb_alloc_row *ret, struct ebb_err *err);

/* Objects of one class within a row, as cost_storage.h takes them. */
#define EBB_ALLOC_BINS 3
struct ebb_alloc_part {
	const struct ebb_price_class *class;	/* priced */
	struct ebb_cost_load bin[EBB_ALLOC_BINS];
};

/*
 * What a row is made of, class by class in the order of the price books, at most @max.
 *
 * @return  how many there are; 0 also when there is no such row.
 */
size_t ebb_alloc_parts(const struct ebb_alloc *a, size_t dim, const char *value, struct ebb_alloc_part *ret,
		       size_t max);

/* Everything. Returns 0 or -EBB_ERANGE. */
int ebb_alloc_total(struct ebb_alloc *a, struct ebb_alloc_total *ret, struct ebb_err *err);

#endif
