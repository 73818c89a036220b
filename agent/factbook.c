/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/factbook.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/jsonline.h"
#include "agent/jsonput.h"
#include "agent/keeping.h"
#include "agent/linefile.h"
#include "agent/ref.h"
#include "core/base64.h"
#include "core/cursor.h"
#include "core/utf8.h"
#include "scanners/store.h"

#define SCHEMA "ebb.facts/1"
/* Longest line: what a file of EBB_REF_CAP may say, with room for escapes. */
#define LINE_CAP ((size_t)256 << 20)
#define ARENA_CAP ((size_t)16 << 30)

static int no_memory(struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static char *path_of(const char *index_dir, const char *store)
{
	char *path;

	return asprintf(&path, "%s/facts/%s.jsonl", index_dir, store) < 0 ? NULL : path;
}

/* --- Reading the book ------------------------------------------------------------------------------------ */

/* A text, or {"b64":...} of one that is not UTF-8, into @arena. NULL: it is none. */
static const char *read_text(json_t *v, struct ebb_arena *arena)
{
	const char *text = json_string_value(v), *coded = json_string_value(json_object_get(v, "b64"));
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(LINE_CAP);

	if (!coded)
		return text ? ebb_arena_strdup(arena, text) : NULL;
	return ebb_base64_decode(&out, coded, strlen(coded), NULL) < 0 ? NULL : ebb_arena_memdup(arena, out.data ? out.data : "", out.len);
}

static int read_fact(struct ebb_jsonline *l, json_t *a, struct ebb_arena *arena, struct ebb_facts_fact *ret)
{
	const char *type = json_string_value(json_array_get(a, 0)), *text = read_text(json_array_get(a, 1), arena);
	const char *name = json_string_value(json_array_get(a, 2));
	json_t *step = json_array_get(a, 3);
	int t = type ? ebb_facts_by_name(type) : -1;

	if (t < 0 || !text || (t == EBB_FACTS_METRIC && !name))
		return ebb_jsonline_bad(l, "a fact is none");
	*ret = (struct ebb_facts_fact){
		.type = (enum ebb_facts_type)t, .text = text, .name = name ? ebb_arena_strdup(arena, name) : NULL,
		.step = json_is_integer(step) ? json_integer_value(step) : -1,
	};
	return ret->text && (!name || ret->name) ? 0 : ebb_jsonline_bad(l, "out of memory");
}

static int read_file(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_facts_file *ret)
{
	json_t *facts = ebb_jsonline_array(l, "facts");
	size_t n = json_array_size(facts);
	struct ebb_facts_fact *list = ebb_arena_calloc(arena, n + 1, sizeof(*list));
	size_t len = 0;
	const char *key = ebb_jsonline_bytes(l, arena, "path", EBB_KEY_MAX, &len);

	*ret = (struct ebb_facts_file){
		.key = key, .key_len = len, .size = ebb_jsonline_int(l, "size", 0, INT64_MAX), .mtime = ebb_jsonline_int(l, "mtime_ns", INT64_MIN, INT64_MAX),
		.ctime = ebb_jsonline_int(l, "ctime_ns", INT64_MIN, INT64_MAX), .ino = ebb_jsonline_int(l, "ino", INT64_MIN, INT64_MAX),
		.facts = list, .n = n,
	};
	const char *reader = ebb_jsonline_str(l, "reader");
	ret->reader = reader ? ebb_arena_strdup(arena, reader) : NULL;
	if (!list || !ret->key)
		return ebb_jsonline_bad(l, "it names no file");
	for (size_t i = 0; i < n && l->r == 0; i++)
		read_fact(l, json_array_get(facts, i), arena, &list[i]);
	return l->r;
}

static int head(struct ebb_linefile_reader *in, const char *store, int64_t scanned, struct ebb_arena *arena,
		struct ebb_noncurrent *ret, struct ebb_err *err)
{
	struct ebb_jsonline l;
	size_t len;
	char *line;
	int r = ebb_linefile_next(in, &line, &len, err);

	if (r <= 0)
		return r;
	r = ebb_jsonline_parse(&l, line, len, ebb_linefile_path(in), 1, EBB_EINDEX, err);
	const char *schema = ebb_jsonline_str(&l, "schema"), *of = ebb_jsonline_str(&l, "store");
	int64_t at = ebb_jsonline_int(&l, "scanned_ns", INT64_MIN, INT64_MAX);
	ebb_keeping_read(&l, arena, ret);
	r = l.r < 0 ? l.r : strcmp(schema, SCHEMA) == 0 && strcmp(of, store) == 0 && (at == scanned || scanned == INT64_MIN);
	ebb_jsonline_release(&l);
	return r;
}

static int load(struct ebb_linefile_reader *in, struct ebb_arena *arena, struct ebb_facts *ret, struct ebb_err *err)
{
	struct ebb_facts_file *files = NULL;
	size_t n = 0, room = 0, len;
	char *line;
	int r;

	while ((r = ebb_linefile_next(in, &line, &len, err)) == 1) {
		struct ebb_jsonline l;

		if (n == room) {
			size_t more = room ? 2 * room : 256;
			struct ebb_facts_file *f = ebb_arena_calloc(arena, more, sizeof(*f));

			if (!f)
				return no_memory(err);
			if (n)
				memcpy(f, files, n * sizeof(*f));
			files = f;
			room = more;
		}
		r = ebb_jsonline_parse(&l, line, len, ebb_linefile_path(in), ebb_linefile_line(in), EBB_EINDEX, err);
		if (r == 0)
			r = read_file(&l, arena, &files[n]);
		ebb_jsonline_release(&l);
		if (r < 0)
			return r;
		if (n && ebb_record_key_cmp(files[n - 1].key, files[n - 1].key_len, files[n].key, files[n].key_len) >= 0)
			return ebb_err_set(err, EBB_EINDEX, "%s:%lld: files are not in order; ebb scan makes it anew", ebb_linefile_path(in),
					   (long long)ebb_linefile_line(in));
		n++;
	}
	ret->files = files;
	ret->n = n;
	return r < 0 ? r : 1;
}

int ebb_factbook_load(const char *index_dir, const char *store, int64_t scanned, struct ebb_arena *arena, struct ebb_facts *ret,
		      struct ebb_err *err)
{
	EBB_CLEANUP(ebb_linefile_closep) struct ebb_linefile_reader *in = NULL;
	EBB_CLEANUP(ebb_mem_freep) char *path = path_of(index_dir, store);
	struct ebb_err why = {0};

	*ret = (struct ebb_facts){.store = store, .scanned = scanned};
	if (!path)
		return no_memory(err);
	int r = ebb_linefile_open(path, LINE_CAP, &in, &why);
	if (r == -EBB_ENOENT)
		return 0;
	struct ebb_noncurrent versions = {0};
	if (r == 0)
		r = head(in, store, scanned, arena, &versions, &why);
	if (r == 1)
		r = load(in, arena, ret, &why);
	if (r == 1)
		ret->versions = versions;
	return r < 0 ? ebb_err_set(err, -r == EBB_ENOMEM ? EBB_ENOMEM : EBB_EINDEX, "%s", why.msg) : r;
}

/* --- Learning -------------------------------------------------------------------------------------------- */

struct learning {
	struct ebb_app *app;
	const struct ebb_config_store *config;
	bool reach;
	const struct ebb_noncurrent *versions;	/* or NULL */
	struct ebb_store *store;	/* opened when something is to be read */
	bool closed;			/* it cannot be opened */
	struct ebb_facts old;
	struct ebb_linefile_writer *out;
	struct ebb_arena arena;		/* of one file */
	struct ebb_ref_out said;
	struct ebb_buf line, bytes;
	struct ebb_factbook_stats stats;
	uint64_t seen;
};

static void put_fact(struct ebb_jsonput *j, const struct ebb_facts_fact *f)
{
	char number[32];

	ebb_jsonput_open(j, NULL, '[');
	ebb_jsonput_begin(j, NULL);
	ebb_jsonput_quote(j, ebb_facts_name(f->type));
	if (ebb_utf8_valid(f->text, strlen(f->text))) {
		ebb_jsonput_begin(j, NULL);
		ebb_jsonput_quote(j, f->text);
	} else {
		ebb_jsonput_open(j, NULL, '{');
		ebb_jsonput_base64(j, "b64", f->text, strlen(f->text));
		ebb_jsonput_shut(j, '}');
	}
	if (f->name && ebb_utf8_valid(f->name, strlen(f->name))) {
		ebb_jsonput_begin(j, NULL);
		ebb_jsonput_quote(j, f->name);
	}
	if (f->type == EBB_FACTS_METRIC) {
		snprintf(number, sizeof(number), "%lld", (long long)f->step);
		ebb_jsonput_begin(j, NULL);
		ebb_jsonput_raw(j, number);
	}
	ebb_jsonput_shut(j, ']');
}

/* Times and inode as the index has them; 0 where it does not. */
static void put(struct learning *l, const struct ebb_record *rec, const char *reader, const struct ebb_facts_fact *facts, size_t n, int *r,
		struct ebb_err *err)
{
	ebb_buf_clear(&l->line);
	struct ebb_jsonput j = {.b = l->line};

	ebb_jsonput_open(&j, NULL, '{');
	ebb_jsonput_bytes(&j, "path", rec->key, rec->key_len);
	ebb_jsonput_int(&j, "size", rec->f[EBB_F_SIZE]);
	ebb_jsonput_int(&j, "mtime_ns", rec->f[EBB_F_MTIME]);
	ebb_jsonput_int(&j, "ctime_ns", rec->f[EBB_F_CTIME]);
	ebb_jsonput_int(&j, "ino", rec->f[EBB_F_INO]);
	ebb_jsonput_string(&j, "reader", reader);
	ebb_jsonput_open(&j, "facts", '[');
	for (size_t i = 0; i < n; i++)
		put_fact(&j, &facts[i]);
	ebb_jsonput_shut(&j, ']');
	ebb_jsonput_shut(&j, '}');
	*r = ebb_jsonput_append(&j, &l->line, err);
	if (*r == 0 && ebb_buf_adds(&l->line, "\n") < 0)
		*r = no_memory(err);
	if (*r == 0)
		*r = ebb_linefile_write(l->out, l->line.data, l->line.len, err);
}

/* All of a file into l->bytes. Returns NULL or why not. */
static const char *fetch(struct learning *l, const struct ebb_record *rec, const char *key)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	size_t size = (size_t)rec->f[EBB_F_SIZE];
	int64_t n = 1;

	ebb_buf_clear(&l->bytes);
	if (rec->f[EBB_F_SIZE] > EBB_REF_CAP)
		return "it is larger than 16 MiB";
	if (ebb_buf_reserve(&l->bytes, size + 1) < 0)
		return "memory is short";
	if (ebb_store_read_open(l->store, key, rec, &r, NULL) < 0)
		return "it cannot be read, or changed since the scan";
	while (l->bytes.len < size && (n = ebb_store_read(r, l->bytes.data + l->bytes.len, size - l->bytes.len, NULL)) > 0)
		l->bytes.len += (size_t)n;
	return n < 0 || l->bytes.len != size || ebb_store_read_verify(r, NULL) < 0 ? "it cannot be read, or changed since the scan" : NULL;
}

/* The target of a symlink into l->bytes. */
static const char *fetch_link(struct learning *l, const char *key)
{
	char path[PATH_MAX];
	int n = l->config->open.path ? snprintf(path, sizeof(path), "%s/%s", l->config->open.path, key) : PATH_MAX;

	ebb_buf_clear(&l->bytes);
	if (n >= PATH_MAX || ebb_buf_reserve(&l->bytes, PATH_MAX) < 0)
		return "its path is too long";
	ssize_t len = readlink(path, l->bytes.data, PATH_MAX - 1);
	if (len <= 0)
		return "its target cannot be read";
	l->bytes.len = (size_t)len;
	return NULL;
}

static int open_store(struct learning *l)
{
	struct ebb_err why = {0};

	if (l->store || l->closed)
		return l->store != NULL;
	if (!l->reach || ebb_store_open(&l->config->open, &l->store, &why) < 0)
		l->closed = true;
	if (l->reach && l->closed)
		ebb_app_note(l->app, "%s: files that say what others are for cannot be read: %s", l->config->open.name, why.msg);
	return !l->closed;
}

static bool unchanged(const struct ebb_facts_file *f, const struct ebb_record *rec)
{
	return f && f->size == rec->f[EBB_F_SIZE] && f->mtime == rec->f[EBB_F_MTIME] && f->ctime == rec->f[EBB_F_CTIME] &&
	       f->ino == rec->f[EBB_F_INO];
}

static int learn_one(struct learning *l, const struct ebb_ref *ref, const struct ebb_record *rec, struct ebb_err *err)
{
	const struct ebb_facts_file *old = ebb_facts_find(&l->old, rec->key, rec->key_len);
	char key[EBB_KEY_MAX + 1];
	int r = 0;

	if (ref->skips && ref->skips(rec->key, rec->key_len, rec->f[EBB_F_SIZE]))
		return 0;
	l->stats.files++;
	if (unchanged(old, rec) && strcmp(old->reader, ref->name) == 0 && !ebb_facts_first(old, EBB_FACTS_BAD)) {
		put(l, rec, ref->name, old->facts, old->n, &r, err);
		return r;
	}
	bool open = open_store(l);
	memcpy(key, rec->key, rec->key_len);
	key[rec->key_len] = '\0';
	l->stats.read += open;
	l->said.n = 0;
	l->said.bad_memory = false;
	/* what was not read has a family all the same */
	const char *why = !open ? "it was not read" : rec->f[EBB_F_KIND] == EBB_KIND_SYMLINK ? fetch_link(l, key) : fetch(l, rec, key);
	struct ebb_ref_file file = {.key = key, .key_len = rec->key_len, .bytes = why ? "" : l->bytes.data, .len = why ? 0 : l->bytes.len};
	const char *not_understood = ref->read(&file, &l->said);
	if (!why)
		why = not_understood;
	if (!why && l->said.bad_memory)
		why = "it says too much";
	if (why) {
		ebb_ref_tell(&l->said, EBB_FACTS_BAD, why);
		l->stats.bad++;
	}
	put(l, rec, ref->name, l->said.facts, l->said.n, &r, err);
	ebb_arena_release(&l->arena);
	ebb_arena_init(&l->arena, ARENA_CAP);
	return r;
}

/* Records are decoded only in blocks of which a key is wanted. */
static int block(struct learning *l, const struct ebb_block *b, struct ebb_block_iter *it, struct ebb_err *err)
{
	const struct ebb_block_column *kind = &b->col[EBB_F_KIND];
	struct ebb_record rec;
	bool any = kind->max >= EBB_KIND_SYMLINK;
	int r = 0;

	if (!any) {
		ebb_block_keys_init(&it->keys, b);
		while (!any && (r = ebb_block_keys_next(&it->keys, err)) == 1)
			any = ebb_ref_of(it->keys.key, it->keys.len, EBB_KIND_FILE) != NULL;
	}
	if (r < 0 || !any)
		return r < 0 ? r : 0;
	ebb_block_iter_init(it, b);
	while ((r = ebb_block_iter_next(it, &rec, err)) == 1) {
		const struct ebb_ref *ref = ebb_ref_of(rec.key, rec.key_len, rec.f[EBB_F_KIND]);

		if (ref && (r = learn_one(l, ref, &rec, err)) < 0)
			break;
	}
	return r < 0 ? r : 0;
}

static int write_head(struct learning *l, const struct ebb_index_store *st, struct ebb_err *err)
{
	ebb_buf_clear(&l->line);
	struct ebb_jsonput j = {.b = l->line};

	ebb_jsonput_open(&j, NULL, '{');
	ebb_jsonput_string(&j, "schema", SCHEMA);
	ebb_jsonput_string(&j, "store", st->name);
	ebb_jsonput_int(&j, "scanned_ns", st->started);
	if (l->versions)
		ebb_keeping_write(&j, l->versions);
	ebb_jsonput_shut(&j, '}');
	int r = ebb_jsonput_append(&j, &l->line, err);
	if (r == 0 && ebb_buf_adds(&l->line, "\n") < 0)
		r = no_memory(err);
	return r < 0 ? r : ebb_linefile_write(l->out, l->line.data, l->line.len, err);
}

static int walk(struct learning *l, struct ebb_snap *snap, const struct ebb_index_store *st, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cursor_closep) struct ebb_cursor *c = NULL;
	EBB_CLEANUP(ebb_mem_freep) struct ebb_block_iter *it = malloc(sizeof(*it));
	struct ebb_block b;
	int r = it ? write_head(l, st, err) : no_memory(err);

	if (r == 0)
		r = ebb_cursor_open(snap, st, NULL, &c, err);
	while (r >= 0 && (r = ebb_cursor_next(c, &b, err)) == 1)
		if ((r = ebb_app_cancelled(l->app, err)) < 0 || (r = block(l, &b, it, err)) < 0)
			break;
	return r;
}

static void release(struct learning *l)
{
	ebb_linefile_abort(l->out);
	ebb_store_close(l->store);
	ebb_arena_release(&l->arena);
	ebb_ref_out_release(&l->said);
	ebb_buf_release(&l->line);
	ebb_buf_release(&l->bytes);
}

int ebb_factbook_learn(struct ebb_app *app, struct ebb_index *ix, const struct ebb_config_store *store, bool reach,
		       const struct ebb_noncurrent *versions, struct ebb_factbook_stats *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena old = {0};
	EBB_CLEANUP(release) struct learning l = {
		.app = app, .config = store, .reach = reach, .versions = versions, .line = EBB_BUF_INIT(LINE_CAP), .bytes = EBB_BUF_INIT((size_t)EBB_REF_CAP + PATH_MAX),
	};
	EBB_CLEANUP(ebb_mem_freep) char *path = path_of(app->index_dir, store->open.name);
	EBB_CLEANUP(ebb_mem_freep) char *dir = NULL;
	struct ebb_index_store st;
	int r;

	ebb_arena_init(&old, ARENA_CAP);
	ebb_arena_init(&l.arena, ARENA_CAP);
	l.said.arena = &l.arena;
	if (!path || asprintf(&dir, "%s/facts", app->index_dir) < 0)
		return no_memory(err);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return ebb_err_sys(err, errno, "cannot make '%s'", dir);
	if ((r = ebb_snap_open(ix, &snap, err)) < 0 || (r = ebb_snap_store(snap, store->open.name, &st, err)) < 0)
		return r;
	/* facts of an earlier scan hold for files that did not change; a damaged book is made anew */
	if (ebb_factbook_load(app->index_dir, store->open.name, INT64_MIN, &old, &l.old, NULL) < 0)
		l.old.n = 0;
	if ((r = ebb_linefile_create(path, &l.out, err)) < 0 || (r = walk(&l, snap, &st, err)) < 0)
		return r;
	r = ebb_linefile_commit(l.out, err);
	l.out = NULL;
	*ret = l.stats;
	return r;
}
