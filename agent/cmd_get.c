/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/out.h"
#include "agent/packed.h"
#include "agent/packs.h"
#include "agent/replace.h"
#include "agent/storeset.h"
#include "agent/target.h"
#include "agent/thawing.h"
#include "compress/codec.h"
#include "compress/pack_read.h"
#include "compress/pack_recover.h"
#include "compress/pipe.h"
#include "compress/tensor_read.h"
#include "core/units.h"

/* Bytes asked of a store at a time. */
#define PIECE ((size_t)256 * 1024)

/* What is being read, and where it goes. */
struct get {
	struct ebb_app *app;
	struct ebb_store *store;
	char *key;			/* that stands: perhaps with a codec's suffix */
	struct ebb_record rec;		/* as it was first seen; every read wants the same */
	const struct ebb_codec *codec;	/* NULL: bytes as they are */
	struct ebb_packed packed;	/* it was archived: where it lies in `key`, which is a pack; its key NULL: no */
	struct ebb_arena arena;		/* of packed */
	FILE *out;
	int64_t at;			/* next byte that is read as a stream */
	int64_t skip, left;		/* of what comes out: bytes not wanted yet, then wanted */
};

static int64_t size_of(const struct get *g)
{
	return g->rec.f[EBB_F_SIZE];
}

/* Ranges of the object, for what reads by ranges. */
static int64_t read_range(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	struct get *g = ctx;
	int64_t left = off < size_of(g) ? size_of(g) - off : 0;
	int r = ebb_app_cancelled(g->app, err);

	len = (int64_t)len < left ? len : (size_t)left;
	if (r == 0 && len)
		r = ebb_store_read_range(g->store, g->key, &g->rec, off, buf, len, err);
	return r < 0 ? r : (int64_t)len;
}

/* The same, one after the other. */
static int64_t read_next(void *ctx, void *buf, size_t len, struct ebb_err *err)
{
	struct get *g = ctx;
	int64_t n = read_range(g, g->at, buf, len, err);

	if (n > 0)
		g->at += n;
	return n;
}

/* What comes out, cut to the bytes that are wanted. */
static int write_some(void *ctx, const void *buf, size_t len, struct ebb_err *err)
{
	struct get *g = ctx;
	size_t skip = (int64_t)len < g->skip ? len : (size_t)g->skip;
	size_t n = len - skip;

	g->skip -= (int64_t)skip;
	n = (int64_t)n < g->left ? n : (size_t)g->left;
	g->left -= (int64_t)n;
	if (n && fwrite((const char *)buf + skip, 1, n, g->out) != n)
		return ebb_out_failed(g->out, err);
	return 0;
}

/* What the object itself says of how it is encoded, in a bucket or come from one. */
static int find_coding(struct get *g, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta there = {0};
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta m = {0};
	char coding[64];
	int r;

	ebb_meta_init(&there);
	ebb_meta_init(&m);
	if (!(ebb_store_caps(g->store) & EBB_CAP_META))
		return 0;
	if ((r = ebb_store_get_meta(g->store, g->key, &there, err)) < 0 || (r = ebb_meta_for(&m, &there, false, err)) < 0)
		return r;
	if (!*ebb_replace_encoding(&m, coding, sizeof(coding)))
		return 0;
	g->codec = strcmp(coding, ebb_codec_zstd.name) == 0 ? &ebb_codec_zstd : NULL;
	if (!g->codec)
		ebb_app_note(g->app, "'%s' has Content-Encoding %s, and comes as it is", g->key, coding);
	return 0;
}

/* Find the object: under its name, or with a codec's suffix, as compressing leaves it. */
static int find(struct get *g, const char *key, bool raw, struct ebb_err *err)
{
	struct ebb_err first = {0};
	int r;

	g->key = strdup(key);
	if (!g->key)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	r = ebb_store_head(g->store, g->key, &g->rec, &first);
	for (size_t i = 0; r == -EBB_ENOENT && ebb_codec_at(i); i++) {
		free(g->key);
		if (asprintf(&g->key, "%s%s", key, ebb_codec_at(i)->suffix) < 0) {
			g->key = NULL;
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		}
		r = ebb_store_head(g->store, g->key, &g->rec, NULL);
	}
	if (r < 0)
		return ebb_err_set(err, first.code, "%s", first.msg);
	if (g->rec.f[EBB_F_KIND] != EBB_KIND_FILE)
		return ebb_err_set(err, EBB_ENOTSUP, "'%s' is no plain file", key);
	if (!raw)
		g->codec = ebb_codec_of_key(g->key, strlen(g->key));
	return raw || g->codec ? 0 : find_coding(g, err);
}

/* A member by its pack, which is there. @digest: NULL, or what its content must be. 1, 0: it is not in it. */
static int take_member(struct get *g, const char *store, const struct ebb_packs_pack *pack, const char *member,
		       const uint8_t *digest, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	int r = ebb_packs_index(g->app->index_dir, store, &pack->rec, g->store, &x, err);
	const struct ebb_pack_member *m = r < 0 ? NULL : ebb_pack_read_find(&x, member);

	if (r < 0 || !m || (digest && memcmp(m->digest, digest, EBB_DIGEST_LEN) != 0))
		return r < 0 ? r : 0;
	g->packed.store = ebb_arena_strdup(&g->arena, store);
	g->packed.key = ebb_arena_strdup(&g->arena, pack->key);
	g->packed.row = *m;
	g->packed.row.key = ebb_arena_strdup(&g->arena, member);
	g->packed.rec = pack->rec;
	g->packed.rec.key = g->packed.key;
	free(g->key);
	g->key = strdup(pack->key);
	g->rec = g->packed.rec;
	return g->packed.store && g->packed.key && g->packed.row.key && g->key ? 1 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

/* The object was archived: it is read from its pack, with what the journal knows of it. */
static int find_packed(struct get *g, struct ebb_storeset *stores, const char *store, const char *key,
		       struct ebb_err *err)
{
	bool struck;
	int r = ebb_packed_find(g->app->index_dir, store, key, &g->arena, &g->packed, &struck, err);

	if (r == 0 && struck)
		return ebb_err_set(err, EBB_ENOENT, "'%s' was deleted from its pack; until its time in the trash is over, "
						    "'ebb restore' takes that back", key);
	if (r <= 0)
		return r;
	free(g->key);
	g->key = strdup(g->packed.key);
	if (!g->key)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	g->rec = g->packed.rec;
	r = ebb_storeset_get(stores, g->packed.store, &g->store, err);
	return r < 0 ? r : 1;
}

/* Looking for an object in all packs of a store, the newest that has it. */
struct looking {
	struct get *g;
	const char *store, *key;	/* of the packs; of the object */
	bool found, struck;
};

static int look_into(void *ctx, const struct ebb_packs_pack *pack, struct ebb_err *err)
{
	struct looking *l = ctx;
	struct ebb_err why = {0};
	int r = take_member(l->g, l->store, pack, l->key, NULL, &why);

	if (r < 0) {
		if (r == -EBB_ENOMEM)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		ebb_app_note(l->g->app, "pack '%s' cannot be looked into: %s", pack->key, why.msg);
		return ebb_app_cancelled(l->g->app, err);
	}
	l->struck = r == 1 && ebb_packs_struck(pack, l->key, strlen(l->key));
	l->found |= r == 1;
	return 0;
}

/* No journal knows it (any more): the packs themselves do. 1, 0, negative. */
static int find_catalogued(struct get *g, struct ebb_storeset *stores, const char *of, const char *key,
			   struct ebb_err *err)
{
	const struct ebb_config *c = g->app->config;
	char prefix[300];
	bool found = false;

	snprintf(prefix, sizeof(prefix), "%s%s/", EBB_RULES_PACKS_PREFIX, of);
	for (size_t i = 0; i < c->nstores && !found; i++) {
		struct looking l = {.g = g, .store = c->stores[i].open.name, .key = key};
		struct ebb_err why = {0};
		int r = ebb_storeset_get(stores, l.store, &g->store, &why);

		if (r == 0)
			r = ebb_packs_in_store(g->store, prefix, look_into, &l, &why);
		if (r == -EBB_ENOMEM || r == -EBB_ECANCELLED)
			return ebb_err_set(err, -r, "%s", why.msg);
		if (l.found && l.struck)
			return ebb_err_set(err, EBB_ENOENT, "'%s' was deleted from its pack", key);
		found = l.found;
	}
	return found;
}

/* The pack of the journal is not there any more: perhaps it was packed anew. 1, 0, negative. */
static int follow(struct get *g, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *member = strdup(g->packed.row.key);
	struct ebb_packs_pack now;
	uint8_t digest[EBB_DIGEST_LEN];
	int r = member ? ebb_packs_follow(g->store, g->packed.key, &g->arena, &now, err)
		       : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	memcpy(digest, g->packed.row.digest, EBB_DIGEST_LEN);
	if (r <= 0 || strcmp(now.key, g->packed.key) == 0)
		return r < 0 ? r : 0;
	return take_member(g, g->packed.store, &now, member, digest, err);
}

static int get_packed(struct get *g, struct ebb_err *err)
{
	const struct ebb_pack_sink sink = {.data = write_some, .ctx = g};
	struct ebb_err why = {0};
	int64_t skip = g->skip, left = g->left;
	int r = ebb_pack_read_member(read_range, g, &g->packed.row, g->packed.row.digest, &sink, &why);

	if ((r == -EBB_ENOENT || r == -EBB_ECHANGED) && g->skip == skip && g->left == left) {
		int found = follow(g, err);

		if (found < 0)
			return found;
		if (found)
			return ebb_pack_read_member(read_range, g, &g->packed.row, g->packed.row.digest, &sink, err);
	}
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

/* Bytes that need no decoding: only those that are wanted are read. */
static int get_plain(struct get *g, struct ebb_err *err)
{
	static uint8_t buf[PIECE];
	int64_t n = 1;

	g->at = g->skip;
	g->skip = 0;
	while (n > 0 && g->left > 0) {
		n = read_next(g, buf, g->left < (int64_t)sizeof(buf) ? (size_t)g->left : sizeof(buf), err);
		int r = n > 0 ? write_some(g, buf, (size_t)n, err) : (int)n;
		if (r < 0)
			return r;
	}
	return 0;
}

static int get_decoded(struct get *g, struct ebb_err *err)
{
	struct ebb_pipe_result got;
	const struct ebb_pipe p = {
		.read = read_next, .read_ctx = g, .write = write_some, .write_ctx = g,
		.mode = EBB_PIPE_DECODE, .codec = g->codec, .raw_size = -1,
	};

	return ebb_pipe_run(&p, &got, err);
}

/* Part of a tensor container: only its blocks are read. */
static int get_tensors(struct get *g, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_tensor_read_closep) struct ebb_tensor_reader *t = NULL;
	static uint8_t buf[PIECE];
	int64_t at = g->skip, n = 1;
	int r = ebb_tensor_read_open(read_range, g, size_of(g), &t, err);

	g->skip = 0;
	while (r == 0 && n > 0 && g->left > 0) {
		n = ebb_tensor_read(t, at, buf, g->left < (int64_t)sizeof(buf) ? (size_t)g->left : sizeof(buf),
				    err);
		r = n > 0 ? write_some(g, buf, (size_t)n, err) : (int)n;
		at += n;
	}
	return r;
}

/* --- Packs -------------------------------------------------------------------------------------------- */

static int list_member(struct get *g, const struct ebb_pack_member *m, struct ebb_err *err)
{
	char text[EBB_UNITS_TEXT];

	if (g->app->json) {
		json_t *o = json_pack("{s:I,s:I,s:I}", "size", (json_int_t)m->size, "offset",
				      (json_int_t)m->offset, "coded_bytes", (json_int_t)m->coded);

		if (ebb_out_json_key(o, m->key, strlen(m->key)) < 0) {
			json_decref(o);
			o = NULL;
		}
		return ebb_out_json(g->out, o, err);
	}
	fprintf(g->out, "%10s  ", ebb_units_format_bytes(m->size, text));
	ebb_out_name(g->out, m->key, strlen(m->key));
	return fputc('\n', g->out) == EOF ? ebb_out_failed(g->out, err) : 0;
}

/* Members of a damaged pack, as recovery tells them. */
struct salvage {
	struct get *g;
	const char *member;	/* NULL: list them */
	bool found;
};

static int on_intact(void *ctx, const struct ebb_pack_member *m, bool intact, struct ebb_err *err)
{
	struct salvage *s = ctx;
	const struct ebb_pack_sink sink = {.data = write_some, .ctx = s->g};

	if (!intact) {
		ebb_app_note(s->g->app, "member '%s' is damaged", m->key);
		return 0;
	}
	if (!s->member)
		return list_member(s->g, m, err);
	if (s->found || strcmp(m->key, s->member) != 0)
		return 0;
	s->found = true;
	return ebb_pack_read_member(read_range, s->g, m, m->digest, &sink, err);
}

/* Without trusting the index. What is lost is told; when all is asked for and some is lost, -EBB_EPARTIAL. */
static int get_salvaged(struct get *g, const char *member, struct ebb_err *err)
{
	struct salvage s = {.g = g, .member = member};
	struct ebb_pack_recovered got;
	int r = ebb_pack_recover(read_range, g, size_of(g), on_intact, &s, &got, err);

	if (r < 0)
		return r;
	if (member)
		return s.found ? 0 : ebb_err_set(err, EBB_ENOENT, "no intact member '%s' is found in '%s'",
						 member, g->key);
	if (!got.indexed)
		ebb_app_note(g->app, "the index is damaged or missing; members were searched for");
	if (got.lost == 0 && got.indexed)
		return 0;
	ebb_app_note(g->app, "%lld members are intact, %lld or more are lost", (long long)got.intact,
		     (long long)got.lost);
	return -EBB_EPARTIAL;
}

/* @member NULL: list them. */
static int get_member(struct get *g, const char *member, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	const struct ebb_pack_sink sink = {.data = write_some, .ctx = g};
	struct ebb_err why = {0};
	int r = ebb_pack_read_index(read_range, g, size_of(g), &x, &why);

	if (r < 0)
		return ebb_err_set(err, -r, "%s%s", why.msg,
				   r == -EBB_ECORRUPT ? "; --salvage finds what is intact" : "");
	for (size_t i = 0; r == 0 && !member && i < x.n; i++)
		r = list_member(g, &x.members[i], err);
	if (r < 0 || !member)
		return r;
	const struct ebb_pack_member *m = ebb_pack_read_find(&x, member);
	if (!m)
		return ebb_err_set(err, EBB_ENOENT, "pack '%s' has no member '%s'", g->key, member);
	return ebb_pack_read_member(read_range, g, m, m->digest, &sink, err);
}

/* --- The command -------------------------------------------------------------------------------------- */

static int get(struct get *g, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *member = ebb_cli_string(args, "member");
	bool whole = g->skip == 0 && g->left == INT64_MAX;
	int r;

	if (g->packed.key)
		r = get_packed(g, err);
	else if (ebb_cli_flag(args, "salvage"))
		r = get_salvaged(g, member, err);
	else if (member || ebb_cli_flag(args, "list"))
		r = get_member(g, member, err);
	else if (!g->codec)
		r = get_plain(g, err);
	else if (g->codec == &ebb_codec_tensor && !whole)
		r = get_tensors(g, err);
	else
		r = get_decoded(g, err);
	int flushed = ebb_out_flush(g->out, r == 0 ? err : NULL);
	return r < 0 ? r : flushed;
}

/* Into a new file, which is removed again when reading fails. */
static int get_into(struct get *g, const char *path, const struct ebb_cli_args *args,
		    struct ebb_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0)
		return ebb_err_sys(err, errno, "cannot create '%s'", path);
	g->out = fdopen(fd, "wb");
	if (!g->out) {
		close(fd);
		unlink(path);
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	int r = get(g, args, err);
	if (fclose(g->out) != 0 && r == 0)
		r = ebb_err_sys(err, errno, "cannot write '%s'", path);
	if (r < 0)
		unlink(path);
	return r;
}

static int check_args(const struct ebb_cli_args *args, struct ebb_err *err)
{
	bool pack = ebb_cli_string(args, "member") || ebb_cli_flag(args, "list");

	if (ebb_cli_string(args, "member") && ebb_cli_flag(args, "list"))
		return ebb_err_set(err, EBB_EUSAGE, "--member and --list do not go together");
	if (ebb_cli_flag(args, "salvage") && !pack)
		return ebb_err_set(err, EBB_EUSAGE, "--salvage goes with --list or --member");
	if (pack && ebb_cli_flag(args, "raw"))
		return ebb_err_set(err, EBB_EUSAGE, "--raw and members of packs do not go together");
	return 0;
}

/* It may sleep. */
static int wake(struct get *g, const struct ebb_storeset *stores, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const struct ebb_thawing w = ebb_thawing_of(g->app, args, false, "ebb get");
	struct ebb_thaw t = {0};
	int r = ebb_thaw_add(&t, g->store, g->key, &g->rec, err);

	if (r == 0)
		r = ebb_thawing_settle(&w, stores, &t, err);
	ebb_thaw_release(&t);
	return r;
}

/* What sleeps says so before its first byte, so nothing is asked before. */
static int get_awake(struct get *g, const struct ebb_storeset *stores, const struct ebb_cli_args *args, struct ebb_err *err)
{
	const char *to = ebb_cli_string(args, "output");
	struct ebb_err why = {0};
	int r = to ? get_into(g, to, args, &why) : get(g, args, &why);

	if (r == -EBB_EASLEEP) {
		r = wake(g, stores, args, err);
		return r < 0 ? r : to ? get_into(g, to, args, err) : get(g, args, err);
	}
	if (r < 0)
		*err = why;
	return r;
}

/* Where it should be, or in a pack. */
static int find_any(struct get *g, struct ebb_storeset *stores, const struct ebb_target *t, bool raw,
		    struct ebb_err *err)
{
	struct ebb_err why = {0};
	int r = find(g, t->key, raw, &why);

	ebb_arena_init(&g->arena, 0);
	if (r == -EBB_ENOENT) {
		int found = find_packed(g, stores, t->store, t->key, err);
		if (found == 0)
			found = find_catalogued(g, stores, t->store, t->key, err);
		if (found != 0)
			return found < 0 ? found : 0;
	}
	return r < 0 ? ebb_err_set(err, -r, "%s", why.msg) : 0;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_target_release) struct ebb_target t = {0};
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *stores = NULL;
	struct get g = {
		.app = app, .out = app->out, .skip = ebb_cli_number(args, "offset", 0),
		.left = ebb_cli_number(args, "length", INT64_MAX),
	};
	int r = check_args(args, err);

	if (r < 0 || (r = ebb_thawing_check(args, err)) < 0 || (r = ebb_app_config(app, err)) < 0 ||
	    (r = ebb_target_parse(app, ebb_cli_arg(args, 0), &t, err)) < 0)
		return r;
	stores = ebb_storeset_new(app->config);
	r = stores ? ebb_storeset_get(stores, t.store, &g.store, err) :
		     ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if (r == 0)
		r = find_any(&g, stores, &t, ebb_cli_flag(args, "raw"), err);
	if (r == 0)
		r = get_awake(&g, stores, args, err);
	free(g.key);
	ebb_arena_release(&g.arena);
	return r;
}

static const struct ebb_cli_option options[] = {
	{"output", 'o', EBB_CLI_STRING, "FILE", "write a new file instead of stdout"},
	{"member", 'm', EBB_CLI_STRING, "KEY", "the object is a pack: read this member of it"},
	{"list", 'l', EBB_CLI_FLAG, NULL, "the object is a pack: list its members"},
	{"salvage", 0, EBB_CLI_FLAG, NULL, "with --list or --member: the pack is damaged, look for what is intact"},
	{"offset", 0, EBB_CLI_BYTES, "BYTES", "begin at this byte of what comes out"},
	{"length", 0, EBB_CLI_BYTES, "BYTES", "stop after so many bytes"},
	{"raw", 0, EBB_CLI_FLAG, NULL, "do not decode"},
	EBB_THAWING_OPTIONS,
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"path, path_b64", "string", "with --list: key of a member; one object per member"},
	{"size", "number", "bytes of its content"},
	{"offset, coded_bytes", "number", "where its frames stand in the pack"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb get lake:logs/app.log | grep ERROR", "read a log, compressed or not",
	"ebb get lake:old/2024.tar.zst --list", "what a pack holds",
	"ebb get lake:old/2024.tar.zst --member runs/7/loss.json", "one member of it",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_get;
const struct ebb_cli_command ebb_cmd_get = {
	.name = "get",
	.summary = "read one object, decoded",
	.usage = "STORE:KEY|PATH",
	.description =
		"Writes the content of an object to stdout.\n"
		"What ends in .zst, .lz4 or .ebbt is decoded; an object that is not there under its name is looked for under\n"
		"these, where compressing leaves it, and then in the pack where a run archived it.\n"
		"\n"
		"From a pack only the end, where its index is, and the member are read; from a tensor container with --offset or\n"
		"--length only the blocks of those bytes.\n"
		"\n"
		"A pack whose end is cut off or damaged, or that has damaged members, is searched with --salvage: every member that\n"
		"is intact is found, and the exit status is 1 when some are lost.\n"
		"\n"
		"What sleeps in an archive class, be it an object or the pack that it lies in, is thawed first with --thaw; without, its\n"
		"price is told and nothing is done.\n"
		"The same command goes on when it can be read (status 7 until then).\n"
		"\n"
		"Everything is checked while it is read.\n"
		"When the exit status is not 0, what came out must not be used; a file named with --output is removed then.\n"
		"Nothing is ever overwritten.",
	.options = options,
	.json = json,
	.examples = examples,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
