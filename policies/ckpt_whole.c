/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/ckpt_whole.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/ckpt_name.h"

/* Names of one checkpoint's files together. */
#define NAMES_CAP ((size_t)1 << 30)

/* Longest key that is looked up in facts. */
#define PATH_CAP (EBB_KEY_MAX + 64)

static const char *const weights[] = {
	".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".distcp", ".npz", ".msgpack", ".h5", ".gguf", ".nemo", ".onnx",
};

/* Files of the run, beside its checkpoints. */
static const char *const figures[] = {"trainer_state.json", "metrics.jsonl", "metrics.csv"};
static const char *const latests[] = {"latest", "latest_checkpointed_iteration.txt"};

static bool ends(const char *p, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && memcmp(p + len - n, with, n) == 0;
}

static bool is_index(const char *name, size_t len)
{
	return ends(name, len, ".index.json");
}

static bool is_weights(const char *name, size_t len)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(weights); i++)
		if (ends(name, len, weights[i]) && !ends(name, len, "training_args.bin"))
			return true;
	return false;
}

bool ebb_ckpt_whole_reads(const char *key, size_t len)
{
	const char *slash = memrchr(key, '/', len);
	const char *name = slash ? slash + 1 : key;
	size_t n = len - (size_t)(name - key);

	for (size_t i = 0; i < EBB_ARRAY_LEN(figures); i++)
		if (n == strlen(figures[i]) && memcmp(name, figures[i], n) == 0)
			return true;
	for (size_t i = 0; i < EBB_ARRAY_LEN(latests); i++)
		if (n == strlen(latests[i]) && memcmp(name, latests[i], n) == 0)
			return true;
	return is_index(name, n);
}

/* --- Its files ------------------------------------------------------------------------------------------- */

int ebb_ckpt_whole_add(struct ebb_ckpt_whole *w, const char *name, size_t len, int64_t size)
{
	if (w->n == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		struct ebb_ckpt_whole_file *more = reallocarray(w->files, room, sizeof(*more));

		if (!more)
			return -EBB_ENOMEM;
		w->files = more;
		w->room = room;
	}
	if (!w->names.cap)
		ebb_buf_init(&w->names, NAMES_CAP);
	size_t at = w->names.len;
	if (ebb_buf_add(&w->names, name, len) < 0)
		return -EBB_ENOMEM;
	w->files[w->n++] = (struct ebb_ckpt_whole_file){at, len, size};
	return 0;
}

void ebb_ckpt_whole_clear(struct ebb_ckpt_whole *w)
{
	ebb_buf_clear(&w->names);
	w->n = 0;
}

void ebb_ckpt_whole_release(struct ebb_ckpt_whole *w)
{
	ebb_buf_release(&w->names);
	free(w->files);
	*w = (struct ebb_ckpt_whole){0};
}

static const struct ebb_ckpt_whole_file *find(const struct ebb_ckpt_whole *w, const char *name, size_t len)
{
	size_t lo = 0, hi = w->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = ebb_record_key_cmp(w->names.data + w->files[mid].at, w->files[mid].len, name, len);

		if (c == 0)
			return &w->files[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* --- Complete? ------------------------------------------------------------------------------------------- */

static void say(struct ebb_ckpt *k, enum ebb_ckpt_state s, const char *what, const char *name, size_t len)
{
	k->state = s;
	snprintf(k->state_why, sizeof(k->state_why), "%s%.*s", what, (int)(len > 60 ? 60 : len), name);
}

/* Is what the index file number @i names all there? */
static bool follow(const struct ebb_ckpt_whole *w, size_t i, const struct ebb_facts *facts, struct ebb_ckpt *k)
{
	const char *name = w->names.data + w->files[i].at, *slash = memrchr(name, '/', w->files[i].len);
	size_t dir = slash ? (size_t)(slash + 1 - name) : 0;
	char path[PATH_CAP];
	int n = snprintf(path, sizeof(path), "%s/%.*s", k->path, (int)w->files[i].len, name);
	const struct ebb_facts_file *f = n < (int)sizeof(path) ? ebb_facts_find(facts, path, (size_t)n) : NULL;

	if (!f || ebb_facts_first(f, EBB_FACTS_BAD)) {
		say(k, EBB_CKPT_UNKNOWN, f ? "its index file is not understood: " : "its index file was not read: ", name, w->files[i].len);
		return false;
	}
	for (size_t s = 0; s < f->n; s++) {
		if (f->facts[s].type != EBB_FACTS_SHARD)
			continue;
		n = snprintf(path, sizeof(path), "%.*s%s", (int)dir, name, f->facts[s].text);
		const struct ebb_ckpt_whole_file *shard = n < (int)sizeof(path) ? find(w, path, (size_t)n) : NULL;

		if (!shard || shard->size == 0) {
			say(k, EBB_CKPT_INCOMPLETE, shard ? "empty: " : "missing: ", f->facts[s].text, strlen(f->facts[s].text));
			return false;
		}
	}
	return true;
}

/* NAME-00001-of-00004.EXT: are all there? */
static bool numbered(const struct ebb_ckpt_whole *w, size_t i, struct ebb_ckpt *k)
{
	const char *name = w->names.data + w->files[i].at, *of = memmem(name, w->files[i].len, "-of-", 4);
	size_t len = w->files[i].len, digits = of && of - name >= 6 ? 5 : 0, rest = of ? len - (size_t)(of + 4 - name) : 0;
	int64_t total = 0, own = 0;
	char want[PATH_CAP];

	if (!digits || rest < 5 || !ebb_ckpt_name_step(of - 5, 5, &own) || !ebb_ckpt_name_step(of + 4, 5, &total) ||
	    (rest > 5 && of[9] != '.'))
		return true;
	for (int64_t p = 1; p <= total && own == 1; p++) {
		int n = snprintf(want, sizeof(want), "%.*s%05lld%.*s", (int)(of - 5 - name), name, (long long)p, (int)(len - (size_t)(of - name)), of);
		const struct ebb_ckpt_whole_file *f = n < (int)sizeof(want) ? find(w, want, (size_t)n) : NULL;

		if (!f) {
			say(k, EBB_CKPT_INCOMPLETE, "missing: ", want, strlen(want));
			return false;
		}
	}
	/* without the first nothing says so elsewhere */
	int n = snprintf(want, sizeof(want), "%.*s00001%.*s", (int)(of - 5 - name), name, (int)(len - (size_t)(of - name)), of);
	if (n < (int)sizeof(want) && !find(w, want, (size_t)n)) {
		say(k, EBB_CKPT_INCOMPLETE, "missing: ", want, strlen(want));
		return false;
	}
	return true;
}

void ebb_ckpt_whole_judge(const struct ebb_ckpt_whole *w, const struct ebb_facts *facts, struct ebb_ckpt *k)
{
	bool distributed = false, sealed = false;

	k->state = EBB_CKPT_COMPLETE;
	k->weights = 0;
	k->by_index = false;
	for (size_t i = 0; i < w->n; i++) {
		const char *name = w->names.data + w->files[i].at;
		size_t len = w->files[i].len;

		distributed |= ends(name, len, ".distcp");
		sealed |= ends(name, len, ".metadata");
		k->weights += is_weights(name, len) && w->files[i].size > 0;
	}
	for (size_t i = 0; i < w->n; i++) {
		const char *name = w->names.data + w->files[i].at;
		size_t len = w->files[i].len;

		if (is_index(name, len) && !k->file) {
			k->by_index = true;
			if (!follow(w, i, facts, k))
				return;
		}
		if (!is_weights(name, len))
			continue;
		if (w->files[i].size == 0) {
			say(k, EBB_CKPT_INCOMPLETE, k->file ? "it is empty" : "empty: ", name, k->file ? 0 : len);
			return;
		}
		if (!numbered(w, i, k))
			return;
	}
	if (distributed && !sealed)
		say(k, EBB_CKPT_INCOMPLETE, "missing: .metadata", "", 0);
	else if (k->weights == 0)
		say(k, EBB_CKPT_UNKNOWN, "it has no file of weights of a kind that is known", "", 0);
}

/* --- Figures --------------------------------------------------------------------------------------------- */

/* Facts of @name in the folder that is the first @len bytes of @path (0: the root). */
static const struct ebb_facts_file *beside(const struct ebb_facts *facts, const char *path, size_t len, const char *name)
{
	char key[PATH_CAP];
	int n = snprintf(key, sizeof(key), "%.*s%s%s", (int)len, path, len ? "/" : "", name);

	return n < (int)sizeof(key) ? ebb_facts_find(facts, key, (size_t)n) : NULL;
}

/* Length of the folder that a path lies in; 0: the root. */
static size_t parent(const char *path, size_t len)
{
	const char *slash = memrchr(path, '/', len);

	return slash ? (size_t)(slash - path) : 0;
}

/* Does a file say the figure at the step? @any_step: what it says is about its checkpoint, whatever the step. */
static void look(const struct ebb_facts_file *f, const char *metric, bool inside, struct ebb_ckpt *k)
{
	bool names_it = false;

	if (!f || k->has_figure || ebb_facts_first(f, EBB_FACTS_BAD))
		return;
	for (size_t i = 0; i < f->n; i++) {
		const struct ebb_facts_fact *x = &f->facts[i];

		if (x->type != EBB_FACTS_METRIC || strcmp(x->name, metric) != 0)
			continue;
		names_it = true;
		if ((x->step == k->step || (inside && x->step < 0)) && ebb_ckpt_name_figure(x->text, strlen(x->text), &k->figure))
			k->has_figure = true;
	}
	if (names_it || inside)
		k->figure_missing = true;
}

void ebb_ckpt_whole_figure(const struct ebb_facts *facts, const char *metric, struct ebb_ckpt *k)
{
	size_t dir = parent(k->path, k->path_len), above = parent(k->path, dir);

	if (!k->has_figure && !k->file)
		look(beside(facts, k->path, k->path_len, figures[0]), metric, true, k);
	for (size_t i = 0; i < EBB_ARRAY_LEN(figures); i++) {
		look(beside(facts, k->path, dir, figures[i]), metric, false, k);
		if (dir)
			look(beside(facts, k->path, above, figures[i]), metric, false, k);
	}
	if (k->has_figure)
		k->figure_missing = false;
}

int64_t ebb_ckpt_whole_latest(const struct ebb_facts *facts, const struct ebb_ckpt *k)
{
	int64_t latest = -1;

	for (size_t i = 0; i < EBB_ARRAY_LEN(latests); i++) {
		const struct ebb_facts_fact *x =
			ebb_facts_first(beside(facts, k->path, parent(k->path, k->path_len), latests[i]), EBB_FACTS_LATEST);
		size_t len = x ? strlen(x->text) : 0, digits = len;
		int64_t step;

		while (digits > 0 && x->text[digits - 1] >= '0' && x->text[digits - 1] <= '9')
			digits--;
		if (x && ebb_ckpt_name_step(x->text + digits, len - digits, &step) && step > latest)
			latest = step;
	}
	return latest;
}

const char *ebb_ckpt_whole_best(const struct ebb_facts *facts, const struct ebb_ckpt *k)
{
	const struct ebb_facts_fact *x =
		k->file ? NULL : ebb_facts_first(beside(facts, k->path, k->path_len, figures[0]), EBB_FACTS_BEST);

	return x ? x->text : NULL;
}
