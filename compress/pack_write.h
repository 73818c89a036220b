/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing a pack, member by member, to a sink that is only appended to.
 *
 *     ebb_pack_write_new
 *     for each member:  ebb_pack_write_begin, ebb_pack_write_data..., ebb_pack_write_end
 *     ebb_pack_write_finish
 *
 * The same members at the same level, with the same libraries: the same bytes. After a failure only free
 * may follow.
 *
 * Memory: two buffers of EBB_PACK_CHUNK, libarchive's and zstd's (level 3: about 10 MiB), and the index:
 * 60 bytes and the key of each member.
 * Threads: a writer belongs to one thread at a time. Blocks where the sink does.
 */
#ifndef EBB_COMPRESS_PACK_WRITE_H
#define EBB_COMPRESS_PACK_WRITE_H

#include "compress/pack.h"
#include "compress/pipe.h"
#include "compress/range.h"

struct ebb_pack_writer;

/*
 * @level   zstd's, 1 to 19; 0: 3.
 * @sink    takes the pack's bytes, in order.
 * @return  0; -EBB_EINVAL for a level there is not; -EBB_ENOMEM.
 */
int ebb_pack_write_new(int level, ebb_pipe_write_fn *sink, void *ctx, struct ebb_pack_writer **ret,
		       struct ebb_err *err);
void ebb_pack_write_free(struct ebb_pack_writer *w);
EBB_CLEANUP_PTR(struct ebb_pack_writer, ebb_pack_write_free);

/*
 * Begin a member.
 *
 * @return  0; -EBB_ENOTSUP: tar cannot carry its metadata, or it is too large, and the writer can go on with another member;
 *          -EBB_EINVAL: no such key; -EBB_ELIMIT: the pack is full; -EBB_ENOMEM; the sink's.
 */
int ebb_pack_write_begin(struct ebb_pack_writer *w, const struct ebb_pack_entry *e,
			 struct ebb_err *err);

/*
 * The next @len bytes of its content, holes as zeros.
 *
 * @return  0; -EBB_EMISMATCH: more than the entry's size; -EBB_ENOMEM; the sink's.
 */
int ebb_pack_write_data(struct ebb_pack_writer *w, const void *p, size_t len, struct ebb_err *err);

/*
 * End the member. *ret (may be NULL) is its row; the key in it is the one that begin got.
 *
 * @return  0; -EBB_EMISMATCH: fewer bytes came than the entry's size; -EBB_ENOMEM; the sink's.
 */
int ebb_pack_write_end(struct ebb_pack_writer *w, struct ebb_pack_member *ret, struct ebb_err *err);

/*
 * Take over a member of another pack as it is: the same frames, which are not decoded. Whoever lets the other pack go reads the member back.
 *
 * @m       its row in the other pack, which @read reads, 8 MiB at most at a time.
 * @ret     its row in this one; may be NULL.
 * @return  0; -EBB_ECORRUPT: what stands there are no frames of that many bytes of tar; what @read returns; -EBB_ELIMIT, -EBB_ENOMEM; the
 *          sink's.
 */
int ebb_pack_write_copy(struct ebb_pack_writer *w, const struct ebb_pack_member *m, ebb_range_fn *read,
			void *ctx, struct ebb_pack_member *ret, struct ebb_err *err);

/* End of the tar, index and seek table; nothing may follow. 0, -EBB_ENOMEM, or the sink's. */
int ebb_pack_write_finish(struct ebb_pack_writer *w, struct ebb_err *err);

/* Bytes given to the sink so far. */
int64_t ebb_pack_write_size(const struct ebb_pack_writer *w);

#endif
