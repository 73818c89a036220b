/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packs as they stand: found by their names, in the index or in a store itself, with their tombstones; and the catalogue of what is in them.
 *
 * The catalogue, INDEX/packs/, holds the end of each pack (compress/pack.h: index and seek table), a file each, byte for byte, named after store,
 * key and state of the pack. It is a cache: the packs' ends are the truth, and reading them again makes it anew.
 *
 * Threads: main thread, but for ebb_packs_index, which may be called from any thread.
 */
#ifndef EBB_AGENT_PACKS_H
#define EBB_AGENT_PACKS_H

#include "agent/packname.h"
#include "compress/pack_read.h"
#include "core/snap.h"
#include "scanners/store.h"

struct ebb_packs_tombstone {
	uint8_t hash[EBB_DIGEST_LEN];	/* of the member's key */
	int64_t expires;		/* ns since the epoch */
};

/* The newest generation of a line. Borrowed during the call that tells it. */
struct ebb_packs_pack {
	const char *key;		/* NUL-terminated */
	struct ebb_record rec;		/* its key is the one above */
	struct ebb_packname name;	/* points into key */
	const struct ebb_packs_tombstone *tombstones;	/* of the line, sorted by hash */
	size_t ntombstones;
	int older;			/* generations before it that stand still */
};

/* Told of each line that has a pack, in the order of keys. A negative return stops, and is passed on. */
typedef int ebb_packs_fn(void *ctx, const struct ebb_packs_pack *p, struct ebb_err *err);

/* Those that the last scan of a store saw. 0, -EBB_ECORRUPT, -EBB_ENOMEM, what @fn returns. */
int ebb_packs_in_index(struct ebb_snap *snap, const struct ebb_index_store *st, ebb_packs_fn *fn, void *ctx,
		       struct ebb_err *err);

/*
 * Those that stand in a store now, by listing.
 *
 * @prefix  of their keys; NULL: all.
 */
int ebb_packs_in_store(struct ebb_store *s, const char *prefix, ebb_packs_fn *fn, void *ctx, struct ebb_err *err);

/*
 * What became of a pack that is not there any more: the newest generation of its line, by one listing.
 *
 * @arena  holds *ret.
 * @return 1; 0: nothing of its line stands, or @key is no name of a pack; what listing returns; -EBB_ENOMEM.
 */
int ebb_packs_follow(struct ebb_store *s, const char *key, struct ebb_arena *arena, struct ebb_packs_pack *ret,
		     struct ebb_err *err);

/* The tombstone of a member, or NULL: it is not struck off. The one that may go last, where there are several. */
const struct ebb_packs_tombstone *ebb_packs_struck(const struct ebb_packs_pack *p, const char *member, size_t len);

/*
 * Take away the tombstones of a line that are past their time @now and whose objects are not in @left, where its objects are now. Those that
 * cannot go stay: they do no harm.
 *
 * @key  of any pack of the line.
 */
void ebb_packs_sweep(struct ebb_store *s, const char *key, const struct ebb_pack_index *left, int64_t now);

/*
 * Where the members of a pack lie: from the catalogue, else from the pack's end, which then goes into the catalogue.
 *
 * @index   index directory; NULL: without a catalogue.
 * @store   name of the pack's store; @rec with the key is what the pack must be.
 * @s       NULL: only the catalogue is asked.
 * @return  0 with *ret to be released; -EBB_ENOENT: not in the catalogue; as ebb_pack_read_index.
 */
int ebb_packs_index(const char *index, const char *store, const struct ebb_record *rec, struct ebb_store *s,
		    struct ebb_pack_index *ret, struct ebb_err *err);

/* Throw the catalogue away. */
int ebb_packs_forget(const char *index, struct ebb_err *err);

#endif
