/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

int ebb_record_key_cmp(const char *a, size_t alen, const char *b, size_t blen)
{
	int r = memcmp(a, b, alen < blen ? alen : blen);

	if (r != 0)
		return r;
	return alen < blen ? -1 : alen > blen;
}

bool ebb_record_key_has_prefix(const char *key, size_t klen, const char *prefix, size_t plen)
{
	return klen >= plen && memcmp(key, prefix, plen) == 0;
}

bool ebb_record_same_content(const struct ebb_record *a, const struct ebb_record *b)
{
	static const enum ebb_field identity[] = {EBB_F_KIND,  EBB_F_SIZE, EBB_F_MTIME,
						  EBB_F_CTIME, EBB_F_INO,  EBB_F_DEV,
						  EBB_F_ETAG_HI, EBB_F_ETAG_LO, EBB_F_PARTS};
	uint32_t both = a->known & b->known;

	for (size_t i = 0; i < EBB_ARRAY_LEN(identity); i++)
		if ((both & EBB_KNOWN(identity[i])) && a->f[identity[i]] != b->f[identity[i]])
			return false;
	return true;
}

static int64_t span_since(int64_t now, int64_t then)
{
	int64_t d;

	if (__builtin_sub_overflow(now, then, &d))
		return then < 0 ? INT64_MAX : 0;
	return d > 0 ? d : 0;
}

/* The end of what evidence covers, at most @now. */
static int64_t covered_until(const struct ebb_record_access *a, int64_t now)
{
	return (a->known & EBB_KNOWN(EBB_F_UNTIL)) && a->until < now ? a->until : now;
}

/* How long idleness is proven, or with @trust likely, given the last access that is known. */
static int64_t least_idle(const struct ebb_record_access *a, int64_t evidence, int64_t last, int64_t now,
			  enum ebb_trust trust)
{
	const int64_t day = INT64_C(86400) * 1000000000;
	int64_t until = covered_until(a, now), lo;

	/* Without the time of the last write nothing is known to be idle: it may have been written since. */
	if (evidence < EBB_EVIDENCE_RELATIME || !(a->known & EBB_KNOWN(EBB_F_MTIME)))
		return 0;
	if (evidence == EBB_EVIDENCE_LOG &&
	    (trust == EBB_TRUST_CERTAIN || span_since(now, until) > EBB_RECORD_LOG_LAG))
		return 0;
	lo = span_since(until, last);
	if (evidence == EBB_EVIDENCE_RELATIME)
		lo = lo > day ? lo - day : 0;
	if ((a->known & EBB_KNOWN(EBB_F_WINDOW)) && lo > span_since(until, a->window))
		lo = span_since(until, a->window);
	return lo;
}

struct ebb_span ebb_record_idle_of(const struct ebb_record_access *a, int64_t now,
				   enum ebb_trust trust)
{
	struct ebb_span idle = {0, INT64_MAX};
	int64_t last = a->known & EBB_KNOWN(EBB_F_MTIME) ? a->mtime : INT64_MIN;
	int64_t evidence = a->known & EBB_KNOWN(EBB_F_EVIDENCE) ? a->evidence : EBB_EVIDENCE_NONE;

	if (evidence >= EBB_EVIDENCE_RELATIME) {
		if (a->known & EBB_KNOWN(EBB_F_ATIME))
			last = a->atime > last ? a->atime : last;
		else if (evidence != EBB_EVIDENCE_LOG) /* logs without a read of it have something to say */
			evidence = EBB_EVIDENCE_MTIME;
	}
	if (evidence != EBB_EVIDENCE_NONE && last != INT64_MIN)
		idle.hi = span_since(now, last);
	idle.lo = least_idle(a, evidence, last, now, trust);
	/* A tier tells since when there was no read, not when the last one was. */
	if (evidence == EBB_EVIDENCE_TIER && idle.hi != INT64_MAX)
		idle.hi = span_since(now, a->mtime);
	return idle;
}

struct ebb_span ebb_record_idle(const struct ebb_record *r, int64_t now, enum ebb_trust trust)
{
	const struct ebb_record_access a = {
		.known = r->known,
		.evidence = r->f[EBB_F_EVIDENCE],
		.atime = r->f[EBB_F_ATIME],
		.mtime = r->f[EBB_F_MTIME],
		.window = r->f[EBB_F_WINDOW],
		.until = r->f[EBB_F_UNTIL],
	};

	return ebb_record_idle_of(&a, now, trust);
}

size_t ebb_record_hidden_key(const char *key, size_t klen, int64_t time, const char *id, char *out)
{
	static const char digits[] = "0123456789abcdef";
	/* flipped sign bit: order of unsigned numbers; complement: newest first */
	uint64_t rank = ~((uint64_t)time ^ (UINT64_C(1) << 63));
	size_t ilen = strlen(id), len = klen + 1 + 16 + ilen;

	if (len > EBB_KEY_MAX || ilen > EBB_RECORD_ID_MAX)
		return 0;
	memcpy(out, key, klen);
	out[klen] = 0;
	for (int i = 0; i < 16; i++)
		out[klen + 1 + (size_t)i] = digits[rank >> (60 - 4 * i) & 15];
	memcpy(out + klen + 17, id, ilen);
	return len;
}

size_t ebb_record_plain_len(const char *key, size_t klen)
{
	const char *nul = memchr(key, 0, klen);

	return nul ? (size_t)(nul - key) : klen;
}

const char *ebb_record_hidden_id(const char *key, size_t klen, size_t *ret_len)
{
	size_t plain = ebb_record_plain_len(key, klen);

	if (klen < plain + 17)
		return NULL;
	*ret_len = klen - plain - 17;
	return key + plain + 17;
}

int64_t ebb_record_class_code(const char *name)
{
	uint32_t h = UINT32_C(2166136261);

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * UINT32_C(16777619);
	return h;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 16 hex digits as a number; false when they are none. */
static bool hex_word(const char *p, uint64_t *ret)
{
	*ret = 0;
	for (int i = 0; i < 16; i++) {
		int d = hex_digit(p[i]);

		if (d < 0)
			return false;
		*ret = *ret << 4 | (uint64_t)d;
	}
	return true;
}

/* "-N" behind the digits as a number of parts, 0 for nothing; -1 for anything else. */
static int64_t etag_parts(const char *p, size_t len)
{
	int64_t n = 0;

	if (len == 0)
		return 0;
	if (p[0] != '-' || len < 2 || len > 7 || p[1] == '0')
		return -1;
	for (size_t i = 1; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		n = n * 10 + (p[i] - '0');
	}
	return n;
}

void ebb_record_etag(struct ebb_record *r, const char *etag, size_t len)
{
	uint64_t hi, lo;
	int64_t parts = -1;

	if (len >= 32 && hex_word(etag, &hi) && hex_word(etag + 16, &lo))
		parts = etag_parts(etag + 32, len - 32);
	if (parts < 0) { /* FNV-1a with 128 bits */
		const __uint128_t prime = (__uint128_t)1 << 88 | 0x13b;
		__uint128_t h = (__uint128_t)UINT64_C(0x6c62272e07bb0142) << 64 |
				UINT64_C(0x62b821756295c58d);

		for (size_t i = 0; i < len; i++)
			h = (h ^ (uint8_t)etag[i]) * prime;
		hi = (uint64_t)(h >> 64);
		lo = (uint64_t)h;
	}
	ebb_record_set(r, EBB_F_ETAG_HI, (int64_t)hi);
	ebb_record_set(r, EBB_F_ETAG_LO, (int64_t)lo);
	ebb_record_set(r, EBB_F_PARTS, parts);
}

bool ebb_record_etag_text(const struct ebb_record *r, char out[EBB_RECORD_ETAG_TEXT])
{
	if (!ebb_record_has(r, EBB_F_ETAG_HI) || !ebb_record_has(r, EBB_F_ETAG_LO) ||
	    !ebb_record_has(r, EBB_F_PARTS) || r->f[EBB_F_PARTS] < 0)
		return false;
	int n = snprintf(out, EBB_RECORD_ETAG_TEXT, "%016" PRIx64 "%016" PRIx64,
			 (uint64_t)r->f[EBB_F_ETAG_HI], (uint64_t)r->f[EBB_F_ETAG_LO]);
	if (r->f[EBB_F_PARTS] > 0)
		snprintf(out + n, EBB_RECORD_ETAG_TEXT - (size_t)n, "-%" PRId64, r->f[EBB_F_PARTS]);
	return true;
}

bool ebb_record_content(const struct ebb_record *r, uint8_t *ret, int64_t *ret_parts)
{
	const uint32_t etag = EBB_KNOWN(EBB_F_ETAG_HI) | EBB_KNOWN(EBB_F_ETAG_LO) | EBB_KNOWN(EBB_F_PARTS);

	if (r->known & EBB_KNOWN_DIGEST) {
		*ret_parts = -1;
		memcpy(ret, r->digest, EBB_DIGEST_LEN);
		return true;
	}
	if ((r->known & etag) != etag || r->f[EBB_F_PARTS] < 0)
		return false;
	*ret_parts = r->f[EBB_F_PARTS];
	for (int i = 0; i < 8; i++) {
		ret[i] = (uint8_t)((uint64_t)r->f[EBB_F_ETAG_HI] >> (56 - 8 * i));
		ret[8 + i] = (uint8_t)((uint64_t)r->f[EBB_F_ETAG_LO] >> (56 - 8 * i));
	}
	return true;
}

const char *ebb_record_field_name(enum ebb_field f)
{
	static const char *const names[EBB_F_COUNT] = {
		"kind", "size", "alloc", "mtime", "atime", "ctime", "mode",  "uid",
		"gid",  "nlink", "ino",	 "dev",	  "flags", "evidence", "window",
		"class", "etag_hi", "etag_lo", "parts", "reads", "read_bytes", "until", "days",
	};

	return (unsigned)f < EBB_F_COUNT ? names[f] : "unknown";
}

const char *ebb_record_kind_name(int64_t kind)
{
	static const char *const names[EBB_KIND_COUNT] = {
		"file", "dir", "symlink", "special", "version", "marker", "upload"};

	return kind >= 0 && kind < EBB_KIND_COUNT ? names[kind] : "unknown";
}

const char *ebb_record_evidence_name(int64_t evidence)
{
	static const char *const names[EBB_EVIDENCE_COUNT] = {
		"none", "mtime", "relatime", "atime", "tier", "log"};

	return evidence >= 0 && evidence < EBB_EVIDENCE_COUNT ? names[evidence] : "unknown";
}
