/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/openfiles.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct file {
	uint64_t dev, ino;
	int pid;
};

struct ebb_openfiles {
	struct file *v;
	size_t n, room;
};

static int add(struct ebb_openfiles *o, uint64_t dev, uint64_t ino, int pid)
{
	if (o->n && o->v[o->n - 1].ino == ino && o->v[o->n - 1].dev == dev)
		return 0;
	if (o->n == o->room) {
		size_t room = o->room ? 2 * o->room : 1024;
		struct file *v = reallocarray(o->v, room, sizeof(*v));

		if (!v)
			return -EBB_ENOMEM;
		o->v = v;
		o->room = room;
	}
	o->v[o->n++] = (struct file){dev, ino, pid};
	return 0;
}

static int descriptors(struct ebb_openfiles *o, int pid, const char *proc)
{
	char path[64];
	struct dirent *e;
	struct stat st;
	int r = 0;

	snprintf(path, sizeof(path), "%s/fd", proc);
	DIR *d = opendir(path);
	while (d && r == 0 && (e = readdir(d)))
		if (*e->d_name != '.' && fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
			r = add(o, st.st_dev, st.st_ino, pid);
	if (d)
		closedir(d);
	return r;
}

/* Lines of maps: FROM-TO PERMISSIONS OFFSET MAJOR:MINOR INODE PATH. */
static int mappings(struct ebb_openfiles *o, int pid, const char *proc)
{
	char path[64], *line = NULL;
	unsigned major, minor;
	unsigned long long ino;
	size_t room = 0;
	int r = 0;

	snprintf(path, sizeof(path), "%s/maps", proc);
	FILE *f = fopen(path, "re");
	while (f && r == 0 && getline(&line, &room, f) > 0)
		if (sscanf(line, "%*s %*s %*s %x:%x %llu", &major, &minor, &ino) == 3 && ino)
			r = add(o, makedev(major, minor), ino, pid);
	if (f)
		fclose(f);
	free(line);
	return r;
}

static int by_file(const void *pa, const void *pb)
{
	const struct file *a = pa, *b = pb;
	int c = (a->dev > b->dev) - (a->dev < b->dev);

	return c ? c : (a->ino > b->ino) - (a->ino < b->ino);
}

int ebb_openfiles_look(struct ebb_openfiles **ret, struct ebb_err *err)
{
	struct ebb_openfiles *o = calloc(1, sizeof(*o));
	DIR *d = opendir("/proc");
	struct dirent *e;
	int r = o ? 0 : -EBB_ENOMEM;

	while (d && r == 0 && (e = readdir(d))) {
		int pid = atoi(e->d_name);
		char proc[32];

		if (pid <= 0 || pid == getpid())
			continue;
		snprintf(proc, sizeof(proc), "/proc/%d", pid);
		r = descriptors(o, pid, proc);
		if (r == 0)
			r = mappings(o, pid, proc);
	}
	if (d)
		closedir(d);
	if (r < 0) {
		ebb_openfiles_free(o);
		return ebb_err_set(err, EBB_ENOMEM, "no memory for open files");
	}
	if (o->n)
		qsort(o->v, o->n, sizeof(*o->v), by_file);
	*ret = o;
	return 0;
}

void ebb_openfiles_free(struct ebb_openfiles *o)
{
	if (!o)
		return;
	free(o->v);
	free(o);
}

int ebb_openfiles_by(const struct ebb_openfiles *o, uint64_t dev, uint64_t ino)
{
	const struct file want = {.dev = dev, .ino = ino};
	const struct file *f = o->n ? bsearch(&want, o->v, o->n, sizeof(want), by_file) : NULL;

	return f ? f->pid : 0;
}
