/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/cli.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "core/units.h"

const struct ebb_cli_option ebb_cli_global[] = {
	{"config", 'c', EBB_CLI_STRING, "FILE", "configuration file (default: ebb.yaml)"},
	{"index", 'i', EBB_CLI_STRING, "DIR", "folder of the index (default: $XDG_STATE_HOME/ebb, or ~/.local/state/ebb)"},
	{"json", 0, EBB_CLI_FLAG, NULL, "data as JSON, one object per line"},
	{"quiet", 'q', EBB_CLI_FLAG, NULL, "no progress and no notes on stderr"},
	{"verbose", 'v', EBB_CLI_FLAG, NULL, "log what is being done to stderr"},
	{"log-json", 0, EBB_CLI_FLAG, NULL, "with --verbose, log as JSON lines"},
	{"help", 'h', EBB_CLI_FLAG, NULL, "show help and exit"},
	{"version", 0, EBB_CLI_FLAG, NULL, "show the version and exit"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

/* What was given for one option. */
struct value {
	const struct ebb_cli_option *opt;
	bool set;
	const char *text;	/* as written; of a list: the last */
	long long number;
	const char **list;	/* owned array of borrowed strings */
	size_t nlist;
};

struct ebb_cli_args {
	const struct ebb_cli_command *cmd;
	struct value *values;	/* of the global options, then of the command's */
	size_t nvalues;
	const char **argv;	/* owned array of borrowed strings */
	int argc;
};

static size_t count_options(const struct ebb_cli_option *o)
{
	size_t n = 0;

	while (o && o[n].name)
		n++;
	return n;
}

void ebb_cli_args_free(struct ebb_cli_args *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->nvalues; i++)
		free(a->values[i].list);
	free(a->values);
	free(a->argv);
	free(a);
}

/* Enter options into the table of values. */
static int add_options(struct ebb_cli_args *a, const struct ebb_cli_option *opts)
{
	size_t n = count_options(opts);
	struct value *v = n ? realloc(a->values, (a->nvalues + n) * sizeof(*v)) : a->values;

	if (!v)
		return -EBB_ENOMEM;
	a->values = v;
	for (size_t i = 0; i < n; i++)
		v[a->nvalues++] = (struct value){.opt = &opts[i]};
	return 0;
}

static struct value *value_by_name(const struct ebb_cli_args *a, const char *name, size_t len)
{
	for (size_t i = 0; i < a->nvalues; i++) {
		const char *n = a->values[i].opt->name;

		if (strlen(n) == len && memcmp(n, name, len) == 0)
			return &a->values[i];
	}
	return NULL;
}

static struct value *value_by_letter(const struct ebb_cli_args *a, char letter)
{
	for (size_t i = 0; i < a->nvalues; i++)
		if (a->values[i].opt->letter == letter)
			return &a->values[i];
	return NULL;
}

static int no_option(const struct ebb_cli_args *a, const char *name, size_t len,
		     struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) const char **words = calloc(a->nvalues, sizeof(*words));
	EBB_CLEANUP(ebb_mem_freep) char *word = strndup(name, len);

	if (!words || !word)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < a->nvalues; i++)
		words[i] = a->values[i].opt->name;
	const char *near = ebb_text_nearest(word, words, a->nvalues);
	if (!near)
		return ebb_err_set(err, EBB_EUSAGE, "unknown option '--%s'", word);
	return ebb_err_set(err, EBB_EUSAGE, "unknown option '--%s'; did you mean '--%s'?", word, near);
}

int ebb_cli_find(const char *name, const struct ebb_cli_command **ret, struct ebb_err *err)
{
	const char *words[64];
	char hint[512];
	size_t n = 0;

	for (; ebb_cli_table[n] && n < EBB_ARRAY_LEN(words); n++) {
		words[n] = ebb_cli_table[n]->name;
		if (strcmp(words[n], name) == 0) {
			*ret = ebb_cli_table[n];
			return 0;
		}
	}
	return ebb_err_set(err, EBB_EUSAGE, "unknown command '%s'%s", name,
			   ebb_text_suggest(name, words, n, hint, sizeof(hint)));
}

/* Check @s against the words "a|b|c". */
static int parse_choice(const char *choices, const char *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *copy = strdup(choices);
	const char *words[32];
	char hint[512];
	size_t n = 0;
	char *save = NULL;

	if (!copy)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (char *w = strtok_r(copy, "|", &save); w && n < EBB_ARRAY_LEN(words);
	     w = strtok_r(NULL, "|", &save)) {
		if (strcmp(w, s) == 0)
			return 0;
		words[n++] = w;
	}
	return ebb_err_set(err, EBB_EUSAGE, "'%s' is none of its values%s", s,
			   ebb_text_suggest(s, words, n, hint, sizeof(hint)));
}

static int parse_number(enum ebb_cli_type type, const char *s, long long *ret, struct ebb_err *err)
{
	int64_t n = 0;
	int r = type == EBB_CLI_BYTES	   ? ebb_units_parse_bytes(s, &n, err)
		: type == EBB_CLI_DURATION ? ebb_units_parse_duration(s, &n, err)
					   : ebb_units_parse_count(s, &n, err);

	if (!r)
		*ret = n;
	return r;
}

static int add_to_list(struct value *v, const char *s, struct ebb_err *err)
{
	const char **list = realloc(v->list, (v->nlist + 1) * sizeof(*list));

	if (!list)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	v->list = list;
	list[v->nlist++] = s;
	return 0;
}

/* Give option @v the argument @s; what is wrong with it is said without the option's name. */
static int set_value(struct value *v, const char *s, struct ebb_err *err)
{
	int r = 0;

	switch (v->opt->type) {
	case EBB_CLI_COUNT:
	case EBB_CLI_BYTES:
	case EBB_CLI_DURATION:
		r = parse_number(v->opt->type, s, &v->number, err);
		break;
	case EBB_CLI_CHOICE:
		r = parse_choice(v->opt->arg, s, err);
		break;
	case EBB_CLI_LIST:
		r = add_to_list(v, s, err);
		break;
	case EBB_CLI_STRING:
	case EBB_CLI_FLAG:
		break;
	}
	if (r)
		return r;
	v->set = true;
	v->text = s;
	return 0;
}

/* An error about an argument becomes a usage error that names its option. */
static int bad_value(const char *name, int r, struct ebb_err *err)
{
	if (r == -EBB_ENOMEM)
		return r;
	ebb_err_wrap(err, "%s", name);
	if (err)
		err->code = EBB_EUSAGE;
	return -EBB_EUSAGE;
}

/*
 * One word that begins with "--". @next is the word behind it, or NULL. Returns 1 when that was used.
 */
static int long_option(struct ebb_cli_args *a, const char *word, const char *next,
		       struct ebb_err *err)
{
	const char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word);
	struct value *v = value_by_name(a, word + 2, len - 2);

	if (!v)
		return no_option(a, word + 2, len - 2, err);
	if (v->opt->type == EBB_CLI_FLAG) {
		if (eq)
			return ebb_err_set(err, EBB_EUSAGE, "--%s takes no argument", v->opt->name);
		v->set = true;
		return 0;
	}
	if (!eq && !next)
		return ebb_err_set(err, EBB_EUSAGE, "--%s needs an argument: %s", v->opt->name,
				   v->opt->arg);
	int r = set_value(v, eq ? eq + 1 : next, err);
	if (r) {
		char name[80];

		snprintf(name, sizeof(name), "--%s", v->opt->name);
		return bad_value(name, r, err);
	}
	return eq ? 0 : 1;
}

/* One word of short options: "-q", "-qv", "-oFILE". Returns 1 when @next was used. */
static int short_options(struct ebb_cli_args *a, const char *word, const char *next,
			 struct ebb_err *err)
{
	for (const char *p = word + 1; *p; p++) {
		struct value *v = value_by_letter(a, *p);

		if (!v)
			return ebb_err_set(err, EBB_EUSAGE, "unknown option '-%c'", *p);
		if (v->opt->type == EBB_CLI_FLAG) {
			v->set = true;
			continue;
		}
		if (!p[1] && !next)
			return ebb_err_set(err, EBB_EUSAGE, "-%c needs an argument: %s", *p,
					   v->opt->arg);
		int r = set_value(v, p[1] ? p + 1 : next, err);
		if (r) {
			char name[3] = {'-', *p, 0};

			return bad_value(name, r, err);
		}
		return p[1] ? 0 : 1;
	}
	return 0;
}

/* The first word that is no option is the command; its options join the table. */
static int positional(struct ebb_cli_args *a, const char *word, struct ebb_err *err)
{
	if (a->cmd) {
		a->argv[a->argc++] = word;
		return 0;
	}
	int r = ebb_cli_find(word, &a->cmd, err);
	if (r)
		return r;
	if (add_options(a, a->cmd->options))
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	return 0;
}

static int parse_words(struct ebb_cli_args *a, int argc, char **argv, struct ebb_err *err)
{
	bool options = true;

	for (int i = 1; i < argc; i++) {
		const char *w = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
		int r;

		if (options && strcmp(w, "--") == 0) {
			options = false;
			continue;
		}
		if (options && w[0] == '-' && w[1] == '-')
			r = long_option(a, w, next, err);
		else if (options && w[0] == '-' && w[1])
			r = short_options(a, w, next, err);
		else
			r = positional(a, w, err);
		if (r < 0)
			return r;
		i += r;
	}
	return 0;
}

/* "accept-losses" -> "EBB_ACCEPT_LOSSES" */
static void env_name(const char *option, char *ret, size_t size)
{
	size_t n = (size_t)snprintf(ret, size, "EBB_%s", option);

	for (size_t i = 0; i < n && i < size; i++)
		ret[i] = ret[i] == '-' ? '_' : (char)toupper((unsigned char)ret[i]);
}

static int env_flag(struct value *v, const char *s, struct ebb_err *err)
{
	if (strcmp(s, "0") != 0 && strcmp(s, "1") != 0)
		return ebb_err_set(err, EBB_EUSAGE, "expected 1 or 0, got '%s'", s);
	v->set = *s == '1';
	return 0;
}

/* What the command line left open may stand in the environment; an empty variable counts as absent. */
static int parse_env(struct ebb_cli_args *a, struct ebb_err *err)
{
	for (size_t i = 0; i < a->nvalues; i++) {
		struct value *v = &a->values[i];
		char name[80];

		if (v->set || strcmp(v->opt->name, "help") == 0 ||
		    strcmp(v->opt->name, "version") == 0)
			continue;
		env_name(v->opt->name, name, sizeof(name));
		const char *s = getenv(name);
		if (!s || !*s)
			continue;
		int r = v->opt->type == EBB_CLI_FLAG ? env_flag(v, s, err) : set_value(v, s, err);
		if (r)
			return bad_value(name, r, err);
	}
	return 0;
}

static int check_count(const struct ebb_cli_args *a, struct ebb_err *err)
{
	const struct ebb_cli_command *c = a->cmd;

	if (!c)
		return ebb_err_set(err, EBB_EUSAGE, "no command given; 'ebb help' lists them");
	if (a->argc < c->min_args)
		return ebb_err_set(err, EBB_EUSAGE, "too few arguments: ebb %s [options] %s",
				   c->name, c->usage);
	if (c->max_args >= 0 && a->argc > c->max_args)
		return ebb_err_set(err, EBB_EUSAGE, "'%s' is one argument too many: ebb %s [options] %s",
				   a->argv[c->max_args], c->name, c->usage);
	return 0;
}

int ebb_cli_parse(int argc, char **argv, const struct ebb_cli_command **ret_cmd,
		  struct ebb_cli_args **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cli_args_freep) struct ebb_cli_args *a = calloc(1, sizeof(*a));

	if (a)
		a->argv = calloc((size_t)argc + 1, sizeof(*a->argv));
	if (!a || !a->argv || add_options(a, ebb_cli_global))
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");

	int r = parse_words(a, argc, argv, err);
	*ret_cmd = a->cmd;
	if (r)
		return r;
	if (!ebb_cli_flag(a, "help") && !ebb_cli_flag(a, "version")) {
		r = parse_env(a, err);
		if (!r)
			r = check_count(a, err);
		if (r)
			return r;
	}
	*ret = a;
	a = NULL;
	return 0;
}

static const struct value *get(const struct ebb_cli_args *a, const char *name)
{
	const struct value *v = value_by_name(a, name, strlen(name));

	if (!v) {
		fprintf(stderr, "ebb: bug: no option is called '%s'\n", name);
		abort();
	}
	return v;
}

bool ebb_cli_flag(const struct ebb_cli_args *a, const char *name)
{
	return get(a, name)->set;
}

const char *ebb_cli_string(const struct ebb_cli_args *a, const char *name)
{
	return get(a, name)->text;
}

long long ebb_cli_number(const struct ebb_cli_args *a, const char *name, long long missing)
{
	const struct value *v = get(a, name);

	return v->set ? v->number : missing;
}

size_t ebb_cli_list(const struct ebb_cli_args *a, const char *name, const char *const **ret)
{
	const struct value *v = get(a, name);

	*ret = (const char *const *)v->list;
	return v->nlist;
}

int ebb_cli_argc(const struct ebb_cli_args *a)
{
	return a ? a->argc : 0;
}

const char *ebb_cli_arg(const struct ebb_cli_args *a, int i)
{
	return i < a->argc ? a->argv[i] : NULL;
}
