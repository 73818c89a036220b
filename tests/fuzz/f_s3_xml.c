/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: an answer in XML. Begins and ends match whatever comes; texts of leaves are found again; what is escaped reads back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "scanners/s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned open;
	size_t leaves;
};

static int begin(void *ctx, const char *name, unsigned depth)
{
	struct seen *s = ctx;

	if (!*name || depth > s->open)
		abort();
	s->open = depth + 1;
	return 0;
}

static int leaf(void *ctx, const char *parent, const char *name, const char *text, size_t len)
{
	struct seen *s = ctx;

	if (!parent || !*name || text[len])
		abort();
	s->leaves++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf code = EBB_BUF_INIT(1 << 20);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf xml = EBB_BUF_INIT(1 << 24);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(1 << 24);
	struct seen s = {0};
	const struct ebb_s3_xml_events events = {.ctx = &s, .begin = begin, .leaf = leaf};
	struct ebb_err err = {0};

	if (ebb_s3_xml_parse(data, size, &events, &err) < 0 && !*err.msg)
		abort();
	ebb_s3_xml_find(data, size, "Error", "Code", &code);
	if (size > 4096 || memchr(data, 0, size))
		return 0;
	ebb_buf_adds(&xml, "<a><b>");
	ebb_s3_xml_escape(&xml, (const char *)data, size);
	ebb_buf_adds(&xml, "</b></a>");
	if (ebb_s3_xml_find(xml.data, xml.len, "a", "b", &back) == 1 && (back.len != size || memcmp(back.data, data, size) != 0))
		abort();
	return 0;
}
