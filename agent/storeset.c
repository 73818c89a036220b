/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/storeset.h"

#include <stdlib.h>
#include <string.h>

struct ebb_storeset {
	const struct ebb_config *config;
	struct ebb_store **stores;
	size_t n;
};

struct ebb_storeset *ebb_storeset_new(const struct ebb_config *config)
{
	struct ebb_storeset *set = calloc(1, sizeof(*set));

	if (set)
		set->config = config;
	return set;
}

void ebb_storeset_free(struct ebb_storeset *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n; i++)
		ebb_store_close(set->stores[i]);
	free(set->stores);
	free(set);
}

struct ebb_store *ebb_storeset_find(const struct ebb_storeset *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(ebb_store_name(set->stores[i]), name) == 0)
			return set->stores[i];
	return NULL;
}

const char *ebb_storeset_class(const struct ebb_storeset *set, const char *name)
{
	const struct ebb_config_store *cs = set->config ? ebb_config_store(set->config, name) : NULL;

	return cs ? cs->class : NULL;
}

int ebb_storeset_add(struct ebb_storeset *set, struct ebb_store *s, struct ebb_err *err)
{
	struct ebb_store **more = reallocarray(set->stores, set->n + 1, sizeof(*more));

	if (!more)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	set->stores = more;
	set->stores[set->n++] = s;
	return 0;
}

int ebb_storeset_get(struct ebb_storeset *set, const char *name, struct ebb_store **ret,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = NULL;
	struct ebb_store *there = ebb_storeset_find(set, name);

	if (there) {
		*ret = there;
		return 0;
	}
	const struct ebb_config_store *cs = set->config ? ebb_config_store(set->config, name) : NULL;
	if (!cs)
		return ebb_err_set(err, EBB_ECONFIG, "store '%s' is not in the configuration", name);
	int r = ebb_store_open(&cs->open, &s, err);
	if (r == 0)
		r = ebb_storeset_add(set, s, err);
	if (r < 0)
		return r;
	*ret = s;
	s = NULL;
	return 0;
}

/* The root's inode, and its filesystem: by its own id where it has one, since device numbers change with reboots. */
static bool same_root(const struct ebb_planhead_store *want, const struct ebb_store_identity *is)
{
	if (want->ino != is->ino)
		return false;
	return *want->fsid && *is->fsid ? strcmp(want->fsid, is->fsid) == 0 : want->dev == is->dev;
}

int ebb_storeset_expect(struct ebb_storeset *set, const struct ebb_planhead *head,
			struct ebb_err *err)
{
	for (size_t i = 0; i < head->nstores; i++) {
		const struct ebb_planhead_store *want = &head->stores[i];
		struct ebb_store_identity is;
		struct ebb_store *s;
		int r = ebb_storeset_get(set, want->name, &s, err);

		if (r == 0)
			r = ebb_store_identify(s, &is, err);
		if (r < 0)
			return r;
		if (same_root(want, &is))
			continue;
		const struct ebb_config_store *cs =
			set->config ? ebb_config_store(set->config, want->name) : NULL;
		return ebb_err_set(err, EBB_ESTORE,
				   "store '%s' (%s) is not the one that the plan saw%s: is it mounted?",
				   want->name, cs ? cs->location : "?",
				   is.empty ? ", and it is empty" : "");
	}
	return 0;
}
