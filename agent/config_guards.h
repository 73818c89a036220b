/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `guards: {recent: 10min, open_files: true, ignore: [link]}` of ebb.yaml: what counts as being in use beside what refers to it.
 *
 * Threads: plain data.
 */
#ifndef EBB_AGENT_CONFIG_GUARDS_H
#define EBB_AGENT_CONFIG_GUARDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/tree.h"

struct ebb_config_guards {
	int64_t recent_ns;	/* files written so shortly before the scan are in use; 0: none are for that */
	const char **ignore;	/* names of readers (agent/ref.h) whose references do not count */
	size_t nignore;
	bool open_files;	/* what any process has open is left alone by apply; true unless said */
};

/* Does a reader of that name not count? */
bool ebb_config_guards_ignores(const struct ebb_config_guards *g, const char *reader);

/* Read it from @root. 0, -EBB_ECONFIG or -EBB_ENOMEM. */
int ebb_config_guards_read(struct ebb_arena *arena, const struct ebb_tree_node *root, struct ebb_config_guards *ret, struct ebb_err *err);

#endif
