/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What objects hold, in 16 bytes: the digest of all of an object's content, or of a sample of it.
 *
 * The sample is EBB_CONTENT_PIECE bytes at the beginning, in the middle and at the end: enough to tell most objects of one size apart
 * at the price of three small reads (checkpoints often begin and end alike). Two objects with equal samples and sizes may still differ; two with different samples do.
 * Both are XXH3-128, which proposes duplicates and proves nothing.
 *
 * A digest is of one state of the object, the one that the record describes: reading ends with a look whether it still holds.
 *
 * Threads: a struct ebb_content belongs to one thread; stores may be shared. Blocks on reading.
 */
#ifndef EBB_SCANNERS_CONTENT_H
#define EBB_SCANNERS_CONTENT_H

#include "scanners/store.h"

/* Bytes that a sample takes at each of its three places, and in all. */
#define EBB_CONTENT_PIECE 4096
#define EBB_CONTENT_SAMPLE (3 * EBB_CONTENT_PIECE)

/* Up to this size reading all costs hardly more than opening, and a sample would only make it twice. */
#define EBB_CONTENT_SMALL (64 * 1024)

struct ebb_content;

/* About 1 MiB; NULL when memory is short. */
struct ebb_content *ebb_content_new(void);
void ebb_content_free(struct ebb_content *c);
EBB_CLEANUP_PTR(struct ebb_content, ebb_content_free);

/*
 * Digest of the content of @key, which the index describes by @rec (SIZE known). Holes are not read.
 *
 * @ret     EBB_DIGEST_LEN bytes.
 * @cancel  asked between pieces, may be NULL.
 * @return  0; -EBB_ECHANGED when it is not what @rec says, or changed while it was read; -EBB_ECANCELLED; what the store returns.
 */
int ebb_content_digest(struct ebb_content *c, struct ebb_store *s, const struct ebb_record *rec,
		       const _Atomic _Bool *cancel, uint8_t *ret, struct ebb_err *err);

/* Digest of its sample, for objects of at least EBB_CONTENT_SAMPLE bytes. The same errors; -EBB_ENOTSUP where stores cannot seek. */
int ebb_content_sample(struct ebb_content *c, struct ebb_store *s, const struct ebb_record *rec,
		       uint8_t *ret, struct ebb_err *err);

#endif
