#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1 P12
# How copies are verified is said by the rule, told by check, plan and show, carried by plan and journal, and done.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"
require_cmd jq

mkdir -p hot cold
for way in size checksum digest bytes; do
	mkdir "hot/$way"
	head -c 300000 /dev/urandom >"hot/$way/a"
done
seq 20000 >hot/text
find hot -exec touch -d 2026-10-01T00:00:00Z {} +
cat >ebb.yaml <<-END
	version: 1
	stores:
	  hot: {type: fs, path: "$PWD/hot"}
	  cold: {type: fs, path: "$PWD/cold"}
	rules:
	  - {name: by size, store: hot, match: "size/**", do: tier, to: cold, verify: size}
	  - {name: by checksum, store: hot, match: "checksum/**", do: tier, to: cold, verify: checksum}
	  - {name: by digest, store: hot, match: "digest/**", do: tier, to: cold, verify: digest}
	  - {name: by bytes, store: hot, match: "bytes/**", do: tier, to: cold, verify: bytes}
	  - {name: text, store: hot, match: text, do: compress, verify: bytes}
END
listing hot >"$HOME/before"
run "$EBB" check
expect_status 0
expect_out 'tier to cold, copies verified by size'
plan
run "$EBB" show plan.jsonl
expect_status 0
expect_out 'by size: copies are verified by size alone: nothing is read back before originals go'
expect_out 'by checksum: copies are verified by the checksums'
expect_out 'by bytes: copies are verified byte by byte'
expect_out 'of the copy nothing but its size is checked'
expect_no_out 'by digest: copies'
[ "$("$EBB" show --json plan.jsonl | jq -r 'select(.rules) | .rules | map(.verify // "digest") | join(" ")')" = "size checksum digest bytes bytes" ] ||
	fail "the header does not say how"
[ "$("$EBB" show --json plan.jsonl | jq -r 'select(.n) | "\(.path) \(.verify // "digest")"' | sort | paste -sd,)" = \
	"bytes/a bytes,checksum/a checksum,digest/a digest,size/a size,text bytes" ] || fail "the rows do not say how"

run "$EBB" apply plan.jsonl
expect_status 0
expect_out '5 applied'
[ "$(grep -c '"t":"intent".*"verify":"size"' "$EBB_INDEX"/runs/*/journal)" = 1 ] || fail "the journal does not say how"
for way in size checksum digest bytes; do
	if [ ! -e "cold/$way/a" ] || [ -e "hot/$way/a" ]; then fail "$way/a was not moved"; fi
done
# undo compares digests, whatever the rule said
run "$EBB" undo last
expect_status 0
same_tree hot "$HOME/before"

# a plan cannot say less than a digest of what was transformed, whoever wrote it
sed -n '3,$p' plan.jsonl | sed '/"action":"compress"/s/"verify":"bytes"/"verify":"size"/; 1s/^/&/' >body
{ sed -n 1p plan.jsonl | jq -c --arg id "$({ sed -n 2p plan.jsonl; cat body; } | sha256sum | cut -d' ' -f1)" '.id = $id'; sed -n 2p plan.jsonl; cat body; } >forged.jsonl
run "$EBB" apply -n forged.jsonl
expect_status 6
expect_err '"verify" does not belong there'

# reading back is what the levels differ in
if command -v strace >/dev/null; then
	plan
	# LeakSanitizer cannot work below strace
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
	strace -f -y -e trace=read,pread64,preadv,preadv2 -o trace "$EBB" apply plan.jsonl -q -j 1 || fail "apply"
	reads() { grep -cE "(read|pread64|preadv2?)\([0-9]+<$PWD/$1>" trace; }
	[ "$(reads cold/size/a)" = 0 ] || fail "size reads back"
	[ "$(reads cold/digest/a)" -ge 1 ] || fail "digest does not read back"
	[ "$(reads hot/bytes/a)" -gt "$(reads hot/digest/a)" ] || fail "bytes does not read the original again"
fi
