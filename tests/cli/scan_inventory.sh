#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A bucket from a report of S3 Inventory: indexed without a request, its classes and tiers known to questions and rules.

. "$EBB_SRC/tests/cli/lib.sh"

export EBB_NOW=2018-01-03T12:00:00Z
unexpected() { fail "unexpected $1: $out $err"; }

mkdir -p report/data report/2018-01-03T02-00Z
schema='Bucket, Key, Size, LastModifiedDate, StorageClass, IntelligentTieringAccessTier'
{
	echo '"lake","raw/b","2000000","2017-01-01T00:00:00.000Z","INTELLIGENT_TIERING","INFREQUENT"'
	echo '"lake","raw/d+e%2F%C3%BC","30","2017-01-01T00:00:00.000Z","STANDARD",""'
} | gzip >report/data/one.csv.gz
{
	echo '"lake","raw/a","10","2017-12-01T00:00:00.000Z","INTELLIGENT_TIERING","FREQUENT"'
	echo '"lake","other/x","10","2017-12-01T00:00:00.000Z","GLACIER",""'
} | gzip >report/data/two.csv.gz
sum() { md5sum <"$1" | cut -d ' ' -f 1; }
manifest=report/2018-01-03T02-00Z/manifest.json
jq -n --arg schema "$schema" --arg a "$(sum report/data/one.csv.gz)" --arg b "$(sum report/data/two.csv.gz)" \
	'{sourceBucket: "lake", version: "2016-11-30", creationTimestamp: "1514944800000", fileFormat: "CSV", fileSchema: $schema,
	files: [{key: "inv/lake/daily/data/one.csv.gz", size: 1, MD5checksum: $a}, {key: "inv/lake/daily/data/two.csv.gz", size: 1, MD5checksum: $b}]}' \
	>$manifest
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: lake, prefix: raw/, region: us-east-1}
  pond: {type: s3, bucket: pond, region: us-east-1}
rules:
  - {name: cold, match: "**", when: "idle > 29d", do: delete}
END

run "$EBB" scan lake --from-inventory $manifest
expect_status 0
expect_out '3 objects'
expect_out "the provider's access tiers"
run "$EBB" find --json
expect_status 0
[[ $(jq -r '"\(.path) \(.class) \(.evidence)"' <<<"$out") == "$(printf '%s\n' 'a INTELLIGENT_TIERING tier' \
	'b INTELLIGENT_TIERING tier' 'd e/ü STANDARD mtime')" ]] || unexpected 'find'
run "$EBB" find --json --where 'class == "STANDARD"'
[[ $(jq -r .path <<<"$out") == 'd e/ü' ]] || unexpected 'class'
run "$EBB" du --by class --json
[[ $(jq -r '"\(.class) \(.objects)"' <<<"$out" | sort) == "$(printf '%s\n' 'INTELLIGENT_TIERING 2' 'STANDARD 1')" ]] ||
	unexpected 'by class'
# a tier is certain: the rule that deletes acts on it, and on nothing else
run "$EBB" explain lake:b
expect_out "Rule 'cold' meets it"
run "$EBB" explain lake:a
expect_out 'its condition is unknown'

# what listing the bucket costs is told where it has a price
run "$EBB" plan -n lake
expect_no_out 'a scan'
sed 's/region: us-east-1}/region: us-east-1, class: STANDARD}/; s/^rules:/prices: [aws]\n&/' ebb.yaml >priced.yaml
run env EBB_NOW=2026-06-01T00:00:00Z "$EBB" --config priced.yaml plan -n lake
expect_status 0
expect_out 'listing these buckets costs 0.0000050 USD a scan'

run env EBB_NOW=2026-06-01T00:00:00Z "$EBB" --config priced.yaml report --json
[[ $(jq -c '.stores[] | select(.store == "lake") | [.scan_requests, .scan_once_nano]' <<<"$out") == '[1,5000]' ]] || unexpected 'scan cost'
run env EBB_NOW=2026-06-01T00:00:00Z "$EBB" --config priced.yaml report
expect_out 'a scan of lake takes some 1 request, 0.0000050 USD'

run "$EBB" scan pond --from-inventory $manifest
expect_status 4
expect_err "is of bucket 'lake', not of 'pond'"
run "$EBB" scan --from-inventory $manifest
expect_status 2
echo >>report/data/two.csv.gz
run "$EBB" scan lake --from-inventory $manifest
expect_status 4
expect_err 'has MD5'
run "$EBB" find --count
expect_out '3 objects'
