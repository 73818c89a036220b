/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "core/units.h"

#define LABELS_MAX 64
#define FIELDS 4

/* By what, strongest first. */
enum by { BY_PREFIX, BY_OWNER, BY_GROUP, BY_STORE, BY_COUNT };
static const char *const by_names[BY_COUNT] = {"prefix", "owner", "group", "store"};

struct line {
	enum by by;
	const char *store;	/* BY_PREFIX, BY_STORE */
	const char *prefix;
	size_t plen;
	int64_t id;		/* BY_OWNER, BY_GROUP */
	unsigned label;
	const char *is;
	int number;
};

struct ebb_labels {
	const char *names[LABELS_MAX];
	size_t nnames;
	struct line *lines;	/* by label, by, then what decides: longest prefix first */
	size_t n;
};

struct reader {
	struct ebb_arena *arena;
	struct ebb_labels *l;
	const char *file;
	const char *at, *end;
	int number;
	struct ebb_err *err;
};

static int bad(const struct reader *r, const char *what, const char *text)
{
	char quoted[EBB_TEXT_QUOTED];

	return ebb_err_set(r->err, EBB_ECONFIG, "%s:%d: %s '%s'", r->file, r->number, what,
			   ebb_text_quotes(text, quoted, sizeof(quoted)));
}

static int no_memory(const struct reader *r)
{
	return ebb_err_set(r->err, EBB_ENOMEM, "no memory to read '%s'", r->file);
}

/* One field, to the comma or the end of the line, unquoted; *ret_last says that the line ended. */
static int field(struct reader *r, const char **ret, bool *ret_last)
{
	char *out = ebb_arena_alloc(r->arena, (size_t)(r->end - r->at) + 1);
	size_t n = 0;
	bool quoted = r->at < r->end && *r->at == '"';

	if (!out)
		return no_memory(r);
	for (r->at += quoted; r->at < r->end; r->at++) {
		if (quoted && *r->at == '"') {
			if (r->at + 1 < r->end && r->at[1] == '"')
				r->at++;
			else {
				quoted = false;
				continue;
			}
		} else if (!quoted && (*r->at == ',' || *r->at == '\n')) {
			break;
		}
		if (*r->at != '\r' || quoted)
			out[n++] = *r->at;
	}
	out[n] = 0;
	if (quoted)
		return bad(r, "a quoted field does not end:", out);
	if (memchr(out, 0, n))
		return bad(r, "a NUL byte in", out);
	*ret_last = r->at == r->end || *r->at == '\n';
	r->at += r->at < r->end;
	*ret = out;
	return 0;
}

/* The fields of a line; 0 at the end of the text. */
static int fields(struct reader *r, const char *f[FIELDS])
{
	bool last = false;
	size_t n = 0;

	while (r->at < r->end && (*r->at == '\n' || *r->at == '\r' || *r->at == '#')) {
		const char *nl = memchr(r->at, '\n', (size_t)(r->end - r->at));

		r->at = nl ? nl + 1 : r->end;
		r->number++;
	}
	if (r->at == r->end)
		return 0;
	r->number++;
	while (!last && n < FIELDS) {
		int rc = field(r, &f[n++], &last);

		if (rc < 0)
			return rc;
	}
	return n == FIELDS && last ? 1 : bad(r, "a line has four fields, by,value,label,is; this begins with", f[0]);
}

/* Names that alloc.h gives to dimensions of its own. */
static const char *const taken[] = {"store", "class", "jurisdiction", "region", "age", "type", "folder"};

static int label_number(struct reader *r, const char *name, unsigned *ret)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(taken); i++)
		if (strcmp(taken[i], name) == 0)
			return bad(r, "every object has this already, it can be no label:", name);
	if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		return bad(r, "a label is a name of a-z, 0-9 and '_', not", name);
	for (*ret = 0; *ret < r->l->nnames; ++*ret)
		if (strcmp(r->l->names[*ret], name) == 0)
			return 0;
	if (r->l->nnames == LABELS_MAX)
		return bad(r, "too many different labels at", name);
	r->l->names[r->l->nnames++] = name;
	return 0;
}

static int what(struct reader *r, const char *by, const char *value, struct line *ret)
{
	size_t i = 0;

	while (i < BY_COUNT && strcmp(by_names[i], by) != 0)
		i++;
	if (i == BY_COUNT)
		return bad(r, "'by' is prefix, owner, group or store, not", by);
	ret->by = (enum by)i;
	if (ret->by == BY_OWNER || ret->by == BY_GROUP) {
		char *end;

		ret->id = strtol(value, &end, 10);
		return !*value || *end || ret->id < 0 ? bad(r, "an owner or group is its number, not", value) : 0;
	}
	ret->store = value;
	ret->prefix = "";
	if (ret->by == BY_PREFIX) {
		const char *colon = strchr(value, ':');

		if (!colon || colon == value || !colon[1])
			return bad(r, "a prefix is STORE:PREFIX, not", value);
		ret->store = ebb_arena_memdup(r->arena, value, (size_t)(colon - value));
		ret->prefix = colon + 1;
		ret->plen = strlen(ret->prefix);
		return ret->store ? 0 : no_memory(r);
	}
	return *value ? 0 : bad(r, "a store is missing:", value);
}

static int by_strength(const void *pa, const void *pb)
{
	const struct line *a = pa, *b = pb;
	int c;

	if (a->label != b->label)
		return a->label < b->label ? -1 : 1;
	if (a->by != b->by)
		return a->by < b->by ? -1 : 1;
	if (a->plen != b->plen)
		return a->plen > b->plen ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	c = a->store ? strcmp(a->store, b->store) : 0;
	if (c == 0 && a->prefix)
		c = strcmp(a->prefix, b->prefix);
	return c ? c : a->number - b->number;
}

/* The same thing twice: once is enough when both say the same. */
static int refuse_conflicts(const struct reader *r)
{
	for (size_t i = 1; i < r->l->n; i++) {
		struct line a = r->l->lines[i - 1], b = r->l->lines[i];

		a.number = b.number;
		if (by_strength(&a, &b) == 0 && strcmp(a.is, b.is) != 0)
			return ebb_err_set(r->err, EBB_ECONFIG,
					   "%s:%d: %s is '%s' here and '%s' in line %d: take one of them out", r->file,
					   r->l->lines[i].number, r->l->names[b.label], b.is, a.is,
					   r->l->lines[i - 1].number);
	}
	return 0;
}

static int read_line(struct reader *r, const char *const f[FIELDS])
{
	struct line *line = &r->l->lines[r->l->n];
	int rc;

	*line = (struct line){.number = r->number, .is = f[3]};
	if ((rc = what(r, f[0], f[1], line)) < 0 || (rc = label_number(r, f[2], &line->label)) < 0)
		return rc;
	if (!*f[3])
		return bad(r, "no value is given for label", f[2]);
	r->l->n++;
	return 0;
}

int ebb_labels_parse(struct ebb_arena *arena, const char *text, size_t len, const char *file,
		     struct ebb_labels **ret, struct ebb_err *err)
{
	struct reader r = {arena, NULL, file, text, text + len, 0, err};
	const char *f[FIELDS];
	size_t room = 1;
	int rc;

	for (size_t i = 0; i < len; i++)
		room += text[i] == '\n';
	r.l = ebb_arena_calloc(arena, 1, sizeof(*r.l));
	if (!r.l || !(r.l->lines = ebb_arena_calloc(arena, room, sizeof(*r.l->lines))))
		return no_memory(&r);
	if ((rc = fields(&r, f)) < 0)
		return rc;
	if (rc == 0 || strcmp(f[0], "by") != 0 || strcmp(f[1], "value") != 0 || strcmp(f[2], "label") != 0 ||
	    strcmp(f[3], "is") != 0) {
		r.number = r.number ? r.number : 1;
		return bad(&r, "the first line is by,value,label,is, not", rc ? f[0] : "");
	}
	while ((rc = fields(&r, f)) == 1)
		if ((rc = read_line(&r, f)) < 0)
			return rc;
	if (rc < 0)
		return rc;
	if (r.l->n)
		qsort(r.l->lines, r.l->n, sizeof(*r.l->lines), by_strength);
	if ((rc = refuse_conflicts(&r)) < 0)
		return rc;
	*ret = r.l;
	return 0;
}

size_t ebb_labels_count(const struct ebb_labels *l)
{
	return l->nnames;
}

const char *ebb_labels_name(const struct ebb_labels *l, size_t i)
{
	return l->names[i];
}

static bool meets(const struct line *line, const char *store, const struct ebb_record *rec)
{
	switch (line->by) {
	case BY_PREFIX:
		return strcmp(line->store, store) == 0 &&
		       ebb_record_key_has_prefix(rec->key, rec->key_len, line->prefix, line->plen);
	case BY_OWNER:
		return ebb_record_has(rec, EBB_F_UID) && rec->f[EBB_F_UID] == line->id;
	case BY_GROUP:
		return ebb_record_has(rec, EBB_F_GID) && rec->f[EBB_F_GID] == line->id;
	default:
		return strcmp(line->store, store) == 0;
	}
}

const char *ebb_labels_value(const struct ebb_labels *l, size_t i, const char *store,
			     const struct ebb_record *rec)
{
	for (size_t k = 0; k < l->n && l->lines[k].label <= i; k++)
		if (l->lines[k].label == i && meets(&l->lines[k], store, rec))
			return l->lines[k].is;
	return NULL;
}
