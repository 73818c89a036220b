/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/glob.h"

#include <stdint.h>
#include <string.h>

#include "core/record.h"
#include "policies/glob_parse.h"

/*
 * The automaton. State i means "i symbols of the middle are consumed". For a byte c the words of
 * step[c] say which states it takes to the next one, those of stay[c] which it leaves where they
 * are. An entry into a state of `skip` (directories) enters the next one too, since no directory is
 * also a match.
 */
struct automaton {
	size_t words;
	uint64_t *step, *stay;  /* 256 * words each */
	uint64_t *skip, *start; /* words each */
	size_t last;            /* the accepting state */
	bool last_stays;        /* it stays on every byte: once reached, matched */
};

enum shape {
	SHAPE_LITERAL, /* the prefix is the whole key */
	SHAPE_DEEP,    /* anything between prefix and suffix */
	SHAPE_STAR,    /* anything but '/' between prefix and suffix */
	SHAPE_AUTOMATON
};

struct ebb_glob {
	const struct ebb_glob_part *parts; /* all */
	size_t n;
	struct ebb_glob_part prefix, suffix; /* literals, len 0 for none */
	enum shape shape;
	struct automaton nfa; /* of what stands between prefix and suffix */
	size_t captures;
	const char **names;
	bool everything;
};

static void set_bit(uint64_t *w, size_t i)
{
	w[i >> 6] |= UINT64_C(1) << (i & 63);
}

static bool has_bit(const uint64_t *w, size_t i)
{
	return w[i >> 6] >> (i & 63) & 1;
}

static bool part_takes(const struct ebb_glob_part *p, unsigned char c)
{
	switch (p->kind) {
	case EBB_GLOB_ONE:
		return ebb_glob_parse_in_set(p, c);
	case EBB_GLOB_STAR:
	case EBB_GLOB_CAPTURE:
		return c != '/';
	default:
		return true;
	}
}

/* Let state @s stay on the bytes that @p takes. */
static void add_stay(struct automaton *a, size_t s, const struct ebb_glob_part *p)
{
	for (unsigned c = 0; c < 256; c++)
		if (part_takes(p, (unsigned char)c))
			set_bit(a->stay + c * a->words, s);
}

/* Let state @s step to the next on the bytes that @p takes. */
static void add_step(struct automaton *a, size_t s, const struct ebb_glob_part *p)
{
	for (unsigned c = 0; c < 256; c++)
		if (part_takes(p, (unsigned char)c))
			set_bit(a->step + c * a->words, s);
}

/* Add one part behind state *s. */
static void add_part(struct automaton *a, const struct ebb_glob_part *p, size_t *s)
{
	switch (p->kind) {
	case EBB_GLOB_LITERAL:
		for (size_t i = 0; i < p->len; i++)
			set_bit(a->step + (size_t)(unsigned char)p->text[i] * a->words, (*s)++);
		break;
	case EBB_GLOB_ONE:
		add_step(a, (*s)++, p);
		break;
	case EBB_GLOB_STAR:
	case EBB_GLOB_DEEP:
		add_stay(a, *s, p);
		break;
	case EBB_GLOB_DIRS:
		add_stay(a, *s, p);
		set_bit(a->skip, *s);
		set_bit(a->step + (size_t)'/' * a->words, (*s)++);
		break;
	case EBB_GLOB_CAPTURE:
		add_step(a, (*s)++, p);
		add_stay(a, *s, p);
		break;
	}
}

static int build_automaton(struct ebb_arena *arena, struct automaton *a,
			   const struct ebb_glob_part *parts, size_t n)
{
	size_t states = 1, s = 0;

	for (size_t i = 0; i < n; i++)
		states += parts[i].kind == EBB_GLOB_LITERAL ? parts[i].len : 1;
	a->words = (states + 63) / 64;
	a->step = ebb_arena_calloc(arena, 256 * a->words, sizeof(uint64_t));
	a->stay = ebb_arena_calloc(arena, 256 * a->words, sizeof(uint64_t));
	a->skip = ebb_arena_calloc(arena, 2 * a->words, sizeof(uint64_t));
	if (!a->step || !a->stay || !a->skip)
		return -EBB_ENOMEM;
	a->start = a->skip + a->words;
	for (size_t i = 0; i < n; i++)
		add_part(a, &parts[i], &s);
	set_bit(a->start, 0);
	if (has_bit(a->skip, 0))
		set_bit(a->start, 1);
	a->last = s;
	a->last_stays = parts[n - 1].kind == EBB_GLOB_DEEP;
	return 0;
}

/* Automaton of at most 64 states. */
static bool run_word(const struct automaton *a, const unsigned char *p, size_t len)
{
	uint64_t at = a->start[0], skip = a->skip[0], last = UINT64_C(1) << a->last;
	uint64_t settled = a->last_stays ? last : 0;

	for (size_t i = 0; i < len; i++) {
		uint64_t entered = (at & a->step[p[i]]) << 1;

		at = entered | (entered & skip) << 1 | (at & a->stay[p[i]]);
		if (at == 0 || (at & settled))
			break;
	}
	return (at & last) != 0;
}

/* Automaton of any size. */
static bool run_words(const struct automaton *a, const unsigned char *p, size_t len)
{
	uint64_t at[EBB_GLOB_MAX / 64 + 2];

	memcpy(at, a->start, a->words * sizeof(*at));
	for (size_t i = 0; i < len; i++) {
		const uint64_t *step = a->step + p[i] * a->words, *stay = a->stay + p[i] * a->words;
		uint64_t any = 0, carry = 0, skip_carry = 0;

		for (size_t w = 0; w < a->words; w++) {
			uint64_t moved = at[w] & step[w];
			uint64_t entered = moved << 1 | carry;
			uint64_t skipped = entered & a->skip[w];

			at[w] = entered | skipped << 1 | skip_carry | (at[w] & stay[w]);
			carry = moved >> 63;
			skip_carry = skipped >> 63;
			any |= at[w];
		}
		if (any == 0)
			return false;
	}
	return has_bit(at, a->last);
}

bool ebb_glob_match(const struct ebb_glob *g, const char *key, size_t len)
{
	size_t pre = g->prefix.len, suf = g->suffix.len;

	if (len < pre + suf || (pre && memcmp(key, g->prefix.text, pre) != 0) ||
	    (suf && memcmp(key + len - suf, g->suffix.text, suf) != 0))
		return false;
	key += pre;
	len -= pre + suf;
	switch (g->shape) {
	case SHAPE_LITERAL:
		return len == 0;
	case SHAPE_DEEP:
		return true;
	case SHAPE_STAR:
		return len == 0 || memchr(key, '/', len) == NULL;
	default:
		return g->nfa.words == 1 ? run_word(&g->nfa, (const unsigned char *)key, len)
					 : run_words(&g->nfa, (const unsigned char *)key, len);
	}
}

/* One search for captures. Bit w of failed[i] says that wildcard w, begun at i, cannot lead to a
 * match. */
struct search {
	const struct ebb_glob_part *parts;
	size_t n;
	const char *key;
	size_t len;
	uint64_t *failed;
	struct ebb_glob_span *spans;
};

static bool search_from(const struct search *s, size_t part, size_t at, size_t wildcard,
			size_t span);

/* The wildcard parts[part] at @at: the longest bite first. */
static bool search_wildcard(const struct search *s, size_t part, size_t at, size_t wildcard,
			    size_t span)
{
	const struct ebb_glob_part *p = &s->parts[part];
	bool capture = p->kind == EBB_GLOB_CAPTURE, found = false;
	size_t least = at + capture, end = at;

	if (s->failed[at] >> wildcard & 1)
		return false;
	while (end < s->len && part_takes(p, (unsigned char)s->key[end]))
		end++;
	for (; !found && end + 1 > least; end--) {
		if (p->kind != EBB_GLOB_DIRS || end == at || s->key[end - 1] == '/')
			found = search_from(s, part + 1, end, wildcard + 1, span + capture);
		if (found || end == 0)
			break;
	}
	if (!found)
		s->failed[at] |= UINT64_C(1) << wildcard;
	else if (capture)
		s->spans[span] = (struct ebb_glob_span){s->key + at, end - at};
	return found;
}

/* Match parts[part...] at @at. Recursion is as deep as there are wildcards. */
static bool search_from(const struct search *s, size_t part, size_t at, size_t wildcard,
			size_t span)
{
	for (; part < s->n && s->parts[part].kind <= EBB_GLOB_ONE; part++) {
		const struct ebb_glob_part *p = &s->parts[part];

		if (p->kind == EBB_GLOB_ONE) {
			if (at == s->len || !part_takes(p, (unsigned char)s->key[at]))
				return false;
			at++;
		} else {
			if (s->len - at < p->len || memcmp(s->key + at, p->text, p->len) != 0)
				return false;
			at += p->len;
		}
	}
	if (part == s->n)
		return at == s->len;
	return search_wildcard(s, part, at, wildcard, span);
}

bool ebb_glob_capture(const struct ebb_glob *g, const char *key, size_t len,
		      struct ebb_glob_span *spans)
{
	uint64_t failed[EBB_KEY_MAX + 1];
	struct search s = {g->parts, g->n, key, len, failed, spans};

	if (len > EBB_KEY_MAX || !ebb_glob_match(g, key, len))
		return false;
	if (g->captures == 0)
		return true;
	memset(failed, 0, (len + 1) * sizeof(*failed));
	return search_from(&s, 0, 0, 0, 0);
}

/* True for '?' and whatever else takes every byte but NUL and '/'. */
static bool is_any_byte(const struct ebb_glob_part *p)
{
	int bytes = 0;

	for (int i = 0; i < 4; i++)
		bytes += __builtin_popcountll(p->set[i]);
	return bytes == 254;
}

/* No literal, no set, and not two wildcards that ask for a byte each: see ebb_glob_everything. */
static bool is_everything(const struct ebb_glob_part *parts, size_t n)
{
	size_t asked = 0;
	bool crosses = false, dirs = false;

	for (size_t i = 0; i < n; i++) {
		const struct ebb_glob_part *p = &parts[i];

		if (p->kind == EBB_GLOB_LITERAL || (p->kind == EBB_GLOB_ONE && !is_any_byte(p)))
			return false;
		asked += p->kind == EBB_GLOB_ONE || p->kind == EBB_GLOB_CAPTURE;
		crosses |= p->kind == EBB_GLOB_DEEP;
		crosses |= dirs && p->kind == EBB_GLOB_CAPTURE;
		dirs |= p->kind == EBB_GLOB_DIRS;
	}
	return crosses && asked <= 1;
}

static int name_captures(struct ebb_arena *arena, struct ebb_glob *g)
{
	for (size_t i = 0; i < g->n; i++)
		g->captures += g->parts[i].kind == EBB_GLOB_CAPTURE;
	g->names = ebb_arena_calloc(arena, g->captures, sizeof(*g->names));
	if (!g->names)
		return -EBB_ENOMEM;
	for (size_t i = 0, k = 0; i < g->n; i++)
		if (g->parts[i].kind == EBB_GLOB_CAPTURE)
			g->names[k++] = g->parts[i].text;
	return 0;
}

/* Cut literals off both ends and prepare what is left. */
static int prepare_match(struct ebb_arena *arena, struct ebb_glob *g)
{
	const struct ebb_glob_part *parts = g->parts;
	size_t n = g->n;

	if (n && parts[0].kind == EBB_GLOB_LITERAL) {
		g->prefix = *parts++;
		n--;
	}
	if (n && parts[n - 1].kind == EBB_GLOB_LITERAL)
		g->suffix = parts[--n];
	if (n == 0)
		g->shape = SHAPE_LITERAL;
	else if (n == 1 && parts[0].kind == EBB_GLOB_DEEP)
		g->shape = SHAPE_DEEP;
	else if (n == 1 && parts[0].kind == EBB_GLOB_STAR)
		g->shape = SHAPE_STAR;
	else
		g->shape = SHAPE_AUTOMATON;
	return g->shape == SHAPE_AUTOMATON ? build_automaton(arena, &g->nfa, parts, n) : 0;
}

int ebb_glob_compile(struct ebb_arena *arena, const char *pattern, struct ebb_glob **ret,
		     struct ebb_err *err)
{
	struct ebb_glob *g = ebb_arena_alloc(arena, sizeof(*g));
	struct ebb_glob_part *parts;
	int r;

	if (!g)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a pattern");
	r = ebb_glob_parse(arena, pattern, &parts, &g->n, err);
	if (r < 0)
		return r;
	g->parts = parts;
	g->everything = is_everything(g->parts, g->n);
	if (prepare_match(arena, g) < 0 || name_captures(arena, g) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a pattern");
	*ret = g;
	return 0;
}

size_t ebb_glob_captures(const struct ebb_glob *g)
{
	return g->captures;
}

const char *ebb_glob_capture_name(const struct ebb_glob *g, size_t i)
{
	return g->names[i];
}

const char *ebb_glob_prefix(const struct ebb_glob *g, size_t *ret_len)
{
	*ret_len = g->prefix.len;
	return g->prefix.len ? g->prefix.text : "";
}

bool ebb_glob_matches_all(const struct ebb_glob *g)
{
	return g->shape == SHAPE_DEEP && g->prefix.len == 0 && g->suffix.len == 0;
}

bool ebb_glob_everything(const struct ebb_glob *g)
{
	return g->everything;
}

bool ebb_glob_reaches(const struct ebb_glob *g, const char *first, size_t first_len)
{
	size_t n = first_len < g->prefix.len ? first_len : g->prefix.len;

	return n == 0 || memcmp(first, g->prefix.text, n) <= 0;
}
