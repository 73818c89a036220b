/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: a byte that says what the rest is: a config file, a credentials file, an answer in JSON or in XML. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "scanners/creds_answer.h"
#include "scanners/creds_ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct ebb_creds_ini s = {0};
	struct ebb_creds c = {0};
	struct ebb_err err = {0};
	int rc;

	if (size == 0)
		return 0;
	if (data[0] % 4 < 2) {
		ebb_creds_ini_read(text, size - 1, "default", data[0] % 2, &s);
		for (int i = 0; i < EBB_CREDS_INI_COUNT; i++)
			if (s.value[i].p && (s.value[i].p < text || s.value[i].p + s.value[i].len > text + size - 1))
				abort();
		return 0;
	}
	rc = data[0] % 4 == 2 ? ebb_creds_answer_json(text, size - 1, &c, &err) : ebb_creds_answer_xml(text, size - 1, &c, &err);
	if (rc == 0 ? !c.access_key || !c.secret : !*err.msg || !ebb_utf8_valid(err.msg, strlen(err.msg)))
		abort();
	ebb_creds_release(&c);
	return 0;
}
