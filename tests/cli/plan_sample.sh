#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P2 P8
# ebb plan --sample: what compressing leaves is measured, told with its error, near what apply then frees, and the same every time.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-20T12:00:00Z
mkdir -p d/logs d/mix d/noise
for i in $(seq 1 30); do seq $((i * 7)) $((i * 4000 + 9000)) >"d/logs/$i.log"; done
# one extension, two natures, and sizes from 100 KB to 2 MB: the mean is over bytes
for i in $(seq 1 20); do
	head -c $((i * 100000)) /dev/urandom >"d/mix/noise$i.dat"
	seq 1 $((i * 15000)) >"d/mix/text$i.dat"
done
head -c 3000000 /dev/urandom >d/noise/one.raw
head -c 200000 /dev/zero >d/noise/gone.tmp
find d -type f -exec touch -a -d 2025-01-01T00:00:00Z {} + -exec touch -m -d 2025-01-01T00:00:00Z {} +
cat >ebb.yaml <<END
version: 1
stores: {d: {type: fs, path: "$PWD/d", class: NVME}}
prices: [onprem]
rules:
  - {name: logs, match: "logs/**", do: compress, codec: lz4}
  - {name: rest, match: "**", do: compress, level: 9}
END
run "$EBB" scan
expect_status 0

# without samples the extension says
run "$EBB" plan -o table.jsonl
expect_status 0
[[ $(sed -n 2p table.jsonl | jq '[.rules[] | select(.sampled)] | length') -eq 0 ]] || fail 'samples that nobody asked for'

# nothing changes, neither data nor index, and the answer is always the same
find d -printf '%p %A@ %T@ %C@ %s\n' | sort >before.txt
cp "$EBB_INDEX/index.mdb" index.before
run "$EBB" plan --sample -o one.jsonl
expect_status 0
run "$EBB" plan --sample -o two.jsonl
expect_same one.jsonl two.jsonl
run "$EBB" plan --sample -n
expect_out '(95 %, by samples)'
expect_out 'rest, .raw: 32 samples of 32.0 MiB, would not shrink'
find d -printf '%p %A@ %T@ %C@ %s\n' | sort >after.txt
expect_same before.txt after.txt
expect_same index.before "$EBB_INDEX/index.mdb"

# what would not shrink is not planned, and everybody's row says by what it was judged
[[ ! $(tail -n +3 one.jsonl | jq -r 'select(.path == "noise/one.raw") | .path') ]] || fail 'noise is to be compressed'
tail -n +3 one.jsonl | jq -r .why | grep -v ' samples: [0-9.]* % +- [0-9.]* is left of such objects$' && fail 'a row without its samples'
run "$EBB" show one.jsonl
expect_status 0
expect_out 'logs, .log: 32 samples of'

# near the truth: what apply frees lies within the stated error, the table of extensions does not come near
freed() { sed -n 2p "$1" | jq ".rules[] | select(.rule == \"$2\") | .totals.freed_bytes"; }
run "$EBB" apply one.jsonl
[[ $status -le 1 ]] || unexpected 'apply'
size() { find "$1" -type f -printf '%b\n' | awk '{s += $1} END {print s * 512}'; }
allocated=$(tail -n +3 one.jsonl | jq -s 'map(select(.rule == "logs") | .alloc) | add')
really=$((allocated - $(size d/logs)))
for plan in one table; do
	said=$(freed $plan.jsonl logs)
	off=$(((said - really) * 1000 / allocated))
	echo "logs: $plan said $said of $allocated, really $really: off by $off thousandths"
	off=${off#-}
	if [[ $plan == one ]]; then
		[[ $off -le 25 ]] || fail "the sample was wrong by $off thousandths"
	else
		[[ $off -gt 25 ]] || fail 'the table is as good: this test shows nothing'
	fi
done
allocated=$(tail -n +3 one.jsonl | jq -s 'map(select(.rule == "rest") | .alloc) | add')
really=$((allocated - $(size d/mix) - $(size d/noise) + $(stat -c '%b' d/noise/one.raw) * 512))
said=$(freed one.jsonl rest)
margin=$(sed -n 2p one.jsonl | jq '.rules[] | select(.rule == "rest") | .sampled[] | select(.ext == "dat") | .bytes * .margin / 1000 | floor')
echo "rest: said $said +- $margin, really $really"
((said - really <= margin && really - said <= margin)) || fail 'the truth lies outside of the stated error'

# what changed since the scan tells nothing of the others; what cannot be looked into leaves the table's word
run "$EBB" undo last
expect_status 0
run "$EBB" scan
for i in $(seq 1 30); do echo more >>"d/logs/$i.log"; done
rm d/mix/*1[5-9].dat d/mix/*20.dat
run "$EBB" plan --sample -o three.jsonl
expect_status 0
expect_err 'is left out'
[[ $(sed -n 2p three.jsonl | jq '[.rules[] | select(.rule == "logs") | .sampled // [] | .[]] | length') -eq 0 ]] || fail 'samples of what changed'
[[ $(sed -n 2p three.jsonl | jq '.rules[] | select(.rule == "rest") | .sampled[] | select(.ext == "dat") | .samples') -lt 32 ]] ||
	fail 'files that are gone were read'
