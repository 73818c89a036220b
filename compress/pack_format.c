/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/pack_format.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "core/le.h"

/* Skippable frames have sixteen magic numbers; zstd's seekable format uses the last but one. */
#define MARKER_FRAME UINT32_C(0x184d2a5b)
#define INDEX_FRAME UINT32_C(0x184d2a5c)
#define SEEKS_FRAME UINT32_C(0x184d2a5e)
#define SEEKS_MAGIC UINT32_C(0x8f92eab1)
#define SKIPPABLE 8		/* bytes of a skippable frame's header */

#define MARKER_MAGIC "EBBPACK1"
#define FOOTER_MAGIC "EBBINDX2"
#define ROW 60			/* bytes of a row before its key */
#define SEEK 8			/* bytes of a line of the seek table */
#define INDEX_LEVEL 3

/*
 * No index shrinks below this share: every row has 16 bytes of digest, and at most ROW + EBB_KEY_MAX
 * bytes. What claims more is a bomb.
 */
#define SHRINKS_MAX ((ROW + EBB_KEY_MAX) / 8)

/* Headers of our own end in the first 4 bytes of XXH64 of what stands before. */
static uint32_t sum(const uint8_t *p, size_t len)
{
	return (uint32_t)XXH64(p, len, 0);
}

static void put_frame(uint8_t *p, uint32_t magic, size_t len)
{
	ebb_le_put32(p, magic);
	ebb_le_put32(p + 4, (uint32_t)len);
}

void ebb_pack_format_put_marker(uint8_t *p, const struct ebb_pack_format_marker *m)
{
	put_frame(p, MARKER_FRAME, EBB_PACK_FORMAT_MARKER - SKIPPABLE);
	memcpy(p + 8, MARKER_MAGIC, 8);
	ebb_le_put64(p + 16, (uint64_t)m->at);
	ebb_le_put64(p + 24, (uint64_t)m->coded);
	ebb_le_put64(p + 32, (uint64_t)m->raw);
	memcpy(p + 40, m->digest, EBB_DIGEST_LEN);
	ebb_le_put32(p + 56, sum(p, 56));
}

bool ebb_pack_format_is_marker(const uint8_t *p)
{
	return ebb_le_get32(p) == MARKER_FRAME &&
	       ebb_le_get32(p + 4) == EBB_PACK_FORMAT_MARKER - SKIPPABLE &&
	       memcmp(p + 8, MARKER_MAGIC, 8) == 0;
}

bool ebb_pack_format_get_marker(const uint8_t *p, int64_t at, struct ebb_pack_format_marker *ret)
{
	struct ebb_pack_format_marker m = {
		.at = at,
		.coded = (int64_t)ebb_le_get64(p + 24),
		.raw = (int64_t)ebb_le_get64(p + 32),
	};

	if (!ebb_pack_format_is_marker(p) || ebb_le_get32(p + 56) != sum(p, 56) ||
	    ebb_le_get64(p + 16) != (uint64_t)at || m.coded <= 0 || m.coded > at || m.raw <= 0)
		return false;
	memcpy(m.digest, p + 40, EBB_DIGEST_LEN);
	*ret = m;
	return true;
}

int ebb_pack_format_put_row(struct ebb_buf *rows, const struct ebb_pack_member *m)
{
	uint8_t p[ROW];
	size_t len = strlen(m->key);

	ebb_le_put64(p, (uint64_t)m->offset);
	ebb_le_put64(p + 8, (uint64_t)m->coded);
	ebb_le_put64(p + 16, (uint64_t)m->raw);
	ebb_le_put64(p + 24, (uint64_t)m->size);
	memcpy(p + 32, m->digest, EBB_DIGEST_LEN);
	ebb_le_put32(p + 48, (uint32_t)len);
	ebb_le_put64(p + 52, (uint64_t)m->mtime);
	int r = ebb_buf_reserve(rows, sizeof(p) + len + 1);
	if (r == 0)
		r = ebb_buf_add(rows, p, sizeof(p));
	return r == 0 ? ebb_buf_add(rows, m->key, len + 1) : r;
}

int ebb_pack_format_get_row(const char *rows, size_t len, size_t *at, struct ebb_pack_member *ret,
			    struct ebb_err *err)
{
	const uint8_t *p = (const uint8_t *)rows + *at;
	size_t left = len - *at, n = left < ROW ? 0 : ebb_le_get32(p + 48);
	struct ebb_pack_member m = {0};
	bool ok = left > ROW && n < left - ROW && p[ROW + n] == 0 && strlen(rows + *at + ROW) == n;

	if (ok) {
		m.key = rows + *at + ROW;
		m.offset = (int64_t)ebb_le_get64(p);
		m.coded = (int64_t)ebb_le_get64(p + 8);
		m.raw = (int64_t)ebb_le_get64(p + 16);
		m.size = (int64_t)ebb_le_get64(p + 24);
		m.mtime = (int64_t)ebb_le_get64(p + 52);
		memcpy(m.digest, p + 32, EBB_DIGEST_LEN);
		ok = m.offset >= 0 && m.coded > 0 && m.offset <= INT64_MAX - m.coded && m.raw > 0 &&
		     m.size >= 0;
	}
	if (!ok)
		return ebb_err_set(err, EBB_ECORRUPT, "pack: a row of the index makes no sense");
	if (!ebb_pack_key_ok(m.key))
		return ebb_err_set(err, EBB_ECORRUPT,
				   "pack: a member's name is empty, absolute, or leads out with '..'");
	*at += ROW + n + 1;
	*ret = m;
	return 0;
}

int ebb_pack_format_put_index(struct ebb_buf *out, const struct ebb_buf *rows, uint32_t members,
			      struct ebb_err *err)
{
	size_t bound = ZSTD_compressBound(rows->len), begin = out->len;

	if (ebb_buf_reserve(out, SKIPPABLE + bound + EBB_PACK_FORMAT_FOOTER) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "pack: no memory for the index");
	uint8_t *p = (uint8_t *)out->data + begin;
	size_t n = ZSTD_compress(p + SKIPPABLE, bound, rows->data, rows->len, INDEX_LEVEL);
	if (ZSTD_isError(n))
		return ebb_err_set(err, EBB_ENOMEM, "pack: %s", ZSTD_getErrorName(n));

	size_t frame = SKIPPABLE + n + EBB_PACK_FORMAT_FOOTER;
	put_frame(p, INDEX_FRAME, frame - SKIPPABLE);
	uint8_t *f = p + SKIPPABLE + n;
	memcpy(f, FOOTER_MAGIC, 8);
	ebb_le_put32(f + 8, (uint32_t)frame);
	ebb_le_put32(f + 12, (uint32_t)rows->len);
	ebb_le_put32(f + 16, members);
	ebb_le_put32(f + 20, sum(p + SKIPPABLE, n));
	ebb_le_put32(f + 24, 0);
	ebb_le_put32(f + 28, sum(f, 28));
	out->len = begin + frame;
	return 0;
}

int ebb_pack_format_get_footer(const uint8_t *p, struct ebb_pack_format_footer *ret,
			       struct ebb_err *err)
{
	struct ebb_pack_format_footer f = {
		.frame = ebb_le_get32(p + 8), .raw = ebb_le_get32(p + 12),
		.members = ebb_le_get32(p + 16),
	};
	int64_t coded = f.frame - SKIPPABLE - EBB_PACK_FORMAT_FOOTER;

	if (memcmp(p, FOOTER_MAGIC, 8) != 0 || ebb_le_get32(p + 28) != sum(p, 28))
		return ebb_err_set(err, EBB_ECORRUPT, "pack: the index is missing or damaged");
	if (coded <= 0 || f.raw > (int64_t)EBB_PACK_INDEX_MAX || f.raw > coded * SHRINKS_MAX ||
	    f.members > EBB_PACK_MEMBERS_MAX)
		return ebb_err_set(err, EBB_ECORRUPT, "pack: the index is larger than one can be");
	*ret = f;
	return 0;
}

int ebb_pack_format_get_index(const uint8_t *p, const struct ebb_pack_format_footer *f, char **ret,
			      struct ebb_err *err)
{
	size_t coded = (size_t)f->frame - SKIPPABLE - EBB_PACK_FORMAT_FOOTER;
	const uint8_t *foot = p + SKIPPABLE + coded;
	EBB_CLEANUP(ebb_mem_freep) char *rows = malloc((size_t)f->raw + 1);

	if (!rows)
		return ebb_err_set(err, EBB_ENOMEM, "pack: no memory for the index");
	if (ebb_le_get32(p) != INDEX_FRAME || ebb_le_get32(p + 4) != (uint64_t)f->frame - SKIPPABLE ||
	    ebb_le_get32(foot + 20) != sum(p + SKIPPABLE, coded))
		return ebb_err_set(err, EBB_ECORRUPT, "pack: the index is damaged");
	size_t n = ZSTD_decompress(rows, (size_t)f->raw, p + SKIPPABLE, coded);
	if (ZSTD_isError(n) || n != (size_t)f->raw)
		return ebb_err_set(err, EBB_ECORRUPT, "pack: the index does not decode");
	rows[n] = 0;
	*ret = rows;
	rows = NULL;
	return 0;
}

int ebb_pack_format_put_seek(struct ebb_buf *seeks, uint32_t coded, uint32_t raw)
{
	uint8_t p[SEEK];

	ebb_le_put32(p, coded);
	ebb_le_put32(p + 4, raw);
	return ebb_buf_add(seeks, p, sizeof(p));
}

int ebb_pack_format_put_seeks(struct ebb_buf *out, const struct ebb_buf *seeks)
{
	uint8_t head[SKIPPABLE], foot[EBB_PACK_FORMAT_SEEKS_FOOTER];
	int r = ebb_buf_reserve(out, sizeof(head) + seeks->len + sizeof(foot));

	put_frame(head, SEEKS_FRAME, seeks->len + sizeof(foot));
	ebb_le_put32(foot, (uint32_t)(seeks->len / SEEK));
	foot[4] = 0; /* no checksums: every frame has its own */
	ebb_le_put32(foot + 5, SEEKS_MAGIC);
	if (r == 0)
		r = ebb_buf_add(out, head, sizeof(head));
	if (r == 0 && seeks->len)
		r = ebb_buf_add(out, seeks->data, seeks->len);
	return r == 0 ? ebb_buf_add(out, foot, sizeof(foot)) : r;
}

int64_t ebb_pack_format_get_seeks(const uint8_t *p, struct ebb_err *err)
{
	if (ebb_le_get32(p + 5) != SEEKS_MAGIC || p[4] != 0)
		return ebb_err_set(err, EBB_ECORRUPT, "pack: the footer is missing or damaged");
	return SKIPPABLE + (int64_t)SEEK * ebb_le_get32(p) + EBB_PACK_FORMAT_SEEKS_FOOTER;
}
