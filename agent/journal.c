/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/jrecord.h"
#include "agent/jsonline.h"
#include "agent/linefile.h"
#include "compress/digest.h"

#define SUM_LEN 18	/* ,"sum":"xxxxxxxx"} */
#define CHUNK (64 * 1024)

/* Lines not yet written may pile up to this many bytes; then append writes them (without syncing). */
#define PILE (4 * 1024 * 1024)

struct ebb_journal {
	int fd;
	char *path;
	pthread_mutex_t lock;		/* guards all below */
	pthread_cond_t synced_more;
	struct ebb_buf pile;		/* not yet written */
	uint64_t appended, synced;	/* records */
	bool busy;			/* a thread is writing and syncing */
	int failed;			/* negative once the file could not be written */
};

struct ebb_journal_reader {
	int fd;
	char *path;
	int64_t at;		/* of the next line */
	char *chunk;
	int64_t chunk_at;	/* offset of chunk[0] */
	size_t chunk_len;
	struct ebb_buf line;
};

/* First 4 bytes of XXH3-128 as 8 hex digits. */
static int sum_of(const char *p, size_t len, char hex[9], struct ebb_err *err)
{
	uint8_t d[EBB_DIGEST_LEN];
	int r = ebb_digest_of(&ebb_digest_xxh128, p, len, d, err);

	if (r == 0)
		ebb_digest_hex(d, 4, hex);
	return r;
}

/* Format a record as a line of the file. */
static int line_of(const struct ebb_journal_rec *rec, struct ebb_buf *out, struct ebb_err *err)
{
	char hex[9];
	int r = ebb_jrecord_write(out, rec, err);

	if (r < 0)
		return r;
	out->len--; /* the final brace comes back behind the sum */
	r = sum_of(out->data, out->len, hex, err);
	if (r == 0 && ebb_buf_addf(out, ",\"sum\":\"%s\"}\n", hex) < 0)
		r = ebb_err_set(err, EBB_ENOMEM, "out of memory for the journal");
	return r;
}

static void free_journal(struct ebb_journal *j)
{
	ebb_mem_closep(&j->fd);
	ebb_buf_release(&j->pile);
	pthread_mutex_destroy(&j->lock);
	pthread_cond_destroy(&j->synced_more);
	free(j->path);
	free(j);
}
EBB_CLEANUP_PTR(struct ebb_journal, free_journal);

static struct ebb_journal *new_journal(const char *path)
{
	struct ebb_journal *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->fd = -1;
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->synced_more, NULL);
	ebb_buf_init(&j->pile, PILE + EBB_JOURNAL_LINE_MAX);
	j->path = strdup(path);
	if (!j->path) {
		free_journal(j);
		return NULL;
	}
	return j;
}

int ebb_journal_create(const char *path, const struct ebb_journal_rec *run,
		       struct ebb_journal **ret, struct ebb_err *err)
{
	EBB_CLEANUP(free_journalp) struct ebb_journal *j = new_journal(path);
	EBB_CLEANUP(ebb_mem_freep) char *dir = strdup(path);
	int r;

	if (!j || !dir)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory for the journal");
	j->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (j->fd < 0)
		return ebb_err_sys(err, errno, "cannot create '%s'", path);
	if ((r = ebb_journal_put(j, run, err)) < 0 || (r = ebb_journal_sync(j, err)) < 0 ||
	    (r = ebb_linefile_sync_dir(dirname(dir), err)) < 0)
		return r;
	*ret = j;
	j = NULL;
	return 0;
}

/* Offset behind the last good line. */
static int good_length(const char *path, int64_t *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_journal_reader_closep) struct ebb_journal_reader *r = NULL;
	struct ebb_arena arena;
	struct ebb_journal_rec rec;
	int e = ebb_journal_open(path, &r, err);

	if (e < 0)
		return e;
	ebb_arena_init(&arena, 0);
	e = ebb_journal_last(r, &arena, &rec, err);
	if (e == 1 && rec.type == EBB_JOURNAL_INTENT)
		ebb_op_release(rec.op);
	ebb_arena_release(&arena);
	if (e < 0)
		return e;
	*ret = ebb_journal_tell(r);
	return 0;
}

int ebb_journal_append_to(const char *path, struct ebb_journal **ret, struct ebb_err *err)
{
	EBB_CLEANUP(free_journalp) struct ebb_journal *j = new_journal(path);
	int64_t len;
	int r;

	if (!j)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory for the journal");
	if ((r = good_length(path, &len, err)) < 0)
		return r;
	j->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (j->fd < 0 || ftruncate(j->fd, len) < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	*ret = j;
	j = NULL;
	return 0;
}

static int broken(struct ebb_journal *j, int sys, struct ebb_err *err)
{
	j->failed = sys == ENOSPC || sys == EDQUOT ? -EBB_ENOSPC : -EBB_EJOURNAL;
	return ebb_err_set(err, -j->failed, "cannot write '%s': %s", j->path, strerror(sys));
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int ebb_journal_put(struct ebb_journal *j, const struct ebb_journal_rec *rec, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf line = EBB_BUF_INIT(EBB_JOURNAL_LINE_MAX);
	bool full;
	int r = line_of(rec, &line, err);

	if (r < 0)
		return r;
	pthread_mutex_lock(&j->lock);
	r = j->failed;
	if (r == 0 && ebb_buf_add(&j->pile, line.data, line.len) < 0)
		r = -EBB_ENOMEM;
	if (r == 0)
		j->appended++;
	full = j->pile.len > PILE;
	pthread_mutex_unlock(&j->lock);
	if (r < 0)
		return ebb_err_set(err, -r, "cannot write '%s'", j->path);
	return full ? ebb_journal_sync(j, err) : 0;
}

/* Write and sync what has piled up. Called with the lock held, which is let go for the I/O. */
static int lead(struct ebb_journal *j, struct ebb_err *err)
{
	struct ebb_buf mine = j->pile;
	uint64_t upto = j->appended;

	ebb_buf_init(&j->pile, mine.cap);
	j->busy = true;
	pthread_mutex_unlock(&j->lock);

	int sys = write_all(j->fd, mine.data, mine.len);
	if (sys == 0 && fdatasync(j->fd) < 0)
		sys = errno;
	ebb_buf_release(&mine);

	pthread_mutex_lock(&j->lock);
	j->busy = false;
	pthread_cond_broadcast(&j->synced_more);
	if (sys)
		return broken(j, sys, err);
	j->synced = upto;
	return 0;
}

int ebb_journal_sync(struct ebb_journal *j, struct ebb_err *err)
{
	int r = 0;

	pthread_mutex_lock(&j->lock);
	uint64_t target = j->appended;
	while (r == 0 && !j->failed && j->synced < target) {
		if (j->busy)
			pthread_cond_wait(&j->synced_more, &j->lock);
		else
			r = lead(j, err);
	}
	if (r == 0 && j->failed)
		r = ebb_err_set(err, -j->failed, "cannot write '%s'", j->path);
	pthread_mutex_unlock(&j->lock);
	return r;
}

void ebb_journal_close(struct ebb_journal *j)
{
	if (!j)
		return;
	ebb_journal_sync(j, NULL);
	free_journal(j);
}

/* --- Reading --------------------------------------------------------------------------------------------- */

void ebb_journal_reader_close(struct ebb_journal_reader *r)
{
	if (!r)
		return;
	ebb_mem_closep(&r->fd);
	ebb_buf_release(&r->line);
	free(r->chunk);
	free(r->path);
	free(r);
}

int ebb_journal_open(const char *path, struct ebb_journal_reader **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_journal_reader_closep) struct ebb_journal_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return ebb_err_set(err, EBB_ENOMEM, "cannot open '%s': out of memory", path);
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	r->path = strdup(path);
	r->chunk = malloc(CHUNK);
	ebb_buf_init(&r->line, EBB_JOURNAL_LINE_MAX);
	if (!r->path || !r->chunk)
		return ebb_err_set(err, EBB_ENOMEM, "cannot open '%s': out of memory", path);
	*ret = r;
	r = NULL;
	return 0;
}

void ebb_journal_seek(struct ebb_journal_reader *r, int64_t at)
{
	r->at = at;
}

int64_t ebb_journal_tell(const struct ebb_journal_reader *r)
{
	return r->at;
}

/* Bytes at offset @at, from the chunk or the file. Returns their number, 0 at the end, negative. */
static int64_t peek(struct ebb_journal_reader *r, int64_t at, const char **ret, struct ebb_err *err)
{
	if (at < r->chunk_at || at >= r->chunk_at + (int64_t)r->chunk_len) {
		ssize_t n;

		do
			n = pread(r->fd, r->chunk, CHUNK, at);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return ebb_err_set(err, EBB_EJOURNAL, "cannot read '%s': %s", r->path,
					   strerror(errno));
		r->chunk_at = at;
		r->chunk_len = (size_t)n;
	}
	*ret = r->chunk + (at - r->chunk_at);
	return r->chunk_at + (int64_t)r->chunk_len - at;
}

/* The whole line at r->at into r->line, without newline. Returns 1 with *ret_next, 0 when the file ends before a newline. */
static int get_line(struct ebb_journal_reader *r, int64_t *ret_next, struct ebb_err *err)
{
	int64_t at = r->at;

	ebb_buf_clear(&r->line);
	for (;;) {
		const char *p, *nl;
		int64_t n = peek(r, at, &p, err);

		if (n <= 0)
			return (int)n;
		nl = memchr(p, '\n', (size_t)n);
		if (ebb_buf_add(&r->line, p, nl ? (size_t)(nl - p) : (size_t)n) < 0)
			return ebb_err_set(err, EBB_EJOURNAL, "%s: damaged: no line ends near byte %lld",
					   r->path, (long long)r->at);
		if (nl) {
			*ret_next = at + (nl - p) + 1;
			return ebb_buf_reserve(&r->line, 0) < 0 ? -EBB_ENOMEM : 1;
		}
		at += n;
	}
}

/* True when the line's sum fits. */
static bool sum_fits(const struct ebb_buf *line)
{
	static const char head[] = ",\"sum\":\"";
	char hex[9];

	if (line->len < SUM_LEN || memcmp(line->data + line->len - SUM_LEN, head, 8) != 0)
		return false;
	const char *sum = line->data + line->len - SUM_LEN + 8;
	return sum_of(line->data, line->len - SUM_LEN, hex, NULL) == 0 &&
	       memcmp(sum, hex, 8) == 0 && memcmp(sum + 8, "\"}", 2) == 0;
}

/* True when nothing but the line before @next is left: then a bad line is one that was torn. */
static bool at_end(struct ebb_journal_reader *r, int64_t next)
{
	const char *p;

	return peek(r, next, &p, NULL) == 0;
}

int ebb_journal_next(struct ebb_journal_reader *r, struct ebb_arena *arena,
		     struct ebb_journal_rec *ret, struct ebb_err *err)
{
	struct ebb_jsonline l;
	int64_t next = 0;
	int e = get_line(r, &next, err);

	if (e <= 0)
		return e;
	if (!sum_fits(&r->line)) {
		if (at_end(r, next))
			return 0;
		return ebb_err_set(err, EBB_EJOURNAL, "%s: damaged: the line at byte %lld does not fit its sum",
				   r->path, (long long)r->at);
	}
	ebb_jsonline_parse(&l, r->line.data, r->line.len, r->path, r->at, EBB_EJOURNAL, err);
	e = l.r == 0 ? ebb_jrecord_read(&l, arena, ret) : l.r;
	ebb_jsonline_release(&l);
	if (e < 0)
		return e;
	ret->at = r->at;
	r->at = next;
	return 1;
}

/* Offset behind the last newline before @end; 0 when there is none. */
static int64_t line_before(struct ebb_journal_reader *r, int64_t end, struct ebb_err *err)
{
	while (end > 0) {
		int64_t from = end > CHUNK ? end - CHUNK : 0;
		const char *p, *nl;

		r->chunk_len = 0;
		int64_t n = peek(r, from, &p, err);
		if (n <= 0)
			return n;
		nl = memrchr(p, '\n', (size_t)(end - from < n ? end - from : n));
		if (nl)
			return from + (nl - p) + 1;
		end = from;
	}
	return 0;
}

int ebb_journal_last(struct ebb_journal_reader *r, struct ebb_arena *arena,
		     struct ebb_journal_rec *ret, struct ebb_err *err)
{
	struct stat st;

	if (fstat(r->fd, &st) < 0)
		return ebb_err_sys(err, errno, "cannot read '%s'", r->path);
	int64_t end = line_before(r, st.st_size, err);
	for (int tries = 0; end > 0 && tries < 2; tries++) {
		int64_t start = line_before(r, end - 1, err);
		if (start < 0)
			return (int)start;
		r->at = start;
		int e = ebb_journal_next(r, arena, ret, err);
		if (e != 0)
			return e;
		end = start; /* it was torn */
	}
	r->at = end > 0 ? end : 0;
	return end < 0 ? (int)end : 0;
}
