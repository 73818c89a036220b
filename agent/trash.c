/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/trash.h"

#include <stdlib.h>
#include <string.h>

#include "agent/undo.h"

struct reading {
	struct ebb_trash *t;
	const struct ebb_run *run;
	int64_t now;
};

static struct ebb_trash_sum *sum_of(struct reading *r, const char *store)
{
	struct ebb_trash *t = r->t;

	for (size_t i = t->n; i-- > 0 && strcmp(t->sums[i].run, r->run->id) == 0;)
		if (strcmp(t->sums[i].store, store) == 0)
			return &t->sums[i];

	struct ebb_trash_sum *more = reallocarray(t->sums, t->n + 1, sizeof(*more));
	if (!more)
		return NULL;
	t->sums = more;
	more[t->n] = (struct ebb_trash_sum){.store = strdup(store), .first = INT64_MAX, .last = INT64_MIN};
	if (!more[t->n].store)
		return NULL;
	memcpy(more[t->n].run, r->run->id, sizeof(r->run->id));
	return &more[t->n++];
}

static int add(void *ctx, const struct ebb_op *did, const struct ebb_op_result *res,
	       struct ebb_err *err)
{
	struct reading *r = ctx;
	struct ebb_trash_sum *s = sum_of(r, did->store);
	int64_t size = did->obj.f[EBB_F_SIZE];

	(void)res;
	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	s->objects++;
	s->bytes += size;
	if (did->expires <= r->now) {
		s->expired++;
		s->expired_bytes += size;
	}
	if (did->expires < s->first)
		s->first = did->expires;
	if (did->expires > s->last)
		s->last = did->expires;
	return 0;
}

static int add_run(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	struct reading *r = ctx;

	r->run = run;
	return ebb_undo_trash(run, add, r, err);
}

int ebb_trash_read(const char *index, int64_t now, struct ebb_trash *ret, struct ebb_err *err)
{
	struct reading r = {.t = ret, .now = now};

	*ret = (struct ebb_trash){0};
	return ebb_run_each(index, add_run, &r, err);
}

static void add_up(struct ebb_trash_sum *to, const struct ebb_trash_sum *s)
{
	to->objects += s->objects;
	to->bytes += s->bytes;
	to->expired += s->expired;
	to->expired_bytes += s->expired_bytes;
	if (s->first < to->first)
		to->first = s->first;
	if (s->last > to->last)
		to->last = s->last;
}

void ebb_trash_by_store(struct ebb_trash *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct ebb_trash_sum *s = &t->sums[i];
		size_t k = 0;

		while (k < kept && strcmp(t->sums[k].store, s->store) != 0)
			k++;
		if (k < kept) {
			add_up(&t->sums[k], s);
			free(s->store);
			continue;
		}
		*s->run = 0;
		t->sums[kept++] = *s;
	}
	t->n = kept;
}

void ebb_trash_release(struct ebb_trash *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->sums[i].store);
	free(t->sums);
	*t = (struct ebb_trash){0};
}
