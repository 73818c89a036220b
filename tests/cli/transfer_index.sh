#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P7
#
# ebb transfer from the index: what stands at a destination is not sent, relays are used and emptied, killed runs go on, undo takes the
# copies away, and what is refused. Directories stand for stores in regions.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

mkdir -p home/d eu eu2 hub far
cat >book.yaml <<'END'
version: 1
name: acme
provider: acme
currency: USD
date: 2026-01-01
source: made up
confidence: contract
egress:
  - {from: us, to: eu, price: 50000/GB}
  - {from: us, to: hub, price: 10000/GB}
  - {from: hub, to: eu, price: 10000/GB}
END
cat >ebb.yaml <<END
version: 1
prices: [./book.yaml]
stores:
  home: {type: fs, path: $PWD/home, provider: acme, region: us, jurisdiction: US}
  eu: {type: fs, path: $PWD/eu, provider: acme, region: eu, jurisdiction: DE}
  eu2: {type: fs, path: $PWD/eu2, provider: acme, region: eu, jurisdiction: DE}
  hub: {type: fs, path: $PWD/hub, provider: acme, region: hub, jurisdiction: CH, relay: true}
  far: {type: fs, path: $PWD/far, provider: acme, region: moon}
datasets:
  - {match: "kept/**", residency: [US]}
rules: []
END
for i in 1 2 3; do head -c $((300000 + i)) /dev/urandom >home/f$i; done
cp -p home/f1 home/d/same		# twice at the source: sent once
cp home/f2 eu/other			# at a destination under another key: not sent there
echo old >home/taken
echo new >eu/taken			# something else: left alone
cp -p home/f3 eu2/f3			# there already
touch -d '2021-02-03 04:05:06.789' home/f1
touch hub/.keep far/.keep
cp -a eu eu.before
cp -a eu2 eu2.before
export EBB_INDEX=$HOME/index

run "$EBB" transfer plan home --to eu
expect_status 5
run "$EBB" scan home hub far
run "$EBB" transfer plan home --to eu
expect_status 6
expect_err "store 'eu' was never scanned: run ebb scan eu"
run "$EBB" scan
run "$EBB" dupes
expect_status 0

# --- The plan: f1 over the hub to one of both, f2 and f3 from where they are in Europe ---
run "$EBB" transfer plan home --to eu,eu2 -o plan.jsonl --json
expect_status 0
[[ $(jq -r .status <<<"$out") == optimal ]] || unexpected 'it is not optimal'
expect_err '1 objects stand at their destination already'
expect_err '1 keys are taken at their destination'
rows() {
	tail -n +3 plan.jsonl | jq -r "[$1] | join(\" \")" | sort
}
rows '.store, .path, .to_store, .to_path, (.wire_bytes|tostring)' >got
grep -q '^home f1 \|^home d/same ' got || fail "$(cat got)"
grep -q '^home [^ ]* hub .ebb-transfer/' got || fail 'the relay is not used'
[[ $(awk '$1 == "home" && $3 != "hub" { n++ } END { print n + 0 }' got) -eq 0 ]] || fail "$(cat got)"
grep -q '^eu other eu f2 0' got || fail 'what is there is not copied there'
grep -q '^eu other eu2 f2 300002' got || fail 'not from where it is cheapest'
grep -q '^eu2 f3 eu f3 300003' got || fail 'not from where it is cheapest'
run "$EBB" show plan.jsonl
expect_status 0
expect_out 'copy'
run "$EBB" transfer run -n plan.jsonl
expect_status 0
run diff -r eu.before eu
expect_status 0

# --- The run, killed on its way ---
for s in 0.01 0.02 0.04; do
	{ timeout --foreground -s KILL "$s" "$EBB" transfer run plan.jsonl || true; } >/dev/null 2>&1
done
run "$EBB" transfer run plan.jsonl --json
[[ $status -le 1 ]] || unexpected 'it does not go on'
for f in f1 f2 f3 d/same; do
	expect_same "home/$f" "eu/$f"
	expect_same "home/$f" "eu2/$f"
done
[[ $(stat -c %y home/f1) == $(stat -c %y eu/f1) ]] || fail 'times are lost'
[[ $(cat eu/taken) == new && $(cat eu2/taken) == old ]] || fail 'something was overwritten, or not copied'
[[ -z $(find hub -mindepth 1 ! -name .keep) ]] || fail "the relay is not empty: $(find hub)"
[[ -e home/f1 && -e home/d/same ]] || fail 'a source is gone'
run "$EBB" transfer run plan.jsonl
expect_status 0
expect_out 'nothing to do'
expect_out 'home to hub: '

# --- Back ---
run "$EBB" undo last
expect_status 0
run diff -r eu.before eu
expect_status 0
run diff -r eu2.before eu2
expect_status 0

# --- Without an accident planned and sent are the same ---
run "$EBB" transfer run plan.jsonl --json
expect_status 0
[[ $(grep planned_bytes <<<"$out" | jq -s 'length > 1 and all(.planned_bytes == .sent_bytes)') == true ]] || unexpected 'sent is not planned'
run "$EBB" scan
run "$EBB" dupes
run "$EBB" transfer plan home --to eu,eu2 --json -o again.jsonl
expect_out '"cost_usd":0,'
[[ $(tail -n +3 again.jsonl | wc -l) -eq 0 ]] || unexpected 'it would send again'

# --- A copy that somebody changed stays; the others go ---
echo more >>eu/f1
run "$EBB" undo last
expect_status 1
[[ -e eu/f1 && ! -e eu2/f1 ]] || unexpected 'not what undo may take away'

# --- What is refused ---
run "$EBB" transfer plan home:f1 --to far
expect_status 0
expect_out 'infeasible'
expect_err "no price is known from store 'home' to 'far'"
mkdir home/kept
echo secret >home/kept/s
head -c 300000 /dev/urandom >home/new
run "$EBB" scan home
run "$EBB" transfer plan home:kept/ --to eu --json
expect_out '"reason":"residency"'
run "$EBB" transfer plan home --to nowhere
expect_status 2
run "$EBB" transfer plan home --to eu --budget 'a lot'
expect_status 2
run "$EBB" transfer plan home:new --to eu2 --budget "1 USD" --json
expect_out '"reason":"budget"'
run "$EBB" transfer run missing.jsonl
expect_status 2
sed 's/do: keep/do: copy/; s/^rules: \[\]/rules: [{name: c, match: "**", do: copy, to: eu}]/' ebb.yaml >ruled.yaml
run "$EBB" -c ruled.yaml check
expect_status 3
expect_err "action 'copy'"

# --- A plan for each site, run as jobs that wait for each other; compressed on the way; a kill in between ---
mkdir -p home/logs
for i in 1 2 3; do seq $((i * 1000)) $((i * 1000 + 60000)) >home/logs/n$i.log; done
head -c 50000 /dev/urandom >home/logs/noise.log.gz
run "$EBB" scan
run "$EBB" transfer plan home:logs/ --to eu --compress -o x.jsonl
expect_status 2
expect_err '--compress takes --split'
run "$EBB" transfer plan home:logs/ --to eu --compress --split -o part.jsonl
expect_status 0
expect_err 'part.us.jsonl'
[[ -e part.us.jsonl && -e part.hub.jsonl && -e part.eu.jsonl && ! -e part.moon.jsonl ]] || fail "$(ls)"
[[ $(tail -n +3 part.us.jsonl | jq -s '[.[] | select(.form == "encode")] | length') == 3 ]] || fail "$(cat part.us.jsonl)"
job() { EBB_INDEX=$HOME/index.$1 run "$EBB" transfer run "part.$1.jsonl"; }
job eu
expect_status 7
expect_err 'wait for what other sites have to send'
job us
expect_status 0
expect_out 'home to hub: '
job eu
expect_status 7
job hub
expect_status 0
for s in 0.01 0.03; do
	{ EBB_INDEX=$HOME/index.eu timeout --foreground -s KILL "$s" "$EBB" transfer run part.eu.jsonl || true; } >/dev/null 2>&1
done
job eu
expect_status 0
run diff -r home/logs eu/logs
expect_status 0
[[ -z $(find hub eu eu2 -path '*/.ebb-transfer*') ]] || fail 'something stays on its way'
job eu
expect_status 0
expect_out 'nothing to do'
for s in eu hub us; do
	EBB_INDEX=$HOME/index.$s run "$EBB" undo last
done
[[ ! -e eu/logs/n1.log && -e home/logs/n1.log ]] || fail 'undo does not take the copies away'

# --- A deadline: what does not fit over the cheap link goes over the dear one; or it is said what is short ---
mkdir home/dl
for i in $(seq 40); do head -c 50000 /dev/urandom >"home/dl/$i"; done
run "$EBB" scan home
links() {
	cat ebb.yaml
	printf 'links:\n  - {from: home, to: hub, rate: %s}\n  - {from: home, to: eu, rate: %s}\n' "$1" "$2"
}
by_hub() { tail -n +3 dl.jsonl | jq -s '[.[] | select(.to_store == "hub" and (.path | startswith("dl/"))).wire_bytes] | add // 0'; }
links 100MB 100MB >timed.yaml
run "$EBB" -c timed.yaml check
expect_status 0
expect_out 'home to hub'
run "$EBB" -c timed.yaml transfer plan home:dl/ --to eu --deadline 1h -o dl.jsonl
expect_status 0
all=$(by_hub)
((all > 1500000)) || fail "only $all bytes go by the hub"
links 300B 1MB >timed.yaml
run "$EBB" -c timed.yaml transfer plan home:dl/ --to eu --deadline 1h -o dl.jsonl
expect_status 0
((0 < $(by_hub) && $(by_hub) <= 300 * 3600)) || fail "$(by_hub) bytes go by the hub"
links 1B 2B >timed.yaml
run "$EBB" -c timed.yaml transfer plan home:dl/ --to eu --deadline 1h --json
expect_status 0
expect_out '"reason":"deadline"'
links 1B 0 >timed.yaml
run "$EBB" -c timed.yaml check
expect_status 3
expect_err "'rate' must be more than nothing"
sed 's/from: home, to: hub/from: home, to: hab/' timed.yaml >bad.yaml
run "$EBB" -c bad.yaml check
expect_status 3
expect_err "there is no store 'hab'"

# --- So many copies as are wanted, where they cost least; what stands somewhere counts ---
mkdir home/cp eu2/cp
for i in 1 2 3; do head -c $((400000 + i)) /dev/urandom >home/cp/$i; done
cp home/cp/2 eu2/cp/2			# one copy is there already
cp home/cp/3 eu2/elsewhere		# its content is
echo other >eu/cp.x
run "$EBB" scan
run "$EBB" dupes
run "$EBB" transfer plan home:cp/ --to eu,eu2,hub --copies 1 -o cp.jsonl --json
expect_status 0
expect_out '"status":"optimal"'
todo() { tail -n +3 cp.jsonl | jq -r '"\(.store) \(.path) \(.to_store) \(.to_path)"' | sort; }
[[ $(todo) == $'eu2 elsewhere eu2 cp/3\nhome cp/1 hub cp/1' ]] || fail "$(todo)"
run "$EBB" transfer plan home:cp/ --to eu,eu2,hub --copies 2 -o cp.jsonl --json
[[ $(tail -n +3 cp.jsonl | jq -r 'select(.to_path == "cp/1").to_store' | sort | xargs) == "eu hub" ]] || fail "$(todo)"
{ timeout --foreground -s KILL 0.02 "$EBB" transfer run cp.jsonl || true; } >/dev/null 2>&1
run "$EBB" transfer run cp.jsonl
expect_status 0
run "$EBB" scan
run "$EBB" dupes
for i in 1 2 3; do
	n=0
	for s in eu eu2 hub; do [[ ! -e $s/cp/$i ]] || { expect_same "home/cp/$i" "$s/cp/$i" && n=$((n + 1)); }; done
	[[ $n == 2 ]] || fail "$n copies of $i"
done
run "$EBB" transfer plan home:cp/ --to eu,eu2,hub --copies 2 -o cp.jsonl
[[ -z $(todo) ]] || fail "$(todo)"
run "$EBB" transfer plan home:cp/ --to eu,eu2,hub --copies 3 -o cp.jsonl
[[ $(todo | wc -l) == 3 ]] || fail "$(todo)"
# where the key is taken nothing is put
echo other >hub/cp/2 && rm -f eu/cp/2
run "$EBB" scan
run "$EBB" dupes
run "$EBB" transfer plan home:cp/2 --to eu,hub --copies 1 -o cp.jsonl
[[ $(todo | cut -d' ' -f3) == eu ]] || fail "$(todo)"
for n in 0 4; do
	run "$EBB" transfer plan home:cp/ --to eu,eu2,hub --copies $n
	expect_status 2
done

# --- More than a block of objects: each row is of the object it names ---
mkdir home/many
seq 100001 103000 | split -l 1 -d -a 4 - home/many/f
for i in 0007 1500 2999; do printf 'longer than others\n%s' "$i" >"home/many/f$i"; done
mkdir eu/many
cp home/many/f1500 eu/many/other
run "$EBB" scan
run "$EBB" dupes
run "$EBB" transfer plan home:many/ --to eu2 -o many.jsonl
expect_status 0
[[ $(tail -n +3 many.jsonl | jq -r 'select(.to_store == "eu2").to_path' | sort -u | wc -l) == 3000 ]] || fail 'not every object once'
[[ $(tail -n +3 many.jsonl | jq -r 'select(.store == "home" and (.path | sub("^many/"; "")) != (.to_path | sub("^(.ebb-transfer/)?many/"; ""))).path' | wc -l) == 0 ]] ||
	fail 'a row mixes objects'
[[ $(tail -n +3 many.jsonl | jq -r 'select(.store == "home" and .size != 7).path' | sort | xargs) == 'many/f0007 many/f2999' ]] || fail 'sizes are mixed'
[[ $(tail -n +3 many.jsonl | jq -r 'select(.path == "many/other").to_path') == many/f1500 ]] || fail 'not from the twin'

# --- Windows of links: what goes on by day what has come by night; a run waits for them ---
export TZ=UTC
night="links:
  - {from: home, to: hub, window: '20:00-06:00'}
  - {from: hub, to: eu, window: '08:00-18:00'}
  - {from: home, to: eu, window: 'Sun'}"
{ cat ebb.yaml && echo "$night"; } >timed.yaml
at() {
	EBB_NOW=$1 run "$EBB" -c timed.yaml transfer "${@:2}"
}
run "$EBB" -c timed.yaml check
expect_out '20:00-06:00'
# on a Friday: the hub is reached at night, left by day
at 2028-01-07T12:00:00Z plan home:dl/ --to eu --deadline 8h --json
expect_out '"reason":"deadline"'
at 2028-01-07T12:00:00Z plan home:dl/ --to eu --deadline 24h --json -o dl.jsonl
expect_out '"status":"optimal"'
expect_out '"slot_gb":{"2028-01-07 20:00":'
expect_out '"slot_gb":{"2028-01-08 08:00":'
at 2028-01-07T12:00:00Z run dl.jsonl
expect_status 7
expect_err '40 actions wait for the windows of their links; the next one opens at 2028-01-07T20:00:00Z'
[[ -z $(find hub/.ebb-transfer -type f 2>/dev/null) ]] || fail 'something went before its window'
{ EBB_NOW=2028-01-07T21:00:00Z timeout --foreground -s KILL 0.03 "$EBB" -c timed.yaml transfer run dl.jsonl || true; } >/dev/null 2>&1
at 2028-01-07T21:00:00Z run dl.jsonl
expect_status 7
expect_err '40 actions wait for the windows of their links; the next one opens at 2028-01-08T08:00:00Z'
[[ $(find hub/.ebb-transfer -type f | wc -l) == 40 && ! -e eu/dl ]] || fail 'not what may go at night'
at 2028-01-08T09:00:00Z run dl.jsonl
expect_status 0
run diff -r home/dl eu/dl
expect_status 0
# a plan without relays goes on Sundays only
sed -i 's/, relay: true//' timed.yaml
EBB_NOW=2028-01-08T09:00:00Z run "$EBB" -c timed.yaml undo last
expect_status 0
at 2028-01-07T12:00:00Z plan home:dl/ --to eu --deadline 24h --json
expect_out '"reason":"deadline"'
at 2028-01-07T12:00:00Z plan home:dl/ --to eu --deadline 2d --json
expect_out '"status":"optimal"'
printf 'limits: {bandwidth: 10B/s}\n' >>timed.yaml
at 2028-01-07T12:00:00Z plan home:dl/ --to eu --deadline 2d
expect_out 'infeasible: before the deadline at least '
for bad in "{from: home, to: eu}" "{from: home, to: eu, window: night}"; do
	{ cat ebb.yaml && printf 'links:\n  - %s\n' "$bad"; } >bad.yaml
	run "$EBB" -c bad.yaml check
	expect_status 3
done
