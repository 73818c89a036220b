/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/memory_shelf.h"

#include <stdlib.h>
#include <string.h>

#include "compress/digest.h"
#include "core/clock.h"

#define DEFAULT_CLASS "STANDARD"

void ebb_memory_shelf_version_free(struct ebb_memory_shelf_version *v)
{
	if (!v)
		return;
	free(v->key);
	free(v->class);
	ebb_buf_release(&v->data);
	ebb_meta_release(&v->meta);
	free(v);
}

struct ebb_memory_shelf_version *ebb_memory_shelf_version_new(const char *key, const char *class)
{
	struct ebb_memory_shelf_version *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	ebb_buf_init(&v->data, SIZE_MAX - 1);
	ebb_meta_init(&v->meta);
	v->key = strdup(key);
	v->class = strdup(class ? class : DEFAULT_CLASS);
	if (v->key && v->class && ebb_buf_reserve(&v->data, 0) == 0)
		return v;
	ebb_memory_shelf_version_free(v);
	return NULL;
}

size_t ebb_memory_shelf_place(const struct ebb_memory_shelf *s, const char *key)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(s->all[mid]->key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct ebb_memory_shelf_version *ebb_memory_shelf_newest(const struct ebb_memory_shelf *s, const char *key)
{
	size_t i = ebb_memory_shelf_place(s, key);

	return i < s->n && strcmp(s->all[i]->key, key) == 0 ? s->all[i] : NULL;
}

struct ebb_memory_shelf_version *ebb_memory_shelf_current(const struct ebb_memory_shelf *s, const char *key)
{
	struct ebb_memory_shelf_version *v = ebb_memory_shelf_newest(s, key);

	return v && !v->marker ? v : NULL;
}

struct ebb_memory_shelf_version *ebb_memory_shelf_hidden(const struct ebb_memory_shelf *s, const char *key)
{
	size_t i = ebb_memory_shelf_place(s, key);

	if (i + 1 >= s->n || strcmp(s->all[i + 1]->key, key) != 0 || !s->all[i]->marker ||
	    s->all[i + 1]->marker)
		return NULL;
	return s->all[i + 1];
}

int ebb_memory_shelf_insert(struct ebb_memory_shelf *s, struct ebb_memory_shelf_version *v, struct ebb_err *err)
{
	size_t i = ebb_memory_shelf_place(s, v->key);

	if (s->n == s->size) {
		size_t size = s->size ? s->size * 2 : 64;
		struct ebb_memory_shelf_version **more = reallocarray(s->all, size, sizeof(*more));

		if (!more) {
			ebb_memory_shelf_version_free(v);
			return ebb_err_set(err, EBB_ENOMEM, "no memory for store '%s'", s->name);
		}
		s->all = more;
		s->size = size;
	}
	memmove(s->all + i + 1, s->all + i, (s->n - i) * sizeof(*s->all));
	s->all[i] = v;
	s->n++;
	v->time = s->clock += EBB_CLOCK_SECOND;
	return 0;
}

void ebb_memory_shelf_drop(struct ebb_memory_shelf *s, struct ebb_memory_shelf_version *v)
{
	for (size_t i = ebb_memory_shelf_place(s, v->key); i < s->n; i++) {
		if (s->all[i] != v)
			continue;
		memmove(s->all + i, s->all + i + 1, (--s->n - i) * sizeof(*s->all));
		ebb_memory_shelf_version_free(v);
		return;
	}
}

int ebb_memory_shelf_tag(struct ebb_memory_shelf_version *v, struct ebb_err *err)
{
	uint8_t sum[16];
	int rc = ebb_digest_of(&ebb_digest_md5, v->data.data, v->data.len, sum, err);

	if (rc == 0)
		ebb_digest_hex(sum, sizeof(sum), v->etag);
	return rc;
}

void ebb_memory_shelf_record(const struct ebb_memory_shelf_version *v, const char *key, struct ebb_record *ret)
{
	*ret = (struct ebb_record){.key = key, .key_len = (uint32_t)strlen(key)};
	ebb_record_set(ret, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(ret, EBB_F_SIZE, (int64_t)v->data.len);
	ebb_record_set(ret, EBB_F_MTIME, v->meta.mtime ? v->meta.mtime : v->time);
	ebb_record_set(ret, EBB_F_CTIME, v->time);
	ebb_record_set(ret, EBB_F_CLASS, ebb_record_class_code(v->class));
	ebb_record_etag(ret, v->etag, strlen(v->etag));
}

int ebb_memory_shelf_missing(const char *key, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOENT, "'%s' does not exist", key);
}

int ebb_memory_shelf_check(const struct ebb_memory_shelf_version *v, const char *key, const struct ebb_record *expect, struct ebb_err *err)
{
	struct ebb_record now;
	struct ebb_err why = {0};

	if (!v)
		return ebb_memory_shelf_missing(key, err);
	ebb_memory_shelf_record(v, key, &now);
	int rc = ebb_store_expect(&now, expect, &why);
	return rc < 0 ? ebb_err_set(err, -rc, "'%s' %s", key, why.msg) : 0;
}
