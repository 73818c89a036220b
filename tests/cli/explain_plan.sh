#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P7
# explain says what the plan does: what it refuses, and why; what is meant by delete.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-20T12:00:00Z
mkdir -p data/{logs,uae,dear,slow,tmp,gone} cold gold
head -c 100000 /dev/urandom >data/logs/twin.log
ln data/logs/twin.log data/logs/twin2.log
truncate -s 1000000 data/logs/hole.log
head -c 100000 /dev/urandom >data/logs/done.gz
head -c 4000 /dev/urandom >data/logs/small.log
head -c 100000 /dev/urandom >data/logs/good.log
for f in uae dear slow tmp gone; do head -c 100000 /dev/urandom >data/$f/a; done
find data -type f -exec touch -d 2025-01-01T00:00:00Z {} +
cat >prices.yaml <<'END'
version: 1
name: p
date: 2026-11-01
currency: USD
source: test
confidence: contract
classes:
  HDD: {storage_gib_month: 1.00}
  TAPE: {storage_gib_month: 0.10}
  GOLD: {storage_gib_month: 9.00}
END
cat >ebb.yaml <<END
version: 1
stores:
  d: {type: fs, path: "$PWD/data", class: HDD}
  cold: {type: fs, path: "$PWD/cold", class: TAPE, jurisdiction: DE}
  gold: {type: fs, path: "$PWD/gold", class: GOLD}
prices: [./prices.yaml]
datasets:
  - {match: "uae/**", residency: [AE]}
rules:
  - {name: logs, match: "logs/**", do: compress}
  - {name: home, match: "uae/**", do: tier, to: cold}
  - {name: loss, match: "dear/**", do: tier, to: gold}
  - {name: old, match: "tmp/**", do: delete, trash: 14d}
  - {name: gone, match: "gone/**", do: delete, purge: "cannot be undone"}
END
run "$EBB" scan d
expect_status 0

# says KEY TEXT: explain has this to say
says() {
	run "$EBB" explain "d:$1"
	expect_status 0
	expect_out "$2"
}
refused() { says "$1" "Rule '$2' meets it, but the plan leaves it alone: $3"; }
refused logs/twin.log logs 'the file has other names (hard links) that would be split off'
refused logs/hole.log logs 'the file is sparse and its holes would not survive'
refused logs/done.gz logs 'there is nothing to gain: empty, within one block (4 KiB), compressed or there already'
refused logs/small.log logs 'there is nothing to gain: empty, within one block (4 KiB), compressed or there already'
refused uae/a home "the destination, or this machine, is not known to lie in the dataset's jurisdictions"
refused dear/a loss 'it would cost more than it saves'
says logs/good.log "Rule 'logs' meets it: replace it by a compressed file that stock tools read"
expect_no_out 'leaves it alone'
says tmp/a "Rule 'old' meets it: move it to the store's trash for 14d"
says gone/a "Rule 'gone' meets it: remove it for good"
says slow/a 'No rule meets it'
run "$EBB" explain --json d:logs/twin.log d:logs/good.log
[[ $(jq -c '[.rule, .refused, .refused_why]' <<<"$out" | tr -d '\n') == '["logs","linked","the file has other names (hard links) that would be split off"]["logs",null,null]' ]] || unexpected 'refused'

# For every file: what explain says of it is what the plan does.
"$EBB" plan -o plan.jsonl d >plan.txt
"$EBB" show --json plan.jsonl | sed 1,2d | jq -r '[.rule, .path] | join(" ")' | sort >planned
mapfile -t keys < <(cd data && find . -type f -printf 'd:%P\n')
"$EBB" explain --json "${keys[@]}" >explained
jq -r 'select(.rule and .refused == null) | [.rule, .path] | join(" ")' explained | sort >allowed
expect_same planned allowed
[[ $(wc -l <planned) == 3 ]] || fail 'other than three actions'
jq -r 'select(.refused) | .refused' explained | sort | uniq -c | awk '{print $2, $1}' >by_explain
"$EBB" show --json plan.jsonl | sed -n 2p | jq -r '.rules[].refused[] | "\(.reason) \(.objects)"' |
	awk '{n[$1] += $2} END {for (k in n) print k, n[k]}' | sort >by_plan
expect_same by_plan by_explain

# A payback that no price can show.
sed -i 's/do: tier, to: gold/do: tier, to: gold, require: {payback: 30d}/; s/ class: GOLD/ class: NONE/' ebb.yaml
refused dear/a loss 'it does not pay back in the time the rule requires'
