/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/after.h"

#include <stdlib.h>
#include <string.h>

#include "agent/journal.h"

/* By these an object is known again; what else a record may say is not needed. */
static const enum ebb_field fields[] = {
	EBB_F_KIND, EBB_F_SIZE, EBB_F_MTIME, EBB_F_CTIME, EBB_F_INO, EBB_F_DEV, EBB_F_ETAG_HI, EBB_F_ETAG_LO, EBB_F_PARTS,
};

struct made {
	int64_t n;
	uint32_t known;
	bool has_digest;
	uint8_t digest[EBB_DIGEST_LEN];
	int64_t f[EBB_ARRAY_LEN(fields)];
};

struct ebb_after {
	struct made *v;
	size_t n, room;
	bool sorted;
};

void ebb_after_free(struct ebb_after *a)
{
	if (a)
		free(a->v);
	free(a);
}

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static int add(struct ebb_after *a, int64_t n, const struct ebb_op_result *r, struct ebb_err *err)
{
	if (a->n == a->room) {
		size_t room = a->room ? 2 * a->room : 256;
		struct made *v = realloc(a->v, room * sizeof(*v));

		if (!v)
			return no_memory(err);
		a->v = v;
		a->room = room;
	}
	struct made *m = &a->v[a->n++];
	*m = (struct made){.n = n, .known = r->to.known, .has_digest = r->has_digest};
	memcpy(m->digest, r->digest, sizeof(m->digest));
	for (size_t i = 0; i < EBB_ARRAY_LEN(fields); i++)
		m->f[i] = r->to.f[fields[i]];
	a->sorted = false;
	return 0;
}

int ebb_after_add(struct ebb_after *a, const struct ebb_op *op, const struct ebb_op_result *r, struct ebb_err *err)
{
	if (op->action != EBB_ACTION_COPY || r->outcome != EBB_OP_DONE)
		return 0;
	return add(a, op->n, r, err);
}

/* All that was done by applying; only copies are asked for. */
static int read_journal(struct ebb_journal_reader *j, struct ebb_after *a, struct ebb_err *err)
{
	enum ebb_op_way way = EBB_OP_APPLY;
	int r = 1;

	while (r == 1) {
		EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
		struct ebb_journal_rec rec = {0};

		ebb_arena_init(&arena, 0);
		r = ebb_journal_next(j, &arena, &rec, err);
		if (r != 1)
			break;
		if (rec.type == EBB_JOURNAL_INTENT)
			ebb_op_release(rec.op);
		else if (rec.type == EBB_JOURNAL_WINDOW)
			way = rec.way;
		else if (rec.type == EBB_JOURNAL_DONE && way == EBB_OP_APPLY && add(a, rec.n, &rec.result, err) < 0)
			r = -EBB_ENOMEM;
	}
	return r;
}

int ebb_after_load(const char *path, struct ebb_after **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_journal_reader_closep) struct ebb_journal_reader *j = NULL;
	struct ebb_after *a = calloc(1, sizeof(*a));
	int r = a ? ebb_journal_open(path, &j, err) : no_memory(err);

	if (r == 0)
		r = read_journal(j, a, err);
	if (r < 0)
		ebb_after_free(a);
	else
		*ret = a;
	return r;
}

static int by_n(const void *pa, const void *pb)
{
	const struct made *a = pa, *b = pb;

	return (a->n > b->n) - (a->n < b->n);
}

int ebb_after_take(struct ebb_after *a, int64_t n, struct ebb_op *op, struct ebb_err *err)
{
	const struct made key = {.n = n};

	if (!a)
		return ebb_err_set(err, EBB_ECHANGED, "the plan does not say that it makes copies");
	if (!a->sorted && a->n)
		qsort(a->v, a->n, sizeof(*a->v), by_n);
	a->sorted = true;
	const struct made *m = a->n ? bsearch(&key, a->v, a->n, sizeof(*a->v), by_n) : NULL;
	if (!m)
		return ebb_err_set(err, EBB_ECHANGED, "what it is copied from did not come to be: see action %lld", (long long)n);
	struct ebb_record rec = {.key = op->obj.key, .key_len = op->obj.key_len};
	for (size_t i = 0; i < EBB_ARRAY_LEN(fields); i++)
		if (m->known & EBB_KNOWN(fields[i]))
			ebb_record_set(&rec, fields[i], m->f[i]);
	op->obj = rec;
	op->has_digest = m->has_digest;
	memcpy(op->digest, m->digest, sizeof(op->digest));
	return 0;
}
