/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/etag.h"

#include "core/mem.h"

#define MIB (INT64_C(1) << 20)

int ebb_etag_init(struct ebb_etag *e, int64_t part_size, struct ebb_err *err)
{
	*e = (struct ebb_etag){.part_size = part_size, .left = part_size};
	int rc = ebb_digest_init(&e->part, &ebb_digest_md5, err);

	if (rc == 0)
		rc = ebb_digest_init(&e->all, &ebb_digest_md5, err);
	if (rc < 0)
		ebb_etag_release(e);
	return rc;
}

void ebb_etag_release(struct ebb_etag *e)
{
	ebb_digest_release(&e->part);
	ebb_digest_release(&e->all);
}

static int end_part(struct ebb_etag *e, struct ebb_err *err)
{
	uint8_t md5[EBB_ETAG_LEN];
	int rc = ebb_digest_final(&e->part, md5, err);

	if (rc < 0) {
		e->all.failed = rc; /* told by final */
		return rc;
	}
	ebb_digest_update(&e->all, md5, sizeof(md5));
	ebb_digest_clear(&e->part);
	e->left = e->part_size;
	e->parts++;
	return 0;
}

void ebb_etag_update(struct ebb_etag *e, const void *p, size_t len)
{
	const uint8_t *at = p;

	for (size_t n; len > 0; at += n, len -= n) {
		n = e->part_size && (int64_t)len > e->left ? (size_t)e->left : len;
		ebb_digest_update(&e->part, at, n);
		e->left -= (int64_t)n;
		if (e->part_size && e->left == 0)
			end_part(e, NULL);
	}
}

int ebb_etag_final(struct ebb_etag *e, uint8_t *ret, struct ebb_err *err)
{
	int rc = 0;

	if (!e->part_size)
		return ebb_digest_final(&e->part, ret, err);
	if (e->left < e->part_size || e->parts == 0)
		rc = end_part(e, err);
	return rc < 0 ? rc : ebb_digest_final(&e->all, ret, err);
}

static void add_size(int64_t size, int64_t parts, int64_t part, int64_t ret[EBB_ETAG_SIZES], size_t *n)
{
	if (part <= 0 || (size + part - 1) / part != parts)
		return;
	for (size_t i = 0; i < *n; i++)
		if (ret[i] == part)
			return;
	if (*n < EBB_ETAG_SIZES)
		ret[(*n)++] = part;
}

size_t ebb_etag_part_sizes(int64_t size, int64_t parts, int64_t ret[EBB_ETAG_SIZES])
{
	static const int64_t common[] = {8, 16, 5, 64, 15, 10, 32, 100, 128, 256, 512};
	size_t n = 0;

	if (parts == 0) {
		ret[0] = 0;
		return 1;
	}
	if (size <= 0 || parts < 1 || size > INT64_MAX - 1024 * MIB)
		return 0;
	if (parts == 1) { /* whatever the size of a part would be */
		ret[0] = size;
		return 1;
	}
	for (size_t i = 0; i < EBB_ARRAY_LEN(common); i++)
		add_size(size, parts, common[i] * MIB, ret, &n);
	add_size(size, parts, ((size + parts - 1) / parts + MIB - 1) / MIB * MIB, ret, &n);
	return n;
}
