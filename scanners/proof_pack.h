/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Proofs about packs (compress/pack.h) that stand in a store. Three kinds, beside those of proof.h:
 *
 *   packed    the object stands in a pack: read from there, equal in content and metadata
 *   emptied   a pack of which every member stands elsewhere, or is past its time
 *   tombstone a mark of ebb's own beside a pack
 *
 * Threads: an open pack belongs to one thread. Memory: 8 MiB, the members' frames, and for `emptied` the pack's index.
 */
#ifndef EBB_SCANNERS_PROOF_PACK_H
#define EBB_SCANNERS_PROOF_PACK_H

#include "compress/pack.h"
#include "scanners/meta.h"
#include "scanners/proof.h"

struct ebb_proof_pack;

/*
 * A pack to be read, in large pieces, so that members in order take few requests. Store, key and record are borrowed.
 *
 * @rec     what the pack must be whenever it is read.
 * @return  0; -EBB_ENOMEM.
 */
int ebb_proof_pack_open(struct ebb_store *s, const char *key, const struct ebb_record *rec,
			struct ebb_proof_pack **ret, struct ebb_err *err);
void ebb_proof_pack_close(struct ebb_proof_pack *p);
EBB_CLEANUP_PTR(struct ebb_proof_pack, ebb_proof_pack_close);

/* Ranges of the pack, for pack_read.h: an ebb_range_fn, its context the open pack. */
int64_t ebb_proof_pack_range(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err);

/* An object, and where it should be in a pack. */
struct ebb_proof_pack_member {
	struct ebb_store *src;
	const char *src_key;
	const struct ebb_record *src_rec;	/* state of the object; must still stand */
	uint8_t src_digest[EBB_DIGEST_LEN];	/* of its content, as it was read from its store */
	const struct ebb_pack_member *row;
	uint32_t meta;				/* enum ebb_meta_parts that must be equal; not the access time */
};

/*
 * Read the member from the pack in its store, compare digest and metadata with the object's, and see that the object is still what its
 * record says.
 *
 * @return  0 with a proof to remove the object; -EBB_EMISMATCH; -EBB_ECHANGED; -EBB_ECORRUPT: the member does not decode to what its row
 *          says; -EBB_EINVAL; what reading returns.
 */
int ebb_proof_pack_holds(struct ebb_proof_pack *p, const struct ebb_proof_pack_member *m, struct ebb_proof **ret,
		     struct ebb_err *err);

/* Largest tombstone in bytes: a key or two in base64. */
#define EBB_PROOF_PACK_TOMBSTONE ((int64_t)32 * 1024)

/*
 * Proof for a tombstone: a small object below .ebb-packs/ in a folder that ends in `.gone`, which nobody but ebb makes.
 *
 * @return  0; -EBB_EINVAL: it is none.
 */
int ebb_proof_pack_tombstone(struct ebb_store *s, const char *key, const struct ebb_record *rec,
			     struct ebb_proof **ret, struct ebb_err *err);

/* Does this member stand elsewhere, or need not stand? 1, 0, negative. */
typedef int ebb_proof_stands_fn(void *ctx, const char *key, struct ebb_err *err);

/*
 * Ask @stands about every member of the pack's index, as it stands in the store.
 *
 * @return  0 with a proof to remove the pack; -EBB_EMISMATCH naming the first that does not; -EBB_ECORRUPT; what @stands and reading
 *          return.
 */
int ebb_proof_pack_emptied(struct ebb_proof_pack *p, ebb_proof_stands_fn *stands, void *ctx,
		      struct ebb_proof **ret, struct ebb_err *err);

#endif
