/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much smaller contents get when they are compressed before they cross a link: by the extension of their keys, from samples of the
 * largest few that the transfer is about. What is too small or hardly shrinks stays as it is.
 *
 * Reading: EBB_TRANSFER_RATIO_OBJECTS objects of an extension, whole up to 8 MiB, since what repeats far apart counts; of larger ones
 * 1.5 MiB, with ebb_sample_estimate.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_TRANSFER_RATIO_H
#define EBB_AGENT_TRANSFER_RATIO_H

#include "agent/transfer_index.h"

/* Objects of an extension that are looked into. */
#define EBB_TRANSFER_RATIO_OBJECTS 4

/* The level at which transfers compress: what a processor does at the speed of a link. */
#define EBB_TRANSFER_RATIO_LEVEL 3

struct ebb_transfer_ratio;

/*
 * Look into what is to be sent, and have @index tell the answers (ebb_transfer_index_set_packed); it must not outlive *ret.
 *
 * @return  0; what opening a store and reading from it return; -EBB_ENOMEM; -EBB_ECANCELLED.
 */
int ebb_transfer_ratio_open(struct ebb_app *app, struct ebb_transfer_index *index, struct ebb_transfer_ratio **ret,
			    struct ebb_err *err);
void ebb_transfer_ratio_free(struct ebb_transfer_ratio *r);

#endif
