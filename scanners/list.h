/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bucket scanner: a parallel listing that delivers records in key order.
 *
 * A bucket is listed page by page, each asked for by the key before it, so one listing goes only as fast as one answer follows the
 * other. Here the space of keys is cut into ranges as they are found to be large (list_split.h), and ranges are listed at the same
 * time. Nothing need be known of the keys: a cut in a bad place costs a request, never a key, since ranges meet without gap or
 * overlap wherever they are cut.
 *
 * What is asked for is bounded: every cut costs at most one request more than a listing in one piece, and there are at most
 * EBB_LIST_CUTS of them, and one more for every EBB_LIST_PAGES_PER_CUT pages. So is memory: pages wait to be delivered, a few per
 * range, and cuts are made in front.
 *
 * While other programs change the bucket, an object that stands all the time is delivered exactly once; one that comes or goes, at
 * most once.
 *
 * Threads: ebb_list_run calls back on the calling thread only; a source answers from threads of its own.
 */
#ifndef EBB_SCANNERS_LIST_H
#define EBB_SCANNERS_LIST_H

#include <stdatomic.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/record.h"

#define EBB_LIST_CUTS 30
#define EBB_LIST_PAGES_PER_CUT 11

/* Requests at the same time when nothing is said. */
#define EBB_LIST_REQUESTS 32

/* One page: a question to a source and its answer. */
struct ebb_list_page {
	/* --- The question, borrowed until done. --- */
	const char *after;	/* keys greater than this; "": from the first */
	const char *after_id;	/* with versions: also those of @after behind this one; "": none of them */

	/* --- The answer. --- */
	int rc;			/* 0, or why there is none, with err */
	struct ebb_err err;
	bool more;		/* it goes on behind this page */
	struct ebb_buf next;	/* where, when it does: a key ... */
	struct ebb_buf next_id;	/* ... and a version, or nothing */
	struct ebb_list_entry *entries;	/* by ebb_list_page_add */
	size_t n, size;
	struct ebb_buf keys;

	void (*done)(struct ebb_list_page *page);	/* to be called once, by any thread */
	struct ebb_list *list;				/* the scanner's */
	struct ebb_list_range *range;
	struct ebb_list_page *waiting;
};

/*
 * Add a record to an answer: its key, KIND, SIZE, MTIME, CTIME, CLASS and entity tag, as far as known. Records come in the order of
 * their plain keys, those of one key newest first.
 *
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_list_page_add(struct ebb_list_page *page, const struct ebb_record *rec);

/* Record @i of an answer; the key is borrowed from the page. */
void ebb_list_page_get(const struct ebb_list_page *page, size_t i, struct ebb_record *ret);

/* Where pages come from. */
struct ebb_list_source {
	void *ctx;
	/* Get a page. Does not block; page->done comes later, or before it returns. */
	void (*start)(void *ctx, struct ebb_list_page *page);
	/*
	 * Next unfinished upload in the order of keys, a hidden record; may block. 1, 0 at the end, negative. Borrowed until the next
	 * call. NULL: none are listed.
	 */
	int (*upload)(void *ctx, struct ebb_record *ret, struct ebb_err *err);
};

struct ebb_list_opts {
	const char *after;		/* skip records up to and including this key (resume) */
	size_t after_len;		/* 0: none */
	unsigned requests;		/* at the same time; 0: EBB_LIST_REQUESTS */
	uint64_t max_requests;		/* pages in all, 0: no limit */
	const atomic_bool *cancel;	/* stops with EBB_ECANCELLED when it becomes true; may be NULL */
};

struct ebb_list_stats {
	uint64_t requests;		/* pages asked for */
	uint64_t cuts;
	uint64_t most_waiting;		/* pages, at any time */
};

/*
 * List all of a source.
 *
 * @record  gets each record in key order, hidden ones behind their key; borrowed until it returns. Negative: stop, passed on.
 * @ret     set in every case; may be NULL.
 * @return  0; the code of a page that failed; -EBB_ECORRUPT when the store lists keys out of order; -EBB_ELIMIT at max_requests
 *          (what was delivered by then is complete up to its last key); -EBB_ECANCELLED; -EBB_ENOMEM; what @record returned.
 */
typedef int ebb_list_fn(void *ctx, const struct ebb_record *rec, struct ebb_err *err);
int ebb_list_run(const struct ebb_list_source *source, const struct ebb_list_opts *opts,
		 ebb_list_fn *record, void *ctx, struct ebb_list_stats *ret, struct ebb_err *err);

#endif
