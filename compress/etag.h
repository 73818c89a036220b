/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The entity tag that an S3 store gives to content, computed from the content: the MD5 of an object written in one piece, or the MD5 of
 * the MD5s of its parts, all of one size but the last (which AWS documents as "not the MD5 of the object", and every client relies on).
 * The size of the parts stands nowhere; ebb_etag_part_sizes lists those that clients use.
 *
 * Threads: a struct ebb_etag belongs to one thread.
 */
#ifndef EBB_COMPRESS_ETAG_H
#define EBB_COMPRESS_ETAG_H

#include "compress/digest.h"

#define EBB_ETAG_LEN 16

/* Sizes of parts that are tried for one number of parts, at most. */
#define EBB_ETAG_SIZES 4

struct ebb_etag {
	struct ebb_digest part, all;
	int64_t part_size;	/* 0: in one piece */
	int64_t left;		/* of the part at hand */
	int64_t parts;		/* complete ones */
};

/*
 * Prepare the tag of no bytes yet.
 *
 * @part_size  of all parts but the last; 0: the object was written in one piece.
 * @return     0; -EBB_ENOMEM.
 */
int ebb_etag_init(struct ebb_etag *e, int64_t part_size, struct ebb_err *err);

/* Free the memory. A zeroed struct is accepted. */
void ebb_etag_release(struct ebb_etag *e);

/* Take the next bytes. */
void ebb_etag_update(struct ebb_etag *e, const void *p, size_t len);

/* The tag of all bytes taken, EBB_ETAG_LEN bytes in the order of its digits. Only release may follow. Errors of ebb_digest_final. */
int ebb_etag_final(struct ebb_etag *e, uint8_t *ret, struct ebb_err *err);

/*
 * Sizes of parts by which clients would cut @size bytes into @parts parts: those of the AWS CLI and its SDKs (8, 16, 5 MiB), rclone
 * (5, 64), s3cmd (15), ours, and the smallest whole MiB that gives so many.
 *
 * @return  how many, in @ret; 1 with a zero for @parts 0, 0 when none fits.
 */
size_t ebb_etag_part_sizes(int64_t size, int64_t parts, int64_t ret[EBB_ETAG_SIZES]);

#endif
