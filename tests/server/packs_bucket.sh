#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What lies in packs of a bucket: struck off by tombstones, taken back, packed anew into the class that the pack had, found by the packs alone, and
# taken back from there with all metadata.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq zstd tar

n=200
bucket=$(new_bucket)
boto "$bucket" "$n" <<'END'
import random
from concurrent.futures import ThreadPoolExecutor
def put(i):
    body = random.Random(i).randbytes(3000) + b"%06d" % i * 300
    s3.put_object(Bucket=argv[0], Key="run/%02d/%06d.json" % (i % 4, i), Body=body, ContentType="application/json", Metadata={"n": str(i)})
with ThreadPoolExecutor(8) as pool:
    list(pool.map(put, range(int(argv[1]))))
END
objects() { # keys, sizes, tags and metadata below run/02 and run/03, by a client that is not ours
	boto "$bucket" <<-'END'
	for p in s3.get_paginator("list_objects_v2").paginate(Bucket=argv[0], Prefix="run/"):
	    for c in p.get("Contents", []):
	        if c["Key"] < "run/02": continue
	        o = s3.head_object(Bucket=argv[0], Key=c["Key"])
	        print(c["Key"], o["ContentLength"], o["ETag"], o["ContentType"], o["Metadata"].get("n"))
	END
}
stand() { aws s3api list-objects-v2 --bucket "$bucket" --prefix .ebb-packs/ --query 'Contents[].[Key,StorageClass]' --output text; }
objects >before
conf() {
	cat >ebb.yaml <<-END
		version: 1
		stores:
		  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", provider: aws, region: us-east-1, class: STANDARD}
		prices: [aws]
		rules:
		  - {name: runs, store: lake, match: "run/**", do: archive, to: lake, class: GLACIER_IR, require: {payback: 100y}}
		$1
	END
}
step() {
	run "$EBB" scan
	expect_status 0
	run "$EBB" plan -o "$1.jsonl"
	expect_status 0
	run "$EBB" apply "$1.jsonl"
	expect_status 0
}
export EBB_INDEX=$HOME/index
now=$(date +%s)
conf ''
sed -i 's/GLACIER_IR/STANDARD_IA/' ebb.yaml
step archive
pack=$(stand | cut -f1)
[[ $(stand | wc -l) -eq 1 ]] || fail "other objects stand: $(stand)"

# half of it is struck off: the plan says what that costs, tombstones stand, get refuses, undo takes them back
conf '  - {name: old, store: lake, match: "run/0[01]/**", do: delete, packed: true, trash: 1h}
  - {name: anew, do: repack}'
run "$EBB" scan
run "$EBB" plan -n --json
[[ $(jq '.objects == 100 and .one_off_nano == 100 * 5000' <<<"$out") == true ]] || unexpected 'a tombstone is a PUT'
step strike
[[ $(stand | grep -c '\.gone/') -eq 100 ]] || fail "tombstones: $(stand)"
run "$EBB" get lake:run/00/000004.json
expect_status 1
run "$EBB" undo last
expect_status 0
[[ $(stand | wc -l) -eq 1 ]] || fail "tombstones stay: $(stand)"
run "$EBB" get lake:run/00/000004.json
expect_status 0
step again

# past its time it is packed anew
export EBB_NOW
EBB_NOW=$(date -u -d "@$((now + 7200))" +%Y-%m-%dT%H:%M:%SZ)
step anew
[[ $(stand | cut -f1) == "${pack%.tar.zst}.r1.tar.zst" ]] || fail "other objects stand: $(stand)"
aws s3 cp "s3://$bucket/${pack%.tar.zst}.r1.tar.zst" - >r1.tar.zst
[[ $(tar --zstd -tf r1.tar.zst | sort) == $(cut -d' ' -f1 before | sort) ]] || fail 'other members'

# index and journals are lost: the packs know
run "$EBB" --index "$HOME/lost" packs --rebuild
expect_status 0
expect_out '100        0        0 %'
key=$(sed -n 7p before | cut -d' ' -f1)
run "$EBB" --index "$HOME/lost" get "lake:$key"
expect_status 0
[[ $(md5sum <"$HOME/out" | cut -d' ' -f1) == $(grep "^$key " before | sed 's/.*"\(.*\)".*/\1/') ]] || fail "$key differs"

# the run that archived is taken back from the pack that was packed anew
run "$EBB" status --json
run "$EBB" undo "$(jq -r 'select(.run) | .run' <<<"$out" | sort | head -1)"
expect_status 1
objects >after
expect_same before after
[[ -z $(stand) || $(stand) == None ]] || fail "the pack stays: $(stand)"
