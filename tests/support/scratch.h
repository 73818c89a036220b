/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scratch folders for tests, below $TMPDIR. Those of tests that fail stay, to be looked at. */
#ifndef EBB_TESTS_SUPPORT_SCRATCH_H
#define EBB_TESTS_SUPPORT_SCRATCH_H

/*
 * A new empty folder, absolute; removed with all in it when the process exits. A few per process.
 * Aborts on failure.
 */
const char *ebb_scratch_new(void);

#endif
