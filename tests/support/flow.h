/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Trees from text in tests, without a YAML reader: flow style alone, {key: value, ...} and [value,
 * ...], over as many lines as one likes. Scalars are "quoted" (with \" and \\) or run to the next
 * of , : ] } or the end of the line. Lines and columns are those of the text.
 */
#ifndef EBB_TESTS_SUPPORT_FLOW_H
#define EBB_TESTS_SUPPORT_FLOW_H

#include "core/arena.h"
#include "core/err.h"
#include "core/tree.h"

/* The tree of @text, named @name in messages; NULL (with @err filled) when it is malformed. */
const struct ebb_tree_node *ebb_flow_parse(struct ebb_arena *arena, const char *name,
					   const char *text, struct ebb_err *err);

#endif
