/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Proofs: the only key to ebb_store_remove and ebb_store_replace. A proof says why an object may go for good, and of
 * which object, in which state, it says so. There are eight, and each function below checks what it
 * claims before it gives a proof out:
 *
 *   verified copy   the content stands elsewhere, read back and compared, with its metadata
 *   purge           the rule is an explicit delete without trash, in words
 *   duplicate       its store made a copy of it, with the same checksum and metadata
 *   expired         the object lies in ebb's own trash and its time is over
 *   hidden          the object was hidden by a delete marker and its time is over
 *   original        it is a copy that was verified when it was made, and what it was made of stands unchanged
 *   linked          the name is one of several of its inode, which stands under another
 *   replaced        a verified copy stands in its place already
 *
 * and three about packs in proof_pack.h.
 *
 * Threads: a proof is read-only and may be shared; it lives until ebb_proof_free.
 */
#ifndef EBB_SCANNERS_PROOF_H
#define EBB_SCANNERS_PROOF_H

#include "core/err.h"
#include "core/mem.h"
#include "core/record.h"

struct ebb_store;
struct ebb_codec;
struct ebb_proof;

/* What a copy must show. Whatever is decoded is held to DIGEST at least. */
enum ebb_proof_level {
	EBB_PROOF_DIGEST,	/* it is read back: its content has the source's digest */
	EBB_PROOF_SIZE,		/* it stands as it was when it was committed, with the size of the source; nothing is read */
	EBB_PROOF_CHECKED,	/* the same in a store that has compared checksums while it was written (EBB_CAP_CHECKED) */
	EBB_PROOF_BYTES		/* as DIGEST, and the source is read beside it, with not a byte different */
};

/* A copy to verify. */
struct ebb_proof_copy {
	struct ebb_store *src;
	const char *src_key;
	const struct ebb_record *src_rec;	/* state of the source; must still stand */
	/* Of the source's content as it was read for the copy: its bytes, or what they decoded to when
	 * the copy is a decoded one. */
	uint8_t src_digest[EBB_DIGEST_LEN];
	struct ebb_store *dst;
	const char *dst_key;
	const struct ebb_codec *codec;		/* how the copy is encoded, or NULL: plain */
	enum ebb_proof_level level;
	const struct ebb_record *dst_rec;	/* SIZE, CHECKED: what its commit said of the copy */
	uint32_t meta;				/* enum ebb_meta_parts that must be equal on both */
};

/*
 * Read the copy back from its store, decode it, compare its digest with the source's (unless @c->level asks for another proof of its content) and
 * its metadata with the source's, and check that the source is still what @c->src_rec says, which must
 * know SIZE and MTIME. Access times are not compared: reading either side moves them. A copy that
 * is the very inode of the source (overlapping stores, hard links) is none.
 *
 * @return  0 with a proof to remove src_key; -EBB_EMISMATCH; -EBB_ECHANGED; -EBB_ECORRUPT when the
 *          copy does not decode; -EBB_EINVAL when nothing could be proven (a copy of itself, an
 *          empty record, less than a digest where bytes were transformed or the store checks
 *          nothing); what reading returns.
 */
int ebb_proof_verified(const struct ebb_proof_copy *c, struct ebb_proof **ret, struct ebb_err *err);

/*
 * A copy that the store @s itself made of @key at @dst_key: same size, same entity tag (where it is a checksum of the content;
 * otherwise both are read and their digests compared) and, with EBB_CAP_META, same owner, mode and attributes. Then the source is
 * checked once more. Errors as for ebb_proof_verified.
 */
int ebb_proof_duplicate(struct ebb_store *s, const char *key, const struct ebb_record *rec,
			const char *dst_key, struct ebb_proof **ret, struct ebb_err *err);

/* What a rule must say word for word for a delete without trash. */
#define EBB_PROOF_PURGE_WORDS "cannot be undone"

/*
 * Proof for an explicit delete without trash.
 *
 * @words  what the rule said; anything but EBB_PROOF_PURGE_WORDS is -EBB_EINVAL.
 * @rec    state of the object as the plan saw it; -EBB_EINVAL when it does not know SIZE and MTIME.
 *         That it still stands is checked by ebb_store_remove.
 */
int ebb_proof_purge(struct ebb_store *s, const char *key, const struct ebb_record *rec,
		    const char *words, struct ebb_proof **ret, struct ebb_err *err);

/* Where every store keeps its trash; keys below it are ebb's own. */
#define EBB_PROOF_TRASH ".ebb-trash/"

/*
 * Proof for what lies in the trash beyond its time. @rec as for ebb_proof_purge.
 *
 * @expires  when the trash lets it go, ns since the epoch; -EBB_EINVAL when @now is earlier, or
 *           @key is not below EBB_PROOF_TRASH.
 */
int ebb_proof_expired(struct ebb_store *s, const char *key, const struct ebb_record *rec,
		      int64_t expires, int64_t now, struct ebb_proof **ret, struct ebb_err *err);

/*
 * Proof for what a delete marker hides (EBB_CAP_VERSIONS) beyond its time; -EBB_ECHANGED when it is not hidden.
 */
int ebb_proof_hidden(struct ebb_store *s, const char *key, const struct ebb_record *rec,
		     int64_t expires, int64_t now, struct ebb_proof **ret, struct ebb_err *err);

/*
 * Proof for a copy of @src_key that was verified when it was made: neither has changed since, by what @rec and @src_rec say of them
 * (both must know SIZE and MTIME). Nothing is read.
 *
 * @return  0 with a proof to remove @key; -EBB_ECHANGED, -EBB_ENOENT for the original; -EBB_EMISMATCH when both are one file, or not
 *          of one size; -EBB_EINVAL.
 */
int ebb_proof_original(struct ebb_store *s, const char *key, const struct ebb_record *rec,
		       struct ebb_store *src, const char *src_key, const struct ebb_record *src_rec,
		       struct ebb_proof **ret, struct ebb_err *err);

/*
 * Proof for one name of an inode that stands under @other of the same store, too.
 *
 * @return  0; -EBB_ECHANGED when both are not one inode; -EBB_ENOENT.
 */
int ebb_proof_linked(struct ebb_store *s, const char *key, const char *other, struct ebb_proof **ret,
		     struct ebb_err *err);

/*
 * Proof to finish a replacement (ebb_store_replace) that was cut short: what stands under @c->src_key is a copy that the store made of
 * @c->dst_key, and that is a verified copy of what stood there before, @c->src_rec: decoded it has @c->src_digest. Its level and metadata do
 * not matter; both stores are one. What is compared are contents and attributes.
 *
 * @return  0 with a proof for ebb_store_replace, and nothing else; -EBB_EMISMATCH; -EBB_ECHANGED; -EBB_ENOENT; -EBB_EINVAL.
 */
int ebb_proof_replaced(const struct ebb_proof_copy *c, struct ebb_proof **ret, struct ebb_err *err);

/*
 * What a proof allows, for store.c: the store, the key, and the state. They live as long as the
 * proof.
 */
const struct ebb_store *ebb_proof_store(const struct ebb_proof *p);
const char *ebb_proof_key(const struct ebb_proof *p);
const struct ebb_record *ebb_proof_record(const struct ebb_proof *p);
bool ebb_proof_is_replaced(const struct ebb_proof *p);

/* Destroy a proof; NULL is a no-op. */
void ebb_proof_free(struct ebb_proof *p);
EBB_CLEANUP_PTR(struct ebb_proof, ebb_proof_free);

#endif
