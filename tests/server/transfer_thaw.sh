#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Transfers of what sleeps in archive classes, behind a proxy that makes them sleep: thawing is priced and takes time, so it is weighed against
# copies that are awake elsewhere and against the deadline; the run asks for exactly what the plan reads, is killed, and goes on when it is
# awake.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq python3

home=$(new_bucket) ap=$(new_bucket) eu=$(new_bucket)
archive_proxy
for k in a b c new ia; do head -c 3000000 /dev/urandom >"$k"; done
put() { aws s3api put-object --bucket "$1" --key "$2" --body "$3" --storage-class "$4" >/dev/null; }
put "$home" d/a a DEEP_ARCHIVE		# nowhere else
put "$home" d/b b DEEP_ARCHIVE		# awake in ap, from where it is dear
put "$ap" b b STANDARD
put "$home" d/c c GLACIER		# sleeps at the destination as well, under another name
put "$eu" cold/c c DEEP_ARCHIVE
put "$home" d/new new STANDARD
put "$home" d/ia ia STANDARD
cat >ebb.yaml <<END
version: 1
stores:
  home: {type: s3, bucket: $home, endpoint: "http://127.0.0.1:$(cat port)", provider: aws, region: us-east-1, class: STANDARD}
  ap: {type: s3, bucket: $ap, endpoint: "$RGW_ENDPOINT", provider: aws, region: ap-south-1, class: STANDARD}
  eu: {type: s3, bucket: $eu, endpoint: "http://127.0.0.1:$(cat port)", provider: aws, region: eu-west-1, class: STANDARD}
prices: [aws]
rules: []
END
export EBB_INDEX=$HOME/index EBB_NOW=2028-01-01T00:00:00Z
run "$EBB" scan
expect_status 0

# --- Without a deadline: bulk, and b from where it sleeps, which is cheaper than from where it is awake ---
rows() { tail -n +3 "$1" | jq -r '"\(.store) \(.path) \(.to_store) \(.to_path)"' | sort; }
run "$EBB" transfer plan home:d/ --to eu -o plan.jsonl --json
expect_status 0
[[ $(jq -r '"\(.status) \(.thaw.speed) \(.thaw.objects) \(.thaw.gb) \(.thaw.hours)"' <<<"$out") == 'optimal bulk 3 0.009 48' ]] || unexpected 'another thaw'
expect_err 'ebb transfer run FILE --thaw bulk'
bulk=$(jq .cost_usd <<<"$out")
rows plan.jsonl >got
grep -q '^home d/b eu d/b$' got || fail "$(cat got)"
grep -q '^eu cold/c eu d/c$' got || fail "it is not thawed where it is wanted: $(cat got)"
run "$EBB" transfer plan home:d/ --to eu
expect_out 'thawing      3 objects, 0.009 GB, bulk: up to 48 hours before they can be read, '
for f in md html; do
	run "$EBB" transfer plan home:d/ --to eu --format "$f"
	expect_out '3 objects (0.009 GB) sleep in archives and are thawed first, at the speed bulk: up to 48 hours'
done
# faster is dearer
run "$EBB" transfer plan home:d/ --to eu --thaw standard --json
[[ $(jq --argjson b "$bulk" '.thaw.speed == "standard" and .thaw.hours == 12 and .cost_usd > $b' <<<"$out") == true ]] || unexpected 'not dearer'

# --- Against a deadline ---
run "$EBB" transfer plan home:d/ --to eu --deadline 24h --json
[[ $(jq -r '"\(.status) \(.thaw.speed) \(.thaw.hours)"' <<<"$out") == 'optimal standard 12' ]] || unexpected 'it is not thawed faster'
run "$EBB" transfer plan home:d/b --to eu --deadline 6h -o soon.jsonl --json
expect_out '"status":"optimal"'
expect_no_out '"thaw"'
[[ $(rows soon.jsonl) == "ap b eu d/b" ]] || fail "$(rows soon.jsonl)"
run "$EBB" transfer plan home:d/a --to eu --deadline 6h --json
expect_out '"status":"infeasible","reason":"deadline"'
run "$EBB" transfer plan home:d/a --to eu --deadline 6h
expect_out 'without the deadline'

# --- The run: nothing is asked for that was not agreed to; then each once; killed; then all of it ---
run "$EBB" transfer run plan.jsonl
expect_status 7
expect_err '3 objects (8.6 MiB) in archive classes must be thawed first'
[[ ! -s asked ]] || fail 'something was asked for'
{ timeout --foreground -s KILL 0.15 "$EBB" transfer run plan.jsonl --thaw bulk || true; } >/dev/null 2>&1
run "$EBB" transfer run plan.jsonl --thaw bulk
expect_status 7
expect_err 'being thawed'
[[ $(sort -u asked) == $(printf '%s Bulk 2\n' "/$eu/cold/c" "/$home/d/a" "/$home/d/b" | sort) ]] || fail "asked for: $(cat asked)"
[[ -z $(aws s3api list-objects-v2 --bucket "$eu" --prefix d/ | jq -r '.Contents // [] | .[].Key') ]] || fail 'something was copied before all is awake'
pass 49
{ timeout --foreground -s KILL 0.1 "$EBB" transfer run plan.jsonl || true; } >/dev/null 2>&1
run "$EBB" transfer run plan.jsonl
expect_status 0
for k in a b c new ia; do
	aws s3 cp --quiet "s3://$eu/d/$k" got.one
	expect_same "$k" got.one
done
run "$EBB" undo last
expect_status 0
