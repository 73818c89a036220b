/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* One line per reader, here and below; each lies in agent/ref_NAME.c. The first that wants a key reads it. */
extern const struct ebb_ref ebb_ref_index;
extern const struct ebb_ref ebb_ref_trainer;
extern const struct ebb_ref ebb_ref_metrics;
extern const struct ebb_ref ebb_ref_latest;
extern const struct ebb_ref ebb_ref_hf;
extern const struct ebb_ref ebb_ref_link;
extern const struct ebb_ref ebb_ref_dvc;
extern const struct ebb_ref ebb_ref_annex;
extern const struct ebb_ref ebb_ref_oci;
extern const struct ebb_ref ebb_ref_delta;
extern const struct ebb_ref ebb_ref_iceberg;

static const struct ebb_ref *const table[] = {
	&ebb_ref_index,
	&ebb_ref_trainer,
	&ebb_ref_metrics,
	&ebb_ref_hf,
	&ebb_ref_dvc,
	&ebb_ref_annex,
	&ebb_ref_oci,
	&ebb_ref_delta,
	&ebb_ref_iceberg,
	&ebb_ref_latest,
	&ebb_ref_link,
};

const struct ebb_ref *ebb_ref_of(const char *key, size_t len, int64_t kind)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(table); i++)
		if ((int64_t)table[i]->kind == kind && table[i]->wants(key, len))
			return table[i];
	return NULL;
}

const struct ebb_ref *ebb_ref_row(size_t i)
{
	return i < EBB_ARRAY_LEN(table) ? table[i] : NULL;
}

void ebb_ref_out_release(struct ebb_ref_out *out)
{
	free(out->facts);
	out->facts = NULL;
	out->n = out->room = 0;
}

static struct ebb_facts_fact *more(struct ebb_ref_out *out)
{
	if (out->n == out->room) {
		size_t room = out->room ? 2 * out->room : 16;
		struct ebb_facts_fact *f = out->n < EBB_REF_FACTS ? reallocarray(out->facts, room, sizeof(*f)) : NULL;

		if (!f) {
			out->bad_memory = true;
			return NULL;
		}
		out->facts = f;
		out->room = room;
	}
	out->facts[out->n] = (struct ebb_facts_fact){.step = -1};
	return &out->facts[out->n++];
}

/* Texts hold no NUL; one that does is cut there, which names nothing. */
static const char *copy(struct ebb_ref_out *out, const char *text, size_t len)
{
	char *s = ebb_arena_memdup(out->arena, text, len);

	out->bad_memory |= !s;
	return s;
}

void ebb_ref_tell_len(struct ebb_ref_out *out, enum ebb_facts_type type, const char *text, size_t len)
{
	struct ebb_facts_fact *f = more(out);

	if (!f)
		return;
	f->type = type;
	f->text = copy(out, text, len);
}

void ebb_ref_tell(struct ebb_ref_out *out, enum ebb_facts_type type, const char *text)
{
	ebb_ref_tell_len(out, type, text, strlen(text));
}

void ebb_ref_tell_metric(struct ebb_ref_out *out, const char *name, double value, int64_t step)
{
	struct ebb_facts_fact *f = more(out);
	char text[32];

	if (!f)
		return;
	snprintf(text, sizeof(text), "%.17g", value);
	f->type = EBB_FACTS_METRIC;
	f->step = step;
	f->name = copy(out, name, strlen(name));
	f->text = copy(out, text, strlen(text));
}

void ebb_ref_tell_hold(struct ebb_ref_out *out, const char *prefix, size_t len, const char *why)
{
	struct ebb_facts_fact *f = more(out);

	if (!f)
		return;
	f->type = EBB_FACTS_HOLD;
	f->text = copy(out, prefix, len);
	f->name = copy(out, why, strlen(why));
}

size_t ebb_ref_dir(const char *key, size_t len)
{
	const char *slash = memrchr(key, '/', len);

	return slash ? (size_t)(slash + 1 - key) : 0;
}

bool ebb_ref_named(const char *key, size_t len, const char *name)
{
	size_t dir = ebb_ref_dir(key, len), n = strlen(name);

	return len - dir == n && memcmp(key + dir, name, n) == 0;
}

bool ebb_ref_ends(const char *p, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && memcmp(p + len - n, with, n) == 0;
}

size_t ebb_ref_behind(const char *key, size_t len, size_t from, const char *component)
{
	size_t n = strlen(component);

	while (from < len) {
		const char *slash = memchr(key + from, '/', len - from);
		size_t end = slash ? (size_t)(slash - key) : len;

		if (end - from == n && memcmp(key + from, component, n) == 0)
			return slash ? end + 1 : end;
		from = end + 1;
	}
	return 0;
}
