/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/pending.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/linefile.h"
#include "agent/out.h"
#include "core/units.h"

/* Digits of a plan's id that name its files. */
#define NAME_LEN 12

static const char suffix[] = ".json";

int ebb_pending_path(const char *index_dir, const char *name, char **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;

	if (asprintf(&dir, "%s/pending", index_dir) < 0) {
		dir = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	if (mkdir(dir, 0700) == 0) {
		int r = ebb_linefile_sync_dir(index_dir, err);
		if (r < 0)
			return r;
	} else if (errno != EEXIST) {
		return ebb_err_sys(err, errno, "cannot create '%s'", dir);
	}
	if (asprintf(ret, "%s/%s", dir, name) < 0) {
		*ret = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	return 0;
}

static int path_of(const char *index_dir, const char *plan, const char *end, char **ret, struct ebb_err *err)
{
	char name[NAME_LEN + 16];

	snprintf(name, sizeof(name), "%.*s%s", NAME_LEN, plan, end);
	return ebb_pending_path(index_dir, name, ret, err);
}

/* --- Reading --- */

static int64_t time_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	int64_t ns = 0;

	return s && ebb_units_parse_time(s, &ns, NULL) == 0 ? ns : 0;
}

static void text_of(const json_t *o, const char *name, char *ret, size_t size)
{
	const char *s = json_string_value(json_object_get(o, name));

	snprintf(ret, size, "%s", s ? s : "");
}

static int read_one(const char *index_dir, const char *file, struct ebb_pending *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	struct ebb_pending p = {.state = EBB_PENDING_WAITING};
	char state[16];
	int r = ebb_pending_path(index_dir, file, &path, err);

	if (r < 0)
		return r;
	json_t *o = json_load_file(path, 0, NULL);
	text_of(o, "plan", p.plan, sizeof(p.plan));
	text_of(o, "state", state, sizeof(state));
	text_of(o, "above", p.above, sizeof(p.above));
	text_of(o, "by", p.by, sizeof(p.by));
	text_of(o, "reason", p.reason, sizeof(p.reason));
	p.made = time_of(o, "made");
	p.decided = time_of(o, "decided");
	json_decref(o);
	if (strcmp(state, "approved") == 0)
		p.state = EBB_PENDING_APPROVED;
	else if (strcmp(state, "waiting") != 0)
		p.plan[0] = 0;
	if (strlen(p.plan) != EBB_PLANFILE_ID_LEN - 1 || strspn(p.plan, "0123456789abcdef") != EBB_PLANFILE_ID_LEN - 1 ||
	    strncmp(p.plan, file, NAME_LEN) != 0)
		return ebb_err_set(err, EBB_EJOURNAL, "'%s' tells of no plan that waits; remove it and the plan beside it", path);
	if ((r = path_of(index_dir, p.plan, ".jsonl", &p.path, err)) < 0)
		return r;
	*ret = p;
	return 0;
}

static int by_age(const void *a, const void *b)
{
	const struct ebb_pending *x = a, *y = b;

	return x->made < y->made ? -1 : x->made > y->made ? 1 : strcmp(x->plan, y->plan);
}

static bool is_record(const char *name)
{
	return strlen(name) == NAME_LEN + sizeof(suffix) - 1 && strcmp(name + NAME_LEN, suffix) == 0;
}

int ebb_pending_list(const char *index_dir, struct ebb_pendings *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;
	struct dirent *e;
	int r = 0;

	if (asprintf(&dir, "%s/pending", index_dir) < 0) {
		dir = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	DIR *d = opendir(dir);
	if (!d)
		return errno == ENOENT ? 0 : ebb_err_sys(err, errno, "cannot open '%s'", dir);
	while (r == 0 && (e = readdir(d))) {
		if (!is_record(e->d_name))
			continue;
		struct ebb_pending *v = realloc(ret->v, (ret->n + 1) * sizeof(*v));
		if (!v) {
			r = ebb_err_set(err, EBB_ENOMEM, "out of memory");
			break;
		}
		ret->v = v;
		r = read_one(index_dir, e->d_name, &v[ret->n], err);
		ret->n += r == 0;
	}
	closedir(d);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_age);
	return r;
}

void ebb_pending_free(struct ebb_pendings *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].path);
	free(p->v);
	*p = (struct ebb_pendings){0};
}

/* --- Writing --- */

static int write_all(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t w = write(fd, s, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		s += w;
		n -= (size_t)w;
	}
	return 0;
}

/* The record, whole or not at all. @o is stolen. */
static int put(const char *index_dir, const char *plan, json_t *o, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL, *tmp = NULL, *dir = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	int r = path_of(index_dir, plan, suffix, &path, err);

	json_decref(o);
	if (r == 0)
		r = path_of(index_dir, plan, ".tmp", &tmp, err);
	if (r == 0)
		r = ebb_pending_path(index_dir, "", &dir, err);
	if (r == 0 && !text)
		r = ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (r < 0)
		return r;
	EBB_CLEANUP(ebb_mem_closep) int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write_all(fd, text, strlen(text)) || write_all(fd, "\n", 1) || fsync(fd) || rename(tmp, path))
		return ebb_err_sys(err, errno, "cannot write '%s'", path);
	return ebb_linefile_sync_dir(dir, err);
}

static json_t *record(const char *plan, int64_t made, const char *above, const char *state)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "plan", plan, "above", above, "state", state);

	if (o && ebb_out_json_time(o, "made", made)) {
		json_decref(o);
		o = NULL;
	}
	return o;
}

int ebb_pending_add(const char *index_dir, const char *path, const char *plan, int64_t now, const char *above,
		    struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *to = NULL;
	int r = path_of(index_dir, plan, ".jsonl", &to, err);

	if (r < 0)
		return r;
	if (rename(path, to))
		return ebb_err_sys(err, errno, "cannot rename '%s' to '%s'", path, to);
	return put(index_dir, plan, record(plan, now, above, "waiting"), err);
}

int ebb_pending_approve(const char *index_dir, struct ebb_pending *p, const char *by, const char *reason, int64_t now,
			struct ebb_err *err)
{
	json_t *o = record(p->plan, p->made, p->above, "approved");
	json_t *who = json_string(by), *why = json_string(reason);

	if (!o || json_object_set_new(o, "by", who) || json_object_set_new(o, "reason", why) ||
	    ebb_out_json_time(o, "decided", now)) {
		json_decref(o);
		return ebb_err_set(err, EBB_EUSAGE, "the name or the reason is not UTF-8");
	}
	int r = put(index_dir, p->plan, o, err);
	if (r < 0)
		return r;
	p->state = EBB_PENDING_APPROVED;
	p->decided = now;
	snprintf(p->by, sizeof(p->by), "%s", by);
	snprintf(p->reason, sizeof(p->reason), "%s", reason);
	return 0;
}

int ebb_pending_remove(const char *index_dir, const struct ebb_pending *p, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *record_path = NULL;
	int r = path_of(index_dir, p->plan, suffix, &record_path, err);

	if (r < 0)
		return r;
	/* the record first: without it the plan is only a file that nobody asks for */
	if (unlink(record_path) && errno != ENOENT)
		return ebb_err_sys(err, errno, "cannot remove '%s'", record_path);
	if (unlink(p->path) && errno != ENOENT)
		return ebb_err_sys(err, errno, "cannot remove '%s'", p->path);
	return 0;
}
