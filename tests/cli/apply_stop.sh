#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Limits on the way and signals stop a run cleanly; the same command goes on. The trash lets go what has expired, and nothing else.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"
require_cmd jq

make_stores
rm hot/logs/noise.log
listing hot >"$HOME/hot.before"
listing cold >"$HOME/cold.before"
plan

run "$EBB" apply plan.jsonl --max-objects 2
expect_status 7
expect_err 'stopped by max_objects'
expect_err 'ebb apply plan.jsonl goes on from here'
run "$EBB" apply plan.jsonl --max-bytes 1
expect_status 7
run "$EBB" status
expect_out 'stopped by a limit or a failure; applying its plan again goes on'
run "$EBB" apply plan.jsonl
expect_status 0
expect_out '7 applied'

# --- A signal: what is under way ends, the rest waits; the same command goes on ---
if strace -f -o /dev/null true 2>/dev/null; then
	run "$EBB" undo last
	expect_status 0
	rm -r "$EBB_INDEX/runs"
	plan
	# LeakSanitizer cannot work below strace
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
	run strace -f -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=SIGINT:when=2 "$EBB" apply -j 1 plan.jsonl
	expect_status 130
	expect_err 'interrupted; ebb apply plan.jsonl goes on from here'
	run "$EBB" apply plan.jsonl
	expect_status 0
	expect_out '7 applied'
else
	echo 'note: strace is missing, signals are not tested here'
fi

# --- The trash ---
run "$EBB" trash
expect_out '2026-12-20'
run "$EBB" trash --empty
expect_status 0
expect_out '0 removed for good'
export EBB_NOW=2026-12-20T11:59:59Z
run "$EBB" trash --empty
expect_out '0 removed for good'
export EBB_NOW=2026-12-20T12:00:00Z
run "$EBB" trash --empty -n
expect_out '3 would be removed for good'
[[ -n $(find hot/.ebb-trash -type f) ]] || fail 'the dry run emptied the trash'
run "$EBB" trash --empty
expect_status 0
expect_out '3 removed for good'
[[ ! -e hot/.ebb-trash ]] || fail 'the trash is still there'
run "$EBB" trash
expect_out 'nothing is in the trash'
# What is gone for good does not come back, everything else does.
run "$EBB" undo last
expect_status 1
expect_out '4 given back'
expect_err 'was removed from the trash for good'
same_tree cold "$HOME/cold.before"
[[ ! -e hot/tmp/empty.bin && -e hot/logs/x/app.log ]] || fail 'undo after the trash was emptied'
