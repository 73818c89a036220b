/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/linefile.h"

#define SECOND INT64_C(1000000000)

void ebb_run_release(struct ebb_run *run)
{
	free(run->journal);
	free(run->plan_path);
	*run = (struct ebb_run){0};
}

int ebb_run_copy(struct ebb_run *ret, const struct ebb_run *run, struct ebb_err *err)
{
	struct ebb_run copy = *run;

	copy.journal = strdup(run->journal);
	copy.plan_path = strdup(run->plan_path);
	if (!copy.journal || !copy.plan_path) {
		ebb_run_release(&copy);
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	*ret = copy;
	return 0;
}

static int set_paths(struct ebb_run *run, const char *index, struct ebb_err *err)
{
	if (asprintf(&run->journal, "%s/runs/%s/journal", index, run->id) < 0)
		run->journal = NULL;
	if (asprintf(&run->plan_path, "%s/runs/%s/plan.jsonl", index, run->id) < 0)
		run->plan_path = NULL;
	return run->journal && run->plan_path ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int make_dir(const char *path, const char *parent, struct ebb_err *err)
{
	if (mkdir(path, 0700) < 0)
		return ebb_err_sys(err, errno, "cannot create '%s'", path);
	return ebb_linefile_sync_dir(parent, err);
}

/* A directory of its own: two runs of one plan in one second get numbers. */
static int make_run_dir(const char *index, const char *plan, int64_t now, char id[EBB_RUN_ID_MAX],
			struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *runs = NULL;
	time_t t = (time_t)(now / SECOND);
	char stamp[17] = "";
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	if (asprintf(&runs, "%s/runs", index) < 0) {
		runs = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	int r = make_dir(runs, index, NULL);
	for (int k = 1; (r == -EBB_EEXIST || r == 0) && k < 1000; k++) {
		EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;

		if (k == 1)
			snprintf(id, EBB_RUN_ID_MAX, "%s-%.8s", stamp, plan);
		else
			snprintf(id, EBB_RUN_ID_MAX, "%s-%.8s-%d", stamp, plan, k);
		if (asprintf(&dir, "%s/%s", runs, id) < 0) {
			dir = NULL;
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		}
		r = make_dir(dir, runs, NULL);
		if (r == 0)
			return 0;
	}
	return ebb_err_set(err, EBB_EJOURNAL, "cannot create a run in '%s': %s", runs, strerror(errno));
}

int ebb_run_create(const char *index, struct ebb_planfile *plan, int64_t now, struct ebb_run *ret,
		   struct ebb_journal **ret_journal, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_run_release) struct ebb_run run = {
		.actions = ebb_planfile_count(plan), .started = now,
	};
	struct ebb_journal_rec first = {
		.type = EBB_JOURNAL_RUN, .id = run.id, .plan = run.plan,
		.actions = run.actions, .ts = now,
	};
	int r;

	memcpy(run.plan, ebb_planfile_id(plan), sizeof(run.plan));
	if ((r = make_run_dir(index, run.plan, now, run.id, err)) < 0 ||
	    (r = set_paths(&run, index, err)) < 0 ||
	    (r = ebb_planfile_copy(plan, run.plan_path, err)) < 0 ||
	    (r = ebb_journal_create(run.journal, &first, ret_journal, err)) < 0)
		return r;
	*ret = run;
	run = (struct ebb_run){0};
	return 0;
}

/* First and last record of the journal. Returns 1, 0 when there is no run here, negative. */
static int look(struct ebb_run *run, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_journal_reader_closep) struct ebb_journal_reader *j = NULL;
	struct ebb_journal_rec rec = {0};
	struct ebb_err why = {0};
	struct ebb_arena arena;
	int r = ebb_journal_open(run->journal, &j, &why);

	if (r == -EBB_ENOENT)
		return 0;
	if (r < 0)
		return ebb_err_set(err, -r, "%s", why.msg);
	ebb_arena_init(&arena, 0);
	r = ebb_journal_next(j, &arena, &rec, err);
	if (r == 1 && rec.type == EBB_JOURNAL_RUN) {
		snprintf(run->plan, sizeof(run->plan), "%s", rec.plan);
		run->actions = rec.actions;
		run->started = rec.ts;
		r = ebb_journal_last(j, &arena, &rec, err);
	} else if (r == 1) {
		r = ebb_err_set(err, EBB_EJOURNAL, "%s: damaged: it does not begin with a run",
				run->journal);
	}
	if (r == 1 && rec.type == EBB_JOURNAL_END) {
		run->closed = true;
		run->way = rec.way;
		run->ended = rec.ts;
		run->counts = rec.counts;
		snprintf(run->outcome, sizeof(run->outcome), "%s", rec.outcome);
	}
	if (r == 1 && rec.type == EBB_JOURNAL_INTENT)
		ebb_op_release(rec.op);
	ebb_arena_release(&arena);
	return r;
}

static int is_run(const struct dirent *d)
{
	return d->d_name[0] >= '0' && d->d_name[0] <= '9' && strlen(d->d_name) < EBB_RUN_ID_MAX;
}

/* Runs of one second have ids in any order; what they wrote down first has not. */
static int by_start(const void *pa, const void *pb)
{
	const struct ebb_run *a = pa, *b = pb;

	if (a->started != b->started)
		return a->started < b->started ? -1 : 1;
	return strcmp(a->id, b->id);
}

/* Look at each of @n names; what is a run goes to @runs. Returns their number. */
static int look_all(const char *index, struct dirent **names, int n, struct ebb_run *runs,
		    struct ebb_err *err)
{
	int found = 0, r = 0;

	for (int i = 0; i < n && r >= 0; i++) {
		struct ebb_run *run = &runs[found];

		snprintf(run->id, sizeof(run->id), "%.*s", EBB_RUN_ID_MAX - 1, names[i]->d_name);
		struct ebb_err why = {0};

		r = set_paths(run, index, &why);
		if (r == 0)
			r = look(run, &why);
		if (r < 0)
			ebb_err_set(err, -r, "%s%s%s%s", why.msg, r == -EBB_EJOURNAL ? "; 'ebb runs --set-aside " : "",
				    r == -EBB_EJOURNAL ? run->id : "", r == -EBB_EJOURNAL ? "' lets others go on" : "");
		if (r == 1)
			found++;
		else
			ebb_run_release(run);
	}
	if (r >= 0)
		return found;
	while (found > 0)
		ebb_run_release(&runs[--found]);
	return r;
}

int ebb_run_each(const char *index, ebb_run_fn *fn, void *ctx, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	struct dirent **names = NULL;

	if (asprintf(&path, "%s/runs", index) < 0) {
		path = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	int n = scandir(path, &names, is_run, NULL);
	if (n < 0)
		return errno == ENOENT ? 0 : ebb_err_sys(err, errno, "cannot list '%s'", path);
	EBB_CLEANUP(ebb_mem_freep) struct ebb_run *runs = calloc((size_t)n + 1, sizeof(*runs));
	int found = runs ? look_all(index, names, n, runs, err)
			 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	if (found < 0)
		return found;
	qsort(runs, (size_t)found, sizeof(*runs), by_start);
	int r = 0;
	for (int i = 0; i < found; i++) {
		if (r >= 0)
			r = fn(ctx, &runs[i], err);
		ebb_run_release(&runs[i]);
	}
	return r < 0 ? r : 0;
}

static bool is_id(const char *word)
{
	return word[0] >= '0' && word[0] <= '9' && strlen(word) < EBB_RUN_ID_MAX && !strchr(word, '/');
}

bool ebb_run_stands(const char *index, const char *word)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;

	if (!is_id(word) || asprintf(&path, "%s/runs/%s", index, word) < 0) {
		path = NULL;
		return false;
	}
	return access(path, F_OK) == 0;
}

int ebb_run_set_aside(const char *index, const char *id, char **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *runs = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *from = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *to = NULL;

	if (!is_id(id))
		return ebb_err_set(err, EBB_EUSAGE, "'%s' is no id of a run", id);
	if (asprintf(&runs, "%s/runs", index) < 0)
		runs = NULL;
	if (asprintf(&from, "%s/runs/%s", index, id) < 0)
		from = NULL;
	if (asprintf(&to, "%s/runs/aside.%s", index, id) < 0)
		to = NULL;
	if (!runs || !from || !to)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
		return ebb_err_sys(err, errno, "cannot rename '%s' to '%s'", from, to);
	int r = ebb_linefile_sync_dir(runs, err);
	if (r == 0) {
		*ret = to;
		to = NULL;
	}
	return r;
}

/* The journal goes first: a folder without one is no run, so a crash in between leaves nothing that could be misread. */
int ebb_run_remove(const char *index, const struct ebb_run *run, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;

	if (asprintf(&dir, "%s/runs/%s", index, run->id) < 0) {
		dir = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	if (unlink(run->journal) < 0 && errno != ENOENT)
		return ebb_err_sys(err, errno, "cannot remove '%s'", run->journal);
	if (unlink(run->plan_path) < 0 && errno != ENOENT)
		return ebb_err_sys(err, errno, "cannot remove '%s'", run->plan_path);
	if (rmdir(dir) < 0 && errno != ENOENT)
		return ebb_err_sys(err, errno, "cannot remove '%s'", dir);
	return 0;
}

struct search {
	const char *word;
	struct ebb_run found;
	int hits;
};

static int match(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct search *s = ctx;
	bool last = strcmp(s->word, "last") == 0;

	if (!last && strncmp(run->id, s->word, strlen(s->word)) != 0)
		return 0;
	if (!last && s->hits && strcmp(s->found.id, s->word) == 0)
		return 0; /* this one was meant to the letter */
	s->hits = last || strcmp(run->id, s->word) == 0 ? 1 : s->hits + 1;
	ebb_run_release(&s->found);
	return ebb_run_copy(&s->found, run, err);
}

int ebb_run_find(const char *index, const char *word, struct ebb_run *ret, struct ebb_err *err)
{
	struct search s = {.word = word};
	int r = ebb_run_each(index, match, &s, err);

	if (r == 0 && s.hits == 0)
		r = ebb_err_set(err, EBB_ENOENT, "there is no run '%s': ebb status lists them", word);
	if (r == 0 && s.hits > 1)
		r = ebb_err_set(err, EBB_EUSAGE, "'%s' begins more than one run", word);
	if (r == 0)
		*ret = s.found;
	else
		ebb_run_release(&s.found);
	return r;
}
