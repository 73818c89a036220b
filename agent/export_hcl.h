/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lifecycle configuration as a Terraform resource of the AWS provider. Threads: any. */
#ifndef EBB_AGENT_EXPORT_HCL_H
#define EBB_AGENT_EXPORT_HCL_H

#include "core/buf.h"
#include "core/err.h"
#include "policies/lifecycle.h"

/* Append an aws_s3_bucket_lifecycle_configuration for @bucket. Returns 0 or -EBB_ENOMEM. */
int ebb_export_hcl(struct ebb_buf *out, const struct ebb_lifecycle *lc, const char *bucket,
		   struct ebb_err *err);

#endif
