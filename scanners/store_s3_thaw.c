/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects in archive classes: whether they can be read, and asking for a copy that can be. */
#include <string.h>

#include "scanners/s3_admin.h"
#include "scanners/store_s3.h"

/*
 * A class that is called an archive need not be one (other stores than AWS give any name to any pool), so an object that no restore is known of
 * is tried: one byte of it.
 */
static int probe(struct ebb_store *base, const char *key, const struct ebb_store_s3_object *o, enum ebb_store_sleep *ret,
		 struct ebb_err *err)
{
	struct ebb_err why = {0};
	char byte;

	if (o->rec.f[EBB_F_SIZE] == 0) {
		*ret = EBB_STORE_ASLEEP;
		return 0;
	}
	int rc = ebb_store_s3_read_range(base, key, NULL, 0, &byte, 1, &why);
	if (rc < 0 && rc != -EBB_EASLEEP)
		return ebb_err_set(err, -rc, "%s", why.msg);
	*ret = rc == 0 ? EBB_STORE_AWAKE : EBB_STORE_ASLEEP;
	return 0;
}

int ebb_store_s3_thaw_state(struct ebb_store *base, const char *key, const struct ebb_record *expect,
			    enum ebb_store_sleep *ret, struct ebb_store_rest *ret_rest, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	struct ebb_store_s3_object o;
	enum ebb_s3_restored state;
	char archive[64];
	int rc = ebb_store_s3_head((struct ebb_store_s3 *)base, key, expect, &call, &o, err);

	if (rc < 0)
		return rc;
	state = ebb_s3_admin_restored_of(&call, &ret_rest->expires);
	/* S3 API Reference, HeadObject: where Intelligent-Tiering has put it away; no header when it has not, or no longer */
	ebb_s3_call_got(&call, "x-amz-archive-status", archive, sizeof(archive));
	if (*archive) {
		ret_rest->tier = strcmp(archive, "DEEP_ARCHIVE_ACCESS") == 0 ? EBB_STORE_TIER_DEEP : EBB_STORE_TIER_ARCHIVE;
		*ret = state == EBB_S3_RESTORING ? EBB_STORE_THAWING : EBB_STORE_ASLEEP;
		return 0;
	}
	if (state == EBB_S3_AWAKE && ebb_store_may_sleep(base, o.class))
		return probe(base, key, &o, ret, err);
	*ret = state == EBB_S3_RESTORING ? EBB_STORE_THAWING : state == EBB_S3_RESTORED ? EBB_STORE_THAWED : EBB_STORE_AWAKE;
	return 0;
}

int ebb_store_s3_thaw_ask(struct ebb_store *base, const char *key, const char *speed, unsigned days, struct ebb_err *err)
{
	static const struct {
		const char *speed, *tier;
	} tiers[] = {{"bulk", "Bulk"}, {"standard", "Standard"}, {"expedited", "Expedited"}};
	struct ebb_store_s3 *s = (struct ebb_store_s3 *)base;
	char full[EBB_STORE_S3_KEY];
	int rc = ebb_store_s3_key(s, key, full, err);

	for (size_t i = 0; rc == 0 && i < EBB_ARRAY_LEN(tiers); i++)
		if (strcmp(tiers[i].speed, speed) == 0)
			return ebb_s3_admin_restore(s->s3, full, days, tiers[i].tier, err);
	return rc < 0 ? rc : ebb_err_set(err, EBB_EINVAL, "nothing is thawed at speed '%s'", speed);
}
