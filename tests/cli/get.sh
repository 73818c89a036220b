#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# get: plain and compressed objects, tensor containers and members of packs; damage is told, files named are not left half written.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd zstd lz4 jq

mkdir d
seq 1 100000 >plain
cp plain d/plain
zstd -qo d/log.zst plain
lz4 -q plain d/other.lz4
cp "$EBB_SRC/tests/fuzz/corpus/tensor/safetensors.ebbt" d/model.ebbt
cp "$EBB_SRC/tests/fuzz/corpus/pack/good" d/p.tar.zst
zstd -qdc d/p.tar.zst | tar xOf - two >second
cat >ebb.yaml <<-END
	version: 1
	stores:
	  d: {type: fs, path: "$PWD/d"}
END

# get ARGS... into the file `got`
get() {
	run "$EBB" get "$@"
	expect_status 0
	cp "$HOME/out" got
}

get d:plain
expect_same plain got
get d/plain --offset 1000 --length 500B
tail -c +1001 plain | head -c 500 | cmp - got
get d:log.zst
expect_same plain got
get d:log # where compressing would leave it
expect_same plain got
get d/other
expect_same plain got
get d:log --offset 100000B --length 7B
tail -c +100001 plain | head -c 7 | cmp - got
get d:log.zst --raw
expect_same d/log.zst got

get d:model
expect_same "$EBB_SRC/tests/fuzz/corpus/tensor/safetensors" got
get d:model --offset 3000 --length 1001B
tail -c +3001 "$EBB_SRC/tests/fuzz/corpus/tensor/safetensors" | head -c 1001 | cmp - got

run "$EBB" get d:p.tar.zst --list
expect_status 0
expect_out 'a/one'
run "$EBB" get d:p.tar.zst --list --json
[[ $(jq -s 'map(.size) | add' <<<"$out") == 100045 ]] || unexpected 'sizes of the members'
get d:p.tar.zst --member two
expect_same second got
get d:p.tar.zst --member holes
[[ $(stat -c %s got) == 100000 ]] || unexpected 'a member with holes'
run "$EBB" get d:p.tar.zst --member three
expect_status 1
expect_err "has no member 'three'"

# --- Into a file, once ---
run "$EBB" get d:log -o new
expect_status 0
expect_same plain new
run "$EBB" get d:log -o new
expect_err "cannot create 'new'"

# --- Damage ---
run "$EBB" get d:nothing
expect_status 1
flip d/log.zst 20000
run "$EBB" get d:log -o bad
expect_status 1
[[ ! -e bad ]] || fail 'a damaged object left a file'
cp "$EBB_SRC/tests/fuzz/corpus/pack/flipped" d/p.tar.zst
run "$EBB" get d:p.tar.zst --member a/one
expect_status 1
expect_err 'a member is damaged'
run "$EBB" get d:p.tar.zst --list --salvage
expect_status 1
expect_err "member 'a/one' is damaged"
expect_out 'two'
expect_no_out 'a/one'
cp "$EBB_SRC/tests/fuzz/corpus/pack/no-footer" d/p.tar.zst
run "$EBB" get d:p.tar.zst --member a/one
expect_status 1
expect_err 'is missing or damaged; --salvage finds what is intact'
get d:p.tar.zst --member two --salvage
expect_same second got
run "$EBB" get d:p.tar.zst --list --salvage
expect_status 1
expect_err '3 members are intact, 0 or more are lost'
run "$EBB" get d:p.tar.zst --member three --salvage
expect_err "no intact member 'three'"
run "$EBB" get d:p.tar.zst --member x --list
expect_status 2
