#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What Intelligent-Tiering has put into its archive tiers: found by HEAD, priced, asked for without days, tracked over restarts, back for good.
# A proxy in front of the server has such tiers.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq python3

bucket=$(new_bucket)
archive_proxy
head -c 300000 /dev/urandom >data
for k in ARCHIVE_ACCESS/a 'ARCHIVE_ACCESS/b c' DEEP_ARCHIVE_ACCESS/d plain/e; do
	aws s3api put-object --bucket "$bucket" --key "it/$k" --body data --storage-class INTELLIGENT_TIERING >/dev/null
done
cat >cheap.yaml <<END
version: 1
name: cheap
provider: aws
date: 2025-01-01
currency: USD
source: own
confidence: list
sources: {own: {title: made up, date: 2025-01-01}}
regions: {us-east-1: {STANDARD: {storage: 0.0001/GiB-month}}}
END
write_config() {
	cat >ebb.yaml <<-END
	version: 1
	stores:
	  lake: {type: s3, bucket: $bucket, endpoint: "http://127.0.0.1:$(cat port)", provider: aws, region: us-east-1, class: STANDARD}
	prices: [aws, ./cheap.yaml]
	rules:
	  - {name: out, store: lake, match: "it/**", when: "size > 0", do: tier, class: STANDARD}
	${1:-}
	END
}
write_config
export EBB_INDEX=$HOME/index EBB_NOW=2028-01-01T00:00:00Z
run "$EBB" scan lake
expect_status 0

# the quote: free but for expedited, which Archive Access alone has; what lies in faster tiers until it is put away again is told and counted.
# Archive: 600,000 bytes, 30 days of 0.023 and 60 of 0.0125; deep: 300,000 bytes, 30 of 0.023, 60 of 0.0125, 90 of 0.004, a GiB-month
run "$EBB" thaw lake:it/ --json
expect_status 0
[[ $(jq -r 'select(.speed == "bulk") | "\(.objects) \(.hours) \(.copies_nano) \(.tier_days) \(.cost_nano == .tiers_nano)"' <<<"$out") == \
	'3 48 0 180 true' ]] || unexpected 'another quote'
[[ $(jq -r 'select(.speed == "bulk") | .cost_nano' <<<"$out") == 43586 ]] || unexpected 'another price'
[[ $(jq -r 'select(.speed == "standard") | .hours' <<<"$out") == 12 ]] || unexpected 'another time'
[[ $(jq -r 'select(.speed == "expedited") | .offered' <<<"$out") == false ]] || unexpected 'the deep tier has no expedited speed'
run "$EBB" thaw lake:it/ARCHIVE_ACCESS/a --json
# 10 USD for 1,000 requests, 0.03 a GiB, and the faster tiers
[[ $(jq -r 'select(.speed == "expedited") | "\(.hours) \(.cost_nano - .tiers_nano)"' <<<"$out") == '1 10008382' ]] || unexpected 'another price'
run "$EBB" thaw lake:it/
expect_out '3 objects (878.9 KiB) in archive classes'
expect_out 'at most for faster tiers, 180 d'
run "$EBB" thaw lake:it/plain/
expect_err "nothing of 'lake:it/plain/' is in an archive"
[[ ! -s asked ]] || unexpected 'something was asked for'

# max_cost holds
write_config 'limits: {max_cost: 0.00001 USD}'
run "$EBB" thaw lake:it/ --speed bulk --yes
expect_status 7
expect_err 'more than max_cost'
write_config

# reading, and a plan that reads them, are refused until they are thawed
run "$EBB" get lake:it/ARCHIVE_ACCESS/a
expect_status 7
expect_err 'must be thawed first'
run "$EBB" plan lake -o plan.jsonl
expect_status 0
run "$EBB" apply plan.jsonl
expect_status 7
expect_err '3 objects (878.9 KiB) in archive classes must be thawed first'
[[ ! -s asked ]] || unexpected 'something was asked for'
run "$EBB" apply plan.jsonl --thaw standard
expect_status 7
expect_err '3 objects are being thawed, until 2028-01-01T12:00:00Z'
[[ $(sort asked) == $(printf "/$bucket/it/%s Standard 0\n" ARCHIVE_ACCESS/a ARCHIVE_ACCESS/b%20c DEEP_ARCHIVE_ACCESS/d) ]] ||
	fail "asked for: $(cat asked)"

# another process, later: the store says how they stand
run "$EBB" thaw
expect_out '3 being thawed'
pass 6
run "$EBB" thaw --json
[[ $(jq -r '"\(.state) \(.thawed) \(.thawing)"' <<<"$out") == 'asked 2 1' ]] || unexpected 'two are back'
run "$EBB" get lake:it/ARCHIVE_ACCESS/a -o got
expect_status 0
cmp got data
pass 7
run "$EBB" thaw
expect_out '3 thawed'
run "$EBB" apply plan.jsonl
expect_status 0
expect_out '4 applied'
aws s3 cp "s3://$bucket/it/DEEP_ARCHIVE_ACCESS/d" - | cmp - data
[[ $(wc -l <asked) -eq 3 ]] || fail 'asked for again'
# what was told as ready once is forgotten
run "$EBB" thaw
run "$EBB" thaw
[[ -z $out ]] || unexpected 'the order stays'
