/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A webhook: alerts by HTTP POST, tried again within a budget.
 *
 * What may succeed later (no connection, a cut answer, 408, 429, 5xx) is tried again up to EBB_WEBHOOK_TRIES times, after 0.5, 1 and 2
 * seconds with jitter, or what Retry-After says, up to ten; everything else is final. Redirects are not followed: the token would go where
 * nobody said it should.
 *
 * Threads: any; blocks.
 */
#ifndef EBB_AGENT_WEBHOOK_H
#define EBB_AGENT_WEBHOOK_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/secret.h"

#define EBB_WEBHOOK_TRIES 4

/*
 * Post @len bytes of JSON.
 *
 * @token   sent as `Authorization: Bearer TOKEN`; NULL: none.
 * @unit    the first pause in ns, doubled from one to the next; 0: half a second. Tests make it short.
 * @return  0 for an answer of 2xx; -EBB_EPARTIAL naming the address and the last answer or failure; -EBB_ENOMEM.
 */
int ebb_webhook_post(const char *url, const struct ebb_secret *token, const char *body, size_t len, int64_t unit,
		     struct ebb_err *err);

#endif
