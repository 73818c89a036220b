/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Archiving: operations that go into one pack, done together.
 *
 *   write    every object that still is what the plan saw into the pack, in the plain class of its store; commit
 *   prove    read each member back from the store, compare it and its metadata with the original
 *   class    put the pack into the class where it is to stay, which may not be readable
 *   record   all rows go into the journal, durably
 *   remove   the originals go, each with its proof
 *
 * A member that fails is left out; what fails for all of them fails each. After a crash (struct ebb_executor_op.again) a pack that
 * stands is taken up at `prove`, which then reads the originals as well; DESIGN.md has the table.
 *
 * Memory: one pack's operations, rows and proofs, and the buffers of writing and reading packs (about 30 MiB).
 *
 * Threads: one pack is worked on by one thread; many packs by many.
 */
#ifndef EBB_AGENT_PACKER_H
#define EBB_AGENT_PACKER_H

#include "agent/executor.h"

/* Run @n operations of one pack; sets the result of each that is not settled. One that may be done or not is BACK and again. */
void ebb_packer_run(struct ebb_executor *x, struct ebb_executor_op *ops, size_t n);

#endif
