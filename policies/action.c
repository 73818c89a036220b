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
			.trashes = true,
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
	[EBB_ACTION_DEDUP] =
		{
			.id = EBB_ACTION_DEDUP,
			.name = "dedup",
			.past = "deduplicated",
			.summary = "let one of several equal files take no room of its own",
			.changes = true,
			.trashes = true,
		},
	[EBB_ACTION_ARCHIVE] =
		{
			.id = EBB_ACTION_ARCHIVE,
			.name = "archive",
			.past = "archived",
			.summary = "put it into a pack with others, which costs as one object",
			.changes = true,
			.needs_to = true,
			.packs = true,
		},
	[EBB_ACTION_COPY] =
		{
			.id = EBB_ACTION_COPY,
			.name = "copy",
			.past = "copied",
			.summary = "copy it to another store; what it was copied from stays",
			.changes = true,
			.needs_to = true,
			.unruled = true,
		},
	[EBB_ACTION_RETAIN] =
		{
			.id = EBB_ACTION_RETAIN,
			.name = "retain",
			.past = "deleted",
			.summary = "keep some checkpoints of each run, delete the others whole",
			.changes = true,
			.destructive = true,
			.trashes = true,
			.families = true,
		},
	[EBB_ACTION_STRIKE] =
		{
			.id = EBB_ACTION_STRIKE,
			.name = "strike",
			.past = "struck off",
			.summary = "delete an object in a pack: it counts as gone, and goes when its pack is packed anew",
			.changes = true,
			.trashes = true,
			.unruled = true,
		},
	[EBB_ACTION_REPACK] =
		{
			.id = EBB_ACTION_REPACK,
			.name = "repack",
			.past = "packed anew",
			.summary = "write packs anew without what was deleted from them",
			.changes = true,
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

static const char *const verifies[EBB_ACTION_VERIFIES] = {
	[EBB_ACTION_DIGEST] = "digest",
	[EBB_ACTION_SIZE] = "size",
	[EBB_ACTION_CHECKSUM] = "checksum",
	[EBB_ACTION_BYTES] = "bytes",
};

const char *ebb_action_verify_name(int verify)
{
	return verify < 0 || verify >= EBB_ACTION_VERIFIES ? NULL : verifies[verify];
}

static const char *const hows[EBB_ACTION_HOWS] = {
	[EBB_ACTION_REFLINK] = "reflink",
	[EBB_ACTION_HARDLINK] = "hardlink",
	[EBB_ACTION_DROP] = "delete",
};

const char *ebb_action_how_name(int how)
{
	return how < 0 || how >= EBB_ACTION_HOWS ? NULL : hows[how];
}

int ebb_action_how_by_name(const char *name)
{
	for (int i = 0; i < EBB_ACTION_HOWS; i++)
		if (strcmp(hows[i], name) == 0)
			return i;
	return -1;
}
