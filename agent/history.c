/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/history.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/jsonline.h"
#include "agent/linefile.h"
#include "core/arena.h"
#include "core/date.h"
#include "core/text.h"
#include "core/units.h"
#include "core/utf8.h"

#define SCHEMA "ebb.history/1"
#define FOLDER "history"
/* Longest line: every dimension full of long names. */
#define LINE_MAX_BYTES (8u << 20)
/* Most dimensions that are read of a line. */
#define DIMS_MAX 64

struct ebb_history {
	struct ebb_arena arena;
	struct ebb_history_look *looks;	/* by day, store, time */
	size_t n, room;
	uint64_t bad, future;
	const char *currency;
};

static int64_t day_of(int64_t ns)
{
	return ns / EBB_DATE_DAY_NS - (ns % EBB_DATE_DAY_NS < 0);
}

/* --- Writing --- */

static json_t *text_or_quoted(const char *s)
{
	char quoted[256];

	return ebb_utf8_valid(s, strlen(s)) ? json_string(s)
					    : json_string(ebb_text_quotes(s, quoted, sizeof(quoted)));
}

static json_t *dim_json(const struct ebb_history_dim *d)
{
	json_t *a = json_array();
	struct ebb_history_row rest = {EBB_HISTORY_OTHERS, 0, 0, 0};

	for (size_t i = 0; i < d->n; i++) {
		const struct ebb_history_row *r = &d->rows[i];

		if (i < EBB_HISTORY_ROWS) {
			json_array_append_new(a, json_pack("[oIII]", text_or_quoted(r->value),
							   (json_int_t)r->objects, (json_int_t)r->bytes,
							   (json_int_t)r->cost));
			continue;
		}
		rest.objects += r->objects;
		rest.bytes += r->bytes;
		rest.cost += r->cost;
	}
	if (rest.objects)
		json_array_append_new(a, json_pack("[sIII]", rest.value, (json_int_t)rest.objects,
						   (json_int_t)rest.bytes, (json_int_t)rest.cost));
	return a;
}

static int line_of(const struct ebb_history_look *l, struct ebb_buf *out, struct ebb_err *err)
{
	char time[EBB_UNITS_TEXT];
	json_t *by = json_object();
	json_t *o = json_pack("{ss ss ss ss sI sI sI sI}", "schema", SCHEMA, "time",
			      ebb_units_exact_time(l->time, time), "store", l->store, "currency", l->currency,
			      "objects", (json_int_t)l->objects, "bytes", (json_int_t)l->bytes,
			      "cost_month_nano", (json_int_t)l->cost, "unpriced_bytes",
			      (json_int_t)l->unpriced_bytes);
	int bad = !o || !by;

	for (size_t i = 0; i < l->ndims && !bad; i++)
		bad = json_object_set_new(by, l->dims[i].name, dim_json(&l->dims[i]));
	if (bad || json_object_set(o, "by", by) < 0) {
		json_decref(o);
		o = NULL;
	}
	json_decref(by);
	int r = ebb_jsonline_dump(out, o, err);
	return r < 0 ? r : ebb_buf_adds(out, "\n") < 0 ? ebb_err_set(err, EBB_ENOMEM, "out of memory") : 0;
}

/* Cut off a last line without a newline, what a crash in an append leaves. */
static int cut_torn(int fd, const char *path, struct ebb_err *err)
{
	off_t end = lseek(fd, 0, SEEK_END), at = end;
	char c = 0;

	while (at > 0 && pread(fd, &c, 1, at - 1) == 1 && c != '\n')
		at--;
	if (at != end && ftruncate(fd, at) < 0)
		return ebb_err_sys(err, errno, "cannot cut a torn line off '%s'", path);
	return 0;
}

static int write_all(int fd, const struct ebb_buf *b, const char *path, struct ebb_err *err)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->data + at, b->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ebb_err_sys(err, errno, "cannot write '%s'", path);
		at += (size_t)n;
	}
	return fsync(fd) < 0 ? ebb_err_sys(err, errno, "cannot write '%s'", path) : 0;
}

int ebb_history_append(const char *index_dir, const struct ebb_history_look *look, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf line = EBB_BUF_INIT(LINE_MAX_BYTES);
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	struct ebb_date d = ebb_date_of(look->time);

	if (asprintf(&dir, "%s/" FOLDER, index_dir) < 0 ||
	    asprintf(&path, "%s/%04d-%02d.jsonl", dir, d.year, d.month) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	int r = line_of(look, &line, err);
	if (r < 0)
		return r;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return ebb_err_sys(err, errno, "cannot make '%s'", dir);
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	r = cut_torn(fd, path, err);
	if (r == 0)
		r = write_all(fd, &line, path, err);
	return r == 0 ? ebb_linefile_sync_dir(dir, err) : r;
}

/* --- Reading --- */

static int read_rows(struct ebb_jsonline *l, json_t *a, struct ebb_arena *arena, struct ebb_history_dim *d)
{
	size_t n = json_array_size(a);
	struct ebb_history_row *rows = ebb_arena_calloc(arena, n + 1, sizeof(*rows));

	if (!rows)
		return ebb_jsonline_bad(l, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const char *value;
		json_int_t objects, bytes, cost;

		if (json_unpack(json_array_get(a, i), "[sIII]", &value, &objects, &bytes, &cost) < 0)
			return ebb_jsonline_bad(l, "a row of \"%s\" is not one", d->name);
		rows[i] = (struct ebb_history_row){ebb_arena_strdup(arena, value), objects, bytes, cost};
		if (!rows[i].value)
			return ebb_jsonline_bad(l, "out of memory");
	}
	d->rows = rows;
	d->n = n;
	return 0;
}

static int read_dims(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_history_look *ret)
{
	json_t *by = ebb_jsonline_object(l, "by"), *rows;
	struct ebb_history_dim *dims = ebb_arena_calloc(arena, DIMS_MAX, sizeof(*dims));
	const char *name;

	if (l->r == 0 && !dims)
		ebb_jsonline_bad(l, "out of memory");
	json_object_foreach(by, name, rows) {
		if (l->r < 0 || ret->ndims == DIMS_MAX)
			break;
		dims[ret->ndims].name = ebb_arena_strdup(arena, name);
		read_rows(l, rows, arena, &dims[ret->ndims++]);
	}
	ret->dims = dims;
	return l->r;
}

static int read_look(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_history_look *ret)
{
	const char *schema = ebb_jsonline_str(l, "schema"), *time = ebb_jsonline_str(l, "time");
	const char *store = ebb_jsonline_str(l, "store"), *currency = ebb_jsonline_str(l, "currency");

	*ret = (struct ebb_history_look){
		.objects = ebb_jsonline_int(l, "objects", 0, INT64_MAX),
		.bytes = ebb_jsonline_int(l, "bytes", 0, INT64_MAX),
		.cost = ebb_jsonline_int(l, "cost_month_nano", INT64_MIN, INT64_MAX),
		.unpriced_bytes = ebb_jsonline_int(l, "unpriced_bytes", 0, INT64_MAX),
	};
	if (l->r == 0 && strcmp(schema, SCHEMA) != 0)
		ebb_jsonline_bad(l, "schema '%s' is not known", schema);
	if (l->r == 0 && ebb_units_parse_time(time, &ret->time, NULL) < 0)
		ebb_jsonline_bad(l, "'%s' is no time", time);
	if (l->r < 0)
		return l->r;
	ret->store = ebb_arena_strdup(arena, store);
	ret->currency = ebb_arena_strdup(arena, currency);
	if (!ret->store || !ret->currency)
		return ebb_jsonline_bad(l, "out of memory");
	return read_dims(l, arena, ret);
}

static int keep(struct ebb_history *h, const struct ebb_history_look *look, struct ebb_err *err)
{
	if (h->n == h->room) {
		size_t room = h->room ? 2 * h->room : 256;
		void *p = reallocarray(h->looks, room, sizeof(*h->looks));

		if (!p)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		h->looks = p;
		h->room = room;
	}
	h->looks[h->n++] = *look;
	return 0;
}

static int load_file(struct ebb_history *h, const char *path, int64_t since_day, int64_t now,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_closep) struct ebb_linefile_reader *in = NULL;
	struct ebb_history_look look;
	char *text;
	size_t len;
	int r = ebb_linefile_open(path, LINE_MAX_BYTES, &in, err);

	while (r == 0 && (r = ebb_linefile_next(in, &text, &len, err)) == 1) {
		struct ebb_jsonline l;

		r = ebb_jsonline_parse(&l, text, len, path, ebb_linefile_line(in), EBB_ECORRUPT, NULL);
		if (r == 0)
			r = read_look(&l, &h->arena, &look);
		ebb_jsonline_release(&l);
		if (r < 0) {
			h->bad++;
			r = 0;
		} else if (look.time > now) {
			h->future++;
		} else if (day_of(look.time) >= since_day) {
			r = keep(h, &look, err);
		}
	}
	if (r == -EBB_ECORRUPT || r == -EBB_ERANGE) { /* a torn last line, or one that is no line of ours */
		ebb_err_clear(err);
		h->bad++;
		return 0;
	}
	return r;
}

static int by_day_store_time(const void *pa, const void *pb)
{
	const struct ebb_history_look *a = pa, *b = pb;
	int64_t x = day_of(a->time), y = day_of(b->time);
	int c = strcmp(a->store, b->store);

	if (x != y)
		return x < y ? -1 : 1;
	if (c)
		return c;
	return a->time < b->time ? -1 : a->time > b->time;
}

/* Only the last look of a store on a day counts. */
static void keep_last(struct ebb_history *h)
{
	size_t n = 0;

	if (h->n)
		qsort(h->looks, h->n, sizeof(*h->looks), by_day_store_time);
	for (size_t i = 0; i < h->n; i++) {
		const struct ebb_history_look *a = &h->looks[i], *b = a + 1;

		if (i + 1 == h->n || day_of(a->time) != day_of(b->time) || strcmp(a->store, b->store) != 0)
			h->looks[n++] = *a;
	}
	h->n = n;
	h->currency = "";
	for (size_t i = 0; i < n; i++)
		if (*h->looks[i].currency)
			h->currency = h->looks[i].currency;
}

/* "2026-11.jsonl" whose month reaches @since_day. */
static bool is_month(const char *name, int64_t since_day)
{
	struct ebb_date since = ebb_date_of(since_day * EBB_DATE_DAY_NS);
	int year, month, end = 0;

	if (sscanf(name, "%4d-%2d.jsonl%n", &year, &month, &end) != 2 || !end || name[end])
		return false;
	return year > since.year || (year == since.year && month >= since.month);
}

int ebb_history_load(const char *index_dir, int64_t since_day, int64_t now, struct ebb_history **ret,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_history_freep) struct ebb_history *h = calloc(1, sizeof(*h));
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;
	struct dirent **names = NULL;
	int r = 0;

	if (!h || asprintf(&dir, "%s/" FOLDER, index_dir) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	ebb_arena_init(&h->arena, 0);
	int n = scandir(dir, &names, NULL, alphasort);
	if (n < 0 && errno != ENOENT)
		return ebb_err_sys(err, errno, "cannot read '%s'", dir);
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		if (r == 0 && is_month(names[i]->d_name, since_day)) {
			snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
			r = load_file(h, path, since_day, now, err);
		}
		free(names[i]);
	}
	free(names);
	if (r < 0)
		return r;
	keep_last(h);
	*ret = h;
	h = NULL;
	return 0;
}

void ebb_history_free(struct ebb_history *h)
{
	if (!h)
		return;
	ebb_arena_release(&h->arena);
	free(h->looks);
	free(h);
}

uint64_t ebb_history_bad(const struct ebb_history *h)
{
	return h->bad;
}

uint64_t ebb_history_future(const struct ebb_history *h)
{
	return h->future;
}

const char *ebb_history_currency(const struct ebb_history *h)
{
	return h->currency;
}

size_t ebb_history_count(const struct ebb_history *h)
{
	return h->n;
}

const struct ebb_history_look *ebb_history_get(const struct ebb_history *h, size_t i)
{
	return &h->looks[i];
}

/* --- Series --- */

/* What a look says of a row; nothing when it has no such row. */
static struct ebb_history_row part_of(const struct ebb_history *h, const struct ebb_history_look *l,
				      const char *dim, const char *value)
{
	struct ebb_history_row row = {value, 0, 0, 0};

	bool store = dim && strcmp(dim, "store") == 0;

	if (!dim || (store && strcmp(l->store, value) == 0))
		row = (struct ebb_history_row){NULL, l->objects, l->bytes, l->cost};
	for (size_t i = 0; dim && i < l->ndims; i++)
		for (size_t k = 0; strcmp(l->dims[i].name, dim) == 0 && k < l->dims[i].n; k++)
			if (strcmp(l->dims[i].rows[k].value, value) == 0)
				row = l->dims[i].rows[k];
	if (strcmp(l->currency, h->currency) != 0)
		row.cost = 0;
	return row;
}

/* Add a look's part from its day until the next look at that store, or the end. */
static void spread(const struct ebb_history *h, size_t at, const char *dim, const char *value,
		   struct ebb_history_day *days, int64_t n)
{
	const struct ebb_history_look *l = &h->looks[at];
	struct ebb_history_row part = part_of(h, l, dim, value);
	int64_t from = day_of(l->time) - days[0].day, to = n;

	for (size_t i = at + 1; i < h->n && to == n; i++)
		if (strcmp(h->looks[i].store, l->store) == 0)
			to = day_of(h->looks[i].time) - days[0].day;
	for (int64_t d = from; d < to; d++) {
		days[d].objects += part.objects;
		days[d].bytes += part.bytes;
		days[d].cost += part.cost;
	}
	days[from].carried = false;
}

int64_t ebb_history_series(const struct ebb_history *h, const char *store, const char *dim,
			   const char *value, int64_t today, struct ebb_history_day **ret, struct ebb_err *err)
{
	size_t first = 0;

	*ret = NULL;
	while (first < h->n && store && strcmp(h->looks[first].store, store) != 0)
		first++;
	if (first == h->n)
		return 0;
	int64_t begin = day_of(h->looks[first].time), last = day_of(h->looks[h->n - 1].time);
	int64_t n = (today > last ? today : last) - begin + 1;
	struct ebb_history_day *days = calloc((size_t)n, sizeof(*days));
	if (!days)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (int64_t i = 0; i < n; i++)
		days[i] = (struct ebb_history_day){.day = begin + i, .carried = true};
	for (size_t i = first; i < h->n; i++)
		if (!store || strcmp(h->looks[i].store, store) == 0)
			spread(h, i, dim, value, days, n);
	*ret = days;
	return n;
}
