/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/creds_imds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buf.h"
#include "scanners/creds_answer.h"
#include "scanners/creds_container.h"

#define URL_MAX 1024
#define ROLES "/latest/meta-data/iam/security-credentials/"

static void wipe(struct ebb_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->len);
	ebb_buf_release(b);
}

/* The first line of the list is the role. */
static int ask_role(const struct ebb_creds_context *ctx, const char *base, const char *header, char role[256],
		    struct ebb_err *err)
{
	EBB_CLEANUP(wipe) struct ebb_buf answer = EBB_BUF_INIT(64 << 10);
	char url[URL_MAX];
	int rc;

	snprintf(url, sizeof(url), "%s" ROLES, base);
	rc = ebb_creds_container_ask(ctx, "GET", url, header, &answer, err);
	if (rc < 0)
		return rc;
	snprintf(role, 256, "%.*s", (int)strcspn(answer.data, "\r\n"), answer.data);
	return *role && !strpbrk(role, "/?#% ") ? 0 : ebb_err_set(err, EBB_ESTORE, "the instance has no role");
}

static int ask(const struct ebb_creds_context *ctx, const char *base, struct ebb_creds *ret, struct ebb_err *err)
{
	EBB_CLEANUP(wipe) struct ebb_buf token = EBB_BUF_INIT(64 << 10), answer = EBB_BUF_INIT(64 << 10);
	EBB_CLEANUP(wipe) struct ebb_buf header = EBB_BUF_INIT(64 << 10);
	char url[URL_MAX], role[256];
	int rc;

	snprintf(url, sizeof(url), "%s/latest/api/token", base);
	rc = ebb_creds_container_ask(ctx, "PUT", url, "x-aws-ec2-metadata-token-ttl-seconds: 21600", &token, err);
	if (rc == 0 && strpbrk(token.data, "\r\n"))
		rc = ebb_err_set(err, EBB_ESTORE, "the token of the metadata service is not one line");
	if (rc == 0 && ebb_buf_addf(&header, "x-aws-ec2-metadata-token: %s", token.data) < 0)
		rc = ebb_err_set(err, EBB_ENOMEM, "no memory for credentials");
	if (rc == 0)
		rc = ask_role(ctx, base, header.data, role, err);
	if (rc < 0)
		return rc;
	snprintf(url, sizeof(url), "%s" ROLES "%s", base, role);
	rc = ebb_creds_container_ask(ctx, "GET", url, header.data, &answer, err);
	return rc < 0 ? rc : ebb_creds_answer_json(answer.data, answer.len, ret, err);
}

static int get(const struct ebb_creds_context *ctx, struct ebb_creds *ret, struct ebb_err *err)
{
	const char *off = getenv("AWS_EC2_METADATA_DISABLED"), *named = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	char base[URL_MAX / 2];

	if (ctx->profile || (off && strcasecmp(off, "true") == 0))
		return -EBB_ENOENT;
	snprintf(base, sizeof(base), "%s", named && *named ? named : "http://169.254.169.254");
	if (base[strlen(base) - 1] == '/')
		base[strlen(base) - 1] = '\0';
	return ask(ctx, base, ret, err);
}

const struct ebb_creds_provider ebb_creds_imds = {.name = "instance metadata", .get = get};
