/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stores: one set of operations over directory trees, buckets and test doubles.
 *
 * A store type is one file with one const struct ebb_store_ops and one line in the table of
 * store.c. Only open, list, head and close are mandatory; for the rest the wrappers below answer
 * -EBB_ENOTSUP. Callers ask capabilities, never a type's name.
 *
 * Keys are those of core/record.h; directories end in '/', and "d" is no name for the directory
 * "d/". Nothing a store is asked to do leaves its root: components "." and ".." are refused,
 * symlinks are never followed. A key behind a symlink does not exist (-EBB_ENOENT), since a symlink
 * is an object and not a directory.
 *
 * Durability: commit, rename and remove return only when the change would survive a power cut.
 * Atomicity: a reader sees a committed object whole or not at all; an interrupted writer leaves at
 * most a temporary that carries the caller's tag. Failing late (a directory that cannot be synced)
 * a commit, rename or remove may have had its effect: after an error, look.
 *
 * Threads: a store may be used by many threads at once; a reader, a writer and a listing belong to
 * one thread each. Every operation may block on I/O.
 *
 * Errors common to all: EBB_ENOENT, EBB_EACCES, EBB_EIO, EBB_ENOTSUP, EBB_ENOMEM, EBB_EINVAL for a
 * key that is malformed or has components "." or "..". Symlinks and special files are objects that
 * can be listed, looked at, renamed and removed; reading them or their metadata is EBB_ENOTSUP.
 */
#ifndef EBB_SCANNERS_STORE_H
#define EBB_SCANNERS_STORE_H

#include "core/err.h"
#include "core/record.h"
#include "scanners/meta.h"
#include "scanners/pace.h"
#include "scanners/proof.h"

/*
 * Temporaries are objects beside their key, named EBB_STORE_TMP and the writer's tag. Listings show
 * those of killed writers; scans leave them out.
 */
#define EBB_STORE_TMP ".ebb-tmp."

/*
 * The root of a store for ebb_store_get_meta and ebb_store_set_meta; no key where there are
 * directories, and an object like others where there are none. A store whose root has no metadata
 * says EBB_ENOENT.
 */
#define EBB_STORE_ROOT "/"

/* Longest key of a store without EBB_CAP_DIRS, as S3 has it. */
#define EBB_STORE_OBJECT_KEY_MAX 1024

/* Most bytes of a writer's tag. */
#define EBB_STORE_TAG_MAX 100

enum ebb_store_caps {
	EBB_CAP_READ = 1 << 0,
	EBB_CAP_WRITE = 1 << 1,
	EBB_CAP_REMOVE = 1 << 2,
	EBB_CAP_RENAME = 1 << 3,	/* atomic, metadata kept, within the store */
	EBB_CAP_META = 1 << 4,		/* owner, mode, times, xattrs, ACLs */
	EBB_CAP_SPARSE = 1 << 5,	/* holes can be found and made */
	EBB_CAP_DIRS = 1 << 6,		/* directories are objects of their own; without it keys are any 1 to 1,024
					 * bytes without NUL, "/" has no meaning, and "d/" is an object like "d" */
	EBB_CAP_RANGE = 1 << 7,		/* parts of objects can be read */
	EBB_CAP_COPY = 1 << 8,		/* the store copies within itself, no bytes come here */
	EBB_CAP_CLASS = 1 << 9,		/* objects have storage classes that can be chosen and changed in place */
	EBB_CAP_VERSIONS = 1 << 10,	/* earlier versions stay: objects can be hidden and shown again */
	EBB_CAP_COND = 1 << 11,		/* preconditions of writes and removals are checked by the store itself, without a window */
	EBB_CAP_REFLINK = 1 << 12,	/* objects may lie in the same blocks: extents, share */
	EBB_CAP_LINK = 1 << 13,		/* an object may have several names: link */
	EBB_CAP_CHECKED = 1 << 14,	/* commit returns only when the store has found what it holds to be what was sent, by checksums */
	EBB_CAP_THAW = 1 << 15,		/* objects may sleep in archive classes, and be thawed: sleep, thaw */
	EBB_CAP_RESUME = 1 << 16,	/* another writer can go on with what one left: mark, leave */
	EBB_CAP_SEALED = 1 << 17	/* what is written must be encrypted: the configuration says so; commit asks, and so must whoever
					 * finds what an earlier attempt wrote */
};

struct ebb_store;
struct ebb_store_ops;

/* How a store is declared. Strings borrowed until open returns. */
struct ebb_store_config {
	const char *name;	/* as in ebb.yaml */
	const char *type;	/* row of the table: "fs", "s3", "libs3", "memory", "memory-bucket" */
	const char *path;	/* fs: root directory, absolute */
	/* Object stores; NULL or false where not said. Secrets never stand here. */
	const char *bucket;
	const char *prefix;	/* keys of the store are behind it; ends in '/' or is empty */
	const char *region;
	const char *endpoint;	/* "https://host[:port]"; NULL: the provider's own for the region */
	const char *profile;	/* of the shared credentials and config files */
	const char *ca_file;	/* PEM with the authorities to trust instead of the system's */
	bool path_style;	/* bucket in the path, not in the host name */
	bool requester_pays;
	const char *sse;	/* encryption of what is written: "AES256", "aws:kms"; "customer": of all that is there */
	const char *sse_key;	/* key id for "aws:kms"; where the key is for "customer": "env:NAME", "file:PATH" */
	bool must_be_private;	/* s3: opening fails when others can read the bucket, or it cannot be told */
	bool must_be_encrypted;	/* s3: opening fails when what is written would not be; each object is looked at */
	unsigned connections;	/* at most so many at a time; 0: the type's default */
	struct ebb_pace *pace;	/* of its reading and its operations; must outlive the store; NULL: none */
};

/*
 * What tells a store from another one that stands in its place (a missing mount, a swapped disk).
 */
struct ebb_store_identity {
	uint64_t dev;		/* fs: st_dev of the root */
	uint64_t ino;		/* fs: st_ino of the root */
	char fsid[40];		/* fs: f_fsid in hex; memory: its name; "" when the store has none */
	char kind[24];		/* fs: "ext4", "xfs", "nfs", or a number in hex; memory: "memory" */
	bool empty;		/* holds nothing now, not counting ebb's own trash and lost+found */
};

/*
 * Open a store by its type.
 *
 * @return  0; -EBB_ESTORE when the root is missing or is not a directory; -EBB_ECONFIG for an
 *          unknown type (the message names the valid ones).
 */
int ebb_store_open(const struct ebb_store_config *cfg, struct ebb_store **ret, struct ebb_err *err);
void ebb_store_close(struct ebb_store *s);
EBB_CLEANUP_PTR(struct ebb_store, ebb_store_close);

const char *ebb_store_name(const struct ebb_store *s);
uint32_t ebb_store_caps(const struct ebb_store *s);	/* enum ebb_store_caps, or-ed */
int ebb_store_identify(struct ebb_store *s, struct ebb_store_identity *ret, struct ebb_err *err);

/* Bytes free for ordinary users; -EBB_ENOTSUP where it means nothing. */
int ebb_store_space(struct ebb_store *s, int64_t *ret_free, struct ebb_err *err);

/*
 * List every object with a key greater than @after (NULL: all) that begins with @prefix (NULL:
 * all), in key order. For tests and small prefixes; whole trees are walked by walk.h.
 * @fn gets each record, borrowed during the call; a negative return stops and is passed on.
 */
typedef int ebb_store_list_fn(void *ctx, const struct ebb_record *rec, struct ebb_err *err);
int ebb_store_list(struct ebb_store *s, const char *prefix, const char *after,
		   ebb_store_list_fn *fn, void *ctx, struct ebb_err *err);

/*
 * Fresh record of one object; @ret->key is @key. Never changes access times, never answers from a
 * cache. EVIDENCE and WINDOW stay unknown: what an access time is worth is the scanner's knowledge.
 */
int ebb_store_head(struct ebb_store *s, const char *key, struct ebb_record *ret, struct ebb_err *err);

/* Metadata of one object or directory, into an initialised @ret (cleared first). */
int ebb_store_get_meta(struct ebb_store *s, const char *key, struct ebb_meta *ret, struct ebb_err *err);

/*
 * How what is written now would be encrypted, as far as it can be told beforehand; OPEN where it cannot. Once written, metadata say it.
 *
 * @return  0; -EBB_ENOMEM.
 */
int ebb_store_seal(struct ebb_store *s, enum ebb_meta_seal *ret, struct ebb_err *err);

/*
 * Set the parts of @meta named by @what (enum ebb_meta_parts) on an existing object or directory,
 * durably, and read them back. XATTRS means exactly those: others that stand there are removed.
 * What the store cannot keep is refused, never dropped: -EBB_ENOTSUP for an attribute, -EBB_EACCES
 * for an owner, -EBB_EMISMATCH when other values come back. After a failure some parts may be set.
 */
int ebb_store_set_meta(struct ebb_store *s, const char *key, const struct ebb_meta *meta,
		       uint32_t what, struct ebb_err *err);

/*
 * Preconditions: the object must still be what @expect says, by the fields that @expect knows of
 * SIZE, MTIME, CTIME, INO, KIND, CLASS and entity tag. Otherwise -EBB_ECHANGED, with the first difference in the
 * message. NULL: no precondition (but the object must exist). Renaming an object and setting its
 * metadata change its CTIME on most filesystems. MTIME does not count where there is an entity tag,
 * which says more: listings and heads of a bucket may know different ones (core/record.h).
 */
int ebb_store_check(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		    struct ebb_err *err);

/*
 * The same on a record at hand, @now; for store types. A field that @expect knows and @now does not
 * has changed.
 *
 * @return  0 or -EBB_ECHANGED.
 */
int ebb_store_expect(const struct ebb_record *now, const struct ebb_record *expect,
		     struct ebb_err *err);

/*
 * Reading. Does not change access times where the platform allows (fs: O_NOATIME for the owner and
 * root).
 */
struct ebb_store_reader;
int ebb_store_read_open(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			struct ebb_store_reader **ret, struct ebb_err *err);
/*
 * The same for many objects one after the other, best in key order: a tour remembers where the last one was found, so that the next
 * costs less. @expect must be what the index knows; whether it still holds is only found by ebb_store_read_verify, without which
 * nothing that was read means anything.
 */
struct ebb_store_tour {
	int dir;			/* fs: the directory of the last object, or -1 */
	size_t len;			/* bytes of its key */
	char key[EBB_KEY_MAX + 1];
};
void ebb_store_tour_init(struct ebb_store_tour *t);
void ebb_store_tour_release(struct ebb_store_tour *t);
int ebb_store_read_next(struct ebb_store *s, struct ebb_store_tour *t, const char *key,
			const struct ebb_record *expect, struct ebb_store_reader **ret,
			struct ebb_err *err);

/* The same from @off on, without reading what is before. -EBB_ENOTSUP where a store only reads from the beginning. */
int ebb_store_read_from(struct ebb_store *s, const char *key, const struct ebb_record *expect, int64_t off,
			struct ebb_store_reader **ret, struct ebb_err *err);

/* Go on reading at @off. -EBB_ENOTSUP where a store only reads from the beginning to the end. */
int ebb_store_read_seek(struct ebb_store_reader *r, int64_t off, struct ebb_err *err);

/*
 * Up to @len bytes at the reader's position, fewer before a hole. Returns bytes, 0 at the end or
 * when @len is 0, negative.
 */
int64_t ebb_store_read(struct ebb_store_reader *r, void *buf, size_t len, struct ebb_err *err);
/*
 * Where the next data begins at or after the position: *ret_hole bytes of hole come first (0
 * without EBB_CAP_SPARSE). The position moves behind the hole.
 */
int ebb_store_read_hole(struct ebb_store_reader *r, int64_t *ret_hole, struct ebb_err *err);
/*
 * -EBB_ECHANGED when the object changed since the reader was opened. Called after the last read:
 * what was read is then one state of the object, the one that @expect describes.
 */
int ebb_store_read_verify(struct ebb_store_reader *r, struct ebb_err *err);
/*
 * Exactly @len bytes at @off of an object that is what @expect says (as for read_open), in one request; @buf holds @len bytes.
 * -EBB_ECORRUPT when the object ends before, or the store answers with anything but what was asked for.
 */
int ebb_store_read_range(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			 int64_t off, void *buf, size_t len, struct ebb_err *err);

void ebb_store_read_close(struct ebb_store_reader *r);
EBB_CLEANUP_PTR(struct ebb_store_reader, ebb_store_read_close);

/* A place in an object that is being written from which another writer can go on (EBB_CAP_RESUME). */
struct ebb_store_mark {
	int64_t at;			/* bytes before it, from the beginning */
	const char *id;			/* the store's own: which unfinished upload; "" where there can be only one */
	uint8_t sum[16];		/* the store's own: MD5 of the bytes since the mark before */
	uint8_t digest[EBB_DIGEST_LEN];	/* XXH3-128 of all bytes before it: for whoever keeps the mark to fill in */
};

/* How to write. */
struct ebb_store_write_opts {
	/* Bytes to be allocated, or -1. A full store is noticed early where possible (-EBB_ENOSPC);
	 * a sparse object needs its ALLOC, not its SIZE. */
	int64_t size_hint;
	/* Names the temporary; [A-Za-z0-9.-], 1 to EBB_STORE_TAG_MAX bytes; unique per writer. */
	const char *tag;
	/* Storage class with EBB_CAP_CLASS; NULL: the store's default. */
	const char *class;
	/* What commit will set, when it is known now: object stores give large objects their metadata at
	 * the start, and anything else costs them a copy. Borrowed until commit. NULL: not known. */
	const struct ebb_meta *meta;
	uint32_t what;
	/* What a writer of this key and tag that was left has told, ascending, of one id; NULL: begin anew. Borrowed until open returns.
	 * What is there is compared with them before it is taken over. */
	const struct ebb_store_mark *marks;
	size_t nmarks;
};

/*
 * Writing: to a temporary beside @key, invisible under @key until commit. The parent directory must
 * exist. -EBB_EEXIST at commit when @key stands already: nothing is ever overwritten. -EBB_EEXIST
 * at open when a temporary of that tag stands: sweep first. Object stores have unfinished uploads
 * instead, which listings do not show; those of one key and tag may be several (a sweep takes all).
 */
struct ebb_store_writer;
int ebb_store_write_open(struct ebb_store *s, const char *key,
			 const struct ebb_store_write_opts *opts, struct ebb_store_writer **ret,
			 struct ebb_err *err);
int ebb_store_write(struct ebb_store_writer *w, const void *buf, size_t len, struct ebb_err *err);
/* Append @len bytes of hole (zeroes where the store has no holes). */
int ebb_store_write_hole(struct ebb_store_writer *w, int64_t len, struct ebb_err *err);
/*
 * Apply the parts @what of @meta (may be NULL) as ebb_store_set_meta does, make durable, and appear
 * under the key. *ret (may be NULL) is the record as it now stands, its key the pointer that
 * ebb_store_write_open got. The writer is closed either way; after a failure the temporary is
 * removed.
 */
int ebb_store_write_commit(struct ebb_store_writer *w, const struct ebb_meta *meta, uint32_t what,
			   struct ebb_record *ret, struct ebb_err *err);
/*
 * Bytes between places where write_mark may be called, counted from the beginning; 0: nowhere. And how many bytes a writer that was
 * opened with marks has already: it goes on there, 0: anew. The temporary that it could not take over is gone.
 */
int64_t ebb_store_write_step(const struct ebb_store_writer *w);
int64_t ebb_store_write_taken(const struct ebb_store_writer *w);
/*
 * Make all that was written so far, a multiple of the step, something that a later writer can take over; it need not have arrived yet.
 *
 * @ret  without digest; its id lives as long as the writer.
 */
int ebb_store_write_mark(struct ebb_store_writer *w, struct ebb_store_mark *ret, struct ebb_err *err);
/* Close and let the temporary stand, for a writer that has the marks. A sweep removes it. */
void ebb_store_write_leave(struct ebb_store_writer *w);
/* Give up: remove the temporary. */
void ebb_store_write_abort(struct ebb_store_writer *w);
EBB_CLEANUP_PTR(struct ebb_store_writer, ebb_store_write_abort);

/*
 * Remove the temporary that a killed writer for @key with @tag left; 0 also when there is none, nor
 * a parent.
 */
int ebb_store_write_sweep(struct ebb_store *s, const char *key, const char *tag, struct ebb_err *err);

/*
 * Move an object to another key of the same store, atomically, keeping inode and metadata; never
 * onto an existing object (-EBB_EEXIST). The parent of @to must exist. Directories move with all
 * below them; both keys end in '/' or neither. -EBB_ENOTSUP for a move to another filesystem within
 * the store.
 */
int ebb_store_rename(struct ebb_store *s, const char *from, const char *to,
		     const struct ebb_record *expect, struct ebb_err *err);

/*
 * Create the directory @dir (ends in '/') and missing parents, each with @mode whatever the umask.
 * @fn, if given, is told each key created (not those that stood), outermost first; a negative
 * return stops and is passed on. -EBB_EEXIST when something that is no directory stands in the way.
 */
typedef int ebb_store_made_fn(void *ctx, const char *key, struct ebb_err *err);
int ebb_store_mkdirs(struct ebb_store *s, const char *dir, uint32_t mode, ebb_store_made_fn *fn,
		     void *ctx, struct ebb_err *err);

/* Remove an empty directory (key ends in '/'), durably; -EBB_EEXIST when it is not empty. */
int ebb_store_rmdir(struct ebb_store *s, const char *dir, struct ebb_err *err);

/*
 * A number for where the content of an object lies (EBB_CAP_REFLINK): equal for objects that share all their blocks. 0 when it shares
 * none with anybody, or has none.
 */
int ebb_store_extents(struct ebb_store *s, const char *key, uint64_t *ret, struct ebb_err *err);

/*
 * Let the object @to lie in the blocks of @from (EBB_CAP_REFLINK), after the filesystem itself has compared every byte of both; contents
 * and metadata stay as they are. Durable. Both must be what their records say.
 *
 * @return  0; -EBB_EMISMATCH when they differ (a part in front may be shared by then, which changes nothing that anybody can read);
 *          -EBB_ENOTSUP; -EBB_ECHANGED; -EBB_EACCES: takes the owner of @to.
 */
int ebb_store_share(struct ebb_store *s, const char *from, const struct ebb_record *from_rec,
		    const char *to, const struct ebb_record *to_rec, struct ebb_err *err);

/*
 * Give the object @from, which must be what @expect says, the further name @to (EBB_CAP_LINK); never onto an existing one (-EBB_EEXIST).
 * Its CTIME and NLINK change. -EBB_ENOTSUP where it cannot have another name there.
 */
int ebb_store_link(struct ebb_store *s, const char *from, const char *to,
		   const struct ebb_record *expect, struct ebb_err *err);

/*
 * Copy within the store (EBB_CAP_COPY), on the store's side, with all metadata, tags, encryption and access lists; what cannot be kept
 * is refused (-EBB_ENOTSUP). @class as in write options; NULL: that of @from. -EBB_EEXIST when @to stands already.
 *
 * @ret  record of the copy, its key @to; may be NULL.
 */
int ebb_store_copy(struct ebb_store *s, const char *from, const char *to, const char *class,
		   const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err);

/*
 * The same from another store into @to: possible where both are of one kind and place, so that no bytes come here. Otherwise
 * -EBB_ENOTSUP; whoever asks streams then.
 *
 * @opts  class and metadata of the copy, as with a writer.
 * @ret   record of the copy, its key @to_key.
 */
bool ebb_store_can_take(const struct ebb_store *to, const struct ebb_store *from);
int ebb_store_take(struct ebb_store *to, const char *to_key, struct ebb_store *from, const char *key,
		   const struct ebb_record *expect, const struct ebb_store_write_opts *opts, struct ebb_record *ret,
		   struct ebb_err *err);

/*
 * Put a copy of @from in the place of what stands under @key (EBB_CAP_COPY), on the store's side; the key is at no time without an object.
 * It gets the content, metadata and tags of @from, encrypted as that is, and keeps its own class and access list. Its old content is
 * gone, also where earlier versions stay, so it takes a proof about @key; @from stays. Where the store does not check
 * preconditions of copies by itself there is a window of one request in which what somebody else writes is replaced, too.
 *
 * @proof     of ebb_proof_verified, for the first time; of ebb_proof_replaced (nothing is copied, what is missing is done) to finish one
 *            that may have got anywhere.
 * @from_rec  what @from must still be.
 * @ret       record of what now stands under @key; may be NULL.
 * @return    0; -EBB_ECHANGED, -EBB_ENOENT for either; -EBB_EINVAL for a proof about something else; -EBB_ENOTSUP: locked, or what would be
 *            lost; -EBB_EMISMATCH when the store says yes and does something else. After a failure, look.
 */
int ebb_store_replace(struct ebb_store *s, const char *key, const struct ebb_proof *proof, const char *from,
		      const struct ebb_record *from_rec, struct ebb_record *ret, struct ebb_err *err);

/*
 * Change the storage class of an object in place (EBB_CAP_CLASS); everything else stays (but CTIME), and is read back.
 *
 * @ret  the record as it now stands; may be NULL.
 * @return  0; -EBB_ENOTSUP for a class that the store does not know, or what would be lost; -EBB_EMISMATCH when the store says yes
 *          and does something else.
 */
int ebb_store_set_class(struct ebb_store *s, const char *key, const char *class,
			const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err);

/*
 * Archive classes (EBB_CAP_THAW). An object that sleeps can be looked at, hidden and removed, but reading or copying it is -EBB_EASLEEP until
 * its store has made a temporary copy of it, which takes minutes to days and is kept, and charged, beside the archived one until it expires.
 */
enum ebb_store_sleep {
	EBB_STORE_AWAKE,	/* can be read: it never slept */
	EBB_STORE_ASLEEP,
	EBB_STORE_THAWING,	/* asked for, not yet there */
	EBB_STORE_THAWED	/* can be read until its copy expires */
};

/* Where a class that tiers by itself (INTELLIGENT_TIERING) has put an object away. Thawed it comes back for good: there is no copy. */
enum ebb_store_tier {
	EBB_STORE_TIER_NONE,		/* nowhere: the object is awake, or its class is the archive */
	EBB_STORE_TIER_ARCHIVE,		/* Archive Access */
	EBB_STORE_TIER_DEEP		/* Deep Archive Access */
};

/* What else is known of an object that may sleep. */
struct ebb_store_rest {
	int64_t expires;		/* THAWED: when its copy goes, ns since the epoch; else 0 */
	enum ebb_store_tier tier;	/* ASLEEP, THAWING */
};

/*
 * How it stands.
 *
 * @ret_rest  may be NULL.
 * @return    0; -EBB_ECHANGED when it is not what @expect says; -EBB_ENOENT.
 */
int ebb_store_sleep(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		    enum ebb_store_sleep *ret, struct ebb_store_rest *ret_rest, struct ebb_err *err);

/*
 * Ask for a temporary copy. Costs money. Where one stands it is kept for @days from now.
 *
 * @speed   "bulk", "standard", "expedited".
 * @days    1 or more; 0 for what a tier has put away, which is no copy and has no end.
 * @return  0, also when it is on its way already; -EBB_ENOTSUP: the store thaws nothing, or not this, or not so fast, or not for so many
 *          days.
 */
int ebb_store_thaw(struct ebb_store *s, const char *key, const char *speed, unsigned days,
		   struct ebb_err *err);

/*
 * Whether objects of that class may sleep there: the others need not be asked about. And whether it is a class that puts objects away by
 * itself, of which the store tells by each object alone. @class may be NULL.
 */
bool ebb_store_may_sleep(const struct ebb_store *s, const char *class);
bool ebb_store_tiers(const struct ebb_store *s, const char *class);

/*
 * Hide an object (EBB_CAP_VERSIONS): a delete marker takes its key out of listings, its content stays as a noncurrent version.
 * Show takes it back: the newest thing under @key must be a delete marker and the version below it what @expect says
 * (-EBB_ECHANGED otherwise, -EBB_ENOENT when there is neither, -EBB_EEXIST when an object stands under @key).
 *
 * Hidden says whether it is so: 1 when the newest is a marker above @expect, 0 when not.
 */
int ebb_store_hide(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		   struct ebb_err *err);
int ebb_store_show(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		   struct ebb_err *err);
int ebb_store_hidden(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		     struct ebb_err *err);

/*
 * Remove an object for good. The only way to do so but ebb_store_replace, and only with a proof (proof.h) for this very
 * store, key and state: what the proof saw must still stand (-EBB_ECHANGED). -EBB_EINVAL for a
 * proof about something else, and for directories. With EBB_CAP_VERSIONS it may also be hidden, and
 * then goes with the marker above it; where older versions lie below, a marker stays over them, so
 * that none of them comes up.
 */
int ebb_store_remove(struct ebb_store *s, const char *key, const struct ebb_proof *proof,
		     struct ebb_err *err);

/*
 * What a type implements; same meanings as the wrappers above. Optional members may be NULL. Each
 * store type's struct begins with a struct ebb_store; readers and writers begin with their struct
 * as well.
 */
struct ebb_store {
	const struct ebb_store_ops *ops;
	char *name;
	uint32_t caps;
	struct ebb_pace *pace;	/* set by ebb_store_open */
};
struct ebb_store_reader {
	struct ebb_store *store;
};
struct ebb_store_writer {
	struct ebb_store *store;
	int64_t step, taken;	/* as the functions of that name tell; set by write_open */
};

/*
 * Keys, tags and proofs are checked before an operation is called. `open` fills ops, name
 * (allocated) and caps, which `close` frees. Only open, close, list and head are mandatory; a type
 * that can read has all of read*, one that can write all of write*.
 */
struct ebb_store_ops {
	const char *type;
	const char *summary;
	int (*open)(const struct ebb_store_config *cfg, struct ebb_store **ret, struct ebb_err *err);
	void (*close)(struct ebb_store *s);
	int (*identify)(struct ebb_store *s, struct ebb_store_identity *ret, struct ebb_err *err);
	int (*space)(struct ebb_store *s, int64_t *ret_free, struct ebb_err *err);
	int (*list)(struct ebb_store *s, const char *prefix, const char *after,
		    ebb_store_list_fn *fn, void *ctx, struct ebb_err *err);
	int (*head)(struct ebb_store *s, const char *key, struct ebb_record *ret, struct ebb_err *err);
	int (*get_meta)(struct ebb_store *s, const char *key, struct ebb_meta *ret, struct ebb_err *err);
	int (*seal)(struct ebb_store *s, enum ebb_meta_seal *ret, struct ebb_err *err);
	int (*set_meta)(struct ebb_store *s, const char *key, const struct ebb_meta *meta,
			uint32_t what, struct ebb_err *err);
	int (*read_open)(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			 struct ebb_store_reader **ret, struct ebb_err *err);
	int (*read_next)(struct ebb_store *s, struct ebb_store_tour *t, const char *key,
			 const struct ebb_record *expect, struct ebb_store_reader **ret,
			 struct ebb_err *err);
	int (*read_from)(struct ebb_store *s, const char *key, const struct ebb_record *expect, int64_t off,
			 struct ebb_store_reader **ret, struct ebb_err *err);
	int64_t (*read)(struct ebb_store_reader *r, void *buf, size_t len, struct ebb_err *err);
	int (*read_seek)(struct ebb_store_reader *r, int64_t off, struct ebb_err *err);
	int (*read_hole)(struct ebb_store_reader *r, int64_t *ret_hole, struct ebb_err *err);
	int (*read_verify)(struct ebb_store_reader *r, struct ebb_err *err);
	void (*read_close)(struct ebb_store_reader *r);
	int (*read_range)(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			  int64_t off, void *buf, size_t len, struct ebb_err *err);
	int (*write_open)(struct ebb_store *s, const char *key,
			  const struct ebb_store_write_opts *opts, struct ebb_store_writer **ret,
			  struct ebb_err *err);
	int (*write)(struct ebb_store_writer *w, const void *buf, size_t len, struct ebb_err *err);
	int (*write_hole)(struct ebb_store_writer *w, int64_t len, struct ebb_err *err);
	int (*write_commit)(struct ebb_store_writer *w, const struct ebb_meta *meta, uint32_t what,
			    struct ebb_record *ret, struct ebb_err *err);
	void (*write_abort)(struct ebb_store_writer *w);
	int (*write_mark)(struct ebb_store_writer *w, struct ebb_store_mark *ret, struct ebb_err *err);
	void (*write_leave)(struct ebb_store_writer *w);
	int (*write_sweep)(struct ebb_store *s, const char *key, const char *tag,
			   struct ebb_err *err);
	int (*rename)(struct ebb_store *s, const char *from, const char *to,
		      const struct ebb_record *expect, struct ebb_err *err);
	int (*mkdirs)(struct ebb_store *s, const char *dir, uint32_t mode, ebb_store_made_fn *fn,
		      void *ctx, struct ebb_err *err);
	int (*rmdir)(struct ebb_store *s, const char *dir, struct ebb_err *err);
	int (*extents)(struct ebb_store *s, const char *key, uint64_t *ret, struct ebb_err *err);
	int (*share)(struct ebb_store *s, const char *from, const struct ebb_record *from_rec,
		     const char *to, const struct ebb_record *to_rec, struct ebb_err *err);
	int (*link)(struct ebb_store *s, const char *from, const char *to,
		    const struct ebb_record *expect, struct ebb_err *err);
	int (*copy)(struct ebb_store *s, const char *from, const char *to, const char *class,
		    const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err);
	/* @again: @key holds a copy of @from already; @expect is what it replaced */
	int (*replace)(struct ebb_store *s, const char *key, const struct ebb_record *expect, bool again,
		       const char *from, const struct ebb_record *from_rec, struct ebb_record *ret, struct ebb_err *err);
	bool (*can_take)(const struct ebb_store *to, const struct ebb_store *from);
	int (*take)(struct ebb_store *to, const char *to_key, struct ebb_store *from, const char *key,
		    const struct ebb_record *expect, const struct ebb_store_write_opts *opts, struct ebb_record *ret,
		    struct ebb_err *err);
	int (*set_class)(struct ebb_store *s, const char *key, const char *class,
			 const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err);
	int (*sleep)(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		     enum ebb_store_sleep *ret, struct ebb_store_rest *ret_rest, struct ebb_err *err);
	int (*thaw)(struct ebb_store *s, const char *key, const char *speed, unsigned days,
		    struct ebb_err *err);
	int (*hide)(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		    struct ebb_err *err);
	int (*show)(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		    struct ebb_err *err);
	int (*hidden)(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		      struct ebb_err *err);
	int (*remove)(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		      struct ebb_err *err);
};

/* Row @i of the table of types, from 0; NULL behind the last one. */
const struct ebb_store_ops *ebb_store_type_at(size_t i);

/*
 * True when @key is well-formed where there are directories: 1 to EBB_KEY_MAX bytes, no empty
 * component (so no '/' in front), no "." and "..". A '/' at the end names a directory.
 */
bool ebb_store_key_ok(const char *key);

#endif
