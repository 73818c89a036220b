/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Iceberg: TABLE/metadata/NAME.metadata.json names snapshots and their manifest lists; manifests, which name the data, are Avro and are not read. So all of a table
 * stays: expire_snapshots and remove_orphan_files are made for it. Data that a table keeps outside of its folder is not found. Source: Iceberg Table Spec.
 */
#include <string.h>

#include "agent/ref.h"

static bool wants(const char *key, size_t len)
{
	size_t dir = ebb_ref_dir(key, len);

	return (ebb_ref_ends(key, len, ".metadata.json") || ebb_ref_named(key, len, "version-hint.text")) && dir >= 9 &&
	       memcmp(key + dir - 9, "metadata/", 9) == 0;
}

static const char *read(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	size_t table = ebb_ref_dir(f->key, f->key_len) - 9;

	ebb_ref_tell_hold(out, f->key, table, "it is of an Iceberg table, whose manifests in Avro are not read");
	return NULL;
}

extern const struct ebb_ref ebb_ref_iceberg;
const struct ebb_ref ebb_ref_iceberg = {
	.name = "iceberg",
	.covers = "Iceberg: tables stay whole, since manifests in Avro are not read",
	.kind = EBB_KIND_FILE,
	.wants = wants,
	.read = read,
};
