/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/ingest.h"

#include <stdlib.h>
#include <string.h>

/* A store that some line was of. */
struct target {
	const char *store;	/* borrowed from the configuration */
	struct ebb_access_in *in;	/* NULL until then */
};

struct map {
	char *source;		/* "" for any host */
	char *path;		/* prefix, without a leading '/' */
	char *key;		/* what stands for it in the store */
	size_t source_len, path_len, key_len;
	struct target *target;
};

struct ebb_ingest {
	struct ebb_app *app;
	struct ebb_index *ix;
	int64_t gap;
	struct map *map;
	size_t nmaps;
	struct target *target;	/* one for each store of the configuration */
	struct ebb_ingest_totals totals;
};

struct ebb_ingest *ebb_ingest_new(struct ebb_app *app, struct ebb_index *ix, int64_t gap)
{
	struct ebb_ingest *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	*g = (struct ebb_ingest){.app = app, .ix = ix, .gap = gap};
	g->target = calloc(app->config->nstores + 1, sizeof(*g->target));
	if (!g->target) {
		free(g);
		return NULL;
	}
	for (size_t i = 0; i < app->config->nstores; i++)
		g->target[i].store = app->config->stores[i].open.name;
	return g;
}

void ebb_ingest_free(struct ebb_ingest *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->nmaps; i++) {
		free(g->map[i].source);
		free(g->map[i].path);
		free(g->map[i].key);
	}
	for (size_t i = 0; i < g->app->config->nstores; i++)
		ebb_access_in_free(g->target[i].in);
	free(g->target);
	free(g->map);
	free(g);
}

/* Strings are copied. */
static int add_map(struct ebb_ingest *g, struct target *t, struct ebb_accesslog_text source,
		   struct ebb_accesslog_text path, const char *key, struct ebb_err *err)
{
	struct map *more = realloc(g->map, (g->nmaps + 1) * sizeof(*more));
	struct map m = {.source_len = source.len, .path_len = path.len, .key_len = strlen(key), .target = t};

	if (more) {
		g->map = more;
		m.source = strndup(source.p, source.len);
		m.path = strndup(path.p, path.len);
		m.key = strdup(key);
		g->map[g->nmaps++] = m;
	}
	return more && m.source && m.path && m.key ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static struct ebb_accesslog_text text_of(const char *s)
{
	return (struct ebb_accesslog_text){s, strlen(s)};
}

int ebb_ingest_map_stores(struct ebb_ingest *g, struct ebb_err *err)
{
	const struct ebb_config *c = g->app->config;
	int r = 0;

	for (size_t i = 0; i < c->nstores && !r; i++) {
		const struct ebb_store_config *s = &c->stores[i].open;

		if (s->bucket)
			r = add_map(g, &g->target[i], text_of(s->bucket), text_of(s->prefix ? s->prefix : ""), "", err);
	}
	return r;
}

int ebb_ingest_map(struct ebb_ingest *g, const char *text, struct ebb_err *err)
{
	const char *equals = strrchr(text, '='), *slash = strchr(text, '/');
	const char *colon = equals ? strchr(equals, ':') : NULL;
	size_t n = equals ? colon ? (size_t)(colon - equals - 1) : strlen(equals + 1) : 0;
	struct ebb_accesslog_text source, path = {"", 0};

	if (!equals || n == 0 || equals == text)
		return ebb_err_set(err, EBB_EUSAGE, "--map: expected SOURCE/PATH=STORE or /PATH=STORE, got '%s'", text);
	if (slash && slash < equals)
		path = (struct ebb_accesslog_text){slash + 1, (size_t)(equals - slash - 1)};
	source = (struct ebb_accesslog_text){text, (size_t)((slash && slash < equals ? slash : equals) - text)};
	for (size_t i = 0; i < g->app->config->nstores; i++)
		if (strlen(g->target[i].store) == n && memcmp(g->target[i].store, equals + 1, n) == 0)
			return add_map(g, &g->target[i], source, path, colon ? colon + 1 : "", err);
	return ebb_err_set(err, EBB_EUSAGE, "--map: no store is called '%.*s' in '%s'", (int)n, equals + 1,
			   g->app->config->path);
}

static bool same_source(const struct map *m, const struct ebb_accesslog_event *e)
{
	if (m->source_len == 0)
		return e->url;
	return m->source_len == e->source.len && memcmp(m->source, e->source.p, e->source.len) == 0;
}

/* The read under the store's key. Those that no key can be made of are left out: there is no such object. */
static int add_read(const struct map *m, const struct ebb_accesslog_event *e, struct ebb_accesslog_text rest,
		    struct ebb_err *err)
{
	char key[EBB_KEY_MAX];
	struct ebb_access_read r = {.time = e->time, .bytes = e->bytes, .id = e->id};

	if (m->key_len + rest.len > sizeof(key) || m->key_len + rest.len == 0 || memchr(rest.p, 0, rest.len))
		return 0;
	memcpy(key, m->key, m->key_len);
	memcpy(key + m->key_len, rest.p, rest.len);
	r.key = key;
	r.key_len = (uint32_t)(m->key_len + rest.len);
	return ebb_access_in_read(m->target->in, &r, err);
}

static int meet(struct ebb_ingest *g, struct map *m, const struct ebb_accesslog_event *e, bool *ret_met,
		struct ebb_err *err)
{
	struct ebb_accesslog_text rest = e->path;
	int r = 0;

	if (!m->target->in)
		r = ebb_access_in_begin(g->ix, m->target->store, g->app->index_dir, g->gap, &m->target->in, err);
	if (r)
		return r;
	if (e->read && !e->own) {
		if (e->url && rest.len) {
			rest.p++;
			rest.len--;
		}
		if (rest.len >= m->path_len && memcmp(rest.p, m->path, m->path_len) == 0) {
			*ret_met = true;
			rest.p += m->path_len;
			rest.len -= m->path_len;
			return add_read(m, e, rest, err);
		}
	}
	return ebb_access_in_hour(m->target->in, e->time, err);
}

int ebb_ingest_event(void *ctx, const struct ebb_accesslog_event *e, struct ebb_err *err)
{
	struct ebb_ingest *g = ctx;
	bool met = false;
	int r = 0;

	for (size_t i = 0; i < g->nmaps && !r; i++)
		if (same_source(&g->map[i], e))
			r = meet(g, &g->map[i], e, &met, err);
	if (!e->read)
		return r;
	if (e->own) {
		g->totals.own++;
		return r;
	}
	g->totals.unmapped += !met;
	if ((++g->totals.reads & 4095) == 0 && !r)
		r = ebb_app_cancelled(g->app, err);
	return r;
}

const struct ebb_ingest_totals *ebb_ingest_totals(const struct ebb_ingest *g)
{
	return &g->totals;
}

int ebb_ingest_end(struct ebb_ingest *g, ebb_ingest_store_fn *fn, void *ctx, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < g->app->config->nstores && r >= 0; i++) {
		struct target *t = &g->target[i];
		struct ebb_access_stats stats;

		if (!t->in)
			continue;
		r = ebb_access_in_end(t->in, &stats, err);
		ebb_access_in_free(t->in);
		t->in = NULL;
		if (r == 0)
			r = ebb_access_in_apply(g->ix, t->store, err);
		if (r >= 0)
			r = fn(ctx, t->store, &stats, r == 1, err);
	}
	return r;
}
