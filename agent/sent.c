/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/sent.h"

#include <stdlib.h>
#include <string.h>

#include "agent/journal.h"
#include "agent/out.h"
#include "core/units.h"

void ebb_sent_release(struct ebb_sent *l)
{
	free(l->v);
	ebb_arena_release(&l->arena);
	l->v = NULL;
	l->n = 0;
}

/* The link, made when it is new; NULL: no memory. There are few: one a pair of stores at most. */
static struct ebb_sent_row *row_of(struct ebb_sent *l, const char *from, const char *to)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].from, from) && !strcmp(l->v[i].to, to))
			return &l->v[i];
	struct ebb_sent_row *v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (!v)
		return NULL;
	l->v = v;
	v[l->n] = (struct ebb_sent_row){ebb_arena_strdup(&l->arena, from), ebb_arena_strdup(&l->arena, to), 0, 0};
	return v[l->n].from && v[l->n].to ? &v[l->n++] : NULL;
}

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int read_plan(struct ebb_planfile *plan, struct ebb_sent *l, struct ebb_err *err)
{
	struct ebb_planrow row;
	int r = ebb_planfile_seek(plan, 1, err);

	while (r >= 0 && (r = ebb_planfile_next(plan, &row, err)) == 1) {
		if (row.action != EBB_ACTION_COPY || !strcmp(row.store, row.to_store))
			continue;
		struct ebb_sent_row *link = row_of(l, row.store, row.to_store);

		if (!link)
			return no_memory(err);
		link->planned += row.wire;
	}
	return r < 0 ? r : ebb_planfile_seek(plan, 1, err);
}

/* The operations of the window that is being read, by their link; -1: none. */
struct window {
	int64_t *n, *link;
	size_t len, room;
};

static int intend(struct window *w, struct ebb_sent *l, const struct ebb_op *op, struct ebb_err *err)
{
	struct ebb_sent_row *link = NULL;

	if (w->len == w->room) {
		size_t room = w->room ? 2 * w->room : 256;
		int64_t *n = realloc(w->n, room * sizeof(*n));

		w->n = n ? n : w->n;
		int64_t *links = n ? realloc(w->link, room * sizeof(*links)) : NULL;
		if (!links)
			return no_memory(err);
		w->link = links;
		w->room = room;
	}
	bool sends = op->action == EBB_ACTION_COPY && op->to_store && strcmp(op->store, op->to_store) != 0;
	if (sends && !(link = row_of(l, op->store, op->to_store)))
		return no_memory(err);
	w->n[w->len] = op->n;
	w->link[w->len++] = link ? link - l->v : -1;
	return 0;
}

static void count(const struct window *w, struct ebb_sent *l, const struct ebb_journal_rec *rec)
{
	for (size_t i = 0; rec->result.wire && i < w->len; i++)
		if (w->n[i] == rec->n && w->link[i] >= 0)
			l->v[w->link[i]].sent += rec->result.wire;
}

static int take(struct window *w, struct ebb_sent *l, struct ebb_journal_rec *rec, struct ebb_err *err)
{
	int r = 0;

	switch (rec->type) {
	case EBB_JOURNAL_WINDOW:
		w->len = 0;
		break;
	case EBB_JOURNAL_INTENT:
		r = intend(w, l, rec->op, err);
		ebb_op_release(rec->op);
		break;
	case EBB_JOURNAL_DONE:
	case EBB_JOURNAL_SKIPPED:
	case EBB_JOURNAL_FAILED:
	case EBB_JOURNAL_BACK:
		count(w, l, rec);
		break;
	default:
		break;
	}
	return r;
}

static int read_journal(const char *path, struct ebb_sent *l, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_journal_reader_closep) struct ebb_journal_reader *j = NULL;
	struct window w = {0};
	int r = ebb_journal_open(path, &j, err);

	for (int more = 1; r == 0 && more == 1;) {
		EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
		struct ebb_journal_rec rec = {0};

		ebb_arena_init(&arena, 0);
		more = ebb_journal_next(j, &arena, &rec, err);
		r = more == 1 ? take(&w, l, &rec, err) : more;
	}
	free(w.n);
	free(w.link);
	return r;
}

int ebb_sent_read(struct ebb_planfile *plan, const char *journal, struct ebb_sent *ret, struct ebb_err *err)
{
	*ret = (struct ebb_sent){0};
	ebb_arena_init(&ret->arena, 0);
	int r = read_plan(plan, ret, err);

	return r == 0 && journal ? read_journal(journal, ret, err) : r;
}

int ebb_sent_print(const struct ebb_sent *l, FILE *out, bool json, struct ebb_err *err)
{
	char planned[EBB_UNITS_TEXT], sent[EBB_UNITS_TEXT];
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->n; i++) {
		const struct ebb_sent_row *v = &l->v[i];

		if (json)
			r = ebb_out_json(out, json_pack("{s:s, s:s, s:I, s:I}", "from", v->from, "to", v->to, "planned_bytes",
							(json_int_t)v->planned, "sent_bytes", (json_int_t)v->sent), err);
		else
			fprintf(out, "%s to %s: %s planned, %s sent\n", v->from, v->to,
				ebb_units_format_bytes(v->planned, planned), ebb_units_format_bytes(v->sent, sent));
	}
	return r < 0 ? r : ebb_out_flush(out, err);
}
