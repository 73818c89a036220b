/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What ebb.yaml says of how fast links between stores are, for transfers that have to be done by a time:
 *
 *	links:
 *	  - {from: lake, to: frankfurt, rate: 100MB}	# a second
 *	  - {from: frankfurt, to: mumbai, window: "Mon-Fri 20:00-06:00"}	# when a transfer may use it (agent/hours.h)
 *
 * A link that is not named is never what a transfer waits for.
 *
 * Threads: read-only once read.
 */
#ifndef EBB_AGENT_CONFIG_LINKS_H
#define EBB_AGENT_CONFIG_LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "agent/hours.h"
#include "core/arena.h"
#include "core/err.h"
#include "core/tree.h"

struct ebb_config_link {
	const char *from, *to;		/* stores */
	int64_t rate;			/* bytes a second; 0: no limit */
	const char *window;		/* as written, or NULL: always */
	struct ebb_hours hours;		/* of the window */
};

struct ebb_config_links {
	struct ebb_config_link *v;
	size_t n;
};

/*
 * Read `links` of @root.
 *
 * @known  whether there is such a store.
 * @return  0; -EBB_ECONFIG; -EBB_ENOMEM.
 */
int ebb_config_links_read(struct ebb_arena *arena, const struct ebb_tree_node *root, bool (*known)(void *ctx, const char *store),
			  void *ctx, struct ebb_config_links *ret, struct ebb_err *err);

/* The link from one store to another, or NULL: nothing is said of it. */
const struct ebb_config_link *ebb_config_links_find(const struct ebb_config_links *l, const char *from, const char *to);

#endif
