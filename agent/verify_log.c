/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/verify_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/jsonline.h"
#include "agent/jsonput.h"
#include "agent/linefile.h"
#include "core/clock.h"

#define SCHEMA "ebb.verify/1"
#define LINE_MAX_BYTES ((size_t)64 * 1024)
#define KEPT (INT64_C(400) * 86400 * EBB_CLOCK_SECOND)

void ebb_verify_log_release(struct ebb_verify_log *l)
{
	ebb_arena_release(&l->arena);
	free(l->ranges);
	free(l->bad);
	*l = (struct ebb_verify_log){0};
}

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* Room for one more of @size bytes. */
static void *room(void *p, size_t n, size_t *size, size_t each)
{
	if (n < *size)
		return p;
	size_t more = *size ? 2 * *size : 16;
	void *q = reallocarray(p, more, each);

	if (q)
		*size = more;
	return q;
}

int ebb_verify_log_add(struct ebb_verify_log *l, const struct ebb_verify_log_range *r, struct ebb_err *err)
{
	struct ebb_verify_log_range *p = room(l->ranges, l->n, &l->room, sizeof(*p));

	if (!p)
		return no_memory(err);
	l->ranges = p;
	p[l->n] = *r;
	p[l->n].from = ebb_arena_strdup(&l->arena, r->from);
	p[l->n].to = ebb_arena_strdup(&l->arena, r->to);
	if (!p[l->n].from || !p[l->n].to)
		return no_memory(err);
	l->n++;
	return 0;
}

int ebb_verify_log_found(struct ebb_verify_log *l, const char *key, const char *why_bad, int64_t now, struct ebb_err *err)
{
	for (size_t i = 0; i < l->nbad; i++)
		if (strcmp(l->bad[i].key, key) == 0)
			l->bad[i].healed = true;
	if (!why_bad)
		return 0;
	struct ebb_verify_log_bad *p = room(l->bad, l->nbad, &l->bad_room, sizeof(*p));
	if (!p)
		return no_memory(err);
	l->bad = p;
	p[l->nbad] = (struct ebb_verify_log_bad){now, ebb_arena_strdup(&l->arena, key), ebb_arena_strdup(&l->arena, why_bad), false};
	if (!p[l->nbad].key || !p[l->nbad].why)
		return no_memory(err);
	l->nbad++;
	return 0;
}

const char *ebb_verify_log_at(const struct ebb_verify_log *l)
{
	return l->n && !l->ranges[l->n - 1].end ? l->ranges[l->n - 1].to : "";
}

/* Keys of records have no NUL behind them. */
static int compare(const struct ebb_record *rec, const char *key)
{
	size_t len = strlen(key), n = rec->key_len < len ? rec->key_len : len;
	int d = memcmp(rec->key, key, n);

	return d ? d : (rec->key_len > len) - (rec->key_len < len);
}

struct ebb_verify_log_range *ebb_verify_log_newest(const struct ebb_verify_log *l, const struct ebb_record *rec, int64_t since)
{
	int64_t changed = ebb_record_has(rec, EBB_F_CTIME) ? rec->f[EBB_F_CTIME] : rec->f[EBB_F_MTIME];

	for (size_t i = l->n; i-- > 0;) {
		struct ebb_verify_log_range *r = &l->ranges[i];

		if (r->ts >= since && r->ts >= changed && compare(rec, r->from) > 0 && (r->end || compare(rec, r->to) <= 0))
			return r;
	}
	return NULL;
}

/* --- On disk --- */

static int path_of(const char *index, const char *store, char **ret_dir, char **ret, struct ebb_err *err)
{
	if (asprintf(ret_dir, "%s/verify", index) < 0)
		*ret_dir = NULL;
	if (asprintf(ret, "%s/verify/%s.jsonl", index, store) < 0)
		*ret = NULL;
	return *ret && *ret_dir ? 0 : no_memory(err);
}

static int put_line(struct ebb_linefile_writer *w, struct ebb_jsonput *j, struct ebb_err *err)
{
	ebb_jsonput_shut(j, '}');
	int r = j->bad ? no_memory(err) : ebb_linefile_write(w, j->b.data, j->b.len, err);

	if (r == 0)
		r = ebb_linefile_write(w, "\n", 1, err);
	ebb_buf_clear(&j->b);
	j->comma = false;
	return r;
}

static int put_range(struct ebb_linefile_writer *w, struct ebb_jsonput *j, const struct ebb_verify_log_range *r, struct ebb_err *err)
{
	ebb_jsonput_open(j, NULL, '{');
	ebb_jsonput_int(j, "ts_ns", r->ts);
	ebb_jsonput_bytes(j, "from", r->from, strlen(r->from));
	ebb_jsonput_bytes(j, "to", r->to, strlen(r->to));
	ebb_jsonput_begin(j, "end");
	ebb_jsonput_raw(j, r->end ? "true" : "false");
	ebb_jsonput_int(j, "objects", r->objects);
	ebb_jsonput_int(j, "bytes", r->bytes);
	ebb_jsonput_int(j, "bad", r->bad);
	return put_line(w, j, err);
}

static int put_all(struct ebb_linefile_writer *w, struct ebb_jsonput *j, const struct ebb_verify_log *l, int64_t now, struct ebb_err *err)
{
	ebb_jsonput_open(j, NULL, '{');
	ebb_jsonput_string(j, "schema", SCHEMA);
	int r = put_line(w, j, err);

	for (size_t i = 0; r == 0 && i < l->n; i++)
		if (l->ranges[i].ts > now - KEPT || i + 1 == l->n)
			r = put_range(w, j, &l->ranges[i], err);
	for (size_t i = 0; r == 0 && i < l->nbad; i++) {
		if (l->bad[i].healed)
			continue;
		ebb_jsonput_open(j, NULL, '{');
		ebb_jsonput_int(j, "ts_ns", l->bad[i].ts);
		ebb_jsonput_bytes(j, "path", l->bad[i].key, strlen(l->bad[i].key));
		ebb_jsonput_bytes(j, "why", l->bad[i].why, strlen(l->bad[i].why));
		r = put_line(w, j, err);
	}
	return r;
}

int ebb_verify_log_write(const char *index, const char *store, const struct ebb_verify_log *l, int64_t now, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_abortp) struct ebb_linefile_writer *w = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	struct ebb_jsonput j = EBB_JSONPUT_INIT;
	int r = path_of(index, store, &dir, &path, err);

	if (r == 0 && mkdir(dir, 0700) < 0 && errno != EEXIST)
		r = ebb_err_sys(err, errno, "cannot create '%s'", dir);
	if (r == 0)
		r = ebb_linefile_create(path, &w, err);
	if (r == 0)
		r = put_all(w, &j, l, now, err);
	ebb_buf_release(&j.b);
	if (r == 0) {
		r = ebb_linefile_commit(w, err);
		w = NULL;
	}
	return r;
}

static int read_line(struct ebb_verify_log *l, const char *text, size_t len, const char *path, int64_t line, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_jsonline_release) struct ebb_jsonline j = {0};
	size_t n;

	if (ebb_jsonline_parse(&j, text, len, path, line, EBB_EJOURNAL, err) < 0)
		return j.r;
	if (line == 1) {
		const char *schema = ebb_jsonline_str(&j, "schema");
		return schema && strcmp(schema, SCHEMA) != 0 ? ebb_jsonline_bad(&j, "is no log of this version") : j.r;
	}
	int64_t ts = ebb_jsonline_int(&j, "ts_ns", INT64_MIN, INT64_MAX);
	const char *key = ebb_jsonline_bytes(&j, &l->arena, "path", EBB_KEY_MAX, &n);
	if (key) {
		const char *why = ebb_jsonline_bytes(&j, &l->arena, "why", 4096, &n);
		return j.r < 0 ? j.r : ebb_verify_log_found(l, key, why ? why : "", ts, err);
	}
	struct ebb_verify_log_range r = {
		.ts = ts, .from = ebb_jsonline_bytes(&j, &l->arena, "from", EBB_KEY_MAX, &n),
		.to = ebb_jsonline_bytes(&j, &l->arena, "to", EBB_KEY_MAX, &n), .end = ebb_jsonline_bool(&j, "end"),
		.objects = ebb_jsonline_int(&j, "objects", 0, INT64_MAX), .bytes = ebb_jsonline_int(&j, "bytes", 0, INT64_MAX),
		.bad = ebb_jsonline_int(&j, "bad", 0, INT64_MAX),
	};
	r.from = r.from ? r.from : "";
	r.to = r.to ? r.to : "";
	return j.r < 0 ? j.r : ebb_verify_log_add(l, &r, err);
}

int ebb_verify_log_read(const char *index, const char *store, struct ebb_verify_log *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_closep) struct ebb_linefile_reader *f = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	struct ebb_err why = {0};
	char *text;
	size_t len;
	int r = path_of(index, store, &dir, &path, err);

	*ret = (struct ebb_verify_log){0};
	ebb_arena_init(&ret->arena, 0);
	if (r < 0)
		return r;
	r = ebb_linefile_open(path, LINE_MAX_BYTES, &f, &why);
	if (r < 0)
		return r == -EBB_ENOENT ? 0 : ebb_err_set(err, -r, "%s", why.msg);
	while ((r = ebb_linefile_next(f, &text, &len, err)) == 1)
		if ((r = read_line(ret, text, len, path, ebb_linefile_line(f), err)) < 0)
			return r;
	return r;
}
