/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/action.h"

#include <string.h>

static const struct ebb_action_kind kinds[EBB_ACTION_COUNT] = {
	[EBB_ACTION_KEEP] =
		{
			.id = EBB_ACTION_KEEP,
			.name = "keep",
			.past = "kept",
			.summary = "leave it as it is, whatever later rules say",
		},
	[EBB_ACTION_DELETE] =
		{
			.id = EBB_ACTION_DELETE,
			.name = "delete",
			.past = "deleted",
			.summary = "move it to the store's trash, or remove it for good",
			.changes = true,
			.destructive = true,
		},
	[EBB_ACTION_TIER] =
		{
			.id = EBB_ACTION_TIER,
			.name = "tier",
			.past = "moved",
			.summary = "move it to another store",
			.changes = true,
			.needs_to = true,
		},
	[EBB_ACTION_COMPRESS] =
		{
			.id = EBB_ACTION_COMPRESS,
			.name = "compress",
			.past = "compressed",
			.summary = "replace it by a compressed file that stock tools read",
			.changes = true,
			.takes_codec = true,
		},
};

const struct ebb_action_kind *ebb_action_kind(enum ebb_action_id id)
{
	return (unsigned)id < EBB_ACTION_COUNT ? &kinds[id] : NULL;
}

const struct ebb_action_kind *ebb_action_by_name(const char *name)
{
	if (strcmp(name, "move") == 0)
		return &kinds[EBB_ACTION_TIER];
	for (int i = 0; i < EBB_ACTION_COUNT; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}
