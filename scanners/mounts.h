/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mounts: what the kernel says about the filesystem under a directory, and how far its access times can be trusted.
 *
 * Source: /proc/self/mountinfo, proc(5); options, mount(8).
 * Threads: any.
 */
#ifndef EBB_SCANNERS_MOUNTS_H
#define EBB_SCANNERS_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/record.h"

struct ebb_mount {
	uint64_t id;			/* as statx(2) gives it in stx_mnt_id */
	char fstype[32];		/* "ext4"; "unknown" when the kernel does not tell */
	enum ebb_evidence evidence;	/* strictatime -> ATIME, relatime -> RELATIME, noatime or read-only -> MTIME */
	bool nodiratime;		/* as noatime, for directories only */
	bool network;			/* access times are the server's business -> MTIME */
};

/*
 * One line of mountinfo.
 *
 * @return  0; -EBB_EINVAL for a line that is not one.
 */
int ebb_mounts_parse_line(const char *line, struct ebb_mount *ret, struct ebb_err *err);

/* The mount with this id. One that is not listed has evidence MTIME and the type "unknown". -EBB_EIO without /proc. */
int ebb_mounts_of(uint64_t id, struct ebb_mount *ret, struct ebb_err *err);

/* The mount that @path lies on. */
int ebb_mounts_at(const char *path, struct ebb_mount *ret, struct ebb_err *err);

#endif
