/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/dirs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scanners/proof.h"

/* Lanes of one store: what is worked on there, what arrives from elsewhere, its trash. Bits of entry.lanes are numbers of lanes. */
enum { LANE_SOURCE, LANE_TARGET, LANE_TRASH, LANES };

struct entry {
	struct ebb_store *store;
	char *path;		/* owned */
	unsigned lanes;		/* bits of those that are in it or below it; 0: left */
	bool fresh;		/* made in this window: to be created */
	bool made;		/* by this run: no times to put back */
	struct ebb_store *like;	/* made: where its metadata come from, or NULL */
	struct ebb_err why;	/* made: could not be created */
};

struct ebb_dirs {
	const struct ebb_storeset *stores;
	struct ebb_journal *journal;
	struct entry *e;
	size_t n, size;
};

struct ebb_dirs *ebb_dirs_new(const struct ebb_storeset *stores, struct ebb_journal *journal)
{
	struct ebb_dirs *d = calloc(1, sizeof(*d));

	if (d) {
		d->stores = stores;
		d->journal = journal;
	}
	return d;
}

void ebb_dirs_free(struct ebb_dirs *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++)
		free(d->e[i].path);
	free(d->e);
	free(d);
}

void ebb_dirs_parent(const char *key, char *ret)
{
	size_t len = strlen(key);

	if (len && key[len - 1] == '/')
		len--;
	while (len && key[len - 1] != '/')
		len--;
	if (len == 0) {
		strcpy(ret, EBB_DIRS_ROOT);
		return;
	}
	memmove(ret, key, len);
	ret[len] = 0;
}

static bool is_root(const char *dir)
{
	return strcmp(dir, EBB_DIRS_ROOT) == 0;
}

/* True when @dir is @inner or lies above it. */
static bool holds(const char *dir, const char *inner)
{
	return is_root(dir) || strncmp(inner, dir, strlen(dir)) == 0;
}

int ebb_dirs_times(struct ebb_store *s, const char *dir, struct ebb_meta *ret, struct ebb_err *err)
{
	if (!(ebb_store_caps(s) & EBB_CAP_META))
		return 0;
	return ebb_store_get_meta(s, dir, ret, err);
}

int ebb_dirs_set_times(struct ebb_store *s, const char *dir, int64_t mtime, int64_t atime,
		       struct ebb_err *err)
{
	struct ebb_meta m = {.mtime = mtime, .atime = atime};

	if (!(ebb_store_caps(s) & EBB_CAP_META))
		return 0;
	return ebb_store_set_meta(s, dir, &m, EBB_META_TIMES, err);
}

static struct entry *find(struct ebb_dirs *d, const struct ebb_store *s, const char *path)
{
	for (size_t i = d->n; i-- > 0;)
		if (d->e[i].store == s && strcmp(d->e[i].path, path) == 0)
			return &d->e[i];
	return NULL;
}

/* @path is copied. */
static int add(struct ebb_dirs *d, const char *path, const struct entry *e, struct ebb_err *err)
{
	if (d->n == d->size) {
		size_t size = d->size ? 2 * d->size : 64;
		struct entry *more = reallocarray(d->e, size, sizeof(*more));

		if (!more)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		d->e = more;
		d->size = size;
	}
	d->e[d->n] = *e;
	d->e[d->n].path = strdup(path);
	if (!d->e[d->n].path)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	d->n++;
	return 0;
}

/* The lane is now at @path: it is in no directory any more that does not hold it. */
static void move_lane(struct ebb_dirs *d, const struct ebb_store *s, unsigned bit, const char *path)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->e[i].store == s && (d->e[i].lanes & bit) && !holds(d->e[i].path, path))
			d->e[i].lanes &= ~bit;
}

/* An existing directory is about to change: its times, before the first time. */
static int touch(struct ebb_dirs *d, struct ebb_store *s, unsigned bit, const char *path,
		 struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta m = {0};
	struct entry *there = find(d, s, path);

	if (!(ebb_store_caps(s) & EBB_CAP_DIRS))
		return 0;
	if (there) {
		there->lanes |= bit;
		return 0;
	}
	struct ebb_err why = {0};
	int r = ebb_dirs_times(s, path, &m, &why);
	/* gone, or closed to us: so is the object, and its operation says so */
	if (r == -EBB_ENOENT || r == -EBB_EACCES)
		return 0;
	if (r < 0)
		return ebb_err_set(err, -r, "%s", why.msg);

	struct ebb_journal_rec rec = {
		.type = EBB_JOURNAL_DIR, .store = ebb_store_name(s), .path = path,
		.mtime = m.mtime, .atime = m.atime,
	};
	const struct entry e = {.store = s, .lanes = bit};
	r = ebb_journal_put(d->journal, &rec, err);
	return r < 0 ? r : add(d, path, &e, err);
}

static int plan_make(struct ebb_dirs *d, struct ebb_store *s, unsigned bit, const char *path,
		     struct ebb_store *like, struct ebb_err *err)
{
	struct ebb_journal_rec rec = {
		.type = EBB_JOURNAL_MADE, .store = ebb_store_name(s), .path = path,
		.like = like ? ebb_store_name(like) : NULL,
	};
	const struct entry e = {.store = s, .lanes = bit, .fresh = true, .made = true,
				.like = like};
	int r = ebb_journal_put(d->journal, &rec, err);

	return r < 0 ? r : add(d, path, &e, err);
}

static int exists(struct ebb_store *s, const char *dir, struct ebb_err *err)
{
	struct ebb_err why = {0};
	struct ebb_record rec;

	if (is_root(dir))
		return 1;
	int r = ebb_store_head(s, dir, &rec, &why);
	if (r == -EBB_ENOENT)
		return 0;
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 1;
}

/* See that @path will be there, and touch what it is created in. */
static int need(struct ebb_dirs *d, struct ebb_store *s, unsigned bit, const char *path,
		struct ebb_store *like, struct ebb_err *err)
{
	char dir[EBB_KEY_MAX + 1];
	struct entry *there = find(d, s, path);
	int r;

	if (!(ebb_store_caps(s) & EBB_CAP_DIRS))
		return 0;
	if (there) {
		there->lanes |= bit;
		return 0;
	}
	if ((r = exists(s, path, err)) != 0)
		return r < 0 ? r : touch(d, s, bit, path, err);

	/* outermost first: find what exists, then note each that is missing below it */
	size_t len = strlen(path);
	ebb_dirs_parent(path, dir);
	while (!find(d, s, dir) && (r = exists(s, dir, err)) == 0)
		ebb_dirs_parent(dir, dir);
	if (r < 0 || (r = touch(d, s, bit, dir, err)) < 0)
		return r;
	size_t at = is_root(dir) ? 0 : strlen(dir);
	while (r == 0 && at < len) {
		at = (size_t)(strchr(path + at, '/') - path) + 1;
		memcpy(dir, path, at);
		dir[at] = 0;
		r = plan_make(d, s, bit, dir, like, err);
	}
	return r;
}

/* Whose directories are mirrored: those of where the content came from, when they have the same path; or NULL. */
static struct ebb_store *mirrored(const struct ebb_dirs *d, const struct ebb_op *op, const char *dir)
{
	bool hop = op->action == EBB_ACTION_COPY && op->with_store;
	struct ebb_store *s = ebb_storeset_find(d->stores, hop ? op->with_store : op->store);
	char there[EBB_KEY_MAX + 1];

	ebb_dirs_parent(hop ? op->with_key : op->key, there);
	return s && (ebb_store_caps(s) & EBB_CAP_DIRS) && strcmp(there, dir) == 0 ? s : NULL;
}

int ebb_dirs_plan(struct ebb_dirs *d, const struct ebb_op *op, struct ebb_err *err)
{
	struct ebb_store *from = ebb_storeset_find(d->stores, op->store);
	struct ebb_store *to = op->to_store ? ebb_storeset_find(d->stores, op->to_store) : NULL;
	char dir[EBB_KEY_MAX + 1];

	ebb_dirs_parent(op->key, dir);
	move_lane(d, from, 1u << LANE_SOURCE, dir);
	int r = touch(d, from, 1u << LANE_SOURCE, dir, err);
	if (r < 0 || !to)
		return r;

	size_t trash_len = strlen(EBB_PROOF_TRASH);
	bool trash = strncmp(op->to_key, EBB_PROOF_TRASH, trash_len) == 0;
	unsigned bit = 1u << (trash ? LANE_TRASH : to == from && !op->pack ? LANE_SOURCE : LANE_TARGET);
	ebb_dirs_parent(op->to_key, dir);
	move_lane(d, to, bit, dir);
	struct ebb_err why = {0};
	r = need(d, to, bit, dir, !trash && !op->pack && to != from ? mirrored(d, op, dir) : NULL, &why);
	/* closed to us: nothing is made, and the operation fails for itself */
	return r == -EBB_EACCES || r == 0 ? 0 : ebb_err_set(err, -r, "%s", why.msg);
}

int ebb_dirs_make(struct ebb_store *s, const char *path, struct ebb_store *like,
		  struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta m = {0};
	const uint32_t parts = EBB_META_OWNER | EBB_META_MODE | EBB_META_XATTRS;
	int r = ebb_store_mkdirs(s, path, 0700, NULL, NULL, err);

	if (r < 0 || !like || !(ebb_store_caps(like) & ebb_store_caps(s) & EBB_CAP_META))
		return r;
	r = ebb_store_get_meta(like, path, &m, err);
	return r < 0 ? r : ebb_store_set_meta(s, path, &m, parts, err);
}

int ebb_dirs_create(struct ebb_dirs *d, struct ebb_err *err)
{
	(void)err;
	for (size_t i = 0; i < d->n; i++) {
		struct entry *e = &d->e[i];

		if (!e->fresh)
			continue;
		e->fresh = false;
		ebb_err_clear(&e->why);
		ebb_dirs_make(e->store, e->path, e->like, &e->why);
	}
	return 0;
}

int ebb_dirs_why(const struct ebb_dirs *d, const struct ebb_store *s, const char *key,
		 struct ebb_err *err)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->e[i].store == s && d->e[i].why.code && holds(d->e[i].path, key))
			return ebb_err_set(err, d->e[i].why.code, "%s", d->e[i].why.msg);
	return 0;
}

static int leave(struct ebb_dirs *d, const struct entry *e, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta m = {0};
	struct ebb_err why = {0};

	if (e->made)
		return 0;
	if (ebb_dirs_times(e->store, e->path, &m, &why) < 0)
		return 0; /* without a record its times are not put back */
	struct ebb_journal_rec rec = {
		.type = EBB_JOURNAL_LEFT, .store = ebb_store_name(e->store), .path = e->path,
		.mtime = m.mtime, .atime = m.atime,
	};
	return ebb_journal_put(d->journal, &rec, err);
}

int ebb_dirs_leave(struct ebb_dirs *d, bool all, struct ebb_err *err)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct entry *e = &d->e[i];

		if (e->lanes && !all) {
			d->e[kept++] = *e;
			continue;
		}
		if (r == 0)
			r = leave(d, e, err);
		free(e->path);
	}
	d->n = kept;
	return r;
}
