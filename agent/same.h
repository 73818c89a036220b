/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether two objects hold the same bytes, by reading both. Threads: reentrant; blocks on reading. */
#ifndef EBB_AGENT_SAME_H
#define EBB_AGENT_SAME_H

#include <stdatomic.h>

#include "scanners/store.h"

struct ebb_same {
	struct ebb_store *a;
	const struct ebb_record *a_rec;	/* what it must be, key included */
	struct ebb_store *b;
	const struct ebb_record *b_rec;
	const atomic_bool *cancel;	/* may be NULL */
};

/*
 * @return  0: they do, and both still are what their records say; -EBB_ENOTSUP: they differ; -EBB_ECHANGED; -EBB_ECANCELLED; what
 *          reading returns.
 */
int ebb_same_bytes(const struct ebb_same *s, struct ebb_err *err);

#endif
