#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P13
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

# --- A key of ours, which the server does not keep: others see nothing without it, and it is nowhere in what we write ---
openssl rand -base64 32 >key
secret=$(<key)
sum=$(base64 -d key | openssl md5 -binary | base64)
ours() {
	local key
	for key in small large; do
		! aws s3api head-object --bucket "$bucket" --key "$key" 2>/dev/null || fail "$key is read without the key"
		aws --endpoint-url "$RGW_HTTPS" --ca-bundle "$RGW_CA" s3api get-object --bucket "$bucket" --key "$key" --sse-customer-algorithm AES256 \
			--sse-customer-key "$secret" --sse-customer-key-md5 "$sum" got >/dev/null
		cmp got "before/$key" || fail "$key cannot be read with the key"
	done
}
config "$RGW_HTTPS" "ca_file: $RGW_CA, sse: customer, sse_key: 'file:$PWD/key'"
there_and_back ours
! grep -rqF "$secret" "$EBB_INDEX" ebb.yaml || fail 'the key is in a file of ours'
export LAKE_KEY=$secret
config "$RGW_HTTPS" "ca_file: $RGW_CA, sse: customer, sse_key: 'env:LAKE_KEY'"
# Deleted in a bucket with versions: this server makes no copies of what is encrypted so, and then nothing is done.
printf here >here
put_gone() {
	aws --endpoint-url "$RGW_HTTPS" --ca-bundle "$RGW_CA" s3api put-object --bucket "$bucket" --key gone --body here \
		--sse-customer-algorithm AES256 --sse-customer-key "$secret" --sse-customer-key-md5 "$sum" >/dev/null
	sed -i 's/^  - .*/  - {name: go, store: lake, match: "gone", when: "size > 0", do: delete}\nlimits: {max_delete: 100%}/' ebb.yaml
	run "$EBB" -vv scan
	expect_status 0
	rm -f plan.jsonl
	run "$EBB" plan -o plan.jsonl
	expect_status 0
	run "$EBB" -vv apply plan.jsonl
	[[ $out$err != *"$secret"* ]] || fail 'the key is logged'
	! grep -rqF -e "$secret" "$EBB_INDEX" plan.jsonl || fail 'the key stands in a plan, a journal or the index'
}
put_gone
expect_status 1
expect_err '501 NotImplemented'
bucket=$(new_bucket)
aws s3api put-bucket-versioning --bucket "$bucket" --versioning-configuration Status=Enabled
config "$RGW_HTTPS" "ca_file: $RGW_CA, sse: customer, sse_key: 'env:LAKE_KEY'"
rm -rf "$EBB_INDEX"
put_gone
expect_status 0
expect_out '1 applied'
run "$EBB" undo last
expect_status 0
run "$EBB" get lake:gone
expect_status 0
expect_out here

# --- Refused with a remedy ---
config "$RGW_HTTPS" "ca_file: $RGW_CA, sse: customer, sse_key: '$secret'"
run "$EBB" check
expect_status 3
expect_err 'where the key is, never the key'
config "$RGW_ENDPOINT" "sse: customer, sse_key: 'env:LAKE_KEY'"
run "$EBB" scan lake
expect_status 3
expect_err 'over https only'
config "$RGW_HTTPS" "ca_file: $RGW_CA, sse: customer, sse_key: 'env:LAKE_KEY'"
run env LAKE_KEY=short "$EBB" scan lake
expect_status 3
expect_err 'is no key'
