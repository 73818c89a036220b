/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "agent/cli.h"

enum { WIDTH = 80 };

/* Print words of @text from column @at on, wrapped at WIDTH, continued at column @indent. */
static void wrap(FILE *out, const char *text, int at, int indent)
{
	int col = at;

	while (*text) {
		int len = (int)strcspn(text, " \n");

		if (col > at && col + 1 + len > WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			at = col = indent;
		} else if (col > at) {
			fputc(' ', out);
			col++;
		}
		fprintf(out, "%.*s", len, text);
		col += len;
		text += len;
		text += strspn(text, " \n");
	}
	fputc('\n', out);
}

/* "-c, --config FILE" into @buf; returns its length. */
static int label(const struct ebb_cli_option *o, char *buf, size_t size)
{
	char letter[5] = "    ";

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	return snprintf(buf, size, "%s--%s%s%s", letter, o->name, o->arg ? " " : "",
			o->arg ? o->arg : "");
}

static void options(FILE *out, const char *title, const struct ebb_cli_option *o)
{
	char buf[160];
	int width = 0;

	if (!o || !o->name)
		return;
	for (const struct ebb_cli_option *p = o; p->name; p++) {
		int n = label(p, buf, sizeof(buf));
		width = n > width && n <= 30 ? n : width;
	}
	fprintf(out, "\n%s:\n", title);
	for (; o->name; o++) {
		int n = label(o, buf, sizeof(buf));

		fprintf(out, "  %-*s  ", width, buf);
		if (n > width)
			fprintf(out, "\n%*s", width + 4, "");
		wrap(out, o->help, width + 4, width + 4);
	}
}

static void overview(FILE *out)
{
	int width = 0;

	fputs("usage: ebb [options] COMMAND [arguments]\n\n"
	      "ebb keeps data where it costs least, and loses neither a byte nor a cent doing it.\n"
	      "\nCommands:\n",
	      out);
	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++)
		width = (int)strlen((*c)->name) > width ? (int)strlen((*c)->name) : width;
	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++) {
		fprintf(out, "  %-*s  ", width, (*c)->name);
		wrap(out, (*c)->summary, width + 4, width + 4);
	}
	options(out, "Options of every command", ebb_cli_global);
	fputs("\nBegin with:\n"
	      "  ebb init /data > ebb.yaml      write a configuration to edit\n"
	      "  ebb check                      see what ebb understood\n"
	      "  ebb scan                       look at the files\n"
	      "  ebb report                     what is there\n"
	      "  ebb plan -o plan.jsonl         decide; nothing is changed\n"
	      "  ebb apply plan.jsonl           do exactly that\n"
	      "\n'ebb help COMMAND' tells more; so do the man pages, first of all ebb(1).\n",
	      out);
}

void ebb_cli_help(FILE *out, const struct ebb_cli_command *cmd)
{
	if (!cmd) {
		overview(out);
		return;
	}
	fprintf(out, "usage: ebb %s [options]%s%s\n\n", cmd->name, *cmd->usage ? " " : "", cmd->usage);
	wrap(out, cmd->summary, 0, 0);
	options(out, "Options", cmd->options);
	options(out, "Options of every command", ebb_cli_global);
	if (!cmd->examples || !*cmd->examples)
		return;
	fputs("\nExamples:\n", out);
	for (const char *const *e = cmd->examples; e[0]; e += 2)
		fprintf(out, "  %s\n      %s\n", e[0], e[1]);
}
