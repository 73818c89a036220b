/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recovery: brings a run that was killed to a state in which every operation is either done or not begun.
 *
 * The journal says what was open; the stores say how far it got. What had not begun is put back, to be done when the run
 * goes on; what had begun is completed. DESIGN.md has the table of kill points. Recovery may itself be killed at any point.
 *
 * Threads: main thread.
 */
#ifndef EBB_AGENT_RECOVER_H
#define EBB_AGENT_RECOVER_H

#include "agent/run.h"
#include "agent/storeset.h"

struct ebb_recover {
	size_t completed, put_back, failed;	/* operations that were open */
};

/*
 * Recover one run. The caller holds the run lock.
 *
 * @stores  the stores of the run's plan are opened into it and checked.
 * @return  1 with *ret set when the run had been killed; 0 when its last session ended in good order; negative.
 */
int ebb_recover_run(const struct ebb_run *run, struct ebb_storeset *stores, int64_t now,
		    struct ebb_recover *ret, struct ebb_err *err);

#endif
