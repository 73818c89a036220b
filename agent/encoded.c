/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/encoded.h"

#include <stdlib.h>
#include <string.h>

#include "agent/replace.h"
#include "agent/replay.h"
#include "agent/run.h"
#include "compress/digest.h"

void ebb_encoded_release(struct ebb_encoded *e)
{
	free(e->v);
	*e = (struct ebb_encoded){0};
}

/* False where it could not be told from another. */
static bool hash_of(const char *store, const struct ebb_record *rec, const char *key, size_t len, uint64_t *ret)
{
	EBB_CLEANUP(ebb_digest_release) struct ebb_digest d = {0};
	const int64_t is[] = {rec->f[EBB_F_SIZE], rec->f[EBB_F_ETAG_HI], rec->f[EBB_F_ETAG_LO]};
	uint8_t sum[EBB_DIGEST_LEN];

	if (!ebb_record_has(rec, EBB_F_ETAG_HI) || ebb_digest_init(&d, &ebb_digest_xxh128, NULL) < 0)
		return false;
	ebb_digest_update(&d, store, strlen(store) + 1);
	ebb_digest_update(&d, is, sizeof(is));
	ebb_digest_update(&d, key, len);
	if (ebb_digest_final(&d, sum, NULL) < 0)
		return false;
	memcpy(ret, sum, sizeof(*ret));
	return true;
}

static int add(struct ebb_encoded *e, const struct ebb_op *op, const struct ebb_record *rec, struct ebb_err *err)
{
	uint64_t h;

	if (!hash_of(op->store, rec, op->key, strlen(op->key), &h))
		return 0;
	if (e->n == e->room) {
		size_t room = e->room ? e->room * 2 : 1024;
		uint64_t *v = reallocarray(e->v, room, sizeof(*v));

		if (!v)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		e->v = v;
		e->room = room;
	}
	e->v[e->n++] = h;
	return 0;
}

static int take_op(void *ctx, const struct ebb_executor_op *o, bool standing, struct ebb_err *err)
{
	char coding[64];

	if (o->op.how != EBB_OP_REPLACE)
		return 0;
	if (o->result.outcome == EBB_OP_DONE)
		return standing ? add(ctx, &o->op, &o->result.to, err) : 0;
	/* by somebody else */
	if (o->result.outcome == EBB_OP_SKIPPED && *ebb_replace_encoding(&o->op.meta, coding, sizeof(coding)))
		return add(ctx, &o->op, &o->op.obj, err);
	return 0;
}

static int each_run(void *ctx, const struct ebb_run *run, struct ebb_err *err)
{
	return ebb_replay_each(run->journal, take_op, ctx, err);
}

static int by_value(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

int ebb_encoded_load(const char *index, struct ebb_encoded *ret, struct ebb_err *err)
{
	int r = ebb_run_each(index, each_run, ret, err);

	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_value);
	return r;
}

bool ebb_encoded_has(const struct ebb_encoded *e, const char *store, const struct ebb_record *rec)
{
	uint64_t h;

	return e->n && hash_of(store, rec, rec->key, rec->key_len, &h) && bsearch(&h, e->v, e->n, sizeof(h), by_value);
}
