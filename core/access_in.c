/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/access_in.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/merge.h"
#include "core/seen.h"
#include "core/sorter.h"

#define DAY (INT64_C(86400) * 1000000000)

#define BATCH (UINT32_C(512) << 10)	/* lines */
#define SLOTS (2 * BATCH)		/* of the hash table of keys */
#define KEY_BYTES ((size_t)48 << 20)
#define SORT_BYTES ((size_t)48 << 20)

/* A key of the batch. */
struct key {
	size_t at;
	uint32_t len;
	uint32_t entries;	/* number + 1 of the first of its entries */
};

struct line {
	uint64_t id;
	int64_t time, bytes;
	uint32_t key;
	int32_t day;
};

/* What identifies a line, to be sorted. */
struct mark {
	uint64_t id;
	int32_t day;
	uint32_t line;
};

/* Reads of one key on one day; as it goes through the sorter. */
struct entry {
	int64_t last, reads, bytes;
	int32_t day;
	uint32_t next;	/* number + 1 of the key's next entry in the batch */
};

struct ebb_access_in {
	struct ebb_index *ix;
	char store[EBB_INDEX_NAME_MAX + 1], table[EBB_INDEX_NAME_MAX + 1];
	int64_t gap;
	uint32_t generation;	/* that will count the lines */
	bool had_window;
	int64_t old_since, old_until;
	int32_t floor;		/* first day whose lines are remembered */
	struct ebb_access_hours hours;
	bool new_hours;
	struct ebb_sorter *sorter;
	struct ebb_access_stats stats;
	/* the batch */
	struct ebb_buf bytes;	/* of keys */
	uint32_t *slot;		/* number + 1 of a key */
	struct key *key;
	uint32_t nkeys;
	struct line *line;
	uint32_t nlines;
	struct mark *mark;
	uint64_t *id;
	bool *known;
	struct entry *entry;
	uint32_t nentries;
	/* the merge */
	int32_t first_day;	/* of the window */
	bool reset;		/* counts begin anew */
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "no memory to ingest logs");
}

void ebb_access_in_free(struct ebb_access_in *in)
{
	if (!in)
		return;
	ebb_access_hours_release(&in->hours);
	ebb_sorter_free(in->sorter);
	ebb_buf_release(&in->bytes);
	free(in->slot);
	free(in->key);
	free(in->line);
	free(in->mark);
	free(in->id);
	free(in->known);
	free(in->entry);
	free(in);
}

static int allocate(struct ebb_access_in *in, const char *dir, struct ebb_err *err)
{
	in->sorter = ebb_sorter_new(dir, SORT_BYTES);
	in->slot = calloc(SLOTS, sizeof(*in->slot));
	in->key = malloc(BATCH * sizeof(*in->key));
	in->line = malloc(BATCH * sizeof(*in->line));
	in->mark = malloc(BATCH * sizeof(*in->mark));
	in->id = malloc(BATCH * sizeof(*in->id));
	in->known = malloc(BATCH * sizeof(*in->known));
	in->entry = malloc(BATCH * sizeof(*in->entry));
	ebb_buf_init(&in->bytes, KEY_BYTES + EBB_KEY_MAX);
	return in->sorter && in->slot && in->key && in->line && in->mark && in->id && in->known && in->entry
		       ? 0
		       : no_memory(err);
}

/* What the table knows so far. */
static int look(struct ebb_access_in *in, uint32_t *ret_published, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *s = NULL;
	struct ebb_index_store st = {0};
	struct ebb_err e = {0};
	int rc = ebb_snap_open(in->ix, &s, err);

	if (rc == 0)
		rc = ebb_access_hours_read(s, in->store, &in->hours, err);
	if (rc < 0)
		return rc;
	rc = ebb_snap_store(s, in->table, &st, &e);
	if (rc < 0 && rc != -EBB_ENOENT)
		return ebb_err_set(err, e.code, "%s", e.msg);
	*ret_published = st.generation;
	in->generation = (st.building > st.generation ? st.building : st.generation) + 1;
	return 0;
}

int ebb_access_in_begin(struct ebb_index *ix, const char *store, const char *dir, int64_t gap,
			struct ebb_access_in **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_access_in_freep) struct ebb_access_in *in = calloc(1, sizeof(*in));
	uint32_t published = 0;
	int rc;

	if (!in)
		return no_memory(err);
	in->ix = ix;
	in->gap = gap ? gap : EBB_ACCESS_GAP;
	rc = ebb_access_table(store, in->table, err);
	if (rc == 0)
		rc = allocate(in, dir, err);
	if (rc < 0)
		return rc;
	strcpy(in->store, store);
	rc = look(in, &published, err);
	if (rc == 0)
		rc = ebb_seen_drop_after(ix, in->table, published, err);
	if (rc < 0)
		return rc;
	in->had_window = ebb_access_hours_window(&in->hours, in->gap, &in->old_since, &in->old_until);
	in->floor = in->had_window ? ebb_access_day_at(in->old_until, NULL) - EBB_ACCESS_IN_MEMORY : INT32_MIN;
	*ret = in;
	in = NULL;
	return 0;
}

/* --- A batch --- */

static uint64_t hash(const char *p, size_t n)
{
	uint64_t h = n, w;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	for (w = 0; n > 0; n--)
		w = w << 8 | (uint8_t)*p++;
	h = (h ^ w) * UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 32;
}

/* Number of a key in the batch. */
static uint32_t key_number(struct ebb_access_in *in, const char *p, uint32_t len)
{
	for (uint64_t i = hash(p, len);; i++) {
		uint32_t *slot = &in->slot[i % SLOTS];
		struct key *k = &in->key[*slot - 1];

		if (*slot == 0) {
			k = &in->key[in->nkeys++];
			*k = (struct key){.at = in->bytes.len, .len = len};
			if (ebb_buf_add(&in->bytes, p, len) < 0)
				return UINT32_MAX;
			*slot = in->nkeys;
			return in->nkeys - 1;
		}
		if (k->len == len && memcmp(in->bytes.data + k->at, p, len) == 0)
			return *slot - 1;
	}
}

static int by_day_and_id(const void *pa, const void *pb)
{
	const struct mark *a = pa, *b = pb;

	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* Add a line to the entry of its key and day. */
static void count(struct ebb_access_in *in, const struct line *l, bool counts)
{
	struct key *k = &in->key[l->key];
	uint32_t number = k->entries;
	struct entry *e;

	while (number && in->entry[number - 1].day != l->day)
		number = in->entry[number - 1].next;
	if (!number) {
		in->entry[in->nentries] = (struct entry){.last = l->time, .day = l->day, .next = k->entries};
		number = k->entries = ++in->nentries;
	}
	e = &in->entry[number - 1];
	if (l->time > e->last)
		e->last = l->time;
	if (!counts) {
		in->stats.uncounted++;
		return;
	}
	e->reads++;
	in->stats.counted++;
	if (__builtin_add_overflow(e->bytes, l->bytes, &e->bytes))
		e->bytes = INT64_MAX;
}

/* Sort out which lines are new; those too old to be remembered are counted at once. Fills mark, id, and @days with room for BATCH. */
static uint32_t gather(struct ebb_access_in *in, struct ebb_seen_lines *days, size_t *ret_ndays)
{
	uint32_t n = 0, kept = 0;
	size_t nd = 0;

	for (uint32_t i = 0; i < in->nlines; i++) {
		if (in->line[i].day < in->floor)
			count(in, &in->line[i], false);
		else
			in->mark[n++] = (struct mark){in->line[i].id, in->line[i].day, i};
	}
	qsort(in->mark, n, sizeof(*in->mark), by_day_and_id);
	for (uint32_t i = 0; i < n; i++) {
		if (kept && by_day_and_id(&in->mark[kept - 1], &in->mark[i]) == 0) {
			in->stats.known++;
			continue;
		}
		if (nd == 0 || days[nd - 1].day != in->mark[i].day)
			days[nd++] = (struct ebb_seen_lines){in->mark[i].day, in->id + kept, 0};
		days[nd - 1].n++;
		in->id[kept] = in->mark[i].id;
		in->mark[kept++] = in->mark[i];
	}
	*ret_ndays = nd;
	return kept;
}

static int emit(struct ebb_access_in *in, struct ebb_err *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < in->nkeys && rc == 0; i++) {
		const struct key *k = &in->key[i];

		for (uint32_t e = k->entries; e && rc == 0; e = in->entry[e - 1].next)
			rc = ebb_sorter_add(in->sorter, in->bytes.data + k->at, k->len, &in->entry[e - 1],
					    sizeof(struct entry), err);
	}
	return rc;
}

static int flush(struct ebb_access_in *in, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) struct ebb_seen_lines *days = NULL;
	size_t ndays;
	uint32_t n;
	int rc = 0;

	if (in->nlines == 0)
		return 0;
	days = malloc(in->nlines * sizeof(*days));
	if (!days)
		return no_memory(err);
	n = gather(in, days, &ndays);
	if (n)
		rc = ebb_seen_add(in->ix, in->table, in->generation, days, ndays, in->known, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < n; i++) {
		if (in->known[i])
			in->stats.known++;
		else
			count(in, &in->line[in->mark[i].line], true);
	}
	rc = emit(in, err);
	ebb_buf_clear(&in->bytes);
	memset(in->slot, 0, SLOTS * sizeof(*in->slot));
	in->nkeys = in->nlines = in->nentries = 0;
	return rc;
}

int ebb_access_in_hour(struct ebb_access_in *in, int64_t time, struct ebb_err *err)
{
	unsigned hour;
	int32_t day = ebb_access_day_at(time, &hour);
	struct ebb_access_hours *h = &in->hours;

	for (size_t i = h->n; i-- > 0 && h->day[i].day >= day;)
		if (h->day[i].day == day && (h->day[i].hours & UINT32_C(1) << hour))
			return 0;
	in->new_hours = true;
	return ebb_access_hours_add(h, day, UINT32_C(1) << hour) < 0 ? no_memory(err) : 0;
}

int ebb_access_in_read(struct ebb_access_in *in, const struct ebb_access_read *r, struct ebb_err *err)
{
	int rc = ebb_access_in_hour(in, r->time, err);
	uint32_t key;

	if (rc < 0)
		return rc;
	if (r->key_len == 0 || r->key_len > EBB_KEY_MAX || memchr(r->key, 0, r->key_len))
		return ebb_err_set(err, EBB_EINVAL, "no key of %u bytes can be read", r->key_len);
	if (in->nlines == BATCH || in->bytes.len + r->key_len > KEY_BYTES) {
		rc = flush(in, err);
		if (rc < 0)
			return rc;
	}
	key = key_number(in, r->key, r->key_len);
	if (key == UINT32_MAX)
		return no_memory(err);
	in->line[in->nlines++] = (struct line){
		.id = r->id,
		.time = r->time,
		.bytes = r->bytes > 0 ? r->bytes : 0,
		.key = key,
		.day = ebb_access_day_at(r->time, NULL),
	};
	return 0;
}

/* --- The merge --- */

static int64_t add(int64_t a, int64_t b)
{
	int64_t s;

	return __builtin_add_overflow(a, b, &s) ? INT64_MAX : s;
}

/* What is new about a key, put together with what the table knows. */
static void combine(const struct ebb_record *old, struct ebb_record *rec, bool reset)
{
	int32_t was = ebb_access_day_at(old->f[EBB_F_ATIME], NULL);
	int32_t is = ebb_access_day_at(rec->f[EBB_F_ATIME], NULL);
	int32_t last = was > is ? was : is;
	uint64_t days = ebb_access_days_from((uint64_t)rec->f[EBB_F_DAYS], is, last);

	if (old->f[EBB_F_ATIME] > rec->f[EBB_F_ATIME])
		rec->f[EBB_F_ATIME] = old->f[EBB_F_ATIME];
	if (!reset) {
		rec->f[EBB_F_READS] = add(rec->f[EBB_F_READS], old->f[EBB_F_READS]);
		rec->f[EBB_F_RBYTES] = add(rec->f[EBB_F_RBYTES], old->f[EBB_F_RBYTES]);
		days |= ebb_access_days_from((uint64_t)old->f[EBB_F_DAYS], was, last);
	}
	rec->f[EBB_F_DAYS] = (int64_t)days;
}

/* Records that were put have no kind yet. */
static int fix(void *ctx, const struct ebb_record *old, struct ebb_record *rec, struct ebb_err *err)
{
	const struct ebb_access_in *in = ctx;
	bool put = !ebb_record_has(rec, EBB_F_KIND);
	int32_t day;

	(void)err;
	ebb_record_set(rec, EBB_F_KIND, EBB_KIND_FILE);
	if (rec->key[0] == '\0') /* days before the window are forgotten */
		return !put && ebb_access_day_of(rec->key, rec->key_len, &day) && day < in->first_day;
	if (put && old)
		combine(old, rec, in->reset);
	if (!put && in->reset)
		rec->f[EBB_F_READS] = rec->f[EBB_F_RBYTES] = rec->f[EBB_F_DAYS] = 0;
	return 0;
}

static int put_hours(struct ebb_access_in *in, struct ebb_merge *m, struct ebb_err *err)
{
	struct ebb_record w = {.key = EBB_ACCESS_WINDOW_KEY, .key_len = EBB_ACCESS_WINDOW_KEY_LEN};
	char key[EBB_ACCESS_DAY_KEY];
	int rc = 0;

	for (size_t i = 0; i < in->hours.n && rc == 0; i++) {
		struct ebb_record r = {.key = key, .key_len = sizeof(key)};

		if (in->hours.day[i].day < in->first_day)
			continue;
		ebb_access_day_key(in->hours.day[i].day, key);
		ebb_record_set(&r, EBB_F_DAYS, in->hours.day[i].hours);
		rc = ebb_merge_put(m, &r, err);
	}
	ebb_record_set(&w, EBB_F_WINDOW, in->stats.since);
	ebb_record_set(&w, EBB_F_UNTIL, in->stats.until);
	return rc < 0 ? rc : ebb_merge_put(m, &w, err);
}

/* Add what the sorter gave to the record of its key. */
static void add_entry(const struct ebb_access_in *in, struct ebb_record *r, const struct entry *e)
{
	int32_t was = ebb_access_day_at(r->f[EBB_F_ATIME], NULL);
	int32_t last = ebb_access_day_at(e->last, NULL);
	bool first = !ebb_record_has(r, EBB_F_ATIME);
	uint64_t days = (uint64_t)r->f[EBB_F_DAYS];

	if (first || e->last > r->f[EBB_F_ATIME])
		ebb_record_set(r, EBB_F_ATIME, e->last);
	if (first)
		was = last;
	days = ebb_access_days_from(days, was, last > was ? last : was);
	if (e->reads > 0 && e->day >= in->first_day) {
		r->f[EBB_F_READS] = add(r->f[EBB_F_READS], e->reads);
		r->f[EBB_F_RBYTES] = add(r->f[EBB_F_RBYTES], e->bytes);
		days |= ebb_access_days_from(1, e->day, last > was ? last : was);
	}
	r->f[EBB_F_DAYS] = (int64_t)days;
}

static int put_key(struct ebb_access_in *in, struct ebb_merge *m, struct ebb_record *r, struct ebb_err *err)
{
	static const enum ebb_field counts[] = {EBB_F_READS, EBB_F_RBYTES, EBB_F_DAYS};

	if (r->key_len == 0)
		return 0;
	for (size_t i = 0; i < EBB_ARRAY_LEN(counts); i++)
		r->known |= EBB_KNOWN(counts[i]);
	in->stats.keys++;
	return ebb_merge_put(m, r, err);
}

static int put_keys(struct ebb_access_in *in, struct ebb_merge *m, struct ebb_err *err)
{
	char key[EBB_KEY_MAX];
	struct ebb_record r = {.key = key};
	struct ebb_sorter_item it;
	struct entry e;
	int rc;

	while ((rc = ebb_sorter_next(in->sorter, &it, err)) == 1) {
		if (ebb_record_key_cmp(it.key, it.key_len, key, r.key_len) != 0) {
			rc = put_key(in, m, &r, err);
			if (rc < 0)
				return rc;
			memcpy(key, it.key, it.key_len);
			r = (struct ebb_record){.key = key, .key_len = it.key_len};
		}
		memcpy(&e, it.payload, sizeof(e));
		add_entry(in, &r, &e);
	}
	return rc < 0 ? rc : put_key(in, m, &r, err);
}

static int merge(struct ebb_access_in *in, struct ebb_err *err)
{
	const struct ebb_merge_opts opts = {
		.store = in->table, .restart = true, .update = true, .fix = fix, .ctx = in};
	struct ebb_merge_stats stats;
	struct ebb_merge *m;
	int rc = ebb_merge_begin(in->ix, &opts, &m, err);

	if (rc < 0)
		return rc;
	rc = put_hours(in, m, err);
	if (rc == 0)
		rc = put_keys(in, m, err);
	if (rc == 0)
		rc = ebb_merge_finish(m, &stats, err);
	if (rc == 0)
		return ebb_merge_publish(m, NULL, err);
	ebb_merge_abandon(m, true);
	return rc;
}

int ebb_access_in_end(struct ebb_access_in *in, struct ebb_access_stats *ret, struct ebb_err *err)
{
	struct ebb_access_stats *s = &in->stats;
	int32_t keep;
	int rc = flush(in, err);

	if (rc < 0)
		return rc;
	s->window = ebb_access_hours_window(&in->hours, in->gap, &s->since, &s->until);
	s->hole = in->had_window && s->since > in->old_since;
	s->changed = s->counted || s->uncounted || in->new_hours;
	in->reset = s->hole;
	in->first_day = s->window ? ebb_access_day_at(s->since, NULL) : 0;
	if (s->changed) {
		rc = ebb_sorter_sort(in->sorter, err);
		if (rc == 0)
			rc = merge(in, err);
		keep = ebb_access_day_at(s->until, NULL) - EBB_ACCESS_IN_MEMORY;
		if (rc == 0)
			rc = ebb_seen_drop_before(in->ix, in->table, in->first_day > keep ? in->first_day : keep, err);
	}
	if (rc == 0)
		*ret = *s;
	return rc;
}

int ebb_access_in_apply(struct ebb_index *ix, const char *store, struct ebb_err *err)
{
	const struct ebb_merge_opts opts = {.store = store, .update = true};
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *s = NULL;
	struct ebb_merge_stats stats;
	struct ebb_index_store st;
	struct ebb_err e = {0};
	struct ebb_merge *m;
	int rc = ebb_snap_open(ix, &s, err);

	if (rc < 0)
		return rc;
	rc = ebb_snap_store(s, store, &st, &e);
	ebb_snap_close(s);
	s = NULL;
	if (rc == -EBB_ENOENT || (rc == 0 && st.generation == 0))
		return 0;
	if (rc == 0)
		rc = ebb_merge_begin(ix, &opts, &m, &e);
	if (rc == -EBB_EEXIST)
		return 0;
	if (rc < 0)
		return ebb_err_set(err, e.code, "%s", e.msg);
	rc = ebb_merge_finish(m, &stats, err);
	if (rc == 0)
		rc = ebb_merge_publish(m, NULL, err);
	else
		ebb_merge_abandon(m, true);
	return rc < 0 ? rc : 1;
}
