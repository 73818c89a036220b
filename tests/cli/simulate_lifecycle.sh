#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ebb simulate --lifecycle: what a bucket's own rules would do with an index, priced; what is refused, and what is not modelled.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_NOW=2026-06-01T00:00:00Z
mkdir -p lake/logs lake/data
head -c 1000 /dev/zero >lake/logs/small
truncate -s 1G lake/data/old lake/data/young lake/logs/old
touch -m -d 2026-01-01T00:00:00Z lake/logs/* lake/data/old
touch -m -d 2026-05-20T00:00:00Z lake/data/young
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: fs, path: $PWD/lake, class: STANDARD, provider: aws, region: us-east-1}
prices: [aws]
END
run "$EBB" --index idx scan
expect_status 0

cat >lc.json <<'END'
{"Rules": [
  {"ID": "cool", "Status": "Enabled", "Filter": {"Prefix": ""},
   "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER_IR"}]},
  {"ID": "logs", "Status": "Enabled", "Filter": {"And": {"Prefix": "logs/", "ObjectSizeLessThan": 200000}},
   "Expiration": {"Days": 60}},
  {"ID": "tagged", "Status": "Enabled", "Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 1}},
  {"ID": "off", "Status": "Disabled", "Prefix": "", "Expiration": {"Days": 1}},
  {"ID": "versions", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
   "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
]}
END
simulate() {
	run "$EBB" --index idx simulate --lifecycle lc.json "$@"
}
simulate --json
expect_status 0
# two of 1 GiB: 0.023 a month each before, 0.004 after, a transition each
[[ $(jq -c 'select(.rules) | .rules[0].moves | [.objects, .one_off_nano, .month_before_nano, .month_after_nano, .payback_days]' <<<"$out") == \
	'[2,40000,46000000,8000000,1]' ]] || unexpected 'moves cost otherwise'
[[ $(jq -c 'select(.rules) | [.rules[] | [.id, .later, .expires.objects, .modelled]]' <<<"$out") == \
	'[["cool",1,0,true],["logs",0,1,true],["tagged",0,0,false],["off",0,0,true],["versions",0,0,true]]' ]] ||
	unexpected 'rules do otherwise'
[[ $(jq -c 'select(.rules) | [.not_modelled[].rule]' <<<"$out") == '["tagged","versions"]' ]] || unexpected 'other gaps'

simulate lake
expect_status 0
expect_out 'cool'
expect_out 'not modelled: tagged: tags are not in the index'

# a rule that names a size moves small objects too, and they lose money
cat >lc.json <<'END'
{"Rules": [{"ID": "all", "Status": "Enabled", "Filter": {"And": {"Prefix": "logs/", "ObjectSizeGreaterThan": 0}},
            "Transitions": [{"Days": 30, "StorageClass": "DEEP_ARCHIVE"}]}]}
END
simulate
expect_status 0
expect_out 'loses money: logs/small -> DEEP_ARCHIVE'
expect_out 'of which lose money'

# without a size they are skipped, but for archive classes in configurations of the old kind
cat >lc.json <<'END'
{"Rules": [{"ID": "all", "Status": "Enabled", "Filter": {"Prefix": "logs/s"},
            "Transitions": [{"Days": 30, "StorageClass": "DEEP_ARCHIVE"}]}]}
END
simulate
expect_out 'nothing is due'
expect_out 'all: 1 object below 128 KiB, not moved unless the rule names a size'
sed -i 's/^{/{"TransitionDefaultMinimumObjectSize": "varies_by_storage_class", /' lc.json
simulate
expect_out 'loses money: logs/small -> DEEP_ARCHIVE'

refused() {
	printf '%s' "$1" >lc.json
	simulate
	expect_status 3
	expect_err "$2"
}
refused '{"Rules": [' 'lc.json:1: '
refused '{"Rules": [{"Status": "On"}]}' 'lc.json: rule 1: Status is neither Enabled nor Disabled: On'
refused '{"Rules": [{"Status": "Enabled", "Colour": 1}]}' 'lc.json: rule 1: not a member that S3 defines there: Colour'
refused '{"Rules": [{"Status": "Enabled", "Transitions": [{"StorageClass": "X"}]}]}' 'needs a storage class, and days or a date'
refused '{"Rules": [{"Status": "Enabled", "Filter": {"Prefix": "a", "Tag": {}}}]}' 'several conditions needs And'
refused '{}' 'lc.json: there are no Rules'
rm lc.json
simulate
expect_status 3
expect_err "cannot open 'lc.json'"
run "$EBB" --index idx simulate --lifecycle lc.json --trace x
expect_status 2
