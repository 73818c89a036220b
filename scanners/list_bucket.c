/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/list_bucket.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "scanners/s3_list.h"

/* Names of classes that one bucket may have; what comes from a server is bounded. */
enum { CLASSES = 64 };

struct ebb_list_bucket {
	struct ebb_s3 *s3;
	const char *prefix;
	size_t prefix_len;
	bool versions;
	pthread_mutex_t lock;		/* protects the classes */
	char *classes[CLASSES];
	size_t nclasses;
	struct ebb_s3_list uploads;	/* the page at hand */
	size_t next_upload;
	bool asked;
	char *upload_after, *upload_after_id;
	char upload_key[EBB_KEY_MAX];
};

/* A page on its way. */
struct asked {
	struct ebb_s3_list list;
	struct ebb_list_bucket *b;
	struct ebb_list_page *page;
	char after[2 * EBB_KEY_MAX];
};

int ebb_list_bucket_new(struct ebb_s3 *s3, const char *prefix, bool versions,
			struct ebb_list_bucket **ret, struct ebb_err *err)
{
	struct ebb_list_bucket *b = calloc(1, sizeof(*b));

	if (!b)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	b->s3 = s3;
	b->prefix = prefix;
	b->prefix_len = strlen(prefix);
	b->versions = versions;
	pthread_mutex_init(&b->lock, NULL);
	*ret = b;
	return 0;
}

void ebb_list_bucket_free(struct ebb_list_bucket *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->nclasses; i++)
		free(b->classes[i]);
	ebb_s3_list_release(&b->uploads);
	free(b->upload_after);
	free(b->upload_after_id);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* --- Classes --------------------------------------------------------------------------------------------- */

static const char *find_class(const struct ebb_list_bucket *b, int64_t code)
{
	for (size_t i = 0; i < b->nclasses; i++)
		if (ebb_record_class_code(b->classes[i]) == code)
			return b->classes[i];
	return NULL;
}

static int note_class(struct ebb_list_bucket *b, const char *name, struct ebb_err *err)
{
	int r = 0;

	pthread_mutex_lock(&b->lock);
	if (!find_class(b, ebb_record_class_code(name))) {
		char *copy = b->nclasses < CLASSES ? strdup(name) : NULL;

		if (copy)
			b->classes[b->nclasses++] = copy;
		else
			r = ebb_err_set(err, EBB_ERANGE, "the bucket has more than %d storage classes", CLASSES);
	}
	pthread_mutex_unlock(&b->lock);
	return r;
}

const char *ebb_list_bucket_class(struct ebb_list_bucket *b, int64_t code)
{
	pthread_mutex_lock(&b->lock);
	const char *name = find_class(b, code);

	pthread_mutex_unlock(&b->lock);
	return name;
}

/* --- Pages ----------------------------------------------------------------------------------------------- */

/* Record of an entry with its key behind the prefix; hidden ones get theirs in @hidden of EBB_KEY_MAX bytes. */
static int record_of(const struct ebb_list_bucket *b, const struct ebb_s3_entry *e, char *hidden,
		     struct ebb_record *ret, struct ebb_err *err)
{
	ebb_s3_page_record(e, ret);
	ret->key = e->key + b->prefix_len;
	ret->key_len = e->key_len - (uint32_t)b->prefix_len;
	if (e->kind == EBB_KIND_FILE || (e->kind == EBB_KIND_VERSION && e->latest)) {
		ebb_record_set(ret, EBB_F_KIND, EBB_KIND_FILE);
		return 0;
	}
	ret->key_len = (uint32_t)ebb_record_hidden_key(ret->key, ret->key_len, e->time, e->id, hidden);
	ret->key = hidden;
	return ret->key_len ? 0 : ebb_err_set(err, EBB_ERANGE, "the id of a version of '%s' is too long", e->key);
}

static int fill(struct asked *a, struct ebb_err *err)
{
	const struct ebb_list_bucket *b = a->b;
	struct ebb_list_page *page = a->page;
	const struct ebb_s3_list *l = &a->list;
	char hidden[EBB_KEY_MAX];
	struct ebb_record rec;
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->page.n; i++) {
		const struct ebb_s3_entry *e = &l->page.entries[i];

		if (e->key_len == b->prefix_len) /* the prefix itself, which is no key of the store */
			continue;
		if ((r = note_class(a->b, *e->class ? e->class : "STANDARD", err)) == 0 &&
		    (r = record_of(b, e, hidden, &rec, err)) == 0)
			r = ebb_list_page_add(page, &rec);
	}
	page->more = l->more;
	if (r == 0 && l->more &&
	    (ebb_buf_adds(&page->next, l->next + b->prefix_len) < 0 ||
	     (b->versions && ebb_buf_adds(&page->next_id, l->next_id) < 0)))
		r = -EBB_ENOMEM;
	return r == -EBB_ENOMEM && !err->code ? ebb_err_set(err, EBB_ENOMEM, "out of memory") : r;
}

static void on_list(struct ebb_s3_list *list)
{
	struct asked *a = list->ctx;
	struct ebb_list_page *page = a->page;

	page->rc = list->rc;
	if (list->rc < 0)
		page->err = list->err;
	else
		page->rc = fill(a, &page->err);
	ebb_s3_list_release(list);
	free(a);
	page->done(page);
}

static void start(void *ctx, struct ebb_list_page *page)
{
	struct ebb_list_bucket *b = ctx;
	struct asked *a = calloc(1, sizeof(*a));

	if (!a) {
		page->rc = ebb_err_set(&page->err, EBB_ENOMEM, "out of memory");
		page->done(page);
		return;
	}
	a->b = b;
	a->page = page;
	memcpy(a->after, b->prefix, b->prefix_len);
	strcpy(a->after + b->prefix_len, page->after);
	a->list = (struct ebb_s3_list){
		.kind = b->versions ? EBB_S3_LIST_ALL_VERSIONS : EBB_S3_LIST_OBJECTS,
		.prefix = b->prefix, .after = *page->after ? a->after : NULL,
		.after_id = *page->after_id ? page->after_id : NULL, .done = on_list, .ctx = a,
	};
	ebb_s3_list_start(b->s3, &a->list);
}

/* --- Uploads --------------------------------------------------------------------------------------------- */

static int next_page(struct ebb_list_bucket *b, struct ebb_err *err)
{
	struct ebb_s3_list *l = &b->uploads;

	if (b->asked) {
		free(b->upload_after);
		free(b->upload_after_id);
		b->upload_after = strdup(l->next);
		b->upload_after_id = strdup(l->next_id);
		if (!b->upload_after || !b->upload_after_id)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	b->asked = true;
	b->next_upload = 0;
	l->kind = EBB_S3_LIST_UNFINISHED;
	l->prefix = b->prefix;
	l->after = b->upload_after;
	l->after_id = b->upload_after_id;
	int r = ebb_s3_list_do(b->s3, l, err);
	return r == -EBB_ENOTSUP || r == -EBB_EACCES ? 0 : r; /* a store without uploads, or not ours to see */
}

static int upload(void *ctx, struct ebb_record *ret, struct ebb_err *err)
{
	struct ebb_list_bucket *b = ctx;
	struct ebb_s3_list *l = &b->uploads;

	while (b->next_upload == l->page.n) {
		if (b->asked && !l->more)
			return 0;
		int r = next_page(b, err);
		if (r < 0)
			return r;
	}
	int r = record_of(b, &l->page.entries[b->next_upload++], b->upload_key, ret, err);
	return r < 0 ? r : 1;
}

struct ebb_list_source ebb_list_bucket_source(struct ebb_list_bucket *b)
{
	return (struct ebb_list_source){.ctx = b, .start = start, .upload = upload};
}
