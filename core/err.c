/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct row {
	const char *name;
	enum ebb_err_class class;
	enum ebb_err_exit status;
};

/*
 * What happened to one object is SKIP: the run goes on and ends with EBB_EXIT_PARTIAL. What no
 * other object could escape either (credentials, a full disk, a damaged index) is FATAL.
 */
static const struct row rows[EBB_E_COUNT] = {
	[EBB_EINVAL] = {"invalid", EBB_CLASS_FATAL, EBB_EXIT_USAGE},
	[EBB_ENOMEM] = {"no-memory", EBB_CLASS_FATAL, EBB_EXIT_PARTIAL},
	[EBB_ERANGE] = {"range", EBB_CLASS_FATAL, EBB_EXIT_PARTIAL},
	[EBB_EUSAGE] = {"usage", EBB_CLASS_FATAL, EBB_EXIT_USAGE},
	[EBB_ECONFIG] = {"config", EBB_CLASS_FATAL, EBB_EXIT_CONFIG},
	[EBB_EIO] = {"io", EBB_CLASS_SKIP, EBB_EXIT_STORE},
	[EBB_ENOENT] = {"not-found", EBB_CLASS_SKIP, EBB_EXIT_PARTIAL},
	[EBB_EEXIST] = {"exists", EBB_CLASS_SKIP, EBB_EXIT_PARTIAL},
	[EBB_EACCES] = {"access", EBB_CLASS_SKIP, EBB_EXIT_STORE},
	[EBB_ENOSPC] = {"no-space", EBB_CLASS_FATAL, EBB_EXIT_STORE},
	[EBB_ESTORE] = {"store", EBB_CLASS_FATAL, EBB_EXIT_STORE},
	[EBB_ENOTSUP] = {"not-supported", EBB_CLASS_SKIP, EBB_EXIT_PARTIAL},
	[EBB_ECHANGED] = {"changed", EBB_CLASS_SKIP, EBB_EXIT_PARTIAL},
	[EBB_EMISMATCH] = {"mismatch", EBB_CLASS_SKIP, EBB_EXIT_PARTIAL},
	[EBB_ECORRUPT] = {"corrupt", EBB_CLASS_SKIP, EBB_EXIT_PARTIAL},
	[EBB_EINDEX] = {"index", EBB_CLASS_FATAL, EBB_EXIT_INDEX},
	[EBB_EVERSION] = {"version", EBB_CLASS_FATAL, EBB_EXIT_INDEX},
	[EBB_EJOURNAL] = {"journal", EBB_CLASS_FATAL, EBB_EXIT_INDEX},
	[EBB_ESTALE] = {"stale", EBB_CLASS_STALE, EBB_EXIT_STALE},
	[EBB_ELIMIT] = {"limit", EBB_CLASS_FATAL, EBB_EXIT_LIMIT},
	[EBB_EALERT] = {"alert", EBB_CLASS_FATAL, EBB_EXIT_ALERT},
	[EBB_ELOCKED] = {"locked", EBB_CLASS_FATAL, EBB_EXIT_LOCKED},
	[EBB_ECANCELLED] = {"cancelled", EBB_CLASS_FATAL, EBB_EXIT_INTERRUPTED},
	[EBB_ETHROTTLE] = {"throttled", EBB_CLASS_THROTTLE, EBB_EXIT_STORE},
	[EBB_ETRANSIENT] = {"transient", EBB_CLASS_RETRY, EBB_EXIT_STORE},
	[EBB_EASLEEP] = {"asleep", EBB_CLASS_SKIP, EBB_EXIT_LIMIT},
	[EBB_EPARTIAL] = {"partial", EBB_CLASS_SKIP, EBB_EXIT_PARTIAL},
};

static const struct row *row_of(int code)
{
	if (code <= -EBB_E_COUNT || code >= EBB_E_COUNT)
		return NULL;
	const struct row *row = &rows[code < 0 ? -code : code];
	return row->name ? row : NULL;
}

/* Append to the message; what does not fit ends in "...". */
__attribute__((format(printf, 2, 0)))
static void vappend(struct ebb_err *err, const char *fmt, va_list ap)
{
	size_t len = strlen(err->msg);
	size_t room = sizeof(err->msg) - len;
	int n = vsnprintf(err->msg + len, room, fmt, ap);

	if (n < 0 || (size_t)n >= room)
		memcpy(err->msg + sizeof(err->msg) - 4, "...", 4);
}

__attribute__((format(printf, 2, 3)))
static void append(struct ebb_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vappend(err, fmt, ap);
	va_end(ap);
}

int ebb_err_set(struct ebb_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->code)
		return -code;
	err->code = code;
	err->sys = 0;
	err->msg[0] = '\0';
	va_start(ap, fmt);
	vappend(err, fmt, ap);
	va_end(ap);
	return -code;
}

static int code_of_errno(int sys)
{
	switch (sys) {
	case ENOSPC:
	case EDQUOT:
		return EBB_ENOSPC;
	case ENOENT:
	case ENOTDIR:
		return EBB_ENOENT;
	case EACCES:
	case EPERM:
	case EROFS:
		return EBB_EACCES;
	case EEXIST:
	case ENOTEMPTY:
		return EBB_EEXIST;
	case ENOMEM:
		return EBB_ENOMEM;
	case EOPNOTSUPP:
	case ENOSYS:
		return EBB_ENOTSUP;
	default:
		return EBB_EIO;
	}
}

int ebb_err_sys(struct ebb_err *err, int sys, const char *fmt, ...)
{
	int code = code_of_errno(sys);
	char reason[128];
	va_list ap;

	if (!err || err->code)
		return -code;
	err->code = code;
	err->sys = sys;
	err->msg[0] = '\0';
	va_start(ap, fmt);
	vappend(err, fmt, ap);
	va_end(ap);
	append(err, ": %s", strerror_r(sys, reason, sizeof(reason)));
	return -code;
}

int ebb_err_wrap(struct ebb_err *err, const char *fmt, ...)
{
	char old[sizeof(err->msg)];
	va_list ap;

	if (!err || !err->code)
		return -EBB_EINVAL;
	memcpy(old, err->msg, sizeof(old));
	err->msg[0] = '\0';
	va_start(ap, fmt);
	vappend(err, fmt, ap);
	va_end(ap);
	append(err, ": %s", old);
	return -err->code;
}

void ebb_err_clear(struct ebb_err *err)
{
	err->code = 0;
	err->sys = 0;
	err->msg[0] = '\0';
}

enum ebb_err_class ebb_err_class_of(int code)
{
	const struct row *row = row_of(code);

	return row ? row->class : EBB_CLASS_FATAL;
}

int ebb_err_exit_of(int code)
{
	const struct row *row = row_of(code);

	if (!code)
		return EBB_EXIT_OK;
	return row ? (int)row->status : EBB_EXIT_PARTIAL;
}

const char *ebb_err_name(int code)
{
	const struct row *row = row_of(code);

	return row ? row->name : "unknown";
}
