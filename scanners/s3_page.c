/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/s3_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/date.h"
#include "core/mem.h"
#include "scanners/s3_xml.h"

#define ARENA_CAP ((size_t)64 << 20)
#define KEY_MAX 1024

struct parse {
	struct ebb_s3_page *page;
	bool encoded;		/* EncodingType is url: keys are decoded at the end, wherever it stood */
	bool known;		/* the root is a listing */
	struct ebb_err *err;
};

/* What encloses an entry. */
static const struct {
	const char *element;
	enum ebb_record_kind kind;
} containers[] = {
	{"Contents", EBB_KIND_FILE}, {"Version", EBB_KIND_VERSION}, {"DeleteMarker", EBB_KIND_MARKER},
	{"Upload", EBB_KIND_UPLOAD}, {"Part", EBB_KIND_FILE},	    {"CommonPrefixes", EBB_KIND_DIR},
};

static const char *const roots[] = {"ListBucketResult", "ListVersionsResult", "ListMultipartUploadsResult",
				    "ListPartsResult"};

void ebb_s3_page_init(struct ebb_s3_page *page)
{
	*page = (struct ebb_s3_page){.next_token = "", .next_key = "", .next_id = ""};
	ebb_arena_init(&page->arena, ARENA_CAP);
}

void ebb_s3_page_release(struct ebb_s3_page *page)
{
	ebb_arena_release(&page->arena);
	free(page->entries);
	page->entries = NULL;
	page->n = page->size = 0;
}

static int no_memory(struct parse *p)
{
	return ebb_err_set(p->err, EBB_ENOMEM, "no memory for a page of a listing");
}

static int add_entry(struct parse *p, enum ebb_record_kind kind)
{
	struct ebb_s3_page *page = p->page;

	if (page->n == page->size) {
		size_t size = page->size ? page->size * 2 : 1024;
		struct ebb_s3_entry *more = reallocarray(page->entries, size, sizeof(*more));

		if (!more)
			return no_memory(p);
		page->entries = more;
		page->size = size;
	}
	page->entries[page->n++] =
		(struct ebb_s3_entry){.kind = kind, .key = "", .etag = "", .class = "", .id = ""};
	return 0;
}

static int on_begin(void *ctx, const char *name, unsigned depth)
{
	struct parse *p = ctx;

	for (size_t i = 0; depth == 0 && i < EBB_ARRAY_LEN(roots); i++)
		p->known = p->known || strcmp(name, roots[i]) == 0;
	for (size_t i = 0; depth == 1 && i < EBB_ARRAY_LEN(containers); i++)
		if (strcmp(name, containers[i].element) == 0)
			return add_entry(p, containers[i].kind);
	return 0;
}

static int two(const char *s)
{
	return s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' ? -1 : (s[0] - '0') * 10 + s[1] - '0';
}

int64_t ebb_s3_page_time(const char *s)
{
	if (strlen(s) < 19 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':')
		return 0;
	struct ebb_date d = {two(s) * 100 + two(s + 2), two(s + 5), two(s + 8)};
	int h = two(s + 11), m = two(s + 14), sec = two(s + 17);
	if (two(s) < 0 || two(s + 2) < 0 || d.year < 1970 || d.year > 2261 || !ebb_date_valid(d) || h < 0 ||
	    h > 23 || m < 0 || m > 59 || sec < 0 || sec > 60)
		return 0;
	return ebb_date_days(d) * EBB_DATE_DAY_NS + (h * 3600 + m * 60 + sec) * EBB_CLOCK_SECOND;
}

static int64_t number(const char *s)
{
	int64_t n = 0;

	for (; *s >= '0' && *s <= '9' && n <= (INT64_MAX - 9) / 10; s++)
		n = n * 10 + *s - '0';
	return *s ? -1 : n;
}

static int keep(struct parse *p, const char *text, size_t len, const char **ret)
{
	char *copy = ebb_arena_memdup(&p->page->arena, text, len);

	if (!copy)
		return no_memory(p);
	*ret = copy;
	return 0;
}

static int keep_etag(struct parse *p, const char *text, size_t len, const char **ret)
{
	if (len >= 2 && text[0] == '"' && text[len - 1] == '"')
		text++, len -= 2;
	return keep(p, text, len, ret);
}

static int on_entry(struct parse *p, struct ebb_s3_entry *e, const char *name, const char *text, size_t len)
{
	if (strcmp(name, "Key") == 0 || (e->kind == EBB_KIND_DIR && strcmp(name, "Prefix") == 0)) {
		e->key_len = (uint32_t)len;
		return keep(p, text, len, &e->key);
	}
	if (strcmp(name, "LastModified") == 0 || strcmp(name, "Initiated") == 0) {
		e->time = ebb_s3_page_time(text);
	} else if (strcmp(name, "Size") == 0) {
		e->size = number(text);
		if (e->size < 0)
			return ebb_err_set(p->err, EBB_ECORRUPT, "a size that is no number");
	} else if (strcmp(name, "ETag") == 0) {
		return keep_etag(p, text, len, &e->etag);
	} else if (strcmp(name, "StorageClass") == 0) {
		return keep(p, text, len, &e->class);
	} else if (strcmp(name, "VersionId") == 0 || strcmp(name, "UploadId") == 0) {
		return keep(p, text, len, &e->id);
	} else if (strcmp(name, "IsLatest") == 0) {
		e->latest = strcmp(text, "true") == 0;
	} else if (strcmp(name, "PartNumber") == 0) {
		e->part = number(text);
	}
	return 0;
}

static int on_leaf(void *ctx, const char *parent, const char *name, const char *text, size_t len)
{
	struct parse *p = ctx;
	struct ebb_s3_page *page = p->page;

	for (size_t i = 0; i < EBB_ARRAY_LEN(containers); i++)
		if (strcmp(parent, containers[i].element) == 0 && page->n)
			return on_entry(p, &page->entries[page->n - 1], name, text, len);
	if (strcmp(name, "IsTruncated") == 0)
		page->truncated = strcmp(text, "true") == 0;
	else if (strcmp(name, "EncodingType") == 0)
		p->encoded = strcmp(text, "url") == 0;
	else if (strcmp(name, "NextContinuationToken") == 0)
		return keep(p, text, len, &page->next_token);
	else if (strcmp(name, "NextKeyMarker") == 0)
		return keep(p, text, len, &page->next_key);
	else if (strcmp(name, "NextVersionIdMarker") == 0 || strcmp(name, "NextUploadIdMarker") == 0 ||
		 strcmp(name, "NextPartNumberMarker") == 0)
		return keep(p, text, len, &page->next_id);
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. '+' is a space: AWS writes it so, and every store encodes a plus. Returns the new length. */
static uint32_t decode(char *s)
{
	char *to = s;

	for (const char *p = s; *p; p++) {
		int hi, lo;

		if (*p == '%' && (hi = hex(p[1])) >= 0 && (lo = hex(p[2])) >= 0) {
			*to++ = (char)(hi << 4 | lo);
			p += 2;
		} else {
			*to++ = *p == '+' ? ' ' : *p;
		}
	}
	*to = '\0';
	return (uint32_t)(to - s);
}

static int finish(struct parse *p, struct ebb_err *err)
{
	struct ebb_s3_page *page = p->page;

	if (!p->known)
		return ebb_err_set(err, EBB_ECORRUPT, "the answer is no listing");
	/* keys were copied into the arena, so they may be written to */
	if (p->encoded && *page->next_key)
		decode((char *)(uintptr_t)page->next_key);
	for (size_t i = 0; i < page->n; i++) {
		struct ebb_s3_entry *e = &page->entries[i];

		if (p->encoded && e->key_len)
			e->key_len = decode((char *)(uintptr_t)e->key);
		if (e->part)
			continue;
		if (e->key_len == 0 || e->key_len > KEY_MAX || strlen(e->key) != e->key_len)
			return ebb_err_set(err, EBB_ECORRUPT, "a listing with a key of %u bytes", e->key_len);
	}
	return 0;
}

int ebb_s3_page_parse(struct ebb_s3_page *page, const void *doc, size_t len, struct ebb_err *err)
{
	struct parse p = {.page = page, .err = err};
	const struct ebb_s3_xml_events events = {.ctx = &p, .begin = on_begin, .leaf = on_leaf};

	ebb_s3_page_release(page);
	ebb_s3_page_init(page);
	int rc = ebb_s3_xml_parse(doc, len, &events, err);
	return rc < 0 ? rc : finish(&p, err);
}

void ebb_s3_page_record(const struct ebb_s3_entry *e, struct ebb_record *ret)
{
	*ret = (struct ebb_record){.key = e->key, .key_len = e->key_len};
	ebb_record_set(ret, EBB_F_KIND, e->kind);
	if (e->kind != EBB_KIND_UPLOAD)
		ebb_record_set(ret, EBB_F_SIZE, e->size);
	if (e->time) {
		ebb_record_set(ret, EBB_F_MTIME, e->time);
		ebb_record_set(ret, EBB_F_CTIME, e->time);
	}
	if (*e->etag)
		ebb_record_etag(ret, e->etag, strlen(e->etag));
	/* S3 says nothing for STANDARD in heads, other stores say nothing at all */
	if (e->kind != EBB_KIND_MARKER)
		ebb_record_set(ret, EBB_F_CLASS, ebb_record_class_code(*e->class ? e->class : "STANDARD"));
}
