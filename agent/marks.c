/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/marks.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory for the journal");
}

static void free_one(struct ebb_marks *m)
{
	free(m->v);
	free(m->id);
	free(m->states);
	free(m->to_store);
	free(m->to_key);
}

void ebb_marks_release(struct ebb_marks_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		free_one(&s->v[i]);
	free(s->v);
	*s = (struct ebb_marks_set){0};
}

static struct ebb_marks *of(const struct ebb_marks_set *s, int64_t n)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].n == n)
			return &s->v[i];
	return NULL;
}

const struct ebb_marks *ebb_marks_find(const struct ebb_marks_set *s, int64_t n)
{
	return of(s, n);
}

static struct ebb_marks *begin(struct ebb_marks_set *s, int64_t n, const char *to_store, const char *to_key)
{
	struct ebb_marks *v = reallocarray(s->v, s->n + 1, sizeof(*v));

	if (!v)
		return NULL;
	s->v = v;
	v[s->n] = (struct ebb_marks){
		.n = n, .to_store = strdup(to_store), .to_key = strdup(to_key),
		.states = calloc(EBB_MARKS_STATES, sizeof(*v->states)),
	};
	if (v[s->n].to_store && v[s->n].to_key && v[s->n].states)
		return &v[s->n++];
	free_one(&v[s->n]);
	return NULL;
}

static int append(struct ebb_marks *m, const struct ebb_store_mark *mark, const uint8_t *state)
{
	if (m->len == m->room) {
		size_t room = m->room ? 2 * m->room : 16;
		struct ebb_store_mark *v = reallocarray(m->v, room, sizeof(*v));

		if (!v)
			return -1;
		m->v = v;
		m->room = room;
	}
	memcpy(m->states[m->len % EBB_MARKS_STATES], state, EBB_DIGEST_STATE);
	m->v[m->len] = *mark;
	m->v[m->len++].id = m->id;
	return 0;
}

/* Marks of another temporary, and those that were made anew, are forgotten. */
static int make_way(struct ebb_marks *m, const struct ebb_store_mark *mark)
{
	if (!m->id || strcmp(m->id, mark->id) != 0) {
		free(m->id);
		m->id = strdup(mark->id);
		m->len = 0;
	}
	while (m->len > 0 && m->v[m->len - 1].at >= mark->at)
		m->len--;
	return m->id ? 0 : -1;
}

int ebb_marks_add(struct ebb_marks_set *s, int64_t n, const char *to_store, const char *to_key,
		  const struct ebb_store_mark *mark, const uint8_t state[EBB_DIGEST_STATE], struct ebb_err *err)
{
	struct ebb_marks *m = of(s, n);

	if (!m)
		m = begin(s, n, to_store, to_key);
	return !m || make_way(m, mark) < 0 || append(m, mark, state) < 0 ? no_memory(err) : 0;
}

void ebb_marks_count(struct ebb_marks_set *s, int64_t n, int64_t wire)
{
	struct ebb_marks *m = of(s, n);

	if (m)
		m->wire += wire;
}

void ebb_marks_drop(struct ebb_marks_set *s, int64_t n)
{
	struct ebb_marks *m = of(s, n);

	if (!m)
		return;
	free_one(m);
	memmove(m, m + 1, (size_t)(s->v + --s->n - m) * sizeof(*m));
}

const uint8_t *ebb_marks_state(const struct ebb_marks *m, int64_t at)
{
	for (size_t i = m->len; i > 0 && i + EBB_MARKS_STATES > m->len; i--)
		if (m->v[i - 1].at == at)
			return m->states[(i - 1) % EBB_MARKS_STATES];
	return NULL;
}

int64_t ebb_marks_unsaid(const struct ebb_marks *m)
{
	int64_t last = m->len ? m->v[m->len - 1].at : 0;

	return last > m->wire ? last - m->wire : 0;
}
