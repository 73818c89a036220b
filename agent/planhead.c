/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/planhead.h"

#include <stddef.h>
#include <string.h>

#include "agent/jsonline.h"
#include "agent/out.h"
#include "compress/digest.h"

/* Members of a sum, for writing and reading. */
static const struct {
	const char *name;
	size_t at;
	int64_t min;
} sums[] = {
	{"objects", offsetof(struct ebb_planhead_sum, objects), 0},
	{"bytes", offsetof(struct ebb_planhead_sum, bytes), 0},
	{"freed_bytes", offsetof(struct ebb_planhead_sum, freed), INT64_MIN},
	{"wire_bytes", offsetof(struct ebb_planhead_sum, wire), 0},
	{"unpriced", offsetof(struct ebb_planhead_sum, unpriced), 0},
	{"one_off_nano", offsetof(struct ebb_planhead_sum, one_off), INT64_MIN},
	{"saving_month_nano", offsetof(struct ebb_planhead_sum, saving), INT64_MIN},
};

static const struct {
	const char *name;
	size_t at;
} limits[] = {
	{"max_delete", offsetof(struct ebb_planhead_limits, max_delete)},
	{"max_delete_ppm", offsetof(struct ebb_planhead_limits, max_delete_ppm)},
	{"max_objects", offsetof(struct ebb_planhead_limits, max_objects)},
	{"max_bytes", offsetof(struct ebb_planhead_limits, max_bytes)},
	{"max_cost_nano", offsetof(struct ebb_planhead_limits, max_cost)},
	{"max_errors", offsetof(struct ebb_planhead_limits, max_errors)},
};

static int64_t *at(void *base, size_t offset)
{
	return (int64_t *)(void *)((char *)base + offset);
}

static int64_t value_at(const void *base, size_t offset)
{
	int64_t n;

	memcpy(&n, (const char *)base + offset, sizeof(n));
	return n;
}

static int set_sum(json_t *o, const struct ebb_planhead_sum *s)
{
	int bad = o ? 0 : -1;

	for (size_t i = 0; i < EBB_ARRAY_LEN(sums); i++)
		bad |= json_object_set_new(o, sums[i].name, json_integer(value_at(s, sums[i].at)));
	return bad;
}

static int add_sum(json_t *o, const char *name, const struct ebb_planhead_sum *s)
{
	json_t *sum = json_object();
	int bad = set_sum(sum, s);

	return bad | json_object_set_new(o, name, sum);
}

static json_t *stores_json(const struct ebb_planhead *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->nstores; i++) {
		const struct ebb_planhead_store *s = &h->stores[i];

		json_array_append_new(
			list, json_pack("{s:s, s:I, s:I, s:I, s:s, s:I}", "name", s->name,
					"generation", (json_int_t)s->generation, "dev",
					(json_int_t)s->dev, "ino", (json_int_t)s->ino, "fsid",
					s->fsid, "objects", (json_int_t)s->objects));
		if (s->versions >= EBB_NONCURRENT_SUSPENDED)
			json_object_update_new(json_array_get(list, i), json_pack("{s:s, s:b}", "versions", ebb_noncurrent_name(s->versions),
										  "mfa_delete", s->mfa_delete));
	}
	if (json_array_size(list) == h->nstores)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *limits_json(const struct ebb_planhead_limits *l)
{
	json_t *o = json_object();

	for (size_t i = 0; i < EBB_ARRAY_LEN(limits); i++) {
		int64_t n = value_at(l, limits[i].at);

		json_object_set_new(o, limits[i].name, n < 0 ? json_null() : json_integer(n));
	}
	json_object_set_new(o, "window", l->window ? json_string(l->window) : json_null());
	if (json_object_size(o) == EBB_ARRAY_LEN(limits) + 1)
		return o;
	json_decref(o);
	return NULL;
}

static int add_refused(json_t *list, const struct ebb_planhead_rule *rule)
{
	int bad = 0;

	for (int i = EBB_REFUSE_NONE + 1; i < EBB_REFUSE_COUNT; i++) {
		enum ebb_decide_refusal why = (enum ebb_decide_refusal)i;

		if (rule->refused[i].objects == 0)
			continue;
		json_t *o = json_pack("{s:s, s:s}", "reason", ebb_decide_refusal_name(why), "text",
				      ebb_decide_refusal_text(why));
		bad |= set_sum(o, &rule->refused[i]);
		bad |= json_array_append_new(list, o);
	}
	return bad;
}

static json_t *packed_json(const struct ebb_planhead_packed *p)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "objects", (json_int_t)p->objects, "bytes",
			 (json_int_t)p->bytes, "packs", (json_int_t)p->packs, "one_off_nano",
			 (json_int_t)p->one_off, "saving_month_nano", (json_int_t)p->saving);
}

static json_t *sampled_json(const struct ebb_planhead_rule *rule)
{
	json_t *list = json_array();
	int bad = 0;

	for (size_t i = 0; i < rule->nsampled; i++) {
		const struct ebb_shrink_kind *k = &rule->sampled[i];

		bad |= json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:i, s:I, s:i, s:i}", "ext", k->ext, "objects", (json_int_t)k->objects,
							     "bytes", (json_int_t)k->bytes, "samples", k->samples, "read_bytes",
							     (json_int_t)k->read, "permille", k->permille, "margin", k->margin));
	}
	if (!bad)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *rules_json(const struct ebb_planhead *h)
{
	json_t *list = json_array();
	int bad = 0;

	for (size_t i = 0; i < h->nrules; i++) {
		json_t *refused = json_array();
		json_t *o = json_pack("{s:s, s:s}", "rule", h->rules[i].rule, "action",
				      h->rules[i].action);

		if (h->rules[i].verify)
			bad |= json_object_set_new(o, "verify", json_string(ebb_action_verify_name((int)h->rules[i].verify)));
		bad |= add_sum(o, "totals", &h->rules[i].sum);
		bad |= add_refused(refused, &h->rules[i]);
		bad |= json_object_set_new(o, "refused", refused);
		if (h->rules[i].packed.objects)
			bad |= json_object_set_new(o, "packed", packed_json(&h->rules[i].packed));
		if (h->rules[i].nsampled)
			bad |= json_object_set_new(o, "sampled", sampled_json(&h->rules[i]));
		bad |= json_array_append_new(list, o);
	}
	if (!bad)
		return list;
	json_decref(list);
	return NULL;
}

int ebb_planhead_write(struct ebb_buf *out, const struct ebb_planhead *h, struct ebb_err *err)
{
	char rules[65], prices[65];
	json_t *o = json_object();
	int bad = ebb_out_json_time(o, "created", h->now);

	ebb_digest_hex(h->rules_digest, 32, rules);
	ebb_digest_hex(h->prices_digest, 32, prices);
	bad |= json_object_set_new(o, "now_ns", json_integer(h->now));
	bad |= json_object_set_new(o, "currency", json_string(h->currency));
	bad |= json_object_set_new(o, "rules_sha256", json_string(rules));
	bad |= json_object_set_new(o, "prices_sha256", json_string(prices));
	bad |= json_object_set_new(o, "stores", stores_json(h));
	bad |= json_object_set_new(o, "limits", limits_json(&h->limits));
	bad |= add_sum(o, "totals", &h->all);
	bad |= add_sum(o, "kept", &h->kept);
	bad |= add_sum(o, "held", &h->held);
	bad |= add_sum(o, "unmatched", &h->unmatched);
	if (h->older.objects)
		bad |= add_sum(o, "older", &h->older);
	bad |= json_object_set_new(o, "rules", rules_json(h));
	if (bad) {
		json_decref(o);
		o = NULL;
	}
	int r = ebb_jsonline_dump(out, o, err);
	if (r == 0 && ebb_buf_addc(out, '\n') < 0)
		r = ebb_err_set(err, EBB_ENOMEM, "out of memory for a plan");
	return r;
}

static void read_sum(struct ebb_jsonline *l, json_t *o, struct ebb_planhead_sum *ret)
{
	struct ebb_jsonline sub = ebb_jsonline_sub(l, o);

	for (size_t i = 0; i < EBB_ARRAY_LEN(sums); i++)
		*at(ret, sums[i].at) =
			ebb_jsonline_int(&sub, sums[i].name, sums[i].min, INT64_MAX);
	ebb_jsonline_join(l, &sub);
}

static const char *text(struct ebb_jsonline *l, struct ebb_arena *arena, const char *name)
{
	const char *s = ebb_jsonline_str(l, name);
	const char *copy = s ? ebb_arena_strdup(arena, s) : NULL;

	if (s && !copy)
		ebb_jsonline_bad(l, "out of memory");
	return copy;
}

/* What nobody wrote down is not known. */
static enum ebb_noncurrent_state read_versions(struct ebb_jsonline *l)
{
	const char *word = ebb_jsonline_str_or(l, "versions");
	int state = word ? ebb_noncurrent_by_name(word) : EBB_NONCURRENT_UNKNOWN;

	if (state < 0)
		ebb_jsonline_bad(l, "\"versions\" is none that exists");
	return state < 0 ? EBB_NONCURRENT_UNKNOWN : (enum ebb_noncurrent_state)state;
}

static void read_stores(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_planhead *h)
{
	json_t *list = ebb_jsonline_array(l, "stores");

	h->stores = ebb_arena_calloc(arena, json_array_size(list), sizeof(*h->stores));
	h->nstores = h->stores ? json_array_size(list) : 0;
	for (size_t i = 0; i < h->nstores; i++) {
		struct ebb_jsonline sub = ebb_jsonline_sub(l, json_array_get(list, i));

		h->stores[i] = (struct ebb_planhead_store){
			.name = text(&sub, arena, "name"),
			.generation = ebb_jsonline_int(&sub, "generation", 0, UINT32_MAX),
			.dev = (uint64_t)ebb_jsonline_int(&sub, "dev", INT64_MIN, INT64_MAX),
			.ino = (uint64_t)ebb_jsonline_int(&sub, "ino", INT64_MIN, INT64_MAX),
			.fsid = text(&sub, arena, "fsid"),
			.objects = ebb_jsonline_int(&sub, "objects", 0, INT64_MAX),
			.versions = read_versions(&sub),
			.mfa_delete = ebb_jsonline_bool(&sub, "mfa_delete"),
		};
		ebb_jsonline_join(l, &sub);
	}
}

static void read_limits(struct ebb_jsonline *l, struct ebb_arena *arena,
			struct ebb_planhead_limits *ret)
{
	struct ebb_jsonline sub = ebb_jsonline_sub(l, ebb_jsonline_object(l, "limits"));

	for (size_t i = 0; i < EBB_ARRAY_LEN(limits); i++)
		*at(ret, limits[i].at) =
			ebb_jsonline_int_or(&sub, limits[i].name, 0, INT64_MAX, -1);
	if (ebb_jsonline_str_or(&sub, "window"))
		ret->window = text(&sub, arena, "window");
	ebb_jsonline_join(l, &sub);
}

static void read_refused(struct ebb_jsonline *l, struct ebb_planhead_rule *ret)
{
	json_t *list = ebb_jsonline_array(l, "refused");

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct ebb_jsonline sub = ebb_jsonline_sub(l, json_array_get(list, i));
		const char *name = ebb_jsonline_str(&sub, "reason");
		int why = EBB_REFUSE_NONE + 1;

		while (name && why < EBB_REFUSE_COUNT &&
		       strcmp(name, ebb_decide_refusal_name((enum ebb_decide_refusal)why)) != 0)
			why++;
		if (!name || why == EBB_REFUSE_COUNT)
			ebb_jsonline_bad(&sub, "\"reason\" is none that exists");
		else
			read_sum(&sub, sub.o, &ret->refused[why]);
		ebb_jsonline_join(l, &sub);
	}
}

static void read_packed(struct ebb_jsonline *l, struct ebb_planhead_packed *ret)
{
	struct ebb_jsonline sub = ebb_jsonline_sub(l, ebb_jsonline_object(l, "packed"));

	ret->objects = ebb_jsonline_int(&sub, "objects", 1, INT64_MAX);
	ret->bytes = ebb_jsonline_int(&sub, "bytes", 0, INT64_MAX);
	ret->packs = ebb_jsonline_int(&sub, "packs", 0, INT64_MAX);
	ret->one_off = ebb_jsonline_int(&sub, "one_off_nano", 0, INT64_MAX);
	ret->saving = ebb_jsonline_int(&sub, "saving_month_nano", 0, INT64_MAX);
	ebb_jsonline_join(l, &sub);
}

static void read_sampled(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_planhead_rule *ret)
{
	json_t *list = ebb_jsonline_array(l, "sampled");
	struct ebb_shrink_kind *v = ebb_arena_calloc(arena, json_array_size(list), sizeof(*v));

	ret->sampled = v;
	ret->nsampled = v ? json_array_size(list) : 0;
	for (size_t i = 0; i < ret->nsampled; i++) {
		struct ebb_jsonline sub = ebb_jsonline_sub(l, json_array_get(list, i));
		const char *ext = ebb_jsonline_str(&sub, "ext");

		if (ext && strlen(ext) > EBB_SHRINK_EXT_MAX)
			ebb_jsonline_bad(&sub, "\"ext\" is too long");
		else if (ext)
			strcpy(v[i].ext, ext);
		v[i].objects = ebb_jsonline_int(&sub, "objects", 0, INT64_MAX);
		v[i].bytes = ebb_jsonline_int(&sub, "bytes", 0, INT64_MAX);
		v[i].samples = (int)ebb_jsonline_int(&sub, "samples", 1, EBB_SHRINK_SAMPLES);
		v[i].read = ebb_jsonline_int(&sub, "read_bytes", 0, INT64_MAX);
		v[i].permille = (int)ebb_jsonline_int(&sub, "permille", 0, 1000);
		v[i].margin = (int)ebb_jsonline_int(&sub, "margin", 0, 1000000);
		ebb_jsonline_join(l, &sub);
	}
}

static enum ebb_action_verify read_verify(struct ebb_jsonline *l)
{
	const char *word = ebb_jsonline_str_or(l, "verify");

	for (int i = 0; word && i < EBB_ACTION_VERIFIES; i++)
		if (strcmp(word, ebb_action_verify_name(i)) == 0)
			return (enum ebb_action_verify)i;
	if (word)
		ebb_jsonline_bad(l, "\"verify\" is none that exists");
	return EBB_ACTION_DIGEST;
}

static void read_rules(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_planhead *h)
{
	json_t *list = ebb_jsonline_array(l, "rules");

	h->rules = ebb_arena_calloc(arena, json_array_size(list), sizeof(*h->rules));
	h->nrules = h->rules ? json_array_size(list) : 0;
	for (size_t i = 0; i < h->nrules; i++) {
		struct ebb_jsonline sub = ebb_jsonline_sub(l, json_array_get(list, i));

		h->rules[i].rule = text(&sub, arena, "rule");
		h->rules[i].action = text(&sub, arena, "action");
		h->rules[i].verify = read_verify(&sub);
		read_sum(&sub, ebb_jsonline_object(&sub, "totals"), &h->rules[i].sum);
		read_refused(&sub, &h->rules[i]);
		if (json_object_get(sub.o, "packed"))
			read_packed(&sub, &h->rules[i].packed);
		if (json_object_get(sub.o, "sampled"))
			read_sampled(&sub, arena, &h->rules[i]);
		ebb_jsonline_join(l, &sub);
	}
}

int ebb_planhead_read(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_planhead *ret)
{
	struct ebb_planhead h = {0};

	h.now = ebb_jsonline_int(l, "now_ns", INT64_MIN, INT64_MAX);
	h.currency = text(l, arena, "currency");
	ebb_jsonline_hex(l, "rules_sha256", h.rules_digest, 32);
	ebb_jsonline_hex(l, "prices_sha256", h.prices_digest, 32);
	read_stores(l, arena, &h);
	read_limits(l, arena, &h.limits);
	read_sum(l, ebb_jsonline_object(l, "totals"), &h.all);
	read_sum(l, ebb_jsonline_object(l, "kept"), &h.kept);
	read_sum(l, ebb_jsonline_object(l, "held"), &h.held);
	read_sum(l, ebb_jsonline_object(l, "unmatched"), &h.unmatched);
	if (json_object_get(l->o, "older"))
		read_sum(l, ebb_jsonline_object(l, "older"), &h.older);
	read_rules(l, arena, &h);
	if (l->r == 0)
		*ret = h;
	return l->r;
}

const struct ebb_planhead_store *ebb_planhead_store(const struct ebb_planhead *h, const char *name)
{
	for (size_t i = 0; i < h->nstores; i++)
		if (strcmp(h->stores[i].name, name) == 0)
			return &h->stores[i];
	return NULL;
}

void ebb_planhead_add(struct ebb_planhead_sum *to, const struct ebb_planhead_sum *what)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(sums); i++) {
		int64_t *n = at(to, sums[i].at), more = value_at(what, sums[i].at);

		if (__builtin_add_overflow(*n, more, n))
			*n = more > 0 ? INT64_MAX : INT64_MIN;
	}
}

bool ebb_planhead_transfers(const struct ebb_planhead *h)
{
	return h->nrules && strcmp(h->rules[0].action, ebb_action_kind(EBB_ACTION_COPY)->name) == 0;
}
