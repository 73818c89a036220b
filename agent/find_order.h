/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The orders that `ebb find --order-by FIELD --limit 0` reads: built when first asked for, kept until the next scan.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_FIND_ORDER_H
#define EBB_AGENT_FIND_ORDER_H

#include "agent/app.h"
#include "agent/cli.h"
#include "core/record.h"

/*
 * Have the order by @field of every store that @args name (core/order.h). Takes the run lock when one must be built: the
 * caller has neither index nor snapshot open.
 *
 * @return  0; -EBB_ELOCKED; what the index returns.
 */
int ebb_find_order_build(struct ebb_app *app, const struct ebb_cli_args *args, enum ebb_field field,
			 struct ebb_err *err);

#endif
