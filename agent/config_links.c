/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config_links.h"

#include <string.h>

#include "core/mem.h"

struct reading {
	bool (*known)(void *ctx, const char *store);
	void *ctx;
	const struct ebb_config_links *so_far;
};

static int read_end(const struct reading *rd, const struct ebb_tree_node *map, const char *name, const char **ret,
		    struct ebb_err *err)
{
	const struct ebb_tree_node *n = ebb_tree_need(map, name, err);
	int r = n ? ebb_tree_text(n, ret, err) : -EBB_ECONFIG;

	return !r && !rd->known(rd->ctx, *ret) ? ebb_tree_error(n, err, "'%s': there is no store '%s'", name, *ret) : r;
}

static int read_speed(const struct ebb_tree_node *map, struct ebb_config_link *ret, struct ebb_err *err)
{
	const struct ebb_tree_node *rate = ebb_tree_get(map, "rate"), *window = ebb_tree_get(map, "window");
	struct ebb_err why = {0};
	int r = 0;

	if (!rate && !window)
		return ebb_tree_error(map, err, "the link from '%s' to '%s' needs a 'rate', as in 100MB a second, or a 'window'", ret->from,
				      ret->to);
	if (rate)
		r = ebb_tree_bytes(rate, &ret->rate, err);
	if (!r && rate && ret->rate <= 0)
		return ebb_tree_error(rate, err, "'rate' must be more than nothing; it is bytes a second, as in 100MB");
	if (!r && window)
		r = ebb_tree_text(window, &ret->window, err);
	if (!r && window && ebb_hours_parse(ret->window, &ret->hours, &why))
		r = ebb_tree_error(window, err, "'window': %s", why.msg);
	return r;
}

static int read_link(const struct reading *rd, const struct ebb_tree_node *map, struct ebb_config_link *ret, struct ebb_err *err)
{
	static const char *const keys[] = {"from", "to", "rate", "window"};
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	if (r || (r = read_end(rd, map, "from", &ret->from, err)) || (r = read_end(rd, map, "to", &ret->to, err)))
		return r;
	if (strcmp(ret->from, ret->to) == 0)
		return ebb_tree_error(map, err, "a link from store '%s' to itself", ret->from);
	for (size_t i = 0; i < rd->so_far->n; i++)
		if (!strcmp(rd->so_far->v[i].from, ret->from) && !strcmp(rd->so_far->v[i].to, ret->to))
			return ebb_tree_error(map, err, "the link from '%s' to '%s' stands twice", ret->from, ret->to);
	return read_speed(map, ret, err);
}

int ebb_config_links_read(struct ebb_arena *arena, const struct ebb_tree_node *root, bool (*known)(void *ctx, const char *store),
			  void *ctx, struct ebb_config_links *ret, struct ebb_err *err)
{
	const struct ebb_tree_node *seq = ebb_tree_get(root, "links");
	const struct reading rd = {known, ctx, ret};
	int r = seq ? ebb_tree_expect(seq, EBB_TREE_SEQ, err) : 0;

	*ret = (struct ebb_config_links){0};
	if (r || !seq)
		return r;
	ret->v = ebb_arena_calloc(arena, seq->n_children + 1, sizeof(*ret->v));
	if (!ret->v)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	EBB_TREE_EACH(item, seq) {
		if ((r = read_link(&rd, item, &ret->v[ret->n], err)))
			return r;
		ret->n++;
	}
	return 0;
}

const struct ebb_config_link *ebb_config_links_find(const struct ebb_config_links *l, const char *from, const char *to)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].from, from) == 0 && strcmp(l->v[i].to, to) == 0)
			return &l->v[i];
	return NULL;
}
