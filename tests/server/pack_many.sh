#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A pack of 100,000 members: one of them by one request, as the server counts them; all of them by tar, as they were; and what is left of
# them when a bit, the end or the footer is damaged. EBB_ARCHIVE_N: so many members.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq zstd tar getfattr

n=${EBB_ARCHIVE_N:-100000}
bucket=$(new_bucket)
pack=.ebb-packs/lake/20260101T000000Z/000001.tar.zst
"${EBB%/*}/tests/bench/pack_many" "$n" before >pack
aws s3 cp --quiet pack "s3://$bucket/$pack"
mkdir -p hot
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", class: STANDARD}
  hot: {type: fs, path: $PWD/hot}
END
export EBB_INDEX=$HOME/index

# the catalogue knows where members lie, so one is one request
run "$EBB" packs --rebuild
expect_status 0
first=$(gets "$bucket")
for i in 0 $((n / 3)) $((n - 1)); do
	key=$(printf 'run%03d/%06d.json' $((i / 1000)) "$i")
	run "$EBB" get "lake:$key"
	expect_status 0
	expect_same "$HOME/out" "before/$key"
done
last=$(gets "$bucket")
[[ $last -eq $((first + 3)) ]] || fail "three members took $((last - first)) requests"
# and without it: a look at the pack, its end in three at most, then the member
run "$EBB" get "lake:$pack" --member "$key"
expect_status 0
expect_same "$HOME/out" "before/$key"
first=$last last=$(gets "$bucket")
((last - first <= 5)) || fail "by the end of the pack it took $((last - first)) requests"

# stock tools: the same names, contents, modes and times
mkdir after
tar --zstd --xattrs --xattrs-include='user.*' -xpf pack -C after
tell() { (cd "$1" && find . -type f -printf '%P %m %U %G %s %T@\n' | LC_ALL=C sort) >"$1.list"; }
tell before
tell after
cmp before.list after.list || fail 'tar makes files with other metadata'
[[ $(wc -l <after.list) -eq $n ]] || fail "tar makes $(wc -l <after.list) files"
diff -r before after || fail 'tar makes other files'
for i in 0 $(((n - 1) / 1000 * 1000)); do
	f=$(printf 'run%03d/%06d.json' $((i / 1000)) "$i")
	expect_same <(cd before && getfattr -d -m '^user' "$f" 2>/dev/null) <(cd after && getfattr -d -m '^user' "$f" 2>/dev/null)
done

# salvage STATUS COUNT WHY: so many members are found, none twice, and none that never was
salvage() {
	run "$EBB" get hot:pack --salvage --list --json
	expect_status "$1"
	jq -r '[.path, .size] | join(" ")' "$HOME/out" | LC_ALL=C sort >found
	[[ $(wc -l <found) -eq $2 ]] || fail "$3: $(wc -l <found) members are found, not $2"
	cut -d' ' -f1,5 before.list | LC_ALL=C sort | LC_ALL=C comm -23 found - >strange
	[[ ! -s strange ]] || fail "$3: members that never were"
}
damaged() { # a copy of the pack to be damaged
	rm -f hot/pack
	cp pack hot/pack
}
damaged
salvage 0 "$n" 'nothing is damaged'
at=$("$EBB" get hot:pack --list --json | jq --arg k "$key" 'select(.path == $k) | .offset')
flip hot/pack $((at + 40))
run "$EBB" get hot:pack --member "$key"
expect_status 1
salvage 1 $((n - 1)) 'a flipped bit'

# without the footer all are found by their markers, without the tail those before it
damaged
truncate -s -40 hot/pack
run "$EBB" get hot:pack --list
expect_status 1
expect_err '--salvage'
salvage 1 "$n" 'a missing footer'
damaged
truncate -s "$at" hot/pack
salvage 1 $((n - 1)) 'a cut tail'
