/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/page_approval.h"

#include <string.h>

#include "agent/html.h"
#include "agent/out.h"
#include "agent/page_dims.h"
#include "agent/page_money.h"
#include "core/date.h"
#include "core/units.h"

static const char *const titles[] = {"plan review", "cleanup, for approval", "migration, dry run"};

static const char *money(const struct ebb_report *r, int64_t nano, char buf[EBB_OUT_TEXT_MAX])
{
	struct ebb_money m = {.nano = nano};
	const char *currency = ebb_planfile_head(r->plan)->currency;

	memcpy(m.currency, currency, strnlen(currency, 3));
	return *m.currency ? ebb_out_money(&m, buf) : "not priced";
}

/* --- The page --- */

static void cards(const struct ebb_report *r, const struct ebb_approval *a)
{
	FILE *f = r->app->out;
	char b[3][EBB_OUT_TEXT_MAX], text[200];
	int64_t days = ebb_planrow_payback(a->unpriced == 0, a->once, a->saving);

	ebb_html_cards(f);
	snprintf(text, sizeof(text), "%s", ebb_out_things((uint64_t)a->objects, "object", b[0]));
	ebb_html_card(f, "it is about", ebb_out_bytes((uint64_t)a->bytes, b[1]), text);
	ebb_html_card(f, "it costs once", money(r, a->once, b[0]), a->unpriced ? "some of it has no price" : NULL);
	snprintf(text, sizeof(text), "a month; paid back %s", days < 0 ? "never, or not known" : days == 0 ? "at once" : "");
	if (days > 0)
		snprintf(text, sizeof(text), "a month; paid back in %lld day%s", (long long)days, days == 1 ? "" : "s");
	ebb_html_card(f, "it saves", money(r, a->saving, b[1]), text);
	snprintf(text, sizeof(text), "can come back for %lld days", (long long)(a->trash_least / EBB_DATE_DAY_NS));
	if (a->trashed)
		ebb_html_card(f, "into the trash", ebb_out_bytes((uint64_t)a->trashed_bytes, b[2]), text);
	if (a->purged)
		ebb_html_card(f, "gone for good", ebb_out_bytes((uint64_t)a->purged_bytes, b[2]), "no undo, as the rule says");
	ebb_html_cards_end(f);
}

/* "lake, STANDARD (IE)": a place as people ask for it. */
static void place(const struct ebb_report *r, const char *store, const char *class, char *out, size_t size)
{
	const struct ebb_config_store *cs = r->app->config ? ebb_config_store(r->app->config, store) : NULL;
	const char *c = *class ? class : cs && cs->class ? cs->class : "";

	snprintf(out, size, "%s%s%s%s%s%s", *store ? store : "-", *c ? ", " : "", c, cs && cs->jurisdiction ? " (" : "",
		 cs && cs->jurisdiction ? cs->jurisdiction : "", cs && cs->jurisdiction ? ")" : "");
}

static void flows(const struct ebb_report *r, const struct ebb_approval *a)
{
	static const char *const heads[] = {"does", "from", "to", "objects", "data", "read", "once", "saves a month"};
	FILE *f = r->app->out;

	ebb_html_section(f, "What goes where", 1);
	ebb_html_table(f, "lllRrRRr", heads);
	for (size_t i = 0; i < a->nflows; i++) {
		const struct ebb_approval_flow *x = &a->flow[i];
		char from[160], to[160] = "away", b[5][EBB_OUT_TEXT_MAX];

		place(r, x->from, x->from_class, from, sizeof(from));
		if (*x->to)
			place(r, x->to, x->to_class, to, sizeof(to));
		const char *const cells[] = {
			ebb_action_kind(x->action)->name, from, to, ebb_out_count((uint64_t)x->objects, b[0]),
			ebb_out_bytes((uint64_t)x->bytes, b[1]), x->wire ? ebb_out_bytes((uint64_t)x->wire, b[2]) : "",
			x->unpriced == x->objects ? "not priced" : money(r, x->once, b[3]),
			x->unpriced == x->objects ? "" : money(r, x->saving, b[4]),
		};
		ebb_html_row(f, "lllRrRRr", cells);
	}
	ebb_html_table_end(f);
	if (a->others) {
		char text[200], b[EBB_OUT_TEXT_MAX];

		snprintf(text, sizeof(text), "The plan has %s besides that this page is not about.",
			 ebb_out_things((uint64_t)a->others, "action", b));
		ebb_html_para(f, "note", text);
	}
	ebb_html_section_end(f);
}

static void rules(const struct ebb_report *r, enum ebb_approval_kind kind)
{
	static const char *const heads[] = {"rule", "does", "objects", "data", "left alone", "why, mostly"};
	const struct ebb_planhead *h = ebb_planfile_head(r->plan);
	FILE *f = r->app->out;

	ebb_html_section(f, "By rule", 1);
	ebb_html_table(f, "lLrRrL", heads);
	for (size_t i = 0; i < h->nrules; i++) {
		const struct ebb_planhead_rule *x = &h->rules[i];
		int64_t left = 0, most = 0;
		const char *why = "";
		const struct ebb_action_kind *action = ebb_action_by_name(x->action);
		char b[3][EBB_OUT_TEXT_MAX];

		if (action && !ebb_approval_is(kind, action->id))
			continue;
		for (int k = 0; k < EBB_REFUSE_COUNT; k++) {
			left += x->refused[k].objects;
			if (x->refused[k].objects > most) {
				most = x->refused[k].objects;
				why = ebb_decide_refusal_text((enum ebb_decide_refusal)k);
			}
		}
		const char *const cells[] = {x->rule, x->action, ebb_out_count((uint64_t)x->sum.objects, b[0]),
					     ebb_out_bytes((uint64_t)x->sum.bytes, b[1]),
					     left ? ebb_out_count((uint64_t)left, b[2]) : "", why};
		ebb_html_row(f, "lLrRrL", cells);
	}
	ebb_html_table_end(f);
	ebb_html_section_end(f);
}

static void largest(const struct ebb_report *r, const struct ebb_approval *a)
{
	static const char *const heads[] = {"object", "does", "size", "why"};
	FILE *f = r->app->out;

	ebb_html_section(f, "The largest", 1);
	ebb_html_table(f, "lLrL", heads);
	for (size_t i = 0; i < a->ntop; i++) {
		const struct ebb_approval_object *o = &a->top[i];
		char b[EBB_OUT_TEXT_MAX];

		fputs("<tr><td class=\"key\">", f);
		ebb_html_text(f, o->store);
		fputs(":", f);
		ebb_html_text(f, o->key);
		fprintf(f, "</td><td class=\"wide\">%s</td><td class=\"num\">%s</td><td class=\"wide\">", ebb_action_kind(o->action)->name,
			ebb_out_bytes((uint64_t)o->size, b));
		ebb_html_text(f, o->why);
		fputs("</td></tr>\n", f);
	}
	ebb_html_table_end(f);
	ebb_html_section_end(f);
}

static void safety(const struct ebb_report *r, const struct ebb_approval *a)
{
	const struct ebb_planhead_limits *l = &ebb_planfile_head(r->plan)->limits;
	FILE *f = r->app->out;
	char text[400], b[EBB_UNITS_TEXT];

	ebb_html_section(f, "What holds while it runs", 0);
	fputs("<ul>", f);
	fputs("<li>Every object is looked at again first; what changed since the plan is skipped and named.</li>"
	      "<li>Copies are read back and compared before an original goes.</li>", f);
	if (a->trashed) {
		snprintf(text, sizeof(text), "<li>What is deleted waits in the trash for %lld to %lld days; ebb undo brings it back.</li>",
			 (long long)(a->trash_least / EBB_DATE_DAY_NS), (long long)(a->trash_most / EBB_DATE_DAY_NS));
		fputs(text, f);
	}
	if (l->max_delete_ppm >= 0)
		fprintf(f, "<li>At most %s of a store's objects are deleted.</li>", ebb_units_exact_percent(l->max_delete_ppm, b));
	if (l->window) {
		fputs("<li>Only within ", f);
		ebb_html_text(f, l->window);
		fputs(".</li>", f);
	}
	fputs("</ul>\n", f);
	ebb_html_section_end(f);
}

static void sign(const struct ebb_report *r)
{
	FILE *f = r->app->out;

	ebb_html_section(f, "Approval", 0);
	fputs("<p>This page is about the plan with this id, and no other; ebb apply does exactly what it says.</p>\n<p class=\"key\">", f);
	ebb_html_text(f, ebb_planfile_id(r->plan));
	fputs("</p>\n<p class=\"sign\">approved by</p><p class=\"sign\">on</p>\n", f);
	ebb_html_section_end(f);
}

/* Whose the objects are: the report's own sections, drawn of these objects alone. */
static int whose(const struct ebb_report *r, const struct ebb_approval *a, struct ebb_err *err)
{
	struct ebb_report part = *r;
	int rc;

	part.money.alloc = a->alloc;
	part.total = a->total;
	part.live = false;
	if (part.total.unpriced == part.total.bytes)
		*part.total.cost.currency = 0;
	rc = ebb_page_dims_all(&part, err);
	if (rc == 0)
		rc = ebb_page_dims_one(&part, EBB_ALLOC_FOLDER, "By folder", err);
	return rc ? rc : ebb_page_dims_one(&part, EBB_ALLOC_AGE, "By time since last change", err);
}

int ebb_page_approval_html(const struct ebb_report *r, enum ebb_approval_kind kind, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_approval_release) struct ebb_approval a = {.ntop = 0};
	const struct ebb_planhead *h = ebb_planfile_head(r->plan);
	FILE *f = r->app->out;
	char title[80], sub[200], made[EBB_UNITS_TEXT];
	int rc = ebb_approval_collect(r->app, r->plan, kind, &a, err);

	if (rc < 0)
		return rc;
	snprintf(title, sizeof(title), "ebb: %s", titles[kind]);
	ebb_units_exact_time(h->now, made);
	snprintf(sub, sizeof(sub), "Plan %.12s of %.10s %.5s UTC. Nothing of it is done before it is applied.", ebb_planfile_id(r->plan),
		 made, made + 11);
	ebb_html_begin(f, title, sub);
	if (r->live)
		fputs("<p class=\"sub\"><a href=\"/\">report</a> · <a href=\"/plan.json\">JSON</a></p>\n", f);
	cards(r, &a);
	fputs("<div class=\"grid\">\n", f);
	if (a.objects) {
		flows(r, &a);
		rules(r, kind);
		largest(r, &a);
		rc = whose(r, &a, err);
	} else {
		ebb_html_section(f, "Nothing to do", 1);
		ebb_html_para(f, NULL, "The plan has no action of this kind.");
		ebb_html_section_end(f);
	}
	safety(r, &a);
	if (!r->live)
		sign(r);
	fputs("</div>\n", f);
	ebb_html_end(f, "Amounts are those of the plan; what objects cost now is from list prices and the last scans.");
	return rc < 0 ? rc : ebb_out_flush(f, err);
}

/* --- For programs --- */

int ebb_page_approval_json(const struct ebb_report *r, enum ebb_approval_kind kind, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_approval_release) struct ebb_approval a = {.ntop = 0};
	int rc = ebb_approval_collect(r->app, r->plan, kind, &a, err);
	json_t *flow = json_array(), *top = json_array(), *o;

	if (rc < 0) {
		json_decref(flow);
		json_decref(top);
		return rc;
	}
	for (size_t i = 0; i < a.nflows; i++) {
		const struct ebb_approval_flow *x = &a.flow[i];

		json_array_append_new(
			flow, json_pack("{ss ss ss* ss* ss* sI sI sI sI sI}", "action", ebb_action_kind(x->action)->name, "from", x->from,
					"to", *x->to ? x->to : NULL, "from_class", *x->from_class ? x->from_class : NULL, "to_class",
					*x->to_class ? x->to_class : NULL, "objects", (json_int_t)x->objects, "bytes", (json_int_t)x->bytes,
					"wire_bytes", (json_int_t)x->wire, "once_nano", (json_int_t)x->once, "saving_month_nano",
					(json_int_t)x->saving));
	}
	for (size_t i = 0; i < a.ntop; i++) {
		json_t *x = json_pack("{ss ss sI}", "store", a.top[i].store, "action", ebb_action_kind(a.top[i].action)->name, "size",
				      (json_int_t)a.top[i].size);

		ebb_out_json_key(x, a.top[i].key, strlen(a.top[i].key));
		json_array_append_new(top, x);
	}
	o = json_pack("{ss ss sI sI sI sI sI sI sI so so}", "plan", ebb_planfile_id(r->plan), "currency",
		      ebb_planfile_head(r->plan)->currency, "objects", (json_int_t)a.objects, "bytes", (json_int_t)a.bytes, "once_nano",
		      (json_int_t)a.once, "saving_month_nano", (json_int_t)a.saving, "other_actions", (json_int_t)a.others, "trashed",
		      (json_int_t)a.trashed, "purged", (json_int_t)a.purged, "flows", flow, "largest", top);
	return ebb_out_json(r->app->out, o, err);
}
