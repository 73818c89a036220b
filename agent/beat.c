/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/beat.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/out.h"
#include "core/mem.h"
#include "core/units.h"

static char *path_of(const char *index_dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/agent/%s", index_dir, name) < 0 ? NULL : path;
}

static json_t *to_json(const struct ebb_beat *b)
{
	json_t *last = json_pack("{s:s, s:i}", "kind", b->kind, "exit", b->exit);
	json_t *o = json_pack("{s:I, s:s, s:s, s:s?, s:I}", "pid", (json_int_t)b->pid, "state", b->state, "config", b->config,
			      "config_error", *b->error ? b->error : NULL, "done_due_ns", (json_int_t)b->done_due);
	int bad = !o || !last || ebb_out_json_time(o, "beat", b->beat) || ebb_out_json_time(o, "config_loaded", b->loaded) ||
		  (b->next != INT64_MAX && ebb_out_json_time(o, "next", b->next)) || ebb_out_json_time(last, "started", b->started) ||
		  (b->ended && ebb_out_json_time(last, "ended", b->ended));

	if (!bad && *b->kind)
		bad = json_object_set(o, "last", last);
	json_decref(last);
	if (bad) {
		json_decref(o);
		return NULL;
	}
	return o;
}

int ebb_beat_write(const char *index_dir, const struct ebb_beat *b, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = path_of(index_dir, "status.json");
	EBB_CLEANUP(ebb_mem_freep) char *tmp = path_of(index_dir, "status.tmp");
	json_t *o = to_json(b);
	/* never through a link that somebody put there */
	int fd = path && tmp && o ? open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	int bad = !f || json_dumpf(o, f, JSON_COMPACT) || fputc('\n', f) == EOF;

	if (f ? fclose(f) : fd >= 0 && close(fd))
		bad = 1;
	json_decref(o);
	if (!path || !tmp || !o)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	return bad || rename(tmp, path) ? ebb_err_sys(err, errno, "cannot write '%s'", path) : 0;
}

static void text_of(const json_t *o, const char *name, char *ret, size_t size)
{
	const char *s = json_string_value(json_object_get(o, name));

	snprintf(ret, size, "%s", s ? s : "");
}

static int64_t time_of(const json_t *o, const char *name, int64_t missing)
{
	const char *s = json_string_value(json_object_get(o, name));
	int64_t ns;

	return s && ebb_units_parse_time(s, &ns, NULL) == 0 ? ns : missing;
}

int ebb_beat_read(const char *index_dir, struct ebb_beat *ret)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = path_of(index_dir, "status.json");
	json_t *o = path ? json_load_file(path, 0, NULL) : NULL;
	const json_t *last = json_object_get(o, "last"), *due = json_object_get(o, "done_due_ns");

	if (!json_is_integer(due)) {
		json_decref(o);
		return 0;
	}
	*ret = (struct ebb_beat){
		.pid = (long)json_integer_value(json_object_get(o, "pid")),
		.beat = time_of(o, "beat", 0),
		.loaded = time_of(o, "config_loaded", 0),
		.next = time_of(o, "next", INT64_MAX),
		.done_due = json_integer_value(due),
		.started = time_of(last, "started", 0),
		.ended = time_of(last, "ended", 0),
		.exit = (int)json_integer_value(json_object_get(last, "exit")),
	};
	text_of(o, "state", ret->state, sizeof(ret->state));
	text_of(o, "config", ret->config, sizeof(ret->config));
	text_of(o, "config_error", ret->error, sizeof(ret->error));
	text_of(last, "kind", ret->kind, sizeof(ret->kind));
	json_decref(o);
	return 1;
}

bool ebb_beat_alive(const struct ebb_beat *b, int64_t now)
{
	if (strcmp(b->state, "stopped") == 0 || b->beat < now - EBB_BEAT_MAX_AGE || b->pid <= 0)
		return false;
	return kill((pid_t)b->pid, 0) == 0 || errno == EPERM;
}
