/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sections of the HTML report that are bars: who has what and pays for it, and how old it is.
 *
 * Threads: main thread only.
 */
#ifndef EBB_AGENT_PAGE_DIMS_H
#define EBB_AGENT_PAGE_DIMS_H

#include "agent/report.h"

/*
 * The rows of a dimension, by cost where there are prices, else by bytes; those beyond a dozen are added up. Nothing where nothing has a value there.
 * In the pages of ebb serve values of labels are links.
 *
 * @return  0 or what the allocation failed with.
 */
int ebb_page_dims_one(const struct ebb_report *r, size_t dim, const char *title, struct ebb_err *err);

/* The first labels, class, store, jurisdiction, type. */
int ebb_page_dims_all(const struct ebb_report *r, struct ebb_err *err);

/* By time since last access and last change. */
void ebb_page_dims_ages(const struct ebb_report *r);

#endif
