/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Credentials of a container: $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI. Source: AWS SDKs and Tools Reference Guide, "Container
 * credential provider": over plain http only from this machine and the two addresses of ECS and EKS.
 */
#ifndef EBB_SCANNERS_CREDS_CONTAINER_H
#define EBB_SCANNERS_CREDS_CONTAINER_H

#include <stdbool.h>

#include "scanners/creds.h"

extern const struct ebb_creds_provider ebb_creds_container;

/* May credentials be asked for there? */
bool ebb_creds_container_allowed(const char *url);

/*
 * GET or PUT a URL of a metadata service, for providers. @header: one line, or NULL. The answer is the caller's to wipe and release.
 *
 * @return  0 with a 200; -EBB_ENOENT: nobody answers there; -EBB_ESTORE: another status, told.
 */
struct ebb_buf;
int ebb_creds_container_ask(const struct ebb_creds_context *ctx, const char *method, const char *url, const char *header,
			    struct ebb_buf *ret, struct ebb_err *err);

#endif
