/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The part of ebb.yaml that declares a bucket:
 *
 *   lake: {type: s3, bucket: lake, prefix: raw/, region: me-central-1, class: STANDARD}
 *   old:  {type: s3, bucket: old, endpoint: "http://127.0.0.1:7480", path_style: true, ca_file: ca.pem, profile: ops,
 *          sse: "aws:kms", sse_key: KEY, requester_pays: true, connections: 32, jurisdiction: AE}
 *
 * `class` is what objects are in of which the store says nothing, and what is written goes into. The jurisdiction follows from the
 * region where the provider is AWS (no endpoint is given); elsewhere it is unknown until it is declared.
 *
 * Threads: as config.h.
 */
#ifndef EBB_AGENT_CONFIG_S3_H
#define EBB_AGENT_CONFIG_S3_H

#include "agent/config.h"
#include "core/tree.h"

/* Keys of such a store beside those that all have. */
extern const char *const ebb_config_s3_keys[];
extern const size_t ebb_config_s3_nkeys;

/*
 * Read what @ebb_config_s3_keys name from @node into @s, whose common parts were read. Strings live as long as the document, or
 * in @arena.
 *
 * @return  0; -EBB_ECONFIG with file, line, column and remedy; -EBB_ENOMEM.
 */
int ebb_config_s3_read(struct ebb_arena *arena, const struct ebb_tree_node *node,
		       struct ebb_config_store *s, struct ebb_err *err);

#endif
