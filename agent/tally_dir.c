/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/tally_dir.h"

#include <stdlib.h>
#include <string.h>

/* A folder that is still open: the first `len` bytes of the current path. */
struct level {
	size_t len;
	struct ebb_tally_sum sum;
};

struct ebb_tally_dir {
	ebb_tally_dir_fn *fn;
	void *ctx;
	int depth;		/* deepest level told apart */
	int top;		/* deepest level that is open now */
	struct level *level;	/* depth + 1 of them; [0] is the prefix */
	size_t prefix_len;
	char path[EBB_KEY_MAX + 1];	/* of the deepest open level */
	struct ebb_block_keys keys;
	int64_t kind[EBB_BLOCK_MAX], size[EBB_BLOCK_MAX], alloc[EBB_BLOCK_MAX], flags[EBB_BLOCK_MAX];
};

struct ebb_tally_dir *ebb_tally_dir_new(const char *prefix, int depth, ebb_tally_dir_fn *fn,
					void *ctx)
{
	size_t len = strlen(prefix);
	struct ebb_tally_dir *d = calloc(1, sizeof(*d));

	/* Every level takes two bytes of key at least. */
	depth = depth > EBB_KEY_MAX / 2 ? EBB_KEY_MAX / 2 : depth;
	if (d)
		d->level = calloc((size_t)depth + 1, sizeof(*d->level));
	if (!d || !d->level || len > EBB_KEY_MAX) {
		ebb_tally_dir_free(d);
		return NULL;
	}
	d->fn = fn;
	d->ctx = ctx;
	d->depth = depth;
	d->prefix_len = len;
	d->level[0].len = len;
	memcpy(d->path, prefix, len);
	return d;
}

void ebb_tally_dir_free(struct ebb_tally_dir *d)
{
	if (d)
		free(d->level);
	free(d);
}

static void sum_add(struct ebb_tally_sum *to, const struct ebb_tally_sum *s)
{
	to->objects += s->objects;
	to->bytes += s->bytes;
	to->alloc += s->alloc;
}

/* Close the deepest level: hand it out and add it to the one above. */
static int close_level(struct ebb_tally_dir *d, struct ebb_err *err)
{
	struct level *l = &d->level[d->top];
	int r = d->fn(d->ctx, d->path, l->len, d->top, &l->sum, err);

	if (d->top > 0)
		sum_add(&d->level[d->top - 1].sum, &l->sum);
	d->top--;
	return r;
}

/* Close the levels that @key does not lie in, open those that it does. */
static int enter(struct ebb_tally_dir *d, const char *key, size_t len, struct ebb_err *err)
{
	while (d->top > 0) {
		size_t n = d->level[d->top].len;

		if (ebb_record_key_has_prefix(key, len, d->path, n))
			break;
		int r = close_level(d, err);
		if (r)
			return r;
	}
	while (d->top < d->depth) {
		size_t from = d->level[d->top].len;
		const char *slash = memchr(key + from, '/', len - from);

		if (!slash)
			break;
		size_t n = (size_t)(slash - key) + 1;
		memcpy(d->path + from, key + from, n - from);
		d->level[++d->top] = (struct level){.len = n};
	}
	return 0;
}

int ebb_tally_dir_block(struct ebb_tally_dir *d, const struct ebb_block *b, struct ebb_err *err)
{
	ebb_block_values(b, EBB_F_KIND, d->kind);
	ebb_block_values(b, EBB_F_SIZE, d->size);
	ebb_block_values(b, EBB_F_ALLOC, d->alloc);
	ebb_block_values(b, EBB_F_FLAGS, d->flags);
	ebb_block_keys_init(&d->keys, b);
	for (uint32_t i = 0; i < b->n; i++) {
		int r = ebb_block_keys_next(&d->keys, err);

		if (r < 0)
			return r;
		if (r == 0)
			break;
		if (!ebb_record_key_has_prefix(d->keys.key, d->keys.len, d->path, d->prefix_len))
			continue;
		r = enter(d, d->keys.key, d->keys.len, err);
		if (r)
			return r;
		struct ebb_tally_sum *s = &d->level[d->top].sum;
		bool twin = (d->flags[i] & EBB_FLAG_LINKED_TWIN) != 0;
		s->objects++;
		s->bytes += d->kind[i] == EBB_KIND_FILE && !twin ? (uint64_t)d->size[i] : 0;
		s->alloc += twin ? 0 : (uint64_t)d->alloc[i];
	}
	return 0;
}

int ebb_tally_dir_finish(struct ebb_tally_dir *d, struct ebb_err *err)
{
	while (d->top >= 0) {
		int r = close_level(d, err);

		if (r)
			return r;
	}
	return 0;
}
