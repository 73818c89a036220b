/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random conditions on random records: blocks give the truth that single records give, Kleene's
 * laws hold, and who knows less never becomes surer of something else.
 */
#include <stdio.h>
#include <string.h>

#include "core/block.h"
#include "core/mem.h"
#include "policies/expr.h"
#include "policies/expr_block.h"
#include "tests/support/seed.h"

#define DAY (INT64_C(86400) * 1000000000)
#define NOW (20000 * DAY)
#define TEXT 4096

static const char *const labels[] = {"team"};
static const struct ebb_expr_text values[] = {{"ops", 3}};

static const char *pick(struct ebb_prng *r, const char *const *words, size_t n)
{
	return words[ebb_prng_below(r, n)];
}

#define PICK(r, ...)                                                                               \
	pick(r, (const char *const[]){__VA_ARGS__},                                                \
	     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* A comparison whose literals lie where the records lie. */
static void random_leaf(struct ebb_prng *r, char *out)
{
	const char *op = PICK(r, "==", "!=", "<", "<=", ">", ">=");
	unsigned n = (unsigned)ebb_prng_below(r, 6);

	switch (ebb_prng_below(r, 10)) {
	case 0:
		sprintf(out, "%s %s %u", PICK(r, "size", "alloc"), op, n);
		break;
	case 1:
	case 2:
		sprintf(out, "%s %s %u%s", PICK(r, "idle", "age", "changed"), op, n,
			PICK(r, "d", "d", "s"));
		break;
	case 3:
		sprintf(out, "%s %s 2024-10-0%u", PICK(r, "mtime", "atime", "ctime"), op, n + 1);
		break;
	case 4:
		sprintf(out, "%s %s %u", PICK(r, "uid", "nlink", "depth"), op, n);
		break;
	case 5:
		sprintf(out, "mode %s 064%u", op, n);
		break;
	case 6:
		sprintf(out, "%s %s \"%s\"", PICK(r, "type", "evidence"), PICK(r, "==", "!="),
			"file");
		if (out[0] == 'e')
			strcpy(strchr(out, '"'), PICK(r, "\"none\"", "\"atime\"", "\"mtime\""));
		break;
	case 7:
		sprintf(out, "%s %s [%u, %u]", PICK(r, "uid", "size"), PICK(r, "in", "not in"), n,
			n + 2);
		break;
	case 8:
		sprintf(out, "%s == \"%s\"", PICK(r, "store", "class", "team", "ext", "dir"),
			PICK(r, "a", "ops", "x"));
		break;
	default:
		sprintf(out, "%s matches \"%s\"", PICK(r, "path", "name", "store"),
			PICK(r, "*", "a*", "**/x"));
	}
}

static void random_cond(struct ebb_prng *r, char *out, int depth)
{
	uint64_t k = ebb_prng_below(r, depth > 3 ? 4 : 10);

	if (k < 3) {
		random_leaf(r, out);
	} else if (k == 3) {
		strcpy(out, PICK(r, "true", "false"));
	} else if (k == 4) {
		strcpy(out, "not (");
		random_cond(r, out + strlen(out), depth + 1);
		strcat(out, ")");
	} else {
		strcpy(out, "(");
		random_cond(r, out + strlen(out), depth + 1);
		strcat(out, PICK(r, " and ", " or "));
		random_cond(r, out + strlen(out), depth + 1);
		strcat(out, ")");
	}
}

/* A time within a week before now, seldom far away or in the future. */
static int64_t random_time(struct ebb_prng *r)
{
	if (ebb_prng_below(r, 40) == 0)
		return ebb_prng_int64(r);
	return NOW - (int64_t)ebb_prng_below(r, 13) * DAY / 2 + (int64_t)ebb_prng_below(r, 2) * DAY;
}

/* @sure: bits that are always known. */
static void random_record(struct ebb_prng *r, struct ebb_record *rec, uint32_t sure)
{
	rec->known = 0;
	memset(rec->f, 0, sizeof(rec->f));
	for (int f = 0; f < EBB_F_COUNT; f++) {
		int64_t v = (int64_t)ebb_prng_below(r, 8);

		if (!(sure & EBB_KNOWN(f)) && ebb_prng_below(r, 4) == 0)
			continue;
		if (f == EBB_F_MTIME || f == EBB_F_ATIME || f == EBB_F_CTIME || f == EBB_F_WINDOW)
			v = random_time(r);
		else if (f == EBB_F_KIND)
			v %= EBB_KIND_COUNT;
		else if (f == EBB_F_EVIDENCE)
			v %= EBB_EVIDENCE_COUNT;
		else if (f == EBB_F_CLASS) /* some have names, "x" has none */
			v = ebb_record_class_code(PICK(r, "a", "a", "ops", "x"));
		else if (f == EBB_F_MODE)
			v += 0100640;
		ebb_record_set(rec, (enum ebb_field)f, v);
	}
	if (sure)
		rec->known &= ~EBB_KNOWN(EBB_F_WINDOW);
	if (sure)
		rec->f[EBB_F_WINDOW] = 0;
}

/* The same record with less known of it: results may only become unknown. */
static void forget(struct ebb_prng *r, struct ebb_record *rec)
{
	static const enum ebb_field fields[] = {EBB_F_SIZE, EBB_F_MTIME, EBB_F_ATIME,   EBB_F_CTIME,
						EBB_F_UID,  EBB_F_MODE,  EBB_F_EVIDENCE};

	for (size_t i = 0; i < EBB_ARRAY_LEN(fields); i++) {
		if (ebb_prng_below(r, 3) == 0) {
			rec->known &= ~EBB_KNOWN(fields[i]);
			rec->f[fields[i]] = 0;
		}
	}
	if (ebb_prng_below(r, 3) == 0 &&
	    (!ebb_record_has(rec, EBB_F_WINDOW) || rec->f[EBB_F_WINDOW] < NOW - DAY))
		ebb_record_set(rec, EBB_F_WINDOW, NOW - DAY);
}

static struct ebb_expr *compile(struct ebb_arena *arena, const char *text)
{
	static const struct ebb_expr_place place = {"p", 1, 1};
	struct ebb_expr *e = NULL;
	struct ebb_err err = {0};

	EBB_SEED_CHECK(ebb_expr_compile(arena, text, &place, labels, 1, &e, &err) == 0, "%s: %s",
		       text, err.msg);
	return e;
}

static void check_laws(struct ebb_arena *arena, const char *a, const char *b,
		       const struct ebb_expr_env *env, const struct ebb_record *rec)
{
	char text[4 * TEXT];
	enum ebb_truth ta = ebb_expr_eval(compile(arena, a), env, rec);
	enum ebb_truth tb = ebb_expr_eval(compile(arena, b), env, rec);
	enum ebb_truth least = ta < tb ? ta : tb, most = ta < tb ? tb : ta;

	sprintf(text, "%s and %s", a, b);
	EBB_SEED_CHECK(ebb_expr_eval(compile(arena, text), env, rec) == least, "%s", text);
	sprintf(text, "%s or %s", a, b);
	EBB_SEED_CHECK(ebb_expr_eval(compile(arena, text), env, rec) == most, "%s", text);
	sprintf(text, "not (not %s or not %s)", a, b);
	EBB_SEED_CHECK(ebb_expr_eval(compile(arena, text), env, rec) == least, "%s", text);
	sprintf(text, "not not %s", a);
	EBB_SEED_CHECK(ebb_expr_eval(compile(arena, text), env, rec) == ta, "%s", text);
}

static void check_block(const struct ebb_expr *e, const char *text, const struct ebb_expr_env *env,
			struct ebb_expr_block *w, const struct ebb_block *b,
			const struct ebb_record *recs)
{
	uint8_t truth[EBB_BLOCK_MAX];

	ebb_expr_block_eval(w, e, env, truth);
	for (uint32_t i = 0; i < b->n; i++) {
		enum ebb_truth want = ebb_expr_eval(e, env, &recs[i]);
		bool open = truth[i] == EBB_UNKNOWN && ebb_expr_needs_key(e);

		EBB_SEED_CHECK(open || truth[i] == want, "%s: record %u: block %d, record %d", text,
			       i, truth[i], want);
		EBB_SEED_CHECK(!ebb_expr_always(e) || want != EBB_FALSE, "%s is not always true",
			       text);
	}
}

static void round_of_blocks(struct ebb_prng *r, struct ebb_expr_block *w, const struct ebb_names *names)
{
	static const char *const keys[] = {"a", "a/x", "b/a.x", "b/x", "c/", "d.a", "x"};
	const uint32_t sure =
		ebb_prng_below(r, 2) ? (EBB_KNOWN(EBB_F_COUNT) - 1) & ~EBB_KNOWN(EBB_F_WINDOW) : 0;
	struct ebb_expr_env env = {.now = NOW, .store = "a", .names = names, .labels = values};
	struct ebb_block_builder *builder = ebb_block_builder_new();
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf bytes = EBB_BUF_INIT(1 << 20);
	struct ebb_record recs[EBB_ARRAY_LEN(keys)] = {{0}}, less;
	char a[TEXT], b[TEXT];
	struct ebb_block block;
	struct ebb_err err = {0};

	for (size_t i = 0; i < EBB_ARRAY_LEN(keys); i++) {
		recs[i].key = keys[i];
		recs[i].key_len = (uint32_t)strlen(keys[i]);
		random_record(r, &recs[i], sure);
		if (i && sure)
			ebb_record_set(&recs[i], EBB_F_EVIDENCE, recs[0].f[EBB_F_EVIDENCE]);
		EBB_SEED_CHECK(ebb_block_builder_add(builder, &recs[i], &err) == 0, "%s", err.msg);
	}
	EBB_SEED_CHECK(ebb_block_builder_encode(builder, &bytes, &err) == 0, "%s", err.msg);
	EBB_SEED_CHECK(ebb_block_open(&block, bytes.data, bytes.len, &err) == 0, "%s", err.msg);
	ebb_expr_block_use(w, &block, NOW);
	for (int i = 0; i < 20; i++) {
		EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena = {0};
		struct ebb_expr *e;
		const struct ebb_record *rec = &recs[ebb_prng_below(r, EBB_ARRAY_LEN(keys))];
		enum ebb_truth t, u;

		random_cond(r, a, 0);
		random_cond(r, b, 2);
		e = compile(&arena, a);
		check_block(e, a, &env, w, &block, recs);
		check_laws(&arena, a, b, &env, rec);
		less = *rec;
		forget(r, &less);
		t = ebb_expr_eval(e, &env, rec);
		u = ebb_expr_eval(e, &env, &less);
		EBB_SEED_CHECK(u == t || u == EBB_UNKNOWN, "%s: %d, and with less known %d", a, t,
			       u);
	}
	ebb_block_builder_free(builder);
}

int main(void)
{
	struct ebb_prng r = ebb_seed_start();
	struct ebb_expr_block *w = ebb_expr_block_new();

	EBB_CLEANUP(ebb_names_freep) struct ebb_names *names = ebb_names_new();
	int64_t code;

	EBB_SEED_CHECK(ebb_names_add(names, "a", &code, NULL) == 1, "a");
	EBB_SEED_CHECK(ebb_names_add(names, "ops", &code, NULL) == 1, "ops");
	for (int i = 0; i < 1500; i++)
		round_of_blocks(&r, w, names);
	ebb_expr_block_free(w);
	return 0;
}
