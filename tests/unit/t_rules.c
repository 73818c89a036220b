/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "policies/rules_explain.h"
#include "tests/support/flow.h"
#include "tests/support/unit.h"

#define DAY (INT64_C(86400) * 1000000000)
#define NOW (20000 * DAY)
#define N EBB_RULES_NONE

static struct ebb_arena arena;
static const struct ebb_rules_store stores[] = {
	{.name = "scratch", .class = "NVME", .jurisdiction = "AE"},
	{.name = "cold", .class = "HDD", .jurisdiction = "AE"},
	{.name = "bare"},
	{.name = "lake", .class = "STANDARD", .replaces = true},
};

static int compile(const char *text, struct ebb_rules **ret, struct ebb_err *err)
{
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "ebb.yaml", text, err);

	ck_assert_msg(doc != NULL, "%s", err->msg);
	return ebb_rules_compile(&arena, ebb_tree_get(doc, "rules"), ebb_tree_get(doc, "datasets"),
				 stores, 4, ret, err);
}

static struct ebb_rules *rules(const char *text)
{
	struct ebb_rules *r = NULL;
	struct ebb_err err = {0};

	ck_assert_msg(compile(text, &r, &err) == 0, "%s", err.msg);
	return r;
}

/* A file, 200 days old, read 100 days ago, of 2 MiB. */
static struct ebb_record file(const char *key)
{
	struct ebb_record r = {.key = key, .key_len = (uint32_t)strlen(key)};

	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, 2 << 20);
	ebb_record_set(&r, EBB_F_MTIME, NOW - 200 * DAY);
	ebb_record_set(&r, EBB_F_ATIME, NOW - 100 * DAY);
	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_ATIME);
	ebb_record_set(&r, EBB_F_FLAGS, 0);
	return r;
}

/* What a block of records and the same records one by one come to; both must agree. */
static void decide(const struct ebb_rules *r, const char *store, struct ebb_record *recs,
		   uint32_t n, uint16_t *rule, uint16_t *unknown)
{
	struct ebb_block_builder *builder = ebb_block_builder_new();
	struct ebb_rules_decide_work *w = ebb_rules_decide_new(r);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf bytes = EBB_BUF_INIT(1 << 20);
	struct ebb_rules_verdict verdicts[16];
	const struct ebb_rules_dataset *set;
	struct ebb_block b;
	struct ebb_err err = {0};
	int any = 0, got;

	for (uint32_t i = 0; i < n; i++)
		ck_assert_msg(ebb_block_builder_add(builder, &recs[i], &err) == 0, "%s", err.msg);
	ck_assert_int_eq(ebb_block_builder_encode(builder, &bytes, NULL), 0);
	ck_assert_int_eq(ebb_block_open(&b, bytes.data, bytes.len, NULL), 0);
	got = ebb_rules_decide(r, w, &b, store, NOW, rule, unknown, NULL);
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_int_eq(
			ebb_rules_explain(r, &recs[i], store, NOW, &arena, verdicts, &set, NULL),
			rule[i]);
		for (size_t k = 0; k < ebb_rules_count(r); k++) {
			ck_assert_int_eq(verdicts[k].fires, rule[i] == k);
			ck_assert_int_eq(verdicts[k].holds, unknown[i] == k);
		}
		any |= rule[i] != N || unknown[i] != N;
	}
	ck_assert_int_eq(got, any);
	ebb_rules_decide_free(w);
	ebb_block_builder_free(builder);
}

/* The rule that meets one record; its unknown must be @want_unknown. */
static uint16_t meets(const struct ebb_rules *r, const char *store, struct ebb_record rec,
		      uint16_t want_unknown)
{
	uint16_t rule, unknown;

	decide(r, store, &rec, 1, &rule, &unknown);
	ck_assert_uint_eq(unknown, want_unknown);
	return rule;
}

START_TEST(first_match_wins_and_keep_ends)
{
	struct ebb_rules *r = rules("{rules: [\n"
				    "{name: in use, match: \"prod/**\", do: keep},\n"
				    "{name: old, when: \"idle > 50d\", do: delete},\n"
				    "{name: big, when: \"size > 1MiB\", do: compress}]}");
	struct ebb_record recs[] = {file("a"), file("b"), file("prod/a"), file("z")};
	uint16_t rule[EBB_BLOCK_MAX], unknown[EBB_BLOCK_MAX];

	ebb_record_set(&recs[1], EBB_F_ATIME, NOW - DAY);
	ebb_record_set(&recs[3], EBB_F_ATIME, NOW - DAY);
	ebb_record_set(&recs[3], EBB_F_SIZE, 5);
	decide(r, "scratch", recs, 4, rule, unknown);
	ck_assert_uint_eq(rule[0], 1);
	ck_assert_uint_eq(rule[1], 2);
	ck_assert_uint_eq(rule[2], 0);
	ck_assert_uint_eq(rule[3], N);
}
END_TEST

START_TEST(unknown_protects)
{
	struct ebb_rules *r =
		rules("{rules: [\n"
		      "{name: busy, match: \"p/**\", when: \"idle < 5d\", do: keep},\n"
		      "{name: old, when: \"idle > 50d\", do: delete},\n"
		      "{name: logs, when: \"age > 14d\", do: compress}]}");
	struct ebb_record rec = file("a");

	ck_assert_uint_eq(meets(r, "scratch", rec, N), 1);
	/* With less evidence the later rule must not fire in the place of the earlier. */
	ebb_record_set(&rec, EBB_F_EVIDENCE, EBB_EVIDENCE_MTIME);
	ck_assert_uint_eq(meets(r, "scratch", rec, 1), N);
	rec.key = "p/a";
	rec.key_len = 3;
	ck_assert_uint_eq(meets(r, "scratch", rec, N), 0);
	ebb_record_set(&rec, EBB_F_MTIME, NOW - 20 * DAY);
	rec.key = "a";
	rec.key_len = 1;
	ck_assert_uint_eq(meets(r, "scratch", rec, N), 2);
}
END_TEST

START_TEST(only_whole_files_change)
{
	struct ebb_rules *r = rules("{rules: [{name: old, when: \"age > 1d\", do: delete},\n"
				    "{name: rest, do: keep}]}");
	struct ebb_record rec = file("a");

	ck_assert_uint_eq(meets(r, "scratch", rec, N), 0);
	for (int kind = EBB_KIND_DIR; kind < EBB_KIND_COUNT; kind++) {
		ebb_record_set(&rec, EBB_F_KIND, kind);
		ck_assert_uint_eq(meets(r, "scratch", rec, N), 1);
	}
	ebb_record_set(&rec, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&rec, EBB_F_FLAGS, EBB_FLAG_UNSEEN);
	ck_assert_uint_eq(meets(r, "scratch", rec, N), 1);
	ebb_record_set(&rec, EBB_F_FLAGS, EBB_FLAG_CHANGING);
	ck_assert_uint_eq(meets(r, "scratch", rec, N), 1);
	ebb_record_set(&rec, EBB_F_FLAGS, EBB_FLAG_LINKED_TWIN);
	ck_assert_uint_eq(meets(r, "scratch", rec, N), 0);
	rec.known &= ~EBB_KNOWN(EBB_F_KIND);
	rec.f[EBB_F_KIND] = 0;
	ck_assert_uint_eq(meets(r, "scratch", rec, N), 1);
}
END_TEST

START_TEST(reserved_keys_meet_nothing)
{
	struct ebb_rules *r = rules("{rules: [{name: all, do: delete, everything: true}]}");
	struct ebb_record recs[] = {file(".a"), file(".ebb-trash/x"), file(".ebb-trash0"),
				    file("a")};
	uint16_t rule[EBB_BLOCK_MAX], unknown[EBB_BLOCK_MAX];

	decide(r, "scratch", recs, 4, rule, unknown);
	ck_assert_uint_eq(rule[0], 0);
	ck_assert_uint_eq(rule[1], N);
	ck_assert_uint_eq(rule[2], 0);
	ck_assert_uint_eq(rule[3], 0);
	ck_assert_uint_eq(meets(rules("{rules: [{name: k, do: keep}]}"), "scratch",
				file(".ebb-trash/run/1"), N),
			  N);
}
END_TEST

START_TEST(selectors)
{
	struct ebb_rules *r =
		rules("{datasets: [{match: \"runs/{project}/{run}/ckpt-{step}/**\", kind: "
		      "checkpoints, team: research},\n"
		      "{match: \"runs/**\", kind: runs, labels: {tier_hint: cold}}],\n"
		      "rules: [{name: c, kind: checkpoints, store: cold, do: tier, to: scratch},\n"
		      "{name: step, when: \"step in [\\\"100\\\"] and team == \\\"research\\\"\", "
		      "do: compress},\n"
		      "{name: own, match: \"logs/{host}/**\", when: \"host == \\\"web1\\\"\", do: "
		      "compress},\n"
		      "{name: hint, when: \"tier_hint == \\\"cold\\\" and class == \\\"NVME\\\"\", "
		      "do: compress}]}");

	ck_assert_uint_eq(meets(r, "cold", file("runs/v/1/ckpt-100/w"), N), 0);
	ck_assert_uint_eq(meets(r, "scratch", file("runs/v/1/ckpt-100/w"), N), 1);
	ck_assert_uint_eq(meets(r, "scratch", file("logs/web1/a"), 1), N);
	ck_assert_uint_eq(meets(r, "scratch", file("runs/v/1/x"), 1), N);
	ck_assert_str_eq(ebb_rules_dataset(r, "runs/v/1/ckpt-7/w", 17)->kind, "checkpoints");
	ck_assert_str_eq(ebb_rules_dataset(r, "runs/x", 6)->kind, "runs");
	ck_assert_ptr_null(ebb_rules_dataset(r, "x", 1));
}
END_TEST

START_TEST(own_captures_and_labels)
{
	struct ebb_rules *r =
		rules("{datasets: [{match: \"runs/{step}/**\", labels: {hint: cold}}],\n"
		      "rules: [{name: own, match: \"runs/*/{step}\", when: \"step == \\\"b\\\"\", "
		      "do: compress},\n"
		      "{name: set, match: \"runs/**\", when: \"step == \\\"a\\\" and hint == "
		      "\\\"cold\\\"\", do: delete}]}");

	ck_assert_uint_eq(meets(r, "scratch", file("runs/a/b"), N), 0);
	ck_assert_uint_eq(meets(r, "scratch", file("runs/b/a"), N), N);
	ck_assert_uint_eq(meets(r, "scratch", file("runs/a/c"), N), 1);
}
END_TEST

START_TEST(parameters)
{
	struct ebb_rules *r =
		rules("{rules: [{name: a, match: \"a/**\", do: delete},\n"
		      "{name: b, match: \"b/**\", do: delete, trash: 7d},\n"
		      "{name: c, match: \"c/**\", do: delete, purge: \"cannot be undone\"},\n"
		      "{name: d, do: move, to: cold, require: {payback: 90d}},\n"
		      "{name: e, do: compress},\n"
		      "{name: f, do: compress, codec: lz4, level: 12}]}");

	ck_assert_uint_eq(ebb_rules_count(r), 6);
	ck_assert_int_eq(ebb_rules_get(r, 0)->trash_ns, 30 * DAY);
	ck_assert_int_eq(ebb_rules_get(r, 1)->trash_ns, 7 * DAY);
	ck_assert(!ebb_rules_get(r, 1)->purge && ebb_rules_get(r, 2)->purge);
	ck_assert_int_eq(ebb_rules_get(r, 3)->action->id, EBB_ACTION_TIER);
	ck_assert_str_eq(ebb_rules_get(r, 3)->to, "cold");
	ck_assert(ebb_rules_get(r, 3)->require_payback);
	ck_assert_int_eq(ebb_rules_get(r, 3)->payback_ns, 90 * DAY);
	ck_assert_str_eq(ebb_rules_get(r, 4)->codec, "zstd");
	ck_assert_int_eq(ebb_rules_get(r, 4)->level, 0);
	ck_assert_str_eq(ebb_rules_get(r, 5)->codec, "lz4");
	ck_assert_int_eq(ebb_rules_get(r, 5)->level, 12);
	ck_assert_int_eq(ebb_rules_get(r, 5)->line, 6);
}
END_TEST

START_TEST(no_rules)
{
	ck_assert_uint_eq(ebb_rules_count(rules("{}")), 0);
	ck_assert_uint_eq(ebb_rules_count(rules("{rules: , datasets: []}")), 0);
	ck_assert_uint_eq(meets(rules("{}"), "scratch", file("a"), N), N);
}
END_TEST

static void check_error(const char *text, const char *want)
{
	struct ebb_rules *r = NULL;
	struct ebb_err err = {0};

	ck_assert_int_eq(compile(text, &r, &err), -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, want);
	ck_assert_ptr_null(r);
}

#define RULE(body) "{rules: [\n{name: x, " body "}]}"

START_TEST(errors_of_words)
{
	check_error(RULE("do: keep, mach: \"a\""),
		    "ebb.yaml:2:21: unknown key 'mach'; did you mean 'match'?");
	check_error(RULE("do: delte"),
		    "ebb.yaml:2:15: unknown action 'delte'; did you mean 'delete'?");
	check_error(RULE("do: replicate"),
		    "ebb.yaml:2:15: action 'replicate' is not available in this version");
	check_error(RULE("do: retain"),
		    "ebb.yaml:2:1: rule 'x': 'retain' needs to know what stays: keep_last, keep_every or keep_best");
	check_error(RULE("do: tier, to: clod"),
		    "ebb.yaml:2:25: 'to': there is no store 'clod'; did you mean 'cold'?");
	check_error(RULE("do: tier"),
		    "ebb.yaml:2:1: rule 'x': 'tier' needs 'to', the store to move to, or 'class', "
		    "the class to go into");
	check_error(RULE("do: keep, store: scrach"),
		    "ebb.yaml:2:28: 'store': there is no store 'scrach'; did you mean 'scratch'?");
	check_error(RULE("do: keep, kind: runs"),
		    "ebb.yaml:2:27: no dataset has a kind; give one to a dataset first");
	check_error("{rules: [{name: a, do: keep},\n{name: a, do: keep}]}",
		    "ebb.yaml:2:8: the rule at line 1 is called 'a' already");
	check_error(RULE("do: tier, store: cold, to: cold"),
		    "ebb.yaml:2:38: rule 'x' moves objects of 'cold' to where they are");
	check_error("{rules: [{do: keep, name: \"\"}]}",
		    "ebb.yaml:1:27: the name of a rule must not be empty");
}
END_TEST

START_TEST(errors_of_conditions_and_patterns)
{
	check_error(RULE("do: keep, when: \"sise > 1B\""),
		    "ebb.yaml:2:28: unknown fact 'sise'; did you mean 'size'?");
	check_error(RULE("do: keep, match: \"a[\""),
		    "ebb.yaml:2:28: pattern 'a[': column 2: '[' is not closed; write '\\[' for the "
		    "byte itself");
	check_error(RULE("do: keep, match: \".ebb-trash/**\""),
		    "ebb.yaml:2:28: '.ebb-trash/' is where ebb keeps what it removed; rules do not "
		    "reach it");
	check_error(RULE("do: keep, match: \"{kind}\""),
		    "ebb.yaml:2:28: capture 'kind' would hide the fact of that name; take another");
}
END_TEST

/* Refused with a message that holds @want. */
static void check_says(const char *text, const char *want)
{
	struct ebb_rules *r;
	struct ebb_err err = {0};

	ck_assert_int_eq(compile(text, &r, &err), -EBB_ECONFIG);
	ck_assert_msg(strstr(err.msg, want) != NULL, "%s", err.msg);
}

START_TEST(copies_are_verified_as_said)
{
	struct ebb_rules *r = rules("{rules: [{name: x, do: tier, to: cold, verify: size}, {name: y, do: compress, verify: bytes}, {name: z, do: compress}]}");

	ck_assert_int_eq(ebb_rules_get(r, 0)->verify, EBB_ACTION_SIZE);
	ck_assert_int_eq(ebb_rules_get(r, 1)->verify, EBB_ACTION_BYTES);
	ck_assert_int_eq(ebb_rules_get(r, 2)->verify, EBB_ACTION_DIGEST);
	check_says(RULE("do: compress, verify: size"), "always decoded and compared");
	check_says(RULE("do: compress, verify: checksum"), "always decoded and compared");
	check_says(RULE("do: tier, class: GLACIER, verify: size"), "'verify' belongs to 'tier' to another store and 'compress'");
	check_says(RULE("do: delete, verify: size"), "'verify' belongs to");
	check_says(RULE("do: delete, keep_key: true"), "'keep_key' belongs to 'compress', not to 'delete'");
	check_says(RULE("do: compress, keep_key: 1"), "keep_key");
	check_says(RULE("do: compress, codec: lz4, keep_key: true"), "there is no Content-Encoding for lz4");
	check_says(RULE("do: compress, long: 20, keep_key: true"), "'keep_key' and 'long' exclude each other");
	check_says(RULE("store: scratch, do: compress, keep_key: true"), "and store scratch cannot");
	check_says(RULE("do: tier, to: cold, verify: sise"), "size");
}
END_TEST

START_TEST(hidden_things_are_said_in_words)
{
	struct ebb_rules *r = rules("{rules: [{name: x, do: delete, versions: noncurrent, after: 30d, purge: \"cannot be undone\"}]}");

	ck_assert_int_eq(ebb_rules_get(r, 0)->after_days, 30);
	ck_assert_uint_eq(meets(r, "scratch", file("a"), N), N);
	check_says(RULE("do: delete, versions: noncurrent, after: 30d"), "there is no trash for noncurrent");
	check_says(RULE("do: keep, versions: markers"), "'versions' belongs to 'delete', not to 'keep'");
	check_says(RULE("do: delete, after: 30d"), "'after' belongs to 'versions'");
	check_says(RULE("do: delete, versions: uploads, purge: \"cannot be undone\""), "how long after it began");
	check_says(RULE("do: delete, versions: markers, after: 1d, purge: \"cannot be undone\""), "it has no 'after'");
	check_says(RULE("do: delete, versions: uploads, after: 36h, purge: \"cannot be undone\""), "whole days, at least 1d");
	check_says(RULE("do: delete, versions: uploads, after: 1d, when: \"size > 0\", purge: \"cannot be undone\""),
		   "'when' and 'versions' exclude each other");
}
END_TEST

START_TEST(errors_of_parameters)
{
	check_error(RULE("do: compress, trash: 3d"),
		    "ebb.yaml:2:25: 'trash' belongs to 'delete' and 'dedup', not to 'compress'");
	check_error(
		RULE("do: keep, require: {payback: 3d}"),
		"ebb.yaml:2:21: 'require' belongs to rules that change something, not to 'keep'");
	check_error(RULE("do: keep, to: cold"),
		    "ebb.yaml:2:21: 'to' belongs to 'tier', not to 'keep'");
	check_error(RULE("do: tier, to: cold, codec: zstd"),
		    "ebb.yaml:2:31: 'codec' belongs to 'compress', not to 'tier'");
	check_error(RULE("do: compress, level: 20"), "ebb.yaml:2:32: 'level' of zstd is 1 to 19");
	check_error(RULE("do: compress, codec: lz4, level: 13"),
		    "ebb.yaml:2:44: 'level' of lz4 is 1 to 12");
	check_error(RULE("do: compress, level: 0"), "ebb.yaml:2:32: 'level' of zstd is 1 to 19");
	check_error(RULE("match: \"a/**\", do: delete, purge: true"),
		    "ebb.yaml:2:45: 'purge' removes for good; if that is meant, write purge: "
		    "\"cannot be undone\"");
	check_error(RULE("match: \"a/**\", do: delete, trash: 3d, purge: \"cannot be undone\""),
		    "ebb.yaml:2:38: 'trash' and 'purge' exclude each other");
	check_error(RULE("match: \"a/**\", do: delete, trash: 0d"),
		    "ebb.yaml:2:45: without trash nothing can be undone; if that is meant, write "
		    "purge: \"cannot be undone\" instead");
}
END_TEST

START_TEST(deleting_everything_needs_words)
{
	const char *want = "ebb.yaml:2:1: rule 'x' deletes every file; add 'match' or 'when', or "
			   "write everything: true";

	check_error(RULE("do: delete"), want);
	check_error(RULE("do: delete, match: \"**\""), want);
	check_error(RULE("do: delete, match: \"**/*\", when: \"size >= 0B\""), want);
	check_error(RULE("do: delete, everything: false"), want);
	check_error(RULE("do: delete, store: scratch"),
		    "ebb.yaml:2:1: rule 'x' deletes every file of scratch; add 'match' or 'when', "
		    "or write everything: true");
	check_error(RULE("do: keep, everything: true"),
		    "ebb.yaml:2:21: 'everything' belongs to 'delete', not to 'keep'");
	rules(RULE("do: delete, everything: true"));
	rules(RULE("do: delete, match: \"tmp/**\""));
	rules(RULE("do: delete, when: \"age > 1d\""));
	rules(RULE("do: compress"));
}
END_TEST

START_TEST(errors_of_datasets)
{
	check_error("{datasets: [{kind: x}]}", "ebb.yaml:1:13: key 'match' is missing");
	check_error("{datasets: [{match: \"a/{size}\"}]}",
		    "ebb.yaml:1:21: capture 'size' would hide the fact of that name; take another");
	check_error("{datasets: [{match: a, labels: {team: x}}]}",
		    "ebb.yaml:1:33: 'team' stands beside 'labels', not in it");
	check_error("{datasets: [{match: a, residency: [uae]}]}",
		    "ebb.yaml:1:36: 'uae' is no jurisdiction; write two capital letters of ISO "
		    "3166 such as AE");
	check_error("{datasets: [{match: a, residency: []}]}",
		    "ebb.yaml:1:35: 'residency' names no jurisdiction; leave it out for any");
	check_error(
		"{datasets: [{match: a, kind: runs}], rules: [{name: x, kind: rnus, do: keep}]}",
		"ebb.yaml:1:62: no dataset is of kind 'rnus'; did you mean 'runs'?");
}
END_TEST

START_TEST(explains)
{
	struct ebb_rules *r =
		rules("{rules: [{name: a, match: \"x/**\", do: keep},\n"
		      "{name: b, when: \"idle > 50d and size > 1MiB\", do: delete}]}");
	struct ebb_rules_verdict v[2];
	const struct ebb_rules_dataset *set;
	struct ebb_record rec = file("a");
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf why = EBB_BUF_INIT(1000);

	ck_assert_int_eq(ebb_rules_explain(r, &rec, "scratch", NOW, &arena, v, &set, NULL), 1);
	ck_assert(!v[0].match_ok && v[1].match_ok && v[1].fires);
	ck_assert_uint_eq(v[1].nfacts, 2);
	ck_assert_str_eq(v[1].facts[0].value, "100d");
	ck_assert_int_eq(ebb_rules_explain_why(r, 1, &rec, "scratch", NOW, &why, NULL), 0);
	ck_assert_str_eq(why.data, "idle 100d, size 2.0 MiB");
	ebb_buf_clear(&why);
	ck_assert_int_eq(ebb_rules_explain_why(r, 0, &rec, "scratch", NOW, &why, NULL), 0);
	ck_assert_str_eq(why.data, "matches 'x/**'");
}
END_TEST

/* Does the first rule, a move to a store in AE or one that lies nowhere known, never get anything? */
static const char *forbidden(const char *selector, const char *to, const char *datasets)
{
	char text[1024];
	const struct ebb_rules_dataset *set;

	snprintf(text, sizeof(text), "{datasets: [%s], rules: [{name: r, %s do: tier, to: %s}]}",
		 datasets, selector, to);
	set = ebb_rules_explain_forbidden(rules(text), 0);
	return set ? set->match : "";
}

START_TEST(destinations_that_residency_forbids)
{
#define DE "{match: \"de/**\", kind: k, residency: [DE]}"
#define AE "{match: \"ae/**\", kind: k, residency: [AE, DE]}"
#define ANY "{match: \"any/**\"}"
	ck_assert_str_eq(forbidden("match: \"de/**\",", "cold", ANY ", " DE), "de/**");
	ck_assert_str_eq(forbidden("match: \"de/x/*.log\",", "cold", DE), "de/**");
	ck_assert_str_eq(forbidden("match: \"ae/**\",", "cold", DE ", " AE), "");
	ck_assert_str_eq(forbidden("match: \"ae/**\",", "bare", AE), "ae/**");
	ck_assert_str_eq(forbidden("kind: k,", "cold", DE), "de/**");
	ck_assert_str_eq(forbidden("kind: k,", "cold", DE ", " AE), "");
	ck_assert_str_eq(forbidden("", "cold", "{match: \"**\", residency: [DE]}"), "**");
	/* What depends on the object is not known. */
	ck_assert_str_eq(forbidden("", "cold", DE), "");
	ck_assert_str_eq(forbidden("match: \"d*/**\",", "cold", DE), "");
	ck_assert_str_eq(forbidden("match: \"de/**\",", "cold", "{match: \"de/x\"}, " DE), "");
	ck_assert_str_eq(forbidden("match: \"any/**\",", "cold", ANY), "");
}
END_TEST

/* A store whose jurisdiction is none is refused where it is declared, whatever the rules are. */
START_TEST(jurisdictions_of_stores)
{
	const struct ebb_rules_store bad = {
		.name = "s", .jurisdiction = "uae", .line = 3, .col = 5};
	const struct ebb_tree_node *doc = ebb_flow_parse(&arena, "ebb.yaml", "{rules: []}", NULL);
	struct ebb_rules *r;
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_rules_compile(&arena, ebb_tree_get(doc, "rules"), NULL, &bad, 1, &r,
					   &err),
			 -EBB_ECONFIG);
	ck_assert_str_eq(err.msg, "ebb.yaml:3:5: jurisdiction 'uae' of store 's' is none; write two "
				  "capital letters of ISO 3166-1 such as AE");
	ebb_err_clear(&err);
	ck_assert_int_eq(ebb_rules_compile(&arena, NULL, NULL, &bad, 1, &r, &err), -EBB_ECONFIG);
}
END_TEST

/* A file that logs saw last read 100 days ago, and whose logs end today. */
static struct ebb_record logged(const char *key)
{
	struct ebb_record r = file(key);

	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_LOG);
	ebb_record_set(&r, EBB_F_WINDOW, NOW - 150 * DAY);
	ebb_record_set(&r, EBB_F_UNTIL, NOW - DAY / 2);
	return r;
}

START_TEST(logs_are_enough_for_what_can_be_taken_back)
{
	static const struct {
		const char *text;
		uint16_t rule, unknown;
	} cases[] = {
		{"{rules: [{name: a, when: \"idle > 90d\", do: tier, to: cold}]}", 0, N},
		{"{rules: [{name: a, when: \"idle > 90d\", do: tier, to: cold, trust: certain}]}", N, 0},
		{"{rules: [{name: a, when: \"idle > 90d\", do: delete}]}", N, 0},
		{"{rules: [{name: a, when: \"idle > 90d\", do: delete, trust: logs}]}", 0, N},
		/* not covered for as long */
		{"{rules: [{name: a, when: \"idle > 160d\", do: tier, to: cold}]}", N, N},
		/* a key in the condition makes rows be asked one by one */
		{"{rules: [{name: a, when: \"idle > 90d and depth == 1\", do: delete}]}", N, 0},
		{"{rules: [{name: a, when: \"idle > 90d and depth == 1\", do: tier, to: cold}]}", 0, N},
		/* what logs say against an earlier rule does not open the way for certainty */
		{"{rules: [{name: k, when: \"idle < 30d\", do: keep}, {name: a, when: \"size > 1MiB\", do: delete}]}", N, 1},
		{"{rules: [{name: k, when: \"idle < 30d\", do: keep}, {name: a, when: \"size > 1MiB\", do: compress}]}", 1, N},
		{"{rules: [{name: k, when: \"idle < 30d\", do: keep}, {name: a, do: delete, match: \"a*\", trust: logs}]}", 1, N},
		{"{rules: [{name: t, when: \"idle < 30d\", do: compress}, {name: a, match: \"a*\", do: delete}]}", N, 1},
		/* a keep that is likely met protects */
		{"{rules: [{name: k, when: \"idle > 60d\", do: keep}, {name: a, match: \"a*\", do: delete}]}", 0, N},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(cases); i++) {
		struct ebb_record r = logged("a.x");
		uint16_t rule, unknown;

		decide(rules(cases[i].text), "scratch", &r, 1, &rule, &unknown);
		ck_assert_msg(rule == cases[i].rule && unknown == cases[i].unknown, "%s: %u %u",
			      cases[i].text, rule, unknown);
	}
}
END_TEST

START_TEST(logs_that_ended_long_ago_say_nothing)
{
	struct ebb_record r = logged("a.x");
	uint16_t rule, unknown;

	ebb_record_set(&r, EBB_F_UNTIL, NOW - EBB_RECORD_LOG_LAG - 1);
	decide(rules("{rules: [{name: a, when: \"idle > 50d\", do: tier, to: cold}]}"), "scratch", &r, 1, &rule,
	       &unknown);
	ck_assert_int_eq(rule, N);
	ck_assert_int_eq(unknown, 0);
}
END_TEST

EBB_UNIT_MAIN("rules", first_match_wins_and_keep_ends, unknown_protects, only_whole_files_change,
	      reserved_keys_meet_nothing, selectors, own_captures_and_labels, parameters, no_rules,
	      errors_of_words, errors_of_conditions_and_patterns, errors_of_parameters, copies_are_verified_as_said, hidden_things_are_said_in_words,
	      deleting_everything_needs_words, errors_of_datasets, explains,
	      logs_are_enough_for_what_can_be_taken_back, logs_that_ended_long_ago_say_nothing,
	      destinations_that_residency_forbids, jurisdictions_of_stores)
