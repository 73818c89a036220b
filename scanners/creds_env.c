/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/creds_env.h"

#include <stdlib.h>

/* An empty variable counts as unset, as in the AWS tools. */
static const char *value(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

/* A profile that is named in the configuration was meant, whatever stands in the environment. */
static int get(const struct ebb_creds_context *ctx, struct ebb_creds *ret, struct ebb_err *err)
{
	const char *id = value("AWS_ACCESS_KEY_ID"), *secret = value("AWS_SECRET_ACCESS_KEY");

	if (ctx->profile || (!id && !secret))
		return -EBB_ENOENT;
	if (!id || !secret)
		return ebb_err_set(err, EBB_ESTORE, "%s is set in the environment and %s is not",
				   id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
				   id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	return ebb_creds_set(ret, id, secret, value("AWS_SESSION_TOKEN"), INT64_MAX, err);
}

const struct ebb_creds_provider ebb_creds_env = {.name = "environment", .get = get};
