/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "core/units.h"
#include "policies/expr_ast.h"

#define FIELD(n, t, f)                                                                             \
	{                                                                                          \
		.name = n, .type = t, .source = EBB_EXPR_FIELD, .field = f                         \
	}
#define KEY(n, s)                                                                                  \
	{                                                                                          \
		.name = n, .type = EBB_EXPR_TEXT, .source = s                                      \
	}

static const struct ebb_expr_fact facts[] = {
	FIELD("size", EBB_EXPR_BYTES, EBB_F_SIZE),
	FIELD("alloc", EBB_EXPR_BYTES, EBB_F_ALLOC),
	{.name = "idle", .type = EBB_EXPR_DURATION, .source = EBB_EXPR_IDLE},
	{.name = "age", .type = EBB_EXPR_DURATION, .source = EBB_EXPR_SINCE, .field = EBB_F_MTIME},
	{.name = "changed",
	 .type = EBB_EXPR_DURATION,
	 .source = EBB_EXPR_SINCE,
	 .field = EBB_F_CTIME},
	FIELD("mtime", EBB_EXPR_TIME, EBB_F_MTIME),
	{.name = "atime", .type = EBB_EXPR_TIME, .source = EBB_EXPR_ACCESS},
	FIELD("ctime", EBB_EXPR_TIME, EBB_F_CTIME),
	FIELD("nlink", EBB_EXPR_NUMBER, EBB_F_NLINK),
	FIELD("uid", EBB_EXPR_NUMBER, EBB_F_UID),
	FIELD("gid", EBB_EXPR_NUMBER, EBB_F_GID),
	{.name = "mode", .type = EBB_EXPR_OCTAL, .source = EBB_EXPR_MODE, .field = EBB_F_MODE},
	{.name = "type",
	 .type = EBB_EXPR_WORD,
	 .source = EBB_EXPR_FIELD,
	 .field = EBB_F_KIND,
	 .word = ebb_record_kind_name,
	 .nwords = EBB_KIND_COUNT},
	{.name = "evidence",
	 .type = EBB_EXPR_WORD,
	 .source = EBB_EXPR_FIELD,
	 .field = EBB_F_EVIDENCE,
	 .word = ebb_record_evidence_name,
	 .nwords = EBB_EVIDENCE_COUNT},
	{.name = "depth", .type = EBB_EXPR_NUMBER, .source = EBB_EXPR_DEPTH},
	KEY("path", EBB_EXPR_PATH),
	KEY("name", EBB_EXPR_NAME),
	KEY("ext", EBB_EXPR_EXT),
	KEY("dir", EBB_EXPR_DIR),
	KEY("store", EBB_EXPR_STORE),
	KEY("class", EBB_EXPR_CLASS),
};

static const char *const names[EBB_ARRAY_LEN(facts)] = {
	"size",  "alloc", "idle", "age", "changed", "mtime", "atime",
	"ctime", "nlink", "uid",  "gid", "mode",    "type",  "evidence",
	"depth", "path",  "name", "ext", "dir",     "store", "class",
};

static const struct ebb_expr_fact label = KEY("", EBB_EXPR_LABEL);

const struct ebb_expr_fact *ebb_expr_fact_find(const char *name)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(facts); i++)
		if (strcmp(facts[i].name, name) == 0)
			return &facts[i];
	return NULL;
}

const struct ebb_expr_fact *ebb_expr_fact_label(void)
{
	return &label;
}

const char *const *ebb_expr_fact_names(size_t *ret_n)
{
	*ret_n = EBB_ARRAY_LEN(names);
	return names;
}

const char *ebb_expr_fact_wants(const struct ebb_expr_fact *f)
{
	switch (f->type) {
	case EBB_EXPR_BYTES:
		return "a size such as 1MiB";
	case EBB_EXPR_DURATION:
		return "a duration such as 30d";
	case EBB_EXPR_TIME:
		return "a time such as 2026-01-31";
	case EBB_EXPR_NUMBER:
		return "a number";
	case EBB_EXPR_OCTAL:
		return "permission bits such as 0644";
	case EBB_EXPR_WORD:
		return f->field == EBB_F_KIND ? "\"file\", \"dir\", \"symlink\", \"special\", \"version\", \"marker\" or \"upload\""
					      : "\"none\", \"mtime\", \"relatime\", \"atime\", \"tier\" or \"log\"";
	default:
		return "a string in quotes";
	}
}

static int parse_octal(const char *text, int64_t *ret, struct ebb_err *err)
{
	int64_t v = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '7' || v > 07777)
			return ebb_err_set(err, EBB_EINVAL, "'%s' is no octal number up to 7777",
					   text);
		v = v * 8 + (*p - '0');
	}
	if (v > 07777)
		return ebb_err_set(err, EBB_EINVAL, "'%s' is no octal number up to 7777", text);
	*ret = v;
	return 0;
}

static int parse_word(const struct ebb_expr_fact *f, const char *text, int64_t *ret,
		      struct ebb_err *err)
{
	for (int i = 0; i < f->nwords; i++) {
		if (strcmp(f->word(i), text) == 0) {
			*ret = i;
			return 0;
		}
	}
	return ebb_err_set(err, EBB_EINVAL, "\"%s\" is none of them", text);
}

int ebb_expr_fact_literal(const struct ebb_expr_fact *f, const char *text, int64_t *ret,
			  struct ebb_err *err)
{
	switch (f->type) {
	case EBB_EXPR_BYTES:
		return ebb_units_parse_bytes(text, ret, err);
	case EBB_EXPR_DURATION:
		return ebb_units_parse_duration(text, ret, err);
	case EBB_EXPR_TIME:
		return ebb_units_parse_time(text, ret, err);
	case EBB_EXPR_NUMBER:
		return ebb_units_parse_count(text, ret, err);
	case EBB_EXPR_OCTAL:
		return parse_octal(text, ret, err);
	default:
		return parse_word(f, text, ret, err);
	}
}

static int64_t sub_saturated(int64_t a, int64_t b)
{
	int64_t d;

	if (__builtin_sub_overflow(a, b, &d))
		return b < 0 ? INT64_MAX : INT64_MIN;
	return d;
}

/* now - m, m in the future counting as now, lies in r exactly when m lies in what is returned. now
 * >= 0. */
static struct ebb_expr_range since(struct ebb_expr_range r, int64_t now)
{
	struct ebb_expr_range m = {INT64_MIN, INT64_MAX};

	if (r.hi < 0)
		return (struct ebb_expr_range){1, 0};
	if (r.hi != INT64_MAX)
		m.lo = now - r.hi;
	if (r.lo > 0)
		m.hi = now - r.lo;
	return m;
}

struct ebb_expr_range ebb_expr_fact_stored(const struct ebb_expr_fact *f, struct ebb_expr_range r,
					   int64_t now)
{
	if (f->source == EBB_EXPR_SINCE)
		return since(r, now);
	if (f->source == EBB_EXPR_ACCESS)
		return (struct ebb_expr_range){
			r.hi == INT64_MAX ? INT64_MIN : sub_saturated(now, r.hi),
			r.lo == INT64_MIN ? INT64_MAX : sub_saturated(now, r.lo)};
	return r;
}

static struct ebb_expr_text text_of(const char *s)
{
	return (struct ebb_expr_text){s, s ? strlen(s) : 0};
}

/* The key without the '/' of a directory, cut behind its last '/'. */
static void split_key(const struct ebb_record *r, struct ebb_expr_text *dir,
		      struct ebb_expr_text *name)
{
	size_t end = r->key_len, start;

	if (end && r->key[end - 1] == '/')
		end--;
	for (start = end; start && r->key[start - 1] != '/';)
		start--;
	*dir = (struct ebb_expr_text){r->key, start};
	*name = (struct ebb_expr_text){r->key + start, end - start};
}

static struct ebb_expr_text ext_of(struct ebb_expr_text name)
{
	for (size_t i = name.len; i-- > 1;)
		if (name.p[i] == '.')
			return (struct ebb_expr_text){name.p + i + 1, name.len - i - 1};
	return text_of("");
}

struct ebb_expr_text ebb_expr_fact_class(const struct ebb_expr_env *env, int64_t code)
{
	return text_of(ebb_names_get(env->names, code));
}

struct ebb_expr_text ebb_expr_fact_text(const struct ebb_expr_leaf *l,
					const struct ebb_expr_env *env, const struct ebb_record *r)
{
	struct ebb_expr_text dir, name;

	switch (l->fact->source) {
	case EBB_EXPR_STORE:
		return text_of(env->store);
	case EBB_EXPR_CLASS:
		if (r && ebb_record_has(r, EBB_F_CLASS))
			return ebb_expr_fact_class(env, r->f[EBB_F_CLASS]);
		return text_of(env->class);
	case EBB_EXPR_LABEL:
		return env->labels ? env->labels[l->label] : text_of(NULL);
	case EBB_EXPR_PATH:
		return (struct ebb_expr_text){r->key, r->key_len};
	default:
		break;
	}
	split_key(r, &dir, &name);
	if (l->fact->source == EBB_EXPR_DIR)
		return dir;
	return l->fact->source == EBB_EXPR_NAME ? name : ext_of(name);
}

int64_t ebb_expr_fact_depth(const char *key, size_t len)
{
	int64_t depth = len != 0;

	for (size_t i = 0; i + 1 < len; i++)
		depth += key[i] == '/';
	return depth;
}
