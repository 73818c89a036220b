/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/record.h"
#include "policies/glob.h"
#include "tests/support/unit.h"

static struct ebb_arena arena;

static struct ebb_glob *glob(const char *pattern)
{
	struct ebb_glob *g = NULL;
	struct ebb_err err = {0};

	ck_assert_msg(ebb_glob_compile(&arena, pattern, &g, &err) == 0, "%s", err.msg);
	return g;
}

static bool hits(const char *pattern, const char *key)
{
	return ebb_glob_match(glob(pattern), key, strlen(key));
}

START_TEST(star_stops_at_a_slash)
{
	ck_assert(hits("*.log", "a.log") && hits("*.log", ".log"));
	ck_assert(!hits("*.log", "d/a.log") && !hits("*.log", "a.log2"));
	ck_assert(hits("a*b*c", "a-b-b-c") && !hits("a*b*c", "a-b/b-c"));
	ck_assert(hits("runs/*/x", "runs/7/x") && !hits("runs/*/x", "runs/7/8/x"));
}
END_TEST

START_TEST(two_stars_cross_slashes)
{
	ck_assert(hits("**", "a") && hits("**", "a/b/c") && hits("**", "a/"));
	ck_assert(hits("models/**", "models/a/b") && !hits("models/**", "models"));
	ck_assert(hits("models/**", "models/"));
	ck_assert(hits("**.tmp", "a/b/c.tmp") && hits("a**z", "a/m/z"));
}
END_TEST

START_TEST(directories_may_be_none)
{
	ck_assert(hits("**/x", "x") && hits("**/x", "a/x") && hits("**/x", "a/b/x"));
	ck_assert(!hits("**/x", "ax") && !hits("**/x", "a/bx"));
	ck_assert(hits("a/**/z", "a/z") && hits("a/**/z", "a/m/n/z") && !hits("a/**/z", "a/mz"));
	ck_assert(hits("**/node_modules/**", "node_modules/a"));
	ck_assert(hits("**/node_modules/**", "p/q/node_modules/a/b"));
	ck_assert(!hits("**/node_modules/**", "p/my_node_modules/a"));
}
END_TEST

START_TEST(one_byte_and_sets)
{
	ck_assert(hits("a?c", "abc") && !hits("a?c", "a/c") && !hits("a?c", "ac"));
	ck_assert(hits("[a-c]x", "bx") && !hits("[a-c]x", "dx"));
	ck_assert(hits("[!a-c]x", "dx") && !hits("[!a-c]x", "bx") && !hits("a[!b]c", "a/c"));
	ck_assert(hits("[]-]", "]") && hits("[]-]", "-") && hits("[\\^]", "^"));
	ck_assert(hits("\xc3?", "\xc3\xa9") && hits("[\x80-\xff]", "\xe9"));
}
END_TEST

START_TEST(escapes)
{
	ck_assert(hits("a\\*b", "a*b") && !hits("a\\*b", "axb"));
	ck_assert(hits("\\{x\\}", "{x}") && hits("\\\\", "\\") && hits("\\[a]", "[a]"));
}
END_TEST

static void check_capture(const char *pattern, const char *key, const char *want)
{
	struct ebb_glob *g = glob(pattern);
	struct ebb_glob_span spans[8];
	char got[256] = "";

	ck_assert(ebb_glob_capture(g, key, strlen(key), spans));
	for (size_t i = 0; i < ebb_glob_captures(g); i++)
		sprintf(got + strlen(got), "%s=%.*s ", ebb_glob_capture_name(g, i),
			(int)spans[i].len, spans[i].p);
	ck_assert_str_eq(got, want);
}

START_TEST(captures_are_greedy_from_the_left)
{
	check_capture("runs/{project}/{run}/checkpoint-{step}/**",
		      "runs/vision/r-7/checkpoint-900/w.bin", "project=vision run=r-7 step=900 ");
	check_capture("{a}-{b}", "x-y-z", "a=x-y b=z ");
	check_capture("*{a}", "xyz", "a=z ");
	check_capture("**/{f}.txt", "a/b/c.txt", "f=c ");
	check_capture("{a}{b}", "xyz", "a=xy b=z ");
	ck_assert(!hits("{a}/x", "/x"));
	ck_assert(!hits("{a}", "x/y"));
}
END_TEST

START_TEST(no_blow_up)
{
	char key[EBB_KEY_MAX + 1], pattern[256] = "";
	struct ebb_glob_span spans[32];
	struct ebb_glob *g;

	memset(key, 'a', EBB_KEY_MAX);
	key[EBB_KEY_MAX] = '\0';
	for (int i = 0; i < 30; i++)
		strcat(pattern, "*a");
	strcat(pattern, "b");
	ck_assert(!hits(pattern, key));
	pattern[0] = '\0';
	for (int i = 0; i < 12; i++)
		sprintf(pattern + strlen(pattern), "{c%c}a", 'a' + i);
	strcat(pattern, "*a");
	g = glob(pattern);
	ck_assert(ebb_glob_capture(g, key, EBB_KEY_MAX, spans));
	ck_assert_uint_eq(spans[1].len, 1);
}
END_TEST

static void check_error(const char *pattern, const char *want)
{
	struct ebb_glob *g = NULL;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_glob_compile(&arena, pattern, &g, &err), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, want);
	ck_assert_ptr_null(g);
}

START_TEST(errors_name_the_column)
{
	check_error("", "the pattern is empty; write '**' for every key");
	check_error("ab[c",
		    "pattern 'ab[c': column 3: '[' is not closed; write '\\[' for the byte itself");
	check_error("[^a]", "pattern '[^a]': column 2: write '[!' for a set of other bytes, '[\\^' "
			    "for the byte '^'");
	check_error("[z-a]", "pattern '[z-a]': column 2: range 'z-a' is empty");
	check_error("[a/]", "pattern '[a/]': column 3: a set never matches '/'");
	check_error("a***", "pattern 'a***': column 2: '***' means nothing; write '*' or '**'");
	check_error(
		"x\\",
		"pattern 'x\\': column 2: nothing follows '\\'; write '\\\\' for the byte itself");
	check_error("{a",
		    "pattern '{a': column 1: '{' is not closed; write '\\{' for the byte itself");
	check_error("{a,b}", "pattern '{a,b}': column 3: there are no alternatives like {a,b}; "
			     "write one rule for each");
	check_error("{}",
		    "pattern '{}': column 2: a capture is a name of a-z, 0-9 and '_', as in {run}");
	check_error("a}",
		    "pattern 'a}': column 2: '}' without '{'; write '\\}' for the byte itself");
	check_error("{a}/{a}", "pattern '{a}/{a}': column 6: {a} stands twice");
}
END_TEST

START_TEST(prefix_and_ranges)
{
	size_t len;
	const char *p = ebb_glob_prefix(glob("logs/2024*"), &len);

	ck_assert_uint_eq(len, 9);
	ck_assert_mem_eq(p, "logs/2024", 9);
	ck_assert(ebb_glob_reaches(glob("logs/2024*"), "a", 1));
	ck_assert(ebb_glob_reaches(glob("logs/2024*"), "logs/2024-05", 12));
	ck_assert(!ebb_glob_reaches(glob("logs/2024*"), "logs/2025", 9));
	ck_assert(!ebb_glob_reaches(glob("logs/2024*"), "m", 1));
	ck_assert(ebb_glob_reaches(glob("**/x"), "zzz", 3));
}
END_TEST

START_TEST(everything)
{
	static const char *const all[] = {"**", "**/*", "**/**", "**/{x}", "**?", "{x}**"};
	static const char *const some[] = {"*",    "**/?",   "**.*", "a**",
					   "**/x", "[!a]**", "**/",  "?**?"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(all); i++)
		ck_assert_msg(ebb_glob_everything(glob(all[i])), "%s", all[i]);
	for (size_t i = 0; i < EBB_ARRAY_LEN(some); i++)
		ck_assert_msg(!ebb_glob_everything(glob(some[i])), "%s", some[i]);
	ck_assert(ebb_glob_matches_all(glob("**/*")) && !ebb_glob_matches_all(glob("**/{x}")));
}
END_TEST

START_TEST(limits)
{
	char pattern[EBB_GLOB_MAX + 8];
	struct ebb_glob *g;

	memset(pattern, 'a', sizeof(pattern));
	pattern[EBB_GLOB_MAX] = '\0';
	ck_assert(hits(pattern, pattern));
	pattern[0] = pattern[EBB_GLOB_MAX - 1] = '*';
	ck_assert(hits(pattern, pattern));
	pattern[EBB_GLOB_MAX] = 'a';
	pattern[EBB_GLOB_MAX + 1] = '\0';
	ck_assert_int_eq(ebb_glob_compile(&arena, pattern, &g, NULL), -EBB_ECONFIG);
	for (int i = 0; i < 65; i++)
		memcpy(pattern + 2 * (size_t)i, "*a", 3);
	ck_assert_int_eq(ebb_glob_compile(&arena, pattern, &g, NULL), -EBB_ECONFIG);
}
END_TEST

EBB_UNIT_MAIN("glob", star_stops_at_a_slash, two_stars_cross_slashes, directories_may_be_none,
	      one_byte_and_sets, escapes, captures_are_greedy_from_the_left, no_blow_up,
	      errors_name_the_column, prefix_and_ranges, everything, limits)
