/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a bucket says of the versions that it keeps (policies/noncurrent.h): asked when it is scanned, kept with the facts of that scan
 * (factbook.h), so that plans need no store.
 *
 *   "versions":{"state":"enabled","mfa_delete":false,"unread":false,"expire":[{"prefix":"tmp/","days":7,"newer":0,"filtered":false}]}
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_KEEPING_H
#define EBB_AGENT_KEEPING_H

#include "core/arena.h"
#include "policies/noncurrent.h"

struct ebb_jsonline;
struct ebb_jsonput;
struct ebb_store;

/*
 * Ask an open store; one request where versions are kept. What may not be read is noted, not an error.
 *
 * @arena   holds what *ret points to.
 * @return  0, -EBB_ENOMEM.
 */
int ebb_keeping_ask(struct ebb_store *s, struct ebb_arena *arena, struct ebb_noncurrent *ret, struct ebb_err *err);

/* The member "versions" of the object open in @j; nothing where no more is known than that nothing is kept. */
void ebb_keeping_write(struct ebb_jsonput *j, const struct ebb_noncurrent *v);

/* The same read back, into @arena; absent: EBB_NONCURRENT_UNKNOWN. Returns l->r. */
int ebb_keeping_read(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_noncurrent *ret);

#endif
