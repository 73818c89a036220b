/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A tree as text, to be compared: one line for every entry with type, mode, owner, size, times of modification (access times of files
 * too), extended attributes and content. Written apart from ebb's own code, so that both cannot be wrong in the same way.
 */
#ifndef EBB_TESTS_SUPPORT_SNAPSHOT_H
#define EBB_TESTS_SUPPORT_SNAPSHOT_H

/* Everything below @root, and root itself; sorted by name. The caller frees it. Aborts on failure. */
char *ebb_snapshot_of(const char *root);

#endif
