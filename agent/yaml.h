/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * YAML into a document (core/tree.h), strictly: what could surprise is refused with FILE:LINE:COL and what to do.
 *
 *   duplicate keys, keys that are no plain text     anchors, aliases, tags, merge keys
 *   more than one document in a file                bytes that are not UTF-8
 *   nesting deeper than 64                          files over EBB_YAML_MAX bytes
 *
 * Threads: any; the arena belongs to the caller.
 */
#ifndef EBB_AGENT_YAML_H
#define EBB_AGENT_YAML_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/tree.h"

/* Largest file: a book of every price of a large provider is a tenth of it. */
#define EBB_YAML_MAX (16 * 1024 * 1024)

/*
 * Parse @len bytes.
 *
 * @name    of the file, for messages.
 * @return  0 with the root, a map or a list; -EBB_ECONFIG; -EBB_ENOMEM (memory or the arena's cap).
 */
int ebb_yaml_parse(struct ebb_arena *arena, const char *name, const void *data, size_t len,
		   struct ebb_tree_node **ret, struct ebb_err *err);

/*
 * Read a file and parse it.
 *
 * @bytes   out: the file's bytes as they were parsed (for digests); initialised by the caller, cleared first.
 * @return  as above; -EBB_ENOENT, -EBB_EACCES, -EBB_EIO.
 */
int ebb_yaml_load(struct ebb_arena *arena, const char *path, struct ebb_buf *bytes,
		  struct ebb_tree_node **ret, struct ebb_err *err);

#endif
