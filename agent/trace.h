/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Traces of reads, as CSV files with a heading (RFC 4180; columns in any order, others are ignored):
 *
 *   objects   object,size_bytes,created       one line per object
 *   reads     date,object,bytes_read          one line per object and day on which it was read; lines of one day add up
 *
 * Dates are YYYY-MM-DD. Objects stay in memory (some 100 bytes each); reads stream by when they are sorted by date, and are
 * sorted in memory (16 bytes each) when they are not.
 *
 * Threads: belongs to one thread. Blocks on the filesystem.
 */
#ifndef EBB_AGENT_TRACE_H
#define EBB_AGENT_TRACE_H

#include "core/arena.h"
#include "core/err.h"
#include "core/mem.h"
#include "policies/sim.h"

/* Most objects of a trace. */
#define EBB_TRACE_MAX (UINT32_MAX - 1)

struct ebb_trace {
	struct ebb_sim_object *objects;	/* in the order of the file; days since 1970-01-01 */
	char **names;
	uint32_t *lines;		/* of the file, for messages */
	uint32_t *sorted;		/* object numbers by name */
	size_t n, room;
	struct ebb_arena arena;		/* holds the names */
};

/*
 * Read the objects. Every failure names file and line: -EBB_ECONFIG (not a date, no number, named twice, a column is missing),
 * -EBB_ENOENT, -EBB_EACCES, -EBB_EIO, -EBB_ENOMEM. @t is released with ebb_trace_release in both cases.
 */
int ebb_trace_objects(const char *path, struct ebb_trace *t, struct ebb_err *err);
void ebb_trace_release(struct ebb_trace *t);

/* A read; days never go back. A negative return stops and is passed on. */
typedef int ebb_trace_fn(void *ctx, size_t object, int32_t day, int64_t bytes, struct ebb_err *err);

/*
 * Hand all reads to @fn by rising day, after the whole file has been checked: -EBB_ECONFIG also for an object that is not in @t
 * and for a read before the object was created.
 */
int ebb_trace_reads(const char *path, const struct ebb_trace *t, ebb_trace_fn *fn, void *ctx,
		    struct ebb_err *err);

#endif
