/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "core/units.h"
#include "policies/rules_ast.h"

/* What a purging rule must say, letter by letter. */
#define PURGE_WORDS "cannot be undone"

/* Sizes of packs: smaller ones save nothing, larger ones cannot change class by one copy. */
#define PACK_LEAST (INT64_C(1) << 20)
#define PACK_MOST (INT64_C(4) << 30)

#define DAY_NS (INT64_C(86400) * 1000000000)

struct compiler {
	struct ebb_arena *arena;
	struct ebb_rules *r;
	struct ebb_err *err;
	const struct ebb_tree_node *node; /* of the rule */
	struct ebb_rules_rule *rule;
};

/* Keys and actions of the language that this version does not have; to be told apart from typing
 * errors. */
static const char *const later_keys[] = {"window", "dictionary"};
static const char *const later_actions[] = {"pack", "link", "thaw", "copy", "replicate", "transfer"};

static bool among(const char *word, const char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static int no_memory(struct compiler *c)
{
	return ebb_err_set(c->err, EBB_ENOMEM, "no memory for rules");
}

static const struct ebb_tree_node *get(const struct compiler *c, const char *key)
{
	return ebb_tree_get(c->node, key);
}

static int check_keys(struct compiler *c)
{
	static const char *const keys[] = {"name",  "match",      "store",  "kind",  "when",
					   "do",    "to",         "class",  "codec", "level", "trash",
					   "purge", "everything", "require", "trust",
					   "how",   "copies", "pack", "versions", "after", "long", "packed", "garbage", "keep_last", "keep_every",
					   "keep_best", "keep_best_count", "mode", "keep_tagged", "min_age", "all_of", "verify", "keep_key"};
	int r = ebb_tree_expect(c->node, EBB_TREE_MAP, c->err);

	if (r < 0)
		return r;
	EBB_TREE_EACH(child, c->node)
	if (among(child->key, later_keys, EBB_ARRAY_LEN(later_keys)))
		return ebb_tree_key_error(child, c->err, "'%s' is not available in this version",
					  child->key);
	return ebb_tree_unknown_keys(c->node, keys, EBB_ARRAY_LEN(keys), c->err);
}

static int read_name(struct compiler *c)
{
	const struct ebb_tree_node *node = ebb_tree_need(c->node, "name", c->err);
	struct ebb_rule *rule = &c->rule->pub;
	int r = node ? ebb_tree_text(node, &rule->name, c->err) : -EBB_ECONFIG;

	if (r < 0)
		return r;
	if (!*rule->name)
		return ebb_tree_error(node, c->err, "the name of a rule must not be empty");
	for (size_t i = 0; i < c->r->n; i++)
		if (strcmp(c->r->rules[i].pub.name, rule->name) == 0)
			return ebb_tree_error(node, c->err,
					      "the rule at line %d is called '%s' already",
					      c->r->rules[i].pub.line, rule->name);
	return 0;
}

static int read_action(struct compiler *c)
{
	const struct ebb_tree_node *node = ebb_tree_need(c->node, "do", c->err);
	const char *names[EBB_ACTION_COUNT], *word;
	char suggestion[256];
	size_t n = 0;
	int r = node ? ebb_tree_text(node, &word, c->err) : -EBB_ECONFIG;

	if (r < 0)
		return r;
	c->rule->pub.action = ebb_action_by_name(word);
	if (c->rule->pub.action && !c->rule->pub.action->unruled)
		return 0;
	if (among(word, later_actions, EBB_ARRAY_LEN(later_actions)))
		return ebb_tree_error(node, c->err, "action '%s' is not available in this version",
				      word);
	for (int i = 0; i < EBB_ACTION_COUNT; i++)
		if (!ebb_action_kind((enum ebb_action_id)i)->unruled)
			names[n++] = ebb_action_kind((enum ebb_action_id)i)->name;
	return ebb_tree_error(
		node, c->err, "unknown action '%s'%s", word,
		ebb_text_suggest(word, names, n, suggestion, sizeof(suggestion)));
}

static int read_match(struct compiler *c)
{
	const struct ebb_tree_node *node = get(c, "match");
	struct ebb_err why = {0};
	struct ebb_glob *glob;
	const char *prefix;
	size_t len;
	int r = node ? ebb_tree_text(node, &c->rule->pub.match, c->err) : 0;

	if (!node || r < 0)
		return r;
	r = ebb_glob_compile(c->arena, c->rule->pub.match, &glob, &why);
	if (r == -EBB_ECONFIG)
		return ebb_tree_error(node, c->err, "%s", why.msg);
	if (r < 0)
		return no_memory(c);
	prefix = ebb_glob_prefix(glob, &len);
	if (ebb_rules_reserved(prefix, len))
		return ebb_tree_error(node, c->err,
				      prefix[sizeof(".ebb-") - 1] == 'p'
					      ? "'%s' is where ebb keeps what it packed; rules do not reach it"
					      : "'%s' is where ebb keeps what it removed; rules do not reach it",
				      prefix[sizeof(".ebb-") - 1] == 'p' ? EBB_RULES_PACKS_PREFIX
									 : EBB_RULES_RESERVED_PREFIX);
	c->rule->captures = ebb_glob_captures(glob);
	for (size_t i = 0; i < c->rule->captures; i++)
		if (strcmp(ebb_glob_capture_name(glob, i), "kind") == 0)
			return ebb_tree_error(node, c->err,
					      "capture 'kind' would hide the fact of that "
					      "name; take another");
	c->rule->glob = glob;
	return 0;
}

/* The name of a store at @key. */
static int read_store(struct compiler *c, const char *key, const char **ret)
{
	const struct ebb_tree_node *node = get(c, key);
	const char *names[64];
	char suggestion[512];
	size_t n = 0;
	int r = node ? ebb_tree_text(node, ret, c->err) : 0;

	if (!node || r < 0 || ebb_rules_store(c->r, *ret))
		return r;
	for (size_t i = 0; i < c->r->nstores && n < EBB_ARRAY_LEN(names); i++)
		names[n++] = c->r->stores[i].name;
	return ebb_tree_error(node, c->err, "'%s': there is no store '%s'%s", key, *ret,
			      ebb_text_suggest(*ret, names, n, suggestion, sizeof(suggestion)));
}

static int read_of_store(struct compiler *c)
{
	return read_store(c, "store", &c->rule->pub.store);
}

static int read_kind(struct compiler *c)
{
	const struct ebb_tree_node *node = get(c, "kind");
	const char *names[64];
	char suggestion[512];
	size_t n = 0;
	int r = node ? ebb_tree_text(node, &c->rule->pub.kind, c->err) : 0;

	if (!node || r < 0)
		return r;
	for (size_t i = 0; i < c->r->nsets; i++) {
		const char *kind = c->r->sets[i].pub.kind;

		if (kind && strcmp(kind, c->rule->pub.kind) == 0)
			return 0;
		if (kind && n < EBB_ARRAY_LEN(names))
			names[n++] = kind;
	}
	if (n == 0)
		return ebb_tree_error(node, c->err,
				      "no dataset has a kind; give one to a dataset first");
	return ebb_tree_error(
		node, c->err, "no dataset is of kind '%s'%s", c->rule->pub.kind,
		ebb_text_suggest(c->rule->pub.kind, names, n, suggestion, sizeof(suggestion)));
}

/* Names that the condition may use: captures of the rule's own glob, then those of all rules. */
static int name_labels(struct compiler *c, size_t *ret_n)
{
	size_t n = c->rule->captures + c->r->nlabels;
	const char **names = ebb_arena_calloc(c->arena, n, sizeof(*names));

	if (!names)
		return no_memory(c);
	for (size_t i = 0; i < c->rule->captures; i++)
		names[i] = ebb_glob_capture_name(c->rule->glob, i);
	for (size_t i = 0; i < c->r->nlabels; i++)
		names[c->rule->captures + i] = c->r->labels[i];
	if (n > c->r->most_labels)
		c->r->most_labels = n;
	c->rule->pub.labels = names;
	*ret_n = n;
	return 0;
}

static int read_when(struct compiler *c)
{
	const struct ebb_tree_node *node = get(c, "when");
	struct ebb_rule *rule = &c->rule->pub;
	struct ebb_expr_place place;
	struct ebb_expr *cond;
	size_t n = 0;
	int r = node ? ebb_tree_text(node, &rule->when, c->err) : 0;

	if (!node || r < 0)
		return r;
	place.file = ebb_tree_file(node);
	place.line = (int)node->line;
	place.col = (int)node->column + node->quoted;
	r = name_labels(c, &n);
	if (r == 0)
		r = ebb_expr_compile(c->arena, rule->when, &place, rule->labels, n, &cond, c->err);
	if (r < 0)
		return r;
	rule->cond = cond;
	c->rule->cond_key = ebb_expr_needs_key(cond);
	c->rule->cond_labels = ebb_expr_needs_labels(cond);
	return 0;
}

/* A parameter that another action takes. */
static int misplaced(struct compiler *c, const char *key, const char *owner)
{
	return ebb_tree_key_error(get(c, key), c->err, "'%s' belongs to %s, not to '%s'", key,
				  owner, c->rule->pub.action->name);
}

/* A class in the same store. Which there are is for price books to say. */
static int read_class(struct compiler *c)
{
	const struct ebb_tree_node *node = get(c, "class");
	struct ebb_rule *rule = &c->rule->pub;
	int r;

	if (!node)
		return 0;
	if (!rule->action->needs_to)
		return misplaced(c, "class", "'tier'");
	r = ebb_tree_text(node, &rule->class, c->err);
	if (r == 0 && !*rule->class)
		r = ebb_tree_error(node, c->err, "'class' must not be empty");
	return r;
}

static int read_to(struct compiler *c)
{
	struct ebb_rule *rule = &c->rule->pub;

	if (!rule->action->needs_to)
		return get(c, "to") ? misplaced(c, "to", "'tier'") : 0;
	if (rule->class && !rule->action->packs)
		return get(c, "to") ? ebb_tree_key_error(get(c, "to"), c->err,
							 "'to' and 'class' exclude each other: a store's "
							 "objects go into the class that it declares")
				    : 0;
	if (!get(c, "to"))
		return ebb_tree_error(c->node, c->err,
				      "rule '%s': '%s' needs 'to', the store to move to, or 'class', the "
				      "class to go into",
				      rule->name, rule->action->name);
	int r = read_store(c, "to", &rule->to);
	if (r == 0 && rule->store && !rule->action->packs && strcmp(rule->store, rule->to) == 0)
		return ebb_tree_error(get(c, "to"), c->err,
				      "rule '%s' moves objects of '%s' to where they are",
				      rule->name, rule->to);
	return r;
}

static int read_pack(struct compiler *c)
{
	static const char *const keys[] = {"size"};
	const struct ebb_tree_node *node = get(c, "pack"), *size;
	struct ebb_rule *rule = &c->rule->pub;
	int r;

	if (!rule->action->packs)
		return node ? misplaced(c, "pack", "'archive'") : 0;
	if (rule->class && strcmp(rule->class, "auto") == 0)
		return ebb_tree_error(get(c, "class"), c->err, "packs go into a class by its name, not 'auto'");
	rule->pack_bytes = EBB_RULES_PACK_BYTES;
	if (!node)
		return 0;
	if ((r = ebb_tree_expect(node, EBB_TREE_MAP, c->err)) < 0 ||
	    (r = ebb_tree_unknown_keys(node, keys, EBB_ARRAY_LEN(keys), c->err)) < 0)
		return r;
	size = ebb_tree_need(node, "size", c->err);
	r = size ? ebb_tree_bytes(size, &rule->pack_bytes, c->err) : -EBB_ECONFIG;
	if (r == 0 && (rule->pack_bytes < PACK_LEAST || rule->pack_bytes > PACK_MOST))
		return ebb_tree_error(size, c->err, "'size' of packs is 1MiB to 4GiB");
	return r;
}

static int read_codec(struct compiler *c)
{
	static const char *const codecs[] = {"zstd", "lz4", "tensor"};
	static const int64_t most[] = {19, 12, 19};
	const struct ebb_tree_node *codec = get(c, "codec"), *level = get(c, "level");
	struct ebb_rule *rule = &c->rule->pub;
	size_t which = 0;
	int64_t n = 0;
	int r = 0;

	if (!rule->action->takes_codec) {
		if (codec)
			return misplaced(c, "codec", "'compress'");
		return level ? misplaced(c, "level", "'compress'") : 0;
	}
	if (codec)
		r = ebb_tree_choice(codec, codecs, EBB_ARRAY_LEN(codecs), &which, c->err);
	if (r == 0 && level)
		r = ebb_tree_count(level, &n, c->err);
	if (r < 0)
		return r;
	if (level && (n < 1 || n > most[which]))
		return ebb_tree_error(level, c->err, "'level' of %s is 1 to %d", codecs[which],
				      (int)most[which]);
	rule->codec = codecs[which];
	rule->level = (int)n;
	return 0;
}

/* Repeats far apart. Wider windows than the tool takes by itself are refused: whoever reads the file must not need to know. */
static int read_long(struct compiler *c)
{
	const struct ebb_tree_node *node = get(c, "long");
	struct ebb_rule *rule = &c->rule->pub;
	bool on = false;
	int64_t n = 0;
	int r;

	if (!node)
		return 0;
	if (!rule->codec || strcmp(rule->codec, "zstd") != 0)
		return misplaced(c, "long", "'compress' with zstd");
	if (ebb_tree_bool(node, &on, NULL) == 0) {
		rule->window = on ? EBB_RULES_LONG_MAX : 0;
		return 0;
	}
	r = ebb_tree_count(node, &n, NULL);
	if (r < 0 || n < EBB_RULES_LONG_MIN || n > EBB_RULES_LONG_MAX)
		return ebb_tree_error(node, c->err, "'long' is true, false, or %d to %d (a window of 2^%d bytes): what is "
						    "wider, zstd -d refuses to read without --long=N",
				      EBB_RULES_LONG_MIN, EBB_RULES_LONG_MAX, EBB_RULES_LONG_MAX);
	rule->window = (int)n;
	return 0;
}

/* A store that can do it: of the rule, or any. */
static bool can_replace(const struct compiler *c)
{
	for (size_t i = 0; i < c->r->nstores; i++)
		if (c->r->stores[i].replaces && (!c->rule->pub.store || strcmp(c->rule->pub.store, c->r->stores[i].name) == 0))
			return true;
	return false;
}

/* Under its own key. Who reads it goes by its header, so only what readers of headers know will do. */
static int read_keep_key(struct compiler *c)
{
	const struct ebb_tree_node *node = get(c, "keep_key");
	struct ebb_rule *rule = &c->rule->pub;
	int r;

	if (!node)
		return 0;
	if (!rule->codec)
		return misplaced(c, "keep_key", "'compress'");
	if ((r = ebb_tree_bool(node, &rule->keep_key, c->err)) < 0 || !rule->keep_key)
		return r;
	if (strcmp(rule->codec, "zstd") != 0)
		return ebb_tree_error(node, c->err, "'keep_key' is for zstd: there is no Content-Encoding for %s; leave 'codec' out, or "
						    "'keep_key'", rule->codec);
	if (rule->window)
		return ebb_tree_error(node, c->err, "'keep_key' and 'long' exclude each other: who reads Content-Encoding: zstd need not take "
						    "windows beyond 8 MiB (RFC 9659); leave one of them out");
	if (!can_replace(c))
		return ebb_tree_error(node, c->err, "'keep_key' needs a store that puts one object in the place of another by itself, and %s%s "
						    "cannot; leave it out: KEY.zst takes the place of KEY",
				      rule->store ? "store " : "none of them", rule->store ? rule->store : "");
	return 0;
}

/* What of a copy is checked before its original goes. What was transformed is always decoded and compared. */
static int read_verify(struct compiler *c)
{
	const struct ebb_tree_node *node = get(c, "verify");
	const char *names[EBB_ACTION_VERIFIES];
	struct ebb_rule *rule = &c->rule->pub;
	size_t which = 0;

	if (!node)
		return 0;
	if (!rule->codec && !(rule->action->id == EBB_ACTION_TIER && rule->to))
		return misplaced(c, "verify", "'tier' to another store and 'compress'");
	for (int i = 0; i < EBB_ACTION_VERIFIES; i++)
		names[i] = ebb_action_verify_name(i);
	int r = ebb_tree_choice(node, names, EBB_ACTION_VERIFIES, &which, c->err);
	rule->verify = (enum ebb_action_verify)which;
	if (r == 0 && rule->codec && (which == EBB_ACTION_SIZE || which == EBB_ACTION_CHECKSUM))
		return ebb_tree_error(node, c->err, "'compress' transforms bytes, which are always decoded and compared: "
						    "'verify' is digest or bytes");
	return r;
}

static int read_purge(struct compiler *c, const struct ebb_tree_node *purge)
{
	const char *words;
	int r = ebb_tree_text(purge, &words, c->err);

	if (r < 0)
		return r;
	if (strcmp(words, PURGE_WORDS) != 0)
		return ebb_tree_error(
			purge, c->err,
			"'purge' removes for good; if that is meant, write purge: \"%s\"",
			PURGE_WORDS);
	if (get(c, "trash"))
		return ebb_tree_key_error(get(c, "trash"), c->err,
					  "'trash' and 'purge' exclude each other");
	c->rule->pub.purge = true;
	return 0;
}

static int read_trash(struct compiler *c)
{
	const struct ebb_tree_node *trash = get(c, "trash"), *purge = get(c, "purge");
	struct ebb_rule *rule = &c->rule->pub;
	int r;

	if (purge && (!rule->action->destructive || rule->action->families))
		return misplaced(c, "purge", "'delete'");
	if (!rule->action->trashes)
		return trash ? misplaced(c, "trash", "'delete' and 'dedup'") : 0;
	if (purge)
		return read_purge(c, purge);
	rule->trash_ns = EBB_RULES_TRASH_NS;
	if (!trash)
		return 0;
	r = ebb_tree_duration(trash, &rule->trash_ns, c->err);
	if (r == 0 && rule->trash_ns == 0)
		return ebb_tree_error(trash, c->err,
				      "without trash nothing can be undone; if that is meant, "
				      "write purge: \"%s\" instead",
				      PURGE_WORDS);
	return r;
}

/* Days of `after`: buckets count whole ones. */
static int read_after(struct compiler *c)
{
	const struct ebb_tree_node *after = get(c, "after");
	struct ebb_rule *rule = &c->rule->pub;
	int64_t ns = 0;

	if (rule->hidden == EBB_RULES_MARKERS)
		return after ? ebb_tree_key_error(after, c->err, "a delete marker goes when nothing is left below it; it "
						  "has no 'after'") : 0;
	if (!after)
		return ebb_tree_error(c->node, c->err, "rule '%s': 'versions: %s' needs 'after', such as 30d: how long after %s",
				      rule->name, ebb_rules_hidden_name(rule->hidden),
				      rule->hidden == EBB_RULES_UPLOADS ? "it began" : "it was replaced or deleted");
	int r = ebb_tree_duration(after, &ns, c->err);
	if (r == 0 && (ns < DAY_NS || ns % DAY_NS || ns / DAY_NS > INT32_MAX))
		return ebb_tree_error(after, c->err, "'after' is in whole days, at least 1d: buckets count those");
	rule->after_days = ns / DAY_NS;
	return r;
}

/* Parameters that 'versions' leaves no sense to: whatever could be read in two ways is refused. */
static int check_hidden(struct compiler *c)
{
	static const char *const strange[] = {"when", "kind", "trust", "require", "everything"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(strange); i++)
		if (get(c, strange[i]))
			return ebb_tree_key_error(get(c, strange[i]), c->err,
						  "'%s' and 'versions' exclude each other: the bucket does it by "
						  "itself, and knows only prefixes and days", strange[i]);
	return 0;
}

static int read_versions(struct compiler *c)
{
	const struct ebb_tree_node *node = get(c, "versions");
	const char *names[EBB_RULES_HIDDEN - 1];
	struct ebb_rule *rule = &c->rule->pub;
	size_t which = 0;

	if (!node)
		return get(c, "after") ? ebb_tree_key_error(get(c, "after"), c->err, "'after' belongs to 'versions'; for "
							    "objects write when: \"age > ...\"") : 0;
	if (!rule->action->destructive || rule->action->families)
		return misplaced(c, "versions", "'delete'");
	for (int i = 1; i < EBB_RULES_HIDDEN; i++)
		names[i - 1] = ebb_rules_hidden_name(i);
	int r = check_hidden(c);
	if (r == 0)
		r = ebb_tree_choice(node, names, EBB_ARRAY_LEN(names), &which, c->err);
	if (r < 0)
		return r;
	if (!rule->purge)
		return ebb_tree_error(node, c->err, "there is no trash for %s; if they are to go for good, write purge: \"%s\"",
				      names[which], PURGE_WORDS);
	rule->hidden = (enum ebb_rules_hidden)(which + 1);
	return read_after(c);
}

/* Objects in packs, and packs themselves. */
static int read_packed(struct compiler *c)
{
	static const char *const strange[] = {"match", "kind", "when", "trust", "require"};
	const struct ebb_tree_node *packed = get(c, "packed"), *garbage = get(c, "garbage");
	struct ebb_rule *rule = &c->rule->pub;
	bool packs = rule->action->id == EBB_ACTION_REPACK;
	int64_t ppm = EBB_RULES_GARBAGE_PPM;
	int r = 0;

	if (packed && (!rule->action->destructive || rule->action->families))
		return misplaced(c, "packed", "'delete'");
	if (packed && rule->hidden)
		return ebb_tree_key_error(packed, c->err, "'packed' and 'versions' exclude each other");
	if (garbage && !packs)
		return misplaced(c, "garbage", "'repack'");
	for (size_t i = 0; packs && i < EBB_ARRAY_LEN(strange); i++)
		if (get(c, strange[i]))
			return ebb_tree_key_error(get(c, strange[i]), c->err,
						  "'repack' is about packs, by 'store' and 'garbage' alone; '%s' says nothing of them",
						  strange[i]);
	if (packed)
		r = ebb_tree_bool(packed, &rule->packed, c->err);
	if (r == 0 && garbage)
		r = ebb_tree_percent(garbage, &ppm, c->err);
	if (r == 0 && packs && (ppm < 1 || ppm > 100 * EBB_UNITS_PERCENT))
		return ebb_tree_error(garbage, c->err, "'garbage' is a share of a pack, such as 30%%");
	rule->garbage_ppm = packs ? (int)ppm : 0;
	return r;
}

/* How duplicates cease to take room, and how many copies stay. */
static int read_dedup(struct compiler *c)
{
	const struct ebb_tree_node *how = get(c, "how"), *copies = get(c, "copies");
	const char *names[EBB_ACTION_HOWS];
	struct ebb_rule *rule = &c->rule->pub;
	size_t which = 0;

	if (rule->action->id != EBB_ACTION_DEDUP) {
		if (how)
			return misplaced(c, "how", "'dedup'");
		return copies ? misplaced(c, "copies", "'dedup'") : 0;
	}
	for (int i = 0; i < EBB_ACTION_HOWS; i++)
		names[i] = ebb_action_how_name(i);
	if (!how)
		return ebb_tree_error(c->node, c->err,
				      "rule '%s': 'dedup' needs 'how': reflink, hardlink or delete",
				      rule->name);
	int r = ebb_tree_choice(how, names, EBB_ACTION_HOWS, &which, c->err);
	rule->how = (enum ebb_action_how)which;
	rule->copies = 1;
	if (r == 0 && copies)
		r = ebb_tree_count(copies, &rule->copies, c->err);
	if (r == 0 && rule->copies < 1)
		return ebb_tree_error(copies, c->err, "'copies' is at least 1");
	return r;
}

/* Destructive rules restrict something, or say in words that they do not. */
static int check_everything(struct compiler *c)
{
	const struct ebb_tree_node *node = get(c, "everything");
	const struct ebb_rule *rule = &c->rule->pub;
	bool said = false;
	int r = node ? ebb_tree_bool(node, &said, c->err) : 0;

	if (r < 0)
		return r;
	if (!rule->action->destructive || rule->action->families)
		return node ? misplaced(c, "everything", "'delete'") : 0;
	if (said || rule->hidden || rule->kind || (rule->match && !ebb_glob_everything(c->rule->glob)) ||
	    (rule->cond && !ebb_expr_always(rule->cond)))
		return 0;
	return ebb_tree_error(c->node, c->err,
			      "rule '%s' deletes every file%s%s; add 'match' or 'when', or write "
			      "everything: true",
			      rule->name, rule->store ? " of " : "",
			      rule->store ? rule->store : "");
}

static int read_require(struct compiler *c)
{
	static const char *const keys[] = {"payback"};
	const struct ebb_tree_node *node = get(c, "require"), *payback;
	struct ebb_rule *rule = &c->rule->pub;
	int r;

	if (!node)
		return 0;
	if (!rule->action->changes)
		return misplaced(c, "require", "rules that change something");
	if (rule->action->families)
		return misplaced(c, "require", "rules about objects");
	r = ebb_tree_unknown_keys(node, keys, EBB_ARRAY_LEN(keys), c->err);
	if (r < 0)
		return r;
	payback = ebb_tree_need(node, "payback", c->err);
	if (!payback)
		return -EBB_ECONFIG;
	rule->require_payback = true;
	return ebb_tree_duration(payback, &rule->payback_ns, c->err);
}

/* What can be taken back may follow logs; what cannot needs the word. */
static int read_trust(struct compiler *c)
{
	static const char *const words[] = {"certain", "logs"};
	const struct ebb_tree_node *node = get(c, "trust");
	struct ebb_rule *rule = &c->rule->pub;
	size_t which = rule->action->destructive ? 0 : 1;
	int r;

	if (node && !rule->action->changes)
		return misplaced(c, "trust", "rules that change something");
	r = node ? ebb_tree_choice(node, words, EBB_ARRAY_LEN(words), &which, c->err) : 0;
	rule->trust_logs = which == 1;
	return r;
}

static int read_all_of(struct compiler *c)
{
	static const char *const words[] = {"dataset"};
	const struct ebb_tree_node *node = get(c, "all_of");
	size_t which;

	if (!node)
		return 0;
	if (!c->rule->pub.action->changes || c->rule->pub.action->families || c->rule->pub.hidden)
		return misplaced(c, "all_of", "rules that change objects");
	c->rule->pub.all_of = true;
	return ebb_tree_choice(node, words, EBB_ARRAY_LEN(words), &which, c->err);
}

static int read_retain(struct compiler *c)
{
	return ebb_rules_retain_compile(c->arena, c->node, &c->rule->pub, &c->rule->pub.retain, c->err);
}

static int compile_rule(struct compiler *c)
{
	static int (*const steps[])(struct compiler *) = {
		check_keys, read_name, read_action, read_match, read_of_store, read_kind,
		read_when,  read_class, read_to,   read_pack,  read_codec, read_long, read_keep_key, read_verify, read_trash, read_versions, read_packed, read_dedup,
		read_require, read_trust, read_retain, read_all_of, check_everything,
	};
	int r = 0;

	c->rule->pub.line = (int)c->node->line;
	c->rule->pub.col = (int)c->node->column;
	for (size_t i = 0; r == 0 && i < EBB_ARRAY_LEN(steps); i++)
		r = steps[i](c);
	return r;
}

static int compile_rules(struct compiler *c, const struct ebb_tree_node *rules)
{
	int r = ebb_tree_expect(rules, EBB_TREE_SEQ, c->err);

	if (r < 0)
		return r;
	if (rules->n_children > EBB_RULES_MAX)
		return ebb_tree_error(rules, c->err, "at most %d rules are possible",
				      EBB_RULES_MAX);
	c->r->rules = ebb_arena_calloc(c->arena, rules->n_children, sizeof(*c->r->rules));
	if (!c->r->rules)
		return no_memory(c);
	EBB_TREE_EACH(node, rules)
	{
		c->node = node;
		c->rule = &c->r->rules[c->r->n];
		r = compile_rule(c);
		if (r < 0)
			return r;
		c->r->n++;
	}
	return 0;
}

/* Two letters A-Z, as ISO 3166-1 alpha-2 has them. */
static bool is_country(const char *s)
{
	return s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' && s[2] == '\0';
}

/* What is no jurisdiction would never be met by a residency. @doc: any node of the file, or NULL. */
static int check_stores(const struct ebb_rules *r, const struct ebb_tree_node *doc,
			struct ebb_err *err)
{
	static const char remedy[] = "write two capital letters of ISO 3166-1 such as AE";

	for (size_t i = 0; i < r->nstores; i++) {
		const struct ebb_rules_store *s = &r->stores[i];
		char quoted[EBB_TEXT_QUOTED];

		if (!s->jurisdiction || is_country(s->jurisdiction))
			continue;
		ebb_text_quotes(s->jurisdiction, quoted, sizeof(quoted));
		if (!doc)
			return ebb_err_set(err, EBB_ECONFIG,
					   "%d:%d: jurisdiction '%s' of store '%s' is none; %s",
					   s->line, s->col, quoted, s->name, remedy);
		struct ebb_tree_node here = {.file = doc->file,
					     .line = (unsigned)s->line,
					     .column = (unsigned)s->col};
		return ebb_tree_error(&here, err, "jurisdiction '%s' of store '%s' is none; %s",
				      quoted, s->name, remedy);
	}
	return 0;
}

int ebb_rules_compile(struct ebb_arena *arena, const struct ebb_tree_node *rules,
		      const struct ebb_tree_node *datasets, const struct ebb_rules_store *stores,
		      size_t nstores, struct ebb_rules **ret, struct ebb_err *err)
{
	struct ebb_rules *r = ebb_arena_alloc(arena, sizeof(*r));
	struct compiler c = {.arena = arena, .r = r, .err = err};
	int rc;

	if (!r)
		return no_memory(&c);
	r->stores = stores;
	r->nstores = nstores;
	rc = check_stores(r, rules ? rules : datasets, err);
	if (rc == 0)
		rc = ebb_rules_sets_compile(arena, datasets, r, err);
	if (rc == 0 && rules && !ebb_tree_is_null(rules))
		rc = compile_rules(&c, rules);
	if (rc < 0)
		return rc;
	*ret = r;
	return 0;
}
