/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of lines, plain or compressed: read with a bound on memory, written so that they appear whole or not at all.
 *
 * A file whose name ends in a codec's suffix (".zst") is decoded or encoded on the way; everything else is plain.
 * Threads: a reader or writer belongs to one thread. Both block on the filesystem.
 */
#ifndef EBB_AGENT_LINEFILE_H
#define EBB_AGENT_LINEFILE_H

#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

struct ebb_linefile_reader;

/*
 * Open @path for reading.
 *
 * @cap  longest line accepted, in bytes without its newline.
 * @return  0; -EBB_ENOENT, -EBB_EACCES, -EBB_EIO, -EBB_ENOMEM.
 */
int ebb_linefile_open(const char *path, size_t cap, struct ebb_linefile_reader **ret,
		      struct ebb_err *err);
void ebb_linefile_close(struct ebb_linefile_reader *r);
EBB_CLEANUP_PTR(struct ebb_linefile_reader, ebb_linefile_close);

/*
 * Next line, without its newline, NUL-terminated; borrowed until the next call. NUL bytes within a line are kept.
 *
 * @return  1; 0 at the end; -EBB_ERANGE for a line above the cap, -EBB_ECORRUPT when the file does not decode or its
 *          last line has no newline, -EBB_EIO, -EBB_ENOMEM: all with FILE:LINE.
 */
int ebb_linefile_next(struct ebb_linefile_reader *r, char **ret_line, size_t *ret_len,
		      struct ebb_err *err);

/* Number of the line given last, from 1; 0 before the first. */
int64_t ebb_linefile_line(const struct ebb_linefile_reader *r);

/* Path as given at open; borrowed. */
const char *ebb_linefile_path(const struct ebb_linefile_reader *r);

struct ebb_linefile_writer;

/* Begin to write @path: bytes go to a temporary beside it. Returns 0, -EBB_EACCES, -EBB_ENOENT, -EBB_ENOSPC, -EBB_EIO, -EBB_ENOMEM. */
int ebb_linefile_create(const char *path, struct ebb_linefile_writer **ret, struct ebb_err *err);

/* Append bytes. */
int ebb_linefile_write(struct ebb_linefile_writer *w, const void *p, size_t len,
		       struct ebb_err *err);

/*
 * Finish: the file stands under its name, durably, in place of what stood there. Frees the writer either way; on failure
 * nothing is left behind and the old file stands.
 */
int ebb_linefile_commit(struct ebb_linefile_writer *w, struct ebb_err *err);

/* Give up: nothing is left behind. */
void ebb_linefile_abort(struct ebb_linefile_writer *w);
EBB_CLEANUP_PTR(struct ebb_linefile_writer, ebb_linefile_abort);

/* Make the entries of directory @path durable. Returns 0 or -EBB_EIO and its kin. */
int ebb_linefile_sync_dir(const char *path, struct ebb_err *err);

#endif
