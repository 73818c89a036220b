/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb packs: what packs stand, what is in them, and how much of them is of no use any more. */
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/out.h"
#include "agent/packs.h"
#include "agent/storeset.h"
#include "compress/pack_format.h"
#include "core/units.h"

struct packs {
	struct ebb_app *app;
	const char *name;		/* of the store that is listed */
	struct ebb_store *store;
	bool members;			/* list them instead */
	int64_t now;
	struct ebb_out_table *table;	/* for people, without members */
	size_t n, unknown;
	int worst;
};

/* What of a pack is deleted, and what of that may go. */
struct sums {
	int64_t bytes, deleted, garbage, coded;
	size_t live;
};

static struct sums add_up(const struct packs *p, const struct ebb_packs_pack *pack, const struct ebb_pack_index *x)
{
	struct sums s = {0};

	for (size_t i = 0; i < x->n; i++) {
		const struct ebb_pack_member *m = &x->members[i];
		const struct ebb_packs_tombstone *t = ebb_packs_struck(pack, m->key, strlen(m->key));
		int64_t takes = m->coded + EBB_PACK_FORMAT_MARKER;

		s.coded += takes;
		s.live += !t;
		s.bytes += t ? 0 : m->size;
		s.deleted += t != NULL;
		s.garbage += t && t->expires <= p->now ? takes : 0;
	}
	return s;
}

static int json_member(const struct packs *p, const struct ebb_packs_pack *pack, const struct ebb_pack_member *m,
		       struct ebb_err *err)
{
	const struct ebb_packs_tombstone *t = ebb_packs_struck(pack, m->key, strlen(m->key));
	json_t *o = json_pack("{s:s%, s:s, s:s, s:I, s:I, s:I, s:b}", "store", pack->name.store, pack->name.store_len, "in", p->name,
			      "pack", pack->key, "size", (json_int_t)m->size, "offset", (json_int_t)m->offset, "coded_bytes",
			      (json_int_t)m->coded, "deleted", t != NULL);

	ebb_out_json_time(o, "mtime", m->mtime);
	if (t)
		ebb_out_json_time(o, "until", t->expires);
	if (ebb_out_json_key(o, m->key, strlen(m->key)) < 0) {
		json_decref(o);
		o = NULL;
	}
	return ebb_out_json(p->app->out, o, err);
}

static void text_member(const struct packs *p, const struct ebb_packs_pack *pack, const struct ebb_pack_member *m)
{
	const struct ebb_packs_tombstone *t = ebb_packs_struck(pack, m->key, strlen(m->key));
	char text[EBB_UNITS_TEXT];

	fprintf(p->app->out, "%10s  ", ebb_units_format_bytes(m->size, text));
	ebb_out_name(p->app->out, pack->name.store, pack->name.store_len);
	fputc(':', p->app->out);
	ebb_out_name(p->app->out, m->key, strlen(m->key));
	if (t && t->expires > p->now)
		fprintf(p->app->out, "  (deleted; can be taken back until %s)", ebb_units_exact_time(t->expires, text));
	else if (t)
		fputs("  (deleted)", p->app->out);
	fputc('\n', p->app->out);
}

static int print_members(struct packs *p, const struct ebb_packs_pack *pack, const struct ebb_pack_index *x,
			 struct ebb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < x->n; i++) {
		if (p->app->json)
			r = json_member(p, pack, &x->members[i], err);
		else
			text_member(p, pack, &x->members[i]);
	}
	return r;
}

static int json_pack_line(struct packs *p, const struct ebb_packs_pack *pack, const struct ebb_pack_index *x,
			  const struct sums *s, struct ebb_err *err)
{
	json_t *o = json_pack("{s:s, s:s, s:s%, s:I, s:i, s:I, s:I, s:I, s:I, s:I}", "store", p->name, "path", pack->key, "of",
			      pack->name.store, pack->name.store_len, "size", (json_int_t)pack->rec.f[EBB_F_SIZE], "generation",
			      pack->name.generation, "objects", (json_int_t)x->n, "live", (json_int_t)s->live, "live_bytes",
			      (json_int_t)s->bytes, "garbage_bytes", (json_int_t)s->garbage, "older_generations",
			      (json_int_t)pack->older);

	return ebb_out_json(p->app->out, o, err);
}

static void table_row(struct packs *p, const struct ebb_packs_pack *pack, const struct ebb_pack_index *x, const struct sums *s)
{
	char a[EBB_OUT_TEXT_MAX];

	ebb_out_cell(p->table, "%s", p->name);
	ebb_out_cell_name(p->table, pack->key, strlen(pack->key));
	ebb_out_cell(p->table, "%s", ebb_out_bytes((uint64_t)pack->rec.f[EBB_F_SIZE], a));
	ebb_out_cell(p->table, "%s", ebb_out_count(x->n, a));
	ebb_out_cell(p->table, "%s", ebb_out_count((uint64_t)s->deleted, a));
	ebb_out_cell(p->table, "%d %%", s->coded ? (int)(s->garbage * (__int128)100 / s->coded) : 0);
}

static int on_pack(void *ctx, const struct ebb_packs_pack *pack, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	struct packs *p = ctx;
	struct ebb_err why = {0};
	int r = ebb_app_cancelled(p->app, err);

	if (r < 0)
		return r;
	p->n++;
	r = ebb_packs_index(p->app->index_dir, p->name, &pack->rec, p->store, &x, &why);
	if (r == -EBB_ENOMEM || r == -EBB_ECANCELLED)
		return ebb_err_set(err, -r, "%s", why.msg);
	if (r < 0) {
		p->unknown++;
		fprintf(p->app->err, "ebb: pack '%s' of store '%s': %s%s\n", pack->key, p->name, why.msg,
			r == -EBB_ECORRUPT ? "; 'ebb get --salvage' finds what is intact" : "");
		return 0;
	}
	if (p->members)
		return print_members(p, pack, &x, err);
	const struct sums s = add_up(p, pack, &x);
	if (p->app->json)
		return json_pack_line(p, pack, &x, &s, err);
	table_row(p, pack, &x, &s);
	return 0;
}

static int one_store(struct packs *p, struct ebb_storeset *stores, const char *name, struct ebb_err *err)
{
	int r = ebb_storeset_get(stores, name, &p->store, err);

	p->name = name;
	if (r == 0)
		r = ebb_packs_in_store(p->store, NULL, on_pack, p, err);
	return r == -EBB_ENOENT ? 0 : r; /* no folder of packs */
}

static int all_stores(struct packs *p, const struct ebb_cli_args *args, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *stores = ebb_storeset_new(p->app->config);
	const struct ebb_config *c = p->app->config;
	int r = stores ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	for (int i = 0; r == 0 && i < ebb_cli_argc(args); i++)
		if (!ebb_config_store(c, ebb_cli_arg(args, i)))
			return ebb_err_set(err, EBB_EUSAGE, "no store is called '%s' in '%s'", ebb_cli_arg(args, i), c->path);
	for (int i = 0; r == 0 && i < ebb_cli_argc(args); i++)
		r = one_store(p, stores, ebb_cli_arg(args, i), err);
	for (size_t i = 0; r == 0 && ebb_cli_argc(args) == 0 && i < c->nstores; i++)
		r = one_store(p, stores, c->stores[i].open.name, err);
	return r;
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	static const struct ebb_out_col cols[] = {
		{"store", false}, {"pack", false}, {"size", true}, {"objects", true}, {"deleted", true}, {"of no use", true},
	};
	EBB_CLEANUP(ebb_out_table_freep) struct ebb_out_table *table = ebb_out_table_new(cols, EBB_ARRAY_LEN(cols));
	struct packs p = {.app = app, .members = ebb_cli_flag(args, "members"), .now = ebb_app_now(app), .table = table};
	int r = table ? ebb_app_config(app, err) : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	if (r == 0 && ebb_cli_flag(args, "rebuild"))
		r = ebb_packs_forget(app->index_dir, err);
	if (r == 0)
		r = all_stores(&p, args, err);
	if (r == 0 && !app->json && !p.members && p.n > p.unknown)
		r = ebb_out_table_print(table, app->out, 0, err);
	if (r == 0 && p.n == 0)
		ebb_app_note(app, "there are no packs");
	if (r == 0)
		r = ebb_out_flush(app->out, err);
	return r == 0 && p.unknown ? -EBB_EPARTIAL : r;
}

static const struct ebb_cli_option options[] = {
	{"members", 'm', EBB_CLI_FLAG, NULL, "list the objects in them, a line each"},
	{"rebuild", 0, EBB_CLI_FLAG, NULL, "forget what is known of packs and read their ends again"},
	{NULL, 0, EBB_CLI_FLAG, NULL, NULL},
};

static const struct ebb_cli_field json[] = {
	{"store, path", "string", "where the pack lies; one object per pack"},
	{"of", "string", "store that its objects came from"},
	{"size", "number", "bytes of the pack; with --members: of the object"},
	{"generation, older_generations", "number", "how often it was packed anew; earlier ones that stand still"},
	{"objects, live, live_bytes", "number", "objects in it; those that are not deleted, and their size"},
	{"garbage_bytes", "number", "bytes of deleted objects past their time in the trash"},
	{"store, path, path_b64", "string", "with --members: the object as it was; one object per member"},
	{"in, pack", "string", "with --members: store and key of its pack"},
	{"offset, coded_bytes", "number", "with --members: where its frames stand"},
	{"mtime, until", "string", "with --members: time of its content; deleted: how long it can be taken back"},
	{"deleted", "boolean", "with --members: a tombstone stands beside the pack"},
	{NULL, NULL, NULL},
};

static const char *const examples[] = {
	"ebb packs", "all packs, and how much of them is of no use",
	"ebb packs cold --members --json | jq -r .path", "what lies in the packs of a store",
	"ebb packs --rebuild", "after the index was lost: learn again from the packs themselves",
	NULL,
};

extern const struct ebb_cli_command ebb_cmd_packs;
const struct ebb_cli_command ebb_cmd_packs = {
	.name = "packs",
	.summary = "what packs stand, what is in them, and how much of them is of no use",
	.usage = "[STORE...]",
	.description =
		"Lists the packs that `do: archive` made, as they stand in their stores, with the objects that rules deleted from\n"
		"them (packed: true) and the share of their bytes that packing anew (do: repack) would save.\n"
		"\n"
		"What is in a pack stands in its end, which is read once (one request, two for many objects) and kept in the index\n"
		"directory.\n"
		"That is a cache: with --rebuild all of it is read again from the packs alone, so neither index nor journals\n"
		"are needed to find an object again.\n"
		"ebb-get then reads it from its pack.\n"
		"\n"
		"A pack in an archive class cannot be read before it is thawed; it is named, and the exit status is 1.",
	.options = options,
	.json = json,
	.examples = examples,
	.max_args = -1,
	.run = run,
};
