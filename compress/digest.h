/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digests: short fingerprints of bytes that arrive piece by piece.
 *
 * An algorithm is one file with one const struct ebb_digest_algo and one line in the table of
 * digest.c. XXH3-128 is what records carry (EBB_DIGEST_LEN bytes of the decoded content): as fast
 * as reading, but no proof against an adversary, so it proposes duplicates and never proves them.
 * SHA-256 names plans and signs bodies of requests; MD5 is what object stores check uploads by.
 *
 * Bytes of a digest stand in the order in which the algorithm's own tools print them (XXH3:
 * canonical, big-endian).
 *
 * Threads: a struct ebb_digest belongs to one thread at a time; algorithms and helpers are
 * constant.
 */
#ifndef EBB_COMPRESS_DIGEST_H
#define EBB_COMPRESS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* Longest digest of any algorithm, in bytes. */
#define EBB_DIGEST_MAX 32

/* What an algorithm implements. @state is what `open` made. */
struct ebb_digest_algo {
	const char *name;	/* "xxh128", "sha256", "md5" */
	size_t len;		/* bytes of a digest, at most EBB_DIGEST_MAX */
	void *(*open)(void);	/* NULL: no memory */
	int (*reset)(void *state);	/* 0 or negative */
	int (*update)(void *state, const void *p, size_t len);	/* 0 or negative; @len is never 0 */
	int (*final)(void *state, uint8_t *ret);	/* 0 or negative; reset comes next */
	void (*close)(void *state);
	/* Optional: EBB_DIGEST_STATE bytes; load is negative for what it does not know. */
	void (*save)(const void *state, uint8_t *ret);
	int (*load)(void *state, const uint8_t *p);
};

extern const struct ebb_digest_algo ebb_digest_xxh128;
extern const struct ebb_digest_algo ebb_digest_sha256;
extern const struct ebb_digest_algo ebb_digest_md5;

/* Algorithm of that name, or NULL. */
const struct ebb_digest_algo *ebb_digest_find(const char *name);

/* A digest in the making. */
struct ebb_digest {
	const struct ebb_digest_algo *algo;
	void *state;
	int failed;	/* 0, or the first failure of the library; told by final */
};

/*
 * Prepare a digest of no bytes yet. About 1 KiB of memory.
 *
 * @return  0; -EBB_ENOMEM. A library that refuses the algorithm (OpenSSL without its provider)
 * tells at final.
 */
int ebb_digest_init(struct ebb_digest *d, const struct ebb_digest_algo *algo, struct ebb_err *err);

/* Free the memory; unusable until the next init. A zeroed struct is accepted. */
void ebb_digest_release(struct ebb_digest *d);

/* Start again with no bytes; also after final. */
void ebb_digest_clear(struct ebb_digest *d);

/* Take the next bytes. A failure of the library is remembered and told by final. */
void ebb_digest_update(struct ebb_digest *d, const void *p, size_t len);

/*
 * Write the digest of all bytes taken: algo->len bytes to @ret. Only clear or release may follow.
 *
 * @return  0; -EBB_EIO when the library failed on the way.
 */
int ebb_digest_final(struct ebb_digest *d, uint8_t *ret, struct ebb_err *err);

/*
 * How far a digest is, so that another process can go on with it: EBB_DIGEST_STATE bytes to @ret. They fit the library that they were
 * taken with, and name it.
 *
 * @return  0; -EBB_ENOTSUP for an algorithm that cannot; -EBB_EIO when the library failed before.
 */
#define EBB_DIGEST_STATE 640
int ebb_digest_save(const struct ebb_digest *d, uint8_t ret[EBB_DIGEST_STATE], struct ebb_err *err);

/* Go on from there. -EBB_ENOTSUP also when they were taken with another library; the digest is as it was then. */
int ebb_digest_load(struct ebb_digest *d, const uint8_t state[EBB_DIGEST_STATE], struct ebb_err *err);

/* Digest of one buffer: init, update, final and release in one. Errors of these. */
int ebb_digest_of(const struct ebb_digest_algo *algo, const void *p, size_t len, uint8_t *ret,
		  struct ebb_err *err);

/* Write @len bytes as 2 * @len lower-case hex digits and a NUL to @ret. */
void ebb_digest_hex(const uint8_t *p, size_t len, char *ret);

/*
 * Read back exactly @len bytes from a string of 2 * @len hex digits of either case.
 *
 * @return  0; -EBB_EINVAL for any other string.
 */
int ebb_digest_unhex(const char *hex, size_t len, uint8_t *ret, struct ebb_err *err);

#endif
