/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdint.h>
#include <string.h>

#include "core/text.h"
#include "policies/expr_ast.h"

/* Names listed when a word is unknown. */
#define NAMES_MAX 256

struct parser {
	struct ebb_expr_lex *lx;
	const char *const *labels;
	size_t nlabels;
	int depth;
	size_t leaves;
};

static int parse_or(struct parser *ps, struct ebb_expr_node **ret);

static bool at_word(const struct parser *ps, const char *word)
{
	return ps->lx->token == EBB_EXPR_T_WORD && strcmp(ps->lx->text, word) == 0;
}

static bool at_mark(const struct parser *ps, char mark)
{
	return ps->lx->token == EBB_EXPR_T_MARK && ps->lx->text[0] == mark;
}

/* "'word'" or "the end", for messages. */
static const char *current(const struct parser *ps)
{
	const char *s = NULL;

	if (ps->lx->token == EBB_EXPR_T_END)
		return "the end";
	s = ebb_arena_printf(ps->lx->arena, ps->lx->token == EBB_EXPR_T_STRING ? "\"%s\"" : "'%s'",
			     ps->lx->text);
	return s ? s : "this";
}

static int no_memory(struct parser *ps)
{
	return ebb_err_set(ps->lx->err, EBB_ENOMEM, "no memory for a condition");
}

static int new_node(struct parser *ps, enum ebb_expr_op op, struct ebb_expr_node **ret)
{
	*ret = ebb_arena_alloc(ps->lx->arena, sizeof(**ret));
	if (!*ret)
		return no_memory(ps);
	(*ret)->op = op;
	return 0;
}

static int unknown_fact(struct parser *ps)
{
	const char *names[NAMES_MAX];
	char buf[512];
	size_t n, builtin;
	const char *const *facts = ebb_expr_fact_names(&builtin);

	for (n = 0; n < builtin; n++)
		names[n] = facts[n];
	for (size_t i = 0; i < ps->nlabels && n < NAMES_MAX; i++)
		names[n++] = ps->labels[i];
	return ebb_expr_lex_fail(ps->lx, "unknown fact '%s'%s", ps->lx->text,
				 ebb_text_suggest(ps->lx->text, names, n, buf, sizeof(buf)));
}

static int parse_fact(struct parser *ps, struct ebb_expr_leaf *leaf)
{
	if (ps->lx->token != EBB_EXPR_T_WORD)
		return ebb_expr_lex_fail(ps->lx, "expected a fact such as 'idle' or 'size', not %s",
					 current(ps));
	leaf->fact = ebb_expr_fact_find(ps->lx->text);
	for (size_t i = 0; !leaf->fact && i < ps->nlabels; i++) {
		if (strcmp(ps->labels[i], ps->lx->text) == 0) {
			leaf->fact = ebb_expr_fact_label();
			leaf->label = i;
		}
	}
	return leaf->fact ? ebb_expr_lex_next(ps->lx) : unknown_fact(ps);
}

/* Read the current token as a number of the fact's type. */
static int parse_number(struct parser *ps, const struct ebb_expr_fact *f, int64_t *ret)
{
	bool string = ps->lx->token == EBB_EXPR_T_STRING;
	struct ebb_err why = {0};

	if (ps->lx->token != EBB_EXPR_T_VALUE && !string)
		return ebb_expr_lex_fail(ps->lx, "expected %s, not %s", ebb_expr_fact_wants(f),
					 current(ps));
	if (string != (f->type == EBB_EXPR_WORD))
		return ebb_expr_lex_fail(ps->lx, "'%s' is compared with %s, not %s", f->name,
					 ebb_expr_fact_wants(f), current(ps));
	if (ebb_expr_fact_literal(f, ps->lx->text, ret, &why) < 0)
		return ebb_expr_lex_fail(ps->lx, "'%s' is compared with %s: %s", f->name,
					 ebb_expr_fact_wants(f), why.msg);
	return ebb_expr_lex_next(ps->lx);
}

/* Read the current token as text. */
static int parse_text(struct parser *ps, struct ebb_expr_text *ret)
{
	if (ps->lx->token != EBB_EXPR_T_STRING)
		return ebb_expr_lex_fail(ps->lx, "expected a string in quotes, not %s",
					 current(ps));
	ret->p = ps->lx->text;
	ret->len = strlen(ret->p);
	return ebb_expr_lex_next(ps->lx);
}

/* Append a literal that the value may equal. The arrays have room. */
static int parse_equal(struct parser *ps, struct ebb_expr_leaf *leaf)
{
	int64_t v;
	int r;

	if (leaf->fact->type == EBB_EXPR_TEXT) {
		r = parse_text(ps, &leaf->texts[leaf->n]);
	} else {
		r = parse_number(ps, leaf->fact, &v);
		if (r == 0)
			leaf->ranges[leaf->n] = (struct ebb_expr_range){v, v};
	}
	leaf->n += r == 0;
	return r;
}

static int leaf_room(struct parser *ps, struct ebb_expr_leaf *leaf, size_t n)
{
	if (leaf->fact->type == EBB_EXPR_TEXT)
		leaf->texts = ebb_arena_calloc(ps->lx->arena, n, sizeof(*leaf->texts));
	else
		leaf->ranges = ebb_arena_calloc(ps->lx->arena, n, sizeof(*leaf->ranges));
	return leaf->texts || leaf->ranges ? 0 : no_memory(ps);
}

static int parse_list(struct parser *ps, struct ebb_expr_leaf *leaf)
{
	int r = leaf_room(ps, leaf, EBB_EXPR_LIST);

	if (r < 0)
		return r;
	if (!at_mark(ps, '['))
		return ebb_expr_lex_fail(ps->lx, "expected '[' after 'in', not %s", current(ps));
	do {
		if (leaf->n == EBB_EXPR_LIST)
			return ebb_expr_lex_fail(ps->lx, "a list has at most %d literals",
						 EBB_EXPR_LIST);
		r = ebb_expr_lex_next(ps->lx);
		if (r == 0)
			r = parse_equal(ps, leaf);
		if (r < 0)
			return r;
	} while (at_mark(ps, ','));
	if (!at_mark(ps, ']'))
		return ebb_expr_lex_fail(ps->lx, "expected ',' or ']', not %s", current(ps));
	return ebb_expr_lex_next(ps->lx);
}

static int parse_matches(struct parser *ps, struct ebb_expr_leaf *leaf)
{
	struct ebb_err why = {0};
	struct ebb_glob *glob;

	if (leaf->fact->type != EBB_EXPR_TEXT)
		return ebb_expr_lex_fail(ps->lx, "'matches' is for text; compare '%s' with == or <",
					 leaf->fact->name);
	int r = ebb_expr_lex_next(ps->lx);
	if (r < 0)
		return r;
	if (ps->lx->token != EBB_EXPR_T_STRING)
		return ebb_expr_lex_fail(ps->lx, "expected a pattern in quotes, not %s",
					 current(ps));
	r = ebb_glob_compile(ps->lx->arena, ps->lx->text, &glob, &why);
	if (r == -EBB_ENOMEM)
		return no_memory(ps);
	if (r < 0)
		return ebb_expr_lex_fail(ps->lx, "%s", why.msg);
	if (ebb_glob_captures(glob))
		return ebb_expr_lex_fail(ps->lx,
					 "{%s} captures nothing here; captures belong in 'match:'",
					 ebb_glob_capture_name(glob, 0));
	leaf->glob = glob;
	return ebb_expr_lex_next(ps->lx);
}

/* The range that an operator and its literal mean; n stays 0 where no value can meet it. */
static void set_range(struct ebb_expr_leaf *leaf, const char *op, int64_t v)
{
	struct ebb_expr_range r = {INT64_MIN, INT64_MAX};
	bool equal = op[1] == '=';

	if (op[0] == '<' && !equal && v == INT64_MIN)
		return;
	if (op[0] == '>' && !equal && v == INT64_MAX)
		return;
	if (op[0] != '>')
		r.hi = op[0] == '<' && !equal ? v - 1 : v;
	if (op[0] != '<')
		r.lo = op[0] == '>' && !equal ? v + 1 : v;
	leaf->ranges[leaf->n++] = r;
	leaf->negate = op[0] == '!';
}

static int parse_compare(struct parser *ps, struct ebb_expr_leaf *leaf)
{
	const char *op = ps->lx->text;
	bool order = op[0] == '<' || op[0] == '>';
	int64_t v = 0;
	int r = 0;

	if (order && (leaf->fact->type == EBB_EXPR_TEXT || leaf->fact->type == EBB_EXPR_WORD))
		return ebb_expr_lex_fail(ps->lx, "'%s' has no order; use ==, != or in",
					 leaf->fact->name);
	r = leaf_room(ps, leaf, 1);
	if (r == 0)
		r = ebb_expr_lex_next(ps->lx);
	if (r < 0)
		return r;
	if (leaf->fact->type == EBB_EXPR_TEXT) {
		leaf->negate = op[0] == '!';
		return parse_equal(ps, leaf);
	}
	r = parse_number(ps, leaf->fact, &v);
	if (r == 0)
		set_range(leaf, op, v);
	return r;
}

static int parse_leaf(struct parser *ps, struct ebb_expr_node **ret)
{
	struct ebb_expr_leaf *leaf;
	int r = new_node(ps, EBB_EXPR_LEAF, ret);

	if (r < 0)
		return r;
	leaf = &(*ret)->leaf;
	ps->leaves++;
	r = parse_fact(ps, leaf);
	if (r < 0)
		return r;
	if (ps->lx->token == EBB_EXPR_T_OP)
		return parse_compare(ps, leaf);
	if (at_word(ps, "matches"))
		return parse_matches(ps, leaf);
	if (at_word(ps, "not")) {
		leaf->negate = true;
		r = ebb_expr_lex_next(ps->lx);
		if (r < 0)
			return r;
	}
	if (!at_word(ps, "in"))
		return ebb_expr_lex_fail(ps->lx, "expected %s, not %s",
					 leaf->negate ? "'in'" : "a comparison, 'in' or 'matches'",
					 current(ps));
	r = ebb_expr_lex_next(ps->lx);
	return r < 0 ? r : parse_list(ps, leaf);
}

static int parse_group(struct parser *ps, struct ebb_expr_node **ret)
{
	int r;

	if (ps->depth == EBB_EXPR_NESTING)
		return ebb_expr_lex_fail(ps->lx, "parentheses are nested deeper than %d",
					 EBB_EXPR_NESTING);
	ps->depth++;
	r = ebb_expr_lex_next(ps->lx);
	if (r == 0)
		r = parse_or(ps, ret);
	if (r < 0)
		return r;
	ps->depth--;
	if (!at_mark(ps, ')'))
		return ebb_expr_lex_fail(ps->lx, "expected 'and', 'or' or ')', not %s",
					 current(ps));
	return ebb_expr_lex_next(ps->lx);
}

static int parse_prim(struct parser *ps, struct ebb_expr_node **ret)
{
	int r;

	if (at_mark(ps, '('))
		return parse_group(ps, ret);
	if (!at_word(ps, "true") && !at_word(ps, "false"))
		return parse_leaf(ps, ret);
	r = new_node(ps, EBB_EXPR_CONST, ret);
	if (r < 0)
		return r;
	(*ret)->value = ps->lx->text[0] == 't' ? EBB_TRUE : EBB_FALSE;
	return ebb_expr_lex_next(ps->lx);
}

static int parse_not(struct parser *ps, struct ebb_expr_node **ret)
{
	struct ebb_expr_node *inverse;
	bool negate = false;
	int r;

	while (at_word(ps, "not")) {
		negate = !negate;
		r = ebb_expr_lex_next(ps->lx);
		if (r < 0)
			return r;
	}
	r = parse_prim(ps, ret);
	if (r < 0 || !negate)
		return r;
	r = new_node(ps, EBB_EXPR_NOT, &inverse);
	if (r < 0)
		return r;
	inverse->first = *ret;
	*ret = inverse;
	return 0;
}

/* A chain of @word between what @next parses; a node only when there are two or more. */
static int parse_chain(struct parser *ps, enum ebb_expr_op op, const char *word,
		       int (*next)(struct parser *, struct ebb_expr_node **),
		       struct ebb_expr_node **ret)
{
	struct ebb_expr_node *chain, *last;
	int r = next(ps, &last);

	*ret = last;
	if (r < 0 || !at_word(ps, word))
		return r;
	r = new_node(ps, op, &chain);
	if (r < 0)
		return r;
	chain->first = last;
	*ret = chain;
	while (at_word(ps, word)) {
		r = ebb_expr_lex_next(ps->lx);
		if (r == 0)
			r = next(ps, &last->next);
		if (r < 0)
			return r;
		last = last->next;
	}
	return 0;
}

static int parse_and(struct parser *ps, struct ebb_expr_node **ret)
{
	return parse_chain(ps, EBB_EXPR_AND, "and", parse_not, ret);
}

static int parse_or(struct parser *ps, struct ebb_expr_node **ret)
{
	return parse_chain(ps, EBB_EXPR_OR, "or", parse_and, ret);
}

/* Leaves in the order written. */
static void collect_leaves(struct ebb_expr *e, const struct ebb_expr_node *n)
{
	if (n->op == EBB_EXPR_LEAF)
		e->leaves[e->nleaves++] = &n->leaf;
	for (const struct ebb_expr_node *c = n->first; c; c = c->next)
		collect_leaves(e, c);
}

int ebb_expr_parse(struct ebb_expr_lex *lx, const char *const *labels, size_t nlabels,
		   struct ebb_expr *e)
{
	struct parser ps = {.lx = lx, .labels = labels, .nlabels = nlabels};
	int r = ebb_expr_lex_next(lx);

	if (r < 0)
		return r;
	if (lx->token == EBB_EXPR_T_END)
		return ebb_expr_lex_fail(lx,
					 "the condition is empty; leave 'when' out for \"always\"");
	r = parse_or(&ps, &e->root);
	if (r < 0)
		return r;
	if (lx->token != EBB_EXPR_T_END)
		return ebb_expr_lex_fail(lx, "expected 'and', 'or' or the end, not %s",
					 current(&ps));
	e->leaves = ebb_arena_calloc(lx->arena, ps.leaves, sizeof(*e->leaves));
	if (!e->leaves)
		return no_memory(&ps);
	collect_leaves(e, e->root);
	return 0;
}
