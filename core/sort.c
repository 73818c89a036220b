/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/sort.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

#define READ 2048	/* records of a run read or written at a time */

/* A sorted run in the temporary file, and the part of it that is in memory. */
struct ebb_sort_run {
	int64_t begin, end;	/* in the file */
	int64_t at;		/* of what is not in buf yet */
	char *buf;
	size_t n, next;		/* records in buf */
};

/* The next record of a run, by its key. */
struct ebb_sort_head {
	uint64_t key;
	uint32_t run;
};

/* A record in memory by its key. */
struct item {
	uint64_t key;
	uint32_t at;
};

int ebb_sort_init(struct ebb_sort *s, const char *dir, size_t size, size_t room, ebb_sort_cmp *cmp,
		  struct ebb_err *err)
{
	*s = (struct ebb_sort){.dir = dir, .cmp = cmp, .size = size, .room = room};
	s->mem = malloc(ebb_mem_mul(room, size));
	return s->mem ? 0 : ebb_err_set(err, EBB_ENOMEM, "no memory to sort");
}

void ebb_sort_release(struct ebb_sort *s)
{
	if (s->spilled)
		close(s->fd);
	for (size_t i = 0; i < s->nruns; i++)
		free(s->runs[i].buf);
	free(s->runs);
	free(s->heads);
	free(s->mem);
	*s = (struct ebb_sort){0};
}

void ebb_sort_by_key(struct ebb_sort *s, ebb_sort_key *key)
{
	s->key = key;
}

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "no memory to sort");
}

/* --- In memory --- */

/* Sort by keys, byte by byte from the last one; bytes that are the same in all are passed over. Returns the one of the two that has them. */
static struct item *radix(struct item *v, struct item *other, size_t n)
{
	static const int bytes = 8;
	size_t count[8][256] = {{0}};

	for (size_t i = 0; i < n; i++)
		for (int b = 0; b < bytes; b++)
			count[b][v[i].key >> 8 * b & 255]++;
	for (int b = 0; b < bytes; b++) {
		size_t at = 0;

		if (n == 0 || count[b][v[0].key >> 8 * b & 255] == n)
			continue;
		for (int d = 0; d < 256; d++) {
			size_t some = count[b][d];

			count[b][d] = at;
			at += some;
		}
		for (size_t i = 0; i < n; i++)
			other[count[b][v[i].key >> 8 * b & 255]++] = v[i];
		struct item *t = v;
		v = other;
		other = t;
	}
	return v;
}

static int cmp_items(const void *pa, const void *pb, void *ctx)
{
	const struct ebb_sort *s = ctx;
	const struct item *a = pa, *b = pb;

	return s->cmp(s->mem + a->at * s->size, s->mem + b->at * s->size);
}

/* The order of the records in memory, in a block to be freed; NULL: no memory. */
static void *order(struct ebb_sort *s, const struct item **ret)
{
	struct item *v = reallocarray(NULL, 2 * s->n + 1, sizeof(*v));

	if (!v)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		v[i] = (struct item){s->key(s->mem + i * s->size), (uint32_t)i};
	struct item *sorted = radix(v, v + s->n, s->n);
	for (size_t i = 0, end; i < s->n; i = end) {
		for (end = i + 1; end < s->n && sorted[end].key == sorted[i].key; end++)
			;
		if (end - i > 1)
			qsort_r(sorted + i, end - i, sizeof(*sorted), cmp_items, s);
	}
	*ret = sorted;
	return v;
}

static void gather(const struct ebb_sort *s, const struct item *v, size_t n, char *to)
{
	for (size_t i = 0; i < n; i++)
		memcpy(to + i * s->size, s->mem + v[i].at * s->size, s->size);
}

/* Sort what is in memory, there. */
static int sort_here(struct ebb_sort *s, struct ebb_err *err)
{
	const struct item *v;

	if (!s->key) {
		qsort(s->mem, s->n, s->size, s->cmp);
		return 0;
	}
	void *block = order(s, &v);
	char *sorted = block ? malloc(ebb_mem_add(ebb_mem_mul(s->n, s->size), 1)) : NULL;
	if (sorted) {
		gather(s, v, s->n, sorted);
		free(s->mem);
		s->mem = sorted;
	}
	free(block);
	return sorted ? 0 : no_memory(err);
}

/* --- In the file --- */

static int write_all(int fd, const void *p, size_t len)
{
	for (const char *at = p; len;) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Sort what is in memory, into the file. 0, -EBB_ENOMEM, or 1 with errno. */
static int write_sorted(struct ebb_sort *s)
{
	const struct item *v;
	int r = 0;

	if (!s->key) {
		qsort(s->mem, s->n, s->size, s->cmp);
		return write_all(s->fd, s->mem, s->n * s->size) < 0;
	}
	void *block = order(s, &v);
	char *some = block ? malloc(READ * s->size) : NULL;
	for (size_t i = 0; some && r == 0 && i < s->n; i += READ) {
		size_t n = s->n - i < READ ? s->n - i : READ;

		gather(s, v + i, n, some);
		r = write_all(s->fd, some, n * s->size) < 0;
	}
	int failed = errno;
	r = some ? r : -EBB_ENOMEM;
	free(some);
	free(block);
	errno = failed;
	return r;
}

static int spill(struct ebb_sort *s, struct ebb_err *err)
{
	struct ebb_sort_run *r;

	if (s->n == 0)
		return 0;
	if (!s->spilled)
		s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return ebb_err_sys(err, errno, "cannot make a temporary file in '%s'", s->dir);
	s->spilled = true;
	r = realloc(s->runs, (s->nruns + 1) * sizeof(*r));
	if (!r)
		return no_memory(err);
	s->runs = r;
	int bad = write_sorted(s);
	if (bad < 0)
		return no_memory(err);
	if (bad)
		return ebb_err_sys(err, errno, "cannot write a temporary file in '%s'", s->dir);
	r = &s->runs[s->nruns++];
	*r = (struct ebb_sort_run){.begin = s->written,
				   .end = s->written + (int64_t)(s->n * s->size)};
	s->written = r->end;
	s->n = 0;
	return 0;
}

int ebb_sort_add(struct ebb_sort *s, const void *record, struct ebb_err *err)
{
	memcpy(s->mem + s->n++ * s->size, record, s->size);
	return s->n == s->room ? spill(s, err) : 0;
}

/* Have the next record of the run in memory. Returns 1, or 0 at its end. */
static int refill(struct ebb_sort *s, struct ebb_sort_run *r, struct ebb_err *err)
{
	size_t want = READ * s->size;
	ssize_t got;

	if (r->next < r->n)
		return 1;
	if ((int64_t)want > r->end - r->at)
		want = (size_t)(r->end - r->at);
	if (want == 0)
		return 0;
	if (!r->buf && !(r->buf = malloc(READ * s->size)))
		return no_memory(err);
	got = pread(s->fd, r->buf, want, r->at);
	if (got != (ssize_t)want)
		return ebb_err_sys(err, got < 0 ? errno : EIO, "cannot read a temporary file in '%s'",
				   s->dir);
	r->at += got;
	r->n = want / s->size;
	r->next = 0;
	return 1;
}

static const char *head(const struct ebb_sort *s, const struct ebb_sort_run *r)
{
	return r->buf + r->next * s->size;
}

static struct ebb_sort_head head_of(const struct ebb_sort *s, uint32_t run)
{
	return (struct ebb_sort_head){s->key ? s->key(head(s, &s->runs[run])) : 0, run};
}

static bool is_before(const struct ebb_sort *s, const struct ebb_sort_head *a, const struct ebb_sort_head *b)
{
	if (a->key != b->key)
		return a->key < b->key;
	return s->cmp(head(s, &s->runs[a->run]), head(s, &s->runs[b->run])) < 0;
}

static void sift(struct ebb_sort *s, size_t i)
{
	struct ebb_sort_head *v = s->heads, moved = v[i];

	for (size_t c; (c = 2 * i + 1) < s->left; i = c) {
		if (c + 1 < s->left && is_before(s, &v[c + 1], &v[c]))
			c++;
		if (!is_before(s, &v[c], &moved))
			break;
		v[i] = v[c];
	}
	v[i] = moved;
}

int ebb_sort_rewind(struct ebb_sort *s, struct ebb_err *err)
{
	s->left = 0;
	for (size_t i = 0; i < s->nruns; i++) {
		struct ebb_sort_run *r = &s->runs[i];
		int rc = r->n > 0;

		r->next = 0;
		if (s->spilled) {
			r->n = 0;
			r->at = r->begin;
			rc = refill(s, r, err);
		}
		if (rc < 0)
			return rc;
		if (rc)
			s->heads[s->left++] = head_of(s, (uint32_t)i);
	}
	for (size_t i = s->left / 2; i-- > 0;)
		sift(s, i);
	return 0;
}

int ebb_sort_finish(struct ebb_sort *s, struct ebb_err *err)
{
	int rc = s->spilled ? spill(s, err) : sort_here(s, err);

	if (rc < 0)
		return rc;
	if (!s->spilled) { /* everything fits, as the only run */
		s->runs = calloc(1, sizeof(*s->runs));
		if (!s->runs)
			return no_memory(err);
		s->runs[0] = (struct ebb_sort_run){.buf = s->mem, .n = s->n};
		s->nruns = 1;
	} else {
		free(s->mem);
	}
	s->mem = NULL;
	s->heads = calloc(s->nruns, sizeof(*s->heads));
	return s->heads ? ebb_sort_rewind(s, err) : no_memory(err);
}

int ebb_sort_take(struct ebb_sort *s, void *ret, struct ebb_err *err)
{
	if (s->left == 0)
		return 0;
	uint32_t run = s->heads[0].run;
	struct ebb_sort_run *r = &s->runs[run];
	memcpy(ret, head(s, r), s->size);
	r->next++;
	int rc = s->spilled ? refill(s, r, err) : r->next < r->n;
	if (rc < 0)
		return rc;
	s->heads[0] = rc ? head_of(s, run) : s->heads[--s->left];
	if (s->left > 1)
		sift(s, 0);
	return 1;
}
