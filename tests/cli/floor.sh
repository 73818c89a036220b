#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1
# Datasets that keep copies: whatever rules say, so many objects with the same content stay, and what of its content nothing is known stays.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-20T12:00:00Z
mkdir -p a/m/old a/tmp b/m/old
head -c 40000 /dev/urandom >a/m/one
for f in a/m/old/one b/m/old/one a/tmp/one; do cp a/m/one "$f"; done
head -c 30000 /dev/urandom >a/m/old/two
cp a/m/old/two b/m/old/two
head -c 20000 /dev/urandom >a/m/old/alone
: >a/m/old/empty
head -c 10000 /dev/urandom >a/m/old/linked
ln a/m/old/linked a/m/old/again
cp a/m/old/linked b/m/old/linked
find a b -type f -exec touch -d 2025-01-01 {} +

# config COPIES RULES...
config() {
	cat >ebb.yaml <<END
version: 1
stores:
  a: {type: fs, path: "$PWD/a"}
  b: {type: fs, path: "$PWD/b"}
datasets:
  - {match: "m/**", copies: $1}
rules:
END
	shift
	printf '  - %s\n' "$@" >>ebb.yaml
	echo 'limits: {max_delete: 100%}' >>ebb.yaml
}
plan() {
	run "$EBB" plan -o plan.jsonl
	expect_status 0
	tail -n +3 plan.jsonl | jq -r '"\(.action) \(.store):\(.path)\(if .with_store then " " + .with_store + ":" + .with_path else "" end)"'
}
old='{name: old, match: "**/old/**", when: "age > 30d", do: delete}'

config 0 "$old"
run "$EBB" check
expect_status 3
expect_err "'copies' must be at least 1"

# --- Nothing is known of any content: nothing goes ---
config 1 "$old"
run "$EBB" scan
plan >rows
[[ $(<rows) == 'delete a:m/old/empty' ]] || fail "without digests: $(<rows)"
expect_out 'their dataset keeps copies, and too few are known that would stay'
run "$EBB" explain a:m/old/two
expect_out 'dataset m/**, keeps 1 copy of each content'
expect_out 'too few are known that would stay'

# --- With digests: one of each stays, hard links are one, other datasets do not count ---
run "$EBB" scan --hash all
plan | LC_ALL=C sort >rows
diff rows - >&2 <<'END' || fail 'one copy of each should stay'
delete a:m/old/empty
delete a:m/old/one a:m/one
delete b:m/old/linked a:m/old/again
delete b:m/old/one a:m/one
delete b:m/old/two a:m/old/two
END
run "$EBB" explain b:m/old/two
expect_out 'move it to the store'
run "$EBB" explain a:m/old/two
expect_out 'too few are known that would stay'
run "$EBB" explain a:m/old/alone
expect_out 'too few are known that would stay'

# --- Two: who stays is no longer there to go ---
config 2 "$old"
plan | LC_ALL=C sort >rows
diff rows - >&2 <<'END' || fail 'two copies of each should stay'
delete a:m/old/empty
delete b:m/old/one a:m/one
END
# dedup makes one of two, by whatever means
config 2 '{name: dup, match: "m/**", do: dedup, how: hardlink}'
plan >rows
[[ ! -s rows ]] || fail "three copies in two stores, and two must stay: $(<rows)"
config 1 '{name: dup, match: "m/**", do: dedup, how: hardlink}'
plan >rows
[[ $(<rows) == 'dedup a:m/one a:tmp/one' ]] || fail "a copy outside of the dataset is no copy of it: $(<rows)"

# --- What stays must stand when it is done, and the configuration of then decides ---
config 1 "$old"
plan >/dev/null
echo changed >>a/m/old/two
run "$EBB" apply plan.jsonl
expect_status 1
expect_err "b:m/old/two: the copy that should stay at 'a:m/old/two'"
[[ -e b/m/old/two && ! -e b/m/old/one && ! -e b/m/old/linked && -e a/m/old/linked ]] || fail 'the wrong ones went'
run "$EBB" undo last
expect_status 0
sed 's/copies: 1/team: x/' -i ebb.yaml
run "$EBB" scan
plan >/dev/null
config 1 "$old"
run "$EBB" apply plan.jsonl
expect_err 'its dataset keeps copies, and the plan names none that stays'
[[ -e a/m/old/alone && -e b/m/old/one ]] || fail 'an old plan crossed the floor'

# --- Checkpoints go whole or not at all, and what lies in a pack is counted by nobody: both stay ---
rm -rf a/* b/* a/.ebb-trash b/.ebb-trash
mkdir -p a/m/run
for step in 100 200 300; do
	mkdir a/m/run/checkpoint-$step
	head -c 5000 /dev/urandom >a/m/run/checkpoint-$step/model.safetensors
done
find a -type f -exec touch -d 2025-01-01 {} +
for copies in 'team: x' 'copies: 1'; do
	config 1 '{name: history, match: "m/**", do: retain, keep_last: 1, min_age: 1d}'
	sed -i "s/copies: 1/$copies/" ebb.yaml
	run "$EBB" scan -q --accept-losses --hash all
	plan >rows

	[[ $(wc -l <rows) -eq $([[ $copies == copies* ]] && echo 0 || echo 2) ]] || fail "retain with $copies: $(<rows)"
done
run "$EBB" checkpoints
expect_out 'its dataset keeps copies'

config 1 '{name: pack, store: a, match: "m/**", do: archive, to: b}'
plan >rows
run "$EBB" apply plan.jsonl
expect_status 0
for copies in 'team: x' 'copies: 1'; do
	config 1 '{name: gone, match: "m/**", when: "size > 0", do: delete, packed: true}'
	sed -i "s/copies: 1/$copies/" ebb.yaml
	run "$EBB" scan -q --accept-losses
	plan >rows
	[[ $(grep -c ^strike rows) -eq $([[ $copies == copies* ]] && echo 0 || echo 3) ]] || fail "packed with $copies: $(<rows)"
	[[ $copies == copies* ]] || cp plan.jsonl struck.jsonl
done
expect_out 'their dataset keeps copies'
run "$EBB" apply struck.jsonl
expect_status 1
expect_out '3 skipped'
expect_err 'its dataset keeps copies, and the plan names none that stays'
