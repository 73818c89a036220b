/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/store_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Not in linux/magic.h; the numbers are those that stat(1) of coreutils knows. */
#define MAGIC_LUSTRE 0x0bd00bd0
#define MAGIC_GPFS 0x47504653
#define MAGIC_BEEGFS 0x19830326
#define MAGIC_ZFS 0x2fc12fc1

/* Names of the filesystems that stores are likely to be on; ext2 to ext4 share one number. */
static void kind_of(uint32_t magic, char ret[24])
{
	static const struct {
		uint32_t magic;
		const char *name;
	} kinds[] = {
		{EXT4_SUPER_MAGIC, "ext4"},	  {XFS_SUPER_MAGIC, "xfs"},
		{BTRFS_SUPER_MAGIC, "btrfs"},	  {F2FS_SUPER_MAGIC, "f2fs"},
		{TMPFS_MAGIC, "tmpfs"},		  {OVERLAYFS_SUPER_MAGIC, "overlay"},
		{NFS_SUPER_MAGIC, "nfs"},	  {CIFS_SUPER_MAGIC, "cifs"},
		{SMB2_SUPER_MAGIC, "smb3"},		  {FUSE_SUPER_MAGIC, "fuse"},
		{CEPH_SUPER_MAGIC, "ceph"},	  {V9FS_MAGIC, "9p"},
		{MSDOS_SUPER_MAGIC, "vfat"},	  {EXFAT_SUPER_MAGIC, "exfat"},
		{SQUASHFS_MAGIC, "squashfs"},	  {MAGIC_LUSTRE, "lustre"},
		{MAGIC_GPFS, "gpfs"},		  {MAGIC_BEEGFS, "beegfs"},
		{MAGIC_ZFS, "zfs"},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(kinds); i++)
		if (kinds[i].magic == magic) {
			snprintf(ret, 24, "%s", kinds[i].name);
			return;
		}
	snprintf(ret, 24, "0x%" PRIx32, magic);
}

static void fs_close(struct ebb_store *base)
{
	struct ebb_store_fs *s = (struct ebb_store_fs *)base;

	ebb_mem_closep(&s->root);
	free(s->base.name);
	free(s);
}

/*
 * A kernel before 5.6, or a sandbox that does not know the call, cannot keep the store's promise.
 */
static int probe_openat2(const struct ebb_store_fs *s, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = ebb_store_fs_path_openat2(s->root, ".", O_PATH);

	if (fd < 0)
		return ebb_err_set(err, EBB_ENOTSUP,
				   "store '%s': openat2 is refused (%s); it takes Linux 5.6 and a "
				   "container that allows it", s->base.name, strerrordesc_np(errno));
	return 0;
}

static int fs_open(const struct ebb_store_config *cfg, struct ebb_store **ret, struct ebb_err *err)
{
	if (!cfg->path || cfg->path[0] != '/')
		return ebb_err_set(err, EBB_ECONFIG, "store '%s': path '%s' is not absolute",
				   cfg->name, cfg->path ? cfg->path : "");

	struct ebb_store_fs *s = calloc(1, sizeof(*s));
	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for store '%s'", cfg->name);
	s->base.ops = &ebb_store_fs_ops;
	s->base.caps = EBB_CAP_READ | EBB_CAP_WRITE | EBB_CAP_REMOVE | EBB_CAP_RENAME | EBB_CAP_META |
		       EBB_CAP_SPARSE | EBB_CAP_DIRS | EBB_CAP_RANGE | EBB_CAP_LINK | EBB_CAP_RESUME;
	s->step = EBB_STORE_FS_STEP;
	s->base.name = strdup(cfg->name);
	s->root = open(cfg->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;
	if (s->root < 0)
		rc = ebb_err_set(err, EBB_ESTORE, "store '%s': cannot open '%s': %s%s", cfg->name,
				 cfg->path, strerrordesc_np(errno),
				 errno == ENOENT ? "; is it mounted?" : "");
	else if (!s->base.name)
		rc = ebb_err_set(err, EBB_ENOMEM, "no memory for store '%s'", cfg->name);
	else
		rc = probe_openat2(s, err);
	if (rc == 0 && ebb_store_fs_share_known(s->root))
		s->base.caps |= EBB_CAP_REFLINK;
	if (rc < 0) {
		fs_close(&s->base);
		return rc;
	}
	*ret = &s->base;
	return 0;
}

static int fs_identify(struct ebb_store *base, struct ebb_store_identity *ret, struct ebb_err *err)
{
	const struct ebb_store_fs *s = (const struct ebb_store_fs *)base;
	struct ebb_store_identity id = {0};
	struct statfs fs;
	struct stat st;
	uint32_t fsid[2];

	if (fstat(s->root, &st) < 0 || fstatfs(s->root, &fs) < 0)
		return ebb_err_sys(err, errno, "cannot look at the root of store '%s'", base->name);
	id.dev = st.st_dev;
	id.ino = st.st_ino;
	_Static_assert(sizeof(fsid) == sizeof(fs.f_fsid), "f_fsid is two words");
	memcpy(fsid, &fs.f_fsid, sizeof(fsid));
	if (fsid[0] || fsid[1])
		snprintf(id.fsid, sizeof(id.fsid), "%08" PRIx32 "%08" PRIx32, fsid[1], fsid[0]);
	kind_of((uint32_t)fs.f_type, id.kind);
	int rc = ebb_store_fs_dir_empty(s, &id.empty, err);
	if (rc < 0)
		return rc;
	*ret = id;
	return 0;
}

static int fs_space(struct ebb_store *base, int64_t *ret_free, struct ebb_err *err)
{
	const struct ebb_store_fs *s = (const struct ebb_store_fs *)base;
	struct statvfs v;
	int64_t bytes;

	if (fstatvfs(s->root, &v) < 0)
		return ebb_err_sys(err, errno, "cannot tell the free space of store '%s'",
				   base->name);
	if (v.f_blocks == 0)
		return ebb_err_set(err, EBB_ENOTSUP, "store '%s' does not tell its free space",
				   base->name);
	if (__builtin_mul_overflow(v.f_bavail, v.f_frsize, &bytes))
		bytes = INT64_MAX;
	*ret_free = bytes;
	return 0;
}

static int fs_head(struct ebb_store *s, const char *key, struct ebb_record *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_fs_path_release)
	struct ebb_store_fs_path p = EBB_STORE_FS_PATH_INIT;
	struct statx st;

	int rc = ebb_store_fs_path_init((const struct ebb_store_fs *)s, key, O_PATH, &p, err);
	if (rc == 0)
		rc = ebb_store_fs_path_stat(&p, key, &st, err);
	if (rc < 0)
		return rc;
	ebb_store_fs_path_record(&st, key, ret);
	return 0;
}

const struct ebb_store_ops ebb_store_fs_ops = {
	.type = "fs",
	.summary = "a directory tree",
	.open = fs_open,
	.close = fs_close,
	.identify = fs_identify,
	.space = fs_space,
	.list = ebb_store_fs_dir_list,
	.head = fs_head,
	.get_meta = ebb_store_fs_meta_get,
	.set_meta = ebb_store_fs_meta_set,
	.read_open = ebb_store_fs_read_open,
	.read_next = ebb_store_fs_read_next,
	.read = ebb_store_fs_read_bytes,
	.read_seek = ebb_store_fs_read_seek,
	.read_hole = ebb_store_fs_read_hole,
	.read_verify = ebb_store_fs_read_verify,
	.read_close = ebb_store_fs_read_close,
	.read_range = ebb_store_fs_read_range,
	.write_open = ebb_store_fs_write_open,
	.write = ebb_store_fs_write_bytes,
	.write_hole = ebb_store_fs_write_hole,
	.write_commit = ebb_store_fs_write_commit,
	.write_abort = ebb_store_fs_write_abort,
	.write_mark = ebb_store_fs_write_mark,
	.write_leave = ebb_store_fs_write_leave,
	.write_sweep = ebb_store_fs_write_sweep,
	.rename = ebb_store_fs_move_rename,
	.mkdirs = ebb_store_fs_dir_make,
	.rmdir = ebb_store_fs_dir_remove,
	.extents = ebb_store_fs_share_extents,
	.share = ebb_store_fs_share_blocks,
	.link = ebb_store_fs_move_link,
	.remove = ebb_store_fs_move_remove,
};
