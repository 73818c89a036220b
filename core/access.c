/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cursor.h"
#include "core/index_db.h"
#include "core/merge_old.h"

#define HOUR (INT64_C(3600) * 1000000000)
#define DAY (24 * HOUR)

/* A tier that says this much is better evidence than logs. */
#define TIER_MIN (30 * DAY)

/* --- Hours --- */

void ebb_access_hours_release(struct ebb_access_hours *h)
{
	free(h->day);
	*h = (struct ebb_access_hours){0};
}

int ebb_access_hours_add(struct ebb_access_hours *h, int32_t day, uint32_t hours)
{
	size_t i = h->n;

	while (i > 0 && h->day[i - 1].day > day)
		i--;
	if (i > 0 && h->day[i - 1].day == day) {
		h->day[i - 1].hours |= hours;
		return 0;
	}
	if (h->n == h->room) {
		size_t room = h->room ? 2 * h->room : 64;
		void *more = realloc(h->day, room * sizeof(*h->day));

		if (!more)
			return -EBB_ENOMEM;
		h->day = more;
		h->room = room;
	}
	memmove(h->day + i + 1, h->day + i, (h->n - i) * sizeof(*h->day));
	h->day[i] = (struct ebb_access_day){day, hours};
	h->n++;
	return 0;
}

bool ebb_access_hours_window(const struct ebb_access_hours *h, int64_t gap, int64_t *ret_since,
			     int64_t *ret_until)
{
	int64_t since = 0;
	bool any = false;

	for (size_t i = h->n; i-- > 0;)
		for (int hour = 23; hour >= 0; hour--) {
			int64_t begin = (int64_t)h->day[i].day * DAY + hour * HOUR;

			if (!(h->day[i].hours & UINT32_C(1) << hour))
				continue;
			if (!any)
				*ret_until = begin + HOUR;
			else if (since - (begin + HOUR) > gap)
				goto hole;
			any = true;
			since = begin;
		}
hole:
	if (any)
		*ret_since = since;
	return any;
}

/* --- Keys of the side table --- */

int ebb_access_table(const char *store, char ret[EBB_INDEX_NAME_MAX + 1], struct ebb_err *err)
{
	if (strlen(store) >= EBB_INDEX_NAME_MAX)
		return ebb_err_set(err, EBB_EINVAL, "store name '%s' is too long for access evidence; take up to %d bytes", store,
				   EBB_INDEX_NAME_MAX - 1);
	snprintf(ret, EBB_INDEX_NAME_MAX + 1, "@%s", store);
	return 0;
}

bool ebb_access_is_table(const char *name)
{
	return name[0] == '@';
}

void ebb_access_day_key(int32_t day, char ret[EBB_ACCESS_DAY_KEY])
{
	char text[EBB_ACCESS_DAY_KEY];

	/* the sign bit flipped, so that text sorts as numbers do */
	snprintf(text, sizeof(text), "%08x", (unsigned)day ^ 0x80000000u);
	ret[0] = '\0';
	memcpy(ret + 1, text, EBB_ACCESS_DAY_KEY - 1);
}

bool ebb_access_day_of(const char *key, size_t len, int32_t *ret)
{
	uint32_t v = 0;

	if (len != EBB_ACCESS_DAY_KEY || key[0] != '\0')
		return false;
	for (size_t i = 1; i < len; i++) {
		const char *digit = memchr("0123456789abcdef", key[i], 16);

		if (!digit)
			return false;
		v = v << 4 | (uint32_t)(digit - "0123456789abcdef");
	}
	*ret = (int32_t)(v ^ 0x80000000u);
	return true;
}

uint64_t ebb_access_days_from(uint64_t days, int32_t of, int32_t day)
{
	int64_t later = (int64_t)day - of;

	return later < 0 || later > 63 ? 0 : days << later;
}

int32_t ebb_access_day_at(int64_t ns, unsigned *ret_hour)
{
	int64_t day = ns / DAY - (ns % DAY < 0);

	if (ret_hour)
		*ret_hour = (unsigned)((ns - day * DAY) / HOUR);
	return (int32_t)day;
}

/* --- Reading hours --- */

static bool is_key(const struct ebb_record *r)
{
	return r->key_len > 0 && r->key[0] != '\0';
}

int ebb_access_hours_read(struct ebb_snap *s, const char *store, struct ebb_access_hours *h,
			  struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_block_iter *it = malloc(sizeof(*it));
	char name[EBB_INDEX_NAME_MAX + 1];
	struct ebb_index_store st;
	struct ebb_block b;
	struct ebb_record r;
	int32_t day;
	int rc = it ? ebb_access_table(store, name, err) : ebb_err_set(err, EBB_ENOMEM, "no memory to read evidence");

	if (rc < 0)
		return rc;
	rc = ebb_snap_store(s, name, &st, NULL);
	if (rc == -EBB_ENOENT)
		return 0;
	rc = ebb_cursor_open(s, &st, NULL, &c, err);
	while (rc == 0 && (rc = ebb_cursor_next(c, &b, err)) == 1) {
		ebb_block_iter_init(it, &b);
		while ((rc = ebb_block_iter_next(it, &r, err)) == 1) {
			if (is_key(&r))
				return 0;
			if (ebb_access_day_of(r.key, r.key_len, &day) &&
			    ebb_access_hours_add(h, day, (uint32_t)r.f[EBB_F_DAYS]) < 0)
				return ebb_err_set(err, EBB_ENOMEM, "no memory to read evidence");
		}
	}
	return rc < 0 ? rc : 0;
}

/* --- Applying the table --- */

struct ebb_access {
	struct ebb_index_store st;
	struct ebb_merge_old table;
	int64_t since, until;
};

void ebb_access_close(struct ebb_access *a)
{
	if (!a)
		return;
	ebb_merge_old_release(&a->table);
	free(a);
}

/* Stand on the next record of the table, or on none at its end. */
static int advance(struct ebb_access *a, MDB_txn *txn, struct ebb_err *err)
{
	int rc = a->table.have_cur ? ebb_merge_old_advance(&a->table, err) : 0;

	if (rc == 0 && !a->table.have_cur)
		rc = ebb_merge_old_peek(&a->table, txn, err);
	return rc == 1 ? ebb_merge_old_load(&a->table, txn, err) : rc;
}

/* Pass what stands before the keys, and learn the window. */
static int read_window(struct ebb_access *a, MDB_txn *txn, struct ebb_err *err)
{
	int rc = advance(a, txn, err);

	while (rc == 0 && a->table.have_cur && !is_key(&a->table.cur)) {
		const struct ebb_record *r = &a->table.cur;

		if (r->key_len == EBB_ACCESS_WINDOW_KEY_LEN &&
		    memcmp(r->key, EBB_ACCESS_WINDOW_KEY, EBB_ACCESS_WINDOW_KEY_LEN) == 0) {
			a->since = r->f[EBB_F_WINDOW];
			a->until = r->f[EBB_F_UNTIL];
		}
		rc = advance(a, txn, err);
	}
	return rc;
}

int ebb_access_open(struct ebb_index *ix, struct MDB_txn *txn, const char *store, struct ebb_access **ret,
		    struct ebb_err *err)
{
	char name[EBB_INDEX_NAME_MAX + 1];
	MDB_val key, val;
	struct ebb_access *a;
	int rc;

	*ret = NULL;
	if (ebb_access_is_table(store) || ebb_access_table(store, name, NULL) < 0)
		return 0;
	key = (MDB_val){strlen(name), name};
	rc = mdb_get(txn, ix->stores, &key, &val);
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc != 0 || val.mv_size != sizeof(a->st))
		return ebb_index_result(ix, err, rc ? rc : MDB_CORRUPTED, "cannot read a store");
	a = calloc(1, sizeof(*a));
	if (!a)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read evidence");
	memcpy(&a->st, val.mv_data, sizeof(a->st));
	rc = ebb_merge_old_init(&a->table, ix, &a->st) < 0 ? ebb_err_set(err, EBB_ENOMEM, "no memory to read evidence")
							   : read_window(a, txn, err);
	if (rc < 0 || a->st.generation == 0) {
		ebb_access_close(a);
		return rc < 0 ? rc : 0;
	}
	*ret = a;
	return 0;
}

/* Is what the record says already better than what logs could? */
static bool has_better(const struct ebb_record *r, int64_t read)
{
	int64_t evidence = ebb_record_has(r, EBB_F_EVIDENCE) ? r->f[EBB_F_EVIDENCE] : EBB_EVIDENCE_NONE;

	if (evidence == EBB_EVIDENCE_TIER)
		return ebb_record_has(r, EBB_F_ATIME) && ebb_record_has(r, EBB_F_UNTIL) &&
		       r->f[EBB_F_UNTIL] - r->f[EBB_F_ATIME] >= TIER_MIN && read <= r->f[EBB_F_ATIME];
	return evidence == EBB_EVIDENCE_RELATIME || evidence == EBB_EVIDENCE_ATIME;
}

/* @e: the table's record of its key, or NULL. */
static void tell(const struct ebb_access *a, struct ebb_record *r, const struct ebb_record *e)
{
	static const enum ebb_field counts[] = {EBB_F_READS, EBB_F_RBYTES, EBB_F_DAYS};
	int64_t read = e && ebb_record_has(e, EBB_F_ATIME) ? e->f[EBB_F_ATIME] : INT64_MIN;
	bool better = has_better(r, read);

	/* A tier's time is no read. */
	if (!better && ebb_record_has(r, EBB_F_EVIDENCE) && r->f[EBB_F_EVIDENCE] == EBB_EVIDENCE_TIER) {
		r->known &= ~EBB_KNOWN(EBB_F_ATIME);
		r->f[EBB_F_ATIME] = 0;
	}

	if (read != INT64_MIN && (!ebb_record_has(r, EBB_F_ATIME) || read > r->f[EBB_F_ATIME]))
		if (!better || r->f[EBB_F_EVIDENCE] != EBB_EVIDENCE_TIER)
			ebb_record_set(r, EBB_F_ATIME, read);
	if (better)
		return;
	ebb_record_set(r, EBB_F_EVIDENCE, EBB_EVIDENCE_LOG);
	ebb_record_set(r, EBB_F_WINDOW, a->since);
	ebb_record_set(r, EBB_F_UNTIL, a->until);
	for (size_t i = 0; i < EBB_ARRAY_LEN(counts) && r->f[EBB_F_KIND] == EBB_KIND_FILE; i++)
		ebb_record_set(r, counts[i], e ? e->f[counts[i]] : 0);
}

int ebb_access_apply(struct ebb_access *a, struct MDB_txn *txn, struct ebb_record *r, struct ebb_err *err)
{
	size_t len = ebb_record_plain_len(r->key, r->key_len);
	int order = -1, rc = 0;

	if (r->f[EBB_F_KIND] != EBB_KIND_FILE && r->f[EBB_F_KIND] != EBB_KIND_VERSION)
		return 0;
	while (a->table.have_cur &&
	       (order = ebb_record_key_cmp(a->table.cur.key, a->table.cur.key_len, r->key, len)) < 0) {
		rc = advance(a, txn, err);
		if (rc < 0)
			return rc;
	}
	tell(a, r, a->table.have_cur && order == 0 ? &a->table.cur : NULL);
	return 0;
}
