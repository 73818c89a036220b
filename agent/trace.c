/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "core/units.h"

#define DAY_NS (INT64_C(86400) * 1000000000)
#define COLUMNS 3
#define FIELDS_MAX 64

/* Longest life of an object, in days: a wrong century in a date should not take hours to simulate. */
#define LIFE_MAX 36525

/* --- CSV --- */

struct csv {
	const char *path;
	FILE *f;
	int64_t line;
	char *text;		/* the line, cut into fields */
	size_t room;
	const char *const *names;	/* of the columns that are wanted */
	int at[COLUMNS];		/* where they are */
	char *field[FIELDS_MAX];
};

static void csv_release(struct csv *c)
{
	free(c->text);
	if (c->f)
		fclose(c->f);
}

static int bad(const struct csv *c, struct ebb_err *err, const char *what, const char *text)
{
	char quoted[80];

	return ebb_err_set(err, EBB_ECONFIG, "%s:%" PRId64 ": %s%s%s", c->path, c->line, what,
			   text ? ": " : "", text ? ebb_text_quotes(text, quoted, sizeof(quoted)) : "");
}

/* Cut one field off at *p, in place; *p is NULL behind the last one. NULL: quotes do not match. */
static char *cut(char **p)
{
	char *in = *p, *out = *p, *field = *p;
	bool quoted = *in == '"';

	if (quoted)
		in++;
	for (; *in && (quoted || *in != ','); in++) {
		if (quoted && *in == '"') {
			if (in[1] != '"')
				break;
			in++;
		}
		*out++ = *in;
	}
	if (quoted && (*in++ != '"' || (*in && *in != ',')))
		return NULL;
	*p = *in ? in + 1 : NULL;
	*out = '\0';
	return field;
}

/* Next line with anything on it, as fields. Returns their number, 0 at the end, or a failure. */
static int csv_next(struct csv *c, struct ebb_err *err)
{
	ssize_t len;

	do {
		errno = 0;
		len = getline(&c->text, &c->room, c->f);
		if (len < 0 && feof(c->f))
			return 0;
		if (len < 0)
			return ebb_err_sys(err, errno ? errno : EIO, "cannot read '%s'", c->path);
		c->line++;
		if (strlen(c->text) != (size_t)len)
			return bad(c, err, "the line holds a NUL byte", NULL);
		while (len > 0 && (c->text[len - 1] == '\n' || c->text[len - 1] == '\r'))
			c->text[--len] = '\0';
	} while (len == 0);

	int n = 0;
	for (char *p = c->text; p; n++) {
		if (n == FIELDS_MAX)
			return bad(c, err, "the line has too many fields", NULL);
		c->field[n] = cut(&p);
		if (!c->field[n])
			return bad(c, err, "a quoted field does not end", NULL);
	}
	return n;
}

static int csv_open(struct csv *c, const char *path, const char *const names[COLUMNS],
		    struct ebb_err *err)
{
	*c = (struct csv){.path = path, .names = names, .f = fopen(path, "re")};
	if (!c->f)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);

	int n = csv_next(c, err);
	if (n < 0)
		return n;
	for (int i = 0; i < COLUMNS; i++) {
		c->at[i] = -1;
		for (int k = 0; k < n; k++)
			if (strcmp(c->field[k], names[i]) == 0)
				c->at[i] = k;
		if (c->at[i] < 0)
			return bad(c, err, "the heading has no column", names[i]);
	}
	return 0;
}

/* Next row: the wanted columns. Returns 1, 0 at the end, or a failure. */
static int csv_row(struct csv *c, char *row[COLUMNS], struct ebb_err *err)
{
	int n = csv_next(c, err);

	if (n <= 0)
		return n;
	for (int i = 0; i < COLUMNS; i++) {
		if (c->at[i] >= n)
			return bad(c, err, "the line has no field", c->names[i]);
		row[i] = c->field[c->at[i]];
	}
	return 1;
}

static int get_bytes(const struct csv *c, const char *text, int64_t *ret, struct ebb_err *err)
{
	if (ebb_units_parse_count(text, ret, NULL) < 0 || *ret > EBB_TARIFF_BYTES)
		return bad(c, err, "not a number of bytes up to 4 PiB", text);
	return 0;
}

static int get_day(const struct csv *c, const char *text, int32_t *ret, struct ebb_err *err)
{
	int64_t ns;

	if (strlen(text) != strlen("YYYY-MM-DD") || ebb_units_parse_time(text, &ns, NULL) < 0)
		return bad(c, err, "not a date (YYYY-MM-DD)", text);
	*ret = (int32_t)(ns / DAY_NS);
	return 0;
}

/* --- objects --- */

static int by_name(const void *a, const void *b, void *names)
{
	char **n = names;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int order = strcmp(n[i], n[j]);

	return order ? order : (i > j) - (i < j);
}

static int grow(struct ebb_trace *t)
{
	size_t room = t->room ? t->room * 2 : 1024;

	if (t->n < t->room)
		return 0;
	struct ebb_sim_object *objects = reallocarray(t->objects, room, sizeof(*objects));
	if (objects)
		t->objects = objects;
	char **names = objects ? reallocarray(t->names, room, sizeof(*names)) : NULL;
	if (names)
		t->names = names;
	uint32_t *lines = names ? reallocarray(t->lines, room, sizeof(*lines)) : NULL;
	if (!lines)
		return -EBB_ENOMEM;
	t->lines = lines;
	t->room = room;
	return 0;
}

static int add_object(const struct csv *c, char *row[COLUMNS], struct ebb_trace *t,
		      struct ebb_err *err)
{
	struct ebb_sim_object o;
	int r = get_bytes(c, row[1], &o.size, err);

	if (r == 0)
		r = get_day(c, row[2], &o.created, err);
	if (r < 0)
		return r;
	if (t->n == EBB_TRACE_MAX)
		return bad(c, err, "too many objects", NULL);
	if (grow(t) < 0 || !(t->names[t->n] = ebb_arena_strdup(&t->arena, row[0])))
		return ebb_err_set(err, EBB_ENOMEM, "no memory for the objects of '%s'", c->path);
	t->lines[t->n] = (uint32_t)c->line;
	t->objects[t->n++] = o;
	return 0;
}

/* Objects by name, each once. */
static int sort_names(struct ebb_trace *t, const char *path, struct ebb_err *err)
{
	char quoted[80];

	t->sorted = calloc(t->n + 1, sizeof(*t->sorted));
	if (!t->sorted)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for the objects of '%s'", path);
	for (size_t i = 0; i < t->n; i++)
		t->sorted[i] = (uint32_t)i;
	qsort_r(t->sorted, t->n, sizeof(*t->sorted), by_name, t->names);
	for (size_t i = 1; i < t->n; i++)
		if (strcmp(t->names[t->sorted[i - 1]], t->names[t->sorted[i]]) == 0)
			return ebb_err_set(err, EBB_ECONFIG, "%s:%u: object %s is there twice", path,
					   t->lines[t->sorted[i]],
					   ebb_text_quotes(t->names[t->sorted[i]], quoted, sizeof(quoted)));
	return 0;
}

int ebb_trace_objects(const char *path, struct ebb_trace *t, struct ebb_err *err)
{
	static const char *const names[COLUMNS] = {"object", "size_bytes", "created"};
	EBB_CLEANUP(csv_release) struct csv c;
	char *row[COLUMNS];

	*t = (struct ebb_trace){0};
	ebb_arena_init(&t->arena, 0);
	int r = csv_open(&c, path, names, err);
	while (r >= 0 && (r = csv_row(&c, row, err)) > 0)
		r = add_object(&c, row, t, err);
	return r < 0 ? r : sort_names(t, path, err);
}

void ebb_trace_release(struct ebb_trace *t)
{
	free(t->objects);
	free(t->names);
	free(t->lines);
	free(t->sorted);
	ebb_arena_release(&t->arena);
}

/* Number of an object, or t->n. */
static size_t find_object(const struct ebb_trace *t, const char *name)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int order = strcmp(t->names[t->sorted[mid]], name);

		if (order == 0)
			return t->sorted[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return t->n;
}

/* --- reads --- */

struct read {
	int32_t day;
	uint32_t object;
	int64_t bytes;
};

struct reads {
	bool sorted;
	int32_t last;		/* day */
	struct read *all;	/* when they are not sorted */
	size_t n, room;
};

static void reads_release(struct reads *r)
{
	free(r->all);
}

static int get_read(const struct csv *c, char *row[COLUMNS], const struct ebb_trace *t,
		    struct read *ret, struct ebb_err *err)
{
	size_t object = find_object(t, row[1]);
	int r = get_day(c, row[0], &ret->day, err);

	if (r == 0)
		r = get_bytes(c, row[2], &ret->bytes, err);
	if (r < 0)
		return r;
	if (object == t->n)
		return bad(c, err, "an object that is not among the objects", row[1]);
	if (ret->day < t->objects[object].created)
		return bad(c, err, "an object is read before it was created", row[1]);
	if (ret->day - t->objects[object].created > LIFE_MAX)
		return bad(c, err, "an object is read more than a century after it was created", row[1]);
	ret->object = (uint32_t)object;
	return 0;
}

/* Hand every read of the file to @fn, in the order of the file. */
static int each(const char *path, const struct ebb_trace *t, ebb_trace_fn *fn, void *ctx,
		struct ebb_err *err)
{
	static const char *const names[COLUMNS] = {"date", "object", "bytes_read"};
	EBB_CLEANUP(csv_release) struct csv c;
	char *row[COLUMNS];
	struct read read;

	int r = csv_open(&c, path, names, err);
	while (r >= 0 && (r = csv_row(&c, row, err)) > 0) {
		r = get_read(&c, row, t, &read, err);
		if (r == 0)
			r = fn(ctx, read.object, read.day, read.bytes, err);
	}
	return r;
}

static int watch_order(void *ctx, size_t object, int32_t day, int64_t bytes, struct ebb_err *err)
{
	struct reads *r = ctx;

	(void)object;
	(void)bytes;
	(void)err;
	r->sorted = r->sorted && day >= r->last;
	r->last = day;
	return 0;
}

static int collect(void *ctx, size_t object, int32_t day, int64_t bytes, struct ebb_err *err)
{
	struct reads *r = ctx;

	if (r->n == r->room) {
		size_t room = r->room ? r->room * 2 : 4096;
		struct read *all = reallocarray(r->all, room, sizeof(*all));

		if (!all)
			return ebb_err_set(err, EBB_ENOMEM, "no memory to sort the reads; sort them by date");
		r->all = all;
		r->room = room;
	}
	r->all[r->n++] = (struct read){.day = day, .object = (uint32_t)object, .bytes = bytes};
	return 0;
}

static int by_day(const void *a, const void *b)
{
	const struct read *x = a, *y = b;

	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return x->object < y->object ? -1 : x->object > y->object;
}

int ebb_trace_reads(const char *path, const struct ebb_trace *t, ebb_trace_fn *fn, void *ctx,
		    struct ebb_err *err)
{
	EBB_CLEANUP(reads_release) struct reads reads = {.sorted = true, .last = INT32_MIN};
	int r = each(path, t, watch_order, &reads, err);

	if (r < 0)
		return r;
	if (reads.sorted)
		return each(path, t, fn, ctx, err);
	r = each(path, t, collect, &reads, err);
	if (r < 0)
		return r;
	qsort(reads.all, reads.n, sizeof(*reads.all), by_day);
	for (size_t i = 0; r == 0 && i < reads.n; i++)
		r = fn(ctx, reads.all[i].object, reads.all[i].day, reads.all[i].bytes, err);
	return r;
}
