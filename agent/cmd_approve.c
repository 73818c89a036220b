/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb approve: plans that wait for a yes. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/audit.h"
#include "agent/cli.h"
#include "agent/cmd_show.h"
#include "agent/out.h"
#include "agent/pending.h"
#include "core/units.h"
#include "core/utf8.h"

/* --- Showing --- */

static int list_json(struct ebb_app *app, const struct ebb_pendings *all, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < all->n; i++) {
		const struct ebb_pending *p = &all->v[i];
		bool yes = p->state == EBB_PENDING_APPROVED;
		json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "plan", p->plan, "file", p->path, "state",
				      yes ? "approved" : "waiting", "above", p->above);
		int bad = ebb_out_json_time(o, "made", p->made);

		if (yes)
			bad |= json_object_set_new(o, "by", json_string(p->by)) |
			       json_object_set_new(o, "reason", json_string(p->reason)) |
			       ebb_out_json_time(o, "decided", p->decided);
		if (bad) {
			json_decref(o);
			o = NULL;
		}
		r = ebb_out_json(app->out, o, err);
	}
	return r;
}

static int list_text(struct ebb_app *app, const struct ebb_pendings *all, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {{"plan", false}, {"made", false}, {"state", false}, {"because it", false}};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	int64_t now = ebb_app_now(app);
	char a[EBB_OUT_TEXT_MAX];

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (all->n == 0)
		fputs("no plan waits for approval\n", app->out);
	for (size_t i = 0; i < all->n; i++) {
		const struct ebb_pending *p = &all->v[i];

		ebb_out_cell(t, "%.12s", p->plan);
		ebb_out_cell(t, "%s", ebb_out_ago(p->made, now, a));
		if (p->state == EBB_PENDING_APPROVED)
			ebb_out_cell(t, "approved by %s", p->by);
		else
			ebb_out_cell(t, "waits");
		ebb_out_cell(t, "%s", p->above);
	}
	return all->n ? ebb_out_table_print(t, app->out, 0, err) : 0;
}

/* --- Deciding --- */

/* Who decides: the option, or the name of the user. */
static const char *name_of(const struct ebb_cli_args *args)
{
	const char *name = ebb_cli_string(args, "name");
	const struct passwd *pw = name ? NULL : getpwuid(getuid());

	return name ? name : pw ? pw->pw_name : "unknown";
}

static int decide(struct ebb_app *app, struct ebb_pending *p, const struct ebb_cli_args *args, struct ebb_err *err)
{
	bool no = ebb_cli_flag(args, "reject");
	const char *name = name_of(args), *reason = ebb_cli_string(args, "reason");
	const struct ebb_audit_fact facts[] = {{"by", name}, {"reason", reason ? reason : ""}, {"above", p->above}};
	const struct ebb_audit_event e = {
		.time = ebb_app_now(app), .command = "ebb approve", .event = no ? "reject" : "approve", .plan = p->plan,
		.facts = facts, .nfacts = EBB_ARRAY_LEN(facts),
	};
	int r;

	if (strlen(name) >= sizeof(p->by) || (reason && strlen(reason) >= sizeof(p->reason)) ||
	    !ebb_utf8_valid(name, strlen(name)) || (reason && !ebb_utf8_valid(reason, strlen(reason))))
		return ebb_err_set(err, EBB_EUSAGE, "the name or the reason is too long, or not UTF-8");
	if (no && !reason)
		return ebb_err_set(err, EBB_EUSAGE, "say why it is rejected: --reason TEXT");
	/* the log first: what was decided must not be done without a trace */
	if ((r = ebb_audit_append(app->index_dir, &e, err)) < 0)
		return r;
	r = no ? ebb_pending_remove(app->index_dir, p, err)
	       : ebb_pending_approve(app->index_dir, p, name, reason ? reason : "", e.time, err);
	if (r < 0)
		return r;
	ebb_app_note(app, no ? "plan %.12s is rejected and gone; the same rules will ask again: change them, or a limit"
			     : "plan %.12s is approved: the next 'ebb run' does exactly this, within 7 days, unless the configuration or prices change",
		     p->plan);
	return 0;
}

/* The one whose id begins with @word. */
static int find(struct ebb_pendings *all, const char *word, struct ebb_pending **ret, struct ebb_err *err)
{
	*ret = NULL;
	for (size_t i = 0; i < all->n; i++) {
		if (strncmp(all->v[i].plan, word, strlen(word)) != 0)
			continue;
		if (*ret)
			return ebb_err_set(err, EBB_EUSAGE, "more than one plan that waits begins with '%s'", word);
		*ret = &all->v[i];
	}
	return *ret ? 0
		    : ebb_err_set(err, EBB_EUSAGE, "no plan '%s' waits; a newer one may have taken its place: 'ebb approve' lists them",
				  word);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_lock_releasep) struct ebb_lock *lock = NULL;
	EBB_CLEANUP(ebb_pending_free) struct ebb_pendings all = {0};
	bool deciding = ebb_cli_argc(args) && !ebb_cli_flag(args, "show");
	struct ebb_pending *p;
	int r = deciding ? ebb_app_lock(app, "ebb approve", &lock, err) : 0;

	if (r == 0)
		r = ebb_pending_list(app->index_dir, &all, err);
	if (r < 0)
		return r;
	if (!ebb_cli_argc(args)) {
		if (ebb_cli_flag(args, "reject") || ebb_cli_flag(args, "show"))
			return ebb_err_set(err, EBB_EUSAGE, "name the plan: 'ebb approve' lists them");
		return app->json ? list_json(app, &all, err) : list_text(app, &all, err);
	}
	if ((r = find(&all, ebb_cli_arg(args, 0), &p, err)) < 0)
		return r;
	return deciding ? decide(app, p, args, err) : ebb_cmd_show_plan(app, p->path, err);
}

static const struct ebb_cli_option options[] = {
	{"show", 0, EBB_CLI_FLAG, NULL, "show it as ebb-show does, decide nothing"},
	{"reject", 0, EBB_CLI_FLAG, NULL, "say no: the plan is gone"},
	{"name", 0, EBB_CLI_STRING, "NAME", "who decides (default: the user's name)"},
	{"reason", 0, EBB_CLI_STRING, "TEXT", "why; needed with --reject"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"plan, file", "string", "a line for each plan: its id, and where it is"},
	{"state", "string", "waiting or approved"},
	{"above", "string", "which limits it is above"},
	{"made", "string", "when"},
	{"by, reason, decided", "string", "of an approved one"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb approve", "which plans wait",
	"ebb approve 1f2e3d4c --show", "what one would do",
	"ebb approve 1f2e3d4c --reason 'ticket 4711'", "let the next run do exactly that",
	"ebb approve 1f2e3d4c --reject --reason 'still in use'", "say no",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_approve;
const struct ebb_cli_command ebb_cmd_approve = {
	.name = "approve",
	.summary = "list plans that wait for approval, approve or reject one",
	.usage = "[PLAN]",
	.description =
		"A plan of ebb-run above `limits: {approve_above: {cost: ..., bytes: ..., deletions: ...}}` waits in INDEX/pending.\n"
		"Without PLAN all are listed; with the first digits of one's id it is approved, and the next ebb-run does exactly that plan,\n"
		"before it scans, under all other limits.\n"
		"\n"
		"One plan waits at a time: the next night's takes the place of one that nobody has approved, and says so.\n"
		"An approval holds for 7 days, and only as long as the configuration and the prices are those of the plan.\n"
		"\n"
		"Who decided, why, and the plan's id are in the audit log (ebb-audit).\n"
		"A plan can be applied at once, too: `ebb apply FILE` asks no limit for approval.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = 1,
	.run = run,
};
