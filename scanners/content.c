/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/content.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "compress/digest.h"

/* Bytes read at a time: from the page cache larger pieces are as fast, smaller ones are not. */
#define PIECE (1024 * 1024)

/* Looking for holes costs two calls a piece of data; only objects that save this much are worth it. */
#define HOLES (1024 * 1024)

struct ebb_content {
	struct ebb_digest digest;
	struct ebb_store *store;	/* that the tour is in */
	struct ebb_store_tour tour;
	uint8_t *buf;
	uint8_t zero[64 * 1024];
};

struct ebb_content *ebb_content_new(void)
{
	struct ebb_content *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	ebb_store_tour_init(&c->tour);
	c->buf = malloc(PIECE);
	if (!c->buf || ebb_digest_init(&c->digest, &ebb_digest_xxh128, NULL) < 0) {
		ebb_content_free(c);
		return NULL;
	}
	return c;
}

void ebb_content_free(struct ebb_content *c)
{
	if (!c)
		return;
	ebb_store_tour_release(&c->tour);
	ebb_digest_release(&c->digest);
	free(c->buf);
	free(c);
}

static int open_next(struct ebb_content *c, struct ebb_store *s, const struct ebb_record *rec,
		     struct ebb_store_reader **ret, struct ebb_err *err)
{
	if (c->store != s)
		ebb_store_tour_release(&c->tour);
	c->store = s;
	ebb_digest_clear(&c->digest);
	return ebb_store_read_next(s, &c->tour, rec->key, rec, ret, err);
}

static void add_zeroes(struct ebb_content *c, int64_t n)
{
	for (int64_t k; n > 0; n -= k) {
		k = n < (int64_t)sizeof(c->zero) ? n : (int64_t)sizeof(c->zero);
		ebb_digest_update(&c->digest, c->zero, (size_t)k);
	}
}

/* Up to @len bytes into the digest. Returns how many there were. */
static int64_t add_bytes(struct ebb_content *c, struct ebb_store_reader *r, int64_t len,
			 struct ebb_err *err)
{
	int64_t done = 0, n = 1;

	while (done < len && n > 0) {
		int64_t want = len - done < PIECE ? len - done : PIECE;

		n = ebb_store_read(r, c->buf, (size_t)want, err);
		if (n < 0)
			return n;
		ebb_digest_update(&c->digest, c->buf, (size_t)n);
		done += n;
	}
	return done;
}

static int end(struct ebb_content *c, struct ebb_store_reader *r, const struct ebb_record *rec,
	       int64_t got, int64_t want, uint8_t *ret, struct ebb_err *err)
{
	int rc = ebb_store_read_verify(r, err);

	if (rc == 0 && got != want)
		rc = ebb_err_set(err, EBB_ECHANGED, "'%s' has changed: it ends before its size", rec->key);
	return rc < 0 ? rc : ebb_digest_final(&c->digest, ret, err);
}

static bool has_holes(const struct ebb_record *rec)
{
	return ebb_record_has(rec, EBB_F_ALLOC) &&
	       rec->f[EBB_F_ALLOC] < rec->f[EBB_F_SIZE] - HOLES;
}

/* The hole at the position, if there is one, as zeroes. Returns its length, at most what is left of the size. */
static int64_t add_hole(struct ebb_content *c, struct ebb_store_reader *r, int64_t left,
			struct ebb_err *err)
{
	int64_t hole = 0;
	int rc = ebb_store_read_hole(r, &hole, err);

	if (rc < 0)
		return rc;
	if (hole > left) /* it grew: verify will tell */
		hole = left;
	add_zeroes(c, hole);
	return hole;
}

int ebb_content_digest(struct ebb_content *c, struct ebb_store *s, const struct ebb_record *rec,
		       const _Atomic _Bool *cancel, uint8_t *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	int64_t size = rec->f[EBB_F_SIZE], done = 0, n = 1;
	bool holes = has_holes(rec);
	int rc = open_next(c, s, rec, &r, err);

	while (rc == 0 && done < size && n > 0) {
		if (cancel && atomic_load(cancel))
			return ebb_err_set(err, EBB_ECANCELLED, "interrupted");
		int64_t hole = holes ? add_hole(c, r, size - done, err) : 0;
		if (hole < 0)
			return (int)hole;
		done += hole;
		n = add_bytes(c, r, size - done < PIECE ? size - done : PIECE, err);
		if (n < 0)
			return (int)n;
		done += n;
	}
	return rc < 0 ? rc : end(c, r, rec, done, size, ret, err);
}

int ebb_content_sample(struct ebb_content *c, struct ebb_store *s, const struct ebb_record *rec,
		       uint8_t *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	int64_t size = rec->f[EBB_F_SIZE], got = 0;
	const int64_t at[] = {0, size / 2 - EBB_CONTENT_PIECE / 2, size - EBB_CONTENT_PIECE};
	int rc = open_next(c, s, rec, &r, err);

	for (size_t i = 0; rc == 0 && i < EBB_ARRAY_LEN(at); i++) {
		rc = at[i] ? ebb_store_read_seek(r, at[i], err) : 0;
		int64_t n = rc == 0 ? add_bytes(c, r, EBB_CONTENT_PIECE, err) : 0;
		if (n < 0)
			return (int)n;
		got += n;
	}
	return rc < 0 ? rc : end(c, r, rec, got, EBB_CONTENT_SAMPLE, ret, err);
}
