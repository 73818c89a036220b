/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config_alerts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/mem.h"

/* Largest file of labels. */
#define LABELS_MAX_BYTES (64u << 20)
#define COMMAND_WORDS 32

static int read_file(const char *path, struct ebb_buf *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	while (n > 0) {
		if (ebb_buf_reserve(ret, ret->len + 65536) < 0)
			return ebb_err_set(err, EBB_ECONFIG, "'%s' is larger than 64 MiB", path);
		n = read(fd, ret->data + ret->len, 65536);
		if (n < 0 && errno != EINTR)
			return ebb_err_sys(err, errno, "cannot read '%s'", path);
		ret->len += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int read_labels(struct ebb_arena *arena, const struct ebb_tree_node *n, const char *config,
		       const struct ebb_labels **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(LABELS_MAX_BYTES);
	const char *name, *path, *slash = strrchr(config, '/');
	struct ebb_labels *l;
	int r = ebb_tree_text(n, &name, err);

	if (r < 0)
		return r;
	path = *name == '/' || !slash ? name
				      : ebb_arena_printf(arena, "%.*s/%s", (int)(slash - config), config, name);
	if (!path)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if ((r = read_file(path, &text, err)) < 0 ||
	    (r = ebb_labels_parse(arena, text.data, text.len, path, &l, err)) < 0)
		return r;
	*ret = l;
	return 0;
}

/* Turn an amount into the currency of the price books. */
static int convert(const struct ebb_price_books *prices, const struct ebb_tree_node *n, struct ebb_money *m,
		   struct ebb_err *err)
{
	struct ebb_err why = {0};
	int r = ebb_price_convert(prices, *m, m, &why);

	return r < 0 ? ebb_tree_error(n, err, "%s", why.msg) : 0;
}

static int read_command(struct ebb_arena *arena, const struct ebb_tree_node *n, const char *const **ret,
			struct ebb_err *err)
{
	const char **words = ebb_arena_calloc(arena, COMMAND_WORDS + 1, sizeof(*words));
	size_t k = 0;
	int r = ebb_tree_expect(n, EBB_TREE_SEQ, err);

	if (r == 0 && !words)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (r == 0 && (n->n_children == 0 || n->n_children > COMMAND_WORDS))
		return ebb_tree_error(n, err, "a command is a list of 1 to %d words", COMMAND_WORDS);
	EBB_TREE_EACH(child, n)
		if (r == 0)
			r = ebb_tree_text(child, &words[k++], err);
	*ret = words;
	return r;
}

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* A host of an http URL that no network lies before. */
static bool is_loopback(const char *url)
{
	static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(hosts); i++)
		if (begins(url, hosts[i]) && strchr(":/", url[strlen(hosts[i])]))
			return true;
	return false;
}

static int read_webhook(const struct ebb_tree_node *n, struct ebb_config_alerts *ret, struct ebb_err *err)
{
	static const char *const keys[] = {"url", "token_env"};
	const struct ebb_tree_node *url, *token;
	int r = ebb_tree_unknown_keys(n, keys, EBB_ARRAY_LEN(keys), err);

	if (r < 0)
		return r;
	if (!(url = ebb_tree_need(n, "url", err)))
		return -EBB_ECONFIG;
	if ((r = ebb_tree_text(url, &ret->webhook, err)) < 0)
		return r;
	if (!begins(ret->webhook, "https://") && !begins(ret->webhook, "http://"))
		return ebb_tree_error(url, err, "'%s' is no address: it begins with https://", ret->webhook);
	if (!(token = ebb_tree_get(n, "token_env")))
		return 0;
	if ((r = ebb_tree_text(token, &ret->webhook_token, err)) < 0)
		return r;
	if (!*ret->webhook_token || strchr(ret->webhook_token, '='))
		return ebb_tree_error(token, err, "'%s' is no name of an environment variable", ret->webhook_token);
	if (!begins(ret->webhook, "https://") && !is_loopback(ret->webhook))
		return ebb_tree_error(url, err, "a token is not sent without encryption: take https");
	return 0;
}

static int read_alerts(struct ebb_arena *arena, const struct ebb_tree_node *map,
		       const struct ebb_price_books *prices, struct ebb_config_alerts *ret, struct ebb_err *err)
{
	static const char *const keys[] = {"min_share", "min_amount", "command", "webhook"};
	const struct ebb_tree_node *n;
	struct ebb_money least;
	int64_t ppm;
	int r = ebb_tree_unknown_keys(map, keys, EBB_ARRAY_LEN(keys), err);

	if (r == 0 && (n = ebb_tree_get(map, "min_share")) && (r = ebb_tree_percent(n, &ppm, err)) == 0)
		ret->anomaly.min_share = (double)ppm / 1e6;
	if (r == 0 && (n = ebb_tree_get(map, "min_amount")) && (r = ebb_tree_money(n, &least, err)) == 0 &&
	    (r = convert(prices, n, &least, err)) == 0)
		ret->anomaly.min_amount = (double)least.nano;
	if (r == 0 && (n = ebb_tree_get(map, "command")))
		r = read_command(arena, n, &ret->command, err);
	if (r == 0 && (n = ebb_tree_get(map, "webhook")))
		r = read_webhook(n, ret, err);
	return r;
}

int ebb_config_alerts_read(struct ebb_arena *arena, const struct ebb_tree_node *root, const char *path,
			   const struct ebb_price_books *prices, struct ebb_config_alerts *ret,
			   struct ebb_err *err)
{
	const struct ebb_tree_node *n, *budgets = ebb_tree_get(root, "budgets");
	int r = ebb_budget_read(arena, budgets, &ret->budgets, &ret->nbudgets, err);

	ret->anomaly = ebb_anomaly_defaults;
	for (size_t i = 0; r == 0 && i < ret->nbudgets; i++) {
		const struct ebb_tree_node *at = budgets->first;

		for (size_t k = 0; k < i; k++)
			at = at->next;
		r = convert(prices, ebb_tree_get(at, "month"), &ret->budgets[i].month, err);
	}
	if (r == 0)
		r = ebb_shared_read(arena, ebb_tree_get(root, "shared"), &ret->shared, &ret->nshared, err);
	if (r == 0 && (n = ebb_tree_get(root, "labels")))
		r = read_labels(arena, n, path, &ret->labels, err);
	if (r == 0 && (n = ebb_tree_get(root, "alerts")))
		r = read_alerts(arena, n, prices, ret, err);
	return r;
}
