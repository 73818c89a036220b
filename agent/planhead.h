/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The header of a plan file: what the plan was made from, and what it adds up to. One line of JSON, the second of the file:
 *
 *   {"created":"2026-11-23T19:00:00Z","now_ns":1795460400000000000,"currency":"USD","rules_sha256":"...","prices_sha256":"...",
 *    "stores":[{"name":"scratch","generation":3,"dev":2049,"ino":2,"fsid":"...","objects":1000000}],
 *    "limits":{"max_delete":null,"max_delete_ppm":500000,"max_objects":null,"max_bytes":null,"max_cost_nano":null,
 *              "max_errors":100,"window":null},
 *    "totals":{SUM},"kept":{SUM},"held":{SUM},"unmatched":{SUM},
 *    "rules":[{"rule":"old logs","action":"compress","verify":"bytes","totals":{SUM},"refused":[{"reason":"unknown","text":"...",SUM}],
 *     "sampled":[{"ext":"log","objects":9,"bytes":100,"samples":32,"read_bytes":50,"permille":213,"margin":4}]}]}
 *
 * SUM is "objects","bytes","freed_bytes","wire_bytes","unpriced","one_off_nano","saving_month_nano". A store that was never scanned
 * (a destination) has generation 0. Reasons without objects are left out, and so is "sampled" without samples (policies/shrink.h).
 * A bucket that keeps versions has "versions":"enabled" and "mfa_delete" behind "objects"; "older":{SUM} follows "unmatched" where older
 * versions stay below objects that go.
 *
 * Threads: plain data.
 */
#ifndef EBB_AGENT_PLANHEAD_H
#define EBB_AGENT_PLANHEAD_H

#include "core/arena.h"
#include "core/buf.h"
#include "policies/decide.h"

struct ebb_jsonline;

/* Longest header line in bytes. */
#define EBB_PLANHEAD_MAX (16 * 1024 * 1024)

struct ebb_planhead_store {
	const char *name;
	int64_t generation;		/* 0: not scanned */
	uint64_t dev, ino;		/* identity of the root */
	const char *fsid;		/* of its filesystem, "" when unknown */
	int64_t objects;		/* in that generation */
	enum ebb_noncurrent_state versions;	/* "versions", "mfa_delete": only where versions are kept */
	bool mfa_delete;
};

struct ebb_planhead_sum {
	int64_t objects, bytes, freed, wire;
	int64_t unpriced;		/* objects without a price; not in the amounts */
	int64_t one_off, saving;	/* nano-units */
};

/* What packs would do for objects that do not pay one by one; objects 0: there is nothing to offer. */
struct ebb_planhead_packed {
	int64_t objects, bytes, packs;
	int64_t one_off, saving;	/* nano-units, a month of 30 days */
};

struct ebb_planhead_rule {
	const char *rule;
	const char *action;		/* word of `do:` */
	enum ebb_action_verify verify;	/* "verify", only where it is not "digest" */
	struct ebb_planhead_sum sum;
	struct ebb_planhead_sum refused[EBB_REFUSE_COUNT];
	struct ebb_planhead_packed packed;
	const struct ebb_shrink_kind *sampled;	/* whose `rule` means nothing here */
	size_t nsampled;
};

struct ebb_planhead_limits {
	int64_t max_delete, max_objects, max_bytes, max_errors, max_cost;	/* -1: none; cost in nano-units */
	int64_t max_delete_ppm;
	const char *window;		/* or NULL */
};

struct ebb_planhead {
	int64_t now;			/* ns since the epoch */
	const char *currency;
	uint8_t rules_digest[32], prices_digest[32];
	struct ebb_planhead_store *stores;
	size_t nstores;
	struct ebb_planhead_limits limits;
	struct ebb_planhead_sum all;
	struct ebb_planhead_sum kept, held, unmatched;	/* see policies/decide.h */
	struct ebb_planhead_sum older;	/* the same; "older", only where there are any */
	struct ebb_planhead_rule *rules;
	size_t nrules;
};

/* Append the line, with its newline. The same header gives the same bytes. Returns 0 or -EBB_ENOMEM. */
int ebb_planhead_write(struct ebb_buf *out, const struct ebb_planhead *h, struct ebb_err *err);

/* Read a header, checking every member. Everything lives in @arena. Returns 0, the line's code, -EBB_ENOMEM. */
int ebb_planhead_read(struct ebb_jsonline *l, struct ebb_arena *arena, struct ebb_planhead *ret);

/* Store by name, or NULL. */
const struct ebb_planhead_store *ebb_planhead_store(const struct ebb_planhead *h, const char *name);

/* A plan made of copies (ebb transfer plan). */
bool ebb_planhead_transfers(const struct ebb_planhead *h);

/* Add the amounts of one object, saturating. */
void ebb_planhead_add(struct ebb_planhead_sum *to, const struct ebb_planhead_sum *what);

#endif
