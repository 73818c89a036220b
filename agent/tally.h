/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tallies: what is there, counted by age, size, kind, extension and owner, in one pass over blocks, column by column.
 *
 * Objects are names: an inode with three names counts three times. Bytes are those of files, each inode once (the first
 * of its names in key order), so sums over any of the dimensions are equal.
 *
 * Memory is bounded: beyond EBB_TALLY_GROUPS different extensions or owners the rest falls into one row, "others".
 *
 * Threads: a tally belongs to one thread.
 */
#ifndef EBB_AGENT_TALLY_H
#define EBB_AGENT_TALLY_H

#include "core/block.h"
#include "core/err.h"
#include "core/mem.h"

/* Most different extensions, or owners, that are told apart. */
#define EBB_TALLY_GROUPS 16384

/* Longest extension told apart, without the dot; longer ones count as none. */
#define EBB_TALLY_EXT_MAX 15

struct ebb_tally_sum {
	uint64_t objects;
	uint64_t bytes;		/* content */
	uint64_t alloc;		/* allocated on the medium */
};

/* Dimensions, or-ed: what a tally is asked to count. */
enum ebb_tally_dims {
	EBB_TALLY_AGE = 1 << 0,		/* idle and written */
	EBB_TALLY_SIZE = 1 << 1,
	EBB_TALLY_EXT = 1 << 2,
	EBB_TALLY_OWNER = 1 << 3,
	EBB_TALLY_CLASS = 1 << 4,
	EBB_TALLY_ALL = 15		/* all but CLASS; kinds, totals and hidden things are always counted */
};

/* Classes of age: [0] less than 7 d, 7-30 d, 30-90 d, 90-180 d, 180 d-1 y, 1-2 y, [6] 2 y and more. */
#define EBB_TALLY_AGES 7

/* Why an idle time falls into no class. */
enum ebb_tally_unknown {
	EBB_TALLY_UNKNOWN_NONE,		/* no access evidence at all */
	EBB_TALLY_UNKNOWN_WRITES,	/* only writes are known: the mount does not record reads */
	EBB_TALLY_UNKNOWN_WINDOW,	/* reads are recorded, but not since long enough */
	EBB_TALLY_UNKNOWNS
};

/* Classes of size: [0] empty, then below 4 KiB, 64 KiB, 1 MiB, 16 MiB, 256 MiB, 4 GiB, [7] and more. */
#define EBB_TALLY_SIZES 8

/* Members are read-only for callers. */
struct ebb_tally {
	int64_t now;
	unsigned dims;
	struct ebb_tally_sum total;			/* everything */
	struct ebb_tally_sum kind[EBB_KIND_COUNT];
	struct ebb_tally_sum idle[EBB_TALLY_AGES];	/* files by time since last access, certain or by logs likely */
	struct ebb_tally_sum unknown[EBB_TALLY_UNKNOWNS];	/* files whose idle time is not known well enough */
	struct ebb_tally_sum written[EBB_TALLY_AGES];	/* files by time since last modification */
	struct ebb_tally_sum size[EBB_TALLY_SIZES];	/* files */
	struct ebb_tally_sum sparse;			/* files with holes: alloc is less than bytes */
	struct ebb_tally_sum twins;			/* further names of inodes; bytes as if counted again */
	struct ebb_tally_sum unseen;			/* carried over: their directory could not be read */
	struct ebb_tally_groups *ext, *owner;		/* files; see ebb_tally_top */
	struct ebb_tally_groups *class;			/* everything, by storage class */
	int64_t store_class;	/* code of the class of objects that have none of their own, -1: none; set by the caller */
	struct ebb_tally_work *work;
};

/* New tally of @dims at time @now; NULL when memory is short. */
struct ebb_tally *ebb_tally_new(unsigned dims, int64_t now);
void ebb_tally_free(struct ebb_tally *t);
EBB_CLEANUP_PTR(struct ebb_tally, ebb_tally_free);

/*
 * Count the records of a block whose keys begin with @prefix (NULL or "": all). Returns 0 or -EBB_ECORRUPT.
 */
int ebb_tally_block(struct ebb_tally *t, const struct ebb_block *b, const char *prefix,
		    struct ebb_err *err);

/* Class of an age in ns (negative counts as 0), and of a size. */
int ebb_tally_age_class(int64_t ns);
int ebb_tally_size_class(int64_t bytes);

/*
 * Class of an idle interval: the class that certainly holds it, where up to a day of doubt (relatime) counts as the younger
 * one; or -1 when it is not known well enough, with the reason in *ret_why.
 */
int ebb_tally_idle_class(struct ebb_span idle, int64_t evidence, enum ebb_tally_unknown *ret_why);

/* Names of classes for people and JSON: "7-30 d", "below 4 KiB". Constant. */
const char *ebb_tally_age_name(int class);
const char *ebb_tally_size_name(int class);
const char *ebb_tally_unknown_name(enum ebb_tally_unknown why);	/* stable word for JSON */
const char *ebb_tally_unknown_text(enum ebb_tally_unknown why);	/* for people */

/* A row of extensions, owners or classes. */
struct ebb_tally_group {
	char name[EBB_TALLY_EXT_MAX + 1];	/* extension in lower case, "" for none; owner: number; others: "" */
	int64_t uid;				/* of owners, code of classes; -1: unknown */
	struct ebb_tally_sum sum;
};

/*
 * The @n largest groups by bytes (then objects, then name) into @ret, and the sum of all others in *ret_others, whose number
 * of groups is returned through *ret_more (EBB_TALLY_GROUPS reached: a lower bound).
 *
 * @dim     EBB_TALLY_EXT, EBB_TALLY_OWNER or EBB_TALLY_CLASS, one that was asked for.
 * @return  rows written.
 */
size_t ebb_tally_top(const struct ebb_tally *t, unsigned dim, size_t n, struct ebb_tally_group *ret,
		     struct ebb_tally_sum *ret_others, size_t *ret_more);

#endif
