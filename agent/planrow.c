/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/planrow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/jsonline.h"
#include "agent/jsonput.h"
#include "scanners/proof.h"

#define SECOND INT64_C(1000000000)

static const struct {
	enum ebb_field field;
	const char *name;
	int64_t min;
} fields[] = {
	{EBB_F_SIZE, "size", 0},	  {EBB_F_ALLOC, "alloc", 0},
	{EBB_F_MTIME, "mtime_ns", INT64_MIN}, {EBB_F_CTIME, "ctime_ns", INT64_MIN},
	{EBB_F_INO, "ino", INT64_MIN},	  {EBB_F_DEV, "dev", INT64_MIN},
	{EBB_F_NLINK, "nlink", 0},
};

int64_t ebb_planrow_payback(bool priced, int64_t one_off, int64_t saving)
{
	if (!priced || saving <= 0)
		return -1;
	if (one_off <= 0)
		return 0;

	__int128 days = ((__int128)one_off * 30 + saving - 1) / saving;
	return days > INT64_MAX ? -1 : (int64_t)days;
}

static uint64_t be64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

/* What is known of an entity tag: its text, or the hash of one that is none of ours. */
static void put_etag(struct ebb_jsonput *j, const struct ebb_record *rec)
{
	char text[EBB_RECORD_ETAG_TEXT], hash[33];

	if (!ebb_record_has(rec, EBB_F_PARTS))
		return;
	if (ebb_record_etag_text(rec, text)) {
		ebb_jsonput_string(j, "etag", text);
		return;
	}
	snprintf(hash, sizeof(hash), "%016" PRIx64 "%016" PRIx64, (uint64_t)rec->f[EBB_F_ETAG_HI],
		 (uint64_t)rec->f[EBB_F_ETAG_LO]);
	ebb_jsonput_string(j, "etag_hash", hash);
}

void ebb_planrow_record_write(struct ebb_jsonput *j, const struct ebb_record *rec)
{
	ebb_jsonput_string_or_null(j, "kind", ebb_record_has(rec, EBB_F_KIND)
					   ? ebb_record_kind_name(rec->f[EBB_F_KIND]) : NULL);
	for (size_t i = 0; i < EBB_ARRAY_LEN(fields); i++)
		ebb_jsonput_int_or_null(j, fields[i].name, ebb_record_has(rec, fields[i].field),
					rec->f[fields[i].field]);
	if (ebb_record_has(rec, EBB_F_CLASS))
		ebb_jsonput_int(j, "class_code", rec->f[EBB_F_CLASS]);
	put_etag(j, rec);
}

static void read_etag(struct ebb_jsonline *l, struct ebb_record *rec)
{
	const char *tag = ebb_jsonline_str_or(l, "etag");
	uint8_t hash[16];

	if (tag)
		ebb_record_etag(rec, tag, strlen(tag));
	if (l->r < 0 || !json_object_get(l->o, "etag_hash"))
		return;
	ebb_jsonline_hex(l, "etag_hash", hash, sizeof(hash));
	ebb_record_set(rec, EBB_F_ETAG_HI, (int64_t)be64(hash));
	ebb_record_set(rec, EBB_F_ETAG_LO, (int64_t)be64(hash + 8));
	ebb_record_set(rec, EBB_F_PARTS, -1);
}

void ebb_planrow_record_read(struct ebb_jsonline *l, struct ebb_record *rec)
{
	const char *kind = ebb_jsonline_str_or(l, "kind");
	int64_t k = 0;

	while (kind && k < EBB_KIND_COUNT && strcmp(kind, ebb_record_kind_name(k)) != 0)
		k++;
	if (k == EBB_KIND_COUNT)
		ebb_jsonline_bad(l, "\"kind\" is none that exists");
	else if (kind)
		ebb_record_set(rec, EBB_F_KIND, k);
	for (size_t i = 0; i < EBB_ARRAY_LEN(fields); i++) {
		if (l->r == 0 && json_is_null(json_object_get(l->o, fields[i].name)))
			continue;
		int64_t n = ebb_jsonline_int(l, fields[i].name, fields[i].min, INT64_MAX);
		if (l->r == 0)
			ebb_record_set(rec, fields[i].field, n);
	}
	if (l->r == 0 && json_object_get(l->o, "class_code"))
		ebb_record_set(rec, EBB_F_CLASS, ebb_jsonline_int(l, "class_code", 0, UINT32_MAX));
	read_etag(l, rec);
}

/* The copy that stays, or the object that the content comes from. */
static void put_with(struct ebb_jsonput *j, const struct ebb_planrow *row)
{
	if (row->action == EBB_ACTION_DEDUP)
		ebb_jsonput_string_or_null(j, "how", ebb_action_how_name(row->how));
	ebb_jsonput_string_or_null(j, "with_store", row->with_store);
	ebb_jsonput_bytes(j, "with_path", row->with.key, row->with.key_len);
	ebb_jsonput_open(j, "with", '{');
	ebb_planrow_record_write(j, &row->with);
	ebb_jsonput_shut(j, '}');
}

static const char *const forms[EBB_PLANROW_FORMS] = {"plain", "encode", "decode", "coded"};

static void put_copy(struct ebb_jsonput *j, const struct ebb_planrow *row)
{
	ebb_jsonput_int_or_null(j, "after", row->after > 0, row->after);
	ebb_jsonput_number(j, "relay", row->relay ? "true" : "false");
	if (row->form)
		ebb_jsonput_string(j, "form", forms[row->form]);
	if (row->with_store)
		put_with(j, row);
}

/* Where to, and how. */
static void put_action(struct ebb_jsonput *j, const struct ebb_planrow *row)
{
	bool trash = ebb_action_kind(row->action)->trashes && !row->purge;

	ebb_jsonput_string_or_null(j, "to_store", row->to_store);
	if (row->to_key)
		ebb_jsonput_text(j, "to_path", row->to_key);
	else
		ebb_jsonput_number(j, "to_path", "null");
	if (row->to_class)
		ebb_jsonput_string(j, "to_class", row->to_class);
	ebb_jsonput_string_or_null(j, "codec", row->codec);
	ebb_jsonput_int_or_null(j, "level", row->codec != NULL, row->level);
	if (row->window)
		ebb_jsonput_int(j, "window", row->window);
	if (row->keep_key)
		ebb_jsonput_number(j, "keep_key", "true");
	if (row->verify)
		ebb_jsonput_string(j, "verify", ebb_action_verify_name((int)row->verify));
	ebb_jsonput_string_or_null(j, "purge", row->purge ? EBB_PROOF_PURGE_WORDS : NULL);
	ebb_jsonput_int_or_null(j, "trash_s", trash, row->trash_ns / SECOND);
	if (row->action == EBB_ACTION_DEDUP || row->action == EBB_ACTION_STRIKE || (row->action == EBB_ACTION_DELETE && row->with_store))
		put_with(j, row);
	if (row->awaits)
		ebb_jsonput_number(j, "awaits", "true");
	if (row->awaits && row->action == EBB_ACTION_DELETE)
		ebb_jsonput_int_or_null(j, "after", row->after > 0, row->after);
	if (row->action == EBB_ACTION_COPY)
		put_copy(j, row);
}

static void put_row(struct ebb_jsonput *j, const struct ebb_planrow *row)
{
	ebb_jsonput_open(j, NULL, '{');
	ebb_jsonput_int(j, "n", row->n);
	ebb_jsonput_string(j, "rule", row->rule);
	ebb_jsonput_string(j, "action", ebb_action_kind(row->action)->name);
	ebb_jsonput_string(j, "store", row->store);
	ebb_jsonput_bytes(j, "path", row->obj.key, row->obj.key_len);
	ebb_planrow_record_write(j, &row->obj);
	if (row->class)
		ebb_jsonput_string(j, "class", row->class);
	put_action(j, row);
	ebb_jsonput_int_or_null(j, "one_off_nano", row->priced, row->one_off);
	ebb_jsonput_int_or_null(j, "saving_month_nano", row->priced, row->saving);
	ebb_jsonput_int_or_null(j, "payback_days", row->payback_days >= 0, row->payback_days);
	ebb_jsonput_int(j, "freed_bytes", row->freed);
	ebb_jsonput_int(j, "wire_bytes", row->wire);
	ebb_jsonput_text(j, "why", row->why ? row->why : "");
	ebb_jsonput_shut(j, '}');
}

int ebb_planrow_write(struct ebb_buf *out, const struct ebb_planrow *row, struct ebb_err *err)
{
	struct ebb_jsonput j = {.b = *out};

	put_row(&j, row);
	ebb_jsonput_raw(&j, "\n");
	return ebb_jsonput_append(&j, out, err);
}

static const char *dup_str(struct ebb_jsonline *l, struct ebb_arena *arena, const char *s)
{
	const char *copy = s ? ebb_arena_strdup(arena, s) : NULL;

	if (s && !copy && l->r == 0)
		l->r = ebb_err_set(l->err, EBB_ENOMEM, "%s:%lld: out of memory", l->file,
				   (long long)l->line);
	return copy;
}

static void read_action(struct ebb_jsonline *l, struct ebb_planrow *row)
{
	const char *name = ebb_jsonline_str(l, "action");
	const struct ebb_action_kind *kind = name ? ebb_action_by_name(name) : NULL;
	const char *purge = ebb_jsonline_str_or(l, "purge");

	if (name && (!kind || !kind->changes))
		ebb_jsonline_bad(l, "\"action\" is none that a plan can have");
	if (purge && strcmp(purge, EBB_PROOF_PURGE_WORDS) != 0)
		ebb_jsonline_bad(l, "\"purge\" does not say \"%s\"", EBB_PROOF_PURGE_WORDS);
	if (l->r < 0)
		return;
	row->action = kind->id;
	row->purge = purge != NULL;
	if (row->purge && row->action != EBB_ACTION_DELETE)
		ebb_jsonline_bad(l, "\"purge\" without delete");
	if (kind->needs_to && (!row->to_class || kind->packs) && (!row->to_store || !row->to_key))
		ebb_jsonline_bad(l, "\"to_store\" or \"to_path\" is missing");
	if (row->to_class && (!kind->needs_to || (row->to_store && !kind->packs)))
		ebb_jsonline_bad(l, "\"to_class\" does not belong there");
	if (kind->takes_codec && (!row->codec || !row->to_key == !row->keep_key))
		ebb_jsonline_bad(l, "\"codec\" or \"to_path\" is missing");
	if (row->keep_key && (!kind->takes_codec || row->to_store || row->window || !row->codec || strcmp(row->codec, "zstd") != 0))
		ebb_jsonline_bad(l, "\"keep_key\" does not belong there");
}

/* Less than a digest is for copies of the same bytes in another store only. */
static void read_verify(struct ebb_jsonline *l, struct ebb_planrow *row)
{
	const char *word = ebb_jsonline_str_or(l, "verify");
	int i = 0;

	while (word && i < EBB_ACTION_VERIFIES && strcmp(word, ebb_action_verify_name(i)) != 0)
		i++;
	row->verify = (enum ebb_action_verify)i;
	if (i == EBB_ACTION_VERIFIES)
		ebb_jsonline_bad(l, "\"verify\" is none that exists");
	else if (i && !(row->action == EBB_ACTION_TIER && row->to_store) && (row->action != EBB_ACTION_COMPRESS || i != EBB_ACTION_BYTES))
		ebb_jsonline_bad(l, "\"verify\" does not belong there");
}

static void read_with(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_planrow *row)
{
	const char *how = row->action == EBB_ACTION_DEDUP ? ebb_jsonline_str(l, "how") : NULL;
	struct ebb_jsonline sub = ebb_jsonline_sub(l, ebb_jsonline_object(l, "with"));
	size_t len = 0;

	ebb_planrow_record_read(&sub, &row->with);
	ebb_jsonline_join(l, &sub);
	row->with_store = dup_str(l, arena, ebb_jsonline_str(l, "with_store"));
	row->with.key = ebb_jsonline_key(l, arena, "with_path", &len);
	row->with.key_len = (uint32_t)len;
	if (how && ebb_action_how_by_name(how) < 0)
		ebb_jsonline_bad(l, "\"how\" is none that exists");
	else if (how)
		row->how = (enum ebb_action_how)ebb_action_how_by_name(how);
	if (l->r == 0 && !row->with.key)
		ebb_jsonline_bad(l, "\"with_path\" is missing");
}

static void read_copy(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_planrow *row)
{
	row->after = ebb_jsonline_int_or(l, "after", 1, row->n - 1, 0);
	row->relay = ebb_jsonline_bool(l, "relay");
	const char *form = ebb_jsonline_str_or(l, "form");
	while (form && row->form < EBB_PLANROW_FORMS && strcmp(form, forms[row->form]) != 0)
		row->form++;
	if (row->form == EBB_PLANROW_FORMS)
		ebb_jsonline_bad(l, "\"form\" is none that exists");
	if (l->r == 0 && (row->form == EBB_PLANROW_ENCODE || row->form == EBB_PLANROW_DECODE) != (row->codec != NULL))
		ebb_jsonline_bad(l, "\"form\" and \"codec\" do not fit");
	if (l->r == 0 && ebb_jsonline_str_or(l, "with_store"))
		read_with(l, arena, row);
}

static bool in_trash(const char *key)
{
	return key && strncmp(key, EBB_PROOF_TRASH, strlen(EBB_PROOF_TRASH)) == 0;
}

static bool is_dir(const char *key)
{
	return key && *key && key[strlen(key) - 1] == '/';
}

static bool is_known_file(const struct ebb_record *o)
{
	return ebb_record_has(o, EBB_F_KIND) && o->f[EBB_F_KIND] == EBB_KIND_FILE &&
	       ebb_record_has(o, EBB_F_SIZE) && ebb_record_has(o, EBB_F_MTIME);
}

/* The copy that stays is another object of the same size, or nothing would stay. */
static void check_with(struct ebb_jsonline *l, const struct ebb_planrow *row)
{
	const struct ebb_record *w = &row->with;

	if (l->r < 0 || !row->with_store)
		return;
	if (row->action == EBB_ACTION_STRIKE) /* the object is in a pack, which is another thing */
		return;
	if (!is_known_file(w) || w->f[EBB_F_SIZE] != row->obj.f[EBB_F_SIZE] || is_dir(w->key))
		ebb_jsonline_bad(l, "the other object is no file of known modification time and the same size");
	if (in_trash(w->key))
		ebb_jsonline_bad(l, "the other object lies in the trash");
	if (strcmp(row->store, row->with_store) == 0 && strcmp(row->obj.key, w->key) == 0)
		ebb_jsonline_bad(l, "the other object is the object itself");
}

/* What apply holds the object against. Were it left out, anything would fit, and a whole directory could go as one object. */
static void check_identity(struct ebb_jsonline *l, const struct ebb_planrow *row)
{
	const struct ebb_record *o = &row->obj;

	if (l->r < 0)
		return;
	if (!is_known_file(o))
		ebb_jsonline_bad(l, "the object is no file of known size and modification time");
	/* a key of a bucket may end so, and has no inode */
	if (ebb_record_has(o, EBB_F_INO) && (is_dir(o->key) || is_dir(row->to_key)))
		ebb_jsonline_bad(l, "a directory is no object of an action");
	if (in_trash(o->key) || in_trash(row->to_key))
		ebb_jsonline_bad(l, "what lies in the trash is no object of an action");
}

static void read_money(struct ebb_jsonline *l, struct ebb_planrow *row)
{
	const json_t *one_off = json_object_get(l->o, "one_off_nano");
	const json_t *saving = json_object_get(l->o, "saving_month_nano");

	row->priced = json_is_integer(one_off);
	if (row->priced != json_is_integer(saving))
		ebb_jsonline_bad(l, "one of \"one_off_nano\" and \"saving_month_nano\" is missing");
	row->one_off = ebb_jsonline_int_or(l, "one_off_nano", INT64_MIN, INT64_MAX, 0);
	row->saving = ebb_jsonline_int_or(l, "saving_month_nano", INT64_MIN, INT64_MAX, 0);
	row->payback_days = ebb_jsonline_int_or(l, "payback_days", 0, INT64_MAX, -1);
	row->freed = ebb_jsonline_int(l, "freed_bytes", INT64_MIN, INT64_MAX);
	row->wire = ebb_jsonline_int(l, "wire_bytes", 0, INT64_MAX);
}

int ebb_planrow_read(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_planrow *ret)
{
	struct ebb_planrow row = {0};
	size_t len = 0;

	row.n = ebb_jsonline_int(l, "n", 1, INT64_MAX);
	row.rule = dup_str(l, arena, ebb_jsonline_str(l, "rule"));
	row.store = dup_str(l, arena, ebb_jsonline_str(l, "store"));
	row.obj.key = ebb_jsonline_key(l, arena, "path", &len);
	if (!row.obj.key)
		ebb_jsonline_bad(l, "\"path\" is missing");
	row.obj.key_len = (uint32_t)len;
	ebb_planrow_record_read(l, &row.obj);
	row.class = dup_str(l, arena, ebb_jsonline_str_or(l, "class"));
	row.to_store = dup_str(l, arena, ebb_jsonline_str_or(l, "to_store"));
	row.to_key = ebb_jsonline_key(l, arena, "to_path", &len);
	row.to_class = dup_str(l, arena, ebb_jsonline_str_or(l, "to_class"));
	row.codec = dup_str(l, arena, ebb_jsonline_str_or(l, "codec"));
	row.level = (int)ebb_jsonline_int_or(l, "level", -1000, 1000, 0);
	row.window = (int)ebb_jsonline_int_or(l, "window", 10, 27, 0);
	if (l->r == 0 && json_object_get(l->o, "keep_key"))
		row.keep_key = ebb_jsonline_bool(l, "keep_key");
	row.trash_ns = SECOND * ebb_jsonline_int_or(l, "trash_s", 0, INT64_MAX / SECOND, 0);
	read_action(l, &row);
	if (l->r == 0)
		read_verify(l, &row);
	if (l->r == 0 && (row.action == EBB_ACTION_DEDUP || row.action == EBB_ACTION_STRIKE ||
			  (row.action == EBB_ACTION_DELETE && json_object_get(l->o, "with_store"))))
		read_with(l, arena, &row);
	if (l->r == 0 && row.action == EBB_ACTION_COPY)
		read_copy(l, arena, &row);
	if (l->r == 0 && json_object_get(l->o, "awaits"))
		row.awaits = ebb_jsonline_bool(l, "awaits");
	if (l->r == 0 && row.awaits && row.action == EBB_ACTION_DELETE)
		row.after = ebb_jsonline_int_or(l, "after", 1, row.n - 1, 0);
	check_identity(l, &row);
	check_with(l, &row);
	read_money(l, &row);
	row.why = ebb_jsonline_bytes(l, arena, "why", 64 * 1024, &len);
	if (l->r == 0 && !row.why)
		ebb_jsonline_bad(l, "\"why\" is missing");
	if (l->r == 0)
		*ret = row;
	return l->r;
}
