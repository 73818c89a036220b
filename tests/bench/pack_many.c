/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pack_many N DIR >PACK: a pack of N small members of several modes and times, some with attributes, and in DIR, which must not be there,
 * the files that tar must make of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "compress/pack_write.h"

#define FOLDER 1000	/* members of one */

static void die(const char *what, const char *why)
{
	fprintf(stderr, "pack_many: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static int to_stdout(void *ctx, const void *p, size_t len, struct ebb_err *err)
{
	(void)ctx;
	return fwrite(p, 1, len, stdout) == len ? 0 : ebb_err_set(err, EBB_EIO, "cannot write");
}

/* The file as it was before it was packed. */
static void make(int dir, const struct ebb_pack_entry *e, const char *data)
{
	const int64_t s = INT64_C(1000000000);
	const struct timespec t[2] = {{e->atime / s, e->atime % s}, {e->mtime / s, e->mtime % s}};
	int fd = openat(dir, e->key, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || write(fd, data, (size_t)e->size) != e->size)
		die(e->key, strerror(errno));
	for (size_t i = 0; i < e->nxattrs; i++)
		if (fsetxattr(fd, e->xattrs[i].name, e->xattrs[i].value, e->xattrs[i].len, 0) < 0 && errno != ENOTSUP)
			die(e->key, strerror(errno));
	if (fchmod(fd, (mode_t)e->mode) < 0 || futimens(fd, t) < 0 || close(fd) < 0)
		die(e->key, strerror(errno));
}

static void put(struct ebb_pack_writer *w, const struct ebb_pack_entry *e, const char *data)
{
	struct ebb_err err = {0};

	if (ebb_pack_write_begin(w, e, &err) < 0 || ebb_pack_write_data(w, data, (size_t)e->size, &err) < 0 ||
	    ebb_pack_write_end(w, NULL, &err) < 0)
		die(e->key, err.msg);
}

int main(int argc, char **argv)
{
	static const struct ebb_pack_xattr note = {"user.note", "kept", 4};
	EBB_CLEANUP(ebb_pack_write_freep) struct ebb_pack_writer *w = NULL;
	struct ebb_err err = {0};
	long n = argc == 3 ? strtol(argv[1], NULL, 10) : 0;

	if (n < 1 || mkdir(argv[2], 0755) < 0)
		die("usage", "pack_many N DIR >PACK");
	int dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || ebb_pack_write_new(1, to_stdout, NULL, &w, &err) < 0)
		die(argv[2], err.msg);
	for (long i = 0; i < n; i++) {
		char key[64], data[400];
		struct ebb_pack_entry e = {
			.key = key, .mode = i % 7 ? 0644 : 0440, .uid = getuid(), .gid = getgid(), .atime = 1000000000,
			.mtime = INT64_C(1700000000123456789) + i * INT64_C(60000000000), .xattrs = &note, .nxattrs = i % 1000 == 0,
		};

		snprintf(key, sizeof(key), "run%03ld", i / FOLDER);
		if (i % FOLDER == 0 && mkdirat(dir, key, 0755) < 0)
			die(key, strerror(errno));
		snprintf(key, sizeof(key), "run%03ld/%06ld.json", i / FOLDER, i);
		e.size = snprintf(data, sizeof(data), "{\"step\":%ld,\"loss\":%ld.%06ld,\"of\":\"%ld\"}\n", i, i % 9, i * 7919 % 1000000,
				  i * INT64_C(2654435761));
		make(dir, &e, data);
		put(w, &e, data);
	}
	if (ebb_pack_write_finish(w, &err) < 0 || fflush(stdout) != 0)
		die("stdout", err.msg);
	return EXIT_SUCCESS;
}
