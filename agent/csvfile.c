/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/csvfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compress/gunzip.h"
#include "core/buf.h"

#define CHUNK 65536

struct ebb_csvfile {
	const char *path;
	int fd;
	struct ebb_gunzip *in;
	struct ebb_buf row;		/* the fields, each with its NUL */
	size_t start[EBB_CSVFILE_FIELDS];	/* of each in the row */
	char *field[EBB_CSVFILE_FIELDS];
	int64_t line, row_line;		/* read so far; where the row begins */
	size_t at, have;		/* in the chunk */
	char chunk[CHUNK];
};

int ebb_csvfile_open(const char *path, struct ebb_csvfile **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_csvfile_closep) struct ebb_csvfile *f = calloc(1, sizeof(*f));

	if (!f)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	f->path = path;
	f->row = (struct ebb_buf)EBB_BUF_INIT(EBB_CSVFILE_ROW);
	f->line = 1;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	f->in = ebb_gunzip_new(f->fd);
	if (!f->in)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	*ret = f;
	f = NULL;
	return 0;
}

void ebb_csvfile_close(struct ebb_csvfile *f)
{
	if (!f)
		return;
	ebb_gunzip_free(f->in);
	if (f->fd >= 0)
		close(f->fd);
	ebb_buf_release(&f->row);
	free(f);
}

int64_t ebb_csvfile_line(const struct ebb_csvfile *f)
{
	return f->row_line;
}

/* Next byte; -1 at the end, below that a failure. */
static int next_byte(struct ebb_csvfile *f, struct ebb_err *err)
{
	if (f->at == f->have) {
		int64_t n = ebb_gunzip_read(f->in, f->chunk, CHUNK, err);

		if (n < 0) {
			ebb_err_wrap(err, "'%s'", f->path);
			return (int)n - 1; /* codes begin at 1, so that none is -1 */
		}
		if (n == 0)
			return -1;
		f->at = 0;
		f->have = (size_t)n;
	}
	return (unsigned char)f->chunk[f->at++];
}

static int bad(const struct ebb_csvfile *f, struct ebb_err *err, const char *why)
{
	return ebb_err_set(err, EBB_ECONFIG, "%s:%lld: %s", f->path, (long long)f->row_line, why);
}

static int add(struct ebb_csvfile *f, int c, struct ebb_err *err)
{
	char b = (char)c;

	return ebb_buf_add(&f->row, &b, 1) < 0 ? bad(f, err, "the row is longer than 4 MiB") : 0;
}

/* The rest of a quoted field; its first quote was read. Returns the byte behind it, -1 at the end, or a failure less 1. */
static int quoted(struct ebb_csvfile *f, struct ebb_err *err)
{
	for (;;) {
		int c = next_byte(f, err);

		if (c == -1)
			return bad(f, err, "a quote does not end") - 1;
		if (c < -1)
			return c;
		f->line += c == '\n';
		if (c == '"' && (c = next_byte(f, err)) != '"')
			return c;
		if (add(f, c, err) < 0)
			return -EBB_ECONFIG - 1;
	}
}

/* One row into the buffer. 1, 0 at the end, or a failure. */
static int read_row(struct ebb_csvfile *f, size_t *n, struct ebb_err *err)
{
	bool begins = true; /* a field does */

	ebb_buf_clear(&f->row);
	f->row_line = f->line;
	f->start[0] = 0;
	*n = 1;
	for (;;) {
		int c = next_byte(f, err);

		if (c == '"' && begins)
			c = quoted(f, err);
		begins = false;
		if (c < -1)
			return c + 1;
		if (c == -1)
			return f->row.len || *n > 1 ? (add(f, 0, err) < 0 ? -EBB_ECONFIG : 1) : 0;
		if (c == '\r' && f->at < f->have && f->chunk[f->at] == '\n')
			continue;
		if (c == '\n') {
			f->line++;
			return add(f, 0, err) < 0 ? -EBB_ECONFIG : 1;
		}
		if (add(f, c == ',' ? 0 : c, err) < 0)
			return -EBB_ECONFIG;
		if (c == ',') {
			if (*n == EBB_CSVFILE_FIELDS)
				return bad(f, err, "the row has more than 1,024 fields");
			f->start[(*n)++] = f->row.len;
			begins = true;
		}
	}
}

int ebb_csvfile_next(struct ebb_csvfile *f, char *const **ret, size_t *ret_n, struct ebb_err *err)
{
	size_t n = 0;
	int r;

	while ((r = read_row(f, &n, err)) == 1 && n == 1 && f->row.len == 1) /* an empty line */
		;
	if (r <= 0)
		return r;
	for (size_t i = 0; i < n; i++)
		f->field[i] = f->row.data + f->start[i];
	*ret = f->field;
	*ret_n = n;
	return 1;
}
