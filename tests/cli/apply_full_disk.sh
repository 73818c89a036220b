#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P4
# The destination fills up in mid-run: the run stops with status 4, nothing is lost, no temporary stays, and undo brings all of it back.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"
require_root
require_cmd mkfs.ext4 mount

make_stores
mkdir -p hot/data/big
for i in 1 2 3 4 5 6; do
	head -c 3000000 /dev/urandom >"hot/data/big/$i"
done
find hot -exec touch -h -d 2026-10-01T01:02:03.123456789Z {} +
truncate -s 12M disk
mkfs.ext4 -q -m 0 -O ^has_journal disk
mount -o loop disk cold 2>/dev/null || skip 'cannot mount a loop device here'
trap 'umount -l "$EBB_TEST_DIR/cold" 2>/dev/null || true' EXIT
listing hot >"$HOME/hot.before"
rmdir cold/lost+found
listing cold >"$HOME/cold.before"
plan

run "$EBB" apply plan.jsonl
expect_status 4
[[ $err == *'no room for'* || $err == *'No space left on device'* ]] || unexpected 'why'
expect_err 'goes on from here'
[[ -z $(find cold hot -name '.ebb-tmp*') ]] || fail 'a temporary stayed'
for i in 1 2 3 4 5 6; do
	[[ -e hot/data/big/$i || $(stat -c %s "cold/data/big/$i") == 3000000 ]] || fail "big/$i is lost"
done
run "$EBB" status
expect_out 'stopped by a limit or a failure'

run "$EBB" undo last
expect_status 0
same_tree hot "$HOME/hot.before"
same_tree cold "$HOME/cold.before"
