/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watermarks: a filesystem that is fuller than `high` is brought down to `low` by the rules of its store, in their order.
 *
 * First goes what has expired in trashes. Then the store is scanned and planned, and of that plan as much is applied as is missing: all that the
 * first rule does, then the second, until it is enough. An action counts by what it frees on this filesystem at once: what goes into a trash or is
 * linked there frees nothing before the trash expires and is left out, as is what moves to another store on the same filesystem, or to
 * one that this would bring above its own high watermark. All limits of the configuration hold.
 *
 * A share in use is that of df: of what users can have.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_RELIEF_H
#define EBB_AGENT_RELIEF_H

#include "agent/app.h"

/* What is in use where a store lies. */
struct ebb_relief_space {
	int64_t used, total;	/* bytes; total: used and what users can still have */
	int ppm;		/* used of total, parts per million */
};

/* Look at a store's filesystem. -EBB_ESTORE when it cannot be looked at. */
int ebb_relief_look(const struct ebb_config_store *s, struct ebb_relief_space *ret, struct ebb_err *err);

/* Whether some store with a watermark is above it; *ret_why names it ("scratch 93%"), for people. Stores that cannot be looked at are not. */
bool ebb_relief_needed(const struct ebb_config *c, char *ret_why, size_t size);

/*
 * Free what is too full, as a night of its own (agent/nightlog.h); without a word when nothing is.
 *
 * @return  as ebb_night_run; -EBB_EALERT when a filesystem stays above its low watermark.
 */
int ebb_relief_run(struct ebb_app *app, bool dry, struct ebb_err *err);

#endif
