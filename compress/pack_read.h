/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading packs. The index is read once, from the end; who has a member's row (from there, or from a
 * journal) reads the member with one range read, and no more than that.
 *
 * Packs are not believed. What a member decodes to is checked against its row to the last byte, names
 * that lead elsewhere and everything that is no plain file are refused, and frames that need windows
 * above 8 MiB or decode to more than the row says are bombs.
 *
 * Memory: the index; of a member READ bytes (8 MiB) of frames at most, 8 MiB of window, and
 * libarchive's.
 * Threads: plain functions over the caller's @read. They block where it does.
 */
#ifndef EBB_COMPRESS_PACK_READ_H
#define EBB_COMPRESS_PACK_READ_H

#include "compress/pack.h"
#include "compress/range.h"

/* Bytes of frames read at a time; members up to that are one read. */
#define EBB_PACK_READ ((int64_t)8 << 20)

struct ebb_pack_index {
	struct ebb_pack_member *members;	/* in the order in which they lie; owned */
	size_t n;
	char *rows;				/* what keys point into; owned */
};

void ebb_pack_read_release(struct ebb_pack_index *x);

/*
 * Read the index of a pack of @size bytes: one read where it and the seek table fit 256 KiB, else two or
 * three.
 *
 * @return  0 with *ret to be released; -EBB_ECORRUPT: damaged, missing (pack_recover.h helps then), or
 *          crafted; what @read returned; -EBB_ENOMEM.
 */
int ebb_pack_read_index(ebb_range_fn *read, void *ctx, int64_t size, struct ebb_pack_index *ret,
			struct ebb_err *err);

/* The first member of that key, or NULL. Lives as long as the index. Looks at all of them. */
const struct ebb_pack_member *ebb_pack_read_find(const struct ebb_pack_index *x, const char *key);

/* Where a member goes. Each may be NULL: then nothing is told. A negative return stops, and is passed on. */
struct ebb_pack_sink {
	int (*begin)(void *ctx, const struct ebb_pack_entry *e, struct ebb_err *err);	/* first, once */
	int (*data)(void *ctx, const void *p, size_t len, struct ebb_err *err);
	int (*hole)(void *ctx, int64_t len, struct ebb_err *err);	/* zeros; without: as data */
	void *ctx;
};

/*
 * Read member @m. With a @sink that does nothing (or NULL) it is verified only. Parts of @m may be
 * unknown, which recovery needs: key NULL, raw or size -1; its digest is not looked at.
 *
 * @digest  what the content must have; NULL: unknown.
 * @return  0: every byte was as @m says; -EBB_ECORRUPT: it was not, and what the sink got must not be
 *          used; -EBB_ENOENT: the key is unknown, and the end of the tar stands there; what @read or the sink returned; -EBB_ENOMEM.
 */
int ebb_pack_read_member(ebb_range_fn *read, void *ctx, const struct ebb_pack_member *m,
			 const uint8_t *digest, const struct ebb_pack_sink *sink,
			 struct ebb_err *err);

#endif
