#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P4 P5 P14
# P4: the program itself is killed (SIGKILL) at the N-th call of every system call by which it changes something, for many N, in apply and
# in undo. The same command then goes on; afterwards nothing is lost, and undo gives back the trees as they were.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"
require_cmd strace
strace -f -o /dev/null true 2>/dev/null || skip 'strace cannot trace here'

# Sanitizers make each run some ten times slower: there, fewer points.
dense=12 step=4
[[ ${EBB_TEST_CONFIG:-release} == release || ${EBB_TEST_CONFIG:-} == clang ]] || dense=2 step=1
calls=(renameat2 unlinkat linkat mkdirat fsync fdatasync write pwrite64 utimensat ftruncate)
points=0

make_stores
listing hot >"$HOME/hot.before"
listing cold >"$HOME/cold.before"
cp -a hot cold "$HOME/"

fresh() {
	# the roots stay: another inode would be another store
	find hot cold -mindepth 1 -delete
	rm -rf "$EBB_INDEX/runs"
	cp -a "$HOME/hot/." hot/
	cp -a "$HOME/cold/." cold/
	plan
}

# killed CALL N COMMAND...: true when it was killed there
killed() {
	local call=$1 n=$2
	shift 2
	run strace -f -o /dev/null -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$n" "$@"
	[[ $status -eq 137 ]]
}

goes_on() {
	run "$EBB" apply plan.jsonl
	[[ $status -le 1 ]] || unexpected "apply does not go on after a kill at $1"
	[[ ! -e hot/tmp/deep/junk.bin && ! -e hot/logs/other.log && -e cold/data/a/b/table.csv ]] ||
		fail "apply is not at its end after a kill at $1"
	[[ -z $(find hot cold -name '.ebb-tmp*') ]] || fail "a temporary stayed after a kill at $1"
}

comes_back() {
	run "$EBB" undo last
	expect_status 0
	same_tree hot "$HOME/hot.before"
	same_tree cold "$HOME/cold.before"
}

for call in "${calls[@]}"; do
	for ((n = 1; n <= 400; n += (n < dense ? 1 : n / step))); do
		fresh
		killed "$call" "$n" "$EBB" apply -j 2 plan.jsonl || break
		goes_on "$call $n"
		comes_back
		points=$((points + 1))
	done
	for ((n = 1; n <= 400; n += (n < dense / 2 ? 1 : (n + 2) / step))); do
		fresh
		run "$EBB" apply plan.jsonl
		killed "$call" "$n" "$EBB" undo last || break
		comes_back
		points=$((points + 1))
	done
done
echo "$points crash points"
[[ $points -gt $((dense * 5)) ]] || fail "only $points crash points"
