/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Folders of the index as pages: /browse lists the stores, /browse?store=S&prefix=P what lies below a prefix, added up by folder, the largest
 * first. /by?label=L&value=V adds up what has that value of a label, by every dimension. With &json=1 the same as JSON.
 *
 * Threads: each question takes a snapshot of its own, so any thread may ask.
 */
#ifndef EBB_AGENT_BROWSE_H
#define EBB_AGENT_BROWSE_H

#include "agent/app.h"
#include "agent/serve.h"
#include "core/index.h"

struct ebb_browse {
	const struct ebb_app *app;
	struct ebb_index *ix;
};

/* The paths, NULL-terminated, and what answers them (an ebb_serve_ask_fn); @ctx is a struct ebb_browse. */
extern const char *const ebb_browse_paths[];
int ebb_browse_ask(void *ctx, const char *path, ebb_serve_query_fn *value, void *query, char **ret_body,
		   size_t *ret_len, const char **ret_type);

#endif
