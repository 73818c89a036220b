/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/hash_tell.h"

#include <string.h>

#include "agent/out.h"

int ebb_hash_tell(struct ebb_app *app, const struct ebb_hash_result *r)
{
	char n[EBB_OUT_TEXT_MAX];

	for (size_t i = 0; i < r->nnamed; i++) {
		fputs("ebb: ", app->err);
		ebb_out_name(app->err, r->named[i], strlen(r->named[i]));
		fputc('\n', app->err);
	}
	if (r->changed + r->unreadable > r->nnamed)
		fprintf(app->err, "ebb: and %s more\n",
			ebb_out_count(r->changed + r->unreadable - r->nnamed, n));
	if (r->changed)
		fprintf(app->err, "ebb: %s changed since the last scan and were not compared: run ebb scan\n",
			ebb_out_things(r->changed, "object", n));
	if (r->unreadable)
		fprintf(app->err, "ebb: %s could not be read and were not compared\n",
			ebb_out_things(r->unreadable, "object", n));
	return r->changed || r->unreadable ? -EBB_EPARTIAL : 0;
}
