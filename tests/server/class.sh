#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P13 P14
#
# tier within a bucket: into another storage class, in place, and back; looked at with the AWS CLI and in the server's pools. What was
# changed since the plan stays. The age of an object survives, although the server's time of change moves.

. "$EBB_SRC/tests/support/server.sh"

bucket=$(new_bucket)
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1, class: STANDARD}
rules:
  - {name: cold, store: lake, when: "size > 0", do: tier, class: GLACIER}
END
head -c 5000000 /dev/urandom >data
aws s3api put-object --bucket "$bucket" --key a/big --body data --content-type a/b --metadata k=v --tagging t=1 >/dev/null
aws s3api put-object --bucket "$bucket" --key changed --body ebb.yaml >/dev/null
export EBB_INDEX=$HOME/index
run "$EBB" scan lake
expect_status 0
run "$EBB" plan lake -o plan.jsonl
expect_status 0
[[ $(grep -c '"to_class":"GLACIER"' plan.jsonl) -eq 2 ]] || unexpected 'the rule names a class'
aws s3api put-object --bucket "$bucket" --key changed --body data >/dev/null

head_of() {
	run aws s3api head-object --bucket "$bucket" --key a/big
	expect_status 0
	expect_out '"k": "v"'
	expect_out '"ContentType": "a/b"'
	jq -r '.StorageClass // "STANDARD"' <<<"$out"
}
etag=$(aws s3api head-object --bucket "$bucket" --key a/big | jq -r .ETag)

# slowly, so that the tags, which this server loses with a copy and which are put back, move the time of change into another second
slow=()
if command -v strace >/dev/null && strace -f -o /dev/null true 2>/dev/null; then
	slow=(strace -f -qq -o /dev/null -e trace=sendto -e inject=sendto:delay_enter=400000)
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
fi
run "${slow[@]}" "$EBB" apply plan.jsonl
expect_status 1
expect_out '1 applied'
expect_err 'changed: has changed'
[[ $(head_of) == GLACIER ]] || fail "it is in $(head_of)"
[[ $(aws s3api head-object --bucket "$bucket" --key a/big | jq -r .ETag) == "$etag" ]] || fail 'another entity tag'
run aws s3api get-object-tagging --bucket "$bucket" --key a/big
expect_out '"Value": "1"'
run rados -c "$RGW_CONF" -p default.GLACIER ls
[[ -n $out ]] || fail 'nothing lies in the pool of the class'

before=$("$EBB" find lake --json | jq -r 'select(.path == "a/big").mtime')
run "$EBB" scan lake
expect_status 0
run "$EBB" find lake --json
[[ $(jq -r 'select(.path == "a/big").mtime' <<<"$out") == "$before" ]] || unexpected 'its age was lost'
expect_out '"class":"GLACIER"'

run "$EBB" undo last
expect_status 0
[[ $(head_of) == STANDARD ]] || fail "it is in $(head_of)"
aws s3 cp "s3://$bucket/a/big" - | cmp - data

# --- What is compressed stays in the class of its original, and comes back into it ---
yes 'a line of a log' | head -n 20000 >log
aws s3api put-object --bucket "$bucket" --key logs/a.log --body log --storage-class GLACIER >/dev/null
sed -i 's/when: .*/match: "logs\/**", do: compress}/' ebb.yaml
run "$EBB" scan lake
run "$EBB" plan lake -o compress.jsonl
run "$EBB" apply compress.jsonl
expect_status 0
class_of() { aws s3api head-object --bucket "$bucket" --key "$1" | jq -r '.StorageClass // "STANDARD"'; }
[[ $(class_of logs/a.log.zst) == GLACIER ]] || fail 'it changed its class'
run "$EBB" undo last
expect_status 0
[[ $(class_of logs/a.log) == GLACIER ]] || fail 'it came back into another class'
