#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P14
#
# A key with more versions than a page of a listing has: all are found, the newest goes under a delete marker, comes back, and is
# removed for good without an older one coming up. Versions that are the same are duplicates.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq

bucket=$(new_bucket)
aws s3api put-bucket-versioning --bucket "$bucket" --versioning-configuration Status=Enabled
boto "$bucket" <<'PY'
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda i: s3.put_object(Bucket=argv[0], Key="much", Body=b"%d" % i), range(1002)))
s3.put_object(Bucket=argv[0], Key="much", Body=b"the newest")
s3.put_object(Bucket=argv[0], Key="much.more", Body=b"another")
PY
cat >ebb.yaml <<YAML
version: 1
stores:
  old: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1}
rules:
  - {name: gone, match: "much", when: "size > 0", do: delete, trash: 1d}
limits: {max_delete: 100%}
YAML
export EBB_INDEX=$HOME/index

# versions KIND: how many the server has of the key, as another client counts
versions() {
	boto "$bucket" "$1" <<'PY'
pages = s3.get_paginator("list_object_versions").paginate(Bucket=argv[0], Prefix="much")
print(sum(1 for p in pages for v in p.get(argv[1], []) if v["Key"] == "much"))
PY
}
[[ $(versions Versions) -eq 1003 ]] || fail 'the bucket is not as it should be'
run "$EBB" scan
expect_status 0
run "$EBB" find old --count --where 'type == "version"'
expect_out '1,002 objects, 2.8 KiB'

delete() {
	run "$EBB" plan -o "$1"
	expect_status 0
	run "$EBB" apply "$1"
	expect_status 0
	expect_out '1 applied'
}
delete first.jsonl
[[ $(versions DeleteMarkers) -eq 1 && $(versions Versions) -eq 1003 ]] || fail 'it should be hidden, no more'
run "$EBB" undo last
expect_status 0
aws s3 cp "s3://$bucket/much" - | cmp - <(printf 'the newest') || fail 'another version came back'
[[ $(versions DeleteMarkers) -eq 0 ]] || fail 'a marker stays'

run "$EBB" scan
delete again.jsonl
EBB_NOW=$(date -u -d '+2 days' +%Y-%m-%dT%H:%M:%SZ) run "$EBB" trash --empty
expect_status 0
[[ $(versions DeleteMarkers) -eq 1 && $(versions Versions) -eq 1002 ]] || fail 'not exactly the newest was removed'
run aws s3api head-object --bucket "$bucket" --key much
expect_err 404

# what is written again as it was is kept twice: the version below is a copy, by its id
id=$(aws s3api head-object --bucket "$bucket" --key much.more --query VersionId --output text)
printf another | aws s3 cp --quiet - "s3://$bucket/much.more"
run "$EBB" scan
run "$EBB" dupes --json
[[ $(jq -c '[.copies, .redundant_bytes, ([.members[] | [.path, .id]])]' <<<"$out") == "[2,7,[[\"much.more\",null],[\"much.more\",\"$id\"]]]" ]] ||
	unexpected "not the version $id"
run "$EBB" dupes
expect_out "old:much.more  (version $id)"
