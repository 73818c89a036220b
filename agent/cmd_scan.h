/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb scan, for commands of which it is a step (ebb run). Threads: main thread. */
#ifndef EBB_AGENT_CMD_SCAN_H
#define EBB_AGENT_CMD_SCAN_H

#include "agent/cli.h"
#include "agent/scan.h"

/* One store: which, and what came of it. */
struct ebb_cmd_scan_told {
	const struct ebb_config_store *store;	/* set by the caller */
	int status;				/* 0 or -EBB_E*; the index is as it was before then */
	char why[1024];			/* of the status */
	uint64_t objects, bytes;		/* in the index now */
	uint64_t added, changed, gone;
	uint64_t unreadable;			/* folders */
};

/*
 * Scan stores one after the other and tell what there is to tell on app->out. The caller holds the run lock. The failure of one does not keep
 * the others from being scanned.
 *
 * @return  0; -EBB_EPARTIAL: folders could not be read; the code of the first store that failed, told on app->err; or with a message what stopped
 *          all: -EBB_ECANCELLED, -EBB_EINDEX, -EBB_ENOMEM.
 */
int ebb_cmd_scan_stores(struct ebb_app *app, struct ebb_index *ix, const struct ebb_scan_opts *o,
			struct ebb_cmd_scan_told *told, size_t n, struct ebb_err *err);

/*
 * Digests for what was scanned: those of other stores are compared with, but need not have one.
 *
 * @args  names stores; NULL or none: all.
 * @all   of every file, not only of those that may be duplicates.
 */
int ebb_cmd_scan_hash(struct ebb_app *app, struct ebb_index *ix, const struct ebb_cli_args *args, bool all,
		      struct ebb_err *err);

#endif
