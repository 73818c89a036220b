/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One page of a listing: objects (ListObjectsV2), versions and delete markers, unfinished uploads, or parts of an upload.
 *
 * Threads: a page belongs to one thread at a time.
 */
#ifndef EBB_SCANNERS_S3_PAGE_H
#define EBB_SCANNERS_S3_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/record.h"

/* Strings live as long as the page. */
struct ebb_s3_entry {
	enum ebb_record_kind kind;	/* FILE, VERSION, MARKER, UPLOAD; DIR for a common prefix; FILE for parts */
	bool latest;			/* of a version or marker: the newest of its key */
	const char *key;		/* decoded, NUL-terminated; "" for parts */
	uint32_t key_len;
	int64_t size;			/* 0 for markers and uploads */
	int64_t time;			/* last modified or initiated, ns since the epoch, in whole seconds; 0 unknown */
	int64_t part;			/* number of a part */
	const char *etag;		/* without quotes; "" when there is none */
	const char *class;		/* storage class as the server calls it; "" when it does not say */
	const char *id;			/* version id or upload id; "" when there is none */
};

struct ebb_s3_page {
	struct ebb_s3_entry *entries;	/* in the server's order */
	size_t n;
	bool truncated;			/* there is more */
	const char *next_token;		/* NextContinuationToken, "" when there is none */
	const char *next_key;		/* NextKeyMarker, decoded; "" when there is none */
	const char *next_id;		/* NextVersionIdMarker or NextUploadIdMarker, NextPartNumberMarker */
	struct ebb_arena arena;
	size_t size;
};

/* Prepare an empty page. */
void ebb_s3_page_init(struct ebb_s3_page *page);

/* Free it; a zeroed struct is accepted. */
void ebb_s3_page_release(struct ebb_s3_page *page);

/*
 * Fill an initialised page from an answer; what it held is gone. A key with NUL, empty or over 1,024 bytes makes the answer
 * corrupt, and so does a document that is no listing.
 *
 * @return  0, -EBB_ECORRUPT, -EBB_ENOMEM.
 */
int ebb_s3_page_parse(struct ebb_s3_page *page, const void *p, size_t len, struct ebb_err *err);

/* What an entry says, as a record with the entry's key. EVIDENCE and WINDOW stay unknown. */
void ebb_s3_page_record(const struct ebb_s3_entry *e, struct ebb_record *ret);

/* "2009-10-12T17:50:30.000Z" in ns since the epoch, whole seconds; 0 for anything else. */
int64_t ebb_s3_page_time(const char *text);

#endif
