#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Buckets in ebb.yaml: what is read, what is refused, and where. No server is asked.

. "$EBB_SRC/tests/cli/lib.sh"

# config STORE: with this store in it
config() {
	printf 'version: 1\nstores:\n  lake: {type: s3, %s}\n' "$1" >ebb.yaml
	run "$EBB" check
}

# refused STORE MESSAGE
refused() {
	config "$1"
	expect_status 3
	expect_err "$2"
}

config 'bucket: lake, prefix: raw/, region: me-central-1, class: STANDARD'
expect_status 0
expect_out 's3://lake/raw/'
run "$EBB" check --json
expect_out '"location":"s3://lake/raw/"'
config 'bucket: b-1.x, endpoint: "http://127.0.0.1:7480", path_style: true, profile: ops, connections: 8, sse: "aws:kms", sse_key: k'
expect_status 0

refused 'region: eu-west-1' "key 'bucket' is missing"
refused 'bucket: lake' "a bucket needs 'region'"
refused 'bucket: la/ke, region: eu-west-1' "'la/ke' cannot name a bucket"
refused 'bucket: lake, region: eu-west-1, prefix: raw' "'prefix' must end in '/'"
refused 'bucket: lake, region: eu-west-1, path: /data' "unknown key 'path'"
refused 'bucket: lake, endpoint: "ftp://x"' "'endpoint' must be http"
refused 'bucket: lake, endpoint: "http://user:secret@x"' "'endpoint' must be http"
refused 'bucket: lake, region: eu-west-1, jurisdiction: AE' 'region eu-west-1 lies in IE, not in AE'
refused 'bucket: lake, region: eu-west-1, sse: AES256, sse_key: k' "'sse_key' goes with"
refused 'bucket: lake, region: eu-west-1, connections: 0' "'connections' must be from 1"
refused 'bucket: lake, region: eu-west-1, secret_key: x' "unknown key 'secret_key'"
printf 'version: 1\nstores:\n  a: {type: s3, bucket: lake, region: eu-west-1}\n  b: {type: s3, bucket: lake, region: eu-west-1}\n' >ebb.yaml
run "$EBB" check
expect_status 3
expect_err "store 'a' has the same bucket"
