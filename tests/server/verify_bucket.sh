#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# verify in a bucket: within --max-download only, by entity tags where they are checksums of the content.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq

bucket=$(new_bucket)
head -c 3000 /dev/urandom >data
for k in a b c; do
	aws s3api put-object --bucket "$bucket" --key "rot/$bucket-$k" --body data >/dev/null
done
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1, class: STANDARD}
END
export EBB_INDEX=$HOME/index
run "$EBB" scan lake
expect_status 0
run "$EBB" verify
expect_status 0
expect_err 'within --max-download only'
run "$EBB" verify --max-download 6KB --json
expect_status 0
[[ $(jq -r '"\(.verified) \(.covered)/\(.objects)"' <<<"$out") == '2 2/3' ]] || unexpected '6 KB are two objects'
run "$EBB" verify --max-download 6KB --json
[[ $(jq -r '"\(.verified) \(.covered)/\(.objects)"' <<<"$out") == '2 3/3' ]] || unexpected 'the third, and the first again'
# an entity tag of parts is no checksum of the whole
aws s3api delete-object --bucket "$bucket" --key "rot/$bucket-c"
aws configure set default.s3.multipart_threshold 5MB
head -c 6000000 /dev/urandom >large
aws s3 cp --quiet large "s3://$bucket/large"
run "$EBB" scan lake
run "$EBB" verify --max-download 1GB --json
expect_status 0
[[ $(jq -r '"\(.verified) \(.unknown)/\(.objects)"' <<<"$out") == '2 1/2' ]] || unexpected 'nothing is known of what came in parts'
