#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P3
# What changed between plan and apply, or between apply and undo, is skipped and named; single objects come back; two plans compare.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"
require_cmd jq

make_stores
plan
cp plan.jsonl first.jsonl

# --- Between plan and apply (P3) ---
echo more >>hot/logs/other.log
rm hot/tmp/empty.bin
printf 'mine' >hot/logs/x/app.log.zst
chmod 600 hot/data/a/b/table.csv
run "$EBB" apply plan.jsonl
expect_status 1
expect_err 'skipped hot:logs/other.log: '
expect_err 'skipped hot:tmp/empty.bin: '
expect_err "skipped hot:logs/x/app.log: something stands at 'logs/x/app.log.zst'"
expect_err 'skipped hot:data/a/b/table.csv: '
[[ $(cat hot/logs/x/app.log.zst) == mine && -e hot/data/a/b/table.csv && ! -e cold/data/a/b/table.csv ]] ||
	fail 'something changed was touched'

# --- One object comes back, another conflicts ---
run "$EBB" restore hot:tmp/deep/junk.bin
expect_status 0
[[ -e hot/tmp/deep/junk.bin ]] || fail 'not restored'
run "$EBB" restore hot:tmp/deep/junk.bin
expect_status 1
expect_err 'no run took'
printf new >hot/data/sparse.csv
run "$EBB" undo last
expect_status 1
expect_err 'skipped hot:data/sparse.csv: '
[[ $(cat hot/data/sparse.csv) == new && -e cold/data/sparse.csv ]] || fail 'undo overwrote something'
rm hot/data/sparse.csv
run "$EBB" --json undo last
expect_status 0
[[ $(jq -r .done <<<"$out") == 1 && $(stat -c %s hot/data/sparse.csv) == $((4 * 1024 * 1024 + 3)) ]] ||
	unexpected 'the rest did not come back'

# --- Two plans ---
run "$EBB" scan --quiet
run "$EBB" plan -o second.jsonl
run "$EBB" diff first.jsonl second.jsonl --json
expect_status 0
[[ $(jq -r 'select(.change == "removed") | .path' <<<"$out") == tmp/empty.bin ]] || unexpected 'removed'
[[ $(jq -c 'select(.change == "totals") | [.added, .removed]' <<<"$out") == '[0,1]' ]] || unexpected 'totals'
run "$EBB" diff second.jsonl first.jsonl --json
[[ $(jq -r 'select(.change == "added") | .path' <<<"$out") == tmp/empty.bin ]] || unexpected 'added'
run "$EBB" diff second.jsonl second.jsonl
expect_out '0 added, 0 removed, 0 changed'
