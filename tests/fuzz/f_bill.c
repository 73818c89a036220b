/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: a bill as CSV, plain or gzipped. What was read is plain data within its bounds, and every refusal says why. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/csvfile.h"
#include "core/utf8.h"
#include "policies/reconcile.h"

/* Rows that are read of one input: gzip makes a few bytes many. */
#define ROWS 5000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void told(const struct ebb_err *err)
{
	if (!*err->msg || !ebb_utf8_valid(err->msg, strlen(err->msg)))
		abort();
}

static void look(const struct ebb_charge_columns *columns, char *const *field, size_t n, struct ebb_reconcile *sums)
{
	struct ebb_charge c;
	struct ebb_err err = {0};

	if (ebb_charge_row(columns, field, n, &c, &err) < 0) {
		told(&err);
		return;
	}
	if (c.to <= c.from || c.kind >= EBB_CHARGE_KINDS || strlen(c.currency) != 3 ||
	    strnlen(c.service, sizeof(c.service)) == sizeof(c.service) || strnlen(c.region, sizeof(c.region)) == sizeof(c.region) ||
	    strnlen(c.class, sizeof(c.class)) == sizeof(c.class))
		abort();
	const struct ebb_reconcile_key key = {2026, 10, c.provider, c.region, c.class};
	if (ebb_reconcile_billed(sums, &key, c.service, c.pico, &err) < 0)
		told(&err);
}

static void read_all(struct ebb_csvfile *f, enum ebb_charge_cost which, struct ebb_reconcile *sums)
{
	struct ebb_charge_columns columns;
	struct ebb_err err = {0};
	char *const *field;
	size_t n, rows = 0;
	int r = ebb_csvfile_next(f, &field, &n, &err);

	if (r == 1)
		r = ebb_charge_heading(field, n, which, &columns, &err) < 0 ? -1 : 1;
	while (r == 1 && rows++ < ROWS && (r = ebb_csvfile_next(f, &field, &n, &err)) == 1)
		look(&columns, field, n, sums);
	if (r < 0)
		told(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ebb_reconcile *sums = ebb_reconcile_new();
	struct ebb_csvfile *f = NULL;
	struct ebb_err err = {0};
	char path[64];
	int fd = memfd_create("bill", MFD_CLOEXEC);

	if (!sums || fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (ebb_csvfile_open(path, &f, &err) < 0)
		abort();
	read_all(f, (enum ebb_charge_cost)(size % EBB_CHARGE_COSTS), sums);
	(void)ebb_reconcile_calibration(sums);
	ebb_csvfile_close(f);
	ebb_reconcile_free(sums);
	close(fd);
	return 0;
}
