/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/pack_recover.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "compress/digest.h"
#include "compress/pack_format.h"
#include "compress/pack_read.h"
#include "core/arena.h"
#include "core/le.h"

#define WINDOW ((size_t)1 << 20)	/* searched for markers at a time */
#define GAP_MAX ((int64_t)64 << 20)	/* of a stretch without markers, looked at for frames */

/* A recovery without an index. */
struct search {
	ebb_range_fn *read;
	void *ctx;
	int64_t size;
	struct ebb_arena keys;
	struct ebb_pack_member *found;	/* in the order in which they lie */
	size_t n, room;
	int64_t from;			/* end of the last marker */
	int64_t lost;
};

static void search_release(struct search *s)
{
	ebb_arena_release(&s->keys);
	free(s->found);
}

/* Damage is what is looked for; everything else stops. */
static bool is_damage(int r)
{
	return r == -EBB_ECORRUPT || r == -EBB_ECHANGED;
}

/* What a member says of itself, as it is read. */
struct told {
	struct search *s;
	struct ebb_pack_member *m;
	struct ebb_digest digest;
};

static int told_begin(void *ctx, const struct ebb_pack_entry *e, struct ebb_err *err)
{
	struct told *t = ctx;

	t->m->key = ebb_arena_strdup(&t->s->keys, e->key);
	t->m->size = e->size;
	t->m->mtime = e->mtime;
	return t->m->key ? 0 : ebb_err_set(err, EBB_ENOMEM, "pack: no memory");
}

static int told_data(void *ctx, const void *p, size_t len, struct ebb_err *err)
{
	struct told *t = ctx;

	(void)err;
	ebb_digest_update(&t->digest, p, len);
	return 0;
}

static void told_release(struct told *t)
{
	ebb_digest_release(&t->digest);
}

static int append(struct search *s, const struct ebb_pack_member *m, struct ebb_err *err)
{
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 1024;
		void *p = realloc(s->found, room * sizeof(*s->found));

		if (!p)
			return ebb_err_set(err, EBB_ENOMEM, "pack: no memory");
		s->found = p;
		s->room = room;
	}
	s->found[s->n++] = *m;
	return 0;
}

/* Is @m (offset and coded are set) intact? Then it is kept, in place of what it encloses; else it is lost. */
static int keep(struct search *s, struct ebb_pack_member *m, const uint8_t *digest,
		struct ebb_err *err)
{
	EBB_CLEANUP(told_release) struct told t = {.s = s, .m = m};
	const struct ebb_pack_sink sink = {.begin = told_begin, .data = told_data, .ctx = &t};
	struct ebb_pack_member ask = *m;
	struct ebb_err why = {0};
	int r = ebb_digest_init(&t.digest, &ebb_digest_xxh128, &why);

	ask.key = NULL;
	ask.size = -1;
	if (r == 0)
		r = ebb_pack_read_member(s->read, s->ctx, &ask, digest, &sink, &why);
	if (r == -EBB_ENOENT)
		return 0; /* the end of the tar */
	if (is_damage(r)) {
		s->lost++;
		return 0;
	}
	if (r == 0)
		r = ebb_digest_final(&t.digest, m->digest, &why);
	if (r < 0)
		return ebb_err_set(err, -r, "%s", why.msg);
	while (s->n && s->found[s->n - 1].offset >= m->offset)
		s->n--;
	return append(s, m, err);
}

/* RFC 8878, 3.1.2 */
static bool is_skippable(const uint8_t *p, size_t len)
{
	return len >= 4 && (ebb_le_get32(p) & 0xfffffff0) == 0x184d2a50;
}

/*
 * From where the last marker ended to @end none fits: perhaps it is the marker that is damaged. A member
 * is then whatever whole frames stand at the beginning.
 */
static int look_in_gap(struct search *s, int64_t end, struct ebb_err *err)
{
	int64_t len = end - s->from < GAP_MAX ? end - s->from : GAP_MAX;
	struct ebb_pack_member m = {.offset = s->from, .raw = -1};
	size_t at = 0;

	if (len <= 0)
		return 0;
	EBB_CLEANUP(ebb_mem_freep) uint8_t *p = malloc((size_t)len);
	if (!p)
		return ebb_err_set(err, EBB_ENOMEM, "pack: no memory");
	int r = ebb_range_read(s->read, s->ctx, s->from, p, (size_t)len, err);
	if (r < 0)
		return r;
	while (at < (size_t)len && !is_skippable(p + at, (size_t)len - at)) {
		size_t n = ZSTD_findFrameCompressedSize(p + at, (size_t)len - at);

		if (ZSTD_isError(n))
			break;
		at += n;
	}
	m.coded = (int64_t)at;
	if (at)
		return keep(s, &m, NULL, err);
	s->lost += !is_skippable(p, (size_t)len);
	return 0;
}

/* A marker fits its place. */
static int on_marker(struct search *s, const struct ebb_pack_format_marker *k, struct ebb_err *err)
{
	struct ebb_pack_member m = {.offset = k->at - k->coded, .coded = k->coded, .raw = k->raw};
	int r = look_in_gap(s, m.offset, err);

	if (r == 0)
		r = keep(s, &m, k->digest, err);
	s->from = k->at + EBB_PACK_FORMAT_MARKER;
	return r;
}

/* Markers in the @len bytes that stand at @off. */
static int search_window(struct search *s, const uint8_t *p, size_t len, int64_t off,
			 struct ebb_err *err)
{
	size_t i = 0;
	int r = 0;

	while (r == 0 && i + EBB_PACK_FORMAT_MARKER <= len) {
		struct ebb_pack_format_marker k;
		const uint8_t *next = memchr(p + i, 0x5b, len - i); /* first byte of a marker */

		if (!next)
			break;
		i = (size_t)(next - p);
		if (i + EBB_PACK_FORMAT_MARKER <= len &&
		    ebb_pack_format_get_marker(next, off + (int64_t)i, &k))
			r = on_marker(s, &k, err);
		i++;
	}
	return r;
}

static int search_all(struct search *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) uint8_t *p = malloc(WINDOW);
	const int64_t step = (int64_t)WINDOW - EBB_PACK_FORMAT_MARKER + 1;
	int r = p ? 0 : ebb_err_set(err, EBB_ENOMEM, "pack: no memory");

	/* Windows overlap by all but one byte of a marker, so none is seen twice or missed. */
	for (int64_t off = 0; r == 0 && off < s->size; off += step) {
		size_t len = s->size - off < (int64_t)WINDOW ? (size_t)(s->size - off) : WINDOW;

		r = ebb_range_read(s->read, s->ctx, off, p, len, err);
		if (r == 0)
			r = search_window(s, p, len, off, err);
	}
	return r == 0 ? look_in_gap(s, s->size, err) : r;
}

static int by_index(ebb_range_fn *read, void *ctx, const struct ebb_pack_index *x,
		    ebb_pack_recover_fn *fn, void *fn_ctx, struct ebb_pack_recovered *ret,
		    struct ebb_err *err)
{
	for (size_t i = 0; i < x->n; i++) {
		const struct ebb_pack_member *m = &x->members[i];
		struct ebb_err why = {0};
		int r = ebb_pack_read_member(read, ctx, m, m->digest, NULL, &why);
		bool intact = r == 0;

		if (r < 0 && !is_damage(r))
			return ebb_err_set(err, -r, "%s", why.msg);
		ret->intact += intact;
		ret->lost += !intact;
		if ((r = fn(fn_ctx, m, intact, err)) < 0)
			return r;
	}
	return 0;
}

static int by_search(ebb_range_fn *read, void *ctx, int64_t size, ebb_pack_recover_fn *fn, void *fn_ctx,
		     struct ebb_pack_recovered *ret, struct ebb_err *err)
{
	EBB_CLEANUP(search_release) struct search s = {.read = read, .ctx = ctx, .size = size};

	ebb_arena_init(&s.keys, SIZE_MAX);
	int r = search_all(&s, err);
	for (size_t i = 0; r == 0 && i < s.n; i++)
		r = fn(fn_ctx, &s.found[i], true, err);
	ret->intact = (int64_t)s.n;
	ret->lost = s.lost;
	return r;
}

int ebb_pack_recover(ebb_range_fn *read, void *ctx, int64_t size, ebb_pack_recover_fn *fn, void *fn_ctx,
		     struct ebb_pack_recovered *ret, struct ebb_err *err)
{
	struct ebb_pack_recovered got = {0};
	struct ebb_pack_index x = {0};
	struct ebb_err why = {0};
	int r = ebb_pack_read_index(read, ctx, size, &x, &why);

	got.indexed = r == 0;
	if (r < 0 && !is_damage(r))
		return ebb_err_set(err, -r, "%s", why.msg);
	if (r == 0)
		r = by_index(read, ctx, &x, fn, fn_ctx, &got, err);
	else
		r = by_search(read, ctx, size, fn, fn_ctx, &got, err);
	ebb_pack_read_release(&x);
	if (r == 0)
		*ret = got;
	return r;
}
