/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Index files of sharded checkpoints, {"metadata": ..., "weight_map": {"layer.0.weight": "model-00001-of-00004.safetensors"}}.
 * Source: Hugging Face Transformers, "Sharded checkpoints".
 */
#include <jansson.h>
#include <string.h>

#include "agent/ref.h"

static bool wants(const char *key, size_t len)
{
	return ebb_ref_ends(key, len, ".index.json");
}

static const char *read(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	json_t *doc = json_loadb(f->bytes, f->len, 0, NULL), *map = json_object_get(doc, "weight_map"), *shard;
	json_t *seen = json_object();
	const char *why = map && json_is_object(map) && json_object_size(map) ? NULL : "it has no weight_map", *param;

	json_object_foreach(map, param, shard) {
		const char *name = json_string_value(shard);

		if (why)
			break;
		if (!name || !*name || *name == '/' || strstr(name, ".."))
			why = "its weight_map names no file";
		else if (!json_object_get(seen, name)) {
			json_object_set_new(seen, name, json_true());
			ebb_ref_tell(out, EBB_FACTS_SHARD, name);
		}
	}
	json_decref(seen);
	json_decref(doc);
	return doc ? why : "it is not JSON";
}

extern const struct ebb_ref ebb_ref_index;
const struct ebb_ref ebb_ref_index = {
	.name = "index",
	.covers = "index files of sharded checkpoints (*.index.json with weight_map)",
	.kind = EBB_KIND_FILE,
	.wants = wants,
	.read = read,
};
