/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traces: any bytes are either read or refused, as objects and as reads of them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	const struct ebb_trace *t;
	int32_t day;
};

static int see(void *ctx, size_t object, int32_t day, int64_t bytes, struct ebb_err *err)
{
	struct seen *s = ctx;

	(void)err;
	if (object >= s->t->n || bytes < 0 || day < s->day)
		abort();
	s->day = day;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);
	struct ebb_trace t = {0};
	struct ebb_err err = {0};
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* one file may hold both headings */
	if (ebb_trace_objects(path, &t, &err) == 0)
		ebb_trace_reads(path, &t, see, &(struct seen){&t, INT32_MIN}, &err);
	ebb_trace_release(&t);
	close(fd);
	return 0;
}
