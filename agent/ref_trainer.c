/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trainer_state.json of the Hugging Face Trainer: global_step, best_model_checkpoint, and figures of evaluations in log_history. Within a
 * checkpoint only those of its own step count, since every later one repeats them all. Source: Transformers, TrainerState.
 */
#include <jansson.h>
#include <string.h>

#include "agent/ref.h"
#include "policies/ckpt_name.h"

static bool wants(const char *key, size_t len)
{
	return ebb_ref_named(key, len, "trainer_state.json");
}

/* Entries that evaluations wrote have a member that begins with "eval". */
static bool evaluates(json_t *entry)
{
	const char *name;
	json_t *v;

	json_object_foreach(entry, name, v)
		if (strncmp(name, "eval", 4) == 0)
			return true;
	return false;
}

static void entry(json_t *e, int64_t only, struct ebb_ref_out *out)
{
	json_t *step = json_object_get(e, "step"), *v;
	const char *name;

	if (!json_is_integer(step) || (only >= 0 && json_integer_value(step) != only) || !evaluates(e))
		return;
	json_object_foreach(e, name, v)
		if (json_is_number(v) && strcmp(name, "step") != 0)
			ebb_ref_tell_metric(out, name, json_number_value(v), json_integer_value(step));
}

static const char *understand(json_t *doc, const char *key, size_t len, struct ebb_ref_out *out)
{
	json_t *step = json_object_get(doc, "global_step"), *log = json_object_get(doc, "log_history"), *e;
	const char *best = json_string_value(json_object_get(doc, "best_model_checkpoint"));
	struct ebb_ckpt_name n;
	size_t i;

	if (!json_is_integer(step) || json_integer_value(step) < 0)
		return "it has no global_step";
	if (best) {
		size_t m = strlen(best);

		while (m > 0 && best[m - 1] == '/')
			m--;
		size_t dir = ebb_ref_dir(best, m);
		ebb_ref_tell_len(out, EBB_FACTS_BEST, best + dir, m - dir);
	}
	int64_t only = ebb_ckpt_name_known(key, len, &n) ? json_integer_value(step) : -1;
	json_array_foreach(log, i, e)
		entry(e, only, out);
	return NULL;
}

static const char *read(const struct ebb_ref_file *f, struct ebb_ref_out *out)
{
	json_t *doc = json_loadb(f->bytes, f->len, 0, NULL);
	const char *why = doc ? understand(doc, f->key, f->key_len, out) : "it is not JSON";

	json_decref(doc);
	return why;
}

extern const struct ebb_ref ebb_ref_trainer;
const struct ebb_ref ebb_ref_trainer = {
	.name = "trainer",
	.covers = "trainer_state.json: figures of evaluations, the best checkpoint",
	.kind = EBB_KIND_FILE,
	.wants = wants,
	.read = read,
};
