#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What ebb export writes, put on a real store: read back it is what was written, objects move; and a filter that
# this store drops is found out.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq

bucket=$(new_bucket)
head -c 10000 /dev/zero >data
aws s3api put-object --bucket "$bucket" --key raw/a --body data >/dev/null
aws s3api put-object --bucket "$bucket" --key kept --body data >/dev/null

# a site whose classes cost nothing per object
cat >site.yaml <<'END'
version: 1
name: site
date: 2026-11-01
currency: USD
source: test
confidence: sample
classes:
  STANDARD: {storage_gib_month: 0.02}
  GLACIER: {storage_gib_month: 0.005}
END
mkdir lake
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: fs, path: $PWD/lake, class: STANDARD}
prices: [./site.yaml]
rules:
  - {name: raw, store: lake, match: "raw/**", when: "age > 1d", do: tier, class: GLACIER}
END
run "$EBB" export lake
expect_status 0
cp "$HOME/out" new.json
aws s3api put-bucket-lifecycle-configuration --bucket "$bucket" --lifecycle-configuration file://new.json
aws s3api get-bucket-lifecycle-configuration --bucket "$bucket" >back.json
run "$EBB" export --compare back.json lake
expect_status 0

# this store takes a size filter, and forgets it
sed -i 's/age > 1d/& and size > 1MiB/' ebb.yaml
"$EBB" export lake >sized.json
aws s3api put-bucket-lifecycle-configuration --bucket "$bucket" --lifecycle-configuration file://sized.json
aws s3api get-bucket-lifecycle-configuration --bucket "$bucket" >back.json
run "$EBB" export --compare back.json lake
if [[ $(jq '[.. | .ObjectSizeGreaterThan? // empty] | length' back.json) == 0 ]]; then
	expect_status 1
	expect_err "rule 'ebb: raw' is not in 'back.json' as it was written"
else
	expect_status 0
fi

# the first one again, until the store has acted on it (its days last ten seconds)
aws s3api put-bucket-lifecycle-configuration --bucket "$bucket" --lifecycle-configuration file://new.json
for ((i = 0; i < 240; i++)); do
	run aws s3api head-object --bucket "$bucket" --key raw/a
	[[ $out != *GLACIER* ]] || break
done
expect_out '"StorageClass": "GLACIER"'
run aws s3api head-object --bucket "$bucket" --key kept
expect_no_out GLACIER
