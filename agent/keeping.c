/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/keeping.h"

#include <string.h>

#include "agent/jsonline.h"
#include "agent/jsonput.h"
#include "scanners/s3_admin.h"
#include "scanners/s3_expiry.h"
#include "scanners/store_s3.h"

#define DOC_MAX ((size_t)4 << 20)

/* Most rules that S3 lets a bucket have. */
#define RULES_MAX 1000

struct asking {
	struct ebb_arena *arena;
	const char *prefix;	/* of the store in the bucket */
	struct ebb_noncurrent_rule *rules;
	size_t n;
};

/* A rule that meets keys of this store, under the keys that they have here. */
static int on_rule(void *ctx, const struct ebb_s3_expiry *e)
{
	struct asking *a = ctx;
	size_t own = strlen(a->prefix), its = strlen(e->prefix);
	const char *prefix = its > own ? e->prefix + own : "";

	if (a->n == RULES_MAX || strncmp(e->prefix, a->prefix, its < own ? its : own) != 0)
		return 0;
	if (!(prefix = ebb_arena_strdup(a->arena, prefix)))
		return -EBB_ENOMEM;
	a->rules[a->n++] = (struct ebb_noncurrent_rule){prefix, e->days, e->newer, e->filtered};
	return 0;
}

int ebb_keeping_ask(struct ebb_store *s, struct ebb_arena *arena, struct ebb_noncurrent *ret, struct ebb_err *err)
{
	static const enum ebb_noncurrent_state states[] = {
		[EBB_STORE_S3_UNKNOWN] = EBB_NONCURRENT_UNKNOWN, [EBB_STORE_S3_NEVER] = EBB_NONCURRENT_NONE,
		[EBB_STORE_S3_SUSPENDED] = EBB_NONCURRENT_SUSPENDED, [EBB_STORE_S3_ENABLED] = EBB_NONCURRENT_ENABLED,
	};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf doc = EBB_BUF_INIT(DOC_MAX);
	struct ebb_noncurrent v = {0};

	v.state = states[ebb_store_s3_versioning(s, &v.mfa_delete)];
	if (v.state >= EBB_NONCURRENT_SUSPENDED) {
		struct asking a = {.arena = arena, .prefix = ebb_store_s3_prefix(s),
				   .rules = ebb_arena_calloc(arena, RULES_MAX, sizeof(*a.rules))};
		int r = a.rules ? ebb_s3_admin_lifecycle_get(ebb_store_s3_client(s), &doc, NULL) : -EBB_ENOMEM;

		if (r == 1)
			r = ebb_s3_expiry_read(doc.data, doc.len, on_rule, &a, NULL);
		if (r == -EBB_ENOMEM)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		v.unread = r < 0;
		v.rules = a.rules;
		v.n = r < 0 ? 0 : a.n;
	}
	*ret = v;
	return 0;
}

static void put_bool(struct ebb_jsonput *j, const char *name, bool b)
{
	ebb_jsonput_number(j, name, b ? "true" : "false");
}

void ebb_keeping_write(struct ebb_jsonput *j, const struct ebb_noncurrent *v)
{
	if (v->state == EBB_NONCURRENT_UNKNOWN)
		return;
	ebb_jsonput_open(j, "versions", '{');
	ebb_jsonput_string(j, "state", ebb_noncurrent_name(v->state));
	put_bool(j, "mfa_delete", v->mfa_delete);
	put_bool(j, "unread", v->unread);
	ebb_jsonput_open(j, "expire", '[');
	for (size_t i = 0; i < v->n; i++) {
		ebb_jsonput_open(j, NULL, '{');
		ebb_jsonput_bytes(j, "prefix", v->rules[i].prefix, strlen(v->rules[i].prefix));
		ebb_jsonput_int(j, "days", v->rules[i].days);
		ebb_jsonput_int(j, "newer", v->rules[i].newer);
		put_bool(j, "filtered", v->rules[i].filtered);
		ebb_jsonput_shut(j, '}');
	}
	ebb_jsonput_shut(j, ']');
	ebb_jsonput_shut(j, '}');
}

static int read_rule(struct ebb_jsonline *l, json_t *o, struct ebb_arena *arena, struct ebb_noncurrent_rule *ret)
{
	struct ebb_jsonline sub = ebb_jsonline_sub(l, o);
	size_t len;

	*ret = (struct ebb_noncurrent_rule){
		.prefix = ebb_jsonline_bytes(&sub, arena, "prefix", EBB_KEY_MAX, &len),
		.days = ebb_jsonline_int(&sub, "days", 0, INT64_MAX), .newer = ebb_jsonline_int(&sub, "newer", 0, INT64_MAX),
		.filtered = ebb_jsonline_bool(&sub, "filtered"),
	};
	ebb_jsonline_join(l, &sub);
	return ret->prefix ? l->r : ebb_jsonline_bad(l, "a rule about versions has no prefix");
}

int ebb_keeping_read(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_noncurrent *ret)
{
	json_t *o = json_object_get(l->o, "versions");
	struct ebb_noncurrent v = {0};

	*ret = v;
	if (!o)
		return l->r;
	struct ebb_jsonline sub = ebb_jsonline_sub(l, o);
	const char *state = ebb_jsonline_str(&sub, "state");
	int known = state ? ebb_noncurrent_by_name(state) : -1;
	json_t *list = ebb_jsonline_array(&sub, "expire");
	size_t n = json_array_size(list);
	struct ebb_noncurrent_rule *rules = ebb_arena_calloc(arena, n + 1, sizeof(*rules));

	v.mfa_delete = ebb_jsonline_bool(&sub, "mfa_delete");
	v.unread = ebb_jsonline_bool(&sub, "unread");
	ebb_jsonline_join(l, &sub);
	if (known < 0 || !rules)
		return ebb_jsonline_bad(l, rules ? "whether versions are kept is none of the words" : "out of memory");
	v.state = (enum ebb_noncurrent_state)known;
	for (size_t i = 0; i < n && l->r == 0; i++)
		read_rule(l, json_array_get(list, i), arena, &rules[i]);
	v.rules = rules;
	v.n = n;
	if (l->r == 0)
		*ret = v;
	return l->r;
}
