/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/creds_container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "scanners/creds_answer.h"
#include "scanners/creds_sts.h"
#include "scanners/http.h"

#define URL_MAX 1024

/* Seconds for a service that is on this machine or next to it. */
#define IDLE 2

bool ebb_creds_container_allowed(const char *url)
{
	static const char *const hosts[] = {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost", "127.0.0.1", "[::1]"};
	const char *host;

	if (strncmp(url, "https://", 8) == 0)
		return true;
	if (strncmp(url, "http://", 7) != 0)
		return false;
	host = url + 7;
	for (size_t i = 0; i < EBB_ARRAY_LEN(hosts); i++) {
		size_t n = strlen(hosts[i]);

		if (strncmp(host, hosts[i], n) == 0 && (host[n] == '/' || host[n] == ':' || host[n] == '\0'))
			return true;
	}
	return false;
}

int ebb_creds_container_ask(const struct ebb_creds_context *ctx, const char *method, const char *url, const char *header,
			    struct ebb_buf *ret, struct ebb_err *err)
{
	const char *headers[1] = {header};
	struct ebb_http_call call = {
		.method = method, .url = url, .headers = headers, .nheaders = header ? 1 : 0, .idle = IDLE};
	int rc;

	if (!ctx->http)
		return -EBB_ENOENT;
	if (strcmp(method, "PUT") == 0)
		call.body = "";
	rc = ebb_http_do(ctx->http, &call, err);
	if (rc < 0)
		rc = -EBB_ENOENT;
	else if (call.status != 200)
		rc = ebb_err_set(err, EBB_ESTORE, "'%s' answers with status %d", url, call.status);
	else if (ebb_buf_add(ret, call.answer.data ? call.answer.data : "", call.answer.len) < 0 || ebb_buf_addc(ret, '\0') < 0)
		rc = ebb_err_set(err, EBB_ESTORE, "'%s' answers with too much", url);
	if (rc == 0)
		ret->len--; /* the NUL stays behind it */
	if (call.answer.data)
		explicit_bzero(call.answer.data, call.answer.len);
	ebb_http_call_release(&call);
	return rc;
}

/* "authorization: TOKEN" from the environment; *ret stays NULL when there is none. */
static int authorization(char **ret, struct ebb_err *err)
{
	const char *file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), *value = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	char *token = NULL;
	int rc = 0;

	if (file && *file) {
		rc = ebb_creds_sts_token(file, &token, err);
		value = token;
	}
	if (rc == 0 && value && *value && (strpbrk(value, "\r\n") || asprintf(ret, "authorization: %s", value) < 0))
		rc = ebb_err_set(err, EBB_ESTORE, "the token for container credentials is not one line");
	if (token)
		explicit_bzero(token, strlen(token));
	free(token);
	return rc;
}

static void wipe_text(char **p)
{
	if (*p)
		explicit_bzero(*p, strlen(*p));
	free(*p);
}

static int get(const struct ebb_creds_context *ctx, struct ebb_creds *ret, struct ebb_err *err)
{
	const char *relative = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), *full = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	EBB_CLEANUP(wipe_text) char *header = NULL;
	struct ebb_buf answer = EBB_BUF_INIT(64 << 10);
	char url[URL_MAX];
	int n, rc;

	if (ctx->profile || !((relative && *relative) || (full && *full)))
		return -EBB_ENOENT;
	n = relative && *relative ? snprintf(url, sizeof(url), "http://169.254.170.2%s", relative)
				  : snprintf(url, sizeof(url), "%s", full);
	if (n >= (int)sizeof(url) || !ebb_creds_container_allowed(url))
		return ebb_err_set(err, EBB_ESTORE, "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to this machine");
	rc = authorization(&header, err);
	if (rc == 0)
		rc = ebb_creds_container_ask(ctx, "GET", url, header, &answer, err);
	if (rc == 0)
		rc = ebb_creds_answer_json(answer.data, answer.len, ret, err);
	if (answer.data)
		explicit_bzero(answer.data, answer.len);
	ebb_buf_release(&answer);
	return rc == -EBB_ENOENT ? ebb_err_set(err, EBB_ESTORE, "nobody answers at '%s'", url) : rc;
}

const struct ebb_creds_provider ebb_creds_container = {.name = "container", .get = get};
