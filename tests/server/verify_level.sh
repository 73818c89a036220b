#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1
#
# `verify: checksum` on a real store: what it has compared while it was written is not read back, `digest` is; either way the bytes are there, and
# come back.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq

# How many bytes of contents the server has sent from the bucket so far.
sent() {
	gets "$1" >/dev/null # all are shown then
	radosgw-admin -c "$RGW_CONF" --name client.rgw usage show --show-log-sum=false 2>/dev/null |
		jq --arg b "$1" '[.entries[].buckets[] | select(.bucket == $b) | .categories[] | select(.category == "get_obj") | .bytes_sent] | add // 0'
}

# tier LEVEL: two files go into a new bucket, one of them in parts; sets `sent`, bytes that were read back
tier() {
	bucket=$(new_bucket)
	rm -rf files before "$HOME/index" plan.jsonl
	mkdir files
	head -c 20000000 /dev/urandom >files/large
	printf small >files/small
	cp -a files before
	cat >ebb.yaml <<-YAML
	version: 1
	stores:
	  files: {type: fs, path: $PWD/files}
	  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1}
	rules:
	  - {name: up, store: files, when: "size > 0", do: tier, to: lake, verify: $1}
	YAML
	export EBB_INDEX=$HOME/index
	run "$EBB" scan
	expect_status 0
	run "$EBB" plan -o plan.jsonl
	expect_status 0
	[[ $(tail -n +3 plan.jsonl | jq -r '.verify // "digest"' | sort -u) == "$1" ]] || fail "the plan says nothing of '$1'"
	run "$EBB" apply plan.jsonl
	expect_status 0
	expect_out '2 applied'
	[[ ! -e files/large && ! -e files/small ]] || fail 'an original stands'
	sent=$(sent "$bucket")
	for key in large small; do
		aws s3 cp "s3://$bucket/$key" - | cmp - "before/$key" || fail "$key is not what it was"
	done
}

tier checksum
((sent < 100000)) || fail "$sent bytes were read back of what the store had compared"
run "$EBB" undo last
expect_status 0
run diff -r before files
expect_status 0
tier digest
((sent >= 20000005)) || fail "only $sent bytes were read back"
