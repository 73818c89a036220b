#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Duplicates of a bucket and a folder: found by entity tags alone, in one piece and in parts, put there by clients that are not ours; the
# redundant object goes into the trash of its bucket when its bytes are those of the copy that stays, and comes back. With versions too.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq

export EBB_NOW=2026-11-20T12:00:00Z
bucket=$(new_bucket) kept=$(new_bucket)
aws s3api put-bucket-versioning --bucket "$kept" --versioning-configuration Status=Enabled >/dev/null
mkdir local
head -c 20000000 /dev/urandom >local/parts
head -c 5000 /dev/urandom >local/piece
head -c 5000 /dev/urandom >local/other
aws s3 cp --quiet local/parts "s3://$bucket/x/parts" # the CLI cuts into 8 MiB
aws s3 cp --quiet local/piece "s3://$bucket/x/piece"
aws s3 cp --quiet local/piece "s3://$kept/x/piece"
cat >prices.yaml <<END
version: 1
name: p
date: 2026-11-01
currency: USD
source: test
confidence: contract
classes: {NVME: {storage_gib_month: 0.01}, STANDARD: {storage_gib_month: 1.00}}
END
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1, class: STANDARD}
  kept: {type: s3, bucket: $kept, endpoint: "$RGW_ENDPOINT", region: us-east-1, class: STANDARD}
  disk: {type: fs, path: $PWD/local, class: NVME}
prices: [./prices.yaml]
limits: {max_delete: 100%}
rules:
  - {name: same, match: "x/**", do: dedup, how: delete, trash: 5d}
END
export EBB_INDEX=$HOME/index
run "$EBB" scan
expect_status 0
run "$EBB" dupes --json
expect_status 0
jq -s -e 'length == 2 and .[0].digest_is == "xxh128" and ([.[0].members[].path] == ["parts", "x/parts"]) and
	([.[1].members[].path] == ["piece", "x/piece", "x/piece"])' <<<"$out" >/dev/null || fail "groups: $out"
run "$EBB" plan -o plan.jsonl
expect_status 0
tail -n +3 plan.jsonl | jq -r '[.store, .path, .with_store, .with_path] | join(" ")' | sort >rows.txt
sort >want.txt <<'END'
lake x/parts disk parts
lake x/piece disk piece
kept x/piece disk piece
END
expect_same want.txt rows.txt

# equal tags proposed; bytes decide: somebody changes the file, and puts its times back
cp -p local/piece saved
cp local/other local/piece
touch -r saved local/piece
run "$EBB" apply plan.jsonl
expect_status 1
expect_out '1 applied'
aws s3 cp --quiet "s3://$bucket/x/piece" - | cmp - saved || fail 'an object went although the copy that was to stay changed'
run aws s3api head-object --bucket "$bucket" --key x/parts
[[ $status != 0 ]] || fail 'it did not go'
run "$EBB" undo last
expect_status 0
aws s3 cp --quiet "s3://$bucket/x/parts" - | cmp - local/parts || fail 'it did not come back'

EBB_NOW=2026-11-20T13:00:00Z
cp -p saved local/piece
run "$EBB" scan --hash candidates
expect_status 0
run "$EBB" plan -o plan.jsonl
run "$EBB" apply plan.jsonl
expect_status 0
expect_out '3 applied'
for b in "$bucket" "$kept"; do
	run aws s3api head-object --bucket "$b" --key x/piece
	[[ $status != 0 ]] || fail 'it did not go'
done
run "$EBB" undo last
expect_status 0
for b in "$bucket" "$kept"; do
	aws s3 cp --quiet "s3://$b/x/piece" - | cmp - saved || fail 'it did not come back'
done

# parts of a size that nobody guesses: read only within a budget, with one request
boto "$bucket" <<'END'
from boto3.s3.transfer import TransferConfig
s3.upload_file("local/parts", argv[0], "y/odd", Config=TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=6 << 20))
END
run "$EBB" scan
members() { jq -s -r '[.[] | select(.size_bytes == 20000000).members[].path] | join(" ")' <<<"$out"; }
run "$EBB" dupes --json
[[ $(members) == 'parts x/parts' ]] || fail "without a budget: $(members)"
run "$EBB" dupes --json --max-download 1MB
expect_err '1 object beyond --max-download or --max-requests'
[[ $(members) == 'parts x/parts' ]] || fail "beyond the budget: $(members)"
run "$EBB" dupes --json --max-download 30MB --max-requests 0
expect_err '1 object beyond --max-download or --max-requests'
[[ $(members) == 'parts x/parts' ]] || fail "beyond the requests: $(members)"
run "$EBB" dupes --json --max-download 30MB --max-requests 1
expect_status 0
expect_err 'with 1 request'
[[ $(members) == 'parts x/parts y/odd' ]] || fail "within the budget: $(members)"
run "$EBB" dupes --json --max-download 30MB
[[ $err != *downloaded* ]] || fail 'it was read again'
