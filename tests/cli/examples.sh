#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The three configurations in contrib/examples, each as its first lines say, on folders of the test: scheduled tiering, dry run before a migration, cron
# clean-up of stale datasets.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$PWD/idx EBB_NOW=2026-11-21T12:00:00Z TZ=UTC AWS_EC2_METADATA_DISABLED=true # a Saturday: within the window
mkdir -p data/scratch/{models/prod,datasets/{old,new}/KEEP,users/ann} data/cold data/files/hr
file() { # PATH SIZE DATE
	head -c "$2" /dev/urandom >"data/$1"
	touch -d "$3" "data/$1"
}
example() { sed "s|/data/|$PWD/data/|" "$EBB_SRC/contrib/examples/$1.yaml" >"$1.yaml"; }

# --- Scheduled tiering ---
file scratch/models/prod/w.bin 2M 2026-01-01
file scratch/run1.bin 2M 2026-01-01
file scratch/run2.bin 2M 2026-11-01
seq 1 200000 >data/cold/train.log
touch -d 2026-01-01 data/cold/train.log
example tiering
run "$EBB" --config tiering.yaml check
expect_status 0
run "$EBB" --config tiering.yaml scan
run "$EBB" --config tiering.yaml run -n
expect_status 0
expect_err '2 would be done'
run "$EBB" --config tiering.yaml run
expect_status 0
[[ -e data/cold/run1.bin && -e data/cold/train.log.zst && -e data/scratch/run2.bin && -e data/scratch/models/prod/w.bin ]] ||
	fail 'tiering did something else'
grep -q '<html' reports/2026-11-21.html || fail 'no report'

# --- Dry run before a migration: nothing changes, the bucket is not asked ---
rm -rf idx reports
file files/big.bin 3M 2026-01-01
file files/hr/pay.csv 300K 2026-01-01
file files/small.txt 1K 2026-01-01
example migration
run "$EBB" --config migration.yaml scan files
expect_status 0
run "$EBB" --config migration.yaml plan files --output migration.jsonl
expect_status 0
expect_out 'large and old'
expect_err 'the plan can be read, but not applied'
run "$EBB" --config migration.yaml apply migration.jsonl
expect_status 4
run "$EBB" --config migration.yaml show --json migration.jsonl
[[ $(jq -r 'select(.n) | .path' <<<"$out" | sort | tr '\n' ' ') == 'big.bin hr/pay.csv ' ]] || unexpected 'what would move'
[[ $(jq 'select(.totals) | .totals.one_off_nano' <<<"$out") -gt 0 ]] || unexpected 'a move into a bucket costs something'
run "$EBB" --config migration.yaml report --format html --plan migration.jsonl
expect_status 0
expect_out '<html'
[[ $(find data/files -type f | wc -l) -eq 3 ]] || fail 'something changed'

# --- Cron clean-up of stale datasets ---
rm -rf idx reports data/scratch
mkdir -p data/scratch/{datasets/{old,new}/KEEP,users/ann}
file scratch/datasets/old/part-0 100K 2026-01-01
file scratch/datasets/old/KEEP/readme 1K 2026-01-01
for i in 1 2 3 4 5 6; do file "scratch/datasets/new/part-$i" 10K 2026-11-10; done
file scratch/users/ann/x.tmp 10K 2026-09-01
file scratch/users/ann/notes 10K 2026-03-01
example cleanup
run "$EBB" --config cleanup.yaml check
expect_status 0
run "$EBB" --config cleanup.yaml scan
run "$EBB" --config cleanup.yaml run -n
expect_status 0
expect_err '2 would be done'
run "$EBB" --quiet --config cleanup.yaml run --jitter 1s
expect_status 0
expect_no_err 'e'
[[ ! -e data/scratch/datasets/old/part-0 && ! -e data/scratch/users/ann/x.tmp ]] || fail 'stale files stayed'
[[ -e data/scratch/datasets/old/KEEP/readme && -e data/scratch/users/ann/notes && -e data/scratch/datasets/new/part-6 ]] || fail 'too much went'
run "$EBB" --config cleanup.yaml undo last
expect_status 0
[[ -e data/scratch/datasets/old/part-0 ]] || fail 'not taken back'
EBB_NOW=2026-11-28T12:00:00Z run "$EBB" --config cleanup.yaml run
EBB_NOW=2026-12-29T12:00:00Z run "$EBB" --config cleanup.yaml run
[[ -z $(find data/scratch/.ebb-trash -type f 2>/dev/null) ]] || fail 'the trash did not expire'
