/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The object record: what ebb knows about one file or object, and how far it knows it.
 *
 * A record is a key and an array of 64-bit fields with a mask that says which of them are known.
 * Unknown stays unknown: a field whose bit is clear is 0 and means nothing. Fields stand in an array, not
 * in named members, so that blocks can store them as columns and rules can read columns without
 * building records.
 *
 * Keys. A key is a sequence of 1 to EBB_KEY_MAX bytes without NUL, relative to its store, compared
 * as unsigned bytes (ebb_record_key_cmp). Directories end in '/', everything else does not, so that the
 * contents of a directory are one contiguous run of keys that starts with the directory itself, on
 * filesystems as in buckets. Keys need not be UTF-8. Object stores know keys that end in '/' and are objects like others.
 *
 * Hidden records. Noncurrent versions, delete markers and unfinished uploads of an object store follow their key: KEY, a NUL, and
 * what orders them, newest first (ebb_record_hidden_key). NUL sorts before every other byte, so they stand directly behind KEY.
 *
 * Times of object stores. CTIME is what the store calls last modified; it moves when an object is copied onto itself (another
 * class, other metadata). MTIME is when its content came into being: the same, unless a scan saw CTIME move while entity tag and
 * size stayed.
 */
#ifndef EBB_CORE_RECORD_H
#define EBB_CORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest key in bytes, without a NUL: PATH_MAX of Linux is 4,096 with its NUL; S3 keys end at 1,024. */
#define EBB_KEY_MAX 4096

/* Length of a digest in bytes (XXH3-128). */
#define EBB_DIGEST_LEN 16

/* Fields of a record. The order is part of the index format: append only. */
enum ebb_field {
	EBB_F_KIND,	/* enum ebb_record_kind */
	EBB_F_SIZE,	/* bytes of content */
	EBB_F_ALLOC,	/* bytes allocated on the medium; less than SIZE when sparse */
	EBB_F_MTIME,	/* last modification of the content, ns since the epoch */
	EBB_F_ATIME,	/* last access by the best evidence, ns since the epoch; see EVIDENCE */
	EBB_F_CTIME,	/* last change of the inode, ns since the epoch */
	EBB_F_MODE,	/* permission bits and type, as in st_mode */
	EBB_F_UID,	/* owner */
	EBB_F_GID,	/* group */
	EBB_F_NLINK,	/* names of the inode */
	EBB_F_INO,	/* inode number, as bits of a uint64_t */
	EBB_F_DEV,	/* device number of the filesystem, as bits of a uint64_t */
	EBB_F_FLAGS,	/* enum ebb_record_flags, or-ed */
	EBB_F_EVIDENCE,	/* enum ebb_evidence: where ATIME came from */
	EBB_F_WINDOW,	/* evidence covers accesses since this time, ns since the epoch; unknown: without limit */
	EBB_F_CLASS,	/* storage class of the object itself, ebb_record_class_code of its name; unknown: its store's */
	EBB_F_ETAG_HI,	/* entity tag of an object store, first 8 bytes; see ebb_record_etag */
	EBB_F_ETAG_LO,	/* its last 8 bytes; known together with ETAG_HI and PARTS */
	EBB_F_PARTS,	/* parts of a multipart entity tag; 0: the MD5 of the content; -1: opaque, a hash of its text */
	EBB_F_READS,	/* reads that evidence counted since WINDOW */
	EBB_F_RBYTES,	/* bytes that those reads fetched */
	EBB_F_UNTIL,	/* evidence covers accesses until this time, ns since the epoch; unknown: until the scan */
	EBB_F_DAYS,	/* days with reads, as bits: 0 the (UTC) day of the last one, i the i-th day before it */
	EBB_F_COUNT	/* number of fields */
};

/*
 * Bit of a field in `known`. DIGEST has a bit but no column of integers. SAMPLE says that `digest` is that of a sample of the content
 * (scanners/content.h), which tells objects of one size apart and nothing else; never both.
 */
#define EBB_KNOWN(field) (UINT32_C(1) << (field))
#define EBB_KNOWN_DIGEST (UINT32_C(1) << 31)
#define EBB_KNOWN_SAMPLE (UINT32_C(1) << 30)

enum ebb_record_kind {
	EBB_KIND_FILE,		/* regular file or object */
	EBB_KIND_DIR,
	EBB_KIND_SYMLINK,
	EBB_KIND_SPECIAL,	/* fifo, socket, device */
	EBB_KIND_VERSION,	/* noncurrent version of an object; hidden */
	EBB_KIND_MARKER,	/* delete marker; hidden */
	EBB_KIND_UPLOAD,	/* unfinished multipart upload, SIZE its parts so far; hidden */
	EBB_KIND_COUNT
};

enum ebb_record_flags {
	EBB_FLAG_LINKED_TWIN = 1 << 0,	/* another name of an inode counted at a smaller key */
	EBB_FLAG_UNSEEN = 1 << 1,	/* carried over: its directory could not be read in the last scan */
	EBB_FLAG_CHANGING = 1 << 2,	/* modified at or after the start of the scan that saw it */
	EBB_FLAG_MOUNT = 1 << 3		/* a directory on which another filesystem is mounted; not entered */
};

/* Where the last-access time comes from; section 6 of the design in words. Part of the index format: append only. */
enum ebb_evidence {
	EBB_EVIDENCE_NONE,	/* nothing is known */
	EBB_EVIDENCE_MTIME,	/* only writes are known (noatime): accessed at MTIME or at any time since */
	EBB_EVIDENCE_RELATIME,	/* kernel updates at most once a day: up to a day later than ATIME */
	EBB_EVIDENCE_ATIME,	/* every read is recorded (strictatime) */
	EBB_EVIDENCE_TIER,	/* a provider's access tier: not read since ATIME, which it moved to at the latest */
	EBB_EVIDENCE_LOG,	/* access logs; some lines may be lost: ATIME is the last read seen */
	EBB_EVIDENCE_COUNT
};

struct ebb_record {
	const char *key;	/* not NUL-terminated; borrowed, see the producer's lifetime rule */
	uint32_t key_len;
	uint32_t known;		/* EBB_KNOWN bits */
	int64_t f[EBB_F_COUNT];	/* 0 where unknown */
	uint8_t digest[EBB_DIGEST_LEN];	/* of the decoded content, or of a sample of it; zero where unknown */
};

/* Bits of `known` that say what `digest` is. */
#define EBB_KNOWN_DIGESTS (EBB_KNOWN_DIGEST | EBB_KNOWN_SAMPLE)

/* An interval of nanoseconds in which the true value lies; hi is INT64_MAX when nothing bounds it. */
struct ebb_span {
	int64_t lo, hi;
};

/* Compare two keys as unsigned bytes, the shorter first when one is a prefix of the other: <0, 0, >0. */
int ebb_record_key_cmp(const char *a, size_t alen, const char *b, size_t blen);

/* True when @key begins with @prefix. */
bool ebb_record_key_has_prefix(const char *key, size_t klen, const char *prefix, size_t plen);

/* Length of the longest version or upload id that a hidden key carries. */
#define EBB_RECORD_ID_MAX 1024

/*
 * Key of a hidden record in the index: @key, a NUL, 16 hex digits that fall as @time (ns since the epoch) rises, and @id, into
 * @out of EBB_KEY_MAX bytes.
 *
 * @return  its length, 0 when it does not fit.
 */
size_t ebb_record_hidden_key(const char *key, size_t klen, int64_t time, const char *id, char *out);

/* Length of the part before the NUL: the key that an object store knows. @klen itself for what is not hidden. */
size_t ebb_record_plain_len(const char *key, size_t klen);

/* The version or upload id of a hidden key, *ret_len bytes of @key; NULL for others. */
const char *ebb_record_hidden_id(const char *key, size_t klen, size_t *ret_len);

/*
 * Code of a storage class by its name ("STANDARD_IA"): 32-bit FNV-1a, so that names of every provider compare without a table; what
 * prints them asks the index for the name (core/names.h). Source of the function: Fowler, Noll and Vo, draft-eastlake-fnv.
 */
int64_t ebb_record_class_code(const char *name);

/*
 * Set ETAG_HI, ETAG_LO and PARTS from an entity tag without its quotes: 32 hex digits, optionally "-PARTS"; anything else by a 128-bit hash
 * of the text.
 */
void ebb_record_etag(struct ebb_record *r, const char *etag, size_t len);

/* Bytes of an entity tag as text, with its NUL. */
#define EBB_RECORD_ETAG_TEXT 56

/* The entity tag as text; false when it is unknown or opaque. */
bool ebb_record_etag_text(const struct ebb_record *r, char out[EBB_RECORD_ETAG_TEXT]);

/*
 * What is known of the content, for comparison with objects of the same size: the digest, else an entity tag that is a checksum.
 *
 * @ret        EBB_DIGEST_LEN bytes; a tag in the order of its digits.
 * @ret_parts  -1: it is the digest; otherwise it is a tag of so many parts, 0: in one piece.
 * @return     false when nothing is.
 */
bool ebb_record_content(const struct ebb_record *r, uint8_t *ret, int64_t *ret_parts);

/* Set a field and its known bit. */
static inline void ebb_record_set(struct ebb_record *r, enum ebb_field f, int64_t v)
{
	r->f[f] = v;
	r->known |= EBB_KNOWN(f);
}

/* True when the field is known. */
static inline bool ebb_record_has(const struct ebb_record *r, enum ebb_field f)
{
	return (r->known & EBB_KNOWN(f)) != 0;
}

/*
 * True when both records describe the same content of the same object as far as both know: equal kind,
 * size, mtime, ctime, inode, device and entity tag. What was learned about one (a digest) then holds for the other.
 */
bool ebb_record_same_content(const struct ebb_record *a, const struct ebb_record *b);

/* How much of what evidence says is believed. */
enum ebb_trust {
	EBB_TRUST_CERTAIN,	/* only what it proves */
	EBB_TRUST_LIKELY	/* also that logs lost nothing */
};

/* What idle times follow from, as loose values for code that reads columns. @known as in a record. */
struct ebb_record_access {
	uint32_t known;
	int64_t evidence, atime, mtime, window, until;
};

/* Logs come late. Within this time after their end (ns) a file that was not read is likely still not read; behind it they say nothing. */
#define EBB_RECORD_LOG_LAG (INT64_C(3) * 86400 * 1000000000)

/*
 * How long the object has been idle at @now (ns since the epoch), as an interval:
 *   strict atime    now - max(atime, mtime), exactly
 *   tier            at least now - max(atime, mtime), at most now - mtime
 *   log             0 to now - max(atime, mtime): logs may have lost lines, so they never prove idleness
 *   relatime        as above, up to a day less
 *   mtime only      0 to now - mtime
 *   none            0 to INT64_MAX
 *   mtime unknown   0 to whatever the above says
 * and never longer than the evidence covers: lo counts from its window to its end (UNTIL). Times in the future count as now. With
 * EBB_TRUST_LIKELY logs count as strict atime that began with the window and ended at UNTIL, where that is at most EBB_RECORD_LOG_LAG ago:
 *   log, likely     from until - max(atime, mtime, window) to now - max(atime, mtime)
 * What is likely lies within what is certain.
 * Source: design section 6; relatime rule: mount(8).
 */
struct ebb_span ebb_record_idle(const struct ebb_record *r, int64_t now, enum ebb_trust trust);

/* The same from loose values. */
struct ebb_span ebb_record_idle_of(const struct ebb_record_access *a, int64_t now,
				   enum ebb_trust trust);

/* Stable lower-case names for JSON and messages: "size", "file", "relatime". "unknown" when out of range. Constant. */
const char *ebb_record_field_name(enum ebb_field f);
const char *ebb_record_kind_name(int64_t kind);
const char *ebb_record_evidence_name(int64_t evidence);

#endif
