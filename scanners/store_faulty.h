/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The faulty store: any store, with faults on a script or by chance. For tests of what happens
 * next.
 *
 * It counts calls. A fault names an operation and a number; the n-th call of that operation fails
 * instead of having its effect, or after it. A hook in place of a code stops the world at that very
 * point: a crash test counts the changes of an undisturbed run, then for each of them runs again
 * and kills itself there, before and after. Where the inner store does not outlive its process, the wrapper can die instead: from
 * that point on no call has any effect, as if the process were gone (struct ebb_store_faulty_death).
 *
 * It can also lie: say that something was done which was not, give less than there is, answer with what was, do things twice.
 *
 * Threads: as store.h says. Hooks run in the calling thread, with no lock held.
 */
#ifndef EBB_SCANNERS_STORE_FAULTY_H
#define EBB_SCANNERS_STORE_FAULTY_H

#include <stdatomic.h>

#include "scanners/store.h"

enum ebb_store_faulty_op {
	EBB_FAULTY_IDENTIFY,
	EBB_FAULTY_SPACE,
	EBB_FAULTY_LIST,
	EBB_FAULTY_HEAD,
	EBB_FAULTY_GET_META,
	EBB_FAULTY_READ_OPEN,
	EBB_FAULTY_READ,
	EBB_FAULTY_READ_HOLE,
	EBB_FAULTY_READ_VERIFY,
	EBB_FAULTY_READ_RANGE,
	EBB_FAULTY_HIDDEN,
	EBB_FAULTY_SLEEP,
	/* from here on: changes */
	EBB_FAULTY_SET_META,
	EBB_FAULTY_WRITE_OPEN,
	EBB_FAULTY_WRITE,
	EBB_FAULTY_WRITE_HOLE,
	EBB_FAULTY_WRITE_COMMIT,
	EBB_FAULTY_WRITE_ABORT,	/* cannot fail: codes are ignored */
	EBB_FAULTY_WRITE_SWEEP,
	EBB_FAULTY_RENAME,
	EBB_FAULTY_MKDIRS,
	EBB_FAULTY_RMDIR,
	EBB_FAULTY_SHARE,
	EBB_FAULTY_LINK,
	EBB_FAULTY_COPY,
	EBB_FAULTY_REPLACE,
	EBB_FAULTY_SET_CLASS,
	EBB_FAULTY_THAW,
	EBB_FAULTY_HIDE,
	EBB_FAULTY_SHOW,
	EBB_FAULTY_REMOVE,
	EBB_FAULTY_OP_COUNT,
	/* for faults and counts: any operation, any change */
	EBB_FAULTY_ANY = EBB_FAULTY_OP_COUNT,
	EBB_FAULTY_CHANGE,
	EBB_FAULTY_COUNT
};

/* A lie, in place of a failure: the call says that it succeeded, where the words below say nothing else. */
enum ebb_store_faulty_lie {
	EBB_FAULTY_HONEST,
	EBB_FAULTY_DROP,	/* changes: nothing was done. write: the bytes are lost, those behind them are not */
	EBB_FAULTY_CUT,		/* read: the object ends here, for this reader */
	EBB_FAULTY_FLIP,	/* read: one bit of what was read is another */
	EBB_FAULTY_STALE,	/* head, get-meta: what the call before said of the same key; read-open of a new key: there is none.
				 * list: as it was when it was listed before; nothing at the first time */
	EBB_FAULTY_TWICE	/* rename, share, link, copy, set-class, hide, show, remove, set-meta, mkdirs, rmdir: delivered again, and
				 * the answer is that of the second time */
};

/*
 * The death of a process, or of the way to its stores. Once @dead is set, every call of every store that shares it fails with @code and
 * has no effect; what was being written stays as it is. Wrappers of dead stores are closed as usual, but what they were writing is kept in @left until
 * ebb_store_faulty_bury: call it when nobody looks at those stores any more, and before they are closed.
 */
struct ebb_store_faulty_death {
	atomic_bool dead;
	void *left;
	int code;	/* 0: EBB_EIO */
};

/* Take away what was being written. */
void ebb_store_faulty_bury(struct ebb_store_faulty_death *d);

/* One fault; the struct is zero where nothing is said. */
struct ebb_store_faulty_fault {
	enum ebb_store_faulty_op op;
	uint64_t nth;	/* 1: the first such call; 0: every one */
	bool after;	/* the effect happens first. What was opened is closed again, a commit stands. What fails by itself keeps its code */
	int code;	/* enum ebb_err_code to fail with; 0: do not fail, only call the hook */
	enum ebb_store_faulty_lie lie;	/* instead of @code */
	void (*hook)(void *ctx);	/* called at that point; may be NULL */
	void *hook_ctx;
};

struct ebb_store_faulty_script {
	/* Borrowed until the store is closed; the first that fits a call counts. */
	const struct ebb_store_faulty_fault *faults;
	size_t nfaults;
	uint64_t seed;		/* of the faults by chance */
	/* Calls in a million that fail by chance with chance_code, half of them after the effect. */
	uint32_t per_million;
	int chance_code;
	bool short_reads;	/* reads give 1 byte to half of what was asked for, by chance */
	int64_t room;		/* bytes that can be written before -EBB_ENOSPC; 0: no limit */
	struct ebb_store_faulty_death *death;	/* borrowed; NULL: it cannot die */
};

/*
 * Wrap @inner, which is closed with the wrapper. Its name and capabilities are the inner store's.
 *
 * @script  copied but for the faults; NULL: no faults.
 * @return  0, or -EBB_ENOMEM with @inner still the caller's.
 */
int ebb_store_faulty_wrap(struct ebb_store *inner, const struct ebb_store_faulty_script *script,
			  struct ebb_store **ret, struct ebb_err *err);

/*
 * Calls of an operation so far, also of EBB_FAULTY_ANY and EBB_FAULTY_CHANGE; failed ones count.
 * Any thread.
 */
uint64_t ebb_store_faulty_count(struct ebb_store *s, enum ebb_store_faulty_op op);

/* "rename", "write-commit"; constant. */
const char *ebb_store_faulty_op_name(enum ebb_store_faulty_op op);

#endif
