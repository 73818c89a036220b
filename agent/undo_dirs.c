/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/undo_dirs.h"

#include <stdlib.h>
#include <string.h>

#include "agent/dirs.h"
#include "agent/transfer_rows.h"
#include "scanners/proof.h"

struct entry {
	struct ebb_store *store;
	char *path;		/* owned */
	int64_t mtime, atime;	/* as the run left it */
	bool ours;		/* nobody else changed it since */
	bool complete;		/* all that the run did in it was taken back */
	bool touched;		/* in this window */
	bool changed;		/* in this session */
};

struct ebb_undo_dirs {
	const struct ebb_storeset *stores;
	struct ebb_journal *journal;
	struct entry *e;
	size_t n, size;
};

struct ebb_undo_dirs *ebb_undo_dirs_new(const struct ebb_storeset *stores,
					struct ebb_journal *journal)
{
	struct ebb_undo_dirs *d = calloc(1, sizeof(*d));

	if (d) {
		d->stores = stores;
		d->journal = journal;
	}
	return d;
}

void ebb_undo_dirs_free(struct ebb_undo_dirs *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++)
		free(d->e[i].path);
	free(d->e);
	free(d);
}

static struct entry *find(struct ebb_undo_dirs *d, const char *store, const char *path)
{
	for (size_t i = d->n; i-- > 0;)
		if (strcmp(d->e[i].path, path) == 0 &&
		    strcmp(ebb_store_name(d->e[i].store), store) == 0)
			return &d->e[i];
	return NULL;
}

static struct entry *parent(struct ebb_undo_dirs *d, const char *store, const char *key)
{
	char dir[EBB_KEY_MAX + 1];

	ebb_dirs_parent(key, dir);
	return find(d, store, dir);
}

int ebb_undo_dirs_enter(struct ebb_undo_dirs *d, const struct ebb_replay_segment *s,
			struct ebb_err *err)
{
	for (size_t i = 0; i < s->nleft; i++) {
		const struct ebb_replay_dir *left = &s->left[i];
		EBB_CLEANUP(ebb_meta_release) struct ebb_meta now = {0};
		struct entry e = {
			.store = ebb_storeset_find(d->stores, left->store),
			.mtime = left->mtime, .atime = left->atime, .complete = true,
		};

		if (!e.store || find(d, left->store, left->path))
			continue;
		e.ours = ebb_dirs_times(e.store, left->path, &now, NULL) == 0 &&
			 now.mtime == left->mtime;
		if (d->n == d->size) {
			size_t size = d->size ? 2 * d->size : 64;
			struct entry *more = reallocarray(d->e, size, sizeof(*more));

			if (!more)
				return ebb_err_set(err, EBB_ENOMEM, "out of memory");
			d->e = more;
			d->size = size;
		}
		e.path = strdup(left->path);
		if (!e.path)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		d->e[d->n++] = e;
	}
	return 0;
}

void ebb_undo_dirs_incomplete(struct ebb_undo_dirs *d, const struct ebb_op *did)
{
	struct entry *from = parent(d, did->store, did->key);
	struct entry *to = did->to_key ? parent(d, did->to_store, did->to_key) : NULL;

	if (from)
		from->complete = false;
	if (to)
		to->complete = false;
}

static int touch(struct ebb_undo_dirs *d, struct entry *e, struct ebb_err *err)
{
	if (!e || e->touched)
		return 0;
	e->touched = e->changed = true;
	if (!e->ours)
		return 0;
	struct ebb_journal_rec rec = {
		.type = EBB_JOURNAL_DIR, .store = ebb_store_name(e->store), .path = e->path,
		.mtime = e->mtime, .atime = e->atime,
	};
	return ebb_journal_put(d->journal, &rec, err);
}

/*
 * Somebody may have taken the directory away since; what comes back needs one. Whom it let in is not known any more, unless another
 * store has its mirror: then it lets in nobody but its owner, since it may have held secrets.
 */
static void need_parent(struct ebb_undo_dirs *d, const struct ebb_op *op)
{
	struct ebb_store *to = op->to_store ? ebb_storeset_find(d->stores, op->to_store) : NULL;
	struct ebb_store *from = ebb_storeset_find(d->stores, op->store);
	char dir[EBB_KEY_MAX + 1];
	struct ebb_record rec;

	if (!to || !(ebb_store_caps(to) & EBB_CAP_DIRS))
		return;
	for (const char *slash = strchr(op->to_key, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - op->to_key) + 1;

		memcpy(dir, op->to_key, len);
		dir[len] = 0;
		/* when this fails the operation fails, and says so */
		if (ebb_store_head(to, dir, &rec, NULL) == -EBB_ENOENT)
			ebb_dirs_make(to, dir, from != to ? from : NULL, NULL);
	}
}

int ebb_undo_dirs_plan(struct ebb_undo_dirs *d, const struct ebb_replay_segment *s,
		       const struct ebb_executor_op *ops, size_t n, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct ebb_op *op = &ops[i].op;

		r = touch(d, parent(d, op->store, op->key), err);
		if (r == 0 && op->to_key)
			r = touch(d, parent(d, op->to_store, op->to_key), err);
	}
	for (size_t i = 0; r == 0 && i < s->ndirs; i++)
		if (s->dirs[i].made)
			r = touch(d, parent(d, s->dirs[i].store, s->dirs[i].path), err);
	return r;
}

void ebb_undo_dirs_create(struct ebb_undo_dirs *d, const struct ebb_executor_op *ops, size_t n)
{
	for (size_t i = 0; i < n; i++)
		need_parent(d, &ops[i].op);
}

static void put_back(struct ebb_undo_dirs *d, const struct ebb_replay_dir *was, int64_t now)
{
	struct entry *e = find(d, was->store, was->path);

	if (!e)
		return;
	if (e->ours && e->complete)
		ebb_dirs_set_times(e->store, e->path, was->mtime, was->atime, NULL);
	else if (e->ours && e->changed)
		ebb_dirs_set_times(e->store, e->path, now, e->atime, NULL);
	free(e->path);
	memmove(e, e + 1, (--d->n - (size_t)(e - d->e)) * sizeof(*e));
}

void ebb_undo_dirs_leave(struct ebb_undo_dirs *d, const struct ebb_replay_segment *s,
			 bool trash_only, int64_t now)
{
	for (size_t i = s->ndirs; i-- > 0;) {
		struct ebb_store *st = ebb_storeset_find(d->stores, s->dirs[i].store);
		bool trash = strncmp(s->dirs[i].path, EBB_PROOF_TRASH, strlen(EBB_PROOF_TRASH)) == 0 ||
			     strncmp(s->dirs[i].path, EBB_TRANSFER_ROWS_RELAY, strlen(EBB_TRANSFER_ROWS_RELAY)) == 0;

		if (s->dirs[i].made && st && (trash || !trash_only))
			ebb_store_rmdir(st, s->dirs[i].path, NULL);
	}
	for (size_t i = 0; i < d->n; i++)
		if (d->e[i].touched && d->e[i].ours)
			ebb_dirs_set_times(d->e[i].store, d->e[i].path, d->e[i].mtime, d->e[i].atime,
					   NULL);
	for (size_t i = s->ndirs; i-- > 0;)
		if (!s->dirs[i].made)
			put_back(d, &s->dirs[i], now);
	for (size_t i = 0; i < d->n; i++)
		d->e[i].touched = false;
}
