/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/jrecord.h"

#include <string.h>

#include "agent/jsonline.h"
#include "agent/out.h"
#include "agent/planrow.h"
#include "compress/digest.h"
#include "core/base64.h"

static const char *const types[EBB_JOURNAL_TYPES] = {
	"run", "window", "dir", "made", "intent", "copied", "done",
	"skipped", "failed", "back", "left", "end",
};

/* --- Writing --------------------------------------------------------------------------------------------- */

static int set(json_t *o, const char *name, json_t *v)
{
	return json_object_set_new(o, name, v);
}

static int set_bytes(json_t *o, const char *name, const char *s)
{
	return s ? ebb_out_json_bytes(o, name, s, strlen(s)) : 0;
}

static int set_text(json_t *o, const char *name, const char *s)
{
	return s ? set(o, name, json_string(s)) : 0;
}

static int set_int(json_t *o, const char *name, int64_t n)
{
	return set(o, name, json_integer(n));
}

static int set_digest(json_t *o, bool has, const uint8_t *digest)
{
	char hex[2 * EBB_DIGEST_LEN + 1];

	if (!has)
		return 0;
	ebb_digest_hex(digest, EBB_DIGEST_LEN, hex);
	return set_text(o, "digest", hex);
}

static int set_record(json_t *o, const char *name, const struct ebb_record *rec)
{
	json_t *r = json_object();
	int bad = r ? ebb_planrow_record_write(r, rec) : -1;

	return bad | set(o, name, r);
}

static int add_xattr(json_t *list, const struct ebb_meta_xattr *x)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b64 = EBB_BUF_INIT(1024 * 1024);
	json_t *o = json_object();
	int bad = o ? set_bytes(o, "name", x->name) : -1;

	if (ebb_buf_reserve(&b64, 0) < 0 ||
	    ebb_base64_encode(&b64, x->value ? x->value : "", x->len, NULL) < 0)
		bad = -1;
	bad |= set(o, "value_b64", bad ? NULL : json_stringn(b64.data, b64.len));
	return bad | json_array_append_new(list, o);
}

static int set_meta(json_t *o, const struct ebb_meta *m)
{
	json_t *meta = json_object(), *xattrs = json_array();
	int bad = set_int(meta, "uid", m->uid) | set_int(meta, "gid", m->gid) |
		  set_int(meta, "mode", m->mode) | set_int(meta, "mtime_ns", m->mtime) |
		  set_int(meta, "atime_ns", m->atime);

	for (size_t i = 0; i < m->nxattrs; i++)
		bad |= add_xattr(xattrs, &m->xattrs[i]);
	bad |= set(meta, "xattrs", xattrs);
	return bad | set(o, "meta", meta);
}

static int set_member(json_t *o, const struct ebb_op_member *m)
{
	json_t *member = m->coded ? json_object() : NULL;

	if (!m->coded)
		return 0;
	return set_int(member, "offset", m->at) | set_int(member, "coded", m->coded) |
	       set_int(member, "raw", m->raw) | set_int(member, "size", m->size) | set(o, "member", member);
}

static int set_op(json_t *o, const struct ebb_op *op)
{
	int bad = set_text(o, "action", ebb_action_kind(op->action)->name);

	bad |= set_text(o, "way", ebb_op_way_name(op->way));
	bad |= set_text(o, "store", op->store) | set_bytes(o, "path", op->key);
	bad |= set_record(o, "obj", &op->obj);
	bad |= set_text(o, "to_store", op->to_store) | set_bytes(o, "to_path", op->to_key);
	bad |= op->has_meta ? set_meta(o, &op->meta) : 0;
	if (op->codec) {
		bad |= set_text(o, "codec", op->codec) | set_int(o, "level", op->level);
		bad |= set(o, "decode", json_boolean(op->decode));
	}
	bad |= op->how ? set_text(o, "how", ebb_op_how_name(op->how)) : 0;
	bad |= op->class ? set_text(o, "class", op->class) : 0;
	bad |= op->old_class ? set_text(o, "old_class", op->old_class) : 0;
	if (op->with_key) {
		if (op->action == EBB_ACTION_DEDUP)
			bad |= set_text(o, "dedup", ebb_action_how_name(op->dedup));
		bad |= set_text(o, "with_store", op->with_store) | set_bytes(o, "with_path", op->with_key);
		bad |= set_record(o, "with", &op->with);
	}
	bad |= op->pack ? set_int(o, "pack", op->pack) : 0;
	bad |= set_member(o, &op->member);
	bad |= op->purge ? set(o, "purge", json_true()) : 0;
	bad |= op->expires ? set_int(o, "expires_ns", op->expires) : 0;
	return bad | set_digest(o, op->has_digest, op->digest);
}

static int set_end(json_t *o, const struct ebb_journal_rec *rec)
{
	return set_text(o, "way", ebb_op_way_name(rec->way)) | set_text(o, "outcome", rec->outcome) |
	       set_bytes(o, "why", rec->why) | set_int(o, "ts_ns", rec->ts) |
	       set_int(o, "done", rec->counts.done) | set_int(o, "skipped", rec->counts.skipped) |
	       set_int(o, "failed", rec->counts.failed) | set_int(o, "bytes", rec->counts.bytes);
}

static int set_wire(json_t *o, const struct ebb_journal_rec *rec)
{
	return rec->result.wire ? set_int(o, "wire", rec->result.wire) : 0;
}

static int set_members(json_t *o, const struct ebb_journal_rec *rec)
{
	switch (rec->type) {
	case EBB_JOURNAL_RUN:
		return set_int(o, "format", EBB_JOURNAL_FORMAT) | set_text(o, "id", rec->id) |
		       set_text(o, "plan", rec->plan) | set_int(o, "actions", rec->actions) |
		       set_int(o, "started_ns", rec->ts);
	case EBB_JOURNAL_WINDOW:
		return set_text(o, "way", ebb_op_way_name(rec->way)) |
		       set_int(o, "count", rec->count) | set_int(o, "ts_ns", rec->ts);
	case EBB_JOURNAL_DIR:
	case EBB_JOURNAL_LEFT:
		return set_text(o, "store", rec->store) | set_bytes(o, "path", rec->path) |
		       set_int(o, "mtime_ns", rec->mtime) | set_int(o, "atime_ns", rec->atime);
	case EBB_JOURNAL_MADE:
		return set_text(o, "store", rec->store) | set_bytes(o, "path", rec->path) |
		       set_text(o, "like", rec->like);
	case EBB_JOURNAL_INTENT:
		return set_int(o, "n", rec->op->n) | set_op(o, rec->op);
	case EBB_JOURNAL_COPIED:
	case EBB_JOURNAL_DONE:
		return set_int(o, "n", rec->n) | set_wire(o, rec) | set_record(o, "to", &rec->result.to) |
		       set_member(o, &rec->result.member) |
		       set_digest(o, rec->result.has_digest, rec->result.digest);
	case EBB_JOURNAL_SKIPPED:
	case EBB_JOURNAL_FAILED:
		return set_int(o, "n", rec->n) | set_wire(o, rec) |
		       set_text(o, "code", ebb_err_name(rec->result.why.code)) |
		       set_bytes(o, "why", rec->result.why.msg);
	case EBB_JOURNAL_BACK:
		return set_int(o, "n", rec->n) | set_wire(o, rec);
	case EBB_JOURNAL_END:
		return set_end(o, rec);
	case EBB_JOURNAL_TYPES:
		break;
	}
	return -1;
}

json_t *ebb_jrecord_json(const struct ebb_journal_rec *rec)
{
	json_t *o = json_object();

	if (set_text(o, "t", types[rec->type]) || set_members(o, rec)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* --- Reading --------------------------------------------------------------------------------------------- */

static const char *text(struct ebb_jsonline *l, struct ebb_arena *arena, const char *name)
{
	const char *s = ebb_jsonline_str_or(l, name);
	const char *copy = s ? ebb_arena_strdup(arena, s) : NULL;

	if (s && !copy)
		ebb_jsonline_bad(l, "out of memory");
	return copy;
}

static const char *need_text(struct ebb_jsonline *l, struct ebb_arena *arena, const char *name)
{
	const char *s = text(l, arena, name);

	if (!s)
		ebb_jsonline_bad(l, "\"%s\" is missing", name);
	return s;
}

/* Number of @s in a list of words. */
static int word(struct ebb_jsonline *l, const char *name, const char *(*name_of)(int), int n)
{
	const char *s = ebb_jsonline_str(l, name);

	for (int i = 0; s && i < n; i++)
		if (strcmp(s, name_of(i)) == 0)
			return i;
	ebb_jsonline_bad(l, "\"%s\" is none that exists", name);
	return 0;
}

static void read_digest(struct ebb_jsonline *l, bool *has, uint8_t *digest)
{
	*has = l->r == 0 && json_object_get(l->o, "digest") != NULL;
	if (*has)
		ebb_jsonline_hex(l, "digest", digest, EBB_DIGEST_LEN);
}

static void read_record(struct ebb_jsonline *l, const char *name, struct ebb_record *ret)
{
	struct ebb_jsonline sub = ebb_jsonline_sub(l, ebb_jsonline_object(l, name));

	ebb_planrow_record_read(&sub, ret);
	ebb_jsonline_join(l, &sub);
}

static void read_member(struct ebb_jsonline *l, struct ebb_op_member *ret)
{
	if (l->r < 0 || !json_object_get(l->o, "member"))
		return;
	struct ebb_jsonline sub = ebb_jsonline_sub(l, ebb_jsonline_object(l, "member"));

	ret->at = ebb_jsonline_int(&sub, "offset", 0, INT64_MAX);
	ret->coded = ebb_jsonline_int(&sub, "coded", 1, INT64_MAX);
	ret->raw = ebb_jsonline_int(&sub, "raw", 0, INT64_MAX);
	ret->size = ebb_jsonline_int(&sub, "size", 0, INT64_MAX);
	ebb_jsonline_join(l, &sub);
}

static void read_xattr(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_meta *m)
{
	size_t name_len = 0, len = 0;
	const char *name = ebb_jsonline_bytes(l, arena, "name", 1024, &name_len);
	const char *value = ebb_jsonline_bytes(l, arena, "value", 1024 * 1024, &len);

	if (!name || !value || strlen(name) != name_len)
		ebb_jsonline_bad(l, "an extended attribute is malformed");
	if (l->r == 0)
		l->r = ebb_meta_add(m, name, value, len, l->err);
}

static void read_meta(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_meta *m)
{
	struct ebb_jsonline sub = ebb_jsonline_sub(l, json_object_get(l->o, "meta"));
	json_t *xattrs = ebb_jsonline_array(&sub, "xattrs");

	m->uid = (uint32_t)ebb_jsonline_int(&sub, "uid", 0, UINT32_MAX);
	m->gid = (uint32_t)ebb_jsonline_int(&sub, "gid", 0, UINT32_MAX);
	m->mode = (uint32_t)ebb_jsonline_int(&sub, "mode", 0, 07777);
	m->mtime = ebb_jsonline_int(&sub, "mtime_ns", INT64_MIN, INT64_MAX);
	m->atime = ebb_jsonline_int(&sub, "atime_ns", INT64_MIN, INT64_MAX);
	for (size_t i = 0; sub.r == 0 && i < json_array_size(xattrs); i++) {
		struct ebb_jsonline x = ebb_jsonline_sub(&sub, json_array_get(xattrs, i));

		read_xattr(&x, arena, m);
		ebb_jsonline_join(&sub, &x);
	}
	ebb_jsonline_join(l, &sub);
}

/* The copy that stays. */
static void read_with(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_op *op)
{
	const char *how = ebb_jsonline_str_or(l, "dedup");
	size_t len = 0;

	op->with_key = ebb_jsonline_key(l, arena, "with_path", &len);
	if (!op->with_key)
		return;
	op->with_store = need_text(l, arena, "with_store");
	read_record(l, "with", &op->with);
	op->with.key = op->with_key;
	op->with.key_len = (uint32_t)len;
	if (op->action != EBB_ACTION_DEDUP)
		return;
	if (!how || ebb_action_how_by_name(how) < 0)
		ebb_jsonline_bad(l, "\"dedup\" is none that exists");
	else
		op->dedup = (enum ebb_action_how)ebb_action_how_by_name(how);
}

static void read_op(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_op *op)
{
	const char *action = ebb_jsonline_str(l, "action");
	const struct ebb_action_kind *kind = action ? ebb_action_by_name(action) : NULL;
	size_t len = 0;

	if (!kind)
		ebb_jsonline_bad(l, "\"action\" is none that exists");
	else
		op->action = kind->id;
	op->n = ebb_jsonline_int(l, "n", 1, INT64_MAX);
	op->way = (enum ebb_op_way)word(l, "way", ebb_op_way_name, EBB_OP_WAYS);
	op->store = need_text(l, arena, "store");
	read_record(l, "obj", &op->obj);
	op->to_key = ebb_jsonline_key(l, arena, "to_path", &len);
	op->to_store = text(l, arena, "to_store");
	if (!op->to_key != !op->to_store)
		ebb_jsonline_bad(l, "one of \"to_store\" and \"to_path\" is missing");
	op->key = ebb_jsonline_key(l, arena, "path", &len);
	if (!op->key)
		ebb_jsonline_bad(l, "\"path\" is missing");
	op->obj.key = op->key;
	op->obj.key_len = (uint32_t)len;
	op->codec = text(l, arena, "codec");
	op->level = (int)ebb_jsonline_int_or(l, "level", -1000, 1000, 0);
	op->decode = ebb_jsonline_bool(l, "decode");
	if (l->r == 0 && json_object_get(l->o, "how"))
		op->how = (enum ebb_op_how)word(l, "how", ebb_op_how_name, EBB_OP_HOWS);
	op->class = text(l, arena, "class");
	op->old_class = text(l, arena, "old_class");
	read_with(l, arena, op);
	op->pack = ebb_jsonline_int_or(l, "pack", 0, INT64_MAX, 0);
	read_member(l, &op->member);
	op->purge = ebb_jsonline_bool(l, "purge");
	op->expires = ebb_jsonline_int_or(l, "expires_ns", 0, INT64_MAX, 0);
	read_digest(l, &op->has_digest, op->digest);
	op->has_meta = l->r == 0 && json_object_get(l->o, "meta") != NULL;
	if (op->has_meta)
		read_meta(l, arena, &op->meta);
}

static struct ebb_op *new_op(struct ebb_jsonline *l, struct ebb_arena *arena)
{
	struct ebb_op *op = ebb_arena_alloc(arena, sizeof(*op));

	if (!op) {
		ebb_jsonline_bad(l, "out of memory");
		return NULL;
	}
	ebb_meta_init(&op->meta);
	read_op(l, arena, op);
	if (l->r == 0)
		return op;
	ebb_op_release(op);
	return NULL;
}

static void read_why(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_err *why)
{
	const char *code = ebb_jsonline_str(l, "code");
	size_t len;
	const char *msg = ebb_jsonline_bytes(l, arena, "why", sizeof(why->msg), &len);
	int c = 1;

	while (code && c < EBB_E_COUNT && strcmp(code, ebb_err_name(c)) != 0)
		c++;
	ebb_err_set(why, c < EBB_E_COUNT ? c : EBB_EIO, "%s", msg ? msg : "");
}

static void read_end(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_journal_rec *rec)
{
	size_t len;

	rec->way = (enum ebb_op_way)word(l, "way", ebb_op_way_name, EBB_OP_WAYS);
	rec->outcome = need_text(l, arena, "outcome");
	rec->why = ebb_jsonline_bytes(l, arena, "why", 4096, &len);
	rec->ts = ebb_jsonline_int(l, "ts_ns", INT64_MIN, INT64_MAX);
	rec->counts.done = ebb_jsonline_int(l, "done", 0, INT64_MAX);
	rec->counts.skipped = ebb_jsonline_int(l, "skipped", 0, INT64_MAX);
	rec->counts.failed = ebb_jsonline_int(l, "failed", 0, INT64_MAX);
	rec->counts.bytes = ebb_jsonline_int(l, "bytes", 0, INT64_MAX);
}

static void read_dir(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_journal_rec *rec)
{
	size_t len;

	rec->store = need_text(l, arena, "store");
	rec->path = ebb_jsonline_bytes(l, arena, "path", EBB_KEY_MAX, &len);
	if (!rec->path)
		ebb_jsonline_bad(l, "\"path\" is missing");
	rec->like = text(l, arena, "like");
	rec->mtime = ebb_jsonline_int_or(l, "mtime_ns", INT64_MIN, INT64_MAX, 0);
	rec->atime = ebb_jsonline_int_or(l, "atime_ns", INT64_MIN, INT64_MAX, 0);
}

static void read_run(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_journal_rec *rec)
{
	if (ebb_jsonline_int(l, "format", 1, INT64_MAX) > EBB_JOURNAL_FORMAT)
		l->r = ebb_err_set(l->err, EBB_EVERSION, "%s: journal of a newer ebb", l->file);
	rec->id = need_text(l, arena, "id");
	rec->plan = need_text(l, arena, "plan");
	rec->actions = ebb_jsonline_int(l, "actions", 0, INT64_MAX);
	rec->ts = ebb_jsonline_int(l, "started_ns", INT64_MIN, INT64_MAX);
}

static void read_result(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_journal_rec *rec)
{
	static const enum ebb_op_outcome outcomes[EBB_JOURNAL_TYPES] = {
		[EBB_JOURNAL_COPIED] = EBB_OP_DONE,     [EBB_JOURNAL_DONE] = EBB_OP_DONE,
		[EBB_JOURNAL_SKIPPED] = EBB_OP_SKIPPED, [EBB_JOURNAL_FAILED] = EBB_OP_FAILED,
		[EBB_JOURNAL_BACK] = EBB_OP_BACK,
	};

	rec->n = ebb_jsonline_int(l, "n", 1, INT64_MAX);
	rec->result.outcome = outcomes[rec->type];
	rec->result.wire = ebb_jsonline_int_or(l, "wire", 0, INT64_MAX, 0);
	if (rec->type == EBB_JOURNAL_DONE || rec->type == EBB_JOURNAL_COPIED) {
		read_record(l, "to", &rec->result.to);
		read_member(l, &rec->result.member);
		read_digest(l, &rec->result.has_digest, rec->result.digest);
	} else if (rec->type != EBB_JOURNAL_BACK) {
		read_why(l, arena, &rec->result.why);
	}
}

static void read_members(struct ebb_jsonline *l, struct ebb_arena *arena,
			 struct ebb_journal_rec *rec)
{
	switch (rec->type) {
	case EBB_JOURNAL_RUN:
		read_run(l, arena, rec);
		break;
	case EBB_JOURNAL_WINDOW:
		rec->way = (enum ebb_op_way)word(l, "way", ebb_op_way_name, EBB_OP_WAYS);
		rec->count = ebb_jsonline_int(l, "count", 0, INT64_MAX);
		rec->ts = ebb_jsonline_int(l, "ts_ns", INT64_MIN, INT64_MAX);
		break;
	case EBB_JOURNAL_DIR:
	case EBB_JOURNAL_LEFT:
	case EBB_JOURNAL_MADE:
		read_dir(l, arena, rec);
		break;
	case EBB_JOURNAL_INTENT:
		rec->op = new_op(l, arena);
		rec->n = rec->op ? rec->op->n : 0;
		break;
	case EBB_JOURNAL_END:
		read_end(l, arena, rec);
		break;
	default:
		read_result(l, arena, rec);
		break;
	}
}

int ebb_jrecord_read(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_journal_rec *ret)
{
	struct ebb_journal_rec rec = {0};
	const char *type = ebb_jsonline_str(l, "t");
	int i = 0;

	while (type && i < EBB_JOURNAL_TYPES && strcmp(type, types[i]) != 0)
		i++;
	if (!type || i == EBB_JOURNAL_TYPES)
		return ebb_jsonline_bad(l, "\"t\" is none that exists");
	rec.type = (enum ebb_journal_type)i;
	read_members(l, arena, &rec);
	if (l->r == 0)
		*ret = rec;
	return l->r;
}
