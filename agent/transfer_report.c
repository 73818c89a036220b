/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/transfer_report.h"

#include <stdarg.h>
#include <string.h>

#include "agent/out.h"

#define MAX_MOVES 1000	/* rows of hops; the rest is counted */
#define WHOLE 256

struct page {
	FILE *out;
	bool html;
	const struct ebb_xfer *x;
	const struct ebb_xfer_plan *p;
	const struct ebb_transfer_bill *b;
};

/* --- A page in two languages --- */

static void text(const struct page *g, const char *s)
{
	for (; *s; s++) {
		if (g->html && strchr("<>&\"", *s))
			fprintf(g->out, "&#%d;", *s);
		else if (!g->html && strchr("|*_`<\\", *s))
			fprintf(g->out, "\\%c", *s);
		else if ((unsigned char)*s >= ' ')
			fputc(*s, g->out);
	}
}

static void heading(const struct page *g, int level, const char *s)
{
	if (g->html)
		fprintf(g->out, "<h%d>", level);
	else
		fprintf(g->out, "\n%.*s ", level, "###");
	text(g, s);
	fprintf(g->out, g->html ? "</h%d>\n" : "\n\n", level);
}

static void __attribute__((format(printf, 2, 3))) para(const struct page *g, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fputs(g->html ? "<p>" : "", g->out);
	text(g, line);
	fputs(g->html ? "</p>\n" : "\n\n", g->out);
}

/* A row of a table; the first one, @head, begins it. Amounts stand to the right. */
static void cells(const struct page *g, bool head, size_t n, const char *const *cell)
{
	fputs(!g->html ? "|" : head ? "<div><table><tr>" : "<tr>", g->out);
	for (size_t i = 0; i < n; i++) {
		bool amount = *cell[i] && strspn(cell[i], "-0123456789.,") == strlen(cell[i]);

		fputs(!g->html ? " " : head ? "<th>" : amount ? "<td class=\"n\">" : "<td>", g->out);
		text(g, cell[i]);
		fputs(!g->html ? " |" : head ? "</th>" : "</td>", g->out);
	}
	fputs(g->html ? "</tr>\n" : "\n", g->out);
	for (size_t i = 0; !g->html && head && i < n; i++)
		fputs(i == 0 ? "|---|" : "---|", g->out);
	fputs(!g->html && head ? "\n" : "", g->out);
}

#define CELLS(g, head, ...)                                                                                    \
	cells(g, head, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), (const char *const[]){__VA_ARGS__})

static void end_table(const struct page *g)
{
	fputs(g->html ? "</table></div>\n" : "\n", g->out);
}

/* Dollars, to the cent; below one cent exactly. */
static const char *usd(ebb_xfer_num v, char out[EBB_XFER_TEXT])
{
	ebb_xfer_num cent = (ebb_xfer_num)EBB_XFER_ONE * (EBB_XFER_ONE / 100), size = v < 0 ? -v : v;
	ebb_xfer_num cents = (size + cent / 2) / cent;

	if (size < cent || cents / 100 > INT64_MAX)
		return ebb_xfer_cost_text(v, out);
	char whole[32];
	int digits = snprintf(whole, sizeof(whole), "%lld", (long long)(cents / 100)), n = v < 0 ? snprintf(out, EBB_XFER_TEXT, "-") : 0;
	for (int i = 0; i < digits; i++)
		n += snprintf(out + n, EBB_XFER_TEXT - (size_t)n, "%s%c", i && (digits - i) % 3 == 0 ? "," : "", whole[i]);
	snprintf(out + n, EBB_XFER_TEXT - (size_t)n, ".%02d", (int)(cents % 100));
	return out;
}

/* --- Sections --- */

static void verdict(const struct page *g, const struct ebb_xfer_relax *relax)
{
	const struct ebb_xfer_plan *p = g->p;
	char a[EBB_XFER_TEXT], b[EBB_XFER_TEXT];

	if (p->status != EBB_XFER_INFEASIBLE)
		para(g, "The plan costs %s USD%s. Nothing has been moved.", usd(p->bill.total, a),
		     p->status == EBB_XFER_OPTIMAL ? ", and no other way costs less" : "");
	else if (p->reason == EBB_XFER_BUDGET)
		para(g, "The budget of %s USD does not suffice: the plan below costs %s USD.", usd(g->x->budget, a),
		     usd(p->bill.total, b));
	else if (p->stuck)
		para(g, "There is no plan: group %s cannot be delivered (%s).", p->stuck->id, ebb_xfer_plan_reason(p->reason));
	else if (p->short_by)
		para(g, "There is no plan: before the deadline at least %s GB find no room.", ebb_xfer_gb_text(p->short_by, a));
	else
		para(g, "There is no plan: what may not be split does not fit into the room before the deadline.");
	for (int i = 0; relax && i < EBB_XFER_RELAXATIONS; i++)
		if (relax->helps[i])
			para(g, "Without the %s it costs %s USD%s.", ebb_xfer_relax_name((enum ebb_xfer_relaxation)i),
			     usd(relax->cost[i], a), i == relax->cheapest ? ": the cheapest way out" : "");
}

/* "12.50 (7 %)"; in @text. */
static const char *percent(char text[EBB_XFER_TEXT], ebb_xfer_num part, ebb_xfer_num whole)
{
	size_t n = strlen(text);

	if (whole >= 100)
		snprintf(text + n, EBB_XFER_TEXT - n, " (%d %%)", (int)(part / (whole / 100)));
	return text;
}

static void compared(const struct page *g, const char *what, ebb_xfer_num direct)
{
	char a[EBB_XFER_TEXT], b[EBB_XFER_TEXT];

	if (direct < 0) {
		CELLS(g, false, what, "not possible", "");
	} else {
		usd(direct - g->p->bill.total, b);
		CELLS(g, false, what, usd(direct, a), percent(b, direct - g->p->bill.total, direct));
	}
}

static void summary(const struct page *g)
{
	const struct ebb_xfer_plan *p = g->p;
	const struct ebb_xfer_bill *b = &p->bill;
	const struct {
		const char *what;
		ebb_xfer_num cost;
	} parts[] = {
		{"links", b->links}, {"pools", b->pools}, {"requests", b->requests}, {"relays", b->relays},
		{"retrieval", b->retrieval}, {"compressing", b->codec}, {"further copies", b->copies}, {"early deletion", b->fixed},
	};
	char t[EBB_XFER_TEXT], gb[EBB_XFER_TEXT], h[EBB_XFER_TEXT], c[EBB_XFER_TEXT];

	heading(g, 2, "What it costs");
	CELLS(g, true, "", "USD", "the plan saves");
	CELLS(g, false, "the plan", usd(b->total, t), "");
	CELLS(g, false, "no plan costs less than", usd(p->lower_bound, t), "");
	CELLS(g, false, "the gap, at most", usd(b->total - p->lower_bound, t), "");
	compared(g, "straight from the first replica", p->direct_first);
	compared(g, "straight from the cheapest replica", p->direct_cheapest);
	end_table(g);
	if (g->b->thaw_objects || g->b->thaw_gb)
		para(g, "%s objects (%s GB) sleep in archives and are thawed first%s%s: up to %s hours until they can be read, %s USD of the cost.",
		     ebb_xfer_gb_text(g->b->thaw_objects, t), ebb_xfer_gb_text(g->b->thaw_gb, gb), g->b->speed ? ", at the speed " : "",
		     g->b->speed ? g->b->speed : "", ebb_xfer_gb_text(g->b->thaw_hours, h), usd(g->b->thaw_cost, c));
	para(g, "Found by: %s. Recomputed by an independent verifier.", p->method);
	CELLS(g, true, "part", "USD");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].cost)
			CELLS(g, false, parts[i].what, usd(parts[i].cost, t));
	end_table(g);
}

static void payers(const struct page *g)
{
	const struct ebb_xfer *x = g->x;
	char v[EBB_XFER_TEXT], c[EBB_XFER_TEXT], n[EBB_XFER_TEXT];

	heading(g, 2, "Who is paid for which link");
	bool more = false;
	for (size_t i = 0; i < x->n_links; i++)
		more |= g->b->link_gb[i] && (x->links[i].pool != EBB_XFER_NONE || (x->links[i].note && x->links[i].note[0]));
	const char *const head[] = {"paid to", "from", "to", "GB", "USD", "pool", "condition"};
	cells(g, true, more ? 7 : 5, head);
	for (size_t i = 0; i < x->n_links; i++) {
		const struct ebb_xfer_link *l = &x->links[i];
		const char *const row[] = {
			ebb_transfer_bill_payer(x, l->from), x->sites[l->from].id, x->sites[l->to].id, ebb_xfer_gb_text(g->b->link_gb[i], v),
			usd(g->b->link_cost[i], c), l->pool == EBB_XFER_NONE ? "" : x->pools[l->pool].id, l->note ? l->note : "",
		};

		if (g->b->link_gb[i])
			cells(g, false, more ? 7 : 5, row);
	}
	end_table(g);
	if (x->n_pools == 0)
		return;
	CELLS(g, true, "pool", "GB", "USD", "the next GB", "condition");
	for (size_t i = 0; i < x->n_pools; i++)
		CELLS(g, false, x->pools[i].id, ebb_xfer_gb_text(g->b->pool_gb[i], v), usd(g->b->pool_cost[i], c),
		      usd(ebb_xfer_pool_charge(&x->pools[i], g->b->pool_gb[i] + EBB_XFER_ONE) - g->b->pool_cost[i], n),
		      x->pools[i].note ? x->pools[i].note : "");
	end_table(g);
}

static void binding(const struct page *g)
{
	const struct ebb_xfer *x = g->x;
	char v[EBB_XFER_TEXT], c[EBB_XFER_TEXT];
	bool any = false;

	for (size_t i = 0; g->p->room_price && i < x->n_links * x->n_slots; i++) {
		const struct ebb_xfer_link *l = &x->links[i / x->n_slots];

		if (g->p->room_price[i] == 0)
			continue;
		if (!any) {
			heading(g, 2, "What binds");
			CELLS(g, true, "from", "to", "slot", "room, GB", "a TB more is worth, USD");
		}
		any = true;
		CELLS(g, false, x->sites[l->from].id, x->sites[l->to].id, x->slots[i % x->n_slots].id,
		      ebb_xfer_gb_text(l->capacity[i % x->n_slots], v), usd((ebb_xfer_num)g->p->room_price[i] * EBB_XFER_ONE * 1000, c));
	}
	if (any)
		end_table(g);
}

static void moves(const struct page *g)
{
	const struct ebb_xfer *x = g->x;
	char why[EBB_TRANSFER_BILL_WHY], v[EBB_XFER_TEXT];
	size_t n = 0;

	heading(g, 2, "Every move, and why");
	CELLS(g, true, "group", "from", "to", "GB", "why");
	for (size_t i = 0; i < x->n_groups; i++)
		for (const struct ebb_xfer_tree *t = &g->p->trees[i]; t; t = t->next) {
			const struct ebb_xfer_group part = ebb_xfer_part(&x->groups[i], t);

			for (size_t h = 0; h < t->n_hops; h++) {
				const struct ebb_xfer_link *l = &x->links[t->hops[h].link];

				if (n++ < MAX_MOVES)
					CELLS(g, false, x->groups[i].id, x->sites[l->from].id, x->sites[l->to].id,
					      ebb_xfer_gb_text(t->hops[h].packed ? part.packed : part.gb, v),
					      ebb_transfer_bill_why(x, &x->groups[i], t, &t->hops[h], why));
			}
			for (size_t c = 0; c < t->n_copies && n++ < MAX_MOVES; c++)
				CELLS(g, false, x->groups[i].id, x->sites[t->copies[c]].id, x->sites[t->copies[c]].id, "0",
				      "its archived copy is read and written again in place");
		}
	end_table(g);
	if (n > MAX_MOVES)
		para(g, "And %zu more.", n - MAX_MOVES);
}

int ebb_transfer_report(FILE *out, bool html, const struct ebb_xfer *x, const struct ebb_xfer_plan *p,
			const struct ebb_transfer_bill *b, const struct ebb_xfer_relax *relax, struct ebb_err *err)
{
	const struct page g = {out, html, x, p, b};
	char title[WHOLE];

	snprintf(title, sizeof(title), "Transfer plan: %.200s", x->title && x->title[0] ? x->title : x->id);
	if (html) {
		fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		      "<meta name=\"viewport\" content=\"width=device-width\"><title>", out);
		text(&g, title);
		fputs("</title>\n<style>body{font-family:sans-serif;max-width:75em;margin:1em auto;padding:0 1em}h1{font-size:1.5em}h2{font-size:1.15em}"
		      "div{overflow-x:auto}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:left}"
		      "td.n{text-align:right;white-space:nowrap}div{margin:.8em 0}</style></head><body>\n", out);
	}
	heading(&g, 1, title);
	verdict(&g, relax);
	if (p->trees) {
		summary(&g);
		payers(&g);
		binding(&g);
		moves(&g);
	}
	fputs(html ? "</body></html>\n" : "", out);
	return ebb_out_flush(out, err);
}
