/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/report_rows.h"

#include <stdlib.h>
#include <string.h>

#include "agent/out.h"
#include "core/utf8.h"

int ebb_report_rows_each(const struct ebb_report *r, ebb_report_rows_fn *fn, const void *ctx, struct ebb_err *err)
{
	struct ebb_alloc *a = r->money.alloc;

	for (size_t d = 0; d < ebb_alloc_dims(a); d++) {
		struct ebb_alloc_row *rows;
		size_t n;
		int rc = d == EBB_ALLOC_FOLDER ? 1 : ebb_alloc_rows(a, d, &rows, &n, err);

		if (rc == 1)
			continue;
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < n; i++)
			fn(r, ctx, ebb_alloc_dim_name(a, d), i, n, &rows[i]);
		free(rows);
	}
	return ebb_out_flush(r->app->out, err);
}

void ebb_report_rows_value(FILE *f, const char *s, const char *special, bool doubled)
{
	for (uint32_t point; *s;) {
		size_t n = ebb_utf8_decode(s, strlen(s), &point);

		if (*s == '\n')
			fputs("\\n", f);
		else if (n == 0 || (unsigned char)*s < 0x20)
			fprintf(f, "?");
		else {
			if (strchr(special, *s))
				putc(doubled ? *s : '\\', f);
			fwrite(s, 1, n, f);
		}
		s += n ? n : 1;
	}
}

const char *ebb_report_rows_amount(const struct ebb_report *r, int64_t nano, char out[EBB_MONEY_TEXT])
{
	struct ebb_money m = r->total.cost;
	char *space;

	m.nano = nano;
	if ((space = strchr(strcpy(out, ebb_money_format(m, (char[EBB_MONEY_TEXT]){0})), ' ')))
		*space = 0;
	return out;
}
