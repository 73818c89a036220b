/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/planfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/jsonline.h"
#include "agent/linefile.h"
#include "compress/digest.h"

#define COPY_CHUNK (256 * 1024)

struct ebb_planfile_writer {
	char *path;
	FILE *rows;		/* unlinked temporary */
	struct ebb_buf line;
	int64_t n;
};

struct ebb_planfile {
	char *path;
	char id[EBB_PLANFILE_ID_LEN];
	struct ebb_linefile_reader *lines;
	struct ebb_arena head_arena, row_arena;
	struct ebb_planhead head;
	int64_t count;		/* rows in the file */
	int64_t given;		/* number of the row given or skipped last */
};

void ebb_planfile_abort(struct ebb_planfile_writer *w)
{
	if (!w)
		return;
	if (w->rows)
		fclose(w->rows);
	ebb_buf_release(&w->line);
	free(w->path);
	free(w);
}

/* A file without a name, on the filesystem of the output, so that space there is noticed early. */
static FILE *nameless(const char *path)
{
	EBB_CLEANUP(ebb_mem_freep) char *name = NULL;
	FILE *f = NULL;

	if (asprintf(&name, "%s.rows-XXXXXX", path) < 0)
		return NULL;
	int fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0) {
		unlink(name);
		f = fdopen(fd, "w+");
		if (!f)
			close(fd);
		else /* millions of rows: fewer writes than the four KiB of stdio */
			setvbuf(f, NULL, _IOFBF, COPY_CHUNK);
	}
	return f;
}

int ebb_planfile_create(const char *path, struct ebb_planfile_writer **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_abortp) struct ebb_planfile_writer *w = calloc(1, sizeof(*w));

	if (!w || !(w->path = strdup(path)))
		return ebb_err_set(err, EBB_ENOMEM, "cannot write '%s': out of memory", path);
	ebb_buf_init(&w->line, EBB_PLANHEAD_MAX);
	w->rows = nameless(path);
	if (!w->rows)
		return ebb_err_sys(err, errno, "cannot write beside '%s'", path);
	*ret = w;
	w = NULL;
	return 0;
}

int ebb_planfile_put(struct ebb_planfile_writer *w, struct ebb_planrow *row, struct ebb_err *err)
{
	row->n = w->n + 1;
	ebb_buf_clear(&w->line);
	int r = ebb_planrow_write(&w->line, row, err);
	if (r < 0)
		return r;
	if (fwrite(w->line.data, 1, w->line.len, w->rows) != w->line.len)
		return ebb_err_sys(err, errno, "cannot write beside '%s'", w->path);
	w->n++;
	return 0;
}

/* Run over the rows once: into @d, into @out, whichever is given. */
static int each_chunk(struct ebb_planfile_writer *w, struct ebb_digest *d,
		      struct ebb_linefile_writer *out, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *chunk = malloc(COPY_CHUNK);
	size_t n;
	int r = 0;

	if (!chunk)
		return ebb_err_set(err, EBB_ENOMEM, "cannot write '%s': out of memory", w->path);
	rewind(w->rows);
	while (r == 0 && (n = fread(chunk, 1, COPY_CHUNK, w->rows)) > 0) {
		if (d)
			ebb_digest_update(d, chunk, n);
		if (out)
			r = ebb_linefile_write(out, chunk, n, err);
	}
	if (r == 0 && ferror(w->rows))
		r = ebb_err_sys(err, errno, "cannot read beside '%s'", w->path);
	return r;
}

static int id_of(struct ebb_planfile_writer *w, char id[EBB_PLANFILE_ID_LEN], struct ebb_err *err)
{
	EBB_CLEANUP(ebb_digest_release) struct ebb_digest d = {0};
	uint8_t raw[32];
	int r = ebb_digest_init(&d, &ebb_digest_sha256, err);

	if (r < 0)
		return r;
	ebb_digest_update(&d, w->line.data, w->line.len);
	r = each_chunk(w, &d, NULL, err);
	if (r == 0)
		r = ebb_digest_final(&d, raw, err);
	if (r == 0)
		ebb_digest_hex(raw, 32, id);
	return r;
}

int ebb_planfile_commit(struct ebb_planfile_writer *writer, const struct ebb_planhead *head,
			char ret_id[EBB_PLANFILE_ID_LEN], struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_abortp) struct ebb_planfile_writer *w = writer;
	EBB_CLEANUP(ebb_linefile_abortp) struct ebb_linefile_writer *out = NULL;
	char first[160], id[EBB_PLANFILE_ID_LEN];
	int r;

	if (fflush(w->rows))
		return ebb_err_sys(err, errno, "cannot write beside '%s'", w->path);
	ebb_buf_clear(&w->line);
	if ((r = ebb_planhead_write(&w->line, head, err)) < 0 || (r = id_of(w, id, err)) < 0 ||
	    (r = ebb_linefile_create(w->path, &out, err)) < 0)
		return r;
	int n = snprintf(first, sizeof(first), "{\"schema\":\"%s\",\"id\":\"%s\"}\n",
			 EBB_PLANFILE_SCHEMA, id);
	if ((r = ebb_linefile_write(out, first, (size_t)n, err)) < 0 ||
	    (r = ebb_linefile_write(out, w->line.data, w->line.len, err)) < 0 ||
	    (r = each_chunk(w, NULL, out, err)) < 0)
		return r;
	r = ebb_linefile_commit(out, err);
	out = NULL;
	if (r == 0)
		memcpy(ret_id, id, sizeof(id));
	return r;
}

void ebb_planfile_close(struct ebb_planfile *p)
{
	if (!p)
		return;
	ebb_linefile_close(p->lines);
	ebb_arena_release(&p->head_arena);
	ebb_arena_release(&p->row_arena);
	free(p->path);
	free(p);
}

/* Failures of the file's form mean that the plan cannot be used; those of the disk stay what they are. */
static int next_line(struct ebb_planfile *p, char **line, size_t *len, struct ebb_err *err)
{
	struct ebb_err why = {0};
	int r = ebb_linefile_next(p->lines, line, len, &why);

	if (r == -EBB_ECORRUPT || r == -EBB_ERANGE)
		return ebb_err_set(err, EBB_ESTALE, "%s: the plan was altered or cut off", why.msg);
	if (r < 0)
		return ebb_err_set(err, -r, "%s", why.msg);
	return r;
}

/* Line 1: which schema, which id. */
static int read_first(struct ebb_planfile *p, struct ebb_err *err)
{
	struct ebb_jsonline l;
	char *line;
	size_t len;
	int r = next_line(p, &line, &len, err);

	if (r < 0)
		return r;
	if (r == 0)
		return ebb_err_set(err, EBB_ESTALE, "%s:1: empty file, not a plan", p->path);
	r = ebb_jsonline_parse(&l, line, len, p->path, 1, EBB_ESTALE, err);
	const char *schema = ebb_jsonline_str(&l, "schema");
	const char *id = ebb_jsonline_str(&l, "id");
	uint8_t raw[32];

	if (l.r == 0 && strncmp(schema, "ebb-plan-", 9) != 0)
		ebb_jsonline_bad(&l, "not a plan of ebb");
	if (l.r == 0 && strcmp(schema, EBB_PLANFILE_SCHEMA) != 0)
		l.r = ebb_err_set(err, EBB_EVERSION, "%s:1: plan is of schema '%s', this ebb knows '%s'",
				  p->path, schema, EBB_PLANFILE_SCHEMA);
	ebb_jsonline_hex(&l, "id", raw, 32);
	if (l.r == 0)
		memcpy(p->id, id, EBB_PLANFILE_ID_LEN);
	r = l.r;
	ebb_jsonline_release(&l);
	return r;
}

static int reopen(struct ebb_planfile *p, struct ebb_err *err)
{
	ebb_linefile_close(p->lines);
	p->lines = NULL;
	p->given = 0;
	int r = ebb_linefile_open(p->path, EBB_PLANHEAD_MAX, &p->lines, err);
	return r < 0 ? r : read_first(p, err);
}

static int read_head(struct ebb_planfile *p, struct ebb_err *err)
{
	struct ebb_jsonline l;
	char *line;
	size_t len;
	int r = next_line(p, &line, &len, err);

	if (r < 0)
		return r;
	if (r == 0)
		return ebb_err_set(err, EBB_ESTALE, "%s:2: the plan has no header", p->path);
	r = ebb_jsonline_parse(&l, line, len, p->path, 2, EBB_ESTALE, err);
	if (r == 0)
		r = ebb_planhead_read(&l, &p->head_arena, &p->head);
	ebb_jsonline_release(&l);
	return r;
}

/* Digest every line behind the first, tell each to @out if given, and compare with the id. */
static int check_id(struct ebb_planfile *p, struct ebb_linefile_writer *out, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_digest_release) struct ebb_digest d = {0};
	uint8_t raw[32];
	char id[EBB_PLANFILE_ID_LEN], *line;
	size_t len;
	int64_t lines = 0;
	int r = ebb_digest_init(&d, &ebb_digest_sha256, err);

	if (r < 0)
		return r;
	while ((r = next_line(p, &line, &len, err)) == 1) {
		line[len] = '\n'; /* in place of the NUL */
		ebb_digest_update(&d, line, len + 1);
		if (out && (r = ebb_linefile_write(out, line, len + 1, err)) < 0)
			return r;
		lines++;
	}
	if (r == 0)
		r = ebb_digest_final(&d, raw, err);
	if (r < 0)
		return r;
	ebb_digest_hex(raw, 32, id);
	if (strcasecmp(id, p->id) != 0)
		return ebb_err_set(err, EBB_ESTALE, "%s: plan file was altered: its id does not fit",
				   p->path);
	p->count = lines - 1;
	return 0;
}

int ebb_planfile_open(const char *path, struct ebb_planfile **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *p = calloc(1, sizeof(*p));
	struct stat st;
	int r;

	if (!p || !(p->path = strdup(path)))
		return ebb_err_set(err, EBB_ENOMEM, "cannot open '%s': out of memory", path);
	if (access(path, F_OK) || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
		return ebb_err_set(err, EBB_EUSAGE, "cannot open '%s': %s", path,
				   strerror(access(path, F_OK) ? errno : EISDIR));
	ebb_arena_init(&p->head_arena, 4 * (size_t)EBB_PLANHEAD_MAX);
	ebb_arena_init(&p->row_arena, 4 * (size_t)EBB_PLANROW_MAX);
	if ((r = reopen(p, err)) < 0 || (r = check_id(p, NULL, err)) < 0 ||
	    (r = reopen(p, err)) < 0 || (r = read_head(p, err)) < 0)
		return r;
	*ret = p;
	p = NULL;
	return 0;
}

const char *ebb_planfile_id(const struct ebb_planfile *p)
{
	return p->id;
}

const struct ebb_planhead *ebb_planfile_head(const struct ebb_planfile *p)
{
	return &p->head;
}

int64_t ebb_planfile_count(const struct ebb_planfile *p)
{
	return p->count;
}

int ebb_planfile_next(struct ebb_planfile *p, struct ebb_planrow *ret, struct ebb_err *err)
{
	struct ebb_jsonline l;
	char *line;
	size_t len;
	int r = next_line(p, &line, &len, err);

	if (r <= 0)
		return r;
	ebb_arena_release(&p->row_arena);
	ebb_arena_init(&p->row_arena, 4 * (size_t)EBB_PLANROW_MAX);
	r = ebb_jsonline_parse(&l, line, len, p->path, ebb_linefile_line(p->lines), EBB_ESTALE, err);
	if (r == 0 && ebb_planrow_read(&l, &p->row_arena, ret) == 0 && ret->n != p->given + 1)
		ebb_jsonline_bad(&l, "action %lld stands where %lld should", (long long)ret->n,
				 (long long)p->given + 1);
	if (l.r == 0 && !ebb_planhead_store(&p->head, ret->store))
		ebb_jsonline_bad(&l, "store '%s' is not in the plan's header", ret->store);
	if (l.r == 0 && ret->to_store && !ebb_planhead_store(&p->head, ret->to_store))
		ebb_jsonline_bad(&l, "store '%s' is not in the plan's header", ret->to_store);
	r = l.r;
	ebb_jsonline_release(&l);
	if (r < 0)
		return r;
	p->given++;
	return 1;
}

int ebb_planfile_seek(struct ebb_planfile *p, int64_t n, struct ebb_err *err)
{
	char *line;
	size_t len;
	int r = 0;

	if (n <= p->given) {
		if ((r = reopen(p, err)) < 0)
			return r;
		r = next_line(p, &line, &len, err); /* the header */
	}
	while (r >= 0 && p->given + 1 < n) {
		r = next_line(p, &line, &len, err);
		if (r == 0)
			return 0;
		p->given++;
	}
	return r < 0 ? r : 0;
}

int ebb_planfile_copy(struct ebb_planfile *p, const char *path, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_abortp) struct ebb_linefile_writer *out = NULL;
	char first[160];
	int r = ebb_linefile_create(path, &out, err);

	if (r < 0 || (r = reopen(p, err)) < 0)
		return r;
	int n = snprintf(first, sizeof(first), "{\"schema\":\"%s\",\"id\":\"%s\"}\n",
			 EBB_PLANFILE_SCHEMA, p->id);
	if ((r = ebb_linefile_write(out, first, (size_t)n, err)) < 0 ||
	    (r = check_id(p, out, err)) < 0)
		return r;
	r = ebb_linefile_commit(out, err);
	out = NULL;
	p->given = 1; /* so that seek begins anew */
	return r < 0 ? r : ebb_planfile_seek(p, 1, err);
}
