#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P14
# undo says what cannot come back, and "last" is the run that began last, also within one second.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"

export EBB_INDEX=$HOME/idx
mkdir data
for i in 1 2 3 4; do
	head -c 5000 /dev/zero >"data/$i.tmp"
	head -c 5000 /dev/zero >"data/$i.old"
done
touch -d 2024-01-01T00:00:00Z data/*
cat >ebb.yaml <<END
version: 1
stores: {d: {type: fs, path: "$PWD/data"}}
rules:
  - {name: tmp, when: "age > 30d and ext == 'tmp'", do: delete, trash: 10d}
  - {name: old, when: "age > 30d and ext == 'old'", do: delete, trash: 30d}
limits: {max_delete: 100%}
END
run "$EBB" scan
run "$EBB" plan -o plan.jsonl
run "$EBB" apply plan.jsonl
expect_status 0
later=$(date -u -d '+20 days' +%Y-%m-%dT%H:%M:%SZ)
EBB_NOW=$later run "$EBB" trash --empty
expect_status 0
run "$EBB" undo last
expect_status 1
expect_err 'd:1.tmp'
expect_err 'was removed from the trash for good'
[[ -e data/1.old && ! -e data/1.tmp ]] || fail 'what could come back did not'
run "$EBB" undo last
expect_status 1

# Runs as quick as they can be: last is the last.
for i in 1 2 3; do
	rm -rf data/*
	head -c 5000 /dev/zero >"data/run$i.tmp"
	touch -d 2024-01-01T00:00:00Z data/*
	run "$EBB" scan --accept-losses
	run "$EBB" plan -o plan.jsonl
	run "$EBB" apply plan.jsonl
	expect_status 0
	[[ ! -e data/run$i.tmp ]] || fail "run $i did nothing"
	run "$EBB" undo last
	expect_status 0
	[[ -e data/run$i.tmp ]] || fail "undo last did not take back run $i"
done
