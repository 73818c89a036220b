/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/inuse.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"

#define FRESH_NS INT64_C(1000000000)

void ebb_inuse_release(struct ebb_inuse *u)
{
	ebb_openfiles_free(u->open);
	*u = (struct ebb_inuse){0};
}

static bool takes_away(const struct ebb_planrow *row)
{
	return row->action != EBB_ACTION_COPY && (row->action != EBB_ACTION_TIER || row->to_store) &&
	       (row->action != EBB_ACTION_DEDUP || row->how != EBB_ACTION_REFLINK);
}

/* "python3", for people; empty when it has gone. */
static void name_of(int pid, char name[32])
{
	char path[48];
	FILE *f;

	*name = '\0';
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (!(f = fopen(path, "re")))
		return;
	if (fgets(name, 32, f))
		name[strcspn(name, "\n")] = '\0';
	fclose(f);
}

int ebb_inuse_check(struct ebb_inuse *u, const struct ebb_planrow *row, struct ebb_err *err)
{
	const struct ebb_record *r = &row->obj;
	int64_t now = ebb_clock_monotonic();
	char name[32];

	if (!takes_away(row) || !ebb_record_has(r, EBB_F_INO) || !ebb_record_has(r, EBB_F_DEV))
		return 0;
	if (!u->open || now - u->looked > FRESH_NS) {
		struct ebb_openfiles *open;

		if (ebb_openfiles_look(&open, err) < 0)
			return -EBB_ENOMEM;
		ebb_openfiles_free(u->open);
		u->open = open;
		u->looked = now;
	}
	int pid = ebb_openfiles_by(u->open, (uint64_t)r->f[EBB_F_DEV], (uint64_t)r->f[EBB_F_INO]);
	if (!pid)
		return 0;
	name_of(pid, name);
	return ebb_err_set(err, EBB_ENOTSUP, "process %d (%s) has it open", pid, name);
}
