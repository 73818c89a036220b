/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a page of a listing: either every entry has a key and can be made a record, or there is a message. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scanners/s3_page.h"
#include "scanners/s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ebb_buf out = EBB_BUF_INIT(100);
	struct ebb_s3_page page;
	struct ebb_err err = {0};

	ebb_s3_page_init(&page);
	if (ebb_s3_page_parse(&page, data, size, &err) < 0) {
		if (!err.msg[0])
			abort();
		page.n = 0;
	}
	for (size_t i = 0; i < page.n; i++) {
		const struct ebb_s3_entry *e = &page.entries[i];
		struct ebb_record rec;

		if (strlen(e->key) != e->key_len || (!e->part && e->key_len == 0))
			abort();
		ebb_s3_page_record(e, &rec);
	}
	ebb_s3_page_release(&page);
	ebb_s3_xml_find(data, size, "Error", "Code", &out);
	ebb_buf_release(&out);
	return 0;
}
