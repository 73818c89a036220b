/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/tally.h"

#include <stdlib.h>
#include <string.h>

#define DAY (INT64_C(86400) * 1000000000)

/* Slots of a hash table; at most EBB_TALLY_GROUPS are used, so that probing stays short. */
enum { SLOTS = 2 * EBB_TALLY_GROUPS };

struct ebb_tally_groups {
	struct ebb_tally_group *slot;	/* SLOTS, in use when sum.objects is not 0 */
	size_t used;
	struct ebb_tally_sum others;
};

/* Columns of the block being counted. */
struct ebb_tally_work {
	struct ebb_block_keys keys;
	uint32_t known[EBB_BLOCK_MAX];
	int64_t kind[EBB_BLOCK_MAX], size[EBB_BLOCK_MAX], alloc[EBB_BLOCK_MAX];
	int64_t mtime[EBB_BLOCK_MAX], atime[EBB_BLOCK_MAX], uid[EBB_BLOCK_MAX];
	int64_t flags[EBB_BLOCK_MAX], evidence[EBB_BLOCK_MAX], window[EBB_BLOCK_MAX];
	int64_t until[EBB_BLOCK_MAX];
	int64_t class[EBB_BLOCK_MAX];
};

static const int64_t age_from[EBB_TALLY_AGES] = {
	0, 7 * DAY, 30 * DAY, 90 * DAY, 180 * DAY, 365 * DAY, 730 * DAY,
};
static const char *const age_names[EBB_TALLY_AGES] = {
	"under 7 d", "7-30 d", "30-90 d", "90-180 d", "180 d-1 y", "1-2 y", "over 2 y",
};
static const int64_t size_from[EBB_TALLY_SIZES] = {
	0, 1, 4096, 65536, 1 << 20, 16 << 20, 256 << 20, INT64_C(4) << 30,
};
static const char *const size_names[EBB_TALLY_SIZES] = {
	"empty", "under 4 KiB", "4-64 KiB", "64 KiB-1 MiB", "1-16 MiB", "16-256 MiB", "256 MiB-4 GiB",
	"over 4 GiB",
};
static const char *const unknown_names[EBB_TALLY_UNKNOWNS] = {
	"no-evidence", "writes-only", "window",
};
static const char *const unknown_texts[EBB_TALLY_UNKNOWNS] = {
	"no access evidence",
	"only writes are known: the mount does not record reads",
	"reads have not been recorded for long enough",
};

static int class_of(const int64_t *from, int n, int64_t v)
{
	int c = 0;

	while (c + 1 < n && v >= from[c + 1])
		c++;
	return c;
}

int ebb_tally_age_class(int64_t ns)
{
	return class_of(age_from, EBB_TALLY_AGES, ns);
}

int ebb_tally_size_class(int64_t bytes)
{
	return class_of(size_from, EBB_TALLY_SIZES, bytes);
}

const char *ebb_tally_age_name(int class)
{
	return age_names[class];
}

const char *ebb_tally_size_name(int class)
{
	return size_names[class];
}

const char *ebb_tally_unknown_name(enum ebb_tally_unknown why)
{
	return unknown_names[why];
}

const char *ebb_tally_unknown_text(enum ebb_tally_unknown why)
{
	return unknown_texts[why];
}

int ebb_tally_idle_class(struct ebb_span idle, int64_t evidence, enum ebb_tally_unknown *ret_why)
{
	int class = ebb_tally_age_class(idle.lo);

	if (idle.hi - idle.lo <= DAY || class == ebb_tally_age_class(idle.hi))
		return class;
	if (evidence == EBB_EVIDENCE_NONE)
		*ret_why = EBB_TALLY_UNKNOWN_NONE;
	else if (evidence == EBB_EVIDENCE_MTIME)
		*ret_why = EBB_TALLY_UNKNOWN_WRITES;
	else
		*ret_why = EBB_TALLY_UNKNOWN_WINDOW;
	return -1;
}

static struct ebb_tally_groups *groups_new(void)
{
	struct ebb_tally_groups *g = calloc(1, sizeof(*g));

	if (g)
		g->slot = calloc(SLOTS, sizeof(*g->slot));
	if (g && !g->slot) {
		free(g);
		return NULL;
	}
	return g;
}

static void groups_free(struct ebb_tally_groups *g)
{
	if (g)
		free(g->slot);
	free(g);
}

struct ebb_tally *ebb_tally_new(unsigned dims, int64_t now)
{
	struct ebb_tally *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->now = now;
	t->dims = dims;
	t->work = malloc(sizeof(*t->work));
	if (dims & EBB_TALLY_EXT)
		t->ext = groups_new();
	if (dims & EBB_TALLY_OWNER)
		t->owner = groups_new();
	if (dims & EBB_TALLY_CLASS)
		t->class = groups_new();
	t->store_class = -1;
	if (!t->work || ((dims & EBB_TALLY_EXT) && !t->ext) ||
	    ((dims & EBB_TALLY_OWNER) && !t->owner) || ((dims & EBB_TALLY_CLASS) && !t->class)) {
		ebb_tally_free(t);
		return NULL;
	}
	return t;
}

void ebb_tally_free(struct ebb_tally *t)
{
	if (!t)
		return;
	groups_free(t->ext);
	groups_free(t->owner);
	groups_free(t->class);
	free(t->work);
	free(t);
}

static void add(struct ebb_tally_sum *s, uint64_t bytes, uint64_t alloc)
{
	s->objects++;
	s->bytes += bytes;
	s->alloc += alloc;
}

/* The slot of a group; new ones go to `others` when the table is full. */
static struct ebb_tally_sum *group(struct ebb_tally_groups *g, const char name[16], int64_t uid)
{
	uint64_t a, b, h;

	memcpy(&a, name, 8);
	memcpy(&b, name + 8, 8);
	h = (a ^ (b * UINT64_C(0x9e3779b97f4a7c15)) ^ (uint64_t)uid) * UINT64_C(0xff51afd7ed558ccd);
	for (size_t i = (size_t)(h >> 32) % SLOTS;; i = (i + 1) % SLOTS) {
		struct ebb_tally_group *s = &g->slot[i];

		if (!s->sum.objects) {
			if (g->used == EBB_TALLY_GROUPS)
				return &g->others;
			g->used++;
			memcpy(s->name, name, 16);
			s->uid = uid;
			return &s->sum;
		}
		if (s->uid == uid && memcmp(s->name, name, 16) == 0)
			return &s->sum;
	}
}

/* Extension of the last part of a key, in lower case, into 16 zeroed bytes. */
static void extension(const char *key, size_t len, char ret[16])
{
	memset(ret, 0, 16);
	for (size_t i = len; i-- > 0 && len - i <= EBB_TALLY_EXT_MAX + 1;) {
		if (key[i] == '/')
			return;
		if (key[i] != '.')
			continue;
		if (i == 0 || key[i - 1] == '/')
			return;
		for (size_t n = 0; i + 1 + n < len; n++) {
			char c = key[i + 1 + n];
			ret[n] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
		}
		return;
	}
}

/* A file, with the bytes that it adds (none for another name of a counted inode). */
static void count_file(struct ebb_tally *t, uint32_t i, uint64_t bytes, uint64_t alloc)
{
	struct ebb_tally_work *w = t->work;
	static const char none[16];
	char ext[16];

	if (t->dims & EBB_TALLY_AGE) {
		enum ebb_tally_unknown why = EBB_TALLY_UNKNOWN_NONE;
		int64_t evidence =
			w->known[i] & EBB_KNOWN(EBB_F_EVIDENCE) ? w->evidence[i] : EBB_EVIDENCE_NONE;
		const struct ebb_record_access a = {w->known[i], evidence,     w->atime[i],
						    w->mtime[i], w->window[i], w->until[i]};
		struct ebb_span idle = ebb_record_idle_of(&a, t->now, EBB_TRUST_LIKELY);
		int class = ebb_tally_idle_class(idle, evidence, &why);
		int64_t age = t->now > w->mtime[i] ? t->now - w->mtime[i] : 0;

		add(class < 0 ? &t->unknown[why] : &t->idle[class], bytes, alloc);
		add(&t->written[ebb_tally_age_class(age)], bytes, alloc);
	}
	if (t->dims & EBB_TALLY_SIZE)
		add(&t->size[ebb_tally_size_class(w->size[i])], bytes, alloc);
	if (t->dims & EBB_TALLY_EXT) {
		extension(w->keys.key, w->keys.len, ext);
		add(group(t->ext, ext, 0), bytes, alloc);
	}
	if (t->dims & EBB_TALLY_OWNER)
		add(group(t->owner, none, w->known[i] & EBB_KNOWN(EBB_F_UID) ? w->uid[i] : -1),
		    bytes, alloc);
	if (w->alloc[i] < w->size[i] && (w->known[i] & EBB_KNOWN(EBB_F_ALLOC)))
		add(&t->sparse, bytes, alloc);
}

static void count(struct ebb_tally *t, uint32_t i)
{
	struct ebb_tally_work *w = t->work;
	int64_t kind = w->kind[i] >= 0 && w->kind[i] < EBB_KIND_COUNT ? w->kind[i]
								     : EBB_KIND_SPECIAL;
	bool file = kind == EBB_KIND_FILE, twin = (w->flags[i] & EBB_FLAG_LINKED_TWIN) != 0;
	uint64_t bytes = file && !twin ? (uint64_t)w->size[i] : 0;
	uint64_t alloc = twin ? 0 : (uint64_t)w->alloc[i];

	add(&t->total, bytes, alloc);
	add(&t->kind[kind], bytes, alloc);
	if (t->dims & EBB_TALLY_CLASS)
		add(group(t->class, (const char[16]){0},
			  w->known[i] & EBB_KNOWN(EBB_F_CLASS) ? w->class[i] : t->store_class),
		    bytes, alloc);
	if (w->flags[i] & EBB_FLAG_UNSEEN)
		add(&t->unseen, bytes, alloc);
	if (!file)
		return;
	if (twin)
		add(&t->twins, (uint64_t)w->size[i], (uint64_t)w->alloc[i]);
	count_file(t, i, bytes, alloc);
}

int ebb_tally_block(struct ebb_tally *t, const struct ebb_block *b, const char *prefix,
		    struct ebb_err *err)
{
	struct ebb_tally_work *w = t->work;
	size_t plen = prefix ? strlen(prefix) : 0;
	bool keys = plen || (t->dims & EBB_TALLY_EXT);

	ebb_block_known(b, w->known);
	ebb_block_values(b, EBB_F_KIND, w->kind);
	ebb_block_values(b, EBB_F_SIZE, w->size);
	ebb_block_values(b, EBB_F_ALLOC, w->alloc);
	ebb_block_values(b, EBB_F_FLAGS, w->flags);
	ebb_block_values(b, EBB_F_UID, w->uid);
	if (t->dims & EBB_TALLY_AGE) {
		ebb_block_values(b, EBB_F_MTIME, w->mtime);
		ebb_block_values(b, EBB_F_ATIME, w->atime);
		ebb_block_values(b, EBB_F_EVIDENCE, w->evidence);
		ebb_block_values(b, EBB_F_WINDOW, w->window);
		ebb_block_values(b, EBB_F_UNTIL, w->until);
	}
	if (t->dims & EBB_TALLY_CLASS)
		ebb_block_values(b, EBB_F_CLASS, w->class);
	if (keys)
		ebb_block_keys_init(&w->keys, b);
	for (uint32_t i = 0; i < b->n; i++) {
		int r = keys ? ebb_block_keys_next(&w->keys, err) : 1;

		if (r < 0)
			return r;
		if (r == 0)
			break;
		if (!plen || ebb_record_key_has_prefix(w->keys.key, w->keys.len, prefix, plen))
			count(t, i);
	}
	return 0;
}

static int by_bytes(const void *pa, const void *pb)
{
	const struct ebb_tally_group *a = pa, *b = pb;

	if (a->sum.bytes != b->sum.bytes)
		return a->sum.bytes < b->sum.bytes ? 1 : -1;
	if (a->sum.objects != b->sum.objects)
		return a->sum.objects < b->sum.objects ? 1 : -1;
	if (a->uid != b->uid)
		return a->uid < b->uid ? -1 : 1;
	return memcmp(a->name, b->name, sizeof(a->name));
}

static void sum_add(struct ebb_tally_sum *to, const struct ebb_tally_sum *s)
{
	to->objects += s->objects;
	to->bytes += s->bytes;
	to->alloc += s->alloc;
}

size_t ebb_tally_top(const struct ebb_tally *t, unsigned dim, size_t n, struct ebb_tally_group *ret,
		     struct ebb_tally_sum *ret_others, size_t *ret_more)
{
	const struct ebb_tally_groups *g = dim == EBB_TALLY_EXT	  ? t->ext
					   : dim == EBB_TALLY_OWNER ? t->owner
								    : t->class;
	size_t rows = 0, used = g->used + (g->others.objects ? 1 : 0);

	*ret_others = g->others;
	for (size_t i = 0; i < SLOTS && n; i++) {
		const struct ebb_tally_group *s = &g->slot[i];

		if (!s->sum.objects)
			continue;
		if (rows < n) {
			ret[rows++] = *s;
			if (rows == n)
				qsort(ret, rows, sizeof(*ret), by_bytes);
			continue;
		}
		if (by_bytes(s, &ret[n - 1]) >= 0) {
			sum_add(ret_others, &s->sum);
			continue;
		}
		sum_add(ret_others, &ret[n - 1].sum);
		size_t at = n - 1;
		for (; at && by_bytes(s, &ret[at - 1]) < 0; at--)
			ret[at] = ret[at - 1];
		ret[at] = *s;
	}
	if (rows < n)
		qsort(ret, rows, sizeof(*ret), by_bytes);
	*ret_more = used - rows;
	return rows;
}
