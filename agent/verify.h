/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether an object still holds what it held: read whole and compared with what is known of its content.
 *
 *   digest    of the index (`ebb scan --hash`), of all bytes
 *   pack      every member against the pack's index, by its digest
 *   coded     what ends in a codec's suffix decodes, by the checksums of its frames
 *   etag      of a bucket, where it is the MD5 of the content
 *
 * in this order; of other objects nothing is known.
 *
 * Threads: a struct ebb_content belongs to one thread; the rest may be shared.
 */
#ifndef EBB_AGENT_VERIFY_H
#define EBB_AGENT_VERIFY_H

#include <stdatomic.h>

#include "agent/op.h"
#include "scanners/content.h"
#include "scanners/store.h"

enum ebb_verify_how {
	EBB_VERIFY_NOTHING,	/* nothing is known to compare with */
	EBB_VERIFY_DIGEST,
	EBB_VERIFY_PACK,
	EBB_VERIFY_CODED,
	EBB_VERIFY_ETAG,
	EBB_VERIFY_HOWS
};

/* "digest", "etag". Constant. */
const char *ebb_verify_how_name(enum ebb_verify_how how);

/* By what an object of the store can be verified; @rec with its key. */
enum ebb_verify_how ebb_verify_by(const struct ebb_store *s, const struct ebb_record *rec);

/*
 * Read @rec (its key NUL-terminated) and compare.
 *
 * @return  0: it is what it was. -EBB_EMISMATCH, -EBB_ECORRUPT: it is not, although size and times are. -EBB_ECHANGED, -EBB_ENOENT: somebody
 *          changed it. -EBB_EASLEEP. -EBB_ENOTSUP: its entity tag turned out to be no checksum, or its codec cannot be undone here. What
 *          reading returns.
 */
int ebb_verify_object(struct ebb_content *c, struct ebb_store *s, const struct ebb_record *rec, enum ebb_verify_how how,
		      const atomic_bool *cancel, struct ebb_err *err);

/*
 * A copy that a run made, against its journal. @back is the operation that would take it back (lower.h), @from its store.
 *
 * @content   read and compare its digest, where the journal knows one.
 * @metadata  compare owner, mode, times, attributes and access lists, where the journal holds them and the copy is no member of a pack.
 * @ret       which of them were compared.
 * @return    as above.
 */
struct ebb_verify_copied {
	bool content, metadata;
};
int ebb_verify_copy(struct ebb_store *from, const struct ebb_op *back, bool content, bool metadata, const atomic_bool *cancel,
		    struct ebb_verify_copied *ret, struct ebb_err *err);

#endif
