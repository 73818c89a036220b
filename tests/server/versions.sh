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
expect_out 'keeps versions: what is deleted stays, noncurrent and billed as before, until it is removed'
run "$EBB" find old --count --where 'type == "version"'
expect_out '1,002 objects, 2.8 KiB'
run "$EBB" plan -o seen.jsonl
sed -n 3p seen.jsonl | jq -r .why | grep -q '; stays as a noncurrent version, billed as before; saves once the trash expires after 1d' ||
	fail 'the row does not say where it stays'
expect_out 'old keeps versions: until then what is deleted there lies below a delete marker, billed as before'
expect_out "1,002 older versions of what goes stay, 2.8 KiB, unless the bucket's own rules remove them"

# --- Rules of the bucket would empty the trash before its time: then nothing goes there ---
lifecycle() {
	aws s3api put-bucket-lifecycle-configuration --bucket "$bucket" --lifecycle-configuration "{\"Rules\": [
		{\"ID\": \"a\", \"Status\": \"Enabled\", \"Filter\": {\"Prefix\": \"$1\"}, \"NoncurrentVersionExpiration\": {\"NoncurrentDays\": $2}},
		{\"ID\": \"b\", \"Status\": \"Disabled\", \"Filter\": {\"Prefix\": \"\"}, \"NoncurrentVersionExpiration\": {\"NoncurrentDays\": 1}}]}" >/dev/null
	run "$EBB" scan
	expect_status 0
}
sed -i 's/trash: 1d/trash: 9d/' ebb.yaml
lifecycle mu 7
expect_out 'lifecycle rules remove some after 7 d'
run "$EBB" plan -n
expect_out 'nothing to do'
expect_out "their bucket's lifecycle rules would remove them from the trash before its time"
run "$EBB" explain old:much
expect_out 'its bucket removes noncurrent versions after 7 d, before the trash lets go of them'
lifecycle mu 9
run "$EBB" plan -n
expect_out 'delete (trash 9d)        1'
lifecycle other/ 3
run "$EBB" plan -n
expect_out 'delete (trash 9d)        1'
aws s3api delete-bucket-lifecycle --bucket "$bucket"
sed -i 's/trash: 9d/trash: 1d/' ebb.yaml
run "$EBB" scan

# --- MFA Delete, which this server has not: as its scan would have found it. A delete hides, and frees nothing. The rest would be paid twice ---
facts=$EBB_INDEX/facts/old.jsonl
cp "$facts" facts.kept
sed -i '1s/"unread":false/"unread":true/' "$facts"
run "$EBB" plan -n
expect_err "store 'old': lifecycle rules of its bucket cannot be read"
sed -i '1s/"unread":true/"unread":false/; 1s/"mfa_delete":false/"mfa_delete":true/' "$facts"
cp ebb.yaml ebb.kept
run "$EBB" plan -o mfa.jsonl
expect_status 0
expect_out 'old removes no version without a second factor (MFA Delete): deleting there hides, and frees nothing'
[[ $(sed -n 3p mfa.jsonl | jq -c '[.freed_bytes, (.why | test("frees nothing: it stays as a noncurrent version"))]') == '[0,true]' ]] ||
	unexpected 'the row promises something'
sed -i 's/trash: 1d/purge: "cannot be undone"/' ebb.yaml
run "$EBB" plan -n
expect_out 'nothing to do'
expect_out 'their bucket removes no version without a second factor (MFA Delete), so it would free nothing'
cp ebb.kept ebb.yaml
cp facts.kept "$facts"

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
