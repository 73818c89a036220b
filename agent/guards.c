/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/guards.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cursor.h"
#include "core/text.h"

/* Symlinks that are followed one after the other, as Linux does. */
#define LINKS 40

#define DVC_CACHE ".dvc/cache/"

/* Caches without history in one store whose references are looked up; of more, nothing may go. */
#define WHOLES 64

struct building {
	struct ebb_snap *snap;
	const struct ebb_guards_store *stores;
	size_t n;
	const struct ebb_config_guards *config;
	ebb_guards_told_fn *told;
	void *ctx;
	struct ebb_guard *guard;
	/* the file at hand */
	const struct ebb_guards_store *at;
	const struct ebb_facts_file *file;
	const char *family;	/* or NULL: nothing is held for it */
	bool holds;		/* it is held already */
	const char *wholes[WHOLES];	/* caches of the store whose references are all in sight, if all are understood */
	size_t nwholes;
};

/* --- What there is --------------------------------------------------------------------------------------- */

/* 1: there is an object with exactly that key; 0; negative. */
static int exists(const struct building *b, const struct ebb_guards_store *s, const char *key)
{
	struct ebb_record rec;
	int r = *key ? ebb_snap_get(b->snap, &s->st, key, &rec, NULL) : -EBB_ENOENT;

	return r == 0 ? 1 : r == -EBB_ENOENT ? 0 : r;
}

/* The same for anything below a prefix. */
static int exists_below(const struct building *b, const struct ebb_guards_store *s, const char *prefix)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_block_keys *it = malloc(sizeof(*it));
	struct ebb_block blk;
	size_t len = strlen(prefix);
	int r = it ? ebb_cursor_open(b->snap, &s->st, prefix, &c, NULL) : -EBB_ENOMEM;

	while (r >= 0 && (r = ebb_cursor_next(c, &blk, NULL)) == 1) {
		ebb_block_keys_init(it, &blk);
		while ((r = ebb_block_keys_next(it, NULL)) == 1)
			if (ebb_record_key_has_prefix(it->key, it->len, prefix, len))
				return 1;
	}
	return r;
}

/* --- Entries --------------------------------------------------------------------------------------------- */

static int add(struct building *b, const struct ebb_guards_store *s, const char *key, bool below, bool held, const char *why, struct ebb_err *err)
{
	const struct ebb_guard_entry e = {
		.store = s->st.name, .key = key, .len = strlen(key), .below = below, .held = held, .why = why,
	};

	return ebb_guard_add(b->guard, &e, err);
}

/* Something is wrong with the file: its family stays as it is. */
static int hold(struct building *b, const char *what, const char *name, struct ebb_err *err)
{
	char why[600], key[256], quoted[256];

	if (!b->family || b->holds)
		return 0;
	b->holds = true;
	snprintf(why, sizeof(why), "held: '%s' %s%s", ebb_text_quotes(b->file->key, key, sizeof(key)), what,
		 ebb_text_quotes(name, quoted, sizeof(quoted)));
	if (b->told)
		b->told(b->ctx, b->at->st.name, b->family, why);
	return add(b, b->at, b->family, true, true, why, err);
}

static int live(struct building *b, const struct ebb_guards_store *s, const char *key, bool below, struct ebb_err *err)
{
	char why[600], quoted[400];

	if (s == b->at)
		snprintf(why, sizeof(why), "'%s' refers to it", ebb_text_quotes(b->file->key, quoted, sizeof(quoted)));
	else
		snprintf(why, sizeof(why), "'%s' of store '%s' refers to it", ebb_text_quotes(b->file->key, quoted, sizeof(quoted)), b->at->st.name);
	return add(b, s, key, below, false, why, err);
}

/* An object, or a folder with all below it. */
static int refer(struct building *b, const struct ebb_guards_store *s, const char *key, struct ebb_err *err)
{
	char folder[EBB_KEY_MAX + 2];
	int r = exists(b, s, key);

	if (r == 1)
		return live(b, s, key, false, err);
	snprintf(folder, sizeof(folder), "%s/", key);
	if (r == 0)
		r = exists_below(b, s, folder);
	if (r == 1)
		return live(b, s, folder, true, err);
	return r < 0 ? ebb_err_set(err, -r, "cannot look for '%s' in the index", key) : hold(b, "refers to what is not there: ", key, err);
}

static int refer_below(struct building *b, const char *prefix, struct ebb_err *err)
{
	int r = exists_below(b, b->at, prefix);

	if (r == 1)
		return live(b, b->at, prefix, true, err);
	return r < 0 ? ebb_err_set(err, -r, "cannot look for '%s' in the index", prefix) : hold(b, "refers to what is not there: ", prefix, err);
}

/* --- Symlinks -------------------------------------------------------------------------------------------- */

/* Take out "//", "." and ".." of an absolute path, in place. */
static void normalise(char *path)
{
	char *to = path, *p = path;

	while (*p) {
		char *end = strchrnul(p + 1, '/');
		size_t len = (size_t)(end - p);

		if (len == 3 && memcmp(p, "/..", 3) == 0) {
			while (to > path && *--to != '/')
				;
		} else if (len > 1 && !(len == 2 && p[1] == '.')) {
			memmove(to, p, len);
			to += len;
		}
		p = end;
	}
	*to = '\0';
}

/* The store that an absolute path lies in, the innermost; *ret_key: the rest. NULL: none. */
static const struct ebb_guards_store *store_of(const struct building *b, const char *path, const char **ret_key)
{
	const struct ebb_guards_store *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < b->n; i++) {
		const char *root = b->stores[i].config->open.path;
		size_t len = root ? strlen(root) : 0;

		while (len > 1 && root[len - 1] == '/')
			len--;
		if (!len || len < most || strncmp(path, root, len) != 0 || path[len] != '/')
			continue;
		best = &b->stores[i];
		most = len;
		*ret_key = path + len + 1;
	}
	return best;
}

static const char *link_of(const struct ebb_guards_store *s, const char *key, size_t len)
{
	const struct ebb_facts_fact *f = ebb_facts_first(ebb_facts_find(&s->facts, key, len), EBB_FACTS_LINK);

	return f ? f->text : NULL;
}

/* PATH with one component replaced by what it, a symlink at key[0..len), points to. False: it does not fit. */
static bool substitute(char path[PATH_MAX], const char *root, const char *key, size_t len, const char *target)
{
	const char *slash = memrchr(key, '/', len);
	size_t dir = slash ? (size_t)(slash - key) : 0;
	char out[2 * PATH_MAX];
	int n = *target == '/' ? snprintf(out, sizeof(out), "%s%s", target, key + len)
			       : snprintf(out, sizeof(out), "%s/%.*s/%s%s", root, (int)dir, key, target, key + len);

	if (n >= PATH_MAX)
		return false;
	memcpy(path, out, (size_t)n + 1);
	normalise(path);
	return true;
}

/* Replace the first folder on the way that is a symlink. 1: replaced; 0: there is none; -1: it does not fit. */
static int step(const struct building *b, char path[PATH_MAX])
{
	const char *key;
	const struct ebb_guards_store *s = store_of(b, path, &key);

	for (const char *p = key; s && (p = strchr(p, '/')); p++) {
		const char *target = link_of(s, key, (size_t)(p - key));

		if (target)
			return substitute(path, s->config->open.path, key, (size_t)(p - key), target) ? 1 : -1;
	}
	return 0;
}

static int follow_path(struct building *b, char path[PATH_MAX], struct ebb_err *err)
{
	const struct ebb_guards_store *s;
	const char *key;
	int r = 1;

	for (int i = 0; i < LINKS && r == 1; i++)
		r = step(b, path);
	if (r != 0)
		return hold(b, "is a symlink without end: ", path, err);
	s = store_of(b, path, &key);
	if (!s || !*key)
		return 0;	/* nothing of ours */
	char copy[PATH_MAX];
	snprintf(copy, sizeof(copy), "%s", key);
	return strlen(copy) > EBB_KEY_MAX ? hold(b, "refers to too long a path: ", copy, err) : refer(b, s, copy, err);
}

static int follow_link(struct building *b, const char *target, struct ebb_err *err)
{
	const char *root = b->at->config->open.path;
	char path[PATH_MAX];

	if (!root || !substitute(path, root, b->file->key, b->file->key_len, target))
		return hold(b, "refers to too long a path: ", target, err);
	return follow_path(b, path, err);
}

/* --- Contents by their hash ------------------------------------------------------------------------------ */

/* In a cache whose references are all in sight the content must be there. @whole: its prefix. */
static int check_hash(struct building *b, const char *whole, const char *hash, struct ebb_err *err)
{
	char key[EBB_KEY_MAX + 64];
	int r = 0;

	for (int i = 0; i < 4 && r == 0; i++) {
		snprintf(key, sizeof(key), "%s%s%.2s/%s%s", whole, i & 1 ? "" : "files/md5/", hash, hash + 2, i & 2 ? ".dir" : "");
		r = exists(b, b->at, key);
	}
	if (r != 0)
		return r < 0 ? ebb_err_set(err, -r, "cannot look for '%s' in the index", key) : 0;
	b->family = whole;
	return hold(b, "refers to what is not there: ", hash, err);
}

static int refer_hash(struct building *b, const char *hash, struct ebb_err *err)
{
	char why[600], quoted[400];
	int r = 0;

	snprintf(why, sizeof(why), "'%s' refers to it", ebb_text_quotes(b->file->key, quoted, sizeof(quoted)));
	if (strlen(hash) == EBB_GUARD_HASH)
		r = ebb_guard_hash(b->guard, hash, why, err);
	for (size_t i = 0; r == 0 && i < b->nwholes; i++)
		if (strncmp(b->file->key, b->wholes[i], strlen(b->wholes[i]) - (sizeof(DVC_CACHE) - 1)) == 0)
			r = check_hash(b, b->wholes[i], hash, err);
	return r;
}

/* --- All of it ------------------------------------------------------------------------------------------- */

static int one_fact(struct building *b, const struct ebb_facts_fact *f, struct ebb_err *err)
{
	char path[PATH_MAX];

	switch (f->type) {
	case EBB_FACTS_REF:
		return refer(b, b->at, f->text, err);
	case EBB_FACTS_BELOW:
		return refer_below(b, f->text, err);
	case EBB_FACTS_LINK:
		return follow_link(b, f->text, err);
	case EBB_FACTS_PATH:
		if (snprintf(path, sizeof(path), "%s", f->text) >= PATH_MAX)
			return hold(b, "refers to too long a path: ", f->text, err);
		normalise(path);
		return follow_path(b, path, err);
	case EBB_FACTS_HASH:
		return refer_hash(b, f->text, err);
	default:
		return 0;
	}
}

/* A file that refers to others, or settles what becomes of them; symlinks and what speaks of checkpoints are no such thing. */
static bool is_root(const struct ebb_facts_file *f)
{
	for (size_t i = 0; i < f->n; i++)
		switch (f->facts[i].type) {
		case EBB_FACTS_REF:
		case EBB_FACTS_BELOW:
		case EBB_FACTS_HASH:
		case EBB_FACTS_HOLD:
		case EBB_FACTS_WHOLE:
			return true;
		default:
			break;
		}
	return false;
}

static int one_file(struct building *b, const struct ebb_facts_file *f, struct ebb_err *err)
{
	const struct ebb_facts_fact *family = ebb_facts_first(f, EBB_FACTS_FAMILY), *bad = ebb_facts_first(f, EBB_FACTS_BAD);
	int r = 0;

	b->file = f;
	b->family = family ? family->text : NULL;
	b->holds = false;
	for (size_t i = 0; r == 0 && i < f->n; i++) {
		if (f->facts[i].type == EBB_FACTS_HOLD)
			r = add(b, b->at, f->facts[i].text, true, true, f->facts[i].name ? f->facts[i].name : "held", err);
	}
	if (r == 0 && bad)
		r = hold(b, "is not understood: ", bad->text, err);
	for (size_t i = 0; r == 0 && !bad && i < f->n; i++)
		r = one_fact(b, &f->facts[i], err);
	/* without it nobody would know what the others are for */
	return r == 0 && is_root(f) ? add(b, b->at, f->key, false, false, "it says what others are for", err) : r;
}

/* DVC files that are not understood leave no cache of theirs with all its references in sight: hashes that they name are missing. */
static bool all_of_dvc_read(const struct ebb_guards_store *s, const char *whole)
{
	size_t len = strlen(whole) - (sizeof(DVC_CACHE) - 1);

	for (size_t i = 0; i < s->facts.n; i++)
		if (strcmp(s->facts.files[i].reader, "dvc") == 0 && strncmp(s->facts.files[i].key, whole, len) == 0 &&
		    ebb_facts_first(&s->facts.files[i], EBB_FACTS_BAD))
			return false;
	return true;
}

static int find_wholes(struct building *b, const struct ebb_guards_store *s, struct ebb_err *err)
{
	int r = 0;

	b->nwholes = 0;
	for (size_t i = 0; r == 0 && i < s->facts.n && b->nwholes < WHOLES; i++) {
		const struct ebb_facts_fact *w = ebb_facts_first(&s->facts.files[i], EBB_FACTS_WHOLE);

		if (!w || ebb_facts_first(&s->facts.files[i], EBB_FACTS_BAD))
			continue;
		if (!all_of_dvc_read(s, w->text))
			r = add(b, s, w->text, true, true, "held: a file of DVC that may refer to it is not understood", err);
		else if ((r = ebb_guard_whole(b->guard, s->st.name, w->text, err)) == 0)
			b->wholes[b->nwholes++] = w->text;
	}
	return r;
}

static int one_store(struct building *b, const struct ebb_guards_store *s, struct ebb_err *err)
{
	int r;

	b->at = s;
	if (!s->known)
		return add(b, s, "", true, true, "held: nothing was read of what refers to what; ebb scan reads it", err);
	/* all of it may go, as far as DVC is concerned */
	r = ebb_config_guards_ignores(b->config, "dvc") ? ebb_guard_whole(b->guard, s->st.name, "", err) : find_wholes(b, s, err);
	for (size_t i = 0; r == 0 && i < s->facts.n; i++)
		if (!ebb_config_guards_ignores(b->config, s->facts.files[i].reader))
			r = one_file(b, &s->facts.files[i], err);
	return r;
}

int ebb_guards_make(struct ebb_snap *snap, const struct ebb_guards_store *stores, size_t n, const struct ebb_config_guards *config,
		    ebb_guards_told_fn *told, void *ctx, struct ebb_guard **ret, struct ebb_err *err)
{
	struct building b = {.snap = snap, .stores = stores, .n = n, .config = config, .told = told, .ctx = ctx, .guard = ebb_guard_new()};
	int r = b.guard ? 0 : ebb_err_set(err, EBB_ENOMEM, "no memory for references");

	for (size_t i = 0; r == 0 && i < n; i++)
		r = one_store(&b, &stores[i], err);
	if (r == 0)
		r = ebb_guard_seal(b.guard, err);
	if (r < 0)
		ebb_guard_free(b.guard);
	else
		*ret = b.guard;
	return r;
}
