/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * UTF-8 as Unicode 15 (table 3-7) defines it: nothing overlong, no surrogates, up to U+10FFFF.
 *
 * Keys and paths are bytes. They go into JSON as text when they are valid UTF-8, and as base64
 * always when they are not.
 * Threads: every function may be called from any thread.
 */
#ifndef EBB_CORE_UTF8_H
#define EBB_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Are the @len bytes valid UTF-8? No bytes are valid, and so are NUL bytes. */
bool ebb_utf8_valid(const void *p, size_t len);

/*
 * Decode the code point at the start of @len bytes.
 *
 * @ret_point  the code point; untouched when 0 is returned.
 * @return     bytes it takes (1 to 4), 0 when there is no valid sequence at @p (or @len is 0).
 */
size_t ebb_utf8_decode(const void *p, size_t len, uint32_t *ret_point);

#endif
