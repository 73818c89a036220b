/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packs: many small objects in one `.tar.zst`. Every member is one or more zstd frames of its own, so one
 * range read fetches it, and `zstd -dc PACK | tar x` unpacks all. DESIGN.md, "Packs", has the bytes.
 *
 * This header has what writers, readers and recovery share. Writing is pack_write.h, reading
 * pack_read.h, damaged packs pack_recover.h.
 *
 * Threads: plain data.
 */
#ifndef EBB_COMPRESS_PACK_H
#define EBB_COMPRESS_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/record.h"

/* Suffix of a pack's key. */
#define EBB_PACK_SUFFIX ".tar.zst"

/* Tar bytes in one frame; larger members take several. Also the largest window of a pack's frames. */
#define EBB_PACK_CHUNK ((size_t)4 << 20)

/* Most members of a pack, and most bytes of its index before compression (256 MiB). */
#define EBB_PACK_MEMBERS_MAX ((uint32_t)1 << 20)
#define EBB_PACK_INDEX_MAX ((size_t)256 << 20)

/* Largest member, holes included: packs are for small objects, and zeros that a header claims cost time. */
#define EBB_PACK_SIZE_MAX ((int64_t)64 << 30)

/* An extended attribute; POSIX ACLs are system.posix_acl_access, as the kernel gives them. */
struct ebb_pack_xattr {
	const char *name;
	const void *value;
	size_t len;
};

/* Bytes that are data, of a file with holes. */
struct ebb_pack_extent {
	int64_t off, len;
};

/* What tar says of a member. Everything borrowed. */
struct ebb_pack_entry {
	const char *key;
	int64_t size;			/* bytes of content, holes included */
	uint32_t mode, uid, gid;	/* permission bits */
	int64_t mtime, atime;		/* ns since the epoch */
	const struct ebb_pack_xattr *xattrs;	/* sorted by name */
	size_t nxattrs;
	const struct ebb_pack_extent *extents;	/* ascending; none: no holes */
	size_t nextents;
};

/* Where a member lies in its pack: a row of the index. */
struct ebb_pack_member {
	const char *key;	/* as ebb_pack_key_ok wants it */
	int64_t offset;		/* of its first frame in the pack */
	int64_t coded;		/* bytes of its frames */
	int64_t raw;		/* bytes of tar they decode to */
	int64_t size;		/* bytes of content */
	int64_t mtime;		/* ns since the epoch; 0 when the row did not come from an index */
	uint8_t digest[EBB_DIGEST_LEN];	/* XXH3-128 of the content */
};

/*
 * May this be the name of a member? 1 to EBB_KEY_MAX bytes, relative, no component empty, "." or "..",
 * no '/' at the end. What else a tar names is refused by readers: it could be unpacked elsewhere.
 */
bool ebb_pack_key_ok(const char *key);

#endif
