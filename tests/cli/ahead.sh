#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the rules will have done some days from now: objects that come of age are counted when they do, at what a plan of that day says.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

mkdir -p hot cold
for name in old ten twenty young gone; do
	head -c 1M /dev/zero | tr '\0' x >hot/$name.bin
done
mv hot/gone.bin hot/gone.tmp
touch -d '2026-10-01 00:00 UTC' hot/old.bin hot/gone.tmp
touch -d '2026-10-12 00:00 UTC' hot/ten.bin    # 30 days old ten days from now
touch -d '2026-10-22 00:00 UTC' hot/twenty.bin
touch -d '2026-11-01 00:00 UTC' hot/young.bin
cat >ebb.yaml <<END
version: 1
stores:
  hot: {type: fs, path: $PWD/hot, class: NVME}
  cold: {type: fs, path: $PWD/cold, class: HDD}
prices: [./p.yaml]
rules:
  - {name: gone, match: "*.tmp", when: "age > 10d", do: delete, trash: 20d}
  - {name: aged, match: "*.bin", when: "age > 30d", do: tier, to: cold}
END
cat >p.yaml <<'END'
{version: 1, name: site, date: 2026-01-01, currency: USD, source: test, confidence: list,
 classes: {NVME: {storage_gib_month: 102400}, HDD: {storage_gib_month: 20480}}}
END
export EBB_INDEX=$PWD/idx EBB_NOW=2026-11-01T02:00:00Z
run "$EBB" scan
expect_status 0
run "$EBB" report --json
# a MiB less on NVME and more on HDD saves 80; what is deleted saves 100, when the trash lets it go
[[ $(jq -c '.ahead | map([.in_days, .objects, .saving_month_nano / 1e9, .waiting_month_nano / 1e9])' <<<"$out") == \
	'[[0,2,80,100],[14,3,160,100],[28,4,340,0]]' ]] || unexpected 'the days ahead are others'
[[ $(jq -c '[.forecast.method, (.forecast.days | length), .forecast.days[13].rules_saving_nano / 1e9, .forecast.days[20].rules_saving_nano / 1e9]' <<<"$out") == \
	'["naive",30,160,250]' ]] || unexpected 'the forecast is another'
# a plan of that day says the same
for days in 0:01 14:15 28:29; do
	EBB_NOW=2026-11-${days#*:}T02:00:00Z run "$EBB" plan -n --json
	want=$(jq .saving_month_nano <<<"$out")
	run "$EBB" report --json
	[[ $(jq --argjson d "${days%:*}" '.ahead[] | select(.in_days == $d) | .saving_month_nano + .waiting_month_nano' <<<"$out") == "$want" ]] ||
		unexpected "a plan $days saves $want"
done
run "$EBB" report
expect_out 'by 28 days from now'
expect_out 'too little history to try methods on'
run "$EBB" report --for cleanup --format json
expect_status 2
expect_err 'is about a plan: --plan FILE'
run "$EBB" plan -o plan.jsonl
run "$EBB" report --for cleanup --plan plan.jsonl --format json
[[ $(jq -c '[.objects, .trashed, .purged, .other_actions, .flows[0].action, .largest[0].path]' <<<"$out") == '[1,1,0,1,"delete","gone.tmp"]' ]] ||
	unexpected 'the cleanup is another'
run "$EBB" report --for migration --plan plan.jsonl --json
[[ $(jq -c '[.objects, .other_actions, .flows[0].from, .flows[0].to, .once_nano, .saving_month_nano]' <<<"$out") == '[1,1,"hot","cold",0,80000000000]' ]] ||
	unexpected 'the migration is another'
run "$EBB" report --for migration --plan plan.jsonl --format csv
expect_status 2
