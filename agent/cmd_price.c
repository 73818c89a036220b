/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb price: list, show, check and compare price books; answer a single question. */
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/books.h"
#include "agent/cli.h"
#include "agent/price_out.h"
#include "agent/quote_out.h"
#include "core/mem.h"
#include "core/text.h"

/* Books of a configuration and of --prices together. */
#define BOOKS_MAX 256

struct price {
	struct ebb_app *app;
	const struct ebb_cli_args *args;
	struct ebb_arena arena;
	struct ebb_price_books *set;
	struct ebb_price_out_book books[BOOKS_MAX];
	size_t n;
};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory for prices");
}

/* --- Sets of books --- */

/* A book of ours by its name, or a path. */
static int locate(const char *word, char ret[PATH_MAX], struct ebb_err *err)
{
	if (!strchr(word, '/') && !strchr(word, '.') && ebb_books_find(word, ret))
		return 0;
	if (snprintf(ret, PATH_MAX, "%s", word) >= PATH_MAX)
		return ebb_err_set(err, EBB_EUSAGE, "'%s': the path is too long", word);
	return 0;
}

static int add(struct price *p, struct ebb_price_books *set, const char *word, struct ebb_err *err)
{
	struct ebb_tree_node *doc = NULL;
	char path[PATH_MAX];
	int r = locate(word, path, err);

	if (!r)
		r = ebb_books_add(&p->arena, set, path, NULL, &doc, err);
	if (r == -EBB_ENOENT && err)
		return ebb_err_set(err, EBB_ECONFIG, "there is no price book '%s'", word);
	if (r || p->n == BOOKS_MAX)
		return r;
	p->books[p->n].doc = doc;
	p->books[p->n].path = ebb_arena_strdup(&p->arena, path);
	return p->books[p->n++].path ? 0 : no_memory(err);
}

/* Ours, then those of the configuration, then those of --prices: the later wins. */
static int load(struct price *p, struct ebb_err *err)
{
	const char *const *more;
	const char **names = ebb_books_names(&p->arena);
	size_t n = ebb_cli_list(p->args, "prices", &more);
	int r = ebb_app_config_optional(p->app, err);

	p->set = ebb_price_books_new(&p->arena, ebb_app_now(p->app));
	if (!p->set || !names)
		return no_memory(err);
	for (; *names && !r; names++)
		r = add(p, p->set, *names, err);
	for (const char **path = p->app->config ? p->app->config->books : NULL; path && *path && !r;
	     path++)
		r = add(p, p->set, *path, err);
	for (size_t i = 0; i < n && !r; i++)
		r = add(p, p->set, more[i], err);
	return r;
}

/* --- list, show, check, diff --- */

static int list(struct price *p, struct ebb_err *err)
{
	int r = load(p, err);

	return r ? r : ebb_price_out_list(p->app, p->books, p->n, err);
}

static int show(struct price *p, struct ebb_err *err)
{
	struct ebb_price_out_filter f = {
		.provider = ebb_cli_string(p->args, "provider"),
		.region = ebb_cli_string(p->args, "region"),
		.class = ebb_cli_arg(p->args, 1),
	};
	int r = load(p, err);

	return r ? r : ebb_price_out_show(p->app, p->set, &f, err);
}

/* Each book by itself: it must be whole. */
static int check(struct price *p, struct ebb_err *err)
{
	int n = ebb_cli_argc(p->args);

	if (n < 2)
		return ebb_err_set(err, EBB_EUSAGE, "price check needs a BOOK: a file, or the name of one of ours");
	for (int i = 1; i < n; i++) {
		struct ebb_price_books *set =
			ebb_price_books_new(&p->arena, ebb_app_now(p->app));
		int r = set ? add(p, set, ebb_cli_arg(p->args, i), err) : no_memory(err);

		if (r)
			return r;
		ebb_app_note(p->app, "%s is fine: %zu classes, %s", p->books[p->n - 1].path,
			     ebb_price_count(set), ebb_price_currency(set));
	}
	return 0;
}

static int diff(struct price *p, struct ebb_err *err)
{
	struct ebb_price_books *sets[2];

	if (ebb_cli_argc(p->args) != 3)
		return ebb_err_set(err, EBB_EUSAGE, "price diff needs two BOOKS");
	for (int i = 0; i < 2; i++) {
		sets[i] = ebb_price_books_new(&p->arena, ebb_app_now(p->app));
		int r = sets[i] ? add(p, sets[i], ebb_cli_arg(p->args, i + 1), err) : no_memory(err);

		if (r)
			return r;
	}
	if (strcmp(ebb_price_currency(sets[0]), ebb_price_currency(sets[1])) != 0)
		return ebb_err_set(err, EBB_ECONFIG, "the books are in %s and %s",
				   ebb_price_currency(sets[0]), ebb_price_currency(sets[1]));
	return ebb_price_out_diff(p->app, sets[0], sets[1], err);
}

/* --- quote --- */

/* The provider that a word means: itself, or that of the book of this name ("gcs" is of gcp). */
static const char *provider_of(const struct price *p, const char *word)
{
	for (size_t i = 0; word && i < p->n; i++) {
		const struct ebb_tree_node *name = ebb_tree_get(p->books[i].doc, "name");
		const struct ebb_tree_node *provider = ebb_tree_get(p->books[i].doc, "provider");

		if (name && name->text && strcmp(name->text, word) == 0)
			return provider && provider->text ? provider->text : "";
	}
	return word;
}

/* What is wrong with a class that was not found: "aws us-east-1 has no class 'X'; did you mean ..." */
static int unknown_class(const struct price *p, const char *provider, const char *region,
			 const char *class, struct ebb_err *err)
{
	const char *classes[64], *regions[256];
	size_t nc = 0, nr = 0;
	char hint[512], quoted[EBB_TEXT_QUOTED];

	for (size_t i = 0; i < ebb_price_count(p->set); i++) {
		const struct ebb_price_class *c = ebb_price_get(p->set, i);

		if (strcmp(c->provider, provider) != 0 ||
		    !ebb_price_known(&c->item[EBB_PRICE_STORAGE]))
			continue;
		if (strcmp(c->region, region) == 0 || strcmp(c->region, "*") == 0) {
			if (nc < EBB_ARRAY_LEN(classes))
				classes[nc++] = c->name;
		} else if (nr < EBB_ARRAY_LEN(regions) &&
			   (!nr || strcmp(regions[nr - 1], c->region) != 0)) {
			regions[nr++] = c->region;
		}
	}
	if (nc)
		return ebb_err_set(err, EBB_ECONFIG, "unpriced: no book prices class '%s' of %s in '%s'%s",
				   ebb_text_quotes(class, quoted, sizeof(quoted)), provider, region,
				   ebb_text_suggest(class, classes, nc, hint, sizeof(hint)));
	if (nr)
		return ebb_err_set(err, EBB_ECONFIG, "unpriced: no book prices %s in region '%s'%s",
				   provider, ebb_text_quotes(region, quoted, sizeof(quoted)),
				   ebb_text_suggest(region, regions, nr, hint, sizeof(hint)));
	return ebb_err_set(err, EBB_ECONFIG, "unpriced: no book prices provider '%s'; 'ebb price list' shows the books",
			   ebb_text_quotes(provider, quoted, sizeof(quoted)));
}

struct place {
	const char *provider, *region;
};

/* Where the options say, or where they would by default. */
static struct place place_of(const struct price *p, const char *provider, const char *region,
			     struct place otherwise)
{
	struct place at = otherwise;
	const char *word = ebb_cli_string(p->args, provider);

	if (word) {
		at.provider = provider_of(p, word);
		if (strcmp(at.provider, otherwise.provider) != 0)
			at.region = strcmp(at.provider, "aws") == 0 ? "us-east-1" : "";
	}
	if (ebb_cli_string(p->args, region))
		at.region = ebb_cli_string(p->args, region);
	return at;
}

static int find_classes(const struct price *p, struct ebb_quote *q, struct ebb_err *err)
{
	const char *from = ebb_cli_string(p->args, "from"), *to = ebb_cli_string(p->args, "to");
	struct place here = place_of(p, "provider", "region", (struct place){"aws", "us-east-1"});
	struct place there = place_of(p, "to-provider", "to-region", here);

	from = from ? from : "STANDARD";
	q->from = ebb_price_find(p->set, here.provider, here.region, from);
	if (!q->from)
		return unknown_class(p, here.provider, here.region, from, err);
	if (!to || strcmp(to, "delete") == 0) {
		q->to = to ? NULL : q->from;
		return 0;
	}
	q->to = ebb_price_find(p->set, there.provider, there.region, to);
	if (!q->to)
		return unknown_class(p, there.provider, there.region, to, err);
	if (strcmp(here.provider, there.provider) == 0 && strcmp(here.region, there.region) == 0)
		return 0;
	q->egress = ebb_price_egress(p->set, here.provider, here.region, there.provider, there.region);
	if (q->egress)
		return 0;
	return ebb_err_set(err, EBB_ECONFIG, "unpriced: no book knows what bytes cost from %s '%s' to %s '%s'",
			   here.provider, here.region, there.provider, there.region);
}

/* Reads in millionths. */
static int find_reads(const struct price *p, int64_t *ret, struct ebb_err *err)
{
	const char *word = ebb_cli_string(p->args, "reads-per-month");
	struct ebb_decimal d;
	int r;

	if (!word)
		return 0;
	r = ebb_decimal_parse(word, &d, err);
	if (!r)
		r = ebb_decimal_scaled(d, 6, ret, NULL, err);
	if (r || *ret < 0)
		return ebb_err_set(err, EBB_EUSAGE,
				   "--reads-per-month: '%s' is no number of reads, such as 0.5", word);
	return 0;
}

static enum ebb_price_speed speed_of(const char *word)
{
	int i = 0;

	while (word && i < EBB_PRICE_SPEEDS - 1 &&
	       strcmp(word, ebb_price_speed_name((enum ebb_price_speed)i)) != 0)
		i++;
	return (enum ebb_price_speed)i;
}

static int quote(struct price *p, struct ebb_err *err)
{
	const struct ebb_cli_args *args = p->args;
	long long size = ebb_cli_number(args, "size", -1);
	struct ebb_quote q = {
		.age_ns = ebb_cli_number(args, "age", -1),
		.stored = ebb_cli_number(args, "stored", -1),
		.rewritten = ebb_cli_flag(args, "rewrite"),
		.thaw = {speed_of(ebb_cli_string(args, "speed")), EBB_COST_THAW.days},
	};
	struct ebb_bill bill;
	int r;

	if (size < 0)
		return ebb_err_set(err, EBB_EUSAGE, "price quote needs --size, of one object, such as 16KiB");
	q.load = ebb_cost_load(ebb_cli_number(args, "objects", 1), size);
	r = find_reads(p, &q.reads, err);
	if (!r)
		r = load(p, err);
	if (!r)
		r = find_classes(p, &q, err);
	if (r)
		return r;
	ebb_quote_bill(&q, &bill);
	if (bill.missing)
		return ebb_err_set(err, EBB_ECONFIG, "unpriced: no book has a price for %s of %s",
				   bill.missing,
				   bill.missing_class ? bill.missing_class->name : "the way");
	return (p->app->json ? ebb_quote_out_json : ebb_quote_out_text)(
		p->app->out, &q, &bill, ebb_price_currency(p->set), err);
}

/* --- The command --- */

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	static const struct {
		const char *name;
		int (*run)(struct price *p, struct ebb_err *err);
	} verbs[] = {{"list", list}, {"show", show}, {"check", check}, {"diff", diff}, {"quote", quote}};
	const char *words[EBB_ARRAY_LEN(verbs)], *what = ebb_cli_arg(args, 0);
	char hint[256];

	for (size_t i = 0; i < EBB_ARRAY_LEN(verbs); i++) {
		words[i] = verbs[i].name;
		if (strcmp(what, verbs[i].name) != 0)
			continue;
		EBB_CLEANUP(ebb_mem_freep) struct price *p = calloc(1, sizeof(*p));
		if (!p)
			return no_memory(err);
		p->app = app;
		p->args = args;
		ebb_arena_init(&p->arena, 0);
		int r = verbs[i].run(p, err);
		ebb_arena_release(&p->arena);
		return r;
	}
	return ebb_err_set(err, EBB_EUSAGE, "'%s' is not something price does%s", what,
			   ebb_text_suggest(what, words, EBB_ARRAY_LEN(words), hint, sizeof(hint)));
}

static const struct ebb_cli_option options[] = {
	{"objects", 0, EBB_CLI_COUNT, "N", "quote: how many objects (1)"},
	{"size", 0, EBB_CLI_BYTES, "SIZE", "quote: size of each"},
	{"from", 0, EBB_CLI_STRING, "CLASS", "quote: class they are in (STANDARD)"},
	{"to", 0, EBB_CLI_STRING, "CLASS", "quote: class they would go into, or 'delete'; left out: they stay"},
	{"provider", 0, EBB_CLI_STRING, "NAME", "quote, show: whose prices: aws (default of quotes), gcs, azure, r2, b2, wasabi"},
	{"region", 0, EBB_CLI_STRING, "REGION", "quote, show: where (us-east-1 for quotes of aws)"},
	{"to-provider", 0, EBB_CLI_STRING, "NAME", "quote: whose class they would go into (the same)"},
	{"to-region", 0, EBB_CLI_STRING, "REGION", "quote: and where (the same)"},
	{"reads-per-month", 0, EBB_CLI_STRING, "R", "quote: whole reads of each object a month, such as 0.5 (0)"},
	{"age", 0, EBB_CLI_DURATION, "TIME", "quote: how long they have been in their class (past its minimum duration)"},
	{"stored", 0, EBB_CLI_BYTES, "SIZE", "quote: what each of the classes holds besides; counts free allowances and volume tiers from there"},
	{"rewrite", 0, EBB_CLI_FLAG, NULL, "quote: by copying, although the provider could move them itself"},
	{"speed", 0, EBB_CLI_CHOICE, "bulk|standard|expedited", "quote: how archived objects are asked back (bulk)"},
	{"prices", 0, EBB_CLI_LIST, "BOOK", "a book over those that ship and those of the configuration"},
	{0},
};

static const struct ebb_cli_field json[] = {
	{"one_off_usd", "number", "quote: what is paid once, exactly; members are called after the currency"},
	{"monthly_before_usd, monthly_after_usd", "number", "quote: storage and reads of a month of 30 days, as it is and then"},
	{"monthly_saving_usd", "number", "quote: the difference"},
	{"break_even_months", "number", "quote: after how many months the cost has come back; null: never"},
	{"lines", "array", "quote: side (once, before, after), what, class, text (the arithmetic), amount_usd, confidence, source"},
	{"notes", "array", "quote: what the sums do not say by themselves"},
	{"name, provider, date, currency, confidence, regions, file", "string", "list: one line for each book"},
	{"provider, region, class, min_days, min_bytes, prices", "string", "show: one line for each class"},
	{"provider, region, class, figure, before, after", "string", "diff: one line for each figure that differs"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb price quote --objects 1000000 --size 16KiB --from STANDARD --to DEEP_ARCHIVE", "a million small objects into an archive",
	"ebb price quote --size 1TiB --from STANDARD_IA --to delete --age 10d", "what deleting early costs",
	"ebb price quote --size 40TiB --to STANDARD --region sa-east-1 --to-region eu-west-1", "what a move between regions costs",
	"ebb price show --provider aws --region me-central-1 GLACIER", "each figure with its source",
	"ebb price diff old.yaml new.yaml", "what a new book changes",
	NULL,
};

const struct ebb_cli_command ebb_cmd_price = {
	.name = "price",
	.summary = "list, show, check and compare price books; quote a move",
	.usage = "list | show [CLASS] | check BOOK... | diff BOOK BOOK | quote --size SIZE [--objects N] [--from CLASS] [--to CLASS]",
	.description =
		"Price books are dated files with a source for every figure.\n"
		"Those that ship with ebb are read first, then those of the configuration, then those named with --prices;\n"
		"what a later one says wins, figure by figure.\n"
		"A BOOK is a path, or the name of one that ships.\n"
		"\n"
		"'quote' says what it costs to bring objects from one class to another, and what that saves a month, with its\n"
		"arithmetic: transition and write requests, early deletion, minimum size and overhead, retrieval and restores,\n"
		"monitoring, bytes between regions.\n"
		"Prices are those of the first volume tier, without free allowances, unless --stored is given; a month has 30 days.\n"
		"What has no price is refused as unpriced, with status 3.\n"
		"\n"
		"'check' refuses a book with a gap, a wrong unit, overlapping days or tiers, or a currency without a rate, and\n"
		"says where.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
