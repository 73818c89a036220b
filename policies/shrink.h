/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much compressing leaves of the objects that a rule meets, by the extension of their keys: measured on samples by whoever may
 * read (agent/plan_sample.h), used to price.
 *
 * Objects of one rule and one extension are a kind. Its mean is over bytes, not over objects: samples are drawn in proportion to
 * size, each is a piece of an object, and the mean of their shares estimates what is left of all of the kind's bytes (Hansen and
 * Hurwitz, 1943, for sampling with replacement).
 *
 * Pure. Threads: plain data; every function may be called from any thread.
 */
#ifndef EBB_POLICIES_SHRINK_H
#define EBB_POLICIES_SHRINK_H

#include <stddef.h>
#include <stdint.h>

/* Longest extension in bytes; a longer one is none. */
#define EBB_SHRINK_EXT_MAX 16

/* Fewer samples say nothing, more are not drawn. */
#define EBB_SHRINK_SAMPLES_MIN 4
#define EBB_SHRINK_SAMPLES 32

struct ebb_shrink_kind {
	size_t rule;			/* its number */
	char ext[EBB_SHRINK_EXT_MAX + 1];	/* "csv", in lower case; "" for none */
	int64_t objects, bytes;		/* that the rule meets */
	int samples;			/* pieces looked at */
	int64_t read;			/* their bytes */
	int permille;			/* of the bytes that are left, 0 to 1000; 1000: compressing is pointless */
	int margin;			/* the mean lies within permille +- margin with 95 % */
};

/* Kinds in the order of ebb_shrink_compare. */
struct ebb_shrink {
	const struct ebb_shrink_kind *v;
	size_t n;
};

/* "csv" of "a/b.CSV"; "" when there is none, or one with anything but letters and digits. */
void ebb_shrink_ext(const char *key, size_t len, char ret[EBB_SHRINK_EXT_MAX + 1]);

/* By rule, then by extension: for qsort. */
int ebb_shrink_compare(const struct ebb_shrink_kind *a, const struct ebb_shrink_kind *b);

/* What is known of an object that rule number @rule meets; NULL: nothing, also when @s is NULL. Lives as long as the table. */
const struct ebb_shrink_kind *ebb_shrink_find(const struct ebb_shrink *s, size_t rule, const char *key, size_t len);

/*
 * Mean and margin of the shares @v (0 to 1000 each) of @n samples, EBB_SHRINK_SAMPLES_MIN to EBB_SHRINK_SAMPLES of them: Student's t
 * for n - 1 degrees of freedom times the standard error, both rounded up.
 */
void ebb_shrink_mean(const int *v, int n, int *ret_permille, int *ret_margin);

/* Margin of the bytes that are left of several kinds, which err independently of each other: the root of the sum of squares. */
int64_t ebb_shrink_margin(const struct ebb_shrink_kind *v, size_t n);

#endif
