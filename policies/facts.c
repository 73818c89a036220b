/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/facts.h"

#include <string.h>

#include "core/record.h"

static const char *const names[EBB_FACTS_TYPES] = {
	"bad", "shard", "step", "metric", "best", "latest", "ref", "below", "path", "family", "hold", "link", "hash", "whole",
};

const char *ebb_facts_name(int type)
{
	return type < 0 || type >= EBB_FACTS_TYPES ? NULL : names[type];
}

int ebb_facts_by_name(const char *name)
{
	for (int i = 0; i < EBB_FACTS_TYPES; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

const struct ebb_facts_file *ebb_facts_find(const struct ebb_facts *f, const char *key, size_t len)
{
	size_t lo = 0, hi = f ? f->n : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = ebb_record_key_cmp(f->files[mid].key, f->files[mid].key_len, key, len);

		if (c == 0)
			return &f->files[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct ebb_facts_fact *ebb_facts_first(const struct ebb_facts_file *file, enum ebb_facts_type type)
{
	for (size_t i = 0; file && i < file->n; i++)
		if (file->facts[i].type == type)
			return &file->facts[i];
	return NULL;
}
