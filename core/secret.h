/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Secrets: keys, tokens and passwords, in a type that nothing prints by accident.
 *
 * The type is opaque: it has no members to format, and the log shows "***" for it. The bytes come
 * out of ebb_secret_expose() only, so a search for that name finds every place that sees one.
 * Threads: a secret is constant after new; it may be read by many threads and freed by one.
 */
#ifndef EBB_CORE_SECRET_H
#define EBB_CORE_SECRET_H

#include <stddef.h>

#include "core/mem.h"

struct ebb_secret;

/*
 * Copy @len bytes into a new secret. The caller keeps the source, and wipes it (explicit_bzero). From then on the process writes no core file.
 *
 * @return  the secret, to be freed; NULL on no memory.
 */
struct ebb_secret *ebb_secret_new(const void *p, size_t len);

/* Wipe the bytes and free the memory. NULL is accepted. */
void ebb_secret_free(struct ebb_secret *secret);
EBB_CLEANUP_PTR(struct ebb_secret, ebb_secret_free);

/*
 * The bytes, with a NUL behind them; they live as long as the secret. Wipe copies after use.
 *
 * @ret_len  their number; may be NULL.
 */
const char *ebb_secret_expose(const struct ebb_secret *secret, size_t *ret_len);

#endif
