/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bucket's own lifecycle configuration (Amazon S3, and stores that speak it): what it says, and
 * what it would do with an object. Text and JSON of it are the agent's (lifecycle_json.h).
 *
 * As S3 does it: an object is due at the first midnight UTC after its days; expiring wins over
 * moving, and of several moves the coldest; classes only go down. Objects below 128 KiB are not
 * moved unless a rule names a size, or the configuration is of the old kind (by_class), in which
 * only archive classes take them.
 *
 * Sources: S3 user guide, "Managing the lifecycle of objects", "Transitioning objects" and
 * "Conflicts". Pure. Threads: plain data, read-only once made.
 */
#ifndef EBB_POLICIES_LIFECYCLE_H
#define EBB_POLICIES_LIFECYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below this objects are not moved by default. */
#define EBB_LIFECYCLE_SMALL (INT64_C(128) << 10)

/* When something is due. */
struct ebb_lifecycle_when {
	int64_t days;		/* after creation, or after becoming noncurrent; -1: not by days */
	int64_t date;		/* ns since the epoch; -1: not by date */
};

struct ebb_lifecycle_move {
	struct ebb_lifecycle_when when;
	const char *class;
	int64_t newer;		/* noncurrent: versions kept first; 0: none */
};

struct ebb_lifecycle_tag {
	const char *key, *value;
};

struct ebb_lifecycle_rule {
	const char *id;		/* or "" */
	bool enabled;
	const char *prefix;	/* "" for every key */
	struct ebb_lifecycle_tag *tags;
	size_t ntags;
	int64_t over, under;	/* only objects of more, of fewer bytes; -1: any */
	struct ebb_lifecycle_move *moves;
	size_t nmoves;
	bool expires;
	struct ebb_lifecycle_when expire;
	bool expire_marker;	/* delete markers without versions behind them go */
	struct ebb_lifecycle_move *old_moves;	/* of noncurrent versions */
	size_t nold_moves;
	bool old_expires;
	struct ebb_lifecycle_move old_expire;	/* class NULL */
	int64_t abort_days;	/* unfinished uploads; -1: kept */
};

struct ebb_lifecycle {
	struct ebb_lifecycle_rule *rules;
	size_t n;
	bool by_class;		/* TransitionDefaultMinimumObjectSize: varies_by_storage_class */
};

/* What becomes of an object. */
enum ebb_lifecycle_fate {
	EBB_LIFECYCLE_STAYS,	/* no rule meets it, or it is as cold as rules would make it */
	EBB_LIFECYCLE_LATER,	/* a rule will, when it is older */
	EBB_LIFECYCLE_SKIPPED,	/* due, and too small to be moved */
	EBB_LIFECYCLE_MOVES,
	EBB_LIFECYCLE_EXPIRES
};

struct ebb_lifecycle_due {
	enum ebb_lifecycle_fate fate;
	size_t rule;		/* number; not for STAYS */
	const char *class;	/* MOVES, SKIPPED */
};

/* An object as lifecycle rules see it. */
struct ebb_lifecycle_object {
	const char *key;
	size_t key_len;
	int64_t size;
	int64_t created;	/* ns since the epoch */
	const char *class;	/* it is in */
};

/* Has a rule a filter that the index knows nothing of (tags)? Such rules are left out. */
bool ebb_lifecycle_is_blind(const struct ebb_lifecycle_rule *r);

/* What a configuration would do with a current object at @now. */
struct ebb_lifecycle_due ebb_lifecycle_due(const struct ebb_lifecycle *lc,
					   const struct ebb_lifecycle_object *o, int64_t now);

#endif
