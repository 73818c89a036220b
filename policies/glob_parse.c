/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/glob_parse.h"

#include <stdbool.h>
#include <string.h>

#include "policies/glob.h"

struct parser {
	struct ebb_arena *arena;
	struct ebb_err *err;
	const char *pattern, *p;
	struct ebb_glob_part *parts;
	size_t n;
	char *text; /* unescaped literals grow here; never longer than the pattern */
	size_t text_len;
};

/* A failure at @at, with the column of that byte. */
#define FAIL(ps, at, fmt, ...)                                                                     \
	ebb_err_set((ps)->err, EBB_ECONFIG, "pattern '%s': column %td: " fmt, (ps)->pattern,       \
		    (at) - (ps)->pattern + 1, ##__VA_ARGS__)

static struct ebb_glob_part *last_part(struct parser *ps)
{
	return ps->n ? &ps->parts[ps->n - 1] : NULL;
}

static void add_literal(struct parser *ps, char c)
{
	struct ebb_glob_part *last = last_part(ps);

	if (!last || last->kind != EBB_GLOB_LITERAL) {
		last = &ps->parts[ps->n++];
		last->kind = EBB_GLOB_LITERAL;
		last->text = ps->text + ps->text_len;
	}
	ps->text[ps->text_len++] = c;
	last->len++;
}

static void add_part(struct parser *ps, enum ebb_glob_part_kind kind)
{
	ps->parts[ps->n++].kind = kind;
}

/* Add a star, two stars or directories, merged with the part before it where that covers both. */
static void add_star(struct parser *ps, enum ebb_glob_part_kind kind)
{
	struct ebb_glob_part *last = last_part(ps);

	if (!last || last->kind < EBB_GLOB_STAR || last->kind > EBB_GLOB_DIRS)
		add_part(ps, kind);
	else if (last->kind != kind)
		last->kind = EBB_GLOB_DEEP;
}

static void set_add(struct ebb_glob_part *p, unsigned char c)
{
	p->set[c >> 6] |= UINT64_C(1) << (c & 63);
}

static void set_invert(struct ebb_glob_part *p)
{
	for (int i = 0; i < 4; i++)
		p->set[i] = ~p->set[i];
	p->set[0] &= ~UINT64_C(1);
	p->set['/' >> 6] &= ~(UINT64_C(1) << ('/' & 63));
}

/* One member of a set, escaped or not. Leaves ps->p behind it. */
static int parse_member(struct parser *ps, const char *open, unsigned char *ret)
{
	if (*ps->p == '\\')
		ps->p++;
	if (*ps->p == '\0')
		return FAIL(ps, open, "'[' is not closed; write '\\[' for the byte itself");
	if (*ps->p == '/')
		return FAIL(ps, ps->p, "a set never matches '/'");
	*ret = (unsigned char)*ps->p++;
	return 0;
}

static int parse_set(struct parser *ps)
{
	const char *open = ps->p++, *first;
	struct ebb_glob_part *part = &ps->parts[ps->n];
	bool invert = *ps->p == '!';
	unsigned char from, to;
	int r;

	if (*ps->p == '^')
		return FAIL(ps, ps->p,
			    "write '[!' for a set of other bytes, '[\\^' for the byte '^'");
	ps->p += invert;
	first = ps->p;
	do {
		const char *at = ps->p;

		r = parse_member(ps, open, &from);
		if (r < 0)
			return r;
		to = from;
		if (ps->p[0] == '-' && ps->p[1] != ']') {
			ps->p++;
			r = parse_member(ps, open, &to);
			if (r < 0)
				return r;
		}
		if (to < from)
			return FAIL(ps, at, "range '%c-%c' is empty", from, to);
		for (unsigned c = from; c <= to; c++)
			if (c != '/')
				set_add(part, (unsigned char)c);
	} while (*ps->p != ']' || ps->p == first);
	ps->p++;
	add_part(ps, EBB_GLOB_ONE);
	if (invert)
		set_invert(part);
	return 0;
}

static bool name_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || c == '_' || (!first && c >= '0' && c <= '9');
}

static int parse_capture(struct parser *ps)
{
	const char *open = ps->p++, *name = ps->p;
	size_t len;
	char *copy;

	while (name_byte(*ps->p, ps->p == name))
		ps->p++;
	len = (size_t)(ps->p - name);
	if (*ps->p == ',')
		return FAIL(ps, ps->p,
			    "there are no alternatives like {a,b}; write one rule for each");
	if (*ps->p == '\0')
		return FAIL(ps, open, "'{' is not closed; write '\\{' for the byte itself");
	if (len == 0 || *ps->p != '}')
		return FAIL(ps, ps->p, "a capture is a name of a-z, 0-9 and '_', as in {run}");
	ps->p++;
	copy = ebb_arena_memdup(ps->arena, name, len);
	if (!copy)
		return ebb_err_set(ps->err, EBB_ENOMEM, "no memory for a pattern");
	for (size_t i = 0; i < ps->n; i++)
		if (ps->parts[i].kind == EBB_GLOB_CAPTURE && strcmp(ps->parts[i].text, copy) == 0)
			return FAIL(ps, name, "{%s} stands twice", copy);
	ps->parts[ps->n].text = copy;
	add_part(ps, EBB_GLOB_CAPTURE);
	return 0;
}

static int parse_star(struct parser *ps)
{
	const char *at = ps->p;
	size_t stars = strspn(at, "*");
	bool boundary = at == ps->pattern || at[-1] == '/';

	if (stars > 2)
		return FAIL(ps, at, "'***' means nothing; write '*' or '**'");
	ps->p += stars;
	if (stars == 1) {
		add_star(ps, EBB_GLOB_STAR);
	} else if (boundary && *ps->p == '/') {
		ps->p++;
		add_star(ps, EBB_GLOB_DIRS);
	} else {
		add_star(ps, EBB_GLOB_DEEP);
	}
	return 0;
}

static int parse_one(struct parser *ps)
{
	struct ebb_glob_part *part = &ps->parts[ps->n];

	switch (*ps->p) {
	case '*':
		return parse_star(ps);
	case '?':
		add_part(ps, EBB_GLOB_ONE);
		set_invert(part);
		break;
	case '[':
		return parse_set(ps);
	case '{':
		return parse_capture(ps);
	case '}':
		return FAIL(ps, ps->p, "'}' without '{'; write '\\}' for the byte itself");
	case '\\':
		if (*++ps->p == '\0')
			return FAIL(ps, ps->p - 1,
				    "nothing follows '\\'; write '\\\\' for the byte itself");
		/* fall through */
	default:
		add_literal(ps, *ps->p);
	}
	ps->p++;
	return 0;
}

int ebb_glob_parse(struct ebb_arena *arena, const char *pattern, struct ebb_glob_part **ret,
		   size_t *ret_n, struct ebb_err *err)
{
	struct parser ps = {.arena = arena, .err = err, .pattern = pattern, .p = pattern};
	size_t len = strlen(pattern), wildcards = 0;

	if (len == 0)
		return ebb_err_set(err, EBB_ECONFIG,
				   "the pattern is empty; write '**' for every key");
	if (len > EBB_GLOB_MAX)
		return ebb_err_set(err, EBB_ECONFIG, "the pattern has %zu bytes; %d are possible",
				   len, EBB_GLOB_MAX);
	ps.parts = ebb_arena_calloc(arena, len + 1, sizeof(*ps.parts));
	ps.text = ebb_arena_alloc(arena, len);
	if (!ps.parts || !ps.text)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a pattern");
	while (*ps.p) {
		int r = parse_one(&ps);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ps.n; i++)
		wildcards += ps.parts[i].kind >= EBB_GLOB_STAR;
	if (wildcards > EBB_GLOB_WILDCARDS)
		return ebb_err_set(err, EBB_ECONFIG,
				   "pattern '%s' has %zu wildcards; %d are possible", pattern,
				   wildcards, EBB_GLOB_WILDCARDS);
	*ret = ps.parts;
	*ret_n = ps.n;
	return 0;
}
