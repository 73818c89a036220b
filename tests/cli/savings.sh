#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What runs saved: promised by plans, done by runs, measured by later scans, waiting in the trash, undone by others; and shared costs.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

mkdir -p hot/logs hot/tmp hot/data cold
seq 1 200000 >hot/logs/a.log
head -c 3M /dev/urandom >hot/tmp/junk.bin
head -c 5M /dev/urandom >hot/data/t.csv
head -c 1M /dev/urandom >hot/data/u.csv
touch -d 2026-01-01 hot/*/*
cat >ebb.yaml <<END
version: 1
stores:
  hot: {type: fs, path: $PWD/hot, class: NVME}
  cold: {type: fs, path: $PWD/cold, class: HDD}
prices: [./p.yaml]
datasets:
  - {match: "data/**", team: research}
  - {match: "logs/**", team: platform}
budgets:
  - {name: all, month: 9000 USD}
  - {name: research, for: {team: research}, month: 900 USD}
  - {name: cold, for: {class: HDD}, month: 900 USD}
shared:
  - {label: team, of: platform, split: {research: 75%, vision: 25%}}
rules:
  - {name: junk, match: "tmp/**", when: "age > 30d", do: delete, trash: 5d}
  - {name: cold, match: "data/**", when: "age > 30d", do: tier, to: cold}
  - {name: logs, match: "logs/**", when: "age > 30d", do: compress, codec: zstd}
END
cat >p.yaml <<'END'
{version: 1, name: site, date: 2026-01-01, currency: USD, source: test, confidence: list,
 classes: {NVME: {storage_gib_month: 100000}, HDD: {storage_gib_month: 20000}}}
END
export EBB_INDEX=$PWD/idx
on() {
	EBB_NOW=2026-$1T02:00:00Z run "$EBB" "${@:2}"
}
# rows NAME: objects done, seen; measured; waiting; replaced; unknown
row() {
	jq -r --arg rule "$1" '.savings[-1].rules[] | select(.rule == $rule) |
		"\(.done_objects) \(.measured_objects) \(.measured_month_nano) \(.waiting_month_nano) \(.replaced_objects) \(.unknown_objects)"' <<<"$out"
}
rows() {
	[[ $(row junk) == "$1" && $(row cold) == "$2" && $(row logs) =~ ^$3$ ]] ||
		unexpected "$(row junk); $(row cold); $(row logs)"
}

# --- A plan promises, by what its header adds up to; nothing is done ---
on 11-01 scan
on 11-02 plan -o plan.jsonl
expect_status 0
on 11-02 report --json
promised=$(sed -n 2p plan.jsonl | jq .totals.saving_month_nano)
[[ $(jq -c '.savings | map([.run, .total.planned_month_nano, .total.done_objects])' <<<"$out") == "[[null,$promised,0]]" ]] ||
	unexpected 'the plan is not promised'
on 11-02 report
expect_out 'nothing of it is done yet'
on 11-02 report --format prom
expect_out 'ebb_plan_savings_month{currency="USD"}'

# --- Done, but not measured before a scan of both stores ---
on 11-03 apply plan.jsonl
expect_status 0
on 11-03 report --json
rows '1 0 0 0 0 1' '2 0 0 0 0 2' '1 0 0 0 0 1'
on 11-04 scan hot
on 11-04 report --json
# 3 MiB wait in the trash; cold cannot be told; 1.2 MiB of text became some zstd: more than 70 % of its 131 USD
rows '1 1 0 292968750000 0 0' '2 0 0 0 0 2' '1 1 1[0-9]{11} 0 0 0'
on 11-05 scan cold
on 11-05 report --json
# 6 MiB at 100,000 less 6 MiB at 20,000 a GiB
rows '1 1 0 292968750000 0 0' '2 2 468750000000 0 0 0' '1 1 1[0-9]{11} 0 0 0'
measured=$(jq '.savings[-1].total.measured_month_nano' <<<"$out")
for format in csv md prom; do
	on 11-05 report --format $format
	expect_out 468.75
done
on 11-05 report
expect_out 'what lies in the trash is still paid for'
on 11-05 report --format html
expect_out '468.75 USD'

# --- The history shows the same: what the stores cost less than before ---
# (the trash is not in the index, so the fall is larger by what waits there)
on 11-05 report --json
fall=$(jq '(.history[0].cost_month_nano - .history[-1].cost_month_nano)' <<<"$out")
((fall - measured - 292968750000 > -10 && fall - measured - 292968750000 < 10)) || fail "the cost fell by $fall, $measured were measured"

# --- And so for each budget: what the run took out of its series is what the history of that label fell by, to the nano-unit ---
# moved NAME VALUE, and fell NAME VALUE: by the ledger, by the first and last look at each store
moved() {
	tail -1 idx/history/savings-2026-11.jsonl | jq --arg n "$1" --arg v "$2" '.moved[] | select(.[0] == $n and .[1] == $v) | .[2]'
}
fell() {
	jq -s --arg n "$1" --arg v "$2" 'group_by(.store) | map(sort_by(.time) | map([.by[$n][] | select(.[0] == $v) | .[3]] | add // 0) | .[0] - .[-1]) | add' \
		idx/history/2026-11.jsonl
}
for of in 'team research' 'class HDD'; do
	# shellcheck disable=SC2086 # two words
	[[ $(moved $of) == "$(fell $of)" ]] || fail "$of fell by $(fell $of), and $(moved $of) were moved"
done
(($(moved team research) > 0 && $(moved class HDD) < 0)) || fail 'the moves go the other way'
everything=$(tail -1 idx/history/savings-2026-11.jsonl | jq '.moved[] | select(.[0] == null) | .[2]')
[[ $everything == $((measured + 292968750000)) ]] || fail "$everything was moved of everything"
# a budget that comes later is measured at the next scan
sed -i 's/^shared:/  - {name: nobody, for: {team: ""}, month: 900 USD}\nshared:/' ebb.yaml
on 11-06 scan hot
[[ $(moved team '') == "$(fell team '')" && $(moved team '') == 292968750000 ]] || fail 'a later budget is not measured'

# --- The trash is emptied: now it is saved ---
on 11-09 trash --empty
expect_status 0
on 11-10 scan hot
on 11-10 report --json
rows '1 1 292968750000 0 0 0' '2 2 468750000000 0 0 0' '1 1 1[0-9]{11} 0 0 0'

# --- Others wrote one anew and removed the copy of another: these save nothing, and the copy that stands costs ---
echo new >hot/data/t.csv
rm cold/data/u.csv
on 11-20 scan
on 11-20 report --json
rows '1 1 292968750000 0 0 0' '2 2 -97656250000 0 2 0' '1 1 1[0-9]{11} 0 0 0'

# --- What was taken back saves nothing ---
on 11-21 undo last hot:logs/
expect_status 0
on 11-22 scan
on 11-22 report --json
rows '1 1 292968750000 0 0 0' '2 2 -97656250000 0 2 0' '0 0 0 0 0 0'

# --- A ledger with a torn line loses that line, and no more ---
printf '{"schema":"ebb.sav' >>idx/history/savings-2026-11.jsonl
on 11-22 plan -o next.jsonl
on 11-22 report --json
[[ $(jq '.savings | length' <<<"$out") == 2 ]] || unexpected 'the ledger is not read'

# --- Shared costs: what platform costs goes to the others, to the nano-unit; what nobody has stands first ---
printf x >hot/nobodys
on 11-23 scan hot
on 11-23 report --json
jq -e '.by.team | (map(.shared_month_nano) | add) == 0 and (map(.allocated_month_nano) | add) == (map(.cost_month_nano) | add) and
	.[0].value == "" and .[0].shared_month_nano == 0 and
	(map({(.value): .}) | add | .platform.allocated_month_nano == 0 and
		.vision.allocated_month_nano == .vision.shared_month_nano and
		.platform.cost_month_nano == .vision.shared_month_nano + .research.shared_month_nano and
		(.research.shared_month_nano - 3 * .vision.shared_month_nano | fabs) < 4)' <<<"$out" >/dev/null ||
	unexpected 'shares are not right'
on 11-23 report
expect_out 'with shared costs'
on 11-23 check
expect_out 'team platform: fixed among research 75%, vision 25%'
sed 's/vision: 25%/vision: 20%/' ebb.yaml >bad.yaml
run "$EBB" --config bad.yaml check
expect_status 3
expect_err 'bad.yaml:15:'
expect_err 'add up to 95.0000%'
