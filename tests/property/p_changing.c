/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P1 P3
 *
 * Files that somebody else changes while they are read: a mixed plan is applied, and at its n-th read of a file every file of the store that
 * still is where it was gets other bytes or more of them, its times put back as far as users can. For each n: what was changed stands under its name as it was
 * changed, no temporary stays, and what goes on afterwards takes none of it.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "tests/support/mix_kit.h"
#include "tests/support/seed.h"

enum { D = 1 };

/* What the hook does, and what it did: nftw() has no context. */
static struct {
	char root[4200];
	bool longer;		/* bytes are added; otherwise one is replaced */
	struct ebb_buf changed;	/* paths, each with its NUL */
} job;

static void die(const char *path)
{
	perror(path);
	abort();
}

static int change_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (type == FTW_D && strncmp(path + ftw->base, ".ebb-", 5) == 0)
		return FTW_SKIP_SUBTREE;
	if (type != FTW_F || strncmp(path + ftw->base, ".ebb-", 5) == 0 || st->st_size == 0 || st->st_nlink > 1)
		return FTW_CONTINUE;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char c = 0;
	if (fd < 0 || pread(fd, &c, 1, st->st_size - 1) != 1)
		die(path);
	c ^= 1;
	if (pwrite(fd, &c, 1, st->st_size - !job.longer) != 1 || futimens(fd, times) < 0 || close(fd) < 0)
		die(path);
	return ebb_buf_add(&job.changed, path, strlen(path) + 1) < 0 ? FTW_STOP : FTW_CONTINUE;
}

static void change_all(void *ctx)
{
	(void)ctx;
	if (nftw(job.root, change_one, 16, FTW_PHYS | FTW_ACTIONRETVAL) != 0)
		die(job.root);
}

/* Contents of all that was changed. */
static void contents(struct ebb_buf *out)
{
	for (const char *p = job.changed.data; p && p < job.changed.data + job.changed.len; p += strlen(p) + 1) {
		char buf[4096];
		ssize_t n;
		int fd = open(p, O_RDONLY | O_CLOEXEC);

		EBB_SEED_CHECK(fd >= 0, "'%s' was changed while it was read, and is gone", p);
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			ebb_buf_add(out, buf, (size_t)n);
		close(fd);
	}
}

struct seen {
	bool was;
	struct ebb_buf bytes;
};

static void hook(void *ctx)
{
	struct seen *s = ctx;

	s->was = true;
	change_all(NULL);
	contents(&s->bytes);
}

/* False when the run came to its end before the n-th read. */
static bool try(uint64_t nth, bool longer)
{
	struct seen seen = {false, EBB_BUF_INIT(16 << 20)};
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_READ, .nth = nth, .after = nth & 1, .hook = hook, .hook_ctx = &seen};
	const struct ebb_store_faulty_script script = {.faults = &fault, .nfaults = 1};
	ebb_mix_kit_scripts scripts = {NULL, &script, NULL};
	struct ebb_buf now = EBB_BUF_INIT(16 << 20);
	struct ebb_mix_kit k;
	struct ebb_err err = {0};

	ebb_mix_kit_init(&k, false);
	snprintf(job.root, sizeof(job.root), "%s/d", k.dir);
	ebb_buf_init(&job.changed, 1 << 20);
	job.longer = longer;
	for (int again = 0; again < 2; again++) {
		int r = ebb_mix_kit_run(&k, EBB_MIX_KIT_APPLY, again ? NULL : scripts, &err);

		EBB_SEED_CHECK(r == 0, "read %d: the run stops: %s", (int)nth, err.msg);
		ebb_buf_clear(&now);
		contents(&now);
		EBB_SEED_CHECK(now.len == seen.bytes.len && (now.len == 0 || memcmp(now.data, seen.bytes.data, now.len) == 0),
			       "read %d: what was changed is not as it was left", (int)nth);
	}
	EBB_SEED_CHECK(ebb_mix_kit_temporaries(&k) == 0, "read %d: temporaries stay", (int)nth);
	ebb_mix_kit_release(&k);
	ebb_buf_release(&job.changed);
	ebb_buf_release(&seen.bytes);
	ebb_buf_release(&now);
	return seen.was;
}

int main(void)
{
	int n = 0;

	ebb_seed_start();
	for (int longer = 0; longer < 2; longer++)
		for (uint64_t nth = 1; try(nth, longer); nth++)
			n++;
	printf("%d reads\n", n);
	return n > 30 ? EXIT_SUCCESS : EXIT_FAILURE;
}
