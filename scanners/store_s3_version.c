/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What takes objects away: hiding them under a delete marker, showing them again, and removing them for good. */
#include <stdio.h>
#include <string.h>

#include "scanners/s3_list.h"
#include "scanners/store_s3.h"

/* The versions and markers of one key, the newest first; at most a page of them. */
struct versions {
	struct ebb_s3_list list;
	size_t n;
	char full[EBB_STORE_S3_KEY];
};

static void versions_release(struct versions *v)
{
	ebb_s3_list_release(&v->list);
}

static int versions_get(struct ebb_store_s3 *s, const char *key, struct versions *v, struct ebb_err *err)
{
	int rc = ebb_store_s3_key(s, key, v->full, err);

	v->list.kind = EBB_S3_LIST_ALL_VERSIONS;
	v->list.prefix = v->full;
	if (rc == 0)
		rc = ebb_s3_list_do(s->s3, &v->list, err);
	while (rc == 0 && v->n < v->list.page.n && strcmp(v->list.page.entries[v->n].key, v->full) == 0)
		v->n++;
	return rc;
}

/* What was written while no versions were kept. */
static bool is_null(const char *id)
{
	return strcmp(id, "null") == 0;
}

/* The version below the marker that is the newest, as a record of @key; NULL when it is not so. */
static const struct ebb_s3_entry *hidden(const struct versions *v, const char *key, struct ebb_record *ret)
{
	const struct ebb_s3_entry *e = v->list.page.entries;

	if (v->n < 2 || e[0].kind != EBB_KIND_MARKER || e[1].kind != EBB_KIND_VERSION)
		return NULL;
	ebb_s3_page_record(&e[1], ret);
	ebb_record_set(ret, EBB_F_KIND, EBB_KIND_FILE);
	ret->key = key;
	ret->key_len = (uint32_t)strlen(key);
	return &e[1];
}

/* DELETE, of one version when @id is not "". *ret_marker: it made a marker. May be NULL. */
static int delete(struct ebb_store_s3 *s, const char *full, const char *id, const char *etag, bool *ret_marker,
		  struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	struct ebb_err why = {0};
	char text[16];

	ebb_s3_call_init(&call, EBB_S3_DELETE, "DELETE", full);
	if (*id)
		ebb_s3_call_query(&call, "versionId", id);
	if (*etag)
		ebb_s3_call_headerf(&call, "if-match", "\"%s\"", etag);
	int rc = ebb_s3_do(s->s3, &call, &why);
	if (rc == -EBB_ENOTSUP && *etag)	/* no conditional deletes there: it was looked at just before */
		return delete(s, full, id, "", ret_marker, err);
	if (rc < 0)
		return ebb_err_set(err, -rc, "%s", why.msg);
	if (ret_marker)
		*ret_marker = strcmp(ebb_s3_call_got(&call, "x-amz-delete-marker", text, sizeof(text)), "true") == 0;
	return 0;
}

int ebb_store_s3_version_second(struct ebb_store_s3 *s, const char *key, const char *id, struct ebb_err *err)
{
	EBB_CLEANUP(versions_release) struct versions v = {0};
	int rc = versions_get(s, key, &v, err);
	size_t i = 0;

	while (i < v.n && strcmp(v.list.page.entries[i].id, id) != 0)
		i++;
	return rc < 0 ? rc : i + 1 < v.n && v.list.page.entries[i + 1].kind == EBB_KIND_VERSION;
}

int ebb_store_s3_version_spares(struct ebb_store_s3 *s, const char *key, const struct ebb_store_s3_object *o, struct ebb_err *err)
{
	EBB_CLEANUP(versions_release) struct versions v = {0};

	if (s->versions != EBB_STORE_S3_SUSPENDED || !*o->version || is_null(o->version))
		return 0;
	int rc = versions_get(s, key, &v, err);
	for (size_t i = 0; rc == 0 && i < v.n; i++)
		if (is_null(v.list.page.entries[i].id) && v.list.page.entries[i].kind == EBB_KIND_VERSION)
			return ebb_err_set(err, EBB_ENOTSUP,
					   "'%s' has an older version, from before versions were kept, that would be lost while versioning of "
					   "bucket '%s' is suspended: enable it", key, ebb_s3_bucket(s->s3));
	return rc;
}

int ebb_store_s3_version_drop(struct ebb_store_s3 *s, const char *full, const char *id, struct ebb_err *err)
{
	return delete(s, full, id, "", NULL, err);
}

int ebb_store_s3_version_drop_second(struct ebb_store_s3 *s, const char *key, const char *id,
				     const struct ebb_record *expect, struct ebb_err *err)
{
	EBB_CLEANUP(versions_release) struct versions v = {0};
	int rc = versions_get(s, key, &v, err);
	const struct ebb_s3_entry *e = v.list.page.entries;
	struct ebb_record rec;

	if (rc < 0 || v.n < 2 || strcmp(e[0].id, id) != 0 || e[1].kind != EBB_KIND_VERSION)
		return rc;
	ebb_s3_page_record(&e[1], &rec);
	ebb_record_set(&rec, EBB_F_KIND, EBB_KIND_FILE);
	return ebb_store_expect(&rec, expect, NULL) == 0 ? delete(s, v.full, e[1].id, "", NULL, err) : 0;
}

static int put_marker(struct ebb_store_s3 *s, const char *full, struct ebb_err *err)
{
	bool marker = false;
	int rc = delete(s, full, "", "", &marker, err);

	if (rc == 0 && !marker)
		rc = ebb_err_set(err, EBB_EMISMATCH, "the store did not say that it kept '%s' under a delete marker", full);
	return rc;
}

int ebb_store_s3_version_hide(struct ebb_store *base, const char *key, const struct ebb_record *expect,
			      struct ebb_err *err)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call;
	struct ebb_store_s3_object o;
	char full[EBB_STORE_S3_KEY];

	if (!(base->caps & EBB_CAP_VERSIONS))
		return ebb_err_set(err, EBB_ENOTSUP, "bucket '%s' keeps no versions", ebb_s3_bucket(s->s3));
	int rc = ebb_store_s3_head(s, key, expect, &call, &o, err);
	if (rc == 0)
		rc = ebb_store_s3_key(s, key, full, err);
	return rc < 0 ? rc : put_marker(s, full, err);
}

int ebb_store_s3_version_hidden(struct ebb_store *base, const char *key, const struct ebb_record *expect,
				struct ebb_err *err)
{
	EBB_CLEANUP(versions_release) struct versions v = {0};
	struct ebb_record rec;
	int rc = versions_get((struct ebb_store_s3 *)base, key, &v, err);

	if (rc < 0)
		return rc;
	return hidden(&v, key, &rec) && ebb_store_expect(&rec, expect, NULL) == 0;
}

static int check_hidden(const struct versions *v, const char *key, const struct ebb_record *expect,
			struct ebb_err *err)
{
	struct ebb_record rec;
	struct ebb_err why = {0};

	if (!hidden(v, key, &rec))
		return ebb_err_set(err, EBB_ENOENT, "nothing is hidden under '%s'", key);
	int rc = ebb_store_expect(&rec, expect, &why);
	return rc < 0 ? ebb_err_set(err, -rc, "'%s' %s", key, why.msg) : 0;
}

int ebb_store_s3_version_show(struct ebb_store *base, const char *key, const struct ebb_record *expect,
			      struct ebb_err *err)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;
	EBB_CLEANUP(versions_release) struct versions v = {0};
	int rc = versions_get(s, key, &v, err);

	if (rc < 0)
		return rc;
	if (v.n && v.list.page.entries[0].kind == EBB_KIND_VERSION)
		return ebb_err_set(err, EBB_EEXIST, "an object stands under '%s'", key);
	rc = check_hidden(&v, key, expect, err);
	return rc < 0 ? rc : delete(s, v.full, v.list.page.entries[0].id, "", NULL, err);
}

/* A marker goes over older versions before the newest is taken from them: without it they would come up. */
static int remove_version(struct ebb_store_s3 *s, const char *key, const struct ebb_store_s3_object *o,
			  struct ebb_err *err)
{
	EBB_CLEANUP(versions_release) struct versions v = {0};
	int rc = versions_get(s, key, &v, err);

	if (rc < 0)
		return rc;
	if (v.n == 0 || strcmp(v.list.page.entries[0].id, o->version) != 0)
		return ebb_err_set(err, EBB_ECHANGED, "'%s' has changed: it is another version", key);
	if (v.n > 1)
		rc = put_marker(s, v.full, err);
	return rc < 0 ? rc : delete(s, v.full, o->version, "", NULL, err);
}

static int remove_hidden(struct ebb_store_s3 *s, const char *key, const struct ebb_record *expect,
			 struct ebb_err *err)
{
	EBB_CLEANUP(versions_release) struct versions v = {0};
	int rc = versions_get(s, key, &v, err);

	rc = rc < 0 ? rc : check_hidden(&v, key, expect, err);
	if (rc < 0)
		return rc;
	rc = delete(s, v.full, v.list.page.entries[1].id, "", NULL, err);
	if (rc == 0 && v.n == 2)
		rc = delete(s, v.full, v.list.page.entries[0].id, "", NULL, err);
	return rc;
}

int ebb_store_s3_version_remove(struct ebb_store *base, const char *key, const struct ebb_record *expect,
				struct ebb_err *err)
{
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call;
	struct ebb_store_s3_object o;
	struct ebb_err why = {0};
	char full[EBB_STORE_S3_KEY];
	int rc = ebb_store_s3_head(s, key, expect, &call, &o, &why);

	if (rc == -EBB_ENOENT && s->versions >= EBB_STORE_S3_SUSPENDED)	/* hidden before it was suspended, perhaps */
		return remove_hidden(s, key, expect, err);
	if (rc < 0)
		return ebb_err_set(err, -rc, "%s", why.msg);
	if (o.locked)
		return ebb_err_set(err, EBB_EACCES, "'%s' is locked: retention or legal hold", key);
	rc = ebb_store_s3_version_spares(s, key, &o, err);
	if (rc < 0)
		return rc;
	/* where it is suspended a plain DELETE leaves a marker in place of the version "null": deleting that id as well would show what is below */
	if (*o.version && !(s->versions == EBB_STORE_S3_SUSPENDED && is_null(o.version)))
		return remove_version(s, key, &o, err);
	rc = ebb_store_s3_key(s, key, full, err);
	return rc < 0 ? rc : delete(s, full, "", o.etag, NULL, err);
}
