/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/lifecycle_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/text.h"
#include "core/units.h"

struct reader {
	struct ebb_arena *arena;
	const char *name;
	size_t rule;		/* being read, from 1; 0: none */
	struct ebb_err *err;
	int r;			/* the first failure */
};

static void bad(struct reader *x, const char *what, const char *word)
{
	char q[80];

	if (x->r == 0 && x->rule)
		x->r = ebb_err_set(x->err, EBB_ECONFIG, "%s: rule %zu: %s%s%s", x->name, x->rule, what,
				   word ? ": " : "", word ? ebb_text_quotes(word, q, sizeof(q)) : "");
	else if (x->r == 0)
		x->r = ebb_err_set(x->err, EBB_ECONFIG, "%s: %s%s%s", x->name, what, word ? ": " : "",
				   word ? ebb_text_quotes(word, q, sizeof(q)) : "");
}

static void no_memory(struct reader *x)
{
	if (x->r == 0)
		x->r = ebb_err_set(x->err, EBB_ENOMEM, "no memory for '%s'", x->name);
}

/* Every member of @o is among @known (ends with NULL). */
static void only(struct reader *x, json_t *o, const char *const *known)
{
	const char *key;
	json_t *v;

	if (!json_is_object(o)) {
		bad(x, "an object is expected", NULL);
		return;
	}
	json_object_foreach(o, key, v) {
		size_t i = 0;

		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (!known[i])
			bad(x, "not a member that S3 defines there", key);
	}
}

static const char *text(struct reader *x, json_t *o, const char *name, const char *missing)
{
	json_t *v = json_object_get(o, name);
	const char *s;

	if (!v)
		return missing;
	if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v)) {
		bad(x, "not a text", name);
		return missing;
	}
	s = ebb_arena_strdup(x->arena, json_string_value(v));
	if (!s)
		no_memory(x);
	return s;
}

static int64_t count(struct reader *x, json_t *o, const char *name, int64_t missing)
{
	json_t *v = json_object_get(o, name);

	if (!v)
		return missing;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > INT64_C(1) << 53) {
		bad(x, "not a number", name);
		return missing;
	}
	return json_integer_value(v);
}

static json_t *list(struct reader *x, json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);

	if (v && !json_is_array(v)) {
		bad(x, "not a list", name);
		return NULL;
	}
	return v;
}

static void *room(struct reader *x, json_t *a, size_t size)
{
	void *p = ebb_arena_calloc(x->arena, json_array_size(a) + 1, size);

	if (!p)
		no_memory(x);
	return p;
}

static struct ebb_lifecycle_when read_when(struct reader *x, json_t *o, const char *days_name)
{
	struct ebb_lifecycle_when w = {.days = count(x, o, days_name, -1), .date = -1};
	const char *date = text(x, o, "Date", NULL);

	if (date && ebb_units_parse_time(date, &w.date, NULL) < 0)
		bad(x, "not a date", date);
	if (date && w.days >= 0)
		bad(x, "both days and a date", NULL);
	return w;
}

/* --- filters --- */

static void add_tag(struct reader *x, json_t *o, struct ebb_lifecycle_rule *r)
{
	static const char *const known[] = {"Key", "Value", NULL};

	only(x, o, known);
	r->tags[r->ntags].key = text(x, o, "Key", "");
	r->tags[r->ntags++].value = text(x, o, "Value", "");
}

static void read_conditions(struct reader *x, json_t *f, struct ebb_lifecycle_rule *r)
{
	json_t *tags = list(x, f, "Tags"), *tag = json_object_get(f, "Tag");

	r->prefix = text(x, f, "Prefix", r->prefix);
	r->over = count(x, f, "ObjectSizeGreaterThan", -1);
	r->under = count(x, f, "ObjectSizeLessThan", -1);
	r->tags = room(x, tags, sizeof(*r->tags));
	if (!r->tags)
		return;
	for (size_t i = 0; i < json_array_size(tags); i++)
		add_tag(x, json_array_get(tags, i), r);
	if (tag)
		add_tag(x, tag, r);
}

static void read_filter(struct reader *x, json_t *rule, struct ebb_lifecycle_rule *r)
{
	static const char *const one[] = {"Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan",
					  "And", NULL};
	static const char *const many[] = {"Prefix", "Tags", "ObjectSizeGreaterThan", "ObjectSizeLessThan",
					   NULL};
	json_t *f = json_object_get(rule, "Filter"), *all = json_object_get(f, "And");

	if (!f)
		return;
	only(x, f, one);
	if (all)
		only(x, all, many);
	if (json_object_size(f) > 1)
		bad(x, "a filter with several conditions needs And", NULL);
	read_conditions(x, all ? all : f, r);
}

/* --- actions --- */

static size_t read_moves(struct reader *x, json_t *a, bool old, struct ebb_lifecycle_move **ret)
{
	static const char *const known[] = {"Days", "Date", "StorageClass", NULL};
	static const char *const known_old[] = {"NoncurrentDays", "NewerNoncurrentVersions", "StorageClass",
						NULL};

	*ret = room(x, a, sizeof(**ret));
	for (size_t i = 0; *ret && i < json_array_size(a); i++) {
		json_t *o = json_array_get(a, i);
		struct ebb_lifecycle_move *m = &(*ret)[i];

		only(x, o, old ? known_old : known);
		m->when = read_when(x, o, old ? "NoncurrentDays" : "Days");
		m->newer = count(x, o, "NewerNoncurrentVersions", 0);
		m->class = text(x, o, "StorageClass", "");
		if (!m->class || !*m->class || (m->when.days < 0 && m->when.date < 0))
			bad(x, "a transition needs a storage class, and days or a date", NULL);
	}
	return *ret ? json_array_size(a) : 0;
}

static void read_expiration(struct reader *x, json_t *o, struct ebb_lifecycle_rule *r)
{
	static const char *const known[] = {"Days", "Date", "ExpiredObjectDeleteMarker", NULL};

	if (!o)
		return;
	only(x, o, known);
	r->expire = read_when(x, o, "Days");
	r->expires = r->expire.days >= 0 || r->expire.date >= 0;
	r->expire_marker = json_is_true(json_object_get(o, "ExpiredObjectDeleteMarker"));
}

static void read_old_expiration(struct reader *x, json_t *o, struct ebb_lifecycle_rule *r)
{
	static const char *const known[] = {"NoncurrentDays", "NewerNoncurrentVersions", NULL};

	if (!o)
		return;
	only(x, o, known);
	r->old_expires = true;
	r->old_expire.when = read_when(x, o, "NoncurrentDays");
	r->old_expire.newer = count(x, o, "NewerNoncurrentVersions", 0);
}

static void read_rule(struct reader *x, json_t *o, struct ebb_lifecycle_rule *r)
{
	static const char *const known[] = {
		"ID", "Status", "Prefix", "Filter", "Transitions", "Transition", "Expiration",
		"NoncurrentVersionTransitions", "NoncurrentVersionTransition", "NoncurrentVersionExpiration",
		"AbortIncompleteMultipartUpload", NULL};
	static const char *const abort_known[] = {"DaysAfterInitiation", NULL};
	json_t *abort = json_object_get(o, "AbortIncompleteMultipartUpload");
	const char *status = text(x, o, "Status", "");

	*r = (struct ebb_lifecycle_rule){.over = -1, .under = -1, .abort_days = -1};
	only(x, o, known);
	r->id = text(x, o, "ID", "");
	r->enabled = status && strcmp(status, "Enabled") == 0;
	if (status && !r->enabled && strcmp(status, "Disabled") != 0)
		bad(x, "Status is neither Enabled nor Disabled", status);
	r->prefix = text(x, o, "Prefix", "");
	read_filter(x, o, r);
	r->nmoves = read_moves(x, list(x, o, "Transitions"), false, &r->moves);
	r->nold_moves = read_moves(x, list(x, o, "NoncurrentVersionTransitions"), true, &r->old_moves);
	read_expiration(x, json_object_get(o, "Expiration"), r);
	read_old_expiration(x, json_object_get(o, "NoncurrentVersionExpiration"), r);
	if (abort) {
		only(x, abort, abort_known);
		r->abort_days = count(x, abort, "DaysAfterInitiation", -1);
	}
	if (json_object_get(o, "Transition") || json_object_get(o, "NoncurrentVersionTransition"))
		bad(x, "the deprecated forms of transitions are not read: use the lists", NULL);
}

static void read_all(struct reader *x, json_t *o, struct ebb_lifecycle *lc)
{
	static const char *const known[] = {"Rules", "TransitionDefaultMinimumObjectSize", NULL};
	const char *small = text(x, o, "TransitionDefaultMinimumObjectSize", "all_storage_classes_128K");
	json_t *rules = list(x, o, "Rules");

	only(x, o, known);
	if (!rules)
		bad(x, "there are no Rules", NULL);
	if (small && strcmp(small, "varies_by_storage_class") == 0)
		lc->by_class = true;
	else if (small && strcmp(small, "all_storage_classes_128K") != 0)
		bad(x, "not a default for small objects", small);
	if (json_array_size(rules) > EBB_LIFECYCLE_JSON_RULES)
		bad(x, "more than 1000 rules", NULL);
	lc->rules = room(x, rules, sizeof(*lc->rules));
	for (size_t i = 0; x->r == 0 && i < json_array_size(rules); i++) {
		x->rule = i + 1;
		read_rule(x, json_array_get(rules, i), &lc->rules[lc->n++]);
	}
}

int ebb_lifecycle_json_read(const char *t, size_t len, const char *name, struct ebb_arena *arena,
			    struct ebb_lifecycle *ret, struct ebb_err *err)
{
	struct reader x = {.arena = arena, .name = name, .err = err};
	struct ebb_lifecycle lc = {0};
	json_error_t why;
	json_t *o = json_loadb(t, len, JSON_REJECT_DUPLICATES, &why);

	if (!o)
		return ebb_err_set(err, EBB_ECONFIG, "%s:%d: %s", name, why.line, why.text);
	read_all(&x, o, &lc);
	json_decref(o);
	if (x.r == 0)
		*ret = lc;
	return x.r;
}

int ebb_lifecycle_json_load(const char *path, struct ebb_arena *arena, struct ebb_lifecycle *ret,
			    struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(EBB_LIFECYCLE_JSON_MAX);
	char chunk[4096];
	size_t n;
	int r = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	while (r == 0 && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		if (ebb_buf_add(&b, chunk, n) < 0)
			r = ebb_err_set(err, EBB_ECONFIG, "'%s' is too large for a lifecycle configuration", path);
	if (r == 0 && ferror(f))
		r = ebb_err_sys(err, EIO, "cannot read '%s'", path);
	fclose(f);
	return r < 0 ? r : ebb_lifecycle_json_read(b.data ? b.data : "", b.len, path, arena, ret, err);
}

/* --- writing --- */

static void set(json_t *o, const char *name, json_t *v)
{
	json_object_set_new(o, name, v);
}

static void set_count(json_t *o, const char *name, int64_t n, int64_t missing)
{
	if (n != missing)
		set(o, name, json_integer(n));
}

static void set_when(json_t *o, const char *days_name, const struct ebb_lifecycle_when *w)
{
	char t[EBB_UNITS_TEXT];

	set_count(o, days_name, w->days, -1);
	if (w->date >= 0)
		set(o, "Date", json_string(ebb_units_exact_time(w->date, t)));
}

static json_t *tag_json(const struct ebb_lifecycle_tag *t)
{
	return json_pack("{s:s, s:s}", "Key", t->key, "Value", t->value);
}

static json_t *filter_json(const struct ebb_lifecycle_rule *r)
{
	json_t *all = json_object();
	size_t n = (*r->prefix != 0) + (r->over >= 0) + (r->under >= 0) + r->ntags;

	if (*r->prefix || n == 0)
		set(all, "Prefix", json_string(r->prefix));
	set_count(all, "ObjectSizeGreaterThan", r->over, -1);
	set_count(all, "ObjectSizeLessThan", r->under, -1);
	if (r->ntags == 1 && n == 1)
		set(all, "Tag", tag_json(&r->tags[0]));
	else if (r->ntags) {
		json_t *tags = json_array();

		for (size_t i = 0; i < r->ntags; i++)
			json_array_append_new(tags, tag_json(&r->tags[i]));
		set(all, "Tags", tags);
	}
	return n > 1 ? json_pack("{s:o}", "And", all) : all;
}

static json_t *moves_json(const struct ebb_lifecycle_move *m, size_t n, bool old)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();

		set_when(o, old ? "NoncurrentDays" : "Days", &m[i].when);
		set_count(o, "NewerNoncurrentVersions", m[i].newer, 0);
		set(o, "StorageClass", json_string(m[i].class));
		json_array_append_new(a, o);
	}
	return a;
}

static void write_expirations(json_t *o, const struct ebb_lifecycle_rule *r)
{
	if (r->expires || r->expire_marker) {
		json_t *e = json_object();

		if (r->expires)
			set_when(e, "Days", &r->expire);
		if (r->expire_marker)
			set(e, "ExpiredObjectDeleteMarker", json_true());
		set(o, "Expiration", e);
	}
	if (r->old_expires) {
		json_t *e = json_object();

		set_when(e, "NoncurrentDays", &r->old_expire.when);
		set_count(e, "NewerNoncurrentVersions", r->old_expire.newer, 0);
		set(o, "NoncurrentVersionExpiration", e);
	}
}

static json_t *rule_json(const struct ebb_lifecycle_rule *r)
{
	json_t *o = json_object();

	if (*r->id)
		set(o, "ID", json_string(r->id));
	set(o, "Status", json_string(r->enabled ? "Enabled" : "Disabled"));
	set(o, "Filter", filter_json(r));
	if (r->nmoves)
		set(o, "Transitions", moves_json(r->moves, r->nmoves, false));
	if (r->nold_moves)
		set(o, "NoncurrentVersionTransitions", moves_json(r->old_moves, r->nold_moves, true));
	write_expirations(o, r);
	if (r->abort_days >= 0)
		set(o, "AbortIncompleteMultipartUpload",
		    json_pack("{s:I}", "DaysAfterInitiation", (json_int_t)r->abort_days));
	return o;
}

json_t *ebb_lifecycle_json_write(const struct ebb_lifecycle *lc)
{
	json_t *o = json_object(), *rules = json_array();

	for (size_t i = 0; i < lc->n; i++)
		json_array_append_new(rules, rule_json(&lc->rules[i]));
	set(o, "Rules", rules);
	if (lc->by_class)
		set(o, "TransitionDefaultMinimumObjectSize", json_string("varies_by_storage_class"));
	return o;
}
