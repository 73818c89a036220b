/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/gunzip.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define IN_SIZE ((size_t)256 << 10)

struct ebb_gunzip {
	int fd;
	bool begun, plain, end;	/* end of the file */
	bool inside;		/* of a member */
	z_stream z;
	size_t have, pos;	/* in `in` */
	unsigned char in[IN_SIZE];
};

struct ebb_gunzip *ebb_gunzip_new(int fd)
{
	struct ebb_gunzip *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->fd = fd;
	if (inflateInit2(&g->z, 15 + 16) != Z_OK) { /* the largest window, and gzip's head */
		free(g);
		return NULL;
	}
	return g;
}

void ebb_gunzip_free(struct ebb_gunzip *g)
{
	if (!g)
		return;
	inflateEnd(&g->z);
	free(g);
}

/* More bytes behind those there are. */
static int fill(struct ebb_gunzip *g, struct ebb_err *err)
{
	ssize_t n;

	if (g->pos == g->have)
		g->pos = g->have = 0;
	do
		n = read(g->fd, g->in + g->have, IN_SIZE - g->have);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ebb_err_sys(err, errno, "cannot read");
	g->end = n == 0;
	g->have += (size_t)n;
	return 0;
}

static int begin(struct ebb_gunzip *g, struct ebb_err *err)
{
	int rc = 0;

	while (g->have < 2 && !g->end && rc == 0)
		rc = fill(g, err);
	g->begun = rc == 0;
	g->plain = g->have < 2 || g->in[0] != 0x1f || g->in[1] != 0x8b;
	return rc;
}

static int64_t read_plain(struct ebb_gunzip *g, void *buf, size_t len, struct ebb_err *err)
{
	size_t n;

	if (g->pos == g->have && !g->end) {
		int rc = fill(g, err);

		if (rc < 0)
			return rc;
	}
	n = g->have - g->pos < len ? g->have - g->pos : len;
	memcpy(buf, g->in + g->pos, n);
	g->pos += n;
	return (int64_t)n;
}

/* One step of the decoder. Returns bytes made, 0 for none. */
static int64_t step(struct ebb_gunzip *g, void *buf, size_t len, struct ebb_err *err)
{
	size_t left = g->have - g->pos;
	int rc;

	if (!g->inside && inflateReset(&g->z) != Z_OK)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to decode gzip");
	g->inside = true;
	g->z.next_in = g->in + g->pos;
	g->z.avail_in = (uInt)left;
	g->z.next_out = buf;
	g->z.avail_out = len > UINT32_MAX ? UINT32_MAX : (uInt)len;
	size_t room = g->z.avail_out;
	rc = inflate(&g->z, Z_NO_FLUSH);
	g->pos += left - g->z.avail_in;
	g->inside = rc != Z_STREAM_END;
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return ebb_err_set(err, EBB_ECORRUPT, "damaged gzip: %s", g->z.msg ? g->z.msg : "unknown");
	return (int64_t)(room - g->z.avail_out);
}

int64_t ebb_gunzip_read(struct ebb_gunzip *g, void *buf, size_t len, struct ebb_err *err)
{
	int64_t n = 0;
	int rc = g->begun ? 0 : begin(g, err);

	if (rc < 0 || len == 0)
		return rc;
	if (g->plain)
		return read_plain(g, buf, len, err);
	while (n == 0) {
		if (g->pos == g->have && !g->end) {
			rc = fill(g, err);
			if (rc < 0)
				return rc;
		}
		if (g->pos == g->have && g->end && !g->inside)
			return 0;
		n = step(g, buf, len, err);
		if (n == 0 && g->inside && g->pos == g->have && g->end)
			return ebb_err_set(err, EBB_ECORRUPT, "gzip ends early");
	}
	return n;
}
