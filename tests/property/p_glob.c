/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Globs against a slow matcher that reads the pattern as the header words it: same answer and same
 * captures for random patterns and keys over a small alphabet, where collisions are frequent; and
 * what is said of prefixes holds.
 */
#include <stdio.h>
#include <string.h>

#include "policies/glob.h"
#include "tests/support/seed.h"

struct slow {
	const char *pattern, *key;
	struct ebb_glob_span spans[8];
};

static bool slow_match(struct slow *s, const char *p, const char *k, size_t span);

/* Try the bites of a wildcard from the longest: [least, most] bytes, @dirs: only those that end at
 * a '/'. */
static bool slow_bites(struct slow *s, const char *rest, const char *k, size_t least, size_t most,
		       bool dirs, size_t span, bool capture)
{
	for (size_t n = most + 1; n-- > least;) {
		if (dirs && n && k[n - 1] != '/')
			continue;
		if (slow_match(s, rest, k + n, span + capture)) {
			if (capture)
				s->spans[span] = (struct ebb_glob_span){k, n};
			return true;
		}
	}
	return false;
}

static bool slow_set(const char **p, char c)
{
	const char *q = *p + 1;
	bool invert = *q == '!', in = false;

	for (q += invert; *q != ']'; q++) {
		in |= *q == c || (q[1] == '-' && q[0] <= c && c <= q[2]);
		q += q[1] == '-' ? 2 : 0;
	}
	*p = q + 1;
	return c && c != '/' && in != invert;
}

static bool slow_match(struct slow *s, const char *p, const char *k, size_t span)
{
	bool boundary = p == s->pattern || p[-1] == '/';

	if (*p == '\0')
		return *k == '\0';
	if (p[0] == '*' && p[1] == '*' && boundary && p[2] == '/')
		return slow_bites(s, p + 3, k, 0, strlen(k), true, span, false);
	if (p[0] == '*' && p[1] == '*')
		return slow_bites(s, p + 2, k, 0, strlen(k), false, span, false);
	if (*p == '*')
		return slow_bites(s, p + 1, k, 0, strcspn(k, "/"), false, span, false);
	if (*p == '{')
		return slow_bites(s, strchr(p, '}') + 1, k, 1, strcspn(k, "/"), false, span, true);
	if (*p == '?')
		return *k && *k != '/' && slow_match(s, p + 1, k + 1, span);
	if (*p == '[')
		return slow_set(&p, *k) && slow_match(s, p, k + 1, span);
	p += *p == '\\';
	return *p == *k && slow_match(s, p + 1, k + 1, span);
}

/* A valid pattern of a few tokens. */
static void random_pattern(struct ebb_prng *seed, char *out)
{
	static const char *const tokens[] = {"a",    "b",    "/",     "*",   "**",   "**/", "?",
					     "[ab]", "[!a]", "[a-b]", "\\*", "/**/", "a/",  "-"};
	int n = 1 + (int)ebb_prng_below(seed, 8), captures = 0;

	*out = '\0';
	for (int i = 0; i < n; i++) {
		uint64_t k = ebb_prng_below(seed, sizeof(tokens) / sizeof(tokens[0]) + 2);
		size_t len = strlen(out);
		bool star = len && out[len - 1] == '*' && (len < 2 || out[len - 2] != '\\');

		if (k >= sizeof(tokens) / sizeof(tokens[0]))
			sprintf(out + len, "{c%d}", captures++);
		else if (!star || tokens[k][0] != '*')
			strcpy(out + len, tokens[k]);
	}
	if (!*out)
		strcpy(out, "a");
}

static void random_key(struct ebb_prng *seed, char *out)
{
	static const char bytes[] = "aaabb//-*";
	size_t n = (size_t)ebb_prng_below(seed, 12);

	for (size_t i = 0; i < n; i++)
		out[i] = bytes[ebb_prng_below(seed, sizeof(bytes) - 1)];
	out[n] = '\0';
}

static void check_key(const struct ebb_glob *g, const char *pattern, const char *key, int *hits)
{
	struct slow s = {.pattern = pattern, .key = key};
	struct ebb_glob_span spans[8];
	size_t len = strlen(key), plen;
	const char *prefix = ebb_glob_prefix(g, &plen);
	bool want = slow_match(&s, pattern, key, 0);

	EBB_SEED_CHECK(ebb_glob_match(g, key, len) == want, "'%s' on '%s': want %d", pattern, key,
		       want);
	EBB_SEED_CHECK(ebb_glob_capture(g, key, len, spans) == want, "'%s' on '%s'", pattern, key);
	EBB_SEED_CHECK(want || !ebb_glob_matches_all(g), "'%s' does not match '%s'", pattern, key);
	if (!want)
		return;
	(*hits)++;
	EBB_SEED_CHECK(len >= plen && memcmp(key, prefix, plen) == 0, "'%s' on '%s'", pattern, key);
	for (size_t i = 0; i < ebb_glob_captures(g); i++)
		EBB_SEED_CHECK(spans[i].p == s.spans[i].p && spans[i].len == s.spans[i].len,
			       "'%s' on '%s': capture %zu", pattern, key, i);
	/* No key that is not greater than a match may be said to lie behind all matches. */
	for (size_t n = 0; n <= len; n++)
		EBB_SEED_CHECK(ebb_glob_reaches(g, key, n), "'%s' on '%s'", pattern, key);
}

/* Short patterns and keys, many collisions. */
static void agrees_with_the_slow_matcher(struct ebb_prng *seed)
{
	int hits = 0;

	for (int i = 0; i < 5000; i++) {
		struct ebb_arena arena;
		struct ebb_glob *g;
		struct ebb_err err = {0};
		char pattern[128], key[16];

		ebb_arena_init(&arena, 0);
		random_pattern(seed, pattern);
		EBB_SEED_CHECK(ebb_glob_compile(&arena, pattern, &g, &err) == 0, "%s", err.msg);
		for (int k = 0; k < 40; k++) {
			random_key(seed, key);
			check_key(g, pattern, key, &hits);
		}
		ebb_arena_release(&arena);
	}
	EBB_SEED_CHECK(hits > 5000, "%d hits", hits);
}

/* The same through automata of several words: literal text that needs more than 64 states. */
static void long_patterns_agree(struct ebb_prng *seed)
{
	int hits = 0;

	for (int i = 0; i < 500; i++) {
		struct ebb_arena arena;
		struct ebb_glob *g;
		struct ebb_err err = {0};
		char pattern[1024] = "**", key[1024] = "", part[128], bit[16];

		ebb_arena_init(&arena, 0);
		for (int k = 0; k < 14; k++) {
			memset(part, "ab"[ebb_prng_below(seed, 2)], 15);
			part[15] = '\0';
			strcat(pattern, part);
			strcat(pattern, k % 2 ? "*" : "/**/");
			strcat(key, part);
			strcat(key, k % 2 ? "" : "/");
			random_key(seed, bit);
			if (ebb_prng_below(seed, 20) == 0)
				strcat(key, bit);
		}
		EBB_SEED_CHECK(ebb_glob_compile(&arena, pattern, &g, &err) == 0, "%s", err.msg);
		check_key(g, pattern, key, &hits);
		ebb_arena_release(&arena);
	}
	EBB_SEED_CHECK(hits > 100, "%d hits", hits);
}

int main(void)
{
	struct ebb_prng seed = ebb_seed_start();

	agrees_with_the_slow_matcher(&seed);
	long_patterns_agree(&seed);
	return 0;
}
