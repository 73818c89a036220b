#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ebb export: what lifecycle rules can say becomes one, what they cannot is named; merged, as Terraform, and plans as manifests.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_NOW=2026-06-01T00:00:00Z
mkdir -p "lake/a b" other
truncate -s 1G 'lake/a b/ü,1' lake/new
touch -m -a -d 2025-01-01T00:00:00Z 'lake/a b/ü,1'
touch -m -a -d 2026-05-31T00:00:00Z lake/new
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: fs, path: $PWD/lake, class: STANDARD, provider: aws, region: us-east-1}
  other: {type: fs, path: $PWD/other, class: STANDARD, provider: aws, region: us-east-1}
prices: [aws]
datasets:
  - {match: "runs/**", kind: runs}
rules:
  - {name: elsewhere, store: other, do: tier, class: GLACIER_IR}
  - {name: cold, store: lake, match: "raw/**", when: "age > 90d and size < 1GiB", do: tier, class: GLACIER_IR}
  - {name: deep, store: lake, match: "deep/**", when: "age >= 30d", do: tier, class: DEEP_ARCHIVE, require: {payback: 90d}}
  - {name: gone, store: lake, match: "tmp/**", when: "age > 7d", do: delete, purge: "cannot be undone"}
  - {name: idle, store: lake, match: "i/**", when: "idle > 30d", do: tier, class: GLACIER_IR}
  - {name: pattern, store: lake, match: "*.log", do: tier, class: GLACIER_IR}
  - {name: either, store: lake, match: "e/**", when: "age > 1d or size > 1MiB", do: tier, class: GLACIER_IR}
  - {name: soft, store: lake, match: "s/**", when: "age > 1d", do: delete}
  - {name: auto, store: lake, match: "au/**", do: tier, class: auto}
  - {name: runs, store: lake, kind: runs, do: tier, class: GLACIER_IR}
  - {name: small, store: lake, match: "sm/**", when: "size < 1KiB", do: tier, class: GLACIER_IR}
  - {name: shadow, store: lake, match: "raw/x/**", do: tier, class: DEEP_ARCHIVE}
END
run "$EBB" export lake
expect_status 0
[[ $(jq -c '[.Rules[] | [.ID, .Status]]' <<<"$out") == '[["ebb: cold","Enabled"],["ebb: deep","Enabled"],["ebb: gone","Enabled"]]' ]] ||
	unexpected 'other rules'
[[ $(jq -c '.Rules[0] | [.Filter.And.Prefix, .Filter.And.ObjectSizeLessThan, .Transitions]' <<<"$out") == \
	'["raw/",1073741824,[{"Days":90,"StorageClass":"GLACIER_IR"}]]' ]] || unexpected 'cold is said otherwise'
[[ $(jq -c '.Rules[2] | [.Filter, .Expiration]' <<<"$out") == '[{"Prefix":"tmp/"},{"Days":7}]' ]] || unexpected 'gone is said otherwise'
# 0.00005 within three months of 0.0220 a GiB, less the overhead: 0.8 MiB and not more
over=$(jq '.Rules[1].Filter.And.ObjectSizeGreaterThan' <<<"$out")
((over > 700000 && over < 900000)) || unexpected "the smallest size is $over"
[[ $(jq -c '.Rules[1].Transitions[0].Days' <<<"$out") == 30 ]] || unexpected 'deep waits otherwise'

expect_err "rule 'idle' is left out: 'idle': lifecycle rules know when an object was written, not when it was read"
expect_err "rule 'pattern' is left out: '*.log' is no prefix"
expect_err "rule 'soft' is left out: lifecycle rules have no trash"
expect_err "rule 'auto' is left out"
expect_err "rule 'shadow' is left out"
expect_no_err 'elsewhere'

# a dataset that keeps copies: nothing of it may expire
cp ebb.yaml all.yaml
sed -i 's|^rules:|  - {match: "tmp/models/**", copies: 2}\nrules:|' ebb.yaml
run "$EBB" export lake
expect_err "rule 'gone' is left out: dataset 'tmp/models/**' keeps copies, and lifecycle rules count none"
[[ $(jq -c '[.Rules[].ID]' <<<"$out") == '["ebb: cold","ebb: deep"]' ]] || unexpected 'other rules'
cp all.yaml ebb.yaml

# what a bucket keeps out of sight: said in words, for the bucket to do; a plan touches none of it
cp ebb.yaml all.yaml
sed -i '/^rules:/,$d' ebb.yaml
cat >>ebb.yaml <<'END'
rules:
  - {name: old, store: lake, match: "raw/**", do: delete, versions: noncurrent, after: 30d, purge: "cannot be undone"}
  - {name: holy, store: lake, match: "holy/**", do: keep}
  - {name: markers, store: lake, match: "raw/**", do: delete, versions: markers, purge: "cannot be undone"}
  - {name: parts, store: lake, match: "raw/**", do: delete, versions: uploads, after: 7d, purge: "cannot be undone"}
  - {name: more, store: lake, do: delete, versions: noncurrent, after: 1d, purge: "cannot be undone"}
  - {name: soft, store: lake, match: "soft/**", when: "age > 7d", do: delete, trash: 30d}
  - {name: early, store: lake, match: "soft/**", do: delete, versions: noncurrent, after: 30d, purge: "cannot be undone"}
  - {name: seen, store: lake, match: "raw/**", when: "age > 7d", do: delete, purge: "cannot be undone"}
END
run "$EBB" export lake
expect_status 0
[[ $(jq -c '.Rules[] | [.ID, .Filter.Prefix, .Expiration, .NoncurrentVersionExpiration, .AbortIncompleteMultipartUpload]' <<<"$out") == \
	'["ebb: old","raw/",null,{"NoncurrentDays":30},null]
["ebb: markers","raw/",{"ExpiredObjectDeleteMarker":true},null,null]
["ebb: parts","raw/",null,null,{"DaysAfterInitiation":7}]
["ebb: seen","raw/",{"Days":7},null,null]' ]] || unexpected 'hidden things are said otherwise'
expect_err "rule 'more' is left out: rule 'holy' comes first"
expect_err "rule 'early' is left out: rule 'soft' keeps what it deletes in the trash for as long"
run "$EBB" --index hidden scan lake
sed -i '/name: seen/d' ebb.yaml
run "$EBB" --index hidden plan -n lake
expect_out 'nothing to do'
expect_out "old: what a bucket keeps out of sight is for the bucket itself to delete, see 'ebb export'"
cp all.yaml ebb.yaml

# what is exported reads back
"$EBB" export lake >mine.json 2>/dev/null
run "$EBB" --index idx scan lake
run "$EBB" --index idx simulate --lifecycle mine.json lake
expect_status 0

# merged: others' rules stay, ours are replaced
cat >old.json <<'END'
{"Rules": [
  {"ID": "theirs", "Status": "Enabled", "Filter": {"Tag": {"Key": "a", "Value": "${b}"}}, "Expiration": {"Days": 9}},
  {"ID": "ebb: gone", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 999}},
  {"ID": "ebb: dropped", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 1}}]}
END
run "$EBB" export --merge old.json lake
expect_status 0
[[ $(jq -c '[.Rules[].ID]' <<<"$out") == '["theirs","ebb: cold","ebb: deep","ebb: gone"]' ]] || unexpected 'merged otherwise'
[[ $(jq -c '.Rules[3].Expiration.Days' <<<"$out") == 7 ]] || unexpected 'gone was not replaced'

# a store that drops what it does not know is found out
cp "$HOME/out" new.json
run "$EBB" export --merge old.json --compare new.json lake
expect_status 0
jq 'del(.Rules[1].Filter.And.ObjectSizeGreaterThan)' new.json >back.json
run "$EBB" export --merge old.json --compare back.json lake
expect_status 1
expect_err "rule 'ebb: cold' is not in 'back.json' as it was written"
jq '.Rules += [{"ID": "new", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}]' new.json >back.json
run "$EBB" export --merge old.json --compare back.json lake
expect_status 1
expect_err "rule 'new' of 'back.json' is not one of those exported"

run "$EBB" export --merge old.json --format terraform --bucket my.bucket lake
expect_status 0
expect_out_file export.tf

# a plan's moves, for a batch job
cat >>ebb.yaml <<'END'
  - {name: old, store: lake, when: "age > 180d", do: tier, class: GLACIER_IR}
END
run "$EBB" --index idx plan -o plan.jsonl lake
expect_status 0
run "$EBB" export --format batch --plan plan.jsonl --class GLACIER_IR --bucket my.bucket
expect_status 0
[[ $out == 'my.bucket,a%20b/%C3%BC%2C1' ]] || unexpected 'the manifest is other'
run "$EBB" export --format batch --plan plan.jsonl --class GLACIER
expect_status 0
[[ -z $out ]] || unexpected 'there is a manifest'
expect_err 'are no moves into GLACIER'

run "$EBB" export
expect_status 2
expect_err 'there are 2 stores: say which one to export rules for'
run "$EBB" export --format batch lake
expect_status 2
