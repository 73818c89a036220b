/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: a byte that says what the rest is: a time window, days, a time of day, a date of HTTP, a line of mountinfo. A window that is read
 * contains the minute that it calls the next one within.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/hours.h"
#include "scanners/http.h"
#include "scanners/mounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void window(const char *text)
{
	static const int64_t times[] = {0, INT64_C(1795460400000000000), INT64_C(1795460459999999999)};
	struct ebb_err err = {0};
	struct ebb_hours h;

	if (ebb_hours_parse(text, &h, &err) < 0) {
		if (!*err.msg)
			abort();
		return;
	}
	for (size_t i = 0; i < EBB_ARRAY_LEN(times); i++) {
		int64_t next = ebb_hours_next(&h, times[i]);

		if (next != INT64_MAX && (next < times[i] || !ebb_hours_contain(&h, next)))
			abort();
		if (ebb_hours_contain(&h, times[i]) && next == INT64_MAX)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);
	struct ebb_err err = {0};
	struct ebb_mount m;
	uint8_t days;
	int minute = 0;

	if (size > 1)
		memcpy(text, data + 1, size - 1);
	switch (size ? data[0] % 5 : 9) {
	case 0:
		window(text);
		break;
	case 1:
		ebb_hours_days(text, &days, &err);
		break;
	case 2:
		if (ebb_hours_clock(text, &minute, &err) == 0 && (minute < 0 || minute >= 24 * 60))
			abort();
		break;
	case 3:
		(void)ebb_http_date(text);
		break;
	case 4:
		if (ebb_mounts_parse_line(text, &m, &err) == 0 && !memchr(m.fstype, 0, sizeof(m.fstype)))
			abort();
		break;
	default:
		break;
	}
	free(text);
	return 0;
}
