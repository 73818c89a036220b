/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two sorts and a file. Members are sorted by size and digest, so that a group comes in one piece; each group's members go to a file as
 * they come while its sums are made; then the groups are sorted by worth, and each says where its members lie. Names of inodes
 * that are counted elsewhere have no digest of their own: a third sort brings them to the name that has.
 */
#include "agent/groups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/cursor.h"
#include "core/sort.h"
#include "policies/cost_storage.h"

/* Records sorted in memory at a time, at most 64 bytes each. */
#define ROOM (128 * 1024)

/* Files of one group whose blocks are compared; those beyond count as not shared. */
#define SHARED_MAX 1024

struct member {
	int64_t size;
	uint8_t digest[EBB_DIGEST_LEN];
	int64_t parts;		/* as in struct ebb_group */
	uint64_t dev, ino;	/* 0: none */
	uint64_t place, first;	/* of its first name */
	int64_t alloc;
	uint16_t store;
	uint16_t twin;		/* another name of an inode, its digest to be taken from the first */
};

struct ebb_groups {
	struct ebb_app *app;
	struct ebb_snap *snap;
	const struct ebb_reach *reach;
	int64_t min_size;
	bool links;
	struct ebb_sort members, names, groups;
	struct ebb_groups_totals totals;
	struct ebb_block_iter *it;
	struct ebb_place *places;
	FILE *file;			/* struct ebb_group_member, group by group */
	int64_t written;		/* members in it */
	const struct ebb_group_member *map;	/* the file, once it is complete */
	size_t map_len;
	const struct ebb_group_member *next;	/* of the group at hand */
	uint64_t left;			/* how many were not given yet */
	/* the group that is being summed up */
	struct ebb_group sum;
	struct member last;
	int64_t all, least;		/* nano-units of all copies, and of the one that costs least */
	int64_t bytes, least_bytes;
	uint64_t shared[SHARED_MAX];
	size_t nshared;
};

#define DIFFER(a, b)                                                                               \
	if ((a) != (b))                                                                            \
		return (a) < (b) ? -1 : 1

static int cmp_content(const struct member *a, const struct member *b)
{
	DIFFER(a->size, b->size);
	DIFFER(a->parts, b->parts);
	return memcmp(a->digest, b->digest, EBB_DIGEST_LEN);
}

static int cmp_member(const void *pa, const void *pb)
{
	const struct member *a = pa, *b = pb;
	int c = cmp_content(a, b);

	if (c)
		return c;
	DIFFER(a->store, b->store);
	DIFFER(a->first, b->first);
	DIFFER(a->place, b->place);
	return 0;
}

/* Names of one inode together, the one with the digest first. */
static int cmp_name(const void *pa, const void *pb)
{
	const struct member *a = pa, *b = pb;

	DIFFER(a->store, b->store);
	DIFFER(a->dev, b->dev);
	DIFFER(a->ino, b->ino);
	DIFFER(a->twin, b->twin);
	DIFFER(a->place, b->place);
	return 0;
}

static int cmp_group(const void *pa, const void *pb)
{
	const struct ebb_group *a = pa, *b = pb;
	int64_t x = a->priced ? a->saving : -1, y = b->priced ? b->saving : -1;

	DIFFER(y, x);
	DIFFER(b->redundant, a->redundant);
	DIFFER(b->size, a->size);
	DIFFER(a->at, b->at);
	return 0;
}

void ebb_groups_free(struct ebb_groups *g)
{
	if (!g)
		return;
	ebb_sort_release(&g->members);
	ebb_sort_release(&g->names);
	ebb_sort_release(&g->groups);
	ebb_place_close(g->places);
	if (g->map_len)
		munmap((void *)(uintptr_t)g->map, g->map_len);
	if (g->file)
		fclose(g->file);
	free(g->it);
	free(g);
}

const struct ebb_groups_totals *ebb_groups_totals(const struct ebb_groups *g)
{
	return &g->totals;
}

/* --- Members --- */

static int64_t alloc_of(const struct ebb_record *r)
{
	return r->f[ebb_record_has(r, EBB_F_ALLOC) ? EBB_F_ALLOC : EBB_F_SIZE];
}

static bool has_names(const struct ebb_record *r)
{
	return ebb_record_has(r, EBB_F_INO) && r->f[EBB_F_NLINK] > 1;
}

static int add_record(struct ebb_groups *g, size_t store, uint64_t place, const struct ebb_record *r,
		      struct ebb_err *err)
{
	bool twin = r->f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN;
	bool known;
	struct member m = {
		.size = r->f[EBB_F_SIZE], .place = place, .first = place, .alloc = alloc_of(r), .store = (uint16_t)store,
		.dev = (uint64_t)r->f[EBB_F_DEV], .ino = (uint64_t)r->f[EBB_F_INO], .twin = twin,
	};

	known = ebb_record_content(r, m.digest, &m.parts);
	if ((r->f[EBB_F_KIND] != EBB_KIND_FILE && r->f[EBB_F_KIND] != EBB_KIND_VERSION) || (!twin && !known) || m.size < g->min_size ||
	    !ebb_reach_wants(g->reach, store, r->key, r->key_len))
		return 0;
	return ebb_sort_add(has_names(r) ? &g->names : &g->members, &m, err);
}

/* Nothing of the block can be a member. */
static bool pointless(const struct ebb_groups *g, const struct ebb_block *b)
{
	return b->col[EBB_F_SIZE].max < g->min_size ||
	       (!(b->known_any & (EBB_KNOWN_DIGEST | EBB_KNOWN(EBB_F_PARTS))) && b->col[EBB_F_FLAGS].max == 0);
}

static int add_store(struct ebb_groups *g, size_t store, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	struct ebb_record rec;
	struct ebb_block b;
	int rc = ebb_cursor_open(g->snap, &g->reach->v[store].st, NULL, &c, err);

	for (uint64_t n = 0; rc >= 0 && (rc = ebb_cursor_next(c, &b, err)) == 1; n++) {
		if (pointless(g, &b))
			continue;
		ebb_block_iter_init(g->it, &b);
		for (uint32_t i = 0; rc >= 0 && (rc = ebb_block_iter_next(g->it, &rec, err)) == 1; i++)
			rc = add_record(g, store, n << 16 | i, &rec, err);
	}
	return rc;
}

/* Give every name of an inode the digest of the first. */
static int add_names(struct ebb_groups *g, struct ebb_err *err)
{
	struct member first = {.twin = 1}, m;
	int rc = ebb_sort_finish(&g->names, err);

	while (rc == 0 && (rc = ebb_sort_take(&g->names, &m, err)) == 1) {
		bool same = m.store == first.store && m.dev == first.dev && m.ino == first.ino && !first.twin;

		rc = 0;
		if (!m.twin)
			first = m;
		else if (!same || m.size != first.size)
			continue; /* the first name is not meant, or has no digest */
		m.first = first.place;
		memcpy(m.digest, first.digest, EBB_DIGEST_LEN);
		m.parts = first.parts;
		rc = ebb_sort_add(&g->members, &m, err);
	}
	return rc;
}

/* --- Groups --- */

/* What a copy costs a month. 0 with *ret untouched when nobody knows. */
static int price_of(const struct ebb_groups *g, const struct member *m, int64_t *ret, struct ebb_err *err)
{
	const struct ebb_config_store *cs = g->reach->v[m->store].config;
	struct ebb_money cost;
	int rc;

	if (!cs)
		return 0;
	rc = ebb_cost_storage_bytes(cs->price, m->alloc, ebb_price_currency(g->app->config->prices), &cost,
				    err);
	if (rc == 1)
		*ret = cost.nano;
	return rc;
}

static int too_much(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ERANGE, "the sizes of all copies together do not fit 64 bits");
}

/* One more copy that takes room of its own. */
static int add_copy(struct ebb_groups *g, const struct member *m, struct ebb_err *err)
{
	int64_t cost = 0;
	int rc = price_of(g, m, &cost, err);
	bool first = g->sum.inodes == 1;

	if (rc < 0)
		return rc;
	if (rc == 0)
		g->sum.priced = false;
	if (first || cost < g->least)
		g->least = cost;
	if (first || m->alloc > g->least_bytes)
		g->least_bytes = m->alloc;
	return __builtin_add_overflow(g->all, cost, &g->all) ||
			       __builtin_add_overflow(g->bytes, m->alloc, &g->bytes)
		       ? too_much(err)
		       : 0;
}

/* Whether another file of the group lies in the same blocks. */
static int is_shared(struct ebb_groups *g, const struct member *m, bool *ret, struct ebb_err *err)
{
	const struct ebb_reach_store *s = &g->reach->v[m->store];
	uint64_t id = 0;
	const char *key;
	size_t len;
	int rc;

	*ret = false;
	if (!s->store || !(ebb_store_caps(s->store) & EBB_CAP_REFLINK))
		return 0;
	rc = ebb_place_key(g->places, &s->st, m->place, &key, &len, err);
	if (rc < 0)
		return rc;
	if (ebb_store_extents(s->store, key, &id, NULL) < 0 || id == 0)
		return 0; /* it went, or cannot be opened: then it counts as a copy */
	for (size_t i = 0; i < g->nshared; i++)
		if (g->shared[i] == id)
			*ret = true;
	if (!*ret && g->nshared < SHARED_MAX)
		g->shared[g->nshared++] = id;
	return 0;
}

static int write_member(struct ebb_groups *g, const struct ebb_group_member *m, struct ebb_err *err)
{
	if (fwrite(m, sizeof(*m), 1, g->file) != 1)
		return ebb_err_sys(err, errno, "cannot write a temporary file in '%s'", g->app->index_dir);
	g->written++;
	return 0;
}

/* The next member of a group that has at least two. */
static int add_to_group(struct ebb_groups *g, const struct member *m, bool first, struct ebb_err *err)
{
	struct ebb_group_member out = {.place = m->place, .alloc = m->alloc, .store = m->store};
	int rc = 0;

	out.linked = !first && m->store == g->last.store && m->first == g->last.first;
	g->sum.inodes += !out.linked;
	g->sum.members++;
	if (!out.linked)
		rc = is_shared(g, m, &out.shared, err);
	if (rc == 0 && !out.linked && !out.shared)
		rc = add_copy(g, m, err);
	return rc < 0 ? rc : write_member(g, &out, err);
}

static void begin_group(struct ebb_groups *g, const struct member *m)
{
	g->sum = (struct ebb_group){.size = m->size, .parts = m->parts, .priced = true, .at = g->written};
	memcpy(g->sum.digest, m->digest, EBB_DIGEST_LEN);
	g->all = g->least = g->bytes = g->least_bytes = 0;
	g->nshared = 0;
}

/* A group of one inode is none, unless links were asked for: its members are written over by the next. */
static int end_group(struct ebb_groups *g, struct ebb_err *err)
{
	struct ebb_groups_totals *t = &g->totals;
	struct ebb_group *s = &g->sum;

	if (s->members < 2 || (s->inodes < 2 && !g->links)) {
		g->written = s->at;
		return fseeko(g->file, (off_t)((size_t)s->at * sizeof(struct ebb_group_member)), SEEK_SET) < 0
			       ? ebb_err_sys(err, errno, "cannot write a temporary file in '%s'",
					     g->app->index_dir)
			       : 0;
	}
	s->redundant = g->bytes - g->least_bytes;
	s->saving = s->priced ? g->all - g->least : 0;
	t->groups++;
	t->members += s->members;
	t->copies += s->inodes - 1;
	t->unpriced += !s->priced;
	if (__builtin_add_overflow(t->redundant, s->redundant, &t->redundant) ||
	    __builtin_add_overflow(t->saving, s->saving, &t->saving))
		return too_much(err);
	return ebb_sort_add(&g->groups, s, err);
}

static int make_groups(struct ebb_groups *g, struct ebb_err *err)
{
	struct member m, held;
	bool have = false, open = false;
	int rc = ebb_sort_finish(&g->members, err);

	/* a member is held back until the next shows whether it stands alone, as most do */
	while (rc == 0 && (rc = ebb_sort_take(&g->members, &m, err)) == 1) {
		bool same = have && cmp_content(&held, &m) == 0;

		rc = 0;
		if (same && !open) {
			begin_group(g, &held);
			rc = add_to_group(g, &held, true, err);
			g->last = held;
			open = true;
		}
		if (rc == 0 && same)
			rc = add_to_group(g, &m, false, err);
		else if (rc == 0 && open)
			rc = end_group(g, err);
		open &= same;
		g->last = held = m;
		have = true;
	}
	if (rc == 0 && open)
		rc = end_group(g, err);
	return rc;
}

static FILE *temporary(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w+");

	if (fd >= 0 && !f)
		close(fd);
	return f;
}

static int prepare(struct ebb_groups *g, struct ebb_err *err)
{
	const char *dir = g->app->index_dir;
	int rc;

	if (!(g->it = malloc(sizeof(*g->it))))
		return ebb_err_set(err, EBB_ENOMEM, "no memory to group objects");
	if (!(g->file = temporary(dir)))
		return ebb_err_sys(err, errno, "cannot make a temporary file in '%s'", dir);
	if ((rc = ebb_place_open(g->snap, &g->places, err)) < 0 ||
	    (rc = ebb_sort_init(&g->members, dir, sizeof(struct member), ROOM, cmp_member, err)) < 0 ||
	    (rc = ebb_sort_init(&g->names, dir, sizeof(struct member), ROOM / 8, cmp_name, err)) < 0)
		return rc;
	return ebb_sort_init(&g->groups, dir, sizeof(struct ebb_group), ROOM, cmp_group, err);
}

/* Groups are given in another order than they were found in, with a seek for each: so the file is mapped. */
static int map_file(struct ebb_groups *g, struct ebb_err *err)
{
	size_t len = (size_t)g->written * sizeof(*g->map);
	void *p;

	if (len == 0)
		return 0;
	if (fflush(g->file) != 0)
		return ebb_err_sys(err, errno, "cannot write a temporary file in '%s'", g->app->index_dir);
	p = mmap(NULL, len, PROT_READ, MAP_SHARED, fileno(g->file), 0);
	if (p == MAP_FAILED)
		return ebb_err_sys(err, errno, "cannot map a temporary file in '%s'", g->app->index_dir);
	g->map = p;
	g->map_len = len;
	return 0;
}

int ebb_groups_find(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_reach *reach,
		    int64_t min_size, bool links, struct ebb_groups **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_groups_freep) struct ebb_groups *g = calloc(1, sizeof(*g));
	int rc;

	if (!g)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to group objects");
	g->app = app;
	g->snap = snap;
	g->reach = reach;
	g->min_size = min_size > 0 ? min_size : 1;
	g->links = links;
	rc = prepare(g, err);
	for (size_t i = 0; rc == 0 && i < reach->n; i++)
		rc = reach->v[i].some ? add_store(g, i, err) : 0;
	if (rc == 0)
		rc = add_names(g, err);
	ebb_sort_release(&g->names);
	if (rc == 0)
		rc = make_groups(g, err);
	ebb_sort_release(&g->members);
	if (rc == 0)
		rc = ebb_sort_finish(&g->groups, err);
	if (rc == 0)
		rc = map_file(g, err);
	if (rc < 0)
		return rc;
	*ret = g;
	g = NULL;
	return 0;
}

/* --- Giving them out --- */

int ebb_groups_next(struct ebb_groups *g, struct ebb_group *ret, struct ebb_err *err)
{
	int rc = ebb_sort_take(&g->groups, ret, err);

	if (rc == 1) {
		g->next = g->map + ret->at;
		g->left = ret->members;
	}
	return rc;
}

bool ebb_groups_member(struct ebb_groups *g, struct ebb_group_member *ret)
{
	if (g->left == 0)
		return false;
	*ret = *g->next++;
	g->left--;
	return true;
}
