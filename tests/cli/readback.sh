#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P9
# What verifying reads back is paid for: by the level of the rule, the class, and the way. From an archive class nothing can be read
# back, so nothing goes there straight away unless the rule says how else.
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

# --- An archive class ---
config DEEP_ARCHIVE ''
run "$EBB" check
expect_status 0
expect_out "rule 'up' moves nothing: what lies in DEEP_ARCHIVE in store 'lake' cannot be read back, as 'verify: digest' wants; say 'verify: checksum'"
run "$EBB" plan -n files
expect_out 'nothing to do'
expect_out "let the rule say 'verify: checksum'"
run "$EBB" explain files:a
expect_out 'could not be read back from an archive class'
config DEEP_ARCHIVE ', verify: bytes'
run "$EBB" plan -n files
expect_out 'nothing to do'
config DEEP_ARCHIVE ', verify: checksum' 'type: s3, bucket: lake'
run "$EBB" check
expect_no_out 'moves nothing'
config DEEP_ARCHIVE ', verify: bytes' 'type: s3, bucket: lake'
run "$EBB" check
expect_out "as 'verify: bytes' wants"
config GLACIER_IR ''
run "$EBB" check
expect_no_out 'moves nothing'
config DEEP_ARCHIVE ', verify: size'
[[ $(once) -gt 0 ]] || fail 'nothing goes'
