/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of a pack that are not tar, as bytes. All of them are skippable frames (RFC 8878, 3.1.2), so
 * that stock tools pass over them:
 *
 *   marker   behind each member's frames: how long they are, and the digest of the content
 *   index    all members; a zstd frame within, then its own footer
 *   seeks    zstd's seekable format (contrib/seekable_format of zstd): sizes of all frames; last
 *
 * Threads: pure functions.
 */
#ifndef EBB_COMPRESS_PACK_FORMAT_H
#define EBB_COMPRESS_PACK_FORMAT_H

#include "compress/pack.h"
#include "core/buf.h"

#define EBB_PACK_FORMAT_MARKER 60	/* bytes of a marker, its frame header included */
#define EBB_PACK_FORMAT_FOOTER 32	/* bytes of the index's footer */
#define EBB_PACK_FORMAT_SEEKS_FOOTER 9	/* bytes of the seek table's footer */

struct ebb_pack_format_marker {
	int64_t at;		/* offset of the marker in the pack */
	int64_t coded;		/* bytes of the member's frames, which end where the marker begins */
	int64_t raw;		/* bytes of tar they decode to */
	uint8_t digest[EBB_DIGEST_LEN];
};

struct ebb_pack_format_footer {
	int64_t frame;		/* bytes of the index's skippable frame, header and footer included */
	int64_t raw;		/* bytes of rows */
	uint32_t members;
};

/* Write a marker. */
void ebb_pack_format_put_marker(uint8_t *p, const struct ebb_pack_format_marker *m);

/*
 * Read the marker that should stand at offset @at.
 *
 * @return  true; false: it is none, is damaged, or belongs to another place.
 */
bool ebb_pack_format_get_marker(const uint8_t *p, int64_t at, struct ebb_pack_format_marker *ret);

/* Do these 16 bytes begin a marker? For searching. */
bool ebb_pack_format_is_marker(const uint8_t *p);

/* Append a member's row. Returns 0 or -EBB_ENOMEM (memory or the buffer's cap). */
int ebb_pack_format_put_row(struct ebb_buf *rows, const struct ebb_pack_member *m);

/*
 * Read the row at *@at, and move *@at behind it. The key is borrowed from @rows.
 *
 * @return  0; -EBB_ECORRUPT: the row ends beyond @len, or says what cannot be.
 */
int ebb_pack_format_get_row(const char *rows, size_t len, size_t *at, struct ebb_pack_member *ret,
			    struct ebb_err *err);

/* Append the index of @members rows: a skippable frame. Returns 0 or -EBB_ENOMEM. */
int ebb_pack_format_put_index(struct ebb_buf *out, const struct ebb_buf *rows, uint32_t members,
			      struct ebb_err *err);

/*
 * Read the index's footer.
 *
 * @return  0 or -EBB_ECORRUPT.
 */
int ebb_pack_format_get_footer(const uint8_t *p, struct ebb_pack_format_footer *ret,
			       struct ebb_err *err);

/*
 * Decode the rows of the index @f; @p is its whole frame.
 *
 * @return  0 with f->raw bytes in *ret, which the caller frees; -EBB_ECORRUPT; -EBB_ENOMEM.
 */
int ebb_pack_format_get_index(const uint8_t *p, const struct ebb_pack_format_footer *f, char **ret,
			      struct ebb_err *err);

/* Append a line of the seek table: a frame of @coded bytes that decodes to @raw bytes. 0, -EBB_ENOMEM. */
int ebb_pack_format_put_seek(struct ebb_buf *seeks, uint32_t coded, uint32_t raw);

/* Append the seek table: a skippable frame. Returns 0 or -EBB_ENOMEM. */
int ebb_pack_format_put_seeks(struct ebb_buf *out, const struct ebb_buf *seeks);

/*
 * Bytes of the seek table's whole frame, by its footer.
 *
 * @return  bytes, or -EBB_ECORRUPT.
 */
int64_t ebb_pack_format_get_seeks(const uint8_t *p, struct ebb_err *err);

#endif
