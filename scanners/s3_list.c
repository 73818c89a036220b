/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/s3_list.h"

#include <stdio.h>
#include <string.h>

#include "core/completion.h"

#define PAGE_MAX ((size_t)16 << 20)	/* 1,000 keys of 1,024 encoded bytes each, with all around */
#define PAGE_KEYS 1000

static void query(struct ebb_s3_list *l, const char *name, const char *value)
{
	if (value && *value)
		ebb_s3_call_query(&l->call, name, value);
}

static void ask_objects(struct ebb_s3_list *l)
{
	ebb_s3_call_init(&l->call, EBB_S3_LIST, "GET", NULL);
	ebb_s3_call_query(&l->call, "list-type", "2");
	query(l, "start-after", l->after);
}

static void ask_versions(struct ebb_s3_list *l)
{
	ebb_s3_call_init(&l->call, EBB_S3_LIST_VERSIONS, "GET", NULL);
	ebb_s3_call_query(&l->call, "versions", "");
	query(l, "key-marker", l->after);
	query(l, "version-id-marker", l->after ? l->after_id : NULL);
}

static void ask_uploads(struct ebb_s3_list *l)
{
	ebb_s3_call_init(&l->call, EBB_S3_LIST_UPLOADS, "GET", NULL);
	ebb_s3_call_query(&l->call, "uploads", "");
	query(l, "key-marker", l->after);
	query(l, "upload-id-marker", l->after ? l->after_id : NULL);
}

static int wrong(struct ebb_s3_list *l, const char *what)
{
	return ebb_err_set(&l->err, EBB_ECORRUPT, "bucket '%s' lists %s", ebb_s3_bucket(l->call.client), what);
}

/* A page that goes back, or that stands still, would repeat or miss keys without end. */
static int check_order(struct ebb_s3_list *l)
{
	const struct ebb_s3_page *p = &l->page;
	const char *before = l->after ? l->after : "";
	bool strict = l->kind == EBB_S3_LIST_OBJECTS || !l->after_id || !*l->after_id;

	for (size_t i = 0; i < p->n; i++) {
		int c = strcmp(before, p->entries[i].key);

		if (p->entries[i].kind == EBB_KIND_DIR)	/* they stand apart from the keys */
			continue;
		if (c > 0 || (c == 0 && strict))
			return wrong(l, "keys that are not in order");
		if (l->prefix && strncmp(p->entries[i].key, l->prefix, strlen(l->prefix)) != 0)
			return wrong(l, "keys outside of the prefix");
		before = p->entries[i].key;
		strict = l->kind == EBB_S3_LIST_OBJECTS;
	}
	return p->truncated && p->n == 0 ? wrong(l, "an empty page and says there is more") : 0;
}

/* Drop what lies behind the end of the range. */
static void cut(struct ebb_s3_list *l)
{
	struct ebb_s3_page *p = &l->page;

	l->more = p->truncated;
	while (l->until && *l->until && p->n && strcmp(p->entries[p->n - 1].key, l->until) >= 0) {
		p->n--;
		l->more = false;
	}
}

static int take(struct ebb_s3_list *l)
{
	const struct ebb_buf *answer = &l->call.http.answer;
	int rc = ebb_s3_page_parse(&l->page, answer->data, answer->len, &l->err);

	if (rc < 0)
		return ebb_err_wrap(&l->err, "listing bucket '%s'", ebb_s3_bucket(l->call.client));
	rc = check_order(l);
	if (rc < 0)
		return rc;
	if (l->page.n) {
		l->next = l->page.entries[l->page.n - 1].key;
		l->next_id = l->page.entries[l->page.n - 1].id;
		if (l->kind != EBB_S3_LIST_OBJECTS && *l->page.next_key) {
			l->next = l->page.next_key;
			l->next_id = l->page.next_id;
		}
		if (l->page.entries[l->page.n - 1].kind == EBB_KIND_DIR)
			l->next_id = "";
	}
	cut(l);
	return 0;
}

static void on_done(struct ebb_s3_call *call)
{
	struct ebb_s3_list *l = call->ctx;

	l->rc = call->rc;
	if (l->rc < 0)
		l->err = call->err;
	else
		l->rc = take(l);
	l->done(l);
}

void ebb_s3_list_start(struct ebb_s3 *s, struct ebb_s3_list *l)
{
	static void (*const ask[])(struct ebb_s3_list *) = {ask_objects, ask_versions, ask_uploads};
	char max[16];

	ebb_s3_call_release(&l->call);
	ebb_s3_page_release(&l->page);
	ebb_s3_page_init(&l->page);
	ebb_err_clear(&l->err);
	l->rc = 0;
	l->more = false;
	l->next = l->next_id = NULL;
	ask[l->kind](l);
	query(l, "prefix", l->prefix);
	query(l, "delimiter", l->delimiter);
	query(l, "encoding-type", "url");	/* XML cannot carry every key */
	snprintf(max, sizeof(max), "%u", l->max ? l->max : PAGE_KEYS);
	query(l, l->kind == EBB_S3_LIST_UNFINISHED ? "max-uploads" : "max-keys", max);
	l->call.limit = PAGE_MAX;
	l->call.done = on_done;
	l->call.ctx = l;
	ebb_s3_start(s, &l->call);
}

static void signal_done(struct ebb_s3_list *l)
{
	ebb_completion_signal(l->ctx);
}

int ebb_s3_list_do(struct ebb_s3 *s, struct ebb_s3_list *l, struct ebb_err *err)
{
	struct ebb_completion completion;
	void *ctx = l->ctx;

	ebb_completion_init(&completion);
	l->ctx = &completion;
	l->done = signal_done;
	ebb_s3_list_start(s, l);
	ebb_completion_wait(&completion);
	l->ctx = ctx;
	return l->rc < 0 ? ebb_err_set(err, -l->rc, "%s", l->err.msg) : 0;
}

void ebb_s3_list_release(struct ebb_s3_list *l)
{
	ebb_s3_call_release(&l->call);
	ebb_s3_page_release(&l->page);
}
