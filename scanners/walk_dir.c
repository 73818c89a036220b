/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/walk_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/mem.h"

/* Entries of a typical directory come with one call; measured no faster above. */
#define DENTS_BYTES (64 * 1024)

/* Names of one directory, at most: 2^32 bytes would be some 100 million names. */
#define NAMES_CAP ((size_t)4 << 30)

struct ebb_walk_dir_reader {
	int root;
	struct ebb_buf names;	/* NUL-terminated names of the directory being read */
	struct ebb_walk_dir_entry *entries;
	size_t n, size;
	char dents[DENTS_BYTES] __attribute__((aligned(16)));
};

struct dent { /* as getdents64(2) gives it */
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

struct ebb_walk_dir_reader *ebb_walk_dir_reader_new(int root)
{
	struct ebb_walk_dir_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->root = root;
	ebb_buf_init(&r->names, NAMES_CAP);
	return r;
}

void ebb_walk_dir_reader_free(struct ebb_walk_dir_reader *r)
{
	if (!r)
		return;
	ebb_buf_release(&r->names);
	free(r->entries);
	free(r);
}

void ebb_walk_dir_release(struct ebb_walk_dir *d)
{
	free(d->entries);
	*d = (struct ebb_walk_dir){0};
}

/* Beneath the root, through no symlink; without touching the access time where that is allowed (owner or root). */
static int open_dir(int root, const char *key)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	const char *path = *key ? key : ".";
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd < 0 && errno == EPERM) {
		how.flags &= ~(uint64_t)O_NOATIME;
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	}
	return fd;
}

static int64_t ns_of(const struct statx_timestamp *t)
{
	int64_t ns;

	if (__builtin_mul_overflow(t->tv_sec, INT64_C(1000000000), &ns) ||
	    __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns))
		return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

static uint8_t kind_of(unsigned mode)
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

/* Bits of a record that statx answers all at once. */
#define KNOWN_BY_STATX                                                                             \
	(EBB_KNOWN(EBB_F_KIND) | EBB_KNOWN(EBB_F_SIZE) | EBB_KNOWN(EBB_F_ALLOC) |                  \
	 EBB_KNOWN(EBB_F_MTIME) | EBB_KNOWN(EBB_F_ATIME) | EBB_KNOWN(EBB_F_CTIME) |                \
	 EBB_KNOWN(EBB_F_MODE) | EBB_KNOWN(EBB_F_UID) | EBB_KNOWN(EBB_F_GID) |                     \
	 EBB_KNOWN(EBB_F_NLINK) | EBB_KNOWN(EBB_F_INO) | EBB_KNOWN(EBB_F_DEV))

/* Returns 1 with *e filled, 0 when the entry has vanished. Other failures leave the fields unknown. */
static int stat_entry(int dir, const char *name, unsigned char type, struct ebb_walk_dir_entry *e)
{
	struct statx x;

	if (statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		  STATX_BASIC_STATS | STATX_MNT_ID, &x) < 0) {
		if (errno == ENOENT)
			return 0;
		e->kind = kind_of(DTTOIF(type));
		e->known = type == DT_UNKNOWN ? 0 : EBB_KNOWN(EBB_F_KIND);
		return 1;
	}
	e->known = KNOWN_BY_STATX;
	e->kind = kind_of(x.stx_mode);
	e->mode = x.stx_mode;
	e->uid = x.stx_uid;
	e->gid = x.stx_gid;
	e->nlink = x.stx_nlink;
	e->size = x.stx_size > INT64_MAX ? INT64_MAX : (int64_t)x.stx_size;
	e->alloc = (int64_t)(x.stx_blocks * 512);
	e->mtime = ns_of(&x.stx_mtime);
	e->atime = ns_of(&x.stx_atime);
	e->ctime = ns_of(&x.stx_ctime);
	e->ino = x.stx_ino;
	e->dev = makedev(x.stx_dev_major, x.stx_dev_minor);
	e->mount = x.stx_mask & STATX_MNT_ID ? x.stx_mnt_id : 0;
	if (x.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		e->flags = EBB_FLAG_MOUNT;
	return 1;
}

static bool is_own(const char *name)
{
	return memcmp(name, ".ebb-t", 6) == 0 &&
	       (strcmp(name, ".ebb-trash") == 0 || strncmp(name, ".ebb-tmp.", 9) == 0);
}

static int add_entry(struct ebb_walk_dir_reader *r, int dir, const struct dent *d)
{
	struct ebb_walk_dir_entry *e;
	size_t len = strlen(d->name);

	if (d->name[0] == '.' &&
	    (len == 1 || (len == 2 && d->name[1] == '.') || (len > 6 && is_own(d->name))))
		return 0;
	if (r->n == r->size) {
		size_t size = r->size ? r->size * 2 : 256;
		e = realloc(r->entries, ebb_mem_mul(size, sizeof(*e)));
		if (!e)
			return -EBB_ENOMEM;
		r->entries = e;
		r->size = size;
	}
	e = &r->entries[r->n];
	*e = (struct ebb_walk_dir_entry){0};
	if (!stat_entry(dir, d->name, d->type, e))
		return 0;
	/* Offset for now: the buffer may move. Room for the '/' of a directory and the NUL. */
	e->order = r->names.len;
	if (ebb_buf_reserve(&r->names, len + 2) < 0)
		return -EBB_ENOMEM;
	ebb_buf_add(&r->names, d->name, len);
	if (e->kind == EBB_KIND_DIR) {
		ebb_buf_addc(&r->names, '/');
		len++;
	}
	ebb_buf_addc(&r->names, '\0');
	e->len = (uint32_t)len;
	r->n++;
	return 0;
}

static int by_name(const void *pa, const void *pb)
{
	const struct ebb_walk_dir_entry *a = pa, *b = pb;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return ebb_record_key_cmp(a->name, a->len, b->name, b->len);
}

/* First eight bytes as a number that compares as the bytes do. */
static uint64_t order_of(const char *name, uint32_t len)
{
	uint64_t v = 0;

	memcpy(&v, name, len < 8 ? len : 8);
	return __builtin_bswap64(v);
}

/* One allocation: entries, then names. */
static int finish(struct ebb_walk_dir_reader *r, struct ebb_walk_dir *ret)
{
	size_t head = ebb_mem_mul(r->n, sizeof(*r->entries));
	size_t bytes = ebb_mem_add(head, r->names.len);
	char *names;

	if (r->n == 0) {
		*ret = (struct ebb_walk_dir){0};
		return 0;
	}
	ret->entries = malloc(bytes);
	if (!ret->entries)
		return -EBB_ENOMEM;
	memcpy(ret->entries, r->entries, head);
	names = (char *)ret->entries + head;
	memcpy(names, r->names.data, r->names.len);
	for (size_t i = 0; i < r->n; i++) {
		struct ebb_walk_dir_entry *e = &ret->entries[i];
		e->name = names + e->order;
		e->order = order_of(e->name, e->len);
	}
	ret->n = r->n;
	ret->bytes = bytes;
	qsort(ret->entries, ret->n, sizeof(*ret->entries), by_name);
	return 0;
}

int ebb_walk_dir_read(struct ebb_walk_dir_reader *r, const char *key, struct ebb_walk_dir *ret,
		      struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = open_dir(r->root, key);
	ssize_t got = 0;
	int rc = 0;

	if (fd < 0)
		return ebb_err_sys(err, errno, "cannot open directory");
	r->n = 0;
	ebb_buf_clear(&r->names);
	while (rc == 0 && (got = syscall(SYS_getdents64, fd, r->dents, sizeof(r->dents))) > 0) {
		for (ssize_t at = 0; rc == 0 && at < got;) {
			const struct dent *d = (const void *)(r->dents + at);
			rc = add_entry(r, fd, d);
			at += d->reclen;
		}
	}
	if (rc == 0 && got < 0)
		return ebb_err_sys(err, errno, "cannot read directory");
	if (rc == 0)
		rc = finish(r, ret);
	if (rc < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a directory of %zu entries", r->n);
	return 0;
}
