/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plan files: JSON Lines, plain or compressed (name ends in ".zst"), the same bytes for the same plan.
 *
 *   line 1   {"schema":"ebb-plan-1","id":"<hex SHA-256 of every byte after this line, before compression>"}
 *   line 2   the header (planhead.h): what the plan was made from and what it adds up to
 *   line 3.. one action a line in execution order (planrow.h), numbered from 1
 *
 * The writer streams: rows go to a temporary beside the output until the totals are known. The reader streams too, and lets nobody see
 * a row before it has read the whole file once and found that the id fits. Memory does not depend on the number of actions.
 *
 * Threads: a reader or writer belongs to one thread.
 */
#ifndef EBB_AGENT_PLANFILE_H
#define EBB_AGENT_PLANFILE_H

#include "agent/planhead.h"
#include "agent/planrow.h"
#include "core/mem.h"

#define EBB_PLANFILE_SCHEMA "ebb-plan-1"

/* An id as text: 64 hex digits and a NUL. */
#define EBB_PLANFILE_ID_LEN 65

struct ebb_planfile_writer;

/*
 * Begin a plan at @path. Nothing stands there until commit.
 *
 * @return  0; -EBB_EACCES, -EBB_ENOENT, -EBB_ENOSPC, -EBB_EIO, -EBB_ENOMEM.
 */
int ebb_planfile_create(const char *path, struct ebb_planfile_writer **ret, struct ebb_err *err);

/* Append an action; row->n is set here. Copied. */
int ebb_planfile_put(struct ebb_planfile_writer *w, struct ebb_planrow *row, struct ebb_err *err);

/*
 * Write the file with this header, durably, in place of what stood there. Frees the writer either way.
 *
 * @ret_id  the plan's id.
 */
int ebb_planfile_commit(struct ebb_planfile_writer *w, const struct ebb_planhead *head,
			char ret_id[EBB_PLANFILE_ID_LEN], struct ebb_err *err);
void ebb_planfile_abort(struct ebb_planfile_writer *w);
EBB_CLEANUP_PTR(struct ebb_planfile_writer, ebb_planfile_abort);

struct ebb_planfile;

/*
 * Open a plan and check it whole: schema, id, and that rows are numbered 1, 2, ...
 *
 * @return  0; -EBB_EUSAGE: there is none, or it is a folder; -EBB_ESTALE: not a plan, altered, or cut off; -EBB_EVERSION: of a newer ebb; -EBB_EIO; -EBB_ENOMEM.
 */
int ebb_planfile_open(const char *path, struct ebb_planfile **ret, struct ebb_err *err);
void ebb_planfile_close(struct ebb_planfile *p);
EBB_CLEANUP_PTR(struct ebb_planfile, ebb_planfile_close);

const char *ebb_planfile_id(const struct ebb_planfile *p);
const struct ebb_planhead *ebb_planfile_head(const struct ebb_planfile *p);
int64_t ebb_planfile_count(const struct ebb_planfile *p);	/* actions */

/*
 * Next action; borrowed until the next call.
 *
 * @return  1; 0 at the end; -EBB_ESTALE with FILE:LINE for a row that is not one, or when the file changed since it was opened;
 *          -EBB_EIO, -EBB_ENOMEM.
 */
int ebb_planfile_next(struct ebb_planfile *p, struct ebb_planrow *ret, struct ebb_err *err);

/* Back to the first action, or forward over rows without looking at them: the next one is number @n. */
int ebb_planfile_seek(struct ebb_planfile *p, int64_t n, struct ebb_err *err);

/* Write the very bytes of the plan to a file of another name (compressed or not by its suffix), checked once more. */
int ebb_planfile_copy(struct ebb_planfile *p, const char *path, struct ebb_err *err);

#endif
