/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/units.h"

struct ebb_lock {
	int fd;
};

static int lock_path(const char *dir, char path[PATH_MAX], struct ebb_err *err)
{
	if (snprintf(path, PATH_MAX, "%s/lock", dir) >= PATH_MAX)
		return ebb_err_set(err, EBB_EINVAL, "the path of the index is too long: '%s'", dir);
	return 0;
}

/* Value of a line "NAME VALUE" into @ret, "" when there is none. */
static void field(const char *text, const char *name, char *ret, size_t size)
{
	size_t n = strlen(name);

	ret[0] = 0;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) || line[n] != ' ')
			continue;
		size_t len = strcspn(line + n + 1, "\n");
		len = len < size ? len : size - 1;
		memcpy(ret, line + n + 1, len);
		ret[len] = 0;
		return;
	}
}

static void read_holder(int fd, struct ebb_lock_holder *ret)
{
	char text[1024], pid[24];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = 0;
	field(text, "pid", pid, sizeof(pid));
	field(text, "host", ret->host, sizeof(ret->host));
	field(text, "started", ret->started, sizeof(ret->started));
	field(text, "command", ret->command, sizeof(ret->command));
	ret->pid = strtol(pid, NULL, 10);
}

static int write_holder(int fd, const char *command, int64_t now, struct ebb_err *err)
{
	char text[1024], host[65] = "", time[EBB_UNITS_TEXT], safe[256];
	size_t n = 0;

	for (; command[n] && n < sizeof(safe) - 1; n++)
		safe[n] = (unsigned char)command[n] < 0x20 ? ' ' : command[n];
	safe[n] = 0;
	gethostname(host, sizeof(host) - 1);
	ebb_units_exact_time(now - now % EBB_CLOCK_SECOND, time);
	int len = snprintf(text, sizeof(text), "pid %ld\nhost %s\nstarted %s\ncommand %s\n",
			   (long)getpid(), host, time, safe);
	if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)len, 0) != len)
		return ebb_err_sys(err, errno, "cannot write the lock file");
	return 0;
}

static int held(const char *dir, int fd, struct ebb_err *err)
{
	struct ebb_lock_holder h;

	read_holder(fd, &h);
	if (!h.pid)
		return ebb_err_set(err, EBB_ELOCKED,
				   "another run holds the lock of index '%s'; it has only just begun", dir);
	return ebb_err_set(err, EBB_ELOCKED,
			   "another run holds the lock of index '%s': '%s', process %ld on %s, since %s", dir,
			   h.command, h.pid, h.host, h.started);
}

int ebb_lock_take(const char *dir, const char *command, int64_t now, struct ebb_lock **ret,
		  struct ebb_err *err)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX];
	int r = lock_path(dir, path, err);

	if (r)
		return r;
	EBB_CLEANUP(ebb_mem_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	if (fcntl(fd, F_OFD_SETLK, &whole)) {
		if (errno == EAGAIN || errno == EACCES)
			return held(dir, fd, err);
		return ebb_err_sys(err, errno, "cannot lock '%s'", path);
	}
	r = write_holder(fd, command, now, err);
	if (r)
		return r;
	struct ebb_lock *l = malloc(sizeof(*l));
	if (!l)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	l->fd = fd;
	fd = -1;
	*ret = l;
	return 0;
}

void ebb_lock_release(struct ebb_lock *l)
{
	if (!l)
		return;
	/* Emptied while still held, so that nobody reads an old holder. Nothing depends on it. */
	int ignored = ftruncate(l->fd, 0);
	(void)ignored;
	close(l->fd);
	free(l);
}

void ebb_lock_forget(struct ebb_lock *l)
{
	if (!l)
		return;
	close(l->fd);
	free(l);
}

int ebb_lock_look(const char *dir, struct ebb_lock_holder *ret, struct ebb_err *err)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX];
	int r = lock_path(dir, path, err);

	if (r)
		return r;
	EBB_CLEANUP(ebb_mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	if (fcntl(fd, F_OFD_GETLK, &whole))
		return ebb_err_sys(err, errno, "cannot look at the lock '%s'", path);
	if (whole.l_type == F_UNLCK)
		return 0;
	read_holder(fd, ret);
	return 1;
}
