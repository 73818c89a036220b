/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The old generation is read block by block beside the arriving records. A block is "clean" while every record of it
 * was matched by an equal one and nothing stood between: then nothing is encoded, and at its end the new list
 * simply names the same block. The first difference makes it "dirty": the records matched so far are
 * replayed into the builder, and the rest follow.
 *
 * New blocks are cut where old blocks begin, so that one new file does not shift all blocks behind it.
 */
#include "core/merge.h"

#include <stdlib.h>
#include <string.h>

#include "core/access.h"
#include "core/block.h"
#include "core/index_db.h"
#include "core/links.h"
#include "core/merge_free.h"
#include "core/merge_old.h"
#include "core/names.h"

/* What must be known to go on with a scan; written with every commit. The last key follows it in the value. */
struct ebb_merge_state {
	struct ebb_merge_stats stats;
	int64_t started;
	uint64_t next_block;
	uint32_t generation;
	uint32_t list_len;	/* entries written to the new list */
};

struct ebb_merge {
	struct ebb_index *ix;
	struct ebb_index_store st;
	struct ebb_merge_state s;
	char last[EBB_KEY_MAX + 1];	/* last key in committed or pending blocks */
	size_t last_len;
	char resume[EBB_KEY_MAX + 1];
	size_t resume_len;
	MDB_txn *txn;			/* NULL outside ebb_merge_put and the like */
	size_t pending, batch;		/* bytes since the last commit, and how many make the next */
	struct ebb_links links;
	struct ebb_merge_old old;	/* the generation before */
	bool clean;			/* all of old.block up to old.cur was matched by equal records */
	uint32_t matched;		/* how many */
	char gone[EBB_KEY_MAX + 1];	/* key of the old record counted as gone last */
	size_t gone_len;
	/* the new one */
	struct ebb_block_builder *builder;
	struct ebb_buf encoded;
	bool finished;
	bool update;
	ebb_merge_fix_fn *fix;
	void *fix_ctx;
	struct ebb_access *access;	/* evidence of the store's side table, or NULL */
	struct ebb_names *names;
};

static MDB_val val_of(void *p, size_t n)
{
	return (MDB_val){n, p};
}

static int fail(struct ebb_merge *m, struct ebb_err *err, int rc, const char *what)
{
	return ebb_index_result(m->ix, err, rc, what);
}

/* --- transactions --------------------------------------------------------------------------------------- */

static int begin(struct ebb_merge *m, struct ebb_err *err)
{
	return m->txn ? 0 : ebb_index_begin(m->ix, EBB_MERGE_BATCH * 2, &m->txn, err);
}

/* Write the state and commit. Only right after a flush: the state must describe whole blocks. */
static int checkpoint(struct ebb_merge *m, struct ebb_err *err)
{
	uint16_t id = m->st.id;
	MDB_val key = val_of(&id, sizeof(id)), val;
	int rc = begin(m, err);

	/* What was counted as gone must not be counted again by a resumed scan. */
	if (ebb_record_key_cmp(m->gone, m->gone_len, m->last, m->last_len) > 0) {
		memcpy(m->last, m->gone, m->gone_len);
		m->last_len = m->gone_len;
		m->last[m->last_len] = '\0';
	}
	val = (MDB_val){sizeof(m->s) + m->last_len, NULL};
	if (rc < 0)
		return rc;
	if (!m->update) { /* nobody goes on with an update */
		rc = mdb_put(m->txn, m->ix->scans, &key, &val, MDB_RESERVE);
		if (rc == 0) {
			memcpy(val.mv_data, &m->s, sizeof(m->s));
			memcpy((char *)val.mv_data + sizeof(m->s), m->last, m->last_len);
		}
	}
	if (rc == 0) {
		rc = mdb_txn_commit(m->txn);
	} else {
		mdb_txn_abort(m->txn);
	}
	m->txn = NULL;
	m->pending = 0;
	return fail(m, err, rc, "cannot commit to the index");
}

/* Append an entry to the new list. */
static int put_entry(struct ebb_merge *m, uint64_t block, uint32_t n, const char *first, size_t len,
		     struct ebb_err *err)
{
	struct ebb_index_list_key lk =
		ebb_index_list_key(m->st.id, m->s.generation, m->s.list_len);
	struct ebb_index_entry e = {.block = block, .n = n};
	MDB_val key = val_of(lk.b, sizeof(lk.b)), val = {sizeof(e) + len, NULL};
	int rc = begin(m, err);

	if (rc < 0)
		return rc;
	rc = mdb_put(m->txn, m->ix->lists, &key, &val, MDB_RESERVE);
	if (rc != 0)
		return fail(m, err, rc, "cannot write the list of blocks");
	memcpy(val.mv_data, &e, sizeof(e));
	memcpy((char *)val.mv_data + sizeof(e), first, len);
	m->s.list_len++;
	m->s.stats.blocks++;
	m->pending += 64 + len;
	return 0;
}

static int put_block(struct ebb_merge *m, const struct ebb_buf *bytes, struct ebb_err *err)
{
	uint64_t id = m->s.next_block;
	MDB_val key = val_of(&id, sizeof(id)), val = val_of(bytes->data, bytes->len);
	int rc = begin(m, err);

	if (rc < 0)
		return rc;
	rc = mdb_put(m->txn, m->ix->blocks, &key, &val, MDB_APPEND);
	if (rc != 0)
		return fail(m, err, rc, "cannot write a block");
	m->s.next_block++;
	m->pending += bytes->len;
	return 0;
}

static int checkpoint_if_due(struct ebb_merge *m, struct ebb_err *err)
{
	return m->pending >= m->batch ? checkpoint(m, err) : 0;
}

/* --- the new generation --------------------------------------------------------------------------------- */

/* Write the builder's records as one block. */
static int flush(struct ebb_merge *m, struct ebb_err *err)
{
	const char *first, *last;
	size_t first_len, last_len;
	int rc;

	if (ebb_block_builder_count(m->builder) == 0)
		return 0;
	rc = ebb_block_builder_encode(m->builder, &m->encoded, err);
	if (rc == 0)
		rc = put_block(m, &m->encoded, err);
	if (rc < 0)
		return rc;
	ebb_block_builder_range(m->builder, &first, &first_len, &last, &last_len);
	rc = put_entry(m, m->s.next_block - 1, ebb_block_builder_count(m->builder), first, first_len,
		       err);
	if (rc < 0)
		return rc;
	memcpy(m->last, last, last_len + 1);
	m->last_len = last_len;
	ebb_block_builder_clear(m->builder);
	return 0;
}

static int build(struct ebb_merge *m, const struct ebb_record *r, struct ebb_err *err)
{
	int rc;

	if (ebb_block_builder_full(m->builder)) {
		rc = flush(m, err);
		if (rc < 0)
			return rc;
	}
	return ebb_block_builder_add(m->builder, r, err);
}

/* The old block turns out not to be reusable: give the builder what was matched of it. */
static int soil(struct ebb_merge *m, struct ebb_err *err)
{
	struct ebb_block_iter *again;
	struct ebb_record r;
	int rc = 0;

	if (!m->clean)
		return 0;
	m->clean = false;
	if (m->matched == 0)
		return 0;
	again = malloc(sizeof(*again));
	if (!again)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to copy a block");
	ebb_block_iter_init(again, &m->old.block);
	for (uint32_t i = 0; i < m->matched && rc >= 0; i++) {
		rc = ebb_block_iter_next(again, &r, err);
		if (rc == 1)
			rc = build(m, &r, err);
	}
	free(again);
	return rc < 0 ? rc : 0;
}

/* The whole old block was matched: name it in the new list. */
static int share(struct ebb_merge *m, struct ebb_err *err)
{
	int rc = put_entry(m, m->old.entry.block, m->old.entry.n, m->old.block.first,
			   m->old.block.first_len, err);

	if (rc < 0)
		return rc;
	m->s.stats.blocks_shared++;
	m->clean = false;
	memcpy(m->last, m->old.it->keys.key, m->old.it->keys.len + 1);
	m->last_len = m->old.it->keys.len;
	return 0;
}

/*
 * The next record lies at or behind the beginning of the old block @next: end the current one. A short remainder is
 * joined with a short successor, never with a long one: that would shift every block behind it.
 */
static int cut(struct ebb_merge *m, uint32_t next_n, struct ebb_err *err)
{
	int rc;

	if (m->clean && m->matched == m->old.entry.n) {
		rc = share(m, err);
	} else {
		rc = soil(m, err);
		if (rc == 0 && ebb_block_builder_count(m->builder) + next_n > EBB_BLOCK_MAX)
			rc = flush(m, err);
	}
	if (rc == 0 && ebb_block_builder_count(m->builder) == 0)
		rc = checkpoint_if_due(m, err);
	return rc;
}

/* --- the old generation --------------------------------------------------------------------------------- */

/* Look at the next old entry without loading its block. Returns 1, or 0 at the end. */
static int peek(struct ebb_merge *m, struct ebb_err *err)
{
	int rc = begin(m, err);

	return rc < 0 ? rc : ebb_merge_old_peek(&m->old, m->txn, err);
}

/* Load the peeked block and stand on its first record. */
static int load(struct ebb_merge *m, struct ebb_err *err)
{
	int rc = begin(m, err);

	if (rc == 0)
		rc = ebb_merge_old_load(&m->old, m->txn, err);
	m->matched = 0;
	m->clean = ebb_block_builder_count(m->builder) == 0;
	return rc;
}

static void count_gone(struct ebb_merge *m)
{
	const struct ebb_record *r = &m->old.cur;

	m->s.stats.gone++;
	m->s.stats.old_objects++;
	memcpy(m->gone, r->key, r->key_len);
	m->gone_len = r->key_len;
	if (r->f[EBB_F_KIND] == EBB_KIND_FILE && !(r->f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN))
		m->s.stats.gone_bytes += (uint64_t)r->f[EBB_F_SIZE];
}

/* --- records -------------------------------------------------------------------------------------------- */

static void count_object(struct ebb_merge *m, const struct ebb_record *r)
{
	m->s.stats.objects++;
	if (r->f[EBB_F_KIND] == EBB_KIND_FILE && !(r->f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN))
		m->s.stats.bytes += (uint64_t)r->f[EBB_F_SIZE];
}

static bool equal(const struct ebb_record *a, const struct ebb_record *b)
{
	return a->known == b->known && memcmp(a->f, b->f, sizeof(a->f)) == 0 &&
	       memcmp(a->digest, b->digest, EBB_DIGEST_LEN) == 0;
}

static int mark_twin(struct ebb_merge *m, struct ebb_record *r, struct ebb_err *err)
{
	int rc;

	if (!ebb_record_has(r, EBB_F_NLINK) || r->f[EBB_F_NLINK] < 2 ||
	    r->f[EBB_F_KIND] == EBB_KIND_DIR)
		return 0;
	rc = ebb_links_meet(&m->links, (uint64_t)r->f[EBB_F_DEV], (uint64_t)r->f[EBB_F_INO],
			    (uint64_t)r->f[EBB_F_NLINK], err);
	if (rc == 0)
		ebb_record_set(r, EBB_F_FLAGS, r->f[EBB_F_FLAGS] | EBB_FLAG_LINKED_TWIN);
	return rc < 0 ? rc : 0;
}

/*
 * In a bucket the time of change moves when an object is copied onto itself, and listings know no other: as long as entity tag and size
 * stay, the content is as old as it was. True when that is so.
 */
static bool keep_mtime(struct ebb_record *r, const struct ebb_record *old)
{
	static const enum ebb_field same[] = {EBB_F_ETAG_HI, EBB_F_ETAG_LO, EBB_F_PARTS, EBB_F_SIZE,
					      EBB_F_KIND};

	for (size_t i = 0; i < EBB_ARRAY_LEN(same); i++)
		if (!ebb_record_has(r, same[i]) || !ebb_record_has(old, same[i]) ||
		    r->f[same[i]] != old->f[same[i]])
			return false;
	if (ebb_record_has(r, EBB_F_INO) || !ebb_record_has(old, EBB_F_MTIME))
		return false;
	ebb_record_set(r, EBB_F_MTIME, old->f[EBB_F_MTIME]);
	return true;
}

/* @r meets the old record of its key. */
static int put_known(struct ebb_merge *m, struct ebb_record *r, struct ebb_err *err)
{
	bool same = ebb_record_same_content(r, &m->old.cur) || keep_mtime(r, &m->old.cur);
	int rc = 0;

	m->s.stats.old_objects++;
	if (same && !(r->known & EBB_KNOWN_DIGEST) && (m->old.cur.known & EBB_KNOWN_DIGESTS)) {
		memcpy(r->digest, m->old.cur.digest, EBB_DIGEST_LEN);
		r->known &= ~EBB_KNOWN_SAMPLE;
		r->known |= m->old.cur.known & EBB_KNOWN_DIGESTS;
	}
	if (m->clean && equal(r, &m->old.cur)) {
		m->matched++;
	} else {
		rc = soil(m, err);
		if (rc == 0)
			rc = build(m, r, err);
	}
	if (rc < 0)
		return rc;
	if (same)
		m->s.stats.same++;
	else
		m->s.stats.changed++;
	count_object(m, r);
	return ebb_merge_old_advance(&m->old, err);
}

/* What evidence and, in an update, the caller have to say. Returns 1 when the record is to be left out. */
static int finish_record(struct ebb_merge *m, const struct ebb_record *old, struct ebb_record *r,
			 struct ebb_err *err)
{
	int rc = m->access ? ebb_access_apply(m->access, m->txn, r, err) : 0;

	return rc == 0 && m->fix ? m->fix(m->fix_ctx, old, r, err) : rc;
}

/* The old record stood on was not put: it is gone, or an update keeps it. */
static int pass(struct ebb_merge *m, struct ebb_err *err)
{
	struct ebb_record r = m->old.cur;
	int rc = m->update ? finish_record(m, &m->old.cur, &r, err) : 1;

	if (rc == 0)
		return put_known(m, &r, err);
	if (rc == 1)
		rc = soil(m, err);
	if (rc < 0)
		return rc;
	count_gone(m);
	return ebb_merge_old_advance(&m->old, err);
}

/*
 * Pass the old records before @key. What is passed is gone. Ends on the first old record >= @key (have_cur), or before a block that
 * begins behind it.
 *
 * @return  1 when the record stood on has this very key, 0 otherwise.
 */
static int seek_old(struct ebb_merge *m, const char *key, size_t len, struct ebb_err *err)
{
	int rc;

	for (;;) {
		if (!m->old.have_cur) {
			rc = peek(m, err);
			if (rc <= 0)
				return rc;
			if (ebb_record_key_cmp(m->old.next_first, m->old.next_first_len, key, len) > 0)
				return 0;
			rc = cut(m, m->old.next_entry.n, err);
			if (rc == 0)
				rc = load(m, err);
			if (rc < 0)
				return rc;
		}
		rc = ebb_record_key_cmp(m->old.cur.key, m->old.cur.key_len, key, len);
		if (rc >= 0)
			return rc == 0;
		rc = pass(m, err);
		if (rc < 0)
			return rc;
	}
}

int ebb_merge_put(struct ebb_merge *m, const struct ebb_record *rec, struct ebb_err *err)
{
	struct ebb_record r = *rec;
	int rc;

	if (!(r.known & EBB_KNOWN_DIGESTS))
		memset(r.digest, 0, sizeof(r.digest));
	rc = mark_twin(m, &r, err);
	if (rc == 0)
		rc = seek_old(m, r.key, r.key_len, err);
	if (rc < 0)
		return rc;
	bool known = rc == 1;
	rc = finish_record(m, known ? &m->old.cur : NULL, &r, err);
	if (rc != 0)
		return rc < 0 ? rc : ebb_err_set(err, EBB_EINVAL, "what is put cannot be left out");
	if (known)
		return put_known(m, &r, err);
	rc = soil(m, err);
	if (rc == 0)
		rc = build(m, &r, err);
	if (rc < 0)
		return rc;
	m->s.stats.added++;
	count_object(m, &r);
	/* Without an old generation there is no cut; blocks end when the builder is full. */
	if (ebb_block_builder_full(m->builder)) {
		rc = flush(m, err);
		if (rc == 0)
			rc = checkpoint_if_due(m, err);
	}
	return rc;
}

int ebb_merge_keep(struct ebb_merge *m, const char *prefix, size_t len, struct ebb_err *err)
{
	char key[EBB_KEY_MAX + 1];
	int rc = seek_old(m, prefix, len, err);

	/* The directory itself was put, so the old reader stands behind it. */
	while (rc >= 0) {
		struct ebb_record r;
		if (!m->old.have_cur) {
			rc = peek(m, err);
			if (rc <= 0 || !ebb_record_key_has_prefix(m->old.next_first, m->old.next_first_len,
								  prefix, len))
				return rc < 0 ? rc : 0;
			rc = cut(m, m->old.next_entry.n, err);
			if (rc == 0)
				rc = load(m, err);
			if (rc < 0)
				return rc;
		}
		r = m->old.cur;
		if (!ebb_record_key_has_prefix(r.key, r.key_len, prefix, len))
			return 0;
		memcpy(key, r.key, r.key_len);
		r.key = key;
		r.f[EBB_F_FLAGS] &= ~(int64_t)EBB_FLAG_LINKED_TWIN;
		ebb_record_set(&r, EBB_F_FLAGS, r.f[EBB_F_FLAGS] | EBB_FLAG_UNSEEN);
		rc = mark_twin(m, &r, err);
		if (rc == 0)
			rc = put_known(m, &r, err);
		if (rc == 0)
			m->s.stats.kept++;
	}
	return rc;
}

int ebb_merge_class(struct ebb_merge *m, const char *name, int64_t *ret_code, struct ebb_err *err)
{
	int rc = begin(m, err);

	if (rc == 0 && !m->names) {
		m->names = ebb_names_new();
		rc = m->names ? ebb_names_load(m->names, m->ix, m->txn, err)
			      : ebb_err_set(err, EBB_ENOMEM, "no memory for the names of classes");
	}
	return rc < 0 ? rc : ebb_names_save(m->names, m->ix, m->txn, name, ret_code, err);
}

/* --- beginning and end ---------------------------------------------------------------------------------- */

/* Read the store's entry, or make a new one with the next free number. */
static int enter_store(struct ebb_merge *m, const char *name, struct ebb_err *err)
{
	size_t len = strlen(name);
	MDB_val key = {len, (void *)(uintptr_t)name}, val;
	MDB_stat st;
	int rc;

	if (len == 0 || len > EBB_INDEX_NAME_MAX)
		return ebb_err_set(err, EBB_EINVAL, "store name '%s' has %zu bytes; 1 to %d are possible",
				   name, len, EBB_INDEX_NAME_MAX);
	rc = mdb_get(m->txn, m->ix->stores, &key, &val);
	if (rc == 0 && val.mv_size == sizeof(m->st)) {
		memcpy(&m->st, val.mv_data, sizeof(m->st));
		return 0;
	}
	if (rc != MDB_NOTFOUND)
		return fail(m, err, rc ? rc : MDB_CORRUPTED, "cannot read a store");
	rc = mdb_stat(m->txn, m->ix->stores, &st);
	if (rc == 0 && st.ms_entries >= UINT16_MAX)
		return ebb_err_set(err, EBB_ERANGE, "an index holds at most %d stores", UINT16_MAX);
	memcpy(m->st.name, name, len);
	m->st.id = (uint16_t)st.ms_entries; /* stores are never removed */
	m->st.evidence_since = INT64_MIN;
	return fail(m, err, rc, "cannot enter a store");
}

static int save_store(struct ebb_merge *m, struct ebb_err *err)
{
	MDB_val key = {strlen(m->st.name), m->st.name}, val = val_of(&m->st, sizeof(m->st));

	return fail(m, err, mdb_put(m->txn, m->ix->stores, &key, &val, 0), "cannot write a store");
}

/* Load the state of an unfinished scan. Returns 1, or 0 when there is none. */
static int load_state(struct ebb_merge *m, struct ebb_err *err)
{
	uint16_t id = m->st.id;
	MDB_val key = val_of(&id, sizeof(id)), val;
	int rc = mdb_get(m->txn, m->ix->scans, &key, &val);

	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc == 0 && (val.mv_size < sizeof(m->s) || val.mv_size > sizeof(m->s) + EBB_KEY_MAX))
		rc = MDB_CORRUPTED;
	if (rc != 0)
		return fail(m, err, rc, "cannot read the state of a scan");
	memcpy(&m->s, val.mv_data, sizeof(m->s));
	m->last_len = val.mv_size - sizeof(m->s);
	memcpy(m->last, (char *)val.mv_data + sizeof(m->s), m->last_len);
	memcpy(m->resume, m->last, m->last_len + 1);
	m->resume_len = m->last_len;
	return 1;
}

static int commit(struct ebb_merge *m, struct ebb_err *err)
{
	int rc = mdb_txn_commit(m->txn);

	m->txn = NULL;
	return fail(m, err, rc, "cannot commit to the index");
}

static void release(struct ebb_merge *m)
{
	if (m->txn)
		mdb_txn_abort(m->txn);
	ebb_block_builder_free(m->builder);
	ebb_buf_release(&m->encoded);
	ebb_merge_old_release(&m->old);
	ebb_links_release(&m->links);
	ebb_names_free(m->names);
	ebb_access_close(m->access);
	free(m);
}

static void releasep(struct ebb_merge **m)
{
	if (*m)
		release(*m);
}

/* Inodes whose names are spread over the interruption: meet again what was met before it. */
static int meet_again(struct ebb_merge *m, struct ebb_err *err)
{
	struct ebb_record r;
	struct ebb_block b;
	int rc = 0;

	for (uint32_t i = 0; i < m->s.list_len && rc >= 0; i++) {
		struct ebb_index_list_key lk = ebb_index_list_key(m->st.id, m->s.generation, i);
		struct ebb_index_entry e;
		MDB_val first, data;
		rc = ebb_index_entry(m->ix, m->txn, &lk, &e, &first, err);
		if (rc == 0)
			rc = ebb_index_block(m->ix, m->txn, e.block, &data, err);
		if (rc == 0)
			rc = ebb_block_open(&b, data.mv_data, data.mv_size, err);
		if (rc < 0 || b.col[EBB_F_NLINK].max < 2)
			continue;
		ebb_block_iter_init(m->old.it, &b);
		while (rc >= 0 && (rc = ebb_block_iter_next(m->old.it, &r, err)) == 1)
			rc = mark_twin(m, &r, err);
	}
	return rc < 0 ? rc : 0;
}

/* Stand behind the last key of the interrupted scan in the old generation. */
static int resume(struct ebb_merge *m, struct ebb_err *err)
{
	int rc = ebb_index_next_block(m->ix, m->txn, &m->s.next_block, err); /* other stores may have been scanned since */

	if (rc == 0)
		rc = meet_again(m, err);
	if (rc < 0 || m->st.generation == 0 || m->st.blocks == 0 || m->last_len == 0)
		return rc;
	rc = ebb_index_seek(m->ix, m->txn, m->st.id, m->st.generation, m->st.blocks, m->last,
			    m->last_len, &m->old.next, err);
	if (rc == 0)
		rc = peek(m, err);
	if (rc == 1)
		rc = load(m, err);
	m->clean = false; /* what lies before the last key is written already */
	while (rc == 0 && m->old.have_cur &&
	       ebb_record_key_cmp(m->old.cur.key, m->old.cur.key_len, m->last, m->last_len) <= 0)
		rc = ebb_merge_old_advance(&m->old, err);
	return rc < 0 ? rc : 0;
}

static int start(struct ebb_merge *m, const struct ebb_merge_opts *opts, struct ebb_err *err)
{
	int rc = begin(m, err), found;

	if (rc == 0)
		rc = enter_store(m, opts->store, err);
	if (rc < 0)
		return rc;
	found = load_state(m, err);
	if (found < 0)
		return found;
	if (found && m->update)
		return ebb_err_set(err, EBB_EEXIST, "a scan of '%s' is unfinished; run: ebb scan %s", opts->store,
				   opts->store);
	rc = ebb_access_open(m->ix, m->txn, opts->store, &m->access, err);
	if (rc < 0)
		return rc;
	if (found && !opts->restart)
		return resume(m, err);
	if (found) {
		m->last_len = m->resume_len = 0;
		m->last[0] = m->resume[0] = '\0';
	}
	m->s = (struct ebb_merge_state){.started = opts->now};
	rc = ebb_index_next_block(m->ix, m->txn, &m->s.next_block, err);
	if (rc < 0)
		return rc;
	/* A fresh number: what an unfinished scan left under its own is freed as dead. */
	m->s.generation = (m->st.building > m->st.generation ? m->st.building : m->st.generation) + 1;
	m->st.building = m->s.generation;
	rc = save_store(m, err);
	if (rc == 0)
		rc = checkpoint(m, err);
	return rc == 0 ? ebb_merge_free_dead(m->ix, &m->st, m->s.generation, err) : rc;
}

int ebb_merge_begin(struct ebb_index *ix, const struct ebb_merge_opts *opts, struct ebb_merge **ret,
		    struct ebb_err *err)
{
	EBB_CLEANUP(releasep) struct ebb_merge *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to begin a scan");
	m->ix = ix;
	m->batch = opts->batch ? opts->batch : EBB_MERGE_BATCH;
	m->update = opts->update;
	m->fix = opts->fix;
	m->fix_ctx = opts->ctx;
	m->builder = ebb_block_builder_new();
	ebb_buf_init(&m->encoded, 64u << 20);
	if (!m->builder || ebb_merge_old_init(&m->old, ix, &m->st) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to begin a scan");
	rc = start(m, opts, err);
	if (rc < 0)
		return rc;
	*ret = m;
	m = NULL;
	return 0;
}

const char *ebb_merge_resume_key(const struct ebb_merge *m, size_t *ret_len)
{
	if (ret_len)
		*ret_len = m->resume_len;
	return m->resume;
}

int64_t ebb_merge_started(const struct ebb_merge *m)
{
	return m->s.started;
}

const struct ebb_index_store *ebb_merge_store(const struct ebb_merge *m)
{
	return &m->st;
}

int ebb_merge_finish(struct ebb_merge *m, struct ebb_merge_stats *ret, struct ebb_err *err)
{
	int rc = 0;

	/* What the old generation still holds is gone, or stays. */
	for (;;) {
		if (!m->old.have_cur) {
			rc = peek(m, err);
			if (rc <= 0)
				break;
			rc = cut(m, m->old.next_entry.n, err);
			if (rc == 0)
				rc = load(m, err);
			if (rc < 0)
				break;
			continue;
		}
		rc = pass(m, err);
		if (rc < 0)
			break;
	}
	if (rc == 0)
		rc = cut(m, EBB_BLOCK_MAX, err);
	if (rc == 0)
		rc = flush(m, err);
	if (rc == 0)
		rc = checkpoint(m, err);
	if (rc < 0)
		return rc;
	m->finished = true;
	*ret = m->s.stats;
	return 0;
}

static int drop_state(struct ebb_merge *m, struct ebb_err *err)
{
	uint16_t id = m->st.id;
	MDB_val key = val_of(&id, sizeof(id));
	int rc = mdb_del(m->txn, m->ix->scans, &key, NULL);

	return rc == MDB_NOTFOUND ? 0 : fail(m, err, rc, "cannot end a scan");
}

/* What the scan found beside records. */
static void set_facts(struct ebb_merge *m, const struct ebb_merge_facts *facts)
{
	m->st.started = m->s.started;
	m->st.finished = facts->finished;
	m->st.evidence = facts->evidence;
	m->st.evidence_since = facts->evidence_since;
	m->st.root_dev = facts->root_dev;
	m->st.root_ino = facts->root_ino;
	m->st.unreadable = facts->unreadable;
	memset(m->st.root_fsid, 0, sizeof(m->st.root_fsid));
	if (facts->root_fsid)
		strncpy(m->st.root_fsid, facts->root_fsid, sizeof(m->st.root_fsid) - 1);
}

static int publish(struct ebb_merge *m, const struct ebb_merge_facts *facts, struct ebb_err *err)
{
	int rc;

	if (!m->finished)
		return ebb_err_set(err, EBB_EINVAL, "a scan is published before it is finished");
	m->st.generation = m->s.generation;
	m->st.building = 0;
	m->st.blocks = m->s.list_len;
	m->st.objects = m->s.stats.objects;
	m->st.bytes = m->s.stats.bytes;
	if (facts)
		set_facts(m, facts);
	rc = begin(m, err);
	if (rc == 0)
		rc = save_store(m, err);
	if (rc == 0)
		rc = drop_state(m, err);
	if (rc == 0)
		rc = commit(m, err);
	if (rc == 0)
		rc = ebb_merge_free_dead(m->ix, &m->st, 0, err);
	if (rc == 0) {
		/* The environment leaves the last meta page to the next sync; a published scan is durable now. */
		int sync = mdb_env_sync(m->ix->env, 1);
		rc = fail(m, err, sync, "cannot sync the index");
	}
	return rc;
}

int ebb_merge_publish(struct ebb_merge *m, const struct ebb_merge_facts *facts, struct ebb_err *err)
{
	int rc = publish(m, facts, err);

	release(m);
	return rc;
}

void ebb_merge_abandon(struct ebb_merge *m, bool discard)
{
	if (!m)
		return;
	if (m->txn)
		mdb_txn_abort(m->txn);
	m->txn = NULL;
	/* Best effort: what cannot be freed now is freed by the next scan. */
	if (discard && begin(m, NULL) == 0) {
		m->st.building = 0;
		m->s.generation = 0;
		if (drop_state(m, NULL) == 0 && save_store(m, NULL) == 0 && commit(m, NULL) == 0)
			(void)ebb_merge_free_dead(m->ix, &m->st, 0, NULL);
	}
	release(m);
}
