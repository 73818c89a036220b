/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Man pages in mdoc(7), from the tables. `mandoc -Tlint -W warning` must find nothing. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli.h"
#include "core/err.h"

/* @len bytes of text, safe anywhere in a line: backslashes, and what roff takes for a request at the start of one. */
static void text(FILE *out, const char *s, size_t len)
{
	if (len && (*s == '.' || *s == '\''))
		fputs("\\&", out);
	for (; len; s++, len--) {
		if (*s == '\\')
			fputs("\\e", out);
		else if (*s == '\n')
			fputs(len > 1 && (s[1] == '.' || s[1] == '\'') ? "\n\\&" : "\n", out);
		else
			fputc(*s, out);
	}
}

/*
 * @len bytes that somebody may copy into a shell, within a literal display: as above, and characters that printers make
 * prettier elsewhere (quotes, dashes) stay what they are.
 */
static void verbatim(FILE *out, const char *s, size_t len)
{
	static const struct {
		char c;
		const char *roff;
	} plain[] = {
		{'\\', "\\e"}, {'-', "\\-"}, {'\'', "\\(aq"}, {'`', "\\(ga"}, {'^', "\\(ha"}, {'~', "\\(ti"},
	};

	fputs(len && *s == '.' ? "\\&" : "", out);
	for (; len; s++, len--) {
		size_t i = 0;

		while (i < EBB_ARRAY_LEN(plain) && plain[i].c != *s)
			i++;
		if (i < EBB_ARRAY_LEN(plain))
			fputs(plain[i].roff, out);
		else
			fputs(*s == '\n' && len > 1 && s[1] == '.' ? "\n\\&" : (const char[]){*s, 0}, out);
	}
}

/* Text as arguments of a macro: words that mdoc would take for macros or delimiters must not act. */
static void argument(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", out);
		else if (*s == '"')
			fputs("\\(dq", out);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

static void head(FILE *out, const struct ebb_cli_command *cmd)
{
	char title[64];

	snprintf(title, sizeof(title), "EBB%s%s", cmd ? "-" : "", cmd ? cmd->name : "");
	for (char *p = title; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	fprintf(out, ".\\\" Written by `ebb help --man`; edit the tables in agent/ instead.\n"
		     ".Dd " EBB_CLI_DATE "\n.Dt %s 1\n.Os ebb " EBB_CLI_VERSION "\n.Sh NAME\n",
		title);
	if (cmd)
		fprintf(out, ".Nm ebb-%s\n.Nd %s\n", cmd->name, cmd->summary);
	else
		fputs(".Nm ebb\n.Nd keep data where it costs least\n", out);
}

static void option_line(FILE *out, const struct ebb_cli_option *o, const char *macro)
{
	fputs(macro, out);
	if (o->letter) {
		fprintf(out, " Fl %c", o->letter);
		if (o->arg)
			fprintf(out, " Ar %s", o->arg);
		fputs(" ,", out);
	}
	fprintf(out, " Fl -%s", o->name);
	if (o->arg) {
		fputs(" Ar ", out);
		argument(out, o->arg);
	}
	fputc('\n', out);
}

static void synopsis(FILE *out, const struct ebb_cli_command *cmd)
{
	fputs(".Sh SYNOPSIS\n.Nm ebb\n", out);
	if (!cmd) {
		fputs(".Op Ar options\n.Ar command\n.Op Ar arguments\n", out);
		return;
	}
	fprintf(out, ".Cm %s\n", cmd->name);
	for (const struct ebb_cli_option *o = cmd->options; o && o->name; o++) {
		fprintf(out, ".Op Fl -%s", o->name);
		if (o->arg) {
			fputs(" Ar ", out);
			argument(out, o->arg);
		}
		fputc('\n', out);
	}
	if (*cmd->usage) {
		fputs(".Ar ", out);
		argument(out, cmd->usage);
		fputc('\n', out);
	}
}

static void paragraphs(FILE *out, const char *s)
{
	bool first = true;

	while (*s) {
		const char *end = strstr(s, "\n\n");
		size_t len = end ? (size_t)(end - s) : strlen(s);
		bool literal = *s == ' ' || *s == '\t';

		if (literal)
			fputs(".Bd -literal\n", out);
		else if (!first)
			fputs(".Pp\n", out);
		(literal ? verbatim : text)(out, s, len);
		if (s[len - 1] != '\n')
			fputc('\n', out);
		if (literal)
			fputs(".Ed\n", out);
		first = false;
		s += len;
		s += strspn(s, "\n");
	}
}

static void options(FILE *out, const struct ebb_cli_option *o)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (; o->name; o++) {
		option_line(out, o, ".It");
		text(out, o->help, strlen(o->help));
		fputc('\n', out);
	}
	fputs(".El\n", out);
}

static void json(FILE *out, const struct ebb_cli_field *f)
{
	fputs(".Sh JSON\nWith\n.Fl -json\n"
	      "every line of the output is one object with these fields; fields may be added in later versions.\n"
	      ".Bl -tag -width Ds\n",
	      out);
	for (; f->name; f++) {
		fputs(".It Va ", out);
		argument(out, f->name);
		fputs(" Pq ", out);
		argument(out, f->type);
		fputc('\n', out);
		text(out, f->help, strlen(f->help));
		fputc('\n', out);
	}
	fputs(".El\n", out);
}

static void examples(FILE *out, const char *const *e)
{
	fputs(".Sh EXAMPLES\n", out);
	for (bool first = true; e[0]; e += 2, first = false) {
		if (!first)
			fputs(".Pp\n", out);
		text(out, e[1], strlen(e[1]));
		fputs(":\n.Bd -literal -offset indent\n", out);
		verbatim(out, e[0], strlen(e[0]));
		fputs("\n.Ed\n", out);
	}
}

static void exit_status(FILE *out)
{
	static const struct {
		int status;
		const char *help;
	} rows[] = {
		{EBB_EXIT_OK, "everything was done"},
		{EBB_EXIT_PARTIAL, "some objects failed or were skipped; the rest is done"},
		{EBB_EXIT_USAGE, "the command line is wrong"},
		{EBB_EXIT_CONFIG, "configuration, rules or price books are wrong"},
		{EBB_EXIT_STORE, "a store is missing, is not what it was, or refuses"},
		{EBB_EXIT_INDEX, "the index or the journal cannot be used"},
		{EBB_EXIT_STALE, "the plan no longer fits: scan and plan again"},
		{EBB_EXIT_LIMIT, "a limit stopped the run"},
		{EBB_EXIT_ALERT, "a budget or anomaly alert fired"},
		{EBB_EXIT_LOCKED, "another run holds the lock"},
		{EBB_EXIT_INTERRUPTED, "interrupted by a signal"},
	};

	fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < EBB_ARRAY_LEN(rows); i++)
		fprintf(out, ".It %d\n%s\n", rows[i].status, rows[i].help);
	fputs(".El\n", out);
}

static void main_page(FILE *out)
{
	fputs(".Sh DESCRIPTION\n"
	      "ebb scans directory trees into an index, decides by rules what should be colder, smaller, elsewhere or gone,\n"
	      "prices every decision before anything moves, and then does exactly what was approved: verified, journaled,\n"
	      "undoable.\n.Pp\nThe commands are:\n.Bl -tag -width Ds\n",
	      out);
	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++)
		fprintf(out, ".It Xr ebb-%s 1\n%s\n", (*c)->name, (*c)->summary);
	fputs(".El\n.Sh OPTIONS\nThese are taken by every command, before and after its name.\n", out);
	options(out, ebb_cli_global);
}

static void environment(FILE *out)
{
	fputs(".Sh ENVIRONMENT\n"
	      "Every option can be given as a variable: its name in upper case, with underscores, behind\n.Ev EBB_ ;\n"
	      "flags are 1 or 0.\nThe command line wins over the environment, which wins over the configuration file.\n"
	      ".Bl -tag -width Ds\n"
	      ".It Ev EBB_CONFIG , Ev EBB_INDEX\nas\n.Fl -config\nand\n.Fl -index\n"
	      ".It Ev EBB_NOW\nthe time that ebb takes for now, as 2026-11-23T12:00:00Z: for tests, and for questions like\n"
	      "what would be idle by then\n"
	      ".It Ev EBB_PRICES\nfolder of the price books that ship with ebb\n"
	      ".It Ev NO_COLOR\nwhen set and not empty, nothing is printed bold or dim\n"
	      ".It Ev XDG_STATE_HOME\nwhere the index lies when nothing else is said: its subfolder\n.Pa ebb\n"
	      ".El\n",
	      out);
}

static void files(FILE *out)
{
	fputs(".Sh FILES\n.Bl -tag -width Ds\n"
	      ".It Pa ebb.yaml\nstores, prices, rules and limits;\n.Ql ebb init\nwrites one to begin with\n"
	      ".It Pa ~/.local/state/ebb/index.mdb\nthe index; safe to lose,\n.Ql ebb scan\nmakes it again\n"
	      ".It Pa ~/.local/state/ebb/lock\nheld by the one run that may change anything\n"
	      ".It Pa ~/.local/state/ebb/runs/\njournals and plans of all runs, beside the index wherever that lies;\n"
	      ".Ql ebb undo\nand the recovery of a killed run need them, and nothing makes them again:\n"
	      "not safe to delete while anything in a trash, or moved or compressed, matters\n"
	      ".It Pa .ebb-trash/\nin each store: what was deleted, until it expires\n"
	      ".El\n",
	      out);
}

static int by_name(const void *a, const void *b)
{
	const struct ebb_cli_command *const *ca = a, *const *cb = b;

	return strcmp((*ca)->name, (*cb)->name);
}

/* The program's page refers to all, in the order that mdoc wants. */
static void see_also(FILE *out, const struct ebb_cli_command *cmd)
{
	const struct ebb_cli_command *sorted[64];
	size_t n = 0;

	fputs(".Sh SEE ALSO\n", out);
	if (cmd) {
		fputs(".Xr ebb 1\n", out);
		return;
	}
	for (; ebb_cli_table[n] && n < EBB_ARRAY_LEN(sorted); n++)
		sorted[n] = ebb_cli_table[n];
	qsort(sorted, n, sizeof(sorted[0]), by_name);
	for (size_t i = 0; i < n; i++)
		fprintf(out, ".Xr ebb-%s 1%s\n", sorted[i]->name, i + 1 < n ? " ," : "");
}

void ebb_cli_man(FILE *out, const struct ebb_cli_command *cmd)
{
	head(out, cmd);
	synopsis(out, cmd);
	if (cmd) {
		fputs(".Sh DESCRIPTION\n", out);
		paragraphs(out, cmd->description);
		fputs(".Sh OPTIONS\n", out);
		if (cmd->options && cmd->options->name)
			options(out, cmd->options);
		fputs(cmd->options && cmd->options->name ? ".Pp\n" : "", out);
		fputs("Options of every command are described in\n.Xr ebb 1 .\n", out);
		if (cmd->json)
			json(out, cmd->json);
	} else {
		main_page(out);
	}
	environment(out);
	files(out);
	exit_status(out);
	if (cmd && cmd->examples)
		examples(out, cmd->examples);
	see_also(out, cmd);
}
