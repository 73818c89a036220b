/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Credentials of an EC2 instance's role: the instance metadata service, version 2 (with a session token). Source: Amazon EC2 User Guide, "Use the
 * Instance Metadata Service"; "Retrieve security credentials from instance metadata".
 *
 * $AWS_EC2_METADATA_SERVICE_ENDPOINT names another address, $AWS_EC2_METADATA_DISABLED=true leaves it out.
 */
#ifndef EBB_SCANNERS_CREDS_IMDS_H
#define EBB_SCANNERS_CREDS_IMDS_H

#include "scanners/creds.h"

extern const struct ebb_creds_provider ebb_creds_imds;

#endif
