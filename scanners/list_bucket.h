/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pages of a bucket for the scanner (list.h), from a client of it.
 *
 * Threads: one listing at a time; ebb_list_bucket_class from the thread that gets the records.
 */
#ifndef EBB_SCANNERS_LIST_BUCKET_H
#define EBB_SCANNERS_LIST_BUCKET_H

#include "core/err.h"
#include "core/mem.h"
#include "scanners/list.h"

struct ebb_s3;
struct ebb_list_bucket;

/*
 * A source of what lies behind @prefix, whose records have keys without it.
 *
 * @versions  list noncurrent versions and delete markers too, as hidden records.
 * @return    0 or -EBB_ENOMEM. Client and prefix are borrowed; free it after ebb_list_run.
 */
int ebb_list_bucket_new(struct ebb_s3 *s3, const char *prefix, bool versions,
			struct ebb_list_bucket **ret, struct ebb_err *err);
void ebb_list_bucket_free(struct ebb_list_bucket *b);
EBB_CLEANUP_PTR(struct ebb_list_bucket, ebb_list_bucket_free);

/* The source; lives as long as @b. */
struct ebb_list_source ebb_list_bucket_source(struct ebb_list_bucket *b);

/* Name of a storage class that records have, by its code; NULL when none had it. Lives as long as @b. */
const char *ebb_list_bucket_class(struct ebb_list_bucket *b, int64_t code);

#endif
