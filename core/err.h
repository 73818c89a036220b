/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors: one list of codes, one table that gives each a class and an exit status, one struct that
 * carries the message to whoever can show it.
 *
 * A function that can fail returns 0 (or a documented non-negative value) or a negative code,
 * -EBB_E*. The class, not the call site, decides what happens next: retry, slow down, skip the
 * object, plan again, or stop.
 *
 * Threads: a struct ebb_err belongs to one thread at a time; the tables are constant.
 */
#ifndef EBB_CORE_ERR_H
#define EBB_CORE_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum ebb_err_code {
	EBB_EINVAL = 1,	/* an argument is malformed (a bug, or input nobody could read) */
	EBB_ENOMEM,	/* memory, or a cap given at creation, is exhausted */
	EBB_ERANGE,	/* a number does not fit: overflow of bytes, money or time */
	EBB_EUSAGE,	/* the command line is wrong */
	EBB_ECONFIG,	/* configuration, rules or price books are wrong */
	EBB_EIO,	/* reading or writing failed */
	EBB_ENOENT,	/* no such object, file or run */
	EBB_EEXIST,	/* something already stands there */
	EBB_EACCES,	/* permission denied */
	EBB_ENOSPC,	/* the destination is full, or over its quota */
	EBB_ESTORE,	/* a store is missing, is not what it was, or refuses credentials */
	EBB_ENOTSUP,	/* the store or the format cannot do this */
	EBB_ECHANGED,	/* the object is no longer what the plan saw */
	EBB_EMISMATCH,	/* a verification found different bytes or metadata */
	EBB_ECORRUPT,	/* stored bytes do not decode */
	EBB_EINDEX,	/* the index cannot be used */
	EBB_EVERSION,	/* written by a newer ebb */
	EBB_EJOURNAL,	/* the journal cannot be used */
	EBB_ESTALE,	/* the plan no longer fits the index or the stores */
	EBB_ELIMIT,	/* a limit of the run was reached */
	EBB_EALERT,	/* a budget or anomaly alert fired */
	EBB_ELOCKED,	/* another run holds the lock */
	EBB_ECANCELLED,	/* a signal or a caller asked to stop */
	EBB_ETHROTTLE,	/* the endpoint asks to slow down */
	EBB_ETRANSIENT,	/* may succeed when tried again: timeout, connection reset, 5xx */
	EBB_EASLEEP,	/* the object is archived and must be thawed before it is read */
	EBB_EPARTIAL,	/* some objects failed or were skipped, the rest is done */
	EBB_E_COUNT	/* one past the last code */
};

enum ebb_err_class {
	EBB_CLASS_FATAL,	/* stop the run */
	EBB_CLASS_SKIP,		/* leave this object, go on with the next */
	EBB_CLASS_STALE,	/* scan or plan again */
	EBB_CLASS_RETRY,	/* try again, with backoff */
	EBB_CLASS_THROTTLE	/* try again, with less at once */
};

/* Exit statuses of the program; scripts depend on them. */
enum ebb_err_exit {
	EBB_EXIT_OK = 0,
	EBB_EXIT_PARTIAL = 1,
	EBB_EXIT_USAGE = 2,
	EBB_EXIT_CONFIG = 3,
	EBB_EXIT_STORE = 4,
	EBB_EXIT_INDEX = 5,
	EBB_EXIT_STALE = 6,
	EBB_EXIT_LIMIT = 7,
	EBB_EXIT_ALERT = 8,
	EBB_EXIT_LOCKED = 9,
	EBB_EXIT_INTERRUPTED = 130
};

/* The first failure, told once. Zero-initialised means "no failure". */
struct ebb_err {
	int code;	/* enum ebb_err_code, positive; 0: none */
	int sys;	/* errno behind it, 0 when there was none */
	char msg[1024];	/* NUL-terminated, truncated with "..." when longer */
};

/*
 * Record a failure. Does nothing to the struct when it already holds one.
 *
 * @err   where to; may be NULL.
 * @code  enum ebb_err_code, positive.
 * @fmt   message: lower case, no full stop.
 * @return
 *        -code, so that `return ebb_err_set(err, EBB_EINVAL, "...")` reads well.
 */
int ebb_err_set(struct ebb_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Record a failed system call: the code is derived from @sys (ENOSPC and EDQUOT -> EBB_ENOSPC,
 * ENOENT and ENOTDIR -> EBB_ENOENT, EACCES, EPERM and EROFS -> EBB_EACCES, EEXIST and ENOTEMPTY ->
 * EBB_EEXIST, ENOMEM -> EBB_ENOMEM, EOPNOTSUPP, ENOSYS -> EBB_ENOTSUP, everything else -> EBB_EIO)
 * and ": strerror(sys)" is appended.
 *
 * @return  -code.
 */
int ebb_err_sys(struct ebb_err *err, int sys, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Put context before a recorded message: "context: message". Called once per layer.
 *
 * @return  -err->code, or -EBB_EINVAL when @err is NULL or holds none.
 */
int ebb_err_wrap(struct ebb_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Forget a recorded failure, for reuse of the struct. */
void ebb_err_clear(struct ebb_err *err);

/* Class of a code (positive or negative); unknown codes are fatal. */
enum ebb_err_class ebb_err_class_of(int code);

/* Exit status of a code (positive or negative); 0 for 0, 1 for unknown codes. */
int ebb_err_exit_of(int code);

/* Stable short name of a code for logs and JSON: "changed"; "unknown" when it is none. Constant. */
const char *ebb_err_name(int code);

#endif
