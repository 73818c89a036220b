/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Picking a few values out of a JSON object without building it: for records that come by the million.
 *
 * The whole object is checked for its form (RFC 8259, nested up to EBB_JSONSCAN_DEPTH), values are found by their path of names, and strings
 * are decoded only when asked for. Of a name that stands twice the last value counts.
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_SCANNERS_JSONSCAN_H
#define EBB_SCANNERS_JSONSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EBB_JSONSCAN_DEPTH 64

/* A value that was found: the text of a string without its quotes, still escaped; of anything else as it stands. p NULL: not there, or null. */
struct ebb_jsonscan_value {
	const char *p;
	size_t len;
	bool string;
};

/*
 * Find the values of @paths ("requestParameters.key": a name in the object in another; names with '.' cannot be asked for) in one object.
 *
 * @ret     @n values.
 * @return  false when @p is not one well-formed object.
 */
bool ebb_jsonscan_find(const char *p, size_t len, const char *const *paths, size_t n, struct ebb_jsonscan_value *ret);

/*
 * Decode a string into @out of @cap bytes as UTF-8.
 *
 * @return  its length; -1 when it is no string, does not fit, or holds \u0000 or half a surrogate pair.
 */
int64_t ebb_jsonscan_string(struct ebb_jsonscan_value v, char *out, size_t cap);

/* A non-negative whole number, also where it stands as a string ("http_status": "200"). -1 when it is none. */
int64_t ebb_jsonscan_number(struct ebb_jsonscan_value v);

/*
 * Next element of an array that was found; *at is 0 for the first.
 *
 * @return  false at the end, or when @array is none.
 */
bool ebb_jsonscan_each(struct ebb_jsonscan_value array, size_t *at, struct ebb_jsonscan_value *ret);

/* Is the value this string? @s needs no escapes. */
bool ebb_jsonscan_is(struct ebb_jsonscan_value v, const char *s);

#endif
