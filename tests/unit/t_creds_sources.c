/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where credentials come from: the files and answers by themselves, services against a small server on loopback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/secret.h"
#include "core/units.h"
#include "scanners/creds.h"
#include "scanners/creds_answer.h"
#include "scanners/creds_container.h"
#include "scanners/creds_imds.h"
#include "scanners/creds_ini.h"
#include "scanners/creds_profile.h"
#include "scanners/creds_sts.h"
#include "scanners/http.h"
#include "tests/support/scratch.h"
#include "tests/support/stub_http.h"
#include "tests/support/unit.h"

#define NOW INT64_C(1763900000000000000)

static struct ebb_clock fixed_clock;
static struct ebb_creds_context ctx;

/* An environment without anything of the machine's. */
static const char *clean(void)
{
	static const char *const names[] = {
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_ROLE_ARN",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_ENDPOINT_URL_STS",
		"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"};
	const char *home = ebb_scratch_new();

	for (size_t i = 0; i < EBB_ARRAY_LEN(names); i++)
		unsetenv(names[i]);
	setenv("HOME", home, 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	fixed_clock = ebb_clock_fixed(NOW);
	ctx = (struct ebb_creds_context){.clock = &fixed_clock};
	return home;
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void are(const struct ebb_creds *c, const char *id, const char *secret, const char *token)
{
	ck_assert_str_eq(c->access_key, id);
	ck_assert_str_eq(ebb_secret_expose(c->secret, NULL), secret);
	if (token)
		ck_assert_str_eq(ebb_secret_expose(c->token, NULL), token);
	else
		ck_assert_ptr_null(c->token);
}

static bool setting_is(const struct ebb_creds_ini *s, enum ebb_creds_ini_name n, const char *want)
{
	return s->value[n].p && s->value[n].len == strlen(want) && memcmp(s->value[n].p, want, s->value[n].len) == 0;
}

START_TEST(files_are_read_by_section)
{
	static const char config[] = "# comment\n[default]\nregion = us-west-2\n[profile  a]\nROLE_ARN=arn:aws:iam::1:role/x ; why\n"
				     "s3 =\n  region = nested\nsource_profile = b\t\n[sso-session a]\nregion = no\n[profile \"q r\"]\n"
				     "region = eu-central-1\n[a]\nregion=not-in-config\n";
	static const char keys[] = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\r\n"
				   "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\r\n[a]\naws_access_key_id = a=b#c\n";
	struct ebb_creds_ini s = {0};

	ck_assert(ebb_creds_ini_read(config, strlen(config), "a", true, &s));
	ck_assert(setting_is(&s, EBB_CREDS_INI_ROLE, "arn:aws:iam::1:role/x"));
	ck_assert(setting_is(&s, EBB_CREDS_INI_SOURCE_PROFILE, "b"));
	ck_assert_ptr_null(s.value[EBB_CREDS_INI_REGION].p);
	ck_assert(ebb_creds_ini_read(keys, strlen(keys), "a", false, &s));
	ck_assert(setting_is(&s, EBB_CREDS_INI_ACCESS_KEY, "a=b#c"));
	memset(&s, 0, sizeof(s));
	ck_assert(ebb_creds_ini_read(keys, strlen(keys), "default", false, &s));
	ck_assert(setting_is(&s, EBB_CREDS_INI_ACCESS_KEY, "AKIAIOSFODNN7EXAMPLE"));
	ck_assert(setting_is(&s, EBB_CREDS_INI_SECRET, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
	ck_assert(ebb_creds_ini_read(config, strlen(config), "default", true, &s));
	ck_assert(setting_is(&s, EBB_CREDS_INI_REGION, "us-west-2"));
	memset(&s, 0, sizeof(s));
	ck_assert(ebb_creds_ini_read(config, strlen(config), "q r", true, &s));
	ck_assert(!ebb_creds_ini_read(config, strlen(config), "b", true, &s));
}
END_TEST

/* The examples of the documentation. */
START_TEST(answers)
{
	static const char json[] = "{\"Code\" : \"Success\",\"LastUpdated\" : \"2012-04-26T16:39:16Z\",\"Type\" : \"AWS-HMAC\","
				   "\"AccessKeyId\" : \"ASIAIOSFODNN7EXAMPLE\",\"SecretAccessKey\" : \"wJalr/x\",\"Token\" : \"tok\","
				   "\"Expiration\" : \"2017-05-17T15:09:54Z\"}";
	static const char xml[] = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>"
				  "<AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>wJalr/x</SecretAccessKey>"
				  "<SessionToken>AQ+/=</SessionToken><Expiration>2019-11-09T13:34:41Z</Expiration></Credentials>"
				  "</AssumeRoleResult></AssumeRoleResponse>";
	static const char refusal[] = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no way</Message></Error></ErrorResponse>";
	static const char *const bad[] = {"", "{}", "{\"Code\":\"AssumeRoleUnauthorizedAccess\"}", "{\"Version\":2,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\"}",
					  "{\"AccessKeyId\":\"a\"}", "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Expiration\":\"soon\"}"};
	struct ebb_creds c = {0};
	struct ebb_err err = {0};
	int64_t when;

	ck_assert_int_eq(ebb_creds_answer_json(json, strlen(json), &c, NULL), 0);
	are(&c, "ASIAIOSFODNN7EXAMPLE", "wJalr/x", "tok");
	ck_assert_int_eq(ebb_units_parse_time("2017-05-17T15:09:54Z", &when, NULL), 0);
	ck_assert_int_eq(c.expires, when);
	ebb_creds_release(&c);
	ck_assert_int_eq(ebb_creds_answer_xml(xml, strlen(xml), &c, NULL), 0);
	are(&c, "ASIAIOSFODNN7EXAMPLE", "wJalr/x", "AQ+/=");
	ebb_creds_release(&c);
	ck_assert_int_eq(ebb_creds_answer_xml(refusal, strlen(refusal), &c, &err), -EBB_ESTORE);
	ck_assert_ptr_nonnull(strstr(err.msg, "no way"));
	ck_assert_int_eq(ebb_creds_answer_xml("<x>", 3, &c, NULL), -EBB_ESTORE);
	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++)
		ck_assert_int_eq(ebb_creds_answer_json(bad[i], strlen(bad[i]), &c, NULL), -EBB_ESTORE);
}
END_TEST

START_TEST(profiles_of_keys_and_programs)
{
	const char *home = clean();
	struct ebb_creds c = {0};
	struct ebb_err err = {0};
	char path[512];

	snprintf(path, sizeof(path), "%s/credentials", home);
	setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
	snprintf(path, sizeof(path), "%s/config", home);
	setenv("AWS_CONFIG_FILE", path, 1);
	ck_assert_int_eq(ebb_creds_profile.get(&ctx, &c, NULL), -EBB_ENOENT);
	write_file(home, "credentials", "[default]\naws_access_key_id=ID\naws_secret_access_key=SECRET\n[half]\naws_access_key_id=ID\n");
	write_file(home, "config", "[profile prog]\ncredential_process = printf '{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"%s\",\"SessionToken\":\"T\"}' x\n"
				   "[profile bad]\ncredential_process = exit 3\n[profile sso]\nsso_session = x\n"
				   "[profile loop]\nrole_arn = r\nsource_profile = pool\n[profile pool]\nrole_arn = r\nsource_profile = loop\n");
	ck_assert_int_eq(ebb_creds_profile.get(&ctx, &c, NULL), 0);
	are(&c, "ID", "SECRET", NULL);
	ck_assert_int_eq(c.expires, INT64_MAX);
	ebb_creds_release(&c);
	ctx.profile = "prog";
	ck_assert_int_eq(ebb_creds_profile.get(&ctx, &c, NULL), 0);
	are(&c, "P", "x", "T");
	ebb_creds_release(&c);
	for (int i = 0; i < 5; i++) {
		static const char *const names[] = {"half", "bad", "sso", "loop", "nosuch"};
		static const char *const why[] = {"no aws_secret_access_key", "status 3", "SSO", "lead to each other", "no credentials in profile 'nosuch'"};

		err = (struct ebb_err){0};
		ctx.profile = names[i];
		ck_assert_int_eq(ebb_creds_profile.get(&ctx, &c, &err), -EBB_ESTORE);
		ck_assert_msg(strstr(err.msg, why[i]) != NULL, "%s", err.msg);
		ck_assert_ptr_null(strstr(err.msg, "SECRET"));
	}
}
END_TEST

static char asked[8][4096];

/* What the services would answer. */
static void serve(void *unused, const struct ebb_stub_request *req, struct ebb_stub_reply *reply)
{
	static const char creds[] = "{\"AccessKeyId\":\"M\",\"SecretAccessKey\":\"S\",\"Token\":\"T\",\"Expiration\":\"2030-01-01T00:00:00Z\"}";
	static const char sts[] = "<r><Credentials><AccessKeyId>R</AccessKeyId><SecretAccessKey>RS</SecretAccessKey><SessionToken>RT</SessionToken>"
				  "<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></r>";
	char token[64] = "";
	const char *body = "";

	(void)unused;
	snprintf(asked[req->number % 8], sizeof(asked[0]), "%s %s\n%s\n%.*s", req->method, req->target, req->headers, (int)req->body_len,
		 req->body ? (const char *)req->body : "");
	if (strcmp(req->target, "/latest/api/token") == 0 && strcmp(req->method, "PUT") == 0)
		body = "SESSION";
	else if (strncmp(req->target, "/latest/", 8) == 0 &&
		 (!ebb_stub_header(req, "x-aws-ec2-metadata-token", token, sizeof(token)) || strcmp(token, "SESSION") != 0))
		reply->status = 401;
	else if (strcmp(req->target, "/latest/meta-data/iam/security-credentials/") == 0)
		body = "my-role\n";
	else if (strcmp(req->target, "/latest/meta-data/iam/security-credentials/my-role") == 0 || strcmp(req->target, "/container") == 0)
		body = creds;
	else if (strcmp(req->target, "/") == 0 && strcmp(req->method, "POST") == 0)
		body = sts;
	else
		reply->status = 404;
	reply->body = body;
	reply->body_len = strlen(body);
}

START_TEST(services)
{
	const char *home = clean();
	struct ebb_stub *stub = ebb_stub_start(serve, NULL);
	struct ebb_creds c = {0};
	char url[256], path[512];

	ck_assert_int_eq(ebb_http_open(0, &ctx.http, NULL), 0);
	/* the instance */
	ck_assert_int_eq(ebb_creds_imds.get(&ctx, &c, NULL), -EBB_ENOENT);
	unsetenv("AWS_EC2_METADATA_DISABLED");
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", ebb_stub_url(stub), 1);
	ck_assert_int_eq(ebb_creds_imds.get(&ctx, &c, NULL), 0);
	are(&c, "M", "S", "T");
	ebb_creds_release(&c);
	/* a container */
	snprintf(url, sizeof(url), "%s/container", ebb_stub_url(stub));
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc", 1);
	ck_assert_int_eq(ebb_creds_container.get(&ctx, &c, NULL), 0);
	are(&c, "M", "S", "T");
	ebb_creds_release(&c);
	ck_assert_ptr_nonnull(strstr(asked[3], "uthorization: Basic abc"));
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/x", 1);
	ck_assert_int_eq(ebb_creds_container.get(&ctx, &c, NULL), -EBB_ESTORE);
	/* a web identity */
	setenv("AWS_ENDPOINT_URL_STS", ebb_stub_url(stub), 1);
	snprintf(path, sizeof(path), "%s/token", home);
	write_file(home, "token", "a.b/c\n");
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
	setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/x", 1);
	ck_assert_int_eq(ebb_creds_sts_web.get(&ctx, &c, NULL), 0);
	are(&c, "R", "RS", "RT");
	ebb_creds_release(&c);
	ck_assert_ptr_nonnull(strstr(asked[4], "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx"
					       "&RoleSessionName=ebb&WebIdentityToken=a.b%2Fc"));
	/* a role of another profile, signed by its keys */
	snprintf(path, sizeof(path), "%s/config", home);
	setenv("AWS_CONFIG_FILE", path, 1);
	write_file(home, "config", "[profile r]\nrole_arn = arn:x\nsource_profile = base\nexternal_id = e1\nregion = eu-west-1\n"
				   "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = HIDDEN\n");
	ctx.profile = "r";
	ck_assert_int_eq(ebb_creds_profile.get(&ctx, &c, NULL), 0);
	are(&c, "R", "RS", "RT");
	ebb_creds_release(&c);
	ck_assert_ptr_nonnull(strstr(asked[5], "Credential=BASE/20251123/eu-west-1/sts/aws4_request"));
	ck_assert_ptr_nonnull(strstr(asked[5], "&ExternalId=e1"));
	ck_assert_ptr_null(strstr(asked[5], "HIDDEN"));
	ebb_http_free(ctx.http);
	ebb_stub_stop(stub);
}
END_TEST

START_TEST(only_near_hosts_give_credentials_in_clear)
{
	ck_assert(ebb_creds_container_allowed("http://169.254.170.2/v2"));
	ck_assert(ebb_creds_container_allowed("http://169.254.170.23/v1"));
	ck_assert(ebb_creds_container_allowed("http://localhost:8080/x"));
	ck_assert(ebb_creds_container_allowed("https://example.com/x"));
	ck_assert(!ebb_creds_container_allowed("http://169.254.170.200/v2"));
	ck_assert(!ebb_creds_container_allowed("http://localhost.example.com/"));
	ck_assert(!ebb_creds_container_allowed("http://127.0.0.1@evil/"));
	ck_assert(!ebb_creds_container_allowed("ftp://127.0.0.1/"));
}
END_TEST

EBB_UNIT_MAIN("creds_sources", files_are_read_by_section, answers, profiles_of_keys_and_programs, services,
	      only_near_hosts_give_credentials_in_clear)
