/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/linefile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compress/codec.h"
#include "core/buf.h"

#define CHUNK (128 * 1024)

struct ebb_linefile_reader {
	int fd;
	char *path;
	struct ebb_codec_stream *dec;	/* NULL: plain */
	bool end;			/* no more bytes of the file */
	bool done;			/* no more decoded bytes */
	uint8_t *in;			/* CHUNK bytes of the file; plain files decode to themselves */
	size_t in_at, in_len;
	uint8_t *out;			/* CHUNK decoded bytes */
	size_t out_at, out_len;
	struct ebb_buf line;
	int64_t number;
};

struct ebb_linefile_writer {
	int fd;
	char *path, *tmp;
	struct ebb_codec_stream *enc;	/* NULL: plain */
	uint8_t *buf;			/* CHUNK bytes not yet written */
	size_t len;
};

void ebb_linefile_close(struct ebb_linefile_reader *r)
{
	if (!r)
		return;
	ebb_mem_closep(&r->fd);
	ebb_codec_stream_free(r->dec);
	ebb_buf_release(&r->line);
	free(r->in);
	free(r->out);
	free(r->path);
	free(r);
}

int ebb_linefile_open(const char *path, size_t cap, struct ebb_linefile_reader **ret,
		      struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_closep) struct ebb_linefile_reader *r = calloc(1, sizeof(*r));
	const struct ebb_codec *codec = ebb_codec_of_key(path, strlen(path));

	if (!r)
		return ebb_err_set(err, EBB_ENOMEM, "cannot open '%s': out of memory", path);
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	ebb_buf_init(&r->line, cap);
	r->path = strdup(path);
	r->in = malloc(CHUNK);
	r->out = codec ? malloc(CHUNK) : NULL;
	if (!r->path || !r->in || (codec && !r->out))
		return ebb_err_set(err, EBB_ENOMEM, "cannot open '%s': out of memory", path);
	if (codec) {
		int e = ebb_codec_decoder_new(codec, &r->dec, err);
		if (e < 0)
			return e;
	}
	*ret = r;
	r = NULL;
	return 0;
}

static int refill(struct ebb_linefile_reader *r, struct ebb_err *err)
{
	ssize_t n;

	do
		n = read(r->fd, r->in, CHUNK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ebb_err_sys(err, errno, "cannot read '%s'", r->path);
	r->in_at = 0;
	r->in_len = (size_t)n;
	r->end = n == 0;
	return 0;
}

/* Get more decoded bytes; sets done at the end. */
static int decode(struct ebb_linefile_reader *r, struct ebb_err *err)
{
	if (r->in_at == r->in_len && !r->end) {
		int e = refill(r, err);
		if (e < 0)
			return e;
	}

	struct ebb_codec_io io = {r->in + r->in_at, r->in_len - r->in_at, r->out, CHUNK};
	int e = ebb_codec_step(r->dec, &io, r->end, err);
	if (e < 0)
		return ebb_err_wrap(err, "cannot read '%s'", r->path);
	r->in_at = r->in_len - io.in_len;
	r->out_at = 0;
	r->out_len = CHUNK - io.out_len;
	r->done = e == 1;
	return 0;
}

/* The bytes at hand, at least one unless the file is at its end. Returns their number or negative. */
static int64_t at_hand(struct ebb_linefile_reader *r, const uint8_t **ret, struct ebb_err *err)
{
	if (!r->dec) {
		if (r->in_at == r->in_len && !r->end) {
			int e = refill(r, err);
			if (e < 0)
				return e;
		}
		*ret = r->in + r->in_at;
		return (int64_t)(r->in_len - r->in_at);
	}
	while (r->out_at == r->out_len && !r->done) {
		int e = decode(r, err);
		if (e < 0)
			return e;
	}
	*ret = r->out + r->out_at;
	return (int64_t)(r->out_len - r->out_at);
}

static void take(struct ebb_linefile_reader *r, size_t n)
{
	if (r->dec)
		r->out_at += n;
	else
		r->in_at += n;
}

int ebb_linefile_next(struct ebb_linefile_reader *r, char **ret_line, size_t *ret_len,
		      struct ebb_err *err)
{
	long long number = (long long)r->number + 1;

	ebb_buf_clear(&r->line);
	for (;;) {
		const uint8_t *p, *nl;
		int64_t n = at_hand(r, &p, err);

		if (n < 0)
			return (int)n;
		if (n == 0 && r->line.len)
			return ebb_err_set(err, EBB_ECORRUPT, "%s:%lld: the last line is cut off",
					   r->path, number);
		if (n == 0)
			return 0;
		nl = memchr(p, '\n', (size_t)n);
		size_t len = nl ? (size_t)(nl - p) : (size_t)n;
		if (r->line.len + len > r->line.cap)
			return ebb_err_set(err, EBB_ERANGE, "%s:%lld: line is longer than %zu bytes",
					   r->path, number, r->line.cap);
		if (ebb_buf_reserve(&r->line, 0) < 0 || ebb_buf_add(&r->line, p, len) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "%s:%lld: out of memory", r->path,
					   number);
		take(r, len + (nl ? 1 : 0));
		if (nl)
			break;
	}
	r->number++;
	*ret_line = r->line.data;
	*ret_len = r->line.len;
	return 1;
}

int64_t ebb_linefile_line(const struct ebb_linefile_reader *r)
{
	return r->number;
}

const char *ebb_linefile_path(const struct ebb_linefile_reader *r)
{
	return r->path;
}

void ebb_linefile_abort(struct ebb_linefile_writer *w)
{
	if (!w)
		return;
	ebb_mem_closep(&w->fd);
	if (w->tmp)
		unlink(w->tmp);
	ebb_codec_stream_free(w->enc);
	free(w->tmp);
	free(w->path);
	free(w->buf);
	free(w);
}

/* A temporary beside the path, with the permissions that a new file would get. */
static int open_tmp(struct ebb_linefile_writer *w, struct ebb_err *err)
{
	if (asprintf(&w->tmp, "%s.tmp-%ld", w->path, (long)getpid()) < 0) {
		w->tmp = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "cannot write '%s': out of memory", w->path);
	}
	unlink(w->tmp); /* of a killed process that had this number */
	w->fd = open(w->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (w->fd < 0) {
		int r = ebb_err_sys(err, errno, "cannot write '%s'", w->path);
		free(w->tmp);
		w->tmp = NULL;
		return r;
	}
	return 0;
}

int ebb_linefile_create(const char *path, struct ebb_linefile_writer **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_abortp) struct ebb_linefile_writer *w = calloc(1, sizeof(*w));
	const struct ebb_codec *codec = ebb_codec_of_key(path, strlen(path));
	int r;

	if (!w)
		return ebb_err_set(err, EBB_ENOMEM, "cannot write '%s': out of memory", path);
	w->fd = -1;
	w->path = strdup(path);
	w->buf = malloc(CHUNK);
	if (!w->path || !w->buf)
		return ebb_err_set(err, EBB_ENOMEM, "cannot write '%s': out of memory", path);
	if (codec) {
		struct ebb_codec_params p = {.size = -1};
		r = ebb_codec_encoder_new(codec, &p, &w->enc, err);
		if (r < 0)
			return r;
	}
	r = open_tmp(w, err);
	if (r < 0)
		return r;
	*ret = w;
	w = NULL;
	return 0;
}

static int flush(struct ebb_linefile_writer *w, struct ebb_err *err)
{
	size_t done = 0;

	while (done < w->len) {
		ssize_t n = write(w->fd, w->buf + done, w->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ebb_err_sys(err, errno, "cannot write '%s'", w->path);
		done += (size_t)n;
	}
	w->len = 0;
	return 0;
}

/* Run the encoder over @p; with @end to its very end. */
static int encode(struct ebb_linefile_writer *w, const void *p, size_t len, bool end,
		  struct ebb_err *err)
{
	struct ebb_codec_io io = {.in = p, .in_len = len};
	int r = 0;

	while (io.in_len || (end && r != 1)) {
		if (w->len == CHUNK && (r = flush(w, err)) < 0)
			return r;
		io.out = w->buf + w->len;
		io.out_len = CHUNK - w->len;
		r = ebb_codec_step(w->enc, &io, end, err);
		if (r < 0)
			return ebb_err_wrap(err, "cannot write '%s'", w->path);
		w->len = CHUNK - io.out_len;
	}
	return 0;
}

int ebb_linefile_write(struct ebb_linefile_writer *w, const void *p, size_t len,
		       struct ebb_err *err)
{
	const uint8_t *at = p;

	if (w->enc)
		return encode(w, p, len, false, err);
	while (len) {
		size_t n = len < CHUNK - w->len ? len : CHUNK - w->len;

		memcpy(w->buf + w->len, at, n);
		w->len += n;
		at += n;
		len -= n;
		if (w->len == CHUNK) {
			int r = flush(w, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int ebb_linefile_sync_dir(const char *path, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	/* some filesystems cannot sync a directory; their renames are as durable as they get */
	if (fsync(fd) < 0 && errno != EINVAL)
		return ebb_err_sys(err, errno, "cannot sync '%s'", path);
	return 0;
}

int ebb_linefile_commit(struct ebb_linefile_writer *writer, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_abortp) struct ebb_linefile_writer *w = writer;
	EBB_CLEANUP(ebb_mem_freep) char *dir = strdup(w->path);
	int r;

	if (!dir)
		return ebb_err_set(err, EBB_ENOMEM, "cannot write '%s': out of memory", w->path);
	r = w->enc ? encode(w, NULL, 0, true, err) : 0;
	if (r == 0)
		r = flush(w, err);
	if (r < 0)
		return r;
	if (fsync(w->fd) < 0 || rename(w->tmp, w->path) < 0)
		return ebb_err_sys(err, errno, "cannot write '%s'", w->path);
	free(w->tmp);
	w->tmp = NULL;
	return ebb_linefile_sync_dir(dirname(dir), err);
}
