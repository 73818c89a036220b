/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What ebb.yaml says of every night:
 *
 *	run:      {hash: candidates, empty_trash: true, reports: ["reports/{date}.html", /var/lib/node_exporter/ebb.prom]}
 *	schedule: {at: "02:30", days: Mon-Fri, zone: Asia/Dubai, jitter: 10min, watch: 1min}
 *	stores:   {scratch: {..., watermark: {high: 90%, low: 80%}}}
 *
 * `run` is what ebb run does beside scan, plan, apply and alerts; `schedule` is when ebb agent does it. A report's format follows from the end of
 * its name; {date} is the day of the run. `zone` also is that of limits.window; without one both mean the local time of the machine.
 *
 * Threads: read-only once read.
 */
#ifndef EBB_AGENT_CONFIG_NIGHT_H
#define EBB_AGENT_CONFIG_NIGHT_H

#include "agent/schedule.h"
#include "core/arena.h"
#include "core/tree.h"

struct ebb_config_night {
	const char *hash;		/* "none", "candidates" or "all" */
	bool empty_trash;		/* remove what has expired; default false */
	const char *const *reports;	/* paths, relative ones to the folder of the configuration; NULL-terminated, or NULL */
	bool scheduled;			/* `schedule` is there */
	struct ebb_schedule schedule;
	const char *zone;		/* or NULL */
	int64_t watch;			/* ns between looks at watermarks; default a minute */
};

/*
 * Read `run` and `schedule` of @root.
 *
 * @path    of the configuration.
 * @return  0; -EBB_ECONFIG; -EBB_ENOMEM.
 */
int ebb_config_night_read(struct ebb_arena *arena, const struct ebb_tree_node *root, const char *path,
			  struct ebb_config_night *ret, struct ebb_err *err);

/* Read {high: 90%, low: 80%} as parts per million. */
int ebb_config_night_watermark(const struct ebb_tree_node *map, int *ret_high, int *ret_low, struct ebb_err *err);

/* The format of a report by the end of its file's name ("html" for a.html), or NULL. */
const char *ebb_config_night_format(const char *path);

#endif
