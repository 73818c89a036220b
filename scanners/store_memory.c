/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/store_memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/buf.h"
#include "scanners/memory_tree.h"

#define EPOCH INT64_C(1000000000000000000)

struct memory {
	struct ebb_store base;
	pthread_mutex_t lock;	/* protects the tree */
	struct ebb_memory_tree tree;
};

static void unlockp(pthread_mutex_t **lock)
{
	pthread_mutex_unlock(*lock);
}

static pthread_mutex_t *lock(struct memory *m)
{
	pthread_mutex_lock(&m->lock);
	return &m->lock;
}

/* Hold the store's lock to the end of the scope. */
#define LOCKED(m) EBB_CLEANUP(unlockp) __attribute__((unused)) pthread_mutex_t *held = lock(m)

/* --- Stores --- */

static int memory_open(const struct ebb_store_config *cfg, struct ebb_store **ret,
		       struct ebb_err *err)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (m)
		m->base.name = strdup(cfg->name);
	if (!m || !m->base.name) {
		free(m);
		return ebb_err_set(err, EBB_ENOMEM, "no memory for store '%s'", cfg->name);
	}
	pthread_mutex_init(&m->lock, NULL);
	m->base.ops = &ebb_store_memory_ops;
	m->base.caps = EBB_CAP_READ | EBB_CAP_WRITE | EBB_CAP_REMOVE | EBB_CAP_RENAME | EBB_CAP_META |
		       EBB_CAP_DIRS;
	m->tree.clock = EPOCH;
	*ret = &m->base;
	return 0;
}

static void memory_close(struct ebb_store *s)
{
	struct memory *m = (struct memory *)s;

	ebb_memory_tree_release(&m->tree);
	pthread_mutex_destroy(&m->lock);
	free(m->base.name);
	free(m);
}

static int memory_identify(struct ebb_store *s, struct ebb_store_identity *ret, struct ebb_err *err)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);

	(void)err;
	*ret = (struct ebb_store_identity){.ino = 1, .kind = "memory", .empty = true};
	snprintf(ret->fsid, sizeof(ret->fsid), "%s", s->name);
	for (size_t i = 0; i < m->tree.n; i++) {
		const char *key = m->tree.objects[i]->key;

		if (strncmp(key, EBB_PROOF_TRASH, strlen(EBB_PROOF_TRASH)) != 0 &&
		    strncmp(key, "lost+found/", strlen("lost+found/")) != 0)
			ret->empty = false;
	}
	return 0;
}

/*
 * First object behind @after, as a record with a key of its own; 0 at the end. The lock is not held
 * while users are told.
 */
static int next_after(struct memory *m, struct ebb_buf *after, struct ebb_record *ret,
		      struct ebb_err *err)
{
	LOCKED(m);
	size_t i = ebb_memory_tree_place(&m->tree, after->data);

	if (i < m->tree.n && strcmp(m->tree.objects[i]->key, after->data) == 0)
		i++;
	if (i == m->tree.n)
		return 0;
	ebb_buf_clear(after);
	if (ebb_buf_adds(after, m->tree.objects[i]->key) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to list store '%s'", m->base.name);
	ebb_memory_tree_record(m->tree.objects[i], after->data, ret);
	return 1;
}

static int memory_list(struct ebb_store *s, const char *prefix, const char *after,
		       ebb_store_list_fn *fn, void *ctx, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf key = EBB_BUF_INIT(SIZE_MAX - 1);
	struct ebb_record rec;
	int rc;

	if (ebb_buf_adds(&key, after) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to list store '%s'", s->name);
	while ((rc = next_after((struct memory *)s, &key, &rec, err)) == 1) {
		if (ebb_record_key_has_prefix(rec.key, rec.key_len, prefix, strlen(prefix)))
			rc = fn(ctx, &rec, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int memory_head(struct ebb_store *s, const char *key, struct ebb_record *ret,
		       struct ebb_err *err)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);
	struct ebb_memory_object *o = ebb_memory_tree_find(&m->tree, key);

	if (!o)
		return ebb_memory_tree_missing(key, err);
	ebb_memory_tree_record(o, key, ret);
	return 0;
}

static int memory_get_meta(struct ebb_store *s, const char *key, struct ebb_meta *ret,
			   struct ebb_err *err)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);
	struct ebb_memory_object *o = ebb_memory_tree_find(&m->tree, key);

	return o ? ebb_meta_copy(ret, &o->meta, err) : ebb_memory_tree_missing(key, err);
}

static int memory_set_meta(struct ebb_store *s, const char *key, const struct ebb_meta *meta,
			   uint32_t what, struct ebb_err *err)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);
	struct ebb_memory_object *o = ebb_memory_tree_find(&m->tree, key);

	return o ? ebb_memory_tree_apply(&m->tree, o, meta, what, err) : ebb_memory_tree_missing(key, err);
}

/* --- Reading --- */

struct reader {
	struct ebb_store_reader base;
	struct ebb_buf data;	/* as it was at open */
	size_t pos;
	struct ebb_record rec;
	char key[];
};

static int memory_read_open(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			    struct ebb_store_reader **ret, struct ebb_err *err)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);
	size_t klen = strlen(key);
	struct ebb_memory_object *o;

	int rc = ebb_memory_tree_expect(&m->tree, key, expect, &o, err);
	if (rc < 0)
		return rc;
	struct reader *r = calloc(1, sizeof(*r) + klen + 1);
	if (!r)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read '%s'", key);
	ebb_buf_init(&r->data, SIZE_MAX - 1);
	if (o->data.len && ebb_buf_add(&r->data, o->data.data, o->data.len) < 0) {
		free(r);
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read '%s'", key);
	}
	memcpy(r->key, key, klen + 1);
	r->base.store = s;
	ebb_memory_tree_record(o, r->key, &r->rec);
	*ret = &r->base;
	return 0;
}

static int64_t memory_read(struct ebb_store_reader *base, void *buf, size_t len, struct ebb_err *err)
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

static int memory_read_seek(struct ebb_store_reader *base, int64_t off, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;

	if (off < 0)
		return ebb_err_set(err, EBB_EINVAL, "cannot seek to %lld", (long long)off);
	r->pos = (uint64_t)off < r->data.len ? (size_t)off : r->data.len;
	return 0;
}

static int memory_read_hole(struct ebb_store_reader *base, int64_t *ret_hole, struct ebb_err *err)
{
	(void)base;
	(void)err;
	*ret_hole = 0;
	return 0;
}

static int memory_read_verify(struct ebb_store_reader *base, struct ebb_err *err)
{
	struct reader *r = (struct reader *)base;
	struct memory *m = (struct memory *)base->store;
	LOCKED(m);
	struct ebb_memory_object *o;
	struct ebb_err why = {0};

	int rc = ebb_memory_tree_expect(&m->tree, r->key, &r->rec, &o, &why);
	if (rc == -EBB_ENOENT)	/* a filesystem sees by the inode that its name went */
		return ebb_err_set(err, EBB_ECHANGED, "'%s' has changed: it is gone", r->key);
	return rc < 0 ? ebb_err_set(err, -rc, "%s", why.msg) : 0;
}

static void memory_read_close(struct ebb_store_reader *base)
{
	struct reader *r = (struct reader *)base;

	ebb_buf_release(&r->data);
	free(r);
}

/* --- Writing --- */

struct writer {
	struct ebb_store_writer base;
	char *tmp;
	const char *key_of_caller;
	char key[];
};

static void tmp_of(const char *key, const char *tag, char *ret, size_t size)
{
	const char *slash = strrchr(key, '/');

	snprintf(ret, size, "%.*s%s%s", slash ? (int)(slash - key) + 1 : 0, key, EBB_STORE_TMP, tag);
}

#define TMP_KEY_MAX (EBB_KEY_MAX + sizeof(EBB_STORE_TMP) + EBB_STORE_TAG_MAX)

static int memory_write_open(struct ebb_store *s, const char *key,
			     const struct ebb_store_write_opts *opts, struct ebb_store_writer **ret,
			     struct ebb_err *err)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);
	char tmp[TMP_KEY_MAX];
	size_t klen = strlen(key);
	struct ebb_memory_object *o;

	tmp_of(key, opts->tag, tmp, sizeof(tmp));
	int rc = ebb_memory_tree_check_parent(&m->tree, key, err);
	if (rc < 0)
		return rc;
	if (ebb_memory_tree_find(&m->tree, tmp))
		return ebb_err_set(err, EBB_EEXIST, "temporary '%s' stands already", tmp);

	struct writer *w = calloc(1, sizeof(*w) + klen + 1);
	if (w)
		w->tmp = strdup(tmp);
	if (!w || !w->tmp)
		rc = ebb_err_set(err, EBB_ENOMEM, "no memory to write '%s'", key);
	else
		rc = ebb_memory_tree_create(&m->tree, tmp, 0600, &o, err);
	if (rc < 0) {
		if (w)
			free(w->tmp);
		free(w);
		return rc;
	}
	memcpy(w->key, key, klen + 1);
	w->key_of_caller = key;
	w->base.store = s;
	*ret = &w->base;
	return 0;
}

static int memory_write(struct ebb_store_writer *base, const void *buf, size_t len,
			struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	struct memory *m = (struct memory *)base->store;
	LOCKED(m);
	struct ebb_memory_object *o = ebb_memory_tree_find(&m->tree, w->tmp);

	if (!o)
		return ebb_memory_tree_missing(w->tmp, err);
	if (len && ebb_buf_add(&o->data, buf, len) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for '%s'", w->key);
	o->meta.mtime = o->ctime = ++m->tree.clock;
	return 0;
}

static int memory_write_hole(struct ebb_store_writer *base, int64_t len, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	struct memory *m = (struct memory *)base->store;
	LOCKED(m);
	struct ebb_memory_object *o = ebb_memory_tree_find(&m->tree, w->tmp);

	if (!o)
		return ebb_memory_tree_missing(w->tmp, err);
	if (ebb_buf_reserve(&o->data, (size_t)len) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for '%s'", w->key);
	memset(o->data.data + o->data.len, 0, (size_t)len + 1);
	o->data.len += (size_t)len;
	o->meta.mtime = o->ctime = ++m->tree.clock;
	return 0;
}

static void writer_free(struct writer *w)
{
	free(w->tmp);
	free(w);
}

static int commit(struct memory *m, struct writer *w, const struct ebb_meta *meta, uint32_t what,
		  struct ebb_err *err)
{
	struct ebb_memory_object *o = ebb_memory_tree_find(&m->tree, w->tmp);

	if (!o)
		return ebb_memory_tree_missing(w->tmp, err);
	int rc = ebb_memory_tree_apply(&m->tree, o, meta, what, err);
	if (rc < 0)
		return rc;
	if (ebb_memory_tree_taken(&m->tree, w->key))
		return ebb_err_set(err, EBB_EEXIST, "'%s' exists already", w->key);
	return ebb_memory_tree_move(&m->tree, w->tmp, w->key, err);
}

static int memory_write_commit(struct ebb_store_writer *base, const struct ebb_meta *meta,
			       uint32_t what, struct ebb_record *ret, struct ebb_err *err)
{
	struct writer *w = (struct writer *)base;
	struct memory *m = (struct memory *)base->store;
	LOCKED(m);

	int rc = commit(m, w, meta, what, err);
	if (rc < 0)
		ebb_memory_tree_remove(&m->tree, w->tmp);
	else if (ret)
		ebb_memory_tree_record(ebb_memory_tree_find(&m->tree, w->key), w->key_of_caller, ret);
	writer_free(w);
	return rc;
}

static void memory_write_abort(struct ebb_store_writer *base)
{
	struct writer *w = (struct writer *)base;
	struct memory *m = (struct memory *)base->store;
	LOCKED(m);

	ebb_memory_tree_remove(&m->tree, w->tmp);
	writer_free(w);
}

static int memory_write_sweep(struct ebb_store *s, const char *key, const char *tag,
			      struct ebb_err *err)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);
	char tmp[TMP_KEY_MAX];

	(void)err;
	tmp_of(key, tag, tmp, sizeof(tmp));
	ebb_memory_tree_remove(&m->tree, tmp);
	return 0;
}

/* --- The tree --- */

static int memory_rename(struct ebb_store *s, const char *from, const char *to,
			 const struct ebb_record *expect, struct ebb_err *err)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);
	struct ebb_memory_object *o;

	int rc = ebb_memory_tree_expect(&m->tree, from, expect, &o, err);
	if (rc == 0)
		rc = ebb_memory_tree_check_parent(&m->tree, to, err);
	if (rc < 0)
		return rc;
	if (ebb_memory_tree_taken(&m->tree, to))
		return ebb_err_set(err, EBB_EEXIST, "cannot move '%s': '%s' exists already", from, to);
	return ebb_memory_tree_is_dir(from) ? ebb_memory_tree_move_all(&m->tree, from, to, err)
					    : ebb_memory_tree_move(&m->tree, from, to, err);
}

/* Returns 1 when made, 0 when it stood. */
static int make_one(struct memory *m, const char *key, uint32_t mode, struct ebb_err *err)
{
	LOCKED(m);
	struct ebb_memory_object *o;

	if (ebb_memory_tree_find(&m->tree, key))
		return 0;
	if (ebb_memory_tree_taken(&m->tree, key))
		return ebb_err_set(err, EBB_EEXIST, "cannot create '%s': no directory stands there",
				   key);
	int rc = ebb_memory_tree_create(&m->tree, key, mode & 07777, &o, err);
	return rc < 0 ? rc : 1;
}

static int memory_mkdirs(struct ebb_store *s, const char *dir, uint32_t mode, ebb_store_made_fn *fn,
			 void *ctx, struct ebb_err *err)
{
	char key[EBB_KEY_MAX + 1];

	for (const char *slash = strchr(dir, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - dir) + 1;

		memcpy(key, dir, len);
		key[len] = '\0';
		int rc = make_one((struct memory *)s, key, mode, err);
		if (rc == 1 && fn)
			rc = fn(ctx, key, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int memory_rmdir(struct ebb_store *s, const char *dir, struct ebb_err *err)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);
	size_t i = ebb_memory_tree_place(&m->tree, dir);

	if (!ebb_memory_tree_find(&m->tree, dir))
		return ebb_memory_tree_missing(dir, err);
	if (i + 1 < m->tree.n && strncmp(m->tree.objects[i + 1]->key, dir, strlen(dir)) == 0)
		return ebb_err_set(err, EBB_EEXIST, "cannot remove '%s': it is not empty", dir);
	ebb_memory_tree_remove(&m->tree, dir);
	m->tree.clock++;
	return 0;
}

static int memory_remove(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			 struct ebb_err *err)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);
	struct ebb_memory_object *o;

	int rc = ebb_memory_tree_expect(&m->tree, key, expect, &o, err);
	if (rc < 0)
		return rc;
	ebb_memory_tree_remove(&m->tree, key);
	m->tree.clock++;
	return 0;
}

/* --- What other programs do --- */

int64_t ebb_store_memory_clock(struct ebb_store *s)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);

	return m->tree.clock;
}

void ebb_store_memory_set_clock(struct ebb_store *s, int64_t ns)
{
	struct memory *m = (struct memory *)s;
	LOCKED(m);

	m->tree.clock = ns;
}

static int put(struct memory *m, const char *key, const void *data, size_t len, struct ebb_err *err)
{
	LOCKED(m);
	struct ebb_memory_object *o = ebb_memory_tree_find(&m->tree, key);
	int rc = o ? 0 : ebb_memory_tree_create(&m->tree, key, 0644, &o, err);

	if (rc < 0)
		return rc;
	ebb_buf_clear(&o->data);
	o->meta.mtime = o->ctime = ++m->tree.clock;
	if (len && ebb_buf_add(&o->data, data, len) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for '%s'", key);
	return 0;
}

int ebb_store_memory_put(struct ebb_store *s, const char *key, const void *data, size_t len,
			 struct ebb_err *err)
{
	char parent[EBB_KEY_MAX + 1];
	const char *slash = strrchr(key, '/');
	int rc = 0;

	if (!ebb_store_key_ok(key) || ebb_memory_tree_is_dir(key))
		return ebb_err_set(err, EBB_EINVAL, "'%s' is not the key of an object", key);
	if (slash) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - key) + 1, key);
		rc = memory_mkdirs(s, parent, 0755, NULL, NULL, err);
	}
	return rc < 0 ? rc : put((struct memory *)s, key, data, len, err);
}

int ebb_store_memory_drop(struct ebb_store *s, const char *key, struct ebb_err *err)
{
	return memory_remove(s, key, NULL, err);
}

const struct ebb_store_ops ebb_store_memory_ops = {
	.type = "memory",
	.summary = "objects in memory, gone when the program ends; for tests",
	.open = memory_open,
	.close = memory_close,
	.identify = memory_identify,
	.list = memory_list,
	.head = memory_head,
	.get_meta = memory_get_meta,
	.set_meta = memory_set_meta,
	.read_open = memory_read_open,
	.read = memory_read,
	.read_seek = memory_read_seek,
	.read_hole = memory_read_hole,
	.read_verify = memory_read_verify,
	.read_close = memory_read_close,
	.write_open = memory_write_open,
	.write = memory_write,
	.write_hole = memory_write_hole,
	.write_commit = memory_write_commit,
	.write_abort = memory_write_abort,
	.write_sweep = memory_write_sweep,
	.rename = memory_rename,
	.mkdirs = memory_mkdirs,
	.rmdir = memory_rmdir,
	.remove = memory_remove,
};
