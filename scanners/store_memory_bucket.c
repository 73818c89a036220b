/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/store_memory_bucket.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "scanners/memory_shelf.h"

#define EPOCH INT64_C(1000000000000000000)

/* An open writer, which is how a bucket keeps an unfinished upload. */
struct writer {
	struct ebb_store_writer base;
	struct writer *next;
	struct ebb_memory_shelf_version *v;
	const char *key_of_caller;
	char tag[EBB_STORE_TAG_MAX + 1];
};

struct bucket {
	struct ebb_store base;
	pthread_mutex_t lock;	/* protects what follows */
	struct ebb_memory_shelf shelf;
	struct writer *writers;
	const struct ebb_clock *archive;	/* NULL: nothing sleeps */
	enum ebb_meta_seal seal;	/* of what is written */
	char seal_key[EBB_META_SEAL_KEY];
};

static void unlockp(pthread_mutex_t **lock)
{
	pthread_mutex_unlock(*lock);
}

static pthread_mutex_t *lock(struct bucket *b)
{
	pthread_mutex_lock(&b->lock);
	return &b->lock;
}

/* Hold the store's lock to the end of the scope. */
#define LOCKED(b) EBB_CLEANUP(unlockp) __attribute__((unused)) pthread_mutex_t *held = lock(b)

static int no_memory(const char *key, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "no memory for '%s'", key);
}

static void seal(const struct bucket *b, struct ebb_memory_shelf_version *v)
{
	v->meta.seal = b->seal;
	memcpy(v->meta.seal_key, b->seal_key, sizeof(v->meta.seal_key));
}

/* --- Sleep --- */

static enum ebb_store_sleep state_of(const struct bucket *b, const struct ebb_memory_shelf_version *v)
{
	if (!b->archive || (!v->tier && !ebb_store_may_sleep(&b->base, v->class)))
		return EBB_STORE_AWAKE;
	int64_t now = ebb_clock_now(b->archive);
	if (v->tier && v->ready)
		return now < v->ready ? EBB_STORE_THAWING : EBB_STORE_AWAKE;
	if (!v->ready || now >= v->expires)
		return EBB_STORE_ASLEEP;
	return now < v->ready ? EBB_STORE_THAWING : EBB_STORE_THAWED;
}

/* What @expect says, and it can be read. */
static int check_awake(const struct bucket *b, const struct ebb_memory_shelf_version *v, const char *key,
		       const struct ebb_record *expect, struct ebb_err *err)
{
	int rc = ebb_memory_shelf_check(v, key, expect, err);

	if (rc < 0 || state_of(b, v) == EBB_STORE_AWAKE || state_of(b, v) == EBB_STORE_THAWED)
		return rc;
	return ebb_err_set(err, EBB_EASLEEP, "'%s' is archived in class %s", key, v->class);
}

static int bucket_sleep(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			enum ebb_store_sleep *ret, struct ebb_store_rest *ret_rest, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, key);
	int rc = ebb_memory_shelf_check(v, key, expect, err);

	if (rc < 0)
		return rc;
	*ret = state_of(b, v);
	ret_rest->expires = *ret == EBB_STORE_THAWED ? v->expires : 0;
	ret_rest->tier = *ret == EBB_STORE_AWAKE ? EBB_STORE_TIER_NONE : v->tier;
	return 0;
}

/* S3 User Guide, "Understanding archive retrieval options": the longest times stated. 0: not offered. */
static int64_t time_to_thaw(const struct ebb_memory_shelf_version *v, const char *speed)
{
	const int64_t minute = 60 * EBB_CLOCK_SECOND, hour = 60 * minute;
	bool deep = v->tier == EBB_STORE_TIER_DEEP || strcmp(v->class, "DEEP_ARCHIVE") == 0;

	if (strcmp(speed, "expedited") == 0)
		return deep ? 0 : 5 * minute;
	if (strcmp(speed, "standard") == 0)
		return deep ? 12 * hour : 5 * hour;
	return strcmp(speed, "bulk") == 0 ? (deep ? 48 * hour : 12 * hour) : 0;
}

static int bucket_thaw(struct ebb_store *s, const char *key, const char *speed, unsigned days,
		       struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, key);
	int64_t day = 86400 * EBB_CLOCK_SECOND, takes;

	if (!v)
		return ebb_memory_shelf_missing(key, err);
	if (state_of(b, v) == EBB_STORE_AWAKE)
		return ebb_err_set(err, EBB_ENOTSUP, "'%s' does not sleep in class %s", key, v->class);
	if ((days == 0) != (v->tier != EBB_STORE_TIER_NONE))
		return ebb_err_set(err, EBB_ENOTSUP, "class %s is not thawed for %u days", v->class, days);
	if ((takes = time_to_thaw(v, speed)) == 0)
		return ebb_err_set(err, EBB_ENOTSUP, "class %s is not thawed at speed '%s'", v->class, speed);
	int64_t now = ebb_clock_now(b->archive);
	if (state_of(b, v) == EBB_STORE_ASLEEP)
		v->ready = now + takes;
	else if (now < v->ready)
		return 0;
	v->expires = (now > v->ready ? now : v->ready) + days * day;
	return 0;
}

static int bucket_seal(struct ebb_store *s, enum ebb_meta_seal *ret, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);

	(void)err;
	*ret = b->seal;
	return 0;
}

void ebb_store_memory_bucket_seal(struct ebb_store *s, enum ebb_meta_seal seal, const char *key, bool must)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);

	b->seal = seal;
	snprintf(b->seal_key, sizeof(b->seal_key), "%s", key ? key : "");
	s->caps = (s->caps & ~(uint32_t)EBB_CAP_SEALED) | (must ? (uint32_t)EBB_CAP_SEALED : 0);
}

int ebb_store_memory_bucket_tier(struct ebb_store *s, const char *key, enum ebb_store_tier tier, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, key);

	if (!v)
		return ebb_memory_shelf_missing(key, err);
	if (!b->archive || !ebb_store_tiers(s, v->class))
		return ebb_err_set(err, EBB_EINVAL, "'%s' is put nowhere by class %s", key, v->class);
	v->tier = tier;
	v->ready = 0;
	return 0;
}

/* --- Stores --- */

static int bucket_open(const struct ebb_store_config *cfg, struct ebb_store **ret, struct ebb_err *err)
{
	struct bucket *b = calloc(1, sizeof(*b));

	if (b)
		b->base.name = strdup(cfg->name);
	if (!b || !b->base.name) {
		free(b);
		return ebb_err_set(err, EBB_ENOMEM, "no memory for store '%s'", cfg->name);
	}
	pthread_mutex_init(&b->lock, NULL);
	b->base.ops = &ebb_store_memory_bucket_ops;
	b->base.caps = EBB_CAP_READ | EBB_CAP_WRITE | EBB_CAP_REMOVE | EBB_CAP_META | EBB_CAP_RANGE |
		       EBB_CAP_COPY | EBB_CAP_CLASS | EBB_CAP_VERSIONS | EBB_CAP_COND;
	b->shelf.clock = EPOCH;
	b->shelf.name = b->base.name;
	*ret = &b->base;
	return 0;
}

static void bucket_close(struct ebb_store *s)
{
	struct bucket *b = (struct bucket *)s;

	for (size_t i = 0; i < b->shelf.n; i++)
		ebb_memory_shelf_version_free(b->shelf.all[i]);
	free(b->shelf.all);
	pthread_mutex_destroy(&b->lock);
	free(b->base.name);
	free(b);
}

static int bucket_identify(struct ebb_store *s, struct ebb_store_identity *ret, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);

	(void)err;
	*ret = (struct ebb_store_identity){.ino = 1, .kind = "memory-bucket", .empty = true};
	snprintf(ret->fsid, sizeof(ret->fsid), "%s", s->name);
	for (size_t i = 0; i < b->shelf.n; i++)
		if (strncmp(b->shelf.all[i]->key, EBB_PROOF_TRASH, strlen(EBB_PROOF_TRASH)) != 0)
			ret->empty = false;
	return 0;
}

/* First object behind @after, as a record with a key of its own; 0 at the end. No lock is held while users are told. */
static int next_after(struct bucket *b, struct ebb_buf *after, struct ebb_record *ret, struct ebb_err *err)
{
	LOCKED(b);
	size_t i = ebb_memory_shelf_place(&b->shelf, after->data);

	while (i < b->shelf.n && (b->shelf.all[i]->marker || strcmp(b->shelf.all[i]->key, after->data) == 0)) {
		const char *key = b->shelf.all[i]->key;

		while (i < b->shelf.n && strcmp(b->shelf.all[i]->key, key) == 0)
			i++;	/* older ones of the same key */
	}
	if (i == b->shelf.n)
		return 0;
	ebb_buf_clear(after);
	if (ebb_buf_adds(after, b->shelf.all[i]->key) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to list store '%s'", b->base.name);
	ebb_memory_shelf_record(b->shelf.all[i], after->data, ret);
	return 1;
}

static int bucket_list(struct ebb_store *s, const char *prefix, const char *after, ebb_store_list_fn *fn,
		       void *ctx, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf key = EBB_BUF_INIT(SIZE_MAX - 1);
	struct ebb_record rec;
	int rc;

	if (ebb_buf_adds(&key, after) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to list store '%s'", s->name);
	while ((rc = next_after((struct bucket *)s, &key, &rec, err)) == 1) {
		if (ebb_record_key_has_prefix(rec.key, rec.key_len, prefix, strlen(prefix)))
			rc = fn(ctx, &rec, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int bucket_head(struct ebb_store *s, const char *key, struct ebb_record *ret, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, key);

	if (!v)
		return ebb_memory_shelf_missing(key, err);
	ebb_memory_shelf_record(v, key, ret);
	return 0;
}

/* --- Metadata --- */

static int bucket_get_meta(struct ebb_store *s, const char *key, struct ebb_meta *ret, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, key);

	if (!v)
		return ebb_memory_shelf_missing(key, err);
	int rc = ebb_meta_copy(ret, &v->meta, err);
	if (rc == 0 && !ret->mtime)
		ret->mtime = ret->atime = v->time;
	return rc;
}

static int apply(struct ebb_memory_shelf_version *v, const struct ebb_meta *meta, uint32_t what, struct ebb_err *err)
{
	if (what & EBB_META_XATTRS) {
		struct ebb_meta all = *meta, copy;

		ebb_meta_init(&copy);
		all.uid = v->meta.uid, all.gid = v->meta.gid, all.mode = v->meta.mode;
		all.mtime = v->meta.mtime, all.atime = v->meta.atime;
		int rc = ebb_meta_copy(&copy, &all, err);
		if (rc < 0)
			return rc;
		ebb_meta_release(&v->meta);
		v->meta = copy;
	}
	if (what & EBB_META_OWNER)
		v->meta.uid = meta->uid, v->meta.gid = meta->gid;
	if (what & EBB_META_MODE)
		v->meta.mode = meta->mode;
	if (what & EBB_META_TIMES)
		v->meta.mtime = meta->mtime, v->meta.atime = meta->atime;
	return 0;
}

/* Setting something moves the time of last modification, not how old the content is. */
static void touch(struct bucket *b, struct ebb_memory_shelf_version *v)
{
	if (!v->meta.mtime)
		v->meta.mtime = v->meta.atime = v->time;
	v->time = b->shelf.clock += EBB_CLOCK_SECOND;
}

static int bucket_set_meta(struct ebb_store *s, const char *key, const struct ebb_meta *meta, uint32_t what,
			   struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, key);

	if (!v)
		return ebb_memory_shelf_missing(key, err);
	touch(b, v);
	return apply(v, meta, what, err);
}

/* --- Reading --- */

struct reader {
	struct ebb_store_reader base;
	struct ebb_buf data;	/* as it was at open */
	size_t pos;
	struct ebb_record rec;
	char key[];
};

static int bucket_read_open(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			    struct ebb_store_reader **ret, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	size_t klen = strlen(key);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, key);
	int rc = check_awake(b, v, key, expect, err);

	if (rc < 0)
		return rc;
	struct reader *r = calloc(1, sizeof(*r) + klen + 1);
	if (!r)
		return no_memory(key, err);
	ebb_buf_init(&r->data, SIZE_MAX - 1);
	if (ebb_buf_add(&r->data, v->data.data, v->data.len) < 0) {
		free(r);
		return no_memory(key, err);
	}
	memcpy(r->key, key, klen + 1);
	r->base.store = s;
	ebb_memory_shelf_record(v, r->key, &r->rec);
	*ret = &r->base;
	return 0;
}

static int64_t bucket_read(struct ebb_store_reader *base, void *buf, size_t len, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;
	size_t left = r->data.len - r->pos;

	(void)err;
	if (len > left)
		len = left;
	if (len)
		memcpy(buf, r->data.data + r->pos, len);
	r->pos += len;
	return (int64_t)len;
}

static int bucket_read_hole(struct ebb_store_reader *base, int64_t *ret_hole, struct ebb_err *err)
{
	(void)base;
	(void)err;
	*ret_hole = 0;
	return 0;
}

static int bucket_read_verify(struct ebb_store_reader *base, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;
	struct bucket *b = (struct bucket *)base->store;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, r->key);

	if (!v)
		return ebb_err_set(err, EBB_ECHANGED, "'%s' has changed: it is gone", r->key);
	return ebb_memory_shelf_check(v, r->key, &r->rec, err);
}

static void bucket_read_close(struct ebb_store_reader *base)
{
	struct reader *r = (struct reader *)base;

	ebb_buf_release(&r->data);
	free(r);
}

static int bucket_read_range(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			     int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, key);
	int rc = check_awake(b, v, key, expect, err);

	if (rc < 0)
		return rc;
	if ((size_t)off > v->data.len || len > v->data.len - (size_t)off)
		return ebb_err_set(err, EBB_ECORRUPT, "'%s' ends before byte %" PRId64, key,
				   off + (int64_t)len);
	memcpy(buf, v->data.data + off, len);
	return 0;
}

/* --- Writing --- */

static struct writer **writer_at(struct bucket *b, const char *key, const char *tag)
{
	struct writer **w = &b->writers;

	while (*w && (strcmp((*w)->v->key, key) != 0 || strcmp((*w)->tag, tag) != 0))
		w = &(*w)->next;
	return w;
}

/* Swept writers are no longer in the list; their next write says so. */
static bool unlist(struct bucket *b, struct writer *w)
{
	for (struct writer **p = &b->writers; *p; p = &(*p)->next)
		if (*p == w) {
			*p = w->next;
			return true;
		}
	return false;
}

static int bucket_write_open(struct ebb_store *s, const char *key, const struct ebb_store_write_opts *opts,
			     struct ebb_store_writer **ret, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);

	if (*writer_at(b, key, opts->tag))
		return ebb_err_set(err, EBB_EEXIST, "an upload of '%s' with tag '%s' is open already", key,
				   opts->tag);
	struct writer *w = calloc(1, sizeof(*w));
	if (w)
		w->v = ebb_memory_shelf_version_new(key, opts->class);
	if (!w || !w->v) {
		free(w);
		return no_memory(key, err);
	}
	memcpy(w->tag, opts->tag, strlen(opts->tag) + 1);
	w->key_of_caller = key;
	w->base.store = s;
	w->next = b->writers;
	b->writers = w;
	*ret = &w->base;
	return 0;
}

static int gone(const struct writer *w, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOENT, "the upload of '%s' was swept away", w->v->key);
}

static bool listed(const struct bucket *b, const struct writer *w)
{
	const struct writer *i = b->writers;

	while (i && i != w)
		i = i->next;
	return i != NULL;
}

static int bucket_write(struct ebb_store_writer *base, const void *buf, size_t len, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	struct bucket *b = (struct bucket *)base->store;
	LOCKED(b);

	if (!listed(b, w))
		return gone(w, err);
	return len && ebb_buf_add(&w->v->data, buf, len) < 0 ? no_memory(w->v->key, err) : 0;
}

static int bucket_write_hole(struct ebb_store_writer *base, int64_t len, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	struct bucket *b = (struct bucket *)base->store;
	LOCKED(b);
	struct ebb_buf *data = &w->v->data;

	if (!listed(b, w))
		return gone(w, err);
	if (ebb_buf_reserve(data, (size_t)len) < 0)
		return no_memory(w->v->key, err);
	memset(data->data + data->len, 0, (size_t)len + 1);
	data->len += (size_t)len;
	return 0;
}

static int commit(struct bucket *b, struct writer *w, const struct ebb_meta *meta, uint32_t what,
		  struct ebb_err *err)
{
	struct ebb_memory_shelf_version *v = w->v;

	if (!unlist(b, w))
		return gone(w, err);
	int rc = apply(v, meta, what, err);
	seal(b, v);
	if (rc == 0 && b->base.caps & EBB_CAP_SEALED && b->seal == EBB_META_OPEN)
		rc = ebb_err_set(err, EBB_EMISMATCH, "'%s' must be encrypted, and the store says nothing of it", v->key);
	if (rc == 0)
		rc = ebb_memory_shelf_tag(v, err);
	if (rc == 0 && ebb_memory_shelf_current(&b->shelf, v->key))
		rc = ebb_err_set(err, EBB_EEXIST, "'%s' exists already", v->key);
	if (rc == 0) {
		w->v = NULL;
		rc = ebb_memory_shelf_insert(&b->shelf, v, err);
	}
	return rc;
}

static int bucket_write_commit(struct ebb_store_writer *base, const struct ebb_meta *meta, uint32_t what,
			       struct ebb_record *ret, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	struct bucket *b = (struct bucket *)base->store;
	LOCKED(b);
	int rc = commit(b, w, meta, what, err);

	if (rc == 0 && ret)
		ebb_memory_shelf_record(ebb_memory_shelf_current(&b->shelf, w->key_of_caller), w->key_of_caller, ret);
	ebb_memory_shelf_version_free(w->v);
	free(w);
	return rc;
}

static void bucket_write_abort(struct ebb_store_writer *base)
{
	struct writer *w = (struct writer *)base;
	struct bucket *b = (struct bucket *)base->store;
	LOCKED(b);

	unlist(b, w);
	ebb_memory_shelf_version_free(w->v);
	free(w);
}

static int bucket_write_sweep(struct ebb_store *s, const char *key, const char *tag, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct writer **w = writer_at(b, key, tag);

	(void)err;
	if (*w)
		*w = (*w)->next;
	return 0;
}

/* --- What only object stores do --- */

/* A copy of @v under another key and in a class, with all that it has; not the bucket's yet. */
static struct ebb_memory_shelf_version *twin(const struct ebb_memory_shelf_version *v, const char *key, const char *class, struct ebb_err *err)
{
	struct ebb_memory_shelf_version *c = ebb_memory_shelf_version_new(key, class);

	if (!c || ebb_buf_add(&c->data, v->data.data, v->data.len) < 0 || ebb_meta_copy(&c->meta, &v->meta, err) < 0) {
		no_memory(key, err);
		ebb_memory_shelf_version_free(c);
		return NULL;
	}
	memcpy(c->etag, v->etag, sizeof(c->etag));
	if (!c->meta.mtime)
		c->meta.mtime = c->meta.atime = v->time;	/* as old as it was */
	return c;
}

static int bucket_copy(struct ebb_store *s, const char *from, const char *to, const char *class,
		       const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, from);
	int rc = check_awake(b, v, from, expect, err);

	if (rc < 0)
		return rc;
	if (ebb_memory_shelf_current(&b->shelf, to))
		return ebb_err_set(err, EBB_EEXIST, "cannot copy '%s': '%s' exists already", from, to);
	struct ebb_memory_shelf_version *made = twin(v, to, class ? class : v->class, err);
	if (!made)
		return -EBB_ENOMEM;
	rc = ebb_memory_shelf_insert(&b->shelf, made, err);
	if (rc == 0 && ret)
		ebb_memory_shelf_record(made, to, ret);
	return rc;
}

/* What a replacement left below the object that took its place. */
static struct ebb_memory_shelf_version *replaced(const struct bucket *b, const char *key, const struct ebb_record *expect)
{
	size_t i = ebb_memory_shelf_place(&b->shelf, key) + 1;
	struct ebb_memory_shelf_version *v = i < b->shelf.n && strcmp(b->shelf.all[i]->key, key) == 0 ? b->shelf.all[i] : NULL;

	return v && ebb_memory_shelf_check(v, key, expect, NULL) == 0 ? v : NULL;
}

static int bucket_replace(struct ebb_store *s, const char *key, const struct ebb_record *expect, bool again,
			  const char *from, const struct ebb_record *from_rec, struct ebb_record *ret, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, key), *f = ebb_memory_shelf_current(&b->shelf, from), *c;
	int rc = check_awake(b, f, from, from_rec, err);

	rc = rc < 0 ? rc : ebb_memory_shelf_check(v, key, again ? NULL : expect, err);
	if (rc < 0)
		return rc;
	if (!(c = again ? v : twin(f, key, v->class, err)))
		return -EBB_ENOMEM;
	if (again)
		v = replaced(b, key, expect);
	else if ((rc = ebb_memory_shelf_insert(&b->shelf, c, err)) < 0)
		return rc;
	if (v)
		ebb_memory_shelf_drop(&b->shelf, v);
	if (ret)
		ebb_memory_shelf_record(c, key, ret);
	return 0;
}

static int bucket_set_class(struct ebb_store *s, const char *key, const char *class,
			    const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, key);
	int rc = ebb_memory_shelf_check(v, key, expect, err);

	if (rc == 0 && strcmp(v->class, class) != 0)
		rc = check_awake(b, v, key, NULL, err);
	if (rc < 0)
		return rc;
	char *copy = strdup(class);
	if (!copy)
		return no_memory(key, err);
	free(v->class);
	v->class = copy;
	v->ready = v->expires = 0;
	touch(b, v);
	if (ret)
		ebb_memory_shelf_record(v, key, ret);
	return 0;
}

static int bucket_hide(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		       struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	int rc = ebb_memory_shelf_check(ebb_memory_shelf_current(&b->shelf, key), key, expect, err);

	if (rc < 0)
		return rc;
	struct ebb_memory_shelf_version *marker = ebb_memory_shelf_version_new(key, NULL);
	if (!marker)
		return no_memory(key, err);
	marker->marker = true;
	return ebb_memory_shelf_insert(&b->shelf, marker, err);
}

static int bucket_hidden(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			 struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_hidden(&b->shelf, key);

	(void)err;
	return v && ebb_memory_shelf_check(v, key, expect, NULL) == 0;
}

static int bucket_show(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		       struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);

	if (ebb_memory_shelf_current(&b->shelf, key))
		return ebb_err_set(err, EBB_EEXIST, "an object stands under '%s'", key);
	int rc = ebb_memory_shelf_check(ebb_memory_shelf_hidden(&b->shelf, key), key, expect, err);
	if (rc == 0)
		ebb_memory_shelf_drop(&b->shelf, ebb_memory_shelf_newest(&b->shelf, key));
	return rc;
}

/*
 * Taking the newest version away would show the one below it: a marker goes over older ones first. A hidden object goes
 * with its marker.
 */
static int bucket_remove(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			 struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_current(&b->shelf, key), *marker = NULL;
	size_t i = ebb_memory_shelf_place(&b->shelf, key);

	if (!v && (v = ebb_memory_shelf_hidden(&b->shelf, key)))
		marker = ebb_memory_shelf_newest(&b->shelf, key);
	int rc = ebb_memory_shelf_check(v, key, expect, err);
	if (rc < 0)
		return rc;
	bool older = i + (marker ? 2 : 1) < b->shelf.n && strcmp(b->shelf.all[i + (marker ? 2 : 1)]->key, key) == 0;
	if (older && !marker) {
		struct ebb_memory_shelf_version *m = ebb_memory_shelf_version_new(key, NULL);

		if (!m)
			return no_memory(key, err);
		m->marker = true;
		rc = ebb_memory_shelf_insert(&b->shelf, m, err);
		if (rc < 0)
			return rc;
	}
	ebb_memory_shelf_drop(&b->shelf, v);
	if (marker && !older)
		ebb_memory_shelf_drop(&b->shelf, marker);
	b->shelf.clock += EBB_CLOCK_SECOND;
	return 0;
}

/* --- What other programs do --- */

int64_t ebb_store_memory_bucket_clock(struct ebb_store *s)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);

	return b->shelf.clock;
}

void ebb_store_memory_bucket_set_clock(struct ebb_store *s, int64_t ns)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);

	b->shelf.clock = ns / EBB_CLOCK_SECOND * EBB_CLOCK_SECOND;
}

void ebb_store_memory_bucket_archive(struct ebb_store *s, const struct ebb_clock *clock)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);

	b->archive = clock;
	s->caps |= EBB_CAP_THAW;
}

int ebb_store_memory_bucket_put(struct ebb_store *s, const char *key, const void *data, size_t len,
				const char *class, struct ebb_err *err)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	EBB_CLEANUP(ebb_memory_shelf_version_freep) struct ebb_memory_shelf_version *v = NULL;

	if (!*key || strlen(key) > EBB_STORE_OBJECT_KEY_MAX)
		return ebb_err_set(err, EBB_EINVAL, "'%s' is not the key of an object", key);
	v = ebb_memory_shelf_version_new(key, class);
	if (!v || (len && ebb_buf_add(&v->data, data, len) < 0))
		return no_memory(key, err);
	seal(b, v);
	int rc = ebb_memory_shelf_tag(v, err);
	if (rc < 0)
		return rc;
	struct ebb_memory_shelf_version *made = v;
	v = NULL;
	return ebb_memory_shelf_insert(&b->shelf, made, err);
}

size_t ebb_store_memory_bucket_versions(struct ebb_store *s, const char *key)
{
	struct bucket *b = (struct bucket *)s;
	LOCKED(b);
	size_t first = ebb_memory_shelf_place(&b->shelf, key), i = first;

	while (i < b->shelf.n && strcmp(b->shelf.all[i]->key, key) == 0)
		i++;
	return i - first;
}

const struct ebb_store_ops ebb_store_memory_bucket_ops = {
	.type = "memory-bucket",
	.summary = "an object store in memory, gone when the program ends; for tests",
	.open = bucket_open,
	.close = bucket_close,
	.identify = bucket_identify,
	.list = bucket_list,
	.head = bucket_head,
	.get_meta = bucket_get_meta,
	.set_meta = bucket_set_meta,
	.read_open = bucket_read_open,
	.read = bucket_read,
	.read_hole = bucket_read_hole,
	.read_verify = bucket_read_verify,
	.read_close = bucket_read_close,
	.read_range = bucket_read_range,
	.write_open = bucket_write_open,
	.write = bucket_write,
	.write_hole = bucket_write_hole,
	.write_commit = bucket_write_commit,
	.write_abort = bucket_write_abort,
	.write_sweep = bucket_write_sweep,
	.copy = bucket_copy,
	.replace = bucket_replace,
	.set_class = bucket_set_class,
	.seal = bucket_seal,
	.sleep = bucket_sleep,
	.thaw = bucket_thaw,
	.hide = bucket_hide,
	.show = bucket_show,
	.hidden = bucket_hidden,
	.remove = bucket_remove,
};
