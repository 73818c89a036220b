/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arbitrary bytes as a pack: its index, its members, and what recovery finds. Names that are told lead
 * nowhere else, sizes are what came, and what recovery calls intact can be read.
 *
 * The same bytes as one tar entry within a frame, which mutations of frames hardly reach.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "compress/pack_read.h"
#include "compress/pack_recover.h"
#include "core/buf.h"

#define LIMIT ((int64_t)64 << 20) /* bytes of a member's content; holes cost nothing to claim */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct object {
	const uint8_t *p;
	size_t len;
};

static int64_t object_read(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	const struct object *o = ctx;
	size_t left;

	(void)err;
	if (off < 0)
		abort();
	left = (uint64_t)off < o->len ? o->len - (size_t)off : 0;
	len = len < left ? len : left;
	if (len)
		memcpy(buf, o->p + off, len);
	return (int64_t)len;
}

struct came {
	int64_t size, at;
};

static int on_begin(void *ctx, const struct ebb_pack_entry *e, struct ebb_err *err)
{
	struct came *c = ctx;

	if (!ebb_pack_key_ok(e->key) || e->size < 0)
		abort();
	c->size = e->size;
	return e->size > LIMIT ? ebb_err_set(err, EBB_ELIMIT, "large") : 0;
}

static int on_data(void *ctx, const void *p, size_t len, struct ebb_err *err)
{
	(void)p;
	(void)err;
	((struct came *)ctx)->at += (int64_t)len;
	return 0;
}

static int read_member(struct object *o, const struct ebb_pack_member *m, const uint8_t *digest)
{
	struct came c = {0, 0};
	const struct ebb_pack_sink s = {.begin = on_begin, .data = on_data, .ctx = &c};
	int r = ebb_pack_read_member(object_read, o, m, digest, &s, NULL);

	if (r == 0 && c.at != c.size)
		abort();
	return r;
}

static int on_member(void *ctx, const struct ebb_pack_member *m, bool intact, struct ebb_err *err)
{
	(void)err;
	if (!ebb_pack_key_ok(m->key))
		abort();
	int r = m->size > LIMIT ? -EBB_ELIMIT : read_member(ctx, m, m->digest);
	if ((r == 0) != intact && r != -EBB_ELIMIT)
		abort();
	return 0;
}

static void check_pack(const uint8_t *p, size_t len)
{
	struct object o = {p, len};
	struct ebb_pack_index x = {0};
	struct ebb_pack_recovered got;
	bool large = false;

	if (ebb_pack_read_index(object_read, &o, (int64_t)len, &x, NULL) == 0) {
		for (size_t i = 0; i < x.n; i++)
			large |= x.members[i].size > LIMIT;
		ebb_pack_read_release(&x);
	}
	if (!large)
		ebb_pack_recover(object_read, &o, (int64_t)len, on_member, &o, &got, NULL);
}

static void check_tar(const uint8_t *p, size_t len)
{
	static uint8_t coded[1 << 17];
	size_t n = len < 100000 ? ZSTD_compress(coded, sizeof(coded), p, len, 1) : 0;
	struct object o = {coded, n};
	const struct ebb_pack_member m = {.coded = (int64_t)n, .raw = (int64_t)len, .size = -1};

	if (n && !ZSTD_isError(n))
		read_member(&o, &m, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_pack(data, size);
	check_tar(data, size);
	return 0;
}
