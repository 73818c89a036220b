/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who asks: the credentials of a client, kept fresh by a thread of their own, since getting new ones may block on the network
 * while the HTTP loop must not.
 *
 * Threads: every function but open and free may be called from any thread; none but open blocks.
 */
#ifndef EBB_SCANNERS_S3_AUTH_H
#define EBB_SCANNERS_S3_AUTH_H

#include <stdbool.h>

#include "scanners/creds.h"
#include "scanners/sigv4.h"

struct ebb_s3_auth;

/*
 * Get credentials now, and be ready to get more.
 *
 * @ctx        strings and pointers in it must live as long as this.
 * @provider   asked instead of ebb_creds_find; NULL: that.
 * @refreshed  called after each refresh on the thread of this, with 0 or the negative code and its message.
 * @return     0; what getting them returned.
 */
int ebb_s3_auth_open(const struct ebb_creds_context *ctx, const struct ebb_creds_provider *provider,
		     void (*refreshed)(void *owner, int rc, const struct ebb_err *why), void *owner,
		     struct ebb_s3_auth **ret, struct ebb_err *err);

/* No more refreshes: waits for one that is under way. NULL is a no-op. */
void ebb_s3_auth_stop(struct ebb_s3_auth *a);

/* After stop. NULL is a no-op. */
void ebb_s3_auth_free(struct ebb_s3_auth *a);

/* Ask for new credentials; `refreshed` follows. Those that there are stay in use until then. */
void ebb_s3_auth_refresh(struct ebb_s3_auth *a);

/* Can requests be signed at @now? Asks for new credentials when these end within five minutes. */
bool ebb_s3_auth_usable(struct ebb_s3_auth *a, int64_t now);

/*
 * Append "authorization: ..." and, for temporary credentials, "x-amz-security-token: ...", each with a NUL behind it. @req
 * without the token header, which is added and signed here.
 *
 * @ret_session  whether there is a token.
 */
int ebb_s3_auth_sign(struct ebb_s3_auth *a, const struct ebb_sigv4_request *req, const char *region,
		     int64_t now, struct ebb_buf *out, bool *ret_session, struct ebb_err *err);

#endif
