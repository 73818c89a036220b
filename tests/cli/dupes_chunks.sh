#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# dupes --chunks: what equal stretches of files would save, wherever they begin, held against what is known to be equal; what changed since
# the scan is left out and told.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq openssl

random() { # SEED BYTES: the same bytes each time
	openssl enc -aes-128-ctr -pass "pass:$1" -nosalt -md sha256 </dev/zero 2>/dev/null | head -c "$2"
}
mkdir data
random a 6000000 >data/step1
{ # the same behind 1,001 bytes more, with a piece of 200,000 bytes changed, and an end of its own
	random b 1001
	head -c 3000000 data/step1
	random c 200000
	tail -c +3200001 data/step1
	random d 500000
} >data/step2
cp data/step1 data/copy
random e 1000000 >data/alone
ln data/alone data/name
equal=$((6000000 + 5800000)) # the copy, and what step2 has of step1
all=$((3 * 6000000 + 1001 + 500000 + 1000000))
cat >ebb.yaml <<EOF
version: 1
stores: {s: {type: fs, path: $PWD/data}}
EOF
run "$EBB" --index idx scan
expect_status 0
run "$EBB" --index idx dupes --chunks --json
expect_status 0
first=$out
# a chunk or two at each seam (of 64 KiB at most) are not met again; so small a set is counted whole, so there is no error
[[ $(jq ".files == 4 and .skipped == 0 and .bytes == $all and .error_bytes == 0 and .saved_bytes <= $equal and
	.saved_bytes >= $equal - 4 * 65536" <<<"$out") == true ]] || unexpected "of $all bytes $equal are equal"
run "$EBB" --index idx dupes --chunks --json --threads 1
[[ $out == "$first" ]] || unexpected "other figures than with more threads: $first"
run "$EBB" --index idx dupes --chunks
expect_out "would save $(jq '(.saved_bytes * 1000 / .bytes | round) / 10' <<<"$first") % (+- 0.0) of"
run "$EBB" --index idx dupes --chunks --json --min-size 2MB
[[ $(jq .files <<<"$out") -eq 3 ]] || unexpected 'a small file is counted'

# a file that is not what the scan saw, and one that is gone
random f 6000000 >data/copy
rm data/step2
run "$EBB" --index idx dupes --chunks --json
expect_status 1
expect_err '2 objects changed or could not be read'
[[ $(jq '.files == 2 and .skipped == 2' <<<"$out") == true ]] || unexpected 'what changed is counted'
