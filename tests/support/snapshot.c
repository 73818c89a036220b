/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static void quote(FILE *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		fprintf(out, c > ' ' && c < 0x7f && c != '\\' ? "%c" : "\\x%02x", c);
	}
}

static void attributes(FILE *out, const char *path)
{
	char names[8192], value[65536];
	ssize_t n = llistxattr(path, names, sizeof(names));

	for (char *p = names; n > 0 && p < names + n; p += strlen(p) + 1) {
		ssize_t len = lgetxattr(path, p, value, sizeof(value));

		fprintf(out, " %s=", p);
		quote(out, value, len < 0 ? 0 : (size_t)len);
	}
}

/* FNV-1a: enough to see a difference. */
static void content(FILE *out, const char *path)
{
	unsigned char buf[65536];
	unsigned long long h = 14695981039346656037ULL;
	int fd = open(path, O_RDONLY | O_NOATIME);
	ssize_t n;

	if (fd < 0)
		fd = open(path, O_RDONLY);
	if (fd < 0)
		abort();
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			h = (h ^ buf[i]) * 1099511628211ULL;
	close(fd);
	fprintf(out, " %016llx", h);
}

static void entry(FILE *out, const char *path, const char *name)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		abort();
	quote(out, name, strlen(name));
	fprintf(out, " %o %u:%u m=%lld.%09ld", st.st_mode, st.st_uid, st.st_gid,
		(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	if (S_ISREG(st.st_mode)) {
		fprintf(out, " a=%lld.%09ld %lld", (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
			(long long)st.st_size);
		content(out, path);
	}
	attributes(out, path);
	fputc('\n', out);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void walk(FILE *out, const char *root, const char *below)
{
	char dir[8192], path[8192 + 300], name[8192 + 300];
	struct dirent **names;
	struct stat st;

	snprintf(dir, sizeof(dir), "%s/%s", root, below);
	int n = scandir(dir, &names, NULL, by_bytes);
	if (n < 0)
		abort();
	for (int i = 0; i < n; i++) {
		const char *d = names[i]->d_name;

		if (strcmp(d, ".") != 0 && strcmp(d, "..") != 0) {
			snprintf(path, sizeof(path), "%s%s", dir, d);
			snprintf(name, sizeof(name), "%s%s", below, d);
			entry(out, path, name);
			if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
				strcat(name, "/");
				walk(out, root, name);
			}
		}
		free(names[i]);
	}
	free(names);
}

char *ebb_snapshot_of(const char *root)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	entry(out, root, ".");
	walk(out, root, "");
	if (fclose(out))
		abort();
	return text;
}
