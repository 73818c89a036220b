/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/creds_ini.h"

#include <string.h>
#include <strings.h>

static const char *const names[EBB_CREDS_INI_COUNT] = {
	"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "role_arn",	 "source_profile",
	"credential_source", "credential_process",    "web_identity_token_file", "role_session_name", "external_id",
	"duration_seconds",  "region",		      "mfa_serial",	   "sso_session", "sso_start_url",
};

const char *ebb_creds_ini_text(enum ebb_creds_ini_name name)
{
	return names[name];
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **p, const char **end)
{
	while (*p < *end && is_blank(**p))
		(*p)++;
	while (*end > *p && is_blank((*end)[-1]))
		(*end)--;
}

static bool is_word(const char *p, const char *end, const char *word)
{
	return (size_t)(end - p) == strlen(word) && memcmp(p, word, (size_t)(end - p)) == 0;
}

/* "[profile NAME]" or "[NAME]" from its '[' on. */
static bool is_section(const char *p, const char *end, const char *profile, bool config)
{
	const char *close = memchr(p, ']', (size_t)(end - p));
	const char *word = "profile";
	size_t n = strlen(word);

	if (!close)
		return false;
	p++;
	trim(&p, &close);
	if (config && (size_t)(close - p) > n && memcmp(p, word, n) == 0 && is_blank(p[n])) {
		p += n;
		trim(&p, &close);
	} else if (config && strcmp(profile, "default") != 0) {
		return false;
	}
	if (close - p >= 2 && *p == '"' && close[-1] == '"') {
		p++;
		close--;
	}
	return is_word(p, close, profile);
}

/* "name = value" */
static void setting(const char *p, const char *end, struct ebb_creds_ini *ret)
{
	const char *equals = memchr(p, '=', (size_t)(end - p)), *name_end = equals, *value;

	if (!equals)
		return;
	trim(&p, &name_end);
	value = equals + 1;
	for (const char *q = value; q + 1 < end; q++)
		if (is_blank(q[0]) && (q[1] == '#' || q[1] == ';'))
			end = q;
	trim(&value, &end);
	for (size_t i = 0; i < EBB_CREDS_INI_COUNT; i++)
		if ((size_t)(name_end - p) == strlen(names[i]) &&
		    strncasecmp(p, names[i], (size_t)(name_end - p)) == 0 && !ret->value[i].p && end > value) {
			ret->value[i].p = value;
			ret->value[i].len = (size_t)(end - value);
		}
}

bool ebb_creds_ini_read(const char *text, size_t len, const char *profile, bool config, struct ebb_creds_ini *ret)
{
	const char *p = text, *stop = text + len;
	bool inside = false, found = false;

	while (p < stop) {
		const char *end = memchr(p, '\n', (size_t)(stop - p));

		end = end ? end : stop;
		if (p < end && *p == '[') {
			inside = is_section(p, end, profile, config);
			found |= inside;
		} else if (inside && p < end && !is_blank(*p) && *p != '#' && *p != ';') {
			setting(p, end, ret);
		}
		p = end + 1;
	}
	return found;
}
