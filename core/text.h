/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text for people: the word they probably meant, and odd bytes made harmless.
 *
 * Threads: every function may be called from any thread.
 */
#ifndef EBB_CORE_TEXT_H
#define EBB_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The word of @words nearest to @word, by Damerau-Levenshtein distance (optimal string alignment:
 * insert, delete, replace, swap neighbours), ASCII case ignored. At most one edit for every three
 * characters of @word counts as near, and one in words of two to five; the first of equals wins.
 *
 * @return  an element of @words, NULL when none is near. Words over 64 bytes are never near.
 */
const char *ebb_text_nearest(const char *word, const char *const words[], size_t n);

/*
 * The end of an error message about an unknown word: "; did you mean 'size'?" when one is near,
 * else "; valid are age, idle, size". Cut with "..." when @out is too small.
 *
 * @out     @size bytes, at least 4; NUL-terminated.
 * @return  @out, so that it can stand among printf arguments.
 */
const char *ebb_text_suggest(const char *word, const char *const words[], size_t n, char *out,
			     size_t size);

/*
 * Would printing the code point do something else than show a character? Control characters (C0,
 * C1, delete), line separators, and marks that reorder text.
 */
bool ebb_text_is_unsafe(uint32_t point);

/* Room for what ebb_text_quote() makes of a word in an error message. */
#define EBB_TEXT_QUOTED 128

/*
 * Bytes from outside, safe to print on a terminal, and reversible by eye: valid UTF-8 stays;
 * backslash, \n, \r and \t are escaped so; other control characters and bytes that are not UTF-8
 * become \xNN; C1 controls, line separators and marks that reorder text become \u{NNNN}. No quotes
 * are put around.
 *
 * @out     @size bytes, at least 4; NUL-terminated, cut with "..." at a whole character when too
 *          small.
 * @return  @out, so that it can stand among printf arguments.
 */
const char *ebb_text_quote(const void *p, size_t len, char *out, size_t size);

/* The same of a C string. */
const char *ebb_text_quotes(const char *s, char *out, size_t size);

#endif
