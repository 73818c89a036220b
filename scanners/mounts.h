/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mounts: what the kernel says about the filesystem under a directory, and how far its access times can be trusted.
 *
 * Pure parsing of /proc/self/mountinfo text (proc(5)) plus one reader.
 */
#ifndef EBB_SCANNERS_MOUNTS_H
#define EBB_SCANNERS_MOUNTS_H

#include <stdint.h>

#include "core/err.h"
#include "core/record.h"

struct ebb_mount {
	uint32_t major, minor;
	char fstype[32];
	enum ebb_evidence evidence;	/* noatime, ro -> MTIME; relatime -> RELATIME; strictatime -> ATIME */
	bool nodiratime;
	bool network;			/* nfs, cifs, ceph, fuse...: atime is the server's business -> MTIME */
};

/*
 * Evidence rule for one line of mountinfo.
 *
 * @return  0; -EBB_EINVAL for a line that is not one.
 */
int ebb_mounts_parse_line(const char *line, struct ebb_mount *ret, struct ebb_err *err);

/* The mount that holds device @dev (st_dev), read from /proc/self/mountinfo; without one, evidence MTIME and fstype "unknown". */
int ebb_mounts_of(uint64_t dev, struct ebb_mount *ret, struct ebb_err *err);

#endif
