/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/reach.h"

#include <stdlib.h>
#include <string.h>

#include "agent/scan.h"

struct listing {
	struct ebb_app *app;
	struct ebb_reach *r;
};

static int add_store(void *ctx, const struct ebb_index_store *st, struct ebb_err *err)
{
	struct listing *l = ctx;
	struct ebb_reach *r = l->r;

	if (st->building)
		ebb_app_note(l->app, "the last scan of store '%s' did not come to its end, so it is left out: run ebb scan %s",
			     st->name, st->name);
	if (st->building || !st->generation)
		return 0;
	struct ebb_reach_store *v = realloc(r->v, (r->n + 1) * sizeof(*v));
	if (!v)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	r->v = v;
	v[r->n++] = (struct ebb_reach_store){
		.st = *st,
		.config = l->app->config ? ebb_config_store(l->app->config, st->name) : NULL,
	};
	return 0;
}

static int read_targets(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_reach *r,
			struct ebb_err *err)
{
	size_t n = args ? (size_t)ebb_cli_argc(args) : 0;
	int rc = 0;

	r->targets = calloc(n + 1, sizeof(*r->targets));
	if (!r->targets)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (; r->ntargets < n && rc == 0; r->ntargets += rc == 0)
		rc = ebb_target_parse(app, ebb_cli_arg(args, (int)r->ntargets),
				      &r->targets[r->ntargets], err);
	return rc;
}

/* Which stores the targets name; one that the index does not hold is the user's mistake. */
static int mark(struct ebb_reach *r, struct ebb_err *err)
{
	for (size_t i = 0; i < r->n && !r->ntargets; i++)
		r->v[i].whole = r->v[i].some = true;
	for (size_t t = 0; t < r->ntargets; t++) {
		struct ebb_reach_store *found = NULL;

		for (size_t i = 0; i < r->n; i++)
			if (strcmp(r->v[i].st.name, r->targets[t].store) == 0)
				found = &r->v[i];
		if (!found)
			return ebb_err_set(err, EBB_EUSAGE, "store '%s' is not in the index; run: ebb scan %s",
					   r->targets[t].store, r->targets[t].store);
		found->some = true;
		found->whole |= !*r->targets[t].key;
	}
	return 0;
}

/* Open a store and see that it is what the last scan saw; a note says why not. */
static void open_store(struct ebb_app *app, struct ebb_reach_store *s)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *store = NULL;
	struct ebb_store_identity id;
	struct ebb_err why = {0};
	int rc = 0;

	if (!s->config)
		ebb_err_set(&why, EBB_ECONFIG, "store '%s' is not declared any more", s->st.name);
	else
		rc = ebb_store_open(&s->config->open, &store, &why);
	if (store && !(ebb_store_caps(store) & EBB_CAP_DIRS))
		return; /* an object store: every read costs a request, and bytes on the wire */
	if (store && (rc = ebb_store_identify(store, &id, &why)) == 0 && !ebb_scan_same_root(&s->st, &id))
		rc = ebb_err_set(&why, EBB_ESTORE, "store '%s': '%s' is not the folder that the last scan saw",
				 s->st.name, s->config->open.path);
	if (!store || rc < 0) {
		ebb_app_note(app, "%s; its objects are not read", why.msg);
		return;
	}
	s->store = store;
	store = NULL;
}

int ebb_reach_open(struct ebb_app *app, struct ebb_index *ix, const struct ebb_cli_args *args,
		   bool open, struct ebb_reach *ret, struct ebb_err *err)
{
	struct listing l = {app, ret};
	struct ebb_snap *snap;
	int rc = ebb_snap_open(ix, &snap, err);

	if (rc < 0)
		return rc;
	rc = ebb_snap_stores(snap, add_store, &l, err);
	ebb_snap_close(snap);
	if (rc == 0)
		rc = read_targets(app, args, ret, err);
	if (rc == 0 && ret->n == 0)
		rc = ebb_err_set(err, EBB_ENOENT, "no store was scanned yet: run ebb scan");
	if (rc == 0)
		rc = mark(ret, err);
	for (size_t i = 0; rc == 0 && open && i < ret->n; i++)
		open_store(app, &ret->v[i]);
	return rc;
}

void ebb_reach_release(struct ebb_reach *r)
{
	for (size_t i = 0; i < r->n; i++)
		ebb_store_close(r->v[i].store);
	for (size_t i = 0; i < r->ntargets; i++)
		ebb_target_release(&r->targets[i]);
	free(r->v);
	free(r->targets);
	*r = (struct ebb_reach){0};
}

bool ebb_reach_wants(const struct ebb_reach *r, size_t i, const char *key, size_t len)
{
	const struct ebb_reach_store *s = &r->v[i];

	if (s->whole || !s->some)
		return s->whole;
	for (size_t t = 0; t < r->ntargets; t++)
		if (strcmp(r->targets[t].store, s->st.name) == 0 && ebb_target_has(&r->targets[t], key, len))
			return true;
	return false;
}
