/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb simulate: what policies would have cost on a trace of reads; what a lifecycle configuration would on an index. */
#include <string.h>

#include "agent/app.h"
#include "agent/books.h"
#include "agent/cli.h"
#include "agent/out.h"
#include "agent/simulate_lifecycle.h"
#include "agent/trace.h"
#include "core/arena.h"
#include "core/buf.h"
#include "policies/sim.h"

/* The classes of a replay; objects begin in the first. */
static const char *const classes[] = {"STANDARD", "STANDARD_IA", "GLACIER_IR", "INTELLIGENT_TIERING"};

#define PROVIDER "aws"

enum { LIMIT = 10 };

static int load_book(struct ebb_arena *arena, struct ebb_price_books *books, const char *name,
		     struct ebb_err *err)
{
	char path[PATH_MAX];
	bool ships = !strchr(name, '/') && ebb_books_find(name, path);
	int r = ebb_books_add(arena, books, ships ? path : name, NULL, NULL, err);

	return r == -EBB_ENOENT ? ebb_err_set(err, EBB_ECONFIG, "price book '%s' is neither shipped nor a file", name)
				: r;
}

/* The tariff of @region from the books named, ours where none are. */
static int load_tariff(struct ebb_arena *arena, const struct ebb_cli_args *args, int64_t now,
		       struct ebb_tariff *t, struct ebb_err *err)
{
	struct ebb_price_books *books = ebb_price_books_new(arena, now);
	const char *region = ebb_cli_string(args, "region");
	const char *const *names;
	size_t n = ebb_cli_list(args, "prices", &names);
	int r = books ? load_book(arena, books, PROVIDER, err)
		      : ebb_err_set(err, EBB_ENOMEM, "no memory for price books");

	region = region ? region : "us-east-1";
	for (size_t i = 0; r == 0 && i < n; i++)
		r = load_book(arena, books, names[i], err);
	if (r < 0)
		return r;
	*t = (struct ebb_tariff){0};
	memcpy(t->currency, ebb_price_currency(books), sizeof("USD"));
	if (strcmp(t->currency, "USD") != 0)
		return ebb_err_set(err, EBB_ECONFIG, "the prices are in %s, not in USD", t->currency);
	for (size_t i = 0; r == 0 && i < EBB_ARRAY_LEN(classes); i++) {
		const struct ebb_price_class *c = ebb_price_find(books, PROVIDER, region, classes[i]);

		r = c ? ebb_tariff_add(t, c, err)
		      : ebb_err_set(err, EBB_ECONFIG, "class %s has no price in region '%s'", classes[i], region);
	}
	return r;
}

/* --- output --- */

static int print_json(FILE *out, const struct ebb_sim *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(4096);
	char text[EBB_MONEY_TEXT];
	struct ebb_money m;
	int r = ebb_buf_adds(&b, "{\"policies\":[");

	for (int p = 0; r == 0 && p < EBB_SIM_POLICIES; p++) {
		r = ebb_sim_cost(s, p, &m, err);
		if (r < 0)
			return r;
		m.currency[0] = '\0';
		r = ebb_buf_addf(&b, "%s{\"policy\":\"%s\",\"cost_usd\":%s}", p ? "," : "", ebb_sim_name(p),
				 ebb_money_format(m, text));
	}
	if (r < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for the result");
	fprintf(out, "%s]}\n", b.data);
	return 0;
}

static int print_table(FILE *out, const struct ebb_sim *s, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"policy", false}, {"cost", true}, {"of the optimum", true}, {"", false}};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *t = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	char text[EBB_MONEY_TEXT];
	struct ebb_money m, best;
	int r = ebb_sim_cost(s, EBB_SIM_CLAIRVOYANT, &best, err);

	if (!t)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for the table");
	for (int p = 0; r == 0 && p < EBB_SIM_POLICIES; p++) {
		r = ebb_sim_cost(s, p, &m, err);
		if (r < 0)
			return r;
		int64_t mille = best.nano > 0 ? (int64_t)(((__int128)m.nano * 1000 + best.nano / 2) / best.nano) : 1000;

		if (p == EBB_SIM_AUTO)
			ebb_out_rule(t);
		ebb_out_cell(t, "%s", ebb_sim_name(p));
		ebb_out_cell(t, "%s", ebb_money_human(m, text));
		ebb_out_cell(t, "%lld.%03lld", (long long)(mille / 1000), (long long)(mille % 1000));
		ebb_out_cell(t, "%s", ebb_sim_text(p));
	}
	return r < 0 ? r : ebb_out_table_print(t, out, 0, err);
}

/* --- a trace --- */

struct replay {
	struct ebb_app *app;
	struct ebb_sim *sim;
};

static int add_read(void *ctx, size_t object, int32_t day, int64_t bytes, struct ebb_err *err)
{
	struct replay *r = ctx;

	ebb_sim_read(r->sim, object, day, bytes);
	return ebb_app_cancelled(r->app, err);
}

static int simulate_trace(struct ebb_app *app, const struct ebb_cli_args *args, const char *reads,
			  const char *objects, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	EBB_CLEANUP(ebb_trace_release) struct ebb_trace trace = {0};
	EBB_CLEANUP(ebb_sim_freep) struct ebb_sim *sim = NULL;
	struct ebb_tariff tariff;

	ebb_arena_init(&arena, 0);
	int r = load_tariff(&arena, args, ebb_app_now(app), &tariff, err);
	if (r == 0)
		r = ebb_trace_objects(objects, &trace, err);
	if (r == 0)
		r = ebb_sim_new(&tariff, trace.objects, trace.n, &sim, err);
	if (r == 0)
		r = ebb_trace_reads(reads, &trace, add_read, &(struct replay){app, sim}, err);
	if (r < 0)
		return r;
	ebb_sim_end(sim);
	return app->json ? print_json(app->out, sim, err) : print_table(app->out, sim, err);
}

/* A file that is missing is an input that is wrong. */
static int as_input(int r, struct ebb_err *err)
{
	if (r == -EBB_ENOENT && err)
		err->code = EBB_ECONFIG;
	return r == -EBB_ENOENT ? -EBB_ECONFIG : r;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *reads = ebb_cli_string(args, "trace"), *objects = ebb_cli_string(args, "objects");
	const char *lifecycle = ebb_cli_string(args, "lifecycle");

	if (lifecycle && !reads && !objects)
		return as_input(ebb_simulate_lifecycle(app, lifecycle, ebb_cli_argc(args) ? ebb_cli_arg(args, 0) : NULL,
						       ebb_cli_number(args, "limit", LIMIT), err), err);
	if (lifecycle)
		return ebb_err_set(err, EBB_EUSAGE, "--lifecycle is simulated on the index, --trace without it");
	if (ebb_cli_argc(args))
		return ebb_err_set(err, EBB_EUSAGE, "'%s': a store belongs to --lifecycle", ebb_cli_arg(args, 0));
	if (!reads || !objects)
		return ebb_err_set(err, EBB_EUSAGE, "simulate needs --trace READS.csv and --objects OBJECTS.csv, or --lifecycle FILE.json");
	return as_input(simulate_trace(app, args, reads, objects, err), err);
}

static const struct ebb_cli_option options[] = {
	{"trace", 0, EBB_CLI_STRING, "FILE", "replay these reads: CSV with date, object, bytes_read"},
	{"objects", 0, EBB_CLI_STRING, "FILE", "of these objects: CSV with object, size_bytes, created"},
	{"prices", 0, EBB_CLI_LIST, "BOOK", "a price book that wins over the one that ships; may be given again"},
	{"region", 0, EBB_CLI_STRING, "REGION", "whose prices to take (default: us-east-1)"},
	{"lifecycle", 0, EBB_CLI_STRING, "FILE", "price this lifecycle configuration (JSON as S3 has it) on the index of a store"},
	{"limit", 'l', EBB_CLI_COUNT, "N", "objects that lose money named (default: 10, with --json all)"},
	{0},
};

static const struct ebb_cli_field json[] = {
	{"policies", "array", "one object per policy"},
	{"policy", "string",
	 "standard, standard_ia, glacier_ir, age, idle, idle_sticky, intelligent_tiering, auto, clairvoyant"},
	{"cost_usd", "number", "what the trace would have cost under it, exactly"},
	{"loses", "string", "with --lifecycle, a line for each object that would lose money: the rule's ID; store, path, to_class"},
	{"store, currency, total, rules, not_modelled", "various",
	 "with --lifecycle, the last line; rules have id, moves, expires, aborts, losing, later, skipped_small, unpriced"},
	{"one_off_nano, month_before_nano, month_after_nano, payback_days", "number", "of total and of what rules do; null: never"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb simulate --trace reads.csv --objects objects.csv", "compare what lifecycle rules and auto would have cost",
	"ebb simulate --trace reads.csv --objects objects.csv --region eu-central-1 --json", "the same elsewhere, for programs",
	"ebb simulate --lifecycle lifecycle.json lake", "what a bucket's own lifecycle rules would cost and save now",
	NULL,
};

const struct ebb_cli_command ebb_cmd_simulate = {
	.name = "simulate",
	.summary = "compare what policies would have cost on a trace, or price a lifecycle configuration",
	.usage = "--trace READS.csv --objects OBJECTS.csv | --lifecycle FILE.json [STORE]",
	.description =
		"Replays what was read, day by day, and charges storage, retrieval, requests, monitoring and minimum\n"
		"durations to each of nine policies: everything in one class, moving by age, by idle time, Intelligent-Tiering,\n"
		"what 'tier: class: auto' would have done without seeing the future, and the optimum for who knows it.\n"
		"\n"
		"Every object begins in STANDARD on the day it was created and is kept until the last day of the trace.\n"
		"Reads of one object and day add up.\nA month has 30.4375 days.\n"
		"\n"
		"With --lifecycle, what the configuration would do now with each object of the index is priced: once, a month\n"
		"before and after, with reads where evidence has counted them, and what would lose money.\n"
		"Tags and noncurrent versions are not modelled, which is said.\n"
		"Nothing is moved.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = 1,
	.run = run,
};
