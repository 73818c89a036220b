/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/memory_tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scanners/store.h"

static void object_free(struct ebb_memory_object *o)
{
	free(o->key);
	ebb_buf_release(&o->data);
	ebb_meta_release(&o->meta);
	free(o);
}

void ebb_memory_tree_release(struct ebb_memory_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		object_free(t->objects[i]);
	free(t->objects);
	*t = (struct ebb_memory_tree){0};
}

size_t ebb_memory_tree_place(const struct ebb_memory_tree *t, const char *key)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(t->objects[mid]->key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct ebb_memory_object *ebb_memory_tree_find(const struct ebb_memory_tree *t, const char *key)
{
	size_t i = ebb_memory_tree_place(t, key);

	return i < t->n && strcmp(t->objects[i]->key, key) == 0 ? t->objects[i] : NULL;
}

int ebb_memory_tree_missing(const char *key, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOENT, "'%s' does not exist", key);
}

/* Room for one more in the array, so that insert cannot fail. */
static int make_room(struct ebb_memory_tree *t, struct ebb_err *err)
{
	if (t->n < t->size)
		return 0;
	size_t size = t->size ? 2 * t->size : 16;
	struct ebb_memory_object **grown = realloc(t->objects, ebb_mem_mul(size, sizeof(*grown)));
	if (!grown)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for an object");
	t->objects = grown;
	t->size = size;
	return 0;
}

static void insert(struct ebb_memory_tree *t, struct ebb_memory_object *o)
{
	size_t at = ebb_memory_tree_place(t, o->key);

	memmove(&t->objects[at + 1], &t->objects[at], (t->n - at) * sizeof(struct ebb_memory_object *));
	t->objects[at] = o;
	t->n++;
}

static struct ebb_memory_object *extract(struct ebb_memory_tree *t, size_t at)
{
	struct ebb_memory_object *o = t->objects[at];

	t->n--;
	memmove(&t->objects[at], &t->objects[at + 1], (t->n - at) * sizeof(struct ebb_memory_object *));
	return o;
}

int ebb_memory_tree_create(struct ebb_memory_tree *t, const char *key, uint32_t mode,
			   struct ebb_memory_object **ret, struct ebb_err *err)
{
	int rc = make_room(t, err);
	struct ebb_memory_object *o = rc < 0 ? NULL : calloc(1, sizeof(*o));

	if (o)
		o->key = strdup(key);
	if (!o || !o->key) {
		free(o);
		return rc < 0 ? rc : ebb_err_set(err, EBB_ENOMEM, "no memory for '%s'", key);
	}
	ebb_buf_init(&o->data, SIZE_MAX - 1);
	o->ino = ++t->last_ino;
	o->ctime = o->meta.mtime = o->meta.atime = ++t->clock;
	o->meta.mode = mode;
	insert(t, o);
	*ret = o;
	return 0;
}

bool ebb_memory_tree_is_dir(const char *key)
{
	return key[strlen(key) - 1] == '/';
}

bool ebb_memory_tree_taken(const struct ebb_memory_tree *t, const char *key)
{
	char other[EBB_KEY_MAX + 2];
	size_t len = strlen(key);

	memcpy(other, key, len + 1);
	if (ebb_memory_tree_is_dir(key))
		other[len - 1] = '\0';
	else
		memcpy(other + len, "/", 2);
	return ebb_memory_tree_find(t, key) || ebb_memory_tree_find(t, other);
}

int ebb_memory_tree_check_parent(const struct ebb_memory_tree *t, const char *key,
				 struct ebb_err *err)
{
	char parent[EBB_KEY_MAX + 1];
	size_t len = strlen(key) - ebb_memory_tree_is_dir(key);
	const char *slash = memrchr(key, '/', len);

	if (!slash)
		return 0;
	memcpy(parent, key, (size_t)(slash - key) + 1);
	parent[slash - key + 1] = '\0';
	return ebb_memory_tree_find(t, parent) ? 0 : ebb_memory_tree_missing(parent, err);
}

void ebb_memory_tree_record(const struct ebb_memory_object *o, const char *key,
			    struct ebb_record *ret)
{
	bool dir = ebb_memory_tree_is_dir(o->key);

	*ret = (struct ebb_record){.key = key, .key_len = (uint32_t)strlen(key)};
	ebb_record_set(ret, EBB_F_KIND, dir ? EBB_KIND_DIR : EBB_KIND_FILE);
	ebb_record_set(ret, EBB_F_SIZE, (int64_t)o->data.len);
	ebb_record_set(ret, EBB_F_ALLOC, (int64_t)o->data.len);
	ebb_record_set(ret, EBB_F_MTIME, o->meta.mtime);
	ebb_record_set(ret, EBB_F_ATIME, o->meta.atime);
	ebb_record_set(ret, EBB_F_CTIME, o->ctime);
	ebb_record_set(ret, EBB_F_MODE, (int64_t)(o->meta.mode | (dir ? S_IFDIR : S_IFREG)));
	ebb_record_set(ret, EBB_F_UID, o->meta.uid);
	ebb_record_set(ret, EBB_F_GID, o->meta.gid);
	ebb_record_set(ret, EBB_F_NLINK, 1);
	ebb_record_set(ret, EBB_F_INO, o->ino);
}

int ebb_memory_tree_expect(const struct ebb_memory_tree *t, const char *key,
			   const struct ebb_record *expect, struct ebb_memory_object **ret,
			   struct ebb_err *err)
{
	struct ebb_memory_object *o = ebb_memory_tree_find(t, key);
	struct ebb_record now;

	if (!o)
		return ebb_memory_tree_missing(key, err);
	ebb_memory_tree_record(o, key, &now);
	int rc = ebb_store_expect(&now, expect, err);
	if (rc == 0)
		*ret = o;
	return rc;
}

int ebb_memory_tree_apply(struct ebb_memory_tree *t, struct ebb_memory_object *o,
			  const struct ebb_meta *meta, uint32_t what, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta copy = {0};

	if (what == 0)
		return 0;
	int rc = ebb_meta_copy(&copy, meta, err);
	if (rc < 0)
		return rc;
	if (what & EBB_META_OWNER) {
		o->meta.uid = copy.uid;
		o->meta.gid = copy.gid;
	}
	if (what & EBB_META_MODE)
		o->meta.mode = copy.mode & 07777;
	if (what & EBB_META_TIMES) {
		o->meta.mtime = copy.mtime;
		o->meta.atime = copy.atime;
	}
	if (what & EBB_META_XATTRS) {
		struct ebb_meta old = o->meta;

		o->meta.xattrs = copy.xattrs;
		o->meta.nxattrs = copy.nxattrs;
		copy.xattrs = old.xattrs;
		copy.nxattrs = old.nxattrs;
	}
	o->ctime = ++t->clock;
	return 0;
}

void ebb_memory_tree_remove(struct ebb_memory_tree *t, const char *key)
{
	if (ebb_memory_tree_find(t, key))
		object_free(extract(t, ebb_memory_tree_place(t, key)));
}

int ebb_memory_tree_move(struct ebb_memory_tree *t, const char *from, const char *to,
			 struct ebb_err *err)
{
	char *key = strdup(to);

	if (!key)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for '%s'", to);
	struct ebb_memory_object *o = extract(t, ebb_memory_tree_place(t, from));
	free(o->key);
	o->key = key;
	o->ctime = ++t->clock;
	insert(t, o);
	return 0;
}

int ebb_memory_tree_move_all(struct ebb_memory_tree *t, const char *from, const char *to,
			     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf key = EBB_BUF_INIT(SIZE_MAX - 1);
	size_t len = strlen(from);
	size_t i;

	while ((i = ebb_memory_tree_place(t, from)) < t->n && strncmp(t->objects[i]->key, from, len) == 0) {
		EBB_CLEANUP(ebb_mem_freep) char *old = strdup(t->objects[i]->key);

		ebb_buf_clear(&key);
		if (!old || ebb_buf_addf(&key, "%s%s", to, old + len) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "no memory to move '%s'", from);
		int rc = ebb_memory_tree_move(t, old, key.data, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
