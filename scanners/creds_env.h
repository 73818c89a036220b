/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Credentials from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. */
#ifndef EBB_SCANNERS_CREDS_ENV_H
#define EBB_SCANNERS_CREDS_ENV_H

#include "scanners/creds.h"

extern const struct ebb_creds_provider ebb_creds_env;

#endif
