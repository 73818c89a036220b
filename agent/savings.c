/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/savings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/jsonline.h"
#include "agent/linefile.h"
#include "core/date.h"
#include "core/units.h"

#define SCHEMA "ebb.savings/1"
#define FOLDER "history"
#define LINE_MAX_BYTES (4u << 20)

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static void add_row(struct ebb_savings_row *to, const struct ebb_savings_row *r)
{
	to->planned += r->planned;
	to->planned_once += r->planned_once;
	to->planned_month += r->planned_month;
	to->done += r->done;
	to->done_once += r->done_once;
	to->done_month += r->done_month;
	to->seen += r->seen;
	to->real_month += r->real_month;
	to->waiting += r->waiting;
	to->waiting_month += r->waiting_month;
	to->replaced += r->replaced;
	to->unknown += r->unknown;
}

struct ebb_savings_row ebb_savings_sum(const struct ebb_savings *s)
{
	struct ebb_savings_row sum = {.rule = NULL};

	for (size_t i = 0; i < s->n; i++)
		add_row(&sum, &s->rows[i]);
	return sum;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool ebb_savings_moved(const struct ebb_savings *s, const char *dim, const char *value, int64_t *ret)
{
	for (size_t i = 0; i < s->nmoved; i++)
		if (same_text(s->moved[i].dim, dim) && same_text(s->moved[i].value, value)) {
			*ret = s->moved[i].month;
			return true;
		}
	return false;
}

size_t ebb_savings_actions(const struct ebb_savings_list *l, const char *currency,
			   struct ebb_savings_row ret[EBB_SAVINGS_ACTIONS])
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct ebb_savings *s = &l->all[i];

		for (size_t k = 0; *s->run && strcmp(s->currency, currency) == 0 && k < s->n; k++) {
			size_t at = 0;

			while (at < n && strcmp(ret[at].action, s->rows[k].action) != 0)
				at++;
			if (at == EBB_SAVINGS_ACTIONS)
				continue; /* of a later version */
			if (at == n)
				ret[n++] = (struct ebb_savings_row){.action = s->rows[k].action};
			add_row(&ret[at], &s->rows[k]);
		}
	}
	return n;
}

int ebb_savings_of_plan(struct ebb_arena *arena, const struct ebb_planhead *head, const char *id, struct ebb_savings *ret,
			struct ebb_err *err)
{
	const char **stores = ebb_arena_calloc(arena, head->nstores + 1, sizeof(*stores));
	struct ebb_savings_row *rows = ebb_arena_calloc(arena, head->nrules + 1, sizeof(*rows));

	if (!stores || !rows)
		return no_memory(err);
	*ret = (struct ebb_savings){.time = head->now, .currency = head->currency, .stores = stores, .rows = rows};
	snprintf(ret->plan, sizeof(ret->plan), "%s", id);
	for (size_t i = 0; i < head->nstores; i++)
		stores[i] = head->stores[i].name;
	for (size_t i = 0; i < head->nrules; i++) {
		const struct ebb_planhead_rule *r = &head->rules[i];

		if (r->sum.objects)
			rows[ret->n++] = (struct ebb_savings_row){
				.rule = r->rule, .action = r->action, .planned = r->sum.objects,
				.planned_once = r->sum.one_off, .planned_month = r->sum.saving,
			};
	}
	return 0;
}

/* --- Writing --- */

static json_t *rows_json(const struct ebb_savings *s)
{
	json_t *a = json_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct ebb_savings_row *r = &s->rows[i];

		json_array_append_new(
			a, json_pack("{ss ss s[III] s[III] s[II] s[II] sI sI}", "rule", r->rule, "action", r->action,
				     "planned", (json_int_t)r->planned, (json_int_t)r->planned_once,
				     (json_int_t)r->planned_month, "done", (json_int_t)r->done, (json_int_t)r->done_once,
				     (json_int_t)r->done_month, "real", (json_int_t)r->seen, (json_int_t)r->real_month,
				     "waiting", (json_int_t)r->waiting, (json_int_t)r->waiting_month, "replaced",
				     (json_int_t)r->replaced, "unknown", (json_int_t)r->unknown));
	}
	return a;
}

static json_t *moved_json(const struct ebb_savings *s)
{
	json_t *a = s->nmoved ? json_array() : NULL;

	for (size_t i = 0; i < s->nmoved; i++)
		json_array_append_new(a, json_pack("[s? s? I]", s->moved[i].dim, s->moved[i].value, (json_int_t)s->moved[i].month));
	return a;
}

static json_t *line_json(const struct ebb_savings *s)
{
	char time[EBB_UNITS_TEXT], measured[EBB_UNITS_TEXT];
	json_t *stores = json_array();

	for (size_t i = 0; s->stores[i]; i++)
		json_array_append_new(stores, json_string(s->stores[i]));
	return json_pack("{ss ss ss* ss ss* ss so so so*}", "schema", SCHEMA, "time", ebb_units_exact_time(s->time, time),
			 "run", *s->run ? s->run : NULL, "plan", s->plan, "measured",
			 s->measured ? ebb_units_exact_time(s->measured, measured) : NULL, "currency", s->currency,
			 "stores", stores, "rows", rows_json(s), "moved", moved_json(s));
}

/* One write of a whole line behind the last whole one, with the file locked: plans are made while scans run. */
static int append_line(int fd, struct ebb_buf *line, const char *path, struct ebb_err *err)
{
	char last = '\n';

	if (flock(fd, LOCK_EX) < 0)
		return ebb_err_sys(err, errno, "cannot lock '%s'", path);
	off_t end = lseek(fd, 0, SEEK_END);
	/* a torn line is closed, so that only it is lost */
	bool torn = end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
	if (torn && write(fd, "\n", 1) != 1)
		return ebb_err_sys(err, errno, "cannot write '%s'", path);
	for (size_t at = 0; at < line->len;) {
		ssize_t n = write(fd, line->data + at, line->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ebb_err_sys(err, errno, "cannot write '%s'", path);
		at += (size_t)n;
	}
	return fsync(fd) < 0 ? ebb_err_sys(err, errno, "cannot write '%s'", path) : 0;
}

int ebb_savings_append(const char *index_dir, const struct ebb_savings *s, int64_t now, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf line = EBB_BUF_INIT(LINE_MAX_BYTES);
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	struct ebb_date d = ebb_date_of(now);
	int r = ebb_jsonline_dump(&line, line_json(s), err);

	if (r < 0)
		return r;
	if (ebb_buf_adds(&line, "\n") < 0 || asprintf(&dir, "%s/" FOLDER, index_dir) < 0 ||
	    asprintf(&path, "%s/savings-%04d-%02d.jsonl", dir, d.year, d.month) < 0)
		return no_memory(err);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return ebb_err_sys(err, errno, "cannot make '%s'", dir);
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	r = append_line(fd, &line, path, err);
	return r == 0 ? ebb_linefile_sync_dir(dir, err) : r;
}

/* --- Reading --- */

static int read_row(json_t *o, struct ebb_arena *arena, struct ebb_savings_row *r)
{
	const char *rule, *action;
	json_int_t v[12];

	if (json_unpack(o, "{ss ss s[III] s[III] s[II] s[II] sI sI}", "rule", &rule, "action", &action, "planned", &v[0],
			&v[1], &v[2], "done", &v[3], &v[4], &v[5], "real", &v[6], &v[7], "waiting", &v[8], &v[9],
			"replaced", &v[10], "unknown", &v[11]) < 0)
		return -EBB_ECORRUPT;
	*r = (struct ebb_savings_row){ebb_arena_strdup(arena, rule), ebb_arena_strdup(arena, action), v[0], v[1], v[2],
				      v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11]};
	return r->rule && r->action ? 0 : -EBB_ENOMEM;
}

/* Lines of earlier versions have none. */
static int read_moved(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_savings *ret)
{
	json_t *a = json_object_get(l->o, "moved");
	size_t n = json_array_size(a);
	struct ebb_savings_moved *list = ebb_arena_calloc(arena, n + 1, sizeof(*list));

	if (!list)
		return ebb_jsonline_bad(l, "out of memory");
	for (size_t i = 0; i < n; i++) {
		json_t *name, *is;
		json_int_t month;

		if (json_unpack(json_array_get(a, i), "[o o I!]", &name, &is, &month) < 0)
			return ebb_jsonline_bad(l, "what was moved is none");
		const char *dim = json_string_value(name), *value = json_string_value(is);
		if (!dim != !value)
			return ebb_jsonline_bad(l, "what was moved is none");
		list[i] = (struct ebb_savings_moved){dim ? ebb_arena_strdup(arena, dim) : NULL, dim ? ebb_arena_strdup(arena, value) : NULL,
						     month};
		if (dim && (!list[i].dim || !list[i].value))
			return ebb_jsonline_bad(l, "out of memory");
	}
	ret->moved = list;
	ret->nmoved = n;
	return 0;
}

static int read_lists(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_savings *ret)
{
	json_t *stores = ebb_jsonline_array(l, "stores"), *rows = ebb_jsonline_array(l, "rows");
	size_t n = json_array_size(stores);
	const char **names = ebb_arena_calloc(arena, n + 1, sizeof(*names));

	ret->n = json_array_size(rows);
	ret->rows = ebb_arena_calloc(arena, ret->n + 1, sizeof(*ret->rows));
	ret->stores = names;
	if (l->r < 0 || !names || !ret->rows)
		return ebb_jsonline_bad(l, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(stores, i));

		if (!name || !(names[i] = ebb_arena_strdup(arena, name)))
			return ebb_jsonline_bad(l, "a store has no name");
	}
	for (size_t i = 0; i < ret->n; i++)
		if (read_row(json_array_get(rows, i), arena, &ret->rows[i]) < 0)
			return ebb_jsonline_bad(l, "a row is not one");
	return read_moved(l, arena, ret);
}

static int read_line(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_savings *ret)
{
	const char *schema = ebb_jsonline_str(l, "schema"), *time = ebb_jsonline_str(l, "time");
	const char *run = ebb_jsonline_str_or(l, "run"), *plan = ebb_jsonline_str(l, "plan");
	const char *measured = ebb_jsonline_str_or(l, "measured"), *currency = ebb_jsonline_str(l, "currency");

	*ret = (struct ebb_savings){.measured = 0};
	if (l->r == 0 && strcmp(schema, SCHEMA) != 0)
		ebb_jsonline_bad(l, "schema '%s' is not known", schema);
	if (l->r == 0 && (ebb_units_parse_time(time, &ret->time, NULL) < 0 ||
			  (measured && ebb_units_parse_time(measured, &ret->measured, NULL) < 0)))
		ebb_jsonline_bad(l, "a time is none");
	if (l->r == 0 && ((run && strlen(run) >= sizeof(ret->run)) || strlen(plan) >= sizeof(ret->plan)))
		ebb_jsonline_bad(l, "an id is too long");
	if (l->r < 0)
		return l->r;
	strcpy(ret->run, run ? run : "");
	strcpy(ret->plan, plan);
	ret->currency = ebb_arena_strdup(arena, currency);
	return ret->currency ? read_lists(l, arena, ret) : ebb_jsonline_bad(l, "out of memory");
}

/* A later line takes the place of the earlier one about the same run, or of the earlier plan; a run that of its plan. */
static int keep(struct ebb_savings_list *l, const struct ebb_savings *s, struct ebb_err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct ebb_savings *old = &l->all[i];
		bool same_run = *s->run && strcmp(s->run, old->run) == 0;
		bool plan = !*old->run && (!*s->run || strcmp(s->plan, old->plan) == 0);

		if (!same_run && !plan)
			l->all[n++] = *old;
	}
	l->n = n;
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		void *p = reallocarray(l->all, room, sizeof(*l->all));

		if (!p)
			return no_memory(err);
		l->all = p;
		l->room = room;
	}
	l->all[l->n++] = *s;
	return 0;
}

static int load_file(struct ebb_savings_list *l, const char *path, int64_t since, int64_t now, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_closep) struct ebb_linefile_reader *in = NULL;
	struct ebb_savings s;
	char *text;
	size_t len;
	int r = ebb_linefile_open(path, LINE_MAX_BYTES, &in, err);

	while (r == 0 && (r = ebb_linefile_next(in, &text, &len, err)) == 1) {
		struct ebb_jsonline line;

		r = ebb_jsonline_parse(&line, text, len, path, ebb_linefile_line(in), EBB_ECORRUPT, NULL);
		if (r == 0)
			r = read_line(&line, &l->arena, &s);
		ebb_jsonline_release(&line);
		if (r < 0)
			l->bad++;
		r = r == 0 && s.time >= since && s.time <= now ? keep(l, &s, err) : 0;
	}
	if (r == -EBB_ECORRUPT || r == -EBB_ERANGE) { /* a torn last line, or one that is no line of ours */
		ebb_err_clear(err);
		l->bad++;
		return 0;
	}
	return r;
}

static bool is_ledger(const char *name)
{
	int year, month, end = 0;

	return sscanf(name, "savings-%4d-%2d.jsonl%n", &year, &month, &end) == 2 && end && !name[end];
}

static int by_time(const void *pa, const void *pb)
{
	const struct ebb_savings *a = pa, *b = pb;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return strcmp(a->run, b->run);
}

int ebb_savings_load(const char *index_dir, int64_t since, int64_t now, struct ebb_savings_list *ret,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;
	struct dirent **names = NULL;
	int r = 0;

	ebb_arena_init(&ret->arena, 0);
	if (asprintf(&dir, "%s/" FOLDER, index_dir) < 0)
		return no_memory(err);
	int n = scandir(dir, &names, NULL, alphasort);
	if (n < 0 && errno != ENOENT)
		return ebb_err_sys(err, errno, "cannot read '%s'", dir);
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		if (r == 0 && is_ledger(names[i]->d_name)) {
			snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
			r = load_file(ret, path, since, now, err);
		}
		free(names[i]);
	}
	free(names);
	if (r == 0 && ret->n)
		qsort(ret->all, ret->n, sizeof(*ret->all), by_time);
	return r;
}

void ebb_savings_release(struct ebb_savings_list *l)
{
	ebb_arena_release(&l->arena);
	free(l->all);
	*l = (struct ebb_savings_list){.n = 0};
}

const struct ebb_savings *ebb_savings_find(const struct ebb_savings_list *l, const char *run)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->all[i].run, run) == 0)
			return &l->all[i];
	return NULL;
}

const struct ebb_savings *ebb_savings_next(const struct ebb_savings_list *l)
{
	return l->n && !*l->all[l->n - 1].run ? &l->all[l->n - 1] : NULL;
}
