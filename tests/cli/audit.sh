#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The audit log: what apply, undo, restore and trash write, that every change of it is found, torn lines, export, and that stock
# tools can check it.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx
log=$EBB_INDEX/audit.jsonl
mkdir data
for i in 1 2 3; do head -c 5000 /dev/zero >"data/$i.tmp"; done
touch -d 2024-01-01T00:00:00Z data/*
cat >ebb.yaml <<END
version: 1
stores: {d: {type: fs, path: "$PWD/data"}}
rules: [{name: tmp, when: "age > 30d", do: delete, trash: 10d}]
limits: {max_delete: 100%}
END
run "$EBB" audit
expect_status 0
expect_err 'nothing was done yet'
run "$EBB" scan
run "$EBB" plan -o plan.jsonl
run "$EBB" apply -n plan.jsonl
[[ ! -e $log ]] || fail 'looking only was logged'
run "$EBB" apply plan.jsonl
expect_status 0
run "$EBB" undo last d:1.tmp
expect_status 0
run "$EBB" restore "$PWD/data/2.tmp"
expect_status 0
later=$(date -u -d '+20 days' +%Y-%m-%dT%H:%M:%SZ)
EBB_NOW=$later run "$EBB" trash --empty
expect_status 0
[[ $(jq -r '[.command, .event, .done, .outcome] | join(" ")' "$log") == "ebb apply begin  
ebb apply end 3 complete
ebb undo begin  
ebb undo end 1 complete
ebb restore begin  
ebb restore end 1 complete
ebb trash --empty begin  
ebb trash --empty end 1 complete" ]] || fail "log: $(cat "$log")"
[[ $(jq -r 'select(.event == "begin" and .command == "ebb apply") | .plan' "$log") == $(jq -r 'select(.id).id' plan.jsonl | head -1) ]] ||
	fail 'the plan is not named'
[[ $(head -1 "$log" | jq -r .facts.actions) == 3 ]] || fail 'what was decided is missing'

run "$EBB" audit
expect_status 0
expect_out 'ebb undo'
run "$EBB" audit --verify
expect_status 0
expect_out '8 events'
head=$(tail -1 "$log" | jq -r .sha256)
expect_out "head $head"

# By stock tools alone.
prev=$(printf '0%.0s' {1..64})
while read -r line; do
	sum=$(printf '%s' "${line%,\"sha256\":*}" | sha256sum | cut -d' ' -f1)
	[[ $sum == $(jq -r .sha256 <<<"$line") && $prev == $(jq -r .prev <<<"$line") ]] || fail "sha256sum disagrees: $line"
	prev=$sum
done <"$log"

# Export.
run "$EBB" audit --format csv
[[ $(wc -l <<<"$out") -eq 9 ]] || fail 'csv has other lines than the log'
run "$EBB" audit --json
[[ "$out" == "$(cat "$log")" ]] || fail 'lines are exported as they are not'
run "$EBB" audit --json --run 1999
[[ -z $out ]] || fail 'another run was shown'

# A log that goes on keeps an earlier head; one that was cut does not.
cp "$log" whole
run "$EBB" audit --verify --head "$head"
expect_status 0
head -7 whole >"$log"
run "$EBB" audit --verify
expect_status 0
run "$EBB" audit --verify --head "$head"
expect_status 5
expect_err 'cut off'

# Every way of changing it is found, at its line.
broken() {
	run "$EBB" audit --verify
	expect_status 5
	expect_err "audit.jsonl:$1:"
	run "$EBB" audit
	expect_status 1
	expect_err 'can be trusted'
}
sed '4s/"done":1/"done":2/' whole >"$log"
broken 4
sed 3d whole >"$log"
broken 3
sed 1d whole >"$log"
broken 1
sed '2{h;d};3{G}' whole >"$log"
broken 2
sed '5{p}' whole >"$log"
broken 6
sed '6s/.*/nonsense/' whole >"$log"
broken 6
# The last line too, and then nothing goes on behind it.
sed '8s/"done":1/"done":9/' whole >"$log"
broken 8
run "$EBB" undo last
expect_status 5
expect_err 'was changed'

# What a crash in an append leaves is no event; the next takes its place.
cp whole "$log"
printf '{"schema":"ebb.audit/1","n":9,"ti' >>"$log"
run "$EBB" audit --verify
expect_status 0
expect_err 'a part of a line'
run "$EBB" undo last
run "$EBB" audit --verify
expect_status 0
expect_no_err 'a part of a line'
expect_out '10 events'

# A journal that was changed behind its back; one that is gone.
journal=$(echo "$EBB_INDEX"/runs/*/journal)
cp "$journal" kept
sed -i '2s/256/257/; 2s/apply/APPLY/' "$journal"
cmp -s "$journal" kept && fail 'the test changed nothing'
run "$EBB" audit --verify
expect_status 5
expect_err 'journal of run'
rm "$journal"
run "$EBB" audit --verify
expect_status 0
expect_err 'journals that are gone'

# Who may not be logged does nothing.
cp kept "$journal"
rm "$log"
mkdir "$log"
run "$EBB" scan
run "$EBB" plan -o plan2.jsonl
before=$(ls data)
run "$EBB" apply plan2.jsonl
[[ $status -ne 0 && $(ls data) == "$before" ]] || fail 'went on without a log'
rmdir "$log"

# What a limit refuses is decided too.
sed -i 's/100%/1%/' ebb.yaml
run "$EBB" scan
run "$EBB" plan -o plan3.jsonl
run "$EBB" apply plan3.jsonl
expect_status 7
[[ $(tail -1 "$log" | jq -r .event) == refuse ]] || fail "the refusal is missing"
