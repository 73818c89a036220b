/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guards from facts: references are followed to the objects of the index; one that leads nowhere, or whose file is not understood, holds its family.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_GUARDS_H
#define EBB_AGENT_GUARDS_H

#include "agent/app.h"
#include "policies/facts.h"
#include "policies/guard.h"

/* A store with its facts. */
struct ebb_guards_store {
	struct ebb_index_store st;
	const struct ebb_config_store *config;
	struct ebb_facts facts;
	bool known;		/* its facts are those of its last scan; otherwise all of it is held */
};

/* Families that are held because something is wrong are told here, each once. */
typedef void ebb_guards_told_fn(void *ctx, const char *store, const char *prefix, const char *why);

/*
 * @stores  all that are declared and were scanned: references cross them.
 * @config  readers that do not count.
 * @told    may be NULL.
 * @return  0; -EBB_EINDEX, -EBB_ECORRUPT, -EBB_ENOMEM.
 */
int ebb_guards_make(struct ebb_snap *snap, const struct ebb_guards_store *stores, size_t n, const struct ebb_config_guards *config,
		    ebb_guards_told_fn *told, void *ctx,
		    struct ebb_guard **ret, struct ebb_err *err);

#endif
