#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1 P12 P14
#
# Small objects into packs of an archive class of the same bucket: priced, read back one by one by one request each, undone, and what
# other clients see. EBB_ARCHIVE_N objects of 20 KiB (2,000).

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq zstd tar

n=${EBB_ARCHIVE_N:-2000}
bucket=$(new_bucket)
boto "$bucket" "$n" <<'END'
import random
from concurrent.futures import ThreadPoolExecutor
def put(i):
    body = random.Random(i).randbytes(10240) + b"%06d" % i * 1706 + b"1234"
    s3.put_object(Bucket=argv[0], Key="run/%02d/%06d.json" % (i % 20, i), Body=body, ContentType="application/json", Metadata={"n": str(i)})
with ThreadPoolExecutor(8) as pool:
    list(pool.map(put, range(int(argv[1]))))
END
# objects: keys, sizes, tags and what an object says of itself, by a client that is not ours
objects() {
	boto "$bucket" <<-'END'
	from concurrent.futures import ThreadPoolExecutor
	keys = [o["Key"] for p in s3.get_paginator("list_objects_v2").paginate(Bucket=argv[0]) for o in p.get("Contents", [])]
	def tell(k):
	    o = s3.head_object(Bucket=argv[0], Key=k)
	    return "%s %d %s %s %s" % (k, o["ContentLength"], o["ETag"], o["ContentType"], o["Metadata"].get("n"))
	with ThreadPoolExecutor(8) as pool:
	    print("\n".join(pool.map(tell, keys)))
	END
}
objects >before

cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", provider: aws, region: us-east-1, class: STANDARD}
prices: [aws]
rules:
  - {name: runs, store: lake, match: "run/**", do: tier, class: DEEP_ARCHIVE}
END
export EBB_INDEX=$HOME/index
run "$EBB" scan
expect_status 0

# one by one it loses money, and the plan offers packs; in packs it gains
run "$EBB" plan -n
expect_out 'it would cost more than it saves'
expect_out 'in 1 pack'
sed -i 's/do: tier, class: DEEP_ARCHIVE/do: archive, to: lake, class: DEEP_ARCHIVE/' ebb.yaml
run "$EBB" plan -o plan.jsonl
expect_status 0
run "$EBB" plan -n --json
[[ $(jq ".objects == $n and .saving_month_nano > 0 and .one_off_nano < 36 * .saving_month_nano" <<<"$out") == true ]] ||
	unexpected 'no gain'
echo "priced: $out"
run "$EBB" apply plan.jsonl
expect_status 0
[[ ${out//,} == *": $n applied"* ]] || unexpected "not all are applied"
mapfile -t packs < <(aws s3api list-objects-v2 --bucket "$bucket" --query 'Contents[].[Key,StorageClass]' --output text)
[[ ${#packs[@]} -eq $(((n + 4095) / 4096)) ]] || fail "other objects are left: ${packs[*]}"
for p in "${packs[@]}"; do
	[[ $p == .ebb-packs/lake/*.tar.zst$'\t'DEEP_ARCHIVE ]] || fail "$p"
done

# any of them by one request; and by other tools
first=$(gets "$bucket")
for ((i = 0; i < 10; i++)); do
	k=$((RANDOM * 32768 + RANDOM))
	k=$((k % n))
	key=$(printf 'run/%02d/%06d.json' $((k % 20)) $k)
	run "$EBB" get "lake:$key"
	expect_status 0
	[[ $(md5sum <"$HOME/out" | cut -d' ' -f1) == $(grep "^$key " before | sed 's/.*"\(.*\)".*/\1/') ]] || fail "$key differs"
done
last=$(gets "$bucket")
[[ $last -eq $((first + 10)) ]] || fail "ten objects took $((last - first)) requests"
aws s3 cp "s3://$bucket/${packs[0]%%$'\t'*}" - >pack.tar.zst
mkdir unpacked
tar --zstd -xf pack.tar.zst -C unpacked
(cd unpacked && find . -type f -printf '%P\n' | sort | while read -r f; do
	[[ $(md5sum <"$f" | cut -d' ' -f1) == $(grep "^$f " ../before | sed 's/.*"\(.*\)".*/\1/') ]] || exit 1
done) || fail 'tar unpacks other contents'

run "$EBB" undo last
expect_status 0
[[ ${out//,} == *" $n "* ]] || unexpected "not all came back"
objects >after
expect_same before after
