/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plan files: any bytes are either read or refused. The input stands behind a first line with the right id, so that header and rows are
 * reached; and once more as it is.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/planfile.h"
#include "compress/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const char *path)
{
	struct ebb_planfile *p = NULL;
	struct ebb_planrow row;
	struct ebb_err err = {0};

	if (ebb_planfile_open(path, &p, &err) < 0)
		return;
	while (ebb_planfile_next(p, &row, &err) == 1)
		if (!row.obj.key || !row.store)
			abort();
	ebb_planfile_close(p);
}

static void try(const char *first, const uint8_t *data, size_t size)
{
	int fd = memfd_create("plan", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || dprintf(fd, "%s", first) < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_all(path);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t raw[32];
	char hex[65], first[160];

	if (size > 1 << 16)
		return 0;
	ebb_digest_of(&ebb_digest_sha256, data, size, raw, NULL);
	ebb_digest_hex(raw, 32, hex);
	snprintf(first, sizeof(first), "{\"schema\":\"%s\",\"id\":\"%s\"}\n", EBB_PLANFILE_SCHEMA, hex);
	try(first, data, size);
	try("", data, size);
	return 0;
}
