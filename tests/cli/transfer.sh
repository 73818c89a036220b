#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ebb transfer plan: certified instances (each proven by three MILP solvers and by exact enumeration), and what is refused.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

cases=$EBB_SRC/tests/cli/transfer

# certified NAME COST: planned optimally at exactly that cost, with no gap
certified() {
	run "$EBB" transfer plan --instance "$cases/$1.json" --json
	expect_status 0
	[[ $(jq -r .status <<<"$out") == optimal ]] || unexpected 'it is not optimal'
	expect_out "\"cost_usd\":$2,\"lower_bound_usd\":$2,\"gap_usd\":0,"
}

certified open-1 316.30604
expect_out '"direct_from_first_replica_usd":726.29604,"direct_from_cheapest_replica_usd":316.30604'
expect_out '{"group":"g2-present-under-other-key","action":"already-present","reads":[],"hops":[],"local_copies":[]}'
expect_out '"local_copies":["aws:me-central-1"]'
certified open-2 3428.16
certified open-3 2367.432
certified open-4 1849.06748
expect_out '"to":"aws:eu-central-1","compressed":true,"wire_gb":1800'
expect_no_out direct_from
certified open-5 11740.04
expect_out '"direct_from_first_replica_usd":12172.04,"direct_from_cheapest_replica_usd":12981.82'

run "$EBB" transfer plan --instance "$cases/open-5.json"
expect_status 0
expect_out 'cost         11,740.04 USD, proven cheapest'
expect_out 'direct from first replica     12,172.04 USD, the plan saves 432.00 USD (3.5 %)'
expect_out 'branch and bound over tiers'

# over the budget: what it would take
sed 's/"currency"/"budget_usd": 300, "currency"/' "$cases/open-1.json" >poor.json
run "$EBB" transfer plan --instance poor.json --json
expect_status 0
expect_out '"status":"infeasible","reason":"budget","budget_usd":300,'
expect_out '"minimum_required_usd":316.30604,'
run "$EBB" transfer plan --instance poor.json
expect_out 'infeasible: the budget is 300.00 USD, the plan above is the cheapest and costs 316.31 USD'

# the direct link has room for one of two jobs, and the budget not for the other
run "$EBB" transfer plan --instance "$cases/open-6.json" --json
expect_status 0
expect_out '"status":"infeasible","reason":"budget","budget_usd":190,'
expect_out '"minimum_required_usd":208.0306,'
grep -v budget_usd "$cases/open-6.json" >rich.json
run "$EBB" transfer plan --instance rich.json --json
expect_out '"status":"optimal","cost_usd":208.0306,'
expect_out '"slot_gb":{"day1":'

# nowhere to go
sed 's/"EU", "AU"/"EU"/' "$cases/open-2.json" >kept.json
run "$EBB" transfer plan --instance kept.json --json
expect_status 0
expect_out '"status":"infeasible","reason":"residency","group":"b-eu-au-only"'

# errors have a place and a remedy
run "$EBB" transfer plan
expect_status 2
expect_err 'transfer plan needs --instance FILE'
run "$EBB" transfer fly --instance x
expect_status 2
run "$EBB" transfer plan --instance missing.json
expect_status 3
sed 's/"aws:eu-west-1", "to"/"aws:eu-wst-1", "to"/' "$cases/open-3.json" >typo.json
run "$EBB" transfer plan --instance typo.json
expect_status 3
expect_err "there is no site 'aws:eu-wst-1'; did you mean 'aws:eu-west-1'?"
sed 's/0\.02/-0.02/' "$cases/open-1.json" >negative.json
run "$EBB" transfer plan --instance negative.json
expect_status 3
expect_err "'usd_per_gb' is negative: -0.02"
