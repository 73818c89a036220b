/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/thaw_order.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/jsonline.h"
#include "agent/jsonput.h"
#include "agent/linefile.h"

#define FOLDER "/thaws"
#define SUFFIX ".jsonl"
#define SCHEMA "ebb.thaw/1"
#define LINE_MAX_BYTES ((size_t)64 * 1024)
#define HOUR (3600 * EBB_CLOCK_SECOND)

static const char *const states[EBB_THAW_ORDER_STATES] = {"asking", "asked", "ready"};

const char *ebb_thaw_order_state_name(enum ebb_thaw_order_state s)
{
	return states[s];
}

int64_t ebb_thaw_order_ready(const struct ebb_thaw_order *o)
{
	return o->asked + o->hours * HOUR;
}

int64_t ebb_thaw_order_gone(const struct ebb_thaw_order *o)
{
	/* S3 rounds the end up to the next midnight UTC; some time to spare where hours are not known */
	return ebb_thaw_order_ready(o) + (o->days + (o->hours ? 1 : 3)) * 24 * HOUR;
}

static int path_of(const char *index, const char *id, char **ret, struct ebb_err *err)
{
	if (asprintf(ret, "%s" FOLDER "/%s" SUFFIX, index, id) >= 0)
		return 0;
	*ret = NULL;
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* --- Writing --- */

/* The folder, and a name that is not taken. */
static int name_it(const char *index, struct ebb_thaw_order *o, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;
	time_t t = (time_t)(o->asked / EBB_CLOCK_SECOND);
	char stamp[17] = "";
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	if (asprintf(&dir, "%s" FOLDER, index) < 0) {
		dir = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return ebb_err_sys(err, errno, "cannot create '%s'", dir);
	for (int k = 1; k < 1000; k++) {
		EBB_CLEANUP(ebb_mem_freep) char *path = NULL;

		snprintf(o->id, sizeof(o->id), k == 1 ? "%s" : "%s-%d", stamp, k);
		int r = path_of(index, o->id, &path, err);
		if (r < 0)
			return r;
		if (access(path, F_OK) < 0)
			return ebb_linefile_sync_dir(index, err);
	}
	return ebb_err_set(err, EBB_EEXIST, "too many orders in '%s'", dir);
}

static int put_line(struct ebb_linefile_writer *w, struct ebb_jsonput *j, struct ebb_err *err)
{
	ebb_jsonput_shut(j, '}');
	int r = j->bad ? ebb_err_set(err, EBB_ENOMEM, "out of memory") : ebb_linefile_write(w, j->b.data, j->b.len, err);

	if (r == 0)
		r = ebb_linefile_write(w, "\n", 1, err);
	ebb_buf_clear(&j->b);
	j->comma = false;
	return r;
}

static int put_head(struct ebb_linefile_writer *w, struct ebb_jsonput *j, const struct ebb_thaw_order *o, struct ebb_err *err)
{
	ebb_jsonput_open(j, NULL, '{');
	ebb_jsonput_string(j, "schema", SCHEMA);
	ebb_jsonput_string(j, "state", states[o->state]);
	ebb_jsonput_string(j, "speed", ebb_price_speed_name(o->speed));
	ebb_jsonput_int(j, "days", o->days);
	ebb_jsonput_int(j, "asked_ns", o->asked);
	ebb_jsonput_int(j, "hours", o->hours);
	ebb_jsonput_int(j, "objects", o->objects);
	ebb_jsonput_int(j, "bytes", o->bytes);
	ebb_jsonput_int(j, "cost_nano", o->cost.nano);
	ebb_jsonput_string(j, "currency", o->cost.currency);
	ebb_jsonput_int(j, "expires_ns", o->expires);
	return put_line(w, j, err);
}

static bool is_of_order(const struct ebb_thaw_item *i)
{
	return i->state != EBB_STORE_AWAKE;
}

static int put_items(struct ebb_linefile_writer *w, struct ebb_jsonput *j, const struct ebb_thaw *t, struct ebb_err *err)
{
	int r = 0;

	for (size_t k = 0; r == 0 && k < t->n; k++) {
		const struct ebb_thaw_item *i = &t->items[k];

		if (!is_of_order(i))
			continue;
		ebb_jsonput_open(j, NULL, '{');
		ebb_jsonput_string(j, "store", i->store);
		ebb_jsonput_bytes(j, "path", i->key, strlen(i->key));
		ebb_jsonput_string(j, "class", i->class);
		ebb_jsonput_int(j, "size", i->size);
		r = put_line(w, j, err);
	}
	return r;
}

int ebb_thaw_order_write(const char *index, struct ebb_thaw_order *o, const struct ebb_thaw *t, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_abortp) struct ebb_linefile_writer *w = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	struct ebb_jsonput j = EBB_JSONPUT_INIT;
	int r = *o->id ? 0 : name_it(index, o, err);

	if (r < 0)
		return r;
	o->objects = o->bytes = 0;
	for (size_t i = 0; i < t->n; i++) {
		o->objects += is_of_order(&t->items[i]);
		o->bytes += is_of_order(&t->items[i]) ? t->items[i].size : 0;
	}
	r = path_of(index, o->id, &path, err);
	if (r == 0)
		r = ebb_linefile_create(path, &w, err);
	if (r == 0)
		r = put_head(w, &j, o, err);
	if (r == 0)
		r = put_items(w, &j, t, err);
	ebb_buf_release(&j.b);
	if (r == 0) {
		r = ebb_linefile_commit(w, err);
		w = NULL;
	}
	return r;
}

/* --- Reading --- */

static int one_of(struct ebb_jsonline *l, const char *name, const char *(*word)(int), int n)
{
	const char *text = ebb_jsonline_str(l, name);

	for (int i = 0; text && i < n; i++)
		if (strcmp(word(i), text) == 0)
			return i;
	ebb_jsonline_bad(l, "\"%s\" is none of its words", name);
	return 0;
}

static const char *state_word(int i)
{
	return states[i];
}

static const char *speed_word(int i)
{
	return ebb_price_speed_name((enum ebb_price_speed)i);
}

static int read_head(struct ebb_linefile_reader *f, struct ebb_thaw_order *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_jsonline_release) struct ebb_jsonline l = {0};
	char *text;
	size_t len;
	int r = ebb_linefile_next(f, &text, &len, err);

	if (r == 0)
		r = ebb_err_set(err, EBB_EJOURNAL, "'%s' is empty", ebb_linefile_path(f));
	if (r < 0)
		return r;
	if (ebb_jsonline_parse(&l, text, len, ebb_linefile_path(f), 1, EBB_EJOURNAL, err) < 0)
		return l.r;
	const char *schema = ebb_jsonline_str(&l, "schema"), *currency = ebb_jsonline_str(&l, "currency");
	if (schema && strcmp(schema, SCHEMA) != 0)
		return ebb_jsonline_bad(&l, "is no order of this version");
	ret->state = (enum ebb_thaw_order_state)one_of(&l, "state", state_word, EBB_THAW_ORDER_STATES);
	ret->speed = (enum ebb_price_speed)one_of(&l, "speed", speed_word, EBB_PRICE_SPEEDS);
	ret->days = ebb_jsonline_int(&l, "days", 1, 36500);
	ret->asked = ebb_jsonline_int(&l, "asked_ns", 0, INT64_MAX / 2);
	ret->hours = ebb_jsonline_int(&l, "hours", 0, 100000);
	ret->objects = ebb_jsonline_int(&l, "objects", 0, INT64_MAX);
	ret->bytes = ebb_jsonline_int(&l, "bytes", 0, INT64_MAX);
	ret->cost.nano = ebb_jsonline_int(&l, "cost_nano", INT64_MIN, INT64_MAX);
	ret->expires = ebb_jsonline_int(&l, "expires_ns", 0, INT64_MAX);
	if (currency)
		snprintf(ret->cost.currency, sizeof(ret->cost.currency), "%s", currency);
	return l.r;
}

static int open_order(const char *index, const char *id, struct ebb_linefile_reader **ret, struct ebb_thaw_order *ret_head,
		      struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_closep) struct ebb_linefile_reader *f = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	int r = path_of(index, id, &path, err);

	*ret_head = (struct ebb_thaw_order){0};
	if (r == 0)
		r = ebb_linefile_open(path, LINE_MAX_BYTES, &f, err);
	if (r == 0)
		r = read_head(f, ret_head, err);
	if (r < 0)
		return r;
	snprintf(ret_head->id, sizeof(ret_head->id), "%s", id);
	*ret = f;
	f = NULL;
	return 0;
}

/* Next object; strings in @arena. 1, 0 at the end. */
static int next_item(struct ebb_linefile_reader *f, struct ebb_arena *arena, const char **ret_store, const char **ret_key,
		     struct ebb_record *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_jsonline_release) struct ebb_jsonline l = {0};
	char *text;
	size_t len;
	int r = ebb_linefile_next(f, &text, &len, err);

	if (r <= 0)
		return r;
	if (ebb_jsonline_parse(&l, text, len, ebb_linefile_path(f), ebb_linefile_line(f), EBB_EJOURNAL, err) < 0)
		return l.r;
	const char *store = ebb_jsonline_str(&l, "store"), *class = ebb_jsonline_str(&l, "class");
	*ret_key = ebb_jsonline_bytes(&l, arena, "path", EBB_KEY_MAX, &len);
	*ret_store = store ? ebb_arena_strdup(arena, store) : NULL;
	*ret = (struct ebb_record){0};
	ebb_record_set(ret, EBB_F_SIZE, ebb_jsonline_int(&l, "size", 0, INT64_MAX));
	if (class)
		ebb_record_set(ret, EBB_F_CLASS, ebb_record_class_code(class));
	if (l.r == 0 && (!*ret_key || !*ret_store))
		ebb_jsonline_bad(&l, "has no object");
	return l.r < 0 ? l.r : 1;
}

int ebb_thaw_order_read(const char *index, const char *id, const struct ebb_storeset *stores, struct ebb_thaw *ret,
			struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_closep) struct ebb_linefile_reader *f = NULL;
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	struct ebb_thaw_order head;
	struct ebb_record rec;
	const char *store, *key;

	ebb_arena_init(&arena, 0);
	int r = open_order(index, id, &f, &head, err);
	while (r >= 0 && (r = next_item(f, &arena, &store, &key, &rec, err)) == 1) {
		const struct ebb_store *s = ebb_storeset_find(stores, store);

		r = s ? ebb_thaw_add_asked(ret, s, key, &rec, err) : 0;
		ebb_arena_release(&arena);
		ebb_arena_init(&arena, 0);
	}
	return r;
}

int ebb_thaw_order_stores(const char *index, const char *id, ebb_thaw_order_store_fn *fn, void *ctx, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_closep) struct ebb_linefile_reader *f = NULL;
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	char last[256] = "";
	struct ebb_thaw_order head;
	struct ebb_record rec;
	const char *store, *key;

	ebb_arena_init(&arena, 0);
	int r = open_order(index, id, &f, &head, err);
	while (r >= 0 && (r = next_item(f, &arena, &store, &key, &rec, err)) == 1) {
		if (strcmp(last, store) != 0) /* objects are in order of stores */
			r = fn(ctx, store, err);
		snprintf(last, sizeof(last), "%s", store);
		ebb_arena_release(&arena);
		ebb_arena_init(&arena, 0);
	}
	return r;
}

static int is_order(const struct dirent *e)
{
	size_t len = strlen(e->d_name), end = strlen(SUFFIX);

	return len > end && len - end < EBB_THAW_ORDER_ID_MAX && strcmp(e->d_name + len - end, SUFFIX) == 0;
}

static int one_order(const char *index, const char *name, ebb_thaw_order_fn *fn, void *ctx, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_closep) struct ebb_linefile_reader *f = NULL;
	char id[EBB_THAW_ORDER_ID_MAX];
	struct ebb_thaw_order o;

	snprintf(id, sizeof(id), "%.*s", (int)(strlen(name) - strlen(SUFFIX)), name);
	int r = open_order(index, id, &f, &o, err);
	return r < 0 ? r : fn(ctx, &o, err);
}

int ebb_thaw_order_each(const char *index, ebb_thaw_order_fn *fn, void *ctx, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;
	struct dirent **names = NULL;
	int r = 0;

	if (asprintf(&dir, "%s" FOLDER, index) < 0) {
		dir = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	int n = scandir(dir, &names, is_order, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0 : ebb_err_sys(err, errno, "cannot read '%s'", dir);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = one_order(index, names[i]->d_name, fn, ctx, err);
		free(names[i]);
	}
	free(names);
	return r;
}

int ebb_thaw_order_remove(const char *index, const char *id, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	int r = path_of(index, id, &path, err);

	if (r == 0 && unlink(path) < 0)
		r = ebb_err_sys(err, errno, "cannot remove '%s'", path);
	return r;
}
