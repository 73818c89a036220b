#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1 P14
# dedup with hard links and by deleting: who stays, who is refused, what is kept of copies, undo, and that bytes decide.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-20T12:00:00Z
mkdir -p a/keep a/x a/y a/z b c
head -c 100000 /dev/urandom >a/keep/one
for f in a/x/one a/y/one b/one; do cp a/keep/one $f; done
head -c 50000 /dev/urandom >a/x/two
cp a/x/two a/y/two
cp a/x/two a/z/two
head -c 70000 /dev/urandom >a/x/three
cp a/x/three a/y/three
head -c 60000 /dev/urandom >a/x/four
cp a/x/four a/y/four
head -c 80000 /dev/urandom >a/x/gone
cp a/x/gone a/y/gone
find a b -type f -exec touch -d 2025-01-01T00:00:00.123456789Z {} +
touch -d 2025-02-01 a/y/three
chmod 600 a/y/four
cat >prices.yaml <<'END'
version: 1
name: p
date: 2026-11-01
currency: USD
source: test
confidence: contract
classes: {NVME: {storage_gib_month: 1.00}, HDD: {storage_gib_month: 0.10}}
END
config() {
	cat >ebb.yaml <<END
version: 1
stores:
  a: {type: fs, path: "$PWD/a", class: NVME}
  b: {type: fs, path: "$PWD/b", class: HDD}
prices: [./prices.yaml]
rules:
  - {name: in use, match: "keep/**", do: keep}
  - {name: going, match: "x/gone", do: delete}
  - $1
END
}
rows() { tail -n +3 plan.jsonl | jq -c "select(.action == \"dedup\") | $1"; }
tree() { (cd "$1" && find . -path ./.ebb-trash -prune -o -printf '%p %y %m %s %T@ %n\n' | sort); }

# a rule must say how
config '{name: d, do: dedup}'
run "$EBB" check
expect_status 3
expect_err "needs 'how'"
config '{name: d, do: keep, how: delete}'
run "$EBB" check
expect_status 3
config '{name: d, do: dedup, how: delete, copies: 0}'
run "$EBB" check
expect_status 3

# without digests nothing is known to be equal
config '{name: same, store: a, do: dedup, how: hardlink}'
run "$EBB" scan
run "$EBB" plan -o plan.jsonl
expect_status 0
[[ ! $(rows .) ]] || fail 'a plan without digests'
run "$EBB" scan --hash candidates
expect_status 0

# hard links: same owner, mode and time only; what stays is what no dedup rule meets, else the first; what another rule takes away is no copy
run "$EBB" plan -o plan.jsonl
expect_status 0
rows '[.path, .with_path, .how]' >rows.txt
cat >want.txt <<'END'
["x/one","keep/one","hardlink"]
["y/one","keep/one","hardlink"]
["y/two","x/two","hardlink"]
["z/two","x/two","hardlink"]
END
expect_same want.txt rows.txt
tree a >before.txt
run "$EBB" apply -n plan.jsonl
expect_status 0
run "$EBB" apply plan.jsonl
expect_status 0
[[ a/x/one -ef a/keep/one && a/y/one -ef a/keep/one && a/z/two -ef a/x/two ]] || fail 'not linked'
[[ ! a/y/three -ef a/x/three && ! a/y/four -ef a/x/four ]] || fail 'other metadata was linked over'
run "$EBB" undo last -n
expect_status 0
run "$EBB" undo last
expect_status 0
tree a >after.txt
expect_same before.txt after.txt

EBB_NOW=2026-11-20T13:00:00Z
# a name that is the last of its inode is not taken away by undo
run "$EBB" scan --hash candidates --quiet
run "$EBB" plan -o plan.jsonl
run "$EBB" apply plan.jsonl
expect_status 0
rm a/x/two
run "$EBB" undo last
expect_status 1
cmp -s a/y/two a/z/two || fail 'content is gone'

EBB_NOW=2026-11-20T14:00:00Z
# delete: the cheaper copy stays, here in another store; so many copies as the rule says; bytes decide
config '{name: same, match: "*/one", do: dedup, how: delete, copies: 2, trash: 5d}'
run "$EBB" scan --hash candidates --quiet
expect_status 0
run "$EBB" plan -o plan.jsonl
rows '[.store, .path, .with_store, .with_path, .trash_s, .freed_bytes > 0]' >rows.txt
cat >want.txt <<'END'
["a","x/one","b","one",432000,true]
["a","y/one","b","one",432000,true]
END
expect_same want.txt rows.txt
# somebody changes one byte of the copy that stays, and puts all times back that users can set
cp -p b/one saved
flip b/one 500
touch -r saved b/one
run "$EBB" apply plan.jsonl
expect_status 1
[[ -f a/x/one && -f a/y/one ]] || fail 'a copy went although what was to stay changed'
cp -p saved b/one
run "$EBB" scan --hash candidates --quiet
EBB_NOW=2026-11-20T15:00:00Z
run "$EBB" plan -o plan.jsonl
run "$EBB" apply plan.jsonl
expect_status 0
[[ ! -e a/x/one && ! -e a/y/one && -f a/keep/one && -f b/one ]] || fail 'which went'
run "$EBB" trash --json
[[ $(jq .objects <<<"$out") == *2* ]] || fail "trash: $out"
run "$EBB" undo last
expect_status 0
cmp a/x/one saved
cmp a/y/one saved

# deletions count for the limit
cat >>ebb.yaml <<'END'
limits: {max_delete: 1}
END
run "$EBB" scan --hash candidates --quiet
run "$EBB" plan -o plan.jsonl
run "$EBB" apply plan.jsonl
expect_status 7
