/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words of log lines: what the formats of accesslog.h share.
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_SCANNERS_LOGWORD_H
#define EBB_SCANNERS_LOGWORD_H

#include "scanners/accesslog.h"

/* Next word of a line up to a blank, or between quotes (which the text lacks); false at the end. @at moves behind it. */
bool ebb_logword_next(const char **at, const char *end, struct ebb_accesslog_text *ret);

/* "06/Feb/2019:00:00:38 +0000" without brackets. False when it is none. */
bool ebb_logword_time(struct ebb_accesslog_text t, struct ebb_accesslog_scratch *s, int64_t *ret);

/* A decimal number, or "-" for 0. False for anything else. */
bool ebb_logword_number(struct ebb_accesslog_text t, int64_t *ret);

/* Decode %XX into @out of @cap bytes. Returns the length, or -1 when it does not fit or holds a NUL. */
int64_t ebb_logword_unescape(struct ebb_accesslog_text t, char *out, size_t cap);

/* Is a status that of a read that gave the object, or said that the client's copy is current? */
bool ebb_logword_read_ok(int64_t status);

/* Does a user agent name ebb? */
bool ebb_logword_own(struct ebb_accesslog_text agent);

#endif
