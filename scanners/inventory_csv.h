/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of an inventory's CSV files.
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_SCANNERS_INVENTORY_CSV_H
#define EBB_SCANNERS_INVENTORY_CSV_H

#include "core/err.h"
#include "core/record.h"

#define EBB_INVENTORY_CSV_FIELDS 32

/* Where columns stand; -1: not in the report. */
struct ebb_inventory_csv {
	int n;	/* columns */
	int bucket, key, version, latest, marker, size, modified, etag, class, tier;
};

/* One row. Texts are borrowed; p NULL: not there. */
struct ebb_inventory_csv_row {
	char key[EBB_KEY_MAX];	/* decoded */
	size_t key_len;
	struct ebb_inventory_csv_text {
		const char *p;
		size_t len;
	} bucket, version, etag, class, tier;
	bool noncurrent, marker;
	int64_t size, modified;	/* -1, INT64_MIN: not there */
};

/* Read fileSchema, "Bucket, Key, Size". -EBB_ESTORE without Bucket and Key, or with too many columns. */
int ebb_inventory_csv_schema(struct ebb_inventory_csv *c, const char *schema, struct ebb_err *err);

/* Read one line without its newline; quotes are taken away in place. False when it is damaged. */
bool ebb_inventory_csv_row(const struct ebb_inventory_csv *c, char *line, size_t len, struct ebb_inventory_csv_row *ret);

/* Days that an access tier says there was no read; -1: none of the known. */
int ebb_inventory_csv_tier_days(struct ebb_inventory_csv_text tier);

#endif
