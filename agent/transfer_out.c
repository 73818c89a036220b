/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/transfer_out.h"

#include <stdlib.h>
#include <string.h>

#include "agent/jsonput.h"
#include "agent/out.h"
#include "core/buf.h"
#include "core/mem.h"

/* --- JSON --- */

static void cost(struct ebb_jsonput *j, const char *name, ebb_xfer_num v)
{
	char t[EBB_XFER_TEXT];

	ebb_jsonput_number(j, name, ebb_xfer_cost_text(v, t));
}

/* Sites that @t, and the other parts of its group, read or serve by a local copy; each once. */
static void sites(struct ebb_jsonput *j, const char *name, const struct ebb_xfer *x, const struct ebb_xfer_tree *t,
		  bool copies)
{
	ebb_jsonput_open(j, name, '[');
	for (const struct ebb_xfer_tree *part = t; part; part = part->next)
		for (size_t i = 0; i < (copies ? part->n_copies : part->n_reads); i++) {
			uint32_t at = copies ? part->copies[i] : part->reads[i];
			bool before = false;

			for (const struct ebb_xfer_tree *b = t; b != part; b = b->next)
				for (size_t k = 0; k < (copies ? b->n_copies : b->n_reads); k++)
					before |= (copies ? b->copies[k] : b->reads[k]) == at;
			if (!before)
				ebb_jsonput_string(j, NULL, x->sites[at].id);
		}
	ebb_jsonput_shut(j, ']');
}

/* A volume per slot; with @whole its share of that. */
static void slot_map(struct ebb_jsonput *j, const char *name, const struct ebb_xfer *x,
		     const struct ebb_xfer_hop *h, ebb_xfer_num whole)
{
	char t[EBB_XFER_TEXT];

	ebb_jsonput_open(j, name, '{');
	for (size_t s = 0; s < x->n_slots; s++)
		if (h->sent[s]) {
			ebb_jsonput_begin(j, NULL);
			ebb_jsonput_quote(j, x->slots[s].id);
			j->bad |= ebb_buf_addf(&j->b, ":%s", ebb_xfer_gb_text(whole ? ebb_xfer_scale(EBB_XFER_ONE, h->sent[s], whole)
										    : h->sent[s], t));
		}
	ebb_jsonput_shut(j, '}');
}

static void volume(struct ebb_jsonput *j, const char *name, ebb_xfer_num v)
{
	char t[EBB_XFER_TEXT];

	ebb_jsonput_begin(j, name);
	j->bad |= ebb_buf_adds(&j->b, ebb_xfer_gb_text(v, t));
}

/* What is charged to whom; what a GB more of room, or in a pool, is worth. */
static void charges(struct ebb_jsonput *j, const struct ebb_xfer *x, const struct ebb_xfer_plan *p, const struct ebb_transfer_bill *b)
{
	ebb_jsonput_open(j, "links", '[');
	for (size_t i = 0; i < x->n_links; i++) {
		const struct ebb_xfer_link *l = &x->links[i];

		if (b->link_gb[i] == 0)
			continue;
		ebb_jsonput_open(j, NULL, '{');
		ebb_jsonput_string(j, "from", x->sites[l->from].id);
		ebb_jsonput_string(j, "to", x->sites[l->to].id);
		ebb_jsonput_string(j, "paid_to", ebb_transfer_bill_payer(x, l->from));
		volume(j, "wire_gb", b->link_gb[i]);
		cost(j, "usd", b->link_cost[i]);
		if (l->pool != EBB_XFER_NONE)
			ebb_jsonput_string(j, "pool", x->pools[l->pool].id);
		if (l->note && l->note[0])
			ebb_jsonput_string(j, "condition", l->note);
		ebb_jsonput_shut(j, '}');
	}
	ebb_jsonput_shut(j, ']');
	ebb_jsonput_open(j, "pools", '[');
	for (size_t i = 0; i < x->n_pools; i++) {
		ebb_jsonput_open(j, NULL, '{');
		ebb_jsonput_string(j, "pool", x->pools[i].id);
		volume(j, "wire_gb", b->pool_gb[i]);
		cost(j, "usd", b->pool_cost[i]);
		cost(j, "next_gb_usd", ebb_xfer_pool_charge(&x->pools[i], b->pool_gb[i] + EBB_XFER_ONE) - b->pool_cost[i]);
		if (x->pools[i].note && x->pools[i].note[0])
			ebb_jsonput_string(j, "condition", x->pools[i].note);
		ebb_jsonput_shut(j, '}');
	}
	ebb_jsonput_shut(j, ']');
	if (b->thaw_objects || b->thaw_gb) {
		ebb_jsonput_open(j, "thaw", '{');
		if (b->speed)
			ebb_jsonput_string(j, "speed", b->speed);
		volume(j, "objects", b->thaw_objects);
		volume(j, "gb", b->thaw_gb);
		volume(j, "hours", b->thaw_hours);
		cost(j, "usd", b->thaw_cost);
		ebb_jsonput_shut(j, '}');
	}
	ebb_jsonput_open(j, "binding", '[');
	for (size_t i = 0; p->room_price && i < x->n_links * x->n_slots; i++) {
		const struct ebb_xfer_link *l = &x->links[i / x->n_slots];

		if (p->room_price[i] == 0)
			continue;
		ebb_jsonput_open(j, NULL, '{');
		ebb_jsonput_string(j, "from", x->sites[l->from].id);
		ebb_jsonput_string(j, "to", x->sites[l->to].id);
		ebb_jsonput_string(j, "slot", x->slots[i % x->n_slots].id);
		volume(j, "room_gb", l->capacity[i % x->n_slots]);
		cost(j, "usd_per_gb", (ebb_xfer_num)p->room_price[i] * EBB_XFER_ONE);
		ebb_jsonput_shut(j, '}');
	}
	ebb_jsonput_shut(j, ']');
}

static void relaxations(struct ebb_jsonput *j, const struct ebb_xfer_relax *relax)
{
	ebb_jsonput_open(j, "relaxations", '[');
	for (int i = 0; i < EBB_XFER_RELAXATIONS; i++)
		if (relax->helps[i]) {
			ebb_jsonput_open(j, NULL, '{');
			ebb_jsonput_string(j, "constraint", ebb_xfer_relax_name((enum ebb_xfer_relaxation)i));
			cost(j, "cost_usd", relax->cost[i]);
			ebb_jsonput_begin(j, "cheapest");
			j->bad |= ebb_buf_adds(&j->b, i == relax->cheapest ? "true" : "false");
			ebb_jsonput_shut(j, '}');
		}
	ebb_jsonput_shut(j, ']');
}

static void hop(struct ebb_jsonput *j, const struct ebb_xfer *x, const struct ebb_xfer_group *g,
		const struct ebb_xfer_tree *t, const struct ebb_xfer_hop *h)
{
	const struct ebb_xfer_group part = ebb_xfer_part(g, t);
	ebb_xfer_num wire = h->packed ? part.packed : part.gb;
	char why[EBB_TRANSFER_BILL_WHY];

	ebb_jsonput_open(j, NULL, '{');
	ebb_jsonput_string(j, "from", x->sites[x->links[h->link].from].id);
	ebb_jsonput_string(j, "to", x->sites[x->links[h->link].to].id);
	ebb_jsonput_begin(j, "compressed");
	j->bad |= ebb_buf_adds(&j->b, h->packed ? "true" : "false");
	volume(j, "wire_gb", wire);
	if (t->gb)
		volume(j, "share", ebb_xfer_scale(EBB_XFER_ONE, t->gb, g->gb));
	if (h->sent && x->timed) {
		slot_map(j, "slot_gb", x, h, 0);
		if (wire > 0)
			slot_map(j, "slot_shares", x, h, wire);
	}
	ebb_jsonput_string(j, "why", ebb_transfer_bill_why(x, g, t, h, why));
	ebb_jsonput_shut(j, '}');
}

static void groups(struct ebb_jsonput *j, const struct ebb_xfer *x, const struct ebb_xfer_plan *p)
{
	ebb_jsonput_open(j, "groups", '[');
	for (size_t i = 0; p->trees && i < x->n_groups; i++) {
		const struct ebb_xfer_tree *t = &p->trees[i];

		ebb_jsonput_open(j, NULL, '{');
		ebb_jsonput_string(j, "group", x->groups[i].id);
		if (t->n_reads == 0)
			ebb_jsonput_string(j, "action", "already-present");
		sites(j, "reads", x, t, false);
		ebb_jsonput_open(j, "hops", '[');
		for (const struct ebb_xfer_tree *part = t; part; part = part->next)
			for (size_t h = 0; h < part->n_hops; h++)
				hop(j, x, &x->groups[i], part, &part->hops[h]);
		ebb_jsonput_shut(j, ']');
		sites(j, "local_copies", x, t, true);
		ebb_jsonput_shut(j, '}');
	}
	ebb_jsonput_shut(j, ']');
}

static void bill(struct ebb_jsonput *j, const struct ebb_xfer_bill *b)
{
	ebb_jsonput_open(j, "bill", '{');
	cost(j, "links_usd", b->links);
	cost(j, "pools_usd", b->pools);
	cost(j, "requests_usd", b->requests);
	cost(j, "relays_usd", b->relays);
	cost(j, "retrieval_usd", b->retrieval);
	cost(j, "codec_usd", b->codec);
	cost(j, "copies_usd", b->copies);
	cost(j, "early_delete_usd", b->fixed);
	ebb_jsonput_shut(j, '}');
}

int ebb_transfer_out_json(FILE *out, const struct ebb_xfer *x, const struct ebb_xfer_plan *p,
			  const struct ebb_transfer_bill *b, const struct ebb_xfer_relax *relax, struct ebb_err *err)
{
	struct ebb_jsonput j = EBB_JSONPUT_INIT;
	bool over = p->reason == EBB_XFER_BUDGET;

	ebb_jsonput_open(&j, NULL, '{');
	ebb_jsonput_string(&j, "id", x->id);
	ebb_jsonput_string(&j, "status", ebb_xfer_plan_status(p->status));
	if (p->reason)
		ebb_jsonput_string(&j, "reason", ebb_xfer_plan_reason(p->reason));
	if (p->stuck)
		ebb_jsonput_string(&j, "group", p->stuck->id);
	if (p->short_by)
		volume(&j, "short_gb", p->short_by);
	if (x->has_budget)
		cost(&j, "budget_usd", x->budget);
	if (p->trees && !over)
		cost(&j, "cost_usd", p->bill.total);
	if (p->trees)
		cost(&j, "lower_bound_usd", p->lower_bound);
	if (p->trees && !over)
		cost(&j, "gap_usd", p->bill.total - p->lower_bound);
	if (over)
		cost(&j, "short_usd", p->bill.total - x->budget);
	if (over)
		cost(&j, p->minimum_exact ? "minimum_required_usd" : "sufficient_usd", p->bill.total);
	ebb_jsonput_string(&j, "method", p->method);
	if (p->direct_first >= 0)
		cost(&j, "direct_from_first_replica_usd", p->direct_first);
	if (p->direct_cheapest >= 0)
		cost(&j, "direct_from_cheapest_replica_usd", p->direct_cheapest);
	if (p->trees) {
		bill(&j, &p->bill);
		charges(&j, x, p, b);
	}
	if (relax)
		relaxations(&j, relax);
	groups(&j, x, p);
	ebb_jsonput_shut(&j, '}');
	return ebb_jsonput_end(&j, out, err);
}

/* --- For people --- */

/* Rounded to cents, or to two digits when less; "-" when unknown. */
static const char *dollars(ebb_xfer_num v, char out[EBB_OUT_TEXT_MAX])
{
	ebb_xfer_num unit = (ebb_xfer_num)EBB_XFER_ONE * 1000;	/* a nano-dollar */
	ebb_xfer_num nano = (v + unit / 2) / unit;
	char t[EBB_XFER_TEXT];

	if (nano < INT64_MAX)
		return ebb_out_money(&(struct ebb_money){(int64_t)nano, "USD"}, out);
	snprintf(out, EBB_OUT_TEXT_MAX, "%.50s USD", ebb_xfer_cost_text(v, t));
	return out;
}

/* @part of @whole in tenths of a percent, rounded. */
static void share(FILE *out, ebb_xfer_num part, ebb_xfer_num whole)
{
	long tenths = whole > 0 ? (long)((part / (whole / 1000 + 1))) : 0;

	fprintf(out, "%s%ld.%ld %%", part < 0 ? "-" : "", labs(tenths) / 10, labs(tenths) % 10);
}

static void saving(FILE *out, const char *what, ebb_xfer_num direct, ebb_xfer_num total)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	if (direct < 0) {
		fprintf(out, "%s  not possible\n", what);
		return;
	}
	fprintf(out, "%s  %s, ", what, dollars(direct, a));
	if (direct >= total) {
		fprintf(out, "the plan saves %s (", dollars(direct - total, b));
		share(out, direct - total, direct);
		fputs(")\n", out);
	} else {
		fprintf(out, "the plan costs %s more, because of time or room\n", dollars(total - direct, b));
	}
}

static void row(struct ebb_out_table *t, const char *group, const char *from, const char *to,
		const char *how, const char *volume)
{
	ebb_out_cell_name(t, group, strlen(group));
	ebb_out_cell_name(t, from, strlen(from));
	ebb_out_cell_name(t, to, strlen(to));
	ebb_out_cell(t, "%s", volume);
	ebb_out_cell(t, "%s", how);
}

/* The rows of one group, or of a part of it. */
static void tree_rows(struct ebb_out_table *t, const struct ebb_xfer *x, const struct ebb_xfer_group *g,
		      const struct ebb_xfer_tree *tree)
{
	const struct ebb_xfer_group part = ebb_xfer_part(g, tree);
	char v[EBB_XFER_TEXT], why[EBB_TRANSFER_BILL_WHY];

	for (size_t c = 0; c < tree->n_copies; c++)
		row(t, g->id, x->sites[tree->copies[c]].id, x->sites[tree->copies[c]].id, "its archived copy is read and written again in place", "0");
	for (size_t h = 0; h < tree->n_hops; h++) {
		const struct ebb_xfer_link *l = &x->links[tree->hops[h].link];

		row(t, g->id, x->sites[l->from].id, x->sites[l->to].id, ebb_transfer_bill_why(x, g, tree, &tree->hops[h], why),
		    ebb_xfer_gb_text(tree->hops[h].packed ? part.packed : part.gb, v));
	}
}

static int table(FILE *out, const struct ebb_xfer *x, const struct ebb_xfer_plan *p,
		 struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"group", false}, {"from", false}, {"to", false}, {"GB", true}, {"why", false},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < x->n_groups; i++) {
		if (p->trees[i].n_reads == 0)
			row(t, x->groups[i].id, "", "", "is there already", "0");
		for (const struct ebb_xfer_tree *part = &p->trees[i]; part; part = part->next)
			tree_rows(t, x, &x->groups[i], part);
	}
	int r = ebb_out_table_print(t, out, 0, err);
	if (r == 0)
		fputc('\n', out);
	return r;
}

static void verdict(FILE *out, const struct ebb_xfer *x, const struct ebb_xfer_plan *p)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX], t[EBB_XFER_TEXT];

	if (p->reason == EBB_XFER_BUDGET)
		fprintf(out, "infeasible: the budget is %s, %s %s %s\n", dollars(x->budget, a), "the plan above",
			p->minimum_exact ? "is the cheapest and costs" : "costs", dollars(p->bill.total, b));
	else if (p->status == EBB_XFER_INFEASIBLE && p->short_by)
		fprintf(out, "infeasible: before the deadline at least %s GB find no room\n", ebb_xfer_gb_text(p->short_by, t));
	else if (p->status == EBB_XFER_INFEASIBLE && !p->stuck)
		fprintf(out, "infeasible: groups that may not be split do not fit into the room before the deadline\n");
	else if (p->stuck)
		fprintf(out, "infeasible: group '%s' cannot be delivered (%s)\n", p->stuck->id,
			ebb_xfer_plan_reason(p->reason));
	else
		fprintf(out, "cost         %s, %s\n", dollars(p->bill.total, a),
			p->status == EBB_XFER_OPTIMAL ? "proven cheapest" : "feasible");
}

/* What must be thawed before it can be read. */
static void thawing(FILE *out, const struct ebb_transfer_bill *b)
{
	char gb[EBB_XFER_TEXT], n[EBB_XFER_TEXT], h[EBB_XFER_TEXT], a[EBB_OUT_TEXT_MAX];

	if (b->thaw_objects == 0 && b->thaw_gb == 0)
		return;
	fprintf(out, "thawing      %s objects, %s GB", ebb_xfer_gb_text(b->thaw_objects, n), ebb_xfer_gb_text(b->thaw_gb, gb));
	if (b->speed)
		fprintf(out, ", %s", b->speed);
	fprintf(out, ": up to %s hours before they can be read, %s of the cost\n", ebb_xfer_gb_text(b->thaw_hours, h), dollars(b->thaw_cost, a));
}

/* The rooms that bind, in the order of links. */
static void binding(FILE *out, const struct ebb_xfer *x, const struct ebb_xfer_plan *p)
{
	char a[EBB_OUT_TEXT_MAX];

	for (size_t i = 0; p->room_price && i < x->n_links * x->n_slots; i++) {
		const struct ebb_xfer_link *l = &x->links[i / x->n_slots];

		if (p->room_price[i])
			fprintf(out, "binding      %s to %s%s%s: 1 TB more before the deadline is worth %s\n", x->sites[l->from].id,
				x->sites[l->to].id, x->timed ? ", slot " : "", x->slots[i % x->n_slots].id,
				dollars((ebb_xfer_num)p->room_price[i] * EBB_XFER_ONE * 1000, a));
	}
}

static void remedies(FILE *out, const struct ebb_xfer_relax *relax)
{
	char a[EBB_OUT_TEXT_MAX];

	for (int i = 0; i < EBB_XFER_RELAXATIONS; i++)
		if (relax->helps[i])
			fprintf(out, "without the %s it costs %s%s\n", ebb_xfer_relax_name((enum ebb_xfer_relaxation)i),
				dollars(relax->cost[i], a), i == relax->cheapest ? ", the cheapest way out" : "");
	if (relax->cheapest < 0)
		fputs("no single constraint given up would help\n", out);
}

int ebb_transfer_out_text(FILE *out, const struct ebb_xfer *x, const struct ebb_xfer_plan *p,
			  const struct ebb_transfer_bill *b, const struct ebb_xfer_relax *relax, struct ebb_err *err)
{
	char a[EBB_OUT_TEXT_MAX];
	int r = p->trees ? table(out, x, p, err) : 0;

	if (r < 0)
		return r;
	verdict(out, x, p);
	if (p->trees) {
		ebb_xfer_num gap = p->bill.total - p->lower_bound;

		fprintf(out, "lower bound  %s, gap ", dollars(p->lower_bound, a));
		share(out, gap, p->bill.total);
		fprintf(out, "\nmethod       %s\n", p->method);
		saving(out, "direct from first replica   ", p->direct_first, p->bill.total);
		saving(out, "direct from cheapest replica", p->direct_cheapest, p->bill.total);
		thawing(out, b);
		binding(out, x, p);
	}
	if (relax)
		remedies(out, relax);
	return ebb_out_flush(out, err);
}
