#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What apply and plan refuse before anything is touched, with status and message: broken plans, limits, a held lock, missing mounts.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"

untouched() {
	same_tree hot "$HOME/hot.before"
	same_tree cold "$HOME/cold.before"
	[[ ! -e $EBB_INDEX/runs ]] || fail 'a run was begun'
}

require_cmd perl

make_stores
listing hot >"$HOME/hot.before"
listing cold >"$HOME/cold.before"

# --- No plan without a scan ---
run "$EBB" plan -o plan.jsonl
expect_status 5
run "$EBB" scan --quiet cold
run "$EBB" plan -o plan.jsonl
expect_status 6
expect_err "store 'hot' was never scanned: run ebb scan hot"
run "$EBB" plan
expect_status 2
plan
[[ -z $(find . -name 'plan*' ! -name plan.jsonl) ]] || fail 'leftovers beside the plan'

# --- Broken plan files ---
sed 's/"size":5000/"size":5001/' plan.jsonl >bad
run "$EBB" apply bad
expect_status 6
expect_err 'bad: plan file was altered'
head -n -1 plan.jsonl >bad
run "$EBB" apply bad
expect_status 6
head -c -5 plan.jsonl >bad
run "$EBB" apply bad
expect_status 6
expect_err 'cut off'
echo hello >bad
run "$EBB" show bad
expect_status 6
expect_err 'bad:1: not JSON'
sed '1s/ebb-plan-1/ebb-plan-9/' plan.jsonl >bad
run "$EBB" apply bad
expect_status 5
expect_err 'ebb-plan-9'
run "$EBB" apply nosuch
expect_status 2
expect_err "cannot open 'nosuch'"
untouched

# --- Limits that must hold before anything is touched ---
echo 'limits: {max_delete: 2}' >>ebb.yaml
run "$EBB" apply plan.jsonl
expect_status 7
expect_err 'deletes 3 objects'
expect_err 'nothing was done'
expect_err 'the configuration changed since the plan was made'
sed -i 's/max_delete: 2/max_delete: 5%/' ebb.yaml
run "$EBB" apply plan.jsonl
expect_status 7
expect_err 'max_delete allows 5'
sed -i 's/max_delete: 5%/window: "Sun 03:00-03:01"/' ebb.yaml # it is Friday
untouched
run env TZ=UTC "$EBB" apply plan.jsonl
expect_status 7
expect_err 'stopped by window'
rm -r "$EBB_INDEX/runs"
untouched
sed -i '/^limits/d' ebb.yaml

# --- Another run holds the lock ---
mkfifo said
perl -MFcntl -e '
	open(my $f, "+<", "$ENV{EBB_INDEX}/lock") or die;
	my $lock = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0);
	fcntl($f, F_SETLK, $lock) or die "lock: $!";
	open(my $s, ">", "said"); print $s "ready\n"; close($s);
	sleep 600;
' &
holder=$!
trap 'kill "$holder" 2>/dev/null || true' EXIT
read -r -t 60 _ <>said || fail 'the holder did not start'
run "$EBB" apply plan.jsonl
expect_status 9
run "$EBB" undo last
expect_status 9
kill -9 "$holder"
wait "$holder" 2>/dev/null || true
untouched

# --- A store is not what the plan saw: an empty folder where it was ---
mv cold cold.away
mkdir cold
run "$EBB" apply plan.jsonl
expect_status 4
expect_err "store 'cold' ($PWD/cold) is not the one that the plan saw, and it is empty: is it mounted?"
rmdir cold
run "$EBB" apply plan.jsonl
expect_status 4
mv cold.away cold
untouched
