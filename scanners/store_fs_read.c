/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scanners/store_fs.h"

struct reader {
	struct ebb_store_reader base;
	int fd;
	int64_t pos;
	int64_t data_end;	/* when beyond pos: where the data that read_hole found ends */
	struct ebb_record rec;	/* at open; its key is the one below */
	char key[];
};

/* Takes over @fd. */
static int reader_new(struct ebb_store *s, const char *key, const struct ebb_record *rec, int fd,
		      struct ebb_store_reader **ret, struct ebb_err *err)
{
	size_t klen = strlen(key);
	struct reader *r = calloc(1, sizeof(*r) + klen + 1);

	if (!r) {
		close(fd);
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read '%s'", key);
	}
	memcpy(r->key, key, klen + 1);
	r->base.store = s;
	r->fd = fd;
	r->rec = *rec;
	r->rec.key = r->key;
	*ret = &r->base;
	return 0;
}

int ebb_store_fs_read_open(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			   struct ebb_store_reader **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	struct ebb_record rec;
	struct statx st;

	int rc = ebb_store_fs_path_open((const struct ebb_store_fs *)s, key, &fd, &st, err);
	if (rc < 0)
		return rc;
	ebb_store_fs_path_record(&st, key, &rec);
	rc = ebb_store_expect(&rec, expect, err);
	if (rc < 0)
		return rc;
	int taken = fd;
	fd = -1;
	return reader_new(s, key, &rec, taken, ret, err);
}

/*
 * One call of the kernel to open, none to look: 4 instead of 9 for a small file. What was opened is held against the index by
 * read_verify. The index said it was a file; should something else have taken its place, NONBLOCK and NOCTTY keep opening harmless.
 */
int ebb_store_fs_read_next(struct ebb_store *s, struct ebb_store_tour *t, const char *key,
			   const struct ebb_record *expect, struct ebb_store_reader **ret,
			   struct ebb_err *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	const char *slash = strrchr(key, '/'), *name = slash ? slash + 1 : key;
	size_t len = (size_t)(name - key);

	if (t->dir < 0 || t->len != len || memcmp(t->key, key, len) != 0) {
		struct ebb_store_fs_path p = EBB_STORE_FS_PATH_INIT;
		int rc = ebb_store_fs_path_init((const struct ebb_store_fs *)s, key, O_PATH, &p, err);

		ebb_store_tour_release(t);
		if (rc < 0)
			return rc;
		t->dir = p.dir;
		t->len = len;
		memcpy(t->key, key, len);
	}
	int fd = TEMP_FAILURE_RETRY(openat(t->dir, name, flags | O_NOATIME));
	if (fd < 0 && errno == EPERM)	/* neither owner nor root */
		fd = TEMP_FAILURE_RETRY(openat(t->dir, name, flags));
	if (fd < 0)
		return ebb_store_fs_path_fail(err, errno, "open", key);
	return reader_new(s, key, expect, fd, ret, err);
}

int ebb_store_fs_read_seek(struct ebb_store_reader *base, int64_t off, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;

	if (off < 0)
		return ebb_err_set(err, EBB_EINVAL, "cannot seek to %" PRId64 " in '%s'", off, r->key);
	r->pos = off;
	r->data_end = 0;
	return 0;
}

int64_t ebb_store_fs_read_bytes(struct ebb_store_reader *base, void *buf, size_t len,
				struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;

	/* Not into the next hole, which would come as zeroes. */
	if (r->data_end > r->pos && (uint64_t)(r->data_end - r->pos) < len)
		len = (size_t)(r->data_end - r->pos);
	ssize_t n = TEMP_FAILURE_RETRY(pread(r->fd, buf, len, r->pos));
	if (n < 0)
		return ebb_store_fs_path_fail(err, errno, "read", r->key);
	r->pos += n;
	return n;
}

/*
 * Where data begins at or after @pos; the end of the file when there is none. Negative: errno is
 * set.
 */
static int64_t next_data(int fd, int64_t pos)
{
	int64_t data = lseek(fd, pos, SEEK_DATA);

	if (data >= 0 || errno != ENXIO)
		return data;
	int64_t end = lseek(fd, 0, SEEK_END);
	return end < 0 || end > pos ? end : pos;
}

/*
 * Filesystems without SEEK_DATA say that everything is data; those that do not know the call at all
 * say EINVAL.
 */
int ebb_store_fs_read_hole(struct ebb_store_reader *base, int64_t *ret_hole, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;
	int64_t hole = 0;

	if (r->pos >= r->data_end) {
		int64_t data = next_data(r->fd, r->pos);

		if (data < 0 && errno != EINVAL)
			return ebb_store_fs_path_fail(err, errno, "find holes in", r->key);
		if (data > r->pos) {
			hole = data - r->pos;
			r->pos = data;
		}
		int64_t end = data < 0 ? -1 : lseek(r->fd, r->pos, SEEK_HOLE);
		r->data_end = end > r->pos ? end : 0;
	}
	*ret_hole = hole;
	return 0;
}

int ebb_store_fs_read_verify(struct ebb_store_reader *base, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;
	struct ebb_record now;
	struct statx st;
	int rc = ebb_store_fs_path_fstat(r->fd, r->key, &st, err);

	if (rc < 0)
		return rc;
	ebb_store_fs_path_record(&st, r->key, &now);
	/* Losing its name shows in ctime too, but that clock may stand still for milliseconds. */
	if (now.f[EBB_F_NLINK] != r->rec.f[EBB_F_NLINK])
		return ebb_err_set(err, EBB_ECHANGED, "'%s' has changed: its links were %" PRId64
				   ", are %" PRId64, r->key, r->rec.f[EBB_F_NLINK],
				   now.f[EBB_F_NLINK]);
	return ebb_store_expect(&now, &r->rec, err);
}

void ebb_store_fs_read_close(struct ebb_store_reader *base)
{
	struct reader *r = (struct reader *)base;

	close(r->fd);
	free(r);
}

/* All of @len bytes at @off. */
static int pread_all(const struct reader *r, int64_t off, uint8_t *buf, size_t len,
		     struct ebb_err *err)
{
	while (len) {
		ssize_t n = TEMP_FAILURE_RETRY(pread(r->fd, buf, len, off));

		if (n < 0)
			return ebb_store_fs_path_fail(err, errno, "read", r->key);
		if (n == 0)
			return ebb_err_set(err, EBB_ECORRUPT, "'%s' ends before byte %" PRId64, r->key,
					   off + (int64_t)len);
		off += n;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

int ebb_store_fs_read_range(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			    int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *in = NULL;
	int r = ebb_store_fs_read_open(s, key, expect, &in, err);

	if (r == 0)
		r = pread_all((struct reader *)in, off, buf, len, err);
	return r == 0 && expect ? ebb_store_fs_read_verify(in, err) : r;
}
