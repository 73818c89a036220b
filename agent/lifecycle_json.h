/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lifecycle configurations as JSON: what `aws s3api get-bucket-lifecycle-configuration` prints and
 * `put-bucket-lifecycle-configuration` takes. All members that S3 defines are read, the old `Prefix` of rules too; what is not
 * known is an error, since a configuration put back without it would lose it.
 *
 * Threads: any.
 */
#ifndef EBB_AGENT_LIFECYCLE_JSON_H
#define EBB_AGENT_LIFECYCLE_JSON_H

#include <jansson.h>

#include "core/arena.h"
#include "core/err.h"
#include "policies/lifecycle.h"

/* Largest configuration that is read, in bytes, and most rules that a bucket takes. */
#define EBB_LIFECYCLE_JSON_MAX (4u << 20)
#define EBB_LIFECYCLE_JSON_RULES 1000

/*
 * Read a configuration.
 *
 * @name    for messages.
 * @return  0; -EBB_ECONFIG naming file and rule, and the line where the JSON itself is wrong; -EBB_ENOMEM. Everything lives in @arena.
 */
int ebb_lifecycle_json_read(const char *text, size_t len, const char *name, struct ebb_arena *arena,
			    struct ebb_lifecycle *ret, struct ebb_err *err);

/* The same from a file; also -EBB_ENOENT, -EBB_EACCES, -EBB_EIO. */
int ebb_lifecycle_json_load(const char *path, struct ebb_arena *arena, struct ebb_lifecycle *ret,
			    struct ebb_err *err);

/* As JSON, the caller's. NULL when memory is short. */
json_t *ebb_lifecycle_json_write(const struct ebb_lifecycle *lc);

#endif
