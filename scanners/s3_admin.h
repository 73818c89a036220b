/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is asked of a bucket as a whole, or of an object that sleeps: lifecycle rules and restores from archive classes.
 *
 * Threads: every function may be called from any thread but not from a callback of the client; all block.
 */
#ifndef EBB_SCANNERS_S3_ADMIN_H
#define EBB_SCANNERS_S3_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

struct ebb_s3;

/*
 * The lifecycle configuration of the bucket, as XML, appended to @doc.
 *
 * @return  1; 0 when there is none.
 */
int ebb_s3_admin_lifecycle_get(struct ebb_s3 *s, struct ebb_buf *doc, struct ebb_err *err);

/*
 * Set it, and read back that it is what was set: some stores accept conditions that they do not know, and drop them, so that a rule meets
 * more than it says. Every rule of @doc must have an ID.
 *
 * @return  0; -EBB_EMISMATCH when other rules came back, with what was there before put back (or removed, when there was nothing).
 */
int ebb_s3_admin_lifecycle_put(struct ebb_s3 *s, const char *doc, struct ebb_err *err);

/*
 * A configuration in one form, so that equal rules are equal text: rules and conditions sorted, "RULE CONDITION=VALUE" lines.
 * Pure. -EBB_ECORRUPT for what is no configuration, -EBB_ENOMEM.
 */
int ebb_s3_admin_lifecycle_form(const char *doc, size_t len, struct ebb_buf *out, struct ebb_err *err);

/*
 * Ask for a temporary copy of an archived object, for @days; 0 days: for an object back that Intelligent-Tiering has put away, for good.
 * @tier: "Standard", "Bulk", "Expedited".
 *
 * @return  0, also when that has been asked already; -EBB_ENOTSUP where nothing can be restored.
 */
int ebb_s3_admin_restore(struct ebb_s3 *s, const char *key, unsigned days, const char *tier, struct ebb_err *err);

struct ebb_s3_call;

enum ebb_s3_restored {
	EBB_S3_AWAKE,		/* can be read: never archived, or not by what the store says */
	EBB_S3_RESTORING,	/* asked for, not yet there */
	EBB_S3_RESTORED		/* can be read until it expires */
};

/* How a restore stands, by the header of an answer to HEAD or GET. */
enum ebb_s3_restored ebb_s3_admin_restored_of(const struct ebb_s3_call *call, int64_t *ret_expires);

/* The same, asked for. @ret_expires: ns since the epoch for RESTORED, else 0. */
int ebb_s3_admin_restored(struct ebb_s3 *s, const char *key, enum ebb_s3_restored *ret, int64_t *ret_expires,
			  struct ebb_err *err);

#endif
