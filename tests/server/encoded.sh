#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P9 P12 P13 P14
#
# keep_key: an object is encoded under its own key, seen by tools that are not ours: its bytes by zstd, its header, metadata, tags, class and
# access list by the AWS CLI. What is encoded already stays; the next plan plans nothing; reads decode; requests are no more than were
# priced; taken back all is as it was.

. "$EBB_SRC/tests/support/server.sh"
require_cmd zstd jq

bucket=$(new_bucket)
other=$(new_bucket)
aws s3api put-bucket-versioning --bucket "$other" --versioning-configuration Status=Enabled
conf() {
	cat >ebb.yaml <<-END
	version: 1
	stores:
	  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1, provider: aws, class: STANDARD}
	  kept: {type: s3, bucket: $other, endpoint: "$RGW_ENDPOINT", region: us-east-1, provider: aws, class: STANDARD}
	  here: {type: fs, path: $PWD/here}
	prices: [aws]
	rules:
	  - {name: logs, $1 do: compress, keep_key: true${2:-}}
	END
}
mkdir here
for bad in 'codec: lz4|there is no Content-Encoding for lz4' 'long: true|(RFC 9659)' 'codec: tensor|there is no Content-Encoding for tensor'; do
	conf 'store: lake,' ", ${bad%|*}"
	run "$EBB" check
	expect_status 3
	expect_err 'ebb.yaml:8:'
	expect_err "${bad#*|}"
done
conf 'store: here,'
run "$EBB" check
expect_status 3
expect_err "'keep_key' needs a store that puts one object in the place of another by itself, and store here cannot; leave it out"
conf 'match: "**.log",'
run "$EBB" check
expect_status 0
expect_out 'under the same key (Content-Encoding: zstd)'

seq 300000 >text
seq 3000000 >large
cp text here/here.log
aws s3api put-object --bucket "$bucket" --key 'a b/text.log' --body text --content-type text/plain --cache-control no-store \
	--metadata k=v --tagging 't=1&u=2' --acl public-read >/dev/null
aws s3 cp --quiet large "s3://$bucket/large.log" --storage-class STANDARD_IA
aws s3api put-object --bucket "$other" --key v.log --body text >/dev/null
gzip -c text | aws s3 cp --quiet - "s3://$bucket/foreign.log" --content-encoding gzip
head -c 100000 /dev/urandom | aws s3 cp --quiet - "s3://$bucket/noise.log"

# All that others see of it but its times and what ebb remembers them by.
seen() {
	aws s3api head-object --bucket "$1" --key "$2" |
		jq -S '{ContentLength, ContentType, ContentEncoding, CacheControl, StorageClass: (.StorageClass // "STANDARD"), Metadata: (.Metadata | with_entries(select(.key | startswith("ebb-") | not)))}'
	aws s3api get-object-tagging --bucket "$1" --key "$2" | jq -S '.TagSet | sort_by(.Key)'
	aws s3api get-object-acl --bucket "$1" --key "$2" | jq -S .Grants
}
all() {
	seen "$bucket" 'a b/text.log'
	seen "$bucket" large.log
	seen "$bucket" foreign.log
	seen "$other" v.log
}
before=$(all)
export EBB_INDEX=$HOME/index
run "$EBB" scan
expect_status 0
run "$EBB" plan -o plan.jsonl
expect_status 0
expect_out 'place'
run "$EBB" show --json plan.jsonl
jq -se 'map(select(.keep_key)) | length == 5 and all(.to_path == null and .freed_bytes > 0 and (.why | contains("under its own key")))' <<<"$out" >/dev/null ||
	unexpected 'rows'
run "$EBB" explain 'lake:a b/text.log'
expect_out 'under its own key (Content-Encoding: zstd)'
# slowly, so that what moves times of change (the access list of what takes its place) does so in another second
slow=()
if strace -f -o /dev/null true 2>/dev/null; then
	slow=(strace -f -qq -o /dev/null -e trace=sendto -e inject=sendto:delay_enter=50000)
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
fi
run "${slow[@]}" "$EBB" apply plan.jsonl
expect_status 1
expect_out '3 applied'
expect_err 'is encoded already (Content-Encoding: gzip)'
expect_err 'would not shrink'

# bytes and header, by tools that are not ours
for k in 'a b/text.log:text' large.log:large; do
	aws s3api get-object --bucket "$bucket" --key "${k%:*}" got | jq -e '.ContentEncoding == "zstd"' >/dev/null || fail "no header: $k"
	zstd -qdc <got | cmp - "${k#*:}"
	(($(stat -c %s got) < $(stat -c %s "${k#*:}") / 2)) || fail "not smaller: $k"
	zstd -lv <got >listed 2>&1 || zstd -lv got >listed 2>&1
	! grep -Eq 'Window Size: (16|32|64|128) MiB' listed || fail "a window beyond 8 MiB: $(<listed)"
done
now=$(all)
others() {
	grep -v 'Content\(Encoding\|Length\)'
}
[[ $(others <<<"$now") == "$(others <<<"$before")" ]] || fail "not the same: $(diff <(others <<<"$before") <(others <<<"$now"))"
[[ $(aws s3api list-object-versions --bucket "$other" | jq '.Versions | length') -eq 1 ]] || fail 'the old version stays'
[[ -z $(aws s3api list-objects-v2 --bucket "$bucket" --prefix .ebb-trash/ | jq -r '.Contents[]?.Key') ]] || fail 'something lies in the trash'

# reads decode
rm got
run "$EBB" get lake:large.log -o got
expect_status 0
cmp got large
[[ $("$EBB" get 'lake:a b/text.log' --raw | head -c 4 | od -An -tx1) == ' 28 b5 2f fd' ]] || fail 'raw is not raw'
run "$EBB" verify --run last
expect_status 0

# what is encoded is known: by whom ever it was
run "$EBB" scan
expect_status 0
run "$EBB" find lake --json
[[ $(jq -r 'select(.path == "large.log").size' <<<"$out") -lt 10000000 ]] || unexpected 'sizes'
run "$EBB" plan -o again.jsonl
expect_status 0
run "$EBB" show --json again.jsonl
[[ $(jq -r 'select(.keep_key).path' <<<"$out") == noise.log ]] || unexpected 'it is planned again'

# one by key, then all of it
run "$EBB" undo last lake:large.log
expect_status 0
aws s3 cp --quiet "s3://$bucket/large.log" - | cmp - large
[[ $(aws s3api head-object --bucket "$bucket" --key 'a b/text.log' | jq -r .ContentEncoding) == zstd ]] || fail 'another one came back, too'
run "${slow[@]}" "$EBB" undo last
expect_status 0
aws s3 cp --quiet "s3://$bucket/a b/text.log" - | cmp - text
aws s3 cp --quiet "s3://$other/v.log" - | cmp - text
[[ $(all) == "$before" ]] || fail "not as it was: $(diff <(echo "$before") <(all))"
