/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/expr_explain.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "core/units.h"
#include "policies/expr_ast.h"

/* Room for a value: a text may be a whole key, quoted and cut. */
#define VALUE_CAP 512

static int add_number(struct ebb_buf *out, const struct ebb_expr_fact *f, int64_t v)
{
	char text[EBB_UNITS_TEXT];

	switch (f->type) {
	case EBB_EXPR_BYTES:
		return ebb_buf_adds(out, ebb_units_format_bytes(v, text));
	case EBB_EXPR_DURATION:
		return ebb_buf_adds(out, ebb_units_format_duration(v, text));
	case EBB_EXPR_TIME:
		return ebb_buf_adds(out, ebb_units_exact_time(v, text));
	case EBB_EXPR_OCTAL:
		return ebb_buf_addf(out, "%04o", (unsigned)v & 07777);
	case EBB_EXPR_WORD:
		return ebb_buf_adds(out, f->word(v));
	default:
		return ebb_buf_addf(out, "%" PRId64, v);
	}
}

/* An idle time, or the last access that follows from it. */
static int add_span(struct ebb_buf *out, const struct ebb_expr_fact *f, struct ebb_span idle,
		    int64_t now)
{
	bool access = f->source == EBB_EXPR_ACCESS, open = idle.hi == INT64_MAX;
	int64_t lo = access ? now - idle.hi : idle.lo, hi = access ? now - idle.lo : idle.hi;
	int r = 0;

	if (open && idle.lo == 0)
		return ebb_buf_adds(out, "unknown");
	if (open || (!access && lo == 0 && hi != 0)) {
		bool most = access || !open;

		r = ebb_buf_adds(out, most ? "at most " : "at least ");
		return r ? r : add_number(out, f, most ? hi : lo);
	}
	if (lo == hi)
		return add_number(out, f, lo);
	r |= ebb_buf_adds(out, "between ");
	r |= add_number(out, f, lo);
	r |= ebb_buf_adds(out, " and ");
	return r | add_number(out, f, hi);
}

/* What logs make likely, and what is certain all the same. */
static int add_idle(struct ebb_buf *out, const struct ebb_expr_fact *f, const struct ebb_record *rec,
		    int64_t now)
{
	struct ebb_span sure = ebb_record_idle(rec, now, EBB_TRUST_CERTAIN);
	struct ebb_span likely = ebb_record_idle(rec, now, EBB_TRUST_LIKELY);
	int r = 0;

	if (likely.lo == sure.lo && likely.hi == sure.hi)
		return add_span(out, f, sure, now);
	r |= ebb_buf_adds(out, "likely ");
	r |= add_span(out, f, likely, now);
	r |= ebb_buf_adds(out, ", for certain ");
	return r | add_span(out, f, sure, now);
}

static int add_text(struct ebb_buf *out, struct ebb_expr_text t)
{
	char quoted[VALUE_CAP - 8];

	if (!t.p)
		return ebb_buf_adds(out, "unknown");
	return ebb_buf_addf(out, "\"%s\"", ebb_text_quote(t.p, t.len, quoted, sizeof(quoted)));
}

/* Idle by the modification time alone is the time since it. */
static int64_t time_since(int64_t then, int64_t now)
{
	const struct ebb_record_access a = {
		.known = EBB_KNOWN(EBB_F_MTIME) | EBB_KNOWN(EBB_F_EVIDENCE),
		.evidence = EBB_EVIDENCE_MTIME,
		.mtime = then,
	};

	return ebb_record_idle_of(&a, now, EBB_TRUST_CERTAIN).hi;
}

static int add_value(struct ebb_buf *out, const struct ebb_expr_leaf *l,
		     const struct ebb_expr_env *env, const struct ebb_record *r)
{
	const struct ebb_expr_fact *f = l->fact;

	switch (f->source) {
	case EBB_EXPR_IDLE:
	case EBB_EXPR_ACCESS:
		return add_idle(out, f, r, env->now);
	case EBB_EXPR_FIELD:
	case EBB_EXPR_MODE:
	case EBB_EXPR_SINCE:
		if (!ebb_record_has(r, f->field))
			return ebb_buf_adds(out, "unknown");
		if (f->source != EBB_EXPR_SINCE)
			return add_number(out, f, r->f[f->field]);
		return add_number(out, f, time_since(r->f[f->field], env->now));
	case EBB_EXPR_DEPTH:
		return add_number(out, f, ebb_expr_fact_depth(r->key, r->key_len));
	default:
		return add_text(out, ebb_expr_fact_text(l, env, r));
	}
}

static const char *evidence_of(const struct ebb_expr_fact *f, const struct ebb_record *r)
{
	switch (f->source) {
	case EBB_EXPR_IDLE:
	case EBB_EXPR_ACCESS:
		break;
	case EBB_EXPR_CLASS:
		return ebb_record_has(r, EBB_F_CLASS) ? "index" : "configuration";
	case EBB_EXPR_STORE:
		return "configuration";
	case EBB_EXPR_LABEL:
		return "dataset or pattern";
	default:
		return f->source >= EBB_EXPR_DEPTH ? "key" : "index";
	}
	if (!ebb_record_has(r, EBB_F_EVIDENCE))
		return "no evidence of reads";
	switch (r->f[EBB_F_EVIDENCE]) {
	case EBB_EVIDENCE_ATIME:
		return "access times";
	case EBB_EVIDENCE_RELATIME:
		return "access times, updated once a day (relatime)";
	case EBB_EVIDENCE_TIER:
		return "the provider's access tier";
	case EBB_EVIDENCE_LOG:
		return "access logs, which may have lost reads";
	case EBB_EVIDENCE_MTIME:
		return "modification time; reads are not recorded (noatime)";
	default:
		return "no evidence of reads";
	}
}

/* True when an earlier leaf uses the same fact. */
static bool seen_before(const struct ebb_expr *e, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (e->leaves[k]->fact == e->leaves[i]->fact &&
		    e->leaves[k]->label == e->leaves[i]->label)
			return true;
	return false;
}

static const char *name_of(const struct ebb_expr_leaf *l, const char *const *labels)
{
	return l->fact->source == EBB_EXPR_LABEL ? labels[l->label] : l->fact->name;
}

int ebb_expr_explain(const struct ebb_expr *e, const struct ebb_expr_env *env,
		     const char *const *labels, const struct ebb_record *r, struct ebb_arena *arena,
		     struct ebb_expr_explain_fact **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf value = EBB_BUF_INIT(4 * VALUE_CAP);
	struct ebb_expr_explain_fact *out = ebb_arena_calloc(arena, e->nleaves, sizeof(*out));
	int n = 0;

	for (size_t i = 0; out && i < e->nleaves; i++) {
		const struct ebb_expr_leaf *l = e->leaves[i];

		if (seen_before(e, i))
			continue;
		ebb_buf_clear(&value);
		if (add_value(&value, l, env, r) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "no memory to explain a condition");
		out[n].name = name_of(l, labels);
		out[n].value = ebb_arena_memdup(arena, value.data, value.len);
		out[n].evidence = evidence_of(l->fact, r);
		if (!out[n++].value)
			return ebb_err_set(err, EBB_ENOMEM, "no memory to explain a condition");
	}
	if (!out)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to explain a condition");
	*ret = out;
	return n;
}

int ebb_expr_explain_line(const struct ebb_expr *e, const struct ebb_expr_env *env,
			  const char *const *labels, const struct ebb_record *r,
			  struct ebb_buf *out, struct ebb_err *err)
{
	bool first = true;
	int bad = 0;

	for (size_t i = 0; i < e->nleaves; i++) {
		const struct ebb_expr_leaf *l = e->leaves[i];

		if (seen_before(e, i) ||
		    (l->fact->source >= EBB_EXPR_DEPTH && l->fact->source != EBB_EXPR_LABEL))
			continue;
		bad |= ebb_buf_addf(out, "%s%s ", first ? "" : ", ", name_of(l, labels));
		bad |= add_value(out, l, env, r);
		first = false;
	}
	return bad ? ebb_err_set(err, EBB_ENOMEM, "no memory to explain a condition") : 0;
}
