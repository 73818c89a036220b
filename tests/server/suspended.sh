#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1 P14
#
# A bucket whose versioning is suspended: what was written before still has versions, which are found and stay; what is removed does not
# let an older version come up, and no version is lost that nobody named.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq

bucket=$(new_bucket)
mkdir cold
state() { aws s3api put-bucket-versioning --bucket "$bucket" --versioning-configuration "Status=$1"; }
put() { printf '%s' "$2" | aws s3 cp --quiet - "s3://$bucket/$1"; }
put plain 'before any version'
put under 'before any version'
state Enabled
for key in gone moved plain under; do put "$key" "an older version of $key"; done
state Suspended
for key in gone moved; do put "$key" "the newest of $key"; done
put fresh 'of no version'

cat >ebb.yaml <<YAML
version: 1
stores:
  old: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1}
  cold: {type: fs, path: $PWD/cold}
rules:
  - {name: gone, store: old, match: "[gfp]*", when: "size > 0", do: delete, trash: 1d}
  - {name: moved, store: old, match: "moved", do: tier, to: cold}
  - {name: under, store: old, match: "under", when: "size > 0", do: delete, purge: "cannot be undone"}
limits: {max_delete: 100%}
YAML
export EBB_INDEX=$HOME/index

# what the server has, as another client says: KEY ID SIZE, "*" at what is current
all() {
	boto "$bucket" <<'PY'
r = s3.list_object_versions(Bucket=argv[0])
rows = [(v["Key"], v["VersionId"], str(v["Size"]), v["IsLatest"]) for v in r.get("Versions", [])]
rows += [(v["Key"], v["VersionId"], "marker", v["IsLatest"]) for v in r.get("DeleteMarkers", [])]
for k, i, s, l in sorted(rows):
    print(k, "null" if i == "null" else "id", s, "*" if l else "-")
PY
}
run "$EBB" scan
expect_status 0
expect_out 'old: 9 objects'
expect_out 'kept versions, which is suspended now'
[[ $("$EBB" find old --json --where 'type == "version"' | jq -s 'map(.size) | add') -eq 85 ]] || fail 'older versions are not found'

run "$EBB" plan -o plan.jsonl
expect_status 0
expect_out "4 older versions of what goes stay, 85 B, unless the bucket's own rules remove them"
run "$EBB" show plan.jsonl
expect_out '4 older versions of what goes stay, 85 B'
[[ $(sed -n 2p plan.jsonl | jq -c '[.stores[0].versions, .older.objects, .older.bytes]') == '["suspended",4,85]' ]] ||
	unexpected 'the header does not say so'
run "$EBB" apply plan.jsonl
expect_status 1
expect_out '3 applied, 50 B, 2 skipped'
expect_err "old:plain: 'plain' has an older version"
all >after
grep -v '^.ebb-trash/' after | LC_ALL=C sort | diff - <(cat <<'END'
fresh null marker *
gone id 24 -
gone null marker *
moved id 25 -
moved null marker *
plain id 25 *
plain null 18 -
under id 25 *
under null 18 -
END
) >&2 || fail 'a version that nobody named went, or came up'
[[ $(<cold/moved) == 'the newest of moved' ]] || fail 'not moved'

run "$EBB" undo last
expect_status 0
for key in gone moved; do
	aws s3 cp "s3://$bucket/$key" - | cmp - <(printf 'the newest of %s' "$key") || fail "$key did not come back"
done
