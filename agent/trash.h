/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lies in the trash, added up per run and store. The journals say it; the stores are not read. What keeping it costs is priced in the class that it had.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_TRASH_H
#define EBB_AGENT_TRASH_H

#include <jansson.h>

#include "agent/app.h"
#include "agent/run.h"

struct ebb_trash_sum {
	char run[EBB_RUN_ID_MAX];
	char *store;			/* owned */
	int64_t objects, bytes;
	int64_t expired, expired_bytes;	/* of these, what may go now */
	__int128 month;			/* what keeping them costs a month of 30 days, in 10^-18 of the prices' currency */
	int64_t unpriced;		/* of these, without a price; not in it */
	int64_t first, last;		/* when the first and the last of them may go, ns since the epoch */
};

struct ebb_trash {
	struct ebb_trash_sum *sums;	/* by run, oldest first, then store */
	size_t n;
};

/* One object that waits. Borrowed until the call returns. */
struct ebb_trash_entry {
	const char *run, *store;	/* store: where it lies */
	const char *key;		/* that it had */
	int64_t size, expires;
	__int128 month;			/* what keeping it costs a month; of what lies in a pack, its bytes there; -1: no price */
};

/* A negative return stops. */
typedef int ebb_trash_fn(void *ctx, const struct ebb_trash_entry *e, struct ebb_err *err);

/*
 * Hand every object in the trash to @fn, run by run.
 *
 * @config  for its prices, with the names of classes (ebb_app_snap); NULL: there are none.
 */
int ebb_trash_each(const char *index, const struct ebb_config *config, ebb_trash_fn *fn, void *ctx, struct ebb_err *err);

/* Add up every run's trash as of @now. Released with ebb_trash_release in both cases. @config as above. */
int ebb_trash_read(const char *index, const struct ebb_config *config, int64_t now, struct ebb_trash *ret, struct ebb_err *err);

/* An amount of a month as money. -EBB_ERANGE. */
int ebb_trash_money(const struct ebb_config *config, __int128 month, struct ebb_money *ret, struct ebb_err *err);

/* Add up the runs of each store; run is "" then. */
void ebb_trash_by_store(struct ebb_trash *t);
void ebb_trash_release(struct ebb_trash *t);

/*
 * The configuration, whose prices and names of classes the others here need; borrowed from @app. NULL where there is none, or it is not
 * valid: then nothing has a price.
 */
const struct ebb_config *ebb_trash_prices(struct ebb_app *app);

#define EBB_TRASH_TEXT 80

/* A month of a sum for people: "0.02 USD", "0.02 USD and more", "unpriced". 0 or -EBB_ERANGE. */
int ebb_trash_month_text(const struct ebb_config *config, const struct ebb_trash_sum *s, char ret[EBB_TRASH_TEXT], struct ebb_err *err);

/* And for programs: month_nano and currency as members of @o, where @priced. 0, -EBB_ERANGE, -EBB_ENOMEM. */
int ebb_trash_month_json(json_t *o, const struct ebb_config *config, __int128 month, bool priced, struct ebb_err *err);

#endif
