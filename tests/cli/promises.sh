#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every promise of README.md is a suite: tests/run --promise finds tests for each, of files and of buckets where it concerns both.
. "$EBB_SRC/tests/cli/lib.sh"

for i in $(seq 14); do
	run "$EBB_SRC/tests/run" --list --promise "P$i"
	expect_status 0
	[[ -n $out ]] || fail "no test says that it is for P$i"
	grep -qE "P${i}[,)]" "$EBB_SRC/README.md" || fail "README.md does not tell of P$i"
done
# 1 is not 10
run "$EBB_SRC/tests/run" --list --promise P1
expect_out unit/t_proof
expect_no_out p_memory
run "$EBB_SRC/tests/run" --list --promise P15
expect_status 2
