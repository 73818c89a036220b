/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/proof_pack.h"

#include <stdlib.h>
#include <string.h>

#include "compress/pack_read.h"
#include "scanners/proof_new.h"
#include "scanners/store.h"

/* Bytes read ahead. */
#define AHEAD ((size_t)8 << 20)

struct ebb_proof_pack {
	struct ebb_store *store;
	const char *key;
	const struct ebb_record *rec;
	uint8_t *buf;		/* AHEAD bytes at `at`, of which `len` are read */
	int64_t at;
	size_t len;
};

int ebb_proof_pack_open(struct ebb_store *s, const char *key, const struct ebb_record *rec,
			struct ebb_proof_pack **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_proof_pack_closep) struct ebb_proof_pack *p = calloc(1, sizeof(*p));

	if (p)
		p->buf = malloc(AHEAD);
	if (!p || !p->buf)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read pack '%s'", key);
	p->store = s;
	p->key = key;
	p->rec = rec;
	*ret = p;
	p = NULL;
	return 0;
}

void ebb_proof_pack_close(struct ebb_proof_pack *p)
{
	if (!p)
		return;
	free(p->buf);
	free(p);
}

int64_t ebb_proof_pack_range(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	struct ebb_proof_pack *p = ctx;
	int64_t size = p->rec->f[EBB_F_SIZE], left = off < size ? size - off : 0;
	int r;

	if ((int64_t)len > left)
		len = (size_t)left;
	if (len > AHEAD) {
		r = ebb_store_read_range(p->store, p->key, p->rec, off, buf, len, err);
		return r < 0 ? r : (int64_t)len;
	}
	if (len && (off < p->at || off + (int64_t)len > p->at + (int64_t)p->len)) {
		size_t want = left < (int64_t)AHEAD ? (size_t)left : AHEAD;

		p->len = 0;
		r = ebb_store_read_range(p->store, p->key, p->rec, off, p->buf, want, err);
		if (r < 0)
			return r;
		p->at = off;
		p->len = want;
	}
	if (len)
		memcpy(buf, p->buf + (off - p->at), len);
	return (int64_t)len;
}

/* What the pack says of a member. */
static int take_meta(void *ctx, const struct ebb_pack_entry *e, struct ebb_err *err)
{
	struct ebb_meta *m = ctx;
	int r = 0;

	m->uid = e->uid;
	m->gid = e->gid;
	m->mode = e->mode;
	m->mtime = e->mtime;
	m->atime = e->atime;
	for (size_t i = 0; r == 0 && i < e->nxattrs; i++)
		r = ebb_meta_add(m, e->xattrs[i].name, e->xattrs[i].value, e->xattrs[i].len, err);
	return r;
}

/* In a pack metadata have the form that they have on filesystems. */
static int check_meta(const struct ebb_proof_pack_member *m, struct ebb_meta *there, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta src = {0};
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta want = {0};
	struct ebb_err why = {0};

	if (m->meta == 0)
		return 0;
	ebb_meta_init(&src);
	int r = ebb_store_get_meta(m->src, m->src_key, &src, err);
	if (r == 0)
		r = ebb_meta_for(&want, &src, true, err);
	if (r < 0)
		return r;
	there->atime = want.atime;
	r = ebb_meta_compare(&want, there, m->meta, &why);
	return r < 0 ? ebb_err_set(err, -r, "'%s' in the pack: %s", m->src_key, why.msg) : 0;
}

int ebb_proof_pack_holds(struct ebb_proof_pack *p, const struct ebb_proof_pack_member *m, struct ebb_proof **ret,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta there = {0};
	const struct ebb_pack_sink sink = {.begin = take_meta, .ctx = &there};
	int r = ebb_proof_check_record(m->src_key, m->src_rec, err);

	if (r < 0)
		return r;
	if (p->store == m->src && strcmp(p->key, m->src_key) == 0)
		return ebb_err_set(err, EBB_EINVAL, "'%s' is no member of itself", p->key);
	if (m->row->size != m->src_rec->f[EBB_F_SIZE] ||
	    memcmp(m->row->digest, m->src_digest, EBB_DIGEST_LEN) != 0)
		return ebb_err_set(err, EBB_EMISMATCH, "'%s' in pack '%s': the content differs", m->src_key,
				   p->key);
	ebb_meta_init(&there);
	r = ebb_pack_read_member(ebb_proof_pack_range, p, m->row, m->src_digest, &sink, err);
	if (r == 0)
		r = check_meta(m, &there, err);
	if (r == 0) /* last: it covers the time that reading took */
		r = ebb_store_check(m->src, m->src_key, m->src_rec, err);
	return r < 0 ? r : ebb_proof_new(m->src, m->src_key, m->src_rec, ret, err);
}

int ebb_proof_pack_tombstone(struct ebb_store *s, const char *key, const struct ebb_record *rec,
			     struct ebb_proof **ret, struct ebb_err *err)
{
	static const char packs[] = ".ebb-packs/", gone[] = ".gone/";
	const char *slash = strrchr(key, '/');
	int r = ebb_proof_check_record(key, rec, err);
	bool is = slash && strncmp(key, packs, sizeof(packs) - 1) == 0 && slash - key >= (ptrdiff_t)sizeof(gone) &&
		  memcmp(slash - (sizeof(gone) - 2), gone, sizeof(gone) - 1) == 0;

	if (r < 0)
		return r;
	if (!is || rec->f[EBB_F_SIZE] > EBB_PROOF_PACK_TOMBSTONE)
		return ebb_err_set(err, EBB_EINVAL, "'%s' is no tombstone", key);
	return ebb_proof_new(s, key, rec, ret, err);
}

int ebb_proof_pack_emptied(struct ebb_proof_pack *p, ebb_proof_stands_fn *stands, void *ctx,
		      struct ebb_proof **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	int r = ebb_proof_check_record(p->key, p->rec, err);

	if (r == 0)
		r = ebb_pack_read_index(ebb_proof_pack_range, p, p->rec->f[EBB_F_SIZE], &x, err);
	for (size_t i = 0; r == 0 && i < x.n; i++) {
		r = stands(ctx, x.members[i].key, err);
		if (r == 0)
			return ebb_err_set(err, EBB_EMISMATCH, "'%s' stands in pack '%s' alone",
					   x.members[i].key, p->key);
		r = r < 0 ? r : 0;
	}
	return r < 0 ? r : ebb_proof_new(p->store, p->key, p->rec, ret, err);
}
