/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "compress/digest.h"
#include "scanners/store_fs.h"

/*
 * Temporaries are created under a name rather than with O_TMPFILE: giving an unnamed file its name
 * needs /proc or a capability, and not every filesystem has it. The name carries the writer's tag,
 * so recovery finds what was left.
 */
struct writer {
	struct ebb_store_writer base;
	struct ebb_store_fs_path key_at, tmp_at;	/* share one directory; key_at owns it */
	int fd;
	int64_t pos;	/* bytes so far, holes included */
	const char *key_of_caller;
	char key[];
};

/* What was left is compared in pieces of this size. */
#define CHECK_BUFFER ((int64_t)256 * 1024)

/* Room is only looked at: reserving it with fallocate would fill the holes of sparse files. */
static int check_room(int dir, const char *key, int64_t size, struct ebb_err *err)
{
	struct statvfs v;

	if (size <= 0 || fstatvfs(dir, &v) < 0 || v.f_blocks == 0)	/* 0: it does not say */
		return 0;
	if ((uint64_t)size / v.f_frsize >= v.f_bavail)
		return ebb_err_set(err, EBB_ENOSPC,
				   "no room for '%s': it needs %" PRId64 " bytes, %" PRIu64 " are free",
				   key, size, (uint64_t)v.f_bavail * v.f_frsize);
	return 0;
}

static void name_tmp(struct ebb_store_fs_path *p, const char *tag)
{
	snprintf(p->name, sizeof(p->name), "%s%s", EBB_STORE_TMP, tag);
}

static void writer_free(struct writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	ebb_store_fs_path_release(&w->key_at);
	free(w);
}
EBB_CLEANUP_PTR(struct writer, writer_free);

/* Does what was left begin with the bytes that the mark tells of? */
static int fits(const struct writer *w, const struct ebb_store_mark *m, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_digest_release) struct ebb_digest d = {0};
	EBB_CLEANUP(ebb_mem_freep) char *buf = malloc(CHECK_BUFFER);
	uint8_t sum[EBB_DIGEST_LEN];
	int rc = buf ? ebb_digest_init(&d, &ebb_digest_xxh128, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	for (int64_t at = 0; rc == 0 && at < m->at;) {
		size_t want = m->at - at < CHECK_BUFFER ? (size_t)(m->at - at) : CHECK_BUFFER;
		ssize_t n = TEMP_FAILURE_RETRY(pread(w->fd, buf, want, at));

		if (n < 0)
			return ebb_store_fs_path_fail(err, errno, "read the temporary of", w->key);
		if (n == 0)
			return 0;
		ebb_digest_update(&d, buf, (size_t)n);
		at += n;
	}
	if (rc == 0)
		rc = ebb_digest_final(&d, sum, err);
	return rc < 0 ? rc : memcmp(sum, m->digest, sizeof(sum)) == 0;
}

/* Take over what a killed writer left, up to the last mark that it holds; otherwise it goes. */
static int take_over(struct writer *w, const struct ebb_store_write_opts *opts, struct ebb_err *err)
{
	struct stat st;
	size_t i = opts->nmarks;
	int rc = 0;

	w->fd = TEMP_FAILURE_RETRY(openat(w->tmp_at.dir, w->tmp_at.name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
	if (w->fd < 0 && errno == ENOENT)
		return 0;
	if (w->fd >= 0 && fstat(w->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid == geteuid()) {
		while (i > 0 && opts->marks[i - 1].at > st.st_size)
			i--;
		rc = i > 0 ? fits(w, &opts->marks[i - 1], err) : 0;
	}
	if (rc == 1) {
		w->pos = w->base.taken = opts->marks[i - 1].at;
		/* what came after the mark would shine through holes */
		return TEMP_FAILURE_RETRY(ftruncate(w->fd, w->pos)) < 0
			       ? ebb_store_fs_path_fail(err, errno, "go on with the temporary of", w->key) : 0;
	}
	ebb_mem_closep(&w->fd);
	w->fd = -1;
	if (rc == 0 && unlinkat(w->tmp_at.dir, w->tmp_at.name, 0) < 0 && errno != ENOENT)
		return ebb_store_fs_path_fail(err, errno, "remove the temporary of", w->key);
	return rc;
}

int ebb_store_fs_write_mark(struct ebb_store_writer *base, struct ebb_store_mark *ret, struct ebb_err *err)
{
	(void)err;
	*ret = (struct ebb_store_mark){.at = ((struct writer *)base)->pos, .id = ""};
	return 0;
}

void ebb_store_fs_write_leave(struct ebb_store_writer *base)
{
	writer_free((struct writer *)base);
}

int ebb_store_fs_write_open(struct ebb_store *s, const char *key,
			    const struct ebb_store_write_opts *opts, struct ebb_store_writer **ret,
			    struct ebb_err *err)
{
	size_t klen = strlen(key);
	EBB_CLEANUP(writer_freep) struct writer *w = calloc(1, sizeof(*w) + klen + 1);

	if (!w)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to write '%s'", key);
	memcpy(w->key, key, klen + 1);
	w->base.store = s;
	w->key_of_caller = key;
	w->fd = -1;
	w->key_at.dir = -1;
	w->base.step = ((const struct ebb_store_fs *)s)->step;
	int rc = ebb_store_fs_path_init((const struct ebb_store_fs *)s, key, O_RDONLY, &w->key_at,
					err);
	if (rc < 0)
		return rc;
	w->tmp_at.dir = w->key_at.dir;
	name_tmp(&w->tmp_at, opts->tag);
	if (opts->nmarks)
		rc = take_over(w, opts, err);
	if (rc == 0)
		rc = check_room(w->key_at.dir, key, opts->size_hint - w->base.taken, err);
	if (rc < 0)
		return rc;

	if (w->fd < 0)
		w->fd = TEMP_FAILURE_RETRY(openat(w->tmp_at.dir, w->tmp_at.name,
						  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
	if (w->fd < 0)
		return ebb_store_fs_path_fail(err, errno, "create a temporary for", key);
	*ret = &w->base;
	w = NULL;
	return 0;
}

int ebb_store_fs_write_bytes(struct ebb_store_writer *base, const void *buf, size_t len,
			     struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	const char *p = buf;

	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pwrite(w->fd, p, len, w->pos));

		if (n < 0)
			return ebb_store_fs_path_fail(err, errno, "write", w->key);
		p += n;
		len -= (size_t)n;
		w->pos += n;
	}
	return 0;
}

/*
 * Nothing to write: the next bytes land behind the hole, and commit sets the size when none come.
 */
int ebb_store_fs_write_hole(struct ebb_store_writer *base, int64_t len, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;

	if (__builtin_add_overflow(w->pos, len, &w->pos))
		return ebb_err_set(err, EBB_ERANGE, "'%s' would be too large", w->key);
	return 0;
}

/* All of it but the name. */
static int complete(struct writer *w, const struct ebb_meta *meta, uint32_t what,
		    struct ebb_err *err)
{
	if (TEMP_FAILURE_RETRY(ftruncate(w->fd, w->pos)) < 0)
		return ebb_store_fs_path_fail(err, errno, "write", w->key);

	int rc = ebb_store_fs_meta_apply(w->fd, w->key, meta, what, err);
	if (rc < 0)
		return rc;
	if (TEMP_FAILURE_RETRY(fsync(w->fd)) < 0)
		return ebb_store_fs_path_fail(err, errno, "sync", w->key);
	/* Out of the page cache: who verifies the copy shall read the medium. */
	posix_fadvise(w->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

static int appear(struct writer *w, struct ebb_record *ret, struct ebb_err *err)
{
	struct statx st;

	int rc = ebb_store_fs_path_sync(w->key_at.dir, w->key, err);
	if (rc == 0)
		rc = ebb_store_fs_path_fstat(w->fd, w->key, &st, err);
	if (rc < 0)
		return rc;
	if (ret) {
		ebb_store_fs_path_record(&st, w->key, ret);
		ret->key = w->key_of_caller;
	}
	return 0;
}

int ebb_store_fs_write_commit(struct ebb_store_writer *base, const struct ebb_meta *meta,
			      uint32_t what, struct ebb_record *ret, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	int rc = complete(w, meta, what, err);

	if (rc == 0) {
		int sys = ebb_store_fs_move(&w->tmp_at, &w->key_at);

		if (sys != 0)
			rc = ebb_store_fs_path_fail(err, sys, "create", w->key);
	}
	if (rc < 0) {
		ebb_store_fs_write_abort(base);
		return rc;
	}
	rc = appear(w, ret, err);
	writer_free(w);
	return rc;
}

void ebb_store_fs_write_abort(struct ebb_store_writer *base)
{
	struct writer *w = (struct writer *)base;

	unlinkat(w->tmp_at.dir, w->tmp_at.name, 0);
	writer_free(w);
}

int ebb_store_fs_write_sweep(struct ebb_store *s, const char *key, const char *tag,
			     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_fs_path_release)
	struct ebb_store_fs_path p = EBB_STORE_FS_PATH_INIT;
	struct ebb_err why = {0};

	int rc = ebb_store_fs_path_init((const struct ebb_store_fs *)s, key, O_PATH, &p, &why);
	if (rc == -EBB_ENOENT)
		return 0;
	if (rc < 0)
		return ebb_err_set(err, -rc, "%s", why.msg);
	name_tmp(&p, tag);
	if (unlinkat(p.dir, p.name, 0) < 0 && errno != ENOENT)
		return ebb_store_fs_path_fail(err, errno, "remove the temporary of", key);
	return 0;
}
