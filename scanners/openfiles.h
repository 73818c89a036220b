/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that processes of this machine have open or mapped: what fuser(1) tells, for many files at once.
 *
 * Seen is what this user may see: root sees all, others their own processes. Processes of other machines that share a filesystem are not seen, nor is what
 * happens after the look.
 *
 * Threads: a set belongs to one thread; read-only once made.
 */
#ifndef EBB_SCANNERS_OPENFILES_H
#define EBB_SCANNERS_OPENFILES_H

#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

struct ebb_openfiles;

/*
 * Look at /proc: descriptors and mappings of every process but this one.
 *
 * @return  0, also where there is no /proc (nothing is open then); -EBB_ENOMEM.
 */
int ebb_openfiles_look(struct ebb_openfiles **ret, struct ebb_err *err);
void ebb_openfiles_free(struct ebb_openfiles *o);
EBB_CLEANUP_PTR(struct ebb_openfiles, ebb_openfiles_free);

/* The process that has the file open, or 0. */
int ebb_openfiles_by(const struct ebb_openfiles *o, uint64_t dev, uint64_t ino);

#endif
