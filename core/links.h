/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inodes with several names, met one name at a time: which name is the first?
 *
 * A hash table from (device, inode) to the number of names still to come; an inode whose names have all been met is
 * forgotten, so memory (24 bytes an entry, at most 3/4 full) follows the inodes whose names are spread
 * over the part being scanned, not all of them.
 *
 * Threads: one at a time.
 */
#ifndef EBB_CORE_LINKS_H
#define EBB_CORE_LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct ebb_links_slot {
	uint64_t dev, ino;
	uint64_t left;	/* names still to come; 0: slot is free */
};

struct ebb_links {
	struct ebb_links_slot *slots;	/* NULL while empty */
	size_t size, used;		/* size is a power of two */
};

/* A zeroed struct is an empty table. */
void ebb_links_release(struct ebb_links *l);

/*
 * Meet one of the @nlink (>= 2) names of an inode.
 *
 * @return  1: the first one; 0: another name was met before; -EBB_ENOMEM.
 */
int ebb_links_meet(struct ebb_links *l, uint64_t dev, uint64_t ino, uint64_t nlink,
		   struct ebb_err *err);

#endif
