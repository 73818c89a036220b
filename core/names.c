/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/names.h"

#include <stdlib.h>
#include <string.h>

#include "core/index_db.h"
#include "core/text.h"

struct ebb_names {
	size_t n;
	struct {
		int64_t code;
		char name[EBB_NAMES_LEN + 1];
	} *row;
};

struct ebb_names *ebb_names_new(void)
{
	return calloc(1, sizeof(struct ebb_names));
}

void ebb_names_free(struct ebb_names *n)
{
	if (!n)
		return;
	free(n->row);
	free(n);
}

const char *ebb_names_get(const struct ebb_names *n, int64_t code)
{
	for (size_t i = 0; n && i < n->n; i++)
		if (n->row[i].code == code)
			return n->row[i].name;
	return NULL;
}

static int check(const char *name, struct ebb_err *err)
{
	size_t len = strlen(name);
	bool good = len > 0 && len <= EBB_NAMES_LEN;
	char quoted[EBB_TEXT_QUOTED];

	for (const char *p = name; good && *p; p++)
		good = (uint8_t)*p >= ' ' && *p != 0x7f;
	return good ? 0
		    : ebb_err_set(err, EBB_EINVAL, "'%s' is no name of a storage class",
				  ebb_text_quotes(name, quoted, sizeof(quoted)));
}

int ebb_names_add(struct ebb_names *n, const char *name, int64_t *ret_code, struct ebb_err *err)
{
	int64_t code = ebb_record_class_code(name);
	const char *known = ebb_names_get(n, code);
	int rc = check(name, err);
	void *more;

	if (rc < 0)
		return rc;
	if (known && strcmp(known, name) != 0)
		return ebb_err_set(err, EBB_EINVAL, "storage classes '%s' and '%s' have the same code", known, name);
	*ret_code = code;
	if (known)
		return 0;
	if (n->n == EBB_NAMES_MAX)
		return ebb_err_set(err, EBB_ERANGE, "an index knows at most %d storage classes", EBB_NAMES_MAX);
	more = realloc(n->row, (n->n + 1) * sizeof(*n->row));
	if (!more)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for the name of a class");
	n->row = more;
	n->row[n->n].code = code;
	memcpy(n->row[n->n++].name, name, strlen(name) + 1);
	return 1;
}

int ebb_names_load(struct ebb_names *n, struct ebb_index *ix, struct MDB_txn *txn,
		   struct ebb_err *err)
{
	MDB_cursor *c;
	MDB_val key, val;
	int rc = 0, db;

	if (!ix->names) /* made by a version without names, and opened to read */
		return 0;
	db = mdb_cursor_open(txn, ix->names, &c);
	if (db != 0)
		return ebb_index_result(ix, err, db, "cannot read the names of classes");
	while (rc >= 0 && (db = mdb_cursor_get(c, &key, &val, MDB_NEXT)) == 0) {
		char name[EBB_NAMES_LEN + 1] = "";
		int64_t code;

		if (val.mv_size <= EBB_NAMES_LEN)
			memcpy(name, val.mv_data, val.mv_size);
		rc = ebb_names_add(n, name, &code, err);
	}
	mdb_cursor_close(c);
	if (rc == -EBB_EINVAL)
		return ebb_index_result(ix, err, MDB_CORRUPTED, "cannot read the names of classes");
	if (rc < 0 || db == MDB_NOTFOUND)
		return rc < 0 ? rc : 0;
	return ebb_index_result(ix, err, db, "cannot read the names of classes");
}

int ebb_names_save(struct ebb_names *n, struct ebb_index *ix, struct MDB_txn *txn, const char *name,
		   int64_t *ret_code, struct ebb_err *err)
{
	int64_t code;
	int rc = ebb_names_add(n, name, &code, err);

	if (rc == 1) {
		uint32_t number = (uint32_t)code;
		MDB_val key = {sizeof(number), &number};
		MDB_val val = {strlen(name), (void *)(uintptr_t)name};

		rc = mdb_put(txn, ix->names, &key, &val, 0);
		rc = ebb_index_result(ix, err, rc, "cannot write the name of a class");
	}
	if (rc == 0)
		*ret_code = code;
	return rc;
}

int ebb_names_read(struct ebb_snap *s, struct ebb_names **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_names_freep) struct ebb_names *n = ebb_names_new();
	int rc = n ? ebb_names_load(n, s->ix, s->txn, err)
		   : ebb_err_set(err, EBB_ENOMEM, "no memory for the names of classes");

	if (rc < 0)
		return rc;
	*ret = n;
	n = NULL;
	return 0;
}
