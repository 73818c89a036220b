/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules: which action meets which object. First match wins; `keep` ends the search.
 *
 * A rule is a glob over keys, an optional store or dataset kind, an optional typed condition
 * (expr.h), and an action with its parameters. Conditions are three-valued, and unknown is always
 * on the safe side: it never fires a rule that changes anything, it ends the search there (had more
 * been known, that rule might have been the first match), and a `keep` rule protects also when it
 * may be true. So less evidence never changes more.
 *
 * Access logs may have lost reads, so what they say of idle times is likely, not certain. Rules whose action can be taken back by another
 * (tier, compress) act on what is likely. A destructive rule wants certainty, of its own condition and of every earlier rule that a lost read
 * would have made the first match, unless it says `trust: logs`. A `keep` rule protects what it likely meets, and from destructive rules
 * also what it may meet.
 *
 * Only files are changed, and only those seen whole: directories, symlinks, special files and
 * records flagged EBB_FLAG_UNSEEN or EBB_FLAG_CHANGING meet `keep` at most, keys below
 * EBB_RULES_RESERVED_PREFIX or EBB_RULES_PACKS_PREFIX meet nothing.
 *
 *   rules:
 *     - {name: ..., match: glob, store: name, kind: word, when: "condition", do: action,
 *        to: store | class: name | class: auto,           # tier
 *        to: store, class: name, pack: {size: 1GiB},     # archive
 *        codec: zstd|lz4, level: 1-19|1-12, long: true|10-27,   # compress
 *        verify: size|checksum|digest|bytes,              # tier to a store; compress: digest|bytes
 *        trash: 30d | purge: "cannot be undone",          # delete
 *        versions: noncurrent|markers|uploads, after: 30d,     # delete what a bucket hides
 *        how: reflink|hardlink|delete, copies: 1, trash: 30d,  # dedup
 *        keep_last: 3, keep_every: 1000, keep_best: eval_loss, keep_best_count: 1, mode: min|max,      # retain
 *        keep_tagged: [glob], min_age: 7d, trash: 30d,
 *        all_of: dataset,                                 # all that change but retain: only if all files of the dataset meet it
 *        everything: true,                                # delete that restricts nothing
 *        trust: certain|logs,                             # all that change; delete: certain unless said
 *        packed: true,                                    # delete what lies in packs
 *        garbage: 30%,                                    # repack
 *        require: {payback: 90d}}                         # all that change
 *   datasets:
 *     - {match: glob, kind: word, team: word, residency: [AE], labels: {name: text}}
 *
 * Conditions may ask for `team`, `kind`, labels and captures of the object's dataset (the first
 * whose glob matches) and for the captures of the rule's own glob, which win over the former.
 *
 * A rule with `versions` is for what a bucket keeps out of sight: noncurrent versions, delete markers over nothing, unfinished uploads.
 * It never meets an object that is there. The bucket does it by itself (native.h), by days since the version was replaced or the upload
 * began; both are `after`, since `age` would be that of the content. There is no trash for these, so it must say `purge`.
 *
 * A rule with `packed` is for objects that lie in packs, under the store and key that they had, and meets no others; `keep` rules protect both.
 * A rule that repacks is for packs: those in its store (or any), by how much of them is of no use.
 *
 * Deciding works on whole blocks: rules whose glob begins behind the block are skipped, conditions
 * over fields are evaluated column by column, and keys are decoded only when a rule that is left
 * needs them.
 *
 * Pure: `now` is an argument. Threads: compiled rules are read-only and may be shared; a workspace
 * belongs to one thread.
 */
#ifndef EBB_POLICIES_RULES_H
#define EBB_POLICIES_RULES_H

#include "core/arena.h"
#include "core/block.h"
#include "core/buf.h"
#include "core/tree.h"
#include "policies/action.h"
#include "policies/expr.h"
#include "policies/expr_explain.h"
#include "policies/glob.h"

/*
 * A store's own bookkeeping (its trash, its journal marks) lives here; no rule ever meets a key
 * that begins so.
 */
#define EBB_RULES_RESERVED_PREFIX ".ebb-trash/"

/* Where packs are: no rule meets them either, but they are scanned and priced as what they are. */
#define EBB_RULES_PACKS_PREFIX ".ebb-packs/"

/* Size of a pack when the rule says none: its members' bytes. */
#define EBB_RULES_PACK_BYTES (INT64_C(1) << 30)

/* `long`: windows from and to these powers of two; `true` is the widest, 128 MiB, which zstd -d reads without being told. */
#define EBB_RULES_LONG_MIN 10
#define EBB_RULES_LONG_MAX 27

/* Share of a pack that must be of no use before it is packed anew, when the rule says nothing. */
#define EBB_RULES_GARBAGE_PPM 300000

/* Most rules, most datasets, and most names of labels and captures of all datasets together. */
#define EBB_RULES_MAX 4096
#define EBB_RULES_LABELS 256

/* How long the trash keeps what a rule without `trash:` deletes. */
#define EBB_RULES_TRASH_NS (INT64_C(30) * 86400 * 1000000000)

/* What a bucket keeps out of sight. */
enum ebb_rules_hidden {
	EBB_RULES_VISIBLE,	/* the rule is for objects that are there */
	EBB_RULES_NONCURRENT,	/* versions that were replaced or deleted */
	EBB_RULES_MARKERS,	/* delete markers that have no version below them */
	EBB_RULES_UPLOADS,	/* parts of uploads that were not completed */
	EBB_RULES_HIDDEN
};

/* As in `versions:`; NULL for what is visible or out of range. Constant. */
const char *ebb_rules_hidden_name(int hidden);

/* What rules need to know of a store. Borrowed strings. */
struct ebb_rules_store {
	const char *name;
	const char *class;		/* declared storage class, or NULL */
	const char *site;		/* or NULL */
	const char *provider;		/* whose prices hold there, or NULL: a site's own */
	const char *region;		/* the provider's name for the place, or NULL */
	const char *jurisdiction;	/* ISO 3166 code, or NULL: unknown */
	bool replaces;			/* it can put one object in the place of another (ebb_store_replace) */
	bool checked;			/* it compares checksums while it is written, so `verify: checksum` reads nothing back */
	int line, col;			/* where it is declared */
};

/* A free label of a dataset. */
struct ebb_rules_label {
	const char *name, *value;
};

/* A named group of objects by key pattern; captures become labels and facts. */
struct ebb_rules_dataset {
	const char *match;		/* glob as written */
	const char *kind;		/* or NULL */
	const char *team;		/* or NULL */
	const char *const *residency;	/* NULL-terminated jurisdictions that are allowed, or
					 * NULL: any */
	int64_t copies;			/* so many objects of the dataset with the same content stay, whatever rules say; 0: no floor */
	uint16_t number;		/* its place among the datasets */
	const struct ebb_rules_label *labels;	/* as written */
	size_t nlabels;
};

/* How long a checkpoint is too young to go when the rule says nothing: longer than writing one takes. */
#define EBB_RULES_RETAIN_AGE_NS (INT64_C(1) * 86400 * 1000000000)

/* Which checkpoints of a family stay (ckpt.h); at least one of the first four is asked for. */
struct ebb_rules_retain {
	int64_t keep_last;		/* the newest so many complete ones; 0: not asked for */
	int64_t keep_every;		/* those whose step is a multiple; 0: not asked for */
	const char *keep_best;		/* name of a figure, or NULL */
	int64_t best_count;		/* so many of the best, at least 1 */
	bool best_is_max;
	const struct ebb_glob *const *tags;	/* names of the checkpoint or of files directly in it */
	size_t ntags;
	int64_t min_age_ns;
};

struct ebb_rule {
	const char *name;
	const char *match;		/* glob as written, or NULL: every key */
	const char *store;		/* only objects of this store, or NULL */
	const char *kind;		/* only objects of datasets of this kind, or NULL */
	const char *when;		/* condition as written, or NULL: always */
	const struct ebb_expr *cond;	/* compiled, or NULL */
	const char *const *labels;	/* names that cond was compiled with */
	const struct ebb_action_kind *action;
	const char *to;			/* destination store, or NULL */
	const char *class;		/* tier: class to go into in the same store, "auto" for
					 * the one that costs least, or NULL; archive: of the
					 * pack, or NULL: as its store declares */
	int64_t pack_bytes;		/* archive: most bytes of a pack's members */
	const char *codec;		/* compress: "zstd" (unless the rule says otherwise) or
					 * "lz4"; or NULL */
	int level;			/* 0: the codec's default */
	bool keep_key;			/* compress: under its own key, with Content-Encoding */
	int window;			/* compress: repeats are looked for so far back (log2 of bytes); 0: as
					 * the level does */
	enum ebb_action_verify verify;	/* tier to a store, compress; DIGEST unless the rule says otherwise */
	bool trust_logs;		/* acts on what access logs make likely */
	bool purge;			/* delete: no trash */
	bool packed;			/* delete: the rule is for objects in packs, and meets no others */
	int garbage_ppm;		/* repack: least share of a pack's bytes that is of no use, in millionths */
	enum ebb_rules_hidden hidden;	/* delete: what is out of sight, by the bucket itself */
	int64_t after_days;		/* of such: since replaced, or begun; 0 for markers */
	int64_t trash_ns;		/* delete, dedup: time in the trash */
	bool all_of;			/* acts only where it meets all files of a dataset (allof.h) */
	const struct ebb_rules_retain *retain;	/* retain; otherwise NULL */
	enum ebb_action_how how;	/* dedup */
	int64_t copies;			/* dedup: so many copies always stay, at least 1 */
	bool require_payback;		/* `require: {payback: ...}` was given */
	int64_t payback_ns;		/* longest payback accepted */
	int line, col;
};

/* Is the rule for objects that are there? Others are for what a bucket hides, for what lies in packs, and for packs. */
static inline bool ebb_rules_plain(const struct ebb_rule *rule)
{
	return !rule->hidden && !rule->packed && rule->action->id != EBB_ACTION_REPACK;
}

struct ebb_rules;

/*
 * Compile `rules:` and `datasets:` of a configuration document (either may be absent: NULL).
 * Refuses, with file, line, column and remedy: unknown keys and words (naming the nearest valid
 * one), unit and type errors, a destination that is not a store, two rules of one name, and
 * destructive rules that are empty or match everything unless the rule says `everything: true`.
 *
 * @stores  @nstores stores, must outlive the rules.
 * @arena   holds the result.
 * @return  0, -EBB_ECONFIG, -EBB_ENOMEM.
 */
int ebb_rules_compile(struct ebb_arena *arena, const struct ebb_tree_node *rules,
		      const struct ebb_tree_node *datasets, const struct ebb_rules_store *stores,
		      size_t nstores, struct ebb_rules **ret, struct ebb_err *err);

/* Number of rules, and one of them in the order written. */
size_t ebb_rules_count(const struct ebb_rules *r);
const struct ebb_rule *ebb_rules_get(const struct ebb_rules *r, size_t i);

/* The store as given at compile time, or NULL. */
const struct ebb_rules_store *ebb_rules_store(const struct ebb_rules *r, const char *name);

/*
 * Names of the classes that objects have themselves, from the index (NULL: none are known). Borrowed; set before rules are used, and again
 * before they go.
 */
void ebb_rules_use_names(struct ebb_rules *r, const struct ebb_names *names);

/*
 * Which group of its dataset an object is of: the dataset's pattern, and the values of its captures, as "runs/{p}/{run}/... p=a run=7", into @buf, cut at
 * its end. False: it is of no dataset.
 */
bool ebb_rules_dataset_name(const struct ebb_rules *r, const char *key, size_t len, char *buf, size_t size);

/* The first dataset with a residency, or NULL. */
const struct ebb_rules_dataset *ebb_rules_pinned(const struct ebb_rules *r);

/* Jurisdiction of the machine that the program runs on (residency.h), NULL: unknown. Borrowed; set before rules are used. */
void ebb_rules_use_here(struct ebb_rules *r, const char *jurisdiction);

/* Storage class of an object: its own, or what its store is declared to be; NULL when unknown. @rec: NULL asks for the store's. */
const char *ebb_rules_class(const struct ebb_rules *r, const char *store,
			    const struct ebb_record *rec);

/* No rule matched. */
#define EBB_RULES_NONE UINT16_MAX

/* Workspace for deciding: about 350 KiB and one KiB a rule. */
struct ebb_rules_decide_work;
struct ebb_rules_decide_work *ebb_rules_decide_new(const struct ebb_rules *r);
void ebb_rules_decide_free(struct ebb_rules_decide_work *w);

/* From now on @w decides about objects that lie in packs, or no longer: those are told by the store and key that they had. */
void ebb_rules_decide_packed(struct ebb_rules_decide_work *w, bool packed);

/*
 * Decide a block of objects of one store.
 *
 * @w        made for the same rules.
 * @store    name of their store; must be one of those compiled with.
 * @rule     out: for each record the number of the rule that meets it, or EBB_RULES_NONE; room for
 *           EBB_BLOCK_MAX.
 * @unknown  out: for each record that a rule would have changed had its condition not been unknown,
 *           the number of that rule, else EBB_RULES_NONE; room for EBB_BLOCK_MAX. At most one of
 *           both is set.
 * @return   1 when some record has a rule or an unknown, 0 when none (the arrays are filled all the
 *           same), -EBB_ECORRUPT.
 */
int ebb_rules_decide(const struct ebb_rules *r, struct ebb_rules_decide_work *w,
		     const struct ebb_block *b, const char *store, int64_t now, uint16_t *rule,
		     uint16_t *unknown, struct ebb_err *err);

/* What one rule said about one object, for `explain`. */
struct ebb_rules_verdict {
	const struct ebb_rule *rule;
	bool store_ok, kind_ok, match_ok;	/* the rule's selectors */
	enum ebb_truth cond;			/* its condition (true when there is none) */
	enum ebb_truth likely;			/* the same if access logs lost nothing */
	bool doubted;				/* holds because an earlier rule may meet the object: only
						 * access logs say that it does not */
	bool fires;				/* this is the rule that meets the object */
	bool holds;				/* its condition is unknown, so nothing changes
						 * the object */
	const struct ebb_expr_explain_fact *facts;	/* what its condition saw */
	size_t nfacts;
};

/*
 * The same decision for one record, rule by rule. Verdicts behind the one that fires or holds say
 * what those rules would have seen.
 *
 * @ret      room for ebb_rules_count() verdicts; their facts live in @arena.
 * @ret_ds   out: the object's dataset, or NULL.
 * @return   number of the rule that fires, EBB_RULES_NONE, or -EBB_ENOMEM.
 */
int ebb_rules_explain(const struct ebb_rules *r, const struct ebb_record *rec, const char *store,
		      int64_t now, struct ebb_arena *arena, struct ebb_rules_verdict *ret,
		      const struct ebb_rules_dataset **ret_ds, struct ebb_err *err);

/* The dataset of a key: the first whose pattern matches, or NULL. */
const struct ebb_rules_dataset *ebb_rules_dataset(const struct ebb_rules *r, const char *key,
						  size_t key_len);

/*
 * The dataset of a key when it keeps copies (`copies: N`), else NULL. What is of ebb's own making has none. Versions that are no longer
 * current, other datasets and objects in packs are no copies; names of one inode are one.
 */
const struct ebb_rules_dataset *ebb_rules_floor(const struct ebb_rules *r, const char *key, size_t key_len);

/* How many datasets there are. */
size_t ebb_rules_datasets(const struct ebb_rules *r);

/* Has any dataset a floor? */
bool ebb_rules_has_floors(const struct ebb_rules *r);

/*
 * One line on why a rule met a record, for plans: the facts of its condition, or its pattern. Added
 * to @out.
 *
 * @return  0 or -EBB_ENOMEM.
 */
int ebb_rules_explain_why(const struct ebb_rules *r, size_t rule, const struct ebb_record *rec,
			  const char *store, int64_t now, struct ebb_buf *out, struct ebb_err *err);

#endif
