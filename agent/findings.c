/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cursor.h"

#define ARENA_CAP ((size_t)8 << 30)

/* Folders within each other that are looked at for being empty. */
#define DEPTH 512

/* A candidate: files that belong to a finding if it is one, added up by name. */
struct candidate {
	enum ebb_findings_kind kind;
	const char *name;
	bool other;	/* FORMATS: not the files that could go but those that speak for it */
	struct ebb_findings_row sum;
	int64_t young;	/* STALE: least idle time; others: newest mtime */
};

struct looking {
	struct ebb_app *app;
	struct ebb_snap *snap;
	const struct ebb_index_store *st;
	struct ebb_decide *decide;
	struct ebb_findings *ret;
	int64_t now, idle;
	struct candidate *c;
	size_t n, room;
	/* folders that are open, outermost first; empty as far as seen */
	char path[EBB_KEY_MAX + 1];
	size_t ends[DEPTH];
	bool empty[DEPTH];
	size_t depth;
};

const char *ebb_findings_name(enum ebb_findings_kind k)
{
	static const char *const names[] = {"stale_dataset", "two_formats", "unpacked_archive", "abandoned_run", "empty_folder"};

	return names[k];
}

const char *ebb_findings_text(enum ebb_findings_kind k)
{
	static const char *const texts[] = {
		"dataset of which nothing was used", "PyTorch weights beside safetensors", "archive beside what it was unpacked to",
		"run without a complete checkpoint", "no file below",
	};

	return texts[k];
}

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

void ebb_findings_release(struct ebb_findings *f)
{
	ebb_arena_release(&f->arena);
	free(f->rows);
	f->rows = NULL;
	f->n = f->room = 0;
}

static int add_row(struct ebb_findings *f, const struct ebb_findings_row *row, struct ebb_err *err)
{
	if (f->n == f->room) {
		size_t room = f->room ? 2 * f->room : 64;
		struct ebb_findings_row *rows = reallocarray(f->rows, room, sizeof(*rows));

		if (!rows)
			return no_memory(err);
		f->rows = rows;
		f->room = room;
	}
	f->rows[f->n++] = *row;
	return 0;
}

/* --- Candidates ------------------------------------------------------------------------------------------ */

/* Size and price of a file onto a sum. */
static int add_file(struct looking *l, struct candidate *c, const struct ebb_record *rec, struct ebb_err *err)
{
	struct ebb_action a;
	int r = ebb_decide_price_gone(l->decide, l->st->name, rec, &a, err);

	if (r < 0)
		return r;
	c->sum.objects++;
	if (!(rec->f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN) && __builtin_add_overflow(c->sum.bytes, rec->f[EBB_F_SIZE], &c->sum.bytes))
		return ebb_err_set(err, EBB_ERANGE, "sizes together do not fit 64 bits");
	if (!a.priced)
		return 0;
	r = c->sum.priced ? ebb_money_add(c->sum.saving, a.saving, &c->sum.saving, err) : 0;
	if (!c->sum.priced)
		c->sum.saving = a.saving;
	c->sum.priced = true;
	return r;
}

/* The candidate of that name, the last one of its kind if it is the same (keys come in order), else a new one. */
static struct candidate *candidate(struct looking *l, enum ebb_findings_kind kind, const char *name, size_t len, bool other)
{
	for (size_t i = l->n; i > 0 && l->n - i < 16; i--) {
		struct candidate *c = &l->c[i - 1];

		if (c->kind == kind && c->other == other && strncmp(c->name, name, len) == 0 && !c->name[len])
			return c;
	}
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 256;
		struct candidate *c = reallocarray(l->c, room, sizeof(*c));

		if (!c)
			return NULL;
		l->c = c;
		l->room = room;
	}
	struct candidate *c = &l->c[l->n];
	*c = (struct candidate){.kind = kind, .other = other, .name = ebb_arena_memdup(&l->ret->arena, name, len),
				.young = kind == EBB_FINDINGS_STALE ? INT64_MAX : INT64_MIN};
	return c->name ? &l->c[l->n++] : NULL;
}

static bool ends(const char *p, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len > n && memcmp(p + len - n, with, n) == 0;
}

static int weights(struct looking *l, const struct ebb_record *rec, struct ebb_err *err)
{
	static const char *const old[] = {".bin", ".pt", ".pth"};
	const char *slash = memrchr(rec->key, '/', rec->key_len);
	size_t dir = slash ? (size_t)(slash + 1 - rec->key) : 0;
	bool safe = ends(rec->key, rec->key_len, ".safetensors"), torch = false;

	for (size_t i = 0; i < EBB_ARRAY_LEN(old); i++)
		torch |= ends(rec->key, rec->key_len, old[i]);
	/* of the kinds of file that trainers write, these hold a model */
	torch = torch && (memmem(rec->key + dir, rec->key_len - dir, "model", 5) || memmem(rec->key + dir, rec->key_len - dir, "consolidated", 12));
	if (!safe && !torch)
		return 0;
	struct candidate *c = candidate(l, EBB_FINDINGS_FORMATS, rec->key, dir, safe);
	return c ? add_file(l, c, rec, err) : no_memory(err);
}

static int archive(struct looking *l, const struct ebb_record *rec, struct ebb_err *err)
{
	static const char *const kinds[] = {".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2", ".zip"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(kinds); i++) {
		if (!ends(rec->key, rec->key_len, kinds[i]))
			continue;
		struct candidate *c = candidate(l, EBB_FINDINGS_UNPACKED, rec->key, rec->key_len, false);
		if (!c)
			return no_memory(err);
		c->young = (int64_t)(rec->key_len - strlen(kinds[i]));
		return add_file(l, c, rec, err);
	}
	return 0;
}

static int dataset(struct looking *l, const struct ebb_record *rec, struct ebb_err *err)
{
	char name[1024];
	int64_t idle = ebb_record_idle(rec, l->now, EBB_TRUST_LIKELY).lo;

	if (!ebb_rules_dataset_name(l->app->config->rules, rec->key, rec->key_len, name, sizeof(name)))
		return 0;
	struct candidate *c = candidate(l, EBB_FINDINGS_STALE, name, strlen(name), false);
	if (!c)
		return no_memory(err);
	c->young = idle < c->young ? idle : c->young;
	return add_file(l, c, rec, err);
}

/* --- Folders --------------------------------------------------------------------------------------------- */

static int shut(struct looking *l, size_t depth, struct ebb_err *err)
{
	int r = 0;

	while (l->depth > depth && r == 0) {
		size_t i = --l->depth;
		struct ebb_findings_row row = {.kind = EBB_FINDINGS_EMPTY, .store = l->st->name, .idle = -1};

		/* the outermost of folders that are empty stands for all */
		if (!l->empty[i] || (i > 0 && l->empty[i - 1]))
			continue;
		row.name = ebb_arena_memdup(&l->ret->arena, l->path, l->ends[i]);
		r = row.name ? add_row(l->ret, &row, err) : no_memory(err);
	}
	return r;
}

static int folders(struct looking *l, const struct ebb_record *rec, struct ebb_err *err)
{
	size_t keep = 0;
	int r;

	while (keep < l->depth && rec->key_len > l->ends[keep] && memcmp(rec->key, l->path, l->ends[keep]) == 0)
		keep++;
	if (rec->f[EBB_F_KIND] != EBB_KIND_DIR || (rec->f[EBB_F_FLAGS] & (EBB_FLAG_UNSEEN | EBB_FLAG_MOUNT)))
		for (size_t i = 0; i < keep; i++)
			l->empty[i] = false;
	if ((r = shut(l, keep, err)) < 0)
		return r;
	if (rec->f[EBB_F_KIND] != EBB_KIND_DIR || l->depth == DEPTH)
		return 0;
	memcpy(l->path, rec->key, rec->key_len);
	l->ends[l->depth] = rec->key_len;
	l->empty[l->depth++] = !(rec->f[EBB_F_FLAGS] & (EBB_FLAG_UNSEEN | EBB_FLAG_MOUNT));
	return 0;
}

/* --- All of it ------------------------------------------------------------------------------------------- */

static int record(struct looking *l, const struct ebb_record *rec, struct ebb_err *err)
{
	int r;

	if (!ebb_record_has(rec, EBB_F_KIND) || ebb_record_key_has_prefix(rec->key, rec->key_len, ".ebb-", 5))
		return 0;
	if ((r = folders(l, rec, err)) < 0 || rec->f[EBB_F_KIND] != EBB_KIND_FILE || !ebb_record_has(rec, EBB_F_SIZE))
		return r;
	if ((r = weights(l, rec, err)) < 0 || (r = archive(l, rec, err)) < 0)
		return r;
	return dataset(l, rec, err);
}

static int by_name(const void *pa, const void *pb)
{
	const struct candidate *a = pa, *b = pb;
	int c = (int)a->kind - (int)b->kind;

	if (c == 0)
		c = strcmp(a->name, b->name);
	return c ? c : (int)a->other - (int)b->other;
}

/* Candidates of one name, that came apart because others stood between, become one. */
static int merge(struct looking *l, struct ebb_err *err)
{
	size_t kept = 0;
	int r = 0;

	if (l->n)
		qsort(l->c, l->n, sizeof(*l->c), by_name);
	for (size_t i = 0; r == 0 && i < l->n; i++) {
		struct candidate *to = kept ? &l->c[kept - 1] : NULL, *c = &l->c[i];

		if (!to || by_name(to, c) != 0) {
			l->c[kept++] = *c;
			continue;
		}
		to->sum.objects += c->sum.objects;
		to->sum.bytes += c->sum.bytes;
		to->young = to->kind == EBB_FINDINGS_STALE ? (c->young < to->young ? c->young : to->young) : to->young;
		if (c->sum.priced && to->sum.priced)
			r = ebb_money_add(to->sum.saving, c->sum.saving, &to->sum.saving, err);
		else if (c->sum.priced)
			to->sum.saving = c->sum.saving;
		to->sum.priced |= c->sum.priced;
	}
	l->n = kept;
	return r;
}

/* Is there a file in the folder that the archive would be unpacked to? */
static int unpacked(struct looking *l, const struct candidate *c)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *cur = NULL;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_block_iter *it = malloc(sizeof(*it));
	char prefix[EBB_KEY_MAX + 2];
	struct ebb_record rec;
	struct ebb_block b;
	int n = snprintf(prefix, sizeof(prefix), "%.*s/", (int)c->young, c->name);
	int r = it ? ebb_cursor_open(l->snap, l->st, prefix, &cur, NULL) : -EBB_ENOMEM;

	while (r >= 0 && (r = ebb_cursor_next(cur, &b, NULL)) == 1) {
		ebb_block_iter_init(it, &b);
		while ((r = ebb_block_iter_next(it, &rec, NULL)) == 1)
			if (ebb_record_key_has_prefix(rec.key, rec.key_len, prefix, (size_t)n) && rec.f[EBB_F_KIND] == EBB_KIND_FILE)
				return 1;
	}
	return r;
}

static int settle(struct looking *l, struct ebb_err *err)
{
	int r = merge(l, err);

	for (size_t i = 0; r == 0 && i < l->n; i++) {
		struct candidate *c = &l->c[i];
		bool is = false;

		c->sum.kind = c->kind;
		c->sum.store = l->st->name;
		c->sum.name = *c->name ? c->name : "/";
		c->sum.idle = -1;
		if (c->kind == EBB_FINDINGS_STALE) {
			c->sum.idle = c->young;
			is = c->young >= l->idle;
		} else if (c->kind == EBB_FINDINGS_FORMATS) {
			is = !c->other && i + 1 < l->n && l->c[i + 1].kind == c->kind && l->c[i + 1].other && strcmp(l->c[i + 1].name, c->name) == 0;
		} else {
			r = unpacked(l, c);
			is = r == 1;
			if (r < 0)
				return ebb_err_set(err, -r, "cannot look for '%s' in the index", c->name);
		}
		r = is ? add_row(l->ret, &c->sum, err) : 0;
	}
	l->n = 0;
	return r;
}

static int store(struct looking *l, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *cur = NULL;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_block_iter *it = malloc(sizeof(*it));
	struct ebb_record rec;
	struct ebb_block b;
	int r = it ? ebb_cursor_open(l->snap, l->st, NULL, &cur, err) : no_memory(err);

	while (r >= 0 && (r = ebb_cursor_next(cur, &b, err)) == 1) {
		if ((r = ebb_app_cancelled(l->app, err)) < 0)
			break;
		ebb_block_iter_init(it, &b);
		while ((r = ebb_block_iter_next(it, &rec, err)) == 1)
			if ((r = record(l, &rec, err)) < 0)
				return r;
		if (r < 0)
			return r;
	}
	if (r >= 0)
		r = shut(l, 0, err);
	return r < 0 ? r : settle(l, err);
}

static bool same_run(const struct ebb_ckpt *a, const struct ebb_ckpt *b)
{
	return strcmp(a->store, b->store) == 0 && a->rule == b->rule && strcmp(a->family, b->family) == 0;
}

static int abandoned(struct looking *l, const struct ebb_ckpts *ckpts, struct ebb_err *err)
{
	int r = 0;

	for (size_t from = 0, to; r == 0 && from < ebb_ckpt_count(ckpts); from = to) {
		const struct ebb_ckpt *first = ebb_ckpt_get(ckpts, from);
		struct ebb_findings_row row = {.kind = EBB_FINDINGS_ABANDONED, .store = first->store};
		int64_t newest = INT64_MIN;
		bool any = false;

		for (to = from; to < ebb_ckpt_count(ckpts) && same_run(first, ebb_ckpt_get(ckpts, to)); to++) {
			const struct ebb_ckpt *k = ebb_ckpt_get(ckpts, to);

			any |= k->state != EBB_CKPT_INCOMPLETE;
			newest = k->newest > newest ? k->newest : newest;
			row.objects += k->objects;
			row.bytes += k->bytes;
		}
		row.idle = l->now - newest;
		if (any || row.idle < l->idle)
			continue;
		row.name = ebb_arena_strdup(&l->ret->arena, first->family);
		r = row.name ? add_row(l->ret, &row, err) : no_memory(err);
	}
	return r;
}

static int by_worth(const void *pa, const void *pb)
{
	const struct ebb_findings_row *a = pa, *b = pb;
	int c = (int)a->kind - (int)b->kind;

	if (c == 0)
		c = (a->bytes < b->bytes) - (a->bytes > b->bytes);
	if (c == 0)
		c = strcmp(a->store, b->store);
	return c ? c : strcmp(a->name, b->name);
}

int ebb_findings_look(struct ebb_app *app, struct ebb_snap *snap, const struct ebb_index_store *stores, size_t n, struct ebb_decide *d,
		      const struct ebb_ckpts *ckpts, int64_t idle, struct ebb_findings *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) struct looking *l = calloc(1, sizeof(*l));
	int r = l ? 0 : no_memory(err);

	ebb_arena_init(&ret->arena, ARENA_CAP);
	if (r < 0)
		return r;
	*l = (struct looking){.app = app, .snap = snap, .decide = d, .ret = ret, .now = ebb_app_now(app), .idle = idle};
	for (size_t i = 0; r == 0 && i < n; i++) {
		l->st = &stores[i];
		r = store(l, err);
	}
	if (r == 0)
		r = abandoned(l, ckpts, err);
	free(l->c);
	if (r == 0 && ret->n)
		qsort(ret->rows, ret->n, sizeof(*ret->rows), by_worth);
	return r;
}
