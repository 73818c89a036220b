/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "policies/rules_ast.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

/* Rows of all dimensions stand in one hash table, at most half full. */
#define SLOTS_FIRST 4096

/* Most labels of datasets and mapping together. */
#define LABELS_MAX (EBB_RULES_LABELS + 64)

/* A dimension that is not shown: hidden objects by store. */
#define HIDDEN (EBB_ALLOC_DIMS + LABELS_MAX)

/* A store's name, ':' and a key. */
#define FOLDER_MAX (EBB_INDEX_NAME_MAX + 1 + EBB_KEY_MAX)

struct cell {
	const struct ebb_price_class *class;	/* NULL: not priced */
	struct ebb_cost_load bin[EBB_ALLOC_BINS];
	struct cell *next;
};

struct row {
	size_t dim;
	const char *value;
	size_t len;
	int64_t objects, bytes, unpriced;
	struct cell *cells;
};

struct ebb_alloc {
	const struct ebb_rules *rules;
	const struct ebb_price_books *prices;
	const struct ebb_names *names;
	const struct ebb_labels *labels;
	int64_t now;
	struct ebb_arena arena;
	const char *dim[EBB_ALLOC_DIMS + LABELS_MAX];
	size_t ndims, nset;	/* all, and those that datasets give */
	size_t mapped[LABELS_MAX];	/* number in `labels` of each label's dimension, SIZE_MAX: none */
	size_t values[HIDDEN + 1];	/* rows of each dimension */
	struct row **slot;
	size_t nslots, used;
	struct row *last[HIDDEN + 1];	/* of each dimension: neighbours mostly have the same value */
	struct row total;
	/* the store and class of the last record, found once */
	const char *store;
	const struct ebb_rules_store *where;
	int64_t code;
	const struct ebb_price_class *class;
	const char *class_name;
	struct ebb_expr_text label[LABELS_MAX];	/* of the record at hand, all dimensions of labels */
	size_t only;			/* number of the label that is asked for; SIZE_MAX: none */
	const char *only_value;
	struct ebb_block_iter iter;
};

static const char *const dim_names[EBB_ALLOC_DIMS] = {"store", "class", "jurisdiction", "region",
						      "age",   "type",	"folder"};

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "no memory to allocate costs");
}

/* --- Dimensions --- */

/* Enter the labels of datasets ("team" and "kind" among them), then what only the mapping gives. */
static void name_dims(struct ebb_alloc *a)
{
	for (; a->ndims < EBB_ALLOC_DIMS; a->ndims++)
		a->dim[a->ndims] = dim_names[a->ndims];
	for (size_t i = 0; a->rules && i < a->rules->nlabels; i++)
		a->dim[a->ndims++] = a->rules->labels[i];
	a->nset = a->ndims - EBB_ALLOC_DIMS;
	for (size_t i = 0; i < LABELS_MAX; i++)
		a->mapped[i] = SIZE_MAX;
	for (size_t i = 0; a->labels && i < ebb_labels_count(a->labels); i++) {
		const char *name = ebb_labels_name(a->labels, i);
		int at = ebb_alloc_dim_find(a, name);

		if (at < EBB_ALLOC_DIMS) {
			at = (int)a->ndims;
			a->dim[a->ndims++] = name;
		}
		a->mapped[at - EBB_ALLOC_DIMS] = i;
	}
}

int ebb_alloc_new(const struct ebb_rules *rules, const struct ebb_price_books *prices,
		  const struct ebb_names *names, const struct ebb_labels *labels, int64_t now,
		  struct ebb_alloc **ret, struct ebb_err *err)
{
	struct ebb_alloc *a = calloc(1, sizeof(*a));

	if (!a)
		return no_memory(err);
	ebb_arena_init(&a->arena, 0);
	*a = (struct ebb_alloc){.rules = rules, .prices = prices, .names = names, .labels = labels, .now = now,
				.nslots = SLOTS_FIRST, .arena = a->arena, .only = SIZE_MAX};
	name_dims(a);
	a->slot = calloc(a->nslots, sizeof(struct row *));
	if (!a->slot) {
		ebb_alloc_free(a);
		return no_memory(err);
	}
	*ret = a;
	return 0;
}

void ebb_alloc_free(struct ebb_alloc *a)
{
	if (!a)
		return;
	ebb_arena_release(&a->arena);
	free(a->slot);
	free(a);
}

size_t ebb_alloc_dims(const struct ebb_alloc *a)
{
	return a->ndims;
}

const char *ebb_alloc_dim_name(const struct ebb_alloc *a, size_t dim)
{
	return a->dim[dim];
}

int ebb_alloc_dim_find(const struct ebb_alloc *a, const char *name)
{
	for (size_t i = 0; i < a->ndims; i++)
		if (strcmp(a->dim[i], name) == 0)
			return (int)i;
	return -1;
}

/* --- Rows --- */

static uint64_t hash_of(size_t dim, const char *value, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ dim * UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)value[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

static struct row **find_slot(struct row **slot, size_t n, size_t dim, const char *value, size_t len)
{
	size_t i = (size_t)(hash_of(dim, value, len) & (n - 1));

	while (slot[i] && (slot[i]->dim != dim || slot[i]->len != len || memcmp(slot[i]->value, value, len) != 0))
		i = (i + 1) & (n - 1);
	return &slot[i];
}

static bool grow(struct ebb_alloc *a)
{
	struct row **slot = calloc(2 * a->nslots, sizeof(struct row *));

	if (!slot)
		return false;
	for (size_t i = 0; i < a->nslots; i++)
		if (a->slot[i])
			*find_slot(slot, 2 * a->nslots, a->slot[i]->dim, a->slot[i]->value, a->slot[i]->len) =
				a->slot[i];
	free(a->slot);
	a->slot = slot;
	a->nslots *= 2;
	return true;
}

static struct row *row_of(struct ebb_alloc *a, size_t dim, const char *value, size_t len)
{
	static const size_t others = sizeof(EBB_ALLOC_OTHERS) - 1;
	struct row *r = a->last[dim];

	if (r && r->len == len && memcmp(r->value, value, len) == 0)
		return r;
	r = *find_slot(a->slot, a->nslots, dim, value, len);
	if (r)
		return a->last[dim] = r;
	if (a->values[dim] >= EBB_ALLOC_VALUES && !(len == others && memcmp(value, EBB_ALLOC_OTHERS, len) == 0))
		return row_of(a, dim, EBB_ALLOC_OTHERS, others);
	if (2 * ++a->used > a->nslots && !grow(a))
		return NULL;
	r = ebb_arena_calloc(&a->arena, 1, sizeof(*r));
	if (!r || !(r->value = ebb_arena_memdup(&a->arena, value, len)))
		return NULL;
	r->dim = dim;
	r->len = len;
	a->values[dim]++;
	return *find_slot(a->slot, a->nslots, dim, value, len) = r;
}

/* --- Counting --- */

/* An object, as every row counts it. */
struct count {
	const struct ebb_price_class *class;
	int64_t bytes;		/* content */
	int64_t charged;	/* bytes that storage is paid for */
};

static int bin_of(const struct ebb_price_class *c, int64_t bytes)
{
	return (bytes >= c->min_bytes) + (bytes >= c->monitored_from);
}

static int add(struct ebb_alloc *a, struct row *r, const struct count *c, struct ebb_err *err)
{
	struct cell *cell = r ? r->cells : NULL;

	if (!r)
		return no_memory(err);
	r->objects++;
	if (__builtin_add_overflow(r->bytes, c->bytes, &r->bytes))
		return ebb_err_set(err, EBB_ERANGE, "the sizes of all objects together do not fit 64 bits");
	if (!c->class) {
		r->unpriced += c->bytes;
		return 0;
	}
	while (cell && cell->class != c->class)
		cell = cell->next;
	if (!cell) {
		cell = ebb_arena_calloc(&a->arena, 1, sizeof(*cell));
		if (!cell)
			return no_memory(err);
		*cell = (struct cell){.class = c->class, .next = r->cells};
		r->cells = cell;
	}
	struct ebb_cost_load *load = &cell->bin[bin_of(c->class, c->charged)];
	load->objects++;
	load->bytes += c->charged;
	return 0;
}

static int add_value(struct ebb_alloc *a, size_t dim, const char *value, size_t len, const struct count *c,
		     struct ebb_err *err)
{
	return add(a, row_of(a, dim, value ? value : "", value ? len : 0), c, err);
}

/* Class of a record: its own where it has one, otherwise its store's. */
static void find_class(struct ebb_alloc *a, const struct ebb_record *rec)
{
	const struct ebb_rules_store *w = a->where;
	bool own = ebb_record_has(rec, EBB_F_CLASS);
	int64_t code = own ? rec->f[EBB_F_CLASS] : -1;

	if (code == a->code)
		return;
	a->code = code;
	a->class_name = own ? ebb_names_get(a->names, code) : w ? w->class : NULL;
	a->class = a->prices && w && a->class_name
			   ? ebb_price_find(a->prices, w->provider, w->region, a->class_name)
			   : NULL;
}

static const char *age_of(const struct ebb_alloc *a, const struct ebb_record *rec)
{
	static const struct {
		int days;
		const char *name;
	} ages[] = {{30, "under 30 d"}, {90, "30-90 d"}, {180, "90-180 d"}, {365, "180 d-1 y"}, {730, "1-2 y"}};

	if (!ebb_record_has(rec, EBB_F_MTIME))
		return NULL;
	for (size_t i = 0; i < EBB_ARRAY_LEN(ages); i++)
		if (a->now - rec->f[EBB_F_MTIME] < ages[i].days * DAY_NS)
			return ages[i].name;
	return "over 2 y";
}

/* STORE:FIRST/SECOND/ of a key; STORE: for what lies in no folder. Returns the length. */
static size_t folder_of(const struct ebb_alloc *a, const struct ebb_record *rec, char out[FOLDER_MAX])
{
	size_t n = 0, len = ebb_record_plain_len(rec->key, rec->key_len), at = strlen(a->store);

	for (int i = 0; i < 2; i++) {
		const char *slash = memchr(rec->key + n, '/', len - n);

		if (!slash)
			break;
		n = (size_t)(slash - rec->key) + 1;
	}
	memcpy(out, a->store, at);
	out[at] = ':';
	memcpy(out + at + 1, rec->key, n);
	return at + 1 + n;
}

/* Value of a record in each dimension that is always there, but its folder; NULL: none. */
static void fixed_of(const struct ebb_alloc *a, const struct ebb_record *rec, const char *ret[EBB_ALLOC_FOLDER])
{
	const struct ebb_rules_store *w = a->where;

	ret[EBB_ALLOC_STORE] = a->store;
	ret[EBB_ALLOC_CLASS] = a->class_name;
	ret[EBB_ALLOC_JURISDICTION] = w ? w->jurisdiction : NULL;
	ret[EBB_ALLOC_REGION] = w ? w->region : NULL;
	ret[EBB_ALLOC_AGE] = age_of(a, rec);
	ret[EBB_ALLOC_TYPE] = ebb_record_kind_name(ebb_record_has(rec, EBB_F_KIND) ? rec->f[EBB_F_KIND] : EBB_KIND_FILE);
}

static int add_fixed(struct ebb_alloc *a, const struct ebb_record *rec, const struct count *c,
		     struct ebb_err *err)
{
	const char *value[EBB_ALLOC_FOLDER];
	char folder[FOLDER_MAX];
	int r = 0;

	fixed_of(a, rec, value);
	for (size_t i = 0; i < EBB_ALLOC_FOLDER && r == 0; i++)
		r = add_value(a, i, value[i], value[i] ? strlen(value[i]) : 0, c, err);
	return r < 0 ? r : add_value(a, EBB_ALLOC_FOLDER, folder, folder_of(a, rec, folder), c, err);
}

/* Find the labels of a record: those of datasets, else of the mapping. */
static void read_labels(struct ebb_alloc *a, const struct ebb_record *rec)
{
	static const struct ebb_rules_rule no_rule = {.captures = 0};
	size_t len = ebb_record_plain_len(rec->key, rec->key_len);

	if (a->nset)
		ebb_rules_labels(a->rules, &no_rule,
				 (const struct ebb_rules_set *)(const void *)ebb_rules_dataset(a->rules, rec->key, len),
				 rec->key, len, a->label);
	for (size_t i = 0; i < a->ndims - EBB_ALLOC_DIMS; i++) {
		struct ebb_expr_text v = i < a->nset ? a->label[i] : (struct ebb_expr_text){NULL, 0};

		if (!v.p && a->mapped[i] != SIZE_MAX) {
			v.p = ebb_labels_value(a->labels, a->mapped[i], a->store, rec);
			v.len = v.p ? strlen(v.p) : 0;
		}
		a->label[i] = v;
	}
}

/* Is the record one that is asked for? */
static bool wanted(const struct ebb_alloc *a)
{
	if (a->only == SIZE_MAX)
		return true;
	const struct ebb_expr_text *v = &a->label[a->only];
	size_t len = v->p ? v->len : 0;
	return len == strlen(a->only_value) && memcmp(v->p ? v->p : "", a->only_value, len) == 0;
}

void ebb_alloc_only(struct ebb_alloc *a, size_t dim, const char *value)
{
	a->only = dim - EBB_ALLOC_DIMS;
	a->only_value = value;
}

static int add_labels(struct ebb_alloc *a, const struct count *c, struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->ndims - EBB_ALLOC_DIMS; i++)
		r = add_value(a, EBB_ALLOC_DIMS + i, a->label[i].p, a->label[i].len, c, err);
	return r;
}

/* Hidden objects once more, by store. A marker is a name: it holds nothing. */
static int add_hidden(struct ebb_alloc *a, int64_t kind, const struct count *c, struct ebb_err *err)
{
	struct row *r;

	if (kind == EBB_KIND_VERSION || kind == EBB_KIND_UPLOAD)
		return add_value(a, HIDDEN, a->store, strlen(a->store), c, err);
	if (kind != EBB_KIND_MARKER)
		return 0;
	r = row_of(a, HIDDEN, a->store, strlen(a->store));
	if (!r)
		return no_memory(err);
	r->objects++;
	return 0;
}

static int count_record(struct ebb_alloc *a, const struct ebb_record *rec, struct ebb_err *err)
{
	int64_t kind = ebb_record_has(rec, EBB_F_KIND) ? rec->f[EBB_F_KIND] : EBB_KIND_FILE;
	struct count c = {.bytes = rec->f[EBB_F_SIZE]};

	if (kind == EBB_KIND_MARKER)
		return a->only == SIZE_MAX ? add_hidden(a, kind, &c, err) : 0;
	if ((kind != EBB_KIND_FILE && kind != EBB_KIND_VERSION && kind != EBB_KIND_UPLOAD) ||
	    (rec->f[EBB_F_FLAGS] & EBB_FLAG_LINKED_TWIN))
		return 0;
	read_labels(a, rec);
	if (!wanted(a))
		return 0;
	c.charged = ebb_record_has(rec, EBB_F_ALLOC) ? rec->f[EBB_F_ALLOC] : c.bytes;
	find_class(a, rec);
	c.class = kind == EBB_KIND_UPLOAD && a->class ? a->class->standard : a->class;
	int r = add(a, &a->total, &c, err);
	if (r == 0)
		r = add_fixed(a, rec, &c, err);
	if (r == 0)
		r = add_hidden(a, kind, &c, err);
	return r < 0 ? r : add_labels(a, &c, err);
}

static void enter_store(struct ebb_alloc *a, const char *store)
{
	a->store = store;
	a->where = a->rules ? ebb_rules_store(a->rules, store) : NULL;
	a->code = INT64_MIN;
}

bool ebb_alloc_counts(struct ebb_alloc *a, const char *store, const struct ebb_record *rec, const char *class, size_t dim, const char *value)
{
	const char *fixed[EBB_ALLOC_FOLDER];
	char folder[FOLDER_MAX];
	struct ebb_expr_text v;

	enter_store(a, store);
	if (dim == EBB_ALLOC_FOLDER) {
		v = (struct ebb_expr_text){folder, folder_of(a, rec, folder)};
	} else if (dim < EBB_ALLOC_FOLDER) {
		find_class(a, rec);
		fixed_of(a, rec, fixed);
		v.p = dim == EBB_ALLOC_CLASS && class ? class : fixed[dim];
		v.len = v.p ? strlen(v.p) : 0;
	} else {
		read_labels(a, rec);
		v = a->label[dim - EBB_ALLOC_DIMS];
	}
	size_t len = v.p ? v.len : 0;
	return len == strlen(value) && memcmp(v.p ? v.p : "", value, len) == 0;
}

int ebb_alloc_block(struct ebb_alloc *a, const char *store, const struct ebb_block *b, const char *prefix,
		    struct ebb_err *err)
{
	struct ebb_record rec;
	size_t plen = strlen(prefix);
	int r;

	enter_store(a, store);
	ebb_block_iter_init(&a->iter, b);
	while ((r = ebb_block_iter_next(&a->iter, &rec, err)) == 1)
		if (ebb_record_key_has_prefix(rec.key, rec.key_len, prefix, plen) &&
		    (r = count_record(a, &rec, err)) < 0)
			break;
	return r;
}

/* --- Sums --- */

static int by_class(const void *pa, const void *pb)
{
	const struct ebb_alloc_part *a = pa, *b = pb;

	return a->class < b->class ? -1 : a->class > b->class;
}

size_t ebb_alloc_parts(const struct ebb_alloc *a, size_t dim, const char *value, struct ebb_alloc_part *ret,
		       size_t max)
{
	const struct row *r = *find_slot(a->slot, a->nslots, dim, value, strlen(value));
	size_t n = 0;

	for (const struct cell *c = r ? r->cells : NULL; c; c = c->next, n++)
		if (n < max) {
			ret[n].class = c->class;
			memcpy(ret[n].bin, c->bin, sizeof(c->bin));
		}
	qsort(ret, n < max ? n : max, sizeof(*ret), by_class);
	return n;
}

/* A month of a row, in 10^-18. */
static __int128 cost_of(const struct row *r)
{
	__int128 sum = 0;

	for (const struct cell *c = r->cells; c; c = c->next)
		for (int i = 0; i < EBB_ALLOC_BINS; i++) {
			struct ebb_bill bill;

			ebb_bill_clear(&bill);
			ebb_cost_storage(&bill, EBB_BILL_BEFORE, c->class, c->bin[i], EBB_COST_MONTH);
			sum += ebb_bill_sum(&bill, EBB_BILL_BEFORE);
		}
	return sum;
}

int ebb_alloc_total(struct ebb_alloc *a, struct ebb_alloc_total *ret, struct ebb_err *err)
{
	const char *currency = a->prices ? ebb_price_currency(a->prices) : "";
	struct ebb_money cost = {0};
	int r = *currency ? ebb_bill_money(cost_of(&a->total), currency, &cost, err) : 0;

	if (r == 0)
		*ret = (struct ebb_alloc_total){a->total.objects, a->total.bytes, a->total.unpriced, cost};
	return r;
}

int ebb_alloc_hidden(const struct ebb_alloc *a, const char *store, struct ebb_alloc_row *ret, struct ebb_err *err)
{
	const char *currency = a->prices ? ebb_price_currency(a->prices) : "";
	const struct row *r = *find_slot(a->slot, a->nslots, HIDDEN, store, strlen(store));
	struct ebb_money cost = {0};
	int rc = r && *currency ? ebb_bill_money(cost_of(r), currency, &cost, err) : 0;

	if (rc < 0)
		return rc;
	*ret = r ? (struct ebb_alloc_row){store, r->objects, r->bytes, r->unpriced, cost.nano}
		 : (struct ebb_alloc_row){.value = store};
	return 0;
}

/* A row with what rounding down to nano-units left over, for the largest remainders. */
struct share {
	struct ebb_alloc_row row;
	int64_t rest;
};

#define NANO ((__int128)1000000000)

static int by_rest(const void *pa, const void *pb)
{
	const struct share *a = pa, *b = pb;

	if (a->rest != b->rest)
		return a->rest > b->rest ? -1 : 1;
	return strcmp(a->row.value, b->row.value);
}

static int by_cost(const void *pa, const void *pb)
{
	const struct share *a = pa, *b = pb;

	if (!*a->row.value != !*b->row.value)
		return *a->row.value ? 1 : -1;
	if (a->row.cost != b->row.cost)
		return a->row.cost > b->row.cost ? -1 : 1;
	if (a->row.bytes != b->row.bytes)
		return a->row.bytes > b->row.bytes ? -1 : 1;
	return strcmp(a->row.value, b->row.value);
}

/* Rows of a dimension with amounts rounded down, and their sum. */
static size_t collect(const struct ebb_alloc *a, size_t dim, struct share *ret, int64_t *ret_sum)
{
	size_t n = 0;

	*ret_sum = 0;
	for (size_t i = 0; i < a->nslots; i++) {
		const struct row *r = a->slot[i];

		if (!r || r->dim != dim)
			continue;
		__int128 cost = cost_of(r);
		ret[n++] = (struct share){{r->value, r->objects, r->bytes, r->unpriced, (int64_t)(cost / NANO)},
					  (int64_t)(cost % NANO)};
		*ret_sum += (int64_t)(cost / NANO);
	}
	return n;
}

int ebb_alloc_rows(struct ebb_alloc *a, size_t dim, struct ebb_alloc_row **ret, size_t *ret_n,
		   struct ebb_err *err)
{
	struct ebb_alloc_total total;
	int64_t sum;
	int r = ebb_alloc_total(a, &total, err);

	if (r < 0)
		return r;
	struct share *s = calloc(a->values[dim] + 1, sizeof(*s));
	struct ebb_alloc_row *rows = calloc(a->values[dim] + 1, sizeof(*rows));
	if (!s || !rows) {
		free(s);
		free(rows);
		return no_memory(err);
	}
	size_t n = collect(a, dim, s, &sum);
	qsort(s, n, sizeof(*s), by_rest);
	for (size_t i = 0; i < n && sum < total.cost.nano; i++, sum++)
		s[i].row.cost++;
	qsort(s, n, sizeof(*s), by_cost);
	for (size_t i = 0; i < n; i++)
		rows[i] = s[i].row;
	free(s);
	*ret = rows;
	*ret_n = n;
	return 0;
}
