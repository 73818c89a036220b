/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/jrecord.h"

#include <string.h>

#include "agent/jsonline.h"
#include "agent/jsonput.h"
#include "agent/planrow.h"
#include "compress/digest.h"

static const char *const types[EBB_JOURNAL_TYPES] = {
	"run", "window", "dir", "made", "intent", "copied", "mark", "done",
	"skipped", "failed", "back", "left", "end",
};

/* --- Writing --------------------------------------------------------------------------------------------- */

static void put_string(struct ebb_jsonput *j, const char *name, const char *s)
{
	if (s)
		ebb_jsonput_string(j, name, s);
}

static void put_digest(struct ebb_jsonput *j, bool has, const uint8_t *digest)
{
	char hex[2 * EBB_DIGEST_LEN + 1];

	if (!has)
		return;
	ebb_digest_hex(digest, EBB_DIGEST_LEN, hex);
	ebb_jsonput_string(j, "digest", hex);
}

static void put_record(struct ebb_jsonput *j, const char *name, const struct ebb_record *rec)
{
	ebb_jsonput_open(j, name, '{');
	ebb_planrow_record_write(j, rec);
	ebb_jsonput_shut(j, '}');
}

static void put_xattr(struct ebb_jsonput *j, const struct ebb_meta_xattr *x)
{
	ebb_jsonput_open(j, NULL, '{');
	ebb_jsonput_text(j, "name", x->name);
	ebb_jsonput_base64(j, "value_b64", x->value ? x->value : "", x->len);
	ebb_jsonput_shut(j, '}');
}

static void put_meta(struct ebb_jsonput *j, const struct ebb_meta *m)
{
	ebb_jsonput_open(j, "meta", '{');
	ebb_jsonput_int(j, "uid", m->uid);
	ebb_jsonput_int(j, "gid", m->gid);
	ebb_jsonput_int(j, "mode", m->mode);
	ebb_jsonput_int(j, "mtime_ns", m->mtime);
	ebb_jsonput_int(j, "atime_ns", m->atime);
	ebb_jsonput_open(j, "xattrs", '[');
	for (size_t i = 0; i < m->nxattrs; i++)
		put_xattr(j, &m->xattrs[i]);
	ebb_jsonput_shut(j, ']');
	ebb_jsonput_shut(j, '}');
}

static void put_member(struct ebb_jsonput *j, const struct ebb_op_member *m)
{
	if (!m->coded)
		return;
	ebb_jsonput_open(j, "member", '{');
	ebb_jsonput_int(j, "offset", m->at);
	ebb_jsonput_int(j, "coded", m->coded);
	ebb_jsonput_int(j, "raw", m->raw);
	ebb_jsonput_int(j, "size", m->size);
	ebb_jsonput_shut(j, '}');
}

static void put_with(struct ebb_jsonput *j, const struct ebb_op *op)
{
	if (op->action == EBB_ACTION_DEDUP)
		ebb_jsonput_string(j, "dedup", ebb_action_how_name(op->dedup));
	put_string(j, "with_store", op->with_store);
	ebb_jsonput_text(j, "with_path", op->with_key);
	put_record(j, "with", &op->with);
}

static void put_op(struct ebb_jsonput *j, const struct ebb_op *op)
{
	ebb_jsonput_string(j, "action", ebb_action_kind(op->action)->name);
	ebb_jsonput_string(j, "way", ebb_op_way_name(op->way));
	put_string(j, "store", op->store);
	ebb_jsonput_text(j, "path", op->key);
	put_record(j, "obj", &op->obj);
	put_string(j, "to_store", op->to_store);
	ebb_jsonput_text(j, "to_path", op->to_key);
	if (op->has_meta)
		put_meta(j, &op->meta);
	if (op->codec) {
		ebb_jsonput_string(j, "codec", op->codec);
		ebb_jsonput_int(j, "level", op->level);
		if (op->window)
			ebb_jsonput_int(j, "window", op->window);
		ebb_jsonput_number(j, "decode", op->decode ? "true" : "false");
	}
	if (op->how)
		ebb_jsonput_string(j, "how", ebb_op_how_name(op->how));
	if (op->verify)
		ebb_jsonput_string(j, "verify", ebb_action_verify_name((int)op->verify));
	put_string(j, "class", op->class);
	put_string(j, "old_class", op->old_class);
	if (op->with_key)
		put_with(j, op);
	if (op->pack)
		ebb_jsonput_int(j, "pack", op->pack);
	put_member(j, &op->member);
	if (op->purge)
		ebb_jsonput_number(j, "purge", "true");
	if (op->expires)
		ebb_jsonput_int(j, "expires_ns", op->expires);
	put_digest(j, op->has_digest, op->digest);
}

static void put_run(struct ebb_jsonput *j, const struct ebb_journal_rec *rec)
{
	ebb_jsonput_int(j, "format", EBB_JOURNAL_FORMAT);
	put_string(j, "id", rec->id);
	put_string(j, "plan", rec->plan);
	ebb_jsonput_int(j, "actions", rec->actions);
	ebb_jsonput_int(j, "started_ns", rec->ts);
}

static void put_dir(struct ebb_jsonput *j, const struct ebb_journal_rec *rec)
{
	put_string(j, "store", rec->store);
	ebb_jsonput_text(j, "path", rec->path);
	if (rec->type == EBB_JOURNAL_MADE) {
		put_string(j, "like", rec->like);
		return;
	}
	ebb_jsonput_int(j, "mtime_ns", rec->mtime);
	ebb_jsonput_int(j, "atime_ns", rec->atime);
}

static void put_result(struct ebb_jsonput *j, const struct ebb_journal_rec *rec)
{
	ebb_jsonput_int(j, "n", rec->n);
	if (rec->result.wire)
		ebb_jsonput_int(j, "wire", rec->result.wire);
	if (rec->type == EBB_JOURNAL_COPIED || rec->type == EBB_JOURNAL_DONE) {
		put_record(j, "to", &rec->result.to);
		put_member(j, &rec->result.member);
		put_digest(j, rec->result.has_digest, rec->result.digest);
	} else if (rec->type != EBB_JOURNAL_BACK) {
		ebb_jsonput_string(j, "code", ebb_err_name(rec->result.why.code));
		ebb_jsonput_text(j, "why", rec->result.why.msg);
	}
}

static void put_mark(struct ebb_jsonput *j, const struct ebb_journal_rec *rec)
{
	char hex[2 * EBB_DIGEST_LEN + 1];

	ebb_jsonput_int(j, "n", rec->n);
	ebb_jsonput_int(j, "at", rec->mark.at);
	ebb_jsonput_text(j, "id", rec->mark.id);
	ebb_digest_hex(rec->mark.sum, sizeof(rec->mark.sum), hex);
	ebb_jsonput_string(j, "sum_md5", hex);
	put_digest(j, true, rec->mark.digest);
	ebb_jsonput_base64(j, "state_b64", rec->state, EBB_DIGEST_STATE);
}

static void put_end(struct ebb_jsonput *j, const struct ebb_journal_rec *rec)
{
	ebb_jsonput_string(j, "way", ebb_op_way_name(rec->way));
	put_string(j, "outcome", rec->outcome);
	ebb_jsonput_text(j, "why", rec->why);
	ebb_jsonput_int(j, "ts_ns", rec->ts);
	ebb_jsonput_int(j, "done", rec->counts.done);
	ebb_jsonput_int(j, "skipped", rec->counts.skipped);
	ebb_jsonput_int(j, "failed", rec->counts.failed);
	ebb_jsonput_int(j, "bytes", rec->counts.bytes);
}

static void put_members(struct ebb_jsonput *j, const struct ebb_journal_rec *rec)
{
	switch (rec->type) {
	case EBB_JOURNAL_RUN:
		put_run(j, rec);
		break;
	case EBB_JOURNAL_WINDOW:
		ebb_jsonput_string(j, "way", ebb_op_way_name(rec->way));
		ebb_jsonput_int(j, "count", rec->count);
		ebb_jsonput_int(j, "ts_ns", rec->ts);
		break;
	case EBB_JOURNAL_DIR:
	case EBB_JOURNAL_LEFT:
	case EBB_JOURNAL_MADE:
		put_dir(j, rec);
		break;
	case EBB_JOURNAL_INTENT:
		ebb_jsonput_int(j, "n", rec->op->n);
		put_op(j, rec->op);
		break;
	case EBB_JOURNAL_COPIED:
	case EBB_JOURNAL_DONE:
	case EBB_JOURNAL_SKIPPED:
	case EBB_JOURNAL_FAILED:
	case EBB_JOURNAL_BACK:
		put_result(j, rec);
		break;
	case EBB_JOURNAL_MARK:
		put_mark(j, rec);
		break;
	case EBB_JOURNAL_END:
		put_end(j, rec);
		break;
	case EBB_JOURNAL_TYPES:
		break;
	}
}

int ebb_jrecord_write(struct ebb_buf *out, const struct ebb_journal_rec *rec, struct ebb_err *err)
{
	struct ebb_jsonput j = {.b = *out};

	ebb_jsonput_open(&j, NULL, '{');
	ebb_jsonput_string(&j, "t", types[rec->type]);
	put_members(&j, rec);
	ebb_jsonput_shut(&j, '}');
	return ebb_jsonput_append(&j, out, err);
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
	op->window = (int)ebb_jsonline_int_or(l, "window", 10, 27, 0);
	op->decode = ebb_jsonline_bool(l, "decode");
	if (l->r == 0 && json_object_get(l->o, "how"))
		op->how = (enum ebb_op_how)word(l, "how", ebb_op_how_name, EBB_OP_HOWS);
	if (l->r == 0 && json_object_get(l->o, "verify"))
		op->verify = (enum ebb_action_verify)word(l, "verify", ebb_action_verify_name, EBB_ACTION_VERIFIES);
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
	rec->actions = ebb_jsonline_int(l, "actions", 0, EBB_JOURNAL_ACTIONS_MAX);
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

static void read_mark(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_journal_rec *rec)
{
	size_t len = 0;

	rec->n = ebb_jsonline_int(l, "n", 1, INT64_MAX);
	rec->mark.at = ebb_jsonline_int(l, "at", 1, INT64_MAX);
	rec->mark.id = ebb_jsonline_bytes(l, arena, "id", EBB_RECORD_ID_MAX, &len);
	ebb_jsonline_hex(l, "sum_md5", rec->mark.sum, sizeof(rec->mark.sum));
	ebb_jsonline_hex(l, "digest", rec->mark.digest, sizeof(rec->mark.digest));
	rec->state = (const uint8_t *)ebb_jsonline_bytes(l, arena, "state", EBB_DIGEST_STATE, &len);
	if (!rec->mark.id || !rec->state || len != EBB_DIGEST_STATE)
		ebb_jsonline_bad(l, "\"id\" or \"state_b64\" is missing or too short");
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
	case EBB_JOURNAL_MARK:
		read_mark(l, arena, rec);
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
