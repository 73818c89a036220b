/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/mounts.h"

#include "tests/support/unit.h"

static struct ebb_mount parse(const char *line)
{
	struct ebb_mount m;
	struct ebb_err err = {0};
	ck_assert_msg(ebb_mounts_parse_line(line, &m, &err) == 0, "%s", err.msg);
	return m;
}

/* The first line is the example of proc(5), the others are of the same form. */
START_TEST(options_decide_the_evidence)
{
	struct ebb_mount m =
		parse("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue");
	ck_assert_uint_eq(m.id, 36);
	ck_assert_str_eq(m.fstype, "ext3");
	ck_assert_int_eq(m.evidence, EBB_EVIDENCE_MTIME);
	m = parse("1 0 8:1 / / rw,relatime - ext4 /dev/sda rw");
	ck_assert_int_eq(m.evidence, EBB_EVIDENCE_RELATIME);
	ck_assert(!m.nodiratime && !m.network);
	m = parse("1 0 8:1 / / rw,nodiratime,relatime shared:1 master:2 - xfs /dev/sda rw");
	ck_assert(m.nodiratime);
	ck_assert_int_eq(m.evidence, EBB_EVIDENCE_RELATIME);
	m = parse("1 0 8:1 / / rw - xfs /dev/sda rw,attr2");
	ck_assert_int_eq(m.evidence, EBB_EVIDENCE_ATIME);
	m = parse("1 0 8:1 / / ro,relatime - ext4 /dev/sda rw");
	ck_assert_int_eq(m.evidence, EBB_EVIDENCE_MTIME); /* nobody can write access times */
	m = parse("1 0 8:1 / / rw,relatime - ext4 /dev/sda ro");
	ck_assert_int_eq(m.evidence, EBB_EVIDENCE_MTIME);
	m = parse("1 0 0:5 / /n rw,relatime - nfs4 host:/x rw,vers=4.2");
	ck_assert(m.network);
	ck_assert_int_eq(m.evidence, EBB_EVIDENCE_MTIME);
	m = parse("1 0 0:5 / /n rw - fuse.sshfs host:/x rw");
	ck_assert(m.network);
}
END_TEST

START_TEST(other_text_is_refused)
{
	struct ebb_mount m;
	ck_assert_int_eq(ebb_mounts_parse_line("", &m, NULL), -EBB_EINVAL);
	ck_assert_int_eq(ebb_mounts_parse_line("hello - world", &m, NULL), -EBB_EINVAL);
	ck_assert_int_eq(ebb_mounts_parse_line("1 0 8:1 / / rw", &m, NULL), -EBB_EINVAL);
}
END_TEST

START_TEST(the_mount_of_a_path_is_found)
{
	struct ebb_mount m;
	ck_assert_int_eq(ebb_mounts_at("/proc", &m, NULL), 0);
	ck_assert_str_eq(m.fstype, "proc");
	ck_assert_int_eq(ebb_mounts_at("/nonexistent", &m, NULL), -EBB_ENOENT);
	ck_assert_int_eq(ebb_mounts_of(UINT64_MAX, &m, NULL), 0);
	ck_assert_str_eq(m.fstype, "unknown");
	ck_assert_int_eq(m.evidence, EBB_EVIDENCE_MTIME);
}
END_TEST

EBB_UNIT_MAIN("mounts", options_decide_the_evidence, other_text_is_refused,
	      the_mount_of_a_path_is_found)
