#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Archive classes that sleep, as AWS has them and Ceph does not: a proxy in front of the server makes them so. Priced, asked for, waited
# for, tracked; get, apply, undo refuse with the price, and go on when thawed.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq python3

bucket=$(new_bucket)
archive_proxy
head -c 300000 /dev/urandom >data
for k in a b 'c d'; do
	aws s3api put-object --bucket "$bucket" --key "old/$k" --body data --storage-class DEEP_ARCHIVE >/dev/null
done
aws s3api put-object --bucket "$bucket" --key old/g --body data --storage-class GLACIER >/dev/null
aws s3api put-object --bucket "$bucket" --key new --body data >/dev/null
# archives so dear that leaving them saves something
cat >cheap.yaml <<END
version: 1
name: cheap
provider: aws
date: 2025-01-01
currency: USD
source: own
confidence: list
sources: {own: {title: made up, date: 2025-01-01}}
regions: {us-east-1: {STANDARD: {storage: 0.0001/GiB-month}, GLACIER: {storage: 9/GiB-month}, DEEP_ARCHIVE: {storage: 9/GiB-month}}}
END
write_config() {
	cat >ebb.yaml <<-END
	version: 1
	stores:
	  lake: {type: s3, bucket: $bucket, endpoint: "http://127.0.0.1:$(cat port)", provider: aws, region: us-east-1, class: STANDARD}
	prices: [aws, ./cheap.yaml]
	rules:
	  - {name: back, store: lake, match: "old/**", when: "size > 0", do: tier, class: STANDARD}
	${1:-}
	END
}
write_config
export EBB_INDEX=$HOME/index EBB_NOW=2028-01-01T00:00:00Z
run "$EBB" scan lake
expect_status 0

# what sleeps is not read; the price is told, nothing is asked for
run "$EBB" get lake:old/a
expect_status 7
expect_err '1 object (293.0 KiB) in archive classes must be thawed first'
expect_err 'bulk'
[[ ! -s asked && -z $out ]] || unexpected 'something was asked for, or read'
run "$EBB" get lake:new
expect_status 0

# a quote: hours and money by speed. 4 restores of 300,000 bytes: bulk is 3 x 0.025/1k + 0, copies 3 days of STANDARD
run "$EBB" thaw lake:old/ --days 3 --json
expect_status 0
[[ $(jq -r 'select(.speed == "bulk") | "\(.objects) \(.bytes) \(.hours)"' <<<"$out") == '4 1200000 48' ]] || unexpected 'another quote'
[[ $(jq -r 'select(.speed == "expedited") | .offered' <<<"$out") == false ]] || unexpected 'DEEP_ARCHIVE has no expedited speed'
run "$EBB" thaw lake:old/
expect_out '4 objects (1.1 MiB) in archive classes'
expect_out '48 h'
expect_out 'not offered'
expect_err 'nothing was asked for'

# apply refuses, and says so in a dry run as well
run "$EBB" plan lake -o plan.jsonl
expect_status 0
run "$EBB" apply plan.jsonl
expect_status 7
expect_err '4 objects (1.1 MiB) in archive classes must be thawed first'
run "$EBB" apply -n plan.jsonl
expect_err 'must be thawed first'
[[ ! -s asked ]] || unexpected 'something was asked for'

# limits hold
write_config 'limits: {max_cost: 0.000001 USD}'
run "$EBB" thaw lake:old/a --speed bulk --yes
expect_status 7
expect_err 'more than max_cost'
write_config
run "$EBB" thaw lake:old/a --speed expedited --yes
expect_status 1
[[ ! -s asked ]] || unexpected 'something was asked for'
run "$EBB" thaw lake:old/a --yes
expect_status 2

# asked for: each once
run "$EBB" thaw lake:old/a --speed bulk --days 3 --yes
expect_status 0
expect_out '1 being thawed'
expect_out 'ready until 2028-01-03T00:00:00Z'
# who asked for what, and at what price, stands in the audit log before the first request and after the last one
[[ $(jq -r 'select(.command == "ebb thaw") | "\(.event) \(.outcome) \(.facts.objects) \(.facts.speed) \(.facts.days) \(.facts.currency)"' "$EBB_INDEX/audit.jsonl") == "begin null 1 bulk 3 USD
end complete 1 bulk 3 USD" ]] || fail "audit: $(cat "$EBB_INDEX/audit.jsonl")"
run "$EBB" apply plan.jsonl --thaw bulk --thaw-days 3
expect_status 7
expect_err '4 objects are being thawed'
expect_err "'ebb apply plan.jsonl' goes on"
[[ $(sort asked) == $(printf "/$bucket/old/%s Bulk 3\n" a b c%20d g) ]] || fail "asked for: $(cat asked)"
run "$EBB" status
expect_out 'thaw'
run "$EBB" apply plan.jsonl
expect_status 7
pass 13
run "$EBB" thaw --json
expect_status 0
[[ $(jq -s 'map(.thawed) | add' <<<"$out") -eq 1 ]] || unexpected 'only the one in GLACIER is ready'

# ready: the plan goes on; the copies are known until they expire
pass 36
run "$EBB" apply plan.jsonl --thaw bulk --wait
expect_status 0
expect_out '4 applied'
[[ $(aws s3api head-object --bucket "$bucket" --key 'old/c d' | jq -r '.StorageClass // "STANDARD"') == STANDARD ]] || fail 'not moved'
aws s3 cp "s3://$bucket/old/c d" - | cmp - data
[[ $(wc -l <asked) -eq 4 ]] || fail 'asked for again'

# back into the archive: a transition reads nothing that sleeps; and from there again
run "$EBB" undo last
expect_status 0
[[ $(aws s3api head-object --bucket "$bucket" --key old/a | jq -r .StorageClass) == DEEP_ARCHIVE ]] || fail 'not back'
run "$EBB" thaw
expect_status 0
run "$EBB" thaw
[[ -z $out ]] || unexpected 'orders whose copies are gone are forgotten'

export EBB_NOW=2028-02-01T00:00:00Z
# packs: get and undo read members of one that sleeps
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: $bucket, endpoint: "http://127.0.0.1:$(cat port)", provider: aws, region: us-east-1, class: STANDARD}
prices: [aws]
rules:
  - {name: pack, store: lake, match: "small/**", when: "size > 0", do: archive, to: lake, class: DEEP_ARCHIVE}
END
for i in 1 2 3 7; do
	{ echo "content $i" && cat data; } | aws s3 cp - "s3://$bucket/small/$i" >/dev/null
done
run "$EBB" scan lake
run "$EBB" plan lake -o pack.jsonl
expect_status 0
run "$EBB" apply pack.jsonl
expect_status 0
expect_out '4 applied'
run "$EBB" get lake:small/7
expect_status 7
expect_err '1 object'
run "$EBB" undo -n last
expect_err 'must be thawed first'
# 1.2 MB: 180 days of 0.00099/GiB-month, a bulk restore of one object, four objects written
expect_out 'early deletion 0.0000067 USD, restore requests 0.000025 USD, bytes restored 0.0000028 USD'
expect_out 'requests 0.000020 USD'
run "$EBB" undo last
expect_status 7
expect_err '1 object'
: >asked
run "$EBB" undo last --thaw standard
expect_status 7
expect_err '1 object is being thawed, until 2028-02-01T12:00:00Z'
[[ $(wc -l <asked) -eq 1 ]] || fail 'a pack is asked for once'
pass 13
"$EBB" get lake:small/7 | cmp - <(echo 'content 7' && cat data)
run "$EBB" undo last
expect_status 0
expect_out '4 given back'
aws s3 cp "s3://$bucket/small/7" - | cmp - <(echo 'content 7' && cat data)
