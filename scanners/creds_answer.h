/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Temporary credentials as services and programs hand them out.
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_SCANNERS_CREDS_ANSWER_H
#define EBB_SCANNERS_CREDS_ANSWER_H

#include <stddef.h>

#include "scanners/creds.h"

/*
 * JSON: of metadata services (AccessKeyId, SecretAccessKey, Token, Expiration) and of programs (Version 1, AccessKeyId, SecretAccessKey,
 * SessionToken, Expiration). Sources: Amazon ECS Developer Guide, "Task IAM role"; AWS CLI User Guide, "Sourcing credentials with an external
 * process".
 *
 * @return  0 with the zeroed @ret filled in; -EBB_ESTORE for anything else, saying what is missing and nothing of what is there; -EBB_ENOMEM.
 */
int ebb_creds_answer_json(const char *text, size_t len, struct ebb_creds *ret, struct ebb_err *err);

/* XML: the <Credentials> of STS. As above; a refusal is told by its <Code> and <Message>. Source: AWS STS API Reference, AssumeRole. */
int ebb_creds_answer_xml(const char *text, size_t len, struct ebb_creds *ret, struct ebb_err *err);

#endif
