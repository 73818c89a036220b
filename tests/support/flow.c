/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/flow.h"

#include <string.h>

struct flow {
	struct ebb_arena *arena;
	const char *p, *line_start;
	unsigned line;
	struct ebb_err *err;
};

static void skip(struct flow *f)
{
	for (; *f->p && strchr(" \t\r\n", *f->p); f->p++) {
		if (*f->p == '\n') {
			f->line++;
			f->line_start = f->p + 1;
		}
	}
}

static struct ebb_tree_pos here(const struct flow *f)
{
	return (struct ebb_tree_pos){f->line, (unsigned)(f->p - f->line_start) + 1};
}

static int fail(const struct flow *f, const char *what)
{
	return ebb_err_set(f->err, EBB_ECONFIG, "%u:%u: %s", here(f).line, here(f).column, what);
}

/* A word or a quoted text, as a string of the arena. */
static char *scalar(struct flow *f, bool *ret_quoted)
{
	char *text = ebb_arena_alloc(f->arena, strlen(f->p) + 1), *out = text;

	*ret_quoted = *f->p == '"';
	if (!text)
		return NULL;
	if (!*ret_quoted) {
		size_t n = strcspn(f->p, ",:[]{}\n");

		memcpy(text, f->p, n);
		f->p += n;
		while (n && strchr(" \t\r", text[n - 1]))
			n--;
		text[n] = '\0';
		return text;
	}
	for (f->p++; *f->p && *f->p != '"'; f->p++) {
		if (*f->p == '\\' && f->p[1])
			f->p++;
		*out++ = *f->p;
	}
	f->p += *f->p == '"';
	return text;
}

static enum ebb_tree_kind kind_here(const struct flow *f)
{
	return *f->p == '{' ? EBB_TREE_MAP : *f->p == '[' ? EBB_TREE_SEQ : EBB_TREE_SCALAR;
}

static int fill(struct flow *f, struct ebb_tree_node *node);

static int member(struct flow *f, struct ebb_tree_node *parent)
{
	struct ebb_tree_pos key_pos = here(f);
	struct ebb_tree_node *child;
	char *key = NULL;
	bool quoted;
	int r;

	if (parent->kind == EBB_TREE_MAP) {
		key = scalar(f, &quoted);
		skip(f);
		if (!key || *f->p++ != ':')
			return fail(f, "expected ':'");
		skip(f);
	}
	r = ebb_tree_add(parent, key, key_pos, kind_here(f), here(f), &child, f->err);
	return r < 0 ? r : fill(f, child);
}

static int fill(struct flow *f, struct ebb_tree_node *node)
{
	char close = node->kind == EBB_TREE_MAP ? '}' : ']', *text;
	bool quoted;
	int r;

	if (node->kind == EBB_TREE_SCALAR) {
		text = scalar(f, &quoted);
		if (!text)
			return fail(f, "no memory");
		return ebb_tree_set_text(node, text, strlen(text), quoted, f->err);
	}
	f->p++;
	for (skip(f); *f->p != close; skip(f)) {
		if (*f->p == '\0')
			return fail(f, "not closed");
		r = member(f, node);
		if (r < 0)
			return r;
		skip(f);
		if (*f->p == ',')
			f->p++;
		else if (*f->p != close)
			return fail(f, "expected ','");
	}
	f->p++;
	return 0;
}

const struct ebb_tree_node *ebb_flow_parse(struct ebb_arena *arena, const char *name,
					   const char *text, struct ebb_err *err)
{
	struct flow f = {.arena = arena, .p = text, .line_start = text, .line = 1, .err = err};
	struct ebb_tree_node *root;

	skip(&f);
	if (kind_here(&f) == EBB_TREE_SCALAR) {
		fail(&f, "expected '{' or '['");
		return NULL;
	}
	root = ebb_tree_new(arena, name, kind_here(&f), here(&f));
	if (!root || fill(&f, root) < 0)
		return NULL;
	skip(&f);
	if (*f.p) {
		fail(&f, "text behind the end");
		return NULL;
	}
	return root;
}
