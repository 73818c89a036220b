/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records of the journal as JSON and back; the framing of lines is in journal.c. Threads: pure.
 */
#ifndef EBB_AGENT_JRECORD_H
#define EBB_AGENT_JRECORD_H

#include <jansson.h>

#include "agent/journal.h"

struct ebb_jsonline;

/* New object, owned by the caller; NULL when memory is short. */
json_t *ebb_jrecord_json(const struct ebb_journal_rec *rec);

/* Read a line into *ret (its `at` untouched), strings in @arena. Returns l->r. On success with an op the caller releases it. */
int ebb_jrecord_read(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_journal_rec *ret);

#endif
