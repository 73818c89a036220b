#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Watermarks on a filesystem of its own, filled to 95 %: the agent frees it down to the low mark by the rules in their order and no further; what has
# expired in the trash goes first; what would only move into the trash is left out, and that is said. Nothing is lost.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_root
require_cmd jq mkfs.ext4 losetup

export EBB_INDEX=$PWD/idx EBB_CLOCK=$PWD/clock TZ=UTC
agent=''
cleanup() {
	[[ -z $agent ]] || kill -9 "$agent" 2>/dev/null || true
	umount "$EBB_TEST_DIR/hot" 2>/dev/null || true
}
trap cleanup EXIT
mkdir hot cold
truncate -s 128M image
mkfs.ext4 -q -m 0 image
mount -o loop image hot 2>/dev/null || skip 'needs a loop device'

until_true() {
	local end=$((SECONDS + 60))
	until "$@" 2>/dev/null; do
		((SECONDS < end)) || fail "waited in vain for: $*"
		read -r -t 0.02 <> <(:) || true
	done
}
status() { jq -e "$1" idx/agent/status.json >/dev/null; }
percent() { df --output=pcent hot | tail -1 | tr -d ' %'; }
last() { find idx/nights -name '*.json' | sort | tail -1; }
step() { jq -r --arg s "$1" '.steps[] | select(.step == $s) | .text' "$(last)"; }
files() { # FOLDER COUNT MIB
	mkdir -p "hot/$1"
	for i in $(seq "$2"); do head -c "$3M" /dev/urandom >"hot/$1/$i"; done
	find hot -type f -exec touch -d '2026-01-01T00:00:00Z' {} +
}
sums() { find hot cold -type f ! -path '*/.ebb*' -printf '%f ' -exec sha256sum {} \; | awk '{print $2}' | sort; }

cat >ebb.yaml <<END
version: 1
stores:
  hot:  {type: fs, path: "$PWD/hot", class: NVME, watermark: {high: 90%, low: 80%}}
  cold: {type: fs, path: "$PWD/cold", class: HDD}
rules:
  - {name: keep, match: "keep/**", do: keep}
  - {name: to the trash, match: "junk/**", when: "age > 30d", do: delete, trash: 2d}
  - {name: first, match: "b-first/**", when: "age > 30d", do: tier, to: cold}
  - {name: second, match: "a-second/**", when: "age > 30d", do: tier, to: cold}
  - {name: third, match: "c-third/**", when: "age > 30d", do: tier, to: cold}
limits: {max_delete: 100%}
schedule: {at: "02:30", zone: UTC, watch: 1min}
END
clock() {
	echo "$1" >clock.new
	mv clock.new clock
}
clock 2026-11-23T02:31:00Z

# Below the mark nothing happens, without a word.
files keep 4 10
run "$EBB" run --watermarks
expect_status 0
expect_no_err 'e'
[[ ! -e idx/nights ]] || fail 'a night without need'

# 95 %: 40 MiB stay, 6 go to the trash only, 5 and 35 go by rules
files junk 3 2
files b-first 5 1
files a-second 7 3
files c-third 4 4
while (($(percent) < 95)); do
	head -c 500K /dev/urandom >"hot/keep/$RANDOM$RANDOM"
done
before=$(percent)
sums >"$HOME/before"
"$EBB" agent 2>"$HOME/agent.log" &
agent=$!
until_true status '.last.kind == "watermark" and .last.ended != null'
after=$(percent)
echo "filled to $before %, the agent brought it to $after %"
((after <= 80)) || fail "$after % in use"
((after >= 75)) || fail "more was moved than needed: $after %"
[[ -z $(ls hot/b-first 2>/dev/null) ]] || fail 'the first rule was not done first'
[[ -n $(ls hot/a-second) && -n $(ls cold/a-second) ]] || fail 'the second rule was not done in part'
[[ $(find hot/c-third -type f | wc -l) -eq 4 && $(find hot/junk -type f | wc -l) -eq 3 ]] || fail 'more was done than needed'
[[ $(step choose) == *'left out: 3 actions that free nothing here at once'* ]] || fail "it is not said what frees nothing: $(step choose)"
sums >"$HOME/after"
expect_same "$HOME/before" "$HOME/after"
grep -q 'watermark of hot' idx/runs/*/plan.jsonl || fail 'the plan does not say why'
run "$EBB" show idx/runs/*/plan.jsonl
expect_status 0
kill "$agent"
wait "$agent" || fail 'the agent did not end well'
agent=''

# What has expired goes first, and may be enough.
run "$EBB" run
expect_status 0
while (($(percent) < 93)); do
	head -c 500K /dev/urandom >"hot/keep/$RANDOM$RANDOM"
done
[[ -n $(find hot/.ebb-trash -type f) ]] || fail 'no trash to begin with'
clock 2026-11-26T00:00:00Z
run "$EBB" run --watermarks --json
[[ $(jq -r '.steps[] | select(.step == "trash") | .text' <<<"$out") == 'expired: removed 3 objects for good'* ]] || unexpected 'expired trash'
# the rules have nothing left: said, with a status of its own, and nothing else is touched
expect_status 8
expect_err 'still above the low watermark, and the rules free no more now'
# on a dry night only what would be freed is told
run "$EBB" run --watermarks -n
expect_status 0
