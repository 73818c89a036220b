/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An item in memory and in the file: u16 length of the key, u16 length of the payload, key, payload. In memory a table of slots grows
 * from the end of the same piece towards the items; a slot holds the first 8 bytes of the key, so that most comparisons touch no item.
 */
#include "core/sorter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/record.h"

#define HEAD 4
#define READ_MIN ((size_t)128 << 10)	/* an item fits: 4 + 4,096 + 65,535 bytes */
#define READ_MAX ((size_t)1 << 20)

struct slot {
	uint64_t prefix;	/* of the key, big-endian, zero behind its end */
	uint32_t at;		/* offset of the item, in units of 1 byte */
	uint32_t zero;
};

/* A sorted run in the file, and the part of it that is in memory. */
struct run {
	off_t at, end;		/* what is still in the file */
	uint32_t number;	/* older runs come first among equals */
	char *buf;
	size_t have, pos;	/* bytes in buf; where its first item not given begins */
};

struct ebb_sorter {
	const char *dir;
	char *mem;
	size_t size, used;	/* items from the beginning */
	size_t nslots;		/* slots from the end, the newest lowest */
	int fd;			/* -1: nothing was written */
	off_t written;
	struct run *runs;	/* sorted: a heap by their first items */
	size_t nruns, runs_room;
	size_t read_size;
	size_t next;		/* slot to be given, when everything fits */
	bool given;		/* the first item of runs[0] was handed out */
};

static struct slot *slots(const struct ebb_sorter *s)
{
	return (struct slot *)(void *)(s->mem + s->size) - s->nslots;
}

struct ebb_sorter *ebb_sorter_new(const char *dir, size_t memory)
{
	struct ebb_sorter *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->fd = -1;
	s->dir = dir;
	s->size = memory < UINT32_MAX ? memory & ~(size_t)15 : UINT32_MAX & ~(size_t)15;
	s->mem = malloc(s->size);
	if (!s->mem) {
		free(s);
		return NULL;
	}
	return s;
}

void ebb_sorter_free(struct ebb_sorter *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nruns; i++)
		free(s->runs[i].buf);
	free(s->runs);
	free(s->mem);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static void read_item(const char *p, struct ebb_sorter_item *ret)
{
	uint16_t lens[2];

	memcpy(lens, p, HEAD);
	*ret = (struct ebb_sorter_item){p + HEAD, lens[0], lens[1], p + HEAD + lens[0]};
}

static int by_key(const void *pa, const void *pb, void *ctx)
{
	const struct slot *a = pa, *b = pb;
	const struct ebb_sorter *s = ctx;
	struct ebb_sorter_item x, y;
	int r;

	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	read_item(s->mem + a->at, &x);
	read_item(s->mem + b->at, &y);
	r = ebb_record_key_cmp(x.key, x.key_len, y.key, y.key_len);
	return r ? r : a->at < b->at ? -1 : 1;
}

static void sort_memory(struct ebb_sorter *s)
{
	qsort_r(slots(s), s->nslots, sizeof(struct slot), by_key, s);
}

static int write_all(struct ebb_sorter *s, const char *p, size_t n, struct ebb_err *err)
{
	while (n > 0) {
		ssize_t w = write(s->fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return ebb_err_sys(err, errno, "cannot write a temporary file in '%s'", s->dir);
		p += w;
		n -= (size_t)w;
		s->written += w;
	}
	return 0;
}

static int open_file(struct ebb_sorter *s, struct ebb_err *err)
{
	if (s->fd >= 0)
		return 0;
	s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return s->fd >= 0 ? 0 : ebb_err_sys(err, errno, "cannot make a temporary file in '%s'", s->dir);
}

static int add_run(struct ebb_sorter *s, struct ebb_err *err)
{
	if (s->nruns == s->runs_room) {
		size_t room = s->runs_room ? 2 * s->runs_room : 16;
		struct run *more = realloc(s->runs, room * sizeof(*more));

		if (!more)
			return ebb_err_set(err, EBB_ENOMEM, "no memory to sort");
		s->runs = more;
		s->runs_room = room;
	}
	s->runs[s->nruns] = (struct run){.at = s->written, .number = (uint32_t)s->nruns};
	s->nruns++;
	return 0;
}

/* Sort what is in memory and write it as a run. */
static int spill(struct ebb_sorter *s, struct ebb_err *err)
{
	static const size_t chunk = 256 << 10;
	EBB_CLEANUP(ebb_mem_freep) char *out = malloc(chunk);
	size_t n = 0;
	int rc = out ? open_file(s, err) : ebb_err_set(err, EBB_ENOMEM, "no memory to sort");

	if (rc == 0)
		rc = add_run(s, err);
	if (rc < 0)
		return rc;
	sort_memory(s);
	for (size_t i = 0; i < s->nslots && rc == 0; i++) {
		const char *p = s->mem + slots(s)[i].at;
		struct ebb_sorter_item it;
		size_t len;

		read_item(p, &it);
		len = HEAD + it.key_len + it.len;
		if (n + len > chunk) {
			rc = write_all(s, out, n, err);
			n = 0;
		}
		memcpy(out + n, p, len);
		n += len;
	}
	if (rc == 0)
		rc = write_all(s, out, n, err);
	s->runs[s->nruns - 1].end = s->written;
	s->used = s->nslots = 0;
	return rc;
}

int ebb_sorter_add(struct ebb_sorter *s, const char *key, size_t key_len, const void *payload, size_t len,
		   struct ebb_err *err)
{
	uint16_t lens[2] = {(uint16_t)key_len, (uint16_t)len};
	unsigned char first[8] = {0};
	size_t need = HEAD + key_len + len;
	uint64_t prefix;
	char *p;
	int rc;

	if (key_len > EBB_KEY_MAX || len > EBB_SORTER_PAYLOAD_MAX)
		return ebb_err_set(err, EBB_EINVAL, "an item of %zu and %zu bytes is too long to sort", key_len, len);
	if (s->used + need + (s->nslots + 1) * sizeof(struct slot) > s->size) {
		rc = spill(s, err);
		if (rc < 0)
			return rc;
	}
	p = s->mem + s->used;
	memcpy(p, lens, HEAD);
	memcpy(p + HEAD, key, key_len);
	if (len)
		memcpy(p + HEAD + key_len, payload, len);
	memcpy(first, key, key_len < 8 ? key_len : 8);
	memcpy(&prefix, first, 8);
	s->nslots++;
	*slots(s) = (struct slot){.prefix = __builtin_bswap64(prefix), .at = (uint32_t)s->used};
	s->used += need;
	return 0;
}

/* Have a whole item of the run in memory, or none when it has ended. */
static int refill(struct ebb_sorter *s, struct run *r, struct ebb_err *err)
{
	size_t left = r->have - r->pos;
	struct ebb_sorter_item it;

	if (left >= HEAD) {
		read_item(r->buf + r->pos, &it);
		if (left >= HEAD + it.key_len + it.len)
			return 0;
	}
	if (r->at == r->end)
		return 0;
	memmove(r->buf, r->buf + r->pos, left);
	r->pos = 0;
	r->have = left;
	while (r->have < s->read_size && r->at < r->end) {
		size_t want = s->read_size - r->have;
		ssize_t n;

		if ((off_t)want > r->end - r->at)
			want = (size_t)(r->end - r->at);
		n = pread(s->fd, r->buf + r->have, want, r->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ebb_err_sys(err, n < 0 ? errno : EIO, "cannot read a temporary file in '%s'", s->dir);
		r->have += (size_t)n;
		r->at += n;
	}
	return 0;
}

static bool comes_before(const struct run *a, const struct run *b)
{
	struct ebb_sorter_item x, y;
	int r;

	read_item(a->buf + a->pos, &x);
	read_item(b->buf + b->pos, &y);
	r = ebb_record_key_cmp(x.key, x.key_len, y.key, y.key_len);
	return r ? r < 0 : a->number < b->number;
}

static void sift_down(struct ebb_sorter *s, size_t i)
{
	for (;;) {
		size_t first = i, l = 2 * i + 1;
		struct run t;

		if (l < s->nruns && comes_before(&s->runs[l], &s->runs[first]))
			first = l;
		if (l + 1 < s->nruns && comes_before(&s->runs[l + 1], &s->runs[first]))
			first = l + 1;
		if (first == i)
			return;
		t = s->runs[i];
		s->runs[i] = s->runs[first];
		s->runs[first] = t;
		i = first;
	}
}

int ebb_sorter_sort(struct ebb_sorter *s, struct ebb_err *err)
{
	int rc = 0;

	if (s->fd < 0) {
		sort_memory(s);
		return 0;
	}
	if (s->nslots)
		rc = spill(s, err);
	free(s->mem);
	s->mem = NULL;
	s->read_size = s->size / (s->nruns + 1);
	s->read_size = s->read_size < READ_MIN ? READ_MIN : s->read_size > READ_MAX ? READ_MAX : s->read_size;
	for (size_t i = 0; i < s->nruns && rc == 0; i++) {
		s->runs[i].buf = malloc(s->read_size);
		rc = s->runs[i].buf ? refill(s, &s->runs[i], err)
				    : ebb_err_set(err, EBB_ENOMEM, "no memory to sort");
	}
	for (size_t i = s->nruns / 2; i-- > 0 && rc == 0;)
		sift_down(s, i);
	return rc;
}

/* Pass the item that was handed out. */
static int pass(struct ebb_sorter *s, struct ebb_err *err)
{
	struct run *r = &s->runs[0];
	struct ebb_sorter_item it;
	int rc;

	read_item(r->buf + r->pos, &it);
	r->pos += HEAD + it.key_len + it.len;
	rc = refill(s, r, err);
	if (rc < 0)
		return rc;
	if (r->pos == r->have) {
		free(r->buf);
		*r = s->runs[--s->nruns];
	}
	sift_down(s, 0);
	return 0;
}

int ebb_sorter_next(struct ebb_sorter *s, struct ebb_sorter_item *ret, struct ebb_err *err)
{
	int rc = 0;

	if (s->fd < 0) {
		if (s->next == s->nslots)
			return 0;
		read_item(s->mem + slots(s)[s->next++].at, ret);
		return 1;
	}
	if (s->given)
		rc = pass(s, err);
	s->given = false;
	if (rc < 0 || s->nruns == 0)
		return rc;
	read_item(s->runs[0].buf + s->runs[0].pos, ret);
	s->given = true;
	return 1;
}
