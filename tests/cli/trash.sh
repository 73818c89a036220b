#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What waits in the trash: by run, by store, object by object; when it may go, and what keeping it costs.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-20T12:00:00Z
mkdir -p d/a d/b u
for f in d/a/1 d/a/2 d/b/3 u/4; do head -c 1MiB /dev/urandom >"$f"; done
cat >book.yaml <<END
version: 1
name: book
date: 2026-11-01
currency: USD
source: test
confidence: contract
classes:
  HDD: {storage_gib_month: 1024}
END
cat >ebb.yaml <<END
version: 1
stores:
  d: {type: fs, path: "$PWD/d", class: HDD}
  u: {type: fs, path: "$PWD/u"}
prices: [./book.yaml]
limits: {max_delete: 100%}
rules:
  - {name: soon, match: "a/**", do: delete, trash: 10d}
  - {name: later, match: "b/**", do: delete, trash: 90d}
  - {name: u, store: u, match: "4", do: delete, trash: 30d}
END
run "$EBB" trash
expect_out 'nothing is in the trash'
run "$EBB" scan -q
run "$EBB" plan -q -o plan.jsonl
expect_status 0
run "$EBB" apply plan.jsonl
expect_status 0
run "$EBB" trash
expect_status 0
expect_out 'costs a month'
# 3 MiB at 1 USD a MiB, once for the run and once for the store
[[ $(grep -c ' d  *3 .*3\.0[0-9]* USD .*2026-11-30  2027-02-18' <<<"$out") == 2 ]] || unexpected 'the sums of d'
[[ $(grep -c ' u  *1 .*unpriced' <<<"$out") == 2 ]] || unexpected 'the sums of u'
expect_out 'in all'
run "$EBB" trash --json
[[ $(jq -r 'select(.store == "d") | "\(.objects) \(.month_nano) \(.currency) \(.unpriced)"' <<<"$out") == '3 3000000000 USD 0' ]] || unexpected 'd'
[[ $(jq -r 'select(.store == "u") | "\(.month_nano) \(.unpriced)"' <<<"$out") == 'null 1' ]] || unexpected 'u'
run "$EBB" trash --objects
expect_out '2026-11-30     1.0 MiB        1.00 USD a month  d:a/1'
expect_out '2027-02-18     1.0 MiB        1.00 USD a month  d:b/3'
expect_out 'unpriced  u:4'
run "$EBB" trash --objects --json
[[ $(jq -r 'select(.path == "b/3") | "\(.month_nano) \(.expires)"' <<<"$out") == '1000000000 2027-02-18T12:00:00Z' ]] || unexpected 'b/3'
# status tells the same, in a line for each store
run "$EBB" status
expect_out 'trash of store d: 3 objects, 3.0 MiB, 3.00 USD a month; 0 B may go now, first on 2026-11-30'
expect_out 'unpriced; 0 B may go now'
run "$EBB" status --json
[[ $(jq -r 'select(.trash == "d") | "\(.objects) \(.month_nano) \(.currency) \(.unpriced)"' <<<"$out") == '3 3000000000 USD 0' ]] || unexpected 'd'
[[ $(jq -r 'select(.trash == "u") | "\(.month_nano) \(.unpriced)"' <<<"$out") == 'null 1' ]] || unexpected 'u'
# without a configuration it is told as well, without prices
mv ebb.yaml away
run "$EBB" trash
expect_out 'unpriced'
run "$EBB" status
expect_out 'trash of store d: 3 objects, 3.0 MiB, unpriced;'
mv away ebb.yaml
EBB_NOW=2026-12-21T12:00:00Z run "$EBB" trash --empty
expect_status 0
run "$EBB" trash --objects
[[ $(grep -c . <<<"$out") == 1 ]] || unexpected 'what is left'
run "$EBB" trash --empty --objects
expect_status 2
