/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/report_rows.h"

#include <stdlib.h>
#include <string.h>

#include "agent/out.h"
#include "core/utf8.h"

bool ebb_report_rows_shared(const struct ebb_report *r, const char *dim)
{
	const struct ebb_config *c = r->app->config;

	return c && ebb_shared_any(c->alerts.shared, c->alerts.nshared, dim);
}

/* Share the costs of a dimension; rows of recipients that own nothing come behind. */
static int share(const struct ebb_report *r, const char *dim, struct ebb_report_rows_row *rows, size_t *n,
		 struct ebb_err *err)
{
	const struct ebb_config_alerts *c = &r->app->config->alerts;
	size_t was = *n;
	struct ebb_shared_row *s = calloc(was + ebb_shared_more(c->shared, c->nshared) + 1, sizeof(*s));

	if (!s)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < was; i++)
		s[i] = (struct ebb_shared_row){rows[i].own.value, rows[i].own.bytes, rows[i].own.cost, 0};
	int rc = ebb_shared_apply(c->shared, c->nshared, dim, s, n, err);
	for (size_t i = 0; rc == 0 && i < *n; i++) {
		if (i >= was)
			rows[i].own = (struct ebb_alloc_row){.value = s[i].value};
		rows[i].moved = s[i].moved;
	}
	free(s);
	return rc;
}

int ebb_report_rows_get(const struct ebb_report *r, size_t dim, struct ebb_report_rows_row **ret, size_t *ret_n,
			bool *ret_shared, struct ebb_err *err)
{
	const char *name = ebb_alloc_dim_name(r->money.alloc, dim);
	bool shared = ebb_report_rows_shared(r, name);
	struct ebb_alloc_row *own;
	size_t n;
	int rc = ebb_alloc_rows(r->money.alloc, dim, &own, &n, err);

	if (rc < 0)
		return rc;
	size_t more = shared ? ebb_shared_more(r->app->config->alerts.shared, r->app->config->alerts.nshared) : 0;
	struct ebb_report_rows_row *rows = calloc(n + more + 1, sizeof(*rows));
	if (!rows)
		rc = ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < n; i++)
		rows[i].own = own[i];
	free(own);
	if (rc == 0 && shared)
		rc = share(r, name, rows, &n, err);
	if (rc < 0) {
		free(rows);
		return rc;
	}
	*ret = rows;
	*ret_n = n;
	*ret_shared = shared;
	return 0;
}

int ebb_report_rows_each(const struct ebb_report *r, ebb_report_rows_fn *fn, const void *ctx, struct ebb_err *err)
{
	struct ebb_alloc *a = r->money.alloc;

	for (size_t d = 0; d < ebb_alloc_dims(a); d++) {
		struct ebb_report_rows_row *rows;
		bool shared;
		size_t n;
		int rc = d == EBB_ALLOC_FOLDER ? 1 : ebb_report_rows_get(r, d, &rows, &n, &shared, err);

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
