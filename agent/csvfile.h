/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CSV files of any size, row by row (RFC 4180: quotes, doubled quotes, line ends within quotes), plain or gzipped.
 *
 * Threads: a reader belongs to one thread.
 */
#ifndef EBB_AGENT_CSVFILE_H
#define EBB_AGENT_CSVFILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

/* Most fields, and most bytes of a row. */
#define EBB_CSVFILE_FIELDS 1024
#define EBB_CSVFILE_ROW (4u << 20)

struct ebb_csvfile;

/* Open @path, which must outlive the reader. -EBB_ENOENT, -EBB_EACCES, -EBB_EIO, -EBB_ENOMEM. */
int ebb_csvfile_open(const char *path, struct ebb_csvfile **ret, struct ebb_err *err);
void ebb_csvfile_close(struct ebb_csvfile *f);
EBB_CLEANUP_PTR(struct ebb_csvfile, ebb_csvfile_close);

/*
 * Next row that is not empty; fields are NUL-terminated and borrowed until the next call.
 *
 * @return  1; 0 at the end; -EBB_ECONFIG with FILE:LINE for a row that is none (a quote that does not end, too many fields, too long);
 *          -EBB_ECORRUPT for damaged gzip; -EBB_EIO; -EBB_ENOMEM.
 */
int ebb_csvfile_next(struct ebb_csvfile *f, char *const **ret, size_t *ret_n, struct ebb_err *err);

/* Line that the row given last begins at, from 1. */
int64_t ebb_csvfile_line(const struct ebb_csvfile *f);

#endif
