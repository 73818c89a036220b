/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/inventory_csv.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/units.h"

int ebb_inventory_csv_schema(struct ebb_inventory_csv *c, const char *schema, struct ebb_err *err)
{
	const struct {
		const char *name;
		int *at;
	} columns[] = {{"Bucket", &c->bucket},	     {"Key", &c->key},	   {"VersionId", &c->version},
		       {"IsLatest", &c->latest},     {"IsDeleteMarker", &c->marker}, {"Size", &c->size},
		       {"LastModifiedDate", &c->modified}, {"ETag", &c->etag},	   {"StorageClass", &c->class},
		       {"IntelligentTieringAccessTier", &c->tier}};
	const char *p = schema;

	c->n = 0;
	for (size_t i = 0; i < EBB_ARRAY_LEN(columns); i++)
		*columns[i].at = -1;
	while (*p) {
		size_t len = strcspn(p, ", ");

		for (size_t i = 0; i < EBB_ARRAY_LEN(columns); i++)
			if (strlen(columns[i].name) == len && memcmp(columns[i].name, p, len) == 0)
				*columns[i].at = c->n;
		if (len > 0)
			c->n++;
		p += len + (p[len] != '\0');
	}
	if (c->bucket < 0 || c->key < 0 || c->n > EBB_INVENTORY_CSV_FIELDS)
		return ebb_err_set(err, EBB_ESTORE, "its columns are not those of an inventory: '%.200s'", schema);
	return 0;
}

/* Next field from @p on; "" inside quotes is one. NULL when damaged, else where the next begins. */
static char *field(char *p, char *end, struct ebb_inventory_csv_text *ret)
{
	char *out;

	if (p == end || *p != '"') {
		char *comma = memchr(p, ',', (size_t)(end - p));

		*ret = (struct ebb_inventory_csv_text){p, (size_t)((comma ? comma : end) - p)};
		return comma ? comma + 1 : end + 1;
	}
	ret->p = out = ++p;
	for (; p < end; p++) {
		if (*p != '"') {
			*out++ = *p;
		} else if (p + 1 < end && p[1] == '"') {
			*out++ = *p++;
		} else {
			ret->len = (size_t)(out - ret->p);
			return p + 1 == end ? end + 1 : p[1] == ',' ? p + 2 : NULL;
		}
	}
	return NULL;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode a key: %XX, and '+' for a blank. False when it cannot be one. */
static bool decode_key(struct ebb_inventory_csv_text t, struct ebb_inventory_csv_row *ret)
{
	ret->key_len = 0;
	for (size_t i = 0; i < t.len; i++) {
		char c = t.p[i] == '+' ? ' ' : t.p[i];

		if (c == '%') {
			if (i + 2 >= t.len || hex(t.p[i + 1]) < 0 || hex(t.p[i + 2]) < 0)
				return false;
			c = (char)(hex(t.p[i + 1]) << 4 | hex(t.p[i + 2]));
			i += 2;
		}
		if (c == 0 || ret->key_len == sizeof(ret->key))
			return false;
		ret->key[ret->key_len++] = c;
	}
	return ret->key_len > 0;
}

static bool is_true(struct ebb_inventory_csv_text t)
{
	return t.len == 4 && strncasecmp(t.p, "true", 4) == 0;
}

static bool number(struct ebb_inventory_csv_text t, int64_t *ret)
{
	int64_t v = 0;

	if (t.len > 18)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		v = v * 10 + (t.p[i] - '0');
	}
	*ret = t.len ? v : -1;
	return true;
}

static bool time_of(struct ebb_inventory_csv_text t, int64_t *ret)
{
	char text[64];

	if (t.len == 0)
		return true;
	if (t.len >= sizeof(text))
		return false;
	memcpy(text, t.p, t.len);
	text[t.len] = '\0';
	return ebb_units_parse_time(text, ret, NULL) == 0;
}

bool ebb_inventory_csv_row(const struct ebb_inventory_csv *c, char *line, size_t len, struct ebb_inventory_csv_row *ret)
{
	struct ebb_inventory_csv_text f[EBB_INVENTORY_CSV_FIELDS];
	char *p = line, *end = line + len;
	const struct ebb_inventory_csv_text none = {0};

	for (int i = 0; i < c->n; i++) {
		if (p > end)
			return false;
		p = field(p, end, &f[i]);
		if (!p)
			return false;
	}
	if (p != end + 1 || !decode_key(f[c->key], ret))
		return false;
	ret->bucket = f[c->bucket];
	ret->version = c->version < 0 ? none : f[c->version];
	ret->etag = c->etag < 0 ? none : f[c->etag];
	ret->class = c->class < 0 ? none : f[c->class];
	ret->tier = c->tier < 0 ? none : f[c->tier];
	ret->noncurrent = c->latest >= 0 && !is_true(f[c->latest]);
	ret->marker = c->marker >= 0 && is_true(f[c->marker]);
	ret->size = -1;
	ret->modified = INT64_MIN;
	return (c->size < 0 || number(f[c->size], &ret->size)) && (c->modified < 0 || time_of(f[c->modified], &ret->modified));
}

int ebb_inventory_csv_tier_days(struct ebb_inventory_csv_text t)
{
	static const struct {
		const char *name;
		int days;
	} tiers[] = {{"FREQUENT", 0}, {"INFREQUENT", 30}, {"ARCHIVE_INSTANT_ACCESS", 90}, {"ARCHIVE", 90}, {"DEEP_ARCHIVE", 180}};

	for (size_t i = 0; i < EBB_ARRAY_LEN(tiers); i++)
		if (strlen(tiers[i].name) == t.len && memcmp(tiers[i].name, t.p, t.len) == 0)
			return tiers[i].days;
	return -1;
}
