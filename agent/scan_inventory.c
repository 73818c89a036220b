/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/scan_inventory.h"

#include <stdlib.h>
#include <string.h>

#include "agent/progress.h"
#include "policies/glob.h"
#include "scanners/inventory.h"
#include "scanners/proof.h"

struct take {
	struct ebb_merge *merge;
	struct ebb_progress progress;
	uint64_t done;
	struct ebb_arena arena;
	struct ebb_glob **glob;	/* what to leave out */
	size_t nglobs;
};

static int add_glob(struct take *t, const char *text, struct ebb_err *err)
{
	struct ebb_glob **g = realloc(t->glob, (t->nglobs + 1) * sizeof(struct ebb_glob *));
	int r;

	if (!g)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	t->glob = g;
	r = ebb_glob_compile(&t->arena, text, &g[t->nglobs], err);
	t->nglobs += r == 0;
	return r;
}

static int on_class(void *ctx, const char *name, int64_t *ret_code, struct ebb_err *err)
{
	struct take *t = ctx;

	return ebb_merge_class(t->merge, name, ret_code, err);
}

static int on_record(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	struct take *t = ctx;
	size_t len = ebb_record_plain_len(rec->key, rec->key_len);

	if (ebb_record_key_has_prefix(rec->key, len, EBB_PROOF_TRASH, strlen(EBB_PROOF_TRASH)))
		return 0;
	for (size_t i = 0; i < t->nglobs; i++)
		if (ebb_glob_match(t->glob[i], rec->key, len))
			return 0;
	if ((++t->done & 1023) == 0)
		ebb_progress_tick(&t->progress, t->done, 0, 0);
	return ebb_merge_put(t->merge, rec, err);
}

/* All is in: count, doubt, publish. The merge is gone in every case. */
static int publish(struct take *t, const struct ebb_app *app, const struct ebb_scan_opts *opts,
		   const struct ebb_inventory_result *inv, struct ebb_scan_result *ret, struct ebb_err *err)
{
	struct ebb_merge *m = t->merge;
	const struct ebb_index_store *st = ebb_merge_store(m);
	int r = ebb_merge_finish(m, &ret->stats, err);

	t->merge = NULL;
	if (!r)
		r = ebb_scan_check_losses(app, st, &ret->stats, opts->accept_losses, err);
	if (r) {
		ebb_merge_abandon(m, true);
		return r;
	}
	char fsid[sizeof(st->root_fsid)];

	memcpy(fsid, st->root_fsid, sizeof(fsid));
	struct ebb_merge_facts facts = {
		.finished = inv->created,
		.evidence = (uint16_t)ret->evidence,
		.evidence_since = INT64_MIN,
		.root_dev = st->root_dev,	/* the next scan asks the bucket itself whether it is the same */
		.root_ino = st->root_ino,
		.root_fsid = fsid,
	};
	return ebb_merge_publish(m, &facts, err);
}

static int run(struct take *t, struct ebb_app *app, struct ebb_index *ix, const struct ebb_config_store *store,
	       const struct ebb_scan_opts *opts, struct ebb_scan_result *ret, struct ebb_err *err)
{
	const struct ebb_inventory_opts io = {.manifest = opts->manifest,
					      .bucket = store->open.bucket,
					      .prefix = store->open.prefix,
					      .tmp = app->index_dir,
					      .cancel = app->cancel};
	const struct ebb_inventory_fns fns = {.class = on_class, .record = on_record, .ctx = t};
	const struct ebb_merge_opts mo = {.store = store->open.name, .restart = true, .now = ebb_app_now(app)};
	struct ebb_inventory_result inv = {0};
	int r = 0;

	for (size_t i = 0; store->exclude && store->exclude[i] && !r; i++)
		r = add_glob(t, store->exclude[i], err);
	for (size_t i = 0; i < opts->nexclude && !r; i++)
		r = add_glob(t, opts->exclude[i], err);
	if (!r)
		r = ebb_merge_begin(ix, &mo, &t->merge, err);
	if (!r)
		r = ebb_inventory_read(&io, &fns, &inv, err);
	ebb_progress_end(&t->progress);
	ret->evidence = inv.tiers ? EBB_EVIDENCE_TIER : EBB_EVIDENCE_MTIME;
	ret->evidence_since = INT64_MIN;
	return r ? r : publish(t, app, opts, &inv, ret, err);
}

int ebb_scan_inventory(struct ebb_app *app, struct ebb_index *ix, const struct ebb_config_store *store,
		       const struct ebb_scan_opts *opts, struct ebb_scan_result *ret,
		       struct ebb_err *err)
{
	struct take t = {0};
	int r;

	if (!store->open.bucket)
		return ebb_err_set(err, EBB_EUSAGE, "--from-inventory: store '%s' is no bucket", store->open.name);
	ebb_progress_start(&t.progress, app->err, app->quiet, "inventory", "objects");
	ebb_arena_init(&t.arena, 16 * 1024 * 1024);
	r = run(&t, app, ix, store, opts, ret, err);
	if (t.merge)
		ebb_merge_abandon(t.merge, true);
	ret->elapsed = ebb_progress_elapsed(&t.progress);
	ebb_arena_release(&t.arena);
	free(t.glob);
	return r;
}
