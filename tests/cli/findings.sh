#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Findings: a dataset is stale only if all of it is; two formats of the same weights; unpacked archives; abandoned runs; empty folders; with money.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
# shellcheck source=tests/support/runs.sh
. "$EBB_SRC/tests/support/runs.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-01T00:00:00Z
put data/sets/cold/a.bin 100000
put data/sets/cold/sub/b.bin 50000
put data/sets/mixed/a.bin 100000
put data/sets/mixed/new.bin 1000
put data/model/pytorch_model.bin 60000
put data/model/model.safetensors 60000
put data/model/training_args.bin 10
put data/only/pytorch_model.bin 60000
put data/packed/one.tar.gz 30000
put data/packed/one/file 30000
put data/packed/two.zip 30000
mkdir -p data/packed/two data/hollow/in/side data/half/empty
put data/half/file 10
put data/runs/dead/checkpoint-100/config.json 100
: >data/runs/dead/checkpoint-100/model.safetensors
put data/runs/alive/checkpoint-100/model.safetensors 5000
old 400 data
old 5 data/sets/mixed/new.bin
cat >prices.yaml <<END
version: 1
name: here
date: 2026-10-01
currency: USD
source: made up
confidence: sample
classes: {NVME: {storage: 1000/GiB-month, source: made up}}
END
cat >ebb.yaml <<END
version: 1
stores: {s: {type: fs, path: "$PWD/data", class: NVME}}
prices: [./prices.yaml]
datasets: [{match: "sets/{set}/**", kind: set}]
rules: []
END
run "$EBB" scan
run "$EBB" findings
expect_status 0
run "$EBB" findings --json
expect_status 0
[[ $(jq -r '[.finding, .what, .objects, .bytes] | join(" ")' <<<"$out") == 'stale_dataset sets/{set}/** set=cold 2 150000
two_formats model/ 1 60000
unpacked_archive packed/one.tar.gz 1 30000
abandoned_run runs/dead/checkpoint-* 2 100
empty_folder half/empty/ 0 0
empty_folder hollow/ 0 0
empty_folder packed/two/ 0 0' ]] || unexpected 'other findings'
[[ $(jq -r 'select(.finding == "two_formats") | .saving_month_nano' <<<"$out") -gt 50000000 ]] || unexpected 'without money'
run "$EBB" findings --idle 500d --json
[[ -z $(grep -E 'stale|abandoned' <<<"$out" || true) ]] || unexpected 'stale too early'
run "$EBB" findings nowhere
expect_status 1

# The same as a rule: it acts on a dataset of which it meets every file, and not on the old files of another.
sed -i 's|^rules: .*|rules: [{name: stale, match: "sets/**", when: "idle > 180d", all_of: dataset, do: delete}]|' ebb.yaml
run "$EBB" plan -o plan.jsonl
expect_status 0
expect_out 'the rule does not meet every file of their dataset'
[[ $(jq -r 'select(.action) | .path' plan.jsonl | tr '\n' ' ') == 'sets/cold/a.bin sets/cold/sub/b.bin ' ]] || unexpected 'another dataset goes'
run "$EBB" explain s:sets/mixed/a.bin
expect_out 'the plan leaves it alone: the rule does not meet every file'
sed -i 's|all_of: dataset|all_of: data|' ebb.yaml
run "$EBB" check
expect_status 3
expect_err 'valid are dataset'
