/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/store_faulty.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"

struct faulty {
	struct ebb_store base;
	struct ebb_store *inner;
	struct ebb_store_faulty_script script;
	pthread_mutex_t lock;	/* protects all below */
	uint64_t counts[EBB_FAULTY_COUNT];
	uint64_t random;
	int64_t written;
	struct seen *seen;	/* for stale answers: what head said, by key */
	struct ebb_buf listed;	/* for stale listings: the records of the last one, by prefix */
};

/* What was said of a key last. */
struct seen {
	struct seen *next;
	int r;
	struct ebb_record rec;
	char key[];
};

const char *ebb_store_faulty_op_name(enum ebb_store_faulty_op op)
{
	static const char *const names[EBB_FAULTY_COUNT] = {
		"identify", "space", "list", "head", "get-meta", "read-open", "read", "read-hole",
		"read-verify", "read-range", "hidden", "sleep", "set-meta", "write-open", "write", "write-hole", "write-commit",
		"write-abort", "write-sweep", "rename", "mkdirs", "rmdir", "share", "link", "copy", "replace", "set-class", "thaw", "hide",
		"show", "remove", "any", "change",
	};

	return op < EBB_FAULTY_COUNT ? names[op] : "unknown";
}

/* splitmix64, by Sebastiano Vigna (public domain): small, and the same everywhere. */
static uint64_t next_random(struct faulty *f)
{
	uint64_t z = (f->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* --- Faults --- */

/* What befalls one call. */
struct fate {
	enum ebb_store_faulty_op op;
	bool after;
	int code;
	enum ebb_store_faulty_lie lie;
	void (*hook)(void *ctx);
	void *hook_ctx;
};

static bool fits(const struct faulty *f, const struct ebb_store_faulty_fault *fault,
		 enum ebb_store_faulty_op op)
{
	bool named = fault->op == op || fault->op == EBB_FAULTY_ANY ||
		     (fault->op == EBB_FAULTY_CHANGE && op >= EBB_FAULTY_SET_META);

	return named && (fault->nth == 0 || fault->nth == f->counts[fault->op]);
}

static bool dead(const struct faulty *f)
{
	return f->script.death && atomic_load(&f->script.death->dead);
}

/* Count the call and decide its fate. */
static struct fate decide(struct faulty *f, enum ebb_store_faulty_op op)
{
	struct fate fate = {.op = op};

	if (dead(f)) {
		fate.code = f->script.death->code ? f->script.death->code : EBB_EIO;
		return fate;
	}
	pthread_mutex_lock(&f->lock);
	f->counts[op]++;
	f->counts[EBB_FAULTY_ANY]++;
	if (op >= EBB_FAULTY_SET_META)
		f->counts[EBB_FAULTY_CHANGE]++;
	for (size_t i = 0; i < f->script.nfaults; i++) {
		const struct ebb_store_faulty_fault *fault = &f->script.faults[i];

		if (!fits(f, fault, op))
			continue;
		fate = (struct fate){op, fault->after, fault->lie ? 0 : fault->code, fault->lie, fault->hook,
				     fault->hook_ctx};
		pthread_mutex_unlock(&f->lock);
		return fate;
	}
	if (f->script.per_million && next_random(f) % 1000000 < f->script.per_million) {
		fate.code = f->script.chance_code;
		fate.after = next_random(f) & 1;
	}
	pthread_mutex_unlock(&f->lock);
	return fate;
}

static int strike(const struct fate *fate, struct ebb_err *err)
{
	if (fate->hook)
		fate->hook(fate->hook_ctx);
	if (fate->code == 0)
		return 0;
	return ebb_err_set(err, fate->code, "fault in %s", ebb_store_faulty_op_name(fate->op));
}

/* Before the effect: 0, or the failure that stands in its place. */
static int before(const struct fate *fate, struct ebb_err *err)
{
	return fate->after ? 0 : strike(fate, err);
}

/* After it: what the call returns. Only what succeeded can still fail. */
static int64_t after(const struct fate *fate, int64_t rc, struct ebb_err *err)
{
	if (!fate->after)
		return rc;
	if (rc < 0) {
		if (fate->hook)
			fate->hook(fate->hook_ctx);
		return rc;
	}
	int struck = strike(fate, err);
	return struck < 0 ? struck : rc;
}

/* A call of the inner store between the two; @call uses the inner store `in`. */
#define THROUGH(f, which, call)                                                                    \
	do {                                                                                       \
		struct ebb_store *in = (f)->inner;                                                 \
		struct fate fate = decide((f), (which));                                           \
		int rc = before(&fate, err);                                                       \
		return rc < 0 ? rc : (int)after(&fate, (call), err);                               \
	} while (0)

/* The same for a change: it may also be said to have happened (@lied is then what is said), or happen twice. */
#define CHANGE(f, which, lied, call)                                                               \
	do {                                                                                       \
		struct ebb_store *in = (f)->inner;                                                 \
		struct fate fate = decide((f), (which));                                           \
		int rc = before(&fate, err);                                                       \
		if (rc < 0)                                                                        \
			return rc;                                                                 \
		if (fate.lie == EBB_FAULTY_DROP)                                                   \
			return (lied);                                                             \
		if (fate.lie == EBB_FAULTY_TWICE)                                                  \
			(void)(call);                                                              \
		return (int)after(&fate, (call), err);                                             \
	} while (0)

static struct faulty *faulty_of(struct ebb_store *s)
{
	return (struct faulty *)s;
}

/* --- Stores --- */

static void faulty_close(struct ebb_store *s)
{
	struct faulty *f = faulty_of(s);

	for (struct seen *s2 = f->seen, *next; s2; s2 = next) {
		next = s2->next;
		free(s2);
	}
	ebb_buf_release(&f->listed);
	ebb_store_close(f->inner);
	pthread_mutex_destroy(&f->lock);
	free(f->base.name);
	free(f);
}

static int faulty_identify(struct ebb_store *s, struct ebb_store_identity *ret, struct ebb_err *err)
{
	THROUGH(faulty_of(s), EBB_FAULTY_IDENTIFY, ebb_store_identify(in, ret, err));
}

/* Bytes that can still be written, INT64_MAX without a limit. */
static int64_t room_left(struct faulty *f)
{
	pthread_mutex_lock(&f->lock);
	int64_t left = f->script.room ? f->script.room - f->written : INT64_MAX;
	pthread_mutex_unlock(&f->lock);
	return left;
}

static int faulty_space(struct ebb_store *s, int64_t *ret_free, struct ebb_err *err)
{
	struct faulty *f = faulty_of(s);
	struct fate fate = decide(f, EBB_FAULTY_SPACE);

	int rc = before(&fate, err);
	if (rc < 0)
		return rc;
	int64_t left = room_left(f);
	if (left == INT64_MAX)
		rc = ebb_store_space(f->inner, &left, err);
	rc = (int)after(&fate, rc, err);
	if (rc == 0)
		*ret_free = left;
	return rc;
}

/* Listings as they were: a record and its key after each other. */
static int note_listed(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	struct faulty *f = ctx;

	if (ebb_buf_add(&f->listed, rec, sizeof(*rec)) < 0 || ebb_buf_add(&f->listed, rec->key, rec->key_len + 1) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to list store '%s'", f->base.name);
	return 0;
}

static int list_again(struct faulty *f, const char *prefix, ebb_store_list_fn *fn, void *ctx, struct ebb_err *err)
{
	int rc = 0;

	for (size_t at = 0; rc >= 0 && at < f->listed.len;) {
		struct ebb_record rec;

		memcpy(&rec, f->listed.data + at, sizeof(rec));
		rec.key = f->listed.data + at + sizeof(rec);
		at += sizeof(rec) + rec.key_len + 1;
		if (!prefix || strncmp(rec.key, prefix, strlen(prefix)) == 0)
			rc = fn(ctx, &rec, err);
	}
	return rc;
}

static int faulty_list(struct ebb_store *s, const char *prefix, const char *start,
		       ebb_store_list_fn *fn, void *ctx, struct ebb_err *err)
{
	struct faulty *f = faulty_of(s);
	struct fate fate = decide(f, EBB_FAULTY_LIST);
	int rc = before(&fate, err);

	if (rc < 0)
		return rc;
	if (fate.lie != EBB_FAULTY_STALE)
		return (int)after(&fate, ebb_store_list(f->inner, prefix, start, fn, ctx, err), err);
	rc = list_again(f, prefix, fn, ctx, err);
	ebb_buf_clear(&f->listed);
	return rc < 0 ? rc : ebb_store_list(f->inner, NULL, NULL, note_listed, f, err);
}

static struct seen *find_seen(struct faulty *f, const char *key)
{
	struct seen *s = f->seen;

	while (s && strcmp(s->key, key) != 0)
		s = s->next;
	return s;
}

/* Note what is true of @key, and tell what was said before: 1 with *ret_was, 0 when nothing was. Only where a script lies so. */
static int note_seen(struct faulty *f, const char *key, int r, const struct ebb_record *rec, struct seen *ret_was)
{
	size_t len = strlen(key) + 1;
	int known = 0;

	pthread_mutex_lock(&f->lock);
	struct seen *s = find_seen(f, key);
	if (s) {
		*ret_was = *s;
		known = 1;
	} else if ((s = calloc(1, sizeof(*s) + len))) {
		memcpy(s->key, key, len);
		s->next = f->seen;
		f->seen = s;
	}
	if (s) {
		s->r = r;
		s->rec = *rec;
		s->rec.key = NULL;
	}
	pthread_mutex_unlock(&f->lock);
	return known;
}

static bool lies_stale(const struct faulty *f)
{
	for (size_t i = 0; i < f->script.nfaults; i++)
		if (f->script.faults[i].lie == EBB_FAULTY_STALE)
			return true;
	return false;
}

static int faulty_head(struct ebb_store *s, const char *key, struct ebb_record *ret,
		       struct ebb_err *err)
{
	struct faulty *f = faulty_of(s);
	struct fate fate = decide(f, EBB_FAULTY_HEAD);
	int rc = before(&fate, err);

	if (rc < 0)
		return rc;
	if (!lies_stale(f))
		return (int)after(&fate, ebb_store_head(f->inner, key, ret, err), err);
	struct ebb_err why = {0};
	struct ebb_record now = {0};
	struct seen was = {.r = -EBB_ENOENT};

	rc = ebb_store_head(f->inner, key, &now, &why);
	note_seen(f, key, rc, &now, &was);
	if (fate.lie == EBB_FAULTY_STALE) {
		now = was.rec;
		rc = was.r;
	}
	if (rc < 0)
		return ebb_err_set(err, -rc, "'%s' does not exist", key);
	now.key = key;
	now.key_len = (uint32_t)strlen(key);
	*ret = now;
	return (int)after(&fate, 0, err);
}

static int faulty_get_meta(struct ebb_store *s, const char *key, struct ebb_meta *ret,
			   struct ebb_err *err)
{
	THROUGH(faulty_of(s), EBB_FAULTY_GET_META, ebb_store_get_meta(in, key, ret, err));
}

static int faulty_set_meta(struct ebb_store *s, const char *key, const struct ebb_meta *meta,
			   uint32_t what, struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_SET_META, 0, ebb_store_set_meta(in, key, meta, what, err));
}

/* --- Reading --- */

struct reader {
	struct ebb_store_reader base;
	struct ebb_store_reader *inner;
	bool cut;	/* it ends here, the store says */
};

static void faulty_read_close(struct ebb_store_reader *base)
{
	struct reader *r = (struct reader *)base;

	ebb_store_read_close(r->inner);
	free(r);
}

static int faulty_read_from(struct ebb_store *s, const char *key, const struct ebb_record *expect, int64_t off,
			    struct ebb_store_reader **ret, struct ebb_err *err)
{
	struct faulty *f = faulty_of(s);
	struct fate fate = decide(f, EBB_FAULTY_READ_OPEN);
	struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read '%s'", key);
	r->base.store = s;
	int rc = before(&fate, err);
	if (rc == 0 && fate.lie == EBB_FAULTY_STALE)
		rc = ebb_err_set(err, EBB_ENOENT, "'%s' does not exist", key);
	if (rc == 0)
		rc = (int)after(&fate, ebb_store_read_from(f->inner, key, expect, off, &r->inner, err),
				err);
	if (rc < 0)
		faulty_read_close(&r->base);
	else
		*ret = &r->base;
	return rc;
}

static int faulty_read_open(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			    struct ebb_store_reader **ret, struct ebb_err *err)
{
	return faulty_read_from(s, key, expect, 0, ret, err);
}

/* Half of @len by chance, but never nothing of something. */
static size_t shorten(struct faulty *f, size_t len)
{
	if (!f->script.short_reads || len < 2)
		return len;
	pthread_mutex_lock(&f->lock);
	len = 1 + next_random(f) % (len / 2);
	pthread_mutex_unlock(&f->lock);
	return len;
}

static int64_t faulty_read(struct ebb_store_reader *base, void *buf, size_t len, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;
	struct faulty *f = faulty_of(base->store);
	struct fate fate = decide(f, EBB_FAULTY_READ);

	int rc = before(&fate, err);
	if (rc < 0)
		return rc;
	r->cut = r->cut || fate.lie == EBB_FAULTY_CUT;
	if (r->cut)
		return 0;
	int64_t n = ebb_store_read(r->inner, buf, shorten(f, len), err);
	if (n > 0 && fate.lie == EBB_FAULTY_FLIP)
		((uint8_t *)buf)[n / 2] ^= 1;
	return after(&fate, n, err);
}

/* Asks nothing of the medium, so it does not fail by itself. */
static int faulty_read_seek(struct ebb_store_reader *base, int64_t off, struct ebb_err *err)
{
	return ebb_store_read_seek(((struct reader *)base)->inner, off, err);
}

static int faulty_read_hole(struct ebb_store_reader *base, int64_t *ret_hole, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;
	struct fate fate = decide(faulty_of(base->store), EBB_FAULTY_READ_HOLE);

	int rc = before(&fate, err);
	if (rc == 0 && r->cut) {
		*ret_hole = 0;
		return 0;
	}
	return rc < 0 ? rc : (int)after(&fate, ebb_store_read_hole(r->inner, ret_hole, err), err);
}

static int faulty_read_verify(struct ebb_store_reader *base, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;
	struct fate fate = decide(faulty_of(base->store), EBB_FAULTY_READ_VERIFY);

	int rc = before(&fate, err);
	return rc < 0 ? rc : (int)after(&fate, ebb_store_read_verify(r->inner, err), err);
}

/* --- Writing --- */

struct writer {
	struct ebb_store_writer base;
	struct ebb_store_writer *inner;
	const char *key;	/* of the caller, for lies */
	int64_t bytes;
};

/* A writer of a process that died. */
struct left {
	struct left *next;
	struct ebb_store_writer *inner;
};

/* Give up the inner writer; of the dead everything stays as it is. */
static void give_up(struct faulty *f, struct ebb_store_writer *inner)
{
	struct left *l = inner && dead(f) ? calloc(1, sizeof(*l)) : NULL;

	if (!l) {
		ebb_store_write_abort(inner);
		return;
	}
	l->inner = inner;
	l->next = f->script.death->left;
	f->script.death->left = l;
}

void ebb_store_faulty_bury(struct ebb_store_faulty_death *d)
{
	for (struct left *l = d->left, *next; l; l = next) {
		next = l->next;
		ebb_store_write_abort(l->inner);
		free(l);
	}
	d->left = NULL;
}

static int check_room(struct faulty *f, int64_t bytes, struct ebb_err *err)
{
	if (bytes <= room_left(f))
		return 0;
	return ebb_err_set(err, EBB_ENOSPC, "no room in store '%s'", f->base.name);
}

/* Take room for what will be written; what is removed later gives none back. */
static int take_room(struct faulty *f, size_t bytes, struct ebb_err *err)
{
	int rc = check_room(f, (int64_t)bytes, err);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&f->lock);
	f->written += (int64_t)bytes;
	pthread_mutex_unlock(&f->lock);
	return 0;
}

static int faulty_write_open(struct ebb_store *s, const char *key,
			     const struct ebb_store_write_opts *opts, struct ebb_store_writer **ret,
			     struct ebb_err *err)
{
	struct faulty *f = faulty_of(s);
	struct fate fate = decide(f, EBB_FAULTY_WRITE_OPEN);
	struct writer *w = calloc(1, sizeof(*w));

	if (!w)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to write '%s'", key);
	w->base.store = s;
	int rc = before(&fate, err);
	if (rc == 0)
		rc = check_room(f, opts->size_hint, err);
	if (rc == 0)
		rc = (int)after(&fate, ebb_store_write_open(f->inner, key, opts, &w->inner, err),
				err);
	if (rc < 0) {
		give_up(f, w->inner);
		free(w);
		return rc;
	}
	w->base.step = w->inner->step;
	w->base.taken = w->inner->taken;
	w->key = key;
	*ret = &w->base;
	return 0;
}

static int faulty_write_mark(struct ebb_store_writer *base, struct ebb_store_mark *ret, struct ebb_err *err)
{
	return ebb_store_write_mark(((struct writer *)base)->inner, ret, err);
}

static void faulty_write_leave(struct ebb_store_writer *base)
{
	ebb_store_write_leave(((struct writer *)base)->inner);
	free(base);
}

static int faulty_write(struct ebb_store_writer *base, const void *buf, size_t len,
			struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	struct faulty *f = faulty_of(base->store);
	struct fate fate = decide(f, EBB_FAULTY_WRITE);

	int rc = before(&fate, err);
	if (rc == 0)
		rc = take_room(f, len, err);
	w->bytes += (int64_t)len;
	if (rc == 0 && fate.lie == EBB_FAULTY_DROP)
		return 0;
	return rc < 0 ? rc : (int)after(&fate, ebb_store_write(w->inner, buf, len, err), err);
}

static int faulty_write_hole(struct ebb_store_writer *base, int64_t len, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	struct fate fate = decide(faulty_of(base->store), EBB_FAULTY_WRITE_HOLE);

	w->bytes += len;
	int rc = before(&fate, err);
	return rc < 0 ? rc : (int)after(&fate, ebb_store_write_hole(w->inner, len, err), err);
}

static int faulty_write_commit(struct ebb_store_writer *base, const struct ebb_meta *meta,
			       uint32_t what, struct ebb_record *ret, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	struct fate fate = decide(faulty_of(base->store), EBB_FAULTY_WRITE_COMMIT);
	struct ebb_record rec = {0};

	int rc = before(&fate, err);
	if (rc < 0) {
		give_up(faulty_of(base->store), w->inner);
	} else if (fate.lie == EBB_FAULTY_DROP) {
		ebb_store_write_abort(w->inner);
		rec.key = w->key;
		rec.key_len = (uint32_t)strlen(w->key);
		ebb_record_set(&rec, EBB_F_SIZE, w->bytes);
		ebb_record_set(&rec, EBB_F_MTIME, meta ? meta->mtime : 1);
	} else {
		rc = ebb_store_write_commit(w->inner, meta, what, &rec, err);
		rc = (int)after(&fate, rc, err);
	}
	if (rc == 0 && ret)
		*ret = rec;
	free(w);
	return rc;
}

static void faulty_write_abort(struct ebb_store_writer *base)
{
	struct writer *w = (struct writer *)base;
	struct fate fate = decide(faulty_of(base->store), EBB_FAULTY_WRITE_ABORT);

	before(&fate, NULL);
	give_up(faulty_of(base->store), w->inner);
	after(&fate, 0, NULL);
	free(w);
}

static int faulty_write_sweep(struct ebb_store *s, const char *key, const char *tag,
			      struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_WRITE_SWEEP, 0, ebb_store_write_sweep(in, key, tag, err));
}

/* --- The tree --- */

static int faulty_rename(struct ebb_store *s, const char *from, const char *to,
			 const struct ebb_record *expect, struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_RENAME, 0, ebb_store_rename(in, from, to, expect, err));
}

static int faulty_mkdirs(struct ebb_store *s, const char *dir, uint32_t mode, ebb_store_made_fn *fn,
			 void *ctx, struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_MKDIRS, 0, ebb_store_mkdirs(in, dir, mode, fn, ctx, err));
}

static int faulty_rmdir(struct ebb_store *s, const char *dir, struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_RMDIR, 0, ebb_store_rmdir(in, dir, err));
}

static int faulty_extents(struct ebb_store *s, const char *key, uint64_t *ret, struct ebb_err *err)
{
	return ebb_store_extents(faulty_of(s)->inner, key, ret, err);
}

static int faulty_share(struct ebb_store *s, const char *from, const struct ebb_record *from_rec,
			const char *to, const struct ebb_record *to_rec, struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_SHARE, 0, ebb_store_share(in, from, from_rec, to, to_rec, err));
}

static int faulty_link(struct ebb_store *s, const char *from, const char *to,
		       const struct ebb_record *expect, struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_LINK, 0, ebb_store_link(in, from, to, expect, err));
}

static int faulty_read_range(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			     int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	THROUGH(faulty_of(s), EBB_FAULTY_READ_RANGE,
		ebb_store_read_range(in, key, expect, off, buf, len, err));
}

/* What a store says that copied nothing. */
static int said_copied(const char *to, const struct ebb_record *expect, struct ebb_record *ret)
{
	if (ret) {
		*ret = *expect;
		ret->key = to;
		ret->key_len = (uint32_t)strlen(to);
	}
	return 0;
}

static int faulty_copy(struct ebb_store *s, const char *from, const char *to, const char *class,
		       const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_COPY, said_copied(to, expect, ret),
		ebb_store_copy(in, from, to, class, expect, ret, err));
}

static int faulty_replace(struct ebb_store *s, const char *key, const struct ebb_record *expect, bool again,
			  const char *from, const struct ebb_record *from_rec, struct ebb_record *ret, struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_REPLACE, said_copied(key, from_rec, ret),
		in->ops->replace ? in->ops->replace(in, key, expect, again, from, from_rec, ret, err)
				 : ebb_err_set(err, EBB_ENOTSUP, "store '%s' replaces nothing", s->name));
}

static int faulty_set_class(struct ebb_store *s, const char *key, const char *class,
			    const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_SET_CLASS, said_copied(key, expect, ret),
		ebb_store_set_class(in, key, class, expect, ret, err));
}

static int faulty_seal(struct ebb_store *s, enum ebb_meta_seal *ret, struct ebb_err *err)
{
	THROUGH(faulty_of(s), EBB_FAULTY_GET_META, ebb_store_seal(in, ret, err));
}

static int faulty_sleep(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			enum ebb_store_sleep *ret, struct ebb_store_rest *ret_rest, struct ebb_err *err)
{
	THROUGH(faulty_of(s), EBB_FAULTY_SLEEP, ebb_store_sleep(in, key, expect, ret, ret_rest, err));
}

static int faulty_thaw(struct ebb_store *s, const char *key, const char *speed, unsigned days,
		       struct ebb_err *err)
{
	THROUGH(faulty_of(s), EBB_FAULTY_THAW, ebb_store_thaw(in, key, speed, days, err));
}

static int faulty_hide(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		       struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_HIDE, 0, ebb_store_hide(in, key, expect, err));
}

static int faulty_show(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		       struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_SHOW, 0, ebb_store_show(in, key, expect, err));
}

static int faulty_hidden(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			 struct ebb_err *err)
{
	THROUGH(faulty_of(s), EBB_FAULTY_HIDDEN, ebb_store_hidden(in, key, expect, err));
}

/* The proof was about this store, and was checked; the inner one is told what it said. */
static int inner_remove(struct ebb_store *in, const char *key, const struct ebb_record *expect,
			struct ebb_err *err)
{
	if (!in->ops->remove)
		return ebb_err_set(err, EBB_ENOTSUP, "store '%s' cannot remove", in->name);
	return in->ops->remove(in, key, expect, err);
}

static int faulty_remove(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			 struct ebb_err *err)
{
	CHANGE(faulty_of(s), EBB_FAULTY_REMOVE, 0, inner_remove(in, key, expect, err));
}

static const struct ebb_store_ops ops = {
	.type = "faulty",
	.summary = "another store, with faults; for tests",
	.close = faulty_close,
	.identify = faulty_identify,
	.space = faulty_space,
	.list = faulty_list,
	.head = faulty_head,
	.get_meta = faulty_get_meta,
	.set_meta = faulty_set_meta,
	.read_open = faulty_read_open,
	.read = faulty_read,
	.read_from = faulty_read_from,
	.read_seek = faulty_read_seek,
	.read_hole = faulty_read_hole,
	.read_verify = faulty_read_verify,
	.read_close = faulty_read_close,
	.write_open = faulty_write_open,
	.write = faulty_write,
	.write_hole = faulty_write_hole,
	.write_commit = faulty_write_commit,
	.write_abort = faulty_write_abort,
	.write_mark = faulty_write_mark,
	.write_leave = faulty_write_leave,
	.write_sweep = faulty_write_sweep,
	.rename = faulty_rename,
	.mkdirs = faulty_mkdirs,
	.rmdir = faulty_rmdir,
	.read_range = faulty_read_range,
	.extents = faulty_extents,
	.share = faulty_share,
	.link = faulty_link,
	.copy = faulty_copy,
	.replace = faulty_replace,
	.set_class = faulty_set_class,
	.seal = faulty_seal,
	.sleep = faulty_sleep,
	.thaw = faulty_thaw,
	.hide = faulty_hide,
	.show = faulty_show,
	.hidden = faulty_hidden,
	.remove = faulty_remove,
};

int ebb_store_faulty_wrap(struct ebb_store *inner, const struct ebb_store_faulty_script *script,
			  struct ebb_store **ret, struct ebb_err *err)
{
	struct faulty *f = calloc(1, sizeof(*f));

	if (f)
		f->base.name = strdup(inner->name);
	if (!f || !f->base.name) {
		free(f);
		return ebb_err_set(err, EBB_ENOMEM, "no memory for store '%s'", inner->name);
	}
	pthread_mutex_init(&f->lock, NULL);
	f->base.ops = &ops;
	f->base.caps = inner->caps;
	f->inner = inner;
	if (script)
		f->script = *script;
	f->random = f->script.seed;
	ebb_buf_init(&f->listed, SIZE_MAX - 1);
	*ret = &f->base;
	return 0;
}

uint64_t ebb_store_faulty_count(struct ebb_store *s, enum ebb_store_faulty_op op)
{
	struct faulty *f = faulty_of(s);

	pthread_mutex_lock(&f->lock);
	uint64_t n = f->counts[op];
	pthread_mutex_unlock(&f->lock);
	return n;
}
