#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# class: auto and class: NAME from rules to a real bucket and back: what logs say is quiet goes where it costs least, what is read stays,
# and so does what is small. Planned as on a day in half a year, since reads cannot be made to be long ago.

. "$EBB_SRC/tests/support/server.sh"

bucket=$(new_bucket)
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", provider: aws, region: us-east-1, class: STANDARD}
prices: [aws]
rules:
  - {name: named, match: "raw/**", when: "size > 1MiB", do: tier, class: GLACIER}
  - {name: rest, do: tier, class: auto}
END
head -c 5000000 /dev/urandom >data
head -c 20000 /dev/urandom >small
for key in quiet read raw/a; do
	aws s3api put-object --bucket "$bucket" --key "$key" --body data --metadata k=v >/dev/null
done
aws s3api put-object --bucket "$bucket" --key small --body small >/dev/null

# Logs of the half year: somebody else's reads, so that they cover it, and those of one object.
export TZ=UTC LC_ALL=C
start=$(date +%s)
for day in $(seq 0 199); do
	printf -v stamp '%(%d/%b/%Y:%H:%M:%S)T' $((start + day * 86400 + 3600))
	echo "10.0.0.1 - - [$stamp +0000] \"GET /b/other HTTP/1.1\" 200 5 \"-\" \"curl\""
	echo "10.0.0.1 - - [$stamp +0000] \"GET /b/read HTTP/1.1\" 200 5000000 \"-\" \"curl\""
done >access.log

export EBB_INDEX=$HOME/index
later=$(date -u -d "@$((start + 199 * 86400 + 7200))" +%Y-%m-%dT%H:%M:%SZ)
run "$EBB" scan lake
expect_status 0
run env EBB_NOW="$later" "$EBB" ingest --map /b/=lake access.log
expect_status 0
run env EBB_NOW="$later" "$EBB" plan lake -o plan.jsonl
expect_status 0
run "$EBB" show --json plan.jsonl
chosen=$(jq -r 'select(.path == "quiet").to_class' <<<"$out")
[[ $(jq -r 'select(.path) | .path' <<<"$out" | sort | xargs) == 'quiet raw/a' ]] || fail "planned otherwise: $out"
[[ $(jq -r 'select(.path == "raw/a").to_class' <<<"$out") == GLACIER ]] || fail 'not into the class that was named'
[[ -n $chosen && $chosen != STANDARD ]] || fail "auto chose '$chosen'"

class_of() {
	aws s3api head-object --bucket "$bucket" --key "$1" | jq -r '.StorageClass // "STANDARD"'
}
run "$EBB" apply plan.jsonl
expect_status 0
expect_out '2 applied'
[[ $(class_of quiet) == "$chosen" ]] || fail "quiet is in $(class_of quiet)"
[[ $(class_of raw/a) == GLACIER ]] || fail "raw/a is in $(class_of raw/a)"
[[ $(class_of read) == STANDARD && $(class_of small) == STANDARD ]] || fail 'others were moved'

run "$EBB" undo last
expect_status 0
[[ $(class_of quiet) == STANDARD && $(class_of raw/a) == STANDARD ]] || fail 'undo left a class'
aws s3 cp "s3://$bucket/quiet" - | cmp - data
