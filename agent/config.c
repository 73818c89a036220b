/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/books.h"
#include "agent/config_s3.h"
#include "agent/hours.h"
#include "agent/yaml.h"
#include "compress/digest.h"
#include "core/index.h"
#include "core/units.h"

/* What a configuration may hold in memory, its rules and books among it. */
enum { ARENA_MAX = 256 * 1024 * 1024, MAX_ERRORS = 100, MAX_DELETE_PPM = 500000 };

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory for the configuration");
}

/* An optional text member of a map. */
static int text(const struct ebb_tree_node *map, const char *key, const char **ret, struct ebb_err *err)
{
	const struct ebb_tree_node *n = ebb_tree_get(map, key);

	return n ? ebb_tree_text(n, ret, err) : 0;
}

/* --- Stores --- */

/* Names become part of STORE:KEY and of the index. */
static bool is_name(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > EBB_INDEX_NAME_MAX || strspn(s, "-_.") != 0)
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n;
}

static int read_exclude(struct ebb_config *c, const struct ebb_tree_node *seq,
			struct ebb_config_store *s, struct ebb_err *err)
{
	size_t n = 0;
	int r = ebb_tree_expect(seq, EBB_TREE_SEQ, err);

	if (r)
		return r;
	const char **list = ebb_arena_calloc(&c->arena, seq->n_children + 1, sizeof(*list));
	if (!list)
		return no_memory(err);
	EBB_TREE_EACH(item, seq) {
		r = ebb_tree_text(item, &list[n++], err);
		if (r)
			return r;
	}
	s->exclude = list;
	return 0;
}

/* A clean absolute path. */
static int read_path(const struct ebb_tree_node *node, struct ebb_config_store *s,
		     struct ebb_err *err)
{
	const struct ebb_tree_node *p = ebb_tree_need(node, "path", err);
	int r = p ? ebb_tree_text(p, &s->open.path, err) : -EBB_ECONFIG;

	if (r)
		return r;
	if (*s->open.path != '/')
		return ebb_tree_error(p, err, "'path' must be absolute, beginning with '/', not '%s'",
				      s->open.path);
	s->location = s->open.path;
	return 0;
}

/* Two stores of one place would count and change everything twice. */
static int check_location(const struct ebb_config *c, const struct ebb_tree_node *node,
			  const struct ebb_config_store *s, struct ebb_err *err)
{
	const char *what = s->open.path ? "path" : "bucket";

	for (const struct ebb_config_store *o = c->stores; o < s; o++)
		if (strcmp(o->location, s->location) == 0 &&
		    (!o->open.endpoint || !s->open.endpoint || strcmp(o->open.endpoint, s->open.endpoint) == 0))
			return ebb_tree_error(ebb_tree_get(node, what), err, "store '%s' has the same %s, '%s'",
					      o->open.name, what, o->location);
	return 0;
}

/* Keys that every type has come first. */
static int check_keys(const struct ebb_tree_node *node, bool bucket, struct ebb_err *err)
{
	static const char *const common[] = {"type", "class",	     "site",
					     "provider", "jurisdiction", "exclude",
					     "relay"};
	static const char *const fs[] = {"path", "region", "one_file_system", "watermark"};
	const char *keys[32];
	size_t n = EBB_ARRAY_LEN(common), more = bucket ? ebb_config_s3_nkeys : EBB_ARRAY_LEN(fs);

	memcpy(keys, common, sizeof(common));
	memcpy(keys + n, bucket ? ebb_config_s3_keys : fs, more * sizeof(*keys));
	return ebb_tree_unknown_keys(node, keys, n + more, err);
}

/* A bucket without endpoint is at AWS: its prices hold there, and what names no class is STANDARD. */
static void at_aws(struct ebb_config_store *s)
{
	if (s->provider || s->open.endpoint)
		return;
	s->provider = "aws";
	s->class = s->class ? s->class : "STANDARD";
}

static int read_store(struct ebb_config *c, const struct ebb_tree_node *node,
		      struct ebb_config_store *s, struct ebb_err *err)
{
	static const char *const types[] = {"fs", "s3"};
	const struct ebb_tree_node *type, *n;
	size_t which = 0;
	int r;

	if (!is_name(node->key))
		return ebb_tree_key_error(node, err,
					  "'%s' cannot name a store: take up to %d letters, digits, '-', '_' and '.'",
					  node->key, EBB_INDEX_NAME_MAX);
	*s = (struct ebb_config_store){.open = {.name = node->key, .type = "fs"}, .one_file_system = true};
	r = ebb_tree_expect(node, EBB_TREE_MAP, err);
	type = r ? NULL : ebb_tree_need(node, "type", err);
	if (!type)
		return -EBB_ECONFIG;
	r = ebb_tree_choice(type, types, EBB_ARRAY_LEN(types), &which, err);
	bool bucket = which == 1;
	s->open.type = types[which];
	if (!r)
		r = check_keys(node, bucket, err);
	if (!r && !bucket)
		r = read_path(node, s, err);
	if (!r)
		r = text(node, "class", &s->class, err);
	if (!r)
		r = text(node, "site", &s->site, err);
	if (!r)
		r = text(node, "provider", &s->provider, err);
	if (!r)
		r = text(node, "region", &s->region, err);
	if (!r)
		r = text(node, "jurisdiction", &s->jurisdiction, err);
	if (!r && (n = ebb_tree_get(node, "exclude")))
		r = read_exclude(c, n, s, err);
	if (!r && (n = ebb_tree_get(node, "one_file_system")))
		r = ebb_tree_bool(n, &s->one_file_system, err);
	if (!r && (n = ebb_tree_get(node, "watermark")))
		r = ebb_config_night_watermark(n, &s->watermark_high, &s->watermark_low, err);
	if (!r && (n = ebb_tree_get(node, "relay")))
		r = ebb_tree_bool(n, &s->relay, err);
	if (!r && bucket)
		r = ebb_config_s3_read(&c->arena, node, s, err);
	if (!r && bucket)
		at_aws(s);
	return r ? r : check_location(c, node, s, err);
}

/* Can stores of that type put one object in the place of another? */
static bool can_replace(const char *type)
{
	size_t i = 0;

	while (ebb_store_type_at(i) && strcmp(ebb_store_type_at(i)->type, type) != 0)
		i++;
	return ebb_store_type_at(i) && ebb_store_type_at(i)->replace;
}

static int read_stores(struct ebb_config *c, const struct ebb_tree_node *root, struct ebb_err *err)
{
	const struct ebb_tree_node *stores = ebb_tree_need(root, "stores", err);
	int r = stores ? ebb_tree_expect(stores, EBB_TREE_MAP, err) : -EBB_ECONFIG;

	if (r)
		return r;
	if (!stores->n_children)
		return ebb_tree_error(stores, err, "no store is declared");
	c->stores = ebb_arena_calloc(&c->arena, stores->n_children, sizeof(*c->stores));
	c->rule_stores = ebb_arena_calloc(&c->arena, stores->n_children, sizeof(*c->rule_stores));
	if (!c->stores || !c->rule_stores)
		return no_memory(err);
	EBB_TREE_EACH(node, stores) {
		struct ebb_config_store *s = &c->stores[c->nstores];

		r = read_store(c, node, s, err);
		if (r)
			return r;
		c->rule_stores[c->nstores++] = (struct ebb_rules_store){
			.name = s->open.name,
			.class = s->class,
			.site = s->site,
			.provider = s->provider,
			.region = s->region,
			.jurisdiction = s->jurisdiction,
			.replaces = can_replace(s->open.type),
			.checked = s->open.type && strcmp(s->open.type, "s3") == 0, /* EBB_CAP_CHECKED, told without opening it */
			.line = (int)node->key_line,
			.col = (int)node->key_column,
		};
	}
	return 0;
}

/* --- Prices --- */

/* Path of the book that @item names: itself, or relative to the folder of the configuration, or one that ships. */
static int locate_book(const struct ebb_config *c, const struct ebb_tree_node *item, char ret[PATH_MAX],
		       struct ebb_err *err)
{
	const char *name = NULL, *slash = strrchr(c->path, '/');
	int r = ebb_tree_text(item, &name, err);

	if (r)
		return r;
	if (!strchr(name, '/')) {
		if (ebb_books_find(name, ret))
			return 0;
		return ebb_tree_error(item, err,
				      "no price book called '%s' ships with ebb (EBB_PRICES names their folder); a file of yours is "
				      "named by its path, './%s'",
				      name, name);
	}
	int n = *name == '/' || !slash
			? snprintf(ret, PATH_MAX, "%s", name)
			: snprintf(ret, PATH_MAX, "%.*s/%s", (int)(slash - c->path), c->path, name);
	if (n >= PATH_MAX)
		return ebb_tree_error(item, err, "the path is too long");
	if (access(ret, F_OK))
		return ebb_tree_error(item, err, "cannot open price book '%s': %s", ret, strerror(errno));
	return 0;
}

static int read_book(struct ebb_config *c, const struct ebb_tree_node *item,
		     struct ebb_digest *digest, const char **ret, struct ebb_err *err)
{
	char path[PATH_MAX];
	int r = locate_book(c, item, path, err);

	if (r)
		return r;
	*ret = ebb_arena_strdup(&c->arena, path);
	return *ret ? ebb_books_add(&c->arena, c->prices, path, digest, NULL, err) : no_memory(err);
}

static int read_books(struct ebb_config *c, const struct ebb_tree_node *prices,
		      struct ebb_digest *digest, struct ebb_err *err)
{
	int r = prices ? ebb_tree_expect(prices, EBB_TREE_SEQ, err) : 0;
	size_t n = 0;

	if (r)
		return r;
	c->books = ebb_arena_calloc(&c->arena, (prices ? prices->n_children : 0) + 1, sizeof(*c->books));
	if (!c->books)
		return no_memory(err);
	if (!prices)
		return 0;
	EBB_TREE_EACH(item, prices) {
		r = read_book(c, item, digest, &c->books[n++], err);
		if (r)
			return r;
	}
	return 0;
}

/* What each store's declared class costs, once all books are read. */
static void find_prices(struct ebb_config *c)
{
	for (size_t i = 0; i < c->nstores; i++) {
		struct ebb_config_store *s = &c->stores[i];

		s->price = ebb_price_find(c->prices, s->provider, s->region, s->class);
	}
}

static int read_prices(struct ebb_config *c, const struct ebb_tree_node *root, int64_t now,
		       struct ebb_err *err)
{
	EBB_CLEANUP(ebb_digest_release) struct ebb_digest digest = {0};
	int r = ebb_digest_init(&digest, &ebb_digest_sha256, err);

	if (r)
		return r;
	c->prices = ebb_price_books_new(&c->arena, now);
	if (!c->prices)
		return no_memory(err);
	r = read_books(c, ebb_tree_get(root, "prices"), &digest, err);
	if (!r)
		find_prices(c);
	return r ? r : ebb_digest_final(&digest, c->prices_digest, err);
}

/* --- Limits --- */

/* A share of a store's objects ("5%") or a number of objects. */
static int read_max_delete(const struct ebb_tree_node *n, struct ebb_config_limits *l,
			   struct ebb_err *err)
{
	const char *s = NULL;
	int64_t ppm = 0;
	int r = ebb_tree_text(n, &s, err);

	if (r)
		return r;
	if (!strchr(s, '%')) {
		if (ebb_tree_count(n, &l->max_delete, NULL))
			r = ebb_tree_error(n, err,
					   "'max_delete': '%s' is neither a share such as 5%% nor a number of objects", s);
		return r;
	}
	r = ebb_tree_percent(n, &ppm, err);
	if (!r && ppm > 100 * EBB_UNITS_PERCENT)
		r = ebb_tree_error(n, err, "'max_delete': %s is more than there is", s);
	if (!r)
		l->max_delete_ppm = (int)ppm;
	return r;
}

static int read_max_cost(const struct ebb_config *c, const struct ebb_tree_node *n,
			 struct ebb_config_limits *l, struct ebb_err *err)
{
	const char *currency = ebb_price_currency(c->prices);
	int r = ebb_tree_money(n, &l->max_cost, err);

	if (!r && *currency && strcmp(currency, l->max_cost.currency) != 0)
		r = ebb_tree_error(n, err, "'max_cost' is in %s, the prices are in %s",
				   l->max_cost.currency, currency);
	return r;
}

static int read_window(const struct ebb_tree_node *n, struct ebb_config_limits *l, struct ebb_err *err)
{
	struct ebb_err e = {0};
	struct ebb_hours h;
	int r = ebb_tree_text(n, &l->window, err);

	if (!r && ebb_hours_parse(l->window, &h, &e))
		r = ebb_tree_error(n, err, "'window': %s", e.msg);
	return r;
}

static int read_rates(const struct ebb_tree_node *n, const char *key, bool bytes, const char **ret_text, struct ebb_rates *ret,
		      struct ebb_err *err)
{
	struct ebb_err e = {0};
	int r = ebb_tree_text(n, ret_text, err);

	if (!r && ebb_rates_parse(*ret_text, bytes, ret, &e))
		r = ebb_tree_error(n, err, "'%s': %s", key, e.msg);
	return r;
}

static int64_t bytes_now(void *ctx, int64_t now)
{
	const struct ebb_config *c = ctx;

	return ebb_rates_at(&c->limits.bandwidth_rates, now);
}

static int64_t requests_now(void *ctx, int64_t now)
{
	const struct ebb_config *c = ctx;

	return ebb_rates_at(&c->limits.request_rates, now);
}

/* Every store is opened with it. */
static int set_pace(struct ebb_config *c, struct ebb_err *err)
{
	const struct ebb_config_limits *l = &c->limits;

	if (!l->bandwidth && !l->requests)
		return 0;
	c->pace = ebb_pace_new(l->bandwidth ? bytes_now : NULL, l->requests ? requests_now : NULL, c, NULL);
	if (!c->pace)
		return no_memory(err);
	for (size_t i = 0; i < c->nstores; i++)
		c->stores[i].open.pace = c->pace;
	return 0;
}

static int read_approve(const struct ebb_config *c, const struct ebb_tree_node *map, struct ebb_config_limits *l,
			struct ebb_err *err)
{
	static const char *const keys[] = {"cost", "bytes", "deletions"};
	const char *currency = ebb_price_currency(c->prices);
	const struct ebb_tree_node *n;
	struct ebb_money cost;
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	if (!r && (n = ebb_tree_get(map, "cost")) && !(r = ebb_tree_money(n, &cost, err))) {
		l->approve_cost = cost.nano;
		if (strcmp(currency, cost.currency) != 0)
			r = ebb_tree_error(n, err, "'cost' is in %s, the prices are in %s", cost.currency,
					   *currency ? currency : "no currency: there is no price book");
	}
	if (!r && (n = ebb_tree_get(map, "bytes")))
		r = ebb_tree_bytes(n, &l->approve_bytes, err);
	if (!r && (n = ebb_tree_get(map, "deletions")))
		r = ebb_tree_count(n, &l->approve_deletions, err);
	return r;
}

static int read_limits(struct ebb_config *c, const struct ebb_tree_node *root, struct ebb_err *err)
{
	static const char *const keys[] = {"max_delete", "max_objects", "max_bytes",
					   "max_cost",	 "max_errors",	"window", "approve_above",
					   "bandwidth",	 "requests"};
	struct ebb_config_limits *l = &c->limits;
	const struct ebb_tree_node *map = ebb_tree_get(root, "limits"), *n;
	int r;

	*l = (struct ebb_config_limits){.max_delete = -1,
					.max_delete_ppm = MAX_DELETE_PPM,
					.max_objects = -1,
					.max_bytes = -1,
					.approve_cost = -1,
					.approve_bytes = -1,
					.approve_deletions = -1,
					.max_errors = MAX_ERRORS};
	if (!map)
		return 0;
	r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);
	if (!r && (n = ebb_tree_get(map, "max_delete")))
		r = read_max_delete(n, l, err);
	if (!r && (n = ebb_tree_get(map, "max_objects")))
		r = ebb_tree_count(n, &l->max_objects, err);
	if (!r && (n = ebb_tree_get(map, "max_bytes")))
		r = ebb_tree_bytes(n, &l->max_bytes, err);
	if (!r && (n = ebb_tree_get(map, "max_cost")))
		r = read_max_cost(c, n, l, err);
	if (!r && (n = ebb_tree_get(map, "max_errors")))
		r = ebb_tree_count(n, &l->max_errors, err);
	if (!r && (n = ebb_tree_get(map, "window")))
		r = read_window(n, l, err);
	if (!r && (n = ebb_tree_get(map, "bandwidth")))
		r = read_rates(n, "bandwidth", true, &l->bandwidth, &l->bandwidth_rates, err);
	if (!r && (n = ebb_tree_get(map, "requests")))
		r = read_rates(n, "requests", false, &l->requests, &l->request_rates, err);
	if (!r && (n = ebb_tree_get(map, "approve_above")))
		r = read_approve(c, n, l, err);
	return r ? r : set_pace(c, err);
}

/* --- The whole --- */

static int read_version(const struct ebb_tree_node *root, struct ebb_err *err)
{
	const struct ebb_tree_node *n = ebb_tree_need(root, "version", err);
	int64_t v = 0;
	int r = n ? ebb_tree_count(n, &v, err) : -EBB_ECONFIG;

	if (!r && v != 1)
		r = ebb_tree_error(n, err, "version %lld is not known here: this ebb reads version 1%s",
				   (long long)v, v > 1 ? "; take a newer ebb" : "");
	return r;
}

/* Where ebb runs: bytes of pinned datasets pass through here. */
static int read_here(struct ebb_config *c, const struct ebb_tree_node *root, struct ebb_err *err)
{
	const struct ebb_tree_node *n = ebb_tree_get(root, "jurisdiction");
	int r = n ? ebb_tree_text(n, &c->here, err) : 0;

	if (r || !n)
		return r;
	if (strlen(c->here) != 2 || strspn(c->here, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2)
		return ebb_tree_error(n, err, "jurisdiction '%s' is none; write two capital letters of ISO 3166-1 such as AE", c->here);
	ebb_rules_use_here(c->rules, c->here);
	return 0;
}

static bool is_store(void *ctx, const char *name)
{
	return ebb_config_store(ctx, name) != NULL;
}

static int read_all(struct ebb_config *c, int64_t now, struct ebb_err *err)
{
	static const char *const keys[] = {"version", "stores", "prices", "datasets", "rules", "limits",
					   "labels", "shared", "budgets", "alerts", "run", "schedule", "guards", "jurisdiction",
					   "links"};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf bytes = EBB_BUF_INIT(EBB_YAML_MAX);
	struct ebb_tree_node *root = NULL;
	int r = ebb_yaml_load(&c->arena, c->path, &bytes, &root, err);

	if (!r)
		r = ebb_digest_of(&ebb_digest_sha256, bytes.data, bytes.len, c->rules_digest, err);
	if (!r)
		r = ebb_tree_unknown_keys(root, keys, EBB_ARRAY_LEN(keys), err);
	if (!r)
		r = read_version(root, err);
	if (!r)
		r = read_stores(c, root, err);
	if (!r)
		r = read_prices(c, root, now, err);
	if (!r)
		r = ebb_rules_compile(&c->arena, ebb_tree_get(root, "rules"), ebb_tree_get(root, "datasets"),
				      c->rule_stores, c->nstores, &c->rules, err);
	if (!r)
		r = read_limits(c, root, err);
	if (!r)
		r = read_here(c, root, err);
	if (!r)
		r = ebb_config_guards_read(&c->arena, root, &c->guards, err);
	if (!r)
		r = ebb_config_links_read(&c->arena, root, is_store, c, &c->links, err);
	if (!r)
		r = ebb_config_night_read(&c->arena, root, c->path, &c->night, err);
	return r ? r : ebb_config_alerts_read(&c->arena, root, c->path, c->prices, &c->alerts, err);
}

int ebb_config_load(const char *path, int64_t now, struct ebb_config **ret, struct ebb_err *err)
{
	struct ebb_config *c = calloc(1, sizeof(*c));

	if (!c)
		return no_memory(err);
	ebb_arena_init(&c->arena, ARENA_MAX);
	c->path = ebb_arena_strdup(&c->arena, path);
	int r = c->path ? read_all(c, now, err) : no_memory(err);
	if (r) {
		ebb_config_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void ebb_config_free(struct ebb_config *c)
{
	if (!c)
		return;
	ebb_pace_free(c->pace);
	ebb_arena_release(&c->arena);
	free(c);
}

const struct ebb_config_store *ebb_config_store(const struct ebb_config *c, const char *name)
{
	for (size_t i = 0; i < c->nstores; i++)
		if (strcmp(c->stores[i].open.name, name) == 0)
			return &c->stores[i];
	return NULL;
}
