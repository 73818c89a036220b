/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Base64 with the standard alphabet and padding (RFC 4648, section 4).
 *
 * Every byte string has exactly one encoding: decoding refuses line breaks, missing padding and
 * stray bits, so that a plan cannot be written in two ways.
 * Threads: every function may be called from any thread.
 */
#ifndef EBB_CORE_BASE64_H
#define EBB_CORE_BASE64_H

#include <stddef.h>

struct ebb_buf;
struct ebb_err;

/* Append the encoding of @len bytes to @out. Returns 0 or -EBB_ENOMEM. */
int ebb_base64_encode(struct ebb_buf *out, const void *p, size_t len, struct ebb_err *err);

/*
 * Append what @len characters encode to @out, which is unchanged on failure.
 *
 * @return  0, -EBB_EINVAL when it is not canonical base64, -EBB_ENOMEM.
 */
int ebb_base64_decode(struct ebb_buf *out, const char *text, size_t len, struct ebb_err *err);

#endif
