/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/diskfault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ebb_diskfault ebb_diskfault;

static bool watched(int fd)
{
	char link[64], path[4096];

	if (!ebb_diskfault.below)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = 0;
	return strstr(path, ebb_diskfault.below) != NULL;
}

enum fate { LIVE, FAIL, TEAR, LAST };

static enum fate decide(int fd, bool writes)
{
	struct ebb_diskfault *d = &ebb_diskfault;

	if (!watched(fd))
		return LIVE;
	if (d->death && atomic_load(&d->death->dead)) {
		errno = EIO;
		return FAIL;
	}
	d->calls++;
	if (d->nth == 0 || d->calls < d->nth || (d->calls > d->nth && !(d->on && writes)))
		return LIVE;
	errno = d->error ? d->error : EIO;
	if (d->kill && d->when == EBB_DISKFAULT_AFTER)
		return LAST;
	if (d->kill && !(d->when == EBB_DISKFAULT_TORN && writes))
		atomic_store(&d->death->dead, true);
	return d->when == EBB_DISKFAULT_TORN && writes ? TEAR : d->when == EBB_DISKFAULT_AFTER ? LAST : FAIL;
}

/* What a call returns that had its effect and is the one that fails, or the last of the process. */
static int64_t last(int64_t r)
{
	if (ebb_diskfault.kill)
		atomic_store(&ebb_diskfault.death->dead, true);
	errno = ebb_diskfault.error ? ebb_diskfault.error : EIO;
	return ebb_diskfault.kill ? r : -1;
}

ssize_t ebb_diskfault_write(int fd, const void *buf, size_t n)
{
	int keep = errno;
	enum fate fate = decide(fd, true);

	if (fate == FAIL)
		return -1;
	if (fate == TEAR) {
		int why = errno;

		syscall(SYS_write, fd, buf, n / 2);
		if (ebb_diskfault.kill)
			atomic_store(&ebb_diskfault.death->dead, true);
		errno = why;
		return -1;
	}
	errno = keep;
	ssize_t r = syscall(SYS_write, fd, buf, n);
	return fate == LAST ? (ssize_t)last(r) : r;
}

static int through(int fd, long call, long arg)
{
	int keep = errno;
	enum fate fate = decide(fd, false);

	if (fate == FAIL || fate == TEAR)
		return -1;
	errno = keep;
	int r = (int)syscall(call, fd, arg);
	return fate == LAST ? (int)last(r) : r;
}

int ebb_diskfault_fsync(int fd)
{
	return through(fd, SYS_fsync, 0);
}

int ebb_diskfault_fdatasync(int fd)
{
	return through(fd, SYS_fdatasync, 0);
}

int ebb_diskfault_ftruncate(int fd, off_t len)
{
	return through(fd, SYS_ftruncate, len);
}
