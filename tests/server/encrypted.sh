#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A bucket over TLS with an authority of one's own, in a path and as the name of a host; and encryption by the server: files are tiered
# into it and back, and another client sees what it is encrypted with.

. "$EBB_SRC/tests/support/server.sh"

bucket=$(new_bucket)
# config ENDPOINT [OPTION]: of the store 'lake'
config() {
	cat >ebb.yaml <<-YAML
	version: 1
	stores:
	  files: {type: fs, path: $PWD/files}
	  lake: {type: s3, bucket: $bucket, endpoint: "$1", region: us-east-1${2:+, $2}}
	rules:
	  - {name: up, store: files, when: "size > 0", do: tier, to: lake}
	YAML
}
mkdir files
head -c 20000000 /dev/urandom >files/large
printf small >files/small
cp -a files before
export no_proxy='*'

# there_and_back: what lies in 'files' goes into the bucket, is looked at by the caller's words, and comes back
there_and_back() {
	rm -rf "$HOME/index" # another address is another store
	export EBB_INDEX=$HOME/index
	run "$EBB" scan
	expect_status 0
	run "$EBB" plan -o plan.jsonl
	expect_status 0
	run "$EBB" apply plan.jsonl
	expect_status 0
	expect_out '2 applied'
	"$@"
	run "$EBB" undo last
	expect_status 0
	run diff -r before files
	expect_status 0
	rm plan.jsonl
}

# --- Nobody is believed who cannot show a certificate of the right authority ---
config "$RGW_HTTPS"
run "$EBB" scan lake
expect_status 4
expect_err certificate

# --- In a path, and as the name of a host ---
config "$RGW_HTTPS" "ca_file: $RGW_CA"
there_and_back aws s3api head-object --bucket "$bucket" --key small >/dev/null
config "$RGW_HOSTS" "ca_file: $RGW_CA"
there_and_back aws s3api head-object --bucket "$bucket" --key large >/dev/null

# --- A key of the server's ---
encrypted() {
	local key
	for key in small large; do
		run aws s3api head-object --bucket "$bucket" --key "$key"
		expect_out '"ServerSideEncryption": "aws:kms"'
		expect_out '"SSEKMSKeyId": "testkey-1"'
		aws s3 cp "s3://$bucket/$key" - | cmp - "before/$key" || fail "$key cannot be read by others"
	done
}
config "$RGW_HTTPS" "ca_file: $RGW_CA, sse: 'aws:kms', sse_key: testkey-1"
there_and_back encrypted
