/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One action of a plan file, and its line of JSON:
 *
 *   {"n":1,"rule":"old logs","action":"compress","store":"scratch","path":"logs/a.log","kind":"file","size":81920,
 *    "alloc":81920,"mtime_ns":1700000000000000000,"ctime_ns":1700000000000000000,"ino":12,"dev":2049,"nlink":1,
 *    "to_store":null,"to_path":"logs/a.log.zst","codec":"zstd","level":9,"purge":null,"trash_s":null,
 *    "one_off_nano":0,"saving_month_nano":1200,"payback_days":0,"freed_bytes":65536,"wire_bytes":0,"why":"age 41 d"}
 *
 * (on one line). "window" follows "level" where a rule said `long`, "keep_key" where it said that ("to_path" is null then), then "verify". Objects of buckets have "class", "class_code" and "etag" besides; a dedup row has, before one_off_nano,
 *
 *   "how":"reflink","with_store":"scratch","with_path":"a/first","with":{"kind":"file","size":..,..,"nlink":1}
 *
 * for the copy that stays, and a delete row in a dataset that keeps copies the same without "how"; a row that strikes off an object in a pack has the pack as its object, and there, without "how", what the object was.
 * A copy has there
 *
 *   "after":3,"relay":false,"form":"encode","awaits":true,"with_store":"lake","with_path":"a","with":{..}
 *
 * ("form" only where the bytes change or are coded, "awaits" only where the object is made by the plan of another site and may not be there yet)
 * where its object is made by action 3 of the same plan (else "after" is null), and the key is that of the object "with_path", whose
 * content is the same and whose metadata it gets (missing where that is the object itself); "relay": it is only on its way, and goes
 * when the plan is done. Keys that are not UTF-8 stand under "path_b64", "to_path_b64" and "with_path_b64" instead. Amounts are integers of 10^-9 of the
 * plan's currency, null when unpriced. What is unknown is null. Members always come in this order.
 *
 * Threads: rows are plain data.
 */
#ifndef EBB_AGENT_PLANROW_H
#define EBB_AGENT_PLANROW_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/record.h"
#include "policies/action.h"

struct ebb_jsonline;
struct ebb_jsonput;

/* Longest line of a row: two keys and texts in base64 or escapes. */
#define EBB_PLANROW_MAX (256 * 1024)

/* What a copy does to the bytes. */
enum ebb_planrow_form {
	EBB_PLANROW_PLAIN,	/* as they are */
	EBB_PLANROW_ENCODE,	/* by the codec; size is that of the object that is read */
	EBB_PLANROW_DECODE,	/* size is that of the content, not of the object */
	EBB_PLANROW_CODED,	/* as they are, which is coded; size likewise */
	EBB_PLANROW_FORMS
};

struct ebb_planrow {
	int64_t n;			/* from 1, in execution order */
	const char *rule, *store;
	enum ebb_action_id action;
	struct ebb_record obj;		/* identity; key NUL-terminated */
	const char *class;		/* of the object, or NULL: not known */
	const char *to_store;		/* NULL: the same store */
	const char *to_class;		/* class to go into where it is, or of the pack; or NULL */
	const char *to_key;		/* archive: of the pack; NULL: the action has no destination; NUL-terminated */
	const char *codec;		/* or NULL */
	int level;
	int window;			/* compress: log2 of the bytes that repeats are looked for in; 0: as the level does */
	bool keep_key;			/* compress: under its own key, with Content-Encoding; to_key is NULL */
	enum ebb_action_verify verify;	/* tier, compress; "verify", only where it is not "digest" */
	bool purge;			/* delete for good; "purge" holds the words that the rule said */
	int64_t trash_ns;		/* delete into the trash: for how long; whole seconds */
	enum ebb_action_how how;	/* dedup */
	int64_t after;			/* copy: the action that makes its object, which is not there yet; 0: it is there */
	enum ebb_planrow_form form;	/* copy */
	bool awaits;			/* copy, delete: the object is made by the plan of another site; it may not be there yet */
	bool relay;			/* copy: what it makes goes again when the plan is done */
	const char *with_store;		/* delete: where a copy is that stays, or NULL; strike: where the object in the pack was; dedup: where the copy that stays is; copy: where the object is that the copy is of, when not this one; otherwise NULL */
	struct ebb_record with;		/* identity of that object; key NUL-terminated */
	bool priced;
	int64_t one_off, saving;	/* nano-units; saving per month of 30 days */
	int64_t payback_days;		/* rounded up; -1: never, or unpriced */
	int64_t freed, wire;		/* bytes */
	const char *why;
};

/* Whole days until the one-off cost has come back, rounded up; -1 when it never does. */
int64_t ebb_planrow_payback(bool priced, int64_t one_off, int64_t saving);

/* Append the line, with its newline. The same row gives the same bytes. Returns 0 or -EBB_ENOMEM. */
int ebb_planrow_write(struct ebb_buf *out, const struct ebb_planrow *row, struct ebb_err *err);

/*
 * Read a row, checking every member. Strings live in @arena.
 *
 * @return  0; the line's code with FILE:LINE; -EBB_ENOMEM.
 */
int ebb_planrow_read(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_planrow *ret);

/*
 * The fields by which an object is known again: kind, size, alloc, mtime_ns, ctime_ns, ino, dev, nlink; null where unknown. Where known
 * also class_code and the entity tag, "etag" as its store writes it or "etag_hash". Members of the object that is open in @j.
 */
void ebb_planrow_record_write(struct ebb_jsonput *j, const struct ebb_record *rec);
void ebb_planrow_record_read(struct ebb_jsonline *l, struct ebb_record *rec);

#endif
