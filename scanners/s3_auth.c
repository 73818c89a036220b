/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/s3_auth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/secret.h"

#define EARLY (300 * EBB_CLOCK_SECOND)
#define SERVICE "s3"

struct ebb_s3_auth {
	struct ebb_creds_context ctx;
	const struct ebb_creds_provider *provider;
	void (*refreshed)(void *owner, int rc, const struct ebb_err *why);
	void *owner;
	pthread_t thread;
	pthread_mutex_t mutex;	/* protects what follows */
	pthread_cond_t cond;
	bool wanted, stop;
	struct ebb_creds creds;
	struct ebb_sigv4_key key;
};

static int fetch(struct ebb_s3_auth *a, struct ebb_creds *ret, struct ebb_err *err)
{
	return a->provider ? a->provider->get(&a->ctx, ret, err) : ebb_creds_find(&a->ctx, ret, err);
}

/* One refresh. Called and left with the lock held, which is not held while others are asked. */
static void refresh(struct ebb_s3_auth *a)
{
	struct ebb_creds fresh = {0};
	struct ebb_err why = {0};

	a->wanted = false;
	pthread_mutex_unlock(&a->mutex);
	int rc = fetch(a, &fresh, &why);
	pthread_mutex_lock(&a->mutex);
	if (rc == 0) {
		ebb_creds_release(&a->creds);
		ebb_sigv4_key_clear(&a->key);
		a->creds = fresh;
	}
	pthread_mutex_unlock(&a->mutex);
	a->refreshed(a->owner, rc, &why);
	pthread_mutex_lock(&a->mutex);
}

static void *keep_fresh(void *arg)
{
	struct ebb_s3_auth *a = arg;

	pthread_mutex_lock(&a->mutex);
	while (!a->stop) {
		if (a->wanted)
			refresh(a);
		else
			pthread_cond_wait(&a->cond, &a->mutex);
	}
	pthread_mutex_unlock(&a->mutex);
	return NULL;
}

int ebb_s3_auth_open(const struct ebb_creds_context *ctx, const struct ebb_creds_provider *provider,
		     void (*refreshed)(void *owner, int rc, const struct ebb_err *why), void *owner,
		     struct ebb_s3_auth **ret, struct ebb_err *err)
{
	struct ebb_s3_auth *a = calloc(1, sizeof(*a));

	if (!a)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for credentials");
	a->ctx = *ctx;
	a->provider = provider;
	a->refreshed = refreshed;
	a->owner = owner;
	int rc = fetch(a, &a->creds, err);
	if (rc < 0) {
		free(a);
		return rc;
	}
	pthread_mutex_init(&a->mutex, NULL);
	pthread_cond_init(&a->cond, NULL);
	if (pthread_create(&a->thread, NULL, keep_fresh, a) != 0) {
		ebb_creds_release(&a->creds);
		free(a);
		return ebb_err_set(err, EBB_ENOMEM, "cannot start a thread for credentials");
	}
	*ret = a;
	return 0;
}

void ebb_s3_auth_stop(struct ebb_s3_auth *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->mutex);
	a->stop = true;
	pthread_cond_signal(&a->cond);
	pthread_mutex_unlock(&a->mutex);
	pthread_join(a->thread, NULL);
}

void ebb_s3_auth_free(struct ebb_s3_auth *a)
{
	if (!a)
		return;
	pthread_cond_destroy(&a->cond);
	pthread_mutex_destroy(&a->mutex);
	ebb_creds_release(&a->creds);
	ebb_sigv4_key_clear(&a->key);
	free(a);
}

void ebb_s3_auth_refresh(struct ebb_s3_auth *a)
{
	pthread_mutex_lock(&a->mutex);
	a->wanted = true;
	pthread_cond_signal(&a->cond);
	pthread_mutex_unlock(&a->mutex);
}

bool ebb_s3_auth_usable(struct ebb_s3_auth *a, int64_t now)
{
	pthread_mutex_lock(&a->mutex);
	bool usable = now < a->creds.expires;
	if (usable && a->creds.expires - now < EARLY && !a->wanted) {
		a->wanted = true;
		pthread_cond_signal(&a->cond);
	}
	pthread_mutex_unlock(&a->mutex);
	return usable;
}

static int sign(struct ebb_s3_auth *a, struct ebb_sigv4_request *req, struct ebb_sigv4_pair *spare,
		const char *region, int64_t now, struct ebb_buf *out, struct ebb_err *err)
{
	int rc = 0;

	if (a->creds.token) {
		*spare = (struct ebb_sigv4_pair){"x-amz-security-token",
						 ebb_secret_expose(a->creds.token, NULL)};
		req->nheaders++;
		rc = ebb_buf_addf(out, "%s: %s%c", spare->name, spare->value, '\0');
	}
	rc = rc ? rc : ebb_buf_adds(out, "authorization: ");
	if (rc < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to sign a request");
	rc = ebb_sigv4_sign(req, &a->creds, region, SERVICE, now, &a->key, out, err);
	return rc ? rc : ebb_buf_addc(out, '\0');
}

int ebb_s3_auth_sign(struct ebb_s3_auth *a, const struct ebb_sigv4_request *req, const char *region,
		     int64_t now, struct ebb_buf *out, bool *ret_session, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) struct ebb_sigv4_pair *headers =
		calloc(req->nheaders + 1, sizeof(*headers));
	struct ebb_sigv4_request all = *req;

	if (!headers)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to sign a request");
	memcpy(headers, req->headers, req->nheaders * sizeof(*headers));
	all.headers = headers;
	pthread_mutex_lock(&a->mutex);
	int rc = sign(a, &all, &headers[req->nheaders], region, now, out, err);
	*ret_session = a->creds.token != NULL;
	pthread_mutex_unlock(&a->mutex);
	return rc;
}
