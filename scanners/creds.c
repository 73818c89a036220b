/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/creds.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/secret.h"
#include "scanners/creds_container.h"
#include "scanners/creds_env.h"
#include "scanners/creds_imds.h"
#include "scanners/creds_profile.h"
#include "scanners/creds_sts.h"

/* In the order in which they are asked. */
static const struct ebb_creds_provider *const providers[] = {
	&ebb_creds_env, &ebb_creds_profile, &ebb_creds_sts_web, &ebb_creds_container, &ebb_creds_imds,
};

void ebb_creds_release(struct ebb_creds *c)
{
	free(c->access_key);
	ebb_secret_free(c->secret);
	ebb_secret_free(c->token);
	*c = (struct ebb_creds){0};
}

int ebb_creds_set(struct ebb_creds *ret, const char *access_key, const char *secret, const char *token,
		  int64_t expires, struct ebb_err *err)
{
	struct ebb_creds c = {.expires = expires};

	c.access_key = strdup(access_key);
	c.secret = ebb_secret_new(secret, strlen(secret));
	if (token)
		c.token = ebb_secret_new(token, strlen(token));
	if (!c.access_key || !c.secret || (token && !c.token)) {
		ebb_creds_release(&c);
		return ebb_err_set(err, EBB_ENOMEM, "no memory for credentials");
	}
	*ret = c;
	return 0;
}

int ebb_creds_find(const struct ebb_creds_context *ctx, struct ebb_creds *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf asked = EBB_BUF_INIT(1000);

	for (size_t i = 0; i < EBB_ARRAY_LEN(providers); i++) {
		struct ebb_err why = {0};
		int rc = providers[i]->get(ctx, ret, &why);

		if (rc != -EBB_ENOENT)
			return rc < 0 ? ebb_err_set(err, EBB_ESTORE, "no credentials from %s: %s",
						    providers[i]->name, why.msg)
				      : rc;
		if (ebb_buf_addf(&asked, "%s%s", i ? ", " : "", providers[i]->name) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "no memory for a message");
	}
	return ebb_err_set(err, EBB_ESTORE, "no credentials found (looked at: %s)", asked.data);
}
