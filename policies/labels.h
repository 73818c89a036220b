/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mapping: labels for objects that no dataset labels, by the owner or group of the file, the store, or the beginning of the key.
 *
 *	by,value,label,is
 *	owner,1001,team,research
 *	prefix,lake:runs/alpha/,project,alpha
 *	store,scratch,env,dev
 *
 * CSV (RFC 4180) with exactly that first line; '#' begins a comment line. Datasets win over the mapping; within it prefix wins over
 * owner, owner over group, group over store, and the longest prefix over shorter ones. Two lines that give the same label to the same thing
 * must agree.
 *
 * Pure: the file's text is an argument. Threads: read-only once made.
 */
#ifndef EBB_POLICIES_LABELS_H
#define EBB_POLICIES_LABELS_H

#include "core/arena.h"
#include "core/err.h"
#include "core/record.h"

struct ebb_labels;

/*
 * Read a mapping.
 *
 * @text    @len bytes, borrowed during the call.
 * @file    its name for messages.
 * @return  0; -EBB_ECONFIG with FILE:LINE (both lines for a conflict); -EBB_ENOMEM.
 */
int ebb_labels_parse(struct ebb_arena *arena, const char *text, size_t len, const char *file,
		     struct ebb_labels **ret, struct ebb_err *err);

/* Names of labels that it gives, each once. Live in the arena. */
size_t ebb_labels_count(const struct ebb_labels *l);
const char *ebb_labels_name(const struct ebb_labels *l, size_t i);

/* What label number @i is for an object of @store, or NULL. Lives in the arena. */
const char *ebb_labels_value(const struct ebb_labels *l, size_t i, const char *store,
			     const struct ebb_record *rec);

#endif
