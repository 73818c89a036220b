/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/creds_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "scanners/creds_answer.h"
#include "scanners/creds_container.h"
#include "scanners/creds_env.h"
#include "scanners/creds_imds.h"
#include "scanners/creds_ini.h"
#include "scanners/creds_sts.h"

#define FILE_CAP (1 << 20)

/* Profiles that lead to each other. */
#define CHAIN_MAX 5

/* Both files, in memory. */
struct files {
	struct ebb_buf credentials, config;
};

static void wipe(struct files *f)
{
	struct ebb_buf *both[] = {&f->credentials, &f->config};

	for (int i = 0; i < 2; i++) {
		if (both[i]->data)
			explicit_bzero(both[i]->data, both[i]->len);
		ebb_buf_release(both[i]);
	}
}

/* Read all of @fd. 0 or -errno. */
static int read_all(int fd, struct ebb_buf *out)
{
	for (;;) {
		ssize_t n;

		if (ebb_buf_reserve(out, 4096) < 0)
			return -ENOMEM;
		n = read(fd, out->data + out->len, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		out->len += (size_t)n;
	}
}

/* The file that @variable names, or @name below ~/.aws. One that is not there is empty. */
static int load(const char *variable, const char *name, struct ebb_buf *out, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	const char *named = getenv(variable), *home = getenv("HOME");
	int rc;

	if (named && *named)
		path = strdup(named);
	else if (!home || asprintf(&path, "%s/.aws/%s", home, name) < 0)
		return 0;
	if (!path)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for credentials");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	rc = fd < 0 ? -errno : read_all(fd, out);
	return rc < 0 ? ebb_err_set(err, EBB_ESTORE, "cannot read '%s': %s", path, strerror(-rc)) : 0;
}

/* A copy of a setting, NULL when it is not set or memory is short. */
static char *copy(const struct ebb_creds_ini *s, enum ebb_creds_ini_name n)
{
	return s->value[n].p ? strndup(s->value[n].p, s->value[n].len) : NULL;
}

static void wipe_text(char **p)
{
	if (*p)
		explicit_bzero(*p, strlen(*p));
	free(*p);
}

static int get_keys(const struct ebb_creds_ini *s, const char *profile, struct ebb_creds *ret, struct ebb_err *err)
{
	EBB_CLEANUP(wipe_text) char *id = copy(s, EBB_CREDS_INI_ACCESS_KEY), *secret = copy(s, EBB_CREDS_INI_SECRET);
	EBB_CLEANUP(wipe_text) char *token = copy(s, EBB_CREDS_INI_TOKEN);

	if (!s->value[EBB_CREDS_INI_SECRET].p)
		return ebb_err_set(err, EBB_ESTORE, "profile '%s' has aws_access_key_id and no aws_secret_access_key", profile);
	if (!id || !secret)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for credentials");
	return ebb_creds_set(ret, id, secret, token, INT64_MAX, err);
}

/* Run a command line by the shell and read what it prints; its messages go where ours go. */
static int run(const char *command, struct ebb_buf *out, struct ebb_err *err)
{
	FILE *f = popen(command, "re");
	int rc, status;

	if (!f)
		return ebb_err_set(err, EBB_ESTORE, "cannot run credential_process: %s", strerror(errno));
	rc = read_all(fileno(f), out);
	status = pclose(f);
	if (rc < 0 || status != 0)
		return ebb_err_set(err, EBB_ESTORE, "credential_process failed with status %d",
				   WIFEXITED(status) ? WEXITSTATUS(status) : status);
	return 0;
}

static int get_process(const struct ebb_creds_ini *s, struct ebb_creds *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *command = copy(s, EBB_CREDS_INI_PROCESS);
	struct ebb_buf out = EBB_BUF_INIT(64 << 10);
	int rc = command ? run(command, &out, err) : ebb_err_set(err, EBB_ENOMEM, "no memory for credentials");

	if (rc == 0)
		rc = ebb_creds_answer_json(out.data ? out.data : "", out.len, ret, err);
	if (rc < 0)
		ebb_err_wrap(err, "credential_process");
	if (out.data)
		explicit_bzero(out.data, out.len);
	ebb_buf_release(&out);
	return rc;
}

static int resolve(const struct ebb_creds_context *ctx, const struct files *f, const char *profile, int depth,
		   struct ebb_creds *ret, struct ebb_err *err);

/* credential_source of a role. */
static int get_source(const struct ebb_creds_context *ctx, const char *word, struct ebb_creds *ret, struct ebb_err *err)
{
	static const struct {
		const char *word;
		const struct ebb_creds_provider *provider;
	} sources[] = {{"Environment", &ebb_creds_env}, {"EcsContainer", &ebb_creds_container}, {"Ec2InstanceMetadata", &ebb_creds_imds}};
	struct ebb_creds_context other = *ctx;

	other.profile = NULL;
	for (size_t i = 0; i < EBB_ARRAY_LEN(sources); i++)
		if (strcmp(sources[i].word, word) == 0) {
			int rc = sources[i].provider->get(&other, ret, err);

			return rc == -EBB_ENOENT ? ebb_err_set(err, EBB_ESTORE, "credential_source %s has none", word) : rc;
		}
	return ebb_err_set(err, EBB_ESTORE, "credential_source '%s' is not Environment, EcsContainer or Ec2InstanceMetadata", word);
}

static int get_role(const struct ebb_creds_context *ctx, const struct files *f, const struct ebb_creds_ini *s,
		    const char *profile, int depth, struct ebb_creds *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *arn = copy(s, EBB_CREDS_INI_ROLE), *from = copy(s, EBB_CREDS_INI_SOURCE_PROFILE);
	EBB_CLEANUP(ebb_mem_freep) char *word = copy(s, EBB_CREDS_INI_SOURCE), *session = copy(s, EBB_CREDS_INI_SESSION_NAME);
	EBB_CLEANUP(ebb_mem_freep) char *external = copy(s, EBB_CREDS_INI_EXTERNAL_ID), *seconds = copy(s, EBB_CREDS_INI_DURATION);
	EBB_CLEANUP(ebb_mem_freep) char *region = copy(s, EBB_CREDS_INI_REGION), *web = copy(s, EBB_CREDS_INI_WEB_TOKEN);
	EBB_CLEANUP(ebb_creds_release) struct ebb_creds source = {0};
	EBB_CLEANUP(wipe_text) char *token = NULL;
	struct ebb_creds_sts_role role = {.arn = arn, .session = session, .external_id = external, .duration = seconds, .region = region};
	int rc = 0;

	if (!arn)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for credentials");
	if (s->value[EBB_CREDS_INI_MFA].p)
		return ebb_err_set(err, EBB_ESTORE, "profile '%s' wants a second factor (mfa_serial), which nobody is there to give; get session "
						    "credentials with 'aws sts get-session-token'", profile);
	if (web)
		rc = ebb_creds_sts_token(web, &token, err);
	else if (from)
		rc = resolve(ctx, f, from, depth + 1, &source, err);
	else if (word)
		rc = get_source(ctx, word, &source, err);
	else
		rc = ebb_err_set(err, EBB_ESTORE, "profile '%s' has role_arn and neither source_profile nor credential_source", profile);
	role.web_token = token;
	return rc < 0 ? rc : ebb_creds_sts_assume(ctx, &role, &source, ret, err);
}

static int resolve(const struct ebb_creds_context *ctx, const struct files *f, const char *profile, int depth,
		   struct ebb_creds *ret, struct ebb_err *err)
{
	struct ebb_creds_ini s = {0};
	bool found = false;

	if (f->credentials.len)
		found |= ebb_creds_ini_read(f->credentials.data, f->credentials.len, profile, false, &s);
	if (f->config.len)
		found |= ebb_creds_ini_read(f->config.data, f->config.len, profile, true, &s);
	if (!found)
		return -EBB_ENOENT;
	if (depth > CHAIN_MAX)
		return ebb_err_set(err, EBB_ESTORE, "profiles lead to each other by source_profile");
	/* A profile that names itself as its source has keys beside the role. */
	if (s.value[EBB_CREDS_INI_ROLE].p && (depth == 0 || !s.value[EBB_CREDS_INI_ACCESS_KEY].p))
		return get_role(ctx, f, &s, profile, depth, ret, err);
	if (s.value[EBB_CREDS_INI_ACCESS_KEY].p)
		return get_keys(&s, profile, ret, err);
	if (s.value[EBB_CREDS_INI_PROCESS].p)
		return get_process(&s, ret, err);
	if (s.value[EBB_CREDS_INI_SSO_SESSION].p || s.value[EBB_CREDS_INI_SSO_URL].p)
		return ebb_err_set(err, EBB_ESTORE, "profile '%s' signs on by SSO; let 'aws configure export-credentials' print them as its "
						    "credential_process", profile);
	return -EBB_ENOENT;
}

static int get(const struct ebb_creds_context *ctx, struct ebb_creds *ret, struct ebb_err *err)
{
	const char *named = ctx->profile, *env = getenv("AWS_PROFILE");
	EBB_CLEANUP(wipe) struct files f = {EBB_BUF_INIT(FILE_CAP), EBB_BUF_INIT(FILE_CAP)};
	int rc = load("AWS_SHARED_CREDENTIALS_FILE", "credentials", &f.credentials, err);

	if (!named && env && *env)
		named = env;
	if (rc == 0)
		rc = load("AWS_CONFIG_FILE", "config", &f.config, err);
	if (rc == 0)
		rc = resolve(ctx, &f, named ? named : "default", 0, ret, err);
	/* A default that is not there is no mistake; a profile that was named is. */
	if (rc == -EBB_ENOENT && named)
		return ebb_err_set(err, EBB_ESTORE, "there are no credentials in profile '%s'", named);
	return rc;
}

const struct ebb_creds_provider ebb_creds_profile = {.name = "shared files", .get = get};
