/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Credentials of object stores, and where they come from.
 *
 * A provider is one file with one const struct ebb_creds_provider and one line in the table of
 * creds.c; ebb_creds_find asks them in that order. Secrets are never logged and never stand on a
 * command line.
 *
 * Threads: a struct ebb_creds belongs to one thread at a time; ebb_creds_find may be called from any
 * thread but not from a callback of the HTTP loop, which it may wait for.
 */
#ifndef EBB_SCANNERS_CREDS_H
#define EBB_SCANNERS_CREDS_H

#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

struct ebb_clock;
struct ebb_http;
struct ebb_secret;

struct ebb_creds {
	char *access_key;		/* owned */
	struct ebb_secret *secret;	/* owned */
	struct ebb_secret *token;	/* session token, NULL for long-lived keys; owned */
	int64_t expires;		/* ns since the epoch; INT64_MAX: never */
};

/* Free and wipe what it holds. A zeroed struct is accepted. */
void ebb_creds_release(struct ebb_creds *c);

/* Make the zeroed @ret from parts, which are copied; @token may be NULL. 0 or -EBB_ENOMEM. */
int ebb_creds_set(struct ebb_creds *ret, const char *access_key, const char *secret, const char *token,
		  int64_t expires, struct ebb_err *err);

/* What a provider may use. Borrowed for the call. */
struct ebb_creds_context {
	struct ebb_http *http;		/* for STS and metadata services */
	const struct ebb_clock *clock;
	const char *profile;		/* of the configuration, or NULL: $AWS_PROFILE, else "default" */
	const char *region;		/* of the store, or NULL; where STS is asked */
};

struct ebb_creds_provider {
	const char *name;	/* in messages: "environment" */
	/*
	 * Get credentials, fresh ones at every call.
	 *
	 * @return  0 with the zeroed @ret filled in; -EBB_ENOENT when nothing is configured for this
	 *          provider, so that the next one is asked; any other error ends the search.
	 */
	int (*get)(const struct ebb_creds_context *ctx, struct ebb_creds *ret, struct ebb_err *err);
};

/*
 * Credentials from the first provider that has some. May block on files, programs and the network.
 *
 * @return  0 with the zeroed @ret filled in; -EBB_ESTORE when no provider has any (the message names
 *          where was looked) or one failed.
 */
int ebb_creds_find(const struct ebb_creds_context *ctx, struct ebb_creds *ret, struct ebb_err *err);

#endif
