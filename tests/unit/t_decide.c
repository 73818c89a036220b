/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Promises: P7 */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "policies/decide.h"
#include "tests/support/flow.h"
#include "tests/support/unit.h"

#define DAY (INT64_C(86400) * 1000000000)
#define NOW (20000 * DAY)
#define GIB (INT64_C(1) << 30)

static struct ebb_arena arena;
static const struct ebb_rules_store stores[] = {
	{.name = "fast", .class = "NVME", .jurisdiction = "AE"},
	{.name = "cold", .class = "HDD", .jurisdiction = "AE"},
	{.name = "abroad", .class = "HDD", .jurisdiction = "DE"},
	{.name = "nowhere", .class = "HDD"},
	{.name = "dear", .class = "GOLD", .jurisdiction = "AE"},
	{.name = "unpriced", .class = "ODD", .jurisdiction = "AE"},
	{.name = "lake", .class = "HDD", .jurisdiction = "AE", .replaces = true},
};

/* What the last decision gave. */
struct seen {
	int n;
	struct ebb_action last;
	char why[512];
	const struct ebb_decide_totals *totals;
};

static const struct ebb_tree_node *tree(const char *text)
{
	struct ebb_err err = {0};
	const struct ebb_tree_node *t = ebb_flow_parse(&arena, "ebb.yaml", text, &err);

	ck_assert_msg(t != NULL, "%s", err.msg);
	return t;
}

static struct ebb_price_books *prices(void)
{
	struct ebb_price_books *b = ebb_price_books_new(&arena, NOW);
	const struct ebb_tree_node *doc =
		tree("{version: 1, name: t, date: 2026-11-01, currency: USD, source: test, "
		     "confidence: sample, "
		     "classes: {NVME: {storage_gib_month: 0.08}, HDD: {storage_gib_month: 0.01},"
		     "GOLD: {storage_gib_month: 1}}}");

	ck_assert_int_eq(ebb_price_books_add(b, doc, NULL), 0);
	return b;
}

static struct ebb_record file(const char *key)
{
	struct ebb_record r = {.key = key, .key_len = (uint32_t)strlen(key)};

	ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
	ebb_record_set(&r, EBB_F_SIZE, GIB);
	ebb_record_set(&r, EBB_F_ALLOC, GIB);
	ebb_record_set(&r, EBB_F_MTIME, NOW - 200 * DAY);
	ebb_record_set(&r, EBB_F_ATIME, NOW - 100 * DAY);
	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_ATIME);
	ebb_record_set(&r, EBB_F_NLINK, 1);
	ebb_record_set(&r, EBB_F_FLAGS, 0);
	return r;
}

static int take(void *ctx, const struct ebb_action *a, struct ebb_err *err)
{
	struct seen *s = ctx;

	(void)err;
	s->n++;
	s->last = *a;
	strncpy(s->why, a->why, sizeof(s->why) - 1);
	return 0;
}

/* Where the program runs. */
static const char *here;

/* What the bucket does with old versions; NULL: nothing is known of it. */
static const struct ebb_noncurrent *versions;

static const struct ebb_noncurrent *old_versions(void *ctx, const char *store)
{
	(void)ctx;
	(void)store;
	return versions;
}

static struct ebb_decide *decider(const char *config)
{
	const struct ebb_tree_node *doc = tree(config);
	struct ebb_decide *d = NULL;
	struct ebb_rules *rules;
	struct ebb_err err = {0};

	ck_assert_msg(ebb_rules_compile(&arena, ebb_tree_get(doc, "rules"),
					ebb_tree_get(doc, "datasets"), stores,
					EBB_ARRAY_LEN(stores), &rules, &err) == 0,
		      "%s", err.msg);
	ebb_rules_use_here(rules, here);
	ck_assert_int_eq(ebb_decide_new(&arena, rules, prices(), NOW, &d, NULL), 0);
	ebb_decide_use_versions(d, old_versions, NULL);
	return d;
}

static int feed(struct ebb_decide *d, struct ebb_record *recs, uint32_t n, ebb_decide_fn *fn,
		void *ctx, struct ebb_err *err)
{
	struct ebb_block_builder *builder = ebb_block_builder_new();
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf bytes = EBB_BUF_INIT(1 << 20);
	struct ebb_block b;
	int r;

	for (uint32_t i = 0; i < n; i++)
		ck_assert_int_eq(ebb_block_builder_add(builder, &recs[i], NULL), 0);
	ck_assert_int_eq(ebb_block_builder_encode(builder, &bytes, NULL), 0);
	ck_assert_int_eq(ebb_block_open(&b, bytes.data, bytes.len, NULL), 0);
	r = ebb_decide_block(d, "fast", &b, fn, ctx, err);
	ebb_block_builder_free(builder);
	return r;
}

/* Decide one record under a configuration. */
static struct seen decide(const char *config, struct ebb_record rec)
{
	struct ebb_decide *d = decider(config);
	struct seen s = {0};
	struct ebb_decide_totals *copy = ebb_arena_alloc(&arena, sizeof(*copy));

	ck_assert_int_eq(feed(d, &rec, 1, take, &s, NULL), 0);
	*copy = *ebb_decide_totals(d);
	s.totals = copy;
	ebb_decide_free(d);
	return s;
}

/* The record must be refused by the first rule for this reason. */
static void refused(const char *config, struct ebb_record rec, enum ebb_decide_refusal reason)
{
	struct seen s = decide(config, rec);

	ck_assert_int_eq(s.n, 0);
	ck_assert_int_eq(s.totals->all.objects, 0);
	for (int i = 0; i < EBB_REFUSE_COUNT; i++)
		ck_assert_msg(s.totals->refused[0][i].objects == (i == (int)reason), "%s",
			      ebb_decide_refusal_name((enum ebb_decide_refusal)i));
}

#define DELETE "{rules: [{name: r, when: \"idle > 50d\", do: delete}]}"
#define COMPRESS "{rules: [{name: r, do: compress, codec: lz4, level: 3}]}"
#define TIER(to) "{rules: [{name: r, do: tier, to: " to "}]}"

START_TEST(delete_to_the_trash)
{
	struct seen s = decide(DELETE, file("a"));

	ck_assert_int_eq(s.n, 1);
	ck_assert_int_eq(s.last.id, EBB_ACTION_DELETE);
	ck_assert_str_eq(s.last.rule, "r");
	ck_assert_str_eq(s.last.store, "fast");
	ck_assert_ptr_null(s.last.to_store);
	ck_assert(s.last.priced && !s.last.purge);
	ck_assert_int_eq(s.last.trash_ns, 30 * DAY);
	ck_assert_int_eq(s.last.freed, GIB);
	ck_assert_int_eq(s.last.saving.nano, 80000000);
	ck_assert_str_eq(s.why, "idle 100d; saves once the trash expires after 30d");
	ck_assert_int_eq(s.totals->by_rule[0].objects, 1);
	ck_assert_int_eq(s.totals->all.saving.nano, 80000000);
	ck_assert_str_eq(s.totals->all.saving.currency, "USD");
}
END_TEST

#define IN_PLACE "{rules: [{name: r, do: compress, keep_key: true}]}"

static bool all_encoded(void *ctx, const char *store, const struct ebb_record *rec)
{
	return ctx && store && rec;
}

START_TEST(under_its_own_key)
{
	struct ebb_record r = file("a.log");
	enum ebb_decide_refusal refusal;
	struct ebb_action a;
	struct ebb_err err = {0};

	refused(IN_PLACE, r, EBB_REFUSE_PLACE);
	struct ebb_decide *d = decider(IN_PLACE);
	ck_assert_int_eq(ebb_decide_one(d, 0, "lake", &r, &a, &refusal, &err), 0);
	ck_assert_int_eq(refusal, EBB_REFUSE_NONE);
	ck_assert(a.keep_key);
	ebb_decide_use_encoded(d, all_encoded, d);
	ck_assert_int_eq(ebb_decide_one(d, 0, "lake", &r, &a, &refusal, &err), 0);
	ck_assert_int_eq(refusal, EBB_REFUSE_POINTLESS);
	ebb_decide_free(d);
}
END_TEST

#define PURGE "{rules: [{name: r, when: \"size > 0\", do: delete, purge: \"cannot be undone\"}]}"

START_TEST(a_bucket_that_keeps_versions)
{
	const struct ebb_noncurrent_rule soon[] = {{"b/", 7, 0, false}, {"", 3, 1, false}, {"a", 30, 0, true}};
	struct ebb_noncurrent v = {.state = EBB_NONCURRENT_ENABLED, .rules = soon, .n = EBB_ARRAY_LEN(soon)};

	versions = &v;
	struct seen s = decide(DELETE, file("a"));
	ck_assert_int_eq(s.n, 1);
	ck_assert_int_eq(s.last.saving.nano, 80000000);
	ck_assert_str_eq(s.why, "idle 100d; stays as a noncurrent version, billed as before; saves once the trash expires after 30d");
	refused(DELETE, file("b/c"), EBB_REFUSE_HURRIED);
	ck_assert_int_eq(decide("{rules: [{name: r, when: \"size > 0\", do: delete, trash: 7d}]}", file("b/c")).n, 1);
	ck_assert_int_eq(decide(PURGE, file("b/c")).last.freed, GIB);
	ck_assert_int_eq(decide(TIER("cold"), file("b/c")).n, 1);
	v.state = EBB_NONCURRENT_SUSPENDED;	/* the trash has objects of its own there */
	ck_assert_str_eq(decide(DELETE, file("b/c")).why, "idle 100d; saves once the trash expires after 30d");

	v = (struct ebb_noncurrent){.state = EBB_NONCURRENT_ENABLED, .mfa_delete = true, .rules = soon, .n = EBB_ARRAY_LEN(soon)};
	s = decide(DELETE, file("b/c"));
	ck_assert_int_eq(s.n, 1);
	ck_assert(s.last.priced);
	ck_assert_int_eq(s.last.freed, 0);
	ck_assert_int_eq(s.last.saving.nano, 0);
	ck_assert_int_eq(s.last.one_off.nano, 0);
	ck_assert_ptr_nonnull(strstr(s.why, "frees nothing"));
	refused(PURGE, file("b/c"), EBB_REFUSE_VERSIONS);
	refused(TIER("cold"), file("a"), EBB_REFUSE_VERSIONS);
	refused(COMPRESS, file("a"), EBB_REFUSE_VERSIONS);
	versions = NULL;
}
END_TEST

START_TEST(versions_below_what_goes)
{
	struct ebb_decide *d = decider("{rules: [{name: r, match: \"{k}\", when: \"idle > 50d\", do: delete}]}");
	char key[2][EBB_KEY_MAX];
	struct ebb_record recs[] = {file("a"), file("a"), file("b"), file("b")};
	struct seen s = {0};

	for (int i = 0; i < 2; i++) {
		struct ebb_record *r = &recs[2 * i + 1];

		r->key_len = (uint32_t)ebb_record_hidden_key(recs[2 * i].key, 1, NOW - DAY, "id", key[i]);
		r->key = key[i];
		ebb_record_set(r, EBB_F_KIND, EBB_KIND_VERSION);
	}
	ebb_record_set(&recs[2], EBB_F_ATIME, NOW);	/* stays, so what is below it is nothing new */
	ck_assert_int_eq(feed(d, recs, 4, take, &s, NULL), 0);
	ck_assert_int_eq(s.n, 1);
	ck_assert_int_eq(ebb_decide_totals(d)->older.objects, 1);
	ck_assert_int_eq(ebb_decide_totals(d)->older.bytes, GIB);
	ck_assert_int_eq(ebb_decide_totals(d)->older.saving.nano, 80000000);
	ebb_decide_free(d);
}
END_TEST

START_TEST(tier_to_a_cheaper_class)
{
	struct seen s = decide(TIER("cold"), file("a"));

	ck_assert_int_eq(s.n, 1);
	ck_assert_str_eq(s.last.to_store, "cold");
	ck_assert_int_eq(s.last.saving.nano, 70000000);
	ck_assert_int_eq(s.last.wire, GIB);
	ck_assert_str_eq(s.why, "matches the rule");
}
END_TEST

START_TEST(compress)
{
	struct seen s = decide(COMPRESS, file("a.log"));

	ck_assert_int_eq(s.n, 1);
	ck_assert_str_eq(s.last.codec, "lz4");
	ck_assert_int_eq(s.last.level, 3);
	ck_assert_int_eq(s.last.freed, GIB - (GIB * 350 + 999) / 1000);
	ck_assert_int_eq(s.last.wire, 0);
}
END_TEST

START_TEST(too_little_evidence)
{
	struct ebb_record r = file("a");

	ebb_record_set(&r, EBB_F_EVIDENCE, EBB_EVIDENCE_MTIME);
	refused(DELETE, r, EBB_REFUSE_UNKNOWN);
	r = file("a");
	r.known &= ~EBB_KNOWN(EBB_F_SIZE);
	r.f[EBB_F_SIZE] = 0;
	refused(COMPRESS, r, EBB_REFUSE_UNKNOWN);
}
END_TEST

START_TEST(hard_links)
{
	struct ebb_record r = file("a");
	struct seen s;

	ebb_record_set(&r, EBB_F_NLINK, 2);
	refused(COMPRESS, r, EBB_REFUSE_LINKED);
	refused(TIER("cold"), r, EBB_REFUSE_LINKED);
	s = decide(DELETE, r);
	ck_assert_int_eq(s.n, 1);
	ck_assert_int_eq(s.last.freed, 0);
	ck_assert_int_eq(s.last.saving.nano, 0);
	ck_assert_str_eq(s.why, "idle 100d; frees nothing: the file has other names");
	ck_assert_int_eq(s.totals->all.bytes, GIB);
	ebb_record_set(&r, EBB_F_FLAGS, EBB_FLAG_LINKED_TWIN);
	s = decide(DELETE, r);
	ck_assert_int_eq(s.totals->all.bytes, 0);
	ck_assert_int_eq(s.totals->all.objects, 1);
}
END_TEST

START_TEST(sparse_files)
{
	struct ebb_record r = file("a");

	ebb_record_set(&r, EBB_F_ALLOC, GIB / 2);
	refused(COMPRESS, r, EBB_REFUSE_SPARSE);
	ebb_record_set(&r, EBB_F_ALLOC, GIB - 4096);
	ck_assert_int_eq(decide(COMPRESS, r).n, 1);
}
END_TEST

/* What takes one block, or lies in its inode, cannot take less. */
START_TEST(within_one_block)
{
	struct ebb_record r = file("a");

	ebb_record_set(&r, EBB_F_SIZE, 1000);
	ebb_record_set(&r, EBB_F_ALLOC, 0);
	refused(COMPRESS, r, EBB_REFUSE_POINTLESS);
	ebb_record_set(&r, EBB_F_ALLOC, 4096);
	refused(COMPRESS, r, EBB_REFUSE_POINTLESS);
	ck_assert_int_eq(decide(DELETE, r).n, 1);
	ck_assert_int_eq(decide(TIER("cold"), r).n, 1);
	ebb_record_set(&r, EBB_F_SIZE, 4097);
	ebb_record_set(&r, EBB_F_ALLOC, 8192);
	ck_assert_int_eq(decide(COMPRESS, r).n, 1);
	r.known &= ~EBB_KNOWN(EBB_F_ALLOC);
	r.f[EBB_F_ALLOC] = 0;
	ck_assert_int_eq(decide(COMPRESS, r).n, 1);
	ebb_record_set(&r, EBB_F_SIZE, 4096);
	refused(COMPRESS, r, EBB_REFUSE_POINTLESS);
	ck_assert_ptr_nonnull(strstr(ebb_decide_refusal_text(EBB_REFUSE_POINTLESS), "4 KiB"));
}
END_TEST

START_TEST(purge_says_so)
{
	const char *config = "{rules: [{name: r, match: \"a*\", do: delete, purge: \"cannot be "
			     "undone\"}]}";
	struct ebb_record r = file("a");
	struct seen s = decide(config, r);

	ck_assert(s.last.purge);
	ck_assert_str_eq(s.why, "matches 'a*'; cannot be undone");
	ebb_record_set(&r, EBB_F_NLINK, 2);
	s = decide(config, r);
	ck_assert_str_eq(s.why, "matches 'a*'; frees nothing: the file has other names; cannot be "
				"undone");
}
END_TEST

/* One record at a time, through the same gates, and nothing is counted. */
START_TEST(one_record)
{
	struct ebb_decide *d = decider(COMPRESS);
	struct ebb_record r = file("a.log");
	enum ebb_decide_refusal refusal;
	struct ebb_action a;

	ck_assert_int_eq(ebb_decide_one(d, 0, "fast", &r, &a, &refusal, NULL), 0);
	ck_assert_int_eq(refusal, EBB_REFUSE_NONE);
	ck_assert_str_eq(a.codec, "lz4");
	ck_assert_int_eq(a.freed, GIB - (GIB * 350 + 999) / 1000);
	ebb_record_set(&r, EBB_F_NLINK, 2);
	ck_assert_int_eq(ebb_decide_one(d, 0, "fast", &r, &a, &refusal, NULL), 0);
	ck_assert_int_eq(refusal, EBB_REFUSE_LINKED);
	ck_assert_ptr_null(a.why);
	ck_assert_int_eq(ebb_decide_totals(d)->all.objects, 0);
	ck_assert_int_eq(ebb_decide_totals(d)->refused[0][EBB_REFUSE_LINKED].objects, 0);
	ebb_decide_free(d);
}
END_TEST

START_TEST(pointless)
{
	struct ebb_record r = file("a.zst");

	refused(COMPRESS, r, EBB_REFUSE_POINTLESS);
	refused(TIER("fast"), r, EBB_REFUSE_POINTLESS);
	r = file("a");
	ebb_record_set(&r, EBB_F_SIZE, 0);
	ebb_record_set(&r, EBB_F_ALLOC, 0);
	refused(COMPRESS, r, EBB_REFUSE_POINTLESS);
	ck_assert_int_eq(decide(DELETE, r).n, 1);
}
END_TEST

START_TEST(loss_and_payback)
{
	refused(TIER("dear"), file("a"), EBB_REFUSE_LOSS);
	refused("{rules: [{name: r, do: tier, to: unpriced, require: {payback: 90d}}]}", file("a"),
		EBB_REFUSE_PAYBACK);
	ck_assert_int_eq(decide("{rules: [{name: r, do: tier, to: cold, require: {payback: 90d}}]}",
				file("a"))
				 .n,
			 1);
}
END_TEST

START_TEST(unpriced_is_counted)
{
	struct seen s = decide(TIER("unpriced"), file("a"));

	ck_assert_int_eq(s.n, 1);
	ck_assert(!s.last.priced);
	ck_assert_int_eq(s.totals->all.unpriced, 1);
	ck_assert_int_eq(s.totals->all.saving.nano, 0);
	ck_assert_str_eq(s.totals->all.saving.currency, "");
}
END_TEST

START_TEST(residency)
{
#define SETS "datasets: [{match: \"uae/**\", residency: [AE, SA]}, {match: \"**\"}]"
	const char *abroad = "{rules: [{name: r, do: tier, to: abroad}], " SETS "}";
	const char *nowhere = "{rules: [{name: r, do: tier, to: nowhere}], " SETS "}";

	refused(abroad, file("uae/a"), EBB_REFUSE_RESIDENCY);
	refused(nowhere, file("uae/a"), EBB_REFUSE_RESIDENCY);
	/* through a machine that is not known to stand there, and one that is */
	refused("{rules: [{name: r, do: tier, to: cold}], " SETS "}", file("uae/a"), EBB_REFUSE_RESIDENCY);
	here = "DE";
	refused("{rules: [{name: r, do: compress}], " SETS "}", file("uae/a.log"), EBB_REFUSE_RESIDENCY);
	here = "SA";
	ck_assert_int_eq(
		decide("{rules: [{name: r, do: tier, to: cold}], " SETS "}", file("uae/a")).n, 1);
	here = NULL;
	/* what stays where it is passes through nothing */
	ck_assert_int_eq(decide("{rules: [{name: r, match: \"uae/**\", do: delete}], " SETS "}", file("uae/a")).n, 1);
	ck_assert_int_eq(decide(abroad, file("a")).n, 1);
	ck_assert_int_eq(decide(nowhere, file("a")).n, 1);
}
END_TEST

START_TEST(others_are_counted_too)
{
	struct ebb_decide *d =
		decider("{rules: [{name: k, match: \"keep/**\", do: keep},\n"
			"{name: r, match: \"tmp/**\", when: \"age > 1d\", do: delete}]}");
	struct ebb_record recs[] = {file("a"), file("d/"), file("keep/a"), file("tmp/a"),
				    file("tmp/b")};
	const struct ebb_decide_totals *t = ebb_decide_totals(d);
	struct seen s = {0};

	ebb_record_set(&recs[1], EBB_F_KIND, EBB_KIND_DIR);
	ebb_record_set(&recs[4], EBB_F_FLAGS, EBB_FLAG_CHANGING);
	ck_assert_int_eq(feed(d, recs, 5, take, &s, NULL), 0);
	ck_assert_int_eq(t->all.objects, 1);
	ck_assert_int_eq(t->by_rule[1].objects, 1);
	ck_assert_int_eq(t->kept.objects, 1);
	ck_assert_int_eq(t->unmatched.objects, 1);
	ck_assert_int_eq(t->held.objects, 1);
	ck_assert_int_eq(t->held.bytes, GIB);
	/* A block that no rule meets is counted by its columns. */
	recs[0] = file("z/1");
	recs[1] = file("z/2");
	ck_assert_int_eq(feed(d, recs, 2, take, &s, NULL), 0);
	ck_assert_int_eq(t->unmatched.objects, 3);
	ck_assert_int_eq(t->unmatched.bytes, 3 * GIB);
	ebb_decide_free(d);
}
END_TEST

static int stop(void *ctx, const struct ebb_action *a, struct ebb_err *err)
{
	(void)ctx;
	(void)a;
	return ebb_err_set(err, EBB_ECANCELLED, "stopped");
}

START_TEST(the_receiver_may_stop)
{
	struct ebb_decide *d = decider(DELETE);
	struct ebb_record r = file("a");
	struct ebb_err err = {0};

	ck_assert_int_eq(feed(d, &r, 1, stop, NULL, &err), -EBB_ECANCELLED);
	ck_assert_str_eq(err.msg, "stopped");
	ebb_decide_free(d);
}
END_TEST

START_TEST(totals_that_do_not_fit)
{
	struct ebb_decide *d = decider("{}");
	struct ebb_record recs[] = {file("a"), file("b"), file("c")};
	struct seen s = {0};

	for (int i = 0; i < 3; i++)
		ebb_record_set(&recs[i], EBB_F_SIZE, INT64_MAX / 2);
	ck_assert_int_eq(feed(d, recs, 3, take, &s, NULL), -EBB_ERANGE);
	ebb_decide_free(d);
}
END_TEST

START_TEST(names_of_refusals)
{
	ck_assert_str_eq(ebb_decide_refusal_name(EBB_REFUSE_PAYBACK), "payback");
	for (int i = 0; i < EBB_REFUSE_COUNT; i++)
		ck_assert(*ebb_decide_refusal_text((enum ebb_decide_refusal)i));
	ck_assert_str_eq(ebb_decide_refusal_name(EBB_REFUSE_COUNT), "unknown");
	ebb_decide_free(NULL);
}
END_TEST

EBB_UNIT_MAIN("decide", delete_to_the_trash, a_bucket_that_keeps_versions, versions_below_what_goes, tier_to_a_cheaper_class, compress, under_its_own_key, too_little_evidence,
	      hard_links, sparse_files, within_one_block, purge_says_so, one_record, pointless,
	      loss_and_payback, unpriced_is_counted, residency,
	      others_are_counted_too, the_receiver_may_stop, totals_that_do_not_fit,
	      names_of_refusals)
