/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/scratch.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"

static char folders[8][PATH_MAX];
static size_t nfolders;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

/* FTW_CHDIR: paths in the folder may be longer than a call takes. */
static void remove_all(void)
{
	for (size_t i = 0; i < nfolders; i++)
		nftw(folders[i], remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT | FTW_CHDIR);
}

const char *ebb_scratch_new(void)
{
	const char *tmp = getenv("TMPDIR");

	if (nfolders == EBB_ARRAY_LEN(folders) || (nfolders == 0 && atexit(remove_all) != 0))
		abort();
	char *folder = folders[nfolders];
	snprintf(folder, PATH_MAX, "%s/ebb-scratch.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		abort();
	nfolders++;
	return folder;
}
