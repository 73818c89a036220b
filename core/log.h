/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log: lines for people or for machines, handed to a sink.
 *
 * There is no global log: whoever logs was given one. A NULL log is accepted and drops everything.
 *   text  2024-02-29T12:00:00.25Z warn: retrying store=lake key="a b" attempt=2
 *   json  {"time":"2024-02-29T12:00:00.25Z","level":"warn","msg":"retrying","attempt":2}
 * One call makes one line, whatever bytes are in it: control characters and marks that reorder text
 * are escaped, and a byte that is not UTF-8 is shown as \xNN (in JSON, a backslash and xNN). Lines
 * end at EBB_LOG_LINE bytes: a message is cut with "...", fields that do not fit are left out and
 * "cut" says so.
 *
 * Threads: every function but init and release may be called from any thread. Lines are made
 * outside the lock; only the sink runs under it, one call at a time, so the log blocks for as long
 * as the sink does.
 */
#ifndef EBB_CORE_LOG_H
#define EBB_CORE_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ebb_clock;
struct ebb_err;
struct ebb_secret;

#define EBB_LOG_LINE 8192	/* most bytes of a line, with its newline */

enum ebb_log_level {
	EBB_LOG_ERROR,	/* something failed for good */
	EBB_LOG_WARN,	/* something is wrong, work goes on */
	EBB_LOG_INFO,	/* what happens */
	EBB_LOG_DEBUG	/* how it happens */
};

enum ebb_log_format {
	EBB_LOG_TEXT,
	EBB_LOG_JSON
};

/* Takes one line, newline included. Must not log. */
typedef void ebb_log_sink(void *context, enum ebb_log_level level, const char *line, size_t len);

/* Fixed at init; nobody else looks inside. */
struct ebb_log {
	enum ebb_log_level level;
	enum ebb_log_format format;
	const struct ebb_clock *clock;
	ebb_log_sink *sink;
	void *context;
	pthread_mutex_t mutex;
};

/*
 * Prepare a log that passes lines up to @level on to @sink.
 *
 * @clock    gives the time of each line; outlives the log.
 * @context  handed to the sink; outlives the log.
 */
void ebb_log_init(struct ebb_log *log, enum ebb_log_level level, enum ebb_log_format format,
		  const struct ebb_clock *clock, ebb_log_sink *sink, void *context);

/* Nobody may be logging any more; the sink's context stays with the caller. */
void ebb_log_release(struct ebb_log *log);

/* Would a line of that level be passed on? For callers who would work hard to make one. */
bool ebb_log_enabled(const struct ebb_log *log, enum ebb_log_level level);

/* Level of a name: error, warn, info, debug. Returns 0 or -EBB_EINVAL. */
int ebb_log_level_of(const char *name, enum ebb_log_level *ret, struct ebb_err *err);

/* --- Fields. Keys are constant words other than time, level, msg and cut. --- */

enum ebb_log_type {
	EBB_LOG_STRING,
	EBB_LOG_INT,
	EBB_LOG_BOOL
};

struct ebb_log_field {
	const char *key;
	enum ebb_log_type type;
	const char *string;	/* any bytes, borrowed for the call */
	size_t len;
	int64_t number;		/* of INT and BOOL */
};

/* A C string; NULL becomes "". */
struct ebb_log_field ebb_log_str(const char *key, const char *s);

/* @len bytes: an object's key or a path. */
struct ebb_log_field ebb_log_bytes(const char *key, const void *p, size_t len);
struct ebb_log_field ebb_log_int(const char *key, int64_t n);
struct ebb_log_field ebb_log_bool(const char *key, bool b);

/* Shows that there is one: "***", or "" for NULL. */
struct ebb_log_field ebb_log_secret(const char *key, const struct ebb_secret *secret);

/* --- Writing. What the sink does with a line is not reported: a log must not fail the work. --- */

/* A message (lower case, no full stop) with @n fields; @fields may be NULL when @n is 0. */
void ebb_log_write(struct ebb_log *log, enum ebb_log_level level, const char *msg,
		   const struct ebb_log_field fields[], size_t n);

/* A formatted message without fields. */
void ebb_log_printf(struct ebb_log *log, enum ebb_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A recorded failure: its message, and its code's name in the field "error". */
void ebb_log_failure(struct ebb_log *log, enum ebb_log_level level, const struct ebb_err *failure);

#endif
