/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mem.h"

/* True when the comma-separated @list holds @option. */
static bool has_option(const char *list, const char *option)
{
	size_t len = strlen(option);

	for (const char *p = list; (p = strstr(p, option)); p += len)
		if ((p == list || p[-1] == ',') && (p[len] == ',' || p[len] == '\0'))
			return true;
	return false;
}

static bool is_network(const char *fstype)
{
	static const char *const types[] = {"nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "afs",
					    "lustre", "gpfs", "beegfs", "glusterfs"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(types); i++)
		if (strcmp(fstype, types[i]) == 0)
			return true;
	return strncmp(fstype, "fuse", 4) == 0;
}

int ebb_mounts_parse_line(const char *line, struct ebb_mount *ret, struct ebb_err *err)
{
	struct ebb_mount m = {0};
	char options[1024], super[1024];
	unsigned long long id;
	const char *dash = strstr(line, " - ");

	/* id parent major:minor root mountpoint options [optional...] - type source super-options */
	if (!dash || sscanf(line, "%llu %*u %*u:%*u %*s %*s %1023s", &id, options) != 2 ||
	    sscanf(dash, " - %31s %*s %1023s", m.fstype, super) != 2)
		return ebb_err_set(err, EBB_EINVAL, "not a line of mountinfo: '%.100s'", line);
	m.id = id;
	m.network = is_network(m.fstype);
	m.nodiratime = has_option(options, "nodiratime");
	if (m.network || has_option(options, "noatime") || has_option(options, "ro") ||
	    has_option(super, "ro"))
		m.evidence = EBB_EVIDENCE_MTIME;
	else if (has_option(options, "relatime"))
		m.evidence = EBB_EVIDENCE_RELATIME;
	else
		m.evidence = EBB_EVIDENCE_ATIME;
	*ret = m;
	return 0;
}

static void closefp(FILE **f)
{
	if (*f)
		fclose(*f);
}

int ebb_mounts_of(uint64_t id, struct ebb_mount *ret, struct ebb_err *err)
{
	EBB_CLEANUP(closefp) FILE *f = fopen("/proc/self/mountinfo", "re");
	EBB_CLEANUP(ebb_mem_freep) char *line = NULL;
	struct ebb_mount m;
	size_t size = 0;

	if (!f)
		return ebb_err_sys(err, errno, "cannot open '/proc/self/mountinfo'");
	while (getline(&line, &size, f) > 0) {
		if (ebb_mounts_parse_line(line, &m, NULL) == 0 && m.id == id) {
			*ret = m;
			return 0;
		}
	}
	*ret = (struct ebb_mount){.id = id, .fstype = "unknown", .evidence = EBB_EVIDENCE_MTIME};
	return 0;
}

int ebb_mounts_at(const char *path, struct ebb_mount *ret, struct ebb_err *err)
{
	struct statx x;

	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &x) < 0)
		return ebb_err_sys(err, errno, "cannot look at '%s'", path);
	return ebb_mounts_of(x.stx_mask & STATX_MNT_ID ? x.stx_mnt_id : 0, ret, err);
}
