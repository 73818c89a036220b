#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P4 P13
#
# Encryption that is asked for again: of a copy that an attempt left when it was killed, in a bucket that must be encrypted by now; and of
# packs, which take no member whose encryption they lack.
# shellcheck source=tests/support/server.sh
. "$EBB_SRC/tests/support/server.sh"
require_cmd jq strace
strace -f -o /dev/null true 2>/dev/null || skip 'strace cannot trace here'
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 no_proxy='*'

bucket=$(new_bucket)
mkdir data
# write_config OPTIONS ACTION
write_config() {
	cat >ebb.yaml <<-END
	version: 1
	stores:
	  d: {type: fs, path: $PWD/data}
	  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1, class: STANDARD$1}
	rules:
	  - {name: r, $2}
	limits: {max_delete: 100%}
	END
}
up='store: d, when: "size > 0", do: tier, to: lake'
export EBB_INDEX=$HOME/index

# --- A copy that stands unencrypted, its original beside it ---
write_config '' "$up"
for ((i = 4; i < 40; i++)); do
	echo secret >data/f
	rm -rf "$EBB_INDEX" plan.jsonl
	aws s3 rm --quiet "s3://$bucket/f"
	run "$EBB" scan -q
	run "$EBB" plan -q -o plan.jsonl
	expect_status 0
	run strace -f -o /dev/null -e trace=sendto -e inject=sendto:signal=KILL:when=$i "$EBB" apply -q plan.jsonl
	[[ -e data/f ]] || fail 'it is done, and was never between copy and removal'
	if aws s3api head-object --bucket "$bucket" --key f >head.json 2>/dev/null; then
		break
	fi
done
[[ $(jq -r .ServerSideEncryption head.json) == null ]] || fail 'the server encrypts by itself'
# the bucket does not encrypt, nor do we any more: nothing is touched
write_config ', require: {encrypted: true}' "$up"
run "$EBB" apply plan.jsonl
expect_status 4
expect_err 'must be encrypted'
[[ -e data/f ]] || fail 'the original is gone'
# we do now, and what the killed attempt left is not: it goes, the original stays
write_config ", require: {encrypted: true}, sse: 'aws:kms', sse_key: testkey-1" "$up"
run "$EBB" apply plan.jsonl
expect_status 1
[[ -e data/f ]] || fail 'the original is gone'
! aws s3api head-object --bucket "$bucket" --key f >/dev/null 2>&1 || fail 'it stays unencrypted'
rm plan.jsonl
run "$EBB" scan -q
run "$EBB" plan -q -o plan.jsonl
run "$EBB" apply plan.jsonl
expect_status 0
expect_out '1 applied'
[[ $(aws s3api head-object --bucket "$bucket" --key f | jq -r .ServerSideEncryption) == aws:kms ]] || fail 'not encrypted'

# --- Packs ---
rm -rf "$EBB_INDEX" plan.jsonl
head -c 3000 /dev/urandom >small
aws s3api put-object --bucket "$bucket" --key p/keyed --body small --server-side-encryption aws:kms --ssekms-key-id testkey-1 >/dev/null
for k in 1 2; do
	aws s3api put-object --bucket "$bucket" --key p/plain$k --body small >/dev/null
done
packs='store: lake, match: "p/**", when: "size > 0", do: archive, to: lake, class: GLACIER'
write_config '' "$packs"
run "$EBB" scan -q lake
run "$EBB" plan -q lake -o plan.jsonl
run "$EBB" apply plan.jsonl
expect_status 1
expect_out '2 applied'
expect_err 'p/keyed: is encrypted with a key of its own, and its copy is not'
aws s3api head-object --bucket "$bucket" --key p/keyed >/dev/null || fail 'it is gone'
# where packs have the same key it goes in (this server changes no class of what is encrypted)
write_config ", sse: 'aws:kms', sse_key: testkey-1" "${packs/GLACIER/STANDARD}"
rm plan.jsonl
run "$EBB" scan -q lake
run "$EBB" plan -q lake -o plan.jsonl
run "$EBB" apply plan.jsonl
expect_status 0
expect_out '1 applied'
pack=$(aws s3api list-objects-v2 --bucket "$bucket" --prefix .ebb-packs/ | jq -r '.Contents | max_by(.LastModified) | .Key')
[[ $(aws s3api head-object --bucket "$bucket" --key "$pack" | jq -r '"\(.ServerSideEncryption) \(.SSEKMSKeyId)"') == 'aws:kms testkey-1' ]] || fail 'the pack is not encrypted as its member was'
"$EBB" get lake:p/keyed | cmp - small
