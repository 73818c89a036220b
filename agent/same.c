/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/same.h"

#include <stdlib.h>
#include <string.h>

/* Bytes compared at a time. */
#define PIECE (256 * 1024)

/* Exactly @len bytes unless the object ends before. Returns how many. */
static int64_t read_full(struct ebb_store_reader *r, char *buf, size_t len, struct ebb_err *err)
{
	size_t done = 0;

	while (done < len) {
		int64_t n = ebb_store_read(r, buf + done, len - done, err);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

static int compare(const struct ebb_same *s, struct ebb_store_reader *a, struct ebb_store_reader *b,
		   struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *buf = malloc(2 * (size_t)PIECE);
	int64_t n = 1, m;

	if (!buf)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to compare");
	while (n > 0) {
		if (s->cancel && atomic_load(s->cancel))
			return ebb_err_set(err, EBB_ECANCELLED, "interrupted");
		n = read_full(a, buf, PIECE, err);
		m = n < 0 ? n : read_full(b, buf + PIECE, PIECE, err);
		if (n < 0 || m < 0)
			return (int)(n < 0 ? n : m);
		if (n != m || memcmp(buf, buf + PIECE, (size_t)n) != 0)
			return ebb_err_set(err, EBB_ENOTSUP, "is not the same as '%s'", s->b_rec->key);
	}
	return 0;
}

/* An object that others may link to while it is read is not held to its time of change. */
static int verify(struct ebb_store *s, struct ebb_store_reader *r, const struct ebb_record *rec,
		  struct ebb_err *err)
{
	return ebb_record_has(rec, EBB_F_CTIME) ? ebb_store_read_verify(r, err)
						 : ebb_store_check(s, rec->key, rec, err);
}

int ebb_same_bytes(const struct ebb_same *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *a = NULL;
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *b = NULL;
	int r = ebb_store_read_open(s->a, s->a_rec->key, s->a_rec, &a, err);

	if (r == 0)
		r = ebb_store_read_open(s->b, s->b_rec->key, s->b_rec, &b, err);
	if (r == 0)
		r = compare(s, a, b, err);
	if (r == 0)
		r = verify(s->a, a, s->a_rec, err);
	return r < 0 ? r : verify(s->b, b, s->b_rec, err);
}
