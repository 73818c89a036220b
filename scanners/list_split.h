/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where to cut a range of keys of which only the beginning was seen.
 *
 * Two questions lead on. "Is there anything behind all that begins like this?": keys share beginnings, so cuts are made behind
 * beginnings of the last key, and the answers tell in a few steps how much all keys to come have in common. Keys are made of words
 * (runs of letters, runs of digits); some stay the same and some vary, the third of one key as that of another, so beginnings end
 * behind words, those first that were seen to vary anywhere. "How far does it go?": where keys are known to differ, the bytes that
 * were seen to vary are taken as digits, and the rest is cut into parts of equal numbers. A wrong guess shows nothing but an empty
 * range, which tells where the keys end.
 *
 * Pure. Threads: everything may be called from any thread.
 */
#ifndef EBB_SCANNERS_LIST_SPLIT_H
#define EBB_SCANNERS_LIST_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest cut with its NUL; S3 keys end at 1,024 bytes. */
#define EBB_LIST_SPLIT_MAX 1025

/* Sorts behind every character: U+10FFFF. */
#define EBB_LIST_SPLIT_LAST "\xf4\x8f\xbf\xbf"

/* Words of a key that are counted; the last stands for all behind it. */
#define EBB_LIST_SPLIT_WORDS 32

/* What differed between neighbours. */
struct ebb_list_split_seen {
	bool byte[256];
	bool word[EBB_LIST_SPLIT_WORDS];	/* by its number in the key */
};

/* Learn from two keys that follow each other. */
void ebb_list_split_learn(struct ebb_list_split_seen *seen, const char *a, const char *b);

/* Bytes that two keys have in common at their beginnings. */
size_t ebb_list_split_common(const char *a, const char *b);

/* What is known of a range. */
struct ebb_list_split {
	const char *begin;	/* it holds keys greater than this: where it was cut, or "" */
	const char *first, *last;	/* keys of the last page of it */
	const char *end;	/* keys end there; NULL: not known */
	const struct ebb_list_split_seen *bytes;	/* seen in its pages */
	const struct ebb_list_split_seen *words;	/* seen anywhere */
};

/*
 * Cuts of what is left of a range, ascending, each greater than `last` and less than `end`.
 *
 * @max     most cuts wanted, at least 1.
 * @return  how many, 0 when there is no telling, or little left.
 */
size_t ebb_list_split(const struct ebb_list_split *s, size_t max, char (*ret)[EBB_LIST_SPLIT_MAX]);

#endif
