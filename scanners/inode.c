/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/inode.h"

#include <sys/sysmacros.h>

#define NS_PER_S INT64_C(1000000000)

int64_t ebb_inode_ns(const struct statx_timestamp *t)
{
	int64_t ns;

	if (__builtin_mul_overflow(t->tv_sec, NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns))
		return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

static enum ebb_record_kind kind_of(uint16_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return EBB_KIND_FILE;
	case S_IFDIR:
		return EBB_KIND_DIR;
	case S_IFLNK:
		return EBB_KIND_SYMLINK;
	default:
		return EBB_KIND_SPECIAL;
	}
}

/* 512-byte units to bytes. */
static int64_t allocated(uint64_t blocks)
{
	return blocks > INT64_MAX / 512 ? INT64_MAX : (int64_t)blocks * 512;
}

void ebb_inode_record(const struct statx *st, struct ebb_record *ret)
{
	const struct {
		uint32_t bit;
		enum ebb_field field;
		int64_t value;
	} fields[] = {
		{STATX_TYPE, EBB_F_KIND, kind_of(st->stx_mode)},
		{STATX_SIZE, EBB_F_SIZE, (int64_t)st->stx_size},
		{STATX_BLOCKS, EBB_F_ALLOC, allocated(st->stx_blocks)},
		{STATX_MTIME, EBB_F_MTIME, ebb_inode_ns(&st->stx_mtime)},
		{STATX_ATIME, EBB_F_ATIME, ebb_inode_ns(&st->stx_atime)},
		{STATX_CTIME, EBB_F_CTIME, ebb_inode_ns(&st->stx_ctime)},
		{STATX_MODE, EBB_F_MODE, st->stx_mode},
		{STATX_UID, EBB_F_UID, st->stx_uid},
		{STATX_GID, EBB_F_GID, st->stx_gid},
		{STATX_NLINK, EBB_F_NLINK, st->stx_nlink},
		{STATX_INO, EBB_F_INO, (int64_t)st->stx_ino},
	};

	ret->known = 0;
	for (int i = 0; i < EBB_F_COUNT; i++)
		ret->f[i] = 0;
	for (int i = 0; i < EBB_DIGEST_LEN; i++)
		ret->digest[i] = 0;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (st->stx_mask & fields[i].bit)
			ebb_record_set(ret, fields[i].field, fields[i].value);
	ebb_record_set(ret, EBB_F_DEV, (int64_t)makedev(st->stx_dev_major, st->stx_dev_minor));
}
