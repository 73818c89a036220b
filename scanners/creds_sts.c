/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/creds_sts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/secret.h"
#include "scanners/creds_answer.h"
#include "scanners/http.h"
#include "scanners/sigv4.h"

#define TOKEN_FILE_MAX (64 << 10)
#define URL_MAX 512

/* Wipe before the memory goes back. */
static void wipe(struct ebb_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->len);
	ebb_buf_release(b);
}

static int param(struct ebb_buf *body, const char *name, const char *value)
{
	if (!value)
		return 0;
	return ebb_buf_addf(body, "&%s=", name) < 0 || ebb_sigv4_encode(body, value, strlen(value), false) < 0
		       ? -EBB_ENOMEM
		       : 0;
}

static int make_body(const struct ebb_creds_sts_role *r, struct ebb_buf *body)
{
	int bad = ebb_buf_addf(body, "Action=%s&Version=2011-06-15",
			       r->web_token ? "AssumeRoleWithWebIdentity" : "AssumeRole");

	bad |= param(body, "RoleArn", r->arn);
	bad |= param(body, "RoleSessionName", r->session ? r->session : "ebb");
	bad |= param(body, "ExternalId", r->external_id);
	bad |= param(body, "DurationSeconds", r->duration);
	bad |= param(body, "WebIdentityToken", r->web_token);
	return bad;
}

/* URL of the service, and the host in it. */
static int find_service(const char *region, char url[URL_MAX], char host[URL_MAX], struct ebb_err *err)
{
	const char *named = getenv("AWS_ENDPOINT_URL_STS"), *p;
	int n;

	if (named && *named)
		n = snprintf(url, URL_MAX, "%s%s", named, named[strlen(named) - 1] == '/' ? "" : "/");
	else
		n = snprintf(url, URL_MAX, "https://sts.%s.amazonaws.com%s/", region,
			     strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
	p = strstr(url, "://");
	if (n >= URL_MAX || !p)
		return ebb_err_set(err, EBB_ESTORE, "AWS_ENDPOINT_URL_STS is no URL");
	snprintf(host, URL_MAX, "%.*s", (int)strcspn(p + 3, "/"), p + 3);
	return 0;
}

/* Headers of a signed request, as lines in @out, each with its NUL. */
static int sign(const struct ebb_creds_context *ctx, const struct ebb_creds *source, const char *region,
		const char *host, const struct ebb_buf *body, struct ebb_buf *out, size_t *ret_token,
		struct ebb_err *err)
{
	int64_t now = ebb_clock_now(ctx->clock);
	char date[17], hash[EBB_SIGV4_HASH];
	struct ebb_sigv4_key key = {.scope = ""};
	struct ebb_sigv4_pair headers[4] = {{"host", host}, {"x-amz-date", date}, {"content-type", "application/x-www-form-urlencoded"}};
	struct ebb_sigv4_request req = {
		.method = "POST", .path = "/", .headers = headers, .nheaders = 3, .payload = hash};
	int rc = ebb_sigv4_hash(body->data, body->len, hash, err);
	int bad = 0;

	ebb_sigv4_date(now, date);
	if (source->token)
		headers[req.nheaders++] =
			(struct ebb_sigv4_pair){"x-amz-security-token", ebb_secret_expose(source->token, NULL)};
	bad |= ebb_buf_addf(out, "x-amz-date: %s", date) | ebb_buf_addc(out, '\0');
	bad |= ebb_buf_adds(out, "authorization: ");
	if (rc == 0 && !bad)
		rc = ebb_sigv4_sign(&req, source, region, "sts", now, &key, out, err);
	ebb_sigv4_key_clear(&key);
	bad |= ebb_buf_addc(out, '\0');
	*ret_token = out->len;
	if (source->token)
		bad |= ebb_buf_addf(out, "x-amz-security-token: %s", headers[3].value) | ebb_buf_addc(out, '\0');
	return rc < 0 ? rc : bad ? ebb_err_set(err, EBB_ENOMEM, "no memory for a request") : 0;
}

static int ask(const struct ebb_creds_context *ctx, const char *url, const char *const *headers, size_t n,
	       const struct ebb_buf *body, struct ebb_creds *ret, struct ebb_err *err)
{
	struct ebb_http_call call = {.method = "POST",
				     .url = url,
				     .headers = headers,
				     .nheaders = n,
				     .body = body->data,
				     .body_len = body->len,
				     .idle = 20};
	int rc = ebb_http_do(ctx->http, &call, err);

	if (rc == 0)
		rc = ebb_creds_answer_xml(call.answer.data ? call.answer.data : "", call.answer.len, ret, err);
	if (call.answer.data)
		explicit_bzero(call.answer.data, call.answer.len);
	ebb_http_call_release(&call);
	return rc;
}

int ebb_creds_sts_assume(const struct ebb_creds_context *ctx, const struct ebb_creds_sts_role *role,
			 const struct ebb_creds *source, struct ebb_creds *ret, struct ebb_err *err)
{
	EBB_CLEANUP(wipe) struct ebb_buf body = EBB_BUF_INIT(256 << 10), lines = EBB_BUF_INIT(64 << 10);
	const char *region = role->region ? role->region : ctx->region ? ctx->region : "us-east-1";
	const char *headers[4] = {"content-type: application/x-www-form-urlencoded"};
	char url[URL_MAX], host[URL_MAX];
	size_t n = 1, token = 0;
	int rc = find_service(region, url, host, err);

	if (rc < 0)
		return rc;
	if (!ctx->http)
		return ebb_err_set(err, EBB_ESTORE, "roles need the network, which is not at hand here");
	if (make_body(role, &body))
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a request");
	if (!role->web_token) {
		rc = sign(ctx, source, region, host, &body, &lines, &token, err);
		if (rc < 0)
			return rc;
		headers[n++] = lines.data;
		headers[n++] = lines.data + strlen(lines.data) + 1;
		if (source->token)
			headers[n++] = lines.data + token;
	}
	rc = ask(ctx, url, headers, n, &body, ret, err);
	if (rc < 0)
		ebb_err_wrap(err, "role '%s'", role->arn);
	return rc < 0 && rc != -EBB_ENOMEM ? -EBB_ESTORE : rc;
}

int ebb_creds_sts_token(const char *path, char **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = malloc(TOKEN_FILE_MAX + 1);
	ssize_t n = -1;

	if (!text)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a token");
	if (fd >= 0)
		n = read(fd, text, TOKEN_FILE_MAX);
	if (n <= 0) {
		int e = n < 0 ? errno : 0;

		free(text);
		return ebb_err_set(err, EBB_ESTORE, "cannot read the token in '%s': %s", path, e ? strerror(e) : "it is empty");
	}
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
		n--;
	text[n] = '\0';
	*ret = text;
	return 0;
}

static int get_web(const struct ebb_creds_context *ctx, struct ebb_creds *ret, struct ebb_err *err)
{
	const char *file = getenv("AWS_WEB_IDENTITY_TOKEN_FILE"), *region = getenv("AWS_REGION");
	struct ebb_creds_sts_role role = {.arn = getenv("AWS_ROLE_ARN"),
					  .session = getenv("AWS_ROLE_SESSION_NAME"),
					  .region = region && *region ? region : NULL};
	char *token;
	int rc;

	if (ctx->profile || !file || !*file || !role.arn)
		return -EBB_ENOENT;
	rc = ebb_creds_sts_token(file, &token, err);
	if (rc < 0)
		return rc;
	role.web_token = token;
	rc = ebb_creds_sts_assume(ctx, &role, NULL, ret, err);
	explicit_bzero(token, strlen(token));
	free(token);
	return rc;
}

const struct ebb_creds_provider ebb_creds_sts_web = {.name = "web identity", .get = get_web};
