/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/expr_block.h"

#include <stdlib.h>
#include <string.h>

#include "policies/expr_ast.h"

struct ebb_expr_block {
	const struct ebb_block *b;
	int64_t now;
	bool known_ready, idle_ready;
	enum ebb_trust idle_trust; /* of the idle times that are ready */
	uint32_t decoded; /* bits of the fields whose columns are */
	int64_t col[EBB_F_COUNT][EBB_BLOCK_MAX];
	uint32_t known[EBB_BLOCK_MAX];
	int64_t idle_lo[EBB_BLOCK_MAX], idle_hi[EBB_BLOCK_MAX];
	int64_t spare[EBB_BLOCK_MAX];
};

struct ebb_expr_block *ebb_expr_block_new(void)
{
	return calloc(1, sizeof(struct ebb_expr_block));
}

void ebb_expr_block_free(struct ebb_expr_block *w)
{
	free(w);
}

void ebb_expr_block_use(struct ebb_expr_block *w, const struct ebb_block *b, int64_t now)
{
	w->b = b;
	w->now = now;
	w->known_ready = w->idle_ready = false;
	w->decoded = 0;
}

static const uint32_t *known_masks(struct ebb_expr_block *w)
{
	if (!w->known_ready)
		ebb_block_known(w->b, w->known);
	w->known_ready = true;
	return w->known;
}

static const int64_t *values(struct ebb_expr_block *w, enum ebb_field f)
{
	if (!(w->decoded & EBB_KNOWN(f)))
		ebb_block_values(w->b, f, w->col[f]);
	w->decoded |= EBB_KNOWN(f);
	return w->col[f];
}

static bool all_are(const uint8_t *t, uint32_t n, enum ebb_truth v)
{
	unsigned other = 0;

	for (uint32_t i = 0; i < n; i++)
		other |= t[i] ^ (unsigned)v;
	return other == 0;
}

/* out = out or (value in range), values that are exact. One comparison: v - lo <= hi - lo,
 * unsigned. */
static void or_range(const int64_t *v, uint32_t n, struct ebb_expr_range r, uint8_t *out)
{
	uint64_t lo = (uint64_t)r.lo, width = (uint64_t)r.hi - lo;

	for (uint32_t i = 0; i < n; i++)
		out[i] |= (uint8_t)((uint8_t)((uint64_t)v[i] - lo <= width) << 1);
}

/* Unknown where the field is. */
static void mask_unknown(struct ebb_expr_block *w, enum ebb_field f, uint8_t *out)
{
	const uint32_t *known;

	if (w->b->known_all & EBB_KNOWN(f))
		return;
	known = known_masks(w);
	for (uint32_t i = 0; i < w->b->n; i++)
		if (!(known[i] & EBB_KNOWN(f)))
			out[i] = EBB_UNKNOWN;
}

/* A field, or what follows from one field alone. */
static void eval_field(struct ebb_expr_block *w, const struct ebb_expr_leaf *l, uint8_t *out)
{
	enum ebb_field f = l->fact->field;
	const struct ebb_block_column *c = &w->b->col[f];
	struct ebb_span zone = {c->min, c->max};
	enum ebb_truth settled = EBB_UNKNOWN;
	const int64_t *v;

	if (l->fact->source != EBB_EXPR_MODE)
		settled = ebb_expr_in_ranges(l, zone, w->now);
	if (!(w->b->known_any & EBB_KNOWN(f)))
		settled = EBB_UNKNOWN;
	memset(out, settled == EBB_TRUE ? EBB_TRUE : EBB_FALSE, w->b->n);
	if (settled == EBB_UNKNOWN && (w->b->known_any & EBB_KNOWN(f))) {
		v = values(w, f);
		if (l->fact->source == EBB_EXPR_MODE) {
			for (uint32_t i = 0; i < w->b->n; i++)
				w->spare[i] = v[i] & 07777;
			v = w->spare;
		}
		for (size_t i = 0; i < l->n; i++) {
			struct ebb_expr_range r =
				ebb_expr_fact_stored(l->fact, l->ranges[i], w->now);
			if (r.lo <= r.hi)
				or_range(v, w->b->n, r, out);
		}
	}
	mask_unknown(w, f, out);
}

/* True when evidence is one and the same, its times are known everywhere and nothing limits its
 * window: the usual block. */
static bool plain_evidence(const struct ebb_block *b)
{
	const uint32_t need =
		EBB_KNOWN(EBB_F_EVIDENCE) | EBB_KNOWN(EBB_F_MTIME) | EBB_KNOWN(EBB_F_ATIME);
	const struct ebb_block_column *ev = &b->col[EBB_F_EVIDENCE];

	return (b->known_all & need) == need &&
	       !(b->known_any & (EBB_KNOWN(EBB_F_WINDOW) | EBB_KNOWN(EBB_F_UNTIL))) &&
	       ev->min == ev->max &&
	       (ev->min == EBB_EVIDENCE_RELATIME || ev->min == EBB_EVIDENCE_ATIME);
}

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Idle times of a plain block whose last accesses are @last, in the words of ebb_record_idle_of. */
static struct ebb_span plain_idle(const struct ebb_block *b, int64_t last, int64_t now)
{
	const struct ebb_record_access a = {
		.known = EBB_KNOWN(EBB_F_EVIDENCE) | EBB_KNOWN(EBB_F_MTIME) | EBB_KNOWN(EBB_F_ATIME),
		.evidence = b->col[EBB_F_EVIDENCE].min,
		.atime = last,
		.mtime = last,
	};

	return ebb_record_idle_of(&a, now, EBB_TRUST_CERTAIN);
}

bool ebb_expr_block_doubtful(const struct ebb_block *b)
{
	return (b->known_any & EBB_KNOWN(EBB_F_EVIDENCE)) &&
	       b->col[EBB_F_EVIDENCE].max >= EBB_EVIDENCE_LOG;
}

/* Idle intervals of all records. */
static void decode_idle(struct ebb_expr_block *w, enum ebb_trust trust)
{
	const struct ebb_block *b = w->b;
	uint32_t n = b->n;
	const int64_t *mtime = values(w, EBB_F_MTIME), *atime = values(w, EBB_F_ATIME);

	if (plain_evidence(b) && w->now >= 0) {
		const int64_t day = INT64_C(86400) * 1000000000;
		int64_t slack = b->col[EBB_F_EVIDENCE].min == EBB_EVIDENCE_RELATIME ? day : 0;
		int64_t now = w->now, oldest = now - INT64_MAX;

		for (uint32_t i = 0; i < n; i++) {
			int64_t last = max64(max64(mtime[i], atime[i]), oldest);
			w->idle_hi[i] = max64(now - (last < now ? last : now), 0);
			w->idle_lo[i] = max64(w->idle_hi[i] - slack, 0);
		}
	} else {
		const uint32_t *known = known_masks(w);
		const int64_t *evidence = values(w, EBB_F_EVIDENCE);
		const int64_t *window = values(w, EBB_F_WINDOW), *until = values(w, EBB_F_UNTIL);

		for (uint32_t i = 0; i < n; i++) {
			const struct ebb_record_access a = {known[i], evidence[i], atime[i],
							    mtime[i], window[i], until[i]};
			struct ebb_span s = ebb_record_idle_of(&a, w->now, trust);
			w->idle_lo[i] = s.lo;
			w->idle_hi[i] = s.hi;
		}
	}
	w->idle_ready = true;
	w->idle_trust = trust;
}

/* Intervals against ranges: 2 inside one, 1 when they touch, 0 else. */
static void eval_idle(struct ebb_expr_block *w, const struct ebb_expr_leaf *l, enum ebb_trust trust,
		      uint8_t *out)
{
	const struct ebb_block *b = w->b;
	const int64_t *lo = w->idle_lo, *hi = w->idle_hi;
	enum ebb_truth settled = EBB_UNKNOWN;

	if (plain_evidence(b)) {
		const struct ebb_block_column *m = &b->col[EBB_F_MTIME], *a = &b->col[EBB_F_ATIME];
		struct ebb_span zone = {plain_idle(b, max64(m->max, a->max), w->now).lo,
					plain_idle(b, max64(m->min, a->min), w->now).hi};
		settled = ebb_expr_in_ranges(l, zone, w->now);
	}
	memset(out, settled == EBB_TRUE ? EBB_TRUE : EBB_FALSE, b->n);
	if (settled != EBB_UNKNOWN)
		return;
	if (!w->idle_ready || w->idle_trust != trust)
		decode_idle(w, trust);
	for (size_t k = 0; k < l->n; k++) {
		struct ebb_expr_range r = ebb_expr_fact_stored(l->fact, l->ranges[k], w->now);

		for (uint32_t i = 0; r.lo <= r.hi && i < b->n; i++) {
			uint8_t touch = (uint8_t)((lo[i] <= r.hi) & (hi[i] >= r.lo));
			uint8_t inside = (uint8_t)((lo[i] >= r.lo) & (hi[i] <= r.hi));
			uint8_t t = (uint8_t)(touch + inside);
			out[i] = out[i] > t ? out[i] : t;
		}
	}
}

/* Objects of a block have one class, or few in runs. */
static void eval_class(struct ebb_expr_block *w, const struct ebb_expr_leaf *l,
		       const struct ebb_expr_env *env, uint8_t *out)
{
	enum ebb_truth declared = ebb_expr_text_meets(l, ebb_expr_fact_text(l, env, NULL)), own;
	const uint32_t *known;
	const int64_t *class;
	int64_t last;

	memset(out, (int)declared, w->b->n);
	if (!(w->b->known_any & EBB_KNOWN(EBB_F_CLASS)))
		return;
	known = known_masks(w);
	class = values(w, EBB_F_CLASS);
	last = class[0];
	own = ebb_expr_text_meets(l, ebb_expr_fact_class(env, last));
	for (uint32_t i = 0; i < w->b->n; i++) {
		if (!(known[i] & EBB_KNOWN(EBB_F_CLASS)))
			continue;
		if (class[i] != last) {
			last = class[i];
			own = ebb_expr_text_meets(l, ebb_expr_fact_class(env, last));
		}
		out[i] = (uint8_t)own;
	}
}

static void eval_leaf(struct ebb_expr_block *w, const struct ebb_expr_leaf *l,
		      const struct ebb_expr_env *env, uint8_t *out)
{
	switch (l->fact->source) {
	case EBB_EXPR_FIELD:
	case EBB_EXPR_MODE:
	case EBB_EXPR_SINCE:
		eval_field(w, l, out);
		break;
	case EBB_EXPR_IDLE:
	case EBB_EXPR_ACCESS:
		eval_idle(w, l, env->trust, out);
		break;
	case EBB_EXPR_CLASS:
		eval_class(w, l, env, out);
		break;
	case EBB_EXPR_STORE:
		memset(out, (int)ebb_expr_text_meets(l, ebb_expr_fact_text(l, env, NULL)), w->b->n);
		break;
	default:
		memset(out, EBB_UNKNOWN, w->b->n);
	}
}

static void negate(uint8_t *t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		t[i] = (uint8_t)(EBB_TRUE - t[i]);
}

static void eval_node(struct ebb_expr_block *w, const struct ebb_expr_node *node,
		      const struct ebb_expr_env *env, uint8_t *out)
{
	uint32_t n = w->b->n;
	uint8_t one[EBB_BLOCK_MAX];
	enum ebb_truth stop = node->op == EBB_EXPR_AND ? EBB_FALSE : EBB_TRUE;

	if (node->op == EBB_EXPR_CONST) {
		memset(out, (int)node->value, n);
	} else if (node->op == EBB_EXPR_LEAF) {
		eval_leaf(w, &node->leaf, env, out);
		if (node->leaf.negate)
			negate(out, n);
	} else {
		eval_node(w, node->first, env, out);
		if (node->op == EBB_EXPR_NOT)
			negate(out, n);
	}
	if (node->op != EBB_EXPR_AND && node->op != EBB_EXPR_OR)
		return;
	for (const struct ebb_expr_node *c = node->first->next; c && !all_are(out, n, stop);
	     c = c->next) {
		eval_node(w, c, env, one);
		if (node->op == EBB_EXPR_AND)
			for (uint32_t i = 0; i < n; i++)
				out[i] = out[i] < one[i] ? out[i] : one[i];
		else
			for (uint32_t i = 0; i < n; i++)
				out[i] = out[i] > one[i] ? out[i] : one[i];
	}
}

void ebb_expr_block_eval(struct ebb_expr_block *w, const struct ebb_expr *e,
			 const struct ebb_expr_env *env, uint8_t *out)
{
	eval_node(w, e->root, env, out);
}
