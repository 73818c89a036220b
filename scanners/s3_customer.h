/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Encryption with a key of the customer's own (SSE-C): the server encrypts and forgets the key, so every request that meets
 * content has to bring it.
 *
 * The key is 256 bits, base64, in the environment or in a file; it never stands in ebb.yaml. Losing it is losing the objects.
 * Source: Amazon S3 User Guide, "Using server-side encryption with customer-provided keys (SSE-C)".
 *
 * Threads: constant after open.
 */
#ifndef EBB_SCANNERS_S3_CUSTOMER_H
#define EBB_SCANNERS_S3_CUSTOMER_H

#include "core/err.h"
#include "core/mem.h"
#include "scanners/s3_call.h"

/* Most headers of one request. */
#define EBB_S3_CUSTOMER_HEADERS 6

struct ebb_s3_customer;

/*
 * Read the key from @source, "env:NAME" or "file:PATH".
 *
 * @return  0; -EBB_ECONFIG for another form, a variable that is not set, or what is no key (the message does not show it);
 *          the code of its errno (core/err.h) when the file cannot be read; -EBB_ENOMEM.
 */
int ebb_s3_customer_open(const char *source, struct ebb_s3_customer **ret, struct ebb_err *err);
void ebb_s3_customer_free(struct ebb_s3_customer *c);
EBB_CLEANUP_PTR(struct ebb_s3_customer, ebb_s3_customer_free);

/* Headers that @call needs, into @out, borrowed from @c (NULL: none). Returns their number. */
size_t ebb_s3_customer_headers(const struct ebb_s3_customer *c, const struct ebb_s3_call *call,
			       struct ebb_sigv4_pair out[EBB_S3_CUSTOMER_HEADERS]);

#endif
