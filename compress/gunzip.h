/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading files that may be gzipped: what begins with the two bytes of gzip is decoded, members one after the other, anything else is
 * given as it is.
 *
 * Threads: a reader belongs to one thread.
 */
#ifndef EBB_COMPRESS_GUNZIP_H
#define EBB_COMPRESS_GUNZIP_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

struct ebb_gunzip;

/* Read from @fd, which stays the caller's. NULL when memory is short. */
struct ebb_gunzip *ebb_gunzip_new(int fd);
void ebb_gunzip_free(struct ebb_gunzip *g);
EBB_CLEANUP_PTR(struct ebb_gunzip, ebb_gunzip_free);

/*
 * Next bytes.
 *
 * @return  1 to @len; 0 at the end; -EBB_ECORRUPT for what is no gzip behind its head, or ends early; -EBB_EIO.
 */
int64_t ebb_gunzip_read(struct ebb_gunzip *g, void *buf, size_t len, struct ebb_err *err);

#endif
