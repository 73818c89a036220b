/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/creds_answer.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "core/units.h"
#include "scanners/jsonscan.h"

/* Longest token; those of STS have some 1,000 bytes and "no fixed maximum". */
#define TOKEN_MAX 16384

struct parts {
	char id[256], secret[512], token[TOKEN_MAX], expires[64];
	bool has_token, has_expires;
};

static int make(struct parts *p, struct ebb_creds *ret, struct ebb_err *err)
{
	int64_t expires = INT64_MAX;
	int rc = p->has_expires ? ebb_units_parse_time(p->expires, &expires, NULL) : 0;

	if (rc < 0)
		rc = ebb_err_set(err, EBB_ESTORE, "the answer's expiration is no time");
	if (rc == 0)
		rc = ebb_creds_set(ret, p->id, p->secret, p->has_token ? p->token : NULL, expires, err);
	explicit_bzero(p, sizeof(*p));
	return rc;
}

static bool text(struct ebb_jsonscan_value v, char *out, size_t cap)
{
	int64_t n = ebb_jsonscan_string(v, out, cap - 1);

	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

int ebb_creds_answer_json(const char *answer, size_t len, struct ebb_creds *ret, struct ebb_err *err)
{
	static const char *const paths[] = {"AccessKeyId", "SecretAccessKey", "Token", "SessionToken", "Expiration", "Version", "Code"};
	struct ebb_jsonscan_value v[7];
	char code[64], quoted[EBB_TEXT_QUOTED];
	struct parts p;

	if (!ebb_jsonscan_find(answer, len, paths, 7, v))
		return ebb_err_set(err, EBB_ESTORE, "the answer is no JSON object");
	if (text(v[6], code, sizeof(code)) && strcmp(code, "Success") != 0)
		return ebb_err_set(err, EBB_ESTORE, "refused: %s", ebb_text_quotes(code, quoted, sizeof(quoted)));
	if (v[5].p && ebb_jsonscan_number(v[5]) != 1)
		return ebb_err_set(err, EBB_ESTORE, "the answer has a Version that is not 1");
	if (!text(v[0], p.id, sizeof(p.id)) || !text(v[1], p.secret, sizeof(p.secret)))
		return ebb_err_set(err, EBB_ESTORE, "the answer lacks AccessKeyId or SecretAccessKey");
	p.has_token = text(v[2].p ? v[2] : v[3], p.token, sizeof(p.token));
	p.has_expires = text(v[4], p.expires, sizeof(p.expires));
	return make(&p, ret, err);
}

/* Content of the first element of that name. What STS puts into these has no characters that XML escapes. */
static bool element(const char *xml, size_t len, const char *name, char *out, size_t cap)
{
	char open[64], close[64];
	const char *p, *q;
	int n = snprintf(open, sizeof(open), "<%s>", name);
	int m = snprintf(close, sizeof(close), "</%s>", name);

	p = memmem(xml, len, open, (size_t)n);
	if (!p)
		return false;
	p += n;
	q = memmem(p, len - (size_t)(p - xml), close, (size_t)m);
	if (!q || (size_t)(q - p) >= cap || q == p)
		return false;
	memcpy(out, p, (size_t)(q - p));
	out[q - p] = '\0';
	return true;
}

int ebb_creds_answer_xml(const char *xml, size_t len, struct ebb_creds *ret, struct ebb_err *err)
{
	char code[128], message[256] = "", quoted[EBB_TEXT_QUOTED];
	struct parts p;

	if (element(xml, len, "Code", code, sizeof(code))) {
		(void)element(xml, len, "Message", message, sizeof(message));
		return ebb_err_set(err, EBB_ESTORE, "refused: %s",
				   ebb_text_quotes(*message ? message : code, quoted, sizeof(quoted)));
	}
	if (!element(xml, len, "AccessKeyId", p.id, sizeof(p.id)) ||
	    !element(xml, len, "SecretAccessKey", p.secret, sizeof(p.secret)) ||
	    !element(xml, len, "SessionToken", p.token, sizeof(p.token)))
		return ebb_err_set(err, EBB_ESTORE, "the answer has no credentials");
	p.has_token = true;
	p.has_expires = element(xml, len, "Expiration", p.expires, sizeof(p.expires));
	return make(&p, ret, err);
}
