/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The price books that ship with ebb, all in one set, as of 2026-11-23. Failing to read them fails
 * the test.
 *
 * Threads: one.
 */
#ifndef EBB_TESTS_SUPPORT_SHIPPED_H
#define EBB_TESTS_SUPPORT_SHIPPED_H

#include "core/arena.h"
#include "policies/price.h"

#define EBB_SHIPPED_NOW (INT64_C(1795392000) * 1000000000)

struct ebb_shipped {
	struct ebb_arena arena;
	struct ebb_price_books *books;
};

void ebb_shipped_load(struct ebb_shipped *s);
void ebb_shipped_release(struct ebb_shipped *s);

#endif
