#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The store that the tests of this folder lean on is what they think it is: other people's clients find classes,
# odd keys and versions in it, and its pools show where bytes lie.

. "$EBB_SRC/tests/support/server.sh"

bucket=$(new_bucket)
head -c 100000 /dev/zero >data
aws s3api put-object --bucket "$bucket" --key cold --body data --storage-class GLACIER >/dev/null
run aws s3api head-object --bucket "$bucket" --key cold
expect_out '"StorageClass": "GLACIER"'
run rados -c "$RGW_CONF" -p default.GLACIER ls
expect_status 0
[[ -n $out ]] || fail 'nothing lies in the pool of the class'

boto "$bucket" <<'END'
keys = ["sp ace", "pl+us", "per%2Fcent", "dou//ble", "/lead", "trail/", "..", "a/../b", "new\nline", "\U0001f600", "k" * 1024]
for k in keys:
    s3.put_object(Bucket=argv[0], Key=k, Body=k.encode())
there = [o["Key"] for o in s3.list_objects_v2(Bucket=argv[0])["Contents"]]
assert there == sorted(keys + ["cold"], key=lambda k: k.encode()), there
END

run curl -sf --cacert "$RGW_CA" "$RGW_HTTPS"
expect_status 0
run curl -sf "$RGW_HTTPS"
expect_status 60
