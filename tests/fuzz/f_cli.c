/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: words of a command line, each ended by a newline; a word that begins with "EBB_" and has a "=" goes into the environment instead. It is
 * understood or refused with words; what is understood can be asked for by each of the command's options.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 64 };

static void ask(const struct ebb_cli_option *o, const struct ebb_cli_args *args)
{
	const char *const *list = NULL;

	for (; o && o->name; o++) {
		switch (o->type) {
		case EBB_CLI_FLAG:
			(void)ebb_cli_flag(args, o->name);
			break;
		case EBB_CLI_STRING:
		case EBB_CLI_CHOICE: {
			const char *s = ebb_cli_string(args, o->name);

			if (s && o->type == EBB_CLI_CHOICE && !strstr(o->arg, s))
				abort();
			break;
		}
		case EBB_CLI_LIST:
			for (size_t n = ebb_cli_list(args, o->name, &list); n; n--)
				if (!list[n - 1])
					abort();
			break;
		default:
			if (ebb_cli_number(args, o->name, 0) < 0)
				abort();
		}
	}
}

static void parse(int argc, char **argv)
{
	const struct ebb_cli_command *cmd = NULL;
	struct ebb_cli_args *args = NULL;
	struct ebb_err err = {0};
	int r = ebb_cli_parse(argc, argv, &cmd, &args, &err);

	if (r < 0 && (!*err.msg || args))
		abort();
	if (r == 0) {
		ask(ebb_cli_global, args);
		if (cmd)
			ask(cmd->options, args);
		for (int i = 0; i < ebb_cli_argc(args); i++)
			if (!ebb_cli_arg(args, i))
				abort();
	}
	ebb_cli_args_free(args);
}

/* Take the variables that were set away again: the next input must not see them. */
static void forget(char *const *set, int n)
{
	while (n--)
		unsetenv(set[n]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *argv[MAX + 1] = {(char[]){"ebb"}}, *set[MAX];
	int argc = 1, sets = 0;

	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	for (char *word = text, *end; word < text + size && argc < MAX && sets < MAX; word = end + 1) {
		end = strchr(word, '\n');
		if (!end)
			end = word + strlen(word);
		*end = 0;
		char *equal = strncmp(word, "EBB_", 4) == 0 ? strchr(word, '=') : NULL;
		if (!equal) {
			argv[argc++] = word;
			continue;
		}
		*equal = 0;
		if (setenv(word, equal + 1, 1) == 0)
			set[sets++] = word;
	}
	parse(argc, argv);
	forget(set, sets);
	free(text);
	return 0;
}
