#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P9
# What verifying reads back is paid for: by the level of the rule, the class, and the way; before an archive class, in the plain one.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-20T12:00:00Z
mkdir files lake
head -c 64M /dev/zero >files/a	# a sixteenth of a GiB
touch -d 2025-01-01 files/a
# config CLASS WORDS [STORE]: a directory at the prices of a bucket, which compares nothing by itself
config() {
	cat >ebb.yaml <<END
version: 1
stores:
  files: {type: fs, path: "$PWD/files", class: NVME}
  lake: {${3:-type: fs, path: "$PWD/lake"}, provider: aws, region: us-east-1, class: $1}
prices: [onprem, aws]
rules:
  - {name: up, store: files, match: "**", do: tier, to: lake$2}
END
}
once() {
	run "$EBB" plan -o plan.jsonl files
	expect_status 0
	sed -n 3p plan.jsonl | jq .one_off_nano
}
config STANDARD ', verify: size'
run "$EBB" scan files
size=$(once)
config STANDARD ''
digest=$(once)
# a GET of 0.0000004, and bytes to the internet for 0.09 a GiB
((digest - size == 400 + 90000000 / 16)) || fail "reading back costs $((digest - size)) billionths"
config STANDARD ', verify: checksum'
[[ $(once) == "$digest" ]] || fail 'where nothing is compared while it is written, it is read back'
config STANDARD_IA ', verify: size'
size=$(once)
config STANDARD_IA ''
digest=$(once)
((digest - size == 1000 + (10000000 + 90000000) / 16)) || fail "reading back from STANDARD_IA costs $((digest - size))"

# --- An archive class: written and read back in STANDARD, and put to sleep by a second write ---
config DEEP_ARCHIVE ', verify: size'
size=$(once)
config DEEP_ARCHIVE ''
run "$EBB" check
expect_status 0
digest=$(once)
((digest - size == 400 + 90000000 / 16)) || fail "reading back before DEEP_ARCHIVE costs $((digest - size))"
((size == 5000 + 50000)) || fail "two writes cost $size"
config DEEP_ARCHIVE ', verify: checksum'
[[ $(once) == "$digest" ]] || fail 'where nothing is compared while it is written, it is read back'
