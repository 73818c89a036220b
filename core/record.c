/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/record.h"

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
						  EBB_F_CTIME, EBB_F_INO,  EBB_F_DEV};
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

struct ebb_span ebb_record_idle_of(uint32_t known, int64_t evidence, int64_t atime, int64_t mtime,
				   int64_t window, int64_t now)
{
	const int64_t day = INT64_C(86400) * 1000000000;
	struct ebb_span idle = {0, INT64_MAX};
	int64_t last = INT64_MIN;

	if (known & EBB_KNOWN(EBB_F_MTIME))
		last = mtime;
	if (!(known & EBB_KNOWN(EBB_F_EVIDENCE)))
		evidence = EBB_EVIDENCE_NONE;
	if (evidence >= EBB_EVIDENCE_RELATIME) {
		if (!(known & EBB_KNOWN(EBB_F_ATIME)))
			evidence = EBB_EVIDENCE_MTIME;
		else if (atime > last)
			last = atime;
	}
	if (evidence != EBB_EVIDENCE_NONE && last != INT64_MIN)
		idle.hi = span_since(now, last);
	/* Without the time of the last write nothing is known to be idle: it may have been written since. */
	if (evidence >= EBB_EVIDENCE_RELATIME && (known & EBB_KNOWN(EBB_F_MTIME))) {
		idle.lo = idle.hi;
		if (evidence == EBB_EVIDENCE_RELATIME)
			idle.lo = idle.lo > day ? idle.lo - day : 0;
		if ((known & EBB_KNOWN(EBB_F_WINDOW)) && idle.lo > span_since(now, window))
			idle.lo = span_since(now, window);
	}
	return idle;
}

struct ebb_span ebb_record_idle(const struct ebb_record *r, int64_t now)
{
	return ebb_record_idle_of(r->known, r->f[EBB_F_EVIDENCE], r->f[EBB_F_ATIME],
				  r->f[EBB_F_MTIME], r->f[EBB_F_WINDOW], now);
}

const char *ebb_record_field_name(enum ebb_field f)
{
	static const char *const names[EBB_F_COUNT] = {
		"kind", "size", "alloc", "mtime", "atime", "ctime", "mode",  "uid",
		"gid",  "nlink", "ino",	 "dev",	  "flags", "evidence", "window",
	};

	return (unsigned)f < EBB_F_COUNT ? names[f] : "unknown";
}

const char *ebb_record_kind_name(int64_t kind)
{
	static const char *const names[EBB_KIND_COUNT] = {"file", "dir", "symlink", "special"};

	return kind >= 0 && kind < EBB_KIND_COUNT ? names[kind] : "unknown";
}

const char *ebb_record_evidence_name(int64_t evidence)
{
	static const char *const names[EBB_EVIDENCE_COUNT] = {"none", "mtime", "relatime", "atime"};

	return evidence >= 0 && evidence < EBB_EVIDENCE_COUNT ? names[evidence] : "unknown";
}
