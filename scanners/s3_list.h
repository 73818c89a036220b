/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listing page by page: any number of pages of different key ranges at a time.
 *
 * Pages go on by key, never by a server's token: a range can then be split while it is listed, and resumed by another process.
 *
 * Threads: a listing belongs to one thread at a time, and to the client between start and `done`.
 */
#ifndef EBB_SCANNERS_S3_LIST_H
#define EBB_SCANNERS_S3_LIST_H

#include "scanners/s3.h"
#include "scanners/s3_page.h"

enum ebb_s3_list_kind {
	EBB_S3_LIST_OBJECTS,
	EBB_S3_LIST_ALL_VERSIONS,	/* versions and delete markers; of a key the newest first */
	EBB_S3_LIST_UNFINISHED		/* multipart uploads */
};

struct ebb_s3_list {
	/* --- What to list; borrowed until done. Zero and NULL: no limit. --- */
	enum ebb_s3_list_kind kind;
	const char *prefix;	/* only keys that begin so */
	const char *after;	/* only keys greater than it */
	const char *after_id;	/* versions and uploads: also those of key `after` behind this id */
	const char *until;	/* only keys less than it: what comes after is dropped and `more` is false */
	const char *delimiter;	/* keys with it behind the prefix are told as one entry of kind DIR */
	unsigned max;		/* most entries; 0: 1,000, which is also the most that servers give */
	void (*done)(struct ebb_s3_list *list);	/* on the HTTP loop's thread; must not block */
	void *ctx;

	/* --- What came. --- */
	int rc;			/* 0; what the request ended with; -EBB_ECORRUPT for what is no page of this range */
	struct ebb_err err;
	struct ebb_s3_page page;	/* entries of the range, in key order */
	bool more;		/* there may be entries behind next */
	const char *next, *next_id;	/* `after` and `after_id` of the next page; live as long as the page */

	struct ebb_s3_call call;	/* the client's */
};

/* Ask for a page. What an earlier page held is gone. Zero the struct before the first. */
void ebb_s3_list_start(struct ebb_s3 *s, struct ebb_s3_list *list);

/* The same, and wait. `done` is set by this function. */
int ebb_s3_list_do(struct ebb_s3 *s, struct ebb_s3_list *list, struct ebb_err *err);

/* Free what it holds; not between start and done. A zeroed struct is accepted. */
void ebb_s3_list_release(struct ebb_s3_list *list);

#endif
