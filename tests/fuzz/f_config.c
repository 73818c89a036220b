/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: a whole ebb.yaml: stores, limits, windows, schedules, budgets, alerts and rules. Reading it must not crash, and every error must say
 * what is wrong in words that a terminal can show.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/config.h"
#include "core/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ebb_config *c = NULL;
	struct ebb_err err = {0};
	char path[64];
	int fd = memfd_create("config", MFD_CLOEXEC);

	if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int r = ebb_config_load(path, INT64_C(1795460400000000000), &c, &err);
	if (r < 0 && (!*err.msg || !ebb_utf8_valid(err.msg, strlen(err.msg))))
		abort();
	ebb_config_free(c);
	close(fd);
	return 0;
}
