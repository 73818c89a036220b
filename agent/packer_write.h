/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The writing half of packer.h, and what both halves share. Threads: as there.
 */
#ifndef EBB_AGENT_PACKER_WRITE_H
#define EBB_AGENT_PACKER_WRITE_H

#include "agent/executor.h"
#include "compress/pack.h"

/* An object on its way into the pack. */
struct packer_member {
	struct ebb_executor_op *o;
	bool out;			/* its result stands */
	struct ebb_pack_member row;	/* where it is; its key is the operation's */
	struct ebb_proof *proof;	/* that it stands in the pack; owned */
};

struct ebb_packer {
	struct ebb_executor *x;
	struct ebb_store *from, *to;
	const char *key;		/* of the pack */
	char tag[EBB_EXECUTOR_TAG_MAX];
	struct packer_member *m;	/* those that were not settled; owned */
	size_t n;
	struct ebb_record rec;		/* of the pack, as it stands */
	bool made;			/* this attempt wrote it */
};

/*
 * Write the pack of all members that are not out; those that cannot go in become so. Sets rows, rec and made; made stays false when
 * nobody is left, and then nothing stands.
 *
 * @return  0; -EBB_ECANCELLED, -EBB_ENOSPC, what the destination returns: nothing stands.
 */
int ebb_packer_write(struct ebb_packer *p, struct ebb_err *err);

/* Member @i is out, for @why. */
void ebb_packer_drop(struct ebb_packer *p, size_t i, int code, const struct ebb_err *why);

#endif
