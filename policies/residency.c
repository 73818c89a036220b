/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/residency.h"

#include <string.h>

#include "policies/rules_ast.h"

static bool lies_in(const char *const *list, const char *jurisdiction)
{
	for (; jurisdiction && *list; list++)
		if (strcmp(*list, jurisdiction) == 0)
			return true;
	return false;
}

bool ebb_residency_passes(enum ebb_action_id action, const char *to)
{
	switch (action) {
	case EBB_ACTION_TIER:
		return to != NULL;
	case EBB_ACTION_COMPRESS:
	case EBB_ACTION_ARCHIVE:
	case EBB_ACTION_COPY:
		return true;
	default:
		return false;
	}
}

const char *ebb_residency_forbids(const struct ebb_rules *rules, enum ebb_action_id action, const char *key, size_t len, const char *to)
{
	const struct ebb_rules_dataset *set = ebb_rules_dataset(rules, key, len);
	const struct ebb_rules_store *store = to ? ebb_rules_store(rules, to) : NULL;

	if (!set || !set->residency)
		return NULL;
	if (to && !lies_in(set->residency, store ? store->jurisdiction : NULL))
		return "its destination is not known to lie in the jurisdictions of its dataset";
	if (ebb_residency_passes(action, to) && !lies_in(set->residency, rules->here))
		return "its bytes would pass through this machine, which is not known to stand in the jurisdictions of its dataset "
		       "(jurisdiction: in ebb.yaml says where ebb runs)";
	return NULL;
}
