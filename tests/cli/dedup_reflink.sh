#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# dedup by sharing blocks, on images with btrfs and xfs: room is freed as the filesystem measures it, nothing that can be read changes,
# hard links, holes and attributes stay, and what is shared is not proposed again.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_root
require_cmd jq mkfs.btrfs mkfs.xfs btrfs losetup setfattr
[[ -w /dev/loop-control ]] || skip 'no loop devices'

mounted=()
clean_up() {
	for m in "${mounted[@]}"; do umount "$m" || true; done
}
trap clean_up EXIT

snapshot() { # everything that can be read, but times of access and those of the change of folders
	(cd "$1" && find . -type f -printf '%p %m %u %g %s %n %T@ %C@\n' -o -mindepth 1 -printf '%p %y %m %u %g %T@\n' | sort &&
		find . -type f -exec sha256sum {} + | sort && getfattr -R -d -m - . 2>/dev/null)
}

try() {
	local kind=$1 used before after
	truncate -s 400M "$kind.img"
	"mkfs.$kind" -q "$kind.img" >mkfs.out 2>&1 || skip "mkfs.$kind: $(cat mkfs.out)"
	mkdir "$kind"
	mount -o loop "$kind.img" "$kind" 2>mount.err || skip "cannot mount $kind: $(cat mount.err)"
	mounted+=("$PWD/$kind")
	mkdir "$kind/d"
	head -c 20000000 /dev/urandom >"$kind/d/big"
	for i in 1 2 3; do cp --reflink=never "$kind/d/big" "$kind/d/copy$i"; done
	cp --reflink=always "$kind/d/big" "$kind/d/shared"
	ln "$kind/d/copy3" "$kind/d/name"
	setfattr -n user.note -v kept "$kind/d/copy1"
	chmod 600 "$kind/d/copy2"
	truncate -s 30M "$kind/d/hole1"
	head -c 1000000 /dev/urandom | dd of="$kind/d/hole1" bs=1M seek=10 conv=notrunc status=none
	cp --sparse=always --reflink=never "$kind/d/hole1" "$kind/d/hole2"
	head -c 500000 "$kind/d/big" >"$kind/d/near1"
	cp --reflink=never "$kind/d/near1" "$kind/d/near2"
	flip "$kind/d/near2" 100000
	sync -f "$kind"
	cat >ebb.yaml <<END
version: 1
stores: {s: {type: fs, path: "$PWD/$kind", class: NVME}}
prices: [onprem]
rules: [{name: same, do: dedup, how: reflink}]
END
	export EBB_INDEX=$HOME/idx.$kind
	run "$EBB" scan --hash candidates
	expect_status 0
	# what is shared already counts once: of 5 names of one content, 4 inodes, 3 take room
	run "$EBB" dupes --json
	jq -s -e 'any(.[]; .size_bytes == 20000000 and .copies == 5 and .redundant_bytes >= 60000000 and .redundant_bytes < 61000000 and
		([.members[] | select(.shared)] | length) == 1 and ([.members[] | select(.linked)] | length) == 1)' <<<"$out" >/dev/null ||
		fail "dupes on $kind: $out"
	run "$EBB" plan -o plan.jsonl
	expect_status 0
	[[ $(tail -n +3 plan.jsonl | jq -s 'map(.freed_bytes) | add') -ge 60000000 ]] || fail 'freed'
	snapshot "$kind" >before.txt
	before=$(df --output=used -B1 "$kind" | tail -1)
	run "$EBB" apply plan.jsonl
	expect_status 0
	sync -f "$kind"
	[[ $kind == btrfs ]] && btrfs filesystem sync "$kind"
	after=$(df --output=used -B1 "$kind" | tail -1)
	used=$((before - after))
	((used >= 59000000 && used < 64000000)) || fail "$kind: $used bytes were freed, not 60 MB"
	snapshot "$kind" >after.txt
	expect_same before.txt after.txt
	if [[ $kind == btrfs ]]; then
		# exclusive, set shared: no copy has blocks of its own
		[[ $(btrfs filesystem du --raw "$kind/d/copy1" | awk 'END { print $2 }') == 0 ]] || fail 'copy1 has blocks of its own'
	fi
	run "$EBB" scan --hash candidates --quiet
	run "$EBB" plan -o again.jsonl
	[[ $(tail -n +3 again.jsonl | wc -l) == 0 ]] || fail "proposed again: $(cat again.jsonl)"
	run "$EBB" dupes --json
	jq -s -e 'map(.redundant_bytes) | add == 0' <<<"$out" >/dev/null || fail "still redundant on $kind: $out"
	run "$EBB" undo last
	expect_status 0
	snapshot "$kind" >after.txt
	expect_same before.txt after.txt
}

try btrfs
try xfs
