/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How proofs come to be, for proof*.c alone. Threads: as proof.h.
 */
#ifndef EBB_SCANNERS_PROOF_NEW_H
#define EBB_SCANNERS_PROOF_NEW_H

#include "scanners/proof.h"

/* -EBB_EINVAL for a record that could not tell a changed object from an unchanged one. */
int ebb_proof_check_record(const char *key, const struct ebb_record *rec, struct ebb_err *err);

/* The proof about @key as @rec says, both copied. 0 or -EBB_ENOMEM. */
int ebb_proof_new(const struct ebb_store *s, const char *key, const struct ebb_record *rec,
		  struct ebb_proof **ret, struct ebb_err *err);

#endif
