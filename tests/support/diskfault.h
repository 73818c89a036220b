/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults between a program and its disk: every write, sync and cut of files below some folder is counted, and the n-th can fail, be torn, or
 * be the last thing that the process does (scanners/store_faulty.h, "death").
 *
 * A test program that says EBB_DISKFAULT_INTERPOSE once, outside of functions, has its calls of write, fsync, fdatasync and ftruncate go through
 * here, those of the library included.
 *
 * Threads: set up by one thread while nobody writes; calls may come from any.
 */
#ifndef EBB_TESTS_SUPPORT_DISKFAULT_H
#define EBB_TESTS_SUPPORT_DISKFAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "scanners/store_faulty.h"

enum ebb_diskfault_when {
	EBB_DISKFAULT_BEFORE,	/* it has no effect */
	EBB_DISKFAULT_TORN,	/* of a write the first half is there; others: before */
	EBB_DISKFAULT_AFTER	/* it has its effect */
};

struct ebb_diskfault {
	const char *below;	/* files whose path contains this; NULL: none */
	uint64_t nth;		/* 1: the first such call; 0: never */
	enum ebb_diskfault_when when;
	int error;		/* errno of that call; 0 with @kill */
	bool kill;		/* it is the death of the process: @death is set there */
	bool on;		/* that call and all after it, as on a full disk; writes only */
	struct ebb_store_faulty_death *death;	/* once dead nothing has any effect; may be NULL */
	uint64_t calls;		/* counted so far */
};

/* What is in force. All zero: nothing is. */
extern struct ebb_diskfault ebb_diskfault;

ssize_t ebb_diskfault_write(int fd, const void *buf, size_t n);
int ebb_diskfault_fsync(int fd);
int ebb_diskfault_fdatasync(int fd);
int ebb_diskfault_ftruncate(int fd, off_t len);

#define EBB_DISKFAULT_INTERPOSE                                                                    \
	ssize_t write(int fd, const void *buf, size_t n) { return ebb_diskfault_write(fd, buf, n); } \
	int fsync(int fd) { return ebb_diskfault_fsync(fd); }                                      \
	int fdatasync(int fd) { return ebb_diskfault_fdatasync(fd); }                              \
	int ftruncate(int fd, off_t len) { return ebb_diskfault_ftruncate(fd, len); }

#endif
