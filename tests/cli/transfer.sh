#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P7
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

# two of four destinations, whichever are cheapest together: 1 + 1 by way of b, not 1.5 + 1.5; what is there counts for nothing more
cat >choose.json <<'END'
{"format": "xfer-plan", "version": 1, "id": "choose",
 "sites": [{"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": "d"}, {"id": "e"}],
 "links": [{"from": "a", "to": "b", "usd_per_gb": 1}, {"from": "b", "to": "c", "usd_per_gb": 1}, {"from": "a", "to": "d", "usd_per_gb": 1.5},
  {"from": "a", "to": "e", "usd_per_gb": 1.5}],
 "groups": [{"id": "g", "gb": 10, "objects": 1, "replicas": [{"site": "a"}], "choose": 2,
  "destinations": [{"site": "b"}, {"site": "c"}, {"site": "d"}, {"site": "e"}]}]}
END
run "$EBB" transfer plan --instance choose.json --json
expect_out '"status":"optimal","cost_usd":20,"lower_bound_usd":20,'
expect_out '"direct_from_first_replica_usd":25,'
for bad in 0 5 -1 1.5; do
	sed "s/\"choose\": 2/\"choose\": $bad/" choose.json >bad.json
	run "$EBB" transfer plan --instance bad.json
	expect_status 3
done

# nowhere to go
sed 's/"EU", "AU"/"EU"/' "$cases/open-2.json" >kept.json
run "$EBB" transfer plan --instance kept.json --json
expect_status 0
expect_out '"status":"infeasible","reason":"residency","group":"b-eu-au-only"'

# a group that may be split is cut where the room ends; more room has a price; every hop has its reason
cat >split.json <<'END'
{"format": "xfer-plan", "version": 1, "id": "split", "title": "A & B <split>", "currency": "USD", "size_unit": "GB",
 "slots": [{"id": "day", "hours": 6}],
 "sites": [{"id": "a", "provider": "acme"}, {"id": "b", "relay": true}, {"id": "c"}],
 "links": [
  {"from": "a", "to": "b", "usd_per_gb": 1, "note": "waived for switching, until 2027"},
  {"from": "b", "to": "c", "usd_per_gb": 2.5},
  {"from": "a", "to": "c", "usd_per_gb": 3, "gb_per_hour": 1}],
 "groups": [{"id": "g", "gb": 10, "objects": 0, "replicas": [{"site": "a"}], "destinations": [{"site": "c"}], "may_split": true}]}
END
run "$EBB" transfer plan --instance split.json --json
expect_status 0
expect_out '"status":"optimal","cost_usd":32,"lower_bound_usd":32,"gap_usd":0,'
expect_out '"to":"c","compressed":false,"wire_gb":6,"share":0.6,"slot_gb":{"day":6}'
expect_out '"binding":[{"from":"a","to":"c","slot":"day","room_gb":6,"usd_per_gb":0.5}]'
expect_out '"paid_to":"acme","wire_gb":4,"usd":4,"condition":"waived for switching, until 2027"'
expect_out '"why":"relay: 1 further hop from there"'
run "$EBB" transfer plan --instance split.json
expect_out 'binding      a to c, slot day: 1 TB more before the deadline is worth 500.00 USD'
run "$EBB" transfer plan --instance split.json --format md
expect_out '# Transfer plan: A & B \<split>'
expect_out '| acme | a | b | 4 | 4.00 |  | waived for switching, until 2027 |'
expect_out '| straight from the first replica | 30.00 | -2.00 (-6 %) |'
run "$EBB" transfer plan --instance split.json --format html
expect_out '<h1>Transfer plan: A &#38; B &#60;split&#62;</h1>'
expect_out '</body></html>'
run "$EBB" transfer plan --instance split.json --format pdf
expect_status 2

# no room: by how much, and what would help
sed 's/, "gb_per_hour": 1/, "gb_per_hour": 1.5/; s/"to": "b", "usd_per_gb": 1/&, "gb_per_hour": 0/' split.json >late.json
run "$EBB" transfer plan --instance late.json --json
expect_status 0
expect_out '"status":"infeasible","reason":"deadline","short_gb":1,'
expect_out '"relaxations":[{"constraint":"deadline","cost_usd":30,"cheapest":true}]'
run "$EBB" transfer plan --instance late.json
expect_out 'infeasible: before the deadline at least 1 GB find no room'
expect_out 'without the deadline it costs 30.00 USD, the cheapest way out'
run "$EBB" transfer plan --instance poor.json --json
expect_out '"short_usd":16.30604,"minimum_required_usd":316.30604'
run "$EBB" transfer plan --instance kept.json --json
expect_out '"constraint":"residency"'
run "$EBB" transfer plan --instance kept.json --format md
expect_out 'There is no plan: group b-eu-au-only cannot be delivered (residency).'

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

# broken LINE TEXT SED: the instance 'split' edited so is refused, at that line, with that text
broken() {
	sed "$3" split.json >broken.json
	run "$EBB" transfer plan --instance broken.json
	expect_status 3
	expect_err "broken.json:$1:"
	expect_err "$2"
}
broken 6 "there is no site 'd'" 's/"from": "b"/"from": "d"/'
broken 3 "site 'a' stands twice" 's/"id": "b"/"id": "a"/'
broken 6 "'usd_per_gb' is negative: -2.5" 's/2\.5/-2.5/'
broken 6 "unknown key 'usd_per_bg'; did you mean 'usd_per_gb'?" 's/"usd_per_gb": 2/"usd_per_bg": 2/'
broken 8 "'gb' is too large" 's/"gb": 10/"gb": 1e40/'
broken 7 "the link from 'a' to 'b' stands twice" 's/"a", "to": "c"/"a", "to": "b"/'
broken 6 'ends where it begins' 's/"b", "to": "c"/"b", "to": "b"/'
broken 8 "'last_slot' is 7, the last is 0" 's/"may_split": true/"last_slot": 7/'
broken 6 'has 2 elements for 1 slots' 's/2\.5/[1, 2]/'
broken 3 'while parsing a flow mapping' 's/"id": "c"}/"id": "c"/'
