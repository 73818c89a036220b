/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/pack_read.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "compress/digest.h"
#include "compress/pack_format.h"
#include "compress/pack_tar.h"

#define WINDOW_LOG 23	/* 8 MiB; ours need EBB_PACK_CHUNK at most */
#define TAIL ((int64_t)256 * 1024)
#define OUT ((size_t)128 * 1024)

void ebb_pack_read_release(struct ebb_pack_index *x)
{
	free(x->members);
	free(x->rows);
	*x = (struct ebb_pack_index){0};
}

static int corrupt(struct ebb_err *err, const char *what)
{
	return ebb_err_set(err, EBB_ECORRUPT, "pack: %s", what);
}

/* The end of an object, from `at` on; more of it is read when needed. */
struct tail {
	ebb_range_fn *read;
	void *ctx;
	int64_t size, at;
	uint8_t *p;
};

/* Have the last @len bytes; a pointer to their first one, or NULL. */
static int tail_want(struct tail *t, int64_t len, const uint8_t **ret, struct ebb_err *err)
{
	if (len > t->size)
		return corrupt(err, "shorter than its index");
	if (t->size - t->at < len) {
		free(t->p);
		t->p = malloc((size_t)len);
		t->at = t->size - len;
		if (!t->p)
			return ebb_err_set(err, EBB_ENOMEM, "pack: no memory for the index");
		int r = ebb_range_read(t->read, t->ctx, t->at, t->p, (size_t)len, err);
		if (r < 0)
			return r;
	}
	*ret = t->p + (t->size - len - t->at);
	return 0;
}

/* Rows become members, none of which may lie over another or reach beyond @end. */
static int read_rows(struct ebb_pack_index *x, const struct ebb_pack_format_footer *f, int64_t end,
		     struct ebb_err *err)
{
	size_t at = 0;
	int64_t from = 0;

	/* Every row takes more bytes than this, so the count is held to what is there. */
	if ((int64_t)f->members * 60 > f->raw)
		return corrupt(err, "the index has fewer rows than it says");
	x->members = calloc((size_t)f->members + 1, sizeof(*x->members));
	if (!x->members)
		return ebb_err_set(err, EBB_ENOMEM, "pack: no memory for the index");
	for (uint32_t i = 0; i < f->members; i++) {
		struct ebb_pack_member *m = &x->members[i];
		int r = ebb_pack_format_get_row(x->rows, (size_t)f->raw, &at, m, err);

		if (r < 0)
			return r;
		if (m->offset < from || m->coded > end - m->offset || m->size > EBB_PACK_SIZE_MAX)
			return corrupt(err, "the index places a member where none can be");
		from = m->offset + m->coded;
	}
	x->n = f->members;
	return at == (size_t)f->raw ? 0 : corrupt(err, "the index has more rows than it says");
}

static int read_index(struct tail *t, struct ebb_pack_index *x, struct ebb_err *err)
{
	struct ebb_pack_format_footer f;
	const uint8_t *p;
	int r;

	if (t->size < EBB_PACK_FORMAT_SEEKS_FOOTER)
		return corrupt(err, "too short");
	if ((r = tail_want(t, t->size < TAIL ? t->size : TAIL, &p, err)) < 0 ||
	    (r = tail_want(t, EBB_PACK_FORMAT_SEEKS_FOOTER, &p, err)) < 0)
		return r;
	int64_t seeks = ebb_pack_format_get_seeks(p, err);
	if (seeks < 0)
		return (int)seeks;
	if ((r = tail_want(t, seeks + EBB_PACK_FORMAT_FOOTER, &p, err)) < 0 ||
	    (r = ebb_pack_format_get_footer(p, &f, err)) < 0 ||
	    (r = tail_want(t, seeks + f.frame, &p, err)) < 0 ||
	    (r = ebb_pack_format_get_index(p, &f, &x->rows, err)) < 0)
		return r;
	return read_rows(x, &f, t->size - seeks - f.frame, err);
}

int ebb_pack_read_index(ebb_range_fn *read, void *ctx, int64_t size, struct ebb_pack_index *ret,
			struct ebb_err *err)
{
	struct tail t = {.read = read, .ctx = ctx, .size = size, .at = size};
	struct ebb_pack_index x = {0};
	int r = read_index(&t, &x, err);

	free(t.p);
	if (r < 0)
		ebb_pack_read_release(&x);
	else
		*ret = x;
	return r;
}

const struct ebb_pack_member *ebb_pack_read_find(const struct ebb_pack_index *x, const char *key)
{
	for (size_t i = 0; i < x->n; i++) {
		if (strcmp(x->members[i].key, key) == 0)
			return &x->members[i];
	}
	return NULL;
}

/* --- A member ----------------------------------------------------------------------------------------- */

/* From ranges through zstd to libarchive, and on to the sink. */
struct reading {
	ebb_range_fn *read;
	void *ctx;
	const struct ebb_pack_member *m;
	const struct ebb_pack_sink *sink;
	ZSTD_DCtx *zstd;
	struct archive *tar;
	uint8_t *coded, *out;
	int64_t coded_at;	/* bytes of the member read so far */
	ZSTD_inBuffer in;
	bool within;		/* amid a frame */
	int64_t raw;		/* bytes decoded so far */
	int64_t at;		/* bytes of content so far */
	struct ebb_digest digest;
	struct ebb_err err;	/* of what libarchive called */
};

static void reading_release(struct reading *r)
{
	archive_read_free(r->tar);
	ZSTD_freeDCtx(r->zstd);
	ebb_digest_release(&r->digest);
	free(r->coded);
	free(r->out);
}

/* The next frames. 1; 0 at the end of the member. */
static int read_coded(struct reading *r, struct ebb_err *err)
{
	int64_t left = r->m->coded - r->coded_at;
	size_t n = (size_t)(left < EBB_PACK_READ ? left : EBB_PACK_READ);

	if (left == 0)
		return 0;
	int e = ebb_range_read(r->read, r->ctx, r->m->offset + r->coded_at, r->coded, n, err);
	if (e < 0)
		return e;
	r->coded_at += (int64_t)n;
	r->in = (ZSTD_inBuffer){r->coded, n, 0};
	return 1;
}

/* Bytes of tar into r->out; 0 at the end. */
static int64_t decode(struct reading *r, struct ebb_err *err)
{
	ZSTD_outBuffer out = {r->out, OUT, 0};

	while (out.pos < out.size) {
		int e = r->in.pos < r->in.size ? 1 : read_coded(r, err);

		if (e < 0)
			return e;
		if (e == 0 && !r->within)
			break;
		size_t before = out.pos;
		size_t z = ZSTD_decompressStream(r->zstd, &out, &r->in);
		if (ZSTD_isError(z) || (e == 0 && out.pos == before))
			return corrupt(err, "a member is damaged");
		r->within = z != 0;
	}
	r->raw += (int64_t)out.pos;
	if (r->m->raw >= 0 && r->raw > r->m->raw)
		return corrupt(err, "a member decodes to more than the index says");
	return (int64_t)out.pos;
}

static la_ssize_t on_read(struct archive *a, void *ctx, const void **ret)
{
	struct reading *r = ctx;
	int64_t n = r->err.code ? -1 : decode(r, &r->err);

	if (n < 0)
		archive_set_error(a, -1, "the member cannot be read");
	*ret = r->out;
	return (la_ssize_t)(n < 0 ? -1 : n);
}

static int failed(struct reading *r, struct ebb_err *err)
{
	const char *says = archive_error_string(r->tar);

	if (r->err.code)
		return ebb_err_set(err, r->err.code, "%s", r->err.msg);
	return ebb_err_set(err, EBB_ECORRUPT, "pack: a member is no tar entry: %s",
			   says ? says : "it ends early");
}

static int give(struct reading *r, const void *p, size_t len, struct ebb_err *err)
{
	ebb_digest_update(&r->digest, p, len);
	r->at += (int64_t)len;
	return r->sink->data && len ? r->sink->data(r->sink->ctx, p, len, err) : 0;
}

static int give_hole(struct reading *r, int64_t len, struct ebb_err *err)
{
	static const uint8_t zeros[64 * 1024];
	int e = 0;

	if (r->sink->hole && (e = r->sink->hole(r->sink->ctx, len, err)) < 0)
		return e;
	while (e == 0 && len > 0) {
		size_t n = len < (int64_t)sizeof(zeros) ? (size_t)len : sizeof(zeros);

		ebb_digest_update(&r->digest, zeros, n);
		r->at += (int64_t)n;
		len -= (int64_t)n;
		if (!r->sink->hole && r->sink->data)
			e = r->sink->data(r->sink->ctx, zeros, n, err);
	}
	return e;
}

static int read_content(struct reading *r, int64_t size, struct ebb_err *err)
{
	const void *p;
	size_t len;
	int64_t off;
	int a;

	while ((a = archive_read_data_block(r->tar, &p, &len, &off)) == ARCHIVE_OK) {
		if (off < r->at || off > size || (int64_t)len > size - off)
			return corrupt(err, "a member's data overlaps, or is more than its size");
		int e = off > r->at ? give_hole(r, off - r->at, err) : 0;
		if (e == 0)
			e = give(r, p, len, err);
		if (e < 0)
			return e;
	}
	if (a != ARCHIVE_EOF)
		return failed(r, err);
	return r->at < size ? give_hole(r, size - r->at, err) : 0;
}

/* The one entry of the member. */
static int read_entry(struct reading *r, struct ebb_err *err)
{
	struct ebb_pack_tar_owned o = {0};
	struct archive_entry *e = NULL;

	int a = archive_read_next_header(r->tar, &e);
	if (a == ARCHIVE_EOF && !r->m->key && !r->err.code)
		return ebb_err_set(err, EBB_ENOENT, "pack: no member, but the end of the tar");
	if (a != ARCHIVE_OK)
		return failed(r, err);
	int x = ebb_pack_tar_get(e, &o, err);
	if (x == 0 && r->m->key && strcmp(o.entry.key, r->m->key) != 0)
		x = corrupt(err, "a member has another name than the index says");
	if (x == 0 && (o.entry.size > EBB_PACK_SIZE_MAX ||
		       (r->m->size >= 0 && o.entry.size != r->m->size)))
		x = corrupt(err, "a member has another size than the index says");
	if (x == 0 && r->sink->begin)
		x = r->sink->begin(r->sink->ctx, &o.entry, err);
	if (x == 0)
		x = read_content(r, o.entry.size, err);
	ebb_pack_tar_release(&o);
	if (x < 0)
		return x;
	if (archive_read_next_header(r->tar, &e) != ARCHIVE_EOF)
		return r->err.code ? failed(r, err) : corrupt(err, "a member is more than one tar entry");
	return 0;
}

static int finish(struct reading *r, const uint8_t *digest, struct ebb_err *err)
{
	uint8_t is[EBB_DIGEST_LEN];
	int64_t n;

	while ((n = decode(r, err)) > 0)
		; /* what libarchive did not ask for */
	int e = n < 0 ? (int)n : ebb_digest_final(&r->digest, is, err);
	if (e < 0)
		return e;
	if (r->m->raw >= 0 && r->raw != r->m->raw)
		return corrupt(err, "a member decodes to less than the index says");
	if (digest && memcmp(is, digest, sizeof(is)) != 0)
		return corrupt(err, "a member's content has another digest than the index says");
	return 0;
}

static int reading_open(struct reading *r, struct ebb_err *err)
{
	size_t room = (size_t)(r->m->coded < EBB_PACK_READ ? r->m->coded : EBB_PACK_READ);

	r->coded = malloc(room);
	r->out = malloc(OUT);
	r->zstd = ZSTD_createDCtx();
	r->tar = archive_read_new();
	if (!r->coded || !r->out || !r->zstd || !r->tar ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, WINDOW_LOG)) ||
	    archive_read_support_format_tar(r->tar) != ARCHIVE_OK ||
	    ebb_digest_init(&r->digest, &ebb_digest_xxh128, NULL) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "pack: no memory");
	return archive_read_open(r->tar, r, NULL, on_read, NULL) == ARCHIVE_OK ? 0 : failed(r, err);
}

int ebb_pack_read_member(ebb_range_fn *read, void *ctx, const struct ebb_pack_member *m,
			 const uint8_t *digest, const struct ebb_pack_sink *sink, struct ebb_err *err)
{
	static const struct ebb_pack_sink none;
	EBB_CLEANUP(reading_release) struct reading r = {
		.read = read, .ctx = ctx, .m = m, .sink = sink ? sink : &none,
	};
	struct ebb_pack_tar_locale l = ebb_pack_tar_enter();
	int e = reading_open(&r, err);

	if (e == 0)
		e = read_entry(&r, err);
	if (e == 0)
		e = finish(&r, digest, err);
	ebb_pack_tar_leave(&l);
	return e;
}
