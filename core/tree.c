/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/money.h"
#include "core/text.h"
#include "core/units.h"
#include "core/utf8.h"

#define DEPTH_MAX 64

/* What all nodes of a document share. */
struct ebb_tree_file {
	const char *name;
	struct ebb_arena *arena;
};

static const char *const kind_names[] = {"a map", "a list", "a value"};

/* --- Building --- */

static struct ebb_tree_node *make(const struct ebb_tree_file *file, enum ebb_tree_kind kind,
			     unsigned depth, struct ebb_tree_pos pos)
{
	struct ebb_tree_node *node = ebb_arena_alloc(file->arena, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = kind;
	node->line = pos.line;
	node->column = pos.column;
	node->depth = depth;
	node->file = file;
	return node;
}

struct ebb_tree_node *ebb_tree_new(struct ebb_arena *arena, const char *name,
				   enum ebb_tree_kind kind, struct ebb_tree_pos pos)
{
	struct ebb_tree_file *file = ebb_arena_alloc(arena, sizeof(*file));

	if (!file)
		return NULL;
	file->arena = arena;
	file->name = ebb_arena_strdup(arena, name);
	return file->name ? make(file, kind, 1, pos) : NULL;
}

static int no_memory(const struct ebb_tree_node *node, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "'%s' is too large to read", node->file->name);
}

/* Is the key new to the map? */
static int check_key(const struct ebb_tree_node *map, const char *key, struct ebb_tree_pos pos,
		     struct ebb_err *err)
{
	const struct ebb_tree_node *twin = ebb_tree_get(map, key);
	struct ebb_tree_node here = {.file = map->file, .line = pos.line, .column = pos.column};
	char quoted[EBB_TEXT_QUOTED];

	if (!twin)
		return 0;
	return ebb_tree_error(&here, err, "key '%s' stands twice, first in line %u",
			      ebb_text_quotes(key, quoted, sizeof(quoted)), twin->key_line);
}

int ebb_tree_add(struct ebb_tree_node *parent, const char *key, struct ebb_tree_pos key_pos,
		 enum ebb_tree_kind kind, struct ebb_tree_pos pos, struct ebb_tree_node **ret,
		 struct ebb_err *err)
{
	struct ebb_tree_node *child = make(parent->file, kind, parent->depth + 1, pos);

	if (!child)
		return no_memory(parent, err);
	if (child->depth > DEPTH_MAX)
		return ebb_tree_error(child, err, "nested deeper than %d", DEPTH_MAX);
	if (key) {
		int r = check_key(parent, key, key_pos, err);
		if (r < 0)
			return r;
		child->key = ebb_arena_strdup(parent->file->arena, key);
		if (!child->key)
			return no_memory(parent, err);
		child->key_line = key_pos.line;
		child->key_column = key_pos.column;
	}
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->n_children++;
	if (ret)
		*ret = child;
	return 0;
}

int ebb_tree_set_text(struct ebb_tree_node *scalar, const char *text, size_t len, bool quoted,
		      struct ebb_err *err)
{
	if (len && memchr(text, '\0', len))
		return ebb_tree_error(scalar, err, "a NUL byte in text");
	if (!ebb_utf8_valid(text, len))
		return ebb_tree_error(scalar, err, "text is not UTF-8");

	char *copy = ebb_arena_memdup(scalar->file->arena, text, len);
	if (!copy)
		return no_memory(scalar, err);
	scalar->text = copy;
	scalar->quoted = quoted;
	return 0;
}

/* --- Asking --- */

const char *ebb_tree_file(const struct ebb_tree_node *node)
{
	return node->file->name;
}

const struct ebb_tree_node *ebb_tree_get(const struct ebb_tree_node *map, const char *key)
{
	if (map->kind != EBB_TREE_MAP)
		return NULL;
	EBB_TREE_EACH(child, map)
		if (!strcmp(child->key, key))
			return child;
	return NULL;
}

const struct ebb_tree_node *ebb_tree_need(const struct ebb_tree_node *map, const char *key,
				     struct ebb_err *err)
{
	const struct ebb_tree_node *found = ebb_tree_get(map, key);

	if (!found && !ebb_tree_expect(map, EBB_TREE_MAP, err))
		ebb_tree_error(map, err, "key '%s' is missing", key);
	return found;
}

__attribute__((format(printf, 4, 0)))
static int complain(const struct ebb_tree_node *node, struct ebb_tree_pos pos, struct ebb_err *err,
		    const char *fmt, va_list ap)
{
	char msg[sizeof(err->msg)];

	vsnprintf(msg, sizeof(msg), fmt, ap);
	return ebb_err_set(err, EBB_ECONFIG, "%s:%u:%u: %s", node->file->name, pos.line, pos.column,
			   msg);
}

int ebb_tree_error(const struct ebb_tree_node *node, struct ebb_err *err, const char *fmt, ...)
{
	struct ebb_tree_pos pos = {node->line, node->column};
	va_list ap;

	va_start(ap, fmt);
	int r = complain(node, pos, err, fmt, ap);
	va_end(ap);
	return r;
}

int ebb_tree_key_error(const struct ebb_tree_node *member, struct ebb_err *err, const char *fmt,
		       ...)
{
	struct ebb_tree_pos pos = {member->key_line, member->key_column};
	va_list ap;

	va_start(ap, fmt);
	int r = complain(member, pos, err, fmt, ap);
	va_end(ap);
	return r;
}

/* "'KEY': " for a member of a map, "" for others. */
static const char *prefix(const struct ebb_tree_node *node, char *out, size_t size)
{
	char quoted[EBB_TEXT_QUOTED];

	out[0] = '\0';
	if (node->key)
		snprintf(out, size, "'%s': ", ebb_text_quotes(node->key, quoted, sizeof(quoted)));
	return out;
}

int ebb_tree_expect(const struct ebb_tree_node *node, enum ebb_tree_kind kind, struct ebb_err *err)
{
	char before[EBB_TEXT_QUOTED + 8];

	if (node->kind == kind)
		return 0;
	return ebb_tree_error(node, err, "%smust be %s, not %s",
			      prefix(node, before, sizeof(before)), kind_names[kind],
			      kind_names[node->kind]);
}

bool ebb_tree_is_null(const struct ebb_tree_node *node)
{
	const char *text = node->text ? node->text : "";

	if (node->kind != EBB_TREE_SCALAR || node->quoted)
		return false;
	return !*text || !strcmp(text, "~") || !strcmp(text, "null");
}

int ebb_tree_unknown_keys(const struct ebb_tree_node *map, const char *const allowed[], size_t n,
			  struct ebb_err *err)
{
	char quoted[EBB_TEXT_QUOTED], hint[256];
	int r = ebb_tree_expect(map, EBB_TREE_MAP, err);

	if (r < 0)
		return r;
	EBB_TREE_EACH(child, map) {
		size_t i = 0;
		while (i < n && strcmp(child->key, allowed[i]) != 0)
			i++;
		if (i < n)
			continue;
		ebb_text_quotes(child->key, quoted, sizeof(quoted));
		ebb_text_suggest(child->key, allowed, n, hint, sizeof(hint));
		return ebb_tree_key_error(child, err, "unknown key '%s'%s", quoted, hint);
	}
	return 0;
}

int ebb_tree_text(const struct ebb_tree_node *node, const char **ret, struct ebb_err *err)
{
	char before[EBB_TEXT_QUOTED + 8];
	int r = ebb_tree_expect(node, EBB_TREE_SCALAR, err);

	if (r < 0)
		return r;
	if (ebb_tree_is_null(node))
		return ebb_tree_error(node, err, "%sa value is missing",
				      prefix(node, before, sizeof(before)));
	*ret = node->text;
	return 0;
}

int ebb_tree_choice(const struct ebb_tree_node *node, const char *const words[], size_t n,
		    size_t *ret, struct ebb_err *err)
{
	char before[EBB_TEXT_QUOTED + 8], quoted[EBB_TEXT_QUOTED], hint[256];
	const char *text;
	int r = ebb_tree_text(node, &text, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], text)) {
			*ret = i;
			return 0;
		}
	return ebb_tree_error(node, err, "%sunknown word '%s'%s",
			      prefix(node, before, sizeof(before)),
			      ebb_text_quotes(text, quoted, sizeof(quoted)),
			      ebb_text_suggest(text, words, n, hint, sizeof(hint)));
}

int ebb_tree_bool(const struct ebb_tree_node *node, bool *ret, struct ebb_err *err)
{
	static const char *const words[] = {"false", "true"};
	char before[EBB_TEXT_QUOTED + 8];
	size_t which;

	if (node->kind == EBB_TREE_SCALAR && node->quoted)
		return ebb_tree_error(node, err, "%smust be true or false, without quotes",
				      prefix(node, before, sizeof(before)));
	int r = ebb_tree_choice(node, words, 2, &which, err);
	if (!r)
		*ret = which == 1;
	return r;
}

/* Say where the failure of a parser, in @inner, happened. */
static int at(const struct ebb_tree_node *node, const struct ebb_err *inner, struct ebb_err *err)
{
	char before[EBB_TEXT_QUOTED + 8];

	return ebb_tree_error(node, err, "%s%s", prefix(node, before, sizeof(before)), inner->msg);
}

static int read_as(const struct ebb_tree_node *node,
		   int (*parse)(const char *, int64_t *, struct ebb_err *), int64_t *ret,
		   struct ebb_err *err)
{
	struct ebb_err inner = {0};
	const char *text;
	int r = ebb_tree_text(node, &text, err);

	if (r < 0)
		return r;
	return parse(text, ret, &inner) < 0 ? at(node, &inner, err) : 0;
}

int ebb_tree_count(const struct ebb_tree_node *node, int64_t *ret, struct ebb_err *err)
{
	return read_as(node, ebb_units_parse_count, ret, err);
}

int ebb_tree_bytes(const struct ebb_tree_node *node, int64_t *ret, struct ebb_err *err)
{
	return read_as(node, ebb_units_parse_bytes, ret, err);
}

int ebb_tree_duration(const struct ebb_tree_node *node, int64_t *ret, struct ebb_err *err)
{
	return read_as(node, ebb_units_parse_duration, ret, err);
}

int ebb_tree_percent(const struct ebb_tree_node *node, int64_t *ret, struct ebb_err *err)
{
	return read_as(node, ebb_units_parse_percent, ret, err);
}

int ebb_tree_time(const struct ebb_tree_node *node, int64_t *ret, struct ebb_err *err)
{
	return read_as(node, ebb_units_parse_time, ret, err);
}

int ebb_tree_money(const struct ebb_tree_node *node, struct ebb_money *ret, struct ebb_err *err)
{
	struct ebb_err inner = {0};
	const char *text;
	int r = ebb_tree_text(node, &text, err);

	if (r < 0)
		return r;
	return ebb_money_parse(text, ret, &inner) < 0 ? at(node, &inner, err) : 0;
}
