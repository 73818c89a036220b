/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Completion scripts for bash, zsh and fish, from the tables. */
#include <string.h>

#include "agent/cli.h"

/* Whether an option's argument is a file or a folder. */
static bool is_path(const struct ebb_cli_option *o)
{
	return o->arg && (strcmp(o->arg, "FILE") == 0 || strcmp(o->arg, "DIR") == 0);
}

/* The words of "a|b|c", separated by spaces. */
static void choices(FILE *out, const char *arg)
{
	for (; *arg; arg++)
		fputc(*arg == '|' ? ' ' : *arg, out);
}

static void bash_words(FILE *out, const struct ebb_cli_option *o)
{
	for (; o && o->name; o++)
		fprintf(out, " --%s", o->name);
}

/* case branches that complete the arguments of options */
static void bash_arguments(FILE *out, const char *cmd, const struct ebb_cli_option *o)
{
	for (; o && o->name; o++) {
		if (!o->arg || is_path(o))
			continue;
		fprintf(out, "\t%s:--%s) ", cmd, o->name);
		if (o->type == EBB_CLI_CHOICE) {
			fputs("mapfile -t COMPREPLY < <(compgen -W '", out);
			choices(out, o->arg);
			fputs("' -- \"$cur\"); ", out);
		}
		fputs("return ;;\n", out);
	}
}

static void bash(FILE *out)
{
	fputs("# shellcheck shell=bash\n# bash completion of ebb, written by `ebb help --completion bash`\n"
	      "_ebb() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} cmd='' words='' i\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n"
	      "\t\t--config|--index|-c|-i) i=$((i + 1)) ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*) cmd=${COMP_WORDS[i]}; break ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "\tcase $cmd:$prev in\n",
	      out);
	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++)
		bash_arguments(out, (*c)->name, (*c)->options);
	fputs("\tesac\n\tcase $cmd in\n\t'') words='", out);
	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++)
		fprintf(out, "%s%s", c == ebb_cli_table ? "" : " ", (*c)->name);
	fputs("' ;;\n", out);
	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++) {
		if (!(*c)->options || !(*c)->options->name)
			continue;
		fprintf(out, "\t%s) words='", (*c)->name);
		bash_words(out, (*c)->options);
		fputs("' ;;\n", out);
	}
	fputs("\tesac\n\tif [[ -z $cmd || $cur == -* ]]; then\n\t\twords+='", out);
	bash_words(out, ebb_cli_global);
	fputs("'\n\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n\tfi\n"
	      "}\ncomplete -o default -F _ebb ebb\n",
	      out);
}

/* Text inside '...' of a shell; brackets and colons mean something to zsh. */
static void quoted(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\''", out);
		else if (strchr("[]:\\", *s))
			fprintf(out, "\\%c", *s);
		else
			fputc(*s, out);
	}
}

static void zsh_options(FILE *out, const struct ebb_cli_option *o)
{
	for (; o && o->name; o++) {
		fprintf(out, " \\\n\t\t'%s--%s%s[", o->type == EBB_CLI_LIST ? "*" : "", o->name,
			o->arg ? "=" : "");
		quoted(out, o->help);
		fputc(']', out);
		if (o->type == EBB_CLI_CHOICE) {
			fprintf(out, ":%s:(", o->name);
			choices(out, o->arg);
			fputc(')', out);
		} else if (o->arg) {
			fprintf(out, ":%s:%s", o->arg, is_path(o) ? "_files" : " ");
		}
		fputc('\'', out);
	}
}

static void zsh(FILE *out)
{
	fputs("#compdef ebb\n# zsh completion of ebb, written by `ebb help --completion zsh`\n"
	      "_ebb() {\n\tlocal -a commands\n\tlocal state line\n\tcommands=(\n",
	      out);
	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++) {
		fprintf(out, "\t\t'%s:", (*c)->name);
		quoted(out, (*c)->summary);
		fputs("'\n", out);
	}
	fputs("\t)\n\t_arguments -C", out);
	zsh_options(out, ebb_cli_global);
	fputs(" \\\n\t\t'1:command:->command' '*::arguments:->arguments'\n"
	      "\tcase $state in\n\tcommand) _describe command commands ;;\n"
	      "\targuments)\n\t\tcase $line[1] in\n",
	      out);
	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++) {
		fprintf(out, "\t\t%s) _arguments", (*c)->name);
		zsh_options(out, (*c)->options);
		fputs(" \\\n\t\t'*:file:_files' ;;\n", out);
	}
	fputs("\t\tesac ;;\n\tesac\n}\n_ebb \"$@\"\n", out);
}

static void fish_text(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
}

static void fish_options(FILE *out, const char *cmd, const struct ebb_cli_option *o)
{
	for (; o && o->name; o++) {
		fputs("complete -c ebb", out);
		if (cmd)
			fprintf(out, " -n '__fish_seen_subcommand_from %s'", cmd);
		fprintf(out, " -l %s", o->name);
		if (o->letter)
			fprintf(out, " -s %c", o->letter);
		if (o->arg)
			fputs(is_path(o) ? " -r -F" : " -x", out);
		if (o->type == EBB_CLI_CHOICE) {
			fputs(" -a '", out);
			choices(out, o->arg);
			fputc('\'', out);
		}
		fputs(" -d '", out);
		fish_text(out, o->help);
		fputs("'\n", out);
	}
}

static void fish(FILE *out)
{
	fputs("# fish completion of ebb, written by `ebb help --completion fish`\n", out);
	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++) {
		fprintf(out, "complete -c ebb -n __fish_use_subcommand -f -a %s -d '", (*c)->name);
		fish_text(out, (*c)->summary);
		fputs("'\n", out);
	}
	fish_options(out, NULL, ebb_cli_global);
	for (const struct ebb_cli_command *const *c = ebb_cli_table; *c; c++)
		fish_options(out, (*c)->name, (*c)->options);
}

int ebb_cli_complete(FILE *out, const char *shell, struct ebb_err *err)
{
	if (strcmp(shell, "bash") == 0)
		bash(out);
	else if (strcmp(shell, "zsh") == 0)
		zsh(out);
	else if (strcmp(shell, "fish") == 0)
		fish(out);
	else
		return ebb_err_set(err, EBB_EUSAGE,
				   "no completion for shell '%s': take bash, zsh or fish", shell);
	return 0;
}
