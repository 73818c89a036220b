/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records of the journal as JSON and back; the framing of lines is in journal.c. Threads: pure.
 */
#ifndef EBB_AGENT_JRECORD_H
#define EBB_AGENT_JRECORD_H

#include "agent/journal.h"

struct ebb_buf;
struct ebb_jsonline;

/* Append the object, without a newline. On failure @out is what it was. 0, -EBB_ENOMEM, -EBB_EINVAL for a name that is not UTF-8. */
int ebb_jrecord_write(struct ebb_buf *out, const struct ebb_journal_rec *rec, struct ebb_err *err);

/* Read a line into *ret (its `at` untouched), strings in @arena. Returns l->r. On success with an op the caller releases it. */
int ebb_jrecord_read(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_journal_rec *ret);

#endif
