/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/target.h"
#include "core/cursor.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void ebb_target_release(struct ebb_target *t)
{
	free(t->key);
	t->key = NULL;
}

/* Whether a word is meant as a path. */
static bool is_path(const char *word)
{
	const char *slash = strchr(word, '/'), *colon = strchr(word, ':');

	return (slash && (!colon || slash < colon)) || strcmp(word, ".") == 0 ||
	       strcmp(word, "..") == 0;
}

/* STORE or STORE:KEY. */
static int parse_store(const char *word, struct ebb_target *ret, struct ebb_err *err)
{
	size_t n = strcspn(word, ":");

	if (n == 0 || n > EBB_INDEX_NAME_MAX)
		return ebb_err_set(err, EBB_EUSAGE,
				   "'%s' is neither STORE, nor STORE:KEY, nor a path", word);
	char *key = strdup(word[n] ? word + n + 1 : "");
	if (!key)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	memcpy(ret->store, word, n);
	ret->store[n] = 0;
	ret->key = key;
	ret->exact = false;
	return 0;
}

/* Absolute path of @word with the symlinks of its folders resolved, not its own; into @ret. */
static int resolve(const char *word, char ret[PATH_MAX], bool *ret_dir, struct ebb_err *err)
{
	char copy[PATH_MAX];
	size_t len = strlen(word);
	struct stat st;

	if (len >= sizeof(copy))
		return ebb_err_set(err, EBB_EUSAGE, "the path is too long: '%s'", word);
	memcpy(copy, word, len + 1);
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = 0;
	char *base = strrchr(copy, '/');
	base = base ? base + 1 : copy;
	if (!*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0 || word[strlen(word) - 1] == '/') {
		if (!realpath(copy, ret))
			return ebb_err_set(err, EBB_EUSAGE, "cannot find '%s': %s", word, strerror(errno));
	} else {
		char name[NAME_MAX + 1];
		size_t n = strlen(base);

		if (n > NAME_MAX)
			return ebb_err_set(err, EBB_EUSAGE, "the name is too long: '%s'", word);
		memcpy(name, base, n + 1);
		*base = 0;
		if (!realpath(*copy ? copy : ".", ret))
			return ebb_err_set(err, EBB_EUSAGE, "cannot find the folder of '%s': %s", word,
					   strerror(errno));
		len = strlen(ret);
		if (len + strlen(name) + 2 > PATH_MAX)
			return ebb_err_set(err, EBB_EUSAGE, "the path is too long: '%s'", word);
		sprintf(ret + len, "%s%s", len > 1 ? "/" : "", name);
	}
	*ret_dir = lstat(ret, &st) == 0 && S_ISDIR(st.st_mode);
	return 0;
}

/* The store whose root holds @path most closely, or NULL; *ret_rest is what stands behind the root. */
static const struct ebb_config_store *store_of(const struct ebb_config *c, const char *path,
					       const char **ret_rest)
{
	const struct ebb_config_store *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < c->nstores; i++) {
		char root[PATH_MAX];

		if (!c->stores[i].open.path || !realpath(c->stores[i].open.path, root))
			continue;
		size_t n = strlen(root);
		n = n == 1 ? 0 : n;
		if (strncmp(path, root, n) || (path[n] && path[n] != '/') || (best && n < longest))
			continue;
		best = &c->stores[i];
		longest = n;
		*ret_rest = path[n] ? path + n + 1 : path + n;
	}
	return best;
}

static int parse_path(struct ebb_app *app, const char *word, struct ebb_target *ret,
		      struct ebb_err *err)
{
	char path[PATH_MAX];
	const char *rest = "";
	bool dir = false;
	int r = ebb_app_config(app, err);

	if (!r)
		r = resolve(word, path, &dir, err);
	if (r)
		return r;
	const struct ebb_config_store *s = store_of(app->config, path, &rest);
	if (!s)
		return ebb_err_set(err, EBB_EUSAGE, "'%s' lies in no store of '%s'", path,
				   app->config_path);
	char *key = NULL;
	if (asprintf(&key, "%s%s", rest, dir && *rest ? "/" : "") < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	snprintf(ret->store, sizeof(ret->store), "%s", s->open.name);
	ret->key = key;
	ret->exact = !dir && *key;
	return 0;
}

static const char url[] = "s3://";

/* s3://BUCKET[/KEY]: in the store of that bucket whose prefix is the longest. */
static int parse_url(struct ebb_app *app, const char *word, struct ebb_target *ret, struct ebb_err *err)
{
	const struct ebb_config_store *best = NULL;
	const char *bucket = word + strlen(url), *slash = strchrnul(bucket, '/');
	const char *key = *slash ? slash + 1 : slash;
	size_t longest = 0;
	int r = ebb_app_config(app, err);

	for (size_t i = 0; !r && i < app->config->nstores; i++) {
		const struct ebb_store_config *o = &app->config->stores[i].open;
		const char *prefix = o->prefix ? o->prefix : "";
		size_t n = strlen(prefix);

		if (!o->bucket || strncmp(o->bucket, bucket, (size_t)(slash - bucket)) != 0 ||
		    o->bucket[slash - bucket] || strncmp(key, prefix, n) != 0 || (best && n < longest))
			continue;
		best = &app->config->stores[i];
		longest = n;
	}
	if (r)
		return r;
	if (!best)
		return ebb_err_set(err, EBB_EUSAGE, "'%s' lies in no store of '%s'", word, app->config_path);
	snprintf(ret->store, sizeof(ret->store), "%s", best->open.name);
	ret->exact = false;
	ret->key = strdup(key + longest);
	return ret->key ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

int ebb_target_parse(struct ebb_app *app, const char *word, struct ebb_target *ret,
		     struct ebb_err *err)
{
	if (strncmp(word, url, strlen(url)) == 0)
		return parse_url(app, word, ret, err);
	return is_path(word) ? parse_path(app, word, ret, err) : parse_store(word, ret, err);
}

bool ebb_target_has(const struct ebb_target *t, const char *key, size_t len)
{
	size_t n = strlen(t->key);

	return ebb_record_key_has_prefix(key, len, t->key, n) &&
	       (!t->exact || len == n || key[n] == '/');
}

/* One target: open its cursor and hand it over. */
static int visit(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_target *t,
		 const struct ebb_index_store *st, ebb_target_fn *fn, void *ctx,
		 struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	const struct ebb_config_store *cs =
		app->config ? ebb_config_store(app->config, t->store) : NULL;
	int r = ebb_cursor_open(snap, st, t->key, &c, err);

	if (r)
		return r;
	struct ebb_target_at at = {
		.target = t, .store = st, .cursor = c, .class = cs ? cs->class : NULL};
	return fn(ctx, &at, err);
}

/* Names of all scanned stores of the index. */
struct names {
	struct ebb_index_store *st;
	size_t n;
};

static int collect(void *ctx, const struct ebb_index_store *st, struct ebb_err *err)
{
	struct names *names = ctx;

	if (!st->generation)
		return 0;
	struct ebb_index_store *p = realloc(names->st, (names->n + 1) * sizeof(*p));
	if (!p)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	names->st = p;
	p[names->n++] = *st;
	return 0;
}

static int each_store(struct ebb_app *app, struct ebb_snap *snap, ebb_target_fn *fn, void *ctx,
		      struct ebb_err *err)
{
	struct names names = {0};
	char all[] = "";
	int r = ebb_snap_stores(snap, collect, &names, err);

	if (!r && !names.n)
		r = ebb_err_set(err, EBB_ENOENT, "the index '%s' holds no store yet: run 'ebb scan'",
				app->index_dir);
	for (size_t i = 0; i < names.n && !r; i++) {
		struct ebb_target t = {.key = all};

		memcpy(t.store, names.st[i].name, sizeof(t.store));
		r = visit(app, snap, &t, &names.st[i], fn, ctx, err);
	}
	free(names.st);
	return r;
}

static int one_word(struct ebb_app *app, struct ebb_snap *snap, const char *word,
		    ebb_target_fn *fn, void *ctx, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_target_release) struct ebb_target t = {0};
	struct ebb_index_store st;
	int r = ebb_target_parse(app, word, &t, err);

	if (!r) {
		struct ebb_err e = {0};
		int known = ebb_snap_store(snap, t.store, &st, &e);

		/* what the index does not know was named on the command line */
		if (known)
			r = ebb_err_set(err, known == -EBB_ENOENT ? EBB_EUSAGE : -known, "%s", e.msg);
	}
	if (r)
		return r;
	if (!st.generation)
		return ebb_err_set(err, EBB_ENOENT,
				   "store '%s' was never scanned to the end: run 'ebb scan %s'", t.store,
				   t.store);
	return visit(app, snap, &t, &st, fn, ctx, err);
}

int ebb_target_found(const struct ebb_target_at *at, uint64_t objects, struct ebb_err *err)
{
	if (objects || !*at->target->key)
		return 0;
	return ebb_err_set(err, EBB_ENOENT, "nothing is below '%s:%s'", at->store->name,
			   at->target->key);
}

int ebb_target_each(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_cli_args *args,
		    ebb_target_fn *fn, void *ctx, struct ebb_err *err)
{
	int r = 0;

	if (!ebb_cli_argc(args))
		return each_store(app, snap, fn, ctx, err);
	for (int i = 0; i < ebb_cli_argc(args) && !r; i++)
		r = one_word(app, snap, ebb_cli_arg(args, i), fn, ctx, err);
	return r;
}
