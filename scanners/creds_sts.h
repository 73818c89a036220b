/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Roles: credentials from the Security Token Service. Source: AWS STS API Reference.
 *
 * $AWS_ENDPOINT_URL_STS names another service (Ceph RGW has one); otherwise the region's is asked.
 * Threads: as ebb_creds_find.
 */
#ifndef EBB_SCANNERS_CREDS_STS_H
#define EBB_SCANNERS_CREDS_STS_H

#include "scanners/creds.h"

/* Borrowed; NULL where not said. */
struct ebb_creds_sts_role {
	const char *arn;
	const char *session;	/* name of the session; NULL: "ebb" */
	const char *external_id;
	const char *duration;	/* seconds as text */
	const char *region;
	const char *web_token;	/* AssumeRoleWithWebIdentity with this token; NULL: AssumeRole */
};

/* @source: who asks; not used with a web token. 0; -EBB_ESTORE: refused, or no answer; -EBB_ENOMEM. */
int ebb_creds_sts_assume(const struct ebb_creds_context *ctx, const struct ebb_creds_sts_role *role,
			 const struct ebb_creds *source, struct ebb_creds *ret, struct ebb_err *err);

/* Provider: $AWS_WEB_IDENTITY_TOKEN_FILE with $AWS_ROLE_ARN. */
extern const struct ebb_creds_provider ebb_creds_sts_web;

/* The token in a file, with its NUL, to be wiped and freed. 0, -EBB_ESTORE, -EBB_ENOMEM. */
int ebb_creds_sts_token(const char *path, char **ret, struct ebb_err *err);

#endif
