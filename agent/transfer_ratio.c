/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/transfer_ratio.h"

#include <stdlib.h>
#include <string.h>

#include "compress/codec.h"
#include "compress/pipe.h"
#include "compress/sample.h"
#include "policies/shrink.h"
#include "scanners/store.h"

#define EXTS_MAX 1024
#define WHOLE ((int64_t)8 << 20)
#define SMALL 4096		/* what compressing saves of less is not worth a second object */

struct seen {
	int64_t size;
	uint32_t site;
	struct ebb_record rec;		/* key in the arena */
};

struct ext {
	char name[EBB_SHRINK_EXT_MAX + 1];
	struct seen v[EBB_TRANSFER_RATIO_OBJECTS];	/* the largest */
	size_t n;
	int permille;			/* 0: stays as it is */
};

struct ebb_transfer_ratio {
	struct ebb_app *app;
	struct ebb_transfer_index *index;
	struct ebb_arena arena;
	struct ebb_store *open[EBB_XFER_BOOK_PLACES];
	struct ext *v;
	size_t n;
};

void ebb_transfer_ratio_free(struct ebb_transfer_ratio *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < EBB_XFER_BOOK_PLACES; i++)
		ebb_store_close(r->open[i]);
	ebb_arena_release(&r->arena);
	free(r->v);
	free(r);
}

static struct ext *find(const struct ebb_transfer_ratio *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->v[i].name, name) == 0)
			return &r->v[i];
	return NULL;
}

static int note(struct ebb_transfer_ratio *r, struct ext *e, const struct ebb_transfer_member *m, const struct ebb_record *rec)
{
	size_t least = 0;

	for (size_t i = 1; i < e->n; i++)
		least = e->v[i].size < e->v[least].size ? i : least;
	if (e->n < EBB_TRANSFER_RATIO_OBJECTS)
		least = e->n++;
	else if (e->v[least].size >= m->size)
		return 0;
	char *key = ebb_arena_memdup(&r->arena, rec->key, rec->key_len);
	if (!key)
		return -1;
	e->v[least] = (struct seen){m->size, m->site, *rec};
	e->v[least].rec.key = key;
	return 0;
}

/* Remember the largest of each extension. */
static int on_content(void *ctx, const struct ebb_transfer_content *c, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	struct ebb_transfer_ratio *r = ctx;
	const struct ebb_transfer_member *wanted = NULL, *readable = NULL;
	struct ebb_record rec;
	char name[EBB_SHRINK_EXT_MAX + 1];

	ebb_arena_init(&arena, 0);
	for (size_t i = 0; i < c->n; i++) {
		wanted = !wanted && c->v[i].wanted ? &c->v[i] : wanted;
		readable = !readable && c->v[i].readable ? &c->v[i] : readable;
	}
	if (!c->want || !wanted || !readable || c->size < SMALL)
		return 0;
	int rc = ebb_transfer_index_record(r->index, wanted, &arena, &rec, err);
	if (rc < 0)
		return rc;
	ebb_shrink_ext(rec.key, rec.key_len, name);
	struct ext *e = find(r, name);
	if (!e && r->n == EXTS_MAX)
		return 0;
	if (!e) {
		struct ext *v = reallocarray(r->v, r->n + 1, sizeof(*v));

		if (!v)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		r->v = v;
		e = &v[r->n++];
		*e = (struct ext){0};
		memcpy(e->name, name, sizeof(name));
	}
	if ((rc = ebb_transfer_index_record(r->index, readable, &arena, &rec, err)) < 0)
		return rc;
	return note(r, e, readable, &rec) < 0 ? ebb_err_set(err, EBB_ENOMEM, "out of memory") : 0;
}

struct range {
	struct ebb_store *s;
	const struct ebb_record *rec;
	int64_t at, size;
};

static int64_t read_part(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	const struct range *g = ctx;
	int r = ebb_store_read_range(g->s, g->rec->key, g->rec, off, buf, len, err);

	return r < 0 ? r : (int64_t)len;
}

static int64_t read_on(void *ctx, void *buf, size_t len, struct ebb_err *err)
{
	struct range *g = ctx;
	size_t n = g->size - g->at < (int64_t)len ? (size_t)(g->size - g->at) : len;
	int64_t r = n ? read_part(g, g->at, buf, n, err) : 0;

	g->at += r > 0 ? r : 0;
	return r;
}

/* Bytes that compressing leaves of an object. */
static int estimate(struct range *g, int64_t *ret, struct ebb_err *err)
{
	const struct ebb_pipe p = {
		.read = read_on, .read_ctx = g, .mode = EBB_PIPE_ENCODE, .codec = &ebb_codec_zstd, .raw_size = g->size,
	};
	struct ebb_pipe_result whole;
	struct ebb_sample_estimate part = {0};
	int r = g->size <= WHOLE ? ebb_pipe_run(&p, &whole, err)
				 : ebb_sample_estimate(read_part, g, g->size, EBB_TRANSFER_RATIO_LEVEL, &part, err);

	if (r == 0)
		*ret = g->size <= WHOLE ? whole.coded_size : g->size / 1000 * part.permille;
	return r;
}

static int look_into(struct ebb_transfer_ratio *r, struct ext *e, struct ebb_err *err)
{
	int64_t raw = 0, coded = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < e->n; i++) {
		const struct ebb_config_store *cs = &r->app->config->stores[e->v[i].site];
		struct ebb_store **s = &r->open[e->v[i].site];
		int64_t left = 0;

		if (!*s && (rc = ebb_store_open(&cs->open, s, err)) < 0)
			break;
		struct range g = {*s, &e->v[i].rec, 0, e->v[i].size};
		struct ebb_err why = {0};
		rc = estimate(&g, &left, &why);
		if (rc == -EBB_ECHANGED || rc == -EBB_ENOENT || rc == -EBB_ENOTSUP) {
			rc = 0;	/* it tells nothing of the others */
			continue;
		}
		if (rc < 0)
			return ebb_err_set(err, -rc, "%s", why.msg);
		raw += e->v[i].size;
		coded += left;
		rc = ebb_app_cancelled(r->app, err);
	}
	if (rc == 0 && raw > 0 && coded <= raw / 1000 * EBB_SAMPLE_PAYS)
		e->permille = 1 + (int)((double)coded / (double)raw * 1000);
	return rc;
}

static int packed(void *ctx, const char *key, size_t len)
{
	char name[EBB_SHRINK_EXT_MAX + 1];

	ebb_shrink_ext(key, len, name);
	const struct ext *e = find(ctx, name);
	return e ? e->permille : 0;
}

int ebb_transfer_ratio_open(struct ebb_app *app, struct ebb_transfer_index *index, struct ebb_transfer_ratio **ret,
			    struct ebb_err *err)
{
	struct ebb_transfer_ratio *r = calloc(1, sizeof(*r));

	if (!r)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	r->app = app;
	r->index = index;
	ebb_arena_init(&r->arena, 0);
	int rc = ebb_transfer_index_each(index, on_content, r, err);
	for (size_t i = 0; rc == 0 && i < r->n; i++)
		rc = look_into(r, &r->v[i], err);
	if (rc < 0) {
		ebb_transfer_ratio_free(r);
		return rc;
	}
	ebb_transfer_index_set_packed(index, packed, r);
	*ret = r;
	return 0;
}
