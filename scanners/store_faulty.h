/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The faulty store: any store, with faults on a script or by chance. For tests of what happens
 * next.
 *
 * It counts calls. A fault names an operation and a number; the n-th call of that operation fails
 * instead of having its effect, or after it. A hook in place of a code stops the world at that very
 * point: a crash test counts the changes of an undisturbed run, then for each of them runs again
 * and kills itself there, before and after.
 *
 * Threads: as store.h says. Hooks run in the calling thread, with no lock held.
 */
#ifndef EBB_SCANNERS_STORE_FAULTY_H
#define EBB_SCANNERS_STORE_FAULTY_H

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

/* One fault; the struct is zero where nothing is said. */
struct ebb_store_faulty_fault {
	enum ebb_store_faulty_op op;
	uint64_t nth;	/* 1: the first such call; 0: every one */
	bool after;	/* the effect happens first. What was opened is closed again, a commit stands */
	int code;	/* enum ebb_err_code to fail with; 0: do not fail, only call the hook */
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
