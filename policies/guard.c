/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/guard.h"

#include <stdlib.h>
#include <string.h>

#include "core/record.h"

#define ARENA_CAP ((size_t)16 << 30)

struct hash {
	char hex[EBB_GUARD_HASH + 1];
	const char *why;
};

struct guard_list {
	struct ebb_guard_entry *v;
	size_t n, room;
};

struct ebb_guard {
	struct ebb_arena arena;
	struct guard_list exact, below, held;	/* held: prefixes; a single object that is held is one as well */
	struct guard_list whole;
	struct hash *hashes;
	size_t nhashes, hash_room;
	struct ebb_guard_entry answer;
};

struct ebb_guard *ebb_guard_new(void)
{
	struct ebb_guard *g = calloc(1, sizeof(*g));

	if (g)
		ebb_arena_init(&g->arena, ARENA_CAP);
	return g;
}

void ebb_guard_free(struct ebb_guard *g)
{
	if (!g)
		return;
	ebb_arena_release(&g->arena);
	free(g->exact.v);
	free(g->below.v);
	free(g->held.v);
	free(g->whole.v);
	free(g->hashes);
	free(g);
}

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "no memory for references");
}

static int push(struct ebb_guard *g, struct guard_list *l, const struct ebb_guard_entry *e, struct ebb_err *err)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct ebb_guard_entry *v = reallocarray(l->v, room, sizeof(*v));

		if (!v)
			return no_memory(err);
		l->v = v;
		l->room = room;
	}
	struct ebb_guard_entry *to = &l->v[l->n];
	*to = *e;
	to->store = ebb_arena_strdup(&g->arena, e->store);
	to->key = ebb_arena_memdup(&g->arena, e->key, e->len);
	to->why = ebb_arena_strdup(&g->arena, e->why);
	if (!to->store || !to->key || !to->why)
		return no_memory(err);
	l->n++;
	return 0;
}

int ebb_guard_add(struct ebb_guard *g, const struct ebb_guard_entry *e, struct ebb_err *err)
{
	return push(g, e->held ? &g->held : e->below ? &g->below : &g->exact, e, err);
}

int ebb_guard_whole(struct ebb_guard *g, const char *store, const char *prefix, struct ebb_err *err)
{
	const struct ebb_guard_entry e = {.store = store, .key = prefix, .len = strlen(prefix), .below = true, .why = ""};

	return push(g, &g->whole, &e, err);
}

int ebb_guard_hash(struct ebb_guard *g, const char *hash, const char *why, struct ebb_err *err)
{
	if (g->nhashes == g->hash_room) {
		size_t room = g->hash_room ? 2 * g->hash_room : 64;
		struct hash *h = reallocarray(g->hashes, room, sizeof(*h));

		if (!h)
			return no_memory(err);
		g->hashes = h;
		g->hash_room = room;
	}
	struct hash *h = &g->hashes[g->nhashes];
	memcpy(h->hex, hash, EBB_GUARD_HASH);
	h->hex[EBB_GUARD_HASH] = '\0';
	if (!(h->why = ebb_arena_strdup(&g->arena, why)))
		return no_memory(err);
	g->nhashes++;
	return 0;
}

/* --- Sealing --------------------------------------------------------------------------------------------- */

static int by_key(const void *pa, const void *pb)
{
	const struct ebb_guard_entry *a = pa, *b = pb;
	int c = strcmp(a->store, b->store);

	if (c == 0)
		c = ebb_record_key_cmp(a->key, a->len, b->key, b->len);
	return c ? c : strcmp(a->why, b->why);
}

static bool covers(const struct ebb_guard_entry *e, const char *store, const char *key, size_t len)
{
	return strcmp(e->store, store) == 0 &&
	       (e->below ? ebb_record_key_has_prefix(key, len, e->key, e->len) : len == e->len && memcmp(key, e->key, len) == 0);
}

/* Sorted; of prefixes only the outermost stay, so that one look finds the one that covers a key. */
static void sort(struct guard_list *l)
{
	size_t kept = 0;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_key);
	for (size_t i = 0; i < l->n; i++)
		if (kept == 0 || !covers(&l->v[kept - 1], l->v[i].store, l->v[i].key, l->v[i].len))
			l->v[kept++] = l->v[i];
	l->n = kept;
}

static int by_hash(const void *a, const void *b)
{
	return strcmp(((const struct hash *)a)->hex, ((const struct hash *)b)->hex);
}

int ebb_guard_seal(struct ebb_guard *g, struct ebb_err *err)
{
	(void)err;
	sort(&g->exact);
	sort(&g->below);
	sort(&g->held);
	sort(&g->whole);
	if (g->nhashes)
		qsort(g->hashes, g->nhashes, sizeof(*g->hashes), by_hash);
	return 0;
}

/* --- Asking ---------------------------------------------------------------------------------------------- */

static const struct ebb_guard_entry *find(const struct guard_list *l, const char *store, const char *key, size_t len)
{
	size_t lo = 0, hi = l->n;

	/* the last entry that is not behind the key */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(l->v[mid].store, store);

		if (c == 0)
			c = ebb_record_key_cmp(l->v[mid].key, l->v[mid].len, key, len);
		if (c <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && covers(&l->v[lo - 1], store, key, len) ? &l->v[lo - 1] : NULL;
}

static bool hex(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return false;
	return true;
}

bool ebb_guard_hash_of(const char *key, size_t len, char ret[EBB_GUARD_HASH + 1], size_t *ret_prefix)
{
	static const char v3[] = "files/md5/", v2[] = ".dvc/cache/", dir[] = ".dir";

	if (len > 4 && memcmp(key + len - 4, dir, 4) == 0)
		len -= 4;
	if (len < 33 || key[len - 31] != '/' || !hex(key + len - 30, 30) || !hex(key + len - 33, 2))
		return false;
	size_t at = len - 33;
	bool is3 = at >= sizeof(v3) - 1 && memcmp(key + at - (sizeof(v3) - 1), v3, sizeof(v3) - 1) == 0 &&
		   (at == sizeof(v3) - 1 || key[at - sizeof(v3)] == '/');
	bool is2 = at >= sizeof(v2) - 1 && memcmp(key + at - (sizeof(v2) - 1), v2, sizeof(v2) - 1) == 0;
	if (!is3 && !is2)
		return false;
	memcpy(ret, key + at, 2);
	memcpy(ret + 2, key + at + 3, 30);
	ret[EBB_GUARD_HASH] = '\0';
	*ret_prefix = is3 ? at - (sizeof(v3) - 1) : at;
	return true;
}

/* An object of a DVC cache. */
static const struct ebb_guard_entry *ask_hash(struct ebb_guard *g, const char *store, const char *key, size_t len)
{
	struct hash want = {0};
	size_t prefix;

	if (!ebb_guard_hash_of(key, len, want.hex, &prefix))
		return NULL;
	const struct hash *h = g->nhashes ? bsearch(&want, g->hashes, g->nhashes, sizeof(want), by_hash) : NULL;
	if (!h && find(&g->whole, store, key, len))
		return NULL;
	g->answer = (struct ebb_guard_entry){
		.store = store, .key = key, .len = len, .held = !h,
		.why = h ? h->why : "it is of a DVC cache, and not all that may refer to it is in sight (dvc gc knows)",
	};
	return &g->answer;
}

const struct ebb_guard_entry *ebb_guard_ask(struct ebb_guard *g, const char *store, const char *key, size_t len)
{
	const struct ebb_guard_entry *e = find(&g->held, store, key, len);

	if (!e)
		e = find(&g->exact, store, key, len);
	if (!e)
		e = find(&g->below, store, key, len);
	return e ? e : ask_hash(g, store, key, len);
}

const char *ebb_guard_breaks(struct ebb_guard *g, const struct ebb_action *a, bool asleep)
{
	const struct ebb_guard_entry *e;

	if (a->id == EBB_ACTION_KEEP || a->id == EBB_ACTION_COPY || !(e = ebb_guard_ask(g, a->store, a->obj->key, a->obj->key_len)))
		return NULL;
	if (e->held)
		return e->why;
	if (a->id == EBB_ACTION_DEDUP)
		return a->how == EBB_ACTION_DROP ? e->why : NULL;
	if (a->id == EBB_ACTION_TIER && !a->to_store)
		return asleep ? e->why : NULL;
	return e->why;
}

size_t ebb_guard_count(const struct ebb_guard *g)
{
	return g->exact.n + g->below.n + g->held.n;
}

const struct ebb_guard_entry *ebb_guard_get(const struct ebb_guard *g, size_t i)
{
	if (i < g->held.n)
		return &g->held.v[i];
	i -= g->held.n;
	return i < g->exact.n ? &g->exact.v[i] : &g->below.v[i - g->exact.n];
}
