/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/cursor.h"

#include <stdlib.h>
#include <string.h>

#include "core/index_db.h"

struct ebb_cursor {
	struct ebb_snap *snap;
	uint16_t store;
	uint32_t generation, next, count;
	char *prefix;
	size_t prefix_len;
};

int ebb_cursor_open(struct ebb_snap *s, const struct ebb_index_store *st, const char *prefix,
		    struct ebb_cursor **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = calloc(1, sizeof(*c));
	int rc = 0;

	if (!c || !(c->prefix = strdup(prefix ? prefix : "")))
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a cursor");
	c->snap = s;
	c->store = st->id;
	c->generation = st->generation;
	c->count = st->generation ? st->blocks : 0;
	c->prefix_len = strlen(c->prefix);
	if (c->prefix_len)
		rc = ebb_index_seek(s->ix, s->txn, c->store, c->generation, c->count, c->prefix,
				    c->prefix_len, &c->next, err);
	if (rc < 0)
		return rc;
	*ret = c;
	c = NULL;
	return 0;
}

void ebb_cursor_close(struct ebb_cursor *c)
{
	if (!c)
		return;
	free(c->prefix);
	free(c);
}

int ebb_cursor_next(struct ebb_cursor *c, struct ebb_block *ret, struct ebb_err *err)
{
	struct ebb_index_list_key lk;
	struct ebb_index_entry e;
	MDB_val first, data;
	int rc;

	if (c->next >= c->count)
		return 0;
	lk = ebb_index_list_key(c->store, c->generation, c->next);
	rc = ebb_index_entry(c->snap->ix, c->snap->txn, &lk, &e, &first, err);
	if (rc == -EBB_ENOENT)
		rc = ebb_index_result(c->snap->ix, err, MDB_CORRUPTED, "a block is missing");
	if (rc < 0)
		return rc;
	if (c->prefix_len &&
	    ebb_record_key_cmp(first.mv_data, first.mv_size, c->prefix, c->prefix_len) > 0 &&
	    !ebb_record_key_has_prefix(first.mv_data, first.mv_size, c->prefix, c->prefix_len))
		return 0;
	rc = ebb_index_block(c->snap->ix, c->snap->txn, e.block, &data, err);
	if (rc == 0)
		rc = ebb_block_open(ret, data.mv_data, data.mv_size, err);
	if (rc < 0)
		return rc;
	c->next++;
	return 1;
}
