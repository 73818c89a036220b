/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: a month of history, and the same bytes as a ledger of savings and as an audit log. Bad lines are counted, never believed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/audit.h"
#include "agent/history.h"
#include "agent/savings.h"
#include "tests/support/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(const char *dir, const char *name, const uint8_t *data, size_t size)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	if (!f || (size && fwrite(data, size, 1, f) != 1) || fclose(f))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *dir;
	struct ebb_history *h = NULL;
	struct ebb_savings_list savings = {.n = 0};
	struct ebb_audit_check check;
	struct ebb_err err = {0};
	char path[4200];

	if (!dir) {
		dir = ebb_scratch_new();
		snprintf(path, sizeof(path), "%s/history", dir);
		mkdir(path, 0700);
	}
	put(dir, "history/2026-11.jsonl", data, size);
	put(dir, "audit.jsonl", data, size);
	if (ebb_history_load(dir, 20700, INT64_C(1795460400000000000), &h, &err) == 0) {
		(void)ebb_history_currency(h);
		ebb_history_free(h);
	}
	put(dir, "history/savings-2026-11.jsonl", data, size);
	if (ebb_savings_load(dir, 0, INT64_C(1795460400000000000), &savings, &err) == 0)
		(void)ebb_savings_next(&savings);
	ebb_savings_release(&savings);
	(void)ebb_audit_read(dir, NULL, NULL, NULL, &check, &err);
	return 0;
}
