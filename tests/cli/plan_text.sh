#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# plan and show tell apart what is gone for good, what comes when the trash expires, and which prices are samples.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-20T12:00:00Z
mkdir -p data/{tmp,gone,far} cold
head -c 8MiB /dev/urandom >data/tmp/a
head -c 1MiB /dev/urandom >data/gone/a
head -c 2MiB /dev/urandom >data/far/a
head -c 3MiB /dev/urandom >data/keep
# book NAME CONFIDENCE CLASS
book() {
	cat >"$1.yaml" <<END
version: 1
name: $1
date: 2026-11-01
currency: USD
source: test
confidence: $2
classes:
  $3: {storage_gib_month: $4}
END
}
book nvme sample NVME 1.00
book hdd sample HDD 0.10
book gold sample GOLD 9.00
cat >ebb.yaml <<END
version: 1
stores:
  d: {type: fs, path: "$PWD/data", class: NVME}
  cold: {type: fs, path: "$PWD/cold", class: HDD}
  gold: {type: fs, path: "$PWD/gold", class: GOLD}
prices: [./nvme.yaml, ./hdd.yaml, ./gold.yaml]
rules:
  - {name: old, match: "tmp/**", do: delete}
  - {name: gone, match: "gone/**", do: delete, purge: "cannot be undone"}
  - {name: far, match: "far/**", do: tier, to: cold}
END
run "$EBB" scan d
expect_status 0

# row NAME: its line of the table, single-spaced
row() { grep "^  $1 " <<<"$out" | tr -s ' '; }
same_table() {
	[[ $(row old) == ' old delete (trash 30d) 1 8.0 MiB 8.0 MiB 0.00 USD '*' after 30d' ]] || unexpected 'the trash'
	[[ $(row gone) == ' gone delete for good 1 1.0 MiB 1.0 MiB 0.00 USD '*' at once' ]] || unexpected 'a purge'
	[[ $(row far) == ' far tier 1 2.0 MiB 2.0 MiB 0.00 USD '*' at once' ]] || unexpected 'a move'
	[[ $(row total) == *' after 30d' ]] || unexpected 'the total is told as if at once'
	expect_out "  8.0 MiB of it are free, and save, when the trash expires and 'ebb trash --empty' has run"
	expect_out "  prices of NVME, HDD are samples: replace them, see 'ebb check'"
}
run "$EBB" plan -n d
same_table
run "$EBB" plan -o plan.jsonl d
same_table
cp plan.jsonl first.jsonl
run "$EBB" plan -o plan.jsonl d
expect_same first.jsonl plan.jsonl
run "$EBB" show plan.jsonl
same_table
expect_out 'cannot be undone'
[[ $(grep -c ' delete for good  ' <<<"$out") == 2 ]] || unexpected 'a row that purges'
[[ $(grep -c ' delete (trash 30d)  ' <<<"$out") == 2 ]] || unexpected 'a row that deletes into the trash'
run "$EBB" show --limit 0 plan.jsonl
same_table
run "$EBB" show --json plan.jsonl
[[ $(jq -c 'select(.n) | [.action, .purge != null, .trash_s]' <<<"$out" | sort | tr -d '\n') == '["delete",false,2592000]["delete",true,null]["tier",false,null]' ]] || unexpected 'the fields of JSON'

# One rule: its note, and the prices that it was decided with.
run "$EBB" show --rule gone plan.jsonl
expect_no_out 'trash expires'
expect_out "  price of NVME is a sample: replace it, see 'ebb check'"
[[ $(row total) == *' at once' ]] || unexpected 'a purge is at once'

# Where the configuration is not, or another, nothing is known of its prices.
(mkdir away && cd away && "$EBB" show ../plan.jsonl >"$HOME/away")
grep -q 'delete for good' "$HOME/away" || fail 'the table needs a configuration'
if grep -q samples "$HOME/away"; then fail 'samples of no book'; fi

# A price that refuses took part as well.
sed -i 's/to: cold}/to: gold}/' ebb.yaml
run "$EBB" plan -n d
expect_out 'it would cost more than it saves'
expect_out '  prices of NVME, GOLD are samples'
run "$EBB" report d
expect_out "  sample prices, to be replaced: NVME; see 'ebb check'"

# Prices of a contract are no samples.
for b in nvme hdd gold; do sed -i 's/^confidence: .*/confidence: contract/' $b.yaml; done
run "$EBB" plan -n d
expect_no_out sample
run "$EBB" report d
expect_no_out sample
