/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/books.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/yaml.h"
#include "core/mem.h"

/* Call @fn for each folder that books may ship in, until it says that it has found what it wants. */
static bool each_folder(bool (*fn)(void *ctx, const char *dir), void *ctx)
{
	static const char *const below[] = {"../share/ebb/prices", "../contrib/prices",
					    "../../contrib/prices"};
	const char *env = getenv("EBB_PRICES");
	char exe[PATH_MAX], dir[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (env && *env)
		return fn(ctx, env);
	exe[n > 0 ? n : 0] = 0;
	char *slash = strrchr(exe, '/');
	if (!slash)
		return false;
	*slash = 0;
	for (size_t i = 0; i < EBB_ARRAY_LEN(below); i++) {
		snprintf(dir, sizeof(dir), "%s/%s", exe, below[i]);
		if (fn(ctx, dir))
			return true;
	}
	return false;
}

struct wanted {
	const char *name;
	char *path;
};

static bool try_book(void *ctx, const char *dir)
{
	const struct wanted *w = ctx;

	return snprintf(w->path, PATH_MAX, "%s/%s.yaml", dir, w->name) < PATH_MAX &&
	       access(w->path, R_OK) == 0;
}

bool ebb_books_find(const char *name, char ret[PATH_MAX])
{
	struct wanted w = {name, ret};

	return each_folder(try_book, &w);
}

int ebb_books_add(struct ebb_arena *arena, struct ebb_price_books *set, const char *path,
		  struct ebb_digest *digest, struct ebb_tree_node **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf bytes = EBB_BUF_INIT(EBB_YAML_MAX);
	struct ebb_tree_node *doc = NULL;
	int r = ebb_yaml_load(arena, path, &bytes, &doc, err);

	if (r)
		return r;
	if (digest)
		ebb_digest_update(digest, bytes.data, bytes.len);
	r = ebb_price_books_add(set, doc, err);
	if (!r && ret)
		*ret = doc;
	return r;
}

static bool look(void *ctx, const char *dir)
{
	char pattern[PATH_MAX + 64];
	glob_t *g = ctx;

	snprintf(pattern, sizeof(pattern), "%s/*.yaml", dir);
	globfree(g);
	return glob(pattern, 0, NULL, g) == 0;
}

const char **ebb_books_names(struct ebb_arena *arena)
{
	glob_t g = {0};
	size_t n = each_folder(look, &g) ? g.gl_pathc : 0;
	const char **list = ebb_arena_calloc(arena, n + 1, sizeof(*list));

	for (size_t i = 0; list && i < n; i++) {
		const char *name = strrchr(g.gl_pathv[i], '/') + 1;

		list[i] = ebb_arena_memdup(arena, name, strlen(name) - strlen(".yaml"));
		if (!list[i])
			list = NULL;
	}
	globfree(&g);
	return list;
}
