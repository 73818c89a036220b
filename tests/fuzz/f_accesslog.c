/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: a byte that chooses a format (or none: to be found), then a file, plain or gzipped. Whatever it holds, events are whole: reads have a
 * path within bounds and a sane time, and the same bytes give the same events.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scanners/accesslog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_event(void *ctx, const struct ebb_accesslog_event *e, struct ebb_err *err)
{
	uint64_t *sum = ctx;

	(void)err;
	if (e->read && (e->path.len > EBB_ACCESSLOG_RECORD_MAX || (e->path.len && !e->path.p) || e->bytes < 0))
		abort();
	*sum = ebb_accesslog_id(e->path.p, e->path.len, *sum ^ e->id ^ (uint64_t)e->time);
	*sum = ebb_accesslog_id(e->source.p, e->source.len, *sum);
	return 0;
}

static uint64_t read_once(const uint8_t *data, size_t size, const struct ebb_accesslog_format *f)
{
	struct ebb_accesslog_stats stats = {0};
	uint64_t sum = 0;
	const struct ebb_accesslog_fns fns = {.event = on_event, .ctx = &sum};
	int fd = memfd_create("log", 0);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	ebb_accesslog_read(fd, f, &fns, &stats, NULL);
	close(fd);
	return sum ^ stats.damaged << 32 ^ stats.records;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ebb_accesslog_format *f;

	if (size == 0)
		return 0;
	f = ebb_accesslog_formats[data[0] % 5];
	if (read_once(data + 1, size - 1, f) != read_once(data + 1, size - 1, f))
		abort();
	return 0;
}
