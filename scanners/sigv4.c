/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compress/digest.h"
#include "compress/hmac.h"
#include "core/clock.h"
#include "core/date.h"
#include "core/mem.h"
#include "core/secret.h"
#include "scanners/creds.h"

#define TEXT_MAX ((size_t)1 << 20)
#define PRESIGN_MAX 604800	/* seconds: seven days */
#define PRESIGN_PARAMS 7

/* --- Encoding --- */

static bool unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_' || c == '.' || c == '~';
}

int ebb_sigv4_encode(struct ebb_buf *out, const char *p, size_t len, bool keep_slash)
{
	static const char hex[] = "0123456789ABCDEF";

	if (ebb_buf_reserve(out, ebb_mem_mul(len, 3)) < 0)
		return -EBB_ENOMEM;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];
		char code[3] = {'%', hex[c >> 4], hex[c & 15]};

		if (unreserved(c) || (keep_slash && c == '/'))
			ebb_buf_addc(out, p[i]);
		else
			ebb_buf_add(out, code, 3);
	}
	return 0;
}

void ebb_sigv4_date(int64_t now, char out[17])
{
	struct ebb_date d = ebb_date_of(now);
	int64_t s = (now - ebb_date_days(d) * EBB_DATE_DAY_NS) / EBB_CLOCK_SECOND;
	char text[64];

	snprintf(text, sizeof(text), "%04d%02d%02dT%02d%02d%02dZ", d.year, d.month, d.day, (int)(s / 3600),
		 (int)(s / 60 % 60), (int)(s % 60));
	memcpy(out, text, 16);
	out[16] = '\0';
}

/* --- Query: sorted after encoding, by name and then by value --- */

struct encoded {
	struct ebb_buf name, value;
};

static int by_name_and_value(const void *a, const void *b)
{
	const struct encoded *x = a, *y = b;
	int c = strcmp(x->name.data, y->name.data);

	return c ? c : strcmp(x->value.data, y->value.data);
}

int ebb_sigv4_query(struct ebb_buf *out, const struct ebb_sigv4_pair *query, size_t n)
{
	struct encoded *all = calloc(n ? n : 1, sizeof(*all));
	int rc = all ? 0 : -EBB_ENOMEM;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		ebb_buf_init(&all[i].name, TEXT_MAX);
		ebb_buf_init(&all[i].value, TEXT_MAX);
		rc = ebb_sigv4_encode(&all[i].name, query[i].name, strlen(query[i].name), false);
		if (rc == 0)
			rc = ebb_sigv4_encode(&all[i].value, query[i].value, strlen(query[i].value), false);
	}
	if (rc == 0)
		qsort(all, n, sizeof(*all), by_name_and_value);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = ebb_buf_addf(out, "%s%s=%s", i ? "&" : "", all[i].name.data, all[i].value.data);
	for (size_t i = 0; all && i < n; i++) {
		ebb_buf_release(&all[i].name);
		ebb_buf_release(&all[i].value);
	}
	free(all);
	return rc;
}

/* --- Headers: sorted by name alone, equal names in their order --- */

struct header {
	const struct ebb_sigv4_pair *pair;
	size_t place;
};

static int by_name(const void *a, const void *b)
{
	const struct header *x = a, *y = b;
	int c = strcasecmp(x->pair->name, y->pair->name);

	return c ? c : (x->place > y->place) - (x->place < y->place);
}

static struct header *sorted(const struct ebb_sigv4_request *req)
{
	struct header *all = calloc(req->nheaders ? req->nheaders : 1, sizeof(*all));

	for (size_t i = 0; all && i < req->nheaders; i++)
		all[i] = (struct header){&req->headers[i], i};
	if (all)
		qsort(all, req->nheaders, sizeof(*all), by_name);
	return all;
}

static int add_lower(struct ebb_buf *out, const char *s)
{
	int rc = 0;

	for (; rc == 0 && *s; s++)
		rc = ebb_buf_addc(out, *s >= 'A' && *s <= 'Z' ? (char)(*s | 0x20) : *s);
	return rc;
}

/* Without blanks around, and one space for each run of them inside. */
static int add_trimmed(struct ebb_buf *out, const char *s)
{
	int rc = 0;
	bool gap = false;

	for (s += strspn(s, " \t\n"); rc == 0 && *s; s++) {
		if (strchr(" \t\n", *s)) {
			gap = true;
			continue;
		}
		if (gap)
			rc = ebb_buf_addc(out, ' ');
		gap = false;
		if (rc == 0)
			rc = ebb_buf_addc(out, *s);
	}
	return rc;
}

static bool same_as_before(const struct header *all, size_t i)
{
	return i && strcasecmp(all[i].pair->name, all[i - 1].pair->name) == 0;
}

static int add_signed_names(struct ebb_buf *out, const struct ebb_sigv4_request *req)
{
	EBB_CLEANUP(ebb_mem_freep) struct header *all = sorted(req);
	int rc = all ? 0 : -EBB_ENOMEM;

	for (size_t i = 0; rc == 0 && i < req->nheaders; i++) {
		if (same_as_before(all, i))
			continue;
		if (i)
			rc = ebb_buf_addc(out, ';');
		if (rc == 0)
			rc = add_lower(out, all[i].pair->name);
	}
	return rc;
}

static int add_headers(struct ebb_buf *out, const struct ebb_sigv4_request *req)
{
	EBB_CLEANUP(ebb_mem_freep) struct header *all = sorted(req);
	int rc = all ? 0 : -EBB_ENOMEM;

	for (size_t i = 0; rc == 0 && i < req->nheaders; i++) {
		if (same_as_before(all, i)) {
			rc = ebb_buf_addc(out, ',');
		} else {
			rc = i ? ebb_buf_addc(out, '\n') : 0;
			rc = rc ? rc : add_lower(out, all[i].pair->name);
			rc = rc ? rc : ebb_buf_addc(out, ':');
		}
		rc = rc ? rc : add_trimmed(out, all[i].pair->value);
	}
	return rc ? rc : ebb_buf_addc(out, '\n');
}

/* --- The texts --- */

int ebb_sigv4_canonical(const struct ebb_sigv4_request *req, struct ebb_buf *out)
{
	int rc = ebb_buf_addf(out, "%s\n%s\n", req->method, req->path);

	rc = rc ? rc : ebb_sigv4_query(out, req->query, req->nquery);
	rc = rc ? rc : ebb_buf_addc(out, '\n');
	rc = rc ? rc : add_headers(out, req);
	rc = rc ? rc : ebb_buf_addc(out, '\n');
	rc = rc ? rc : add_signed_names(out, req);
	return rc ? rc : ebb_buf_addf(out, "\n%s", req->payload);
}

int ebb_sigv4_hash(const void *p, size_t len, char out[EBB_SIGV4_HASH], struct ebb_err *err)
{
	uint8_t sum[32];
	int rc = ebb_digest_of(&ebb_digest_sha256, p, len, sum, err);

	if (rc == 0)
		ebb_digest_hex(sum, sizeof(sum), out);
	return rc;
}

int ebb_sigv4_to_sign(const struct ebb_sigv4_request *req, const char *region, const char *service,
		      int64_t now, struct ebb_buf *out, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf canonical = EBB_BUF_INIT(TEXT_MAX);
	char date[17], hash[EBB_SIGV4_HASH];

	if (ebb_sigv4_canonical(req, &canonical) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to sign a request");
	int rc = ebb_sigv4_hash(canonical.data, canonical.len, hash, err);
	if (rc < 0)
		return rc;
	ebb_sigv4_date(now, date);
	rc = ebb_buf_addf(out, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", date, date, region,
			  service, hash);
	return rc < 0 ? ebb_err_set(err, EBB_ENOMEM, "no memory to sign a request") : 0;
}

/* --- Keys and signatures --- */

static int chain(const void *key, size_t klen, const char *text, uint8_t ret[32], struct ebb_err *err)
{
	return ebb_hmac_sha256(key, klen, text, strlen(text), ret, err);
}

static int derive(const struct ebb_creds *creds, const char *date, const char *region,
		  const char *service, uint8_t key[32], struct ebb_err *err)
{
	size_t len;
	const char *secret = ebb_secret_expose(creds->secret, &len);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf first = EBB_BUF_INIT(64 << 10);
	const char day[9] = {date[0], date[1], date[2], date[3], date[4], date[5], date[6], date[7], 0};
	uint8_t a[32], b[32];
	int rc = ebb_buf_reserve(&first, len + 4);	/* at once: moving it would leave copies */

	if (rc < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a signing key");
	ebb_buf_adds(&first, "AWS4");
	ebb_buf_add(&first, secret, len);
	rc = ebb_hmac_sha256(first.data, first.len, day, 8, a, err);
	rc = rc ? rc : chain(a, 32, region, b, err);
	rc = rc ? rc : chain(b, 32, service, a, err);
	rc = rc ? rc : chain(a, 32, "aws4_request", key, err);
	explicit_bzero(first.data, first.size);
	explicit_bzero(a, sizeof(a));
	explicit_bzero(b, sizeof(b));
	return rc;
}

/* Make @key the one for this scope. */
static int find_key(const struct ebb_creds *creds, const char *date, const char *region,
		    const char *service, struct ebb_sigv4_key *key, struct ebb_err *err)
{
	char scope[sizeof(key->scope)];
	int n = snprintf(scope, sizeof(scope), "%s/%.8s/%s/%s", creds->access_key, date, region, service);

	if (n < 0 || (size_t)n >= sizeof(scope))
		return ebb_err_set(err, EBB_EINVAL, "the access key or region '%s' is too long", region);
	if (strcmp(scope, key->scope) == 0)
		return 0;
	ebb_sigv4_key_clear(key);
	int rc = derive(creds, date, region, service, key->key, err);
	if (rc == 0)
		memcpy(key->scope, scope, sizeof(scope));
	return rc;
}

void ebb_sigv4_key_clear(struct ebb_sigv4_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

static int signature(const struct ebb_sigv4_request *req, const struct ebb_creds *creds,
		     const char *region, const char *service, int64_t now, struct ebb_sigv4_key *key,
		     char out[65], struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(TEXT_MAX);
	char date[17];
	uint8_t sum[32];

	ebb_sigv4_date(now, date);
	int rc = find_key(creds, date, region, service, key, err);
	if (rc == 0)
		rc = ebb_sigv4_to_sign(req, region, service, now, &text, err);
	if (rc < 0)
		return rc;
	rc = ebb_hmac_sha256(key->key, 32, text.data, text.len, sum, err);
	if (rc == 0)
		ebb_digest_hex(sum, sizeof(sum), out);
	return rc;
}

int ebb_sigv4_sign(const struct ebb_sigv4_request *req, const struct ebb_creds *creds,
		   const char *region, const char *service, int64_t now, struct ebb_sigv4_key *key,
		   struct ebb_buf *out, struct ebb_err *err)
{
	char date[17], sum[65];
	int rc = signature(req, creds, region, service, now, key, sum, err);

	if (rc < 0)
		return rc;
	ebb_sigv4_date(now, date);
	if (ebb_buf_addf(out, "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=",
			 creds->access_key, date, region, service) < 0 ||
	    add_signed_names(out, req) < 0 || ebb_buf_addf(out, ", Signature=%s", sum) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to sign a request");
	return 0;
}

int ebb_sigv4_presign(const struct ebb_sigv4_request *req, const struct ebb_creds *creds,
		      const char *region, const char *service, int64_t now, unsigned seconds,
		      struct ebb_buf *out, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf names = EBB_BUF_INIT(TEXT_MAX);
	EBB_CLEANUP(ebb_mem_freep) struct ebb_sigv4_pair *query =
		calloc(req->nquery + PRESIGN_PARAMS, sizeof(*query));
	struct ebb_sigv4_request all = *req;
	struct ebb_sigv4_key key = {0};
	char date[17], credential[200], expires[16], sum[65];
	size_t n = req->nquery;

	if (seconds == 0 || seconds > PRESIGN_MAX)
		return ebb_err_set(err, EBB_EINVAL, "a presigned URL lives 1 to %d seconds, not %u", PRESIGN_MAX,
				   seconds);
	if (!query || add_signed_names(&names, req) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to sign a request");
	ebb_sigv4_date(now, date);
	snprintf(credential, sizeof(credential), "%s/%.8s/%s/%s/aws4_request", creds->access_key, date,
		 region, service);
	snprintf(expires, sizeof(expires), "%u", seconds);
	if (n)
		memcpy(query, req->query, n * sizeof(*query));
	query[n++] = (struct ebb_sigv4_pair){"X-Amz-Algorithm", "AWS4-HMAC-SHA256"};
	query[n++] = (struct ebb_sigv4_pair){"X-Amz-Credential", credential};
	query[n++] = (struct ebb_sigv4_pair){"X-Amz-Date", date};
	query[n++] = (struct ebb_sigv4_pair){"X-Amz-Expires", expires};
	query[n++] = (struct ebb_sigv4_pair){"X-Amz-SignedHeaders", names.data ? names.data : ""};
	if (creds->token)
		query[n++] = (struct ebb_sigv4_pair){"X-Amz-Security-Token",
						     ebb_secret_expose(creds->token, NULL)};
	all.query = query;
	all.nquery = n;
	all.payload = EBB_SIGV4_UNSIGNED;
	int rc = signature(&all, creds, region, service, now, &key, sum, err);
	ebb_sigv4_key_clear(&key);
	if (rc < 0)
		return rc;
	if (ebb_sigv4_query(out, query, n) < 0 || ebb_buf_addf(out, "&X-Amz-Signature=%s", sum) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to sign a request");
	return 0;
}
