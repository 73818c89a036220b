/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/pack_write.h"

#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "compress/digest.h"
#include "compress/pack_format.h"
#include "compress/pack_tar.h"
#include "core/utf8.h"

#define LEVEL_MAX 19

struct ebb_pack_writer {
	ebb_pipe_write_fn *sink;
	void *ctx;
	int64_t size;			/* bytes given to the sink */
	ZSTD_CCtx *zstd;
	struct archive *tar;
	struct archive_entry *entry;
	uint8_t *chunk, *coded;		/* EBB_PACK_CHUNK of tar, and what it compresses to */
	size_t chunk_len;
	struct ebb_digest digest;	/* of the member's content */
	struct ebb_pack_member member;	/* that is being written */
	int64_t left;			/* bytes of its content to come */
	struct ebb_buf rows, seeks;	/* of the index and the seek table */
	uint32_t members;
	struct ebb_err err;		/* of the sink, through libarchive */
};

void ebb_pack_write_free(struct ebb_pack_writer *w)
{
	if (!w)
		return;
	/* Unless finished, libarchive would still write the end of the tar. */
	if (w->tar && !w->err.code)
		ebb_err_set(&w->err, EBB_ECANCELLED, "given up");
	archive_write_free(w->tar);
	archive_entry_free(w->entry);
	ZSTD_freeCCtx(w->zstd);
	ebb_digest_release(&w->digest);
	ebb_buf_release(&w->rows);
	ebb_buf_release(&w->seeks);
	free(w->chunk);
	free(w->coded);
	free(w);
}

static int give(struct ebb_pack_writer *w, const void *p, size_t len, struct ebb_err *err)
{
	int r = w->sink(w->ctx, p, len, err);

	if (r == 0)
		w->size += (int64_t)len;
	return r;
}

/* What was collected becomes a frame. */
static int end_frame(struct ebb_pack_writer *w, struct ebb_err *err)
{
	if (!w->chunk_len)
		return 0;
	size_t n = ZSTD_compress2(w->zstd, w->coded, ZSTD_compressBound(EBB_PACK_CHUNK), w->chunk,
				  w->chunk_len);
	if (ZSTD_isError(n))
		return ebb_err_set(err, EBB_ENOMEM, "pack: %s", ZSTD_getErrorName(n));
	if (ebb_pack_format_put_seek(&w->seeks, (uint32_t)n, (uint32_t)w->chunk_len) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "pack: no memory");
	w->member.raw += (int64_t)w->chunk_len;
	w->chunk_len = 0;
	return give(w, w->coded, n, err);
}

/* Tar comes from libarchive. */
static la_ssize_t on_tar(struct archive *a, void *ctx, const void *p, size_t len)
{
	struct ebb_pack_writer *w = ctx;
	const uint8_t *from = p;

	for (size_t left = len; left;) {
		size_t n = EBB_PACK_CHUNK - w->chunk_len;

		if (w->err.code || (n == 0 && end_frame(w, &w->err) < 0)) {
			archive_set_error(a, -1, "the sink failed");
			return -1;
		}
		n = n < left ? n : left;
		memcpy(w->chunk + w->chunk_len, from, n);
		w->chunk_len += n;
		from += n;
		left -= n;
	}
	return (la_ssize_t)len;
}

/* What libarchive says, or what the sink said through it. */
static int failed(struct ebb_pack_writer *w, struct ebb_err *err)
{
	if (w->err.code)
		return ebb_err_set(err, w->err.code, "%s", w->err.msg);
	return ebb_err_set(err, EBB_ENOTSUP, "pack: %s", archive_error_string(w->tar));
}

static bool open_tar(struct ebb_pack_writer *w)
{
	struct archive *a = archive_write_new();

	w->tar = a;
	w->entry = archive_entry_new();
	/* No blocks of 10 KiB: what belongs to a member must come before its end. */
	return a && w->entry && archive_write_set_format_pax(a) == ARCHIVE_OK &&
	       archive_write_set_options(a, "pax:xattrheader=SCHILY") == ARCHIVE_OK &&
	       archive_write_set_bytes_per_block(a, 0) == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(a, 1) == ARCHIVE_OK &&
	       archive_write_open(a, w, NULL, on_tar, NULL) == ARCHIVE_OK;
}

static bool open_zstd(struct ebb_pack_writer *w, int level)
{
	ZSTD_CCtx *z = w->zstd = ZSTD_createCCtx();

	return z && !ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, level)) &&
	       !ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1));
}

int ebb_pack_write_new(int level, ebb_pipe_write_fn *sink, void *ctx, struct ebb_pack_writer **ret,
		       struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pack_write_freep) struct ebb_pack_writer *w = calloc(1, sizeof(*w));

	if (level < 0 || level > LEVEL_MAX)
		return ebb_err_set(err, EBB_EINVAL, "packs have no level %d: say 1 to %d", level,
				   LEVEL_MAX);
	if (!w)
		return ebb_err_set(err, EBB_ENOMEM, "pack: no memory");
	w->sink = sink;
	w->ctx = ctx;
	w->left = -1;
	ebb_buf_init(&w->rows, EBB_PACK_INDEX_MAX);
	ebb_buf_init(&w->seeks, SIZE_MAX / 2);
	w->chunk = malloc(EBB_PACK_CHUNK);
	w->coded = malloc(ZSTD_compressBound(EBB_PACK_CHUNK));
	if (!w->chunk || !w->coded || !open_zstd(w, level ? level : 3) || !open_tar(w) ||
	    ebb_digest_init(&w->digest, &ebb_digest_xxh128, err) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "pack: no memory");
	*ret = w;
	w = NULL;
	return 0;
}

int ebb_pack_write_begin(struct ebb_pack_writer *w, const struct ebb_pack_entry *e,
			 struct ebb_err *err)
{
	int r = ebb_pack_tar_put(w->entry, e, err);

	if (r < 0)
		return r;
	if (e->size > EBB_PACK_SIZE_MAX)
		return ebb_err_set(err, EBB_ENOTSUP, "'%s' is too large for a pack", e->key);
	if (w->members == EBB_PACK_MEMBERS_MAX)
		return ebb_err_set(err, EBB_ELIMIT, "pack: more than %u members", EBB_PACK_MEMBERS_MAX);
	w->member = (struct ebb_pack_member){.key = e->key, .offset = w->size, .size = e->size,
					      .mtime = e->mtime};
	w->left = e->size;
	ebb_digest_clear(&w->digest);
	struct ebb_pack_tar_locale l = ebb_pack_tar_enter();
	r = archive_write_header(w->tar, w->entry);
	ebb_pack_tar_leave(&l);
	/*
	 * A warning would be a loss, except that names which are not UTF-8 are warned of: they go into the
	 * header as the bytes they are.
	 */
	bool named = r == ARCHIVE_WARN && !ebb_utf8_valid(e->key, strlen(e->key));
	return r == ARCHIVE_OK || named ? 0 : failed(w, err);
}

int ebb_pack_write_data(struct ebb_pack_writer *w, const void *p, size_t len, struct ebb_err *err)
{
	if ((int64_t)len > w->left)
		return ebb_err_set(err, EBB_EMISMATCH, "more bytes than the %" PRId64 " that were announced",
				   w->member.size);
	w->left -= (int64_t)len;
	ebb_digest_update(&w->digest, p, len);
	return archive_write_data(w->tar, p, len) == (la_ssize_t)len ? 0 : failed(w, err);
}

/* The member is complete: its marker, and its row. Its digest is known. */
static int record(struct ebb_pack_writer *w, struct ebb_err *err)
{
	struct ebb_pack_member *m = &w->member;
	struct ebb_pack_format_marker marker = {.at = w->size, .raw = m->raw};
	uint8_t p[EBB_PACK_FORMAT_MARKER];

	m->coded = marker.coded = w->size - m->offset;
	memcpy(marker.digest, m->digest, EBB_DIGEST_LEN);
	ebb_pack_format_put_marker(p, &marker);
	w->members++;
	if (ebb_pack_format_put_row(&w->rows, m) < 0 ||
	    ebb_pack_format_put_seek(&w->seeks, sizeof(p), 0) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "pack: no memory, or an index of more than %zu MiB",
				   EBB_PACK_INDEX_MAX >> 20);
	return give(w, p, sizeof(p), err);
}

int ebb_pack_write_end(struct ebb_pack_writer *w, struct ebb_pack_member *ret, struct ebb_err *err)
{
	if (w->left > 0)
		return ebb_err_set(err, EBB_EMISMATCH,
				   "fewer bytes than the %" PRId64 " that were announced",
				   w->member.size);
	w->left = -1;
	if (archive_write_finish_entry(w->tar) != ARCHIVE_OK)
		return failed(w, err);
	int r = end_frame(w, err);
	if (r == 0)
		r = ebb_digest_final(&w->digest, w->member.digest, err);
	if (r == 0)
		r = record(w, err);
	if (r == 0 && ret)
		*ret = w->member;
	return r;
}

/* Whole frames at the beginning of @len bytes go on; *ret_taken bytes are gone. */
static int copy_frames(struct ebb_pack_writer *w, const uint8_t *p, size_t len, size_t *ret_taken,
		       struct ebb_err *err)
{
	size_t at = 0;

	while (at < len) {
		size_t n = ZSTD_findFrameCompressedSize(p + at, len - at);
		unsigned long long raw;

		if (ZSTD_isError(n))
			break; /* the rest of it comes with the next piece, or never */
		raw = ZSTD_getFrameContentSize(p + at, n);
		if (raw == 0 || raw > EBB_PACK_CHUNK) /* what says no size says more */
			return ebb_err_set(err, EBB_ECORRUPT, "pack: a frame of '%s' is none of a pack", w->member.key);
		if (ebb_pack_format_put_seek(&w->seeks, (uint32_t)n, (uint32_t)raw) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "pack: no memory");
		w->member.raw += (int64_t)raw;
		at += n;
	}
	*ret_taken = at;
	return at ? give(w, p, at, err) : 0;
}

int ebb_pack_write_copy(struct ebb_pack_writer *w, const struct ebb_pack_member *m, ebb_range_fn *read,
			void *ctx, struct ebb_pack_member *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) uint8_t *p = malloc(2 * EBB_PACK_CHUNK);
	size_t have = 0, taken = 0;
	int64_t at = 0;
	int r = 0;

	if (!p)
		return ebb_err_set(err, EBB_ENOMEM, "pack: no memory");
	if (w->members == EBB_PACK_MEMBERS_MAX)
		return ebb_err_set(err, EBB_ELIMIT, "pack: more than %u members", EBB_PACK_MEMBERS_MAX);
	w->member = *m;
	w->member.offset = w->size;
	w->member.raw = 0;
	while (r == 0 && (at < m->coded || have)) {
		size_t room = 2 * EBB_PACK_CHUNK - have;
		size_t n = m->coded - at < (int64_t)room ? (size_t)(m->coded - at) : room;

		r = n ? ebb_range_read(read, ctx, m->offset + at, p + have, n, err) : 0;
		at += (int64_t)n;
		have += n;
		if (r == 0)
			r = copy_frames(w, p, have, &taken, err);
		if (r == 0 && taken == 0)
			r = ebb_err_set(err, EBB_ECORRUPT, "pack: the frames of '%s' are damaged", m->key);
		if (r < 0)
			break;
		have -= taken;
		memmove(p, p + taken, have);
	}
	if (r == 0 && w->member.raw != m->raw)
		r = ebb_err_set(err, EBB_ECORRUPT, "pack: '%s' is not what its index says", m->key);
	if (r == 0)
		r = record(w, err);
	if (r == 0 && ret)
		*ret = w->member;
	return r;
}

int ebb_pack_write_finish(struct ebb_pack_writer *w, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf tail = EBB_BUF_INIT(SIZE_MAX / 2);

	if (archive_write_close(w->tar) != ARCHIVE_OK)
		return failed(w, err);
	int r = end_frame(w, err);
	if (r == 0)
		r = ebb_pack_format_put_index(&tail, &w->rows, w->members, err);
	if (r == 0 && (ebb_pack_format_put_seek(&w->seeks, (uint32_t)tail.len, 0) < 0 ||
		       ebb_pack_format_put_seeks(&tail, &w->seeks) < 0))
		r = ebb_err_set(err, EBB_ENOMEM, "pack: no memory");
	return r < 0 ? r : give(w, tail.data, tail.len, err);
}

int64_t ebb_pack_write_size(const struct ebb_pack_writer *w)
{
	return w->size;
}
