/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/packs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compress/digest.h"
#include "core/cursor.h"
#include "policies/rules.h"
#include "scanners/proof_pack.h"

/* --- Lines ----------------------------------------------------------------------------------------------- */

/* The line that records are being added to; what is told of it is its newest generation. */
struct lines {
	ebb_packs_fn *fn;
	void *ctx;
	struct ebb_packs_pack pack;
	char line[EBB_KEY_MAX + 1], key[EBB_KEY_MAX + 1];
	size_t len;			/* of line; 0: none yet */
	bool any;			/* pack is set */
	struct ebb_packs_tombstone *stones;
	size_t n, room;
};

static void release(struct lines *l)
{
	free(l->stones);
}

static int by_hash(const void *a, const void *b)
{
	const struct ebb_packs_tombstone *x = a, *y = b;
	int c = memcmp(x->hash, y->hash, EBB_DIGEST_LEN);

	return c ? c : x->expires < y->expires ? -1 : x->expires > y->expires;
}

static int end_line(struct lines *l, struct ebb_err *err)
{
	int r = 0;

	if (l->any) {
		if (l->n)
			qsort(l->stones, l->n, sizeof(*l->stones), by_hash);
		l->pack.tombstones = l->stones;
		l->pack.ntombstones = l->n;
		r = l->fn(l->ctx, &l->pack, err);
	}
	l->any = false;
	l->n = l->len = 0;
	return r;
}

static int add_stone(struct lines *l, const struct ebb_packname *n, struct ebb_err *err)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		void *p = realloc(l->stones, room * sizeof(*l->stones));

		if (!p)
			return ebb_err_set(err, EBB_ENOMEM, "no memory for tombstones");
		l->stones = p;
		l->room = room;
	}
	memcpy(l->stones[l->n].hash, n->hash, EBB_DIGEST_LEN);
	l->stones[l->n++].expires = n->expires;
	return 0;
}

static void take_pack(struct lines *l, const struct ebb_record *rec, const struct ebb_packname *n)
{
	int older = l->any ? l->pack.older + 1 : 0;

	if (l->any && l->pack.name.generation > n->generation) {
		l->pack.older = older;
		return;
	}
	memcpy(l->key, rec->key, rec->key_len);
	l->key[rec->key_len] = '\0';
	l->pack = (struct ebb_packs_pack){.key = l->key, .rec = *rec, .older = older};
	l->pack.rec.key = l->key;
	ebb_packname_parse(l->key, rec->key_len, &l->pack.name);
	l->any = true;
}

static int add(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	struct lines *l = ctx;
	struct ebb_packname n;
	int r = 0;

	if (rec->f[EBB_F_KIND] != EBB_KIND_FILE || !ebb_packname_parse(rec->key, rec->key_len, &n))
		return 0;
	if (n.line != l->len || memcmp(l->line, rec->key, n.line) != 0) {
		if ((r = end_line(l, err)) < 0)
			return r;
		memcpy(l->line, rec->key, n.line);
		l->len = n.line;
	}
	if (n.kind == EBB_PACKNAME_TOMBSTONE)
		return add_stone(l, &n, err);
	take_pack(l, rec, &n);
	return 0;
}

int ebb_packs_in_index(struct ebb_snap *snap, const struct ebb_index_store *st, ebb_packs_fn *fn, void *ctx,
		       struct ebb_err *err)
{
	const char *prefix = EBB_RULES_PACKS_PREFIX;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_block_iter *it = malloc(sizeof(*it));
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	EBB_CLEANUP(release) struct lines l = {.fn = fn, .ctx = ctx};
	struct ebb_record rec;
	struct ebb_block b;
	int r = it ? ebb_cursor_open(snap, st, prefix, &c, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	while (r >= 0 && (r = ebb_cursor_next(c, &b, err)) == 1) {
		ebb_block_iter_init(it, &b);
		while ((r = ebb_block_iter_next(it, &rec, err)) == 1)
			if ((r = add(&l, &rec, err)) < 0)
				break;
	}
	return r < 0 ? r : end_line(&l, err);
}

int ebb_packs_in_store(struct ebb_store *s, const char *prefix, ebb_packs_fn *fn, void *ctx, struct ebb_err *err)
{
	EBB_CLEANUP(release) struct lines l = {.fn = fn, .ctx = ctx};
	int r = ebb_store_list(s, prefix ? prefix : EBB_RULES_PACKS_PREFIX, NULL, add, &l, err);

	return r < 0 ? r : end_line(&l, err);
}

struct following {
	struct ebb_arena *arena;
	struct ebb_packs_pack *ret;
	bool found;
};

static int keep(void *ctx, const struct ebb_packs_pack *p, struct ebb_err *err)
{
	struct following *f = ctx;
	const char *key = ebb_arena_strdup(f->arena, p->key);
	void *stones = ebb_arena_memdup(f->arena, p->ntombstones ? (const void *)p->tombstones : "",
					p->ntombstones * sizeof(*p->tombstones));

	if (!key || !stones)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	*f->ret = *p;
	f->ret->key = f->ret->rec.key = key;
	f->ret->tombstones = stones;
	f->found = ebb_packname_parse(key, strlen(key), &f->ret->name);
	return 0;
}

int ebb_packs_follow(struct ebb_store *s, const char *key, struct ebb_arena *arena, struct ebb_packs_pack *ret,
		     struct ebb_err *err)
{
	struct following f = {.arena = arena, .ret = ret};
	struct ebb_packname n;
	char prefix[EBB_KEY_MAX + 2];

	if (!ebb_packname_parse(key, strlen(key), &n) || n.kind != EBB_PACKNAME_PACK)
		return 0;
	memcpy(prefix, key, n.line);
	memcpy(prefix + n.line, ".", 2);
	int r = ebb_packs_in_store(s, prefix, keep, &f, err);
	return r < 0 ? (r == -EBB_ENOENT ? 0 : r) : f.found;
}

const struct ebb_packs_tombstone *ebb_packs_struck(const struct ebb_packs_pack *p, const char *member, size_t len)
{
	struct ebb_packs_tombstone want = {.expires = INT64_MAX};
	size_t lo = 0, hi = p->ntombstones;

	ebb_packname_hash(member, len, want.hash);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_hash(&p->tombstones[mid], &want) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && memcmp(p->tombstones[lo - 1].hash, want.hash, EBB_DIGEST_LEN) == 0 ? &p->tombstones[lo - 1] : NULL;
}

struct sweeping {
	struct ebb_store *s;
	const struct ebb_pack_index *left;
	int64_t now;
	size_t line;
};

static bool still_there(const struct sweeping *w, const uint8_t *hash)
{
	uint8_t h[EBB_DIGEST_LEN];

	for (size_t i = 0; i < w->left->n; i++) {
		ebb_packname_hash(w->left->members[i].key, strlen(w->left->members[i].key), h);
		if (memcmp(h, hash, EBB_DIGEST_LEN) == 0)
			return true;
	}
	return false;
}

static int sweep_one(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_proof_freep) struct ebb_proof *proof = NULL;
	const struct sweeping *w = ctx;
	struct ebb_packname n;
	char key[EBB_KEY_MAX + 1];

	(void)err;
	if (!ebb_packname_parse(rec->key, rec->key_len, &n) || n.kind != EBB_PACKNAME_TOMBSTONE || n.line != w->line ||
	    n.expires > w->now || still_there(w, n.hash))
		return 0;
	memcpy(key, rec->key, rec->key_len);
	key[rec->key_len] = '\0';
	if (ebb_proof_pack_tombstone(w->s, key, rec, &proof, NULL) == 0)
		ebb_store_remove(w->s, key, proof, NULL);
	return 0;
}

void ebb_packs_sweep(struct ebb_store *s, const char *key, const struct ebb_pack_index *left, int64_t now)
{
	struct sweeping w = {.s = s, .left = left, .now = now};
	struct ebb_packname n;
	char prefix[EBB_KEY_MAX + 16];

	if (!ebb_packname_parse(key, strlen(key), &n))
		return;
	w.line = n.line;
	memcpy(prefix, key, n.line);
	memcpy(prefix + n.line, ".gone/", sizeof(".gone/"));
	ebb_store_list(s, prefix, NULL, sweep_one, &w, NULL);
	if (ebb_store_caps(s) & EBB_CAP_DIRS)
		ebb_store_rmdir(s, prefix, NULL); /* when it is empty */
}

/* --- The catalogue --------------------------------------------------------------------------------------- */

/* File of a pack, named after what it is; false: too long. */
static bool file_of(const char *index, const char *store, const struct ebb_record *rec, char ret[PATH_MAX])
{
	const bool tag = ebb_record_has(rec, EBB_F_ETAG_HI);
	char state[120], hex[2 * EBB_DIGEST_LEN + 1];
	EBB_CLEANUP(ebb_digest_release) struct ebb_digest d = {0};
	uint8_t hash[EBB_DIGEST_LEN];

	snprintf(state, sizeof(state), "%" PRId64 " %" PRId64 " %" PRId64, rec->f[EBB_F_SIZE],
		 rec->f[tag ? EBB_F_ETAG_HI : EBB_F_MTIME], tag ? rec->f[EBB_F_ETAG_LO] : 0);
	if (ebb_digest_init(&d, &ebb_digest_xxh128, NULL) < 0)
		return false;
	ebb_digest_update(&d, store, strlen(store) + 1);
	ebb_digest_update(&d, rec->key, strlen(rec->key) + 1);
	ebb_digest_update(&d, state, strlen(state));
	if (ebb_digest_final(&d, hash, NULL) < 0)
		return false;
	ebb_digest_hex(hash, EBB_DIGEST_LEN, hex);
	return snprintf(ret, PATH_MAX, "%s/packs/%s", index, hex) < PATH_MAX;
}

/* The end of a pack, in a file of the catalogue. */
struct kept {
	int fd;
	int64_t at;	/* offset in the pack of the file's first byte */
};

static int64_t read_kept(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	const struct kept *k = ctx;
	ssize_t n = off < k->at ? 0 : pread(k->fd, buf, len, off - k->at);

	return n < 0 ? ebb_err_sys(err, errno, "cannot read the catalogue of packs") : n;
}

/* 0, or -EBB_ENOENT: not there, or of no use. */
static int from_file(const char *path, int64_t size, struct ebb_pack_index *ret)
{
	struct kept k = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
	struct stat st;
	int r = -EBB_ENOENT;

	if (k.fd < 0)
		return r;
	if (fstat(k.fd, &st) == 0 && st.st_size <= size) {
		k.at = size - st.st_size;
		r = ebb_pack_read_index(read_kept, &k, size, ret, NULL) < 0 ? -EBB_ENOENT : 0;
	}
	close(k.fd);
	return r;
}

/* A pack that is read, and the last and longest piece of its end. */
struct reading {
	struct ebb_store *s;
	const struct ebb_record *rec;
	uint8_t *tail;
	size_t len;
};

static int64_t read_end(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	struct reading *rd = ctx;
	int r = ebb_store_read_range(rd->s, rd->rec->key, rd->rec, off, buf, len, err);

	if (r < 0)
		return r;
	free(rd->tail);
	rd->tail = malloc(len ? len : 1);
	rd->len = rd->tail && off + (int64_t)len == rd->rec->f[EBB_F_SIZE] ? len : 0;
	if (rd->len)
		memcpy(rd->tail, buf, len);
	return (int64_t)len;
}

/* A cache that cannot be written is no failure. */
static void save(const char *index, const char *path, const struct reading *rd)
{
	char dir[PATH_MAX], tmp[PATH_MAX + 40];
	int fd;

	if (!rd->len || snprintf(dir, sizeof(dir), "%s/packs", index) >= (int)sizeof(dir))
		return;
	mkdir(index, 0755); /* there may be no index yet */
	mkdir(dir, 0755);
	snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path);
	fd = mkstemp(tmp);
	if (fd < 0)
		return;
	bool ok = write(fd, rd->tail, rd->len) == (ssize_t)rd->len && fchmod(fd, 0644) == 0;
	if (close(fd) != 0 || !ok || rename(tmp, path) != 0)
		unlink(tmp);
}

int ebb_packs_index(const char *index, const char *store, const struct ebb_record *rec, struct ebb_store *s,
		    struct ebb_pack_index *ret, struct ebb_err *err)
{
	struct reading rd = {.s = s, .rec = rec};
	char path[PATH_MAX];
	bool catalogued = index && file_of(index, store, rec, path);

	if (catalogued && from_file(path, rec->f[EBB_F_SIZE], ret) == 0)
		return 0;
	if (!s)
		return ebb_err_set(err, EBB_ENOENT, "pack '%s' of store '%s' is not in the catalogue", rec->key, store);
	int r = ebb_pack_read_index(read_end, &rd, rec->f[EBB_F_SIZE], ret, err);
	if (r == 0 && catalogued)
		save(index, path, &rd);
	free(rd.tail);
	return r;
}

int ebb_packs_forget(const char *index, struct ebb_err *err)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d;
	int r = 0;

	if (snprintf(path, sizeof(path), "%s/packs", index) >= (int)sizeof(path))
		return ebb_err_set(err, EBB_EINVAL, "the path of the index is too long");
	d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : ebb_err_sys(err, errno, "cannot open '%s'", path);
	while (r == 0 && (e = readdir(d)))
		if (e->d_name[0] != '.' && unlinkat(dirfd(d), e->d_name, 0) < 0)
			r = ebb_err_sys(err, errno, "cannot remove '%s/%s'", path, e->d_name);
	closedir(d);
	return r;
}
