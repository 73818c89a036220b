#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ebb run: one night from scan to alerts, and what decides on its exit status. P2: a dry night changes nothing. Approvals: a plan above a limit waits,
# exactly that plan is done after a yes, a stale one is not.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$PWD/idx EBB_NOW=2026-11-20T12:00:00Z TZ=UTC
fresh() {
	rm -rf hot cold idx reports
	mkdir -p hot/logs hot/tmp cold
	seq 1 20000 >hot/logs/app.log
	head -c 300K /dev/urandom >hot/tmp/x.tmp
	head -c 200K /dev/urandom >hot/big.bin
	head -c 100K /dev/urandom >hot/new.bin
	touch -d '2026-01-01T00:00:00Z' hot/logs/* hot/tmp/* hot/big.bin
	touch -d '2026-11-19T00:00:00Z' hot/new.bin
}
# config LIMITS
config() {
	cat >ebb.yaml <<-END
	version: 1
	stores:
	  hot: {type: fs, path: "$PWD/hot", class: NVME}
	  cold: {type: fs, path: "$PWD/cold", class: HDD}
	prices: [onprem]
	rules:
	  - {name: temp, match: "tmp/**", when: "age > 30d", do: delete, trash: 1d}
	  - {name: logs, match: "logs/**", when: "age > 30d", do: compress}
	  - {name: cold, store: hot, when: "age > 30d", do: tier, to: cold}
	limits: {$1}
	run: {empty_trash: true, reports: ["reports/{date}.html", reports/ebb.prom]}
	END
}
# step NAME: its text in the last summary
step() {
	jq -r --arg s "$1" '.steps[] | select(.step == $s) | .text' <<<"$out"
}

config 'max_delete: 50%'
fresh

# --- A dry night: nothing to go by without an index; then nothing changes ---
run "$EBB" run -n
expect_status 5
[[ ! -e idx/nights ]] || fail 'a dry night left files'
run "$EBB" scan
expect_status 0
sum() { find hot cold idx -type f ! -name 'index.mdb-lock' -exec sha256sum {} + | sort; }
sum >"$HOME/before"
run "$EBB" run -n
expect_status 0
expect_err '3 would be done'
expect_err 'ended with status 0'
sum >"$HOME/after"
expect_same "$HOME/before" "$HOME/after"
run "$EBB" run -n --json
expect_status 0
[[ $(jq .dry_run <<<"$out") == true ]] || fail 'no summary'

# --- A night ---
run "$EBB" run --json
expect_status 0
[[ $(step plan) == '3 actions'* ]] || unexpected 'plan'
[[ $(step apply) == *'3 done'* ]] || unexpected 'apply'
[[ -e cold/big.bin && -e hot/logs/app.log.zst && ! -e hot/tmp/x.tmp && -e hot/new.bin ]] || fail 'what was done is not what was planned'
[[ $(jq .done <<<"$out") == 3 ]] || fail 'done'
expect_same idx/nights/20261120T120000Z.json <(printf '%s\n' "$out")
grep -q 'compress' idx/nights/20261120T120000Z.log || fail 'the log lacks the plan'
grep -q '<html' reports/2026-11-20.html || fail 'no page'
grep -q '^ebb_' reports/ebb.prom || fail 'no metrics'
# the index knows what was done: the report is of this morning, not of yesterday
run "$EBB" find --json
[[ $(jq -r 'select(.kind == "file") | .store + ":" + .path' <<<"$out" | sort | tr '\n' ' ') == 'cold:big.bin hot:logs/app.log.zst hot:new.bin ' ]] ||
	unexpected 'the index after the night'
# the trash, a day later; and nothing else to do
EBB_NOW=2026-11-21T12:00:00Z run "$EBB" run --json
expect_status 0
[[ $(step plan) == 'nothing to do' && $(step trash) == '1 removed for good'* ]] || unexpected 'trash'
[[ -z $(find hot/.ebb-trash -type f 2>/dev/null) ]] || fail 'the trash is still there'
[[ $(find idx/nights -name '*.json' | wc -l) -eq 2 && ! -e idx/pending/new.jsonl ]] || fail 'files of two nights'

# --- The worst step decides ---
fresh
config 'max_delete: 50%, window: "Mon-Fri 20:00-06:00; Sat; not Sat 00:00-04:00"'
run "$EBB" run
expect_status 7
expect_err 'not begun: it is not within Mon-Fri 20:00-06:00; Sat; not Sat 00:00-04:00, which opens at 2026-11-20T20:00:00Z'
[[ -e hot/big.bin && -e hot/tmp/x.tmp ]] || fail 'work outside of the hours'
EBB_NOW=2026-11-21T04:00:00Z run "$EBB" run
expect_status 0
[[ -e cold/big.bin ]] || fail 'no work within the hours'

# a store that is not there is left out, and the rest is done
fresh
config 'max_delete: 90%'
sed -i 's|^prices|  gone: {type: fs, path: /nonexistent/ebb, class: HDD}\n&|' ebb.yaml
run "$EBB" run
expect_status 4
expect_err 'scan     gone: '
expect_err '3 done'

# a limit stops it amid the work; the next night goes on
fresh
config 'max_delete: 90%, max_objects: 1'
run "$EBB" run
expect_status 7
expect_err "the next 'ebb run' goes on from here"
run "$EBB" run
run "$EBB" run
expect_status 0
[[ -e cold/big.bin && ! -e hot/tmp/x.tmp && -e hot/logs/app.log.zst ]] || fail 'three nights of one action'

# --- A signal during the wait, and no wait at all ---
"$EBB" run --jitter 12h >waiting.log 2>&1 &
waiting=$!
until grep -q 'begins in' waiting.log; do
	kill -0 $waiting || fail "it does not wait: $(cat waiting.log)"
	read -rt 0.05 <> <(:) || true
done
kill -TERM $waiting
status=0
wait $waiting || status=$?
# this machine's share of the day may be none
[[ $status -eq 130 || $(cat waiting.log) == *'begins in 0 s'* ]] || fail "a signal during the wait: $status, $(cat waiting.log)"

# --- Approvals ---
fresh
config 'max_delete: 90%, approve_above: {bytes: 400KiB, deletions: 0, cost: 5 USD}'
run "$EBB" approve
expect_out 'no plan waits for approval'
run "$EBB" run --json
expect_status 7
expect_err 'waits for approval'
[[ $(step pending) == *'works on'*'deletes 1 object, more than 0' ]] || unexpected 'why it waits'
first=$(jq -r '.steps[] | select(.waiting) | .waiting' <<<"$out")
[[ -e hot/tmp/x.tmp && -e hot/big.bin ]] || fail 'done without approval'
run "$EBB" approve --json
[[ $(jq -r '.plan + .state' <<<"$out") == "${first}waiting" ]] || unexpected 'list'
run "$EBB" approve "$first" --show
expect_status 0
expect_out 'tmp/x.tmp'
# the next night's takes its place, and says so
EBB_NOW=2026-11-21T12:00:00Z run "$EBB" run --json
expect_status 7
[[ $(step pending) == *"plan ${first:0:12} waited in vain; tonight's takes its place"* ]] || unexpected 'replaced'
second=$(jq -r '.steps[] | select(.waiting) | .waiting' <<<"$out")
[[ $second != "$first" ]] || fail 'it is the same plan'
run "$EBB" approve "$first"
expect_status 2
run "$EBB" approve "$second" --reject
expect_status 2
expect_err 'say why'
# what appears after the yes is not in what was approved
run "$EBB" approve "${second:0:8}" --name 'A. Person' --reason 'ticket 4711'
expect_status 0
run "$EBB" audit --json
[[ $(jq -r 'select(.event == "approve") | .plan + .facts.by + .facts.reason' <<<"$out") == "${second}A. Person""ticket 4711" ]] ||
	unexpected 'the audit log lacks the decision'
head -c 500K /dev/urandom >hot/late.bin
touch -d '2026-01-01T00:00:00Z' hot/late.bin
EBB_NOW=2026-11-22T12:00:00Z run "$EBB" run --json
expect_status 7
[[ $(step approved) == *'approved by A. Person: ticket 4711' && $(step apply) == *'3 done'*'waits for approval'* ]] || unexpected 'exactly that plan'
[[ -e cold/big.bin && -e hot/late.bin ]] || fail 'more or less than was approved'
grep -q "$second" idx/runs/*/journal || fail 'the run is of another plan'
# rejected: gone, and the log knows
third=$(jq -r '.steps[] | select(.waiting) | .waiting' <<<"$out")
run "$EBB" approve "$third" --reject --reason 'still in use'
expect_status 0
run "$EBB" approve
expect_out 'no plan waits'
# an approval does not outlive the configuration it was given under
EBB_NOW=2026-11-23T12:00:00Z run "$EBB" run --json
fourth=$(jq -r '.steps[] | select(.waiting) | .waiting' <<<"$out")
run "$EBB" approve "$fourth"
echo '# a change' >>ebb.yaml
EBB_NOW=2026-11-24T12:00:00Z run "$EBB" run --json
expect_status 7
[[ $(step approved) == *'is not applied: the configuration has changed since' ]] || unexpected 'a stale approval'
[[ -e hot/late.bin ]] || fail 'a stale plan was applied'

# --- The trash of a big clean-up is no loss that a scan doubts ---
fresh
for i in $(seq 200); do echo "$i" >"hot/tmp/$i"; done
touch -d '2026-01-01T00:00:00Z' hot/tmp/*
config 'max_delete: 100%'
run "$EBB" run
expect_status 0
expect_err 'rescan   hot: '
rm hot/tmp -rf
mkdir hot/tmp
for i in $(seq 200); do echo "$i" >"hot/tmp/$i"; done
EBB_NOW=2026-11-21T12:00:00Z run "$EBB" scan
expect_status 0
rm -r hot/tmp
EBB_NOW=2026-11-22T12:00:00Z run "$EBB" scan
expect_status 4
expect_err 'looks like a fault'

# --- A store that leaves the configuration keeps nothing else from being done ---
fresh
config 'max_delete: 100%'
mkdir -p other/tmp
echo x >other/tmp/a
touch -d '2026-01-01T00:00:00Z' other/tmp/a
sed -i "s|^prices|  other: {type: fs, path: \"$PWD/other\", class: HDD}\n&|" ebb.yaml
run "$EBB" run
expect_status 0
[[ ! -e other/tmp/a && ! -e hot/tmp/x.tmp ]] || fail 'not deleted'
config 'max_delete: 100%'
EBB_NOW=2026-11-23T12:00:00Z run "$EBB" run --json
expect_status 1
[[ $(step trash) == '0 removed for good'* ]] || unexpected 'trash'
grep -q "2 expired objects stay in the trash: store 'other' is not in the configuration" idx/nights/20261123T120000Z.log || fail 'not said'
