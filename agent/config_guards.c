/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config_guards.h"

#include <string.h>

#include "agent/ref.h"
#include "core/mem.h"
#include "core/text.h"

/* More than there are readers. */
#define READERS 64

bool ebb_config_guards_ignores(const struct ebb_config_guards *g, const char *reader)
{
	for (size_t i = 0; i < g->nignore; i++)
		if (strcmp(g->ignore[i], reader) == 0)
			return true;
	return false;
}

static int read_ignore(struct ebb_arena *arena, const struct ebb_tree_node *node, struct ebb_config_guards *g, struct ebb_err *err)
{
	const char *names[READERS];
	size_t n = 0, which = 0;
	int r = ebb_tree_expect(node, EBB_TREE_SEQ, err);

	for (const struct ebb_ref *ref; n < READERS && (ref = ebb_ref_row(n)); n++)
		names[n] = ref->name;
	if (r < 0)
		return r;
	if (!(g->ignore = ebb_arena_calloc(arena, node->n_children + 1, sizeof(*g->ignore))))
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	EBB_TREE_EACH(child, node)
	{
		if ((r = ebb_tree_choice(child, names, n, &which, err)) < 0)
			return r;
		g->ignore[g->nignore++] = names[which];
	}
	return 0;
}

int ebb_config_guards_read(struct ebb_arena *arena, const struct ebb_tree_node *root, struct ebb_config_guards *ret, struct ebb_err *err)
{
	static const char *const keys[] = {"recent", "open_files", "ignore"};
	const struct ebb_tree_node *map = ebb_tree_get(root, "guards"), *n;
	int r = 0;

	*ret = (struct ebb_config_guards){.open_files = true};
	if (!map)
		return 0;
	r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);
	if (r == 0 && (n = ebb_tree_get(map, "recent")))
		r = ebb_tree_duration(n, &ret->recent_ns, err);
	if (r == 0 && (n = ebb_tree_get(map, "open_files")))
		r = ebb_tree_bool(n, &ret->open_files, err);
	if (r == 0 && (n = ebb_tree_get(map, "ignore")))
		r = read_ignore(arena, n, ret, err);
	return r;
}
