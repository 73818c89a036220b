/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What came of reading for digests, for people on stderr. Threads: main thread. */
#ifndef EBB_AGENT_HASH_TELL_H
#define EBB_AGENT_HASH_TELL_H

#include "agent/hash.h"

/* Names what could not be read and counts it. Returns 0, or -EBB_EPARTIAL without a message when there was any. */
int ebb_hash_tell(struct ebb_app *app, const struct ebb_hash_result *r);

#endif
