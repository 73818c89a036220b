/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * S3 Inventory: the objects of a bucket from a report, instead of listings. Source: Amazon S3 User Guide, "Cataloging and analyzing your data
 * with S3 Inventory", "Locating your inventory list" (manifest.json, manifest.checksum, CSV files gzipped, keys URL-encoded).
 *
 * Reports are read from disk as they were delivered or copied: data files are looked for beside the manifest, in data/ beside it or beside its
 * folder, and by their whole key below any folder above it. Sums are checked before a row is believed. Rows are sorted within a file only,
 * so all go through a sort of bounded memory (core/sorter.h). CSV only: ORC and Parquet are refused.
 *
 * Records: as of a listing (KIND, SIZE, MTIME, CTIME, CLASS, entity tag), noncurrent versions and delete markers hidden behind their keys. An
 * access tier of Intelligent-Tiering gives evidence TIER: not read for 30 (INFREQUENT), 90 (ARCHIVE_INSTANT_ACCESS, ARCHIVE) or 180 days (DEEP_ARCHIVE)
 * before the report; the report's time is UNTIL. Others have evidence of writes alone.
 *
 * Threads: one.
 */
#ifndef EBB_SCANNERS_INVENTORY_H
#define EBB_SCANNERS_INVENTORY_H

#include <stdatomic.h>

#include "core/record.h"
#include "core/err.h"

struct ebb_inventory_opts {
	const char *manifest;	/* path of manifest.json */
	const char *bucket;	/* that it must be of; NULL: any */
	const char *prefix;	/* only keys that begin so, which is cut off; NULL: all */
	const char *tmp;	/* folder for the sort */
	size_t memory;		/* bytes of the sort, 0: 64 MiB */
	const atomic_bool *cancel;	/* or NULL */
};

struct ebb_inventory_fns {
	/* A class met for the first time; gives its code. */
	int (*class)(void *ctx, const char *name, int64_t *ret_code, struct ebb_err *err);
	/* Records in key order, each once. */
	int (*record)(void *ctx, const struct ebb_record *rec, struct ebb_err *err);
	void *ctx;
};

struct ebb_inventory_result {
	int64_t created;	/* of the report, ns */
	uint64_t rows, files;
	bool tiers;		/* some row told an access tier */
};

/*
 * @return  0; -EBB_ESTORE: a report that cannot be used (another bucket or format, a file missing or with a wrong sum, a bad row with its file and
 *          line); -EBB_ENOSPC, -EBB_EIO, -EBB_ENOMEM, -EBB_ECANCELLED; what the functions returned.
 */
int ebb_inventory_read(const struct ebb_inventory_opts *opts, const struct ebb_inventory_fns *fns,
		       struct ebb_inventory_result *ret, struct ebb_err *err);

#endif
