#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# dupes: the groups that a comparison of all bytes finds, net of hard links and holes, over stores; digests stay and are used again.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq python3

export EBB_INDEX=$HOME/idx
python3 - <<'END'
import os, random
r = random.Random(7)
kept = []
for i in range(400):
    os.makedirs(f"a/d{i % 9}", exist_ok=True)
    what = r.random()
    if kept and what < 0.35:
        data = r.choice(kept)
    elif kept and what < 0.55:  # the same size, one byte differs: at the ends, in the middle, or where samples do not look
        data = bytearray(r.choice(kept))
        data[r.choice([0, len(data) // 2, -1, len(data) // 3])] ^= 1
    else:
        data = r.randbytes(r.choice([1, 100, 4096, 65536, 65537, 70000, 300000]))
    kept.append(bytes(data))
    open(f"a/d{i % 9}/f{i}", "wb").write(data)
open(b"a/not\xffutf8", "wb").write(kept[0])
open('a/with "quote"\n', "wb").write(kept[0])
open("a/empty1", "w"), open("a/empty2", "w")
os.symlink("d0/f0", "a/link")
END
ln a/d0/f0 a/d1/other-name
echo alone >a/alone
ln a/alone a/alone2
mkdir b
cp a/d0/f0 b/copy
cat >ebb.yaml <<END
version: 1
stores:
  a: {type: fs, path: "$PWD/a", class: NVME}
  b: {type: fs, path: "$PWD/b", class: HDD}
prices: [./prices.yaml]
END
cat >prices.yaml <<END
version: 1
name: p
date: 2026-11-01
currency: USD
source: test
confidence: contract
classes: {NVME: {storage_gib_month: 1.00}, HDD: {storage_gib_month: 0.10}}
END

# groups by the bytes themselves: every name, but no group of names of one inode
truth() {
	python3 - "$@" <<'END'
import collections, os, sys
by = collections.defaultdict(list)
for root in sys.argv[1:]:
    for d, _, fs in os.walk(root.encode()):
        for f in fs:
            p = os.path.join(d, f)
            if not os.path.islink(p) and os.path.getsize(p):
                by[open(p, "rb").read()].append(p)
for v in by.values():
    if len({os.stat(p).st_ino for p in v}) > 1:
        print(sorted(v))
END
}
# the same from what ebb says
said() {
	jq -c '[.members[] | [.store, .path, .path_b64]]' | python3 -c '
import base64, json, sys
for line in sys.stdin:
    print(sorted(s.encode() + b"/" + (p.encode() if p is not None else base64.b64decode(b)) for s, p, b in json.loads(line)))'
}
same_groups() {
	sort "$1" >sorted1
	sort "$2" >sorted2
	expect_same sorted1 sorted2
}

run "$EBB" dupes
expect_status 5
run "$EBB" scan
expect_status 0
run "$EBB" dupes --known
expect_status 0
expect_out 'no duplicates'
truth a b >truth.txt
run "$EBB" dupes --json
expect_status 0
printf '%s\n' "$out" >first.json
said <first.json >said.txt
same_groups truth.txt said.txt

# dearest first, and the sums are those of the rows
jq -s -e 'map(.redundant_month_nano) | . == (sort | reverse)' first.json >/dev/null || fail 'not by money'
run "$EBB" dupes --summary --json
[[ $(jq .redundant_bytes <<<"$out") == $(jq -s 'map(.redundant_bytes) | add' first.json) ]] || fail 'sum of bytes'
[[ $(jq .groups <<<"$out") == $(wc -l <first.json) ]] || fail 'number of groups'

# a name of an inode is no copy; the copy on the cheaper disk is the one that stays
jq -s -e 'any(.[]; any(.members[]; .path == "d1/other-name" and .linked) and .copies == .names - 1)' first.json >/dev/null || fail 'linked'

# what was learned is used again: nothing is opened but what is new
cp a/d0/f0 a/new
head -c 300000 /dev/urandom >a/fresh
truth a b >truth.txt
run "$EBB" scan --hash candidates --quiet
expect_status 0
run "$EBB" dupes --known --json
said <<<"$out" >said.txt
same_groups truth.txt said.txt
if [[ $(command -v strace) && ! ${ASAN_OPTIONS-} ]] && strace -o trace true 2>trace.err; then
	run strace -f -e trace=openat,openat2 -o trace "$EBB" dupes --json
	expect_status 0
	if grep -q 'd0/f\|"f0"' trace; then fail 'a file was opened again'; fi
	said <<<"$out" >said.txt
	same_groups truth.txt said.txt
fi

# pure names of one inode only when asked for; targets and sizes
run "$EBB" dupes -H --json
[[ $out == *'"alone2"'* ]] || fail 'no group of names'
run "$EBB" dupes --json b
[[ ! $out ]] || fail 'one file is no duplicate of itself'
run "$EBB" dupes --json --min-size 70001
jq -e -s 'all(.size_bytes == 300000)' <<<"$out" >/dev/null || fail 'min-size'
run "$EBB" dupes --limit 1
expect_out 'groups are not shown'
run "$EBB" dupes nowhere:
expect_status 2

# what changed since the scan is named and left out
cp -p a/new a/new2
run "$EBB" scan --quiet
echo x >>a/new2
run "$EBB" dupes --json
expect_status 1
expect_err 'a:new2'
expect_err '1 object changed'
said <<<"$out" >said.txt
same_groups truth.txt said.txt

# holes are worth nothing, and sizes over 4 GiB are sizes
rm -rf a/* b/*
for i in 1 2 3; do
	truncate -s 4300M a/hole$i
done
printf x | dd of=a/hole3 bs=1 seek=2200M conv=notrunc status=none
run "$EBB" scan --accept-losses --quiet
expect_status 0
run "$EBB" dupes --json
expect_status 0
[[ $(jq -c '[.size_bytes, .redundant_bytes, .copies]' <<<"$out") == "[4508876800,0,2]" ]] || fail "holes: $out"

# every digest, and no access time moves
run "$EBB" scan --hash all --json
expect_status 0
run "$EBB" scan --hash maybe
expect_status 2
