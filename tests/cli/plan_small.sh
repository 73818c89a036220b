#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Small objects: no rule moves them one by one into an archive class; the plan says what that would have cost, and what packs would.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_NOW=2026-06-01T00:00:00Z
mkdir lake
for i in $(seq -w 100); do
	head -c 20480 /dev/zero >"lake/$i.json"
done
head -c 30000000 /dev/zero >lake/large.bin
touch -a -m -d 2025-01-01T00:00:00Z lake/*

cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: fs, path: $PWD/lake, class: STANDARD, provider: aws, region: us-east-1}
prices: [aws]
rules:
  - {name: old, store: lake, when: "age > 180d", do: tier, class: DEEP_ARCHIVE}
END
run "$EBB" --index idx scan
expect_status 0
run "$EBB" --index idx plan -o plan.jsonl
expect_status 0
expect_out 'old: one by one, 0.0050 USD once and 0.000021 USD saved a month; in 1 pack, 0.000091 USD once and 0.000042 USD a month'
expect_out 'it would cost more than it saves'

# the one that pays is planned; the others are counted
run "$EBB" show --json plan.jsonl
expect_status 0
[[ $(jq -c 'select(.path) | [.path, .to_class, .to_store]' <<<"$out") == '["large.bin","DEEP_ARCHIVE",null]' ]] ||
	unexpected 'other objects are planned'
[[ $(jq -c '.rules // empty | .[0] | [.refused[0].reason, .refused[0].objects, .packed.objects, .packed.packs]' <<<"$out") == \
	'["loss",100,100,1]' ]] || unexpected 'the header counts otherwise'

# who wants it all the same says how long it may take
sed -i 's/class: DEEP_ARCHIVE/&, require: {payback: 50y}/' ebb.yaml
run "$EBB" --index idx plan -o patient.jsonl
expect_status 0
expect_no_out 'one by one'

# nor does auto, whatever the filesystem knows of reads
sed -i 's/class: DEEP_ARCHIVE.*/class: auto}/' ebb.yaml
run "$EBB" --index idx plan -o auto.jsonl
expect_status 0
run "$EBB" show --json auto.jsonl
[[ -z $(jq -r 'select(.path) | .path | select(. != "large.bin")' <<<"$out") ]] || unexpected 'small objects are planned'
