/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/sort.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

#define READ 2048	/* records of a run read at a time */

/* A sorted run in the temporary file, and the part of it that is in memory. */
struct ebb_sort_run {
	int64_t begin, end;	/* in the file */
	int64_t at;		/* of what is not in buf yet */
	char *buf;
	size_t n, next;		/* records in buf */
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
	free(s->mem);
	*s = (struct ebb_sort){0};
}

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
		return ebb_err_set(err, EBB_ENOMEM, "no memory to sort");
	s->runs = r;
	qsort(s->mem, s->n, s->size, s->cmp);
	if (write_all(s->fd, s->mem, s->n * s->size) < 0)
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
		return ebb_err_set(err, EBB_ENOMEM, "no memory to sort");
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

static void sift(struct ebb_sort *s, size_t i)
{
	struct ebb_sort_run *v = s->runs;

	for (;;) {
		size_t least = i;
		for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < s->left; c++)
			if (s->cmp(head(s, &v[c]), head(s, &v[least])) < 0)
				least = c;
		if (least == i)
			return;
		struct ebb_sort_run t = v[i];
		v[i] = v[least];
		v[least] = t;
		i = least;
	}
}

int ebb_sort_rewind(struct ebb_sort *s, struct ebb_err *err)
{
	int rc = 0;

	s->left = s->nruns;
	for (size_t i = 0; i < s->nruns && rc >= 0; i++) {
		s->runs[i].next = 0;
		if (!s->spilled)
			continue;
		s->runs[i].n = 0;
		s->runs[i].at = s->runs[i].begin;
		rc = refill(s, &s->runs[i], err);
	}
	for (size_t i = s->left / 2; rc >= 0 && i-- > 0;)
		sift(s, i);
	return rc < 0 ? rc : 0;
}

int ebb_sort_finish(struct ebb_sort *s, struct ebb_err *err)
{
	if (s->spilled) {
		int rc = spill(s, err);

		free(s->mem);
		s->mem = NULL;
		return rc < 0 ? rc : ebb_sort_rewind(s, err);
	}
	/* everything fits: sort in memory, as the only run */
	s->runs = calloc(1, sizeof(*s->runs));
	if (!s->runs)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to sort");
	qsort(s->mem, s->n, s->size, s->cmp);
	s->runs[0] = (struct ebb_sort_run){.buf = s->mem, .n = s->n};
	s->mem = NULL;
	s->nruns = s->left = 1;
	return 0;
}

int ebb_sort_take(struct ebb_sort *s, void *ret, struct ebb_err *err)
{
	struct ebb_sort_run *r = s->runs;
	int rc;

	if (s->left == 0 || r->next == r->n)
		return 0;
	memcpy(ret, head(s, r), s->size);
	r->next++;
	rc = s->spilled ? refill(s, r, err) : 1;
	if (rc < 0)
		return rc;
	if (rc == 0) { /* this run is used up: behind those that are not */
		struct ebb_sort_run used = *r;

		*r = s->runs[--s->left];
		s->runs[s->left] = used;
	}
	if (s->left > 1)
		sift(s, 0);
	return 1;
}
