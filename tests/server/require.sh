#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# require: a bucket that others can read, or that does not encrypt, is refused before anything is done with it.

. "$EBB_SRC/tests/support/server.sh"

bucket=$(new_bucket)
mkdir data
echo secret >data/f
write_config() {
	cat >ebb.yaml <<-END
	version: 1
	stores:
	  d: {type: fs, path: $PWD/data}
	  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1, class: STANDARD, require: {$1}}
	rules:
	  - {name: away, store: d, when: "size > 0", do: tier, to: lake}
	limits: {max_delete: 100%}
	END
}
export EBB_INDEX=$HOME/index
write_config 'private: true'
run "$EBB" scan
expect_status 0
run "$EBB" plan -o plan.jsonl
expect_status 0

# by its access list, by its policy
aws s3api put-bucket-acl --bucket "$bucket" --acl public-read
run "$EBB" apply plan.jsonl
expect_status 4
expect_err "store 'lake' must be private, but"
aws s3api put-bucket-acl --bucket "$bucket" --acl authenticated-read
run "$EBB" apply plan.jsonl
expect_status 4
expect_err 'must be private, but'
aws s3api put-bucket-acl --bucket "$bucket" --acl private
cat >policy.json <<END
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::$bucket/*"}]}
END
aws s3api put-bucket-policy --bucket "$bucket" --policy file://policy.json
run "$EBB" apply plan.jsonl
expect_status 4
expect_err 'is public by its policy'
[[ -e data/f ]] || fail 'it was moved'
aws s3api delete-bucket-policy --bucket "$bucket"

# encryption: by nobody
write_config 'private: true, encrypted: true'
run "$EBB" apply plan.jsonl
expect_status 4
expect_err 'must be encrypted'
[[ -e data/f ]] || fail 'it was moved'
run "$EBB" check
expect_status 0
write_config 'secret: true'
run "$EBB" check
expect_status 3
write_config 'private: true'
run "$EBB" apply plan.jsonl
expect_status 0
expect_out '1 applied'
