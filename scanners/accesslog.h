/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Access logs: which object was read when, from the logs that servers write.
 *
 * A format is one file with one const struct ebb_accesslog_format and one line in the table of accesslog.c. Files are read as a stream, gzipped
 * or not; the format is found by what the first records look like. Damaged records are counted and told, and nothing stops at them.
 *
 * What counts as a read: a GET of an object that succeeded, whole (200), in part (206) or because the client's copy is current (304); the
 * source of a copy; a select. HEAD, listings, writes, metadata and the store's own lifecycle do not. Bytes are those sent.
 *
 * Threads: as many as like, each with a reader of its own.
 */
#ifndef EBB_SCANNERS_ACCESSLOG_H
#define EBB_SCANNERS_ACCESSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/err.h"

/* Longest record in bytes; longer ones are damaged. */
#define EBB_ACCESSLOG_RECORD_MAX ((size_t)1 << 20)

/* User agents that begin so are ebb's own: what they read was not used. */
#define EBB_ACCESSLOG_OWN "ebb/"

/* Bytes, borrowed until the next record. */
struct ebb_accesslog_text {
	const char *p;
	size_t len;
};

/* One record. */
struct ebb_accesslog_event {
	int64_t time;				/* ns since the epoch */
	bool read;				/* an object was read; the rest counts only then */
	bool own;				/* by ebb */
	bool url;				/* path is that of a URL, not a key */
	struct ebb_accesslog_text source;	/* bucket; of a web server the virtual host, or empty */
	struct ebb_accesslog_text path;		/* key; of a web server the decoded path from its first '/' on */
	int64_t bytes;				/* sent */
	uint64_t id;				/* identifies the record, wherever it is found */
};

/* Scratch space of a reader, for paths that must be decoded and days that repeat. */
struct ebb_accesslog_scratch {
	char path[8192];
	char day[12];		/* "06/Feb/2019" as met last, and ... */
	int64_t day_ns;		/* ... when it begins */
};

struct ebb_accesslog_format {
	const char *name;	/* for --format */
	const char *title;	/* for people */
	bool json;		/* records are JSON objects, else lines */
	/* Does a record look like one of this format? */
	bool (*is)(const char *p, size_t len);
	/*
	 * Read a record of @len bytes, without its newline.
	 *
	 * @return  1 with *ret filled in; 0: a comment, or of no interest; -1: damaged.
	 */
	int (*parse)(const char *p, size_t len, struct ebb_accesslog_scratch *s, struct ebb_accesslog_event *ret);
};

extern const struct ebb_accesslog_format ebb_accesslog_s3, ebb_accesslog_cloudtrail, ebb_accesslog_rgw, ebb_accesslog_web;

/* All formats; ends with NULL. By name: NULL when there is none. */
extern const struct ebb_accesslog_format *const ebb_accesslog_formats[];
const struct ebb_accesslog_format *ebb_accesslog_find(const char *name);

/* What a file held. */
struct ebb_accesslog_stats {
	uint64_t records;	/* that could be read */
	uint64_t damaged;
};

struct ebb_accesslog_fns {
	/* Each record. A negative return stops and is passed on. */
	int (*event)(void *ctx, const struct ebb_accesslog_event *e, struct ebb_err *err);
	/* Each damaged one, with the line on which it begins. */
	void (*damaged)(void *ctx, uint64_t line);
	void *ctx;
};

/*
 * Read a log from a descriptor to its end.
 *
 * @format  NULL: found.
 * @return  0; -EBB_EINVAL: no format fits; -EBB_ECORRUPT: damaged gzip (what came before it was given); -EBB_EIO; what @event returned.
 */
int ebb_accesslog_read(int fd, const struct ebb_accesslog_format *format, const struct ebb_accesslog_fns *fns,
		       struct ebb_accesslog_stats *ret, struct ebb_err *err);

/* --- for the formats --- */

/* 64 well-mixed bits of @p; @seed chains parts. After wyhash by Wang Yi (public domain), with 64x64 to 128 bit products. */
static inline uint64_t ebb_accesslog_id(const char *p, size_t n, uint64_t seed)
{
	uint64_t h = seed ^ UINT64_C(0xa0761d6478bd642f) ^ n;

	for (; n > 0;) {
		unsigned char b[16] = {0};
		uint64_t x, y;
		size_t take = n < 16 ? n : 16;
		unsigned __int128 m;

		memcpy(b, p, take);
		memcpy(&x, b, 8);
		memcpy(&y, b + 8, 8);
		m = (unsigned __int128)(x ^ UINT64_C(0xe7037ed1a0b428db) ^ h) * (y ^ UINT64_C(0x8ebc6af09c88c6e3));
		h = (uint64_t)m ^ (uint64_t)(m >> 64) ^ (h << 23 | h >> 41);
		p += take;
		n -= take;
	}
	return h;
}

static inline bool ebb_accesslog_is(struct ebb_accesslog_text t, const char *s)
{
	return t.len == strlen(s) && memcmp(t.p, s, t.len) == 0;
}

#endif
