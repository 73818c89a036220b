/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config_s3.h"

#include <string.h>

#include "agent/region.h"

const char *const ebb_config_s3_keys[] = {
	"bucket",     "prefix",	 "region", "endpoint", "profile",	"ca_file",
	"path_style", "sse",	 "sse_key", "requester_pays", "connections",
	"require",
};
const size_t ebb_config_s3_nkeys = EBB_ARRAY_LEN(ebb_config_s3_keys);

enum { CONNECTIONS_MAX = 1024 };

static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

/* Source: Amazon S3 User Guide, "General purpose bucket naming rules"; '_' and capitals are of older buckets and other servers. */
static int read_bucket(const struct ebb_tree_node *node, struct ebb_store_config *o, struct ebb_err *err)
{
	const struct ebb_tree_node *n = ebb_tree_need(node, "bucket", err);
	int r = n ? ebb_tree_text(n, &o->bucket, err) : -EBB_ECONFIG;
	size_t len = r ? 0 : strlen(o->bucket), ok = r ? 0 : strspn(o->bucket, lower);

	while (!r && o->bucket[ok] && strchr("_ABCDEFGHIJKLMNOPQRSTUVWXYZ", o->bucket[ok]))
		ok += 1 + strspn(o->bucket + ok + 1, lower);
	if (!r && (ok != len || len < 3 || len > 255))
		r = ebb_tree_error(n, err,
				   "'%s' cannot name a bucket: 3 to 63 lower-case letters, digits, '-' and '.'; a part of it is "
				   "a store by 'prefix'",
				   o->bucket);
	return r;
}

static int read_prefix(const struct ebb_tree_node *node, struct ebb_store_config *o, struct ebb_err *err)
{
	const struct ebb_tree_node *n = ebb_tree_get(node, "prefix");
	int r = n ? ebb_tree_text(n, &o->prefix, err) : 0;
	size_t len = n && !r ? strlen(o->prefix) : 0;

	if (!r && len && o->prefix[len - 1] != '/')
		return ebb_tree_error(n, err, "'prefix' must end in '/': '%s/'", o->prefix);
	if (!r && len > 512)
		return ebb_tree_error(n, err, "'prefix' is longer than 512 bytes");
	return r;
}

static int read_endpoint(const struct ebb_tree_node *node, struct ebb_store_config *o, struct ebb_err *err)
{
	const struct ebb_tree_node *n = ebb_tree_get(node, "endpoint");
	int r = n ? ebb_tree_text(n, &o->endpoint, err) : 0;
	const char *host = !r && n ? strstr(o->endpoint, "://") : NULL;

	if (r || !n)
		return r;
	if ((strncmp(o->endpoint, "http://", 7) != 0 && strncmp(o->endpoint, "https://", 8) != 0) ||
	    !host[3] || strpbrk(host + 3, "/?#@ "))
		return ebb_tree_error(n, err, "'endpoint' must be http://HOST[:PORT] or https://HOST[:PORT], not '%s'",
				      o->endpoint);
	return 0;
}

static int read_texts(const struct ebb_tree_node *node, struct ebb_store_config *o, struct ebb_err *err)
{
	const struct {
		const char *key, **ret;
	} texts[] = {
		{"region", &o->region}, {"profile", &o->profile}, {"ca_file", &o->ca_file},
		{"sse_key", &o->sse_key},
	};
	const struct {
		const char *key;
		bool *ret;
	} flags[] = {
		{"path_style", &o->path_style}, {"requester_pays", &o->requester_pays},
	};
	const struct ebb_tree_node *n;
	int r = 0;

	for (size_t i = 0; r == 0 && i < EBB_ARRAY_LEN(texts); i++)
		if ((n = ebb_tree_get(node, texts[i].key)))
			r = ebb_tree_text(n, texts[i].ret, err);
	for (size_t i = 0; r == 0 && i < EBB_ARRAY_LEN(flags); i++)
		if ((n = ebb_tree_get(node, flags[i].key)))
			r = ebb_tree_bool(n, flags[i].ret, err);
	return r;
}

static int read_sse(const struct ebb_tree_node *node, struct ebb_store_config *o, struct ebb_err *err)
{
	static const char *const words[] = {"AES256", "aws:kms", "customer"};
	const struct ebb_tree_node *n = ebb_tree_get(node, "sse");
	size_t which = 0;
	int r = n ? ebb_tree_choice(n, words, EBB_ARRAY_LEN(words), &which, err) : 0;

	if (!r && n)
		o->sse = words[which];
	bool customer = o->sse && strcmp(o->sse, "customer") == 0;
	if (!r && o->sse_key && !customer && (!o->sse || strcmp(o->sse, "aws:kms") != 0))
		return ebb_tree_error(ebb_tree_get(node, "sse_key"), err, "'sse_key' goes with 'sse: aws:kms' or 'sse: customer' only");
	if (!r && customer && (!o->sse_key || (strncmp(o->sse_key, "env:", 4) != 0 && strncmp(o->sse_key, "file:", 5) != 0)))
		return ebb_tree_error(n, err, "'sse: customer' needs 'sse_key: env:NAME' or 'file:PATH': where the key is, never the key");
	return r;
}

static int read_require(const struct ebb_tree_node *node, struct ebb_store_config *o, struct ebb_err *err)
{
	static const char *const keys[] = {"encrypted", "private"};
	const struct ebb_tree_node *map = ebb_tree_get(node, "require"), *n;
	int r = map ? ebb_tree_expect(map, EBB_TREE_MAP, err) : 0;

	if (!r && map)
		r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);
	if (!r && map && (n = ebb_tree_get(map, "encrypted")))
		r = ebb_tree_bool(n, &o->must_be_encrypted, err);
	if (!r && map && (n = ebb_tree_get(map, "private")))
		r = ebb_tree_bool(n, &o->must_be_private, err);
	return r;
}

static int read_connections(const struct ebb_tree_node *node, struct ebb_store_config *o, struct ebb_err *err)
{
	const struct ebb_tree_node *n = ebb_tree_get(node, "connections");
	int64_t count = 0;
	int r = n ? ebb_tree_count(n, &count, err) : 0;

	if (!r && n && (count < 1 || count > CONNECTIONS_MAX))
		return ebb_tree_error(n, err, "'connections' must be from 1 to %d", CONNECTIONS_MAX);
	o->connections = (unsigned)count;
	return r;
}

/* Regions of AWS, and of a provider that is named, lie where they lie; elsewhere a region is but a name. */
static int place(const struct ebb_tree_node *node, struct ebb_config_store *s, struct ebb_err *err)
{
	bool aws = !s->provider || strcmp(s->provider, "aws") == 0;
	/* a server of one's own may be priced like AWS and lie anywhere */
	const char *provider = !aws ? s->provider : s->open.endpoint ? NULL : "aws";
	const char *country = s->open.region && provider ? ebb_region_country(provider, s->open.region) : NULL;

	if (!s->open.region && !s->open.endpoint)
		return ebb_tree_error(node, err, "a bucket needs 'region', or 'endpoint' where it is not at AWS");
	if (!country)
		return 0;
	if (s->jurisdiction && strcmp(s->jurisdiction, country) != 0)
		return ebb_tree_error(ebb_tree_get(node, "jurisdiction"), err, "region %s lies in %s, not in %s",
				      s->open.region, country, s->jurisdiction);
	s->jurisdiction = country;
	return 0;
}

int ebb_config_s3_read(struct ebb_arena *arena, const struct ebb_tree_node *node,
		       struct ebb_config_store *s, struct ebb_err *err)
{
	struct ebb_store_config *o = &s->open;
	int r;

	if ((r = read_bucket(node, o, err)) < 0 || (r = read_prefix(node, o, err)) < 0 ||
	    (r = read_endpoint(node, o, err)) < 0 || (r = read_texts(node, o, err)) < 0 ||
	    (r = read_sse(node, o, err)) < 0 || (r = read_connections(node, o, err)) < 0 || (r = read_require(node, o, err)) < 0 ||
	    (r = place(node, s, err)) < 0)
		return r;
	s->location = ebb_arena_printf(arena, "s3://%s/%s", o->bucket, o->prefix ? o->prefix : "");
	return s->location ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}
