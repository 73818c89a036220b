#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1 P14
#
# Into a store that is declared to be an archive, and out of one and back, where archives sleep as AWS has them: a copy is read back before its
# original goes, so it is written where it can be read and goes to sleep last.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq python3

bucket=$(new_bucket)
archive_proxy
mkdir files cold
head -c 300000 /dev/urandom >files/a
cp files/a "$HOME/data"
aws s3api put-object --bucket "$bucket" --key down/x --body "$HOME/data" --storage-class GLACIER >/dev/null
seq 50000 >"$HOME/log"
aws s3api put-object --bucket "$bucket" --key logs/y --body "$HOME/log" --storage-class GLACIER >/dev/null
aws s3api put-object --bucket "$bucket" --key down/z --body "$HOME/data" --storage-class STANDARD >/dev/null
cat >ebb.yaml <<END
version: 1
stores:
  deep: {type: s3, bucket: $bucket, prefix: deep/, endpoint: "http://127.0.0.1:$(cat port)", region: us-east-1, class: DEEP_ARCHIVE}
  lake: {type: s3, bucket: $bucket, endpoint: "http://127.0.0.1:$(cat port)", region: us-east-1, class: STANDARD, exclude: ["deep/**"]}
  files: {type: fs, path: $PWD/files}
  cold: {type: fs, path: $PWD/cold}
rules:
  - {name: up, store: files, when: "size > 0", do: tier, to: deep}
  - {name: down, store: lake, match: "down/**", when: "size > 0", do: tier, to: cold}
  - {name: logs, store: lake, match: "logs/**", when: "size > 0", do: compress}
END
export EBB_INDEX=$HOME/index EBB_NOW=2028-01-01T00:00:00Z
run "$EBB" scan
run "$EBB" plan -o plan.jsonl
expect_status 0
[[ $("$EBB" show --json plan.jsonl | jq -s 'map(select(.action)) | length') -eq 4 ]] || fail "plan: $("$EBB" show plan.jsonl)"
class_of() {
	aws s3api head-object --bucket "$bucket" --key "$1" | jq -r '.StorageClass // "STANDARD"'
}

run "$EBB" apply plan.jsonl --thaw standard
expect_status 7
expect_err '2 objects are being thawed'
[[ -e files/a && ! -e cold/down/z ]] || fail 'something was done'
pass 13
run "$EBB" apply plan.jsonl
expect_status 0
expect_out '4 applied'
[[ ! -e files/a && $(class_of deep/a) == DEEP_ARCHIVE ]] || fail "'deep/a' is in class $(class_of deep/a)"
cmp cold/down/x "$HOME/data"

# undo reads what sleeps by now, and gives each back into the class that it was in
run "$EBB" undo last
expect_status 7
[[ ! -e files/a ]] || fail 'something was done'
run "$EBB" undo last --thaw standard
expect_status 7
pass 13
run "$EBB" undo last
expect_status 0
expect_out '4 given back'
cmp files/a "$HOME/data"
[[ "$(class_of down/x) $(class_of logs/y) $(class_of down/z)" == 'GLACIER GLACIER STANDARD' ]] ||
	fail "given back into $(class_of down/x), $(class_of logs/y), $(class_of down/z)"
[[ ! -e cold/down/x ]] || fail 'the copy stays'
[[ -z $(aws s3api list-objects-v2 --bucket "$bucket" --prefix deep/ | jq -r '.Contents[]?.Key') ]] || fail 'the copy stays'
