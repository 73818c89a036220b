/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Journals: any bytes replay or are refused. Each line of the input gets its right sum, so that records are reached; and the input is
 * tried as it is.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/replay.h"
#include "compress/digest.h"
#include "core/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const void *p, size_t len)
{
	struct ebb_replay rep;
	struct ebb_journal_reader *j = NULL;
	struct ebb_err err = {0};
	char path[64];
	int fd = memfd_create("journal", MFD_CLOEXEC);

	if (fd < 0 || write(fd, p, len) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (ebb_replay_run(path, &rep, &err) == 0) {
		if (ebb_journal_open(path, &j, &err) < 0)
			abort();
		for (size_t i = 0; i < rep.nwindows; i++) {
			struct ebb_replay_segment s;

			ebb_replay_segment(j, &rep, i, &s, &err);
			ebb_replay_segment_release(&s);
		}
		ebb_journal_reader_close(j);
		ebb_replay_release(&rep);
	}
	close(fd);
}

/* The line without its closing brace, and the sum that fits. */
static void add_line(struct ebb_buf *out, const char *line, size_t len)
{
	uint8_t d[EBB_DIGEST_LEN];
	char hex[9];

	if (len && line[len - 1] == '}')
		len--;
	ebb_digest_of(&ebb_digest_xxh128, line, len, d, NULL);
	ebb_digest_hex(d, 4, hex);
	if (ebb_buf_add(out, line, len) < 0 || ebb_buf_addf(out, ",\"sum\":\"%s\"}\n", hex) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ebb_buf out = EBB_BUF_INIT(1 << 24);
	const char *p = (const char *)data, *end = p + size;

	if (size > 1 << 16)
		return 0;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);

		add_line(&out, p, len);
		p += len + 1;
	}
	replay(out.data, out.len);
	ebb_buf_release(&out);
	replay(data, size);
	return 0;
}
