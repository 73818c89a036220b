/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a configuration requires of a bucket is asked for, not assumed: nobody else can read it, and what is written is encrypted. */
#include <string.h>
#include <strings.h>

#include "scanners/s3_xml.h"
#include "scanners/store_s3.h"

/* A document about the bucket. 1; 0 when there is none; negative. */
static int ask(struct ebb_store_s3 *s, const char *what, struct ebb_s3_call *call, struct ebb_err *err)
{
	struct ebb_err why = {0};

	ebb_s3_call_init(call, EBB_S3_GET_CONFIG, "GET", NULL);
	ebb_s3_call_query(call, what, "");
	int rc = ebb_s3_do(s->s3, call, &why);
	if (rc == 0)
		return 1;
	return rc == -EBB_ENOENT ? 0 : ebb_err_set(err, -rc, "%s", why.msg);
}

static bool says(const struct ebb_s3_call *call, const char *parent, const char *name, const char *word)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf text = EBB_BUF_INIT(64);

	return ebb_s3_xml_find(call->http.answer.data, call->http.answer.len, parent, name, &text) && text.len &&
	       strcasecmp(text.data, word) == 0;
}

/* S3 API Reference, PublicAccessBlockConfiguration: with all four nothing can be public. */
static bool is_blocked(struct ebb_store_s3 *s)
{
	static const char *const all[] = {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"};
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};

	if (ask(s, "publicAccessBlock", &call, NULL) != 1)
		return false;
	for (size_t i = 0; i < EBB_ARRAY_LEN(all); i++)
		if (!says(&call, "PublicAccessBlockConfiguration", all[i], "true"))
			return false;
	return true;
}

static int check_private(struct ebb_store_s3 *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call policy = {0};
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call acl = {0};
	struct ebb_err why = {0};

	if (is_blocked(s))
		return 0;
	int rc = ask(s, "policyStatus", &policy, &why);
	if (rc == 1 && says(&policy, "PolicyStatus", "IsPublic", "true"))
		return ebb_err_set(err, EBB_ESTORE, "store '%s' must be private, but bucket '%s' is public by its policy or access list", s->base.name,
				   ebb_s3_bucket(s->s3));
	if (rc >= 0)
		rc = ask(s, "acl", &acl, &why);
	if (rc < 0)
		return ebb_err_set(err, EBB_ESTORE, "store '%s' must be private, and whether it is cannot be told: %s", s->base.name, why.msg);
	/* S3 User Guide, "Amazon S3 predefined groups" */
	if (rc == 1 && (memmem(acl.http.answer.data, acl.http.answer.len, "groups/global/AllUsers", 22) ||
			memmem(acl.http.answer.data, acl.http.answer.len, "groups/global/AuthenticatedUsers", 32)))
		return ebb_err_set(err, EBB_ESTORE, "store '%s' must be private, but the access list of bucket '%s' lets everybody in", s->base.name,
				   ebb_s3_bucket(s->s3));
	return 0;
}

static enum ebb_meta_seal seal_of(const char *algorithm)
{
	return strncmp(algorithm, "aws:kms", 7) == 0 ? EBB_META_KEYED : *algorithm ? EBB_META_SEALED : EBB_META_OPEN;
}

/* Either we say how each time, or the bucket does by itself. */
static int find_seal(struct ebb_store_s3 *s, enum ebb_meta_seal *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf how = EBB_BUF_INIT(64);

	*ret = s->customer_key ? EBB_META_KEYED : seal_of(s->sse ? s->sse : "");
	if (*ret != EBB_META_OPEN)
		return 0;
	int rc = ask(s, "encryption", &call, err);
	if (rc == 1 && ebb_s3_xml_find(call.http.answer.data, call.http.answer.len, "ApplyServerSideEncryptionByDefault", "SSEAlgorithm", &how) &&
	    how.len)
		*ret = seal_of(how.data);
	return rc < 0 ? rc : 0;
}

int ebb_store_s3_guard_seal(struct ebb_store *base, enum ebb_meta_seal *ret, struct ebb_err *err)
{
	int rc = find_seal((struct ebb_store_s3 *)base, ret, err);

	if (rc == 0 || rc == -EBB_ENOMEM)
		return rc;
	ebb_err_clear(err);
	return 0; /* we may not ask, or the server does not know the question */
}

static int check_encrypted(struct ebb_store_s3 *s, struct ebb_err *err)
{
	enum ebb_meta_seal seal;
	struct ebb_err why = {0};
	int rc = find_seal(s, &seal, &why);

	if (rc < 0)
		return ebb_err_set(err, EBB_ESTORE, "store '%s' must be encrypted, and whether it is cannot be told: %s", s->base.name, why.msg);
	if (seal != EBB_META_OPEN)
		return 0;
	return ebb_err_set(err, EBB_ESTORE, "store '%s' must be encrypted, but it says no 'sse' and bucket '%s' does not encrypt by itself",
			   s->base.name, ebb_s3_bucket(s->s3));
}

int ebb_store_s3_guard_bucket(struct ebb_store_s3 *s, struct ebb_err *err)
{
	int rc = s->must_be_private ? check_private(s, err) : 0;

	return rc == 0 && s->must_be_encrypted ? check_encrypted(s, err) : rc;
}

int ebb_store_s3_guard_object(const struct ebb_store_s3 *s, const char *key, const struct ebb_store_s3_object *o, struct ebb_err *err)
{
	if (!s->must_be_encrypted || *o->sse || o->customer_key)
		return 0;
	return ebb_err_set(err, EBB_EMISMATCH, "'%s' must be encrypted, and the store says nothing of it", key);
}
