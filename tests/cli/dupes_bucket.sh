#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Files and objects of a bucket are one group when the entity tags of the listing (here an inventory, so no request) are those that the
# file would get, whole or in parts of a usual size; what only shares the size is not, nor what has an opaque tag.

. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq python3

mkdir -p report/data report/2018-01-03T02-00Z local
python3 - <<'END'
import gzip, hashlib, os
r = lambda n, seed: hashlib.shake_128(seed).digest(n)
md5 = lambda b: hashlib.md5(b)
def parts(b, mib):
    p = [b[i:i + (mib << 20)] for i in range(0, len(b), mib << 20)]
    return md5(b"".join(md5(x).digest() for x in p)).hexdigest() + "-%d" % len(p)
big, small = r(17 << 20, b"big"), r(3000, b"small")
rows = [("whole", big, md5(big).hexdigest()), ("by8", big, parts(big, 8)), ("by5", big, parts(big, 5)), ("odd", big, parts(big, 6)),
        ("one", small, parts(small, 8)), ("opaque", small, "aes"), ("near", small, md5(b"x").hexdigest())]
open("local/big", "wb").write(big)
open("local/small", "wb").write(small)
open("local/noise", "wb").write(r(3000, b"noise"))
with gzip.open("report/data/one.csv.gz", "wt") as f:
    for k, b, tag in rows:
        f.write(f'"lake","{k}","{len(b)}","2017-01-01T00:00:00.000Z","STANDARD","{tag}"\n')
END
manifest=report/2018-01-03T02-00Z/manifest.json
jq -n --arg a "$(md5sum <report/data/one.csv.gz | cut -d ' ' -f 1)" \
	'{sourceBucket: "lake", version: "2016-11-30", creationTimestamp: "1514944800000", fileFormat: "CSV",
	fileSchema: "Bucket, Key, Size, LastModifiedDate, StorageClass, ETag",
	files: [{key: "inv/lake/daily/data/one.csv.gz", size: 1, MD5checksum: $a}]}' >$manifest
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: lake, region: us-east-1}
  disk: {type: fs, path: $PWD/local}
rules:
  - {name: same, store: lake, do: dedup, how: delete}
END
run "$EBB" scan lake --from-inventory $manifest
expect_status 0
run "$EBB" scan disk
expect_status 0
groups() { jq -c '[.digest_is, .members[].path]' <<<"$out" | sort; }
want='["xxh128","big","by5","by8","odd","whole"]
["xxh128","small","one"]'
run "$EBB" dupes --json
expect_status 0
[[ $(groups) == "$want" ]] || fail "groups: $(groups)"
# it is learned: nothing need be read again
run "$EBB" dupes --known --json
[[ $(groups) == "$want" ]] || fail "known: $(groups)"
# and holds as long as the object stays
run "$EBB" scan lake --from-inventory $manifest
run "$EBB" dupes --known --json
[[ $(groups) == "$want" ]] || fail "after a scan: $(groups)"
# without a file only those with one tag are equal
run "$EBB" dupes --known --json lake
[[ $(groups) == '["xxh128","by5","by8","odd","whole"]' ]] || fail "bucket: $(groups)"
# what tags leave open is not downloaded where nobody knows what that costs
run "$EBB" dupes --json --max-download 1GB
expect_status 0
expect_err '1 object not compared: reading costs more than a year'
[[ $(groups) == "$want" ]] || fail "with a budget: $(groups)"
