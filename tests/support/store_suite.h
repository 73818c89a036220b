/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The conformance suite of stores: one test per clause of scanners/store.h, run for every store of
 * a table. The tests are in store_suite_io.c (objects), store_suite_tree.c (names),
 * store_suite_resume.c (going on) and store_suite_object.c (what only object stores do); the helpers
 * below fail the test when something goes wrong.
 */
#ifndef EBB_TESTS_SUPPORT_STORE_SUITE_H
#define EBB_TESTS_SUPPORT_STORE_SUITE_H

#include <check.h>

#include "core/buf.h"
#include "core/mem.h"
#include "scanners/store.h"

/* A store to test: opened empty, by the test's own process. */
struct ebb_store_suite_row {
	const char *name;
	struct ebb_store *(*open)(void);
	bool racy;	/* of several writers of a key the losers may be seen, and hide the winner, for a moment */
	bool blind;	/* writes have no preconditions: of several writers of a key more than one may win */
	void (*pass)(int hours);	/* let time pass for what is thawed; NULL: nobody can */
	bool coarse;	/* tells times in seconds, so that a change of metadata may be invisible for one */
};

/* Add all tests to @suite, for each of the @n rows, which must live as long as it. */
void ebb_store_suite_add(Suite *suite, const struct ebb_store_suite_row *rows, int n);

/* The parts; for store_suite.c. */
void ebb_store_suite_io_add(TCase *tcase, int n);
void ebb_store_suite_tree_add(TCase *tcase, int n);
void ebb_store_suite_object_add(TCase *tcase, int n);
void ebb_store_suite_resume_add(TCase *tcase, int n);

/* Open the store of row @i. */
struct ebb_store *ebb_store_suite_open(int i);

/* The row that the open store belongs to. */
const struct ebb_store_suite_row *ebb_store_suite_row(void);

/* Whether setting metadata shows in the record at once. */
bool ebb_store_suite_sees_meta(struct ebb_store *s);

/*
 * Fail unless @rc is -@code; 0 is success. @err is shown, checked to be filled on failure, and
 * cleared.
 */
void ebb_store_suite_expect(int64_t rc, int code, struct ebb_err *err);

/* Write an object in one go; what commit says about it to @ret, which may be NULL. */
void ebb_store_suite_write(struct ebb_store *s, const char *key, const void *data, size_t len,
			   struct ebb_record *ret);

/*
 * Those of @n keys that the store takes, into @taken; how many. Some refuse keys that are not UTF-8, or that they cannot encode, with
 * EBB_EINVAL and before anything is written.
 */
size_t ebb_store_suite_taken(struct ebb_store *s, const char *const keys[], size_t n, const char *taken[]);

/* Remove an object, whatever its state. */
void ebb_store_suite_purge(struct ebb_store *s, const char *key);

/* Fail unless the object's content is that. */
void ebb_store_suite_content(struct ebb_store *s, const char *key, const void *data, size_t len);

/* Fail unless listing gives these keys, each followed by a blank: "a b/ b/c ". */
void ebb_store_suite_keys(struct ebb_store *s, const char *prefix, const char *after,
			  const char *keys);

/*
 * Leave a test about what the store does not have: capabilities, or'ed. What is left out is what store.h leaves out.
 */
#define SUITE_NEEDS(s, wanted)                                                                     \
	if ((ebb_store_caps(s) & (uint32_t)(wanted)) != (uint32_t)(wanted))                        \
	return

/* Make a directory where the store has such; elsewhere there is nothing to make. */
void ebb_store_suite_make_dir(struct ebb_store *s, const char *dir);

/* The store under test, closed at the end of the scope; `_i` is Check's. */
#define SUITE_STORE(s) EBB_CLEANUP(ebb_store_closep) struct ebb_store *s = ebb_store_suite_open(_i)

#endif
